#pragma once
/*
 * Loops of independent fused multiply-adds on registers, one per instruction set, enough of them
 * to hide the latency of the units. Each does n rounds and returns the flops it did; what it
 * computed goes to *sink so that nothing can be left out.
 */
#include <stdint.h>

double bench_peak_scalar(int64_t n_rounds, float *sink);
#if defined(__x86_64__)
double bench_peak_avx2(int64_t n_rounds, float *sink);
double bench_peak_avx512(int64_t n_rounds, float *sink);
double bench_peak_avx512_bf16(int64_t n_rounds, float *sink); /* products of pairs, sums in f32 */
#endif
#if defined(__aarch64__)
double bench_peak_neon(int64_t n_rounds, float *sink);
#endif
