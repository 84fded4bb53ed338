#include "export/canvas.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

static void trace_outline(Canvas *c, const Vec2 *p, size_t n)
{
    cairo_new_path(c->cr);
    for (size_t i = 0; i < n; i++) {
        cairo_line_to(c->cr, (double)p[i].x, (double)p[i].y);
    }
    cairo_close_path(c->cr);
}

static void fill_curve(Canvas *c, const DrawCurve *curve, float drawn, float share, float grow)
{
    Vec2 outline[PICTURE_OUTLINE];
    picture_curve_outline(curve, drawn, share, grow, outline);
    trace_outline(c, outline, PICTURE_OUTLINE);
    cairo_fill(c->cr);
}

/* PDF has no addition; screening is its nearest kin and stays a vector. */
static void set_added(Canvas *c, bool added)
{
    cairo_operator_t add = c->is_pdf ? CAIRO_OPERATOR_SCREEN : CAIRO_OPERATOR_ADD;
    cairo_set_operator(c->cr, added ? add : CAIRO_OPERATOR_OVER);
}

static void fill_gradient(Canvas *c, const DrawCurve *curve, float drawn)
{
    Color end = curve_color(curve, 1);
    cairo_pattern_t *p = cairo_pattern_create_linear((double)curve->a.x, (double)curve->a.y,
                                                     (double)curve->b.x, (double)curve->b.y);
    const Color stops[2] = {curve->color, end};
    for (int i = 0; i < 2; i++) {
        cairo_pattern_add_color_stop_rgba(p, i, (double)stops[i].r, (double)stops[i].g,
                                          (double)stops[i].b, (double)(stops[i].a * c->cmd->alpha));
    }
    cairo_set_source(c->cr, p);
    cairo_pattern_destroy(p);
    fill_curve(c, curve, drawn, 1, 0);
}

void canvas_curves(Canvas *c)
{
    const DrawCurves *set = &c->cmd->u.curves;
    for (size_t i = 0; i < set->n; i++) {
        const DrawCurve *curve = &set->curves[i];
        float drawn = curve_drawn(set, curve);
        if (!picture_curve_seen(curve) || drawn <= 0) {
            continue;
        }
        PictureGlow glow[PICTURE_GLOWS];
        int n_glows = picture_curve_glow(curve, glow);
        set_added(c, !set->glow_over);
        for (int k = 0; k < n_glows; k++) {
            canvas_color(c, color_with_alpha(curve->color, glow[k].alpha));
            fill_curve(c, curve, drawn, 1, glow[k].grow);
        }
        set_added(c, c->cmd->blend == DRAW_ADD);
        if (color_equal(curve->color, curve_color(curve, 1))) {
            canvas_color(c, curve->color);
            fill_curve(c, curve, drawn, 1, 0);
        } else {
            fill_gradient(c, curve, drawn);
        }
        if (curve->core > 0) {
            canvas_color(c, color_fade(set->core, curve->color.a));
            fill_curve(c, curve, drawn, curve->core, 0);
        }
    }
}

static void fill_circle(Canvas *c, Vec2 at, float radius)
{
    cairo_new_path(c->cr);
    cairo_arc(c->cr, (double)at.x, (double)at.y, (double)radius, 0, 2 * PI);
    cairo_fill(c->cr);
}

static void paint_halo(Canvas *c, const PictureParticle *p)
{
    cairo_pattern_t *halo = cairo_pattern_create_radial(
        (double)p->at.x, (double)p->at.y, 0, (double)p->at.x, (double)p->at.y, (double)p->halo);
    for (int i = 0; i <= 4; i++) {
        float u = 1 - (float)i / 4;
        cairo_pattern_add_color_stop_rgba(
            halo, (double)(1 - u), (double)p->color.r, (double)p->color.g, (double)p->color.b,
            (double)(PICTURE_HALO * u * u * p->color.a * c->cmd->alpha));
    }
    cairo_set_source(c->cr, halo);
    cairo_pattern_destroy(halo);
    fill_circle(c, p->at, p->halo);
}

static void stroke_points(Canvas *c, const Vec2 *p, size_t n, float width)
{
    cairo_new_path(c->cr);
    for (size_t i = 0; i < n; i++) {
        cairo_line_to(c->cr, (double)p[i].x, (double)p[i].y);
    }
    cairo_set_line_width(c->cr, (double)width);
    cairo_stroke(c->cr);
}

void canvas_particles(Canvas *c)
{
    const DrawParticles *set = &c->cmd->u.particles;
    bool arrows = set->shape == PARTICLE_ARROW;
    set_added(c, !set->over && !arrows);
    for (size_t i = 0; i < set->n; i++) {
        PictureParticle p;
        if (!picture_particle(set, &set->items[i], &p)) {
            continue;
        }
        if (arrows) {
            canvas_color(c, p.color);
            cairo_set_line_cap(c->cr, CAIRO_LINE_CAP_ROUND);
            cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
            stroke_points(c, p.arrow, 3, p.radius * 0.64f);
            continue;
        }
        cairo_set_line_cap(c->cr, CAIRO_LINE_CAP_BUTT);
        for (int k = 0; k < p.n_tails; k++) {
            canvas_color(c, color_with_alpha(p.color, p.tail_alpha[k]));
            stroke_points(c, &p.tail[k], 2, p.tail_width[k]);
        }
        paint_halo(c, &p);
        canvas_color(c, color_fade(set->core, p.color.a));
        fill_circle(c, p.at, p.radius);
    }
}
