#include "views/steps.h"

#include <math.h>

/* A weight matrix as a picture that is never cut: the whole fits the box, the wheel zooms in to the
 * pointer until each cell has its number, dragging moves. */

static const float NUMBERS_PX = 34; /* cells this wide have numbers */

typedef struct WeightPicture {
    StepsScene *s;
    const LessonMatrix *m;
    Rect box;     /* of the picture */
    float cell;   /* px a weight */
    float x0, y0; /* place of weight (0, 0) */
    Role role;
    float limit; /* largest colour */
} WeightPicture;

static void zoom(WeightPicture *t, ModelProjection which)
{
    StepsView *v = t->s->view;
    Ui *ui = t->s->c->ui;
    if (v->which != which || v->seen != t->m->version) {
        if (!ui_hovers(ui, t->box) || (ui->wheel == 0 && !ui->pressed[0])) {
            return; /* another matrix holds the camera */
        }
        *v = (StepsView){.which = which, .seen = t->m->version, .x = 0.5f, .y = 0.5f, .zoom = 1};
    }
    float whole_w = (float)t->m->info.columns * t->cell;
    float whole_h = (float)t->m->info.rows * t->cell;
    if (ui_hovers(ui, t->box) && ui->wheel != 0) {
        float most = fmaxf(48 / t->cell, 1);
        float next = AS_CLAMP(v->zoom * powf(1.35f, ui->wheel), 1, most);
        /* What lies under the pointer stays there. */
        float px = (ui->mouse.x - t->box.x - t->box.w / 2) / whole_w;
        float py = (ui->mouse.y - t->box.y - t->box.h / 2) / whole_h;
        v->x += px / v->zoom - px / next;
        v->y += py / v->zoom - py / next;
        v->zoom = next;
    }
    bool held;
    ui_click(ui, ui_id("steps-weights", (int64_t)which), t->box, false, NULL, &held);
    float at_x = (ui->mouse.x - t->box.x - t->box.w / 2) / whole_w / v->zoom;
    float at_y = (ui->mouse.y - t->box.y - t->box.h / 2) / whole_h / v->zoom;
    if (held && ui->pressed[0]) {
        v->grab_x = v->x + at_x;
        v->grab_y = v->y + at_y;
    } else if (held) {
        v->x = v->grab_x - at_x;
        v->y = v->grab_y - at_y;
    }
    float half_x = fminf(t->box.w / (2 * whole_w * v->zoom), 0.5f);
    float half_y = fminf(t->box.h / (2 * whole_h * v->zoom), 0.5f);
    v->x = AS_CLAMP(v->x, half_x, 1 - half_x);
    v->y = AS_CLAMP(v->y, half_y, 1 - half_y);
    t->cell *= v->zoom;
    t->x0 = t->box.x + t->box.w / 2 - v->x * whole_w * v->zoom;
    t->y0 = t->box.y + t->box.h / 2 - v->y * whole_h * v->zoom;
}

static void draw_numbers(const WeightPicture *t)
{
    Ui *ui = t->s->c->ui;
    const ModelProjectionInfo *info = &t->m->info;
    int32_t c0 = AS_MAX((int32_t)floorf((t->box.x - t->x0) / t->cell), 0);
    int32_t r0 = AS_MAX((int32_t)floorf((t->box.y - t->y0) / t->cell), 0);
    int32_t c1 = AS_MIN((int32_t)ceilf((t->box.x + t->box.w - t->x0) / t->cell), info->columns);
    int32_t r1 = AS_MIN((int32_t)ceilf((t->box.y + t->box.h - t->y0) / t->cell), info->rows);
    for (int32_t r = r0; r < r1; r++) {
        for (int32_t c = c0; c < c1; c++) {
            float v = t->m->values[(ptrdiff_t)r * info->columns + c];
            Rect box = {t->x0 + t->cell * (float)c, t->y0 + t->cell * (float)r, t->cell, t->cell};
            Color on =
                colormap_value(ui->theme.dark ? COLORMAP_DIVERGING_NIGHT : COLORMAP_DIVERGING,
                               (Scale){.lo = -t->limit, .hi = t->limit}, v);
            ui_label(
                ui, box,
                &(UiLabel){.face = FONT_MONO,
                           .size = 11,
                           .align = DRAW_CENTER,
                           .color = color_readable(on, color_hex(0x04060C), color_hex(0xFFFFFF))},
                teach_fixed(ui, (double)v, 2));
        }
    }
}

/* The rows (of W_O: columns) that belong to the chosen head. */
static void draw_band(const WeightPicture *t, ModelProjection which)
{
    const Lesson *l = t->s->l;
    Ui *ui = t->s->c->ui;
    int32_t d = l->head_dim;
    int32_t group = l->head / (l->n_heads / l->n_kv_heads);
    int32_t head = which == MODEL_PROJECTION_Q || which == MODEL_PROJECTION_O ? l->head : group;
    bool columns = which == MODEL_PROJECTION_O;
    float a = (float)(head * d) * t->cell;
    float size = (float)d * t->cell;
    Rect band = columns ? rect(t->x0 + a, t->y0, size, (float)t->m->info.rows * t->cell)
                        : rect(t->x0, t->y0 + a, (float)t->m->info.columns * t->cell, size);
    draw_rect(ui->list, &(DrawRect){.box = rect_inset(band, -1.5f),
                                    .radius = 2,
                                    .border = 1.5f,
                                    .border_color = ui->theme.cross});
}

static void hover(const WeightPicture *t, const char *title)
{
    Ui *ui = t->s->c->ui;
    if (!ui_hovers(ui, t->box)) {
        return;
    }
    int32_t r = (int32_t)floorf((ui->mouse.y - t->y0) / t->cell);
    int32_t c = (int32_t)floorf((ui->mouse.x - t->x0) / t->cell);
    if (r >= 0 && c >= 0 && r < t->m->info.rows && c < t->m->info.columns) {
        ui_tooltip(ui, t->box,
                   draw_format(ui->list, "%s[%d, %d] = %.6f%s; wheel zooms, drag moves", title, r,
                               c, (double)t->m->values[(ptrdiff_t)r * t->m->info.columns + c],
                               t->m->info.has_bias
                                   ? draw_format(ui->list, ", bias %.6f", (double)t->m->bias[r])
                                   : ""));
    }
}

static void draw_bias(WeightPicture *t, Rect box)
{
    const LessonMatrix *m = t->m;
    Ui *ui = t->s->c->ui;
    if (!m->info.has_bias) {
        return;
    }
    float most = teach_most(m->bias, (size_t)m->info.rows);
    draw_push_clip(ui->list, rect(box.x, t->box.y, box.w, t->box.h));
    draw_cells(ui->list,
               &(DrawCells){.box = {box.x, t->y0, box.w, t->cell * (float)m->info.rows},
                            .source = {.values = m->bias,
                                       .rows = m->info.rows,
                                       .cols = 1,
                                       .version = m->version + ((uint64_t)1 << 61)},
                            .map = ui->theme.dark ? COLORMAP_DIVERGING_NIGHT : COLORMAP_DIVERGING,
                            .scale = {.lo = -most, .hi = most}});
    draw_pop_clip(ui->list);
}

void steps_weights(StepsScene *s, Rect box, ModelProjection which, const char *title, Role role)
{
    Ui *ui = s->c->ui;
    Error err = {0};
    const LessonMatrix *m = session_matrix(s->session, which, &err);
    ui_card(ui, box);
    Rect in = {box.x + 12, box.y + 26, box.w - 24, box.h - 26 - TEACH_LEGEND_H - 10};
    teach_formula(ui, rect(box.x + 12, box.y + 4, 40, 20),
                  &(Formula){.size = 16, .color = role.text}, title);
    if (!m) {
        s->c->views->settled &= err.code != ERR_NONE;
        ui_paragraph(ui, in, &(UiLabel){.face = FONT_SANS, .size = 11}, 16,
                     !session_model(s->session)
                         ? "Not in this record: the matrices are the model's."
                     : err.code ? draw_format(ui->list, "%s", err.message)
                                : "reading the weights …");
        return;
    }
    s->c->views->settled &= m->layer == s->session->selection.layer;
    ui_label(ui, rect(box.x + 56, box.y + 4, box.w - 68, 20),
             &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT},
             draw_format(ui->list, "%s%s", teach_shape(ui, m->info.rows, m->info.columns),
                         m->info.has_bias ? " + b" : ""));
    float bias_w = m->info.has_bias ? 14 : 0;
    WeightPicture t = {.s = s, .m = m, .box = {in.x, in.y, in.w - bias_w, in.h}, .role = role};
    t.cell = fminf(t.box.w / (float)m->info.columns, t.box.h / (float)m->info.rows);
    t.x0 = t.box.x + (t.box.w - t.cell * (float)m->info.columns) / 2;
    t.y0 = t.box.y + (t.box.h - t.cell * (float)m->info.rows) / 2;
    zoom(&t, which);
    /* Means of many weights are small: colours reach three deviations of what a pixel shows. */
    t.limit = fminf(m->most, 3 * m->deviation * fminf(t.cell, 1));
    draw_push_clip(ui->list, t.box);
    draw_cells(ui->list,
               &(DrawCells){.box = {t.x0, t.y0, t.cell * (float)m->info.columns,
                                    t.cell * (float)m->info.rows},
                            .source = {.values = m->values,
                                       .rows = m->info.rows,
                                       .cols = m->info.columns,
                                       .version = m->version},
                            .map = ui->theme.dark ? COLORMAP_DIVERGING_NIGHT : COLORMAP_DIVERGING,
                            .scale = {.lo = -t.limit, .hi = t.limit},
                            .reduce = CELL_MEAN});
    if (t.cell >= NUMBERS_PX) {
        draw_numbers(&t);
    }
    draw_band(&t, which);
    draw_pop_clip(ui->list);
    draw_bias(&t, rect(in.x + in.w - 10, in.y, 8, in.h));
    const Rect foot = {in.x, box.y + box.h - TEACH_LEGEND_H - 4, fminf(130, in.w * 0.5f),
                       TEACH_LEGEND_H};
    teach_legend(ui, foot, &(TeachLegend){.lo = -t.limit, .hi = t.limit, .diverging = true});
    const float per = 1 / t.cell;
    ui_label(ui, rect(foot.x + foot.w + 10, foot.y - 2, in.w - foot.w - 10, 18),
             &(UiLabel){.face = FONT_SANS, .size = 11},
             t.cell >= 1
                 ? "one cell a weight"
                 : draw_format(ui->list, "1 px = %.0f × %.0f, mean", (double)per, (double)per));
    hover(&t, title);
}
