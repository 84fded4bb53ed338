#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, FIRST_BLOCK = 64 << 10, LARGEST_BLOCK = 8 << 20 };

struct ArenaBlock {
    ArenaBlock *next;
    size_t capacity;
    size_t used;
};

static size_t header_bytes(void)
{
    return (sizeof(ArenaBlock) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static unsigned char *block_data(ArenaBlock *block)
{
    return (unsigned char *)block + header_bytes();
}

void *mem_alloc(size_t n_bytes, Error *err)
{
    size_t padded;
    void *p = NULL;
    if (checked_add(n_bytes ? n_bytes : 1, ALIGNMENT - 1, &padded)) {
        p = aligned_alloc(ALIGNMENT, padded / ALIGNMENT * ALIGNMENT);
    }
    if (!p) {
        error_set(err, ERR_MEMORY,
                  "could not allocate %zu bytes: close other programs or take a "
                  "smaller part of the text",
                  n_bytes);
    }
    return p;
}

void *mem_alloc_zeroed(size_t count, size_t size, Error *err)
{
    size_t n_bytes;
    if (!checked_mul(count, size, &n_bytes)) {
        error_set(err, ERR_MEMORY, "%zu items of %zu bytes do not fit an address space", count,
                  size);
        return NULL;
    }
    void *p = mem_alloc(n_bytes, err);
    if (p) {
        memset(p, 0, n_bytes);
    }
    return p;
}

char *mem_strdup(const char *s, Error *err)
{
    size_t n = strlen(s) + 1;
    char *copy = mem_alloc(n, err);
    return copy ? memcpy(copy, s, n) : NULL;
}

void *mem_resize(void *p, size_t old_bytes, size_t new_bytes, Error *err)
{
    void *q = mem_alloc(new_bytes, err);
    if (!q) {
        return NULL;
    }
    if (p) {
        memcpy(q, p, AS_MIN(old_bytes, new_bytes));
        free(p);
    }
    return q;
}

void mem_free(void *p)
{
    free(p);
}

bool array_reserve(void *pointer, size_t *capacity, size_t want, size_t item_bytes, Error *err)
{
    if (want <= *capacity) {
        return true;
    }
    size_t grown = *capacity ? *capacity : 8;
    while (grown < want) {
        if (!checked_mul(grown, 2, &grown)) {
            return error_set(err, ERR_MEMORY, "an array of %zu items does not fit", want);
        }
    }
    size_t n_bytes;
    if (!checked_mul(grown, item_bytes, &n_bytes)) {
        return error_set(err, ERR_MEMORY, "an array of %zu items does not fit", want);
    }
    /* Copied as bytes: through a void ** it would be read and written as a type it is not. */
    void *items;
    memcpy(&items, pointer, sizeof items);
    items = mem_resize(items, *capacity * item_bytes, n_bytes, err);
    if (!items) {
        return false;
    }
    memcpy(pointer, &items, sizeof items);
    *capacity = grown;
    return true;
}

void *arena_alloc(Arena *arena, size_t n_bytes, Error *err)
{
    size_t padded;
    if (!checked_add(n_bytes ? n_bytes : 1, ALIGNMENT - 1, &padded)) {
        error_set(err, ERR_MEMORY, "%zu bytes do not fit an address space", n_bytes);
        return NULL;
    }
    padded = padded / ALIGNMENT * ALIGNMENT;
    ArenaBlock *block = arena->head;
    if (!block || block->capacity - block->used < padded) {
        size_t want = arena->block_bytes ? arena->block_bytes : FIRST_BLOCK;
        size_t capacity = AS_MAX(want, padded);
        size_t total;
        if (!checked_add(capacity, header_bytes(), &total)) {
            error_set(err, ERR_MEMORY, "%zu bytes do not fit an address space", n_bytes);
            return NULL;
        }
        block = mem_alloc(total, err);
        if (!block) {
            return NULL;
        }
        *block = (ArenaBlock){.next = arena->head, .capacity = capacity};
        arena->head = block;
        arena->block_bytes = AS_MIN(want * 2, (size_t)LARGEST_BLOCK);
    }
    void *p = block_data(block) + block->used;
    block->used += padded;
    arena->used_bytes += n_bytes;
    memset(p, 0, n_bytes);
    return p;
}

void *arena_alloc_array(Arena *arena, size_t count, size_t size, Error *err)
{
    size_t n_bytes;
    if (!checked_mul(count, size, &n_bytes)) {
        error_set(err, ERR_MEMORY, "%zu items of %zu bytes do not fit an address space", count,
                  size);
        return NULL;
    }
    return arena_alloc(arena, n_bytes, err);
}

char *arena_strndup(Arena *arena, const char *s, size_t n, Error *err)
{
    size_t n_bytes;
    if (!checked_add(n, 1, &n_bytes)) {
        error_set(err, ERR_MEMORY, "%zu bytes do not fit an address space", n);
        return NULL;
    }
    char *p = arena_alloc(arena, n_bytes, err);
    if (p && n) {
        memcpy(p, s, n);
    }
    return p;
}

char *arena_strdup(Arena *arena, const char *s, Error *err)
{
    return arena_strndup(arena, s, strlen(s), err);
}

char *arena_printf(Arena *arena, Error *err, const char *fmt, ...)
{
    va_list ap;
    va_list again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = NULL;
    if (n >= 0) {
        p = arena_alloc(arena, (size_t)n + 1, err);
        if (p) {
            vsnprintf(p, (size_t)n + 1, fmt, again);
        }
    } else {
        error_set(err, ERR_INTERNAL, "a text could not be formatted");
    }
    va_end(again);
    return p;
}

void arena_reset(Arena *arena)
{
    ArenaBlock *keep = arena->head;
    for (ArenaBlock *b = arena->head; b; b = b->next) {
        if (b->capacity > keep->capacity) {
            keep = b;
        }
    }
    ArenaBlock *next;
    for (ArenaBlock *b = arena->head; b; b = next) {
        next = b->next;
        if (b != keep) {
            mem_free(b);
        }
    }
    if (keep) {
        keep->next = NULL;
#ifndef NDEBUG
        memset(block_data(keep), 0xAA, keep->used); /* a stale pointer should look stale */
#endif
        keep->used = 0;
    }
    arena->head = keep;
    arena->used_bytes = 0;
}

void arena_destroy(Arena *arena)
{
    if (!arena) {
        return;
    }
    ArenaBlock *next;
    for (ArenaBlock *b = arena->head; b; b = next) {
        next = b->next;
        mem_free(b);
    }
    *arena = (Arena){0};
}
