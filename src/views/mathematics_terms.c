#include "views/internal.h"
#include "views/mathematics.h"

#include <math.h>

/* The dot product, term by term: the two vectors, their products, and the running total. */

enum { PAD = 16, LABELS = 92, TOTAL = 64, PITCH = 39, ROW = 28 };

typedef struct Terms {
    const MathScene *s;
    Rect card;
    bool largest;     /* ordered by size, else as they stand in the head */
    int32_t first, n; /* of the dimensions whose numbers are shown, in that order */
    float x, pitch;   /* of the first column */
    double most_q, most_k, most_term;
    int32_t shown; /* terms added so far: the animation */
} Terms;

static int32_t dim_at(const Terms *t, int32_t i)
{
    return t->largest ? t->s->d->largest[i] : i;
}

static double most_of(const float *values, int32_t n)
{
    double most = 0;
    for (int32_t i = 0; i < n; i++) {
        most = fmax(most, (double)fabsf(values[i]));
    }
    return most;
}

static void vector_row(const Terms *t, float y, const char *name, const char *label,
                       const char *sign, const float *values, double most, Color fill, Color text)
{
    Ui *ui = t->s->c->ui;
    Formula style = {.size = 15, .color = text};
    float x = t->card.x + PAD;
    float w = ui_formula(ui, vec2(x, y + 18), &style, name);
    float sign_w = 14;
    ui_label(ui, rect(x + w + 8, y, LABELS - w - 8 - sign_w, 26),
             &(UiLabel){.size = 11, .color = ui->theme.text2}, label);
    ui_label(ui, rect(x + LABELS - sign_w, y, sign_w, 26),
             &(UiLabel){.face = FONT_MONO, .size = 12, .color = ui->theme.text2}, sign);
    bool products = values == t->s->d->terms;
    for (int32_t i = 0; i < t->n; i++) {
        int32_t at = t->first + i;
        if (products && at >= t->shown) {
            break;
        }
        int32_t d = dim_at(t, at);
        Color c = products && values[d] < 0 ? ui->theme.text3 : fill;
        math_cell(t->s, rect(t->x + t->pitch * (float)i, y, t->pitch - 2, 26), (double)values[d],
                  most, c);
    }
}

static void draw_vectors(const Terms *t, float y)
{
    const MathScene *s = t->s;
    Ui *ui = s->c->ui;
    const Theme *theme = &ui->theme;
    const MathData *d = s->d;
    for (int32_t i = 0; i < t->n; i++) {
        int32_t dim = dim_at(t, t->first + i);
        bool top = dim == d->largest[0];
        ui_label(ui, rect(t->x + t->pitch * (float)i, y, t->pitch - 2, 18),
                 &(UiLabel){.face = top ? FONT_MONO_SEMIBOLD : FONT_MONO,
                            .size = 11,
                            .color = top ? theme->text : theme->text2,
                            .align = DRAW_CENTER},
                 draw_format(ui->list, "%d", dim));
    }
    y += 20;
    vector_row(t, y, draw_format(ui->list, "q_{%d}", d->query), label_of(s->c, d->query), "", d->q,
               t->most_q, theme->q, theme->q_text);
    vector_row(t, y + ROW, draw_format(ui->list, "k_{%d}", d->key), key_label_of(s->c, d->key), "×",
               d->k, t->most_k, theme->k, theme->k_text);
    vector_row(t, y + 2 * ROW, "\\up{product}", "", "=", d->terms, t->most_term, theme->score,
               theme->text2);
    Rect total = {t->card.x + t->card.w - PAD - TOTAL, y, TOTAL, 2 * ROW + 26};
    draw_rect(ui->list, &(DrawRect){.box = total,
                                    .radius = 6,
                                    .fill = color_mix(theme->card, theme->score, 0.12f),
                                    .border = 1.5f,
                                    .border_color = theme->score});
    ui_label(
        ui, rect(total.x, total.y - 20, total.w, 18),
        &(UiLabel){.face = FONT_MATH, .size = 14, .color = theme->score_text, .align = DRAW_CENTER},
        "Σ");
    ui_label(
        ui, total,
        &(UiLabel){
            .face = FONT_MONO_MEDIUM, .size = 14, .color = theme->score_text, .align = DRAW_CENTER},
        math_exact(s, (double)s->r->cell.qk));
}

/* ---- the running total ---- */

typedef struct Axis {
    Rect plot;
    double lo, hi, step;
} Axis;

static float axis_y(const Axis *a, double v)
{
    return a->plot.y + a->plot.h * (float)((a->hi - v) / (a->hi - a->lo));
}

static Axis axis_of(const Terms *t, Rect plot)
{
    const MathData *d = t->s->d;
    double sum = 0;
    Axis a = {.plot = plot};
    for (int32_t i = 0; i < d->dim; i++) {
        sum += (double)d->terms[dim_at(t, i)];
        a.lo = fmin(a.lo, sum);
        a.hi = fmax(a.hi, sum);
    }
    double span = fmax(a.hi - a.lo, 1e-6);
    a.lo -= a.lo < 0 ? span * 0.06 : 0;
    a.hi += span * 0.1;
    double raw = span / fmax(2, (double)(plot.h / 46));
    double ten = pow(10, floor(log10(raw)));
    a.step = raw / ten > 5 ? 10 * ten : raw / ten > 2 ? 5 * ten : raw / ten > 1 ? 2 * ten : ten;
    return a;
}

static void draw_grid(const Terms *t, const Axis *a)
{
    Ui *ui = t->s->c->ui;
    for (double v = ceil(a->lo / a->step) * a->step; v <= a->hi; v += a->step) {
        float y = ui_snap(ui, axis_y(a, v));
        draw_rect(ui->list, &(DrawRect){.box = {a->plot.x, y, a->plot.w, 1},
                                        .fill = color_with_alpha(ui->theme.edge2, 0.6f)});
        const char *text = draw_format(ui->list, "%s%.4g", v < -1e-12 ? "−" : "", fabs(v) + 0.0);
        ui_label(ui, rect(a->plot.x - 56, y - 9, 48, 18),
                 &(UiLabel){
                     .face = FONT_MONO, .size = 11, .color = ui->theme.text2, .align = DRAW_RIGHT},
                 text);
    }
}

/* Says what the largest term does, beside its bar where there is room. */
/* The height at which words of this extent lie clear of the bars that they would cross: below or
 * above them, whichever has room. */
static float clear_height(Rect plot, Rect bars, float y)
{
    const float need = 22;
    float above = bars.y - plot.y;
    float below = plot.y + plot.h - bars.y - bars.h;
    if (bars.h <= 0 || y + 10 < bars.y || y - 10 > bars.y + bars.h) {
        return y;
    }
    return below >= need && (y > bars.y + bars.h / 2 || above < need) ? bars.y + bars.h + 12
           : above >= need                                            ? bars.y - 12
                                                                      : y;
}

static void name_largest(const Terms *t, Rect plot, const Rect *bars, int32_t n, Rect bar)
{
    Ui *ui = t->s->c->ui;
    const MathData *d = t->s->d;
    int32_t dim = d->largest[0];
    double term = (double)d->terms[dim];
    double total = (double)t->s->r->cell.qk;
    double share = fabs(total) > 1e-9 ? 100 * term / total : 0;
    const char *text =
        share > 0 && share < 1000
            ? draw_format(ui->list, "Dimension %d alone adds %s, %.0f %% of the total.", dim,
                          math_number(t->s, term), share)
            : draw_format(ui->list, "Dimension %d alone adds %s.", dim, math_number(t->s, term));
    float w = ui_text_width(ui, FONT_SANS, 11, text);
    float y = bar.y + fminf(bar.h / 2, 14);
    bool left = bar.x - w - 44 > t->card.x + PAD + 50;
    float x = left ? bar.x - w - 36 : bar.x + bar.w + 36;
    if (!left && x + w > t->card.x + t->card.w - PAD - TOTAL - 12) {
        return;
    }
    float lo = INFINITY;
    float hi = -INFINITY;
    for (int32_t i = 0; i < n; i++) {
        if (bars[i].x < x + w + 8 && bars[i].x + bars[i].w > x - 8 && bars[i].x != bar.x) {
            lo = fminf(lo, bars[i].y);
            hi = fmaxf(hi, bars[i].y + bars[i].h);
        }
    }
    if (lo < hi) {
        y = clear_height(plot, rect(x, lo, w, hi - lo), y);
        y = AS_CLAMP(y, plot.y + 10, plot.y + plot.h - 10);
    }
    draw_rect(ui->list, &(DrawRect){.box = {x - 5, y - 10, w + 10, 20},
                                    .radius = 4,
                                    .fill = color_with_alpha(ui->theme.card, 0.92f)});
    ui_label(ui, rect(x, y - 9, w + 1, 18), &(UiLabel){.size = 11, .color = ui->theme.score_text},
             text);
    float from = left ? x + w + 6 : x - 6;
    float to = left ? bar.x - 4 : bar.x + bar.w + 4;
    float at = AS_CLAMP(y, bar.y + fminf(bar.h / 2, 6), bar.y + bar.h - fminf(bar.h / 2, 6));
    draw_line(
        ui->list,
        &(DrawLine){.a = {from, y}, .b = {to, at}, .width = 1.2f, .color = ui->theme.score_text});
}

static void draw_running(const Terms *t, Rect plot)
{
    const MathScene *s = t->s;
    Ui *ui = s->c->ui;
    const Theme *theme = &ui->theme;
    const MathData *d = s->d;
    Axis a = axis_of(t, plot);
    draw_grid(t, &a);
    /* Under the numbers where all fit, else all of them in the plot's width. */
    bool under = t->n == d->dim;
    float x0 = under ? t->x : plot.x + 4;
    float pitch = under ? t->pitch : (plot.w - 8) / (float)d->dim;
    float w = fmaxf(pitch - fminf(10, pitch * 0.25f), 1);
    double sum = 0;
    Rect largest = {0};
    if (!under) {
        draw_rect(ui->list, &(DrawRect){.box = {x0 + pitch * (float)t->first, plot.y,
                                                pitch * (float)t->n, plot.h},
                                        .fill = color_with_alpha(theme->score, 0.07f)});
    }
    Rect *bars = ARENA_ARRAY(&ui->list->arena, Rect, (size_t)AS_MAX(t->shown, 1), NULL);
    for (int32_t i = 0; i < t->shown; i++) {
        double v = (double)d->terms[dim_at(t, i)];
        float y0 = axis_y(&a, sum);
        sum += v;
        float y1 = axis_y(&a, sum);
        float x = x0 + pitch * (float)i + (pitch - w) / 2;
        Rect bar = {x, fminf(y0, y1), w, fmaxf(fabsf(y1 - y0), 1)};
        draw_rect(ui->list, &(DrawRect){.box = bar,
                                        .radius = fminf(2.5f, w / 3),
                                        .fill = v >= 0 ? theme->score : theme->off});
        if (i + 1 < d->dim) {
            draw_rect(ui->list, &(DrawRect){.box = {x + w, ui_snap(ui, y1), pitch - w, 1},
                                            .fill = color_with_alpha(theme->score, 0.5f)});
        }
        largest = dim_at(t, i) == d->largest[0] ? bar : largest;
        if (bars) {
            bars[i] = bar;
        }
    }
    float zero = axis_y(&a, 0);
    float end = axis_y(&a, sum);
    float tx = t->card.x + t->card.w - PAD - TOTAL + 14;
    draw_rect(ui->list,
              &(DrawRect){.box = {tx, fminf(zero, end), TOTAL - 28, fmaxf(fabsf(end - zero), 1)},
                          .radius = 2.5f,
                          .fill = sum >= 0 ? theme->score : theme->off});
    ui_label(
        ui, rect(tx - 14, fminf(zero, end) - 20, TOTAL, 18),
        &(UiLabel){.face = FONT_MONO, .size = 11, .color = theme->score_text, .align = DRAW_CENTER},
        math_number(s, sum));
    if (largest.w > 0 && plot.h > 60) {
        name_largest(t, plot, bars, bars ? t->shown : 0, largest);
    }
}

/* ---- the card ---- */

static void draw_key(const Terms *t, float y)
{
    Ui *ui = t->s->c->ui;
    const MathData *d = t->s->d;
    int32_t against = 0;
    for (int32_t i = 0; i < d->dim; i++) {
        against += d->terms[i] < 0;
    }
    float x = t->card.x + PAD;
    x += ui_label(ui, rect(x, y, 100, 18), &(UiLabel){.size = 11}, "running total") + 20;
    const Color colors[] = {ui->theme.score, ui->theme.off};
    const char *const texts[] = {
        "pulls the two together",
        draw_format(ui->list, "pushes them apart (%d of %d terms)", against, d->dim)};
    for (int i = 0; i < 2; i++) {
        draw_rect(ui->list, &(DrawRect){.box = {x, y + 5, 8, 8}, .radius = 2, .fill = colors[i]});
        x += 14;
        x += ui_label(ui, rect(x, y, 240, 18), &(UiLabel){.size = 11}, texts[i]) + 20;
    }
}

/* Returns where they begin. */
static float draw_controls(const Terms *t)
{
    static const char *const orders[] = {"In order", "Largest first"};
    Ui *ui = t->s->c->ui;
    Session *session = t->s->c->session;
    float w = 176;
    Rect box = {t->card.x + t->card.w - PAD - w, t->card.y + 8, w, 30};
    int now = t->largest;
    int chosen = ui_segmented(ui, UI_ID("math-order"), box, orders, AS_COUNT(orders), now);
    if (chosen != now) {
        session_post(session, "terms %s", chosen ? "largest" : "order");
    }
    if (t->n == t->s->d->dim) {
        return box.x;
    }
    const char *place =
        draw_format(ui->list, "%d–%d of %d", t->first, t->first + t->n - 1, t->s->d->dim);
    float pw = ui_text_width(ui, FONT_MONO, 11, place);
    float x = box.x - 20 - 28 - pw - 28 - 8;
    if (ui_icon_button(ui, UI_ID("math-less"), rect(x, box.y, 28, 30), ICON_CHEVRON_LEFT,
                       "dimensions before")) {
        session_post(session, "terms-from %d", AS_MAX(t->first - t->n, 0));
    }
    ui_label(ui, rect(x + 32, box.y, pw + 1, 30), &(UiLabel){.face = FONT_MONO, .size = 11}, place);
    if (ui_icon_button(ui, UI_ID("math-more"), rect(x + 36 + pw, box.y, 28, 30), ICON_CHEVRON_RIGHT,
                       "next dimensions")) {
        session_post(session, "terms-from %d", AS_MIN(t->first + t->n, t->s->d->dim - t->n));
    }
    return x;
}

void math_draw_terms(const MathScene *s, Rect card)
{
    Session *session = s->c->session;
    Ui *ui = s->c->ui;
    const MathData *d = s->d;
    Terms t = {.s = s,
               .card = card,
               .largest = session->options.terms_largest,
               .x = card.x + PAD + LABELS,
               .most_q = most_of(d->q, d->dim),
               .most_k = most_of(d->k, d->dim),
               .most_term = most_of(d->terms, d->dim)};
    float room = card.w - 2 * PAD - LABELS - TOTAL - 16;
    t.n = AS_CLAMP((int32_t)(room / PITCH), 1, d->dim);
    t.pitch = t.n == d->dim ? fminf(room / (float)t.n, 52) : PITCH;
    t.first = AS_CLAMP(session->options.terms_from, 0, d->dim - t.n);
    t.shown = s->step == MATH_DOT
                  ? (int32_t)lround(math_phase(s, MATH_DOT, 0.1, 0.95) * (double)d->dim)
                  : d->dim;
    float controls = draw_controls(&t);
    math_title(
        s, rect(card.x, card.y, controls - card.x, 40), "The dot product, term by term",
        draw_format(ui->list, "each column is one of the %d dimensions of the head", d->dim));
    if (ui_hovers(ui, card) && ui->wheel != 0 && t.n < d->dim) {
        int32_t to = t.first + (ui->wheel > 0 ? -4 : 4);
        session_post(session, "terms-from %d", AS_CLAMP(to, 0, d->dim - t.n));
        ui->wheel = 0;
    }
    float y = card.y + 44;
    draw_vectors(&t, y);
    y += 20 + 3 * ROW + 6;
    float left = card.y + card.h - y;
    if (left < 70) {
        return;
    }
    draw_key(&t, y);
    y += 24;
    draw_running(&t, rect(card.x + PAD + LABELS - 10, y, card.w - 2 * PAD - LABELS - TOTAL + 10 - 8,
                          card.y + card.h - 14 - y));
}
