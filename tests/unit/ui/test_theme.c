/* Every theme can be read: contrast of text on every surface it is put on. */
#include "testing.h"

#include "ui/theme.h"

static void test_theme_make__contrast(void **state)
{
    (void)state;
    for (int id = 0; id < THEME_COUNT; id++) {
        Theme t = theme_make((ThemeId)id);
        const Color grounds[] = {t.page, t.bar,    t.status,     t.card,        t.card_top,
                                 t.well, t.raised, t.raised_hot, t.accent_tint, t.segment};
        const Color texts[] = {t.text, t.text2, t.text3};
        const Color roles[] = {t.q_text,      t.k_text, t.v_text, t.score_text,
                               t.output_text, t.warn,   t.error};
        float least = id == THEME_CONTRAST ? 7.0f : 4.5f;
        for (size_t g = 0; g < AS_COUNT(grounds); g++) {
            for (size_t i = 0; i < AS_COUNT(texts); i++) {
                /* Small text is not set on buttons that are lit. */
                if (i == 2 && g >= 7) {
                    continue;
                }
                float c = color_contrast(texts[i], grounds[g]);
                if (c < least) {
                    print_error("%s: text %zu on ground %zu: %.2f\n", t.name, i + 1, g, (double)c);
                    fail();
                }
            }
        }
        for (size_t i = 0; i < AS_COUNT(roles); i++) {
            if (color_contrast(roles[i], t.card) < 4.5f) {
                print_error("%s: role %zu: %.2f\n", t.name, i,
                            (double)color_contrast(roles[i], t.card));
                fail();
            }
        }
        assert_true(color_contrast(t.on_accent, t.accent) >= 4.5f);
        assert_true(color_contrast(t.accent, t.bar) >= 3.0f);
    }
}

static void test_theme_find__names(void **state)
{
    (void)state;
    for (int id = 0; id < THEME_COUNT; id++) {
        ThemeId found;
        assert_true(theme_find(theme_name((ThemeId)id), &found));
        assert_int_equal(found, id);
    }
    ThemeId found = THEME_PAPER;
    assert_false(theme_find("sepia", &found));
    assert_int_equal(found, THEME_PAPER);
    assert_string_equal(theme_name((ThemeId)99), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_theme_make__contrast),
        cmocka_unit_test(test_theme_find__names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
