#include "session/commands.h"

#include "base/file.h"
#include "session/journal.h"
#include "session/run.h"
#include "session/survey.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float SCALES[] = {0.75f, 0.85f, 1.0f, 1.15f, 1.3f, 1.5f, 1.75f, 2.0f, 2.5f, 3.0f};

/* ---- arguments ---- */

static bool bad(const char *arguments, const char *expected, Error *err)
{
    return error_set(err, ERR_USAGE, "\"%s\": expected %s", arguments, expected);
}

/* "17" sets, "+1" and "-1" step. Out-of-range values are clamped to 0..last. */
static bool read_index(const char *text, int32_t last, int32_t *value, Error *err)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (end == text || *end || errno || n > INT32_MAX || n < -INT32_MAX) {
        return bad(text, "a whole number, or +N, -N to step", err);
    }
    int64_t to = *text == '+' || *text == '-' ? (int64_t)*value + n : n;
    *value = (int32_t)AS_CLAMP(to, 0, AS_MAX(last, 0));
    return true;
}

static bool read_number(const char *text, double lo, double hi, double *value, Error *err)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= lo && v <= hi)) {
        return error_set(err, ERR_USAGE, "\"%s\": expected a number from %g to %g", text, lo, hi);
    }
    *value = v;
    return true;
}

static bool read_choice(const char *text, const char *const *names, int n, int *value, Error *err)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(text, names[i]) == 0) {
            *value = i;
            return true;
        }
    }
    return error_set(err, ERR_USAGE, "\"%s\" is not one of the choices", text);
}

/* ---- selection ---- */

static int32_t last_token(const Session *s)
{
    return s->trace ? trace_info(s->trace)->n_queries - 1 : INT32_MAX;
}

static int32_t last_key(const Session *s)
{
    return s->trace ? trace_info(s->trace)->n_keys - 1 : INT32_MAX;
}

void session_clamp_selection(Session *session)
{
    Selection *s = &session->selection;
    if (session->trace) {
        const TraceInfo *info = trace_info(session->trace);
        s->layer = AS_CLAMP(s->layer, 0, info->n_layers - 1);
        s->head = AS_CLAMP(s->head, 0, info->n_heads - 1);
        s->query = AS_CLAMP(s->query, 0, info->n_queries - 1);
        s->key = AS_CLAMP(s->key, 0, info->n_keys - 1);
    }
}

static bool do_layer(Session *s, const char *a, Error *err)
{
    int32_t last = s->trace ? trace_info(s->trace)->n_layers - 1 : INT32_MAX;
    return read_index(a, last, &s->selection.layer, err);
}

static bool do_head(Session *s, const char *a, Error *err)
{
    int32_t last = s->trace ? trace_info(s->trace)->n_heads - 1 : INT32_MAX;
    return read_index(a, last, &s->selection.head, err);
}

static bool do_query(Session *s, const char *a, Error *err)
{
    return read_index(a, last_token(s), &s->selection.query, err);
}

static bool do_key(Session *s, const char *a, Error *err)
{
    return read_index(a, last_key(s), &s->selection.key, err);
}

static bool read_cell(Session *s, const char *a, Error *err)
{
    char first[16];
    const char *space = strchr(a, ' ');
    size_t n = space ? (size_t)(space - a) : 0;
    if (!space || n >= sizeof first) {
        return bad(a, "QUERY KEY", err);
    }
    memcpy(first, a, n);
    first[n] = 0;
    Selection before = s->selection;
    if (read_index(first, last_token(s), &s->selection.query, err) &&
        read_index(space + 1, last_key(s), &s->selection.key, err)) {
        return true;
    }
    s->selection = before;
    return false;
}

static bool do_hover(Session *s, const char *a, Error *err)
{
    return s->selection.pinned || read_cell(s, a, err);
}

static bool do_pin(Session *s, const char *a, Error *err)
{
    if (*a && !read_cell(s, a, err)) {
        return false;
    }
    s->selection.pinned = true;
    return true;
}

static bool do_unpin(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->note[0] = 0;
    /* Esc means what is uppermost. */
    if (s->panel) {
        s->panel = PANEL_NONE;
    } else if (s->error.code) {
        s->error = (Error){0};
    } else {
        s->selection.pinned = false;
    }
    return true;
}

static bool do_help(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->panel = s->panel == PANEL_HELP ? PANEL_NONE : PANEL_HELP;
    return true;
}

static bool do_settings(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->panel = s->panel == PANEL_SETTINGS ? PANEL_NONE : PANEL_SETTINGS;
    return true;
}

static bool do_view(Session *s, const char *a, Error *err)
{
    ViewId id = VIEW_MATRIX;
    if (!view_find(a, &id)) {
        return error_set(err, ERR_USAGE, "there is no view \"%s\"", a);
    }
    s->view = id;
    s->panel = PANEL_NONE;
    return true;
}

static bool do_undo(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    journal_undo(s);
    return true;
}

static bool do_redo(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    journal_redo(s);
    return true;
}

/* ---- what is run ---- */

static bool do_temperature(Session *s, const char *a, Error *err)
{
    double t = 0;
    if (!read_number(a, 0.01, 100, &t, err)) {
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
    if (!read_choice(a, names, AS_COUNT(names), &mask, err)) {
        return false;
    }
    SessionRequest request = s->request;
    request.params.mask = (TraceMask)mask;
    return session_request(s, &request, err);
}

/* The text of a command line: \n, \t and \\ are escapes, as a line has no line breaks. */
static char *unescape(const char *a, size_t *n, Error *err)
{
    size_t most = strlen(a) + 1;
    char *text = mem_alloc(most, err);
    size_t m = 0;
    for (; text && *a; a++) {
        char c = *a;
        if (c == '\\' && a[1]) {
            a++;
            c = *a == 'n' ? '\n' : *a == 't' ? '\t' : *a;
        }
        text[m++] = c;
    }
    if (text) {
        text[m] = 0;
        *n = m;
    }
    return text;
}

/* The request to go on from: after a saved record, the model and the text that were recorded. */
static SessionRequest request_to_change(const Session *s)
{
    SessionRequest request = s->request;
    if (request.trace_path && s->trace) {
        size_t n;
        request.trace_path = NULL;
        request.model = trace_info(s->trace)->model_name;
        request.text.text = trace_source(s->trace, &n);
        request.text.n_text = n;
    }
    return request;
}

static bool do_text(Session *s, const char *a, Error *err)
{
    size_t n;
    char *text = unescape(a, &n, err);
    if (!text) {
        return false;
    }
    /* A text that is typed is taken whole; which specials it gets stays as it was. */
    SessionRequest before = request_to_change(s);
    SessionRequest request = {
        .model = before.model,
        .params = before.params,
        .text = {.text = text, .n_text = n, .leave_special_out = s->request.text.leave_special_out},
    };
    bool ok = session_request(s, &request, err);
    mem_free(text);
    return ok;
}

static bool looks_like_model(const char *path)
{
    return path_is_folder(path) || path_has_suffix(path, ".gguf");
}

static bool do_open(Session *s, const char *a, Error *err)
{
    if (!*a) {
        return bad(a, "a file or folder", err);
    }
    SessionRequest request = request_to_change(s);
    if (looks_like_model(a)) {
        request.model = a;
    } else if (path_has_suffix(a, ".safetensors")) {
        request.trace_path = a;
    } else {
        request.file_path = a;
        request.text_name = path_base_name(a);
        request.text = (TextRequest){.leave_special_out = s->request.text.leave_special_out,
                                     .max_tokens = s->request.text.max_tokens};
    }
    return session_request(s, &request, err);
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

/* ---- playback ---- */

static bool do_play(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->playback.playing = !s->playback.playing;
    s->playback.stepped_s = -1;
    if (s->playback.playing && s->trace &&
        s->selection.layer == trace_info(s->trace)->n_layers - 1) {
        s->selection.layer = 0; /* from the end it starts over */
    }
    return true;
}

static bool do_speed(Session *s, const char *a, Error *err)
{
    double v = 0;
    if (!read_number(a, 0.1, 20, &v, err)) {
        return false;
    }
    s->playback.speed = (float)v;
    return true;
}

static bool do_loop(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->playback.loop = !s->playback.loop;
    return true;
}

/* ---- how it is shown ---- */

static bool do_theme(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"night", "paper", "contrast"};
    if (!*a) {
        s->options.theme = (s->options.theme + 1) % 3;
        return true;
    }
    return read_choice(a, names, AS_COUNT(names), &s->options.theme, err);
}

static bool do_scale(Session *s, const char *a, Error *err)
{
    if (strcmp(a, "+") == 0 || strcmp(a, "-") == 0) {
        size_t at = 0;
        for (size_t i = 0; i < AS_COUNT(SCALES); i++) {
            at =
                fabsf(SCALES[i] - s->options.scale) < fabsf(SCALES[at] - s->options.scale) ? i : at;
        }
        at = *a == '+' ? AS_MIN(at + 1, AS_COUNT(SCALES) - 1) : at - (at > 0);
        s->options.scale = SCALES[at];
        return true;
    }
    double v = 0;
    if (!read_number(a, 0.25, 8, &v, err)) {
        return false;
    }
    s->options.scale = (float)v;
    return true;
}

static bool do_level(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"simple", "student", "engineer"};
    int level = 0;
    if (!read_choice(a, names, AS_COUNT(names), &level, err)) {
        return false;
    }
    s->options.level = (ExplainLevel)level;
    return true;
}

static bool do_map_scale(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"linear", "sqrt", "log"};
    int scale = 0;
    if (!read_choice(a, names, AS_COUNT(names), &scale, err)) {
        return false;
    }
    s->options.map_scale = (MapScale)scale;
    return true;
}

static bool do_rows(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"computed", "max"};
    int rows = 0;
    if (!read_choice(a, names, AS_COUNT(names), &rows, err)) {
        return false;
    }
    s->options.rows_normalised = rows;
    return true;
}

static bool do_fold(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"made", "row", "words", "patterns", "column"};
    int fold = 0;
    if (!read_choice(a, names, AS_COUNT(names), &fold, err)) {
        return false;
    }
    s->options.folds_closed[fold] = !s->options.folds_closed[fold];
    return true;
}

static bool do_inspector(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->options.inspector_toggled = !s->options.inspector_toggled;
    return true;
}

static bool do_edit_text(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->wants_text_focus = true;
    return true;
}

static bool do_quit(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->wants_quit = true;
    return true;
}

#define STEPS "N|+N|-N"
const SessionCommand session_commands[] = {
    {"view", "NAME", "go to a view", false, do_view},
    {"layer", STEPS, "choose or step the layer", false, do_layer},
    {"head", STEPS, "choose or step the head", false, do_head},
    {"query", STEPS, "choose or step the token whose attention is shown", false, do_query},
    {"key", STEPS, "choose or step the token that is looked at", false, do_key},
    {"hover", "QUERY KEY", "look at a weight in passing", true, do_hover},
    {"pin", "[QUERY KEY]", "keep looking at a weight", false, do_pin},
    {"unpin", "", "close what lies above, or let the pointer choose again", false, do_unpin},
    {"undo", "", "go back to what was shown before", false, do_undo},
    {"redo", "", "take the undo back", false, do_redo},
    {"text", "TEXT", "run the model on this text", false, do_text},
    {"open", "PATH", "open a model, a record or a text file", false, do_open},
    {"model", "MODEL", "run the text through another model", false, do_model},
    {"temperature", "T", "divide the scores by T before the softmax", false, do_temperature},
    {"mask", "auto|causal|none", "which keys a query may see", false, do_mask},
    {"cancel", "", "stop what is being computed", false, do_cancel},
    {"compute", "", "run the model again, as after a cancelled run", false, do_compute},
    {"survey", "", "go on looking through all heads after it was stopped", false, do_survey},
    {"dismiss", "", "put an error or a note away", false, do_dismiss},
    {"play", "", "walk through the layers, or stop", false, do_play},
    {"play-layer", "N", "a step of playback", true, do_layer},
    {"speed", "X", "layers a second", false, do_speed},
    {"loop", "", "start over at the last layer, or not", false, do_loop},
    {"theme", "[NAME]", "night, paper or contrast; the next one without a name", false, do_theme},
    {"scale", "S|+|-", "size of text and lines", false, do_scale},
    {"level", "simple|student|engineer", "how things are explained", false, do_level},
    {"map-scale", "linear|sqrt|log", "how weights become colours", false, do_map_scale},
    {"rows", "computed|max", "colours as computed, or each row by its largest", false, do_rows},
    {"fold", "made|row|words|patterns|column", "open or close a part of the inspector", false,
     do_fold},
    {"help", "", "show the keys", false, do_help},
    {"settings", "", "theme, size of text, explanations", false, do_settings},
    {"inspector", "", "open or close the inspector", false, do_inspector},
    {"edit-text", "", "put the cursor into the text", false, do_edit_text},
    {"quit", "", "close the window", false, do_quit},
    {0},
};

static const SessionCommand *find(const char *name, size_t n)
{
    for (const SessionCommand *c = session_commands; c->name; c++) {
        if (strlen(c->name) == n && memcmp(c->name, name, n) == 0) {
            return c;
        }
    }
    return NULL;
}

bool session_run_command(Session *session, const char *line, Error *err)
{
    size_t n = strcspn(line, " ");
    const char *arguments = line + n + strspn(line + n, " ");
    const SessionCommand *command = find(line, n);
    Snapshot before = snapshot_of(session);
    bool ok;
    if (command) {
        ok = command->run(session, arguments, err);
    } else {
        char name[32];
        size_t m = AS_MIN(n, sizeof name - 1);
        memcpy(name, line, m);
        name[m] = 0;
        ok = session->view_command &&
             session->view_command(session->view_payload, session, name, arguments);
        if (!ok) {
            error_set(err, ERR_USAGE, "there is no command \"%s\"", name);
        }
    }
    bool back = command && (command->run == do_undo || command->run == do_redo);
    if (ok && command && !command->fleeting && !back) {
        journal_remember(session, &before);
    }
    if (ok && !(command && command->fleeting)) {
        ok = journal_write(session->journal, line, err);
    }
    session->version++;
    return ok;
}
