#include "views/steps.h"

#include <math.h>

/* Softmax and the mix of values: what is made of the scores. */

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
    steps_current_cell(s, after, &i, &j);
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
    Rect from;
    draw_sum(s, three[1], i, AS_MIN(out.first + j, l->head_dim - 1), &from);
    out.flight.from = steps_from_box;
    out.flight.payload = &from;
    step_matrix_draw(s, &out);
}

void scene_mix(StepsScene *s)
{
    if (!s->l->has_values) {
        steps_missing(s, s->layout.main, STEPS_LACK_VALUES);
        return;
    }
    Rect three[3];
    steps_three(s, three);
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
    if (!s->l->has_values) {
        steps_missing(s, s->layout.main, STEPS_LACK_VALUES);
        return;
    }
    /* M is added, then softmax, then the mix: three matrices, one after the other. */
    Rect three[3];
    steps_thirds(s, three);
    StepMatrix scores = matrix_of_scores(s);
    scores.title = "S = Q Kᵀ / √d_k + M";
    scores.note = "the mask is added: hatched cells are −∞ now";
    StepMatrix weights = matrix_of_weights(s);
    weights.title = "A = softmax(S)";
    weights.note = "every row adds up to 1";
    StepMatrix out = matrix_of_output(s);
    out.title = "A V";
    out.note = "the values, mixed by the shares";
    step_matrix_place(s, &scores, three[0]);
    step_matrix_place(s, &weights, three[1]);
    step_matrix_place(s, &out, three[2]);
    double third = s->length / 3;
    scores.flight = (Flight){.start = 0.2, .end = third};
    weights.flight =
        (Flight){.start = third, .end = 2 * third, .from = steps_from_same, .payload = &scores};
    out.flight = (Flight){
        .start = 2 * third, .end = s->length - 0.4, .from = from_lower, .payload = &weights};
    step_matrix_draw(s, &scores);
    step_matrix_draw(s, &weights);
    step_matrix_draw(s, &out);
}
