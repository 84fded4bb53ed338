#pragma once
/*
 * The command line, read by the tables of options.h. Borrowed from argv; lists are in the arena.
 */
#include "registry/options.h"

enum { ARGUMENTS_MAX_OPERANDS = 2 };

typedef struct Arguments {
    CommandId command;                            /* COMMAND_VIEW when none was given */
    bool command_given;                           /* by name */
    OptionValue values[OPTION_COUNT];             /* by OPTION_…_ID; defaults filled in */
    const char *operands[ARGUMENTS_MAX_OPERANDS]; /* MODEL TEXT of view, TOPIC of help */
    int n_operands;
} Arguments;

/**
 * Reads argv[1..argc). `--name value`, `--name=value`, `-x value`, `-xvalue`; `--` ends options.
 * Given twice, the last one counts. `looks_like_model` decides whether a first word that is no
 * command opens the window (attnscope ./folder) or is a typing error; NULL = never a model.
 * Errors  ERR_USAGE: what is not known and the nearest that is, which command takes it, what a
 *         value should look like
 */
AS_MUST_CHECK bool arguments_parse(int argc, const char *const *argv,
                                   bool (*looks_like_model)(const char *word), Arena *arena,
                                   Arguments *arguments, Error *err);
