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

/** m and l of the row. */
void attn_row_end(const AttnPlan *plan, const AttnRowEnd *end, float *row_max, float *row_log_sum);

/** Statistics of the row into the arrays that are wanted. */
void attn_row_statistics(const AttnPlan *plan, const AttnRowEnd *end, float row_max,
                         float row_log_sum, const AttnRowStats *stats);
