#pragma once
/*
 * String builder and UTF-8. Any thread; a StrBuf belongs to one thread at a time.
 */
#include "base/arena.h"

/** Growable text, always NUL-terminated once anything was added. Zero is empty. */
typedef struct StrBuf {
    char *text; /* owned; NULL while empty */
    size_t n;   /* bytes without the NUL */
    size_t capacity;
} StrBuf;

AS_MUST_CHECK bool strbuf_add(StrBuf *buf, const char *bytes, size_t n, Error *err);
AS_MUST_CHECK bool strbuf_puts(StrBuf *buf, const char *text, Error *err);
AS_MUST_CHECK bool strbuf_printf(StrBuf *buf, Error *err, const char *fmt, ...) AS_PRINTF(3, 4);
/** Adds a JSON string literal with its quotes; bytes must be valid UTF-8 (see utf8_repair). */
AS_MUST_CHECK bool strbuf_json_string(StrBuf *buf, const char *bytes, size_t n, Error *err);
/** "" while empty. Borrowed until the next change. */
const char *strbuf_text(const StrBuf *buf);
void strbuf_clear(StrBuf *buf);
void strbuf_free(StrBuf *buf);

/**
 * Decodes one code point at s[0..n). Returns the bytes used (1..4); an invalid or truncated
 * sequence gives U+FFFD and the length of its maximal subpart (Unicode 15, 3.9, table 3-8).
 * n = 0 returns 0.
 */
size_t utf8_decode(const char *s, size_t n, uint32_t *code_point);
/** Writes 1..4 bytes; returns how many. Surrogates and values past U+10FFFF become U+FFFD. */
size_t utf8_encode(uint32_t code_point, char out[4]);
/** Number of invalid sequences in s[0..n). 0 means valid. */
size_t utf8_count_invalid(const char *s, size_t n);
/**
 * Copies s with each invalid sequence replaced by U+FFFD. *n_replaced may be NULL.
 * NULL on ERR_MEMORY. NUL-terminated, owned by the arena.
 */
AS_MUST_CHECK char *utf8_repair(Arena *arena, const char *s, size_t n, size_t *n_out,
                                size_t *n_replaced, Error *err);
/** Makes text safe for one line of a terminal, in place, whatever a file put into it: control
 *  characters and line breaks become spaces, a UTF-8 sequence that was cut at the end goes. */
void text_make_line(char *text);
/** Grouped digits, "70,778,880", into out; returns out. */
char *format_count(uint64_t value, char out[32]);
/** "270 MiB", "1.9 GiB", "512 B" into out; returns out. */
char *format_bytes(uint64_t bytes, char out[32]);
/** Parses "8G", "512M", "1.5GiB", "4096" into bytes. False when it is none of these. */
AS_MUST_CHECK bool parse_bytes(const char *text, uint64_t *bytes);
