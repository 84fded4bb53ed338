/* What the screen says is what the trace says; gestures do what they should. */
#include "views_case.h"

#include "views/matrix.h"

#include <stdio.h>

static void test_inspector__exact_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *pin;
        int32_t layer, head, query, key;
    } rows[] = {{"pin 19 3", 0, 0, 19, 3}, {"pin 7 7", 1, 3, 7, 7}, {"pin 33 0", 2, 1, 33, 0}};
    Arena arena = {0};
    ViewsCase c;
    views_case_open(&c, "random:L=3,H=4,d=64,seed=5", words_of(&arena, 34));
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        char line[32];
        snprintf(line, sizeof line, "layer %d", rows[i].layer);
        views_case_do(&c, line);
        snprintf(line, sizeof line, "head %d", rows[i].head);
        views_case_do(&c, line);
        views_case_do(&c, rows[i].pin);
        views_case_frame(&c, 1920, 1080, 1);
        TraceCell cell;
        assert_true(trace_cell(c.session->trace, rows[i].layer, rows[i].head, rows[i].query,
                               rows[i].key, &cell, NULL));
        const double numbers[] = {(double)cell.weight, (double)cell.qk, (double)cell.lse,
                                  (double)cell.qk * (double)cell.scale};
        for (size_t k = 0; k < AS_COUNT(numbers); k++) {
            char text[32];
            snprintf(text, sizeof text, "%.6f", numbers[k]);
            if (!find_text(&c, text)) {
                print_error("%s: %s is not on the screen\n", rows[i].pin, text);
                fail();
            }
        }
        char rank[48];
        snprintf(rank, sizeof rank, "rank %d of %d", cell.rank + 1, cell.visible_keys);
        assert_non_null(find_text(&c, rank));
    }
    views_case_close(&c);
    arena_destroy(&arena);
}

static void test_inspector__masked(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=1,H=1,d=32", "a b c d e f");
    views_case_do(&c, "pin 1 4");
    views_case_frame(&c, 1920, 1080, 1);
    assert_non_null(find_text(&c, "masked"));
    assert_null(find_text(&c, "0.000000"));
    views_case_close(&c);
}

static void test_status__counts(void **state)
{
    (void)state;
    Arena arena = {0};
    ViewsCase c;
    views_case_open(&c, "random:L=3,H=4,d=64", words_of(&arena, 34));
    views_case_frame(&c, 1920, 1080, 1);
    assert_non_null(
        find_text(&c, "34 × 34 tokens × 3 layers × 4 heads = 13,872 weights, all exact"));
    views_case_close(&c);
    arena_destroy(&arena);
}

/* The one cells command with so many columns. */
static const DrawCmd *find_cells(const ViewsCase *c, int32_t cols)
{
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        const DrawCmd *cmd = &c->list.cmds.items[i];
        if (cmd->kind == DRAW_CELLS && cmd->u.cells.source.cols == cols &&
            cmd->u.cells.source.rows > 1) {
            return cmd;
        }
    }
    return NULL;
}

static void point_at(ViewsCase *c, UiEventKind kind, float x, float y, float wheel)
{
    UiEvent event = {.kind = kind, .at = {x, y}, .wheel = wheel};
    assert_true(ui_feed(&c->ui, &event));
    views_case_pass(c, 1920, 1080, 1);
    session_settle(c->session);
}

static void test_matrix__hover_click_zoom(void **state)
{
    (void)state;
    Arena arena = {0};
    ViewsCase c;
    views_case_open(&c, "random:L=2,H=2,d=64,seed=5", words_of(&arena, 20));
    views_case_do(&c, "unpin");
    views_case_frame(&c, 1920, 1080, 1);
    const DrawCmd *cells = find_cells(&c, 20);
    assert_non_null(cells);
    Rect box = cells->u.cells.box;
    float px = box.w / 20;
    float x = box.x + px * 6.5f;
    float y = box.y + px * 11.5f;
    point_at(&c, UI_EVENT_MOVE, x, y, 0);
    assert_int_equal(c.session->selection.query, 11);
    assert_int_equal(c.session->selection.key, 6);
    assert_false(c.session->selection.pinned);
    point_at(&c, UI_EVENT_DOWN, x, y, 0);
    point_at(&c, UI_EVENT_UP, x, y, 0);
    assert_true(c.session->selection.pinned);
    point_at(&c, UI_EVENT_MOVE, box.x + 2, box.y + px * 18.5f, 0); /* pinned: it stays */
    assert_int_equal(c.session->selection.query, 11);
    point_at(&c, UI_EVENT_MOVE, x, y, 0);
    point_at(&c, UI_EVENT_WHEEL, x, y, 2);
    views_case_pass(&c, 1920, 1080, 1);
    /* The weight under the pointer is still under it. */
    point_at(&c, UI_EVENT_DOWN, x, y, 0);
    point_at(&c, UI_EVENT_UP, x, y, 0);
    assert_false(c.session->selection.pinned); /* the same cell again: unpinned */
    assert_int_equal(c.session->selection.query, 11);
    assert_int_equal(c.session->selection.key, 6);
    views_case_close(&c);
    arena_destroy(&arena);
}

/* The pointer chose a weight and rests: the keys choose on from there. */
static void test_matrix__keys_under_resting_pointer(void **state)
{
    (void)state;
    Arena arena = {0};
    ViewsCase c;
    views_case_open(&c, "random:L=2,H=2,d=64,seed=5", words_of(&arena, 20));
    views_case_do(&c, "unpin");
    views_case_frame(&c, 1920, 1080, 1);
    Rect box = find_cells(&c, 20)->u.cells.box;
    float px = box.w / 20;
    point_at(&c, UI_EVENT_MOVE, box.x + px * 6.5f, box.y + px * 11.5f, 0);
    for (int i = 1; i <= 3; i++) {
        views_case_do(&c, "query +1");
        views_case_pass(&c, 1920, 1080, 1);
        session_settle(c.session);
        assert_int_equal(c.session->selection.query, 11 + i);
        assert_int_equal(c.session->selection.key, 6);
    }
    point_at(&c, UI_EVENT_MOVE, box.x + px * 6.6f, box.y + px * 11.5f, 0);
    assert_int_equal(c.session->selection.query, 11);
    /* Keys lead out of the window: it follows, the pointer over it or not. */
    for (int i = 0; i < 6; i++) {
        views_case_do(&c, "zoom in");
    }
    views_case_do(&c, "query 0");
    views_case_pass(&c, 1920, 1080, 1);
    views_case_pass(&c, 1920, 1080, 1);
    session_settle(c.session);
    assert_int_equal(c.session->selection.query, 0);
    assert_true(says_from(&c, "queries 0–"));
    views_case_close(&c);
    arena_destroy(&arena);
}

static void test_matrix__cells_are_weights(void **state)
{
    (void)state;
    Arena arena = {0};
    ViewsCase c;
    views_case_open(&c, "random:L=2,H=2,d=64,seed=5", words_of(&arena, 60));
    views_case_do(&c, "layer 1");
    views_case_do(&c, "fit");
    views_case_frame(&c, 1920, 1080, 1);
    const DrawCmd *cells = find_cells(&c, 60);
    assert_non_null(cells);
    for (int32_t i = 0; i < 60; i += 7) {
        for (int32_t j = 0; j < 60; j += 5) {
            TraceCell cell;
            assert_true(
                trace_cell(c.session->trace, 1, c.session->selection.head, i, j, &cell, NULL));
            float is = cells->u.cells.source.values[i * 60 + j];
            if (cell.visible) {
                assert_close(&is, &cell.weight, 1, 1e-7, 1e-6);
            } else {
                assert_true(isinf(is) && is < 0);
            }
        }
    }
    /* Row max = 1: every row's largest is 1. */
    views_case_do(&c, "rows max");
    views_case_frame(&c, 1920, 1080, 1);
    cells = find_cells(&c, 60);
    for (int32_t i = 0; i < 60; i++) {
        float most = 0;
        for (int32_t j = 0; j <= i; j++) {
            most = fmaxf(most, cells->u.cells.source.values[i * 60 + j]);
        }
        assert_true(fabsf(most - 1) < 1e-5f);
    }
    views_case_close(&c);
    arena_destroy(&arena);
}

static void test_views_frame__same_again(void **state)
{
    (void)state;
    Arena arena = {0};
    Error err = {0};
    char *dumps[2];
    for (int run = 0; run < 2; run++) {
        ViewsCase c;
        views_case_open(&c, "random:L=2,H=2,d=64,seed=5", words_of(&arena, 60));
        views_case_frame(&c, 1920, 1080, 1);
        dumps[run] = draw_dump(&c.list, &arena, &err);
        assert_ok(dumps[run], err);
        views_case_close(&c);
    }
    assert_string_equal(dumps[0], dumps[1]);
    arena_destroy(&arena);
}

/* ---- the camera ---- */

static void test_zoom_fit__cases(void **state)
{
    (void)state;
    static const struct {
        int32_t n, m, w, h, px, factor;
    } rows[] = {{1, 1, 672, 672, 160, 1},           {20, 20, 672, 672, 33, 1},
                {512, 512, 672, 672, 1, 1},         {672, 672, 672, 672, 1, 1},
                {673, 673, 672, 672, 1, 2},         {4000, 4000, 672, 672, 1, 6},
                {131072, 131072, 672, 672, 1, 196}, {10, 100, 672, 672, 6, 1},
                {100, 10, 672, 672, 6, 1},          {16777216, 3, 40, 40, 1, 419431}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        MatrixZoom z = zoom_fit(rows[i].n, rows[i].m, rows[i].w, rows[i].h);
        assert_int_equal(z.px, rows[i].px);
        assert_int_equal(z.factor, rows[i].factor);
        assert_true(zoom_extent(z, rows[i].n) <= rows[i].h);
        assert_true(zoom_extent(z, rows[i].m) <= rows[i].w);
    }
}

static MatrixView view_of(int32_t n, int32_t area)
{
    return (MatrixView){.n_queries = n, .n_keys = n, .area_w = area, .area_h = area};
}

static void check_window(const MatrixView *v)
{
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(v, &r0, &r1, &c0, &c1);
    assert_true(0 <= r0 && r0 < r1 && r1 <= v->n_queries);
    assert_true(0 <= c0 && c0 < c1 && c1 <= v->n_keys);
    assert_true(v->row_px >= 0 && v->col_px >= 0);
}

/* The window of the design: 512 tokens, two pixels a weight, cell (401, 104). */
static void test_matrix_place__mock(void **state)
{
    (void)state;
    MatrixView v = view_of(512, 672);
    matrix_place(&v, 401, 104, true);
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(&v, &r0, &r1, &c0, &c1);
    assert_int_equal(v.zoom.px, 2);
    assert_int_equal(r0, 176);
    assert_int_equal(r1, 512);
    assert_int_equal(c0, 64);
    assert_int_equal(c1, 400);
}

/* Without a mask there is no empty half: the whole. */
static void test_matrix_place__whole(void **state)
{
    (void)state;
    static const int32_t sizes[] = {1, 20, 400, 512, 700, 5000};
    for (size_t i = 0; i < AS_COUNT(sizes); i++) {
        MatrixView v = view_of(sizes[i], 675);
        matrix_place(&v, sizes[i] / 2, sizes[i] / 3, false);
        int32_t r0;
        int32_t r1;
        int32_t c0;
        int32_t c1;
        matrix_window(&v, &r0, &r1, &c0, &c1);
        assert_true(v.fitted);
        assert_int_equal(r1 - r0, sizes[i]);
        assert_int_equal(c1 - c0, sizes[i]);
    }
}

static void test_matrix_zoom_at__keeps_place(void **state)
{
    (void)state;
    static const int32_t sizes[] = {1, 3, 20, 336, 512, 5000, 131072};
    for (size_t i = 0; i < AS_COUNT(sizes); i++) {
        MatrixView v = view_of(sizes[i], 672);
        matrix_place(&v, sizes[i] / 2, sizes[i] / 3, i % 2);
        check_window(&v);
        for (int step = 0; step < 40; step++) {
            double x = 100 + 13 * step % 500;
            int64_t extent = zoom_extent(v.zoom, v.n_keys);
            int64_t before = zoom_weight_at(v.zoom, v.col_px + (int64_t)x);
            int32_t was = v.zoom.factor;
            matrix_zoom_at(&v, 1, x, x);
            check_window(&v);
            int64_t after = zoom_weight_at(v.zoom, v.col_px + (int64_t)x);
            if ((double)extent > x + 1) {
                int64_t off = after - before;
                /* Whole pixels leave at most a weight (or a pixel of them) to chance. */
                assert_true(off >= -was - 1 && off <= was + 1);
            }
        }
        assert_int_equal(v.zoom.px, MATRIX_MAX_PX);
        for (int step = 0; step < 60; step++) {
            matrix_zoom_at(&v, -1, 300, 300);
            check_window(&v);
        }
        MatrixZoom fit = zoom_fit(v.n_queries, v.n_keys, 672, 672);
        assert_int_equal(v.zoom.px, fit.px);
        assert_int_equal(v.zoom.factor, fit.factor);
        assert_true(v.fitted);
    }
}

static void test_matrix_reveal__brings_into_view(void **state)
{
    (void)state;
    MatrixView v = view_of(2000, 600);
    v.zoom = (MatrixZoom){4, 1};
    for (int32_t at = 0; at < 2000; at += 371) {
        matrix_reveal(&v, at, 1999 - at);
        int32_t r0;
        int32_t r1;
        int32_t c0;
        int32_t c1;
        matrix_window(&v, &r0, &r1, &c0, &c1);
        assert_true(r0 <= at && at < r1);
        assert_true(c0 <= 1999 - at && 1999 - at < c1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inspector__exact_numbers),
        cmocka_unit_test(test_inspector__masked),
        cmocka_unit_test(test_status__counts),
        cmocka_unit_test(test_matrix__hover_click_zoom),
        cmocka_unit_test(test_matrix__keys_under_resting_pointer),
        cmocka_unit_test(test_matrix__cells_are_weights),
        cmocka_unit_test(test_views_frame__same_again),
        cmocka_unit_test(test_zoom_fit__cases),
        cmocka_unit_test(test_matrix_place__mock),
        cmocka_unit_test(test_matrix_place__whole),
        cmocka_unit_test(test_matrix_zoom_at__keeps_place),
        cmocka_unit_test(test_matrix_reveal__brings_into_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
