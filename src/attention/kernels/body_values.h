#pragma once
/*
 * Weights times values of one step for a group of rows: over panels, over rows of V where they are,
 * and with care where a value is not finite. See body.h.
 */
#include "attention/kernels/body_pack.h"

enum { LANE_WORDS = W / V_PER_WORD }; /* words of a vector of weights */

/* acc += P V over n words; rows and nv are constants. */
KERNEL_INLINE void pv_run(const float *p, const float *v, int32_t ep, int n, vf acc[ATTN_GROUP][4],
                          const int rows, const int nv)
{
    for (int j = 0; j < n; j++) {
        vf x[4];
        UNROLL(4)
        for (int c = 0; c < nv; c++) {
            x[c] = vf_load(v + c * W);
        }
        UNROLL(12)
        for (int r = 0; r < rows; r++) {
            vf b = vf_set1(p[r * ATTN_STEP + j]);
            UNROLL(4)
            for (int c = 0; c < nv; c++) {
                acc[r][c] = vf_dot_v(b, x[c], acc[r][c]);
            }
        }
        v += ep;
    }
}

/* o[rows][nv vectors] += P[rows][64] V[64][nv vectors]; rows and nv are constants. Of each vector
 * of weights the first n_words are used: behind them weights are 0. */
KERNEL_INLINE void pv_tile(const float *p, const float *v, int32_t ep, float *o, int n_words,
                           const int rows, const int nv)
{
    vf acc[ATTN_GROUP][4];
    UNROLL(12)
    for (int r = 0; r < rows; r++) {
        UNROLL(4)
        for (int c = 0; c < nv; c++) {
            acc[r][c] = vf_set1(0.0f);
        }
    }
    if (n_words == LANE_WORDS) {
        pv_run(p, v, ep, T * LANE_WORDS, acc, rows, nv);
    } else {
        for (int t = 0; t < T; t++) {
            pv_run(p + t * LANE_WORDS, v + (ptrdiff_t)t * LANE_WORDS * ep, ep, n_words, acc, rows,
                   nv);
        }
    }
    UNROLL(12)
    for (int r = 0; r < rows; r++) {
        UNROLL(4)
        for (int c = 0; c < nv; c++) {
            float *to = o + (ptrdiff_t)r * ep + c * W;
            vf_store(to, vf_add(vf_load(to), acc[r][c]));
        }
    }
}

/* Rows of a tile that keep enough chains going when it is narrow. */
enum { PV_NARROW_ROWS = PV_MAX == 4 ? ATTN_GROUP : MR };

static void pv_row(const float *p, const float *v, int32_t ep, float *o, int n_words, int32_t nv)
{
    switch (nv) {
#if PV_MAX == 4
    case 4:
        pv_tile(p, v, ep, o, n_words, 1, 4);
        break;
    case 3:
        pv_tile(p, v, ep, o, n_words, 1, 3);
        break;
#endif
    case 2:
        pv_tile(p, v, ep, o, n_words, 1, 2);
        break;
    default:
        pv_tile(p, v, ep, o, n_words, 1, 1);
        break;
    }
}

static void step_pv(const float *p, const float *v, int32_t ep, int32_t n_rows, int n_words,
                    float *o)
{
    int32_t n_vectors = ep / W;
    int32_t c = 0;
    while (c < n_vectors) {
        int32_t left = n_vectors - c;
        int32_t nv = left < PV_MAX ? left : PV_MAX;
        int32_t rows = nv > 2 ? MR : PV_NARROW_ROWS;
        for (int32_t r = 0; r < n_rows; r += rows) {
            const float *pr = p + r * ATTN_STEP;
            float *to = o + (ptrdiff_t)r * ep + c * W;
            if (n_rows - r == 1) { /* one new token */
                pv_row(pr, v + c * W, ep, to, n_words, nv);
                continue;
            }
            switch (nv) {
#if PV_MAX == 4
            case 4:
                pv_tile(pr, v + c * W, ep, to, n_words, MR, 4);
                break;
            case 3:
                pv_tile(pr, v + c * W, ep, to, n_words, MR, 3);
                break;
#endif
            case 2:
                pv_tile(pr, v + c * W, ep, to, n_words, PV_NARROW_ROWS, 2);
                break;
            default:
                pv_tile(pr, v + c * W, ep, to, n_words, PV_NARROW_ROWS, 1);
                break;
            }
        }
        c += nv;
    }
}

#if V_PER_WORD == 1
KERNEL_INLINE float weight_at(const float *p, int j)
{
    return p[j];
}

KERNEL_INLINE float value_at(const float *v, int32_t ep, int j, int32_t e)
{
    return v[(ptrdiff_t)j * ep + e];
}
#endif

/* A V panel with NaN or infinity: weights of 0 must not touch it. In f32 the bits are those of
 * step_pv. */
static void pv_careful_row(const float *p, const float *v, int32_t ep, float *o)
{
    for (int32_t e = 0; e < ep; e++) {
        float acc = 0;
        for (int j = 0; j < ATTN_STEP; j++) {
            float b = weight_at(p, j);
            acc = b != 0.0f ? sf_fma(b, value_at(v, ep, j, e), acc) : acc;
        }
        o[e] += acc;
    }
}

static void step_pv_careful(const float *p, const float *v, int32_t ep, int32_t n_rows, float *o)
{
    for (int32_t r = 0; r < n_rows; r++) {
        pv_careful_row(p + r * ATTN_STEP, v, ep, o + (ptrdiff_t)r * ep);
    }
}

#if V_PER_WORD == 1
enum {
    PV_DIRECT_ROWS = 4,
    PV_AHEAD = 8, /* keys of a stream that are asked for ahead */
};
_Static_assert(ATTN_DIRECT % PV_DIRECT_ROWS == 0, "rows are whole register tiles");

/* o[rows][nv vectors] += P[rows][64] V, rows of V where they are. False, and nothing added, if the
 * sum is not finite: then a weight of 0 may have met what is not. */
KERNEL_INLINE bool pv_direct_tile(const float *p, const float *v, ptrdiff_t ld, int32_t ep,
                                  float *o, const int rows, const int nv)
{
    vf acc[PV_DIRECT_ROWS][4];
    UNROLL(4)
    for (int r = 0; r < rows; r++) {
        UNROLL(4)
        for (int c = 0; c < nv; c++) {
            acc[r][c] = vf_set1(0.0f);
        }
    }
    for (int32_t i = 0; i < ATTN_STEP; i++) {
        const int32_t key = in_turn(i);
        /* Where this step has no more of the stream, the next one has. */
        const int32_t ahead =
            i / STREAMS + PV_AHEAD < STREAM_KEYS ? PV_AHEAD : ATTN_STEP - STREAM_KEYS + PV_AHEAD;
        const float *row = v + key * ld, *weight = p + key % T * W + key / T;
        ask_for((uintptr_t)row + (uintptr_t)(ahead * ld) * sizeof *row, nv * W);
        vf x[4];
        UNROLL(4)
        for (int c = 0; c < nv; c++) {
            x[c] = vf_load(row + c * W);
        }
        UNROLL(4)
        for (int r = 0; r < rows; r++) {
            vf b = vf_set1(weight[r * ATTN_STEP]);
            UNROLL(4)
            for (int c = 0; c < nv; c++) {
                acc[r][c] = vf_fma(b, x[c], acc[r][c]);
            }
        }
    }
    vf odd = vf_set1(0.0f);
    UNROLL(4)
    for (int r = 0; r < rows; r++) {
        UNROLL(4)
        for (int c = 0; c < nv; c++) {
            odd = vf_add(odd, vf_sub(acc[r][c], acc[r][c]));
        }
    }
    if (vf_any_gt(vf_sel(vm_ge(odd, odd), vf_set1(0.0f), vf_set1(1.0f)), vf_set1(0.0f))) {
        return false;
    }
    UNROLL(4)
    for (int r = 0; r < rows; r++) {
        UNROLL(4)
        for (int c = 0; c < nv; c++) {
            float *to = o + (ptrdiff_t)r * ep + c * W;
            vf_store(to, vf_add(vf_load(to), acc[r][c]));
        }
    }
    return true;
}

KERNEL_INLINE bool pv_direct_columns(const float *p, const float *v, ptrdiff_t ld, int32_t ep,
                                     int32_t nv, float *o, const int rows)
{
    switch (nv) {
#if PV_MAX == 4
    case 4:
        return pv_direct_tile(p, v, ld, ep, o, rows, 4);
    case 3:
        return pv_direct_tile(p, v, ld, ep, o, rows, 3);
#endif
    case 2:
        return pv_direct_tile(p, v, ld, ep, o, rows, 2);
    default:
        return pv_direct_tile(p, v, ld, ep, o, rows, 1);
    }
}

/* P V of a step for up to ATTN_DIRECT rows; what fails is done again with care. */
static void step_pv_direct(const AttnBlock *b, int32_t step, const float *p, int32_t n_rows,
                           float *o)
{
    const float *v = b->v_rows + (ptrdiff_t)step * ATTN_STEP * b->v_ld;
    int32_t n_vectors = b->ep / W;
    for (int32_t c = 0, nv; c < n_vectors; c += nv) {
        nv = n_vectors - c < PV_MAX ? n_vectors - c : PV_MAX;
        const float *from = v + c * W;
        for (int32_t r0 = 0; r0 < n_rows; r0 += PV_DIRECT_ROWS) {
            const float *weights = p + r0 * ATTN_STEP;
            float *to = o + (ptrdiff_t)r0 * b->ep + c * W;
            bool finite =
                n_rows == 1 ? pv_direct_columns(weights, from, b->v_ld, b->ep, nv, to, 1)
                : n_rows == 2
                    ? pv_direct_columns(weights, from, b->v_ld, b->ep, nv, to, 2)
                    : pv_direct_columns(weights, from, b->v_ld, b->ep, nv, to, PV_DIRECT_ROWS);
            if (finite) {
                continue;
            }
            (void)kernel_pack_v(from, b->v_ld, ATTN_STEP, nv * W, nv * W, b->v_room);
            for (int32_t r = 0; r < PV_DIRECT_ROWS && r0 + r < n_rows; r++) {
                pv_careful_row(weights + r * ATTN_STEP, b->v_room, nv * W,
                               to + (ptrdiff_t)r * b->ep);
            }
        }
    }
}
#endif
