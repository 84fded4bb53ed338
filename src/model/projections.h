#pragma once
/*
 * The linear maps of one attention layer, to be looked at and applied apart from a forward pass:
 * W_Q, W_K, W_V and W_O with their biases, the norm before and the residual after. Rows of Q and K
 * are in Hugging Face dimension order whatever the file's order is. Any thread; the model is only
 * read.
 */
#include "model/model.h"

typedef enum ModelProjection {
    MODEL_PROJECTION_Q,
    MODEL_PROJECTION_K,
    MODEL_PROJECTION_V,
    MODEL_PROJECTION_O,
    MODEL_PROJECTION_COUNT
} ModelProjection;

/** y = W x + b: W is [rows, columns]. */
typedef struct ModelProjectionInfo {
    int32_t rows, columns; /* Q [H D, C]; K, V [G D, C]; O [C, H D] */
    bool has_bias;
    bool has_norm; /* Q and K: each head is normalised before it is turned (Qwen 3, Gemma 3) */
    bool turns;    /* Q and K: rotary positions follow */
} ModelProjectionInfo;

/** False when there is no such place or its weights are not there. */
bool model_projection_info(const Model *model, TapPlace place, ModelProjection which,
                           ModelProjectionInfo *info);

/** The whole matrix, out [rows, columns] packed; bias [rows], may be NULL (without one: zeros). */
AS_MUST_CHECK bool model_projection_read(const Model *model, TapPlace place, ModelProjection which,
                                         float *out, float *bias, Error *err);

/** out [n_rows, C] = what the projections of a layer read: x [n_rows, C] after the layer's first
 *  norm, or x itself where it has none. True when there is a norm. */
bool model_attention_input(const Model *model, TapPlace place, const float *x, int32_t n_rows,
                           float *out);

/** out [n_rows, rows] = W x + b for x [n_rows, columns]; of Q and K before their norm and before
 *  rotary positions. */
AS_MUST_CHECK bool model_project(const Model *model, TapPlace place, ModelProjection which,
                                 const float *x, int32_t n_rows, float *out, Error *err);

/** out [n_rows, C] = the residual stream after attention: x + attended, with the norms the
 *  architecture puts there. attended [n_rows, C] is what W_O gave. out may be neither of them. */
AS_MUST_CHECK bool model_attention_residual(const Model *model, TapPlace place, const float *x,
                                            const float *attended, int32_t n_rows, float *out,
                                            Error *err);
