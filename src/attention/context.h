#pragma once
/* Inside of a context. */
#include "attention/attention.h"
#include "attention/kernels/kernel.h"

/** Memory kept between calls; see scratch.h. */
typedef struct AttnScratchPool AttnScratchPool;

struct AttnCtx {
    const AttnKernel *kernel;                        /* exact */
    const AttnKernel *kernels[ATTN_PRECISION_COUNT]; /* of the pass; NULL = not here */
    int n_threads;
    AttnScratchPool *pool; /* owned; safe to use from any thread */
};
