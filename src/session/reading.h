#pragma once
/*
 * What is said about one weight: the cell, its row and its column, and tokens as they are shown.
 * Main thread only.
 */
#include "trace/trace.h"

enum { READING_TOP = 6, TOKEN_LABEL_MAX = 64 };

/** Kept while nothing changes. Zero is empty. */
typedef struct Reading {
    uint64_t trace_version;
    int32_t layer, head, query, key;
    bool valid;
    TraceCell cell;
    TraceTop top[READING_TOP]; /* strongest keys of the row */
    size_t n_top;
    double row_sum;             /* of the row's weights: 1 but for rounding */
    float *row;                 /* [M] weights of the query, owned */
    float *column;              /* [N] weights on the key, owned */
    size_t capacity;            /* of row and column together, floats */
    double received;            /* sum of the column */
    int32_t n_readers;          /* queries that may see the key */
    int32_t row_first, row_end; /* keys the query may see */
} Reading;

/** Computes what changed. False when a layer is not there or memory is short (valid is false). */
AS_MUST_CHECK bool reading_update(Reading *reading, const Trace *trace, uint64_t trace_version,
                                  int32_t layer, int32_t head, int32_t query, int32_t key);
void reading_free(Reading *reading);

/**
 * A token as people read it: without the space before a word; line breaks as ⏎, tabs as ⇥; only
 * spaces: "space" (×n); nothing or control characters: its id. Cut at TOKEN_LABEL_MAX on a
 * character. Returns out.
 */
const char *token_label(const TraceToken *token, char out[TOKEN_LABEL_MAX]);
/** Bytes that are not whole characters: "D0 9F", cut with "…" after the fourth; a space before them
 *  is left out as in token_label. Returns out. */
const char *token_bytes_label(const char *bytes, size_t n, char out[TOKEN_LABEL_MAX]);
