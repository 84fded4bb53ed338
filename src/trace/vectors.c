/* Vectors of the record: q, k, v, outputs, log-sum-exps, hidden states. */
#include "base/half.h"
#include "model/forward.h"
#include "trace/internal.h"

#include <string.h>

static void copy_out(const Trace *trace, const void *held, size_t first, size_t n, float *out)
{
    if (trace->info.params.dtype == TRACE_F32) {
        memcpy(out, (const float *)held + first, n * sizeof(float));
        return;
    }
    const uint16_t *halves = (const uint16_t *)held + first;
    for (size_t i = 0; i < n; i++) {
        out[i] = half_to_float(halves[i]);
    }
}

static bool check_operands(const Trace *trace, Error *err)
{
    return !trace->info.weights_only ||
           error_set(err, ERR_RANGE,
                     "%s holds weights only: there are no queries and keys to be had",
                     trace->info.model_name);
}

bool trace_q(const Trace *trace, int32_t layer, int32_t head, int32_t row0, int32_t row1,
             float *out, Error *err)
{
    const TraceInfo *info = &trace->info;
    if (!trace_check_head(trace, layer, head, err) || !check_operands(trace, err) ||
        !trace_check_span("row", row0, row1, info->n_queries, err)) {
        return false;
    }
    size_t dim = (size_t)info->head_dim;
    copy_out(trace, trace->layers[layer].q,
             ((size_t)head * (size_t)info->n_queries + (size_t)row0) * dim,
             (size_t)(row1 - row0) * dim, out);
    return true;
}

static bool copy_group(const Trace *trace, const void *held, int32_t head, int32_t row0,
                       int32_t row1, float *out, Error *err)
{
    const TraceInfo *info = &trace->info;
    if (!trace_check_span("row", row0, row1, info->n_keys, err)) {
        return false;
    }
    size_t dim = (size_t)info->head_dim;
    size_t group = (size_t)(head / (info->n_heads / info->n_kv_heads));
    copy_out(trace, held, (group * (size_t)info->n_keys + (size_t)row0) * dim,
             (size_t)(row1 - row0) * dim, out);
    return true;
}

bool trace_k(const Trace *trace, int32_t layer, int32_t head, int32_t row0, int32_t row1,
             float *out, Error *err)
{
    return trace_check_head(trace, layer, head, err) && check_operands(trace, err) &&
           copy_group(trace, trace->layers[layer].k, head, row0, row1, out, err);
}

static bool check_values(const Trace *trace, Error *err)
{
    return trace->info.has_values ? true
                                  : error_set(err, ERR_RANGE,
                                              "this trace holds no values (v): --store qkv and all "
                                              "record them");
}

bool trace_v(const Trace *trace, int32_t layer, int32_t head, int32_t row0, int32_t row1,
             float *out, Error *err)
{
    return trace_check_head(trace, layer, head, err) && check_values(trace, err) &&
           copy_group(trace, trace->layers[layer].v, head, row0, row1, out, err);
}

bool trace_output(const Trace *trace, int32_t layer, int32_t head, int32_t row0, int32_t row1,
                  float *out, Error *err)
{
    const TraceInfo *info = &trace->info;
    if (!trace_check_head(trace, layer, head, err) || !check_values(trace, err) ||
        !trace_check_span("row", row0, row1, info->n_queries, err)) {
        return false;
    }
    size_t rows = (size_t)(row1 - row0);
    if (trace->ablated[trace_head_index(trace, layer, head)]) {
        memset(out, 0, rows * (size_t)info->head_dim * sizeof(float));
        return true;
    }
    TraceOperandPart part;
    float *row_sums = mem_alloc(2 * rows * sizeof(float), err);
    bool ok = row_sums &&
              trace_part_open(trace, layer, head, row0, row1, 0, info->n_keys, true, &part, err);
    if (ok) {
        AttnOutputs outputs = {.o = out, .row_max = row_sums, .row_log_sum = row_sums + rows};
        ok = trace_attn_ok(attn_forward(trace->ctx, &part.args, &outputs, NULL), "output", err);
        trace_part_close(&part);
    }
    mem_free(row_sums);
    return ok;
}

bool trace_lse(const Trace *trace, int32_t layer, int32_t head, int32_t row0, int32_t row1,
               float *out, Error *err)
{
    TraceRows rows;
    if (!trace_check_head(trace, layer, head, err) ||
        !trace_check_span("row", row0, row1, trace->info.n_queries, err) ||
        !trace_rows(trace, layer, head, &rows)) {
        return false;
    }
    for (int32_t i = row0; i < row1; i++) {
        *out++ = rows.row_max[i] + rows.row_log_sum[i];
    }
    return true;
}

bool trace_hidden(const Trace *trace, int32_t state, int32_t row0, int32_t row1, float *out,
                  Error *err)
{
    const TraceInfo *info = &trace->info;
    if (!info->has_hidden) {
        return error_set(err, ERR_RANGE,
                         "this trace holds no hidden states: --store all records them");
    }
    if (state < 0 || state > info->n_layers) {
        return error_set(err, ERR_RANGE, "hidden state %d: %s has states 0 (embeddings) to %d",
                         state, info->model_name, info->n_layers);
    }
    if (state >= trace_states_done(trace)) {
        return error_set(err, ERR_RANGE, "hidden state %d is not computed yet", state);
    }
    if (!trace_check_span("row", row0, row1, info->n_queries, err)) {
        return false;
    }
    size_t width = (size_t)info->model_dim;
    memcpy(out, trace->hidden[state] + (size_t)row0 * width,
           (size_t)(row1 - row0) * width * sizeof(float));
    return true;
}

bool trace_logits(const Trace *trace, const Model *model, int32_t row0, int32_t row1, float *out,
                  Error *err)
{
    const TraceInfo *info = &trace->info;
    const ModelInfo *other = model_info(model);
    if (other->width != info->model_dim || other->vocabulary != info->n_vocab) {
        return error_set(err, ERR_RANGE, "%s is not the model of this trace (%s)", other->name,
                         info->model_name);
    }
    if (!other->has_logits) {
        return error_set(err, ERR_UNSUPPORTED, "%s has no prediction head, so no logits",
                         other->name);
    }
    if (!info->has_hidden) {
        return error_set(err, ERR_RANGE,
                         "logits need the hidden states, which this trace does not "
                         "hold: it was made without --store all");
    }
    if (info->stack == TRACE_STACK_ENCODER) {
        return error_set(err, ERR_UNSUPPORTED,
                         "the encoder of %s predicts nothing: logits are of --stack decoder or "
                         "cross",
                         other->name);
    }
    if (trace_states_done(trace) <= info->n_layers) {
        return error_set(err, ERR_RANGE, "the run has not come to its end yet");
    }
    if (!trace_check_span("row", row0, row1, info->n_queries, err)) {
        return false;
    }
    for (int32_t row = row0; row < row1; row += LOGITS_BLOCK_ROWS) {
        int32_t n = AS_MIN(LOGITS_BLOCK_ROWS, row1 - row);
        const float *final = trace->hidden[info->n_layers] + (size_t)row * (size_t)info->model_dim;
        if (!logits_from_final(model, final, n, out + (size_t)(row - row0) * (size_t)info->n_vocab,
                               attn_ctx_threads(trace->ctx), err)) {
            return false;
        }
    }
    return true;
}
