#pragma once
/*
 * What forward.c, forward_check.c and logits.c share.
 */
#include "model/model_internal.h"

/** Everything model_forward refuses before it starts. */
AS_MUST_CHECK bool forward_check(const Model *model, const ModelInput *input,
                                 const ForwardOptions *options, const TapTable *taps, Error *err);

/** y = norm of packed rows with the weights of a role; x may be y. False, and y untouched, when
 *  the model has none. */
bool model_norm(const Model *model, int32_t layer, ArchRole role, const float *x, float *y,
                int64_t rows, int32_t width, int n_threads);

enum { LOGITS_BLOCK_ROWS = 128 };

/** Logits [n_rows, V] from rows [n_rows, C] that went through the final norm. */
AS_MUST_CHECK bool logits_from_final(const Model *model, const float *final, int32_t n_rows,
                                     float *out, int n_threads, Error *err);
/** Floats that giving the logits of n_rows to a tap needs. */
uint64_t logits_floats(const Model *model, int32_t n_rows);
