#pragma once
/** How well what somebody typed fits a name: for the command palette and lists. Any thread. */
#include "base/base.h"

enum { FUZZY_MARKS = 64 };

/** Which bytes of the name were meant, for showing them. */
typedef struct FuzzyMatch {
    uint16_t at[FUZZY_MARKS]; /* ascending; the first FUZZY_MARKS of them */
    int n;
} FuzzyMatch;

/**
 * 0: the letters of `typed` do not all appear in `name` in this order (letters in any case, blanks
 * of `typed` skipped). Else the higher the better: whole words and beginnings of words count more
 * than letters in the middle, letters in a row more than scattered ones, short names more than long
 * ones. Bytes past 255 of a name are not looked at. `match` may be NULL.
 * Source: the scoring is a dynamic programme in the manner of Smith & Waterman 1981, with affine
 * gaps.
 */
int fuzzy_score(const char *typed, const char *name, FuzzyMatch *match);
