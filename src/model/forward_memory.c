/*
 * Memory of a forward pass: one block of scratch, laid out by the same function that estimates it.
 */
#include "model/forward.h"

/* Where things lie in the one block of scratch, in floats from its start. */
typedef struct Layout {
    size_t x, o, o_local, row_max, row_log_sum, hidden, mixed, wide, bias, expanded, total;
} Layout;

static bool changes_scores(const ModelWhatIf *w)
{
    return w->unscaled || (w->temperature != 0 && w->temperature != 1) ||
           w->mask != MODEL_MASK_AUTO;
}

/* Does the network go on without the what-if that taps see? */
static bool is_local(const ModelWhatIf *w)
{
    return !w->propagate && (changes_scores(w) || w->n_ablated > 0);
}

/* Floats of expanded weights that the stages of any layer need at once. */
static size_t expanded_floats(const ModelPart *part)
{
    static const ArchRole STAGES[][4] = {{ROLE_Q, ROLE_K, ROLE_V, ROLE_COUNT},
                                         {ROLE_CROSS_Q, ROLE_CROSS_K, ROLE_CROSS_V, ROLE_COUNT},
                                         {ROLE_O, ROLE_GATE, ROLE_UP, ROLE_DOWN},
                                         {ROLE_CROSS_O, ROLE_GATE, ROLE_UP, ROLE_DOWN}};
    const RoleWeights *own = part->weights.roles;
    size_t most = AS_MAX(weight_scratch(&own[ROLE_PROJECT_IN].matrix),
                         weight_scratch(&own[ROLE_PATCHES].matrix));
    for (int32_t layer = 0; layer < part->config.n_layers; layer++) {
        for (size_t s = 0; s < AS_COUNT(STAGES); s++) {
            size_t sum = 0;
            for (int r = 0; r < 4 && STAGES[s][r] != ROLE_COUNT; r++) {
                sum += weight_scratch(&weights_role(&part->weights, layer, STAGES[s][r])->matrix);
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

/* n_before: rows that a cache holds. n_keys: rows that keys and values are made of, more than
 * n_tokens where a source is longer. */
static bool lay_out(const ModelPart *part, int32_t n_tokens, int32_t n_before, int32_t n_keys,
                    bool local, Layout *l)
{
    const ArchConfig *c = &part->config;
    const size_t n = (size_t)n_tokens, heads = (size_t)heads_width(c);
    const size_t block = AS_MIN(n, (size_t)PASS_BLOCK_ROWS), width = (size_t)c->width;
    const size_t longest = AS_MIN(AS_MAX(n, (size_t)n_keys), (size_t)PASS_BLOCK_ROWS);
    const bool biased = part->arch->positions == ARCH_POSITIONS_DISTANCE;
    *l = (Layout){0};
    return place_floats(&l->total, &l->x, n, width) && place_floats(&l->total, &l->o, n, heads) &&
           place_floats(&l->total, &l->o_local, local ? n : 0, heads) &&
           place_floats(&l->total, &l->row_max, n, (size_t)c->n_heads) &&
           place_floats(&l->total, &l->row_log_sum, n, (size_t)c->n_heads) &&
           place_floats(&l->total, &l->hidden, block, AS_MAX(width, (size_t)c->embedding_width)) &&
           place_floats(&l->total, &l->mixed, block, width) &&
           place_floats(&l->total, &l->wide, longest, AS_MAX(heads, 2 * (size_t)c->mlp_width)) &&
           place_floats(&l->total, &l->bias, biased ? 2 * (n + (size_t)n_before) : 0,
                        (size_t)c->n_heads) &&
           place_floats(&l->total, &l->expanded, 1, expanded_floats(part));
}

/* Of one part, for n rows that look at up to n_keys. */
static uint64_t part_floats(const ModelPart *part, uint64_t n, uint64_t n_keys,
                            const ForwardOptions *options, bool placed)
{
    const ArchConfig *c = &part->config;
    Layout l;
    if (!lay_out(part, (int32_t)n, 0, (int32_t)n_keys, is_local(&options->what_if), &l) ||
        l.total > SIZE_MAX / 8) {
        return UINT64_MAX / 8;
    }
    uint64_t floats = l.total + n * (uint64_t)c->rotary.width * (uses_local_rotary(c) ? 2 : 1);
    if (!placed) {
        floats += (n * (uint64_t)c->n_heads + n_keys * 2 * (uint64_t)c->n_kv_heads) *
                  (uint64_t)c->head_width;
    }
    if (c->patch_side > 0) {
        floats += AS_MIN(n, (uint64_t)PASS_BLOCK_ROWS) *
                  (uint64_t)(c->n_channels * c->patch_side * c->patch_side);
    }
    return floats;
}

uint64_t model_forward_bytes(const Model *model, const ModelInput *input,
                             const ForwardOptions *options, bool placed)
{
    const ForwardOptions none = {0};
    const bool both = model->encoder.arch;
    const uint64_t n = (uint64_t)AS_MAX(input->n_tokens, 0);
    const uint64_t last = both ? (uint64_t)AS_MAX(input->n_target, 0) : n;
    options = options ? options : &none;
    if (!model->bound) {
        return UINT64_MAX;
    }
    uint64_t floats = part_floats(both ? &model->encoder : &model->main, n, n, options, placed);
    if (both && last > 0) {
        const uint64_t states = n * (uint64_t)model->main.config.width;
        const uint64_t decoder =
            part_floats(&model->main, last, AS_MAX(n, last), options, placed) + states;
        floats = AS_MAX(floats + states, decoder);
    }
    if (floats >= UINT64_MAX / 8) {
        return UINT64_MAX;
    }
    if (model->info.has_logits && last > 0) {
        floats += logits_floats(model, options->logits == MODEL_LOGITS_ALL ? (int32_t)last : 1);
    }
    return floats * sizeof(float);
}

/* What frequencies are divided by: longrope has one list for texts as long as it was trained on
 * first and one for longer ones, in the config or in the file. */
static const float *rotary_divisors(const Pass *p)
{
    const ArchConfig *c = p->config;
    const bool is_long = c->rotary.original_positions > 0 &&
                         (double)(pass_first(p) + p->n) > c->rotary.original_positions;
    const float *last = pass_role(p, 0, ROLE_ROTARY_DIVISORS_LONG)->vector;
    if (c->rotary_listed) {
        return is_long ? c->rotary_long : c->rotary_short;
    }
    return is_long && last ? last : pass_role(p, 0, ROLE_ROTARY_DIVISORS)->vector;
}

static bool make_rotary(Pass *p, Error *err)
{
    const ArchConfig *c = p->config;
    RotaryDesc global = c->rotary;
    if (p->part->arch->positions != ARCH_POSITIONS_ROTARY) {
        return true;
    }
    global.divisors = rotary_divisors(p);
    global.first = pass_first(p);
    if (!rotary_table_make(&p->rotary, &global, p->n, &p->tables, p->n_threads, err)) {
        return false;
    }
    const RotaryDesc local = {
        .width = c->rotary.width, .theta = c->rotary_local_theta, .first = pass_first(p)};
    return !uses_local_rotary(c) ||
           rotary_table_make(&p->rotary_local, &local, p->n, &p->tables, p->n_threads, err);
}

bool pass_prepare(Pass *p, Error *err)
{
    Layout l;
    p->is_local = is_local(&p->options->what_if);
    p->scores_differ = p->is_local && changes_scores(&p->options->what_if);
    if (!lay_out(p->part, p->n, pass_first(p), p->n_source, p->is_local, &l) ||
        l.total > SIZE_MAX / sizeof(float)) {
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
    if (p->part->arch->positions == ARCH_POSITIONS_DISTANCE) {
        p->bias = p->scratch + l.bias;
        return distance_bias_fill(p->part, pass_first(p) + p->n, p->bias, err);
    }
    return make_rotary(p, err);
}

void pass_release(Pass *p)
{
    arena_destroy(&p->tables);
    mem_free(p->scratch);
    mem_free(p->q_own);
    mem_free(p->k_own);
    mem_free(p->v_own);
}
