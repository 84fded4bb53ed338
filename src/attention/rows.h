#pragma once
/* What finished rows leave behind: m, l, o and the statistics of AttnRowStats. */
#include "attention/plan.h"

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
