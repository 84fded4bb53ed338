#pragma once
/*
 * How the view Heads shows all heads: in which order, which of them, and whose card is pinned.
 * Plain four-byte fields without gaps, so that two of them compare as memory.
 */
#include "analysis/patterns.h"

typedef enum HeadsSort {
    HEADS_BY_LAYER,
    HEADS_BY_PATTERN,
    HEADS_BY_ENTROPY,
    HEADS_BY_DISTANCE,
    HEADS_SORT_COUNT
} HeadsSort;

/* Filters: all, 1 + Pattern, or those without a label. */
enum { HEADS_ALL = 0, HEADS_MIXED = PATTERN_COUNT + 1, HEADS_FILTER_COUNT = PATTERN_COUNT + 2 };

/** Zero is the default of everything. */
typedef struct HeadsOptions {
    int32_t sort;   /* HeadsSort */
    int32_t filter; /* HEADS_ALL, … */
    float least;    /* only heads whose score is not below; 0 = by their labels */
    int32_t pinned; /* the card of card_layer, card_head stays */
    int32_t card_layer, card_head;
} HeadsOptions;

/** "layer", "pattern", …; static. */
const char *heads_sort_name(HeadsSort sort);
/** "all", "induction", …, "mixed"; static. */
const char *heads_filter_name(int filter);
