#pragma once
/*
 * What a heatmap shows besides one head as it is: several heads in one, and keys left out with the
 * rest of each row scaled to sum to 1 again. Values, no memory of their own. Any thread.
 */
#include "trace/trace.h"

enum { HEAD_SET_MAX = 128 };

typedef enum Combine {
    COMBINE_ONE = 0, /* the selected head */
    COMBINE_MEAN,    /* the mean over the set */
    COMBINE_MAX,     /* the largest over the set */
    COMBINE_OWNER,   /* the same, in the colour of the head that has it */
    COMBINE_COUNT
} Combine;

typedef struct HeadRef {
    int16_t layer, head;
} HeadRef;

/** Different heads in the order they were chosen. */
typedef struct HeadSet {
    int32_t n;
    HeadRef heads[HEAD_SET_MAX];
} HeadSet;

/** Place in the set, -1 = not in it. */
int32_t head_set_find(const HeadSet *set, int32_t layer, int32_t head);
/** ERR_RANGE when it is full. A head that is there already stays once. */
AS_MUST_CHECK bool head_set_add(HeadSet *set, int32_t layer, int32_t head, Error *err);
void head_set_remove(HeadSet *set, int32_t layer, int32_t head);
bool head_set_equal(const HeadSet *a, const HeadSet *b);

/**
 * What a tile's values are. Zero: the weights of the tile's own layer and head, largest under each
 * value.
 *
 *   hide_first, hide_special   the first token (special tokens) as keys are left out; what remains
 *                              of a row is divided by 1 - the weight they had
 *   pair_only                  only queries of the first text and keys of the second; nothing is
 *                              divided
 */
typedef struct WeightSource {
    Combine combine;
    HeadSet set; /* not empty unless COMBINE_ONE */
    bool hide_first, hide_special, pair_only;
    bool mean;   /* the mean of the weights under each value */
    bool by_row; /* divided by the largest value of the whole row (rows) */
} WeightSource;

/** 0 for zero; else a hash: equal sources have equal ids. */
uint64_t weight_source_id(const WeightSource *source);
/** Is anything left out (so that values are not the traced weights)? */
bool weight_source_filters(const WeightSource *source);
/** One head, nothing left out: the weights as traced (perhaps divided by row). */
bool weight_source_is_plain(const WeightSource *source);
/** A row that keeps less than this when keys are hidden is shown as not there. */
float weight_source_least_rest(void);

/**
 * The values of a region of the source's heads, out [rows, cols]: -INFINITY where masked, hidden,
 * or in a row that keeps (almost) nothing. owner [rows, cols]: place in the set of the head with
 * the largest weight; may be NULL. region's layer and head count for COMBINE_ONE. One thread.
 */
AS_MUST_CHECK bool weight_source_read(const Trace *trace, const WeightSource *source,
                                      const TraceRegion *region, float *out, int16_t *owner,
                                      Error *err);

/** What a filtered source makes of rows [row0, row1) of a head: scales [row1 - row0], 1 / what the
 *  row keeps, 0 where nothing of it is shown. All 1 where the source does not filter. Any thread.
 */
AS_MUST_CHECK bool weight_source_row_scales(const Trace *trace, const WeightSource *source,
                                            int32_t layer, int32_t head, int32_t row0, int32_t row1,
                                            float *scales, Error *err);
/** Keys whose weight in every row tells what the row keeps: O(M) with hide_special. Any thread. */
int32_t weight_source_count_hidden(const Trace *trace, const WeightSource *source);
/** Is key j left out? */
bool weight_source_hides(const WeightSource *source, const TraceToken *keys, int32_t j);
