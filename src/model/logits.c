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

bool model_norm(const Model *model, int32_t layer, ArchRole role, const float *x, float *y,
                int64_t rows, int32_t width, int n_threads)
{
    const RoleWeights *r = weights_role(&model->weights, layer, role);
    if (!r->vector) {
        return false;
    }
    norm_forward(&(NormArgs){.kind = model->arch->norm,
                             .x = x,
                             .y = y,
                             .x_stride = width,
                             .y_stride = width,
                             .weight = r->vector,
                             .bias = r->bias,
                             .eps = (float)model->config.norm_eps,
                             .rows = rows,
                             .width = width},
                 n_threads);
    return true;
}

uint64_t logits_floats(const Model *model, int32_t n_rows)
{
    const uint64_t rows = (uint64_t)AS_MIN(n_rows, LOGITS_BLOCK_ROWS);
    const uint64_t width = (uint64_t)model->config.width;
    return rows * (uint64_t)model->config.vocabulary +
           (VOCABULARY_BLOCK + 2 * rows + width) * width;
}

/* The masked-language head's own layer: transformed = norm(act(dense(final))). */
static bool transform(const Model *model, const float *final, int32_t n_rows, float *transformed,
                      float *scratch, int n_threads, Error *err)
{
    const int32_t width = (int32_t)model->config.width;
    const RoleWeights *dense = &model->weights.roles[ROLE_HEAD_DENSE];
    WeightFloats w;
    if (!weight_expand(&dense->matrix, scratch, n_threads, &w, err)) {
        return false;
    }
    const GemmArgs args = {.x = final,
                           .w = w.data,
                           .w_stride = w.stride,
                           .w_in_out = w.in_out,
                           .bias = dense->bias,
                           .y = transformed,
                           .rows = n_rows,
                           .in = width,
                           .out = width};
    if (!gemm_forward(&args, n_threads, err)) {
        return false;
    }
    activation_forward(model->config.head_activation, transformed, width, NULL, 0, n_rows, width,
                       n_threads);
    (void)model_norm(model, 0, ROLE_HEAD_NORM, transformed, transformed, n_rows, width, n_threads);
    return true;
}

static bool multiply(const Model *model, const float *x, int32_t n_rows, float *out, float *scratch,
                     int n_threads, Error *err)
{
    const RoleWeights *head = &model->weights.roles[ROLE_HEAD];
    const RoleWeights *tokens = &model->weights.roles[ROLE_TOKENS];
    const Weight *matrix = head->matrix.view ? &head->matrix : &tokens->matrix;
    const RoleWeights *own_bias = &model->weights.roles[ROLE_HEAD_BIAS];
    const float *bias = head->bias ? head->bias : own_bias->vector;
    const int64_t vocabulary = model->config.vocabulary;
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
    if (model->config.logit_cap > 0) {
        rows_soft_cap(out, vocabulary, (float)model->config.logit_cap, n_rows, (int32_t)vocabulary,
                      n_threads);
    }
    return true;
}

bool logits_from_final(const Model *model, const float *final, int32_t n_rows, float *out,
                       int n_threads, Error *err)
{
    const size_t width = (size_t)model->config.width;
    const bool dense = model->weights.roles[ROLE_HEAD_DENSE].matrix.view;
    /* The dense layer's weights and the vocabulary's take turns in the scratch. */
    const size_t n_scratch = AS_MAX((size_t)VOCABULARY_BLOCK, width) * width;
    float *scratch = mem_alloc((n_scratch + (size_t)n_rows * width) * sizeof *scratch, err);
    if (!scratch) {
        return false;
    }
    float *transformed = scratch + n_scratch;
    const bool ok =
        (!dense || transform(model, final, n_rows, transformed, scratch, n_threads, err)) &&
        multiply(model, dense ? transformed : final, n_rows, out, scratch, n_threads, err);
    mem_free(scratch);
    return ok;
}

bool model_logits(const Model *model, const float *hidden, int32_t n_rows, float *out,
                  int n_threads, Error *err)
{
    const int32_t width = (int32_t)model->config.width;
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
        if (!model_norm(model, 0, ROLE_FINAL_NORM, rows, final, n, width, n_threads)) {
            memcpy(final, rows, (size_t)n * (size_t)width * sizeof *final);
        }
        ok = logits_from_final(model, final, n, out + row * model->config.vocabulary, n_threads,
                               err);
    }
    mem_free(final);
    return ok;
}
