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

/* The number in the file `name` of a control group: alone there, or behind `key` in a line of its
 * own. False for "max" and where there is no such file or line. */
static bool read_number(const char *group, const char *name, const char *key, uint64_t *value)
{
    char line[4096];
    snprintf(line, sizeof line, "%s/%s", group, name);
    FILE *f = fopen(line, "re");
    size_t n_key = strlen(key);
    unsigned long long n;
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f)) {
        found = !strncmp(line, key, n_key) && sscanf(line + n_key, "%llu", &n) == 1;
    }
    if (f) {
        fclose(f);
    }
    if (found) {
        *value = n;
    }
    return found;
}

uint64_t memory_group_bytes(const char *group, uint64_t most)
{
    uint64_t limit;
    uint64_t used;
    uint64_t inactive = 0;
    uint64_t active = 0;
    if (!read_number(group, "memory.max", "", &limit) ||
        !read_number(group, "memory.current", "", &used)) {
        return most;
    }
    /* Cached files count as used, but give way: a group that has read much is not full. */
    if (read_number(group, "memory.stat", "inactive_file ", &inactive) &&
        read_number(group, "memory.stat", "active_file ", &active)) {
        used -= AS_MIN(used, inactive + active);
    }
    return AS_MIN(most, limit > used ? limit - used : 0);
}

/* Our control group (version 2) and those above it: each may have a limit. */
static uint64_t under_group_limits(uint64_t most)
{
    static const char root[] = "/sys/fs/cgroup";
    char line[3072] = "";
    char group[4096];
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && fgets(line, sizeof line, f) && strncmp(line, "0::/", 4)) {
        line[0] = 0;
    }
    if (f) {
        fclose(f);
    }
    line[strcspn(line, "\n")] = 0;
    int n = snprintf(group, sizeof group, "%s%s", root, strlen(line) > 4 ? line + 3 : "");
    for (char *end = group + n; end >= group + strlen(root); end = strrchr(group, '/')) {
        *end = 0;
        most = memory_group_bytes(group, most);
    }
    return most;
}

uint64_t memory_available_bytes(void)
{
    uint64_t available = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t kib;
    if (read_number("/proc", "meminfo", "MemAvailable:", &kib)) {
        available = kib * 1024;
    }
    return under_group_limits(available);
}
