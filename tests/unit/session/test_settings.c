/* What is kept between runs: written, read back, and refused whole when it is not ours. */
#include "session/settings.h"
#include "session_case.h"

#include <stdio.h>

static void test_recent_add__order(void **state)
{
    (void)state;
    Recent r = {0};
    for (int i = 0; i < 2 * RECENT_MOST; i++) {
        char line[32];
        snprintf(line, sizeof line, "text number %d", i);
        recent_add(&r, line);
    }
    assert_int_equal(r.n, RECENT_MOST);
    assert_string_equal(r.lines[0], "text number 47");
    assert_string_equal(r.lines[RECENT_MOST - 1], "text number 24");
    recent_add(&r, "text number 30");
    assert_int_equal(r.n, RECENT_MOST);
    assert_string_equal(r.lines[0], "text number 30");
    assert_string_equal(r.lines[1], "text number 47");
    static char huge[RECENT_TEXT_BYTES + 10];
    memset(huge, 'x', sizeof huge - 1);
    recent_add(&r, huge);
    assert_string_equal(r.lines[0], "text number 30");
    recent_clear(&r);
    assert_int_equal(r.n, 0);
}

static void test_text_escape__way_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "plain", "two\nlines\tand \\ sign", "\\n is no break", "trailing\\", "é 你好\n"};
    Arena arena = {0};
    for (size_t i = 0; i < AS_COUNT(texts); i++) {
        char *line = text_escape(&arena, texts[i], strlen(texts[i]), NULL);
        assert_non_null(line);
        assert_null(strchr(line, '\n'));
        assert_int_equal(text_unescape(line), strlen(texts[i]));
        assert_string_equal(line, texts[i]);
    }
    arena_destroy(&arena);
}

static void test_settings__written_and_read(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, "a b c\nd");
    does(s, "theme contrast");
    does(s, "scale 1.5");
    does(s, "level engineer");
    does(s, "map-scale sqrt");
    does(s, "rows max");
    does(s, "text another \\\\ one");
    StrBuf out = {0};
    Error err = {0};
    assert_ok(settings_write(&s->options, &s->recent, &out, &err), err);
    SessionOptions o = {.scale = 1};
    Recent recent = {0};
    assert_ok(settings_read(out.text, out.n, "settings", &o, &recent, &err), err);
    assert_int_equal(o.theme, 2);
    assert_true(o.scale == 1.5f);
    assert_int_equal(o.level, LEVEL_ENGINEER);
    assert_int_equal(o.map_scale, MAP_SQRT);
    assert_true(o.rows_normalised);
    assert_int_equal(recent.n, 3); /* the model once, two texts */
    assert_string_equal(recent.lines[0], "model " SMALL_MODEL);
    assert_string_equal(recent.lines[1], "text another \\\\ one");
    assert_string_equal(recent.lines[2], "text a b c\\nd");
    /* A line of it does what it says. */
    does(s, recent.lines[2]);
    size_t n;
    assert_memory_equal(trace_source(s->trace, &n), "a b c\nd", 7);
    strbuf_free(&out);
    recent_clear(&recent);
    session_destroy(&s);
}

static void test_settings_read__hostile(void **state)
{
    (void)state;
    static char long_line[10000];
    static char many[4000];
    memset(long_line, 'a', sizeof long_line - 1);
    for (size_t i = 0; i < 100; i++) {
        snprintf(many + strlen(many), 32, "recent text %zu\n", i);
    }
    const struct {
        const char *text;
        size_t n; /* 0 = strlen */
    } rows[] = {
        {"theme pink\n", 0},
        {"theme\n", 0},
        {"scale -1\n", 0},
        {"scale nan\n", 0},
        {"scale 1e30\n", 0},
        {"scale 1 2\n", 0},
        {"theme paper\nquit\n", 0},
        {"recent quit\n", 0},
        {"recent text \xff\xfe\n", 0},
        {"recent open\n", 0},
        {long_line, 0},
        {many, 0},
        {"theme \0paper\n", 13},
        {"\x7f"
         "ELF\x02\x01\x01\0\0\0",
         10},
        {"{\"theme\": \"paper\"}", 0},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        SessionOptions o = {.theme = 1, .scale = 1.25f};
        Recent recent = {0};
        Error err = {0};
        recent_add(&recent, "text kept");
        size_t n = rows[i].n ? rows[i].n : strlen(rows[i].text);
        if (settings_read(rows[i].text, n, "settings", &o, &recent, &err)) {
            print_error("row %zu was taken\n", i);
            fail();
        }
        assert_int_equal(err.code, ERR_FORMAT);
        assert_null(strchr(err.message, '\n'));
        assert_int_equal(o.theme, 1);
        assert_true(o.scale == 1.25f);
        assert_int_equal(recent.n, 1);
        recent_clear(&recent);
    }
    /* Nothing, comments and a missing last line break are fine. */
    SessionOptions o = {.scale = 1};
    Recent recent = {0};
    Error err = {0};
    assert_true(settings_read("", 0, "settings", &o, &recent, &err));
    static const char fine[] = "# by hand\n\ntheme paper";
    assert_true(settings_read(fine, sizeof fine - 1, "settings", &o, &recent, &err));
    assert_int_equal(o.theme, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recent_add__order),
        cmocka_unit_test(test_text_escape__way_back),
        cmocka_unit_test(test_settings__written_and_read),
        cmocka_unit_test(test_settings_read__hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
