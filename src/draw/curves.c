#include "draw/curves.h"

#include <math.h>

#include "draw/easing.h"

static Vec2 mix(Vec2 a, Vec2 b, float t)
{
    return vec2(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t);
}

Vec2 curve_at(const DrawCurve *c, float t)
{
    Vec2 ab = mix(c->a, c->c1, t);
    Vec2 bc = mix(c->c1, c->c2, t);
    Vec2 cd = mix(c->c2, c->b, t);
    return mix(mix(ab, bc, t), mix(bc, cd, t), t);
}

Vec2 curve_direction(const DrawCurve *c, float t)
{
    float u = 1 - t;
    float x =
        u * u * (c->c1.x - c->a.x) + 2 * u * t * (c->c2.x - c->c1.x) + t * t * (c->b.x - c->c2.x);
    float y =
        u * u * (c->c1.y - c->a.y) + 2 * u * t * (c->c2.y - c->c1.y) + t * t * (c->b.y - c->c2.y);
    float n = sqrtf(x * x + y * y);
    if (!(n > 1e-4f)) {
        x = c->b.x - c->a.x;
        y = c->b.y - c->a.y;
        n = sqrtf(x * x + y * y);
    }
    return n > 1e-4f ? vec2(x / n, y / n) : vec2(1, 0);
}

float curve_width(const DrawCurve *c, float t)
{
    float end = c->width_end > 0 ? c->width_end : c->width;
    float mid = c->width_mid > 0 ? c->width_mid : (c->width + end) / 2;
    float w =
        c->width + t * (4 * mid - 3 * c->width - end) + t * t * (2 * (c->width + end) - 4 * mid);
    return AS_MAX(w, 0.0f);
}

Color curve_color(const DrawCurve *c, float t)
{
    return c->color_end.a > 0 ? color_mix(c->color, c->color_end, t) : c->color;
}

float curve_drawn(const DrawCurves *set, const DrawCurve *c)
{
    if (!(set->draw_s > 0)) {
        return 1;
    }
    return (float)ease_out_cubic((set->time_s - (double)c->enter_s) / (double)set->draw_s);
}

static float smooth(float t)
{
    t = AS_CLAMP(t, 0.0f, 1.0f);
    return t * t * (3 - 2 * t);
}

float curve_glow_fade(float t)
{
    return smooth(t / 0.05f) * smooth((1 - t) / 0.05f);
}

Rect curve_bounds(const DrawCurve *c)
{
    float x0 = fminf(fminf(c->a.x, c->c1.x), fminf(c->c2.x, c->b.x));
    float y0 = fminf(fminf(c->a.y, c->c1.y), fminf(c->c2.y, c->b.y));
    float x1 = fmaxf(fmaxf(c->a.x, c->c1.x), fmaxf(c->c2.x, c->b.x));
    float y1 = fmaxf(fmaxf(c->a.y, c->c1.y), fmaxf(c->c2.y, c->b.y));
    float widest = fmaxf(c->width, fmaxf(c->width_mid, c->width_end));
    float grow = widest / 2 + c->glow + 1;
    /* fmin and fmax pass over what is no number; the sum does not. */
    float poison = 0 * (c->a.x + c->a.y + c->c1.x + c->c1.y + c->c2.x + c->c2.y + c->b.x + c->b.y);
    return rect(x0 - grow + poison, y0 - grow, x1 - x0 + 2 * grow, y1 - y0 + 2 * grow);
}

static float distance_to(const DrawCurve *c, float t, Vec2 p)
{
    Vec2 at = curve_at(c, t);
    float dx = at.x - p.x;
    float dy = at.y - p.y;
    return sqrtf(dx * dx + dy * dy);
}

/* The best of even samples, then thirds of the interval around it. */
float curve_distance(const DrawCurve *c, float t1, Vec2 p, float *t_out)
{
    enum { SAMPLES = 32, STEPS = 18 };
    int best = 0;
    float least = INFINITY;
    for (int i = 0; i <= SAMPLES; i++) {
        float d = distance_to(c, t1 * (float)i / SAMPLES, p);
        if (d < least) {
            least = d;
            best = i;
        }
    }
    float lo = t1 * (float)AS_MAX(best - 1, 0) / SAMPLES;
    float hi = t1 * (float)AS_MIN(best + 1, SAMPLES) / SAMPLES;
    for (int i = 0; i < STEPS; i++) {
        float u = lo + (hi - lo) / 3;
        float v = hi - (hi - lo) / 3;
        if (distance_to(c, u, p) < distance_to(c, v, p)) {
            hi = v;
        } else {
            lo = u;
        }
    }
    float t = (lo + hi) / 2;
    if (t_out) {
        *t_out = t;
    }
    return fminf(distance_to(c, t, p), least);
}

size_t curves_pick(const DrawCurves *set, Vec2 p, float reach)
{
    size_t best = set->n;
    float nearest = reach;
    for (size_t i = set->n; i-- > 0;) {
        const DrawCurve *c = &set->curves[i];
        Rect box = curve_bounds(c);
        if (!c->tag || !rect_contains(rect_inset(box, -reach), p)) {
            continue;
        }
        float drawn = curve_drawn(set, c);
        float t;
        float d = drawn > 0 ? curve_distance(c, drawn, p, &t) : INFINITY;
        float beyond = drawn > 0 ? d - curve_width(c, t) / 2 : INFINITY;
        if (beyond <= 0) {
            return i;
        }
        if (beyond < nearest) {
            nearest = beyond;
            best = i;
        }
    }
    return best;
}

float particle_at(const DrawParticles *set, const DrawParticle *p, float *alpha)
{
    float t = p->phase + p->speed * (float)set->time_s;
    t -= floorf(t);
    float age = (float)set->time_s - p->enter_s;
    *alpha = smooth(age / PARTICLE_FADE_S) * smooth(t / 0.03f) * smooth((1 - t) / 0.03f);
    return t;
}
