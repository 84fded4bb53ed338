#pragma once
/*
 * The Stack view's share of the session: what is chosen of it (camera, planes, heads; by commands),
 * and what is computed for it: every layer's pattern as a small picture, how alike neighbouring
 * layers are, and the row of the selected query in every layer. Main thread only.
 */
#include "trace/trace.h"

typedef struct Session Session;

typedef enum StackPreset {
    STACK_ORBIT, /* from above, a little from the left */
    STACK_FRONT,
    STACK_TOP,
    STACK_SIDE,
    STACK_FLY, /* at the selected layer, and with it */
    STACK_PRESET_COUNT
} StackPreset;

/** What a plane shows. */
typedef enum StackHeads {
    STACK_HEADS_MEAN, /* of all heads of the layer */
    STACK_HEADS_MAX,
    STACK_HEADS_ONE, /* the selected head */
    STACK_HEADS_COUNT
} StackHeads;

/** Which layers have a plane. */
typedef enum StackPlanes {
    STACK_PLANES_AUTO,  /* all, or every n-th where they would stand too close */
    STACK_PLANES_ALL,   /* every layer */
    STACK_PLANES_EVERY, /* every n-th */
    STACK_PLANES_GROUP, /* n layers a plane: their mean (of maxima: the largest) */
    STACK_PLANES_RANGE, /* first to last */
} StackPlanes;

/** Where the eye stands, relative to the preset's target. */
typedef struct StackCamera {
    StackPreset preset; /* the last one chosen; turning keeps it */
    float yaw_deg;      /* around the stack, 0 = in front */
    float pitch_deg;    /* above the horizon */
    float zoom;         /* 1 = as the preset has it */
    float pan[3];       /* of the target, in widths of a plane */
    bool orthographic;
} StackCamera;

typedef struct StackChoice {
    StackCamera camera;
    float explode; /* distance between planes, 1 = as designed */
    float opacity; /* of the planes, 0..1 */
    StackHeads heads;
    StackPlanes planes;
    int32_t every;       /* of EVERY and GROUP, at least 1 */
    int32_t first, last; /* of RANGE, layers */
    float coverage;      /* curves: the strongest until this much of a query's mass */
    int32_t depth;       /* how many layers down sources are followed; 1 = only the query itself */
} StackChoice;

enum { STACK_MOST_DEPTH = 8 };
/* Limits, so that the stack is never lost. */
#define STACK_MOST_PAN      0.6f
#define STACK_LEAST_ZOOM    0.45f
#define STACK_MOST_ZOOM     24.0f
#define STACK_LEAST_EXPLODE 0.2f
#define STACK_MOST_EXPLODE  3.0f

/** As a session opens. */
StackChoice stack_choice_default(void);
/** The camera of a preset. */
StackCamera stack_camera_preset(StackPreset preset);
const char *stack_preset_name(StackPreset preset);
bool stack_choice_equal(const StackChoice *a, const StackChoice *b);

/** Layer patterns, [L, rows, cols]; one cell is row_texel x col_texel weights: the largest of them
 *  per head, then the mean or the maximum over the heads. */
typedef struct StackPatterns {
    uint64_t trace_version;
    StackHeads heads;
    int32_t head;     /* of STACK_HEADS_ONE */
    int32_t n_layers; /* that are there */
    int32_t rows, cols, row_texel, col_texel;
    float *values;     /* owned; -INFINITY where every weight under a cell is masked */
    float *similarity; /* [L] owned, 0..1 with the layer before (see stack_similarity); -1 for 0 */
    uint64_t version;  /* of layer 0; + layer */
} StackPatterns;

/** The row of one query in every layer, exact. */
typedef struct StackRows {
    uint64_t trace_version;
    StackHeads heads;
    int32_t head, query, key;
    int32_t n_layers, n_heads, n_keys;
    float *weights; /* [L, M] owned: of the head, or mean (maximum) over the heads */
    float *entropy; /* [L] owned, bits, of the weights scaled to sum 1 */
    float *pair;    /* [L, H] owned: every head's weight of query -> key */
} StackRows;

/** A source of a query in a layer. */
typedef struct StackSource {
    int32_t key;
    float weight;
} StackSource;

enum { STACK_MOST_READERS = 16, STACK_MOST_SOURCES = 24 };

/** One step of what a query reads, and what that reads, downwards: `query` reads `key` in layer. */
typedef struct StackStep {
    int32_t level; /* 0 = the chosen query's own */
    int32_t layer, query, key;
    float weight; /* of this reading */
    float mass;   /* share of the chosen query's reading that goes this way: product of weights */
} StackStep;

/** Sources followed through some layers. Exact weights; at each level the strongest
 *  STACK_MOST_READERS tokens are followed, each to its strongest keys until `coverage`. */
typedef struct StackTree {
    uint64_t trace_version;
    StackHeads heads;
    int32_t head, query;
    float coverage;
    int32_t layers[STACK_MOST_DEPTH]; /* from the upper one downwards */
    int32_t n_levels;
    StackStep *steps; /* owned, level after level, strongest reader first */
    size_t n_steps;
    float followed; /* share of the query's reading that is followed to the last level, 0..1 */
} StackTree;

typedef struct StackJob StackJob;

/** Zero is empty. */
typedef struct StackData {
    StackPatterns patterns;
    StackRows rows;
    StackTree tree;
    StackJob *patterns_job, *rows_job, *tree_job; /* on their way */
    uint64_t patterns_job_id, rows_job_id, tree_job_id;
    uint64_t last_version;
    Error failure; /* of the last job; not tried again for this text */
} StackData;

/** Patterns of all computed layers for what is chosen. While a job computes them: those of the last
 *  choice (of this trace), or NULL. */
const StackPatterns *session_stack_patterns(Session *session);
/** The row of the selected query for what is chosen; else as above. */
const StackRows *session_stack_rows(Session *session);
/** The selected query's sources followed down through layers[0..n), 1 <= n <= STACK_MOST_DEPTH;
 * else as above. In cross attention keys read nothing: one level. */
const StackTree *session_stack_tree(Session *session, const int32_t *layers, int32_t n);
/** Are all of them what is chosen now? */
bool session_stack_settled(const Session *session);
/** Stops jobs and frees session->stack_data. */
void stack_data_free(Session *session);

/** The strongest keys of weights[0..n) until `coverage` of their sum is reached, at most `most`;
 *  strongest first, ties to the lower key. *mass: what they carry of the sum, 0..1. Returns how
 *  many. */
int32_t stack_sources(const float *weights, int32_t n, float coverage, StackSource *out,
                      int32_t most, float *mass);
/** How alike two patterns are: the mean over rows of sum_j sqrt(a_j b_j) with every row scaled to
 *  sum 1 (Bhattacharyya 1943); rows without any mass do not count. 1 = the same. */
float stack_similarity(const float *a, const float *b, int32_t rows, int32_t cols);
/** Shannon entropy in bits of values scaled to sum 1; 0 of an empty row. */
float stack_entropy(const float *values, int32_t n);
