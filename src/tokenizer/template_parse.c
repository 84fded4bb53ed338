#include "tokenizer/template.h"

#include "tokenizer/clip.h"
#include "tokenizer/template_parser.h"

#include <string.h>

enum { LARGEST_TEMPLATE = 1 << 18 };

/* ---- steps that expressions and statements share ---- */

bool parser_fail(const TemplateParser *p, const char *expected)
{
    const TemplateToken *t = p->at;
    return error_set(p->err, ERR_FORMAT, "line %d: %s expected, \"%.*s\" found", t->line, expected,
                     clip_text(t->text, t->n), t->kind == TOKEN_END ? "the end" : t->text);
}

TemplateNode *parser_make(const TemplateParser *p, TemplateNodeKind kind)
{
    TemplateNode *node = ARENA_NEW(p->arena, TemplateNode, p->err);
    if (node) {
        node->kind = kind;
        node->line = p->at->line;
        node->name = "";
    }
    return node;
}

/** Moves a list into the arena and frees it. */
bool parser_keep(const TemplateParser *p, TemplateNodeList *list, TemplateNodes *out, bool ok)
{
    out->n = list->n;
    out->items = ok ? ARENA_ARRAY(p->arena, TemplateNode *, list->n, p->err) : NULL;
    if (out->items && list->n) {
        memcpy(out->items, list->items, list->n * sizeof(TemplateNode *));
    }
    ARRAY_FREE(list);
    return out->items != NULL;
}

static bool is_token(const TemplateParser *p, TemplateTokenKind kind, const char *text)
{
    return p->at->kind == kind && p->at->n == strlen(text) &&
           memcmp(p->at->text, text, p->at->n) == 0;
}

bool parser_is_operator(const TemplateParser *p, const char *text)
{
    return is_token(p, TOKEN_OPERATOR, text);
}

bool parser_is_word(const TemplateParser *p, const char *text)
{
    return is_token(p, TOKEN_NAME, text);
}

/** Steps over a token where it is there. */
bool parser_take(TemplateParser *p, TemplateTokenKind kind, const char *text)
{
    bool is = is_token(p, kind, text);
    p->at += is;
    return is;
}

bool parser_expect(TemplateParser *p, const char *text)
{
    return parser_take(p, TOKEN_OPERATOR, text) || parser_fail(p, text);
}

/** The name at this place, copied. */
const char *parser_take_name(TemplateParser *p)
{
    if (p->at->kind != TOKEN_NAME) {
        parser_fail(p, "a name");
        return NULL;
    }
    const TemplateToken *t = p->at++;
    return arena_strndup(p->arena, t->text, t->n, p->err);
}

TemplateNode *parser_named(TemplateParser *p, TemplateNodeKind kind, TemplateNode *a)
{
    TemplateNode *node = a || kind == NODE_NAME ? parser_make(p, kind) : NULL;
    const char *name = node ? parser_take_name(p) : NULL;
    if (!name) {
        return NULL;
    }
    node->name = name;
    node->a = a;
    return node;
}

bool parser_descend(TemplateParser *p)
{
    if (p->depth >= TEMPLATE_DEEPEST) {
        return error_set(p->err, ERR_RANGE, "line %d: nested more than %d deep", p->at->line,
                         TEMPLATE_DEEPEST);
    }
    p->depth++;
    return true;
}

static bool expect_close(TemplateParser *p)
{
    if (p->at->kind != TOKEN_CLOSE) {
        return parser_fail(p, "the end of the tag");
    }
    p->at++;
    return true;
}

/* ---- statements ---- */

static bool parse_body(TemplateParser *p, const char *const *ends, TemplateNodes *out);

/** name or name, name … */
static bool parse_names(TemplateParser *p, TemplateNodes *out)
{
    TemplateNodeList list = {0};
    bool ok = true;
    do {
        TemplateNode *name = parser_named(p, NODE_NAME, NULL);
        ok = name && ARRAY_PUSH(&list, name, p->err);
    } while (ok && parser_take(p, TOKEN_OPERATOR, ","));
    return parser_keep(p, &list, out, ok);
}

static bool parse_if(TemplateParser *p, TemplateNode *node)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    static const char *const last[] = {"endif", NULL};
    node->a = parser_expression(p);
    if (!node->a || !expect_close(p) || !parse_body(p, ends, &node->body)) {
        return false;
    }
    if (parser_take(p, TOKEN_NAME, "endif")) {
        return expect_close(p);
    }
    if (parser_take(p, TOKEN_NAME, "else")) {
        return expect_close(p) && parse_body(p, last, &node->otherwise) &&
               parser_take(p, TOKEN_NAME, "endif") && expect_close(p);
    }
    p->at++;
    if (!parser_descend(p)) {
        return false;
    }
    TemplateNode *rest = parser_make(p, NODE_IF);
    TemplateNodeList list = {0};
    bool ok = rest && parse_if(p, rest) && ARRAY_PUSH(&list, rest, p->err);
    p->depth--;
    return parser_keep(p, &list, &node->otherwise, ok);
}

static bool parse_for(TemplateParser *p, TemplateNode *node)
{
    static const char *const ends[] = {"else", "endfor", NULL};
    static const char *const last[] = {"endfor", NULL};
    if (!parse_names(p, &node->names)) {
        return false;
    }
    if (!parser_take(p, TOKEN_NAME, "in")) {
        return parser_fail(p, "in");
    }
    /* The condition behind "if" belongs to the loop, not to a choice. */
    node->a = parser_or(p);
    if (node->a && parser_take(p, TOKEN_NAME, "if")) {
        node->b = parser_expression(p);
        node->a = node->b ? node->a : NULL;
    }
    p->loops++;
    bool ok = node->a && expect_close(p) && parse_body(p, ends, &node->body);
    p->loops--;
    if (ok && parser_take(p, TOKEN_NAME, "else")) {
        ok = expect_close(p) && parse_body(p, last, &node->otherwise);
    }
    return ok && parser_take(p, TOKEN_NAME, "endfor") && expect_close(p);
}

static bool parse_set(TemplateParser *p, TemplateNode *node)
{
    static const char *const ends[] = {"endset", NULL};
    node->a = parser_named(p, NODE_NAME, NULL);
    if (node->a && parser_take(p, TOKEN_OPERATOR, ".")) {
        node->a = parser_named(p, NODE_ATTRIBUTE, node->a);
    }
    if (!node->a) {
        return false;
    }
    if (parser_take(p, TOKEN_OPERATOR, "=")) {
        node->b = parser_expression(p);
        return node->b && expect_close(p);
    }
    return expect_close(p) && parse_body(p, ends, &node->body) &&
           parser_take(p, TOKEN_NAME, "endset") && expect_close(p);
}

static bool parse_macro(TemplateParser *p, TemplateNode *node)
{
    static const char *const ends[] = {"endmacro", NULL};
    TemplateNodeList names = {0};
    TemplateNodeList defaults = {0};
    node->name = parser_take_name(p);
    bool ok = node->name && parser_expect(p, "(");
    while (ok && !parser_take(p, TOKEN_OPERATOR, ")")) {
        TemplateNode *name = parser_named(p, NODE_NAME, NULL);
        ok = name && ARRAY_PUSH(&names, name, p->err);
        if (ok && parser_take(p, TOKEN_OPERATOR, "=")) {
            TemplateNode *value = parser_expression(p);
            ok = value && ARRAY_PUSH(&defaults, value, p->err);
        } else if (ok && defaults.n) {
            ok = parser_fail(p, "=");
        }
        ok = ok && (parser_take(p, TOKEN_OPERATOR, ",") || parser_is_operator(p, ")") ||
                    parser_fail(p, ")"));
    }
    ok = parser_keep(p, &names, &node->names, ok);
    ok = parser_keep(p, &defaults, &node->args, ok) && expect_close(p);
    int loops = p->loops;
    p->loops = 0;
    ok = ok && parse_body(p, ends, &node->body) && parser_take(p, TOKEN_NAME, "endmacro") &&
         expect_close(p);
    p->loops = loops;
    return ok;
}

/** transformers marks what an assistant says so; the text is what it would be without. */
static bool parse_generation(TemplateParser *p, TemplateNode *node)
{
    static const char *const ends[] = {"endgeneration", NULL};
    return expect_close(p) && parse_body(p, ends, &node->body) &&
           parser_take(p, TOKEN_NAME, "endgeneration") && expect_close(p);
}

static bool parse_leave(TemplateParser *p, TemplateNode *node)
{
    (void)node;
    return (p->loops > 0 || parser_fail(p, "a loop around break and continue")) && expect_close(p);
}

static TemplateNode *parse_statement(TemplateParser *p)
{
    static const struct {
        const char *name;
        TemplateNodeKind kind;
        bool (*parse)(TemplateParser *p, TemplateNode *node);
    } statements[] = {{"if", NODE_IF, parse_if},
                      {"for", NODE_FOR, parse_for},
                      {"set", NODE_SET, parse_set},
                      {"macro", NODE_MACRO, parse_macro},
                      {"break", NODE_BREAK, parse_leave},
                      {"continue", NODE_CONTINUE, parse_leave},
                      {"generation", NODE_BLOCK, parse_generation}};
    for (size_t i = 0; i < AS_COUNT(statements); i++) {
        if (parser_is_word(p, statements[i].name)) {
            TemplateNode *node = parser_make(p, statements[i].kind);
            p->at++;
            return node && statements[i].parse(p, node) ? node : NULL;
        }
    }
    parser_fail(p, "if, for, set, macro, break or continue");
    return NULL;
}

static TemplateNode *parse_piece(TemplateParser *p)
{
    const TemplateToken *t = p->at++;
    if (t->kind == TOKEN_TEXT) {
        TemplateNode *node = parser_make(p, NODE_TEXT);
        if (node) {
            node->value = value_text(t->text, t->n);
        }
        return node;
    }
    if (t->kind == TOKEN_EXPRESSION) {
        TemplateNode *node = parser_make(p, NODE_OUTPUT);
        return node && (node->a = parser_expression(p)) && expect_close(p) ? node : NULL;
    }
    return parse_statement(p);
}

/** Pieces up to a statement that begins with one of `ends`, whose name is the next token; without
 *  ends, up to the end of the template. */
static bool parse_body(TemplateParser *p, const char *const *ends, TemplateNodes *out)
{
    TemplateNodeList list = {0};
    if (!parser_descend(p)) {
        return false;
    }
    bool ok = true;
    for (bool ended = false; ok && !ended;) {
        if (p->at->kind == TOKEN_END) {
            ok = !ends || parser_fail(p, ends[0]);
            break;
        }
        for (size_t i = 0; ends && ends[i] && p->at->kind == TOKEN_STATEMENT && !ended; i++) {
            const TemplateToken *name = p->at + 1;
            ended = name->kind == TOKEN_NAME && name->n == strlen(ends[i]) &&
                    memcmp(name->text, ends[i], name->n) == 0;
        }
        if (ended) {
            p->at++;
        } else {
            TemplateNode *piece = parse_piece(p);
            ok = piece && ARRAY_PUSH(&list, piece, p->err);
        }
    }
    p->depth--;
    return parser_keep(p, &list, out, ok);
}

TemplateNode *template_parse(Arena *arena, const char *text, size_t n, Error *err)
{
    if (n > LARGEST_TEMPLATE) {
        error_set(err, ERR_RANGE, "%zu bytes; at most %d are read", n, LARGEST_TEMPLATE);
        return NULL;
    }
    TemplateTokens tokens;
    if (!template_lex(arena, text, n, &tokens, err)) {
        return NULL;
    }
    TemplateParser p = {.arena = arena, .err = err, .at = tokens.items};
    TemplateNode *tree = parser_make(&p, NODE_BLOCK);
    return tree && parse_body(&p, NULL, &tree->body) ? tree : NULL;
}
