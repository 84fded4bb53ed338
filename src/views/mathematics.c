#include "views/mathematics.h"

#include "views/internal.h"

#include <math.h>
#include <stdio.h>

static const double STEP_S = 3.0;

static const char *const FORMULA =
    "\\up{Attention}\\paren{\\c1{Q}, \\c2{K}, \\c4{V}} = \\c2{\\up{softmax}}\\paren{"
    "\\frac{\\c1{Q} \\c2{K}^{\\up{T}}}{\\sqrt{d_k}}} \\c4{V}";

void mathematics_timeline(Views *views, const Session *session, Timeline *timeline)
{
    (void)views;
    (void)session;
    *timeline = (Timeline){.length_s = STEP_S, .n_steps = MATH_STEPS};
}

const char *mathematics_step_name(ViewContext *c, int32_t step)
{
    static const char *const names[MATH_STEPS] = {"Dot product", "Scale", "Softmax",
                                                  "Mix the values"};
    (void)c;
    return names[AS_CLAMP(step, 0, MATH_STEPS - 1)];
}

/* ---- shared ---- */

double math_phase(const MathScene *s, MathStep step, double from, double to)
{
    if (step < s->step || s->resting) {
        return 1;
    }
    return step > s->step ? 0 : ease_out_cubic(AS_CLAMP((s->time - from) / (to - from), 0.0, 1.0));
}

float math_title(const MathScene *s, Rect card, const char *title, const char *note)
{
    Ui *ui = s->c->ui;
    float x = card.x + 16;
    float right = card.x + card.w - 16;
    x += ui_label(ui, rect(x, card.y + 12, right - x, 22),
                  &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = ui->theme.text},
                  title);
    if (note && right - x > 60) {
        x += 12;
        x += ui_label(ui, rect(x, card.y + 13, right - x, 22), &(UiLabel){.color = ui->theme.text2},
                      note);
    }
    return x;
}

static const char *number_as(const MathScene *s, double v, const char *form)
{
    double a = fabs(v);
    char text[32];
    snprintf(text, sizeof text, form, v);
    bool minus = text[0] == '-';
    /* "-0.00" says nothing that "0.00" does not. */
    bool zero = minus && a < 0.005;
    return draw_format(s->c->ui->list, "%s%s", minus && !zero ? "−" : "", text + minus);
}

const char *math_number(const MathScene *s, double v)
{
    double a = fabs(v);
    return number_as(s, v, a < 9.995 ? "%.2f" : a < 99.95 ? "%.1f" : a < 99999 ? "%.0f" : "%.1e");
}

const char *math_exact(const MathScene *s, double v)
{
    double a = fabs(v);
    return number_as(s, v, a < 999.995 ? "%.2f" : a < 1e6 ? "%.0f" : "%.2e");
}

void math_cell(const MathScene *s, Rect box, double value, double most, Color color)
{
    Ui *ui = s->c->ui;
    float strength = most > 0 ? sqrtf((float)AS_MIN(fabs(value) / most, 1.0)) : 0;
    Color fill = color_mix(ui->theme.card, color, 0.06f + 0.5f * strength);
    draw_rect(ui->list, &(DrawRect){.box = box, .radius = 4, .fill = fill});
    const char *text = math_number(s, value);
    /* Strong cells of a light role want dark letters. */
    bool light = color_contrast(ui->theme.text, fill) < 4.5f;
    Color ink = light ? color_hex(0x0B1020) : ui->theme.text;
    if (ui_text_width(ui, FONT_MONO, 11, text) <= box.w) {
        ui_label(ui, box,
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = ink, .align = DRAW_CENTER},
                 text);
    }
}

/* ---- the formula ---- */

/* The shapes below the formula, apart from each other as far as there is room. */
static void draw_dims(const MathScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    const TraceInfo *info = trace_info(s->c->session->trace);
    Color colors[] = {t->q_text, t->k_text, t->v_text};
    Formula style = {.size = 15, .colors = colors, .n_colors = 3};
    const int32_t n = info->n_queries;
    const int32_t m = info->n_keys;
    const char *texts[] = {draw_format(ui->list, "\\c1{Q} \\num{%d × %d}", n, s->d->dim),
                           draw_format(ui->list, "\\c2{K} \\num{%d × %d}", m, s->d->dim),
                           draw_format(ui->list, "\\c3{V} \\num{%d × %d}", m, s->d->dim),
                           draw_format(ui->list, "d_k = \\num{%d}", s->d->dim)};
    enum { N = 4 };
    float widths[N];
    float all = 0;
    for (style.size = 15; style.size >= 10; style.size -= 1) {
        all = 0;
        for (int i = 0; i < N; i++) {
            float up;
            float down;
            ui_formula_measure(ui, &style, texts[i], &widths[i], &up, &down);
            all += widths[i];
        }
        if (all + 3 * 12 <= box.w) {
            break;
        }
    }
    float gap = AS_CLAMP((box.w - all) / (N + 1), 6, 44);
    float x = box.x + fmaxf(0, (box.w - all - gap * (N - 1)) / 2);
    for (int i = 0; i < N; i++) {
        ui_formula(ui, vec2(roundf(x), box.y + box.h - 10), &style, texts[i]);
        x += widths[i] + gap;
    }
}

static void draw_formula_card(const MathScene *s, Rect card)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    ui_card(ui, card);
    Rect left = {card.x + 16, card.y + 10, AS_CLAMP(card.w * 0.33f, 220, 470) - 16, card.h - 20};
    math_title(s, card, "The formula", NULL);
    Color colors[] = {t->q_text, t->k_text, t->text, t->v_text};
    Formula style = {.size = 26, .colors = colors, .n_colors = 4};
    style.size = ui_formula_fit(ui, &style, FORMULA, left.w, 13);
    float w;
    float up;
    float down;
    ui_formula_measure(ui, &style, FORMULA, &w, &up, &down);
    float middle = left.y + 14 + (left.h - 14) / 2;
    ui_formula(ui, vec2(roundf(left.x + (left.w - w) / 2), roundf(middle + (up - down) / 2)),
               &style, FORMULA);
    if (card.h > 150) {
        draw_dims(s, left);
    }
    float x = left.x + left.w + 16;
    ui_hairline_v(ui, x, card.y + 16, card.h - 32);
    math_draw_shapes(s, rect(x + 16, card.y + 10, card.x + card.w - 16 - x - 16, card.h - 20));
}

/* ---- the whole ---- */

static void draw_header(const MathScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const Session *session = s->c->session;
    float x = box.x;
    x += ui_label(ui, rect(x, box.y, box.w, box.h),
                  &(UiLabel){.face = FONT_DISPLAY_SEMIBOLD, .size = 20, .color = ui->theme.text},
                  "Mathematics");
    x += 14;
    float button = ui_text_width(ui, FONT_SANS_MEDIUM, 12, "Copy as LaTeX") + 28;
    ui_label(ui, rect(x, box.y + 2, box.x + box.w - button - 16 - x, box.h), &(UiLabel){0},
             draw_format(ui->list,
                         "One number of the matrix, followed from both vectors to the output. "
                         "L%d H%d, query %d, key %d.",
                         session->selection.layer, session->selection.head, s->d->query,
                         s->d->key));
    Rect at = {box.x + box.w - button, box.y + (box.h - 30) / 2, button, 30};
    if (ui_button(ui, UI_ID("math-latex"), at, "Copy as LaTeX", UI_BUTTON_PLAIN) &&
        ui->clipboard.set) {
        const char *latex = math_latex(s);
        ui->clipboard.set(ui->clipboard.payload, latex ? latex : "");
    }
}

void mathematics_draw(ViewContext *c, Rect stage)
{
    Session *session = c->session;
    MathState *state = view_state(c->views, VIEW_MATHEMATICS);
    const Reading *r = session_reading(session);
    if (!r || !math_data_update(state, session, r)) {
        stage_layer_pending(c, stage);
        return;
    }
    const Playback *p = &session->playback;
    double fraction = playback_fraction(p);
    MathScene s = {.c = c,
                   .state = state,
                   .d = &state->data,
                   .r = r,
                   .step = (MathStep)playback_step(session),
                   .time = fraction,
                   .resting = fraction >= 1 && !p->playing};
    bool low = stage.h < 800;
    float pad = stage.w < 900 ? 16 : 24;
    float gap = low ? 16 : 24;
    Rect box = {stage.x + pad, stage.y + (low ? 10 : 18), stage.w - 2 * pad, 0};
    draw_header(&s, rect(box.x, box.y, box.w, 34));
    float y = box.y + 34 + (low ? 8 : 14);
    if (stage.h >= 640) {
        float h = low ? 186 : 214;
        draw_formula_card(&s, rect(box.x, y, box.w, h));
        y += h + gap;
    }
    float h = stage.h < 640 ? 128 : low ? 146 : 156;
    math_draw_cards(&s, rect(box.x, y, box.w, h), stage.w < 1000 ? 20 : 32);
    y += h + gap;
    Rect lower = {box.x, y, box.w, stage.y + stage.h - (low ? 16 : 24) - y};
    if (lower.h < 90) {
        return;
    }
    ui_card(c->ui, lower);
    if (s.step == MATH_SOFTMAX) {
        math_draw_row(&s, lower);
    } else if (s.step == MATH_MIX) {
        math_draw_values(&s, lower);
    } else {
        math_draw_terms(&s, lower);
    }
}
