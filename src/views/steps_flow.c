#include "views/steps.h"

#include <math.h>

/* The token flow in five stages: one token asks, the others answer. Above the asking token with its
 * query and what it collects, below the keys with their scores, shares and values. */

enum { SQUARES = 6 };

typedef struct Flow {
    StepsScene *s;
    Rect in;
    Rect query;             /* chip of the token that asks */
    Rect keys[LESSON_MOST]; /* chips of the keys */
    Rect out;               /* where the output forms */
    float t[5];             /* 0..1 of each stage: earlier ones are over */
    float chip_w;
} Flow;

static void vector_squares(Flow *f, Vec2 middle, const float *values, Role role, float alpha,
                           float side)
{
    const Lesson *l = f->s->l;
    Ui *ui = f->s->c->ui;
    int n = AS_MIN(SQUARES, l->head_dim);
    float most = teach_most(values, (size_t)l->head_dim);
    draw_push_alpha(ui->list, alpha);
    for (int d = 0; d < n; d++) {
        Rect box = {middle.x + (side + 2) * ((float)d - (float)n / 2), middle.y - side / 2, side,
                    side};
        draw_rect(ui->list, &(DrawRect){.box = box,
                                        .radius = 3,
                                        .fill = role_fade(
                                            ui, role, 0.15f + 0.85f * fabsf(values[d]) / most)});
        if (ui_hovers(ui, box)) {
            ui_tooltip(ui, box, draw_format(ui->list, "[%d] = %.6f", d, (double)values[d]));
        }
    }
    draw_pop_alpha(ui->list);
}

static Vec2 key_top(const Flow *f, int32_t j)
{
    return vec2(f->keys[j].x + f->keys[j].w / 2, f->keys[j].y - 6);
}

static Vec2 query_low(const Flow *f)
{
    return vec2(f->query.x + f->query.w / 2, f->query.y + f->query.h + 34);
}

static bool hidden(const Flow *f, int32_t j)
{
    return isinf(f->s->l->scores[f->s->row * f->s->l->m + j]);
}

static float share(const Flow *f, int32_t j)
{
    return f->s->l->weights[f->s->row * f->s->l->m + j];
}

static void draw_curve(Flow *f, int32_t j, float part)
{
    Ui *ui = f->s->c->ui;
    Vec2 a = query_low(f), b = key_top(f, j);
    float w = share(f, j);
    float bend = (b.y - a.y) * 0.5f;
    if (part <= 0) {
        return;
    }
    draw_bezier(ui->list,
                &(DrawBezier){.a = a,
                              .c1 = {a.x, a.y + bend},
                              .c2 = {b.x, b.y - bend},
                              .b = b,
                              .width = fmaxf(8 * w, 0.4f),
                              .color = color_fade(color_head(f->s->l->head), 0.3f + 0.6f * w),
                              .t0 = 0,
                              .t1 = fmaxf(part, 0.01f)});
}

static Vec2 on_curve(const Flow *f, int32_t j, float t)
{
    Vec2 a = query_low(f), b = key_top(f, j);
    float bend = (b.y - a.y) * 0.5f;
    float u = 1 - t;
    float k0 = u * u * u, k1 = 3 * u * u * t, k2 = 3 * u * t * t, k3 = t * t * t;
    return vec2(k0 * a.x + k1 * a.x + k2 * b.x + k3 * b.x,
                k0 * a.y + k1 * (a.y + bend) + k2 * (b.y - bend) + k3 * b.y);
}

/* Particles run from key to query; how many there are is in proportion to the share. */
static void draw_carried(Flow *f, int32_t j, float amount)
{
    Ui *ui = f->s->c->ui;
    float w = share(f, j);
    int n = (int)lroundf(24 * w);
    for (int k = 0; k < n; k++) {
        float at = fmodf((float)k / (float)n + (float)f->s->t * 0.35f, 1);
        Vec2 p = on_curve(f, j, 1 - at);
        float edge = fminf(1, 8 * fminf(at, 1 - at));
        draw_circle(ui->list, &(DrawCircle){.center = p,
                                            .radius = 3.2f,
                                            .fill = color_fade(role_v(ui).fill, edge * amount),
                                            .soft = 1.2f});
    }
}

/* ---- the stages ---- */

static void draw_query(Flow *f)
{
    StepsScene *s = f->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    teach_token(s->c, f->query, l->query, false, true, 16);
    Vec2 to = {f->query.x + f->query.w / 2, f->query.y + f->query.h + 16};
    float in = f->t[0];
    const float *q = l->q + (ptrdiff_t)s->row * l->head_dim;
    vector_squares(f, vec2(to.x, to.y - 20 * (1 - in)), q, role_q(ui), in, 14);
    teach_formula(ui, rect(f->query.x - 74, to.y - 12, 30, 24),
                  &(Formula){.size = 20, .color = role_q(ui).text}, "q");
    ui_label(ui, rect(f->query.x + f->query.w + 12, f->query.y, 220, f->query.h),
             &(UiLabel){.face = FONT_SANS, .size = 12}, "asks: what is relevant for me?");
}

static void draw_key(Flow *f, int32_t j)
{
    StepsScene *s = f->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    Rect chip = f->keys[j];
    const float *k = l->k + (ptrdiff_t)j * l->head_dim;
    float middle = chip.x + chip.w / 2;
    bool off = hidden(f, j);
    draw_push_alpha(ui->list, off ? 0.45f : 1);
    teach_token(s->c, chip, l->keys.first + j, true, false, 13);
    float side = fminf(12, (f->chip_w + 8) / SQUARES - 2);
    vector_squares(f, vec2(middle, chip.y + chip.h + 16), k, role_k(ui), f->t[0], side);
    draw_pop_alpha(ui->list);
    float appear = phase_of(f->t[1] * 2, 0.3, (int)j, 0.2, 0.4);
    const char *score = off ? "masked" : teach_number(ui, l->scores[s->row * l->m + j]);
    draw_push_alpha(ui->list, appear);
    ui_label(ui, rect(middle - 40, chip.y + chip.h + 30, 80, 20),
             &(UiLabel){.face = FONT_MONO_MEDIUM,
                        .size = 13,
                        .align = DRAW_CENTER,
                        .color = off ? ui->theme.text2 : role_score(ui).text},
             score);
    draw_pop_alpha(ui->list);
}

static void draw_share(Flow *f, int32_t j, int percent, float bottom)
{
    StepsScene *s = f->s;
    Ui *ui = s->c->ui;
    float grown = phase_of(f->t[2] * 2, 0.2, (int)j, 0.15, 0.6);
    Rect chip = f->keys[j];
    float middle = chip.x + chip.w / 2;
    float top = chip.y + chip.h + 54;
    float full = bottom - 22 - top;
    float h = full * share(f, j) * grown;
    if (full < 16 || grown <= 0) {
        return;
    }
    draw_rect(
        ui->list,
        &(DrawRect){.box = {middle - 18, top, 36, full}, .radius = 4, .fill = ui->theme.track});
    draw_rect(ui->list, &(DrawRect){.box = {middle - 18, top + full - h, 36, h},
                                    .radius = fminf(4, h / 2),
                                    .fill = role_softmax(ui).fill});
    ui_label(ui, rect(middle - 40, bottom - 20, 80, 18),
             &(UiLabel){.face = FONT_MONO_SEMIBOLD,
                        .size = 13,
                        .align = DRAW_CENTER,
                        .color = role_softmax(ui).text},
             draw_format(ui->list, "%d %%", percent));
}

static void draw_output(Flow *f)
{
    StepsScene *s = f->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    if (!l->has_values || f->t[4] <= 0) {
        return;
    }
    const float *o = l->outputs + ((ptrdiff_t)l->head * l->n + s->row) * l->head_dim;
    Rect box = f->out;
    draw_push_alpha(ui->list, f->t[4]);
    teach_well(ui, box, color_mix(ui->theme.card, ui->theme.v, 0.1f),
               color_mix(ui->theme.card, ui->theme.v, 0.5f), 1);
    teach_formula(ui, rect(box.x + 8, box.y, 60, box.h),
                  &(Formula){.size = 20, .color = role_v(ui).text}, "o = \\up{Σ} a v");
    int32_t more;
    int32_t n = teach_dims(box.w - 116, 50, 0, l->head_dim, &more);
    float most = teach_most(o, (size_t)l->head_dim);
    for (int32_t d = 0; d < n; d++) {
        draw_push_alpha(ui->list, phase_of(f->t[4] * 2, 0.2, (int)d, 0.12, 0.4));
        teach_cell(ui, &(ValueCell){.box = {box.x + 76 + 50 * (float)d, box.y + 8, 47, box.h - 16},
                                    .value = o[d],
                                    .amount = 0.2f + 0.8f * fabsf(o[d]) / most,
                                    .role = role_v(ui)});
        draw_pop_alpha(ui->list);
    }
    teach_more(ui, rect(box.x + 78 + 50 * (float)n, box.y, 40, box.h), more, 0);
    draw_pop_alpha(ui->list);
}

static void place(Flow *f)
{
    const Lesson *l = f->s->l;
    Rect in = f->in;
    f->chip_w = fminf(110, in.w / (float)l->m - 14);
    f->query = rect(in.x + in.w / 2 - 60, in.y + 6, 120, 36);
    float y = in.y + in.h * 0.5f;
    float pitch = in.w / (float)l->m;
    for (int32_t j = 0; j < l->m; j++) {
        f->keys[j] = rect(in.x + pitch * ((float)j + 0.5f) - f->chip_w / 2, y, f->chip_w, 32);
    }
    float w = fminf(in.w * 0.36f, 460);
    f->out = rect(in.x, in.y + 2, w, 44);
}

void scene_flow(StepsScene *s)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    Rect in = steps_card(s, s->layout.main, step_label(s->kind),
                         draw_format(ui->list, "layer %d, head %d: what “%s” takes from the others",
                                     l->layer, l->head, label_of(s->c, l->query)),
                         ui->theme.text);
    Flow f = {.s = s, .in = in};
    int stage = (int)(s->kind - STEP_FLOW_QUERY);
    for (int k = 0; k < 5; k++) {
        f.t[k] = k < stage ? 1 : k > stage ? 0 : (float)ease_span(s->t, 0.1, s->length * 0.8);
    }
    place(&f);
    int percents[LESSON_MOST];
    int rest;
    lesson_percents(l->weights + (ptrdiff_t)s->row * l->m, l->m, l->elsewhere[s->row], percents,
                    &rest);
    for (int32_t j = 0; j < l->m; j++) {
        if (!hidden(&f, j)) {
            draw_curve(&f, j, stage >= 1 ? phase_of(f.t[1] * 2, 0, (int)j, 0.2, 0.5) : 0);
        }
    }
    for (int32_t j = 0; j < l->m; j++) {
        if (!hidden(&f, j) && f.t[3] > 0) {
            draw_carried(&f, j, f.t[3]);
        }
        draw_key(&f, j);
        draw_share(&f, j, percents[j], in.y + in.h);
    }
    draw_query(&f);
    draw_output(&f);
    if (l->elsewhere[s->row] > 0 && f.t[2] > 0) {
        ui_label(ui, rect(in.x + in.w - 260, in.y, 260, 20),
                 &(UiLabel){.face = FONT_SANS, .size = 12, .align = DRAW_RIGHT},
                 draw_format(ui->list, "elsewhere: %d %%", rest));
    }
}
