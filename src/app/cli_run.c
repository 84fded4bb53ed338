/* From options to a run: model, text, parameters, trace. */
#include "app/cli.h"
#include "base/embedded.h"
#include "base/file.h"
#include "session/text_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_TEXT_BYTES = 1 << 30 };

static bool given(const App *app, OptionId id)
{
    return app_option(app, id)->given;
}

/* ---- what cannot be together, or not yet ------------------------------------------------------
 */

static bool refuse_pairs(const App *app, const OptionId *ids, size_t n, const char *why, Error *err)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            if (given(app, ids[i]) && given(app, ids[j])) {
                return error_set(err, ERR_USAGE, "--%s and --%s cannot be given together: %s",
                                 option_table[ids[i]].name, option_table[ids[j]].name, why);
            }
        }
    }
    return true;
}

static bool check_options(const App *app, Error *err)
{
    static const OptionId texts[] = {OPTION_TEXT_ID, OPTION_FILE_ID, OPTION_IDS_ID,
                                     OPTION_IMAGE_ID};
    static const OptionId chat_and_ids[] = {OPTION_CHAT_ID, OPTION_IDS_ID};
    static const OptionId chat_and_pair[] = {OPTION_CHAT_ID, OPTION_TEXT_PAIR_ID};
    static const OptionId chat_and_special[] = {OPTION_CHAT_ID, OPTION_NO_SPECIAL_ID};
    static const OptionId ids_and_pair[] = {OPTION_IDS_ID, OPTION_TEXT_PAIR_ID};
    static const OptionId targets[] = {OPTION_TARGET_TEXT_ID, OPTION_TARGET_IDS_ID};
    if (!refuse_pairs(app, texts, AS_COUNT(texts), "there is one text", err) ||
        !refuse_pairs(app, targets, AS_COUNT(targets), "there is one target", err) ||
        !refuse_pairs(app, ids_and_pair, 2, "ids are taken as they are", err) ||
        !refuse_pairs(app, chat_and_ids, 2, "ids are taken as they are", err) ||
        !refuse_pairs(app, chat_and_pair, 2, "a chat has one text", err) ||
        !refuse_pairs(app, chat_and_special, 2, "the template writes the special tokens", err)) {
        return false;
    }
    if (given(app, OPTION_SYSTEM_ID) && !given(app, OPTION_CHAT_ID)) {
        return error_set(err, ERR_USAGE, "--system is of a chat: give --chat too");
    }
    for (int i = 0; i < OPTION_COUNT && given(app, OPTION_TRACE_ID); i++) {
        const OptionDef *option = &option_table[i];
        bool of_a_run = option->group == OPTION_GROUP_TEXT || option->group == OPTION_GROUP_RUN ||
                        i == OPTION_MODEL_ID;
        if (of_a_run && i != OPTION_THREADS_ID && given(app, (OptionId)i)) {
            return error_set(err, ERR_USAGE,
                             "--trace and --%s cannot be given together: a saved "
                             "trace is of one model, one text and one run",
                             option->name);
        }
    }
    return true;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Valid UTF-8, with what was changed said. `name` is where the text came from. */
static bool repair(App *app, const char *name, const char *raw, size_t n, const char **text,
                   size_t *n_text, Error *err)
{
    *text = text_file_clean(name, raw, n, &app->log, &app->arena, n_text, err);
    return *text != NULL;
}

static bool read_text(App *app, RunRequest *request, Error *err)
{
    TextRequest *text = &request->text;
    const OptionValue *typed = app_option(app, OPTION_TEXT_ID);
    const OptionValue *file = app_option(app, OPTION_FILE_ID);
    const OptionValue *ids = app_option(app, OPTION_IDS_ID);
    const OptionValue *pair = app_option(app, OPTION_TEXT_PAIR_ID);
    const char *operand = app->arguments->n_operands > 1 ? app->arguments->operands[1] : NULL;
    if (operand && (typed->given || file->given || ids->given)) {
        return error_set(err, ERR_USAGE,
                         "the text '%.40s' and an option for the text are given: "
                         "there is one text",
                         operand);
    }
    const char *word = typed->given ? typed->text : operand;
    request->text_given = word || file->given || ids->given || request->image_path;
    if (ids->given) {
        text->ids = ids->list;
        text->n_ids = ids->n_list;
    } else if (word) {
        if (!repair(app, "the text", word, strlen(word), &text->text, &text->n_text, err)) {
            return false;
        }
    } else if (file->given) {
        size_t n;
        const char *raw = file_read_all(&app->arena, file->text, MAX_TEXT_BYTES, &n, err);
        const char *name = strcmp(file->text, "-") ? file->text : "standard input";
        if (!raw || !repair(app, name, raw, n, &text->text, &text->n_text, err)) {
            return false;
        }
    } else {
        EmbeddedFile example; /* an embedded model may bring its own */
        const char *own = arena_printf(&app->arena, err, "models/%s/example.txt", request->model);
        if (!own || (!embedded_find(own, &example) &&
                     !embedded_find("assets/examples/default.txt", &example))) {
            return error_set(err, ERR_INTERNAL, "the built-in example is missing");
        }
        text->text = (const char *)example.data;
        text->n_text = example.n_bytes;
        while (text->n_text && text->text[text->n_text - 1] == '\n') {
            text->n_text--;
        }
    }
    return !pair->given || repair(app, "the second text", pair->text, strlen(pair->text),
                                  &text->pair, &text->n_pair, err);
}

static bool read_chat(App *app, TextRequest *text, Error *err)
{
    const OptionValue *system = app_option(app, OPTION_SYSTEM_ID);
    size_t n;
    text->chat = given(app, OPTION_CHAT_ID);
    return !system->given || repair(app, "the system's text", system->text, strlen(system->text),
                                    &text->system, &n, err);
}

static bool read_target(App *app, RunRequest *request, Error *err)
{
    const OptionValue *text = app_option(app, OPTION_TARGET_TEXT_ID);
    const OptionValue *ids = app_option(app, OPTION_TARGET_IDS_ID);
    request->target.max_tokens = app_option(app, OPTION_TARGET_MOST_ID)->integer;
    if (ids->given) {
        request->target.ids = ids->list;
        request->target.n_ids = ids->n_list;
    }
    return !text->given || repair(app, "the target", text->text, strlen(text->text),
                                  &request->target.text, &request->target.n_text, err);
}

bool app_read_request(App *app, RunRequest *request, Error *err)
{
    *request = (RunRequest){0};
    if (!check_options(app, err)) {
        return false;
    }
    const OptionValue *range = app_option(app, OPTION_RANGE_ID);
    const char *operand = app->arguments->n_operands ? app->arguments->operands[0] : NULL;
    if (operand && (given(app, OPTION_MODEL_ID) || given(app, OPTION_TRACE_ID))) {
        return error_set(err, ERR_USAGE,
                         "'%.60s' names a model and so does an option: there is "
                         "one model",
                         operand);
    }
    request->model =
        cli_resolve_model(operand ? operand : app_option(app, OPTION_MODEL_ID)->text, &app->arena);
    if (!*request->model) {
        return error_set(err, ERR_USAGE,
                         "the name of the model is empty; tiny is the built-in one");
    }
    if (!given(app, OPTION_TRACE_ID) && !cli_check_model_name(request->model, &app->arena, err)) {
        return false;
    }
    request->trace_path = app_option(app, OPTION_TRACE_ID)->text;
    request->image_path = app_option(app, OPTION_IMAGE_ID)->text;
    request->stack_given = given(app, OPTION_STACK_ID);
    request->stack = (TraceStack)app_option(app, OPTION_STACK_ID)->integer;
    request->text.leave_special_out = given(app, OPTION_NO_SPECIAL_ID);
    request->text.max_tokens = app_option(app, OPTION_MAX_TOKENS_ID)->integer;
    if (range->given) {
        request->text.range_first = range->first;
        request->text.range_end = range->end > 0 ? range->end : 0;
    }
    const OptionValue *ablate = app_option(app, OPTION_ABLATE_ID);
    request->params = (TraceParams){
        .temperature = (float)app_option(app, OPTION_TEMPERATURE_ID)->number,
        .unscaled = given(app, OPTION_UNSCALED_ID),
        .mask = (TraceMask)app_option(app, OPTION_MASK_ID)->integer,
        /* pairs of int32_t are what TraceHead is */
        .ablate = (const TraceHead *)(const void *)ablate->list,
        .n_ablate = ablate->n_list,
        .propagate = given(app, OPTION_PROPAGATE_ID),
        .dtype = (TraceDtype)app_option(app, OPTION_DTYPE_ID)->integer,
        .memory_bytes = app_option(app, OPTION_MEMORY_ID)->bytes,
        .threads = (int32_t)app_option(app, OPTION_THREADS_ID)->integer,
        .summary_size = (int32_t)app_option(app, OPTION_SUMMARY_ID)->integer,
    };
    static const TraceStore stores[] = {TRACE_STORE_ALL, TRACE_STORE_QKV, TRACE_STORE_QK};
    request->params.ablate_stack = request->stack;
    request->params.store = stores[app_option(app, OPTION_STORE_ID)->integer];
    atomic_store(app->may_end, true); /* somebody may have to type it */
    bool ok =
        request->trace_path || (read_chat(app, &request->text, err) &&
                                read_text(app, request, err) && read_target(app, request, err));
    atomic_store(app->may_end, false);
    return ok;
}

/* ---- run ------------------------------------------------------------------------------------- */

void cli_say_example(const App *app)
{
    log_write(&app->log, LOG_INFO, "no text given: the built-in example is taken");
}

static int32_t stack_index(const ModelInfo *info, TraceStack stack)
{
    for (int32_t i = 0; i < info->n_stacks; i++) {
        if (strcmp(info->stacks[i].name, trace_stack_name(stack)) == 0) {
            return i;
        }
    }
    return -1;
}

/* Of several stacks cross attention is taken where none is asked for. */
static bool choose_stack(const App *app, const RunRequest *request, AppRun *run, Error *err)
{
    const ModelInfo *info = model_info(run->model);
    run->stack = request->stack;
    if (info->n_stacks == 1) {
        return run->stack == TRACE_STACK_SELF ||
               error_set(err, ERR_USAGE,
                         "--stack %s: %s has one stack of layers; leave --stack out",
                         trace_stack_name(run->stack), info->name);
    }
    if (!request->stack_given) {
        run->stack = TRACE_STACK_CROSS;
        log_write(&app->log, LOG_INFO,
                  "%s has an encoder and a decoder: cross attention is taken; --stack says which",
                  info->name);
    }
    return stack_index(info, run->stack) >= 0 ||
           error_set(err, ERR_USAGE, "--stack %s: %s has encoder, decoder and cross",
                     trace_stack_name(run->stack), info->name);
}

const ModelStack *app_run_stack(const AppRun *run)
{
    if (!run->model) {
        return NULL;
    }
    const ModelInfo *info = model_info(run->model);
    return &info->stacks[info->n_stacks > 1 ? stack_index(info, run->stack) : 0];
}

bool app_run_open(App *app, const RunRequest *request, AppRun *run, Error *err)
{
    *run = (AppRun){0};
    if (request->trace_path) {
        run->trace = trace_open(request->trace_path, err);
        return run->trace && (!request->params.threads ||
                              trace_set_threads(run->trace, request->params.threads, err));
    }
    ModelDesc desc = {.spec = request->model, .log = &app->log};
    run->model = model_open(&desc, err);
    if (!run->model) {
        return false;
    }
    Error no_tokenizer = {0};
    run->tokenizer = text_open_tokenizer(run->model, &app->log, &no_tokenizer);
    bool sees = model_info(run->model)->image.n_tokens > 0;
    bool needs_words = !request->text.ids || request->target.text;
    if (!run->tokenizer && needs_words && !sees && !request->image_path) {
        *err = no_tokenizer;
        return false;
    }
    if (!request->text_given && !sees) {
        cli_say_example(app);
    }
    RunInputDesc input = {.model = run->model,
                          .tokenizer = run->tokenizer,
                          .text = request->text,
                          .target = request->target,
                          .image_path = request->image_path,
                          .encoder_alone = request->stack == TRACE_STACK_ENCODER,
                          .threads = request->params.threads,
                          .log = &app->log,
                          .control = app->control};
    atomic_store(app->may_end, true);
    bool ok = choose_stack(app, request, run, err) &&
              run_input_read(&input, &app->arena, &run->input, err);
    atomic_store(app->may_end, false);
    return ok;
}

static void show_progress(void *payload, Trace *trace, int32_t layers_done)
{
    (void)payload;
    int32_t n = trace_info(trace)->n_layers;
    fprintf(stderr, "\rlayer %d of %d%s", layers_done, n, layers_done == n ? "\r\033[K" : "");
}

TraceDesc app_run_desc(App *app, const RunRequest *request, const AppRun *run)
{
    TraceDesc desc = {
        .model = run->model,
        .model_name = request->model,
        .stacks = 1u << run->stack,
        .params = request->params,
        .log = &app->log,
    };
    desc.params.ablate_stack = run->stack;
    run_input_describe(&run->input, &desc);
    return desc;
}

bool app_run_trace(App *app, const RunRequest *request, AppRun *run, Error *err)
{
    if (run->trace) {
        return true;
    }
    TraceDesc desc = app_run_desc(app, request, run);
    if (isatty(STDERR_FILENO)) {
        desc.on_layer = show_progress;
    }
    run->trace = trace_run(&desc, app->control, err);
    if (!run->trace) {
        return false;
    }
    const TraceInfo *info = trace_info(run->trace);
    if (info->params.dtype == TRACE_F16) {
        log_write(&app->log, LOG_INFO, "held as f16: no weight moves by more than %.2g from that",
                  (double)info->weight_shift);
    }
    return true;
}

void app_run_close(AppRun *run)
{
    trace_close(run->trace);
    run->trace = NULL;
    tokenizer_close(&run->tokenizer);
    model_close(&run->model);
}
