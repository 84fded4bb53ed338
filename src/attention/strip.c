#include "attention/strip.h"

void attn_strip_carve(AttnStrip *strip, const AttnPlan *plan, AttnCarver *carver)
{
    size_t dim = (size_t)plan->args.head_dim;
    strip->plan = plan;
    strip->q = attn_carve(carver, ATTN_STRIP_ROWS * dim, sizeof(float));
    strip->reference = attn_carve(carver, ATTN_STRIP_ROWS, sizeof(float));
    strip->factor = attn_carve(carver, ATTN_STRIP_ROWS, sizeof(float));
    strip->panel = attn_carve(carver, ATTN_STEP * dim, sizeof(float));
    strip->s = attn_carve(carver, ATTN_GROUP * ATTN_STEP, sizeof(float));
    strip->bias = attn_carve(carver, ATTN_GROUP * ATTN_STEP, sizeof(float));
}

void attn_strip_load(AttnStrip *strip, int32_t head, int32_t row0, int32_t n_rows)
{
    const AttnPlan *plan = strip->plan;
    const AttnArgs *a = &plan->args;
    strip->head = head;
    strip->row0 = row0;
    strip->n_rows = n_rows;
    for (int32_t r = 0; r < n_rows; r += ATTN_GROUP) {
        int32_t n = n_rows - r < ATTN_GROUP ? n_rows - r : ATTN_GROUP;
        plan->kernel->pack_q(attn_plan_q(plan, head, row0 + r), a->q_row_stride, n, a->head_dim,
                             a->scale, strip->q + (ptrdiff_t)r * a->head_dim);
    }
    for (int32_t r = 0; strip->row_max && r < n_rows; r++) {
        int64_t at = (int64_t)head * a->n_queries + row0 + r;
        strip->reference[r] = attn_row_reference(strip->row_max[at]);
        strip->factor[r] = attn_row_factor(strip->row_max[at], strip->row_log_sum[at]);
    }
}

bool attn_strip_sees(const AttnStrip *strip, int32_t r, int32_t n, int32_t col0, int32_t n_cols)
{
    const AttnArgs *a = &strip->plan->args;
    int32_t begin, end;
    attn_mask_hull(&a->mask, a->n_keys, strip->row0 + r, n, &begin, &end);
    return begin < col0 + n_cols && end > col0;
}

void attn_strip_pack(const AttnStrip *strip, int32_t col0, int32_t n_cols, float *panel)
{
    const AttnPlan *plan = strip->plan;
    int32_t kv_head = attn_plan_kv_head(plan, strip->head);
    plan->kernel->pack_k(attn_plan_k(plan, kv_head, col0), plan->args.k_row_stride, n_cols,
                         plan->args.head_dim, 1.0f, false, panel);
}

void attn_strip_scores(AttnStrip *strip, int32_t r, int32_t n, const float *panel, int32_t col0,
                       int32_t n_cols)
{
    const AttnPlan *plan = strip->plan;
    int32_t dim = plan->args.head_dim;
    plan->kernel->scores(strip->q + (ptrdiff_t)r * dim, panel, dim, n, strip->s);
    attn_scores_finish(plan, strip->head, strip->row0 + r, n, col0, n_cols, strip->s, ATTN_STEP,
                       strip->bias);
}

void attn_strip_weights(AttnStrip *strip, int32_t r, int32_t n, const float *panel, int32_t col0,
                        int32_t n_cols)
{
    attn_strip_scores(strip, r, n, panel, col0, n_cols);
    for (int32_t i = 0; i < n; i++) {
        float *row = strip->s + i * ATTN_STEP;
        strip->plan->kernel->weights(row, n_cols, strip->reference[r + i], strip->factor[r + i],
                                     row);
    }
}
