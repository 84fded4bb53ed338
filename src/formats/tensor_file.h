#pragma once
/*
 * Named tensors and metadata of a file, whatever it is: .safetensors (also a sharded one through
 * its model.safetensors.index.json) or .gguf version 2 or 3, little endian. The file is mapped and
 * its weights stay there: a TensorView points into the map.
 *
 * Everything a file says is checked at open: counts, lengths, offsets, overlaps, names. What open
 * accepts can be read without further checks of bounds; whether shapes fit a model is the model's
 * question. A TensorFile is read-only after open: any thread may read it.
 *
 * safetensors: 1. u64 header length H; 2. H bytes of JSON {name: {dtype, shape, data_offsets}} with
 *   "__metadata__": {string: string}; 3. the data, without holes.
 * GGUF: 1. "GGUF", u32 version, u64 tensors, u64 keys; 2. key, type, value …; 3. name, u32 n_dims,
 *   u64 ne[n_dims] (fastest first), u32 type, u64 offset …; 4. padding to general.alignment, data.
 * Source: github.com/huggingface/safetensors (format), github.com/ggml-org/ggml/docs/gguf.md
 */
#include "base/arena.h"
#include "base/dtype.h"

enum { TENSOR_MAX_DIMS = 8 };

typedef enum TensorFileKind { TENSOR_FILE_SAFETENSORS, TENSOR_FILE_GGUF } TensorFileKind;

/** One tensor. Pointers are borrowed until the file is closed. */
typedef struct TensorView {
    const char *name; /* valid UTF-8, NUL-terminated */
    DType dtype;
    int32_t n_dims;                 /* 0 (one number) .. TENSOR_MAX_DIMS */
    int64_t shape[TENSOR_MAX_DIMS]; /* NumPy's order: the last axis is contiguous (GGUF's ne is
                                       reversed); 1 past n_dims. May be 0: no elements */
    const void *data;               /* mapped; may be unaligned for its type */
    size_t n_bytes;
    size_t n_elements;
} TensorView;

/** Bytes of a text; not NUL-terminated, maybe not UTF-8. */
typedef struct TextView {
    const char *text; /* borrowed until the file is closed; NULL = there is none */
    size_t n;
} TextView;

typedef enum MetaType {
    META_NONE,
    META_BOOL,
    META_INT, /* of any width */
    META_FLOAT,
    META_STRING
} MetaType;

/** One metadata key. */
typedef struct MetaValue {
    const char *key; /* valid UTF-8, NUL-terminated */
    MetaType type;   /* of the value or of the array's items */
    bool is_array;
    size_t n_items;          /* 1 unless an array */
    const void *data;        /* internal: first item in the file */
    const TextView *strings; /* META_STRING: n_items of them */
    uint32_t gguf_type;      /* internal: how data is laid out */
} MetaValue;

typedef struct TensorFile TensorFile;

/**
 * Opens and checks a file. `path` is a .safetensors, a .gguf, a model.safetensors.index.json, or a
 * folder with model.safetensors, model.safetensors.index.json or exactly one .gguf or .safetensors.
 * What a file is, is told from its content. A PyTorch pickle is refused and never read.
 * NULL with ERR_IO, ERR_FORMAT or ERR_UNSUPPORTED.
 */
AS_MUST_CHECK TensorFile *tensor_file_open(const char *path, Error *err);
/** The same from memory, borrowed until close; `name` is for messages. */
AS_MUST_CHECK TensorFile *tensor_file_open_memory(const char *name, const void *data,
                                                  size_t n_bytes, Error *err);
/** Unmaps. NULL is fine, *file becomes NULL. Views and texts of the file end here. */
void tensor_file_close(TensorFile **file);

TensorFileKind tensor_file_kind(const TensorFile *file);
/** The path (the file itself where a folder was given) or the name given. Borrowed until close. */
const char *tensor_file_path(const TensorFile *file);

/** Tensors in the file's order. */
size_t tensor_file_count(const TensorFile *file);
/** index < count. */
const TensorView *tensor_file_at(const TensorFile *file, size_t index);
/** NULL when there is none of this name. O(log count). */
const TensorView *tensor_file_find(const TensorFile *file, const char *name);
/** The tensor of this name and exactly this shape; n_dims -1 takes any. ERR_FORMAT says which file,
 *  which name, both shapes. NULL on error. */
AS_MUST_CHECK const TensorView *tensor_file_need(const TensorFile *file, const char *name,
                                                 int32_t n_dims, const int64_t *shape, Error *err);
/** The data as floats where they are F32 and aligned, else NULL (use dequant_rows). */
const float *tensor_view_floats(const TensorView *view);
/** "[576, 1536]" into out; returns out. */
char *tensor_shape_text(int32_t n_dims, const int64_t *shape, char out[128]);

/* Metadata. safetensors has strings only (its __metadata__); GGUF has all types. */

/** NULL when there is no such key. */
const MetaValue *tensor_file_meta(const TensorFile *file, const char *key);

/*
 * Typed access. An absent key gives the fallback (or nothing) and true; a value of another type or
 * out of range is ERR_FORMAT with file, key, found and expected.
 */
/** Whole number in [lo, hi]. */
AS_MUST_CHECK bool tensor_file_get_int(const TensorFile *file, const char *key, int64_t lo,
                                       int64_t hi, int64_t fallback, int64_t *out, Error *err);
/** Any finite number. */
AS_MUST_CHECK bool tensor_file_get_number(const TensorFile *file, const char *key, double fallback,
                                          double *out, Error *err);
AS_MUST_CHECK bool tensor_file_get_bool(const TensorFile *file, const char *key, bool fallback,
                                        bool *out, Error *err);
/** Absent: text NULL. */
AS_MUST_CHECK bool tensor_file_get_string(const TensorFile *file, const char *key, TextView *out,
                                          Error *err);
/** Array of strings, borrowed until close. Absent: NULL, 0. */
AS_MUST_CHECK bool tensor_file_get_strings(const TensorFile *file, const char *key,
                                           const TextView **items, size_t *n_items, Error *err);
/** Array of whole numbers or bools into the arena; one number counts as an array of one. Absent:
 *  NULL, 0. */
AS_MUST_CHECK bool tensor_file_get_ints(const TensorFile *file, const char *key, Arena *arena,
                                        int64_t **items, size_t *n_items, Error *err);
/** Array of numbers into the arena, as get_ints; not checked to be finite. */
AS_MUST_CHECK bool tensor_file_get_floats(const TensorFile *file, const char *key, Arena *arena,
                                          float **items, size_t *n_items, Error *err);
