#pragma once
/*
 * Points and rectangles in logical pixels, x right, y down. Any thread.
 */
#include "base/base.h"

typedef struct Vec2 {
    float x, y;
} Vec2;

/** Zero is empty. */
typedef struct Rect {
    float x, y, w, h;
} Rect;

static inline Vec2 vec2(float x, float y)
{
    return (Vec2){x, y};
}

static inline Rect rect(float x, float y, float w, float h)
{
    return (Rect){x, y, w, h};
}

static inline bool rect_is_empty(Rect r)
{
    return !(r.w > 0 && r.h > 0);
}

/** Left and top edges belong to the rectangle, right and bottom do not. */
static inline bool rect_contains(Rect r, Vec2 p)
{
    return p.x >= r.x && p.y >= r.y && p.x < r.x + r.w && p.y < r.y + r.h;
}

/** Empty (w = h = 0) when they do not meet. */
static inline Rect rect_intersect(Rect a, Rect b)
{
    float x0 = AS_MAX(a.x, b.x);
    float y0 = AS_MAX(a.y, b.y);
    float x1 = AS_MIN(a.x + a.w, b.x + b.w);
    float y1 = AS_MIN(a.y + a.h, b.y + b.h);
    return x1 > x0 && y1 > y0 ? (Rect){x0, y0, x1 - x0, y1 - y0} : (Rect){x0, y0, 0, 0};
}

/** Moves every edge inwards by d (outwards when negative). */
static inline Rect rect_inset(Rect r, float d)
{
    return (Rect){r.x + d, r.y + d, r.w - 2 * d, r.h - 2 * d};
}

static inline Vec2 rect_center(Rect r)
{
    return (Vec2){r.x + r.w / 2, r.y + r.h / 2};
}
