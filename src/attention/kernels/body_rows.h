#pragma once
/* Finished rows: largest scores over the lanes, o, texels. See body.h. */
#include "attention/kernels/body.h"

/* Maxima of W vectors' lanes, in order: pairs of vectors halve into one until one is left. */
KERNEL_INLINE vf maxima_of_lanes(vf x[W])
{
    UNROLL(4)
    for (int n = W / 2; n > 0; n /= 2) {
        UNROLL(8)
        for (int i = 0; i < n; i++) {
            x[i] = vf_max(vf_even(x[2 * i], x[2 * i + 1]), vf_odd(x[2 * i], x[2 * i + 1]));
        }
    }
    return x[0];
}

static void kernel_row_maxima(const float *lane_max, const float *lane_key, int32_t n_rows,
                              float *max, float *key)
{
    for (int32_t row = 0; row < n_rows; row += W) {
        const int32_t n = n_rows - row < W ? n_rows - row : W;
        vf x[W];
        for (int r = 0; r < W; r++) {
            x[r] = vf_load(lane_max + (row + (r < n ? r : 0)) * W);
        }
        float most[W], least[W];
        vf_store(most, maxima_of_lanes(x));
        memcpy(max + row, most, (size_t)n * sizeof(float));
        if (!key) {
            continue;
        }
        for (int r = 0; r < W; r++) {
            ptrdiff_t at = (row + (r < n ? r : 0)) * W;
            vf back = vf_sub(vf_set1(0.0f), vf_load(lane_key + at));
            x[r] =
                vf_sel(vm_ge(vf_load(lane_max + at), vf_set1(most[r])), back, vf_set1(-INFINITY));
        }
        vf_store(least, vf_sub(vf_set1(0.0f), maxima_of_lanes(x)));
        memcpy(key + row, least, (size_t)n * sizeof(float));
    }
}

static void kernel_scale(const float *x, int32_t n, float factor, float *out)
{
    vf f = vf_set1(factor);
    int32_t i = 0;
    for (; i + W <= n; i += W) {
        vf_store(out + i, vf_mul(vf_load(x + i), f));
    }
    for (; i < n; i++) {
        out[i] = x[i] * factor;
    }
}

/* ---------------------------------------------------------------- texels */

/*
 * The largest weight among rows takes one exponential, not one a row: of weights exp(x) f with
 * x = s - m and f = exp(-l) the largest has the largest logarithm x - l. Where two of them are so
 * near that rounding could decide, both weights are computed. LIFT makes logarithms positive, so
 * that 0 can stand for x so low that the exponential is 0; l is log M at most.
 */
#define LIFT 200.0f
#define NEAR 5e-5f

typedef struct Strongest {
    vf x, f, rank;
} Strongest;

KERNEL_INLINE vf rank_of(vf x, float log_sum)
{
    return vf_keep_above(x, vf_sub(x, vf_set1(log_sum - LIFT)), vf_set1(EXP_LOWEST));
}

KERNEL_INLINE Strongest strongest_near(Strongest best, vf x, vf f, vf rank)
{
    vf old = vf_mul(exp_vector(best.x), best.f), new = vf_mul(exp_vector(x), f);
    vm keep = vm_gt(old, new);
    return (Strongest){vf_sel(keep, best.x, x), vf_sel(keep, best.f, f),
                       vf_max(vf_set1(1.0f), vf_sel(keep, best.rank, rank))};
}

static void kernel_fold_texels(const AttnTexelRows *rows, bool fresh, float *sum, float *max)
{
    const vf near = vf_set1(NEAR), zero = vf_set1(0.0f);
    for (int32_t i = 0; i < rows->n_slots; i += W) {
        const float *e = rows->sum + i, *s = rows->largest + i;
        vf x = vf_sub(vf_load(s), vf_set1(rows->reference[0]));
        Strongest best = {x, vf_set1(rows->factor[0]),
                          vf_max(vf_set1(1.0f), rank_of(x, rows->log_sum[0]))};
        vf inverse = vf_set1(rows->inverse[0]);
        vf total =
            fresh ? vf_mul(vf_load(e), inverse) : vf_fma(vf_load(e), inverse, vf_load(sum + i));
        for (int32_t r = 1; r < rows->n_rows; r++) {
            e += rows->ld;
            s += rows->ld;
            total = vf_fma(vf_load(e), vf_set1(rows->inverse[r]), total);
            x = vf_sub(vf_load(s), vf_set1(rows->reference[r]));
            vf rank = rank_of(x, rows->log_sum[r]), f = vf_set1(rows->factor[r]);
            vf above = vf_sub(rank, best.rank);
            if (__builtin_expect(!vf_all_gt(vf_abs(above), near), 0)) {
                best = strongest_near(best, x, f, rank);
                continue;
            }
            vm win = vm_gt(above, zero);
            best.x = vf_sel(win, x, best.x);
            best.f = vf_sel(win, f, best.f);
            best.rank = vf_sel(win, rank, best.rank);
        }
        vf weight = vf_mul(exp_vector(best.x), best.f);
        vf_store(sum + i, total);
        vf_store(max + i, fresh ? weight : vf_max(vf_load(max + i), weight));
    }
}

/* Zipping halves turns the number of a run into the place beside its neighbours, a bit at a time.
 */
KERNEL_INLINE void order_step(const float *slots, const int runs, float scale, float *out)
{
    vf x[T];
    UNROLL(16)
    for (int i = 0; i < runs; i++) {
        x[i] = vf_mul(vf_load(slots + i * W), vf_set1(scale));
    }
    UNROLL(4)
    for (int n = 1; n < runs; n *= 2) {
        vf y[T];
        UNROLL(8)
        for (int i = 0; i < runs / 2; i++) {
            y[2 * i] = vf_zip_low(x[i], x[i + runs / 2]);
            y[2 * i + 1] = vf_zip_high(x[i], x[i + runs / 2]);
        }
        UNROLL(16)
        for (int i = 0; i < runs; i++) {
            x[i] = y[i];
        }
    }
    UNROLL(16)
    for (int i = 0; i < runs; i++) {
        vf_store(out + i * W, x[i]);
    }
}

KERNEL_INLINE void order_steps(const float *slots, int32_t n, const int runs, float scale,
                               float *out)
{
    int32_t i = 0;
    for (; i + runs * W <= n; i += runs * W) {
        order_step(slots + i, runs, scale, out + i);
    }
    if (i < n) {
        float rest[ATTN_STEP];
        order_step(slots + i, runs, scale, rest);
        memcpy(out + i, rest, (size_t)(n - i) * sizeof(float));
    }
}

static void kernel_order_texels(const float *slots, int32_t n, int32_t runs, float scale,
                                float *out)
{
    switch (runs) { /* larger cases are dead where a lane has few keys */
    case 1:
        order_steps(slots, n, 1, scale, out);
        break;
    case 2:
        order_steps(slots, n, 2, scale, out);
        break;
    case 4:
        order_steps(slots, n, 4, scale, out);
        break;
    case 8:
        order_steps(slots, n, T < 8 ? T : 8, scale, out);
        break;
    default:
        order_steps(slots, n, T, scale, out);
        break;
    }
}
