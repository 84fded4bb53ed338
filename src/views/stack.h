#pragma once
/*
 * The Stack view: the network in space. One level sheet per layer with its pattern on it, queries
 * from the back to the front and keys from left to right; the residual stream of every token rises
 * along the front edge, and curves between two sheets show what the chosen token reads in the upper
 * one. What is chosen (camera, planes, heads) is the session's; here is only what is on its way.
 */
#include "session/stack.h"
#include "session/tiles.h"
#include "views/views.h"

enum { STACK_PLANES_MOST = 300, STACK_CURVES_A_PLANE = 48 };

/* Of a layer's time: the sheet in focus rises to it, then its curves are drawn. */
#define STACK_RISE_S  0.45
#define STACK_LAYER_S 1.1

/* A plane in space; heights are told from the lowest one. */
#define STACK_WIDTH   3.44f /* along keys */
#define STACK_DEPTH   2.0f  /* along queries */
#define STACK_SPACING 0.262f
#define STACK_BELOW   0.26f /* more room below the layer in focus … */
#define STACK_ABOVE   0.38f /* … and above it */

/** A camera on its way to the chosen one. */
typedef struct StackEase {
    Tween yaw, pitch, zoom, target[3], offset[2], distance, lens, explode, opacity, focus, glide,
        fly;
} StackEase;

typedef enum StackDrag { STACK_DRAG_NONE, STACK_DRAG_TURN, STACK_DRAG_PAN } StackDrag;

/** The plane in focus, finer than the patterns: the largest weight of factor x factor ones. */
typedef struct StackFine {
    TileKey key;   /* its first tile's: layer, head or source, factor */
    float *values; /* owned, [rows, cols]; -INFINITY = masked */
    int32_t rows, cols;
    uint64_t version;
} StackFine;

typedef struct StackView {
    uint64_t trace_version;
    bool placed;
    StackEase ease;
    StackPreset preset; /* of the last frame: a change of it flies */
    double focus_goal;

    StackDrag drag;
    bool moved;
    Vec2 drag_from, drag_last, speed; /* px, px a second */
    double drag_s;
    float pend_yaw, pend_pitch, pend_pan[3]; /* dragged and not yet posted */

    int32_t hover_layer;                  /* under the pointer, -1 = none */
    float slider_explode, slider_opacity; /* while held; below 0 = not */

    /* groups of layers: their patterns together */
    float *groups; /* owned, [n_groups, rows, cols] */
    uint64_t groups_of, groups_version;
    int32_t groups_every;
    StackFine fine;
} StackView;

/** One plane of a frame. */
typedef struct StackPlane {
    int32_t first, last; /* layers it stands for */
    float y, alpha;
    bool focus;   /* the selected layer's, which moves as layers are walked */
    int32_t from; /* focus: the layer it comes from … */
    float mix;    /* … and how far it has become `first` */
} StackPlane;

/** A curve that was drawn, for the notes about it. */
typedef struct StackLink {
    int32_t plane, query, key;
    float weight;
} StackLink;

#define STACK_GROUP_TAG ((uint64_t)1 << 24)
#define STACK_LINK_TAG  ((uint64_t)1 << 32)
enum { STACK_MOST_LINKS = 8192 };

/** Everything of a frame. */
typedef struct StackModel {
    ViewContext *c;
    StackView *view;
    const StackPatterns *patterns; /* NULL while they are computed for the first time */
    const StackRows *rows;
    const StackFine
        *fine;        /* of the plane in focus while it rests; NULL = it is as the others are */
    Rect stage, room; /* room: where the stack is fitted */
    Camera3D camera;
    View3D eye;
    float px; /* logical px of a unit length at the target */
    float spacing, explode, opacity;
    float focus; /* layer in focus, on its way between two */
    float fly;   /* 0..1: the camera is at the layer in focus, the others step back */
    float steep; /* 0..1: sheets lie over each other, those before the focus step back */
    float size;  /* of lines and dots: 1 where a unit length is as large as in the design */
    bool cross;  /* keys are of another text than the queries */
    int32_t n_layers, n_queries, n_keys;
    int32_t every;                        /* of thinning or grouping; 1 = every layer */
    StackPlane planes[STACK_PLANES_MOST]; /* from the lowest */
    int32_t n_planes;
    float y_low, y_high, y_focus; /* of the lowest and highest plane, and in focus */
    int32_t focus_layer;
    StackSource strongest[8]; /* of the focus row */
    int n_strongest;
    Rect strip, controls;        /* cards; empty = no room */
    float mass;                  /* of the focus row, shown as curves */
    float mass_least, mass_most; /* the same over all planes */
    int32_t n_sources;           /* of the focus row */
    float followed;              /* of the query's reading, followed down n_levels planes */
    int32_t n_levels;
    StackLink *links; /* [n_curves] of the frame; a curve's tag is STACK_LINK_TAG + its index */
    int32_t n_curves;
    DrawScene scene; /* as it was drawn, for picking */
} StackModel;

void stack_draw(ViewContext *c, Rect stage);
extern const ViewCommand stack_commands[];
bool stack_command(Views *views, Session *session, const char *name, const char *arguments,
                   Error *err);
void stack_timeline(Views *views, const Session *session, Timeline *timeline);
void stack_free(void *state);
/** The inspector of this view. */
void stack_inspect(ViewContext *c, Rect box);

/* ---- stack_model.c: what stands where ---- */

/** Planes, their heights and the camera. False while no layer is there. */
bool stack_model_make(StackModel *m, ViewContext *c, Rect stage);
/** The layers that have a plane of their own at rest, ascending; returns how many. `every` gets the
 *  step. */
int32_t stack_shown_layers(const StackChoice *choice, int32_t n_layers, float stage_px,
                           int32_t *layers, int32_t most, int32_t *every);
/** Height of a layer above the lowest plane, with the layer `focus` set apart. slot: its place
 *  among the planes. */
float stack_height(float slot, float layer, float focus, float spacing, float explode);
/** Middle of a key's column and of a query's row on a plane. */
float stack_key_x(const StackModel *m, float key);
float stack_query_z(const StackModel *m, float query);
/** Where a query's stream rises: at its own column, in cross attention at its row's left end. */
Vec3 stack_stream_at(const StackModel *m, int32_t query, float y);

/** How far streams and curves reach below the lowest plane. */
float stack_drop(const StackModel *m);

/** The plane in focus by tiles, where they are finer than the patterns, the focus rests and it is
 *  worth their work; NULL until they are there. stack_fine.c */
const StackFine *stack_fine(StackModel *m);

/* ---- stack_scene.c: the scene ---- */

void stack_scene_draw(StackModel *m);
/** What picking calls a plane: its layer + 1; groups have tags of their own. */
uint64_t stack_plane_tag(const StackPlane *plane);

/* ---- stack_labels.c: words around it ---- */

void stack_labels_draw(StackModel *m);

/* ---- stack_side.c: cards ---- */

/** Boxes of the cards. */
void stack_side_place(StackModel *m);
/** Does a label at box keep clear of the cards and the title? */
bool stack_free_place(const StackModel *m, Rect box);
/** Width of the card at the right; 0 = no room. */
float stack_strip_width(Rect stage);
void stack_side_draw(StackModel *m);
/** "mean of 9 heads". */
const char *stack_heads_says(StackModel *m);
/** "every third layer, mean of 9 heads". */
const char *stack_says(StackModel *m);

/* ---- stack_pointer.c ---- */

void stack_pointer(StackModel *m);
