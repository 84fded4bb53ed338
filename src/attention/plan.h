#pragma once
/*
 * Arguments with every default filled in, and the small pieces that the pass, the tiles and the
 * statistics share.
 */
#include <math.h>

#include "attention/context.h"

typedef struct AttnPlan {
    AttnArgs args; /* defaults resolved: strides, M, G, E, scale */
    const AttnKernel *kernel;
    int32_t ep;          /* E padded to ATTN_PAD */
    int32_t n_steps;     /* steps of all keys */
    int32_t block_steps; /* steps of a block of keys: by D and E alone */
} AttnPlan;

/** Checks and resolves. kernel may be NULL where none is used. */
ATTN_MUST_CHECK AttnStatus attn_plan_make(AttnPlan *plan, const AttnKernel *kernel,
                                          const AttnArgs *args, char *message, size_t message_size);

static inline const float *attn_plan_q(const AttnPlan *plan, int32_t head, int32_t row)
{
    return plan->args.q + head * plan->args.q_head_stride + row * plan->args.q_row_stride;
}

static inline const float *attn_plan_k(const AttnPlan *plan, int32_t kv_head, int32_t key)
{
    return plan->args.k + kv_head * plan->args.k_head_stride + key * plan->args.k_row_stride;
}

static inline const float *attn_plan_v(const AttnPlan *plan, int32_t kv_head, int32_t key)
{
    return plan->args.v + kv_head * plan->args.v_head_stride + key * plan->args.v_row_stride;
}

static inline int32_t attn_plan_kv_head(const AttnPlan *plan, int32_t head)
{
    return head / (plan->args.n_heads / plan->args.n_kv_heads);
}

/** Keys [*begin, *end) outside of which none of the rows row0 .. row0 + n_rows sees any. */
void attn_mask_hull(const AttnMask *mask, int32_t n_keys, int32_t row0, int32_t n_rows,
                    int32_t *begin, int32_t *end);

/** exp(-l) as every tile, texel and statistic uses it: the factor of exp(s - m); 0 in an empty row,
 *  where exp(s - 0) is 0 too (see attn_row_reference). */
float attn_row_factor(float row_max, float row_log_sum);

/** What is subtracted from a row's scores: m, or 0 in an empty row (-INFINITY - -INFINITY is NaN).
 */
static inline float attn_row_reference(float row_max)
{
    return row_max == -INFINITY ? 0.0f : row_max;
}

/** True if raw scores of these pairs are the scores: no cap, bias or mask changes any. */
bool attn_scores_plain(const AttnPlan *plan, int32_t row0, int32_t n_rows, int32_t col0,
                       int32_t n_cols);

/** Cap, bias and mask of raw scores in natural order: s[n_rows][ld] of rows row0.. and keys col0..
 *  bias is room for n_rows * n_cols floats and may be NULL without a bias. */
void attn_scores_finish(const AttnPlan *plan, int32_t head, int32_t row0, int32_t n_rows,
                        int32_t col0, int32_t n_cols, float *s, ptrdiff_t ld, float *bias);

/** Rounds up to the alignment of scratch pieces. */
static inline size_t attn_padded(size_t bytes)
{
    return (bytes + ATTN_ALIGN - 1) / ATTN_ALIGN * ATTN_ALIGN;
}

/** Hands out aligned pieces of one allocation; with base NULL it only measures. */
typedef struct AttnCarver {
    char *base;
    size_t used;
} AttnCarver;

static inline void *attn_carve(AttnCarver *carver, size_t count, size_t size)
{
    void *piece = carver->base ? carver->base + carver->used : NULL;
    carver->used += attn_padded(count * size);
    return piece;
}

static inline bool attn_cancelled(const AttnProgress *progress)
{
    return progress && progress->cancel &&
           atomic_load_explicit(progress->cancel, memory_order_relaxed);
}

/** Tells how far it is. Calling thread only. */
static inline void attn_report(const AttnProgress *progress, const _Atomic int64_t *done,
                               int64_t total)
{
    if (progress && progress->report) {
        progress->report(progress->payload, atomic_load_explicit(done, memory_order_relaxed),
                         total);
    }
}

/** Ends a loop that the threads of a team shared: waits for all of them. busy gathers the seconds
 * in between: a thread starts it with -omp_get_wtime() and at last adds that. */
void attn_team_wait(double *busy);

static inline void attn_report_busy(const AttnProgress *progress, double seconds)
{
    if (progress && progress->busy_s) {
        *progress->busy_s += seconds;
    }
}

/** Threads worth waking for so many tasks and pairs (query, key) of all heads. */
static inline int attn_team_size(const AttnCtx *ctx, const AttnPlan *plan, int64_t n_tasks,
                                 double pairs)
{
    const double WORTH = 4e6; /* flops, some 50 microseconds: about what waking a team costs */
    if (4 * pairs * plan->args.head_dim < WORTH) {
        return 1;
    }
    return n_tasks < ctx->n_threads ? (int)n_tasks : ctx->n_threads;
}
