#include <math.h>
#include <string.h>

#include "base/file.h"
#include "export/svg.h"

static void svg_rect(Svg *s)
{
    const DrawRect *r = &s->cmd->u.rect;
    int gradient = 0;
    if (r->gradient) {
        gradient =
            svg_define_gradient(s, vec2(r->box.x, r->box.y), vec2(r->box.x, r->box.y + r->box.h),
                                r->fill, r->fill_bottom);
    }
    /* SVG strokes lie on the edge, ours inside it. */
    svg_put(s, "<rect");
    svg_box(s, rect_inset(r->box, r->border / 2));
    if (r->radius > 0) {
        svg_attr(s, "rx", AS_MAX(r->radius - r->border / 2, 0.0f));
    }
    if (gradient) {
        svg_url(s, "fill", gradient);
    } else if (r->fill.a > 0) {
        svg_color(s, "fill", r->fill);
    } else {
        svg_put(s, " fill=\"none\"");
    }
    if (r->border > 0) {
        svg_color(s, "stroke", r->border_color);
        svg_attr(s, "stroke-width", r->border);
    }
    svg_common(s);
    svg_put(s, "/>\n");
}

static void svg_shadow(Svg *s)
{
    const DrawShadow *d = &s->cmd->u.shadow;
    int blur = svg_define_blur(s, d->blur / 2);
    int hole = ++s->n_ids;
    Rect b = d->box;
    Rect all = rect_inset(s->cmd->bounds, -d->blur);
    /* Outside the box only. */
    s->ok = s->ok &&
            strbuf_printf(&s->out, s->err, "<mask id=\"i%d\" maskUnits=\"userSpaceOnUse\"", hole);
    svg_box(s, all);
    svg_put(s, "><rect fill=\"#FFFFFF\"");
    svg_box(s, all);
    svg_put(s, "/><rect fill=\"#000000\"");
    svg_box(s, b);
    svg_attr(s, "rx", d->radius);
    svg_put(s, "/></mask>\n<g");
    svg_url(s, "mask", hole);
    svg_common(s);
    svg_put(s, "><rect");
    b.y += d->dy;
    svg_box(s, b);
    svg_attr(s, "rx", d->radius);
    svg_color(s, "fill", d->color);
    svg_url(s, "filter", blur);
    svg_put(s, "/></g>\n");
}

static void svg_line(Svg *s)
{
    const DrawLine *l = &s->cmd->u.line;
    svg_put(s, "<line");
    svg_attr(s, "x1", l->a.x);
    svg_attr(s, "y1", l->a.y);
    svg_attr(s, "x2", l->b.x);
    svg_attr(s, "y2", l->b.y);
    svg_color(s, "stroke", l->color);
    svg_attr(s, "stroke-width", l->width);
    if (l->cap == DRAW_ROUND) {
        svg_put(s, " stroke-linecap=\"round\"");
    }
    if (l->dash_on > 0 && l->dash_off > 0) {
        svg_put(s, " stroke-dasharray=\"");
        svg_number(s, l->dash_on);
        svg_put(s, " ");
        svg_number(s, l->dash_off);
        svg_put(s, "\"");
    }
    svg_common(s);
    svg_put(s, "/>\n");
}

static void svg_polyline(Svg *s)
{
    const DrawPolyline *p = &s->cmd->u.polyline;
    svg_put(s, p->closed ? "<polygon" : "<polyline");
    svg_points(s, p->points, p->n_points);
    svg_put(s, " fill=\"none\" stroke-linejoin=\"round\"");
    svg_color(s, "stroke", p->color);
    svg_attr(s, "stroke-width", p->width);
    if (p->cap == DRAW_ROUND) {
        svg_put(s, " stroke-linecap=\"round\"");
    }
    svg_common(s);
    svg_put(s, "/>\n");
}

static void svg_bezier(Svg *s)
{
    const DrawBezier *b = &s->cmd->u.bezier;
    Vec2 p[4];
    picture_bezier_part(b, p);
    Color from = color_mix(b->color, b->color_end, b->t0);
    Color to = color_mix(b->color, b->color_end, b->t1);
    float width = b->width + (b->width_end - b->width) * b->t0;
    float width_end = b->width + (b->width_end - b->width) * b->t1;
    int gradient = b->gradient ? svg_define_gradient(s, p[0], p[3], from, to) : 0;
    int blur = b->soft > 0 ? svg_define_blur(s, b->soft / 3) : 0;
    bool even = width == width_end;
    if (even) {
        svg_put(s, "<path fill=\"none\" d=\"");
        svg_pair(s, "M", p[0]);
        svg_pair(s, " C", p[1]);
        svg_pair(s, " ", p[2]);
        svg_pair(s, " ", p[3]);
        svg_put(s, "\"");
        svg_attr(s, "stroke-width", width + b->soft);
        if (b->cap == DRAW_ROUND) {
            svg_put(s, " stroke-linecap=\"round\"");
        }
    } else {
        Vec2 outline[PICTURE_OUTLINE];
        picture_bezier_outline(p, width + b->soft, width_end + b->soft, outline);
        svg_put(s, "<polygon");
        svg_points(s, outline, PICTURE_OUTLINE);
    }
    const char *paint = even ? "stroke" : "fill";
    if (gradient) {
        svg_url(s, paint, gradient);
    } else {
        svg_color(s, paint, b->color);
    }
    if (blur) {
        svg_url(s, "filter", blur);
    }
    svg_common(s);
    svg_put(s, "/>\n");
}

static void svg_circle(Svg *s)
{
    const DrawCircle *c = &s->cmd->u.circle;
    int blur = c->soft > 0 ? svg_define_blur(s, c->soft / 3) : 0;
    svg_put(s, "<circle");
    svg_attr(s, "cx", c->center.x);
    svg_attr(s, "cy", c->center.y);
    svg_attr(s, "r", c->radius + c->soft / 2 - c->border / 2);
    if (c->fill.a > 0) {
        svg_color(s, "fill", c->fill);
    } else {
        svg_put(s, " fill=\"none\"");
    }
    if (c->border > 0) {
        svg_color(s, "stroke", c->border_color);
        svg_attr(s, "stroke-width", c->border);
    }
    if (blur) {
        svg_url(s, "filter", blur);
    }
    svg_common(s);
    svg_put(s, "/>\n");
}

static void svg_polygon(Svg *s, const Vec2 *points, size_t n, Color fill)
{
    svg_put(s, "<polygon");
    svg_points(s, points, n);
    svg_color(s, "fill", fill);
    svg_common(s);
    svg_put(s, "/>\n");
}

static void svg_hatch(Svg *s)
{
    const DrawHatch *h = &s->cmd->u.hatch;
    if (h->fill.a > 0) {
        svg_polygon(s, h->points, h->n_points, h->fill);
    }
    int id = ++s->n_ids;
    float d = h->spacing;
    s->ok = s->ok && strbuf_printf(&s->out, s->err,
                                   "<pattern id=\"i%d\" patternUnits=\"userSpaceOnUse\"", id);
    svg_box(s, rect(h->points[0].x, h->points[0].y, d, d));
    svg_put(s, "><path d=\"");
    /* The tile's diagonal, and those of its neighbours where the line's width reaches in. */
    svg_pair(s, "M", vec2(0, d));
    svg_pair(s, " L", vec2(d, 0));
    svg_pair(s, " M", vec2(-d / 4, d / 4));
    svg_pair(s, " L", vec2(d / 4, -d / 4));
    svg_pair(s, " M", vec2(d * 0.75f, d * 1.25f));
    svg_pair(s, " L", vec2(d * 1.25f, d * 0.75f));
    svg_put(s, "\" fill=\"none\"");
    svg_color(s, "stroke", h->color);
    svg_attr(s, "stroke-width", h->width);
    svg_put(s, "/></pattern>\n<polygon");
    svg_points(s, h->points, h->n_points);
    svg_url(s, "fill", id);
    svg_common(s);
    svg_put(s, "/>\n");
}

static void put_path_data(Svg *s, Path path)
{
    const Vec2 *p = path.points;
    svg_put(s, " d=\"");
    for (uint32_t i = 0; i < path.n_verbs; i++) {
        switch (path.verbs[i]) {
        case PATH_MOVE:
            svg_pair(s, "M", *p++);
            break;
        case PATH_LINE:
            svg_pair(s, "L", *p++);
            break;
        case PATH_CUBIC:
            svg_pair(s, "C", *p++);
            svg_pair(s, " ", *p++);
            svg_pair(s, " ", *p++);
            break;
        default:
            svg_put(s, "Z");
        }
    }
    svg_put(s, "\"");
}

/* What has a transform of its own is cut in a group around it: its clip would turn with it. */
static void open_turned(Svg *s, const char *tag)
{
    svg_put(s, "<g");
    svg_common(s);
    svg_put(s, ">");
    svg_put(s, tag);
}

/* A path at an origin and scale, filled (stroke 0) or stroked. */
static void svg_path(Svg *s, Path path, Vec2 origin, float scale, float stroke, Color color)
{
    if (!path.n_points || color.a <= 0) {
        return;
    }
    open_turned(s, "<path");
    put_path_data(s, path);
    svg_pair(s, " transform=\"translate(", origin);
    svg_put(s, ") scale(");
    svg_number(s, scale);
    svg_put(s, ")\"");
    if (stroke > 0) {
        svg_put(s, " fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\"");
        svg_color(s, "stroke", color);
        svg_attr(s, "stroke-width", stroke / scale);
    } else {
        svg_color(s, "fill", color);
    }
    svg_put(s, "/></g>\n");
}

static void svg_icon(Svg *s)
{
    const DrawIcon *i = &s->cmd->u.icon;
    float scale = i->size / 24;
    Vec2 origin = vec2(i->center.x - i->size / 2, i->center.y - i->size / 2);
    PathBuilder stroke = {0};
    PathBuilder fill = {0};
    s->ok = s->ok && path_parse(&stroke, icon_stroke_path(i->icon), s->err) &&
            path_parse(&fill, icon_fill_path(i->icon), s->err);
    svg_path(s, path_of(&stroke), origin, scale, i->stroke, i->color);
    svg_path(s, path_of(&fill), origin, scale, 0, i->color);
    path_builder_free(&stroke);
    path_builder_free(&fill);
}

static void svg_text(Svg *s)
{
    const DrawText *t = &s->cmd->u.text;
    const ShapedText *shaped = fontset_shape(s->list->fonts, t->face, t->text, t->n);
    float width = text_width_tracked(s->list->fonts, t->face, t->size, t->tracking, t->text, t->n);
    bool rtl = shaped && shaped->starts_rtl;
    static const float turns[] = {0, -90, 90, -TEXT_LEAN_DEG};
    float turn = turns[t->turn];
    if (turn != 0) {
        open_turned(s, "<text xml:space=\"preserve\"");
    } else {
        svg_put(s, "<text xml:space=\"preserve\"");
    }
    /* Renderers do not agree where a line from the right starts, but all know its middle. */
    float shift = rtl ? width / 2 : 0;
    svg_attr(s, "x", t->at.x + shift);
    svg_attr(s, "y", t->at.y);
    if (turn != 0) {
        svg_put(s, " transform=\"rotate(");
        svg_number(s, turn);
        svg_pair(s, " ", t->at);
        svg_put(s, ")\"");
    }
    s->ok =
        s->ok && strbuf_printf(&s->out, s->err, " font-family=\"%s\"", font_css_families(t->face));
    svg_attr(s, "font-size", t->size);
    if (font_css_weight(t->face) != 400) {
        s->ok = s->ok &&
                strbuf_printf(&s->out, s->err, " font-weight=\"%d\"", font_css_weight(t->face));
    }
    if (font_is_italic(t->face)) {
        svg_put(s, " font-style=\"italic\"");
    }
    if (rtl) {
        svg_put(s, " direction=\"rtl\" text-anchor=\"middle\"");
    }
    svg_color(s, "fill", t->color);
    /* Other machines have other fonts: what was measured to fit still fits. */
    if (t->tracking != 0) {
        svg_attr(s, "letter-spacing", t->tracking); /* after the last one too */
    }
    svg_attr(s, "textLength", width + t->tracking);
    svg_put(s, " lengthAdjust=\"spacingAndGlyphs\"");
    if (turn == 0) {
        svg_common(s);
    }
    svg_put(s, ">");
    svg_escaped(s, t->text, t->n);
    if (s->cmd->full_text) {
        svg_put(s, "<title>");
        svg_escaped(s, s->cmd->full_text, strlen(s->cmd->full_text));
        svg_put(s, "</title>");
    }
    svg_put(s, turn != 0 ? "</text></g>\n" : "</text>\n");
}

/* Not all programs leave large pixels sharp when they are asked to: pixels are repeated up to this.
 */
enum { SHARP_SIDE = 2048 };

static void put_sharp(Svg *s, const unsigned char *rgba, int32_t w, int32_t h, int32_t times)
{
    size_t row = (size_t)w * (size_t)times * 4;
    unsigned char *large =
        times > 1 ? arena_alloc(&s->arena, row * (size_t)h * (size_t)times, s->err) : NULL;
    if (!large) {
        svg_png(s, rgba, w, h);
        return;
    }
    for (int32_t y = 0; y < h * times; y++) {
        for (int32_t x = 0; x < w * times; x++) {
            size_t from = ((size_t)(y / times) * (size_t)w + (size_t)(x / times)) * 4;
            memcpy(large + (size_t)y * row + (size_t)x * 4, rgba + from, 4);
        }
    }
    svg_png(s, large, w * times, h * times);
}

static void svg_image(Svg *s, Rect box, const unsigned char *rgba, int32_t w, int32_t h,
                      bool smooth, float alpha)
{
    svg_put(s, "<image preserveAspectRatio=\"none\"");
    svg_box(s, box);
    if (alpha * s->cmd->alpha < 1) {
        svg_attr(s, "opacity", alpha * s->cmd->alpha);
    }
    if (!smooth) {
        svg_put(s, " image-rendering=\"optimizeSpeed\" class=\"cells\"");
    }
    svg_common(s);
    svg_put(s, " href=\"");
    int32_t side = AS_MAX(w, h);
    float larger = fmaxf(box.w / (float)w, box.h / (float)h) * export_scale(s->desc);
    int32_t times = smooth ? 1 : (int32_t)AS_CLAMP(ceilf(larger), 1.0f, 16.0f);
    times = AS_MIN(times, AS_MAX(SHARP_SIDE / side, 1));
    put_sharp(s, rgba, w, h, times);
    svg_put(s, "\"/>\n");
}

static void svg_cells(Svg *s)
{
    const DrawCells *c = &s->cmd->u.cells;
    CellPicture picture;
    s->ok = s->ok && picture_cells(c, export_scale(s->desc), &s->arena, &picture, s->err);
    if (!s->ok) {
        return;
    }
    int64_t n = (int64_t)picture.rows * picture.cols;
    bool drawn = c->inset > 0 || c->radius > 0;
    if (n > export_cells_most(s->desc) && !drawn) {
        svg_image(s, c->box, picture.rgba, picture.cols, picture.rows, false, c->alpha);
        return;
    }
    float w = c->box.w / (float)picture.cols;
    float h = c->box.h / (float)picture.rows;
    svg_put(s, drawn ? "<g" : "<g shape-rendering=\"crispEdges\"");
    svg_common(s);
    svg_put(s, ">\n");
    for (int64_t i = 0; i < n && s->ok; i++) {
        uint32_t packed;
        memcpy(&packed, picture.rgba + 4 * i, 4);
        Color color = color_fade(color_unpack(packed), c->alpha);
        if (color.a <= 0) {
            continue;
        }
        Rect cell = rect(c->box.x + w * (float)(i % picture.cols),
                         c->box.y + h * (float)(i / picture.cols), w, h);
        svg_put(s, "<rect");
        svg_box(s, rect_inset(cell, c->inset));
        if (c->radius > 0) {
            svg_attr(s, "rx", c->radius);
        }
        svg_color(s, "fill", color);
        svg_put(s, "/>\n");
    }
    svg_put(s, "</g>\n");
}

static void svg_scene(Svg *s)
{
    CellPicture picture;
    s->ok = s->ok && picture_scene(s->list, s->cmd, s->desc, &s->arena, &picture, s->err);
    if (s->ok) {
        svg_image(s, s->cmd->u.scene.box, picture.rgba, picture.cols, picture.rows, true, 1);
    }
}

static void svg_command(Svg *s)
{
    const DrawCmd *cmd = s->cmd;
    svg_define_clip(s);
    switch (cmd->kind) {
    case DRAW_RECT:
        svg_rect(s);
        break;
    case DRAW_SHADOW:
        svg_shadow(s);
        break;
    case DRAW_LINE:
        svg_line(s);
        break;
    case DRAW_POLYLINE:
        svg_polyline(s);
        break;
    case DRAW_BEZIER:
        svg_bezier(s);
        break;
    case DRAW_CIRCLE:
        svg_circle(s);
        break;
    case DRAW_POLYGON:
        svg_polygon(s, cmd->u.polygon.points, cmd->u.polygon.n_points, cmd->u.polygon.fill);
        break;
    case DRAW_PATH: {
        const DrawPath *p = &cmd->u.path;
        svg_path(s, p->path, p->origin, p->scale, 0, p->fill);
        if (p->stroke > 0) {
            svg_path(s, p->path, p->origin, p->scale, p->stroke, p->stroke_color);
        }
        break;
    }
    case DRAW_ICON:
        svg_icon(s);
        break;
    case DRAW_TEXT:
        svg_text(s);
        break;
    case DRAW_IMAGE:
        svg_image(s, cmd->u.image.box, cmd->u.image.pixels, cmd->u.image.width, cmd->u.image.height,
                  cmd->u.image.smooth, 1);
        break;
    case DRAW_HATCH:
        svg_hatch(s);
        break;
    case DRAW_CELLS:
        svg_cells(s);
        break;
    case DRAW_CURVES:
        svg_curves(s);
        break;
    case DRAW_PARTICLES:
        svg_particles(s);
        break;
    case DRAW_SCENE:
        svg_scene(s);
        break;
    default:
        s->ok = error_set(s->err, ERR_INTERNAL, "unknown drawing command %d", (int)cmd->kind);
    }
}

static void svg_document(Svg *s, const char *title)
{
    const DrawList *list = s->list;
    DrawCmd background = {.alpha = 1};
    s->cmd = &background;
    svg_put(
        s, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"");
    svg_attr(s, "width", list->width);
    svg_attr(s, "height", list->height);
    svg_put(s, " viewBox=\"0 0 ");
    svg_number(s, list->width);
    svg_put(s, " ");
    svg_number(s, list->height);
    svg_put(s, "\">\n<title>");
    svg_escaped(s, title, strlen(title));
    svg_put(s, "</title>\n<style>.cells{image-rendering:pixelated}</style>\n<rect width=\"100%\" "
               "height=\"100%\"");
    svg_color(s, "fill", list->background);
    svg_put(s, "/>\n");
    for (size_t i = 0; s->ok && i < list->cmds.n; i++) {
        s->cmd = &list->cmds.items[i];
        svg_command(s);
    }
    svg_put(s, "</svg>\n");
}

bool export_svg(const char *path, const DrawList *list, const ExportDesc *desc, Error *err)
{
    Error own = {0};
    Svg s = {.err = err ? err : &own, .ok = true, .list = list, .desc = desc};
    svg_document(&s, desc && desc->title ? desc->title : "attnscope");
    bool ok = s.ok && file_write_all(path, s.out.text, s.out.n, err);
    strbuf_free(&s.out);
    arena_destroy(&s.arena);
    return ok;
}
