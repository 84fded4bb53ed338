#include "benchmark/benchmark.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "benchmark/internal.h"
#include "benchmark/peak.h"

/* One slice is long enough for the clock and short enough to fall between interruptions. Slices
 * go on until the best has stood for a while: others may be using the machine. */
static const double SLICE_S = 0.001, STANDS_S = 0.25, MOST_S = 1.5;

typedef double PeakLoop(int64_t n_rounds, float *sink);

static PeakLoop *peak_loop_of(AttnIsa isa)
{
    switch (isa) {
#if defined(__x86_64__)
    case ATTN_ISA_AVX512:
        return bench_peak_avx512;
    case ATTN_ISA_AVX2:
        return bench_peak_avx2;
#endif
#if defined(__aarch64__)
    case ATTN_ISA_NEON:
        return bench_peak_neon;
#endif
    default:
        return bench_peak_scalar;
    }
}

/* Rounds that take about a slice: by the least of a few tries, because one may be interrupted. */
static int64_t calibrate(PeakLoop *loop)
{
    enum { TRIES = 5 };
    float sink;
    for (int64_t rounds = 1000;; rounds *= 2) {
        double least = INFINITY;
        for (int i = 0; i < TRIES; i++) {
            double start = clock_now_s();
            loop(rounds, &sink);
            least = fmin(least, clock_now_s() - start);
        }
        if (least > SLICE_S / 4) {
            return (int64_t)((double)rounds * SLICE_S / least);
        }
    }
}

/* The best slice of each thread, all threads running, added up. */
static double measure_peak(PeakLoop *loop, int n_threads, int64_t rounds)
{
    double total = 0;
#pragma omp parallel num_threads(n_threads) reduction(+ : total)
    {
        double best = 0;
        float sink;
#pragma omp barrier
        double start = clock_now_s(), now = start, improved = start;
        while (now - improved < STANDS_S && now - start < MOST_S) {
            double before = clock_now_s();
            double flops = loop(rounds, &sink);
            now = clock_now_s();
            double rate = flops / (now - before);
            improved = rate > best * 1.005 ? now : improved;
            best = rate > best ? rate : best;
        }
        total += best;
    }
    return total / 1e9;
}

/* Of all threads, again where it falls short of `hoped`: they may have met on one processor. */
static double measure_peak_again(PeakLoop *loop, int n_threads, int64_t rounds, double hoped)
{
    enum { TRIES = 4 };
    double most = 0;
    for (int i = 0; i < TRIES && most < 0.95 * hoped; i++) {
        most = fmax(most, measure_peak(loop, n_threads, rounds));
    }
    return most;
}

void bench_cpu_name(char *name, size_t size)
{
    snprintf(name, size, "unknown processor");
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[512];
    while (file && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (value && (strncmp(line, "model name", 10) == 0 || strncmp(line, "Model", 5) == 0)) {
            value += 1 + strspn(value + 1, " \t");
            value[strcspn(value, "\n")] = '\0';
            snprintf(name, size, "%s", value);
            break;
        }
    }
    if (file) {
        fclose(file);
    }
}

bool bench_machine(BenchMachine *machine, AttnIsa isa, int n_threads, Error *err)
{
    *machine = (BenchMachine){0};
    AttnCtx *ctx = NULL;
    char message[256] = "";
    AttnStatus status = attn_ctx_create(&(AttnCtxDesc){.n_threads = n_threads, .isa = isa}, &ctx,
                                        message, sizeof message);
    if (status != ATTN_OK) {
        return error_set(err, status == ATTN_MEMORY ? ERR_MEMORY : ERR_UNSUPPORTED, "%s",
                         message[0] ? message : attn_status_text(status));
    }
    machine->isa = attn_ctx_isa_name(ctx);
    machine->threads = attn_ctx_threads(ctx);
    PeakLoop *loop = peak_loop_of(attn_ctx_isa(ctx));
    bool bf16 = attn_ctx_has_precision(ctx, ATTN_PRECISION_BF16);
    attn_ctx_destroy(&ctx);
    bench_cpu_name(machine->cpu, sizeof machine->cpu);
#if defined(__clang__)
    snprintf(machine->compiler, sizeof machine->compiler, "clang %d.%d.%d", __clang_major__,
             __clang_minor__, __clang_patchlevel__);
#else
    snprintf(machine->compiler, sizeof machine->compiler, "gcc %d.%d.%d", __GNUC__, __GNUC_MINOR__,
             __GNUC_PATCHLEVEL__);
#endif
    int64_t rounds = calibrate(loop);
    machine->peak_gflops_one = measure_peak(loop, 1, rounds);
    double hoped = machine->threads * machine->peak_gflops_one;
    machine->peak_gflops = machine->threads == 1
                               ? machine->peak_gflops_one
                               : measure_peak_again(loop, machine->threads, rounds, hoped);
#if defined(__x86_64__)
    if (bf16) {
        rounds = calibrate(bench_peak_avx512_bf16);
        double one = measure_peak(bench_peak_avx512_bf16, 1, rounds);
        machine->bf16_gflops = machine->threads == 1
                                   ? one
                                   : measure_peak_again(bench_peak_avx512_bf16, machine->threads,
                                                        rounds, machine->threads * one);
    }
#else
    (void)bf16; /* no kernel of other processors has it */
#endif
    bandwidth_measure(machine->threads, &machine->read_gbs, &machine->triad_gbs);
    return true;
}
