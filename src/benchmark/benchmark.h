#pragma once
/*
 * What `bench` measures. The machine's own limit comes first, in the same process and by the same
 * clock, so that every figure can be held against it; figures are the median of repeated runs
 * after a warm-up, with the best beside it (on a shared machine the two differ).
 *
 * Flops are 4 * pairs * D: two products of D multiply-adds for every visible pair (query, key),
 * so a causal mask halves them and a window leaves what it shows. Softmax, summary and
 * statistics count for nothing: time spent there lowers the figure. Bytes are the least that has to
 * move: every operand and result once, as floats, whatever the precision of the products.
 */
#include "attention/attention.h"
#include "trace/trace.h"

/** What was measured on. */
typedef struct BenchMachine {
    char cpu[128];     /* as the system names it */
    char compiler[64]; /* "gcc 12.2.0" */
    const char *isa;   /* static */
    int threads;
    double peak_gflops; /* fused multiply-adds on registers, all threads at once; 2 flops each */
    double peak_gflops_one; /* on one thread */
    double bf16_gflops; /* the same of products of pairs of bf16, 4 flops a lane; 0 = not here */
    double read_gbs;    /* 10^9 bytes a second, all threads, from arrays past every cache; 0 = there
                           was  not enough memory to measure it */
    double triad_gbs;   /* the same for a = b + s c, three arrays counted (STREAM, McCalpin 1995) */
} BenchMachine;

/** The processor as the system names it. */
void bench_cpu_name(char *name, size_t size);
/** isa AUTO and n_threads 0 as in AttnCtxDesc. ERR_UNSUPPORTED for an ISA that is not here. */
AS_MUST_CHECK bool bench_machine(BenchMachine *machine, AttnIsa isa, int n_threads, Error *err);

/** One case. Operands are normal random numbers of a fixed seed. */
typedef struct BenchAttentionDesc {
    int32_t n;        /* tokens: keys, and queries where `queries` is 0 */
    int32_t queries;  /* the last so many tokens ask, as a decoder's new ones do; 0 = all */
    int32_t heads;    /* query heads */
    int32_t kv_heads; /* 0 = heads */
    int32_t dim;      /* head width */
    bool causal;
    int32_t window; /* keys, 0 = none; with causal a sliding window, without a symmetric one */
    AttnPrecision precision;   /* of the products; ERR_UNSUPPORTED where it is not here */
    AttnIsa isa;               /* AUTO = ATTNSCOPE_ISA or the best */
    int n_threads;             /* 0 = all */
    double seconds;            /* to spend on repeats, 0 = 0.5; at least 3 repeats are made */
    bool naive;                /* measure the naive method too, where its memory fits */
    const atomic_bool *cancel; /* may be NULL */
} BenchAttentionDesc;

typedef struct BenchResult {
    int32_t n, queries, heads, kv_heads, dim, window;
    bool causal;
    const char *model;     /* borrowed from the trace: real attention of all its layers; or NULL */
    int32_t layers;        /* 1 without a model */
    const char *isa;       /* static */
    const char *precision; /* static: a word of bench_precision_name */
    int threads, repeats;
    double peak_gflops; /* of the machine it is held against: by precision, and for bf16-pv the rate
                           at which half of the flops run at either peak */
    double ms, ms_min;  /* o and lse: median, best */
    double gflops;      /* at the median */
    double gflops_best; /* at the best */
    double percent_of_peak; /* gflops against peak_gflops */
    double idle_percent; /* of all threads' time: what they did not work in, because they waited for
                            each other or to be woken; median */
    double full_ms, full_ms_min; /* the same with summary and row statistics */
    double full_percent;         /* what those cost on top, in percent of ms, from the medians */
    double tile_us; /* an exact 256 x 256 tile on one thread, median; 0 with fewer queries or keys
                     */
    double row_us, col_us; /* exact weights of a whole row and column on all threads, median */
    double gbs;            /* 10^9 of the traffic bytes a second, at the median */
    double bytes;          /* memory: q, k, v, o, m, l and scratch of the lean pass */
    double traffic_bytes;  /* the least that has to move: every operand and result once */
    double error_o;        /* largest |o - float64| over sampled rows */
    double error_lse;      /* largest |log-sum-exp - float64| over the same rows, nats; of a whole
                              trace in f32 also against that of its run */
    double error_weights;  /* largest |weight - float64| over the same rows, of exact tiles with the
                              pass's m and l */

    /* The naive method: all H x N x M scores as floats, scaled and masked, softmax in place, and
     * both products by the same GEMM as the models' linear layers, which picks its instruction set
     * by itself. Not measured (naive_ms 0) when not asked for or when it does not fit. */
    double naive_ms, naive_ms_min;
    double naive_gflops;        /* of the same flops as above, at the median */
    double naive_bytes;         /* q, k, v, o and the scores: what it takes, or would take */
    double naive_traffic_bytes; /* with every pass over the scores: written once, read and written
                                   twice, read once */
    double naive_difference;    /* largest |o - the streaming pass's o| */
} BenchResult;

/** "f32", "bf16", "bf16-pv": both products in bf16, or weights times values alone. Static. */
const char *bench_precision_name(AttnPrecision precision);

/** ERR_UNSUPPORTED, with a line about it, where a precision or instruction set is not here. */
AS_MUST_CHECK bool bench_precision_check(AttnIsa isa, AttnPrecision precision, Error *err);

/** What a precision is held against on a machine, in GF/s: see BenchResult.peak_gflops. */
double bench_peak_of(const BenchMachine *machine, AttnPrecision precision);

/**
 * Times the attention of one case. machine (from bench_machine with the same ISA and threads)
 * gives the peak. ERR_RANGE for sizes out of range, ERR_MEMORY, ERR_CANCELLED.
 */
AS_MUST_CHECK bool bench_attention(const BenchMachine *machine, const BenchAttentionDesc *desc,
                                   BenchResult *result, Error *err);

/**
 * Times the attention of all layers of a finished run on its own q, k and v: the first n tokens (0
 * = all) of the trace; what an encoder's later tokens changed in the earlier ones stays in them.
 * Of desc n, precision, isa, n_threads, seconds (of all layers together) and cancel count, the rest
 * is the model's. ERR_RANGE when the trace has fewer tokens or holds no values.
 */
AS_MUST_CHECK bool bench_trace(const BenchMachine *machine, const Trace *trace,
                               const BenchAttentionDesc *desc, BenchResult *result, Error *err);

/** A whole model's traced run: Q, K, row statistics and summaries of every layer are kept. */
typedef struct BenchRunResult {
    int32_t n, layers; /* tokens; layers of the stack that is recorded */
    int threads;       /* as asked for: 0 = all */
    int repeats;
    double ms, ms_min; /* from ids to the finished record: median, best */
    double tokens_per_s, tokens_per_s_best;
    double cpu_ms; /* of all threads together, best; threads that wait for others count in it */
    double attention_ms;    /* of the run with the least of it, in the attention core */
    double attention_flops; /* 4 * pairs * D, as above */
    double record_bytes;    /* what the trace holds */
    bool spilled;           /* in a file */
    double resident_bytes;  /* the most that this process ever had resident, weights mapped from
                               their file included; 0 = not known. Of several cases the largest so
                               far: ask for them in growing order, or in processes of their own */
} BenchRunResult;

/**
 * Runs and records the first n tokens (0 = all) of desc again and again, with n_threads (0 = all),
 * for budget_s seconds (0 = 0.5) and twice at least, once if that takes over 15 s; the first run
 * reads the weights.
 * ERR_RANGE with fewer tokens, or n of a picture; what trace_run reports. control may be NULL.
 */
AS_MUST_CHECK bool bench_run(const TraceDesc *desc, int32_t n, int n_threads, double budget_s,
                             JobControl *control, BenchRunResult *result, Error *err);

/**
 * The exponent s of y = c x^s by least squares on logarithms. False with fewer than two different
 * x, or when anything is not positive. Any thread.
 */
bool bench_growth(const double *x, const double *y, size_t n, double *slope);
