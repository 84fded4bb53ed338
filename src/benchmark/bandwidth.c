/*
 * Bandwidth of memory: arrays several times the last cache, each thread its own part, the best of
 * a few rounds. Reading alone is what streaming over K and V asks for, triad what a method asks
 * that writes as it reads. Reading is tried from end to end and in runs that take turns, because
 * neither is the faster one everywhere.
 */
#include "benchmark/internal.h"

#include <omp.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"

enum {
    ROUNDS = 8,
    N_ARRAYS = 3,
    STREAMS = 4, /* runs of a part that take turns */
    LINE = 8,    /* words that memory gives at once, or fewer */
    TURN = 32,   /* words of a turn */
    AHEAD = 256, /* words of a run that are asked for ahead */
};
static const size_t LEAST_BYTES = (size_t)64 << 20, MOST_BYTES = (size_t)512 << 20;

/* Of one array: so that all three are four times the last cache. */
static size_t array_bytes(void)
{
    size_t bytes = LEAST_BYTES;
#ifdef _SC_LEVEL3_CACHE_SIZE
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (cache > 0) {
        bytes = AS_MAX(bytes, (size_t)cache / N_ARRAYS * 4);
    }
#endif
    return AS_MIN(bytes, MOST_BYTES) / 64 * 64;
}

/* 16 bytes of words at any place: every CPU here has registers for four sums of them. */
typedef uint64_t Pair __attribute__((vector_size(16), aligned(8)));

/* Every word, from end to end. Whole numbers, so that nothing waits for an order. */
__attribute__((noinline)) static uint64_t read_part(const uint64_t *x, size_t n)
{
    Pair a = {0}, b = {0}, c = {0}, d = {0};
    for (size_t i = 0; i + 8 <= n; i += 8) {
        const Pair *pairs = (const Pair *)(x + i);
        a += pairs[0];
        b += pairs[1];
        c += pairs[2];
        d += pairs[3];
    }
    a += b + (c + d);
    return a[0] + a[1];
}

/* A word of every line: memory gives whole lines, and what a core does with them is not asked. */
__attribute__((noinline)) static uint64_t read_runs(const uint64_t *x, size_t n)
{
    uint64_t sum = 0;
    size_t run = n / STREAMS / TURN * TURN;
    for (size_t i = 0; i < run; i += TURN) {
        for (size_t s = 0; s < STREAMS; s++) {
            const uint64_t *turn = x + s * run + i;
            for (size_t at = AHEAD; at < AHEAD + TURN; at += LINE) { /* a hint, past the end too */
                __builtin_prefetch((const void *)((uintptr_t)turn + at * sizeof *x), 0, 2);
            }
            for (size_t at = 0; at < TURN; at += LINE) {
                sum += turn[at];
            }
        }
    }
    return sum + read_part(x + STREAMS * run, n - STREAMS * run);
}

__attribute__((noinline)) static void triad_part(double *restrict a, const double *restrict b,
                                                 const double *restrict c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        a[i] = b[i] + 0.5 * c[i];
    }
}

void bandwidth_measure(int n_threads, double *read_gbs, double *triad_gbs)
{
    size_t n = array_bytes() / sizeof(double);
    double *memory = mem_alloc(N_ARRAYS * n * sizeof(double), NULL);
    *read_gbs = *triad_gbs = 0;
    if (!memory) {
        return;
    }
    double *a = memory, *b = a + n, *c = b + n;
    uint64_t seen = 0;
    /* The thread that will use a part touches it first, so that it lies near that thread. */
#pragma omp parallel num_threads(n_threads) reduction(+ : seen)
    {
        size_t id = (size_t)omp_get_thread_num(), of = (size_t)omp_get_num_threads();
        size_t first = n / of * id, count = id + 1 == of ? n - first : n / of;
        for (size_t i = first; i < first + count; i++) {
            a[i] = 0;
            b[i] = 1;
            c[i] = (double)i;
        }
        for (int round = 0; round < ROUNDS; round++) {
#pragma omp barrier
            double start = clock_now_s();
            triad_part(a + first, b + first, c + first, count);
#pragma omp barrier
            double middle = clock_now_s();
            for (int i = 0; i < N_ARRAYS; i++) {
                const void *part = memory + (size_t)i * n + first;
                seen += round % 2 == 0 ? read_part(part, count) : read_runs(part, count);
            }
#pragma omp barrier
            double end = clock_now_s();
            if (id == 0) {
                double gigabytes = (double)N_ARRAYS * (double)n * sizeof(double) / 1e9;
                *triad_gbs = AS_MAX(*triad_gbs, gigabytes / (middle - start));
                *read_gbs = AS_MAX(*read_gbs, gigabytes / (end - middle));
            }
        }
    }
    /* What was read is used, or the loop could be left out. */
    a[0] = (double)seen;
    *(volatile double *)a = a[0];
    mem_free(memory);
}
