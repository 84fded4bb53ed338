/* Values of options: from what a person types to numbers, with the domain checked. */
#include "base/str.h"
#include "registry/nearest.h"
#include "registry/options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is printed of a bad value: enough to recognise it. */
#define SHOWN "%.60s"

static bool refuse(const OptionDef *option, const char *text, const char *expected, Error *err)
{
    return error_set(err, ERR_USAGE, "--%s: '" SHOWN "' is not %s", option->name, text, expected);
}

/* Digits [begin, end) as a whole number without a sign; false when it is none or too large. */
static bool read_whole(const char *begin, const char *end, int64_t *value)
{
    if (begin == end || end - begin > 18) {
        return false;
    }
    int64_t n = 0;
    for (const char *c = begin; c < end; c++) {
        if (*c < '0' || *c > '9') {
            return false;
        }
        n = n * 10 + (*c - '0');
    }
    *value = n;
    return true;
}

static bool in_domain(const OptionDef *option, int64_t value)
{
    return (double)value >= option->lo && (double)value <= option->hi;
}

static bool parse_int(const OptionDef *option, const char *text, int64_t *value, Error *err)
{
    if (!read_whole(text, text + strlen(text), value) || !in_domain(option, *value)) {
        return error_set(err, ERR_USAGE,
                         "--%s: '" SHOWN "' is not a whole number from %.0f to %.0f", option->name,
                         text, option->lo, option->hi);
    }
    return true;
}

static bool parse_number(const OptionDef *option, const char *text, double *value, Error *err)
{
    char *end;
    errno = 0;
    double v = strtod(text, &end);
    /* strtod takes blanks, "inf" and hexadecimal floats too: nobody means these here */
    bool plain = text[strspn(text, "0123456789.eE+-")] == 0;
    if (!plain || end == text || *end || errno == ERANGE || !isfinite(v) || v < option->lo ||
        v > option->hi) {
        return error_set(err, ERR_USAGE, "--%s: '" SHOWN "' is not a number from %g to %g",
                         option->name, text, option->lo, option->hi);
    }
    *value = v;
    return true;
}

static bool parse_range(const OptionDef *option, const char *text, OptionValue *value, Error *err)
{
    const char *colon = strchr(text, ':');
    const char *end = text + strlen(text);
    value->first = 0;
    value->end = -1;
    if (!colon || (colon > text && !read_whole(text, colon, &value->first)) ||
        (colon + 1 < end && !read_whole(colon + 1, end, &value->end))) {
        return refuse(option, text, "a range: A:B, A: or :B, counted from 0, without B", err);
    }
    if (value->end >= 0 && value->end <= value->first) {
        return error_set(err, ERR_USAGE, "--%s: '" SHOWN "' is empty: B must be larger than A",
                         option->name, text);
    }
    return true;
}

static bool parse_size(const OptionDef *option, const char *text, OptionValue *value, Error *err)
{
    const char *x = strchr(text, 'x');
    if (!x || !read_whole(text, x, &value->first) ||
        !read_whole(x + 1, text + strlen(text), &value->end) || !in_domain(option, value->first) ||
        !in_domain(option, value->end)) {
        return error_set(err, ERR_USAGE,
                         "--%s: '" SHOWN "' is not WIDTHxHEIGHT, each from %.0f to %.0f",
                         option->name, text, option->lo, option->hi);
    }
    return true;
}

/* Numbers by commas; with a dot in each item ("3.2") for heads. */
static bool parse_list(const OptionDef *option, const char *text, Arena *arena, OptionValue *value,
                       Error *err)
{
    bool heads = option->type == OPTION_HEADS;
    size_t n = 1;
    for (const char *c = text; *c; c++) {
        n += *c == ',';
    }
    int32_t *list = ARENA_ARRAY(arena, int32_t, heads ? 2 * n : n, err);
    if (!list) {
        return false;
    }
    size_t done = 0;
    for (const char *item = text; done < n; done++) {
        const char *end = item + strcspn(item, ",");
        const char *dot = heads ? memchr(item, '.', (size_t)(end - item)) : NULL;
        int64_t a = 0;
        int64_t b = 0;
        bool ok = heads ? dot && read_whole(item, dot, &a) && read_whole(dot + 1, end, &b) &&
                              a <= INT32_MAX && b <= INT32_MAX
                        : read_whole(item, end, &a) && in_domain(option, a);
        if (!ok && item == end) {
            return error_set(err, ERR_USAGE, "--%s: %s in '" SHOWN "': %s is missing", option->name,
                             n == 1 ? "nothing" : "an empty place between commas", text,
                             heads ? "LAYER.HEAD" : "a whole number");
        }
        if (!ok) {
            char shown[32];
            size_t n_shown = AS_MIN((size_t)(end - item), sizeof shown - 1);
            memcpy(shown, item, n_shown);
            shown[n_shown] = 0;
            if (heads) {
                return error_set(err, ERR_USAGE,
                                 "--%s: '%s' is not LAYER.HEAD, such as 3.2 (several by commas)",
                                 option->name, shown);
            }
            return error_set(err, ERR_USAGE, "--%s: '%s' is not a whole number from %.0f to %.0f%s",
                             option->name, shown, option->lo, option->hi,
                             option->one_value ? "" : " (several by commas, without spaces)");
        }
        if (heads) {
            list[2 * done] = (int32_t)a;
            list[2 * done + 1] = (int32_t)b;
        } else {
            list[done] = (int32_t)a;
        }
        item = end + 1;
    }
    value->list = list;
    value->n_list = n;
    value->integer = list[0];
    return true;
}

enum { MAX_CHOICES = 16, MAX_CHOICE_BYTES = 16 };

static bool parse_choice(const OptionDef *option, const char *text, int64_t *value, Error *err)
{
    char words[MAX_CHOICES][MAX_CHOICE_BYTES];
    const char *pointers[MAX_CHOICES];
    char expected[160] = "";
    size_t used = 0;
    int n = 0;
    for (const char *c = option->choices; n < MAX_CHOICES; n++) {
        size_t length = strcspn(c, "|");
        AS_ASSERT(length < MAX_CHOICE_BYTES && used + length + 3 < sizeof expected);
        memcpy(words[n], c, length);
        words[n][length] = 0;
        pointers[n] = words[n];
        if (!strcmp(text, words[n])) {
            *value = n;
            return true;
        }
        memcpy(expected + used, n ? ", " : "", n ? 2 : 0);
        used += n ? 2 : 0;
        memcpy(expected + used, words[n], length + 1);
        used += length;
        if (!c[length]) {
            n++;
            break;
        }
        c += length + 1;
    }
    int near = nearest_word(text, pointers, n);
    return error_set(err, ERR_USAGE, "--%s: '" SHOWN "' is not one of %s%s%s%s", option->name, text,
                     expected, near < 0 ? "" : "; did you mean ", near < 0 ? "" : pointers[near],
                     near < 0 ? "" : "?");
}

/* Each item is a choice of its own. */
static bool parse_choices(const OptionDef *option, const char *text, Arena *arena,
                          OptionValue *value, Error *err)
{
    size_t n = 1;
    for (const char *c = text; *c; c++) {
        n += *c == ',';
    }
    int32_t *list = ARENA_ARRAY(arena, int32_t, n, err);
    if (!list) {
        return false;
    }
    const char *item = text;
    for (size_t i = 0; i < n; i++) {
        size_t length = strcspn(item, ",");
        int64_t index;
        char *word = arena_strndup(arena, item, length, err);
        if (!word || !parse_choice(option, word, &index, err)) {
            return false;
        }
        list[i] = (int32_t)index;
        item += length + 1;
    }
    value->list = list;
    value->n_list = n;
    return true;
}

bool option_parse(const OptionDef *option, const char *text, Arena *arena, OptionValue *value,
                  Error *err)
{
    value->text = text;
    value->has = true;
    switch (option->type) {
    case OPTION_FLAG:
    case OPTION_STRING:
        return true;
    case OPTION_PATH:
        return *text ? true
                     : error_set(err, ERR_USAGE, "--%s: the file name is empty", option->name);
    case OPTION_INT:
        return parse_int(option, text, &value->integer, err);
    case OPTION_INDEX:
        value->integer = -1;
        if (!strcmp(text, "all")) {
            return true;
        }
        return read_whole(text, text + strlen(text), &value->integer) && value->integer <= INT32_MAX
                   ? true
                   : refuse(option, text, "a whole number from 0 to 2147483647, or all", err);
    case OPTION_NUMBER:
        return parse_number(option, text, &value->number, err);
    case OPTION_BYTES:
        return parse_bytes(text, &value->bytes) && value->bytes > 0
                   ? true
                   : refuse(option, text, "a size such as 8G, 512M or 1.5G", err);
    case OPTION_CHOICE:
        return parse_choice(option, text, &value->integer, err);
    case OPTION_CHOICES:
        return parse_choices(option, text, arena, value, err);
    case OPTION_RANGE:
        return parse_range(option, text, value, err);
    case OPTION_SIZE:
        return parse_size(option, text, value, err);
    case OPTION_INTS:
    case OPTION_HEADS:
        return parse_list(option, text, arena, value, err);
    }
    return error_set(err, ERR_INTERNAL, "--%s has a type that is not known", option->name);
}
