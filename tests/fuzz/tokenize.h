#pragma once
/* What the tokenizer targets do with a tokenizer that opened: encode, decode, look tokens up, and
 * hold what every encoding promises. */
#include "fuzz.h"

#include "base/arena.h"
#include "base/str.h"
#include "tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

static inline void tokenize_text(const Tokenizer *tokenizer, const char *text, size_t n,
                                 bool add_special, const char *pair)
{
    Arena arena = {0};
    Error err = {0};
    Tokens tokens;
    TokenizeOptions options = {
        .add_special = add_special, .text_pair = pair, .n_pair_bytes = pair ? strlen(pair) : 0};
    if (tokenizer_encode(tokenizer, text, n, &options, &arena, &tokens, &err)) {
        for (size_t i = 0; i < tokens.n; i++) {
            size_t most = tokens.sequence[i] == 1 ? options.n_pair_bytes : n;
            if (tokens.ids[i] < 0 || tokens.start[i] > tokens.end[i] || tokens.end[i] > most ||
                (!tokens.added[i] && tokens.ids[i] >= tokenizer_n_vocab(tokenizer))) {
                abort();
            }
            size_t length;
            (void)!tokenizer_token_text(tokenizer, tokens.ids[i], &arena, &length, &err);
        }
        size_t length;
        (void)!tokenizer_decode(tokenizer, tokens.ids, tokens.n, add_special, &arena, &length,
                                &err);
    }
    arena_destroy(&arena);
}
