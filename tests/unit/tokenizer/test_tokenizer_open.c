#include "helpers.h"

#include "tokenizer/chat.h"

#include "base/file.h"
#include "formats/tensor_file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char VOCAB_TXT[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\r\n##do\nUn\ncaf\xC3\xA9\ncafe";

typedef struct Folder {
    char path[64];
    Arena arena;
} Folder;

static int make_folder(void **state)
{
    Folder *folder = calloc(1, sizeof *folder);
    if (!folder) {
        return -1;
    }
    strcpy(folder->path, "/tmp/test_tokenizer_XXXXXX");
    *state = folder;
    return mkdtemp(folder->path) ? 0 : -1;
}

static int remove_folder(void **state)
{
    Folder *folder = *state;
    char **names;
    size_t n;
    Error err = {0};
    if (folder_list(&folder->arena, folder->path, &names, &n, &err)) {
        for (size_t i = 0; i < n; i++) {
            char *path = path_join(&folder->arena, folder->path, names[i], &err);
            if (path) {
                (void)unlink(path);
            }
        }
    }
    (void)rmdir(folder->path);
    arena_destroy(&folder->arena);
    free(folder);
    return 0;
}

static char *put_file(Folder *folder, const char *name, const void *bytes, size_t n)
{
    Error err = {0};
    char *path = path_join(&folder->arena, folder->path, name, &err);
    assert_ok(path && file_write_all(path, bytes, n, &err), err);
    return path;
}

static void test_tokenizer_open__vocab_txt(void **state)
{
    Folder *folder = *state;
    static const struct {
        const char *config, *text, *expected;
    } cases[] = {
        {"{}", "Undo CAF\xC3\x89", "+2:0-0 5:0-2 6:2-4 9:5-10 +3:0-0"},
        {"{\"do_lower_case\":false}", "Undo caf\xC3\xA9", "+2:0-0 7:0-2 6:2-4 8:5-10 +3:0-0"},
        {"{\"strip_accents\":false}", "caf\xC3\xA9", "+2:0-0 8:0-5 +3:0-0"},
        {"{\"cls_token\":{\"content\":\"[PAD]\"},\"sep_token\":\"[MASK]\"}", "un [CLS]",
         "+0:0-0 5:0-2 1:3-4 1:4-7 1:7-8 +4:0-0"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        TokenizeOptions options = {.add_special = true};
        put_file(folder, "tokenizer_config.json", cases[i].config, strlen(cases[i].config));
        put_file(folder, "vocab.txt", VOCAB_TXT, strlen(VOCAB_TXT));
        Tokenizer *t = tokenizer_open(folder->path, NULL, &err);
        assert_ok(t, err);
        assert_string_equal(
            show_tokens(t, cases[i].text, strlen(cases[i].text), &options, &folder->arena),
            cases[i].expected);
        assert_int_equal(tokenizer_n_vocab(t), 10);
        assert_int_equal(tokenizer_special_id(t, SPECIAL_PAD), 0);
        tokenizer_close(&t);
    }
}

static void test_tokenizer_open__json_comes_first(void **state)
{
    Folder *folder = *state;
    static const char json[] =
        "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"x\":0,\"</s>\":1}},\"added_tokens\":"
        "[{\"id\":1,\"content\":\"</s>\",\"special\":true}]}";
    static const char config[] = "{\"eos_token\":null,\"bos_token\":\"</s>\"}";
    Error err = {0};
    put_file(folder, "vocab.txt", VOCAB_TXT, strlen(VOCAB_TXT));
    put_file(folder, "tokenizer_config.json", config, strlen(config));
    char *path = put_file(folder, "tokenizer.json", json, strlen(json));
    Tokenizer *t = tokenizer_open(folder->path, NULL, &err);
    assert_ok(t, err);
    assert_string_equal(tokenizer_kind(t), "WordLevel");
    assert_int_equal(tokenizer_special_id(t, SPECIAL_BOS), 1);
    assert_int_equal(tokenizer_special_id(t, SPECIAL_EOS), 1);
    tokenizer_close(&t);
    t = tokenizer_open(path, NULL, &err);
    assert_ok(t, err);
    tokenizer_close(&t);
    put_file(folder, "tokenizer_config.json", "{", 1);
    assert_null(tokenizer_open(path, NULL, &err));
    assert_int_equal(err.code, ERR_FORMAT);
}

/* The older form of byte-level BPE; what is wrong in either file is said. */
static void test_tokenizer_open__merges_txt(void **state)
{
    Folder *folder = *state;
    static const char vocab[] = "{\"a\":0,\"b\":1,\"ab\":2,\"<s>\":3,\"</s>\":4}";
    static const struct {
        const char *vocab, *merges, *config;
        const char *expected, *says; /* tokens of "ab</s>", or why not */
    } cases[] = {
        {vocab, "#version: 0.2\r\na b\r\n", "{}", "2:0-2", NULL},
        {vocab, "a b", "{\"eos_token\":\"</s>\"}", "2:0-2 4:2-6", NULL},
        {vocab, "", "{\"eos_token\":{\"content\":\"</s>\"}}", "0:0-1 1:1-2 4:2-6", NULL},
        {vocab, "a b", "{\"eos_token\":\"</s>\",\"bos_token\":\"<s>\",\"add_bos_token\":true}",
         "+3:0-0 2:0-2 4:2-6", NULL},
        {vocab, "a b", "{\"tokenizer_class\":\"BartTokenizerFast\"}", "+3:0-0 2:0-2 4:2-6 +4:0-0",
         NULL},
        {vocab, "ab", "{}", NULL, "merge 0 is neither"},
        {vocab, "a b\nb a", "{}", NULL, "merge 1 joins"},
        {vocab, "a \xFF", "{}", NULL, "not UTF-8"},
        {"[]", "a b", "{}", NULL, "is no object"},
        {"{\"a\":-1}", "", "{}", NULL, "whole number"},
        {"{\"a\":0,\"b\":1,\"ab\":2}", "a b", "{\"add_bos_token\":true}", NULL, "id"},
        {"{\"a\":0,\"b\":1,\"ab\":2}", "a b", "{\"tokenizer_class\":\"RobertaTokenizer\"}", NULL,
         "special token with the id -1"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        put_file(folder, "vocab.json", cases[i].vocab, strlen(cases[i].vocab));
        put_file(folder, "merges.txt", cases[i].merges, strlen(cases[i].merges));
        put_file(folder, "tokenizer_config.json", cases[i].config, strlen(cases[i].config));
        Tokenizer *t = tokenizer_open(folder->path, NULL, &err);
        if (cases[i].says) {
            if (t || err.code != ERR_FORMAT || !strstr(err.message, cases[i].says)) {
                fail_msg("case %zu: %s", i, t ? "opened" : err.message);
            }
            continue;
        }
        assert_ok(t, err);
        const char *shown =
            show_tokens(t, "ab</s>", 6, &(TokenizeOptions){.add_special = true}, &folder->arena);
        if (strcmp(shown, cases[i].expected) != 0) {
            fail_msg("case %zu: %s", i, shown);
        }
        tokenizer_close(&t);
    }
}

/* Ids of added_tokens.json, but of what the vocabulary has its own; what is no id is left out. */
static void test_tokenizer_open__merges_and_added_tokens(void **state)
{
    Folder *folder = *state;
    static const char vocab[] = "{\"a\":0,\"b\":1,\"<s>\":2}";
    static const char added[] = "{\"<x>\":3,\"<s>\":9,\"<y>\":\"4\",\"<z>\":-1}";
    static const char text[] = "a<x><s>b";
    Error err = {0};
    put_file(folder, "vocab.json", vocab, strlen(vocab));
    put_file(folder, "merges.txt", "", 0);
    put_file(folder, "added_tokens.json", added, strlen(added));
    Tokenizer *t = tokenizer_open(folder->path, NULL, &err);
    assert_ok(t, err);
    assert_string_equal(show_tokens(t, text, strlen(text), NULL, &folder->arena),
                        "0:0-1 3:1-4 2:4-7 1:7-8");
    assert_int_equal(tokenizer_find(t, "<y>"), -1);
    assert_int_equal(tokenizer_find(t, "<z>"), -1);
    tokenizer_close(&t);
}

static void test_tokenizer_open__errors(void **state)
{
    Folder *folder = *state;
    Error err = {0};
    assert_null(tokenizer_open(folder->path, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "vocab.txt"));
    assert_null(tokenizer_open("/nowhere/tokenizer.json", NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_null(tokenizer_open_embedded("models/none/", NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    static const struct {
        const char *name, *text;
    } bad[] = {{"vocab.txt", ""},
               {"vocab.txt", "a\nb\n"},
               {"vocab.txt", "[UNK]\n[CLS]\n\xFF\n[SEP]\n"},
               {"model.gguf", "GGUF"}};
    for (size_t i = 0; i < AS_COUNT(bad); i++) {
        char *path = put_file(folder, bad[i].name, bad[i].text, strlen(bad[i].text));
        err = (Error){0};
        assert_null(tokenizer_open(path, NULL, &err));
        assert_int_equal(err.code, ERR_FORMAT);
    }
    assert_int_equal(unlink(path_join(&folder->arena, folder->path, "vocab.txt", &err)), 0);
    put_file(folder, "other.gguf", "GGUF", 4);
    assert_null(tokenizer_open(folder->path, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "several"));
}

/* ---- GGUF ---- */

static void put_raw(StrBuf *b, const void *bytes, size_t n)
{
    Error err = {0};
    assert_ok(strbuf_add(b, bytes, n, &err), err);
}

static void put_number(StrBuf *b, uint64_t value, size_t n_bytes)
{
    put_raw(b, &value, n_bytes);
}

static void put_name(StrBuf *b, const char *text)
{
    put_number(b, strlen(text), 8);
    put_raw(b, text, strlen(text));
}

enum {
    GGUF_UINT32 = 4,
    GGUF_INT32 = 5,
    GGUF_FLOAT32 = 6,
    GGUF_BOOL = 7,
    GGUF_STRING = 8,
    GGUF_ARRAY = 9
};

/** One metadata key from text: "s:…", "S:a|b" (strings), "i:…" (number), "b:…", "I:1,2", "F:1,2".
 */
static void put_key(StrBuf *b, const char *key, const char *value)
{
    char copy[256];
    put_name(b, key);
    snprintf(copy, sizeof copy, "%s", value + 2);
    if (value[0] == 's') {
        put_number(b, GGUF_STRING, 4);
        put_name(b, copy);
        return;
    }
    if (value[0] == 'i' || value[0] == 'b') {
        put_number(b, value[0] == 'i' ? GGUF_UINT32 : GGUF_BOOL, 4);
        put_number(b, strtoul(copy, NULL, 10), value[0] == 'i' ? 4 : 1);
        return;
    }
    const char *cut = value[0] == 'S' ? "|" : ",";
    size_t n = 1;
    for (const char *p = copy; *p; p++) {
        n += *p == *cut;
    }
    put_number(b, GGUF_ARRAY, 4);
    put_number(b, value[0] == 'S' ? GGUF_STRING : value[0] == 'I' ? GGUF_INT32 : GGUF_FLOAT32, 4);
    put_number(b, n, 8);
    char *rest = copy;
    for (char *item; (item = strsep(&rest, cut));) {
        float number = strtof(item, NULL);
        if (value[0] == 'S') {
            put_name(b, item);
        } else if (value[0] == 'I') {
            put_number(b, strtoul(item, NULL, 10), 4);
        } else {
            put_raw(b, &number, 4);
        }
    }
}

enum { MOST_KEYS = 10 };
typedef struct Key {
    const char *key, *value;
} Key;

static Tokenizer *open_gguf(const Key keys[MOST_KEYS], const Log *log, Error *err)
{
    StrBuf b = {0};
    uint64_t n = 0;
    while (n < MOST_KEYS && keys[n].key) {
        n++;
    }
    put_raw(&b, "GGUF", 4);
    put_number(&b, 3, 4);
    put_number(&b, 0, 8);
    put_number(&b, n, 8);
    for (uint64_t i = 0; i < n; i++) {
        char key[64];
        bool is_chat = strcmp(keys[i].key, "chat_template") == 0;
        snprintf(key, sizeof key, is_chat ? "tokenizer.%s" : "tokenizer.ggml.%s", keys[i].key);
        put_key(&b, key, keys[i].value);
    }
    TensorFile *file = tensor_file_open_memory("t.gguf", b.text, b.n, err);
    assert_ok(file, *err);
    Tokenizer *t = tokenizer_open_gguf(file, log, err);
    tensor_file_close(&file);
    strbuf_free(&b);
    return t;
}

#define G   "\xC4\xA0" /* byte-level space */
#define SPM "\xE2\x96\x81"

static void test_tokenizer_open_gguf__kinds(void **state)
{
    Folder *folder = *state;
    static const struct {
        Key keys[MOST_KEYS];
        const char *text, *expected;
    } cases[] = {
        {{{"model", "s:gpt2"},
          {"pre", "s:gpt-2"},
          {"tokens", "S:<s>|a|b|" G "|ab|" G "a|1|11"},
          {"token_type", "I:3,1,1,1,1,1,1,1"},
          {"merges", "S:a b|" G " a|1 1"},
          {"bos_token_id", "i:0"}},
         "ab a<s>b 11",
         "4:0-2 5:2-4 0:4-7 2:7-8 3:8-9 7:9-11"},
        {{{"model", "s:gpt2"},
          {"pre", "s:smollm"},
          {"tokens", "S:<s>|1|11"},
          {"merges", "S:1 1"},
          {"add_bos_token", "b:1"},
          {"bos_token_id", "i:0"}},
         "11",
         "+0:0-0 1:0-1 1:1-2"}, /* digits one by one */
        {{{"model", "s:gpt2"},
          {"pre", "s:llama-bpe"},
          {"tokens", "S:<s>|a|aa|aaa"},
          {"merges", "S:a a"},
          {"bos_token_id", "i:0"}},
         "aaa",
         "+0:0-0 3:0-3"}, /* whole words first, and <s> where the file does not say */
        {{{"model", "s:llama"},
          {"tokens", "S:<unk>|<s>|" SPM "|a|b|ab|" SPM "a|<0xC3>|<0xA9>"},
          {"token_type", "I:2,3,1,1,1,1,1,6,6"},
          {"scores", "F:0,0,-5,-6,-7,-2,-1,0,0"},
          {"bos_token_id", "i:1"},
          {"unknown_token_id", "i:0"}},
         "ab ab\xC3\xA9z",
         "+1:0-0 6:0-1 4:1-2 6:2-4 4:4-5 7:5-7 8:5-7 0:7-8"},
        {{{"model", "s:llama"},
          {"tokens", "S:<unk>|<s>|" SPM "|a|b|ab|" SPM "a|" SPM "ab"},
          {"token_type", "I:2,3,1,1,1,1,1,1"},
          {"scores", "F:0,0,-5,-6,-7,-1,-2,-3"},
          {"bos_token_id", "i:1"},
          {"eos_token_id", "i:0"},
          {"add_eos_token", "b:1"},
          {"add_bos_token", "b:0"},
          {"add_space_prefix", "b:0"}},
         "ab ab",
         "5:0-2 7:2-5 +0:0-0"},
        {{{"model", "s:bert"},
          {"tokens", "S:[UNK]|[CLS]|[SEP]|" SPM "un|do|" SPM "!"},
          {"token_type", "I:3,3,3,1,1,1"}},
         "UNdo!",
         "+1:0-0 3:0-2 4:2-4 5:4-5 +2:0-0"},
        {{{"model", "s:bert"}, {"tokens", "S:[UNK]|[CLS]|[SEP]|" SPM "Un|do"}},
         "Undo undo",
         "+1:0-0 3:0-2 4:2-4 0:5-9 +2:0-0"}, /* capitals in the vocabulary: text is left as it is */
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        TokenizeOptions options = {.add_special = true};
        Tokenizer *t = open_gguf(cases[i].keys, NULL, &err);
        assert_ok(t, err);
        assert_string_equal(
            show_tokens(t, cases[i].text, strlen(cases[i].text), &options, &folder->arena),
            cases[i].expected);
        tokenizer_close(&t);
    }
}

static void count_lines(void *payload, LogLevel level, const char *line)
{
    int *n = payload;
    *n += level == LOG_WARNING && strstr(line, "unheard-of") != NULL;
}

static void test_tokenizer_open_gguf__unknown_pre(void **state)
{
    (void)state;
    static const Key keys[MOST_KEYS] = {
        {"model", "s:gpt2"}, {"pre", "s:unheard-of"}, {"tokens", "S:a"}};
    Error err = {0};
    int n_warnings = 0;
    Log log = {.write = count_lines, .payload = &n_warnings};
    Tokenizer *t = open_gguf(keys, &log, &err);
    assert_ok(t, err);
    assert_int_equal(n_warnings, 1);
    tokenizer_close(&t);
}

static void test_tokenizer_open_gguf__chat(void **state)
{
    (void)state;
    static const Key keys[MOST_KEYS] = {
        {"model", "s:gpt2"},
        {"tokens", "S:a|<s>|</s>"},
        {"bos_token_id", "i:1"},
        {"eos_token_id", "i:2"},
        {"pre", "s:gpt-2"},
        {"chat_template",
         "s:{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token }}"}};
    Error err = {0};
    Arena arena = {0};
    size_t n;
    Tokenizer *t = open_gguf(keys, NULL, &err);
    assert_ok(t, err);
    char *text = tokenizer_wrap_chat(t, "hi", 2, NULL, &arena, &n, &err);
    assert_ok(text, err);
    assert_string_equal(text, "<s>hi</s>");
    tokenizer_close(&t);
    arena_destroy(&arena);
}

static void test_tokenizer_open_gguf__errors(void **state)
{
    (void)state;
    static const struct {
        Key keys[MOST_KEYS];
        ErrorCode code;
        const char *says;
    } cases[] = {
        {{{"model", "s:gpt2"}}, ERR_FORMAT, "tokens"},
        {{{"tokens", "S:a"}}, ERR_UNSUPPORTED, "gpt2, llama, bert, t5"},
        {{{"model", "s:rwkv"}, {"tokens", "S:a"}}, ERR_UNSUPPORTED, "\"rwkv\""},
        {{{"model", "s:t5"}, {"tokens", "S:a|b"}, {"scores", "F:1"}}, ERR_FORMAT, "scores"},
        {{{"model", "s:t5"}, {"tokens", "S:a|b"}, {"scores", "F:1,nan"}}, ERR_FORMAT, "piece 1"},
        {{{"model", "s:t5"}, {"tokens", "S:a|b"}, {"scores", "F:1,inf"}}, ERR_FORMAT, "finite"},
        {{{"model", "s:t5"}, {"tokens", "S:a"}, {"scores", "F:1"}}, ERR_FORMAT, "end"},
        {{{"model", "s:t5"},
          {"tokens", "S:a"},
          {"scores", "F:1"},
          {"eos_token_id", "i:0"},
          {"precompiled_charsmap", "I:255,0,0,0,1"}},
         ERR_FORMAT,
         "character rules"},
        {{{"model", "i:3"}, {"tokens", "S:a"}}, ERR_FORMAT, "tokenizer.ggml.model"},
        {{{"model", "s:gpt2"}, {"tokens", "S:a|b"}, {"token_type", "I:1"}},
         ERR_FORMAT,
         "token types"},
        {{{"model", "s:gpt2"}, {"tokens", "S:a|\xFF"}}, ERR_FORMAT, "UTF-8"},
        {{{"model", "s:gpt2"}, {"tokens", "S:a|b"}, {"merges", "S:ab"}}, ERR_FORMAT, "merge 0"},
        {{{"model", "s:gpt2"}, {"tokens", "S:a|b"}, {"merges", "S:a b"}}, ERR_FORMAT, "the result"},
        {{{"model", "s:gpt2"}, {"tokens", "S:a"}, {"add_bos_token", "b:1"}}, ERR_FORMAT, "begin"},
        {{{"model", "s:llama"}, {"tokens", "S:a|b"}, {"scores", "F:1"}}, ERR_FORMAT, "scores"},
        {{{"model", "s:bert"}, {"tokens", "S:a|b"}}, ERR_FORMAT, "[UNK]"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        Tokenizer *t = open_gguf(cases[i].keys, NULL, &err);
        if (t || err.code != cases[i].code || !strstr(err.message, cases[i].says)) {
            print_error("case %zu: %s\n", i, t ? "opened" : err.message);
            fail();
        }
    }
}

/* ---- plain words ---- */

static void test_tokenizer_open_words__ids(void **state)
{
    Folder *folder = *state;
    static const struct {
        int32_t n_vocab;
        const char *text, *expected;
    } cases[] = {
        {100, "", ""},
        {100, " \n\t", ""},
        {100, "the cat, the dog", "0:0-3 1:4-7 2:7-8 0:9-12 3:13-16"},
        {2, "a b c a", "0:0-1 1:2-3 0:4-5 0:6-7"},
        {9, "x_1 \xC3\xA9\xCC\x81t\xC3\xA9--", "0:0-3 1:4-11 2:11-12 2:12-13"},
    };
    Error err = {0};
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Tokenizer *t = tokenizer_open_words(cases[i].n_vocab, &err);
        assert_ok(t, err);
        assert_string_equal(
            show_tokens(t, cases[i].text, strlen(cases[i].text), NULL, &folder->arena),
            cases[i].expected);
        assert_int_equal(tokenizer_n_vocab(t), cases[i].n_vocab);
        assert_int_equal(tokenizer_find(t, "the"), -1);
        tokenizer_close(&t);
    }
    Tokenizer *t = tokenizer_open_words(9, &err);
    TokenizeOptions pair = {.add_special = true, .text_pair = "b c", .n_pair_bytes = 3};
    assert_string_equal(show_tokens(t, "a b", 3, &pair, &folder->arena),
                        "0:0-1 1:2-3 1:0-1' 2:2-3'");
    tokenizer_close(&t);
    assert_null(tokenizer_open_words(0, &err));
    assert_int_equal(err.code, ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tokenizer_open__vocab_txt, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_tokenizer_open__merges_txt, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_tokenizer_open__merges_and_added_tokens, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_tokenizer_open__json_comes_first, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_tokenizer_open__errors, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_tokenizer_open_gguf__kinds, make_folder,
                                        remove_folder),
        cmocka_unit_test(test_tokenizer_open_gguf__unknown_pre),
        cmocka_unit_test(test_tokenizer_open_gguf__chat),
        cmocka_unit_test(test_tokenizer_open_gguf__errors),
        cmocka_unit_test_setup_teardown(test_tokenizer_open_words__ids, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
