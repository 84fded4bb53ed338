#pragma once
/*
 * NumPy's .npy: one array, a text header {'descr', 'fortran_order', 'shape'}, then the numbers.
 * Source: numpy/lib/format.py's description of versions 1.0 to 3.0.
 */
#include "base/dtype.h"
#include "base/file.h"

enum { NPY_MAX_DIMS = 8 };

/** An array read from a file. Zero is closed. */
typedef struct NpyArray {
    DType dtype;                 /* F32 F64 F16, BOOL, I8..I64, U8..U64 */
    int32_t n_dims;              /* 0 .. NPY_MAX_DIMS */
    int64_t shape[NPY_MAX_DIMS]; /* C order; 1 past n_dims */
    const void *data;            /* borrowed until npy_close; maybe unaligned */
    size_t n_elements;
    size_t n_bytes;
    FileMap map; /* internal */
} NpyArray;

/** Maps and checks a file: little endian, C order, as long as its shape says. ERR_FORMAT or
 *  ERR_UNSUPPORTED else. */
AS_MUST_CHECK bool npy_open(NpyArray *array, const char *path, Error *err);
/** The same from memory, borrowed until npy_close; `name` is for messages. */
AS_MUST_CHECK bool npy_open_memory(NpyArray *array, const char *name, const void *data,
                                   size_t n_bytes, Error *err);
/** Idempotent; NULL is fine. */
void npy_close(NpyArray *array);
/** All numbers as floats (rounded where they are wider) into dst[n_elements]. */
void npy_to_floats(const NpyArray *array, float *dst);

/**
 * Writes an array piece by piece; the file appears whole at commit or not at all.
 *   NpyWriter w; npy_writer_open(&w, …) … npy_writer_append … npy_writer_commit;
 *   npy_writer_abort in every other case (idempotent, fine after commit).
 * Path "-" is standard output.
 */
typedef struct NpyWriter {
    AtomicFile file;
    size_t bytes_left;    /* still to come */
    size_t element_bytes; /* of one number */
} NpyWriter;

/** dtype: F32 F64 F16, BOOL, I8..I64, U8..U64. */
AS_MUST_CHECK bool npy_writer_open(NpyWriter *writer, const char *path, DType dtype, int32_t n_dims,
                                   const int64_t *shape, Error *err);
/** The next n_elements in C order, any number at a time. */
AS_MUST_CHECK bool npy_writer_append(NpyWriter *writer, const void *elements, size_t n_elements,
                                     Error *err);
/** ERR_INTERNAL, and nothing written, when fewer elements came than the shape says. */
AS_MUST_CHECK bool npy_writer_commit(NpyWriter *writer, Error *err);
void npy_writer_abort(NpyWriter *writer);
/** All of the above for one array in memory. */
AS_MUST_CHECK bool npy_write(const char *path, DType dtype, int32_t n_dims, const int64_t *shape,
                             const void *elements, Error *err);
