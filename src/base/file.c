#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_map_open(FileMap *map, const char *path, Error *err)
{
    *map = (FileMap){0};
    /* Without O_NONBLOCK a named pipe would wait here for a writer that may never come. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return error_set(err, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    }
    struct stat st;
    bool ok = fstat(fd, &st) == 0;
    if (!ok) {
        error_set(err, ERR_IO, "cannot read %s: %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        ok = error_set(err, ERR_IO, "%s is not a file: name a regular file", path);
    }
    void *data = NULL;
    if (ok && st.st_size > 0) {
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            ok = error_set(err, ERR_IO, "cannot map %s: %s", path, strerror(errno));
        }
    }
    close(fd);
    if (!ok) {
        return false;
    }
    map->data = data;
    map->n_bytes = (size_t)st.st_size;
    map->path = mem_strdup(path, err);
    if (!map->path) {
        file_map_close(map);
        return false;
    }
    return true;
}

void file_map_close(FileMap *map)
{
    if (!map) {
        return;
    }
    if (map->data) {
        munmap((void *)(uintptr_t)map->data, map->n_bytes);
    }
    mem_free(map->path);
    *map = (FileMap){0};
}

char *file_read_all(Arena *arena, const char *path, size_t most, size_t *n_bytes, Error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    if (!is_stdin && path_is_folder(path)) {
        error_set(err, ERR_IO, "%s is a folder: name a file", path);
        return NULL;
    }
    FILE *f = is_stdin ? stdin : fopen(path, "rbe");
    if (!f) {
        error_set(err, ERR_IO, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    StrBuf buf = {0};
    char chunk[1 << 16];
    bool ok = true;
    size_t got;
    while (ok && (got = fread(chunk, 1, sizeof chunk, f)) > 0) {
        ok = strbuf_add(&buf, chunk, got, err);
        if (ok && buf.n > most) {
            ok = error_set(err, ERR_RANGE, "%s has more than %zu bytes", name, most);
        }
    }
    if (ok && ferror(f)) {
        ok = error_set(err, ERR_IO, "cannot read %s: %s", name, strerror(errno));
    }
    if (!is_stdin) {
        fclose(f);
    }
    char *out = ok ? arena_strndup(arena, strbuf_text(&buf), buf.n, err) : NULL;
    *n_bytes = buf.n;
    strbuf_free(&buf);
    return out;
}

/* The file itself where path is a symbolic link: links are written through, not replaced. */
static char *resolve_target(const char *path, Error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISLNK(st.st_mode)) {
        return mem_strdup(path, err);
    }
    char *real = realpath(path, NULL);
    if (!real) {
        error_set(err, ERR_IO, "cannot write %s: it is a link whose target cannot be found: %s",
                  path, strerror(errno));
        return NULL;
    }
    char *copy = mem_strdup(real, err);
    free(real);
    return copy;
}

/* A new file beside file->path, its name in file->temporary; -1 with errno set. Not by mkstemp, so
 * that the person's umask decides who may read the result. */
static int create_beside(AtomicFile *file)
{
    enum { MOST_BASE = 200, MOST_TRIES = 100 }; /* names end at 255 bytes */
    size_t keep = strlen(file->path);
    size_t folder = (size_t)(path_base_name(file->path) - file->path);
    keep = AS_MIN(keep, folder + MOST_BASE);
    size_t n = keep + 40;
    file->temporary = mem_alloc(n, NULL);
    if (!file->temporary) {
        errno = ENOMEM;
        return -1;
    }
    int fd = -1;
    for (int i = 0; fd < 0 && i < MOST_TRIES; i++) {
        snprintf(file->temporary, n, "%.*s.part-%ld-%d", (int)keep, file->path, (long)getpid(), i);
        fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST) {
            break;
        }
    }
    if (fd < 0) {
        mem_free(file->temporary); /* not ours to remove */
        file->temporary = NULL;
    }
    return fd;
}

/* Through the stream's buffer and the system's to the disk, so that a rename never shows a file
 * whose bytes a full or failing disk then refuses. */
static bool flush_to_disk(FILE *stream)
{
    if (fflush(stream) != 0) {
        return false;
    }
    /* Pipes, devices and some file systems know no fsync. */
    return fsync(fileno(stream)) == 0 || errno == EINVAL || errno == EROFS || errno == ENOSYS ||
           errno == ENOTSUP;
}

bool atomic_file_open(AtomicFile *file, const char *path, Error *err)
{
    *file = (AtomicFile){0};
    if (strcmp(path, "-") == 0) {
        file->stream = stdout;
        return true;
    }
    if (path_is_folder(path)) {
        return error_set(err, ERR_IO, "cannot write %s: it is a folder, name a file", path);
    }
    struct stat old;
    bool exists = stat(path, &old) == 0;
    /* A device or a pipe cannot be replaced: renaming over /dev/null would take it from all. */
    bool direct = exists && !S_ISREG(old.st_mode);
    file->path = direct ? mem_strdup(path, err) : resolve_target(path, err);
    if (!file->path) {
        return false;
    }
    int fd = direct ? open(path, O_WRONLY | O_CLOEXEC) : create_beside(file);
    if (fd >= 0 && exists && !direct) {
        (void)!fchmod(fd, old.st_mode & 0777);
    }
    file->stream = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!file->stream) {
        error_set(err, ERR_IO, "cannot write %s: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        atomic_file_abort(file);
        return false;
    }
    return true;
}

bool atomic_file_write(AtomicFile *file, const void *bytes, size_t n, Error *err)
{
    if (n && fwrite(bytes, 1, n, file->stream) != n) {
        return error_set(err, ERR_IO, "cannot write %s: %s",
                         file->path ? file->path : "standard output", strerror(errno));
    }
    return true;
}

bool atomic_file_seek(AtomicFile *file, size_t offset, Error *err)
{
    if (!file->path) {
        return error_set(err, ERR_IO,
                         "cannot move inside standard output: write to a file instead");
    }
    /* Moving writes what is buffered: that is where a full disk is found. */
    return fseeko(file->stream, (off_t)offset, SEEK_SET) == 0 ||
           error_set(err, ERR_IO, "cannot write %s: %s", file->path, strerror(errno));
}

bool atomic_file_commit(AtomicFile *file, Error *err)
{
    FILE *stream = file->stream;
    file->stream = NULL;
    bool ok = file->path ? flush_to_disk(stream) : fflush(stream) == 0;
    int cause = errno;
    if (file->path && fclose(stream) != 0 && ok) {
        ok = false;
        cause = errno;
    }
    if (ok && file->temporary && rename(file->temporary, file->path) != 0) {
        ok = false;
        cause = errno;
    }
    if (!ok) {
        error_set(err, ERR_IO, "cannot write %s: %s", file->path ? file->path : "standard output",
                  strerror(cause));
    } else if (file->temporary) {
        mem_free(file->temporary);
        file->temporary = NULL;
    }
    atomic_file_abort(file);
    return ok;
}

void atomic_file_abort(AtomicFile *file)
{
    if (!file) {
        return;
    }
    if (file->stream && file->path) {
        fclose(file->stream);
    }
    if (file->temporary) {
        unlink(file->temporary);
    }
    mem_free(file->temporary);
    mem_free(file->path);
    *file = (AtomicFile){0};
}

bool file_write_all(const char *path, const void *bytes, size_t n, Error *err)
{
    AtomicFile f;
    if (!atomic_file_open(&f, path, err)) {
        return false;
    }
    if (!atomic_file_write(&f, bytes, n, err)) {
        atomic_file_abort(&f);
        return false;
    }
    return atomic_file_commit(&f, err);
}

bool path_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool path_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *path_join(Arena *arena, const char *folder, const char *name, Error *err)
{
    size_t n = strlen(folder);
    const char *slash = n && folder[n - 1] != '/' ? "/" : "";
    return arena_printf(arena, err, "%s%s%s", folder, slash, name);
}

const char *path_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool path_has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name);
    size_t m = strlen(suffix);
    return n >= m && memcmp(name + n - m, suffix, m) == 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool folder_list(Arena *arena, const char *path, char ***names, size_t *n_names, Error *err)
{
    DIR *dir = opendir(path);
    if (!dir) {
        return error_set(err, ERR_IO, "cannot open folder %s: %s", path, strerror(errno));
    }
    ARRAY_OF(char *) list = {0};
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        char *copy = arena_strdup(arena, e->d_name, err);
        ok = copy && ARRAY_PUSH(&list, copy, err);
    }
    closedir(dir);
    if (ok) {
        *names = ARENA_ARRAY(arena, char *, list.n, err);
        ok = *names != NULL;
    }
    if (ok && list.n) {
        memcpy(*names, list.items, list.n * sizeof *list.items);
        qsort(*names, list.n, sizeof **names, compare_names);
    }
    *n_names = list.n;
    ARRAY_FREE(&list);
    return ok;
}

const char *path_whole(Arena *arena, const char *path)
{
    char *whole = realpath(path, NULL);
    const char *copy = whole ? arena_strdup(arena, whole, NULL) : NULL;
    free(whole);
    return copy;
}
