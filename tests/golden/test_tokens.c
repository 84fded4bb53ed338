/*
 * Token ids, byte offsets and decoded texts against the tokenizers library (make_tokens.py), id for
 * id and offset for offset. The real models must be there: models/fetch.sh minilm smollm2.
 */
#include "testing.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "tokenizer/tokenizer.h"

static const char *const FOLDER = "tests/golden/data";

typedef struct Golden {
    Tokenizer *opened;
    const Tokenizer *tokenizer; /* the one for targets where the file says so */
    const cJSON *texts;
    const char *name;
    Arena arena;
    int n_wrong;
} Golden;

static const char *text_at(const Golden *g, const cJSON *row, const char *key)
{
    const cJSON *index = json_get(row, key);
    const cJSON *text = index ? cJSON_GetArrayItem(g->texts, index->valueint) : NULL;
    return text ? text->valuestring : NULL;
}

static void report(Golden *g, const cJSON *row, const char *what, size_t at, long long found,
                   long long expected)
{
    if (g->n_wrong++ < 20) {
        print_error("%s, text %d (\"%.40s\"): %s %zu is %lld, expected %lld\n", g->name,
                    json_get(row, "text")->valueint, text_at(g, row, "text"), what, at, found,
                    expected);
    }
}

static int64_t number_at(const cJSON *list, size_t at)
{
    const cJSON *item = list ? cJSON_GetArrayItem(list, (int)at) : NULL;
    return item ? (int64_t)item->valuedouble : 0;
}

static void compare_tokens(Golden *g, const cJSON *row, const Tokens *tokens)
{
    const cJSON *ids = json_get(row, "ids");
    size_t n = (size_t)cJSON_GetArraySize(ids);
    if (tokens->n != n) {
        report(g, row, "the number of tokens", 0, (long long)tokens->n, (long long)n);
    }
    int wrong_before = g->n_wrong;
    for (size_t i = 0; i < AS_MIN(n, tokens->n) && g->n_wrong < wrong_before + 3; i++) {
        struct {
            const char *name;
            int64_t found, expected;
        } fields[] = {
            {"id", tokens->ids[i], number_at(ids, i)},
            {"start", tokens->start[i], number_at(json_get(row, "start"), i)},
            {"end", tokens->end[i], number_at(json_get(row, "end"), i)},
            {"type id", tokens->type_ids[i], number_at(json_get(row, "type_ids"), i)},
            {"added", tokens->added[i], number_at(json_get(row, "added"), i)},
        };
        for (size_t k = 0; k < AS_COUNT(fields); k++) {
            if (fields[k].found != fields[k].expected) {
                report(g, row, fields[k].name, i, fields[k].found, fields[k].expected);
            }
        }
    }
}

static void compare_decoded(Golden *g, const cJSON *row, const Tokens *tokens, const char *key,
                            bool skip_special)
{
    Error err = {0};
    const cJSON *json = json_get(row, key);
    if (!json) {
        return;
    }
    const char *expected = cJSON_IsTrue(json) ? text_at(g, row, "text") : json->valuestring;
    size_t n;
    char *text =
        tokenizer_decode(g->tokenizer, tokens->ids, tokens->n, skip_special, &g->arena, &n, &err);
    assert_ok(text, err);
    text = utf8_repair(&g->arena, text, n, &n, NULL, &err);
    assert_ok(text, err);
    if (strcmp(text, expected) != 0) {
        report(g, row, key, 0, (long long)n, (long long)strlen(expected));
        print_error("  decoded \"%.200s\"\n  expected \"%.200s\"\n", text, expected);
    }
}

static void compare_case(Golden *g, const cJSON *row)
{
    Error err = {0};
    Tokens tokens;
    const char *text = text_at(g, row, "text");
    const char *pair = text_at(g, row, "pair");
    TokenizeOptions options = {.add_special = cJSON_IsTrue(json_get(row, "special")),
                               .text_pair = pair,
                               .n_pair_bytes = pair ? strlen(pair) : 0};
    assert_ok(
        tokenizer_encode(g->tokenizer, text, strlen(text), &options, &g->arena, &tokens, &err),
        err);
    compare_tokens(g, row, &tokens);
    compare_decoded(g, row, &tokens, "decoded", false);
    compare_decoded(g, row, &tokens, "decoded_text", true);
    arena_reset(&g->arena);
}

static void compare_file(const char *folder, const char *name)
{
    Error err = {0};
    Golden g = {.name = name};
    char *path = arena_printf(&g.arena, &err, "%s/tokens_%s.json", folder, name);
    cJSON *golden = json_parse_file(path, &err);
    assert_ok(golden, err);
    path = arena_printf(&g.arena, &err, "%s/tokens_texts.json", folder);
    cJSON *texts = json_parse_file(path, &err);
    assert_ok(texts, err);
    g.texts = texts;
    g.opened = tokenizer_open(json_get_string(golden, "source", ""), NULL, &err);
    assert_ok(g.opened, err);
    g.tokenizer =
        json_get_bool(golden, "target", false) ? tokenizer_for_target(g.opened) : g.opened;
    const cJSON *cases = json_get(golden, "cases");
    assert_true(cJSON_GetArraySize(cases) > 50);
    const cJSON *row;
    cJSON_ArrayForEach(row, cases)
    {
        compare_case(&g, row);
    }
    tokenizer_close(&g.opened);
    json_free(golden);
    json_free(texts);
    arena_destroy(&g.arena);
    assert_int_equal(g.n_wrong, 0);
}

#define GOLDEN(name)                                                                               \
    static void test_tokens__##name(void **state)                                                  \
    {                                                                                              \
        (void)state;                                                                               \
        compare_file(FOLDER, #name);                                                               \
    }
GOLDEN(minilm)
GOLDEN(minilm_vocab)
GOLDEN(smollm2)
GOLDEN(tiny)
GOLDEN(roberta)
GOLDEN(llama3)
GOLDEN(bert_cased)
GOLDEN(nfkd)
GOLDEN(spm_legacy)
GOLDEN(metaspace)
GOLDEN(affixes)
GOLDEN(splits)
GOLDEN(scripts)
GOLDEN(fixed)
GOLDEN(gguf_spm)
GOLDEN(gguf_wordpiece)
GOLDEN(t5)
GOLDEN(xlmr)
GOLDEN(albert)
GOLDEN(mbart)
GOLDEN(gguf_t5)
GOLDEN(merges_gpt2)
GOLDEN(merges_opt)
GOLDEN(merges_roberta)
GOLDEN(merges_bart)
GOLDEN(pieces_t5)
GOLDEN(pieces_llama)
GOLDEN(pieces_gemma)
GOLDEN(pieces_xlmr)
GOLDEN(pieces_camembert)
GOLDEN(pieces_words)
GOLDEN(pieces_characters)
GOLDEN(pieces_unused)
GOLDEN(pieces_marian)
GOLDEN(pieces_marian_target)
GOLDEN(pieces_marian_two)
GOLDEN(pieces_marian_two_target)

/** What make_tokens_unigram.py --spm wrote elsewhere, from models too large to keep. */
static void test_tokens__kyoto(void **state)
{
    (void)state;
    const char *folder = getenv("ATTNSCOPE_GOLDEN");
    if (!folder) {
        skip();
    }
    compare_file(folder, "kyoto");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens__minilm),
        cmocka_unit_test(test_tokens__minilm_vocab),
        cmocka_unit_test(test_tokens__smollm2),
        cmocka_unit_test(test_tokens__tiny),
        cmocka_unit_test(test_tokens__roberta),
        cmocka_unit_test(test_tokens__llama3),
        cmocka_unit_test(test_tokens__bert_cased),
        cmocka_unit_test(test_tokens__nfkd),
        cmocka_unit_test(test_tokens__spm_legacy),
        cmocka_unit_test(test_tokens__metaspace),
        cmocka_unit_test(test_tokens__affixes),
        cmocka_unit_test(test_tokens__splits),
        cmocka_unit_test(test_tokens__gguf_spm),
        cmocka_unit_test(test_tokens__gguf_wordpiece),
        cmocka_unit_test(test_tokens__t5),
        cmocka_unit_test(test_tokens__xlmr),
        cmocka_unit_test(test_tokens__albert),
        cmocka_unit_test(test_tokens__mbart),
        cmocka_unit_test(test_tokens__gguf_t5),
        cmocka_unit_test(test_tokens__kyoto),
        cmocka_unit_test(test_tokens__scripts),
        cmocka_unit_test(test_tokens__fixed),
        cmocka_unit_test(test_tokens__merges_gpt2),
        cmocka_unit_test(test_tokens__merges_opt),
        cmocka_unit_test(test_tokens__merges_roberta),
        cmocka_unit_test(test_tokens__merges_bart),
        cmocka_unit_test(test_tokens__pieces_t5),
        cmocka_unit_test(test_tokens__pieces_llama),
        cmocka_unit_test(test_tokens__pieces_gemma),
        cmocka_unit_test(test_tokens__pieces_xlmr),
        cmocka_unit_test(test_tokens__pieces_camembert),
        cmocka_unit_test(test_tokens__pieces_words),
        cmocka_unit_test(test_tokens__pieces_characters),
        cmocka_unit_test(test_tokens__pieces_unused),
        cmocka_unit_test(test_tokens__pieces_marian),
        cmocka_unit_test(test_tokens__pieces_marian_target),
        cmocka_unit_test(test_tokens__pieces_marian_two),
        cmocka_unit_test(test_tokens__pieces_marian_two_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
