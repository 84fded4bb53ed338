#include "session/session.h"

#include <stdio.h>

/* A frame that comes late (a window that was hidden) moves time by no more than this. */
static const double MOST_S = 0.25;

double playback_time(const Playback *p)
{
    const Timeline *t = &p->timeline;
    if (t->endless) {
        return p->time_s >= PLAYBACK_END ? t->length_s : AS_MAX(p->time_s, 0.0);
    }
    return AS_CLAMP(p->time_s, 0.0, t->length_s);
}

double playback_fraction(const Playback *p)
{
    double length = p->timeline.length_s;
    return length > 0 ? AS_MIN(playback_time(p) / length, 1.0) : 1;
}

int32_t playback_step(const Session *s)
{
    const Timeline *t = &s->playback.timeline;
    int32_t step = t->steps_layers ? s->selection.layer : s->selection.step;
    return AS_CLAMP(step, 0, AS_MAX(t->n_steps - 1, 0));
}

/* The layers change by a command of playback, so that undo goes back to before it. */
static void go_to(Session *s, int32_t step)
{
    Timeline *t = &s->playback.timeline;
    int32_t to = AS_CLAMP(step, 0, AS_MAX(t->n_steps - 1, 0));
    if (t->steps_layers) {
        s->selection.layer = to;
    } else {
        s->selection.step = to;
    }
    s->version++;
}

void playback_enter(Session *s, int32_t step)
{
    Playback *p = &s->playback;
    if (p->timeline.n_steps > 0) {
        go_to(s, step);
    } else {
        s->selection.step = AS_MAX(step, 0);
    }
    p->time_s = p->still ? PLAYBACK_END : 0;
    p->reverse = false;
    p->entering = !p->still;
    p->stepped_s = -1;
    s->version++;
}

void playback_forget(Session *s)
{
    s->playback.timeline = (Timeline){0};
    s->playback.described = false;
}

void playback_describe(Session *s, const Timeline *timeline)
{
    int32_t n = timeline->n_steps;
    bool own_steps = n > 0 && !timeline->steps_layers;
    if (own_steps && !s->playback.described && s->selection.step >= n) {
        Error missing = {0};
        error_not_there(&missing, "step", s->selection.step, n);
        snprintf(s->note, sizeof s->note, "%s", missing.message);
    }
    s->playback.timeline = *timeline;
    s->playback.described = true;
    if (own_steps) {
        s->selection.step = AS_CLAMP(s->selection.step, 0, n - 1);
    }
}

/* ---- a view without time: one layer after another ---- */

static void walk_layers(Session *s, double now_s)
{
    Playback *p = &s->playback;
    if (now_s - p->stepped_s < 1.0 / (double)p->speed) {
        return;
    }
    p->stepped_s = now_s;
    int32_t last = trace_info(s->trace)->n_layers - 1;
    int32_t layer = s->selection.layer + 1;
    if (layer > last) {
        if (!p->loop) {
            p->playing = false;
            s->version++;
            return;
        }
        layer = 0;
    }
    session_post(s, "play-layer %d", layer);
}

/* ---- a view with time ---- */

/* The next step in the direction of time; false at the end of all. */
static bool next_step(Session *s)
{
    Playback *p = &s->playback;
    int32_t n = p->timeline.n_steps;
    int32_t step = playback_step(s) + (p->reverse ? -1 : 1);
    if ((step < 0 || step >= n) && !p->loop) {
        return false;
    }
    go_to(s, step < 0 ? n - 1 : step >= n ? 0 : step);
    /* The other step's length is known with the next frame: from its end or its beginning. */
    p->time_s = p->reverse ? PLAYBACK_END : 0;
    return true;
}

static void run_time(Session *s, double now_s)
{
    Playback *p = &s->playback;
    double by = AS_CLAMP(now_s - p->stepped_s, 0.0, MOST_S) * (double)p->speed;
    p->stepped_s = now_s;
    p->time_s = playback_time(p) + (p->reverse ? -by : by);
    s->version++;
    bool over = p->reverse ? p->time_s <= 0 : p->time_s >= p->timeline.length_s;
    if (p->timeline.endless ? p->time_s > 0 || !p->reverse : !over) {
        return;
    }
    if (p->entering && !p->playing) {
        p->entering = false;
        p->time_s = PLAYBACK_END;
        return;
    }
    p->entering = false;
    if (p->timeline.endless || !next_step(s)) {
        p->playing = false;
        p->time_s = p->reverse ? 0 : PLAYBACK_END;
    }
}

static bool moves(const Session *s)
{
    const Playback *p = &s->playback;
    return s->trace && (p->playing || (p->entering && p->timeline.length_s > 0));
}

void playback_move(Session *s, double now_s)
{
    Playback *p = &s->playback;
    if (!moves(s)) {
        p->stepped_s = -1;
        return;
    }
    if (p->stepped_s < 0) {
        p->stepped_s = now_s;
    }
    if (p->timeline.length_s > 0) {
        run_time(s, now_s);
    } else {
        walk_layers(s, now_s);
    }
}

double playback_next_s(const Session *s, double now_s)
{
    const Playback *p = &s->playback;
    if (!moves(s)) {
        return -1;
    }
    if (p->timeline.length_s > 0) {
        return 0;
    }
    double due = p->stepped_s < 0 ? now_s : p->stepped_s + 1.0 / (double)p->speed;
    return AS_MAX(due - now_s, 0);
}
