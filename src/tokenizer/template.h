#pragma once
/*
 * A small interpreter of the template language that chat models carry (Jinja's; only the part
 * that such templates use): texts, {{ expressions }}, {% if for set macro break continue %},
 * filters, tests, the methods of strings and dicts. Whitespace is treated as with the settings
 * trim_blocks and lstrip_blocks. A template comes from a stranger: it sees nothing but the values
 * it is given, and its depth, steps and bytes are counted. Source: jinja.palletsprojects.com,
 * "Template Designer Documentation".
 *
 *   template_parse (template_lex.c, template_parse.c) -> TemplateNode -> template_run
 */
#include "base/arena.h"
#include "base/str.h"

typedef struct TemplateNode TemplateNode;
typedef struct TemplateRun TemplateRun;

/* ---- values ---- */

typedef enum ValueKind {
    VALUE_UNDEFINED,
    VALUE_NONE,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_DICT,
    VALUE_FUNCTION, /* built in, by name */
    VALUE_METHOD,   /* by name, of a value */
    VALUE_MACRO
} ValueKind;

typedef struct ValueList ValueList;
typedef struct ValueDict ValueDict;

/** Zero is undefined. Everything it points to is the run's arena's, or borrowed while it runs. */
typedef struct Value {
    ValueKind kind;
    bool is_namespace; /* DICT: may be assigned to by {% set a.b = … %} */
    bool is_tuple;     /* LIST: printed in round brackets */
    size_t n;          /* STRING, FUNCTION, METHOD: bytes of text */
    union {
        bool truth;
        int64_t integer;
        double number;
        const char *text;
        ValueList *list;
        ValueDict *dict;
        const TemplateNode *macro;
    };
    const struct Value *self; /* METHOD: what it belongs to */
} Value;

struct ValueList {
    ARRAY_OF(Value) items; /* grown inside the arena by value_list_add */
};
typedef struct ValueEntry {
    Value key;
    Value value;
} ValueEntry;
struct ValueDict {
    ARRAY_OF(ValueEntry) items;
};

/** A text that lives as long as the run, without a copy. */
static inline Value value_text(const char *text, size_t n)
{
    return (Value){.kind = VALUE_STRING, .n = n, .text = text};
}
static inline Value value_bool(bool truth)
{
    return (Value){.kind = VALUE_BOOL, .truth = truth};
}
static inline Value value_int(int64_t integer)
{
    return (Value){.kind = VALUE_INT, .integer = integer};
}
static inline Value value_none(void)
{
    return (Value){.kind = VALUE_NONE};
}
bool value_is_true(const Value *value);
/** Counts steps: where they run out nothing is equal, and the next template_step says so. */
bool value_equals(TemplateRun *run, const Value *a, const Value *b);
/** Are both numbers (or truths), or both texts? Then *order is below, at or above 0. */
bool value_compare(const Value *a, const Value *b, int *order);
/** Number of any numeric kind. */
bool value_number(const Value *value, double *number);
/** Steps that a comparison, or the search for a key, is worth: template_step counts them first. */
size_t value_compare_cost(const Value *a, const Value *b);
size_t value_dict_cost(const ValueDict *dict, const Value *key);
const Value *value_dict_find(const ValueDict *dict, const Value *key);
const char *value_kind_name(const Value *value);

AS_MUST_CHECK bool value_list(TemplateRun *run, Value *out);
AS_MUST_CHECK bool value_list_add(TemplateRun *run, ValueList *list, Value item);
AS_MUST_CHECK bool value_dict(TemplateRun *run, Value *out);
AS_MUST_CHECK bool value_dict_set(TemplateRun *run, ValueDict *dict, Value key, Value item);
/** A copy of bytes, counted against the limit. */
AS_MUST_CHECK bool value_copy_text(TemplateRun *run, const char *text, size_t n, Value *out);
/** As str() of Python writes it. */
AS_MUST_CHECK bool value_print(TemplateRun *run, const Value *value, StrBuf *out);
/** As json.dumps(ensure_ascii=False) of Python writes it; indent < 0 is one line. */
AS_MUST_CHECK bool value_print_json(TemplateRun *run, const Value *value, int indent, int depth,
                                    StrBuf *out);

/* ---- tokens ---- */

typedef enum TemplateTokenKind {
    TOKEN_TEXT,
    TOKEN_EXPRESSION, /* {{ */
    TOKEN_STATEMENT,  /* {% */
    TOKEN_CLOSE,      /* }} or %} */
    TOKEN_NAME,
    TOKEN_STRING, /* unescaped */
    TOKEN_INT,
    TOKEN_FLOAT,
    TOKEN_OPERATOR,
    TOKEN_END
} TemplateTokenKind;
typedef struct TemplateToken {
    TemplateTokenKind kind;
    const char *text;
    size_t n;
    int line;
} TemplateToken;
typedef struct TemplateTokens {
    TemplateToken *items; /* ended by TOKEN_END */
    size_t n;
} TemplateTokens;
/** template_lex.c */
AS_MUST_CHECK bool template_lex(Arena *arena, const char *text, size_t n, TemplateTokens *tokens,
                                Error *err);

/* ---- the tree ---- */

typedef enum TemplateNodeKind {
    /* statements */
    NODE_TEXT,   /* value */
    NODE_OUTPUT, /* a */
    NODE_IF,     /* a: condition, body, otherwise */
    NODE_FOR,    /* names, a: what over, b: condition or NULL, body, otherwise */
    NODE_SET,    /* a: target, b: value, or body */
    NODE_MACRO,  /* name, names, args: defaults from the end, body */
    NODE_BREAK,
    NODE_CONTINUE,
    NODE_BLOCK, /* body: as it stands */
    /* expressions */
    NODE_CONSTANT,  /* value */
    NODE_NAME,      /* name */
    NODE_LIST,      /* args; name "(" = a tuple */
    NODE_DICT,      /* args: key, value, key, value … */
    NODE_NOT,       /* a */
    NODE_NEGATE,    /* a */
    NODE_AND,       /* a, b */
    NODE_OR,        /* a, b */
    NODE_BINARY,    /* name: the operator; a, b */
    NODE_COMPARE,   /* a, then args: each with name = the operator and a */
    NODE_CHOICE,    /* a if b else c */
    NODE_CALL,      /* a, args */
    NODE_FILTER,    /* name, a, args */
    NODE_TEST,      /* name, a, args */
    NODE_ATTRIBUTE, /* a.name */
    NODE_ITEM,      /* a[b] */
    NODE_SLICE,     /* a[args[0]:args[1]:args[2]], each may be NULL */
    NODE_ARGUMENT   /* name or "": a */
} TemplateNodeKind;

typedef struct TemplateNodes {
    TemplateNode **items;
    size_t n;
} TemplateNodes;

struct TemplateNode {
    TemplateNodeKind kind;
    int line;
    const char *name; /* NUL-terminated */
    Value value;
    TemplateNode *a, *b, *c;
    TemplateNodes args;
    TemplateNodes names; /* NAME nodes */
    TemplateNodes body;
    TemplateNodes otherwise;
};

/** The tree of a template; everything is the arena's. ERR_FORMAT with the line where it is not
 *  understood; ERR_RANGE where it is too large or nested too deep. */
AS_MUST_CHECK TemplateNode *template_parse(Arena *arena, const char *text, size_t n, Error *err);

/* ---- running ---- */

typedef struct TemplateVariable {
    const char *name; /* borrowed */
    Value value;
} TemplateVariable;
/** Variables of a loop, a macro or the whole; inner ones hide outer ones. */
typedef struct TemplateScope {
    struct TemplateScope *outer;
    ARRAY_OF(TemplateVariable) variables;
} TemplateScope;

typedef enum TemplateLeave { LEAVE_NOT, LEAVE_BREAK, LEAVE_CONTINUE } TemplateLeave;

/** Zero, then arena, err and limits set. */
struct TemplateRun {
    Arena *arena;
    Error *err;
    StrBuf *out; /* where texts go */
    TemplateScope *scope;
    TemplateScope *top;
    int64_t time_s; /* seconds since 1970, for strftime_now */
    size_t n_steps, most_steps;
    size_t n_bytes, most_bytes; /* of values and output */
    int depth;
    int line; /* of what runs, for messages */
    TemplateLeave leave;
};

/** Fails with "line N: …". Always false. */
bool template_fail(TemplateRun *run, ErrorCode code, const char *format, ...) AS_PRINTF(3, 4);
/** Counts work; ERR_RANGE past the limit. */
AS_MUST_CHECK bool template_step(TemplateRun *run, size_t n_steps);
AS_MUST_CHECK bool template_spend(TemplateRun *run, size_t n_bytes);
AS_MUST_CHECK bool template_assign(TemplateRun *run, TemplateScope *scope, const char *name,
                                   Value value);
AS_MUST_CHECK bool template_evaluate(TemplateRun *run, const TemplateNode *node, Value *out);
/** Runs the tree into run->out, with the variables of run->top. */
AS_MUST_CHECK bool template_execute(TemplateRun *run, const TemplateNode *tree);

/** Evaluated arguments of a call. */
typedef struct TemplateArguments {
    Value *values;      /* [n] */
    const char **names; /* [n] "" = by position */
    size_t n;
} TemplateArguments;
/** The argument at a position among those without a name, or of a name; NULL = not given. */
const Value *template_argument(const TemplateArguments *args, size_t position, const char *name);

/* template_operators.c: each fails where the operator means nothing for such values. */
AS_MUST_CHECK bool template_binary(TemplateRun *run, const char *name, const Value *a,
                                   const Value *b, Value *out);
AS_MUST_CHECK bool template_compare(TemplateRun *run, const char *name, const Value *a,
                                    const Value *b, bool *out);
AS_MUST_CHECK bool template_contains(TemplateRun *run, const Value *item, const Value *in,
                                     bool *out);

/* template_builtins.c, template_tests.c: each fails on a name it does not know. */
AS_MUST_CHECK bool template_filter(TemplateRun *run, const char *name, const Value *in,
                                   const TemplateArguments *args, Value *out);
AS_MUST_CHECK bool template_test(TemplateRun *run, const char *name, const Value *in,
                                 const TemplateArguments *args, bool *out);
bool template_has_function(const char *name);
AS_MUST_CHECK bool template_call_function(TemplateRun *run, const char *name,
                                          const TemplateArguments *args, Value *out);
/** template_methods.c */
bool template_has_method(const Value *self, const char *name);
AS_MUST_CHECK bool template_call_method(TemplateRun *run, const Value *self, const char *name,
                                        const TemplateArguments *args, Value *out);
/** a.name (methods first) or a["name"] (keys first): undefined where there is none. Texts of keys
 *  are NUL-terminated or hold none of the names of methods. */
AS_MUST_CHECK bool template_attribute(TemplateRun *run, const Value *value, const Value *key,
                                      bool is_item, Value *out);
