#pragma once
/*
 * NumPy's .npz: a zip archive of .npy files, stored or deflated. Everything the archive says is
 * checked before it is used; arrays that are stored are read where they are mapped.
 * Source: APPNOTE.TXT 6.3.3 (zip), RFC 1951 (deflate, by zlib), numpy.lib.npyio.
 */
#include "base/arena.h"
#include "formats/npy.h"

typedef struct NpzEntry {
    char *name; /* without ".npy"; valid UTF-8 */
    const unsigned char *data;
    uint64_t packed, plain; /* bytes in the file, and unpacked */
    uint32_t crc;
    bool deflated;
    const unsigned char *checked; /* unpacked and its check sum right; NULL before npz_read */
} NpzEntry;

/** An open archive. Zero is closed. */
typedef struct NpzFile {
    FileMap map; /* internal */
    Arena arena;
    NpzEntry *entries;
    size_t n;
    const char *path;
} NpzFile;

/** ERR_FORMAT or ERR_UNSUPPORTED (encrypted, other compression) say which entry and why. */
AS_MUST_CHECK bool npz_open(NpzFile *file, const char *path, Error *err);
/** The same from memory, borrowed until npz_close. */
AS_MUST_CHECK bool npz_open_memory(NpzFile *file, const char *name, const void *data,
                                   size_t n_bytes, Error *err);
/** Idempotent. Arrays read from it end here. */
void npz_close(NpzFile *file);
/** The entry of this name; NULL when there is none. */
const NpzEntry *npz_find(const NpzFile *file, const char *name);
/** Unpacks (into the archive's arena, once) and checks one array; its data lives until npz_close,
 *  and npy_close of it does nothing. */
AS_MUST_CHECK bool npz_read(NpzFile *file, const NpzEntry *entry, NpyArray *array, Error *err);
