#include "export/picture.h"

#include <math.h>

bool picture_curve_seen(const DrawCurve *c)
{
    Rect b = curve_bounds(c);
    return isfinite(b.x) && isfinite(b.y) && isfinite(b.w) && isfinite(b.h) && c->color.a > 0;
}

void picture_curve_part(const DrawCurve *c, float drawn, Vec2 out[4])
{
    DrawBezier b = {.a = c->a, .c1 = c->c1, .c2 = c->c2, .b = c->b, .t1 = drawn};
    picture_bezier_part(&b, out);
}

void picture_curve_outline(const DrawCurve *c, float drawn, float share, float grow,
                           Vec2 out[PICTURE_OUTLINE])
{
    enum { N = PICTURE_OUTLINE / 2 };
    for (int i = 0; i < N; i++) {
        float t = drawn * (float)i / (N - 1);
        Vec2 at = curve_at(c, t);
        Vec2 way = curve_direction(c, t);
        float half = (curve_width(c, t) * share + grow) / 2;
        out[i] = vec2(at.x - way.y * half, at.y + way.x * half);
        out[PICTURE_OUTLINE - 1 - i] = vec2(at.x + way.y * half, at.y - way.x * half);
    }
}

/* The square that the shader draws, in three steps that add up. */
int picture_curve_glow(const DrawCurve *c, PictureGlow out[PICTURE_GLOWS])
{
    static const float share[PICTURE_GLOWS] = {1.0f, 0.65f, 0.42f};
    static const float part[PICTURE_GLOWS] = {0.03f, 0.19f, 0.42f};
    static const float LEAST = 0.002f;
    float widest = fmaxf(c->width, fmaxf(c->width_mid, c->width_end));
    int n = 0;
    for (int k = 0; c->glow > 0 && k < PICTURE_GLOWS; k++) {
        float grow = (widest + 2 * c->glow) * share[k] - widest;
        if (part[k] * c->glow_alpha >= LEAST && grow > 0) {
            out[n++] = (PictureGlow){.grow = grow, .alpha = part[k] * c->glow_alpha};
        }
    }
    return n;
}

bool picture_particle(const DrawParticles *set, const DrawParticle *item, PictureParticle *out)
{
    const DrawCurve *c = &set->curves[item->curve];
    float alpha;
    float t = particle_at(set, item, &alpha);
    if (!(alpha > 0) || !picture_curve_seen(c)) {
        return false;
    }
    Vec2 at = curve_at(c, t);
    Vec2 way = curve_direction(c, t);
    if (item->speed < 0) {
        way = vec2(-way.x, -way.y);
    }
    float r = item->radius;
    *out = (PictureParticle){.at = at,
                             .radius = r,
                             .halo = fmaxf(item->halo, r),
                             .color = color_fade(item->color, alpha)};
    /* The head of the arrow in the shader: from its tip back and out, at 45 degrees. */
    Vec2 tip = vec2(at.x + way.x * r * 0.7f, at.y + way.y * r * 0.7f);
    float back = r * 1.5f * 0.7071f;
    out->arrow[0] = vec2(tip.x - way.x * back - way.y * back, tip.y - way.y * back + way.x * back);
    out->arrow[1] = tip;
    out->arrow[2] = vec2(tip.x - way.x * back + way.y * back, tip.y - way.y * back - way.x * back);
    if (item->tail > 0) {
        out->n_tails = PICTURE_TAILS;
        for (int k = 0; k <= PICTURE_TAILS; k++) {
            float s = (float)k / PICTURE_TAILS;
            out->tail[k] = vec2(at.x - way.x * item->tail * s, at.y - way.y * item->tail * s);
        }
        for (int k = 0; k < PICTURE_TAILS; k++) {
            float s = 1 - ((float)k + 0.5f) / PICTURE_TAILS;
            out->tail_alpha[k] = 0.8f * s * s * out->color.a;
            out->tail_width[k] = 2 * r * s + 1;
        }
    }
    return true;
}
