#pragma once
/*
 * The one state of the program: model, text, trace, selection, run parameters, playback, options,
 * jobs and journal. Views read it; they change it only by posting commands, which session_update
 * runs between frames and writes down. So undo, replay, scenes and tests are one mechanism.
 *
 * Long work is a job: session_request only says what is wanted; what comes of it is published here,
 * on the main thread, when it is there. Main thread only, but for what a job's payload holds.
 */
#include "analysis/patterns.h"
#include "base/jobs.h"
#include "base/str.h"
#include "session/flow_options.h"
#include "session/head_set.h"
#include "session/heads_options.h"
#include "session/playback.h"
#include "session/reading.h"
#include "session/recent.h"
#include "session/stack.h"
#include "session/story.h"
#include "session/text_tokens.h"
#include "session/tiles.h"
#include "trace/trace.h"

/* id, name, key, title */
#define SESSION_VIEWS(X)                                                                           \
    X(OVERVIEW, "overview", "1", "Overview")                                                       \
    X(MECHANISM, "mechanism", "2", "Mechanism")                                                    \
    X(STEPS, "steps", "3", "Steps")                                                                \
    X(MATRIX, "matrix", "4", "Matrix")                                                             \
    X(HEADS, "heads", "5", "Heads")                                                                \
    X(FLOW, "flow", "6", "Flow")                                                                   \
    X(STACK, "stack", "7", "Stack")                                                                \
    X(ANALYSIS, "analysis", "8", "Analysis")                                                       \
    X(MATHEMATICS, "mathematics", "9", "Mathematics")                                              \
    X(ARCHITECTURE, "architecture", "0", "Architecture")                                           \
    X(BENCH, "bench", "B", "Bench")

typedef enum ViewId {
#define SESSION_VIEW_ENUM(id, name, key, title) VIEW_##id,
    SESSION_VIEWS(SESSION_VIEW_ENUM)
#undef SESSION_VIEW_ENUM
        VIEW_COUNT
} ViewId;

/** Static; "?" for bad ids. */
const char *view_name(ViewId id);
const char *view_title(ViewId id);
const char *view_key(ViewId id);
AS_MUST_CHECK bool view_find(const char *name, ViewId *id);

enum { BOOKMARKS_MAX = 32, FIND_MAX = 64 };

/** Tokens [first, end). */
typedef struct Span {
    int32_t first, end;
} Span;

/** A cell to come back to. */
typedef struct Bookmark {
    int32_t layer, head, query, key;
} Bookmark;

/** What is looked at. Every view shows it and every gesture writes it (by command). */
typedef struct Selection {
    int32_t layer, head;                /* from 0 */
    int32_t query, key;                 /* tokens, from 0; valid once there is a trace */
    bool pinned;                        /* hovering does not move it */
    int32_t step;                       /* of views that have steps, from 0 */
    int32_t window_first, window_count; /* tokens of teaching views; count 0 = around the query */
    int32_t dim;                        /* first dimension of vectors that is shown */

    Combine combine;             /* what heatmaps show: the head, or the set in one of these ways */
    HeadSet set;                 /* heads chosen together, in any view */
    Span brush_query, brush_key; /* empty = all */
    Bookmark marks[BOOKMARKS_MAX];
    int32_t n_marks;
    char find[FIND_MAX]; /* text searched for; "" = none */
} Selection;

typedef enum ExplainLevel { LEVEL_SIMPLE, LEVEL_STUDENT, LEVEL_ENGINEER, LEVEL_COUNT } ExplainLevel;
/* The step-by-step courses. */
typedef enum TeachCourse { COURSE_NINE, COURSE_SIX, COURSE_FLOW, COURSE_COUNT } TeachCourse;
typedef enum MapScale { MAP_LINEAR, MAP_SQRT, MAP_LOG, MAP_SCALE_COUNT } MapScale;

/* What may lie over the view in front. */
typedef enum Panel {
    PANEL_NONE,
    PANEL_HELP,
    PANEL_SETTINGS,
    PANEL_PALETTE,
    PANEL_STORIES,
    PANEL_OPEN
} Panel;

/* Folds of the inspector, open unless closed. */
typedef enum Fold {
    FOLD_MADE,
    FOLD_ROW,
    FOLD_WORDS,
    FOLD_PATTERNS,
    FOLD_COLUMN,
    FOLD_COUNTS,
    FOLD_LAYERS,
    FOLD_LEGEND,
    FOLD_LIMITS,
    FOLD_SET,
    FOLD_COUNT
} Fold;

/** How things are shown. Zero is the default of everything but scale. */
typedef struct SessionOptions {
    int theme; /* ThemeId of ui/theme.h: 0 night, 1 paper, 2 contrast */
    float scale;
    ExplainLevel level;
    MapScale map_scale;
    bool lens;          /* Overview: predictions layer by layer, not only the last one's */
    bool terms_largest; /* Mathematics: the dot product's terms by size, not as they stand */
    int32_t terms_from; /* the first of them whose numbers are shown */
    TeachCourse course;
    bool curve_weights;   /* weights are written on curves */
    bool try_open;        /* Steps in a low window: controls in place of words */
    bool rows_normalised; /* colours: each row's largest weight counts as 1 */
    float map_lo, map_hi; /* weights that the colours begin and end at; both 0 = the whole range */
    bool reduce_mean;     /* a pixel of many weights shows their mean, else their maximum */
    bool hide_first, hide_special; /* keys left out, the rest of each row divided to sum to 1 */
    bool pair_only;                /* of two texts only what the first reads in the second */
    bool diagonal;                 /* mark and name the cells of a token with itself */
    bool outline_hidden;           /* found patterns are not outlined */
    bool folds_closed[FOLD_COUNT];
    FlowOptions flow;
    HeadsOptions heads;
    bool matrix_menu;       /* the choice of what the cells show is open */
    bool matrix_reading;    /* the text around query and key, not the cells */
    bool inspector_toggled; /* open where it is closed by itself (narrow windows), else closed */
} SessionOptions;

/** A model in use: counted, as a run on the worker may outlive the next choice. */
typedef struct SharedModel SharedModel;

/** What is to be run. Borrowed by session_request, copied whole. */
typedef struct SessionRequest {
    const char *model;      /* spec; NULL = "tiny" */
    const char *trace_path; /* open this record in place of running a model */
    const char *file_path;  /* read the text from this file in the job; text.text is not used */
    const char *text_name;  /* "apache-2.0.txt"; NULL = typed by the person */
    const char *image_path; /* vision models: the picture in place of a text */
    TextRequest text;
    TextRequest target; /* encoder-decoders: what the decoder reads; without text and ids the model
                           writes it itself, word by word the likeliest */
    bool stack_given;
    TraceStack stack; /* the one to select first; cross attention where it is not given */
    TraceParams params;
    bool edited; /* a token of the text in front was changed: that run is kept beside the new one */
} SessionRequest;

typedef struct SessionRun SessionRun; /* one run on its way (session/run.c) */
typedef struct Journal Journal;       /* session/journal.c */
typedef struct CommandQueue CommandQueue;
typedef struct Survey Survey;           /* session/survey.c */
typedef struct ShownState ShownState;   /* session/shown.c */
typedef struct FlowState FlowState;     /* session/flow.c */
typedef struct LessonCache LessonCache; /* session/lesson.c */

typedef struct SessionDesc {
    const Log *log;                   /* warnings; borrowed for life; NULL = silent */
    void (*wake)(void *wake_payload); /* any thread: something was published */
    void *wake_payload;
    const atomic_bool *stop; /* session_settle gives up once it is true; borrowed; NULL = never */
} SessionDesc;

typedef struct Session {
    SessionDesc desc;
    Jobs *jobs;

    /* what is published; the trace is NULL until the first layer of the first run is there */
    SharedModel *model;      /* NULL for a saved trace */
    TraceSet stacks;         /* retained each: all that the run gave; one of most models */
    Trace *trace;            /* the selected one of stacks, not retained again */
    uint64_t trace_version;  /* changes with every new trace and with the selected stack */
    int32_t *first_same;     /* [N] the first query token with the same id; owned; may be NULL */
    int32_t *first_same_key; /* [M] of the key tokens the first with the same id, N + it in cross
                                attention where no query token has it; owned; may be NULL */
    int32_t layers_done;     /* of the published trace, as of the last update */
    char *text_name;         /* owned; NULL = typed */

    /* what was asked for last; the published one again when that failed or was cancelled */
    Arena request_arena;
    SessionRequest request;
    Arena published_arena;
    SessionRequest published;

    SessionRun *run; /* NULL when none is on its way */
    uint64_t run_job;

    Error error;    /* the last run's failure, until dismissed */
    char note[512]; /* the last warning or remark, one line; "" = none */

    ViewId view;
    Panel panel;
    char palette_text[256];  /* that the palette opens with */
    uint64_t open_opened;    /* counts: the open panel begins anew */
    bool open_waits;         /* what the open panel asked for is on its way; it closes with it */
    Error open_error;        /* why that could not be opened: the panel stays and says so */
    uint64_t open_failed;    /* counts these */
    bool wants_paste;        /* … with the text of the clipboard */
    uint64_t palette_opened; /* counts: a new one begins with that text */
    Selection selection;
    bool query_wanted, key_wanted; /* were given: kept for the first trace */
    bool head_wanted;              /* layer or head were given: the first trace opens on them */
    Playback playback;
    SessionOptions options;
    StackChoice stack3d; /* of the Stack view */

    TileCache tiles;
    ShownState *shown;      /* rows and columns of sets of heads; session/shown.h */
    LessonCache *lessons;   /* session/lesson.h */
    Trace *baseline;        /* the run before a what-if that changes it; retained; may be NULL */
    char *real_model;       /* the model before made-up ones took its place; owned; may be NULL */
    Survey *survey;         /* of the whole text; session_survey */
    FlowState *flow;        /* curves, paths, graph; session/flow.h */
    StackData *stack_data;  /* session_stack_patterns, session_stack_rows */
    Reading reading;        /* of the selection; session_reading */
    PatternScores patterns; /* of the head `patterns_of`; session_patterns */
    struct {
        uint64_t trace_version;
        int32_t layer, head;
    } patterns_of;
    StoryPlace story; /* guided course, if one is open */
    CommandQueue *queue;
    Journal *journal;

    Recent recent; /* models and texts, the newest first */

    /* asked for by commands, done and cleared by the window */
    bool wants_quit, wants_text_focus;
    uint64_t version; /* counts every change of anything shown */

    /** Commands that belong to the view in front ("zoom", "fit"). NULL = none. False: not one of
     *  its own, or *err says why it was not done. */
    bool (*view_command)(void *payload, struct Session *session, const char *name, const char *args,
                         Error *err);
    void *view_payload;
} Session;

AS_MUST_CHECK Session *session_create(const SessionDesc *desc, Error *err);
/** Cancels what runs and frees *session; NULL is fine. */
void session_destroy(Session **session);

/** Asks for a run; one that is on its way is cancelled. False only on ERR_MEMORY. */
AS_MUST_CHECK bool session_request(Session *session, const SessionRequest *request, Error *err);

/** Queues a command line, such as "layer 17" (see session/commands.c); printf-style. */
void session_post(Session *session, const char *fmt, ...) AS_PRINTF(2, 3);

/** Runs the queue, publishes what jobs have finished, moves playback. Once between two frames.
 *  True when something that is shown may have changed. */
bool session_update(Session *session, double now_s);
/** Waits until every job is done and published, running the queue; playback stands still. For
 * pictures and tests. After desc.stop jobs are cancelled and what was asked for is not there. */
void session_settle(Session *session);

/** Seconds until playback wants an update; negative = no wish. */
double session_next_s(const Session *session, double now_s);

/** NULL when there is no model (a saved trace, or nothing yet). */
const Model *session_model(const Session *session);
/** Everything about the selected weight, its row and its column, computed when it changed. NULL
 *  while the layer is not there (or memory is short). */
const Reading *session_reading(Session *session);
/** What the selected head does. Scores that would take long (see patterns.h) are not known for long
 *  texts. NULL while the layer is not there. */
const PatternScores *session_patterns(Session *session);
/** A tile of the published trace (session/tiles.h). */
const Tile *session_tile(Session *session, const TileKey *key, Error *err);
/** The same of combined heads or with keys left out; key.source must be the source's id. Where rows
 *  are divided by their largest, key is of the selected head and NULL comes until that is known. */
const Tile *session_tile_of(Session *session, const WeightSource *source, const TileKey *key,
                            Error *err);
/** What heatmaps show now: zero unless heads are combined or keys left out. */
void session_weight_source(const Session *session, WeightSource *source);
/** tiles_device_takes for `source`. */
bool session_device_takes(Session *session, const WeightSource *source, const TileKey *key);
/** tiles_want for `source`; tiles are then found with tiles_find(&session->tiles, key). */
AS_MUST_CHECK bool session_want_tiles(Session *session, const WeightSource *source,
                                      const TileKey *keys, size_t n, Error *err);
/** token_label of a query token (row) of the published trace; a piece of a character as its bytes
 *  in hex (of a saved trace, which has no tokenizer, its id). Returns out. */
const char *session_label(const Session *session, int32_t token, char out[TOKEN_LABEL_MAX]);
/** The same of a key token (column): another text in cross attention. */
const char *session_key_label(const Session *session, int32_t key, char out[TOKEN_LABEL_MAX]);
/** The stacks that can be selected by "stack NAME", in the order of TraceStack; returns how many. 1
 *  for most models, 0 while there is no trace. */
int session_stacks(const Session *session, TraceStack list[TRACE_STACK_COUNT]);
/** The text that was given: of encoder-decoders the source, whichever stack is shown. "" when there
 *  was none. *n_bytes may be NULL. Borrowed until the next update. */
const char *session_source(const Session *session, size_t *n_bytes);
/** Selects a stack; false when it is not there (or has no layer yet). Same as the command. */
bool session_select_stack(Session *session, TraceStack stack);
/** Is a run on its way of which nothing is shown yet? What was asked for is in `request`. */
bool session_pending(const Session *session);
/** Is the selected layer readable? */
bool session_layer_ready(const Session *session);
/** "temperature", "mask", … of the published trace; zero params while there is none. */
TraceParams session_params(const Session *session);
