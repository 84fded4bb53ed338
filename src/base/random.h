#pragma once
/*
 * Deterministic random numbers, the same on every machine. One Random, one thread.
 * Source: Steele, Lea & Flood 2014 (SplitMix64).
 */
#include <stdint.h>

typedef struct Random {
    uint64_t state; /* any value is a seed */
} Random;

uint64_t random_next(Random *random);
/** Uniform in [0, 1), 53 bits. */
double random_uniform(Random *random);
/** Standard normal (Box & Muller 1958). */
double random_normal(Random *random);
/** A hash of a byte string to be used as a seed (FNV-1a, then mixed). */
uint64_t random_hash(const void *bytes, unsigned long n);
