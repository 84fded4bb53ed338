#pragma once
/*
 * How byte-level vocabularies of GGUF files split text into words, by tokenizer.ggml.pre.
 * Facts from github.com/ggml-org/llama.cpp src/llama-vocab.cpp and from the tokenizer.json files
 * that the names stand for.
 */
#include "base/base.h"

enum { PRE_MOST_PATTERNS = 6 };

typedef struct GgufPre {
    const char *name;
    const char *patterns[PRE_MOST_PATTERNS]; /* each splits what the one before left, isolated */
    bool ignore_merges;
    bool add_bos; /* where the file does not say */
} GgufPre;

/** The row of a name, NULL when it is not known. */
const GgufPre *gguf_pre_find(const char *name, size_t n);
