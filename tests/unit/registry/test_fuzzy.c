/* What somebody typed finds what was meant, and before what was not. */
#include "registry/fuzzy.h"
#include "testing.h"

static void test_fuzzy_score__order(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *better, *worse;
    } rows[] = {
        {"lay", "layer +1", "play"},
        {"map", "map-scale log", "mechanism and paper"},
        {"zi", "zoom in", "normalize it"},
        {"go heads", "Go to Heads", "go to the mathematics of head sums"},
        {"theme", "theme", "theme contrast"},
        {"Stack", "Stack", "stacked bar chart"},
        {"ms", "map-scale", "items"},
        {"pin", "pin", "spinner"},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        int better = fuzzy_score(rows[i].typed, rows[i].better, NULL);
        int worse = fuzzy_score(rows[i].typed, rows[i].worse, NULL);
        if (better <= worse || worse < 0) {
            print_error("\"%s\": %s has %d, %s has %d\n", rows[i].typed, rows[i].better, better,
                        rows[i].worse, worse);
            fail();
        }
    }
}

static void test_fuzzy_score__no_match(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"xyz", "layer"}, {"ba", "ab"}, {"aa", "a"}, {"layer1", "layer"}, {"é", "e"}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        assert_int_equal(fuzzy_score(rows[i][0], rows[i][1], NULL), 0);
    }
    assert_true(fuzzy_score("", "anything", NULL) > 0);
    assert_true(fuzzy_score("  ", "", NULL) > 0);
}

static void test_fuzzy_score__marks(void **state)
{
    (void)state;
    FuzzyMatch match;
    assert_true(fuzzy_score("ms", "camera map-scale", &match) > 0);
    assert_int_equal(match.n, 2);
    assert_int_equal(match.at[0], 7);
    assert_int_equal(match.at[1], 11);
    /* a long name is looked at as far as it says */
    char name[400];
    memset(name, 'a', sizeof name);
    name[399] = 0;
    name[300] = 'b';
    assert_int_equal(fuzzy_score("b", name, NULL), 0);
    name[200] = 'b';
    assert_true(fuzzy_score("ab", name, &match) > 0);
    assert_int_equal(match.at[1], 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fuzzy_score__order),
        cmocka_unit_test(test_fuzzy_score__no_match),
        cmocka_unit_test(test_fuzzy_score__marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
