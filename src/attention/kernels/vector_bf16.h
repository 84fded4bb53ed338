#pragma once
/*
 * Products of AVX512_BF16: words are pairs of bf16, which one operation multiplies and adds up in
 * f32. Not exact: 8 bits of a value are kept. Includer sets K_PER_WORD and V_PER_WORD.
 */
#include "attention/kernels/vector_avx512.h"

static inline vf bf16_dot(vf a, vf b, vf c)
{
    return _mm512_dpbf16_ps(c, (__m512bh)_mm512_castps_si512(a), (__m512bh)_mm512_castps_si512(b));
}

#define bf16_dot_at(a, i, b, c) vf_at("vdpbf16ps", a, i, b, c)

/* 32 values of bf16: a, then b. */
static inline __m512i bf16_round(vf a, vf b)
{
    return (__m512i)_mm512_cvtne2ps_pbh(b, a);
}

#define vf_dot_v bf16_dot
#if K_PER_WORD == 1
#define vf_dot_k    vf_fma
#define vf_dot_k_at vf_fma_at
#else
#define vf_dot_k    bf16_dot
#define vf_dot_k_at bf16_dot_at

static inline vf load_words(const float *row, int32_t d, int32_t n, vf factor)
{
    const float *p = row + 2 * d;
    vf a = n >= W ? vf_load(p) : vf_load_part(p, n);
    vf b = n >= 2 * W ? vf_load(p + W) : n > W ? vf_load_part(p + W, n - W) : vf_set1(0.0f);
    return _mm512_castsi512_ps(bf16_round(vf_mul(a, factor), vf_mul(b, factor)));
}
#endif

#include "attention/kernels/body_pack.h"

/* Weights of two vectors as pairs of slots. */
KERNEL_INLINE void store_words(float *to, vf a, vf b)
{
    _mm512_storeu_si512(to, bf16_round(a, b));
}

KERNEL_INLINE float bf16_value(const float *words, ptrdiff_t i)
{
    uint16_t half;
    memcpy(&half, (const char *)words + i * 2, sizeof half);
    uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

KERNEL_INLINE float weight_at(const float *p, int j)
{
    return bf16_value(p, j);
}

KERNEL_INLINE float value_at(const float *v, int32_t ep, int j, int32_t e)
{
    return bf16_value(v, 2 * ((ptrdiff_t)(j / 2) * ep + e) + j % 2);
}

KERNEL_INLINE vf value_row(const float *v, ptrdiff_t ld, int slot, int32_t n_keys, int32_t e,
                           int32_t dim)
{
    int32_t key = slot % W * T + slot / W;
    if (key >= n_keys || e >= dim) {
        return vf_set1(0.0f);
    }
    const float *p = v + key * ld + e;
    return dim - e >= W ? vf_load(p) : vf_load_part(p, dim - e);
}

static bool kernel_pack_v(const float *v, ptrdiff_t ld, int32_t n_keys, int32_t dim, int32_t ep,
                          float *out)
{
    /* Words 0, 16, 1, 17, ... of 16 bits: one value of each slot side by side. */
    const __m512i pairs =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i high = _mm512_set1_epi32((int)0xffff0000u);
    vf odd = vf_set1(0.0f); /* see the other kernel_pack_v; rounding can make an infinity */
    for (int slot = 0; slot < ATTN_STEP; slot += 2) {
        if (n_keys == ATTN_STEP) {
            ask_ahead(v, ld, slot, slot + 2, dim);
        }
        for (int32_t e = 0; e < ep; e += W) {
            __m512i x = bf16_round(value_row(v, ld, slot, n_keys, e, dim),
                                   value_row(v, ld, slot + 1, n_keys, e, dim));
            x = _mm512_permutexvar_epi16(pairs, x);
            _mm512_storeu_si512(out + (ptrdiff_t)(slot / 2) * ep + e, x);
            vf a = _mm512_castsi512_ps(_mm512_slli_epi32(x, 16));
            vf b = _mm512_castsi512_ps(_mm512_and_si512(x, high));
            odd = vf_add(odd, vf_add(vf_sub(a, a), vf_sub(b, b)));
        }
    }
    float total = lanes_sum(odd);
    return total == total;
}

#include "attention/kernels/body_attend.h"
