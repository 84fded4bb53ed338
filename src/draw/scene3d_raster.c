/* A scene painted by the processor, by the formulas of shaders/scene_*: for machines without GL,
 * and for tests to hold the painter against. */
#include "draw/scene3d.h"

#include <math.h>
#include <string.h>

typedef struct Canvas3D {
    const DrawScene *scene;
    View3D view;
    float scale;
    int32_t width, height;
    float *rgb; /* [h, w, 3]; what is behind is opaque */
    Color map[COLORMAP_ENTRIES];
    float gap_strength; /* of the sheet in hand */
} Canvas3D;

typedef struct Premultiplied {
    float r, g, b, a;
} Premultiplied;

static float unit(float v)
{
    return AS_CLAMP(v, 0.0f, 1.0f);
}

static float smoothstep(float a, float b, float v)
{
    float t = unit((v - a) / (b - a));
    return t * t * (3 - 2 * t);
}

static void blend(Canvas3D *c, int32_t x, int32_t y, Premultiplied p)
{
    float *to = c->rgb + 3 * ((size_t)y * (size_t)c->width + (size_t)x);
    to[0] = unit(p.r + to[0] * (1 - p.a));
    to[1] = unit(p.g + to[1] * (1 - p.a));
    to[2] = unit(p.b + to[2] * (1 - p.a));
}

static void paint_ground(Canvas3D *c)
{
    const DrawScene *s = c->scene;
    float radius = AS_MAX(s->ground_radius * c->scale, 1.0f);
    Vec2 middle = {(s->ground_middle.x - s->box.x) * c->scale,
                   (s->ground_middle.y - s->box.y) * c->scale};
    for (int32_t y = 0; y < c->height; y++) {
        for (int32_t x = 0; x < c->width; x++) {
            float d = hypotf((float)x + 0.5f - middle.x, (float)y + 0.5f - middle.y);
            float t = unit(d / radius) * 2;
            Color k = t < 1 ? color_mix(s->ground[0], s->ground[1], t)
                            : color_mix(s->ground[1], s->ground[2], t - 1);
            blend(c, x, y, (Premultiplied){k.r, k.g, k.b, 1});
        }
    }
}

/* ---- sheets ---- */

/* Place on a sheet under a pixel of the canvas, in units of its sides. */
static bool place_under(const Canvas3D *c, const ScenePlane *p, float x, float y, Vec2 *uv)
{
    Vec3 at;
    Vec2 px = {c->scene->box.x + x / c->scale, c->scene->box.y + y / c->scale};
    if (!view3d_pick_level(&c->view, px, p->y, &at)) {
        return false;
    }
    *uv = vec2((at.x - p->x0) / (p->x1 - p->x0), (at.z - p->z0) / (p->z1 - p->z0));
    return true;
}

/* The largest value under a pixel that covers w columns and rows of cells around t. */
static float value_under(const SceneCells *cells, Vec2 t, Vec2 w)
{
    float half_x = w.x > 1.4f ? w.x / 2 : 0;
    float half_y = w.y > 1.4f ? w.y / 2 : 0;
    int32_t c0 = AS_CLAMP((int32_t)floorf(t.x - half_x), 0, cells->cols - 1);
    int32_t c1 = AS_CLAMP((int32_t)floorf(t.x + half_x), 0, cells->cols - 1);
    int32_t r0 = AS_CLAMP((int32_t)floorf(t.y - half_y), 0, cells->rows - 1);
    int32_t r1 = AS_CLAMP((int32_t)floorf(t.y + half_y), 0, cells->rows - 1);
    float most = -INFINITY;
    for (int32_t r = r0; r <= r1; r++) {
        for (int32_t k = c0; k <= c1; k++) {
            float v = cells->values[(size_t)r * (size_t)cells->cols + (size_t)k];
            most = v > most ? v : most;
        }
    }
    return most;
}

static Premultiplied cell_under(const Canvas3D *c, const ScenePlane *p, const SceneCells *cells,
                                Vec2 uv, Vec2 w_uv)
{
    Vec2 n = {(float)cells->cols, (float)cells->rows};
    Vec2 t = {uv.x * n.x, uv.y * n.y};
    Vec2 w = {AS_MAX(w_uv.x * n.x, 1e-6f), AS_MAX(w_uv.y * n.y, 1e-6f)};
    float v = value_under(cells, t, w);
    if (!(v > -INFINITY)) {
        return (Premultiplied){0, 0, 0, 0};
    }
    float value = scale_apply(c->scene->scale, v);
    if (value < p->skip) {
        return (Premultiplied){0, 0, 0, 0};
    }
    Color k = colormap_table_eval(c->map, value);
    float a = p->cell_alpha + p->cell_alpha_more * value;
    float gap = c->scene->cell_gap * c->scale;
    float fx = t.x - floorf(t.x);
    float fy = t.y - floorf(t.y);
    float edge = AS_MIN(AS_MIN(fx, 1 - fx) / w.x, AS_MIN(fy, 1 - fy) / w.y);
    float inside = unit(edge - gap * 0.5f + 0.5f);
    float on = c->gap_strength * AS_MIN(gap, 1.0f);
    a *= 1 + (inside - 1) * on;
    return (Premultiplied){k.r * a, k.g * a, k.b * a, a};
}

static Premultiplied mix(Premultiplied a, Premultiplied b, float t)
{
    return (Premultiplied){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t,
                           a.a + (b.a - a.a) * t};
}

static void plane_pixel(Canvas3D *c, const ScenePlane *p, int32_t x, int32_t y)
{
    float px = (float)x + 0.5f;
    float py = (float)y + 0.5f;
    Vec2 uv;
    Vec2 right;
    Vec2 down;
    if (!place_under(c, p, px, py, &uv) || !place_under(c, p, px + 1, py, &right) ||
        !place_under(c, p, px, py + 1, &down)) {
        return;
    }
    Vec2 w = {hypotf(right.x - uv.x, down.x - uv.x), hypotf(right.y - uv.y, down.y - uv.y)};
    float ex = unit(AS_MIN(uv.x, 1 - uv.x) / AS_MAX(w.x, 1e-6f) + 0.5f);
    float ey = unit(AS_MIN(uv.y, 1 - uv.y) / AS_MAX(w.y, 1e-6f) + 0.5f);
    float cover = ex * ey * (p->alpha > 0 ? p->alpha : 1);
    if (cover <= 0) {
        return;
    }
    Premultiplied k = {0, 0, 0, 0};
    if (p->cells.values) {
        k = cell_under(c, p, &p->cells, uv, w);
    }
    if (p->mix > 0 && p->next.values) {
        k = mix(k, cell_under(c, p, &p->next, uv, w), p->mix);
    }
    float sheet = p->sheet.a * (1 - k.a);
    blend(c, x, y,
          (Premultiplied){(k.r + p->sheet.r * sheet) * cover, (k.g + p->sheet.g * sheet) * cover,
                          (k.b + p->sheet.b * sheet) * cover, (k.a + sheet) * cover});
}

static void paint_plane(Canvas3D *c, const ScenePlane *p)
{
    SceneSheet sheet;
    scene3d_sheet(&c->view, p, c->scale, &sheet);
    c->gap_strength = scene3d_gap_strength(&sheet, &p->cells);
    float x0 = 1e9f;
    float y0 = 1e9f;
    float x1 = -1e9f;
    float y1 = -1e9f;
    for (int i = 0; i < 4; i++) {
        Vec3 at = {i & 1 ? p->x1 : p->x0, p->y, i & 2 ? p->z1 : p->z0};
        Vec2 px;
        if (!view3d_project(&c->view, at, &px, NULL)) {
            x0 = y0 = 0;
            x1 = (float)c->width;
            y1 = (float)c->height;
            break;
        }
        float x = (px.x - c->scene->box.x) * c->scale;
        float y = (px.y - c->scene->box.y) * c->scale;
        x0 = AS_MIN(x0, x);
        y0 = AS_MIN(y0, y);
        x1 = AS_MAX(x1, x);
        y1 = AS_MAX(y1, y);
    }
    int32_t top = (int32_t)AS_CLAMP(floorf(y0 - 1), 0.0f, (float)c->height);
    int32_t low = (int32_t)AS_CLAMP(ceilf(y1 + 1), 0.0f, (float)c->height);
    int32_t left = (int32_t)AS_CLAMP(floorf(x0 - 1), 0.0f, (float)c->width);
    int32_t right = (int32_t)AS_CLAMP(ceilf(x1 + 1), 0.0f, (float)c->width);
    for (int32_t y = top; y < low; y++) {
        for (int32_t x = left; x < right; x++) {
            plane_pixel(c, p, x, y);
        }
    }
}

/* ---- ribbons ---- */

static void ribbon_pixel(Canvas3D *c, int32_t x, int32_t y, const SceneVertex v[3],
                         const float w[3])
{
    float along = w[0] * v[0].along + w[1] * v[1].along + w[2] * v[2].along;
    float across = w[0] * v[0].across + w[1] * v[1].across + w[2] * v[2].across;
    float half = w[0] * v[0].half + w[1] * v[1].half + w[2] * v[2].half;
    float length = w[0] * v[0].length + w[1] * v[1].length + w[2] * v[2].length;
    float rgba[4] = {0};
    for (int i = 0; i < 3; i++) {
        Color k = color_unpack(v[i].color);
        rgba[0] += w[i] * k.r;
        rgba[1] += w[i] * k.g;
        rgba[2] += w[i] * k.b;
        rgba[3] += w[i] * k.a;
    }
    float beyond = AS_MAX(AS_MAX(-along, along - length), 0.0f);
    float far = beyond > 0 ? hypotf(beyond, across) : fabsf(across);
    float cover = unit(AS_MIN(far + 0.5f, half) - AS_MAX(far - 0.5f, -half));
    float a = rgba[3] * cover;
    float core = v[2].core * (1 - smoothstep(0.15f, 0.45f, far / AS_MAX(half, 0.5f)));
    float light = unit(1 - AS_MAX(far - half, 0.0f) / AS_MAX(v[2].glow, 1e-3f));
    float glow = v[2].glow > 0 ? light * light * v[2].glow_alpha * (1 - a) : 0;
    Premultiplied p = {0, 0, 0, v[2].added > 0.5f ? 0 : a};
    float *out[3] = {&p.r, &p.g, &p.b};
    for (int i = 0; i < 3; i++) {
        *out[i] = (rgba[i] + (1 - rgba[i]) * core) * a + rgba[i] * glow;
    }
    blend(c, x, y, p);
}

/* Twice the signed area; the edge's own points count on one side only. */
static double edge_side(const SceneVertex *a, const SceneVertex *b, double x, double y)
{
    return ((double)b->at[0] - (double)a->at[0]) * (y - (double)a->at[1]) -
           ((double)b->at[1] - (double)a->at[1]) * (x - (double)a->at[0]);
}

static bool owns_edge(const SceneVertex *a, const SceneVertex *b)
{
    return a->at[1] > b->at[1] || (a->at[1] == b->at[1] && a->at[0] < b->at[0]);
}

static void paint_triangle(Canvas3D *c, const SceneVertex *p, const SceneVertex *q,
                           const SceneVertex *r)
{
    double area = edge_side(p, q, (double)r->at[0], (double)r->at[1]);
    if (area == 0 || !isfinite(area)) {
        return;
    }
    SceneVertex v[3] = {*p, area > 0 ? *q : *r, area > 0 ? *r : *q};
    area = fabs(area);
    float x0 = AS_MIN(AS_MIN(v[0].at[0], v[1].at[0]), v[2].at[0]);
    float x1 = AS_MAX(AS_MAX(v[0].at[0], v[1].at[0]), v[2].at[0]);
    float y0 = AS_MIN(AS_MIN(v[0].at[1], v[1].at[1]), v[2].at[1]);
    float y1 = AS_MAX(AS_MAX(v[0].at[1], v[1].at[1]), v[2].at[1]);
    int32_t left = (int32_t)AS_CLAMP(floorf(x0), 0.0f, (float)c->width);
    int32_t right = (int32_t)AS_CLAMP(ceilf(x1), 0.0f, (float)c->width);
    int32_t top = (int32_t)AS_CLAMP(floorf(y0), 0.0f, (float)c->height);
    int32_t low = (int32_t)AS_CLAMP(ceilf(y1), 0.0f, (float)c->height);
    for (int32_t y = top; y < low; y++) {
        for (int32_t x = left; x < right; x++) {
            float w[3];
            bool inside = true;
            for (int i = 0; i < 3; i++) {
                const SceneVertex *a = &v[(i + 1) % 3];
                const SceneVertex *b = &v[(i + 2) % 3];
                double side = edge_side(a, b, (double)x + 0.5, (double)y + 0.5);
                inside = inside && (side > 0 || (side == 0 && owns_edge(a, b)));
                w[i] = (float)(side / area);
            }
            if (inside) {
                ribbon_pixel(c, x, y, v, w);
            }
        }
    }
}

static void paint_piece(Canvas3D *c, const SceneVertex *corner)
{
    SceneVertex v[4];
    memcpy(v, corner, sizeof v);
    for (int i = 0; i < 4; i++) {
        v[i].at[0] -= c->scene->box.x * c->scale;
        v[i].at[1] -= c->scene->box.y * c->scale;
    }
    paint_triangle(c, &v[0], &v[1], &v[2]);
    paint_triangle(c, &v[2], &v[1], &v[3]);
}

bool scene3d_raster(const DrawScene *scene, float scale, int32_t width, int32_t height,
                    unsigned char *rgba, Error *err)
{
    size_t n;
    if (!checked_mul((size_t)width, (size_t)height, &n) || !checked_mul(n, 3, &n)) {
        return error_set(err, ERR_RANGE, "a scene of %d x %d pixels does not fit", width, height);
    }
    Canvas3D c = {.scene = scene,
                  .view = camera3d_view(&scene->camera, scene->box),
                  .scale = scale,
                  .width = width,
                  .height = height};
    SceneGeometry g = {0};
    c.rgb = mem_alloc_zeroed(n, sizeof *c.rgb, err);
    bool ok = c.rgb && scene3d_build(scene, scale, &g, err);
    if (ok) {
        colormap_table(scene->map, c.map);
        paint_ground(&c);
        for (size_t i = 0; i < g.steps.n; i++) {
            const SceneStep *step = &g.steps.items[i];
            if (step->is_plane) {
                paint_plane(&c, &scene->planes[step->plane]);
            }
            for (uint32_t k = 0; !step->is_plane && k < step->n; k++) {
                paint_piece(&c, g.vertices.items + 4 * (size_t)(step->first + k));
            }
        }
        for (size_t i = 0; i < n / 3; i++) {
            for (int k = 0; k < 3; k++) {
                rgba[4 * i + (size_t)k] = (unsigned char)(c.rgb[3 * i + (size_t)k] * 255 + 0.5f);
            }
            rgba[4 * i + 3] = 255;
        }
    }
    scene3d_geometry_free(&g);
    mem_free(c.rgb);
    return ok;
}
