/*
 * Finding architectures by name, and what follows from an ArchConfig alone.
 */
#include "model/arch.h"

#include <string.h>

#include "model/arch_list.h"

static const Arch *const ARCHES[] = {
#define ARCH_POINTER(arch, id) &arch,
    ARCH_ROWS(ARCH_POINTER)
#undef ARCH_POINTER
};

const char *model_known_architectures(void)
{
    static const char LIST[] =
#define ARCH_ID(arch, id) ", " id
        ARCH_ROWS(ARCH_ID);
#undef ARCH_ID
    return LIST + 2;
}

bool arch_name_in(const char *names, const char *name, size_t n)
{
    while (n > 0 && names && *names) {
        const size_t length = strcspn(names, "|");
        if (length == n && memcmp(names, name, n) == 0) {
            return true;
        }
        names += names[length] ? length + 1 : length;
    }
    return false;
}

const Arch *arch_by_model_type(const char *model_type)
{
    for (size_t i = 0; i < AS_COUNT(ARCHES); i++) {
        if (arch_name_in(ARCHES[i]->model_types, model_type, strlen(model_type))) {
            return ARCHES[i];
        }
    }
    return NULL;
}

const Arch *arch_by_gguf_name(const char *name, size_t n)
{
    for (size_t i = 0; i < AS_COUNT(ARCHES); i++) {
        if (arch_name_in(ARCHES[i]->gguf_names, name, n)) {
            return ARCHES[i];
        }
    }
    return NULL;
}

const Arch *arch_by_id(const char *id)
{
    for (size_t i = 0; i < AS_COUNT(ARCHES); i++) {
        if (strcmp(ARCHES[i]->id, id) == 0) {
            return ARCHES[i];
        }
    }
    return NULL;
}

const char *arch_role_name(ArchRole role)
{
    static const char *const NAMES[] = {
#define ARCH_ROLE_TEXT(name, per_layer, kind) [ROLE_##name] = #name,
        ARCH_ROLES(ARCH_ROLE_TEXT)
#undef ARCH_ROLE_TEXT
    };
    return role < ROLE_COUNT ? NAMES[role] : "?";
}

bool arch_role_is_vector(ArchRole role)
{
    static const char KINDS[] = {
#define ARCH_ROLE_KIND(name, per_layer, kind) [ROLE_##name] = kind,
        ARCH_ROLES(ARCH_ROLE_KIND)
#undef ARCH_ROLE_KIND
    };
    return KINDS[role] == 'V';
}

void arch_role_shape(const ArchConfig *c, ArchRole role, int64_t *rows, int64_t *columns)
{
    *rows = 1;
    *columns = c->width;
    switch (role) {
    case ROLE_TOKENS:
    case ROLE_HEAD:
        *rows = c->vocabulary;
        *columns = c->embedding_width;
        break;
    case ROLE_PROJECT_IN:
        *rows = c->width;
        *columns = c->embedding_width;
        break;
    case ROLE_PROJECT_OUT:
        *rows = c->embedding_width;
        break;
    case ROLE_PATCHES:
        *rows = c->width;
        *columns = c->n_channels * c->patch_side * c->patch_side;
        break;
    case ROLE_DISTANCE_BIAS:
        *rows = c->distance_buckets;
        *columns = c->n_heads;
        break;
    case ROLE_POSITIONS:
        *rows = c->max_positions + c->position_offset;
        break;
    case ROLE_TYPES:
        *rows = c->n_types;
        break;
    case ROLE_HEAD_DENSE:
        *rows = c->width;
        break;
    case ROLE_HEAD_BIAS:
        *columns = c->vocabulary;
        break;
    case ROLE_ROTARY_DIVISORS:
    case ROLE_ROTARY_DIVISORS_LONG:
        *columns = c->rotary.width / 2;
        break;
    case ROLE_Q:
    case ROLE_CROSS_Q:
        *rows = c->n_heads * c->head_width;
        break;
    case ROLE_K:
    case ROLE_V:
    case ROLE_CROSS_K:
    case ROLE_CROSS_V:
        *rows = c->n_kv_heads * c->head_width;
        break;
    case ROLE_Q_NORM:
    case ROLE_K_NORM:
        *columns = c->head_width;
        break;
    case ROLE_O:
    case ROLE_CROSS_O:
        *rows = c->width;
        *columns = c->n_heads * c->head_width;
        break;
    case ROLE_GATE:
    case ROLE_UP:
        *rows = c->mlp_width;
        break;
    case ROLE_DOWN:
        *rows = c->width;
        *columns = c->mlp_width;
        break;
    case ROLE_CLASS:
    case ROLE_CROSS_NORM:
    case ROLE_CROSS_ADD_NORM:
    case ROLE_EMBEDDING_NORM:
    case ROLE_FINAL_NORM:
    case ROLE_HEAD_NORM:
    case ROLE_ATTENTION_NORM:
    case ROLE_ATTENTION_OUT_NORM:
    case ROLE_ATTENTION_ADD_NORM:
    case ROLE_MLP_NORM:
    case ROLE_MLP_OUT_NORM:
    case ROLE_MLP_ADD_NORM:
    case ROLE_COUNT:
        break;
    }
}

bool arch_layer_is_global(const ArchConfig *config, int32_t layer)
{
    if (config->window == 0) {
        return true;
    }
    if (config->layers_listed) {
        return (config->global_layers[layer / 64] >> (layer % 64)) & 1;
    }
    return config->window_pattern > 0 && (layer + 1) % config->window_pattern == 0;
}
