#pragma once
/* Texts of made-up words, as long as a test wants them. */
#include "testing.h"

#include "base/arena.h"
#include "base/str.h"

/** "w0 w50 w39 …": n words out of 61, in an order that repeats itself only after all of them. Lives
 * as long as the arena. */
static inline const char *words_of(Arena *arena, int n)
{
    StrBuf text = {0};
    for (int i = 0; i < n; i++) {
        assert_true(strbuf_printf(&text, NULL, i ? " w%d" : "w%d", i * 7919 % 61));
    }
    char *copy = arena_strdup(arena, strbuf_text(&text), NULL);
    strbuf_free(&text);
    assert_non_null(copy);
    return copy;
}
