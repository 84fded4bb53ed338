#include "tokenizer/template.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DEEPEST_RUN = 200 };

bool template_fail(TemplateRun *run, ErrorCode code, const char *format, ...)
{
    char message[200];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return error_set(run->err, code, "line %d: %s", run->line, message);
}

bool template_step(TemplateRun *run, size_t n_steps)
{
    run->n_steps += n_steps;
    return run->n_steps <= run->most_steps ||
           template_fail(run, ERR_RANGE, "more than %zu steps", run->most_steps);
}

bool template_spend(TemplateRun *run, size_t n_bytes)
{
    run->n_bytes += AS_MIN(n_bytes, run->most_bytes + 1);
    return run->n_bytes <= run->most_bytes ||
           template_fail(run, ERR_RANGE, "more than %zu bytes of text", run->most_bytes);
}

/* ---- variables ---- */

bool template_assign(TemplateRun *run, TemplateScope *scope, const char *name, Value value)
{
    for (size_t i = 0; i < scope->variables.n; i++) {
        if (strcmp(scope->variables.items[i].name, name) == 0) {
            scope->variables.items[i].value = value;
            return true;
        }
    }
    TemplateVariable variable = {name, value};
    return ARRAY_PUSH(&scope->variables, variable, run->err);
}

static bool look_up(TemplateRun *run, const char *name, Value *out)
{
    size_t n_seen = 0;
    for (const TemplateScope *scope = run->scope; scope; scope = scope->outer) {
        for (size_t i = 0; i < scope->variables.n; i++, n_seen++) {
            if (strcmp(scope->variables.items[i].name, name) == 0) {
                *out = scope->variables.items[i].value;
                return template_step(run, n_seen / 16);
            }
        }
    }
    *out = (Value){0};
    if (template_has_function(name)) {
        *out = (Value){.kind = VALUE_FUNCTION, .text = name, .n = strlen(name)};
    }
    return template_step(run, n_seen / 16);
}

/* ---- operators ---- */

static bool run_comparison(TemplateRun *run, const TemplateNode *node, Value *out)
{
    Value left;
    bool holds = true;
    if (!template_evaluate(run, node->a, &left)) {
        return false;
    }
    for (size_t i = 0; i < node->args.n && holds; i++) {
        Value right;
        if (!template_evaluate(run, node->args.items[i]->a, &right) ||
            !template_compare(run, node->args.items[i]->name, &left, &right, &holds)) {
            return false;
        }
        left = right;
    }
    *out = value_bool(holds);
    return true;
}

/* ---- parts of values ---- */

/** Byte of a character of a text. */
static size_t character_at(const Value *text, int64_t index)
{
    size_t at = 0;
    for (; index > 0 && at < text->n; index--) {
        for (at++; at < text->n && ((uint8_t)text->text[at] & 0xC0) == 0x80;) {
            at++;
        }
    }
    return at;
}

static int64_t length_of(const Value *value)
{
    int64_t n = 0;
    if (value->kind == VALUE_LIST) {
        return (int64_t)value->list->items.n;
    }
    for (size_t i = 0; i < value->n; i++) {
        n += ((uint8_t)value->text[i] & 0xC0) != 0x80;
    }
    return n;
}

static bool run_item(TemplateRun *run, const Value *value, const Value *key, Value *out)
{
    bool has_places = value->kind == VALUE_LIST || value->kind == VALUE_STRING;
    if (!has_places || key->kind != VALUE_INT) {
        return template_attribute(run, value, key, true, out);
    }
    int64_t n = length_of(value);
    int64_t index = key->integer < 0 ? key->integer + n : key->integer;
    *out = (Value){0};
    if (!template_step(run, value->kind == VALUE_STRING ? value->n / 16 : 0) || index < 0 ||
        index >= n) {
        return run->n_steps <= run->most_steps;
    }
    if (value->kind == VALUE_LIST) {
        *out = value->list->items.items[index];
        return true;
    }
    size_t at = character_at(value, index);
    Value rest = value_text(value->text + at, value->n - at);
    *out = value_text(rest.text, character_at(&rest, 1));
    return true;
}

static bool slice_end(TemplateRun *run, const TemplateNode *node, int64_t n, int64_t low,
                      int64_t fallback, int64_t *out)
{
    Value value = {0};
    *out = fallback;
    if (!node) {
        return true;
    }
    if (!template_evaluate(run, node, &value)) {
        return false;
    }
    if (value.kind == VALUE_NONE) {
        return true;
    }
    if (value.kind != VALUE_INT) {
        return template_fail(run, ERR_FORMAT, "a slice by %s", value_kind_name(&value));
    }
    int64_t at = value.integer < 0 ? value.integer + n : value.integer;
    *out = AS_MAX(low, AS_MIN(at, n + low));
    return true;
}

static bool run_slice(TemplateRun *run, const TemplateNode *node, Value *out)
{
    Value value;
    Value step = value_int(1);
    int64_t begin;
    int64_t end;
    if (!template_evaluate(run, node->a, &value) ||
        (node->args.items[2] && !template_evaluate(run, node->args.items[2], &step))) {
        return false;
    }
    if (value.kind != VALUE_LIST && value.kind != VALUE_STRING) {
        return template_fail(run, ERR_FORMAT, "a slice of %s", value_kind_name(&value));
    }
    bool is_text = value.kind == VALUE_STRING;
    if (step.kind != VALUE_INT ||
        (is_text ? step.integer != 1 : step.integer == 0 || step.integer == INT64_MIN)) {
        return template_fail(run, ERR_UNSUPPORTED, "a slice by such a step");
    }
    int64_t n = length_of(&value);
    bool backwards = step.integer < 0;
    int64_t low = backwards ? -1 : 0;
    if (!slice_end(run, node->args.items[0], n, low, backwards ? n - 1 : 0, &begin) ||
        !slice_end(run, node->args.items[1], n, low, backwards ? -1 : n, &end) ||
        !template_step(run, is_text ? value.n / 16 : 0)) {
        return false;
    }
    if (is_text) {
        size_t first = character_at(&value, begin);
        size_t last = character_at(&value, end);
        *out = value_text(value.text + first, last > first ? last - first : 0);
        return true;
    }
    bool ok = value_list(run, out);
    for (int64_t i = begin; ok && (backwards ? i > end : i < end);) {
        ok = value_list_add(run, out->list, value.list->items.items[i]);
        if (__builtin_add_overflow(i, step.integer, &i)) {
            break;
        }
    }
    return ok;
}

/* ---- calls ---- */

const Value *template_argument(const TemplateArguments *args, size_t position, const char *name)
{
    size_t at = 0;
    for (size_t i = 0; i < args->n; i++) {
        if (args->names[i][0] ? strcmp(args->names[i], name) == 0 : at++ == position) {
            return &args->values[i];
        }
    }
    return NULL;
}

static bool evaluate_arguments(TemplateRun *run, const TemplateNodes *nodes,
                               TemplateArguments *args)
{
    args->n = nodes->n;
    args->values = ARENA_ARRAY(run->arena, Value, nodes->n, run->err);
    args->names = ARENA_ARRAY(run->arena, const char *, nodes->n, run->err);
    bool ok = args->values && args->names && template_spend(run, 128 + nodes->n * sizeof(Value));
    for (size_t i = 0; i < nodes->n && ok; i++) {
        args->names[i] = nodes->items[i]->name;
        ok = template_evaluate(run, nodes->items[i]->a, &args->values[i]);
    }
    return ok;
}

static bool execute(TemplateRun *run, const TemplateNodes *nodes);

/** Runs nodes into a text of its own. */
static bool capture(TemplateRun *run, const TemplateNodes *nodes, Value *out)
{
    StrBuf all = {0};
    StrBuf *outside = run->out;
    run->out = &all;
    bool ok = execute(run, nodes) && value_copy_text(run, strbuf_text(&all), all.n, out);
    run->out = outside;
    strbuf_free(&all);
    return ok;
}

static bool call_macro(TemplateRun *run, const TemplateNode *macro, const TemplateArguments *args,
                       Value *out)
{
    TemplateScope scope = {.outer = run->top};
    TemplateScope *caller = run->scope;
    size_t n = macro->names.n;
    size_t n_bare = n - macro->args.n;
    bool ok = true;
    run->scope = &scope;
    for (size_t i = 0; i < n && ok; i++) {
        const char *name = macro->names.items[i]->name;
        const Value *given = template_argument(args, i, name);
        Value value = given ? *given : (Value){0};
        ok = (given || i < n_bare ||
              template_evaluate(run, macro->args.items[i - n_bare], &value)) &&
             template_assign(run, &scope, name, value);
    }
    ok = ok && capture(run, &macro->body, out);
    run->scope = caller;
    ARRAY_FREE(&scope.variables);
    return ok;
}

static bool run_call(TemplateRun *run, const TemplateNode *node, Value *out)
{
    Value function;
    TemplateArguments args;
    if (!template_evaluate(run, node->a, &function) ||
        !evaluate_arguments(run, &node->args, &args)) {
        return false;
    }
    run->line = node->line;
    switch (function.kind) {
    case VALUE_FUNCTION:
        return template_call_function(run, function.text, &args, out);
    case VALUE_METHOD:
        return template_call_method(run, function.self, function.text, &args, out);
    case VALUE_MACRO:
        return call_macro(run, function.macro, &args, out);
    default:
        return template_fail(run, ERR_FORMAT, "%s%s%s is called, but it is %s",
                             node->a->kind == NODE_NAME ? "" : "a value (", node->a->name,
                             node->a->kind == NODE_NAME ? "" : ")", value_kind_name(&function));
    }
}

static bool run_filter_or_test(TemplateRun *run, const TemplateNode *node, Value *out)
{
    Value value;
    TemplateArguments args;
    if (!template_evaluate(run, node->a, &value) || !evaluate_arguments(run, &node->args, &args)) {
        return false;
    }
    run->line = node->line;
    if (node->kind == NODE_FILTER) {
        return template_filter(run, node->name, &value, &args, out);
    }
    bool holds = false;
    bool ok = template_test(run, node->name, &value, &args, &holds);
    *out = value_bool(holds);
    return ok;
}

static bool run_list(TemplateRun *run, const TemplateNode *node, Value *out)
{
    Value item;
    bool ok = value_list(run, out);
    out->is_tuple = node->name[0] == '(';
    for (size_t i = 0; i < node->args.n && ok; i++) {
        ok = template_evaluate(run, node->args.items[i]->a, &item) &&
             value_list_add(run, out->list, item);
    }
    return ok;
}

static bool run_dict(TemplateRun *run, const TemplateNode *node, Value *out)
{
    Value key;
    Value item;
    bool ok = value_dict(run, out);
    for (size_t i = 0; i + 1 < node->args.n && ok; i += 2) {
        ok = template_evaluate(run, node->args.items[i], &key) &&
             template_evaluate(run, node->args.items[i + 1], &item) &&
             value_dict_set(run, out->dict, key, item);
    }
    return ok;
}

static bool run_negation(TemplateRun *run, const TemplateNode *node, Value *out)
{
    Value value;
    if (!template_evaluate(run, node->a, &value)) {
        return false;
    }
    if (value.kind == VALUE_FLOAT) {
        *out = (Value){.kind = VALUE_FLOAT, .number = -value.number};
        return true;
    }
    Value zero = value_int(0);
    return template_binary(run, "-", &zero, &value, out);
}

static bool evaluate(TemplateRun *run, const TemplateNode *node, Value *out)
{
    Value a;
    Value b;
    switch (node->kind) {
    case NODE_CONSTANT:
        *out = node->value;
        return true;
    case NODE_NAME:
        return look_up(run, node->name, out);
    case NODE_LIST:
        return run_list(run, node, out);
    case NODE_DICT:
        return run_dict(run, node, out);
    case NODE_NOT:
        if (!template_evaluate(run, node->a, &a)) {
            return false;
        }
        *out = value_bool(!value_is_true(&a));
        return true;
    case NODE_NEGATE:
        return run_negation(run, node, out);
    case NODE_AND:
    case NODE_OR:
        if (!template_evaluate(run, node->a, out)) {
            return false;
        }
        return value_is_true(out) == (node->kind == NODE_OR) ||
               template_evaluate(run, node->b, out);
    case NODE_BINARY:
        return template_evaluate(run, node->a, &a) && template_evaluate(run, node->b, &b) &&
               template_binary(run, node->name, &a, &b, out);
    case NODE_COMPARE:
        return run_comparison(run, node, out);
    case NODE_CHOICE:
        *out = (Value){0};
        if (!template_evaluate(run, node->b, &b)) {
            return false;
        }
        return value_is_true(&b) ? template_evaluate(run, node->a, out)
                                 : !node->c || template_evaluate(run, node->c, out);
    case NODE_CALL:
        return run_call(run, node, out);
    case NODE_FILTER:
    case NODE_TEST:
        return run_filter_or_test(run, node, out);
    case NODE_ATTRIBUTE:
        b = value_text(node->name, strlen(node->name));
        return template_evaluate(run, node->a, &a) && template_attribute(run, &a, &b, false, out);
    case NODE_ITEM:
        return template_evaluate(run, node->a, &a) && template_evaluate(run, node->b, &b) &&
               run_item(run, &a, &b, out);
    case NODE_SLICE:
        return run_slice(run, node, out);
    default:
        return template_fail(run, ERR_FORMAT, "a statement where a value belongs");
    }
}

bool template_evaluate(TemplateRun *run, const TemplateNode *node, Value *out)
{
    run->line = node->line;
    if (!template_step(run, 1)) {
        return false;
    }
    if (run->depth >= DEEPEST_RUN) {
        return template_fail(run, ERR_RANGE, "calls nested more than %d deep", DEEPEST_RUN);
    }
    run->depth++;
    bool ok = evaluate(run, node, out);
    run->depth--;
    return ok;
}

/* ---- statements ---- */

static bool set_loop_variable(TemplateRun *run, const ValueList *items, size_t i, Value loop)
{
    int64_t n = (int64_t)items->items.n;
    int64_t at = (int64_t)i;
    const struct {
        const char *name;
        Value value;
    } fields[] = {{"index", value_int(at + 1)},
                  {"index0", value_int(at)},
                  {"revindex", value_int(n - at)},
                  {"revindex0", value_int(n - at - 1)},
                  {"first", value_bool(at == 0)},
                  {"last", value_bool(at == n - 1)},
                  {"length", value_int(n)},
                  {"previtem", i ? items->items.items[i - 1] : (Value){0}},
                  {"nextitem", at + 1 < n ? items->items.items[i + 1] : (Value){0}}};
    for (size_t k = 0; k < AS_COUNT(fields); k++) {
        Value key = value_text(fields[k].name, strlen(fields[k].name));
        if (!value_dict_set(run, loop.dict, key, fields[k].value)) {
            return false;
        }
    }
    return template_assign(run, run->scope, "loop", loop);
}

static bool set_names(TemplateRun *run, const TemplateNodes *names, const Value *item)
{
    if (names->n == 1) {
        return template_assign(run, run->scope, names->items[0]->name, *item);
    }
    if (item->kind != VALUE_LIST || item->list->items.n != names->n) {
        return template_fail(run, ERR_FORMAT, "%zu names for %s", names->n, value_kind_name(item));
    }
    for (size_t i = 0; i < names->n; i++) {
        if (!template_assign(run, run->scope, names->items[i]->name, item->list->items.items[i])) {
            return false;
        }
    }
    return true;
}

/** What a loop goes over, as a list: items, keys or characters, those for which the condition
 *  holds. */
static bool loop_items(TemplateRun *run, const TemplateNode *node, Value *out)
{
    static const TemplateArguments none = {0};
    Value over;
    Value all;
    Value holds = value_bool(true);
    if (!template_evaluate(run, node->a, &over) ||
        !template_filter(run, "list", &over, &none, &all) || !value_list(run, out)) {
        return false;
    }
    for (size_t i = 0; i < all.list->items.n; i++) {
        const Value *item = &all.list->items.items[i];
        if (node->b &&
            (!set_names(run, &node->names, item) || !template_evaluate(run, node->b, &holds))) {
            return false;
        }
        if (value_is_true(&holds) && !value_list_add(run, out->list, *item)) {
            return false;
        }
    }
    return true;
}

static bool run_for(TemplateRun *run, const TemplateNode *node)
{
    TemplateScope scope = {.outer = run->scope};
    Value items;
    Value loop;
    run->scope = &scope;
    bool ok = loop_items(run, node, &items) && value_dict(run, &loop);
    for (size_t i = 0; ok && i < items.list->items.n && run->leave != LEAVE_BREAK; i++) {
        run->leave = LEAVE_NOT;
        scope.variables.n = 0; /* what one turn sets, the next does not see */
        ok = template_step(run, 1) && set_loop_variable(run, items.list, i, loop) &&
             set_names(run, &node->names, &items.list->items.items[i]) && execute(run, &node->body);
    }
    run->leave = LEAVE_NOT;
    run->scope = scope.outer;
    ARRAY_FREE(&scope.variables);
    return ok && (items.list->items.n > 0 || execute(run, &node->otherwise));
}

static bool run_set(TemplateRun *run, const TemplateNode *node)
{
    Value value = {0};
    if (!(node->b ? template_evaluate(run, node->b, &value) : capture(run, &node->body, &value))) {
        return false;
    }
    if (node->a->kind == NODE_NAME) {
        return template_assign(run, run->scope, node->a->name, value);
    }
    Value space;
    if (!template_evaluate(run, node->a->a, &space)) {
        return false;
    }
    if (space.kind != VALUE_DICT || !space.is_namespace) {
        return template_fail(run, ERR_FORMAT, "%s is set, but it is of no namespace",
                             node->a->name);
    }
    return value_dict_set(run, space.dict, value_text(node->a->name, strlen(node->a->name)), value);
}

static bool execute_one(TemplateRun *run, const TemplateNode *node)
{
    Value value = {0};
    run->line = node->line;
    switch (node->kind) {
    case NODE_TEXT:
        return value_print(run, &node->value, run->out);
    case NODE_OUTPUT:
        return template_evaluate(run, node->a, &value) && value_print(run, &value, run->out);
    case NODE_IF:
        return template_evaluate(run, node->a, &value) &&
               execute(run, value_is_true(&value) ? &node->body : &node->otherwise);
    case NODE_FOR:
        return run_for(run, node);
    case NODE_SET:
        return run_set(run, node);
    case NODE_MACRO:
        value = (Value){.kind = VALUE_MACRO, .macro = node};
        return template_assign(run, run->scope, node->name, value);
    case NODE_BREAK:
    case NODE_CONTINUE:
        run->leave = node->kind == NODE_BREAK ? LEAVE_BREAK : LEAVE_CONTINUE;
        return true;
    default:
        return execute(run, &node->body);
    }
}

static bool execute(TemplateRun *run, const TemplateNodes *nodes)
{
    if (run->depth >= DEEPEST_RUN) {
        return template_fail(run, ERR_RANGE, "calls nested more than %d deep", DEEPEST_RUN);
    }
    bool ok = true;
    run->depth++;
    for (size_t i = 0; i < nodes->n && ok && run->leave == LEAVE_NOT; i++) {
        ok = template_step(run, 1) && execute_one(run, nodes->items[i]);
    }
    run->depth--;
    return ok;
}

bool template_execute(TemplateRun *run, const TemplateNode *tree)
{
    run->scope = run->top;
    return execute(run, &tree->body);
}
