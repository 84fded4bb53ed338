#include "model/arch_config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEY_BYTES = 128 };

/* ---------------------------------------------------------------- lookups */

/* Value of one path "a.b", n bytes long. Composite models keep theirs in text_config, which
 * config_get looks into first. */
static const cJSON *json_at(const Config *config, const char *path, size_t n)
{
    char key[KEY_BYTES];
    const cJSON *value = NULL;
    for (size_t start = 0; start <= n;) {
        size_t end = start;
        while (end < n && path[end] != '.') {
            end++;
        }
        AS_ASSERT(end - start < sizeof key);
        memcpy(key, path + start, end - start);
        key[end - start] = 0;
        value = start == 0 ? config_get(config, key) : json_get(value, key);
        if (!value || cJSON_IsNull(value)) {
            return NULL;
        }
        start = end + 1;
    }
    return value;
}

const cJSON *arch_source_json(const ArchSource *source, const char *hf)
{
    if (!source->json || !hf) {
        return NULL;
    }
    for (const char *at = hf; *at;) {
        const size_t length = strcspn(at, "|");
        const cJSON *value = json_at(source->json, at, length);
        if (value) {
            return value;
        }
        at += at[length] ? length + 1 : length;
    }
    return NULL;
}

static void gguf_key(const ArchSource *source, const char *name, char key[KEY_BYTES])
{
    snprintf(key, KEY_BYTES, "%.*s.%s", (int)AS_MIN(source->prefix_n, (size_t)40), source->prefix,
             name);
}

static bool check_range(const ArchSource *source, const char *key, double value, double lo,
                        double hi, Error *err)
{
    if (!(value >= lo && value <= hi)) {
        return error_set(err, ERR_FORMAT, "%s: %s is %g, expected %g to %g", source->name, key,
                         value, lo, hi);
    }
    return true;
}

bool arch_source_number(const ArchSource *source, const char *hf, const char *gguf, double lo,
                        double hi, double *out, Error *err)
{
    double value;
    if (source->gguf) {
        char key[KEY_BYTES];
        if (!gguf) {
            return true;
        }
        gguf_key(source, gguf, key);
        const MetaValue *meta = tensor_file_meta(source->gguf, key);
        if (!meta) {
            return true;
        }
        if (!tensor_file_get_number(source->gguf, key, 0, &value, err) ||
            !check_range(source, key, value, lo, hi, err)) {
            return false;
        }
        *out = value;
        return true;
    }
    const cJSON *json = arch_source_json(source, hf);
    if (!json) {
        return true;
    }
    if (!cJSON_IsNumber(json)) {
        return error_set(err, ERR_FORMAT, "%s: %s is not a number", source->name, hf);
    }
    value = json->valuedouble;
    if (!check_range(source, hf, value, lo, hi, err)) {
        return false;
    }
    *out = value;
    return true;
}

bool arch_source_bool(const ArchSource *source, const char *hf, bool *out, Error *err)
{
    const cJSON *json = arch_source_json(source, hf);
    if (!json) {
        return true;
    }
    if (!cJSON_IsBool(json)) {
        return error_set(err, ERR_FORMAT, "%s: %s is neither true nor false", source->name, hf);
    }
    *out = cJSON_IsTrue(json);
    return true;
}

bool arch_source_string(const ArchSource *source, const char *hf, const char *gguf,
                        const char **text, size_t *n, Error *err)
{
    *text = NULL;
    *n = 0;
    if (source->gguf) {
        char key[KEY_BYTES];
        TextView view = {0};
        if (gguf) {
            gguf_key(source, gguf, key);
            if (!tensor_file_get_string(source->gguf, key, &view, err)) {
                return false;
            }
        }
        *text = view.text;
        *n = view.n;
        return true;
    }
    const cJSON *json = arch_source_json(source, hf);
    if (!json) {
        return true;
    }
    if (!cJSON_IsString(json)) {
        return error_set(err, ERR_FORMAT, "%s: %s is not a text", source->name, hf);
    }
    *text = json->valuestring;
    *n = strlen(json->valuestring);
    return true;
}

/* ---------------------------------------------------------------- fields */

static bool read_activation(const Arch *arch, const ArchField *field, const ArchSource *source,
                            Activation *out, Error *err)
{
    const char *name;
    size_t n;
    *out = arch->activation;
    if (!arch_source_string(source, field->hf, NULL, &name, &n, err)) {
        return false;
    }
    if (name && !activation_parse(name, out)) {
        return error_set(err, ERR_UNSUPPORTED, "%s: activation \"%s\" is not known; known are: %s",
                         source->name, name, activation_known());
    }
    return true;
}

static bool read_field(const Arch *arch, const ArchField *field, const ArchSource *source,
                       ArchConfig *config, Error *err)
{
    void *to = (char *)config + field->offset;
    double value = NAN;
    bool flag = field->fallback != 0.0;
    switch (field->kind) {
    case ARCH_FIELD_ACTIVATION:
        return read_activation(arch, field, source, to, err);
    case ARCH_FIELD_BOOL:
        if (!arch_source_bool(source, field->hf, &flag, err)) {
            return false;
        }
        *(bool *)to = flag;
        return true;
    case ARCH_FIELD_INT:
    case ARCH_FIELD_REAL:
        break;
    }
    if (!arch_source_number(source, field->hf, field->gguf, field->lo, field->hi, &value, err)) {
        return false;
    }
    if (isnan(value)) {
        if (field->required) {
            return error_set(err, ERR_FORMAT, "%s: %s%s%s is missing", source->name,
                             source->gguf ? arch->gguf_names : "", source->gguf ? "." : "",
                             source->gguf ? field->gguf : field->hf);
        }
        value = field->fallback;
    }
    if (field->kind == ARCH_FIELD_REAL) {
        *(double *)to = value;
        return true;
    }
    if (value != floor(value)) {
        return error_set(err, ERR_FORMAT, "%s: %s is %g, expected a whole number", source->name,
                         source->gguf ? field->gguf : field->hf, value);
    }
    *(int64_t *)to = (int64_t)value;
    return true;
}

bool arch_config_read(const Arch *arch, const ArchSource *source, ArchConfig *config, Error *err)
{
    *config = (ArchConfig){.activation = arch->activation};
    for (const ArchField *f = arch->fields; f->hf || f->gguf; f++) {
        if (!read_field(arch, f, source, config, err)) {
            return false;
        }
    }
    if (arch->finish && !arch->finish(source, config, err)) {
        return false;
    }
    return arch_config_complete(arch, source->name, config, err);
}

bool arch_config_complete(const Arch *arch, const char *name, ArchConfig *c, Error *err)
{
    if (c->n_layers < 1 || c->n_layers > ARCH_MAX_LAYERS) {
        return error_set(err, ERR_FORMAT, "%s: %lld layers, expected 1 to %d", name,
                         (long long)c->n_layers, ARCH_MAX_LAYERS);
    }
    if (c->n_heads < 1 || c->width < 1) {
        return error_set(err, ERR_FORMAT, "%s: %lld heads and a width of %lld", name,
                         (long long)c->n_heads, (long long)c->width);
    }
    c->n_kv_heads = c->n_kv_heads ? c->n_kv_heads : c->n_heads;
    if (c->n_heads % c->n_kv_heads != 0) {
        return error_set(err, ERR_FORMAT,
                         "%s: %lld query heads cannot share %lld key/value heads evenly", name,
                         (long long)c->n_heads, (long long)c->n_kv_heads);
    }
    if (c->head_width == 0) {
        if (c->width % c->n_heads != 0) {
            return error_set(err, ERR_FORMAT, "%s: width %lld cannot be split into %lld heads",
                             name, (long long)c->width, (long long)c->n_heads);
        }
        c->head_width = c->width / c->n_heads;
    }
    if (c->head_width > ATTN_MAX_DIM) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: heads of width %lld; at most %d can be computed", name,
                         (long long)c->head_width, ATTN_MAX_DIM);
    }
    if ((double)(c->n_heads * c->head_width) > ARCH_MAX_SIZE) {
        return error_set(err, ERR_FORMAT, "%s: %lld heads of width %lld are too many", name,
                         (long long)c->n_heads, (long long)c->head_width);
    }
    c->mlp_width = c->mlp_width ? c->mlp_width : 4 * c->width;
    c->embedding_width = c->embedding_width ? c->embedding_width : c->width;
    if (arch->positions == ARCH_POSITIONS_ROTARY) {
        const double turned =
            (double)c->head_width * (c->rotary_fraction > 0 ? c->rotary_fraction : 1.0);
        c->rotary.width = c->rotary.width ? c->rotary.width : (int32_t)turned;
        if (c->rotary.width < 2 || c->rotary.width % 2 || c->rotary.width > c->head_width) {
            return error_set(err, ERR_FORMAT,
                             "%s: %d of the %lld dimensions of a head shall turn with positions; "
                             "it must be an even number of them",
                             name, c->rotary.width, (long long)c->head_width);
        }
    }
    return true;
}

/* ---------------------------------------------------------------- finish functions */

static bool rotary_numbers(const ArchSource *s, RotaryDesc *r, Error *err)
{
    r->factor = 1;
    r->low_freq_factor = 1;
    r->high_freq_factor = 4;
    return arch_source_number(s,
                              "rope_scaling.factor|rope_parameters.factor|"
                              "rope_parameters.full_attention.factor",
                              "rope.scaling.factor", 1e-3, 1e6, &r->factor, err) &&
           arch_source_number(s, "rope_scaling.low_freq_factor|rope_parameters.low_freq_factor",
                              NULL, 1e-3, 1e6, &r->low_freq_factor, err) &&
           arch_source_number(s, "rope_scaling.high_freq_factor|rope_parameters.high_freq_factor",
                              NULL, 1e-3, 1e6, &r->high_freq_factor, err) &&
           arch_source_number(s,
                              "rope_scaling.original_max_position_embeddings|"
                              "rope_parameters.original_max_position_embeddings|"
                              "original_max_position_embeddings|max_position_embeddings",
                              NULL, 1, 1e9, &r->original_positions, err);
}

bool arch_finish_rotary(const ArchSource *source, ArchConfig *config, Error *err)
{
    const char *kind;
    size_t n;
    if (!arch_source_string(source,
                            "rope_scaling.rope_type|rope_scaling.type|rope_parameters.rope_type|"
                            "rope_parameters.type|rope_parameters.full_attention.rope_type",
                            "rope.scaling.type", &kind, &n, err)) {
        return false;
    }
    if (!kind || arch_name_in("default|none", kind, n)) {
        return true;
    }
    if (arch_name_in("linear", kind, n)) {
        config->rotary.scaling = ROTARY_SCALING_LINEAR;
    } else if (arch_name_in("llama3", kind, n)) {
        config->rotary.scaling = ROTARY_SCALING_LLAMA3;
    } else {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: scaling of rotary positions \"%.*s\" is not known; known are: "
                         "default, linear, llama3",
                         source->name, (int)AS_MIN(n, (size_t)40), kind);
    }
    if (!rotary_numbers(source, &config->rotary, err)) {
        return false;
    }
    if (config->rotary.scaling == ROTARY_SCALING_LLAMA3 &&
        !(config->rotary.high_freq_factor > config->rotary.low_freq_factor)) {
        return error_set(err, ERR_FORMAT, "%s: rope scaling has high_freq_factor %g below low %g",
                         source->name, config->rotary.high_freq_factor,
                         config->rotary.low_freq_factor);
    }
    return true;
}

bool arch_finish_layer_types(const ArchSource *source, ArchConfig *config, Error *err)
{
    const cJSON *list = arch_source_json(source, "layer_types");
    if (!list || config->window == 0) {
        return true;
    }
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != config->n_layers ||
        config->n_layers > ARCH_MAX_LAYERS) {
        return error_set(err, ERR_FORMAT, "%s: layer_types is no list of %lld layers", source->name,
                         (long long)config->n_layers);
    }
    config->layers_listed = true;
    int64_t layer = 0;
    for (const cJSON *item = list->child; item; item = item->next, layer++) {
        const char *kind = cJSON_IsString(item) ? item->valuestring : "?";
        if (strcmp(kind, "full_attention") == 0) {
            config->global_layers[layer / 64] |= UINT64_C(1) << (layer % 64);
        } else if (strcmp(kind, "sliding_attention") != 0) {
            return error_set(err, ERR_UNSUPPORTED,
                             "%s: layer_types has \"%.40s\"; known are full_attention and "
                             "sliding_attention",
                             source->name, kind);
        }
    }
    return true;
}
