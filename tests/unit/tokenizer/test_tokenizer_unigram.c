/* Unigram and SentencePiece's character rules: best paths, ties, unknown pieces, broken files. */
#include "helpers.h"

#include "tokenizer/charsmap.h"
#include "tokenizer/piece_trie.h"

#define UNIGRAM(settings, pieces)                                                                  \
    "{\"model\":{\"type\":\"Unigram\"," settings "\"vocab\":[" pieces "]}}"
#define UNK   "\"unk_id\":0,"
#define BYTES "\"byte_fallback\":true,"

static void test_unigram_open__errors(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } cases[] = {
        {UNIGRAM("", "3"), "piece 0"},
        {UNIGRAM("", "[\"a\",0],[\"b\"]"), "piece 1"},
        {UNIGRAM("", "[\"a\",\"b\"]"), "piece 0"},
        {UNIGRAM("", "[\"a\",1,2]"), "piece 0"},
        {UNIGRAM("", "[1,\"a\"]"), "piece 0"},
        {UNIGRAM("", "[\"a\",1e999]"), "finite"},
        {UNIGRAM("", "[\"a\",0],[\"b\",-1e400]"), "piece 1"},
        {UNIGRAM("\"unk_id\":1,", "[\"a\",0]"), "unk_id is 1"},
        {UNIGRAM("\"unk_id\":-1,", "[\"a\",0]"), "unk_id"},
        {UNIGRAM("\"unk_id\":0.5,", "[\"a\",0]"), "unk_id"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":{\"a\":0}}}", "vocab"},
        {"{\"model\":{\"vocab\":[[]]}}", "piece 0"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        Tokenizer *t = open_text(cases[i].json, &err);
        if (t || err.code != ERR_FORMAT || !strstr(err.message, cases[i].says)) {
            print_error("case %zu: %s\n", i, t ? "opened" : err.message);
            fail();
        }
    }
}

static void test_unigram_open__long_pieces(void **state)
{
    (void)state;
    for (size_t n = 4096; n <= 4097; n++) {
        Error err = {0};
        StrBuf json = {0};
        bool ok = strbuf_puts(&json, "{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"", &err);
        for (size_t i = 0; i < n && ok; i++) {
            ok = strbuf_puts(&json, "a", &err);
        }
        assert_ok(ok && strbuf_puts(&json, "\",0]]}}", &err), err);
        Tokenizer *t = open_text(strbuf_text(&json), &err);
        assert_int_equal(t != NULL, n == 4096);
        assert_int_equal(err.code, n == 4096 ? ERR_NONE : ERR_RANGE);
        tokenizer_close(&t);
        strbuf_free(&json);
    }
}

static void test_unigram_encode__huge_scores(void **state)
{
    (void)state;
    /* Sums past the largest number are all equal: any path will do, but it must be one. */
    Error err = {0};
    Arena arena = {0};
    Tokens tokens;
    Tokenizer *t = open_text(UNIGRAM(UNK, "[\"?\",-1.7e308],[\"a\",1.7e308],[\"b\",-1.7e308],"
                                          "[\"aa\",1.7e308],[\"bb\",-1.7e308]"),
                             &err);
    assert_ok(t, err);
    assert_ok(tokenizer_encode(t, "aaaabbbbxxaabb", 14, NULL, &arena, &tokens, &err), err);
    uint32_t end = 0;
    for (size_t i = 0; i < tokens.n; i++) {
        assert_int_equal(tokens.start[i], end);
        end = tokens.end[i];
    }
    assert_int_equal(end, 14);
    tokenizer_close(&t);
    arena_destroy(&arena);
}

static void test_unigram_encode__paths(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text, *expected;
    } cases[] = {
        {UNIGRAM(UNK, "[\"?\",0],[\"a\",-1],[\"b\",-1],[\"ab\",-1.5]"), "abab", "3:0-2 3:2-4"},
        {UNIGRAM(UNK, "[\"?\",0],[\"a\",-1],[\"b\",-1],[\"ab\",-2.5]"), "ab", "1:0-1 2:1-2"},
        /* equal sums: the path whose last piece begins first */
        {UNIGRAM(UNK, "[\"?\",0],[\"a\",-1],[\"b\",-1],[\"ab\",-2]"), "ab", "3:0-2"},
        /* unknown neighbours are one; a character costs 10 more than the worst piece */
        {UNIGRAM(UNK, "[\"?\",0],[\"a\",-1]"), "xyaz\xC3\xA9", "0:0-2 1:2-3 0:3-6"},
        {UNIGRAM(UNK, "[\"?\",0],[\"a\",-1],[\"xy\",-21.5]"), "xya", "2:0-2 1:2-3"},
        /* the last of two equal names counts, with its score */
        {UNIGRAM(UNK, "[\"?\",0],[\"a\",-9],[\"b\",-1],[\"ab\",-1],[\"ab\",-30]"), "ab",
         "1:0-1 2:1-2"},
        {UNIGRAM(UNK, "[\"?\",0],[\"a\",-1]"), "", ""},
        /* bytes where all are there, else the unknown token */
        {UNIGRAM(UNK BYTES, "[\"?\",0],[\"a\",-1],[\"<0xC3>\",0],[\"<0xA9>\",0]"),
         "\xC3\xA9\xC3\xA9"
         "a",
         "2:0-4 3:0-4 2:0-4 3:0-4 1:4-5"},
        {UNIGRAM(UNK BYTES, "[\"?\",0],[\"a\",-1],[\"<0xC3>\",0]"), "\xC3\xA9", "0:0-2"},
        /* the unknown token's own name in a text is unknown too */
        {UNIGRAM(UNK, "[\"?\",0],[\"a\",-1]"), "x?xa", "0:0-3 1:3-4"},
        {UNIGRAM("", "[\"a\",-1],[\"ab\",-1]"), "aab", "0:0-1 1:1-3"},
        {UNIGRAM("", "[\"\",-1],[\"a\",-1]"), "a", "1:0-1"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        Arena arena = {0};
        Tokenizer *t = open_text(cases[i].json, &err);
        assert_ok(t, err);
        char *shown = show_tokens(t, cases[i].text, strlen(cases[i].text), NULL, &arena);
        if (strcmp(shown, cases[i].expected) != 0) {
            print_error("case %zu: %s, expected %s\n", i, shown, cases[i].expected);
            fail();
        }
        tokenizer_close(&t);
        arena_destroy(&arena);
    }
}

static void test_unigram_encode__no_unknown_token(void **state)
{
    (void)state;
    Error err = {0};
    Arena arena = {0};
    Tokens tokens;
    Tokenizer *t = open_text(UNIGRAM("", "[\"a\",-1]"), &err);
    assert_ok(t, err);
    assert_false(tokenizer_encode(t, "ax", 2, NULL, &arena, &tokens, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.message, "\"x\""));
    tokenizer_close(&t);
    arena_destroy(&arena);
}

static void test_piece_trie_find__every_name_and_nothing_else(void **state)
{
    (void)state;
    enum { N = 5000, LONGEST = 6 };
    Error err = {0};
    Arena arena = {0};
    Vocab vocab;
    PieceTrie trie;
    bool *left_out = ARENA_ARRAY(&arena, bool, N, &err);
    assert_ok(vocab_create(&vocab, &arena, N, (size_t)N * LONGEST, &err), err);
    uint32_t seed = 7;
    for (uint32_t i = 0; i < N; i++) {
        char name[LONGEST];
        size_t n = 1 + i % LONGEST;
        for (size_t k = 0; k < n; k++) {
            seed = seed * 1664525 + 1013904223;
            /* few letters, so that names share beginnings; all bytes at times */
            name[k] = (char)(seed >> 31 ? 'a' + (seed >> 27 & 7) : seed >> 20);
        }
        vocab_put(&vocab, i, name, n);
        left_out[i] = i % 7 == 0;
    }
    assert_ok(piece_trie_build(&trie, &vocab, left_out, &arena, &err), err);
    for (uint32_t i = 0; i < N; i++) {
        int32_t id = vocab_find(&vocab, vocab.names[i], vocab.lengths[i]);
        int32_t expected = left_out[id] ? -1 : id;
        assert_int_equal(piece_trie_find(&trie, vocab.names[i], vocab.lengths[i]), expected);
        char longer[LONGEST + 1];
        memcpy(longer, vocab.names[i], vocab.lengths[i]);
        longer[vocab.lengths[i]] = '~';
        id = vocab_find(&vocab, longer, vocab.lengths[i] + 1u);
        assert_int_equal(piece_trie_find(&trie, longer, vocab.lengths[i] + 1u),
                         id >= 0 && left_out[id] ? -1 : id);
    }
    arena_destroy(&arena);
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

static void test_charsmap_read__sizes(void **state)
{
    (void)state;
    Arena arena = {0};
    Charsmap map;
    uint8_t bytes[16] = {0};
    static const struct {
        uint32_t trie;
        size_t n;
        bool opens;
    } cases[] = {{0, 0, true},
                 {0, 3, false},
                 {0, 4, true},
                 {4, 8, true},
                 {4, 7, false},
                 {8, 12, true},
                 {6, 16, false},
                 {16, 16, false},
                 {12, 16, true},
                 {UINT32_MAX, 16, false},
                 {0x80000000u, 16, false}};
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        put_u32(bytes, cases[i].trie);
        assert_int_equal(charsmap_read(&map, &arena, bytes, cases[i].n, "m", &err), cases[i].opens);
        assert_int_equal(err.code, cases[i].opens ? ERR_NONE : ERR_FORMAT);
    }
    static uint8_t long_rule[4 + 1025 + 1];
    memset(long_rule + 4, 'x', 1025);
    Error err = {0};
    assert_false(charsmap_read(&map, &arena, long_rule, sizeof long_rule, "m", &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_ok(charsmap_read(&map, &arena, long_rule, sizeof long_rule - 2, "m", &err), err);
    err = (Error){0};
    bytes[15] = 0xFF;
    put_u32(bytes, 8);
    assert_false(charsmap_read(&map, &arena, bytes, 16, "m", &err));
    assert_non_null(strstr(err.message, "UTF-8"));
    arena_destroy(&arena);
}

static void test_charsmap_find__hostile_units(void **state)
{
    (void)state;
    /* Every unit leads somewhere else, most of it outside: nothing but texts may come back. */
    Error err = {0};
    Arena arena = {0};
    Charsmap map;
    uint8_t bytes[4 + 4 * 64 + 6];
    put_u32(bytes, 4 * 64);
    memcpy(bytes + 4 + 4 * 64, "\xC3\xA9z\0ab", 6);
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        for (int i = 0; i < 64; i++) {
            seed = seed * 1664525 + 1013904223;
            /* small offsets and the labels that are asked for, now and then anything */
            uint32_t unit = (seed >> 10 & 63) << 10 | (seed >> 16 & 1) << 8 | (seed >> 20 & 7);
            put_u32(bytes + 4 + 4 * i, seed >> 28 ? unit : seed);
        }
        assert_ok(charsmap_read(&map, &arena, bytes, sizeof bytes, "m", &err), err);
        size_t n = 0;
        const char *found = charsmap_find(&map, "\1\2\3\4\5\6\7", 7, &n);
        assert_true(!found || (found >= map.texts && found + n <= map.texts + map.n_texts &&
                               utf8_count_invalid(found, n) == 0));
        arena_reset(&arena);
    }
    arena_destroy(&arena);
}

static void test_charsmap_find_longest__whole_characters(void **state)
{
    (void)state;
    /* Of \xC3\xA9 the first byte alone has a rule, and both where the second round adds one. */
    Error err = {0};
    Arena arena = {0};
    Charsmap map;
    enum { N_UNITS = 0x200, CHILDREN = 0x100, FIRST = CHILDREN ^ 0xC3, SECOND = FIRST ^ 1 ^ 0xA9 };
    static uint8_t bytes[4 + 4 * N_UNITS + 4];
    uint8_t *units = bytes + 4;
    put_u32(bytes, 4 * N_UNITS);
    put_u32(units, CHILDREN << 10);
    put_u32(units + 4 * FIRST, 1 << 10 | 1 << 8 | 0xC3);
    memcpy(bytes + 4 + 4 * N_UNITS, "x\0y", 4);
    for (int round = 0; round < 2; round++) {
        size_t n_in = 0;
        size_t n_out = 0;
        assert_ok(charsmap_read(&map, &arena, bytes, sizeof bytes, "m", &err), err);
        const char *found = charsmap_find_longest(&map, "\xC3\xA9z", 3, &n_in, &n_out);
        if (round == 0) {
            assert_non_null(charsmap_find(&map, "\xC3\xA9z", 3, &n_out));
            assert_null(found);
        } else {
            assert_string_equal(found, "y");
            assert_int_equal(n_in, 2);
            assert_int_equal(n_out, 1);
        }
        put_u32(units + 4 * SECOND, 1 << 10 | 1 << 8 | 0xA9);
        put_u32(units + 4 * (SECOND ^ 1), 2);
    }
    arena_destroy(&arena);
}

static void test_charsmap_read_base64__forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool reads;
    } cases[] = {{"", true},      {"AAAAAA==", true}, {"AAAAAAA=", true},
                 {"AAAA", false}, {"AAAAAA=", false}, {"AAAA*A==", false},
                 {"A", false},    {"====", false},    {"AAAAAAAA\n", false}};
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        Arena arena = {0};
        Charsmap map;
        assert_int_equal(charsmap_read_base64(&map, &arena, cases[i].text, "m", &err),
                         cases[i].reads);
        arena_destroy(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unigram_open__errors),
        cmocka_unit_test(test_unigram_open__long_pieces),
        cmocka_unit_test(test_unigram_encode__huge_scores),
        cmocka_unit_test(test_unigram_encode__paths),
        cmocka_unit_test(test_unigram_encode__no_unknown_token),
        cmocka_unit_test(test_piece_trie_find__every_name_and_nothing_else),
        cmocka_unit_test(test_charsmap_read__sizes),
        cmocka_unit_test(test_charsmap_find__hostile_units),
        cmocka_unit_test(test_charsmap_find_longest__whole_characters),
        cmocka_unit_test(test_charsmap_read_base64__forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
