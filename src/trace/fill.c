/* The run: taps that put each layer's operands and statistics into the record. */
#include "base/clock.h"
#include "base/half.h"
#include "model/model.h"
#include "trace/internal.h"

#include <math.h>
#include <string.h>

typedef struct Fill {
    Trace *trace;
    const TraceDesc *desc;
    AttnArgs args; /* of the layer that runs */
    AttnProgress progress;
    float *wide[3]; /* f16: q, k and v of one layer as the pass computes them */
    double attention_start_s;
    double attention_seconds, attention_flops; /* so far; the trace gets them at the end */
    float weight_shift;
} Fill;

/* ---- taps ------------------------------------------------------------------------------------ */

static bool on_place(void *payload, TapPlace place, int32_t n_tokens, TapBuffers *buffers,
                     Error *err)
{
    Fill *fill = payload;
    Trace *trace = fill->trace;
    if (place.stack != 0) {
        return true;
    }
    if (place.layer < 0 || place.layer >= trace->info.n_layers ||
        n_tokens != trace->info.n_queries) {
        return error_set(err, ERR_INTERNAL, "the pass came to layer %d with %d tokens", place.layer,
                         n_tokens);
    }
    LayerData *layer = &trace->layers[place.layer];
    if (trace->info.params.dtype == TRACE_F16) {
        *buffers = (TapBuffers){fill->wide[0], fill->wide[1], fill->wide[2]};
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

static bool on_attention(void *payload, TapPlace place, const AttnArgs *args, AttnOutputs *out,
                         Error *err)
{
    Fill *fill = payload;
    Trace *trace = fill->trace;
    if (place.stack != 0) {
        return true;
    }
    const TraceInfo *info = &trace->info;
    LayerData *layer = &trace->layers[place.layer];
    if (args->bias.fill || args->mask.key_mask || args->mask.n_valid_keys) {
        return error_set(err, ERR_UNSUPPORTED,
                         "layer %d: attention with an additive bias or a "
                         "padding mask cannot be recorded yet",
                         place.layer);
    }
    fill->args = *args;
    layer->mask = args->mask;
    layer->shape = attn_summary_shape(args, info->params.summary_size);
    if (args->n_heads != info->n_heads || args->n_queries != info->n_queries ||
        args->head_dim != info->head_dim || layer->shape.n_texels > trace->layout.n_texels) {
        return error_set(err, ERR_INTERNAL, "layer %d has another shape than its model says",
                         place.layer);
    }
    bool window = args->mask.kind & (ATTN_MASK_WINDOW | ATTN_MASK_WINDOW_SYMMETRIC);
    layer->facts = (TraceLayer){
        .scale = args->scale != 0 ? args->scale : 1.0f / sqrtf((float)args->head_dim),
        .soft_cap = args->soft_cap,
        .causal = args->mask.kind & ATTN_MASK_CAUSAL,
        .window = window ? args->mask.window : 0,
        .summary_rows = layer->shape.n_rows,
        .summary_cols = layer->shape.n_cols,
        .row_texel = layer->shape.row_width,
        .col_texel = layer->shape.col_width,
    };
    if (info->params.dtype == TRACE_F32) {
        trace_want_statistics(layer, info->params.summary_size, out);
    }
    fill->attention_start_s = clock_now_s();
    fill->attention_flops +=
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
static bool record_halves(Fill *fill, int32_t l, Error *err)
{
    Trace *trace = fill->trace;
    TraceInfo *info = &trace->info;
    LayerData *layer = &trace->layers[l];
    size_t n = (size_t)info->n_queries;
    size_t dim = (size_t)info->head_dim;
    int32_t per_group = info->n_heads / info->n_kv_heads;
    for (int32_t g = 0; g < info->n_kv_heads; g++) {
        size_t at = (size_t)g * n * dim;
        RowNorms k = {0};
        RowNorms v = {0};
        if (!round_rows(fill->wide[1] + at, (uint16_t *)layer->k + at, n, dim, &k, err) ||
            (info->has_values &&
             !round_rows(fill->wide[2] + at, (uint16_t *)layer->v + at, n, dim, &v, err))) {
            return error_wrap(err, "layer %d", l);
        }
        for (int32_t h = g * per_group; h < (g + 1) * per_group; h++) {
            at = (size_t)h * n * dim;
            RowNorms q = {0};
            if (!round_rows(fill->wide[0] + at, (uint16_t *)layer->q + at, n, dim, &q, err)) {
                return error_wrap(err, "layer %d", l);
            }
            double e =
                fabs((double)layer->facts.scale) * (q.change * k.largest + q.largest * k.change);
            fill->weight_shift = fmaxf(fill->weight_shift, (float)tanh(e / 2));
        }
    }
    AttnArgs args = fill->args;
    args.q = fill->wide[0];
    args.k = fill->wide[1];
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

static void publish_layer(Fill *fill, int32_t layer)
{
    Trace *trace = fill->trace;
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

static bool on_fire(void *payload, const TapEvent *event, Error *err)
{
    Fill *fill = payload;
    Trace *trace = fill->trace;
    TraceInfo *info = &trace->info;
    bool last_rows = event->row0 + event->n_rows == info->n_queries;
    int32_t layer = event->place.layer;
    if (event->place.stack != 0) {
        return true;
    }
    switch (event->site) {
    case TAP_HEAD_OUTPUT:
        fill->attention_seconds += clock_now_s() - fill->attention_start_s;
        return info->params.dtype == TRACE_F32 || record_halves(fill, layer, err);
    case TAP_EMBEDDING:
    case TAP_FINAL_HIDDEN: {
        int32_t state = event->site == TAP_EMBEDDING ? 0 : info->n_layers;
        if (info->has_hidden) {
            keep_hidden(trace, state, event);
            if (last_rows) {
                publish_state(trace, state);
            }
        }
        return true;
    }
    case TAP_LAYER_OUTPUT:
        /* The last layer's state is the one after the final norm, which fires later. */
        if (info->has_hidden && layer + 1 < info->n_layers) {
            keep_hidden(trace, layer + 1, event);
            if (last_rows) {
                publish_state(trace, layer + 1);
            }
        }
        if (last_rows) {
            publish_layer(fill, layer);
        }
        return true;
    default:
        return true;
    }
}

/* ---- the pass -------------------------------------------------------------------------------- */

static bool make_wide(Fill *fill, Error *err)
{
    const TraceInfo *info = &fill->trace->info;
    size_t rows = (size_t)info->n_queries * (size_t)info->head_dim;
    for (int i = 0; i < 3; i++) {
        size_t heads = (size_t)(i == 0 ? info->n_heads : info->n_kv_heads);
        size_t n;
        if (!checked_mul(rows, heads, &n) || !checked_mul(n, sizeof(float), &n)) {
            return error_set(err, ERR_MEMORY, "the operands of one layer do not fit");
        }
        fill->wide[i] = mem_alloc(n, err);
        if (!fill->wide[i]) {
            return error_wrap(err, "the operands of one layer");
        }
    }
    return true;
}

/* Ids and segments as the model takes them, and the heads to ablate. In the trace's arena. */
static bool make_input(Trace *trace, ModelInput *input, ModelHead **ablated, Error *err)
{
    const TraceInfo *info = &trace->info;
    size_t n = (size_t)info->n_queries;
    int32_t *ids = ARENA_ARRAY(&trace->arena, int32_t, n, err);
    int32_t *types = ARENA_ARRAY(&trace->arena, int32_t, n, err);
    *ablated = ARENA_ARRAY(&trace->arena, ModelHead, info->params.n_ablate, err);
    if (!ids || !types || !*ablated) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        ids[i] = trace->tokens[i].id;
        types[i] = trace->tokens[i].segment;
    }
    for (size_t i = 0; i < info->params.n_ablate; i++) {
        (*ablated)[i] =
            (ModelHead){.layer = info->params.ablate[i].layer, .head = info->params.ablate[i].head};
    }
    *input = (ModelInput){.ids = ids, .type_ids = types, .n_tokens = info->n_queries};
    return true;
}

bool trace_fill(Trace *trace, const TraceDesc *desc, JobControl *control, Error *err)
{
    TraceInfo *info = &trace->info;
    Fill fill = {.trace = trace, .desc = desc};
    ModelInput input;
    ModelHead *ablated;
    double start_s = clock_now_s();
    if (trace->file || trace_layers_done(trace) > 0) {
        return error_set(err, ERR_INTERNAL, "this trace is filled already");
    }
    if (control) {
        fill.progress.cancel = &control->cancel;
    }
    bool ok = make_input(trace, &input, &ablated, err) &&
              (info->params.dtype == TRACE_F32 || make_wide(&fill, err));
    if (ok) {
        ForwardOptions options = {
            .attention = trace->ctx,
            .what_if = {.temperature = info->params.temperature,
                        .mask = (ModelMask)info->params.mask,
                        .ablated = ablated,
                        .n_ablated = (int32_t)info->params.n_ablate,
                        .propagate = info->params.propagate},
            .control = control,
            .log = desc->log,
        };
        TapTable taps = {
            .sites = TAP_BIT(TAP_EMBEDDING) | TAP_BIT(TAP_HEAD_OUTPUT) | TAP_BIT(TAP_LAYER_OUTPUT) |
                     TAP_BIT(TAP_FINAL_HIDDEN),
            .place = on_place,
            .attention = on_attention,
            .fire = on_fire,
            .payload = &fill,
        };
        ok = model_forward(desc->model, &input, &options, &taps, err);
    }
    for (int i = 0; i < 3; i++) {
        mem_free(fill.wide[i]);
    }
    info->attention_seconds = fill.attention_seconds;
    info->attention_flops = fill.attention_flops;
    info->weight_shift = fill.weight_shift;
    info->seconds = clock_now_s() - start_s;
    return ok;
}
