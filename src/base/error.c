#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void as_assert_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "attnscope: broken invariant: %s (%s:%d)\n", what, file, line);
    abort();
}

/* A message is one line, whatever a hostile file put into the names it quotes. */
static void make_one_line(char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f) {
            *s = ' ';
        }
    }
}

/* Cutting at a fixed size may split a UTF-8 sequence; drop what is left of it. */
static void trim_partial_utf8(char *s)
{
    size_t n = strlen(s);
    size_t back = 0;
    while (back < n && back < 4 && ((unsigned char)s[n - 1 - back] & 0xC0) == 0x80) {
        back++;
    }
    if (back >= n) {
        return;
    }
    unsigned char lead = (unsigned char)s[n - 1 - back];
    size_t want = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (back < want) {
        s[n - 1 - back] = 0;
    }
}

bool error_set_at(Error *err, ErrorCode code, const char *file, int line, const char *fmt, ...)
{
    if (!err) {
        return false;
    }
    Error made = {.code = code, .file = file, .line = line};
    va_list ap;
    va_start(ap, fmt);
    /* Through a local: an argument may point into err->message. */
    vsnprintf(made.message, sizeof made.message, fmt, ap);
    va_end(ap);
    make_one_line(made.message);
    trim_partial_utf8(made.message);
    *err = made;
    return false;
}

bool error_wrap(Error *err, const char *fmt, ...)
{
    if (!err) {
        return false;
    }
    char context[sizeof err->message];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(context, sizeof context, fmt, ap);
    va_end(ap);
    char joined[2 * sizeof err->message + 2];
    snprintf(joined, sizeof joined, "%s: %s", context, err->message);
    joined[sizeof err->message - 1] = 0;
    make_one_line(joined);
    trim_partial_utf8(joined);
    memcpy(err->message, joined, strlen(joined) + 1);
    return false;
}

static const struct {
    const char *name;
    int status;
} error_table[] = {
#define ERROR_ROW(name, status, text) {#name, status},
    ERROR_CODES(ERROR_ROW)
#undef ERROR_ROW
};

int error_exit_status(ErrorCode code)
{
    return code < ERR_COUNT ? error_table[code].status : 1;
}

const char *error_code_name(ErrorCode code)
{
    return code < ERR_COUNT ? error_table[code].name : "UNKNOWN";
}
