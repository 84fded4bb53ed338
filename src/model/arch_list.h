#pragma once
/*
 * One Arch of each arch_*.c; only arch_table.c reads this.
 */
#include "model/arch.h"

extern const Arch ARCH_BERT;
extern const Arch ARCH_GPT2;
extern const Arch ARCH_LLAMA, ARCH_MISTRAL, ARCH_QWEN2, ARCH_QWEN3;
extern const Arch ARCH_GEMMA3;
