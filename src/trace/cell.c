/* One row and one cell: what an inspector shows. */
#include "trace/internal.h"

#include <math.h>

/* Row `query` of the weights in memory of its own, NULL on failure. */
static float *row_of(const Trace *trace, int32_t layer, int32_t head, int32_t query, Error *err)
{
    float *row = mem_alloc((size_t)trace->info.n_keys * sizeof(float), err);
    if (row && !trace_row_profile(trace, layer, head, query, row, err)) {
        mem_free(row);
        return NULL;
    }
    return row;
}

/* q_i . k_j in double: what the inspector shows is not to differ in its last digit from what a
 * person adds up. */
static bool dot(const Trace *trace, int32_t layer, int32_t head, int32_t query, int32_t key,
                float *qk, Error *err)
{
    float q[ATTN_MAX_DIM];
    float k[ATTN_MAX_DIM];
    *qk = 0;
    if (trace->info.weights_only) {
        return true; /* the weight's logarithm is all there is */
    }
    if (!trace_q(trace, layer, head, query, query + 1, q, err) ||
        !trace_k(trace, layer, head, key, key + 1, k, err)) {
        return false;
    }
    double sum = 0;
    for (int32_t i = 0; i < trace->info.head_dim; i++) {
        sum += (double)q[i] * (double)k[i];
    }
    *qk = (float)sum;
    return true;
}

bool trace_cell(const Trace *trace, int32_t layer, int32_t head, int32_t query, int32_t key,
                TraceCell *cell, Error *err)
{
    TraceRows rows;
    if (!trace_check_head(trace, layer, head, err) ||
        !trace_check_span("row", query, query + 1, trace->info.n_queries, err) ||
        !trace_check_span("key", key, key + 1, trace->info.n_keys, err) ||
        !trace_rows(trace, layer, head, &rows)) {
        return false;
    }
    const LayerData *data = &trace->layers[layer];
    *cell = (TraceCell){
        .visible = attn_mask_visible(&data->mask, trace->info.n_keys, query, key),
        .scale = data->facts.scale,
        .lse = rows.row_max[query] + rows.row_log_sum[query],
        .rank = -1,
        .row = {.entropy = rows.entropy[query],
                .distance = rows.distance[query],
                .max_weight = rows.max_weight[query],
                .max_key = rows.max_key[query],
                .first = rows.first[query],
                .self = rows.self[query],
                .previous = rows.previous[query]},
    };
    const DistanceBias *bias = &trace->bias;
    cell->bias = !cell->visible ? -INFINITY
                 : data->facts.has_bias
                     ? bias->values[(size_t)head * bias->n + (size_t)(key - query + bias->zero)]
                     : 0;
    int32_t first;
    int32_t end;
    trace_visible_keys(trace, layer, query, &first, &end);
    cell->visible_keys = end - first;
    TraceRegion region = {layer, head, query, query + 1, key, key + 1};
    float *row = row_of(trace, layer, head, query, err);
    bool ok = row && dot(trace, layer, head, query, key, &cell->qk, err) &&
              trace_tile(trace, &region, TRACE_SCORES, &cell->score, 0, err);
    if (ok) {
        cell->weight = row[key];
        cell->bias = data->given && cell->visible ? cell->score : cell->bias;
    }
    if (ok && cell->visible) {
        cell->rank = 0;
        for (int32_t j = first; j < end; j++) {
            cell->rank += row[j] > row[key] || (row[j] == row[key] && j < key);
        }
    }
    mem_free(row);
    return ok;
}

/* Is a weaker than b? Of equal weights the later key is. */
static bool weaker(TraceTop a, TraceTop b)
{
    return a.weight < b.weight || (a.weight == b.weight && a.key > b.key);
}

/* Restores the heap property (weakest on top) below `at`. */
static void sink(TraceTop *heap, size_t n, size_t at)
{
    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && weaker(heap[child + 1], heap[child])) {
            child++;
        }
        if (!weaker(heap[child], heap[at])) {
            return;
        }
        TraceTop swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

bool trace_top_keys(const Trace *trace, int32_t layer, int32_t head, int32_t query, size_t k,
                    TraceTop *top, size_t *n, Error *err)
{
    *n = 0;
    float *row = row_of(trace, layer, head, query, err);
    if (!row) {
        return false;
    }
    int32_t first;
    int32_t end;
    trace_visible_keys(trace, layer, query, &first, &end);
    size_t held = 0;
    for (int32_t j = first; j < end && k; j++) {
        TraceTop item = {j, row[j]};
        if (held < k) {
            size_t at = held++;
            top[at] = item;
            for (; at > 0 && weaker(top[at], top[(at - 1) / 2]); at = (at - 1) / 2) {
                TraceTop swap = top[at];
                top[at] = top[(at - 1) / 2];
                top[(at - 1) / 2] = swap;
            }
        } else if (weaker(top[0], item)) {
            top[0] = item;
            sink(top, held, 0);
        }
    }
    mem_free(row);
    *n = held;
    for (size_t left = held; left > 1; left--) {
        TraceTop weakest = top[0];
        top[0] = top[left - 1];
        top[left - 1] = weakest;
        sink(top, left - 1, 0);
    }
    return true;
}
