#include "attention/scratch.h"

#include <stdlib.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { SLOTS = 8 };
static const size_t KEPT_MOST = (size_t)64 << 20; /* bytes of all slots together */
static const size_t LARGE_PAGE = (size_t)2 << 20;

/* What stands before the memory, in ATTN_ALIGN bytes of its own. */
typedef struct Block {
    size_t bytes; /* with this header */
} Block;
_Static_assert(sizeof(Block) <= ATTN_ALIGN, "the header keeps the alignment");

struct AttnScratchPool {
    _Atomic(Block *) slots[SLOTS];
    _Atomic size_t kept; /* bytes in slots or about to be */
};

/* A block's alignment, and what its bytes come to with that; less than bytes if that overflows. */
static size_t block_round(size_t bytes, size_t *align)
{
    *align = bytes >= LARGE_PAGE ? LARGE_PAGE : ATTN_ALIGN;
    return (bytes + *align - 1) / *align * *align;
}

size_t attn_scratch_rounded(size_t bytes)
{
    size_t align;
    return block_round(bytes + ATTN_ALIGN, &align);
}

/* Panels are read through hundreds of pages again and again, so large pages where there are any. */
static Block *block_create(size_t bytes)
{
    size_t align, padded = block_round(bytes, &align);
    Block *block = padded >= bytes ? aligned_alloc(align, padded) : NULL;
    if (block) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
        if (align == LARGE_PAGE) {
            (void)madvise(block, padded, MADV_HUGEPAGE); /* only a hint */
        }
#endif
        block->bytes = padded;
    }
    return block;
}

void *attn_scratch_take(const AttnCtx *ctx, size_t bytes)
{
    AttnScratchPool *pool = ctx->pool;
    size_t needed = bytes + ATTN_ALIGN;
    if (needed < bytes) {
        return NULL;
    }
    Block *block = NULL;
    for (int i = 0; i < SLOTS && !block; i++) {
        block = atomic_exchange(&pool->slots[i], NULL);
        if (!block) {
            continue;
        }
        atomic_fetch_sub(&pool->kept, block->bytes);
        if (block->bytes < needed) { /* outgrown: a larger one takes its place later */
            free(block);
            block = NULL;
        }
    }
    block = block ? block : block_create(needed);
    return block ? (char *)block + ATTN_ALIGN : NULL;
}

void attn_scratch_give(const AttnCtx *ctx, void *scratch)
{
    if (!scratch) {
        return;
    }
    AttnScratchPool *pool = ctx->pool;
    Block *block = (Block *)(void *)((char *)scratch - ATTN_ALIGN);
    size_t bytes = block->bytes;
    if (atomic_fetch_add(&pool->kept, bytes) + bytes <= KEPT_MOST) {
        for (int i = 0; i < SLOTS; i++) {
            Block *empty = NULL;
            if (atomic_compare_exchange_strong(&pool->slots[i], &empty, block)) {
                return;
            }
        }
    }
    atomic_fetch_sub(&pool->kept, bytes);
    free(block);
}

AttnScratchPool *attn_scratch_pool_create(void)
{
    return calloc(1, sizeof(AttnScratchPool));
}

void attn_scratch_pool_destroy(AttnScratchPool *pool)
{
    for (int i = 0; pool && i < SLOTS; i++) {
        free(atomic_load(&pool->slots[i]));
    }
    free(pool);
}
