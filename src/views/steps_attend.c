#include "views/steps.h"

#include <math.h>

/* Scores, scale, mask, softmax, mix: what happens inside one head. */

/* ---- flights ---- */

Rect steps_from_box(const void *payload, int32_t i, int32_t j)
{
    (void)i;
    (void)j;
    return *(const Rect *)payload;
}

Rect steps_from_same(const void *payload, int32_t i, int32_t j)
{
    return step_matrix_cell(payload, i, j);
}

void steps_current_cell(StepsScene *s, const StepMatrix *m, int32_t *i, int32_t *j)
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
    steps_current_cell(s, &out, &i, &j);
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
    Rect from = draw_dot(s, three[1], i, j);
    out.flight.from = steps_from_box;
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
    steps_current_cell(s, to, &i, &j);
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
        (Flight){.start = 0.6, .end = s->length - 0.6, .from = steps_from_same, .payload = &dots};
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
