#include <immintrin.h>

typedef __m512 vf;
#define W               16
#define N_CHAINS        24
#define vf_set1(x)      _mm512_set1_ps(x)
#define vf_store(p, x)  _mm512_storeu_ps((p), (x))
#define vf_fma(a, b, c) _mm512_fmadd_ps((a), (b), (c))
#include "benchmark/peak_body.h"

double bench_peak_avx512(int64_t n_rounds, float *sink)
{
    return peak_loop(n_rounds, sink);
}
