#include "tokenizer/engine.h"

#include "base/str.h"

#include <string.h>

enum { DEEPEST_SEQUENCE = 8 };

static const ComponentKind *kind_find(const ComponentKind *table, const char *name)
{
    for (const ComponentKind *kind = table; kind->name; kind++) {
        if (strcmp(kind->name, name) == 0) {
            return kind;
        }
    }
    return NULL;
}

static bool unknown_kind(const Reader *reader, const ComponentKind *table, const char *what,
                         const char *name, Error *err)
{
    StrBuf known = {0};
    for (const ComponentKind *kind = table; kind->name; kind++) {
        if (!strbuf_printf(&known, err, "%s%s", known.n ? ", " : "", kind->name)) {
            strbuf_free(&known);
            return false;
        }
    }
    error_set(err, ERR_UNSUPPORTED, "%s: the %s \"%.*s\" is not known; known are %s", reader->name,
              what, CLIPPED(name), strbuf_text(&known));
    strbuf_free(&known);
    return false;
}

bool component_is_sequence(const Component *component)
{
    const ComponentKind *kind = component->kind;
    return !kind->normalize && !kind->split && !kind->process && !kind->decode;
}

static bool read_into(Reader *reader, const cJSON *json, const ComponentKind *table,
                      const char *what, Component *out, Error *err);

/** The children of a Sequence, whatever its list is called. */
static bool read_children(Reader *reader, const cJSON *json, const ComponentKind *table,
                          const char *what, Component *out, Error *err)
{
    static const char *const keys[] = {"normalizers", "pretokenizers", "processors", "decoders"};
    const cJSON *list = NULL;
    for (size_t i = 0; i < AS_COUNT(keys) && !list; i++) {
        list = json_get(json, keys[i]);
    }
    if (!cJSON_IsArray(list)) {
        return error_set(err, ERR_FORMAT, "%s: a Sequence of a %s has no list", reader->name, what);
    }
    if (reader->depth >= DEEPEST_SEQUENCE) {
        return error_set(err, ERR_FORMAT, "%s: Sequences are nested more than %d deep",
                         reader->name, DEEPEST_SEQUENCE);
    }
    reader->depth++;
    size_t n = (size_t)cJSON_GetArraySize(list);
    out->children = ARENA_ARRAY(&reader->tokenizer->arena, Component, n, err);
    bool ok = out->children != NULL;
    for (const cJSON *item = list->child; item && ok; item = item->next) {
        ok = read_into(reader, item, table, what, &out->children[out->n_children], err);
        out->n_children++;
    }
    reader->depth--;
    return ok;
}

static bool read_into(Reader *reader, const cJSON *json, const ComponentKind *table,
                      const char *what, Component *out, Error *err)
{
    const char *name = json_get_string(json, "type", NULL);
    if (!name) {
        return error_set(err, ERR_FORMAT, "%s: a %s without a \"type\"", reader->name, what);
    }
    out->kind = kind_find(table, name);
    if (!out->kind) {
        return unknown_kind(reader, table, what, name, err);
    }
    if (component_is_sequence(out)) {
        return read_children(reader, json, table, what, out, err);
    }
    return !out->kind->read || out->kind->read(reader, json, out, err);
}

bool component_read(Reader *reader, const cJSON *json, const ComponentKind *table, const char *what,
                    Component **out, Error *err)
{
    *out = NULL;
    if (!json) {
        return true;
    }
    Component *component = ARENA_NEW(&reader->tokenizer->arena, Component, err);
    if (!component || !read_into(reader, json, table, what, component, err)) {
        return false;
    }
    *out = component;
    return true;
}

Component *component_create(Tokenizer *tokenizer, const ComponentKind *table, const char *kind,
                            uint32_t n_children, Error *err)
{
    Component *component = ARENA_NEW(&tokenizer->arena, Component, err);
    if (!component) {
        return NULL;
    }
    component->kind = kind_find(table, kind);
    AS_ASSERT(component->kind);
    component->n_children = n_children;
    component->children = ARENA_ARRAY(&tokenizer->arena, Component, n_children, err);
    return component->children ? component : NULL;
}

const Component *component_find(const Component *component, const char *kind)
{
    if (!component || strcmp(component->kind->name, kind) == 0) {
        return component;
    }
    for (uint32_t i = 0; i < component->n_children; i++) {
        const Component *found = component_find(&component->children[i], kind);
        if (found) {
            return found;
        }
    }
    return NULL;
}

Regex *tokenizer_add_regex(Tokenizer *tokenizer, const char *pattern, bool is_literal, Error *err)
{
    size_t n = strlen(pattern);
    Regex *regex =
        is_literal ? regex_compile_literal(pattern, n, err) : regex_compile(pattern, n, err);
    if (regex && !ARRAY_PUSH(&tokenizer->regexes, regex, err)) {
        regex_free(regex);
        return NULL;
    }
    return regex;
}

bool component_read_pattern(Reader *reader, const cJSON *json, Component *component, Error *err)
{
    const cJSON *pattern = json_get(json, "pattern");
    const char *literal = json_get_string(pattern, "String", NULL);
    const char *regex = json_get_string(pattern, "Regex", NULL);
    if (!literal && !regex) {
        return error_set(err, ERR_FORMAT,
                         "%s: %s needs a pattern {\"String\": …} or {\"Regex\": …}", reader->name,
                         component->kind->name);
    }
    component->regex =
        tokenizer_add_regex(reader->tokenizer, literal ? literal : regex, literal != NULL, err);
    return component->regex || error_wrap(err, "%s: %s", reader->name, component->kind->name);
}

bool component_read_text(Reader *reader, const cJSON *json, const char *key, const char *fallback,
                         Component *component, Error *err)
{
    const char *text = json_get_string(json, key, fallback);
    if (!text) {
        return error_set(err, ERR_FORMAT, "%s: %s needs a text \"%s\"", reader->name,
                         component->kind->name, key);
    }
    component->n_text = strlen(text);
    component->text = arena_strdup(&reader->tokenizer->arena, text, err);
    return component->text != NULL;
}
