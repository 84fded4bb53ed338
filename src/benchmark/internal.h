#pragma once
/*
 * What the files of this folder share.
 */
#include "benchmark/benchmark.h"

/** What a status of the attention core means to a person. Returns true for ATTN_OK. message may be
 *  NULL or "". */
AS_MUST_CHECK bool bench_status(AttnStatus status, const char *message, Error *err);
/** ERR_UNSUPPORTED where a context has no such precision. */
AS_MUST_CHECK bool bench_has_precision(const AttnCtx *ctx, AttnPrecision precision, Error *err);

/** |m + l - log sum exp| of a row's scores in float64; 0 where no key is seen. */
double bench_lse_error(const double *scores, int32_t n_keys, float row_max, float row_log_sum);

/** The larger one, and NaN if `a` is. */
double bench_worse(double a, double b);

/** Of n_threads threads in so many seconds, the share that is not busy_s: 0 to 1. */
double bench_idle(double busy_s, double seconds, int n_threads);

/** Median and least of n times; sorts them. */
void bench_summarise(double *times, int n, double *median, double *least);

/**
 * Lays the outputs of a pass into memory from `next` on: `lean` gets o and the rows' m and l,
 * `full` the same and statistics and summary besides. Takes n_o + 9 * rows + 2 * texels floats.
 *
 * n_o     floats of o
 * rows    H * N
 * texels  of all heads together
 * Returns where the memory goes on
 */
float *bench_lay_outputs(float *next, size_t n_o, size_t rows, size_t texels, AttnOutputs *lean,
                         AttnOutputs *full);

/** Bandwidth of memory with n_threads, in 10^9 bytes a second; 0 where there is no memory for it.
 *  About half a second. */
void bandwidth_measure(int n_threads, double *read_gbs, double *triad_gbs);

/**
 * Times the naive method on the operands of a case and fills the naive_ fields of *result.
 *
 * args    packed operands, as attn_forward takes them
 * o       [H, N, E] of attn_forward, to compare with
 * flops   of the case
 * Errors  ERR_CANCELLED, ERR_INTERNAL; a method that does not fit is no error
 */
AS_MUST_CHECK bool naive_measure(const AttnArgs *args, const BenchAttentionDesc *desc,
                                 const float *o, double flops, BenchResult *result, Error *err);
