#pragma once
/* One row of texels while the pass fills it. */
#include "attention/plan.h"

/** Rows of one head arrive in order; a texel row is written when its last row has arrived. */
typedef struct AttnTexelRow {
    AttnSummaryShape shape;
    int32_t lanes;       /* of the kernel: with the width, the order of texels */
    int32_t block_steps; /* of the plan: the texels that a block has to itself */
    int32_t ld;          /* texels of all steps, padded to ATTN_PAD */
    float *sum, *max;  /* [ld] of the latest rows, and of all; what is there counts if n_rows > 0 */
    double *total;     /* [ld] of the rows before them */
    int32_t n_rows;    /* that have arrived */
    int32_t n_pending; /* of them in sum */
    bool flushed;      /* of them in total */
} AttnTexelRow;

/** Pieces of scratch; with an empty carver this measures. */
void attn_texel_row_carve(AttnTexelRow *texels, const AttnSummaryShape *shape, const AttnPlan *plan,
                          AttnCarver *carver);

void attn_texel_row_clear(AttnTexelRow *texels);

/** Sums of 0 and maxima of -INFINITY [n_rows][ld] where a group of rows that sees keys [begin, end)
 *  adds to texels, or leaves them alone; those that its kernel stores as a whole stay as they are,
 *  and those behind last_end, which no row that is added with these sees.
 */
void attn_texel_row_start(const AttnTexelRow *texels, int32_t n_rows, int32_t begin, int32_t end,
                          int32_t last_end, float *sum, float *max);

/**
 * Adds rows of texel row `row` of one head and writes it into the head's arrays (either may be
 * NULL) when they are all there.
 *
 * rows     any number of them; n_slots is filled in here
 * n_keys   those up to the last that any of them sees
 */
void attn_texel_row_add(AttnTexelRow *texels, const AttnKernel *kernel, const AttnTexelRows *rows,
                        int32_t n_keys, int32_t row, float *mean, float *max);
