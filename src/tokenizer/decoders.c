#include "tokenizer/engine.h"

#include "base/str.h"

#include <string.h>

typedef struct DecodePart DecodePart;

/** Sets one part to the bytes of `buf`, copied. */
static bool set_part(DecodeState *state, size_t index, const StrBuf *buf, Error *err)
{
    char *copy = arena_strndup(state->arena, strbuf_text(buf), buf->n, err);
    if (!copy) {
        return false;
    }
    state->parts[index] = (DecodePart){.text = copy, .n = buf->n};
    return true;
}

static bool join_parts(DecodeState *state, Error *err)
{
    StrBuf all = {0};
    bool ok = true;
    for (size_t i = 0; i < state->n_parts && ok; i++) {
        ok = strbuf_add(&all, state->parts[i].text, state->parts[i].n, err);
    }
    if (ok && state->n_parts) {
        ok = set_part(state, 0, &all, err);
        state->n_parts = 1;
    }
    strbuf_free(&all);
    return ok;
}

bool decode_bytes(const char *text, size_t n, StrBuf *out, Error *err)
{
    size_t start = out->n;
    for (size_t at = 0; at < n;) {
        uint32_t c;
        at += utf8_decode(text + at, n - at, &c);
        int byte = byte_level_byte(c);
        char raw = (char)byte;
        if (byte < 0) {
            /* Not of the alphabet (an added token): the text as it is. */
            out->n = start;
            return strbuf_add(out, text, n, err);
        }
        if (!strbuf_add(out, &raw, 1, err)) {
            return false;
        }
    }
    return true;
}

bool decode_byte_name(const char *text, size_t n, char *byte)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *high = n == 6 && memcmp(text, "<0x", 3) == 0 && text[5] == '>' && text[3]
                           ? strchr(digits, text[3])
                           : NULL;
    const char *low = high && text[4] ? strchr(digits, text[4]) : NULL;
    if (!low) {
        return false;
    }
    *byte = (char)((high - digits) << 4 | (low - digits));
    return true;
}

/** Replaces every `from` in text by `to`. */
static bool replace_all(const char *text, size_t n, const char *from, const char *to, StrBuf *out,
                        Error *err)
{
    size_t n_from = strlen(from);
    for (size_t at = 0; at < n;) {
        const char *hit = n_from ? memmem(text + at, n - at, from, n_from) : NULL;
        size_t stop = hit ? (size_t)(hit - text) : n;
        if (!strbuf_add(out, text + at, stop - at, err) || (hit && !strbuf_puts(out, to, err))) {
            return false;
        }
        at = stop + (hit ? n_from : 0);
    }
    return true;
}

static bool decode_byte_level(const Component *c, DecodeState *state, Error *err)
{
    (void)c;
    StrBuf all = {0};
    bool ok = true;
    for (size_t i = 0; i < state->n_parts && ok; i++) {
        ok = decode_bytes(state->parts[i].text, state->parts[i].n, &all, err);
    }
    if (ok && state->n_parts) {
        ok = set_part(state, 0, &all, err);
        state->n_parts = 1;
    }
    strbuf_free(&all);
    return ok;
}

static bool read_wordpiece(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    c->decode.cleanup = json_get_bool(json, "cleanup", true);
    return component_read_text(reader, json, "prefix", "##", c, err);
}

/** English spacing put right, rule after rule. */
static bool clean_up(StrBuf *text, Error *err)
{
    static const char *const rules[][2] = {{" .", "."},     {" ?", "?"},           {" !", "!"},
                                           {" ,", ","},     {" ' ", "'"},          {" n't", "n't"},
                                           {" 'm", "'m"},   {" do not", " don't"}, {" 's", "'s"},
                                           {" 've", "'ve"}, {" 're", "'re"}};
    for (size_t i = 0; i < AS_COUNT(rules); i++) {
        StrBuf next = {0};
        if (!replace_all(strbuf_text(text), text->n, rules[i][0], rules[i][1], &next, err)) {
            strbuf_free(&next);
            return false;
        }
        strbuf_free(text);
        *text = next;
    }
    return true;
}

static bool decode_wordpiece(const Component *c, DecodeState *state, Error *err)
{
    for (size_t i = 0; i < state->n_parts; i++) {
        const char *text = state->parts[i].text;
        size_t n = state->parts[i].n;
        bool continues = i > 0 && n >= c->n_text && memcmp(text, c->text, c->n_text) == 0;
        size_t skip = continues ? c->n_text : 0;
        StrBuf buf = {0};
        bool ok = (i == 0 || continues || strbuf_puts(&buf, " ", err)) &&
                  strbuf_add(&buf, text + skip, n - skip, err) &&
                  (!c->decode.cleanup || clean_up(&buf, err)) && set_part(state, i, &buf, err);
        strbuf_free(&buf);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool read_metaspace(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    bool adds = json_get_bool(json, "add_prefix_space", true);
    const char *scheme = json_get_string(json, "prepend_scheme", adds ? "always" : "never");
    c->metaspace.prepend = strcmp(scheme, "never") == 0 ? PREPEND_NEVER : PREPEND_ALWAYS;
    return component_read_text(reader, json, "replacement", "\xE2\x96\x81", c, err);
}

static bool decode_metaspace(const Component *c, DecodeState *state, Error *err)
{
    for (size_t i = 0; i < state->n_parts; i++) {
        bool vanishes = i == 0 && c->metaspace.prepend != PREPEND_NEVER;
        StrBuf buf = {0};
        bool ok = replace_all(state->parts[i].text, state->parts[i].n, c->text, vanishes ? "" : " ",
                              &buf, err) &&
                  set_part(state, i, &buf, err);
        strbuf_free(&buf);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool read_bpe(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    return component_read_text(reader, json, "suffix", "</w>", c, err);
}

static bool read_ctc(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    c->decode.cleanup = json_get_bool(json, "cleanup", true);
    c->decode.delimiter = arena_strdup(&reader->tokenizer->arena,
                                       json_get_string(json, "word_delimiter_token", "|"), err);
    return c->decode.delimiter && component_read_text(reader, json, "pad_token", "<pad>", c, err);
}

/** Connectionist temporal classification: neighbours that are equal count once, and padding stands
 *  for nothing. */
static bool decode_ctc(const Component *c, DecodeState *state, Error *err)
{
    size_t n_kept = 0;
    DecodePart before = {0};
    for (size_t i = 0; i < state->n_parts; i++) {
        const DecodePart part = state->parts[i];
        const bool repeats =
            i > 0 && part.n == before.n && memcmp(part.text, before.text, part.n) == 0;
        before = part;
        if (repeats) {
            continue;
        }
        StrBuf bare = {0};
        StrBuf clean = {0};
        bool ok = replace_all(part.text, part.n, c->text, "", &bare, err) &&
                  (!c->decode.cleanup ||
                   (clean_up(&bare, err) && replace_all(strbuf_text(&bare), bare.n,
                                                        c->decode.delimiter, " ", &clean, err)));
        const StrBuf *made = c->decode.cleanup ? &clean : &bare;
        ok = ok && (made->n == 0 || set_part(state, n_kept, made, err));
        n_kept += made->n > 0;
        strbuf_free(&bare);
        strbuf_free(&clean);
        if (!ok) {
            return false;
        }
    }
    state->n_parts = n_kept;
    return true;
}

static bool decode_bpe(const Component *c, DecodeState *state, Error *err)
{
    for (size_t i = 0; i < state->n_parts; i++) {
        StrBuf buf = {0};
        bool ok = replace_all(state->parts[i].text, state->parts[i].n, c->text,
                              i + 1 == state->n_parts ? "" : " ", &buf, err) &&
                  set_part(state, i, &buf, err);
        strbuf_free(&buf);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool decode_fallback(const Component *c, DecodeState *state, Error *err)
{
    (void)c;
    for (size_t i = 0; i < state->n_parts; i++) {
        char *byte = arena_alloc(state->arena, 2, err);
        if (!byte) {
            return false;
        }
        if (decode_byte_name(state->parts[i].text, state->parts[i].n, byte)) {
            state->parts[i] = (DecodePart){.text = byte, .n = 1};
        }
    }
    return true;
}

static bool decode_fuse(const Component *c, DecodeState *state, Error *err)
{
    (void)c;
    return join_parts(state, err);
}

static bool read_strip(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    int64_t start;
    int64_t stop;
    if (!component_read_text(reader, json, "content", " ", c, err) ||
        !json_get_int(json, "start", 0, INT32_MAX, 0, &start, reader->name, err) ||
        !json_get_int(json, "stop", 0, INT32_MAX, 0, &stop, reader->name, err)) {
        return false;
    }
    c->decode.start = (uint32_t)start;
    c->decode.stop = (uint32_t)stop;
    return true;
}

static bool decode_strip(const Component *c, DecodeState *state, Error *err)
{
    (void)err;
    for (size_t i = 0; i < state->n_parts && c->n_text; i++) {
        DecodePart *part = &state->parts[i];
        for (uint32_t k = 0; k < c->decode.start && part->n >= c->n_text &&
                             memcmp(part->text, c->text, c->n_text) == 0;
             k++) {
            part->text += c->n_text;
            part->n -= c->n_text;
        }
        for (uint32_t k = 0; k < c->decode.stop && part->n >= c->n_text &&
                             memcmp(part->text + part->n - c->n_text, c->text, c->n_text) == 0;
             k++) {
            part->n -= c->n_text;
        }
    }
    return true;
}

static bool read_replace(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    return component_read_pattern(reader, json, c, err) &&
           component_read_text(reader, json, "content", NULL, c, err);
}

static bool decode_replace(const Component *c, DecodeState *state, Error *err)
{
    RegexScratch *scratch = regex_scratch_create(err);
    Matches matches = {0};
    bool ok = scratch != NULL;
    for (size_t i = 0; i < state->n_parts && ok; i++) {
        StrBuf buf = {0};
        const char *text = state->parts[i].text;
        matches.n = 0;
        /* Bytes a decoder before made of byte tokens may be no UTF-8: they are left alone. */
        if (utf8_count_invalid(text, state->parts[i].n)) {
            continue;
        }
        ok = regex_find_all(c->regex, scratch, text, state->parts[i].n, &matches, err);
        for (size_t k = 0; k < matches.n && ok; k++) {
            Match m = matches.items[k];
            ok = m.is_match ? strbuf_add(&buf, c->text, c->n_text, err)
                            : strbuf_add(&buf, text + m.begin, m.end - m.begin, err);
        }
        ok = ok && set_part(state, i, &buf, err);
        strbuf_free(&buf);
    }
    ARRAY_FREE(&matches);
    regex_scratch_destroy(scratch);
    return ok;
}

const ComponentKind DECODERS[] = {
    {.name = "BPEDecoder", .read = read_bpe, .decode = decode_bpe},
    {.name = "ByteFallback", .decode = decode_fallback},
    {.name = "ByteLevel", .decode = decode_byte_level},
    {.name = "CTC", .read = read_ctc, .decode = decode_ctc},
    {.name = "Fuse", .decode = decode_fuse},
    {.name = "Metaspace", .read = read_metaspace, .decode = decode_metaspace},
    {.name = "Replace", .read = read_replace, .decode = decode_replace},
    {.name = "Sequence"},
    {.name = "Strip", .read = read_strip, .decode = decode_strip},
    {.name = "WordPiece", .read = read_wordpiece, .decode = decode_wordpiece},
    {0},
};

bool decode_parts(const Component *decoder, DecodeState *state, Error *err)
{
    if (!decoder) {
        return true;
    }
    if (component_is_sequence(decoder)) {
        for (uint32_t i = 0; i < decoder->n_children; i++) {
            if (!decode_parts(&decoder->children[i], state, err)) {
                return false;
            }
        }
        return true;
    }
    return decoder->kind->decode(decoder, state, err);
}
