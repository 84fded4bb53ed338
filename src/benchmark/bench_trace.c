#include "benchmark/internal.h"

#include <math.h>

#include "base/arena.h"
#include "base/clock.h"

enum { MIN_REPEATS = 3, MAX_REPEATS = 50, SAMPLED_ROWS = 3 };
static const double DEFAULT_SECONDS = 1.0;

/* One layer at a time. */
typedef struct LayerBench {
    const Trace *trace;
    const TraceInfo *info;
    AttnCtx *ctx, *ctx_one; /* all threads; one for the rows that are checked */
    AttnArgs args;
    AttnOutputs lean, full;
    float *memory; /* every array below and above */
    float *q, *k, *v, *row;
    double *weights, *scores;
    const atomic_bool *cancel;
    int32_t layer; /* the one that is loaded */
} LayerBench;

static bool allocate(LayerBench *b, int32_t n, Error *err)
{
    const TraceInfo *info = b->info;
    size_t N = (size_t)n, H = (size_t)info->n_heads, G = (size_t)info->n_kv_heads;
    size_t D = (size_t)info->head_dim, rows = H * N;
    AttnArgs widest = {.n_queries = n, .n_keys = n, .n_heads = info->n_heads};
    size_t texels = H * (size_t)attn_summary_shape(&widest, 0).n_texels;
    size_t floats = 2 * H * N * D + 2 * G * N * D + 9 * rows + 2 * texels + 5 * N;
    b->memory = mem_alloc(floats * sizeof(float), err);
    if (!b->memory) {
        return false;
    }
    float *next = b->memory;
    b->weights = (double *)(void *)next, next += 2 * N;
    b->scores = (double *)(void *)next, next += 2 * N;
    b->q = next, next += H * N * D;
    b->k = next, next += G * N * D;
    b->v = next, next += G * N * D;
    next = bench_lay_outputs(next, H * N * D, rows, texels, &b->lean, &b->full);
    b->row = next;
    return true;
}

/* AttnBias.fill: the terms by distance that the run had. */
static void fill_bias(void *payload, int32_t head, int32_t row0, int32_t n_rows, int32_t col0,
                      int32_t n_cols, float *bias, ptrdiff_t ld)
{
    const LayerBench *b = payload;
    TraceOperands own;
    const bool known = trace_operands(b->trace, b->layer, head, &own);
    AS_ASSERT(known && own.bias);
    for (int32_t r = 0; r < n_rows; r++, bias += ld) {
        for (int32_t c = 0; c < n_cols; c++) {
            bias[c] = own.bias[col0 + c - (row0 + r) + own.bias_zero];
        }
    }
}

static bool load_layer(LayerBench *b, int32_t layer, int32_t n, AttnPrecision precision, Error *err)
{
    const TraceInfo *info = b->info;
    ptrdiff_t head = (ptrdiff_t)n * info->head_dim;
    int32_t group = info->n_heads / info->n_kv_heads;
    for (int32_t h = 0; h < info->n_heads; h++) {
        if (!trace_q(b->trace, layer, h, 0, n, b->q + h * head, err) ||
            (h % group == 0 &&
             (!trace_k(b->trace, layer, h, 0, n, b->k + h / group * head, err) ||
              !trace_v(b->trace, layer, h, 0, n, b->v + h / group * head, err)))) {
            return false;
        }
    }
    const TraceLayer *facts = trace_layer(b->trace, layer);
    b->args = (AttnArgs){.q = b->q,
                         .k = b->k,
                         .v = b->v,
                         .n_queries = n,
                         .n_keys = n,
                         .n_heads = info->n_heads,
                         .n_kv_heads = info->n_kv_heads,
                         .head_dim = info->head_dim,
                         .v_dim = info->head_dim,
                         .scale = facts->scale,
                         .soft_cap = facts->soft_cap,
                         .precision = precision};
    b->layer = layer;
    if (facts->has_bias) {
        b->args.bias = (AttnBias){fill_bias, b};
    }
    if (facts->causal) {
        b->args.mask.kind |= ATTN_MASK_CAUSAL;
    }
    if (facts->window > 0) {
        b->args.mask.kind |= facts->causal ? ATTN_MASK_WINDOW : ATTN_MASK_WINDOW_SYMMETRIC;
        b->args.mask.window = facts->window;
    }
    return true;
}

static bool time_once(const LayerBench *b, const AttnOutputs *out, double *seconds, double *idle,
                      Error *err)
{
    double busy_s = 0;
    AttnProgress progress = {.cancel = b->cancel, .busy_s = &busy_s};
    double start = clock_now_s();
    AttnStatus status = attn_forward(b->ctx, &b->args, out, &progress);
    *seconds = clock_now_s() - start;
    *idle = bench_idle(busy_s, *seconds, attn_ctx_threads(b->ctx));
    return bench_status(status, NULL, err);
}

/* Adds the medians and bests of one layer to the result. */
static bool time_layer(const LayerBench *b, double budget, BenchResult *result, Error *err)
{
    double lean[MAX_REPEATS], full[MAX_REPEATS], idle[MAX_REPEATS], median, least, idle_median,
        unused;
    if (!time_once(b, &b->full, &full[0], &unused, err) ||
        !time_once(b, &b->lean, &lean[0], &unused, err)) {
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
    bench_summarise(lean, n, &median, &least);
    bench_summarise(idle, n, &idle_median, &unused);
    result->idle_percent += idle_median * 100 * median * 1e3; /* by time, until all are known */
    result->ms += median * 1e3;
    result->ms_min += least * 1e3;
    bench_summarise(full, n, &median, &least);
    result->full_ms += median * 1e3;
    result->full_ms_min += least * 1e3;
    result->repeats = result->repeats && result->repeats < n ? result->repeats : n;
    return true;
}

/* One head a layer, another one each time; first, middle and last row. */
static bool check_layer(const LayerBench *b, int32_t layer, BenchResult *result, Error *err)
{
    const AttnArgs *a = &b->args;
    int32_t head = layer % a->n_heads, kv_head = head / (a->n_heads / a->n_kv_heads);
    for (int s = 0; s < SAMPLED_ROWS; s++) {
        int32_t row = (int32_t)((int64_t)(a->n_queries - 1) * s / (SAMPLED_ROWS - 1));
        AttnStatus status = attn_reference_row(a, head, row, b->weights, b->scores);
        if (status == ATTN_OK) {
            status = attn_tile_row(b->ctx_one, a, ATTN_TILE_WEIGHTS, head, row, b->lean.row_max,
                                   b->lean.row_log_sum, b->row);
        }
        if (!bench_status(status, NULL, err)) {
            return false;
        }
        size_t at = (size_t)head * (size_t)a->n_queries + (size_t)row;
        result->error_lse = bench_worse(
            bench_lse_error(b->scores, a->n_keys, b->lean.row_max[at], b->lean.row_log_sum[at]),
            result->error_lse);
        TraceOperands own;
        const bool same = a->precision == ATTN_PRECISION_EXACT &&
                          a->n_queries == b->info->n_queries &&
                          trace_operands(b->trace, layer, head, &own) && !own.halves;
        if (same) { /* what is timed is what the run computed */
            result->error_lse =
                bench_worse(fabs((double)own.row_max[row] + (double)own.row_log_sum[row] -
                                 (double)b->lean.row_max[at] - (double)b->lean.row_log_sum[at]),
                            result->error_lse);
        }
        for (int32_t j = 0; j < a->n_keys; j++) {
            double apart = fabs((double)b->row[j] - b->weights[j]);
            result->error_weights = fmax(result->error_weights, isnan(apart) ? INFINITY : apart);
        }
        const float *v = a->v + (ptrdiff_t)kv_head * a->n_keys * a->v_dim;
        const float *o = b->lean.o + ((ptrdiff_t)head * a->n_queries + row) * a->v_dim;
        for (int32_t e = 0; e < a->v_dim; e++) {
            double sum = 0;
            for (int32_t j = 0; j < a->n_keys; j++) {
                sum += b->weights[j] * (double)v[(ptrdiff_t)j * a->v_dim + e];
            }
            double apart = fabs((double)o[e] - sum);
            result->error_o = fmax(result->error_o, isnan(apart) ? INFINITY : apart);
        }
    }
    return true;
}

static bool run(LayerBench *b, const BenchMachine *machine, const BenchAttentionDesc *desc,
                BenchResult *result, Error *err)
{
    const TraceInfo *info = b->info;
    int32_t n = desc->n > 0 ? desc->n : info->n_queries;
    char message[256] = "";
    AttnCtxDesc all = {.n_threads = desc->n_threads, .isa = desc->isa};
    AttnCtxDesc one = {.n_threads = 1, .isa = desc->isa};
    AttnStatus status = attn_ctx_create(&all, &b->ctx, message, sizeof message);
    if (status == ATTN_OK) {
        status = attn_ctx_create(&one, &b->ctx_one, message, sizeof message);
    }
    if (!bench_status(status, message, err) || !bench_has_precision(b->ctx, desc->precision, err) ||
        !allocate(b, n, err)) {
        return false;
    }
    double moved = 2.0 * ((double)info->n_heads + info->n_kv_heads) * n * info->head_dim +
                   2.0 * info->n_heads * n;
    *result = (BenchResult){
        .n = n,
        .queries = n,
        .heads = info->n_heads,
        .kv_heads = info->n_kv_heads,
        .dim = info->head_dim,
        .model = info->model_name,
        .layers = info->n_layers,
        .isa = attn_ctx_isa_name(b->ctx),
        .precision = bench_precision_name(desc->precision),
        .threads = attn_ctx_threads(b->ctx),
        .peak_gflops = bench_peak_of(machine, desc->precision),
        .traffic_bytes = moved * info->n_layers * sizeof(float),
    };
    double budget = (desc->seconds > 0 ? desc->seconds : DEFAULT_SECONDS) / info->n_layers;
    double flops = 0;
    for (int32_t layer = 0; layer < info->n_layers; layer++) {
        if (!load_layer(b, layer, n, desc->precision, err) || !time_layer(b, budget, result, err) ||
            !check_layer(b, layer, result, err)) {
            return false;
        }
        flops += 4.0 * info->head_dim * info->n_heads *
                 (double)attn_mask_visible_pairs(&b->args.mask, n, n);
        result->causal = trace_layer(b->trace, layer)->causal;
        double scratch = (double)attn_scratch_bytes(b->ctx, &b->args, &b->lean);
        result->bytes = fmax(result->bytes, moved * sizeof(float) + scratch);
    }
    result->idle_percent /= result->ms;
    result->gflops = flops / result->ms / 1e6;
    result->gflops_best = flops / result->ms_min / 1e6;
    result->full_percent = (result->full_ms / result->ms - 1) * 100;
    result->percent_of_peak =
        result->peak_gflops > 0 ? result->gflops / result->peak_gflops * 100 : 0;
    result->gbs = result->traffic_bytes / result->ms / 1e6;
    return true;
}

bool bench_trace(const BenchMachine *machine, const Trace *trace, const BenchAttentionDesc *desc,
                 BenchResult *result, Error *err)
{
    const TraceInfo *info = trace_info(trace);
    if (trace_is_cross(trace)) {
        return error_set(err, ERR_UNSUPPORTED,
                         "bench measures self-attention: take --stack encoder or decoder of %s",
                         info->model_name);
    }
    if (trace_layers_done(trace) < info->n_layers || !info->has_values) {
        return error_set(err, ERR_RANGE, "bench: the trace of %s %s; run it again with --store qkv",
                         info->model_name,
                         info->has_values ? "is not complete" : "holds no values");
    }
    if (desc->n < 0 || desc->n > info->n_queries || info->n_queries != info->n_keys) {
        return error_set(err, ERR_RANGE,
                         "bench: %d tokens are asked for and the text has %d; give a longer one "
                         "with --file",
                         desc->n, info->n_queries);
    }
    LayerBench b = {.trace = trace, .info = info, .cancel = desc->cancel};
    bool ok = run(&b, machine, desc, result, err);
    mem_free(b.memory);
    attn_ctx_destroy(&b.ctx);
    attn_ctx_destroy(&b.ctx_one);
    return ok;
}
