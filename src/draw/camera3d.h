#pragma once
/*
 * A camera that looks at a point in space and stands around it: x right, y up, z towards the
 * viewer. Orbit, perspective and orthographic. Pure functions of their arguments; any thread.
 */
#include "draw/geometry.h"

typedef struct Vec3 {
    float x, y, z;
} Vec3;

static inline Vec3 vec3_of(float x, float y, float z)
{
    return (Vec3){x, y, z};
}

static inline Vec3 vec3_mix(Vec3 a, Vec3 b, float t)
{
    return (Vec3){a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t, a.z + (b.z - a.z) * t};
}

typedef struct Camera3D {
    Vec3 target;       /* the point that is looked at */
    float yaw_rad;     /* the eye's way around the target: 0 in front (+z), positive to the right */
    float pitch_rad;   /* the eye's height: 0 level, +pi/2 straight above */
    float distance;    /* of the eye from the target; above 0 */
    float fov_rad;     /* vertical field of view; above 0, below pi */
    bool orthographic; /* parallel rays; what is at the target keeps its size */
    Vec2 offset_px;    /* where the target stands, from the middle of the box */
} Camera3D;

/** A camera in front of a box of the screen, ready to project. */
typedef struct View3D {
    Rect box;                /* logical px */
    Vec3 eye;                /* where the rays start (orthographic: a point on the middle one) */
    Vec3 right, up, forward; /* of unit length */
    float distance;          /* eye to target */
    float focal_px;          /* px of a unit length at distance 1; at the target / distance */
    Vec2 centre;             /* px of the target */
    bool orthographic;
} View3D;

View3D camera3d_view(const Camera3D *camera, Rect box);
/** Homogeneous logical pixels: (x * w, y * w, w); w is the depth along `forward` (orthographic: 1).
 *  Points behind the eye have w <= 0. */
void view3d_clip(const View3D *view, Vec3 p, float out[3]);
/** Logical pixel of a point. False behind the eye. depth (may be NULL) grows away from the eye. */
bool view3d_project(const View3D *view, Vec3 p, Vec2 *out, float *depth);
/** Logical px that a unit length across the line of sight takes at p; 0 behind the eye. */
float view3d_scale(const View3D *view, Vec3 p);
/** The ray under a logical pixel: points start + t * way with t >= 0. */
void view3d_ray(const View3D *view, Vec2 at, Vec3 *start, Vec3 *way);
/** Where the ray under a logical pixel meets the level y = height. False when it does not. */
bool view3d_pick_level(const View3D *view, Vec2 at, float height, Vec3 *out);
