#include "views/internal.h"

#include "session/shown.h"

#include <math.h>

/* Tokens between two labels: each one where there is room, else the next power of two. */
static int32_t label_step(float px, float room)
{
    int32_t step = 1;
    while ((float)step * px < (step == 1 ? 13 : room) && step < 1 << 24) {
        step *= 2;
    }
    return step;
}

static float number_width(const MatrixScene *s)
{
    return ui_text_width(s->c->ui, FONT_MONO, 11,
                         draw_format(s->c->ui->list, "%d", s->view->n_queries - 1));
}

static void row_label(const MatrixScene *s, int32_t query, float y, float number_w)
{
    Ui *ui = s->c->ui;
    const MatrixLayout *l = &s->layout;
    float right = l->heat.x - 9;
    ui_label(
        ui, rect(right - number_w - 1, y - 8, number_w + 1, 16),
        &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text3, .align = DRAW_RIGHT},
        draw_format(ui->list, "%d", query));
    float left = l->heat.x - l->gutter + 8;
    ui_label(ui, rect(left, y - 8, right - number_w - 10 - left, 16),
             &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT}, label_of(s->c, query));
    draw_rect(ui->list, &(DrawRect){.box = {l->heat.x - 5, ui_snap(ui, y - 0.5f), 4, 1},
                                    .fill = ui->theme.edge2});
}

static void query_labels(const MatrixScene *s)
{
    Ui *ui = s->c->ui;
    const MatrixLayout *l = &s->layout;
    const Selection *sel = &s->c->session->selection;
    float number_w = number_width(s);
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(s->view, &r0, &r1, &c0, &c1);
    float y_sel = matrix_query_y(s, sel->query);
    bool in_view = y_sel >= l->heat.y && y_sel < l->heat.y + l->heat.h;
    int32_t step = label_step(l->px, 22);
    for (int32_t i = r0 / step * step; i < r1; i += step) {
        float y = matrix_query_y(s, i);
        bool near = in_view && fabsf(y - y_sel) < 21;
        if (i < r0 || near || y < l->heat.y || y > l->heat.y + l->heat.h) {
            continue;
        }
        row_label(s, i, y, number_w);
    }
    if (!in_view) {
        return;
    }
    float right = l->heat.x - 9;
    ui_label(
        ui, rect(right - number_w - 4, y_sel - 8, number_w + 4, 16),
        &(UiLabel){
            .face = FONT_MONO_SEMIBOLD, .size = 11, .color = ui->theme.text, .align = DRAW_RIGHT},
        draw_format(ui->list, "%d", sel->query));
    float h = 24;
    float y = AS_CLAMP(y_sel - h / 2, l->heat.y - 6, l->heat.y + l->heat.h - h + 6);
    float chip_right = right - number_w - 8;
    float chip_left = l->heat.x - l->gutter + 12;
    ui_chip(ui, rect(ui_snap(ui, chip_left), ui_snap(ui, y), chip_right - chip_left, h),
            &(UiChip){.text = label_of(s->c, sel->query),
                      .color = token_color(s->c, sel->query),
                      .chosen = true});
}

static void key_label(const MatrixScene *s, int32_t key, float x, float top)
{
    Ui *ui = s->c->ui;
    FontMetrics m = font_metrics(ui->fonts, FONT_SANS, 11);
    draw_rect(ui->list,
              &(DrawRect){.box = {ui_snap(ui, x - 0.5f), top + 1, 1, 4}, .fill = ui->theme.edge2});
    draw_text(ui->list, &(DrawText){.face = FONT_SANS,
                                    .size = 11,
                                    .color = ui->theme.text2,
                                    .text = key_label_of(s->c, key),
                                    .turn = TEXT_UP,
                                    .align = DRAW_RIGHT,
                                    .at = {ui_snap(ui, x + m.cap_height / 2), top + 8},
                                    .max_width = s->layout.key_labels - 12});
}

static void key_labels(const MatrixScene *s)
{
    Ui *ui = s->c->ui;
    const MatrixLayout *l = &s->layout;
    const Selection *sel = &s->c->session->selection;
    float top = l->row_profile.h > 0 ? l->row_profile.y + l->row_profile.h : l->heat.y + l->heat.h;
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(s->view, &r0, &r1, &c0, &c1);
    float x_sel = matrix_key_x(s, sel->key);
    bool in_view = x_sel >= l->heat.x && x_sel < l->heat.x + l->heat.w;
    int32_t step = label_step(l->px, 22);
    for (int32_t j = c0 / step * step; j < c1; j += step) {
        float x = matrix_key_x(s, j);
        bool near = in_view && fabsf(x - x_sel) < 20;
        if (j < c0 || near || x < l->heat.x || x > l->heat.x + l->heat.w) {
            continue;
        }
        key_label(s, j, x, top);
    }
    if (in_view) {
        const char *text = key_label_of(s->c, sel->key);
        float want = ui_text_width(ui, FONT_SANS_SEMIBOLD, 12, text) + 16;
        float x = AS_CLAMP(x_sel - 11, l->heat.x - 8, l->heat.x + l->heat.w - 14);
        ui_chip(ui, rect(ui_snap(ui, x), top + 6, 22, AS_CLAMP(want, 26, l->key_labels - 8)),
                &(UiChip){.text = text,
                          .color = key_token_color(s->c, sel->key),
                          .chosen = true,
                          .vertical = true});
    }
}

void matrix_draw_labels(const MatrixScene *s)
{
    query_labels(s);
    key_labels(s);
}

/* ---- profiles ---- */

/* Largest of values under each device pixel step of the axis, drawn as bars. */
typedef struct Axis {
    int32_t first, end; /* weights in view */
    const float *values;
    int32_t visible_first, visible_end; /* the others are masked: no bar */
    int32_t chosen;
    Color color;
    bool vertical; /* bars grow to the right, one per row */
} Axis;

static void draw_bar(const MatrixScene *s, const Axis *axis, Rect box, float at, float thickness,
                     float value, Color color)
{
    float f = value > 0 ? scale_apply(s->scale, value) : 0; /* hidden ones are -INFINITY */
    float dev = 1 / s->c->ui->scale;
    if (f * (axis->vertical ? box.w : box.h) < 0.5f) {
        return;
    }
    Rect bar = axis->vertical ? rect(box.x, at, fmaxf(box.w * f, dev), thickness)
                              : rect(at, box.y + box.h - fmaxf(box.h * f, dev), thickness,
                                     fmaxf(box.h * f, dev));
    draw_rect(s->c->ui->list, &(DrawRect){.box = bar, .fill = color});
}

static void draw_bars(const MatrixScene *s, const Axis *axis, Rect box)
{
    const MatrixView *v = s->view;
    float dev = 1 / s->c->ui->scale;
    float step = (float)v->zoom.px * dev;
    /* Beside few large cells bars stay bars. */
    float thickness = fmaxf(dev, step >= 6 ? floorf(fminf(step * 0.7f, 20) / dev) * dev : step);
    for (int32_t i = axis->first; i < axis->end; i += v->zoom.factor) {
        float value = 0;
        for (int32_t j = i; j < AS_MIN(i + v->zoom.factor, axis->end); j++) {
            if (j >= axis->visible_first && j < axis->visible_end) {
                value = fmaxf(value, axis->values[j]);
            }
        }
        float middle = axis->vertical ? matrix_query_y(s, i) : matrix_key_x(s, i);
        draw_bar(s, axis, box, ui_snap(s->c->ui, middle - thickness / 2), thickness, value,
                 axis->color);
    }
    if (axis->chosen >= axis->first && axis->chosen < axis->end) {
        float middle =
            axis->vertical ? matrix_query_y(s, axis->chosen) : matrix_key_x(s, axis->chosen);
        float t = fmaxf(thickness, 2);
        draw_bar(s, axis, box, ui_snap(s->c->ui, middle - t / 2), t, axis->values[axis->chosen],
                 s->c->ui->theme.cross);
    }
}

/* Three marks of the axis: top, middle, bottom. */
static void scale_marks(const MatrixScene *s, float marks[3])
{
    Scale scale = scale_resolve(s->scale);
    for (int i = 0; i < 3; i++) {
        marks[i] = scale_invert(scale, 1 - 0.5f * (float)i);
    }
}

static void row_profile(const MatrixScene *s, int32_t c0, int32_t c1)
{
    Ui *ui = s->c->ui;
    Rect box = s->layout.row_profile;
    float marks[3];
    scale_marks(s, marks);
    for (int i = 0; i < 3; i++) {
        float y = ui_snap(ui, box.y + box.h * 0.5f * (float)i);
        draw_rect(ui->list, &(DrawRect){.box = {box.x, y, box.w, 1},
                                        .fill = color_fade(ui->theme.edge, i == 2 ? 1 : 0.6f)});
        ui_label(ui, rect(box.x + box.w + 8, y - 7, 56, 14),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text3},
                 draw_format(ui->list, "%g", (double)roundf(marks[i] * 1e5f) / 1e5));
    }
    const MatrixProfile *r = &s->profile;
    draw_push_clip(ui->list, box);
    draw_bars(s,
              &(Axis){.first = c0,
                      .end = c1,
                      .values = r->row,
                      .visible_first = r->row_first,
                      .visible_end = r->row_end,
                      .chosen = r->key,
                      .color = ui->theme.accent},
              box);
    draw_pop_clip(ui->list);
    float left = s->layout.heat.x - s->layout.gutter + 8;
    float w = box.x - 10 - left;
    float y = box.y + box.h / 2 - 26;
    static const char *const scales[] = {"weight", "√ weight", "log weight"};
    ui_label(ui, rect(left, y, w, 18),
             &(UiLabel){.face = FONT_SANS_MEDIUM, .color = ui->theme.text, .align = DRAW_RIGHT},
             "Row");
    ui_label(ui, rect(left, y + 18, w, 16),
             &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT},
             draw_format(ui->list, w < 84 ? "%d reads" : "what %d reads", r->query));
    ui_label(ui, rect(left, y + 34, w, 16),
             &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT},
             scales[s->c->session->options.map_scale]);
}

static void col_profile(const MatrixScene *s, int32_t r0, int32_t r1)
{
    Ui *ui = s->c->ui;
    Rect box = s->layout.col_profile;
    for (int i = 0; i < 3; i++) {
        float x = ui_snap(ui, box.x + box.w * 0.5f * (float)i);
        draw_rect(ui->list, &(DrawRect){.box = {x, box.y, 1, box.h},
                                        .fill = color_fade(ui->theme.edge, i == 0 ? 1 : 0.6f)});
    }
    const MatrixProfile *r = &s->profile;
    draw_push_clip(ui->list, box);
    draw_bars(s,
              &(Axis){.first = r0,
                      .end = r1,
                      .values = r->column,
                      .visible_first = 0,
                      .visible_end = s->view->n_queries,
                      .chosen = r->query,
                      .color = r->color,
                      .vertical = true},
              box);
    draw_pop_clip(ui->list);
    ui_label(ui, rect(box.x, box.y - 36, box.w + 12, 16),
             &(UiLabel){.face = FONT_SANS_MEDIUM, .color = ui->theme.text}, "Column");
    const char *who = draw_format(ui->list, "who reads %d", r->key);
    if (ui_text_width(ui, FONT_SANS, 11, who) > box.w + 12) {
        who = draw_format(ui->list, "of key %d", r->key);
    }
    ui_label(ui, rect(box.x, box.y - 20, box.w + 14, 16), &(UiLabel){.face = FONT_SANS, .size = 11},
             who);
}

/* In the place of the row's bars, until they are there. */
static void pending_profile(const MatrixScene *s)
{
    Ui *ui = s->c->ui;
    Rect box = s->layout.row_profile;
    const Error *failure = shown_failure(s->c->session, &s->source);
    const char *text = failure->code ? "The row and the column were not computed: "
                                     : "The row and the column are being computed";
    draw_rect(ui->list, &(DrawRect){.box = box, .radius = 6, .fill = ui->theme.well});
    ui_label(ui, rect_inset(box, 6),
             &(UiLabel){.face = FONT_SANS, .size = 12, .align = DRAW_CENTER},
             failure->code ? draw_format(ui->list, "%s%s", text, failure->message) : text);
}

void matrix_draw_profiles(const MatrixScene *s)
{
    if (s->layout.row_profile.h <= 0) {
        return;
    }
    if (!s->profile.row) {
        pending_profile(s);
        return;
    }
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(s->view, &r0, &r1, &c0, &c1);
    row_profile(s, c0, c1);
    col_profile(s, r0, r1);
}
