#include "views/internal.h"
#include "views/overview.h"

#include <math.h>
#include <stdlib.h>

/* The left card: the mean of all heads, the token that draws most of the weight, and what the
 * selected token reads when that one is left out. */

enum {
    GUTTER = 68,
    KEY_LABELS = 56,
    LEGEND_H = 52,
    SINK_H = 56,
    SINK_LINE = 19,
    ROW_PITCH = 28,
    LABEL_PX = 12
};

/* A token draws this much: it is named and left out of the profile. */
static const float SINK_LIMIT = 0.2f;

typedef struct Left {
    Rect card, heat;
    float x, w;    /* of the contents */
    float cell;    /* logical px per token */
    float place_w; /* of the longest place of a key */
    bool legend;
    bool reads;       /* what the token reads is listed below */
    float top;        /* of what is below the title */
    float key_labels; /* height above the heatmap for them */
} Left;

static bool has_sink(const OverviewScene *s)
{
    const Survey *v = s->survey;
    if (!v || v->sink < 0) {
        return false;
    }
    /* Of a few keys each gets much: a sink gets twice an even share at least. */
    float even = 1 / (float)trace_info(s->c->session->trace)->n_keys;
    return v->sink_share >= fmaxf(SINK_LIMIT, 2 * even);
}

/* ---- the heatmap ---- */

/* Means over many weights are small: only a log scale tells them apart. */
static Scale mean_scale(const OverviewScene *s)
{
    const HeadGrid *g = &s->view->grid;
    if (g->row_texel <= 1) {
        return s->scale;
    }
    int32_t n = trace_info(s->c->session->trace)->n_keys;
    return (Scale){.kind = SCALE_LOG, .lo = powf(10, floorf(log10f(0.2f / (float)n))), .hi = 1};
}

static void token_label_at(const OverviewScene *s, const Left *l, int32_t token, bool is_key,
                           bool strong)
{
    Ui *ui = s->c->ui;
    FontFace face = strong ? FONT_SANS_SEMIBOLD : FONT_SANS;
    Color color = strong ? ui->theme.text : ui->theme.text2;
    float at = l->cell * ((float)token + 0.5f);
    const char *text = is_key ? key_label_of(s->c, token) : label_of(s->c, token);
    if (!is_key) {
        float y = l->heat.y + at;
        ui_label(ui, rect(l->x - 4, y - 8, GUTTER - 4, 16),
                 &(UiLabel){.face = face, .size = 11, .align = DRAW_RIGHT, .color = color}, text);
        return;
    }
    FontMetrics m = font_metrics(ui->fonts, face, 11);
    draw_text(ui->list, &(DrawText){.face = face,
                                    .size = 11,
                                    .color = color,
                                    .text = text,
                                    .turn = TEXT_UP,
                                    .at = {l->heat.x + at + m.cap_height / 2, l->heat.y - 8},
                                    .max_width = l->key_labels - 8});
}

/* The chosen token first; of the others as many as have room. */
static void draw_axis(const OverviewScene *s, const Left *l, bool is_key, int32_t chosen)
{
    int32_t n = is_key ? trace_info(s->c->session->trace)->n_keys
                       : trace_info(s->c->session->trace)->n_queries;
    int32_t step = (int32_t)fmaxf(1, ceilf((LABEL_PX - 0.01f) / l->cell));
    if (chosen >= 0 && chosen < n) {
        token_label_at(s, l, chosen, is_key, true);
    }
    for (int32_t i = 0; i < n; i += step) {
        bool clear = chosen < 0 || fabsf((float)(i - chosen)) * l->cell >= LABEL_PX - 0.01f;
        if (clear && i != chosen && (step == 1 || (float)(n - i) * l->cell >= LABEL_PX / 2)) {
            token_label_at(s, l, i, is_key, false);
        }
    }
}

static void heat_pointer(OverviewScene *s, const Left *l)
{
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    const TraceInfo *info = trace_info(session->trace);
    bool hot;
    bool clicked = ui_click(ui, UI_ID("overview-heat"), l->heat, false, &hot, NULL);
    if (!hot) {
        return;
    }
    int32_t i = AS_CLAMP((int32_t)((ui->mouse.y - l->heat.y) / l->cell), 0, info->n_queries - 1);
    int32_t j = AS_CLAMP((int32_t)((ui->mouse.x - l->heat.x) / l->cell), 0, info->n_keys - 1);
    const Selection *sel = &session->selection;
    if (clicked) {
        bool again = sel->pinned && sel->query == i && sel->key == j;
        session_post(session, again ? "unpin" : "pin %d %d", i, j);
    } else if (ui->mouse_moved && !sel->pinned && (sel->query != i || sel->key != j)) {
        session_post(session, "hover %d %d", i, j);
    }
    const HeadGrid *g = &s->view->grid;
    if (g->mean_of) {
        int32_t r = AS_MIN(i / g->row_texel, g->sum_rows - 1);
        int32_t c = AS_MIN(j / g->col_texel, g->sum_cols - 1);
        double mean = (double)g->mean[(size_t)r * (size_t)g->sum_cols + (size_t)c];
        const char *what =
            isinf(mean) ? "masked: later keys are not there for this token"
            : g->row_texel > 1
                ? draw_format(ui->list, "mean over all heads and %d × %d weights: %.6f",
                              g->row_texel, g->col_texel, mean)
                : draw_format(ui->list, "mean over all heads: %.6f", mean);
        ui_tooltip(ui, l->heat,
                   draw_format(ui->list, "token %d “%s” reads token %d “%s”, %s", i,
                               label_of(s->c, i), j, key_label_of(s->c, j), what));
    }
}

/* Returns where it ends. */
static float draw_heat(OverviewScene *s, Left *l, float side)
{
    ViewContext *c = s->c;
    Ui *ui = c->ui;
    const TraceInfo *info = trace_info(c->session->trace);
    const Selection *sel = &c->session->selection;
    const HeadGrid *g = &s->view->grid;
    int32_t n = AS_MAX(info->n_queries, info->n_keys);
    int32_t values = AS_MAX(AS_MAX(g->sum_rows, g->sum_cols), 1);
    int32_t dev = AS_MAX((int32_t)floorf(side * ui->scale), 1);
    dev = head_grid_side(values, dev);
    side = (float)dev / ui->scale;
    l->heat = rect(ui_snap(ui, l->x + GUTTER), ui_snap(ui, l->card.y + l->top + l->key_labels),
                   side, side);
    float unit = side / (float)values;
    l->heat.w = g->sum_cols ? unit * (float)g->sum_cols : side;
    l->heat.h = g->sum_rows ? unit * (float)g->sum_rows : side;
    /* The last texel may be a part of one: tokens are placed by texels. */
    l->cell = g->sum_rows ? side / (float)values / (float)g->row_texel : side / (float)n;
    head_grid_draw_mean(g, c, l->heat, mean_scale(s));
    heat_pointer(s, l);
    draw_axis(s, l, false, sel->query);
    draw_axis(s, l, true, trace_is_cross(c->session->trace) ? sel->key : sel->query);
    float y = l->heat.y + l->cell * (float)sel->query;
    float h = fmaxf(l->cell, 5);
    draw_rect(ui->list,
              &(DrawRect){.box = {l->heat.x - 2, y + l->cell / 2 - h / 2 - 2, l->heat.w + 4, h + 4},
                          .radius = fminf(4, h / 2 + 2),
                          .border = 1.5f,
                          .border_color = ui->theme.cross});
    if (!l->legend) {
        return l->heat.y + l->heat.h + 10;
    }
    float legend_w = fminf(160, side);
    float low = l->heat.y + l->heat.h + 16;
    ui_legend(ui, rect(l->heat.x, low, legend_w, 32), weight_map(ui), mean_scale(s));
    float right = l->card.x + l->card.w - 16;
    float room = right - l->heat.x - legend_w - 12;
    if (room > 76) {
        ui_label(ui, rect(right - room, low - 3, room, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT},
                 g->row_texel > 1 ? "weight, log" : "weight, √ scale");
    }
    if (g->row_texel > 1 && room > 76) {
        ui_label(ui, rect(right - room, low + 13, room, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT},
                 draw_format(ui->list, "1 px = %d × %d, mean", g->row_texel, g->col_texel));
    }
    return low + 36;
}

/* ---- the sink ---- */

static const char *rest_of_sink(const OverviewScene *s, const Left *l)
{
    DrawList *list = s->c->ui->list;
    const Survey *v = s->survey;
    int32_t last = trace_info(s->c->session->trace)->n_queries - 1;
    const char *label = key_label_of(s->c, v->sink);
    if (!has_sink(s)) {
        return draw_format(list,
                           "of all rows rests on token %d, “%s”, the most of any: no "
                           "attention sink here.",
                           v->sink, label);
    }
    const char *whose =
        v->sink == 0 && last > 0 ? draw_format(list, "of tokens 1 to %d", last) : "of all tokens";
    return draw_format(list, "%s rests on token %d, “%s”, the attention sink.%s", whose, v->sink,
                       label, l->reads ? " Left out below." : "");
}

/* Bold words, then plain ones, wrapped as one text. Returns how many lines that takes; draws
 * nothing into an empty box. */
static int draw_rich(Ui *ui, Rect box, const char *strong, const char *rest)
{
    const float size = 12;
    float strong_w = ui_text_width(ui, FONT_SANS_SEMIBOLD, size, strong);
    float space = ui_text_width(ui, FONT_SANS, size, " ");
    UiLabel plain = {.face = FONT_SANS, .size = size};
    size_t start;
    size_t end;
    /* The first line is shorter by the bold words. */
    size_t n = text_wrap(ui->fonts, FONT_SANS, size, rest, TEXT_ALL, box.w - strong_w - space,
                         &start, &end, 1);
    const char *more = rest + end;
    more += *more == ' ';
    int lines = 1;
    if (n > 1) {
        lines += (int)lroundf(ui_paragraph_height(ui, box.w, &plain, SINK_LINE, more) / SINK_LINE);
    }
    if (box.h <= 0) {
        return lines;
    }
    ui_label(ui, rect(box.x, box.y, box.w, SINK_LINE),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = size, .color = ui->theme.text}, strong);
    ui_label(ui, rect(box.x + strong_w + space, box.y, box.w - strong_w - space, SINK_LINE), &plain,
             draw_format(ui->list, "%.*s", (int)(end - start), rest + start));
    if (n > 1) {
        ui_paragraph(ui, rect(box.x, box.y + SINK_LINE, box.w, box.h - SINK_LINE), &plain,
                     SINK_LINE, more);
    }
    return lines;
}

static float draw_sink(const OverviewScene *s, const Left *l, float y)
{
    Ui *ui = s->c->ui;
    const Survey *v = s->survey;
    bool known = v && v->sink >= 0;
    Color warn = ui->theme.warn;
    Color tone = known && has_sink(s) ? warn : ui->theme.text3;
    const char *strong = !known                   ? ""
                         : v->sink_share < 0.005f ? "Under 1 % of the weight"
                                                  : draw_format(ui->list, "%.0f %% of the weight",
                                                                100 * (double)v->sink_share);
    int lines = known ? draw_rich(ui, rect(0, 0, l->w - 46, 0), strong, rest_of_sink(s, l)) : 2;
    float height = (float)(AS_CLAMP(lines, 2, 4) * SINK_LINE) + SINK_H - 2 * SINK_LINE;
    Rect box = {l->x, y, l->w, height};
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 10,
                                    .fill = color_mix(ui->theme.card, tone, 0.08f),
                                    .border = 1,
                                    .border_color = color_mix(ui->theme.card, tone, 0.4f)});
    draw_circle(ui->list,
                &(DrawCircle){.center = {box.x + 18, box.y + 19}, .radius = 4, .fill = tone});
    Rect inner = {box.x + 34, box.y + 9, box.w - 46, box.h - 16};
    if (!known) {
        const char *why = v && v->failure.code == ERR_CANCELLED
                              ? "Stopped before all heads were looked through."
                          : v && v->failure.code ? v->failure.message
                                                 : "Adding up what every token receives …";
        ui_paragraph(ui, inner, &(UiLabel){.face = FONT_SANS, .size = 12}, 19, why);
    } else {
        draw_rich(ui, inner, strong, rest_of_sink(s, l));
    }
    return y + height;
}

/* ---- what the token reads ---- */

typedef struct Read {
    int32_t key;
    float weight;
} Read;

static int by_weight(const void *a, const void *b)
{
    const Read *x = a;
    const Read *y = b;
    return x->weight != y->weight ? (x->weight < y->weight) - (x->weight > y->weight)
                                  : (x->key > y->key) - (x->key < y->key);
}

static void draw_read_row(const OverviewScene *s, const Left *l, float y, const Read *read,
                          float most)
{
    Ui *ui = s->c->ui;
    Color color = key_token_color(s->c, read->key);
    float chip = fminf(76, l->w * 0.24f);
    ui_chip(ui, rect(l->x, y + 3, chip, 22),
            &(UiChip){.text = key_label_of(s->c, read->key), .color = color, .size = 12});
    ui_tooltip(ui, rect(l->x, y + 3, chip, 22),
               draw_format(ui->list, "token %d: %.6f, mean of all heads", read->key,
                           (double)read->weight));
    float x = l->x + chip + 8;
    const char *place = draw_format(ui->list, "%d", read->key);
    ui_label(ui, rect(x, y, l->place_w, ROW_PITCH),
             &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT}, place);
    x += l->place_w + 8;
    Rect bar = {x, y + 8, l->x + l->w - 58 - x, 12};
    ui_bar(ui, bar, most > 0 ? read->weight / most : 0, color_mix(ui->theme.card, color, 0.82f));
    ui_label(
        ui, rect(l->x + l->w - 54, y, 54, ROW_PITCH),
        &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT, .color = ui->theme.text},
        draw_format(ui->list, "%.1f %%", 100 * (double)read->weight));
}

static void draw_reads(OverviewScene *s, const Left *l, float y, float bottom)
{
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    int32_t query = session->selection.query;
    int32_t sink = has_sink(s) ? s->survey->sink : -1;
    bool wide = l->w >= 300;
    const char *note = sink < 0 ? "mean of all heads"
                       : wide   ? "mean of all heads, without the sink"
                                : "without the sink";
    float note_w = ui_text_width(ui, FONT_SANS, 11, note);
    ui_label(ui, rect(l->x, y, l->w - note_w - 12, 24),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = ui->theme.text},
             draw_format(ui->list, "What “%s” reads", label_of(s->c, query)));
    ui_label(ui, rect(l->x + l->w - note_w, y, note_w + 1, 24),
             &(UiLabel){.face = FONT_SANS, .size = 11}, note);
    y += 28;
    const float *row = session_mean_row(session, query);
    int32_t m = trace_info(session->trace)->n_keys;
    Read *reads = row ? ARENA_ARRAY(&ui->list->arena, Read, (size_t)m, NULL) : NULL;
    if (!reads) {
        const Survey *v = s->survey;
        bool failed = v && v->row_failure.code && v->row_failure.code != ERR_CANCELLED;
        s->c->views->settled &= failed;
        ui_paragraph(ui, rect(l->x, y + 4, l->w, 40), &(UiLabel){.face = FONT_SANS, .size = 12}, 19,
                     failed ? v->row_failure.message : "Reading this row of every head …");
        return;
    }
    if (trace_image(session->trace)) {
        float side = fminf(l->w, bottom - y);
        draw_picture_attention(s->c, rect(l->x + (l->w - side) / 2, y + 2, side, side - 2), query,
                               row);
        return;
    }
    int32_t n = 0;
    double visible = 0;
    for (int32_t j = 0; j < m; j++) {
        visible += j == sink ? 0 : (double)row[j];
        if (j != sink && row[j] > 0) {
            reads[n++] = (Read){j, row[j]};
        }
    }
    qsort(reads, (size_t)n, sizeof *reads, by_weight);
    bool foot = bottom - y >= 3 * ROW_PITCH + 28;
    int32_t rows = (int32_t)((bottom - y - (foot ? 28 : 0)) / ROW_PITCH);
    rows = AS_CLAMP(rows, 0, AS_MIN(n, 12));
    double shown = 0;
    for (int32_t k = 0; k < rows; k++) {
        draw_read_row(s, l, y + (float)(k * ROW_PITCH), &reads[k], reads[0].weight);
        shown += (double)reads[k].weight;
    }
    if (!foot) {
        return;
    }
    const char *text =
        !n ? "Everything it reads is the sink."
        : sink < 0
            ? draw_format(ui->list, "shown: %.0f %% of its weight", 100 * shown)
            : draw_format(ui->list, "shown: %.0f %% of what is left after the sink took %.0f %%",
                          100 * shown / visible, 100 * (double)row[sink]);
    float foot_y = y + (float)(rows * ROW_PITCH) + 6;
    ui_label(ui, rect(l->x, foot_y, l->w, 18), &(UiLabel){.face = FONT_SANS, .size = 11}, text);
}

void overview_draw_left(OverviewScene *s)
{
    Ui *ui = s->c->ui;
    Rect card = s->layout.left;
    if (rect_is_empty(card)) {
        return;
    }
    Left l = {.card = card, .x = card.x + 16, .w = card.w - 32};
    ui_card(ui, card);
    const char *title = "All heads averaged";
    const char *note = "rows ask, columns are read";
    float title_w = ui_label(
        ui, rect(l.x, card.y + 14, l.w, 24),
        &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = ui->theme.text}, title);
    if (title_w + 12 + ui_text_width(ui, FONT_SANS, 11, note) <= l.w) {
        ui_label(ui, rect(l.x + title_w + 12, card.y + 14, l.w - title_w - 12, 24),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT}, note);
    }
    /* What has no room is left out from below: first the profile, then the sink. */
    l.legend = card.h >= 560 || s->layout.grid.w < 640 ||
               s->view->grid.row_texel > 1; /* else the pictures' one is enough */
    l.top = card.h >= 560 ? 50 : 40;
    l.key_labels = card.h >= 560 ? 56 : 46;
    float rest = card.h - l.top - l.key_labels - (l.legend ? LEGEND_H : 12);
    float sink_h = (l.w < 330 ? SINK_H + SINK_LINE : SINK_H) + 24;
    float least = 110;
    bool sink = rest - least >= sink_h;
    bool reads = rest - least >= sink_h + 50 + 2 * ROW_PITCH;
    l.reads = reads;
    int32_t last = trace_info(s->c->session->trace)->n_keys - 1;
    l.place_w = ui_text_width(ui, FONT_MONO, 11, draw_format(ui->list, "%d", last)) + 1;
    float side = rest - (sink ? sink_h : 8);
    float most = fminf(280, l.w - GUTTER - 4);
    for (int rows = 7; reads && rows >= 2; rows--) { /* the heatmap gives way a little */
        float left = rest - sink_h - 50 - (float)(rows * ROW_PITCH) - (rows >= 4 ? 28 : 0);
        if (left >= (rows > 3 ? 150 : 124) || rows == 2) {
            side = left;
            break;
        }
    }
    side = fminf(AS_CLAMP(side, least, most), rest - 8);
    if (side < 40) {
        return;
    }
    float y = draw_heat(s, &l, side);
    float bottom = card.y + card.h - 12;
    if (sink) {
        y = draw_sink(s, &l, y + 8) + 14;
    }
    if (reads && bottom - y >= 28 + 2 * ROW_PITCH) {
        ui_hairline_h(ui, l.x, ui_snap(ui, y), l.w);
        draw_reads(s, &l, y + 12, bottom);
    }
}
