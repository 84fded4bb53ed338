/* The run: taps that put each layer's operands and statistics into the record. */
#include "base/clock.h"
#include "base/half.h"
#include "model/model.h"
#include "trace/internal.h"

#include <math.h>
#include <string.h>

/* One trace on its way. */
typedef struct FillStack {
    Trace *trace;   /* NULL: this stack of the model is not recorded */
    AttnArgs args;  /* of the layer that runs */
    float *wide[3]; /* f16: q, k and v of one layer as the pass computes them */
    double attention_start_s;
    double attention_seconds, attention_flops; /* so far; the trace gets them at the end */
    float weight_shift;
} FillStack;

typedef struct Fill {
    const TraceDesc *desc;
    AttnProgress progress;
    FillStack stacks[MODEL_MAX_STACKS]; /* as in ModelInfo */
    bool keeps_states;                  /* some trace does: else a layer is whole with its heads */
    Arena arena;                        /* ids */
} Fill;

/* ---- taps ------------------------------------------------------------------------------------ */

static bool on_place(void *payload, TapPlace place, int32_t n_tokens, TapBuffers *buffers,
                     Error *err)
{
    Fill *fill = payload;
    FillStack *stack = &fill->stacks[place.stack];
    Trace *trace = stack->trace;
    if (!trace) {
        return true;
    }
    if (place.layer < 0 || place.layer >= trace->info.n_layers ||
        n_tokens != trace->info.n_queries) {
        return error_set(err, ERR_INTERNAL, "the pass came to layer %d with %d tokens", place.layer,
                         n_tokens);
    }
    LayerData *layer = &trace->layers[place.layer];
    if (trace->info.params.dtype == TRACE_F16) {
        *buffers = (TapBuffers){stack->wide[0], stack->wide[1], stack->wide[2]};
    } else {
        *buffers = (TapBuffers){layer->q, layer->k, layer->v};
    }
    return true;
}

void trace_want_statistics(const LayerData *layer, int32_t summary_size, AttnOutputs *out)
{
    *out = (AttnOutputs){
        .o = out->o, .o_row_stride = out->o_row_stride, .o_head_stride = out->o_head_stride};
    out->row_max = layer->row_max;
    out->row_log_sum = layer->row_log_sum;
    out->summary_size = summary_size;
    out->summary_mean = layer->summary_mean;
    out->summary_max = layer->summary_max;
    out->received = layer->received;
    out->rows = (AttnRowStats){
        .entropy = layer->entropy,
        .distance = layer->distance,
        .max_weight = layer->max_weight,
        .max_key = layer->max_key,
        .first_weight = layer->first,
        .self_weight = layer->self,
        .prev_weight = layer->previous,
    };
}

TraceLayer trace_facts_of(const AttnArgs *args, const AttnSummaryShape *shape)
{
    bool window = args->mask.kind & (ATTN_MASK_WINDOW | ATTN_MASK_WINDOW_SYMMETRIC);
    return (TraceLayer){
        .scale = args->scale != 0 ? args->scale : 1.0f / sqrtf((float)args->head_dim),
        .soft_cap = args->soft_cap,
        .causal = args->mask.kind & ATTN_MASK_CAUSAL,
        .has_bias = args->bias.fill,
        .window = window ? args->mask.window : 0,
        .summary_rows = shape->n_rows,
        .summary_cols = shape->n_cols,
        .row_texel = shape->row_width,
        .col_texel = shape->col_width,
    };
}

/* The model's bias goes by distance alone and is that of all layers (model.h): its first row and
 * column say it whole. */
static bool keep_bias(Trace *trace, const AttnBias *bias, Error *err)
{
    int32_t n = trace->info.n_queries;
    int32_t m = trace->info.n_keys;
    if (!bias->fill || trace->bias.values) {
        return true;
    }
    size_t width = (size_t)n + (size_t)m - 1;
    float *values = ARENA_ARRAY(&trace->arena, float, width *(size_t)trace->info.n_heads, err);
    float *column = mem_alloc((size_t)n * sizeof *column, err);
    for (int32_t h = 0; values && column && h < trace->info.n_heads; h++) {
        float *head = values + (size_t)h * width;
        bias->fill(bias->payload, h, 0, n, 0, 1, column, 1);
        for (int32_t i = 0; i < n; i++) {
            head[n - 1 - i] = column[i];
        }
        bias->fill(bias->payload, h, 0, 1, 0, m, head + n - 1, m);
    }
    mem_free(column);
    if (values && column) {
        trace->bias = (DistanceBias){values, width, n - 1};
    }
    return values && column;
}

static bool on_attention(void *payload, TapPlace place, const AttnArgs *args, AttnOutputs *out,
                         Error *err)
{
    Fill *fill = payload;
    FillStack *stack = &fill->stacks[place.stack];
    Trace *trace = stack->trace;
    if (!trace) {
        return true;
    }
    const TraceInfo *info = &trace->info;
    LayerData *layer = &trace->layers[place.layer];
    if (args->mask.key_mask || args->mask.n_valid_keys) {
        return error_set(err, ERR_UNSUPPORTED,
                         "layer %d: attention with a padding mask cannot be recorded yet",
                         place.layer);
    }
    stack->args = *args;
    layer->mask = args->mask;
    layer->shape = attn_summary_shape(args, info->params.summary_size);
    if (args->n_heads != info->n_heads || args->n_queries != info->n_queries ||
        args->n_keys != info->n_keys || args->head_dim != info->head_dim ||
        layer->shape.n_texels > trace->layout.n_texels) {
        return error_set(err, ERR_INTERNAL, "layer %d has another shape than its model says",
                         place.layer);
    }
    layer->facts = trace_facts_of(args, &layer->shape);
    if (!keep_bias(trace, &args->bias, err)) {
        return false;
    }
    if (info->params.dtype == TRACE_F32) {
        trace_want_statistics(layer, info->params.summary_size, out);
    }
    stack->attention_start_s = clock_now_s();
    stack->attention_flops +=
        4.0 * (double)attn_mask_visible_pairs(&args->mask, info->n_queries, info->n_keys) *
        args->head_dim * info->n_heads;
    return true;
}

/* ---- halves ---------------------------------------------------------------------------------- */

/* What rounding does to the rows of one operand of a head: largest norms, before and of the
 * change. */
typedef struct RowNorms {
    double largest, change;
} RowNorms;

/* Rounds rows in place and stores the halves. ERR_RANGE where a value does not fit. */
static bool round_rows(float *rows, uint16_t *halves, size_t n_rows, size_t dim, RowNorms *norms,
                       Error *err)
{
    for (size_t r = 0; r < n_rows; r++) {
        double norm = 0;
        double change = 0;
        for (size_t i = 0; i < dim; i++) {
            float wide = rows[r * dim + i];
            uint16_t half = float_to_half(wide);
            float narrow = half_to_float(half);
            if (isfinite(wide) && !isfinite(narrow)) {
                return error_set(err, ERR_RANGE,
                                 "a value of %g is too large for --dtype f16: use "
                                 "f32",
                                 (double)wide);
            }
            norm += fmax((double)wide * wide, (double)narrow * narrow);
            change += ((double)wide - narrow) * ((double)wide - narrow);
            rows[r * dim + i] = narrow;
            halves[r * dim + i] = half;
        }
        norms->largest = fmax(norms->largest, sqrt(norm));
        norms->change = fmax(norms->change, sqrt(change));
    }
    return true;
}

/*
 * The record of a layer in halves: its statistics come from the rounded operands, so that tiles
 * agree with them. The network itself goes on with the full width.
 *
 * With |ds_ij| <= e for all scores of a row, no weight moves by more than tanh(e / 2): w is the
 * logistic function of its log-odds, which move by at most 2 e, and that function's steepest rise
 * over an interval of that length is the one around 1/2.
 */
static bool record_halves(const Fill *fill, FillStack *stack, int32_t l, Error *err)
{
    Trace *trace = stack->trace;
    TraceInfo *info = &trace->info;
    LayerData *layer = &trace->layers[l];
    size_t n = (size_t)info->n_queries;
    size_t m = (size_t)info->n_keys;
    size_t dim = (size_t)info->head_dim;
    int32_t per_group = info->n_heads / info->n_kv_heads;
    for (int32_t g = 0; g < info->n_kv_heads; g++) {
        size_t at = (size_t)g * m * dim;
        RowNorms k = {0};
        RowNorms v = {0};
        if (!round_rows(stack->wide[1] + at, (uint16_t *)layer->k + at, m, dim, &k, err) ||
            (info->has_values &&
             !round_rows(stack->wide[2] + at, (uint16_t *)layer->v + at, m, dim, &v, err))) {
            return error_wrap(err, "layer %d", l);
        }
        for (int32_t h = g * per_group; h < (g + 1) * per_group; h++) {
            at = (size_t)h * n * dim;
            RowNorms q = {0};
            if (!round_rows(stack->wide[0] + at, (uint16_t *)layer->q + at, n, dim, &q, err)) {
                return error_wrap(err, "layer %d", l);
            }
            double e =
                fabs((double)layer->facts.scale) * (q.change * k.largest + q.largest * k.change);
            stack->weight_shift = fmaxf(stack->weight_shift, (float)tanh(e / 2));
        }
    }
    AttnArgs args = stack->args;
    args.q = stack->wide[0];
    args.k = stack->wide[1];
    args.v = NULL;
    args.q_row_stride = args.q_head_stride = args.k_row_stride = args.k_head_stride = 0;
    args.v_row_stride = args.v_head_stride = 0;
    AttnOutputs out = {0};
    trace_want_statistics(layer, info->params.summary_size, &out);
    return trace_attn_ok(attn_forward(trace->ctx, &args, &out, &fill->progress), "attention", err);
}

/* ---- the other sites ------------------------------------------------------------------------- */

static void keep_hidden(Trace *trace, int32_t state, const TapEvent *event)
{
    size_t width = (size_t)trace->info.model_dim;
    float *rows = trace->hidden[state] + (size_t)event->row0 * width;
    for (int32_t r = 0; r < event->n_rows; r++) {
        memcpy(rows + (size_t)r * width, event->data + r * event->row_stride, width * 4);
    }
}

static void publish_layer(const Fill *fill, Trace *trace, int32_t layer)
{
    atomic_store_explicit(&trace->layers_done, layer + 1, memory_order_release);
    if (trace->spill.data) {
        spill_let_go(&trace->spill, (size_t)layer * trace->layout.layer_bytes,
                     trace->layout.layer_bytes);
    }
    if (fill->desc->on_layer) {
        fill->desc->on_layer(fill->desc->payload, trace, layer + 1);
    }
}

static void publish_state(Trace *trace, int32_t state)
{
    atomic_store_explicit(&trace->states_done, state + 1, memory_order_release);
    if (trace->spill.data) {
        spill_let_go(&trace->spill,
                     trace->layout.hidden + (size_t)state * trace->layout.hidden_bytes,
                     trace->layout.hidden_bytes);
    }
}

/* Rows of the residual stream that are state `state` of a trace; NULL trace or one that holds none:
 * nothing. */
static void take_state(Trace *trace, int32_t state, const TapEvent *event)
{
    if (trace && trace->info.has_hidden && !trace->states) {
        keep_hidden(trace, state, event);
        if (event->row0 + event->n_rows == trace->info.n_queries) {
            publish_state(trace, state);
        }
    }
}

/* Who keeps the residual stream of a stack: its trace, or that of the cross attention in it. */
static Trace *state_keeper(const Fill *fill, int32_t stack)
{
    if (!fill->stacks[stack].trace && stack + 1 < MODEL_MAX_STACKS) {
        Trace *next = fill->stacks[stack + 1].trace;
        return next && next->info.stack == TRACE_STACK_CROSS ? next : NULL;
    }
    return fill->stacks[stack].trace;
}

static bool end_attention(const Fill *fill, FillStack *stack, const TapEvent *event, Error *err)
{
    Trace *trace = stack->trace;
    if (!trace) {
        return true;
    }
    stack->attention_seconds += clock_now_s() - stack->attention_start_s;
    if (trace->info.params.dtype == TRACE_F16 &&
        !record_halves(fill, stack, event->place.layer, err)) {
        return false;
    }
    if (!fill->keeps_states || trace->info.stack == TRACE_STACK_CROSS) { /* the MLP alone follows */
        publish_layer(fill, trace, event->place.layer);
    }
    return true;
}

static bool on_fire(void *payload, const TapEvent *event, Error *err)
{
    Fill *fill = payload;
    FillStack *stack = &fill->stacks[event->place.stack];
    Trace *keeper = state_keeper(fill, event->place.stack);
    int32_t layer = event->place.layer;
    switch (event->site) {
    case TAP_HEAD_OUTPUT:
        return end_attention(fill, stack, event, err);
    case TAP_EMBEDDING:
        take_state(keeper, 0, event);
        return true;
    case TAP_FINAL_HIDDEN:
        take_state(keeper, keeper ? keeper->info.n_layers : 0, event);
        return true;
    case TAP_LAYER_OUTPUT:
        /* The last layer's state is the one after the final norm, which fires later. */
        if (keeper && layer + 1 < keeper->info.n_layers) {
            take_state(keeper, layer + 1, event);
        }
        if (stack->trace && event->row0 + event->n_rows == stack->trace->info.n_queries) {
            publish_layer(fill, stack->trace, layer);
        }
        return true;
    default:
        return true;
    }
}

/* ---- the pass -------------------------------------------------------------------------------- */

static bool make_wide(FillStack *stack, Error *err)
{
    const TraceInfo *info = &stack->trace->info;
    for (int i = 0; i < 3; i++) {
        size_t heads = (size_t)(i == 0 ? info->n_heads : info->n_kv_heads);
        size_t rows = (size_t)(i == 0 ? info->n_queries : info->n_keys) * (size_t)info->head_dim;
        size_t n;
        if (!checked_mul(rows, heads, &n) || !checked_mul(n, sizeof(float), &n)) {
            return error_set(err, ERR_MEMORY, "the operands of one layer do not fit");
        }
        stack->wide[i] = mem_alloc(n, err);
        if (!stack->wide[i]) {
            return error_wrap(err, "the operands of one layer");
        }
    }
    return true;
}

static bool copy_ids(Arena *arena, const TraceToken *tokens, size_t n, int32_t **ids,
                     int32_t **types, Error *err)
{
    *ids = ARENA_ARRAY(arena, int32_t, n, err);
    *types = ARENA_ARRAY(arena, int32_t, n, err);
    if (!*ids || !*types) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        (*ids)[i] = tokens[i].id;
        (*types)[i] = tokens[i].segment;
    }
    return true;
}

/* Ids and segments as the model takes them, and the heads to ablate. In the fill's arena. */
static bool make_input(Fill *fill, const TraceParams *params, ModelInput *input,
                       ModelHead **ablated, Error *err)
{
    const TraceDesc *desc = fill->desc;
    int32_t *ids;
    int32_t *types;
    int32_t *targets;
    int32_t *ignored;
    int32_t index = trace_stack_index(model_info(desc->model), params->ablate_stack);
    if (index < 0) {
        index = trace_stack_index(model_info(desc->model), TRACE_STACK_CROSS);
    }
    *ablated = ARENA_ARRAY(&fill->arena, ModelHead, params->n_ablate, err);
    if (!*ablated || !copy_ids(&fill->arena, desc->tokens, desc->n_tokens, &ids, &types, err) ||
        !copy_ids(&fill->arena, desc->target.tokens, desc->target.n, &targets, &ignored, err)) {
        return false;
    }
    for (size_t i = 0; i < params->n_ablate; i++) {
        (*ablated)[i] =
            (ModelHead){AS_MAX(index, 0), params->ablate[i].layer, params->ablate[i].head};
    }
    *input = (ModelInput){.ids = desc->pixels ? NULL : ids,
                          .type_ids = desc->pixels ? NULL : types,
                          .n_tokens = (int32_t)desc->n_tokens,
                          .target_ids = targets,
                          .n_target = (int32_t)desc->target.n,
                          .pixels = desc->pixels};
    return true;
}

static bool run(Fill *fill, const Trace *first, JobControl *control, Error *err)
{
    const TraceParams *params = &first->info.params;
    ModelInput input;
    ModelHead *ablated;
    if (!make_input(fill, params, &input, &ablated, err)) {
        return false;
    }
    ForwardOptions options = {
        .attention = first->ctx,
        .what_if = {.temperature = params->temperature,
                    .unscaled = params->unscaled,
                    .mask = (ModelMask)params->mask,
                    .ablated = ablated,
                    .n_ablated = (int32_t)params->n_ablate,
                    .propagate = params->propagate},
        .ends_at_heads = !fill->keeps_states,
        .control = control,
        .log = fill->desc->log,
    };
    const uint32_t states =
        TAP_BIT(TAP_EMBEDDING) | TAP_BIT(TAP_LAYER_OUTPUT) | TAP_BIT(TAP_FINAL_HIDDEN);
    TapTable taps = {
        .sites = TAP_BIT(TAP_HEAD_OUTPUT) | (fill->keeps_states ? states : 0),
        .place = on_place,
        .attention = on_attention,
        .fire = on_fire,
        .payload = fill,
    };
    return model_forward(fill->desc->model, &input, &options, &taps, err);
}

/* The traces into their places. */
static bool prepare(Fill *fill, const TraceSet *set, Error *err)
{
    const ModelInfo *model = model_info(fill->desc->model);
    for (int i = 0; i < TRACE_STACK_COUNT; i++) {
        Trace *trace = set->stacks[i];
        int32_t index = trace_stack_index(model, (TraceStack)i);
        if (!trace) {
            continue;
        }
        if (trace->file || trace_layers_done(trace) > 0) {
            return error_set(err, ERR_INTERNAL, "this trace is filled already");
        }
        if (index < 0) {
            return error_set(err, ERR_INTERNAL, "%s has no such stack", model->name);
        }
        fill->stacks[index].trace = trace;
        fill->keeps_states = fill->keeps_states || trace->info.has_hidden;
        if (trace->info.params.dtype == TRACE_F16 && !make_wide(&fill->stacks[index], err)) {
            return false;
        }
    }
    return true;
}

bool trace_set_fill(const TraceSet *set, const TraceDesc *desc, JobControl *control, Error *err)
{
    Fill fill = {.desc = desc};
    Trace *first = trace_set_first(set);
    double start_s = clock_now_s();
    if (!first) {
        return error_set(err, ERR_INTERNAL, "there is no trace to fill");
    }
    if (control) {
        fill.progress.cancel = &control->cancel;
    }
    bool ok = prepare(&fill, set, err) && run(&fill, first, control, err);
    for (int i = 0; i < MODEL_MAX_STACKS; i++) {
        FillStack *stack = &fill.stacks[i];
        for (int w = 0; w < 3; w++) {
            mem_free(stack->wide[w]);
        }
        if (stack->trace) {
            TraceInfo *info = &stack->trace->info;
            info->attention_seconds = stack->attention_seconds;
            info->attention_flops = stack->attention_flops;
            info->weight_shift = stack->weight_shift;
            info->seconds = clock_now_s() - start_s;
        }
    }
    arena_destroy(&fill.arena);
    return ok;
}

bool trace_fill(Trace *trace, const TraceDesc *desc, JobControl *control, Error *err)
{
    TraceSet set = {0};
    set.stacks[trace->info.stack] = trace;
    return trace_set_fill(&set, desc, control, err);
}
