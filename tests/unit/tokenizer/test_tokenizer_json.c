#include "helpers.h"

#define VOCAB(entries) "\"vocab\":{" entries "}"
#define BPE(entries, merges)                                                                       \
    "\"model\":{\"type\":\"BPE\"," VOCAB(entries) ",\"merges\":[" merges "]}"
#define LETTERS "\"a\":0,\"b\":1,\"c\":2,\"ab\":3,\"bc\":4,\"abc\":5"
#define PIECES                                                                                     \
    "\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"un\":3,\"##able\":4,\"##do\":5,\"caf\":6,\"##e\":7,"    \
    "\"!\":8,\"\xE4\xBD\xA0\":9,\"\xE5\xA5\xBD\":10"
#define BERT                                                                                       \
    "\"normalizer\":{\"type\":\"BertNormalizer\"},\"pre_tokenizer\":{\"type\":"                    \
    "\"BertPreTokenizer\"},"                                                                       \
    "\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",2],\"cls\":[\"[CLS]\",1]}" \
    ","                                                                                            \
    "\"added_tokens\":[{\"id\":1,\"content\":\"[CLS]\",\"special\":true},{\"id\":50,\"content\":"  \
    "\"DO\",\"normalized\":true,\"single_word\":true}],"

static void test_tokenizer_open_json__errors(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        ErrorCode code;
        const char *says;
    } cases[] = {
        {"", ERR_FORMAT, "JSON"},
        {"[]", ERR_FORMAT, "object"},
        {"{}", ERR_FORMAT, "model"},
        {"{\"model\":\"\xFF\"}", ERR_FORMAT, "UTF-8"},
        {"{\"model\":{\"type\":\"Trigram\",\"vocab\":[]}}", ERR_UNSUPPORTED, "Unigram"},
        {"{\"model\":{\"type\":\"BPE\"}}", ERR_FORMAT, "merges"},
        {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":3}}", ERR_FORMAT, "vocab"},
        {"{" BPE("\"a\":-1", "") "}", ERR_FORMAT, "\"a\""},
        {"{" BPE("\"a\":0.5", "") "}", ERR_FORMAT, "\"a\""},
        {"{" BPE("\"a\":99999999", "") "}", ERR_FORMAT, "\"a\""},
        {"{" BPE("\"a\":9999999", "") "}", ERR_FORMAT, "broken"},
        {"{" BPE("\"a\":0,\"b\":0", "") "}", ERR_FORMAT, "same id"},
        {"{" BPE(LETTERS, "\"a\"") "}", ERR_FORMAT, "merge 0"},
        {"{" BPE(LETTERS, "[\"a\"]") "}", ERR_FORMAT, "merge 0"},
        {"{" BPE(LETTERS, "\"a b\",\"x b\"") "}", ERR_FORMAT, "merge 1"},
        {"{" BPE(LETTERS, "\"a c\"") "}", ERR_FORMAT, "the result"},
        {"{" BPE(LETTERS, "\"x b\"") "}", ERR_FORMAT,
         "joins \"x\" and \"b\", but the vocabulary lacks the first"},
        {"{" BPE(LETTERS, "\"a x\"") "}", ERR_FORMAT, "the second"},
        {"{" BPE(LETTERS, "[\"a\",\"b\",\"c\"]") "}", ERR_FORMAT, "merge 0 is neither"},
        {"{" BPE(LETTERS, "3") "}", ERR_FORMAT, "merge 0 is neither"},
        {"{" BPE("\"a\":\"0\"", "") "}", ERR_FORMAT, "\"a\" is not a whole number"},
        {"{\"model\":{\"type\":\"WordPiece\"," VOCAB(
             "\"a\":0") ",\"max_input_chars_per_word\":-1}}",
         ERR_FORMAT, "max_input_chars_per_word"},
        {"{" BPE(LETTERS, "") ",\"pre_tokenizer\":{\"type\":\"FixedLength\",\"length\":0}}",
         ERR_FORMAT, "length"},
        {"{" BPE(LETTERS, "") ",\"added_tokens\":[{\"id\":99999999,\"content\":\"x\"}]}",
         ERR_FORMAT, "id"},
        {"{" BPE(LETTERS, "") ",\"normalizer\":{\"type\":\"Postcompiled\"}}", ERR_UNSUPPORTED,
         "normalizer \"Postcompiled\" is not known; known are BertNormalizer, "},
        {"{" BPE(LETTERS, "") ",\"pre_tokenizer\":{\"type\":\"Nope\"}}", ERR_UNSUPPORTED,
         "WhitespaceSplit"},
        {"{" BPE(LETTERS, "") ",\"decoder\":{\"type\":\"Guess\"}}", ERR_UNSUPPORTED,
         "ByteFallback"},
        {"{" BPE(LETTERS, "") ",\"post_processor\":{\"type\":\"X\"}}", ERR_UNSUPPORTED,
         "TemplateProcessing"},
        {"{" BPE(LETTERS, "") ",\"normalizer\":{}}", ERR_FORMAT, "type"},
        {"{" BPE(LETTERS, "") ",\"normalizer\":{\"type\":\"Sequence\"}}", ERR_FORMAT, "list"},
        {"{" BPE(LETTERS,
                 "") ",\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"}}}",
         ERR_UNSUPPORTED, "Split: the regular expression"},
        {"{" BPE(LETTERS, "") ",\"pre_tokenizer\":{\"type\":\"Split\"}}", ERR_FORMAT, "pattern"},
        {"{" BPE(LETTERS, "") ",\"added_tokens\":{}}", ERR_FORMAT, "added_tokens"},
        {"{" BPE(LETTERS, "") ",\"added_tokens\":[{\"id\":1}]}", ERR_FORMAT, "content"},
        {"{" BPE(LETTERS, "") ",\"added_tokens\":[{\"id\":-1,\"content\":\"x\"}]}", ERR_FORMAT,
         "id"},
        {"{" BPE(LETTERS, "") ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":"
                              "[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}}]}}",
         ERR_FORMAT, "<s>"},
        {"{" BPE(LETTERS, "") ",\"post_processor\":{\"type\":\"BertProcessing\"}}", ERR_FORMAT,
         "cls"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        Tokenizer *t = open_text(cases[i].json, &err);
        if (t || err.code != cases[i].code || !strstr(err.message, cases[i].says)) {
            print_error("case %zu: %s\n", i, t ? "opened" : err.message);
            fail();
        }
    }
}

/* Ids that no token has: nothing is read there, and no text gives them. */
static void test_tokenizer_open_json__holes(void **state)
{
    (void)state;
    Error err = {0};
    Arena arena = {0};
    size_t n;
    Tokenizer *t = open_text("{" BPE("\"a\":0,\"b\":700,\"ab\":3000", "\"a b\"") "}", &err);
    assert_ok(t, err);
    assert_int_equal(tokenizer_n_vocab(t), 3001);
    assert_string_equal(show_tokens(t, "abb", 3, NULL, &arena), "3000:0-2 700:2-3");
    const int32_t ids[] = {0, 1, -1, 3001, INT32_MAX, 700};
    for (size_t i = 0; i < AS_COUNT(ids); i++) {
        const bool is_there = ids[i] == 0 || ids[i] == 700;
        assert_int_equal(tokenizer_token_name(t, ids[i]) != NULL, is_there);
        assert_int_equal(tokenizer_token_text(t, ids[i], &arena, &n, &err) != NULL, is_there);
    }
    assert_string_equal(tokenizer_decode(t, ids, AS_COUNT(ids), false, &arena, &n, &err), "a b");
    tokenizer_close(&t);
    arena_destroy(&arena);
}

static void test_tokenizer_open_json__deep_sequence(void **state)
{
    (void)state;
    Error err = {0};
    StrBuf json = {0};
    assert_ok(strbuf_puts(&json, "{" BPE(LETTERS, "") ",\"normalizer\":", &err), err);
    for (int i = 0; i < 50; i++) {
        assert_ok(strbuf_puts(&json, "{\"type\":\"Sequence\",\"normalizers\":[", &err), err);
    }
    for (int i = 0; i < 50; i++) {
        assert_ok(strbuf_puts(&json, "]}", &err), err);
    }
    assert_ok(strbuf_puts(&json, "}", &err), err);
    assert_null(open_text(strbuf_text(&json), &err));
    assert_int_equal(err.code, ERR_FORMAT);
    strbuf_free(&json);
}

static void test_tokenizer_encode__bpe(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text, *expected;
    } cases[] = {
        {"{" BPE(LETTERS, "\"a b\",\"ab c\"") "}", "abcab", "5:0-3 3:3-5"},
        {"{" BPE(LETTERS, "\"b c\",\"a b\"") "}", "abcab", "0:0-1 4:1-3 3:3-5"},
        {"{" BPE(LETTERS, "[\"a\",\"b\"]") "}", "ababab", "3:0-2 3:2-4 3:4-6"},
        {"{" BPE(LETTERS, "\"a b\"") "}", "", ""},
        /* without an unknown token, unknown characters leave a hole and nothing moves */
        {"{" BPE(LETTERS, "\"a b\"") "}", "axb", "3:0-3"},
        {"{" BPE(LETTERS, "\"a b\"") "}", "xa", "0:1-2"},
        {"{\"model\":{\"type\":\"BPE\",\"merges\":[],\"unk_token\":\"?\",\"fuse_unk\":true," VOCAB(
             "\"?\":0,\"a\":1") "}}",
         "\xC3\xA9xa\xE4\xBD\xA0", "0:0-3 1:3-4 0:4-7"},
        {"{\"model\":{\"type\":\"BPE\",\"merges\":[],\"unk_token\":\"?\"," VOCAB(
             "\"?\":0,\"a\":1") "}}",
         "xya", "0:0-1 0:1-2 1:2-3"},
        {"{\"model\":{\"type\":\"BPE\",\"merges\":[],\"byte_fallback\":true," VOCAB(
             "\"<0xC3>\":0,\"<0xA9>\":1") "}}",
         "\xC3\xA9", "0:0-2 1:0-2"},
        {"{\"model\":{\"type\":\"BPE\",\"merges\":[],\"ignore_merges\":true," VOCAB(LETTERS) "}}",
         "abc", "5:0-3"},
        {"{" BPE(LETTERS, "") ",\"added_tokens\":[{\"id\":9,\"content\":\"<m>\",\"lstrip\":true}]}",
         "a  <m> b", "0:0-1 9:1-6 1:7-8"},
        {"{" BPE(LETTERS, "") ",\"added_tokens\":[{\"id\":9,\"content\":\"ab\"},"
                              "{\"id\":8,\"content\":\"abc\"}]}",
         "abcab", "5:0-3 3:3-5"}, /* the longest wins; the model's own ids */
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        Arena arena = {0};
        Tokenizer *t = open_text(cases[i].json, &err);
        assert_ok(t, err);
        assert_string_equal(show_tokens(t, cases[i].text, strlen(cases[i].text), NULL, &arena),
                            cases[i].expected);
        tokenizer_close(&t);
        arena_destroy(&arena);
    }
}

static void test_tokenizer_encode__wordpiece(void **state)
{
    (void)state;
    Error err = {0};
    Arena arena = {0};
    Tokenizer *t =
        open_text("{" BERT "\"model\":{\"type\":\"WordPiece\"," VOCAB(PIECES) "}}", &err);
    assert_ok(t, err);
    TokenizeOptions special = {.add_special = true};
    TokenizeOptions pair = {.add_special = true, .text_pair = "caf\xC3\xA9", .n_pair_bytes = 5};
    static const char text[] = "UNdoable caf\xC3\xA9!\0 \xE4\xBD\xA0\xE5\xA5\xBD"; /* with a NUL */
    size_t n = sizeof text - 1;
    assert_string_equal(show_tokens(t, text, n, NULL, &arena),
                        "3:0-2 5:2-4 4:4-8 6:9-12 7:12-14 8:14-15 9:17-20 10:20-23");
    assert_string_equal(show_tokens(t, "", 0, &special, &arena), "+1:0-0 +2:0-0");
    assert_string_equal(show_tokens(t, "!", 1, &pair, &arena),
                        "+1:0-0 8:0-1 +2:0-0 6:0-3' 7:3-5' +2:0-0");
    assert_string_equal(show_tokens(t, "a[CLS]do", 8, NULL, &arena), "0:0-1 1:1-6 50:6-8");
    assert_string_equal(show_tokens(t, "undo", 4, NULL, &arena), "3:0-2 5:2-4");
    assert_int_equal(tokenizer_n_vocab(t), 51);
    assert_int_equal(tokenizer_find(t, "##do"), 5);
    assert_int_equal(tokenizer_find(t, "DO"), 50);
    assert_int_equal(tokenizer_find(t, "nope"), -1);
    assert_string_equal(tokenizer_token_name(t, 50), "DO");
    assert_null(tokenizer_token_name(t, 30));
    assert_null(tokenizer_token_name(t, -1));
    assert_true(tokenizer_is_special(t, 1));
    assert_false(tokenizer_is_special(t, 50));
    assert_int_equal(tokenizer_special_id(t, SPECIAL_UNK), 0);
    assert_int_equal(tokenizer_special_id(t, SPECIAL_CLS), 1);
    assert_int_equal(tokenizer_special_id(t, SPECIAL_EOS), -1);
    assert_string_equal(tokenizer_kind(t), "WordPiece");
    size_t length;
    assert_null(tokenizer_token_text(t, 30, &arena, &length, &err));
    assert_int_equal(err.code, ERR_RANGE);
    tokenizer_close(&t);
    assert_null(t);
    tokenizer_close(&t);
    arena_destroy(&arena);
}

static void test_tokenizer_encode__refuses(void **state)
{
    (void)state;
    Error err = {0};
    Arena arena = {0};
    Tokens tokens;
    Tokenizer *t = open_text("{" BPE(LETTERS, "") "}", &err);
    assert_ok(t, err);
    assert_false(tokenizer_encode(t, "a\xFF", 2, NULL, &arena, &tokens, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    TokenizeOptions pair = {.text_pair = "\xC3", .n_pair_bytes = 1};
    assert_false(tokenizer_encode(t, "a", 1, &pair, &arena, &tokens, &err));
    tokenizer_close(&t);
    t = open_text("{\"model\":{\"type\":\"WordLevel\"," VOCAB("\"a\":0") "}}", &err);
    assert_ok(t, err);
    assert_false(tokenizer_encode(t, "zebra", 5, NULL, &arena, &tokens, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.message, "zebra"));
    tokenizer_close(&t);
    arena_destroy(&arena);
}

static void test_tokenizer_token_text__kinds(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int32_t id;
        const char *expected;
    } cases[] = {
        {"{" BPE("\"\xC4\xA0the\":0", "") ",\"decoder\":{\"type\":\"ByteLevel\"}}", 0, " the"},
        {"{" BPE("\"\xC3\x83\":0", "") ",\"decoder\":{\"type\":\"ByteLevel\"}}", 0, "\xC3"},
        {"{" BPE("\"\xE2\x96\x81the\xE2\x96\x81\":0", "") "}", 0, " the "},
        {"{" BPE("\"##ing\":0", "") "}", 0, "##ing"},
        {"{" BPE("\"a\":0", "") ",\"decoder\":{\"type\":\"ByteLevel\"},\"added_tokens\":[{\"id\":1,"
                                "\"content\":\"<\xC4\xA0>\"}]}",
         1, "<\xC4\xA0>"},
        {"{\"model\":{\"type\":\"BPE\",\"merges\":[],\"byte_fallback\":true," VOCAB(
             "\"<0x0A>\":0") "}}",
         0, "\n"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        Arena arena = {0};
        size_t n;
        Tokenizer *t = open_text(cases[i].json, &err);
        assert_ok(t, err);
        char *text = tokenizer_token_text(t, cases[i].id, &arena, &n, &err);
        assert_ok(text, err);
        assert_string_equal(text, cases[i].expected);
        assert_int_equal(n, strlen(cases[i].expected));
        tokenizer_close(&t);
        arena_destroy(&arena);
    }
}

static void test_tokenizer_encode__long_word(void **state)
{
    (void)state;
    enum { N = 100001 };
    Error err = {0};
    Arena arena = {0};
    Tokens tokens;
    char *text = arena_alloc(&arena, N, &err);
    assert_ok(text, err);
    memset(text, 'a', N);
    Tokenizer *t = open_text("{" BPE("\"a\":0,\"aa\":1,\"aaaa\":2", "\"a a\",\"aa aa\"") "}", &err);
    assert_ok(t, err);
    assert_ok(tokenizer_encode(t, text, N, NULL, &arena, &tokens, &err), err);
    assert_int_equal(tokens.n, N / 4 + 1);
    assert_int_equal(tokens.ids[0], 2);
    assert_int_equal(tokens.ids[N / 4], 0);
    assert_int_equal(tokens.end[N / 4], N);
    tokenizer_close(&t);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokenizer_open_json__errors),
        cmocka_unit_test(test_tokenizer_open_json__holes),
        cmocka_unit_test(test_tokenizer_open_json__deep_sequence),
        cmocka_unit_test(test_tokenizer_encode__bpe),
        cmocka_unit_test(test_tokenizer_encode__wordpiece),
        cmocka_unit_test(test_tokenizer_encode__refuses),
        cmocka_unit_test(test_tokenizer_encode__long_word),
        cmocka_unit_test(test_tokenizer_token_text__kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
