#include "views/mechanism.h"

#include <math.h>

/* Panel C: every head of the layer, their outputs side by side and projected. */

typedef struct PanelC {
    MechanismScene *s;
    Rect in;
} PanelC;

/* ---- heads ---- */

static const float *head_output(const Lesson *l, int32_t head)
{
    int32_t row = AS_CLAMP(l->query - l->rows.first, 0, l->n - 1);
    return l->has_values ? l->outputs + ((ptrdiff_t)head * l->n + row) * l->head_dim : NULL;
}

static bool head_is_off(const MechanismScene *s, int32_t head)
{
    return trace_is_ablated(s->c->session->trace, s->l->layer, head);
}

/* A few squares that stand for a vector, by the magnitude of its first numbers. */
static void draw_minis(Ui *ui, float right, float middle, int n, float side, const float *values,
                       Color color, Color base)
{
    float most = teach_most(values, (size_t)n);
    for (int k = 0; k < n; k++) {
        Rect box = {right - (side + 3) * (float)(n - k) + 3, middle - side / 2, side, side};
        draw_rect(ui->list, &(DrawRect){.box = box,
                                        .radius = 3,
                                        .fill = color_mix(base, color,
                                                          0.2f + 0.8f * fabsf(values[k]) / most)});
    }
}

static void draw_head_button(PanelC *p, Rect box, int32_t head)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    UiId id = ui_id("mechanism-head", head);
    bool hot;
    bool chosen = head == l->head;
    bool off = head_is_off(s, head);
    if (ui_click(ui, id, box, true, &hot, NULL)) {
        session_post(s->c->session, "head %d", head);
    }
    Color color = color_head(head);
    float glow = ui_ease(ui, id, chosen, EASE_STATE_S);
    float grow = ui_ease(ui, id + 1, hot && !chosen, EASE_HOVER_S);
    Rect b = rect_inset(box, -1.5f * glow - grow);
    if (glow > 0) {
        draw_shadow(ui->list, &(DrawShadow){.box = b,
                                            .radius = 8,
                                            .blur = 16,
                                            .color = color_with_alpha(color, 0.6f * glow)});
    }
    Color fill = color_mix(t->card, color, glow);
    draw_rect(ui->list, &(DrawRect){.box = b,
                                    .radius = 8,
                                    .fill = fill,
                                    .border = chosen ? 2 : 1,
                                    .border_color = chosen ? color_hex(0xFFFFFF)
                                                           : color_mix(t->edge, color, grow)});
    Color on = chosen ? color_readable(color, color_hex(0x04060C), color_hex(0xFFFFFF)) : t->text;
    bool words = box.w >= 88;
    float x = b.x + 9;
    if (!chosen && words) {
        draw_circle(ui->list,
                    &(DrawCircle){.center = {x + 3, b.y + b.h / 2}, .radius = 3.5f, .fill = color});
        x += 13;
    }
    const char *name = draw_format(ui->list, words ? "Head %d" : "%d", head);
    float name_w = ui_label(ui, rect(x, b.y, b.x + b.w - x - 4, b.h),
                            &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 12, .color = on}, name);
    const float *values = head_output(l, head);
    float room = b.x + b.w - 8 - (x + name_w + 6);
    float side = fminf(12, b.h - 8);
    int n = (int)fminf(4, room / (side + 3));
    if (off) {
        ui_label(ui, rect(x + name_w + 6, b.y, room, b.h),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT, .color = on},
                 "off");
    } else if (values && n > 0) {
        n = AS_MIN(n, l->head_dim);
        draw_minis(ui, b.x + b.w - 8, b.y + b.h / 2, n, side, values,
                   chosen ? color_hex(0xFFFFFF) : color, chosen ? color : t->card);
    }
    if (hot) {
        ui_tooltip(ui, box,
                   values
                       ? draw_format(ui->list, "head %d: output starts %.4f %.4f %.4f%s", head,
                                     (double)values[0], (double)values[AS_MIN(1, l->head_dim - 1)],
                                     (double)values[AS_MIN(2, l->head_dim - 1)],
                                     off ? "; switched off" : "")
                       : draw_format(ui->list, "head %d", head));
    }
}

/* Rows are groups that share keys and values where these come out as rows of a good width. */
static float draw_heads(PanelC *p, float y)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    int32_t h = l->n_heads;
    int32_t per_group = h / l->n_kv_heads;
    bool groups = per_group > 1 && per_group <= 6 && l->n_kv_heads > 1 && l->n_kv_heads <= 4;
    float labels = groups && p->in.w >= 300 ? 54 : 0;
    float w = p->in.w - labels;
    int32_t columns = groups ? per_group : (int32_t)ceil(sqrt((double)h));
    if (!groups) {
        columns = h <= 4 ? AS_MIN(h, 2) : h <= 12 ? (w >= 420 ? 4 : 3) : h <= 32 ? 8 : 12;
        columns = AS_MIN(columns, AS_MAX((int32_t)(w / 40), 1));
    }
    int32_t rows = (h + columns - 1) / columns;
    float most = p->in.h * (rows > 3 ? 0.34f : 0.27f);
    float gap = rows > 4 ? 4 : 8;
    float bh = AS_CLAMP(floorf((most - gap * (float)(rows - 1)) / (float)rows), 16, 44);
    float bw = (w - gap * (float)(columns - 1)) / (float)columns;
    for (int32_t i = 0; i < h; i++) {
        int32_t r = i / columns;
        int32_t k = i % columns;
        Rect box = {p->in.x + labels + (bw + gap) * (float)k, y + (bh + gap) * (float)r, bw, bh};
        draw_push_alpha(ui->list, phase_of(s->t, 5.9, (int)i, AS_MIN(0.06, 0.6 / h), 0.3));
        draw_head_button(p, box, i);
        draw_pop_alpha(ui->list);
        if (labels > 0 && k == 0) {
            UiLabel small = {.face = FONT_SANS, .size = 11};
            ui_label(ui, rect(p->in.x, box.y + bh / 2 - 15, labels - 6, 15), &small, "K, V");
            ui_label(ui, rect(p->in.x, box.y + bh / 2, labels - 6, 15), &small,
                     draw_format(ui->list, "group %d", r));
        }
    }
    return y + (bh + gap) * (float)rows - gap;
}

/* ---- concatenate, project ---- */

static void draw_stage_box(Ui *ui, Rect box, Color color, Color text, const char *title,
                           const char *shape)
{
    teach_well(ui, box, ui->theme.card, color, 1.5f);
    ui_label(
        ui, rect(box.x + 4, box.y + 4, box.w - 8, 18),
        &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 12, .align = DRAW_CENTER, .color = text},
        title);
    ui_label(ui, rect(box.x + 4, box.y + box.h - 19, box.w - 8, 16),
             &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_CENTER}, shape);
}

static float draw_join(PanelC *p, float y)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    float h = p->in.h >= 520 ? 64 : 54;
    float gap = p->in.w < 380 ? 20 : 30;
    float w = floorf((p->in.w - 2 * gap) / 3);
    int32_t wide = l->n_heads * l->head_dim;
    float middle = y + h / 2 + 1;
    Rect box = {p->in.x, y, w, h};
    draw_push_alpha(ui->list, phase(s->t, 6.3, 6.6));
    draw_stage_box(ui, box, t->output, t->output_text, "Concatenate",
                   draw_format(ui->list, "%d × %d = %d", l->n_heads, l->head_dim, wide));
    int32_t n = AS_MIN(l->n_heads, (int32_t)((w - 16) / 8));
    float pitch = fminf(13, (w - 16) / (float)AS_MAX(n, 1));
    for (int32_t i = 0; i < n; i++) {
        float in = phase_of(s->t, 6.3, (int)i, 0.05, 0.4);
        draw_rect(ui->list,
                  &(DrawRect){.box = {box.x + (w - pitch * (float)n) / 2 + pitch * (float)i + 1,
                                      middle - 5 - 14 * (1 - in), pitch - 2, fminf(10, pitch - 2)},
                              .radius = 2,
                              .fill = color_head(i)});
    }
    draw_pop_alpha(ui->list);
    draw_push_alpha(ui->list, phase(s->t, 6.5, 6.8));
    teach_arrow(ui, vec2(box.x + w + 4, middle), vec2(box.x + w + gap - 4, middle), t->text2, 1.5f,
                1);
    box.x += w + gap;
    const char *projection = "Linear projection";
    bool whole = ui_text_width(ui, FONT_SANS_SEMIBOLD, 12, projection) <= w - 8;
    draw_stage_box(ui, box, t->score, t->score_text, whole ? projection : "Projection",
                   draw_format(ui->list, "%d × %d", wide, l->width));
    teach_formula(ui, rect(box.x + 8, middle - 9, w - 16, 18),
                  &(Formula){.size = 17, .color = t->text}, "Z W_O");
    ui_tooltip(ui, box,
               "Z, all heads side by side, times W_O: each head's part goes through its "
               "own columns and all are added");
    draw_pop_alpha(ui->list);
    draw_push_alpha(ui->list, phase(s->t, 6.8, 7.1));
    teach_arrow(ui, vec2(box.x + w + 4, middle), vec2(box.x + w + gap - 4, middle), t->text2, 1.5f,
                1);
    box.x += w + gap;
    draw_stage_box(ui, box, t->edge2, t->text, "Output", draw_format(ui->list, "%d", l->width));
    if (l->attended) {
        int32_t row = AS_CLAMP(l->query - l->rows.first, 0, l->n - 1);
        const float *out = l->attended + (ptrdiff_t)row * l->width;
        int squares = (int)AS_MIN(8, (w - 20) / 14);
        squares = AS_MIN(squares, l->width);
        draw_minis(ui, box.x + (w + 14 * (float)squares - 3) / 2, middle, squares, 11, out,
                   t->output, t->card);
        if (ui_hovers(ui, box)) {
            ui_tooltip(ui, box,
                       draw_format(ui->list,
                                   "attention adds %.6f %.6f %.6f … to the residual "
                                   "stream of “%s”",
                                   (double)out[0], (double)out[AS_MIN(1, l->width - 1)],
                                   (double)out[AS_MIN(2, l->width - 1)],
                                   label_of(s->c, l->rows.first + row)));
        }
    }
    draw_pop_alpha(ui->list);
    return y + h;
}

/* ---- the panel ---- */

static const char *count_word(Ui *ui, int32_t n)
{
    static const char *const words[] = {"No",    "One",   "Two",  "Three", "Four",   "Five",  "Six",
                                        "Seven", "Eight", "Nine", "Ten",   "Eleven", "Twelve"};
    return n >= 0 && n < (int32_t)AS_COUNT(words) ? words[n] : draw_format(ui->list, "%d", n);
}

void mechanism_panel_c(MechanismScene *s)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    PanelC p = {.s = s};
    p.in = mechanism_panel(
        s, s->c_panel, ui->theme.tint_c, role_output(ui), "C",
        draw_format(ui->list, "%s head%s, one output", count_word(ui, l->n_heads),
                    l->n_heads == 1 ? "" : "s"),
        draw_format(ui->list, "%d → %d × %d → %d", l->width, l->n_heads, l->head_dim, l->width));
    float y = draw_heads(&p, p.in.y + 4);
    bool arrow = p.in.h >= 520;
    if (arrow) {
        draw_push_alpha(ui->list, phase(s->t, 6.2, 6.4));
        draw_icon(ui->list, &(DrawIcon){.icon = ICON_ARROW_DOWN,
                                        .center = {p.in.x + p.in.w / 6, y + 11},
                                        .size = 16,
                                        .stroke = 1.8f,
                                        .color = ui->theme.text2});
        draw_pop_alpha(ui->list);
    }
    y = draw_join(&p, y + (arrow ? 22 : 10));
    y += arrow ? 16 : 10;
    mechanism_graph(s, rect(p.in.x, y, p.in.w, p.in.y + p.in.h - y));
}
