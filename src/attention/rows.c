#include "attention/rows.h"

enum { MAX_RUN = 16 }; /* most keys of a lane in a step */

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

/* Scores of n keys of a row from `key` on, exactly as the pass has them. */
static void scores_of_run(const AttnPlan *plan, const AttnRowEnd *end, int32_t key, int32_t n,
                          float *s)
{
    const AttnArgs *a = &plan->args;
    int32_t kv_head = attn_plan_kv_head(plan, end->head);
    const float *q = attn_plan_q(plan, end->head, end->row);
    for (int32_t first = 0; first < n; first += ATTN_SOME_KEYS) {
        const float *rows[ATTN_SOME_KEYS];
        int32_t count = n - first < ATTN_SOME_KEYS ? n - first : ATTN_SOME_KEYS;
        for (int32_t i = 0; i < count; i++) {
            rows[i] = attn_plan_k(plan, kv_head, key + first + i);
        }
        plan->kernel->score_some(q, rows, count, a->head_dim, a->scale, s + first);
    }
    float bias[MAX_RUN];
    attn_scores_finish(plan, end->head, end->row, 1, key, n, s, n, bias);
}

/*
 * The first key whose score is m. The pass knows for each lane its maximum and in which step it
 * first had it; the earliest step decides, in it the lowest lane, and of that lane's run of keys
 * the scores tell.
 */
static int32_t strongest_key(const AttnPlan *plan, const AttnRowEnd *end, float row_max)
{
    int32_t lanes = plan->kernel->lanes, run = ATTN_STEP / lanes;
    int32_t best = -1;
    for (int32_t l = 0; l < lanes; l++) {
        if (end->lane_max[l] == row_max && (best < 0 || end->lane_step[l] < end->lane_step[best])) {
            best = l;
        }
    }
    if (best < 0) {
        return -1;
    }
    float s[MAX_RUN];
    int32_t key = (int32_t)end->lane_step[best] * ATTN_STEP + best * run;
    int32_t left = plan->args.n_keys - key;
    int32_t n = left < run ? left : run;
    scores_of_run(plan, end, key, n, s);
    for (int32_t i = 0; i < n; i++) {
        if (s[i] == row_max) {
            return key + i;
        }
    }
    return -1;
}

static void store(float *array, int64_t at, float value)
{
    if (array) {
        array[at] = value;
    }
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
        stats->max_key[at] = empty ? -1 : strongest_key(plan, end, row_max);
    }
    float weights[ATTN_NAMED];
    plan->kernel->weights(end->named, ATTN_NAMED, attn_row_reference(row_max), factor, weights);
    store(stats->first_weight, at, weights[0]);
    store(stats->self_weight, at, weights[1]);
    store(stats->prev_weight, at, weights[2]);
}
