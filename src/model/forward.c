/*
 * The forward pass: what a layer does is written in arch.h. Rows are worked on in blocks, so that
 * activations stay small at any length; only the residual stream, the heads' output and q, k, v of
 * one layer are as long as the text.
 */
#include "model/forward.h"

#include <string.h>

#include "compute/gemm.h"
#include "compute/rows.h"
#include "compute/threads.h"

/* ---------------------------------------------------------------- telling */

void pass_tell(const Pass *p, int32_t layer, int units)
{
    if (p->options->control && !p->cache) {
        atomic_store_explicit(&p->options->control->done_units,
                              (uint64_t)(p->layers_before + layer) * UNITS_PER_LAYER +
                                  (uint64_t)units,
                              memory_order_relaxed);
    }
}

bool pass_go_on(const Pass *p, int32_t layer, int units, Error *err)
{
    JobControl *control = p->options->control;
    if (control && atomic_load_explicit(&control->cancel, memory_order_relaxed)) {
        return error_set(err, ERR_CANCELLED, "cancelled");
    }
    pass_tell(p, layer, units);
    return true;
}

bool pass_fire(const Pass *p, const TapEvent *event, Error *err)
{
    if (!p->taps->fire || !(p->taps->sites & TAP_BIT(event->site))) {
        return true;
    }
    return p->taps->fire(p->taps->payload, event, err);
}

static bool fire_rows(const Pass *p, TapSite site, int32_t layer, float *data, int32_t row0,
                      int32_t n_rows, int32_t width, Error *err)
{
    return pass_fire(p,
                     &(TapEvent){.site = site,
                                 .place = {p->stack, layer},
                                 .data = data,
                                 .n_heads = 1,
                                 .row0 = row0,
                                 .n_rows = n_rows,
                                 .width = width,
                                 .row_stride = width},
                     err);
}

/* ---------------------------------------------------------------- steps */

bool pass_norm(const Pass *p, int32_t layer, ArchRole role, const float *x, float *y, int64_t rows,
               int32_t width)
{
    return part_norm(p->part, layer, role, x, y, rows, width, p->n_threads);
}

bool pass_expand(const Pass *p, int32_t layer, const ArchRole *roles, int n, Stage *stage,
                 Error *err)
{
    float *at = p->expanded;
    for (int i = 0; i < n; i++) {
        const Weight *w = &pass_role(p, layer, roles[i])->matrix;
        if (w->view) {
            if (!weight_expand(w, at, p->n_threads, &stage->floats[i], err)) {
                return false;
            }
            at += weight_scratch(w);
        }
    }
    return true;
}

bool pass_linear(const Pass *p, int32_t layer, ArchRole role, const WeightFloats *floats,
                 const float *x, float *y, int32_t rows, Error *err)
{
    const RoleWeights *r = pass_role(p, layer, role);
    const GemmArgs args = {.x = x,
                           .w = floats->data,
                           .w_stride = floats->stride,
                           .w_in_out = floats->in_out,
                           .bias = r->bias,
                           .y = y,
                           .rows = rows,
                           .in = (int32_t)r->matrix.columns,
                           .out = (int32_t)r->matrix.rows};
    return gemm_forward(&args, p->n_threads, err);
}

static void add(const Pass *p, float *x, const float *y, int32_t rows)
{
    const int32_t width = (int32_t)p->config->width;
    rows_add(x, width, y, width, rows, width, p->n_threads);
}

/* ---------------------------------------------------------------- the rest of a layer */

/* p->mixed = MLP(h) for a block of rows; h may be p->hidden. */
static bool mlp(const Pass *p, int32_t layer, const Stage *stage, const float *h, int32_t rows,
                Error *err)
{
    const int32_t wide = (int32_t)p->config->mlp_width;
    const bool gated = pass_role(p, layer, ROLE_GATE)->matrix.view;
    float *first = p->wide, *second = p->wide + (ptrdiff_t)rows * wide;
    float *up = gated ? second : first;
    if ((gated && !pass_linear(p, layer, ROLE_GATE, &stage->floats[1], h, first, rows, err)) ||
        !pass_linear(p, layer, ROLE_UP, &stage->floats[2], h, up, rows, err)) {
        return false;
    }
    activation_forward(p->config->activation, first, wide, gated ? up : NULL, wide, rows, wide,
                       p->n_threads);
    if (!pass_linear(p, layer, ROLE_DOWN, &stage->floats[3], first, p->mixed, rows, err)) {
        return false;
    }
    (void)pass_norm(p, layer, ROLE_MLP_OUT_NORM, p->mixed, p->mixed, rows,
                    (int32_t)p->config->width);
    return true;
}

/* A block of the heads' output goes into the residual stream. */
static bool add_attention(const Pass *p, const Site *site, const WeightFloats *floats, int32_t row0,
                          int32_t rows, Error *err)
{
    const int32_t width = (int32_t)p->config->width, layer = site->place.layer;
    float *x = p->x + (ptrdiff_t)row0 * width;
    const float *o = p->o + (ptrdiff_t)row0 * heads_width(p->config);
    const bool parallel = p->config->parallel;
    if (!pass_linear(p, layer, site->cross ? ROLE_CROSS_O : ROLE_O, floats, o, p->mixed, rows,
                     err)) {
        return false;
    }
    if (!site->cross) {
        (void)pass_norm(p, layer, ROLE_ATTENTION_OUT_NORM, p->mixed, p->mixed, rows, width);
    }
    TapEvent event = {.site = TAP_ATTENTION_OUTPUT,
                      .place = site->place,
                      .data = p->mixed,
                      .n_heads = 1,
                      .row0 = row0,
                      .n_rows = rows,
                      .width = width,
                      .row_stride = width};
    if (!pass_fire(p, &event, err)) {
        return false;
    }
    if (parallel && !pass_norm(p, layer, ROLE_MLP_NORM, x, p->hidden, rows, width)) {
        /* the MLP reads what attention read: keep that before it changes */
        memcpy(p->hidden, x, (size_t)rows * (size_t)width * sizeof *x);
    }
    add(p, x, p->mixed, rows);
    (void)pass_norm(p, layer, site->cross ? ROLE_CROSS_ADD_NORM : ROLE_ATTENTION_ADD_NORM, x, x,
                    rows, width);
    return true;
}

static bool add_mlp(const Pass *p, int32_t layer, const Stage *stage, int32_t row0, int32_t rows,
                    Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    float *x = p->x + (ptrdiff_t)row0 * width;
    const float *h = p->hidden;
    if (!p->config->parallel && !pass_norm(p, layer, ROLE_MLP_NORM, x, p->hidden, rows, width)) {
        h = x;
    }
    if (!mlp(p, layer, stage, h, rows, err)) {
        return false;
    }
    add(p, x, p->mixed, rows);
    (void)pass_norm(p, layer, ROLE_MLP_ADD_NORM, x, x, rows, width);
    return true;
}

/* From the last attention of a layer to its end, block by block. */
static bool finish_layer(const Pass *p, const Site *last, Error *err)
{
    const ArchRole roles[] = {last->cross ? ROLE_CROSS_O : ROLE_O, ROLE_GATE, ROLE_UP, ROLE_DOWN};
    const int32_t layer = last->place.layer;
    Stage stage;
    if (!pass_expand(p, layer, roles, 4, &stage, err)) {
        return false;
    }
    for (int32_t row0 = 0; row0 < p->n; row0 += PASS_BLOCK_ROWS) {
        const int32_t rows = AS_MIN(PASS_BLOCK_ROWS, p->n - row0);
        const double left = 1.0 - (double)(row0 + rows) / p->n;
        if (!add_attention(p, last, &stage.floats[0], row0, rows, err) ||
            !add_mlp(p, layer, &stage, row0, rows, err) ||
            !pass_go_on(p, layer, UNITS_PER_LAYER - (int)(UNITS_AFTER_ATTENTION * left), err)) {
            return false;
        }
    }
    return true;
}

/* An attention that another one follows in the same layer. */
static bool finish_attention(const Pass *p, const Site *site, Error *err)
{
    static const ArchRole ROLES[] = {ROLE_O};
    Stage stage;
    bool ok = pass_expand(p, site->place.layer, ROLES, 1, &stage, err);
    for (int32_t row0 = 0; ok && row0 < p->n; row0 += PASS_BLOCK_ROWS) {
        ok = add_attention(p, site, &stage.floats[0], row0, AS_MIN(PASS_BLOCK_ROWS, p->n - row0),
                           err);
    }
    return ok;
}

static bool run_layer(Pass *p, int32_t layer, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    const Site self = {.place = {p->stack, layer}, .n_keys = pass_first(p) + p->n};
    const Site cross = {.place = {p->stack + 1, layer}, .n_keys = p->n_source, .cross = true};
    if (!pass_go_on(p, layer, 0, err) ||
        !fire_rows(p, TAP_LAYER_INPUT, layer, p->x, 0, p->n, width, err) ||
        !pass_project(p, &self, err) || !pass_attend(p, &self, err)) {
        return false;
    }
    if (p->source && (!finish_attention(p, &self, err) || !pass_project(p, &cross, err) ||
                      !pass_attend(p, &cross, err))) {
        return false;
    }
    if (p->ends_at_heads && layer + 1 == p->config->n_layers) {
        return pass_go_on(p, layer, UNITS_PER_LAYER, err);
    }
    return finish_layer(p, p->source ? &cross : &self, err) &&
           fire_rows(p, TAP_LAYER_OUTPUT, layer, p->x, 0, p->n, width, err);
}

/* ---------------------------------------------------------------- after the layers */

static bool run_logits(const Pass *p, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    const int32_t vocabulary = (int32_t)p->config->vocabulary;
    const int32_t first = p->options->logits == MODEL_LOGITS_ALL ? 0 : p->n - 1;
    const int32_t block = AS_MIN(LOGITS_BLOCK_ROWS, p->n - first);
    float *logits = mem_alloc((size_t)block * (size_t)vocabulary * sizeof *logits, err);
    bool ok = logits;
    for (int32_t row0 = first; ok && row0 < p->n; row0 += block) {
        const int32_t rows = AS_MIN(block, p->n - row0);
        ok = logits_from_final(p->model, p->x + (ptrdiff_t)row0 * width, rows, logits, p->n_threads,
                               err) &&
             fire_rows(p, TAP_LOGITS, -1, logits, row0, rows, vocabulary, err);
    }
    mem_free(logits);
    return ok;
}

/* Final norm, last states and logits, as far as somebody wants them. */
static bool run_end(const Pass *p, float *states, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    const bool is_main = p->part == &p->model->main;
    const bool wants_logits = is_main && (p->taps->sites & TAP_BIT(TAP_LOGITS));
    if (!states && !wants_logits && !(p->taps->sites & TAP_BIT(TAP_FINAL_HIDDEN))) {
        return true;
    }
    (void)pass_norm(p, 0, ROLE_FINAL_NORM, p->x, p->x, p->n, width);
    if (!fire_rows(p, TAP_FINAL_HIDDEN, -1, p->x, 0, p->n, width, err)) {
        return false;
    }
    if (states) {
        memcpy(states, p->x, (size_t)p->n * (size_t)width * sizeof *states);
    }
    return !wants_logits || run_logits(p, err);
}

static bool run_all(Pass *p, float *states, Error *err)
{
    const int32_t all = (int32_t)p->config->n_layers;
    const int32_t n_layers = p->options->n_layers > 0 ? AS_MIN(p->options->n_layers, all) : all;
    JobControl *control = p->options->control;
    if (control && !p->cache) {
        atomic_store(&control->stage, "layer by layer");
        atomic_store(&control->total_units,
                     (uint64_t)(p->layers_in_all > 0 ? p->layers_in_all : n_layers) *
                         UNITS_PER_LAYER);
    }
    if (!pass_embed(p, err)) {
        return false;
    }
    for (int32_t layer = 0; layer < n_layers; layer++) {
        if (!run_layer(p, layer, err)) {
            return false;
        }
    }
    return n_layers < all || p->ends_at_heads || run_end(p, states, err);
}

ModelInput part_input(const Model *model, const ModelPart *part, const ModelInput *input)
{
    if (part == &model->main && model->encoder.arch) {
        return (ModelInput){.ids = input->target_ids, .n_tokens = input->n_target};
    }
    return *input;
}

bool part_forward(const Model *model, const ModelPart *part, const ModelInput *input,
                  const ForwardOptions *options, const TapTable *taps, const AttnCtx *ctx,
                  const float *source, float *states, Error *err)
{
    const ModelInput own = part_input(model, part, input);
    const bool decodes = source != NULL;
    const int32_t encoder_layers = (int32_t)model->encoder.config.n_layers;
    Pass pass = {.model = model,
                 .part = part,
                 .config = &part->config,
                 .options = options,
                 .taps = taps,
                 .ctx = ctx,
                 .n_threads = attn_ctx_threads(ctx),
                 .ids = own.ids,
                 .type_ids = own.type_ids,
                 .pixels = own.pixels,
                 .n = own.n_tokens,
                 .source = source,
                 .n_source = decodes ? input->n_tokens : 0,
                 .stack = decodes ? 1 : 0,
                 .layers_before = decodes ? encoder_layers : 0,
                 .ends_at_heads = options->ends_at_heads && !states};
    if (model->encoder.arch) {
        pass.layers_in_all =
            encoder_layers + (input->n_target ? (int32_t)model->main.config.n_layers : 0);
    }
    const bool ok = pass_prepare(&pass, err) && run_all(&pass, states, err);
    pass_release(&pass);
    return ok;
}

bool part_extend(const Model *model, const int32_t *ids, int32_t n, const float *source,
                 int32_t n_source, const ForwardOptions *options, const TapTable *taps,
                 const AttnCtx *ctx, PassCache *cache, Error *err)
{
    Pass pass = {.model = model,
                 .part = &model->main,
                 .config = &model->main.config,
                 .options = options,
                 .taps = taps,
                 .ctx = ctx,
                 .n_threads = attn_ctx_threads(ctx),
                 .ids = ids,
                 .n = n,
                 .source = source,
                 .n_source = n_source,
                 .cache = cache,
                 .stack = source ? 1 : 0};
    AS_ASSERT(n > 0 && n <= cache->capacity - cache->n);
    const bool ok = pass_prepare(&pass, err) && run_all(&pass, NULL, err);
    pass_release(&pass);
    cache->n += ok ? n : 0;
    cache->has_source = source != NULL && ok;
    return ok;
}

static bool run_encoder_decoder(const Model *model, const ModelInput *input,
                                const ForwardOptions *options, const TapTable *taps,
                                const AttnCtx *ctx, Error *err)
{
    float *states = NULL;
    size_t n = 0;
    if (input->n_target > 0) {
        if (!checked_mul((size_t)input->n_tokens, (size_t)model->main.config.width, &n) ||
            !checked_mul(n, sizeof *states, &n)) {
            return error_set(err, ERR_MEMORY, "%d tokens need more memory than there can be",
                             input->n_tokens);
        }
        states = mem_alloc(n, err);
        if (!states) {
            return false;
        }
    }
    const bool ok =
        part_forward(model, &model->encoder, input, options, taps, ctx, NULL, states, err) &&
        (!states ||
         part_forward(model, &model->main, input, options, taps, ctx, states, NULL, err));
    mem_free(states);
    return ok;
}

bool model_forward(const Model *model, const ModelInput *input, const ForwardOptions *options,
                   const TapTable *taps, Error *err)
{
    const ForwardOptions no_options = {0};
    const TapTable no_taps = {0};
    options = options ? options : &no_options;
    taps = taps ? taps : &no_taps;
    if (!forward_check(model, input, options, taps, err)) {
        return false;
    }
    AttnCtx *own = NULL;
    if (!options->attention) {
        char message[256];
        if (attn_ctx_create(NULL, &own, message, sizeof message) != ATTN_OK) {
            return error_set(err, ERR_INTERNAL, "%s", message);
        }
    }
    const AttnCtx *ctx = options->attention ? options->attention : own;
    const bool ok = model->encoder.arch ? run_encoder_decoder(model, input, options, taps, ctx, err)
                                        : part_forward(model, &model->main, input, options, taps,
                                                       ctx, NULL, NULL, err);
    attn_ctx_destroy(&own);
    return ok;
}
