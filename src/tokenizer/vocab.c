#include "tokenizer/vocab.h"

#include <string.h>

/* FNV's low bits alone collide on short names; slots come from mixed ones. */
static uint32_t slot_of(const Vocab *vocab, uint32_t hash)
{
    uint32_t h = hash ^ hash >> 15;
    h *= 0x2c1b3c6du;
    return (h ^ h >> 13) & vocab->slot_mask;
}

bool vocab_create(Vocab *vocab, Arena *arena, size_t n_ids, size_t n_bytes, Error *err)
{
    if (n_ids > VOCAB_MOST_IDS) {
        return error_set(err, ERR_RANGE, "a vocabulary of %zu ids; at most %d are read", n_ids,
                         VOCAB_MOST_IDS);
    }
    size_t n_slots = 16;
    while (n_slots < 2 * n_ids) {
        n_slots *= 2;
    }
    size_t pool_bytes;
    if (!checked_add(n_bytes, n_ids, &pool_bytes)) {
        return error_set(err, ERR_RANGE, "a vocabulary of %zu bytes does not fit", n_bytes);
    }
    *vocab = (Vocab){.slot_mask = (uint32_t)(n_slots - 1), .pool_bytes = pool_bytes};
    vocab->names = ARENA_ARRAY(arena, const char *, n_ids, err);
    vocab->lengths = vocab->names ? ARENA_ARRAY(arena, uint32_t, n_ids, err) : NULL;
    vocab->slots = vocab->lengths ? ARENA_ARRAY(arena, uint64_t, n_slots, err) : NULL;
    vocab->pool = vocab->slots ? arena_alloc(arena, pool_bytes, err) : NULL;
    vocab->n_ids = (uint32_t)n_ids;
    return vocab->pool != NULL;
}

void vocab_put(Vocab *vocab, uint32_t id, const char *name, size_t n)
{
    AS_ASSERT(id < vocab->n_ids && n < vocab->pool_bytes - vocab->pool_used);
    char *copy = vocab->pool + vocab->pool_used;
    memcpy(copy, name, n);
    vocab->pool_used += n + 1;
    vocab->names[id] = copy;
    vocab->lengths[id] = (uint32_t)n;
    vocab->longest = AS_MAX(vocab->longest, (uint32_t)n);
    uint32_t hash = vocab_hash_start();
    for (size_t i = 0; i < n; i++) {
        hash = vocab_hash_add(hash, name[i]);
    }
    uint64_t entry = (uint64_t)hash << 32 | (id + 1);
    for (uint32_t slot = slot_of(vocab, hash);; slot = (slot + 1) & vocab->slot_mask) {
        uint64_t found = vocab->slots[slot];
        uint32_t other = (uint32_t)found - 1;
        if (!found || ((uint32_t)(found >> 32) == hash && vocab->names[other] &&
                       vocab->lengths[other] == n && memcmp(vocab->names[other], name, n) == 0)) {
            vocab->slots[slot] = entry;
            return;
        }
    }
}

int32_t vocab_find_marked(const Vocab *vocab, uint32_t hash, const char *mark, size_t n_mark,
                          const char *rest, size_t n)
{
    if (!vocab->slots) {
        return -1;
    }
    for (uint32_t slot = slot_of(vocab, hash);; slot = (slot + 1) & vocab->slot_mask) {
        uint64_t found = vocab->slots[slot];
        if (!found) {
            return -1;
        }
        uint32_t id = (uint32_t)found - 1;
        if ((uint32_t)(found >> 32) == hash && vocab->lengths[id] == n_mark + n &&
            memcmp(vocab->names[id], mark, n_mark) == 0 &&
            memcmp(vocab->names[id] + n_mark, rest, n) == 0) {
            return (int32_t)id;
        }
    }
}

int32_t vocab_find(const Vocab *vocab, const char *name, size_t n)
{
    uint32_t hash = vocab_hash_start();
    for (size_t i = 0; i < n; i++) {
        hash = vocab_hash_add(hash, name[i]);
    }
    return vocab_find_marked(vocab, hash, "", 0, name, n);
}
