/*
 * From the residual stream to q, k, v and the output of the heads.
 */
#include "model/forward.h"

#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------- q, k, v */

static bool fire_heads(const Pass *p, TapSite tap, const Site *site, float *data, int64_t n_heads,
                       Error *err)
{
    const int32_t width = (int32_t)p->config->head_width;
    const int32_t rows = tap == TAP_QUERY ? p->n : site->n_keys;
    return pass_fire(p,
                     &(TapEvent){.site = tap,
                                 .place = site->place,
                                 .data = data,
                                 .n_heads = (int32_t)n_heads,
                                 .n_rows = rows,
                                 .width = width,
                                 .head_stride = (ptrdiff_t)rows * width,
                                 .row_stride = width},
                     err);
}

static bool own_heads(float **own, const Pass *p, int64_t n_rows, int64_t n_heads, float **out,
                      Error *err)
{
    size_t n;
    if (*out) {
        return true; /* placed by the tap */
    }
    if (!*own) {
        if (!checked_mul((size_t)n_rows, (size_t)(n_heads * p->config->head_width) * sizeof(float),
                         &n)) {
            return error_set(err, ERR_MEMORY, "%d tokens need more memory than there can be", p->n);
        }
        *own = mem_alloc(n, err);
    }
    *out = *own;
    return *own != NULL;
}

/* Rows between two heads of keys and values. */
static int32_t key_rows(const Pass *p, const Site *site)
{
    return p->cache && !site->cross ? p->cache->capacity : site->n_keys;
}

/* What the cache has of keys and values. */
static void place_cached(Pass *p, const Site *site)
{
    const ptrdiff_t layer = site->place.layer * (ptrdiff_t)p->config->n_kv_heads *
                            key_rows(p, site) * (ptrdiff_t)p->config->head_width;
    p->k = (site->cross ? p->cache->cross_k : p->cache->k) + layer;
    p->v = (site->cross ? p->cache->cross_v : p->cache->v) + layer;
}

static bool place_heads(Pass *p, const Site *site, Error *err)
{
    TapBuffers buffers = {0};
    const int64_t keys = AS_MAX(p->n, p->n_source); /* self and cross attention take turns */
    if (p->taps->place && !p->taps->place(p->taps->payload, site->place, p->n, &buffers, err)) {
        return false;
    }
    p->q = buffers.q;
    p->k = buffers.k;
    p->v = buffers.v;
    if (p->cache) {
        place_cached(p, site);
    }
    return own_heads(&p->q_own, p, p->n, p->config->n_heads, &p->q, err) &&
           own_heads(&p->k_own, p, keys, p->config->n_kv_heads, &p->k, err) &&
           own_heads(&p->v_own, p, keys, p->config->n_kv_heads, &p->v, err);
}

static const RotaryTable *rotary_of(const Pass *p, const Site *site)
{
    if (p->part->arch->positions != ARCH_POSITIONS_ROTARY || site->cross) {
        return NULL;
    }
    return uses_local_rotary(p->config) && !arch_layer_is_global(p->config, site->place.layer)
               ? &p->rotary_local
               : &p->rotary;
}

/* q, k and v in this order. */
enum { OPERAND_Q, OPERAND_K, OPERAND_V, OPERAND_COUNT };
static const ArchRole SELF_ROLES[OPERAND_COUNT] = {ROLE_Q, ROLE_K, ROLE_V};
static const ArchRole CROSS_ROLES[OPERAND_COUNT] = {ROLE_CROSS_Q, ROLE_CROSS_K, ROLE_CROSS_V};

/* Projects a block of rows into the heads of one operand. */
static bool project(const Pass *p, const Site *site, int operand, const WeightFloats *floats,
                    const float *h, int32_t row0, int32_t rows, Error *err)
{
    const ArchConfig *c = p->config;
    const int32_t layer = site->place.layer;
    const bool turns = operand != OPERAND_V;
    const int64_t heads = operand == OPERAND_Q ? c->n_heads : c->n_kv_heads;
    const int32_t width = (int32_t)c->head_width;
    const ArchRole role = (site->cross ? CROSS_ROLES : SELF_ROLES)[operand];
    const bool is_query = operand == OPERAND_Q;
    const ptrdiff_t before = site->cross || is_query ? 0 : (ptrdiff_t)pass_first(p) * width;
    float *const targets[] = {p->q, p->k, p->v};
    if (!pass_linear(p, layer, role, floats, h, p->wide, rows, err)) {
        return false;
    }
    if (turns && !site->cross) {
        (void)pass_norm(p, layer, operand == OPERAND_Q ? ROLE_Q_NORM : ROLE_K_NORM, p->wide,
                        p->wide, rows * heads, width);
    }
    rotary_move_heads(&(RotaryMove){.source = p->wide,
                                    .target = targets[operand] + before,
                                    .table = turns ? rotary_of(p, site) : NULL,
                                    .source_stride = heads * width,
                                    .row0 = row0,
                                    .n_rows = rows,
                                    .n_tokens = is_query ? p->n : key_rows(p, site),
                                    .n_heads = (int32_t)heads,
                                    .head_width = width,
                                    .interleaved = turns && p->part->weights.heads_interleaved},
                      p->n_threads);
    return true;
}

/* Operands [first, end) from rows of x, block by block; `norm` is taken of the rows first. */
static bool project_rows(const Pass *p, const Site *site, const Stage *stage, int first, int end,
                         const float *x, int32_t n, bool norm, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    const ArchRole norm_role = site->cross ? ROLE_CROSS_NORM : ROLE_ATTENTION_NORM;
    for (int32_t row0 = 0; row0 < n; row0 += PASS_BLOCK_ROWS) {
        const int32_t rows = AS_MIN(PASS_BLOCK_ROWS, n - row0);
        const float *h = x + (ptrdiff_t)row0 * width;
        if (norm && pass_norm(p, site->place.layer, norm_role, h, p->hidden, rows, width)) {
            h = p->hidden;
        }
        for (int i = first; i < end; i++) {
            if (!project(p, site, i, &stage->floats[i], h, row0, rows, err)) {
                return false;
            }
        }
        const double done = (double)(row0 + rows) / n;
        if (!pass_go_on(p, site->place.layer, (int)(UNITS_BEFORE_ATTENTION * done), err)) {
            return false;
        }
    }
    return true;
}

/* Patterns that were made take the place of what the projections gave. */
static void make_operands(const Pass *p, int32_t layer)
{
    const SyntheticModel *made = p->part->synthetic;
    const ArchConfig *c = p->config;
    const int32_t width = (int32_t)c->head_width;
    const ptrdiff_t head = (ptrdiff_t)p->n * width;
    for (int32_t h = 0; made && h < (int32_t)c->n_heads; h++) {
        const SyntheticHead what =
            synthetic_head(made->pattern, made->seed, layer, (int32_t)c->n_layers, h);
        synthetic_operands(&what, p->ids, p->n, width, p->q + h * head, p->k + h * head);
    }
}

static bool fire_operands(Pass *p, const Site *site, Error *err)
{
    const int64_t groups = p->config->n_kv_heads;
    make_operands(p, site->place.layer);
    return fire_heads(p, TAP_QUERY, site, p->q, p->config->n_heads, err) &&
           fire_heads(p, TAP_KEY, site, p->k, groups, err) &&
           fire_heads(p, TAP_VALUE, site, p->v, groups, err);
}

bool pass_project(Pass *p, const Site *site, Error *err)
{
    const int own = site->cross ? OPERAND_K : OPERAND_COUNT; /* made of this text's rows */
    const bool reads_source = site->cross && !(p->cache && p->cache->has_source);
    const int n = site->cross && !reads_source ? own : OPERAND_COUNT;
    Stage stage;
    return place_heads(p, site, err) &&
           pass_expand(p, site->place.layer, site->cross ? CROSS_ROLES : SELF_ROLES, n, &stage,
                       err) &&
           project_rows(p, site, &stage, OPERAND_Q, own, p->x, p->n, true, err) &&
           (!reads_source || project_rows(p, site, &stage, OPERAND_K, OPERAND_COUNT, p->source,
                                          p->n_source, false, err)) &&
           fire_operands(p, site, err);
}

/* ---------------------------------------------------------------- attention */

bool model_attention_args(const Model *model, TapPlace place, int32_t n_queries, int32_t n_keys,
                          const ModelWhatIf *what_if, AttnArgs *args)
{
    const ModelWhatIf none = {0};
    what_if = what_if ? what_if : &none;
    const ModelPart *part =
        model->encoder.arch && place.stack == 0 ? &model->encoder : &model->main;
    const ArchConfig *c = &part->config;
    if (!part->arch || place.stack < 0 || place.stack >= model->info.n_stacks || place.layer < 0 ||
        place.layer >= c->n_layers) {
        return false;
    }
    const bool cross = model->info.stacks[place.stack].kind == MODEL_STACK_CROSS;
    const float t = what_if->temperature > 0 ? what_if->temperature : 1.0f;
    const double scale = what_if->unscaled    ? 1.0
                         : c->score_scale > 0 ? c->score_scale
                                              : 1.0 / sqrt((double)c->head_width);
    *args = (AttnArgs){.n_queries = n_queries,
                       .n_keys = n_keys,
                       .n_heads = (int32_t)c->n_heads,
                       .n_kv_heads = (int32_t)c->n_kv_heads,
                       .head_dim = (int32_t)c->head_width,
                       .v_dim = (int32_t)c->head_width,
                       .scale = (float)scale / t,
                       /* cap * tanh(s / cap) / t = (cap / t) * tanh((s / t) / (cap / t)) */
                       .soft_cap = (float)c->score_cap / t};
    if (cross || what_if->mask == MODEL_MASK_NONE) {
        return true;
    }
    const bool causal =
        what_if->mask == MODEL_MASK_CAUSAL || part->arch->stack == MODEL_STACK_DECODER;
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

static void clear_ablated(const Pass *p, TapPlace place, float *o)
{
    const ptrdiff_t stride = heads_width(p->config);
    const size_t width = (size_t)p->config->head_width;
    for (int32_t a = 0; a < p->options->what_if.n_ablated; a++) {
        const ModelHead *head = &p->options->what_if.ablated[a];
        const bool here = head->stack == place.stack && head->layer == place.layer;
        for (int32_t row = 0; here && row < p->n; row++) {
            memset(o + row * stride + (ptrdiff_t)width * head->head, 0, width * sizeof *o);
        }
    }
}

typedef struct BiasTerms {
    const float *values; /* Pass.bias */
    int32_t n;           /* N, with rows before */
    int32_t first;       /* rows before */
    float factor;        /* 1 / temperature */
} BiasTerms;

/* AttnBias.fill */
static void fill_bias(void *payload, int32_t head, int32_t row0, int32_t n_rows, int32_t col0,
                      int32_t n_cols, float *bias, ptrdiff_t ld)
{
    const BiasTerms *terms = payload;
    const ptrdiff_t span = 2 * (ptrdiff_t)terms->n - 1;
    for (int32_t r = 0; r < n_rows; r++, bias += ld) {
        const float *values =
            terms->values + head * span + terms->n - 1 + col0 - (terms->first + row0 + r);
        for (int32_t c = 0; c < n_cols; c++) {
            bias[c] = terms->factor * values[c];
        }
    }
}

/* Attention by the architecture's word alone. */
static bool attend_unchanged(const Pass *p, const AttnArgs *changed, const Site *site, Error *err)
{
    AttnArgs args = *changed;
    AttnArgs plain;
    const bool known =
        model_attention_args(p->model, site->place, p->n, site->n_keys, NULL, &plain);
    AS_ASSERT(known);
    args.scale = plain.scale;
    args.soft_cap = plain.soft_cap;
    args.mask = plain.mask;
    BiasTerms terms = {.values = p->bias, .n = p->n, .factor = 1};
    args.bias.payload = &terms;
    AttnOutputs out = {.o = p->o,
                       .o_row_stride = heads_width(p->config),
                       .o_head_stride = (ptrdiff_t)p->config->head_width};
    return run_attention(p, site->place.layer, &args, &out, err);
}

/* p->o becomes what the network goes on with; what taps see is beside it where a what-if is local.
 */
bool pass_attend(const Pass *p, const Site *site, Error *err)
{
    const ptrdiff_t stride = heads_width(p->config);
    const int32_t width = (int32_t)p->config->head_width;
    const int32_t first = pass_first(p);
    AttnArgs args;
    const bool known = model_attention_args(p->model, site->place, p->n, site->n_keys,
                                            &p->options->what_if, &args);
    AS_ASSERT(known);
    args.q = p->q;
    args.k = p->k;
    args.v = p->v;
    if (p->cache) {
        args.k_head_stride = args.v_head_stride = (ptrdiff_t)key_rows(p, site) * width;
        args.mask.q_offset = site->cross ? 0 : first;
    }
    const float t = p->options->what_if.temperature;
    BiasTerms terms = {p->bias, first + p->n, first, t > 0 ? 1 / t : 1};
    if (p->bias && !site->cross) {
        args.bias = (AttnBias){fill_bias, &terms};
    }
    if (p->scores_differ && !attend_unchanged(p, &args, site, err)) {
        return false;
    }
    float *recorded = p->is_local ? p->o_local : p->o;
    AttnOutputs out = {.o = recorded, .o_row_stride = stride, .o_head_stride = width};
    if (p->taps->attention &&
        !p->taps->attention(p->taps->payload, site->place, &args, &out, err)) {
        return false;
    }
    if (!run_attention(p, site->place.layer, &args, &out, err)) {
        return false;
    }
    if (p->is_local && !p->scores_differ) { /* only heads are ablated: one pass served both */
        memcpy(p->o, recorded, (size_t)p->n * (size_t)stride * sizeof *recorded);
    }
    clear_ablated(p, site->place, recorded);
    return pass_fire(p,
                     &(TapEvent){.site = TAP_HEAD_OUTPUT,
                                 .place = site->place,
                                 .data = recorded,
                                 .n_heads = (int32_t)p->config->n_heads,
                                 .n_rows = p->n,
                                 .width = width,
                                 .head_stride = width,
                                 .row_stride = stride},
                     err);
}
