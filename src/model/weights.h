#pragma once
/*
 * The tensors of a model by the role they play. Matrices stay where they are (the mapped file) and
 * are expanded to float32 when they are needed; vectors (norms, biases) are small and expanded when
 * the model is opened.
 */
#include "base/log.h"
#include "formats/tensor_file.h"
#include "model/arch.h"
#include "model/synthetic.h"

/** A matrix [rows, columns] = [out, in] inside a tensor. Zero is absent. Data is borrowed. */
typedef struct Weight {
    const TensorView *view;
    int64_t rows, columns;
    int64_t row_length; /* elements from one row of the tensor to the next */
    /* Row i of the matrix is row first + (i / chunk) * stride + i % chunk of the tensor (with
     * in_out: column first + i, and chunk = rows). */
    int64_t first, chunk, stride;
    bool in_out; /* the tensor is [in, out] */
} Weight;

/** What plays one role. */
typedef struct RoleWeights {
    Weight matrix;
    const float *vector; /* [columns], NULL = absent; norms' offset is added already */
    const float *bias;   /* [rows] of a matrix, [columns] of a vector; NULL = none */
} RoleWeights;

typedef struct Weights {
    RoleWeights roles[ROLE_FIRST_OF_LAYER];
    RoleWeights (*layers)[ROLE_COUNT - ROLE_FIRST_OF_LAYER]; /* [L], owned by the arena */
    bool heads_interleaved;
} Weights;

/** One stack of layers with its own embeddings: a model, or half of an encoder-decoder. */
typedef struct ModelPart {
    const Arch *arch;                /* NULL = there is none */
    const SyntheticModel *synthetic; /* queries and keys are made by it; NULL = by projections */
    ArchConfig config;
    Weights weights;
} ModelPart;

static inline const RoleWeights *weights_role(const Weights *weights, int32_t layer, ArchRole role)
{
    return role < ROLE_FIRST_OF_LAYER ? &weights->roles[role]
                                      : &weights->layers[layer][role - ROLE_FIRST_OF_LAYER];
}

/**
 * Finds the tensor of every role of the parts in `file` and checks its shape, type and whether it
 * can be read. Sizes that the config left open (vocabulary, position table of GGUF) are taken from
 * the tensors.
 *
 * parts    [n_parts], those without an arch are left out
 * file     borrowed as long as the weights are used
 * arena    takes vectors and tables
 * log      warned of tensors of layers that play no role
 * Errors   ERR_FORMAT missing tensor or wrong shape (names it, both shapes); ERR_UNSUPPORTED type
 */
AS_MUST_CHECK bool weights_bind(ModelPart *const *parts, int n_parts, const TensorFile *file,
                                Arena *arena, const Log *log, Error *err);

/** How made-up models get their numbers. */
typedef struct WeightsRecipe {
    uint64_t seed;
    bool synthetic;           /* queries and keys are made to a pattern */
    SyntheticPattern pattern; /* where they are */
    bool by_hash; /* value = hash of (seed, role, layer, index); else Xavier from a random stream */
} WeightsRecipe;

/** Makes the weights of `arch` up: matrices uniform in +-sqrt(6 / (in + out)) (Glorot & Bengio
 *  2010), norms 1, biases 0. All F32 in the arena. *n_params counts them. */
AS_MUST_CHECK bool weights_make(Weights *weights, const Arch *arch, const ArchConfig *config,
                                const WeightsRecipe *recipe, Arena *arena, uint64_t *n_params,
                                Error *err);

/** Floats that weight_expand needs of scratch: 0 where the matrix is used in place. */
size_t weight_scratch(const Weight *weight);

/** A matrix ready for gemm_forward. */
typedef struct WeightFloats {
    const float *data;
    ptrdiff_t stride;
    bool in_out;
} WeightFloats;

/** Gives the matrix as floats: in place, or expanded into scratch[weight_scratch]. n_threads 0 =
 *  all. ERR_UNSUPPORTED, ERR_RANGE from the expansion. */
AS_MUST_CHECK bool weight_expand(const Weight *weight, float *scratch, int n_threads,
                                 WeightFloats *out, Error *err);
/** Rows [row, row + n_rows) only; scratch takes n_rows * columns. Not for in_out tensors. */
AS_MUST_CHECK bool weight_expand_rows(const Weight *weight, int64_t row, int64_t n_rows,
                                      float *scratch, int n_threads, WeightFloats *out, Error *err);
/** One row into out[columns]; for embedding tables. Any thread. */
AS_MUST_CHECK bool weight_row(const Weight *weight, int64_t row, float *out, Error *err);
