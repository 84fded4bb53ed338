#include <arm_neon.h>

typedef float32x4_t vf;
#define W               4
#define N_CHAINS        24
#define vf_set1(x)      vdupq_n_f32(x)
#define vf_store(p, x)  vst1q_f32((p), (x))
#define vf_fma(a, b, c) vfmaq_f32((c), (a), (b))
#include "benchmark/peak_body.h"

double bench_peak_neon(int64_t n_rounds, float *sink)
{
    return peak_loop(n_rounds, sink);
}
