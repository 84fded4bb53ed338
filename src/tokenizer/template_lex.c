#include "tokenizer/template.h"

#include <string.h>

typedef struct Lexer {
    Arena *arena;
    Error *err;
    const char *text;
    size_t n;
    size_t at;
    int line;
    bool line_starts; /* what was consumed last ended a line */
    ARRAY_OF(TemplateToken) tokens;
} Lexer;

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_name(char c, bool is_first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!is_first && c >= '0' && c <= '9');
}

static bool fail(Lexer *lx, const char *what)
{
    return error_set(lx->err, ERR_FORMAT, "line %d: %s", lx->line, what);
}

static bool push(Lexer *lx, TemplateTokenKind kind, const char *text, size_t n)
{
    TemplateToken token = {.kind = kind, .text = text, .n = n, .line = lx->line};
    return ARRAY_PUSH(&lx->tokens, token, lx->err);
}

static void advance(Lexer *lx, size_t to)
{
    for (; lx->at < to; lx->at++) {
        lx->line += lx->text[lx->at] == '\n';
    }
}

static bool starts(const Lexer *lx, size_t at, const char *text)
{
    size_t n = strlen(text);
    return lx->n - at >= n && memcmp(lx->text + at, text, n) == 0;
}

/** Line ends become \n, and one at the very end vanishes. */
static bool tidy_lines(Lexer *lx)
{
    char *copy = arena_alloc(lx->arena, lx->n + 1, lx->err);
    if (!copy) {
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < lx->n; i++) {
        bool is_return = lx->text[i] == '\r';
        copy[n++] = is_return ? '\n' : lx->text[i];
        i += is_return && i + 1 < lx->n && lx->text[i + 1] == '\n';
    }
    lx->text = copy;
    lx->n = n - (n > 0 && copy[n - 1] == '\n');
    return true;
}

/** The text before a tag, cut as the tag's sign and kind ask. */
static bool push_text(Lexer *lx, size_t begin, size_t end, char sign, bool is_expression)
{
    if (sign == '-') {
        while (end > begin && is_space(lx->text[end - 1])) {
            end--;
        }
    } else if (sign != '+' && !is_expression) {
        size_t line = end;
        while (line > begin && lx->text[line - 1] != '\n' && is_space(lx->text[line - 1])) {
            line--;
        }
        bool is_line = line > begin ? lx->text[line - 1] == '\n' : lx->line_starts;
        end = is_line ? line : end;
    }
    return begin == end || push(lx, TOKEN_TEXT, lx->text + begin, end - begin);
}

/** Behind a tag that closed with `sign`. */
static void after_tag(Lexer *lx, char sign, bool is_expression)
{
    size_t at = lx->at;
    if (sign == '-') {
        while (at < lx->n && is_space(lx->text[at])) {
            at++;
        }
    } else if (sign != '+' && !is_expression && at < lx->n && lx->text[at] == '\n') {
        at++;
    }
    lx->line_starts = at > 0 && lx->text[at - 1] == '\n';
    advance(lx, at);
}

static bool lex_string(Lexer *lx)
{
    static const char plain[] = "n\nt\tr\rb\bf\fv\va\a\\\\''\"\"";
    char quote = lx->text[lx->at];
    char *out = arena_alloc(lx->arena, 1, lx->err);
    size_t end = lx->at + 1;
    while (end < lx->n && lx->text[end] != quote) {
        end += lx->text[end] == '\\' ? 2 : 1;
    }
    if (end >= lx->n) {
        return fail(lx, "a text that does not end");
    }
    out = out ? arena_alloc(lx->arena, end - lx->at, lx->err) : NULL;
    if (!out) {
        return false;
    }
    size_t n = 0;
    for (size_t i = lx->at + 1; i < end; i++) {
        const char *pair = NULL;
        if (lx->text[i] == '\\') {
            for (const char *p = plain; *p && !pair; p += 2) {
                pair = *p == lx->text[i + 1] ? p : NULL;
            }
        }
        uint32_t code = 0;
        int digits = lx->text[i] != '\\'      ? 0
                     : lx->text[i + 1] == 'u' ? 4
                     : lx->text[i + 1] == 'x' ? 2
                     : lx->text[i + 1] == 'U' ? 8
                                              : 0;
        size_t k = i + 2;
        for (; digits && k < end && k < i + 2 + (size_t)digits; k++) {
            const char *hex = "0123456789abcdef";
            const char *hit = strchr(hex, lx->text[k] | 32);
            if (!hit || !lx->text[k]) {
                break;
            }
            code = code << 4 | (uint32_t)(hit - hex);
        }
        if (digits && k == i + 2 + (size_t)digits) {
            /* Two to eight digits make at most four bytes: never more than was there. */
            n += utf8_encode(code, out + n);
            i = k - 1;
        } else if (pair) {
            out[n++] = pair[1];
            i++;
        } else {
            out[n++] = lx->text[i];
        }
    }
    bool ok = push(lx, TOKEN_STRING, out, n);
    advance(lx, end + 1);
    return ok;
}

static size_t skip_digits(const Lexer *lx, size_t at)
{
    while (at < lx->n && ((lx->text[at] >= '0' && lx->text[at] <= '9') || lx->text[at] == '_')) {
        at++;
    }
    return at;
}

static bool lex_number(Lexer *lx)
{
    size_t end = skip_digits(lx, lx->at);
    bool is_float = false;
    if (end < lx->n && lx->text[end] == '.' && skip_digits(lx, end + 1) > end + 1) {
        is_float = true;
        end = skip_digits(lx, end + 1);
    }
    if (end < lx->n && (lx->text[end] | 32) == 'e') {
        bool has_sign = end + 1 < lx->n && strchr("+-", lx->text[end + 1]) && lx->text[end + 1];
        size_t digits = end + 1 + has_sign;
        if (skip_digits(lx, digits) > digits) {
            is_float = true;
            end = skip_digits(lx, digits);
        }
    }
    bool ok = end - lx->at < 64 || fail(lx, "a number of too many digits");
    ok = ok && push(lx, is_float ? TOKEN_FLOAT : TOKEN_INT, lx->text + lx->at, end - lx->at);
    advance(lx, end);
    return ok;
}

/** The tokens of a tag, up to and with its end. */
static bool lex_tag(Lexer *lx, const char *closing, bool is_expression)
{
    static const char *const two[] = {"==", "!=", ">=", "<=", "**", "//"};
    int nested = 0;
    while (lx->at < lx->n) {
        char c = lx->text[lx->at];
        bool has_sign = (c == '-' || c == '+') && starts(lx, lx->at + 1, closing);
        if (nested == 0 && (has_sign || starts(lx, lx->at, closing))) {
            bool ok = push(lx, TOKEN_CLOSE, closing, 2);
            advance(lx, lx->at + 2 + has_sign);
            after_tag(lx, has_sign ? c : 0, is_expression);
            return ok;
        }
        bool ok = true;
        if (is_space(c)) {
            advance(lx, lx->at + 1);
        } else if (is_name(c, true)) {
            size_t end = lx->at;
            while (end < lx->n && is_name(lx->text[end], false)) {
                end++;
            }
            ok = push(lx, TOKEN_NAME, lx->text + lx->at, end - lx->at);
            advance(lx, end);
        } else if (c == '"' || c == '\'') {
            ok = lex_string(lx);
        } else if (c >= '0' && c <= '9') {
            ok = lex_number(lx);
        } else if (strchr("+-*/%~()[]{}.,:|=<>!", c) && c) {
            size_t n = 1;
            for (size_t i = 0; i < AS_COUNT(two); i++) {
                n = starts(lx, lx->at, two[i]) ? 2 : n;
            }
            nested += strchr("([{", c) != NULL;
            nested -= strchr(")]}", c) != NULL;
            ok = nested >= 0 || fail(lx, "a bracket that closes nothing");
            ok = ok && push(lx, TOKEN_OPERATOR, lx->text + lx->at, n);
            advance(lx, lx->at + n);
        } else {
            ok = fail(lx, "a character that has no meaning there");
        }
        if (!ok) {
            return false;
        }
    }
    return fail(lx, is_expression ? "a {{ without }}" : "a {% without %}");
}

static bool lex_comment(Lexer *lx)
{
    size_t end = lx->at;
    while (end < lx->n && !starts(lx, end, "#}")) {
        end++;
    }
    if (end >= lx->n) {
        return fail(lx, "a {# without #}");
    }
    char sign = end > lx->at ? lx->text[end - 1] : 0;
    advance(lx, end + 2);
    after_tag(lx, sign == '-' || sign == '+' ? sign : 0, false);
    return true;
}

static bool lex_all(Lexer *lx)
{
    size_t begin = 0;
    while (lx->at < lx->n) {
        char kind = lx->text[lx->at] == '{' && lx->at + 1 < lx->n ? lx->text[lx->at + 1] : 0;
        if (kind != '{' && kind != '%' && kind != '#') {
            advance(lx, lx->at + 1);
            continue;
        }
        char sign = lx->at + 2 < lx->n ? lx->text[lx->at + 2] : 0;
        bool has_sign = sign == '-' || (sign == '+' && kind != '{');
        if (!push_text(lx, begin, lx->at, has_sign ? sign : 0, kind == '{')) {
            return false;
        }
        advance(lx, lx->at + 2 + has_sign);
        bool ok = kind == '#' ? lex_comment(lx)
                              : push(lx, kind == '{' ? TOKEN_EXPRESSION : TOKEN_STATEMENT, "", 0) &&
                                    lex_tag(lx, kind == '{' ? "}}" : "%}", kind == '{');
        if (!ok) {
            return false;
        }
        begin = lx->at;
    }
    return (begin == lx->n || push(lx, TOKEN_TEXT, lx->text + begin, lx->n - begin)) &&
           push(lx, TOKEN_END, "", 0);
}

bool template_lex(Arena *arena, const char *text, size_t n, TemplateTokens *tokens, Error *err)
{
    Lexer lx = {.arena = arena, .err = err, .text = text, .n = n, .line = 1, .line_starts = true};
    bool ok = tidy_lines(&lx) && lex_all(&lx);
    tokens->n = lx.tokens.n;
    tokens->items = ok ? ARENA_ARRAY(arena, TemplateToken, lx.tokens.n, err) : NULL;
    if (tokens->items) {
        memcpy(tokens->items, lx.tokens.items, lx.tokens.n * sizeof *lx.tokens.items);
    }
    ARRAY_FREE(&lx.tokens);
    return tokens->items != NULL;
}
