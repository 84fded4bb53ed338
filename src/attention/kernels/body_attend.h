#pragma once
/*
 * The pass: a group of rows through a block of keys, step by step. Scores, then cap, bias and mask
 * where there are any, maxima, exponentials with their sums, and P V. See body.h.
 */
#include "attention/kernels/body_rows.h"
#include "attention/kernels/body_values.h"

/* ---------------------------------------------------------------- one step of the pass */

/* Lane sums of one block of keys; they go to double when the block ends. */
typedef struct Lanes {
    float sum[ATTN_GROUP][W];
    float moment[ATTN_GROUP][W];
    float distance[ATTN_GROUP][W];
} Lanes;

/* Cap, bias and mask of a step: the order of the definition of s. */
static __attribute__((noinline)) void step_modify(const AttnBlock *b, const AttnGroup *g,
                                                  int32_t step, bool masked, float *s)
{
    float first_key = (float)(b->key0 + step * ATTN_STEP);
    const float *hidden = b->hidden && b->any_hidden[step] ? b->hidden + step * ATTN_STEP : NULL;
    vf none = vf_set1(-INFINITY);
    for (int32_t r = 0; r < g->n_rows; r++) {
        float *row = s + r * ATTN_STEP;
        const float *bias = b->bias ? b->bias + r * b->bias_ld + step * ATTN_STEP : NULL;
        vf begin = vf_set1((float)g->begin[r]), end = vf_set1((float)g->end[r]);
        for (int t = 0; t < T; t++) {
            vf x = vf_load(row + t * W);
            if (b->soft_cap > 0) {
                x = soft_cap_vector(x, vf_set1(b->soft_cap));
            }
            if (bias) {
                float lane_bias[W];
                for (int l = 0; l < W; l++) {
                    lane_bias[l] = bias[l * T + t];
                }
                x = vf_add(x, vf_load(lane_bias));
                x = vf_sel(vm_ge(x, none), x, vf_set1(PLAIN_NAN));
            }
            if (masked) {
                vf j = vf_add(vf_load(LANE_KEYS), vf_set1(first_key + (float)t));
                x = vf_sel(vm_and(vm_ge(j, begin), vm_lt(j, end)), x, none);
            }
            if (hidden) {
                x = vf_sel(vm_gt(vf_load(hidden + t * W), vf_set1(0.0f)), none, x);
            }
            vf_store(row + t * W, x);
        }
    }
}

/* Raises the reference of row r to the step's maximum; what was summed so far shrinks. */
static __attribute__((noinline)) void step_raise(const AttnBlock *b, AttnGroup *g, int32_t r,
                                                 float max, Lanes *lanes,
                                                 const AttnAttendScratch *scratch, bool full)
{
    bool first = g->limit[r] == -INFINITY;
    float old = g->ref[r];
    g->ref[r] = sf_reference(max);
    g->limit[r] = max + RAISE_AT;
    if (first) {
        return;
    }
    double down = ((double)old - (double)g->ref[r]) * REFERENCE_LOG2;
    double factor = exp2(down);
    float f = (float)factor;
    g->moment[r] = factor * (g->moment[r] + down * g->sum[r]);
    g->sum[r] *= factor;
    g->distance[r] *= factor;
    for (int l = 0; l < W; l++) {
        lanes->moment[r][l] = f * sf_fma((float)down, lanes->sum[r][l], lanes->moment[r][l]);
        lanes->sum[r][l] *= f;
        lanes->distance[r][l] *= f;
    }
    for (int32_t e = 0; (b->v || b->v_rows) && e < b->ep; e++) {
        g->o[(ptrdiff_t)r * b->ep + e] *= f;
        scratch->o[(ptrdiff_t)r * b->ep + e] *= f;
    }
    if (full && b->col_width > 0) {
        for (ptrdiff_t c = 0; c < g->texel_ld; c++) {
            g->texel_sum[r * g->texel_ld + c] *= f;
        }
        for (int c = 0; c < RUN; c++) {
            scratch->run_sum[r * RUN_LD + c] *= f;
        }
    }
}

/* Where the runs of a step go: to their texels, or to the run buffers if texels are wider. */
KERNEL_INLINE float *step_runs(const AttnBlock *b, int32_t step, int32_t r, float *texels,
                               ptrdiff_t texel_ld, float *runs)
{
    if (b->col_width > T) {
        return runs + r * RUN_LD + step * W;
    }
    return texels + r * texel_ld + (b->key0 / ATTN_STEP + step) * (ATTN_STEP / b->col_width);
}

/*
 * Within a lane the keys of a step are neighbours. A step goes QUAD vectors at a time, whose sums
 * (or maxima) by two are on the way to those of all: runs of 1, 2 and 4 keys cost their stores.
 */
enum { QUAD = 4 };
_Static_assert(T % QUAD == 0, "a step is whole quads");

typedef struct Quad {
    vf x[QUAD], low, high, all; /* of the first two, of the last two, of the four */
} Quad;

KERNEL_INLINE void quad_maxima(Quad *q)
{
    q->low = vf_max(q->x[0], q->x[1]);
    q->high = vf_max(q->x[2], q->x[3]);
    q->all = vf_max(q->low, q->high);
}

KERNEL_INLINE void quad_sums(Quad *q)
{
    q->low = vf_add(q->x[0], q->x[1]);
    q->high = vf_add(q->x[2], q->x[3]);
    q->all = vf_add(q->low, q->high);
}

/* Runs of the quad at vector t that are shorter than a lane's keys; out is the step's. */
KERNEL_INLINE void quad_runs(const Quad *q, int t, int32_t col_width, float *out)
{
    if (col_width == 2) {
        vf_store(out + t / 2 * W, q->low);
        vf_store(out + t / 2 * W + W, q->high);
    } else if (col_width == 1) {
        UNROLL(4)
        for (int i = 0; i < QUAD; i++) {
            vf_store(out + (t + i) * W, q->x[i]);
        }
    } else if (T > (int)QUAD && col_width == QUAD) {
        vf_store(out + t / QUAD * W, q->all);
    }
}

/* Runs of two quads, where a lane has more: what quad_runs left for the end of a step. */
KERNEL_INLINE void double_runs(const float *s, const bool maxima, float *out)
{
    for (int t0 = 0; t0 < T; t0 += 2 * QUAD) {
        vf total = vf_load(s + t0 * W);
        for (int t = t0 + 1; t < t0 + 2 * QUAD; t++) {
            vf x = vf_load(s + t * W);
            total = maxima ? vf_max(total, x) : vf_add(total, x);
        }
        vf_store(out + t0 / (2 * QUAD) * W, total);
    }
}

/* What is left of a step's runs when its quads are done: s as it is now, all is that of a lane. */
KERNEL_INLINE void last_runs(const float *s, vf all, int32_t col_width, const bool maxima,
                             float *out)
{
    if (col_width >= T) {
        vf_store(out, all);
    } else if (T > 2 * QUAD && col_width == 2 * QUAD) {
        double_runs(s, maxima, out);
    }
}

/* Keeps the scores of the keys that have names, where this step has them. */
static void step_named(const AttnBlock *b, AttnGroup *g, int32_t step, const float *s)
{
    int32_t first_key = b->key0 + step * ATTN_STEP;
    for (int32_t r = 0; r < g->n_rows; r++) {
        int32_t keys[ATTN_NAMED] = {0, (int32_t)g->position[r], (int32_t)g->position[r] - 1};
        for (int i = 0; i < ATTN_NAMED; i++) {
            int32_t x = keys[i] - first_key;
            if (x >= 0 && x < ATTN_STEP) {
                g->named[i][r] = s[r * ATTN_STEP + x % T * W + x / T];
            }
        }
    }
}

/* Largest scores of a row by lane, with the key that each was first seen at, and the runs'. */
KERNEL_INLINE vf row_maxima(const AttnBlock *b, AttnGroup *g, int32_t r, const float *row,
                            vf lane_key, float *runs, const bool full)
{
    vf m = vf_load(row), key = lane_key;
    UNROLL(4)
    for (int t = 0; t < T; t += QUAD) {
        Quad q;
        UNROLL(4)
        for (int i = 0; i < QUAD; i++) {
            q.x[i] = vf_load(row + (t + i) * W);
        }
        quad_maxima(&q);
        if (full) {
            vf most = m;
            UNROLL(4)
            for (int i = t == 0; i < QUAD; i++) {
                key = vf_sel(vm_gt(q.x[i], most), vf_add(lane_key, vf_set1((float)(t + i))), key);
                most = vf_max(most, q.x[i]);
            }
            quad_runs(&q, t, b->col_width, runs);
        }
        m = t == 0 ? q.all : vf_max(m, q.all);
    }
    vf seen = vf_load(g->lane_max + r * W);
    vf_store(g->lane_max + r * W, vf_max(m, seen));
    if (full) {
        vf where = vf_load(g->lane_key + r * W);
        vf_store(g->lane_key + r * W, vf_sel(vm_gt(m, seen), key, where));
        if (b->col_width > 0) {
            last_runs(row, m, b->col_width, true, runs);
        }
    }
    return m;
}

/* Sum of e |p - j| of a step whose lanes have sum S and Q = sum_t t e_t: on one side of the
 * position that is (p - j0) S - Q or its negative. */
KERNEL_INLINE vf step_distance(const float *e, vf lane_key, float first_key, float at, vf total,
                               vf later, vf distance)
{
    vf position = vf_set1(at);
    if (at >= first_key + (ATTN_STEP - 1)) {
        return vf_add(distance, vf_fms(vf_sub(position, lane_key), total, later));
    }
    if (at <= first_key) {
        return vf_add(distance, vf_fma(vf_sub(lane_key, position), total, later));
    }
    for (int t = 0; t < T; t++) {
        vf away = vf_abs(vf_sub(vf_add(lane_key, vf_set1((float)t)), position));
        distance = vf_fma(vf_load(e + t * W), away, distance);
    }
    return distance;
}

/* Exponentials of a row in place and their sums, with what statistics and summary need. Where P V
 * takes words these go to their own row, which may be the same. */
KERNEL_INLINE void row_exponentials(const AttnBlock *b, const AttnGroup *g, int32_t r, float *row,
                                    vf lane_key, float first_key, float *runs, float *words,
                                    Lanes *lanes, const bool full)
{
    vf low = vf_set1(POW2_LOWEST), ref = vf_set1(g->ref[r]);
    vf total = low, later = low;
    vf moment = full ? vf_load(lanes->moment[r]) : low;
    const bool stays = V_PER_WORD == 1 || full || g->kept;
    Quad q;
    UNROLL(4)
    for (int t = 0; t < T; t += QUAD) {
        UNROLL(4)
        for (int i = 0; i < QUAD; i++) {
            vf y = vf_exponent(vf_load(row + (t + i) * W), ref);
            y = full || CLAMPED ? vf_max(low, y) : y; /* e y is a number where e is 0 */
            q.x[i] = pow2_vector(y);
            if (stays) {
                vf_store(row + (t + i) * W, q.x[i]);
            }
            moment = full ? vf_fma(q.x[i], y, moment) : moment;
        }
        quad_sums(&q);
        total = t == 0 ? q.all : vf_add(total, q.all);
        if (full) {
            vf next = vf_add(vf_add(q.x[1], q.x[3]), vf_add(q.high, q.high));
            next = t == 0 ? next : vf_fma(vf_set1((float)t), q.all, next);
            later = t == 0 ? next : vf_add(later, next);
            quad_runs(&q, t, b->col_width, runs);
        }
    }
    vf_store(lanes->sum[r], vf_add(vf_load(lanes->sum[r]), total));
    if (full) {
        vf_store(lanes->moment[r], moment);
        vf_store(lanes->distance[r], step_distance(row, lane_key, first_key, g->position[r], total,
                                                   later, vf_load(lanes->distance[r])));
        if (b->col_width > 0) {
            last_runs(row, total, b->col_width, false, runs);
        }
    }
#if V_PER_WORD > 1
    store_words(words, q.x);
#else
    (void)words;
#endif
}

/* Softmax of a step, row by row: where a maximum passes its limit the reference follows. */
KERNEL_INLINE void step_softmax(const AttnBlock *b, AttnGroup *g, int32_t step, float *s,
                                Lanes *lanes, const AttnAttendScratch *scratch, const bool full)
{
    float first_key = (float)(b->key0 + step * ATTN_STEP), *max_runs = NULL, *sum_runs = NULL;
    vf lane_key = vf_add(vf_load(LANE_KEYS), vf_set1(first_key));
    for (int32_t r = 0; r < g->n_rows; r++) {
        float *row = s + r * ATTN_STEP;
        if (full && b->col_width > 0) {
            max_runs = step_runs(b, step, r, g->texel_max, g->texel_ld, scratch->run_max);
            sum_runs = step_runs(b, step, r, g->texel_sum, g->texel_ld, scratch->run_sum);
        }
        vf m = row_maxima(b, g, r, row, lane_key, max_runs, full);
        if (__builtin_expect(vf_any_gt(m, vf_set1(g->limit[r])), 0)) {
            step_raise(b, g, r, lanes_max(m), lanes, scratch, full);
        }
        row_exponentials(b, g, r, row, lane_key, first_key, sum_runs, scratch->s + r * ATTN_STEP,
                         lanes, full);
    }
}

/* ---------------------------------------------------------------- a block of keys */

/* Halves runs, sums and maxima of neighbours, into n of them: reads 2 n, but at least 2 W floats;
 * may be in place. */
KERNEL_INLINE void halve_runs(const float *sum, const float *max, int n, float *to_sum,
                              float *to_max)
{
    for (int i = 0; i < n; i += W) {
        vf a = vf_load(sum + 2 * i), b = vf_load(sum + 2 * i + W);
        vf_store(to_sum + i, vf_add(vf_even(a, b), vf_odd(a, b)));
        a = vf_load(max + 2 * i), b = vf_load(max + 2 * i + W);
        vf_store(to_max + i, vf_max(vf_even(a, b), vf_odd(a, b)));
    }
}

/* Folds the runs of a block into the rows' texels, which are wider than a lane's keys. */
static void block_texels(const AttnBlock *b, AttnGroup *g, const AttnAttendScratch *scratch)
{
    int32_t first = b->key0 / b->col_width;
    for (int32_t r = 0; r < g->n_rows; r++) {
        float *sum = scratch->run_sum + r * RUN_LD, *max = scratch->run_max + r * RUN_LD;
        float *to_sum = g->texel_sum + r * g->texel_ld + first;
        float *to_max = g->texel_max + r * g->texel_ld + first;
        /* Steps that were not visited hold 0 and -INFINITY, so whole blocks can be halved. */
        int n = RUN, width = T;
        for (; 2 * width < b->col_width && n > 2; width *= 2) {
            n /= 2;
            halve_runs(sum, max, n, sum, max);
        }
        n /= 2;
        if (n % W == 0) { /* this block has all of these texels to itself */
            int32_t left = (b->n_cols - first + W - 1) / W * W;
            n = n < left ? n : left;
            /* A shorter block than ATTN_BLOCK_STEPS may begin within W texels of the row's end. */
            int32_t room = (int32_t)g->texel_ld - first;
            bool fits = n <= room;
            halve_runs(sum, max, n, fits ? to_sum : sum, fits ? to_max : max);
            for (int i = 0; !fits && i < room; i++) {
                to_sum[i] = sum[i];
                to_max[i] = max[i];
            }
            continue;
        }
        halve_runs(sum, max, n, sum, max);
        n = n < b->n_cols - first ? n : b->n_cols - first;
        for (int i = 0; i < n; i++) {
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

KERNEL_INLINE void attend_block(const AttnBlock *b, AttnGroup *g, const AttnAttendScratch *scratch,
                                const bool full)
{
    Lanes lanes;
    size_t o_rows = b->v_rows ? ATTN_DIRECT : g->n_rows == 1 ? 1 : ATTN_GROUP;
    size_t o_floats = b->v || b->v_rows ? o_rows * (size_t)b->ep : 0;
    memset(lanes.sum, 0, sizeof lanes.sum);
    if (full) {
        memset(lanes.moment, 0, sizeof lanes.moment);
        memset(lanes.distance, 0, sizeof lanes.distance);
        for (int step = 0; b->col_width > T && step < ATTN_BLOCK_STEPS; step++) {
            bool visited = step >= b->first_step && step < b->last_step;
            for (int32_t r = 0; !visited && r < g->n_rows; r++) {
                vf_store(scratch->run_sum + r * RUN_LD + step * W, vf_set1(0.0f));
                vf_store(scratch->run_max + r * RUN_LD + step * W, vf_set1(-INFINITY));
            }
        }
    }
    memset(scratch->o, 0, o_floats * sizeof(float));

    int32_t last_begin = g->begin[0], first_end = g->end[0], last_end = g->end[0];
    float least = g->position[0], most = g->position[0];
    for (int32_t r = 1; r < g->n_rows; r++) {
        last_begin = g->begin[r] > last_begin ? g->begin[r] : last_begin;
        first_end = g->end[r] < first_end ? g->end[r] : first_end;
        last_end = g->end[r] > last_end ? g->end[r] : last_end;
        least = g->position[r] < least ? g->position[r] : least;
        most = g->position[r] > most ? g->position[r] : most;
    }
    for (int32_t step = b->first_step; step < b->last_step; step++) {
        int32_t key = b->key0 + step * ATTN_STEP;
        float *s = g->kept ? g->kept + (step - b->first_step) * g->kept_ld : scratch->s;
        if (g->kept && g->n_rows < ATTN_GROUP) { /* P V goes through rows that the group lacks */
            memset(s, 0, ATTN_GROUP * ATTN_STEP * sizeof *s);
        }
        block_scores(b, g, step, s);
        bool masked = key < last_begin || key + ATTN_STEP > first_end;
        if (masked || b->bias || b->soft_cap > 0 || (b->hidden && b->any_hidden[step])) {
            step_modify(b, g, step, masked, s);
        }
        if (full && step_has_named(least, most, key)) {
            step_named(b, g, step, s);
        }
        step_softmax(b, g, step, s, &lanes, scratch, full);
        if (g->kept) {
            memcpy(s + ATTN_GROUP * ATTN_STEP, g->ref, ATTN_GROUP * sizeof *s);
            ask_to_write(s, g->kept_ld);
        }
        block_pv(b, g, step, last_end, V_PER_WORD > 1 ? scratch->s : s, scratch->o);
    }

    for (size_t i = 0; i < o_floats; i += W) {
        vf_store(g->o + i, vf_add(vf_load(g->o + i), vf_load(scratch->o + i)));
    }
    for (int32_t r = 0; r < g->n_rows; r++) {
        g->sum[r] += (double)lanes_sum(vf_load(lanes.sum[r]));
        if (full) {
            g->moment[r] += (double)lanes_sum(vf_load(lanes.moment[r]));
            g->distance[r] += (double)lanes_sum(vf_load(lanes.distance[r]));
        }
    }
    if (full && b->col_width > T) {
        block_texels(b, g, scratch);
    }
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
