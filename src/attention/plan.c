#include "attention/plan.h"

#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>

static AttnStatus refuse(AttnStatus status, char *message, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static AttnStatus refuse(AttnStatus status, char *message, size_t size, const char *format, ...)
{
    if (message && size > 0) {
        va_list list;
        va_start(list, format);
        vsnprintf(message, size, format, list);
        va_end(list);
    }
    return status;
}

static AttnStatus check_mask(const AttnArgs *a, char *message, size_t size)
{
    const AttnMask *m = &a->mask;
    const uint32_t known = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW | ATTN_MASK_WINDOW_SYMMETRIC;
    if (m->kind & ~known) {
        return refuse(ATTN_MASK, message, size, "mask.kind: unknown bits 0x%x", m->kind & ~known);
    }
    if (m->kind & (ATTN_MASK_WINDOW | ATTN_MASK_WINDOW_SYMMETRIC) && m->window < 1) {
        return refuse(ATTN_MASK, message, size, "mask.window: %d, expected at least 1", m->window);
    }
    if (m->q_offset < -ATTN_MAX_LENGTH || m->q_offset > ATTN_MAX_LENGTH) {
        return refuse(ATTN_MASK, message, size, "mask.q_offset: %d, expected within ±%d",
                      m->q_offset, ATTN_MAX_LENGTH);
    }
    if (m->n_valid_keys < 0 || m->n_valid_keys > a->n_keys) {
        return refuse(ATTN_MASK, message, size, "mask.n_valid_keys: %d, expected 0..%d",
                      m->n_valid_keys, a->n_keys);
    }
    return ATTN_OK;
}

static AttnStatus check(const AttnArgs *a, char *message, size_t size)
{
    if (!a->q || !a->k) {
        return refuse(ATTN_OPERAND, message, size, "%s is NULL", a->q ? "k" : "q");
    }
    if (a->head_dim < 1 || a->head_dim > ATTN_MAX_DIM) {
        return refuse(ATTN_DIM, message, size, "head_dim: %d, expected 1..%d", a->head_dim,
                      ATTN_MAX_DIM);
    }
    if (a->v_dim < 1 || a->v_dim > ATTN_MAX_DIM) {
        return refuse(ATTN_DIM, message, size, "v_dim: %d, expected 1..%d", a->v_dim, ATTN_MAX_DIM);
    }
    if (a->n_queries < 1 || a->n_queries > ATTN_MAX_LENGTH) {
        return refuse(ATTN_LENGTH, message, size, "n_queries: %d, expected 1..%d", a->n_queries,
                      ATTN_MAX_LENGTH);
    }
    if (a->n_keys < 1 || a->n_keys > ATTN_MAX_LENGTH) {
        return refuse(ATTN_LENGTH, message, size, "n_keys: %d, expected 1..%d", a->n_keys,
                      ATTN_MAX_LENGTH);
    }
    if (a->n_heads < 1 || a->n_kv_heads < 1 || a->n_heads % a->n_kv_heads != 0) {
        return refuse(ATTN_HEADS, message, size,
                      "n_heads: %d, expected a positive multiple of n_kv_heads (%d)", a->n_heads,
                      a->n_kv_heads);
    }
    if (!isfinite(a->scale) || !isfinite(a->soft_cap) || a->soft_cap < 0) {
        return refuse(ATTN_SCALE, message, size,
                      "scale %g or soft_cap %g: expected finite values, soft_cap not negative",
                      (double)a->scale, (double)a->soft_cap);
    }
    return check_mask(a, message, size);
}

static void fill_defaults(AttnArgs *a)
{
    a->n_keys = a->n_keys == 0 ? a->n_queries : a->n_keys;
    a->n_kv_heads = a->n_kv_heads == 0 ? a->n_heads : a->n_kv_heads;
    a->v_dim = a->v_dim == 0 ? a->head_dim : a->v_dim;
    a->q_row_stride = a->q_row_stride == 0 ? a->head_dim : a->q_row_stride;
    a->k_row_stride = a->k_row_stride == 0 ? a->head_dim : a->k_row_stride;
    a->v_row_stride = a->v_row_stride == 0 ? a->v_dim : a->v_row_stride;
    a->q_head_stride = a->q_head_stride == 0 ? a->n_queries * a->q_row_stride : a->q_head_stride;
    a->k_head_stride = a->k_head_stride == 0 ? a->n_keys * a->k_row_stride : a->k_head_stride;
    a->v_head_stride = a->v_head_stride == 0 ? a->n_keys * a->v_row_stride : a->v_head_stride;
    if (a->scale == 0) {
        a->scale = (float)(1.0 / sqrt(a->head_dim > 0 ? a->head_dim : 1));
    }
}

AttnStatus attn_plan_make(AttnPlan *plan, const AttnKernel *kernel, const AttnArgs *args,
                          char *message, size_t message_size)
{
    *plan = (AttnPlan){.args = *args, .kernel = kernel};
    fill_defaults(&plan->args);
    AttnStatus status = check(&plan->args, message, message_size);
    if (status != ATTN_OK) {
        return status;
    }
    const AttnArgs *a = &plan->args;
    plan->ep = (a->v_dim + ATTN_PAD - 1) / ATTN_PAD * ATTN_PAD;
    plan->n_steps = (a->n_keys + ATTN_STEP - 1) / ATTN_STEP;
    /* A block's K and V panels should stay in half a megabyte of second-level cache. */
    int32_t width = a->head_dim + plan->ep;
    plan->block_steps = ATTN_BLOCK_STEPS / (width <= 128 ? 1 : width <= 256 ? 2 : 4);
    return ATTN_OK;
}

AttnStatus attn_args_check(const AttnArgs *args, char *message, size_t message_size)
{
    AttnPlan plan;
    return attn_plan_make(&plan, NULL, args, message, message_size);
}

float attn_row_factor(float row_max, float row_log_sum)
{
    return row_max == -INFINITY ? 0.0f : (float)exp(-(double)row_log_sum);
}

void attn_team_wait(double *busy)
{
    *busy += omp_get_wtime();
#pragma omp barrier
    *busy -= omp_get_wtime();
}

bool attn_scores_plain(const AttnPlan *plan, int32_t row0, int32_t n_rows, int32_t col0,
                       int32_t n_cols)
{
    const AttnArgs *a = &plan->args;
    if (a->mask.key_mask || a->soft_cap > 0 || a->bias.fill) {
        return false;
    }
    /* Ranges move one way with the row: where the first and the last row see all, all rows do. */
    int32_t stop = col0 + n_cols, begin0, end0, begin1, end1;
    attn_mask_row_range(&a->mask, a->n_keys, row0, &begin0, &end0);
    attn_mask_row_range(&a->mask, a->n_keys, row0 + n_rows - 1, &begin1, &end1);
    return begin0 <= col0 && begin1 <= col0 && end0 >= stop && end1 >= stop;
}

void attn_scores_finish(const AttnPlan *plan, int32_t head, int32_t row0, int32_t n_rows,
                        int32_t col0, int32_t n_cols, float *s, ptrdiff_t ld, float *bias)
{
    const AttnArgs *a = &plan->args;
    if (attn_scores_plain(plan, row0, n_rows, col0, n_cols)) {
        return;
    }
    if (a->bias.fill) {
        a->bias.fill(a->bias.payload, head, row0, n_rows, col0, n_cols, bias, n_cols);
    }
    for (int32_t r = 0; r < n_rows; r++) {
        float *row = s + r * ld;
        if (a->soft_cap > 0) {
            plan->kernel->soft_cap(row, n_cols, a->soft_cap);
        }
        for (int32_t c = 0; a->bias.fill && c < n_cols; c++) {
            row[c] += bias[(ptrdiff_t)r * n_cols + c];
        }
        int32_t begin, end;
        attn_mask_row_range(&a->mask, a->n_keys, row0 + r, &begin, &end);
        for (int32_t c = 0; c < n_cols && col0 + c < begin; c++) {
            row[c] = -INFINITY;
        }
        for (int32_t c = end > col0 ? end - col0 : 0; c < n_cols; c++) {
            row[c] = -INFINITY;
        }
        for (int32_t c = 0; a->mask.key_mask && c < n_cols; c++) {
            row[c] = a->mask.key_mask[col0 + c] ? row[c] : -INFINITY;
        }
    }
}
