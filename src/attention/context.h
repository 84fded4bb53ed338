#pragma once
/* Inside of a context. */
#include "attention/attention.h"
#include "attention/kernels/kernel.h"

struct AttnCtx {
    const AttnKernel *kernel;
    int n_threads;
};
