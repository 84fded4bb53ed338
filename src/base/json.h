#pragma once
/*
 * JSON of files from outside, over cJSON: parsed with a size and depth limit, read through typed
 * getters that say which key of which file is wrong.
 */
#include "base/arena.h"

#include <cjson/cJSON.h>

/** Parses text[0..n). `name` is the file, for messages. NULL and ERR_FORMAT with the byte offset
 *  on bad input. Freed with json_free. */
AS_MUST_CHECK cJSON *json_parse(const char *text, size_t n, const char *name, Error *err);
/** Maps and parses a file of at most 1 GiB. */
AS_MUST_CHECK cJSON *json_parse_file(const char *path, Error *err);
void json_free(cJSON *json);

/** Member of an object by name, or NULL (also when `object` is NULL or JSON null). Case matters. */
const cJSON *json_get(const cJSON *object, const char *key);
/** String member, or `fallback`. Borrowed until json_free. */
const char *json_get_string(const cJSON *object, const char *key, const char *fallback);
bool json_get_bool(const cJSON *object, const char *key, bool fallback);
double json_get_number(const cJSON *object, const char *key, double fallback);
/** Integer member in [lo, hi]; absent or null gives fallback; anything else is ERR_FORMAT. */
AS_MUST_CHECK bool json_get_int(const cJSON *object, const char *key, int64_t lo, int64_t hi,
                                int64_t fallback, int64_t *out, const char *name, Error *err);
