#pragma once
/*
 * A Hugging Face config.json (or another JSON settings file of a model), read with typed getters
 * that name the file and the key. Values of the nested "text_config", where there is one, come
 * before those of the top level: composite models keep their language model there.
 *
 * `keys` is one name or several with "|" between ("num_attention_heads|n_head"): the first that is
 * present counts. JSON null counts as absent. Read-only after open: any thread.
 */
#include "base/json.h"

typedef struct Config {
    cJSON *root;       /* owned; an object */
    const cJSON *text; /* root's text_config, else root; borrowed */
    char *name;        /* owned; path, for messages */
} Config;

/** `path` is a file or a folder with a config.json. Zero is closed. */
AS_MUST_CHECK bool config_open(Config *config, const char *path, Error *err);
/** From memory (not kept); `name` is for messages. */
AS_MUST_CHECK bool config_open_memory(Config *config, const char *name, const char *text, size_t n,
                                      Error *err);
/** Idempotent; NULL is fine. */
void config_close(Config *config);

/** The value itself, or NULL. Borrowed until close. The other getters give ERR_FORMAT, naming file
 *  and key, when a value is of another type or out of range. */
const cJSON *config_get(const Config *config, const char *keys);
/** String, borrowed until close; absent gives fallback, which may be NULL. */
AS_MUST_CHECK bool config_get_string(const Config *config, const char *keys, const char *fallback,
                                     const char **out, Error *err);
/** Whole number in [lo, hi]; absent gives fallback. */
AS_MUST_CHECK bool config_get_int(const Config *config, const char *keys, int64_t lo, int64_t hi,
                                  int64_t fallback, int64_t *out, Error *err);
/** Finite number in [lo, hi]; absent gives fallback. */
AS_MUST_CHECK bool config_get_number(const Config *config, const char *keys, double lo, double hi,
                                     double fallback, double *out, Error *err);
AS_MUST_CHECK bool config_get_bool(const Config *config, const char *keys, bool fallback, bool *out,
                                   Error *err);
