#pragma once
/*
 * Files that travel inside the program (the embedded models, example texts, shaders, keys, themes),
 * by their path in the repository, such as "models/tiny/config.json". Any thread.
 */
#include "base/base.h"

typedef struct EmbeddedFile {
    const char *name;          /* path from the top of the repository, static */
    const unsigned char *data; /* static; a NUL follows the last byte */
    size_t n_bytes;
} EmbeddedFile;

/** False when there is no such file. */
AS_MUST_CHECK bool embedded_find(const char *name, EmbeddedFile *file);
/** The index-th file whose name starts with `prefix` ("" = all), in name order; false past the end.
 */
AS_MUST_CHECK bool embedded_next(const char *prefix, size_t index, EmbeddedFile *file);

/* The generated table: rows in name order, ended by a NULL name. Only embedded.c reads it. */
typedef struct EmbeddedRow {
    const char *name;
    const unsigned char *data;
    const unsigned char *end;
} EmbeddedRow;
extern const EmbeddedRow as_embedded_rows[];
