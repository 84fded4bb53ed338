#include "attention/rows.h"

/* Candidates for the strongest key (a lane's keys, at most 16), first, self, previous. */
enum { MAX_CANDIDATES = 16, N_NAMED = 3, FIRST = 0, SELF, PREVIOUS };

void attn_row_end(const AttnPlan *plan, const AttnRowEnd *end, float *row_max, float *row_log_sum)
{
    float m = end->lane_max[0];
    for (int32_t l = 1; l < plan->kernel->lanes; l++) {
        m = end->lane_max[l] > m ? end->lane_max[l] : m;
    }
    if (end->sum == 0) {
        *row_max = -INFINITY;
        *row_log_sum = 0;
        return;
    }
    *row_max = m;
    /* Relative to ref, which may stand below m by the lazy step. */
    double l = log(end->sum) + ((double)end->ref - (double)m);
    *row_log_sum = (float)(l < 0 ? 0 : l);
}

/* First key of the lane that saw the row's maximum first: the strongest key is one of its run. */
static int32_t strongest_run(const AttnPlan *plan, const AttnRowEnd *end, float row_max)
{
    int32_t lanes = plan->kernel->lanes;
    int32_t best = -1;
    for (int32_t l = 0; l < lanes; l++) {
        if (end->lane_max[l] == row_max && (best < 0 || end->lane_step[l] < end->lane_step[best])) {
            best = l;
        }
    }
    return best < 0 ? -1 : (int32_t)end->lane_step[best] * ATTN_STEP + best * (ATTN_STEP / lanes);
}

/* Scores of single keys of a row, exactly as the pass has them. Keys outside give -INFINITY. */
static void scores_of_keys(const AttnPlan *plan, const AttnRowEnd *end, const int32_t *keys, int n,
                           float *s)
{
    const AttnArgs *a = &plan->args;
    int32_t kv_head = attn_plan_kv_head(plan, end->head);
    const float *q = attn_plan_q(plan, end->head, end->row);
    for (int first = 0; first < n; first += ATTN_SOME_KEYS) {
        const float *rows[ATTN_SOME_KEYS];
        int count = n - first < ATTN_SOME_KEYS ? n - first : ATTN_SOME_KEYS;
        for (int i = 0; i < count; i++) {
            int32_t key = keys[first + i];
            rows[i] = attn_plan_k(plan, kv_head, key >= 0 && key < a->n_keys ? key : 0);
        }
        plan->kernel->score_some(q, rows, count, a->head_dim, a->scale, s + first);
    }
    for (int i = 0; i < n; i++) {
        if (keys[i] < 0 || keys[i] >= a->n_keys) {
            s[i] = -INFINITY;
            continue;
        }
        float bias;
        attn_scores_finish(plan, end->head, end->row, 1, keys[i], 1, s + i, 1, &bias);
    }
}

static void store(float *array, int64_t at, float value)
{
    if (array) {
        array[at] = value;
    }
}

static void named_weights(const AttnPlan *plan, const AttnRowEnd *end, float row_max, float factor,
                          const AttnRowStats *stats, int64_t at)
{
    int64_t position = (int64_t)end->row + plan->args.mask.q_offset;
    int32_t keys[MAX_CANDIDATES + N_NAMED];
    float s[MAX_CANDIDATES + N_NAMED];
    keys[FIRST] = 0;
    keys[SELF] = position >= 0 && position < plan->args.n_keys ? (int32_t)position : -1;
    keys[PREVIOUS] = position >= 1 && position <= plan->args.n_keys ? (int32_t)position - 1 : -1;
    int n = N_NAMED;
    int32_t run = stats->max_key ? strongest_run(plan, end, row_max) : -1;
    for (int i = 0; run >= 0 && i < ATTN_STEP / plan->kernel->lanes; i++) {
        keys[n++] = run + i;
    }
    scores_of_keys(plan, end, keys, n, s);
    for (int i = n - 1; i >= N_NAMED; i--) {
        if (s[i] == row_max) {
            stats->max_key[at] = keys[i];
        }
    }
    plan->kernel->weights(s, N_NAMED, row_max, factor, s);
    store(stats->first_weight, at, s[FIRST]);
    store(stats->self_weight, at, s[SELF]);
    store(stats->prev_weight, at, s[PREVIOUS]);
}

void attn_row_statistics(const AttnPlan *plan, const AttnRowEnd *end, float row_max,
                         float row_log_sum, const AttnRowStats *stats)
{
    int64_t at = (int64_t)end->head * plan->args.n_queries + end->row;
    bool empty = row_max == -INFINITY;
    float factor = attn_row_factor(row_max, row_log_sum);
    double entropy = empty ? 0 : log(end->sum) - end->moment / end->sum;
    store(stats->entropy, at, (float)(entropy < 0 ? 0 : entropy));
    store(stats->distance, at, empty ? 0 : (float)(end->distance / end->sum));
    store(stats->max_weight, at, factor);
    if (stats->max_key) {
        stats->max_key[at] = -1;
    }
    bool named = stats->first_weight || stats->self_weight || stats->prev_weight;
    if (!empty && (named || stats->max_key)) {
        named_weights(plan, end, row_max, factor, stats, at);
    } else if (named) {
        store(stats->first_weight, at, 0);
        store(stats->self_weight, at, 0);
        store(stats->prev_weight, at, 0);
    }
}
