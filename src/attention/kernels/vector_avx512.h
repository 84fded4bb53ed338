#pragma once
/* Vectors of AVX-512 (F and DQ): 16 lanes, 32 registers: 6 x 4 accumulators, 4 operands, 1
 * broadcast, or where a product takes that from memory one operand and 7 for other work. */
#include <immintrin.h>

#include "attention/kernels/kernel.h"

typedef __m512 vf;
typedef __mmask16 vm;
enum { W = 16, MR = 6, NV = 4 };
#define PV_MAX 4
#ifndef __SANITIZE_THREAD__ /* it calls a function at every access */
#define WEAVE               /* see body_weave.h */
#endif
/* c += a[i] b; with the place spelt out, or the compiler keeps each address in a register. */
#define vf_at(operation, a, i, b, c)                                                               \
    __asm__ volatile(operation " %c[at](%[from])%{1to16%}, %[by], %[to]"                           \
                     : [to] "+v"(c)                                                                \
                     : [from] "r"(a), [at] "n"((i) * sizeof(float)), [by] "v"(b),                  \
                       "m"(*(const float(*)[MR])(a)))
#define vf_fma_at(a, i, b, c) vf_at("vfmadd231ps", a, i, b, c)

#define vf_load(p)      _mm512_loadu_ps(p)
#define vf_store(p, x)  _mm512_storeu_ps(p, x)
#define vf_set1(x)      _mm512_set1_ps(x)
#define vf_add(a, b)    _mm512_add_ps(a, b)
#define vf_sub(a, b)    _mm512_sub_ps(a, b)
#define vf_mul(a, b)    _mm512_mul_ps(a, b)
#define vf_div(a, b)    _mm512_div_ps(a, b)
#define vf_abs(a)       _mm512_abs_ps(a)
#define vf_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define vf_fms(a, b, c) _mm512_fmsub_ps(a, b, c)
#define vf_max(a, b)    _mm512_max_ps(a, b)
#define vf_round(a)     _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define vf_ldexp(p, n)  _mm512_scalef_ps(p, n)
#define vf_any_gt(a, b) (_mm512_cmp_ps_mask(a, b, _CMP_GT_OQ) != 0)
#define vf_all_gt(a, b) (_mm512_cmp_ps_mask(a, b, _CMP_GT_OQ) == 0xffff)
#define vm_ge(a, b)     _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ)
#define vm_lt(a, b)     _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)
#define vm_gt(a, b)     _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ)
#define vm_and(m, n)    ((__mmask16)((m) & (n)))
#define vf_sel(m, a, b) _mm512_mask_mov_ps(b, m, a)
#define sf_fma(a, b, c) __builtin_fmaf(a, b, c)

#define vf_store_halves(p, q, a)                                                                   \
    (_mm256_storeu_ps(p, _mm512_castps512_ps256(a)),                                               \
     _mm256_storeu_ps(q, _mm512_extractf32x8_ps(a, 1)))

static inline vf vf_pow2(vf p, vf t)
{
    __m512i n = _mm512_slli_epi32(_mm512_castps_si512(t), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), n));
}

#define VF_SUM
static inline float vf_sum(vf x)
{
    __m256 a = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_shuffle_ps(b, b, 1)));
}

static inline vf vf_keep_above(vf x, vf e, vf low)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, low, _CMP_NLE_UQ), e);
}

static inline vf vf_even(vf a, vf b)
{
    const __m512i index =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return _mm512_permutex2var_ps(a, index, b);
}

static inline vf vf_odd(vf a, vf b)
{
    const __m512i index =
        _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    return _mm512_permutex2var_ps(a, index, b);
}

static inline vf vf_load_part(const float *p, int n)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

static inline vf vf_zip_low(vf a, vf b)
{
    const __m512i index = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    return _mm512_permutex2var_ps(a, index, b);
}

static inline vf vf_zip_high(vf a, vf b)
{
    const __m512i index =
        _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    return _mm512_permutex2var_ps(a, index, b);
}

#define vf_quads            load_quads
#define vf_quads_low(a, b)  _mm512_unpacklo_ps(a, b)
#define vf_quads_high(a, b) _mm512_unpackhi_ps(a, b)

static inline vf load_quads(const float *const row[W], int first, int32_t d)
{
    __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(row[first] + d));
    x = _mm512_insertf32x4(x, _mm_loadu_ps(row[first + 4] + d), 1);
    x = _mm512_insertf32x4(x, _mm_loadu_ps(row[first + 8] + d), 2);
    return _mm512_insertf32x4(x, _mm_loadu_ps(row[first + 12] + d), 3);
}

static inline vf vf_quads_pairs(vf a, vf b, const bool high)
{
    __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
    return _mm512_castpd_ps(high ? _mm512_unpackhi_pd(x, y) : _mm512_unpacklo_pd(x, y));
}
