#pragma once
/*
 * Help as text, written from the tables. Lines of at most 80 columns. Any thread.
 */
#include "base/str.h"
#include "registry/options.h"

/** What `attnscope --help` prints. */
AS_MUST_CHECK bool help_program(StrBuf *out, Error *err);
/** What `attnscope help COMMAND` prints: usage and every option it takes. */
AS_MUST_CHECK bool help_command(CommandId command, StrBuf *out, Error *err);

/** One row of help: `left`, and `text` wrapped in the column beside it. */
AS_MUST_CHECK bool help_row(StrBuf *out, const char *left, const char *text, Error *err);

/** What help says of a command beside its options. Lines ready to print; NULL = nothing. */
typedef struct HelpExtra {
    const char *prints;   /* the columns of what it prints */
    const char *examples; /* command lines; one that ends with \ goes on */
} HelpExtra;
/** Never NULL. */
const HelpExtra *help_extra(CommandId command);

/** A topic that is no command: a name, one line about it, its text. */
typedef struct HelpTopic {
    const char *name;
    const char *summary;
    const char *text; /* several lines, ready to print */
} HelpTopic;
extern const HelpTopic help_topics[];
extern const size_t n_help_topics;
