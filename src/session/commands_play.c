#include "session/commands_internal.h"

/* Playback. */

/* From the end it starts over. */
static void start_over(Session *s)
{
    Playback *p = &s->playback;
    const Timeline *t = &p->timeline;
    if (t->length_s <= 0) {
        if (s->trace && s->selection.layer == trace_info(s->trace)->n_layers - 1) {
            s->selection.layer = 0;
        }
    } else if (!t->endless && !p->reverse && p->time_s >= t->length_s) {
        bool last = playback_step(s) == t->n_steps - 1;
        playback_enter(s, last ? 0 : playback_step(s) + 1);
    }
    p->entering = false;
}

static bool do_play(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->playback.playing = !s->playback.playing;
    s->playback.stepped_s = -1;
    if (s->playback.playing) {
        start_over(s);
    } else {
        s->playback.entering = false;
    }
    return true;
}

static bool do_reverse(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->playback.reverse = !s->playback.reverse;
    s->playback.time_s = playback_time(&s->playback);
    return true;
}

static bool do_time(Session *s, const char *a, Error *err)
{
    double t = 0;
    if (!command_read_number(a, 0, PLAYBACK_END, &t, err)) {
        return false;
    }
    s->playback.time_s = t;
    s->playback.entering = false;
    return true;
}

static bool do_step(Session *s, const char *a, Error *err)
{
    const Playback *p = &s->playback;
    int32_t step = playback_step(s);
    if (p->described && p->timeline.n_steps < 1) {
        return error_set(err, ERR_USAGE, "%s has no steps", view_title(s->view));
    }
    int32_t n = p->described ? p->timeline.n_steps : INT32_MAX;
    if (!command_read_index(a, "step", n, &step, err)) {
        return false;
    }
    playback_enter(s, step);
    return true;
}

static bool do_speed(Session *s, const char *a, Error *err)
{
    double v = 0;
    if (!command_read_number(a, 0.1, 20, &v, err)) {
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

const SessionCommand session_play_commands[] = {
    {"play", "", "walk through the layers, or stop", false, do_play},
    {"step", COMMAND_STEPS, "go to a step of the view and play it", false, do_step},
    {"time", "SECONDS", "a moment of the animation", true, do_time},
    {"reverse", "", "let time run backwards, or forwards again", false, do_reverse},
    {"speed", "X", "how fast time runs: 1 as designed; layers a second", false, do_speed},
    {"loop", "", "start over at the last layer, or not", false, do_loop},
    {0},
};
