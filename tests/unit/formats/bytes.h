#pragma once
/*
 * Builds the bytes of files, right and wrong ones, and hands them to a parser in a block of exactly
 * their size, so that the address sanitizer sees a read past the end.
 */
#include "base/str.h"

#include <stdlib.h>

static inline void put_bytes(StrBuf *buf, const void *bytes, size_t n)
{
    if (!strbuf_add(buf, bytes, n, NULL)) {
        abort();
    }
}

static inline void put_text(StrBuf *buf, const char *text)
{
    put_bytes(buf, text, strlen(text));
}

static inline void put_zeros(StrBuf *buf, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_bytes(buf, "", 1);
    }
}

static inline void put_u32(StrBuf *buf, uint32_t v)
{
    put_bytes(buf, &v, sizeof v);
}

static inline void put_u64(StrBuf *buf, uint64_t v)
{
    put_bytes(buf, &v, sizeof v);
}

/** u64 length, then the text, as GGUF has it. */
static inline void put_string(StrBuf *buf, const char *text)
{
    put_u64(buf, strlen(text));
    put_text(buf, text);
}

/** A copy of exactly n bytes, freed with free. */
static inline unsigned char *exact_copy(const void *bytes, size_t n)
{
    unsigned char *copy = malloc(n ? n : 1);
    if (!copy) {
        abort();
    }
    if (n) {
        memcpy(copy, bytes, n);
    }
    return copy;
}
