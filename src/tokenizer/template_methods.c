#include "tokenizer/template.h"

#include "tokenizer/template_text.h"
#include "tokenizer/unicode.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

/* ---- texts ---- */

static bool is_blank(uint32_t c)
{
    return unicode_is_space(c) || (c >= 0x1C && c <= 0x1F);
}

/** Is the character among `which` (NULL = blank ones)? */
static bool is_among(uint32_t c, const Value *which)
{
    if (!which) {
        return is_blank(c);
    }
    for (size_t at = 0; at < which->n;) {
        uint32_t other;
        at += utf8_decode(which->text + at, which->n - at, &other);
        if (other == c) {
            return true;
        }
    }
    return false;
}

Value template_strip(const Value *text, const Value *which, bool left, bool right)
{
    size_t begin = 0;
    size_t end = text->n;
    uint32_t c;
    while (left && begin < end) {
        size_t n = utf8_decode(text->text + begin, end - begin, &c);
        if (!is_among(c, which)) {
            break;
        }
        begin += n;
    }
    while (right && end > begin) {
        size_t at = end - 1;
        while (at > begin && ((uint8_t)text->text[at] & 0xC0) == 0x80) {
            at--;
        }
        utf8_decode(text->text + at, end - at, &c);
        if (!is_among(c, which)) {
            break;
        }
        end = at;
    }
    return value_text(text->text + begin, end - begin);
}

bool template_change_case(TemplateRun *run, const Value *text, TemplateCase change, Value *out)
{
    StrBuf all = {0};
    bool ok = true;
    bool starts = true;
    for (size_t at = 0; at < text->n && ok;) {
        uint32_t c;
        char bytes[4];
        at += utf8_decode(text->text + at, text->n - at, &c);
        bool raises = change == CASE_UPPER || (change != CASE_LOWER && starts);
        c = (uint32_t)(raises ? utf8proc_toupper((utf8proc_int32_t)c)
                              : utf8proc_tolower((utf8proc_int32_t)c));
        ok = strbuf_add(&all, bytes, utf8_encode(c, bytes), run->err);
        starts = change == CASE_TITLE && !unicode_is_word(c);
    }
    ok = ok && template_step(run, text->n / 4) &&
         value_copy_text(run, strbuf_text(&all), all.n, out);
    strbuf_free(&all);
    return ok;
}

bool template_replace(TemplateRun *run, const Value *text, const Value *from, const Value *to,
                      int64_t most, Value *out)
{
    StrBuf all = {0};
    bool ok = true;
    size_t at = 0;
    while (ok && most != 0) {
        const char *hit =
            from->n ? memmem(text->text + at, text->n - at, from->text, from->n) : NULL;
        if (!hit) {
            break;
        }
        size_t stop = (size_t)(hit - text->text);
        ok = template_step(run, 1) && template_spend(run, to->n) &&
             strbuf_add(&all, text->text + at, stop - at, run->err) &&
             strbuf_add(&all, to->text, to->n, run->err);
        at = stop + from->n;
        most -= most > 0;
    }
    ok = ok && strbuf_add(&all, text->text + at, text->n - at, run->err) &&
         value_copy_text(run, strbuf_text(&all), all.n, out);
    strbuf_free(&all);
    return ok;
}

/** Without a separator: words between blanks. */
static bool split_words(TemplateRun *run, const Value *text, int64_t most, ValueList *list)
{
    Value rest = template_strip(text, NULL, true, false);
    while (rest.n) {
        size_t at = 0;
        size_t n = 0;
        uint32_t c;
        while (at < rest.n && (n = utf8_decode(rest.text + at, rest.n - at, &c)) && !is_blank(c)) {
            at += n;
        }
        at = most == 0 ? rest.n : at;
        if (!value_list_add(run, list, value_text(rest.text, at))) {
            return false;
        }
        most -= most > 0;
        rest = value_text(rest.text + at, rest.n - at);
        rest = template_strip(&rest, NULL, true, false);
    }
    return true;
}

static bool split(TemplateRun *run, const Value *text, const Value *by, int64_t most, Value *out)
{
    if (!value_list(run, out)) {
        return false;
    }
    if (!by || by->kind == VALUE_NONE) {
        return split_words(run, text, most, out->list);
    }
    if (by->kind != VALUE_STRING || by->n == 0) {
        return template_fail(run, ERR_FORMAT, "split by %s",
                             by->kind == VALUE_STRING ? "an empty text" : value_kind_name(by));
    }
    size_t at = 0;
    const char *hit;
    while (most != 0 && (hit = memmem(text->text + at, text->n - at, by->text, by->n))) {
        size_t stop = (size_t)(hit - text->text);
        if (!value_list_add(run, out->list, value_text(text->text + at, stop - at))) {
            return false;
        }
        at = stop + by->n;
        most -= most > 0;
    }
    return value_list_add(run, out->list, value_text(text->text + at, text->n - at));
}

static bool starts_or_ends(const Value *text, const Value *part, bool at_end)
{
    if (part->kind == VALUE_LIST) {
        for (size_t i = 0; i < part->list->items.n; i++) {
            const Value *item = &part->list->items.items[i];
            if (item->kind == VALUE_STRING && starts_or_ends(text, item, at_end)) {
                return true;
            }
        }
        return false;
    }
    return part->kind == VALUE_STRING && part->n <= text->n &&
           memcmp(text->text + (at_end ? text->n - part->n : 0), part->text, part->n) == 0;
}

bool template_join(TemplateRun *run, const Value *list, const Value *between, Value *out)
{
    StrBuf all = {0};
    bool ok = true;
    for (size_t i = 0; i < list->list->items.n && ok; i++) {
        ok = (i == 0 || (template_spend(run, between->n) &&
                         strbuf_add(&all, between->text, between->n, run->err))) &&
             value_print(run, &list->list->items.items[i], &all);
    }
    ok = ok && value_copy_text(run, strbuf_text(&all), all.n, out);
    strbuf_free(&all);
    return ok;
}

/* ---- methods ---- */

typedef enum Method {
    METHOD_STRIP,
    METHOD_LSTRIP,
    METHOD_RSTRIP,
    METHOD_SPLIT,
    METHOD_STARTSWITH,
    METHOD_ENDSWITH,
    METHOD_UPPER,
    METHOD_LOWER,
    METHOD_TITLE,
    METHOD_CAPITALIZE,
    METHOD_REPLACE,
    METHOD_JOIN,
    METHOD_FIND,
    METHOD_COUNT,
    METHOD_FORMAT,
    METHOD_ITEMS,
    METHOD_KEYS,
    METHOD_VALUES,
    METHOD_GET
} Method;

static const struct {
    const char *name;
    ValueKind of;
    int least; /* arguments it needs */
} METHODS[] = {
    [METHOD_STRIP] = {"strip", VALUE_STRING, 0},
    [METHOD_LSTRIP] = {"lstrip", VALUE_STRING, 0},
    [METHOD_RSTRIP] = {"rstrip", VALUE_STRING, 0},
    [METHOD_SPLIT] = {"split", VALUE_STRING, 0},
    [METHOD_STARTSWITH] = {"startswith", VALUE_STRING, 1},
    [METHOD_ENDSWITH] = {"endswith", VALUE_STRING, 1},
    [METHOD_UPPER] = {"upper", VALUE_STRING, 0},
    [METHOD_LOWER] = {"lower", VALUE_STRING, 0},
    [METHOD_TITLE] = {"title", VALUE_STRING, 0},
    [METHOD_CAPITALIZE] = {"capitalize", VALUE_STRING, 0},
    [METHOD_REPLACE] = {"replace", VALUE_STRING, 2},
    [METHOD_JOIN] = {"join", VALUE_STRING, 1},
    [METHOD_FIND] = {"find", VALUE_STRING, 1},
    [METHOD_COUNT] = {"count", VALUE_STRING, 1},
    [METHOD_FORMAT] = {"format", VALUE_STRING, 0},
    [METHOD_ITEMS] = {"items", VALUE_DICT, 0},
    [METHOD_KEYS] = {"keys", VALUE_DICT, 0},
    [METHOD_VALUES] = {"values", VALUE_DICT, 0},
    [METHOD_GET] = {"get", VALUE_DICT, 1},
};

static int find_method(const Value *self, const char *name)
{
    for (int i = 0; i < (int)AS_COUNT(METHODS); i++) {
        if (METHODS[i].of == self->kind && !self->is_namespace &&
            strcmp(METHODS[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

bool template_has_method(const Value *self, const char *name)
{
    return find_method(self, name) >= 0;
}

bool template_dict_items(TemplateRun *run, const ValueDict *dict, bool keys, bool values,
                         Value *out)
{
    bool ok = value_list(run, out);
    for (size_t i = 0; i < dict->items.n && ok; i++) {
        const ValueEntry *entry = &dict->items.items[i];
        Value item = keys ? entry->key : entry->value;
        if (keys && values) {
            ok = value_list(run, &item);
            item.is_tuple = true;
            ok = ok && value_list_add(run, item.list, entry->key) &&
                 value_list_add(run, item.list, entry->value);
        }
        ok = ok && value_list_add(run, out->list, item);
    }
    return ok;
}

static bool count_parts(TemplateRun *run, const Value *text, const Value *part, Value *out)
{
    int64_t n = 0;
    const char *end = text->text + text->n;
    for (const char *at = text->text; part->n; n++) {
        at = memmem(at, (size_t)(end - at), part->text, part->n);
        if (!at) {
            break;
        }
        at += part->n;
    }
    *out = value_int(n);
    return template_step(run, text->n / 16);
}

static bool find_part(TemplateRun *run, const Value *text, const Value *part, Value *out)
{
    const char *hit = part->n ? memmem(text->text, text->n, part->text, part->n) : text->text;
    int64_t at = hit ? 0 : -1;
    for (const char *c = text->text; hit && c < hit; c++) {
        at += ((uint8_t)*c & 0xC0) != 0x80;
    }
    *out = value_int(at);
    return template_step(run, text->n / 16);
}

static bool call_text_method(TemplateRun *run, const Value *self, Method method, const Value *a,
                             const Value *b, const Value *c, Value *out)
{
    bool needs_text = method == METHOD_FIND || method == METHOD_COUNT || method == METHOD_REPLACE ||
                      (a && method <= METHOD_RSTRIP && a->kind != VALUE_NONE);
    if ((needs_text && a->kind != VALUE_STRING) ||
        (method == METHOD_REPLACE && b->kind != VALUE_STRING)) {
        return template_fail(run, ERR_FORMAT, "%s() of %s", METHODS[method].name,
                             value_kind_name(a->kind == VALUE_STRING ? b : a));
    }
    const Value *most = method == METHOD_SPLIT ? b : c;
    int64_t n_most = most && most->kind == VALUE_INT ? most->integer : -1;
    switch (method) {
    case METHOD_STRIP:
    case METHOD_LSTRIP:
    case METHOD_RSTRIP:
        *out = template_strip(self, a && a->kind == VALUE_STRING ? a : NULL,
                              method != METHOD_RSTRIP, method != METHOD_LSTRIP);
        return template_step(run, 1 + (self->n - out->n) / 4);
    case METHOD_SPLIT:
        return split(run, self, a, n_most, out);
    case METHOD_STARTSWITH:
    case METHOD_ENDSWITH:
        if (!template_step(run,
                           (a->kind == VALUE_LIST ? a->list->items.n : 1) * (1 + self->n / 64))) {
            return false;
        }
        *out = value_bool(starts_or_ends(self, a, method == METHOD_ENDSWITH));
        return true;
    case METHOD_REPLACE:
        return template_replace(run, self, a, b, n_most, out);
    case METHOD_JOIN:
        return a->kind == VALUE_LIST
                   ? template_join(run, a, self, out)
                   : template_fail(run, ERR_FORMAT, "join() of %s", value_kind_name(a));
    case METHOD_FIND:
        return find_part(run, self, a, out);
    case METHOD_COUNT:
        return count_parts(run, self, a, out);
    default:
        return template_change_case(run, self,
                                    method == METHOD_UPPER   ? CASE_UPPER
                                    : method == METHOD_LOWER ? CASE_LOWER
                                    : method == METHOD_TITLE ? CASE_TITLE
                                                             : CASE_CAPITAL,
                                    out);
    }
}

/** {} {0} {name} {{ }}; nothing behind a colon or a point. */
static bool format(TemplateRun *run, const Value *self, const TemplateArguments *args, Value *out)
{
    StrBuf all = {0};
    size_t next = 0;
    bool ok = true;
    for (size_t at = 0; at < self->n && ok; at++) {
        char c = self->text[at];
        if (c != '{' && c != '}') {
            ok = strbuf_add(&all, &c, 1, run->err);
            continue;
        }
        const char *end = memchr(self->text + at, '}', self->n - at);
        char name[32] = {0};
        size_t n = end && c == '{' ? (size_t)(end - self->text) - at - 1 : 0;
        if (at + 1 < self->n && self->text[at + 1] == c) {
            ok = strbuf_add(&all, &c, 1, run->err);
            at++;
            continue;
        }
        if (c == '}' || !end || n >= sizeof name) {
            ok = template_fail(run, ERR_UNSUPPORTED, "format() of such a text");
            break;
        }
        memcpy(name, self->text + at + 1, n);
        bool is_number = n > 0 && strspn(name, "0123456789") == n && n < 4;
        const Value *value = n == 0 ? template_argument(args, next++, "")
                             : is_number
                                 ? template_argument(args, (size_t)strtoul(name, NULL, 10), "")
                                 : template_argument(args, SIZE_MAX, name);
        ok = value ? value_print(run, value, &all)
                   : template_fail(run, ERR_FORMAT, "format() misses a value for {%s}", name);
        at += n + 1;
    }
    ok = ok && template_step(run, self->n / 4) &&
         value_copy_text(run, strbuf_text(&all), all.n, out);
    strbuf_free(&all);
    return ok;
}

bool template_call_method(TemplateRun *run, const Value *self, const char *name,
                          const TemplateArguments *args, Value *out)
{
    int method = find_method(self, name);
    const Value *a = template_argument(args, 0, method == METHOD_SPLIT ? "sep" : "");
    const Value *b = template_argument(args, 1, method == METHOD_SPLIT ? "maxsplit" : "");
    const Value *c = template_argument(args, 2, "");
    if (method < 0 || (METHODS[method].least > 0 && !a) || (METHODS[method].least > 1 && !b)) {
        return template_fail(run, ERR_FORMAT, "%s() needs another number of values", name);
    }
    if (method == METHOD_FORMAT) {
        return format(run, self, args, out);
    }
    if (self->kind == VALUE_STRING) {
        return call_text_method(run, self, (Method)method, a, b, c, out);
    }
    if (method == METHOD_GET) {
        if (!template_step(run, value_dict_cost(self->dict, a))) {
            return false;
        }
        const Value *found = value_dict_find(self->dict, a);
        *out = found ? *found : b ? *b : value_none();
        return true;
    }
    return template_dict_items(run, self->dict, method != METHOD_VALUES, method != METHOD_KEYS,
                               out);
}

static bool bind_method(TemplateRun *run, const Value *value, const Value *key, Value *out)
{
    Value *self = ARENA_NEW(run->arena, Value, run->err);
    if (!self || !template_spend(run, 64)) {
        return false;
    }
    *self = *value;
    *out = (Value){.kind = VALUE_METHOD, .text = key->text, .n = key->n, .self = self};
    return true;
}

bool template_attribute(TemplateRun *run, const Value *value, const Value *key, bool is_item,
                        Value *out)
{
    *out = (Value){0};
    if (value->kind == VALUE_UNDEFINED) {
        return template_fail(run, ERR_FORMAT, "a part (%s) of something undefined",
                             key->kind == VALUE_STRING ? key->text : value_kind_name(key));
    }
    if (value->kind == VALUE_DICT && !template_step(run, value_dict_cost(value->dict, key))) {
        return false;
    }
    const Value *found = value->kind == VALUE_DICT ? value_dict_find(value->dict, key) : NULL;
    bool is_method = key->kind == VALUE_STRING && memchr(key->text, 0, key->n) == NULL &&
                     template_has_method(value, key->text);
    if (is_method && !(found && is_item)) {
        return bind_method(run, value, key, out);
    }
    if (found) {
        *out = *found;
    }
    return true;
}
