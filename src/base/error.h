#pragma once
/*
 * Errors as values. A function that can fail takes `Error *err` last, returns bool (or NULL) and
 * fills *err. The message says what, where, what was found and expected, and what to do: it is the
 * one line a person reads. Only src/app prints.
 */
#include "base/base.h"

/* name, exit status of the program, text */
#define ERROR_CODES(X)                                                                             \
    X(NONE, 0, "no error")                                                                         \
    X(USAGE, 2, "wrong usage")                                                                     \
    X(IO, 1, "input or output failed")                                                             \
    X(FORMAT, 1, "a file is not what it should be")                                                \
    X(UNSUPPORTED, 1, "not supported")                                                             \
    X(RANGE, 1, "a value is out of range")                                                         \
    X(MEMORY, 1, "out of memory")                                                                  \
    X(CANCELLED, 1, "cancelled")                                                                   \
    X(GRAPHICS, 1, "graphics failed")                                                              \
    X(INTERNAL, 1, "internal error")

typedef enum ErrorCode {
#define ERROR_ENUM(name, status, text) ERR_##name,
    ERROR_CODES(ERROR_ENUM)
#undef ERROR_ENUM
        ERR_COUNT
} ErrorCode;

/** Zero is "no error". Plain data, copied freely. */
typedef struct Error {
    ErrorCode code;
    char message[512]; /* one line, UTF-8, NUL-terminated */
    const char *file;  /* source that raised it, static storage */
    int line;
} Error;

/** Sets *err (which may be NULL) and returns false, so `return error_set(err, ERR_IO, "…")`. */
#define error_set(err, code, ...) error_set_at((err), (code), __FILE__, __LINE__, __VA_ARGS__)
bool error_set_at(Error *err, ErrorCode code, const char *file, int line, const char *fmt, ...)
    AS_PRINTF(5, 6);

/** ERR_RANGE for an index from outside that is not one of 0..n-1: "layer 99 is not there: they go
 *  from 0 to 4". Returns false. */
bool error_not_there(Error *err, const char *what, int64_t index, int64_t n);

/** Puts "context: " before the message of *err. Returns false. */
bool error_wrap(Error *err, const char *fmt, ...) AS_PRINTF(2, 3);

/** Exit status and short name of a code ("IO"). */
int error_exit_status(ErrorCode code);
const char *error_code_name(ErrorCode code);
