#pragma once
/*
 * Queries, keys and values into groups and panels, and asking for what is read next. See kernel.h
 * for the layouts, body.h for the vectors.
 */
#include "attention/kernels/body.h"

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
