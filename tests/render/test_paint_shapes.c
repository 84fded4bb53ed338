/* Boxes, lines, curves, pictures: chosen pixels read back; batching against painting one by one. */
#include <unistd.h>

#include "base/random.h"
#include "scene.h"
#include "stage.h"

static const Color WHITE = {1, 1, 1, 1};

static Color rgb(float r, float g, float b)
{
    return (Color){r, g, b, 1};
}

static Color grey(float v)
{
    return (Color){v, v, v, 1};
}

static void test_rect__edges_are_exact(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 100, 100, 1);
    draw_rect(l, &(DrawRect){.box = {10, 10, 20, 20}, .fill = WHITE});
    draw_rect(l, &(DrawRect){.box = {40.5f, 10, 20, 20}, .fill = WHITE});   /* half a pixel over */
    draw_rect(l, &(DrawRect){.box = {70, 10.4f, 20, 0.5f}, .fill = WHITE}); /* thinner than one */
    draw_rect(l, &(DrawRect){.box = {10, 50, 30, 30},
                             .radius = 8,
                             .fill = {1, 0, 0, 1},
                             .border = 2,
                             .border_color = {0, 0, 1, 1}});
    stage_paint(s);
    stage_expect(s, 9, 15, grey(0), 0);
    stage_expect(s, 10, 10, grey(1), 0);
    stage_expect(s, 29, 29, grey(1), 0);
    stage_expect(s, 30, 15, grey(0), 0);
    stage_expect(s, 40, 15, grey(0.5f), 1);
    stage_expect(s, 41, 15, grey(1), 0);
    stage_expect(s, 60, 15, grey(0.5f), 1);
    stage_expect(s, 61, 15, grey(0), 0);
    stage_expect(s, 80, 10, grey(0.5f), 1);
    stage_expect(s, 80, 11, grey(0), 1);
    stage_expect(s, 10, 50, grey(0), 0); /* outside the round corner */
    stage_expect(s, 25, 50, rgb(0, 0, 1), 0);
    stage_expect(s, 25, 51, rgb(0, 0, 1), 0);
    stage_expect(s, 25, 52, rgb(1, 0, 0), 0);
    stage_expect(s, 25, 65, rgb(1, 0, 0), 0);
}

/* A rounded box covers what geometry says: w h - (4 - pi) r^2, in either of its two programs. */
static void test_rect__area_of_round_corners(void **state)
{
    Stage *s = *state;
    static const struct {
        float w, h, r;
    } rows[] = {{40, 30, 12}, {200, 150, 12}, {200, 150, 0}, {120, 120, 60}, {33.3f, 71.7f, 5.5f}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        DrawList *l = stage_begin(s, 256, 256, 1);
        draw_rect(l, &(DrawRect){.box = {10.25f, 20.5f, rows[i].w, rows[i].h},
                                 .radius = rows[i].r,
                                 .fill = WHITE});
        stage_paint(s);
        double area = 0;
        for (int k = 0; k < 256 * 256; k++) {
            area += s->pixels[4 * k] / 255.0;
        }
        double want = (double)(rows[i].w * rows[i].h) - 0.8584 * (double)(rows[i].r * rows[i].r);
        assert_true(fabs(area - want) < 0.004 * want);
    }
}

static void test_rect__gradient_runs_down(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 100, 100, 1);
    draw_rect(l, &(DrawRect){.box = {0, 0, 100, 100},
                             .fill = grey(0),
                             .fill_bottom = grey(1),
                             .gradient = true,
                             .radius = 10});
    stage_paint(s);
    for (int y = 1; y < 100; y += 9) {
        stage_expect(s, 50, y, grey(((float)y + 0.5f) / 100), 1);
        stage_expect(s, 5, y < 10 || y > 89 ? 50 : y,
                     grey(((float)(y < 10 || y > 89 ? 50 : y) + 0.5f) / 100), 1);
    }
}

static void test_clip__nothing_leaves_it(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 120, 120, 1);
    Vec2 big[3] = {{0, 0}, {120, 0}, {60, 120}};
    draw_push_clip(l, rect(30, 40, 50, 20));
    draw_rect(l, &(DrawRect){.box = {0, 0, 120, 120}, .fill = WHITE, .radius = 30});
    draw_polygon(l, &(DrawPolygon){.points = big, .n_points = 3, .fill = WHITE});
    draw_line(l, &(DrawLine){.a = {0, 0}, .b = {120, 120}, .width = 9, .color = WHITE});
    draw_hatch(l, &(DrawHatch){.points = big, .n_points = 3, .color = WHITE});
    draw_text(l, &(DrawText){.size = 80, .color = WHITE, .text = "MMM", .at = {0, 90}});
    draw_icon(l, &(DrawIcon){.icon = ICON_MATRIX, .center = {60, 60}, .size = 110, .color = WHITE});
    draw_shadow(l, &(DrawShadow){.box = {50, 50, 5, 5}, .blur = 60, .color = WHITE});
    draw_circle(l, &(DrawCircle){.center = {60, 60}, .radius = 50, .fill = WHITE, .soft = 9});
    draw_pop_clip(l);
    stage_paint(s);
    for (int y = 0; y < 120; y++) {
        for (int x = 0; x < 120; x++) {
            bool inside = x >= 30 && x < 80 && y >= 40 && y < 60;
            stage_expect(s, x, y, inside ? WHITE : grey(0), 0);
        }
    }
}

static void test_line__width_and_ends(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 120, 120, 1);
    draw_line(l, &(DrawLine){.a = {10, 10.5f}, .b = {50, 10.5f}, .width = 1, .color = WHITE});
    draw_line(l, &(DrawLine){.a = {20.5f, 20}, .b = {20.5f, 60}, .width = 1, .color = WHITE});
    draw_line(l, &(DrawLine){
                     .a = {60, 80}, .b = {100, 80}, .width = 8, .color = WHITE, .cap = DRAW_ROUND});
    draw_line(l, &(DrawLine){.a = {60, 10.5f},
                             .b = {100, 10.5f},
                             .width = 1,
                             .color = WHITE,
                             .dash_on = 4,
                             .dash_off = 6});
    draw_line(l, &(DrawLine){.a = {60, 30}, .b = {100, 60}, .width = 5, .color = WHITE});
    stage_paint(s);
    stage_expect(s, 9, 10, grey(0), 0);
    stage_expect(s, 10, 10, WHITE, 0);
    stage_expect(s, 49, 10, WHITE, 0);
    stage_expect(s, 50, 10, grey(0), 0);
    stage_expect(s, 30, 9, grey(0), 0);
    stage_expect(s, 30, 11, grey(0), 0);
    stage_expect(s, 20, 20, WHITE, 0);
    stage_expect(s, 20, 59, WHITE, 0);
    stage_expect(s, 21, 40, grey(0), 0);
    stage_expect(s, 80, 77, WHITE, 0);
    stage_expect(s, 80, 83, WHITE, 0);
    stage_expect(s, 80, 75, grey(0), 0);
    stage_expect(s, 57, 80, WHITE, 0); /* the round end reaches half a width further */
    stage_expect(s, 55, 80, grey(0), 1);
    stage_expect(s, 56, 76, grey(0), 1); /* and is round */
    stage_expect(s, 62, 10, WHITE, 0);
    stage_expect(s, 67, 10, grey(0), 0);
    stage_expect(s, 72, 10, WHITE, 0);
    /* Area of the slanted one: 50 long, 5 wide. */
    double area = 0;
    for (int y = 25; y < 66; y++) {
        for (int x = 55; x < 106; x++) {
            area += stage_pixel(s, x, y)[0] / 255.0;
        }
    }
    assert_true(fabs(area - 250) < 2.5);
}

/* A curve of width 8 measured across its middle and at both ends. */
static void test_bezier__width_at_chosen_places(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 300, 200, 1);
    draw_bezier(l, &(DrawBezier){.a = {20, 40},
                                 .c1 = {120, 40},
                                 .c2 = {180, 160},
                                 .b = {280, 160},
                                 .width = 8,
                                 .width_end = 4,
                                 .color = WHITE});
    stage_paint(s);
    double at_start = 0, at_end = 0, middle = 0;
    for (int y = 0; y < 200; y++) {
        at_start += stage_pixel(s, 22, y)[0] / 255.0;
        at_end += stage_pixel(s, 277, y)[0] / 255.0;
        middle += stage_pixel(s, 150, y)[0] / 255.0;
    }
    /* B'(1/2) = 3/4 (b + c2 - c1 - a) = 3/4 (320, 240). */
    double across = 6 * sqrt(320.0 * 320 + 240 * 240) / 320;
    assert_true(fabs(at_start - 8) < 0.15);
    assert_true(fabs(at_end - 4) < 0.15);
    assert_true(fabs(middle - across) < 0.2);
    stage_expect(s, 18, 40, grey(0), 0);
    stage_expect(s, 282, 160, grey(0), 0);
}

static void test_bezier__drawn_in_part(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 300, 100, 1);
    draw_bezier(l, &(DrawBezier){.a = {0, 50},
                                 .c1 = {100, 50},
                                 .c2 = {200, 50},
                                 .b = {300, 50},
                                 .width = 6,
                                 .color = WHITE,
                                 .t0 = 0.25f,
                                 .t1 = 0.5f});
    stage_paint(s);
    stage_expect(s, 70, 50, grey(0), 0);
    stage_expect(s, 80, 50, WHITE, 0);
    stage_expect(s, 145, 50, WHITE, 0);
    stage_expect(s, 155, 50, grey(0), 0);
}

static void test_polyline__translucent_joints_are_even(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 200, 100, 1);
    Vec2 p[5] = {{20, 50}, {60, 30}, {100, 50}, {140, 70}, {180, 50}};
    draw_polyline(
        l, &(DrawPolyline){.points = p, .n_points = 5, .width = 10, .color = {1, 1, 1, 0.5f}});
    stage_paint(s);
    for (int i = 1; i < 4; i++) {
        stage_expect(s, (int)p[i].x, (int)p[i].y, grey(0.5f), 2);
    }
    for (int k = 0; k < 200 * 100; k++) {
        assert_in_range(s->pixels[4 * k], 0, 130); /* never doubled */
    }
}

/* Points given twice have no direction of their own and must change nothing. */
static void test_polyline__repeated_points(void **state)
{
    Stage *s = *state;
    Vec2 once[3] = {{20, 20}, {100, 20}, {100, 80}};
    Vec2 twice[6] = {{20, 20}, {20, 20}, {100, 20}, {100, 20}, {100, 80}, {100, 80}};
    for (int closed = 0; closed < 2; closed++) {
        DrawPolyline line = {
            .points = once, .n_points = 3, .width = 9, .color = {1, 1, 1, 0.5f}, .closed = closed};
        DrawList *l = stage_begin(s, 120, 100, 1);
        draw_polyline(l, &line);
        draw_polygon(l, &(DrawPolygon){.points = once, .n_points = 3, .fill = {1, 0, 0, 0.5f}});
        stage_paint(s);
        unsigned char want[120 * 100 * 4];
        memcpy(want, s->pixels, sizeof(want));
        l = stage_begin(s, 120, 100, 1);
        line.points = twice;
        line.n_points = 6;
        draw_polyline(l, &line);
        draw_polygon(l, &(DrawPolygon){.points = twice, .n_points = 6, .fill = {1, 0, 0, 0.5f}});
        stage_paint(s);
        assert_memory_equal(s->pixels, want, sizeof(want));
    }
}

/* A line across a magnified matrix is millions of pixels long; only what is seen costs time. */
static void test_line__dashes_of_a_line_without_end(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 100, 20, 1);
    draw_line(l, &(DrawLine){.a = {-4e7f, 10.5f},
                             .b = {4e7f, 10.5f},
                             .width = 1,
                             .color = WHITE,
                             .dash_on = 2,
                             .dash_off = 2});
    alarm(60);
    stage_paint(s);
    alarm(0);
    for (int x = 0; x < 100; x++) {
        stage_expect(s, x, 10, x % 4 < 2 ? WHITE : grey(0), 0);
    }
}

static void test_add__sums_and_saturates(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 60, 20, 1);
    draw_set_background(l, grey(0.2f));
    draw_set_blend(l, DRAW_ADD);
    Vec2 t[4] = {{40, 0}, {60, 0}, {60, 20}, {40, 20}};
    for (int i = 0; i < 2; i++) {
        draw_rect(l, &(DrawRect){.box = {0, 0, 20, 20}, .fill = {1, 0, 0, 0.25f}});
        draw_rect(l, &(DrawRect){.box = {20, 0, 20, 20}, .fill = {1, 1, 1, 0.6f}, .radius = 2});
        draw_polygon(l, &(DrawPolygon){.points = t, .n_points = 4, .fill = {0, 1, 0, 0.25f}});
    }
    stage_paint(s);
    stage_expect(s, 10, 10, rgb(0.7f, 0.2f, 0.2f), 1);
    stage_expect(s, 30, 10, WHITE, 0);
    stage_expect(s, 50, 10, rgb(0.2f, 0.7f, 0.2f), 1);
}

static void test_hatch__spacing_and_shape(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 120, 120, 1);
    Vec2 triangle[3] = {{10, 10}, {110, 10}, {110, 110}};
    Color under = color_hex(0x10172B);
    draw_hatch(l, &(DrawHatch){.points = triangle,
                               .n_points = 3,
                               .fill = under,
                               .color = WHITE,
                               .spacing = 10,
                               .width = 1});
    stage_paint(s);
    int n_lines = 0;
    for (int x = 60; x < 100; x++) {
        n_lines += stage_pixel(s, x, 40)[0] > 120;
    }
    assert_in_range(n_lines, 4, 8); /* 40 px at one line each 10, one or two pixels wide */
    stage_expect(s, 30, 80, grey(0), 0);
    stage_expect(s, 5, 5, grey(0), 0);
    int n_under = 0;
    for (int x = 60; x < 100; x++) {
        n_under += stage_pixel(s, x, 40)[0] < 40;
    }
    assert_in_range(n_under, 24, 34);
}

static void test_image__pixels_and_sizes(void **state)
{
    Stage *s = *state;
    unsigned char rgba[4 * 4] = {255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 0};
    DrawList *l = stage_begin(s, 64, 64, 1);
    draw_set_background(l, grey(0.4f));
    draw_image(l, &(DrawImage){.box = {8, 8, 32, 32}, .pixels = rgba, .width = 2, .height = 2});
    stage_paint(s);
    stage_expect(s, 8, 8, rgb(1, 0, 0), 0);
    stage_expect(s, 23, 23, rgb(1, 0, 0), 0);
    stage_expect(s, 24, 8, rgb(0, 1, 0), 0);
    stage_expect(s, 8, 39, rgb(0, 0, 1), 0);
    stage_expect(s, 39, 39, grey(0.4f), 0); /* transparent */
    stage_expect(s, 7, 8, grey(0.4f), 0);
}

static void test_shadow__outside_only_and_fading(void **state)
{
    Stage *s = *state;
    DrawList *l = stage_begin(s, 200, 200, 1);
    draw_set_background(l, WHITE);
    draw_shadow(l, &(DrawShadow){
                       .box = {50, 50, 100, 100}, .radius = 12, .blur = 16, .color = {0, 0, 0, 1}});
    stage_paint(s);
    stage_expect(s, 100, 100, WHITE, 0);
    /* Half of it at the edge, then less and less. */
    int before = 0;
    for (int x = 151; x < 185; x++) {
        int v = stage_pixel(s, x, 100)[0];
        assert_true(v >= before);
        before = v;
    }
    assert_in_range(stage_pixel(s, 151, 100)[0], 120, 160);
    assert_in_range(stage_pixel(s, 180, 100)[0], 252, 255);
    /* Alike on all four sides. */
    for (int d = 2; d < 20; d++) {
        int v = stage_pixel(s, 150 + d, 100)[0];
        assert_in_range(stage_pixel(s, 49 - d, 100)[0], v - 1, v + 1);
        assert_in_range(stage_pixel(s, 100, 150 + d)[0], v - 1, v + 1);
        assert_in_range(stage_pixel(s, 100, 49 - d)[0], v - 1, v + 1);
    }
}

static void random_command(DrawList *l, Random *r)
{
    static const char *const words[] = {"query", "key", "0.374", "value", "\xD7\xA9\xD7\x9C"};
    float x = (float)random_uniform(r) * 250;
    float y = (float)random_uniform(r) * 250;
    float w = 5 + (float)random_uniform(r) * 90;
    float h = 5 + (float)random_uniform(r) * 60;
    Color c = color_with_alpha(color_token((int64_t)(random_next(r) % 30)),
                               0.3f + 0.7f * (float)random_uniform(r));
    Vec2 p[4] = {{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}};
    switch (random_next(r) % 9) {
    case 0:
        draw_rect(
            l,
            &(DrawRect){
                .box = {x, y, w, h}, .radius = 6, .fill = c, .border = 1, .border_color = WHITE});
        break;
    case 1:
        draw_text(
            l, &(DrawText){
                   .size = 8 + h / 4, .color = c, .at = {x, y}, .text = words[random_next(r) % 5]});
        break;
    case 2:
        draw_line(l, &(DrawLine){.a = p[0], .b = p[2], .width = 3, .color = c});
        break;
    case 3:
        draw_bezier(
            l, &(DrawBezier){.a = p[0], .c1 = p[1], .c2 = p[3], .b = p[2], .width = 4, .color = c});
        break;
    case 4:
        draw_polygon(l, &(DrawPolygon){.points = p, .n_points = 4, .fill = c});
        break;
    case 5:
        draw_hatch(l, &(DrawHatch){.points = p, .n_points = 4, .color = c});
        break;
    case 6:
        draw_icon(l, &(DrawIcon){
                         .icon = (Icon)(random_next(r) % ICON_COUNT), .center = p[0], .color = c});
        break;
    case 7:
        draw_shadow(l, &(DrawShadow){.box = {x, y, w, h}, .radius = 4, .blur = 9, .color = c});
        break;
    default:
        draw_circle(l, &(DrawCircle){.center = p[0], .radius = h / 3, .fill = c});
    }
}

/* Batches may be drawn in another order than commands were given; the picture must not show it. */
static void test_batching__equals_painting_in_order(void **state)
{
    Stage *s = *state;
    enum { W = 300, MANY = 250, ROUNDS = 6 };
    unsigned char *together = malloc((size_t)W * W * 4);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        Random random = {round};
        DrawList *l = stage_begin(s, W, W, 1);
        for (int i = 0; i < MANY; i++) {
            draw_set_blend(l, i % 7 == 0 ? DRAW_ADD : DRAW_OVER);
            random_command(l, &random);
        }
        stage_paint(s);
        int n_calls = gfx_stats(s->gfx).n_draw_calls;
        memcpy(together, s->pixels, (size_t)W * W * 4);
        /* Once more, each command a list of its own. */
        random = (Random){round};
        Error err = {0};
        gfx_begin_frame(s->gfx, W, W, 1);
        for (int i = 0; i < MANY; i++) {
            l = stage_begin(s, W, W, 1);
            draw_set_blend(l, i % 7 == 0 ? DRAW_ADD : DRAW_OVER);
            random_command(l, &random);
            assert_ok(draw_end(l, &err), err);
            assert_ok(gfx_paint(s->gfx, l, &err), err);
        }
        assert_ok(gfx_read_pixels(s->gfx, s->pixels, (size_t)W * W * 4, &err), err);
        assert_memory_equal(together, s->pixels, (size_t)W * W * 4);
        assert_true(n_calls < gfx_stats(s->gfx).n_draw_calls);
    }
    free(together);
}

static void test_scene__two_frames_are_equal_at_any_scale(void **state)
{
    Stage *s = *state;
    static Scene scene;
    scene_init(&scene);
    static const float scales[] = {1, 1.25f, 0.8f};
    for (size_t i = 0; i < AS_COUNT(scales); i++) {
        int w = AS_MIN((int)(SCENE_W * scales[i]), STAGE_MOST);
        int h = AS_MIN((int)(SCENE_H * scales[i]), STAGE_MOST);
        size_t n = (size_t)w * (size_t)h * 4;
        unsigned char *first = malloc(n);
        for (int frame = 0; frame < 3; frame++) {
            scene_draw(&scene, stage_begin(s, w, h, scales[i]));
            stage_paint(s);
            if (frame == 0) {
                memcpy(first, s->pixels, n);
            }
            assert_memory_equal(first, s->pixels, n);
        }
        assert_in_range(gfx_stats(s->gfx).n_draw_calls, 5, 60);
        free(first);
    }
}

static void test_gfx__errors_say_what_is_wrong(void **state)
{
    Stage *s = *state;
    Error err = {0};
    DrawList *l = stage_begin(s, 100, 100, 1);
    PathBuilder b = {0};
    path_circle(&b, vec2(0, 0), 3000);
    draw_path(l, &(DrawPath){.path = path_of(&b), .fill = WHITE});
    assert_ok(draw_end(l, &err), err);
    gfx_begin_frame(s->gfx, 100, 100, 1);
    assert_false(gfx_paint(s->gfx, l, &err));
    assert_int_equal(err.code, ERR_GRAPHICS);
    path_builder_free(&b);
    err = (Error){0};
    assert_false(gfx_read_pixels(s->gfx, s->pixels, 10, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    err = (Error){0};
    assert_null(headless_create(0, 10, &err));
    assert_int_equal(err.code, ERR_RANGE);
    err = (Error){0};
    assert_null(headless_create(1 << 20, 10, &err));
    assert_int_equal(err.code, ERR_RANGE);
    /* The context of the stage is still there. */
    assert_ok(headless_bind(s->headless, &err), err);
    stage_begin(s, 10, 10, 1);
    stage_paint(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rect__edges_are_exact),
        cmocka_unit_test(test_rect__area_of_round_corners),
        cmocka_unit_test(test_rect__gradient_runs_down),
        cmocka_unit_test(test_clip__nothing_leaves_it),
        cmocka_unit_test(test_line__width_and_ends),
        cmocka_unit_test(test_bezier__width_at_chosen_places),
        cmocka_unit_test(test_bezier__drawn_in_part),
        cmocka_unit_test(test_polyline__translucent_joints_are_even),
        cmocka_unit_test(test_polyline__repeated_points),
        cmocka_unit_test(test_line__dashes_of_a_line_without_end),
        cmocka_unit_test(test_add__sums_and_saturates),
        cmocka_unit_test(test_hatch__spacing_and_shape),
        cmocka_unit_test(test_image__pixels_and_sizes),
        cmocka_unit_test(test_shadow__outside_only_and_fading),
        cmocka_unit_test(test_batching__equals_painting_in_order),
        cmocka_unit_test(test_scene__two_frames_are_equal_at_any_scale),
        cmocka_unit_test(test_gfx__errors_say_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
