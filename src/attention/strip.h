#pragma once
/*
 * Up to ATTN_STRIP_ROWS rows of one head, ready to be held against panels of keys in natural
 * order: what tiles, reduced tiles and the attention received are made of.
 */
#include "attention/plan.h"

enum { ATTN_STRIP_ROWS = 264 }; /* whole groups: panels of a tile of 256 are packed once */

typedef struct AttnStrip {
    const AttnPlan *plan;
    const float *row_max, *row_log_sum; /* [H, N]; NULL = scores only */
    int32_t head, row0, n_rows;
    float *q;                  /* Q groups */
    float *reference, *factor; /* [ATTN_STRIP_ROWS] */
    float *panel;              /* K panel of one step */
    float *s;                  /* [ATTN_GROUP][ATTN_STEP] of the latest group */
    float *bias;               /* [ATTN_GROUP][ATTN_STEP] */
} AttnStrip;

/** Pieces of scratch; with an empty carver this measures. */
void attn_strip_carve(AttnStrip *strip, const AttnPlan *plan, AttnCarver *carver);

/** Takes rows row0 .. row0 + n_rows of a head. */
void attn_strip_load(AttnStrip *strip, int32_t head, int32_t row0, int32_t n_rows);

/** False if none of n rows from the strip's row r on sees any of n_cols keys from col0 on. */
bool attn_strip_sees(const AttnStrip *strip, int32_t r, int32_t n, int32_t col0, int32_t n_cols);

/** Packs keys col0 .. col0 + n_cols (at most ATTN_STEP) of the strip's head. */
void attn_strip_pack(const AttnStrip *strip, int32_t col0, int32_t n_cols, float *panel);

/** Scores of n rows from the strip's row r on (a multiple of ATTN_GROUP) into strip->s. */
void attn_strip_scores(AttnStrip *strip, int32_t r, int32_t n, const float *panel, int32_t col0,
                       int32_t n_cols);

/** The same as weights. */
void attn_strip_weights(AttnStrip *strip, int32_t r, int32_t n, const float *panel, int32_t col0,
                        int32_t n_cols);

/** Working memory of attn_tile_reduce into n_cols texels a row, and of attn_received, in bytes. */
size_t attn_tile_reduce_scratch_bytes(const AttnCtx *ctx, const AttnPlan *plan, int32_t n_cols);
size_t attn_received_scratch_bytes(const AttnCtx *ctx, const AttnPlan *plan);
