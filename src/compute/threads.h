#pragma once
/*
 * What the loops of this folder share.
 */
#include <omp.h>

/** n_threads, or all of OpenMP's for 0. */
static inline int compute_threads(int n_threads)
{
    return n_threads > 0 ? n_threads : omp_get_max_threads();
}

/* Plain loops compiled for several x86 levels, chosen when the program starts. Sanitizers do not
 * live well with that choice and do not need it. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
#define COMPUTE_CLONES __attribute__((target_clones("default", "avx2", "arch=x86-64-v4"), noinline))
#else
#define COMPUTE_CLONES __attribute__((noinline))
#endif
