#include <immintrin.h>

typedef __m256 vf;
#define W               8
#define N_CHAINS        12
#define vf_set1(x)      _mm256_set1_ps(x)
#define vf_store(p, x)  _mm256_storeu_ps((p), (x))
#define vf_fma(a, b, c) _mm256_fmadd_ps((a), (b), (c))
#include "benchmark/peak_body.h"

double bench_peak_avx2(int64_t n_rounds, float *sink)
{
    return peak_loop(n_rounds, sink);
}
