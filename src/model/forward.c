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
    if (p->options->control) {
        atomic_store_explicit(&p->options->control->done_units,
                              (uint64_t)layer * UNITS_PER_LAYER + (uint64_t)units,
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
                                 .place = {0, layer},
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
    return model_norm(p->model, layer, role, x, y, rows, width, p->n_threads);
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

/* ---------------------------------------------------------------- embeddings */

/* Row of the position table for token `row`, after *placed tokens that were counted. */
static int64_t position_row(const Pass *p, int32_t row, int32_t *placed)
{
    const int64_t offset = p->config->position_offset;
    if (p->config->pads_unplaced && p->input->ids[row] == offset - 1) {
        return offset - 1;
    }
    return offset + (*placed)++;
}

static bool embed_row(const Pass *p, int32_t row, int64_t position, float *out, float *other)
{
    const ArchConfig *c = p->config;
    const int32_t width = (int32_t)c->width;
    const Weight *positions = &pass_role(p, 0, ROLE_POSITIONS)->matrix;
    const Weight *types = &pass_role(p, 0, ROLE_TYPES)->matrix;
    if (!weight_row(&pass_role(p, 0, ROLE_TOKENS)->matrix, p->input->ids[row], out, NULL)) {
        return false;
    }
    const float scale = c->embedding_scale > 0 ? (float)c->embedding_scale : 1.0f;
    for (int32_t i = 0; i < width; i++) {
        out[i] *= scale;
    }
    if (types->view) {
        if (!weight_row(types, p->input->type_ids ? p->input->type_ids[row] : 0, other, NULL)) {
            return false;
        }
        rows_add(out, width, other, width, 1, width, 1);
    }
    if (positions->view) {
        if (!weight_row(positions, position, other, NULL)) {
            return false;
        }
        rows_add(out, width, other, width, 1, width, 1);
    }
    return true;
}

static bool embed(const Pass *p, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    int32_t placed = 0;
    for (int32_t row = 0; row < p->n; row++) {
        const int64_t position = position_row(p, row, &placed);
        if (!embed_row(p, row, position, p->x + (ptrdiff_t)row * width, p->mixed)) {
            return error_set(err, ERR_FORMAT, "%s: embedding tables cannot be expanded",
                             p->model->info.name);
        }
    }
    (void)pass_norm(p, 0, ROLE_EMBEDDING_NORM, p->x, p->x, p->n, width);
    return fire_rows(p, TAP_EMBEDDING, 0, p->x, 0, p->n, width, err);
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

static bool finish_block(const Pass *p, int32_t layer, const Stage *stage, int32_t row0,
                         int32_t rows, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    const bool parallel = p->config->parallel;
    float *x = p->x + (ptrdiff_t)row0 * width;
    const float *o = p->o + (ptrdiff_t)row0 * heads_width(p->config);
    const float *h = x;
    if (!pass_linear(p, layer, ROLE_O, &stage->floats[0], o, p->mixed, rows, err)) {
        return false;
    }
    (void)pass_norm(p, layer, ROLE_ATTENTION_OUT_NORM, p->mixed, p->mixed, rows, width);
    if (!fire_rows(p, TAP_ATTENTION_OUTPUT, layer, p->mixed, row0, rows, width, err)) {
        return false;
    }
    if (parallel) { /* the MLP reads what attention read: keep that before it changes */
        if (!pass_norm(p, layer, ROLE_MLP_NORM, x, p->hidden, rows, width)) {
            memcpy(p->hidden, x, (size_t)rows * (size_t)width * sizeof *x);
        }
        h = p->hidden;
    }
    add(p, x, p->mixed, rows);
    (void)pass_norm(p, layer, ROLE_ATTENTION_ADD_NORM, x, x, rows, width);
    if (!parallel && pass_norm(p, layer, ROLE_MLP_NORM, x, p->hidden, rows, width)) {
        h = p->hidden;
    }
    if (!mlp(p, layer, stage, h, rows, err)) {
        return false;
    }
    add(p, x, p->mixed, rows);
    (void)pass_norm(p, layer, ROLE_MLP_ADD_NORM, x, x, rows, width);
    return true;
}

static bool finish_layer(const Pass *p, int32_t layer, Error *err)
{
    static const ArchRole ROLES[] = {ROLE_O, ROLE_GATE, ROLE_UP, ROLE_DOWN};
    Stage stage;
    if (!pass_expand(p, layer, ROLES, 4, &stage, err)) {
        return false;
    }
    for (int32_t row0 = 0; row0 < p->n; row0 += PASS_BLOCK_ROWS) {
        const int32_t rows = AS_MIN(PASS_BLOCK_ROWS, p->n - row0);
        const double left = 1.0 - (double)(row0 + rows) / p->n;
        if (!finish_block(p, layer, &stage, row0, rows, err) ||
            !pass_go_on(p, layer, UNITS_PER_LAYER - (int)(UNITS_AFTER_ATTENTION * left), err)) {
            return false;
        }
    }
    return true;
}

static bool run_layer(Pass *p, int32_t layer, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    return pass_go_on(p, layer, 0, err) &&
           fire_rows(p, TAP_LAYER_INPUT, layer, p->x, 0, p->n, width, err) &&
           pass_project(p, layer, err) && pass_attend(p, layer, err) &&
           finish_layer(p, layer, err) &&
           fire_rows(p, TAP_LAYER_OUTPUT, layer, p->x, 0, p->n, width, err);
}

/* ---------------------------------------------------------------- after the layers */

static bool run_head(const Pass *p, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    const int32_t vocabulary = (int32_t)p->config->vocabulary;
    const bool wants_logits = p->taps->sites & TAP_BIT(TAP_LOGITS);
    if (!wants_logits && !(p->taps->sites & TAP_BIT(TAP_FINAL_HIDDEN))) {
        return true;
    }
    (void)pass_norm(p, 0, ROLE_FINAL_NORM, p->x, p->x, p->n, width);
    if (!fire_rows(p, TAP_FINAL_HIDDEN, -1, p->x, 0, p->n, width, err)) {
        return false;
    }
    const int32_t first = p->options->logits == MODEL_LOGITS_ALL ? 0 : p->n - 1;
    const int32_t block = AS_MIN(LOGITS_BLOCK_ROWS, p->n - first);
    float *logits = NULL;
    if (wants_logits) {
        logits = mem_alloc((size_t)block * (size_t)vocabulary * sizeof *logits, err);
    }
    bool ok = !wants_logits || logits;
    for (int32_t row0 = first; wants_logits && ok && row0 < p->n; row0 += block) {
        const int32_t rows = AS_MIN(block, p->n - row0);
        ok = logits_from_final(p->model, p->x + (ptrdiff_t)row0 * width, rows, logits, p->n_threads,
                               err) &&
             fire_rows(p, TAP_LOGITS, -1, logits, row0, rows, vocabulary, err);
    }
    mem_free(logits);
    return ok;
}

static bool run_all(Pass *p, Error *err)
{
    const int32_t all = (int32_t)p->config->n_layers;
    const int32_t n_layers = p->options->n_layers > 0 ? AS_MIN(p->options->n_layers, all) : all;
    JobControl *control = p->options->control;
    if (control) {
        atomic_store(&control->stage, "layer by layer");
        atomic_store(&control->total_units, (uint64_t)n_layers * UNITS_PER_LAYER);
    }
    if (!embed(p, err)) {
        return false;
    }
    for (int32_t layer = 0; layer < n_layers; layer++) {
        if (!run_layer(p, layer, err)) {
            return false;
        }
    }
    return n_layers < all || run_head(p, err);
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
    Pass pass = {.model = model,
                 .config = &model->config,
                 .input = input,
                 .options = options,
                 .taps = taps,
                 .ctx = options->attention ? options->attention : own,
                 .n = input->n_tokens};
    pass.n_threads = attn_ctx_threads(pass.ctx);
    const bool ok = pass_prepare(&pass, err) && run_all(&pass, err);
    pass_release(&pass);
    attn_ctx_destroy(&own);
    return ok;
}
