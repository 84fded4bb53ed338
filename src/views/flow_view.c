#include "views/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "views/internal.h"

/* Seconds a layer is shown for in playback: curves enter, then values run. */
static const double LAYER_S = 6;

void flow_timeline(Views *views, const Session *session, Timeline *timeline)
{
    (void)views;
    bool layers = session->options.flow.mode == FLOW_LAYERS;
    timeline->length_s = layers ? 8 : LAYER_S;
    timeline->n_steps = layers ? 1 : trace_info(session->trace)->n_layers;
    timeline->steps_layers = !layers;
    timeline->endless = layers;
}

const ViewCommand flow_commands[] = {
    {"zoom", "in|out", "fewer tokens, larger, or more"},
    {"fit", "", "show all tokens"},
    {"look", "TOKEN", "as close as it goes, with this token in the middle"},
    {0},
};

bool flow_command(Views *views, Session *session, const char *name, const char *arguments,
                  Error *err)
{
    FlowView *v = view_state(views, VIEW_FLOW);
    if (strcmp(name, "zoom") == 0 &&
        (strcmp(arguments, "in") == 0 || strcmp(arguments, "out") == 0)) {
        v->zoom_goal *= arguments[0] == 'i' ? 1.5 : 1 / 1.5;
        v->zoom_goal = AS_MAX(v->zoom_goal, 1);
        return true;
    }
    if (strcmp(name, "fit") == 0) {
        v->zoom_goal = 1;
        v->middle_goal = 0.5;
        return true;
    }
    if (strcmp(name, "look") == 0 && session->trace) {
        char *end;
        long token = strtol(arguments, &end, 10);
        int32_t n = trace_info(session->trace)->n_queries;
        if (end == arguments || *end || token < 0) {
            return false;
        }
        if (token >= n) {
            return error_not_there(err, "token", token, n);
        }
        v->zoom_goal = 1e9; /* as far as it goes */
        v->middle_goal = ((double)token + 0.5) / n;
        v->trace_version = session->trace_version;
        v->placed = true;
        v->dragged = -1;
        return true;
    }
    return false;
}

void flow_view_free(void *state)
{
    FlowView *v = state;
    mem_free(v->last);
    mem_free(v->old);
    mem_free(v->rest);
}

static void lay_out(FlowScene *s, Rect stage)
{
    bool low = stage.h < 660; /* every line counts */
    float margin = 24;
    float foot = low ? 12 : 24;
    float strip_h = stage.h < 480 ? 0 : 112;
    s->title = rect(stage.x + margin, stage.y + (low ? 14 : 24), stage.w - 2 * margin, 72);
    s->strip =
        rect(stage.x + margin, stage.y + stage.h - foot - strip_h, stage.w - 2 * margin, strip_h);
    float top = s->title.y + s->title.h + (low ? 32 : 38);
    float bottom = strip_h > 0 ? s->strip.y - (low ? 18 : 24) : stage.y + stage.h - foot;
    s->area = rect(stage.x + margin, top, stage.w - 2 * margin, fmaxf(bottom - top, 40));
}

static void draw_waiting(const FlowScene *s)
{
    const Error *err = session_flow_error(s->c->session);
    ui_label(s->c->ui, s->area, &(UiLabel){.face = FONT_SANS, .size = 14, .align = DRAW_CENTER},
             err->code ? err->message : "The strongest connections are being found …");
}

/* Modes that need one text say so where there are two. */
static bool needs_one_text(const FlowScene *s)
{
    if (!trace_is_cross(s->c->session->trace) || s->options->mode == FLOW_COLUMNS) {
        return false;
    }
    ui_label(s->c->ui, s->area, &(UiLabel){.face = FONT_SANS, .size = 14, .align = DRAW_CENTER},
             "The decoder reads another text: Columns show it. Arcs, layers and graph need queries "
             "and keys of one text.");
    return true;
}

void flow_draw(ViewContext *c, Rect stage)
{
    FlowScene s = {.c = c,
                   .view = view_state(c->views, VIEW_FLOW),
                   .options = &c->session->options.flow,
                   .time_s = playback_time(&c->session->playback)};
    lay_out(&s, stage);
    flow_move_axis(&s);
    bool one_text = needs_one_text(&s);
    if (!one_text && s.options->mode != FLOW_LAYERS) {
        flow_read(&s);
    }
    float pitch = fminf(flow_axis_pitch(&s.queries), flow_axis_pitch(&s.keys));
    s.k = 8 * AS_CLAMP(roundf(pitch / 16.75f * 4) / 4, 0.75f, 2.0f);
    flow_draw_title(&s);
    if (s.options->mode == FLOW_LAYERS && !one_text) {
        flow_draw_layers(&s);
    } else if (!one_text && s.map) {
        switch (s.options->mode) {
        case FLOW_ARCS:
            flow_draw_arcs(&s);
            break;
        case FLOW_GRAPH:
            flow_draw_graph(&s);
            break;
        default:
            flow_draw_columns(&s);
        }
    } else if (!one_text) {
        draw_waiting(&s);
    }
    if (s.strip.h > 0) {
        flow_draw_strip(&s);
    }
}
