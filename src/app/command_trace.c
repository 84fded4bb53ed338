/* trace: one run, kept as a file. */
#include "app/cli.h"
#include "base/file.h"

#include <string.h>

/* The spill file of a run that is to be saved lies where the trace will: there must be room. */
static const char *folder_of(App *app, const char *path, Error *err)
{
    const char *name = path_base_name(path);
    return name == path ? "." : arena_strndup(&app->arena, path, (size_t)(name - path), err);
}

/* A run that could not be saved in the end is not begun. */
static bool check_room(App *app, const RunRequest *request, const AppRun *run, const char *path,
                       Error *err)
{
    TraceEstimate estimate;
    TraceDesc desc = app_run_desc(app, request, run);
    if (!trace_estimate(&desc, &estimate, err)) {
        return false;
    }
    /* The spill file is there until the trace is saved. */
    uint64_t copies = estimate.spills ? 2 : 1;
    uint64_t bytes;
    if (__builtin_mul_overflow(estimate.record_bytes, copies, &bytes)) {
        bytes = UINT64_MAX;
    }
    return cli_check_output(path, bytes,
                            "hold less with --store qk or --dtype f16, or take a part with "
                            "--max-tokens",
                            err);
}

bool command_trace(App *app, Error *err)
{
    RunRequest request;
    AppRun run = {0};
    const OptionValue *output = app_option(app, OPTION_OUTPUT_ID);
    if (!output->given) {
        return error_set(err, ERR_USAGE, "trace: say where to write with -o FILE.safetensors");
    }
    if (!path_has_suffix(output->text, ".safetensors")) {
        return error_set(err, ERR_USAGE,
                         "trace: '%.200s' does not end with .safetensors, which is "
                         "what a trace is",
                         output->text);
    }
    if (!app_read_request(app, &request, err)) {
        return false;
    }
    request.params.spill_folder = folder_of(app, output->text, err);
    bool ok = request.params.spill_folder && app_run_open(app, &request, &run, err) &&
              check_room(app, &request, &run, output->text, err) &&
              app_run_trace(app, &request, &run, err) && cli_go_on(app, err) &&
              trace_save(run.trace, output->text, err);
    if (ok) {
        const TraceInfo *info = trace_info(run.trace);
        char size[32];
        log_write(&app->log, LOG_INFO,
                  "%s: %d tokens, %d layers of %d heads, %s, computed in %.2f s", output->text,
                  info->n_queries, info->n_layers, info->n_heads,
                  format_bytes(info->held_bytes, size), info->seconds);
    }
    app_run_close(&run);
    return ok;
}
