/*
 * Attention received: sums over the queries of a column. They need the final m and l of every
 * row, hence a pass of their own over Q K^T, task by task over runs of keys.
 */
#include <string.h>

#include <omp.h>

#include "attention/scratch.h"
#include "attention/strip.h"

enum {
    KEYS = 4 * ATTN_STEP, /* of a task */
    ROWS = 96,            /* that sums in f32 may gather */
};

typedef struct Receiver {
    AttnStrip strip;
    float *panels;   /* [KEYS / ATTN_STEP] */
    float sum[KEYS]; /* of one strip's rows */
    double total[KEYS];
} Receiver;

static void receiver_carve(Receiver *receiver, const AttnPlan *plan, AttnCarver *carver)
{
    attn_strip_carve(&receiver->strip, plan, carver);
    receiver->panels = attn_carve(carver, (size_t)plan->args.head_dim * KEYS, sizeof(float));
}

static void receive_strip(Receiver *receiver, int32_t col0, int32_t n_cols)
{
    AttnStrip *strip = &receiver->strip;
    ptrdiff_t panel_floats = (ptrdiff_t)strip->plan->args.head_dim * ATTN_STEP;
    memset(receiver->sum, 0, sizeof receiver->sum);
    for (int32_t c = 0; c < n_cols; c += ATTN_STEP) {
        int32_t n = n_cols - c < ATTN_STEP ? n_cols - c : ATTN_STEP;
        for (int32_t r = 0; r < strip->n_rows; r += ATTN_GROUP) {
            int32_t rows = strip->n_rows - r < ATTN_GROUP ? strip->n_rows - r : ATTN_GROUP;
            if (!attn_strip_sees(strip, r, rows, col0 + c, n)) {
                continue;
            }
            attn_strip_weights(strip, r, rows, receiver->panels + c / ATTN_STEP * panel_floats,
                               col0 + c, n);
            for (int32_t i = 0; i < rows; i++) {
                for (int32_t j = 0; j < n; j++) {
                    receiver->sum[c + j] += strip->s[i * ATTN_STEP + j];
                }
            }
        }
    }
    for (int32_t j = 0; j < n_cols; j++) {
        receiver->total[j] += (double)receiver->sum[j];
    }
}

static void receive_task(Receiver *receiver, int32_t head, int32_t col0, float *received,
                         const AttnProgress *progress)
{
    AttnStrip *strip = &receiver->strip;
    const AttnArgs *a = &strip->plan->args;
    int32_t n_cols = a->n_keys - col0 < KEYS ? a->n_keys - col0 : KEYS;
    memset(receiver->total, 0, sizeof receiver->total);
    strip->head = head;
    for (int32_t c = 0; c < n_cols; c += ATTN_STEP) {
        int32_t n = n_cols - c < ATTN_STEP ? n_cols - c : ATTN_STEP;
        attn_strip_pack(strip, col0 + c, n, receiver->panels + (ptrdiff_t)c * a->head_dim);
    }
    for (int32_t row = 0; row < a->n_queries; row += ROWS) {
        int32_t left = a->n_queries - row;
        int32_t n_rows = left < ROWS ? left : ROWS;
        if (attn_cancelled(progress)) {
            return;
        }
        strip->row0 = row;
        if (attn_strip_sees(strip, 0, n_rows, col0, n_cols)) {
            attn_strip_load(strip, head, row, n_rows);
            receive_strip(receiver, col0, n_cols);
        }
    }
    for (int32_t j = 0; j < n_cols; j++) {
        received[(int64_t)head * a->n_keys + col0 + j] = (float)receiver->total[j];
    }
}

static size_t receiver_bytes(const AttnPlan *plan)
{
    AttnCarver measure = {0};
    receiver_carve(&(Receiver){0}, plan, &measure);
    return measure.used;
}

size_t attn_received_scratch_bytes(const AttnCtx *ctx, const AttnPlan *plan)
{
    return receiver_bytes(plan) * (size_t)ctx->n_threads;
}

AttnStatus attn_received(const AttnCtx *ctx, const AttnArgs *args, const float *row_max,
                         const float *row_log_sum, float *received, const AttnProgress *progress)
{
    AttnPlan plan;
    AttnStatus status = attn_plan_make(&plan, ctx->kernel, args, NULL, 0);
    if (status != ATTN_OK) {
        return status;
    }
    if (!row_max || !row_log_sum || !received) {
        return ATTN_OPERAND;
    }
    size_t per_receiver = receiver_bytes(&plan);
    char *scratch = attn_scratch_take(ctx, per_receiver * (size_t)ctx->n_threads);
    if (!scratch) {
        return ATTN_MEMORY;
    }
    int32_t per_head = (plan.args.n_keys - 1) / KEYS + 1;
    int64_t total = (int64_t)per_head * plan.args.n_heads;
    _Atomic int64_t done = 0;
    double pairs = (double)plan.args.n_heads * plan.args.n_queries * plan.args.n_keys;
    int n_threads = attn_team_size(ctx, &plan, total, pairs);
#pragma omp parallel num_threads(n_threads)
    {
        Receiver receiver = {.strip = {.row_max = row_max, .row_log_sum = row_log_sum}};
        AttnCarver own = {.base = scratch + (size_t)omp_get_thread_num() * per_receiver};
        receiver_carve(&receiver, &plan, &own);
#pragma omp for schedule(dynamic, 1)
        for (int64_t t = 0; t < total; t++) {
            if (attn_cancelled(progress)) {
                continue;
            }
            receive_task(&receiver, (int32_t)(t / per_head), (int32_t)(t % per_head) * KEYS,
                         received, progress);
            atomic_fetch_add_explicit(&done, 1, memory_order_relaxed);
            if (omp_get_thread_num() == 0 && !attn_cancelled(progress)) {
                attn_report(progress, &done, total);
            }
        }
    }
    attn_scratch_give(ctx, scratch);
    if (attn_cancelled(progress)) {
        return ATTN_CANCELLED;
    }
    attn_report(progress, &done, total);
    return ATTN_OK;
}
