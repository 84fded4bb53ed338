#include "formats/npz.h"

#include "base/str.h"

#include <limits.h>
#include <string.h>

#include <zlib.h>

enum {
    END_BYTES = 22,
    LOCATOR64_BYTES = 20,
    END64_BYTES = 56,
    END_COMMENT_MOST = 65535,
    CENTRAL_BYTES = 46,
    LOCAL_BYTES = 30,
    STORED = 0,
    DEFLATED = 8,
    ENCRYPTED = 1,
    ZIP64_EXTRA = 1,
    DEFLATE_RATIO_MOST = 1032, /* deflate cannot do better */
};

static const unsigned char END_MAGIC[] = {'P', 'K', 5, 6};
static const unsigned char LOCATOR64_MAGIC[] = {'P', 'K', 6, 7};
static const unsigned char END64_MAGIC[] = {'P', 'K', 6, 6};
static const unsigned char CENTRAL_MAGIC[] = {'P', 'K', 1, 2};
static const unsigned char LOCAL_MAGIC[] = {'P', 'K', 3, 4};

typedef struct Zip {
    NpzFile *file;
    const unsigned char *data;
    size_t n;
    const char *path;
} Zip;

static uint16_t u16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t u32(const unsigned char *p)
{
    return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16;
}

static uint64_t u64(const unsigned char *p)
{
    return (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32;
}

static bool bad(const Zip *z, const char *what, Error *err)
{
    return error_set(err, ERR_FORMAT, "%s: %s; it is no .npz, or damaged", z->path, what);
}

/* The end record, searched from the end as a comment may follow it. NULL when there is none. */
static const unsigned char *find_end(const Zip *z)
{
    if (z->n < END_BYTES) {
        return NULL;
    }
    size_t most = AS_MIN(z->n - END_BYTES, (size_t)END_COMMENT_MOST);
    for (size_t back = 0; back <= most; back++) {
        const unsigned char *p = z->data + z->n - END_BYTES - back;
        if (!memcmp(p, END_MAGIC, sizeof END_MAGIC) && u16(p + 20) <= back) {
            return p;
        }
    }
    return NULL;
}

/* Sizes past 4 GiB stand in an extra field, in this order, each only where it is needed. */
static bool read_zip64(const unsigned char *extra, size_t n, uint64_t *plain, uint64_t *packed,
                       uint64_t *offset)
{
    uint64_t *values[] = {plain, packed, offset};
    for (size_t at = 0; at + 4 <= n;) {
        size_t size = u16(extra + at + 2);
        const unsigned char *p = extra + at + 4;
        if (size > n - at - 4) {
            return false;
        }
        if (u16(extra + at) == ZIP64_EXTRA) {
            for (size_t i = 0; i < AS_COUNT(values); i++) {
                if (*values[i] == UINT32_MAX) {
                    if (size < 8) {
                        return false;
                    }
                    *values[i] = u64(p);
                    p += 8;
                    size -= 8;
                }
            }
            return true;
        }
        at += 4 + size;
    }
    return *plain != UINT32_MAX && *packed != UINT32_MAX && *offset != UINT32_MAX;
}

/* Where an entry's bytes are: after its own header, whose lengths may differ from the list's. */
static bool locate(const Zip *z, uint64_t offset, NpzEntry *entry, Error *err)
{
    if (offset > z->n || z->n - offset < LOCAL_BYTES ||
        memcmp(z->data + offset, LOCAL_MAGIC, sizeof LOCAL_MAGIC) != 0) {
        return bad(z, "an entry is not where its list says", err);
    }
    const unsigned char *p = z->data + offset;
    uint64_t start = offset + LOCAL_BYTES + u16(p + 26) + u16(p + 28);
    if (start > z->n || entry->packed > z->n - start) {
        return bad(z, "an entry reaches past the end of the file", err);
    }
    entry->data = z->data + start;
    return true;
}

static bool read_entry(const Zip *z, const unsigned char *p, size_t left, NpzEntry *entry,
                       size_t *used, Error *err)
{
    if (left < CENTRAL_BYTES || memcmp(p, CENTRAL_MAGIC, sizeof CENTRAL_MAGIC) != 0) {
        return bad(z, "its list of entries is cut", err);
    }
    size_t name = u16(p + 28);
    size_t extra = u16(p + 30);
    *used = CENTRAL_BYTES + name + extra + u16(p + 32);
    if (*used > left) {
        return bad(z, "its list of entries is cut", err);
    }
    uint64_t offset = u32(p + 42);
    int method = u16(p + 10);
    *entry = (NpzEntry){.packed = u32(p + 20),
                        .plain = u32(p + 24),
                        .crc = u32(p + 16),
                        .deflated = method == DEFLATED};
    if (!read_zip64(p + CENTRAL_BYTES + name, extra, &entry->plain, &entry->packed, &offset)) {
        return bad(z, "the size of an entry is not given", err);
    }
    size_t cut = name >= 4 && !memcmp(p + CENTRAL_BYTES + name - 4, ".npy", 4) ? 4 : 0;
    size_t n;
    entry->name =
        utf8_repair(&z->file->arena, (const char *)p + CENTRAL_BYTES, name - cut, &n, NULL, err);
    if (!entry->name) {
        return false;
    }
    if ((u16(p + 8) & ENCRYPTED) || (method != STORED && method != DEFLATED)) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: the entry '%.40s' is encrypted or packed in a way that is not read "
                         "(numpy.savez and savez_compressed are)",
                         z->path, entry->name);
    }
    if ((method == STORED && entry->plain != entry->packed) ||
        entry->plain / DEFLATE_RATIO_MOST > entry->packed) {
        return bad(z, "the sizes of an entry cannot be", err);
    }
    return locate(z, offset, entry, err);
}

/* Where the list of entries is and how long. */
typedef struct List {
    uint64_t n, size, at;
} List;

/* Archives past 4 GiB have a second, wider end record, found through a locator before the first. */
static bool read_end64(const Zip *z, size_t before, List *list)
{
    if (list->n != UINT16_MAX && list->size != UINT32_MAX && list->at != UINT32_MAX) {
        return true;
    }
    if (before < LOCATOR64_BYTES) {
        return true;
    }
    const unsigned char *p = z->data + before - LOCATOR64_BYTES;
    if (memcmp(p, LOCATOR64_MAGIC, sizeof LOCATOR64_MAGIC) != 0) {
        return true; /* the numbers are what they say */
    }
    uint64_t at = u64(p + 8);
    if (at > before || before - at < END64_BYTES ||
        memcmp(z->data + at, END64_MAGIC, sizeof END64_MAGIC) != 0) {
        return false;
    }
    *list = (List){u64(z->data + at + 32), u64(z->data + at + 40), u64(z->data + at + 48)};
    return true;
}

static bool read_list(const Zip *z, Error *err)
{
    const unsigned char *end = find_end(z);
    if (!end) {
        return bad(z, "it has no end record", err);
    }
    List list = {u16(end + 10), u32(end + 12), u32(end + 16)};
    size_t before = (size_t)(end - z->data);
    if (!read_end64(z, before, &list)) {
        return bad(z, "its end record lies outside the file", err);
    }
    if (list.n > list.size / CENTRAL_BYTES || list.at > before || list.size > before - list.at) {
        return bad(z, "its list of entries lies outside the file", err);
    }
    size_t n = list.n;
    size_t at = list.at;
    z->file->entries = ARENA_ARRAY(&z->file->arena, NpzEntry, n ? n : 1, err);
    if (!z->file->entries) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        size_t used = 0;
        if (!read_entry(z, z->data + at, before - at, &z->file->entries[i], &used, err)) {
            return false;
        }
        at += used;
        z->file->n++;
    }
    return true;
}

bool npz_open_memory(NpzFile *file, const char *name, const void *data, size_t n_bytes, Error *err)
{
    Zip z = {.file = file, .data = data, .n = n_bytes, .path = name};
    *file = (NpzFile){.path = name};
    if (!read_list(&z, err)) {
        npz_close(file);
        return false;
    }
    return true;
}

bool npz_open(NpzFile *file, const char *path, Error *err)
{
    FileMap map = {0};
    *file = (NpzFile){0};
    if (!file_map_open(&map, path, err)) {
        return false;
    }
    if (!npz_open_memory(file, path, map.data, map.n_bytes, err)) {
        file_map_close(&map);
        return false;
    }
    file->map = map;
    file->path = map.path;
    return true;
}

void npz_close(NpzFile *file)
{
    arena_destroy(&file->arena);
    file_map_close(&file->map);
    *file = (NpzFile){0};
}

const NpzEntry *npz_find(const NpzFile *file, const char *name)
{
    for (size_t i = 0; i < file->n; i++) {
        if (strcmp(file->entries[i].name, name) == 0) {
            return &file->entries[i];
        }
    }
    return NULL;
}

/* All of an entry by zlib, in pieces that its counters hold. */
static bool inflate_all(const NpzEntry *entry, unsigned char *out)
{
    z_stream s = {0};
    if (inflateInit2(&s, -MAX_WBITS) != Z_OK) {
        return false;
    }
    uint64_t in_left = entry->packed;
    uint64_t out_left = entry->plain;
    int state = Z_OK;
    s.next_in = (Bytef *)(uintptr_t)entry->data;
    s.next_out = out;
    while (state == Z_OK) {
        uInt in = (uInt)AS_MIN(in_left, (uint64_t)INT_MAX);
        uInt room = (uInt)AS_MIN(out_left, (uint64_t)INT_MAX);
        s.avail_in = in;
        s.avail_out = room;
        state = inflate(&s, Z_NO_FLUSH);
        in_left -= in - s.avail_in;
        out_left -= room - s.avail_out;
        if (state == Z_OK && in == s.avail_in && room == s.avail_out) {
            break; /* neither read nor written: cut, or longer than it says */
        }
    }
    inflateEnd(&s);
    return state == Z_STREAM_END && out_left == 0;
}

static uint32_t crc_of(const unsigned char *data, uint64_t n)
{
    uLong crc = crc32(0, NULL, 0);
    while (n > 0) {
        uInt part = (uInt)AS_MIN(n, (uint64_t)INT_MAX);
        crc = crc32(crc, data, part);
        data += part;
        n -= part;
    }
    return (uint32_t)crc;
}

/* The bytes of an entry, unpacked into the arena where they must be; NULL with *err. */
static const unsigned char *unpack(NpzFile *file, const NpzEntry *entry, Error *err)
{
    const unsigned char *data = entry->data;
    if (entry->deflated) {
        unsigned char *plain = arena_alloc(&file->arena, entry->plain, err);
        if (!plain) {
            return NULL;
        }
        if (!inflate_all(entry, plain)) {
            error_set(err, ERR_FORMAT, "%s: the entry '%.40s' cannot be unpacked", file->path,
                      entry->name);
            return NULL;
        }
        data = plain;
    }
    if (crc_of(data, entry->plain) != entry->crc) {
        error_set(err, ERR_FORMAT, "%s: the entry '%.40s' is damaged (its check sum differs)",
                  file->path, entry->name);
        return NULL;
    }
    return data;
}

bool npz_read(NpzFile *file, const NpzEntry *entry, NpyArray *array, Error *err)
{
    NpzEntry *own = &file->entries[entry - file->entries];
    *array = (NpyArray){0};
    if (!own->checked) {
        own->checked = unpack(file, own, err);
    }
    if (!own->checked) {
        return false;
    }
    char *name = arena_printf(&file->arena, err, "%s, %.60s", file->path, entry->name);
    return name && npy_open_memory(array, name, own->checked, entry->plain, err);
}
