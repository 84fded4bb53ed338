#pragma once
/*
 * Attention received, within the pass: the exponentials of a query block are kept until its rows
 * are finished and their sums known, then added up by column. Sums of a head are whole multiples
 * of a unit, so that the order in which blocks add to them is of no consequence: the same bits for
 * any number of threads.
 *
 * Source: fixed point as in Kulisch & Miranker 1981, Computer Arithmetic in Theory and Practice.
 */
#include <omp.h>

#include "attention/plan.h"

/** What query blocks of one thread leave behind. Scratch. */
typedef struct AttnKept {
    float *steps;   /* [step][group][ATTN_KEPT] as the kernel leaves them */
    int64_t *sum;   /* [steps * 64] columns of the block, in units */
    float *inverse; /* [rows] of each row's sum */
    int32_t most_steps, n_groups;
    int32_t step0, n_steps; /* of this block */
} AttnKept;

/** Sums of the heads that are under way. Scratch of all threads. */
typedef struct AttnReceived {
    int64_t *sum;     /* [heads][n_steps * 64] in units; negative = no number */
    omp_lock_t *lock; /* [heads] */
    double unit;      /* units in 1 */
    int32_t n_heads, width;
} AttnReceived;

/** Most rows up to `rows` (12 times a power of two, or 3 times that) that a query block can keep;
 *  0 where keys are so many that too few fit. By shapes alone. */
int32_t attn_kept_rows(const AttnPlan *plan, int32_t rows);

/** Pieces of scratch; with an empty carver these measure. */
void attn_kept_carve(AttnKept *kept, const AttnPlan *plan, int32_t rows, AttnCarver *carver);
void attn_received_carve(AttnReceived *received, const AttnPlan *plan, int32_t n_heads,
                         AttnCarver *carver);

void attn_received_open(AttnReceived *received);
void attn_received_close(AttnReceived *received);
/** Sum of one of its heads. */
void attn_received_clear(AttnReceived *received, int32_t head);
/** The same as numbers [M]. */
void attn_received_write(const AttnReceived *received, const AttnPlan *plan, int32_t head,
                         float *out);

/** A query block begins. */
void attn_kept_start(AttnKept *kept, const AttnPlan *plan, int32_t row0, int32_t n_rows);

/** Where the kernel leaves a step of a group; kept->n_groups * ATTN_KEPT floats to the next. */
static inline float *attn_kept_at(const AttnKept *kept, int32_t step, int32_t group)
{
    ptrdiff_t at = (ptrdiff_t)(step - kept->step0) * kept->n_groups + group;
    return kept->steps + at * ATTN_KEPT;
}

/** A query block ends: ref are its rows' last references, kept->inverse is filled in. Adds its
 *  columns to those of a head. Any thread. */
void attn_kept_fold(AttnKept *kept, const AttnPlan *plan, int32_t row0, int32_t n_rows,
                    const float *ref, AttnReceived *received, int32_t head);
