#include "views/internal.h"

#include "session/shown.h"

#include <math.h>

/* Strips along the edges: what each key receives, what each query gives and how spread it is, of
 * what the cells are; dragging along one brushes tokens. */

typedef enum StripKind { STRIP_RECEIVED, STRIP_GIVEN, STRIP_ENTROPY, STRIP_COUNT } StripKind;

void matrix_read_strips(MatrixScene *s)
{
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(s->view, &r0, &r1, &c0, &c1);
    s->rows = NULL;
    if (!s->plain && s->layout.row_profile.h > 0 && !s->view->moving) {
        s->rows = session_shown_rows(s->c->session, &s->source, r0, r1, true);
        bool missing = s->rows && s->rows->parts_done < s->rows->n_parts;
        if (missing && !shown_failure(s->c->session, &s->source)->code) {
            s->c->views->settled = false;
        }
    }
}

/* Where the values come from; false while there are none. */
typedef struct Strip {
    const MatrixScene *s;
    StripKind kind;
    TraceRows rows;        /* of one head as it is */
    const float *received; /* the same */
} Strip;

static bool open_strip(const MatrixScene *s, StripKind kind, Strip *strip)
{
    const Session *session = s->c->session;
    const Selection *sel = &session->selection;
    *strip = (Strip){.s = s, .kind = kind};
    if (!s->plain) {
        return s->rows;
    }
    strip->received = trace_received(session->trace, sel->layer, sel->head);
    return strip->received && trace_rows(session->trace, sel->layer, sel->head, &strip->rows);
}

static float relative_entropy(float entropy, int32_t visible)
{
    return visible > 1 ? entropy / logf((float)visible) : 0;
}

/* A row of maxima sums to more than 1: what is given is a share of it. */
static bool gives_share(const MatrixScene *s)
{
    return s->source.combine == COMBINE_MAX || s->source.combine == COMBINE_OWNER;
}

/* Of what is not one head as it is. */
static float shown_at(const Strip *strip, int32_t at)
{
    const ShownRows *r = strip->s->rows;
    if (strip->kind == STRIP_RECEIVED) {
        return shown_rows_has_received(r) ? (float)r->received[at] : -INFINITY;
    }
    if (!shown_rows_has(r, at, at + 1)) {
        return -INFINITY;
    }
    if (strip->kind == STRIP_ENTROPY) {
        return relative_entropy(r->entropy[at], r->visible[at]);
    }
    if (!gives_share(strip->s)) {
        return r->others[at];
    }
    return r->total[at] > 0 ? r->others[at] / r->total[at] : 0;
}

/* -INFINITY while it is not known. */
static float value_at(const Strip *strip, int32_t at)
{
    const Session *session = strip->s->c->session;
    if (!strip->s->plain) {
        return shown_at(strip, at);
    }
    if (strip->kind == STRIP_RECEIVED) {
        return strip->received[at];
    }
    if (strip->kind == STRIP_GIVEN) {
        bool aligned = !trace_is_cross(session->trace);
        float self = aligned && at > 0 ? strip->rows.self[at] : 0;
        return fmaxf(0, 1 - strip->rows.first[at] - self);
    }
    int32_t first;
    int32_t end;
    trace_visible_keys(session->trace, session->selection.layer, at, &first, &end);
    return relative_entropy(strip->rows.entropy[at], end - first);
}

/* The largest value under each step of the axis, -INFINITY where one is not known; in the frame's
 * arena. */
static float *read_strip(const Strip *strip, int32_t first, int32_t end, int32_t step, int32_t *n,
                         float *most)
{
    *n = (end - first + step - 1) / step;
    float *out = ARENA_ARRAY(&strip->s->c->ui->list->arena, float, (size_t)*n, NULL);
    *most = 0;
    for (int32_t i = 0; out && i < *n; i++) {
        float value = 0;
        for (int32_t j = first + i * step; j < AS_MIN(first + (i + 1) * step, end); j++) {
            float one = value_at(strip, j);
            value = isinf(one) || isinf(value) ? -INFINITY : fmaxf(value, one);
        }
        out[i] = value;
        *most = fmaxf(*most, value);
    }
    return out;
}

static const char *tip(const MatrixScene *s, StripKind kind, int32_t at)
{
    DrawList *list = s->c->ui->list;
    Strip strip;
    if (!open_strip(s, kind, &strip)) {
        return "";
    }
    double value = (double)value_at(&strip, at);
    if (isinf(value)) {
        const char *words = matrix_shown_words(s);
        return draw_format(list, "Not there yet: %s.", words ? words : "sums of rows");
    }
    switch (kind) {
    case STRIP_RECEIVED:
        return draw_format(
            list, "Received: %s %d gets %.4f in all from the queries of %s. Drag to choose keys.",
            key_label_of(s->c, at), at, value, matrix_source_name(s));
    case STRIP_GIVEN:
        if (gives_share(s)) {
            return draw_format(list,
                               "Given: of the sum of the row of %s %d, %.1f %% lies on others, "
                               "itself and the first token apart (%s). Drag to choose queries.",
                               label_of(s->c, at), at, 100 * value, matrix_source_name(s));
        }
        return draw_format(list,
                           "Given: %s %d puts %.4f on others, itself and the first token apart "
                           "(%s). Drag to choose queries.",
                           label_of(s->c, at), at, value, matrix_source_name(s));
    default:
        return draw_format(list,
                           "Entropy: the row of %s %d has %.3f of the most it could have (%s). "
                           "Drag to choose queries.",
                           label_of(s->c, at), at, value, matrix_source_name(s));
    }
}

static int32_t token_at(const MatrixScene *s, bool rows)
{
    const MatrixView *v = s->view;
    float scale = s->c->ui->scale;
    Vec2 p = s->c->ui->mouse;
    int64_t px = rows ? v->row_px + (int64_t)((p.y - s->layout.heat.y) * scale)
                      : v->col_px + (int64_t)((p.x - s->layout.heat.x) * scale);
    int32_t n = rows ? v->n_queries : v->n_keys;
    return (int32_t)AS_CLAMP(zoom_weight_at(v->zoom, px), 0, n - 1);
}

static void brush(MatrixScene *s, StripKind kind, Rect box)
{
    Ui *ui = s->c->ui;
    MatrixView *v = s->view;
    bool rows = kind != STRIP_RECEIVED;
    bool hot;
    bool held;
    Rect wide = rect_inset(box, -2);
    ui_click(ui, ui_id("matrix-strip", kind), wide, false, &hot, &held);
    int32_t at = token_at(s, rows);
    if (hot && !held) {
        ui_tooltip(ui, wide, tip(s, kind, at));
    }
    if (held && ui->pressed[0]) {
        v->brushing = 1 + (int)kind;
        v->brush_from = at;
    }
    if (v->brushing != 1 + (int)kind) {
        return;
    }
    int32_t a = AS_MIN(at, v->brush_from);
    int32_t b = AS_MAX(at, v->brush_from) + 1;
    if (held) {
        float p0 = rows ? matrix_query_y(s, a) : matrix_key_x(s, a);
        float p1 = rows ? matrix_query_y(s, b - 1) : matrix_key_x(s, b - 1);
        Rect shown = rows ? rect(box.x - 2, p0, box.w + 4, fmaxf(p1 - p0, 2))
                          : rect(p0, box.y - 2, fmaxf(p1 - p0, 2), box.h + 4);
        draw_rect(ui->list,
                  &(DrawRect){
                      .box = shown, .radius = 2, .border = 1.5f, .border_color = ui->theme.cross});
        return;
    }
    v->brushing = 0;
    if (b - a > 1) {
        session_post(s->c->session, "brush %s %d:%d", rows ? "queries" : "keys", a, b);
    } else {
        session_post(s->c->session, "brush none");
    }
}

static void draw_strip(MatrixScene *s, StripKind kind, Rect box)
{
    Ui *ui = s->c->ui;
    const MatrixView *v = s->view;
    bool vertical = kind != STRIP_RECEIVED;
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(v, &r0, &r1, &c0, &c1);
    int32_t first = vertical ? r0 : c0;
    int32_t end = vertical ? r1 : c1;
    int32_t n;
    float most;
    Strip strip;
    float *values = open_strip(s, kind, &strip)
                        ? read_strip(&strip, first, end, v->zoom.factor, &n, &most)
                        : NULL;
    if (!values) {
        return;
    }
    float px = (float)v->zoom.px / ui->scale;
    float at = vertical ? matrix_query_y(s, first) : matrix_key_x(s, first);
    at -= px / 2;
    float length = px * (float)n;
    Scale scale = {
        .kind = SCALE_SQRT, .lo = 0, .hi = kind == STRIP_RECEIVED ? fmaxf(most, 1e-6f) : 1};
    if (kind == STRIP_ENTROPY) {
        scale.kind = SCALE_LINEAR;
    }
    draw_push_clip(ui->list, box);
    draw_rect(ui->list, &(DrawRect){.box = box, .fill = ui->theme.well});
    draw_cells(
        ui->list,
        &(DrawCells){
            .box = vertical ? rect(box.x, at, box.w, length) : rect(at, box.y, length, box.h),
            .source = {.values = values, .rows = vertical ? n : 1, .cols = vertical ? 1 : n},
            .map = kind == STRIP_ENTROPY ? COLORMAP_VIRIDIS : s->map,
            .scale = scale,
            .alpha = 0.8f});
    draw_pop_clip(ui->list);
    brush(s, kind, box);
}

void matrix_draw_strips(MatrixScene *s)
{
    Rect heat = s->layout.heat;
    if (s->layout.row_profile.h <= 0 || s->view->moving) {
        return;
    }
    draw_strip(s, STRIP_RECEIVED, rect(heat.x, heat.y - 9, heat.w, 5));
    draw_strip(s, STRIP_GIVEN, rect(heat.x + heat.w + 4, heat.y, 6, heat.h));
    draw_strip(s, STRIP_ENTROPY, rect(heat.x + heat.w + 13, heat.y, 6, heat.h));
}
