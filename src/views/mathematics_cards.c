#include "views/internal.h"
#include "views/mathematics.h"

#include <math.h>

/* The four steps: formula, the pair's numbers put in, the result. */

enum { PAD = 16 };

/* What a step says: its formula, the numbers put in, one line about it. Markup of ui/formula.h with
 * the colours of step_colors. */
typedef struct Says {
    const char *title;
    const char *symbols, *numbers, *about;
    Color color;
} Says;

enum { C_Q, C_K, C_SCORE, C_WEIGHT, C_V, C_OUTPUT, C_COUNT };

static void step_colors(const Theme *t, Color out[C_COUNT])
{
    out[C_Q] = t->q_text;
    out[C_K] = t->k_text;
    out[C_SCORE] = t->score_text;
    out[C_WEIGHT] = t->k_text;
    out[C_V] = t->v_text;
    out[C_OUTPUT] = t->output_text;
}

static Says says_dot(const MathScene *s)
{
    const MathData *d = s->d;
    DrawList *list = s->c->ui->list;
    return (Says){
        .title = "Dot product",
        .color = s->c->ui->theme.score,
        .symbols = draw_format(list,
                               "\\c1{q_{%d}} · \\c2{k_{%d}} = \\sum{d} \\c1{q_{%d,d}} "
                               "\\c2{k_{%d,d}}",
                               d->query, d->key, d->query, d->key),
        .numbers = draw_format(list, "= \\c3{\\num{%s}}", math_exact(s, (double)s->r->cell.qk)),
        .about = draw_format(list, "%d products, %s", d->dim,
                             s->step <= MATH_SCALE ? "opened below" : "click to open"),
    };
}

/* q·k with the layer's scale: ÷ √d_k where that is what it is, else its own factor. */
static Says says_scale(const MathScene *s)
{
    const MathData *d = s->d;
    DrawList *list = s->c->ui->list;
    const TraceCell *cell = &s->r->cell;
    double t = (double)session_params(s->c->session).temperature;
    double root = sqrt((double)d->dim);
    bool plain = fabs((double)cell->scale * root - 1) < 1e-4;
    bool warm = !plain && t > 0 && fabs((double)cell->scale * root * t - 1) < 1e-4;
    float cap = trace_layer(s->c->session->trace, d->layer)->soft_cap;
    const char *qk = math_exact(s, (double)cell->qk);
    const char *pair = draw_format(list, "\\c1{q_{%d}} · \\c2{k_{%d}}", d->query, d->key);
    const char *symbols;
    const char *numbers;
    const char *about;
    if (plain || warm) {
        const char *temper = warm ? "T " : "";
        symbols = draw_format(list, "\\frac{%s}{%s\\sqrt{d_k}}", pair, temper);
        numbers =
            warm ? draw_format(list, "\\frac{\\num{%s}}{\\num{%.4g} × \\num{%.2f}}", qk, t, root)
                 : draw_format(list, "\\frac{\\num{%s}}{\\num{%.2f}}", qk, root);
        about = warm ? draw_format(list, "√%d = %.3f, and temperature %.4g", d->dim, root, t)
                     : draw_format(list, "√%d = %.3f keeps the scores small", d->dim, root);
    } else {
        symbols = draw_format(list, "c %s", pair);
        numbers = draw_format(list, "\\num{%.4g} × \\num{%s}", (double)cell->scale, qk);
        about = "this model has a scale of its own";
    }
    if (cap > 0) {
        symbols = draw_format(list, "\\num{%g} \\up{tanh}\\paren{%s ÷ \\num{%g}}", (double)cap,
                              symbols, (double)cap);
        numbers = draw_format(list, "\\num{%g} \\up{tanh}\\paren{%s ÷ \\num{%g}}", (double)cap,
                              numbers, (double)cap);
        about = draw_format(list, "scores are held within ± %g", (double)cap);
    }
    double bias = (double)cell->bias;
    if (cell->visible && bias != 0) {
        symbols = draw_format(list, "%s + b_{%d,%d}", symbols, d->query, d->key);
        numbers = draw_format(list, "%s %s \\num{%.3f}", numbers, bias < 0 ? "−" : "+", fabs(bias));
        about = "b: how far apart the two tokens are";
    }
    if (!cell->visible) {
        about = "the mask hides this key: the score is −∞";
    }
    return (Says){
        .title = "Scale",
        .color = s->c->ui->theme.score,
        .symbols = draw_format(list, "\\c3{s_{%d,%d}} = %s", d->query, d->key, symbols),
        .numbers = cell->visible ? draw_format(list, "= %s = \\c3{\\num{%s}}", numbers,
                                               math_exact(s, (double)cell->score))
                                 : "\\up{masked}: \\c3{s} = − ∞",
        .about = about,
    };
}

/* A share with three figures that say something, however small it is. */
static const char *share_text(DrawList *list, double w)
{
    if (w <= 0 || w >= 0.0095) {
        return draw_format(list, "\\num{%.3f}", w);
    }
    int exponent = (int)floor(log10(w));
    double digits = w / pow(10, exponent);
    if (digits >= 9.995) {
        digits = 1;
        exponent++;
    }
    return draw_format(list, "\\num{%.2f} · \\num{10}^{−\\num{%d}}", digits, -exponent);
}

static Says says_softmax(const MathScene *s)
{
    const MathData *d = s->d;
    DrawList *list = s->c->ui->list;
    double score = (double)s->r->cell.score;
    /* Large scores overflow in e^s, so what is computed leaves the row's largest out. */
    bool shifted = fmax(fabs(score), fabs((double)s->r->cell.lse)) > 11;
    double shift = shifted ? d->row_max : 0;
    const char *minus = shifted ? " − m" : "";
    const char *top = math_number(s, exp(score - shift));
    const char *sum = math_number(s, d->row_sum * exp(d->row_max - shift));
    bool visible = s->r->cell.visible;
    return (Says){
        .title = "Softmax",
        .color = s->c->ui->theme.k,
        .symbols = draw_format(list,
                               "\\c4{a_{%d,%d}} = \\frac{e^{\\c3{s_{%d,%d}}%s}}"
                               "{\\sum{j} e^{\\c3{s_{%d,j}}%s}}",
                               d->query, d->key, d->query, d->key, minus, d->query, minus),
        .numbers =
            draw_format(list, "= \\frac{\\num{%s}}{\\num{%s}} = \\c4{%s}", visible ? top : "0", sum,
                        share_text(list, (double)s->r->cell.weight)),
        .about = shifted
                     ? draw_format(list, "m = %.2f, the row's largest score; a row adds up to 1",
                                   d->row_max)
                     : "its share of the row, which adds up to 1",
    };
}

static Says says_mix(const MathScene *s)
{
    DrawList *list = s->c->ui->list;
    return (Says){
        .title = "Mix the values",
        .color = s->c->ui->theme.v,
        .symbols = draw_format(list, "\\c6{o_{%d}} = \\sum{j} \\c4{a_{%d,j}} \\c5{v_j}",
                               s->d->query, s->d->query),
        .numbers = NULL,
        .about = s->d->output ? NULL : "the values are not held in this record",
    };
}

static Says says(const MathScene *s, MathStep step)
{
    switch (step) {
    case MATH_DOT:
        return says_dot(s);
    case MATH_SCALE:
        return says_scale(s);
    case MATH_SOFTMAX:
        return says_softmax(s);
    default:
        return says_mix(s);
    }
}

const char *math_latex(const MathScene *s)
{
    Ui *ui = s->c->ui;
    StrBuf all = {0};
    bool ok = true;
    for (int i = 0; ok && i < MATH_STEPS; i++) {
        Says say = says(s, (MathStep)i);
        const char *line =
            draw_format(ui->list, "%s %s", say.symbols, say.numbers ? say.numbers : "");
        const char *latex = formula_latex(line, &ui->list->arena, NULL);
        ok = latex && strbuf_printf(&all, NULL, "%s%s", i ? " \\\\\n" : "", latex);
    }
    const char *text = ok ? draw_format(ui->list, "%s", strbuf_text(&all)) : NULL;
    strbuf_free(&all);
    return text;
}

/* ---- one card ---- */

static void badge(Ui *ui, Vec2 at, int number, Color color)
{
    draw_circle(ui->list, &(DrawCircle){.center = at, .radius = 9, .fill = color});
    ui_label(ui, rect(at.x - 9, at.y - 9, 18, 18),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD,
                        .size = 11,
                        .color = color_hex(0x0B1020),
                        .align = DRAW_CENTER},
             draw_format(ui->list, "%d", number));
}

/* A line of formula centred on y, as large as it fits; its width. */
static float formula_line(const MathScene *s, const char *text, float x, float w, float y,
                          float size, float alpha)
{
    Ui *ui = s->c->ui;
    Color colors[C_COUNT];
    step_colors(&ui->theme, colors);
    Formula style = {.size = size, .colors = colors, .n_colors = C_COUNT};
    style.size = ui_formula_fit(ui, &style, text, w, 9);
    float fw;
    float up;
    float down;
    ui_formula_measure(ui, &style, text, &fw, &up, &down);
    draw_push_alpha(ui->list, alpha);
    ui_formula(ui, vec2(roundf(x + fmaxf(0, w - fw) / 2), roundf(y + (up - down) / 2)), &style,
               text);
    draw_pop_alpha(ui->list);
    return fw;
}

/* The strongest values with their weights, and the first numbers of what comes out. */
static void draw_mixture(const MathScene *s, Rect box, float shown)
{
    Ui *ui = s->c->ui;
    const MathData *d = s->d;
    const Theme *t = &ui->theme;
    int n = AS_MIN(d->n_visible, (int)MATH_TOP);
    float y = box.y;
    draw_push_alpha(ui->list, shown);
    for (int i = 0; i < n; i++) {
        int32_t key = d->keys[i];
        const char *weight = d->weights[key] < 0.005f
                                 ? "<0.01 × v"
                                 : draw_format(ui->list, "%.2f × v", (double)d->weights[key]);
        float w = ui_label(ui, rect(box.x, y, box.w, 18),
                           &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->k_text}, weight);
        int32_t rest = d->n_visible - n;
        const char *more =
            i == n - 1 && rest > 0
                ? draw_format(ui->list, "%s (%d) + %d more", key_label_of(s->c, key), key, rest)
                : draw_format(ui->list, "%s (%d)", key_label_of(s->c, key), key);
        ui_label(ui, rect(box.x + w + 8, y, box.w - w - 8, 18), &(UiLabel){.size = 11}, more);
        y += 18;
    }
    draw_pop_alpha(ui->list);
}

static void draw_output_cells(const MathScene *s, Rect box, float shown)
{
    Ui *ui = s->c->ui;
    const MathData *d = s->d;
    if (!d->output) {
        return;
    }
    float cell = 41;
    float more_w = ui_text_width(ui, FONT_MONO, 11, "+256") + 6;
    int32_t n = AS_MIN((int32_t)((box.w - more_w) / cell), d->dim);
    double most = 0;
    for (int32_t i = 0; i < d->dim; i++) {
        most = fmax(most, (double)fabsf(d->output[i]));
    }
    draw_push_alpha(ui->list, shown);
    for (int32_t i = 0; i < n; i++) {
        math_cell(s, rect(box.x + cell * (float)i, box.y, cell - 3, box.h), (double)d->output[i],
                  most, ui->theme.output);
    }
    if (n < d->dim) {
        ui_label(ui, rect(box.x + cell * (float)n + 3, box.y, more_w, box.h),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text2},
                 draw_format(ui->list, "+%d", d->dim - n));
    }
    draw_pop_alpha(ui->list);
}

static void draw_mix_body(const MathScene *s, Rect card, const Says *say)
{
    float shown = (float)math_phase(s, MATH_MIX, 0.3, 0.6);
    float w = card.w - 2 * PAD;
    float top = card.y + 38;
    float cells = card.y + card.h - 36;
    bool wide = w >= 230;
    float formula_w = wide ? 112 : w;
    formula_line(s, say->symbols, card.x + PAD, formula_w, (top + cells) / 2 - 4, 17, 1);
    if (!s->d->output) {
        return;
    }
    if (wide) {
        draw_mixture(s, rect(card.x + PAD + formula_w + 14, top + 2, w - formula_w - 14, 54),
                     shown);
    }
    draw_output_cells(s, rect(card.x + PAD, cells, w, 24),
                      (float)math_phase(s, MATH_MIX, 0.6, 0.9));
}

static float formula_height(const MathScene *s, const char *text, float w, float size)
{
    Ui *ui = s->c->ui;
    Formula style = {.size = size};
    float width;
    float up;
    float down;
    style.size = ui_formula_fit(ui, &style, text, w, 9);
    ui_formula_measure(ui, &style, text, &width, &up, &down);
    return up + down;
}

/* Symbols above, numbers below, as large as both fit, with equal gaps. */
static void two_lines(const MathScene *s, const Says *say, Rect box, float shown)
{
    enum { LEAST_GAP = 3 };
    float size = 15;
    float first = formula_height(s, say->symbols, box.w, size);
    float second = formula_height(s, say->numbers, box.w, size);
    while (size > 9 && first + second + 3 * LEAST_GAP > box.h) {
        size -= 0.5f;
        first = formula_height(s, say->symbols, box.w, size);
        second = formula_height(s, say->numbers, box.w, size);
    }
    float gap = fmaxf(0, box.h - first - second) / 3;
    formula_line(s, say->symbols, box.x, box.w, box.y + gap + first / 2, size, 1);
    formula_line(s, say->numbers, box.x, box.w, box.y + 2 * gap + first + second / 2, size, shown);
}

static void draw_formula_body(const MathScene *s, Rect card, MathStep step, const Says *say)
{
    float w = card.w - 2 * PAD;
    float numbers = (float)math_phase(s, step, 0.3, 0.6);
    float top = card.y + 36;
    float bottom = card.y + card.h - 32;
    if (w >= 290) {
        const char *whole = draw_format(s->c->ui->list, "%s %s", say->symbols, say->numbers);
        bool full = numbers > 0.5f;
        formula_line(s, full ? whole : say->symbols, card.x + PAD, w, (top + bottom) / 2, 18, 1);
        return;
    }
    bool about = say->about && ui_text_width(s->c->ui, FONT_SANS, 11, say->about) <= w;
    two_lines(s, say, rect(card.x + PAD, top, w, (about ? bottom : bottom + 22) - top), numbers);
}

static void draw_card(const MathScene *s, Rect card, MathStep step)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    Says say = says(s, step);
    bool hot = false;
    bool held = false;
    if (ui_click(ui, ui_id("math-step", step), card, true, &hot, &held)) {
        session_post(s->c->session, "step %d", (int)step);
    }
    ui_card(ui, card);
    bool on = s->step == step;
    if (on || hot) {
        draw_rect(ui->list, &(DrawRect){.box = card,
                                        .radius = 12,
                                        .border = on ? 1.5f : 1,
                                        .border_color = on ? say.color : t->edge2});
    }
    badge(ui, vec2(card.x + PAD + 9, card.y + 22), (int)step + 1, say.color);
    const Color titles[MATH_STEPS] = {t->score_text, t->score_text, t->k_text, t->v_text};
    ui_label(ui, rect(card.x + PAD + 26, card.y + 12, card.w - 2 * PAD - 26, 20),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = titles[step]}, say.title);
    if (step == MATH_MIX) {
        draw_mix_body(s, card, &say);
    } else {
        draw_formula_body(s, card, step, &say);
    }
    if (say.about && ui_text_width(ui, FONT_SANS, 11, say.about) <= card.w - 2 * PAD) {
        ui_label(ui, rect(card.x + PAD, card.y + card.h - 28, card.w - 2 * PAD, 18),
                 &(UiLabel){.size = 11, .align = DRAW_CENTER, .color = t->text2}, say.about);
    }
}

void math_draw_cards(const MathScene *s, Rect box, float gap)
{
    Ui *ui = s->c->ui;
    float w = floorf((box.w - gap * (MATH_STEPS - 1)) / MATH_STEPS);
    for (int i = 0; i < MATH_STEPS; i++) {
        Rect card = {box.x + (w + gap) * (float)i, box.y, w, box.h};
        draw_card(s, card, (MathStep)i);
        if (i + 1 < MATH_STEPS) {
            float x = card.x + w + gap / 2;
            float y = box.y + box.h / 2;
            float half = fminf(8, gap / 2 - 4);
            draw_line(ui->list, &(DrawLine){.a = {x - half, y},
                                            .b = {x + half - 3, y},
                                            .width = 1.5f,
                                            .color = ui->theme.text2});
            Vec2 tip[] = {{x + half, y}, {x + half - 6, y - 4}, {x + half - 6, y + 4}};
            draw_polygon(
                ui->list,
                &(DrawPolygon){.points = tip, .n_points = AS_COUNT(tip), .fill = ui->theme.text2});
        }
    }
}
