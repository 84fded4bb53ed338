/* What is done on the screen while frames are measured. */
#include "app/bench_render.h"

#include <math.h>

static void add(JourneyFrame *f, UiEvent event)
{
    AS_ASSERT(f->n_events < JOURNEY_EVENTS);
    event.time_s = f->frame / 60.0;
    f->events[f->n_events++] = event;
}

static Vec2 middle(const JourneyFrame *f)
{
    return vec2(f->width * 0.4f, f->height * 0.45f);
}

/* A drag to and fro in both directions. */
static void pan(JourneyFrame *f)
{
    Vec2 m = middle(f);
    double t = f->frame / 30.0;
    Vec2 at = {m.x + 160 * (float)sin(t * 1.7), m.y + 120 * (float)sin(t * 2.3)};
    add(f, (UiEvent){.kind = f->frame ? UI_EVENT_MOVE : UI_EVENT_DOWN, .at = f->frame ? at : m});
    if (f->frame == f->n_frames - 1) {
        add(f, (UiEvent){.kind = UI_EVENT_UP, .at = at});
    }
}

/* Into the middle notch by notch, and out again. */
static void zoom(JourneyFrame *f)
{
    bool in = f->frame < f->n_frames / 2;
    add(f, (UiEvent){.kind = UI_EVENT_MOVE, .at = middle(f)});
    if (f->frame % 3 == 0) {
        add(f, (UiEvent){.kind = UI_EVENT_WHEEL, .at = middle(f), .wheel = in ? 1 : -1});
    }
}

static void switch_head(JourneyFrame *f)
{
    Session *s = f->screen->session;
    if (f->frame % 5 == 0 && s->trace) {
        session_post(s, "head %d", (s->selection.head + 1) % trace_info(s->trace)->n_heads);
    }
}

/* Over the stage along lines, as somebody who looks for something. */
static void hover(JourneyFrame *f)
{
    float t = (float)f->frame / (float)f->n_frames;
    Vec2 at = {f->width * (0.1f + 0.65f * fabsf(fmodf(t * 6, 2) - 1)),
               f->height * (0.12f + 0.7f * t)};
    add(f, (UiEvent){.kind = UI_EVENT_MOVE, .at = at});
}

static void type_palette(JourneyFrame *f)
{
    static const char text[] = "layer heads zoom theme paper model ";
    if (f->frame % 3 == 0) {
        size_t at = (size_t)(f->frame / 3) % (sizeof text - 1);
        add(f, (UiEvent){.kind = UI_EVENT_TEXT, .key = (uint32_t)text[at]});
    }
}

static void walk_layers(JourneyFrame *f)
{
    (void)f; /* time does it */
}

const Journey bench_journeys[] = {
    {"matrix pan", "view matrix; fit; zoom in; zoom in; zoom in; zoom in", 120, pan, 0},
    {"matrix zoom", "view matrix; fit", 120, zoom, 0},
    {"matrix switch head", "view matrix; fit", 60, switch_head, 0},
    {"matrix hover", "view matrix; fit", 120, hover, 0},
    {"heads hover", "view heads", 90, hover, 0},
    {"overview hover", "view overview", 90, hover, 0},
    {"palette", "view matrix; palette", 90, type_palette, 0},
    {"play", "view matrix; fit; play", 60, walk_layers, 0},
    {"flow play", "view flow; flow columns; fit; flow-heads all; flow-strongest top 8; play", 90,
     walk_layers, 0},
    {"flow hover", "view flow; flow columns; fit; flow-heads all; flow-strongest top 8", 90, hover,
     0},
    {"flow zoom", "view flow; flow columns; fit; flow-heads one; flow-strongest coverage 0.8", 90,
     zoom, 0},
    {"flow graph", "view flow; flow graph; flow-strongest top 3", 60, hover, 4096},
    {"stack orbit", "view stack; stack-planes all", 90, pan, 8192},
    {"stack play", "view stack; layer 0; play", 90, walk_layers, 8192},
    {0},
};
