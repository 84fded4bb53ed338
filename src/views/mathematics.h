#pragma once
/*
 * The view Mathematics: one weight followed from both vectors to the output. The formula with its
 * matrices to scale, four steps with the selected pair's own numbers put in, and below them the
 * step in front opened: every term of the dot product, every exponential of the row, every value
 * that is mixed. The steps are the timeline's; each says its formula, puts the numbers in, then the
 * result.
 */
#include "views/views.h"

enum {
    MATH_STEPS = 4,
    MATH_WINDOW = 16, /* tokens of the matrices drawn to scale */
    MATH_TOP = 3      /* values named in the last step's card */
};

typedef enum MathStep { MATH_DOT, MATH_SCALE, MATH_SOFTMAX, MATH_MIX } MathStep;

/** A matrix to scale: real numbers as pixels. */
typedef struct MathPicture {
    unsigned char *pixels; /* [h][w][4] */
    int32_t w, h;
    uint64_t version;
} MathPicture;

/** Everything the view says, computed when the selection changes. */
typedef struct MathData {
    /* what it is of */
    uint64_t trace_version;
    int32_t layer, head, query, key;
    bool valid;

    Arena arena;
    int32_t dim;            /* D */
    const float *q, *k;     /* [D] of the pair, as the scores have them */
    const float *terms;     /* [D] q_d k_d */
    const int32_t *largest; /* [D] dimensions by |term|, the largest first */
    const float *scores;    /* [M] the row after scale, cap and bias; -INFINITY where masked */
    const float *weights;   /* [M] */
    const int32_t *keys;    /* [n_visible] visible keys by weight, the largest first */
    int32_t n_visible;
    double row_max, row_sum; /* m and sum_j e^(s_j − m) */
    const float *output;     /* [D] sum_j a_j v_j; NULL where values are not held */

    /* the part of the matrices that is drawn */
    int32_t row0, n_rows, col0, n_cols;
    const float *wq, *wk, *wv, *wo; /* [n, D]; wv and wo NULL where values are not held */
    const float *ws, *wa;           /* [n_rows, n_cols] products (masked: −∞), weights */
} MathData;

typedef struct MathState {
    MathData data;
    Arena pictures; /* pixels below */
    int theme;
    bool pictured;
    MathPicture q, k, s, a, v, o;
    uint64_t versions;
} MathState;

/** One frame. */
typedef struct MathScene {
    ViewContext *c;
    MathState *state;
    const MathData *d;
    const Reading *r;
    MathStep step;
    double time;  /* 0..1 of the step */
    bool resting; /* nothing plays: all steps are seen whole */
} MathScene;

void mathematics_draw(ViewContext *c, Rect stage);
void mathematics_timeline(Views *views, const Session *session, Timeline *timeline);
const char *mathematics_step_name(ViewContext *c, int32_t step);
void mathematics_free(void *state);

/** Makes the data of the selection; false while it cannot be read. */
bool math_data_update(MathState *state, Session *session, const Reading *reading);
/** Rows of the values the strongest keys bring, a_j v_j in out [D]; false where not held. */
bool math_contribution(const MathData *d, const Trace *trace, int32_t key, float *out);

/* Parts. */
void math_draw_shapes(const MathScene *s, Rect box);
void math_draw_cards(const MathScene *s, Rect box, float gap);
void math_draw_terms(const MathScene *s, Rect card);
void math_draw_row(const MathScene *s, Rect card);
void math_draw_values(const MathScene *s, Rect card);

/* Shared. */
/** Title and a quiet note behind it, at the top of a card. Returns where the note ends. */
float math_title(const MathScene *s, Rect card, const char *title, const char *note);
/** A number that fits a cell: "-0.42", "15.0", "381", "3.1e5"; in the frame's arena. */
const char *math_number(const MathScene *s, double value);
/** The same with two digits as long as they mean something: for formulas. */
const char *math_exact(const MathScene *s, double value);
/** A cell with its number, as strong as the value is large against `most`. */
void math_cell(const MathScene *s, Rect box, double value, double most, Color color);
/** All four steps with the numbers put in, as LaTeX lines; in the frame's arena, or NULL. */
const char *math_latex(const MathScene *s);
/** How much of a step has happened, 0..1, from `from` to `to` of its time. */
double math_phase(const MathScene *s, MathStep step, double from, double to);
