#include "tokenizer/unicode.h"

#include <string.h>

#include <utf8proc.h>

#include "base/str.h"
#include "tokenizer/unicode_scripts.h"
#include "tokenizer/unicode_tables.h"

static bool is_in(const CodeRange *ranges, size_t n, uint32_t c)
{
    size_t lo = 0;
    size_t hi = n;
    while (lo < hi) {
        size_t middle = (lo + hi) / 2;
        if (c > ranges[middle].last) {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    return lo < n && c >= ranges[lo].first;
}
#define IS_IN(ranges, c) is_in((ranges), AS_COUNT(ranges), (c))

static utf8proc_category_t category(uint32_t c)
{
    return utf8proc_category((utf8proc_int32_t)c);
}

bool unicode_is_space(uint32_t c)
{
    if (c < 0x80) {
        return c == ' ' || (c >= 9 && c <= 13);
    }
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool unicode_is_numeric(uint32_t c)
{
    if (c < 0x80) {
        return c >= '0' && c <= '9';
    }
    utf8proc_category_t k = category(c);
    return k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO;
}

bool unicode_is_punctuation(uint32_t c)
{
    if (c < 0x80) {
        return (c > 32 && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') ||
               (c > 'z' && c < 127);
    }
    utf8proc_category_t k = category(c);
    bool is = k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
    return is != IS_IN(PUNCTUATION_FLIPPED, c);
}

bool unicode_is_control(uint32_t c)
{
    if (c < 0x80) {
        return c < 32 || c == 127;
    }
    utf8proc_category_t k = category(c);
    bool is = k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_CO;
    return is != IS_IN(CONTROL_FLIPPED, c);
}

bool unicode_is_nonspacing_mark(uint32_t c)
{
    return c >= 0x300 && (category(c) == UTF8PROC_CATEGORY_MN) != IS_IN(NONSPACING_FLIPPED, c);
}

bool unicode_is_mark(uint32_t c)
{
    if (c < 0x300) {
        return false;
    }
    utf8proc_category_t k = category(c);
    bool is = k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_MC || k == UTF8PROC_CATEGORY_ME;
    return is != IS_IN(MARK_FLIPPED, c);
}

bool unicode_is_cjk(uint32_t c)
{
    /* The library's own ranges; 2B920 is its spelling of 2B820. */
    return c >= 0x3400 &&
           ((c >= 0x4E00 && c <= 0x9FFF) || c <= 0x4DBF || (c >= 0xF900 && c <= 0xFAFF) ||
            (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B81F) ||
            (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0x2F800 && c <= 0x2FA1F));
}

bool unicode_is_word(uint32_t c)
{
    if (c < 0x80) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' ||
               (c >= 'a' && c <= 'z');
    }
    utf8proc_category_t k = category(c);
    return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NL) || k == UTF8PROC_CATEGORY_PC ||
           (c >= 0x24B6 && c <= 0x24E9) || c == 0x200C || c == 0x200D ||
           (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
           (c >= 0x1F170 && c <= 0x1F189);
}

bool unicode_ends_cluster(uint32_t before, uint32_t after, int32_t *state)
{
    return utf8proc_grapheme_break_stateful((utf8proc_int32_t)before, (utf8proc_int32_t)after,
                                            state);
}

int unicode_lower(uint32_t c, uint32_t out[2])
{
    if (c < 0x80) {
        out[0] = c >= 'A' && c <= 'Z' ? c + 32 : c;
        return 1;
    }
    if (c == 0x130) { /* the only one whose full mapping has two characters */
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    out[0] = (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
    return 1;
}

/* ---- normal forms ---- */

/** A decomposed character: what it does to offsets (see AlignedRewrite) and its combining class. */
typedef struct Mark {
    uint32_t code_point;
    int32_t change;
    int32_t class;
} Mark;

typedef ARRAY_OF(Mark) Marks;

typedef struct Former {
    AlignedRewrite rewrite;
    bool composes;
    utf8proc_option_t options;
    Marks pending; /* decomposed since the last starter, not in order yet */
    Marks ordered; /* scratch of the sort */
    Marks blocked; /* composing: what stands between the composee and now */
    bool has_composee;
    Mark composee;
    int32_t last_class; /* of blocked's last, -1 = nothing blocked */
} Former;

static int32_t combining_class(uint32_t c)
{
    if (c < 0x300 || IS_IN(MARK_FLIPPED, c)) {
        return 0;
    }
    return utf8proc_get_property((utf8proc_int32_t)c)->combining_class;
}

/** The primary composite of a pair, or 0. */
static uint32_t compose(uint32_t a, uint32_t b)
{
    if (b < 0x300) {
        return 0;
    }
    utf8proc_int32_t pair[3] = {(utf8proc_int32_t)a, (utf8proc_int32_t)b, 0};
    utf8proc_ssize_t n =
        utf8proc_normalize_utf32(pair, 2, (utf8proc_option_t)(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    return n == 1 && !IS_IN(UNDECOMPOSED, (uint32_t)pair[0]) ? (uint32_t)pair[0] : 0;
}

static bool emit(Former *f, Mark mark, Error *err)
{
    return aligned_rewrite(&f->rewrite, mark.code_point, mark.change, err);
}

static bool flush_composee(Former *f, Error *err)
{
    if (f->has_composee && !emit(f, f->composee, err)) {
        return false;
    }
    for (size_t i = 0; i < f->blocked.n; i++) {
        if (!emit(f, f->blocked.items[i], err)) {
            return false;
        }
    }
    f->blocked.n = 0;
    f->has_composee = false;
    f->last_class = -1;
    return true;
}

/** The next character in canonical order, towards the composee. */
static bool take(Former *f, Mark mark, Error *err)
{
    if (!f->composes) {
        return emit(f, mark, err);
    }
    if (!f->has_composee) {
        if (mark.class != 0) {
            return emit(f, mark, err);
        }
        f->composee = mark;
        f->has_composee = true;
        return true;
    }
    bool is_blocked = f->last_class >= mark.class;
    uint32_t whole = is_blocked ? 0 : compose(f->composee.code_point, mark.code_point);
    if (whole) {
        f->composee.code_point = whole;
        f->composee.change += mark.change - 1;
        return true;
    }
    if (mark.class == 0) {
        if (!flush_composee(f, err)) {
            return false;
        }
        f->composee = mark;
        f->has_composee = true;
        return true;
    }
    f->last_class = mark.class;
    return ARRAY_PUSH(&f->blocked, mark, err);
}

/** Canonical order of what came since the last starter: a stable counting sort, since nothing
 *  bounds how many marks a hostile text piles on a letter. */
static bool order_pending(Former *f, Error *err)
{
    enum { N_CLASSES = 256 };
    size_t starts[N_CLASSES] = {0};
    Marks *p = &f->pending;
    if (!ARRAY_RESERVE(&f->ordered, p->n, err)) {
        return false;
    }
    for (size_t i = 0; i < p->n; i++) {
        starts[p->items[i].class & (N_CLASSES - 1)]++;
    }
    size_t sum = 0;
    for (size_t k = 0; k < N_CLASSES; k++) {
        size_t n = starts[k];
        starts[k] = sum;
        sum += n;
    }
    for (size_t i = 0; i < p->n; i++) {
        f->ordered.items[starts[p->items[i].class & (N_CLASSES - 1)]++] = p->items[i];
    }
    memcpy(p->items, f->ordered.items, p->n * sizeof *p->items);
    return true;
}

static bool flush_pending(Former *f, Error *err)
{
    Marks *p = &f->pending;
    if (p->n > 1 && !order_pending(f, err)) {
        return false;
    }
    for (size_t i = 0; i < p->n; i++) {
        if (!take(f, p->items[i], err)) {
            return false;
        }
    }
    p->n = 0;
    return true;
}

static bool decompose(Former *f, uint32_t c, Error *err)
{
    utf8proc_int32_t parts[32] = {(utf8proc_int32_t)c};
    utf8proc_ssize_t n = 1;
    if (c >= 0xA0 && !IS_IN(UNDECOMPOSED, c)) {
        int boundary = 0;
        n = utf8proc_decompose_char((utf8proc_int32_t)c, parts, AS_COUNT(parts), f->options,
                                    &boundary);
    }
    if (n < 1 || n > (utf8proc_ssize_t)AS_COUNT(parts)) {
        return error_set(err, ERR_INTERNAL, "U+%04X could not be decomposed", c);
    }
    for (utf8proc_ssize_t i = 0; i < n; i++) {
        Mark mark = {.code_point = (uint32_t)parts[i],
                     .change = i > 0,
                     .class = combining_class((uint32_t)parts[i])};
        if (mark.class == 0) {
            if (!flush_pending(f, err) || !take(f, mark, err)) {
                return false;
            }
        } else if (!ARRAY_PUSH(&f->pending, mark, err)) {
            return false;
        }
    }
    return true;
}

bool unicode_normalize(const Aligned *in, NormalForm form, Aligned *out, Error *err)
{
    bool compat = form == FORM_NFKC || form == FORM_NFKD;
    Former f = {.rewrite = {.in = in, .out = out},
                .composes = form == FORM_NFC || form == FORM_NFKC,
                .options = (utf8proc_option_t)(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE |
                                               (compat ? UTF8PROC_COMPAT : 0)),
                .last_class = -1};
    bool ok = true;
    for (size_t at = 0; at < in->n && ok;) {
        uint32_t c;
        at += utf8_decode(in->text + at, in->n - at, &c);
        ok = decompose(&f, c, err);
    }
    ok = ok && flush_pending(&f, err) && flush_composee(&f, err);
    ARRAY_FREE(&f.pending);
    ARRAY_FREE(&f.ordered);
    ARRAY_FREE(&f.blocked);
    return ok;
}

uint32_t unicode_script(uint32_t c)
{
    size_t first = 0;
    size_t end = AS_COUNT(SCRIPTS);
    while (first < end) {
        const size_t middle = first + (end - first) / 2;
        if (c > SCRIPTS[middle].last) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first < AS_COUNT(SCRIPTS) && c >= SCRIPTS[first].first ? SCRIPTS[first].script : 0;
}
