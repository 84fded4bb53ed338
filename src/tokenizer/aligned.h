#pragma once
/*
 * A text in which every byte knows which bytes of the original it stands for. All changes that
 * normalizers and pre-tokenizers make to a text go through here, so offsets stay exact.
 */
#include "base/arena.h"

/** Bytes [start, end) of the original text. */
typedef struct ByteSpan {
    uint32_t start;
    uint32_t end;
} ByteSpan;

/** Zero is empty. Valid UTF-8, not NUL-terminated. */
typedef struct Aligned {
    char *text;      /* owned */
    ByteSpan *spans; /* owned, one a byte */
    size_t n;        /* bytes, below 4 GiB so that positions are uint32_t */
    size_t text_capacity;
    size_t span_capacity;
} Aligned;

/** Appends bytes that all stand for `span`. */
AS_MUST_CHECK bool aligned_add(Aligned *out, const char *bytes, size_t n, ByteSpan span,
                               Error *err);
AS_MUST_CHECK bool aligned_add_code_point(Aligned *out, uint32_t code_point, ByteSpan span,
                                          Error *err);
/** Appends bytes [begin, end) of `from` with what they stand for. */
AS_MUST_CHECK bool aligned_copy(Aligned *out, const Aligned *from, size_t begin, size_t end,
                                Error *err);
/** Appends original[begin, end): each character stands for itself. */
AS_MUST_CHECK bool aligned_add_original(Aligned *out, const char *original, size_t begin,
                                        size_t end, Error *err);
/** What text[begin, end) stands for: from its first byte's start to its last byte's end. */
ByteSpan aligned_span(const Aligned *text, size_t begin, size_t end);
void aligned_clear(Aligned *text);
void aligned_free(Aligned *text);

/**
 * Rewrites a text one character at a time with the library's rule for what a character stands for:
 * change 0 takes the place of the next old character, change -k of it and k more that vanish,
 * change 1 is new and stands where the old character before it stands.
 */
typedef struct AlignedRewrite {
    const Aligned *in;
    Aligned *out;
    size_t at; /* next old byte not yet replaced */
} AlignedRewrite;
AS_MUST_CHECK bool aligned_rewrite(AlignedRewrite *rewrite, uint32_t code_point, int32_t change,
                                   Error *err);
