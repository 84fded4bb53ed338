#pragma once
/* What the commands share beside app.h: printing, the log, which command runs. */
#include "app/app.h"
#include "base/str.h"

#ifndef ATTNSCOPE_VERSION
#define ATTNSCOPE_VERSION "0.1.0"
#endif

/** Log.write: one line on standard error. */
void cli_log(void *payload, LogLevel level, const char *line);
/** Does a first word that is no command name a model? */
bool cli_looks_like_model(const char *word);
/** False where `word` is no model but nearly one: ERR_IO says which. What is like none passes, and
 *  is refused when it is opened. */
AS_MUST_CHECK bool cli_check_model_name(const char *word, Arena *arena, Error *err);
AS_MUST_CHECK bool cli_run_command(App *app, Error *err);
/** Everything that was printed has arrived; ERR_IO otherwise (a full disk, a closed pipe). */
AS_MUST_CHECK bool cli_flush(Error *err);
/** Prints on standard output; failures are told by cli_flush. */
void cli_print(const StrBuf *text);
/** JSON null, or a string with quotes. */
AS_MUST_CHECK bool cli_json_string(StrBuf *out, const char *text, Error *err);
/** True, or ERR_CANCELLED after Ctrl+C. */
AS_MUST_CHECK bool cli_go_on(const App *app, Error *err);
/** Says that the built-in example is taken, as no text was given. */
void cli_say_example(const App *app);
/** The folder of fetched models (models/cache), or NULL when it is not found. In app's arena. */
const char *cli_model_cache(App *app);
/** What --model takes for `word`: the folder of a fetched model of that name (owned by the arena)
 *  where nothing else is called so, else `word` itself. */
const char *cli_resolve_model(const char *word, Arena *arena);
/** `attnscope [view] matrix …` is written out as `attnscope view --view matrix …`; the longer list
 *  is owned by the arena. */
AS_MUST_CHECK bool cli_spell_view(int *argc, const char *const **argv, Arena *arena, Error *err);
/** Standard output is a pipe that nobody reads any more. */
bool cli_reader_left(void);
/** Before a long run: can n_bytes be written to a file at `path`? Leaves nothing there. ERR_IO says
 *  why not, with `advice` where the disk is too small. */
AS_MUST_CHECK bool cli_check_output(const char *path, uint64_t n_bytes, const char *advice,
                                    Error *err);
