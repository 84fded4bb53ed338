#pragma once
/* What the two halves of the parser share: a place in the tokens, and steps over them. */
#include "tokenizer/template.h"

enum { TEMPLATE_DEEPEST = 120 };

typedef struct TemplateParser {
    Arena *arena;
    Error *err;
    const TemplateToken *at;
    int depth;
    int loops; /* for statements around this place, in this macro */
} TemplateParser;

typedef ARRAY_OF(TemplateNode *) TemplateNodeList;

/** "line N: … expected". Always false. */
bool parser_fail(const TemplateParser *p, const char *expected);
/** One level deeper; ERR_RANGE past the deepest. The caller comes back by p->depth--. */
AS_MUST_CHECK bool parser_descend(TemplateParser *p);
TemplateNode *parser_make(const TemplateParser *p, TemplateNodeKind kind);
/** Moves a list into the arena and frees it; false where !ok. */
AS_MUST_CHECK bool parser_keep(const TemplateParser *p, TemplateNodeList *list, TemplateNodes *out,
                               bool ok);
bool parser_is_operator(const TemplateParser *p, const char *text);
bool parser_is_word(const TemplateParser *p, const char *text);
/** Steps over a token where it is there. */
bool parser_take(TemplateParser *p, TemplateTokenKind kind, const char *text);
AS_MUST_CHECK bool parser_expect(TemplateParser *p, const char *operator_text);
/** The name at this place, copied; NULL with an error where there is none. */
const char *parser_take_name(TemplateParser *p);
/** A node of the name at this place, with a (NULL only for a NODE_NAME). */
TemplateNode *parser_named(TemplateParser *p, TemplateNodeKind kind, TemplateNode *a);
/** template_expression.c; parse_or: without "… if … else …". */
TemplateNode *parser_expression(TemplateParser *p);
TemplateNode *parser_or(TemplateParser *p);
