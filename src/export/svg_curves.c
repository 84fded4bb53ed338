#include "export/svg.h"

/* A curve of one width is a stroke, so that it can be edited; others are outlines. */
static bool is_even(const DrawCurve *c)
{
    return (c->width_mid <= 0 || c->width_mid == c->width) &&
           (c->width_end <= 0 || c->width_end == c->width);
}

static void put_shape(Svg *s, const DrawCurve *c, float drawn, float grow, float share,
                      int gradient, Color color)
{
    bool even = is_even(c);
    if (even) {
        Vec2 p[4];
        picture_curve_part(c, drawn, p);
        svg_put(s, "<path fill=\"none\" d=\"");
        svg_pair(s, "M", p[0]);
        svg_pair(s, " C", p[1]);
        svg_pair(s, " ", p[2]);
        svg_pair(s, " ", p[3]);
        svg_put(s, "\"");
        svg_attr(s, "stroke-width", c->width * share + grow);
    } else {
        Vec2 outline[PICTURE_OUTLINE];
        picture_curve_outline(c, drawn, share, grow, outline);
        svg_put(s, "<polygon");
        svg_points(s, outline, PICTURE_OUTLINE);
    }
    if (gradient) {
        svg_url(s, even ? "stroke" : "fill", gradient);
    } else {
        svg_color(s, even ? "stroke" : "fill", color);
    }
    svg_put(s, "/>\n");
}

/* Everything of a command that is blended alike goes into one group: the blend belongs to it. */
static void open_group(Svg *s, bool added)
{
    DrawCmd cmd = *s->cmd;
    const DrawCmd *before = s->cmd;
    cmd.blend = added ? DRAW_ADD : DRAW_OVER;
    s->cmd = &cmd;
    svg_put(s, "<g");
    svg_common(s);
    svg_put(s, ">\n");
    s->cmd = before;
}

void svg_curves(Svg *s)
{
    const DrawCurves *set = &s->cmd->u.curves;
    for (size_t i = 0; i < set->n && s->ok; i++) {
        const DrawCurve *c = &set->curves[i];
        float drawn = curve_drawn(set, c);
        if (!picture_curve_seen(c) || drawn <= 0) {
            continue;
        }
        PictureGlow glow[PICTURE_GLOWS];
        int n_glows = picture_curve_glow(c, glow);
        if (n_glows) {
            open_group(s, !set->glow_over);
            for (int k = 0; k < n_glows; k++) {
                put_shape(s, c, drawn, glow[k].grow, 1, 0,
                          color_with_alpha(c->color, glow[k].alpha));
            }
            svg_put(s, "</g>\n");
        }
        open_group(s, s->cmd->blend == DRAW_ADD);
        Color end = curve_color(c, 1);
        int gradient =
            color_equal(c->color, end) ? 0 : svg_define_gradient(s, c->a, c->b, c->color, end);
        put_shape(s, c, drawn, 0, 1, gradient, c->color);
        if (c->core > 0) {
            put_shape(s, c, drawn, 0, c->core, 0, color_fade(set->core, c->color.a));
        }
        svg_put(s, "</g>\n");
    }
}

static void put_circle(Svg *s, Vec2 at, float radius)
{
    svg_put(s, "<circle");
    svg_attr(s, "cx", at.x);
    svg_attr(s, "cy", at.y);
    svg_attr(s, "r", radius);
}

/* The falling light of a dot, for any circle. */
static int define_halo(Svg *s, Color color)
{
    int id = ++s->n_ids;
    s->ok = s->ok && strbuf_printf(&s->out, s->err, "<radialGradient id=\"i%d\">", id);
    for (int i = 0; i <= 4; i++) {
        float u = 1 - (float)i / 4;
        uint32_t packed = color_pack(color);
        const unsigned char *p = (const unsigned char *)&packed;
        s->ok = s->ok && strbuf_printf(&s->out, s->err, "<stop stop-color=\"#%02X%02X%02X\"", p[0],
                                       p[1], p[2]);
        svg_attr(s, "offset", 1 - u);
        svg_attr(s, "stop-opacity", PICTURE_HALO * u * u * s->cmd->alpha);
        svg_put(s, "/>");
    }
    svg_put(s, "</radialGradient>\n");
    return id;
}

static void put_dot(Svg *s, const DrawParticles *set, const PictureParticle *p, int halo)
{
    for (int k = 0; k < p->n_tails; k++) {
        svg_put(s, "<line");
        svg_attr(s, "x1", p->tail[k].x);
        svg_attr(s, "y1", p->tail[k].y);
        svg_attr(s, "x2", p->tail[k + 1].x);
        svg_attr(s, "y2", p->tail[k + 1].y);
        svg_color(s, "stroke", color_with_alpha(p->color, p->tail_alpha[k]));
        svg_attr(s, "stroke-width", p->tail_width[k]);
        svg_put(s, "/>\n");
    }
    put_circle(s, p->at, p->halo);
    svg_url(s, "fill", halo);
    svg_attr(s, "opacity", p->color.a);
    svg_put(s, "/>\n");
    put_circle(s, p->at, p->radius);
    svg_color(s, "fill", color_fade(set->core, p->color.a));
    svg_put(s, "/>\n");
}

void svg_particles(Svg *s)
{
    const DrawParticles *set = &s->cmd->u.particles;
    bool arrows = set->shape == PARTICLE_ARROW;
    int halo = 0;
    Color halo_color = {0};
    open_group(s, !set->over && !arrows);
    for (size_t i = 0; i < set->n && s->ok; i++) {
        PictureParticle p;
        if (!picture_particle(set, &set->items[i], &p)) {
            continue;
        }
        if (arrows) {
            svg_put(s,
                    "<polyline fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\"");
            svg_points(s, p.arrow, 3);
            svg_color(s, "stroke", p.color);
            svg_attr(s, "stroke-width", p.radius * 0.64f);
            svg_put(s, "/>\n");
            continue;
        }
        Color base = color_with_alpha(p.color, 1);
        if (!halo || !color_equal(base, halo_color)) {
            halo = define_halo(s, base);
            halo_color = base;
        }
        put_dot(s, set, &p, halo);
    }
    svg_put(s, "</g>\n");
}
