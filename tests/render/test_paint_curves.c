/* Weighted curves and particles: chosen pixels read back, against cairo, one draw call each. */
#include "base/clock.h"
#include "base/random.h"

#include <math.h>

#include "by_cairo.h"

static const Color RED = {1, 0, 0, 1};

static Color rgb(float r, float g, float b)
{
    return (Color){r, g, b, 1};
}

static DrawCurve flat(float y, float width)
{
    return (DrawCurve){
        .a = {20, y}, .c1 = {80, y}, .c2 = {120, y}, .b = {180, y}, .width = width, .color = RED};
}

static void test_curve__width_and_opacity_are_exact(void **state)
{
    Stage *s = *state;
    DrawCurve curves[3] = {flat(20, 8), flat(60, 8), flat(100, 4)};
    curves[1].color.a = 0.5f;
    curves[2].width_end = 12;
    DrawList *l = stage_begin(s, 200, 200, 1);
    draw_curves(l, &(DrawCurves){.curves = curves, .n = 3});
    stage_paint(s);
    stage_expect(s, 100, 15, rgb(0, 0, 0), 0);
    stage_expect(s, 100, 16, RED, 1);
    stage_expect(s, 100, 23, RED, 1);
    stage_expect(s, 100, 24, rgb(0, 0, 0), 0);
    stage_expect(s, 10, 20, rgb(0, 0, 0), 0);
    stage_expect(s, 190, 20, rgb(0, 0, 0), 0);
    stage_expect(s, 100, 60, rgb(0.5f, 0, 0), 1);
    /* the width in the middle is the mean of both ends' */
    double lit = 0;
    for (int y = 80; y < 120; y++) {
        lit += stage_pixel(s, 100, y)[0] / 255.0;
    }
    assert_true(fabs(lit - 8) < 0.1);
}

static void test_curve__glow_is_added_or_lies_over(void **state)
{
    Stage *s = *state;
    for (int over = 0; over < 2; over++) {
        DrawCurve c = flat(50, 10);
        c.color = (Color){0, 1, 0, 1};
        c.glow = 20;
        c.glow_alpha = 0.8f;
        DrawList *l = stage_begin(s, 200, 200, 1);
        draw_set_background(l, (Color){1, 0, 0, 1});
        draw_curves(l, &(DrawCurves){.curves = &c, .n = 1, .glow_over = over});
        stage_paint(s);
        /* 10 px above the middle line of reach 25: 0.8 (1 - 9.5 / 25)^2 */
        float g = 0.8f * (1 - 9.5f / 25) * (1 - 9.5f / 25);
        stage_expect(s, 100, 40, rgb(over ? 1 - g : 1, g, 0), 2);
        stage_expect(s, 100, 20, rgb(1, 0, 0), 0);
    }
}

/* Adding up where curves cross does not depend on which is drawn first. */
static void test_curve__added(void **state)
{
    Stage *s = *state;
    DrawCurve curves[2] = {flat(50, 10), flat(52, 10)};
    curves[0].color = curves[1].color = (Color){0.5f, 0.25f, 0, 0.5f};
    DrawList *l = stage_begin(s, 200, 200, 1);
    draw_set_blend(l, DRAW_ADD);
    draw_curves(l, &(DrawCurves){.curves = curves, .n = 2});
    stage_paint(s);
    stage_expect(s, 100, 51, rgb(0.5f, 0.25f, 0), 2);
    stage_expect(s, 100, 46, rgb(0.25f, 0.125f, 0), 2);
}

static void test_curve__drawn_in_and_clipped(void **state)
{
    Stage *s = *state;
    DrawCurve c = flat(50, 10);
    DrawList *l = stage_begin(s, 200, 200, 1);
    draw_push_clip(l, rect(0, 0, 70, 200));
    draw_curves(l, &(DrawCurves){.curves = &c, .n = 1, .draw_s = 1, .time_s = 0.21});
    draw_pop_clip(l);
    draw_curves(l, &(DrawCurves){.curves = &c, .n = 1, .draw_s = 1, .time_s = -1});
    stage_paint(s);
    stage_expect(s, 60, 50, RED, 1);
    stage_expect(s, 71, 50, rgb(0, 0, 0), 0);
    assert_int_equal(gfx_stats(s->gfx).n_draw_calls, 2);
}

static void test_particles__are_where_they_say(void **state)
{
    Stage *s = *state;
    DrawCurve c = flat(50, 10);
    DrawParticle items[2] = {
        {.phase = 0.1f, .speed = 0.1f, .radius = 3, .halo = 9, .tail = 12, .color = RED},
        {.phase = 0.6f, .speed = -0.1f, .radius = 3, .halo = 9, .color = RED}};
    for (int k = 0; k < 4; k++) {
        DrawParticles set = {.curves = &c,
                             .n_curves = 1,
                             .items = items,
                             .n = 2,
                             .time_s = 1 + k * 0.5,
                             .core = {1, 1, 1, 1}};
        DrawList *l = stage_begin(s, 200, 200, 1);
        draw_particles(l, &set);
        stage_paint(s);
        for (int i = 0; i < 2; i++) {
            float alpha;
            Vec2 at = curve_at(&c, particle_at(&set, &items[i], &alpha));
            stage_expect(s, (int)at.x, (int)at.y, rgb(1, 1, 1), 2);
        }
        assert_int_equal(gfx_stats(s->gfx).n_draw_calls, 1);
    }
}

/* The same time gives the same picture, bit for bit, with buffers kept or sent anew. */
static void test_replay__bit_for_bit(void **state)
{
    Stage *s = *state;
    static unsigned char first[200 * 200 * 4];
    DrawCurve c = flat(90, 6);
    c.b.y = 20;
    c.glow = 8;
    c.glow_alpha = 0.3f;
    DrawParticle item = {.phase = 0.3f, .speed = 0.37f, .radius = 2, .halo = 8, .color = RED};
    static const struct {
        double time_s;
        uint64_t version;
    } frames[] = {{0.73, 0}, {2.5, 8}, {0.73, 8}, {9.1, 8}, {0.73, 8}, {0.73, 0}};
    for (size_t i = 0; i < AS_COUNT(frames); i++) {
        DrawList *l = stage_begin(s, 200, 200, 1);
        draw_curves(l, &(DrawCurves){.curves = &c,
                                     .n = 1,
                                     .version = frames[i].version,
                                     .time_s = frames[i].time_s,
                                     .draw_s = 2});
        draw_particles(l, &(DrawParticles){.curves = &c,
                                           .n_curves = 1,
                                           .items = &item,
                                           .n = 1,
                                           .version = frames[i].version,
                                           .time_s = frames[i].time_s,
                                           .core = {1, 1, 1, 1}});
        stage_paint(s);
        if (i == 0) {
            memcpy(first, s->pixels, sizeof first);
        } else {
            bool same = memcmp(first, s->pixels, sizeof first) == 0;
            assert_true(same == (frames[i].time_s == frames[0].time_s));
        }
    }
}

static void test_curves__cairo_agrees(void **state)
{
    Stage *s = *state;
    DrawCurve curves[8];
    DrawParticle items[8];
    for (int i = 0; i < 8; i++) {
        float y0 = 20 + 40 * (float)i;
        float y1 = 340 - 40 * (float)i;
        curves[i] = (DrawCurve){.a = {20, y0},
                                .c1 = {180, y0},
                                .c2 = {220, y1},
                                .b = {380, y1},
                                .width = 2 + 2 * (float)i,
                                .width_end = i % 2 ? 3 : 0,
                                .glow = 3 * (float)i,
                                .glow_alpha = 0.15f,
                                .core = i == 7 ? 0.3f : 0,
                                .color = color_with_alpha(color_head(i), 0.6f)};
        items[i] = (DrawParticle){.curve = (uint32_t)i,
                                  .phase = 0.1f * (float)i + 0.1f,
                                  .radius = 2.5f,
                                  .halo = 10,
                                  .tail = 10,
                                  .enter_s = -1,
                                  .color = color_head(i)};
    }
    DrawList *l = stage_begin(s, 400, 360, 1);
    draw_set_background(l, color_hex(0x0B1020));
    draw_curves(l, &(DrawCurves){.curves = curves, .n = 8, .core = {1, 1, 1, 0.75f}});
    draw_particles(
        l, &(DrawParticles){
               .curves = curves, .n_curves = 8, .items = items, .n = 8, .core = {1, 1, 1, 1}});
    stage_paint(s);
    unsigned char *other = cairo_pixels(s);
    double sum = 0;
    double lit = 0;
    for (int i = 0; i < 400 * 360 * 4; i++) {
        double d = (s->pixels[i] - other[i]) / 255.0;
        sum += d * d;
        lit += s->pixels[i] > 60;
    }
    free(other);
    double rms = sqrt(sum / (400 * 360 * 4));
    print_message("rms %.4f\n", rms);
    assert_true(lit > 40000); /* there is something to compare */
    assert_true(rms < 0.035);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (*x > *y) - (*x < *y);
}

/* What Flow may cost: 500 curves with their glow and 2,000 particles at 1280 x 720. The time is
 * told; the bound only catches what is slower by far. */
static void test_curves__speed(void **state)
{
    (void)state;
    enum { CURVES = 500, PARTICLES = 2000, FRAMES = 15 };
    static DrawCurve curves[CURVES];
    static DrawParticle items[PARTICLES];
    Random random = {5};
    for (int i = 0; i < CURVES; i++) {
        float y0 = 150 + 420 * (float)random_uniform(&random);
        float y1 = 150 + 420 * (float)random_uniform(&random);
        float w = powf((float)random_uniform(&random), 5); /* a few strong, many weak */
        bool lit = i >= CURVES - 10;
        float width = fmaxf(16 * w, 1);
        curves[i] = (DrawCurve){.a = {360, y0},
                                .c1 = {560, y0},
                                .c2 = {620, y1},
                                .b = {820, y1},
                                .width = width,
                                .glow = 2.1f * width + 3,
                                .glow_alpha = 0.16f * (0.4f + 0.6f * w) * (lit ? 1.7f : 0.22f),
                                .core = lit ? 0.28f : 0,
                                .color = color_with_alpha(color_head(i % 9), 0.3f + 0.6f * w)};
    }
    for (int i = 0; i < PARTICLES; i++) {
        items[i] = (DrawParticle){.curve = (uint32_t)(i % CURVES),
                                  .phase = (float)random_uniform(&random),
                                  .speed = -0.2f,
                                  .radius = 1.4f,
                                  .halo = 6,
                                  .enter_s = -1,
                                  .color = color_head(i % 9)};
    }
    Error err = {0};
    Headless *headless = headless_create(1280, 720, &err);
    Gfx *gfx = headless ? gfx_create(headless_proc, &err) : NULL;
    unsigned char *pixels = malloc((size_t)1280 * 720 * 4);
    assert_ok(gfx && pixels, err);
    DrawList list = {0};
    for (int pass = 0; pass < 2; pass++) {
        double times[FRAMES];
        for (int f = 0; f < FRAMES; f++) {
            double start = clock_now_s();
            draw_begin(&list, NULL, 1280, 720);
            draw_set_background(&list, color_hex(0x0B1020));
            draw_set_blend(&list, DRAW_ADD);
            draw_curves(&list, &(DrawCurves){.curves = curves, .n = CURVES, .core = {1, 1, 1, 1}});
            draw_particles(&list, &(DrawParticles){.curves = curves,
                                                   .n_curves = CURVES,
                                                   .items = items,
                                                   .n = PARTICLES,
                                                   .time_s = f / 60.0,
                                                   .core = {1, 1, 1, 1}});
            assert_ok(draw_end(&list, &err), err);
            gfx_set_glow(gfx, pass ? 0.0f : 1.0f);
            gfx_begin_frame(gfx, 1280, 720, 1);
            assert_ok(gfx_paint(gfx, &list, &err), err);
            assert_ok(gfx_read_pixels(gfx, pixels, (size_t)1280 * 720 * 4, &err), err);
            times[f] = clock_now_s() - start;
        }
        qsort(times, FRAMES, sizeof *times, by_value);
        print_message("%s glow: median %.1f ms, fastest %.1f ms (%s)\n", pass ? "no" : "all",
                      times[FRAMES / 2] * 1e3, times[0] * 1e3, gfx_renderer(gfx));
        assert_true(times[0] < 0.5);
    }
    draw_list_free(&list);
    free(pixels);
    gfx_destroy(gfx);
    headless_destroy(headless);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_curve__width_and_opacity_are_exact),
        cmocka_unit_test(test_curve__glow_is_added_or_lies_over),
        cmocka_unit_test(test_curve__added),
        cmocka_unit_test(test_curve__drawn_in_and_clipped),
        cmocka_unit_test(test_particles__are_where_they_say),
        cmocka_unit_test(test_replay__bit_for_bit),
        cmocka_unit_test(test_curves__cairo_agrees),
        cmocka_unit_test(test_curves__speed),
    };
    return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
