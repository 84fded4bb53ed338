/* Files for what memory does not hold, and how much of both there is. */
#include "trace/internal.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { TMPFS = 0x01021994, RAMFS = (int)0x858458f6 };

static bool lies_in_memory(const char *folder)
{
    struct statfs s;
    return !statfs(folder, &s) && ((int)s.f_type == TMPFS || (int)s.f_type == RAMFS);
}

void spill_folder(const char *wanted, char *folder, size_t size)
{
    const char *chosen = wanted;
    if (!chosen || !*chosen) {
        const char *environment = getenv("TMPDIR");
        chosen =
            environment && *environment && !lies_in_memory(environment) ? environment : "/var/tmp";
    }
    snprintf(folder, size, "%s", chosen);
}

uint64_t spill_disk_free(const char *folder)
{
    struct statvfs s;
    if (statvfs(folder, &s)) {
        return 0;
    }
    uint64_t bytes;
    return __builtin_mul_overflow((uint64_t)s.f_bavail, (uint64_t)s.f_frsize, &bytes) ? UINT64_MAX
                                                                                      : bytes;
}

/* An unlinked temporary: O_TMPFILE where the file system has it, else a name that goes at once. */
static int open_nameless(const char *folder, Error *err)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) {
        return fd;
    }
    StrBuf name = {0};
    if (!strbuf_printf(&name, err, "%s/attnscope-spill-XXXXXX", folder)) {
        return -1;
    }
    fd = mkostemp(name.text, O_CLOEXEC);
    if (fd < 0) {
        error_set(err, ERR_IO,
                  "%s: a spill file cannot be made there: %s; set TMPDIR to a folder "
                  "on a disk with room",
                  folder, strerror(errno));
    } else {
        unlink(name.text);
    }
    strbuf_free(&name);
    return fd;
}

bool spill_open(Spill *spill, const char *folder, size_t n_bytes, Error *err)
{
    *spill = (Spill){0};
    int fd = open_nameless(folder, err);
    if (fd < 0) {
        return false;
    }
    /* Reserved now: a disk that fills up later would end the program with SIGBUS. */
    int reason = posix_fallocate(fd, 0, (off_t)n_bytes);
    if (reason) {
        char text[32];
        error_set(err, ERR_IO, "%s: no room for a spill file of %s: %s", folder,
                  format_bytes(n_bytes, text), strerror(reason));
        close(fd);
        return false;
    }
    void *data = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int why = errno;
    close(fd);
    if (data == MAP_FAILED) {
        return error_set(err, ERR_MEMORY, "%s: the spill file cannot be mapped: %s", folder,
                         strerror(why));
    }
    *spill = (Spill){data, n_bytes};
    return true;
}

void spill_let_go(const Spill *spill, size_t offset, size_t n_bytes)
{
    AS_ASSERT(offset <= spill->n_bytes && n_bytes <= spill->n_bytes - offset);
    enum { PAGE = 4096 };
    size_t end = offset + n_bytes;
    offset = (offset + PAGE - 1) / PAGE * PAGE; /* whole pages inside the range */
    n_bytes = end / PAGE * PAGE > offset ? end / PAGE * PAGE - offset : 0;
    unsigned char *from = (unsigned char *)spill->data + offset;
    /* The bytes stay in the file (in the page cache until the system writes them out). */
    if (n_bytes) {
        madvise(from, n_bytes, MADV_DONTNEED);
    }
}

void spill_close(Spill *spill)
{
    if (spill->data) {
        munmap(spill->data, spill->n_bytes);
    }
    *spill = (Spill){0};
}

/* The number in a one-number file such as memory.max; false for "max" or no such file. */
static bool read_number(const char *path, uint64_t *value)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        return false;
    }
    unsigned long long n;
    bool ok = fscanf(f, "%llu", &n) == 1;
    fclose(f);
    *value = n;
    return ok;
}

uint64_t memory_available_bytes(void)
{
    uint64_t available = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    FILE *f = fopen("/proc/meminfo", "re");
    char line[128];
    while (f && fgets(line, sizeof line, f)) {
        unsigned long long kib;
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) {
            available = kib * 1024;
            break;
        }
    }
    if (f) {
        fclose(f);
    }
    uint64_t most;
    uint64_t used;
    if (read_number("/sys/fs/cgroup/memory.max", &most) &&
        read_number("/sys/fs/cgroup/memory.current", &used)) {
        available = AS_MIN(available, most > used ? most - used : 0);
    }
    return available;
}
