#include "views/mechanism.h"

#include <math.h>

/* Panel A: each token's embedding, and the query, key and value that are projected from it. In
 * cross attention queries are of one text and keys and values of another: two groups of tokens. */

typedef struct PanelA {
    MechanismScene *s;
    Rect in;
    float chip_w, label_x, cells_x, pitch_x, cell_w;
    int32_t dims, first, more;
    float most[3]; /* largest |value| of q, k, v in the window: depth of their colours */
    float most_x, most_source; /* of the squares */
} PanelA;

/* One token's card. */
typedef struct TokenRow {
    int32_t i;         /* in the window */
    bool source;       /* of the other text */
    int part, n_parts; /* of q, k, v */
    bool numbers;
    int order; /* in which it comes */
} TokenRow;

static const char *const NAMES[3] = {"q", "k", "v"};

static Role role_of(const Ui *ui, int part)
{
    return part == 0 ? role_q(ui) : part == 1 ? role_k(ui) : role_v(ui);
}

static const float *vector_of(const Lesson *l, int part, int32_t i)
{
    const float *all = part == 0 ? l->q : part == 1 ? l->k : l->has_values ? l->v : NULL;
    return all ? all + (ptrdiff_t)i * l->head_dim : NULL;
}

static const float SQUARE = 13; /* side */

static int32_t squares_of(const Lesson *l, float w)
{
    enum { MOST = 6 };
    return AS_MIN(AS_MIN(MOST, (int32_t)((w + 3) / (SQUARE + 2))), l->width);
}

/* The largest of those that are shown: single dimensions of an embedding are often far larger than
 * all others, and beside them everything would be pale. */
static float most_shown(const PanelA *p, const float *rows, int32_t n_rows)
{
    const Lesson *l = p->s->l;
    int32_t n = squares_of(l, p->chip_w);
    int32_t first = AS_MIN(p->s->c->session->selection.dim, AS_MAX(l->width - n, 0));
    float most = 0;
    for (int32_t i = 0; rows && i < n_rows; i++) {
        for (int32_t d = 0; d < n; d++) {
            most = fmaxf(most, fabsf(rows[(ptrdiff_t)i * l->width + first + d]));
        }
    }
    return fmaxf(most, 1e-9f);
}

/* Squares in a box: their depth is the magnitude. */
static void draw_embedding(PanelA *p, const TokenRow *row, Rect box, float alpha)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    float side = fminf(SQUARE, box.w);
    int32_t n = squares_of(l, box.w);
    float gap = n > 1 ? fminf(4, (box.w - side * (float)n) / (float)(n - 1)) : 0;
    int32_t first = AS_MIN(s->c->session->selection.dim, AS_MAX(l->width - n, 0));
    Color color = row->source ? key_token_color(s->c, l->keys.first + row->i)
                              : token_color(s->c, l->rows.first + row->i);
    const float *all = row->source ? l->source : l->normed;
    if (!all) {
        if (box.h >= SQUARE) {
            ui_label(ui, rect(box.x, box.y, box.w, box.h + 2),
                     &(UiLabel){.face = FONT_SANS, .size = 11}, "not held");
        }
        return;
    }
    const float *values = all + (ptrdiff_t)row->i * l->width;
    const float most = row->source ? p->most_source : p->most_x;
    const char *after = row->source   ? ", the encoder's last state"
                        : l->has_norm ? ", after the layer's norm"
                        : l->cross    ? ", after self attention"
                                      : "";
    draw_push_alpha(ui->list, alpha);
    for (int32_t d = 0; d < n; d++) {
        float amount = fabsf(values[first + d]) / most;
        Rect square = {box.x + (side + gap) * (float)d, box.y, side, box.h};
        draw_rect(ui->list,
                  &(DrawRect){.box = square,
                              .radius = fminf(3, box.h / 3),
                              .fill = color_mix(ui->theme.card, color, 0.18f + 0.82f * amount)});
        if (ui_hovers(ui, square)) {
            ui_tooltip(ui, square,
                       draw_format(ui->list, "embedding[%d] = %.6f%s", first + d,
                                   (double)values[first + d], after));
        }
    }
    draw_pop_alpha(ui->list);
}

static void draw_vector(PanelA *p, const TokenRow *row, int part, float y, float h)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    Role role = role_of(ui, part);
    const float *values = vector_of(l, part, row->i);
    float label = phase_of(s->t, 1.0 + 0.12 * part, row->order, 0.1, 0.3);
    draw_push_alpha(ui->list, label);
    teach_formula(ui, rect(p->label_x, y, 14, h), &(Formula){.size = 18, .color = role.text},
                  NAMES[part]);
    draw_pop_alpha(ui->list);
    if (!values) {
        ui_label(ui, rect(p->cells_x, y, p->in.x + p->in.w - p->cells_x - 8, h),
                 &(UiLabel){.face = FONT_SANS, .size = 11}, "not held");
        return;
    }
    for (int32_t d = 0; d < p->dims; d++) {
        float shown = phase_of(s->t, 1.2 + 0.12 * part + 0.1 * row->order, (int)d, 0.05, 0.3);
        float value = values[p->first + d];
        const char *where =
            draw_format(ui->list, "%s[%d] = %.6f", NAMES[part], p->first + d, (double)value);
        draw_push_alpha(ui->list, shown);
        teach_cell(ui, &(ValueCell){.box = {p->cells_x + p->pitch_x * (float)d, y, p->cell_w, h},
                                    .value = value,
                                    .amount = fabsf(value) / p->most[part],
                                    .role = role,
                                    .empty = !row->numbers,
                                    .tip = where});
        draw_pop_alpha(ui->list);
    }
    teach_more(ui,
               rect(p->cells_x + p->pitch_x * (float)p->dims + 4, y,
                    p->in.x + p->in.w - 4 - p->cells_x - p->pitch_x * (float)p->dims, h),
               p->more, p->first);
}

static void draw_arrows(PanelA *p, const TokenRow *row, Vec2 from, float first, float pitch,
                        bool hot)
{
    MechanismScene *s = p->s;
    Ui *ui = s->c->ui;
    for (int part = row->part; part < row->part + row->n_parts; part++) {
        float drawn = phase_of(s->t, 0.7 + 0.1 * row->order, part, 0.12, 0.4);
        Color color = role_of(ui, part).fill;
        Vec2 to = {p->label_x - 4, first + pitch * (float)(part - row->part)};
        bool pulse = hot && !ui->still;
        float width = pulse ? 2.0f + (float)sin(ui->now_s * 6 - part) * 0.5f : 1.5f;
        ui->moves |= pulse;
        teach_arrow(ui, from, to, color, width, drawn);
    }
}

/* Chip, squares below it and what is said of them; returns where arrows leave. */
static Vec2 draw_token_side(PanelA *p, const TokenRow *row, Rect card, bool chosen)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    bool tall = card.h >= 92;
    bool held = row->source ? l->source != NULL : l->normed != NULL;
    bool squares = card.h >= 50;
    bool strip = !squares && l->cross && held && card.h >= 30;
    /* The name of a token is read before anything else of it. */
    float chip_h = tall    ? 30
                   : strip ? fminf(22, card.h - 10)
                           : fminf(24, fmaxf(card.h - 8, fminf(15, card.h - 4)));
    float below = squares ? 19 : strip ? 7 : 0;
    float block = chip_h + below + (tall ? 18 : 0) + (tall && chosen ? 14 : 0);
    float y = card.y + fmaxf(strip ? 2 : 4, (card.h - block) / 2);
    Rect chip = {card.x + 10, y, p->chip_w, chip_h};
    teach_token(s->c, chip, (row->source ? l->keys.first : l->rows.first) + row->i, row->source,
                chosen,
                tall                   ? 14
                : strip || chip_h < 18 ? 11
                                       : 12);
    if (squares || strip) {
        draw_embedding(p, row,
                       rect(chip.x, y + chip_h + (strip ? 2 : 6), p->chip_w, strip ? 5 : SQUARE),
                       phase_of(s->t, 0.35, row->order, 0.1, 0.4));
    }
    if (tall && held) {
        ui_label(ui, rect(chip.x - 4, y + chip_h + 21, p->chip_w + 8, 16),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_CENTER},
                 draw_format(ui->list, "%d of %d", AS_MIN(6, l->width), l->width));
    }
    if (tall && chosen) {
        ui_label(ui, rect(chip.x, y + chip_h + 36, p->chip_w, 16),
                 &(UiLabel){.face = FONT_SANS_SEMIBOLD,
                            .size = 11,
                            .align = DRAW_CENTER,
                            .color = ui->theme.q_text},
                 row->source ? "key" : "query");
    }
    return vec2(chip.x + p->chip_w + 6, chip.y + (squares ? chip_h + 12 : chip_h / 2));
}

static void draw_token_row(PanelA *p, const TokenRow *row, Rect card)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    bool chosen = row->source ? l->keys.first + row->i == s->c->session->selection.key
                              : l->rows.first + row->i == l->query;
    float in = phase_of(s->t, 0, row->order, 0.1, 0.4);
    Color edge = row->source ? t->k : t->q;
    card.x -= 20 * (1 - in); /* slides in from the left */
    draw_push_alpha(ui->list, in);
    teach_well(ui, card, chosen && !t->dark ? color_hex(0xFFFFFF) : color_fade(t->card, 0.85f),
               chosen ? edge : color_mix(t->tint_a, edge, 0.22f), chosen ? 1.5f : 1);
    float pad = card.h > 90 ? 16 : card.h > 30 ? 6 : 4;
    float pitch = fminf(36, (card.h - pad) / (float)row->n_parts);
    float cell_h = fminf(26, pitch - (row->n_parts == 1 ? 0
                                      : pitch >= 24     ? 8
                                      : pitch >= 16     ? 3
                                                        : 1.5f));
    float top = card.y + (card.h - (float)row->n_parts * pitch) / 2 + (pitch - cell_h) / 2;
    Vec2 from = draw_token_side(p, row, card, chosen);
    draw_arrows(p, row, from, top + cell_h / 2, pitch, ui_hovers(ui, card));
    for (int part = row->part; part < row->part + row->n_parts; part++) {
        draw_vector(p, row, part, top + pitch * (float)(part - row->part), cell_h);
    }
    draw_pop_alpha(ui->list);
}

/* Every token has its query, key and value. */
static void draw_tokens(PanelA *p, Rect rows)
{
    const Lesson *l = p->s->l;
    float pitch = rows.h / (float)l->n;
    float gap = pitch > 90 ? 10 : pitch > 56 ? 6 : 4;
    bool fits = (pitch - gap - 6) / 3 >= 14.5f;
    /* Where there is no room for all numbers the chosen token has them, the others are folded. */
    float open = fits ? pitch : fminf(66, rows.h * 0.4f);
    float closed = fits || l->n < 2 ? pitch : (rows.h - open) / (float)(l->n - 1);
    float y = rows.y;
    int32_t chosen = AS_CLAMP(l->query - l->rows.first, 0, l->n - 1);
    for (int32_t i = 0; i < l->n; i++) {
        float h = fits ? fminf(pitch, 140) : i == chosen ? open : closed;
        TokenRow row = {.i = i, .n_parts = 3, .numbers = fits || i == chosen, .order = (int)i};
        draw_token_row(p, &row, rect(rows.x, y, rows.w, h - gap));
        y += h;
    }
}

/* Tokens of the target with their queries, then those of the source with keys and values. */
static void draw_two_texts(PanelA *p, Rect rows)
{
    const Lesson *l = p->s->l;
    Ui *ui = p->s->c->ui;
    const float words = 20;
    const float single = 1.4f; /* of a query's card, whose chip has nobody to share with */
    const float unit = fminf(30, (rows.h - 2 * words) / (single * (float)l->n + 2 * (float)l->m));
    const float gap = unit >= 20 ? 4 : 2;
    static const char *const names[2] = {"target: the decoder's states give q",
                                         "source: the encoder's states give k and v"};
    float y = rows.y;
    for (int side = 0; side < 2; side++) {
        const bool source = side == 1;
        const int32_t n = source ? l->m : l->n;
        ui_label(ui, rect(rows.x, y, rows.w, words - 3),
                 &(UiLabel){.face = FONT_SANS_MEDIUM,
                            .size = 11,
                            .color = source ? role_k(ui).text : role_q(ui).text},
                 names[side]);
        y += words;
        for (int32_t i = 0; i < n; i++) {
            const float h = unit * (source ? 2 : single);
            TokenRow row = {.i = i,
                            .source = source,
                            .part = source ? 1 : 0,
                            .n_parts = source ? 2 : 1,
                            .numbers = (h - gap - 4) / (source ? 2 : 1) >= 13.5f,
                            .order = (int)i};
            draw_token_row(p, &row, rect(rows.x, y, rows.w, h - gap));
            y += h;
        }
    }
}

static void draw_legend(PanelA *p, Rect box, bool wide)
{
    static const char *const words[3] = {"Query", "Key", "Value"};
    static const char *const asks[3] = {"what this token looks for", "what it can be found by",
                                        "what it hands over once found"};
    Ui *ui = p->s->c->ui;
    const Lesson *l = p->s->l;
    int32_t group = l->n_heads / l->n_kv_heads;
    int32_t first = l->head / group * group;
    const char *notes[3] = {
        "deeper colour = larger magnitude",
        group > 1 ? draw_format(ui->list, "k, v shared by heads %d to %d", first, first + group - 1)
                  : "every head has its own",
        l->turned ? "q, k after rotary position" : "no rotary positions",
    };
    for (int i = 0; i < 3; i++) {
        Role role = role_of(ui, i);
        Rect row = wide ? rect(box.x, box.y + 24 * (float)i, box.w, 24)
                        : rect(box.x + box.w / 3 * (float)i, box.y, box.w / 3, 22);
        draw_rect(ui->list, &(DrawRect){.box = {row.x, row.y + row.h / 2 - 6, 12, 12},
                                        .radius = 3,
                                        .fill = role.fill});
        teach_formula(ui, rect(row.x + 18, row.y, 14, row.h),
                      &(Formula){.size = 16, .color = role.text}, NAMES[i]);
        float w = ui_label(ui, rect(row.x + 38, row.y, row.w - 38, row.h),
                           &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 12, .color = role.text},
                           words[i]);
        if (wide) {
            float x = row.x + 38 + AS_MAX(w + 12, 50);
            float note = ui_text_width(ui, FONT_SANS, 11, notes[i]);
            float ask = ui_text_width(ui, FONT_SANS, 12, asks[i]);
            bool both = x + ask + 14 + note <= row.x + row.w;
            ui_label(ui, rect(x, row.y, row.x + row.w - x, row.h),
                     &(UiLabel){.face = FONT_SANS, .size = 12}, asks[i]);
            if (both) {
                ui_label(ui, rect(x, row.y, row.x + row.w - x, row.h),
                         &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT}, notes[i]);
            }
        } else {
            ui_tooltip(ui, row, draw_format(ui->list, "%s: %s; %s", words[i], asks[i], notes[i]));
        }
    }
}

static void place_columns(PanelA *p)
{
    const Lesson *l = p->s->l;
    Rect in = p->in;
    p->chip_w = AS_CLAMP(floorf(in.w * 0.2f), 58, 93);
    float arrows = in.w < 340 ? 34 : 46;
    p->label_x = in.x + 10 + p->chip_w + 6 + arrows;
    p->cells_x = p->label_x + 20;
    p->pitch_x = in.w < 340 ? 43 : 48;
    p->cell_w = p->pitch_x - 4;
    float room = in.x + in.w - 6 - p->cells_x;
    int32_t first = AS_MIN(p->s->c->session->selection.dim, l->head_dim - 1);
    p->dims = teach_dims(room, p->pitch_x, 0, l->head_dim, &p->more);
    p->first = AS_CLAMP(first, 0, AS_MAX(l->head_dim - p->dims, 0));
    size_t nq = (size_t)l->n * (size_t)l->head_dim;
    size_t nk = (size_t)l->m * (size_t)l->head_dim;
    p->most[0] = teach_most(l->q, nq);
    p->most[1] = teach_most(l->k, nk);
    p->most[2] = l->has_values ? teach_most(l->v, nk) : 1;
    p->most_x = l->has_input ? most_shown(p, l->normed, l->n) : 1;
    p->most_source = most_shown(p, l->source, l->m);
}

void mechanism_panel_a(MechanismScene *s)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    PanelA p = {.s = s};
    p.in = mechanism_panel(
        s, s->a, ui->theme.tint_a, role_q(ui), "A", "Input to Q, K, V",
        draw_format(ui->list, "layer %d · head %d of %d", l->layer, l->head, l->n_heads));
    place_columns(&p);
    bool wide = p.in.h >= 520;
    float legend = wide ? 76 : 24;
    Rect head = {p.in.x, p.in.y - 4, p.in.w, 20};
    ui_label(ui, rect(head.x, head.y, p.label_x - head.x - 4, 20),
             &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 11},
             l->normed ? "token, embedding" : "token, no input");
    const char *note = p.more > 0
                           ? draw_format(ui->list, "dimensions %d–%d of %d (the wheel walks on)",
                                         p.first, p.first + p.dims - 1, l->head_dim)
                           : draw_format(ui->list, "all %d dimensions", l->head_dim);
    if (ui_text_width(ui, FONT_SANS_MEDIUM, 11, note) > p.in.x + p.in.w - p.label_x) {
        note = draw_format(ui->list, "dimensions %d–%d of %d", p.first, p.first + p.dims - 1,
                           l->head_dim);
    }
    ui_label(ui, rect(p.label_x, head.y, p.in.x + p.in.w - p.label_x, 20),
             &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 11}, note);
    Rect rows = {p.in.x, p.in.y + 20, p.in.w, p.in.h - 20 - legend - 6};
    if (l->cross) {
        draw_two_texts(&p, rows);
    } else {
        draw_tokens(&p, rows);
    }
    teach_scroll_dims(s->c, rows, p.dims, l->head_dim);
    draw_legend(&p, rect(p.in.x, p.in.y + p.in.h - legend, p.in.w, legend), wide);
}
