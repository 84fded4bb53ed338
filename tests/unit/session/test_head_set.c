/* Heads combined and keys left out are the traced weights, worked out cell by cell; commands of
 * sets, brushes, bookmarks and search, with undo. */
#include "session_case.h"

#include "session/head_set.h"
#include "session/search.h"

#include <math.h>
#include <string.h>

static const char TEXT[] = "the cat sat on the mat, and the cat saw the dog on the mat";

static void run(Session *s, const char *line, bool good)
{
    Error err = {0};
    bool ok = session_run_command(s, line, &err);
    if (ok != good) {
        print_error("%s: %s\n", line, err.message);
    }
    assert_true(ok == good);
}

static float weight(const Session *s, int32_t layer, int32_t head, int32_t i, int32_t j, bool *seen)
{
    TraceCell cell;
    assert_true(trace_cell(s->trace, layer, head, i, j, &cell, NULL));
    *seen = cell.visible;
    return cell.weight;
}

/* What the source says of a cell, from single cells alone; -INFINITY = not there. */
static float by_hand(const Session *s, const WeightSource *w, int32_t i, int32_t j, int *owner)
{
    double sum = 0;
    float most = -INFINITY;
    bool any = false;
    for (int32_t h = 0; h < w->set.n; h++) {
        bool seen;
        float v = weight(s, w->set.heads[h].layer, w->set.heads[h].head, i, j, &seen);
        if (!seen || (w->hide_first && j == 0)) {
            continue;
        }
        if (w->hide_first) {
            bool first_seen;
            float first = weight(s, w->set.heads[h].layer, w->set.heads[h].head, i, 0, &first_seen);
            if (1 - (double)first < 1e-4) {
                continue;
            }
            v = (float)((double)v / (1 - (double)first));
        }
        any = true;
        sum += (double)v;
        if (v > most) {
            most = v;
            *owner = h;
        }
    }
    return !any ? -INFINITY : w->combine == COMBINE_MEAN ? (float)(sum / w->set.n) : most;
}

static void check_source(Session *s, WeightSource *w, int32_t factor)
{
    const TraceInfo *info = trace_info(s->trace);
    Error err = {0};
    TileKey key = {.trace_version = s->trace_version,
                   .source = weight_source_id(w),
                   .row1 = info->n_queries,
                   .col1 = info->n_keys,
                   .factor = factor};
    assert_true(key.source != 0);
    const Tile *tile = session_tile_of(s, w, &key, &err);
    assert_ok(tile, err);
    for (int32_t r = 0; r < tile->rows; r++) {
        for (int32_t c = 0; c < tile->cols; c++) {
            float want = -INFINITY;
            int owner = -1;
            for (int32_t i = r * factor; i < AS_MIN((r + 1) * factor, info->n_queries); i++) {
                for (int32_t j = c * factor; j < AS_MIN((c + 1) * factor, info->n_keys); j++) {
                    int who = -1;
                    float v = by_hand(s, w, i, j, &who);
                    owner = v > want ? who : owner;
                    want = fmaxf(want, v);
                }
            }
            size_t at = (size_t)r * (size_t)tile->cols + (size_t)c;
            if (isinf(want)) {
                assert_true(isinf(tile->values[at]));
                continue;
            }
            assert_close(&tile->values[at], &want, 1, 1e-6, 1e-5);
            if (w->combine == COMBINE_OWNER) {
                assert_int_equal(tile->owner[at], owner);
            }
        }
    }
}

static void test_weight_source__cells(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    for (int combine = COMBINE_MEAN; combine < COMBINE_COUNT; combine++) {
        for (int hide = 0; hide < 2; hide++) {
            WeightSource w = {.combine = (Combine)combine, .hide_first = hide};
            assert_true(head_set_add(&w.set, 1, 2, NULL));
            assert_true(head_set_add(&w.set, 0, 1, NULL));
            assert_true(head_set_add(&w.set, 1, 0, NULL));
            check_source(s, &w, 1);
            check_source(s, &w, 3);
        }
    }
    session_destroy(&s);
}

/* Rows of what is left sum to 1. */
static void test_weight_source__hidden_rows_sum(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    const TraceInfo *info = trace_info(s->trace);
    WeightSource w = {.hide_first = true};
    TraceRegion all = {1, 2, 0, info->n_queries, 0, info->n_keys};
    float *values = test_calloc((size_t)info->n_queries * (size_t)info->n_keys, sizeof *values);
    assert_true(weight_source_read(s->trace, &w, &all, values, NULL, NULL));
    for (int32_t i = 1; i < info->n_queries; i++) {
        double sum = 0;
        for (int32_t j = 0; j < info->n_keys; j++) {
            float v = values[i * info->n_keys + j];
            sum += isinf(v) ? 0 : (double)v;
        }
        assert_true(isinf(values[i * info->n_keys]));
        assert_true(fabs(sum - 1) < 1e-5);
    }
    assert_true(isinf(values[0])); /* the first row sees nothing else */
    test_free(values);
    session_destroy(&s);
}

static void test_weight_source_count_hidden__cases(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    int32_t m;
    const TraceToken *keys = trace_key_tokens(s->trace, &m);
    int32_t special = 0;
    for (int32_t j = 0; j < m; j++) {
        special += keys[j].special;
    }
    const struct {
        WeightSource source;
        int32_t want;
    } rows[] = {{{0}, 0},
                {{.mean = true}, 0},
                {{.pair_only = true}, 0},
                {{.hide_first = true}, 1},
                {{.hide_special = true}, special},
                {{.hide_first = true, .hide_special = true}, special + !keys[0].special}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        assert_int_equal(weight_source_count_hidden(s->trace, &rows[i].source), rows[i].want);
    }
    session_destroy(&s);
}

static void test_head_set__full(void **state)
{
    (void)state;
    HeadSet set = {0};
    Error err = {0};
    for (int32_t h = 0; h < HEAD_SET_MAX; h++) {
        assert_true(head_set_add(&set, 0, h, &err));
    }
    assert_true(head_set_add(&set, 0, 5, &err)); /* is there */
    assert_false(head_set_add(&set, 1, 0, &err));
    assert_int_equal(err.code, ERR_RANGE);
    head_set_remove(&set, 0, 0);
    assert_int_equal(set.n, HEAD_SET_MAX - 1);
    assert_int_equal(head_set_find(&set, 0, 1), 0);
}

static void test_commands__sets(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    const TraceInfo *info = trace_info(s->trace);
    run(s, "combine mean", false); /* nothing chosen */
    run(s, "set layer", true);
    assert_int_equal(s->selection.set.n, info->n_heads);
    run(s, "combine owner", true);
    run(s, "set 0.1,1.2", true);
    assert_int_equal(s->selection.set.n, 2);
    run(s, "set 0.99", false);
    run(s, "set 0-1", false);
    assert_int_equal(s->selection.set.n, 2);
    run(s, "set toggle 0.1", true);
    assert_int_equal(s->selection.set.n, 1);
    run(s, "undo", true);
    assert_int_equal(s->selection.set.n, 2);
    run(s, "set none", true);
    assert_int_equal(s->selection.combine, COMBINE_ONE);
    run(s, "hide first", true);
    run(s, "hide everything", false);
    assert_true(s->options.hide_first);
    run(s, "undo", true);
    assert_false(s->options.hide_first);
    run(s, "map-range 0.01 0.5", true);
    run(s, "map-range 0.5 0.01", false);
    assert_true(s->options.map_hi == 0.5f);
    run(s, "map-range all", true);
    assert_true(s->options.map_hi == 0);
    run(s, "pair-only", false); /* one text */
    run(s, "tile-memory 64", true);
    run(s, "tile-memory 1", false);
    assert_true(s->tiles.budget_bytes == 64u << 20);
    session_destroy(&s);
}

static void test_commands__places(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    run(s, "brush queries 3:7", true);
    run(s, "brush queries 7:3", false);
    assert_int_equal(s->selection.brush_query.first, 3);
    assert_int_equal(s->selection.brush_query.end, 7);
    run(s, "brush none", true);
    assert_int_equal(s->selection.brush_query.end, 0);
    run(s, "mark next", false);
    run(s, "pin 5 2", true);
    run(s, "mark", true);
    run(s, "pin 9 1", true);
    run(s, "mark", true);
    run(s, "mark next", true);
    assert_int_equal(s->selection.query, 5);
    run(s, "mark previous", true);
    assert_int_equal(s->selection.query, 9);
    run(s, "mark", true); /* takes it off */
    assert_int_equal(s->selection.n_marks, 1);
    run(s, "undo", true);
    assert_int_equal(s->selection.n_marks, 2);
    session_destroy(&s);
}

static void test_commands__find(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    int32_t n = search_count(s->trace, false, "CAT");
    assert_int_equal(n, 2);
    run(s, "query 0", true);
    run(s, "find cat", true);
    int32_t first = s->selection.query;
    assert_true(search_matches(s->trace, false, "cat", first));
    run(s, "find next", true);
    assert_true(s->selection.query > first);
    run(s, "find next", true);
    assert_int_equal(s->selection.query, first);
    run(s, "find zebra", false);
    int32_t key = -1;
    int32_t strong = search_strong(s->trace, 0, 0, 0, 0, 1, &key);
    assert_true(strong > 0 && key > 0 && key != strong);
    session_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weight_source__cells),
        cmocka_unit_test(test_weight_source__hidden_rows_sum),
        cmocka_unit_test(test_weight_source_count_hidden__cases),
        cmocka_unit_test(test_head_set__full),
        cmocka_unit_test(test_commands__sets),
        cmocka_unit_test(test_commands__places),
        cmocka_unit_test(test_commands__find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
