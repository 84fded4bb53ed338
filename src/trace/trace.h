#pragma once
/*
 * The record of one run of a model over one text, and every number that follows from it.
 *
 * A trace holds, per layer and head, Q, K, V and for every query row the maximum m_i and log-sum
 * l_i of its scores, so any weight can be had at any time, exactly, at a cost linear in N:
 *
 *   s_ij = cap(scale * q_i . k_j) + bias_ij          (-inf where the mask hides j from i)
 *   w_ij = exp((s_ij - m_i) - l_i)                   lse_i = m_i + l_i
 *
 * and, filled in the same pass, a summary of the whole head in at most 256 x 256 texels, row
 * statistics and column sums. No N x M matrix is ever held.
 *
 * Axes: L layers, H query heads, G key/value heads, N queries, M keys (= N but for cross
 * attention), D head width, C model width, V vocabulary. Everything counts from 0.
 *
 * A trace is one rectangle of attention: the queries of one text, the keys of the same or, cross
 * attention, of another. A run of an encoder-decoder fills a TraceSet of up to three.
 *
 * Threads. trace_fill runs on one worker thread. While it runs, any thread may read the tokens,
 * the info and every layer below trace_layers_done(); all reading functions are "any thread" and
 * take no locks, as a layer never changes once it is done. Reading a layer that is not done yet, or
 * an index out of range, is ERR_RANGE, never a crash.
 * Lifetime. Counted: trace_retain for each thread that keeps one, trace_close drops.
 */
#include "base/arena.h"
#include "base/jobs.h"
#include "base/log.h"

typedef struct Model Model; /* model/model.h; only trace_create, trace_fill and logits need it */
typedef struct Trace Trace;

typedef enum TraceStore { /* what is held, each more than the last but for the default */
                          TRACE_STORE_ALL = 0, /* Q, K, V and the hidden states */
                          TRACE_STORE_QKV,     /* Q, K, V */
                          TRACE_STORE_QK,      /* Q, K: weights and scores, but no outputs */
} TraceStore;

typedef enum TraceDtype { TRACE_F32 = 0, TRACE_F16 } TraceDtype;

typedef enum TraceMask {
    TRACE_MASK_AUTO = 0, /* as the architecture has it */
    TRACE_MASK_CAUSAL,
    TRACE_MASK_NONE, /* every token sees every token; also switches sliding windows off */
} TraceMask;

/* Which attention of a model a trace holds. id, name */
#define TRACE_STACKS(X)                                                                            \
    X(SELF, "self")       /* of a model with one stack of layers */                                \
    X(ENCODER, "encoder") /* source tokens at source tokens */                                     \
    X(DECODER, "decoder") /* target tokens at target tokens */                                     \
    X(CROSS, "cross")     /* target tokens (queries) at source tokens (keys) */

typedef enum TraceStack {
#define TRACE_STACK_ENUM(id, name) TRACE_STACK_##id,
    TRACE_STACKS(TRACE_STACK_ENUM)
#undef TRACE_STACK_ENUM
        TRACE_STACK_COUNT
} TraceStack;

/** "self", "encoder", …; static; "?" for bad ones. */
const char *trace_stack_name(TraceStack stack);
/** By that name, or false. */
AS_MUST_CHECK bool trace_stack_find(const char *name, TraceStack *stack);

typedef struct TraceHead {
    int32_t layer, head;
} TraceHead;

/** One token of the run. Strings belong to the trace (or to the caller, in a TraceDesc). */
typedef struct TraceToken {
    int32_t id;
    const char *text;   /* what the tokenizer prints for it, valid UTF-8, NUL-terminated */
    int64_t start, end; /* byte range in the source text; both -1 where it comes from none */
    bool special;       /* [CLS], <|im_start|>, …: added, not read from the text */
    int32_t segment;    /* 0, or 1 for the second text of a pair */
} TraceToken;

/** How to run and what to hold. Zero is the default of everything. */
typedef struct TraceParams {
    float temperature; /* scores are divided by it; 0 = 1 */
    bool unscaled;     /* q.k is not divided by sqrt(d_k) */
    TraceMask mask;
    const TraceHead *ablate; /* heads whose output is set to zero; copied */
    size_t n_ablate;
    TraceStack ablate_stack; /* which stack they are of; SELF = the only one, or cross attention */
    bool propagate; /* what-if changes reach the following layers; else each layer sees the input
                       of the unchanged run and only its own softmax (or output) changes */
    TraceStore store;
    TraceDtype dtype;
    uint64_t memory_bytes;    /* what may be held in memory; 0 = three quarters of what is free */
    const char *spill_folder; /* where the spill file goes; NULL = $TMPDIR or /var/tmp */
    int32_t threads;          /* 0 = all */
    int32_t summary_size;     /* texels a side, 16..1024; 0 = 256 */
} TraceParams;

/** Tokens and the text they come from. */
typedef struct TraceText {
    const TraceToken *tokens;
    size_t n;
    const char *source; /* valid UTF-8; may be NULL */
    size_t n_source;
} TraceText;

/** The picture whose patches are the tokens of a vision model, as the model got it: resized, before
 *  its numbers were normalised. */
typedef struct TraceImage {
    int32_t width, height;
    const uint8_t *rgb;                /* [height, width, 3], rows from the top */
    int32_t patch_rows, patch_columns; /* patches, not pixels */
    int32_t first_patch;               /* token of patch (0, 0), row by row from there */
} TraceImage;

typedef struct TraceDesc {
    const Model *model;       /* borrowed until trace_fill returned */
    const char *model_name;   /* as the person gave it, "tiny"; copied */
    const TraceToken *tokens; /* copied with their texts; borrowed until trace_fill returned */
    size_t n_tokens;          /* at least 1 */
    const char *source;       /* the text the byte ranges point into, valid UTF-8; may be NULL */
    size_t n_source;          /* bytes */
    size_t second_at;         /* where in it a second text begins; 0 = it is one text */
    TraceText target;         /* of encoder-decoders: what the decoder reads; else empty */
    const TraceImage *image;  /* of vision models; copied; else NULL */
    const float *pixels;      /* [3, height, width] of it, normalised; borrowed as tokens are */
    uint32_t stacks;          /* bits 1 << TraceStack to record; 0 = all that there are */
    TraceParams params;
    /** Called on the filling thread after each layer is readable; may be NULL. */
    void (*on_layer)(void *payload, Trace *trace, int32_t layers_done);
    void *payload;
    const Log *log; /* warnings, borrowed until trace_fill returned; may be NULL */
} TraceDesc;

/** What a run will need, known before it starts. */
typedef struct TraceEstimate {
    uint64_t record_bytes; /* Q, K, V, rows, summaries, hidden states */
    uint64_t work_bytes;   /* the forward pass beside them */
    uint64_t memory_limit; /* what may be held */
    bool spills;           /* the record goes to a file */
    uint64_t disk_free;    /* where it would go */
    char spill_folder[256];
} TraceEstimate;

/** Shape of the whole. Owned by the trace. */
typedef struct TraceInfo {
    const char *model_name;                /* as given */
    const char *architecture;              /* "llama", "bert", … */
    TraceStack stack;                      /* whose attention this is */
    int32_t n_layers, n_heads, n_kv_heads; /* L, H, G */
    int32_t n_queries, n_keys;             /* N, M */
    int32_t head_dim, model_dim, n_vocab;  /* D, C, V */
    bool has_values;                       /* V is held: outputs can be had */
    bool weights_only;                     /* weights were imported: there are no q and k */
    float given_shift;   /* … and their rows were this far from adding up to 1: what is shown is
                            divided by the sum */
    bool has_hidden;     /* hidden states are held */
    TraceParams params;  /* ablate is the trace's own copy */
    uint64_t held_bytes; /* the record's size */
    bool spilled;        /* in a file, not in memory */
    size_t second_at;    /* where in the source a second text begins; 0 = one */
    double seconds;      /* the run took; 0 while it runs */
    double attention_seconds; /* of these in the attention core */
    double attention_flops;   /* multiplications and additions it did */
    float weight_shift; /* dtype f16: a weight w moves by at most w * this (a bound); 0 for f32 */
} TraceInfo;

/** One layer's attention. */
typedef struct TraceLayer {
    float scale;    /* q.k is multiplied by this, temperature included */
    float soft_cap; /* scores become cap * tanh(s / cap); 0 = none */
    bool causal;
    bool has_bias;                      /* scores have an additive term by distance (T5) */
    int32_t window;                     /* a query sees |i - j| < window; 0 = everything */
    int32_t summary_rows, summary_cols; /* texels */
    int32_t row_texel, col_texel; /* queries and keys under one texel (the last may be less) */
} TraceLayer;

/** What is known of one query row of one head. */
typedef struct TraceRow {
    float entropy;    /* nats */
    float distance;   /* sum_j w_ij |i - j|, tokens */
    float max_weight; /* the largest weight … */
    int32_t max_key;  /* … and its key (the first of equals), -1 in a fully masked row */
    float first;      /* w_i0 */
    float self;       /* w_ii */
    float previous;   /* w_i,i-1; 0 for the first */
} TraceRow;

/** The same for all rows of a head: arrays [N], borrowed until trace_close. */
typedef struct TraceRows {
    const float *entropy, *distance, *max_weight;
    const int32_t *max_key;
    const float *first, *self, *previous;
    const float *row_max, *row_log_sum; /* m and l; their sum is the log-sum-exp */
} TraceRows;

/** Everything about one cell, for the inspector. */
typedef struct TraceCell {
    bool visible; /* false: the mask hides this key; weight 0, score -INFINITY */
    float qk;     /* q_i . k_j, no scale */
    float scale;  /* as in TraceLayer */
    float bias;   /* additive term (ALiBi, T5); 0 mostly; -INFINITY where masked */
    float score;  /* s_ij */
    float lse;    /* log-sum-exp of the row, nats */
    float weight; /* w_ij */
    int32_t rank; /* 0 = the largest weight of its row, ties go to the lower key; -1 = masked */
    int32_t visible_keys; /* in this row */
    TraceRow row;
} TraceCell;

/* ---- making one ------------------------------------------------------------------------------ */

/** What the run of `desc` needs and whether it will spill. Reads no weights.
 *  ERR_RANGE for parameters outside what the model has. Any thread. */
AS_MUST_CHECK bool trace_estimate(const TraceDesc *desc, TraceEstimate *estimate, Error *err);

/**
 * Checks the parameters, reserves room for the record (memory, or past the limit a mapped file that
 * vanishes with the trace) and copies the tokens. No layer is done yet.
 * Errors  ERR_RANGE parameters; ERR_MEMORY neither memory nor disk holds it: the message has the
 *         estimate and what to change
 * Owned by the caller: trace_close. Any thread.
 */
AS_MUST_CHECK Trace *trace_create(const TraceDesc *desc, Error *err);

/**
 * Runs the model and fills the record layer by layer. Once per trace. `desc` is the one it was
 * created with. control may be NULL; its units are the model's.
 * Errors  ERR_CANCELLED and what the model reports; the layers done stay readable
 */
AS_MUST_CHECK bool trace_fill(Trace *trace, const TraceDesc *desc, JobControl *control, Error *err);

/** What one run records: a trace for each stack, NULL where there is none. Owned each. */
typedef struct TraceSet {
    Trace *stacks[TRACE_STACK_COUNT];
} TraceSet;

/**
 * The traces of a run, empty, as trace_create makes one. Those of desc->stacks, or SELF of a model
 * with one stack, or ENCODER and, where there is a target, DECODER and CROSS.
 * Errors as trace_create. trace_set_close also after failure.
 */
AS_MUST_CHECK bool trace_set_create(const TraceDesc *desc, TraceSet *set, Error *err);
/** One run of the model that fills all of them; each grows as trace_fill says. */
AS_MUST_CHECK bool trace_set_fill(const TraceSet *set, const TraceDesc *desc, JobControl *control,
                                  Error *err);
/** The one to look at first: cross attention, else self, decoder, encoder; NULL of an empty set. */
Trace *trace_set_first(const TraceSet *set);
/** One owner of each less; leaves the set empty. */
void trace_set_close(TraceSet *set);

/** trace_create and trace_fill in one; NULL on failure. */
AS_MUST_CHECK Trace *trace_run(const TraceDesc *desc, JobControl *control, Error *err);

/** Threads for later reading of regions and outputs; 0 = all. Before other threads read. */
AS_MUST_CHECK bool trace_set_threads(Trace *trace, int32_t threads, Error *err);

/** One more owner. Any thread. */
Trace *trace_retain(Trace *trace);
/** One owner less; the last one frees it. NULL is fine. */
void trace_close(Trace *trace);

/* ---- reading: shape, tokens, statistics (borrowed until trace_close) --------------------------
 */

const TraceInfo *trace_info(const Trace *trace);
/** 0..L; layers below it are readable. */
int32_t trace_layers_done(const Trace *trace);
/** NULL when there is no such layer, or it is not done. */
const TraceLayer *trace_layer(const Trace *trace, int32_t layer);
/** [N] tokens of the queries (rows) */
const TraceToken *trace_tokens(const Trace *trace);
/** [M] tokens of the keys (columns); the same array but for cross attention. *n = M, may be NULL */
const TraceToken *trace_key_tokens(const Trace *trace, int32_t *n);
/** Are queries and keys of two texts (cross attention)? Then a distance or "itself" means nothing.
 */
bool trace_is_cross(const Trace *trace);
/** The text the tokens' byte ranges point into, "" when there was none (--ids). */
const char *trace_source(const Trace *trace, size_t *n_bytes);
/** The same of the keys. */
const char *trace_key_source(const Trace *trace, size_t *n_bytes);
/** The picture whose patches are the tokens, borrowed until trace_close; NULL for texts. */
const TraceImage *trace_image(const Trace *trace);
/** Where in the picture a token stands, pixels [x, x + w) by [y, y + h); false where it is no patch
 *  ([CLS]). */
bool trace_image_patch(const Trace *trace, int32_t token, int32_t *x, int32_t *y, int32_t *w,
                       int32_t *h);
/** The keys that `query` may see: [first, end). Empty when the layer is not done. */
void trace_visible_keys(const Trace *trace, int32_t layer, int32_t query, int32_t *first,
                        int32_t *end);
/** Row statistics of a head; false when the layer is not done or there is no such head. */
bool trace_rows(const Trace *trace, int32_t layer, int32_t head, TraceRows *rows);
/** The stack of ModelInfo that the trace is of (TapPlace.stack), -1 where the model has no such. */
int32_t trace_model_stack(const Trace *trace, const Model *model);
/** Is the head's output set to zero by params.ablate? False where they are of another stack. */
bool trace_is_ablated(const Trace *trace, int32_t layer, int32_t head);
/** [M] column sums: how much attention each key receives from all queries; NULL when there is none.
 */
const float *trace_received(const Trace *trace, int32_t layer, int32_t head);

typedef enum TraceReduce { TRACE_REDUCE_MEAN = 0, TRACE_REDUCE_MAX } TraceReduce;

/** The head's summary, [summary_rows, summary_cols] floats at out. Masked texels are 0; a mean is
 *  over the whole area of a texel, masked part included as 0 (area times mean = mass). */
AS_MUST_CHECK bool trace_summary(const Trace *trace, int32_t layer, int32_t head,
                                 TraceReduce reduce, float *out, Error *err);

/* ---- reading: exact cells -------------------------------------------------------------------- */

typedef enum TraceWhat {
    TRACE_WEIGHTS = 0, /* masked: 0 */
    TRACE_SCORES,      /* after scale, cap and bias; masked: -INFINITY */
} TraceWhat;

/** A rectangle of one head. */
typedef struct TraceRegion {
    int32_t layer, head;
    int32_t row0, row1; /* queries [row0, row1); both 0 = all */
    int32_t col0, col1; /* keys [col0, col1); both 0 = all */
} TraceRegion;

/** Exact values of a region, out[r * ld + c]; ld 0 = its width. Cost O(rows * cols * D). On the
 *  calling thread, a large region (a million cells) on all of the trace's. */
AS_MUST_CHECK bool trace_tile(const Trace *trace, const TraceRegion *region, TraceWhat what,
                              float *out, size_t ld, Error *err);

/** The mean (or maximum) over a set of heads of the weights of a region; region's layer and head
 *  are not used. n_heads at least 1. */
AS_MUST_CHECK bool trace_tile_heads(const Trace *trace, const TraceRegion *region,
                                    const TraceHead *heads, size_t n_heads, TraceReduce reduce,
                                    float *out, size_t ld, Error *err);

/**
 * Exact weights of a region seen from afar: texel (r, c) covers row_texel x col_texel cells of the
 * region. mean and max are [ceil(rows / row_texel), ceil(cols / col_texel)], either may be NULL.
 * A mean is over the texel's whole area inside the region. control may be NULL: cancel and progress
 * (units are rows). Cost O(rows * cols * D) time, O(threads * tile) memory.
 */
AS_MUST_CHECK bool trace_tile_reduce(const Trace *trace, const TraceRegion *region,
                                     int32_t row_texel, int32_t col_texel, float *mean, float *max,
                                     JobControl *control, Error *err);

/** Weights of any queries at any keys (both lists in any order, repeats allowed): out [n_queries,
 *  n_keys], masked cells 0. The same numbers as trace_tile but for rounding in the last digits.
 *  Cost O(n_queries * n_keys * D). */
AS_MUST_CHECK bool trace_gather(const Trace *trace, int32_t layer, int32_t head,
                                const int32_t *queries, int32_t n_queries, const int32_t *keys,
                                int32_t n_keys, float *out, Error *err);

/** What a head's weights are computed from, as it is held: for those who compute tiles themselves
 * by the formula at the top. Borrowed while the trace is. */
typedef struct TraceOperands {
    const void *q, *k; /* [N, D], [M, D] */
    bool halves;       /* of f16, else of floats */
    int32_t kv_head;   /* whose k it is */
    float scale, soft_cap;
    const float *row_max, *row_log_sum; /* [N] */
    const float *bias; /* added to s_ij, after the cap: bias[j - i + bias_zero]; NULL = none */
    size_t n_bias;
    int32_t bias_zero;
} TraceOperands;

/** False where there are none: a layer that is not done, a head that is not there, weights that
 * were imported. */
AS_MUST_CHECK bool trace_operands(const Trace *trace, int32_t layer, int32_t head,
                                  TraceOperands *operands);

/** Row `query` of the weights: out [M], what this query looks at. */
AS_MUST_CHECK bool trace_row_profile(const Trace *trace, int32_t layer, int32_t head, int32_t query,
                                     float *out, Error *err);
/** Column `key` of the weights: out [N], who looks at this key. */
AS_MUST_CHECK bool trace_column_profile(const Trace *trace, int32_t layer, int32_t head,
                                        int32_t key, float *out, Error *err);
/** One cell with everything about it. Cost O(M * D), for the rank. */
AS_MUST_CHECK bool trace_cell(const Trace *trace, int32_t layer, int32_t head, int32_t query,
                              int32_t key, TraceCell *cell, Error *err);

typedef struct TraceTop {
    int32_t key;
    float weight;
} TraceTop;
/** The k strongest visible keys of a row, strongest first, ties to the lower key; *n <= k. */
AS_MUST_CHECK bool trace_top_keys(const Trace *trace, int32_t layer, int32_t head, int32_t query,
                                  size_t k, TraceTop *top, size_t *n, Error *err);

/* ---- reading: vectors (copied out as f32, whatever is held) ------------------------------------
 */

/** Rows [row0, row1) of q or, for the head's group, k and v; after rotary positions, in Hugging
 *  Face dimension order; out [rows, D]. v is ERR_RANGE when not held. */
AS_MUST_CHECK bool trace_q(const Trace *trace, int32_t layer, int32_t head, int32_t row0,
                           int32_t row1, float *out, Error *err);
AS_MUST_CHECK bool trace_k(const Trace *trace, int32_t layer, int32_t head, int32_t row0,
                           int32_t row1, float *out, Error *err);
AS_MUST_CHECK bool trace_v(const Trace *trace, int32_t layer, int32_t head, int32_t row0,
                           int32_t row1, float *out, Error *err);
/** o_i = sum_j w_ij v_j before W_O, computed again from what is held; 0 where ablated. */
AS_MUST_CHECK bool trace_output(const Trace *trace, int32_t layer, int32_t head, int32_t row0,
                                int32_t row1, float *out, Error *err);
/** Log-sum-exp of the rows' scores in nats, out [rows]; -INFINITY in fully masked rows. */
AS_MUST_CHECK bool trace_lse(const Trace *trace, int32_t layer, int32_t head, int32_t row0,
                             int32_t row1, float *out, Error *err);
/** State s in 0..L of the residual stream (0 = embeddings, L = after the final norm), out [rows,
 * C]. ERR_RANGE while the run has not come there. */
AS_MUST_CHECK bool trace_hidden(const Trace *trace, int32_t state, int32_t row0, int32_t row1,
                                float *out, Error *err);
/** Logits of rows [row0, row1) from the last hidden state through the model's head, out [rows, V].
 *  `model` must be the one that ran. ERR_UNSUPPORTED when it has no such head. Not two threads on
 *  one model at once. */
AS_MUST_CHECK bool trace_logits(const Trace *trace, const Model *model, int32_t row0, int32_t row1,
                                float *out, Error *err);

/** The same after `state` layers only (0 = the embeddings), through the last norm and the head: the
 *  logit lens. state L is trace_logits. */
AS_MUST_CHECK bool trace_logits_at(const Trace *trace, const Model *model, int32_t state,
                                   int32_t row0, int32_t row1, float *out, Error *err);

/** What would be predicted after each layer. */
typedef struct TraceLens {
    int32_t id; /* the most probable token … */
    float probability;
    float of_final;        /* probability of the token that is predicted in the end … */
    int32_t rank_of_final; /* … and how many are above it */
} TraceLens;
/** Of one row after 0..L layers, out [L + 1]. As trace_logits. */
AS_MUST_CHECK bool trace_lens(const Trace *trace, const Model *model, int32_t row, TraceLens *out,
                              Error *err);

/* ---- files -------------------------------------------------------------------------------------
 */

/** Writes a finished trace as safetensors (the names are in README.md), whole or not at all. */
AS_MUST_CHECK bool trace_save(const Trace *trace, const char *path, Error *err);
/** Maps a saved trace, or makes one of arrays from elsewhere (.npy, .npz, other safetensors: see
 *  import.c for what they may hold); works without a model. The file may be hostile: every name,
 * shape and offset is checked. ERR_FORMAT says what is wrong. */
AS_MUST_CHECK Trace *trace_open(const char *path, Error *err);
/** The same from memory, borrowed until the trace is closed; `name` is for messages. */
AS_MUST_CHECK Trace *trace_open_memory(const char *name, const void *data, size_t n_bytes,
                                       Error *err);
