#pragma once
/*
 * What a model is made of, for drawing it: each half of an encoder-decoder (or the only one) with
 * its blocks, their shapes and how many numbers they hold. Any thread; the model is only read.
 */
#include "model/model.h"

/** A block of the diagram, from the text upwards; of a layer those from ATTENTION_NORM on. */
#define MODEL_BLOCKS(X)                                                                            \
    X(TOKENS)                                                                                      \
    X(PATCHES)                                                                                     \
    X(POSITIONS)                                                                                   \
    X(TYPES)                                                                                       \
    X(EMBEDDING_NORM)                                                                              \
    X(FINAL_NORM)                                                                                  \
    X(HEAD)                                                                                        \
    X(ATTENTION_NORM)                                                                              \
    X(Q)                                                                                           \
    X(K)                                                                                           \
    X(V)                                                                                           \
    X(O)                                                                                           \
    X(ATTENTION_ADD_NORM)                                                                          \
    X(CROSS_NORM)                                                                                  \
    X(CROSS_Q)                                                                                     \
    X(CROSS_K)                                                                                     \
    X(CROSS_V)                                                                                     \
    X(CROSS_O)                                                                                     \
    X(CROSS_ADD_NORM)                                                                              \
    X(MLP_NORM)                                                                                    \
    X(GATE)                                                                                        \
    X(UP)                                                                                          \
    X(DOWN)                                                                                        \
    X(MLP_ADD_NORM)

typedef enum ModelBlockKind {
#define MODEL_BLOCK_ENUM(id) MODEL_BLOCK_##id,
    MODEL_BLOCKS(MODEL_BLOCK_ENUM)
#undef MODEL_BLOCK_ENUM
        MODEL_BLOCK_COUNT,
    MODEL_BLOCK_FIRST_OF_LAYER = MODEL_BLOCK_ATTENTION_NORM
} ModelBlockKind;

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
