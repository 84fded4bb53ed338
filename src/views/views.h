#pragma once
/*
 * The views and the window around them: rail, top bar, inspector, transport, status. A view is one
 * row of the table in views.c and one file (or a few that start with its name). Views read the
 * Session and change it only by posting commands. Main thread only.
 */
#include "session/session.h"
#include "ui/ui.h"

typedef struct Views Views;

/** What a view draws with. */
typedef struct ViewContext {
    Ui *ui;
    Session *session;
    Views *views;
} ViewContext;

/** A command that a view has of its own, as the palette and the list of commands show it. */
typedef struct ViewCommand {
    const char *name, *arguments, *help; /* as in SessionCommand; a NULL name ends the list */
} ViewCommand;

typedef struct ViewDef {
    Icon icon;
    const char *help;       /* one sentence: what it shows */
    bool needs_operands;    /* shows queries and keys: not for imported weights */
    bool folds_inspector;   /* wants the whole width: the inspector opens only when asked for */
    const char *comes_with; /* NULL = built; else the part of the road map that brings it */
    /** Draws into the stage and answers the pointer. */
    void (*draw)(ViewContext *c, Rect stage);
    /** What the inspector says while this view is in front, below its title. NULL = everything
     * about the selected weight. */
    void (*inspect)(ViewContext *c, Rect box);
    /** What its time looks like (session/playback.h). NULL = playing walks the layers. */
    void (*timeline)(Views *views, const Session *session, Timeline *timeline);
    /** Names a step of the timeline, for the transport. NULL = numbers. In the frame's arena. */
    const char *(*step_name)(ViewContext *c, int32_t step);
    /** Bytes of what it keeps between frames (caches, cameras on their way; never what is chosen:
     *  that is the session's). Zeroed at first; view_state. */
    size_t state_bytes;
    /** Frees what the state holds. NULL = nothing to free. */
    void (*free_state)(void *state);
    /** A command of its own; false: not known, or *err says why it was not done. NULL = has none.
     */
    bool (*command)(Views *views, Session *session, const char *name, const char *arguments,
                    Error *err);
    const ViewCommand *commands; /* what `command` knows; NULL = nothing to show */
} ViewDef;

/** The row of a view; never NULL. */
const ViewDef *view_def(ViewId id);

/** Borrowed for life. */
typedef struct ViewsDesc {
    const char *model_cache; /* folder with fetched models; NULL = none */
    const KeyMap *keys;      /* for the list of keys; NULL = none */
} ViewsDesc;

/** The kept state of a view that asked for one. */
void *view_state(Views *views, ViewId id);

/** Registers itself as the session's view_command. */
AS_MUST_CHECK Views *views_create(Session *session, const ViewsDesc *desc, Error *err);
/** NULL is fine. */
void views_destroy(Views **views);

/** Draws one whole frame between ui_begin and ui_end. */
void views_frame(Views *views, Ui *ui, Session *session);
/** Is a picture of what is wanted complete, or are tiles still computed? For pictures. */
bool views_settled(const Views *views);
