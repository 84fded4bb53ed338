#pragma once
/*
 * One layer's attention opened for a few tokens: every number on the way from the residual stream
 * that enters the layer to the one that leaves attention. What Mechanism and Steps draw. All of it
 * is read from the record, or (weight matrices, vectors before rotary positions, W_O) computed from
 * the model's own weights. What takes longer than a part of a frame is made by a job; what was
 * shown before stays until it is there. Main thread only.
 *
 * n rows (queries) and m keys of a window of up to LESSON_MOST tokens; C model width, D head width,
 * H heads. Sums over keys always run over all keys of the text; what a row gives to keys outside
 * the window is told as "elsewhere".
 */
#include "model/projections.h"
#include "session/session.h"

enum { LESSON_MOST = 8 };

typedef struct LessonWindow {
    int32_t first, count;
} LessonWindow;

/** The whole row of the selected query. Arrays [M]. */
typedef struct LessonRow {
    int32_t n_keys, n_visible;
    float *dots;    /* q.k */
    float *scores;  /* as traced; -INFINITY = masked */
    float *weights; /* as traced */
    float *raw;     /* softmax of the scores without the division by sqrt(d_k) */
    float *before;  /* weights of the unchanged run; NULL where nothing is changed */
} LessonRow;

/** The other attention of the same tokens in the same layer, of encoder-decoders: self attention
 *  beside cross attention, cross attention beside self attention. */
typedef struct LessonBeside {
    TraceStack stack; /* whose it is */
    int32_t head;     /* of it: the same number as far as there are so many */
    LessonWindow keys;
    float *weights;   /* [n, keys] as traced; NULL = there is none */
    float *elsewhere; /* [n] what goes to keys outside */
} LessonBeside;

typedef struct Lesson {
    /* what it is of */
    uint64_t trace_version;
    int32_t layer, head, query;
    LessonWindow rows, keys;
    bool valid;
    Error error; /* why it is not valid */

    bool cross;      /* keys are another text */
    bool has_input;  /* x and normed: hidden states are held (of cross attention: and the model) */
    bool has_model;  /* weights can be shown; q_raw, k_raw, attended, after are there */
    bool has_norm;   /* normed differs from x */
    bool has_values; /* v and output are there */
    bool turned;     /* q and k differ from q_raw and k_raw: rotary positions, a norm, or both */
    bool ablated;    /* the head is switched off: its output is zero */
    bool changed;    /* a what-if is on: *_before are there */
    int32_t n, m, width, head_dim, n_heads, n_kv_heads; /* n, m, C, D, H, G */
    float scale;                                        /* q.k is multiplied by this */
    float temperature;                                  /* of it */
    float plain_scale; /* the architecture's own: 1 / sqrt(d_k) mostly */

    float *x, *normed;              /* [n, C] what enters attention; after the norm before it */
    float *source;                  /* [m, C] cross attention: the encoder's states; else NULL */
    float *q_raw, *q;               /* [n, D] */
    float *k_raw, *k, *v;           /* [m, D] */
    float *dots, *scores, *weights; /* [n, m] q.k; after scale, cap, bias and mask; after softmax */
    float *elsewhere;               /* [n] 1 - what the row gives to the window */
    float *row_sum;                 /* [n] log of sum exp(score) over all visible keys: the lse */
    float *weights_before, *elsewhere_before; /* [n, m], [n]; NULL unless changed */
    float *outputs;                           /* [H, n, D] of every head, before W_O */
    float *rest;     /* [n, D] what keys outside the window add to the output of this head */
    float *attended; /* [n, C] after W_O and its bias */
    float *after;    /* [n, C] x + attended, with the architecture's norms */
    LessonBeside beside;
    LessonRow row;
    Arena arena, row_arena; /* hold all of it; the row apart, as it changes with every hover */
} Lesson;

/** One weight matrix of the selected layer. */
typedef struct LessonMatrix {
    uint64_t trace_version; /* 0 = empty */
    int32_t layer;
    ModelProjectionInfo info;
    float *values;    /* [rows, columns] owned */
    float *bias;      /* [rows] owned */
    float most;       /* largest |value| */
    float deviation;  /* root of the mean square */
    uint64_t version; /* unique: DrawCells may keep its texture */
} LessonMatrix;

typedef struct LessonJob LessonJob; /* session/lesson.c */
typedef struct MatrixJob MatrixJob;

typedef struct LessonCache {
    Lesson lesson;
    LessonMatrix matrices[MODEL_PROJECTION_COUNT];
    uint64_t last_version;
    LessonJob *job; /* that makes the one that is wanted; NULL = none */
    MatrixJob *matrix_jobs[MODEL_PROJECTION_COUNT];
    Error matrix_error;     /* why one could not be read … */
    uint64_t matrix_failed; /* … of this trace_version */
    double at_once; /* multiplications that a call may do itself; 0 = as many as a frame has room
                       for */
} LessonCache;

/** The tokens in front: as chosen by "window", else `room` (at most LESSON_MOST) tokens around the
 * selected query (`keys`: key of another text). They hold the selected key too where that fits;
 * what was in front stays while it does so. */
LessonWindow session_window(const Session *session, int32_t room, bool keys);

/** Of the blocks of `room` tokens the one whose queries give most to keys of the same block, as far
 *  as the trace's row statistics tell: self, previous, first and strongest key of each row. *query
 *  reads *key most strongly of its tokens, or is the last where they only read the first. False
 * where one block holds all, or for two texts. O(N). */
bool session_best_pair(const Session *session, int32_t room, int32_t *query, int32_t *key);

/** The numbers of the selected layer, head and query for the window with room for `room` tokens.
 *  Kept until something of it changes. Never NULL; look at `valid`. While session_lesson_pending it
 *  is what was asked for before, of the same run (its fields say of what), or invalid without an
 *  error. */
const Lesson *session_lesson(Session *session, int32_t room);
/** Is a job making the lesson that was asked for last? */
bool session_lesson_pending(const Session *session);

/** A weight matrix of the selected layer; NULL with *err when the model is not there, without an
 *  error while a job reads it (another layer's, until then). */
const LessonMatrix *session_matrix(Session *session, ModelProjection which, Error *err);

/** Whole per cents of n parts and a rest that add up to 100 (largest remainders). rest may be NULL;
 *  all parts 0 give zeros. */
void lesson_percents(const float *parts, int32_t n, float rest_part, int *percents, int *rest);

/** Entropy in bits of weights that sum to 1. */
double lesson_entropy_bits(const float *weights, int32_t n);
/** 1 - sum of squares: the trace of the softmax's Jacobian, how much of a nudge of the scores comes
 *  through. 0 = saturated. */
double lesson_gradient(const float *weights, int32_t n);

/** Is any what-if (temperature, mask, scale, ablation) on? */
bool session_is_changed(const Session *session);

void lesson_free(LessonCache **cache);
