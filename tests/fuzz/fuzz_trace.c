/* Saved traces and attention of other programs: what opens can be read from end to end. */
#include "fuzz.h"

#include "base/arena.h"
#include "trace/trace.h"

#include <stdlib.h>

static void read_head(const Trace *trace, int32_t layer, int32_t head, float *out)
{
    const TraceInfo *info = trace_info(trace);
    const int32_t last = info->n_queries - 1;
    const int32_t none = 0;
    Error err = {0};
    TraceCell cell;
    TraceRows rows;
    if (!trace_rows(trace, layer, head, &rows) ||
        !trace_row_profile(trace, layer, head, last, out, &err) ||
        !trace_cell(trace, layer, head, last, 0, &cell, &err) ||
        !trace_gather(trace, layer, head, &last, 1, &none, 1, out, &err) ||
        trace_q(trace, layer, head, last, last + 1, out, &err) == info->weights_only ||
        trace_k(trace, layer, head, info->n_keys - 1, info->n_keys, out, &err) ==
            info->weights_only ||
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

static char read_text(const TraceToken *tokens, int32_t n, const char *source)
{
    char sum = 0;
    for (int32_t i = 0; i < n; i++) {
        for (int64_t at = tokens[i].start; at >= 0 && at < tokens[i].end; at++) {
            sum = (char)(sum + source[at]);
        }
    }
    return sum;
}

static char read_picture(const Trace *trace)
{
    const TraceImage *image = trace_image(trace);
    char sum = 0;
    for (int32_t i = 0; image && i < trace_info(trace)->n_queries; i++) {
        int32_t x, y, w, h;
        if (trace_image_patch(trace, i, &x, &y, &w, &h)) {
            const size_t at = (size_t)(y + h - 1) * (size_t)image->width + (size_t)(x + w - 1);
            sum = (char)(sum + image->rgb[3 * at + 2]);
        }
    }
    return sum;
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
    volatile char sum = read_text(trace_tokens(trace), info->n_queries, trace_source(trace, NULL));
    sum = (char)(sum + read_text(trace_key_tokens(trace, NULL), info->n_keys,
                                 trace_key_source(trace, NULL)));
    sum = (char)(sum + read_picture(trace));
    mem_free(out);
    trace_close(trace);
    return 0;
}
