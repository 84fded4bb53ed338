/* Tiles are the trace's own numbers, whichever way they come; readings and labels. */
#include "session_case.h"

static TileKey key_of(const Session *s, int32_t factor)
{
    const TraceInfo *info = trace_info(s->trace);
    return (TileKey){.trace_version = s->trace_version,
                     .layer = 1,
                     .head = 2,
                     .row1 = info->n_queries,
                     .col1 = info->n_keys,
                     .factor = factor};
}

static void check_tile(const Session *s, const Tile *tile)
{
    const TileKey *k = &tile->key;
    for (int32_t r = 0; r < tile->rows; r++) {
        for (int32_t c = 0; c < tile->cols; c++) {
            float want = -INFINITY;
            for (int32_t i = k->row0 + r * k->factor;
                 i < AS_MIN(k->row0 + (r + 1) * k->factor, k->row1); i++) {
                for (int32_t j = k->col0 + c * k->factor;
                     j < AS_MIN(k->col0 + (c + 1) * k->factor, k->col1); j++) {
                    TraceCell cell;
                    assert_true(trace_cell(s->trace, k->layer, k->head, i, j, &cell, NULL));
                    want = cell.visible ? fmaxf(want, cell.weight) : want;
                }
            }
            float is = tile->values[(size_t)r * (size_t)tile->cols + (size_t)c];
            if (isinf(want)) {
                /* A block cut by the diagonal counts as there as soon as one row sees one key. */
                assert_true(isinf(is) || is == 0);
            } else {
                assert_close(&is, &want, 1, 1e-7, 1e-6);
            }
        }
    }
}

static void test_tiles_get__values(void **state)
{
    (void)state;
    Session *s = session_on_words(SMALL_MODEL, 45);
    Error err = {0};
    for (int32_t factor = 1; factor <= 7; factor += 3) {
        TileKey key = key_of(s, factor);
        key.row0 = 5;
        key.col0 = 3;
        key.col1 = 40;
        const Tile *tile = session_tile(s, &key, &err);
        assert_ok(tile, err);
        check_tile(s, tile);
        uint64_t version = tile->version;
        assert_true(session_tile(s, &key, &err)->version == version);
    }
    session_destroy(&s);
}

static void test_tiles_get__masked(void **state)
{
    (void)state;
    Session *s = session_on_words(SMALL_MODEL, 12);
    TileKey key = key_of(s, 1);
    const Tile *tile = session_tile(s, &key, NULL);
    assert_non_null(tile);
    for (int32_t r = 0; r < 12; r++) {
        for (int32_t c = 0; c < 12; c++) {
            assert_int_equal(isinf(tile->values[r * 12 + c]) != 0, c > r);
        }
    }
    session_destroy(&s);
}

static void test_tiles_get__budget(void **state)
{
    (void)state;
    Session *s = session_on_words(SMALL_MODEL, 40);
    s->tiles.budget_bytes = 3 * (40 * 40 + 40) * sizeof(float);
    uint64_t first = 0;
    for (int32_t head = 0; head < 4; head++) {
        TileKey key = key_of(s, 1);
        key.head = head;
        const Tile *tile = session_tile(s, &key, NULL);
        assert_non_null(tile);
        first = head == 0 ? tile->version : first;
    }
    assert_int_equal(s->tiles.tiles.n, 3);
    assert_true(s->tiles.held_bytes <= s->tiles.budget_bytes);
    TileKey key = key_of(s, 1);
    key.head = 0;
    assert_null(tiles_find(&s->tiles, &key)); /* the oldest went */
    assert_true(session_tile(s, &key, NULL)->version != first);
    session_destroy(&s);
}

/* What takes long comes by a job; of two wishes the newer one is served. */
static void test_tiles_get__job(void **state)
{
    (void)state;
    Session *s = session_on_words(SMALL_MODEL, 2100);
    Error err = {0};
    TileKey key = key_of(s, 4);
    TileKey other = key;
    other.head = 3;
    assert_null(session_tile(s, &other, &err));
    assert_null(session_tile(s, &key, &err));
    assert_int_equal(err.code, ERR_NONE);
    session_settle(s);
    const Tile *tile = session_tile(s, &key, &err);
    assert_non_null(tile);
    assert_int_equal(tile->rows, 525);
    assert_null(tiles_find(&s->tiles, &other));
    TraceCell cell;
    TraceRows rows;
    assert_true(trace_rows(s->trace, 1, 2, &rows));
    int32_t at = rows.max_key[2000];
    assert_true(trace_cell(s->trace, 1, 2, 2000, at, &cell, NULL));
    assert_true(tile->values[500 * 525 + at / 4] >= cell.weight);
    session_destroy(&s);
}

/* A device that needs three calls for a tile and puts its id into every value. */
typedef struct FakeDevice {
    int calls, calls_of_this;
    uint64_t id;
    TileStep answer; /* of the third call */
    TileKey last;
} FakeDevice;

static TileStep fake_compute(void *payload, const TileTask *task)
{
    FakeDevice *f = payload;
    assert_true(task->seconds > 0);
    assert_int_not_equal(task->source->combine, COMBINE_OWNER);
    f->calls_of_this = f->id == task->id ? f->calls_of_this + 1 : 1;
    f->id = task->id;
    f->last = *task->key;
    f->calls++;
    int32_t n = (task->key->row1 - 1) / task->key->factor + 1;
    for (int32_t i = 0; i < n * n; i++) {
        task->values[i] = (float)task->id;
    }
    return f->calls_of_this < 3 ? TILE_MORE : f->answer;
}

static bool takes_none(void *payload, const TileTask *task)
{
    (void)payload;
    assert_non_null(task->trace);
    return false;
}

static double fake_fraction(void *payload)
{
    const FakeDevice *f = payload;
    return f->calls_of_this / 3.0;
}

/* One frame's wish. */
static bool want(Session *s, const TileKey *keys, size_t n)
{
    Error err = {0};
    bool all = session_want_tiles(s, &(WeightSource){0}, keys, n, &err);
    assert_int_equal(err.code, ERR_NONE);
    return all;
}

static void test_tiles_want__device(void **state)
{
    (void)state;
    Session *s = session_on_words(SMALL_MODEL, 20);
    FakeDevice fake = {.answer = TILE_DONE};
    const TileDevice device = {
        .compute = fake_compute, .fraction = fake_fraction, .payload = &fake, .name = "made up"};
    s->tiles.device = &device;
    TileKey keys[2] = {key_of(s, 1), key_of(s, 1)};
    keys[1].head = 3;
    const char *what;
    double fraction;
    assert_false(want(s, keys, 2));
    assert_true(s->tiles.device_pending);
    assert_true(tiles_on_device(&s->tiles, &what, &fraction) && fraction > 0.3 && fraction < 0.4);
    assert_false(want(s, keys, 2));
    /* The third call ends the first tile; the second begins, in that frame or in the next. */
    assert_false(want(s, keys, 2));
    const Tile *tile = tiles_find(&s->tiles, &keys[0]);
    assert_non_null(tile);
    assert_true(tile->values[20] == 1 && isinf(tile->values[1]) && tile->row_max);
    while (fake.last.head != 3) {
        assert_false(want(s, keys, 2));
        assert_true(fake.calls < 20);
    }
    /* Another head while the second is on its way: that one is let go, and the new one is its own.
     */
    TileKey other = key_of(s, 1);
    other.head = 1;
    while (!want(s, &other, 1)) {
        assert_true(fake.calls < 20);
    }
    tile = tiles_find(&s->tiles, &other);
    assert_true(tile && tile->values[0] == 3);
    assert_null(tiles_find(&s->tiles, &keys[1]));
    assert_false(s->tiles.device_pending);
    assert_false(tiles_on_device(&s->tiles, &what, &fraction));
    /* What is there is not asked for again; a new trace forgets what was on its way. */
    int calls = fake.calls;
    assert_true(want(s, &other, 1));
    assert_int_equal(fake.calls, calls);
    assert_false(want(s, &keys[1], 1));
    tiles_clear(&s->tiles, s->jobs);
    assert_false(s->tiles.device_pending);
    assert_null(s->tiles.device_tile.values);
    session_destroy(&s);
}

/* What the device does not take, the processor computes, as if there were none. */
static void test_tiles_want__device_passes(void **state)
{
    (void)state;
    Session *s = session_on_words(SMALL_MODEL, 20);
    FakeDevice fake = {.answer = TILE_PASS};
    const TileDevice device = {
        .compute = fake_compute, .fraction = fake_fraction, .payload = &fake, .name = "made up"};
    TileDevice picky = device;
    picky.takes = takes_none;
    s->tiles.device = &device;
    TileKey key = key_of(s, 1);
    for (int i = 0; i < 2; i++) {
        assert_false(want(s, &key, 1));
    }
    assert_true(want(s, &key, 1));
    check_tile(s, tiles_find(&s->tiles, &key));
    /* What it failed at once is not tried again with other heads … */
    int calls = fake.calls;
    TileKey others[2] = {key, key};
    others[0].head = 1;
    others[1].head = 3;
    assert_true(want(s, others, 2));
    assert_int_equal(fake.calls, calls);
    /* … and what it does not take is not tried at all. */
    s->tiles.passed.any = false;
    s->tiles.device = &picky;
    others[0].layer = others[1].layer = 0;
    assert_true(want(s, others, 2));
    assert_int_equal(fake.calls, calls);
    assert_false(s->tiles.device_pending);
    assert_false(session_device_takes(s, &(WeightSource){0}, &key));
    s->tiles.device = &device;
    assert_true(session_device_takes(s, &(WeightSource){0}, &key));
    /* Owners have no place in a device's answer. */
    WeightSource owners = {.combine = COMBINE_OWNER, .set = {.n = 1, .heads = {{1, 2}}}};
    TileKey owned = key;
    owned.source = weight_source_id(&owners);
    assert_false(session_device_takes(s, &owners, &owned));
    Error err = {0};
    assert_ok(session_want_tiles(s, &owners, &owned, 1, &err), err);
    assert_int_equal(fake.calls, calls);
    session_destroy(&s);
}

static void test_reading_update__adds_up(void **state)
{
    (void)state;
    Session *s = session_on_words(SMALL_MODEL, 30);
    does(s, "layer 2");
    does(s, "head 1");
    does(s, "pin 20 7");
    const Reading *r = session_reading(s);
    assert_non_null(r);
    assert_true(fabs(r->row_sum - 1) < 1e-5);
    assert_true(r->row[7] == r->column[20]);
    assert_true(fabsf(r->row[7] - r->cell.weight) < 1e-7f);
    assert_int_equal(r->n_readers, 23);
    assert_int_equal(r->row_end, 21);
    assert_int_equal(r->n_top, READING_TOP);
    for (size_t i = 1; i < r->n_top; i++) {
        assert_true(r->top[i].weight <= r->top[i - 1].weight);
    }
    const float *received = trace_received(s->trace, 2, 1);
    float mass = (float)r->received;
    assert_close(&mass, &received[7], 1, 1e-5, 1e-5);
    session_destroy(&s);
}

static void test_token_label__cases(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {{" the", "the"},     {"the", "the"},     {" ", "space"},
                {"   ", "space ×3"}, {"\n", "⏎"},        {"\n\n", "⏎⏎"},
                {"\n   ", "⏎"},      {"\t", "⇥"},        {"", "#7"},
                {"\x01", "#7"},      {"##ing", "##ing"}, {"<|endoftext|>", "<|endoftext|>"}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        char out[TOKEN_LABEL_MAX];
        assert_string_equal(token_label(&(TraceToken){.id = 7, .text = rows[i].text}, out),
                            rows[i].want);
    }
    char longest[400];
    char out[TOKEN_LABEL_MAX];
    for (size_t i = 0; i + 1 < sizeof longest; i++) {
        longest[i] = i % 2 ? '\xA4' : '\xC3'; /* ä */
    }
    longest[398] = 0;
    token_label(&(TraceToken){.text = longest}, out);
    assert_true(strlen(out) < TOKEN_LABEL_MAX);
    assert_int_equal(utf8_count_invalid(out, strlen(out)), 0);
}

static void test_token_bytes_label__cases(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *want;
    } rows[] = {{"\xD0", "D0"},
                {"\xD0\x9F", "D0 9F"},
                {" \xD0", "D0"},
                {"\x9F\xD0\x9F\xD0", "9F D0 9F D0"},
                {"\x9F\xD0\x9F\xD0\x9F", "9F D0 9F D0…"}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        char out[TOKEN_LABEL_MAX];
        assert_string_equal(token_bytes_label(rows[i].bytes, strlen(rows[i].bytes), out),
                            rows[i].want);
    }
}

/* Pieces of characters by their bytes; what is whole as it is, a real U+FFFD too. */
static void test_session_label__pieces(void **state)
{
    (void)state;
    Session *s = session_on("tiny", "\u041F\u0440 the");
    static const char *const want[] = {"D0", "9F", "D1", "80", "the"};
    char out[TOKEN_LABEL_MAX];
    assert_int_equal(trace_info(s->trace)->n_queries, 6);
    for (int32_t i = 0; i < 5; i++) {
        assert_string_equal(session_label(s, i + 1, out), want[i]);
    }
    session_destroy(&s);
    s = session_on(SMALL_MODEL, "a \uFFFD");
    assert_string_equal(session_label(s, 1, out), "\uFFFD");
    session_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles_get__values),
        cmocka_unit_test(test_tiles_get__masked),
        cmocka_unit_test(test_tiles_get__budget),
        cmocka_unit_test(test_tiles_get__job),
        cmocka_unit_test(test_tiles_want__device),
        cmocka_unit_test(test_tiles_want__device_passes),
        cmocka_unit_test(test_reading_update__adds_up),
        cmocka_unit_test(test_token_label__cases),
        cmocka_unit_test(test_token_bytes_label__cases),
        cmocka_unit_test(test_session_label__pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
