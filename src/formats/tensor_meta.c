#include "formats/tensor_file_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t tensor_file_meta_count(const TensorFile *file)
{
    return file->metas.n;
}

const MetaValue *tensor_file_meta_at(const TensorFile *file, size_t index)
{
    AS_ASSERT(index < file->metas.n);
    return &file->metas.items[index];
}

static int compare_to_key(const void *key, const void *item)
{
    return strcmp(key, (*(const MetaValue *const *)item)->key);
}

const MetaValue *tensor_file_meta(const TensorFile *file, const char *key)
{
    const MetaValue *const *found = bsearch(key, (const void *)file->by_key, file->metas.n,
                                            sizeof *file->by_key, compare_to_key);
    return found ? *found : NULL;
}

static bool refuse_type(const TensorFile *file, const MetaValue *value, const char *expected,
                        Error *err)
{
    static const char *const names[] = {[META_NONE] = "nothing",
                                        [META_BOOL] = "truth value",
                                        [META_INT] = "whole number",
                                        [META_FLOAT] = "number",
                                        [META_STRING] = "string"};
    return error_set(err, ERR_FORMAT, "%s: metadata \"%s\" is %s%s, expected %s", file->path,
                     quote_name(value->key, strlen(value->key)).text,
                     value->is_array ? "an array of type " : "a ", names[value->type], expected);
}

/* Item i of a value of whole numbers or bools; false when it does not fit an int64. */
static bool item_int(const MetaValue *value, size_t i, int64_t *out)
{
#define ITEM(TYPE, Type)                                                                           \
    case TYPE: {                                                                                   \
        Type v;                                                                                    \
        memcpy(&v, (const unsigned char *)value->data + i * sizeof v, sizeof v);                   \
        *out = (int64_t)v;                                                                         \
        return true;                                                                               \
    }
    switch (value->gguf_type) {
        ITEM(GGUF_U8, uint8_t)
        ITEM(GGUF_BOOL, uint8_t)
        ITEM(GGUF_I8, int8_t)
        ITEM(GGUF_U16, uint16_t)
        ITEM(GGUF_I16, int16_t)
        ITEM(GGUF_U32, uint32_t)
        ITEM(GGUF_I32, int32_t)
        ITEM(GGUF_I64, int64_t)
    case GGUF_U64: {
        uint64_t v;
        memcpy(&v, (const unsigned char *)value->data + i * sizeof v, sizeof v);
        *out = (int64_t)v;
        return v <= INT64_MAX;
    }
    default:
        return false;
    }
#undef ITEM
}

static double item_number(const MetaValue *value, size_t i)
{
    if (value->gguf_type == GGUF_F32) {
        float v;
        memcpy(&v, (const unsigned char *)value->data + i * sizeof v, sizeof v);
        return (double)v;
    }
    if (value->gguf_type == GGUF_F64) {
        double v;
        memcpy(&v, (const unsigned char *)value->data + i * sizeof v, sizeof v);
        return v;
    }
    if (value->gguf_type == GGUF_U64) {
        uint64_t v;
        memcpy(&v, (const unsigned char *)value->data + i * sizeof v, sizeof v);
        return (double)v;
    }
    int64_t v = 0;
    (void)!item_int(value, i, &v);
    return (double)v;
}

bool tensor_file_get_int(const TensorFile *file, const char *key, int64_t lo, int64_t hi,
                         int64_t fallback, int64_t *out, Error *err)
{
    const MetaValue *value = tensor_file_meta(file, key);
    *out = fallback;
    if (!value) {
        return true;
    }
    if (value->is_array || value->type != META_INT) {
        return refuse_type(file, value, "a whole number", err);
    }
    int64_t v;
    if (!item_int(value, 0, &v) || v < lo || v > hi) {
        return error_set(err, ERR_FORMAT,
                         "%s: metadata \"%s\" is %.17g, expected a whole number from %lld to %lld",
                         file->path, key, item_number(value, 0), (long long)lo, (long long)hi);
    }
    *out = v;
    return true;
}

bool tensor_file_get_number(const TensorFile *file, const char *key, double fallback, double *out,
                            Error *err)
{
    const MetaValue *value = tensor_file_meta(file, key);
    *out = fallback;
    if (!value) {
        return true;
    }
    if (value->is_array || (value->type != META_INT && value->type != META_FLOAT)) {
        return refuse_type(file, value, "a number", err);
    }
    double v = item_number(value, 0);
    if (!isfinite(v)) {
        return error_set(err, ERR_FORMAT, "%s: metadata \"%s\" is %g, expected a finite number",
                         file->path, key, v);
    }
    *out = v;
    return true;
}

bool tensor_file_get_bool(const TensorFile *file, const char *key, bool fallback, bool *out,
                          Error *err)
{
    const MetaValue *value = tensor_file_meta(file, key);
    *out = fallback;
    if (!value) {
        return true;
    }
    if (value->is_array || value->type != META_BOOL) {
        return refuse_type(file, value, "a truth value", err);
    }
    *out = *(const unsigned char *)value->data != 0;
    return true;
}

bool tensor_file_get_string(const TensorFile *file, const char *key, TextView *out, Error *err)
{
    const MetaValue *value = tensor_file_meta(file, key);
    *out = (TextView){0};
    if (!value) {
        return true;
    }
    if (value->is_array || value->type != META_STRING) {
        return refuse_type(file, value, "a string", err);
    }
    *out = value->strings[0];
    return true;
}

bool tensor_file_get_strings(const TensorFile *file, const char *key, const TextView **items,
                             size_t *n_items, Error *err)
{
    const MetaValue *value = tensor_file_meta(file, key);
    *items = NULL;
    *n_items = 0;
    if (!value) {
        return true;
    }
    if (!value->is_array || value->type != META_STRING) {
        return refuse_type(file, value, "an array of strings", err);
    }
    *items = value->strings;
    *n_items = value->n_items;
    return true;
}

bool tensor_file_get_ints(const TensorFile *file, const char *key, Arena *arena, int64_t **items,
                          size_t *n_items, Error *err)
{
    const MetaValue *value = tensor_file_meta(file, key);
    *items = NULL;
    *n_items = 0;
    if (!value) {
        return true;
    }
    if (value->type != META_INT && value->type != META_BOOL) {
        return refuse_type(file, value, "an array of whole numbers", err);
    }
    int64_t *out = ARENA_ARRAY(arena, int64_t, value->n_items, err);
    if (!out) {
        return false;
    }
    for (size_t i = 0; i < value->n_items; i++) {
        if (!item_int(value, i, &out[i])) {
            return error_set(err, ERR_FORMAT, "%s: metadata \"%s\" has %.17g, past 2^63",
                             file->path, key, item_number(value, i));
        }
    }
    *items = out;
    *n_items = value->n_items;
    return true;
}

bool tensor_file_get_floats(const TensorFile *file, const char *key, Arena *arena, float **items,
                            size_t *n_items, Error *err)
{
    const MetaValue *value = tensor_file_meta(file, key);
    *items = NULL;
    *n_items = 0;
    if (!value) {
        return true;
    }
    if (value->type != META_INT && value->type != META_FLOAT) {
        return refuse_type(file, value, "an array of numbers", err);
    }
    float *out = ARENA_ARRAY(arena, float, value->n_items, err);
    if (!out) {
        return false;
    }
    for (size_t i = 0; i < value->n_items; i++) {
        out[i] = (float)item_number(value, i);
    }
    *items = out;
    *n_items = value->n_items;
    return true;
}
