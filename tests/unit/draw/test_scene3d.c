/* Scenes in space: the camera against its definition, painting order, curves, picking. */
#include "testing.h"

#include "draw/scene3d.h"

static const Rect BOX = {40, 30, 800, 600};

static Camera3D camera_at(float yaw, float pitch, bool orthographic)
{
    return (Camera3D){.target = {0.2f, 1, -0.1f},
                      .yaw_rad = yaw,
                      .pitch_rad = pitch,
                      .distance = 9,
                      .fov_rad = 0.5f,
                      .orthographic = orthographic,
                      .offset_px = {12, -7}};
}

/* Turn about y, then about x, then perspective: the textbook's chain, in double. */
static Vec2 project_plainly(const Camera3D *c, Vec3 p)
{
    double x = (double)p.x - (double)c->target.x;
    double y = (double)p.y - (double)c->target.y;
    double z = (double)p.z - (double)c->target.z;
    double a = (double)c->yaw_rad;
    double x1 = x * cos(a) - z * sin(a);
    double z1 = x * sin(a) + z * cos(a);
    double b = (double)c->pitch_rad;
    double y2 = y * cos(b) - z1 * sin(b);
    double z2 = y * sin(b) + z1 * cos(b);
    double focal = 300 / tan((double)c->fov_rad / 2);
    double w = c->orthographic ? (double)c->distance : (double)c->distance - z2;
    return (Vec2){(float)(440 + 12 + x1 * focal / w), (float)(330 - 7 - y2 * focal / w)};
}

static void test_camera3d_project__equals_its_definition(void **state)
{
    (void)state;
    const float angles[] = {-2.9f, -0.42f, 0, 1.1f, 3.1f};
    for (size_t i = 0; i < AS_COUNT(angles); i++) {
        for (int k = -3; k <= 3; k++) {
            for (int ortho = 0; ortho < 2; ortho++) {
                Camera3D c = camera_at(angles[i], (float)k * 0.5f, ortho);
                View3D view = camera3d_view(&c, BOX);
                Vec3 p = {0.7f * (float)k, 1.3f - 0.2f * (float)i, -0.9f};
                Vec2 at;
                float depth;
                assert_true(view3d_project(&view, p, &at, &depth));
                Vec2 want = project_plainly(&c, p);
                assert_close(&at.x, &want.x, 1, 2e-3, 1e-5);
                assert_close(&at.y, &want.y, 1, 2e-3, 1e-5);
                /* The ray under that pixel goes through the point. */
                Vec3 back;
                if (k != 0) {
                    assert_true(view3d_pick_level(&view, at, p.y, &back));
                    assert_close(&back.x, &p.x, 1, 1e-3, 0);
                    assert_close(&back.z, &p.z, 1, 1e-3, 0);
                }
            }
        }
    }
}

/* ---- order ---- */

typedef struct OrderCase {
    float eye_pitch, target_y;
    bool orthographic;
    uint32_t first, last; /* sheets */
} OrderCase;

static void test_scene3d_build__far_before_near(void **state)
{
    (void)state;
    static const OrderCase cases[] = {
        {0.6f, 1, false, 0, 2},  /* from above: the lowest first */
        {-0.6f, 1, false, 2, 0}, /* from below */
        {0.6f, 1, true, 0, 2},
        {-0.6f, 1, true, 2, 0},
    };
    ScenePlane planes[3];
    SceneCurve curves[3] = {0};
    for (int i = 0; i < 3; i++) {
        planes[i] = (ScenePlane){.y = (float)i, .x0 = -1, .z0 = -1, .x1 = 1, .z1 = 1};
        float y = (float)i + 0.3f;
        curves[i] = (SceneCurve){.p = {{0, y, 0}, {0, y, 0}, {0, y + 0.4f, 0}, {0, y + 0.4f, 0}},
                                 .straight = true,
                                 .width = 2,
                                 .color = {1, 1, 1, 1}};
    }
    for (size_t k = 0; k < AS_COUNT(cases); k++) {
        DrawScene scene = {.box = BOX,
                           .camera = camera_at(0.3f, cases[k].eye_pitch, cases[k].orthographic),
                           .planes = planes,
                           .n_planes = 3,
                           .curves = curves,
                           .n_curves = 3};
        SceneGeometry g = {0};
        Error err = {0};
        assert_ok(scene3d_build(&scene, 1, &g, &err), err);
        /* sheet, gap, sheet, gap, sheet, gap from above; gap first from below */
        assert_int_equal(g.steps.n, 6);
        bool above = cases[k].eye_pitch > 0;
        for (size_t i = 0; i < 6; i++) {
            assert_int_equal(g.steps.items[i].is_plane, (i % 2 == 0) == above);
        }
        assert_int_equal(g.steps.items[above ? 0 : 1].plane, cases[k].first);
        assert_int_equal(g.steps.items[above ? 4 : 5].plane, cases[k].last);
        scene3d_geometry_free(&g);
    }
}

static void test_scene3d_build__eye_between_sheets(void **state)
{
    (void)state;
    ScenePlane planes[4];
    for (int i = 0; i < 4; i++) {
        planes[i] = (ScenePlane){.y = (float)(3 - i), .x0 = -1, .z0 = -1, .x1 = 1, .z1 = 1};
    }
    DrawScene scene = {
        .box = BOX, .camera = camera_at(0, 0, false), .planes = planes, .n_planes = 4};
    scene.camera.target.y = 1.5f; /* level with the eye: two below, two above */
    SceneGeometry g = {0};
    Error err = {0};
    assert_ok(scene3d_build(&scene, 1, &g, &err), err);
    static const uint32_t want[4] = {3, 2, 0, 1}; /* lowest, second, highest, third */
    assert_int_equal(g.steps.n, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(g.steps.items[i].plane, want[i]);
    }
    scene3d_geometry_free(&g);
}

/* ---- curves ---- */

static void test_scene3d_build__curve_has_its_ends_and_width(void **state)
{
    (void)state;
    SceneCurve curve = {.p = {{-1, 0, 1}, {-1, 0.4f, 1.3f}, {1, 0.8f, 1.3f}, {1, 1.2f, 1}},
                        .width = 9,
                        .color = {1, 0, 0, 0.6f}};
    DrawScene scene = {
        .box = BOX, .camera = camera_at(-0.4f, 0.44f, false), .curves = &curve, .n_curves = 1};
    View3D view = camera3d_view(&scene.camera, BOX);
    SceneGeometry g = {0};
    Error err = {0};
    assert_ok(scene3d_build(&scene, 2, &g, &err), err);
    assert_in_range(g.vertices.n / 4, 4, 48);
    float least = 1e9f;
    float most = -1;
    for (size_t i = 0; i < g.vertices.n; i += 4) {
        const SceneVertex *v = &g.vertices.items[i];
        assert_float_equal(v[0].half, 9, 1e-4); /* 9 px wide at 2 device px each */
        assert_int_equal(v[0].color, color_pack(curve.color));
        for (int k = 0; k < 4; k += 2) {
            /* Joints lie on the curve: find the nearest of its points. */
            Vec2 mid = {(v[k].at[0] + v[k + 1].at[0]) / 2, (v[k].at[1] + v[k + 1].at[1]) / 2};
            float best = 1e9f;
            for (int t = 0; t <= 2000; t++) {
                Vec2 at;
                Vec3 p = scene3d_curve_at(&curve, (float)t / 2000);
                assert_true(view3d_project(&view, p, &at, NULL));
                best = fminf(best, hypotf(2 * at.x - mid.x, 2 * at.y - mid.y));
            }
            /* The first and the last piece reach beyond the ends by their half width. */
            bool end = v[k].along < 0 || v[k].along > v[k].length;
            assert_true(best < (end ? 12.0f : 0.3f));
        }
        least = fminf(least, v[0].along);
        most = fmaxf(most, v[2].along - v[2].length);
    }
    assert_true(least < -9 && most > 9);
    scene3d_geometry_free(&g);
}

static void test_scene3d_build__straight_lines_are_cut_at_sheets(void **state)
{
    (void)state;
    ScenePlane planes[3];
    for (int i = 0; i < 3; i++) {
        planes[i] = (ScenePlane){.y = (float)i, .x0 = -1, .z0 = -1, .x1 = 1, .z1 = 1};
    }
    SceneCurve line = {.p = {{0, -0.5f, 0}, {0}, {0}, {0, 2.5f, 0}},
                       .straight = true,
                       .width = 1,
                       .color = {1, 1, 1, 1}};
    DrawScene scene = {.box = BOX,
                       .camera = camera_at(0.2f, 0.4f, false),
                       .planes = planes,
                       .n_planes = 3,
                       .curves = &line,
                       .n_curves = 1};
    SceneGeometry g = {0};
    Error err = {0};
    assert_ok(scene3d_build(&scene, 1, &g, &err), err);
    assert_int_equal(g.vertices.n / 4, 4);
    assert_int_equal(g.steps.n, 7); /* gap, sheet, gap, sheet, gap, sheet, gap */
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(g.steps.items[i].is_plane, i % 2);
    }
    scene3d_geometry_free(&g);
}

static void test_scene3d_pick__returns_what_is_drawn(void **state)
{
    (void)state;
    ScenePlane planes[2];
    for (int i = 0; i < 2; i++) {
        planes[i] = (ScenePlane){
            .y = (float)i, .x0 = -2, .z0 = -1, .x1 = 2, .z1 = 1, .tag = (uint64_t)i + 7};
    }
    SceneCurve curves[2];
    for (int i = 0; i < 2; i++) {
        float x = i ? 1 : -1;
        curves[i] = (SceneCurve){.p = {{x, 0, 1}, {x, 0.3f, 1.4f}, {0, 0.7f, 1.4f}, {0, 1, 1}},
                                 .width = 4,
                                 .color = {1, 1, 1, 1},
                                 .tag = (uint64_t)i + 100};
    }
    for (int k = 0; k < 4; k++) {
        DrawScene scene = {.box = BOX,
                           .camera = camera_at(-0.6f + 0.4f * (float)k, 0.5f, k == 3),
                           .planes = planes,
                           .n_planes = 2,
                           .curves = curves,
                           .n_curves = 2};
        View3D view = camera3d_view(&scene.camera, BOX);
        for (int i = 0; i < 2; i++) {
            Vec2 at;
            assert_true(view3d_project(&view, scene3d_curve_at(&curves[i], 0.4f), &at, NULL));
            SceneHit hit = scene3d_pick(&scene, at, 1);
            assert_int_equal(hit.tag, 100 + i);
            assert_int_equal(hit.plane, -1);
        }
        /* A place on the upper sheet hides the lower one. */
        Vec2 at;
        assert_true(view3d_project(&view, vec3_of(-1, 1, 0.5f), &at, NULL));
        SceneHit hit = scene3d_pick(&scene, at, 1);
        assert_int_equal(hit.tag, 8);
        assert_float_equal(hit.u, 0.25f, 1e-3);
        assert_float_equal(hit.v, 0.75f, 1e-3);
        assert_int_equal(scene3d_pick(&scene, vec2(BOX.x + 2, BOX.y + 2), 1).tag, 0);
    }
}

static void test_scene3d_build__refuses_too_many_sheets(void **state)
{
    (void)state;
    static ScenePlane planes[4097];
    DrawScene scene = {
        .box = BOX, .camera = camera_at(0, 0.5f, false), .planes = planes, .n_planes = 4097};
    SceneGeometry g = {0};
    Error err = {0};
    assert_false(scene3d_build(&scene, 1, &g, &err));
    assert_int_equal(err.code, ERR_RANGE);
    scene3d_geometry_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_camera3d_project__equals_its_definition),
        cmocka_unit_test(test_scene3d_build__far_before_near),
        cmocka_unit_test(test_scene3d_build__eye_between_sheets),
        cmocka_unit_test(test_scene3d_build__curve_has_its_ends_and_width),
        cmocka_unit_test(test_scene3d_build__straight_lines_are_cut_at_sheets),
        cmocka_unit_test(test_scene3d_pick__returns_what_is_drawn),
        cmocka_unit_test(test_scene3d_build__refuses_too_many_sheets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
