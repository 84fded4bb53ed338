#include "formats/npy.h"

#include "base/half.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char magic[] = "\x93NUMPY";
enum { MAGIC_BYTES = 6, HEADER_ALIGNMENT = 64 };

typedef struct NpyType {
    DType dtype;
    char code[3]; /* NumPy's, without the byte order */
} NpyType;

static const NpyType npy_types[] = {
    {DTYPE_F32, "f4"}, {DTYPE_F64, "f8"}, {DTYPE_F16, "f2"}, {DTYPE_BOOL, "b1"},
    {DTYPE_I8, "i1"},  {DTYPE_I16, "i2"}, {DTYPE_I32, "i4"}, {DTYPE_I64, "i8"},
    {DTYPE_U8, "u1"},  {DTYPE_U16, "u2"}, {DTYPE_U32, "u4"}, {DTYPE_U64, "u8"},
};

static const char *npy_code(DType dtype)
{
    for (size_t i = 0; i < AS_COUNT(npy_types); i++) {
        if (npy_types[i].dtype == dtype) {
            return npy_types[i].code;
        }
    }
    return NULL;
}

/* Elements and bytes of a shape, checked. */
static bool measure(DType dtype, int32_t n_dims, const int64_t *shape, size_t *n_elements,
                    size_t *n_bytes)
{
    size_t n = 1;
    for (int32_t i = 0; i < n_dims; i++) {
        if (shape[i] < 0 || !checked_mul(n, (size_t)shape[i], &n) || n > (size_t)INT64_MAX) {
            return false;
        }
    }
    *n_elements = n;
    return dtype_bytes(dtype, n, n_bytes);
}

/* The header is a Python dict of three known keys; a cursor over its text. */
typedef struct Header {
    const char *name; /* of the file */
    const char *text;
    size_t n;
    size_t at;
    Error *err;
} Header;

static bool refuse_header(const Header *h, const char *expected)
{
    return error_set(h->err, ERR_FORMAT,
                     "%s: its npy header has something else at character %zu, expected %s", h->name,
                     h->at, expected);
}

static char peek(Header *h)
{
    while (h->at < h->n && (h->text[h->at] == ' ' || h->text[h->at] == '\n')) {
        h->at++;
    }
    return h->at < h->n ? h->text[h->at] : 0;
}

static bool accept(Header *h, const char *word)
{
    size_t n = strlen(word);
    (void)peek(h);
    if (h->n - h->at < n || memcmp(h->text + h->at, word, n) != 0) {
        return false;
    }
    h->at += n;
    return true;
}

/* A quoted string of at most 30 characters. */
static bool take_quoted(Header *h, char out[32])
{
    char quote = peek(h);
    if (quote != '\'' && quote != '"') {
        return false;
    }
    size_t n = 0;
    for (size_t i = h->at + 1; i < h->n && n < 31; i++) {
        if (h->text[i] == quote) {
            out[n] = 0;
            h->at = i + 1;
            return true;
        }
        out[n++] = h->text[i];
    }
    return false;
}

static bool take_descr(Header *h, NpyArray *array)
{
    char descr[32];
    if (!take_quoted(h, descr)) {
        return error_set(h->err, ERR_UNSUPPORTED,
                         "%s holds records, not an array of plain numbers: save one field of it",
                         h->name);
    }
    if (strchr(descr, 'O')) {
        return error_set(h->err, ERR_UNSUPPORTED,
                         "%s holds Python objects as a pickle, which can run code: save it as an "
                         "array of numbers",
                         h->name);
    }
    if (descr[0] == '>') {
        return error_set(h->err, ERR_UNSUPPORTED,
                         "%s is big-endian (%.8s): save it little-endian, a.astype('<f4')", h->name,
                         descr);
    }
    if (descr[0] == '<' || descr[0] == '|') {
        for (size_t i = 0; i < AS_COUNT(npy_types); i++) {
            if (strcmp(npy_types[i].code, descr + 1) == 0) {
                array->dtype = npy_types[i].dtype;
                return true;
            }
        }
    }
    return error_set(h->err, ERR_UNSUPPORTED,
                     "%s has an element type other than floats, whole numbers and bools: save it "
                     "with a.astype('<f4')",
                     h->name);
}

static bool take_order(Header *h)
{
    if (accept(h, "True")) {
        return error_set(h->err, ERR_UNSUPPORTED,
                         "%s is in Fortran order: save it in C order, numpy.ascontiguousarray(a)",
                         h->name);
    }
    return accept(h, "False") || refuse_header(h, "True or False");
}

static bool take_shape(Header *h, NpyArray *array)
{
    if (!accept(h, "(")) {
        return refuse_header(h, "a shape in brackets");
    }
    array->n_dims = 0;
    while (!accept(h, ")")) {
        if (array->n_dims == NPY_MAX_DIMS) {
            return error_set(h->err, ERR_UNSUPPORTED, "%s has more than %d dimensions", h->name,
                             (int)NPY_MAX_DIMS);
        }
        int64_t dim = 0;
        size_t digits = 0;
        for (char c = peek(h); c >= '0' && c <= '9' && digits < 18; digits++) {
            dim = dim * 10 + (c - '0');
            h->at++;
            c = h->at < h->n ? h->text[h->at] : 0;
        }
        if (digits == 0) {
            return refuse_header(h, "a size of the shape");
        }
        array->shape[array->n_dims++] = dim;
        if (!accept(h, ",") && peek(h) != ')') {
            return refuse_header(h, "a comma or the end of the shape");
        }
    }
    for (int32_t i = array->n_dims; i < NPY_MAX_DIMS; i++) {
        array->shape[i] = 1;
    }
    return true;
}

static bool take_header(Header *h, NpyArray *array)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    bool seen[AS_COUNT(keys)] = {false};
    if (!accept(h, "{")) {
        return refuse_header(h, "a dict");
    }
    while (!accept(h, "}")) {
        char key[32] = "";
        if (!take_quoted(h, key) || !accept(h, ":")) {
            return refuse_header(h, "a key");
        }
        size_t k = 0;
        while (k < AS_COUNT(keys) && strcmp(keys[k], key) != 0) {
            k++;
        }
        if (k == AS_COUNT(keys) || seen[k]) {
            return refuse_header(h, "each of descr, fortran_order and shape, once, before");
        }
        seen[k] = true;
        if (!(k == 0 ? take_descr(h, array) : k == 1 ? take_order(h) : take_shape(h, array))) {
            return false;
        }
        if (!accept(h, ",") && peek(h) != '}') {
            return refuse_header(h, "a comma or the end of the dict");
        }
    }
    if (!seen[0] || !seen[1] || !seen[2]) {
        return refuse_header(h, "descr, fortran_order and shape before");
    }
    return true;
}

bool npy_open_memory(NpyArray *array, const char *name, const void *data, size_t n_bytes,
                     Error *err)
{
    *array = (NpyArray){0};
    const unsigned char *bytes = data;
    if (n_bytes < MAGIC_BYTES + 4 || memcmp(bytes, magic, MAGIC_BYTES) != 0) {
        return error_set(err, ERR_FORMAT, "%s is not an .npy file", name);
    }
    unsigned version = bytes[6];
    if (version < 1 || version > 3 || bytes[7] != 0) {
        return error_set(err, ERR_UNSUPPORTED, "%s is npy version %u.%u, expected 1.0 to 3.0", name,
                         version, bytes[7]);
    }
    size_t start = version == 1 ? 10 : 12;
    size_t n_header = bytes[8] | (size_t)bytes[9] << 8;
    if (version > 1 && n_bytes >= 12) {
        n_header |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    }
    if (n_bytes < start || n_header > n_bytes - start) {
        return error_set(
            err, ERR_FORMAT,
            "%s: its header should have %zu bytes, but the file ends at %zu: it is cut "
            "short",
            name, n_header, n_bytes);
    }
    Header header = {.name = name, .text = (const char *)bytes + start, .n = n_header, .err = err};
    NpyArray found = {0};
    if (!take_header(&header, &found)) {
        return false;
    }
    size_t n_data = n_bytes - start - n_header;
    if (!measure(found.dtype, found.n_dims, found.shape, &found.n_elements, &found.n_bytes) ||
        found.n_bytes != n_data) {
        return error_set(err, ERR_FORMAT,
                         "%s has %zu bytes of data, which is not what its shape and type %s take: "
                         "it is cut short or damaged",
                         name, n_data, dtype_name(found.dtype));
    }
    found.data = bytes + start + n_header;
    *array = found;
    return true;
}

bool npy_open(NpyArray *array, const char *path, Error *err)
{
    *array = (NpyArray){0};
    FileMap map;
    if (!file_map_open(&map, path, err)) {
        return false;
    }
    if (!npy_open_memory(array, path, map.data, map.n_bytes, err)) {
        file_map_close(&map);
        return false;
    }
    array->map = map;
    return true;
}

void npy_close(NpyArray *array)
{
    if (array) {
        file_map_close(&array->map);
        *array = (NpyArray){0};
    }
}

#define LOAD(Type, i)                                                                              \
    Type v;                                                                                        \
    memcpy(&v, (const unsigned char *)array->data + (i) * sizeof v, sizeof v)

static float element_float(const NpyArray *array, size_t i)
{
#define CASE(TYPE, Type, expression)                                                               \
    case TYPE: {                                                                                   \
        LOAD(Type, i);                                                                             \
        return (expression);                                                                       \
    }
    switch (array->dtype) {
        CASE(DTYPE_F32, float, v)
        CASE(DTYPE_F64, double, (float)v)
        CASE(DTYPE_F16, uint16_t, half_to_float(v))
        CASE(DTYPE_BOOL, uint8_t, v ? 1.0f : 0.0f)
        CASE(DTYPE_I8, int8_t, (float)v)
        CASE(DTYPE_I16, int16_t, (float)v)
        CASE(DTYPE_I32, int32_t, (float)v)
        CASE(DTYPE_I64, int64_t, (float)v)
        CASE(DTYPE_U8, uint8_t, (float)v)
        CASE(DTYPE_U16, uint16_t, (float)v)
        CASE(DTYPE_U32, uint32_t, (float)v)
        CASE(DTYPE_U64, uint64_t, (float)v)
    default:
        return NAN; /* npy_open gives no other type */
    }
#undef CASE
}

void npy_to_floats(const NpyArray *array, float *dst)
{
    for (size_t i = 0; i < array->n_elements; i++) {
        dst[i] = element_float(array, i);
    }
}

/* Magic, version 1.0, length, dict, padded with spaces to a multiple of 64 and a newline. */
static size_t make_header(char out[512], const char *code, size_t element_bytes, int32_t n_dims,
                          const int64_t *shape)
{
    memcpy(out, magic, MAGIC_BYTES);
    out[6] = 1;
    out[7] = 0;
    size_t at = 10;
    at +=
        (size_t)snprintf(out + at, 512 - at, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                         element_bytes == 1 ? '|' : '<', code);
    for (int32_t i = 0; i < n_dims; i++) {
        at += (size_t)snprintf(out + at, 512 - at, "%s%lld", i ? ", " : "", (long long)shape[i]);
    }
    at += (size_t)snprintf(out + at, 512 - at, "%s), }", n_dims == 1 ? "," : "");
    size_t total = (at + 1 + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
    memset(out + at, ' ', total - at);
    out[total - 1] = '\n';
    out[8] = (char)((total - 10) & 0xFF);
    out[9] = (char)((total - 10) >> 8);
    return total;
}

bool npy_writer_open(NpyWriter *writer, const char *path, DType dtype, int32_t n_dims,
                     const int64_t *shape, Error *err)
{
    *writer = (NpyWriter){0};
    const char *code = npy_code(dtype);
    if (!code) {
        return error_set(err, ERR_UNSUPPORTED, "cannot write %s: npy has no type %s", path,
                         dtype_name(dtype));
    }
    size_t n_elements;
    size_t n_bytes;
    if (n_dims < 0 || n_dims > NPY_MAX_DIMS ||
        !measure(dtype, n_dims, shape, &n_elements, &n_bytes)) {
        return error_set(err, ERR_RANGE, "cannot write %s: %d dimensions or their sizes do not fit",
                         path, (int)n_dims);
    }
    char header[512];
    size_t n_header =
        make_header(header, code, (size_t)dtype_info(dtype)->block_bytes, n_dims, shape);
    if (!atomic_file_open(&writer->file, path, err)) {
        return false;
    }
    if (!atomic_file_write(&writer->file, header, n_header, err)) {
        atomic_file_abort(&writer->file);
        return false;
    }
    writer->bytes_left = n_bytes;
    writer->element_bytes = (size_t)dtype_info(dtype)->block_bytes;
    return true;
}

bool npy_writer_append(NpyWriter *writer, const void *elements, size_t n_elements, Error *err)
{
    size_t n_bytes;
    if (!checked_mul(n_elements, writer->element_bytes, &n_bytes) || n_bytes > writer->bytes_left) {
        return error_set(err, ERR_INTERNAL,
                         "%zu more elements than the shape of the array has room "
                         "for",
                         n_elements);
    }
    if (!atomic_file_write(&writer->file, elements, n_bytes, err)) {
        return false;
    }
    writer->bytes_left -= n_bytes;
    return true;
}

bool npy_writer_commit(NpyWriter *writer, Error *err)
{
    if (writer->bytes_left > 0) {
        size_t left = writer->bytes_left;
        npy_writer_abort(writer);
        return error_set(err, ERR_INTERNAL, "the array is %zu bytes short of its shape", left);
    }
    return atomic_file_commit(&writer->file, err);
}

void npy_writer_abort(NpyWriter *writer)
{
    if (writer) {
        atomic_file_abort(&writer->file);
        *writer = (NpyWriter){0};
    }
}

bool npy_write(const char *path, DType dtype, int32_t n_dims, const int64_t *shape,
               const void *elements, Error *err)
{
    NpyWriter writer;
    if (!npy_writer_open(&writer, path, dtype, n_dims, shape, err)) {
        return false;
    }
    if (!npy_writer_append(&writer, elements, writer.bytes_left / writer.element_bytes, err)) {
        npy_writer_abort(&writer);
        return false;
    }
    return npy_writer_commit(&writer, err);
}
