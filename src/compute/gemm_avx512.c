/*
 * Matrix products with AVX-512: eight rows of x against 48 columns of w in registers, w packed so
 * that it stays in first-level cache while all rows of the tile go by. At the shapes of small
 * models nearer to the peak than general libraries, which pack both operands for each call.
 *
 * Source: Goto & van de Geijn 2008, Anatomy of High-Performance Matrix Multiplication.
 */
#include "compute/gemm_kernel.h"

#if defined(__AVX512F__) && !ATTNSCOPE_PLAIN_GEMM
#include <immintrin.h>

enum {
    W = 16,
    ROWS = 8, /* 24 sums, 3 vectors of w, 1 of x: 28 of 32 registers */
    NV = GEMM_AVX512_COLUMNS / W,
    COLUMNS = GEMM_AVX512_COLUMNS,
};
#define INLINE static inline __attribute__((always_inline))
/* gcc and clang both take this one. */
#define UNROLL _Pragma("GCC unroll 16")

/* ---------------------------------------------------------------- w */

/* Zipping halves turns one bit of the row number into one of the column at a time. */
INLINE void transpose(__m512 x[W])
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high =
        _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    UNROLL
    for (int n = 1; n < W; n *= 2) {
        __m512 y[W];
        UNROLL
        for (int i = 0; i < W / 2; i++) {
            y[2 * i] = _mm512_permutex2var_ps(x[i], low, x[i + W / 2]);
            y[2 * i + 1] = _mm512_permutex2var_ps(x[i], high, x[i + W / 2]);
        }
        UNROLL
        for (int i = 0; i < W; i++) {
            x[i] = y[i];
        }
    }
}

INLINE __mmask16 first_lanes(int32_t n)
{
    return (__mmask16)(n >= W ? 0xffffu : (1u << n) - 1);
}

/* packed[k][COLUMNS] of n_columns rows of w [out, in], `depth` from k0 on; zeros behind. */
static void pack_rows(const float *w, ptrdiff_t stride, int32_t n_columns, int32_t depth,
                      float *packed)
{
    for (int32_t c = 0; c < COLUMNS; c += W) {
        for (int32_t k = 0; k < depth; k += W) {
            const int32_t left = depth - k < W ? depth - k : W;
            __m512 x[W];
            UNROLL
            for (int i = 0; i < W; i++) {
                x[i] = c + i < n_columns
                           ? _mm512_maskz_loadu_ps(first_lanes(left), w + (c + i) * stride + k)
                           : _mm512_setzero_ps();
            }
            transpose(x);
            UNROLL
            for (int i = 0; i < W; i++) {
                if (i < left) {
                    _mm512_store_ps(packed + (ptrdiff_t)(k + i) * COLUMNS + c, x[i]);
                }
            }
        }
    }
}

/* The same of w [in, out]. */
static void pack_columns(const float *w, ptrdiff_t stride, int32_t n_columns, int32_t depth,
                         float *packed)
{
    for (int32_t k = 0; k < depth; k++) {
        for (int32_t c = 0; c < COLUMNS; c += W) {
            const int32_t left = n_columns - c;
            const __mmask16 lanes = left > 0 ? first_lanes(left) : 0;
            _mm512_store_ps(packed + (ptrdiff_t)k * COLUMNS + c,
                            _mm512_maskz_loadu_ps(lanes, w + k * stride + c));
        }
    }
}

/* ---------------------------------------------------------------- y */

/* What meets rows of x. */
typedef struct Strip {
    const float *packed; /* [depth][COLUMNS] */
    int32_t depth;
    bool adds; /* to what y holds */
    bool whole;
    __mmask16 lanes[NV]; /* that are there */
} Strip;

/* y[rows][COLUMNS] (+)= x[rows][depth] packed; rows is a constant. */
INLINE void multiply_rows(const GemmArgs *a, const Strip *strip, const float *x, float *y,
                          const int rows)
{
    const float *packed = strip->packed;
    const int32_t depth = strip->depth;
    __m512 sum[ROWS][NV];
    UNROLL
    for (int r = 0; r < rows; r++) { /* by the time that sums are there so is y */
        UNROLL
        for (int c = 0; c < NV; c++) {
            __builtin_prefetch((const void *)((uintptr_t)(y + r * a->y_stride) + 64u * (unsigned)c),
                               1);
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int c = 0; c < NV; c++) {
            sum[r][c] = _mm512_setzero_ps();
        }
    }
    for (int32_t k = 0; k < depth; k++) {
        __m512 w[NV];
        UNROLL
        for (int c = 0; c < NV; c++) {
            w[c] = _mm512_load_ps(packed + (ptrdiff_t)k * COLUMNS + c * W);
        }
        UNROLL
        for (int r = 0; r < rows; r++) {
            const __m512 factor = _mm512_set1_ps(x[r * a->x_stride + k]);
            UNROLL
            for (int c = 0; c < NV; c++) {
                sum[r][c] = _mm512_fmadd_ps(factor, w[c], sum[r][c]);
            }
        }
    }
    if (strip->whole) {
        UNROLL
        for (int r = 0; r < rows; r++) {
            UNROLL
            for (int c = 0; c < NV; c++) {
                float *to = y + r * a->y_stride + c * W;
                _mm512_storeu_ps(to, strip->adds ? _mm512_add_ps(_mm512_loadu_ps(to), sum[r][c])
                                                 : sum[r][c]);
            }
        }
        return;
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int c = 0; c < NV; c++) {
            float *to = y + r * a->y_stride + c * W;
            const __mmask16 lanes = strip->lanes[c];
            const __m512 before = _mm512_maskz_loadu_ps(strip->adds ? lanes : 0, to);
            _mm512_mask_storeu_ps(to, lanes, _mm512_add_ps(before, sum[r][c]));
        }
    }
}

/* Columns of one packed strip. */
static void multiply_strip(const GemmArgs *a, const GemmTile *tile)
{
    _Alignas(64) float packed[GEMM_DEPTH * COLUMNS];
    Strip strip = {.packed = packed, .whole = tile->n_columns == COLUMNS};
    for (int32_t c = 0; c < NV; c++) {
        const int32_t left = tile->n_columns - c * W;
        strip.lanes[c] = left > 0 ? first_lanes(left) : 0;
    }
    for (int32_t k = 0; k < a->in; k += GEMM_DEPTH) {
        const int32_t depth = AS_MIN(GEMM_DEPTH, a->in - k);
        strip.depth = depth;
        strip.adds = a->accumulate || k > 0;
        if (a->w_in_out) {
            pack_columns(a->w + k * a->w_stride + tile->column, a->w_stride, tile->n_columns, depth,
                         packed);
        } else {
            pack_rows(a->w + tile->column * a->w_stride + k, a->w_stride, tile->n_columns, depth,
                      packed);
        }
        const float *x = a->x + tile->row * a->x_stride + k;
        float *y = a->y + tile->row * a->y_stride + tile->column;
        int32_t r = 0;
        for (; r + ROWS <= tile->n_rows; r += ROWS) {
            multiply_rows(a, &strip, x + r * a->x_stride, y + r * a->y_stride, ROWS);
        }
        for (; r + 2 <= tile->n_rows; r += 2) {
            multiply_rows(a, &strip, x + r * a->x_stride, y + r * a->y_stride, 2);
        }
        if (r < tile->n_rows) {
            multiply_rows(a, &strip, x + r * a->x_stride, y + r * a->y_stride, 1);
        }
    }
}

void gemm_avx512_multiply(const GemmArgs *args, const GemmTile *tile)
{
    for (int32_t c = 0; c < tile->n_columns; c += COLUMNS) {
        multiply_strip(args, &(GemmTile){.row = tile->row,
                                         .n_rows = tile->n_rows,
                                         .column = tile->column + c,
                                         .n_columns = AS_MIN(COLUMNS, tile->n_columns - c)});
    }
}
#else
void gemm_avx512_multiply(const GemmArgs *args, const GemmTile *tile)
{
    (void)args;
    (void)tile;
}
#endif
