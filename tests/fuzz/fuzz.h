#pragma once
/* The entry point that libFuzzer and replay.c call: any bytes, never a crash; always returns 0. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);
