#include "session/run.h"

#include "base/embedded.h"
#include "base/file.h"
#include "session/run_input.h"
#include "session/text_file.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MOST = 1 << 28 }; /* bytes of a text file */

SharedModel *shared_model_retain(SharedModel *shared)
{
    if (shared) {
        atomic_fetch_add(&shared->owners, 1);
    }
    return shared;
}

void shared_model_release(SharedModel *shared)
{
    if (!shared || atomic_fetch_sub(&shared->owners, 1) != 1) {
        return;
    }
    tokenizer_close(&shared->tokenizer);
    model_close(&shared->model);
    mem_free(shared->spec);
    mem_free(shared);
}

/* A model whose tokenizer cannot be read will do for ids. */
static SharedModel *shared_model_open(const char *spec, bool for_text, const Log *log, Error *err)
{
    SharedModel *shared = mem_alloc_zeroed(1, sizeof *shared, err);
    if (!shared) {
        return NULL;
    }
    atomic_store(&shared->owners, 1);
    shared->spec = mem_strdup(spec, err);
    if (shared->spec) {
        shared->model = model_open(&(ModelDesc){.spec = spec, .log = log}, err);
    }
    if (!shared->model) {
        shared_model_release(shared);
        return NULL;
    }
    const ModelInfo *info = model_info(shared->model);
    if (info->tokenizer.kind != MODEL_TOKENIZER_NONE && !info->image.n_tokens) {
        Error why = {0};
        shared->tokenizer = text_open_tokenizer(shared->model, log, &why);
        if (!shared->tokenizer && for_text) {
            *err = why;
            shared_model_release(shared);
            return NULL;
        }
    }
    return shared;
}

static bool copy_text(Arena *arena, const char **text, size_t n, Error *err)
{
    if (!*text) {
        return true;
    }
    *text = arena_strndup(arena, *text, n, err);
    return *text;
}

static bool copy_name(Arena *arena, const char **name, Error *err)
{
    return copy_text(arena, name, *name ? strlen(*name) : 0, err);
}

static bool copy_request_text(Arena *arena, TextRequest *text, Error *err)
{
    if (!copy_text(arena, &text->text, text->n_text, err) ||
        !copy_text(arena, &text->pair, text->n_pair, err) ||
        !copy_name(arena, &text->system, err)) {
        return false;
    }
    if (text->ids) {
        int32_t *ids = ARENA_ARRAY(arena, int32_t, text->n_ids, err);
        if (!ids) {
            return false;
        }
        memcpy(ids, text->ids, text->n_ids * sizeof *ids);
        text->ids = ids;
    }
    return true;
}

bool request_copy(Arena *arena, const SessionRequest *from, SessionRequest *to, Error *err)
{
    *to = *from;
    if (!copy_name(arena, &to->model, err) || !copy_name(arena, &to->trace_path, err) ||
        !copy_name(arena, &to->file_path, err) || !copy_name(arena, &to->image_path, err) ||
        !copy_name(arena, &to->text_name, err) ||
        !copy_name(arena, &to->params.spill_folder, err) ||
        !copy_request_text(arena, &to->text, err) || !copy_request_text(arena, &to->target, err)) {
        return false;
    }
    if (to->params.n_ablate) {
        TraceHead *heads = ARENA_ARRAY(arena, TraceHead, to->params.n_ablate, err);
        if (!heads) {
            return false;
        }
        memcpy(heads, from->params.ablate, to->params.n_ablate * sizeof *heads);
        to->params.ablate = heads;
    }
    return true;
}

static void keep_note(void *payload, LogLevel level, const char *line)
{
    SessionRun *run = payload;
    if (level == LOG_WARNING) {
        snprintf(run->note, sizeof run->note, "%s", line);
    }
    log_write(run->outer_log, level, "%s", line);
}

SessionRun *run_create(Session *session, Error *err)
{
    SessionRun *run = mem_alloc_zeroed(1, sizeof *run, err);
    if (!run) {
        return NULL;
    }
    run->session = session;
    run->outer_log = session->desc.log;
    run->log = (Log){.write = keep_note, .payload = run};
    run->wake = session->desc.wake;
    run->wake_payload = session->desc.wake_payload;
    if (!request_copy(&run->arena, &session->request, &run->request, err)) {
        run_destroy(run);
        return NULL;
    }
    const char *spec = run->request.model ? run->request.model : "tiny";
    /* A record stands without a model: the one in use may be another. */
    if (!run->request.trace_path && session->model && strcmp(session->model->spec, spec) == 0) {
        run->shared = shared_model_retain(session->model);
    }
    return run;
}

void run_destroy(SessionRun *run)
{
    if (!run) {
        return;
    }
    trace_set_close(&run->traces);
    shared_model_release(run->shared);
    arena_destroy(&run->arena);
    mem_free(run);
}

static void on_layer(void *payload, Trace *trace, int32_t layers_done)
{
    (void)trace;
    (void)layers_done;
    SessionRun *run = payload;
    if (run->wake) {
        run->wake(run->wake_payload);
    }
}

static bool read_text(SessionRun *run, Error *err)
{
    SessionRequest *request = &run->request;
    size_t n;
    char *bytes = file_read_all(&run->arena, request->file_path, TEXT_MOST, &n, err);
    if (!bytes) {
        return false;
    }
    request->text.text = text_file_clean(request->file_path, bytes, n, &run->log, &run->arena,
                                         &request->text.n_text, err);
    return request->text.text;
}

static bool open_record(SessionRun *run, Error *err)
{
    Trace *trace = trace_open(run->request.trace_path, err);
    if (!trace) {
        return false;
    }
    run->traces.stacks[trace_info(trace)->stack] = trace;
    atomic_store(&run->ready, true);
    return true;
}

bool run_work(void *payload, JobControl *control, Error *err)
{
    SessionRun *run = payload;
    const SessionRequest *request = &run->request;
    if (request->trace_path) {
        atomic_store(&control->stage, "opening the record");
        return open_record(run, err);
    }
    if (!run->shared) {
        atomic_store(&control->stage, "opening the model");
        run->shared = shared_model_open(request->model ? request->model : "tiny",
                                        !request->text.ids || request->target.text, &run->log, err);
        if (!run->shared) {
            return false;
        }
    }
    if (request->file_path && !read_text(run, err)) {
        return false;
    }
    if (atomic_load(&control->cancel)) {
        return error_set(err, ERR_CANCELLED, "cancelled");
    }
    atomic_store(&control->stage, "splitting the text into tokens");
    RunInput input;
    RunInputDesc wanted = {.model = run->shared->model,
                           .tokenizer = run->shared->tokenizer,
                           .text = request->text,
                           .target = request->target,
                           .image_path = request->image_path,
                           .threads = request->params.threads,
                           .log = &run->log,
                           .control = control};
    if (!run_input_has_target(wanted.model)) {
        /* of the model before */
        wanted.target = (TextRequest){.max_tokens = wanted.target.max_tokens};
    }
    if (!run_input_read(&wanted, &run->arena, &input, err)) {
        return false;
    }
    TraceDesc desc = {
        .model = run->shared->model,
        .model_name = run->shared->spec,
        .params = request->params,
        .on_layer = on_layer,
        .payload = run,
        .log = &run->log,
    };
    run_input_describe(&input, &desc);
    atomic_store(&control->stage, "running the model");
    if (!trace_set_create(&desc, &run->traces, err)) {
        return false;
    }
    atomic_store(&run->ready, true);
    return trace_set_fill(&run->traces, &desc, control, err);
}
