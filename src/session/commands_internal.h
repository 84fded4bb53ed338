#pragma once
/*
 * What the files of commands share: reading of arguments, and their tables. A new command is a row
 * in the table of its topic; a new topic is a file commands_<topic>.c and a line here and in
 * session_command_tables.
 */
#include "session/commands.h"

#define COMMAND_STEPS "N|+N|-N"

/* Each table ends with a NULL name. */
extern const SessionCommand session_select_commands[];
extern const SessionCommand session_run_commands[];
extern const SessionCommand session_play_commands[];
extern const SessionCommand session_show_commands[];
extern const SessionCommand session_flow_commands[];
extern const SessionCommand session_find_commands[];
extern const SessionCommand session_teach_commands[];
extern const SessionCommand session_stack_commands[];
extern const SessionCommand session_explore_commands[];
extern const SessionCommand session_heads_commands[];
extern const SessionCommand session_story_commands[];

/** ERR_USAGE: what stands there and what was expected. Returns false. */
bool command_bad(const char *arguments, const char *expected, Error *err);
/** One of n things called `what` ("layer"): "17" sets, "+1" and "-1" step and stop at both ends.
 *  ERR_RANGE where there is no such one. */
AS_MUST_CHECK bool command_read_index(const char *text, const char *what, int32_t n, int32_t *value,
                                      Error *err);
/** A whole number from least to most, in the same way. */
AS_MUST_CHECK bool command_read_count(const char *text, int32_t least, int32_t most, int32_t *value,
                                      Error *err);
/** A number from lo to hi. */
AS_MUST_CHECK bool command_read_number(const char *text, double lo, double hi, double *value,
                                       Error *err);
/** The index of one of n names. */
AS_MUST_CHECK bool command_read_choice(const char *text, const char *const *names, int n,
                                       int *value, Error *err);
/** "17.3,2.1": heads that the trace has, into the set. */
AS_MUST_CHECK bool command_read_heads(const Trace *trace, const char *text, HeadSet *set,
                                      Error *err);
