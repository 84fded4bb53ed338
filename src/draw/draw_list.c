#include "draw/draw_list.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* How near to the edge of a thin curve a pointer may be to mean it, px. */
static const float PICK_REACH = 3;

static void fail(DrawList *list, const Error *err)
{
    if (!list->error.code) {
        list->error = *err;
    }
}

void draw_begin(DrawList *list, FontSet *fonts, float width, float height)
{
    arena_reset(&list->arena);
    list->cmds.n = 0;
    list->fonts = fonts;
    list->width = width;
    list->height = height;
    list->background = (Color){0, 0, 0, 1};
    list->clips[0] = rect(0, 0, width, height);
    list->alphas[0] = 1;
    list->n_clips = list->n_alphas = 1;
    list->tag = 0;
    list->blend = DRAW_OVER;
    list->error = (Error){0};
    if (fonts) {
        fontset_trim(fonts);
    }
}

bool draw_end(DrawList *list, Error *err)
{
    if (list->error.code) {
        if (err) {
            *err = list->error;
        }
        return false;
    }
    if (list->n_clips != 1 || list->n_alphas != 1) {
        return error_set(err, ERR_INTERNAL, "a frame ended with %d clips and %d opacities open",
                         list->n_clips - 1, list->n_alphas - 1);
    }
    return true;
}

void draw_list_free(DrawList *list)
{
    if (list) {
        ARRAY_FREE(&list->cmds);
        arena_destroy(&list->arena);
    }
}

void draw_set_background(DrawList *list, Color color)
{
    list->background = color;
}

Rect draw_clip(const DrawList *list)
{
    return list->clips[AS_CLAMP(list->n_clips, 1, DRAW_STACK) - 1];
}

void draw_push_clip(DrawList *list, Rect r)
{
    Rect cut = rect_intersect(draw_clip(list), r);
    AS_ASSERT(list->n_clips < DRAW_STACK);
    list->clips[list->n_clips++] = cut;
}

void draw_pop_clip(DrawList *list)
{
    AS_ASSERT(list->n_clips > 1);
    list->n_clips--;
}

void draw_push_alpha(DrawList *list, float alpha)
{
    AS_ASSERT(list->n_alphas < DRAW_STACK);
    list->alphas[list->n_alphas] = list->alphas[list->n_alphas - 1] * AS_CLAMP(alpha, 0.0f, 1.0f);
    list->n_alphas++;
}

void draw_pop_alpha(DrawList *list)
{
    AS_ASSERT(list->n_alphas > 1);
    list->n_alphas--;
}

void draw_set_tag(DrawList *list, uint64_t tag)
{
    list->tag = tag;
}

void draw_set_blend(DrawList *list, DrawBlend blend)
{
    list->blend = blend;
}

static bool finite_rect(Rect r)
{
    return isfinite(r.x) && isfinite(r.y) && isfinite(r.w) && isfinite(r.h);
}

/* A new command at the end, or NULL when nothing of it would be seen. */
static DrawCmd *add(DrawList *list, DrawKind kind, Rect bounds, float opacity)
{
    Rect clip = draw_clip(list);
    float alpha = list->alphas[list->n_alphas - 1];
    if (!(opacity * alpha > 0) || !finite_rect(bounds) ||
        rect_is_empty(rect_intersect(clip, bounds))) {
        return NULL;
    }
    Error err = {0};
    DrawCmd cmd = {.kind = kind,
                   .blend = list->blend,
                   .tag = list->tag,
                   .clip = clip,
                   .alpha = alpha,
                   .bounds = bounds};
    if (!ARRAY_PUSH(&list->cmds, cmd, &err)) {
        fail(list, &err);
        return NULL;
    }
    return &list->cmds.items[list->cmds.n - 1];
}

/* Takes the last command back after a copy failed. */
static void drop(DrawList *list, const Error *err)
{
    list->cmds.n--;
    fail(list, err);
}

static const Vec2 *copy_points(DrawList *list, const Vec2 *points, size_t n)
{
    Error err = {0};
    Vec2 *copy = ARENA_ARRAY(&list->arena, Vec2, n, &err);
    if (!copy) {
        drop(list, &err);
        return NULL;
    }
    memcpy(copy, points, n * sizeof(*copy));
    return copy;
}

static Rect bounds_of(const Vec2 *p, size_t n, float grow)
{
    if (!n) {
        return (Rect){0};
    }
    float x0 = p[0].x, y0 = p[0].y, x1 = p[0].x, y1 = p[0].y;
    float poison = 0; /* becomes NaN with any point that is no number */
    for (size_t i = 0; i < n; i++) {
        x0 = AS_MIN(x0, p[i].x);
        y0 = AS_MIN(y0, p[i].y);
        x1 = AS_MAX(x1, p[i].x);
        y1 = AS_MAX(y1, p[i].y);
        poison += 0 * (p[i].x + p[i].y);
    }
    x0 += poison;
    return rect(x0 - grow, y0 - grow, x1 - x0 + 2 * grow, y1 - y0 + 2 * grow);
}

void draw_rect(DrawList *list, const DrawRect *r)
{
    float opacity = AS_MAX(r->fill.a, r->gradient ? r->fill_bottom.a : 0.0f);
    opacity = AS_MAX(opacity, r->border > 0 ? r->border_color.a : 0.0f);
    DrawCmd *cmd = add(list, DRAW_RECT, r->box, opacity);
    if (cmd) {
        cmd->u.rect = *r;
        float most = AS_MIN(r->box.w, r->box.h) / 2;
        cmd->u.rect.radius = AS_CLAMP(r->radius, 0.0f, most);
        cmd->u.rect.border = AS_CLAMP(r->border, 0.0f, most);
    }
}

void draw_shadow(DrawList *list, const DrawShadow *s)
{
    Rect bounds = rect_inset(s->box, -AS_MAX(s->blur, 0.0f));
    bounds.y += s->dy;
    DrawCmd *cmd = add(list, DRAW_SHADOW, bounds, s->color.a);
    if (cmd) {
        cmd->u.shadow = *s;
        cmd->u.shadow.blur = AS_MAX(s->blur, 0.0f);
        cmd->u.shadow.radius = AS_CLAMP(s->radius, 0.0f, AS_MIN(s->box.w, s->box.h) / 2);
    }
}

void draw_line(DrawList *list, const DrawLine *l)
{
    Vec2 ends[2] = {l->a, l->b};
    if (!(l->width > 0)) {
        return;
    }
    DrawCmd *cmd = add(list, DRAW_LINE, bounds_of(ends, 2, l->width / 2), l->color.a);
    if (cmd) {
        cmd->u.line = *l;
    }
}

void draw_polyline(DrawList *list, const DrawPolyline *p)
{
    if (p->n_points < 2 || !(p->width > 0)) {
        return;
    }
    /* Mitres reach up to twice the half width (gfx and export limit them there). */
    DrawCmd *cmd =
        add(list, DRAW_POLYLINE, bounds_of(p->points, p->n_points, p->width), p->color.a);
    if (cmd) {
        cmd->u.polyline = *p;
        cmd->u.polyline.points = copy_points(list, p->points, p->n_points);
    }
}

void draw_bezier(DrawList *list, const DrawBezier *b)
{
    Vec2 p[4] = {b->a, b->c1, b->c2, b->b};
    DrawBezier q = *b;
    q.width_end = q.width_end > 0 ? q.width_end : q.width;
    q.color_end = q.gradient ? q.color_end : q.color;
    q.t0 = AS_CLAMP(q.t0, 0.0f, 1.0f);
    q.t1 = q.t0 == 0 && q.t1 == 0 ? 1.0f : AS_CLAMP(q.t1, 0.0f, 1.0f);
    q.soft = AS_MAX(q.soft, 0.0f);
    if (!(q.width > 0) || q.t1 <= q.t0) {
        return;
    }
    float grow = AS_MAX(q.width, q.width_end) / 2 + q.soft;
    DrawCmd *cmd = add(list, DRAW_BEZIER, bounds_of(p, 4, grow), AS_MAX(q.color.a, q.color_end.a));
    if (cmd) {
        cmd->u.bezier = q;
    }
}

void draw_circle(DrawList *list, const DrawCircle *c)
{
    float grow = c->radius + AS_MAX(c->soft, 0.0f);
    float opacity = AS_MAX(c->fill.a, c->border > 0 ? c->border_color.a : 0.0f);
    Rect bounds = rect(c->center.x - grow, c->center.y - grow, 2 * grow, 2 * grow);
    DrawCmd *cmd = add(list, DRAW_CIRCLE, bounds, opacity);
    if (cmd) {
        cmd->u.circle = *c;
        cmd->u.circle.border = AS_CLAMP(c->border, 0.0f, c->radius);
        cmd->u.circle.soft = AS_MAX(c->soft, 0.0f);
    }
}

void draw_polygon(DrawList *list, const DrawPolygon *p)
{
    if (p->n_points < 3) {
        return;
    }
    DrawCmd *cmd = add(list, DRAW_POLYGON, bounds_of(p->points, p->n_points, 0), p->fill.a);
    if (cmd) {
        cmd->u.polygon = *p;
        cmd->u.polygon.points = copy_points(list, p->points, p->n_points);
    }
}

void draw_path(DrawList *list, const DrawPath *p)
{
    float scale = p->scale > 0 ? p->scale : 1;
    Rect box = path_bounds(p->path);
    float grow = AS_MAX(p->stroke, 0.0f) / 2;
    Rect bounds = rect(p->origin.x + box.x * scale - grow, p->origin.y + box.y * scale - grow,
                       box.w * scale + 2 * grow, box.h * scale + 2 * grow);
    float opacity = AS_MAX(p->fill.a, p->stroke > 0 ? p->stroke_color.a : 0.0f);
    DrawCmd *cmd = p->path.n_points ? add(list, DRAW_PATH, bounds, opacity) : NULL;
    if (!cmd) {
        return;
    }
    cmd->u.path = *p;
    cmd->u.path.scale = scale;
    const Vec2 *points = copy_points(list, p->path.points, p->path.n_points);
    if (!points) {
        return;
    }
    Error err = {0};
    uint8_t *verbs = arena_alloc(&list->arena, p->path.n_verbs, &err);
    if (!verbs) {
        drop(list, &err);
        return;
    }
    memcpy(verbs, p->path.verbs, p->path.n_verbs);
    cmd->u.path.path.points = points;
    cmd->u.path.path.verbs = verbs;
}

void draw_icon(DrawList *list, const DrawIcon *i)
{
    DrawIcon icon = *i;
    icon.size = icon.size > 0 ? icon.size : 24;
    icon.stroke = icon.stroke > 0 ? icon.stroke : 1.5f;
    Rect bounds =
        rect(icon.center.x - icon.size / 2, icon.center.y - icon.size / 2, icon.size, icon.size);
    DrawCmd *cmd =
        (unsigned)icon.icon < ICON_COUNT ? add(list, DRAW_ICON, bounds, icon.color.a) : NULL;
    if (cmd) {
        cmd->u.icon = icon;
    }
}

/* Room that tracking takes, in px. */
static float tracking_room(const DrawText *t, size_t n)
{
    size_t n_code_points = 0;
    for (size_t i = 0; i < n; i++) {
        n_code_points += ((unsigned char)t->text[i] & 0xC0) != 0x80;
    }
    return n_code_points ? t->tracking * (float)(n_code_points - 1) : 0;
}

static Vec2 along(Vec2 at, TextTurn turn, float d)
{
    switch (turn) {
    case TEXT_UP:
        return vec2(at.x, at.y - d);
    case TEXT_DOWN:
        return vec2(at.x, at.y + d);
    case TEXT_LEAN:
        return vec2(at.x + d * TEXT_LEAN_COS, at.y - d * TEXT_LEAN_SIN);
    default:
        return vec2(at.x + d, at.y);
    }
}

static Rect text_bounds(const DrawList *list, const DrawText *t, Vec2 start, float width)
{
    FontMetrics m = font_metrics(list->fonts, t->face, t->size);
    switch (t->turn) {
    case TEXT_UP:
        return rect(start.x - m.ascent, start.y - width, m.ascent + m.descent, width);
    case TEXT_DOWN:
        return rect(start.x - m.descent, start.y, m.ascent + m.descent, width);
    case TEXT_LEAN: {
        float x0 = start.x - m.ascent * TEXT_LEAN_SIN;
        float x1 = start.x + m.descent * TEXT_LEAN_SIN + width * TEXT_LEAN_COS;
        float y0 = start.y - width * TEXT_LEAN_SIN - m.ascent * TEXT_LEAN_COS;
        float y1 = start.y + m.descent * TEXT_LEAN_COS;
        return rect(x0, y0, x1 - x0, y1 - y0);
    }
    default:
        return rect(start.x, start.y - m.ascent, width, m.ascent + m.descent);
    }
}

float draw_text(DrawList *list, const DrawText *t)
{
    DrawText text = *t;
    if (!list->fonts || !text.text || !(text.size > 0)) {
        return 0;
    }
    Error err = {0};
    size_t n = text.n ? text.n : strlen(text.text);
    /* Parts of characters are common among tokens; files and cairo take whole ones only. */
    if (utf8_count_invalid(text.text, n) > 0) {
        text.text = utf8_repair(&list->arena, text.text, n, &n, NULL, &err);
        if (!text.text) {
            fail(list, &err);
            return 0;
        }
    }
    const char *whole = NULL;
    const char *shown = NULL;
    float width =
        text_width_tracked(list->fonts, text.face, text.size, text.tracking, text.text, n);
    if (text.max_width > 0 && width > text.max_width) {
        float room = text.max_width - tracking_room(&text, n);
        shown = text_elide(list->fonts, text.face, text.size, text.text, n, AS_MAX(room, 0.0f),
                           &list->arena, &err);
        whole = arena_strndup(&list->arena, text.text, n, &err);
        if (shown && whole) {
            n = strlen(shown);
            width = text_width_tracked(list->fonts, text.face, text.size, text.tracking, shown, n);
        }
    } else {
        shown = arena_strndup(&list->arena, text.text, n, &err);
    }
    if (!shown || err.code) {
        fail(list, &err);
        return 0;
    }
    float back = text.align == DRAW_CENTER ? width / 2 : text.align == DRAW_RIGHT ? width : 0;
    Vec2 start = along(text.at, text.turn, -back);
    DrawCmd *cmd =
        n ? add(list, DRAW_TEXT, text_bounds(list, &text, start, width), text.color.a) : NULL;
    if (cmd) {
        cmd->u.text = text;
        cmd->u.text.text = shown;
        cmd->u.text.n = n;
        cmd->u.text.at = start;
        cmd->u.text.align = DRAW_LEFT;
        cmd->full_text = whole;
    }
    return width;
}

void draw_image(DrawList *list, const DrawImage *i)
{
    if (!i->pixels || i->width < 1 || i->height < 1) {
        return;
    }
    DrawCmd *cmd = add(list, DRAW_IMAGE, i->box, 1);
    if (cmd) {
        cmd->u.image = *i;
    }
}

void draw_hatch(DrawList *list, const DrawHatch *h)
{
    if (h->n_points < 3) {
        return;
    }
    DrawCmd *cmd =
        add(list, DRAW_HATCH, bounds_of(h->points, h->n_points, 0), AS_MAX(h->fill.a, h->color.a));
    if (cmd) {
        cmd->u.hatch = *h;
        cmd->u.hatch.spacing = h->spacing > 0 ? h->spacing : 10;
        cmd->u.hatch.width = h->width > 0 ? h->width : 1;
        cmd->u.hatch.points = copy_points(list, h->points, h->n_points);
    }
}

void draw_cells(DrawList *list, const DrawCells *c)
{
    if (!c->source.values || c->source.rows < 1 || c->source.cols < 1) {
        return;
    }
    DrawCmd *cmd = add(list, DRAW_CELLS, c->box, 1);
    if (cmd) {
        cmd->u.cells = *c;
        cmd->u.cells.source.stride = c->source.stride ? c->source.stride : c->source.cols;
        cmd->u.cells.scale = scale_resolve(c->scale);
        cmd->u.cells.alpha = c->alpha > 0 ? AS_MIN(c->alpha, 1.0f) : 1;
    }
}

static Rect rect_union(Rect a, Rect b)
{
    float x0 = AS_MIN(a.x, b.x);
    float y0 = AS_MIN(a.y, b.y);
    float x1 = AS_MAX(a.x + a.w, b.x + b.w);
    float y1 = AS_MAX(a.y + a.h, b.y + b.h);
    return rect(x0, y0, x1 - x0, y1 - y0);
}

/* What of them can be drawn: a curve that is no number is left out of the box, and painters leave
 * it out of the picture. */
static bool curves_box(const DrawCurve *curves, size_t n, Rect *box)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        Rect b = curve_bounds(&curves[i]);
        if (finite_rect(b)) {
            *box = any ? rect_union(*box, b) : b;
            any = true;
        }
    }
    return any;
}

void draw_curves(DrawList *list, const DrawCurves *c)
{
    Rect box;
    DrawCmd *cmd = curves_box(c->curves, c->n, &box) ? add(list, DRAW_CURVES, box, 1) : NULL;
    if (cmd) {
        cmd->u.curves = *c;
    }
}

void draw_particles(DrawList *list, const DrawParticles *p)
{
    Rect box;
    if (!p->n || !curves_box(p->curves, p->n_curves, &box)) {
        return;
    }
    float grow = 0;
    for (size_t i = 0; i < p->n; i++) {
        AS_ASSERT(p->items[i].curve < p->n_curves);
        grow = AS_MAX(grow, AS_MAX(p->items[i].halo, p->items[i].radius) + p->items[i].tail);
    }
    DrawCmd *cmd = add(list, DRAW_PARTICLES, rect_inset(box, -grow), 1);
    if (cmd) {
        cmd->u.particles = *p;
    }
}

void draw_scene(DrawList *list, const DrawScene *scene)
{
    DrawCmd *cmd = add(list, DRAW_SCENE, scene->box, 1);
    if (!cmd) {
        return;
    }
    Error err = {0};
    ScenePlane *planes = ARENA_ARRAY(&list->arena, ScenePlane, scene->n_planes, &err);
    SceneCurve *curves = ARENA_ARRAY(&list->arena, SceneCurve, scene->n_curves, &err);
    SceneDot *dots = ARENA_ARRAY(&list->arena, SceneDot, scene->n_dots, &err);
    if (!planes || !curves || !dots) {
        drop(list, &err);
        return;
    }
    for (size_t i = 0; i < scene->n_planes; i++) {
        planes[i] = scene->planes[i];
    }
    for (size_t i = 0; i < scene->n_curves; i++) {
        curves[i] = scene->curves[i];
    }
    for (size_t i = 0; i < scene->n_dots; i++) {
        dots[i] = scene->dots[i];
    }
    cmd->u.scene = *scene;
    cmd->u.scene.scale = scale_resolve(scene->scale);
    cmd->u.scene.planes = planes;
    cmd->u.scene.curves = curves;
    cmd->u.scene.dots = dots;
}

const char *draw_format(DrawList *list, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    Error err = {0};
    char *copy = NULL;
    if (n >= 0 && (size_t)n < sizeof(text)) {
        copy = arena_strndup(&list->arena, text, (size_t)n, &err);
    } else if (n >= 0) {
        copy = arena_alloc(&list->arena, (size_t)n + 1, &err);
        if (copy) {
            va_start(ap, fmt);
            vsnprintf(copy, (size_t)n + 1, fmt, ap);
            va_end(ap);
        }
    }
    if (!copy) {
        fail(list, &err);
        return "";
    }
    return copy;
}

uint64_t draw_pick(const DrawList *list, Vec2 p)
{
    for (size_t i = list->cmds.n; i-- > 0;) {
        const DrawCmd *cmd = &list->cmds.items[i];
        if (!rect_contains(cmd->clip, p)) {
            continue;
        }
        if (cmd->kind == DRAW_CURVES) {
            size_t k = curves_pick(&cmd->u.curves, p, PICK_REACH);
            if (k < cmd->u.curves.n) {
                return cmd->u.curves.curves[k].tag;
            }
        } else if (cmd->tag && rect_contains(cmd->bounds, p)) {
            return cmd->tag;
        }
    }
    return 0;
}
