#include "session/commands_internal.h"

#include <stdio.h>
#include <string.h>

/* What is looked at. */

/* Before there is a trace anything goes; session_clamp_selection looks at it when it comes. */
static TraceInfo shape_of(const Session *s)
{
    return s->trace ? *trace_info(s->trace)
                    : (TraceInfo){.n_layers = INT32_MAX,
                                  .n_heads = INT32_MAX,
                                  .n_queries = INT32_MAX,
                                  .n_keys = INT32_MAX};
}

static bool read_query(const Session *s, const char *a, int32_t *query, Error *err)
{
    return command_read_index(a, "query", shape_of(s).n_queries, query, err);
}

static bool read_key(const Session *s, const char *a, int32_t *key, Error *err)
{
    return command_read_index(a, "key", shape_of(s).n_keys, key, err);
}

bool selection_is_there(const TraceInfo *info, const Selection *sel, const char *prefix, Error *err)
{
    const struct {
        const char *name;
        int32_t value, n;
    } parts[] = {{"layer", sel->layer, info->n_layers},
                 {"head", sel->head, info->n_heads},
                 {"query", sel->query, info->n_queries},
                 {"key", sel->key, info->n_keys}};
    for (size_t i = 0; i < AS_COUNT(parts); i++) {
        if (parts[i].value >= parts[i].n) {
            char what[32];
            snprintf(what, sizeof what, "%s%s", prefix, parts[i].name);
            return error_not_there(err, what, parts[i].value, parts[i].n);
        }
    }
    return true;
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
        session_clamp_choice(session);
    }
}

static bool do_layer(Session *s, const char *a, Error *err)
{
    return command_read_index(a, "layer", shape_of(s).n_layers, &s->selection.layer, err);
}

static bool do_head(Session *s, const char *a, Error *err)
{
    return command_read_index(a, "head", shape_of(s).n_heads, &s->selection.head, err);
}

static bool do_query(Session *s, const char *a, Error *err)
{
    return read_query(s, a, &s->selection.query, err);
}

static bool do_key(Session *s, const char *a, Error *err)
{
    return read_key(s, a, &s->selection.key, err);
}

static bool read_cell(Session *s, const char *a, Error *err)
{
    char first[16];
    const char *space = strchr(a, ' ');
    size_t n = space ? (size_t)(space - a) : 0;
    if (!space || n >= sizeof first) {
        return command_bad(a, "QUERY KEY", err);
    }
    memcpy(first, a, n);
    first[n] = 0;
    int32_t query = s->selection.query;
    int32_t key = s->selection.key;
    if (!read_query(s, first, &query, err) || !read_key(s, space + 1, &key, err)) {
        return false;
    }
    s->selection.query = query;
    s->selection.key = key;
    return true;
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

static bool do_stack(Session *s, const char *a, Error *err)
{
    TraceStack stack = TRACE_STACK_SELF;
    TraceStack stacks[TRACE_STACK_COUNT];
    int n = session_stacks(s, stacks);
    if (!*a && n > 0) { /* the next one */
        int now = 0;
        while (stacks[now] != trace_info(s->trace)->stack) {
            now++;
        }
        return session_select_stack(s, stacks[(now + 1) % n]);
    }
    if (!trace_stack_find(a, &stack)) {
        return command_bad(a, "self, encoder, decoder or cross", err);
    }
    return session_select_stack(s, stack) ||
           error_set(err, ERR_USAGE, "there is no %s attention here", a);
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
    } else if (s->view == VIEW_HEADS && s->options.heads.pinned) {
        s->options.heads.pinned = false;
    } else if (s->view == VIEW_MATRIX && s->options.matrix_menu) {
        s->options.matrix_menu = false;
    } else {
        s->selection.pinned = false;
        memset(s->options.flow.pins, 0, sizeof s->options.flow.pins);
        s->options.flow.n_pins = 0;
    }
    return true;
}

static bool do_view(Session *s, const char *a, Error *err)
{
    ViewId id = VIEW_MATRIX;
    if (!view_find(a, &id)) {
        return error_set(err, ERR_USAGE, "there is no view \"%s\"", a);
    }
    if (s->view != id) {
        /* Time belongs to the view in front; a new one opens on its first step. */
        /* The steps of Architecture are those of Steps. */
        bool same = (s->view == VIEW_STEPS && id == VIEW_ARCHITECTURE) ||
                    (s->view == VIEW_ARCHITECTURE && id == VIEW_STEPS);
        s->view = id;
        s->playback.playing = false;
        playback_forget(s);
        s->selection.step = same ? s->selection.step : 0;
        playback_enter(s, s->selection.step);
    }
    s->panel = PANEL_NONE;
    return true;
}

const SessionCommand session_select_commands[] = {
    {"view", "NAME", "go to a view", false, do_view},
    {"layer", COMMAND_STEPS, "choose or step the layer", false, do_layer},
    {"play-layer", "N", "a step of playback", true, do_layer},
    {"head", COMMAND_STEPS, "choose or step the head", false, do_head},
    {"query", COMMAND_STEPS, "choose or step the token whose attention is shown", false, do_query},
    {"key", COMMAND_STEPS, "choose or step the token that is looked at", false, do_key},
    {"stack", "[encoder|decoder|cross]", "which attention of an encoder-decoder is shown", false,
     do_stack},
    {"hover", "QUERY KEY", "look at a weight in passing", true, do_hover},
    {"pin", "[QUERY KEY]", "keep looking at a weight", false, do_pin},
    {"unpin", "", "close what lies above, or let the pointer choose again", false, do_unpin},
    {0},
};
