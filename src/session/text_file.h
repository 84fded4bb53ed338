#pragma once
/* Bytes from outside (a file, standard input, an argument) as a text that a model can read. */
#include "base/arena.h"
#include "base/log.h"

/**
 * Valid UTF-8 of `raw`, owned by the arena: sequences that are not are replaced by U+FFFD, a byte
 * order mark at the beginning is left out, and both are said in the log.
 * name    what the bytes are called in messages: a path, "the text"
 * Errors  ERR_FORMAT: it is no text (UTF-16, or bytes of 0 in what is not UTF-8 either); ERR_MEMORY
 */
AS_MUST_CHECK char *text_file_clean(const char *name, const char *raw, size_t n, const Log *log,
                                    Arena *arena, size_t *n_text, Error *err);
