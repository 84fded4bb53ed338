#include "tokenizer/aligned.h"

#include "base/str.h"

#include <string.h>

static bool reserve(Aligned *out, size_t n, Error *err)
{
    size_t want;
    if (!checked_add(out->n, n, &want) || want > UINT32_MAX - 16) {
        return error_set(err, ERR_RANGE,
                         "the text grows past 4 GiB while it is normalised: take a part of it");
    }
    return array_reserve((void **)&out->text, &out->text_capacity, want, 1, err) &&
           array_reserve((void **)&out->spans, &out->span_capacity, want, sizeof *out->spans, err);
}

bool aligned_add(Aligned *out, const char *bytes, size_t n, ByteSpan span, Error *err)
{
    if (!reserve(out, n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        out->text[out->n + i] = bytes[i];
        out->spans[out->n + i] = span;
    }
    out->n += n;
    return true;
}

bool aligned_add_code_point(Aligned *out, uint32_t code_point, ByteSpan span, Error *err)
{
    char bytes[4];
    size_t n = utf8_encode(code_point, bytes);
    return aligned_add(out, bytes, n, span, err);
}

bool aligned_copy(Aligned *out, const Aligned *from, size_t begin, size_t end, Error *err)
{
    size_t n = end - begin;
    if (!reserve(out, n, err)) {
        return false;
    }
    if (n) {
        memcpy(out->text + out->n, from->text + begin, n);
        memcpy(out->spans + out->n, from->spans + begin, n * sizeof *from->spans);
        out->n += n;
    }
    return true;
}

bool aligned_add_original(Aligned *out, const char *original, size_t begin, size_t end, Error *err)
{
    if (!reserve(out, end - begin, err)) {
        return false;
    }
    for (size_t at = begin; at < end;) {
        uint32_t c;
        size_t n = utf8_decode(original + at, end - at, &c);
        ByteSpan span = {(uint32_t)at, (uint32_t)(at + n)};
        for (size_t i = 0; i < n; i++) {
            out->text[out->n] = original[at + i];
            out->spans[out->n++] = span;
        }
        at += n;
    }
    return true;
}

ByteSpan aligned_span(const Aligned *text, size_t begin, size_t end)
{
    if (begin >= end) {
        uint32_t at = begin < text->n ? text->spans[begin].start
                      : text->n       ? text->spans[text->n - 1].end
                                      : 0;
        return (ByteSpan){at, at};
    }
    return (ByteSpan){text->spans[begin].start, text->spans[end - 1].end};
}

void aligned_clear(Aligned *text)
{
    text->n = 0;
}

void aligned_free(Aligned *text)
{
    mem_free(text->text);
    mem_free(text->spans);
    *text = (Aligned){0};
}

static size_t skip_old(const Aligned *in, size_t at)
{
    uint32_t c;
    return at + utf8_decode(in->text + at, in->n - at, &c);
}

bool aligned_rewrite(AlignedRewrite *rewrite, uint32_t code_point, int32_t change, Error *err)
{
    const Aligned *in = rewrite->in;
    ByteSpan span = {0, 0};
    if (change > 0 && in->n) {
        span = rewrite->at ? in->spans[rewrite->at - 1]
                           : (ByteSpan){in->spans[0].start, in->spans[0].start};
    } else if (rewrite->at < in->n) {
        span = in->spans[rewrite->at];
    }
    if (change <= 0) {
        for (int32_t i = 0; i <= -change; i++) {
            rewrite->at = skip_old(in, rewrite->at);
        }
    }
    return aligned_add_code_point(rewrite->out, code_point, span, err);
}
