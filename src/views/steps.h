#pragma once
/*
 * Steps: attention one stage at a time, in three courses. A step is a picture of matrices whose
 * numbers come from those of the step before, as a function of the playback's time.
 */
#include "views/teach.h"

/* id, label of the stepper, topic of assets/explain/steps.txt, seconds */
#define STEP_KINDS(X)                                                                              \
    X(TOKENS, "Tokens", "tokens", 5)                                                               \
    X(EMBED, "Embeddings", "embeddings", 6)                                                        \
    X(PROJECT, "Projections", "projections", 8)                                                    \
    X(DOTS, "QKᵀ", "scores", 9)                                                                    \
    X(SCALE, "Scale", "scale", 7)                                                                  \
    X(SOFTMAX, "Softmax", "softmax", 11)                                                           \
    X(MIX, "× V", "mix", 9)                                                                        \
    X(CONCAT, "Concatenate", "concatenate", 6)                                                     \
    X(OUTPUT, "Output", "output", 7)                                                               \
    X(INPUT, "Input X", "input", 5)                                                                \
    X(SPLIT, "Split heads", "split", 6)                                                            \
    X(MASK, "Causal mask", "mask", 6)                                                              \
    X(ATTEND, "Attention", "attend", 10)                                                           \
    X(FINAL, "Final projection", "final", 7)                                                       \
    X(FLOW_QUERY, "Query generation", "flow-query", 5)                                             \
    X(FLOW_MATCH, "Key matching", "flow-match", 6)                                                 \
    X(FLOW_WEIGHT, "Weight calculation", "flow-weight", 6)                                         \
    X(FLOW_VALUE, "Value aggregation", "flow-value", 7)                                            \
    X(FLOW_OUT, "Output formation", "flow-output", 6)

typedef enum StepKind {
#define STEP_ENUM(id, label, topic, seconds) STEP_##id,
    STEP_KINDS(STEP_ENUM)
#undef STEP_ENUM
        STEP_KIND_COUNT
} StepKind;

const char *step_label(StepKind kind);
const char *step_topic(StepKind kind);
double step_seconds(StepKind kind);
/** The steps of a course; returns how many. */
int steps_course(TeachCourse course, const StepKind **kinds);
const char *steps_course_name(TeachCourse course);

typedef struct StepsLayout {
    Rect stepper, formula, main, strip, words, controls;
    float gap;
    bool tabs;    /* words and controls take turns in one card */
    int32_t room; /* tokens that matrices have room for */
} StepsLayout;

/** has_strip: the row of bars below. */
StepsLayout steps_layout(Rect stage, int32_t n_tokens, bool has_strip);

/** Kept between frames: where the picture of a weight matrix stands. */
typedef struct StepsView {
    ModelProjection which; /* of what the camera looks at */
    uint64_t seen;         /* version of the matrix the camera was made for */
    float x, y, zoom;      /* middle in the matrix 0..1, 1 = whole */
    float grab_x, grab_y;  /* what the pointer took hold of, 0..1 */
} StepsView;

typedef struct StepsScene {
    ViewContext *c;
    Session *session;
    const Lesson *l;
    StepsView *view;
    StepKind kind;
    int step, n_steps;
    double t, length; /* seconds of the step */
    StepsLayout layout;
    int32_t row; /* place of the selected query in the window */
} StepsScene;

void steps_draw(ViewContext *c, Rect stage);
void steps_timeline(Views *views, const Session *session, Timeline *timeline);
const char *steps_step_name(ViewContext *c, int32_t step);

/* steps_matrix.c: a matrix in a card */

typedef enum StepColumns { COLUMNS_KEYS, COLUMNS_DIMS, COLUMNS_HEADS } StepColumns;

/** How its cells arrive: one after another in reading order, each from a place of its own. */
typedef struct Flight {
    double start, end; /* of all cells together; both 0 = they are there */
    Rect (*from)(const void *payload, int32_t i, int32_t j);
    const void *payload;
} Flight;

typedef struct StepMatrix {
    const char *title, *note;
    Role role;
    int32_t n, m;        /* rows and columns that are shown */
    const float *values; /* element (i, j) is values[i * ld + first + j] */
    ptrdiff_t ld;
    int32_t first, all; /* first column shown, all there are */
    int32_t rows_all;   /* for the shape; 0 = n */
    StepColumns columns;
    LessonWindow rows, keys; /* tokens of rows and of COLUMNS_KEYS */
    bool rows_are_keys;
    const float *hidden_where; /* [n, m] scores: -INFINITY = masked; NULL = nothing is */
    bool by_size;              /* colour by |value|, else from the least to the largest */
    bool weights;              /* two places and 0..1 */
    int32_t chosen;            /* ringed row; -1 = none */
    int32_t per_head;          /* columns a head has: cells in head colours; 0 = role's colour */
    bool bare;                 /* no card around it */
    Flight flight;
    float faint; /* alpha of rows not chosen; 0 = 1 */
    /* of step_matrix_place */
    Rect box, cells;
    float pitch_x, pitch_y, label_w, lo, hi;
    int32_t more;
    int32_t skipped; /* rows left out above */
} StepMatrix;

/** Chooses how many columns there is room for (COLUMNS_DIMS) and where cells stand. */
void step_matrix_place(StepsScene *s, StepMatrix *m, Rect box);
void step_matrix_draw(StepsScene *s, const StepMatrix *m);
Rect step_matrix_cell(const StepMatrix *m, int32_t i, int32_t j);
Rect step_matrix_row(const StepMatrix *m, int32_t i);
/* Where cells of a flight start: a Rect as the payload, or the same cell of a StepMatrix. */
Rect steps_from_box(const void *payload, int32_t i, int32_t j);
Rect steps_from_same(const void *payload, int32_t i, int32_t j);
/** Where the animation is: the cell on its way, else the selected query's. */
void steps_current_cell(StepsScene *s, const StepMatrix *m, int32_t *i, int32_t *j);
/** 0..1 of the flight of a cell. */
float step_matrix_arrival(const StepsScene *s, const StepMatrix *m, int32_t i, int32_t j);
/** The cell that is on its way at this time; false = none. */
bool step_matrix_current(const StepsScene *s, const StepMatrix *m, int32_t *i, int32_t *j);

/** Left, middle and right card of the main area: two matrices and, narrower, what is between. */
void steps_three(const StepsScene *s, Rect out[3]);
/** The same for three matrices, all as wide. */
void steps_thirds(const StepsScene *s, Rect out[3]);
/** A card with title and note; returns its inside. */
Rect steps_card(StepsScene *s, Rect box, const char *title, const char *note, Color color);
/* What a step may lack: of a saved record, or of a run that keeps less. */
typedef enum StepsLack { STEPS_LACK_INPUT, STEPS_LACK_VALUES, STEPS_LACK_WEIGHTS } StepsLack;
/** A card that says what is not there, why, and how to have it. */
void steps_missing(StepsScene *s, Rect box, StepsLack what);
/** Ribbon that unfolds a row into a box (to_right) or folds it back. */
void steps_ribbon(Ui *ui, Rect from, Rect to, Color color, float alpha);

/* Lesson matrices ready to be placed. */
StepMatrix matrix_of_input(const StepsScene *s, bool normed);
StepMatrix matrix_of_source(const StepsScene *s); /* cross attention: what keys are made of */
StepMatrix matrix_of_vectors(const StepsScene *s, int part); /* 0 q, 1 k, 2 v */
StepMatrix matrix_of_dots(const StepsScene *s);
StepMatrix matrix_of_scores(const StepsScene *s);
StepMatrix matrix_of_weights(const StepsScene *s);
StepMatrix matrix_of_output(const StepsScene *s);
StepMatrix matrix_of_all_heads(const StepsScene *s);
StepMatrix matrix_of_attended(const StepsScene *s);

/* Scenes, by file. */
void scene_tokens(StepsScene *s);
void scene_embed(StepsScene *s);
void scene_project(StepsScene *s);
void scene_split(StepsScene *s);
void scene_dots(StepsScene *s);
void scene_scale(StepsScene *s);
void scene_mask(StepsScene *s);
void scene_softmax(StepsScene *s);
void scene_mix(StepsScene *s);
void scene_attend(StepsScene *s);
void scene_concat(StepsScene *s);
void scene_output(StepsScene *s);
void scene_flow(StepsScene *s);

/** A weight matrix as a picture to zoom into; numbers from a size on; bias beside it. */
void steps_weights(StepsScene *s, Rect box, ModelProjection which, const char *title, Role role);
/** The same row several times: temperatures, or with and without the scale. */
void steps_strip(StepsScene *s);
bool steps_has_strip(StepKind kind);
/** The selected row's shares [M] with the division by sqrt(d_k), also where the run goes without.
 */
const float *steps_row_scaled(StepsScene *s);
/** The two tabs above words or controls where they take turns; the box that is left. */
Rect steps_tabs(StepsScene *s, Rect box);
void steps_words(StepsScene *s);
void steps_controls(StepsScene *s);

/** Text of a topic at a level ("simple", "student", "engineer", "title", "try", "formula") with
 *  numbers put in; "" when there is none. In the frame's arena. */
const char *steps_explain(StepsScene *s, const char *topic, const char *field);
