#pragma once
/*
 * Working memory that a context keeps between calls: fresh pages cost more than a short pass
 * computes in. Blocks lie in slots that any thread may empty or fill, so that concurrent calls
 * each have their own.
 */
#include "attention/context.h"

/** At least bytes of uncleared memory aligned to ATTN_ALIGN, NULL when there is none. Owned by the
 *  caller until attn_scratch_give. Any thread. */
void *attn_scratch_take(const AttnCtx *ctx, size_t bytes);

/** Gives memory of attn_scratch_take back, to be kept or freed; NULL is fine. Any thread. */
void attn_scratch_give(const AttnCtx *ctx, void *scratch);

/** The slots of a new context; NULL when there is no memory. */
AttnScratchPool *attn_scratch_pool_create(void);

/** Frees the slots and what lies in them; NULL is fine. No call may be under way. */
void attn_scratch_pool_destroy(AttnScratchPool *pool);

/** What a request of so many bytes takes from the system. Any thread. */
size_t attn_scratch_rounded(size_t bytes);
