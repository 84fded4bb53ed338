#pragma once
/*
 * SentencePiece's table of character rules ("precompiled_charsmap"), as models carry it:
 *
 *   uint32 bytes of the trie | trie: uint32 units | texts, each ended by NUL
 *
 * all little-endian. The trie is a double array of Darts-clone: byte strings to positions in the
 * texts. Source: github.com/google/sentencepiece doc/normalization.md;
 * github.com/s-yata/darts-clone.
 */
#include "base/arena.h"

/** Zero has no rules. Read-only once read; memory is the arena's. Any thread. */
typedef struct Charsmap {
    const uint32_t *units; /* [n_units] */
    size_t n_units;
    const char *texts; /* [n_texts] valid UTF-8, and one NUL more */
    size_t n_texts;
} Charsmap;

/** From its bytes, which are copied; none give no rules. `name` is the file's, for messages.
 *  ERR_FORMAT on a trie that is longer than the bytes or texts that are not UTF-8, ERR_RANGE on a
 *  text of more than 1024 bytes. */
AS_MUST_CHECK bool charsmap_read(Charsmap *map, Arena *arena, const uint8_t *bytes, size_t n,
                                 const char *name, Error *err);
/** The same from base64. */
AS_MUST_CHECK bool charsmap_read_base64(Charsmap *map, Arena *arena, const char *text,
                                        const char *name, Error *err);
/** What the shortest string with a rule that text[0..n) begins with becomes, maybe nothing (*n_out
 *  0), or NULL without a rule. Whatever the units hold, only what is there is read. */
const char *charsmap_find(const Charsmap *map, const char *text, size_t n, size_t *n_out);
/** The same of the longest string with a rule that ends where a character of the text does; its
 *  length is *n_in. */
const char *charsmap_find_longest(const Charsmap *map, const char *text, size_t n, size_t *n_in,
                                  size_t *n_out);
