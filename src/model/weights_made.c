/*
 * Weights of made-up models.
 */
#include "model/weights.h"

#include <math.h>

#include "base/random.h"

typedef struct Maker {
    const WeightsRecipe *recipe;
    Random random; /* one stream through all tensors in the order of the table */
    Arena *arena;
    uint64_t n_params;
} Maker;

/* Uniform in [-1, 1). By hash: of the seed, the role, the layer and the index alone, so that a
 * value does not change when the model grows. */
static float next_value(Maker *m, ArchRole role, int32_t layer, int64_t index)
{
    if (!m->recipe->by_hash) {
        return (float)(2.0 * random_uniform(&m->random) - 1.0);
    }
    const uint64_t key[4] = {m->recipe->seed, (uint64_t)role, (uint64_t)layer, (uint64_t)index};
    Random one = {random_hash(key, sizeof key)};
    return (float)(2.0 * random_uniform(&one) - 1.0);
}

static bool make_matrix(Maker *m, const ArchConfig *config, ArchRole role, int32_t layer,
                        Weight *weight, Error *err)
{
    Weight w = {0};
    size_t n;
    arch_role_shape(config, role, &w.rows, &w.columns);
    TensorView *view = ARENA_NEW(m->arena, TensorView, err);
    if (!view) {
        return false;
    }
    if (!checked_mul((size_t)w.rows, (size_t)w.columns, &n)) {
        return error_set(err, ERR_RANGE, "a made-up matrix [%lld, %lld] is too large",
                         (long long)w.rows, (long long)w.columns);
    }
    float *data = ARENA_ARRAY(m->arena, float, n, err);
    if (!data) {
        return false;
    }
    const float bound = sqrtf(6.0f / (float)(w.rows + w.columns));
    for (size_t i = 0; i < n; i++) {
        data[i] = bound * next_value(m, role, layer, (int64_t)i);
    }
    *view = (TensorView){.name = arch_role_name(role),
                         .dtype = DTYPE_F32,
                         .n_dims = 2,
                         .shape = {w.rows, w.columns, 1, 1, 1, 1, 1, 1},
                         .data = data,
                         .n_bytes = n * sizeof *data,
                         .n_elements = n};
    w.view = view;
    w.row_length = w.columns;
    w.chunk = w.rows;
    *weight = w;
    m->n_params += n;
    return true;
}

static bool make_role(Maker *m, const ArchConfig *config, ArchRole role, int32_t layer,
                      RoleWeights *out, Error *err)
{
    if (!arch_role_is_vector(role)) {
        return make_matrix(m, config, role, layer, &out->matrix, err);
    }
    int64_t one, n;
    arch_role_shape(config, role, &one, &n);
    float *vector = ARENA_ARRAY(m->arena, float, (size_t)n, err);
    if (!vector) {
        return false;
    }
    for (int64_t i = 0; i < n; i++) {
        vector[i] = 1;
    }
    out->vector = vector;
    m->n_params += (uint64_t)n;
    return true;
}

/* A typing error in a spec must not take the machine's memory. */
static bool check_total(const Arch *arch, const ArchConfig *config, Error *err)
{
    enum { MOST = 1 << 30 };
    double total = 0;
    for (const ArchTensor *row = arch->tensors; row->role != ROLE_COUNT; row++) {
        int64_t rows, columns;
        arch_role_shape(config, row->role, &rows, &columns);
        const double layers = row->role < ROLE_FIRST_OF_LAYER ? 1 : (double)config->n_layers;
        total += row->flags & ARCH_OPTIONAL ? 0 : layers * (double)rows * (double)columns;
    }
    if (total > MOST) {
        return error_set(err, ERR_RANGE,
                         "a made-up model of %.3g weights; at most %.3g (4 GiB) are made", total,
                         (double)MOST);
    }
    return true;
}

bool weights_make(Weights *weights, const Arch *arch, const ArchConfig *config,
                  const WeightsRecipe *recipe, Arena *arena, uint64_t *n_params, Error *err)
{
    Maker m = {.recipe = recipe, .random = {recipe->seed}, .arena = arena};
    *weights = (Weights){0};
    if (!check_total(arch, config, err)) {
        return false;
    }
    weights->layers =
        arena_alloc_array(arena, (size_t)config->n_layers, sizeof *weights->layers, err);
    if (!weights->layers) {
        return false;
    }
    for (const ArchTensor *row = arch->tensors; row->role != ROLE_COUNT; row++) {
        const int32_t n = row->role < ROLE_FIRST_OF_LAYER ? 1 : (int32_t)config->n_layers;
        for (int32_t layer = 0; layer < n && !(row->flags & ARCH_OPTIONAL); layer++) {
            RoleWeights *out = (RoleWeights *)weights_role(weights, layer, row->role);
            if (!make_role(&m, config, row->role, layer, out, err)) {
                return false;
            }
        }
    }
    *n_params = m.n_params;
    return true;
}
