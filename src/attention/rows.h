#pragma once
/*
 * Rows of a pass: their state on the way through the keys, and what they leave behind: m, l, o and
 * the statistics of AttnRowStats.
 */
#include "attention/plan.h"

/** Scratch of one thread: a run of rows whose groups meet block after block of keys. What arrays
 *  hold is said at AttnGroup. */
typedef struct AttnRows {
    float *q;             /* Q groups */
    int32_t *begin, *end; /* [rows], as all below */
    float *position, *ref, *limit;
    float *lane_max, *lane_key; /* [rows][W] */
    float *named[ATTN_NAMED];
    double *sum, *moment, *distance;
    float *o;                 /* [rows][ep], NULL = not wanted */
    float *gathered;          /* [group][D] queries of several heads */
    AttnAttendScratch attend; /* but for its runs */
} AttnRows;

/** Room for n_rows rows, a multiple of ATTN_GROUP; o as wanted. */
void attn_rows_carve(AttnRows *rows, const AttnPlan *plan, int32_t n_rows, bool with_o,
                     AttnCarver *carver);

/** Once after carving, before the first block. */
void attn_rows_open(AttnRows *rows);

/** Rows row0 .. row0 + n_rows, counted from the first one of `head` on through the heads behind it,
 *  without a key seen yet. Rows that the last group lacks repeat the last one. */
void attn_rows_start(AttnRows *rows, const AttnPlan *plan, int32_t head, int32_t row0,
                     int32_t n_rows);

/** Rows r .. r + n of them as a group; r % ATTN_GROUP = 0. Texels and `kept` are left out. */
AttnGroup attn_rows_group(const AttnRows *rows, const AttnPlan *plan, int32_t r, int32_t n);

/** The state of rows of one head when their keys are done; pointers into the group's arrays. */
typedef struct AttnRowsEnd {
    int32_t head, row0, n_rows;
    const float *ref; /* [n_rows], as all below */
    const double *sum, *moment, *distance;
    const float *named[ATTN_NAMED];      /* scores of key 0, p and p - 1; -INFINITY if none */
    const float *lane_max, *lane_key;    /* [n_rows][W]; keys are read only if full */
    const float *o;                      /* [n_rows][ep] sum of e v */
    float *inverse, *reference, *factor; /* out: of the sum, 0 in an empty row; attn_row_reference
                                            and attn_row_factor, the latter only if full */
    float *max, *key;                    /* room */
} AttnRowsEnd;

/** m, l, o and, if full, the statistics of rows into the arrays that are wanted; out has its
 *  strides resolved. */
void attn_rows_write(const AttnPlan *plan, const AttnOutputs *out, bool full,
                     const AttnRowsEnd *end);
