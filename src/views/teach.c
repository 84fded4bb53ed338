#include "views/teach.h"

#include <math.h>
#include <string.h>

/* ---- roles ---- */

Role role_q(const Ui *ui)
{
    return (Role){ui->theme.q, ui->theme.q_text};
}

Role role_k(const Ui *ui)
{
    return (Role){ui->theme.k, ui->theme.k_text};
}

Role role_v(const Ui *ui)
{
    return (Role){ui->theme.v, ui->theme.v_text};
}

Role role_score(const Ui *ui)
{
    return (Role){ui->theme.score, ui->theme.score_text};
}

Role role_softmax(const Ui *ui)
{
    return role_k(ui);
}

Role role_output(const Ui *ui)
{
    return (Role){ui->theme.output, ui->theme.output_text};
}

Role role_plain(const Ui *ui)
{
    return (Role){ui->theme.dark ? color_hex(0x7C8CC4) : color_hex(0x64748B), ui->theme.text};
}

Role role_head(const Ui *ui, int32_t head)
{
    Color color = color_head(head);
    return (Role){color, ui->theme.dark ? color_mix(color, color_hex(0xFFFFFF), 0.35f)
                                        : color_mix(color, color_hex(0x000000), 0.35f)};
}

Color role_fade(const Ui *ui, Role role, float amount)
{
    float t = AS_CLAMP(amount, 0.0f, 1.0f);
    return ui->theme.dark ? color_mix(ui->theme.card, role.fill, 0.10f + 0.78f * t)
                          : color_mix(color_hex(0xFFFFFF), role.fill, 0.07f + 0.55f * t);
}

Color role_on(const Ui *ui, Role role, float amount)
{
    return color_readable(role_fade(ui, role, amount), color_hex(0x04060C), color_hex(0xFFFFFF));
}

/* ---- numbers ---- */

const char *teach_fixed(Ui *ui, double value, int places)
{
    const char *text = draw_format(ui->list, "%.*f", places, value);
    if (*text == '-' && strspn(text + 1, "0.") == strlen(text + 1)) {
        text++; /* no zero has a sign */
    }
    return text;
}

const char *teach_number(Ui *ui, float value)
{
    if (isinf(value)) {
        return value < 0 ? "−∞" : "∞";
    }
    float size = fabsf(value);
    return teach_fixed(ui, (double)value, size >= 99.95f ? 0 : size >= 9.995f ? 1 : 2);
}

const char *teach_fit(Ui *ui, float value, float width)
{
    const char *text = teach_number(ui, value);
    for (int places = 1; places >= 0; places--) {
        if (ui_text_width(ui, FONT_MONO, 11, text) <= width - 2) {
            return text;
        }
        text = teach_fixed(ui, (double)value, places);
    }
    return ui_text_width(ui, FONT_MONO, 11, text) <= width - 2 ? text : "";
}

const char *teach_shape(Ui *ui, int32_t rows, int32_t columns)
{
    return draw_format(ui->list, "%d × %d", rows, columns);
}

float teach_most(const float *values, size_t n)
{
    float most = 1e-9f;
    for (size_t i = 0; i < n; i++) {
        most = isinf(values[i]) ? most : AS_MAX(most, fabsf(values[i]));
    }
    return most;
}

/* ---- time ---- */

float phase(double now, double a, double b)
{
    return (float)ease_out_cubic(ease_span(now, a, b));
}

float phase_of(double now, double start, int i, double each, double length)
{
    double from = start + each * i;
    return phase(now, from, from + length);
}

/* ---- boxes ---- */

bool teach_cell(Ui *ui, const ValueCell *cell)
{
    bool hot = ui_hovers(ui, cell->box);
    Color fill = role_fade(ui, cell->role, cell->amount);
    float radius = fminf(5, fminf(cell->box.w, cell->box.h) * 0.25f);
    bool ring = hot || cell->strong;
    draw_rect(ui->list, &(DrawRect){.box = cell->box,
                                    .radius = radius,
                                    .fill = fill,
                                    .border = ring ? 1.5f : 0,
                                    .border_color = cell->role.text});
    if (!cell->empty) {
        const char *text = cell->text ? cell->text : teach_number(ui, cell->value);
        ui_label(ui, rect(cell->box.x + 1, cell->box.y, cell->box.w - 2, cell->box.h),
                 &(UiLabel){.face = FONT_MONO,
                            .size = cell->size > 0 ? cell->size : 11,
                            .align = DRAW_CENTER,
                            .color = role_on(ui, cell->role, cell->amount)},
                 text);
    }
    if (hot) {
        ui_tooltip(ui, cell->box,
                   cell->tip ? cell->tip : draw_format(ui->list, "%.6f", (double)cell->value));
    }
    return hot;
}

void teach_masked_cell(Ui *ui, Rect box, const char *tip)
{
    Vec2 points[] = {{box.x, box.y},
                     {box.x + box.w, box.y},
                     {box.x + box.w, box.y + box.h},
                     {box.x, box.y + box.h}};
    draw_hatch(ui->list, &(DrawHatch){.points = points,
                                      .n_points = 4,
                                      .fill = ui->theme.masked,
                                      .color = ui->theme.hatch,
                                      .spacing = 6});
    if (tip && ui_hovers(ui, box)) {
        ui_tooltip(ui, box, tip);
    }
}

static float legend_place(const TeachLegend *legend, float value)
{
    float span = legend->hi - legend->lo;
    float at = span > 0 ? (value - legend->lo) / span : 0;
    return legend->root ? sqrtf(AS_MAX(at, 0)) : at;
}

static Color legend_color(const Ui *ui, const TeachLegend *legend, float at)
{
    return legend->diverging
               ? colormap_value(ui->theme.dark ? COLORMAP_DIVERGING_NIGHT : COLORMAP_DIVERGING,
                                (Scale){.lo = 0, .hi = 1}, at)
               : role_fade(ui, legend->role, at);
}

void teach_legend(Ui *ui, Rect box, const TeachLegend *legend)
{
    enum { STEPS = 32 };
    static const float shares[] = {0, 1, 0.1f, 0.5f, 0.25f};
    const float lo = legend->lo, hi = legend->hi;
    const bool zero = lo < 0 && hi > 0; /* the middle that means something */
    const float ends[] = {lo, hi, zero ? 0 : (lo + hi) / 2};
    const float *ticks = legend->root ? shares : ends;
    const int n = !(hi > lo) ? 1 : legend->root ? (int)AS_COUNT(shares) : (int)AS_COUNT(ends);
    const Rect bar = {box.x, box.y, box.w, 8};
    Rect taken[AS_COUNT(shares)] = {{0}};
    for (int k = 0; k < STEPS; k++) {
        draw_rect(ui->list, &(DrawRect){.box = {bar.x + bar.w * (float)k / STEPS, bar.y,
                                                bar.w / STEPS + 0.4f, bar.h},
                                        .fill = legend_color(ui, legend, (float)k / (STEPS - 1))});
    }
    for (int i = 0; i < n; i++) { /* the ends first: what is between gives way */
        const char *text = legend->root ? draw_format(ui->list, "%g", (double)ticks[i])
                                        : teach_number(ui, ticks[i]);
        const float at = bar.x + bar.w * legend_place(legend, ticks[i]);
        const float w = ui_text_width(ui, FONT_MONO, 11, text);
        taken[i] =
            rect(AS_CLAMP(at - w / 2, box.x, box.x + AS_MAX(box.w - w, 0)), bar.y + 11, w, 14);
        bool free = true;
        for (int k = 0; k < i; k++) {
            free &= taken[i].x > taken[k].x + taken[k].w + 5 || taken[i].x + w + 5 < taken[k].x;
        }
        if (!free) {
            taken[i].w = 0;
            continue;
        }
        draw_rect(ui->list, &(DrawRect){.box = {ui_snap(ui, AS_MIN(at, bar.x + bar.w - 1)),
                                                bar.y + bar.h, 1, 3},
                                        .fill = ui->theme.text2});
        ui_label(ui, rect(taken[i].x, taken[i].y, w + 0.5f, 14),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text2}, text);
    }
}

void teach_badge(Ui *ui, Rect box, Color color, const char *text)
{
    draw_rect(ui->list, &(DrawRect){.box = box, .radius = fminf(7, box.w / 2), .fill = color});
    ui_label(ui, box,
             &(UiLabel){.face = FONT_SANS_SEMIBOLD,
                        .size = box.h >= 22 ? 14 : 12,
                        .align = DRAW_CENTER,
                        .color = color_readable(color, color_hex(0x04060C), color_hex(0xFFFFFF))},
             text);
}

void teach_token(ViewContext *c, Rect box, int32_t token, bool is_key, bool chosen, float size)
{
    Ui *ui = c->ui;
    const Selection *sel = &c->session->selection;
    bool hot;
    UiId id = ui_id(is_key ? "teach-key" : "teach-token", token) ^ (UiId)(box.x * 977 + box.y);
    bool clicked = ui_click(ui, id, box, true, &hot, NULL);
    int32_t query = is_key ? sel->query : token;
    int32_t key = is_key ? token : sel->key;
    bool same = sel->query == query && sel->key == key;
    if (clicked) {
        session_post(c->session, sel->pinned && same ? "unpin" : "pin %d %d", query, key);
    } else if (hot && ui->mouse_moved && !sel->pinned && !same) {
        session_post(c->session, "hover %d %d", query, key);
    }
    ui_chip(ui, box,
            &(UiChip){.text = is_key ? key_label_of(c, token) : label_of(c, token),
                      .color = is_key ? key_token_color(c, token) : token_color(c, token),
                      .chosen = chosen,
                      .size = size});
    if (hot) {
        ui_tooltip(ui, box, draw_format(ui->list, "token %d", token));
    }
}

void teach_arrow(Ui *ui, Vec2 a, Vec2 b, Color color, float width, float part)
{
    float bend = (b.x - a.x) * 0.55f;
    if (part <= 0) {
        return;
    }
    draw_bezier(ui->list, &(DrawBezier){.a = a,
                                        .c1 = {a.x + bend, a.y},
                                        .c2 = {b.x - bend, b.y},
                                        .b = b,
                                        .width = width,
                                        .color = color,
                                        .t0 = 0,
                                        .t1 = fmaxf(part, 0.01f),
                                        .cap = DRAW_ROUND});
    if (part >= 1) {
        Vec2 head[] = {{b.x - 5, b.y - 3.5f}, {b.x, b.y}, {b.x - 5, b.y + 3.5f}};
        draw_polyline(
            ui->list,
            &(DrawPolyline){
                .points = head, .n_points = 3, .width = width, .color = color, .cap = DRAW_ROUND});
    }
}

void teach_disc(Ui *ui, Vec2 center, Icon icon, float alpha)
{
    draw_push_alpha(ui->list, alpha);
    draw_circle(ui->list, &(DrawCircle){.center = center,
                                        .radius = 14,
                                        .fill = ui->theme.card,
                                        .border = 1,
                                        .border_color = ui->theme.edge2});
    draw_icon(
        ui->list,
        &(DrawIcon){
            .icon = icon, .center = center, .size = 16, .stroke = 1.8f, .color = ui->theme.text2});
    draw_pop_alpha(ui->list);
}

void teach_well(Ui *ui, Rect box, Color fill, Color edge, float border)
{
    draw_rect(ui->list,
              &(DrawRect){
                  .box = box, .radius = 10, .fill = fill, .border = border, .border_color = edge});
}

/* ---- text ---- */

typedef struct Pen {
    Ui *ui;
    const RichText *style;
    Rect box;
    float x, y, space;
    bool draw, cut;
} Pen;

static void put_word(Pen *p, const char *word, size_t n, bool strong)
{
    FontFace face = strong ? FONT_SANS_SEMIBOLD : FONT_SANS;
    const RichText *s = p->style;
    Ui *ui = p->ui;
    float w = text_width(ui->fonts, face, s->size, word, n);
    if (p->x > 0 && p->x + w > p->box.w + 0.5f) {
        p->x = 0;
        p->y += s->line;
    }
    bool fits = p->y + s->line <= p->box.h + 0.5f;
    if (p->draw && fits) {
        Color plain = s->color.a > 0 ? s->color : ui->theme.text2;
        Color bold = s->strong.a > 0 ? s->strong : ui->theme.text;
        draw_text(ui->list,
                  &(DrawText){.face = face,
                              .size = s->size,
                              .color = strong ? bold : plain,
                              .text = word,
                              .n = n,
                              .max_width = w > p->box.w ? p->box.w : 0,
                              .at = {p->box.x + p->x,
                                     text_center_baseline(ui->fonts, face, s->size,
                                                          p->box.y + p->y + s->line / 2)}});
    }
    p->cut |= !fits;
    p->x += w;
}

float teach_rich(Ui *ui, Rect box, const RichText *style, const char *text)
{
    Pen p = {.ui = ui, .style = style, .box = box, .draw = box.h > 0};
    bool strong = false;
    p.space = text_width(ui->fonts, FONT_SANS, style->size, " ", 1);
    for (const char *at = text; *at;) {
        if (*at == '*') {
            strong = !strong;
            at++;
        } else if (*at == ' ') {
            p.x += p.x > 0 ? p.space : 0;
            at++;
        } else if (*at == '\n') {
            p.x = 0;
            p.y += style->line * (at[1] == '\n' ? 0.5f : 1);
            at++;
        } else {
            size_t n = strcspn(at, " *\n");
            put_word(&p, at, n, strong);
            at += n;
        }
    }
    if (p.cut && p.draw) {
        ui_tooltip(ui, box, text);
    }
    return p.y + style->line;
}

const Color *teach_colors(Ui *ui, int *n)
{
    const Theme *t = &ui->theme;
    Color *colors = ARENA_ARRAY(&ui->list->arena, Color, 6, NULL);
    *n = colors ? 6 : 0;
    if (colors) {
        memcpy(
            colors,
            (Color[6]){t->q_text, t->k_text, t->v_text, t->score_text, t->k_text, t->output_text},
            6 * sizeof *colors);
    }
    return colors;
}

void teach_formula(Ui *ui, Rect box, const Formula *style, const char *text)
{
    Formula f = *style;
    float w, up, down;
    f.size = f.size > 0 ? f.size : 18;
    if (!f.colors) {
        f.colors = teach_colors(ui, &f.n_colors);
    }
    ui_formula_measure(ui, &f, text, &w, &up, &down);
    float shrink = fminf(1, fminf(box.w / fmaxf(w, 1), box.h / fmaxf(up + down, 1)));
    f.size *= shrink;
    ui_formula_measure(ui, &f, text, &w, &up, &down);
    ui_formula(ui, vec2(box.x + (box.w - w) / 2, roundf(box.y + (box.h + up - down) / 2)), &f,
               text);
}

bool teach_too_small(ViewContext *c, Rect stage)
{
    if (stage.w >= 700 && stage.h >= 380) {
        return false;
    }
    ui_paragraph(c->ui, rect_inset(stage, 24), &(UiLabel){.face = FONT_SANS, .size = 14}, 22,
                 "This view needs a larger window, or smaller text (Ctrl+-).");
    return true;
}

/* ---- long vectors ---- */

int32_t teach_dims(float width, float pitch, int32_t first, int32_t all, int32_t *more)
{
    static const float MORE_W = 36;
    int32_t n = (int32_t)(width / pitch);
    int32_t left = AS_MAX(all - first, 1);
    if (n < left || first > 0) {
        n = (int32_t)((width - MORE_W) / pitch);
    }
    n = AS_CLAMP(n, 1, left);
    *more = all - n;
    return n;
}

void teach_scroll_dims(ViewContext *c, Rect box, int32_t shown, int32_t all)
{
    Ui *ui = c->ui;
    int32_t first = AS_MIN(c->session->selection.dim, all - 1);
    if (shown >= all || !ui_hovers(ui, box)) {
        return;
    }
    float wheel = -ui->wheel - ui->wheel_x;
    if (wheel != 0) {
        int32_t to = first + (wheel > 0 ? shown : -shown);
        session_post(c->session, "dim %d", AS_CLAMP(to, 0, AS_MAX(all - shown, 0)));
    }
}

void teach_more(Ui *ui, Rect box, int32_t more, int32_t first)
{
    if (more <= 0) {
        return;
    }
    ui_label(ui, box, &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text2},
             draw_format(ui->list, "+%d", more));
    ui_tooltip(ui, box,
               draw_format(ui->list, "from dimension %d on; %d more: the wheel walks through them",
                           first, more));
}

void teach_open_well(ViewContext *c, const Lesson *l, int32_t room)
{
    const Session *s = c->session;
    int32_t query;
    int32_t key;
    double elsewhere = 0;
    for (int32_t i = 0; i < l->n; i++) {
        elsewhere += (double)l->elsewhere[i];
    }
    if (elsewhere < 0.75 * l->n || s->selection.pinned || s->selection.window_count > 0 ||
        s->playback.playing || !session_best_pair(s, room, &query, &key)) {
        return;
    }
    bool here = query >= l->rows.first && query < l->rows.first + l->n;
    if (!here) {
        session_post(c->session, "hover %d %d", query, key);
    }
}

const Lesson *teach_lesson(ViewContext *c, Rect stage, int32_t room)
{
    Ui *ui = c->ui;
    const Lesson *l = session_lesson(c->session, room);
    const bool pending = session_lesson_pending(c->session);
    c->views->settled &= !pending;
    if (!l->valid) {
        const Selection *sel = &c->session->selection;
        const char *text =
            l->error.code
                ? draw_format(ui->list, "These numbers cannot be shown: %s", l->error.message)
                : draw_format(ui->list, "Opening layer %d, head %d …", sel->layer, sel->head);
        ui_paragraph(ui, rect_inset(stage, 48), &(UiLabel){.face = FONT_SANS, .size = 14}, 22,
                     text);
        return NULL;
    }
    if (!pending) {
        teach_open_well(c, l, room);
    }
    return l;
}
