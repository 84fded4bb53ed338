#include <immintrin.h>

#include "benchmark/peak.h"

/* As peak_body.h, with two products of bf16 and their sum a lane: sums grow by the same term, so
 * that no operand has to be rounded. */
double bench_peak_avx512_bf16(int64_t n_rounds, float *sink)
{
    enum { N_CHAINS = 24, LANES = 16 };
    __m512 acc[N_CHAINS];
    __m512bh small = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0x1p-20f), _mm512_set1_ps(0x1p-20f));
    __m512bh one = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1.0f), _mm512_set1_ps(1.0f));
#pragma GCC unroll 32
    for (int i = 0; i < N_CHAINS; i++) {
        acc[i] = _mm512_set1_ps(1.0f + 0.01f * (float)i);
    }
    for (int64_t round = 0; round < n_rounds; round++) {
#pragma GCC unroll 32
        for (int i = 0; i < N_CHAINS; i++) {
            acc[i] = _mm512_dpbf16_ps(acc[i], small, one);
        }
    }
    __m512 total = acc[0];
#pragma GCC unroll 32
    for (int i = 1; i < N_CHAINS; i++) {
        total = _mm512_add_ps(total, acc[i]);
    }
    *sink = _mm512_cvtss_f32(total);
    return (double)n_rounds * 4.0 * N_CHAINS * LANES;
}
