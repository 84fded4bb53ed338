#pragma once
/*
 * Element types of tensors in files: plain numbers and ggml's blocks of quantised ones. A block is
 * the smallest piece that can be read alone; a plain number is a block of one element.
 * Source: the safetensors and GGUF specifications; block layouts as in ggml.
 */
#include "base/error.h"

/* name, elements a block, bytes a block, number in GGUF (-1 = none), name in safetensors ("" =
 * none)
 */
#define DTYPES(X)                                                                                  \
    X(F32, 1, 4, 0, "F32")                                                                         \
    X(F16, 1, 2, 1, "F16")                                                                         \
    X(BF16, 1, 2, 30, "BF16")                                                                      \
    X(F64, 1, 8, 28, "F64")                                                                        \
    X(F8_E4M3, 1, 1, -1, "F8_E4M3")                                                                \
    X(F8_E5M2, 1, 1, -1, "F8_E5M2")                                                                \
    X(BOOL, 1, 1, -1, "BOOL")                                                                      \
    X(I8, 1, 1, 24, "I8")                                                                          \
    X(U8, 1, 1, -1, "U8")                                                                          \
    X(I16, 1, 2, 25, "I16")                                                                        \
    X(U16, 1, 2, -1, "U16")                                                                        \
    X(I32, 1, 4, 26, "I32")                                                                        \
    X(U32, 1, 4, -1, "U32")                                                                        \
    X(I64, 1, 8, 27, "I64")                                                                        \
    X(U64, 1, 8, -1, "U64")                                                                        \
    X(Q4_0, 32, 18, 2, "")                                                                         \
    X(Q4_1, 32, 20, 3, "")                                                                         \
    X(Q5_0, 32, 22, 6, "")                                                                         \
    X(Q5_1, 32, 24, 7, "")                                                                         \
    X(Q8_0, 32, 34, 8, "")                                                                         \
    X(Q2_K, 256, 84, 10, "")                                                                       \
    X(Q3_K, 256, 110, 11, "")                                                                      \
    X(Q4_K, 256, 144, 12, "")                                                                      \
    X(Q5_K, 256, 176, 13, "")                                                                      \
    X(Q6_K, 256, 210, 14, "")                                                                      \
    X(IQ4_NL, 32, 18, 20, "")                                                                      \
    X(IQ4_XS, 256, 136, 23, "")                                                                    \
    X(IQ2_XXS, 256, 66, 16, "")                                                                    \
    X(IQ2_XS, 256, 74, 17, "")                                                                     \
    X(IQ3_XXS, 256, 98, 18, "")                                                                    \
    X(IQ1_S, 256, 50, 19, "")                                                                      \
    X(IQ3_S, 256, 110, 21, "")                                                                     \
    X(IQ2_S, 256, 82, 22, "")                                                                      \
    X(IQ1_M, 256, 56, 29, "")                                                                      \
    X(TQ1_0, 256, 54, 34, "")                                                                      \
    X(TQ2_0, 256, 66, 35, "")                                                                      \
    X(MXFP4, 32, 17, 39, "")

/** Zero is F32. */
typedef enum DType {
#define DTYPE_ENUM(name, elements, bytes, ggml, safetensors) DTYPE_##name,
    DTYPES(DTYPE_ENUM)
#undef DTYPE_ENUM
        DTYPE_COUNT
} DType;

typedef struct DTypeInfo {
    const char *name;        /* "Q4_K", static */
    int32_t block_elements;  /* 1 for plain numbers */
    int32_t block_bytes;     /* bytes of those elements */
    int32_t ggml;            /* number in GGUF; -1 = not there */
    const char *safetensors; /* name in safetensors, "" = not there */
} DTypeInfo;

/** Facts of a type; `type` must be below DTYPE_COUNT. Any thread. */
const DTypeInfo *dtype_info(DType type);
/** "Q4_K"; "?" for a value that is no type. */
const char *dtype_name(DType type);
/** By the number GGUF uses; false when not known. */
AS_MUST_CHECK bool dtype_from_ggml(uint32_t number, DType *type);
/** By the name safetensors uses; false when not known. */
AS_MUST_CHECK bool dtype_from_safetensors(const char *name, DType *type);
/** Bytes of n_elements, which must be whole blocks; false when they are not or do not fit. */
AS_MUST_CHECK bool dtype_bytes(DType type, size_t n_elements, size_t *n_bytes);
