/*
 * Memory of a forward pass: one block of scratch, laid out by the same function that estimates it.
 */
#include "model/forward.h"

/* Where things lie in the one block of scratch, in floats from its start. */
typedef struct Layout {
    size_t x, o, o_local, row_max, row_log_sum, hidden, mixed, wide, expanded, total;
} Layout;

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
    const size_t block = AS_MIN(n, (size_t)PASS_BLOCK_ROWS), width = (size_t)c->width;
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

uint64_t model_forward_bytes(const Model *model, const ModelInput *input,
                             const ForwardOptions *options, bool placed)
{
    const ForwardOptions none = {0};
    const ArchConfig *c = &model->config;
    const uint64_t n = (uint64_t)AS_MAX(input->n_tokens, 0);
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
    global.divisors = pass_role(p, 0, ROLE_ROTARY_DIVISORS)->vector;
    if (!rotary_table_make(&p->rotary, &global, p->n, &p->tables, p->n_threads, err)) {
        return false;
    }
    const RotaryDesc local = {.width = c->rotary.width, .theta = c->rotary_local_theta};
    return !uses_local_rotary(c) ||
           rotary_table_make(&p->rotary_local, &local, p->n, &p->tables, p->n_threads, err);
}

bool pass_prepare(Pass *p, Error *err)
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

void pass_release(Pass *p)
{
    arena_destroy(&p->tables);
    mem_free(p->scratch);
    mem_free(p->q_own);
    mem_free(p->k_own);
    mem_free(p->v_own);
}
