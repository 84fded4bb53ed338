/*
 * From the residual stream to q, k, v and the output of the heads.
 */
#include "model/forward.h"

#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------- q, k, v */

static bool fire_heads(const Pass *p, TapSite site, int32_t layer, float *data, int32_t n_heads,
                       Error *err)
{
    const int32_t width = (int32_t)p->config->head_width;
    return pass_fire(p,
                     &(TapEvent){.site = site,
                                 .place = {0, layer},
                                 .data = data,
                                 .n_heads = n_heads,
                                 .n_rows = p->n,
                                 .width = width,
                                 .head_stride = (ptrdiff_t)p->n * width,
                                 .row_stride = width},
                     err);
}

static bool own_heads(float **own, const Pass *p, int64_t n_heads, float **out, Error *err)
{
    size_t n;
    if (*out) {
        return true; /* placed by the tap */
    }
    if (!*own) {
        if (!checked_mul((size_t)p->n, (size_t)(n_heads * p->config->head_width) * sizeof(float),
                         &n)) {
            return error_set(err, ERR_MEMORY, "%d tokens need more memory than there can be", p->n);
        }
        *own = mem_alloc(n, err);
    }
    *out = *own;
    return *own != NULL;
}

static bool place_heads(Pass *p, int32_t layer, Error *err)
{
    const TapPlace place = {0, layer};
    TapBuffers buffers = {0};
    if (p->taps->place && !p->taps->place(p->taps->payload, place, p->n, &buffers, err)) {
        return false;
    }
    p->q = buffers.q;
    p->k = buffers.k;
    p->v = buffers.v;
    return own_heads(&p->q_own, p, p->config->n_heads, &p->q, err) &&
           own_heads(&p->k_own, p, p->config->n_kv_heads, &p->k, err) &&
           own_heads(&p->v_own, p, p->config->n_kv_heads, &p->v, err);
}

static const RotaryTable *rotary_of(const Pass *p, int32_t layer)
{
    if (p->model->arch->positions != ARCH_POSITIONS_ROTARY) {
        return NULL;
    }
    return uses_local_rotary(p->config) && !arch_layer_is_global(p->config, layer)
               ? &p->rotary_local
               : &p->rotary;
}

/* Projects a block of rows into the heads of one operand. */
static bool project(const Pass *p, int32_t layer, ArchRole role, const WeightFloats *floats,
                    const float *h, int32_t row0, int32_t rows, Error *err)
{
    const ArchConfig *c = p->config;
    const bool turns = role != ROLE_V;
    const int64_t heads = role == ROLE_Q ? c->n_heads : c->n_kv_heads;
    const int32_t width = (int32_t)c->head_width;
    if (!pass_linear(p, layer, role, floats, h, p->wide, rows, err)) {
        return false;
    }
    if (turns) {
        (void)pass_norm(p, layer, role == ROLE_Q ? ROLE_Q_NORM : ROLE_K_NORM, p->wide, p->wide,
                        rows * heads, width);
    }
    rotary_move_heads(&(RotaryMove){.source = p->wide,
                                    .target = role == ROLE_Q   ? p->q
                                              : role == ROLE_K ? p->k
                                                               : p->v,
                                    .table = turns ? rotary_of(p, layer) : NULL,
                                    .source_stride = heads * width,
                                    .row0 = row0,
                                    .n_rows = rows,
                                    .n_tokens = p->n,
                                    .n_heads = (int32_t)heads,
                                    .head_width = width,
                                    .interleaved = turns && p->model->weights.heads_interleaved},
                      p->n_threads);
    return true;
}

bool pass_project(Pass *p, int32_t layer, Error *err)
{
    static const ArchRole ROLES[] = {ROLE_Q, ROLE_K, ROLE_V};
    const int32_t width = (int32_t)p->config->width;
    Stage stage;
    if (!place_heads(p, layer, err) || !pass_expand(p, layer, ROLES, 3, &stage, err)) {
        return false;
    }
    for (int32_t row0 = 0; row0 < p->n; row0 += PASS_BLOCK_ROWS) {
        const int32_t rows = AS_MIN(PASS_BLOCK_ROWS, p->n - row0);
        const float *x = p->x + (ptrdiff_t)row0 * width;
        const float *h =
            pass_norm(p, layer, ROLE_ATTENTION_NORM, x, p->hidden, rows, width) ? p->hidden : x;
        for (int i = 0; i < 3; i++) {
            if (!project(p, layer, ROLES[i], &stage.floats[i], h, row0, rows, err)) {
                return false;
            }
        }
        const double done = (double)(row0 + rows) / p->n;
        if (!pass_go_on(p, layer, (int)(UNITS_BEFORE_ATTENTION * done), err)) {
            return false;
        }
    }
    return fire_heads(p, TAP_QUERY, layer, p->q, (int32_t)p->config->n_heads, err) &&
           fire_heads(p, TAP_KEY, layer, p->k, (int32_t)p->config->n_kv_heads, err) &&
           fire_heads(p, TAP_VALUE, layer, p->v, (int32_t)p->config->n_kv_heads, err);
}

/* ---------------------------------------------------------------- attention */

bool model_attention_args(const Model *model, TapPlace place, int32_t n_queries, int32_t n_keys,
                          const ModelWhatIf *what_if, AttnArgs *args)
{
    const ModelWhatIf none = {0};
    const ArchConfig *c = &model->config;
    what_if = what_if ? what_if : &none;
    if (!model->arch || place.stack != 0 || place.layer < 0 || place.layer >= c->n_layers) {
        return false;
    }
    const float t = what_if->temperature > 0 ? what_if->temperature : 1.0f;
    const double scale = c->score_scale > 0 ? c->score_scale : 1.0 / sqrt((double)c->head_width);
    *args = (AttnArgs){.n_queries = n_queries,
                       .n_keys = n_keys,
                       .n_heads = (int32_t)c->n_heads,
                       .n_kv_heads = (int32_t)c->n_kv_heads,
                       .head_dim = (int32_t)c->head_width,
                       .v_dim = (int32_t)c->head_width,
                       .scale = (float)scale / t,
                       /* cap * tanh(s / cap) / t = (cap / t) * tanh((s / t) / (cap / t)) */
                       .soft_cap = (float)c->score_cap / t};
    if (what_if->mask == MODEL_MASK_NONE) {
        return true;
    }
    const bool causal =
        what_if->mask == MODEL_MASK_CAUSAL || model->arch->stack == MODEL_STACK_DECODER;
    args->mask.kind = causal ? ATTN_MASK_CAUSAL : ATTN_MASK_NONE;
    if (!arch_layer_is_global(c, place.layer)) {
        args->mask.kind |= c->window_symmetric ? ATTN_MASK_WINDOW_SYMMETRIC : ATTN_MASK_WINDOW;
        args->mask.window = (int32_t)c->window;
    }
    return true;
}

typedef struct Report {
    const Pass *pass;
    int32_t layer;
} Report;

static void report_attention(void *payload, int64_t done, int64_t total)
{
    const Report *r = payload;
    const int span = UNITS_PER_LAYER - UNITS_BEFORE_ATTENTION - UNITS_AFTER_ATTENTION;
    pass_tell(r->pass, r->layer,
              UNITS_BEFORE_ATTENTION + (int)(span * (double)done / (double)AS_MAX(total, 1)));
}

static bool run_attention(const Pass *p, int32_t layer, const AttnArgs *args, AttnOutputs *out,
                          Error *err)
{
    Report report = {p, layer};
    JobControl *control = p->options->control;
    const AttnProgress progress = {.cancel = control ? &control->cancel : NULL,
                                   .report = report_attention,
                                   .payload = &report};
    out->row_max = out->row_max ? out->row_max : p->row_max;
    out->row_log_sum = out->row_log_sum ? out->row_log_sum : p->row_log_sum;
    const AttnStatus status = attn_forward(p->ctx, args, out, &progress);
    if (status == ATTN_OK) {
        return true;
    }
    const ErrorCode code = status == ATTN_CANCELLED ? ERR_CANCELLED
                           : status == ATTN_MEMORY  ? ERR_MEMORY
                                                    : ERR_INTERNAL;
    return error_set(err, code, "attention of layer %d: %s", layer, attn_status_text(status));
}

static void clear_ablated(const Pass *p, int32_t layer, float *o)
{
    const ptrdiff_t stride = heads_width(p->config);
    const size_t width = (size_t)p->config->head_width;
    for (int32_t a = 0; a < p->options->what_if.n_ablated; a++) {
        const ModelHead *head = &p->options->what_if.ablated[a];
        for (int32_t row = 0; head->layer == layer && row < p->n; row++) {
            memset(o + row * stride + (ptrdiff_t)width * head->head, 0, width * sizeof *o);
        }
    }
}

/* Attention by the architecture's word alone. */
static bool attend_unchanged(const Pass *p, const AttnArgs *changed, int32_t layer, Error *err)
{
    AttnArgs args = *changed;
    AttnArgs plain;
    const bool known =
        model_attention_args(p->model, (TapPlace){0, layer}, p->n, p->n, NULL, &plain);
    AS_ASSERT(known);
    args.scale = plain.scale;
    args.soft_cap = plain.soft_cap;
    args.mask = plain.mask;
    AttnOutputs out = {.o = p->o,
                       .o_row_stride = heads_width(p->config),
                       .o_head_stride = (ptrdiff_t)p->config->head_width};
    return run_attention(p, layer, &args, &out, err);
}

/* p->o becomes what the network goes on with; what taps see is beside it where a what-if is local.
 */
bool pass_attend(const Pass *p, int32_t layer, Error *err)
{
    const ptrdiff_t stride = heads_width(p->config);
    const int32_t width = (int32_t)p->config->head_width;
    const TapPlace place = {0, layer};
    AttnArgs args;
    const bool known =
        model_attention_args(p->model, place, p->n, p->n, &p->options->what_if, &args);
    AS_ASSERT(known);
    args.q = p->q;
    args.k = p->k;
    args.v = p->v;
    if (p->scores_differ && !attend_unchanged(p, &args, layer, err)) {
        return false;
    }
    float *recorded = p->is_local ? p->o_local : p->o;
    AttnOutputs out = {.o = recorded, .o_row_stride = stride, .o_head_stride = width};
    if (p->taps->attention && !p->taps->attention(p->taps->payload, place, &args, &out, err)) {
        return false;
    }
    if (!run_attention(p, layer, &args, &out, err)) {
        return false;
    }
    if (p->is_local && !p->scores_differ) { /* only heads are ablated: one pass served both */
        memcpy(p->o, recorded, (size_t)p->n * (size_t)stride * sizeof *recorded);
    }
    clear_ablated(p, layer, recorded);
    return pass_fire(p,
                     &(TapEvent){.site = TAP_HEAD_OUTPUT,
                                 .place = place,
                                 .data = recorded,
                                 .n_heads = (int32_t)p->config->n_heads,
                                 .n_rows = p->n,
                                 .width = width,
                                 .head_stride = width,
                                 .row_stride = stride},
                     err);
}
