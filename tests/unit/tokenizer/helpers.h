#pragma once
/* Tokenizers from a few lines of JSON, and their tokens as one line of text to compare. */
#include "testing.h"

#include "base/str.h"
#include "tokenizer/tokenizer.h"

static inline Tokenizer *open_text(const char *json, Error *err)
{
    TokenizerJson desc = {.json = json, .n_json = strlen(json), .name = "t.json"};
    return tokenizer_open_json(&desc, NULL, err);
}

/** "id:start-end id:start-end …" with a + before added tokens and a ' behind those of the pair. */
static inline char *show_tokens(const Tokenizer *tokenizer, const char *text, size_t n,
                                const TokenizeOptions *options, Arena *arena)
{
    Error err = {0};
    Tokens tokens;
    StrBuf buf = {0};
    assert_ok(tokenizer_encode(tokenizer, text, n, options, arena, &tokens, &err), err);
    for (size_t i = 0; i < tokens.n; i++) {
        assert_ok(strbuf_printf(&buf, &err, "%s%s%d:%u-%u%s", i ? " " : "",
                                tokens.added[i] ? "+" : "", tokens.ids[i], tokens.start[i],
                                tokens.end[i], tokens.sequence[i] == 1 ? "'" : ""),
                  err);
    }
    char *shown = arena_strdup(arena, strbuf_text(&buf), &err);
    assert_ok(shown, err);
    strbuf_free(&buf);
    return shown;
}
