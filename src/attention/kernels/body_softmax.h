#pragma once
/*
 * Softmax of a step for a group of rows: cap, bias and mask of its scores, maxima, references that
 * follow them, exponentials with their sums, and what statistics and texels need. See body.h.
 */
#include "attention/kernels/body.h"

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
        for (int c = 0; c < b->block_steps * W; c++) {
            scratch->run_sum[r * RUN_LD + c] *= f;
        }
    }
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

/* Adds the sum of e |p - j| of a step that p is within. */
KERNEL_INLINE void distance_within(const float *e, vf lane_key, float at, float *distance)
{
    vf sum = vf_load(distance);
    for (int t = 0; t < T; t++) {
        vf key = vf_add(lane_key, vf_set1((float)t - at));
        sum = vf_fma(vf_load(e + t * W), vf_abs(key), sum);
    }
    vf_store(distance, sum);
}

/* Adds the sum of e |p - j| of a step whose lanes have sum S and Q = sum_t t e_t: on one side of
 * the position that is (p - j0) S - Q or its negative. */
KERNEL_INLINE void step_distance(const float *e, vf lane_key, float first_key, float at, vf total,
                                 vf later, float *distance)
{
    vf position = vf_set1(at);
    if (at >= first_key + (ATTN_STEP - 1)) {
        vf_store(distance,
                 vf_add(vf_load(distance), vf_fms(vf_sub(position, lane_key), total, later)));
    } else if (at <= first_key) {
        vf_store(distance,
                 vf_add(vf_load(distance), vf_fma(vf_sub(lane_key, position), total, later)));
    } else {
        distance_within(e, lane_key, at, distance);
    }
}

/*
 * A row of a step on its way from scores to exponentials, in place, with their sums and what
 * statistics and summary need: begun, then vector after vector, then ended, so that other work can
 * stand between.
 */
typedef struct Row {
    int32_t r;
    float *s, *words; /* where P V takes words they go to their own row, which may be the same */
    float *runs, *max_runs;
    int32_t col_width;
    float first_key;
    vf lane_key; /* a lane's first key */
    vf ref, x[QUAD];
    vf total, later, moment;
} Row;

KERNEL_INLINE void row_begin(Row *row, const AttnGroup *g, const Lanes *lanes, const bool full)
{
    row->ref = vf_set1(g->ref[row->r]);
    row->total = row->later = vf_set1(0.0f);
    row->moment = full ? vf_load(lanes->moment[row->r]) : row->total;
}

/* Vector t + i, i within its quad. */
KERNEL_INLINE void row_vector(Row *row, const AttnBlock *b, const AttnGroup *g, int t, const int i,
                              const bool full)
{
    vf low = vf_set1(POW2_LOWEST);
    vf y = vf_exponent(vf_load(row->s + (t + i) * W), row->ref);
    y = full || CLAMPED ? vf_max(low, y) : y; /* e y is a number where e is 0 */
    row->x[i] = pow2_vector(y);
    if (V_PER_WORD == 1 || full || g->kept) {
        vf_store(row->s + (t + i) * W, row->x[i]);
    }
    row->moment = full ? vf_fma(row->x[i], y, row->moment) : row->moment;
#if V_PER_WORD > 1
    if (!full && i % 2 == 1) {
        store_words(row->words + i / 2 * W, row->x[i - 1], row->x[i]);
    }
#endif
    if (i < QUAD - 1) {
        return;
    }
    Quad q;
    UNROLL(4)
    for (int j = 0; j < QUAD; j++) {
        q.x[j] = row->x[j];
    }
    quad_sums(&q);
    row->total = t == 0 ? q.all : vf_add(row->total, q.all);
    if (full) {
        vf next = vf_add(vf_add(q.x[1], q.x[3]), vf_add(q.high, q.high));
        next = t == 0 ? next : vf_fma(vf_set1((float)t), q.all, next);
        row->later = t == 0 ? next : vf_add(row->later, next);
        quad_runs(&q, t, b->col_width, row->runs);
    }
}

KERNEL_INLINE void row_end(const Row *row, const AttnBlock *b, const AttnGroup *g, Lanes *lanes,
                           const bool full)
{
    int32_t r = row->r;
    vf_store(lanes->sum[r], vf_add(vf_load(lanes->sum[r]), row->total));
    if (full) {
        step_distance(row->s, row->lane_key, row->first_key, g->position[r], row->total, row->later,
                      lanes->distance[r]);
        if (b->col_width > 0) {
            last_runs(row->s, row->total, b->col_width, false, row->runs);
        }
    }
#if V_PER_WORD > 1
    if (full) { /* not before: they may lie where the exponentials are */
        vf e[QUAD] = {vf_load(row->s), vf_load(row->s + W), vf_load(row->s + 2 * W),
                      vf_load(row->s + 3 * W)};
        store_words(row->words, e[0], e[1]);
        store_words(row->words + W, e[2], e[3]);
    }
#endif
}

/* A step between its scores and P V. */
typedef struct Softmax {
    const AttnBlock *b;
    AttnGroup *g;
    int32_t step;
    float first_key;
    float *s;
    float *words;           /* where P V takes words: their own rows, which may be those of s */
    vf lane_key;            /* a lane's first key */
    float *runs, *max_runs; /* of the first row: see softmax_begin */
    ptrdiff_t runs_ld;
    bool scored; /* scores of the step are there */
    bool within; /* and none of them passes a limit */
    Lanes *lanes;
    const AttnAttendScratch *scratch;
} Softmax;

/* The runs of a step go to their texels, or to the run buffers if texels are wider. */
KERNEL_INLINE void softmax_begin(Softmax *x, const bool full)
{
    const AttnBlock *b = x->b;
    x->words = x->g->kept ? x->scratch->s : x->s;
    x->first_key = (float)(b->key0 + x->step * ATTN_STEP);
    x->lane_key = vf_add(vf_load(LANE_KEYS), vf_set1(x->first_key));
    if (full && b->col_width > T) {
        x->runs = x->scratch->run_sum + x->step * W;
        x->max_runs = x->scratch->run_max + x->step * W;
        x->runs_ld = RUN_LD;
    } else if (full && b->col_width > 0) {
        ptrdiff_t at = (b->key0 / ATTN_STEP + x->step) * (ATTN_STEP / b->col_width);
        x->runs = x->g->texel_sum + at;
        x->max_runs = x->g->texel_max + at;
        x->runs_ld = x->g->texel_ld;
    }
}

/* Field by field: what is not set is not cleared either. */
KERNEL_INLINE void softmax_row(const Softmax *x, int32_t r, Row *row)
{
    row->r = r;
    row->s = x->s + r * ATTN_STEP;
    row->words = x->words + r * ATTN_STEP;
    row->runs = x->runs ? x->runs + r * x->runs_ld : NULL;
    row->max_runs = x->max_runs ? x->max_runs + r * x->runs_ld : NULL;
    row->col_width = x->b->col_width;
    row->first_key = x->first_key;
    row->lane_key = x->lane_key;
}

KERNEL_INLINE vf softmax_maxima(const Softmax *x, const Row *row, const bool full)
{
    return row_maxima(x->b, x->g, row->r, row->s, row->lane_key, row->max_runs, full);
}

/* The reference follows where a maximum of row r passes its limit. */
KERNEL_INLINE void softmax_limit(const Softmax *x, int32_t r, vf m, const bool full)
{
    if (__builtin_expect(vf_any_gt(m, vf_set1(x->g->limit[r])), 0)) {
        step_raise(x->b, x->g, r, lanes_max(m), x->lanes, x->scratch, full);
    }
}

KERNEL_INLINE void softmax_exponentials(const Softmax *x, Row *row, const bool full)
{
    row_begin(row, x->g, x->lanes, full);
    UNROLL(4)
    for (int t = 0; t < T; t += QUAD) {
        UNROLL(4)
        for (int i = 0; i < QUAD; i++) {
            row_vector(row, x->b, x->g, t, i, full);
        }
    }
    if (full) {
        vf_store(x->lanes->moment[row->r], row->moment);
    }
    row_end(row, x->b, x->g, x->lanes, full);
}

/* Row by row. */
KERNEL_INLINE void step_softmax(const Softmax *x, const bool full)
{
    for (int32_t r = 0; r < x->g->n_rows; r++) {
        Row row;
        softmax_row(x, r, &row);
        softmax_limit(x, r, softmax_maxima(x, &row, full), full);
        softmax_exponentials(x, &row, full);
    }
}
