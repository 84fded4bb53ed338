#pragma once
/** What somebody who mistyped may have meant. Any thread. */
#include "base/base.h"

/** Letters to change, add, drop or swap with their neighbour to come from a to b.
 *  Source: Damerau 1964, optimal string alignment. Both at most 63 bytes count; longer ones are
 *  far from everything. */
int nearest_distance(const char *a, const char *b);
/** Index of the word of words[0..n) nearest to `word` (a beginning counts as near), or -1 when none
 *  is near enough to be meant. */
int nearest_word(const char *word, const char *const *words, int n);
