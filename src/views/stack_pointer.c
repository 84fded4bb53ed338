/* Pointer over the stack: turn, pan, zoom, choose. */
#include "views/stack.h"

#include <math.h>

#include "views/internal.h"

/* A flick glides on as if it were braked at this rate. */
static const float GLIDE_S = 0.18f;

static Vec3 pan_way(const StackModel *m, float dx, float dy)
{
    const View3D *e = &m->eye;
    float k = 1 / (m->px * STACK_WIDTH);
    return vec3_of((-dx * e->right.x + dy * e->up.x) * k, (-dx * e->right.y + dy * e->up.y) * k,
                   (-dx * e->right.z + dy * e->up.z) * k);
}

static void begin(StackModel *m)
{
    StackView *v = m->view;
    Ui *ui = m->c->ui;
    bool pan = ui->pressed[1] || ui->pressed[2] || (ui->mods & KEY_MOD_SHIFT);
    v->drag = pan ? STACK_DRAG_PAN : STACK_DRAG_TURN;
    v->moved = false;
    v->drag_from = v->drag_last = ui->mouse;
    v->drag_s = ui->now_s;
    v->speed = vec2(0, 0);
}

static void follow(StackModel *m)
{
    StackView *v = m->view;
    Ui *ui = m->c->ui;
    float dx = ui->mouse.x - v->drag_last.x;
    float dy = ui->mouse.y - v->drag_last.y;
    float dt = (float)AS_MAX(ui->now_s - v->drag_s, 1e-3);
    v->moved |= hypotf(ui->mouse.x - v->drag_from.x, ui->mouse.y - v->drag_from.y) > 3;
    if (!v->moved) {
        return;
    }
    if (v->drag == STACK_DRAG_TURN) {
        v->pend_yaw -= dx * 0.35f;
        v->pend_pitch += dy * 0.3f;
    } else {
        Vec3 way = pan_way(m, dx, dy);
        v->pend_pan[0] += way.x;
        v->pend_pan[1] += way.y;
        v->pend_pan[2] += way.z;
    }
    float keep = expf(-dt / 0.05f);
    v->speed =
        vec2(v->speed.x * keep + dx / dt * (1 - keep), v->speed.y * keep + dy / dt * (1 - keep));
    v->drag_last = ui->mouse;
    v->drag_s = ui->now_s;
    ui->moves = true;
}

/* The goal lies where a flick would have come to rest; the camera eases there. */
static void release(StackModel *m)
{
    StackView *v = m->view;
    Ui *ui = m->c->ui;
    bool flick = v->moved && !ui->still && ui->now_s - v->drag_s < 0.08;
    float gx = flick ? v->speed.x * GLIDE_S : 0;
    float gy = flick ? v->speed.y * GLIDE_S : 0;
    if (v->moved && v->drag == STACK_DRAG_TURN) {
        session_post(m->c->session, "stack-turn %.3f %.3f", (double)(v->pend_yaw - gx * 0.35f),
                     (double)(v->pend_pitch + gy * 0.3f));
    } else if (v->moved) {
        Vec3 way = pan_way(m, gx, gy);
        session_post(m->c->session, "stack-pan %.5f %.5f %.5f", (double)(v->pend_pan[0] + way.x),
                     (double)(v->pend_pan[1] + way.y), (double)(v->pend_pan[2] + way.z));
    }
    v->pend_yaw = v->pend_pitch = 0;
    v->pend_pan[0] = v->pend_pan[1] = v->pend_pan[2] = 0;
    v->drag = STACK_DRAG_NONE;
}

/* ---- what lies under the pointer ---- */

static const StackPlane *plane_of(const StackModel *m, uint64_t tag, bool *found)
{
    for (int32_t i = 0; i < m->n_planes; i++) {
        if (stack_plane_tag(&m->planes[i]) == tag) {
            *found = true;
            return &m->planes[i];
        }
    }
    *found = false;
    return &m->planes[0];
}

static void note(StackModel *m, const char *text)
{
    Ui *ui = m->c->ui;
    ui_tooltip(ui, rect(ui->mouse.x - 2, ui->mouse.y - 2, 4, 4), text);
    ui->tip_since_s = -10; /* at once: it follows the pointer */
}

/* What a plane's cell over (query, key) stands for. */
static const char *cell_text(const StackModel *m, const StackPlane *p, int32_t query, int32_t key)
{
    const StackPatterns *k = m->patterns;
    DrawList *list = m->c->ui->list;
    bool group = p->last > p->first;
    const float *values = group ? m->view->groups : k->values;
    int32_t rows = k->rows;
    int32_t cols = k->cols;
    int32_t height = k->row_texel;
    int32_t width = k->col_texel;
    size_t at = (size_t)(group ? p->first / m->every : p->first);
    if (p->focus && m->fine) {
        values = m->fine->values;
        rows = m->fine->rows;
        cols = m->fine->cols;
        height = width = m->fine->key.factor;
        at = 0;
    }
    if (!values) {
        return NULL;
    }
    int32_t row = AS_MIN(query / height, rows - 1);
    int32_t col = AS_MIN(key / width, cols - 1);
    float w = values[(at * (size_t)rows + (size_t)row) * (size_t)cols + (size_t)col];
    return !(w > -INFINITY) ? "not there: masked"
           : height > 1 || width > 1
               ? draw_format(list, "%.6f, largest of %d × %d", (double)w, height, width)
               : draw_format(list, "%.6f", (double)w);
}

static void choose_cell(StackModel *m, const SceneHit *hit, bool clicked)
{
    Session *s = m->c->session;
    DrawList *list = m->c->ui->list;
    bool found;
    const StackPlane *p = plane_of(m, hit->tag, &found);
    if (!found || !m->patterns) {
        return;
    }
    int32_t query = AS_CLAMP((int32_t)(hit->v * (float)m->n_queries), 0, m->n_queries - 1);
    int32_t key = AS_CLAMP((int32_t)(hit->u * (float)m->n_keys), 0, m->n_keys - 1);
    bool group = p->last > p->first;
    const char *value = cell_text(m, p, query, key);
    if (!value) {
        return;
    }
    const char *layers = group ? draw_format(list, "layers %d–%d", p->first, p->last)
                               : draw_format(list, "layer %d", p->first);
    note(m, draw_format(list, "%s: “%s” reads “%s”: %s", layers, label_of(m->c, query),
                        key_label_of(m->c, key), value));
    const Selection *sel = &s->selection;
    bool same = query == sel->query && key == sel->key;
    if (clicked) {
        if (p->first != sel->layer && !p->focus) {
            session_post(s, "layer %d", p->first);
        }
        if (sel->pinned && same) {
            session_post(s, "unpin");
        } else {
            session_post(s, "pin %d %d", query, key);
        }
    } else if (!sel->pinned && !same && m->c->ui->mouse_moved) {
        session_post(s, "hover %d %d", query, key);
    }
}

static void look(StackModel *m, bool clicked)
{
    Session *s = m->c->session;
    SceneHit hit = scene3d_pick(&m->scene, m->c->ui->mouse, 3);
    if (hit.tag >= STACK_LINK_TAG && hit.tag - STACK_LINK_TAG < (uint64_t)m->n_curves) {
        const StackLink *link = &m->links[hit.tag - STACK_LINK_TAG];
        const StackPlane *p = &m->planes[link->plane];
        note(m, draw_format(m->c->ui->list, "layer %d: “%s” reads “%s”: %.6f",
                            p->focus ? m->focus_layer : p->first, label_of(m->c, link->query),
                            key_label_of(m->c, link->key), (double)link->weight));
        m->c->ui->cursor = UI_CURSOR_HAND;
        if (clicked) {
            session_post(s, "layer %d", p->focus ? m->focus_layer : p->first);
            session_post(s, "pin %d %d", link->query, link->key);
        }
    } else if (hit.tag) {
        choose_cell(m, &hit, clicked);
    }
    if (clicked && m->c->ui->clicks == 2 && hit.tag) {
        session_post(s, "stack-camera %s", s->stack3d.camera.preset == STACK_FLY ? "orbit" : "fly");
    }
}

void stack_pointer(StackModel *m)
{
    StackView *v = m->view;
    Ui *ui = m->c->ui;
    Rect box = m->stage;
    bool card = rect_contains(m->strip, ui->mouse) || rect_contains(m->controls, ui->mouse);
    bool over = ui_hovers(ui, box) && !card;
    bool hot;
    bool held;
    bool clicked = ui_click(ui, UI_ID("stack"), box, false, &hot, &held);
    bool other = over && (ui->down[1] || ui->down[2]);
    if (v->drag == STACK_DRAG_NONE &&
        ((held && ui->pressed[0]) || (over && (ui->pressed[1] || ui->pressed[2])))) {
        begin(m);
    } else if (v->drag != STACK_DRAG_NONE && (held || other)) {
        follow(m);
    } else if (v->drag != STACK_DRAG_NONE) {
        release(m);
    }
    bool dragged = v->moved;
    if (v->drag == STACK_DRAG_NONE) {
        v->moved = false;
    }
    if (over && v->drag == STACK_DRAG_NONE && (clicked || !held)) {
        look(m, clicked && !dragged);
    }
    if (over && ui->wheel != 0) {
        session_post(m->c->session, "stack-zoom %g", pow(1.15, (double)ui->wheel));
    }
}
