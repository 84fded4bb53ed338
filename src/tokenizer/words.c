#include "tokenizer/engine.h"

#include "base/str.h"
#include "tokenizer/unicode.h"

#include <string.h>

/*
 * Words of a text without a vocabulary: runs of word characters, and every other visible character
 * by itself. Ids count different words in the order they come.
 */

typedef struct SeenWords {
    struct SeenWord {
        const char *text;
        size_t n; /* 0 = free */
        uint32_t id;
    } * slots;
    size_t n_slots;
    uint32_t n_used;
} SeenWords;

static struct SeenWord *find_slot(const SeenWords *seen, const char *text, size_t n)
{
    uint32_t hash = vocab_hash_start();
    for (size_t i = 0; i < n; i++) {
        hash = vocab_hash_add(hash, text[i]);
    }
    size_t slot = (hash ^ hash >> 15) & (seen->n_slots - 1);
    while (seen->slots[slot].n &&
           (seen->slots[slot].n != n || memcmp(seen->slots[slot].text, text, n) != 0)) {
        slot = (slot + 1) & (seen->n_slots - 1);
    }
    return &seen->slots[slot];
}

static bool grow(SeenWords *seen, Error *err)
{
    SeenWords larger = {.n_slots = seen->n_slots ? seen->n_slots * 2 : 256, .n_used = seen->n_used};
    larger.slots = mem_alloc_zeroed(larger.n_slots, sizeof *larger.slots, err);
    if (!larger.slots) {
        return false;
    }
    for (size_t i = 0; i < seen->n_slots; i++) {
        if (seen->slots[i].n) {
            *find_slot(&larger, seen->slots[i].text, seen->slots[i].n) = seen->slots[i];
        }
    }
    mem_free(seen->slots);
    *seen = larger;
    return true;
}

static bool word_id(SeenWords *seen, const char *text, size_t n, uint32_t *id, Error *err)
{
    if (2 * (seen->n_used + 1) > seen->n_slots && !grow(seen, err)) {
        return false;
    }
    struct SeenWord *word = find_slot(seen, text, n);
    if (!word->n) {
        *word = (struct SeenWord){.text = text, .n = n, .id = seen->n_used++};
    }
    *id = word->id;
    return true;
}

static bool add_words(const Tokenizer *t, SeenWords *seen, const char *text, size_t n, int sequence,
                      PlacedTokens *out, Error *err)
{
    if (n > (size_t)1 << 30 || utf8_count_invalid(text, n)) {
        return error_set(err, n > (size_t)1 << 30 ? ERR_RANGE : ERR_FORMAT, "the text is %s",
                         n > (size_t)1 << 30 ? "longer than 1 GiB" : "not UTF-8");
    }
    for (size_t at = 0; at < n;) {
        uint32_t c;
        size_t end = at + utf8_decode(text + at, n - at, &c);
        if (unicode_is_space(c) || (c < 0x80 && c < ' ')) {
            at = end;
            continue;
        }
        for (bool runs = unicode_is_word(c); runs && end < n;) {
            size_t step = utf8_decode(text + end, n - end, &c);
            runs = unicode_is_word(c);
            end += runs ? step : 0;
        }
        uint32_t id;
        if (!word_id(seen, text + at, end - at, &id, err)) {
            return false;
        }
        PlacedToken token = {.id = (int32_t)(id % (uint32_t)t->n_vocab),
                             .span = {(uint32_t)at, (uint32_t)end},
                             .type_id = (uint8_t)sequence,
                             .sequence = (int8_t)sequence};
        if (!ARRAY_PUSH(out, token, err)) {
            return false;
        }
        at = end;
    }
    return true;
}

bool words_encode(const Tokenizer *t, const char *text, size_t n, const TokenizeOptions *options,
                  PlacedTokens *out, Error *err)
{
    SeenWords seen = {0};
    bool ok = add_words(t, &seen, text, n, 0, out, err) &&
              (!options->text_pair ||
               add_words(t, &seen, options->text_pair, options->n_pair_bytes, 1, out, err));
    mem_free(seen.slots);
    return ok;
}

Tokenizer *tokenizer_open_words(int32_t n_vocab, Error *err)
{
    if (n_vocab < 1) {
        error_set(err, ERR_RANGE, "a vocabulary of %d words", n_vocab);
        return NULL;
    }
    Tokenizer *t = tokenizer_create(err);
    if (t) {
        t->kind_name = "words";
        t->n_vocab = n_vocab;
    }
    return t;
}
