/* One display list, two painters: GL and cairo must give the same picture but for anti-aliasing. */

#include "scene.h"
#include "by_cairo.h"

static double rms_of_region(const unsigned char *a, const unsigned char *b, int w, Rect r)
{
    double sum = 0;
    int n = 0;
    for (int y = (int)r.y; y < (int)(r.y + r.h); y++) {
        for (int x = (int)r.x; x < (int)(r.x + r.w); x++) {
            for (int i = 0; i < 3; i++) {
                size_t k = 4 * ((size_t)y * (size_t)w + (size_t)x) + (size_t)i;
                double d = ((double)a[k] - (double)b[k]) / 255;
                sum += d * d;
                n++;
            }
        }
    }
    return sqrt(sum / n);
}

static void test_scene__cairo_and_gl_agree(void **state)
{
    Stage *s = *state;
    static Scene scene;
    scene_init(&scene);
    scene_draw(&scene, stage_begin(s, SCENE_W, SCENE_H, 1));
    stage_paint(s);
    unsigned char *other = cairo_pixels(s);
    static const struct {
        const char *what;
        Rect region;
        double most;
    } rows[] = {
        {"cells", {121, 200, 118, 190}, 0.002}, {"hatch and cards", {24, 24, 640, 672}, 0.02},
        {"text", {700, 30, 230, 210}, 0.06},    {"legend and image", {704, 270, 216, 100}, 0.03},
        {"curves", {690, 402, 244, 136}, 0.06}, {"icons", {690, 558, 244, 136}, 0.06}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        double rms = rms_of_region(s->pixels, other, SCENE_W, rows[i].region);
        if (rms > rows[i].most) {
            print_error("%s differ by %.4f, allowed %.4f\n", rows[i].what, rms, rows[i].most);
            fail();
        }
        print_message("%s: %.4f\n", rows[i].what, rms);
    }
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scene__cairo_and_gl_agree),
    };
    return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
