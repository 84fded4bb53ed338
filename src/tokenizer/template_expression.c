#include "tokenizer/template_parser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static TemplateNode *make_two(const TemplateParser *p, TemplateNodeKind kind, TemplateNode *a,
                              TemplateNode *b)
{
    TemplateNode *node = a && b ? parser_make(p, kind) : NULL;
    if (node) {
        node->a = a;
        node->b = b;
    }
    return node;
}

static TemplateNode *parse_unary(TemplateParser *p, bool with_filters);

/** Expressions up to `closing`, which is stepped over; with_names: also name=value. */
static bool parse_arguments(TemplateParser *p, const char *closing, bool with_names,
                            TemplateNodes *out)
{
    TemplateNodeList list = {0};
    bool ok = true;
    while (ok && !parser_take(p, TOKEN_OPERATOR, closing)) {
        TemplateNode *node = parser_make(p, NODE_ARGUMENT);
        bool is_named = with_names && p->at->kind == TOKEN_NAME &&
                        p->at[1].kind == TOKEN_OPERATOR && p->at[1].n == 1 &&
                        p->at[1].text[0] == '=';
        if (node && is_named) {
            node->name = parser_take_name(p);
            p->at++;
        }
        ok = node && node->name && (node->a = parser_expression(p)) &&
             ARRAY_PUSH(&list, node, p->err) &&
             (parser_take(p, TOKEN_OPERATOR, ",") || parser_is_operator(p, closing) ||
              parser_fail(p, closing));
    }
    return parser_keep(p, &list, out, ok);
}

static TemplateNode *parse_dict(TemplateParser *p)
{
    TemplateNode *node = parser_make(p, NODE_DICT);
    TemplateNodeList list = {0};
    bool ok = node != NULL;
    while (ok && !parser_take(p, TOKEN_OPERATOR, "}")) {
        TemplateNode *key = parser_expression(p);
        TemplateNode *value = key && parser_expect(p, ":") ? parser_expression(p) : NULL;
        ok = value && ARRAY_PUSH(&list, key, p->err) && ARRAY_PUSH(&list, value, p->err) &&
             (parser_take(p, TOKEN_OPERATOR, ",") || parser_is_operator(p, "}") ||
              parser_fail(p, "}"));
    }
    return node && parser_keep(p, &list, &node->args, ok) ? node : NULL;
}

/** Behind "(": one expression, or several with commas, which make a list. */
static TemplateNode *parse_parentheses(TemplateParser *p)
{
    if (parser_is_operator(p, ")")) {
        TemplateNode *empty = parser_make(p, NODE_LIST);
        if (empty) {
            empty->name = "(";
        }
        return empty && parse_arguments(p, ")", false, &empty->args) ? empty : NULL;
    }
    TemplateNode *first = parser_expression(p);
    if (!first || parser_is_operator(p, ")")) {
        return first && parser_expect(p, ")") ? first : NULL;
    }
    TemplateNode *node = parser_make(p, NODE_LIST);
    TemplateNodes rest;
    if (!node || !parser_expect(p, ",") || !parse_arguments(p, ")", false, &rest)) {
        return NULL;
    }
    TemplateNode *head = parser_make(p, NODE_ARGUMENT);
    node->args.n = rest.n + 1;
    node->args.items = head ? ARENA_ARRAY(p->arena, TemplateNode *, rest.n + 1, p->err) : NULL;
    if (!node->args.items) {
        return NULL;
    }
    head->a = first;
    node->name = "(";
    node->args.items[0] = head;
    for (size_t i = 0; i < rest.n; i++) {
        node->args.items[i + 1] = rest.items[i];
    }
    return node;
}

static TemplateNode *parse_number(TemplateParser *p)
{
    TemplateNode *node = parser_make(p, NODE_CONSTANT);
    char digits[64];
    size_t n = 0;
    for (size_t i = 0; i < p->at->n; i++) {
        if (p->at->text[i] != '_') {
            digits[n++] = p->at->text[i];
        }
    }
    digits[n] = '\0';
    if (!node) {
        return NULL;
    }
    errno = 0;
    if (p->at->kind == TOKEN_INT) {
        node->value = value_int(strtoll(digits, NULL, 10));
    } else {
        node->value = (Value){.kind = VALUE_FLOAT, .number = strtod(digits, NULL)};
    }
    if (errno) {
        parser_fail(p, "a smaller number");
        return NULL;
    }
    p->at++;
    return node;
}

/** Neighbouring texts are one. */
static TemplateNode *parse_text(TemplateParser *p)
{
    TemplateNode *node = parser_make(p, NODE_CONSTANT);
    StrBuf all = {0};
    bool ok = node != NULL;
    for (; ok && p->at->kind == TOKEN_STRING; p->at++) {
        ok = strbuf_add(&all, p->at->text, p->at->n, p->err);
    }
    char *text = ok ? arena_strndup(p->arena, strbuf_text(&all), all.n, p->err) : NULL;
    if (text) {
        node->value = value_text(text, all.n);
    }
    strbuf_free(&all);
    return text ? node : NULL;
}

static TemplateNode *parse_word(TemplateParser *p)
{
    static const struct {
        const char *name;
        Value value;
    } constants[] = {{"true", {.kind = VALUE_BOOL, .truth = true}},
                     {"True", {.kind = VALUE_BOOL, .truth = true}},
                     {"false", {.kind = VALUE_BOOL}},
                     {"False", {.kind = VALUE_BOOL}},
                     {"none", {.kind = VALUE_NONE}},
                     {"None", {.kind = VALUE_NONE}}};
    for (size_t i = 0; i < AS_COUNT(constants); i++) {
        if (parser_is_word(p, constants[i].name)) {
            TemplateNode *node = parser_make(p, NODE_CONSTANT);
            if (node) {
                node->value = constants[i].value;
                p->at++;
            }
            return node;
        }
    }
    return parser_named(p, NODE_NAME, NULL);
}

static TemplateNode *parse_primary(TemplateParser *p)
{
    switch (p->at->kind) {
    case TOKEN_INT:
    case TOKEN_FLOAT:
        return parse_number(p);
    case TOKEN_STRING:
        return parse_text(p);
    case TOKEN_NAME:
        return parse_word(p);
    default:
        break;
    }
    if (parser_take(p, TOKEN_OPERATOR, "(")) {
        return parse_parentheses(p);
    }
    if (parser_take(p, TOKEN_OPERATOR, "[")) {
        TemplateNode *node = parser_make(p, NODE_LIST);
        return node && parse_arguments(p, "]", false, &node->args) ? node : NULL;
    }
    if (parser_take(p, TOKEN_OPERATOR, "{")) {
        return parse_dict(p);
    }
    parser_fail(p, "a value");
    return NULL;
}

/** Behind "[": an index or begin:end:step. */
static TemplateNode *parse_subscript(TemplateParser *p, TemplateNode *a)
{
    TemplateNode *parts[3] = {NULL, NULL, NULL};
    size_t n = 0;
    bool is_slice = false;
    while (n < 3) {
        if (!parser_is_operator(p, ":") && !parser_is_operator(p, "]")) {
            parts[n] = parser_expression(p);
            if (!parts[n]) {
                return NULL;
            }
        }
        n++;
        if (n == 3 || !parser_take(p, TOKEN_OPERATOR, ":")) {
            break;
        }
        is_slice = true;
    }
    if (!parser_expect(p, "]")) {
        return NULL;
    }
    if (!is_slice) {
        if (!parts[0]) {
            parser_fail(p, "an index");
            return NULL;
        }
        return make_two(p, NODE_ITEM, a, parts[0]);
    }
    TemplateNode *node = parser_make(p, NODE_SLICE);
    TemplateNode **items = node ? ARENA_ARRAY(p->arena, TemplateNode *, 3, p->err) : NULL;
    if (!items) {
        return NULL;
    }
    memcpy(items, parts, sizeof parts);
    node->a = a;
    node->args = (TemplateNodes){items, 3};
    return node;
}

static TemplateNode *parse_call(TemplateParser *p, TemplateNode *a)
{
    TemplateNode *node = parser_make(p, NODE_CALL);
    p->at++;
    if (node) {
        node->a = a;
    }
    return node && parse_arguments(p, ")", true, &node->args) ? node : NULL;
}

static TemplateNode *parse_postfix(TemplateParser *p, TemplateNode *node)
{
    while (node) {
        if (parser_take(p, TOKEN_OPERATOR, ".")) {
            node = parser_named(p, NODE_ATTRIBUTE, node);
        } else if (parser_take(p, TOKEN_OPERATOR, "[")) {
            node = parse_subscript(p, node);
        } else if (parser_is_operator(p, "(")) {
            node = parse_call(p, node);
        } else {
            break;
        }
    }
    return node;
}

/** Behind "is": [not] name, and one argument with or without parentheses. */
static TemplateNode *parse_test(TemplateParser *p, TemplateNode *a)
{
    static const char *const ends[] = {"and", "or", "else", "if", "is", "not"};
    bool negated = parser_take(p, TOKEN_NAME, "not");
    TemplateNode *node = parser_named(p, NODE_TEST, a);
    bool is_value = p->at->kind == TOKEN_NAME || p->at->kind == TOKEN_STRING ||
                    p->at->kind == TOKEN_INT || p->at->kind == TOKEN_FLOAT ||
                    parser_is_operator(p, "[") || parser_is_operator(p, "{");
    for (size_t i = 0; i < AS_COUNT(ends); i++) {
        is_value &= !parser_is_word(p, ends[i]);
    }
    if (node && parser_take(p, TOKEN_OPERATOR, "(")) {
        node = parse_arguments(p, ")", true, &node->args) ? node : NULL;
    } else if (node && is_value) {
        TemplateNode *argument = parser_make(p, NODE_ARGUMENT);
        TemplateNodeList list = {0};
        bool ok = argument && (argument->a = parse_postfix(p, parse_primary(p))) &&
                  ARRAY_PUSH(&list, argument, p->err);
        node = parser_keep(p, &list, &node->args, ok) ? node : NULL;
    }
    TemplateNode *negation = node && negated ? parser_make(p, NODE_NOT) : NULL;
    if (negation) {
        negation->a = node;
    }
    return negated ? negation : node;
}

static TemplateNode *parse_filters(TemplateParser *p, TemplateNode *node)
{
    while (node) {
        if (parser_take(p, TOKEN_OPERATOR, "|")) {
            node = parser_named(p, NODE_FILTER, node);
            if (node && parser_take(p, TOKEN_OPERATOR, "(") &&
                !parse_arguments(p, ")", true, &node->args)) {
                return NULL;
            }
        } else if (parser_take(p, TOKEN_NAME, "is")) {
            node = parse_test(p, node);
        } else if (parser_is_operator(p, "(")) {
            node = parse_call(p, node);
        } else {
            break;
        }
    }
    return node;
}

static TemplateNode *parse_signed(TemplateParser *p, bool with_filters)
{
    TemplateNode *node;
    if (parser_take(p, TOKEN_OPERATOR, "-")) {
        node = parser_make(p, NODE_NEGATE);
        if (node && !(node->a = parse_unary(p, false))) {
            return NULL;
        }
    } else if (parser_take(p, TOKEN_OPERATOR, "+")) {
        node = parse_unary(p, false);
    } else {
        node = parse_primary(p);
    }
    node = parse_postfix(p, node);
    return with_filters ? parse_filters(p, node) : node;
}

static TemplateNode *parse_unary(TemplateParser *p, bool with_filters)
{
    if (!parser_descend(p)) {
        return NULL;
    }
    TemplateNode *node = parse_signed(p, with_filters);
    p->depth--;
    return node;
}

/* Binary operators by how tightly they bind, loosest first. */
static const char *const LEVELS[][4] = {{"+", "-"}, {"~"}, {"*", "/", "//", "%"}, {"**"}};

static TemplateNode *parse_binary(TemplateParser *p, size_t level)
{
    if (level == AS_COUNT(LEVELS)) {
        return parse_unary(p, true);
    }
    TemplateNode *node = parse_binary(p, level + 1);
    for (size_t i = 0; node && i < AS_COUNT(LEVELS[level]) && LEVELS[level][i];) {
        if (!parser_take(p, TOKEN_OPERATOR, LEVELS[level][i])) {
            i++;
            continue;
        }
        node = make_two(p, NODE_BINARY, node, parse_binary(p, level + 1));
        if (node) {
            node->name = LEVELS[level][i];
        }
        i = 0;
    }
    return node;
}

/** The comparison at this place, stepped over, or NULL. */
static const char *take_comparison(TemplateParser *p)
{
    static const char *const signs[] = {"==", "!=", "<=", ">=", "<", ">"};
    for (size_t i = 0; i < AS_COUNT(signs); i++) {
        if (parser_take(p, TOKEN_OPERATOR, signs[i])) {
            return signs[i];
        }
    }
    if (parser_take(p, TOKEN_NAME, "in")) {
        return "in";
    }
    bool is_not_in = parser_is_word(p, "not") && p->at[1].kind == TOKEN_NAME && p->at[1].n == 2 &&
                     memcmp(p->at[1].text, "in", 2) == 0;
    p->at += is_not_in ? 2 : 0;
    return is_not_in ? "not in" : NULL;
}

static TemplateNode *parse_comparison(TemplateParser *p)
{
    TemplateNode *first = parse_binary(p, 0);
    TemplateNodeList list = {0};
    bool ok = first != NULL;
    const char *sign;
    while (ok && (sign = take_comparison(p))) {
        TemplateNode *next = parser_make(p, NODE_ARGUMENT);
        ok = next && (next->a = parse_binary(p, 0)) && ARRAY_PUSH(&list, next, p->err);
        if (ok) {
            next->name = sign;
        }
    }
    if (ok && list.n == 0) {
        return first;
    }
    TemplateNode *node = ok ? parser_make(p, NODE_COMPARE) : NULL;
    TemplateNodes args;
    ok = parser_keep(p, &list, &args, node != NULL);
    if (ok) {
        node->a = first;
        node->args = args;
    }
    return ok ? node : NULL;
}

static TemplateNode *parse_not(TemplateParser *p)
{
    int n_not = 0;
    while (parser_take(p, TOKEN_NAME, "not")) {
        n_not++;
    }
    TemplateNode *node = parse_comparison(p);
    for (int i = 0; i < AS_MIN(n_not, 2 - n_not % 2) && node; i++) {
        TemplateNode *negation = parser_make(p, NODE_NOT);
        if (negation) {
            negation->a = node;
        }
        node = negation;
    }
    return node;
}

static TemplateNode *parse_and(TemplateParser *p)
{
    TemplateNode *node = parse_not(p);
    while (node && parser_take(p, TOKEN_NAME, "and")) {
        node = make_two(p, NODE_AND, node, parse_not(p));
    }
    return node;
}

TemplateNode *parser_or(TemplateParser *p)
{
    TemplateNode *node = parse_and(p);
    while (node && parser_take(p, TOKEN_NAME, "or")) {
        node = make_two(p, NODE_OR, node, parse_and(p));
    }
    return node;
}

static TemplateNode *parse_choice(TemplateParser *p)
{
    TemplateNode *node = parser_or(p);
    while (node && parser_take(p, TOKEN_NAME, "if")) {
        TemplateNode *choice = make_two(p, NODE_CHOICE, node, parser_or(p));
        if (choice && parser_take(p, TOKEN_NAME, "else")) {
            choice->c = parser_expression(p);
            choice = choice->c ? choice : NULL;
        }
        node = choice;
    }
    return node;
}

TemplateNode *parser_expression(TemplateParser *p)
{
    if (!parser_descend(p)) {
        return NULL;
    }
    TemplateNode *node = parse_choice(p);
    p->depth--;
    return node;
}
