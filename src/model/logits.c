/*
 * From the residual stream to the vocabulary.
 */
#include <string.h>

#include "base/arena.h"
#include "compute/gemm.h"
#include "compute/rows.h"
#include "model/forward.h"

/* Rows of the vocabulary expanded at once. */
enum { VOCABULARY_BLOCK = 4096 };

bool part_norm(const ModelPart *part, int32_t layer, ArchRole role, const float *x, float *y,
               int64_t rows, int32_t width, int n_threads)
{
    const RoleWeights *r = weights_role(&part->weights, layer, role);
    if (!r->vector) {
        return false;
    }
    norm_forward(&(NormArgs){.kind = part->arch->norm,
                             .x = x,
                             .y = y,
                             .x_stride = width,
                             .y_stride = width,
                             .weight = r->vector,
                             .bias = r->bias,
                             .eps = (float)part->config.norm_eps,
                             .rows = rows,
                             .width = width},
                 n_threads);
    return true;
}

uint64_t logits_floats(const Model *model, int32_t n_rows)
{
    const uint64_t rows = (uint64_t)AS_MIN(n_rows, LOGITS_BLOCK_ROWS);
    const uint64_t width = (uint64_t)model->main.config.width;
    return rows * (uint64_t)model->main.config.vocabulary +
           (VOCABULARY_BLOCK + 2 * rows + width) * width;
}

/* y [n_rows, out] = x . W^T + bias of a role; scratch takes the matrix. */
static bool multiply_role(const Model *model, ArchRole role, const float *x, int32_t n_rows,
                          float *y, float *scratch, int n_threads, Error *err)
{
    const RoleWeights *r = &model->main.weights.roles[role];
    WeightFloats w;
    if (!weight_expand(&r->matrix, scratch, n_threads, &w, err)) {
        return false;
    }
    const GemmArgs args = {.x = x,
                           .w = w.data,
                           .w_stride = w.stride,
                           .w_in_out = w.in_out,
                           .bias = r->bias,
                           .y = y,
                           .rows = n_rows,
                           .in = (int32_t)r->matrix.columns,
                           .out = (int32_t)r->matrix.rows};
    return gemm_forward(&args, n_threads, err);
}

/* What the vocabulary is multiplied with: norm(act(dense(final))) of masked-language heads, the
 * projection of those whose embeddings are narrower, final * scale, or final itself. */
static bool transform(const Model *model, const float *final, int32_t n_rows, float *transformed,
                      float *scratch, int n_threads, Error *err)
{
    const ArchConfig *c = &model->main.config;
    const int32_t width = (int32_t)c->width;
    if (model->main.weights.roles[ROLE_PROJECT_OUT].matrix.view) {
        return multiply_role(model, ROLE_PROJECT_OUT, final, n_rows, transformed, scratch,
                             n_threads, err);
    }
    if (model->main.weights.roles[ROLE_HEAD_DENSE].matrix.view) {
        if (!multiply_role(model, ROLE_HEAD_DENSE, final, n_rows, transformed, scratch, n_threads,
                           err)) {
            return false;
        }
        activation_forward(c->head_activation, transformed, width, NULL, 0, n_rows, width,
                           n_threads);
        (void)part_norm(&model->main, 0, ROLE_HEAD_NORM, transformed, transformed, n_rows, width,
                        n_threads);
        return true;
    }
    const size_t n = (size_t)n_rows * (size_t)width;
    const float scale = c->head_scale > 0 ? (float)c->head_scale : 1.0f;
    for (size_t i = 0; i < n; i++) {
        transformed[i] = final[i] * scale;
    }
    return true;
}

static bool multiply(const Model *model, const float *x, int32_t n_rows, float *out, float *scratch,
                     int n_threads, Error *err)
{
    const RoleWeights *head = &model->main.weights.roles[ROLE_HEAD];
    const RoleWeights *tokens = &model->main.weights.roles[ROLE_TOKENS];
    const Weight *matrix = head->matrix.view ? &head->matrix : &tokens->matrix;
    const RoleWeights *own_bias = &model->main.weights.roles[ROLE_HEAD_BIAS];
    const float *bias = head->bias ? head->bias : own_bias->vector;
    const int64_t vocabulary = model->main.config.vocabulary;
    for (int64_t row = 0; row < vocabulary; row += VOCABULARY_BLOCK) {
        const int64_t n = AS_MIN(VOCABULARY_BLOCK, vocabulary - row);
        WeightFloats w;
        if (!weight_expand_rows(matrix, row, n, scratch, n_threads, &w, err)) {
            return false;
        }
        const GemmArgs args = {.x = x,
                               .w = w.data,
                               .w_stride = w.stride,
                               .bias = bias ? bias + row : NULL,
                               .y = out + row,
                               .y_stride = vocabulary,
                               .rows = n_rows,
                               .in = (int32_t)matrix->columns,
                               .out = (int32_t)n};
        if (!gemm_forward(&args, n_threads, err)) {
            return false;
        }
    }
    if (model->main.config.logit_cap > 0) {
        rows_soft_cap(out, vocabulary, (float)model->main.config.logit_cap, n_rows,
                      (int32_t)vocabulary, n_threads);
    }
    return true;
}

static bool has_transform(const Model *model)
{
    const RoleWeights *roles = model->main.weights.roles;
    return roles[ROLE_HEAD_DENSE].matrix.view || roles[ROLE_PROJECT_OUT].matrix.view ||
           model->main.config.head_scale > 0;
}

bool logits_from_final(const Model *model, const float *final, int32_t n_rows, float *out,
                       int n_threads, Error *err)
{
    const ArchConfig *c = &model->main.config;
    const size_t width = (size_t)AS_MAX(c->width, c->embedding_width);
    const bool changed = has_transform(model);
    /* The dense layer's weights and the vocabulary's take turns in the scratch. */
    const size_t n_scratch = AS_MAX((size_t)VOCABULARY_BLOCK, width) * width;
    float *scratch = mem_alloc((n_scratch + (size_t)n_rows * width) * sizeof *scratch, err);
    if (!scratch) {
        return false;
    }
    float *transformed = scratch + n_scratch;
    const bool ok =
        (!changed || transform(model, final, n_rows, transformed, scratch, n_threads, err)) &&
        multiply(model, changed ? transformed : final, n_rows, out, scratch, n_threads, err);
    mem_free(scratch);
    return ok;
}

bool model_logits(const Model *model, const float *hidden, int32_t n_rows, float *out,
                  int n_threads, Error *err)
{
    const int32_t width = (int32_t)model->main.config.width;
    if (!model_check_bound(model, err)) {
        return false;
    }
    if (!model->info.has_logits) {
        return error_set(err, ERR_UNSUPPORTED, "%s has no prediction head, so no logits",
                         model->info.name);
    }
    float *final = mem_alloc((size_t)LOGITS_BLOCK_ROWS * (size_t)width * sizeof *final, err);
    bool ok = final;
    for (int32_t row = 0; ok && row < n_rows; row += LOGITS_BLOCK_ROWS) {
        const int32_t n = AS_MIN(LOGITS_BLOCK_ROWS, n_rows - row);
        const float *rows = hidden + (ptrdiff_t)row * width;
        if (!part_norm(&model->main, 0, ROLE_FINAL_NORM, rows, final, n, width, n_threads)) {
            memcpy(final, rows, (size_t)n * (size_t)width * sizeof *final);
        }
        ok = logits_from_final(model, final, n, out + row * model->main.config.vocabulary,
                               n_threads, err);
    }
    mem_free(final);
    return ok;
}
