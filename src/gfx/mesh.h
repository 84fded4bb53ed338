#pragma once
/*
 * Lines, curves and polygons as triangles with anti-aliased edges, in device pixels. No GL.
 */
#include "draw/draw_list.h"
#include "gfx/batch.h"

/** What all triangles of a figure share. */
typedef struct MeshStyle {
    Rect clip; /* device px */
    float soft;
    bool added;
    bool round_ends;
} MeshStyle;

/** A ribbon along points[0..n) (n >= 2) whose half width and colour run from one end to the other.
 *  Sharp turns are drawn as two ribbons that meet with round ends. */
void mesh_ribbon(Batcher *b, const Vec2 *points, size_t n, bool closed, float width,
                 float width_end, Color color, Color color_end, const MeshStyle *style);
/** A cubic a, c1, c2, d from t0 to t1. */
void mesh_bezier(Batcher *b, const Vec2 p[4], float t0, float t1, float width, float width_end,
                 Color color, Color color_end, const MeshStyle *style);
/** A convex polygon. */
void mesh_polygon(Batcher *b, const Vec2 *points, size_t n, Color color, const MeshStyle *style);
/** 45 degree lines in a convex polygon; `start` is where on the x axis one line lies. */
void mesh_hatch(Batcher *b, const Vec2 *points, size_t n, float spacing, float width, float start,
                Color color, const MeshStyle *style);
