/*
 * vocab.json with merges.txt, the older form of byte-level BPE (GPT-2, OPT, RoBERTa, BART): put
 * together as the tokenizer.json that says the same, and read as that.
 */
#include "tokenizer/engine.h"

#include <string.h>

typedef struct MergesFamily {
    const char *names[6]; /* tokenizer classes (without "Fast") and types of models */
    bool is_roberta;
} MergesFamily;

static const MergesFamily FAMILIES[] = {
    {.names = {"RobertaTokenizer", "BartTokenizer", "roberta", "bart"}, .is_roberta = true},
    {.names = {"GPT2Tokenizer", "gpt2", "opt"}},
};

static bool is_called(const MergesFamily *family, const char *name)
{
    size_t n = name ? strlen(name) : 0;
    n -= n > 4 && strcmp(name + n - 4, "Fast") == 0 ? 4 : 0;
    for (size_t i = 0; i < AS_COUNT(family->names) && family->names[i] && n; i++) {
        if (strlen(family->names[i]) == n && memcmp(family->names[i], name, n) == 0) {
            return true;
        }
    }
    return false;
}

/** GPT-2's where nothing is said. */
static const MergesFamily *choose(const Reader *reader, const MergesSetup *setup)
{
    const char *names[] = {json_get_string(setup->config, "tokenizer_class", NULL),
                           setup->model_type};
    for (size_t k = 0; k < AS_COUNT(names); k++) {
        for (size_t i = 0; i < AS_COUNT(FAMILIES); i++) {
            if (is_called(&FAMILIES[i], names[k])) {
                return &FAMILIES[i];
            }
        }
    }
    log_write(reader->log, LOG_WARNING,
              "%s: the tokenizer class is not known; words and special tokens are taken as GPT-2's",
              reader->name);
    return &FAMILIES[1];
}

/** The lines behind "#version", each "left right". */
static bool add_merges(const MergesSetup *setup, cJSON *model)
{
    cJSON *list = cJSON_AddArrayToObject(model, "merges");
    cJSON *last = NULL;
    bool ok = list != NULL;
    for (size_t at = 0; at < setup->n_merges && ok;) {
        const char *line = setup->merges + at;
        const char *end = memchr(line, '\n', setup->n_merges - at);
        size_t n = end ? (size_t)(end - line) : setup->n_merges - at;
        at += n + 1;
        n -= n && line[n - 1] == '\r';
        const bool is_head = line == setup->merges && n >= 8 && memcmp(line, "#version", 8) == 0;
        if (n == 0 || is_head) {
            continue;
        }
        char *text = mem_alloc(n + 1, NULL);
        if (!text) {
            return false;
        }
        memcpy(text, line, n);
        text[n] = 0;
        cJSON *item = cJSON_CreateString(text);
        mem_free(text);
        ok = item != NULL;
        /* Appended by hand: cJSON would look for the end each time. */
        if (ok && last) {
            last->next = item;
            item->prev = last;
            list->child->prev = item;
        } else if (ok) {
            cJSON_AddItemToArray(list, item);
        }
        last = item;
    }
    return ok;
}

/** -1 where that is none. */
static int64_t id_from(const cJSON *item)
{
    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < VOCAB_MOST_IDS
               ? (int64_t)item->valuedouble
               : -1;
}

/** Walks through all names: for a few of them. */
static int64_t id_of(const MergesSetup *setup, const char *name)
{
    const cJSON *own = name ? json_get(setup->vocab, name) : NULL;
    return id_from(own ? own : name ? json_get(setup->added, name) : NULL);
}

static bool add_token(cJSON *list, const char *name, int64_t id, bool special, bool lstrip)
{
    cJSON *token = cJSON_CreateObject();
    const bool ok = token && cJSON_AddStringToObject(token, "content", name) &&
                    cJSON_AddNumberToObject(token, "id", (double)id) &&
                    cJSON_AddBoolToObject(token, "special", special) &&
                    cJSON_AddBoolToObject(token, "lstrip", lstrip) &&
                    cJSON_AddBoolToObject(token, "normalized", false);
    return cJSON_AddItemToArray(list, token) && ok;
}

/** "</s>" or {"content": "</s>"} of tokenizer_config.json, else what the family calls it. */
static const char *name_of(const MergesSetup *setup, const char *key, const char *usual)
{
    const cJSON *item = json_get(setup->config, key);
    const char *name =
        cJSON_IsString(item) ? item->valuestring : json_get_string(item, "content", NULL);
    return name ? name : usual;
}

/** Does the token take the space before it? RoBERTa's mask does unless the file says otherwise. */
static bool takes_space(const MergesSetup *setup, const MergesFamily *family, const char *key)
{
    return json_get_bool(json_get(setup->config, key), "lstrip",
                         family->is_roberta && strcmp(key, "mask_token") == 0);
}

static bool add_tokens(const MergesSetup *setup, const MergesFamily *family, cJSON *json)
{
    static const struct {
        const char *key, *gpt2, *roberta;
    } specials[] = {{"bos_token", "<|endoftext|>", "<s>"},
                    {"eos_token", "<|endoftext|>", "</s>"},
                    {"unk_token", "<|endoftext|>", "<unk>"},
                    {"pad_token", NULL, "<pad>"},
                    {"cls_token", NULL, "<s>"},
                    {"sep_token", NULL, "</s>"},
                    {"mask_token", NULL, "<mask>"}};
    cJSON *list = cJSON_AddArrayToObject(json, "added_tokens");
    bool ok = list != NULL;
    for (size_t i = 0; i < AS_COUNT(specials) && ok; i++) {
        const char *name = name_of(setup, specials[i].key,
                                   family->is_roberta ? specials[i].roberta : specials[i].gpt2);
        const int64_t id = id_of(setup, name);
        ok = id < 0 || add_token(list, name, id, true, takes_space(setup, family, specials[i].key));
    }
    const cJSON *item = setup->added ? setup->added->child : NULL;
    for (; item && ok; item = item->next) {
        const int64_t id = id_from(item); /* the vocabulary's own wins in tokenizer_read_json */
        ok = id < 0 || add_token(list, item->string, id, false, false);
    }
    return ok;
}

static bool add_text(cJSON *object, const char *key, const char *text)
{
    return cJSON_AddStringToObject(object, key, text) != NULL;
}

/** {"SpecialToken": {"id": name, "type_id": 0}} or {"Sequence": {"id": "A", "type_id": 0}} */
static bool add_part(cJSON *list, const char *kind, const char *id, int type)
{
    cJSON *part = cJSON_CreateObject();
    cJSON *body = part ? cJSON_AddObjectToObject(part, kind) : NULL;
    const bool ok =
        body && add_text(body, "id", id) && cJSON_AddNumberToObject(body, "type_id", type);
    return cJSON_AddItemToArray(list, part) && ok;
}

static bool add_template(cJSON *post, const char *bos, int64_t id)
{
    cJSON *single = cJSON_AddArrayToObject(post, "single");
    cJSON *pair = cJSON_AddArrayToObject(post, "pair");
    cJSON *tokens = cJSON_AddObjectToObject(post, "special_tokens");
    cJSON *token = tokens ? cJSON_AddObjectToObject(tokens, bos) : NULL;
    cJSON *ids = token ? cJSON_AddArrayToObject(token, "ids") : NULL;
    cJSON *number = ids ? cJSON_CreateNumber((double)id) : NULL;
    return single && pair && number && cJSON_AddItemToArray(ids, number) &&
           add_text(token, "id", bos) && add_part(single, "SpecialToken", bos, 0) &&
           add_part(single, "Sequence", "A", 0) && add_part(pair, "SpecialToken", bos, 0) &&
           add_part(pair, "Sequence", "A", 0) && add_part(pair, "SpecialToken", bos, 1) &&
           add_part(pair, "Sequence", "B", 1);
}

static bool add_pair(cJSON *post, const char *key, const char *name, int64_t id)
{
    cJSON *list = cJSON_AddArrayToObject(post, key);
    return list && cJSON_AddItemToArray(list, cJSON_CreateString(name)) &&
           cJSON_AddItemToArray(list, cJSON_CreateNumber((double)id));
}

static bool add_ends(const MergesSetup *setup, const MergesFamily *family, bool spaced, cJSON *json)
{
    cJSON *post = cJSON_AddObjectToObject(json, "post_processor");
    if (family->is_roberta) {
        const char *cls = name_of(setup, "cls_token", "<s>");
        const char *sep = name_of(setup, "sep_token", "</s>");
        return post && add_text(post, "type", "RobertaProcessing") &&
               add_pair(post, "cls", cls, id_of(setup, cls)) &&
               add_pair(post, "sep", sep, id_of(setup, sep)) &&
               cJSON_AddBoolToObject(post, "trim_offsets", true) &&
               cJSON_AddBoolToObject(post, "add_prefix_space", spaced);
    }
    const char *bos = name_of(setup, "bos_token", "<|endoftext|>");
    if (json_get_bool(setup->config, "add_bos_token", false)) {
        return post && add_text(post, "type", "TemplateProcessing") &&
               add_template(post, bos, id_of(setup, bos));
    }
    return post && add_text(post, "type", "ByteLevel") &&
           cJSON_AddBoolToObject(post, "trim_offsets", false);
}

static bool put_together(const MergesSetup *setup, const MergesFamily *family, cJSON *json)
{
    const bool spaced = json_get_bool(setup->config, "add_prefix_space", false);
    cJSON *model = json ? cJSON_AddObjectToObject(json, "model") : NULL;
    cJSON *pre = model ? cJSON_AddObjectToObject(json, "pre_tokenizer") : NULL;
    cJSON *decoder = pre ? cJSON_AddObjectToObject(json, "decoder") : NULL;
    return decoder && add_text(model, "type", "BPE") &&
           cJSON_AddItemReferenceToObject(model, "vocab", (cJSON *)(uintptr_t)setup->vocab) &&
           add_merges(setup, model) && add_text(pre, "type", "ByteLevel") &&
           cJSON_AddBoolToObject(pre, "add_prefix_space", spaced) &&
           add_text(decoder, "type", "ByteLevel") && add_tokens(setup, family, json) &&
           add_ends(setup, family, spaced, json);
}

bool tokenizer_read_merges(Reader *reader, const MergesSetup *setup, Error *err)
{
    if (!cJSON_IsObject(setup->vocab)) {
        return error_set(err, ERR_FORMAT, "%s: the vocab.json beside it is no object",
                         reader->name);
    }
    cJSON *json = cJSON_CreateObject();
    const bool ok = put_together(setup, choose(reader, setup), json)
                        ? tokenizer_read_json(reader, json, err) &&
                              tokenizer_read_config(reader->tokenizer, setup->config, err)
                        : error_set(err, ERR_MEMORY, "%s: not enough memory", reader->name);
    json_free(json);
    return ok;
}
