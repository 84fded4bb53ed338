#pragma once
/*
 * What a model is made of, for drawing it: each half of an encoder-decoder (or the only one) with
 * its blocks, their shapes and how many numbers they hold. Any thread; the model is only read.
 */
#include "model/model.h"

/** A block of the diagram, from the text upwards; of a layer those from ATTENTION_NORM on. */
#define MODEL_BLOCKS(X)                                                                            \
    X(TOKENS, "token embedding")                                                                   \
    X(PATCHES, "patch embedding")                                                                  \
    X(POSITIONS, "positions")                                                                      \
    X(TYPES, "segments")                                                                           \
    X(EMBEDDING_NORM, "norm")                                                                      \
    X(FINAL_NORM, "final norm")                                                                    \
    X(HEAD, "prediction head")                                                                     \
    X(ATTENTION_NORM, "norm")                                                                      \
    X(Q, "queries")                                                                                \
    X(K, "keys")                                                                                   \
    X(V, "values")                                                                                 \
    X(O, "output projection")                                                                      \
    X(ATTENTION_ADD_NORM, "norm")                                                                  \
    X(CROSS_NORM, "norm")                                                                          \
    X(CROSS_Q, "queries")                                                                          \
    X(CROSS_K, "keys")                                                                             \
    X(CROSS_V, "values")                                                                           \
    X(CROSS_O, "output projection")                                                                \
    X(CROSS_ADD_NORM, "norm")                                                                      \
    X(MLP_NORM, "norm")                                                                            \
    X(GATE, "gate")                                                                                \
    X(UP, "up")                                                                                    \
    X(DOWN, "down")                                                                                \
    X(MLP_ADD_NORM, "norm")

typedef enum ModelBlockKind {
#define MODEL_BLOCK_ENUM(id, title) MODEL_BLOCK_##id,
    MODEL_BLOCKS(MODEL_BLOCK_ENUM)
#undef MODEL_BLOCK_ENUM
        MODEL_BLOCK_COUNT,
    MODEL_BLOCK_FIRST_OF_LAYER = MODEL_BLOCK_ATTENTION_NORM
} ModelBlockKind;

/** Static. */
const char *model_block_title(ModelBlockKind kind);

/** One block; of a layer, as the first layer that has it has it. */
typedef struct ModelBlock {
    bool present;
    int64_t rows, columns; /* of its matrix [out, in]; of a norm 1 and its width */
    bool has_bias;
    bool shared;       /* the same numbers as another block: not counted again (tied head) */
    uint64_t n_params; /* of one layer, or of the block */
} ModelBlock;

typedef enum ModelPlaces { /* how the part knows where a token stands */
                           MODEL_PLACES_NONE,
                           MODEL_PLACES_LEARNED,
                           MODEL_PLACES_SINES,
                           MODEL_PLACES_ROTARY,
                           MODEL_PLACES_DISTANCE
} ModelPlaces;

/** Half of an encoder-decoder, or the whole of another model. */
typedef struct ModelHalf {
    bool encoder; /* reads in both directions */
    bool crosses; /* its layers read the encoder too */
    int32_t n_layers, n_heads, n_kv_heads, head_width, width, mlp_width, vocabulary;
    ModelPlaces places;
    bool rms_norm;     /* else layer norm */
    bool norms_before; /* a norm before attention; else after the addition */
    bool norms_around; /* and another one after it (Gemma) */
    bool parallel;     /* attention and MLP read the same input */
    bool head_norms;   /* q and k of each head are normalised */
    bool gated;
    const char *activation; /* "gelu"; static */
    int32_t window;         /* keys that layers with a window see; 0 = all layers see all */
    float score_cap;        /* 0 = none */
    ModelBlock blocks[MODEL_BLOCK_COUNT];
    uint64_t layer_params; /* of one layer (the first) */
    uint64_t n_params;     /* of all, shared ones once */
} ModelHalf;

/** Halves of the model: 1, or 2 with the encoder first. False for models without weights. */
AS_MUST_CHECK bool model_describe(const Model *model, ModelHalf halves[2], int *n);
/** Does a layer of a half see all keys? */
bool model_layer_sees_all(const Model *model, bool encoder, int32_t layer);
