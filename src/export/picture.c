#include "export/picture.h"

#include <math.h>
#include <string.h>

float export_scale(const ExportDesc *desc)
{
    return desc && desc->scale > 0 ? desc->scale : 1;
}

int32_t export_cells_most(const ExportDesc *desc)
{
    return desc && desc->cells_as_image_above > 0 ? desc->cells_as_image_above : 4096;
}

bool picture_cells(const DrawCells *cells, float scale, Arena *arena, CellPicture *out, Error *err)
{
    float px_w = cells->box.w * scale;
    float px_h = cells->box.h * scale;
    int32_t cols = cells->source.cols;
    int32_t rows = cells->source.rows;
    out->cols = (float)cols > px_w ? AS_MAX((int32_t)lroundf(px_w), 1) : cols;
    out->rows = (float)rows > px_h ? AS_MAX((int32_t)lroundf(px_h), 1) : rows;
    size_t n;
    if (!checked_mul((size_t)out->rows, (size_t)out->cols, &n)) {
        return error_set(err, ERR_RANGE, "%d x %d cells cannot be a picture", out->rows, out->cols);
    }
    float *values = ARENA_ARRAY(arena, float, n, err);
    uint32_t *pixels = values ? ARENA_ARRAY(arena, uint32_t, n, err) : NULL;
    if (!pixels) {
        return false;
    }
    cells_reduce(cells, out->rows, out->cols, values);
    Color table[COLORMAP_ENTRIES];
    colormap_table(cells->map, table);
    for (size_t i = 0; i < n; i++) {
        bool masked = values[i] == -INFINITY;
        pixels[i] =
            color_pack(masked ? cells->masked
                              : colormap_table_eval(table, scale_apply(cells->scale, values[i])));
    }
    out->rgba = (unsigned char *)pixels;
    return true;
}

bool picture_scene(const DrawList *list, const DrawCmd *cmd, const ExportDesc *desc, Arena *arena,
                   CellPicture *out, Error *err)
{
    enum { FINER = 2, MOST_SIDE = 8192 };
    const DrawScene *scene = &cmd->u.scene;
    bool gl = desc && desc->rasterise;
    float scale = export_scale(desc) * (gl ? FINER : 1);
    float side = AS_MAX(scene->box.w, scene->box.h);
    scale = AS_MIN(scale, MOST_SIDE / AS_MAX(side, 1.0f));
    out->cols = AS_MAX((int32_t)lroundf(scene->box.w * scale), 1);
    out->rows = AS_MAX((int32_t)lroundf(scene->box.h * scale), 1);
    out->rgba = arena_alloc(arena, (size_t)out->rows * (size_t)out->cols * 4, err);
    if (!out->rgba) {
        return false;
    }
    Error no_gl = {0};
    if (gl &&
        desc->rasterise(desc->payload, list, cmd, scale, out->cols, out->rows, out->rgba, &no_gl)) {
        return true;
    }
    if (gl && no_gl.code != ERR_GRAPHICS) {
        *err = no_gl;
        return false;
    }
    return scene3d_raster(scene, scale, out->cols, out->rows, out->rgba, err);
}

static Vec2 lerp(Vec2 a, Vec2 b, float t)
{
    return vec2(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t);
}

static void split(const Vec2 p[4], float t, Vec2 left[4], Vec2 right[4])
{
    Vec2 a = lerp(p[0], p[1], t);
    Vec2 b = lerp(p[1], p[2], t);
    Vec2 c = lerp(p[2], p[3], t);
    Vec2 d = lerp(a, b, t);
    Vec2 e = lerp(b, c, t);
    Vec2 f = lerp(d, e, t);
    Vec2 l[4] = {p[0], a, d, f};
    Vec2 r[4] = {f, e, c, p[3]};
    memcpy(left, l, sizeof(l));
    memcpy(right, r, sizeof(r));
}

void picture_bezier_part(const DrawBezier *b, Vec2 out[4])
{
    Vec2 p[4] = {b->a, b->c1, b->c2, b->b};
    Vec2 unused[4];
    split(p, b->t1, p, unused);
    split(p, b->t1 > 0 ? b->t0 / b->t1 : 0, unused, out);
}

void picture_bezier_outline(const Vec2 p[4], float width, float width_end,
                            Vec2 out[PICTURE_OUTLINE])
{
    enum { N = PICTURE_OUTLINE / 2 };
    for (int i = 0; i < N; i++) {
        float t = (float)i / (N - 1);
        float u = 1 - t;
        Vec2 at = lerp(lerp(lerp(p[0], p[1], t), lerp(p[1], p[2], t), t),
                       lerp(lerp(p[1], p[2], t), lerp(p[2], p[3], t), t), t);
        float dx =
            u * u * (p[1].x - p[0].x) + 2 * u * t * (p[2].x - p[1].x) + t * t * (p[3].x - p[2].x);
        float dy =
            u * u * (p[1].y - p[0].y) + 2 * u * t * (p[2].y - p[1].y) + t * t * (p[3].y - p[2].y);
        float n = sqrtf(dx * dx + dy * dy);
        float half = (width + (width_end - width) * t) / 2;
        float nx = n > 1e-6f ? -dy / n * half : 0;
        float ny = n > 1e-6f ? dx / n * half : half;
        out[i] = vec2(at.x + nx, at.y + ny);
        out[PICTURE_OUTLINE - 1 - i] = vec2(at.x - nx, at.y - ny);
    }
}
