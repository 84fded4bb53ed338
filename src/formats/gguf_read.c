#include "formats/tensor_file_internal.h"

#include <string.h>

static const size_t value_bytes[GGUF_TYPE_COUNT] = {
    [GGUF_U8] = 1,  [GGUF_I8] = 1,  [GGUF_U16] = 2, [GGUF_I16] = 2,
    [GGUF_U32] = 4, [GGUF_I32] = 4, [GGUF_F32] = 4, [GGUF_BOOL] = 1,
    [GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8, [GGUF_STRING] = 8 /* the least: its length */};

/* A cursor that never passes the end. */
typedef struct Reader {
    TensorFile *file;
    const char *name; /* of the file, for messages */
    const unsigned char *data;
    size_t n_bytes;
    size_t at;
    uint64_t alignment;
    Error *err;
} Reader;

/* The next n bytes, or NULL when there are fewer. */
static const unsigned char *take(Reader *r, uint64_t n, const char *what)
{
    if (n > r->n_bytes - r->at) {
        error_set(r->err, ERR_FORMAT,
                  "%s: %s at byte %zu should have %llu bytes, but the file ends at %zu: it is cut "
                  "short, fetch it again",
                  r->name, what, r->at, (unsigned long long)n, r->n_bytes);
        return NULL;
    }
    const unsigned char *bytes = r->data + r->at;
    r->at += (size_t)n;
    return bytes;
}

static bool take_u32(Reader *r, const char *what, uint32_t *out)
{
    const unsigned char *bytes = take(r, sizeof *out, what);
    if (bytes) {
        memcpy(out, bytes, sizeof *out);
    }
    return bytes != NULL;
}

static bool take_u64(Reader *r, const char *what, uint64_t *out)
{
    const unsigned char *bytes = take(r, sizeof *out, what);
    if (bytes) {
        memcpy(out, bytes, sizeof *out);
    }
    return bytes != NULL;
}

static bool take_string(Reader *r, const char *what, TextView *out)
{
    uint64_t n = 0;
    const unsigned char *bytes = take_u64(r, what, &n) ? take(r, n, what) : NULL;
    *out = (TextView){(const char *)bytes, (size_t)n};
    return bytes != NULL;
}

/* A key or a tensor's name, which must be text. */
static bool take_name(Reader *r, const char *what, const char **out)
{
    size_t at = r->at;
    TextView view;
    if (!take_string(r, what, &view)) {
        return false;
    }
    if (view.n == 0 || memchr(view.text, 0, view.n) || utf8_count_invalid(view.text, view.n) > 0) {
        return error_set(r->err, ERR_FORMAT,
                         "%s: %s at byte %zu is \"%s\": expected a name in UTF-8", r->name, what,
                         at, quote_name(view.text, view.n).text);
    }
    *out = arena_strndup(&r->file->arena, view.text, view.n, r->err);
    return *out != NULL;
}

static MetaType meta_type(uint32_t gguf_type)
{
    switch (gguf_type) {
    case GGUF_BOOL:
        return META_BOOL;
    case GGUF_F32:
    case GGUF_F64:
        return META_FLOAT;
    case GGUF_STRING:
        return META_STRING;
    default:
        return META_INT;
    }
}

static bool take_strings(Reader *r, MetaValue *value)
{
    TextView *strings = ARENA_ARRAY(&r->file->arena, TextView, value->n_items, r->err);
    if (!strings) {
        return false;
    }
    for (size_t i = 0; i < value->n_items; i++) {
        if (!take_string(r, "a metadata string", &strings[i])) {
            return false;
        }
    }
    value->strings = strings;
    return true;
}

static bool take_value(Reader *r, MetaValue *value)
{
    QuotedName key = quote_name(value->key, strlen(value->key));
    uint64_t count = 1;
    uint32_t type = 0;
    if (!take_u32(r, "a metadata type", &type)) {
        return false;
    }
    value->is_array = type == GGUF_ARRAY;
    if (value->is_array &&
        (!take_u32(r, "an array's type", &type) || !take_u64(r, "an array's length", &count))) {
        return false;
    }
    if (type == GGUF_ARRAY) {
        return error_set(r->err, ERR_UNSUPPORTED, "%s: metadata \"%s\" is an array of arrays",
                         r->name, key.text);
    }
    if (type >= GGUF_TYPE_COUNT) {
        return error_set(r->err, ERR_FORMAT,
                         "%s: metadata \"%s\" has type %u, but GGUF's types are 0 to %d", r->name,
                         key.text, type, GGUF_TYPE_COUNT - 1);
    }
    /* The claimed count is held against the bytes that are there before anything is allocated. */
    if (count > (r->n_bytes - r->at) / value_bytes[type]) {
        return error_set(r->err, ERR_FORMAT,
                         "%s: metadata \"%s\" claims %llu items, more than the %zu bytes after it "
                         "can hold: the file is cut short or damaged, fetch it again",
                         r->name, key.text, (unsigned long long)count, r->n_bytes - r->at);
    }
    value->n_items = (size_t)count;
    value->gguf_type = type;
    value->type = meta_type(type);
    if (type == GGUF_STRING) {
        return take_strings(r, value);
    }
    const unsigned char *bytes = take(r, value->n_items * value_bytes[type], "a metadata value");
    if (!bytes) {
        return false;
    }
    value->data = bytes;
    for (size_t i = 0; type == GGUF_BOOL && i < value->n_items; i++) {
        if (bytes[i] > 1) {
            return error_set(r->err, ERR_FORMAT,
                             "%s: metadata \"%s\" has the truth value %u, expected 0 or 1", r->name,
                             key.text, bytes[i]);
        }
    }
    return true;
}

static bool take_metadata(Reader *r, uint64_t n_values)
{
    for (uint64_t i = 0; i < n_values; i++) {
        MetaValue value = {0};
        if (!take_name(r, "a metadata key", &value.key) || !take_value(r, &value) ||
            !ARRAY_PUSH(&r->file->metas, value, r->err)) {
            return false;
        }
        if (strcmp(value.key, "general.alignment") == 0) {
            uint32_t alignment = 0;
            if (value.gguf_type == GGUF_U32 && !value.is_array) {
                memcpy(&alignment, value.data, sizeof alignment);
            }
            if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
                return error_set(r->err, ERR_FORMAT,
                                 "%s: general.alignment must be an u32 and a power of two",
                                 r->name);
            }
            r->alignment = alignment;
        }
    }
    return true;
}

static bool take_dims(Reader *r, TensorView *view)
{
    uint32_t n_dims = 0;
    if (!take_u32(r, "a tensor's number of dimensions", &n_dims)) {
        return false;
    }
    QuotedName tensor = quote_name(view->name, strlen(view->name));
    if (n_dims > TENSOR_MAX_DIMS) {
        return error_set(r->err, ERR_FORMAT,
                         "%s: tensor \"%s\" has %u dimensions, expected at most %d", r->name,
                         tensor.text, n_dims, (int)TENSOR_MAX_DIMS);
    }
    view->n_dims = (int32_t)n_dims;
    for (uint32_t i = 0; i < TENSOR_MAX_DIMS; i++) {
        view->shape[i] = 1;
    }
    for (uint32_t i = 0; i < n_dims; i++) {
        uint64_t ne = 0;
        if (!take_u64(r, "a tensor's dimension", &ne)) {
            return false;
        }
        if (ne > INT64_MAX) {
            return error_set(r->err, ERR_FORMAT,
                             "%s: tensor \"%s\" has a dimension of %llu, past 2^63", r->name,
                             tensor.text, (unsigned long long)ne);
        }
        view->shape[n_dims - 1 - i] = (int64_t)ne;
    }
    return true;
}

/* One row of the table of tensors; its offset is kept in *offset until the data's start is known.
 */
static bool take_tensor(Reader *r, uint64_t *offset)
{
    TensorView view = {0};
    uint32_t type = 0;
    if (!take_name(r, "a tensor's name", &view.name) || !take_dims(r, &view) ||
        !take_u32(r, "a tensor's type", &type) || !take_u64(r, "a tensor's offset", offset)) {
        return false;
    }
    QuotedName tensor = quote_name(view.name, strlen(view.name));
    if (!dtype_from_ggml(type, &view.dtype)) {
        return error_set(r->err, ERR_UNSUPPORTED,
                         "%s: tensor \"%s\" has the element type %u of ggml, which is not known "
                         "here",
                         r->name, tensor.text, type);
    }
    if (*offset % r->alignment != 0) {
        return error_set(r->err, ERR_FORMAT,
                         "%s: tensor \"%s\" starts at byte %llu of the data, not at a multiple of "
                         "%llu",
                         r->name, tensor.text, (unsigned long long)*offset,
                         (unsigned long long)r->alignment);
    }
    return tensor_view_measure(&view, r->name, r->err) &&
           ARRAY_PUSH(&r->file->tensors, view, r->err);
}

static bool place_tensors(Reader *r, size_t first, const uint64_t *offsets)
{
    TensorFile *file = r->file;
    uint64_t padding = (r->alignment - r->at % r->alignment) % r->alignment;
    /* A file without tensors may end before the padding. */
    size_t start = padding < r->n_bytes - r->at ? r->at + (size_t)padding : r->n_bytes;
    size_t n_data = r->n_bytes - start;
    for (size_t i = first; i < file->tensors.n; i++) {
        TensorView *view = &file->tensors.items[i];
        uint64_t offset = offsets[i - first];
        if (offset > n_data || view->n_bytes > n_data - offset) {
            return error_set(r->err, ERR_FORMAT,
                             "%s: tensor \"%s\" takes %zu bytes from byte %llu of the data, which "
                             "has %zu: the file is cut short, fetch it again",
                             r->name, quote_name(view->name, strlen(view->name)).text,
                             view->n_bytes, (unsigned long long)offset, n_data);
        }
        view->data = r->data + start + offset;
    }
    return tensor_file_check_layout(file, r->name, first, r->data + start, n_data, false, r->err);
}

static bool take_header(Reader *r, uint64_t *n_tensors, uint64_t *n_values)
{
    uint32_t version = 0;
    r->at = 4;
    if (!take_u32(r, "the version", &version)) {
        return false;
    }
    if (version != 0 && (version & 0xFFFFu) == 0) {
        return error_set(r->err, ERR_UNSUPPORTED,
                         "%s is a GGUF file for big-endian computers: convert it with "
                         "`gguf-convert-endian FILE little` of the gguf package",
                         r->name);
    }
    if (version != 2 && version != 3) {
        return error_set(r->err, ERR_UNSUPPORTED,
                         "%s is GGUF version %u, expected 2 or 3: fetch it in a newer form",
                         r->name, version);
    }
    if (!take_u64(r, "the number of tensors", n_tensors) ||
        !take_u64(r, "the number of metadata keys", n_values)) {
        return false;
    }
    /* A tensor takes at least 25 bytes here (name, dimensions, type, offset), a key 14. */
    size_t left = r->n_bytes - r->at;
    if (*n_tensors > left / 25 || *n_values > left / 14) {
        return error_set(r->err, ERR_FORMAT,
                         "%s claims %llu tensors and %llu metadata keys, more than its %zu bytes "
                         "can hold: the file is cut short or damaged, fetch it again",
                         r->name, (unsigned long long)*n_tensors, (unsigned long long)*n_values,
                         r->n_bytes);
    }
    return true;
}

static bool check_split(Reader *r)
{
    for (size_t i = 0; i < r->file->metas.n; i++) {
        const MetaValue *value = &r->file->metas.items[i];
        uint16_t count = 0;
        if (strcmp(value->key, "split.count") == 0 && value->gguf_type == GGUF_U16 &&
            !value->is_array) {
            memcpy(&count, value->data, sizeof count);
        }
        if (count > 1) {
            return error_set(r->err, ERR_UNSUPPORTED,
                             "%s is one of %u parts of a model: join them with `llama-gguf-split "
                             "--merge FIRST_PART WHOLE.gguf`",
                             r->name, count);
        }
    }
    return true;
}

bool gguf_read(TensorFile *file, const char *name, const unsigned char *data, size_t n_bytes,
               Error *err)
{
    Reader r = {
        .file = file, .name = name, .data = data, .n_bytes = n_bytes, .alignment = 32, .err = err};
    uint64_t n_tensors = 0;
    uint64_t n_values = 0;
    if (!take_header(&r, &n_tensors, &n_values) || !take_metadata(&r, n_values) ||
        !check_split(&r)) {
        return false;
    }
    size_t first = file->tensors.n;
    uint64_t *offsets = mem_alloc_zeroed((size_t)n_tensors, sizeof *offsets, err);
    bool ok = offsets != NULL;
    for (size_t i = 0; i < n_tensors && ok; i++) {
        ok = take_tensor(&r, &offsets[i]);
    }
    ok = ok && place_tensors(&r, first, offsets);
    mem_free(offsets);
    return ok;
}
