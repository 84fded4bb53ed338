#include "model/projections.h"

#include "compute/gemm.h"
#include "compute/rows.h"
#include "model/forward.h"

#include <string.h>

static const ArchRole SELF_ROLES[MODEL_PROJECTION_COUNT] = {ROLE_Q, ROLE_K, ROLE_V, ROLE_O};
static const ArchRole CROSS_ROLES[MODEL_PROJECTION_COUNT] = {ROLE_CROSS_Q, ROLE_CROSS_K,
                                                             ROLE_CROSS_V, ROLE_CROSS_O};

static bool is_cross(const Model *model, TapPlace place)
{
    return model->info.stacks[place.stack].kind == MODEL_STACK_CROSS;
}

/* The part of the model that a place lies in; NULL where it has no weights of its own. */
static const ModelPart *part_of(const Model *model, TapPlace place)
{
    if (!model->bound || place.stack < 0 || place.stack >= model->info.n_stacks) {
        return NULL;
    }
    const bool encoder =
        model->encoder.arch && model->info.stacks[place.stack].kind == MODEL_STACK_ENCODER;
    const ModelPart *part = encoder ? &model->encoder : &model->main;
    return part->arch && part->weights.layers && place.layer >= 0 &&
                   place.layer < part->config.n_layers
               ? part
               : NULL;
}

static const RoleWeights *find(const Model *model, TapPlace place, ModelProjection which)
{
    const ModelPart *part = part_of(model, place);
    if (!part) {
        return NULL;
    }
    const ArchRole role = is_cross(model, place) ? CROSS_ROLES[which] : SELF_ROLES[which];
    const RoleWeights *r = weights_role(&part->weights, place.layer, role);
    return r->matrix.view ? r : NULL;
}

static const RoleWeights *must_find(const Model *model, TapPlace place, ModelProjection which,
                                    Error *err)
{
    const RoleWeights *r = find(model, place, which);
    if (!r) {
        error_set(err, ERR_RANGE, "%s: layer %d has no such weights to show", model->info.name,
                  place.layer);
    }
    return r;
}

bool model_projection_info(const Model *model, TapPlace place, ModelProjection which,
                           ModelProjectionInfo *info)
{
    const RoleWeights *r = find(model, place, which);
    if (!r) {
        return false;
    }
    const bool qk = which == MODEL_PROJECTION_Q || which == MODEL_PROJECTION_K;
    const ArchRole norm = which == MODEL_PROJECTION_Q ? ROLE_Q_NORM : ROLE_K_NORM;
    *info = (ModelProjectionInfo){
        .rows = (int32_t)r->matrix.rows,
        .columns = (int32_t)r->matrix.columns,
        .has_bias = r->bias,
        .has_norm = qk && !is_cross(model, place) &&
                    weights_role(&part_of(model, place)->weights, place.layer, norm)->vector,
        .turns = qk && !is_cross(model, place) &&
                 part_of(model, place)->arch->positions == ARCH_POSITIONS_ROTARY};
    return true;
}

/* Where row `row` of Hugging Face order stands: GGUF keeps the pairs that turn together side by
 * side. */
static int64_t stored_row(const ModelPart *part, ModelProjection which, int64_t row)
{
    const int64_t width = part->config.head_width;
    const bool qk = which == MODEL_PROJECTION_Q || which == MODEL_PROJECTION_K;
    if (!qk || !part->weights.heads_interleaved) {
        return row;
    }
    const int64_t d = row % width;
    return row - d + (d < width / 2 ? 2 * d : 2 * (d - width / 2) + 1);
}

/* The matrix as floats: in place, or in *scratch (owned by the caller then). */
static bool expand(const Weight *weight, float **scratch, WeightFloats *floats, Error *err)
{
    const size_t n = weight_scratch(weight);
    *scratch = n ? mem_alloc(n * sizeof(float), err) : NULL;
    return (!n || *scratch) && weight_expand(weight, *scratch, 0, floats, err);
}

bool model_projection_read(const Model *model, TapPlace place, ModelProjection which, float *out,
                           float *bias, Error *err)
{
    const RoleWeights *r = must_find(model, place, which, err);
    float *scratch = NULL;
    WeightFloats w;
    if (!r || !expand(&r->matrix, &scratch, &w, err)) {
        mem_free(scratch);
        return false;
    }
    const int64_t columns = r->matrix.columns;
    for (int64_t i = 0; i < r->matrix.rows; i++) {
        const int64_t from = stored_row(part_of(model, place), which, i);
        float *to = out + i * columns;
        for (int64_t j = 0; j < columns; j++) {
            to[j] = w.in_out ? w.data[j * w.stride + from] : w.data[from * w.stride + j];
        }
        if (bias) {
            bias[i] = r->bias ? r->bias[from] : 0;
        }
    }
    mem_free(scratch);
    return true;
}

bool model_attention_input(const Model *model, TapPlace place, const float *x, int32_t n_rows,
                           float *out)
{
    const int32_t width = model->info.width;
    const ModelPart *part = part_of(model, place);
    const ArchRole role = part && is_cross(model, place) ? ROLE_CROSS_NORM : ROLE_ATTENTION_NORM;
    if (part && part_norm(part, place.layer, role, x, out, n_rows, width, 0)) {
        return true;
    }
    memcpy(out, x, (size_t)n_rows * (size_t)width * sizeof *out);
    return false;
}

bool model_project(const Model *model, TapPlace place, ModelProjection which, const float *x,
                   int32_t n_rows, float *out, Error *err)
{
    const RoleWeights *r = must_find(model, place, which, err);
    float *scratch = NULL;
    WeightFloats w;
    if (!r || !expand(&r->matrix, &scratch, &w, err)) {
        mem_free(scratch);
        return false;
    }
    const int32_t rows = (int32_t)r->matrix.rows;
    float *stored = mem_alloc((size_t)n_rows * (size_t)rows * sizeof *stored, err);
    const bool ok = stored && gemm_forward(&(GemmArgs){.x = x,
                                                       .w = w.data,
                                                       .w_stride = w.stride,
                                                       .w_in_out = w.in_out,
                                                       .bias = r->bias,
                                                       .y = stored,
                                                       .rows = n_rows,
                                                       .in = (int32_t)r->matrix.columns,
                                                       .out = rows},
                                           0, err);
    for (int32_t i = 0; ok && i < n_rows; i++) {
        for (int32_t j = 0; j < rows; j++) {
            out[(ptrdiff_t)i * rows + j] =
                stored[(ptrdiff_t)i * rows + stored_row(part_of(model, place), which, j)];
        }
    }
    mem_free(stored);
    mem_free(scratch);
    return ok;
}

bool model_attention_residual(const Model *model, TapPlace place, const float *x,
                              const float *attended, int32_t n_rows, float *out, Error *err)
{
    if (!must_find(model, place, MODEL_PROJECTION_O, err)) {
        return false;
    }
    const ModelPart *part = part_of(model, place);
    const bool cross = is_cross(model, place);
    const int32_t width = (int32_t)part->config.width;
    if (cross ||
        !part_norm(part, place.layer, ROLE_ATTENTION_OUT_NORM, attended, out, n_rows, width, 0)) {
        memcpy(out, attended, (size_t)n_rows * (size_t)width * sizeof *out);
    }
    rows_add(out, width, x, width, n_rows, width, 0);
    (void)part_norm(part, place.layer, cross ? ROLE_CROSS_ADD_NORM : ROLE_ATTENTION_ADD_NORM, out,
                    out, n_rows, width, 0);
    return true;
}
