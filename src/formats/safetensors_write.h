#pragma once
/*
 * Writes a .safetensors file: declare metadata and tensors, open, put the data of each in any
 * pieces and order, commit. The file appears whole at commit or not at all.
 *
 *   SafetensorsWriter *w = safetensors_writer_create(err);
 *   safetensors_writer_meta(w, "format", "attnscope", err);
 *   safetensors_writer_declare(w, "q", DTYPE_F32, 2, shape, &q, err);
 *   safetensors_writer_open(w, path, err);
 *   safetensors_writer_put(w, q, 0, data, n_bytes, err);
 *   safetensors_writer_commit(w, err);
 *   safetensors_writer_destroy(&w);
 *
 * The data starts at a multiple of 64 bytes and wider types come first, so that every tensor is
 * aligned for its type in a mapped file. One thread at a time.
 */
#include "base/dtype.h"

typedef struct SafetensorsWriter SafetensorsWriter;

AS_MUST_CHECK SafetensorsWriter *safetensors_writer_create(Error *err);
/** Removes what was not committed. NULL is fine, *writer becomes NULL. */
void safetensors_writer_destroy(SafetensorsWriter **writer);

/** A string of __metadata__, before open. Both valid UTF-8, copied; a key only once. */
AS_MUST_CHECK bool safetensors_writer_meta(SafetensorsWriter *writer, const char *key,
                                           const char *text, Error *err);
/** A tensor, before open; *tensor is its number for put. The name is valid UTF-8, copied, used only
 *  once, not "__metadata__"; dtype has a name in safetensors; sizes are checked. */
AS_MUST_CHECK bool safetensors_writer_declare(SafetensorsWriter *writer, const char *name,
                                              DType dtype, int32_t n_dims, const int64_t *shape,
                                              size_t *tensor, Error *err);
/** Starts the file beside `path` and writes the header. */
AS_MUST_CHECK bool safetensors_writer_open(SafetensorsWriter *writer, const char *path, Error *err);
/** n_bytes of a tensor's data from byte `offset` of it on; every byte exactly once. ERR_RANGE past
 *  its end. */
AS_MUST_CHECK bool safetensors_writer_put(SafetensorsWriter *writer, size_t tensor, size_t offset,
                                          const void *bytes, size_t n_bytes, Error *err);
/** ERR_INTERNAL naming the tensor, and nothing written, when data is missing. */
AS_MUST_CHECK bool safetensors_writer_commit(SafetensorsWriter *writer, Error *err);
/** Size of the file that open would make of what is declared now. */
AS_MUST_CHECK bool safetensors_writer_size(const SafetensorsWriter *writer, size_t *n_bytes,
                                           Error *err);
