#include "attention/rows.h"

#include <string.h>

#include "attention/kernels/polynomial.h"

static const double LOG_2 = 0x1.62e42fefa39efp-1;

void attn_rows_carve(AttnRows *rows, const AttnPlan *plan, int32_t n_rows, bool with_o,
                     AttnCarver *carver)
{
    size_t n = (size_t)n_rows, lanes = (size_t)plan->kernel->lanes;
    size_t dim = (size_t)plan->args.head_dim, ep = with_o ? (size_t)plan->ep : 0;
    rows->q = attn_carve(carver, n * dim, sizeof(float));
    rows->begin = attn_carve(carver, n, sizeof(int32_t));
    rows->end = attn_carve(carver, n, sizeof(int32_t));
    rows->position = attn_carve(carver, n, sizeof(float));
    rows->ref = attn_carve(carver, n, sizeof(float));
    rows->limit = attn_carve(carver, n, sizeof(float));
    rows->lane_max = attn_carve(carver, n * lanes, sizeof(float));
    rows->lane_key = attn_carve(carver, n * lanes, sizeof(float));
    for (int i = 0; i < ATTN_NAMED; i++) {
        rows->named[i] = attn_carve(carver, n, sizeof(float));
    }
    rows->sum = attn_carve(carver, n, sizeof(double));
    rows->moment = attn_carve(carver, n, sizeof(double));
    rows->distance = attn_carve(carver, n, sizeof(double));
    rows->o = with_o ? attn_carve(carver, n * ep, sizeof(float)) : NULL;
    rows->gathered = attn_carve(carver, ATTN_GROUP * dim, sizeof(float));
    rows->attend.s = attn_carve(carver, ATTN_SCORES, sizeof(float));
    rows->attend.o = attn_carve(carver, ATTN_GROUP * ep, sizeof(float));
}

void attn_rows_open(AttnRows *rows)
{
    /* Products go through rows that a small group lacks. */
    memset(rows->attend.s, 0, ATTN_SCORES * sizeof(float));
}

/* A group's queries. */
static void start_group(AttnRows *rows, const AttnPlan *plan, int32_t head, int32_t row, int32_t n,
                        float *to)
{
    const AttnArgs *a = &plan->args;
    const float *q = attn_plan_q(plan, head + row / a->n_queries, row % a->n_queries);
    ptrdiff_t ld = a->q_row_stride;
    if (row % a->n_queries + n > a->n_queries) { /* of several heads */
        for (int32_t i = 0; i < n; i++) {
            q = attn_plan_q(plan, head + (row + i) / a->n_queries, (row + i) % a->n_queries);
            memcpy(rows->gathered + (ptrdiff_t)i * a->head_dim, q,
                   (size_t)a->head_dim * sizeof(float));
        }
        q = rows->gathered;
        ld = a->head_dim;
    }
    plan->kernel->pack_q(q, ld, n, a->head_dim, a->scale, to);
}

void attn_rows_start(AttnRows *rows, const AttnPlan *plan, int32_t head, int32_t row0,
                     int32_t n_rows)
{
    const AttnArgs *a = &plan->args;
    int32_t lanes = plan->kernel->lanes;
    int32_t padded = (n_rows + ATTN_GROUP - 1) / ATTN_GROUP * ATTN_GROUP;
    for (int32_t r = 0; r < padded; r++) {
        int32_t row = (row0 + (r < n_rows ? r : n_rows - 1)) % a->n_queries;
        attn_mask_row_range(&a->mask, a->n_keys, row, &rows->begin[r], &rows->end[r]);
        rows->position[r] = (float)(row + a->mask.q_offset);
        rows->ref[r] = 0;
        rows->limit[r] = -INFINITY;
        rows->sum[r] = rows->moment[r] = rows->distance[r] = 0;
        for (int i = 0; i < ATTN_NAMED; i++) {
            rows->named[i][r] = -INFINITY;
        }
    }
    for (int32_t i = 0; i < padded * lanes; i++) {
        rows->lane_max[i] = -INFINITY;
        rows->lane_key[i] = 0;
    }
    for (int32_t r = 0; r < n_rows; r += ATTN_GROUP) {
        int32_t n = n_rows - r < ATTN_GROUP ? n_rows - r : ATTN_GROUP;
        start_group(rows, plan, head, row0 + r, n, rows->q + (ptrdiff_t)r * a->head_dim);
    }
    if (rows->o) {
        memset(rows->o, 0, (size_t)padded * (size_t)plan->ep * sizeof(float));
    }
}

AttnGroup attn_rows_group(const AttnRows *rows, const AttnPlan *plan, int32_t r, int32_t n)
{
    int32_t lanes = plan->kernel->lanes;
    AttnGroup g = {
        .q = rows->q + (ptrdiff_t)r * plan->args.head_dim,
        .n_rows = n,
        .begin = rows->begin + r,
        .end = rows->end + r,
        .position = rows->position + r,
        .ref = rows->ref + r,
        .limit = rows->limit + r,
        .lane_max = rows->lane_max + r * lanes,
        .lane_key = rows->lane_key + r * lanes,
        .sum = rows->sum + r,
        .moment = rows->moment + r,
        .distance = rows->distance + r,
        .o = rows->o ? rows->o + (ptrdiff_t)r * plan->ep : NULL,
    };
    for (int i = 0; i < ATTN_NAMED; i++) {
        g.named[i] = rows->named[i] + r;
    }
    return g;
}

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
