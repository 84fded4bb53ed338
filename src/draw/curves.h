#pragma once
/*
 * Many weighted curves, and what runs along them, as one drawing command each: a painter draws all
 * of them in one call and tessellates them itself, so the lists may be long. Everything that moves
 * is a closed form of a time: a curve is drawn in from its beginning, a particle is somewhere on
 * its curve. The formulas here are those of the shaders (curve.vert, particle.vert). Any thread.
 */
#include "draw/color.h"
#include "draw/geometry.h"

/** A cubic a, c1, c2, b whose width runs through three values and whose colour through two. */
typedef struct DrawCurve {
    Vec2 a, c1, c2, b;
    float width, width_mid, width_end; /* px at t = 0, 1/2, 1; mid and end 0 = width */
    float glow;             /* px that the soft light reaches beyond the edge; 0 = none */
    float glow_alpha;       /* its opacity on the middle line */
    float core;             /* share of the width that is light; 0 = none */
    float enter_s;          /* when it begins to be drawn (DrawCurves.time_s) */
    Color color, color_end; /* at a and b; color_end.a 0 = color */
    uint64_t tag;           /* picking, tests; 0 = none */
} DrawCurve;

/** Curves in painting order. Borrowed until painted. */
typedef struct DrawCurves {
    const DrawCurve *curves;
    size_t n;
    uint64_t version; /* equal non-zero versions promise equal curves: a painter keeps them */
    double time_s;
    float draw_s;   /* each is drawn in over this long; 0 = all are whole */
    Color core;     /* colour of the light cores */
    bool glow_over; /* the glow lies over what is below (light themes); else it is added */
} DrawCurves;

typedef enum ParticleShape { PARTICLE_DOT, PARTICLE_ARROW } ParticleShape;

/** Something small that runs along a curve. */
typedef struct DrawParticle {
    uint32_t curve; /* index of its curve */
    float phase;    /* share of the way at time 0 */
    float speed;    /* ways a second from a to b; below 0 from b to a */
    float radius;   /* px: of the dot, half the size of the arrow */
    float halo;     /* px from its middle that its light reaches; at least radius */
    float tail;     /* px that it draws behind it */
    float enter_s;  /* not seen before; fades in over PARTICLE_FADE_S */
    Color color;    /* of halo and tail, and of arrows */
} DrawParticle;

/** Borrowed until painted, the curves too. */
typedef struct DrawParticles {
    const DrawCurve *curves;
    size_t n_curves;
    const DrawParticle *items;
    size_t n;
    uint64_t version; /* as in DrawCurves; covers curves and items */
    double time_s;
    ParticleShape shape;
    Color core; /* of the dots themselves */
    bool over;  /* light lies over what is below (light themes); else it is added */
} DrawParticles;

#define PARTICLE_FADE_S 0.3f

Vec2 curve_at(const DrawCurve *c, float t);
/** Direction of growing t, of length 1. */
Vec2 curve_direction(const DrawCurve *c, float t);
/** px at t: the parabola through the three widths, never below 0. */
float curve_width(const DrawCurve *c, float t);
/** The colour at t. */
Color curve_color(const DrawCurve *c, float t);
/** Share of the curve that is drawn at the set's time, 0..1. */
float curve_drawn(const DrawCurves *set, const DrawCurve *c);
/** How strong the glow is at t: it dies away towards both ends. */
float curve_glow_fade(float t);
/** Box of the ink, glow included. */
Rect curve_bounds(const DrawCurve *c);
/** Distance of p from the middle line between 0 and t1, px; *t (may be NULL) is where. */
float curve_distance(const DrawCurve *c, float t1, Vec2 p, float *t);
/** The uppermost curve whose ink holds p, else the one whose edge is nearest within `reach` px;
 *  its index, or set->n. Curves without a tag are not picked. */
size_t curves_pick(const DrawCurves *set, Vec2 p, float reach);

/** Where a particle is: its t, and its opacity 0..1 (0 = not seen). */
float particle_at(const DrawParticles *set, const DrawParticle *p, float *alpha);
