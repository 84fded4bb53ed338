#include "views/internal.h"

#include <math.h>
#include <string.h>

/* What lies over the cells: the diagonal, bands of found patterns, brushes, bookmarks. */

MatrixWindow matrix_window_of(const MatrixScene *s)
{
    MatrixWindow w;
    matrix_window(s->view, &w.r0, &w.r1, &w.c0, &w.c1);
    return w;
}

Rect matrix_cells_box(const MatrixScene *s, int32_t r0, int32_t r1, int32_t c0, int32_t c1)
{
    float px = s->layout.px;
    float x0 = matrix_key_x(s, c0) - px / 2;
    float y0 = matrix_query_y(s, r0) - px / 2;
    return rect(x0, y0, matrix_key_x(s, c1 - 1) + px / 2 - x0,
                matrix_query_y(s, r1 - 1) + px / 2 - y0);
}

void matrix_name_tag(const MatrixScene *s, float x, float y, const char *text, Color color)
{
    Ui *ui = s->c->ui;
    Rect heat = s->layout.heat;
    float w = ui_text_width(ui, FONT_SANS_MEDIUM, 11, text) + 14;
    if (heat.w < w + 8 || heat.h < 30) {
        return;
    }
    Rect box = {AS_CLAMP(x, heat.x + 4, heat.x + heat.w - w - 4),
                AS_CLAMP(y, heat.y + 4, heat.y + heat.h - 22), w, 18};
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 5,
                                    .fill = color_with_alpha(ui->theme.card, 0.92f),
                                    .border = 1,
                                    .border_color = color_mix(ui->theme.card, color, 0.7f)});
    ui_label(ui, rect(box.x + 7, box.y, w - 12, 18),
             &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 11, .color = color_as_text(ui, color)},
             text);
}

/* ---- cells along the diagonal ---- */

/* A line along the cells (i, i + offset) in view. */
static void along(const MatrixScene *s, int32_t offset, float shift, Color color, float dash)
{
    const MatrixView *v = s->view;
    int32_t last = AS_MIN(v->n_queries - 1, v->n_keys - 1 - offset);
    int32_t first = AS_MAX(0, -offset);
    if (last <= first) {
        return;
    }
    draw_line(s->c->ui->list,
              &(DrawLine){
                  .a = {matrix_key_x(s, first + offset) + shift, matrix_query_y(s, first) - shift},
                  .b = {matrix_key_x(s, last + offset) + shift, matrix_query_y(s, last) - shift},
                  .width = 1,
                  .color = color,
                  .dash_on = dash,
                  .dash_off = dash});
}

/* Where a line of cells (i, i + offset) enters the view, for its name. */
static bool meets_view(const MatrixScene *s, int32_t offset, Vec2 *at)
{
    MatrixWindow w = matrix_window_of(s);
    int32_t i = AS_MAX(w.r0, w.c0 - offset);
    if (i >= w.r1 || i + offset >= w.c1 || i + offset < w.c0) {
        return false;
    }
    int32_t n = AS_MIN(w.r1 - i, w.c1 - offset - i);
    i += n / 8;
    *at = vec2(matrix_key_x(s, i + offset), matrix_query_y(s, i));
    return true;
}

static void draw_diagonal(const MatrixScene *s)
{
    Ui *ui = s->c->ui;
    Color color = ui->theme.accent;
    MatrixWindow w = matrix_window_of(s);
    float px = s->layout.px;
    Vec2 at;
    if (px >= 10) {
        for (int32_t i = AS_MAX(w.r0, w.c0); i < AS_MIN(w.r1, w.c1); i++) {
            draw_rect(ui->list,
                      &(DrawRect){.box = rect_inset(matrix_cells_box(s, i, i + 1, i, i + 1), 0.5f),
                                  .radius = fminf(4, px * 0.13f),
                                  .border = 1.5f,
                                  .border_color = color});
        }
    } else {
        along(s, 0, 0, color, 4);
    }
    if (meets_view(s, 0, &at)) {
        matrix_name_tag(s, at.x + px / 2 + 8, at.y - px / 2 - 9, "diagonal: each token with itself",
                        color);
    }
}

bool matrix_outline_steps(const MatrixScene *s, int32_t row, int32_t n, int32_t key, int32_t width,
                          Color color)
{
    static const float READABLE = 12;
    MatrixWindow w = matrix_window_of(s);
    int32_t first = AS_MAX(row, w.r0 - 1);
    int32_t end = AS_MIN(row + n, w.r1 + 1);
    size_t rows = (size_t)AS_MAX(end - first, 0);
    float px = s->layout.px;
    if (px < READABLE) {
        return false;
    }
    Vec2 *points = ARENA_ARRAY(&s->c->ui->list->arena, Vec2, 4 * rows + 1, NULL);
    for (size_t i = 0; points && i < rows; i++) {
        int32_t r = first + (int32_t)i;
        int32_t k0 = AS_CLAMP(key + r - row, 0, s->view->n_keys - 1);
        int32_t k1 = AS_CLAMP(key + r - row + width, k0 + 1, s->view->n_keys);
        Rect cells = matrix_cells_box(s, r, r + 1, k0, k1);
        points[2 * i] = vec2(cells.x + cells.w, cells.y);
        points[2 * i + 1] = vec2(cells.x + cells.w, cells.y + cells.h);
        points[4 * rows - 1 - 2 * i] = vec2(cells.x, cells.y);
        points[4 * rows - 2 - 2 * i] = vec2(cells.x, cells.y + cells.h);
    }
    if (points && rows > 0) {
        draw_polyline(s->c->ui->list, &(DrawPolyline){.points = points,
                                                      .n_points = 4 * rows,
                                                      .width = 1.5f,
                                                      .color = color,
                                                      .closed = true});
    }
    return true;
}

/* Both edges of the band lo <= i - j <= hi. */
static void outline_band(const MatrixScene *s, int32_t lo, int32_t hi, const char *name,
                         Color color)
{
    float half = fmaxf(s->layout.px / 2, 2.5f);
    Vec2 at;
    int32_t row = AS_MAX(lo, 0);
    int32_t n = AS_MIN(s->view->n_queries, s->view->n_keys + lo) - row;
    if (!matrix_outline_steps(s, row, n, row - hi, hi - lo + 1, color)) {
        along(s, -lo, half, color, 0);
        along(s, -hi, -half, color, 0);
    }
    if (meets_view(s, -lo, &at)) {
        matrix_name_tag(s, at.x + half + 10, at.y - half - 9, name, color);
    }
}

static void draw_outlines(const MatrixScene *s)
{
    const PatternScores *p = session_patterns(s->c->session);
    if (!p || p->best < 0 || s->source.combine != COMBINE_ONE) {
        return;
    }
    Pattern best = (Pattern)p->best;
    Color color = color_with_alpha(pattern_color(best), 0.75f);
    switch (best) {
    case PATTERN_PREVIOUS:
        outline_band(s, 1, 1, pattern_name(best), color);
        break;
    case PATTERN_NEXT:
        outline_band(s, -1, -1, pattern_name(best), color);
        break;
    case PATTERN_SELF:
        outline_band(s, 0, 0, pattern_name(best), color);
        break;
    case PATTERN_LOCAL:
        outline_band(s, 2, PATTERN_LOCAL_END, pattern_name(best), color);
        break;
    case PATTERN_SINK:
    case PATTERN_SEPARATOR:
        matrix_outline_columns(s, best, color);
        break;
    case PATTERN_INDUCTION:
    case PATTERN_DUPLICATE:
    case PATTERN_CONTENT:
        matrix_outline_runs(s, best, color);
        break;
    default:
        break; /* it is everywhere */
    }
}

/* ---- what was chosen ---- */

static void dim_outside(const MatrixScene *s, Span span, bool rows)
{
    Ui *ui = s->c->ui;
    Rect heat = s->layout.heat;
    float px = s->layout.px;
    if (span.end <= span.first) {
        return;
    }
    Color dim = color_with_alpha(ui->theme.page, 0.62f);
    float from = rows ? heat.y : heat.x;
    float to = rows ? heat.y + heat.h : heat.x + heat.w;
    float a = (rows ? matrix_query_y(s, span.first) : matrix_key_x(s, span.first)) - px / 2;
    float b = (rows ? matrix_query_y(s, span.end - 1) : matrix_key_x(s, span.end - 1)) + px / 2;
    a = AS_CLAMP(a, from, to);
    b = AS_CLAMP(b, from, to);
    Rect before =
        rows ? rect(heat.x, from, heat.w, a - from) : rect(from, heat.y, a - from, heat.h);
    Rect after = rows ? rect(heat.x, b, heat.w, to - b) : rect(b, heat.y, to - b, heat.h);
    if (before.w > 0 && before.h > 0) {
        draw_rect(ui->list, &(DrawRect){.box = before, .fill = dim});
    }
    if (after.w > 0 && after.h > 0) {
        draw_rect(ui->list, &(DrawRect){.box = after, .fill = dim});
    }
}

static void draw_marks(const MatrixScene *s)
{
    const Selection *sel = &s->c->session->selection;
    Ui *ui = s->c->ui;
    for (int32_t i = 0; i < sel->n_marks; i++) {
        const Bookmark *m = &sel->marks[i];
        if (m->layer != sel->layer || m->head != sel->head) {
            continue;
        }
        Vec2 at = {matrix_key_x(s, m->key), matrix_query_y(s, m->query)};
        float r = 5;
        Vec2 diamond[] = {{at.x, at.y - r}, {at.x + r, at.y}, {at.x, at.y + r}, {at.x - r, at.y}};
        draw_polyline(ui->list, &(DrawPolyline){.points = diamond,
                                                .n_points = AS_COUNT(diamond),
                                                .width = 1.5f,
                                                .color = color_hex(0xF7DC6F),
                                                .closed = true});
    }
}

static void draw_box_zoom(const MatrixScene *s)
{
    const MatrixView *v = s->view;
    if (!v->boxing) {
        return;
    }
    Ui *ui = s->c->ui;
    Rect box = {fminf(v->drag_from.x, ui->mouse.x), fminf(v->drag_from.y, ui->mouse.y),
                fabsf(v->drag_from.x - ui->mouse.x), fabsf(v->drag_from.y - ui->mouse.y)};
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 2,
                                    .fill = color_with_alpha(ui->theme.accent, 0.12f),
                                    .border = 1.5f,
                                    .border_color = ui->theme.accent});
}

void matrix_draw_overlay(const MatrixScene *s)
{
    const Session *session = s->c->session;
    draw_push_clip(s->c->ui->list, s->layout.heat);
    if (!session->options.outline_hidden && !s->view->moving) {
        draw_outlines(s);
    }
    if (session->options.diagonal && !trace_is_cross(session->trace)) {
        draw_diagonal(s);
    }
    matrix_draw_found(s);
    draw_marks(s);
    dim_outside(s, session->selection.brush_query, true);
    dim_outside(s, session->selection.brush_key, false);
    draw_box_zoom(s);
    draw_pop_clip(s->c->ui->list);
}
