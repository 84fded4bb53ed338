#pragma once
/*
 * Flow: attention as curves between tokens, as wide as their weight, with particles that carry what
 * is read. Two columns, arcs on one line, all layers side by side, or a graph. What is chosen lies
 * in the session (session/flow_options.h); kept here are the camera, the curves that fade out and
 * the picture of the rest.
 */
#include "session/flow.h"
#include "views/views.h"

/** One side of the picture: tokens from first on, px a token, cut into blocks. */
typedef struct FlowAxis {
    double first, px;
    float start, length; /* on the screen, logical px, along the axis */
    int32_t n, block;    /* tokens of the text, tokens of a block */
    bool as_keys;
    bool flat; /* runs to the right, not down */
} FlowAxis;

/** Token positions on the axis; the middle of a block. */
float flow_axis_at(const FlowAxis *axis, double token);
float flow_block_at(const FlowAxis *axis, int32_t block);
/** The blocks in view, [*first, *end). */
void flow_axis_blocks(const FlowAxis *axis, int32_t *first, int32_t *end);
/** px of a block. */
float flow_axis_pitch(const FlowAxis *axis);

/** What is under the pointer or pinned: lit, the rest steps back. */
typedef struct FlowFocus {
    bool token_hovered, as_key; /* a chip is under the pointer */
    int32_t block;              /* of the chip */
    bool edge_hovered;
    int32_t row, col; /* of the curve */
} FlowFocus;

typedef struct FlowView {
    /* camera: how far in, and the share of the text in the middle */
    double zoom_goal, middle_goal;
    uint64_t trace_version;
    bool placed;
    /* curves of the last frame and those that fade out */
    DrawCurve *last, *old;
    size_t n_last, n_old, most_last, most_old;
    uint64_t last_map; /* what they are of */
    double faded_s;    /* when the old ones began to fade; 0 = there are none */
    float old_alpha;
    /* the faint rest */
    unsigned char *rest;
    uint64_t rest_key, rest_version;
    /* from frame to frame */
    FlowFocus hovered;
    int32_t dragged; /* node of the graph, -1 = none */
    bool pans;
    Vec2 pan_from;
    double pan_middle;
} FlowView;

typedef struct FlowScene {
    ViewContext *c;
    FlowView *view;
    const FlowOptions *options;
    Rect title, area, strip; /* area: the picture between them */
    float left, right;       /* where curves begin and end (columns) */
    FlowAxis queries, keys;
    const FlowMap *map; /* may be NULL */
    bool exact;
    int32_t slot;     /* of the selected head in map->heads */
    FlowEdges *edges; /* NULL without a map */
    double time_s;
    float k;          /* px of width a weight of 1 is drawn with */
    const char *note; /* FLOW_LAYERS: what is shown, in words */
} FlowScene;

void flow_draw(ViewContext *c, Rect stage);
void flow_timeline(Views *views, const Session *session, Timeline *timeline);
extern const ViewCommand flow_commands[];
bool flow_command(Views *views, Session *session, const char *name, const char *arguments,
                  Error *err);
void flow_view_free(void *state);

/* ---- parts ---- */

enum { REST_W = 128, REST_H = 160 };

/* How long a curve takes to be drawn in. */
static const float FLOW_DRAW_S = 0.9f;

/** Curve of an edge at a strength 0 (stepped back), 1 (lit) or 2 (the one that is meant). */
DrawCurve flow_curve(const FlowScene *s, const FlowEdge *edge, int strength);
/** 0, 1 or 2: is an edge what the pointer or the pins mean? */
int flow_strength(const FlowScene *s, const FlowEdge *edge);
Color flow_head_color(const FlowScene *s, int32_t slot);
/** Is any of an edge in view? */
bool flow_in_view(const FlowScene *s, const FlowEdge *edge);
/** Ends and handles of an edge's arc. */
void flow_place_arc(const FlowScene *s, const FlowEdge *edge, DrawCurve *curve);
/** A place on an axis, kept near what the axis shows. */
float flow_clamp(const FlowAxis *axis, float at);
/** Curves of the edges with their particles, cross-faded; answers the pointer. */
void flow_draw_curves(FlowScene *s);
/** The connections that are not drawn, as a haze. */
void flow_draw_rest(FlowScene *s);
/** Chips, entropy, received mass, captions. */
void flow_draw_columns(FlowScene *s);
void flow_draw_arcs(FlowScene *s);
void flow_draw_layers(FlowScene *s);
void flow_draw_graph(FlowScene *s);
/** The card below: what is shown, how much of it, the legend. */
void flow_draw_strip(FlowScene *s);
void flow_draw_title(FlowScene *s);
/** A chip of a block of tokens; hovers and clicks. */
void flow_chip(FlowScene *s, Rect box, int32_t block, bool as_key);
const char *flow_block_label(const FlowScene *s, int32_t block, bool as_key);
/** Wheel, drag and keys of the axis in the area. */
void flow_move_axis(FlowScene *s);
/** Map and edges of what is in view. */
void flow_read(FlowScene *s);
