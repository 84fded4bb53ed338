#pragma once
/*
 * `bench --render`: how long frames take. A journey is what somebody does for a few seconds, as a
 * script: each frame feeds events or posts commands, is built and painted like a frame of the
 * window (screen_build) on a context without one, and is measured to its last pixel. A new journey
 * is a row of the table in bench_journeys.c.
 */
#include "app/screen.h"

/** What a step may use. */
typedef struct JourneyFrame {
    Screen *screen;
    int frame; /* from 0 */
    int n_frames;
    float width, height; /* logical px */
    UiEvent *events;     /* to be filled, JOURNEY_EVENTS at most */
    int n_events;
} JourneyFrame;

enum { JOURNEY_EVENTS = 8 };

typedef struct Journey {
    const char *name;
    const char *setup; /* commands, with ; between them */
    int n_frames;
    void (*step)(JourneyFrame *frame);
    int32_t most_tokens; /* not beyond this length; 0 = at any */
} Journey;

/** Ends with a NULL name. */
extern const Journey bench_journeys[];

/** Measures and prints. */
AS_MUST_CHECK bool bench_render(App *app, Error *err);
