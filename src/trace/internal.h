#pragma once
/*
 * What the files of src/trace share. The record is one block (memory, a spill file or a mapped
 * trace file); `LayerData` points into it.
 */
#include "attention/attention.h"
#include "formats/npz.h"
#include "trace/memory.h"
#include "trace/trace.h"

#include <stdatomic.h>

struct TensorFile;
typedef struct ModelInfo ModelInfo;

/* Per-head arrays of a layer in f32 or, max_key, i32. name in files, rows: N or M */
#define TRACE_ROW_ARRAYS(X)                                                                        \
    X(row_max, float, F32, N)                                                                      \
    X(row_log_sum, float, F32, N)                                                                  \
    X(entropy, float, F32, N)                                                                      \
    X(distance, float, F32, N)                                                                     \
    X(max_weight, float, F32, N)                                                                   \
    X(max_key, int32_t, I32, N)                                                                    \
    X(first, float, F32, N)                                                                        \
    X(self, float, F32, N)                                                                         \
    X(previous, float, F32, N)                                                                     \
    X(received, float, F32, M)

/** One layer. Pointers are into the record and never written once the layer is done. */
typedef struct LayerData {
    TraceLayer facts;
    AttnMask mask;
    AttnSummaryShape shape;
    void *q, *k, *v; /* [H, N, D], [G, M, D] of float or, f16, uint16_t; v NULL when not held */
#define TRACE_ROW_FIELD(name, type, dtype, rows) type *name; /* [H, rows] */
    TRACE_ROW_ARRAYS(TRACE_ROW_FIELD)
#undef TRACE_ROW_FIELD
    float *summary_mean, *summary_max; /* [H, n_texels] */
    const float *given; /* [H, N, M] weights that were imported in place of q and k; else NULL */
} LayerData;

/** Where things stand in the record, in bytes from its start. */
typedef struct TraceLayout {
    size_t q, k, v; /* within a layer */
#define TRACE_ROW_OFFSET(name, type, dtype, rows) size_t name;
    TRACE_ROW_ARRAYS(TRACE_ROW_OFFSET)
#undef TRACE_ROW_OFFSET
    size_t summary_mean, summary_max;
    int64_t n_texels;    /* room for one head's summary */
    size_t layer_bytes;  /* of one layer, whole pages */
    size_t hidden;       /* offset of state 0 */
    size_t hidden_bytes; /* of one state, whole pages */
    size_t total_bytes;
} TraceLayout;

/** The layout of a run's record by info (L, H, G, N, M, D, C, has_values, params), whether its mask
 *  is causal and whether hidden states are in it. ERR_MEMORY when the sizes do not fit. */
AS_MUST_CHECK bool trace_layout_make(const TraceInfo *info, bool causal, bool own_states,
                                     TraceLayout *layout, Error *err);

/**
 * Additive terms of scores by distance: of head h, query i and key j values[h * n + j - i + zero].
 * One table serves all layers.
 */
typedef struct DistanceBias {
    const float *values; /* [H, n], n = N + M - 1; NULL = none */
    size_t n;
    int32_t zero; /* N - 1 */
} DistanceBias;

/** A file without a name, mapped, for what memory does not hold. Zero is closed. */
typedef struct Spill {
    void *data;
    size_t n_bytes;
} Spill;
/** ERR_IO says where and why. */
AS_MUST_CHECK bool spill_open(Spill *spill, const char *folder, size_t n_bytes, Error *err);
/** Lets the system write [offset, offset + n) out and take its memory back. */
void spill_let_go(const Spill *spill, size_t offset, size_t n_bytes);
void spill_close(Spill *spill);
/** The folder for spill files: `wanted`, else $TMPDIR unless it lies in memory, else /var/tmp. */
void spill_folder(const char *wanted, char *folder, size_t size);
/** Bytes free for us in a folder's file system; 0 when it cannot be asked. */
uint64_t spill_disk_free(const char *folder);
/** What the control group in this folder (memory.max, memory.current, memory.stat) leaves of
 *  `most`. */
uint64_t memory_group_bytes(const char *group, uint64_t most);

struct Trace {
    atomic_int owners;
    atomic_int layers_done;
    atomic_int states_done; /* hidden states readable */
    TraceInfo info;
    Arena arena;             /* tokens, layers, names */
    TraceText queries, keys; /* the same but for cross attention */
    TraceImage *image;       /* NULL for texts */
    DistanceBias bias;
    LayerData *layers; /* [L] */
    float **hidden;    /* [L + 1] of [N, C]; NULL when not held */
    Trace *states;     /* retained: whose hidden states these are; NULL = its own */
    bool *ablated;     /* [L * H] */
    AttnCtx *ctx;
    unsigned char *record; /* owned unless it is the spill's; NULL for an opened file */
    Spill spill;
    struct TensorFile *file; /* an opened trace, or imported weights in one of these three */
    NpzFile npz;
    NpyArray npy;
    TraceLayout layout;
};

/** An empty trace with one owner, or NULL. */
AS_MUST_CHECK Trace *trace_new(Error *err);
/** Copies tokens and source into the arena. */
AS_MUST_CHECK bool trace_copy_text(Arena *arena, const TraceText *from, TraceText *to, Error *err);
/** Checks a picture against the trace's tokens and copies it into the trace. */
AS_MUST_CHECK bool trace_copy_image(Trace *trace, const TraceImage *image, Error *err);
/** Which attention the model's stack is, and the other way round (-1 = it has none). */
TraceStack trace_stack_of(const ModelInfo *model, int32_t index);
int32_t trace_stack_index(const ModelInfo *model, TraceStack stack);
/** Hidden states that can be read. */
int32_t trace_states_done(const Trace *trace);
/** Checks ablate against the trace's shape where it is of this stack, copies it and marks
 *  `ablated`. */
AS_MUST_CHECK bool trace_set_ablated(Trace *trace, const TraceHead *heads, size_t n, Error *err);
/** Of a head in arrays [L * H]. */
static inline size_t trace_head_index(const Trace *trace, int32_t layer, int32_t head)
{
    return (size_t)layer * (size_t)trace->info.n_heads + (size_t)head;
}
AS_MUST_CHECK bool trace_make_ctx(Trace *trace, int32_t threads, Error *err);
AS_MUST_CHECK bool trace_ctx_create(int32_t threads, AttnCtx **ctx, Error *err);

/** ERR_RANGE unless the layer is done and the head exists. */
AS_MUST_CHECK bool trace_check_head(const Trace *trace, int32_t layer, int32_t head, Error *err);
/** The same for rows [row0, row1) of n; not empty. `name` is "row" or "key". */
AS_MUST_CHECK bool trace_check_span(const char *name, int32_t first, int32_t end, int32_t n,
                                    Error *err);

/** What a layer's arguments say of it. */
TraceLayer trace_facts_of(const AttnArgs *args, const AttnSummaryShape *shape);
/** Memory or a spill file for the record of trace->layout, and every pointer into it. */
AS_MUST_CHECK bool trace_reserve(Trace *trace, const TraceEstimate *estimate, Error *err);
/** Traces of arrays from elsewhere (import.c). `file` is taken, whatever comes of it. */
AS_MUST_CHECK Trace *trace_import_tensors(struct TensorFile *file, const char *path, Error *err);
AS_MUST_CHECK Trace *trace_import_numpy(const char *path, Error *err);

/** The operands of a part of one head as floats: queries [row0, row1), keys [col0, col1). */
typedef struct TraceOperandPart {
    AttnArgs args; /* one head; its rows and keys count from 0 */
    const float *row_max, *row_log_sum;
    const float *given; /* [rows, ld] weights of the part; NULL = none */
    size_t given_ld;
    DistanceBias bias; /* of the part: its rows and keys count from 0 */
    float *owned;      /* f16 expanded; freed by trace_part_close */
} TraceOperandPart;
/** args.bias.payload may point into the part: it stays where it is until it is closed. */
AS_MUST_CHECK bool trace_part_open(const Trace *trace, int32_t layer, int32_t head, int32_t row0,
                                   int32_t row1, int32_t col0, int32_t col1, bool with_v,
                                   TraceOperandPart *part, Error *err);
void trace_part_close(TraceOperandPart *part);

/** All that an attention pass shall write besides o, straight into the record; o stays as it is. */
void trace_want_statistics(const LayerData *layer, int32_t summary_size, AttnOutputs *out);

/** An AttnStatus as an Error. Returns status == ATTN_OK. */
bool trace_attn_ok(AttnStatus status, const char *what, Error *err);
