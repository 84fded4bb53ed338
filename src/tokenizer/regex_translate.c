#include "tokenizer/regex.h"

#include <string.h>

#include "tokenizer/clip.h"

/*
 * What Oniguruma means by its shorthands, as items of a PCRE2 set. PCRE2's own \s also takes
 * U+180E, its \w has no marks, and its \h is something else.
 * Source: github.com/kkos/oniguruma doc/RE, doc/SYNTAX.md; pcre2pattern(3).
 */
#define SPACE_ITEMS "\\x{9}-\\x{d}\\x{85}\\p{Z}"
#define WORD_ITEMS  "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
#define HEX_ITEMS   "0-9a-fA-F"
/* Outside sets it takes the superscripts and fractions of Latin-1 for word characters too. */
#define LONE_WORD WORD_ITEMS "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}"
#define WORD      "[" LONE_WORD "]"

enum { DEEPEST_SET = 16 };

typedef struct Translator {
    const char *pattern;
    size_t n;
    size_t at;
    StrBuf *out;
    Error *err;
} Translator;

static bool fail(Translator *t, const char *what)
{
    return error_set(t->err, ERR_UNSUPPORTED,
                     "the regular expression \"%.*s\" has %s at byte %zu, which is not known here",
                     clip_text(t->pattern, t->n), t->pattern, what, t->at);
}

static bool puts_out(Translator *t, StrBuf *out, const char *text)
{
    return strbuf_puts(out, text, t->err);
}

static bool copy_bytes(Translator *t, StrBuf *out, size_t n)
{
    n = AS_MIN(n, t->n - t->at);
    bool ok = strbuf_add(out, t->pattern + t->at, n, t->err);
    t->at += n;
    return ok;
}

static char peek(const Translator *t, size_t ahead)
{
    return ahead < t->n - t->at ? t->pattern[t->at + ahead] : 0;
}

static bool looking_at(const Translator *t, const char *text)
{
    size_t n = strlen(text);
    return n <= t->n - t->at && memcmp(t->pattern + t->at, text, n) == 0;
}

/** Copies the escape at `at` as it stands, with the braces of \p{…} and \x{…}. */
static bool copy_escape(Translator *t, StrBuf *out)
{
    uint32_t c;
    size_t n = 1 + utf8_decode(t->pattern + t->at + 1, t->n - t->at - 1, &c);
    char letter = peek(t, 1);
    if (letter && strchr("pPxo", letter) && peek(t, 2) == '{') {
        const char *close = memchr(t->pattern + t->at, '}', t->n - t->at);
        if (!close) {
            return fail(t, "an open brace");
        }
        n = (size_t)(close - t->pattern) - t->at + 1;
    }
    return copy_bytes(t, out, n);
}

/** \uHHHH, \v, \Q and \E, which both kinds of places share. False in *done: none of these. */
static bool shared_escape(Translator *t, StrBuf *out, bool *done)
{
    char letter = peek(t, 1);
    *done = true;
    switch (letter) {
    case 'u':
        for (size_t i = 2; i < 6; i++) {
            if (!peek(t, i) || !strchr("0123456789abcdefABCDEF", peek(t, i))) {
                return fail(t, "a \\u without four digits");
            }
        }
        if (!strbuf_printf(out, t->err, "\\x{%.4s}", t->pattern + t->at + 2)) {
            return false;
        }
        t->at += 6;
        return true;
    case 'v':
        t->at += 2;
        return puts_out(t, out, "\\x{b}");
    case 'd':
        t->at += 2;
        return puts_out(t, out, "\\p{Nd}");
    case 'D':
        t->at += 2;
        return puts_out(t, out, "\\P{Nd}");
    case 'Q':
    case 'E':
        t->at += 2;
        return strbuf_add(out, &letter, 1, t->err);
    case 0:
        return fail(t, "a backslash before its end");
    default:
        *done = false;
        return true;
    }
}

/** One side of an intersection: items that fit a PCRE2 set, and atoms that do not. */
typedef struct Operand {
    StrBuf items;
    StrBuf atoms; /* "|atom|atom" */
} Operand;

static bool write_operand(Translator *t, const Operand *o, StrBuf *out)
{
    if (o->items.n == 0 && o->atoms.n == 0) {
        return puts_out(t, out, "(?!)");
    }
    if (o->atoms.n == 0) {
        return strbuf_printf(out, t->err, "[%s]", strbuf_text(&o->items));
    }
    if (o->items.n == 0) {
        return strbuf_printf(out, t->err, "(?:%s)", strbuf_text(&o->atoms) + 1);
    }
    return strbuf_printf(out, t->err, "(?:[%s]%s)", strbuf_text(&o->items), strbuf_text(&o->atoms));
}

static bool set_escape(Translator *t, Operand *o)
{
    static const struct {
        char letter;
        const char *items;
        const char *atom;
    } shorthands[] = {{'s', SPACE_ITEMS, NULL}, {'S', NULL, "|[^" SPACE_ITEMS "]"},
                      {'w', WORD_ITEMS, NULL},  {'W', NULL, "|[^" WORD_ITEMS "]"},
                      {'h', HEX_ITEMS, NULL},   {'H', NULL, "|[^" HEX_ITEMS "]"}};
    for (size_t i = 0; i < AS_COUNT(shorthands); i++) {
        if (peek(t, 1) == shorthands[i].letter) {
            t->at += 2;
            return shorthands[i].items ? puts_out(t, &o->items, shorthands[i].items)
                                       : puts_out(t, &o->atoms, shorthands[i].atom);
        }
    }
    bool done;
    if (!shared_escape(t, &o->items, &done)) {
        return false;
    }
    return done || copy_escape(t, &o->items);
}

static bool translate_set(Translator *t, int depth, StrBuf *out);

static bool set_item(Translator *t, int depth, Operand *o)
{
    char c = peek(t, 0);
    if (c == '\\') {
        return set_escape(t, o);
    }
    if (c != '[') {
        return copy_bytes(t, &o->items, 1);
    }
    if (peek(t, 1) == ':') {
        for (size_t i = 2; peek(t, i); i++) {
            if (peek(t, i) == ':' && peek(t, i + 1) == ']') {
                return copy_bytes(t, &o->items, i + 2);
            }
        }
    }
    return puts_out(t, &o->atoms, "|") && translate_set(t, depth + 1, &o->atoms);
}

/** The items up to the closing bracket; each finished side of && goes to `sides`. */
static bool set_items(Translator *t, int depth, Operand *o, StrBuf *sides)
{
    bool is_first = true;
    while (t->at < t->n) {
        if (peek(t, 0) == ']' && !is_first) {
            t->at++;
            return true;
        }
        bool ok;
        if (peek(t, 0) == ']') {
            t->at++;
            ok = puts_out(t, &o->items, "\\]");
        } else if (looking_at(t, "&&")) {
            t->at += 2;
            ok = puts_out(t, sides, "(?=") && write_operand(t, o, sides) && puts_out(t, sides, ")");
            strbuf_clear(&o->items);
            strbuf_clear(&o->atoms);
        } else {
            ok = set_item(t, depth, o);
        }
        if (!ok) {
            return false;
        }
        is_first = false;
    }
    return fail(t, "an open bracket");
}

/** [ … ] at `at`, as something that matches one character. */
static bool translate_set(Translator *t, int depth, StrBuf *out)
{
    if (depth > DEEPEST_SET) {
        return fail(t, "sets nested too deep");
    }
    t->at++;
    bool is_complement = peek(t, 0) == '^';
    t->at += is_complement;
    Operand o = {0};
    StrBuf sides = {0};
    bool ok = set_items(t, depth, &o, &sides);
    if (ok && is_complement && sides.n == 0 && o.atoms.n == 0 && o.items.n) {
        ok = strbuf_printf(out, t->err, "[^%s]", strbuf_text(&o.items));
    } else if (ok && !is_complement && sides.n == 0) {
        ok = write_operand(t, &o, out);
    } else if (ok) {
        ok = puts_out(t, out, is_complement ? "(?:(?!" : "(?:") &&
             puts_out(t, out, strbuf_text(&sides)) && write_operand(t, &o, out) &&
             puts_out(t, out, is_complement ? ")(?s:.))" : ")");
    }
    strbuf_free(&o.items);
    strbuf_free(&o.atoms);
    strbuf_free(&sides);
    return ok;
}

static bool translate_escape(Translator *t)
{
    static const struct {
        char letter;
        const char *text;
    } shorthands[] = {
        {'s', "[" SPACE_ITEMS "]"},
        {'S', "[^" SPACE_ITEMS "]"},
        {'w', WORD},
        {'W', "[^" LONE_WORD "]"},
        {'h', "[" HEX_ITEMS "]"},
        {'H', "[^" HEX_ITEMS "]"},
        {'b', "(?:(?<=" WORD ")(?!" WORD ")|(?<!" WORD ")(?=" WORD "))"},
        {'B', "(?:(?<=" WORD ")(?=" WORD ")|(?<!" WORD ")(?!" WORD "))"},
        {'O', "(?s:.)"},
    };
    for (size_t i = 0; i < AS_COUNT(shorthands); i++) {
        if (peek(t, 1) == shorthands[i].letter) {
            t->at += 2;
            return puts_out(t, t->out, shorthands[i].text);
        }
    }
    if (peek(t, 1) == 'y' || peek(t, 1) == 'Y') {
        return fail(t, "a text segment boundary");
    }
    bool done;
    if (!shared_escape(t, t->out, &done)) {
        return false;
    }
    return done || copy_escape(t, t->out);
}

/** "(?imx-imx" and the colon or bracket behind; other groups as they stand. */
static bool translate_group(Translator *t)
{
    size_t i = 2;
    while (peek(t, i) && strchr("imx-", peek(t, i))) {
        i++;
    }
    if (i == 2 || (peek(t, i) != ':' && peek(t, i) != ')')) {
        return copy_bytes(t, t->out, 2);
    }
    for (size_t k = 0; k <= i; k++) {
        char c = peek(t, k);
        c = c == 'm' ? 's' : c; /* Ruby's m lets the dot match a line's end */
        if (!strbuf_add(t->out, &c, 1, t->err)) {
            return false;
        }
    }
    t->at += i + 1;
    return true;
}

/** {n,m} and what else starts with a brace. */
static bool translate_brace(Translator *t)
{
    size_t i = 1;
    while (peek(t, i) && strchr("0123456789,", peek(t, i))) {
        i++;
    }
    if (i == 1 || peek(t, i) != '}') {
        return copy_bytes(t, t->out, 1);
    }
    if (peek(t, i + 1) == '+') {
        return fail(t, "a repeated {n,m}"); /* possessive in PCRE2, a repetition in Ruby */
    }
    if (peek(t, 1) == ',' && i > 2) {
        t->at++;
        return puts_out(t, t->out, "{0") && copy_bytes(t, t->out, i);
    }
    return copy_bytes(t, t->out, i + 1);
}

bool regex_translate(const char *pattern, size_t n, StrBuf *out, Error *err)
{
    Translator t = {.pattern = pattern, .n = n, .out = out, .err = err};
    bool ok = true;
    while (t.at < n && ok) {
        switch (pattern[t.at]) {
        case '\\':
            ok = translate_escape(&t);
            break;
        case '[':
            ok = translate_set(&t, 0, out);
            break;
        case '{':
            ok = translate_brace(&t);
            break;
        case '(':
            ok = peek(&t, 1) == '?' ? translate_group(&t) : copy_bytes(&t, out, 1);
            break;
        default:
            ok = copy_bytes(&t, out, 1);
        }
    }
    return ok;
}
