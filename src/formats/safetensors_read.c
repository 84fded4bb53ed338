#include "formats/tensor_file_internal.h"

#include "base/json.h"

#include <string.h>

/* The reference implementation's limit. */
static const uint64_t header_most = 100000000;
static const double exact_most = 9007199254740992.0; /* 2^53: past it JSON numbers are rounded */

static uint64_t header_length(const unsigned char *data)
{
    uint64_t n;
    memcpy(&n, data, sizeof n);
    return n;
}

bool safetensors_is_likely(const unsigned char *data, size_t n_bytes)
{
    return n_bytes > 8 && data[8] == '{' && header_length(data) <= header_most;
}

static bool read_whole(const cJSON *item, int64_t *out)
{
    double v = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(v >= 0 && v <= exact_most) || v != (double)(int64_t)v) {
        return false;
    }
    *out = (int64_t)v;
    return true;
}

static bool read_shape(const cJSON *item, TensorView *view, const char *name, Error *err)
{
    QuotedName tensor = quote_name(view->name, strlen(view->name));
    if (!cJSON_IsArray(item)) {
        return error_set(err, ERR_FORMAT, "%s: tensor \"%s\" has no list \"shape\"", name,
                         tensor.text);
    }
    for (const cJSON *dim = item->child; dim; dim = dim->next) {
        if (view->n_dims == TENSOR_MAX_DIMS) {
            return error_set(err, ERR_UNSUPPORTED, "%s: tensor \"%s\" has more than %d dimensions",
                             name, tensor.text, (int)TENSOR_MAX_DIMS);
        }
        if (!read_whole(dim, &view->shape[view->n_dims++])) {
            return error_set(err, ERR_FORMAT,
                             "%s: tensor \"%s\" has a shape of other than whole numbers from 0 to "
                             "2^53",
                             name, tensor.text);
        }
    }
    for (int32_t i = view->n_dims; i < TENSOR_MAX_DIMS; i++) {
        view->shape[i] = 1;
    }
    return true;
}

static bool read_tensor(TensorFile *file, const char *name, const cJSON *item,
                        const unsigned char *data, size_t n_bytes, Error *err)
{
    QuotedName tensor = quote_name(item->string, strlen(item->string));
    TensorView view = {.name = arena_strdup(&file->arena, item->string, err)};
    if (!view.name) {
        return false;
    }
    if (utf8_count_invalid(view.name, strlen(view.name)) > 0) {
        return error_set(err, ERR_FORMAT, "%s: the name of tensor \"%s\" is not valid UTF-8", name,
                         tensor.text);
    }
    if (!cJSON_IsObject(item)) {
        return error_set(err, ERR_FORMAT,
                         "%s: tensor \"%s\" is not described by an object with dtype, shape and "
                         "data_offsets",
                         name, tensor.text);
    }
    const char *dtype = json_get_string(item, "dtype", "");
    if (!dtype_from_safetensors(dtype, &view.dtype)) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: tensor \"%s\" has the element type \"%s\", which is not known here",
                         name, tensor.text, quote_name(dtype, strlen(dtype)).text);
    }
    if (!read_shape(json_get(item, "shape"), &view, name, err) ||
        !tensor_view_measure(&view, name, err)) {
        return false;
    }
    const cJSON *offsets = json_get(item, "data_offsets");
    const cJSON *first = cJSON_IsArray(offsets) ? offsets->child : NULL;
    const cJSON *second = first ? first->next : NULL;
    int64_t start;
    int64_t end;
    if (!read_whole(first, &start) || !read_whole(second, &end) || second->next || start > end) {
        return error_set(err, ERR_FORMAT,
                         "%s: tensor \"%s\" has no data_offsets [start, end] of whole numbers with "
                         "start <= end",
                         name, tensor.text);
    }
    if ((uint64_t)end > n_bytes) {
        return error_set(err, ERR_FORMAT,
                         "%s: tensor \"%s\" takes bytes %lld to %lld of the data, but there are "
                         "%zu: the file is cut short, fetch it again",
                         name, tensor.text, (long long)start, (long long)end, n_bytes);
    }
    if ((uint64_t)(end - start) != view.n_bytes) {
        char shape[128];
        return error_set(err, ERR_FORMAT,
                         "%s: tensor \"%s\" has %lld bytes, but shape %s of %s takes %zu", name,
                         tensor.text, (long long)(end - start),
                         tensor_shape_text(view.n_dims, view.shape, shape), dtype, view.n_bytes);
    }
    view.data = data + start;
    return ARRAY_PUSH(&file->tensors, view, err);
}

static bool read_metadata(TensorFile *file, const char *name, const cJSON *metadata, Error *err)
{
    if (!cJSON_IsObject(metadata)) {
        return error_set(err, ERR_FORMAT, "%s: \"__metadata__\" is not an object of strings", name);
    }
    for (const cJSON *item = metadata->child; item; item = item->next) {
        size_t n_key = strlen(item->string);
        if (!cJSON_IsString(item) || utf8_count_invalid(item->string, n_key) > 0) {
            return error_set(err, ERR_FORMAT,
                             "%s: \"__metadata__\" must be an object of strings, but \"%s\" is not",
                             name, quote_name(item->string, n_key).text);
        }
        TextView *text = ARENA_NEW(&file->arena, TextView, err);
        char *key = text ? arena_strdup(&file->arena, item->string, err) : NULL;
        size_t n = strlen(item->valuestring);
        char *copy = key ? arena_strndup(&file->arena, item->valuestring, n, err) : NULL;
        if (!copy) {
            return false;
        }
        *text = (TextView){copy, n};
        MetaValue value = {.key = key, .type = META_STRING, .n_items = 1, .strings = text};
        if (!ARRAY_PUSH(&file->metas, value, err)) {
            return false;
        }
    }
    return true;
}

bool safetensors_read(TensorFile *file, const char *name, const unsigned char *data, size_t n_bytes,
                      Error *err)
{
    if (n_bytes < 8) {
        return error_set(err, ERR_FORMAT,
                         "%s has %zu bytes, too few for safetensors: the file is cut short, fetch "
                         "it again",
                         name, n_bytes);
    }
    uint64_t n_header = header_length(data);
    if (n_header > header_most) {
        return error_set(err, ERR_FORMAT,
                         "%s is neither safetensors nor GGUF (as safetensors its header would have "
                         "%.3g bytes, past the format's limit)",
                         name, (double)n_header);
    }
    if (n_header > n_bytes - 8) {
        return error_set(err, ERR_FORMAT,
                         "%s: its header should have %llu bytes, but %zu follow: the file is cut "
                         "short or no safetensors, fetch it again",
                         name, (unsigned long long)n_header, n_bytes - 8);
    }
    if (n_header < 2 || data[8] != '{') {
        return error_set(err, ERR_FORMAT,
                         "%s is neither safetensors nor GGUF: a safetensors header starts with '{' "
                         "at byte 8",
                         name);
    }
    cJSON *json = json_parse((const char *)data + 8, (size_t)n_header, name, err);
    if (!json) {
        return error_wrap(err, "safetensors header");
    }
    size_t n_data = n_bytes - 8 - (size_t)n_header;
    const unsigned char *start = data + 8 + n_header;
    size_t first = file->tensors.n;
    bool wants_metadata = file->metas.n == 0;
    bool ok = cJSON_IsObject(json) ||
              error_set(err, ERR_FORMAT, "%s: its header is not a JSON object", name);
    for (const cJSON *item = ok ? json->child : NULL; item && ok; item = item->next) {
        if (strcmp(item->string, "__metadata__") != 0) {
            ok = read_tensor(file, name, item, start, n_data, err);
        } else if (wants_metadata) {
            ok = read_metadata(file, name, item, err);
        }
    }
    ok = ok && tensor_file_check_layout(file, name, first, start, n_data, true, err);
    json_free(json);
    return ok;
}
