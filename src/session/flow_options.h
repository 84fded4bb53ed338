#pragma once
/*
 * How the view Flow shows attention: which curves, of which heads, and which tokens are looked at.
 * Plain four-byte fields without gaps, so that two of them compare as memory.
 */
#include "base/base.h"

typedef enum FlowMode {
    FLOW_COLUMNS, /* queries left, keys right */
    FLOW_ARCS,    /* one line of tokens */
    FLOW_LAYERS,  /* all layers side by side, what reaches one token */
    FLOW_GRAPH,   /* tokens as nodes that pull each other */
    FLOW_MODE_COUNT
} FlowMode;

/** Which curves are drawn for each query. */
typedef enum FlowPick { FLOW_COVERAGE, FLOW_TOP_K, FLOW_THRESHOLD, FLOW_PICK_COUNT } FlowPick;

/** What a node's size means. */
typedef enum FlowNode { FLOW_RECEIVED, FLOW_GIVEN, FLOW_BOTH, FLOW_NODE_COUNT } FlowNode;

enum { FLOW_HEAD_WORDS = 8, FLOW_PINS = 32, FLOW_HELD = 32, FLOW_MOST_TOP = 512 };

/** A node that was put somewhere by hand: its place in the unit square of the picture. */
typedef struct FlowHeld {
    int32_t token;
    float x, y;
} FlowHeld;

/** Zero is the default of everything. */
typedef struct FlowOptions {
    int32_t mode, pick, node;        /* FlowMode, FlowPick, FlowNode */
    float coverage;                  /* share of each query's mass; 0 = 0.8 */
    int32_t top_k;                   /* 0 = 3 */
    float threshold;                 /* least weight; 0 = 0.05 */
    uint32_t heads[FLOW_HEAD_WORDS]; /* bits of heads shown beside the selected one */
    int32_t bundled;                 /* several heads: one curve a pair in place of one each */
    int32_t by_value;                /* weights times the length of what they carry, w |v| */
    int32_t arrows;                  /* what runs: query -> key (matching), not key -> query */
    int32_t all_heads;               /* FLOW_LAYERS: 0 = the mean of all heads, 1 = those shown */
    int32_t with_first;              /* FLOW_LAYERS: 0 = causal: the first token is left out */
    int32_t seed;                    /* of the graph */
    int32_t n_pins;
    int32_t pins[FLOW_PINS]; /* tokens that are looked at together: 2 * token + (1 = as a key) */
    int32_t n_held;
    FlowHeld held[FLOW_HELD];
} FlowOptions;

float flow_coverage(const FlowOptions *options);
int32_t flow_top_k(const FlowOptions *options);
float flow_threshold(const FlowOptions *options);
/** Is a head shown? `selected` is the session's. */
bool flow_shows_head(const FlowOptions *options, int32_t head, int32_t selected);
/** Is a token in the set that is looked at? */
bool flow_is_pinned(const FlowOptions *options, int32_t token, bool as_key);
