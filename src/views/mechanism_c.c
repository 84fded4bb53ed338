#include "views/mechanism.h"

#include <math.h>
#include <stdlib.h>

/* Panel C: every head of the layer, their outputs side by side and projected, and who reads whom in
 * the chosen head. */

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

/* ---- the graph ---- */

typedef struct Link {
    int16_t i, j;
    float weight;
    bool shown;
} Link;

enum { LINKS = LESSON_MOST * LESSON_MOST };

static int by_weight(const void *a, const void *b)
{
    const Link *x = a;
    const Link *y = b;
    return (x->weight < y->weight) - (x->weight > y->weight);
}

/* Strongest first; per query they are shown until 80 % of what the row gives to the window. */
static int32_t find_links(const Lesson *l, Link links[LINKS], int32_t *n_shown, double *mass)
{
    int32_t n = 0;
    double covered[LESSON_MOST] = {0};
    double all = 0;
    double shown = 0;
    for (int32_t i = 0; i < l->n; i++) {
        all += 1 - (double)l->elsewhere[i];
        for (int32_t j = 0; j < l->m; j++) {
            if (!isinf(l->scores[i * l->m + j])) {
                links[n++] = (Link){(int16_t)i, (int16_t)j, l->weights[i * l->m + j], false};
            }
        }
    }
    qsort(links, (size_t)n, sizeof *links, by_weight);
    *n_shown = 0;
    for (int32_t k = 0; k < n; k++) {
        int32_t i = links[k].i;
        links[k].shown = covered[i] < 0.8 * (1 - (double)l->elsewhere[i]) && links[k].weight > 0;
        covered[i] += links[k].shown ? (double)links[k].weight : 0;
        shown += links[k].shown ? (double)links[k].weight : 0;
        *n_shown += links[k].shown;
    }
    *mass = all > 0 ? shown / all : 0;
    return n;
}

typedef struct Graph {
    PanelC *p;
    float left, right, y, pitch, chip_w, chip_h;
} Graph;

static float middle_of(const Graph *g, int32_t row)
{
    return g->y + g->pitch * (float)row + g->chip_h / 2;
}

static void draw_link(const Graph *g, const Link *link, int order, int n_shown)
{
    MechanismScene *s = g->p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    float x0 = g->left + g->chip_w + 3;
    float x1 = g->right - 3;
    float bend = (x1 - x0) * 0.45f;
    double each = fmin(0.12, 1.2 / AS_MAX(n_shown, 1));
    float drawn = phase_of(s->t, 7.0, order, each, 0.6);
    bool faint = s->c->session->selection.pinned && l->rows.first + link->i != l->query;
    Color color = color_head(l->head);
    Vec2 a = {x0, middle_of(g, link->i)};
    Vec2 b = {x1, middle_of(g, link->j)};
    if (drawn <= 0) {
        return;
    }
    draw_bezier(ui->list, &(DrawBezier){.a = a,
                                        .c1 = {a.x + bend, a.y},
                                        .c2 = {b.x - bend, b.y},
                                        .b = b,
                                        .width = 8 * link->weight,
                                        .color = color_fade(color, (0.3f + 0.6f * link->weight) *
                                                                       (faint ? 0.35f : 1)),
                                        .t0 = 0,
                                        .t1 = fmaxf(drawn, 0.01f)});
}

static void draw_link_number(const Graph *g, const Link *link, int order)
{
    MechanismScene *s = g->p->s;
    Ui *ui = s->c->ui;
    float x0 = g->left + g->chip_w;
    /* Each query writes at a place of its own, so that numbers do not meet. */
    float t = 0.24f + 0.5f * ((float)(order % 5) / 5);
    float u = t * t * (3 - 2 * t);
    Vec2 at = {x0 + (g->right - x0) * t,
               middle_of(g, link->i) * (1 - u) + middle_of(g, link->j) * u};
    const char *text = draw_format(ui->list, "%.2f", (double)link->weight);
    float w = ui_text_width(ui, FONT_MONO_MEDIUM, 11, text) + 8;
    draw_rect(ui->list, &(DrawRect){.box = {at.x - w / 2, at.y - 8, w, 16},
                                    .radius = 4,
                                    .fill = color_with_alpha(ui->theme.card, 0.92f)});
    ui_label(ui, rect(at.x - w / 2, at.y - 8, w, 16),
             &(UiLabel){.face = FONT_MONO_MEDIUM,
                        .size = 11,
                        .align = DRAW_CENTER,
                        .color = role_head(ui, s->l->head).text},
             text);
}

/* What a straight line between two chips would meet, near enough for pointing. */
static void hover_links(const Graph *g, const Link *links, int32_t n)
{
    MechanismScene *s = g->p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    float x0 = g->left + g->chip_w;
    float t = (ui->mouse.x - x0) / fmaxf(g->right - x0, 1);
    float u = t * t * (3 - 2 * t);
    Rect area = {x0, g->y, g->right - x0, g->pitch * (float)AS_MAX(l->n, l->m)};
    for (int32_t k = 0; ui_hovers(ui, area) && k < n; k++) {
        float y = middle_of(g, links[k].i) * (1 - u) + middle_of(g, links[k].j) * u;
        if (links[k].shown && fabsf(ui->mouse.y - y) < fmaxf(4, 4 * links[k].weight)) {
            ui_tooltip(ui, rect(ui->mouse.x - 2, ui->mouse.y - 2, 4, 4),
                       draw_format(ui->list, "“%s” reads “%s”: %.6f",
                                   label_of(s->c, l->rows.first + links[k].i),
                                   key_label_of(s->c, l->keys.first + links[k].j),
                                   (double)links[k].weight));
            return;
        }
    }
}

static void draw_shares(const Graph *g, float x, float w)
{
    MechanismScene *s = g->p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    int32_t row = AS_CLAMP(l->query - l->rows.first, 0, l->n - 1);
    int percents[LESSON_MOST];
    int rest;
    lesson_percents(l->weights + (ptrdiff_t)row * l->m, l->m, l->elsewhere[row], percents, &rest);
    for (int32_t j = 0; j < l->m; j++) {
        bool hidden = isinf(l->scores[row * l->m + j]);
        ui_label(ui, rect(x, middle_of(g, j) - 9, w, 18),
                 &(UiLabel){.face = FONT_MONO_MEDIUM,
                            .size = 12,
                            .align = DRAW_RIGHT,
                            .color = hidden ? ui->theme.text3 : role_head(ui, l->head).text},
                 hidden ? "masked" : draw_format(ui->list, "%d %%", percents[j]));
    }
}

static void draw_graph_legend(PanelC *p, Rect box, double elsewhere)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    static const float samples[] = {0.25f, 0.5f, 1};
    Color color = color_head(l->head);
    float x = box.x;
    ui_hairline_h(ui, box.x, box.y, box.w);
    float y = box.y + box.h / 2 + 1;
    draw_circle(ui->list, &(DrawCircle){.center = {x + 4, y}, .radius = 4, .fill = color});
    x += 14;
    x += ui_label(ui, rect(x, y - 9, 70, 18), &(UiLabel){.face = FONT_SANS, .size = 11},
                  draw_format(ui->list, "head %d", l->head)) +
         14;
    for (int i = box.w >= 400 ? 0 : 1; i < 3 && box.w >= 280; i++) {
        draw_rect(ui->list, &(DrawRect){.box = {x, y - 4 * samples[i], 22, 8 * samples[i]},
                                        .fill = color_fade(color, 0.3f + 0.6f * samples[i])});
        x += 27;
        x += ui_label(ui, rect(x, y - 9, 44, 18), &(UiLabel){.face = FONT_MONO, .size = 11},
                      draw_format(ui->list, "%.0f %%", 100 * (double)samples[i])) +
             12;
    }
    const char *note = elsewhere > 0.005
                           ? draw_format(ui->list, "elsewhere: %.0f %%", 100 * elsewhere)
                           : "thickness and opacity = weight";
    float room = box.x + box.w - x;
    if (ui_text_width(ui, FONT_SANS, 11, note) > room) {
        note = "width = weight";
    }
    if (room >= 90) {
        ui_label(ui, rect(x, y - 9, room, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT}, note);
    }
}

static void draw_graph_head(PanelC *p, Rect box, int32_t n, int32_t n_shown, double mass)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    bool on = s->c->session->options.curve_weights;
    Rect button = {box.x + box.w - 46, box.y + 1, 46, 22};
    if (ui_button(ui, UI_ID("curve-weights"), button, "0.42", UI_BUTTON_PLAIN)) {
        session_post(s->c->session, "curve-weights");
    }
    ui_tooltip(ui, button,
               on ? "take the weights off the curves" : "write the weights on the curves");
    const char *note =
        draw_format(ui->list, "%d of %d links · %.0f %% of the mass", n_shown, n, 100 * mass);
    float note_w = ui_text_width(ui, FONT_SANS, 11, note);
    const char *title = draw_format(ui->list, "Head %d: who reads whom", l->head);
    float room = box.w - 54;
    float title_w = ui_text_width(ui, FONT_SANS_SEMIBOLD, 13, title);
    bool both = title_w + note_w + 12 <= room;
    ui_label(ui, rect(box.x, box.y, both ? room - note_w - 8 : room, 24),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 13, .color = ui->theme.text}, title);
    if (both) {
        ui_label(ui, rect(box.x, box.y, room, 24),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT}, note);
    } else {
        ui_tooltip(ui, rect(box.x, box.y, room, 24), note);
    }
}

static void draw_graph(PanelC *p, Rect card)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    Link *links = ARENA_ARRAY(&ui->list->arena, Link, LINKS, NULL);
    int32_t n_shown;
    double mass;
    if (!links || card.h < 90) {
        return;
    }
    int32_t n = find_links(l, links, &n_shown, &mass);
    teach_well(ui, card, ui->theme.card, ui->theme.edge, 1);
    Rect in = {card.x + 14, card.y + 8, card.w - 28, card.h - 14};
    draw_graph_head(p, rect(in.x, in.y, in.w, 24), n, n_shown, mass);
    float legend = 26;
    float shares = 58;
    int32_t rows = AS_MAX(l->n, l->m);
    Graph g = {.p = p, .chip_w = AS_CLAMP(floorf(in.w * 0.2f), 56, 96)};
    float top = in.y + 24 + 20;
    float room = in.y + in.h - legend - 4 - top;
    g.pitch = fminf(82, room / (float)rows);
    g.chip_h = fminf(40, g.pitch - (g.pitch > 30 ? 8 : 3));
    g.y = top + (room - g.pitch * (float)rows) / 2 + (g.pitch - g.chip_h) / 2;
    g.left = in.x;
    g.right = in.x + in.w - shares - g.chip_w;
    UiLabel small = {.face = FONT_SANS, .size = 11, .align = DRAW_CENTER};
    ui_label(ui, rect(g.left, in.y + 25, g.chip_w, 18), &small, "query asks");
    ui_label(ui, rect(g.right, in.y + 25, g.chip_w, 18), &small, "key is read");
    small.align = DRAW_RIGHT;
    ui_label(ui, rect(g.right + g.chip_w + 4, in.y + 25, shares - 4, 18), &small,
             draw_format(ui->list, "for “%s”", label_of(s->c, l->query)));
    for (int32_t k = n - 1, order = n_shown - 1; k >= 0; k--) {
        if (links[k].shown) { /* the strongest are drawn first in time and last in place */
            draw_link(&g, &links[k], order--, n_shown);
        }
    }
    for (int32_t k = 0, order = 0; s->c->session->options.curve_weights && k < n; k++) {
        if (links[k].shown && phase_of(s->t, 7.4, order, 0.1, 0.3) > 0.5f) {
            draw_link_number(&g, &links[k], order);
        }
        order += links[k].shown;
    }
    for (int32_t i = 0; i < l->n; i++) {
        int32_t token = l->rows.first + i;
        teach_token(s->c, rect(g.left, g.y + g.pitch * (float)i, g.chip_w, g.chip_h), token, false,
                    token == l->query, g.chip_h >= 28 ? 14 : 12);
    }
    for (int32_t j = 0; j < l->m; j++) {
        teach_token(s->c, rect(g.right, g.y + g.pitch * (float)j, g.chip_w, g.chip_h),
                    l->keys.first + j, true, l->keys.first + j == s->c->session->selection.key,
                    g.chip_h >= 28 ? 14 : 12);
    }
    draw_push_alpha(ui->list, phase(s->t, 7.6, 8.2));
    draw_shares(&g, g.right + g.chip_w + 4, shares - 4);
    draw_pop_alpha(ui->list);
    hover_links(&g, links, n);
    int32_t row = AS_CLAMP(l->query - l->rows.first, 0, l->n - 1);
    draw_graph_legend(p, rect(in.x, in.y + in.h - legend, in.w, legend), (double)l->elsewhere[row]);
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
    draw_graph(&p, rect(p.in.x, y, p.in.w, p.in.y + p.in.h - y));
}
