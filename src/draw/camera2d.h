#pragma once
/*
 * A flat camera: which part of a world (cells of a matrix, tokens of an axis) is seen in a
 * rectangle of the screen. World coordinates are doubles, so that 131,072 cells pan smoothly. Any
 * thread.
 */
#include "draw/geometry.h"

/** screen = view.xy + (world - origin) * zoom, each axis for itself. */
typedef struct Camera2D {
    Rect view;                 /* on the screen, logical px */
    double origin_x, origin_y; /* world point at the view's top left */
    double zoom_x, zoom_y;     /* px per world unit, > 0 */
    double world_w, world_h;   /* extent of the world, from 0,0 */
    double min_zoom, max_zoom; /* limits; 0 = fit the world / 256 px */
} Camera2D;

/** The whole world centred in the view, `margin_px` free on every side, same zoom on both axes. */
Camera2D camera2d_fit(Rect view, double world_w, double world_h, double margin_px);
Vec2 camera2d_to_screen(const Camera2D *camera, double x, double y);
void camera2d_to_world(const Camera2D *camera, Vec2 screen, double *x, double *y);
/** Multiplies the zoom; the world point under `pointer` stays under it. Limits are kept. */
void camera2d_zoom_at(Camera2D *camera, Vec2 pointer, double factor);
/** Moves the world by d pixels. */
void camera2d_pan(Camera2D *camera, Vec2 d);
/** Shows the world rectangle x0..x1, y0..y1, as large as it fits with equal zoom. */
void camera2d_show(Camera2D *camera, double x0, double y0, double x1, double y1);
/** Keeps at least a part of the world in view: a world smaller than the view is centred, a larger
 *  one has no free border. Called by the others. */
void camera2d_clamp(Camera2D *camera);
/** The visible world, cut to its extent. */
void camera2d_visible(const Camera2D *camera, double *x0, double *y0, double *x1, double *y1);
/** Between two cameras, zoom on a log scale; for camera moves. */
Camera2D camera2d_mix(const Camera2D *a, const Camera2D *b, double t);
