#pragma once
/*
 * The tables as a manual page and as completions of shells: what an installed program comes with.
 * Any thread.
 */
#include "base/str.h"

/** A page for man(1), in roff with the man macros. */
AS_MUST_CHECK bool ship_man(const char *version, StrBuf *out, Error *err);
/** Words that other parts know, with | between them. */
typedef struct ShipWords {
    const char *views;  /* for --view, and as a first word */
    const char *models; /* that every program has */
    const char *topics; /* of help, beside commands and help_topics */
} ShipWords;
/* Scripts that complete commands, options and their choices. */
AS_MUST_CHECK bool ship_bash(const ShipWords *words, StrBuf *out, Error *err);
AS_MUST_CHECK bool ship_zsh(const ShipWords *words, StrBuf *out, Error *err);
AS_MUST_CHECK bool ship_fish(const ShipWords *words, StrBuf *out, Error *err);
