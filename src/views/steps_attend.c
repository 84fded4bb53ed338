#include "views/steps.h"

#include <math.h>

/* Scores, scale, mask, softmax, mix: what happens inside one head. */

/* ---- flights ---- */

typedef struct FromBox {
    Rect box;
} FromBox;

static Rect from_box(const void *payload, int32_t i, int32_t j)
{
    (void)i;
    (void)j;
    return ((const FromBox *)payload)->box;
}

static Rect from_same(const void *payload, int32_t i, int32_t j)
{
    return step_matrix_cell(payload, i, j);
}

/* Where the animation is: the cell on its way, else the selected query's. */
static void current_cell(StepsScene *s, const StepMatrix *m, int32_t *i, int32_t *j)
{
    const Lesson *l = s->l;
    if (step_matrix_current(s, m, i, j)) {
        return;
    }
    bool before = m->flight.end > 0 && s->t <= m->flight.start;
    *i = before ? 0 : s->row;
    *j = before ? 0 : AS_CLAMP(s->session->selection.key - l->keys.first, 0, l->m - 1);
}

/* ---- q . k ---- */

/* The dot product of one pair, term by term: the largest first, the rest as one. */
static Rect draw_dot(StepsScene *s, Rect box, int32_t i, int32_t j)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    const float *q = l->q + (ptrdiff_t)i * l->head_dim;
    const float *k = l->k + (ptrdiff_t)j * l->head_dim;
    const char *title = draw_format(ui->list, "“%s” · “%s”", label_of(s->c, l->rows.first + i),
                                    key_label_of(s->c, l->keys.first + j));
    Rect in = steps_card(s, box, title, "multiply number by number, add up", ui->theme.text);
    float line = 26;
    int32_t rows = AS_CLAMP((int32_t)((in.h - 74) / line), 1, AS_MIN(l->head_dim, 14));
    int32_t first = AS_CLAMP(s->session->selection.dim, 0, AS_MAX(l->head_dim - rows, 0));
    float w = (in.w - 54) / 3;
    double shown = 0;
    for (int32_t d = 0; d < rows; d++) {
        float y = in.y + line * (float)d;
        float a = q[first + d], b = k[first + d];
        shown += (double)a * (double)b;
        const struct {
            float x, v;
            Role role;
            float most;
        } cells[] = {{0, a, role_q(ui), teach_most(q, (size_t)l->head_dim)},
                     {w + 20, b, role_k(ui), teach_most(k, (size_t)l->head_dim)},
                     {2 * w + 44, a * b, role_score(ui), 4}};
        for (int c = 0; c < 3; c++) {
            teach_cell(ui, &(ValueCell){.box = {in.x + cells[c].x, y, w, line - 4},
                                        .value = cells[c].v,
                                        .amount = fabsf(cells[c].v) / cells[c].most,
                                        .role = cells[c].role});
        }
        UiLabel sign = {.face = FONT_MATH, .size = 15, .align = DRAW_CENTER};
        ui_label(ui, rect(in.x + w, y, 20, line - 4), &sign, "×");
        ui_label(ui, rect(in.x + 2 * w + 20, y, 24, line - 4), &sign, "=");
    }
    teach_scroll_dims(s->c, rect(in.x, in.y, in.w, line * (float)rows), rows, l->head_dim);
    float y = in.y + line * (float)rows + 4;
    float total = l->dots[i * l->m + j];
    UiLabel mono = {.face = FONT_MONO, .size = 12, .align = DRAW_RIGHT};
    if (rows < l->head_dim) {
        ui_label(ui, rect(in.x, y, in.w, 20), &(UiLabel){.face = FONT_SANS, .size = 11},
                 draw_format(ui->list, "the other %d terms", l->head_dim - rows));
        ui_label(ui, rect(in.x, y, in.w - 6, 20), &mono,
                 teach_number(ui, (float)((double)total - shown)));
    }
    y += 24;
    draw_rect(ui->list, &(DrawRect){.box = {in.x, ui_snap(ui, y - 2), in.w, 1.5f},
                                    .fill = role_score(ui).fill});
    ui_label(ui, rect(in.x, y, in.w, 26),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 12, .color = role_score(ui).text},
             "sum = q · k");
    Rect sum = {in.x + 2 * w + 44, y + 3, w, line - 4};
    teach_cell(
        ui,
        &(ValueCell){
            .box = sum, .value = total, .amount = 0.8f, .role = role_score(ui), .strong = true});
    return sum;
}

static void highlight(StepsScene *s, const StepMatrix *m, int32_t i, float alpha)
{
    if (i >= 0 && i < m->n) {
        draw_rect(s->c->ui->list, &(DrawRect){.box = step_matrix_row(m, i),
                                              .radius = 7,
                                              .fill = color_fade(m->role.fill, 0.14f * alpha),
                                              .border = 1.5f,
                                              .border_color = color_fade(m->role.text, alpha)});
    }
}

void scene_dots(StepsScene *s)
{
    Rect three[3];
    Ui *ui = s->c->ui;
    steps_three(s, three);
    float h = (three[0].h - 16) / 2;
    StepMatrix q = matrix_of_vectors(s, 0);
    StepMatrix k = matrix_of_vectors(s, 1);
    q.chosen = -1;
    step_matrix_place(s, &q, rect(three[0].x, three[0].y, three[0].w, h));
    step_matrix_place(s, &k, rect(three[0].x, three[0].y + h + 16, three[0].w, h));
    StepMatrix out = matrix_of_dots(s);
    out.note = "a large number: they point the same way";
    step_matrix_place(s, &out, three[2]);
    out.flight = (Flight){.start = 0.8, .end = s->length - 0.6};
    int32_t i, j;
    current_cell(s, &out, &i, &j);
    step_matrix_draw(s, &q);
    step_matrix_draw(s, &k);
    highlight(s, &q, i, 1);
    highlight(s, &k, j, 1);
    Rect row_q = step_matrix_row(&q, i);
    Rect row_k = step_matrix_row(&k, j);
    Rect to = {three[1].x, three[1].y + three[1].h * 0.2f, 1, three[1].h * 0.6f};
    row_q.x += row_q.w + 34;
    row_k.x += row_k.w + 34;
    steps_ribbon(ui, row_q, to, role_q(ui).fill, 0.3f);
    steps_ribbon(ui, row_k, to, role_k(ui).fill, 0.3f);
    FromBox from = {draw_dot(s, three[1], i, j)};
    out.flight.from = from_box;
    out.flight.payload = &from;
    out.chosen = i;
    step_matrix_draw(s, &out);
}

/* ---- scale and mask ---- */

static void draw_divide(StepsScene *s, Rect box, const StepMatrix *from, const StepMatrix *to)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    int32_t i, j;
    current_cell(s, to, &i, &j);
    Rect in = steps_card(s, box, "Divide every score",
                         draw_format(ui->list, "d_k = %d, the width of a head", l->head_dim),
                         ui->theme.text);
    float a = l->dots[i * l->m + j];
    float b = l->scores[i * l->m + j];
    float by = 1 / l->scale;
    teach_formula(ui, rect(in.x, in.y + 6, in.w, 56), &(Formula){.size = 22},
                  draw_format(ui->list, "\\c4{s_{ij}} = \\frac{\\c1{q_i} · \\c2{k_j}}{%s}",
                              l->temperature != 1 ? "T \\sqrt{d_k}" : "\\sqrt{d_k}"));
    teach_formula(ui, rect(in.x, in.y + 74, in.w, 30), &(Formula){.size = 17},
                  draw_format(ui->list, "\\sqrt{\\up{%d}} = \\up{%s}", l->head_dim,
                              teach_number(ui, sqrtf((float)l->head_dim))));
    if (l->temperature != 1 || fabsf(by - sqrtf((float)l->head_dim)) > 0.01f * by) {
        ui_label(ui, rect(in.x, in.y + 106, in.w, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_CENTER},
                 draw_format(ui->list, "here everything is divided by %s", teach_number(ui, by)));
    }
    float y = in.y + 134;
    const char *text = isinf(b) ? "masked: −∞"
                                : draw_format(ui->list, "%s ÷ %s = %s", teach_number(ui, a),
                                              teach_number(ui, by), teach_number(ui, b));
    teach_well(ui, rect(in.x, y, in.w, 40), color_mix(ui->theme.card, ui->theme.score, 0.12f),
               color_mix(ui->theme.card, ui->theme.score, 0.5f), 1);
    ui_label(ui, rect(in.x + 8, y, in.w - 16, 40),
             &(UiLabel){.face = FONT_MONO_MEDIUM,
                        .size = 13,
                        .align = DRAW_CENTER,
                        .color = role_score(ui).text},
             text);
    if (in.h > 260) {
        RichText words = {.size = 12, .line = 18};
        teach_rich(ui, rect(in.x, y + 54, in.w, in.h - (y - in.y) - 54), &words,
                   draw_format(ui->list,
                               "A sum of %d products spreads about *√%d = %s* times as wide as one "
                               "product. Dividing by it brings scores back to a size that softmax "
                               "can work with.",
                               l->head_dim, l->head_dim,
                               teach_number(ui, sqrtf((float)l->head_dim))));
    }
    (void)from;
}

void scene_scale(StepsScene *s)
{
    Rect three[3];
    const Lesson *l = s->l;
    steps_three(s, three);
    StepMatrix dots = matrix_of_dots(s);
    dots.hidden_where = NULL;
    step_matrix_place(s, &dots, three[0]);
    StepMatrix out = matrix_of_scores(s);
    bool masked = false;
    for (int32_t i = 0; i < l->n * l->m; i++) {
        masked |= isinf(l->scores[i]);
    }
    out.note =
        masked ? "hatched: masked to −∞, whatever the score" : "the same order, a calmer range";
    step_matrix_place(s, &out, three[2]);
    out.flight =
        (Flight){.start = 0.6, .end = s->length - 0.6, .from = from_same, .payload = &dots};
    step_matrix_draw(s, &dots);
    draw_divide(s, three[1], &dots, &out);
    step_matrix_draw(s, &out);
}

static void draw_mask_matrix(StepsScene *s, Rect box)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    StepMatrix m = matrix_of_scores(s);
    m.title = "M, the mask";
    m.note = "drawn before any score exists, then added to all of them";
    m.role = role_plain(ui);
    step_matrix_place(s, &m, box);
    m.n = 0; /* frame and foot only: the cells are 0 or −∞ */
    ui_card(ui, box);
    Rect in = steps_card(s, box, m.title, m.note, ui->theme.text);
    (void)in;
    for (int32_t i = 0; i < l->n; i++) {
        Rect chip = {m.cells.x - m.label_w - 4, m.cells.y + m.pitch_y * (float)i, m.label_w,
                     m.pitch_y - 4};
        teach_token(s->c, chip, l->rows.first + i, false, i == s->row, 11);
        for (int32_t j = 0; j < l->m; j++) {
            Rect cell = step_matrix_cell(&m, i, j);
            bool hidden = isinf(l->scores[i * l->m + j]);
            /* The mask falls: each of its cells drops into place, row by row. */
            float p = phase_of(s->t, 0.5 + 0.35 * i, (int)j, 0.06, 0.6);
            if (!hidden) {
                draw_push_alpha(ui->list, phase_of(s->t, 0.2, (int)i, 0.08, 0.4));
                teach_cell(ui, &(ValueCell){.box = cell,
                                            .role = role_plain(ui),
                                            .amount = 0.05f,
                                            .text = "0",
                                            .tip = "may be looked at: adds 0"});
                draw_pop_alpha(ui->list);
                continue;
            }
            cell.y -= (1 - p) * (cell.y - box.y - 40);
            draw_push_alpha(ui->list, p);
            teach_masked_cell(ui, cell, "may not be looked at: adds −∞, the share becomes 0");
            ui_label(ui, cell, &(UiLabel){.face = FONT_MATH, .size = 14, .align = DRAW_CENTER},
                     "−∞");
            draw_pop_alpha(ui->list);
        }
    }
    for (int32_t j = 0; j < l->m; j++) {
        ui_label(ui, rect(m.cells.x + m.pitch_x * (float)j - 1, m.cells.y - 18, m.pitch_x, 18),
                 &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 11, .align = DRAW_CENTER},
                 key_label_of(s->c, l->keys.first + j));
    }
}

/* Who may look at whom, as a sentence a row. */
static void draw_mask_words(StepsScene *s, Rect box)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    const TraceLayer *layer = trace_layer(s->session->trace, l->layer);
    Rect in = steps_card(s, box, "Who may look at whom",
                         layer->causal   ? "each word sees itself and what came before"
                         : layer->window ? "each word sees its neighbourhood"
                                         : "nothing is masked: every word sees every word",
                         ui->theme.text);
    float line = fminf(40, in.h / (float)l->n);
    for (int32_t i = 0; i < l->n; i++) {
        int32_t first, end;
        trace_visible_keys(s->session->trace, l->layer, l->rows.first + i, &first, &end);
        float y = in.y + line * (float)i;
        draw_push_alpha(ui->list, phase_of(s->t, 0.5, (int)i, 0.35, 0.5));
        teach_token(s->c, rect(in.x, y, 70, fminf(line - 6, 28)), l->rows.first + i, false,
                    i == s->row, 12);
        int32_t n_keys = trace_info(s->session->trace)->n_keys;
        ui_label(ui, rect(in.x + 84, y, in.w - 84, fminf(line - 6, 28)),
                 &(UiLabel){.face = FONT_SANS, .size = 12},
                 end - first >= n_keys ? draw_format(ui->list, "all %d tokens", n_keys)
                                       : draw_format(ui->list, "tokens %d to %d: %d of %d", first,
                                                     end - 1, end - first, n_keys));
        draw_pop_alpha(ui->list);
    }
}

void scene_mask(StepsScene *s)
{
    Rect main = s->layout.main;
    float w = floorf(main.w * 0.55f);
    draw_mask_matrix(s, rect(main.x, main.y, w, main.h));
    draw_mask_words(s,
                    rect(main.x + w + s->layout.gap, main.y, main.w - w - s->layout.gap, main.h));
}

/* ---- softmax ---- */

typedef struct Exponent {
    float scores[LESSON_MOST], e[LESSON_MOST];
    double rest, sum; /* of keys elsewhere; of all */
    float shift;      /* subtracted before the exponential where numbers would be huge */
} Exponent;

static Exponent exponent_of(const Lesson *l, int32_t i)
{
    Exponent x = {0};
    float most = -INFINITY;
    for (int32_t j = 0; j < l->m; j++) {
        x.scores[j] = l->scores[i * l->m + j];
        most = fmaxf(most, x.scores[j]);
    }
    float peak = fmaxf(most, l->row_sum[i]);
    x.shift = isinf(peak) || fabsf(peak) < 12 ? 0 : roundf(peak);
    x.sum = exp((double)l->row_sum[i] - (double)x.shift);
    x.rest = x.sum;
    for (int32_t j = 0; j < l->m; j++) {
        double e = isinf(x.scores[j]) ? 0 : exp((double)x.scores[j] - (double)x.shift);
        x.e[j] = (float)e;
        x.rest -= e;
    }
    x.rest = l->elsewhere[i] > 0 ? fmax(x.rest, 0) : 0;
    return x;
}

static const char *e_number(Ui *ui, double value)
{
    return value >= 9999.5              ? draw_format(ui->list, "%.1e", value)
           : value > 0 && value < 0.005 ? draw_format(ui->list, "%.0e", value)
                                        : teach_number(ui, (float)value);
}

typedef struct Middle {
    Rect in;
    float row_h;
    int32_t i;
    Rect shares[LESSON_MOST]; /* where the shares stand: cells start there */
} Middle;

static Rect from_share(const void *payload, int32_t i, int32_t j)
{
    (void)i;
    return ((const Middle *)payload)->shares[j];
}

static void draw_exponents(StepsScene *s, Middle *mid, Rect box)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    Exponent x = exponent_of(l, mid->i);
    int percents[LESSON_MOST];
    int rest;
    const float *w = l->weights + (ptrdiff_t)mid->i * l->m;
    lesson_percents(w, l->m, l->elsewhere[mid->i], percents, &rest);
    const char *in_note = box.w < 180 ? "as shares" : "exponentiate, add up, divide";
    Rect in = steps_card(s, box,
                         draw_format(ui->list, "Row “%s”", label_of(s->c, l->rows.first + mid->i)),
                         in_note, ui->theme.text);
    mid->in = in;
    bool others = l->elsewhere[mid->i] > 0;
    int32_t rows = l->m + others;
    float line = mid->row_h = fminf(58, (in.h - 22 - 62) / (float)rows);
    /* A narrow card has no room for the exponentials, a very narrow one for shares alone. */
    bool narrow = in.w < 205;
    float name_w = 50;
    float xs = in.x + name_w, ws = in.w < 140 ? 0 : 48;
    float xe = xs + ws + 8, we = narrow ? 0 : (in.w - name_w - ws - 16) / 2;
    float xp = narrow ? xs + ws + 4 : xe + we + 8, wp = narrow ? in.x + in.w - xp : we;
    Formula head = {.size = 15, .color = ui->theme.text};
    if (ws > 0) {
        teach_formula(ui, rect(xs, in.y - 2, ws, 22), &head, "\\c4{s}");
    }
    if (!narrow) {
        teach_formula(ui, rect(xe, in.y - 2, we, 22), &head,
                      x.shift != 0 ? draw_format(ui->list, "e^{s − \\up{%g}}", (double)x.shift)
                                   : "e^{s}");
    }
    teach_formula(ui, rect(xp, in.y - 2, wp, 22), &head, "\\c5{÷ \\up{Σ}}");
    double most_e = x.rest;
    for (int32_t j = 0; j < l->m; j++) {
        most_e = fmax(most_e, (double)x.e[j]);
    }
    UiLabel mono = {.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT, .color = ui->theme.text};
    for (int32_t j = 0; j < rows; j++) {
        bool is_rest = j == l->m;
        float y = in.y + 22 + line * (float)j;
        float h = line - 6;
        bool hidden = !is_rest && isinf(x.scores[j]);
        float share = is_rest ? l->elsewhere[mid->i] : w[j];
        double e = is_rest ? x.rest : (double)x.e[j];
        if (is_rest) {
            ui_label(ui, rect(in.x, y, name_w + ws - 4, h),
                     &(UiLabel){.face = FONT_SANS, .size = 11},
                     name_w + ws < 60 ? "others" : "elsewhere");
        } else {
            float chip_h = fminf(h, 28);
            teach_token(s->c, rect(in.x, y + (h - chip_h) / 2, name_w - 6, chip_h),
                        l->keys.first + j, true, false, 11);
            mono.color = role_score(ui).text;
            if (ws > 0) {
                ui_label(ui, rect(xs, y, ws, h), &mono,
                         hidden ? "masked" : teach_number(ui, x.scores[j]));
            }
        }
        mono.color = ui->theme.text;
        if (!narrow) {
            float num = 50;
            float bar_e = most_e > 0 ? (float)(e / most_e) * (we - num) : 0;
            draw_rect(ui->list, &(DrawRect){.box = {xe, y + h / 2 - 6, bar_e, 12},
                                            .radius = 2,
                                            .fill = color_mix(ui->theme.card, ui->theme.q, 0.7f)});
            ui_label(ui, rect(xe, y, we, h), &mono, hidden ? "0" : e_number(ui, e));
        }
        draw_rect(ui->list, &(DrawRect){.box = {xp, y + h / 2 - 6, share * fmaxf(wp - 42, 0), 12},
                                        .radius = 2,
                                        .fill = role_softmax(ui).fill});
        mono.color = role_softmax(ui).text;
        ui_label(ui, rect(xp, y, wp, h), &mono,
                 draw_format(ui->list, "%d %%", is_rest ? rest : percents[j]));
        mid->shares[AS_MIN(j, LESSON_MOST - 1)] =
            is_rest ? mid->shares[LESSON_MOST - 1] : rect(xp + wp - 40, y, 40, h);
    }
    float y = in.y + 22 + line * (float)rows + 2;
    if (!narrow) {
        draw_rect(ui->list,
                  &(DrawRect){.box = {xe, ui_snap(ui, y), we, 1.5f}, .fill = ui->theme.q});
        mono.color = ui->theme.text;
        ui_label(ui, rect(xe, y + 4, we, 22), &mono,
                 draw_format(ui->list, "Σ %s", e_number(ui, x.sum)));
    }
    draw_rect(ui->list,
              &(DrawRect){.box = {xp, ui_snap(ui, y), wp, 1.5f}, .fill = role_softmax(ui).fill});
    ui_label(ui, rect(in.x, y + 4, name_w + ws, 22), &(UiLabel){.face = FONT_SANS, .size = 11},
             "add up");
    mono.color = role_softmax(ui).text;
    ui_label(ui, rect(xp, y + 4, wp, 22), &mono, wp < 50 ? "100 %" : "Σ 100 %");
    int32_t j = AS_CLAMP(s->session->selection.key - l->keys.first, 0, l->m - 1);
    if (!narrow && !isinf(x.scores[j]) && y + 50 <= box.y + box.h) {
        mono.color = ui->theme.text;
        ui_label(ui, rect(in.x, y + 28, in.w * 0.4f, 20), &(UiLabel){.face = FONT_SANS, .size = 11},
                 draw_format(ui->list, "for “%s”", key_label_of(s->c, l->keys.first + j)));
        ui_label(ui, rect(in.x, y + 28, in.w, 20), &mono,
                 draw_format(ui->list, "%s ÷ %s = %s", e_number(ui, (double)x.e[j]),
                             e_number(ui, x.sum), teach_fixed(ui, (double)w[j], 2)));
    }
}

static void draw_softmax(StepsScene *s, Rect three[3], StepMatrix *before, StepMatrix *after)
{
    Ui *ui = s->c->ui;
    step_matrix_place(s, before, three[0]);
    step_matrix_place(s, after, three[2]);
    after->flight.start = 1.0;
    after->flight.end = s->length - 0.8;
    int32_t i, j;
    current_cell(s, after, &i, &j);
    before->chosen = after->chosen = i;
    Middle mid = {.i = i};
    step_matrix_draw(s, before);
    Rect row = step_matrix_row(before, i);
    Rect open = {three[1].x, three[1].y + 76, 1, three[1].h - 150};
    Rect start = {row.x + row.w, row.y, 1, row.h};
    steps_ribbon(ui, start, open, role_score(ui).fill, 1);
    draw_exponents(s, &mid, three[1]);
    Rect shut = {three[1].x + three[1].w, open.y, 1, open.h};
    Rect target = step_matrix_row(after, i);
    target.w = 1;
    draw_push_alpha(ui->list, 1);
    after->flight.from = from_share;
    after->flight.payload = &mid;
    step_matrix_draw(s, after);
    target.x = after->box.x;
    steps_ribbon(ui, rect(shut.x, shut.y, 1, shut.h), target, role_softmax(ui).fill, 1);
    draw_pop_alpha(ui->list);
}

void scene_softmax(StepsScene *s)
{
    Rect three[3];
    steps_three(s, three);
    StepMatrix before = matrix_of_scores(s);
    before.title = "Before: scaled scores";
    before.note = "any real number, rows are queries";
    StepMatrix after = matrix_of_weights(s);
    after.title = "After: weights";
    after.note = "0 to 1, every row adds up to 1";
    draw_softmax(s, three, &before, &after);
}

/* ---- the mix ---- */

static void draw_sum(StepsScene *s, Rect box, int32_t i, int32_t column, Rect *result)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    const float *w = l->weights + (ptrdiff_t)i * l->m;
    int32_t d = column;
    Rect in = steps_card(
        s, box, draw_format(ui->list, "Dimension %d of “%s”", d, label_of(s->c, l->rows.first + i)),
        "share × value, added up", ui->theme.text);
    bool others = l->elsewhere[i] > 0;
    int32_t rows = l->m + others;
    float line = fminf(34, (in.h - 44) / (float)rows);
    float part = (in.w - 70) / 3;
    for (int32_t j = 0; j < rows; j++) {
        bool rest = j == l->m;
        float y = in.y + line * (float)j;
        float h = line - 5;
        float share = rest ? l->elsewhere[i] : w[j];
        float add = rest ? l->rest[(ptrdiff_t)i * l->head_dim + d]
                         : share * l->v[(ptrdiff_t)j * l->head_dim + d];
        float v = rest ? (share > 0 ? add / share : 0) : l->v[(ptrdiff_t)j * l->head_dim + d];
        if (rest) {
            ui_label(ui, rect(in.x, y, 50, h), &(UiLabel){.face = FONT_SANS, .size = 11}, "others");
        } else {
            teach_token(s->c, rect(in.x, y, 46, fminf(h, 26)), l->keys.first + j, true, false, 11);
        }
        teach_cell(ui, &(ValueCell){.box = {in.x + 52, y, part - 4, h},
                                    .value = share,
                                    .text = teach_fixed(ui, (double)share, 2),
                                    .amount = share,
                                    .role = role_softmax(ui)});
        teach_cell(ui, &(ValueCell){.box = {in.x + 58 + part, y, part - 4, h},
                                    .value = v,
                                    .amount = 0.15f + 0.85f * share,
                                    .role = role_v(ui)});
        ui_label(
            ui, rect(in.x + 62 + 2 * part, y, part, h),
            &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT, .color = ui->theme.text},
            draw_format(ui->list, "%s%s", add < 0 ? "" : "+", teach_number(ui, add)));
    }
    float y = in.y + line * (float)rows + 2;
    float total = l->outputs[((ptrdiff_t)l->head * l->n + i) * l->head_dim + d];
    draw_rect(ui->list,
              &(DrawRect){.box = {in.x, ui_snap(ui, y), in.w, 1.5f}, .fill = role_v(ui).fill});
    ui_label(ui, rect(in.x, y + 5, 120, 26),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 12, .color = role_v(ui).text},
             l->ablated ? "switched off: 0" : "output");
    *result = rect(in.x + in.w - part, y + 6, part, 24);
    teach_cell(
        ui,
        &(ValueCell){
            .box = *result, .value = total, .amount = 0.8f, .role = role_v(ui), .strong = true});
}

static void draw_mix(StepsScene *s, const Rect three[3])
{
    const Lesson *l = s->l;
    Rect left = three[0];
    float h = (left.h - 16) / 2;
    StepMatrix w = matrix_of_weights(s);
    StepMatrix v = matrix_of_vectors(s, 2);
    step_matrix_place(s, &w, rect(left.x, left.y, left.w, h));
    step_matrix_place(s, &v, rect(left.x, left.y + h + 16, left.w, h));
    StepMatrix out = matrix_of_output(s);
    out.note = "each row: the values, mixed by the row's shares";
    step_matrix_place(s, &out, three[2]);
    out.flight = (Flight){.start = fmax(0.8, s->length * 0.12), .end = s->length - 0.6};
    int32_t i, j;
    if (!step_matrix_current(s, &out, &i, &j)) {
        i = s->row;
        j = 0;
    }
    w.chosen = out.chosen = i;
    step_matrix_draw(s, &w);
    step_matrix_draw(s, &v);
    Rect column = {step_matrix_cell(&v, 0, AS_MIN(j, v.m - 1)).x - 2, v.cells.y - 3, v.pitch_x,
                   v.cells.h + 4};
    draw_rect(s->c->ui->list, &(DrawRect){.box = column,
                                          .radius = 6,
                                          .border = 1.5f,
                                          .border_color = role_v(s->c->ui).text});
    FromBox from;
    draw_sum(s, three[1], i, AS_MIN(out.first + j, l->head_dim - 1), &from.box);
    out.flight.from = from_box;
    out.flight.payload = &from;
    step_matrix_draw(s, &out);
}

static void no_values(StepsScene *s)
{
    ui_card(s->c->ui, s->layout.main);
    ui_paragraph(s->c->ui, rect_inset(s->layout.main, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 13}, 20,
                 "Values are not held in this record: run with --store all.");
}

void scene_mix(StepsScene *s)
{
    Rect three[3];
    steps_three(s, three);
    if (!s->l->has_values) {
        no_values(s);
        return;
    }
    draw_mix(s, three);
}

/* ---- the six-step course: everything inside a head in one step ---- */

static Rect from_lower(const void *payload, int32_t i, int32_t j)
{
    (void)j;
    const StepMatrix *m = payload;
    return step_matrix_cell(m, i, m->m - 1);
}

void scene_attend(StepsScene *s)
{
    const Lesson *l = s->l;
    Rect three[3];
    StepsScene part = *s;
    steps_three(s, three);
    if (!l->has_values) {
        no_values(s);
        return;
    }
    /* M is added, then softmax, then the mix: three matrices, one after the other. */
    float w = (s->layout.main.w - 2 * s->layout.gap) / 3;
    for (int k = 0; k < 3; k++) {
        three[k] = rect(s->layout.main.x + (w + s->layout.gap) * (float)k, s->layout.main.y, w,
                        s->layout.main.h);
    }
    StepMatrix scores = matrix_of_scores(s);
    scores.title = "S = Q Kᵀ / √d_k + M";
    scores.note = "the mask is added: hatched cells are −∞ now";
    StepMatrix weights = matrix_of_weights(s);
    weights.title = "A = softmax(S)";
    weights.note = "every row adds up to 1";
    StepMatrix out = matrix_of_output(s);
    out.title = "A V";
    out.note = "the values, mixed by the shares";
    step_matrix_place(&part, &scores, three[0]);
    step_matrix_place(&part, &weights, three[1]);
    step_matrix_place(&part, &out, three[2]);
    double third = s->length / 3;
    scores.flight = (Flight){.start = 0.2, .end = third};
    weights.flight =
        (Flight){.start = third, .end = 2 * third, .from = from_same, .payload = &scores};
    out.flight = (Flight){
        .start = 2 * third, .end = s->length - 0.4, .from = from_lower, .payload = &weights};
    step_matrix_draw(&part, &scores);
    step_matrix_draw(&part, &weights);
    step_matrix_draw(&part, &out);
}
