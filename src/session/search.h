#pragma once
/*
 * Places in the text: of words that are searched for, and of cells that stand out. Any thread.
 */
#include "session/session.h"

/** The next token (from `from` + direction on, round the end) at which `needle` begins, without
 *  regard to the case of A–Z; -1 = nowhere. direction is 1 or -1. */
int32_t search_text(const Trace *trace, bool keys, const char *needle, int32_t from, int direction);
/** How many tokens it begins at. */
int32_t search_count(const Trace *trace, bool keys, const char *needle);
/** Does it begin in this token? */
bool search_matches(const Trace *trace, bool keys, const char *needle, int32_t token);
/** The next query from `from` + direction on whose largest weight is at least `least` and stands on
 *  neither the first token nor itself; *key is where. -1 = none. */
int32_t search_strong(const Trace *trace, int32_t layer, int32_t head, float least, int32_t from,
                      int direction, int32_t *key);
