/*
 * The embedded model `translate`: its files are what its card says, it writes what transformers
 * writes (make_translation.py), its cross attention is the reference's, and the head the card names
 * looks at the word that is said next.
 */
#include "testing.h"

#include <stdlib.h>

#include "base/embedded.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "model/model.h"
#include "tokenizer/tokenizer.h"
#include "trace/trace.h"

enum { LONGEST = 64, ALIGNED_LAYER = 1, ALIGNED_HEAD = 0 };

typedef struct Fixture {
    Arena arena;
    Model *model;
    Tokenizer *tokenizer;
    cJSON *golden;
} Fixture;

static int open_fixture(void **state)
{
    Error err = {0};
    Fixture *f = mem_alloc_zeroed(1, sizeof *f, &err);
    assert_ok(f, err);
    f->model = model_open(&(ModelDesc){.spec = "translate"}, &err);
    assert_ok(f->model, err);
    f->tokenizer = tokenizer_open_embedded("models/translate/", NULL, &err);
    assert_ok(f->tokenizer, err);
    f->golden = json_parse_file("tests/golden/data/translation.json", &err);
    assert_ok(f->golden, err);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    Fixture *f = *state;
    json_free(f->golden);
    tokenizer_close(&f->tokenizer);
    model_close(&f->model);
    arena_destroy(&f->arena);
    mem_free(f);
    return 0;
}

/** The number behind `before` in the card, whose digits may be grouped by commas. */
static uint64_t card_number(const char *card, const char *before)
{
    const char *at = strstr(card, before);
    uint64_t number = 0;
    assert_non_null(at);
    for (at += strlen(before); (*at >= '0' && *at <= '9') || *at == ','; at++) {
        number = *at == ',' ? number : number * 10 + (uint64_t)(*at - '0');
    }
    return number;
}

static void test_embedded_translate__is_what_its_card_says(void **state)
{
    Fixture *f = *state;
    Error err = {0};
    static const char *const files[] = {"config.json",           "generation_config.json",
                                        "model.safetensors",     "tokenizer.json",
                                        "tokenizer_config.json", "example.txt"};
    size_t n;
    size_t n_bytes = 0;
    char *card = file_read_all(&f->arena, "models/translate/CARD.md", 1 << 20, &n, &err);
    assert_ok(card, err);
    for (size_t i = 0; i < AS_COUNT(files); i++) {
        EmbeddedFile file;
        char *name = arena_printf(&f->arena, &err, "models/translate/%s", files[i]);
        assert_true(embedded_find(name, &file));
        n_bytes += file.n_bytes;
    }
    const ModelInfo *info = model_info(f->model);
    assert_true(n_bytes <= 2000000);
    assert_int_equal(card_number(card, "| all files | "), n_bytes);
    assert_int_equal(card_number(card, "| parameters | "), info->n_params);
    assert_int_equal(card_number(card, "| tokenizer | words, "), info->vocabulary);
    assert_int_equal(tokenizer_n_vocab(f->tokenizer), info->vocabulary);
}

static int32_t read_ids(const cJSON *list, int32_t *ids)
{
    int32_t n = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        assert_true(n < LONGEST);
        ids[n++] = item->valueint;
    }
    return n;
}

static void test_embedded_translate__writes_what_the_reference_writes(void **state)
{
    Fixture *f = *state;
    const cJSON *row;
    cJSON_ArrayForEach(row, json_get(f->golden, "cases"))
    {
        Error err = {0};
        Tokens tokens;
        int32_t ids[LONGEST];
        int32_t expected[LONGEST];
        int32_t target[LONGEST];
        int32_t n;
        bool ended;
        const char *text = json_get_string(row, "text", "");
        TokenizeOptions options = {.add_special = true};
        assert_ok(
            tokenizer_encode(f->tokenizer, text, strlen(text), &options, &f->arena, &tokens, &err),
            err);
        assert_int_equal(tokens.n, read_ids(json_get(row, "ids"), ids));
        assert_memory_equal(tokens.ids, ids, tokens.n * sizeof *ids);
        ModelInput source = {.ids = tokens.ids, .n_tokens = (int32_t)tokens.n};
        assert_ok(model_generate(f->model, &source, NULL, NULL, target, LONGEST, &n, &ended, &err),
                  err);
        assert_true(ended);
        assert_int_equal(n, read_ids(json_get(row, "target"), expected));
        assert_memory_equal(target, expected, (size_t)n * sizeof *target);
    }
}

static TraceText bare_tokens(Fixture *f, const cJSON *list)
{
    Error err = {0};
    int32_t ids[LONGEST];
    int32_t n = read_ids(list, ids);
    TraceToken *tokens = ARENA_ARRAY(&f->arena, TraceToken, (size_t)n, &err);
    assert_ok(tokens, err);
    for (int32_t i = 0; i < n; i++) {
        tokens[i] = (TraceToken){.id = ids[i], .text = "", .start = -1, .end = -1};
    }
    return (TraceText){.tokens = tokens, .n = (size_t)n};
}

/** Cross weights of one head [N, M] of a golden case. */
static float *cross_weights(Fixture *f, const cJSON *row, TraceSet *set, int32_t layer,
                            int32_t head, const TraceInfo **info)
{
    Error err = {0};
    if (!set->stacks[TRACE_STACK_CROSS]) {
        TraceText text = bare_tokens(f, json_get(row, "ids"));
        const TraceDesc desc = {.model = f->model,
                                .model_name = "translate",
                                .tokens = text.tokens,
                                .n_tokens = text.n,
                                .target = bare_tokens(f, json_get(row, "target"))};
        assert_ok(trace_set_create(&desc, set, &err), err);
        assert_ok(trace_set_fill(set, &desc, NULL, &err), err);
    }
    const Trace *trace = set->stacks[TRACE_STACK_CROSS];
    *info = trace_info(trace);
    float *tile =
        ARENA_ARRAY(&f->arena, float, (size_t)(*info)->n_queries *(size_t)(*info)->n_keys, &err);
    assert_ok(tile, err);
    const TraceRegion region = {.layer = layer, .head = head};
    assert_ok(trace_tile(trace, &region, TRACE_WEIGHTS, tile, 0, &err), err);
    return tile;
}

static void test_embedded_translate__cross_weights(void **state)
{
    Fixture *f = *state;
    Error err = {0};
    TraceSet set = {0};
    const TraceInfo *info;
    const cJSON *row = json_get(f->golden, "cases")->child;
    const cJSON *layers = json_get(row, "cross");
    assert_int_equal(cJSON_GetArraySize(layers), 2);
    int32_t l = 0;
    for (const cJSON *layer = layers->child; layer; layer = layer->next, l++) {
        int32_t h = 0;
        for (const cJSON *head = layer->child; head; head = head->next, h++) {
            float *tile = cross_weights(f, row, &set, l, h, &info);
            size_t n = (size_t)info->n_queries * (size_t)info->n_keys;
            float *expected = ARENA_ARRAY(&f->arena, float, n, &err);
            size_t at = 0;
            assert_ok(expected, err);
            for (const cJSON *line = head->child; line; line = line->next) {
                for (const cJSON *w = line->child; w; w = w->next) {
                    assert_true(at < n);
                    expected[at++] = (float)w->valuedouble;
                }
            }
            assert_int_equal(at, n);
            assert_close(tile, expected, n, 1e-5, 0);
        }
        assert_int_equal(h, info->n_heads);
    }
    trace_set_close(&set);
}

/** Is `key` one of the words that a French word says? */
static bool says(const cJSON *words, int32_t key)
{
    const cJSON *word;
    cJSON_ArrayForEach(word, words)
    {
        if (word->valueint == key) {
            return true;
        }
    }
    return false;
}

static void test_embedded_translate__aligned_head(void **state)
{
    Fixture *f = *state;
    int n_words = 0;
    int n_right = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, json_get(f->golden, "cases"))
    {
        const cJSON *alignment = json_get(row, "alignment");
        if (!alignment) {
            continue;
        }
        TraceSet set = {0};
        const TraceInfo *info;
        float *tile = cross_weights(f, row, &set, ALIGNED_LAYER, ALIGNED_HEAD, &info);
        int32_t i = 0;
        for (const cJSON *word = alignment->child; word && i < info->n_queries;
             word = word->next, i++) {
            int32_t best = 0;
            for (int32_t j = 1; j < info->n_keys; j++) {
                const float *line = tile + (size_t)i * (size_t)info->n_keys;
                best = line[j] > line[best] ? j : best;
            }
            n_words++;
            n_right += says(word, best);
        }
        trace_set_close(&set);
    }
    assert_true(n_words > 150);
    if (n_right < n_words * 9 / 10) {
        print_error("%d of %d words\n", n_right, n_words);
        fail();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedded_translate__is_what_its_card_says),
        cmocka_unit_test(test_embedded_translate__writes_what_the_reference_writes),
        cmocka_unit_test(test_embedded_translate__cross_weights),
        cmocka_unit_test(test_embedded_translate__aligned_head),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
