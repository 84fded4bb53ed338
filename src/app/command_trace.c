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
