/*
 * The method everybody writes first: S = Q K^T of all heads in memory, scaled and masked, softmax,
 * O = P V. Here with good parts (a fast GEMM, threaded passes, a softmax in place that
 * vectorises), so that what it loses is what the method loses.
 */
#include "benchmark/internal.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "compute/gemm.h"
#include "compute/threads.h"
#include "trace/memory.h"

enum { MIN_REPEATS = 3, MAX_REPEATS = 100 };
/* A pass that takes longer than this is not repeated more often than once. */
static const double LONG_S = 2.0;
static const double DEFAULT_SECONDS = 0.5;
static const double SHARE_OF_MEMORY = 0.75;

static void scale_and_mask(const AttnArgs *a, float *scores, float scale, int n_threads)
{
    int32_t n = a->n_queries, m = a->n_keys;
#pragma omp parallel for num_threads(n_threads) schedule(static)
    for (int32_t i = 0; i < n; i++) {
        float *row = scores + (ptrdiff_t)i * m;
        int32_t begin, end;
        attn_mask_row_range(&a->mask, m, i, &begin, &end);
        for (int32_t j = 0; j < m; j++) {
            row[j] = j >= begin && j < end ? row[j] * scale : -INFINITY;
        }
    }
}

/* e^x for x <= 0, written so that compilers turn a loop of it into vectors: 2^t with t split into
 * a whole number, which goes to the exponent, and a rest of at most 1/2 for Taylor's polynomial.
 * Below 2^-126 it gives 2^-126; -INFINITY as well. */
static inline float exp_negative(float x)
{
    float t = x * 1.44269504f;
    t = t > -126.0f ? t : -126.0f;
    int32_t whole = (int32_t)(t - 0.5f);
    float f = (t - (float)whole) * 0.693147181f;
    float p =
        1 +
        f * (1 + f * (1.0f / 2 + f * (1.0f / 6 + f * (1.0f / 24 + f * (1.0f / 120 + f / 720)))));
    uint32_t bits = (uint32_t)(whole + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

enum { LANES = 16 };

/* In place: maximum, exponentials and their sum, division. Sums in lanes, which vectors add. */
COMPUTE_CLONES static void softmax_row(float *x, int32_t n)
{
    float most[LANES], sum[LANES] = {0};
    int32_t whole = n / LANES * LANES;
    for (int l = 0; l < LANES; l++) {
        most[l] = -INFINITY;
    }
    for (int32_t j = 0; j < whole; j += LANES) {
        for (int l = 0; l < LANES; l++) {
            most[l] = x[j + l] > most[l] ? x[j + l] : most[l];
        }
    }
    for (int32_t j = whole; j < n; j++) {
        most[0] = x[j] > most[0] ? x[j] : most[0];
    }
    float m = most[0];
    for (int l = 1; l < LANES; l++) {
        m = most[l] > m ? most[l] : m;
    }
    for (int32_t j = 0; j < whole; j += LANES) {
        for (int l = 0; l < LANES; l++) {
            float e = exp_negative(x[j + l] - m);
            x[j + l] = e;
            sum[l] += e;
        }
    }
    for (int32_t j = whole; j < n; j++) {
        x[j] = exp_negative(x[j] - m);
        sum[0] += x[j];
    }
    double total = 0;
    for (int l = 0; l < LANES; l++) {
        total += (double)sum[l];
    }
    float factor = (float)(1 / total);
    for (int32_t j = 0; j < n; j++) {
        x[j] *= factor;
    }
}

static void softmax_rows(float *scores, int32_t n, int32_t m, int n_threads)
{
#pragma omp parallel for num_threads(n_threads) schedule(static)
    for (int32_t i = 0; i < n; i++) {
        softmax_row(scores + (ptrdiff_t)i * m, m);
    }
}

/* Each step for all heads before the next one, as frameworks do it. */
static bool pass(const AttnArgs *a, const BenchAttentionDesc *desc, int n_threads, float *scores,
                 float *o, Error *err)
{
    int32_t n = a->n_queries, m = a->n_keys, group = a->n_heads / a->n_kv_heads;
    ptrdiff_t head_scores = (ptrdiff_t)n * m;
    for (int step = 0; step < 3; step++) {
        for (int32_t h = 0; h < a->n_heads; h++) {
            if (desc->cancel && atomic_load(desc->cancel)) {
                return error_set(err, ERR_CANCELLED, "bench: cancelled");
            }
            float *s = scores + h * head_scores;
            bool ok = true;
            if (step == 0) {
                GemmArgs product = {.x = a->q + (ptrdiff_t)h * n * a->head_dim,
                                    .w = a->k + (ptrdiff_t)(h / group) * m * a->head_dim,
                                    .y = s,
                                    .rows = n,
                                    .in = a->head_dim,
                                    .out = m};
                ok = gemm_forward(&product, n_threads, err);
            } else if (step == 1) {
                scale_and_mask(a, s, 1.0f / sqrtf((float)a->head_dim), n_threads);
                softmax_rows(s, n, m, n_threads);
            } else {
                GemmArgs product = {.x = s,
                                    .w = a->v + (ptrdiff_t)(h / group) * m * a->v_dim,
                                    .y = o + (ptrdiff_t)h * n * a->v_dim,
                                    .rows = n,
                                    .in = m,
                                    .out = a->v_dim,
                                    .w_in_out = true};
                ok = gemm_forward(&product, n_threads, err);
            }
            if (!ok) {
                return false;
            }
        }
    }
    return true;
}

static bool time_passes(const AttnArgs *a, const BenchAttentionDesc *desc, float *scores, float *o,
                        BenchResult *result, Error *err)
{
    double times[MAX_REPEATS], median, least;
    double budget = desc->seconds > 0 ? desc->seconds : DEFAULT_SECONDS;
    int n = 0, wanted = MIN_REPEATS;
    /* The first one fetches the pages and warms up. */
    double start = clock_now_s();
    if (!pass(a, desc, result->threads, scores, o, err)) {
        return false;
    }
    wanted = clock_now_s() - start > LONG_S ? 1 : MIN_REPEATS;
    start = clock_now_s();
    while (n < MAX_REPEATS && (n < wanted || clock_now_s() - start < budget)) {
        double before = clock_now_s();
        if (!pass(a, desc, result->threads, scores, o, err)) {
            return false;
        }
        times[n++] = clock_now_s() - before;
    }
    bench_summarise(times, n, &median, &least);
    result->naive_ms = median * 1e3;
    result->naive_ms_min = least * 1e3;
    return true;
}

bool naive_measure(const AttnArgs *args, const BenchAttentionDesc *desc, const float *o,
                   double flops, BenchResult *result, Error *err)
{
    double pairs = (double)args->n_heads * args->n_queries * args->n_keys;
    double outputs = (double)args->n_heads * args->n_queries * args->v_dim;
    double operands = (double)args->n_heads * args->n_queries * args->head_dim +
                      (double)args->n_kv_heads * args->n_keys * (args->head_dim + args->v_dim);
    result->naive_bytes = (pairs + outputs + operands) * sizeof(float);
    result->naive_traffic_bytes = (6 * pairs + outputs + operands) * sizeof(float);
    double needed = (pairs + outputs) * sizeof(float);
    if (!desc->naive || needed > SHARE_OF_MEMORY * (double)memory_available_bytes()) {
        return true;
    }
    size_t n_scores = (size_t)args->n_heads * (size_t)args->n_queries * (size_t)args->n_keys;
    size_t n_o = (size_t)args->n_heads * (size_t)args->n_queries * (size_t)args->v_dim;
    float *memory = mem_alloc((n_scores + n_o) * sizeof(float), NULL);
    if (!memory) {
        return true;
    }
    float *own = memory + n_scores;
    bool ok = time_passes(args, desc, memory, own, result, err);
    if (ok) {
        result->naive_gflops = flops / result->naive_ms / 1e6;
        for (size_t i = 0; i < n_o; i++) {
            double apart = fabs((double)own[i] - (double)o[i]);
            if (apart > result->naive_difference || isnan(apart)) {
                result->naive_difference = apart;
            }
        }
    }
    mem_free(memory);
    return ok;
}
