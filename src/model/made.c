/*
 * The words of made-up models: "random:L=4,H=8,d=64,seed=1".
 */
#include "model/model_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char KNOWN[] =
    "L layers, H heads, G key/value heads, d width, f MLP width, V "
    "vocabulary, n positions, seed, arch=llama|gpt2, pattern (synthetic only)";

typedef struct MadeKey {
    const char *name;
    size_t offset; /* in ArchConfig, int64_t */
    int64_t lo, hi;
} MadeKey;

static const MadeKey KEYS[] = {
    {"L", offsetof(ArchConfig, n_layers), 1, ARCH_MAX_LAYERS},
    {"H", offsetof(ArchConfig, n_heads), 1, 1024},
    {"G", offsetof(ArchConfig, n_kv_heads), 1, 1024},
    {"d", offsetof(ArchConfig, width), 1, 65536},
    {"f", offsetof(ArchConfig, mlp_width), 1, 262144},
    {"V", offsetof(ArchConfig, vocabulary), 1, 1048576},
    {"n", offsetof(ArchConfig, max_positions), 1, ATTN_MAX_LENGTH},
};

static bool parse_number(const char *spec, const char *key, const char *text, int64_t lo,
                         int64_t hi, int64_t *out, Error *err)
{
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || value < lo || value > hi) {
        return error_set(err, ERR_USAGE, "%s: %s=%s, expected a whole number from %lld to %lld",
                         spec, key, text, (long long)lo, (long long)hi);
    }
    *out = value;
    return true;
}

static bool take_pair(const char *spec, const char *key, const char *value, const Arch **arch,
                      ArchConfig *config, WeightsRecipe *recipe, Error *err)
{
    int64_t seed = 0;
    for (size_t i = 0; i < AS_COUNT(KEYS); i++) {
        if (strcmp(key, KEYS[i].name) == 0) {
            return parse_number(spec, key, value, KEYS[i].lo, KEYS[i].hi,
                                (int64_t *)((char *)config + KEYS[i].offset), err);
        }
    }
    if (strcmp(key, "seed") == 0) {
        if (!parse_number(spec, key, value, 0, INT64_MAX, &seed, err)) {
            return false;
        }
        recipe->seed = (uint64_t)seed;
        return true;
    }
    if (recipe->synthetic && strcmp(key, "pattern") == 0) {
        return synthetic_find(value, strlen(value), &recipe->pattern) ||
               error_set(err, ERR_USAGE, "%s: pattern=%s, expected %s", spec, value,
                         synthetic_names());
    }
    if (strcmp(key, "arch") == 0) {
        *arch =
            strcmp(value, "llama") == 0 || strcmp(value, "gpt2") == 0 ? arch_by_id(value) : NULL;
        return *arch ||
               error_set(err, ERR_USAGE, "%s: arch=%s, expected llama or gpt2", spec, value);
    }
    return error_set(err, ERR_USAGE, "%s: %s is not known; known are %s", spec, key, KNOWN);
}

bool made_parse(const char *spec, const Arch **arch, ArchConfig *config, WeightsRecipe *recipe,
                Error *err)
{
    char pair[64];
    *arch = arch_by_id("llama");
    *recipe = (WeightsRecipe){.seed = 1,
                              .synthetic = strncmp(spec, "synthetic", 9) == 0,
                              .by_hash = strncmp(spec, "hash", 4) == 0};
    *config = (ArchConfig){.n_layers = 4,
                           .n_heads = 8,
                           .width = recipe->synthetic ? 256 : 64,
                           .vocabulary = 4096,
                           .max_positions = 8192,
                           .norm_eps = 1e-5,
                           .rotary = {.theta = 10000},
                           .tied = true};
    const char *at = strchr(spec, ':');
    for (at = at ? at + 1 : ""; *at;) {
        const size_t n = strcspn(at, ",");
        if (n >= sizeof pair) {
            return error_set(err, ERR_USAGE, "%s: \"%.20s…\" is too long; known are %s", spec, at,
                             KNOWN);
        }
        memcpy(pair, at, n);
        pair[n] = 0;
        char *equals = strchr(pair, '=');
        SyntheticPattern *pattern = recipe->synthetic ? &recipe->pattern : NULL;
        if (!equals && pattern && synthetic_find(pair, n, pattern)) {
            at += n + (at[n] == ',');
            continue; /* "synthetic:local" */
        }
        if (!equals && pattern) {
            return error_set(err, ERR_USAGE, "%s: \"%s\" is neither KEY=VALUE nor one of %s", spec,
                             pair, synthetic_names());
        }
        if (!equals) {
            return error_set(err, ERR_USAGE, "%s: \"%s\" is not KEY=VALUE; known are %s", spec,
                             pair, KNOWN);
        }
        *equals = 0;
        if (!take_pair(spec, pair, equals + 1, arch, config, recipe, err)) {
            return false;
        }
        at += n + (at[n] == ',');
    }
    config->activation = (*arch)->activation;
    if (recipe->synthetic && config->n_kv_heads && config->n_kv_heads != config->n_heads) {
        return error_set(err, ERR_USAGE, "%s: each head has a pattern of its own, so G is H", spec);
    }
    Error why = {0};
    if (!arch_config_complete(*arch, spec, config, &why)) {
        return error_set(err, ERR_USAGE, "%s", why.message);
    }
    if (recipe->synthetic && config->head_width < SYNTHETIC_MIN_WIDTH) {
        return error_set(err, ERR_USAGE, "%s: heads are %d wide, patterns need at least %d (d / H)",
                         spec, (int)config->head_width, SYNTHETIC_MIN_WIDTH);
    }
    return true;
}
