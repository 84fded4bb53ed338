#include "attention/rows.h"

#include "attention/kernels/polynomial.h"

static const double LOG_2 = 0x1.62e42fefa39efp-1;

static void row_end(const AttnPlan *plan, const AttnRowEnd *end, float *row_max, float *row_log_sum)
{
    float m = end->lane_max[0];
    for (int32_t l = 1; l < plan->kernel->lanes; l++) {
        m = end->lane_max[l] > m ? end->lane_max[l] : m;
    }
    if (m == -INFINITY && end->sum == 0) {
        *row_max = -INFINITY;
        *row_log_sum = 0;
        return;
    }
    *row_max = m;
    /* Relative to ref, which may stand below m by the lazy step. */
    double reference = (double)end->ref * plan->kernel->reference_log2 / (double)EXP_LOG2E;
    double l = log(end->sum) + (reference - (double)m);
    *row_log_sum = (float)(l < 0 ? 0 : l);
}

/* The first key whose score is m: each lane knows the first of its own. */
static int32_t strongest_key(const AttnPlan *plan, const AttnRowEnd *end, float row_max)
{
    float key = INFINITY;
    for (int32_t l = 0; l < plan->kernel->lanes; l++) {
        if (end->lane_max[l] == row_max && end->lane_key[l] < key) {
            key = end->lane_key[l];
        }
    }
    return key < INFINITY ? (int32_t)key : -1;
}

static void store(float *array, int64_t at, float value)
{
    if (array) {
        array[at] = value;
    }
}

static void row_statistics(const AttnPlan *plan, const AttnRowEnd *end, float row_max, float factor,
                           const AttnRowStats *stats)
{
    int64_t at = (int64_t)end->head * plan->args.n_queries + end->row;
    bool empty = row_max == -INFINITY;
    double entropy = empty ? 0 : log(end->sum) - LOG_2 * end->moment / end->sum;
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

void attn_row_write(const AttnPlan *plan, const AttnOutputs *out, bool full, const AttnRowEnd *end,
                    const float *o, AttnRowScale *scale)
{
    int64_t at = (int64_t)end->head * plan->args.n_queries + end->row;
    float m, l;
    row_end(plan, end, &m, &l);
    out->row_max[at] = m;
    out->row_log_sum[at] = l;
    *scale = (AttnRowScale){
        .max = m,
        .inverse = m == -INFINITY && end->sum == 0 ? 0.0f : (float)(1.0 / end->sum),
        .factor = full ? attn_row_factor(m, l) : 0,
    };
    if (out->o) {
        float inverse = scale->inverse;
        float *to = out->o + end->head * out->o_head_stride + end->row * out->o_row_stride;
        for (int32_t e = 0; e < plan->args.v_dim; e++) {
            to[e] = o[e] * inverse;
        }
    }
    if (full) {
        row_statistics(plan, end, m, scale->factor, &out->rows);
    }
}
