/*
 * The forward pass: what a layer does is written in arch.h. Rows are worked on in blocks, so that
 * activations stay small at any length; only the residual stream, the heads' output and q, k, v of
 * one layer are as long as the text.
 */
#include "model/forward.h"

#include <math.h>
#include <string.h>

#include "compute/gemm.h"
#include "compute/rows.h"
#include "compute/threads.h"

/* Rows worked on at once. Independent of the number of threads, as results must be. */
enum { BLOCK_ROWS = 1024 };
enum { UNITS_PER_LAYER = 1000, UNITS_BEFORE_ATTENTION = 150, UNITS_AFTER_ATTENTION = 400 };

/* Where things lie in the one block of scratch, in floats from its start. */
typedef struct Layout {
    size_t x, o, o_local, row_max, row_log_sum, hidden, mixed, wide, expanded, total;
} Layout;

typedef struct Pass {
    const Model *model;
    const ArchConfig *config;
    const ModelInput *input;
    const ForwardOptions *options;
    const TapTable *taps;
    const AttnCtx *ctx;
    int n_threads;
    int32_t n;          /* N */
    bool is_local;      /* what taps see is not what the network goes on with */
    bool scores_differ; /* ... and needs an attention pass of its own */

    float *scratch;               /* owned, Layout */
    float *x;                     /* [N, C] residual stream */
    float *o, *o_local;           /* [N, H * D] */
    float *row_max, *row_log_sum; /* [H, N] */
    float *hidden, *mixed;        /* [block, C] */
    float *wide;                  /* [block, max(H * D, 2 F)] */
    float *expanded;              /* float weights of one stage */
    float *q_own, *k_own, *v_own; /* owned; NULL while the tap places them */
    float *q, *k, *v;             /* of this layer */
    Arena tables;
    RotaryTable rotary, rotary_local;
} Pass;

static const RoleWeights *role_of(const Pass *p, int32_t layer, ArchRole role)
{
    return weights_role(&p->model->weights, layer, role);
}

static int32_t heads_width(const ArchConfig *c)
{
    return (int32_t)(c->n_heads * c->head_width);
}

/* ---------------------------------------------------------------- memory */

static bool changes_scores(const ModelWhatIf *w)
{
    return (w->temperature != 0 && w->temperature != 1) || w->mask != MODEL_MASK_AUTO;
}

/* Does the network go on without the what-if that taps see? */
static bool is_local(const ModelWhatIf *w)
{
    return !w->propagate && (changes_scores(w) || w->n_ablated > 0);
}

/* Floats of expanded weights that the stages of any layer need at once. */
static size_t expanded_floats(const Model *model)
{
    size_t most = 0;
    for (int32_t layer = 0; layer < model->config.n_layers; layer++) {
        static const ArchRole STAGES[2][4] = {{ROLE_Q, ROLE_K, ROLE_V, ROLE_COUNT},
                                              {ROLE_O, ROLE_GATE, ROLE_UP, ROLE_DOWN}};
        for (int s = 0; s < 2; s++) {
            size_t sum = 0;
            for (int r = 0; r < 4 && STAGES[s][r] != ROLE_COUNT; r++) {
                sum += weight_scratch(&weights_role(&model->weights, layer, STAGES[s][r])->matrix);
            }
            most = AS_MAX(most, sum);
        }
    }
    return most;
}

static bool place_floats(size_t *total, size_t *at, size_t rows, size_t columns)
{
    size_t n;
    *at = *total;
    return checked_mul(rows, columns, &n) && checked_add(n, 15, &n) &&
           checked_add(*total, n / 16 * 16, total);
}

static bool lay_out(const Model *model, int32_t n_tokens, bool local, Layout *l)
{
    const ArchConfig *c = &model->config;
    const size_t n = (size_t)n_tokens, heads = (size_t)heads_width(c);
    const size_t block = AS_MIN(n, (size_t)BLOCK_ROWS), width = (size_t)c->width;
    *l = (Layout){0};
    return place_floats(&l->total, &l->x, n, width) && place_floats(&l->total, &l->o, n, heads) &&
           place_floats(&l->total, &l->o_local, local ? n : 0, heads) &&
           place_floats(&l->total, &l->row_max, n, (size_t)c->n_heads) &&
           place_floats(&l->total, &l->row_log_sum, n, (size_t)c->n_heads) &&
           place_floats(&l->total, &l->hidden, block, width) &&
           place_floats(&l->total, &l->mixed, block, width) &&
           place_floats(&l->total, &l->wide, block, AS_MAX(heads, 2 * (size_t)c->mlp_width)) &&
           place_floats(&l->total, &l->expanded, 1, expanded_floats(model));
}

static bool uses_local_rotary(const ArchConfig *c)
{
    return c->rotary_local_theta > 0 && c->window > 0;
}

uint64_t model_forward_bytes(const Model *model, int32_t n_tokens, const ForwardOptions *options,
                             bool placed)
{
    const ForwardOptions none = {0};
    const ArchConfig *c = &model->config;
    const uint64_t n = (uint64_t)AS_MAX(n_tokens, 0);
    Layout l;
    options = options ? options : &none;
    if (!model->bound || !lay_out(model, (int32_t)n, is_local(&options->what_if), &l) ||
        l.total > SIZE_MAX / 8) {
        return UINT64_MAX;
    }
    uint64_t floats = l.total;
    if (!placed) {
        floats += n * (uint64_t)((c->n_heads + 2 * c->n_kv_heads) * c->head_width);
    }
    floats += n * (uint64_t)c->rotary.width * (uses_local_rotary(c) ? 2 : 1);
    if (model->info.has_logits) {
        floats += logits_floats(model, options->logits == MODEL_LOGITS_ALL ? (int32_t)n : 1);
    }
    return floats * sizeof(float);
}

static bool make_rotary(Pass *p, Error *err)
{
    const ArchConfig *c = p->config;
    RotaryDesc global = c->rotary;
    if (p->model->arch->positions != ARCH_POSITIONS_ROTARY) {
        return true;
    }
    global.divisors = role_of(p, 0, ROLE_ROTARY_DIVISORS)->vector;
    if (!rotary_table_make(&p->rotary, &global, p->n, &p->tables, p->n_threads, err)) {
        return false;
    }
    const RotaryDesc local = {.width = c->rotary.width, .theta = c->rotary_local_theta};
    return !uses_local_rotary(c) ||
           rotary_table_make(&p->rotary_local, &local, p->n, &p->tables, p->n_threads, err);
}

static bool pass_prepare(Pass *p, Error *err)
{
    Layout l;
    p->is_local = is_local(&p->options->what_if);
    p->scores_differ = p->is_local && changes_scores(&p->options->what_if);
    if (!lay_out(p->model, p->n, p->is_local, &l) || l.total > SIZE_MAX / sizeof(float)) {
        return error_set(err, ERR_MEMORY, "%d tokens need more memory than there can be", p->n);
    }
    p->scratch = mem_alloc(l.total * sizeof(float), err);
    if (!p->scratch) {
        return false;
    }
    p->x = p->scratch + l.x;
    p->o = p->scratch + l.o;
    p->o_local = p->scratch + l.o_local;
    p->row_max = p->scratch + l.row_max;
    p->row_log_sum = p->scratch + l.row_log_sum;
    p->hidden = p->scratch + l.hidden;
    p->mixed = p->scratch + l.mixed;
    p->wide = p->scratch + l.wide;
    p->expanded = p->scratch + l.expanded;
    return make_rotary(p, err);
}

static void pass_release(Pass *p)
{
    arena_destroy(&p->tables);
    mem_free(p->scratch);
    mem_free(p->q_own);
    mem_free(p->k_own);
    mem_free(p->v_own);
}

/* ---------------------------------------------------------------- telling */

static bool go_on(const Pass *p, int32_t layer, int units, Error *err)
{
    JobControl *control = p->options->control;
    if (!control) {
        return true;
    }
    if (atomic_load_explicit(&control->cancel, memory_order_relaxed)) {
        return error_set(err, ERR_CANCELLED, "cancelled");
    }
    atomic_store_explicit(&control->done_units, (uint64_t)layer * UNITS_PER_LAYER + (uint64_t)units,
                          memory_order_relaxed);
    return true;
}

static bool fire(const Pass *p, const TapEvent *event, Error *err)
{
    if (!p->taps->fire || !(p->taps->sites & TAP_BIT(event->site))) {
        return true;
    }
    return p->taps->fire(p->taps->payload, event, err);
}

static bool fire_rows(const Pass *p, TapSite site, int32_t layer, float *data, int32_t row0,
                      int32_t n_rows, int32_t width, Error *err)
{
    return fire(p,
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

static bool fire_heads(const Pass *p, TapSite site, int32_t layer, float *data, int32_t n_heads,
                       Error *err)
{
    const int32_t width = (int32_t)p->config->head_width;
    return fire(p,
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

/* ---------------------------------------------------------------- steps */

/* y = norm(x) over packed rows; false when the role has no tensor (y is untouched). */
static bool normalise(const Pass *p, int32_t layer, ArchRole role, const float *x, float *y,
                      int64_t rows, int32_t width)
{
    return model_norm(p->model, layer, role, x, y, rows, width, p->n_threads);
}

/* Matrices of a stage as floats, one behind the other in p->expanded. */
typedef struct Stage {
    WeightFloats floats[4];
} Stage;

static bool expand_stage(const Pass *p, int32_t layer, const ArchRole *roles, int n, Stage *stage,
                         Error *err)
{
    float *at = p->expanded;
    for (int i = 0; i < n; i++) {
        const Weight *w = &role_of(p, layer, roles[i])->matrix;
        if (w->view) {
            if (!weight_expand(w, at, p->n_threads, &stage->floats[i], err)) {
                return false;
            }
            at += weight_scratch(w);
        }
    }
    return true;
}

/* y [rows, out] = x [rows, in] . W^T + bias */
static bool linear(const Pass *p, int32_t layer, ArchRole role, const WeightFloats *floats,
                   const float *x, float *y, int32_t rows, Error *err)
{
    const RoleWeights *r = role_of(p, layer, role);
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

static bool embed_row(const Pass *p, int32_t row, float *out, float *other)
{
    const ArchConfig *c = p->config;
    const int32_t width = (int32_t)c->width;
    const Weight *positions = &role_of(p, 0, ROLE_POSITIONS)->matrix;
    const Weight *types = &role_of(p, 0, ROLE_TYPES)->matrix;
    if (!weight_row(&role_of(p, 0, ROLE_TOKENS)->matrix, p->input->ids[row], out, NULL)) {
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
        if (!weight_row(positions, row + c->position_offset, other, NULL)) {
            return false;
        }
        rows_add(out, width, other, width, 1, width, 1);
    }
    return true;
}

static bool embed(const Pass *p, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    for (int32_t row = 0; row < p->n; row++) {
        if (!embed_row(p, row, p->x + (ptrdiff_t)row * width, p->mixed)) {
            return error_set(err, ERR_FORMAT, "%s: embedding tables cannot be expanded",
                             p->model->info.name);
        }
    }
    (void)normalise(p, 0, ROLE_EMBEDDING_NORM, p->x, p->x, p->n, width);
    return fire_rows(p, TAP_EMBEDDING, 0, p->x, 0, p->n, width, err);
}

/* ---------------------------------------------------------------- q, k, v */

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
    if (!linear(p, layer, role, floats, h, p->wide, rows, err)) {
        return false;
    }
    if (turns) {
        (void)normalise(p, layer, role == ROLE_Q ? ROLE_Q_NORM : ROLE_K_NORM, p->wide, p->wide,
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

static bool project_all(Pass *p, int32_t layer, Error *err)
{
    static const ArchRole ROLES[] = {ROLE_Q, ROLE_K, ROLE_V};
    const int32_t width = (int32_t)p->config->width;
    Stage stage;
    if (!place_heads(p, layer, err) || !expand_stage(p, layer, ROLES, 3, &stage, err)) {
        return false;
    }
    for (int32_t row0 = 0; row0 < p->n; row0 += BLOCK_ROWS) {
        const int32_t rows = AS_MIN(BLOCK_ROWS, p->n - row0);
        const float *x = p->x + (ptrdiff_t)row0 * width;
        const float *h =
            normalise(p, layer, ROLE_ATTENTION_NORM, x, p->hidden, rows, width) ? p->hidden : x;
        for (int i = 0; i < 3; i++) {
            if (!project(p, layer, ROLES[i], &stage.floats[i], h, row0, rows, err)) {
                return false;
            }
        }
        const double done = (double)(row0 + rows) / p->n;
        if (!go_on(p, layer, (int)(UNITS_BEFORE_ATTENTION * done), err)) {
            return false;
        }
    }
    return fire_heads(p, TAP_QUERY, layer, p->q, (int32_t)p->config->n_heads, err) &&
           fire_heads(p, TAP_KEY, layer, p->k, (int32_t)p->config->n_kv_heads, err) &&
           fire_heads(p, TAP_VALUE, layer, p->v, (int32_t)p->config->n_kv_heads, err);
}

/* ---------------------------------------------------------------- attention */

bool model_attention_args(const Model *model, TapPlace place, int32_t n_tokens,
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
    *args = (AttnArgs){.n_queries = n_tokens,
                       .n_keys = n_tokens,
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
    Error ignored;
    (void)go_on(r->pass, r->layer,
                UNITS_BEFORE_ATTENTION + (int)(span * (double)done / (double)AS_MAX(total, 1)),
                &ignored);
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
    const bool known = model_attention_args(p->model, (TapPlace){0, layer}, p->n, NULL, &plain);
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
static bool attend(const Pass *p, int32_t layer, Error *err)
{
    const ptrdiff_t stride = heads_width(p->config);
    const int32_t width = (int32_t)p->config->head_width;
    const TapPlace place = {0, layer};
    AttnArgs args;
    const bool known = model_attention_args(p->model, place, p->n, &p->options->what_if, &args);
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
    return fire(p,
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

/* ---------------------------------------------------------------- the rest of a layer */

/* p->mixed = MLP(h) for a block of rows; h may be p->hidden. */
static bool mlp(const Pass *p, int32_t layer, const Stage *stage, const float *h, int32_t rows,
                Error *err)
{
    const int32_t wide = (int32_t)p->config->mlp_width;
    const bool gated = role_of(p, layer, ROLE_GATE)->matrix.view;
    float *first = p->wide, *second = p->wide + (ptrdiff_t)rows * wide;
    float *up = gated ? second : first;
    if ((gated && !linear(p, layer, ROLE_GATE, &stage->floats[1], h, first, rows, err)) ||
        !linear(p, layer, ROLE_UP, &stage->floats[2], h, up, rows, err)) {
        return false;
    }
    activation_forward(p->config->activation, first, wide, gated ? up : NULL, wide, rows, wide,
                       p->n_threads);
    if (!linear(p, layer, ROLE_DOWN, &stage->floats[3], first, p->mixed, rows, err)) {
        return false;
    }
    (void)normalise(p, layer, ROLE_MLP_OUT_NORM, p->mixed, p->mixed, rows,
                    (int32_t)p->config->width);
    return true;
}

static bool finish_block(const Pass *p, int32_t layer, const Stage *stage, int32_t row0,
                         int32_t rows, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    const bool parallel = p->model->arch->parallel;
    float *x = p->x + (ptrdiff_t)row0 * width;
    const float *o = p->o + (ptrdiff_t)row0 * heads_width(p->config);
    const float *h = x;
    if (!linear(p, layer, ROLE_O, &stage->floats[0], o, p->mixed, rows, err)) {
        return false;
    }
    (void)normalise(p, layer, ROLE_ATTENTION_OUT_NORM, p->mixed, p->mixed, rows, width);
    if (!fire_rows(p, TAP_ATTENTION_OUTPUT, layer, p->mixed, row0, rows, width, err)) {
        return false;
    }
    if (parallel) { /* the MLP reads what attention read: keep that before it changes */
        if (!normalise(p, layer, ROLE_MLP_NORM, x, p->hidden, rows, width)) {
            memcpy(p->hidden, x, (size_t)rows * (size_t)width * sizeof *x);
        }
        h = p->hidden;
    }
    add(p, x, p->mixed, rows);
    (void)normalise(p, layer, ROLE_ATTENTION_ADD_NORM, x, x, rows, width);
    if (!parallel && normalise(p, layer, ROLE_MLP_NORM, x, p->hidden, rows, width)) {
        h = p->hidden;
    }
    if (!mlp(p, layer, stage, h, rows, err)) {
        return false;
    }
    add(p, x, p->mixed, rows);
    (void)normalise(p, layer, ROLE_MLP_ADD_NORM, x, x, rows, width);
    return true;
}

static bool finish_layer(const Pass *p, int32_t layer, Error *err)
{
    static const ArchRole ROLES[] = {ROLE_O, ROLE_GATE, ROLE_UP, ROLE_DOWN};
    Stage stage;
    if (!expand_stage(p, layer, ROLES, 4, &stage, err)) {
        return false;
    }
    for (int32_t row0 = 0; row0 < p->n; row0 += BLOCK_ROWS) {
        const int32_t rows = AS_MIN(BLOCK_ROWS, p->n - row0);
        const double left = 1.0 - (double)(row0 + rows) / p->n;
        if (!finish_block(p, layer, &stage, row0, rows, err) ||
            !go_on(p, layer, UNITS_PER_LAYER - (int)(UNITS_AFTER_ATTENTION * left), err)) {
            return false;
        }
    }
    return true;
}

static bool run_layer(Pass *p, int32_t layer, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    return go_on(p, layer, 0, err) &&
           fire_rows(p, TAP_LAYER_INPUT, layer, p->x, 0, p->n, width, err) &&
           project_all(p, layer, err) && attend(p, layer, err) && finish_layer(p, layer, err) &&
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
    (void)normalise(p, 0, ROLE_FINAL_NORM, p->x, p->x, p->n, width);
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
        atomic_store(&control->stage, "layers");
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
