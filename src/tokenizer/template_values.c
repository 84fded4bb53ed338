#include "tokenizer/template.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool value_number(const Value *value, double *number)
{
    *number = value->kind == VALUE_INT     ? (double)value->integer
              : value->kind == VALUE_BOOL  ? (double)value->truth
              : value->kind == VALUE_FLOAT ? value->number
                                           : 0;
    return value->kind == VALUE_INT || value->kind == VALUE_BOOL || value->kind == VALUE_FLOAT;
}

bool value_is_true(const Value *value)
{
    double number;
    switch (value->kind) {
    case VALUE_UNDEFINED:
    case VALUE_NONE:
        return false;
    case VALUE_STRING:
        return value->n > 0;
    case VALUE_LIST:
        return value->list->items.n > 0;
    case VALUE_DICT:
        return value->is_namespace || value->dict->items.n > 0;
    default:
        return !value_number(value, &number) || number != 0;
    }
}

size_t value_compare_cost(const Value *a, const Value *b)
{
    bool are_texts = a->kind == VALUE_STRING && b->kind == VALUE_STRING;
    return are_texts ? AS_MIN(a->n, b->n) / 64 : 0;
}

size_t value_dict_cost(const ValueDict *dict, const Value *key)
{
    size_t n = dict->items.n;
    return 1 + n / 8 + (key->kind == VALUE_STRING ? n * (key->n / 64) : 0);
}

/* Lists and dicts inside each other: those of a template are shallow, others are not equal. */
enum { DEEPEST_COMPARED = 32 };

/* n_steps counts what is compared, where it is not NULL; past the most, nothing is equal. */
static bool equals(const Value *a, const Value *b, int depth, size_t *n_steps, size_t most)
{
    if (n_steps && ++*n_steps > most) {
        return false;
    }
    double x;
    double y;
    if (value_number(a, &x) && value_number(b, &y)) {
        return a->kind == VALUE_INT && b->kind == VALUE_INT ? a->integer == b->integer : x == y;
    }
    if (a->kind != b->kind || depth > DEEPEST_COMPARED) {
        return false;
    }
    switch (a->kind) {
    case VALUE_UNDEFINED:
    case VALUE_NONE:
        return true;
    case VALUE_STRING:
    case VALUE_FUNCTION:
        if (n_steps) {
            *n_steps += value_compare_cost(a, b);
        }
        return a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
    case VALUE_LIST: {
        size_t n = a->list->items.n;
        bool same = n == b->list->items.n;
        for (size_t i = 0; i < n && same; i++) {
            same = equals(&a->list->items.items[i], &b->list->items.items[i], depth + 1, n_steps,
                          most);
        }
        return same;
    }
    case VALUE_DICT: {
        size_t n = a->dict->items.n;
        bool same = n == b->dict->items.n;
        for (size_t i = 0; i < n && same; i++) {
            const ValueEntry *entry = &a->dict->items.items[i];
            const Value *other = value_dict_find(b->dict, &entry->key);
            if (n_steps) {
                *n_steps += value_dict_cost(b->dict, &entry->key);
            }
            same = other && equals(&entry->value, other, depth + 1, n_steps, most);
        }
        return same;
    }
    default:
        return a->macro == b->macro;
    }
}

bool value_equals(TemplateRun *run, const Value *a, const Value *b)
{
    return equals(a, b, 0, &run->n_steps, run->most_steps);
}

bool value_compare(const Value *a, const Value *b, int *order)
{
    double x;
    double y;
    if (value_number(a, &x) && value_number(b, &y)) {
        *order = (x > y) - (x < y);
        return true;
    }
    if (a->kind != VALUE_STRING || b->kind != VALUE_STRING) {
        return false;
    }
    int bytes = memcmp(a->text, b->text, AS_MIN(a->n, b->n));
    *order = bytes ? bytes : (a->n > b->n) - (a->n < b->n);
    return true;
}

const Value *value_dict_find(const ValueDict *dict, const Value *key)
{
    bool is_scalar = key->kind != VALUE_LIST && key->kind != VALUE_DICT;
    for (size_t i = 0; i < dict->items.n && is_scalar; i++) {
        if (equals(&dict->items.items[i].key, key, 0, NULL, 0)) {
            return &dict->items.items[i].value;
        }
    }
    return NULL;
}

const char *value_kind_name(const Value *value)
{
    static const char *const names[] = {
        [VALUE_UNDEFINED] = "something undefined",
        [VALUE_NONE] = "none",
        [VALUE_BOOL] = "a truth value",
        [VALUE_INT] = "a number",
        [VALUE_FLOAT] = "a number",
        [VALUE_STRING] = "a text",
        [VALUE_LIST] = "a list",
        [VALUE_DICT] = "a dict",
        [VALUE_FUNCTION] = "a function",
        [VALUE_METHOD] = "a method",
        [VALUE_MACRO] = "a macro",
    };
    return names[value->kind];
}

/* ---- making ---- */

bool value_list(TemplateRun *run, Value *out)
{
    *out = (Value){.kind = VALUE_LIST, .list = ARENA_NEW(run->arena, ValueList, run->err)};
    return out->list && template_spend(run, sizeof(ValueList));
}

/** Room for one more item in the arena; what was there before is left to the arena. */
static bool grow(TemplateRun *run, void **items, size_t n, size_t *capacity, size_t item_bytes)
{
    if (n < *capacity) {
        return true;
    }
    size_t more = *capacity ? 2 * *capacity : 4;
    void *larger = template_spend(run, more * item_bytes)
                       ? arena_alloc_array(run->arena, more, item_bytes, run->err)
                       : NULL;
    if (!larger) {
        return false;
    }
    if (n) {
        memcpy(larger, *items, n * item_bytes);
    }
    *items = larger;
    *capacity = more;
    return true;
}

bool value_list_add(TemplateRun *run, ValueList *list, Value item)
{
    void *items = list->items.items;
    if (!template_step(run, 1) ||
        !grow(run, &items, list->items.n, &list->items.capacity, sizeof item)) {
        return false;
    }
    list->items.items = items;
    list->items.items[list->items.n++] = item;
    return true;
}

bool value_dict(TemplateRun *run, Value *out)
{
    *out = (Value){.kind = VALUE_DICT, .dict = ARENA_NEW(run->arena, ValueDict, run->err)};
    return out->dict && template_spend(run, sizeof(ValueDict));
}

bool value_dict_set(TemplateRun *run, ValueDict *dict, Value key, Value item)
{
    /* Finding an entry looks at all of them. */
    if (!template_step(run, value_dict_cost(dict, &key))) {
        return false;
    }
    if (key.kind == VALUE_LIST || key.kind == VALUE_DICT) {
        return template_fail(run, ERR_FORMAT, "%s is no key", value_kind_name(&key));
    }
    Value *old = (Value *)value_dict_find(dict, &key);
    if (old) {
        *old = item;
        return true;
    }
    void *items = dict->items.items;
    if (!grow(run, &items, dict->items.n, &dict->items.capacity, sizeof(ValueEntry))) {
        return false;
    }
    dict->items.items = items;
    dict->items.items[dict->items.n++] = (ValueEntry){key, item};
    return true;
}

bool value_copy_text(TemplateRun *run, const char *text, size_t n, Value *out)
{
    char *copy = template_spend(run, n + 1) ? arena_strndup(run->arena, text, n, run->err) : NULL;
    *out = value_text(copy, n);
    return copy != NULL;
}

/* ---- printing ---- */

static bool print(TemplateRun *run, StrBuf *out, const char *text, size_t n)
{
    return template_spend(run, n) && strbuf_add(out, text, n, run->err);
}

static bool print_text(TemplateRun *run, StrBuf *out, const char *text)
{
    return print(run, out, text, strlen(text));
}

/** The shortest digits that are this number again, as Python writes it. */
static bool print_float(TemplateRun *run, StrBuf *out, double number)
{
    char digits[40];
    if (!isfinite(number)) {
        return print_text(run, out, isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
    }
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number) {
            break;
        }
    }
    if (fabs(number) >= 1e-4 && fabs(number) < 1e16 && strchr(digits, 'e')) {
        snprintf(digits, sizeof digits, "%.0f", number);
    }
    return print_text(run, out, digits) && (strpbrk(digits, ".e") || print_text(run, out, ".0"));
}

/** As Python's repr of a text, for what templates may print: quotes and controls. */
static bool print_quoted(TemplateRun *run, StrBuf *out, const Value *value)
{
    bool has_single = memchr(value->text, '\'', value->n) != NULL;
    bool has_double = memchr(value->text, '"', value->n) != NULL;
    char quote = has_single && !has_double ? '"' : '\'';
    bool ok = print(run, out, &quote, 1);
    for (size_t i = 0; i < value->n && ok; i++) {
        char c = value->text[i];
        char code[8];
        if (c == quote || c == '\\') {
            snprintf(code, sizeof code, "\\%c", c);
        } else if (c == '\n' || c == '\r' || c == '\t') {
            snprintf(code, sizeof code, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        } else if ((uint8_t)c < 32 || c == 127) {
            snprintf(code, sizeof code, "\\x%02x", (unsigned)(uint8_t)c);
        } else {
            code[0] = c;
            code[1] = '\0';
        }
        ok = print_text(run, out, code);
    }
    return ok && print(run, out, &quote, 1);
}

enum { DEEPEST_PRINTED = 64 };

static bool print_inside(TemplateRun *run, const Value *value, StrBuf *out, int depth);

static bool print_items(TemplateRun *run, const Value *value, StrBuf *out, int depth)
{
    bool is_list = value->kind == VALUE_LIST;
    size_t n = is_list ? value->list->items.n : value->dict->items.n;
    bool ok = depth < DEEPEST_PRINTED ||
              template_fail(run, ERR_RANGE, "values inside each other without end");
    ok = ok && print_text(run, out, value->is_tuple ? "(" : is_list ? "[" : "{");
    for (size_t i = 0; i < n && ok; i++) {
        const Value *item =
            is_list ? &value->list->items.items[i] : &value->dict->items.items[i].value;
        ok = (i == 0 || print_text(run, out, ", ")) &&
             (is_list || (print_inside(run, &value->dict->items.items[i].key, out, depth + 1) &&
                          print_text(run, out, ": "))) &&
             print_inside(run, item, out, depth + 1);
    }
    return ok && (!value->is_tuple || n != 1 || print_text(run, out, ",")) &&
           print_text(run, out,
                      value->is_tuple ? ")"
                      : is_list       ? "]"
                                      : "}");
}

static bool print_inside(TemplateRun *run, const Value *value, StrBuf *out, int depth)
{
    if (!template_step(run, 1)) {
        return false;
    }
    switch (value->kind) {
    case VALUE_UNDEFINED:
        return depth == 0 || print_text(run, out, "Undefined");
    case VALUE_NONE:
        return print_text(run, out, "None");
    case VALUE_BOOL:
        return print_text(run, out, value->truth ? "True" : "False");
    case VALUE_INT: {
        char digits[32];
        snprintf(digits, sizeof digits, "%lld", (long long)value->integer);
        return print_text(run, out, digits);
    }
    case VALUE_FLOAT:
        return print_float(run, out, value->number);
    case VALUE_STRING:
        return depth ? print_quoted(run, out, value) : print(run, out, value->text, value->n);
    case VALUE_LIST:
    case VALUE_DICT:
        return print_items(run, value, out, depth);
    default:
        return template_fail(run, ERR_FORMAT, "%s cannot be printed", value_kind_name(value));
    }
}

bool value_print(TemplateRun *run, const Value *value, StrBuf *out)
{
    return print_inside(run, value, out, 0);
}

/* ---- JSON ---- */

static bool new_line(TemplateRun *run, int indent, int depth, StrBuf *out)
{
    bool ok = indent < 0 || print_text(run, out, "\n");
    for (int i = 0; i < indent * depth && ok; i++) {
        ok = print_text(run, out, " ");
    }
    return ok;
}

static bool json_text(TemplateRun *run, const Value *value, StrBuf *out)
{
    size_t before = out->n;
    return strbuf_json_string(out, value->text, value->n, run->err) &&
           template_spend(run, out->n - before);
}

static bool json_items(TemplateRun *run, const Value *value, int indent, int depth, StrBuf *out)
{
    bool is_list = value->kind == VALUE_LIST;
    size_t n = is_list ? value->list->items.n : value->dict->items.n;
    bool ok = print_text(run, out, is_list ? "[" : "{");
    for (size_t i = 0; i < n && ok; i++) {
        ok = i == 0 || print_text(run, out, indent < 0 ? ", " : ",");
        ok = ok && new_line(run, indent, depth + 1, out);
        if (is_list) {
            ok = ok && value_print_json(run, &value->list->items.items[i], indent, depth + 1, out);
            continue;
        }
        const ValueEntry *entry = &value->dict->items.items[i];
        if (entry->key.kind != VALUE_STRING) {
            return template_fail(run, ERR_UNSUPPORTED,
                                 "tojson of a dict with other keys than texts");
        }
        ok = ok && json_text(run, &entry->key, out) && print_text(run, out, ": ") &&
             value_print_json(run, &entry->value, indent, depth + 1, out);
    }
    return ok && (n == 0 || new_line(run, indent, depth, out)) &&
           print_text(run, out, is_list ? "]" : "}");
}

bool value_print_json(TemplateRun *run, const Value *value, int indent, int depth, StrBuf *out)
{
    if (!template_step(run, 1)) {
        return false;
    }
    switch (value->kind) {
    case VALUE_NONE:
        return print_text(run, out, "null");
    case VALUE_BOOL:
        return print_text(run, out, value->truth ? "true" : "false");
    case VALUE_INT:
    case VALUE_FLOAT:
        return print_inside(run, value, out, 0);
    case VALUE_STRING:
        return json_text(run, value, out);
    case VALUE_LIST:
    case VALUE_DICT:
        return depth < DEEPEST_PRINTED
                   ? json_items(run, value, indent, depth, out)
                   : template_fail(run, ERR_RANGE, "values inside each other without end");
    default:
        return template_fail(run, ERR_FORMAT, "%s has no JSON", value_kind_name(value));
    }
}
