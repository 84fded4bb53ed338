#pragma once
/*
 * Scores of a group of rows, over panels and over keys where they are; scores into weights, and
 * kept weights into sums of columns. See body.h.
 */
#include "attention/kernels/body_pack.h"

/* A register tile: `rows` is a constant where this is inlined. */
KERNEL_INLINE void scores_tile(const float *q, const float *panel, int32_t dim, float *s,
                               const int rows)
{
    vf acc[MR][NV];
    UNROLL(8)
    for (int r = 0; r < rows; r++) {
        UNROLL(8)
        for (int c = 0; c < NV; c++) {
            acc[r][c] = vf_set1(0.0f);
        }
    }
    for (int32_t d = 0; d < dim; d++) {
        vf k[NV];
        UNROLL(8)
        for (int c = 0; c < NV; c++) {
            k[c] = vf_load(panel + c * W);
        }
        UNROLL(8)
        for (int r = 0; r < rows; r++) {
            vf b = vf_set1(q[r]);
            UNROLL(8)
            for (int c = 0; c < NV; c++) {
                acc[r][c] = vf_dot_k(b, k[c], acc[r][c]);
            }
        }
        panel += NR;
        q += MR;
    }
    UNROLL(8)
    for (int r = 0; r < rows; r++) {
        UNROLL(8)
        for (int c = 0; c < NV; c++) {
            vf_store(s + r * ATTN_STEP + c * W, acc[r][c]);
        }
    }
}

static void kernel_scores(const float *q, const float *panel, int32_t dim, int32_t n_rows, float *s)
{
    for (int32_t r = 0; r < n_rows; r += MR) {
        for (int c = 0; c < ATTN_STEP / NR; c++) {
            const float *k = panel + (ptrdiff_t)c * dim * NR;
            const float *rows = q + (ptrdiff_t)(r / MR) * dim * MR;
            if (n_rows - r == 1) {
                scores_tile(rows, k, dim, s + r * ATTN_STEP + c * NR, 1);
            } else {
                scores_tile(rows, k, dim, s + r * ATTN_STEP + c * NR, MR);
            }
        }
    }
}

#if K_PER_WORD == 1
/* Scores of the first `rows` rows, a constant, against keys where they are: like the products of
 * kernel_scores one chain over d for each score. */
KERNEL_INLINE void scores_direct(const float *q, const float *k, ptrdiff_t ld, int32_t dim,
                                 float *s, const int rows)
{
    for (int t = 0; t < T; t++) {
        const float *key[W];
        vf acc[ATTN_DIRECT];
        UNROLL(8)
        for (int r = 0; r < rows; r++) {
            acc[r] = vf_set1(0.0f);
        }
        UNROLL(16)
        for (int l = 0; l < W; l++) {
            key[l] = k + (l * T + t) * ld;
        }
        const int32_t n_squares = (dim + W - 1) / W;
        for (int32_t d = 0, asked = t * W; d < dim; d += W) {
            vf x[W];
            int32_t stop = t * W + (d + W) / n_squares;
            ask_ahead(k, ld, asked, stop, dim);
            asked = stop;
            load_columns(key, true, d, dim, 1.0f, x, true);
            int32_t n = dim - d < W ? dim - d : W;
            UNROLL(16)
            for (int i = 0; i < W; i++) {
                if (i < n) {
                    UNROLL(8)
                    for (int r = 0; r < rows; r++) {
                        const float *of_row = q + (ptrdiff_t)(r / MR) * dim * MR + r % MR;
                        acc[r] = vf_fma(vf_set1(of_row[(ptrdiff_t)(d + i) * MR]), x[i], acc[r]);
                    }
                }
            }
        }
        UNROLL(8)
        for (int r = 0; r < rows; r++) {
            vf_store(s + r * ATTN_STEP + t * W, plain_vector(acc[r]));
        }
    }
}

static void kernel_scores_direct(const float *q, const float *k, ptrdiff_t ld, int32_t dim,
                                 int32_t n_rows, float *s)
{
    if (n_rows == 1) {
        scores_direct(q, k, ld, dim, s, 1);
    } else if (n_rows == 2) {
        scores_direct(q, k, ld, dim, s, 2);
    } else if (n_rows <= 4) {
        scores_direct(q, k, ld, dim, s, 4);
    } else {
        scores_direct(q, k, ld, dim, s, ATTN_DIRECT);
    }
}
#endif

static void kernel_soft_cap(float *s, int32_t n, float cap)
{
    vf c = vf_set1(cap);
    int32_t i = 0;
    for (; i + W <= n; i += W) {
        vf_store(s + i, soft_cap_vector(vf_load(s + i), c));
    }
    if (i < n) {
        float rest[W] = {0};
        memcpy(rest, s + i, (size_t)(n - i) * sizeof(float));
        vf_store(rest, soft_cap_vector(vf_load(rest), c));
        memcpy(s + i, rest, (size_t)(n - i) * sizeof(float));
    }
}

static void kernel_weights(const float *s, int32_t n, float max, float factor, float *out)
{
    vf m = vf_set1(max), f = vf_set1(factor);
    int32_t i = 0;
    for (; i + W <= n; i += W) {
        vf_store(out + i, weight_vector(vf_load(s + i), m, f));
    }
    if (i < n) {
        float rest[W] = {0};
        memcpy(rest, s + i, (size_t)(n - i) * sizeof(float));
        vf_store(rest, weight_vector(vf_load(rest), m, f));
        memcpy(out + i, rest, (size_t)(n - i) * sizeof(float));
    }
}

static void kernel_weights_each(const float *s, int32_t n, const float *max, const float *factor,
                                float *out)
{
    int32_t i = 0;
    for (; i + W <= n; i += W) {
        vf_store(out + i, weight_vector(vf_load(s + i), vf_load(max + i), vf_load(factor + i)));
    }
    if (i < n) {
        float rest[W];
        vf_store(rest, weight_vector(vf_load_part(s + i, n - i), vf_load_part(max + i, n - i),
                                     vf_load_part(factor + i, n - i)));
        memcpy(out + i, rest, (size_t)(n - i) * sizeof(float));
    }
}

KERNEL_INLINE void fold_rows(const float *e, const float *factor, float *sum, const int rows)
{
    const uintptr_t next = (uintptr_t)e + ATTN_KEPT * sizeof *e; /* of another group */
    vf acc[T];
    UNROLL(16)
    for (int t = 0; t < T; t++) {
        acc[t] = vf_load(sum + t * W);
    }
    UNROLL(12)
    for (int r = 0; r < rows; r++) {
        vf f = vf_set1(factor[r]);
        UNROLL(16)
        for (int t = 0; t < T; t++) {
            acc[t] = vf_fma(vf_load(e + r * ATTN_STEP + t * W), f, acc[t]);
        }
        for (int i = 0; i < ATTN_STEP; i += 16) {
            __builtin_prefetch((const void *)(next + (uintptr_t)(r * ATTN_STEP + i) * sizeof *e));
        }
    }
    UNROLL(16)
    for (int t = 0; t < T; t++) {
        vf_store(sum + t * W, acc[t]);
    }
}

static void kernel_fold_rows(const float *e, const float *factor, int32_t n_rows, float *sum)
{
    if (n_rows == ATTN_GROUP) {
        fold_rows(e, factor, sum, ATTN_GROUP);
        return;
    }
    for (int32_t r = 0; r < n_rows; r++) {
        fold_rows(e + r * ATTN_STEP, factor + r, sum, 1);
    }
}
