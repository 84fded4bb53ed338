#pragma once
/*
 * What `bench` measures. The machine's own limit comes first, in the same process and by the same
 * clock, so that every figure can be held against it; figures are the median of repeated runs
 * after a warm-up, with the best beside it (on a shared machine the two differ).
 *
 * Flops are 4 * pairs * D: two products of D multiply-adds for every visible pair (query, key),
 * so a causal mask halves them and a window leaves what it shows. Softmax, summary and
 * statistics count for nothing: time spent there lowers the figure.
 */
#include "attention/attention.h"
#include "base/error.h"

/** What was measured on. */
typedef struct BenchMachine {
    char cpu[128];     /* as the system names it */
    char compiler[64]; /* "gcc 12.2.0" */
    const char *isa;   /* static */
    int threads;
    double peak_gflops; /* fused multiply-adds on registers, all threads at once; 2 flops each */
    double peak_gflops_one; /* on one thread */
} BenchMachine;

/** isa AUTO and n_threads 0 as in AttnCtxDesc. ERR_UNSUPPORTED for an ISA that is not here. */
AS_MUST_CHECK bool bench_machine(BenchMachine *machine, AttnIsa isa, int n_threads, Error *err);

/** One case. Operands are normal random numbers of a fixed seed. */
typedef struct BenchAttentionDesc {
    int32_t n;        /* queries and keys */
    int32_t heads;    /* query heads */
    int32_t kv_heads; /* 0 = heads */
    int32_t dim;      /* head width */
    bool causal;
    int32_t window; /* keys, 0 = none; with causal a sliding window, without a symmetric one */
    AttnIsa isa;    /* AUTO = ATTNSCOPE_ISA or the best */
    int n_threads;  /* 0 = all */
    double seconds; /* to spend on repeats, 0 = 0.5; at least 3 repeats are made */
    const atomic_bool *cancel; /* may be NULL */
} BenchAttentionDesc;

typedef struct BenchResult {
    int32_t n, heads, kv_heads, dim, window;
    bool causal;
    const char *isa;       /* static */
    const char *precision; /* static: "f32" */
    int threads, repeats;
    double ms, ms_min;           /* o and lse: median, best */
    double gflops;               /* at the median */
    double gflops_best;          /* at the best */
    double percent_of_peak;      /* gflops against BenchMachine.peak_gflops */
    double full_ms, full_ms_min; /* the same with summary and row statistics */
    double full_percent;         /* what those cost on top, in percent of ms, from the medians */
    double tile_us;              /* an exact 256 x 256 tile on one thread, median; 0 if n < 256 */
    double bytes;                /* q, k, v, o, m, l and scratch of the lean pass */
    double error_o;              /* largest |o - float64| over sampled rows */
    double error_weights;        /* largest |weight - float64| over the same rows */
} BenchResult;

/**
 * Times the attention of one case. machine (from bench_machine with the same ISA and threads)
 * gives the peak. ERR_RANGE for sizes out of range, ERR_MEMORY, ERR_CANCELLED.
 */
AS_MUST_CHECK bool bench_attention(const BenchMachine *machine, const BenchAttentionDesc *desc,
                                   BenchResult *result, Error *err);
