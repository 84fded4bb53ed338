#include "tokenizer/template.h"

#include "tokenizer/template_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool wrong_kind(TemplateRun *run, const char *name, const Value *value)
{
    return template_fail(run, ERR_FORMAT, "%s of %s", name, value_kind_name(value));
}

/* ---- filters ---- */

typedef bool (*Filter)(TemplateRun *run, const Value *in, const TemplateArguments *args,
                       Value *out);

/** Any value as its text. */
static bool filter_string(TemplateRun *run, const Value *in, const TemplateArguments *args,
                          Value *out)
{
    (void)args;
    StrBuf all = {0};
    *out = *in;
    bool ok = in->kind == VALUE_STRING ||
              (value_print(run, in, &all) && value_copy_text(run, strbuf_text(&all), all.n, out));
    strbuf_free(&all);
    return ok;
}

static bool filter_trim(TemplateRun *run, const Value *in, const TemplateArguments *args,
                        Value *out)
{
    Value text;
    const Value *which = template_argument(args, 0, "chars");
    if (!filter_string(run, in, args, &text)) {
        return false;
    }
    *out = template_strip(&text, which && which->kind == VALUE_STRING ? which : NULL, true, true);
    return template_step(run, 1 + (text.n - out->n) / 4);
}

static bool filter_length(TemplateRun *run, const Value *in, const TemplateArguments *args,
                          Value *out)
{
    (void)args;
    int64_t n = 0;
    if (in->kind == VALUE_LIST) {
        n = (int64_t)in->list->items.n;
    } else if (in->kind == VALUE_DICT) {
        n = (int64_t)in->dict->items.n;
    } else if (in->kind == VALUE_STRING) {
        for (size_t i = 0; i < in->n; i++) {
            n += ((uint8_t)in->text[i] & 0xC0) != 0x80;
        }
    } else if (in->kind != VALUE_UNDEFINED) {
        return wrong_kind(run, "length", in);
    }
    *out = value_int(n);
    return template_step(run, in->kind == VALUE_STRING ? in->n / 16 : 1);
}

static bool change_case(TemplateRun *run, const Value *in, TemplateCase change, Value *out)
{
    Value text;
    return filter_string(run, in, NULL, &text) && template_change_case(run, &text, change, out);
}

static bool filter_upper(TemplateRun *run, const Value *in, const TemplateArguments *args,
                         Value *out)
{
    (void)args;
    return change_case(run, in, CASE_UPPER, out);
}

static bool filter_lower(TemplateRun *run, const Value *in, const TemplateArguments *args,
                         Value *out)
{
    (void)args;
    return change_case(run, in, CASE_LOWER, out);
}

static bool filter_title(TemplateRun *run, const Value *in, const TemplateArguments *args,
                         Value *out)
{
    (void)args;
    return change_case(run, in, CASE_TITLE, out);
}

static bool filter_capitalize(TemplateRun *run, const Value *in, const TemplateArguments *args,
                              Value *out)
{
    (void)args;
    return change_case(run, in, CASE_CAPITAL, out);
}

static bool filter_default(TemplateRun *run, const Value *in, const TemplateArguments *args,
                           Value *out)
{
    (void)run;
    const Value *fallback = template_argument(args, 0, "default_value");
    const Value *falsy = template_argument(args, 1, "boolean");
    bool takes =
        in->kind == VALUE_UNDEFINED || (falsy && value_is_true(falsy) && !value_is_true(in));
    *out = !takes ? *in : fallback ? *fallback : value_text("", 0);
    return true;
}

/** Items, keys or characters. */
static bool filter_list(TemplateRun *run, const Value *in, const TemplateArguments *args,
                        Value *out)
{
    (void)args;
    if (in->kind == VALUE_LIST) {
        *out = *in;
        return true;
    }
    if (in->kind == VALUE_DICT) {
        return template_dict_items(run, in->dict, true, false, out);
    }
    bool ok = value_list(run, out);
    if (in->kind == VALUE_STRING) {
        for (size_t at = 0; at < in->n && ok;) {
            uint32_t c;
            size_t n = utf8_decode(in->text + at, in->n - at, &c);
            ok = value_list_add(run, out->list, value_text(in->text + at, n));
            at += n;
        }
    } else if (in->kind != VALUE_UNDEFINED) {
        return wrong_kind(run, "a list", in);
    }
    return ok;
}

/** The items. Python's filters over items look at them only when they are asked for, so templates
 *  filter none where they never ask: none has no items here. */
static bool need_list(TemplateRun *run, const Value *in, Value *list)
{
    return in->kind == VALUE_NONE ? value_list(run, list) : filter_list(run, in, NULL, list);
}

static bool part_of(TemplateRun *run, const Value *item, const Value *attribute, Value *out)
{
    if (attribute->kind == VALUE_INT && item->kind == VALUE_LIST) {
        int64_t i = attribute->integer;
        bool is_there = i >= 0 && i < (int64_t)item->list->items.n;
        *out = is_there ? item->list->items.items[i] : (Value){0};
        return true;
    }
    return template_attribute(run, item, attribute, true, out);
}

static bool filter_join(TemplateRun *run, const Value *in, const TemplateArguments *args,
                        Value *out)
{
    Value list;
    Value between = value_text("", 0);
    const Value *given = template_argument(args, 0, "d");
    const Value *attribute = template_argument(args, 1, "attribute");
    Value parts;
    bool ok = need_list(run, in, &list) && value_list(run, &parts) &&
              (!given || filter_string(run, given, NULL, &between));
    for (size_t i = 0; ok && attribute && i < list.list->items.n; i++) {
        Value part;
        ok = part_of(run, &list.list->items.items[i], attribute, &part) &&
             value_list_add(run, parts.list, part);
    }
    return ok && template_join(run, attribute ? &parts : &list, &between, out);
}

static bool filter_replace(TemplateRun *run, const Value *in, const TemplateArguments *args,
                           Value *out)
{
    const Value *from = template_argument(args, 0, "old");
    const Value *to = template_argument(args, 1, "new");
    const Value *most = template_argument(args, 2, "count");
    Value text;
    if (!from || !to || from->kind != VALUE_STRING || to->kind != VALUE_STRING) {
        return template_fail(run, ERR_FORMAT, "replace needs two texts");
    }
    return filter_string(run, in, NULL, &text) &&
           template_replace(run, &text, from, to,
                            most && most->kind == VALUE_INT ? most->integer : -1, out);
}

static bool take_end(TemplateRun *run, const Value *in, bool last, Value *out)
{
    Value list;
    if (!need_list(run, in, &list)) {
        return false;
    }
    size_t n = list.list->items.n;
    *out = n ? list.list->items.items[last ? n - 1 : 0] : (Value){0};
    return true;
}

static bool filter_first(TemplateRun *run, const Value *in, const TemplateArguments *args,
                         Value *out)
{
    (void)args;
    return take_end(run, in, false, out);
}

static bool filter_last(TemplateRun *run, const Value *in, const TemplateArguments *args,
                        Value *out)
{
    (void)args;
    return take_end(run, in, true, out);
}

static bool filter_reverse(TemplateRun *run, const Value *in, const TemplateArguments *args,
                           Value *out)
{
    (void)args;
    Value list;
    bool ok = need_list(run, in, &list) && value_list(run, out);
    for (size_t i = ok ? list.list->items.n : 0; i-- > 0 && ok;) {
        ok = value_list_add(run, out->list, list.list->items.items[i]);
    }
    return ok && (in->kind != VALUE_STRING ||
                  template_join(run, &(Value){.kind = VALUE_LIST, .list = out->list},
                                &(Value){.kind = VALUE_STRING, .text = ""}, out));
}

static bool filter_unique(TemplateRun *run, const Value *in, const TemplateArguments *args,
                          Value *out)
{
    (void)args;
    Value list;
    bool ok = need_list(run, in, &list) && value_list(run, out);
    for (size_t i = 0; ok && i < list.list->items.n; i++) {
        bool seen = false;
        for (size_t k = 0; k < out->list->items.n && !seen; k++) {
            seen = value_equals(run, &out->list->items.items[k], &list.list->items.items[i]);
        }
        ok = template_step(run, out->list->items.n) &&
             (seen || value_list_add(run, out->list, list.list->items.items[i]));
    }
    return ok;
}

static bool filter_int(TemplateRun *run, const Value *in, const TemplateArguments *args, Value *out)
{
    (void)run;
    const Value *fallback = template_argument(args, 0, "default");
    double number;
    *out = fallback ? *fallback : value_int(0);
    if (in->kind == VALUE_INT) {
        *out = *in;
    } else if (value_number(in, &number)) {
        *out = fabs(number) < 0x1p62 ? value_int((int64_t)number) : *out;
    } else if (in->kind == VALUE_STRING && in->n < 32) {
        char digits[32] = {0};
        char *end = digits;
        memcpy(digits, in->text, in->n);
        number = strtod(digits, &end);
        bool is_number = end > digits && *end == '\0' && fabs(number) < 0x1p53;
        *out = is_number ? value_int((int64_t)number) : *out;
    }
    return true;
}

static bool filter_abs(TemplateRun *run, const Value *in, const TemplateArguments *args, Value *out)
{
    (void)args;
    double number;
    if (!value_number(in, &number) || (in->kind == VALUE_INT && in->integer == INT64_MIN)) {
        return wrong_kind(run, "abs", in);
    }
    *out = in->kind == VALUE_FLOAT ? (Value){.kind = VALUE_FLOAT, .number = fabs(number)}
           : in->kind == VALUE_INT ? value_int(in->integer < 0 ? -in->integer : in->integer)
                                   : value_int(in->truth);
    return true;
}

static bool filter_items(TemplateRun *run, const Value *in, const TemplateArguments *args,
                         Value *out)
{
    (void)args;
    if (in->kind == VALUE_UNDEFINED) {
        return value_list(run, out);
    }
    return in->kind == VALUE_DICT ? template_dict_items(run, in->dict, true, true, out)
                                  : wrong_kind(run, "items", in);
}

/** [key, value] by key, which are all texts or all numbers. */
static bool filter_dictsort(TemplateRun *run, const Value *in, const TemplateArguments *args,
                            Value *out)
{
    (void)args;
    if (in->kind != VALUE_DICT) {
        return wrong_kind(run, "dictsort", in);
    }
    if (!template_dict_items(run, in->dict, true, true, out)) {
        return false;
    }
    Value *items = out->list->items.items;
    for (size_t i = 1; i < out->list->items.n; i++) {
        for (size_t k = i; k > 0; k--) {
            int order = 0;
            if (!template_step(run, 1 + value_compare_cost(&items[k - 1].list->items.items[0],
                                                           &items[k].list->items.items[0]))) {
                return false;
            }
            if (!value_compare(&items[k - 1].list->items.items[0], &items[k].list->items.items[0],
                               &order)) {
                return template_fail(run, ERR_FORMAT, "dictsort of keys of several kinds");
            }
            if (order <= 0) {
                break;
            }
            Value moved = items[k];
            items[k] = items[k - 1];
            items[k - 1] = moved;
        }
    }
    return true;
}

static bool filter_tojson(TemplateRun *run, const Value *in, const TemplateArguments *args,
                          Value *out)
{
    StrBuf all = {0};
    const Value *indent = template_argument(args, 1, "indent");
    int64_t spaces = indent && indent->kind == VALUE_INT ? indent->integer : -1;
    bool ok = value_print_json(run, in, (int)AS_MAX(-1, AS_MIN(spaces, 16)), 0, &all) &&
              value_copy_text(run, strbuf_text(&all), all.n, out);
    strbuf_free(&all);
    return ok;
}

/** Every line but the first with blanks before it. */
static bool filter_indent(TemplateRun *run, const Value *in, const TemplateArguments *args,
                          Value *out)
{
    static const char blanks[] = "                ";
    const Value *width = template_argument(args, 0, "width");
    const Value *first = template_argument(args, 1, "first");
    int64_t n = width && width->kind == VALUE_INT ? width->integer : 4;
    if (in->kind != VALUE_STRING || n < 0 || n >= (int64_t)sizeof blanks) {
        return wrong_kind(run, "indent", in);
    }
    StrBuf all = {0};
    bool ok = !(first && value_is_true(first)) || strbuf_add(&all, blanks, (size_t)n, run->err);
    for (size_t i = 0; i < in->n && ok; i++) {
        bool ends_line = in->text[i] == '\n' && i + 1 < in->n && in->text[i + 1] != '\n';
        ok = strbuf_add(&all, in->text + i, 1, run->err) &&
             (!ends_line ||
              (template_spend(run, (size_t)n) && strbuf_add(&all, blanks, (size_t)n, run->err)));
    }
    ok = ok && value_copy_text(run, strbuf_text(&all), all.n, out);
    strbuf_free(&all);
    return ok;
}

static bool filter_safe(TemplateRun *run, const Value *in, const TemplateArguments *args,
                        Value *out)
{
    (void)run;
    (void)args;
    *out = *in;
    return true;
}

/** The arguments behind the first `n` without a name. */
static TemplateArguments without_first(const TemplateArguments *args, size_t n)
{
    n = AS_MIN(n, args->n);
    return (TemplateArguments){args->values + n, args->names + n, args->n - n};
}

static bool filter_map(TemplateRun *run, const Value *in, const TemplateArguments *args, Value *out)
{
    Value list;
    const Value *attribute = template_argument(args, SIZE_MAX, "attribute");
    const Value *name = template_argument(args, 0, "");
    if (!attribute && (!name || name->kind != VALUE_STRING)) {
        return template_fail(run, ERR_FORMAT, "map needs an attribute or a filter");
    }
    TemplateArguments rest = without_first(args, 1);
    bool ok = need_list(run, in, &list) && value_list(run, out);
    for (size_t i = 0; ok && i < list.list->items.n; i++) {
        Value item = list.list->items.items[i];
        Value mapped;
        ok = (attribute ? part_of(run, &item, attribute, &mapped)
                        : template_filter(run, name->text, &item, &rest, &mapped)) &&
             value_list_add(run, out->list, mapped);
    }
    return ok;
}

/** select, reject, selectattr and rejectattr. */
static bool choose(TemplateRun *run, const Value *in, const TemplateArguments *args,
                   bool by_attribute, bool rejects, Value *out)
{
    Value list;
    const Value *attribute = by_attribute ? template_argument(args, 0, "") : NULL;
    const Value *test = template_argument(args, by_attribute, "");
    TemplateArguments rest = without_first(args, by_attribute + 1u);
    if ((by_attribute && !attribute) || (test && test->kind != VALUE_STRING)) {
        return template_fail(run, ERR_FORMAT, "select and reject need names");
    }
    bool ok = need_list(run, in, &list) && value_list(run, out);
    for (size_t i = 0; ok && i < list.list->items.n; i++) {
        Value item = list.list->items.items[i];
        Value value = item;
        bool holds = false;
        ok = !attribute || part_of(run, &item, attribute, &value);
        if (ok && test) {
            ok = template_test(run, test->text, &value, &rest, &holds);
        } else {
            holds = value_is_true(&value);
        }
        ok = ok && (holds == rejects || value_list_add(run, out->list, item));
    }
    return ok;
}

static bool filter_select(TemplateRun *run, const Value *in, const TemplateArguments *args,
                          Value *out)
{
    return choose(run, in, args, false, false, out);
}

static bool filter_reject(TemplateRun *run, const Value *in, const TemplateArguments *args,
                          Value *out)
{
    return choose(run, in, args, false, true, out);
}

static bool filter_selectattr(TemplateRun *run, const Value *in, const TemplateArguments *args,
                              Value *out)
{
    return choose(run, in, args, true, false, out);
}

static bool filter_rejectattr(TemplateRun *run, const Value *in, const TemplateArguments *args,
                              Value *out)
{
    return choose(run, in, args, true, true, out);
}

static const struct {
    const char *name;
    Filter run;
} FILTERS[] = {
    {"abs", filter_abs},
    {"capitalize", filter_capitalize},
    {"count", filter_length},
    {"d", filter_default},
    {"default", filter_default},
    {"dictsort", filter_dictsort},
    {"first", filter_first},
    {"indent", filter_indent},
    {"int", filter_int},
    {"items", filter_items},
    {"join", filter_join},
    {"last", filter_last},
    {"length", filter_length},
    {"list", filter_list},
    {"lower", filter_lower},
    {"map", filter_map},
    {"reject", filter_reject},
    {"rejectattr", filter_rejectattr},
    {"replace", filter_replace},
    {"reverse", filter_reverse},
    {"safe", filter_safe},
    {"select", filter_select},
    {"selectattr", filter_selectattr},
    {"string", filter_string},
    {"title", filter_title},
    {"tojson", filter_tojson},
    {"trim", filter_trim},
    {"unique", filter_unique},
    {"upper", filter_upper},
};

bool template_filter(TemplateRun *run, const char *name, const Value *in,
                     const TemplateArguments *args, Value *out)
{
    for (size_t i = 0; i < AS_COUNT(FILTERS); i++) {
        if (strcmp(FILTERS[i].name, name) == 0) {
            return FILTERS[i].run(run, in, args, out);
        }
    }
    return template_fail(run, ERR_UNSUPPORTED, "the filter \"%.40s\" is not known", name);
}

/* ---- functions ---- */

static bool call_range(TemplateRun *run, const TemplateArguments *args, Value *out)
{
    int64_t values[3] = {0, 0, 1};
    for (size_t i = 0; i < 3 && i < args->n; i++) {
        if (args->values[i].kind != VALUE_INT) {
            return wrong_kind(run, "range", &args->values[i]);
        }
        values[i] = args->values[i].integer;
    }
    if (args->n == 1) {
        values[1] = values[0];
        values[0] = 0;
    }
    if (args->n == 0 || values[2] == 0) {
        return template_fail(run, ERR_FORMAT, "range needs an end and a step that is not 0");
    }
    bool ok = value_list(run, out);
    for (int64_t i = values[0]; ok && (values[2] > 0 ? i < values[1] : i > values[1]);) {
        ok = value_list_add(run, out->list, value_int(i));
        if (__builtin_add_overflow(i, values[2], &i)) {
            break;
        }
    }
    return ok;
}

static bool call_dict(TemplateRun *run, const TemplateArguments *args, bool is_namespace,
                      Value *out)
{
    bool ok = value_dict(run, out);
    out->is_namespace = is_namespace;
    for (size_t i = 0; i < args->n && ok; i++) {
        Value key = value_text(args->names[i], strlen(args->names[i]));
        ok = key.n ? value_dict_set(run, out->dict, key, args->values[i])
                   : template_fail(run, ERR_UNSUPPORTED, "dict and namespace take name=value");
    }
    return ok;
}

static bool call_raise(TemplateRun *run, const TemplateArguments *args)
{
    const Value *message = template_argument(args, 0, "message");
    bool is_text = message && message->kind == VALUE_STRING;
    return template_fail(run, ERR_FORMAT, "the template refuses: %.*s",
                         is_text ? (int)AS_MIN(message->n, 150) : 0, is_text ? message->text : "");
}

static bool call_strftime(TemplateRun *run, const TemplateArguments *args, Value *out)
{
    const Value *format = template_argument(args, 0, "format");
    char spelled[64] = {0};
    char date[256];
    time_t now = (time_t)run->time_s;
    struct tm parts;
    if (!format || format->kind != VALUE_STRING || format->n >= sizeof spelled ||
        !localtime_r(&now, &parts)) {
        return template_fail(run, ERR_FORMAT, "strftime_now needs a short format");
    }
    memcpy(spelled, format->text, format->n);
    size_t n = strftime(date, sizeof date, spelled, &parts);
    return value_copy_text(run, date, n, out);
}

static const char *const FUNCTIONS[] = {"range", "namespace", "dict", "raise_exception",
                                        "strftime_now"};

bool template_has_function(const char *name)
{
    for (size_t i = 0; i < AS_COUNT(FUNCTIONS); i++) {
        if (strcmp(FUNCTIONS[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool template_call_function(TemplateRun *run, const char *name, const TemplateArguments *args,
                            Value *out)
{
    if (strcmp(name, "range") == 0) {
        return call_range(run, args, out);
    }
    if (strcmp(name, "raise_exception") == 0) {
        return call_raise(run, args);
    }
    if (strcmp(name, "strftime_now") == 0) {
        return call_strftime(run, args, out);
    }
    return call_dict(run, args, strcmp(name, "namespace") == 0, out);
}
