#include "export/canvas.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

void canvas_free(Canvas *c)
{
    for (size_t i = 0; i < c->faces.n; i++) {
        cairo_font_face_destroy(c->faces.items[i].face);
    }
    ARRAY_FREE(&c->faces);
    ARRAY_FREE(&c->glyphs);
    ARRAY_FREE(&c->clusters);
    arena_destroy(&c->arena);
}

void canvas_color(Canvas *c, Color color)
{
    cairo_set_source_rgba(c->cr, (double)color.r, (double)color.g, (double)color.b,
                          (double)(color.a * c->cmd->alpha));
}

static void add_stop(const Canvas *c, cairo_pattern_t *p, double at, Color color)
{
    cairo_pattern_add_color_stop_rgba(p, at, (double)color.r, (double)color.g, (double)color.b,
                                      (double)(color.a * c->cmd->alpha));
}

static void set_gradient(Canvas *c, Vec2 a, Vec2 b, Color from, Color to)
{
    cairo_pattern_t *p =
        cairo_pattern_create_linear((double)a.x, (double)a.y, (double)b.x, (double)b.y);
    add_stop(c, p, 0, from);
    add_stop(c, p, 1, to);
    cairo_set_source(c->cr, p);
    cairo_pattern_destroy(p);
}

static void rounded(Canvas *c, Rect r, float radius)
{
    double x = (double)r.x;
    double y = (double)r.y;
    double w = (double)r.w;
    double h = (double)r.h;
    double k = (double)AS_CLAMP(radius, 0.0f, AS_MIN(r.w, r.h) / 2);
    if (k <= 0) {
        cairo_rectangle(c->cr, x, y, w, h);
        return;
    }
    cairo_new_sub_path(c->cr);
    cairo_arc(c->cr, x + w - k, y + k, k, -PI / 2, 0);
    cairo_arc(c->cr, x + w - k, y + h - k, k, 0, PI / 2);
    cairo_arc(c->cr, x + k, y + h - k, k, PI / 2, PI);
    cairo_arc(c->cr, x + k, y + k, k, PI, 3 * PI / 2);
    cairo_close_path(c->cr);
}

static void canvas_rect(Canvas *c)
{
    const DrawRect *r = &c->cmd->u.rect;
    if (r->gradient) {
        set_gradient(c, vec2(r->box.x, r->box.y), vec2(r->box.x, r->box.y + r->box.h), r->fill,
                     r->fill_bottom);
    } else {
        canvas_color(c, r->fill);
    }
    if (r->gradient || r->fill.a > 0) {
        rounded(c, rect_inset(r->box, r->border / 2), r->radius - r->border / 2);
        cairo_fill(c->cr);
    }
    if (r->border > 0) {
        rounded(c, rect_inset(r->box, r->border / 2), r->radius - r->border / 2);
        canvas_color(c, r->border_color);
        cairo_set_line_width(c->cr, (double)r->border);
        cairo_stroke(c->cr);
    }
}

/* The blur as an alpha picture, by the formula of shaders/shadow.frag. */
static bool canvas_shadow(Canvas *c, Error *err)
{
    const DrawShadow *d = &c->cmd->u.shadow;
    Rect bounds = rect_inset(c->cmd->bounds, -d->blur / 2 - 1);
    Rect seen = rect_intersect(bounds, c->cmd->clip);
    int w = (int)ceilf(seen.w);
    int h = (int)ceilf(seen.h);
    if (w < 1 || h < 1) {
        return true;
    }
    cairo_surface_t *mask = cairo_image_surface_create(CAIRO_FORMAT_A8, w, h);
    unsigned char *pixels = cairo_image_surface_get_data(mask);
    if (!pixels) {
        cairo_surface_destroy(mask);
        return error_set(err, ERR_MEMORY, "not enough memory for a shadow of %d x %d", w, h);
    }
    int stride = cairo_image_surface_get_stride(mask);
    float sigma = AS_MAX(d->blur / 2, 0.25f);
    float hx = d->box.w / 2;
    float hy = d->box.h / 2;
    float radius = AS_MIN(d->radius + sigma, AS_MIN(hx, hy));
    Vec2 center = rect_center(d->box);
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            float dx = fabsf(seen.x + (float)x + 0.5f - center.x) - (hx - radius);
            float dy = fabsf(seen.y + (float)y + 0.5f - center.y - d->dy) - (hy - radius);
            float ox = AS_MAX(dx, 0.0f);
            float oy = AS_MAX(dy, 0.0f);
            float far = sqrtf(ox * ox + oy * oy) + AS_MIN(AS_MAX(dx, dy), 0.0f) - radius;
            float a = 1 / (1 + expf(1.702f * far / sigma));
            pixels[(ptrdiff_t)y * stride + x] = (unsigned char)(a * 255 + 0.5f);
        }
    }
    cairo_surface_mark_dirty(mask);
    /* Outside the box only. */
    cairo_rectangle(c->cr, (double)seen.x, (double)seen.y, (double)seen.w, (double)seen.h);
    rounded(c, d->box, d->radius);
    cairo_set_fill_rule(c->cr, CAIRO_FILL_RULE_EVEN_ODD);
    cairo_clip(c->cr);
    cairo_set_fill_rule(c->cr, CAIRO_FILL_RULE_WINDING);
    canvas_color(c, d->color);
    cairo_mask_surface(c->cr, mask, (double)seen.x, (double)seen.y);
    cairo_surface_destroy(mask);
    return true;
}

static void points_path(Canvas *c, const Vec2 *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cairo_line_to(c->cr, (double)p[i].x, (double)p[i].y);
    }
}

static void canvas_line(Canvas *c)
{
    const DrawLine *l = &c->cmd->u.line;
    cairo_move_to(c->cr, (double)l->a.x, (double)l->a.y);
    cairo_line_to(c->cr, (double)l->b.x, (double)l->b.y);
    canvas_color(c, l->color);
    cairo_set_line_width(c->cr, (double)l->width);
    cairo_set_line_cap(c->cr, l->cap == DRAW_ROUND ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT);
    if (l->dash_on > 0 && l->dash_off > 0) {
        double dash[2] = {(double)l->dash_on, (double)l->dash_off};
        cairo_set_dash(c->cr, dash, 2, 0);
    }
    cairo_stroke(c->cr);
}

static void canvas_polyline(Canvas *c)
{
    const DrawPolyline *p = &c->cmd->u.polyline;
    points_path(c, p->points, p->n_points);
    if (p->closed) {
        cairo_close_path(c->cr);
    }
    canvas_color(c, p->color);
    cairo_set_line_width(c->cr, (double)p->width);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(c->cr, p->cap == DRAW_ROUND ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT);
    cairo_stroke(c->cr);
}

static void bezier_once(Canvas *c, const DrawBezier *b, const Vec2 p[4], float grow, float fade)
{
    Color from = color_fade(color_mix(b->color, b->color_end, b->t0), fade);
    Color to = color_fade(color_mix(b->color, b->color_end, b->t1), fade);
    float width = b->width + (b->width_end - b->width) * b->t0 + grow;
    float width_end = b->width + (b->width_end - b->width) * b->t1 + grow;
    if (b->gradient) {
        set_gradient(c, p[0], p[3], from, to);
    } else {
        canvas_color(c, from);
    }
    if (width == width_end) {
        cairo_move_to(c->cr, (double)p[0].x, (double)p[0].y);
        cairo_curve_to(c->cr, (double)p[1].x, (double)p[1].y, (double)p[2].x, (double)p[2].y,
                       (double)p[3].x, (double)p[3].y);
        cairo_set_line_width(c->cr, (double)width);
        cairo_set_line_cap(c->cr,
                           b->cap == DRAW_ROUND ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT);
        cairo_stroke(c->cr);
        return;
    }
    Vec2 outline[PICTURE_OUTLINE];
    picture_bezier_outline(p, width, width_end, outline);
    points_path(c, outline, PICTURE_OUTLINE);
    cairo_close_path(c->cr);
    cairo_fill(c->cr);
}

static void canvas_bezier(Canvas *c)
{
    const DrawBezier *b = &c->cmd->u.bezier;
    Vec2 p[4];
    picture_bezier_part(b, p);
    if (b->soft <= 0) {
        bezier_once(c, b, p, 0, 1);
        return;
    }
    /* A soft edge as strokes, each narrower than the last: opacities that are added add up; those
     * that cover (or screen) are such that i + 1 of them make i + 1 parts. */
    enum { STEPS = 6 };
    bool sums = c->cmd->blend == DRAW_ADD && !c->is_pdf;
    float whole = fmaxf(b->color.a * c->cmd->alpha, 1e-3f);
    for (int i = 0; i < STEPS; i++) {
        float t = ((float)i + 0.5f) / STEPS;
        float before = whole * (float)i / STEPS;
        float part = sums ? whole / STEPS : 1 - (1 - whole * (float)(i + 1) / STEPS) / (1 - before);
        bezier_once(c, b, p, 2 * b->soft * (1 - t), part / whole);
    }
}

static void canvas_circle(Canvas *c)
{
    const DrawCircle *k = &c->cmd->u.circle;
    double x = (double)k->center.x;
    double y = (double)k->center.y;
    double r = (double)k->radius;
    if (k->soft > 0) {
        cairo_pattern_t *p = cairo_pattern_create_radial(x, y, r, x, y, r + (double)k->soft);
        /* Stops of a smooth step. */
        for (int i = 0; i <= 8; i++) {
            float t = (float)i / 8;
            add_stop(c, p, (double)t, color_fade(k->fill, 1 - t * t * (3 - 2 * t)));
        }
        cairo_set_source(c->cr, p);
        cairo_pattern_destroy(p);
        cairo_arc(c->cr, x, y, r + (double)k->soft, 0, 2 * PI);
        cairo_fill(c->cr);
        return;
    }
    if (k->fill.a > 0) {
        canvas_color(c, k->fill);
        cairo_arc(c->cr, x, y, r - (double)k->border / 2, 0, 2 * PI);
        cairo_fill(c->cr);
    }
    if (k->border > 0) {
        canvas_color(c, k->border_color);
        cairo_set_line_width(c->cr, (double)k->border);
        cairo_arc(c->cr, x, y, r - (double)k->border / 2, 0, 2 * PI);
        cairo_stroke(c->cr);
    }
}

static void canvas_polygon(Canvas *c, const Vec2 *points, size_t n, Color fill)
{
    points_path(c, points, n);
    cairo_close_path(c->cr);
    canvas_color(c, fill);
    cairo_fill(c->cr);
}

static void canvas_hatch(Canvas *c)
{
    const DrawHatch *h = &c->cmd->u.hatch;
    if (h->fill.a > 0) {
        canvas_polygon(c, h->points, h->n_points, h->fill);
    }
    points_path(c, h->points, h->n_points);
    cairo_close_path(c->cr);
    cairo_clip(c->cr);
    /* Only what is seen: a figure of a magnified matrix may be millions of pixels wide. */
    Rect b = rect_intersect(c->cmd->bounds, c->cmd->clip);
    /* Lines x + y = start + k * spacing that meet the box. */
    double start = (double)h->points[0].x + (double)h->points[0].y;
    double spacing = (double)h->spacing;
    double top = (double)b.y;
    double bottom = top + (double)b.h;
    double last = floor(((double)(b.x + b.w) + bottom - start) / spacing);
    for (double k = ceil(((double)b.x + top - start) / spacing); k <= last; k++) {
        double sum = start + k * spacing;
        cairo_move_to(c->cr, sum - top, top);
        cairo_line_to(c->cr, sum - bottom, bottom);
    }
    canvas_color(c, h->color);
    cairo_set_line_width(c->cr, (double)h->width);
    cairo_stroke(c->cr);
}

static void canvas_path(Canvas *c, Path path, Vec2 origin, float scale, float stroke, Color color)
{
    if (!path.n_points || color.a <= 0) {
        return;
    }
    const Vec2 *p = path.points;
    cairo_save(c->cr);
    cairo_translate(c->cr, (double)origin.x, (double)origin.y);
    cairo_scale(c->cr, (double)scale, (double)scale);
    for (uint32_t i = 0; i < path.n_verbs; i++) {
        switch (path.verbs[i]) {
        case PATH_MOVE:
            cairo_move_to(c->cr, (double)p->x, (double)p->y);
            p++;
            break;
        case PATH_LINE:
            cairo_line_to(c->cr, (double)p->x, (double)p->y);
            p++;
            break;
        case PATH_CUBIC:
            cairo_curve_to(c->cr, (double)p[0].x, (double)p[0].y, (double)p[1].x, (double)p[1].y,
                           (double)p[2].x, (double)p[2].y);
            p += 3;
            break;
        default:
            cairo_close_path(c->cr);
        }
    }
    cairo_restore(c->cr);
    canvas_color(c, color);
    if (stroke > 0) {
        cairo_set_line_width(c->cr, (double)stroke);
        cairo_set_line_cap(c->cr, CAIRO_LINE_CAP_ROUND);
        cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
        cairo_stroke(c->cr);
    } else {
        cairo_fill(c->cr);
    }
}

static bool canvas_icon(Canvas *c, Error *err)
{
    const DrawIcon *i = &c->cmd->u.icon;
    float scale = i->size / 24;
    Vec2 origin = vec2(i->center.x - i->size / 2, i->center.y - i->size / 2);
    PathBuilder stroke = {0};
    PathBuilder fill = {0};
    bool ok = path_parse(&stroke, icon_stroke_path(i->icon), err) &&
              path_parse(&fill, icon_fill_path(i->icon), err);
    if (ok) {
        canvas_path(c, path_of(&stroke), origin, scale, i->stroke, i->color);
        canvas_path(c, path_of(&fill), origin, scale, 0, i->color);
    }
    path_builder_free(&stroke);
    path_builder_free(&fill);
    return ok;
}

/* Straight RGBA bytes as cairo's premultiplied pixels. */
static cairo_surface_t *picture_surface(const unsigned char *rgba, int32_t w, int32_t h)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, w, h);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int32_t y = 0; pixels && y < h; y++) {
        for (int32_t x = 0; x < w; x++) {
            const unsigned char *in = rgba + 4 * ((size_t)y * (size_t)w + (size_t)x);
            uint32_t a = in[3];
            uint32_t p = a << 24 | (in[0] * a + 127) / 255 << 16 | (in[1] * a + 127) / 255 << 8 |
                         (in[2] * a + 127) / 255;
            memcpy(pixels + (ptrdiff_t)y * stride + 4 * (ptrdiff_t)x, &p, 4);
        }
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

static bool canvas_image(Canvas *c, Rect box, const unsigned char *rgba, int32_t w, int32_t h,
                         bool smooth, float alpha, Error *err)
{
    cairo_surface_t *surface = picture_surface(rgba, w, h);
    cairo_status_t status = cairo_surface_status(surface);
    if (status != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(surface);
        return error_set(err, ERR_MEMORY, "a picture of %d x %d: %s", w, h,
                         cairo_status_to_string(status));
    }
    cairo_translate(c->cr, (double)box.x, (double)box.y);
    cairo_scale(c->cr, (double)box.w / w, (double)box.h / h);
    cairo_set_source_surface(c->cr, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(c->cr),
                             smooth ? CAIRO_FILTER_BILINEAR : CAIRO_FILTER_NEAREST);
    cairo_pattern_set_extend(cairo_get_source(c->cr), CAIRO_EXTEND_PAD);
    cairo_rectangle(c->cr, 0, 0, w, h);
    cairo_set_antialias(c->cr, CAIRO_ANTIALIAS_NONE);
    cairo_clip(c->cr);
    cairo_paint_with_alpha(c->cr, (double)(alpha * c->cmd->alpha));
    cairo_surface_destroy(surface);
    return true;
}

/* Viewers smooth embedded pictures whatever they are told, so that cells blur into each other: each
 * cell becomes k x k pixels, which keeps the blur at its rim. */
static bool enlarge(Canvas *c, const DrawCells *cells, CellPicture *picture, Error *err)
{
    enum { MOST_TIMES = 8, MOST_PIXELS = 16 << 20 };
    float cell_px =
        AS_MIN(cells->box.w / (float)picture->cols, cells->box.h / (float)picture->rows);
    int32_t k = (int32_t)AS_CLAMP(cell_px * 2 * export_scale(c->desc), 1.0f, (float)MOST_TIMES);
    int64_t n = (int64_t)picture->rows * picture->cols;
    while (k > 1 && n * k * k > MOST_PIXELS) {
        k--;
    }
    if (k == 1) {
        return true;
    }
    size_t cols = (size_t)picture->cols * (size_t)k;
    uint32_t *out = ARENA_ARRAY(&c->arena, uint32_t, (size_t)(n * k * k), err);
    if (!out) {
        return false;
    }
    for (size_t y = 0; y < (size_t)picture->rows * (size_t)k; y++) {
        const unsigned char *row = picture->rgba + 4 * (y / (size_t)k) * (size_t)picture->cols;
        for (size_t x = 0; x < cols; x++) {
            memcpy(&out[y * cols + x], row + 4 * (x / (size_t)k), 4);
        }
    }
    *picture = (CellPicture){
        .rgba = (unsigned char *)out, .rows = picture->rows * k, .cols = picture->cols * k};
    return true;
}

static bool canvas_cells(Canvas *c, Error *err)
{
    const DrawCells *cells = &c->cmd->u.cells;
    CellPicture picture;
    if (!picture_cells(cells, export_scale(c->desc), &c->arena, &picture, err)) {
        return false;
    }
    int64_t n = (int64_t)picture.rows * picture.cols;
    bool drawn = cells->inset > 0 || cells->radius > 0;
    if (!drawn && (!c->is_pdf || n > export_cells_most(c->desc))) {
        if (c->is_pdf && !enlarge(c, cells, &picture, err)) {
            return false;
        }
        return canvas_image(c, cells->box, picture.rgba, picture.cols, picture.rows, false,
                            cells->alpha, err);
    }
    float w = cells->box.w / (float)picture.cols;
    float h = cells->box.h / (float)picture.rows;
    for (int64_t i = 0; i < n; i++) {
        uint32_t packed;
        memcpy(&packed, picture.rgba + 4 * i, 4);
        Color color = color_fade(color_unpack(packed), cells->alpha);
        if (color.a > 0) {
            Rect cell = rect(cells->box.x + w * (float)(i % picture.cols),
                             cells->box.y + h * (float)(i / picture.cols), w, h);
            rounded(c, rect_inset(cell, cells->inset), cells->radius);
            canvas_color(c, color);
            cairo_fill(c->cr);
        }
    }
    return true;
}

static bool paint(Canvas *c, Error *err)
{
    const DrawCmd *cmd = c->cmd;
    switch (cmd->kind) {
    case DRAW_RECT:
        canvas_rect(c);
        return true;
    case DRAW_SHADOW:
        return canvas_shadow(c, err);
    case DRAW_LINE:
        canvas_line(c);
        return true;
    case DRAW_POLYLINE:
        canvas_polyline(c);
        return true;
    case DRAW_BEZIER:
        canvas_bezier(c);
        return true;
    case DRAW_CIRCLE:
        canvas_circle(c);
        return true;
    case DRAW_POLYGON:
        canvas_polygon(c, cmd->u.polygon.points, cmd->u.polygon.n_points, cmd->u.polygon.fill);
        return true;
    case DRAW_HATCH:
        canvas_hatch(c);
        return true;
    case DRAW_PATH: {
        const DrawPath *p = &cmd->u.path;
        canvas_path(c, p->path, p->origin, p->scale, 0, p->fill);
        if (p->stroke > 0) {
            canvas_path(c, p->path, p->origin, p->scale, p->stroke, p->stroke_color);
        }
        return true;
    }
    case DRAW_ICON:
        return canvas_icon(c, err);
    case DRAW_TEXT:
        return canvas_text(c, err);
    case DRAW_IMAGE: {
        const DrawImage *i = &cmd->u.image;
        return canvas_image(c, i->box, i->pixels, i->width, i->height, i->smooth, 1, err);
    }
    case DRAW_CELLS:
        return canvas_cells(c, err);
    case DRAW_CURVES:
        canvas_curves(c);
        return true;
    case DRAW_PARTICLES:
        canvas_particles(c);
        return true;
    case DRAW_SCENE: {
        CellPicture p;
        return picture_scene(c->list, cmd, c->desc, &c->arena, &p, err) &&
               canvas_image(c, cmd->u.scene.box, p.rgba, p.cols, p.rows, true, 1, err);
    }
    default:
        return error_set(err, ERR_INTERNAL, "unknown drawing command %d", (int)cmd->kind);
    }
}

bool canvas_command(Canvas *c, Error *err)
{
    Rect clip = c->cmd->clip;
    Rect b = c->cmd->bounds;
    Rect cut = rect_intersect(clip, b);
    cairo_save(c->cr);
    if (memcmp(&cut, &b, sizeof(cut)) != 0) {
        cairo_rectangle(c->cr, (double)clip.x, (double)clip.y, (double)clip.w, (double)clip.h);
        cairo_clip(c->cr);
    }
    if (c->cmd->blend == DRAW_ADD) {
        /* PDF has no addition; screening is its nearest kin and stays a vector. */
        cairo_set_operator(c->cr, c->is_pdf ? CAIRO_OPERATOR_SCREEN : CAIRO_OPERATOR_ADD);
    }
    bool ok = paint(c, err);
    cairo_new_path(c->cr);
    cairo_restore(c->cr);
    arena_reset(&c->arena);
    return ok;
}
