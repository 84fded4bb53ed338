/* The colour of cells: pixels read back against colour map(scale(weight)). */
#include "base/random.h"
#include "stage.h"

enum { N = 64 };

static void fill(float *values, int n, uint64_t seed)
{
    Random random = {seed};
    for (int i = 0; i < n; i++) {
        double u = random_uniform(&random);
        values[i] = (float)(u * u * u * u);
    }
    values[0] = 0;
    values[1] = 1;
    values[2] = -INFINITY;
    values[3] = NAN;
    values[4] = 1e-6f;
    values[5] = 2;
}

static bool masked(float v)
{
    return !(v > -INFINITY);
}

static void test_cells__equal_the_colour_map(void **state)
{
    Stage *s = *state;
    float values[N * N];
    fill(values, N * N, 3);
    Color mask = color_hex(0x10172B);
    static const int sizes[] = {1, 2, 7, 30};
    for (int map = 0; map < COLORMAP_COUNT; map++) {
        for (int kind = 0; kind < SCALE_COUNT; kind++) {
            int px = sizes[(map + kind) % 4];
            int n = AS_MIN(N, 1000 / px);
            DrawCells cells = {.box = {5, 9, (float)(n * px), (float)(n * px)},
                               .source = {.values = values, .rows = n, .cols = n, .stride = N},
                               .map = (Colormap)map,
                               .scale = {.kind = (ScaleKind)kind},
                               .masked = mask};
            DrawList *l = stage_begin(s, 1024, 1024, 1);
            draw_set_background(l, color_hex(0x123456));
            draw_cells(l, &cells);
            stage_paint(s);
            for (int i = 0; i < n * n; i++) {
                float v = values[i / n * N + i % n];
                Color want = masked(v) ? mask : colormap_value(cells.map, cells.scale, v);
                int x = 5 + i % n * px;
                int y = 9 + i / n * px;
                stage_expect(s, x, y, want, 1);
                stage_expect(s, x + px - 1, y + px - 1, want, 1);
            }
            stage_expect(s, 4, 9, color_hex(0x123456), 0);
            stage_expect(s, 5 + n * px, 9 + n * px - 1, color_hex(0x123456), 0);
        }
    }
}

static void test_cells__drawn_with_gaps_and_corners(void **state)
{
    Stage *s = *state;
    float values[13 * 13];
    fill(values, 13 * 13, 4);
    Color page = color_hex(0x0B1020);
    DrawList *l = stage_begin(s, 420, 420, 1);
    draw_set_background(l, page);
    DrawCells cells = {.box = {10, 10, 390, 390},
                       .source = {.values = values, .rows = 13, .cols = 13, .version = 9},
                       .map = COLORMAP_MAGMA_NIGHT,
                       .inset = 1,
                       .radius = 4};
    draw_cells(l, &cells);
    stage_paint(s);
    for (int i = 0; i < 13 * 13; i++) {
        int x = 10 + i % 13 * 30;
        int y = 10 + i / 13 * 30;
        Color want = masked(values[i]) ? page : colormap_value(cells.map, cells.scale, values[i]);
        stage_expect(s, x + 15, y + 15, want, 1);
        stage_expect(s, x + 15, y + 1, want, 1); /* first row inside the inset */
        stage_expect(s, x, y + 15, page, 0);     /* the gap */
        stage_expect(s, x + 1, y + 1, page, 0);  /* the corner is cut */
        stage_expect(s, x + 28, y + 28, page, 0);
    }
}

static void test_cells__future_is_hidden_at_any_offset(void **state)
{
    Stage *s = *state;
    float values[N * N];
    for (int i = 0; i < N * N; i++) {
        values[i] = 1;
    }
    Color page = color_hex(0x203040);
    static const int offsets[] = {0, 5, -7, 100, -100};
    for (size_t k = 0; k < AS_COUNT(offsets); k++) {
        DrawList *l = stage_begin(s, 200, 200, 1);
        draw_set_background(l, page);
        DrawCells cells = {.box = {0, 0, 192, 192},
                           .source = {.values = values, .rows = N, .cols = N, .version = 77},
                           .hide_future = true,
                           .future_offset = offsets[k]};
        draw_cells(l, &cells);
        stage_paint(s);
        for (int i = 0; i < N * N; i++) {
            bool hidden = i % N > i / N + offsets[k];
            Color want = hidden ? page : colormap_eval(COLORMAP_VIRIDIS, 1);
            stage_expect(s, i % N * 3 + 1, i / N * 3 + 1, want, 1);
        }
    }
}

static void test_cells__smaller_than_a_pixel_keep_the_maximum(void **state)
{
    Stage *s = *state;
    enum { BIG = 512, PX = 43 };
    float *values = calloc((size_t)BIG * BIG, sizeof(float));
    values[300 * BIG + 17] = 1;
    values[511 * BIG + 511] = 0.5f;
    DrawList *l = stage_begin(s, 100, 100, 1);
    DrawCells cells = {.box = {10, 10, PX, PX},
                       .source = {.values = values, .rows = BIG, .cols = BIG, .version = 5},
                       .map = COLORMAP_MAGMA};
    draw_cells(l, &cells);
    stage_paint(s);
    float reduced[PX * PX];
    DrawCells model = cells;
    model.source.stride = BIG;
    cells_reduce(&model, PX, PX, reduced);
    int bright = 0;
    for (int i = 0; i < PX * PX; i++) {
        stage_expect(s, 10 + i % PX, 10 + i / PX, colormap_eval(COLORMAP_MAGMA, reduced[i]), 1);
        bright += reduced[i] > 0.4f;
    }
    assert_int_equal(bright, 2);
    free(values);
}

static void test_cells__scrolled_out_parts_are_not_needed(void **state)
{
    Stage *s = *state;
    /* An array larger than any texture, of which a window shows. */
    enum { COLS = 200000, ROWS = 40 };
    float *values = malloc((size_t)COLS * ROWS * sizeof(float));
    for (int i = 0; i < COLS * ROWS; i++) {
        values[i] = (float)(i % 997) / 997;
    }
    float px = 8;
    int col0 = 123456;
    DrawList *l = stage_begin(s, 400, 320, 1);
    draw_push_clip(l, rect(40, 0, 320, 320));
    /* -987648 + 40 is exact in a float. */
    DrawCells cells = {.box = {40 - px * (float)col0, 0, px * COLS, px * ROWS},
                       .source = {.values = values, .rows = ROWS, .cols = COLS},
                       .hide_future = true,
                       .future_offset = col0 + 20};
    draw_cells(l, &cells);
    draw_pop_clip(l);
    stage_paint(s);
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < 40; c++) {
            float v = values[(size_t)r * COLS + (size_t)(col0 + c)];
            bool hidden = c > r + 20;
            Color want = hidden ? color_hex(0) : colormap_eval(COLORMAP_VIRIDIS, v);
            stage_expect(s, 40 + c * 8 + 4, r * 8 + 4, want, 1);
        }
    }
    stage_expect(s, 39, 100, color_hex(0), 0);
    stage_expect(s, 360, 100, color_hex(0), 0);
    free(values);
}

static void test_cells__versions_decide_what_is_sent(void **state)
{
    Stage *s = *state;
    for (int n = 16; n <= 256; n *= 16) {
        float *values = calloc((size_t)n * (size_t)n, sizeof(float));
        DrawCells cells = {
            .box = {0, 0, 512, 512},
            .source = {.values = values, .rows = n, .cols = n, .version = 1000 + (uint64_t)n}};
        int64_t sent[3];
        for (int frame = 0; frame < 3; frame++) {
            if (frame == 2) {
                values[0] = 1;
                cells.source.version++;
            }
            DrawList *l = stage_begin(s, 512, 512, 1);
            draw_cells(l, &cells);
            stage_paint(s);
            sent[frame] = gfx_stats(s->gfx).uploaded_bytes;
            stage_expect(s, 0, 0, colormap_eval(COLORMAP_VIRIDIS, values[0]), 1);
        }
        assert_int_equal(sent[0], n * n * 4);
        assert_int_equal(sent[1], 0);
        assert_int_equal(sent[2], n * n * 4);
        free(values);
    }
}

static void test_cells__many_thumbnails_in_few_draw_calls(void **state)
{
    Stage *s = *state;
    enum { SIDE = 40, HEADS = 300 };
    static float values[HEADS][SIDE * SIDE];
    for (int frame = 0; frame < 2; frame++) {
        DrawList *l = stage_begin(s, 1024, 1024, 1);
        for (int h = 0; h < HEADS; h++) {
            values[h][0] = (float)(h + 1) / HEADS;
            draw_cells(l, &(DrawCells){.box = {(float)(h % 20) * 50, (float)(h / 20) * 50, 40, 40},
                                       .source = {.values = values[h],
                                                  .rows = SIDE,
                                                  .cols = SIDE,
                                                  .version = 5000 + (uint64_t)h},
                                       .map = COLORMAP_MAGMA});
        }
        stage_paint(s);
        for (int h = 0; h < HEADS; h++) {
            Color want = colormap_eval(COLORMAP_MAGMA, values[h][0]);
            stage_expect(s, h % 20 * 50, h / 20 * 50, want, 1);
            stage_expect(s, h % 20 * 50 + 1, h / 20 * 50, color_hex(0x000004), 1);
        }
        assert_in_range(gfx_stats(s->gfx).n_draw_calls, 1, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells__equal_the_colour_map),
        cmocka_unit_test(test_cells__drawn_with_gaps_and_corners),
        cmocka_unit_test(test_cells__future_is_hidden_at_any_offset),
        cmocka_unit_test(test_cells__smaller_than_a_pixel_keep_the_maximum),
        cmocka_unit_test(test_cells__scrolled_out_parts_are_not_needed),
        cmocka_unit_test(test_cells__versions_decide_what_is_sent),
        cmocka_unit_test(test_cells__many_thumbnails_in_few_draw_calls),
    };
    return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
