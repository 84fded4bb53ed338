#include "views/mechanism.h"

#include <math.h>

/* Panel B: scores, the division by sqrt(d_k), softmax, and the mix of values. */

typedef struct PanelB {
    MechanismScene *s;
    Rect in;
    float row;             /* height of a line of any of the three parts */
    float air;             /* between the parts: what the rows leave over */
    float chip_w, grid_x;  /* tokens at the left, grids right of them */
    int32_t bars_n, mix_n; /* rows shown of softmax and mix: all, or what there is room for */
    bool has_formula;
} PanelB;

enum { HEAD_H = 26, KEYS_H = 18, FOOT_H = 28 };

static bool hidden(const Lesson *l, int32_t i, int32_t j)
{
    return isinf(l->scores[i * l->m + j]);
}

static int32_t chosen_row(const Lesson *l)
{
    return AS_CLAMP(l->query - l->rows.first, 0, l->n - 1);
}

/* ---- 1: scores ---- */

static void section_head(PanelB *p, float y, int number, Role role, const char *title,
                         const char *note)
{
    Ui *ui = p->s->c->ui;
    teach_badge(ui, rect(p->in.x, y + 3, 20, 20), role.fill, draw_format(ui->list, "%d", number));
    float note_w = *note ? ui_text_width(ui, FONT_SANS, 11, note) : 0;
    float title_w = ui_text_width(ui, FONT_SANS_SEMIBOLD, 13, title);
    bool both = 28 + title_w + 16 + note_w <= p->in.w;
    ui_label(ui, rect(p->in.x + 28, y, p->in.w - 28 - (both ? note_w + 8 : 0), HEAD_H),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 13, .color = role.text}, title);
    if (both) {
        ui_label(ui, rect(p->in.x, y, p->in.w, HEAD_H),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT}, note);
    }
}

typedef struct Grid {
    float x, y, pitch;
    const float *values;
    float lo, hi;
    double start; /* when the first cell appears */
    bool scaled;  /* after the division: cells come from the left grid */
    bool numbers;
    float from_dx; /* where scaled cells fly from */
} Grid;

static void draw_grid_cell(PanelB *p, const Grid *g, int32_t i, int32_t j)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    float h = p->row - (p->row > 24 ? 5 : 3);
    Rect box = {g->x + g->pitch * (float)j, g->y + p->row * (float)i, g->pitch - 2, h};
    int32_t query = l->rows.first + i;
    int32_t key = l->keys.first + j;
    float value = g->values[i * l->m + j];
    if (hidden(l, i, j)) {
        draw_push_alpha(ui->list, phase(s->t, g->start, g->start + 0.4));
        teach_masked_cell(ui, box,
                          draw_format(ui->list,
                                      "“%s” may not look at “%s”: masked, so its share "
                                      "is 0",
                                      label_of(s->c, query), key_label_of(s->c, key)));
        draw_pop_alpha(ui->list);
        return;
    }
    float shown = phase_of(s->t, g->start + 0.12 * i, (int)j, 0.06, 0.35);
    box.x += g->from_dx * (1 - shown);
    draw_push_alpha(ui->list, shown);
    bool chosen = query == s->c->session->selection.query && key == s->c->session->selection.key;
    const char *tip =
        g->scaled ? draw_format(ui->list, "score of “%s” and “%s” = %.6f", label_of(s->c, query),
                                key_label_of(s->c, key), (double)value)
                  : draw_format(ui->list, "q · k of “%s” and “%s” = %.6f", label_of(s->c, query),
                                key_label_of(s->c, key), (double)value);
    float amount = (value - g->lo) / fmaxf(g->hi - g->lo, 1e-9f);
    const char *text = teach_fit(ui, value, box.w);
    bool hot = teach_cell(ui, &(ValueCell){.box = box,
                                           .value = value,
                                           .amount = amount,
                                           .role = role_score(ui),
                                           .empty = !g->numbers,
                                           .text = text,
                                           .tip = tip,
                                           .strong = chosen});
    draw_pop_alpha(ui->list);
    if (hot && ui->mouse_moved && !s->c->session->selection.pinned && !chosen) {
        session_post(s->c->session, "hover %d %d", query, key);
    } else if (hot && ui->pressed[0]) {
        session_post(s->c->session, "pin %d %d", query, key);
    }
}

static void draw_grid(PanelB *p, const Grid *g)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    for (int32_t j = 0; j < l->m; j++) {
        ui_label(ui, rect(g->x + g->pitch * (float)j - 1, g->y - KEYS_H, g->pitch, KEYS_H),
                 &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 11, .align = DRAW_CENTER},
                 key_label_of(s->c, l->keys.first + j));
    }
    for (int32_t i = 0; i < l->n; i++) {
        for (int32_t j = 0; j < l->m; j++) {
            draw_grid_cell(p, g, i, j);
        }
    }
    float y = g->y + p->row * (float)chosen_row(l);
    draw_rect(ui->list, &(DrawRect){.box = {g->x - 3, y - 3, g->pitch * (float)l->m + 4,
                                            p->row - (p->row > 24 ? 5 : 3) + 6},
                                    .radius = 7,
                                    .border = 1.5f,
                                    .border_color = ui->theme.score});
}

static void range_of(const Lesson *l, const float *values, float *lo, float *hi)
{
    *lo = INFINITY;
    *hi = -INFINITY;
    for (int32_t i = 0; i < l->n; i++) {
        for (int32_t j = 0; j < l->m; j++) {
            if (!hidden(l, i, j)) {
                *lo = fminf(*lo, values[i * l->m + j]);
                *hi = fmaxf(*hi, values[i * l->m + j]);
            }
        }
    }
    if (*lo > *hi) {
        *lo = *hi = 0;
    }
}

/* What q . k is divided by, as the scale in force says it. */
static const char *divisor_formula(Ui *ui, const Lesson *l)
{
    double by = 1 / (double)l->scale / (double)l->temperature;
    bool root = fabs(by - sqrt((double)l->head_dim)) < 1e-3 * by;
    const char *t = l->temperature != 1
                        ? draw_format(ui->list, " · \\up{T} \\up{%g}", (double)l->temperature)
                        : "";
    if (fabs(by - 1) < 1e-6) {
        return draw_format(ui->list, "÷ \\up{1}%s", t);
    }
    return root
               ? draw_format(ui->list, "÷ \\sqrt{d_k} = \\up{%s}%s", teach_number(ui, (float)by), t)
               : draw_format(ui->list, "÷ \\up{%s}%s", teach_number(ui, (float)by), t);
}

static float draw_scores(PanelB *p, float y)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    section_head(p, y, 1, role_score(ui), "How well does each query match each key?",
                 "rows: query · columns: key");
    y += HEAD_H + KEYS_H;
    float room = p->in.x + p->in.w - p->grid_x;
    float middle = AS_MAX(74.0f, room * 0.2f);
    float both = fminf(48, (room - middle) / (2 * (float)l->m));
    bool two = both >= 42;
    Grid left = {.x = p->grid_x,
                 .y = y,
                 .pitch = two ? both : fminf(56, room / (float)l->m),
                 .values = two ? l->dots : l->scores,
                 .start = 2.2,
                 .scaled = !two,
                 .numbers = true};
    for (int32_t i = 0; i < l->n; i++) {
        int32_t token = l->rows.first + i;
        teach_token(s->c, rect(p->in.x, y + p->row * (float)i, p->chip_w, fminf(p->row - 3, 26)),
                    token, false, token == l->query, 11);
    }
    range_of(l, left.values, &left.lo, &left.hi);
    left.numbers = left.pitch >= 27;
    draw_grid(p, &left);
    if (two) {
        Grid right = left;
        right.values = l->scores;
        right.x = p->in.x + p->in.w - both * (float)l->m;
        right.start = 3.3;
        right.scaled = true;
        right.from_dx = left.x - right.x;
        range_of(l, l->scores, &right.lo, &right.hi);
        draw_grid(p, &right);
        float x0 = left.x + both * (float)l->m;
        float mid_y = y + p->row * (float)l->n / 2;
        float w = right.x - x0;
        float shown = phase(s->t, 2.9, 3.3);
        draw_push_alpha(ui->list, shown);
        teach_formula(ui, rect(x0 + 4, mid_y - 36, w - 8, 24),
                      &(Formula){.size = 18, .color = ui->theme.text}, divisor_formula(ui, l));
        teach_arrow(ui, vec2(x0 + 10, mid_y - 4), vec2(right.x - 12, mid_y - 4), ui->theme.score,
                    1.5f, shown);
        if (w > 92 && p->row * (float)l->n > 70) {
            UiLabel small = {.face = FONT_SANS, .size = 11, .align = DRAW_CENTER};
            ui_label(ui, rect(x0 + 4, mid_y + 3, w - 8, 16), &small, "keeps softmax");
            ui_label(ui, rect(x0 + 4, mid_y + 18, w - 8, 16), &small, "from saturating");
        }
        draw_pop_alpha(ui->list);
    }
    y += p->row * (float)l->n;
    bool any_hidden = false;
    for (int32_t i = 0; i < l->n * l->m; i++) {
        any_hidden |= isinf(l->scores[i]);
    }
    float foot = y + 1;
    if (any_hidden) {
        teach_masked_cell(ui, rect(p->grid_x, foot + 4, 18, 12), NULL);
        const char *whole = "later word: masked to −∞, so its share is 0";
        float legend_w = room - 26 - 150;
        bool fits = ui_text_width(ui, FONT_SANS, 11, whole) <= legend_w;
        ui_label(ui, rect(p->grid_x + 26, foot, legend_w, 20),
                 &(UiLabel){.face = FONT_SANS, .size = 11}, fits ? whole : "later word, masked");
    } else if (!two) {
        const float by = 1 / l->scale / l->temperature;
        const char *number = teach_number(ui, by);
        const bool root = fabsf(by - sqrtf((float)l->head_dim)) < 0.01f * by;
        const char *whole =
            fabsf(by - 1) < 1e-4f ? "q · k as it is: nothing is divided here"
            : root ? draw_format(ui->list, "q · k, already divided by √d_k = %s", number)
                   : draw_format(ui->list, "q · k, already divided by %s", number);
        bool fits = ui_text_width(ui, FONT_SANS, 11, whole) <= room - 150;
        ui_label(ui, rect(p->grid_x, foot, room - 150, 20),
                 &(UiLabel){.face = FONT_SANS, .size = 11},
                 fits ? whole : draw_format(ui->list, "q · k ÷ %s", number));
    }
    const float legend = 132;
    teach_legend(ui, rect(p->in.x + p->in.w - legend, foot + 4, legend, TEACH_LEGEND_H),
                 &(TeachLegend){.role = role_score(ui), .lo = left.lo, .hi = left.hi});
    return y + FOOT_H + 4;
}

/* ---- 2: softmax ---- */

static void draw_bar_part(PanelB *p, Rect box, int32_t i, int32_t j, float share, int percent,
                          bool rest)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    Role role = rest ? role_plain(ui) : role_softmax(ui);
    float amount = rest ? 0.15f : 0.25f + 0.75f * share;
    if (box.w < 0.5f) {
        return;
    }
    Color fill = role_fade(ui, role, amount);
    draw_rect(ui->list, &(DrawRect){.box = box, .radius = fminf(5, box.w / 2), .fill = fill});
    const char *name = rest ? "elsewhere" : key_label_of(s->c, l->keys.first + j);
    const char *number = draw_format(ui->list, "%d %%", percent);
    float number_w = ui_text_width(ui, FONT_MONO_MEDIUM, 11, number);
    Color on = role_on(ui, role, amount);
    float name_w = ui_text_width(ui, FONT_SANS_MEDIUM, 11, name);
    if (box.w >= number_w + 8) {
        ui_label(ui, rect(box.x + box.w - number_w - 5, box.y, number_w + 1, box.h),
                 &(UiLabel){.face = FONT_MONO_MEDIUM, .size = 11, .color = on}, number);
    }
    if (box.w >= number_w + fminf(name_w, 26) + 16) {
        ui_label(ui, rect(box.x + 6, box.y, box.w - number_w - 16, box.h),
                 &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 11, .color = on}, name);
    }
    if (ui_hovers(ui, box)) {
        ui_tooltip(ui, box,
                   rest ? draw_format(ui->list, "keys outside this window: %.6f", (double)share)
                        : draw_format(ui->list, "“%s” gives “%s” %.6f",
                                      label_of(s->c, l->rows.first + i), name, (double)share));
    }
}

static void draw_bar(PanelB *p, int32_t i, float y)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    const float *w = l->weights + (ptrdiff_t)i * l->m;
    int percents[LESSON_MOST];
    int rest;
    lesson_percents(w, l->m, l->elsewhere[i], percents, &rest);
    float h = fminf(26, p->row - 3);
    float x = p->grid_x;
    float room = p->in.x + p->in.w - 58 - x;
    float grown = phase_of(s->t, 3.9, (int)i, 0.15, 0.6);
    int32_t token = l->rows.first + i;
    teach_token(s->c, rect(p->in.x, y, p->chip_w, h), token, false, token == l->query, 11);
    if (token == l->query) {
        draw_rect(ui->list, &(DrawRect){.box = {x - 3, y - 3, room + 6, h + 6},
                                        .radius = 7,
                                        .border = 1.5f,
                                        .border_color = role_softmax(ui).fill});
    }
    draw_push_alpha(ui->list, grown);
    float at = x;
    for (int32_t j = 0; j < l->m; j++) {
        float part = w[j] * room * grown;
        draw_bar_part(p, rect(at, y, part - (part > 3 ? 1.5f : 0), h), i, j, w[j], percents[j],
                      false);
        at += part;
    }
    float part = l->elsewhere[i] * room * grown;
    draw_bar_part(p, rect(at, y, part - (part > 3 ? 1.5f : 0), h), i, -1, l->elsewhere[i], rest,
                  true);
    int sum = rest;
    for (int32_t j = 0; j < l->m; j++) {
        sum += percents[j];
    }
    ui_label(ui, rect(x + room + 6, y, 52, h),
             &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT},
             draw_format(ui->list, "Σ %d %%", sum));
    draw_pop_alpha(ui->list);
}

static float draw_softmax(PanelB *p, float y)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    const char *note = l->temperature != 1 ? draw_format(ui->list, "T = %g", (double)l->temperature)
                       : p->bars_n < l->n  ? "the chosen row"
                                           : "length = share";
    section_head(p, y, 2, role_softmax(ui), "Softmax turns each row into shares of 100 %", note);
    y += HEAD_H;
    for (int32_t k = 0; k < p->bars_n; k++) {
        draw_bar(p, p->bars_n < l->n ? chosen_row(l) : k, y + 2);
        y += p->row;
    }
    return y + 6;
}

/* ---- 3: the mix of values ---- */

typedef struct Mix {
    int32_t keys[LESSON_MOST]; /* places in the window, as they are shown */
    int32_t n;
    bool others;        /* a row for keys of the window that have none, and elsewhere */
    float others_share; /* their share */
    int32_t dims, first, more, row;
    float cells_x, pitch, most;
    const float *output; /* [D] */
} Mix;

static void choose_mix(PanelB *p, Mix *m)
{
    const Lesson *l = p->s->l;
    const float *w = l->weights + (ptrdiff_t)m->row * l->m;
    bool taken[LESSON_MOST] = {0};
    int32_t visible = 0;
    for (int32_t j = 0; j < l->m; j++) {
        visible += !hidden(l, m->row, j);
    }
    int32_t rows = AS_MIN(p->mix_n, visible);
    for (int32_t k = 0; k < rows; k++) {
        int32_t best = -1;
        for (int32_t j = 0; j < l->m; j++) {
            if (!taken[j] && !hidden(l, m->row, j) && (best < 0 || w[j] > w[best])) {
                best = j;
            }
        }
        taken[best] = true;
    }
    m->others_share = l->elsewhere[m->row];
    m->others = l->elsewhere[m->row] > 0;
    for (int32_t j = 0; j < l->m; j++) {
        if (taken[j]) {
            m->keys[m->n++] = j;
        } else if (!hidden(l, m->row, j)) {
            m->others = true;
            m->others_share += w[j];
        }
    }
}

/* Mean value of what has no row of its own: what they add, divided by their share. */
static float others_value(const Lesson *l, const Mix *m, int32_t d)
{
    double sum = (double)m->output[d];
    for (int32_t k = 0; k < m->n; k++) {
        sum -= (double)l->weights[m->row * l->m + m->keys[k]] *
               (double)l->v[(ptrdiff_t)m->keys[k] * l->head_dim + d];
    }
    return m->others_share > 1e-6f ? (float)(sum / (double)m->others_share) : 0;
}

static void draw_mix_row(PanelB *p, const Mix *m, int32_t k, float y)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    bool rest = k == m->n;
    int32_t j = rest ? -1 : m->keys[k];
    float share = rest ? m->others_share : l->weights[m->row * l->m + j];
    float h = fminf(22, p->row - 4);
    Role role = role_v(ui);
    if (rest) {
        ui_label(ui, rect(p->in.x, y, p->chip_w + 4, h),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_CENTER}, "others");
    } else {
        teach_token(s->c, rect(p->in.x, y, p->chip_w, h), l->keys.first + j, true, false, 11);
    }
    ui_label(ui, rect(p->in.x + p->chip_w + 6, y, 40, h),
             &(UiLabel){.face = FONT_MONO_MEDIUM,
                        .size = 12,
                        .align = DRAW_RIGHT,
                        .color = role_softmax(ui).text},
             teach_fixed(ui, (double)share, 2));
    teach_formula(ui, rect(p->in.x + p->chip_w + 50, y, 30, h),
                  &(Formula){.size = 15, .color = role.text}, rest ? "× v" : "× v");
    for (int32_t d = 0; d < m->dims; d++) {
        float v = rest ? others_value(l, m, m->first + d)
                       : l->v[(ptrdiff_t)j * l->head_dim + m->first + d];
        draw_push_alpha(ui->list, phase_of(s->t, 4.8 + 0.1 * k, (int)d, 0.04, 0.3));
        teach_cell(
            ui, &(ValueCell){.box = {m->cells_x + m->pitch * (float)d, y, m->pitch - 3, h},
                             .value = v,
                             .amount = 0.15f + 0.85f * share, /* opacity of v cells is the weight */
                             .role = role,
                             .tip = draw_format(ui->list, "%s[%d] = %.6f, share %.6f",
                                                rest ? "mean v of the others" : "v", m->first + d,
                                                (double)v, (double)share)});
        draw_pop_alpha(ui->list);
    }
    teach_more(ui, rect(m->cells_x + m->pitch * (float)m->dims + 2, y, 34, h), m->more, m->first);
}

/* The first shown column added up, term by term. */
static void draw_column(PanelB *p, const Mix *m, Rect box)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    int32_t rows = m->n + m->others;
    teach_well(ui, box, color_mix(ui->theme.card, ui->theme.tint_b, 0.2f), ui->theme.edge, 1);
    ui_label(ui, rect(box.x + 10, box.y + 4, box.w - 20, 20),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 12, .color = ui->theme.text},
             "Read down a column");
    float line = fminf(18, (box.h - 30 - 24) / (float)rows);
    float y = box.y + 26;
    UiLabel mono = {.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT};
    for (int32_t k = 0; k < rows; k++) {
        bool rest = k == m->n;
        float share = rest ? m->others_share : l->weights[m->row * l->m + m->keys[k]];
        float v = rest ? others_value(l, m, m->first)
                       : l->v[(ptrdiff_t)m->keys[k] * l->head_dim + m->first];
        draw_push_alpha(ui->list, phase_of(s->t, 5.2, (int)k, 0.12, 0.3));
        ui_label(ui, rect(box.x + 8, y, box.w - 18, line), &mono,
                 draw_format(ui->list, "%s%s × %s", k ? "+ " : "",
                             teach_fixed(ui, (double)share, 2), teach_number(ui, v)));
        draw_pop_alpha(ui->list);
        y += line;
    }
    ui_hairline_h(ui, box.x + 10, y + 2, box.w - 20);
    mono.color = ui->theme.v_text;
    mono.face = FONT_MONO_SEMIBOLD;
    draw_push_alpha(ui->list, phase(s->t, 5.5, 5.8));
    ui_label(ui, rect(box.x + 8, y + 4, box.w - 18, 18), &mono,
             draw_format(ui->list, "= %s", teach_number(ui, m->output[m->first])));
    draw_pop_alpha(ui->list);
}

static void draw_mix(PanelB *p, float y)
{
    MechanismScene *s = p->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    Role role = role_v(ui);
    Mix m = {.row = chosen_row(l)};
    section_head(p, y, 3, role,
                 draw_format(ui->list, "Mix the values with the shares of “%s”",
                             label_of(s->c, l->rows.first + m.row)),
                 l->ablated ? "switched off: output 0" : "");
    y += HEAD_H + 2;
    if (!l->has_values) {
        ui_paragraph(ui, rect(p->in.x, y, p->in.w, 40), &(UiLabel){.face = FONT_SANS, .size = 12},
                     18, "Values are not held in this record (run with --store all).");
        return;
    }
    m.output = l->outputs + ((ptrdiff_t)l->head * l->n + m.row) * l->head_dim;
    choose_mix(p, &m);
    int32_t rows = m.n + m.others;
    m.cells_x = p->in.x + p->chip_w + 84;
    bool column = p->in.w >= 520 && (float)(rows + 1) * p->row >= 96 && !l->ablated;
    float column_w = column ? 148 : 0;
    float room = p->in.x + p->in.w - m.cells_x - (column ? column_w + 10 : 0);
    m.pitch = room < 240 ? 44 : 47;
    int32_t first = AS_MIN(s->c->session->selection.dim, l->head_dim - 1);
    m.dims = teach_dims(room, m.pitch, 0, l->head_dim, &m.more);
    m.first = AS_CLAMP(first, 0, AS_MAX(l->head_dim - m.dims, 0));
    for (int32_t k = 0; k < rows; k++) {
        draw_mix_row(p, &m, k, y + p->row * (float)k);
    }
    float out_y = y + p->row * (float)rows + 5;
    float h = fminf(22, p->row - 2);
    float cells_w = m.pitch * (float)m.dims;
    draw_rect(ui->list, &(DrawRect){.box = {p->in.x, ui_snap(ui, out_y - 4),
                                            m.cells_x + cells_w - p->in.x, 1.5f},
                                    .fill = role.fill});
    ui_label(ui, rect(p->in.x, out_y, p->chip_w + 20, h),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 12, .color = role.text}, "output");
    teach_formula(ui, rect(p->in.x + p->chip_w + 40, out_y, 40, h),
                  &(Formula){.size = 16, .color = role.text}, "\\up{Σ} o");
    float most = teach_most(m.output, (size_t)l->head_dim);
    for (int32_t d = 0; d < m.dims; d++) {
        float value = m.output[m.first + d];
        draw_push_alpha(ui->list, phase_of(s->t, 5.4, (int)d, 0.05, 0.3));
        teach_cell(ui, &(ValueCell){.box = {m.cells_x + m.pitch * (float)d, out_y, m.pitch - 3, h},
                                    .value = value,
                                    .amount = 0.35f + 0.65f * fabsf(value) / most,
                                    .role = role,
                                    .tip = draw_format(ui->list, "o[%d] = %.6f", m.first + d,
                                                       (double)value)});
        draw_pop_alpha(ui->list);
    }
    teach_more(ui, rect(m.cells_x + cells_w + 2, out_y, 34, h), m.more, m.first);
    draw_rect(ui->list, &(DrawRect){.box = {m.cells_x - 3, y - 3, m.pitch + 3, out_y + h - y + 6},
                                    .radius = 7,
                                    .border = 1.5f,
                                    .border_color = role.fill});
    teach_scroll_dims(s->c, rect(m.cells_x, y, cells_w, out_y + h - y), m.dims, l->head_dim);
    if (column) {
        draw_column(p, &m, rect(p->in.x + p->in.w - column_w, y - 3, column_w, out_y + h - y + 6));
    }
}

/* ---- the panel ---- */

/* What has no room is left out from below: rows of the mix, then bars of rows not chosen. */
static void fit_rows(PanelB *p)
{
    const Lesson *l = p->s->l;
    float fixed = 3 * HEAD_H + KEYS_H + FOOT_H + 26;
    float formula = 78;
    float room = p->in.h - fixed;
    p->bars_n = l->n;
    p->mix_n = l->m;
    int32_t rest = 0; /* a row for what is elsewhere */
    for (int32_t i = 0; i < l->n; i++) {
        rest |= l->elsewhere[i] > 0;
    }
    int32_t lines = 2 * l->n + l->m + 1 + rest;
    p->has_formula = (room - formula) / (float)lines >= 19;
    room -= p->has_formula ? formula : 0;
    if (room / (float)lines < 17 && l->n > 1) {
        p->bars_n = 1;
        lines = l->n + 1 + l->m + 1 + rest;
    }
    while (room / (float)lines < 17 && p->mix_n > 2) {
        p->mix_n--;
        lines -= rest; /* the first that is left out needs the row for the rest */
        rest = 1;
    }
    p->row = AS_CLAMP(floorf(room / (float)lines), 13, 34);
    p->air = AS_CLAMP(floorf((room - p->row * (float)lines) / 3), 0, 16);
}

void mechanism_panel_b(MechanismScene *s)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    PanelB p = {.s = s};
    p.in = mechanism_panel(s, s->b, ui->theme.tint_b, role_score(ui), "B",
                           "Scaled dot-product attention", "softmax per row, scale √d_k");
    p.chip_w = AS_CLAMP(floorf(p.in.w * 0.115f), 48, 56);
    p.grid_x = p.in.x + p.chip_w + 8;
    fit_rows(&p);
    float y = p.in.y - 2;
    if (p.has_formula) {
        Rect box = {p.in.x, y, p.in.w, 66};
        teach_well(ui, box, color_mix(ui->theme.card, ui->theme.tint_b, 0.1f), ui->theme.edge, 1);
        teach_formula(ui, rect_inset(box, 8), &(Formula){.size = 20},
                      "\\up{Attention}\\paren{\\c1{Q} , \\c2{K} , \\c3{V}} = \\c5{\\up{softmax}}"
                      "\\paren{\\frac{\\c1{Q} \\c2{K}^{\\up{T}}}{\\sqrt{d_k}}} \\c3{V}");
        y += 78;
    }
    y = draw_scores(&p, y) + p.air;
    y = draw_softmax(&p, y) + p.air;
    draw_mix(&p, y);
    (void)l;
}
