#include "formats/safetensors_write.h"

#include "base/file.h"
#include "formats/tensor_file.h"

#include <stdlib.h>
#include <string.h>

enum { DATA_ALIGNMENT = 64 };

typedef struct DeclaredTensor {
    char *name; /* in the arena */
    DType dtype;
    int32_t n_dims;
    int64_t shape[TENSOR_MAX_DIMS];
    size_t n_bytes;
    size_t start; /* in the data; known from layout on */
    size_t n_put; /* bytes that came so far */
} DeclaredTensor;

typedef struct DeclaredMeta {
    char *key;
    char *text;
} DeclaredMeta;

struct SafetensorsWriter {
    Arena arena;
    ARRAY_OF(DeclaredTensor) tensors;
    ARRAY_OF(DeclaredMeta) metas;
    AtomicFile file;
    bool is_open;
    size_t data_start; /* in the file */
    size_t position;   /* of the file's cursor */
};

SafetensorsWriter *safetensors_writer_create(Error *err)
{
    return mem_alloc_zeroed(1, sizeof(SafetensorsWriter), err);
}

void safetensors_writer_destroy(SafetensorsWriter **writer)
{
    if (!writer || !*writer) {
        return;
    }
    SafetensorsWriter *w = *writer;
    atomic_file_abort(&w->file);
    ARRAY_FREE(&w->tensors);
    ARRAY_FREE(&w->metas);
    arena_destroy(&w->arena);
    mem_free(w);
    *writer = NULL;
}

static bool check_text(const char *what, const char *text, Error *err)
{
    return utf8_count_invalid(text, strlen(text)) == 0 ||
           error_set(err, ERR_FORMAT, "%s of a safetensors file is not valid UTF-8", what);
}

bool safetensors_writer_meta(SafetensorsWriter *writer, const char *key, const char *text,
                             Error *err)
{
    AS_ASSERT(!writer->is_open);
    if (!check_text("a metadata key", key, err) || !check_text("a metadata value", text, err)) {
        return false;
    }
    for (size_t i = 0; i < writer->metas.n; i++) {
        if (strcmp(writer->metas.items[i].key, key) == 0) {
            return error_set(err, ERR_INTERNAL, "metadata key \"%s\" is declared twice", key);
        }
    }
    DeclaredMeta meta = {.key = arena_strdup(&writer->arena, key, err)};
    meta.text = meta.key ? arena_strdup(&writer->arena, text, err) : NULL;
    return meta.text && ARRAY_PUSH(&writer->metas, meta, err);
}

bool safetensors_writer_declare(SafetensorsWriter *writer, const char *name, DType dtype,
                                int32_t n_dims, const int64_t *shape, size_t *tensor, Error *err)
{
    AS_ASSERT(!writer->is_open);
    if (!check_text("a tensor's name", name, err)) {
        return false;
    }
    if (!dtype_info(dtype)->safetensors[0]) {
        return error_set(err, ERR_UNSUPPORTED, "safetensors has no type %s", dtype_name(dtype));
    }
    if (n_dims < 0 || n_dims > TENSOR_MAX_DIMS) {
        return error_set(err, ERR_RANGE, "tensor \"%s\" has %d dimensions, expected 0 to %d", name,
                         (int)n_dims, (int)TENSOR_MAX_DIMS);
    }
    DeclaredTensor declared = {.dtype = dtype, .n_dims = n_dims};
    size_t n = 1;
    bool fits = true;
    for (int32_t i = 0; i < n_dims && fits; i++) {
        declared.shape[i] = shape[i];
        fits = shape[i] >= 0 && checked_mul(n, (size_t)shape[i], &n);
    }
    if (!fits || !dtype_bytes(dtype, n, &declared.n_bytes)) {
        return error_set(err, ERR_RANGE, "the shape of tensor \"%s\" does not fit", name);
    }
    declared.name = arena_strdup(&writer->arena, name, err);
    if (!declared.name || !ARRAY_PUSH(&writer->tensors, declared, err)) {
        return false;
    }
    *tensor = writer->tensors.n - 1;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool check_names(const SafetensorsWriter *writer, Error *err)
{
    size_t n = writer->tensors.n;
    const char **names = mem_alloc_zeroed(n + 1, sizeof *names, err);
    if (!names) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = writer->tensors.items[i].name;
    }
    names[n] = "__metadata__";
    qsort((void *)names, n + 1, sizeof *names, compare_names);
    bool ok = true;
    for (size_t i = 1; i <= n && ok; i++) {
        if (strcmp(names[i], names[i - 1]) == 0) {
            ok = error_set(err, ERR_INTERNAL, "tensor name \"%s\" is taken", names[i]);
        }
    }
    mem_free((void *)names);
    return ok;
}

/* Places wider types before narrower ones, so that all are aligned although the format allows no
 * holes. starts[i] is the first byte of tensor i in the data, *n_data their sum. */
static bool place(const SafetensorsWriter *writer, size_t *starts, size_t *n_data, Error *err)
{
    size_t at = 0;
    for (int32_t bytes = 8; bytes >= 1; bytes /= 2) {
        for (size_t i = 0; i < writer->tensors.n; i++) {
            const DeclaredTensor *t = &writer->tensors.items[i];
            if (dtype_info(t->dtype)->block_bytes != bytes) {
                continue;
            }
            starts[i] = at;
            if (!checked_add(at, t->n_bytes, &at)) {
                return error_set(err, ERR_RANGE, "the tensors together do not fit a file");
            }
        }
    }
    *n_data = at;
    return true;
}

static bool header_tensor(StrBuf *buf, const DeclaredTensor *t, size_t start, Error *err)
{
    bool ok = strbuf_json_string(buf, t->name, strlen(t->name), err) &&
              strbuf_printf(buf, err, ":{\"dtype\":\"%s\",\"shape\":[",
                            dtype_info(t->dtype)->safetensors);
    for (int32_t i = 0; i < t->n_dims && ok; i++) {
        ok = strbuf_printf(buf, err, "%s%lld", i ? "," : "", (long long)t->shape[i]);
    }
    return ok &&
           strbuf_printf(buf, err, "],\"data_offsets\":[%zu,%zu]}", start, start + t->n_bytes);
}

/* The length field and the JSON, padded with spaces so that the data is aligned. */
static bool make_header(const SafetensorsWriter *writer, const size_t *starts, StrBuf *buf,
                        Error *err)
{
    bool ok = strbuf_add(buf, "\0\0\0\0\0\0\0\0", 8, err) && strbuf_puts(buf, "{", err);
    const char *comma = "";
    for (size_t i = 0; i < writer->metas.n && ok; i++) {
        const DeclaredMeta *meta = &writer->metas.items[i];
        ok = strbuf_puts(buf, i ? "," : "\"__metadata__\":{", err) &&
             strbuf_json_string(buf, meta->key, strlen(meta->key), err) &&
             strbuf_puts(buf, ":", err) &&
             strbuf_json_string(buf, meta->text, strlen(meta->text), err);
    }
    if (ok && writer->metas.n > 0) {
        ok = strbuf_puts(buf, "}", err);
        comma = ",";
    }
    for (size_t i = 0; i < writer->tensors.n && ok; i++) {
        ok = strbuf_puts(buf, comma, err) &&
             header_tensor(buf, &writer->tensors.items[i], starts[i], err);
        comma = ",";
    }
    ok = ok && strbuf_puts(buf, "}", err);
    while (ok && buf->n % DATA_ALIGNMENT != 0) {
        ok = strbuf_puts(buf, " ", err);
    }
    if (ok) {
        uint64_t n = buf->n - 8;
        memcpy(buf->text, &n, sizeof n);
    }
    return ok;
}

/* Names checked, tensors placed, header made. *starts is freed by the caller. */
static bool lay_out(const SafetensorsWriter *writer, size_t **starts, size_t *n_data, StrBuf *buf,
                    Error *err)
{
    *starts = mem_alloc_zeroed(writer->tensors.n, sizeof **starts, err);
    return *starts && check_names(writer, err) && place(writer, *starts, n_data, err) &&
           make_header(writer, *starts, buf, err);
}

bool safetensors_writer_size(const SafetensorsWriter *writer, size_t *n_bytes, Error *err)
{
    size_t *starts;
    size_t n_data;
    StrBuf buf = {0};
    bool ok = lay_out(writer, &starts, &n_data, &buf, err);
    if (ok && !checked_add(n_data, buf.n, n_bytes)) {
        ok = error_set(err, ERR_RANGE, "the tensors together do not fit a file");
    }
    strbuf_free(&buf);
    mem_free(starts);
    return ok;
}

bool safetensors_writer_open(SafetensorsWriter *writer, const char *path, Error *err)
{
    AS_ASSERT(!writer->is_open);
    size_t *starts;
    size_t n_data;
    StrBuf buf = {0};
    bool ok = lay_out(writer, &starts, &n_data, &buf, err);
    if (ok && (buf.n > 100000000 || n_data > (size_t)INT64_MAX - buf.n)) {
        ok = error_set(err, ERR_RANGE, "%s would be past the limits of safetensors", path);
    }
    ok = ok && atomic_file_open(&writer->file, path, err) &&
         atomic_file_write(&writer->file, buf.text, buf.n, err);
    if (ok) {
        for (size_t i = 0; i < writer->tensors.n; i++) {
            writer->tensors.items[i].start = starts[i];
        }
        writer->is_open = true;
        writer->data_start = writer->position = buf.n;
    } else {
        atomic_file_abort(&writer->file);
    }
    strbuf_free(&buf);
    mem_free(starts);
    return ok;
}

bool safetensors_writer_put(SafetensorsWriter *writer, size_t tensor, size_t offset,
                            const void *bytes, size_t n_bytes, Error *err)
{
    AS_ASSERT(writer->is_open && tensor < writer->tensors.n);
    DeclaredTensor *t = &writer->tensors.items[tensor];
    if (offset > t->n_bytes || n_bytes > t->n_bytes - offset) {
        return error_set(err, ERR_RANGE, "bytes %zu to %zu are past tensor \"%s\", which has %zu",
                         offset, offset + n_bytes, t->name, t->n_bytes);
    }
    size_t at = writer->data_start + t->start + offset;
    if (at != writer->position && !atomic_file_seek(&writer->file, at, err)) {
        return false;
    }
    if (!atomic_file_write(&writer->file, bytes, n_bytes, err)) {
        return false;
    }
    writer->position = at + n_bytes;
    t->n_put += n_bytes;
    return true;
}

bool safetensors_writer_commit(SafetensorsWriter *writer, Error *err)
{
    AS_ASSERT(writer->is_open);
    for (size_t i = 0; i < writer->tensors.n; i++) {
        const DeclaredTensor *t = &writer->tensors.items[i];
        if (t->n_put != t->n_bytes) {
            return error_set(err, ERR_INTERNAL, "tensor \"%s\" got %zu bytes of %zu", t->name,
                             t->n_put, t->n_bytes);
        }
    }
    writer->is_open = false;
    return atomic_file_commit(&writer->file, err);
}
