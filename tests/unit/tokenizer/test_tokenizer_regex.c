#include "testing.h"

#include "tokenizer/regex.h"

/** Text cut by a pattern: matches in <>, the rest bare, with | between. */
static void show_cuts(const char *pattern, bool is_literal, const char *text, StrBuf *out)
{
    Error err = {0};
    size_t n = strlen(pattern);
    Regex *regex =
        is_literal ? regex_compile_literal(pattern, n, &err) : regex_compile(pattern, n, &err);
    assert_ok(regex, err);
    RegexScratch *scratch = regex_scratch_create(&err);
    assert_ok(scratch, err);
    Matches matches = {0};
    assert_ok(regex_find_all(regex, scratch, text, strlen(text), &matches, &err), err);
    for (size_t i = 0; i < matches.n; i++) {
        Match m = matches.items[i];
        assert_ok(strbuf_printf(out, &err, "%s%s%.*s%s", i ? "|" : "", m.is_match ? "<" : "",
                                (int)(m.end - m.begin), text + m.begin, m.is_match ? ">" : ""),
                  err);
    }
    ARRAY_FREE(&matches);
    regex_scratch_destroy(scratch);
    regex_free(regex);
}

static void test_regex_find_all__cuts(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        bool is_literal;
        const char *text;
        const char *expected;
    } cases[] = {
        {"a", false, "", ""},
        {"a", false, "bab", "b|<a>|b"},
        {"x", false, "bab", "bab"},
        {"b*", false, "abba", "<>|a|<bb>|a|<>"}, /* no empty match right behind a match */
        {".", true, "a.b", "a|<.>|b"},
        {"", true, "ab", "ab"},
        {"\\d+", false, "a12\xD9\xA3z", "a|<12\xD9\xA3>|z"},
        {"\\s", false,
         "a\xE1\xA0\x8E"
         "b c",
         "a\xE1\xA0\x8E"
         "b|< >|c"}, /* U+180E is no space */
        {"\\s", false,
         "a\xC2\x85"
         "b",
         "a|<\xC2\x85>|b"},
        {"\\w+", false, "e\xCC\x81!", "<e\xCC\x81>|!"}, /* marks belong to words */
        {"[^\\W]+", false, "a\xC2\xB2", "<a>|\xC2\xB2"},
        {"\\b", false, "ab c", "<>|ab|<>| |<>|c|<>"},
        {"\\h+", false, "xBEEFy", "x|<BEEF>|y"},
        {"[a-z&&[^aeiou]]+", false, "banana", "<b>|a|<n>|a|<n>|a"},
        {"[^[a-m]x]", false, "amzx", "am|<z>|x"},
        {"[ab[cd]\\S]", false, "a d", "<a>| |<d>"},
        {"[]x]+", false, "a]xb", "a|<]x>|b"},
        {"[[:alpha:]]+", false, "1\xC3\xA9z2", "1|<\xC3\xA9z>|2"},
        {"(?m:a.b)", false, "a\nb", "<a\nb>"},
        {"a.b", false, "a\nb", "a\nb"},
        {"^b$", false, "a\nb\nc", "a\n|<b>|\nc"}, /* lines, always */
        {"\\u00e9", false, "a\xC3\xA9", "a|<\xC3\xA9>"},
        {"x{,2}y", false, "xxxy", "x|<xxy>"},
        {"\\v", false, "a\x0b\n", "a|<\x0b>|\n"},
        {"'s|\\s+(?!\\S)|\\s+", false, "a   b's ", "a|<  >|< >|b|<'s>|< >"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        StrBuf out = {0};
        show_cuts(cases[i].pattern, cases[i].is_literal, cases[i].text, &out);
        assert_string_equal(strbuf_text(&out), cases[i].expected);
        strbuf_free(&out);
    }
}

static void test_regex_compile__refuses(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(",     "[a",  "a\\",   "\\p{L",    "\\p{Nonsense}",
                                           "x{2}+", "\\y", "\\u12", "(?<=a*)b", "[b-a]"};
    for (size_t i = 0; i < AS_COUNT(patterns); i++) {
        Error err = {0};
        Regex *regex = regex_compile(patterns[i], strlen(patterns[i]), &err);
        assert_null(regex);
        assert_int_equal(err.code, ERR_UNSUPPORTED);
        assert_non_null(strstr(err.message, "regular expression"));
    }
}

static void test_regex_compile__deep_sets(void **state)
{
    (void)state;
    StrBuf pattern = {0};
    Error err = {0};
    for (int i = 0; i < 1000; i++) {
        assert_ok(strbuf_puts(&pattern, "[", &err), err);
    }
    assert_null(regex_compile(strbuf_text(&pattern), pattern.n, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    strbuf_free(&pattern);
}

static void test_regex_find_all__runaway(void **state)
{
    (void)state;
    Error err = {0};
    char text[64];
    memset(text, 'a', sizeof text);
    Regex *regex = regex_compile("(a+)+$b", 7, &err);
    assert_ok(regex, err);
    RegexScratch *scratch = regex_scratch_create(&err);
    assert_ok(scratch, err);
    Matches matches = {0};
    bool ok = regex_find_all(regex, scratch, text, sizeof text, &matches, &err);
    if (!ok) { /* an engine may also see that b can never come */
        assert_int_equal(err.code, ERR_UNSUPPORTED);
    }
    ARRAY_FREE(&matches);
    regex_scratch_destroy(scratch);
    regex_free(regex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regex_find_all__cuts),
        cmocka_unit_test(test_regex_find_all__runaway),
        cmocka_unit_test(test_regex_compile__refuses),
        cmocka_unit_test(test_regex_compile__deep_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
