/* The base instruction set: products and sums are separate instructions. */
#include "benchmark/peak_body.h"

double bench_peak_scalar(int64_t n_rounds, float *sink)
{
    return peak_loop(n_rounds, sink);
}
