#pragma once
/*
 * What memory there is.
 */
#include <stdint.h>

/** Memory that can be had now: what the system says is available, under control groups' limits. */
uint64_t memory_available_bytes(void);
