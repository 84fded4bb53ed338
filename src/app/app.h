#pragma once
/*
 * The program: main reads the command line by the tables of registry and calls one command. A
 * command returns false with *err for the one line that main prints; data goes to standard output
 * or a file, everything else to standard error through app->log.
 *
 * One file per command: command_<name>.c. cli_*.c is what they share. window*.c is the window.
 */
#include "registry/arguments.h"
#include "session/run_input.h"

typedef struct App {
    const Arguments *arguments;
    Arena arena;          /* lives as long as the program */
    Log log;              /* standard error */
    JobControl *control;  /* cancelled by the first Ctrl+C; pass it on or ask it in long loops */
    atomic_bool *may_end; /* while true, Ctrl+C ends the program at once: nothing is half made, and
                             what runs (reading a text, splitting it) asks nobody */
} App;

/** The value of an option: app_option(app, OPTION_LAYER_ID)->integer. Never NULL. */
const OptionValue *app_option(const App *app, OptionId id);

bool command_view(App *app, Error *err);
bool command_info(App *app, Error *err);
bool command_tokens(App *app, Error *err);
bool command_dump(App *app, Error *err);
bool command_trace(App *app, Error *err);
bool command_shot(App *app, Error *err);
bool command_bench(App *app, Error *err);
bool command_models(App *app, Error *err);
bool command_help(App *app, Error *err);

/** MODEL, TEXT-OPTIONS and RUN-OPTIONS as read from the command line. Borrowed from app. */
typedef struct RunRequest {
    const char *model;      /* spec for model_open; "tiny" when none was given */
    const char *trace_path; /* --trace FILE; NULL = run the model */
    TextRequest text;       /* repaired, read from --file, or the built-in example */
    bool text_given;        /* false: it is the built-in example */
    TextRequest target;     /* --target-text, --target-ids; empty = not given */
    const char *image_path; /* --image; NULL = not given */
    bool stack_given;
    TraceStack stack; /* --stack; SELF where it is not given */
    TraceParams params;
} RunRequest;

/** Reads --file or standard input, repairs UTF-8 (said), refuses options that exclude each other
 *  and those whose models are not there yet. */
AS_MUST_CHECK bool app_read_request(App *app, RunRequest *request, Error *err);

/** All that a run needs and gives. Owned: app_run_close. */
typedef struct AppRun {
    Model *model;         /* NULL for a saved trace */
    Tokenizer *tokenizer; /* NULL for a saved trace, --ids without one, or pictures */
    RunInput input;       /* in app's arena; empty for a saved trace */
    TraceStack stack;     /* which attention is taken */
    Trace *trace;
} AppRun;

/** Model, tokenizer and tokens; no trace yet (or the saved one, whole). The window goes on from
 *  here with a job of its own: trace_create and trace_fill. */
AS_MUST_CHECK bool app_run_open(App *app, const RunRequest *request, AppRun *run, Error *err);
/** The TraceDesc of an open run: records the stack of the run alone. */
TraceDesc app_run_desc(App *app, const RunRequest *request, const AppRun *run);
/** The shape of that stack in the model; NULL for a saved trace. */
const ModelStack *app_run_stack(const AppRun *run);
/** Fills run->trace unless it is there already; waits for it, progress on standard error where that
 *  is a terminal. */
AS_MUST_CHECK bool app_run_trace(App *app, const RunRequest *request, AppRun *run, Error *err);
/** Idempotent. */
void app_run_close(AppRun *run);
