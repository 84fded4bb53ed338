#pragma once
/*
 * Heads and tokens by the names people write. Any thread.
 */
#include "base/base.h"

/** -1 = not said. */
typedef struct Place {
    int32_t layer, head, token;
} Place;

/** "L17 H3", "17.3", "layer 17", "h3", "t402", "token 402"; not checked against any trace. False
 *  when the text is no such name. */
AS_MUST_CHECK bool place_parse(const char *text, Place *place);
