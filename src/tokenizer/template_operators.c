#include "tokenizer/template.h"

#include <math.h>
#include <string.h>

/** Python's division: rounded down, the remainder with the divisor's sign. */
static int64_t floor_divide(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a % b < 0) != (b < 0));
}

static bool whole_binary(TemplateRun *run, char sign, int64_t a, int64_t b, Value *out)
{
    int64_t result = 0;
    bool overflows = (sign == '/' || sign == '%') && a == INT64_MIN && b == -1;
    if ((sign == '/' || sign == '%') && b == 0) {
        return template_fail(run, ERR_FORMAT, "a division by zero");
    }
    switch (overflows ? 0 : sign) {
    case '+':
        overflows = __builtin_add_overflow(a, b, &result);
        break;
    case '-':
        overflows = __builtin_sub_overflow(a, b, &result);
        break;
    case '*':
        overflows = __builtin_mul_overflow(a, b, &result);
        break;
    case '/':
        result = floor_divide(a, b);
        break;
    case '%':
        result = a - floor_divide(a, b) * b;
        break;
    default:
        break;
    }
    *out = value_int(result);
    return !overflows || template_fail(run, ERR_RANGE, "a number of more than 64 bits");
}

static bool number_binary(TemplateRun *run, const char *name, const Value *a, const Value *b,
                          Value *out)
{
    double x;
    double y;
    value_number(a, &x);
    value_number(b, &y);
    bool is_whole = a->kind != VALUE_FLOAT && b->kind != VALUE_FLOAT;
    if (is_whole && strcmp(name, "/") != 0 && strcmp(name, "**") != 0) {
        int64_t i = a->kind == VALUE_INT ? a->integer : a->truth;
        int64_t k = b->kind == VALUE_INT ? b->integer : b->truth;
        return whole_binary(run, name[0], i, k, out);
    }
    if (strchr("/%", name[0]) && y == 0) {
        return template_fail(run, ERR_FORMAT, "a division by zero");
    }
    *out = (Value){.kind = VALUE_FLOAT};
    if (strcmp(name, "**") == 0) {
        out->number = pow(x, y);
        if (is_whole && y >= 0 && fabs(out->number) < 0x1p53) {
            *out = value_int((int64_t)out->number);
        }
        return true;
    }
    out->number = name[0] == '+'            ? x + y
                  : name[0] == '-'          ? x - y
                  : name[0] == '*'          ? x * y
                  : strcmp(name, "/") == 0  ? x / y
                  : strcmp(name, "//") == 0 ? floor(x / y)
                                            : x - floor(x / y) * y;
    return true;
}

/** str() of both, one behind the other. */
static bool concatenate(TemplateRun *run, const Value *a, const Value *b, Value *out)
{
    StrBuf all = {0};
    bool ok = value_print(run, a, &all) && value_print(run, b, &all) &&
              value_copy_text(run, strbuf_text(&all), all.n, out);
    strbuf_free(&all);
    return ok;
}

static bool repeat_text(TemplateRun *run, const Value *text, int64_t times, Value *out)
{
    StrBuf all = {0};
    bool ok = true;
    for (int64_t i = 0; i < times && text->n && ok; i++) {
        ok = template_step(run, 1) && template_spend(run, text->n) &&
             strbuf_add(&all, text->text, text->n, run->err);
    }
    ok = ok && value_copy_text(run, strbuf_text(&all), all.n, out);
    strbuf_free(&all);
    return ok;
}

static bool join_lists(TemplateRun *run, const Value *a, const Value *b, Value *out)
{
    bool ok = value_list(run, out);
    for (size_t i = 0; i < a->list->items.n && ok; i++) {
        ok = value_list_add(run, out->list, a->list->items.items[i]);
    }
    for (size_t i = 0; i < b->list->items.n && ok; i++) {
        ok = value_list_add(run, out->list, b->list->items.items[i]);
    }
    return ok;
}

bool template_binary(TemplateRun *run, const char *name, const Value *a, const Value *b, Value *out)
{
    double ignored;
    if (name[0] == '~') {
        return concatenate(run, a, b, out);
    }
    if (value_number(a, &ignored) && value_number(b, &ignored)) {
        return number_binary(run, name, a, b, out);
    }
    if (name[0] == '+' && a->kind == VALUE_STRING && b->kind == VALUE_STRING) {
        return concatenate(run, a, b, out);
    }
    if (name[0] == '+' && a->kind == VALUE_LIST && b->kind == VALUE_LIST) {
        return join_lists(run, a, b, out);
    }
    if (strcmp(name, "*") == 0 && a->kind == VALUE_STRING && b->kind == VALUE_INT) {
        return repeat_text(run, a, b->integer, out);
    }
    return template_fail(run, ERR_FORMAT, "%s %s %s means nothing", value_kind_name(a), name,
                         value_kind_name(b));
}

bool template_contains(TemplateRun *run, const Value *item, const Value *in, bool *out)
{
    *out = false;
    if (in->kind == VALUE_STRING && item->kind == VALUE_STRING) {
        *out = item->n == 0 || memmem(in->text, in->n, item->text, item->n) != NULL;
        return template_step(run, in->n / 64);
    }
    if (in->kind == VALUE_LIST) {
        for (size_t i = 0; i < in->list->items.n && !*out; i++) {
            *out = value_equals(run, item, &in->list->items.items[i]);
        }
        return template_step(run, in->list->items.n);
    }
    if (in->kind == VALUE_DICT) {
        if (!template_step(run, value_dict_cost(in->dict, item))) {
            return false;
        }
        *out = value_dict_find(in->dict, item) != NULL;
        return true;
    }
    if (in->kind == VALUE_UNDEFINED) {
        return true;
    }
    return template_fail(run, ERR_FORMAT, "nothing can be in %s", value_kind_name(in));
}

bool template_compare(TemplateRun *run, const char *name, const Value *a, const Value *b, bool *out)
{
    int order = 0;
    if (strcmp(name, "==") == 0 || strcmp(name, "!=") == 0) {
        *out = value_equals(run, a, b) == (name[0] == '=');
        return template_step(run, 1);
    }
    if (strcmp(name, "in") == 0) {
        return template_contains(run, a, b, out);
    }
    if (strcmp(name, "not in") == 0) {
        bool is_in;
        bool ok = template_contains(run, a, b, &is_in);
        *out = !is_in;
        return ok;
    }
    if (!template_step(run, value_compare_cost(a, b))) {
        return false;
    }
    if (!value_compare(a, b, &order)) {
        return template_fail(run, ERR_FORMAT, "%s %s %s means nothing", value_kind_name(a), name,
                             value_kind_name(b));
    }
    *out = name[0] == '<' ? (name[1] ? order <= 0 : order < 0) : (name[1] ? order >= 0 : order > 0);
    return true;
}
