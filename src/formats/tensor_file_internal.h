#pragma once
/*
 * What the readers of the containers fill in. Only src/formats includes this.
 */
#include "base/file.h"
#include "formats/tensor_file.h"

struct TensorFile {
    Arena arena; /* names, texts, shard paths */
    TensorFileKind kind;
    const char *path; /* in the arena */
    ARRAY_OF(FileMap) maps;
    ARRAY_OF(TensorView) tensors;
    ARRAY_OF(MetaValue) metas;
    const TensorView **by_name; /* tensors.n, sorted; in the arena */
    const MetaValue **by_key;   /* metas.n, sorted; in the arena */
};

/** GGUF's value types, by their numbers in the file. */
enum {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPE_COUNT
};

/** Appends the tensors and the metadata of one file's bytes, which stay in place until the
 * TensorFile is closed; of several safetensors files only the first one's metadata. `name` is for
 * messages. */
AS_MUST_CHECK bool safetensors_read(TensorFile *file, const char *name, const unsigned char *data,
                                    size_t n_bytes, Error *err);
AS_MUST_CHECK bool gguf_read(TensorFile *file, const char *name, const unsigned char *data,
                             size_t n_bytes, Error *err);

/** All metadata, for tests that use what open let through. */
size_t tensor_file_meta_count(const TensorFile *file);
const MetaValue *tensor_file_meta_at(const TensorFile *file, size_t index);

/** Do these bytes start as a safetensors file does? */
bool safetensors_is_likely(const unsigned char *data, size_t n_bytes);

/** Fills n_elements and n_bytes from dtype and shape, all checked. `name` is for messages. */
AS_MUST_CHECK bool tensor_view_measure(TensorView *view, const char *name, Error *err);
/** The tensors from `first` on must not overlap; where `without_holes`, they fill data[0, n_bytes)
 *  exactly. */
AS_MUST_CHECK bool tensor_file_check_layout(TensorFile *file, const char *name, size_t first,
                                            const unsigned char *data, size_t n_bytes,
                                            bool without_holes, Error *err);

/** A name from a file as a message can show it: at most 60 bytes, nothing invalid or unprintable.
 */
typedef struct QuotedName {
    char text[72];
} QuotedName;
QuotedName quote_name(const char *text, size_t n);
