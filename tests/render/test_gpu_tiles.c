/* Tiles of real runs, by compute shaders and by the processor: the same within 1e-5, whatever the
 * model and the source; what does not fit is left to the processor. */
#include "app/gpu_tiles.h"
#include "app/cli.h"
#include "gfx/headless.h"
#include "testing.h"

#include <math.h>

typedef struct Both {
    App app;
    Arguments arguments;
    Headless *headless;
    Gfx *gfx;
    Session *session;
    GpuTiles tiles;
    TileDevice counted; /* the card's, with a count of the tiles it made */
    int n_calls, n_done;
} Both;

static TileStep counted_compute(void *payload, const TileTask *task)
{
    Both *b = payload;
    TileStep step = b->tiles.device.compute(b->tiles.device.payload, task);
    b->n_calls++;
    b->n_done += step == TILE_DONE;
    return step;
}

static bool counted_takes(void *payload, const TileTask *task)
{
    const Both *b = payload;
    return b->tiles.device.takes(b->tiles.device.payload, task);
}

static double counted_fraction(void *payload)
{
    const Both *b = payload;
    return b->tiles.device.fraction(b->tiles.device.payload);
}

static void both_open(Both *b, const char *model, const char *dtype, const char *memory, int n)
{
    static const char *const words[] = {"attnscope", "view", "--gpu-tiles", "on", "--tile-memory"};
    const char *argv[AS_COUNT(words) + 1];
    Error err = {0};
    *b = (Both){0};
    for (size_t i = 0; i < AS_COUNT(words); i++) {
        argv[i] = words[i];
    }
    argv[AS_COUNT(words)] = memory;
    b->app.arguments = &b->arguments;
    assert_ok(arguments_parse(AS_COUNT(words) + 1, argv, cli_looks_like_model, &b->app.arena,
                              &b->arguments, &err),
              err);
    b->headless = headless_create(16, 16, &err);
    assert_ok(b->headless, err);
    b->gfx = gfx_create(headless_proc, &err);
    assert_ok(b->gfx, err);
    b->session = session_create(&(SessionDesc){0}, &err);
    assert_ok(b->session, err);
    StrBuf text = {0};
    for (int i = 0; i < n; i++) {
        assert_true(strbuf_printf(&text, NULL, "w%d ", i * 7919 % 61));
    }
    SessionRequest request = {.model = model,
                              .text = {.text = strbuf_text(&text), .n_text = text.n}};
    request.params.dtype = strcmp(dtype, "f16") == 0 ? TRACE_F16 : TRACE_F32;
    assert_ok(session_request(b->session, &request, &err), err);
    strbuf_free(&text);
    session_settle(b->session);
    assert_int_equal(b->session->error.code, ERR_NONE);
    gpu_tiles_open(&b->tiles, &b->app, b->gfx, b->session);
    assert_ptr_equal(b->session->tiles.device, &b->tiles.device);
    b->counted = (TileDevice){.compute = counted_compute,
                              .takes = counted_takes,
                              .fraction = counted_fraction,
                              .payload = b,
                              .name = "counted"};
    b->session->tiles.device = &b->counted;
}

static void both_close(Both *b)
{
    b->session->tiles.device = &b->tiles.device;
    gpu_tiles_close(&b->tiles, b->session);
    assert_null(b->session->tiles.device);
    gpu_tiles_close(&b->tiles, b->session);
    session_destroy(&b->session);
    gfx_destroy(b->gfx);
    headless_destroy(b->headless);
    arena_destroy(&b->app.arena);
}

static void wait_for(Session *s, const WeightSource *source, const TileKey *key)
{
    Error err = {0};
    for (int i = 0; !session_want_tiles(s, source, key, 1, &err); i++) {
        assert_ok(err.code == ERR_NONE && i < 10000, err);
        session_settle(s);
    }
}

/* By the device first, then by the processor; returns how many values there were. */
static size_t compare(Both *b, const WeightSource *source, TileKey key, const char *name)
{
    Session *s = b->session;
    const TileDevice *device = s->tiles.device;
    key.trace_version = s->trace_version;
    key.source = weight_source_id(source);
    tiles_clear(&s->tiles, s->jobs);
    wait_for(s, source, &key);
    const Tile *tile = tiles_find(&s->tiles, &key);
    assert_non_null(tile);
    size_t n = (size_t)tile->rows * (size_t)tile->cols;
    float *is = test_malloc(n * sizeof *is);
    memcpy(is, tile->values, n * sizeof *is);
    tiles_clear(&s->tiles, s->jobs);
    s->tiles.device = NULL;
    wait_for(s, source, &key);
    s->tiles.device = device;
    const float *want = tiles_find(&s->tiles, &key)->values;
    size_t visible = 0;
    for (size_t i = 0; i < n; i++) {
        bool same = isinf(is[i]) == isinf(want[i]) &&
                    (isinf(want[i]) || fabsf(is[i] - want[i]) <= 1e-5f * fmaxf(1, want[i]));
        if (!same) {
            print_error("%s: value %zu of %zu is %.8g, the processor has %.8g\n", name, i, n,
                        (double)is[i], (double)want[i]);
            fail();
        }
        visible += !isinf(is[i]);
    }
    test_free(is);
    return visible;
}

static const struct {
    const char *model, *dtype;
} models[] = {{"tiny", "f32"},
              {"tiny", "f16"},
              {"translate", "f32"}, /* cross attention, N != M */
              {"random:L=2,H=4,G=2,d=80,seed=3", "f16"},
              {"random:L=2,H=3,d=60,seed=4", "f32"}};

static void test_gpu_tiles__models(void **state)
{
    (void)state;
    for (size_t m = 0; m < AS_COUNT(models); m++) {
        Both b;
        both_open(&b, models[m].model, models[m].dtype, "256M", 90);
        const TraceInfo *info = trace_info(b.session->trace);
        for (int how = 0; how < 16; how++) {
            WeightSource source = {.mean = how & 1, .hide_first = how & 2, .by_row = how == 8};
            source.combine = how < 4 || how == 8 ? COMBINE_ONE
                             : how & 4           ? COMBINE_MEAN
                                                 : COMBINE_MAX;
            source.set = (HeadSet){.n = 3, .heads = {{0, 0}, {1, 1}, {1, 0}}};
            TileKey key = {.layer = 1,
                           .head = info->n_heads - 1,
                           .row0 = how % 3,
                           .row1 = info->n_queries,
                           .col1 = info->n_keys - how % 2,
                           .factor = 1 + how % 5 * 3};
            if (source.combine != COMBINE_ONE) {
                key.layer = key.head = 0;
            }
            assert_true(compare(&b, &source, key, models[m].model) > 0);
        }
        assert_int_equal(b.n_done, 16);
        assert_true(evaluator_held_bytes(b.tiles.evaluator) > 0);
        both_close(&b);
    }
}

/* Operands that do not fit go to the processor: nothing is wrong, nothing is said. */
static void test_gpu_tiles__budget(void **state)
{
    (void)state;
    Both b;
    both_open(&b, "random:L=1,H=2,d=128,seed=5", "f32", "200K", 600);
    assert_int_equal(b.session->tiles.budget_bytes, 200 * 1024);
    TileKey key = {.row1 = 100, .col1 = 100, .factor = 1};
    assert_true(compare(&b, &(WeightSource){0}, key, "too large") > 0);
    assert_int_equal(evaluator_held_bytes(b.tiles.evaluator), 0);
    assert_int_equal(b.n_calls, 0); /* not even tried */
    both_close(&b);
}

/* Heads that are there already must go for others of the same tile, and come again. */
static void test_gpu_tiles__crowded(void **state)
{
    (void)state;
    Both b;
    both_open(&b, "random:L=1,H=4,d=128,seed=5", "f32", "500K", 600);
    TileKey key = {.row1 = 600, .col1 = 600, .factor = 8};
    for (key.head = 0; key.head < 3; key.head++) {
        compare(&b, &(WeightSource){0}, key, "alone");
    }
    assert_true(evaluator_held_bytes(b.tiles.evaluator) > 3 * 2 * 600 * 32 * sizeof(float));
    WeightSource set = {.combine = COMBINE_MEAN, .set = {3, {{0, 2}, {0, 3}, {0, 1}}}};
    key.head = 0;
    for (int hide = 0; hide < 2; hide++) {
        set.hide_first = hide;
        compare(&b, &set, key, "together");
    }
    assert_non_null(b.tiles.evaluator);
    assert_int_equal(b.n_done, 5);
    set.set = (HeadSet){4, {{0, 0}, {0, 1}, {0, 2}, {0, 3}}};
    int calls = b.n_calls;
    compare(&b, &set, key, "too many");
    assert_int_equal(b.n_calls, calls);
    /* A card that failed says that it takes nothing more. */
    key.trace_version = b.session->trace_version;
    assert_true(session_device_takes(b.session, &(WeightSource){0}, &key));
    evaluator_destroy(b.tiles.evaluator);
    b.tiles.evaluator = NULL;
    assert_false(session_device_takes(b.session, &(WeightSource){0}, &key));
    both_close(&b);
}

/* Another head before the first one is there. */
static void test_gpu_tiles__switch(void **state)
{
    (void)state;
    Both b;
    Error err = {0};
    both_open(&b, "random:L=2,H=4,d=256,seed=6", "f32", "256M", 2000);
    Session *s = b.session;
    TileKey key = {.trace_version = s->trace_version, .row1 = 2000, .col1 = 2000, .factor = 8};
    WeightSource none = {0};
    for (int32_t head = 0; head < 4; head++) {
        key.head = head;
        bool all = session_want_tiles(s, &none, &key, 1, &err);
        assert_int_equal(all, !s->tiles.device_pending);
        assert_int_equal(err.code, ERR_NONE);
    }
    wait_for(s, &none, &key);
    assert_non_null(tiles_find(&s->tiles, &key));
    compare(&b, &none, key, "after a switch");
    both_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gpu_tiles__models),
        cmocka_unit_test(test_gpu_tiles__budget),
        cmocka_unit_test(test_gpu_tiles__crowded),
        cmocka_unit_test(test_gpu_tiles__switch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
