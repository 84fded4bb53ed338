#include "app/dump_sink.h"

#include "app/cli.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool dump_sink_format(const char *path, DumpFormat *format, Error *err)
{
    if (!strcmp(path, "-") || path_has_suffix(path, ".json")) {
        *format = DUMP_JSON;
    } else if (path_has_suffix(path, ".npy")) {
        *format = DUMP_NPY;
    } else if (path_has_suffix(path, ".csv")) {
        *format = DUMP_CSV;
    } else {
        return error_set(err, ERR_USAGE,
                         "dump: '%.200s' does not end with .npy, .csv or .json, "
                         "which says how to write",
                         path);
    }
    return true;
}

static int64_t row_length(const DumpSink *sink)
{
    return sink->shape[sink->n_dims - 1];
}

/* Text takes at least two bytes a number. */
bool dump_sink_check(const char *path, int32_t n_dims, const int64_t *shape, Error *err)
{
    DumpFormat format;
    if (!dump_sink_format(path, &format, err)) {
        return false;
    }
    uint64_t bytes = format == DUMP_NPY ? 4 : 2;
    for (int32_t i = 0; i < n_dims; i++) {
        if (__builtin_mul_overflow(bytes, (uint64_t)shape[i], &bytes)) {
            bytes = UINT64_MAX;
            break;
        }
    }
    return cli_check_output(path, bytes,
                            "take fewer layers or heads, or a part with --rows and --cols", err);
}

bool dump_sink_open(DumpSink *sink, const char *path, int32_t n_dims, const int64_t *shape,
                    Error *err)
{
    *sink = (DumpSink){.n_dims = n_dims};
    AS_ASSERT(n_dims >= 1 && n_dims <= DUMP_MAX_DIMS);
    memcpy(sink->shape, shape, (size_t)n_dims * sizeof *shape);
    if (!dump_sink_format(path, &sink->format, err)) {
        return false;
    }
    return sink->format == DUMP_NPY
               ? npy_writer_open(&sink->npy, path, DTYPE_F32, n_dims, shape, err)
               : atomic_file_open(&sink->text, path, err);
}

bool dump_sink_title(DumpSink *sink, const char *title, Error *err)
{
    if (sink->format != DUMP_CSV) {
        return true;
    }
    strbuf_clear(&sink->line);
    return strbuf_printf(&sink->line, err, "# %s\n", title) &&
           atomic_file_write(&sink->text, sink->line.text, sink->line.n, err);
}

static bool add_numbers(DumpSink *sink, const float *row, Error *err)
{
    bool json = sink->format == DUMP_JSON;
    for (int64_t i = 0; i < row_length(sink); i++) {
        char text[32] = "null";
        int n = 4;
        if (isfinite(row[i])) {
            n = snprintf(text, sizeof text, "%.9g", (double)row[i]); /* reads back exactly */
        } else if (!json) {
            n = snprintf(text, sizeof text, "%s",
                         isnan(row[i]) ? "nan"
                         : row[i] > 0  ? "inf"
                                       : "-inf");
        }
        if ((i && !strbuf_add(&sink->line, ",", 1, err)) ||
            !strbuf_add(&sink->line, text, (size_t)n, err)) {
            return false;
        }
    }
    return true;
}

/* Brackets that open before a row and close behind it follow from its index. */
static bool add_json_row(DumpSink *sink, const float *row, Error *err)
{
    int32_t outer = sink->n_dims - 1;
    int32_t axis = outer; /* the axes from here on begin with this row */
    while (axis > 0 && sink->index[axis - 1] == 0) {
        axis--;
    }
    bool ok = axis == 0 || strbuf_add(&sink->line, ",\n", 2, err);
    for (int32_t i = axis; i < outer && ok; i++) {
        ok = strbuf_add(&sink->line, "[", 1, err);
    }
    ok = ok && strbuf_add(&sink->line, "[", 1, err) && add_numbers(sink, row, err) &&
         strbuf_add(&sink->line, "]", 1, err);
    for (int32_t i = outer - 1; i >= 0 && ok; i--) {
        if (++sink->index[i] < sink->shape[i]) {
            break;
        }
        sink->index[i] = 0;
        ok = strbuf_add(&sink->line, "]", 1, err);
    }
    return ok;
}

bool dump_sink_rows(DumpSink *sink, const float *values, size_t n_rows, Error *err)
{
    if (sink->format == DUMP_NPY) {
        return npy_writer_append(&sink->npy, values, n_rows * (size_t)row_length(sink), err);
    }
    for (size_t r = 0; r < n_rows; r++) {
        const float *row = values + r * (size_t)row_length(sink);
        strbuf_clear(&sink->line);
        bool ok = sink->format == DUMP_JSON
                      ? add_json_row(sink, row, err)
                      : add_numbers(sink, row, err) && strbuf_add(&sink->line, "\n", 1, err);
        if (!ok || !atomic_file_write(&sink->text, sink->line.text, sink->line.n, err)) {
            return false;
        }
    }
    return true;
}

bool dump_sink_commit(DumpSink *sink, Error *err)
{
    bool ok = sink->format == DUMP_NPY
                  ? npy_writer_commit(&sink->npy, err)
                  : (sink->format != DUMP_JSON || atomic_file_write(&sink->text, "\n", 1, err)) &&
                        atomic_file_commit(&sink->text, err);
    dump_sink_abort(sink);
    return ok;
}

void dump_sink_abort(DumpSink *sink)
{
    npy_writer_abort(&sink->npy);
    atomic_file_abort(&sink->text);
    strbuf_free(&sink->line);
}
