/* Weighted curves and particles: geometry, time, picking, from the display list. */
#include "draw/draw_list.h"
#include "testing.h"

static const DrawCurve S_CURVE = {.a = {0, 0},
                                  .c1 = {44, 0},
                                  .c2 = {56, 80},
                                  .b = {100, 80},
                                  .width = 8,
                                  .color = {1, 0, 0, 1},
                                  .tag = 5};

static void test_curve_at__ends_and_middle(void **state)
{
    (void)state;
    static const struct {
        float t, x, y;
    } rows[] = {{0, 0, 0}, {1, 100, 80}, {0.5f, 50, 40}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        Vec2 p = curve_at(&S_CURVE, rows[i].t);
        assert_float_equal(p.x, rows[i].x, 1e-4);
        assert_float_equal(p.y, rows[i].y, 1e-4);
    }
    Vec2 way = curve_direction(&S_CURVE, 0);
    assert_float_equal(way.x, 1, 1e-6);
    DrawCurve point = {.a = {3, 3}, .c1 = {3, 3}, .c2 = {3, 3}, .b = {3, 3}};
    assert_float_equal(curve_direction(&point, 0.5f).x, 1, 0); /* of no length: some direction */
}

static void test_curve_width__goes_through_three(void **state)
{
    (void)state;
    static const struct {
        float w, mid, end, at0, at_mid, at1;
    } rows[] = {{8, 0, 0, 8, 8, 8}, {8, 0, 2, 8, 5, 2}, {2, 6, 4, 2, 6, 4}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        DrawCurve c = {.width = rows[i].w, .width_mid = rows[i].mid, .width_end = rows[i].end};
        assert_float_equal(curve_width(&c, 0), rows[i].at0, 1e-5);
        assert_float_equal(curve_width(&c, 0.5f), rows[i].at_mid, 1e-5);
        assert_float_equal(curve_width(&c, 1), rows[i].at1, 1e-5);
    }
}

static void test_curve_drawn__follows_time(void **state)
{
    (void)state;
    DrawCurve c = S_CURVE;
    c.enter_s = 1;
    static const struct {
        double time_s;
        float draw_s, want;
    } rows[] = {{0, 0, 1}, {0.9, 2, 0}, {1, 2, 0}, {2, 2, 0.875f}, {3, 2, 1}, {9, 2, 1}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        DrawCurves set = {.curves = &c, .n = 1, .time_s = rows[i].time_s, .draw_s = rows[i].draw_s};
        assert_float_equal(curve_drawn(&set, &c), rows[i].want, 1e-6);
    }
}

static void test_draw_pick__the_curve_that_is_drawn(void **state)
{
    (void)state;
    DrawCurve curves[3] = {S_CURVE, S_CURVE, S_CURVE};
    curves[1].a.y = curves[1].c1.y = 80; /* crosses the first in the middle */
    curves[1].c2.y = curves[1].b.y = 0;
    curves[1].tag = 6;
    curves[2].a.y = curves[2].c1.y = curves[2].c2.y = curves[2].b.y = 120;
    curves[2].tag = 0; /* drawn, not picked */
    DrawList list = {0};
    draw_begin(&list, NULL, 200, 200);
    draw_set_tag(&list, 9);
    draw_curves(&list, &(DrawCurves){.curves = curves, .n = 3});
    Error err = {0};
    assert_ok(draw_end(&list, &err), err);
    for (float t = 0.02f; t < 1; t += 0.02f) {
        Vec2 p = curve_at(&curves[1], t);
        assert_int_equal(draw_pick(&list, p), 6); /* the uppermost, all along */
        Vec2 q = curve_at(&curves[0], t);
        bool crossing = curve_distance(&curves[1], 1, q, NULL) < 4;
        assert_int_equal(draw_pick(&list, q), crossing ? 6 : 5);
    }
    assert_int_equal(draw_pick(&list, vec2(50, 120)), 0);
    assert_int_equal(draw_pick(&list, vec2(50, 20)), 0);
    assert_int_equal(draw_pick(&list, vec2(4, -2 + 8)), 5); /* 2 px beside its edge */
    draw_list_free(&list);
}

static void test_curves_pick__not_what_is_not_drawn_yet(void **state)
{
    (void)state;
    DrawCurves set = {.curves = &S_CURVE, .n = 1, .draw_s = 1, .time_s = 0.2};
    float drawn = curve_drawn(&set, &S_CURVE);
    assert_int_equal(curves_pick(&set, curve_at(&S_CURVE, drawn * 0.5f), 0), 0);
    assert_int_equal(curves_pick(&set, curve_at(&S_CURVE, 0.95f), 0), 1);
}

/* A curve that is no number takes nothing else with it. */
static void test_draw_curves__poison_is_left_out(void **state)
{
    (void)state;
    DrawCurve curves[2] = {S_CURVE, S_CURVE};
    curves[0].c2.y = NAN;
    DrawList list = {0};
    draw_begin(&list, NULL, 200, 200);
    draw_curves(&list, &(DrawCurves){.curves = curves, .n = 2});
    draw_curves(&list, &(DrawCurves){.curves = curves, .n = 1});
    Error err = {0};
    assert_ok(draw_end(&list, &err), err);
    assert_int_equal(list.cmds.n, 1);
    assert_true(list.cmds.items[0].bounds.w < 120);
    draw_list_free(&list);
}

static void test_particle_at__is_a_closed_form(void **state)
{
    (void)state;
    DrawParticle forth = {.phase = 0.25f, .speed = 0.5f, .radius = 2};
    DrawParticle back = {.phase = 0.25f, .speed = -0.5f, .radius = 2};
    DrawParticle late = {.phase = 0.25f, .speed = 0.5f, .enter_s = 2};
    float alpha;
    DrawParticles set = {.curves = &S_CURVE, .n_curves = 1, .time_s = 1};
    assert_float_equal(particle_at(&set, &forth, &alpha), 0.75, 1e-6);
    assert_float_equal(alpha, 1, 1e-6);
    assert_float_equal(particle_at(&set, &back, &alpha), 0.75, 1e-6);
    assert_float_equal(particle_at(&set, &late, &alpha), 0.75, 1e-6);
    assert_float_equal(alpha, 0, 0);
    set.time_s = 1.5; /* at an end it cannot be seen to jump */
    particle_at(&set, &forth, &alpha);
    assert_float_equal(alpha, 0, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_curve_at__ends_and_middle),
        cmocka_unit_test(test_curve_width__goes_through_three),
        cmocka_unit_test(test_curve_drawn__follows_time),
        cmocka_unit_test(test_draw_pick__the_curve_that_is_drawn),
        cmocka_unit_test(test_curves_pick__not_what_is_not_drawn_yet),
        cmocka_unit_test(test_draw_curves__poison_is_left_out),
        cmocka_unit_test(test_particle_at__is_a_closed_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
