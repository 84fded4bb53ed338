/*
 * Ways to open a tokenizer: from memory, from files, from what a folder holds.
 */
#include "tokenizer/engine.h"

#include "base/embedded.h"
#include "base/file.h"
#include "base/str.h"

#include <string.h>

enum { LARGEST_FILE = 1 << 30 };

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

/* ---- SentencePiece's files ---- */

/** A JSON file beside another; NULL without an error where there is none. */
static cJSON *parse_beside(Arena *arena, const char *folder, const char *name, Error *err)
{
    char *path = path_join(arena, folder, name, err);
    return path && path_exists(path) ? json_parse_file(path, err) : NULL;
}

/** The JSON files that may lie beside a model file. */
typedef struct Beside {
    cJSON *config;  /* tokenizer_config.json */
    cJSON *added;   /* added_tokens.json */
    cJSON *model;   /* config.json */
    cJSON *vocab;   /* vocab.json, of Marian and of merges.txt */
    cJSON *targets; /* target_vocab.json, of Marian with two vocabularies */
} Beside;

static bool read_all_beside(Arena *arena, const char *folder, bool needs_vocab, Beside *beside,
                            Error *err)
{
    Error why = {0};
    beside->config = parse_beside(arena, folder, "tokenizer_config.json", &why);
    beside->added = why.code ? NULL : parse_beside(arena, folder, "added_tokens.json", &why);
    beside->model = why.code ? NULL : parse_beside(arena, folder, "config.json", &why);
    beside->vocab =
        why.code || !needs_vocab ? NULL : parse_beside(arena, folder, "vocab.json", &why);
    if (beside->vocab && json_get_bool(beside->config, "separate_vocabs", false)) {
        beside->targets = parse_beside(arena, folder, "target_vocab.json", &why);
    }
    if (why.code) {
        *err = why;
        return false;
    }
    return !needs_vocab || beside->vocab ||
           error_set(err, ERR_IO,
                     "%s: source.spm and merges.txt need the vocab.json of their model beside "
                     "them",
                     folder);
}

static void free_beside(Beside *beside)
{
    json_free(beside->config);
    json_free(beside->added);
    json_free(beside->model);
    json_free(beside->vocab);
    json_free(beside->targets);
}

static Tokenizer *open_pieces(Arena *arena, const char *path, const Beside *beside,
                              const cJSON *vocab, const Log *log, Error *err)
{
    FileMap map = {0};
    PieceFile file;
    Reader reader = {.name = path, .log = log};
    if (!file_map_open(&map, path, err)) {
        return NULL;
    }
    bool ok = piece_file_is(map.data, map.n_bytes) ||
              error_set(err, ERR_FORMAT,
                        "%s is not a SentencePiece model (it may be a vocabulary of tiktoken, or "
                        "the pointer of a file that was not fetched): put the model's "
                        "tokenizer.json beside it",
                        path);
    ok = ok && piece_file_read(&file, arena, map.data, map.n_bytes, path, err);
    if (ok) {
        const PieceSetup setup = {.file = &file,
                                  .config = beside->config,
                                  .added = beside->added,
                                  .vocab = vocab,
                                  .model_type = json_get_string(beside->model, "model_type", NULL)};
        reader.tokenizer = tokenizer_create(err);
        ok = reader.tokenizer && tokenizer_read_pieces(&reader, &setup, err);
    }
    file_map_close(&map);
    return reader.tokenizer ? finish_or_close(reader.tokenizer, ok, err) : NULL;
}

/** Marian's two sides: source.spm, and target.spm for what it translates into. */
static Tokenizer *open_marian(Arena *arena, const char *folder, const char *source,
                              const Beside *beside, const Log *log, Error *err)
{
    char *target = path_join(arena, folder, "target.spm", err);
    Tokenizer *t = target ? open_pieces(arena, source, beside, beside->vocab, log, err) : NULL;
    if (!t) {
        return NULL;
    }
    if (path_exists(target)) {
        const cJSON *vocab = beside->targets ? beside->targets : beside->vocab;
        t->target = open_pieces(arena, target, beside, vocab, log, err);
        if (!t->target) {
            tokenizer_close(&t);
        }
    } else {
        log_write(log, LOG_WARNING,
                  "%s: no target.spm beside it, so a target is tokenised as the source is", source);
    }
    return t;
}

static Tokenizer *open_piece_file(Arena *arena, const char *path, const Log *log, Error *err)
{
    Beside beside = {0};
    Tokenizer *t = NULL;
    const bool marian = strcmp(path_base_name(path), "source.spm") == 0;
    char *folder = folder_of(arena, path, err);
    if (folder && read_all_beside(arena, folder, marian, &beside, err)) {
        t = marian ? open_marian(arena, folder, path, &beside, log, err)
                   : open_pieces(arena, path, &beside, NULL, log, err);
    }
    free_beside(&beside);
    return t;
}

/* ---- merges.txt ---- */

static Tokenizer *open_merges_file(Arena *arena, const char *path, const Log *log, Error *err)
{
    Beside beside = {0};
    Reader reader = {.name = path, .log = log};
    MergesSetup setup = {0};
    char *folder = folder_of(arena, path, err);
    bool ok = folder && read_all_beside(arena, folder, true, &beside, err);
    setup.merges = ok ? file_read_all(arena, path, LARGEST_FILE, &setup.n_merges, err) : NULL;
    ok = setup.merges && (!utf8_count_invalid(setup.merges, setup.n_merges) ||
                          error_set(err, ERR_FORMAT, "%s is not UTF-8", path));
    if (ok) {
        setup.vocab = beside.vocab;
        setup.config = beside.config;
        setup.added = beside.added;
        setup.model_type = json_get_string(beside.model, "model_type", NULL);
        reader.tokenizer = tokenizer_create(err);
        ok = reader.tokenizer && tokenizer_read_merges(&reader, &setup, err);
    }
    free_beside(&beside);
    return reader.tokenizer ? finish_or_close(reader.tokenizer, ok, err) : NULL;
}

/* ---- folders ---- */

/** The only .gguf of a folder. */
static Tokenizer *open_only_gguf(Arena *arena, const char *path, const Log *log, Error *err)
{
    char **names = NULL;
    size_t n_names = 0;
    const char *gguf = NULL;
    size_t n_gguf = 0;
    if (!folder_list(arena, path, &names, &n_names, err)) {
        return NULL;
    }
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
                         : "%s has no tokenizer: none of tokenizer.json, vocab.txt, source.spm, "
                           "spiece.model, sentencepiece.bpe.model, tokenizer.model, merges.txt and "
                           "*.gguf is "
                           "there; give token ids with --ids",
                  path);
    }
    return NULL;
}

static Tokenizer *open_folder(Arena *arena, const char *path, const Log *log, Error *err)
{
    static const struct {
        const char *name;
        Tokenizer *(*open)(Arena *arena, const char *path, const Log *log, Error *err);
    } files[] = {
        {"tokenizer.json", open_json_file},
        {"vocab.txt", open_vocab_file},
        {"source.spm", open_piece_file},
        {"spiece.model", open_piece_file},
        {"sentencepiece.bpe.model", open_piece_file},
        {"tokenizer.model", open_piece_file},
        {"merges.txt", open_merges_file},
    };
    for (size_t i = 0; i < AS_COUNT(files); i++) {
        char *file = path_join(arena, path, files[i].name, err);
        if (!file) {
            return NULL;
        }
        if (path_exists(file)) {
            return files[i].open(arena, file, log, err);
        }
    }
    return open_only_gguf(arena, path, log, err);
}

Tokenizer *tokenizer_open(const char *path, const Log *log, Error *err)
{
    Arena arena = {0};
    Tokenizer *t = path_is_folder(path)                  ? open_folder(&arena, path, log, err)
                   : path_has_suffix(path, ".gguf")      ? open_gguf_file(path, log, err)
                   : path_has_suffix(path, "merges.txt") ? open_merges_file(&arena, path, log, err)
                   : path_has_suffix(path, ".txt")       ? open_vocab_file(&arena, path, log, err)
                   : path_has_suffix(path, ".spm") || path_has_suffix(path, ".model")
                       ? open_piece_file(&arena, path, log, err)
                       : open_json_file(&arena, path, log, err);
    arena_destroy(&arena);
    return t;
}
