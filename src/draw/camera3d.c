#include "draw/camera3d.h"

#include <math.h>

static Vec3 along(Vec3 p, Vec3 way, float t)
{
    return (Vec3){p.x + way.x * t, p.y + way.y * t, p.z + way.z * t};
}

static float dot(Vec3 a, Vec3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static Vec3 from_eye(const View3D *v, Vec3 p)
{
    return (Vec3){p.x - v->eye.x, p.y - v->eye.y, p.z - v->eye.z};
}

View3D camera3d_view(const Camera3D *c, Rect box)
{
    float sy = sinf(c->yaw_rad);
    float cy = cosf(c->yaw_rad);
    float sp = sinf(c->pitch_rad);
    float cp = cosf(c->pitch_rad);
    /* From angles, not from a cross product with "up": straight above has an up of its own. */
    View3D v = {.box = box,
                .right = {cy, 0, -sy},
                .up = {-sp * sy, cp, -sp * cy},
                .forward = {-cp * sy, -sp, -cp * cy},
                .distance = c->distance,
                .focal_px = box.h / 2 / tanf(c->fov_rad / 2),
                .orthographic = c->orthographic};
    v.eye = along(c->target, v.forward, -c->distance);
    Vec2 middle = rect_center(box);
    v.centre = vec2(middle.x + c->offset_px.x, middle.y + c->offset_px.y);
    return v;
}

void view3d_clip(const View3D *v, Vec3 p, float out[3])
{
    Vec3 d = from_eye(v, p);
    float w = v->orthographic ? 1 : dot(d, v->forward);
    float focal = v->orthographic ? v->focal_px / v->distance : v->focal_px;
    out[0] = v->centre.x * w + dot(d, v->right) * focal;
    out[1] = v->centre.y * w - dot(d, v->up) * focal;
    out[2] = w;
}

bool view3d_project(const View3D *v, Vec3 p, Vec2 *out, float *depth)
{
    float clip[3];
    view3d_clip(v, p, clip);
    if (depth) {
        *depth = dot(from_eye(v, p), v->forward);
    }
    if (!(clip[2] > 0)) {
        return false;
    }
    *out = vec2(clip[0] / clip[2], clip[1] / clip[2]);
    return true;
}

float view3d_scale(const View3D *v, Vec3 p)
{
    float w = v->orthographic ? v->distance : dot(from_eye(v, p), v->forward);
    return w > 0 ? v->focal_px / w : 0;
}

void view3d_ray(const View3D *v, Vec2 at, Vec3 *start, Vec3 *way)
{
    float focal = v->orthographic ? v->focal_px / v->distance : v->focal_px;
    float x = (at.x - v->centre.x) / focal;
    float y = (v->centre.y - at.y) / focal;
    Vec3 side = along(along((Vec3){0}, v->right, x), v->up, y);
    if (v->orthographic) {
        *start = along(v->eye, side, 1);
        *way = v->forward;
    } else {
        *start = v->eye;
        *way = along(side, v->forward, 1);
    }
}

bool view3d_pick_level(const View3D *v, Vec2 at, float height, Vec3 *out)
{
    Vec3 start;
    Vec3 way;
    view3d_ray(v, at, &start, &way);
    float t = (height - start.y) / way.y;
    if (!(fabsf(way.y) > 1e-9f) || !(t > 0) || !isfinite(t)) {
        return false;
    }
    *out = along(start, way, t);
    return true;
}
