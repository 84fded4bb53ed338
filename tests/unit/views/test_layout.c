/* Nothing on the screen touches what it should not, at any size, in any theme, for any text. */
#include "layout_case.h"

static void check_sizes(ViewsCase *c, const char *what)
{
    int n_bad = 0;
    static const struct {
        float width, height, scale;
    } sizes[] = {{1920, 1080, 1},          {1280, 720, 1}, {1280, 720, 1.5f}, {853, 480, 1.5f},
                 {2560 / 1.5f, 960, 1.5f}, {1600, 900, 1}, {1100, 620, 2},    {640, 400, 1}};
    for (size_t i = 0; i < AS_COUNT(sizes); i++) {
        char where[128];
        snprintf(where, sizeof where, "%s at %.0f x %.0f scale %.2g", what, (double)sizes[i].width,
                 (double)sizes[i].height, (double)sizes[i].scale);
        views_case_frame(c, sizes[i].width, sizes[i].height, sizes[i].scale);
        n_bad += check_frame(c, where);
    }
    assert_int_equal(n_bad, 0);
}

static void test_views_frame__texts(void **state)
{
    (void)state;
    static const int lengths[] = {1, 2, 5, 20, 47, 120, 700, 1500};
    Arena arena = {0};
    for (size_t i = 0; i < AS_COUNT(lengths); i++) {
        ViewsCase c;
        char what[64];
        views_case_open(&c, "random:L=12,H=12,d=96,seed=5", words_of(&arena, lengths[i]));
        snprintf(what, sizeof what, "%d tokens", lengths[i]);
        check_sizes(&c, what);
        views_case_close(&c);
    }
    arena_destroy(&arena);
}

static void test_views_frame__states(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "theme paper",  "theme contrast",   "level engineer",
        "level simple", "map-scale sqrt",   "map-scale linear",
        "rows max",     "pin 19 3",         "pin 3 19",
        "pin 0 0",      "zoom in",          "zoom in",
        "mask none",    "zoom out",         "fit",
        "layer 11",     "head 11",          "inspector",
        "help",         "settings",         "palette",
        "palette the",  "palette 3.2",      "palette nothing of this name",
        "unpin",        "temperature 0.35", "open /no/such/file.txt",
        "dismiss",      "inspector",
    };
    Arena arena = {0};
    ViewsCase c;
    views_case_open(&c, "random:L=12,H=12,d=96,seed=5", words_of(&arena, 34));
    for (size_t i = 0; i < AS_COUNT(lines); i++) {
        views_case_do(&c, lines[i]);
        check_sizes(&c, lines[i]);
    }
    views_case_close(&c);
    arena_destroy(&arena);
}

static void test_views_frame__views(void **state)
{
    (void)state;
    Arena arena = {0};
    ViewsCase c;
    views_case_open(&c, "random:L=2,H=2,d=32,seed=5", "a few words");
    for (int i = 0; i < VIEW_COUNT; i++) {
        c.session->view = (ViewId)i;
        check_sizes(&c, view_name((ViewId)i));
        /* Each says what it is: its title, or what it shows. */
        views_case_frame(&c, 1280, 720, 1);
        if (!view_def((ViewId)i)->draw) {
            assert_non_null(find_text(&c, "not built yet"));
            assert_non_null(find_text(&c, "Go to Matrix"));
        }
    }
    views_case_close(&c);
    arena_destroy(&arena);
}

/* What can be opened in Matrix and Heads: nothing of it runs into anything else. */
static void test_views_frame__explore(void **state)
{
    (void)state;
    static const struct {
        const char *name, *commands[8];
    } cases[] = {
        {"text in place of cells", {"view matrix", "reading"}},
        {"hidden keys", {"view matrix", "hide first", "diagonal", "find cat", "mark"}},
        {"owners", {"view matrix", "set layer", "combine owner"}},
        {"a mean, brushed", {"view matrix", "set layer", "combine mean", "brush keys 2:5"}},
        {"heads compared", {"view heads", "set 0.0,0.1,1.0,1.1"}},
        {"one head compared", {"view heads", "set 1.1"}},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        ViewsCase c;
        views_case_open(&c, "random:L=2,H=2,d=32,seed=5",
                        "the cat sat on the mat and the cat saw the dog sit on the mat");
        for (int k = 0; k < 8 && cases[i].commands[k]; k++) {
            views_case_do(&c, cases[i].commands[k]);
        }
        check_sizes(&c, cases[i].name);
        views_case_close(&c);
    }
}

/* The views of the whole text: of any length, for any number of layers and heads. */
static void test_views_frame__whole_text(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        int n_words;
    } rows[] = {{"random:L=5,H=8,d=64,seed=5", 1},   {"random:L=5,H=8,d=64,seed=5", 2},
                {"random:L=5,H=8,d=64,seed=5", 5},   {"random:L=30,H=9,d=72,seed=5", 20},
                {"random:L=6,H=12,d=96,seed=5", 47}, {"random:L=2,H=2,d=32,seed=5", 300},
                {"random:L=1,H=1,d=32,seed=5", 900}};
    static const char *const themes[] = {"theme night", "theme paper", "theme contrast"};
    Arena arena = {0};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        ViewsCase c;
        char what[96];
        views_case_open(&c, rows[i].model, words_of(&arena, rows[i].n_words));
        views_case_do(&c, themes[i % AS_COUNT(themes)]);
        for (int k = 0; k < 3; k++) {
            static const char *const lines[] = {"view overview", "inspector", "view heads"};
            views_case_do(&c, lines[k]);
            snprintf(what, sizeof what, "%s, %d tokens, %s", rows[i].model, rows[i].n_words,
                     lines[k]);
            check_sizes(&c, what);
        }
        /* With the enlarged head, and in another order. */
        static const Vec2 places[] = {{200, 210}, {420, 260}, {760, 330}};
        for (size_t k = 0; k < AS_COUNT(places); k++) {
            UiEvent move = {.kind = UI_EVENT_MOVE, .at = places[k]};
            assert_true(ui_feed(&c.ui, &move));
            check_sizes(&c, what);
            views_case_do(&c, k == 0 ? "sort distance" : "filter sink");
        }
        views_case_close(&c);
    }
    arena_destroy(&arena);
}

/* Long names of everything. */
static void test_views_frame__long_tokens(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=100,H=64,G=1,d=128,seed=5",
                    "Donaudampfschifffahrtsgesellschaftskapitänsmütze "
                    "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz "
                    "שלום мир 你好世界 ﷽ Wolstenholme");
    check_sizes(&c, "long tokens");
    views_case_do(&c, "layer 99");
    views_case_do(&c, "head 63");
    views_case_do(&c, "pin 1 0");
    check_sizes(&c, "long tokens, last head");
    views_case_do(&c, "view overview");
    check_sizes(&c, "long tokens, overview");
    views_case_close(&c);
}

static void test_views_frame__nothing_yet(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "/no/such/folder/with/a/very/long/name/that/does/not/exist", "text");
    assert_int_equal(c.session->error.code, ERR_IO);
    check_sizes(&c, "error card");
    views_case_do(&c, "dismiss");
    check_sizes(&c, "nothing loaded");
    views_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views_frame__texts),
        cmocka_unit_test(test_views_frame__states),
        cmocka_unit_test(test_views_frame__views),
        cmocka_unit_test(test_views_frame__explore),
        cmocka_unit_test(test_views_frame__whole_text),
        cmocka_unit_test(test_views_frame__long_tokens),
        cmocka_unit_test(test_views_frame__nothing_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
