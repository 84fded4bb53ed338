#include "base/str.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool strbuf_add(StrBuf *buf, const char *bytes, size_t n, Error *err)
{
    size_t want;
    if (!checked_add(buf->n, n, &want) || !checked_add(want, 1, &want)) {
        return error_set(err, ERR_MEMORY, "a text of %zu more bytes does not fit", n);
    }
    if (!array_reserve(&buf->text, &buf->capacity, want, 1, err)) {
        return false;
    }
    if (n) {
        memcpy(buf->text + buf->n, bytes, n);
    }
    buf->n += n;
    buf->text[buf->n] = 0;
    return true;
}

bool strbuf_puts(StrBuf *buf, const char *text, Error *err)
{
    return strbuf_add(buf, text, strlen(text), err);
}

bool strbuf_printf(StrBuf *buf, Error *err, const char *fmt, ...)
{
    va_list ap;
    va_list again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    bool ok = n >= 0 && array_reserve(&buf->text, &buf->capacity, buf->n + (size_t)n + 1, 1, err);
    if (ok) {
        vsnprintf(buf->text + buf->n, (size_t)n + 1, fmt, again);
        buf->n += (size_t)n;
    }
    va_end(again);
    return n >= 0 ? ok : error_set(err, ERR_INTERNAL, "a text could not be formatted");
}

bool strbuf_json_string(StrBuf *buf, const char *bytes, size_t n, Error *err)
{
    bool ok = strbuf_add(buf, "\"", 1, err);
    size_t start = 0;
    for (size_t i = 0; i < n && ok; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            continue;
        }
        ok = strbuf_add(buf, bytes + start, i - start, err);
        start = i + 1;
        const char *named = c == '"'    ? "\\\""
                            : c == '\\' ? "\\\\"
                            : c == '\n' ? "\\n"
                            : c == '\t' ? "\\t"
                            : c == '\r' ? "\\r"
                                        : NULL;
        if (ok) {
            ok = named ? strbuf_puts(buf, named, err) : strbuf_printf(buf, err, "\\u%04x", c);
        }
    }
    return ok && strbuf_add(buf, bytes + start, n - start, err) && strbuf_add(buf, "\"", 1, err);
}

const char *strbuf_text(const StrBuf *buf)
{
    return buf->text ? buf->text : "";
}

void strbuf_clear(StrBuf *buf)
{
    buf->n = 0;
    if (buf->text) {
        buf->text[0] = 0;
    }
}

void strbuf_free(StrBuf *buf)
{
    mem_free(buf->text);
    *buf = (StrBuf){0};
}

size_t utf8_decode(const char *s, size_t n, uint32_t *code_point)
{
    *code_point = 0xFFFD;
    if (n == 0) {
        return 0;
    }
    const unsigned char *u = (const unsigned char *)s;
    if (u[0] < 0x80) {
        *code_point = u[0];
        return 1;
    }
    size_t length = u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : 2;
    if (u[0] < 0xC2 || u[0] > 0xF4) {
        return 1;
    }
    /* The second byte's range keeps out overlong forms, surrogates and values past U+10FFFF. */
    unsigned lo = u[0] == 0xE0 ? 0xA0 : u[0] == 0xF0 ? 0x90 : 0x80;
    unsigned hi = u[0] == 0xED ? 0x9F : u[0] == 0xF4 ? 0x8F : 0xBF;
    uint32_t value = u[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (i >= n || u[i] < lo || u[i] > hi) {
            return i;
        }
        value = value << 6 | (u[i] & 0x3Fu);
        lo = 0x80;
        hi = 0xBF;
    }
    *code_point = value;
    return length;
}

size_t utf8_encode(uint32_t c, char out[4])
{
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
        c = 0xFFFD;
    }
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (char)((0xF00u >> length & 0xF0u) | c);
    return length;
}

static bool is_invalid_at(const char *s, uint32_t c, size_t used)
{
    /* A genuine U+FFFD in the text is three bytes EF BF BD. */
    return c == 0xFFFD && !(used == 3 && (unsigned char)s[0] == 0xEF);
}

size_t utf8_count_invalid(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t used = utf8_decode(s + i, n - i, &c);
        count += is_invalid_at(s + i, c, used);
        i += used;
    }
    return count;
}

char *utf8_repair(Arena *arena, const char *s, size_t n, size_t *n_out, size_t *n_replaced,
                  Error *err)
{
    size_t bad = utf8_count_invalid(s, n);
    size_t most;
    if (!checked_mul(bad, 3, &most) || !checked_add(most, n, &most)) {
        error_set(err, ERR_MEMORY, "a text of %zu bytes does not fit", n);
        return NULL;
    }
    if (n_replaced) {
        *n_replaced = bad;
    }
    char *out = arena_alloc(arena, most + 1, err);
    if (!out) {
        return NULL;
    }
    size_t at = 0;
    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t used = utf8_decode(s + i, n - i, &c);
        at += utf8_encode(c, out + at);
        i += used;
    }
    out[at] = 0;
    *n_out = at;
    return out;
}

void text_make_line(char *s)
{
    size_t n = strlen(s);
    size_t used;
    for (size_t i = 0; i < n; i += used) {
        uint32_t c;
        used = utf8_decode(s + i, n - i, &c);
        if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029) {
            memset(s + i, ' ', used);
        }
        bool is_cut = c == 0xFFFD && i + used == n && (unsigned char)s[i] >= 0xC2 &&
                      !(used == 3 && (unsigned char)s[i] == 0xEF);
        if (is_cut) {
            s[i] = 0;
        }
    }
}

char *format_count(uint64_t value, char out[32])
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = 0;
    return out;
}

char *format_bytes(uint64_t bytes, char out[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1023.5 && unit + 1 < AS_COUNT(units)) {
        value /= 1024;
        unit++;
    }
    snprintf(out, 32, value < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

bool parse_bytes(const char *text, uint64_t *bytes)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || !isfinite(value) || value < 0) {
        return false;
    }
    static const char letters[] = "KMGTP";
    double factor = 1;
    const char *letter = *end ? strchr(letters, *end >= 'a' ? *end - 32 : *end) : NULL;
    if (letter) {
        factor = ldexp(1, 10 * (int)(letter - letters + 1));
        end++;
    }
    if (strcmp(end, "") != 0 && strcmp(end, "B") != 0 && !(letter && strcmp(end, "iB") == 0)) {
        return false;
    }
    if (value * factor >= 0x1p63) {
        return false;
    }
    *bytes = (uint64_t)(value * factor);
    return true;
}
