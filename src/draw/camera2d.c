#include "draw/camera2d.h"

#include <math.h>

static double fit_zoom(const Camera2D *c)
{
    double zx = (double)c->view.w / AS_MAX(c->world_w, 1e-9);
    double zy = (double)c->view.h / AS_MAX(c->world_h, 1e-9);
    return AS_MAX(AS_MIN(zx, zy), 1e-12);
}

Camera2D camera2d_fit(Rect view, double world_w, double world_h, double margin_px)
{
    Camera2D c = {.view = view, .world_w = world_w, .world_h = world_h};
    double w = AS_MAX((double)view.w - 2 * margin_px, 1.0);
    double h = AS_MAX((double)view.h - 2 * margin_px, 1.0);
    double zoom = AS_MIN(w / AS_MAX(world_w, 1e-9), h / AS_MAX(world_h, 1e-9));
    c.zoom_x = c.zoom_y = zoom;
    c.origin_x = world_w / 2 - (double)view.w / zoom / 2;
    c.origin_y = world_h / 2 - (double)view.h / zoom / 2;
    return c;
}

Vec2 camera2d_to_screen(const Camera2D *c, double x, double y)
{
    return vec2((float)((double)c->view.x + (x - c->origin_x) * c->zoom_x),
                (float)((double)c->view.y + (y - c->origin_y) * c->zoom_y));
}

void camera2d_to_world(const Camera2D *c, Vec2 screen, double *x, double *y)
{
    *x = c->origin_x + (double)(screen.x - c->view.x) / c->zoom_x;
    *y = c->origin_y + (double)(screen.y - c->view.y) / c->zoom_y;
}

void camera2d_zoom_at(Camera2D *c, Vec2 pointer, double factor)
{
    if (!(factor > 0) || !isfinite(factor)) {
        return;
    }
    double lo = c->min_zoom > 0 ? c->min_zoom : fit_zoom(c);
    double hi = AS_MAX(c->max_zoom > 0 ? c->max_zoom : 256.0, lo);
    /* One factor for both axes, so that their ratio is kept at the limits. */
    double smaller = AS_MIN(c->zoom_x, c->zoom_y);
    double larger = AS_MAX(c->zoom_x, c->zoom_y);
    if (factor < 1) {
        factor = AS_MIN(1.0, AS_MAX(factor, lo / smaller));
    } else {
        factor = AS_MAX(1.0, AS_MIN(factor, hi / larger));
    }
    double x;
    double y;
    camera2d_to_world(c, pointer, &x, &y);
    c->zoom_x *= factor;
    c->zoom_y *= factor;
    c->origin_x = x - (double)(pointer.x - c->view.x) / c->zoom_x;
    c->origin_y = y - (double)(pointer.y - c->view.y) / c->zoom_y;
    camera2d_clamp(c);
}

void camera2d_pan(Camera2D *c, Vec2 d)
{
    c->origin_x -= (double)d.x / c->zoom_x;
    c->origin_y -= (double)d.y / c->zoom_y;
    camera2d_clamp(c);
}

void camera2d_show(Camera2D *c, double x0, double y0, double x1, double y1)
{
    double w = AS_MAX(x1 - x0, 1e-9);
    double h = AS_MAX(y1 - y0, 1e-9);
    double zoom = AS_MIN((double)c->view.w / w, (double)c->view.h / h);
    double lo = c->min_zoom > 0 ? c->min_zoom : fit_zoom(c);
    double hi = AS_MAX(c->max_zoom > 0 ? c->max_zoom : 256.0, lo);
    zoom = AS_CLAMP(zoom, lo, hi);
    c->zoom_x = c->zoom_y = zoom;
    c->origin_x = (x0 + x1) / 2 - (double)c->view.w / zoom / 2;
    c->origin_y = (y0 + y1) / 2 - (double)c->view.h / zoom / 2;
    camera2d_clamp(c);
}

static double clamp_axis(double origin, double seen, double world)
{
    if (seen >= world) {
        return (world - seen) / 2;
    }
    return AS_CLAMP(origin, 0.0, world - seen);
}

void camera2d_clamp(Camera2D *c)
{
    c->origin_x = clamp_axis(c->origin_x, (double)c->view.w / c->zoom_x, c->world_w);
    c->origin_y = clamp_axis(c->origin_y, (double)c->view.h / c->zoom_y, c->world_h);
}

void camera2d_visible(const Camera2D *c, double *x0, double *y0, double *x1, double *y1)
{
    *x0 = AS_CLAMP(c->origin_x, 0.0, c->world_w);
    *y0 = AS_CLAMP(c->origin_y, 0.0, c->world_h);
    *x1 = AS_CLAMP(c->origin_x + (double)c->view.w / c->zoom_x, 0.0, c->world_w);
    *y1 = AS_CLAMP(c->origin_y + (double)c->view.h / c->zoom_y, 0.0, c->world_h);
}

/* How far the extent seen at `zoom` lies on its way from a's to b's; t where they are (nearly) the
 * same, for there only rounding would be divided by rounding. */
static double zoom_share(double a, double b, double zoom, double t)
{
    return fabs(b - a) <= 1e-9 * a ? t : (1 / zoom - 1 / a) / (1 / b - 1 / a);
}

Camera2D camera2d_mix(const Camera2D *a, const Camera2D *b, double t)
{
    t = AS_CLAMP(t, 0.0, 1.0);
    if (t >= 1) {
        return *b;
    }
    Camera2D c = *b;
    c.zoom_x = a->zoom_x * pow(b->zoom_x / a->zoom_x, t);
    c.zoom_y = a->zoom_y * pow(b->zoom_y / a->zoom_y, t);
    /* The centre follows the zoom rather than the time: moving in and moving out are then each
     * other's reverse, and a fixed point between the two stays fixed. */
    double ux = zoom_share(a->zoom_x, b->zoom_x, c.zoom_x, t);
    double uy = zoom_share(a->zoom_y, b->zoom_y, c.zoom_y, t);
    c.origin_x = a->origin_x + (b->origin_x - a->origin_x) * ux;
    c.origin_y = a->origin_y + (b->origin_y - a->origin_y) * uy;
    return c;
}
