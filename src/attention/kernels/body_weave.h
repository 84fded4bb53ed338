#pragma once
/*
 * Scores of the next step woven with the softmax of this one, where registers are left beside a
 * tile of 6 x 4 vectors. Exponentials are chains of operations that wait for each other, products
 * are many that do not: after every six products stands an operation or two of a chain whose
 * operands are just done. Out-of-order execution alone does not get there: chains that wait fill
 * the schedulers. HOLD keeps the compiler to this order, as the products (volatile) do; it runs out
 * of registers unless the tile has its own, which is why nothing is called while it is in use.
 */
#include "attention/kernels/body_softmax.h"

#define HOLD(x) __asm__ volatile("" : "+v"(x))

_Static_assert((int)T == QUAD && (int)T == NV && W == 16 && MR == 6, "a step is a quad and a tile");

#define TILE_ROW(r, c0, c1, c2, c3)                                                                \
    register vf a##r##0 __asm__("zmm" #c0), a##r##1 __asm__("zmm" #c1),                            \
        a##r##2 __asm__("zmm" #c2), a##r##3 __asm__("zmm" #c3)
#define TILE                                                                                       \
    TILE_ROW(0, 8, 9, 10, 11);                                                                     \
    TILE_ROW(1, 12, 13, 14, 15);                                                                   \
    TILE_ROW(2, 16, 17, 18, 19);                                                                   \
    TILE_ROW(3, 20, 21, 22, 23);                                                                   \
    TILE_ROW(4, 24, 25, 26, 27);                                                                   \
    TILE_ROW(5, 28, 29, 30, 31)
#define TILE_ROWS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#define TILE_CLEAR(r) a##r##0 = a##r##1 = a##r##2 = a##r##3 = vf_set1(0.0f);
/* Six products: vector c of a word of the panel. */
#define TILE_PRODUCTS(q, panel, c)                                                                 \
    do {                                                                                           \
        vf k_ = vf_load((panel) + (c)*W);                                                          \
        vf_dot_k_at(q, 0, k_, a0##c);                                                              \
        vf_dot_k_at(q, 1, k_, a1##c);                                                              \
        vf_dot_k_at(q, 2, k_, a2##c);                                                              \
        vf_dot_k_at(q, 3, k_, a3##c);                                                              \
        vf_dot_k_at(q, 4, k_, a4##c);                                                              \
        vf_dot_k_at(q, 5, k_, a5##c);                                                              \
    } while (0)
#define TILE_STORE(r)                                                                              \
    vf_store(to + (r)*ATTN_STEP, a##r##0);                                                         \
    vf_store(to + (r)*ATTN_STEP + W, a##r##1);                                                     \
    vf_store(to + (r)*ATTN_STEP + 2 * W, a##r##2);                                                 \
    vf_store(to + (r)*ATTN_STEP + 3 * W, a##r##3);
#define TILE_LIMIT(r)                                                                              \
    over |= vm_gt(vf_max(vf_max(a##r##0, a##r##1), vf_max(a##r##2, a##r##3)), vf_set1(limit[r]));

/* Two vectors on their way to exponentials. */
typedef struct Pair {
    vf f[2], p[2], n[2]; /* f is y first */
} Pair;

enum { KEY_STAGES = 5, LEAN_STAGES = 10, FULL_STAGES = 11 };

/* Exponentials of a pair, the row's vectors first and first + 1, into place and into its sums. */
KERNEL_INLINE void pair_end(Row *row, const Pair *v, const AttnGroup *g, Lanes *lanes, int first,
                            const bool full)
{
    float *s = row->s + first * W;
    vf sum = vf_add(v->p[0], v->p[1]);
    if (full) {
        vf moment = vf_fma(v->p[0], vf_load(s), vf_load(lanes->moment[row->r]));
        moment = vf_fma(v->p[1], vf_load(s + W), moment);
        HOLD(moment);
        vf_store(lanes->moment[row->r], moment);
    }
    if (V_PER_WORD == 1 || full || g->kept) {
        vf_store(s, v->p[0]);
        vf_store(s + W, v->p[1]);
    }
#if V_PER_WORD > 1
    if (!full) {
        store_words(row->words + first / 2 * W, v->p[0], v->p[1]);
    }
#endif
    if (full && row->col_width == 2) {
        vf_store(row->runs + first / 2 * W, sum);
    } else if (full && row->col_width == 1) {
        vf_store(row->runs + first * W, v->p[0]);
        vf_store(row->runs + first * W + W, v->p[1]);
    }
    if (full && first > 0) {
        row->later = vf_add(vf_add(vf_load(row->s + W), v->p[1]), vf_add(sum, sum));
    }
    row->total = first == 0 ? sum : vf_add(row->total, sum);
    HOLD(row->total);
}

/* One operation or two of a pair on its way from y to 2^y; statistics have one stage more. */
KERNEL_INLINE void pair_stage(Row *row, Pair *v, const AttnGroup *g, Lanes *lanes, int first,
                              int stage, const bool full)
{
    static const float C[5] = {EXP_C4, EXP_C3, EXP_C2, EXP_C1, 1.0f};
    float *s = row->s + first * W, *seen = g->lane_max + row->r * W;
    stage += !full && stage > 0;
    if (stage == 10) {
        pair_end(row, v, g, lanes, first, full);
        return;
    }
    if (!full && stage == 0) { /* key_stage does it with keys */
        vf m = vf_max(vf_load(s), vf_load(s + W));
        m = vf_max(m, vf_load(seen));
        HOLD(m);
        vf_store(seen, m);
    }
    UNROLL(2)
    for (int j = 0; j < 2; j++) {
        if (stage == 0) {
            v->f[j] = vf_exponent(vf_load(s + j * W), vf_set1(g->ref[row->r]));
        } else if (stage == 1) { /* e y is a number where e is 0 */
            v->f[j] = vf_max(vf_set1(POW2_LOWEST), v->f[j]);
            HOLD(v->f[j]);
            vf_store(s + j * W, v->f[j]);
        } else if (stage == 2) {
            v->n[j] = vf_round(v->f[j]);
            HOLD(v->n[j]);
        } else if (stage == 3) {
            v->f[j] = vf_sub(v->f[j], v->n[j]);
            v->p[j] = vf_set1(EXP_C5);
        } else if (stage < 9) {
            v->p[j] = vf_fma(v->p[j], v->f[j], vf_set1(C[stage - 4]));
        } else {
            v->p[j] = vf_ldexp(v->p[j], v->n[j]);
        }
        if (stage == 0 || stage == 3) {
            HOLD(v->f[j]);
        } else if (stage > 3) {
            HOLD(v->p[j]);
        }
    }
}

/* Largest scores of a row, and the first of a lane's keys that has it; see row_maxima. */
typedef struct Largest {
    vf m, low, high, at;
    vm is[3];
} Largest;

KERNEL_INLINE void key_stage(const Softmax *x, const Row *row, Largest *v, int stage)
{
    const float *s = row->s;
    float *seen = x->g->lane_max + row->r * W, *key = x->g->lane_key + row->r * W;
    if (stage == 0) {
        v->low = vf_max(vf_load(s), vf_load(s + W));
        v->high = vf_max(vf_load(s + 2 * W), vf_load(s + 3 * W));
        HOLD(v->low);
        HOLD(v->high);
    } else if (stage == 1) {
        v->m = vf_max(v->low, v->high);
        HOLD(v->m);
        if (row->col_width == 2) {
            vf_store(row->max_runs, v->low);
            vf_store(row->max_runs + W, v->high);
        } else if (row->col_width == 1) {
            UNROLL(4)
            for (int t = 0; t < T; t++) {
                vf_store(row->max_runs + t * W, vf_load(s + t * W));
            }
        }
    } else if (stage == 2) {
        v->is[0] = vm_ge(vf_load(s), v->m);
        v->is[1] = vm_ge(vf_load(s + W), v->m);
        v->is[2] = vm_ge(vf_load(s + 2 * W), v->m);
        if (row->col_width >= T) {
            vf_store(row->max_runs, v->m);
        }
    } else if (stage == 3) {
        v->at = vf_sel(v->is[2], vf_set1(2.0f), vf_set1(3.0f));
        v->at = vf_sel(v->is[1], vf_set1(1.0f), v->at);
        v->at = vf_add(vf_sel(v->is[0], vf_set1(0.0f), v->at), row->lane_key);
        HOLD(v->at);
    } else {
        vf before = vf_load(seen);
        vf_store(seen, vf_max(v->m, before));
        v->at = vf_sel(vm_gt(v->m, before), v->at, vf_load(key));
        HOLD(v->at); /* a store under a mask would cost more */
        vf_store(key, v->at);
    }
}

/* Stages [0, row_stages) of a row. */
KERNEL_INLINE int row_stages(const bool full)
{
    return full ? KEY_STAGES + 2 * FULL_STAGES + 1 : 2 * LEAN_STAGES;
}

KERNEL_INLINE void row_stage(const Softmax *x, Row *row, Largest *largest, Pair *pair, int stage,
                             const bool full)
{
    const int keys = full ? KEY_STAGES : 0, of_pair = full ? FULL_STAGES : LEAN_STAGES;
    if (stage < keys) {
        key_stage(x, row, largest, stage);
    } else if (stage < keys + 2 * of_pair) {
        stage -= keys;
        pair_stage(row, pair, x->g, x->lanes, stage / of_pair * 2, stage % of_pair, full);
    }
    if (stage == row_stages(full) - 1) {
        row_end(row, x->b, x->g, x->lanes, full);
    }
}

/* Words of the panel that a row's softmax goes beside. */
KERNEL_INLINE int weave_words(const bool full)
{
    return (row_stages(full) + NV - 1) / NV;
}

/* References follow where maxima of a whole group pass their limits. */
KERNEL_INLINE void softmax_limits(const Softmax *x, const bool full)
{
    for (int32_t r = 0; r < ATTN_GROUP; r++) {
        const float *s = x->s + r * ATTN_STEP;
        vf m = vf_load(s);
        for (int t = 1; t < T; t++) {
            m = vf_max(m, vf_load(s + t * W));
        }
        softmax_limit(x, r, m, full);
    }
}

/*
 * Scores of the next step, to s, and exponentials of this one. What of a row's softmax does not fit
 * beside the products of narrow heads comes after them. True if no score of the next step passes
 * its row's limit.
 */
KERNEL_INLINE bool weave_step(const Softmax *x, const float *panel, float *s, const bool full)
{
    const int row_words = weave_words(full);
    const int32_t words = x->b->k_words, rows = words / row_words < MR ? words / row_words : MR;
    unsigned over = 0;
    for (int r0 = 0; r0 < ATTN_GROUP; r0 += MR) {
        const float *q = x->g->q + (ptrdiff_t)r0 * words, *k = panel, *limit = x->g->limit + r0;
        float *to = s + r0 * ATTN_STEP;
        TILE;
        TILE_ROWS(TILE_CLEAR)
        for (int r = r0; r < r0 + rows; r++) {
            Row row;
            softmax_row(x, r, &row);
            Pair pair;
            Largest largest;
            UNROLL(7)
            for (int i = 0; i < row_words; i++) {
                TILE_PRODUCTS(q, k, 0);
                row_stage(x, &row, &largest, &pair, i * NV + 0, full);
                TILE_PRODUCTS(q, k, 1);
                row_stage(x, &row, &largest, &pair, i * NV + 1, full);
                TILE_PRODUCTS(q, k, 2);
                row_stage(x, &row, &largest, &pair, i * NV + 2, full);
                TILE_PRODUCTS(q, k, 3);
                row_stage(x, &row, &largest, &pair, i * NV + 3, full);
                q += MR;
                k += NR;
            }
        }
        for (int32_t d = rows * row_words; d < words; d++) {
            TILE_PRODUCTS(q, k, 0);
            TILE_PRODUCTS(q, k, 1);
            TILE_PRODUCTS(q, k, 2);
            TILE_PRODUCTS(q, k, 3);
            q += MR;
            k += NR;
        }
        TILE_ROWS(TILE_STORE)
        TILE_ROWS(TILE_LIMIT)
        for (int r = r0 + rows; r < r0 + MR; r++) {
            Row row;
            softmax_row(x, r, &row);
            (void)softmax_maxima(x, &row, full);
            softmax_exponentials(x, &row, full);
        }
    }
    return over == 0;
}
