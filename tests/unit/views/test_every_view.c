/* Every view of the table, so that a new one is held to it from its first day: at three sizes, in
 * three themes, at two scales no text is cut, lies on another or is too faint. */
#include "layout_case.h"

#include "views/internal.h"

static const struct {
    float width, height; /* device px */
} sizes[] = {{1280, 720}, {1440, 900}, {1920, 1080}};
static const float scales[] = {1, 1.5f};

static const struct {
    const char *model, *text;
} inputs[] = {
    {"random:L=6,H=8,d=64,seed=5", "the cat sat on the mat, and the cat slept where it had sat"},
    {"random:L=30,H=9,d=72,seed=5", "a short one"},
};

static int check_everywhere(ViewsCase *c, const char *what)
{
    int n_bad = 0;
    for (int theme = 0; theme < THEME_COUNT; theme++) {
        c->session->options.theme = theme;
        for (size_t k = 0; k < AS_COUNT(scales); k++) {
            for (size_t i = 0; i < AS_COUNT(sizes); i++) {
                char where[128];
                snprintf(where, sizeof where, "%s, %s, %.0f x %.0f at %.2g", what,
                         theme_name((ThemeId)theme), (double)sizes[i].width,
                         (double)sizes[i].height, (double)scales[k]);
                views_case_frame(c, sizes[i].width / scales[k], sizes[i].height / scales[k],
                                 scales[k]);
                n_bad += check_frame(c, where) + check_contrast(c, where);
            }
        }
    }
    return n_bad;
}

static void test_views_frame__every_view(void **state)
{
    (void)state;
    int n_bad = 0;
    for (size_t k = 0; k < AS_COUNT(inputs); k++) {
        ViewsCase c;
        views_case_open(&c, inputs[k].model, inputs[k].text);
        for (int i = 0; i < VIEW_COUNT; i++) {
            char line[64];
            snprintf(line, sizeof line, "view %s", view_name((ViewId)i));
            views_case_do(&c, line);
            n_bad += check_everywhere(&c, view_name((ViewId)i));
        }
        views_case_close(&c);
    }
    assert_int_equal(n_bad, 0);
}

/* What lies over a view. */
static void test_views_frame__every_panel(void **state)
{
    (void)state;
    static const char *const panels[] = {"help", "settings", "palette", "palette the", "open"};
    int n_bad = 0;
    ViewsCase c;
    views_case_open(&c, inputs[0].model, inputs[0].text);
    for (size_t i = 0; i < AS_COUNT(panels); i++) {
        views_case_do(&c, "view overview"); /* closes the last one */
        views_case_do(&c, panels[i]);
        n_bad += check_everywhere(&c, panels[i]);
    }
    views_case_close(&c);
    assert_int_equal(n_bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views_frame__every_view),
        cmocka_unit_test(test_views_frame__every_panel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
