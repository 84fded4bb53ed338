#pragma once
/*
 * The architectures that can be opened, in the order messages list them: the Arch of an arch_*.c
 * and its id. Only arch_table.c reads this.
 */
#include "model/arch.h"

#define ARCH_ROWS(X)                                                                               \
    X(ARCH_BERT, "bert")                                                                           \
    X(ARCH_ROBERTA, "roberta")                                                                     \
    X(ARCH_DISTILBERT, "distilbert")                                                               \
    X(ARCH_MODERNBERT, "modernbert")                                                               \
    X(ARCH_GPT2, "gpt2")                                                                           \
    X(ARCH_GPTNEOX, "gptneox")                                                                     \
    X(ARCH_OPT, "opt")                                                                             \
    X(ARCH_LLAMA, "llama")                                                                         \
    X(ARCH_MISTRAL, "mistral")                                                                     \
    X(ARCH_QWEN2, "qwen2")                                                                         \
    X(ARCH_QWEN3, "qwen3")                                                                         \
    X(ARCH_PHI3, "phi3")                                                                           \
    X(ARCH_GEMMA2, "gemma2")                                                                       \
    X(ARCH_GEMMA3, "gemma3")                                                                       \
    X(ARCH_T5, "t5")                                                                               \
    X(ARCH_T5_ENCODER, "t5encoder")                                                                \
    X(ARCH_BART, "bart")                                                                           \
    X(ARCH_MARIAN, "marian")                                                                       \
    X(ARCH_VIT, "vit")

#define ARCH_EXTERN(arch, id) extern const Arch arch;
ARCH_ROWS(ARCH_EXTERN)
#undef ARCH_EXTERN
