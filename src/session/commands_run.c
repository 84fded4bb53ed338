#include "session/commands_internal.h"

#include "base/file.h"
#include "session/run.h"
#include "session/survey.h"

#include <string.h>

/* What is run. */

static bool do_temperature(Session *s, const char *a, Error *err)
{
    double t = 0;
    if (!command_read_number(a, 0.01, 100, &t, err)) {
        return false;
    }
    SessionRequest request = s->request;
    request.params.temperature = (float)t;
    return session_request(s, &request, err);
}

static bool do_mask(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"auto", "causal", "none"};
    int mask = 0;
    if (!command_read_choice(a, names, AS_COUNT(names), &mask, err)) {
        return false;
    }
    SessionRequest request = s->request;
    request.params.mask = (TraceMask)mask;
    return session_request(s, &request, err);
}

/* The request to go on from: after a saved record, the model and the text that were recorded. */
static SessionRequest request_to_change(const Session *s)
{
    SessionRequest request = s->request;
    if (request.trace_path && s->trace) {
        size_t n;
        request.trace_path = NULL;
        request.model = trace_info(s->trace)->model_name;
        request.text.text = session_source(s, &n);
        request.text.n_text = n;
    }
    return request;
}

/* What was typed with its \\n and the like; mem_free it. */
static char *text_of(const char *a, size_t *n, Error *err)
{
    char *text = mem_strdup(a, err);
    if (text) {
        *n = text_unescape(text);
    }
    return text;
}

static bool do_text(Session *s, const char *a, Error *err)
{
    size_t n;
    char *text = text_of(a, &n, err);
    if (!text) {
        return false;
    }
    /* A text that is typed is taken whole; which specials it gets stays as it was. */
    SessionRequest before = request_to_change(s);
    SessionRequest request = {
        .model = before.model,
        .params = before.params,
        .text = {.text = text,
                 .n_text = n,
                 .leave_special_out = s->request.text.leave_special_out,
                 .chat = s->request.text.chat,
                 .system = s->request.text.system},
    };
    bool ok = session_request(s, &request, err);
    mem_free(text);
    return ok;
}

static bool looks_like_model(const char *path)
{
    return path_is_folder(path) || path_has_suffix(path, ".gguf");
}

static bool looks_like_picture(const char *path)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG"};
    for (size_t i = 0; i < AS_COUNT(endings); i++) {
        if (path_has_suffix(path, endings[i])) {
            return true;
        }
    }
    return false;
}

/* The text that the decoder of an encoder-decoder reads; without one the model writes its own. */
static bool do_target(Session *s, const char *a, Error *err)
{
    size_t n;
    char *text = text_of(a, &n, err);
    if (!text) {
        return false;
    }
    SessionRequest request = request_to_change(s);
    request.target = (TextRequest){
        .text = n ? text : NULL, .n_text = n, .max_tokens = s->request.target.max_tokens};
    bool ok = session_request(s, &request, err);
    mem_free(text);
    return ok;
}

static bool do_open(Session *s, const char *a, Error *err)
{
    if (!*a) {
        s->panel = s->panel == PANEL_OPEN ? PANEL_NONE : PANEL_OPEN;
        s->open_opened++;
        s->open_error = (Error){0};
        return true;
    }
    SessionRequest request = request_to_change(s);
    if (looks_like_model(a)) {
        request.model = a;
    } else if (looks_like_picture(a)) {
        request.image_path = a;
    } else if (path_has_suffix(a, ".safetensors") || path_has_suffix(a, ".npy") ||
               path_has_suffix(a, ".npz")) {
        request.trace_path = a;
    } else {
        request.file_path = a;
        request.text_name = path_base_name(a);
        request.text = (TextRequest){.leave_special_out = s->request.text.leave_special_out,
                                     .chat = s->request.text.chat,
                                     .system = s->request.text.system,
                                     .max_tokens = s->request.text.max_tokens};
    }
    return session_request(s, &request, err);
}

static bool do_paste(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->panel = PANEL_OPEN;
    s->open_opened++;
    s->open_error = (Error){0};
    s->wants_paste = true;
    return true;
}

static bool do_model(Session *s, const char *a, Error *err)
{
    SessionRequest request = request_to_change(s);
    request.model = a;
    return session_request(s, &request, err);
}

static bool do_cancel(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    JobStatus status = jobs_status(s->jobs);
    if (status.id) {
        jobs_cancel(s->jobs, status.id);
    }
    return true;
}

static bool do_compute(Session *s, const char *a, Error *err)
{
    (void)a;
    SessionRequest request = s->request;
    return session_request(s, &request, err);
}

static bool do_survey(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    survey_again(s);
    return true;
}

static bool do_dismiss(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->error = (Error){0};
    s->note[0] = 0;
    return true;
}

const SessionCommand session_run_commands[] = {
    {"text", "TEXT", "run the model on this text", false, do_text},
    {"target", "[TEXT]", "what a decoder reads; nothing: what the model writes", false, do_target},
    {"open", "[PATH]", "open a model, a record or a text file; without a path, choose", false,
     do_open},
    {"paste", "", "take the text of the clipboard", false, do_paste},
    {"model", "MODEL", "run the text through another model", false, do_model},
    {"temperature", "T", "divide the scores by T before the softmax", false, do_temperature},
    {"mask", "auto|causal|none", "which keys a query may see", false, do_mask},
    {"cancel", "", "stop what is being computed", false, do_cancel},
    {"compute", "", "run the model again, as after a cancelled run", false, do_compute},
    {"survey", "", "go on looking through all heads after it was stopped", false, do_survey},
    {"dismiss", "", "put an error or a note away", false, do_dismiss},
    {0},
};
