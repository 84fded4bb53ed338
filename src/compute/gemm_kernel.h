#pragma once
/* How gemm_forward has its tiles computed. */
#include "compute/gemm.h"

/* Products are summed over this many at a time and the sums added up: half the rounding error of
 * one long sum (Higham 2002, Accuracy and Stability of Numerical Algorithms, 4.2), at no cost that
 * could be measured. Weights within 1e-5 of a reference depend on it. */
enum { GEMM_DEPTH = 128 };

/** Part of y. */
typedef struct GemmTile {
    int32_t row, n_rows, column, n_columns;
} GemmTile;

/** Is there a kernel of ours for this CPU, and does ATTNSCOPE_ISA name no other instruction set? */
bool gemm_avx512_here(void);

/** Columns of its tiles. */
enum { GEMM_AVX512_COLUMNS = 48 };

/**
 * A tile of y without the bias, for args with strides filled in. An element of y is the same sum in
 * the same order whatever tile it is in. Any thread; only where gemm_avx512_here.
 */
void gemm_avx512_multiply(const GemmArgs *args, const GemmTile *tile);
