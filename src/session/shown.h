#pragma once
/*
 * Rows and columns of what a heatmap shows when that is not one head as it is: a set of heads, keys
 * left out, one text reading the other. Exact, streamed over all keys; a part of the rows a job,
 * those in view first. Of one head as it is the trace has all of this (trace_rows,
 * trace_received). Main thread only.
 */
#include "session/session.h"

/** Rows of a part: known together. */
enum { SHOWN_PART = 16 };

/** Sums over the cells that are shown; masked and hidden ones count for nothing. */
typedef struct ShownRows {
    uint64_t trace_version, source; /* weight_source_id */
    int32_t layer, head;            /* of COMBINE_ONE */
    int32_t n_queries, n_keys;
    int32_t n_parts, parts_done;
    unsigned char *done; /* [n_parts] rows [SHOWN_PART * p, …) are there */
    float *row_max;      /* [N] the largest value */
    float *total;        /* [N] the row's sum */
    float *others;       /* [N] the same without the first key and the token itself */
    float *entropy;      /* [N] nats, of the row divided by its sum */
    int32_t *visible;    /* [N] cells that are shown */
    double *received;    /* [M] the columns' sums over the parts that are done */
    /* known from the heads' own statistics before all parts are done */
    bool received_known, row_max_known;
    uint64_t used;
    void *block; /* what the arrays are in; owned */
} ShownRows;

/** The row of the selected query and the column of the selected key. */
typedef struct ShownProfile {
    uint64_t trace_version, source;
    int32_t layer, head, query, key;
    float *row;                 /* [M] owned; -INFINITY where masked or hidden */
    float *column;              /* [N], in the same block */
    int32_t row_first, row_end; /* keys that are shown lie in here */
    float entropy;              /* nats, of the row divided by its sum */
    double row_sum, received;   /* sums of both */
} ShownProfile;

/**
 * What is known of the rows of `source` (of the selected head for COMBINE_ONE), and a wish: rows
 * [row0, row1) first, and after them the rest when `all`. Cheap ones are computed in the call.
 * NULL when there is nothing to show or no memory. Borrowed until the next call.
 */
const ShownRows *session_shown_rows(Session *session, const WeightSource *source, int32_t row0,
                                    int32_t row1, bool all);
/** Are the rows [row0, row1) there? This and the next two: false of rows that a later call let go
 *  as they failed (block NULL, all else 0). */
bool shown_rows_has(const ShownRows *rows, int32_t row0, int32_t row1);
/** Is their largest value? */
bool shown_rows_has_max(const ShownRows *rows, int32_t row0, int32_t row1);
/** Does [M] received hold the sums over all rows? */
bool shown_rows_has_received(const ShownRows *rows);
/** Row and column of the selection as `source` shows them. NULL while a job computes them (the
 *  newest request wins). Borrowed until the next call. */
const ShownProfile *session_shown_profile(Session *session, const WeightSource *source);
/** The last failure or cancel if it was of `source` (of the selected head for COMBINE_ONE), else
 *  code 0; nothing more is computed of that until shown_again. Borrowed. */
const Error *shown_failure(const Session *session, const WeightSource *source);
void shown_again(Session *session);
/** Stops jobs and forgets everything. */
void shown_clear(Session *session);
/** Frees session->shown. */
void shown_free(Session *session);

/**
 * The same without a session: rows [row0, row1) of a source into `rows` (arrays of the whole, see
 * above; done is not touched). row0 a multiple of SHOWN_PART. Any thread.
 * Cost O(rows * M * D * heads), O(threads * tile) memory.
 */
AS_MUST_CHECK bool shown_rows_compute(const Trace *trace, const WeightSource *source, int32_t layer,
                                      int32_t head, int32_t row0, int32_t row1, ShownRows *rows,
                                      JobControl *control, Error *err);
/** Multiplications of a part of the rows in shown_rows_compute, those of hidden keys too. */
double shown_part_cost(const Trace *trace, const WeightSource *source);
