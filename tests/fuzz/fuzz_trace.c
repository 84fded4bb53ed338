/* Saved traces: what opens can be read from end to end. */
#include "fuzz.h"

#include "base/arena.h"
#include "trace/trace.h"

#include <stdlib.h>

static void read_head(const Trace *trace, int32_t layer, int32_t head, float *out)
{
    const TraceInfo *info = trace_info(trace);
    int32_t last = info->n_queries - 1;
    Error err = {0};
    TraceCell cell;
    TraceRows rows;
    if (!trace_rows(trace, layer, head, &rows) ||
        !trace_row_profile(trace, layer, head, last, out, &err) ||
        !trace_cell(trace, layer, head, last, 0, &cell, &err) ||
        !trace_q(trace, layer, head, last, last + 1, out, &err) ||
        !trace_k(trace, layer, head, last, last + 1, out, &err) ||
        (info->has_values && !trace_output(trace, layer, head, last, last + 1, out, &err)) ||
        rows.max_key[last] < -1 || rows.max_key[last] >= info->n_keys) {
        abort();
    }
    const TraceLayer *facts = trace_layer(trace, layer);
    float *texels =
        mem_alloc((size_t)facts->summary_rows * (size_t)facts->summary_cols * sizeof *texels, &err);
    if (texels && !trace_summary(trace, layer, head, TRACE_REDUCE_MEAN, texels, &err)) {
        abort();
    }
    mem_free(texels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    Error err = {0};
    Trace *trace = trace_open_memory("fuzz", data, n_bytes, &err);
    if (!trace) {
        return 0;
    }
    const TraceInfo *info = trace_info(trace);
    size_t width = (size_t)info->n_keys + (size_t)info->head_dim + (size_t)info->model_dim;
    float *out = mem_alloc(width * sizeof *out, &err);
    for (int32_t l = 0; l < info->n_layers && out; l++) {
        for (int32_t h = 0; h < info->n_heads; h++) {
            read_head(trace, l, h, out);
        }
    }
    if (out && info->has_hidden && !trace_hidden(trace, info->n_layers, 0, 1, out, &err)) {
        abort();
    }
    size_t n_source;
    const char *source = trace_source(trace, &n_source);
    volatile char sum = 0;
    for (int32_t i = 0; i < info->n_queries; i++) {
        const TraceToken *token = &trace_tokens(trace)[i];
        for (int64_t at = token->start; at >= 0 && at < token->end; at++) {
            sum = (char)(sum + source[at]);
        }
    }
    mem_free(out);
    trace_close(trace);
    return 0;
}
