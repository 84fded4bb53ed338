#pragma once
/*
 * The loop of peak.h over vector operations that the including file defines: vf, W, N_CHAINS
 * (accumulators: as many as registers allow beside two operands), vf_set1, vf_store,
 * vf_fma(a, b, c) = a b + c. Without them, plain vectors of four floats.
 */
#include "benchmark/peak.h"

#ifndef N_CHAINS
typedef float vf __attribute__((vector_size(16)));
#define W               4
#define N_CHAINS        12
#define vf_set1(x)      ((vf){(x), (x), (x), (x)})
#define vf_store(p, x)  __builtin_memcpy((p), &(x), sizeof(x))
#define vf_fma(a, b, c) ((a) * (b) + (c))
#endif

static inline double peak_loop(int64_t n_rounds, float *sink)
{
    vf acc[N_CHAINS];
    /* Values that settle: no denormals, no infinities, the same speed all along. */
    vf factor = vf_set1(0.5f), term = vf_set1(1.0f);
#pragma GCC unroll 32
    for (int i = 0; i < N_CHAINS; i++) {
        acc[i] = vf_set1(1.0f + 0.01f * (float)i);
    }
    for (int64_t round = 0; round < n_rounds; round++) {
#pragma GCC unroll 32
        for (int i = 0; i < N_CHAINS; i++) {
            acc[i] = vf_fma(acc[i], factor, term);
        }
    }
    float lanes[W];
    vf total = acc[0];
#pragma GCC unroll 32
    for (int i = 1; i < N_CHAINS; i++) {
        total = vf_fma(total, factor, acc[i]);
    }
    vf_store(lanes, total);
    *sink = lanes[0];
    return (double)n_rounds * 2.0 * N_CHAINS * W;
}
