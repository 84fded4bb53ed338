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

/* Where a pixel is many weights, the strongest of them is the one that is meant. */
static void strongest_under(const MatrixScene *s, int32_t *query, int32_t *key)
{
    const MatrixView *v = s->view;
    const Session *session = s->c->session;
    if (v->zoom.factor < 2 || v->zoom.factor > 64) {
        return;
    }
    TraceRegion region = {session->selection.layer,
                          session->selection.head,
                          *query,
                          AS_MIN(*query + v->zoom.factor, v->n_queries),
                          *key,
                          AS_MIN(*key + v->zoom.factor, v->n_keys)};
    int32_t cols = region.col1 - region.col0;
    size_t n = (size_t)(region.row1 - region.row0) * (size_t)cols;
    float *values = ARENA_ARRAY(&s->c->ui->list->arena, float, n, NULL);
    if (!values || !trace_tile(session->trace, &region, TRACE_WEIGHTS, values, 0, NULL)) {
        return;
    }
    size_t best = 0;
    for (size_t at = 1; at < n; at++) {
        best = values[at] > values[best] ? at : best;
    }
    *query = region.row0 + (int32_t)(best / (size_t)cols);
    *key = region.col0 + (int32_t)(best % (size_t)cols);
}

static void draw_hover_note(const MatrixScene *s, int32_t query, int32_t key)
{
    Ui *ui = s->c->ui;
    const Session *session = s->c->session;
    TraceCell cell;
    if (!trace_cell(session->trace, session->selection.layer, session->selection.head, query, key,
                    &cell, NULL)) {
        return;
    }
    const char *weight =
        cell.visible ? draw_format(ui->list, "%.6f", (double)cell.weight) : "masked";
    ui_tooltip(ui, rect(ui->mouse.x - 10, ui->mouse.y - 10, 20, 20),
               draw_format(ui->list, "%s %d reads %s %d: %s", label_of(s->c, query), query,
                           key_label_of(s->c, key), key, weight));
    ui->tip_since_s = -10; /* at once: it follows the pointer */
}

static void drag(MatrixScene *s, bool held)
{
    Ui *ui = s->c->ui;
    MatrixView *v = s->view;
    if (held && ui->pressed[0]) {
        v->dragging = true;
        v->moved = false;
        v->drag_from = ui->mouse;
        v->drag_row_px = v->row_px;
        v->drag_col_px = v->col_px;
    }
    if (!v->dragging) {
        return;
    }
    float dx = ui->mouse.x - v->drag_from.x;
    float dy = ui->mouse.y - v->drag_from.y;
    v->moved |= fabsf(dx) > 3 || fabsf(dy) > 3;
    if (v->moved) {
        v->row_px = v->drag_row_px - llroundf(dy * ui->scale);
        v->col_px = v->drag_col_px - llroundf(dx * ui->scale);
        matrix_clamp(v);
    }
    if (!held) {
        v->dragging = false;
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
