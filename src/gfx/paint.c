#include "gfx/internal.h"

#include <math.h>
#include <string.h>

/* Room that is kept for one more command (a long text or a dashed line). */
enum { MOST_QUADS_EACH = 8192 };
/* Boxes larger than this (device px) are filled by the plain program, but for their rim. */
static const float SOLID_FROM = 2048;

uint32_t paint_color(const PaintContext *c, Color color)
{
    color.a *= c->cmd->alpha;
    return color_pack(color);
}

bool paint_cut(const PaintContext *c, PaintQuad *quad)
{
    float *q = quad->quad;
    q[0] = AS_MAX(q[0], c->clip[0]);
    q[1] = AS_MAX(q[1], c->clip[1]);
    q[2] = AS_MIN(q[2], c->clip[2]);
    q[3] = AS_MIN(q[3], c->clip[3]);
    return q[2] > q[0] && q[3] > q[1];
}

static void put(const PaintContext *c, PaintKind kind, PaintQuad quad)
{
    if (paint_cut(c, &quad)) {
        batcher_quad(&c->gfx->batcher, kind, 0, &quad);
    }
}

static void set4(float out[4], float a, float b, float c, float d)
{
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = d;
}

/* The same figure, only where quad x0..x1, y0..y1 is. */
static void put_part(const PaintContext *c, PaintKind kind, const PaintQuad *figure, float x0,
                     float y0, float x1, float y1)
{
    PaintQuad part = *figure;
    set4(part.quad, AS_MAX(x0, figure->quad[0]), AS_MAX(y0, figure->quad[1]),
         AS_MIN(x1, figure->quad[2]), AS_MIN(y1, figure->quad[3]));
    put(c, kind, part);
}

/* The figure around a hole of whole pixels, in four strips. */
static void put_frame(const PaintContext *c, PaintKind kind, const PaintQuad *figure,
                      const float hole[4])
{
    const float *q = figure->quad;
    if (!(hole[2] > hole[0]) || !(hole[3] > hole[1])) {
        put(c, kind, *figure);
        return;
    }
    put_part(c, kind, figure, q[0], q[1], q[2], hole[1]);
    put_part(c, kind, figure, q[0], hole[1], hole[0], hole[3]);
    put_part(c, kind, figure, hole[2], hole[1], q[2], hole[3]);
    put_part(c, kind, figure, q[0], hole[3], q[2], q[3]);
}

/* A rounded box; the large middle of a large one by the plain program. */
static void put_box(const PaintContext *c, Rect box, float radius, float border, Color top,
                    Color bottom, Color edge)
{
    float s = c->scale;
    PaintQuad quad = {.color = {paint_color(c, top), paint_color(c, bottom), paint_color(c, edge)}};
    set4(quad.box, box.x * s, box.y * s, (box.x + box.w) * s, (box.y + box.h) * s);
    set4(quad.quad, floorf(quad.box[0]), floorf(quad.box[1]), ceilf(quad.box[2]),
         ceilf(quad.box[3]));
    set4(quad.p, radius * s, border * s, 0, c->added);
    float rim = AS_MAX(radius, border) * s;
    float middle[4];
    set4(middle, ceilf(quad.box[0] + rim), ceilf(quad.box[1] + rim), floorf(quad.box[2] - rim),
         floorf(quad.box[3] - rim));
    /* Only the corners need the radius: the middle may reach the straight edges' inside. */
    bool large = (middle[2] - middle[0]) * (middle[3] - middle[1]) > SOLID_FROM;
    if (!large) {
        put(c, PAINT_SHAPE, quad);
        return;
    }
    put_frame(c, PAINT_SHAPE, &quad, middle);
    if (top.a > 0 || bottom.a > 0) {
        put_part(c, PAINT_SOLID, &quad, middle[0], middle[1], middle[2], middle[3]);
    }
}

static void paint_rect(const PaintContext *c)
{
    const DrawRect *r = &c->cmd->u.rect;
    put_box(c, r->box, r->radius, r->border, r->fill, r->gradient ? r->fill_bottom : r->fill,
            r->border_color);
}

static void paint_circle(const PaintContext *c)
{
    const DrawCircle *k = &c->cmd->u.circle;
    float s = c->scale;
    PaintQuad quad = {.color = {paint_color(c, k->fill), paint_color(c, k->fill),
                                paint_color(c, k->border_color)}};
    float x = k->center.x * s;
    float y = k->center.y * s;
    float r = k->radius * s;
    float reach = r + k->soft * s;
    set4(quad.box, x - r, y - r, x + r, y + r);
    set4(quad.quad, floorf(x - reach), floorf(y - reach), ceilf(x + reach), ceilf(y + reach));
    set4(quad.p, r, k->border * s, k->soft * s, c->added);
    put(c, PAINT_SHAPE, quad);
}

static void paint_shadow(const PaintContext *c)
{
    const DrawShadow *d = &c->cmd->u.shadow;
    float s = c->scale;
    float sigma = AS_MAX(d->blur * s / 2, 0.25f);
    Rect box = d->box;
    PaintQuad quad = {.color = {paint_color(c, d->color)}};
    set4(quad.box, box.x * s, (box.y + d->dy) * s, (box.x + box.w) * s,
         (box.y + box.h + d->dy) * s);
    float reach = sigma * 3;
    set4(quad.quad, floorf(quad.box[0] - reach), floorf(quad.box[1] - reach),
         ceilf(quad.box[2] + reach), ceilf(quad.box[3] + reach));
    set4(quad.p, d->radius * s, sigma, d->dy * s, c->added);
    /* There is none under the box itself; only its corners need to be looked at. */
    float rim = d->radius * s * 0.3f + 1;
    float hole[4];
    set4(hole, ceilf(box.x * s + rim), ceilf(box.y * s + rim), floorf((box.x + box.w) * s - rim),
         floorf((box.y + box.h) * s - rim));
    put_frame(c, PAINT_SHADOW, &quad, hole);
}

static MeshStyle mesh_style(const PaintContext *c, float soft, bool round_ends)
{
    return (MeshStyle){
        .clip = rect(c->clip[0], c->clip[1], c->clip[2] - c->clip[0], c->clip[3] - c->clip[1]),
        .soft = soft * c->scale,
        .added = c->added > 0,
        .round_ends = round_ends};
}

static Rect device_bounds(const PaintContext *c)
{
    Rect b = c->cmd->bounds;
    float s = c->scale;
    Rect device = rect_inset(rect(b.x * s, b.y * s, b.w * s, b.h * s), -2);
    return rect_intersect(
        device, rect(c->clip[0], c->clip[1], c->clip[2] - c->clip[0], c->clip[3] - c->clip[1]));
}

static Color faded(const PaintContext *c, Color color)
{
    return color_fade(color, c->cmd->alpha);
}

static bool same_point(Vec2 a, Vec2 b)
{
    return a.x == b.x && a.y == b.y;
}

/* Copies points into gfx->points in device pixels, those that repeat their neighbour once only: no
 * direction leads from one to the other. Returns how many; 0 when memory is out. */
static size_t device_points(const PaintContext *c, const Vec2 *points, size_t n, bool ring)
{
    Gfx *gfx = c->gfx;
    if (!ARRAY_RESERVE(&gfx->points, n + 1, NULL)) {
        gfx->batcher.failed = true;
        return 0;
    }
    Vec2 *out = gfx->points.items;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !same_point(points[i], points[i - 1])) {
            out[kept++] = vec2(points[i].x * c->scale, points[i].y * c->scale);
        }
    }
    while (ring && kept > 1 && same_point(out[kept - 1], out[0])) {
        kept--;
    }
    return kept;
}

static void put_segment(const PaintContext *c, Vec2 a, Vec2 b)
{
    const DrawLine *l = &c->cmd->u.line;
    bool upright = a.x == b.x || a.y == b.y;
    if (upright && l->cap == DRAW_BUTT) {
        float h = l->width / 2;
        Rect box = a.y == b.y ? rect(fminf(a.x, b.x), a.y - h, fabsf(b.x - a.x), l->width)
                              : rect(a.x - h, fminf(a.y, b.y), l->width, fabsf(b.y - a.y));
        put_box(c, box, 0, 0, l->color, l->color, (Color){0});
        return;
    }
    MeshStyle style = mesh_style(c, 0, l->cap == DRAW_ROUND);
    Vec2 ends[2] = {vec2(a.x * c->scale, a.y * c->scale), vec2(b.x * c->scale, b.y * c->scale)};
    Color color = faded(c, l->color);
    mesh_ribbon(&c->gfx->batcher, ends, 2, false, l->width * c->scale, l->width * c->scale, color,
                color, &style);
}

/* The part of a line within the clip, as shares of its length; false for none.
 * Source: Liang & Barsky 1984. */
static bool seen_part(const PaintContext *c, double *from, double *to)
{
    const DrawLine *l = &c->cmd->u.line;
    Rect r = rect_inset(c->cmd->clip, -l->width);
    const double start[2] = {(double)l->a.x, (double)l->a.y};
    const double step[2] = {(double)l->b.x - start[0], (double)l->b.y - start[1]};
    const double lo[2] = {(double)r.x, (double)r.y};
    const double hi[2] = {(double)r.x + (double)r.w, (double)r.y + (double)r.h};
    *from = 0;
    *to = 1;
    for (int i = 0; i < 2; i++) {
        if (step[i] == 0) {
            if (start[i] < lo[i] || start[i] > hi[i]) {
                return false;
            }
            continue;
        }
        double u = (lo[i] - start[i]) / step[i];
        double v = (hi[i] - start[i]) / step[i];
        *from = fmax(*from, fmin(u, v));
        *to = fmin(*to, fmax(u, v));
    }
    return *to > *from;
}

/* In doubles: a line across a magnified matrix is longer than floats can count pixels. */
static void put_dashes(const PaintContext *c, double dx, double dy)
{
    const DrawLine *l = &c->cmd->u.line;
    double total = sqrt(dx * dx + dy * dy);
    double period = (double)l->dash_on + (double)l->dash_off;
    double from;
    double to;
    if (!seen_part(c, &from, &to)) {
        return;
    }
    for (double k = floor(from * total / period); k * period < to * total; k++) {
        double t = k * period / total;
        double u = fmin(t + (double)l->dash_on / total, 1);
        put_segment(c, vec2((float)((double)l->a.x + dx * t), (float)((double)l->a.y + dy * t)),
                    vec2((float)((double)l->a.x + dx * u), (float)((double)l->a.y + dy * u)));
    }
}

static void paint_line(const PaintContext *c)
{
    const DrawLine *l = &c->cmd->u.line;
    size_t first = c->gfx->batcher.indices.n;
    double dx = (double)l->b.x - (double)l->a.x;
    double dy = (double)l->b.y - (double)l->a.y;
    float period = l->dash_on + l->dash_off;
    /* Dashes finer than half a pixel could not be told apart. */
    if (l->dash_on > 0 && l->dash_off > 0 && period * c->scale > 0.5f && (dx != 0 || dy != 0)) {
        put_dashes(c, dx, dy);
    } else {
        put_segment(c, l->a, l->b);
    }
    batcher_mesh(&c->gfx->batcher, PAINT_MESH, first, device_bounds(c));
}

static void paint_polyline(const PaintContext *c)
{
    const DrawPolyline *p = &c->cmd->u.polyline;
    size_t first = c->gfx->batcher.indices.n;
    size_t n = device_points(c, p->points, p->n_points, p->closed);
    if (n >= 2) {
        MeshStyle style = mesh_style(c, 0, p->cap == DRAW_ROUND && !p->closed);
        Color color = faded(c, p->color);
        Vec2 *points = c->gfx->points.items;
        points[n] = points[0]; /* a closed ribbon ends where it began */
        mesh_ribbon(&c->gfx->batcher, points, n + (p->closed ? 1 : 0), p->closed,
                    p->width * c->scale, p->width * c->scale, color, color, &style);
    }
    batcher_mesh(&c->gfx->batcher, PAINT_MESH, first, device_bounds(c));
}

static void paint_bezier(const PaintContext *c)
{
    const DrawBezier *b = &c->cmd->u.bezier;
    float s = c->scale;
    size_t first = c->gfx->batcher.indices.n;
    Vec2 p[4] = {vec2(b->a.x * s, b->a.y * s), vec2(b->c1.x * s, b->c1.y * s),
                 vec2(b->c2.x * s, b->c2.y * s), vec2(b->b.x * s, b->b.y * s)};
    MeshStyle style = mesh_style(c, b->soft, b->cap == DRAW_ROUND);
    /* A part has the part's widths and colours. */
    float width = b->width + (b->width_end - b->width) * b->t0;
    float width_end = b->width + (b->width_end - b->width) * b->t1;
    mesh_bezier(&c->gfx->batcher, p, b->t0, b->t1, width * s, width_end * s,
                faded(c, color_mix(b->color, b->color_end, b->t0)),
                faded(c, color_mix(b->color, b->color_end, b->t1)), &style);
    batcher_mesh(&c->gfx->batcher, PAINT_MESH, first, device_bounds(c));
}

static void paint_polygon(const PaintContext *c, const Vec2 *points, size_t n, Color fill)
{
    size_t first = c->gfx->batcher.indices.n;
    n = fill.a > 0 ? device_points(c, points, n, true) : 0;
    if (n >= 3) {
        MeshStyle style = mesh_style(c, 0, false);
        mesh_polygon(&c->gfx->batcher, c->gfx->points.items, n, faded(c, fill), &style);
    }
    batcher_mesh(&c->gfx->batcher, PAINT_MESH, first, device_bounds(c));
}

static void paint_hatch(const PaintContext *c)
{
    const DrawHatch *h = &c->cmd->u.hatch;
    paint_polygon(c, h->points, h->n_points, h->fill);
    size_t first = c->gfx->batcher.indices.n;
    size_t n = h->color.a > 0 ? device_points(c, h->points, h->n_points, true) : 0;
    if (n >= 3) {
        const Vec2 *device = c->gfx->points.items;
        MeshStyle style = mesh_style(c, 0, false);
        /* Anchored to the figure, so that the lines move with it. */
        float start = device[0].x + device[0].y;
        float spacing = h->spacing * c->scale;
        mesh_hatch(&c->gfx->batcher, device, n, spacing, h->width * c->scale, fmodf(start, spacing),
                   faded(c, h->color), &style);
    }
    batcher_mesh(&c->gfx->batcher, PAINT_HATCH, first, device_bounds(c));
}

static bool paint_command(const PaintContext *c, Error *err)
{
    switch (c->cmd->kind) {
    case DRAW_RECT:
        paint_rect(c);
        return true;
    case DRAW_SHADOW:
        paint_shadow(c);
        return true;
    case DRAW_LINE:
        paint_line(c);
        return true;
    case DRAW_POLYLINE:
        paint_polyline(c);
        return true;
    case DRAW_BEZIER:
        paint_bezier(c);
        return true;
    case DRAW_CIRCLE:
        paint_circle(c);
        return true;
    case DRAW_POLYGON:
        paint_polygon(c, c->cmd->u.polygon.points, c->cmd->u.polygon.n_points,
                      c->cmd->u.polygon.fill);
        return true;
    case DRAW_HATCH:
        paint_hatch(c);
        return true;
    case DRAW_PATH:
        return paint_path(c, err);
    case DRAW_ICON:
        return paint_icon(c, err);
    case DRAW_TEXT:
        return paint_text(c, err);
    case DRAW_IMAGE:
        return paint_image(c, err);
    case DRAW_CELLS:
        return paint_cells(c, err);
    case DRAW_CURVES:
        return paint_curves(c, err);
    case DRAW_PARTICLES:
        return paint_particles(c, err);
    case DRAW_SCENE:
        return paint_scene(c, err);
    default:
        return error_set(err, ERR_INTERNAL, "unknown drawing command %d", (int)c->cmd->kind);
    }
}

bool paint_list(Gfx *gfx, const DrawList *list, Error *err)
{
    for (size_t i = 0; i < list->cmds.n; i++) {
        const DrawCmd *cmd = &list->cmds.items[i];
        float s = gfx->scale;
        if (gfx->batcher.quads.n + MOST_QUADS_EACH > gfx->most_quads && !gfx_flush(gfx, err)) {
            return false;
        }
        PaintContext c = {.gfx = gfx,
                          .list = list,
                          .cmd = cmd,
                          .scale = s,
                          .added = cmd->blend == DRAW_ADD ? 1.0f : 0.0f};
        c.clip[0] = AS_MAX(roundf(cmd->clip.x * s), 0.0f);
        c.clip[1] = AS_MAX(roundf(cmd->clip.y * s), 0.0f);
        c.clip[2] = AS_MIN(roundf((cmd->clip.x + cmd->clip.w) * s), (float)gfx->width);
        c.clip[3] = AS_MIN(roundf((cmd->clip.y + cmd->clip.h) * s), (float)gfx->height);
        if (c.clip[2] > c.clip[0] && c.clip[3] > c.clip[1] && !paint_command(&c, err)) {
            return false;
        }
    }
    return true;
}
