#include "attention/rows.h"

#include "attention/kernels/polynomial.h"

static const double LOG_2 = 0x1.62e42fefa39efp-1;

static void store(float *array, int64_t at, float value)
{
    if (array) {
        array[at] = value;
    }
}

/* m, l and what sums give; log_sum is of the exponentials. */
static void row_write(const AttnPlan *plan, const AttnOutputs *out, bool full,
                      const AttnRowsEnd *end, int32_t r)
{
    int64_t at = (int64_t)end->head * plan->args.n_queries + end->row0 + r;
    float m = end->max[r], l = 0;
    bool empty = m == -INFINITY && end->sum[r] == 0;
    double log_sum = empty ? 0 : log(end->sum[r]);
    if (!empty) {
        /* Relative to ref, which may stand below m by the lazy step. */
        double reference = (double)end->ref[r] * plan->kernel->reference_log2 / (double)EXP_LOG2E;
        double difference = log_sum + (reference - (double)m);
        l = (float)(difference < 0 ? 0 : difference);
    }
    out->row_max[at] = m;
    out->row_log_sum[at] = l;
    end->reference[r] = attn_row_reference(m);
    end->inverse[r] = empty ? 0.0f : (float)(1.0 / end->sum[r]);
    if (!full) {
        return;
    }
    end->factor[r] = attn_row_factor(m, l);
    bool unseen = m == -INFINITY;
    double entropy = unseen ? 0 : log_sum - LOG_2 * end->moment[r] / end->sum[r];
    store(out->rows.entropy, at, (float)(entropy < 0 ? 0 : entropy));
    store(out->rows.distance, at, unseen ? 0 : (float)(end->distance[r] / end->sum[r]));
    store(out->rows.max_weight, at, end->factor[r]);
    if (out->rows.max_key) {
        out->rows.max_key[at] = unseen || end->key[r] == INFINITY ? -1 : (int32_t)end->key[r];
    }
}

void attn_rows_write(const AttnPlan *plan, const AttnOutputs *out, bool full,
                     const AttnRowsEnd *end)
{
    const AttnKernel *kernel = plan->kernel;
    const AttnRowStats *stats = &out->rows;
    kernel->row_maxima(end->lane_max, end->lane_key, end->n_rows, end->max,
                       full && stats->max_key ? end->key : NULL);
    for (int32_t r = 0; r < end->n_rows; r++) {
        row_write(plan, out, full, end, r);
    }
    for (int32_t r = 0; out->o && r < end->n_rows; r++) {
        float *to = out->o + end->head * out->o_head_stride + (end->row0 + r) * out->o_row_stride;
        kernel->scale(end->o + (ptrdiff_t)r * plan->ep, plan->args.v_dim, end->inverse[r], to);
    }
    float *const named[ATTN_NAMED] = {stats->first_weight, stats->self_weight, stats->prev_weight};
    for (int i = 0; full && i < ATTN_NAMED; i++) {
        if (named[i]) {
            kernel->weights_each(end->named[i], end->n_rows, end->reference, end->factor,
                                 named[i] + (int64_t)end->head * plan->args.n_queries + end->row0);
        }
    }
}
