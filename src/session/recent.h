#pragma once
/*
 * What was shown before, as the command lines that bring it back: "text …", "open PATH",
 * "model NAME". The newest first. Main thread only.
 */
#include "base/arena.h"

enum { RECENT_MOST = 24, RECENT_TEXT_BYTES = 4000 };

/** Zero is empty. */
typedef struct Recent {
    char *lines[RECENT_MOST]; /* owned */
    int n;
} Recent;

/** Puts a line in front; one that is there already moves there. The oldest goes. Lines that are too
 *  long for a list are not kept. */
void recent_add(Recent *recent, const char *line);
void recent_clear(Recent *recent);

/** A text as the argument of a command line: line breaks, tabs and \ escaped. NULL = no memory. */
char *text_escape(Arena *arena, const char *text, size_t n, Error *err);
/** The way back, in place; returns the bytes. NUL-terminated. */
size_t text_unescape(char *text);
