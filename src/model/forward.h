#pragma once
/*
 * What the files of the forward pass share: its state, and the steps that more than one uses.
 */
#include "model/model_internal.h"

/* ---- before a pass */

/** Everything model_forward refuses before it starts. */
AS_MUST_CHECK bool forward_check(const Model *model, const ModelInput *input,
                                 const ForwardOptions *options, const TapTable *taps, Error *err);

/* Rows worked on at once. Independent of the number of threads, as results must be. */
enum { PASS_BLOCK_ROWS = 1024 };
/* Of JobControl; attention takes what is left between. */
enum { UNITS_PER_LAYER = 1000, UNITS_BEFORE_ATTENTION = 150, UNITS_AFTER_ATTENTION = 400 };

/** Keys and values of the rows that went before, so that new rows can follow them. */
typedef struct PassCache {
    int32_t n;                /* rows held */
    int32_t n_placed;         /* those of them that count for positions */
    int32_t capacity;         /* rows there is room for */
    bool has_source;          /* cross attention's are there */
    float *k, *v;             /* [L, G, capacity, D] */
    float *cross_k, *cross_v; /* [L, G, n_source, D]; NULL without cross attention */
} PassCache;

/** One run through one part of a model. Buffers are the pass's own unless they are said to be a
 *  tap's. */
typedef struct Pass {
    const Model *model;
    const ModelPart *part;
    const ArchConfig *config; /* of the part */
    const ForwardOptions *options;
    const TapTable *taps;
    const AttnCtx *ctx;
    int n_threads;
    const int32_t *ids, *type_ids; /* [n] */
    const float *pixels;           /* in place of ids */
    int32_t n;                     /* N */
    const float *source; /* [n_source, C] states of the encoder; NULL = no cross attention */
    int32_t n_source;
    PassCache *cache;      /* rows before these ones; NULL = none, and none are kept */
    int32_t stack;         /* in ModelInfo; cross attention is the next one */
    int32_t layers_before; /* of other parts, for progress */
    int32_t layers_in_all;
    bool is_local;      /* what taps see is not what the network goes on with */
    bool scores_differ; /* ... and needs an attention pass of its own */
    bool ends_at_heads; /* nobody wants what follows them in the last layer */

    float *scratch;               /* owned, Layout */
    float *x;                     /* [N, C] residual stream */
    float *o, *o_local;           /* [N, H * D] */
    float *row_max, *row_log_sum; /* [H, N] */
    float *hidden, *mixed;        /* [block, C] */
    float *wide;                  /* [block, max(H * D, 2 F)] */
    float *bias;                  /* [H, 2 N - 1] by distance, N with rows before; NULL = none */
    float *expanded;              /* float weights of one stage */
    float *q_own, *k_own, *v_own; /* owned; NULL while the tap places them */
    float *q, *k, *v;             /* of this layer */
    Arena tables;
    RotaryTable rotary, rotary_local;
} Pass;

/** Rows that went before those of the pass. */
static inline int32_t pass_first(const Pass *pass)
{
    return pass->cache ? pass->cache->n : 0;
}

/** Lays out the scratch and the rotary tables. pass_release also after failure. ERR_MEMORY. */
AS_MUST_CHECK bool pass_prepare(Pass *pass, Error *err);
void pass_release(Pass *pass);

/* ---- small things */

static inline const RoleWeights *pass_role(const Pass *p, int32_t layer, ArchRole role)
{
    return weights_role(&p->part->weights, layer, role);
}

static inline int32_t heads_width(const ArchConfig *c)
{
    return (int32_t)(c->n_heads * c->head_width);
}

/** Do layers with a window turn by frequencies of their own? */
static inline bool uses_local_rotary(const ArchConfig *c)
{
    return c->rotary_local_theta > 0 && c->window > 0;
}

/** Progress within a layer, 0 .. UNITS_PER_LAYER. */
void pass_tell(const Pass *pass, int32_t layer, int units);
/** The same; ERR_CANCELLED when asked to stop. */
AS_MUST_CHECK bool pass_go_on(const Pass *pass, int32_t layer, int units, Error *err);
/** Tells the tap, where it listens to this site. */
AS_MUST_CHECK bool pass_fire(const Pass *pass, const TapEvent *event, Error *err);

/* ---- steps */

/** y = norm of packed rows with the weights of a role; x may be y. False, and y untouched, when
 *  the model has none. */
bool part_norm(const ModelPart *part, int32_t layer, ArchRole role, const float *x, float *y,
               int64_t rows, int32_t width, int n_threads);
/** The same with the threads of the pass. */
bool pass_norm(const Pass *pass, int32_t layer, ArchRole role, const float *x, float *y,
               int64_t rows, int32_t width);

/** Matrices of a stage as floats: in place, or one behind the other in pass->expanded. */
typedef struct Stage {
    WeightFloats floats[4];
} Stage;

/** Expands the matrices of n <= 4 roles; absent ones are left out. */
AS_MUST_CHECK bool pass_expand(const Pass *pass, int32_t layer, const ArchRole *roles, int n,
                               Stage *stage, Error *err);
/** y [rows, out] = x [rows, in] . W^T + bias, packed. */
AS_MUST_CHECK bool pass_linear(const Pass *pass, int32_t layer, ArchRole role,
                               const WeightFloats *floats, const float *x, float *y, int32_t rows,
                               Error *err);

/** One attention of a layer: of the text to itself, or to what the encoder made of another. */
typedef struct Site {
    TapPlace place;
    int32_t n_keys;
    bool cross;
} Site;

/** pass->q, k, v of a layer from the residual stream (k, v of cross attention: from the encoder's
 *  states); fires QUERY, KEY, VALUE. */
AS_MUST_CHECK bool pass_project(Pass *pass, const Site *site, Error *err);
/** pass->o, what the network goes on with; fires HEAD_OUTPUT with what taps shall see. */
AS_MUST_CHECK bool pass_attend(const Pass *pass, const Site *site, Error *err);

/** pass->x from the ids or the picture; fires EMBEDDING. */
AS_MUST_CHECK bool pass_embed(Pass *pass, Error *err);
/** Terms of T5's scores by distance into bias [H, 2 n - 1]: of key j and query i at n - 1 + j - i.
 */
AS_MUST_CHECK bool distance_bias_fill(const ModelPart *part, int32_t n, float *bias, Error *err);
/** What `input` has for a part: the decoder reads the target, every other part the source. */
ModelInput part_input(const Model *model, const ModelPart *part, const ModelInput *input);
/**
 * Runs one part. source [n_source, C] are the encoder's states, for the decoder; states [n, C], if
 * not NULL, takes the part's last ones, after its final norm.
 */
AS_MUST_CHECK bool part_forward(const Model *model, const ModelPart *part, const ModelInput *input,
                                const ForwardOptions *options, const TapTable *taps,
                                const AttnCtx *ctx, const float *source, float *states, Error *err);

/**
 * Runs n more rows of the main part behind those of the cache, which takes them in. source as for
 * part_forward. Taps hear of embeddings, final states and logits alone. The caller sees to the
 * capacity.
 */
AS_MUST_CHECK bool part_extend(const Model *model, const int32_t *ids, int32_t n,
                               const float *source, int32_t n_source, const ForwardOptions *options,
                               const TapTable *taps, const AttnCtx *ctx, PassCache *cache,
                               Error *err);

/* ---- logits */

enum { LOGITS_BLOCK_ROWS = 128 };

/** Logits [n_rows, V] from rows [n_rows, C] that went through the final norm. */
AS_MUST_CHECK bool logits_from_final(const Model *model, const float *final, int32_t n_rows,
                                     float *out, int n_threads, Error *err);
/** Floats that giving the logits of n_rows to a tap needs. */
uint64_t logits_floats(const Model *model, int32_t n_rows);
