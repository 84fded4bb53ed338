#include "views/internal.h"
#include "views/mathematics.h"

#include <math.h>
#include <string.h>

/* The matrices drawn to scale: every number a few pixels, rings on what belongs to the pair. */

/* ---- pictures ---- */

enum { SIGN = 34, ARROW = 72, NEAR = 14 };

static float largest_of(const float *values, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++) {
        most = isfinite(values[i]) ? fmaxf(most, fabsf(values[i])) : most;
    }
    return most > 0 ? most : 1;
}

static void put_pixel(unsigned char *to, Color c)
{
    unsigned char rgba[4] = {(unsigned char)lroundf(c.r * 255), (unsigned char)lroundf(c.g * 255),
                             (unsigned char)lroundf(c.b * 255), 255};
    memcpy(to, rgba, sizeof rgba);
}

/* The colour grows with the size of the number; masked ones are "not there". */
static MathPicture picture(const MathScene *s, const float *values, int32_t rows, int32_t cols,
                           bool turned, Color color)
{
    MathState *state = s->state;
    const Theme *t = &s->c->ui->theme;
    MathPicture p = {.w = turned ? rows : cols, .h = turned ? cols : rows};
    p.pixels =
        values ? arena_alloc_array(&state->pictures, (size_t)rows * (size_t)cols, 4, NULL) : NULL;
    if (!p.pixels) {
        return (MathPicture){0};
    }
    float most = largest_of(values, (size_t)rows * (size_t)cols);
    for (int32_t i = 0; i < rows; i++) {
        for (int32_t j = 0; j < cols; j++) {
            float v = values[(size_t)i * (size_t)cols + (size_t)j];
            int32_t x = turned ? i : j;
            int32_t y = turned ? j : i;
            Color c =
                isfinite(v) ? color_mix(t->map_zero, color, sqrtf(fabsf(v) / most)) : t->masked;
            put_pixel(p.pixels + ((size_t)y * (size_t)p.w + (size_t)x) * 4, c);
        }
    }
    p.version = (uint64_t)(uintptr_t)state ^ (++state->versions * 0x9E3779B97F4A7C15u);
    return p;
}

static void make_pictures(const MathScene *s)
{
    MathState *state = s->state;
    const MathData *d = s->d;
    const Theme *t = &s->c->ui->theme;
    if (state->pictured && state->theme == (int)t->id) {
        return;
    }
    arena_reset(&state->pictures);
    state->q = picture(s, d->wq, d->n_rows, d->dim, false, t->q);
    state->k = picture(s, d->wk, d->n_cols, d->dim, true, t->k);
    state->s = picture(s, d->ws, d->n_rows, d->n_cols, false, t->score);
    state->a = picture(s, d->wa, d->n_rows, d->n_cols, false, t->k);
    state->v = picture(s, d->wv, d->n_cols, d->dim, false, t->v);
    state->o = picture(s, d->wo, d->n_rows, d->dim, false, t->output);
    state->theme = (int)t->id;
    state->pictured = true;
}

/* ---- layout ---- */

typedef struct Line {
    const MathScene *s;
    Rect box;
    float middle; /* y all matrices are centred on */
    float px_d, px_n;
} Line;

static void ring(const Line *line, Rect r)
{
    Ui *ui = line->s->c->ui;
    draw_rect(ui->list, &(DrawRect){.box = {r.x - 3, r.y - 3, r.w + 6, r.h + 6},
                                    .radius = 3.5f,
                                    .border = 3,
                                    .border_color = color_with_alpha(ui->theme.card, 0.9f)});
    draw_rect(ui->list, &(DrawRect){.box = {r.x - 2, r.y - 2, r.w + 4, r.h + 4},
                                    .radius = 3,
                                    .border = 1.6f,
                                    .border_color = ui->theme.text});
}

/* One matrix with its name below; box in px. Empty where values are not held. */
static Rect matrix(const Line *line, float x, const MathPicture *p, float px_x, float px_y,
                   const char *name, const char *shape, Color color, float appears)
{
    Ui *ui = line->s->c->ui;
    float w = (float)p->w * px_x;
    float h = (float)p->h * px_y;
    Rect r = {ui_snap(ui, x), ui_snap(ui, line->middle - h / 2), w, h};
    draw_push_alpha(ui->list, 0.12f + 0.88f * appears);
    draw_image(ui->list, &(DrawImage){.box = r,
                                      .pixels = p->pixels,
                                      .width = p->w,
                                      .height = p->h,
                                      .version = p->version,
                                      .smooth = px_x < 1 || px_y < 1});
    draw_pop_alpha(ui->list);
    draw_rect(ui->list, &(DrawRect){.box = {r.x - 1, r.y - 1, r.w + 2, r.h + 2},
                                    .border = 1,
                                    .border_color = ui->theme.edge});
    Formula style = {.size = 16, .colors = &color, .n_colors = 1};
    float fw;
    float up;
    float down;
    ui_formula_measure(ui, &style, name, &fw, &up, &down);
    float tw = ui_text_width(ui, FONT_MONO, 11, shape);
    float y = line->box.y + line->box.h - 10;
    float left = roundf(x + w / 2 - (fw + 6 + tw) / 2);
    if (fw + 6 + tw > w + NEAR - 2) { /* the next one's name stands there */
        ui_formula(ui, vec2(roundf(x + w / 2 - fw / 2), y), &style, name);
        ui_tooltip(ui, rect(r.x, y - 16, w, 20), shape);
        return r;
    }
    ui_formula(ui, vec2(left, y), &style, name);
    draw_text(ui->list, &(DrawText){.face = FONT_MONO,
                                    .size = 11,
                                    .color = ui->theme.text2,
                                    .text = shape,
                                    .at = {left + fw + 6, y}});
    return r;
}

static void sign(const Line *line, float x, const char *text)
{
    Ui *ui = line->s->c->ui;
    draw_text(ui->list, &(DrawText){.face = FONT_MATH,
                                    .size = 20,
                                    .color = ui->theme.text2,
                                    .text = text,
                                    .at = {x, line->middle + 7},
                                    .align = DRAW_CENTER});
}

/* "softmax" over an arrow, "of S / √d" below. */
static void softmax_arrow(const Line *line, float x, float w)
{
    Ui *ui = line->s->c->ui;
    const Theme *t = &ui->theme;
    float y = line->middle;
    draw_line(ui->list,
              &(DrawLine){.a = {x + 4, y}, .b = {x + w - 10, y}, .width = 1.5f, .color = t->text2});
    Vec2 tip[] = {{x + w - 4, y}, {x + w - 11, y - 4}, {x + w - 11, y + 4}};
    draw_polygon(ui->list, &(DrawPolygon){.points = tip, .n_points = 3, .fill = t->text2});
    ui_label(ui, rect(x, y - 22, w, 18),
             &(UiLabel){
                 .face = FONT_SANS_SEMIBOLD, .size = 11, .color = t->k_text, .align = DRAW_CENTER},
             "softmax");
    const MathScene *s = line->s;
    double root = sqrt((double)s->d->dim);
    Formula style = {.size = 13, .color = t->text2};
    const char *of = fabs((double)s->r->cell.scale * root - 1) < 1e-4
                         ? draw_format(ui->list, "\\up{of} S \\up{/} \\sqrt{%d}", s->d->dim)
                         : "\\up{of} c S";
    float fw;
    float up;
    float down;
    ui_formula_measure(ui, &style, of, &fw, &up, &down);
    ui_formula(ui, vec2(roundf(x + (w - fw) / 2), y + 18), &style, of);
}

static const char *shape_text(const MathScene *s, int32_t rows, int32_t cols)
{
    return draw_format(s->c->ui->list, "%d × %d", rows, cols);
}

static float total_width(const MathData *d, float px_d, float px_n)
{
    float dim = (float)d->dim * px_d;
    float keys = (float)d->n_cols * px_n;
    float w = dim + NEAR + keys + SIGN + keys;
    w += d->wo ? ARROW + keys + NEAR + dim + SIGN + dim : ARROW + keys;
    return w;
}

static Rect inner(Rect m, float px_x, float px_y, int32_t col, int32_t row, int32_t cols,
                  int32_t rows)
{
    return rect(m.x + (float)col * px_x, m.y + (float)row * px_y, (float)cols * px_x,
                (float)rows * px_y);
}

static void draw_line_of(const Line *line)
{
    const MathScene *s = line->s;
    const MathData *d = s->d;
    const MathState *state = s->state;
    const Theme *t = &s->c->ui->theme;
    const TraceInfo *info = trace_info(s->c->session->trace);
    int32_t n = info->n_queries;
    int32_t m = info->n_keys;
    int32_t row = d->query - d->row0;
    int32_t col = d->key - d->col0;
    float pd = line->px_d;
    float pn = line->px_n;
    float x = line->box.x + (line->box.w - total_width(d, pd, pn)) / 2;
    Rect q = matrix(line, x, &state->q, pd, pn, "\\c1{Q}", shape_text(s, n, d->dim), t->q_text, 1);
    x = q.x + q.w + NEAR;
    Rect k = matrix(line, x, &state->k, pn, pd, "\\c1{K}^{\\up{T}}", shape_text(s, d->dim, m),
                    t->k_text, 1);
    x = k.x + k.w;
    sign(line, x + SIGN / 2.0f, "=");
    float dot = (float)math_phase(s, MATH_DOT, 0.2, 0.9);
    Rect sc = matrix(line, x + SIGN, &state->s, pn, pn, "\\c1{S}", shape_text(s, n, m),
                     t->score_text, dot);
    x = sc.x + sc.w;
    softmax_arrow(line, x, ARROW);
    float soft = (float)math_phase(s, MATH_SOFTMAX, 0.2, 0.9);
    Rect a =
        matrix(line, x + ARROW, &state->a, pn, pn, "\\c1{A}", shape_text(s, n, m), t->k_text, soft);
    if (d->wo) {
        float mix = (float)math_phase(s, MATH_MIX, 0.2, 0.9);
        Rect v = matrix(line, a.x + a.w + NEAR, &state->v, pd, pn, "\\c1{V}",
                        shape_text(s, m, d->dim), t->v_text, 1);
        x = v.x + v.w;
        sign(line, x + SIGN / 2.0f, "=");
        Rect o = matrix(line, x + SIGN, &state->o, pd, pn, "\\c1{O}", shape_text(s, n, d->dim),
                        t->output_text, mix);
        ring(line, inner(o, pd, pn, 0, row, d->dim, 1));
    }
    ring(line, inner(q, pd, pn, 0, row, d->dim, 1));
    ring(line, inner(k, pn, pd, col, 0, 1, d->dim));
    ring(line, inner(sc, pn, pn, col, row, 1, 1));
    ring(line, inner(a, pn, pn, col, row, 1, 1));
}

void math_draw_shapes(const MathScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const MathData *d = s->d;
    const TraceInfo *info = trace_info(s->c->session->trace);
    make_pictures(s);
    Line line = {.s = s, .box = box, .px_n = 4};
    float room = box.h - 32 - 32;
    float px = floorf(AS_MIN(room, 128.0f) / (float)d->dim);
    line.px_d = px >= 1 ? px : room / (float)d->dim;
    while (line.px_d > 1 && total_width(d, line.px_d, line.px_n) > box.w) {
        line.px_d -= 1;
    }
    if (total_width(d, line.px_d, line.px_n) > box.w) {
        return; /* no room for an honest scale: the formula stands alone */
    }
    line.middle = box.y + 32 + room / 2;
    const char *part =
        info->n_queries > d->n_rows || info->n_keys > d->n_cols
            ? draw_format(ui->list, "%d of %d queries and %d of %d keys, around the pair",
                          d->n_rows, info->n_queries, d->n_cols, info->n_keys)
            : draw_format(ui->list, "%.3g × %.3g px per number, real values; rings mark the pair",
                          (double)line.px_d, (double)line.px_n);
    math_title(s, rect(box.x - 16, box.y - 10, box.w + 32, 40), "Its shapes, drawn to scale", part);
    draw_line_of(&line);
}
