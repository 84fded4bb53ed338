#pragma once
/* What SVG and cairo share: cells as pixels, beziers as outlines. Not for other folders. */
#include "export/export.h"

/** Pixels of cells: one a cell, or fewer where a cell is smaller than a device pixel. */
typedef struct CellPicture {
    unsigned char *rgba; /* [rows][cols][4], straight alpha (masked = its colour), arena's */
    int32_t rows, cols;
} CellPicture;

/** At `scale` device pixels per logical one; the command's opacity is not in it. */
AS_MUST_CHECK bool picture_cells(const DrawCells *cells, float scale, Arena *arena,
                                 CellPicture *out, Error *err);
/** The part t0..t1 of a cubic, as a cubic (de Casteljau). */
void picture_bezier_part(const DrawBezier *b, Vec2 out[4]);
enum { PICTURE_OUTLINE = 66 };
/** The outline of a ribbon of varying width around a cubic: PICTURE_OUTLINE points. */
void picture_bezier_outline(const Vec2 p[4], float width, float width_end,
                            Vec2 out[PICTURE_OUTLINE]);
/* ---- curves and particles (picture_curves.c) ---- */

/** False for curves that are no numbers or have no opacity: nothing of them is drawn. */
bool picture_curve_seen(const DrawCurve *c);
/** The part 0..drawn, as a cubic. */
void picture_curve_part(const DrawCurve *c, float drawn, Vec2 out[4]);
/** The outline of that part; its width times share, plus grow. */
void picture_curve_outline(const DrawCurve *c, float drawn, float share, float grow,
                           Vec2 out[PICTURE_OUTLINE]);
enum { PICTURE_GLOWS = 3, PICTURE_TAILS = 4 };
/** A glow as strokes that are `grow` px wider than the curve. */
typedef struct PictureGlow {
    float grow, alpha;
} PictureGlow;
/** How many there are; 0 = it could not be seen. */
int picture_curve_glow(const DrawCurve *c, PictureGlow out[PICTURE_GLOWS]);

/** Opacity of a dot's light in its middle. */
#define PICTURE_HALO 0.75f
/** A particle at the set's time. */
typedef struct PictureParticle {
    Vec2 at;
    float radius, halo;
    Color color; /* its opacity at this time in it */
    Vec2 arrow[3];
    int n_tails; /* lines from tail[k] to tail[k + 1] */
    Vec2 tail[PICTURE_TAILS + 1];
    float tail_alpha[PICTURE_TAILS], tail_width[PICTURE_TAILS];
} PictureParticle;
/** False while it is not seen. */
bool picture_particle(const DrawParticles *set, const DrawParticle *item, PictureParticle *out);

/** A scene as pixels, twice as fine as the picture's device pixels so that it can be enlarged. */
AS_MUST_CHECK bool picture_scene(const DrawList *list, const DrawCmd *cmd, const ExportDesc *desc,
                                 Arena *arena, CellPicture *out, Error *err);
/** What export settings mean. */
float export_scale(const ExportDesc *desc);
int32_t export_cells_most(const ExportDesc *desc);
