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
/** What export settings mean. */
float export_scale(const ExportDesc *desc);
int32_t export_cells_most(const ExportDesc *desc);
