#pragma once
/*
 * Time. Every animation is a function of Playback.time_s, so pausing, scrubbing, playing backwards,
 * slower or again is only a matter of that number. A view says in every frame what its time looks
 * like (playback_describe); a view that says nothing has the layers walked instead.
 *
 * A timeline is made of steps, each with its own time from 0 to length_s. Playing goes from the end
 * of one step to the beginning of the next. Choosing a step ("step 3") plays its animation once.
 */
#include "base/base.h"

typedef struct Session Session;

/** What the view in front says of its time. Zero: it has none. */
typedef struct Timeline {
    double length_s;   /* of the current step; 0 = no time of its own */
    int32_t n_steps;   /* at least 1 where there is a length */
    bool steps_layers; /* the steps are the layers: selection.layer is the current one */
    bool endless;      /* time runs on past length_s (particles); one step only */
} Timeline;

typedef struct Playback {
    bool playing, loop;
    bool reverse;  /* time runs backwards */
    bool entering; /* the current step plays to its end, then rests */
    bool still;    /* no motion (--reduced-motion): a chosen step is shown at its end */
    float speed;   /* 1 = as designed; layers per second where the layers are walked */
    double time_s; /* of the current step; any time past its end means its end */
    Timeline timeline;
    bool described;   /* the view in front has said its timeline */
    double stepped_s; /* clock at the last update; negative = none yet */
} Playback;

/** The moment a picture shows when nobody chose one: the end. */
#define PLAYBACK_END 1e9

/** time_s within the timeline: 0..length_s; of an endless one any time from 0. */
double playback_time(const Playback *playback);
/** The same as a fraction 0..1 of the length; 1 without a timeline. */
double playback_fraction(const Playback *playback);
/** The step in front: selection.step, or the layer where the steps are layers. */
int32_t playback_step(const Session *session);
/** Goes to a step, kept inside the timeline, and plays it once (or shows its end when still). */
void playback_enter(Session *session, int32_t step);
/** Another view or course is in front: its timeline is not known before it has been drawn once. */
void playback_forget(Session *session);
/** Says what the time of the view in front looks like. Every frame, before it is drawn. A
 *  step that was chosen before it was known and is not there is said in the session's note. */
void playback_describe(Session *session, const Timeline *timeline);
/** Moves time. Between two frames. */
void playback_move(Session *session, double now_s);
/** Seconds until time wants to move; negative = it rests. */
double playback_next_s(const Session *session, double now_s);
