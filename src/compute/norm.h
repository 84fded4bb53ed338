#pragma once
/*
 * Normalisation of rows. Sums are carried in float64 in a fixed order: same bits for any number of
 * threads. x may be y; strides in elements, at least width.
 */
#include "base/base.h"

typedef enum NormKind {
    NORM_LAYER, /* y = (x - mean) / sqrt(variance + eps) * weight + bias */
    NORM_RMS,   /* y = x / sqrt(mean of squares + eps) * weight + bias */
} NormKind;

/** Ba, Kiros & Hinton 2016 (arXiv:1607.06450); Zhang & Sennrich 2019 (arXiv:1910.07467). */
typedef struct NormArgs {
    NormKind kind;
    const float *x; /* [rows, width] */
    float *y;       /* [rows, width] */
    ptrdiff_t x_stride, y_stride;
    const float *weight; /* [width]; NULL = 1 */
    const float *bias;   /* [width]; NULL = 0 */
    float eps;
    int64_t rows;
    int32_t width;
} NormArgs;

/** Threads  n_threads, 0 = all of OpenMP's. Test  tests/unit/compute/test_rows.c */
void norm_forward(const NormArgs *args, int n_threads);
