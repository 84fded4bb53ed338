#include <math.h>
#include <string.h>

#include "base/str.h"
#include "draw/draw_list.h"

static const char *const kind_names[DRAW_KIND_COUNT] = {
    "rect", "shadow", "line",  "polyline", "bezier", "circle", "polygon",   "path",
    "icon", "text",   "image", "hatch",    "cells",  "curves", "particles", "scene"};

const char *draw_kind_name(DrawKind kind)
{
    return (unsigned)kind < DRAW_KIND_COUNT ? kind_names[kind] : "?";
}

/* Without a negative zero, which would differ between compilers. */
static double tidy(float v)
{
    double r = round((double)v * 100) / 100;
    return r == 0 ? 0 : r;
}

static bool put_number(StrBuf *b, const char *name, float v, Error *err)
{
    return strbuf_printf(b, err, " %s=%.6g", name, tidy(v));
}

static bool put_rect(StrBuf *b, const char *name, Rect r, Error *err)
{
    return strbuf_printf(b, err, " %s=%.6g,%.6g,%.6g,%.6g", name, tidy(r.x), tidy(r.y), tidy(r.w),
                         tidy(r.h));
}

static bool put_point(StrBuf *b, const char *name, Vec2 p, Error *err)
{
    return strbuf_printf(b, err, " %s=%.6g,%.6g", name, tidy(p.x), tidy(p.y));
}

static bool put_color(StrBuf *b, const char *name, Color c, Error *err)
{
    uint32_t packed = color_pack(c);
    const unsigned char *p = (const unsigned char *)&packed;
    return strbuf_printf(b, err, " %s=#%02X%02X%02X%02X", name, p[0], p[1], p[2], p[3]);
}

static bool put_points(StrBuf *b, const Vec2 *p, size_t n, Error *err)
{
    bool ok = strbuf_printf(b, err, " points=");
    for (size_t i = 0; ok && i < n; i++) {
        ok = strbuf_printf(b, err, "%s%.6g,%.6g", i ? " " : "(", tidy(p[i].x), tidy(p[i].y));
    }
    return ok && strbuf_puts(b, ")", err);
}

/* Text with parts from the right: its characters as they stand from left to right. */
static bool put_order(StrBuf *b, FontSet *fonts, const DrawText *t, Error *err)
{
    const ShapedText *shaped = fontset_shape(fonts, t->face, t->text, t->n);
    if (!shaped || !shaped->has_rtl) {
        return true;
    }
    StrBuf seen = {0};
    bool ok = true;
    for (size_t i = 0; i < shaped->n_glyphs && ok; i++) {
        const ShapedGlyph *g = &shaped->glyphs[i];
        size_t end = text_step_logical(fonts, t->face, t->text, t->n, g->cluster, 1);
        ok = !(g->flags & TEXT_CLUSTER_START) ||
             strbuf_add(&seen, t->text + g->cluster, end - g->cluster, err);
    }
    ok = ok && strbuf_puts(b, " seen=", err) &&
         strbuf_json_string(b, strbuf_text(&seen), seen.n, err);
    strbuf_free(&seen);
    return ok;
}

static bool put_text(StrBuf *b, FontSet *fonts, const DrawCmd *cmd, Error *err)
{
    const DrawText *t = &cmd->u.text;
    static const char *const turns[] = {"", " up", " down", " lean"};
    bool ok = strbuf_puts(b, " ", err) && strbuf_json_string(b, t->text, t->n, err) &&
              strbuf_printf(b, err, " %s%s", font_name(t->face), turns[t->turn]) &&
              put_number(b, "size", t->size, err) && put_point(b, "at", t->at, err) &&
              put_color(b, "color", t->color, err);
    ok = ok && put_order(b, fonts, t, err);
    if (ok && t->tracking != 0) {
        ok = put_number(b, "tracking", t->tracking, err);
    }
    if (ok && cmd->full_text) {
        ok = strbuf_puts(b, " of=", err) &&
             strbuf_json_string(b, cmd->full_text, strlen(cmd->full_text), err);
    }
    return ok;
}

static bool put_cells(StrBuf *b, const DrawCells *c, Error *err)
{
    bool ok = strbuf_printf(b, err, " %dx%d map=%s scale=%s,%.6g,%.6g", c->source.rows,
                            c->source.cols, colormap_name(c->map), scale_name(c->scale.kind),
                            (double)c->scale.lo, (double)c->scale.hi) &&
              strbuf_printf(b, err, " reduce=%s", c->reduce == CELL_MEAN ? "mean" : "max") &&
              put_color(b, "masked", c->masked, err);
    if (ok && c->hide_future) {
        ok = strbuf_printf(b, err, " future=%d", c->future_offset);
    }
    if (ok && (c->inset > 0 || c->radius > 0)) {
        ok = put_number(b, "inset", c->inset, err) && put_number(b, "radius", c->radius, err);
    }
    return ok && (c->alpha >= 1 || put_number(b, "alpha", c->alpha, err));
}

static bool put_rect_style(StrBuf *b, const DrawRect *r, Error *err)
{
    bool ok = put_color(b, "fill", r->fill, err);
    if (ok && r->gradient) {
        ok = put_color(b, "bottom", r->fill_bottom, err);
    }
    if (ok && r->radius > 0) {
        ok = put_number(b, "radius", r->radius, err);
    }
    if (ok && r->border > 0) {
        ok = put_number(b, "border", r->border, err) && put_color(b, "edge", r->border_color, err);
    }
    return ok;
}

static bool put_curve(StrBuf *b, const DrawBezier *c, Error *err)
{
    bool ok = put_point(b, "a", c->a, err) && put_point(b, "c1", c->c1, err) &&
              put_point(b, "c2", c->c2, err) && put_point(b, "b", c->b, err) &&
              put_number(b, "width", c->width, err) &&
              put_number(b, "width_end", c->width_end, err) &&
              put_color(b, "color", c->color, err) && put_color(b, "end", c->color_end, err);
    if (ok && c->soft > 0) {
        ok = put_number(b, "soft", c->soft, err);
    }
    if (ok && (c->t0 > 0 || c->t1 < 1)) {
        ok = put_number(b, "t0", c->t0, err) && put_number(b, "t1", c->t1, err);
    }
    return ok;
}

static bool put_weighted(StrBuf *b, const DrawCurve *c, float drawn, Error *err)
{
    bool ok = strbuf_puts(b, "\n  curve", err) &&
              (!c->tag || strbuf_printf(b, err, " #%llu", (unsigned long long)c->tag)) &&
              put_point(b, "a", c->a, err) && put_point(b, "c1", c->c1, err) &&
              put_point(b, "c2", c->c2, err) && put_point(b, "b", c->b, err) &&
              strbuf_printf(b, err, " width=%.6g,%.6g,%.6g", tidy(c->width),
                            tidy(curve_width(c, 0.5f)), tidy(curve_width(c, 1))) &&
              put_color(b, "color", c->color, err) && put_color(b, "end", curve_color(c, 1), err);
    if (ok && c->glow > 0) {
        ok = put_number(b, "glow", c->glow, err) && put_number(b, "light", c->glow_alpha, err);
    }
    if (ok && c->core > 0) {
        ok = put_number(b, "core", c->core, err);
    }
    return ok && (drawn >= 1 || put_number(b, "drawn", drawn, err));
}

static bool put_curves(StrBuf *b, const DrawCurves *c, Error *err)
{
    bool ok = strbuf_printf(b, err, " n=%zu", c->n);
    for (size_t i = 0; ok && i < c->n; i++) {
        ok = put_weighted(b, &c->curves[i], curve_drawn(c, &c->curves[i]), err);
    }
    return ok;
}

static bool put_particles(StrBuf *b, const DrawParticles *p, Error *err)
{
    bool ok =
        strbuf_printf(b, err, " n=%zu %s", p->n, p->shape == PARTICLE_ARROW ? "arrows" : "dots");
    for (size_t i = 0; ok && i < p->n; i++) {
        const DrawParticle *item = &p->items[i];
        float alpha;
        float t = particle_at(p, item, &alpha);
        if (alpha > 0) {
            ok = strbuf_printf(b, err, "\n  particle on=%u", item->curve) &&
                 put_point(b, "at", curve_at(&p->curves[item->curve], t), err) &&
                 put_number(b, "radius", item->radius, err) &&
                 put_color(b, "color", color_fade(item->color, alpha), err);
        }
    }
    return ok;
}

static bool put_line(StrBuf *b, const DrawLine *l, Error *err)
{
    bool ok = put_point(b, "a", l->a, err) && put_point(b, "b", l->b, err) &&
              put_number(b, "width", l->width, err) && put_color(b, "color", l->color, err);
    if (ok && l->dash_on > 0) {
        ok = put_number(b, "on", l->dash_on, err) && put_number(b, "off", l->dash_off, err);
    }
    return ok;
}

static bool put_space(StrBuf *b, const char *name, Vec3 p, Error *err)
{
    return strbuf_printf(b, err, " %s=%.6g,%.6g,%.6g", name, tidy(p.x), tidy(p.y), tidy(p.z));
}

static bool put_plane(StrBuf *b, const ScenePlane *p, Error *err)
{
    return strbuf_printf(b, err, "\n  sheet") &&
           put_space(b, "from", (Vec3){p->x0, p->y, p->z0}, err) &&
           put_space(b, "to", (Vec3){p->x1, p->y, p->z1}, err) &&
           strbuf_printf(b, err, " %dx%d", p->cells.rows, p->cells.cols) &&
           put_number(b, "mix", p->mix, err) && put_number(b, "opacity", p->alpha, err) &&
           put_color(b, "sheet", p->sheet, err);
}

static bool put_scene(StrBuf *b, const DrawScene *s, Error *err)
{
    const Camera3D *c = &s->camera;
    bool ok = put_space(b, "target", c->target, err) && put_number(b, "yaw", c->yaw_rad, err) &&
              put_number(b, "pitch", c->pitch_rad, err) &&
              put_number(b, "distance", c->distance, err) &&
              put_number(b, "fov", c->fov_rad, err) &&
              strbuf_puts(b, c->orthographic ? " orthographic" : "", err);
    for (size_t i = 0; ok && i < s->n_planes; i++) {
        ok = put_plane(b, &s->planes[i], err);
    }
    for (size_t i = 0; ok && i < s->n_curves; i++) {
        const SceneCurve *k = &s->curves[i];
        ok = strbuf_puts(b, k->straight ? "\n  straight" : "\n  curve", err) &&
             put_space(b, "from", k->p[0], err) && put_space(b, "to", k->p[3], err) &&
             put_number(b, "width", k->width, err) && put_color(b, "color", k->color, err);
    }
    for (size_t i = 0; ok && i < s->n_dots; i++) {
        ok = strbuf_puts(b, "\n  dot", err) && put_space(b, "at", s->dots[i].at, err) &&
             put_number(b, "radius", s->dots[i].radius, err);
    }
    return ok;
}

static bool put_cmd(StrBuf *b, FontSet *fonts, const DrawCmd *cmd, Error *err)
{
    switch (cmd->kind) {
    case DRAW_RECT:
        return put_rect_style(b, &cmd->u.rect, err);
    case DRAW_SHADOW:
        return put_number(b, "blur", cmd->u.shadow.blur, err) &&
               put_number(b, "dy", cmd->u.shadow.dy, err) &&
               put_color(b, "color", cmd->u.shadow.color, err);
    case DRAW_LINE:
        return put_line(b, &cmd->u.line, err);
    case DRAW_POLYLINE:
        return put_points(b, cmd->u.polyline.points, cmd->u.polyline.n_points, err) &&
               put_number(b, "width", cmd->u.polyline.width, err) &&
               put_color(b, "color", cmd->u.polyline.color, err) &&
               strbuf_puts(b, cmd->u.polyline.closed ? " closed" : "", err);
    case DRAW_BEZIER:
        return put_curve(b, &cmd->u.bezier, err);
    case DRAW_CIRCLE:
        return put_color(b, "fill", cmd->u.circle.fill, err) &&
               put_number(b, "border", cmd->u.circle.border, err) &&
               put_color(b, "edge", cmd->u.circle.border_color, err);
    case DRAW_POLYGON:
        return put_points(b, cmd->u.polygon.points, cmd->u.polygon.n_points, err) &&
               put_color(b, "fill", cmd->u.polygon.fill, err);
    case DRAW_PATH:
        return put_color(b, "fill", cmd->u.path.fill, err) &&
               put_number(b, "stroke", cmd->u.path.stroke, err) &&
               put_color(b, "color", cmd->u.path.stroke_color, err);
    case DRAW_ICON:
        return strbuf_printf(b, err, " %s", icon_name(cmd->u.icon.icon)) &&
               put_color(b, "color", cmd->u.icon.color, err);
    case DRAW_TEXT:
        return put_text(b, fonts, cmd, err);
    case DRAW_IMAGE:
        return strbuf_printf(b, err, " %dx%d", cmd->u.image.width, cmd->u.image.height);
    case DRAW_HATCH:
        return put_points(b, cmd->u.hatch.points, cmd->u.hatch.n_points, err) &&
               put_color(b, "fill", cmd->u.hatch.fill, err) &&
               put_color(b, "color", cmd->u.hatch.color, err);
    case DRAW_CELLS:
        return put_cells(b, &cmd->u.cells, err);
    case DRAW_CURVES:
        return put_curves(b, &cmd->u.curves, err);
    case DRAW_PARTICLES:
        return put_particles(b, &cmd->u.particles, err);
    case DRAW_SCENE:
        return put_scene(b, &cmd->u.scene, err);
    default:
        return true;
    }
}

char *draw_dump(const DrawList *list, Arena *arena, Error *err)
{
    StrBuf b = {0};
    bool ok = strbuf_printf(&b, err, "frame %gx%g", (double)list->width, (double)list->height) &&
              put_color(&b, "background", list->background, err);
    Rect clip = rect(0, 0, list->width, list->height);
    for (size_t i = 0; ok && i < list->cmds.n; i++) {
        const DrawCmd *cmd = &list->cmds.items[i];
        bool same_clip = cmd->clip.x == clip.x && cmd->clip.y == clip.y && cmd->clip.w == clip.w &&
                         cmd->clip.h == clip.h;
        if (!same_clip) {
            clip = cmd->clip;
            ok = strbuf_puts(&b, "\nclip", err) && put_rect(&b, "to", clip, err);
        }
        ok = ok && strbuf_printf(&b, err, "\n%s", draw_kind_name(cmd->kind)) &&
             (!cmd->tag || strbuf_printf(&b, err, " #%llu", (unsigned long long)cmd->tag)) &&
             (cmd->blend == DRAW_OVER || strbuf_puts(&b, " add", err)) &&
             (cmd->alpha >= 1 || put_number(&b, "opacity", cmd->alpha, err)) &&
             put_rect(&b, "box", cmd->bounds, err) && put_cmd(&b, list->fonts, cmd, err);
    }
    ok = ok && strbuf_puts(&b, "\n", err);
    char *out = ok ? arena_strndup(arena, b.text, b.n, err) : NULL;
    strbuf_free(&b);
    return out;
}
