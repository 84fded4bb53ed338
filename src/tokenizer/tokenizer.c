#include "tokenizer/engine.h"

#include "base/embedded.h"
#include "base/file.h"
#include "base/str.h"
#include "formats/tensor_file.h"

#include <string.h>

enum { LARGEST_FILE = 1 << 30 };

Tokenizer *tokenizer_create(Error *err)
{
    Tokenizer *t = mem_alloc_zeroed(1, sizeof *t, err);
    if (t) {
        t->settings.unk_id = -1;
        t->settings.prefix = "";
        t->settings.suffix = "";
        for (int i = 0; i < SPECIAL_COUNT; i++) {
            t->special[i] = -1;
        }
    }
    return t;
}

void tokenizer_close(Tokenizer **tokenizer)
{
    Tokenizer *t = tokenizer ? *tokenizer : NULL;
    if (t) {
        for (size_t i = 0; i < t->regexes.n; i++) {
            regex_free(t->regexes.items[i]);
        }
        ARRAY_FREE(&t->regexes);
        arena_destroy(&t->arena);
        mem_free(t);
        *tokenizer = NULL;
    }
}

/** Names that special tokens go by where no file says which is which. */
static void guess_specials(Tokenizer *t)
{
    static const char *const names[SPECIAL_COUNT][5] = {
        [SPECIAL_BOS] = {"<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>"},
        [SPECIAL_EOS] = {"</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>"},
        [SPECIAL_PAD] = {"[PAD]", "<pad>"},
        [SPECIAL_UNK] = {"[UNK]", "<unk>"},
        [SPECIAL_CLS] = {"[CLS]"},
        [SPECIAL_SEP] = {"[SEP]"},
        [SPECIAL_MASK] = {"[MASK]", "<mask>"},
    };
    if (t->special[SPECIAL_UNK] < 0) {
        t->special[SPECIAL_UNK] = t->settings.unk_id;
    }
    for (int i = 0; i < SPECIAL_COUNT; i++) {
        for (size_t k = 0; k < AS_COUNT(names[i]) && names[i][k] && t->special[i] < 0; k++) {
            const AddedToken *token = added_find_name(&t->added, names[i][k], strlen(names[i][k]));
            t->special[i] = token ? token->id : -1;
        }
    }
}

bool tokenizer_finish(Tokenizer *t, Error *err)
{
    t->n_vocab = (int32_t)t->vocab.n_ids;
    for (uint32_t i = 0; i < t->added.n; i++) {
        t->n_vocab = AS_MAX(t->n_vocab, t->added.items[i].id + 1);
    }
    if (!added_finish(t, err)) {
        return false;
    }
    guess_specials(t);
    t->shows_bytes = (t->decoder && component_find(t->decoder, "ByteLevel")) ||
                     (t->pre_tokenizer && component_find(t->pre_tokenizer, "ByteLevel"));
    t->shows_spaces = !t->shows_bytes;
    t->kind_name = strcmp(t->model->name, "BPE") != 0 ? t->model->name
                   : t->shows_bytes                   ? "byte-level BPE"
                   : t->settings.byte_fallback        ? "BPE with byte fallback"
                                                      : "BPE";
    return true;
}

/* ---- ways in ---- */

/** The end of every way: the finished tokenizer, or NULL with everything freed. */
static Tokenizer *finish_or_close(Tokenizer *t, bool ok, Error *err)
{
    if (!ok || !tokenizer_finish(t, err)) {
        tokenizer_close(&t);
    }
    return t;
}

Tokenizer *tokenizer_open_json(const TokenizerJson *desc, const Log *log, Error *err)
{
    Reader reader = {.name = desc->name ? desc->name : "tokenizer.json", .log = log};
    if (utf8_count_invalid(desc->json, desc->n_json)) {
        error_set(err, ERR_FORMAT, "%s is not UTF-8", reader.name);
        return NULL;
    }
    cJSON *json = json_parse(desc->json, desc->n_json, reader.name, err);
    cJSON *config = NULL;
    bool ok = json != NULL;
    if (ok && desc->config) {
        config = json_parse(desc->config, desc->n_config, "tokenizer_config.json", err);
        ok = config != NULL;
    }
    if (ok) {
        reader.tokenizer = tokenizer_create(err);
        ok = reader.tokenizer && tokenizer_read_json(&reader, json, err);
    }
    ok = ok && tokenizer_read_config(reader.tokenizer, config, err) &&
         (!desc->chat_template ||
          chat_take_template(reader.tokenizer, desc->chat_template, desc->n_chat_template, err));
    json_free(json);
    json_free(config);
    return reader.tokenizer ? finish_or_close(reader.tokenizer, ok, err) : NULL;
}

Tokenizer *tokenizer_open_embedded(const char *prefix, const Log *log, Error *err)
{
    Arena arena = {0};
    EmbeddedFile json;
    EmbeddedFile config = {0};
    Tokenizer *t = NULL;
    char *name = arena_printf(&arena, err, "%stokenizer.json", prefix);
    char *config_name = arena_printf(&arena, err, "%stokenizer_config.json", prefix);
    if (name && config_name) {
        bool has_config = embedded_find(config_name, &config);
        if (embedded_find(name, &json)) {
            TokenizerJson desc = {.json = (const char *)json.data,
                                  .n_json = json.n_bytes,
                                  .config = has_config ? (const char *)config.data : NULL,
                                  .n_config = config.n_bytes,
                                  .name = name};
            t = tokenizer_open_json(&desc, log, err);
        } else {
            error_set(err, ERR_IO, "%s is not part of this program", name);
        }
    }
    arena_destroy(&arena);
    return t;
}

/** A file beside another; NULL without an error where there is none. */
static char *read_beside(Arena *arena, const char *folder, const char *name, size_t *n, Error *err)
{
    char *path = path_join(arena, folder, name, err);
    return path && path_exists(path) ? file_read_all(arena, path, LARGEST_FILE, n, err) : NULL;
}

/** The folder a path is in. */
static char *folder_of(Arena *arena, const char *path, Error *err)
{
    size_t n = (size_t)(path_base_name(path) - path);
    return n ? arena_strndup(arena, path, n, err) : arena_strdup(arena, ".", err);
}

static Tokenizer *open_json_file(Arena *arena, const char *path, const Log *log, Error *err)
{
    Error config_error = {0};
    TokenizerJson desc = {.name = path};
    char *folder = folder_of(arena, path, err);
    desc.json = folder ? file_read_all(arena, path, LARGEST_FILE, &desc.n_json, err) : NULL;
    if (!desc.json) {
        return NULL;
    }
    desc.config =
        read_beside(arena, folder, "tokenizer_config.json", &desc.n_config, &config_error);
    desc.chat_template =
        read_beside(arena, folder, "chat_template.jinja", &desc.n_chat_template, &config_error);
    if (config_error.code != ERR_NONE) {
        *err = config_error;
        return NULL;
    }
    return tokenizer_open_json(&desc, log, err);
}

static Tokenizer *open_vocab_file(Arena *arena, const char *path, const Log *log, Error *err)
{
    Error config_error = {0};
    size_t n = 0;
    size_t n_config = 0;
    char *folder = folder_of(arena, path, err);
    char *text = folder ? file_read_all(arena, path, LARGEST_FILE, &n, err) : NULL;
    if (!text) {
        return NULL;
    }
    char *config_text =
        read_beside(arena, folder, "tokenizer_config.json", &n_config, &config_error);
    if (config_error.code != ERR_NONE) {
        *err = config_error;
        return NULL;
    }
    cJSON *config =
        config_text ? json_parse(config_text, n_config, "tokenizer_config.json", err) : NULL;
    if (config_text && !config) {
        return NULL;
    }
    Reader reader = {.tokenizer = tokenizer_create(err), .name = path, .log = log};
    bool ok = reader.tokenizer && tokenizer_read_vocab_txt(&reader, text, n, config, err);
    json_free(config);
    return reader.tokenizer ? finish_or_close(reader.tokenizer, ok, err) : NULL;
}

Tokenizer *tokenizer_open_gguf(const TensorFile *file, const Log *log, Error *err)
{
    Reader reader = {
        .tokenizer = tokenizer_create(err), .name = tensor_file_path(file), .log = log};
    if (!reader.tokenizer) {
        return NULL;
    }
    return finish_or_close(reader.tokenizer, tokenizer_read_gguf(&reader, file, err), err);
}

static Tokenizer *open_gguf_file(const char *path, const Log *log, Error *err)
{
    TensorFile *file = tensor_file_open(path, err);
    Tokenizer *t = file ? tokenizer_open_gguf(file, log, err) : NULL;
    tensor_file_close(&file);
    return t;
}

static Tokenizer *open_folder(Arena *arena, const char *path, const Log *log, Error *err)
{
    char *json = path_join(arena, path, "tokenizer.json", err);
    char *vocab = path_join(arena, path, "vocab.txt", err);
    char **names = NULL;
    size_t n_names = 0;
    if (!json || !vocab || !folder_list(arena, path, &names, &n_names, err)) {
        return NULL;
    }
    if (path_exists(json)) {
        return open_json_file(arena, json, log, err);
    }
    if (path_exists(vocab)) {
        return open_vocab_file(arena, vocab, log, err);
    }
    const char *gguf = NULL;
    size_t n_gguf = 0;
    for (size_t i = 0; i < n_names; i++) {
        if (path_has_suffix(names[i], ".gguf")) {
            gguf = names[i];
            n_gguf++;
        }
    }
    char *file = n_gguf == 1 ? path_join(arena, path, gguf, err) : NULL;
    if (file) {
        return open_gguf_file(file, log, err);
    }
    if (n_gguf != 1) {
        error_set(err, ERR_IO,
                  n_gguf ? "%s holds several .gguf files: name one of them"
                         : "%s has no tokenizer: none of tokenizer.json, vocab.txt and *.gguf is "
                           "there; give token ids with --ids",
                  path);
    }
    return NULL;
}

Tokenizer *tokenizer_open(const char *path, const Log *log, Error *err)
{
    Arena arena = {0};
    Tokenizer *t = path_is_folder(path)             ? open_folder(&arena, path, log, err)
                   : path_has_suffix(path, ".gguf") ? open_gguf_file(path, log, err)
                   : path_has_suffix(path, ".txt")  ? open_vocab_file(&arena, path, log, err)
                                                    : open_json_file(&arena, path, log, err);
    arena_destroy(&arena);
    return t;
}

/* ---- questions ---- */

int32_t tokenizer_n_vocab(const Tokenizer *t)
{
    return t->n_vocab;
}

const char *tokenizer_token_name(const Tokenizer *t, int32_t id)
{
    const AddedToken *added = added_find_id(&t->added, id);
    if (added) {
        return added->content;
    }
    return id >= 0 && (uint32_t)id < t->vocab.n_ids ? t->vocab.names[id] : NULL;
}

int32_t tokenizer_find(const Tokenizer *t, const char *name)
{
    const AddedToken *added = added_find_name(&t->added, name, strlen(name));
    return added ? added->id : vocab_find(&t->vocab, name, strlen(name));
}

bool tokenizer_is_special(const Tokenizer *t, int32_t id)
{
    const AddedToken *added = added_find_id(&t->added, id);
    return added && added->special;
}

int32_t tokenizer_special_id(const Tokenizer *t, SpecialToken which)
{
    return t->special[which];
}

const char *tokenizer_kind(const Tokenizer *t)
{
    return t->kind_name;
}

/** SentencePiece's mark as a space. */
static bool spell_spaces(const char *name, StrBuf *out, Error *err)
{
    static const char mark[] = "\xE2\x96\x81";
    for (const char *hit; (hit = strstr(name, mark)); name = hit + 3) {
        if (!strbuf_add(out, name, (size_t)(hit - name), err) || !strbuf_puts(out, " ", err)) {
            return false;
        }
    }
    return strbuf_puts(out, name, err);
}

char *tokenizer_token_text(const Tokenizer *t, int32_t id, Arena *arena, size_t *n_bytes,
                           Error *err)
{
    const char *name = tokenizer_token_name(t, id);
    if (!name) {
        error_set(err, ERR_RANGE, "there is no token with the id %d", id);
        return NULL;
    }
    StrBuf buf = {0};
    char byte;
    bool ok = true;
    if (added_find_id(&t->added, id)) {
        ok = strbuf_puts(&buf, name, err);
    } else if (t->shows_bytes) {
        ok = decode_bytes(name, strlen(name), &buf, err);
    } else if (t->settings.byte_fallback && decode_byte_name(name, strlen(name), &byte)) {
        ok = strbuf_add(&buf, &byte, 1, err);
    } else {
        ok = spell_spaces(name, &buf, err);
    }
    char *text = ok ? arena_strndup(arena, strbuf_text(&buf), buf.n, err) : NULL;
    *n_bytes = buf.n;
    strbuf_free(&buf);
    return text;
}

char *tokenizer_decode(const Tokenizer *t, const int32_t *ids, size_t n_ids, bool skip_special,
                       Arena *arena, size_t *n_bytes, Error *err)
{
    DecodeState state = {.arena = arena,
                         .parts = arena_alloc_array(arena, n_ids, sizeof *state.parts, err)};
    if (!state.parts) {
        return NULL;
    }
    for (size_t i = 0; i < n_ids; i++) {
        const AddedToken *added = added_find_id(&t->added, ids[i]);
        const char *name = added ? added->spelled : tokenizer_token_name(t, ids[i]);
        /* Special ones are known by their name: one that is spelled otherwise stays, as in the
         * library. */
        bool skips =
            skip_special && added && added->special && strcmp(added->spelled, added->content) == 0;
        if (name && !skips) {
            state.parts[state.n_parts].text = name;
            state.parts[state.n_parts++].n = strlen(name);
        }
    }
    if (!decode_parts(t->decoder, &state, err)) {
        return NULL;
    }
    StrBuf all = {0};
    bool ok = true;
    for (size_t i = 0; i < state.n_parts && ok; i++) {
        ok = (t->decoder || i == 0 || strbuf_puts(&all, " ", err)) &&
             strbuf_add(&all, state.parts[i].text, state.parts[i].n, err);
    }
    char *text = ok ? arena_strndup(arena, strbuf_text(&all), all.n, err) : NULL;
    *n_bytes = all.n;
    strbuf_free(&all);
    return text;
}

/* ---- byte-level alphabet ---- */

static bool is_printable_byte(uint32_t byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

uint32_t byte_level_char(uint8_t byte)
{
    if (is_printable_byte(byte)) {
        return byte;
    }
    /* 0..32, 127..160 and 173, in this order, are 256, 257, … */
    return byte <= 32 ? 256u + byte : byte == 173 ? 323u : 256u + 33u + (byte - 127u);
}

int byte_level_byte(uint32_t c)
{
    if (c < 256) {
        return is_printable_byte(c) ? (int)c : -1;
    }
    return c <= 288 ? (int)c - 256 : c <= 322 ? (int)c - 289 + 127 : c == 323 ? 173 : -1;
}
