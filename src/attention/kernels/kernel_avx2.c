/* AVX2 with FMA: 8 lanes, 16 registers: 6 x 2 accumulators, 2 operands, 1 broadcast. */
#include <immintrin.h>

#include "attention/kernels/kernel.h"

typedef __m256 vf;
typedef __m256 vm;
enum { W = 8, MR = 6, NV = 2 };
#define PV_MAX 2

#define vf_load(p)      _mm256_loadu_ps(p)
#define vf_store(p, x)  _mm256_storeu_ps(p, x)
#define vf_set1(x)      _mm256_set1_ps(x)
#define vf_add(a, b)    _mm256_add_ps(a, b)
#define vf_sub(a, b)    _mm256_sub_ps(a, b)
#define vf_mul(a, b)    _mm256_mul_ps(a, b)
#define vf_div(a, b)    _mm256_div_ps(a, b)
#define vf_abs(a)       _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a)
#define vf_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define vf_fms(a, b, c) _mm256_fmsub_ps(a, b, c)
#define vf_max(a, b)    _mm256_max_ps(a, b)
#define vf_any_gt(a, b) (_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)) != 0)
#define vf_all_gt(a, b) (_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)) == 0xff)
#define vm_ge(a, b)     _mm256_cmp_ps(a, b, _CMP_GE_OQ)
#define vm_lt(a, b)     _mm256_cmp_ps(a, b, _CMP_LT_OQ)
#define vm_gt(a, b)     _mm256_cmp_ps(a, b, _CMP_GT_OQ)
#define vm_and(m, n)    _mm256_and_ps(m, n)
#define vf_sel(m, a, b) _mm256_blendv_ps(b, a, m)
#define sf_fma(a, b, c) __builtin_fmaf(a, b, c)

static inline vf vf_pow2(vf p, vf t)
{
    __m256i n = _mm256_slli_epi32(_mm256_castps_si256(t), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), n));
}

#define VF_SUM
static inline float vf_sum(vf x)
{
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_shuffle_ps(b, b, 1)));
}

static inline vf vf_keep_above(vf x, vf e, vf low)
{
    return _mm256_and_ps(e, _mm256_cmp_ps(x, low, _CMP_NLE_UQ));
}

/* Within 128 bits first, then the quarters into order. */
static inline vf vf_even(vf a, vf b)
{
    __m256d mixed = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    return _mm256_castpd_ps(_mm256_permute4x64_pd(mixed, 0xd8));
}

static inline vf vf_odd(vf a, vf b)
{
    __m256d mixed = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd));
    return _mm256_castpd_ps(_mm256_permute4x64_pd(mixed, 0xd8));
}

static inline vf vf_load_part(const float *p, int n)
{
    float rest[W] = {0};
    __builtin_memcpy(rest, p, (size_t)n * sizeof(float));
    return vf_load(rest);
}

static inline vf vf_zip_low(vf a, vf b)
{
    return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20);
}

static inline vf vf_zip_high(vf a, vf b)
{
    return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31);
}

#define vf_quads            load_quads
#define vf_quads_low(a, b)  _mm256_unpacklo_ps(a, b)
#define vf_quads_high(a, b) _mm256_unpackhi_ps(a, b)

static inline vf load_quads(const float *const row[W], int first, int32_t d)
{
    __m256 x = _mm256_castps128_ps256(_mm_loadu_ps(row[first] + d));
    return _mm256_insertf128_ps(x, _mm_loadu_ps(row[first + 4] + d), 1);
}

static inline vf vf_quads_pairs(vf a, vf b, const bool high)
{
    __m256d x = _mm256_castps_pd(a), y = _mm256_castps_pd(b);
    return _mm256_castpd_ps(high ? _mm256_unpackhi_pd(x, y) : _mm256_unpacklo_pd(x, y));
}

#include "attention/kernels/body_attend.h"

const AttnKernel *attn_kernel_avx2(void)
{
    static const AttnKernel table = KERNEL_TABLE(ATTN_ISA_AVX2);
    return &table;
}
