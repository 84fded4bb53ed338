#pragma once
/*
 * Small operations on rows of numbers. Same bits for any number of threads (0 = all of OpenMP's).
 */
#include "base/base.h"

/** y [rows, width] += x; strides in elements. x and y must not overlap. */
void rows_add(float *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride, int64_t rows,
              int32_t width, int n_threads);
/** x *= factor. */
void rows_scale(float *x, ptrdiff_t stride, float factor, int64_t rows, int32_t width,
                int n_threads);
/** x = cap * tanh(x / cap), the soft cap of logits (Gemma 2). cap > 0. */
void rows_soft_cap(float *x, ptrdiff_t stride, float cap, int64_t rows, int32_t width,
                   int n_threads);
/**
 * Each row becomes exp(x - max) / sum, in place, the sum in float64. -INFINITY gives exactly 0; a
 * row of only -INFINITY gives zeros.
 * Test  tests/unit/compute/test_rows.c
 */
void rows_softmax(float *x, ptrdiff_t stride, int64_t rows, int32_t width, int n_threads);
