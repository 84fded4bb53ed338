/* Depth and blending of scenes in space: pixels read back at several camera angles against what a
 * ray through them meets, and the painter against the one without GL. */
#include "stage.h"

enum { SIDE = 480, PLANES = 5 };

typedef struct Angle {
    float yaw, pitch;
    bool orthographic;
    float target_y;
} Angle;

static const Angle angles[] = {
    {-0.42f, 0.44f, false, 1}, /* from above */
    {0.9f, -0.5f, false, 1},   /* from below */
    {2.6f, 0.25f, true, 1},    /* from behind, parallel */
    {-1.5f, 0.02f, false, 1},  /* level with the middle: sheets above and below the eye */
    {0.2f, 1.5f, false, 1},    /* from straight above */
};

static Color sheet_color(int i)
{
    static const uint32_t colors[PLANES] = {0xFF3020, 0x20E040, 0x3060FF, 0xF0D020, 0xC040E0};
    return color_with_alpha(color_hex(colors[i]), 0.35f + 0.1f * (float)i);
}

static DrawScene scene_of(const Angle *a, ScenePlane *planes)
{
    /* Not in order of height. */
    static const float heights[PLANES] = {1.5f, 0, 2, 0.5f, 1};
    for (int i = 0; i < PLANES; i++) {
        planes[i] = (ScenePlane){.y = heights[i],
                                 .x0 = -1.6f + 0.1f * (float)i,
                                 .z0 = -1,
                                 .x1 = 1.6f,
                                 .z1 = 1.1f,
                                 .sheet = sheet_color(i)};
    }
    return (DrawScene){.box = {0, 0, SIDE, SIDE},
                       .camera = {.target = {0, a->target_y, 0},
                                  .yaw_rad = a->yaw,
                                  .pitch_rad = a->pitch,
                                  .distance = 8,
                                  .fov_rad = 0.45f,
                                  .orthographic = a->orthographic},
                       .ground = {color_hex(0x101828), color_hex(0x101828), color_hex(0x101828)},
                       .ground_radius = 100,
                       .planes = planes,
                       .n_planes = PLANES};
}

/* What the ray under a place meets, the farthest first; painting order is not used. */
static int sheets_along_ray(const DrawScene *s, float x, float y, int which[PLANES])
{
    View3D view = camera3d_view(&s->camera, s->box);
    Vec3 start;
    Vec3 way;
    view3d_ray(&view, vec2(x, y), &start, &way);
    float met[PLANES];
    int n = 0;
    for (int i = 0; i < PLANES; i++) {
        const ScenePlane *p = &s->planes[i];
        float t = (p->y - start.y) / way.y;
        Vec3 at = {start.x + t * way.x, p->y, start.z + t * way.z};
        float inside = fminf(fminf(at.x - p->x0, p->x1 - at.x), fminf(at.z - p->z0, p->z1 - at.z));
        if (t > 0 && inside > 0) {
            int k = n++;
            for (; k > 0 && met[k - 1] < t; k--) {
                met[k] = met[k - 1];
                which[k] = which[k - 1];
            }
            met[k] = t;
            which[k] = i;
        }
    }
    return n;
}

/* The colour of a pixel; false where an edge of a sheet goes through its neighbourhood. */
static bool color_along_ray(const DrawScene *s, int x, int y, Color *out)
{
    int which[PLANES];
    int n = sheets_along_ray(s, (float)x + 0.5f, (float)y + 0.5f, which);
    for (int i = 0; i < 9; i++) {
        int near[PLANES];
        float nx = (float)x + 0.5f + 1.5f * (float)(i % 3 - 1);
        float ny = (float)y + 0.5f + 1.5f * (float)(i / 3 - 1);
        if (sheets_along_ray(s, nx, ny, near) != n ||
            memcmp(near, which, (size_t)n * sizeof *near) != 0) {
            return false;
        }
    }
    *out = s->ground[0];
    for (int k = 0; k < n; k++) {
        *out = color_over(sheet_color(which[k]), *out);
    }
    return true;
}

static void test_scene__blends_as_rays_meet_sheets(void **state)
{
    Stage *s = *state;
    for (size_t k = 0; k < AS_COUNT(angles); k++) {
        ScenePlane planes[PLANES];
        DrawScene scene = scene_of(&angles[k], planes);
        DrawList *l = stage_begin(s, SIDE, SIDE, 1);
        draw_scene(l, &scene);
        stage_paint(s);
        int deep = 0;
        for (int y = 6; y < SIDE; y += 13) {
            for (int x = 5; x < SIDE; x += 11) {
                Color want;
                if (color_along_ray(&scene, x, y, &want)) {
                    stage_expect(s, x, y, want, 3);
                    deep += !color_equal(want, scene.ground[0]);
                }
            }
        }
        assert_true(deep > (k == 3 ? 10 : 200));
    }
}

/* A curve in front of a sheet covers it, behind it shines through. */
static void test_scene__curves_keep_their_depth(void **state)
{
    Stage *s = *state;
    Color red = {1, 0, 0, 1};
    Color sheet = color_with_alpha(color_hex(0x2040C0), 0.5f);
    for (size_t k = 0; k < 3; k++) {
        ScenePlane plane = {.y = 1, .x0 = -2, .z0 = -2, .x1 = 2, .z1 = 2, .sheet = sheet};
        SceneCurve curves[2];
        for (int i = 0; i < 2; i++) {
            float y = i ? 1.3f : 0.7f;
            float x = i ? 0.6f : -0.6f;
            curves[i] =
                (SceneCurve){.p = {{x, y, -0.5f}, {x, y, -0.2f}, {x, y, 0.2f}, {x, y, 0.5f}},
                             .width = 12,
                             .color = red};
        }
        ScenePlane planes[PLANES];
        DrawScene scene = scene_of(&angles[k], planes);
        scene.planes = &plane;
        scene.n_planes = 1;
        scene.curves = curves;
        scene.n_curves = 2;
        DrawList *l = stage_begin(s, SIDE, SIDE, 1);
        draw_scene(l, &scene);
        stage_paint(s);
        View3D view = camera3d_view(&scene.camera, scene.box);
        for (int i = 0; i < 2; i++) {
            Vec2 at;
            assert_true(view3d_project(&view, scene3d_curve_at(&curves[i], 0.5f), &at, NULL));
            bool before = (i == 1) == (angles[k].pitch > 0);
            stage_expect(s, (int)at.x, (int)at.y, before ? red : color_over(sheet, red), 3);
        }
    }
}

/* Everything a scene has, small enough to be drawn by the processor. */
static DrawScene rich_scene(const Angle *a, ScenePlane *planes, SceneCurve *curves, SceneDot *dots,
                            float *values)
{
    DrawScene scene = scene_of(a, planes);
    for (int i = 0; i < 12 * 16; i++) {
        values[i] = i % 16 > i / 16 + 4 ? -INFINITY : (float)((i * 37) % 101) / 100;
    }
    for (int i = 0; i < PLANES; i++) {
        planes[i].cells = (SceneCells){.values = values, .rows = 12, .cols = 16, .version = 5};
        planes[i].cell_alpha = 0.4f;
        planes[i].cell_alpha_more = 0.5f;
        planes[i].skip = 0.03f;
    }
    for (int i = 0; i < 6; i++) {
        float x = -1.5f + 0.5f * (float)i;
        curves[i] = (SceneCurve){
            .p = {{x, 0.1f, 1.1f}, {x, 0.2f, 1.4f}, {0.4f, 0.35f, 1.4f}, {0.4f, 0.45f, 1.1f}},
            .width = 2 + 1.5f * (float)i,
            .color = color_with_alpha(color_token(i), 0.8f),
            .core = 0.5f,
            .glow = 8,
            .glow_alpha = 0.3f};
        dots[i] = (SceneDot){.at = {x, 1.25f, 0.3f},
                             .radius = 5,
                             .color = color_token(i),
                             .glow = 9,
                             .glow_alpha = 0.4f};
    }
    scene.map = COLORMAP_MAGMA_NIGHT;
    scene.scale = (Scale){.kind = SCALE_SQRT, .lo = 0, .hi = 1};
    scene.cell_gap = 0.8f;
    scene.curves = curves;
    scene.n_curves = 6;
    scene.dots = dots;
    scene.n_dots = 6;
    return scene;
}

static void test_scene__equals_the_one_without_gl(void **state)
{
    Stage *s = *state;
    unsigned char *plain = malloc((size_t)SIDE * SIDE * 4);
    assert_non_null(plain);
    for (size_t k = 0; k < AS_COUNT(angles); k++) {
        ScenePlane planes[PLANES];
        SceneCurve curves[6];
        SceneDot dots[6];
        float values[12 * 16];
        Error err = {0};
        DrawScene scene = rich_scene(&angles[k], planes, curves, dots, values);
        DrawList *l = stage_begin(s, SIDE, SIDE, 1);
        draw_scene(l, &scene);
        stage_paint(s);
        const DrawScene *drawn = &l->cmds.items[0].u.scene;
        assert_ok(scene3d_raster(drawn, 1, SIDE, SIDE, plain, &err), err);
        int far = 0;
        double sum = 0;
        for (int i = 0; i < SIDE * SIDE * 4; i++) {
            int d = abs(plain[i] - s->pixels[i]);
            sum += d;
            far += d > 24;
        }
        /* Where two cells meet the one mixes over a pixel and the other does not. */
        if (far > SIDE * SIDE * 4 / 50 || sum / (SIDE * SIDE * 4.0) > 1.2) {
            print_error("angle %zu: %d channels differ, mean %.3f\n", k, far,
                        sum / (SIDE * SIDE * 4.0));
            fail();
        }
    }
    free(plain);
}

static void test_scene__same_picture_again(void **state)
{
    Stage *s = *state;
    ScenePlane planes[PLANES];
    SceneCurve curves[6];
    SceneDot dots[6];
    float values[12 * 16];
    DrawScene scene = rich_scene(&angles[0], planes, curves, dots, values);
    unsigned char *first = malloc((size_t)SIDE * SIDE * 4);
    assert_non_null(first);
    for (int i = 0; i < 2; i++) {
        DrawList *l = stage_begin(s, SIDE, SIDE, 1);
        draw_scene(l, &scene);
        stage_paint(s);
        if (!i) {
            memcpy(first, s->pixels, (size_t)SIDE * SIDE * 4);
        }
    }
    assert_memory_equal(first, s->pixels, (size_t)SIDE * SIDE * 4);
    free(first);
}

/* One strong cell among thousands that a pixel covers is seen. */
static void test_scene__far_cells_keep_the_largest(void **state)
{
    Stage *s = *state;
    enum { N = 512 };
    float *values = calloc((size_t)N * N, sizeof *values);
    assert_non_null(values);
    values[(size_t)200 * N + 300] = 1;
    ScenePlane planes[PLANES];
    DrawScene scene = scene_of(&angles[4], planes);
    planes[0] = (ScenePlane){.y = 1,
                             .x0 = -0.5f,
                             .z0 = -0.5f,
                             .x1 = 0.5f,
                             .z1 = 0.5f,
                             .cells = {.values = values, .rows = N, .cols = N},
                             .cell_alpha = 0.2f,
                             .cell_alpha_more = 0.8f,
                             .skip = 0.03f};
    scene.n_planes = 1;
    scene.map = COLORMAP_MAGMA;
    DrawList *l = stage_begin(s, SIDE, SIDE, 1);
    draw_scene(l, &scene);
    stage_paint(s);
    int brightest = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        brightest = AS_MAX(brightest, s->pixels[4 * i]);
    }
    assert_true(brightest > 120);
    free(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scene__blends_as_rays_meet_sheets),
        cmocka_unit_test(test_scene__curves_keep_their_depth),
        cmocka_unit_test(test_scene__equals_the_one_without_gl),
        cmocka_unit_test(test_scene__same_picture_again),
        cmocka_unit_test(test_scene__far_cells_keep_the_largest),
    };
    return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
