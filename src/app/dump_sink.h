#pragma once
/*
 * Where `dump` writes: numbers come row by row, the file is whole or not there. The ending of its
 * name says the form: .npy, .csv, .json; "-" is JSON on standard output.
 */
#include "base/str.h"
#include "formats/npy.h"

enum { DUMP_MAX_DIMS = 4 };

typedef enum DumpFormat { DUMP_NPY, DUMP_CSV, DUMP_JSON } DumpFormat;

typedef struct DumpSink {
    DumpFormat format;
    int32_t n_dims; /* 1 .. DUMP_MAX_DIMS */
    int64_t shape[DUMP_MAX_DIMS];
    int64_t index[DUMP_MAX_DIMS]; /* of the next row; the last axis is the row itself */
    NpyWriter npy;
    AtomicFile text;
    StrBuf line;
} DumpSink;

/** ERR_USAGE for a name without a known ending. */
AS_MUST_CHECK bool dump_sink_format(const char *path, DumpFormat *format, Error *err);
/** Before hours of computing: can a result of this shape be written there, and has the disk room?
 */
AS_MUST_CHECK bool dump_sink_check(const char *path, int32_t n_dims, const int64_t *shape,
                                   Error *err);
AS_MUST_CHECK bool dump_sink_open(DumpSink *sink, const char *path, int32_t n_dims,
                                  const int64_t *shape, Error *err);
/** A line that names the rows which follow, for CSV; other forms say it by their shape. */
AS_MUST_CHECK bool dump_sink_title(DumpSink *sink, const char *title, Error *err);
/** n_rows rows along the last axis, packed. */
AS_MUST_CHECK bool dump_sink_rows(DumpSink *sink, const float *values, size_t n_rows, Error *err);
AS_MUST_CHECK bool dump_sink_commit(DumpSink *sink, Error *err);
/** Idempotent, fine after commit. */
void dump_sink_abort(DumpSink *sink);
