#include "tokenizer/engine.h"
#include "tokenizer/unicode.h"

#include "base/str.h"

#include <string.h>

static bool read_bert(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    (void)reader;
    (void)err;
    c->bert.clean_text = json_get_bool(json, "clean_text", true);
    c->bert.space_cjk = json_get_bool(json, "handle_chinese_chars", true);
    c->bert.lowercase = json_get_bool(json, "lowercase", true);
    /* null means: as lower case. */
    c->bert.strip_accents = json_get_bool(json, "strip_accents", c->bert.lowercase);
    return true;
}

static bool clean_bert(const Component *c, uint32_t *code_point)
{
    uint32_t u = *code_point;
    bool is_blank = u == '\t' || u == '\n' || u == '\r';
    if (c->bert.clean_text) {
        if (u == 0 || u == 0xFFFD || (!is_blank && unicode_is_control(u))) {
            return false;
        }
        if (is_blank || unicode_is_space(u)) {
            *code_point = ' ';
        }
    }
    return true;
}

/** Cleaning, spaces around ideographs, and lower case where no accents are to be stripped before.
 */
static bool bert_characters(const Component *c, const Aligned *in, bool lowers, Aligned *out,
                            Error *err)
{
    for (size_t at = 0; at < in->n;) {
        uint32_t u;
        size_t n = utf8_decode(in->text + at, in->n - at, &u);
        ByteSpan span = in->spans[at];
        at += n;
        if (!clean_bert(c, &u)) {
            continue;
        }
        bool spaced = c->bert.space_cjk && unicode_is_cjk(u);
        uint32_t parts[2] = {u};
        int n_parts = lowers ? unicode_lower(u, parts) : 1;
        bool ok = !spaced || aligned_add(out, " ", 1, span, err);
        for (int i = 0; i < n_parts && ok; i++) {
            ok = aligned_add_code_point(out, parts[i], span, err);
        }
        if (!ok || (spaced && !aligned_add(out, " ", 1, span, err))) {
            return false;
        }
    }
    return true;
}

static bool lower_text(const Aligned *in, Aligned *out, Error *err)
{
    for (size_t at = 0; at < in->n;) {
        uint32_t u;
        uint32_t parts[2];
        ByteSpan span = in->spans[at];
        at += utf8_decode(in->text + at, in->n - at, &u);
        int n_parts = unicode_lower(u, parts);
        for (int i = 0; i < n_parts; i++) {
            if (!aligned_add_code_point(out, parts[i], span, err)) {
                return false;
            }
        }
    }
    return true;
}

/** Leaves out the characters for which `drops` says so. */
static bool filter_text(const Aligned *in, bool (*drops)(uint32_t), Aligned *out, Error *err)
{
    for (size_t at = 0; at < in->n;) {
        uint32_t u;
        size_t n = utf8_decode(in->text + at, in->n - at, &u);
        if (!drops(u) && !aligned_copy(out, in, at, at + n, err)) {
            return false;
        }
        at += n;
    }
    return true;
}

static bool normalize_bert(const Component *c, Encoder *e, const Aligned *in, Aligned *out,
                           Error *err)
{
    (void)e;
    if (!c->bert.strip_accents) {
        return bert_characters(c, in, c->bert.lowercase, out, err);
    }
    Aligned clean = {0};
    Aligned marks = {0};
    Aligned bare = {0};
    bool ok = bert_characters(c, in, false, &clean, err) &&
              unicode_normalize(&clean, FORM_NFD, &marks, err) &&
              filter_text(&marks, unicode_is_nonspacing_mark, &bare, err) &&
              (c->bert.lowercase ? lower_text(&bare, out, err)
                                 : aligned_copy(out, &bare, 0, bare.n, err));
    aligned_free(&clean);
    aligned_free(&marks);
    aligned_free(&bare);
    return ok;
}

static bool normalize_form(const Component *c, Encoder *e, const Aligned *in, Aligned *out,
                           Error *err)
{
    (void)e;
    return unicode_normalize(in, (NormalForm)c->kind->variant, out, err);
}

static bool normalize_lower(const Component *c, Encoder *e, const Aligned *in, Aligned *out,
                            Error *err)
{
    (void)c;
    (void)e;
    return lower_text(in, out, err);
}

static bool normalize_strip_accents(const Component *c, Encoder *e, const Aligned *in, Aligned *out,
                                    Error *err)
{
    (void)c;
    (void)e;
    return filter_text(in, unicode_is_mark, out, err);
}

static bool read_strip(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    (void)reader;
    (void)err;
    c->strip.left = json_get_bool(json, "strip_left", true);
    c->strip.right = json_get_bool(json, "strip_right", true);
    return true;
}

static bool normalize_strip(const Component *c, Encoder *e, const Aligned *in, Aligned *out,
                            Error *err)
{
    (void)e;
    size_t begin = 0;
    size_t end = 0; /* behind the last character that is no space */
    bool leading = true;
    for (size_t at = 0; at < in->n;) {
        uint32_t u;
        size_t n = utf8_decode(in->text + at, in->n - at, &u);
        at += n;
        if (!unicode_is_space(u)) {
            leading = false;
            end = at;
        } else if (leading && c->strip.left) {
            begin = at;
        }
    }
    end = c->strip.right ? AS_MAX(end, begin) : in->n;
    return aligned_copy(out, in, begin, end, err);
}

static bool read_prepend(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    return component_read_text(reader, json, "prepend", NULL, c, err);
}

static bool normalize_prepend(const Component *c, Encoder *e, const Aligned *in, Aligned *out,
                              Error *err)
{
    (void)e;
    return in->n == 0 || (aligned_add(out, c->text, c->n_text, in->spans[0], err) &&
                          aligned_copy(out, in, 0, in->n, err));
}

static bool read_replace(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    return component_read_pattern(reader, json, c, err) &&
           component_read_text(reader, json, "content", NULL, c, err);
}

static bool normalize_replace(const Component *c, Encoder *e, const Aligned *in, Aligned *out,
                              Error *err)
{
    if (!encoder_find_all(e, c->regex, in->text, in->n, err)) {
        return false;
    }
    for (size_t i = 0; i < e->matches.n; i++) {
        Match m = e->matches.items[i];
        /* What is put in stands where the last byte it replaces stands. */
        ByteSpan span = m.end ? in->spans[m.end - 1] : (ByteSpan){0, 0};
        bool ok = m.is_match ? aligned_add(out, c->text, c->n_text, span, err)
                             : aligned_copy(out, in, m.begin, m.end, err);
        if (!ok) {
            return false;
        }
    }
    return true;
}

/** SentencePiece's NMT rules: controls vanish, odd spaces become spaces. */
static bool normalize_nmt(const Component *c, Encoder *e, const Aligned *in, Aligned *out,
                          Error *err)
{
    (void)c;
    (void)e;
    for (size_t at = 0; at < in->n;) {
        uint32_t u;
        size_t n = utf8_decode(in->text + at, in->n - at, &u);
        bool is_blank = u == 9 || u == 10 || u == 12 || u == 13;
        bool vanishes = (u >= 1 && u < 32 && !is_blank) || u == 127 || u == 0x8F || u == 0x9F;
        bool is_space = is_blank || u == 0x1680 || (u >= 0x200B && u <= 0x200F) || u == 0x2028 ||
                        u == 0x2029 || u == 0x2581 || u == 0xFEFF || u == 0xFFFD;
        bool ok = vanishes   ? true
                  : is_space ? aligned_add(out, " ", 1, in->spans[at], err)
                             : aligned_copy(out, in, at, at + n, err);
        if (!ok) {
            return false;
        }
        at += n;
    }
    return true;
}

static bool normalize_bytes(const Component *c, Encoder *e, const Aligned *in, Aligned *out,
                            Error *err)
{
    (void)c;
    (void)e;
    for (size_t at = 0; at < in->n; at++) {
        if (!aligned_add_code_point(out, byte_level_char((uint8_t)in->text[at]), in->spans[at],
                                    err)) {
            return false;
        }
    }
    return true;
}

const ComponentKind NORMALIZERS[] = {
    {.name = "BertNormalizer", .read = read_bert, .normalize = normalize_bert},
    {.name = "ByteLevel", .normalize = normalize_bytes},
    {.name = "Lowercase", .normalize = normalize_lower},
    {.name = "NFC", .normalize = normalize_form, .variant = FORM_NFC},
    {.name = "NFD", .normalize = normalize_form, .variant = FORM_NFD},
    {.name = "NFKC", .normalize = normalize_form, .variant = FORM_NFKC},
    {.name = "NFKD", .normalize = normalize_form, .variant = FORM_NFKD},
    {.name = "Nmt", .normalize = normalize_nmt},
    {.name = "Precompiled", .read = precompiled_read, .normalize = precompiled_normalize},
    {.name = "Prepend", .read = read_prepend, .normalize = normalize_prepend},
    {.name = "Replace", .read = read_replace, .normalize = normalize_replace},
    {.name = "Sequence"},
    {.name = "Strip", .read = read_strip, .normalize = normalize_strip},
    {.name = "StripAccents", .normalize = normalize_strip_accents},
    {0},
};

bool normalize_piece(const Component *normalizer, Encoder *encoder, Aligned *io, Error *err)
{
    if (!normalizer) {
        return true;
    }
    if (component_is_sequence(normalizer)) {
        for (uint32_t i = 0; i < normalizer->n_children; i++) {
            if (!normalize_piece(&normalizer->children[i], encoder, io, err)) {
                return false;
            }
        }
        return true;
    }
    Aligned *out = &encoder->scratch[1];
    aligned_clear(out);
    if (!normalizer->kind->normalize(normalizer, encoder, io, out, err)) {
        return false;
    }
    Aligned old = *io;
    *io = *out;
    *out = old;
    return true;
}
