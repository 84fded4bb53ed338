#pragma once
/* What one finished row leaves behind: m, l and the statistics of AttnRowStats. */
#include "attention/plan.h"

/** The state of a row when its keys are done; pointers into the group's arrays. */
typedef struct AttnRowEnd {
    int32_t head, row;
    float ref;
    double sum, moment, distance;
    float named[ATTN_NAMED]; /* scores of key 0, p and p - 1; -INFINITY where there is none */
    const float *lane_max, *lane_key; /* [W]; keys are read only where max_key is wanted */
} AttnRowEnd;

/** What a row's exponentials become weights by. */
typedef struct AttnRowScale {
    float max;     /* m */
    float inverse; /* of the sum; 0 in an empty row */
    float factor;  /* attn_row_factor; only where statistics or summary are wanted */
} AttnRowScale;

/** m, l, o and, if full, the statistics of a row into the arrays that are
 * wanted.
 *
 * out  strides resolved
 * o    [ep] sum of e v
 */
void attn_row_write(const AttnPlan *plan, const AttnOutputs *out, bool full, const AttnRowEnd *end,
                    const float *o, AttnRowScale *scale);
