#include "base/json.h"

#include "base/file.h"

#include <math.h>

cJSON *json_parse(const char *text, size_t n, const char *name, Error *err)
{
    const char *stop = NULL;
    cJSON *json = n ? cJSON_ParseWithLengthOpts(text, n, &stop, false) : NULL;
    if (!json) {
        size_t at = stop ? (size_t)(stop - text) : 0;
        error_set(err, ERR_FORMAT, "%s is not valid JSON near byte %zu of %zu", name, at, n);
        return NULL;
    }
    for (const char *p = stop; p < text + n; p++) {
        if (*p != ' ' && *p != '\n' && *p != '\r' && *p != '\t' && *p != 0) {
            error_set(err, ERR_FORMAT, "%s has more after its JSON value, at byte %zu of %zu", name,
                      (size_t)(p - text), n);
            cJSON_Delete(json);
            return NULL;
        }
    }
    return json;
}

cJSON *json_parse_file(const char *path, Error *err)
{
    FileMap map;
    if (!file_map_open(&map, path, err)) {
        return NULL;
    }
    cJSON *json = NULL;
    if (map.n_bytes > (size_t)1 << 30) {
        error_set(err, ERR_FORMAT, "%s has %zu bytes, more than 1 GiB of JSON", path, map.n_bytes);
    } else {
        json = json_parse((const char *)map.data, map.n_bytes, path, err);
    }
    file_map_close(&map);
    return json;
}

void json_free(cJSON *json)
{
    cJSON_Delete(json);
}

const cJSON *json_get(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNull(item) ? NULL : item;
}

const char *json_get_string(const cJSON *object, const char *key, const char *fallback)
{
    const cJSON *item = json_get(object, key);
    return cJSON_IsString(item) ? item->valuestring : fallback;
}

bool json_get_bool(const cJSON *object, const char *key, bool fallback)
{
    const cJSON *item = json_get(object, key);
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}

double json_get_number(const cJSON *object, const char *key, double fallback)
{
    const cJSON *item = json_get(object, key);
    return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : fallback;
}

bool json_get_int(const cJSON *object, const char *key, int64_t lo, int64_t hi, int64_t fallback,
                  int64_t *out, const char *name, Error *err)
{
    const cJSON *item = json_get(object, key);
    if (!item) {
        *out = fallback;
        return true;
    }
    double v = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    /* Past 2^53 a JSON number is rounded, and past 2^63 it does not fit. */
    if (!(v >= (double)lo && v <= (double)hi) || v != floor(v) || fabs(v) > 0x1p53) {
        return error_set(err, ERR_FORMAT, "%s: \"%s\" must be a whole number from %lld to %lld",
                         name, key, (long long)lo, (long long)hi);
    }
    *out = (int64_t)v;
    return true;
}
