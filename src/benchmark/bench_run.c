/*
 * A whole model, traced: text in, every layer's record out.
 */
#include "benchmark/internal.h"

#include <math.h>
#include <sys/resource.h>

#include "base/clock.h"

enum { MIN_REPEATS = 2, MAX_REPEATS = 50 };
static const double DEFAULT_SECONDS = 0.5;
/* Past this a run is not repeated. */
static const double LONG_S = 15;

/* Of all threads, in seconds; what other programs do on the machine counts little in it. */
static double cpu_now_s(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) {
        return 0;
    }
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double resident_peak(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss * 1024 : 0;
}

static bool run_once(const TraceDesc *desc, JobControl *control, double *seconds,
                     BenchRunResult *result, Error *err)
{
    const double start = clock_now_s(), cpu_start = cpu_now_s();
    Trace *trace = trace_run(desc, control, err);
    *seconds = clock_now_s() - start;
    const double cpu_ms = (cpu_now_s() - cpu_start) * 1e3;
    if (!trace) {
        return false;
    }
    result->cpu_ms = result->repeats == 0 ? cpu_ms : fmin(result->cpu_ms, cpu_ms);
    const TraceInfo *info = trace_info(trace);
    if (result->repeats == 0 || info->attention_seconds * 1e3 < result->attention_ms) {
        result->attention_ms = info->attention_seconds * 1e3;
    }
    result->layers = info->n_layers;
    result->attention_flops = info->attention_flops;
    result->record_bytes = (double)info->held_bytes;
    result->spilled = info->spilled;
    trace_close(trace);
    return true;
}

bool bench_run(const TraceDesc *desc, int32_t n, int n_threads, double budget_s,
               JobControl *control, BenchRunResult *result, Error *err)
{
    TraceDesc own = *desc;
    double seconds[MAX_REPEATS], median, least;
    const double budget = budget_s > 0 ? budget_s : DEFAULT_SECONDS;
    if (n < 0 || (size_t)n > desc->n_tokens ||
        (desc->pixels && n > 0 && n != (int32_t)own.n_tokens)) {
        return error_set(err, ERR_RANGE, "bench: %d tokens are asked for and the %s has %zu; %s", n,
                         desc->pixels ? "picture" : "text", desc->n_tokens,
                         desc->pixels ? "leave --n out" : "give a longer one with --file");
    }
    own.n_tokens = n > 0 ? (size_t)n : desc->n_tokens;
    own.params.threads = n_threads;
    *result = (BenchRunResult){.n = (int32_t)own.n_tokens, .threads = n_threads};
    const double start = clock_now_s();
    double spent = 0;
    while (result->repeats < MAX_REPEATS &&
           (result->repeats < MIN_REPEATS ? spent < LONG_S : spent < budget)) {
        if (!run_once(&own, control, &seconds[result->repeats], result, err)) {
            return false;
        }
        result->repeats++;
        spent = clock_now_s() - start;
    }
    bench_summarise(seconds, result->repeats, &median, &least);
    result->ms = median * 1e3;
    result->ms_min = least * 1e3;
    result->tokens_per_s = result->n / median;
    result->tokens_per_s_best = result->n / least;
    result->resident_bytes = resident_peak();
    return true;
}
