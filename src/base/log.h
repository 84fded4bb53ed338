#pragma once
/*
 * Notes for the person that are no errors: warnings and progress. Passed down as a Log; only
 * src/app decides where they go.
 */
#include "base/base.h"

typedef enum LogLevel { LOG_WARNING, LOG_INFO, LOG_DEBUG } LogLevel;

/** NULL Log * or NULL write: silent. write may be called from any thread and must not block long.
 */
typedef struct Log {
    void (*write)(void *payload, LogLevel level, const char *line);
    void *payload;
} Log;

void log_write(const Log *log, LogLevel level, const char *fmt, ...) AS_PRINTF(3, 4);
