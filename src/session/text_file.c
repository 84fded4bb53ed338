#include "session/text_file.h"

#include "base/str.h"

#include <string.h>

static const char mark[] = "\xEF\xBB\xBF";

static bool begins_with(const char *raw, size_t n, const char *with, size_t n_with)
{
    return n >= n_with && memcmp(raw, with, n_with) == 0;
}

/* Zeros are characters of UTF-8 as well, but nobody writes them: a few in what is a text otherwise
 * are taken as they are. */
static bool check_text(const char *name, const char *raw, size_t n, Error *err)
{
    size_t zeros = 0;
    for (size_t i = 0; i < n; i++) {
        zeros += raw[i] == 0;
    }
    bool many = zeros > n / 3;
    bool marked = begins_with(raw, n, "\xFF\xFE", 2) || begins_with(raw, n, "\xFE\xFF", 2);
    if (marked || (many && n >= 4 && zeros <= n / 2)) {
        return error_set(err, ERR_FORMAT,
                         "%s looks like UTF-16: convert it first, with iconv -f UTF-16 -t UTF-8",
                         name);
    }
    if (many || (zeros && utf8_count_invalid(raw, n))) {
        return error_set(err, ERR_FORMAT,
                         "%s is not a text: %zu of its %zu bytes are 0; give plain UTF-8", name,
                         zeros, n);
    }
    return true;
}

char *text_file_clean(const char *name, const char *raw, size_t n, const Log *log, Arena *arena,
                      size_t *n_text, Error *err)
{
    size_t n_replaced;
    if (!check_text(name, raw, n, err)) {
        return NULL;
    }
    if (begins_with(raw, n, mark, sizeof mark - 1)) {
        raw += sizeof mark - 1;
        n -= sizeof mark - 1;
        log_write(log, LOG_WARNING, "%s: the byte order mark at its beginning is left out", name);
    }
    char *text = utf8_repair(arena, raw, n, n_text, &n_replaced, err);
    if (text && n_replaced) {
        log_write(log, LOG_WARNING, "%s: %zu byte sequence%s that %s not UTF-8 replaced by U+FFFD",
                  name, n_replaced, n_replaced == 1 ? "" : "s", n_replaced == 1 ? "is" : "are");
    }
    return text;
}
