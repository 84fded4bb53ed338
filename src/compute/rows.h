#pragma once
/*
 * Small operations on rows of numbers. Same bits for any number of threads (0 = all of OpenMP's).
 */
#include "base/base.h"

/** y [rows, width] += x; strides in elements. x and y must not overlap. */
void rows_add(float *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride, int64_t rows,
              int32_t width, int n_threads);
/** x = cap * tanh(x / cap), the soft cap of logits (Gemma 2). cap > 0. */
void rows_soft_cap(float *x, ptrdiff_t stride, float cap, int64_t rows, int32_t width,
                   int n_threads);
