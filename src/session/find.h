#pragma once
/*
 * Heads and tokens by the names people write. Any thread.
 */
#include "trace/trace.h"

/** -1 = not said. */
typedef struct Place {
    int32_t layer, head, token;
} Place;

/** "L17 H3", "17.3", "layer 17", "h3", "t402", "token 402"; not checked against any trace. False
 *  when the text is no such name. */
AS_MUST_CHECK bool place_parse(const char *text, Place *place);
/** Has the trace what is named? Else ERR_RANGE: "layer 99 is not there: they go from 0 to 4". */
AS_MUST_CHECK bool place_is_there(const TraceInfo *info, const Place *place, Error *err);
