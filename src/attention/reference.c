/*
 * The contract of attention.h as a loop over rows in float64. Slow on purpose: it shares no code
 * with the kernels but the resolved arguments and the row ranges.
 */
#include <stdlib.h>
#include <string.h>

#include "attention/plan.h"

static void reference_scores(const AttnPlan *plan, int32_t head, int32_t row, double *s)
{
    const AttnArgs *a = &plan->args;
    const float *q = attn_plan_q(plan, head, row);
    for (int32_t j = 0; j < a->n_keys; j++) {
        if (!attn_mask_visible(&a->mask, a->n_keys, row, j)) {
            s[j] = -INFINITY;
            continue;
        }
        const float *k = attn_plan_k(plan, attn_plan_kv_head(plan, head), j);
        double dot = 0;
        for (int32_t d = 0; d < a->head_dim; d++) {
            dot += (double)q[d] * (double)k[d];
        }
        s[j] = (double)a->scale * dot;
        if (a->soft_cap > 0) {
            s[j] = (double)a->soft_cap * tanh(s[j] / (double)a->soft_cap);
        }
        if (a->bias.fill) {
            float bias;
            a->bias.fill(a->bias.payload, head, row, 1, j, 1, &bias, 1);
            s[j] += (double)bias;
        }
    }
}

/* Scores to weights in place; m and l. */
static void reference_softmax(double *s, int32_t n, double *m, double *l)
{
    double sum = 0;
    *m = -INFINITY;
    for (int32_t j = 0; j < n; j++) {
        *m = s[j] > *m ? s[j] : *m;
    }
    for (int32_t j = 0; j<n && * m> - INFINITY; j++) {
        sum += exp(s[j] - *m);
    }
    *l = *m > -INFINITY ? log(sum) : 0;
    for (int32_t j = 0; j < n; j++) {
        s[j] = *m > -INFINITY ? exp(s[j] - *m) / sum : 0;
    }
}

static void reference_statistics(const AttnPlan *plan, const double *w, int32_t head, int32_t row,
                                 const AttnRowStats *stats)
{
    const AttnArgs *a = &plan->args;
    int64_t at = (int64_t)head * a->n_queries + row;
    double position = (double)row + a->mask.q_offset, entropy = 0, distance = 0, largest = 0;
    int32_t strongest = -1;
    for (int32_t j = 0; j < a->n_keys; j++) {
        entropy -= w[j] > 0 ? w[j] * log(w[j]) : 0;
        distance += w[j] * fabs(position - j);
        if (w[j] > largest) {
            largest = w[j];
            strongest = j;
        }
    }
    bool self = position >= 0 && position < a->n_keys;
    bool previous = position >= 1 && position <= a->n_keys;
    float values[] = {(float)entropy,
                      (float)distance,
                      (float)largest,
                      (float)w[0],
                      self ? (float)w[(int32_t)position] : 0,
                      previous ? (float)w[(int32_t)position - 1] : 0};
    float *arrays[] = {stats->entropy,      stats->distance,    stats->max_weight,
                       stats->first_weight, stats->self_weight, stats->prev_weight};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        if (arrays[i]) {
            arrays[i][at] = values[i];
        }
    }
    if (stats->max_key) {
        stats->max_key[at] = strongest;
    }
}

/* Accumulators of one head. */
typedef struct Totals {
    AttnSummaryShape shape;
    double *received;          /* [M] */
    double *texel, *texel_max; /* [n_texels] */
} Totals;

static void reference_add(Totals *t, const double *w, int32_t row)
{
    for (int32_t j = 0; j < t->shape.n_keys; j++) {
        t->received[j] += w[j];
        int64_t at =
            attn_summary_index(&t->shape, row / t->shape.row_width, j / t->shape.col_width);
        if (at >= 0) {
            t->texel[at] += w[j];
            t->texel_max[at] = w[j] > t->texel_max[at] ? w[j] : t->texel_max[at];
        }
    }
}

static void reference_write(const Totals *t, int32_t head, const AttnOutputs *out)
{
    const AttnSummaryShape *shape = &t->shape;
    for (int32_t j = 0; out->received && j < shape->n_keys; j++) {
        out->received[(int64_t)head * shape->n_keys + j] = (float)t->received[j];
    }
    for (int32_t row = 0; row < shape->n_rows; row++) {
        for (int32_t col = 0; col < shape->n_cols; col++) {
            int64_t at = attn_summary_index(shape, row, col);
            int32_t r0, r1, c0, c1;
            attn_summary_texel_rows(shape, row, &r0, &r1);
            attn_summary_texel_cols(shape, col, &c0, &c1);
            double pairs = (double)(r1 - r0) * (c1 - c0);
            if (at >= 0 && out->summary_mean) {
                out->summary_mean[head * shape->n_texels + at] = (float)(t->texel[at] / pairs);
            }
            if (at >= 0 && out->summary_max) {
                out->summary_max[head * shape->n_texels + at] = (float)t->texel_max[at];
            }
        }
    }
}

static void reference_output(const AttnPlan *plan, const double *w, int32_t head, int32_t row,
                             const AttnOutputs *out)
{
    const AttnArgs *a = &plan->args;
    ptrdiff_t row_stride = out->o_row_stride == 0 ? a->v_dim : out->o_row_stride;
    ptrdiff_t head_stride =
        out->o_head_stride == 0 ? a->n_queries * row_stride : out->o_head_stride;
    for (int32_t e = 0; e < a->v_dim; e++) {
        double o = 0;
        for (int32_t j = 0; j < a->n_keys; j++) {
            /* A key without weight does not count, whatever its values are. */
            if (w[j] != 0) {
                o += w[j] * (double)attn_plan_v(plan, attn_plan_kv_head(plan, head), j)[e];
            }
        }
        out->o[head * head_stride + row * row_stride + e] = (float)o;
    }
}

AttnStatus attn_reference_row(const AttnArgs *args, int32_t head, int32_t row, double *weights,
                              double *scores)
{
    AttnPlan plan;
    AttnStatus status = attn_plan_make(&plan, NULL, args, NULL, 0);
    if (status != ATTN_OK) {
        return status;
    }
    if (head < 0 || head >= plan.args.n_heads || row < 0 || row >= plan.args.n_queries) {
        return ATTN_RANGE;
    }
    if (scores) {
        reference_scores(&plan, head, row, scores);
    }
    if (weights) {
        double m, l;
        reference_scores(&plan, head, row, weights);
        reference_softmax(weights, plan.args.n_keys, &m, &l);
    }
    return ATTN_OK;
}

AttnStatus attn_reference_forward(const AttnArgs *args, const AttnOutputs *out)
{
    AttnPlan plan;
    AttnStatus status = attn_plan_make(&plan, NULL, args, NULL, 0);
    if (status != ATTN_OK) {
        return status;
    }
    if (!out->row_max || !out->row_log_sum || (out->o && !args->v)) {
        return ATTN_OPERAND;
    }
    const AttnArgs *a = &plan.args;
    Totals totals = {.shape = attn_summary_shape(a, out->summary_size)};
    size_t n_keys = (size_t)a->n_keys, n_texels = (size_t)totals.shape.n_texels;
    double *memory = malloc((2 * n_keys + 2 * n_texels) * sizeof(double));
    if (!memory) {
        return ATTN_MEMORY;
    }
    double *w = memory;
    totals.received = memory + n_keys;
    totals.texel = totals.received + n_keys;
    totals.texel_max = totals.texel + n_texels;
    for (int32_t head = 0; head < a->n_heads; head++) {
        memset(totals.received, 0, (n_keys + 2 * n_texels) * sizeof(double));
        for (int32_t row = 0; row < a->n_queries; row++) {
            int64_t at = (int64_t)head * a->n_queries + row;
            double m, l;
            reference_scores(&plan, head, row, w);
            reference_softmax(w, a->n_keys, &m, &l);
            out->row_max[at] = (float)m;
            out->row_log_sum[at] = (float)l;
            reference_add(&totals, w, row);
            reference_statistics(&plan, w, head, row, &out->rows);
            if (out->o) {
                reference_output(&plan, w, head, row, out);
            }
        }
        reference_write(&totals, head, out);
    }
    free(memory);
    return ATTN_OK;
}
