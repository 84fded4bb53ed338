/* Words around the stack: tokens along its edges, names of layers, the axes. Culled by importance,
 * never colliding. */
#include "views/stack.h"

#include <math.h>

#include "views/internal.h"

enum { MOST_LABELS = 96 };

static const float CHIP_H = 20;
static const float CHIP_TEXT = 12;

typedef struct Labels {
    StackModel *m;
    Rect boxes[MOST_LABELS]; /* taken, in the frame of the text's direction */
    int n;
    int32_t tokens[MOST_LABELS]; /* of the axis in hand */
    int n_tokens;
} Labels;

static bool take(Labels *l, Rect box, float gap)
{
    Rect wide = rect_inset(box, -gap);
    for (int i = 0; i < l->n; i++) {
        if (!rect_is_empty(rect_intersect(wide, l->boxes[i]))) {
            return false;
        }
    }
    if (l->n == MOST_LABELS) {
        return false;
    }
    l->boxes[l->n++] = box;
    return true;
}

static bool taken_token(const Labels *l, int32_t token)
{
    for (int i = 0; i < l->n_tokens; i++) {
        if (l->tokens[i] == token) {
            return true;
        }
    }
    return false;
}

/* ---- tokens along an edge ---- */

/* An axis of tokens and where it stands in space. */
typedef struct Axis {
    bool keys;
    Vec3 from, to; /* middles of the first and the last token */
    int32_t n;
} Axis;

static Vec3 axis_at(const Axis *a, int32_t token)
{
    return vec3_mix(a->from, a->to, a->n > 1 ? (float)token / (float)(a->n - 1) : 0.5f);
}

/* A chip that leans: its upper end at `top`. */
static void draw_chip(StackModel *m, Vec2 top, float width, const char *text, Color color, bool on)
{
    Ui *ui = m->c->ui;
    const Theme *t = &ui->theme;
    Vec2 along = {TEXT_LEAN_COS, -TEXT_LEAN_SIN};
    Vec2 down = {TEXT_LEAN_SIN, TEXT_LEAN_COS};
    enum { ROUND = 5 };
    Vec2 points[4 * ROUND];
    float r = 6;
    const float quarter = 1.5707963f;
    Vec2 middle = {top.x - along.x * width / 2, top.y - along.y * width / 2};
    for (int i = 0; i < 4 * ROUND; i++) {
        int c = i / ROUND;
        float angle = quarter * ((float)c + (float)(i % ROUND) / (ROUND - 1));
        float x = (c == 0 || c == 3 ? 1.0f : -1.0f) * (width / 2 - r) + r * cosf(angle);
        float y = (c < 2 ? 1.0f : -1.0f) * (CHIP_H / 2 - r) + r * sinf(angle);
        points[i] = vec2(middle.x + along.x * x + down.x * y, middle.y + along.y * x + down.y * y);
    }
    /* What is behind does not shine through the word. */
    Color ground = color_with_alpha(t->page, 0.72f);
    draw_polygon(ui->list, &(DrawPolygon){.points = points, .n_points = 4 * ROUND, .fill = ground});
    draw_polygon(ui->list,
                 &(DrawPolygon){.points = points,
                                .n_points = 4 * ROUND,
                                .fill = color_with_alpha(color, on ? 0.34f : t->chip_fill)});
    draw_polyline(ui->list, &(DrawPolyline){.points = points,
                                            .n_points = 4 * ROUND,
                                            .width = on ? 1.5f : 1,
                                            .color = color_with_alpha(color, on ? 1 : t->chip_edge),
                                            .closed = true});
    FontFace face = on ? FONT_SANS_SEMIBOLD : FONT_SANS;
    FontMetrics f = font_metrics(ui->fonts, face, CHIP_TEXT);
    Vec2 start = {top.x - along.x * (width - 8) + down.x * f.cap_height / 2,
                  top.y - along.y * (width - 8) + down.y * f.cap_height / 2};
    Color ink =
        t->dark ? color_mix(color, (Color){1, 1, 1, 1}, 0.65f) : color_mix(color, t->text, 0.75f);
    draw_text(ui->list, &(DrawText){.face = face,
                                    .size = CHIP_TEXT,
                                    .color = on ? t->text : ink,
                                    .text = text,
                                    .at = start,
                                    .max_width = width - 15,
                                    .turn = TEXT_LEAN});
}

static void put_chip(Labels *l, const Axis *axis, int32_t token)
{
    StackModel *m = l->m;
    Vec2 at;
    if (token < 0 || token >= axis->n || taken_token(l, token) || l->n_tokens == MOST_LABELS ||
        !view3d_project(&m->eye, axis_at(axis, token), &at, NULL)) {
        return;
    }
    const Selection *sel = &m->c->session->selection;
    bool same = !m->cross;
    bool on = axis->keys && !same ? token == sel->key : token == sel->query;
    const char *text = axis->keys ? key_label_of(m->c, token) : label_of(m->c, token);
    FontFace face = on ? FONT_SANS_SEMIBOLD : FONT_SANS;
    float width = AS_MIN(ui_text_width(m->c->ui, face, CHIP_TEXT, text) + 17, 112.0f);
    width = AS_MAX(width, CHIP_H);
    Vec2 top = {at.x, at.y + 12};
    /* In the frame of the text: along and across it. */
    float a = top.x * TEXT_LEAN_COS - top.y * TEXT_LEAN_SIN;
    float c = top.x * TEXT_LEAN_SIN + top.y * TEXT_LEAN_COS;
    Rect box = {a - width, c - CHIP_H / 2, width, CHIP_H};
    float low = top.y + width * TEXT_LEAN_SIN + CHIP_H / 2;
    bool inside = top.x - width * TEXT_LEAN_COS - CHIP_H / 2 > m->stage.x + 8 &&
                  top.x + CHIP_H < m->stage.x + m->stage.w - 8 && top.y > m->stage.y + 60 &&
                  low < m->stage.y + m->stage.h - 4;
    if (!inside ||
        !stack_free_place(m, rect(top.x - width * TEXT_LEAN_COS - 10, top.y - 6,
                                  width * TEXT_LEAN_COS + 20, low - top.y)) ||
        !take(l, box, 2)) {
        return;
    }
    l->tokens[l->n_tokens++] = token;
    Color color = axis->keys ? key_token_color(m->c, token) : token_color(m->c, token);
    draw_chip(m, top, width, text, color, on);
}

/* First what is chosen and what it reads, then the ends, then halves of halves. */
static void put_chips(Labels *l, const Axis *axis)
{
    StackModel *m = l->m;
    const Selection *sel = &m->c->session->selection;
    l->n = l->n_tokens = 0;
    put_chip(l, axis, axis->keys && m->cross ? sel->key : sel->query);
    if (axis->keys) {
        put_chip(l, axis, sel->key);
        for (int i = 0; i < m->n_strongest; i++) {
            put_chip(l, axis, m->strongest[i].key);
        }
    }
    put_chip(l, axis, 0);
    put_chip(l, axis, axis->n - 1);
    int32_t parts = 2;
    for (; parts < axis->n && parts <= 128; parts *= 2) {
        for (int32_t i = 1; i < parts; i += 2) {
            put_chip(l, axis, (int32_t)((int64_t)i * (axis->n - 1) / parts));
        }
    }
    for (int32_t i = 0; axis->n <= 256 && i < axis->n; i++) {
        put_chip(l, axis, i);
    }
}

/* The lower one on the screen of the two ends of the stack. */
static float lower_level(const StackModel *m, float low, float high, float x, float z)
{
    Vec2 a;
    Vec2 b;
    bool first = view3d_project(&m->eye, vec3_of(x, low, z), &a, NULL);
    bool second = view3d_project(&m->eye, vec3_of(x, high, z), &b, NULL);
    return first && (!second || a.y >= b.y) ? low : high;
}

static float extent(const StackModel *m, const Axis *a, bool across)
{
    Vec2 p;
    Vec2 q;
    if (!view3d_project(&m->eye, a->from, &p, NULL) || !view3d_project(&m->eye, a->to, &q, NULL)) {
        return 0;
    }
    return across ? fabsf(p.x - q.x) : fabsf(p.y - q.y);
}

static void draw_tokens(Labels *l)
{
    StackModel *m = l->m;
    float front = m->eye.eye.z >= 0 ? STACK_DEPTH / 2 : -STACK_DEPTH / 2;
    float side = m->eye.eye.x >= 0 ? STACK_WIDTH / 2 : -STACK_WIDTH / 2;
    float low = m->fly > 0.5f ? m->y_focus : m->y_low - (front > 0 || m->cross ? stack_drop(m) : 0);
    float high = m->fly > 0.5f ? m->y_focus : m->y_high;
    float y = lower_level(m, low, high, 0, front);
    Axis keys = {true,
                 {stack_key_x(m, 0), y, front},
                 {stack_key_x(m, (float)m->n_keys - 1), y, front},
                 m->n_keys};
    y = lower_level(m, m->fly > 0.5f ? m->y_focus : m->y_low, high, side, 0);
    Axis queries = {false,
                    {side, y, stack_query_z(m, 0)},
                    {side, y, stack_query_z(m, (float)m->n_queries - 1)},
                    m->n_queries};
    put_chips(l, extent(m, &keys, true) >= extent(m, &queries, true) ? &keys : &queries);
}

/* ---- queries beside the sheet in focus ---- */

/* Does a sheet other than the one in focus lie under a label? */
static bool over_sheet(const StackModel *m, Rect box)
{
    for (int32_t i = 0; i < m->n_planes; i++) {
        const StackPlane *p = &m->planes[i];
        for (int k = 0; k < 3 && !p->focus && p->alpha > 0.3f && m->fly < 0.5f && m->steep < 0.5f;
             k++) {
            Vec3 at;
            Vec2 px = {box.x + box.w * 0.5f * (float)k, box.y + box.h / 2};
            if (view3d_pick_level(&m->eye, px, p->y, &at) && fabsf(at.x) < STACK_WIDTH / 2 &&
                fabsf(at.z) < STACK_DEPTH / 2) {
                return true;
            }
        }
    }
    return false;
}

static void put_query(Labels *l, const Axis *axis, int32_t token)
{
    StackModel *m = l->m;
    Ui *ui = m->c->ui;
    Vec2 at;
    if (token < 0 || token >= axis->n || taken_token(l, token) || l->n_tokens == MOST_LABELS ||
        !view3d_project(&m->eye, axis_at(axis, token), &at, NULL)) {
        return;
    }
    bool on = token == m->c->session->selection.query;
    const char *text = label_of(m->c, token);
    FontFace face = on ? FONT_SANS_SEMIBOLD : FONT_SANS;
    float w = AS_MIN(ui_text_width(ui, face, 12, text), 90.0f);
    Rect box = {at.x - 14 - w, at.y - 8, w + 6, 16};
    bool covers = over_sheet(m, box);
    if (box.x < m->stage.x + 10 || !stack_free_place(m, box) || (covers && !on) ||
        !take(l, box, 3)) {
        return;
    }
    l->tokens[l->n_tokens++] = token;
    if (covers) {
        draw_rect(ui->list, &(DrawRect){.box = rect_inset(box, -2),
                                        .radius = 5,
                                        .fill = color_with_alpha(ui->theme.page, 0.82f)});
    }
    Color color = on ? ui->theme.text : ui->theme.text2;
    draw_line(ui->list, &(DrawLine){.a = {at.x - 11, at.y},
                                    .b = {at.x - 3, at.y},
                                    .width = 1,
                                    .color = color_with_alpha(color, 0.6f)});
    ui_label(ui, rect(box.x, box.y, w + 1, 16),
             &(UiLabel){.face = face, .color = color, .align = DRAW_RIGHT}, text);
}

static void draw_queries(Labels *l)
{
    StackModel *m = l->m;
    Axis axis[2];
    for (int i = 0; i < 2; i++) {
        float x = i ? STACK_WIDTH / 2 : -STACK_WIDTH / 2;
        axis[i] = (Axis){false,
                         {x, m->y_focus, stack_query_z(m, 0)},
                         {x, m->y_focus, stack_query_z(m, (float)m->n_queries - 1)},
                         m->n_queries};
    }
    Vec2 a;
    Vec2 b;
    if (!view3d_project(&m->eye, axis_at(&axis[0], 0), &a, NULL) ||
        !view3d_project(&m->eye, axis_at(&axis[1], 0), &b, NULL)) {
        return;
    }
    const Axis *left = a.x <= b.x ? &axis[0] : &axis[1];
    if (extent(m, left, false) < 40 || extent(m, left, true) > 3 * extent(m, left, false)) {
        return;
    }
    l->n_tokens = 0;
    put_query(l, left, m->c->session->selection.query);
    put_query(l, left, 0);
    put_query(l, left, m->n_queries - 1);
    int32_t most = m->fly > 0.5f ? 64 : 4;
    for (int32_t parts = 2; parts < AS_MIN(m->n_queries, most); parts *= 2) {
        for (int32_t i = 1; i < parts; i += 2) {
            put_query(l, left, (int32_t)((int64_t)i * (m->n_queries - 1) / parts));
        }
    }
    /* Beside the sheet's corner: the first of few tokens stands well inside. */
    Vec3 corner = left->from;
    corner.z = stack_query_z(m, -0.5f);
    Vec2 first = a.x <= b.x ? a : b;
    (void)view3d_project(&m->eye, corner, &first, NULL);
    Rect caption = {first.x - 70, first.y - 24, 60, 16};
    if (l->n_tokens && caption.x > m->stage.x + 8 && take(l, caption, 0)) {
        ui_label(m->c->ui, caption,
                 &(UiLabel){.size = 11, .color = m->c->ui->theme.text3, .align = DRAW_RIGHT},
                 "queries");
    }
}

/* ---- names of layers ---- */

static Vec2 right_corner(const StackModel *m, float y)
{
    Vec2 best = {-1e9f, 0};
    for (int i = 0; i < 4; i++) {
        Vec3 p = {i & 1 ? STACK_WIDTH / 2 : -STACK_WIDTH / 2, y,
                  i & 2 ? STACK_DEPTH / 2 : -STACK_DEPTH / 2};
        Vec2 at;
        if (view3d_project(&m->eye, p, &at, NULL) && at.x > best.x) {
            best = at;
        }
    }
    /* Clear of the curves, which reach out in front of the streams. */
    Vec3 out = stack_stream_at(m, m->c->session->selection.query, y);
    out.z += m->cross ? 0 : 0.24f;
    Vec2 at;
    if (view3d_project(&m->eye, out, &at, NULL) && at.x > best.x) {
        best.x = at.x;
    }
    return best;
}

static void put_layer(Labels *l, const StackPlane *p)
{
    StackModel *m = l->m;
    Ui *ui = m->c->ui;
    const Theme *t = &ui->theme;
    Vec2 at = right_corner(m, p->y);
    bool group = p->last > p->first;
    const char *name = group ? draw_format(ui->list, "Layers %d–%d", p->first, p->last)
                             : draw_format(ui->list, "Layer %d", m->focus_layer);
    if (!p->focus && !group) {
        name = draw_format(ui->list, "Layer %d", p->first);
    }
    FontFace face = p->focus ? FONT_SANS_SEMIBOLD : FONT_SANS;
    float size = p->focus ? 14 : 12;
    float w = ui_text_width(ui, face, size, name);
    float h = p->focus ? 28 : 16;
    Rect box = {at.x + (p->focus ? 18 : 24), roundf(at.y - h / 2), w + (p->focus ? 28 : 1), h};
    bool inside = box.x > m->stage.x && box.y > m->stage.y + 56 &&
                  box.x + box.w < m->stage.x + m->stage.w - 8 &&
                  box.y + h < m->stage.y + m->stage.h - 8;
    if (p->alpha < 0.6f || (!p->focus && m->steep > 0.3f) || !inside || !stack_free_place(m, box) ||
        !take(l, box, 1)) {
        return;
    }
    float strong = p->focus ? 1 : p->alpha * (1 - 0.6f * m->fly);
    Color line = p->focus ? t->accent : t->edge2;
    draw_line(ui->list, &(DrawLine){.a = {at.x + 5, at.y},
                                    .b = {box.x - (p->focus ? 0 : 6), at.y},
                                    .width = p->focus ? 1.5f : 1,
                                    .color = color_with_alpha(line, strong)});
    if (p->focus) {
        draw_rect(ui->list, &(DrawRect){.box = box,
                                        .radius = 8,
                                        .fill = t->accent_tint,
                                        .border = 1,
                                        .border_color = t->accent});
        ui_label(ui, box,
                 &(UiLabel){.face = face, .size = size, .color = t->text, .align = DRAW_CENTER},
                 name);
    } else {
        ui_label(
            ui, rect(box.x, box.y, w + 1, h),
            &(UiLabel){.face = face, .size = size, .color = color_with_alpha(t->text2, strong)},
            name);
    }
}

static void draw_layers(Labels *l)
{
    StackModel *m = l->m;
    for (int32_t i = 0; i < m->n_planes; i++) {
        if (m->planes[i].focus) {
            put_layer(l, &m->planes[i]);
        }
    }
    if (m->n_planes < 2) {
        return;
    }
    put_layer(l, &m->planes[m->n_planes - 1]);
    put_layer(l, &m->planes[0]);
    for (int32_t parts = 2; parts < 2 * m->n_planes; parts *= 2) {
        for (int32_t i = 1; i < parts; i += 2) {
            const StackPlane *p = &m->planes[(int64_t)i * (m->n_planes - 1) / parts];
            if (!p->focus) {
                put_layer(l, p);
            }
        }
    }
}

/* ---- the axes ---- */

static void draw_axes(StackModel *m)
{
    Ui *ui = m->c->ui;
    const Theme *t = &ui->theme;
    if (m->stage.w < 760 || m->stage.h < 420) {
        return;
    }
    Vec2 at = {m->stage.x + m->stage.w - 108, m->stage.y + m->stage.h - 78};
    const struct {
        const char *name;
        Vec3 way;
        Color color;
    } axes[] = {
        {"layers", {0, 1, 0}, t->accent}, {"keys", {1, 0, 0}, t->k}, {"queries", {0, 0, 1}, t->q}};
    const View3D *e = &m->eye;
    for (size_t i = 0; i < AS_COUNT(axes); i++) {
        Vec3 w = axes[i].way;
        float dx = w.x * e->right.x + w.y * e->right.y + w.z * e->right.z;
        float dy = -(w.x * e->up.x + w.y * e->up.y + w.z * e->up.z);
        Vec2 end = {at.x + 34 * dx, at.y + 34 * dy};
        draw_line(
            ui->list,
            &(DrawLine){.a = at, .b = end, .width = 2, .color = axes[i].color, .cap = DRAW_ROUND});
        draw_circle(ui->list, &(DrawCircle){.center = end, .radius = 4, .fill = axes[i].color});
        float length = hypotf(dx, dy);
        if (length < 0.25f) {
            continue; /* it points at the viewer */
        }
        float tw = ui_text_width(ui, FONT_SANS, 11, axes[i].name);
        Vec2 to = {end.x + (9 + tw / 2 * fabsf(dx) / length) * dx / length,
                   end.y + 13 * dy / length};
        ui_label(ui, rect(roundf(to.x - tw / 2), roundf(to.y - 8), tw + 1, 16),
                 &(UiLabel){.size = 11, .color = t->text2}, axes[i].name);
    }
}

void stack_labels_draw(StackModel *m)
{
    Labels *l = ARENA_NEW(&m->c->ui->list->arena, Labels, NULL);
    if (!l) {
        return;
    }
    l->m = m;
    draw_tokens(l);
    l->n = 0; /* from here on upright boxes */
    draw_layers(l);
    draw_queries(l);
    draw_axes(m);
}
