#pragma once
/*
 * The kernel table: what the streaming pass and the tiles ask of an instruction set, and the
 * layouts both sides agree on. kernel_scalar.c fills a whole table with code any CPU runs; the
 * others are the same body (body.h) over other vectors, or may replace single entries.
 *
 * Layouts (f32, 64-byte aligned; W = lanes of a vector)
 *   step     ATTN_STEP = 64 keys. Slot t * W + l of a step holds key l * (64 / W) + t when packed
 *            interleaved, so that a vertical sum of vectors is a sum over neighbouring keys, one
 *            run of keys a lane; key t * W + l when packed in natural order.
 *   K panel  [64 / nr][D][nr]: for each nr slots, D rows of nr values
 *   V panel  [64][ep]: slot by slot, ep = E rounded up to a multiple of ATTN_PAD, zeros behind
 *   Q group  [group / mr][D][mr], already multiplied by the scale
 *   texels   of a row in natural order if a texel is at least a lane's keys (64 / W) wide; narrower
 *            ones in the order in which the pass writes them, see attn_texel_slot
 *   S, P     [group][64] scores, then exponentials, in slot order; kept ones with the references
 *            that they stand over behind them
 */
#include "attention/attention.h"

enum {
    ATTN_STEP = 64,        /* keys of one step */
    ATTN_GROUP = 12,       /* rows that go through a step together; a multiple of every mr */
    ATTN_BLOCK_STEPS = 16, /* most steps of one block of keys */
    ATTN_PAD = 16,         /* floats that padded rows are a multiple of: the widest vector */
    ATTN_ALIGN = 64,       /* bytes */
    ATTN_NAMED = 3,        /* keys with names: first, self, previous */
    ATTN_DIRECT = 8,       /* most rows that read keys and values where they are */
    /* floats of scores in scratch: of the step under way and of the next one */
    ATTN_SCORES = 2 * ATTN_GROUP * ATTN_STEP,
    /* floats of a kept step: exponentials [group][64] in slot order, then references [group] */
    ATTN_KEPT = ATTN_GROUP * ATTN_STEP + ATTN_PAD,
};

/** A block of keys of one head, packed: what a group of rows attends to next. */
typedef struct AttnBlock {
    const float *k;         /* K panels [n_steps], interleaved */
    const float *v;         /* V panels [n_steps]; NULL = no o wanted */
    const bool *v_finite;   /* [n_steps] no NaN or infinity in the V panel */
    const float *hidden;    /* [n_steps][64] slot order, != 0 where key_mask hides; NULL = none */
    const bool *any_hidden; /* [n_steps] */
    /* Few rows read keys and values where they are: all steps are whole then, and k is not read. */
    const float *k_rows; /* of key0; NULL = panels */
    const float *v_rows; /* of key0; NULL = panels or no o */
    ptrdiff_t k_ld, v_ld;
    float *v_room;     /* one V panel, for values that are not finite */
    const float *bias; /* [group][bias_ld] natural order, for this group; NULL = none */
    ptrdiff_t bias_ld;
    int32_t key0;                  /* first key */
    int32_t first_step, last_step; /* steps [first, last) that some row of the group sees */
    int32_t n_steps;
    int32_t block_steps; /* of any block but the last: a power of two, with runs of texels */
    int32_t k_words, ep;
    int32_t col_width; /* keys under a texel, 0 = no summary wanted */
    int32_t n_cols;    /* texels of a row */
    float soft_cap;
} AttnBlock;

/**
 * Running state of a group of rows. A row's exponentials are e = 2^y with y = (s - ref) log2(e), or
 * s log2(e) - ref where that is one fused operation; ref is raised to that of a new maximum when a
 * score passes `limit`. Rounding it to f32 scales a whole row, which cancels or is undone by its
 * log.
 */
typedef struct AttnGroup {
    const float *q;             /* Q group */
    int32_t n_rows;             /* 1..ATTN_GROUP; what is behind is computed and dropped */
    const int32_t *begin, *end; /* [group] keys visible to each row; padded rows repeat the last */
    const float *position;      /* [group] p_i */
    float *ref, *limit;         /* [group] start at 0 and -INFINITY */
    float *lane_max;            /* [group][W] largest score by lane, starts at -INFINITY */
    float *lane_key;            /* [group][W] the key that it was first seen at */
    double *sum;                /* [group] sum of e */
    double *moment;             /* [group] sum of e y */
    double *distance;           /* [group] sum of e |p - j| */
    float *o;                   /* [group][ep] sum of e v */
    float *named[ATTN_NAMED];   /* [group] scores of key 0, p_i and p_i - 1; start at -INFINITY */
    float *texel_sum, *texel_max; /* [group][texel_ld] sum of e, largest score: see texel order */
    ptrdiff_t texel_ld;
    float *kept; /* [ATTN_KEPT] of the block's first_step, to be left there; NULL = not wanted */
    ptrdiff_t kept_ld; /* floats to the next step's */
} AttnGroup;

/** Scratch of one attend call; what it holds does not outlive the call. */
typedef struct AttnAttendScratch {
    float *s;                 /* [ATTN_SCORES], twice [group][64] */
    float *o;                 /* [group][ep] */
    float *run_sum, *run_max; /* [group][ATTN_BLOCK_STEPS * ATTN_PAD] */
} AttnAttendScratch;

/** Finished rows on their way into texels. */
typedef struct AttnTexelRows {
    const float *sum, *largest; /* [n_rows][ld] sums of e, largest scores */
    ptrdiff_t ld;
    int32_t n_rows, n_slots;                             /* n_slots % ATTN_PAD = 0 */
    const float *inverse, *reference, *factor, *log_sum; /* [n_rows] weights are e * inverse and
                                                           exp(s - reference) * factor, which is
                                                           exp(-log_sum) */
} AttnTexelRows;

/** One instruction set. Every entry is set; buffers must not overlap. */
typedef struct AttnKernel {
    AttnIsa isa;
    int32_t lanes;                  /* W */
    int32_t mr;                     /* rows of a register tile */
    double reference_log2;          /* y of AttnGroup.ref = 1 */
    int32_t k_per_word, v_per_word; /* 2 where panels hold pairs of bf16, see below */

    /** n_rows <= ATTN_GROUP rows times scale into a Q group; rows behind are zeros. */
    void (*pack_q)(const float *q, ptrdiff_t ld, int32_t n_rows, int32_t dim, float scale,
                   float *out);
    /** n_keys <= 64 keys times scale into a K panel, zeros behind. */
    void (*pack_k)(const float *k, ptrdiff_t ld, int32_t n_keys, int32_t dim, float scale,
                   bool interleave, float *out);
    /** n_keys <= 64 interleaved rows into a V panel, zeros behind. True if all are finite. */
    bool (*pack_v)(const float *v, ptrdiff_t ld, int32_t n_keys, int32_t dim, int32_t ep,
                   float *out);

    /** s[r][slot] = sum over d, in order, of q[r][d] k[slot][d], for n_rows of a group. */
    void (*scores)(const float *q, const float *panel, int32_t dim, int32_t n_rows, float *s);
    /** s = cap tanh(s / cap). */
    void (*soft_cap)(float *s, int32_t n, float cap);
    /** out = exp(s - max) * factor; may be in place. */
    void (*weights)(const float *s, int32_t n, float max, float factor, float *out);
    /** The same with a max and a factor for each score. */
    void (*weights_each)(const float *s, int32_t n, const float *max, const float *factor,
                         float *out);
    /** Largest of each row's lanes, and the least of the lanes' keys that has it, if keys are
     * given: [n_rows][W] of whole groups. */
    void (*row_maxima)(const float *lane_max, const float *lane_key, int32_t n_rows, float *max,
                       float *key);
    /** out = x * factor. */
    void (*scale)(const float *x, int32_t n, float factor, float *out);
    /** Adds rows to texels: sums, and the largest weight of each (the bits of `weights`). With
     *  `fresh` what is there is not read. */
    void (*fold_texels)(const AttnTexelRows *rows, bool fresh, float *sum, float *max);
    /** The first n texels in natural order, times scale, out of slots: `runs` of a lane in a step,
     *  see attn_texel_slot. Whole steps are read. */
    void (*order_texels)(const float *slots, int32_t n, int32_t runs, float scale, float *out);

    /** sum[slot] += sum over rows, in order, of e[r][slot] factor[r], for n_rows of a kept step. */
    void (*fold_rows)(const float *e, const float *factor, int32_t n_rows, float *sum);

    /** Carries a group of rows through a block of keys: o and sums. */
    void (*attend)(const AttnBlock *block, AttnGroup *group, const AttnAttendScratch *scratch);
    /** The same, and what statistics and summary need. Same bits for o and sums. */
    void (*attend_full)(const AttnBlock *block, AttnGroup *group, const AttnAttendScratch *scratch);
} AttnKernel;

/** 32-bit words of a row of a Q group or of a slot of a K panel: values, or pairs of bf16. V panels
 * of pairs are [32][ep] with the values of two slots in a word. */
static inline int32_t attn_kernel_words(const AttnKernel *kernel, int32_t dim)
{
    return (dim + kernel->k_per_word - 1) / kernel->k_per_word;
}

/** Texels of a lane's keys in a step; 1 where that is not one. */
static inline int32_t attn_texel_runs(int32_t lanes, int32_t col_width)
{
    int32_t runs = ATTN_STEP / lanes / col_width;
    return runs > 1 ? runs : 1;
}

/** Where texel `col` of col_width keys stands in a row's texels. Lanes and narrow widths are powers
 *  of two, so that this is shifts and masks. */
static inline int32_t attn_texel_slot(int32_t lanes, int32_t col_width, int32_t col)
{
    uint32_t runs = (uint32_t)attn_texel_runs(lanes, col_width);
    if (runs == 1) {
        return col;
    }
    uint32_t in_step = (uint32_t)col & (runs * (uint32_t)lanes - 1);
    uint32_t lane = in_step >> __builtin_ctz(runs);
    return (int32_t)((uint32_t)col - in_step + (in_step & (runs - 1)) * (uint32_t)lanes + lane);
}

const AttnKernel *attn_kernel_scalar(void);
#if defined(__x86_64__)
const AttnKernel *attn_kernel_avx2(void);
const AttnKernel *attn_kernel_avx512(void);
const AttnKernel *attn_kernel_avx512_bf16(void);    /* both products in bf16 */
const AttnKernel *attn_kernel_avx512_bf16_pv(void); /* scores in f32 */
#endif
#if defined(__aarch64__)
const AttnKernel *attn_kernel_neon(void);
#endif
