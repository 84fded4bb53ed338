#include "views/internal.h"

#include "session/search.h"

#include <math.h>
#include <string.h>

/* What lies over the cells: the diagonal, found patterns, brushes, bookmarks, places searched for.
 */

typedef struct Window {
    int32_t r0, r1, c0, c1;
} Window;

/* Rows that are looked through for cells of a pattern in a frame. */
enum { ROWS_MOST = 4096, RUNS_MOST = 512, SEPARATORS_MOST = 64 };

/* A cell of a pattern is outlined from this weight on. */
static const float OUTLINED = 0.1f;

static Window window_of(const MatrixScene *s)
{
    Window w;
    matrix_window(s->view, &w.r0, &w.r1, &w.c0, &w.c1);
    return w;
}

/* The box of rows [r0, r1) and keys [c0, c1), as they are shown. */
static Rect cells_box(const MatrixScene *s, int32_t r0, int32_t r1, int32_t c0, int32_t c1)
{
    float px = s->layout.px;
    float x0 = matrix_key_x(s, c0) - px / 2;
    float y0 = matrix_query_y(s, r0) - px / 2;
    return rect(x0, y0, matrix_key_x(s, c1 - 1) + px / 2 - x0,
                matrix_query_y(s, r1 - 1) + px / 2 - y0);
}

/* A word on a small plate, kept inside the heatmap. */
static void name_tag(const MatrixScene *s, float x, float y, const char *text, Color color)
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
    Window w = window_of(s);
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
    Window w = window_of(s);
    float px = s->layout.px;
    Vec2 at;
    if (px >= 10) {
        for (int32_t i = AS_MAX(w.r0, w.c0); i < AS_MIN(w.r1, w.c1); i++) {
            draw_rect(ui->list,
                      &(DrawRect){.box = rect_inset(cells_box(s, i, i + 1, i, i + 1), 0.5f),
                                  .radius = fminf(4, px * 0.13f),
                                  .border = 1.5f,
                                  .border_color = color});
        }
    } else {
        along(s, 0, 0, color, 4);
    }
    if (meets_view(s, 0, &at)) {
        name_tag(s, at.x + px / 2 + 8, at.y - px / 2 - 9, "diagonal: each token with itself",
                 color);
    }
}

/* Both edges of the band lo <= i - j <= hi. */
static void outline_band(const MatrixScene *s, int32_t lo, int32_t hi, const char *name,
                         Color color)
{
    float half = fmaxf(s->layout.px / 2, 2.5f);
    Vec2 at;
    along(s, -lo, half, color, 0);
    along(s, -hi, -half, color, 0);
    if (meets_view(s, -lo, &at)) {
        name_tag(s, at.x + half + 10, at.y - half - 9, name, color);
    }
}

/* ---- cells of repeats and of content ---- */

typedef struct Run {
    int32_t row, key, n; /* cells (row + k, key + k) */
} Run;

/* Strongest cells of the rows in view that are the pattern's, joined where they follow. */
static int find_runs(const MatrixScene *s, Pattern p, Window w, Run runs[RUNS_MOST])
{
    const Trace *trace = s->c->session->trace;
    const Selection *sel = &s->c->session->selection;
    TraceRows rows;
    int n = 0;
    if (!trace_rows(trace, sel->layer, sel->head, &rows)) {
        return 0;
    }
    for (int32_t i = w.r0; i < w.r1 && n < RUNS_MOST; i++) {
        int32_t j = rows.max_key[i];
        bool content = p == PATTERN_CONTENT && j > 0 && i - j > PATTERN_LOCAL_END;
        if (j < 0 || rows.max_weight[i] < OUTLINED ||
            !(content || pattern_has_cell(trace, p, i, j))) {
            continue;
        }
        if (n && runs[n - 1].row + runs[n - 1].n == i && runs[n - 1].key + runs[n - 1].n == j) {
            runs[n - 1].n++;
        } else if (j >= w.c0 && j < w.c1) {
            runs[n++] = (Run){i, j, 1};
        }
    }
    return n;
}

static void outline_runs(const MatrixScene *s, Pattern p, Color color)
{
    Ui *ui = s->c->ui;
    Window w = window_of(s);
    Run runs[RUNS_MOST];
    if (w.r1 - w.r0 > ROWS_MOST) {
        return; /* from afar they would cover the picture */
    }
    int n = find_runs(s, p, w, runs);
    int named = -1;
    float px = s->layout.px;
    for (int i = 0; i < n; i++) {
        const Run *r = &runs[i];
        bool shows = px >= 6 || (float)r->n * px >= 6; /* single points are seen anyway */
        if (!shows) {
            continue;
        }
        float half = px / 2 + 2.5f;
        Vec2 a = {matrix_key_x(s, r->key), matrix_query_y(s, r->row)};
        Vec2 b = {matrix_key_x(s, r->key + r->n - 1), matrix_query_y(s, r->row + r->n - 1)};
        Vec2 corners[] = {{a.x - half, a.y - half}, {a.x + half, a.y - half},
                          {b.x + half, b.y - half}, {b.x + half, b.y + half},
                          {b.x - half, b.y + half}, {a.x - half, a.y + half}};
        draw_polyline(ui->list, &(DrawPolyline){.points = corners,
                                                .n_points = AS_COUNT(corners),
                                                .width = 1,
                                                .color = color,
                                                .closed = true});
        named = named < 0 || r->n > runs[named].n ? i : named;
    }
    if (named >= 0) {
        const Run *r = &runs[named];
        name_tag(s, matrix_key_x(s, r->key) + px / 2 + 12, matrix_query_y(s, r->row) - px / 2 - 20,
                 pattern_name(p), color);
    }
}

static void outline_columns(const MatrixScene *s, Pattern p, Color color)
{
    Window w = window_of(s);
    const TraceToken *keys = trace_key_tokens(s->c->session->trace, NULL);
    int32_t n = 0;
    for (int32_t j = w.c0; j < w.c1; j++) {
        n += p == PATTERN_SINK ? j == 0 : j > 0 && pattern_is_separator(&keys[j]);
    }
    if (n > SEPARATORS_MOST || n == 0) {
        return;
    }
    bool named = false;
    for (int32_t j = w.c0; j < w.c1; j++) {
        if (p == PATTERN_SINK ? j != 0 : j == 0 || !pattern_is_separator(&keys[j])) {
            continue;
        }
        int32_t top = trace_layer(s->c->session->trace, s->c->session->selection.layer)->causal
                          ? AS_CLAMP(j, w.r0, w.r1 - 1)
                          : w.r0;
        Rect box = rect_inset(cells_box(s, top, w.r1, j, j + 1), -1);
        draw_rect(s->c->ui->list,
                  &(DrawRect){.box = box, .radius = 2, .border = 1, .border_color = color});
        if (!named) {
            name_tag(s, box.x + box.w + 6, box.y + 8, pattern_name(p), color);
            named = true;
        }
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
        outline_columns(s, best, color);
        break;
    case PATTERN_INDUCTION:
    case PATTERN_DUPLICATE:
    case PATTERN_CONTENT:
        outline_runs(s, best, color);
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

static void draw_found(const MatrixScene *s)
{
    const Session *session = s->c->session;
    const char *needle = session->selection.find;
    Window w = window_of(s);
    if (!needle[0] || w.r1 - w.r0 > ROWS_MOST || w.c1 - w.c0 > ROWS_MOST) {
        return;
    }
    Rect heat = s->layout.heat;
    Color color = color_with_alpha(s->c->ui->theme.accent, 0.85f);
    float t = fmaxf(s->layout.px, 2);
    for (int32_t i = w.r0; i < w.r1; i++) {
        if (search_matches(session->trace, false, needle, i)) {
            float y = matrix_query_y(s, i) - t / 2;
            draw_rect(s->c->ui->list, &(DrawRect){.box = {heat.x, y, 5, t}, .fill = color});
            draw_rect(s->c->ui->list,
                      &(DrawRect){.box = {heat.x, y, heat.w, t}, .fill = color_fade(color, 0.16f)});
        }
    }
    for (int32_t j = w.c0; j < w.c1; j++) {
        if (search_matches(session->trace, true, needle, j)) {
            float x = matrix_key_x(s, j) - t / 2;
            draw_rect(s->c->ui->list,
                      &(DrawRect){.box = {x, heat.y + heat.h - 5, t, 5}, .fill = color});
        }
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
    draw_found(s);
    draw_marks(s);
    dim_outside(s, session->selection.brush_query, true);
    dim_outside(s, session->selection.brush_key, false);
    draw_box_zoom(s);
    draw_pop_clip(s->c->ui->list);
}
