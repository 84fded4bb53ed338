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

void stack_pointer(StackModel *m)
{
    StackView *v = m->view;
    Ui *ui = m->c->ui;
    Rect box = m->stage;
    bool over = ui_hovers(ui, box);
    bool hot;
    bool held;
    ui_click(ui, UI_ID("stack"), box, false, &hot, &held);
    bool other = over && (ui->down[1] || ui->down[2]);
    if (v->drag == STACK_DRAG_NONE &&
        ((held && ui->pressed[0]) || (over && (ui->pressed[1] || ui->pressed[2])))) {
        begin(m);
    } else if (v->drag != STACK_DRAG_NONE && (held || other)) {
        follow(m);
    } else if (v->drag != STACK_DRAG_NONE) {
        release(m);
    }
    if (over && ui->wheel != 0) {
        session_post(m->c->session, "stack-zoom %g", pow(1.15, (double)ui->wheel));
    }
}
