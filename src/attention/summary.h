#pragma once
/* One row of texels while the pass fills it. */
#include "attention/plan.h"

/** Rows of one head arrive in order; a texel row is written when its last row has arrived. */
typedef struct AttnTexelRow {
    AttnSummaryShape shape;
    int32_t lanes;     /* of the kernel: with the width, the order of texels */
    int32_t ld;        /* texels of all steps, padded to ATTN_PAD */
    float *sum, *max;  /* [ld] of the latest rows */
    double *total;     /* [ld] of the rows before them */
    int32_t n_pending; /* rows in sum */
    bool flushed;      /* rows in total */
} AttnTexelRow;

/** Pieces of scratch; with an empty carver this measures. */
void attn_texel_row_carve(AttnTexelRow *texels, const AttnSummaryShape *shape, int32_t lanes,
                          AttnCarver *carver);

void attn_texel_row_clear(AttnTexelRow *texels);

/** Sums of 0 and maxima of -INFINITY [n_rows][ld] where a group of rows that sees keys [begin, end)
 *  adds to texels, or leaves them alone; those that its kernel stores as a whole stay as they are.
 */
void attn_texel_row_start(const AttnTexelRow *texels, int32_t n_rows, int32_t begin, int32_t end,
                          float *sum, float *max);

/** Adds one row: sums times inverse, largest scores as weights (see AttnKernel.fold_texels).
 *  n_keys are those up to the last that the row sees. */
void attn_texel_row_add(AttnTexelRow *texels, const AttnKernel *kernel, const float *sum,
                        const float *largest, int32_t n_keys, float inverse, float reference,
                        float factor);

/** Writes texel row `row` of one head's arrays (either may be NULL) and clears. */
void attn_texel_row_write(AttnTexelRow *texels, int32_t row, float *mean, float *max);
