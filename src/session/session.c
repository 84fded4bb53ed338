#include "session/session.h"

#include "base/file.h"
#include "session/baseline.h"
#include "session/choose.h"
#include "session/commands.h"
#include "session/flow.h"
#include "session/journal.h"
#include "session/lesson.h"
#include "session/run.h"
#include "session/shown.h"
#include "session/stacks.h"
#include "session/survey.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CommandQueue {
    ARRAY_OF(char *) lines; /* owned each */
};

static const struct {
    const char *name, *key, *title;
} views[VIEW_COUNT] = {
#define SESSION_VIEW_ROW(id, name, key, title) [VIEW_##id] = {name, key, title},
    SESSION_VIEWS(SESSION_VIEW_ROW)
#undef SESSION_VIEW_ROW
};

const char *view_name(ViewId id)
{
    return (size_t)id < VIEW_COUNT ? views[id].name : "?";
}

const char *view_title(ViewId id)
{
    return (size_t)id < VIEW_COUNT ? views[id].title : "?";
}

const char *view_key(ViewId id)
{
    return (size_t)id < VIEW_COUNT ? views[id].key : "?";
}

bool view_find(const char *name, ViewId *id)
{
    for (size_t i = 0; i < VIEW_COUNT; i++) {
        if (strcmp(views[i].name, name) == 0) {
            *id = (ViewId)i;
            return true;
        }
    }
    return false;
}

Session *session_create(const SessionDesc *desc, Error *err)
{
    Session *s = mem_alloc_zeroed(1, sizeof *s, err);
    if (!s) {
        return NULL;
    }
    s->desc = *desc;
    s->options.scale = 1;
    s->options.level = LEVEL_STUDENT;
    s->options.map_scale = MAP_LOG;
    s->view = VIEW_MATRIX;
    s->stack3d = stack_choice_default();
    s->playback.speed = 1;
    s->playback.time_s = PLAYBACK_END;
    s->playback.stepped_s = -1;
    s->queue = mem_alloc_zeroed(1, sizeof *s->queue, err);
    s->journal = mem_alloc_zeroed(1, sizeof *s->journal, err);
    JobsDesc jobs = {.wake = desc->wake, .wake_payload = desc->wake_payload};
    s->jobs = s->queue && s->journal ? jobs_create(&jobs, err) : NULL;
    if (!s->jobs) {
        session_destroy(&s);
        return NULL;
    }
    return s;
}

static void clear_queue(CommandQueue *queue)
{
    for (size_t i = 0; i < queue->lines.n; i++) {
        mem_free(queue->lines.items[i]);
    }
    queue->lines.n = 0;
}

static void drop_run(Session *s)
{
    if (s->run) {
        s->run->session = NULL; /* its `done` frees it */
        jobs_cancel(s->jobs, s->run_job);
        s->run = NULL;
        s->run_job = 0;
    }
}

void session_destroy(Session **session)
{
    Session *s = *session;
    if (!s) {
        return;
    }
    *session = NULL;
    if (s->jobs) {
        drop_run(s);
        tiles_clear(&s->tiles, s->jobs);
        shown_free(s);
        survey_free(s);
        flow_free(s);
        stack_data_free(s);
        jobs_destroy(s->jobs);
    }
    tiles_free(&s->tiles);
    lesson_free(&s->lessons);
    trace_close(s->baseline);
    mem_free(s->real_model);
    trace_set_close(&s->stacks);
    shared_model_release(s->model);
    mem_free(s->text_name);
    mem_free(s->first_same);
    mem_free(s->first_same_key);
    arena_destroy(&s->request_arena);
    arena_destroy(&s->published_arena);
    story_free(&s->story);
    reading_free(&s->reading);
    if (s->queue) {
        clear_queue(s->queue);
        ARRAY_FREE(&s->queue->lines);
        mem_free(s->queue);
    }
    journal_free(s->journal);
    recent_clear(&s->recent);
    mem_free(s);
}

/* ---- publishing ---- */

static void take_name(Session *s, const char *name)
{
    mem_free(s->text_name);
    s->text_name = name ? mem_strdup(name, NULL) : NULL;
}

static bool same_ids(const TraceToken *a, const TraceToken *b, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        if (a[i].id != b[i].id) {
            return false;
        }
    }
    return true;
}

static bool same_tokens(const Trace *a, const Trace *b)
{
    const TraceInfo *x = trace_info(a);
    const TraceInfo *y = trace_info(b);
    return x->stack == y->stack && x->n_queries == y->n_queries && x->n_keys == y->n_keys &&
           x->n_layers == y->n_layers && x->n_heads == y->n_heads &&
           same_ids(trace_tokens(a), trace_tokens(b), x->n_queries) &&
           same_ids(trace_key_tokens(a, NULL), trace_key_tokens(b, NULL), x->n_keys);
}

/* Replaces *to and its arena by a copy of `from`. */
static bool take_request(Arena *arena, SessionRequest *to, const SessionRequest *from, Error *err)
{
    Arena fresh = {0};
    SessionRequest copy;
    if (!request_copy(&fresh, from, &copy, err)) {
        arena_destroy(&fresh);
        return false;
    }
    arena_destroy(arena);
    *arena = fresh;
    *to = copy;
    return true;
}

/* Of a run that goes on: the same stack as before where there is one, unless one was asked for. */
static Trace *stack_to_show(const Session *s, const SessionRun *run)
{
    const TraceSet *set = &run->traces;
    Trace *wanted = run->request.stack_given ? set->stacks[run->request.stack] : NULL;
    Trace *as_before = s->trace ? set->stacks[trace_info(s->trace)->stack] : NULL;
    return wanted ? wanted : as_before ? as_before : trace_set_first(set);
}

/* What can be brought back later: the model and the text, as commands. */
static void remember(Session *s, const SessionRun *run)
{
    const SessionRequest *r = &run->request;
    Arena arena = {0};
    const char *line = NULL;
    const char *path = r->trace_path ? r->trace_path : r->file_path;
    if (path) {
        const char *whole = path_whole(&arena, path);
        line = arena_printf(&arena, NULL, "open %s", whole ? whole : path);
    } else if (r->text.text && r->text.n_text && !r->text_name && !r->text.pair) {
        const char *text = text_escape(&arena, r->text.text, r->text.n_text, NULL);
        line = text ? arena_printf(&arena, NULL, "text %s", text) : NULL;
    }
    if (line && !strchr(line, '\n')) {
        recent_add(&s->recent, line);
    }
    if (run->shared) {
        line = arena_printf(&arena, NULL, "model %s", run->shared->spec);
        recent_add(&s->recent, line ? line : "");
    }
    arena_destroy(&arena);
}

/* What the open panel asked for failed: the panel says why, what is there stays. False: it was
 * asked for elsewhere. */
static bool tell_open_panel(Session *s, const Error *err)
{
    bool waits = s->panel == PANEL_OPEN;
    s->open_waits = false;
    if (waits) {
        s->open_error = *err;
        s->open_failed++;
    }
    return waits && s->trace;
}

/* The cell that was asked for, what of it was asked for, or a telling one. */
static void choose_cell(Session *s)
{
    bool one = s->query_wanted != s->key_wanted;
    s->selection.pinned = s->query_wanted || s->key_wanted;
    if (one) {
        session_choose_other_end(s, s->query_wanted);
    } else if (!s->selection.pinned) {
        session_choose_cell(s);
    }
}

static void publish(Session *s, SessionRun *run)
{
    remember(s, run);
    if (s->open_waits && s->panel == PANEL_OPEN) {
        s->panel = PANEL_NONE;
    }
    s->open_waits = false;
    Trace *trace = stack_to_show(s, run);
    bool same = s->trace && same_tokens(s->trace, trace);
    Error missing = {0};
    if (!s->trace && !selection_is_there(trace_info(trace), &s->selection, "", &missing)) {
        snprintf(s->note, sizeof s->note, "%s", missing.message);
    }
    TraceSet old = s->stacks;
    baseline_keep(s, run, trace);
    for (int i = 0; i < TRACE_STACK_COUNT; i++) {
        s->stacks.stacks[i] = trace_retain(run->traces.stacks[i]);
    }
    stacks_show(s, trace);
    trace_set_close(&old);
    shared_model_release(s->model);
    s->model = shared_model_retain(run->shared);
    take_name(s, run->request.text_name);
    if (!take_request(&s->published_arena, &s->published, &run->request, NULL)) {
        s->published = (SessionRequest){0};
    }
    run->published = true;
    if (!same) {
        choose_cell(s);
    }
    s->version++;
}

/* A new text replaces the old one when what is looked at can be seen. */
static void publish_early(Session *s)
{
    SessionRun *run = s->run;
    if (!run || run->published || !atomic_load(&run->ready)) {
        return;
    }
    const Trace *trace = stack_to_show(s, run);
    int32_t last = trace_info(trace)->n_layers - 1;
    if (trace_layers_done(trace) > AS_MIN(s->selection.layer, last)) {
        publish(s, run);
    }
}

static void run_done(void *payload, bool ok, const Error *err)
{
    SessionRun *run = payload;
    Session *s = run->session;
    if (s) {
        s->run = NULL;
        s->run_job = 0;
        if (ok && !run->published) {
            publish(s, run);
        }
        if (ok && !s->head_wanted && !s->journal->lines.n && !(s->query_wanted && s->key_wanted)) {
            session_choose_head(s);
            choose_cell(s);
        }
        s->head_wanted = true; /* from now on the head stays */
        if (run->published) {
            s->query_wanted = s->key_wanted = false;
        }
        if (run->note[0]) {
            snprintf(s->note, sizeof s->note, "%s", run->note);
        }
        if (!ok && s->trace && !take_request(&s->request_arena, &s->request, &s->published, NULL)) {
            s->request = (SessionRequest){0};
        }
        if (!ok && s->open_waits && tell_open_panel(s, err)) {
            s->error = (Error){0};
        } else if (!ok && err->code == ERR_CANCELLED) {
            snprintf(s->note, sizeof s->note, "cancelled");
        } else if (!ok) {
            s->error = *err;
        }
        s->version++;
    }
    run_destroy(run);
}

bool session_request(Session *s, const SessionRequest *request, Error *err)
{
    if (!take_request(&s->request_arena, &s->request, request, err)) {
        return false;
    }
    drop_run(s);
    survey_stop(s); /* what is asked for now comes first */
    s->error = (Error){0};
    s->note[0] = 0;
    s->open_waits = s->panel == PANEL_OPEN;
    s->open_error = (Error){0};
    SessionRun *run = run_create(s, err);
    if (!run) {
        return false;
    }
    JobDesc desc = {
        .title = "computing attention", .run = run_work, .done = run_done, .payload = run};
    s->run_job = jobs_submit(s->jobs, &desc, err);
    if (!s->run_job) {
        run_destroy(run);
        return false;
    }
    s->run = run;
    s->version++;
    return true;
}

/* ---- the queue ---- */

void session_post(Session *session, const char *fmt, ...)
{
    va_list ap;
    va_list again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *line = n >= 0 ? mem_alloc((size_t)n + 1, NULL) : NULL;
    if (line) {
        vsnprintf(line, (size_t)n + 1, fmt, again);
        if (!ARRAY_PUSH(&session->queue->lines, line, NULL)) {
            mem_free(line);
        }
    }
    va_end(again);
}

/* The pointer was over a token of the text before: no reason to say anything. */
static bool passed_by(const char *line, const Error *err)
{
    const SessionCommand *command = session_command_find(line);
    return command && command->fleeting && err->code == ERR_RANGE;
}

static bool run_queue(Session *s)
{
    bool any = false;
    /* Commands may post further ones; they run in the same update, in order. */
    for (size_t i = 0; i < s->queue->lines.n; i++) {
        Error err = {0};
        any = true;
        const char *line = s->queue->lines.items[i];
        if (!session_run_command(s, line, &err) && !passed_by(line, &err) &&
            !tell_open_panel(s, &err)) {
            snprintf(s->note, sizeof s->note, "%s", err.message);
        }
    }
    clear_queue(s->queue);
    return any;
}

double session_next_s(const Session *s, double now_s)
{
    return playback_next_s(s, now_s);
}

/* What jobs and commands change; time stands still. */
static bool update_timeless(Session *s)
{
    bool changed = jobs_poll(s->jobs) > 0;
    publish_early(s);
    if (s->trace) {
        int32_t done = trace_layers_done(s->trace);
        changed |= done != s->layers_done;
        s->layers_done = done;
    }
    story_update(s);
    changed |= run_queue(s);
    return changed;
}

bool session_update(Session *s, double now_s)
{
    uint64_t before = s->version;
    playback_move(s, now_s);
    bool changed = update_timeless(s);
    return changed || s->version != before;
}

void session_settle(Session *s)
{
    const atomic_bool *stop = s->desc.stop;
    do {
        jobs_wait_until(s->jobs, stop);
        update_timeless(s);
        /* A job may have ended already without having been published. */
    } while (!(stop && atomic_load(stop)) &&
             (s->run || s->tiles.job || jobs_status(s->jobs).id || s->queue->lines.n));
}

/* ---- reading ---- */

const Model *session_model(const Session *session)
{
    return session->model ? session->model->model : NULL;
}

static bool label_of_bytes(const Tokenizer *tokenizer, int32_t id, char out[TOKEN_LABEL_MAX])
{
    Arena arena = {0};
    size_t n;
    const char *raw = tokenizer_token_text(tokenizer, id, &arena, &n, NULL);
    bool broken = raw && utf8_count_invalid(raw, n) > 0;
    if (broken) {
        token_bytes_label(raw, n, out);
    }
    arena_destroy(&arena);
    return broken;
}

static const char *label_token(const Session *s, const TraceToken *t, char out[TOKEN_LABEL_MAX])
{
    static const char replaced[] = "\xEF\xBF\xBD";
    if (!t->text || !strstr(t->text, replaced)) {
        return token_label(t, out);
    }
    const Tokenizer *tokenizer = s->model ? s->model->tokenizer : NULL;
    if (tokenizer ? label_of_bytes(tokenizer, t->id, out) : strcmp(t->text, replaced) == 0) {
        if (!tokenizer) {
            snprintf(out, TOKEN_LABEL_MAX, "#%d", t->id);
        }
        return out;
    }
    return token_label(t, out);
}

const char *session_label(const Session *s, int32_t token, char out[TOKEN_LABEL_MAX])
{
    return label_token(s, &trace_tokens(s->trace)[token], out);
}

const char *session_key_label(const Session *s, int32_t key, char out[TOKEN_LABEL_MAX])
{
    return label_token(s, &trace_key_tokens(s->trace, NULL)[key], out);
}

bool session_pending(const Session *session)
{
    return session->run && !session->run->published;
}

bool session_layer_ready(const Session *session)
{
    return session->trace && session->selection.layer < session->layers_done;
}

/* Is each row divided by a largest value that only all its keys tell? */
static bool needs_rows(const WeightSource *source)
{
    return source->by_row && !weight_source_is_plain(source);
}

static TileContext tile_context(Session *s, const WeightSource *source, const float *row_max)
{
    return (TileContext){.cache = &s->tiles,
                         .jobs = s->jobs,
                         .trace = s->trace,
                         .source = source,
                         .row_max = row_max};
}

const Tile *session_tile(Session *s, const TileKey *key, Error *err)
{
    TileContext context = tile_context(s, NULL, NULL);
    return tiles_get(&context, key, err);
}

void session_weight_source(const Session *s, WeightSource *source)
{
    *source = (WeightSource){.hide_first = s->options.hide_first,
                             .hide_special = s->options.hide_special,
                             .pair_only = s->options.pair_only && s->trace &&
                                          trace_info(s->trace)->second_at > 0,
                             .mean = s->options.reduce_mean};
    if (s->selection.combine != COMBINE_ONE && s->selection.set.n > 0) {
        source->combine = s->selection.combine;
        source->set = s->selection.set;
    }
    source->by_row = s->options.rows_normalised;
}

const Tile *session_tile_of(Session *s, const WeightSource *source, const TileKey *key, Error *err)
{
    const float *row_max = NULL;
    if (needs_rows(source)) {
        const ShownRows *rows = session_shown_rows(s, source, key->row0, key->row1, false);
        if (!rows || !shown_rows_has_max(rows, key->row0, key->row1)) {
            return NULL;
        }
        row_max = rows->row_max;
    }
    TileContext context = tile_context(s, source, row_max);
    return tiles_get(&context, key, err);
}

bool session_device_takes(Session *s, const WeightSource *source, const TileKey *key)
{
    TileContext context = tile_context(s, source, NULL);
    return tiles_device_takes(&context, key);
}

bool session_want_tiles(Session *s, const WeightSource *source, const TileKey *keys, size_t n,
                        Error *err)
{
    TileContext context = tile_context(s, source, NULL);
    if (!needs_rows(source) || n == 0) {
        return tiles_want(&context, keys, n, err);
    }
    int32_t row0 = INT32_MAX;
    int32_t row1 = 0;
    for (size_t i = 0; i < n; i++) {
        row0 = AS_MIN(row0, keys[i].row0);
        row1 = AS_MAX(row1, keys[i].row1);
    }
    const ShownRows *rows = session_shown_rows(s, source, row0, row1, false);
    TileKey *known = mem_alloc(n * sizeof *known, err);
    size_t n_known = 0;
    for (size_t i = 0; rows && known && i < n; i++) {
        if (shown_rows_has_max(rows, keys[i].row0, keys[i].row1)) {
            known[n_known++] = keys[i];
        }
    }
    context.row_max = rows ? rows->row_max : NULL;
    bool all = known && tiles_want(&context, known, n_known, err) && n_known == n;
    mem_free(known);
    return all;
}

const Reading *session_reading(Session *s)
{
    if (!session_layer_ready(s)) {
        return NULL;
    }
    const Selection *sel = &s->selection;
    return reading_update(&s->reading, s->trace, s->trace_version, sel->layer, sel->head,
                          sel->query, sel->key)
               ? &s->reading
               : NULL;
}

/* Multiplications that a frame may spend on them. */
static const double PATTERNS_MOST = 80e6;

static PatternWork affordable(const Trace *trace)
{
    const TraceInfo *info = trace_info(trace);
    double row = info->head_dim;
    double band = row * info->n_queries * 2 * (PATTERN_LONG_FROM + 32);
    double all = row * info->n_queries * info->n_keys; /* at the most */
    return all <= PATTERNS_MOST    ? PATTERNS_REPEAT
           : band <= PATTERNS_MOST ? PATTERNS_BAND
                                   : PATTERNS_FREE;
}

const PatternScores *session_patterns(Session *s)
{
    const Selection *sel = &s->selection;
    if (!session_layer_ready(s)) {
        return NULL;
    }
    const Survey *v = s->survey;
    if (v && v->trace_version == s->trace_version && sel->layer < v->layers_scored) {
        return &v->heads[sel->layer * trace_info(s->trace)->n_heads + sel->head].scores;
    }
    if (s->patterns_of.trace_version != s->trace_version || s->patterns_of.layer != sel->layer ||
        s->patterns_of.head != sel->head) {
        s->patterns_of.trace_version = s->trace_version;
        s->patterns_of.layer = sel->layer;
        s->patterns_of.head = sel->head;
        if (!pattern_scores(s->trace, sel->layer, sel->head, affordable(s->trace), &s->patterns,
                            NULL)) {
            s->patterns = (PatternScores){.best = -1};
        }
    }
    return &s->patterns;
}

TraceParams session_params(const Session *session)
{
    return session->trace ? trace_info(session->trace)->params : (TraceParams){0};
}
