#pragma once
/*
 * Arenas: memory with one lifetime, freed together. malloc is called only in base.
 * A zeroed Arena is ready to use. Not thread-safe: one arena, one thread at a time.
 */
#include "base/error.h"

typedef struct ArenaBlock ArenaBlock;

typedef struct Arena {
    ArenaBlock *head;   /* newest block first, owned */
    size_t used_bytes;  /* handed out, without slack */
    size_t block_bytes; /* size of the next block; 0 = 64 KiB, doubles up to 8 MiB */
} Arena;

/** n_bytes of zeroed memory aligned to 64 bytes, valid until the arena is reset or destroyed.
 *  NULL and ERR_MEMORY when there is none. n_bytes 0 gives a valid pointer. */
AS_MUST_CHECK void *arena_alloc(Arena *arena, size_t n_bytes, Error *err);
/** count * size with the product checked. */
AS_MUST_CHECK void *arena_alloc_array(Arena *arena, size_t count, size_t size, Error *err);
/** Copies n bytes of s and adds a NUL. */
AS_MUST_CHECK char *arena_strndup(Arena *arena, const char *s, size_t n, Error *err);
AS_MUST_CHECK char *arena_strdup(Arena *arena, const char *s, Error *err);
/** Formats into the arena. */
AS_MUST_CHECK char *arena_printf(Arena *arena, Error *err, const char *fmt, ...) AS_PRINTF(3, 4);
/** Forgets everything but keeps the largest block for reuse. Debug builds poison it first. */
void arena_reset(Arena *arena);
/** Frees everything; the arena may be used again. */
void arena_destroy(Arena *arena);

#define ARENA_NEW(arena, Type, err) ((Type *)arena_alloc((arena), sizeof(Type), (err)))
#define ARENA_ARRAY(arena, Type, count, err)                                                       \
    ((Type *)arena_alloc_array((arena), (count), sizeof(Type), (err)))

/* Single allocations with a life of their own (large buffers, handles). 64-byte aligned. */

/** n_bytes, not zeroed. NULL and ERR_MEMORY when there is none. Freed with mem_free. */
AS_MUST_CHECK void *mem_alloc(size_t n_bytes, Error *err);
AS_MUST_CHECK void *mem_alloc_zeroed(size_t count, size_t size, Error *err);
/** A copy of a text. */
AS_MUST_CHECK char *mem_strdup(const char *s, Error *err);
/** Grows or shrinks a block of mem_alloc keeping min(old, new) bytes; on failure p stays valid.
 *  old_bytes is the size it was allocated with. */
AS_MUST_CHECK void *mem_resize(void *p, size_t old_bytes, size_t new_bytes, Error *err);
void mem_free(void *p);

/**
 * Growable array of TYPE: a struct with items, n, capacity. Zero is empty.
 *   ARRAY_PUSH(&array, value, err) is false on ERR_MEMORY.
 */
#define ARRAY_OF(Type)                                                                             \
    struct {                                                                                       \
        Type *items;                                                                               \
        size_t n;                                                                                  \
        size_t capacity;                                                                           \
    }
#define ARRAY_RESERVE(a, want, err)                                                                \
    array_reserve(&(a)->items, &(a)->capacity, (want), sizeof(*(a)->items), (err))
#define ARRAY_PUSH(a, value, err)                                                                  \
    (ARRAY_RESERVE((a), (a)->n + 1, (err)) ? ((a)->items[(a)->n++] = (value), true) : false)
#define ARRAY_FREE(a) (mem_free((a)->items), (a)->items = NULL, (a)->n = (a)->capacity = 0)
/** pointer: the address of a pointer to items, of any type. */
AS_MUST_CHECK bool array_reserve(void *pointer, size_t *capacity, size_t want, size_t item_bytes,
                                 Error *err);
