#include "views/internal.h"
#include "views/mathematics.h"

#include <math.h>

/* The softmax of the row with its exponentials and their sum, and the values that are mixed. */

enum { PAD = 16, ROW = 24 };

/* ---- softmax ---- */

typedef struct Column {
    float x, w;
    DrawAlign align;
} Column;

static void cell_text(Ui *ui, Column c, float y, Color color, const char *text)
{
    ui_label(ui, rect(c.x, y, c.w, ROW),
             &(UiLabel){.face = FONT_MONO, .size = 12, .color = color, .align = c.align}, text);
}

/* Columns of one of the tables side by side. */
static void columns_of(Rect box, Column out[5])
{
    float number = 72;
    float names = fminf(150, box.w - 3 * number - 60);
    out[0] = (Column){box.x, names, DRAW_LEFT};
    out[1] = (Column){box.x + names, number, DRAW_RIGHT};
    out[2] = (Column){out[1].x + number, number, DRAW_RIGHT};
    out[3] = (Column){out[2].x + number, number - 8, DRAW_RIGHT};
    float x = out[3].x + out[3].w + 12;
    out[4] = (Column){x, box.x + box.w - x, DRAW_LEFT};
}

static void row_header(const MathScene *s, Rect box)
{
    static const char *const names[] = {"key", "score s", "e^{s − m}", "÷ sum = a"};
    Ui *ui = s->c->ui;
    Column c[5];
    columns_of(box, c);
    for (int i = 0; i < 4; i++) {
        Formula style = {.size = 14, .color = ui->theme.text2};
        const char *text = i == 2 ? names[i] : draw_format(ui->list, "\\up{%s}", names[i]);
        float w;
        float up;
        float down;
        ui_formula_measure(ui, &style, text, &w, &up, &down);
        float x = c[i].align == DRAW_RIGHT ? c[i].x + c[i].w - w : c[i].x;
        ui_formula(ui, vec2(x, box.y + 15), &style, text);
    }
    ui_hairline_h(ui, box.x, box.y + ROW - 1, box.w);
}

/* Four digits, or how small it is. */
static const char *share(Ui *ui, double v)
{
    return draw_format(ui->list, v >= 0.00005 || v == 0 ? "%.4f" : "%.0e", v);
}

static void row_line(const MathScene *s, Rect box, int32_t key, double grown)
{
    Ui *ui = s->c->ui;
    const MathData *d = s->d;
    const Theme *t = &ui->theme;
    Column c[5];
    columns_of(box, c);
    bool on = key == d->key;
    if (on) {
        draw_rect(ui->list, &(DrawRect){.box = {box.x - 6, box.y, box.w + 12, ROW},
                                        .radius = 5,
                                        .fill = color_with_alpha(t->k, 0.14f)});
    }
    double score = (double)d->scores[key];
    double weight = (double)d->weights[key];
    const char *number = draw_format(ui->list, "%d", key);
    float nw = ui_text_width(ui, FONT_MONO, 11, number);
    float lw = ui_label(ui, rect(c[0].x, box.y, c[0].w - nw - 10, ROW),
                        &(UiLabel){.face = on ? FONT_SANS_SEMIBOLD : FONT_SANS, .color = t->text},
                        key_label_of(s->c, key));
    ui_label(ui, rect(c[0].x + lw + 6, box.y, nw + 1, ROW),
             &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text3}, number);
    cell_text(ui, c[1], box.y, t->score_text, math_number(s, score));
    cell_text(ui, c[2], box.y, t->text2, share(ui, exp(score - d->row_max)));
    cell_text(ui, c[3], box.y, t->k_text, share(ui, weight));
    if (c[4].w > 24) {
        double at = exp(score - d->row_max);
        ui_bar(ui, rect(c[4].x, box.y + ROW / 2.0f - 4, c[4].w, 8),
               (float)(at + (weight - at) * grown), t->k);
    }
}

void math_draw_row(const MathScene *s, Rect card)
{
    Ui *ui = s->c->ui;
    const MathData *d = s->d;
    math_title(s, card, "The softmax of the row",
               draw_format(ui->list,
                           "m = %s is the row's largest score; the bars shrink from e to the power "
                           "of s − m to shares of 1",
                           math_number(s, d->row_max)));
    Rect box = {card.x + PAD, card.y + 42, card.w - 2 * PAD, card.h - 42 - 12 - ROW - 4};
    int tables = AS_CLAMP((int)(box.w / 460), 1, 3);
    float gap = 32;
    float w = (box.w - gap * (float)(tables - 1)) / (float)tables;
    int32_t rows = AS_MAX((int32_t)(box.h / ROW) - 1, 1);
    double grown = math_phase(s, MATH_SOFTMAX, 0.45, 0.95);
    int32_t n = AS_MIN(d->n_visible, rows * tables);
    n = AS_MIN(n, 512);
    double rest = d->row_sum;
    double rest_weight = 1;
    for (int32_t i = 0; i < n; i++) {
        int32_t key = d->keys[i];
        Rect table = {box.x + (w + gap) * (float)(i / rows), box.y, w, box.h};
        if (i % rows == 0) {
            row_header(s, table);
        }
        row_line(s, rect(table.x, box.y + ROW * (float)(1 + i % rows), w, ROW), key, grown);
        rest -= exp((double)d->scores[key] - d->row_max);
        rest_weight -= (double)d->weights[key];
    }
    float y = card.y + card.h - 12 - ROW;
    ui_hairline_h(ui, box.x, y - 2, box.w);
    int32_t hidden = trace_info(s->c->session->trace)->n_keys - d->n_visible;
    const char *others =
        d->n_visible > n
            ? draw_format(ui->list, "%d more keys: %.4f of the sum, %.4f of the weight.   ",
                          d->n_visible - n, fmax(rest, 0), fmax(rest_weight, 0))
            : "";
    const char *masked =
        hidden > 0 ? draw_format(ui->list, "   %d masked keys add nothing.", hidden) : "";
    ui_label(ui, rect(box.x, y, box.w, ROW), &(UiLabel){.color = ui->theme.text},
             draw_format(ui->list, "%sSum of all %d exponentials: %.4f; the shares add up to 1.%s",
                         others, d->n_visible, d->row_sum, masked));
}

/* ---- values ---- */

typedef struct Mixture {
    const MathScene *s;
    Rect box;
    int32_t dims;
    float names, cell;
    double most;
} Mixture;

static void mixture_row(const Mixture *m, float y, const char *weight, const char *name,
                        const float *values, Color fill, bool strong)
{
    Ui *ui = m->s->c->ui;
    float ww = ui_text_width(ui, FONT_MONO, 12, "0.0000 ×") + 10;
    ui_label(ui, rect(m->box.x, y, ww, 26),
             &(UiLabel){.face = FONT_MONO, .size = 12, .color = ui->theme.k_text}, weight);
    ui_label(ui, rect(m->box.x + ww, y, m->names - ww - 10, 26),
             &(UiLabel){.face = strong ? FONT_SANS_SEMIBOLD : FONT_SANS, .color = ui->theme.text},
             name);
    for (int32_t i = 0; i < m->dims; i++) {
        math_cell(m->s, rect(m->box.x + m->names + m->cell * (float)i, y, m->cell - 2, 26),
                  (double)values[i], m->most, fill);
    }
}

void math_draw_values(const MathScene *s, Rect card)
{
    Ui *ui = s->c->ui;
    const MathData *d = s->d;
    const Theme *t = &ui->theme;
    math_title(s, card, "The values that are mixed",
               "each row is what one key adds: its weight times its value; they add up to the "
               "output");
    if (!d->output) {
        ui_label(ui, rect(card.x + PAD, card.y + 48, card.w - 2 * PAD, 24), &(UiLabel){0},
                 "This record holds no values (it was made with --store qk).");
        return;
    }
    Mixture m = {.s = s, .box = {card.x + PAD, card.y + 46, card.w - 2 * PAD, card.h - 58}};
    m.names = fminf(220, m.box.w * 0.3f);
    m.dims = AS_CLAMP((int32_t)((m.box.w - m.names) / 41), 1, d->dim);
    m.cell = fminf((m.box.w - m.names) / (float)m.dims, 52);
    m.most = 0;
    for (int32_t i = 0; i < d->dim; i++) {
        m.most = fmax(m.most, (double)fabsf(d->output[i]));
    }
    int32_t rows = AS_CLAMP((int32_t)((m.box.h - 20) / 28) - 2, 1, 64);
    int32_t n = AS_MIN(AS_MIN(rows, d->n_visible), 512);
    float *part = ARENA_ARRAY(&ui->list->arena, float, (size_t)d->dim, NULL);
    float *rest = ARENA_ARRAY(&ui->list->arena, float, (size_t)d->dim, NULL);
    if (!part || !rest) {
        return;
    }
    for (int32_t i = 0; i < d->dim; i++) {
        rest[i] = d->output[i];
    }
    for (int32_t i = 0; i < m.dims; i++) {
        ui_label(ui, rect(m.box.x + m.names + m.cell * (float)i, m.box.y - 6, m.cell - 2, 18),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_CENTER},
                 draw_format(ui->list, "%d", i));
    }
    float y = m.box.y + 14;
    double left = 1;
    for (int32_t i = 0; i < n; i++) {
        int32_t key = d->keys[i];
        float shown = (float)math_phase(s, MATH_MIX, 0.1 + 0.6 * i / n, 0.3 + 0.6 * i / n);
        if (!math_contribution(d, s->c->session->trace, key, part)) {
            return;
        }
        draw_push_alpha(ui->list, shown);
        mixture_row(&m, y, draw_format(ui->list, "%.4f ×", (double)d->weights[key]),
                    draw_format(ui->list, "%s (%d)", key_label_of(s->c, key), key), part, t->v,
                    key == d->key);
        draw_pop_alpha(ui->list);
        for (int32_t j = 0; j < d->dim; j++) {
            rest[j] -= part[j];
        }
        left -= (double)d->weights[key];
        y += 28;
    }
    if (d->n_visible > n) {
        mixture_row(&m, y, draw_format(ui->list, "%.4f", fmax(left, 0)),
                    draw_format(ui->list, "the %d other keys", d->n_visible - n), rest, t->v,
                    false);
        y += 28;
    }
    ui_hairline_h(ui, m.box.x, y, m.box.w);
    mixture_row(&m, y + 3, m.dims < d->dim ? draw_format(ui->list, "%d of %d", m.dims, d->dim) : "",
                "output", d->output, t->output, true);
}
