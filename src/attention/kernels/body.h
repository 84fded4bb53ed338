#pragma once
/*
 * The kernels, written once over the vector operations that the including file defines; this half
 * is the functions of a vector, packing and scores, body_attend.h is the pass. Included by
 * kernel_<isa>.c alone, after
 *
 *   vf, W                      vector of W floats
 *   vm                         mask of W lanes
 *   MR, NV                     register tile of Q K^T: MR rows x NV vectors (NV * W divides 64)
 *   PV_MAX                     vectors of a register tile of P V: 2 or 4
 *   vf_load vf_store vf_set1 vf_add vf_sub vf_mul vf_div vf_abs
 *   vf_fma(a, b, c) a b + c,   vf_fms(a, b, c) a b - c
 *   vf_max(a, b)               b where either is NaN
 *   vf_any_gt(a, b)            true if a > b in some lane; vf_all_gt in all
 *   vm_ge vm_lt vm_gt vm_and   ordered comparisons
 *   vf_sel(m, a, b)            a where m, else b
 *   vf_pow2(p, t)              p * 2^n for n in the low bits of t (see polynomial.h)
 *   vf_keep_above(x, e, low)   e where !(x <= low), else 0: NaN is kept
 *   vf_load_part(p, n)         the first n < W values at p, zeros behind
 *   vf_zip_low(a, b)           a0 b0 a1 b1 ..., the first W of them; vf_zip_high the last W
 *   vf_even(a, b) vf_odd(a, b) the even or odd lanes of a, then those of b
 *   sf_fma(a, b, c)            the scalar twin of vf_fma: same rounding
 *
 *   K_PER_WORD, V_PER_WORD     2 where panels and weights hold pairs of bf16; then there are also
 *                              vf_dot_k, vf_dot_v, load_words, kernel_pack_v and store_words
 *   vf_quads(row, first, d)    where there is one: values d .. d + 4 of rows first, first + 4, ...,
 *                              4 lanes each; then also vf_quads_low, vf_quads_high and
 *                              vf_quads_pairs(a, b, high), which zip lanes, or pairs of them, of
 *                              the first or last half of every 4 lanes
 *   VF_SUM, vf_sum(a)          where it is defined: sum of the lanes, halves on halves
 *   vf_ldexp(p, n), vf_round(a)  where they are one operation each: p 2^n for whole n, 0 for
 *                              n = -INFINITY whatever p is; to the nearest whole number
 *   vf_store_halves(p, q, a)   where W >= 2 MR: the first W / 2 lanes to p, the others to q
 *   UNFUSED                    defined where vf_fma rounds twice
 *   WEAVE, vf_fma_at(a, i, b, c)  where body_weave.h can be used: c += a[i] b for an i < MR, with
 *                              no register of its own for that value, and left where it stands;
 *                              vf_dot_k_at is that of vf_dot_k
 *
 * Without them it takes the plain vectors of vector_plain.h.
 *
 * A score is one chain over d in order, from 0, of vf_fma; its bits depend on nothing else. No
 * expression here leaves the compiler a choice of contracting a product and a sum.
 */
#include <math.h>
#include <string.h>

#include "attention/kernels/kernel.h"
#include "attention/kernels/polynomial.h"
#ifndef PV_MAX
#include "attention/kernels/vector_plain.h"
#endif

#ifndef K_PER_WORD
#define K_PER_WORD 1 /* values of q and k in a word of a panel */
#define V_PER_WORD 1 /* of weights and v */
#define vf_dot_k   vf_fma
#ifdef WEAVE
#define vf_dot_k_at vf_fma_at
#endif
#define vf_dot_v vf_fma
#endif

#if defined(__clang__)
#define UNROLL(n) _Pragma("clang loop unroll(full)")
#else
#define UNROLL_PRAGMA(text) _Pragma(#text)
#define UNROLL(n)           UNROLL_PRAGMA(GCC unroll n)
#endif
#define KERNEL_INLINE static inline __attribute__((always_inline))
#ifndef vf_store_halves
#define vf_store_halves(p, q, a) vf_store(p, a)
#endif

enum {
    T = ATTN_STEP / W,                    /* vectors of a step; also neighbouring keys in a lane */
    NR = NV * W,                          /* slots of a register tile */
    RUN_LD = ATTN_BLOCK_STEPS * ATTN_PAD, /* floats from row to row of the run buffers */
};
_Static_assert(ATTN_STEP % NR == 0, "a step is whole register tiles");
_Static_assert(ATTN_GROUP % MR == 0, "a group is whole register tiles");
_Static_assert(ATTN_PAD % W == 0, "padded rows are whole vectors");

/* exp is 2^8 at most above the reference before the reference follows. */
#define RAISE_AT 5.5451774f /* 8 log 2 */

static const float LANE_KEYS[16] = {0 * T, 1 * T, 2 * T,  3 * T,  4 * T,  5 * T,  6 * T,  7 * T,
                                    8 * T, 9 * T, 10 * T, 11 * T, 12 * T, 13 * T, 14 * T, 15 * T};

/* ---------------------------------------------------------------- functions of a vector */

KERNEL_INLINE vf pow2_polynomial(vf f)
{
    vf p = vf_fma(vf_set1(EXP_C5), f, vf_set1(EXP_C4));
    p = vf_fma(p, f, vf_set1(EXP_C3));
    p = vf_fma(p, f, vf_set1(EXP_C2));
    p = vf_fma(p, f, vf_set1(EXP_C1));
    return vf_fma(p, f, vf_set1(1.0f));
}

/* What is computed below the lowest argument is no number of any use; it is dropped at the end. */
KERNEL_INLINE vf exp_vector(vf x)
{
    vf log2e = vf_set1(EXP_LOG2E);
    vf t = vf_fma(x, log2e, vf_set1(EXP_MAGIC));
    vf n = vf_sub(t, vf_set1(EXP_MAGIC));
    vf p = pow2_polynomial(vf_fms(x, log2e, n));
    return vf_keep_above(x, vf_pow2(p, t), vf_set1(EXP_LOWEST));
}

/*
 * y of a score. One fused operation where there is one, so the reference is in units of y; where
 * the product would round on its own, which is 1e-3 of y for scores of 1e4, the difference comes
 * first.
 */
#ifdef UNFUSED
#define REFERENCE_LOG2            ((double)EXP_LOG2E) /* y of a reference of 1 */
#define sf_reference(max)         (max)
#define vf_exponent(s, reference) vf_mul(vf_sub(s, reference), vf_set1(EXP_LOG2E))
#else
#define REFERENCE_LOG2            1.0
#define sf_reference(max)         ((max)*EXP_LOG2E)
#define vf_exponent(s, reference) vf_fms(s, vf_set1(EXP_LOG2E), reference)
#endif

/* 2^y. What is 0 needs no more than POW2_LOWEST, and has to be that where n goes through the
 * exponent's bits. */
#ifdef vf_ldexp
#define POW2_LOWEST POW2_NOTHING
enum { CLAMPED = false };

KERNEL_INLINE vf pow2_vector(vf y)
{
    vf n = vf_round(y);
    return vf_ldexp(pow2_polynomial(vf_sub(y, n)), n);
}
#else
#define POW2_LOWEST POW2_NO_BITS
enum { CLAMPED = true };

KERNEL_INLINE vf pow2_vector(vf y)
{
    vf t = vf_add(y, vf_set1(EXP_MAGIC));
    return vf_pow2(pow2_polynomial(vf_sub(y, vf_sub(t, vf_set1(EXP_MAGIC)))), t);
}
#endif

KERNEL_INLINE vf tanh_vector(vf y)
{
    vf one = vf_set1(1.0f);
    vf magnitude = vf_abs(y);
    vf y2 = vf_mul(y, y);
    vf p = vf_fma(vf_set1(TANH_T4), y2, vf_set1(TANH_T3));
    p = vf_fma(p, y2, vf_set1(TANH_T2));
    p = vf_fma(p, y2, vf_set1(TANH_T1));
    p = vf_fma(p, y2, vf_set1(TANH_T0));
    vf small = vf_fma(vf_mul(p, y2), y, y);
    vf bound = vf_set1(TANH_LARGE);
    vf capped = vf_sel(vm_gt(magnitude, bound), bound, magnitude);
    vf e = exp_vector(vf_add(capped, capped));
    vf large = vf_sub(one, vf_div(vf_set1(2.0f), vf_add(e, one)));
    vf zero = vf_set1(0.0f);
    large = vf_sel(vm_lt(y, zero), vf_sub(zero, large), large);
    return vf_sel(vm_gt(magnitude, vf_set1(TANH_SMALL)), large, small);
}

KERNEL_INLINE vf soft_cap_vector(vf s, vf cap)
{
    return vf_mul(cap, tanh_vector(vf_div(s, cap)));
}

KERNEL_INLINE vf weight_vector(vf s, vf max, vf factor)
{
    return vf_mul(exp_vector(vf_sub(s, max)), factor);
}

/* Sum of the lanes, halves on halves: one fixed order. */
KERNEL_INLINE float lanes_sum(vf x)
{
#ifdef VF_SUM
    return vf_sum(x);
#else
    float a[W];
    vf_store(a, x);
    for (int n = W / 2; n > 0; n /= 2) {
        for (int i = 0; i < n; i++) {
            a[i] += a[i + n];
        }
    }
    return a[0];
#endif
}

KERNEL_INLINE float lanes_max(vf x)
{
    float a[W];
    vf_store(a, x);
    float m = a[0];
    for (int i = 1; i < W; i++) {
        m = a[i] > m ? a[i] : m;
    }
    return m;
}

/* ---------------------------------------------------------------- packing */

/* The exponential reads low bits of its argument, so a NaN must not bring a payload along. */
static const float PLAIN_NAN = __builtin_nanf("");

KERNEL_INLINE vf plain_vector(vf x)
{
    return vf_sel(vm_ge(x, x), x, vf_set1(PLAIN_NAN));
}

/* Keys of a step that come i-th where memory is read in STREAMS runs which take turns: looking a
 * page up for one of them does not hold up the others. */
enum { SECOND_LEVEL = 2, STREAMS = 4, STREAM_KEYS = ATTN_STEP / STREAMS };

KERNEL_INLINE int32_t in_turn(int32_t i)
{
    return i % STREAMS * STREAM_KEYS + i / STREAMS;
}

/* Asks for `dim` values from row on: a hint, what is not there is not read. Into second-level
 * cache: what waits for the first level at once is too little to hide memory's latency. */
KERNEL_INLINE void ask_for(uintptr_t row, int32_t dim)
{
    for (int32_t d = 0; d < dim; d += 16) {
        __builtin_prefetch((const void *)(row + (uintptr_t)d * sizeof(float)), 0, SECOND_LEVEL);
    }
}

/* Asks for rows [first, stop) of the next step, as they come in turn. A few at a time, between
 * operations: many at once wait for each other, and all else for them. */
KERNEL_INLINE void ask_ahead(const float *k, ptrdiff_t ld, int32_t first, int32_t stop, int32_t dim)
{
    for (int32_t i = first; i < stop; i++) {
        ask_for((uintptr_t)k + (uintptr_t)((in_turn(i) + ATTN_STEP) * ld) * sizeof *k, dim);
    }
}

#if K_PER_WORD == 1
/* W values of a row from word d on, n of them there, times scale. */
KERNEL_INLINE vf load_words(const float *row, int32_t d, int32_t n, vf factor)
{
    vf value = n >= W ? vf_load(row + d) : vf_load_part(row + d, n);
    return plain_vector(vf_mul(value, factor));
}
#endif

/* W rows of W words, or as many as there are, times scale; zeros elsewhere. */
KERNEL_INLINE void load_square(const float *const row[W], bool whole, int32_t d, int32_t dim,
                               float scale, vf x[W])
{
    vf factor = vf_set1(scale);
    int32_t left = dim - d * K_PER_WORD;
    if (whole && left >= W * K_PER_WORD) {
        UNROLL(16)
        for (int i = 0; i < W; i++) {
            x[i] = load_words(row[i], d, W * K_PER_WORD, factor);
        }
        return;
    }
    UNROLL(16)
    for (int i = 0; i < W; i++) {
        x[i] = row[i] ? load_words(row[i], d, left, factor) : vf_set1(0.0f);
    }
}

/* Zipping halves turns one bit of the row number into one of the column at a time. */
KERNEL_INLINE void transpose_square(vf x[W])
{
    UNROLL(4)
    for (int n = 1; n < W; n *= 2) {
        vf y[W];
        UNROLL(8)
        for (int i = 0; i < W / 2; i++) {
            y[2 * i] = vf_zip_low(x[i], x[i + W / 2]);
            y[2 * i + 1] = vf_zip_high(x[i], x[i + W / 2]);
        }
        UNROLL(16)
        for (int i = 0; i < W; i++) {
            x[i] = y[i];
        }
    }
}

#if defined(vf_quads) && K_PER_WORD == 1
#define BY_QUADS
/* Loads put quarters where they belong, so that all that is left are squares of 4 within them. */
KERNEL_INLINE void load_square_by_quads(const float *const row[W], int32_t d, vf x[W])
{
    UNROLL(4)
    for (int c = 0; c < W; c += 4) {
        vf r0 = vf_quads(row, 0, d + c), r1 = vf_quads(row, 1, d + c);
        vf r2 = vf_quads(row, 2, d + c), r3 = vf_quads(row, 3, d + c);
        vf low01 = vf_quads_low(r0, r1), high01 = vf_quads_high(r0, r1);
        vf low23 = vf_quads_low(r2, r3), high23 = vf_quads_high(r2, r3);
        x[c] = vf_quads_pairs(low01, low23, false);
        x[c + 1] = vf_quads_pairs(low01, low23, true);
        x[c + 2] = vf_quads_pairs(high01, high23, false);
        x[c + 3] = vf_quads_pairs(high01, high23, true);
    }
}
#endif

/* Words d .. d + W of W rows by column, times scale; `raw` are those of whole rows as they are. */
KERNEL_INLINE void load_columns(const float *const row[W], bool whole, int32_t d, int32_t dim,
                                float scale, vf x[W], const bool raw)
{
#ifdef BY_QUADS
    if (whole && dim - d >= W) {
        load_square_by_quads(row, d, x);
        UNROLL(16)
        for (int i = 0; i < W; i++) {
            x[i] = raw ? x[i] : plain_vector(vf_mul(x[i], vf_set1(scale)));
        }
        return;
    }
#endif
    (void)raw;
    load_square(row, whole, d, dim, scale, x);
    transpose_square(x);
}

/* Rows r0 .. r0 + n of a group, all of one register tile, or with n = 2 MR of two: those of the
 * second take the lanes from W / 2 on, where a copy does not straddle the halves of a store. */
KERNEL_INLINE void pack_q_square(const float *q, ptrdiff_t ld, int32_t n_rows, int32_t dim,
                                 float scale, float *out, int r0, const int n)
{
    const int n_tiles = n > MR ? 2 : 1, lanes = W / n_tiles, rows = n / n_tiles;
    const float *row[W];
    for (int i = 0; i < W; i++) {
        int r = r0 + i / lanes * MR + i % lanes;
        row[i] = i % lanes >= rows ? q : r < n_rows ? q + r * ld : NULL;
    }
    const int32_t words = (dim + K_PER_WORD - 1) / K_PER_WORD;
    float *tile = out + (ptrdiff_t)(r0 / MR) * words * MR + r0 % MR;
    for (int32_t d = 0; d < words; d += W) {
        vf x[W];
        float column[W];
        load_columns(row, r0 + n <= n_rows, d, dim, scale, x, false);
        UNROLL(16)
        for (int i = 0; i < W; i++) {
            float *to = tile + (ptrdiff_t)(d + i) * MR, *to1 = to + (ptrdiff_t)words * MR;
            /* A whole tile's column may run into the next one, which comes after it. */
            if (rows == MR && d + i + 1 < words) {
                n_tiles == 1 ? vf_store(to, x[i]) : vf_store_halves(to, to1, x[i]);
            } else if (d + i < words) {
                vf_store(column, x[i]);
                memcpy(to, column, (size_t)rows * sizeof(float));
                if (n_tiles == 2) {
                    memcpy(to1, column + lanes, (size_t)rows * sizeof(float));
                }
            }
        }
    }
}

static void kernel_pack_q(const float *q, ptrdiff_t ld, int32_t n_rows, int32_t dim, float scale,
                          float *out)
{
    enum { PART = MR < W ? MR : W, REST = MR % PART };
    for (int32_t r = ATTN_GROUP; r < 2 * ATTN_GROUP; r++) { /* the next group's, a hint */
        uintptr_t at = (uintptr_t)q + (uintptr_t)(r * ld) * sizeof *q;
        for (int32_t d = 0; d < dim; d += 16) {
            __builtin_prefetch((const void *)(at + (uintptr_t)d * sizeof *q));
        }
    }
    if (2 * MR <= W) {
        for (int r0 = 0; r0 < ATTN_GROUP; r0 += 2 * MR) {
            pack_q_square(q, ld, n_rows, dim, scale, out, r0, 2 * MR);
        }
        return;
    }
    for (int r0 = 0; r0 < ATTN_GROUP; r0 += MR) {
        for (int part = 0; part + PART <= MR; part += PART) {
            pack_q_square(q, ld, n_rows, dim, scale, out, r0 + part, PART);
        }
        if (REST > 0) {
            pack_q_square(q, ld, n_rows, dim, scale, out, r0 + MR - REST, REST);
        }
    }
}

static void kernel_pack_k(const float *k, ptrdiff_t ld, int32_t n_keys, int32_t dim, float scale,
                          bool interleave, float *out)
{
    const int32_t words = (dim + K_PER_WORD - 1) / K_PER_WORD;
    for (int slot = 0; slot < ATTN_STEP; slot += W) {
        const float *key[W];
        for (int i = 0; i < W; i++) {
            int32_t index = interleave ? i * T + slot / W : slot + i;
            key[i] = index < n_keys ? k + index * ld : NULL;
        }
        const int32_t n_squares = (words + W - 1) / W;
        bool whole = (interleave ? (W - 1) * T + slot / W : slot + W - 1) < n_keys;
        float *to = out + (ptrdiff_t)(slot / NR) * words * NR + slot % NR;
        for (int32_t d = 0, asked = slot; d < words; d += W) {
            vf x[W];
            if (n_keys == ATTN_STEP) {
                int32_t stop = slot + (d + W) / n_squares;
                ask_ahead(k, ld, asked, stop, dim);
                asked = stop;
            }
            load_columns(key, whole, d, dim, scale, x, false);
            UNROLL(16)
            for (int i = 0; i < W; i++) {
                if (d + i < words) {
                    vf_store(to + (ptrdiff_t)(d + i) * NR, x[i]);
                }
            }
        }
    }
}

#if V_PER_WORD == 1
/* Copies n values of a row and zeros behind, up to ep; x - x is 0 for every finite x and NaN for
 * the others. */
KERNEL_INLINE vf copy_values(const float *from, int32_t n, int32_t ep, float *to, vf odd)
{
    int32_t e = 0;
    for (; e + W <= n; e += W) {
        vf x = vf_load(from + e);
        odd = vf_add(odd, vf_sub(x, x));
        vf_store(to + e, x);
    }
    for (; e < ep; e += W) {
        vf x = e < n ? vf_load_part(from + e, n - e) : vf_set1(0.0f);
        odd = vf_add(odd, vf_sub(x, x));
        vf_store(to + e, x);
    }
    return odd;
}

static bool kernel_pack_v(const float *v, ptrdiff_t ld, int32_t n_keys, int32_t dim, int32_t ep,
                          float *out)
{
    enum { CHAINS = 4 }; /* one would wait for its sums */
    vf odd[CHAINS] = {vf_set1(0.0f), vf_set1(0.0f), vf_set1(0.0f), vf_set1(0.0f)};
    for (int32_t key = 0; key < ATTN_STEP; key += CHAINS) {
        if (n_keys == ATTN_STEP) {
            ask_ahead(v, ld, key, key + CHAINS, dim);
        }
        UNROLL(4)
        for (int32_t i = 0; i < CHAINS; i++) {
            int32_t at = key + i;
            odd[i] = copy_values(v + (at < n_keys ? at : 0) * ld, at < n_keys ? dim : 0, ep,
                                 out + (ptrdiff_t)(at % T * W + at / T) * ep, odd[i]);
        }
    }
    float total = lanes_sum(vf_add(vf_add(odd[0], odd[1]), vf_add(odd[2], odd[3])));
    return total == total;
}
#endif

/* ---------------------------------------------------------------- scores */

/* A register tile; `rows` is a constant where these are inlined. */
KERNEL_INLINE void tile_clear(vf acc[MR][NV], const int rows)
{
    UNROLL(8)
    for (int r = 0; r < rows; r++) {
        UNROLL(8)
        for (int c = 0; c < NV; c++) {
            acc[r][c] = vf_set1(0.0f);
        }
    }
}

/* One word of rows and slots. */
KERNEL_INLINE void tile_step(const float *q, const float *panel, vf acc[MR][NV], const int rows)
{
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
}

KERNEL_INLINE void tile_store(vf acc[MR][NV], float *s, const int rows)
{
    UNROLL(8)
    for (int r = 0; r < rows; r++) {
        UNROLL(8)
        for (int c = 0; c < NV; c++) {
            vf_store(s + r * ATTN_STEP + c * W, acc[r][c]);
        }
    }
}

KERNEL_INLINE void scores_tile(const float *q, const float *panel, int32_t dim, float *s,
                               const int rows)
{
    vf acc[MR][NV];
    tile_clear(acc, rows);
    for (int32_t d = 0; d < dim; d++) {
        tile_step(q, panel, acc, rows);
        panel += NR;
        q += MR;
    }
    tile_store(acc, s, rows);
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
