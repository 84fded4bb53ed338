#pragma once
/*
 * The kernels, written once over the vector operations that the including file defines. Here are
 * the functions of a vector; body_pack.h packs, body_scores.h multiplies, body_attend.h is the
 * pass. Included by kernel_<isa>.c alone, after
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

/* The exponential reads low bits of its argument, so a NaN must not bring a payload along. */
static const float PLAIN_NAN = __builtin_nanf("");

KERNEL_INLINE vf plain_vector(vf x)
{
    return vf_sel(vm_ge(x, x), x, vf_set1(PLAIN_NAN));
}
