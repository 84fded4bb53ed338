#pragma once
/*
 * Token strings by id and ids by string: one pool of bytes and an open-addressing hash table.
 */
#include "base/arena.h"

enum { VOCAB_MOST_IDS = 1 << 24 }; /* ids past this are taken for a broken file */

/** Zero is empty. Read-only once filled. All memory is the arena's. */
typedef struct Vocab {
    const char **names; /* [n_ids] NUL-terminated; NULL where no token has this id */
    uint32_t *lengths;  /* [n_ids] bytes */
    uint32_t n_ids;     /* largest id + 1 */
    uint32_t longest;   /* bytes of the longest name */
    uint64_t *slots;    /* [slot_mask + 1] hash << 32 | (id + 1); 0 = free */
    uint32_t slot_mask;
    char *pool; /* where names are copied to */
    size_t pool_used;
    size_t pool_bytes;
} Vocab;

/** Room for ids 0..n_ids-1 whose names have n_bytes together. ERR_RANGE over VOCAB_MOST_IDS. */
AS_MUST_CHECK bool vocab_create(Vocab *vocab, Arena *arena, size_t n_ids, size_t n_bytes,
                                Error *err);
/** Copies a name in. A name given twice means its last id. The caller keeps to what it announced.
 */
void vocab_put(Vocab *vocab, uint32_t id, const char *name, size_t n);
/** -1 when there is none. */
int32_t vocab_find(const Vocab *vocab, const char *name, size_t n);
/** Hashes grow a byte at a time, so that all prefixes of a word cost one pass. */
static inline uint32_t vocab_hash_start(void)
{
    return 2166136261u;
}
static inline uint32_t vocab_hash_add(uint32_t hash, char byte)
{
    return (hash ^ (uint8_t)byte) * 16777619u; /* FNV-1a */
}
/** vocab_find of a name in two parts, mark[0..n_mark) and then rest[0..n), whose hash is known. */
int32_t vocab_find_marked(const Vocab *vocab, uint32_t hash, const char *mark, size_t n_mark,
                          const char *rest, size_t n);
