#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void as_assert_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "attnscope: broken invariant: %s (%s:%d)\n", what, file, line);
    abort();
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
    text_make_line(made.message);
    *err = made;
    return false;
}

bool error_not_there(Error *err, const char *what, int64_t index, int64_t n)
{
    if (n < 2) {
        return error_set(err, ERR_RANGE, "%s %lld is not there: there %s", what, (long long)index,
                         n == 1 ? "is only 0" : "are none");
    }
    return error_set(err, ERR_RANGE, "%s %lld is not there: they go from 0 to %lld", what,
                     (long long)index, (long long)n - 1);
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
    text_make_line(joined);
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
