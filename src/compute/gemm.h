#pragma once
/*
 * Matrix products: every linear layer goes through gemm_forward.
 */
#include "base/error.h"

/**
 * y [rows, out] = x [rows, in] . w^T (+ y) (+ bias)
 *
 * w is [out, in] as PyTorch's Linear has it, or [in, out] with w_in_out (GPT-2's Conv1D). Row
 * strides in elements; 0 = packed. x and w must not overlap y. All borrowed for the call.
 */
typedef struct GemmArgs {
    const float *x;
    const float *w;
    const float *bias; /* [out] or NULL */
    float *y;
    ptrdiff_t x_stride, w_stride, y_stride;
    int32_t rows, in, out;
    bool w_in_out;
    bool accumulate; /* add to what y holds */
} GemmArgs;

/**
 * Multiplies with a kernel of our own where there is AVX-512, else through oneDNN's dnnl_sgemm,
 * one thread a tile. Every element of y is one sum in one order, so its bits do not depend on the
 * number of threads. With ATTNSCOPE_PLAIN_GEMM=1 a plain loop stands in (thread sanitizer).
 *
 * Errors   ERR_RANGE a size or stride below what the operands need; ERR_INTERNAL oneDNN refused
 * Threads  n_threads, 0 = all of OpenMP's
 * Test     tests/unit/compute/test_gemm.c
 */
AS_MUST_CHECK bool gemm_forward(const GemmArgs *args, int n_threads, Error *err);
