#include "tokenizer/engine.h"

#include "base/str.h"

#include <math.h>
#include <string.h>

bool model_read_vocab(Reader *reader, const cJSON *json, Error *err)
{
    const cJSON *table = json_get(json, "vocab");
    return cJSON_IsObject(table)
               ? vocab_read_table(reader, table, err)
               : error_set(err, ERR_FORMAT, "%s: the model has no object \"vocab\"", reader->name);
}

bool vocab_read_table(Reader *reader, const cJSON *table, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    size_t n_entries = 0;
    size_t n_bytes = 0;
    size_t n_ids = 0;
    for (const cJSON *item = table->child; item; item = item->next) {
        double id = cJSON_IsNumber(item) ? item->valuedouble : -1;
        if (!(id >= 0 && id < VOCAB_MOST_IDS) || id != floor(id)) {
            return error_set(err, ERR_FORMAT,
                             "%s: the id of token \"%.*s\" is not a whole number below %d",
                             reader->name, CLIPPED(item->string), VOCAB_MOST_IDS);
        }
        n_ids = AS_MAX(n_ids, (size_t)id + 1);
        n_bytes += strlen(item->string);
        n_entries++;
    }
    if (n_ids > 4 * n_entries + 4096) {
        return error_set(err, ERR_FORMAT,
                         "%s: %zu tokens have ids up to %zu; the vocabulary is broken",
                         reader->name, n_entries, n_ids - 1);
    }
    if (!vocab_create(&t->vocab, &t->arena, n_ids, n_bytes, err)) {
        return false;
    }
    for (const cJSON *item = table->child; item; item = item->next) {
        uint32_t id = (uint32_t)item->valuedouble;
        if (t->vocab.names[id]) {
            return error_set(err, ERR_FORMAT,
                             "%s: tokens \"%.*s\" and \"%.*s\" have the same id %u", reader->name,
                             CLIPPED(t->vocab.names[id]), CLIPPED(item->string), id);
        }
        vocab_put(&t->vocab, id, item->string, strlen(item->string));
    }
    return true;
}

void model_read_unk(Reader *reader, const cJSON *json, const char *fallback)
{
    Tokenizer *t = reader->tokenizer;
    const char *unk = json_get_string(json, "unk_token", fallback);
    t->settings.unk_id = unk ? vocab_find(&t->vocab, unk, strlen(unk)) : -1;
}

static bool unknown_word(const Tokenizer *t, const char *word, size_t n, WordTokens *out,
                         Error *err)
{
    if (t->settings.unk_id < 0) {
        return error_set(err, ERR_FORMAT,
                         "\"%.*s\" is not in the vocabulary, and it has no unknown token either",
                         clip_text(word, n), word);
    }
    WordToken token = {.id = t->settings.unk_id, .begin = 0, .end = (uint32_t)n};
    return ARRAY_PUSH(out, token, err);
}

/* ---- WordPiece ---- */

/**
 * Longest prefix first, piece after piece; a word that cannot be covered is unknown as a whole.
 * Source: Wu et al. 2016 (arXiv:1609.08144); github.com/google-research/bert tokenization.py.
 */
static bool wordpiece_tokenize(const Tokenizer *t, Encoder *e, const char *word, size_t n,
                               WordTokens *out, Error *err)
{
    (void)e;
    size_t n_characters = 0;
    for (size_t i = 0; i < n; i++) {
        n_characters += ((uint8_t)word[i] & 0xC0) != 0x80;
    }
    if (n_characters > t->settings.longest_word) {
        return unknown_word(t, word, n, out, err);
    }
    size_t n_before = out->n;
    const char *prefix = t->settings.prefix;
    size_t n_prefix = strlen(prefix);
    for (size_t at = 0; at < n;) {
        /* Hashes of all prefixes in one pass; the names in the table carry the mark, the text
         * does not, so a hit is compared in two parts. */
        uint32_t hash = vocab_hash_start();
        size_t n_mark = at ? n_prefix : 0;
        for (size_t i = 0; i < n_mark; i++) {
            hash = vocab_hash_add(hash, prefix[i]);
        }
        int32_t best = -1;
        size_t best_end = at;
        for (size_t end = at; end < n && end - at + n_mark < t->vocab.longest;) {
            hash = vocab_hash_add(hash, word[end++]);
            bool is_boundary = end == n || ((uint8_t)word[end] & 0xC0) != 0x80;
            int32_t id = is_boundary ? vocab_find_marked(&t->vocab, hash, prefix, n_mark, word + at,
                                                         end - at)
                                     : -1;
            if (id >= 0) {
                best = id;
                best_end = end;
            }
        }
        if (best < 0) {
            out->n = n_before;
            return unknown_word(t, word, n, out, err);
        }
        WordToken token = {.id = best, .begin = (uint32_t)at, .end = (uint32_t)best_end};
        if (!ARRAY_PUSH(out, token, err)) {
            return false;
        }
        at = best_end;
    }
    return true;
}

static bool wordpiece_read(Reader *reader, const cJSON *json, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    int64_t longest;
    t->settings.prefix =
        arena_strdup(&t->arena, json_get_string(json, "continuing_subword_prefix", "##"), err);
    if (!t->settings.prefix || !model_read_vocab(reader, json, err) ||
        !json_get_int(json, "max_input_chars_per_word", 0, INT32_MAX, 100, &longest, reader->name,
                      err)) {
        return false;
    }
    t->settings.longest_word = (uint32_t)longest;
    model_read_unk(reader, json, "[UNK]");
    return true;
}

/* ---- WordLevel ---- */

static bool wordlevel_tokenize(const Tokenizer *t, Encoder *e, const char *word, size_t n,
                               WordTokens *out, Error *err)
{
    (void)e;
    WordToken token = {.id = vocab_find(&t->vocab, word, n), .begin = 0, .end = (uint32_t)n};
    return token.id < 0 ? unknown_word(t, word, n, out, err) : ARRAY_PUSH(out, token, err);
}

static bool wordlevel_read(Reader *reader, const cJSON *json, Error *err)
{
    if (!model_read_vocab(reader, json, err)) {
        return false;
    }
    model_read_unk(reader, json, "<unk>");
    return true;
}

/* ---- the table ---- */

const ModelKind MODELS[] = {
    {.name = "BPE", .read = bpe_read, .tokenize = bpe_tokenize},
    {.name = "Unigram", .read = unigram_read, .tokenize = unigram_tokenize},
    {.name = "WordLevel", .read = wordlevel_read, .tokenize = wordlevel_tokenize},
    {.name = "WordPiece", .read = wordpiece_read, .tokenize = wordpiece_tokenize},
    {0},
};

const ModelKind *model_kind_find(const char *name)
{
    for (const ModelKind *kind = MODELS; kind->name; kind++) {
        if (strcmp(kind->name, name) == 0) {
            return kind;
        }
    }
    return NULL;
}

/** Older files leave the type out; what else they say tells it. */
static const char *guess_type(const cJSON *json)
{
    return json_get(json, "merges")                     ? "BPE"
           : cJSON_IsArray(json_get(json, "vocab"))     ? "Unigram"
           : json_get(json, "max_input_chars_per_word") ? "WordPiece"
                                                        : "WordLevel";
}

bool model_read(Reader *reader, const cJSON *json, Error *err)
{
    if (!cJSON_IsObject(json)) {
        return error_set(err, ERR_FORMAT, "%s has no \"model\": is it a tokenizer.json?",
                         reader->name);
    }
    const char *type = json_get_string(json, "type", NULL);
    type = type ? type : guess_type(json);
    const ModelKind *kind = model_kind_find(type);
    if (!kind) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: the model \"%.*s\" is not known; known are BPE, Unigram, "
                         "WordLevel, WordPiece",
                         reader->name, CLIPPED(type));
    }
    reader->tokenizer->model = kind;
    return kind->read(reader, json, err);
}
