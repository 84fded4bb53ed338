#pragma once
/*
 * The tables as a manual page and as completions of shells: what an installed program comes with.
 * Any thread.
 */
#include "base/str.h"

/** A page for man(1), in roff with the man macros. */
AS_MUST_CHECK bool ship_man(const char *version, StrBuf *out, Error *err);
/* Scripts that complete commands, options and their choices. */
AS_MUST_CHECK bool ship_bash(StrBuf *out, Error *err);
AS_MUST_CHECK bool ship_zsh(StrBuf *out, Error *err);
AS_MUST_CHECK bool ship_fish(StrBuf *out, Error *err);
