#pragma once
/*
 * What Flow draws: which queries read which keys, the strongest first, of any text.
 *
 * A text is cut into blocks of 1, 2, 4, … tokens. A bundle is what the queries of one block read
 * from the keys of another: the exact sum of its weights. Block 1 is single weights. Only a window
 * of blocks is looked at, so cost follows the screen: blocks at least as large as the summary's
 * texels come from the summary, smaller ones from the tiles in the window, by a job.
 *
 * Main thread only.
 */
#include "session/flow_options.h"
#include "session/session.h"

/** How many of a query's strongest are kept; the screen says so where it matters. */
enum { FLOW_ROW_MOST = 512 };

/** What is wanted. No gaps: compared as memory. */
typedef struct FlowKey {
    uint64_t trace_version;
    uint32_t heads[FLOW_HEAD_WORDS]; /* bits; at least one */
    int32_t layer;
    int32_t row0, row1;           /* queries, row0 a multiple of row_block */
    int32_t col0, col1;           /* keys that are in the window, col0 a multiple of col_block */
    int32_t row_block, col_block; /* powers of two; apart only in cross attention */
    int32_t by_value;
} FlowKey;

typedef struct FlowTop {
    int32_t col; /* block of keys, from the text's beginning */
    float mass;
} FlowTop;

/** The answer. Rows and cols are blocks; [h][r] is of the h-th shown head and the r-th row. */
typedef struct FlowMap {
    FlowKey key;
    int32_t n_heads, n_rows, n_cols; /* n_cols: in the window */
    int32_t n_all_cols;              /* of the whole text */
    int32_t n_top;                   /* kept of each row */
    const int32_t *heads;            /* [n_heads] */
    const FlowTop *top;              /* [h][r][n_top] strongest first; mass 0 = no more */
    const double *row_mass;          /* [h][r] all of it; a query's weights sum to 1 */
    const int32_t *n_pairs;          /* [h][r] blocks of keys that the mask lets it see */
    const float *dense;              /* [h][r][n_cols + 2] mass: before the window, in it, after */
    const int32_t *n_queries;        /* [r] tokens of the row that see anything */
    bool by_summary;                 /* read off the summary (exact all the same) */
    uint64_t version;                /* unique, never 0 */
    Arena arena;
} FlowMap;

/** One curve that is drawn. */
typedef struct FlowEdge {
    int32_t row, col; /* blocks, from the text's beginning */
    int32_t slot;     /* index of the head in map->heads */
    float weight;     /* mean weight of a query of the row on all keys of the block: mass / queries;
                         by value the share of what the row collects */
    float mass;       /* exact sum of the weights (times |v|) in the bundle */
    int32_t rank;     /* in its row, from 0; -1 = all keys before or after the window together */
} FlowEdge;

typedef struct FlowEdges {
    FlowEdge *edges; /* strongest first */
    int32_t n;
    int32_t n_outside;  /* of these the bundles to keys out of view */
    int64_t n_pairs;    /* connections there are */
    double shown, mass; /* sums of mass: drawn, and of all */
    bool cut;           /* some query has more than FLOW_ROW_MOST that belong to it */
} FlowEdges;

/** The best there is: the map for this key, or the last one while a job computes it (*exact is
 *  false then), or NULL. Borrowed until the next call. */
const FlowMap *session_flow(Session *session, const FlowKey *key, bool *exact);
/** Why the last one could not be made; code 0 = nothing is wrong. */
const Error *session_flow_error(const Session *session);
/** The curves that the options let through, in the arena. NULL without memory. */
FlowEdges *flow_select(const FlowMap *map, const FlowOptions *options, Arena *arena, Error *err);
/** Keeps those of a row that belong to it: how many of `top` are drawn. */
int32_t flow_take(const FlowTop *top, int32_t n_top, double mass, double n_queries,
                  const FlowOptions *options, bool by_value);

/** Computes a map. `control` may be NULL. Any thread. The caller frees it: flow_map_free. */
AS_MUST_CHECK FlowMap *flow_map_make(const Trace *trace, const FlowKey *key, JobControl *control,
                                     Error *err);
void flow_map_free(FlowMap *map);
/** Multiplications that flow_map_make does. */
double flow_map_cost(const Trace *trace, const FlowKey *key);
/** Can the summary answer (without a job)? */
bool flow_map_by_summary(const Trace *trace, const FlowKey *key);

/* ---- through the layers (flow_paths.c) ---- */

enum { FLOW_FOLLOW_MOST = 1024 };

/** What flows from a token of one state of the residual stream to one of the next. */
typedef struct FlowStep {
    int32_t from, to; /* keys of state l, queries of state l + 1 */
    float mass;       /* share of the target's that goes this way */
    bool residual;    /* stays with its token: half of each layer */
} FlowStep;

/**
 * What reaches one token of the last state, back to the embeddings: with A the mean of the shown
 * heads' weights, r_L = e_target and r_l = r_{l+1} (I + A_l) / 2. Each r sums to 1 (but for rows
 * without visible keys, which keep all).
 * Source: Abnar & Zuidema 2020 (arXiv:2005.00928), attention rollout, as a vector.
 */
typedef struct FlowPaths {
    uint64_t trace_version;
    int32_t target, n_layers, n_tokens;
    bool without_first; /* w_i0 = 0 for i > 0, the rest of the row divided by 1 - w_i0 */
    uint32_t heads[FLOW_HEAD_WORDS]; /* bits; all zero = the mean of all heads */
    const float *mass;               /* [n_layers + 1][n_tokens] r */
    const float *followed;           /* [n_layers] share of r_{l+1} whose rows were read: 1 unless
                                        there were more than FLOW_FOLLOW_MOST */
    const FlowStep *const *steps;    /* [n_layers] strongest first */
    const int32_t *n_steps;          /* [n_layers] */
    const double *shown;             /* [n_layers] share that the steps carry */
    const int32_t *next;             /* [n_layers][n_tokens] where the best path from here goes */
    const float *best;               /* [n_tokens] product along the best path from each token */
    int32_t source;                  /* the other token that gives most; -1 = none */
    Arena arena;
} FlowPaths;

/** NULL while a job computes it (the last one of the same trace until then, told by its target). */
const FlowPaths *session_flow_paths(Session *session, int32_t target, const uint32_t *heads,
                                    bool without_first);
typedef struct PathsDesc {
    int32_t n_layers, target;
    const uint32_t *heads; /* [FLOW_HEAD_WORDS]; NULL or all zero = the mean of all */
    bool without_first; /* leave the first token out as a key: heads that find nothing rest on it */
} PathsDesc;
AS_MUST_CHECK FlowPaths *flow_paths_make(const Trace *trace, const PathsDesc *desc,
                                         JobControl *control, Error *err);
void flow_paths_free(FlowPaths *paths);

/* ---- as a graph (flow_graph.c) ---- */

/** A link of the graph. */
typedef struct GraphLink {
    int32_t a, b;
    float weight;
} GraphLink;

typedef struct GraphDesc {
    int32_t n_nodes;
    const GraphLink *links; /* ends in range; a == b is ignored */
    size_t n_links;
    uint64_t seed;
    const FlowHeld *held; /* nodes that do not move; places in the unit square */
    int32_t n_held;
} GraphDesc;

/** Where the nodes come to rest, all within the unit square, and which belong together. */
typedef struct GraphLayout {
    int32_t n_nodes;
    float (*at)[2];     /* [n_nodes] */
    float (*from)[2];   /* [n_nodes] where they began: a ring in text order */
    int32_t *community; /* [n_nodes] 0 = the largest */
    int32_t n_communities;
    int32_t n_rounds; /* it took */
    Arena arena;
} GraphLayout;

/** Same desc, same bits. Any thread; `control` may be NULL. The caller frees it. */
AS_MUST_CHECK GraphLayout *graph_layout_make(const GraphDesc *desc, JobControl *control,
                                             Error *err);
void graph_layout_free(GraphLayout *layout);
/** The layout of a map's edges; the last one of it while a job computes another. NULL: none yet. */
const GraphLayout *session_flow_graph(Session *session, const FlowMap *map, const FlowEdges *edges);

/* ---- for the session ---- */

void flow_stop(Session *session);
void flow_free(Session *session);
