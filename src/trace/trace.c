/* Owning a trace, and what can be read without computing. */
#include "trace/trace.h"

#include "base/str.h"
#include "formats/tensor_file.h"
#include "model/model.h"
#include "trace/internal.h"

#include <math.h>
#include <string.h>

/* ---- stacks -----------------------------------------------------------------------------------
 */

static const char *const stack_names[TRACE_STACK_COUNT] = {
#define TRACE_STACK_NAME(id, name) [TRACE_STACK_##id] = name,
    TRACE_STACKS(TRACE_STACK_NAME)
#undef TRACE_STACK_NAME
};

const char *trace_stack_name(TraceStack stack)
{
    return (size_t)stack < TRACE_STACK_COUNT ? stack_names[stack] : "?";
}

bool trace_stack_find(const char *name, TraceStack *stack)
{
    for (size_t i = 0; i < TRACE_STACK_COUNT; i++) {
        if (strcmp(stack_names[i], name) == 0) {
            *stack = (TraceStack)i;
            return true;
        }
    }
    return false;
}

/* ---- owners ---------------------------------------------------------------------------------- */

Trace *trace_new(Error *err)
{
    Trace *trace = mem_alloc_zeroed(1, sizeof *trace, err);
    if (trace) {
        atomic_store(&trace->owners, 1);
        trace->queries.source = trace->keys.source = "";
    }
    return trace;
}

Trace *trace_retain(Trace *trace)
{
    if (trace) {
        atomic_fetch_add(&trace->owners, 1);
    }
    return trace;
}

void trace_close(Trace *trace)
{
    if (!trace || atomic_fetch_sub(&trace->owners, 1) > 1) {
        return;
    }
    attn_ctx_destroy(&trace->ctx);
    if (trace->spill.data) {
        spill_close(&trace->spill);
    } else {
        mem_free(trace->record);
    }
    tensor_file_close(&trace->file);
    npz_close(&trace->npz);
    npy_close(&trace->npy);
    trace_close(trace->states);
    arena_destroy(&trace->arena);
    mem_free(trace);
}

static ErrorCode attn_error_code(AttnStatus status)
{
    return status == ATTN_CANCELLED ? ERR_CANCELLED
           : status == ATTN_MEMORY  ? ERR_MEMORY
           : status == ATTN_ISA     ? ERR_UNSUPPORTED
                                    : ERR_RANGE;
}

bool trace_attn_ok(AttnStatus status, const char *what, Error *err)
{
    return status == ATTN_OK ||
           error_set(err, attn_error_code(status), "%s: %s", what, attn_status_text(status));
}

bool trace_ctx_create(int32_t threads, AttnCtx **ctx, Error *err)
{
    char message[256] = "";
    AttnCtxDesc desc = {.n_threads = threads};
    AttnStatus status = attn_ctx_create(&desc, ctx, message, sizeof message);
    return status == ATTN_OK || error_set(err, attn_error_code(status), "%s",
                                          message[0] ? message : attn_status_text(status));
}

bool trace_make_ctx(Trace *trace, int32_t threads, Error *err)
{
    return trace_ctx_create(threads, &trace->ctx, err);
}

bool trace_set_threads(Trace *trace, int32_t threads, Error *err)
{
    attn_ctx_destroy(&trace->ctx);
    return trace_make_ctx(trace, threads, err);
}

/* ---- tokens and parameters ------------------------------------------------------------------- */

bool trace_copy_text(Arena *arena, const TraceText *from, TraceText *to, Error *err)
{
    size_t n_source = from->source ? from->n_source : 0;
    TraceToken *tokens = ARENA_ARRAY(arena, TraceToken, from->n, err);
    char *source = arena_strndup(arena, from->source ? from->source : "", n_source, err);
    if (!tokens || !source) {
        return false;
    }
    for (size_t i = 0; i < from->n; i++) {
        tokens[i] = from->tokens[i];
        tokens[i].text = arena_strdup(arena, tokens[i].text ? tokens[i].text : "", err);
        if (!tokens[i].text) {
            return false;
        }
    }
    *to = (TraceText){tokens, from->n, source, n_source};
    return true;
}

bool trace_set_ablated(Trace *trace, const TraceHead *heads, size_t n, Error *err)
{
    TraceInfo *info = &trace->info;
    TraceStack of = info->params.ablate_stack;
    bool own = of == info->stack || (of == TRACE_STACK_SELF && info->stack == TRACE_STACK_CROSS);
    trace->ablated =
        ARENA_ARRAY(&trace->arena, bool, (size_t)info->n_layers *(size_t)info->n_heads, err);
    TraceHead *copy = ARENA_ARRAY(&trace->arena, TraceHead, n, err);
    if (!trace->ablated || !copy) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        copy[i] = heads[i];
        if (!own) {
            continue;
        }
        if (heads[i].layer < 0 || heads[i].layer >= info->n_layers || heads[i].head < 0 ||
            heads[i].head >= info->n_heads) {
            return error_set(err, ERR_RANGE,
                             "ablation of layer %d head %d: the model has layers 0 to %d with "
                             "heads 0 to %d",
                             heads[i].layer, heads[i].head, info->n_layers - 1, info->n_heads - 1);
        }
        trace->ablated[trace_head_index(trace, heads[i].layer, heads[i].head)] = true;
    }
    info->params.ablate = copy;
    info->params.n_ablate = n;
    return true;
}

/* ---- reading --------------------------------------------------------------------------------- */

const TraceInfo *trace_info(const Trace *trace)
{
    return &trace->info;
}

int32_t trace_layers_done(const Trace *trace)
{
    return atomic_load_explicit(&trace->layers_done, memory_order_acquire);
}

int32_t trace_states_done(const Trace *trace)
{
    const Trace *of = trace->states ? trace->states : trace;
    return atomic_load_explicit(&of->states_done, memory_order_acquire);
}

static const LayerData *done_layer(const Trace *trace, int32_t layer)
{
    return layer >= 0 && layer < trace_layers_done(trace) ? &trace->layers[layer] : NULL;
}

const TraceLayer *trace_layer(const Trace *trace, int32_t layer)
{
    const LayerData *data = done_layer(trace, layer);
    return data ? &data->facts : NULL;
}

const TraceToken *trace_tokens(const Trace *trace)
{
    return trace->queries.tokens;
}

const TraceToken *trace_key_tokens(const Trace *trace, int32_t *n)
{
    if (n) {
        *n = trace->info.n_keys;
    }
    return trace->keys.tokens;
}

bool trace_is_cross(const Trace *trace)
{
    return trace->info.stack == TRACE_STACK_CROSS;
}

static const char *source_of(const TraceText *text, size_t *n_bytes)
{
    if (n_bytes) {
        *n_bytes = text->n_source;
    }
    return text->source;
}

const char *trace_source(const Trace *trace, size_t *n_bytes)
{
    return source_of(&trace->queries, n_bytes);
}

const char *trace_key_source(const Trace *trace, size_t *n_bytes)
{
    return source_of(&trace->keys, n_bytes);
}

bool trace_check_head(const Trace *trace, int32_t layer, int32_t head, Error *err)
{
    const TraceInfo *info = &trace->info;
    int32_t done = trace_layers_done(trace);
    if (layer < 0 || layer >= info->n_layers) {
        return error_set(err, ERR_RANGE, "layer %d: %s has layers 0 to %d", layer, info->model_name,
                         info->n_layers - 1);
    }
    if (head < 0 || head >= info->n_heads) {
        return error_set(err, ERR_RANGE, "head %d: %s has heads 0 to %d", head, info->model_name,
                         info->n_heads - 1);
    }
    return layer < done ? true : error_set(err, ERR_RANGE, "layer %d is not computed yet", layer);
}

bool trace_check_span(const char *name, int32_t first, int32_t end, int32_t n, Error *err)
{
    if (first < 0 || first >= end || end > n) {
        return error_set(err, ERR_RANGE, "%ss %d:%d: there are %d, counted from 0", name, first,
                         end, n);
    }
    return true;
}

void trace_visible_keys(const Trace *trace, int32_t layer, int32_t query, int32_t *first,
                        int32_t *end)
{
    const LayerData *data = done_layer(trace, layer);
    *first = *end = 0;
    if (data && query >= 0 && query < trace->info.n_queries) {
        attn_mask_row_range(&data->mask, trace->info.n_keys, query, first, end);
    }
}

bool trace_rows(const Trace *trace, int32_t layer, int32_t head, TraceRows *rows)
{
    const LayerData *data = done_layer(trace, layer);
    if (!data || head < 0 || head >= trace->info.n_heads) {
        *rows = (TraceRows){0};
        return false;
    }
    size_t at = (size_t)head * (size_t)trace->info.n_queries;
    *rows = (TraceRows){
        .entropy = data->entropy + at,
        .distance = data->distance + at,
        .max_weight = data->max_weight + at,
        .max_key = data->max_key + at,
        .first = data->first + at,
        .self = data->self + at,
        .previous = data->previous + at,
        .row_max = data->row_max + at,
        .row_log_sum = data->row_log_sum + at,
    };
    return true;
}

bool trace_is_ablated(const Trace *trace, int32_t layer, int32_t head)
{
    const TraceInfo *info = &trace->info;
    return layer >= 0 && layer < info->n_layers && head >= 0 && head < info->n_heads &&
           trace->ablated[trace_head_index(trace, layer, head)];
}

const float *trace_received(const Trace *trace, int32_t layer, int32_t head)
{
    const LayerData *data = done_layer(trace, layer);
    if (!data || head < 0 || head >= trace->info.n_heads) {
        return NULL;
    }
    return data->received + (size_t)head * (size_t)trace->info.n_keys;
}

bool trace_summary(const Trace *trace, int32_t layer, int32_t head, TraceReduce reduce, float *out,
                   Error *err)
{
    if (!trace_check_head(trace, layer, head, err)) {
        return false;
    }
    const LayerData *data = &trace->layers[layer];
    const AttnSummaryShape *shape = &data->shape;
    const float *texels = (reduce == TRACE_REDUCE_MAX ? data->summary_max : data->summary_mean) +
                          (size_t)head * (size_t)shape->n_texels;
    for (int32_t r = 0; r < shape->n_rows; r++) {
        for (int32_t c = 0; c < shape->n_cols; c++) {
            int64_t at = attn_summary_index(shape, r, c);
            *out++ = at < 0 ? 0.0f : texels[at];
        }
    }
    return true;
}
