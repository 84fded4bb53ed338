/* Below OpenGL 4.3 there are no tiles on the GPU, said so; everything else goes on. */
#include "gfx/evaluate.h"
#include "gfx/headless.h"
#include "testing.h"

#include <stdlib.h>

static void test_evaluator_create__opengl_3_3(void **state)
{
    (void)state;
    Error err = {0};
    Headless *headless = headless_create(16, 16, &err);
    Gfx *gfx = headless ? gfx_create(headless_proc, &err) : NULL;
    assert_ok(gfx, err);
    if (strncmp(gfx_version(gfx), "3.3", 3) != 0) {
        gfx_destroy(gfx);
        headless_destroy(headless);
        skip(); /* a driver that is not Mesa */
    }
    assert_null(evaluator_create(NULL, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "4.3"));
    evaluator_destroy(NULL);
    DrawList list = {0};
    FontSet *fonts = fontset_create(&err);
    draw_begin(&list, fonts, 16, 16);
    err = (Error){0};
    assert_ok(draw_end(&list, &err), err);
    gfx_begin_frame(gfx, 16, 16, 1);
    assert_ok(gfx_paint(gfx, &list, &err), err);
    draw_list_free(&list);
    fontset_destroy(fonts);
    gfx_destroy(gfx);
    headless_destroy(headless);
}

int main(void)
{
    setenv("MESA_GL_VERSION_OVERRIDE", "3.3", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluator_create__opengl_3_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
