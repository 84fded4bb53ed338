#include "session/commands_internal.h"

#include "session/lesson.h"
#include "session/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What teaching views show, and the what-ifs that they offer. */

/* ---- the window of tokens ---- */

static bool do_window(Session *s, const char *a, Error *err)
{
    Selection *sel = &s->selection;
    if (strcmp(a, "auto") == 0) {
        sel->window_first = sel->window_count = 0;
        return true;
    }
    char *end;
    bool relative = *a == '+' || *a == '-';
    long first = strtol(a, &end, 10);
    long count = *end == ' ' ? strtol(end + 1, &end, 10) : 0;
    if (!*a || *end || count < 0 || count > LESSON_MOST || labs(first) > INT32_MAX / 2) {
        return error_set(err, ERR_USAGE, "\"%s\": expected FIRST COUNT, up to %d tokens, or auto",
                         a, LESSON_MOST);
    }
    LessonWindow now = {0, LESSON_MOST};
    if (s->trace) {
        now = session_window(s, LESSON_MOST, false);
    }
    int32_t n = s->trace ? trace_info(s->trace)->n_queries : INT32_MAX;
    if (!relative && first >= n) {
        return error_not_there(err, "token", first, n);
    }
    int32_t wanted = count ? (int32_t)count : sel->window_count ? sel->window_count : now.count;
    sel->window_count = AS_MIN(wanted, n);
    int64_t to = relative ? (int64_t)now.first + first : first;
    sel->window_first = (int32_t)AS_CLAMP(to, 0, n - sel->window_count);
    if (sel->query < sel->window_first || sel->query >= sel->window_first + sel->window_count) {
        sel->query = sel->window_first + sel->window_count - 1;
    }
    return true;
}

static bool do_dim(Session *s, const char *a, Error *err)
{
    int32_t n = s->trace ? trace_info(s->trace)->model_dim : INT32_MAX;
    return command_read_index(a, "dimension", n, &s->selection.dim, err);
}

static bool do_course(Session *s, const char *a, Error *err)
{
    static const char *const names[COURSE_COUNT] = {"nine", "six", "flow"};
    int course = 0;
    if (!command_read_choice(a, names, COURSE_COUNT, &course, err)) {
        return false;
    }
    if (s->options.course != (TeachCourse)course) {
        s->options.course = (TeachCourse)course;
        playback_forget(s);
        playback_enter(s, 0);
    }
    return true;
}

static bool do_curve_weights(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->options.curve_weights = !s->options.curve_weights;
    return true;
}

static bool do_try(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->options.try_open = !s->options.try_open;
    return true;
}

/* ---- what-if ---- */

static bool read_switch(const char *a, bool *on, Error *err)
{
    static const char *const names[] = {"off", "on"};
    int which = 0;
    if (!command_read_choice(a, names, 2, &which, err)) {
        return false;
    }
    *on = which;
    return true;
}

static bool do_divide(Session *s, const char *a, Error *err)
{
    bool on = true;
    SessionRequest request = s->request;
    if (!read_switch(a, &on, err)) {
        return false;
    }
    request.params.unscaled = !on;
    return session_request(s, &request, err);
}

static bool do_propagate(Session *s, const char *a, Error *err)
{
    SessionRequest request = s->request;
    return read_switch(a, &request.params.propagate, err) && session_request(s, &request, err);
}

/* "3.5" or "all". */
static bool read_head(const Session *s, const char *a, TraceHead *head, Error *err)
{
    char *end;
    long layer = strtol(a, &end, 10);
    bool dot = end != a && *end == '.';
    const char *second = dot ? end + 1 : a;
    long h = strtol(second, &end, 10);
    const TraceInfo *info = s->trace ? trace_info(s->trace) : NULL;
    if (!dot || end == second || *end || !info || layer < 0 || h < 0) {
        return command_bad(a, "LAYER.HEAD of this model, or none", err);
    }
    if (layer >= info->n_layers) {
        return error_not_there(err, "layer", layer, info->n_layers);
    }
    if (h >= info->n_heads) {
        return error_not_there(err, "head", h, info->n_heads);
    }
    *head = (TraceHead){(int32_t)layer, (int32_t)h};
    return true;
}

/* A head that is on goes off, and the other way round. */
static bool do_ablate(Session *s, const char *a, Error *err)
{
    SessionRequest request = s->request;
    TraceHead head = {0};
    if (strcmp(a, "none") == 0) {
        request.params.ablate = NULL;
        request.params.n_ablate = 0;
        return session_request(s, &request, err);
    }
    if (!read_head(s, a, &head, err)) {
        return false;
    }
    /* The heads are of the stack in front; those of another one come back. */
    TraceStack stack = trace_info(s->trace)->stack;
    size_t n = request.params.ablate_stack == stack ? request.params.n_ablate : 0;
    request.params.ablate_stack = stack;
    TraceHead *list = mem_alloc((n + 1) * sizeof *list, err);
    if (!list) {
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        TraceHead one = request.params.ablate[i];
        if (one.layer != head.layer || one.head != head.head) {
            list[kept++] = one;
        }
    }
    if (kept == n) {
        list[kept++] = head;
    }
    request.params.ablate = kept ? list : NULL;
    request.params.n_ablate = kept;
    bool ok = session_request(s, &request, err);
    mem_free(list);
    return ok;
}

static bool do_reset(Session *s, const char *a, Error *err)
{
    (void)a;
    SessionRequest request = s->request;
    request.params.temperature = 1;
    request.params.mask = TRACE_MASK_AUTO;
    request.params.unscaled = false;
    request.params.ablate = NULL;
    request.params.n_ablate = 0;
    request.text.max_tokens = 0;
    return session_request(s, &request, err);
}

/* ---- the text ---- */

static bool do_length(Session *s, const char *a, Error *err)
{
    SessionRequest request = s->request;
    int32_t n = s->trace ? trace_info(s->trace)->n_queries : 1;
    if (strcmp(a, "all") == 0) {
        request.text.max_tokens = 0;
        return session_request(s, &request, err);
    }
    if (!command_read_count(a, 1, INT32_MAX, &n, err)) {
        return false;
    }
    request.text.max_tokens = n;
    return session_request(s, &request, err);
}

/* The source with the bytes of a token replaced; NULL with *err. */
static char *edited_source(const Session *s, int32_t token, const char *with, size_t *n, Error *err)
{
    size_t n_source;
    const char *source = trace_source(s->trace, &n_source);
    const TraceToken *t = &trace_tokens(s->trace)[token];
    size_t n_with = strlen(with);
    if (t->start < 0 || t->end < t->start || (size_t)t->end > n_source) {
        error_set(err, ERR_RANGE, "token %d comes from no place of the text: it cannot be edited",
                  token);
        return NULL;
    }
    size_t start = (size_t)t->start, end = (size_t)t->end;
    if (start < end && source[start] == ' ' && *with != ' ') {
        start++; /* the space before a word belongs to its token */
    }
    *n = start + n_with + (n_source - end);
    char *text = mem_alloc(*n + 1, err);
    if (text) {
        memcpy(text, source, start);
        memcpy(text + start, with, n_with);
        memcpy(text + start + n_with, source + end, n_source - end);
        text[*n] = 0;
    }
    return text;
}

static bool do_edit(Session *s, const char *a, Error *err)
{
    char *rest;
    long token = strtol(a, &rest, 10);
    if (rest == a || *rest != ' ' || !s->trace || token < 0 || trace_info(s->trace)->second_at) {
        return command_bad(a, "TOKEN TEXT, a token of a single text", err);
    }
    if (token >= trace_info(s->trace)->n_queries) {
        return error_not_there(err, "token", token, trace_info(s->trace)->n_queries);
    }
    size_t n;
    char *text = edited_source(s, (int32_t)token, rest + 1, &n, err);
    if (!text) {
        return false;
    }
    SessionRequest request = s->request;
    request.file_path = NULL;
    request.text.text = text;
    request.text.n_text = n;
    request.text.ids = NULL;
    request.text.n_ids = 0;
    request.edited = true;
    bool ok = session_request(s, &request, err);
    s->request.edited = false; /* the run has its own copy; what follows is no edit */
    mem_free(text);
    return ok;
}

/* ---- made-up models ---- */

static bool is_made(const char *spec)
{
    return strncmp(spec, "random", 6) == 0 || strncmp(spec, "hash", 4) == 0 ||
           strncmp(spec, "synthetic", 9) == 0;
}

/* spec with key=value set: "random:L=4,H=8" -> "random:L=4,H=2". */
static bool spec_set(const char *spec, const char *key, int32_t value, StrBuf *out, Error *err)
{
    size_t n_name = strcspn(spec, ":");
    bool first = true;
    if (!strbuf_printf(out, err, "%.*s:", (int)n_name, spec)) {
        return false;
    }
    const char *p = spec[n_name] ? spec + n_name + 1 : "";
    while (*p) {
        size_t n = strcspn(p, ",");
        bool same = strncmp(p, key, strlen(key)) == 0 && p[strlen(key)] == '=';
        if (n && !same && !strbuf_printf(out, err, "%s%.*s", first ? "" : ",", (int)n, p)) {
            return false;
        }
        first = first && (same || !n);
        p += n + (p[n] == ',');
    }
    return strbuf_printf(out, err, "%s%s=%d", first ? "" : ",", key, value);
}

static bool set_made(Session *s, const char *a, const char *key, Error *err)
{
    const char *spec = s->request.model ? s->request.model : "tiny";
    int32_t value = 0;
    if (!is_made(spec)) {
        return error_set(err, ERR_USAGE,
                         "only made-up models can change their shape (model "
                         "random:L=4,H=8,d=64)");
    }
    if (!command_read_count(a, 1, 65536, &value, err)) {
        return false;
    }
    StrBuf text = {0};
    SessionRequest request = s->request;
    bool ok = spec_set(spec, key, value, &text, err);
    request.model = ok ? strbuf_text(&text) : NULL;
    ok = ok && session_request(s, &request, err);
    strbuf_free(&text);
    return ok;
}

static bool do_made_width(Session *s, const char *a, Error *err)
{
    return set_made(s, a, "d", err);
}

static bool do_made_heads(Session *s, const char *a, Error *err)
{
    return set_made(s, a, "H", err);
}

static bool do_made_layers(Session *s, const char *a, Error *err)
{
    return set_made(s, a, "L", err);
}

static bool remember_real(Session *s, Error *err)
{
    const char *spec = s->request.model ? s->request.model : "tiny";
    if (is_made(spec)) {
        return true;
    }
    char *copy = mem_strdup(spec, err);
    if (!copy) {
        return false;
    }
    mem_free(s->real_model);
    s->real_model = copy;
    return true;
}

/* The same shape with made-up weights, or the real ones again. */
static bool do_weights(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"real", "random", "hash"};
    char spec[160];
    int which = 0;
    SessionRequest request = s->request;
    if (!command_read_choice(a, names, AS_COUNT(names), &which, err) || !remember_real(s, err)) {
        return false;
    }
    request.trace_path = NULL;
    request.params.ablate = NULL;
    request.params.n_ablate = 0;
    if (which == 0) {
        request.model = s->real_model ? s->real_model : "tiny";
        return session_request(s, &request, err);
    }
    const TraceInfo *info = s->trace ? trace_info(s->trace) : NULL;
    if (info) {
        snprintf(spec, sizeof spec, "%s:L=%d,H=%d,G=%d,d=%d", names[which], info->n_layers,
                 info->n_heads, info->n_kv_heads, info->n_heads * info->head_dim);
    } else {
        snprintf(spec, sizeof spec, "%s:L=4,H=8,d=64", names[which]);
    }
    request.model = spec;
    return session_request(s, &request, err);
}

const SessionCommand session_teach_commands[] = {
    {"window", "FIRST [COUNT]|+N|-N|auto", "the tokens that Mechanism and Steps show, up to 8",
     false, do_window},
    {"dim", COMMAND_STEPS, "the first dimension that is shown of vectors", false, do_dim},
    {"course", "nine|six|flow", "which course Steps goes through", false, do_course},
    {"curve-weights", "", "write the weights on the curves, or not", false, do_curve_weights},
    {"try", "", "controls or words beside the steps, where there is room for one", false, do_try},
    {"divide", "on|off", "what if scores were not divided by the root of d_k", false, do_divide},
    {"propagate", "on|off", "let a what-if reach the layers above", false, do_propagate},
    {"ablate", "L.H|none", "switch a head off, or on again", false, do_ablate},
    {"reset", "", "take every what-if back", false, do_reset},
    {"length", "N|+N|-N|all", "how many tokens of the text are taken", false, do_length},
    {"edit", "TOKEN TEXT", "put other words in the place of a token and compare", false, do_edit},
    {"made-width", COMMAND_STEPS, "width of a made-up model", false, do_made_width},
    {"made-heads", COMMAND_STEPS, "heads of a made-up model", false, do_made_heads},
    {"made-layers", COMMAND_STEPS, "layers of a made-up model", false, do_made_layers},
    {"weights", "real|random|hash", "the model's weights, or made-up ones of the same shape", false,
     do_weights},
    {0},
};
