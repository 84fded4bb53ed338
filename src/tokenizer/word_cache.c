#include "tokenizer/engine.h"

#include <string.h>

/* A word, where it was first seen in the working text, and its tokens. */
struct WordEntry {
    uint32_t hash;
    uint32_t begin;
    uint32_t n; /* bytes; 0 = free */
    uint32_t first_token;
    uint32_t n_tokens;
};

enum { LONGEST_CACHED = 64 }; /* longer words seldom come again */

static uint32_t hash_word(const char *word, size_t n)
{
    uint64_t h = n * 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ (uint8_t)word[i]) * 0x100000001B3u; /* FNV-1a, 64 bits */
    }
    return (uint32_t)(h ^ h >> 32);
}

static struct WordEntry *find_slot(const WordCache *cache, const char *text, const char *word,
                                   size_t n, uint32_t hash)
{
    size_t mask = cache->n_slots - 1;
    for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
        struct WordEntry *entry = &cache->slots[slot];
        if (entry->n == 0 ||
            (entry->hash == hash && entry->n == n && memcmp(text + entry->begin, word, n) == 0)) {
            return entry;
        }
    }
}

const WordToken *word_cache_find(const WordCache *cache, const char *text, const char *word,
                                 size_t n, size_t *n_tokens)
{
    if (!cache->slots || n == 0 || n > LONGEST_CACHED) {
        return NULL;
    }
    const struct WordEntry *entry = find_slot(cache, text, word, n, hash_word(word, n));
    if (entry->n == 0) {
        return NULL;
    }
    *n_tokens = entry->n_tokens;
    return cache->tokens.items + entry->first_token;
}

static bool grow(WordCache *cache, Error *err)
{
    size_t n_slots = cache->n_slots ? cache->n_slots * 2 : 1024;
    struct WordEntry *slots = mem_alloc_zeroed(n_slots, sizeof *slots, err);
    if (!slots) {
        return false;
    }
    for (size_t i = 0; i < cache->n_slots; i++) {
        struct WordEntry entry = cache->slots[i];
        if (entry.n) {
            size_t slot = entry.hash & (n_slots - 1);
            while (slots[slot].n) {
                slot = (slot + 1) & (n_slots - 1);
            }
            slots[slot] = entry;
        }
    }
    mem_free(cache->slots);
    cache->slots = slots;
    cache->n_slots = n_slots;
    return true;
}

bool word_cache_put(WordCache *cache, const char *text, const char *word, size_t n,
                    const WordTokens *tokens, Error *err)
{
    if (n == 0 || n > LONGEST_CACHED) {
        return true;
    }
    if (2 * (cache->n_used + 1) > cache->n_slots && !grow(cache, err)) {
        return false;
    }
    uint32_t hash = hash_word(word, n);
    struct WordEntry *entry = find_slot(cache, text, word, n, hash);
    *entry = (struct WordEntry){.hash = hash,
                                .begin = (uint32_t)(word - text),
                                .n = (uint32_t)n,
                                .first_token = (uint32_t)cache->tokens.n,
                                .n_tokens = (uint32_t)tokens->n};
    cache->n_used++;
    /* A word without tokens still needs an address that is not NULL. */
    if (!ARRAY_RESERVE(&cache->tokens, cache->tokens.n + tokens->n + 1, err)) {
        entry->n = 0;
        cache->n_used--;
        return false;
    }
    if (tokens->n) {
        memcpy(cache->tokens.items + cache->tokens.n, tokens->items,
               tokens->n * sizeof *tokens->items);
        cache->tokens.n += tokens->n;
    }
    return true;
}

void word_cache_free(WordCache *cache)
{
    mem_free(cache->slots);
    ARRAY_FREE(&cache->tokens);
    *cache = (WordCache){0};
}
