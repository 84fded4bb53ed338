#pragma once
/*
 * The pass: a group of rows through a block of keys, step by step. Scores, softmax, P V. See
 * body.h.
 */
#include "attention/kernels/body_rows.h"
#include "attention/kernels/body_scores.h"
#include "attention/kernels/body_softmax.h"
#include "attention/kernels/body_values.h"
#ifdef WEAVE
#include "attention/kernels/body_weave.h"
#endif

/* Sums or maxima of neighbours in a, then in b. */
KERNEL_INLINE vf halve(vf a, vf b, const bool maxima)
{
    vf even = vf_even(a, b), odd = vf_odd(a, b);
    return maxima ? vf_max(even, odd) : vf_add(even, odd);
}

/* One vector of n at x, a power of two: halves of halves. */
KERNEL_INLINE vf halve_deep(const float *x, const int n, const bool maxima)
{
    vf v[ATTN_BLOCK_STEPS];
    UNROLL(16)
    for (int i = 0; i < n; i++) {
        v[i] = vf_load(x + i * W);
    }
    UNROLL(4)
    for (int left = n; left > 1; left /= 2) {
        UNROLL(8)
        for (int i = 0; i < left / 2; i++) {
            v[i] = halve(v[2 * i], v[2 * i + 1], maxima);
        }
    }
    return v[0];
}

/* Runs into n texels of `width` runs each, n whole vectors. */
KERNEL_INLINE void halve_runs(const float *runs, int n, const int width, const bool maxima,
                              float *to)
{
    for (int i = 0; i < n; i += W) {
        vf_store(to + i, halve_deep(runs + (ptrdiff_t)i * width, width, maxima));
    }
}

KERNEL_INLINE void halve_both(const float *sum, const float *max, int n, const int width,
                              float *to_sum, float *to_max)
{
    halve_runs(sum, n, width, false, to_sum);
    halve_runs(max, n, width, true, to_max);
}

static void runs_to_texels(const float *sum, const float *max, int n, int width, float *to_sum,
                           float *to_max)
{
    _Static_assert(ATTN_BLOCK_STEPS == 16, "a vector of texels has up to a block of runs");
    if (width == 2) {
        halve_both(sum, max, n, 2, to_sum, to_max);
    } else if (width == 4) {
        halve_both(sum, max, n, 4, to_sum, to_max);
    } else if (width == 8) {
        halve_both(sum, max, n, 8, to_sum, to_max);
    } else {
        halve_both(sum, max, n, 16, to_sum, to_max);
    }
}

/* Folds the runs of a block into the rows' texels, which are wider than a lane's keys. */
static void block_texels(const AttnBlock *b, AttnGroup *g, const AttnAttendScratch *scratch)
{
    const int first = b->key0 / b->col_width, runs = b->block_steps * W;
    const int width = b->col_width / T, n = width < runs ? runs / width : 1;
    const int left = b->n_cols - first;
    for (int32_t r = 0; r < g->n_rows; r++) {
        /* Steps that were not visited hold 0 and -INFINITY, so whole blocks can be halved. */
        float *sum = scratch->run_sum + r * RUN_LD, *max = scratch->run_max + r * RUN_LD;
        float *to_sum = g->texel_sum + r * g->texel_ld + first;
        float *to_max = g->texel_max + r * g->texel_ld + first;
        if (n % W == 0) { /* this block has all of these texels to itself */
            int whole = (left + W - 1) / W * W;
            runs_to_texels(sum, max, n < whole ? n : whole, width, to_sum, to_max);
            continue;
        }
        for (int i = runs; i > n; i /= 2) { /* reads two vectors at least, writes one */
            halve_both(sum, max, i / 2, 2, sum, max);
        }
        for (int i = 0; i < n && i < left; i++) {
            to_sum[i] += sum[i];
            to_max[i] = max[i] > to_max[i] ? max[i] : to_max[i];
        }
    }
}

/* True if a row between these positions may have a key with a name among the step's. */
KERNEL_INLINE bool step_has_named(float least, float most, int32_t first_key)
{
    return first_key == 0 ||
           (most >= (float)first_key && least - 1 <= (float)(first_key + ATTN_STEP - 1));
}

KERNEL_INLINE void block_scores(const AttnBlock *b, const AttnGroup *g, int32_t step, float *s)
{
#if K_PER_WORD == 1
    if (b->k_rows) {
        kernel_scores_direct(g->q, b->k_rows + (ptrdiff_t)step * ATTN_STEP * b->k_ld, b->k_ld,
                             b->k_words, g->n_rows, s);
        return;
    }
#endif
    kernel_scores(g->q, b->k + (ptrdiff_t)step * b->k_words * ATTN_STEP, b->k_words, g->n_rows, s);
}

/* Asks for where the next step's scores go, ld floats on, while P V runs: a hint. */
KERNEL_INLINE void ask_to_write(const float *s, ptrdiff_t ld)
{
    uintptr_t at = (uintptr_t)s + (uintptr_t)ld * sizeof *s;
    for (int i = 0; i < ATTN_GROUP * ATTN_STEP; i += 16) {
        __builtin_prefetch((const void *)(at + (uintptr_t)i * sizeof *s), 1);
    }
}

/* last_end: no row of the group sees a key from there on. */
KERNEL_INLINE void block_pv(const AttnBlock *b, const AttnGroup *g, int32_t step, int32_t last_end,
                            float *s, float *o)
{
#if V_PER_WORD == 1
    if (b->v_rows) {
        step_pv_direct(b, step, s, g->n_rows, o);
        return;
    }
#endif
    if (!b->v) {
        return;
    }
    const float *v = b->v + (ptrdiff_t)step * b->ep * (ATTN_STEP / V_PER_WORD);
    int32_t n_seen = last_end - b->key0 - step * ATTN_STEP;
    int32_t keys_a_word = T * V_PER_WORD;
    int n_words = n_seen >= ATTN_STEP ? LANE_WORDS : (n_seen + keys_a_word - 1) / keys_a_word;
    if (b->v_finite[step]) {
        step_pv(s, v, b->ep, g->n_rows, n_words, o);
    } else {
        step_pv_careful(s, v, b->ep, g->n_rows, o);
    }
}

/* Softmax of a step; with it scores of the next one, to `next`, where they can be woven into it. */
KERNEL_INLINE void softmax_and_next(Softmax *x, float *next, const bool full)
{
#ifdef WEAVE
    const AttnBlock *b = x->b;
    bool wide = b->k_words >= MR / 2 * weave_words(full); /* else it is not worth it */
    if (wide && !b->k_rows && x->g->n_rows == ATTN_GROUP && x->step + 1 < b->last_step) {
        if (!x->within) {
            softmax_limits(x, full);
        }
        const float *k = b->k + (ptrdiff_t)(x->step + 1) * b->k_words * ATTN_STEP;
        x->within = weave_step(x, k, next, full);
        x->scored = true;
        return;
    }
#endif
    (void)next;
    step_softmax(x, full);
    x->scored = x->within = false;
}

/* Floats of o that a block adds to. */
KERNEL_INLINE size_t block_o_floats(const AttnBlock *b, const AttnGroup *g)
{
    size_t rows = b->v_rows ? ATTN_DIRECT : g->n_rows == 1 ? 1 : ATTN_GROUP;
    return b->v || b->v_rows ? rows * (size_t)b->ep : 0;
}

/* The sums of a block before its first step. */
KERNEL_INLINE void block_begin(const AttnBlock *b, const AttnGroup *g,
                               const AttnAttendScratch *scratch, Lanes *lanes, const bool full)
{
    for (int32_t r = 0; r < g->n_rows; r++) {
        vf_store(lanes->sum[r], vf_set1(0.0f));
        vf_store(lanes->moment[r], vf_set1(0.0f));
        vf_store(lanes->distance[r], vf_set1(0.0f));
    }
    if (full) {
        for (int step = 0; b->col_width > T && step < b->block_steps; step++) {
            bool visited = step >= b->first_step && step < b->last_step;
            for (int32_t r = 0; !visited && r < g->n_rows; r++) {
                vf_store(scratch->run_sum + r * RUN_LD + step * W, vf_set1(0.0f));
                vf_store(scratch->run_max + r * RUN_LD + step * W, vf_set1(-INFINITY));
            }
        }
    }
    size_t o_floats = block_o_floats(b, g);
    for (size_t i = 0; i < o_floats; i += W) {
        vf_store(scratch->o + i, vf_set1(0.0f));
    }
}

/* What a block adds to its rows. */
KERNEL_INLINE void block_end(const AttnBlock *b, AttnGroup *g, const AttnAttendScratch *scratch,
                             const Lanes *lanes, const bool full)
{
    size_t o_floats = block_o_floats(b, g);
    for (size_t i = 0; i < o_floats; i += W) {
        vf_store(g->o + i, vf_add(vf_load(g->o + i), vf_load(scratch->o + i)));
    }
    for (int32_t r = 0; r < g->n_rows; r++) {
        g->sum[r] += (double)lanes_sum(vf_load(lanes->sum[r]));
        if (full) {
            g->moment[r] += (double)lanes_sum(vf_load(lanes->moment[r]));
            g->distance[r] += (double)lanes_sum(vf_load(lanes->distance[r]));
        }
    }
    if (full && b->col_width > T) {
        block_texels(b, g, scratch);
    }
}

KERNEL_INLINE void attend_block(const AttnBlock *b, AttnGroup *g, const AttnAttendScratch *scratch,
                                const bool full)
{
    Lanes lanes;
    block_begin(b, g, scratch, &lanes, full);
    int32_t last_begin = g->begin[0], first_end = g->end[0], last_end = g->end[0];
    float least = g->position[0], most = g->position[0];
    for (int32_t r = 1; r < g->n_rows; r++) {
        last_begin = g->begin[r] > last_begin ? g->begin[r] : last_begin;
        first_end = g->end[r] < first_end ? g->end[r] : first_end;
        last_end = g->end[r] > last_end ? g->end[r] : last_end;
        least = g->position[r] < least ? g->position[r] : least;
        most = g->position[r] > most ? g->position[r] : most;
    }
    Softmax x = {.b = b,
                 .g = g,
                 .step = b->first_step,
                 .s = g->kept ? g->kept : scratch->s,
                 .lanes = &lanes,
                 .scratch = scratch};
    for (; x.step < b->last_step; x.step++) {
        int32_t step = x.step, key = b->key0 + step * ATTN_STEP;
        if (g->kept && g->n_rows < ATTN_GROUP) { /* P V goes through rows that the group lacks */
            memset(x.s, 0, ATTN_GROUP * ATTN_STEP * sizeof *x.s);
        }
        if (!x.scored) {
            block_scores(b, g, step, x.s);
        }
        softmax_begin(&x, full);
        bool masked = key < last_begin || key + ATTN_STEP > first_end;
        if (masked || b->bias || b->soft_cap > 0 || (b->hidden && b->any_hidden[step])) {
            step_modify(b, g, step, masked, x.s);
            x.within = false;
        }
        if (full && step_has_named(least, most, key)) {
            step_named(b, g, step, x.s);
        }
        float *next = g->kept             ? x.s + g->kept_ld
                      : x.s == scratch->s ? scratch->s + ATTN_GROUP * ATTN_STEP
                                          : scratch->s;
        softmax_and_next(&x, next, full);
        if (g->kept) {
            memcpy(x.s + ATTN_GROUP * ATTN_STEP, g->ref, ATTN_GROUP * sizeof *x.s);
            ask_to_write(x.s, (x.scored ? 2 : 1) * g->kept_ld);
        }
        block_pv(b, g, step, last_end, V_PER_WORD > 1 ? x.words : x.s, scratch->o);
        x.s = next;
    }
    block_end(b, g, scratch, &lanes, full);
}

static void kernel_attend(const AttnBlock *b, AttnGroup *g, const AttnAttendScratch *scratch)
{
    attend_block(b, g, scratch, false);
}

static void kernel_attend_full(const AttnBlock *b, AttnGroup *g, const AttnAttendScratch *scratch)
{
    attend_block(b, g, scratch, true);
}

#define KERNEL_TABLE(which)                                                                        \
    {                                                                                              \
        .isa = which, .lanes = W, .mr = MR, .reference_log2 = REFERENCE_LOG2,                      \
        .k_per_word = K_PER_WORD, .v_per_word = V_PER_WORD, .pack_q = kernel_pack_q,               \
        .pack_k = kernel_pack_k, .pack_v = kernel_pack_v, .scores = kernel_scores,                 \
        .soft_cap = kernel_soft_cap, .weights = kernel_weights,                                    \
        .weights_each = kernel_weights_each, .row_maxima = kernel_row_maxima,                      \
        .scale = kernel_scale, .fold_texels = kernel_fold_texels,                                  \
        .order_texels = kernel_order_texels, .fold_rows = kernel_fold_rows,                        \
        .attend = kernel_attend, .attend_full = kernel_attend_full                                 \
    }
