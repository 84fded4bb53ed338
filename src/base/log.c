#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

void log_write(const Log *log, LogLevel level, const char *fmt, ...)
{
    if (!log || !log->write) {
        return;
    }
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    text_make_line(line);
    log->write(log->payload, level, line);
}
