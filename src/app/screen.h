#pragma once
/*
 * What a window and a picture have in common: a session with its views, opened as the command line
 * says, and one frame of it as a display list.
 */
#include "app/app.h"
#include "session/session.h"
#include "ui/ui.h"
#include "views/views.h"

typedef struct Config Config; /* app/config.h */

typedef struct Screen {
    App *app;
    Session *session;
    Views *views;
    Ui ui;
    FontSet *fonts;
    DrawList list;
    KeyMap keys;
} Screen;

/**
 * Reads the options, starts the run as a job and applies view, theme, scale and selection.
 * config  the window's: read here; pictures have none, so that they are the same everywhere
 * wake  called from any thread when something was published; NULL = none
 * Errors  ERR_USAGE and what app_read_request reports; what goes wrong in the job is told by the
 *         session
 */
AS_MUST_CHECK bool screen_open(Screen *screen, App *app, Config *config,
                               void (*wake)(void *payload), void *wake_payload, Error *err);
/** The first half of it: fonts, an empty session, views and keys; nothing is run. */
AS_MUST_CHECK bool screen_prepare(Screen *screen, App *app, void (*wake)(void *payload),
                                  void *wake_payload, Error *err);
/** Idempotent. */
void screen_close(Screen *screen);

/** One pass of the interface over the events fed to screen->ui; keys that no widget took run their
 *  commands. The list is complete afterwards. */
AS_MUST_CHECK bool screen_pass(Screen *screen, const UiFrame *frame, Error *err);

/** What is drawn on. */
typedef struct ScreenSurface {
    int32_t width_px, height_px;
    float content_scale; /* device px per logical px at interface scale 1 */
    bool still;          /* no motion */
} ScreenSurface;
/**
 * One frame of a window: feeds the events, with a pass between two that cannot be seen in one, runs
 * what they ask for and draws until the list shows it. *scale: device px per logical px of the
 * list.
 */
AS_MUST_CHECK bool screen_build(Screen *screen, const ScreenSurface *surface, const UiEvent *events,
                                int n_events, float *scale, Error *err);

/** Waits for everything and draws the frame a person would see then, without motion.
 *  width, height: logical px. */
AS_MUST_CHECK bool screen_still(Screen *screen, float width, float height, float scale, Error *err);
/** screen_still at the size the options give (or the fallback), written to `path` by its ending. */
AS_MUST_CHECK bool screen_shot(Screen *screen, const char *path, int32_t width_px,
                               int32_t height_px, Error *err);
