#include "formats/config.h"

#include "base/file.h"

#include <math.h>
#include <string.h>

static bool accept_root(Config *config, cJSON *root, const char *name, Error *err)
{
    config->name = root ? mem_strdup(name, err) : NULL;
    if (!config->name) {
        json_free(root);
        return false;
    }
    config->root = root;
    config->text = root;
    if (!cJSON_IsObject(root)) {
        error_set(err, ERR_FORMAT, "%s is not a JSON object of settings", name);
        config_close(config);
        return false;
    }
    const cJSON *text = json_get(root, "text_config");
    if (cJSON_IsObject(text)) {
        config->text = text;
    }
    return true;
}

bool config_open(Config *config, const char *path, Error *err)
{
    *config = (Config){0};
    Arena arena = {0};
    const char *name = path;
    bool is_folder = path_is_folder(path);
    if (is_folder) {
        name = path_join(&arena, path, "config.json", err);
    }
    bool ok = name != NULL;
    if (ok && is_folder && !path_exists(name)) {
        ok =
            error_set(err, ERR_IO,
                      "%s has no config.json: a model's folder in Hugging Face form has one", path);
    }
    ok = ok && accept_root(config, json_parse_file(name, err), name, err);
    arena_destroy(&arena);
    return ok;
}

bool config_open_memory(Config *config, const char *name, const char *text, size_t n, Error *err)
{
    *config = (Config){0};
    return accept_root(config, json_parse(text, n, name, err), name, err);
}

void config_close(Config *config)
{
    if (!config) {
        return;
    }
    json_free(config->root);
    mem_free(config->name);
    *config = (Config){0};
}

/* The key of `keys` that starts at *at, into out; false past the last. */
static bool next_key(const char **at, char out[128])
{
    if (!**at) {
        return false;
    }
    size_t n = strcspn(*at, "|");
    AS_ASSERT(n > 0 && n < 128);
    memcpy(out, *at, n);
    out[n] = 0;
    *at += n + ((*at)[n] == '|');
    return true;
}

/* Also says which of the keys it was. */
static const cJSON *find(const Config *config, const char *keys, char found[128])
{
    const cJSON *places[] = {config->text, config->root};
    for (size_t i = 0; i < AS_COUNT(places); i++) {
        const char *at = keys;
        while (next_key(&at, found)) {
            const cJSON *item = json_get(places[i], found);
            if (item) {
                return item;
            }
        }
    }
    return NULL;
}

const cJSON *config_get(const Config *config, const char *keys)
{
    char key[128];
    return find(config, keys, key);
}

bool config_get_string(const Config *config, const char *keys, const char *fallback,
                       const char **out, Error *err)
{
    char key[128];
    const cJSON *item = find(config, keys, key);
    *out = fallback;
    if (!item) {
        return true;
    }
    if (!cJSON_IsString(item)) {
        return error_set(err, ERR_FORMAT, "%s: \"%s\" must be a string", config->name, key);
    }
    *out = item->valuestring;
    return true;
}

bool config_get_int(const Config *config, const char *keys, int64_t lo, int64_t hi,
                    int64_t fallback, int64_t *out, Error *err)
{
    char key[128];
    const cJSON *item = find(config, keys, key);
    *out = fallback;
    if (!item) {
        return true;
    }
    double v = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (!(v >= (double)lo && v <= (double)hi) || v != floor(v) || fabs(v) > 0x1p53) {
        return error_set(err, ERR_FORMAT, "%s: \"%s\" must be a whole number from %lld to %lld",
                         config->name, key, (long long)lo, (long long)hi);
    }
    *out = (int64_t)v;
    return true;
}

bool config_get_number(const Config *config, const char *keys, double lo, double hi,
                       double fallback, double *out, Error *err)
{
    char key[128];
    const cJSON *item = find(config, keys, key);
    *out = fallback;
    if (!item) {
        return true;
    }
    double v = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (!isfinite(v) || v < lo || v > hi) {
        return error_set(err, ERR_FORMAT, "%s: \"%s\" must be a number from %g to %g", config->name,
                         key, lo, hi);
    }
    *out = v;
    return true;
}

bool config_get_bool(const Config *config, const char *keys, bool fallback, bool *out, Error *err)
{
    char key[128];
    const cJSON *item = find(config, keys, key);
    *out = fallback;
    if (!item) {
        return true;
    }
    if (!cJSON_IsBool(item)) {
        return error_set(err, ERR_FORMAT, "%s: \"%s\" must be true or false", config->name, key);
    }
    *out = cJSON_IsTrue(item);
    return true;
}
