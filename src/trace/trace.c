/* Making and freeing a trace, and what can be read without computing. */
#include "trace/trace.h"

#include "base/str.h"
#include "formats/tensor_file.h"
#include "model/model.h"
#include "trace/internal.h"

#include <math.h>
#include <string.h>

/* ---- owners ---------------------------------------------------------------------------------- */

Trace *trace_new(Error *err)
{
    Trace *trace = mem_alloc_zeroed(1, sizeof *trace, err);
    if (trace) {
        atomic_store(&trace->owners, 1);
        trace->source = "";
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

static bool make_ctx(int32_t threads, AttnCtx **ctx, Error *err)
{
    char message[256] = "";
    AttnCtxDesc desc = {.n_threads = threads};
    AttnStatus status = attn_ctx_create(&desc, ctx, message, sizeof message);
    return status == ATTN_OK || error_set(err, attn_error_code(status), "%s",
                                          message[0] ? message : attn_status_text(status));
}

bool trace_make_ctx(Trace *trace, int32_t threads, Error *err)
{
    return make_ctx(threads, &trace->ctx, err);
}

bool trace_set_threads(Trace *trace, int32_t threads, Error *err)
{
    attn_ctx_destroy(&trace->ctx);
    return trace_make_ctx(trace, threads, err);
}

/* ---- tokens and parameters ------------------------------------------------------------------- */

bool trace_copy_tokens(Trace *trace, const TraceToken *tokens, size_t n, const char *source,
                       size_t n_source, Error *err)
{
    trace->tokens = ARENA_ARRAY(&trace->arena, TraceToken, n, err);
    char *copy = arena_strndup(&trace->arena, source ? source : "", source ? n_source : 0, err);
    if (!trace->tokens || !copy) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        trace->tokens[i] = tokens[i];
        trace->tokens[i].text =
            arena_strdup(&trace->arena, tokens[i].text ? tokens[i].text : "", err);
        if (!trace->tokens[i].text) {
            return false;
        }
    }
    trace->source = copy;
    trace->n_source = source ? n_source : 0;
    return true;
}

bool trace_set_ablated(Trace *trace, const TraceHead *heads, size_t n, Error *err)
{
    TraceInfo *info = &trace->info;
    trace->ablated =
        ARENA_ARRAY(&trace->arena, bool, (size_t)info->n_layers *(size_t)info->n_heads, err);
    TraceHead *copy = ARENA_ARRAY(&trace->arena, TraceHead, n, err);
    if (!trace->ablated || !copy) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (heads[i].layer < 0 || heads[i].layer >= info->n_layers || heads[i].head < 0 ||
            heads[i].head >= info->n_heads) {
            return error_set(err, ERR_RANGE,
                             "ablation of layer %d head %d: the model has layers 0 to %d with "
                             "heads 0 to %d",
                             heads[i].layer, heads[i].head, info->n_layers - 1, info->n_heads - 1);
        }
        copy[i] = heads[i];
        trace->ablated[trace_head_index(trace, heads[i].layer, heads[i].head)] = true;
    }
    info->params.ablate = copy;
    info->params.n_ablate = n;
    return true;
}

/* The shape of a run, without pointers that a trace would own. */
static bool describe(const TraceDesc *desc, TraceInfo *info, bool *causal, Error *err)
{
    const ModelInfo *model = model_info(desc->model);
    const TraceParams *params = &desc->params;
    if (model->n_stacks < 1) {
        return error_set(err, ERR_UNSUPPORTED, "%s has no layers with attention", model->name);
    }
    if (desc->n_tokens < 1) {
        return error_set(err, ERR_RANGE, "there are no tokens to run");
    }
    if (desc->n_tokens > ATTN_MAX_LENGTH) {
        return error_set(err, ERR_RANGE,
                         "%zu tokens; at most %d can be run at once: take a part "
                         "with --range or --max-tokens",
                         desc->n_tokens, ATTN_MAX_LENGTH);
    }
    float t = params->temperature;
    if (!isfinite(t) || t < 0) {
        return error_set(err, ERR_RANGE, "temperature %g: it must be above 0", (double)t);
    }
    int32_t size = params->summary_size ? params->summary_size : ATTN_SUMMARY_DEFAULT;
    if (size < 16 || size > ATTN_SUMMARY_MAX) {
        return error_set(err, ERR_RANGE, "summary of %d texels a side: 16 to %d can be", size,
                         ATTN_SUMMARY_MAX);
    }
    const ModelStack *stack = &model->stacks[0];
    *info = (TraceInfo){
        .model_name = desc->model_name ? desc->model_name : model->name,
        .architecture = model->architecture,
        .n_layers = stack->n_layers,
        .n_heads = stack->n_heads,
        .n_kv_heads = stack->n_kv_heads,
        .n_queries = (int32_t)desc->n_tokens,
        .n_keys = (int32_t)desc->n_tokens,
        .head_dim = stack->head_width,
        .model_dim = model->width,
        .n_vocab = model->vocabulary,
        .has_values = params->store != TRACE_STORE_QK,
        .has_hidden = params->store == TRACE_STORE_ALL,
        .second_at = desc->second_at <= desc->n_source ? desc->second_at : 0,
        .params = *params,
    };
    info->params.temperature = t > 0 ? t : 1;
    info->params.summary_size = size;
    *causal = params->mask == TRACE_MASK_CAUSAL ||
              (params->mask == TRACE_MASK_AUTO && stack->kind == MODEL_STACK_DECODER);
    return true;
}

/* ---- how much it takes ----------------------------------------------------------------------- */

/* a + b, at most UINT64_MAX, which stands for "too much". */
static uint64_t add_up(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* What attention with all statistics allocates in the first layer; other layers are alike. */
static bool attention_bytes(const TraceDesc *desc, const TraceInfo *info,
                            const ForwardOptions *options, uint64_t *bytes, Error *err)
{
    AttnCtx *ctx = NULL;
    if (!make_ctx(desc->params.threads, &ctx, err)) {
        return false;
    }
    float some = 0; /* pointers only say what is wanted */
    int32_t some_key = 0;
    LayerData layer = {.max_key = &some_key, .summary_mean = &some, .summary_max = &some};
    AttnOutputs out = {.o = &some};
    AttnArgs args;
    layer.row_max = layer.row_log_sum = layer.entropy = layer.distance = layer.max_weight =
        layer.first = layer.self = layer.previous = layer.received = &some;
    trace_want_statistics(&layer, info->params.summary_size, &out);
    if (model_attention_args(desc->model, (TapPlace){0}, info->n_queries, &options->what_if,
                             &args)) {
        args.q = args.k = args.v = &some;
        *bytes = attn_scratch_bytes(ctx, &args, &out);
    }
    attn_ctx_destroy(&ctx);
    return true;
}

static bool estimate_bytes(const TraceDesc *desc, const TraceInfo *info, bool causal,
                           TraceLayout *layout, TraceEstimate *estimate, Error *err)
{
    const TraceParams *params = &desc->params;
    if (!trace_layout_make(info, causal, layout, err)) {
        return false;
    }
    ForwardOptions options = {.what_if = {.temperature = info->params.temperature,
                                          .mask = (ModelMask)params->mask,
                                          .propagate = params->propagate}};
    bool placed = params->dtype == TRACE_F32 && info->has_values;
    uint64_t attention = 0;
    if (!attention_bytes(desc, info, &options, &attention, err)) {
        return false;
    }
    *estimate = (TraceEstimate){
        .record_bytes = layout->total_bytes,
        .work_bytes = model_forward_bytes(desc->model, info->n_queries, &options, placed),
    };
    estimate->work_bytes = add_up(estimate->work_bytes, attention);
    if (params->dtype == TRACE_F16) {
        /* q, k and v of one layer in full width, from which the halves are rounded */
        uint64_t rows =
            (uint64_t)info->n_queries * (uint64_t)(info->n_heads + 2 * info->n_kv_heads);
        estimate->work_bytes = add_up(estimate->work_bytes, rows * (uint64_t)info->head_dim * 4);
    }
    estimate->memory_limit =
        params->memory_bytes ? params->memory_bytes : memory_available_bytes() / 4 * 3;
    spill_folder(params->spill_folder, estimate->spill_folder, sizeof estimate->spill_folder);
    estimate->disk_free = spill_disk_free(estimate->spill_folder);
    estimate->spills =
        add_up(estimate->record_bytes, estimate->work_bytes) > estimate->memory_limit;
    return true;
}

bool trace_estimate(const TraceDesc *desc, TraceEstimate *estimate, Error *err)
{
    TraceInfo info;
    TraceLayout layout;
    bool causal = false;
    return describe(desc, &info, &causal, err) &&
           estimate_bytes(desc, &info, causal, &layout, estimate, err);
}

/* Neither memory nor disk: say all numbers and what helps. */
static bool check_fits(const TraceEstimate *e, const TraceInfo *info, const TraceLayout *layout,
                       Error *err)
{
    char record[32];
    char work[32];
    char limit[32];
    char disk[32];
    format_bytes(e->record_bytes, record);
    format_bytes(e->work_bytes, work);
    format_bytes(e->memory_limit, limit);
    format_bytes(e->disk_free, disk);
    if (!e->spills) {
        return true;
    }
    if (add_up(e->work_bytes, layout->layer_bytes) > e->memory_limit) {
        return error_set(err, ERR_MEMORY,
                         "%d tokens need %s to compute beside a record of %s, and %s of memory may "
                         "be used: take a part with --max-tokens or --range, or raise --memory",
                         info->n_queries, work, record, limit);
    }
    if (e->record_bytes > e->disk_free) {
        return error_set(err, ERR_MEMORY,
                         "the record needs %s; %s of memory may be used and %s has %s free: take a "
                         "part with --max-tokens, hold less with --store qk or --dtype f16, raise "
                         "--memory, or set TMPDIR to a larger disk",
                         record, limit, e->spill_folder, disk);
    }
    return true;
}

/* ---- create ---------------------------------------------------------------------------------- */

/* Memory or a spill file for the record, and every pointer into it. */
static bool reserve(Trace *trace, const TraceEstimate *estimate, Error *err)
{
    TraceInfo *info = &trace->info;
    TraceLayout *layout = &trace->layout;
    info->spilled = estimate->spills;
    info->held_bytes = layout->total_bytes;
    if (estimate->spills) {
        if (!spill_open(&trace->spill, estimate->spill_folder, layout->total_bytes, err)) {
            return false;
        }
        trace->record = trace->spill.data;
    } else {
        trace->record = mem_alloc(layout->total_bytes, err);
        if (!trace->record) {
            return error_wrap(err, "the record of the run");
        }
    }
    trace->layers = ARENA_ARRAY(&trace->arena, LayerData, (size_t)info->n_layers, err);
    trace->hidden = ARENA_ARRAY(&trace->arena, float *, (size_t)info->n_layers + 1, err);
    if (!trace->layers || !trace->hidden) {
        return false;
    }
    for (int32_t l = 0; l < info->n_layers; l++) {
        unsigned char *base = trace->record + (size_t)l * layout->layer_bytes;
        LayerData *layer = &trace->layers[l];
        layer->q = base + layout->q;
        layer->k = base + layout->k;
        layer->v = info->has_values ? base + layout->v : NULL;
#define TRACE_ROW_POINT(name, type, dtype, rows) layer->name = (type *)(base + layout->name);
        TRACE_ROW_ARRAYS(TRACE_ROW_POINT)
#undef TRACE_ROW_POINT
        layer->summary_mean = (float *)(base + layout->summary_mean);
        layer->summary_max = (float *)(base + layout->summary_max);
    }
    for (int32_t s = 0; s <= info->n_layers && info->has_hidden; s++) {
        trace->hidden[s] =
            (float *)(trace->record + layout->hidden + (size_t)s * layout->hidden_bytes);
    }
    return true;
}

Trace *trace_create(const TraceDesc *desc, Error *err)
{
    TraceEstimate estimate;
    bool causal = false;
    Trace *trace = trace_new(err);
    if (!trace) {
        return NULL;
    }
    TraceInfo *info = &trace->info;
    bool ok = describe(desc, info, &causal, err);
    ok = ok && (info->model_name = arena_strdup(&trace->arena, info->model_name, err)) &&
         (info->architecture = arena_strdup(&trace->arena, info->architecture, err));
    ok =
        ok && trace_set_ablated(trace, desc->params.ablate, desc->params.n_ablate, err) &&
        estimate_bytes(desc, info, causal, &trace->layout, &estimate, err) &&
        check_fits(&estimate, info, &trace->layout, err) &&
        trace_copy_tokens(trace, desc->tokens, desc->n_tokens, desc->source, desc->n_source, err) &&
        trace_make_ctx(trace, desc->params.threads, err) && reserve(trace, &estimate, err);
    info->params.spill_folder = NULL;
    if (!ok) {
        trace_close(trace);
        return NULL;
    }
    if (info->spilled) {
        char need[32];
        char limit[32];
        log_write(desc->log, LOG_INFO,
                  "the record of %s goes to a file in %s, as %s of memory may "
                  "be used",
                  format_bytes(estimate.record_bytes, need), estimate.spill_folder,
                  format_bytes(estimate.memory_limit, limit));
    }
    return trace;
}

Trace *trace_run(const TraceDesc *desc, JobControl *control, Error *err)
{
    Trace *trace = trace_create(desc, err);
    if (trace && !trace_fill(trace, desc, control, err)) {
        trace_close(trace);
        return NULL;
    }
    return trace;
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
    return trace->tokens;
}

const char *trace_source(const Trace *trace, size_t *n_bytes)
{
    if (n_bytes) {
        *n_bytes = trace->n_source;
    }
    return trace->source;
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

bool trace_operands(const Trace *trace, int32_t layer, int32_t head, TraceOperands *operands)
{
    const LayerData *data = done_layer(trace, layer);
    const TraceInfo *info = &trace->info;
    if (!data || head < 0 || head >= info->n_heads || info->params.dtype != TRACE_F32) {
        *operands = (TraceOperands){0};
        return false;
    }
    size_t n = (size_t)info->n_queries;
    size_t dim = (size_t)info->head_dim;
    size_t group = (size_t)(head / (info->n_heads / info->n_kv_heads));
    *operands = (TraceOperands){
        .q = (const float *)data->q + (size_t)head * n * dim,
        .k = (const float *)data->k + group * (size_t)info->n_keys * dim,
        .row_max = data->row_max + (size_t)head * n,
        .row_log_sum = data->row_log_sum + (size_t)head * n,
        .ldq = dim,
        .ldk = dim,
        .scale = data->facts.scale,
        .plain = data->facts.soft_cap == 0,
    };
    return true;
}
