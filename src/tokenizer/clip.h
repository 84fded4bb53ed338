#pragma once
/* Texts from files inside error messages: a bounded part, never half a character. */
#include "base/base.h"

#include <string.h>

/** How many bytes of text[0..n) to show by "%.*s": at most 100. Any thread. */
static inline int clip_text(const char *text, size_t n)
{
    size_t most = AS_MIN(n, (size_t)100);
    while (most > 0 && most < n && ((uint8_t)text[most] & 0xC0) == 0x80) {
        most--;
    }
    return (int)most;
}
/** Both arguments of "%.*s" for a NUL-terminated text. */
#define CLIPPED(text) clip_text((text), strlen(text)), (text)
