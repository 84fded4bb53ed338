#pragma once
/*
 * Values of matrices that are never stored, computed by the GPU (compute shaders, OpenGL 4.3) from
 * two operand arrays and four numbers a row, whole or reduced over squares:
 *
 *   s_ij = (scale * q_i) . k_j, then cap tanh(s_ij / cap), then + bias[j - i + zero]
 *   w_ij = exp(s_ij - reference_i) * factor_i  where first_i <= j < end_i, else not there
 *
 * What they mean is the caller's business. Operands stay on the GPU, as they are stored, until the
 * budget needs their place. Main thread only, with the context current. The products are sums of
 * fused steps in the order of the operands' width, as on the CPU.
 */
#include "gfx/gfx.h"

typedef struct Evaluator Evaluator;

typedef struct EvaluatorDesc {
    size_t budget_bytes; /* operands that are kept; 0 = 256 MiB */
} EvaluatorDesc;

/** NULL with ERR_UNSUPPORTED where the context is below OpenGL 4.3 or has too little room. */
AS_MUST_CHECK Evaluator *evaluator_create(const EvaluatorDesc *desc, Error *err);
/** NULL is fine. The context must still be current. */
void evaluator_destroy(Evaluator *evaluator);

/** Equal keys have equal contents. Zero is none. */
typedef struct EvalKey {
    uint64_t owner, part;
} EvalKey;

/** An array on its way to the GPU. `data` may be NULL when evaluator_holds its key. Should others
 *  need its place in that call, the answer is EVAL_MORE: look again, and give it. */
typedef struct EvalArray {
    EvalKey key;
    const void *data; /* borrowed for the call */
    size_t n_bytes;
} EvalArray;

/** What is known of a row. */
typedef struct EvalRow {
    float reference, factor;
    int32_t first, end; /* columns that are there */
} EvalRow;

typedef struct EvalHead {
    EvalArray q;    /* [N, D] float, or half floats */
    EvalArray k;    /* [M, D] */
    EvalArray rows; /* [N] EvalRow */
    EvalArray bias; /* floats by j - i + zero; key 0 = none */
    int32_t zero;
    float scale, cap; /* cap 0 = none */
} EvalHead;

/** A part of a matrix, or of several that are combined pair by pair. */
typedef struct EvalTile {
    uint64_t id; /* of this tile, never 0: a call with the last one's goes on with it */
    const EvalHead *heads;
    int32_t n_heads;
    int32_t dim;     /* D, 1..256 */
    bool halves;     /* of q and k */
    bool mean_heads; /* the mean over the heads; else the largest */
    bool mean;       /* the mean over a value's pairs, what is not there counts as 0; else
                        the largest */
    int32_t row0, row1, col0, col1;
    int32_t side;            /* pairs a side under a value */
    const float *row_scales; /* [n_heads, row1 - row0] factors, 0 = not there; NULL = 1 */
    const uint32_t *hidden;  /* a bit a column from col0 on that is not there; with row_scales */
} EvalTile;

typedef enum EvalStatus {
    EVAL_FAILED = 0, /* and err says why */
    EVAL_MORE,       /* time is up: call again */
    EVAL_DONE,
} EvalStatus;

/**
 * Works on a tile for about so many seconds (at least one step: an upload of 16 MB or a slice of
 * the values), then waits for the GPU.
 *
 * out      [ceil(rows / side), ceil(cols / side)] when it is done; -INFINITY where nothing is there
 * Errors   ERR_RANGE when the operands are more than the budget or a buffer can hold (ask
 *          evaluator_fits first), ERR_GRAPHICS
 */
AS_MUST_CHECK EvalStatus evaluator_run(Evaluator *evaluator, const EvalTile *tile, double seconds,
                                       float *out, Error *err);
/** How far the tile of the last call is, 0..1. */
double evaluator_fraction(const Evaluator *evaluator);
/** Is the array there, whole? */
bool evaluator_holds(const Evaluator *evaluator, EvalKey key);
/** Can operands of so many bytes in all be there at once? */
bool evaluator_fits(const Evaluator *evaluator, size_t n_bytes);
/** Operands that are held now; at most the budget. */
size_t evaluator_held_bytes(const Evaluator *evaluator);
