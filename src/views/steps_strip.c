#include "views/steps.h"

#include <math.h>

/* One row several times, as bars of shares: at three temperatures; with and without the division by
 * the root of d_k; before and after a what-if. */

typedef struct Bar {
    const char *name;     /* formula markup */
    const float *weights; /* [n_keys] */
    bool chosen;
} Bar;

static void part_box(StepsScene *s, Rect box, int32_t key, double share, bool rest)
{
    Ui *ui = s->c->ui;
    if (box.w < 0.4f) {
        return;
    }
    Color color = rest ? ui->theme.edge2 : key_token_color(s->c, key);
    Color fill = color_mix(ui->theme.card, color, ui->theme.dark ? 0.5f : 0.42f);
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = fminf(4, box.w / 2),
                                    .fill = fill,
                                    .border = box.w > 4 ? 1 : 0,
                                    .border_color = color_mix(ui->theme.card, color, 0.8f)});
    const char *number = draw_format(ui->list, "%.0f %%", 100 * share);
    const char *name = rest ? "elsewhere" : key_label_of(s->c, key);
    float number_w = ui_text_width(ui, FONT_MONO, 11, number);
    Color on = color_readable(fill, color_hex(0x04060C), color_hex(0xFFFFFF));
    bool both = box.w >= number_w + 40;
    if (both) {
        ui_label(ui, rect(box.x + 6, box.y, box.w - number_w - 16, box.h),
                 &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 11, .color = on}, name);
    }
    if (box.w >= number_w + 8) {
        ui_label(ui, rect(box.x + box.w - number_w - 5, box.y, number_w + 1, box.h),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = on}, number);
    }
    if (ui_hovers(ui, box)) {
        ui_tooltip(ui, box, draw_format(ui->list, "“%s”: %.6f", name, share));
    }
}

static void draw_bar(StepsScene *s, Rect box, const float *weights)
{
    const Lesson *l = s->l;
    double shown = 0;
    float x = box.x;
    double before = 0, after = 0;
    int32_t last = l->keys.first + l->m;
    for (int32_t j = 0; j < l->row.n_keys; j++) {
        before += j < l->keys.first ? (double)weights[j] : 0;
        after += j >= last ? (double)weights[j] : 0;
    }
    const double ends[2] = {before, after};
    float w = (float)before * box.w;
    if (before > 1e-6) {
        part_box(s, rect(x, box.y, w - (w > 3 ? 1.5f : 0), box.h), -1, ends[0], true);
        x += w;
    }
    for (int32_t j = l->keys.first; j < last; j++) {
        w = weights[j] * box.w;
        part_box(s, rect(x, box.y, w - (w > 3 ? 1.5f : 0), box.h), j, (double)weights[j], false);
        shown += (double)weights[j];
        x += w;
    }
    w = (float)after * box.w;
    if (after > 1e-6) {
        part_box(s, rect(x, box.y, w - (w > 3 ? 1.5f : 0), box.h), -1, ends[1], true);
    }
    (void)shown;
}

/* The row at another temperature, from its scores. */
static const float *at_temperature(StepsScene *s, float t)
{
    const LessonRow *row = &s->l->row;
    float *w = ARENA_ARRAY(&s->c->ui->list->arena, float, (size_t)row->n_keys, NULL);
    double most = -INFINITY, sum = 0;
    double by = (double)s->l->temperature / (double)t;
    for (int32_t j = 0; w && j < row->n_keys; j++) {
        most = fmax(most, (double)row->scores[j] * by);
    }
    for (int32_t j = 0; w && j < row->n_keys; j++) {
        double e = isinf(row->scores[j]) ? 0 : exp((double)row->scores[j] * by - most);
        w[j] = (float)e;
        sum += e;
    }
    for (int32_t j = 0; w && j < row->n_keys; j++) {
        w[j] = sum > 0 ? (float)((double)w[j] / sum) : 0;
    }
    return w ? w : row->weights;
}

const float *steps_row_scaled(StepsScene *s)
{
    const Lesson *l = s->l;
    const bool off = session_params(s->session).unscaled && l->plain_scale > 0;
    return off ? at_temperature(s, l->temperature / l->plain_scale) : l->row.weights;
}

static void draw_bars(StepsScene *s, const char *title, const char *note, const Bar *bars, int n,
                      bool gradient)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    Rect box = s->layout.strip;
    ui_card(ui, box);
    float x = box.x + 16;
    x += ui_label(ui, rect(x, box.y + 6, box.w - 32, 22),
                  &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 13, .color = ui->theme.text},
                  title) +
         14;
    float tail = gradient ? 168 : 84;
    ui_label(ui, rect(x, box.y + 6, box.x + box.w - tail - 20 - x, 22),
             &(UiLabel){.face = FONT_SANS, .size = 11}, note);
    UiLabel small = {.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT};
    float right = box.x + box.w - 16;
    ui_label(ui, rect(right - tail, box.y + 6, gradient ? 78 : tail, 22), &small, "entropy");
    if (gradient) {
        ui_label(ui, rect(right - 84, box.y + 6, 84, 22), &small, "gradient 1 − Σa²");
    }
    float line = (box.h - 36) / (float)n;
    float h = fminf(26, line - 4);
    float name_w = 84;
    Rect bar = {box.x + 16 + name_w, 0, box.w - 32 - name_w - tail - 6, h};
    for (int k = 0; k < n; k++) {
        bar.y = box.y + 30 + line * (float)k;
        float in = phase(s->t, 0.3 + 0.3 * k, 0.9 + 0.3 * k);
        draw_push_alpha(ui->list, in);
        teach_formula(
            ui, rect(box.x + 16, bar.y, name_w - 12, h),
            &(Formula){.size = 15, .color = bars[k].chosen ? ui->theme.text : ui->theme.text2},
            bars[k].name);
        if (bars[k].chosen) {
            draw_rect(ui->list, &(DrawRect){.box = rect_inset(bar, -2.5f),
                                            .radius = 6,
                                            .border = 1.5f,
                                            .border_color = role_softmax(ui).fill});
        }
        draw_bar(s, bar, bars[k].weights);
        UiLabel mono = {.face = bars[k].chosen ? FONT_MONO_SEMIBOLD : FONT_MONO,
                        .size = 11,
                        .align = DRAW_RIGHT,
                        .color = bars[k].chosen ? ui->theme.text : ui->theme.text2};
        ui_label(ui, rect(right - tail, bar.y, gradient ? 78 : tail, h), &mono,
                 draw_format(ui->list, "%.2f bits",
                             lesson_entropy_bits(bars[k].weights, l->row.n_keys)));
        if (gradient) {
            ui_label(
                ui, rect(right - 84, bar.y, 84, h), &mono,
                draw_format(ui->list, "%.3f", lesson_gradient(bars[k].weights, l->row.n_keys)));
        }
        draw_pop_alpha(ui->list);
    }
}

static bool is_scale_step(StepKind kind)
{
    return kind == STEP_SCALE || kind == STEP_DOTS;
}

bool steps_has_strip(StepKind kind)
{
    switch (kind) {
    case STEP_DOTS:
    case STEP_SCALE:
    case STEP_SOFTMAX:
    case STEP_MIX:
    case STEP_ATTEND:
    case STEP_FLOW_WEIGHT:
    case STEP_FLOW_VALUE:
        return true;
    default:
        return false;
    }
}

void steps_strip(StepsScene *s)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    if (s->layout.strip.h < 60) {
        return;
    }
    const char *query = label_of(s->c, l->query);
    if (l->row.before && !is_scale_step(s->kind)) {
        const Bar bars[] = {{"\\up{before}", l->row.before, false},
                            {"\\up{now}", l->row.weights, true}};
        draw_bars(s, draw_format(ui->list, "“%s” before and now", query),
                  s->session->baseline ? "the unchanged run, and the one with the change"
                                       : "local: this layer's softmax with and without the change",
                  bars, 2, true);
    } else if (is_scale_step(s->kind)) {
        const Bar bars[] = {{"q · k", l->row.raw, false},
                            {"÷ \\sqrt{d_k}", at_temperature(s, l->temperature), true}};
        /* Of an unscaled run the traced scores are the raw ones: the other row is made of them. */
        bool off = session_params(s->session).unscaled;
        const Bar off_bars[] = {{"q · k", l->row.weights, true},
                                {"÷ \\sqrt{d_k}", steps_row_scaled(s), false}};
        draw_bars(s, draw_format(ui->list, "The row “%s” with and without ÷ √d_k", query),
                  "the same scores, the same softmax", off ? off_bars : bars, 2, true);
    } else {
        const float t = l->temperature;
        const Bar bars[] = {
            {draw_format(ui->list, "T = \\up{%g}", (double)t * 0.5), at_temperature(s, t * 0.5f),
             false},
            {draw_format(ui->list, "T = \\up{%g}", (double)t), l->row.weights, true},
            {draw_format(ui->list, "T = \\up{%g}", (double)t * 2), at_temperature(s, t * 2),
             false}};
        draw_bars(s, "The same row at three temperatures",
                  "keys in reading order; colours are the tokens", bars,
                  s->layout.strip.h >= 110 ? 3 : 2, false);
    }
}
