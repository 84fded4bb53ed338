/* Weights of any queries at any keys: what repeated tokens need, far apart in a long text. */
#include "trace/internal.h"

#include <math.h>
#include <string.h>

typedef struct Gathered {
    const DistanceBias *bias;
    const float *given; /* [N, M] of the head: weights that were imported; NULL = none */
    size_t given_ld;
    int32_t head;
    const int32_t *queries, *keys;
} Gathered;

/* AttnBias.fill: rows and columns count in the lists. */
static void fill_bias(void *payload, int32_t head, int32_t row0, int32_t n_rows, int32_t col0,
                      int32_t n_cols, float *bias, ptrdiff_t ld)
{
    const Gathered *g = payload;
    const float *values = g->bias->values + (size_t)g->head * g->bias->n;
    (void)head;
    for (int32_t r = 0; r < n_rows; r++) {
        for (int32_t c = 0; c < n_cols; c++) {
            bias[r * ld + c] = values[g->keys[col0 + c] - g->queries[row0 + r] + g->bias->zero];
        }
    }
}

/* The same of imported weights: their logarithm is the whole score. */
static void fill_given(void *payload, int32_t head, int32_t row0, int32_t n_rows, int32_t col0,
                       int32_t n_cols, float *bias, ptrdiff_t ld)
{
    const Gathered *g = payload;
    (void)head;
    for (int32_t r = 0; r < n_rows; r++) {
        const float *row = g->given + (size_t)g->queries[row0 + r] * g->given_ld;
        for (int32_t c = 0; c < n_cols; c++) {
            bias[r * ld + c] = logf(row[g->keys[col0 + c]]);
        }
    }
}

static bool check_list(const char *name, const int32_t *list, int32_t n, int32_t end, Error *err)
{
    for (int32_t i = 0; i < n; i++) {
        if (!trace_check_span(name, list[i], list[i] + 1, end, err)) {
            return false;
        }
    }
    return true;
}

static bool copy_rows(const Trace *trace, int32_t layer, int32_t head, bool keys,
                      const int32_t *list, int32_t n, float *out, Error *err)
{
    bool ok = true;
    size_t dim = (size_t)trace->info.head_dim;
    if (trace->info.weights_only) {
        memset(out, 0, (size_t)n * dim * sizeof *out);
        return true;
    }
    for (int32_t i = 0; ok && i < n; i++) {
        float *to = out + (size_t)i * dim;
        ok = keys ? trace_k(trace, layer, head, list[i], list[i] + 1, to, err)
                  : trace_q(trace, layer, head, list[i], list[i] + 1, to, err);
    }
    return ok;
}

bool trace_gather(const Trace *trace, int32_t layer, int32_t head, const int32_t *queries,
                  int32_t n_queries, const int32_t *keys, int32_t n_keys, float *out, Error *err)
{
    if (!trace_check_head(trace, layer, head, err) ||
        !check_list("row", queries, n_queries, trace->info.n_queries, err) ||
        !check_list("key", keys, n_keys, trace->info.n_keys, err)) {
        return false;
    }
    if (n_queries < 1 || n_keys < 1) {
        return true;
    }
    const LayerData *data = &trace->layers[layer];
    size_t dim = (size_t)trace->info.head_dim;
    size_t n_q = (size_t)n_queries;
    size_t n = (n_q + (size_t)n_keys) * dim + 2 * n_q;
    float *held = mem_alloc(n * sizeof *held, err);
    if (!held) {
        return false;
    }
    float *q = held;
    float *k = q + n_q * dim;
    float *row_max = k + (size_t)n_keys * dim;
    float *row_log_sum = row_max + n_q;
    for (size_t i = 0; i < n_q; i++) {
        size_t at = (size_t)head * (size_t)trace->info.n_queries + (size_t)queries[i];
        row_max[i] = data->row_max[at];
        row_log_sum[i] = data->row_log_sum[at];
    }
    size_t m = (size_t)trace->info.n_keys;
    const float *given =
        data->given ? data->given + (size_t)head * (size_t)trace->info.n_queries * m : NULL;
    Gathered gathered = {&trace->bias, given, m, head, queries, keys};
    AttnArgs args = {.q = q,
                     .k = k,
                     .n_queries = n_queries,
                     .n_keys = n_keys,
                     .n_heads = 1,
                     .n_kv_heads = 1,
                     .head_dim = trace->info.head_dim,
                     .scale = data->facts.scale,
                     .soft_cap = data->facts.soft_cap};
    if (data->facts.has_bias) {
        args.bias = (AttnBias){fill_bias, &gathered};
    }
    if (given) {
        args.bias = (AttnBias){fill_given, &gathered};
    }
    AttnTileDesc tile = {.kind = ATTN_TILE_WEIGHTS,
                         .row1 = n_queries,
                         .col1 = n_keys,
                         .row_max = row_max,
                         .row_log_sum = row_log_sum};
    bool ok = copy_rows(trace, layer, head, false, queries, n_queries, q, err) &&
              copy_rows(trace, layer, head, true, keys, n_keys, k, err) &&
              trace_attn_ok(attn_tile(trace->ctx, &args, &tile, out, n_keys), "cells", err);
    for (int32_t r = 0; ok && r < n_queries; r++) {
        for (int32_t c = 0; c < n_keys; c++) {
            if (!attn_mask_visible(&data->mask, trace->info.n_keys, queries[r], keys[c])) {
                out[(size_t)r * (size_t)n_keys + (size_t)c] = 0;
            }
        }
    }
    mem_free(held);
    return ok;
}
