#pragma once
/*
 * A scene in space, as one command of a display list: level sheets with cells on them, curves and
 * dots between them, seen by a camera. Sheets lie level (y = height) and do not meet, so painting
 * from far to near is exact: sheets by their height from the eye, everything else in the gap
 * between two sheets that it lies in, pieces of curves in a gap by their depth. scene3d_build makes
 * that order; painters only follow it.
 *
 *   eye above: sheet 0, gap 0-1, sheet 1, gap 1-2, …      eye below: the other way round
 *   eye between two sheets: both halves from their far ends, the gap of the eye last
 *
 * Text is not part of a scene: a view projects its places and writes it as text.
 */
#include "draw/camera3d.h"
#include "draw/color.h"
#include "base/arena.h"
#include "draw/colormap.h"

/** Values 0..1 of cells on a sheet as they are coloured: a pyramid of maxima. */
typedef struct SceneCells {
    const float *values; /* [rows, cols], -INFINITY or NaN = not there; borrowed until painted */
    int32_t rows, cols;
    uint64_t version; /* equal non-zero versions promise equal values; 0 = sent anew each frame */
} SceneCells;

/** A level rectangle; columns run along x, rows along z. */
typedef struct ScenePlane {
    float y, x0, z0, x1, z1; /* row 0 at z0, column 0 at x0 */
    SceneCells cells;        /* values NULL: a bare sheet */
    SceneCells next;         /* what the cells are changing into … */
    float mix;               /* … and how far they are: 0..1 */
    Color sheet;             /* under the cells, with its opacity */
    float cell_alpha;        /* opacity of a cell whose scaled value is 0 … */
    float cell_alpha_more;   /* … and how much of it a scaled value of 1 has more */
    float skip;              /* scaled values below are not drawn */
    float alpha;             /* of the whole; 0 = 1 */
    uint64_t tag;            /* of what is picked; 0 = nothing */
} ScenePlane;

/** A cubic curve in space, as wide on the screen as said whatever its depth. */
typedef struct SceneCurve {
    Vec3 p[4];              /* straight: p[0] to p[3] */
    bool straight;          /* cut where it goes through sheets */
    float width;            /* logical px */
    float width_end;        /* 0 = width */
    Color color, color_end; /* color_end of opacity 0 = color */
    float core;             /* 0..1: how white its middle is */
    float glow;             /* px of light beyond its edge, added to what is behind; 0 = none */
    float glow_alpha;       /* of that light at the edge */
    float t0, t1;           /* part that is drawn; both 0 = all */
    bool added;             /* adds light instead of covering */
    uint64_t tag;
} SceneCurve;

/** A round dot, as large on the screen as said. */
typedef struct SceneDot {
    Vec3 at;
    float radius; /* logical px */
    Color color;
    float glow, glow_alpha;
    uint64_t tag;
} SceneDot;

typedef struct DrawScene {
    Rect box;
    Camera3D camera;
    Color ground[3];     /* behind everything, from the middle to the edge, opaque */
    Vec2 ground_middle;  /* logical px */
    float ground_radius; /* px to the third colour, the second lies half way */
    Colormap map;
    Scale scale;
    float cell_gap;           /* px between cells that are large enough; 0 = none */
    const ScenePlane *planes; /* copied; any order */
    size_t n_planes;
    const SceneCurve *curves; /* copied */
    size_t n_curves;
    const SceneDot *dots; /* copied */
    size_t n_dots;
} DrawScene;

/* ---- for painters ---- */

/** A corner of a ribbon's piece, in device px. A piece is a quad of four, its long sides along the
 *  curve; neighbours share their corners' places. */
typedef struct SceneVertex {
    float at[2];
    float along, across, length; /* px from the beginning, from the middle line; of the whole */
    float half;                  /* half width, px */
    float glow, glow_alpha, core;
    float added;
    uint32_t color; /* packed, straight */
} SceneVertex;

/** What is painted next: one sheet, or a run of pieces. */
typedef struct SceneStep {
    bool is_plane;
    uint32_t plane;    /* index into scene->planes */
    uint32_t first, n; /* pieces: four vertices each */
} SceneStep;

/** Zero is empty; scene3d_geometry_free. */
typedef struct SceneGeometry {
    ARRAY_OF(SceneStep) steps;
    ARRAY_OF(SceneVertex) vertices;
    ARRAY_OF(struct ScenePiece) pieces; /* scratch */
} SceneGeometry;

/** Everything of a scene from far to near. scale: device px per logical px. */
AS_MUST_CHECK bool scene3d_build(const DrawScene *scene, float scale, SceneGeometry *out,
                                 Error *err);
/** The scene's box as opaque RGBA bytes [height][width][4], painted by the processor: for machines
 *  without GL. Slow (some 100 ms a frame). width, height: device px of the box. */
AS_MUST_CHECK bool scene3d_raster(const DrawScene *scene, float scale, int32_t width,
                                  int32_t height, unsigned char *rgba, Error *err);
void scene3d_geometry_free(SceneGeometry *geometry);
/** A sheet on the screen, in device px. Corners are (u, v) = (0, 0), (1, 0), (0, 1), (1, 1). */
typedef struct SceneSheet {
    float corner[4][3]; /* homogeneous: x w, y w, w */
    float reach[4][2];  /* how much of u and v one pixel covers at the corner */
    float middle[2];    /* the same in the middle of the sheet */
    float grown[2];     /* how far to draw beyond 0..1, so that the edge can fade */
} SceneSheet;
void scene3d_sheet(const View3D *view, const ScenePlane *plane, float scale, SceneSheet *out);
/** How to find the largest value a pixel covers: the level of the pyramid of maxima, how many of
 * its texels (1 to 4) and along which side (0 columns, 1 rows). Level 0 and one texel while a cell
 * is about a pixel or more. */
void scene3d_taps(const SceneSheet *sheet, const SceneCells *cells, float out[3]);
/** 0..1: gaps are there from cells of 4 px, in full from 9 px. */
float scene3d_gap_strength(const SceneSheet *sheet, const SceneCells *cells);
/** A point of a curve at t in 0..1. */
Vec3 scene3d_curve_at(const SceneCurve *curve, float t);
/** What lies under a logical pixel, nearest first: a dot or curve (within reach_px of it) or a
 *  sheet. tag 0 = nothing. plane/u/v (may be NULL): the sheet and the place on it, 0..1 along its
 *  columns and rows. */
typedef struct SceneHit {
    uint64_t tag;
    int32_t plane; /* -1 = not a sheet */
    float u, v;
    float depth;
} SceneHit;
SceneHit scene3d_pick(const DrawScene *scene, Vec2 at, float reach_px);
