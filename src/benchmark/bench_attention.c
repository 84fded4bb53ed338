#include "benchmark/benchmark.h"

#include <math.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/random.h"
#include "benchmark/internal.h"

enum {
    MIN_REPEATS = 3,
    MAX_REPEATS = 200,
    TILE = 256,
    TILE_REPEATS = 15,
    LINE_REPEATS = 7,
    SAMPLED_ROWS = 6
};
static const double DEFAULT_SECONDS = 0.5;

/* Operands and results of one case. */
typedef struct Bench {
    AttnCtx *ctx, *ctx_one; /* all threads; one for the tile */
    AttnArgs args;
    AttnOutputs lean, full;
    const atomic_bool *cancel;
    int64_t pairs;            /* visible, of all heads */
    float *memory;            /* every array below and above */
    float *tile, *row;        /* [TILE][TILE], [n] */
    double *weights, *scores; /* [n] */
} Bench;

static AttnArgs args_of(const BenchAttentionDesc *desc)
{
    int32_t queries = desc->queries > 0 ? desc->queries : desc->n;
    AttnArgs args = {.n_queries = queries,
                     .n_keys = desc->n,
                     .n_heads = desc->heads,
                     .n_kv_heads = desc->kv_heads > 0 ? desc->kv_heads : desc->heads,
                     .head_dim = desc->dim,
                     .v_dim = desc->dim,
                     .precision = desc->precision,
                     .mask.q_offset = desc->n - queries};
    if (desc->causal) {
        args.mask.kind |= ATTN_MASK_CAUSAL;
    }
    if (desc->window != 0) {
        args.mask.kind |= desc->causal ? ATTN_MASK_WINDOW : ATTN_MASK_WINDOW_SYMMETRIC;
        args.mask.window = desc->window;
    }
    return args;
}

static bool allocate(Bench *b, Error *err)
{
    AttnArgs *a = &b->args;
    /* Checked before sizes are trusted: pointers that only have to be there. */
    float there = 0;
    a->q = a->k = a->v = &there;
    char message[256] = "";
    AttnStatus status = attn_args_check(a, message, sizeof message);
    if (status != ATTN_OK) {
        return bench_status(status, message, err);
    }
    size_t n = (size_t)a->n_queries, m = (size_t)a->n_keys, H = (size_t)a->n_heads;
    size_t G = (size_t)a->n_kv_heads, D = (size_t)a->head_dim;
    AttnSummaryShape shape = attn_summary_shape(a, 0);
    size_t texels = H * (size_t)shape.n_texels, rows = H * n;
    size_t floats = 2 * H * n * D + 2 * G * m * D + 9 * rows + 2 * texels + TILE * TILE + 5 * m + 1;
    b->memory = mem_alloc(floats * sizeof(float), err);
    if (!b->memory) {
        return false;
    }
    float *next = b->memory;
    b->weights = (double *)(void *)next, next += 2 * m;
    b->scores = (double *)(void *)next, next += 2 * m;
    float *q = next, *k = q + H * n * D, *v = k + G * m * D;
    a->q = q, a->k = k, a->v = v;
    next = v + G * m * D;
    Random random = {.state = 7};
    for (float *x = q; x < next; x++) {
        *x = (float)random_normal(&random);
    }
    next = bench_lay_outputs(next, H * n * D, rows, texels, &b->lean, &b->full);
    b->tile = next, next += TILE * TILE;
    b->row = next;
    return true;
}

/* idle: of all threads' time, the share in which they did not work. */
static bool time_once(const Bench *b, const AttnOutputs *out, double *seconds, double *idle,
                      Error *err)
{
    double busy_s = 0;
    AttnProgress progress = {.cancel = b->cancel, .busy_s = &busy_s};
    double start = clock_now_s();
    AttnStatus status = attn_forward(b->ctx, &b->args, out, &progress);
    *seconds = clock_now_s() - start;
    *idle = bench_idle(busy_s, *seconds, attn_ctx_threads(b->ctx));
    return status == ATTN_OK || bench_status(status, NULL, err);
}

/* Lean and full runs in turn, so that both meet the same disturbances. */
static bool time_forward(const Bench *b, double budget, BenchResult *result, Error *err)
{
    double lean[MAX_REPEATS], full[MAX_REPEATS], idle[MAX_REPEATS], unused;
    if (!time_once(b, &b->lean, &unused, &unused, err) ||
        !time_once(b, &b->full, &unused, &unused, err)) {
        return false;
    }
    int n = 0;
    double start = clock_now_s();
    while (n < MAX_REPEATS && (n < MIN_REPEATS || clock_now_s() - start < budget)) {
        if (!time_once(b, &b->lean, &lean[n], &idle[n], err) ||
            !time_once(b, &b->full, &full[n], &unused, err)) {
            return false;
        }
        n++;
    }
    double median, least, full_median, full_least, idle_median;
    bench_summarise(lean, n, &median, &least);
    bench_summarise(full, n, &full_median, &full_least);
    bench_summarise(idle, n, &idle_median, &unused);
    double flops = 4.0 * (double)b->pairs * b->args.head_dim;
    result->repeats = n;
    result->ms = median * 1e3;
    result->ms_min = least * 1e3;
    result->gflops = flops / median / 1e9;
    result->gflops_best = flops / least / 1e9;
    result->idle_percent = idle_median * 100;
    result->full_ms = full_median * 1e3;
    result->full_ms_min = full_least * 1e3;
    result->full_percent = (full_median / median - 1) * 100;
    return true;
}

/* The tile in the lower left corner: all visible under a causal mask. */
static bool time_tile(const Bench *b, BenchResult *result, Error *err)
{
    int32_t n = b->args.n_queries;
    if (n < TILE || b->args.n_keys < TILE) {
        return true;
    }
    AttnTileDesc tile = {.kind = ATTN_TILE_WEIGHTS,
                         .row0 = n - TILE,
                         .row1 = n,
                         .col1 = TILE,
                         .row_max = b->lean.row_max,
                         .row_log_sum = b->lean.row_log_sum};
    double times[TILE_REPEATS], least;
    for (int i = 0; i < TILE_REPEATS; i++) {
        double start = clock_now_s();
        AttnStatus status = attn_tile(b->ctx_one, &b->args, &tile, b->tile, TILE);
        times[i] = clock_now_s() - start;
        if (status != ATTN_OK) {
            return bench_status(status, NULL, err);
        }
    }
    bench_summarise(times, TILE_REPEATS, &result->tile_us, &least);
    result->tile_us *= 1e6;
    return true;
}

/* The middle row and column from end to end. */
static bool time_lines(const Bench *b, BenchResult *result, Error *err)
{
    const AttnArgs *a = &b->args;
    const float *m = b->lean.row_max, *l = b->lean.row_log_sum;
    double rows[LINE_REPEATS], cols[LINE_REPEATS], least;
    for (int i = 0; i < LINE_REPEATS; i++) {
        double start = clock_now_s();
        AttnStatus status =
            attn_tile_row(b->ctx, a, ATTN_TILE_WEIGHTS, 0, a->n_queries / 2, m, l, b->row);
        double middle = clock_now_s();
        if (status == ATTN_OK) {
            status = attn_tile_col(b->ctx, a, ATTN_TILE_WEIGHTS, 0, a->n_keys / 2, m, l, b->row);
        }
        rows[i] = (middle - start) * 1e6;
        cols[i] = (clock_now_s() - middle) * 1e6;
        if (status != ATTN_OK) {
            return bench_status(status, NULL, err);
        }
    }
    bench_summarise(rows, LINE_REPEATS, &result->row_us, &least);
    bench_summarise(cols, LINE_REPEATS, &result->col_us, &least);
    return true;
}

/* Rows spread over heads and positions, against float64. */
static bool measure_error(const Bench *b, BenchResult *result, Error *err)
{
    const AttnArgs *a = &b->args;
    for (int s = 0; s < SAMPLED_ROWS; s++) {
        int32_t head = s % a->n_heads;
        int32_t row = (int32_t)((int64_t)(a->n_queries - 1) * s / (SAMPLED_ROWS - 1));
        AttnStatus status = attn_reference_row(a, head, row, b->weights, b->scores);
        if (status == ATTN_OK) {
            status = attn_tile_row(b->ctx_one, a, ATTN_TILE_WEIGHTS, head, row, b->lean.row_max,
                                   b->lean.row_log_sum, b->row);
        }
        if (status != ATTN_OK) {
            return bench_status(status, NULL, err);
        }
        size_t at = (size_t)head * (size_t)a->n_queries + (size_t)row;
        result->error_lse = bench_worse(
            bench_lse_error(b->scores, a->n_keys, b->lean.row_max[at], b->lean.row_log_sum[at]),
            result->error_lse);
        for (int32_t j = 0; j < a->n_keys; j++) {
            result->error_weights =
                bench_worse(fabs((double)b->row[j] - b->weights[j]), result->error_weights);
        }
        int32_t kv_head = head / (a->n_heads / a->n_kv_heads);
        const float *v = a->v + (ptrdiff_t)kv_head * a->n_keys * a->v_dim;
        const float *o = b->lean.o + ((ptrdiff_t)head * a->n_queries + row) * a->v_dim;
        for (int32_t e = 0; e < a->v_dim; e++) {
            double sum = 0;
            for (int32_t j = 0; j < a->n_keys; j++) {
                sum += b->weights[j] * (double)v[(ptrdiff_t)j * a->v_dim + e];
            }
            result->error_o = bench_worse(fabs((double)o[e] - sum), result->error_o);
        }
    }
    return true;
}

static bool run(Bench *b, const BenchMachine *machine, const BenchAttentionDesc *desc,
                BenchResult *result, Error *err)
{
    char message[256] = "";
    AttnCtxDesc all = {.n_threads = desc->n_threads, .isa = desc->isa};
    AttnCtxDesc one = {.n_threads = 1, .isa = desc->isa};
    AttnStatus status = attn_ctx_create(&all, &b->ctx, message, sizeof message);
    if (status == ATTN_OK) {
        status = attn_ctx_create(&one, &b->ctx_one, message, sizeof message);
    }
    if (status != ATTN_OK) {
        return bench_status(status, message, err);
    }
    if (!bench_has_precision(b->ctx, desc->precision, err) || !allocate(b, err)) {
        return false;
    }
    const AttnArgs *a = &b->args;
    b->pairs = a->n_heads * attn_mask_visible_pairs(&a->mask, a->n_queries, a->n_keys);
    double moved = 2.0 * a->n_heads * (double)a->n_queries * (a->head_dim + 1) +
                   2.0 * a->n_kv_heads * (double)a->n_keys * a->head_dim;
    *result = (BenchResult){
        .n = desc->n,
        .queries = a->n_queries,
        .heads = a->n_heads,
        .kv_heads = a->n_kv_heads,
        .dim = desc->dim,
        .layers = 1,
        .peak_gflops = bench_peak_of(machine, desc->precision),
        .window = desc->window,
        .causal = desc->causal,
        .isa = attn_ctx_isa_name(b->ctx),
        .precision = bench_precision_name(desc->precision),
        .threads = attn_ctx_threads(b->ctx),
        .traffic_bytes = moved * sizeof(float),
        .bytes = moved * sizeof(float) + (double)attn_scratch_bytes(b->ctx, a, &b->lean),
    };
    double budget = desc->seconds > 0 ? desc->seconds : DEFAULT_SECONDS;
    if (!time_forward(b, budget, result, err) || !time_tile(b, result, err) ||
        !time_lines(b, result, err) || !measure_error(b, result, err)) {
        return false;
    }
    if (!naive_measure(a, desc, b->lean.o, 4.0 * (double)b->pairs * a->head_dim, result, err)) {
        return false;
    }
    result->percent_of_peak =
        result->peak_gflops > 0 ? result->gflops / result->peak_gflops * 100 : 0;
    result->gbs = result->traffic_bytes / result->ms / 1e6;
    return true;
}

bool bench_attention(const BenchMachine *machine, const BenchAttentionDesc *desc,
                     BenchResult *result, Error *err)
{
    if (desc->queries < 0 || desc->queries > desc->n) {
        return error_set(err, ERR_RANGE, "bench: %d queries are asked for among %d tokens",
                         desc->queries, desc->n);
    }
    Bench b = {.args = args_of(desc), .cancel = desc->cancel};
    bool ok = run(&b, machine, desc, result, err);
    mem_free(b.memory);
    attn_ctx_destroy(&b.ctx);
    attn_ctx_destroy(&b.ctx_one);
    return ok;
}
