#pragma once
/*
 * Files: read-only maps, whole reads, writes that are whole or not at all, paths, folders.
 */
#include "base/str.h"

/** A file mapped read-only. `data` is valid until file_map_close. Zero is closed. */
typedef struct FileMap {
    const unsigned char *data; /* NULL for an empty file */
    size_t n_bytes;
    char *path; /* owned; for messages */
} FileMap;

/** Maps a regular file. ERR_IO says which and why (missing, a directory, no permission). */
AS_MUST_CHECK bool file_map_open(FileMap *map, const char *path, Error *err);
/** Idempotent; NULL is fine. */
void file_map_close(FileMap *map);

/** Whole file (or standard input for "-") into the arena, NUL-terminated; at most `most` bytes. */
AS_MUST_CHECK char *file_read_all(Arena *arena, const char *path, size_t most, size_t *n_bytes,
                                  Error *err);

/**
 * Write whole or not at all: bytes go to a temporary beside `path`, commit brings them to the disk
 * and renames it. A symbolic link is written through; an old file's permissions are kept; a device
 * or a named pipe cannot be replaced and gets the bytes as they come.
 *   AtomicFile f; atomic_file_open(&f, path, err) … atomic_file_write … atomic_file_commit;
 *   atomic_file_abort in every other case (idempotent, fine after commit). "-" writes standard
 *   output. Zero is closed.
 */
typedef struct AtomicFile {
    void *stream;    /* FILE *, owned */
    char *path;      /* owned; NULL on standard output */
    char *temporary; /* owned; NULL on standard output, devices and pipes */
} AtomicFile;
AS_MUST_CHECK bool atomic_file_open(AtomicFile *file, const char *path, Error *err);
AS_MUST_CHECK bool atomic_file_write(AtomicFile *file, const void *bytes, size_t n, Error *err);
/** Absolute position; for headers written last. Not on standard output. */
AS_MUST_CHECK bool atomic_file_seek(AtomicFile *file, size_t offset, Error *err);
AS_MUST_CHECK bool atomic_file_commit(AtomicFile *file, Error *err);
void atomic_file_abort(AtomicFile *file);
/** All of the above for one buffer. */
AS_MUST_CHECK bool file_write_all(const char *path, const void *bytes, size_t n, Error *err);

bool path_exists(const char *path);
bool path_is_folder(const char *path);
/** "a/b" + "c" = "a/b/c". */
AS_MUST_CHECK char *path_join(Arena *arena, const char *folder, const char *name, Error *err);
/** Last part, borrowed from path. */
const char *path_base_name(const char *path);
/** Does name end with suffix ("x.gguf", ".gguf")? Case matters. */
bool path_has_suffix(const char *name, const char *suffix);
/** The path from the root, without links; NULL where there is no such file. In the arena. */
const char *path_whole(Arena *arena, const char *path);
/** Names in a folder without "." and "..", sorted bytewise; owned by the arena. */
AS_MUST_CHECK bool folder_list(Arena *arena, const char *path, char ***names, size_t *n_names,
                               Error *err);
