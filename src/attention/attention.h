#pragma once
/*
 * Exact attention on the CPU, streaming: never stores N x M weights, depends on nothing but the C
 * library and OpenMP.
 *
 *   s_ij = scale * q_i . k_j             (soft cap: cap * tanh(s_ij / cap)), then + bias_ij
 *   s_ij = -INFINITY                     where key j is not visible to query i (see AttnMask)
 *   m_i  = max_j s_ij,                   l_i = log sum_j exp(s_ij - m_i),  lse_i = m_i + l_i
 *   a_ij = exp(s_ij - m_i) * exp(-l_i),  o_i = sum_j a_ij v_j
 *
 * m and l are kept apart because their sum in f32 would lose up to 4e-6 of a score near 100, and
 * with it the promise that the rows of a tile sum to 1 within 1e-5 at every length.
 *
 * USE
 *   1. attn_ctx_create: threads and instruction set. One context serves any number of threads.
 *   2. Fill an AttnArgs (zero is the default of every field that is not an operand or a size).
 *   3. attn_forward writes o, m, l and, in the same pass, the summary and the row statistics.
 *   4. attn_tile gives any rectangle of weights or scores later, from q, k, m, l, with the very
 *      bits of the pass: a score depends on its q row, its k row and the arguments alone, not on
 *      the tile, the block or the thread that computed it.
 *
 * Axis letters: H query heads, G key/value heads, N queries, M keys, D width of q and k, E width
 * of v and o. Strides count elements. Natural logarithms, nats.
 *
 * Bits: the same for any thread count; the same for AVX2 and AVX-512 scores; across instruction
 * sets weights differ by rounding only. A weight below 2^-124 of its row's largest is exactly 0.
 * A row without any visible key has m = -INFINITY, l = 0, o = 0 and weights 0. A NaN or +INFINITY
 * among a row's scores makes l and o of that row NaN; other rows stay right.
 *
 * Sources: Milakov & Gimelshein 2018 (arXiv:1805.02867), online softmax; Dao et al. 2022
 * (arXiv:2205.14135) and Rabe & Staats 2021 (arXiv:2112.05682), streaming over tiles of keys.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATTN_MUST_CHECK __attribute__((warn_unused_result))

enum {
    ATTN_MAX_DIM = 256,         /* largest D and E */
    ATTN_MAX_LENGTH = 1 << 24,  /* largest N and M: distances and key indices are exact in f32 */
    ATTN_SUMMARY_DEFAULT = 256, /* texels a side */
    ATTN_SUMMARY_MAX = 1024,
};

/* ---------------------------------------------------------------- status */

/* name, text */
#define ATTN_STATUS_CODES(X)                                                                       \
    X(OK, "done")                                                                                  \
    X(CANCELLED, "cancelled")                                                                      \
    X(MEMORY, "out of memory")                                                                     \
    X(ISA, "no such instruction set here")                                                         \
    X(OPERAND, "an operand is missing")                                                            \
    X(DIM, "head width outside 1..256")                                                            \
    X(LENGTH, "number of queries or keys outside 1..16777216")                                     \
    X(HEADS, "number of heads must be positive and a multiple of the key/value heads")             \
    X(MASK, "mask is not valid: unknown kind, window below 1, or offset or length out of range")   \
    X(SCALE, "scale or soft cap is not finite, or the soft cap is negative")                       \
    X(SUMMARY, "summary size outside 1..1024")                                                     \
    X(RANGE, "tile outside the matrix, empty, or its row stride too short")                        \
    X(THREADS, "number of threads outside 0..1024")                                                \
    X(PRECISION, "no such precision, or not with this instruction set")

typedef enum AttnStatus {
#define ATTN_STATUS_ENUM(name, text) ATTN_##name,
    ATTN_STATUS_CODES(ATTN_STATUS_ENUM)
#undef ATTN_STATUS_ENUM
        ATTN_STATUS_COUNT
} AttnStatus;

/** One line of plain English, static. Any thread. */
const char *attn_status_text(AttnStatus status);

/* ---------------------------------------------------------------- instruction sets, context */

typedef enum AttnIsa {
    ATTN_ISA_AUTO, /* ATTNSCOPE_ISA if set, else the best this CPU and its system offer */
    ATTN_ISA_SCALAR,
    ATTN_ISA_NEON,
    ATTN_ISA_AVX2,   /* with FMA */
    ATTN_ISA_AVX512, /* F and DQ */
    ATTN_ISA_COUNT
} AttnIsa;

/** "scalar", "neon", "avx2", "avx512", "auto"; static. Any thread. */
const char *attn_isa_name(AttnIsa isa);

/** Instruction set of that name into *isa, or false. Any thread. */
ATTN_MUST_CHECK bool attn_isa_parse(const char *name, AttnIsa *isa);

/**
 * Instruction sets that were built in and that this CPU and operating system can run, slowest
 * first; scalar is always there. Returns how many were written (at most ATTN_ISA_COUNT). Any
 * thread.
 */
int attn_isa_available(AttnIsa list[ATTN_ISA_COUNT]);

typedef struct AttnCtxDesc {
    int n_threads; /* 0 = as many as OpenMP would use */
    AttnIsa isa;   /* AUTO = environment ATTNSCOPE_ISA, else the best */
} AttnCtxDesc;

/** What to run on; any number of threads may share one. Keeps up to 64 MB of working memory between
 *  calls. */
typedef struct AttnCtx AttnCtx;

/**
 * Creates a context into *out (owned; attn_ctx_destroy).
 *
 * desc      borrowed for the call; NULL = all defaults
 * message   one line about a failure: what was asked, where it came from (desc or ATTNSCOPE_ISA),
 *           what there is here; may be NULL
 * Errors    ATTN_ISA (unknown or unavailable name), ATTN_THREADS, ATTN_MEMORY
 * Threads   any
 */
ATTN_MUST_CHECK AttnStatus attn_ctx_create(const AttnCtxDesc *desc, AttnCtx **out, char *message,
                                           size_t message_size);
/** Frees *ctx and nulls it; NULL is fine. */
void attn_ctx_destroy(AttnCtx **ctx);
AttnIsa attn_ctx_isa(const AttnCtx *ctx);
const char *attn_ctx_isa_name(const AttnCtx *ctx);
int attn_ctx_threads(const AttnCtx *ctx);

/**
 * What the products of a pass are made of; sums and softmax are f32 or more in all. A factor in
 * bf16 keeps 8 bits. Against float64, operands near normal: o within 0.007 with BF16_PV, o within
 * 0.008 and log-sum-exp within 0.006 with BF16, where weights move accordingly. Tiles, reduced
 * tiles and attention received always compute f32 scores, so only EXACT and BF16_PV agree with
 * them.
 */
typedef enum AttnPrecision {
    ATTN_PRECISION_EXACT,   /* f32 */
    ATTN_PRECISION_BF16,    /* Q K^T and P V in bf16 */
    ATTN_PRECISION_BF16_PV, /* P V in bf16: m, l, summary and statistics are those of EXACT */
    ATTN_PRECISION_COUNT
} AttnPrecision;

/** True if attn_forward takes it here: EXACT always, the others need AVX512_BF16. Any thread. */
bool attn_ctx_has_precision(const AttnCtx *ctx, AttnPrecision precision);

/* ---------------------------------------------------------------- masks */

enum {
    ATTN_MASK_NONE = 0,
    ATTN_MASK_CAUSAL = 1,           /* key j visible only if j <= p_i */
    ATTN_MASK_WINDOW = 2,           /* key j visible only if j > p_i - window; sliding windows of
                                       decoders are CAUSAL | WINDOW and see `window` keys */
    ATTN_MASK_WINDOW_SYMMETRIC = 4, /* key j visible only if |p_i - j| <= window / 2 (encoders) */
};

/**
 * Which keys a query sees. p_i = i + q_offset is the key position that query i stands at: 0 for
 * self-attention over a whole text, A for queries A:B of it, M - N for new tokens after a cache.
 * A key must pass every test: the kinds, j < n_valid_keys, and key_mask[j] != 0.
 */
typedef struct AttnMask {
    uint32_t kind;           /* ATTN_MASK_* bits */
    int32_t window;          /* keys, at least 1 where a window kind is set */
    int32_t q_offset;        /* keys, may be negative, |q_offset| <= ATTN_MAX_LENGTH */
    int32_t n_valid_keys;    /* keys from here on are padding; 0 = all M are valid */
    const uint8_t *key_mask; /* [M], 0 = hidden; NULL = none; borrowed for the call */
} AttnMask;

/**
 * Keys [*begin, *end) that row's query may see by kind and padding (key_mask can still hide some
 * between). Empty is *begin == *end. Any thread.
 */
void attn_mask_row_range(const AttnMask *mask, int32_t n_keys, int32_t row, int32_t *begin,
                         int32_t *end);

/** True if query row sees key col. Any thread. */
bool attn_mask_visible(const AttnMask *mask, int32_t n_keys, int32_t row, int32_t col);

/** Pairs (i, j) of one head that kind and padding leave visible: what a benchmark counts. */
int64_t attn_mask_visible_pairs(const AttnMask *mask, int32_t n_queries, int32_t n_keys);

/**
 * Additive bias (ALiBi, T5 relative positions, a mask of floats). Fills every one of
 * bias[(i - row0) * ld + (j - col0)] for rows row0 .. row0 + n_rows and columns likewise. A value
 * may depend on head, row and column only; -INFINITY hides the key. Called from many threads at
 * once, and for pairs outside the mask too.
 */
typedef void AttnBiasFill(void *payload, int32_t head, int32_t row0, int32_t n_rows, int32_t col0,
                          int32_t n_cols, float *bias, ptrdiff_t ld);

typedef struct AttnBias {
    AttnBiasFill *fill; /* NULL = no bias */
    void *payload;      /* borrowed for the call */
} AttnBias;

/* ---------------------------------------------------------------- operands */

/**
 * Operands of one attention, borrowed for the call. Strides are in elements; 0 means packed
 * [heads, rows, width]. [N, H, D] interleaved is row_stride = H * D, head_stride = D. The last
 * axis is contiguous. Query head h uses key/value head h / (H / G).
 */
typedef struct AttnArgs {
    const float *q; /* [H, N, D] */
    const float *k; /* [G, M, D] */
    const float *v; /* [G, M, E]; may be NULL where no o is asked for, and in tiles */
    ptrdiff_t q_row_stride, q_head_stride;
    ptrdiff_t k_row_stride, k_head_stride;
    ptrdiff_t v_row_stride, v_head_stride;

    int32_t n_queries;  /* N */
    int32_t n_keys;     /* M; 0 = N */
    int32_t n_heads;    /* H */
    int32_t n_kv_heads; /* G; 0 = H */
    int32_t head_dim;   /* D, 1..ATTN_MAX_DIM */
    int32_t v_dim;      /* E, 1..ATTN_MAX_DIM; 0 = D */

    float scale;    /* 0 = 1 / sqrt(D); a temperature T is folded in by the caller (scale / T) */
    float soft_cap; /* 0 = none */
    AttnMask mask;
    AttnBias bias;
    AttnPrecision precision; /* of attn_forward; 0 = exact */
} AttnArgs;

/**
 * Checks sizes and pointers; attn_forward and the tile functions do so themselves.
 * message   may be NULL; else one line: which field, found and expected
 */
ATTN_MUST_CHECK AttnStatus attn_args_check(const AttnArgs *args, char *message,
                                           size_t message_size);

/* ---------------------------------------------------------------- summary */

/**
 * The grid that summarises one head. A texel covers row_width queries by col_width keys (fewer at
 * the far edges); widths are powers of two, so a texel is also a cell of every pyramid over the
 * head, and 1 where the side fits (then a texel is a weight). Where `triangular` is set (causal
 * self-attention with N = M, offset 0) only texels with col <= row are stored, row after row; the
 * others are all masked and read as 0.
 */
typedef struct AttnSummaryShape {
    int32_t n_rows, n_cols;       /* texels */
    int32_t row_width, col_width; /* queries, keys under a texel */
    int32_t n_queries, n_keys;    /* N, M */
    bool triangular;
    int64_t n_texels; /* stored for one head: n_rows * n_cols, or n (n + 1) / 2 */
} AttnSummaryShape;

/** Shape for at most size x size texels; size 0 = ATTN_SUMMARY_DEFAULT. Any thread. */
AttnSummaryShape attn_summary_shape(const AttnArgs *args, int32_t size);

/** Where texel (row, col) stands in a head's array, or -1 if it is not stored (all masked: 0). */
static inline int64_t attn_summary_index(const AttnSummaryShape *shape, int32_t row, int32_t col)
{
    if (shape->triangular) {
        return col > row ? -1 : (int64_t)row * (row + 1) / 2 + col;
    }
    return (int64_t)row * shape->n_cols + col;
}

/** Queries [*begin, *end) under texel row `row`. */
static inline void attn_summary_texel_rows(const AttnSummaryShape *shape, int32_t row,
                                           int32_t *begin, int32_t *end)
{
    int64_t stop = ((int64_t)row + 1) * shape->row_width;
    *begin = row * shape->row_width;
    *end = stop < shape->n_queries ? (int32_t)stop : shape->n_queries;
}

/** Keys [*begin, *end) under texel column `col`. */
static inline void attn_summary_texel_cols(const AttnSummaryShape *shape, int32_t col,
                                           int32_t *begin, int32_t *end)
{
    int64_t stop = ((int64_t)col + 1) * shape->col_width;
    *begin = col * shape->col_width;
    *end = stop < shape->n_keys ? (int32_t)stop : shape->n_keys;
}

/* ---------------------------------------------------------------- forward */

/** Per-row results, each [H, N] and NULL where not wanted. */
typedef struct AttnRowStats {
    float *entropy;      /* -sum_j a_ij log a_ij, nats */
    float *distance;     /* sum_j a_ij |p_i - j|, tokens */
    float *max_weight;   /* largest weight of the row */
    int32_t *max_key;    /* its key, the first one where several are equal; -1 in an empty row */
    float *first_weight; /* a_i0 */
    float *self_weight;  /* a_i,p_i, 0 where p_i is no key */
    float *prev_weight;  /* a_i,p_i-1, 0 where p_i - 1 is no key */
} AttnRowStats;

/** What to write. Every pointer but row_max and row_log_sum may be NULL = not wanted. */
typedef struct AttnOutputs {
    float *o;                              /* must not overlap an input */
    ptrdiff_t o_row_stride, o_head_stride; /* elements, 0 = packed [H, N, E] */
    float *row_max;                        /* [H, N] m, needed */
    float *row_log_sum;                    /* [H, N] l, needed; 0 <= l <= log M */

    int32_t summary_size; /* texels a side, 0 = ATTN_SUMMARY_DEFAULT */
    float *summary_mean;  /* [H, n_texels] of attn_summary_shape: sum of the weights under the
                             texel / number of its pairs, masked pairs counting as 0 */
    float *summary_max;   /* [H, n_texels] the largest weight under the texel */

    AttnRowStats rows;
    float *received; /* [H, M] sum_i a_ij, attention received by each key, to about 1e-6 of itself,
                        the same bits for any number of threads. It takes one more Q K^T for few
                        queries (see attn_forward), with scores in bf16, where K and V of one head
                        fill more than 32 MiB (beyond 32,768 keys at widths of 128, 16,384 at 256),
                        and beyond some 69,000 keys that a row may see */
} AttnOutputs;

/** How a long run tells and is told. All may be left 0. */
typedef struct AttnProgress {
    const atomic_bool *cancel; /* set by any thread: the call returns ATTN_CANCELLED soon */
    /* Called on the calling thread only, now and then and when all is done; any units. */
    void (*report)(void *payload, int64_t done, int64_t total);
    void *payload;
    double *busy_s; /* attn_forward adds the seconds that its threads worked, all together, without
                       what they waited for each other; NULL = not wanted */
} AttnProgress;

/**
 * Attention of all heads; never stores N x M weights.
 *
 * Few queries of many keys (48 rows of a key/value head at most: one new token, a beam) go another
 * way, which reads the cache once for all heads that share it and shares a head's keys among
 * threads; its sums are in another order, and a summary takes one more look at the keys.
 *
 * How it stays exact in one pass: scores of 64 keys are exponentiated against a reference that
 * follows the row's maximum lazily (raised only when a score exceeds it by 8 log 2, so that no
 * exponential overflows); sums, o, entropy and distance are linear in the exponentials and are
 * rescaled when the reference is raised and divided once the row ends. Sums of more than a block
 * of keys are carried in double. Texel maxima are kept as scores; when rows end, the largest weight
 * among a texel's rows is told by score - m - l and exponentiated the same way as a tile does it.
 *
 * args      borrowed; v may be NULL if out->o is NULL
 * out       row_max and row_log_sum at least; on ATTN_CANCELLED and errors what was written is
 *           unspecified
 * progress  may be NULL
 * Errors    those of attn_args_check, ATTN_SUMMARY, ATTN_PRECISION, ATTN_MEMORY, ATTN_CANCELLED
 * Threads   uses the context's threads; any thread may call, also at once; same bits for any
 *           number of threads
 * Cost      4 * pairs * D flops; scratch see attn_scratch_bytes
 * Test      tests/unit/attention/
 */
ATTN_MUST_CHECK AttnStatus attn_forward(const AttnCtx *ctx, const AttnArgs *args,
                                        const AttnOutputs *out, const AttnProgress *progress);

/**
 * Sum over all queries of a_ij for every key, from a finished pass: attention received.
 *
 * row_max, row_log_sum  [H, N] of attn_forward with the same arguments
 * received              [H, M] out
 * Threads, Errors       as attn_forward
 */
ATTN_MUST_CHECK AttnStatus attn_received(const AttnCtx *ctx, const AttnArgs *args,
                                         const float *row_max, const float *row_log_sum,
                                         float *received, const AttnProgress *progress);

/** Upper bound of the working memory of attn_forward for these arguments and outputs, in bytes. */
size_t attn_scratch_bytes(const AttnCtx *ctx, const AttnArgs *args, const AttnOutputs *out);

/* ---------------------------------------------------------------- tiles */

typedef enum AttnTileKind {
    ATTN_TILE_WEIGHTS, /* a_ij; masked pairs exactly 0 */
    ATTN_TILE_SCORES,  /* s_ij after scale, cap and bias; masked pairs -INFINITY */
} AttnTileKind;

/** A rectangle of one head. One row is a profile of a query, one column of a key. */
typedef struct AttnTileDesc {
    AttnTileKind kind;
    int32_t head;
    int32_t row0, row1;                 /* queries [row0, row1) */
    int32_t col0, col1;                 /* keys [col0, col1) */
    const float *row_max, *row_log_sum; /* [H, N] of the pass; not needed for scores */
} AttnTileDesc;

/**
 * Exact tile: out[(i - row0) * ld + (j - col0)], by the same order of operations as the pass.
 *
 * out, ld   at least (row1 - row0 - 1) * ld + (col1 - col0) floats, ld >= col1 - col0
 * Threads   runs on the calling thread alone; any number of tiles at once
 * Errors    those of attn_args_check, ATTN_OPERAND, ATTN_RANGE, ATTN_MEMORY
 */
ATTN_MUST_CHECK AttnStatus attn_tile(const AttnCtx *ctx, const AttnArgs *args,
                                     const AttnTileDesc *tile, float *out, ptrdiff_t ld);

/** A tile of a batch and where it goes: out and ld as in attn_tile. */
typedef struct AttnTileTask {
    AttnTileDesc tile;
    float *out;
    ptrdiff_t ld; /* elements */
} AttnTileTask;

/**
 * Any number of tiles of the heads of one attention on all cores, each with the bits of attn_tile.
 * Large tiles are shared among threads, so a batch may be one tile. Places to write to must not
 * overlap.
 *
 * progress  cancel is heeded, report is called on the calling thread; may be NULL
 * Threads   uses the context's threads; any thread may call
 * Errors    as attn_tile, of the first tile that has one and before anything is written;
 *           ATTN_CANCELLED
 */
ATTN_MUST_CHECK AttnStatus attn_tiles(const AttnCtx *ctx, const AttnArgs *args,
                                      const AttnTileTask *tasks, int32_t n_tasks,
                                      const AttnProgress *progress);

/**
 * A large region, reduced while it streams: out_mean and out_max (either may be NULL) take
 * ceil(rows / row_width) x ceil(cols / col_width) values, row stride ld; each covers row_width x
 * col_width pairs counted from (row0, col0), fewer at the far edges. Kind WEIGHTS only. With the
 * widths and origin of a summary texel the values are the summary's, but for rounding.
 *
 * progress  cancel is heeded, report is called on the calling thread; may be NULL
 * Threads   uses the context's threads; any thread may call; same bits for any thread count
 * Errors    as attn_tile, ATTN_CANCELLED
 */
ATTN_MUST_CHECK AttnStatus attn_tile_reduce(const AttnCtx *ctx, const AttnArgs *args,
                                            const AttnTileDesc *tile, int32_t row_width,
                                            int32_t col_width, float *out_mean, float *out_max,
                                            ptrdiff_t ld, const AttnProgress *progress);

/** One whole row of weights or scores of a head: out [M]. As attn_tiles. */
ATTN_MUST_CHECK AttnStatus attn_tile_row(const AttnCtx *ctx, const AttnArgs *args,
                                         AttnTileKind kind, int32_t head, int32_t row,
                                         const float *row_max, const float *row_log_sum,
                                         float *out);

/** One whole column of weights or scores of a head: out [N]. As attn_tiles. */
ATTN_MUST_CHECK AttnStatus attn_tile_col(const AttnCtx *ctx, const AttnArgs *args,
                                         AttnTileKind kind, int32_t head, int32_t col,
                                         const float *row_max, const float *row_log_sum,
                                         float *out);

/* ---------------------------------------------------------------- reference */

/**
 * The same contract as attn_forward in plain float64 loops, one thread, N x M time and one row of
 * memory: what the tests compare with. Outputs are rounded to f32 at the end.
 */
ATTN_MUST_CHECK AttnStatus attn_reference_forward(const AttnArgs *args, const AttnOutputs *out);

/** One row of a head in float64: weights [M] and scores [M], either may be NULL. */
ATTN_MUST_CHECK AttnStatus attn_reference_row(const AttnArgs *args, int32_t head, int32_t row,
                                              double *weights, double *scores);
