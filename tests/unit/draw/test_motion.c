#include "draw/camera2d.h"
#include "draw/easing.h"
#include "testing.h"

static void check(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) {
        print_error("%.9g, expected %.9g\n", got, want);
        fail();
    }
}

static void test_tween_to__is_ease_out_from_rest(void **state)
{
    (void)state;
    Tween t = tween_at(2);
    check(tween_value(&t, 5), 2, 0);
    assert_false(tween_moves(&t, 5));
    tween_to(&t, 10, 100, 0.3);
    for (int i = 0; i <= 10; i++) {
        double u = (double)i / 10;
        check(tween_value(&t, 100 + 0.3 * u), 2 + 8 * ease_out_cubic(u), 1e-9);
    }
    assert_true(tween_moves(&t, 100.29));
    assert_false(tween_moves(&t, 100.31));
    check(tween_value(&t, 1000), 10, 0);
}

static void test_tween_to__retargeting_never_jumps(void **state)
{
    (void)state;
    static const double goals[] = {5, -3, -3.5, 100, 0, 0, 7};
    Tween t = tween_at(0);
    double now = 0;
    for (size_t i = 0; i < AS_COUNT(goals); i++) {
        double before = tween_value(&t, now);
        double slope = tween_slope(&t, now);
        tween_to(&t, goals[i], now, 0.3);
        check(tween_value(&t, now), before, 1e-9);
        bool ahead = slope * (goals[i] - before) > 0;
        if (ahead && fabs(slope) <= 3 * fabs(goals[i] - before) / 0.3) {
            check(tween_slope(&t, now), slope, 1e-6);
        }
        /* On its way it never passes the goal. */
        double from = before;
        for (int k = 0; k <= 50; k++) {
            double v = tween_value(&t, now + 0.3 * k / 50.0);
            assert_true((v - from) * (goals[i] - from) >= -1e-9);
            assert_true((goals[i] - v) * (goals[i] - from) >= -1e-9);
        }
        now += 0.1;
    }
}

static void test_tween_to__no_duration_jumps(void **state)
{
    (void)state;
    Tween t = tween_at(0);
    tween_to(&t, 4, 1, 0);
    check(tween_value(&t, 1), 4, 0);
    assert_false(tween_moves(&t, 1));
    /* A jump to the goal it is moving to ends the motion. */
    tween_to(&t, 8, 2, 1);
    tween_to(&t, 8, 2.1, 0);
    check(tween_value(&t, 2.1), 8, 0);
}

static void test_ease__ends(void **state)
{
    (void)state;
    check(ease_out_cubic(-1), 0, 0);
    check(ease_out_cubic(2), 1, 0);
    check(ease_in_out_cubic(0.5), 0.5, 1e-12);
    check(ease_span(5, 4, 8), 0.25, 1e-12);
    check(ease_span(5, 5, 5), 1, 0);
}

static void test_camera2d_zoom_at__pointer_stays(void **state)
{
    (void)state;
    Camera2D c = camera2d_fit(rect(100, 50, 800, 600), 512, 512, 0);
    check(c.zoom_x, 600.0 / 512, 1e-9);
    Vec2 pointer = {500, 320};
    double x0, y0, x1, y1;
    camera2d_to_world(&c, pointer, &x0, &y0);
    for (int i = 0; i < 12; i++) {
        camera2d_zoom_at(&c, pointer, 1.3);
        camera2d_to_world(&c, pointer, &x1, &y1);
        /* Until the world fills the view it is centred instead. */
        if (512 * c.zoom_x >= 800) {
            camera2d_to_world(&c, pointer, &x0, &y0);
            camera2d_zoom_at(&c, pointer, 1.1);
            camera2d_to_world(&c, pointer, &x1, &y1);
            check(x1, x0, 1e-6);
            check(y1, y0, 1e-6);
        }
    }
    camera2d_zoom_at(&c, pointer, 1e9);
    check(c.zoom_x, 256, 1e-9);
    camera2d_zoom_at(&c, pointer, 1e-9);
    check(c.zoom_x, 600.0 / 512, 1e-9);
    Camera2D before = c;
    camera2d_zoom_at(&c, pointer, NAN);
    check(c.zoom_x, before.zoom_x, 0);
}

static void test_camera2d__round_trip_far_out(void **state)
{
    (void)state;
    Camera2D c = camera2d_fit(rect(0, 0, 1000, 1000), 131072, 131072, 0);
    camera2d_show(&c, 131000, 131000, 131020, 131020);
    check(c.zoom_x, 50, 1e-9);
    Vec2 p = camera2d_to_screen(&c, 131010.5, 131003);
    double x, y;
    camera2d_to_world(&c, p, &x, &y);
    check(x, 131010.5, 1e-5);
    check(y, 131003, 1e-5);
    camera2d_pan(&c, vec2(-1e7f, -1e7f));
    double x0, y0, x1, y1;
    camera2d_visible(&c, &x0, &y0, &x1, &y1);
    check(x1, 131072, 1e-6);
    check(x0, 131072 - 20, 1e-6);
}

static void test_camera2d_mix__pan_at_nearly_equal_zoom(void **state)
{
    (void)state;
    Camera2D a = camera2d_fit(rect(0, 0, 400, 400), 1000, 1000, 0);
    Camera2D b = a;
    /* What rounding leaves between two ways to the same zoom. */
    b.zoom_x = b.zoom_y = a.zoom_x * (1 + 4e-16);
    b.origin_x = a.origin_x + 100;
    for (int i = 0; i <= 10; i++) {
        Camera2D m = camera2d_mix(&a, &b, i / 10.0);
        assert_true(fabs(m.origin_x - (a.origin_x + 10.0 * i)) < 1e-6);
    }
}

static void test_camera2d_mix__ends_and_monotone(void **state)
{
    (void)state;
    Camera2D a = camera2d_fit(rect(0, 0, 800, 800), 1000, 1000, 0);
    Camera2D b = a;
    camera2d_show(&b, 900, 100, 910, 110);
    Camera2D at0 = camera2d_mix(&a, &b, 0);
    Camera2D at1 = camera2d_mix(&a, &b, 1);
    check(at0.origin_x, a.origin_x, 1e-9);
    check(at1.origin_x, b.origin_x, 0);
    double before = 0;
    for (int i = 1; i <= 10; i++) {
        Camera2D m = camera2d_mix(&a, &b, i / 10.0);
        assert_true(m.zoom_x > before);
        /* What is looked for is in view all the way. */
        Vec2 goal = camera2d_to_screen(&m, 905, 105);
        assert_true(rect_contains(rect(-1, -1, 802, 802), goal));
        before = m.zoom_x;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tween_to__is_ease_out_from_rest),
        cmocka_unit_test(test_tween_to__retargeting_never_jumps),
        cmocka_unit_test(test_tween_to__no_duration_jumps),
        cmocka_unit_test(test_ease__ends),
        cmocka_unit_test(test_camera2d_zoom_at__pointer_stays),
        cmocka_unit_test(test_camera2d__round_trip_far_out),
        cmocka_unit_test(test_camera2d_mix__pan_at_nearly_equal_zoom),
        cmocka_unit_test(test_camera2d_mix__ends_and_monotone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
