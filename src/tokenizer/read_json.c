#include "tokenizer/engine.h"

#include "base/str.h"

#include <string.h>

static bool read_added_token(Reader *reader, const cJSON *json, AddedToken *out, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    const char *content = json_get_string(json, "content", NULL);
    int64_t id;
    if (!content) {
        return error_set(err, ERR_FORMAT, "%s: an added token without \"content\"", reader->name);
    }
    if (!json_get_int(json, "id", 0, VOCAB_MOST_IDS - 1, 0, &id, reader->name, err)) {
        return false;
    }
    out->n = (uint32_t)strlen(content);
    out->content = arena_strdup(&t->arena, content, err);
    /* The model's own id wins where it knows the token, as in the library. */
    int32_t own = vocab_find(&t->vocab, content, out->n);
    out->id = own >= 0 ? own : (int32_t)id;
    out->special = json_get_bool(json, "special", false);
    out->single_word = json_get_bool(json, "single_word", false);
    out->lstrip = json_get_bool(json, "lstrip", false);
    out->rstrip = json_get_bool(json, "rstrip", false);
    out->normalized = json_get_bool(json, "normalized", !out->special);
    return out->content != NULL;
}

static bool read_added_tokens(Reader *reader, const cJSON *list, Error *err)
{
    AddedTokens *a = &reader->tokenizer->added;
    if (list && !cJSON_IsArray(list)) {
        return error_set(err, ERR_FORMAT, "%s: \"added_tokens\" is no list", reader->name);
    }
    size_t n = list ? (size_t)cJSON_GetArraySize(list) : 0;
    a->items = ARENA_ARRAY(&reader->tokenizer->arena, AddedToken, n, err);
    if (!a->items) {
        return false;
    }
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next) {
        if (!read_added_token(reader, item, &a->items[a->n], err)) {
            return false;
        }
        a->n += a->items[a->n].n > 0; /* an empty one would be found everywhere */
    }
    return true;
}

bool tokenizer_read_json(Reader *reader, const cJSON *json, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    if (!cJSON_IsObject(json)) {
        return error_set(err, ERR_FORMAT, "%s is not a tokenizer.json: its value is no object",
                         reader->name);
    }
    return model_read(reader, json_get(json, "model"), err) &&
           read_added_tokens(reader, json_get(json, "added_tokens"), err) &&
           component_read(reader, json_get(json, "normalizer"), NORMALIZERS, "normalizer",
                          &t->normalizer, err) &&
           component_read(reader, json_get(json, "pre_tokenizer"), PRE_TOKENIZERS, "pre-tokenizer",
                          &t->pre_tokenizer, err) &&
           component_read(reader, json_get(json, "post_processor"), POST_PROCESSORS,
                          "post-processor", &t->post_processor, err) &&
           component_read(reader, json_get(json, "decoder"), DECODERS, "decoder", &t->decoder, err);
}

/** "[CLS]" or {"content": "[CLS]", …} */
static const char *token_name(const cJSON *config, const char *key)
{
    const cJSON *item = json_get(config, key);
    return cJSON_IsString(item) ? item->valuestring : json_get_string(item, "content", NULL);
}

bool tokenizer_read_config(Tokenizer *t, const cJSON *config, Error *err)
{
    static const char *const keys[SPECIAL_COUNT] = {
        [SPECIAL_BOS] = "bos_token",  [SPECIAL_EOS] = "eos_token", [SPECIAL_PAD] = "pad_token",
        [SPECIAL_UNK] = "unk_token",  [SPECIAL_CLS] = "cls_token", [SPECIAL_SEP] = "sep_token",
        [SPECIAL_MASK] = "mask_token"};
    for (int i = 0; i < SPECIAL_COUNT && config; i++) {
        const char *name = token_name(config, keys[i]);
        int32_t id = name ? tokenizer_find(t, name) : -1;
        if (id >= 0) {
            t->special[i] = id;
        }
        t->chat.tokens[i] = name ? arena_strdup(&t->arena, name, err) : NULL;
        if (name && !t->chat.tokens[i]) {
            return false;
        }
    }
    return chat_read_config(t, config, err);
}

/* ---- vocab.txt ---- */

/** Lines of vocab.txt into the vocabulary: a token's id is its line, counted from 0. */
static bool read_lines(Tokenizer *t, const char *text, size_t n, Error *err)
{
    size_t n_lines = 0;
    for (size_t at = 0; at < n; n_lines++) {
        const char *end = memchr(text + at, '\n', n - at);
        at = end ? (size_t)(end - text) + 1 : n;
    }
    if (!vocab_create(&t->vocab, &t->arena, n_lines, n, err)) {
        return false;
    }
    uint32_t id = 0;
    for (size_t at = 0; at < n; id++) {
        const char *end = memchr(text + at, '\n', n - at);
        size_t stop = end ? (size_t)(end - text) : n;
        size_t length = stop - at;
        length -= length && text[at + length - 1] == '\r';
        vocab_put(&t->vocab, id, text + at, length);
        at = stop + 1;
    }
    return true;
}

bool wordpiece_assemble(Reader *reader, const WordPieceDesc *desc, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    static const char *const defaults[SPECIAL_COUNT] = {
        [SPECIAL_PAD] = "[PAD]", [SPECIAL_UNK] = "[UNK]",   [SPECIAL_CLS] = "[CLS]",
        [SPECIAL_SEP] = "[SEP]", [SPECIAL_MASK] = "[MASK]",
    };
    t->model = model_kind_find("WordPiece");
    t->settings.prefix = "##";
    t->settings.longest_word = 100;
    t->added.items = ARENA_ARRAY(&t->arena, AddedToken, SPECIAL_COUNT, err);
    t->normalizer = component_create(t, NORMALIZERS, "BertNormalizer", 0, err);
    t->pre_tokenizer = component_create(t, PRE_TOKENIZERS, "BertPreTokenizer", 0, err);
    t->post_processor = component_create(t, POST_PROCESSORS, "TemplateProcessing", 0, err);
    t->decoder = component_create(t, DECODERS, "WordPiece", 0, err);
    if (!t->added.items || !t->normalizer || !t->pre_tokenizer || !t->post_processor ||
        !t->decoder) {
        return false;
    }
    t->normalizer->bert.clean_text = true;
    t->normalizer->bert.space_cjk = !desc->keeps_cjk_together;
    t->normalizer->bert.lowercase = desc->lowercase;
    t->normalizer->bert.strip_accents = desc->strip_accents;
    t->decoder->text = "##";
    t->decoder->n_text = 2;
    t->decoder->decode.cleanup = true;
    for (int i = 0; i < SPECIAL_COUNT; i++) {
        const char *name = desc->names[i] ? desc->names[i] : defaults[i];
        int32_t id = name ? vocab_find(&t->vocab, name, strlen(name)) : -1;
        t->special[i] = id;
        if (id >= 0) {
            t->added.items[t->added.n++] = (AddedToken){.id = id,
                                                        .content = t->vocab.names[id],
                                                        .n = t->vocab.lengths[id],
                                                        .special = true};
        }
    }
    t->settings.unk_id = t->special[SPECIAL_UNK];
    int32_t around[2] = {t->special[SPECIAL_CLS], t->special[SPECIAL_SEP]};
    if (t->settings.unk_id < 0 || around[0] < 0 || around[1] < 0) {
        return error_set(err, ERR_FORMAT, "%s: the vocabulary lacks its %s token", reader->name,
                         t->settings.unk_id < 0 ? "unknown ([UNK])"
                         : around[0] < 0        ? "first ([CLS])"
                                                : "last ([SEP])");
    }
    return template_set(t, t->post_processor, 0, "00A010", around, err) &&
           template_set(t, t->post_processor, 1, "00A010B111", around, err);
}

bool tokenizer_read_vocab_txt(Reader *reader, const char *text, size_t n, const cJSON *config,
                              Error *err)
{
    static const char *const keys[SPECIAL_COUNT] = {
        [SPECIAL_PAD] = "pad_token", [SPECIAL_UNK] = "unk_token",   [SPECIAL_CLS] = "cls_token",
        [SPECIAL_SEP] = "sep_token", [SPECIAL_MASK] = "mask_token",
    };
    if (utf8_count_invalid(text, n)) {
        return error_set(err, ERR_FORMAT, "%s is not UTF-8", reader->name);
    }
    WordPieceDesc desc = {.lowercase = json_get_bool(config, "do_lower_case", true)};
    desc.strip_accents = json_get_bool(config, "strip_accents", desc.lowercase);
    desc.keeps_cjk_together = !json_get_bool(config, "tokenize_chinese_chars", true);
    for (int i = 0; i < SPECIAL_COUNT; i++) {
        desc.names[i] = keys[i] ? token_name(config, keys[i]) : NULL;
    }
    return read_lines(reader->tokenizer, text, n, err) && wordpiece_assemble(reader, &desc, err) &&
           tokenizer_read_config(reader->tokenizer, config, err);
}
