#include "views/internal.h"

#include <math.h>

static bool cell_under(const MatrixScene *s, Vec2 p, int32_t *query, int32_t *key)
{
    const MatrixView *v = s->view;
    float scale = s->c->ui->scale;
    int64_t i = zoom_weight_at(v->zoom, v->row_px + (int64_t)((p.y - s->layout.heat.y) * scale));
    int64_t j = zoom_weight_at(v->zoom, v->col_px + (int64_t)((p.x - s->layout.heat.x) * scale));
    if (i < 0 || j < 0 || i >= v->n_queries || j >= v->n_keys) {
        return false;
    }
    *query = (int32_t)i;
    *key = (int32_t)j;
    return true;
}

/* Weights that a frame may look through for the strongest one under the pointer. */
static const double MOST_UNDER = 4e6;

/* The strongest weight of a region, read in strips of rows. False when it is all masked. */
static bool find_strongest(const MatrixScene *s, const TraceRegion *region, int32_t *query,
                           int32_t *key)
{
    enum { STRIP = 1 << 16 };
    const Trace *trace = s->c->session->trace;
    int32_t cols = region->col1 - region->col0;
    int32_t rows = AS_MAX(STRIP / cols, 1);
    float *values = ARENA_ARRAY(&s->c->ui->list->arena, float, (size_t)rows *(size_t)cols, NULL);
    float best = 0;
    for (int32_t row0 = region->row0; values && row0 < region->row1; row0 += rows) {
        TraceRegion part = *region;
        part.row0 = row0;
        part.row1 = AS_MIN(row0 + rows, region->row1);
        int32_t first;
        int32_t end;
        trace_visible_keys(trace, region->layer, part.row1 - 1, &first, &end);
        if ((s->plain && end <= region->col0) ||
            !weight_source_read(trace, &s->source, &part, values, NULL, NULL)) {
            continue; /* masked as a whole */
        }
        size_t n = (size_t)(part.row1 - row0) * (size_t)cols;
        for (size_t at = 0; at < n; at++) {
            if (values[at] > best) {
                best = values[at];
                *query = row0 + (int32_t)(at / (size_t)cols);
                *key = region->col0 + (int32_t)(at % (size_t)cols);
            }
        }
    }
    return best > 0;
}

/* Where a pixel is many weights, the strongest of them is the one that is meant. */
static void strongest_under(const MatrixScene *s, int32_t *query, int32_t *key)
{
    MatrixView *v = s->view;
    const Session *session = s->c->session;
    int32_t f = v->zoom.factor;
    double dim = trace_info(session->trace)->head_dim * (double)AS_MAX(s->source.set.n, 1);
    uint64_t source = weight_source_id(&s->source);
    if (f < 2 || (double)f * f * dim > MOST_UNDER * 64) {
        return;
    }
    const Selection *sel = &session->selection;
    int64_t row_px = *query / f;
    int64_t col_px = *key / f;
    bool same = v->strongest_trace == session->trace_version && v->strongest_row_px == row_px &&
                v->strongest_col_px == col_px && v->strongest_factor == f &&
                v->strongest_source == source && v->strongest_layer == sel->layer &&
                v->strongest_head == sel->head;
    if (!same) {
        TraceRegion region = {sel->layer,          sel->head,
                              (int32_t)row_px * f, (int32_t)AS_MIN((row_px + 1) * f, v->n_queries),
                              (int32_t)col_px * f, (int32_t)AS_MIN((col_px + 1) * f, v->n_keys)};
        v->strongest_query = *query;
        v->strongest_key = *key;
        find_strongest(s, &region, &v->strongest_query, &v->strongest_key);
        v->strongest_trace = session->trace_version;
        v->strongest_row_px = row_px;
        v->strongest_col_px = col_px;
        v->strongest_factor = f;
        v->strongest_source = source;
        v->strongest_layer = sel->layer;
        v->strongest_head = sel->head;
    }
    *query = v->strongest_query;
    *key = v->strongest_key;
}

static void draw_hover_note(const MatrixScene *s, int32_t query, int32_t key)
{
    Ui *ui = s->c->ui;
    int16_t place = 0;
    float value = matrix_shown_value(s, query, key, &place);
    const char *weight = value > -INFINITY ? draw_format(ui->list, "%.6f", (double)value)
                         : s->plain        ? "masked"
                                           : "masked or left out";
    const char *of = s->plain ? "" : draw_format(ui->list, " (%s)", matrix_source_name(s));
    if (s->source.combine == COMBINE_OWNER && value > -INFINITY) {
        HeadRef owner = s->source.set.heads[place];
        of = draw_format(ui->list, " of L%d H%d (%s)", owner.layer, owner.head,
                         matrix_source_name(s));
    }
    ui_tooltip(ui, rect(ui->mouse.x - 10, ui->mouse.y - 10, 20, 20),
               draw_format(ui->list, "%s %d reads %s %d: %s%s", label_of(s->c, query), query,
                           key_label_of(s->c, key), key, weight, of));
    ui->tip_since_s = -10; /* at once: it follows the pointer */
}

/* After a quick drag the view glides on and comes to rest. */
static const float GLIDE_LEAST = 120; /* device px a second */
static const double GLIDE_S = 0.12;   /* in which the speed falls to 1/e */
static const double THROW_S = 0.08;   /* a pointer at rest for longer throws nothing */

static void end_box(MatrixScene *s)
{
    MatrixView *v = s->view;
    Vec2 a = {fminf(v->drag_from.x, s->c->ui->mouse.x), fminf(v->drag_from.y, s->c->ui->mouse.y)};
    Vec2 b = {fmaxf(v->drag_from.x, s->c->ui->mouse.x), fmaxf(v->drag_from.y, s->c->ui->mouse.y)};
    Rect heat = s->layout.heat;
    a = vec2(fmaxf(a.x, heat.x), fmaxf(a.y, heat.y));
    b = vec2(fminf(b.x, heat.x + heat.w - 0.01f), fminf(b.y, heat.y + heat.h - 0.01f));
    int32_t q0;
    int32_t k0;
    int32_t q1;
    int32_t k1;
    v->boxing = false;
    if (b.x - a.x > 4 && b.y - a.y > 4 && cell_under(s, a, &q0, &k0) &&
        cell_under(s, b, &q1, &k1)) {
        session_post(s->c->session, "box %d %d %d %d", q0, q1 + 1, k0, k1 + 1);
    }
}

static void pan(MatrixScene *s)
{
    Ui *ui = s->c->ui;
    MatrixView *v = s->view;
    int64_t row = v->row_px;
    int64_t col = v->col_px;
    v->row_px = v->drag_row_px - llroundf((ui->mouse.y - v->drag_from.y) * ui->scale);
    v->col_px = v->drag_col_px - llroundf((ui->mouse.x - v->drag_from.x) * ui->scale);
    matrix_clamp(v);
    double dt = ui->now_s - v->last_move_s;
    if ((v->row_px != row || v->col_px != col) && dt > 0) {
        float keep = dt < THROW_S ? 0.5f : 0;
        v->speed_x = keep * v->speed_x + (1 - keep) * (float)((double)(v->col_px - col) / dt);
        v->speed_y = keep * v->speed_y + (1 - keep) * (float)((double)(v->row_px - row) / dt);
        v->last_move_s = ui->now_s;
    }
}

static void glide(MatrixScene *s)
{
    Ui *ui = s->c->ui;
    MatrixView *v = s->view;
    double dt = AS_CLAMP(ui->now_s - v->last_move_s, 0, 0.1);
    if (!v->gliding) {
        return;
    }
    v->last_move_s = ui->now_s;
    v->row_px += llround((double)v->speed_y * dt);
    v->col_px += llround((double)v->speed_x * dt);
    matrix_clamp(v);
    float slower = (float)exp(-dt / GLIDE_S);
    v->speed_x *= slower;
    v->speed_y *= slower;
    v->gliding = hypotf(v->speed_x, v->speed_y) > GLIDE_LEAST / 4;
    ui->moves = true;
}

static void drag(MatrixScene *s, bool held)
{
    Ui *ui = s->c->ui;
    MatrixView *v = s->view;
    if (held && ui->pressed[0]) {
        v->dragging = true;
        v->boxing = false;
        v->gliding = false;
        v->moved = false;
        v->drag_from = ui->mouse;
        v->drag_row_px = v->row_px;
        v->drag_col_px = v->col_px;
        v->speed_x = v->speed_y = 0;
        v->last_move_s = ui->now_s;
    }
    glide(s);
    if (!v->dragging) {
        return;
    }
    v->moved |= fabsf(ui->mouse.x - v->drag_from.x) > 3 || fabsf(ui->mouse.y - v->drag_from.y) > 3;
    v->boxing |= v->moved && (ui->mods & KEY_MOD_SHIFT) && v->row_px == v->drag_row_px &&
                 v->col_px == v->drag_col_px;
    if (v->moved && !v->boxing) {
        pan(s);
    }
    if (!held) {
        v->dragging = false;
        bool thrown = ui->now_s - v->last_move_s < THROW_S;
        v->gliding = v->moved && !v->boxing && thrown && !ui->still &&
                     hypotf(v->speed_x, v->speed_y) > GLIDE_LEAST;
        if (v->boxing) {
            end_box(s);
        }
    }
}

void matrix_pointer(MatrixScene *s)
{
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    MatrixView *v = s->view;
    Rect heat = s->layout.heat;
    bool hot;
    bool held;
    bool was_moved = v->moved;
    bool clicked = ui_click(ui, UI_ID("matrix"), heat, false, &hot, &held);
    bool over = ui_hovers(ui, heat);
    if (hot) {
        ui->cursor = UI_CURSOR_CROSS;
    }
    /* A pointer that rests leaves the choice to the keys, unless it moves what is below it. */
    bool chooses = ui->mouse_moved || (over && ui->wheel != 0);
    if (over && ui->wheel != 0) {
        v->wheel += ui->wheel;
        float x = (ui->mouse.x - heat.x) * ui->scale;
        float y = (ui->mouse.y - heat.y) * ui->scale;
        v->gliding = false;
        for (; fabsf(v->wheel) >= 1; v->wheel -= copysignf(1, v->wheel)) {
            matrix_zoom_at(v, v->wheel > 0 ? 1 : -1, (double)x, (double)y);
        }
        ui->moves = true;
    }
    drag(s, held);
    int32_t query;
    int32_t key;
    if (!over || !cell_under(s, ui->mouse, &query, &key) || (held && v->moved)) {
        return;
    }
    strongest_under(s, &query, &key);
    const Selection *sel = &session->selection;
    bool same = query == sel->query && key == sel->key;
    if (clicked && !(v->moved || was_moved)) {
        v->hover_query = query;
        v->hover_key = key;
        if (sel->pinned && same) {
            session_post(session, "unpin");
        } else {
            session_post(session, "pin %d %d", query, key);
        }
    } else if (!sel->pinned && !same && !held && chooses) {
        v->hover_query = query;
        v->hover_key = key;
        session_post(session, "hover %d %d", query, key);
    } else if (sel->pinned && !same) {
        draw_hover_note(s, query, key);
    }
    if (clicked) {
        v->moved = false;
    }
}
