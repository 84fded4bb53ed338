#include "testing.h"

#include "base/str.h"
#include "tokenizer/engine.h"
#include "tokenizer/unicode.h"

static void test_unicode_is__classes(void **state)
{
    (void)state;
    static const struct {
        bool (*is)(uint32_t);
        uint32_t code_point;
        bool expected;
    } cases[] = {
        {unicode_is_space, ' ', true},
        {unicode_is_space, 0x0B, true},
        {unicode_is_space, 0x1C, false},
        {unicode_is_space, 0x85, true},
        {unicode_is_space, 0x3000, true},
        {unicode_is_space, 0x200B, false},
        {unicode_is_space, 0x180E, false},
        {unicode_is_numeric, '7', true},
        {unicode_is_numeric, 0xBD, true},
        {unicode_is_numeric, 0x663, true},
        {unicode_is_numeric, 0x4E00, false},
        {unicode_is_punctuation, '$', true},
        {unicode_is_punctuation, 'a', false},
        {unicode_is_punctuation, 0x20AC, false},
        {unicode_is_punctuation, 0x3002, true},
        {unicode_is_punctuation, 0x2E43, false}, /* punctuation since Unicode 9 */
        {unicode_is_control, 0x7F, true},
        {unicode_is_control, 0x200D, true},
        {unicode_is_control, 0xE000, true},
        {unicode_is_control, 0x0378, false}, /* unassigned stays */
        {unicode_is_nonspacing_mark, 0x301, true},
        {unicode_is_nonspacing_mark, 0x903, false},
        {unicode_is_nonspacing_mark, 0x1DF6, false}, /* a mark since Unicode 10 */
        {unicode_is_mark, 0x903, true},
        {unicode_is_cjk, 0x4E00, true},
        {unicode_is_cjk, 0x3041, false},
        {unicode_is_cjk, 0x2B820, false},
        {unicode_is_word, '_', true},
        {unicode_is_word, 0x200D, true},
        {unicode_is_word, 0xBD, false},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        if (cases[i].is(cases[i].code_point) != cases[i].expected) {
            print_error("case %zu, U+%04X\n", i, cases[i].code_point);
            fail();
        }
    }
}

static void test_unicode_lower__full_mapping(void **state)
{
    (void)state;
    uint32_t out[2];
    assert_int_equal(unicode_lower('Z', out), 1);
    assert_int_equal(out[0], 'z');
    assert_int_equal(unicode_lower(0x130, out), 2);
    assert_int_equal(out[1], 0x307);
    assert_int_equal(unicode_lower(0x1E9E, out), 1);
    assert_int_equal(out[0], 0xDF);
    assert_int_equal(unicode_lower(0x3A3, out), 1);
    assert_int_equal(out[0], 0x3C3);
}

static void test_unicode_normalize__text_and_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        NormalForm form;
        const char *expected;
        const char *spans; /* of each byte */
    } cases[] = {
        {"", FORM_NFC, "", ""},
        {"ab", FORM_NFD, "ab", "0-1 1-2 "},
        {"\xC3\xA9x", FORM_NFD, "e\xCC\x81x", "0-2 0-2 0-2 2-3 "},
        {"e\xCC\x81x", FORM_NFC, "\xC3\xA9x", "0-1 0-1 3-4 "},
        {"\xEF\xAC\x81", FORM_NFKC, "fi", "0-3 0-3 "},
        {"\xEF\xAC\x81", FORM_NFC, "\xEF\xAC\x81", "0-3 0-3 0-3 "},
        /* marks in canonical order keep the places, not the marks */
        {"q\xCC\x87\xCC\xA3", FORM_NFD, "q\xCC\xA3\xCC\x87", "0-1 1-3 1-3 3-5 3-5 "},
        {"\xE1\x84\x80\xE1\x85\xA1", FORM_NFC, "\xEA\xB0\x80", "0-3 0-3 0-3 "},
        {"\xE2\x84\xAB", FORM_NFC, "\xC3\x85", "0-3 0-3 "},
        {"\xEF\xB7\xBA", FORM_NFKD,
         "\xD8\xB5\xD9\x84\xD9\x89 \xD8\xA7\xD9\x84\xD9\x84\xD9\x87 "
         "\xD8\xB9\xD9\x84\xD9\x8A\xD9\x87 \xD9\x88\xD8\xB3\xD9\x84\xD9\x85",
         NULL},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        Aligned in = {0};
        Aligned out = {0};
        StrBuf spans = {0};
        assert_ok(aligned_add_original(&in, cases[i].text, 0, strlen(cases[i].text), &err), err);
        assert_ok(unicode_normalize(&in, cases[i].form, &out, &err), err);
        assert_int_equal(out.n, strlen(cases[i].expected));
        assert_memory_equal(out.n ? out.text : "", cases[i].expected, out.n);
        for (size_t k = 0; k < out.n; k++) {
            assert_ok(strbuf_printf(&spans, &err, "%u-%u ", out.spans[k].start, out.spans[k].end),
                      err);
        }
        if (cases[i].spans) {
            assert_string_equal(strbuf_text(&spans), cases[i].spans);
        }
        strbuf_free(&spans);
        aligned_free(&in);
        aligned_free(&out);
    }
}

static void test_unicode_normalize__many_marks(void **state)
{
    (void)state;
    enum { N = 200000 };
    Error err = {0};
    Aligned in = {0};
    Aligned out = {0};
    for (int i = 0; i < N; i++) {
        uint32_t mark = i % 2 ? 0x301 : 0x323;
        assert_ok(aligned_add_code_point(&in, mark, (ByteSpan){0, 2}, &err), err);
    }
    assert_ok(unicode_normalize(&in, FORM_NFC, &out, &err), err);
    assert_int_equal(out.n, 2 * N);
    assert_memory_equal(out.text, "\xCC\xA3\xCC\xA3", 4);
    assert_memory_equal(out.text + out.n - 4, "\xCC\x81\xCC\x81", 4);
    aligned_free(&in);
    aligned_free(&out);
}

static void test_byte_level_char__alphabet(void **state)
{
    (void)state;
    assert_int_equal(byte_level_char('!'), '!');
    assert_int_equal(byte_level_char(' '), 0x120);
    assert_int_equal(byte_level_char('\n'), 0x10A);
    assert_int_equal(byte_level_char(0xAD), 0x143);
    assert_int_equal(byte_level_byte(0x144), -1);
    assert_int_equal(byte_level_byte(0xAD), -1);
    for (int byte = 0; byte < 256; byte++) {
        assert_int_equal(byte_level_byte(byte_level_char((uint8_t)byte)), byte);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unicode_is__classes),
        cmocka_unit_test(test_unicode_lower__full_mapping),
        cmocka_unit_test(test_unicode_normalize__text_and_offsets),
        cmocka_unit_test(test_unicode_normalize__many_marks),
        cmocka_unit_test(test_byte_level_char__alphabet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
