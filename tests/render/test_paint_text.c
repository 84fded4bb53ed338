/* Text: ink lies where it was measured, at every size, scale and turn. */
#include "stage.h"

static const Color WHITE = {1, 1, 1, 1};

/* Box of all pixels that are not black, and their sum. */
static Rect ink_of(const Stage *s, double *sum)
{
    int x0 = s->w, y0 = s->h, x1 = 0, y1 = 0;
    *sum = 0;
    for (int y = 0; y < s->h; y++) {
        for (int x = 0; x < s->w; x++) {
            int v = stage_pixel(s, x, y)[1];
            if (v > 8) {
                x0 = AS_MIN(x0, x);
                y0 = AS_MIN(y0, y);
                x1 = AS_MAX(x1, x + 1);
                y1 = AS_MAX(y1, y + 1);
            }
            *sum += v / 255.0;
        }
    }
    return rect((float)x0, (float)y0, (float)(x1 - x0), (float)(y1 - y0));
}

static void test_text__ink_lies_where_measured(void **state)
{
    Stage *s = *state;
    static const struct {
        FontFace face;
        float size, scale;
        const char *text;
    } rows[] = {{FONT_SANS, 12, 1, "Legal entity"},      {FONT_SANS_SEMIBOLD, 16, 1, "Inspector"},
                {FONT_MONO, 28, 1, "0.374377"},          {FONT_MONO, 11, 2, "512 \xC3\x97 512"},
                {FONT_MATH_ITALIC, 20, 1.5f, "softmax"}, {FONT_SANS, 11, 1.6f, "queries"}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        float k = rows[i].scale;
        DrawList *l = stage_begin(s, 500, 120, k);
        Vec2 at = {20.3f / k, 60 / k};
        draw_text(l, &(DrawText){.face = rows[i].face,
                                 .size = rows[i].size,
                                 .color = WHITE,
                                 .text = rows[i].text,
                                 .at = at});
        stage_paint(s);
        double sum;
        Rect got = ink_of(s, &sum);
        Rect want = text_ink(s->fonts, rows[i].face, rows[i].size * k, rows[i].text, TEXT_ALL);
        want.x += 20.3f;
        want.y += 60;
        float edges[4] = {got.x, got.y, got.x + got.w, got.y + got.h};
        float wanted[4] = {want.x, want.y, want.x + want.w, want.y + want.h};
        assert_close(edges, wanted, 4, 1.1, 0);
        assert_true(sum > 20);
    }
}

static void test_text__turned_is_the_same_ink(void **state)
{
    Stage *s = *state;
    double sums[3];
    Rect boxes[3];
    for (int turn = TEXT_UPRIGHT; turn <= TEXT_DOWN; turn++) {
        DrawList *l = stage_begin(s, 200, 200, 1);
        draw_text(l, &(DrawText){.face = FONT_SANS,
                                 .size = 14,
                                 .color = WHITE,
                                 .text = "exercising",
                                 .at = {100, 100},
                                 .turn = (TextTurn)turn});
        stage_paint(s);
        boxes[turn] = ink_of(s, &sums[turn]);
    }
    assert_true(fabs(sums[1] - sums[0]) < 0.01 * sums[0]);
    assert_true(fabs(sums[2] - sums[0]) < 0.01 * sums[0]);
    /* Upwards: what was right is above, what was above is left. */
    float up[4] = {boxes[1].x, boxes[1].y, boxes[1].w, boxes[1].h};
    float want_up[4] = {boxes[0].y, 200 - boxes[0].x - boxes[0].w, boxes[0].h, boxes[0].w};
    assert_close(up, want_up, 4, 1.01, 0);
    float down[4] = {boxes[2].x, boxes[2].y, boxes[2].w, boxes[2].h};
    float want_down[4] = {200 - boxes[0].y - boxes[0].h, boxes[0].x, boxes[0].h, boxes[0].w};
    assert_close(down, want_down, 4, 1.01, 0);
}

/* Moving by a quarter pixel moves the ink's centre by a quarter pixel. */
static void test_text__sub_pixel_positions(void **state)
{
    Stage *s = *state;
    double first = 0;
    for (int step = 0; step <= 8; step++) {
        DrawList *l = stage_begin(s, 100, 40, 1);
        draw_text(l, &(DrawText){.face = FONT_SANS,
                                 .size = 12,
                                 .color = WHITE,
                                 .text = "l",
                                 .at = {50 + 0.25f * (float)step, 25}});
        stage_paint(s);
        double sum = 0, moment = 0;
        for (int y = 0; y < 40; y++) {
            for (int x = 0; x < 100; x++) {
                double v = stage_pixel(s, x, y)[1];
                sum += v;
                moment += v * x;
            }
        }
        double center = moment / sum;
        first = step ? first : center;
        assert_true(fabs(center - first - 0.25 * step) < 0.03);
    }
}

static void test_text__colour_is_exact_inside_strokes(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 200, 200, 1);
    draw_set_background(l, color_hex(0x131A2E));
    draw_text(l, &(DrawText){.face = FONT_SANS_SEMIBOLD,
                             .size = 160,
                             .color = color_hex(0xA3AECB),
                             .text = "I",
                             .at = {40, 170}});
    stage_paint(s);
    Rect ink = text_ink(s->fonts, FONT_SANS_SEMIBOLD, 160, "I", TEXT_ALL);
    int x = (int)(40 + ink.x + ink.w / 2);
    stage_expect(s, x, 120, color_hex(0xA3AECB), 0);
    stage_expect(s, (int)(40 + ink.x) - 3, 120, color_hex(0x131A2E), 0);
}

/* More different glyphs than the atlas holds at once: it starts anew and the picture is right. */
static void test_text__atlas_overflow_changes_nothing(void **state)
{
    Stage *s = *state;
    enum { W = 1024, SIZES = 40 };
    size_t n = (size_t)W * W * 4;
    unsigned char *first = malloc(n);
    for (int frame = 0; frame < 2; frame++) {
        DrawList *l = stage_begin(s, W, W, 1);
        for (int i = 0; i < SIZES; i++) {
            float size = 90 + (float)i; /* large and all different */
            draw_text(l, &(DrawText){.face = FONT_SANS,
                                     .size = size,
                                     .color = WHITE,
                                     .text = "WMQ@&%BDGHKNORSUVXYZ",
                                     .turn = TEXT_UP,
                                     .at = {25 * (float)i + 40, W}});
        }
        stage_paint(s);
        if (frame == 0) {
            memcpy(first, s->pixels, n);
        }
        assert_memory_equal(first, s->pixels, n);
    }
    double sum;
    ink_of(s, &sum);
    assert_true(sum > 100000);
    free(first);
}

/* Large text grows without new pictures, and its ink is where and as much as the outlines say. */
static void test_text__large_sizes_share_their_pictures(void **state)
{
    Stage *s = *state;
    static const char text[] = "Steps 0.37 &";
    double last = 0;
    int64_t uploaded = 0;
    for (int i = 0; i < 12; i++) {
        float size = 44 + 9.3f * (float)i;
        Vec2 at = {10.37f, 300.61f};
        DrawList *l = stage_begin(s, 1000, 400, 1);
        draw_text(l, &(DrawText){.size = size, .color = WHITE, .text = text, .at = at});
        stage_paint(s);
        uploaded = gfx_stats(s->gfx).uploaded_bytes;
        assert_true((uploaded > 0) == (i == 0));
        double sum;
        Rect got = ink_of(s, &sum);
        Rect want = text_ink(s->fonts, FONT_SANS, size, text, TEXT_ALL);
        float edges[4] = {got.x, got.y, got.x + got.w, got.y + got.h};
        float wanted[4] = {at.x + want.x, at.y + want.y, at.x + want.x + want.w,
                           at.y + want.y + want.h};
        assert_close(edges, wanted, 4, 1.3, 0);
        double per_em = sum / (double)(size * size); /* ink grows as the square of the size */
        assert_true(last == 0 || fabs(per_em / last - 1) < 0.01);
        last = per_em;
    }
}

/* A step of a tenth of a pixel moves the ink by about a tenth: no place is rounded to. */
static void test_text__large_text_moves_smoothly(void **state)
{
    Stage *s = *state;
    double before = 0;
    double first = 0;
    for (int i = 0; i < 11; i++) {
        DrawList *l = stage_begin(s, 400, 120, 1);
        draw_text(
            l, &(DrawText){
                   .size = 60, .color = WHITE, .text = "move", .at = {20 + 0.1f * (float)i, 80}});
        stage_paint(s);
        double sum = 0;
        double moment = 0;
        for (int y = 0; y < s->h; y++) {
            for (int x = 0; x < s->w; x++) {
                double v = stage_pixel(s, x, y)[0];
                sum += v;
                moment += v * x;
            }
        }
        double middle = moment / sum;
        /* A place rounded to a quarter of a pixel would give steps of 0 and 0.25. */
        assert_true(i == 0 || fabs(middle - before - 0.1) < 0.06);
        first = i == 0 ? middle : first;
        before = middle;
    }
    assert_true(fabs(before - first - 1) < 0.03);
}

static void test_text__frame_is_cheap_once_known(void **state)
{
    Stage *s = *state;
    for (int frame = 0; frame < 2; frame++) {
        DrawList *l = stage_begin(s, 1000, 1000, 1);
        for (int i = 0; i < 500; i++) {
            draw_text(l, &(DrawText){.face = FONT_MONO,
                                     .size = 12,
                                     .color = WHITE,
                                     .text = draw_format(l, "token %d", i),
                                     .at = {(float)(i % 10) * 100, 20 + (float)(i / 10) * 19}});
        }
        stage_paint(s);
    }
    GfxStats stats = gfx_stats(s->gfx);
    assert_int_equal(stats.uploaded_bytes, 0);
    assert_int_equal(stats.n_draw_calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text__ink_lies_where_measured),
        cmocka_unit_test(test_text__turned_is_the_same_ink),
        cmocka_unit_test(test_text__sub_pixel_positions),
        cmocka_unit_test(test_text__colour_is_exact_inside_strokes),
        cmocka_unit_test(test_text__atlas_overflow_changes_nothing),
        cmocka_unit_test(test_text__large_sizes_share_their_pictures),
        cmocka_unit_test(test_text__large_text_moves_smoothly),
        cmocka_unit_test(test_text__frame_is_cheap_once_known),
    };
    return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
