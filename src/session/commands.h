#pragma once
/*
 * What can be done to a session, as lines of text: "layer +1", "pin 401 104", "mask none". Keys,
 * buttons, scenes and the journal all speak them. Declared in one table, with help.
 */
#include "session/session.h"

typedef struct SessionCommand {
    const char *name;
    const char *arguments; /* for help: "N|+N|-N" */
    const char *help;
    bool
        fleeting; /* hovering, playback: not for undo; of several in a row the last is journalled */
    bool (*run)(Session *session, const char *arguments, Error *err);
} SessionCommand;

/** All tables, one a topic, each ended by a NULL name; the list ends with NULL. */
extern const SessionCommand *const session_command_tables[];

/** The row of a line's command; NULL: there is none of that name (it may be a view's own). */
const SessionCommand *session_command_find(const char *line);
/** Runs one line at once (views post instead). ERR_USAGE for unknown names and arguments,
 *  ERR_RANGE for a layer, head, token, step … that is not there. */
AS_MUST_CHECK bool session_run_command(Session *session, const char *line, Error *err);
/** Takes out of sets, marks and brushes what the trace does not have. */
void session_clamp_choice(Session *session);
/** Are layer, head, query and key in what the trace has? Else ERR_RANGE: "`prefix`layer 99 is not
 *  there: they go from 0 to 4". */
AS_MUST_CHECK bool selection_is_there(const TraceInfo *info, const Selection *selection,
                                      const char *prefix, Error *err);
/** Keeps layer, head, query and key inside what the trace has. */
void session_clamp_selection(Session *session);
