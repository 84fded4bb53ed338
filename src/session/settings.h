#pragma once
/*
 * What is kept between runs: how things are shown, and what was shown before. A small text of lines
 * "NAME VALUE"; one that is not understood is told once and the defaults stay. Main thread only.
 */
#include "base/str.h"
#include "session/session.h"

/** Writes the settings of a session; `shown` are the options to be written. */
AS_MUST_CHECK bool settings_write(const SessionOptions *shown, const Recent *recent, StrBuf *out,
                                  Error *err);
/**
 * Reads text[0..n) into *options and *recent. Nothing is changed when a line is not understood.
 * name    the file, for the message
 * Errors  ERR_FORMAT: file, line and what was expected
 */
AS_MUST_CHECK bool settings_read(const char *text, size_t n, const char *name,
                                 SessionOptions *options, Recent *recent, Error *err);
