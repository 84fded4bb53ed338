#pragma once
/*
 * A display list: what a frame looks like, in logical pixels (y down), in painting order. Views and
 * widgets fill it; gfx paints it with GL, export writes it as SVG, PDF or PNG, draw_dump as text.
 * It knows nothing of attention and nothing of GL.
 *
 *   draw_begin(&list, fonts, width, height);
 *   draw_rect(&list, &(DrawRect){.box = rect(24, 24, 300, 120), .fill = card, .radius = 12});
 *   if (!draw_end(&list, err)) …
 *
 * Everything given is copied into the list's arena but cell values, images, curves and particles,
 * which are borrowed until the list is painted. A draw call that runs out of memory is remembered
 * and told by draw_end. Main thread only.
 */
#include "draw/color.h"
#include "draw/colormap.h"
#include "draw/curves.h"
#include "draw/icons.h"
#include "draw/path.h"
#include "draw/scene3d.h"
#include "draw/text.h"

typedef enum DrawKind {
    DRAW_RECT,
    DRAW_SHADOW,
    DRAW_LINE,
    DRAW_POLYLINE,
    DRAW_BEZIER,
    DRAW_CIRCLE,
    DRAW_POLYGON,
    DRAW_PATH,
    DRAW_ICON,
    DRAW_TEXT,
    DRAW_IMAGE,
    DRAW_HATCH,
    DRAW_CELLS,
    DRAW_CURVES,
    DRAW_PARTICLES,
    DRAW_SCENE,
    DRAW_KIND_COUNT
} DrawKind;

typedef enum DrawBlend { DRAW_OVER, DRAW_ADD } DrawBlend;
typedef enum DrawCap { DRAW_BUTT, DRAW_ROUND } DrawCap;
typedef enum DrawAlign { DRAW_LEFT, DRAW_CENTER, DRAW_RIGHT } DrawAlign;

/** A filled and/or bordered box. The border lies inside the box. */
typedef struct DrawRect {
    Rect box;
    float radius; /* of all corners, at most half the smaller side */
    Color fill;
    Color fill_bottom; /* with `gradient`: the colour at the lower edge */
    bool gradient;
    float border; /* width; 0 = none */
    Color border_color;
} DrawRect;

/** A soft shadow of a rounded box, drawn outside that box only (as CSS box-shadow does). */
typedef struct DrawShadow {
    Rect box;
    float radius;
    float blur; /* CSS blur radius: the edge fades over about this on both sides */
    float dy;   /* downwards */
    Color color;
} DrawShadow;

typedef struct DrawLine {
    Vec2 a, b;
    float width;
    Color color;
    DrawCap cap;
    float dash_on, dash_off; /* px; 0 = solid */
} DrawLine;

typedef struct DrawPolyline {
    const Vec2 *points; /* copied */
    size_t n_points;
    float width;
    Color color;
    DrawCap cap;
    bool closed;
} DrawPolyline;

/** A cubic curve a, c1, c2, b whose width and colour run from one end to the other. */
typedef struct DrawBezier {
    Vec2 a, c1, c2, b;
    float width, width_end; /* px; width_end 0 = width */
    Color color, color_end;
    bool gradient; /* colour runs from color to color_end */
    float soft;    /* px: the edge fades over this (glow); 0 = sharp */
    float t0, t1;  /* part that is drawn (draw-in); both 0 = all */
    DrawCap cap;
} DrawBezier;

typedef struct DrawCircle {
    Vec2 center;
    float radius;
    Color fill;
    float border; /* inside the radius */
    Color border_color;
    float soft; /* px: the edge fades over this (halo); 0 = sharp */
} DrawCircle;

/** A filled convex polygon (triangles, ribbons' pieces, markers). */
typedef struct DrawPolygon {
    const Vec2 *points; /* copied; either turning sense */
    size_t n_points;
    Color fill;
} DrawPolygon;

/** Any path, filled (non-zero rule) and/or stroked with round ends and joins. For small shapes:
 *  brackets, roots, logos; scaled about its own origin, then moved. */
typedef struct DrawPath {
    Path path; /* copied */
    Vec2 origin;
    float scale; /* 0 = 1 */
    Color fill;
    float stroke; /* width in logical px (not scaled); 0 = none */
    Color stroke_color;
} DrawPath;

typedef struct DrawIcon {
    Icon icon;
    Vec2 center;
    float size;   /* side of the 24 grid in px; 0 = 24 */
    float stroke; /* px at that size; 0 = 1.5 */
    Color color;
} DrawIcon;

/** One line of text. */
typedef struct DrawText {
    FontFace face;
    float size; /* px */
    Color color;
    const char *text; /* UTF-8, copied; what is invalid becomes U+FFFD */
    size_t n;         /* bytes; 0 = up to its NUL */
    Vec2 at;          /* on the baseline: start, middle or end as `align` says */
    DrawAlign align;
    float max_width; /* > 0: elided with an ellipsis to fit */
    float tracking;  /* px added between clusters (small capitals) */
    TextTurn turn;   /* at and align turn with it */
} DrawText;

/** A picture of 8-bit RGBA rows, straight alpha. */
typedef struct DrawImage {
    Rect box;
    const unsigned char *pixels; /* [h][w][4], borrowed until painted */
    int32_t width, height;
    uint64_t version; /* equal non-zero versions promise equal pixels */
    bool smooth;      /* bilinear instead of nearest */
} DrawImage;

/** 45 degree hatching of a convex region ("not there"). */
typedef struct DrawHatch {
    const Vec2 *points; /* copied */
    size_t n_points;
    Color fill;    /* under the lines; may be transparent */
    Color color;   /* of the lines */
    float spacing; /* px between lines, measured along x; 0 = 10 */
    float width;   /* px; 0 = 1 */
} DrawHatch;

/** What several cells under one pixel become. */
typedef enum CellReduce { CELL_MAX, CELL_MEAN } CellReduce;

/**
 * Where cell values come from: an array of rows x cols floats, -INFINITY or NaN = masked ("not
 * there"). Borrowed until painted. Equal non-zero `version`s promise equal values and size, so that
 * a painter keeps its texture; 0 = sent anew each frame. Values computed on the GPU join here.
 */
typedef struct CellSource {
    const float *values;
    int32_t rows, cols;
    ptrdiff_t stride; /* elements between rows; 0 = cols */
    uint64_t version;
} CellSource;

/**
 * An array of cells filling `box`. Nearest: a pixel shows the cell under its centre, coloured
 * colormap_value(map, scale, value) exactly; where a cell is smaller than a device pixel the cells
 * under the pixel are reduced first. From cells of any size: each drawn inset by `inset` px with
 * rounded corners of `radius` px (both 0: they touch).
 */
typedef struct DrawCells {
    Rect box;
    CellSource source;
    Colormap map;
    Scale scale;
    CellReduce reduce;
    bool hide_future;      /* cells with col > row + future_offset are masked too */
    int32_t future_offset; /* (index of row 0) - (index of col 0) of a window of a causal matrix */
    Color masked;          /* what masked cells show; transparent = nothing */
    float inset, radius;   /* logical px */
    float alpha;           /* 0 = 1 */
} DrawCells;

/** One command. clip and alpha are the ones in force when it was given. */
typedef struct DrawCmd {
    DrawKind kind;
    DrawBlend blend;
    uint64_t tag; /* of draw_set_tag: picking, tests; 0 = none */
    Rect clip;    /* logical px, already cut to all clips around it */
    float alpha;  /* product of draw_push_alpha; multiply into every colour */
    Rect bounds;  /* box that the ink lies in (before the clip) */
    union {
        DrawRect rect;
        DrawShadow shadow;
        DrawLine line;
        DrawPolyline polyline;
        DrawBezier bezier;
        DrawCircle circle;
        DrawPolygon polygon;
        DrawPath path;
        DrawIcon icon;
        DrawText text; /* .text is what is shown (elided), .at the left end, .align DRAW_LEFT */
        DrawImage image;
        DrawHatch hatch;
        DrawCells cells;
        DrawCurves curves;
        DrawParticles particles;
        DrawScene scene;
    } u;
    const char *full_text; /* DRAW_TEXT that was elided: the whole, for tooltips and tests */
} DrawCmd;

enum { DRAW_STACK = 32 };

/** Zero is empty; freed with draw_list_free. Read cmds after draw_end; change nothing directly. */
typedef struct DrawList {
    ARRAY_OF(DrawCmd) cmds;
    Arena arena;    /* this frame's copies */
    FontSet *fonts; /* borrowed */
    float width, height;
    Color background; /* what the frame is cleared to; draw_set_background */
    Rect clips[DRAW_STACK];
    float alphas[DRAW_STACK];
    int n_clips, n_alphas;
    uint64_t tag;
    DrawBlend blend;
    Error error; /* first failure of this frame */
} DrawList;

/** Starts a frame of width x height logical px: forgets the last one, resets clip, alpha, tag. */
void draw_begin(DrawList *list, FontSet *fonts, float width, float height);
/** False with the first failure, or when a push was not popped. */
AS_MUST_CHECK bool draw_end(DrawList *list, Error *err);
void draw_list_free(DrawList *list);

void draw_set_background(DrawList *list, Color color);
/** Cuts what follows to r and to the clips around it, until the pop. Clip edges fall on whole
 * device pixels when painted. */
void draw_push_clip(DrawList *list, Rect r);
void draw_pop_clip(DrawList *list);
Rect draw_clip(const DrawList *list);
/** Multiplies the opacity of what follows, until the pop. */
void draw_push_alpha(DrawList *list, float alpha);
void draw_pop_alpha(DrawList *list);
/** What the following commands belong to. */
void draw_set_tag(DrawList *list, uint64_t tag);
void draw_set_blend(DrawList *list, DrawBlend blend);

/* Commands outside the clip or fully transparent are dropped. */
void draw_rect(DrawList *list, const DrawRect *r);
void draw_shadow(DrawList *list, const DrawShadow *s);
void draw_line(DrawList *list, const DrawLine *l);
void draw_polyline(DrawList *list, const DrawPolyline *p);
void draw_bezier(DrawList *list, const DrawBezier *b);
void draw_circle(DrawList *list, const DrawCircle *c);
void draw_polygon(DrawList *list, const DrawPolygon *p);
void draw_path(DrawList *list, const DrawPath *p);
void draw_icon(DrawList *list, const DrawIcon *i);
/** Returns the width that is taken (after elision). */
float draw_text(DrawList *list, const DrawText *t);
void draw_image(DrawList *list, const DrawImage *i);
void draw_hatch(DrawList *list, const DrawHatch *h);
void draw_cells(DrawList *list, const DrawCells *c);
void draw_curves(DrawList *list, const DrawCurves *c);
void draw_particles(DrawList *list, const DrawParticles *p);
/** Sheets, curves and dots are copied, cell values borrowed. */
void draw_scene(DrawList *list, const DrawScene *scene);

/** Text formatted printf-style into the list's arena, for labels; "" on failure. */
const char *draw_format(DrawList *list, const char *fmt, ...) AS_PRINTF(2, 3);
/** The tag (not 0) of the uppermost command whose bounds and clip hold p, or 0; of curves that of
 *  the one under p (curves_pick, within 3 px). */
uint64_t draw_pick(const DrawList *list, Vec2 p);

/** The list as text, one command a line, numbers to 0.01: what tests compare. Texts with parts from
 * the right have their characters in the order they are seen in, too ("seen"). */
AS_MUST_CHECK char *draw_dump(const DrawList *list, Arena *arena, Error *err);
const char *draw_kind_name(DrawKind kind);

/** The cells as they show at cols_px x rows_px device pixels when that is fewer than they are:
 *  every output texel is the max (mean) of the cells whose area it covers; masked ones count only
 *  where nothing else is. hide_future is applied first. out [out_rows][out_cols], masked = -INF. */
void cells_reduce(const DrawCells *cells, int32_t out_rows, int32_t out_cols, float *out);
