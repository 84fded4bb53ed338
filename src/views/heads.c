#include "views/heads.h"

#include "views/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const sort_names[HEADS_SORT_COUNT] = {"Layer", "Pattern", "Entropy", "Distance"};

void heads_free(HeadsView *view)
{
    head_grid_free(&view->grid);
    head_picture_free(&view->hovered);
    head_picture_free(&view->pinned);
    for (int i = 0; i < PATTERN_COUNT; i++) {
        head_picture_free(&view->best[i]);
    }
    for (int i = 0; i < HEADS_CHOSEN_MOST; i++) {
        head_picture_free(&view->chosen[i]);
    }
    *view = (HeadsView){0};
}

/* ---- layout ---- */

enum { SCORE_W = 116 };

static HeadsLayout layout_heads(const HeadsScene *s, Rect stage)
{
    bool small = stage.h < 700 || stage.w < 1000;
    float pad = small ? 16 : 24;
    float gap = small ? 12 : 24;
    Rect box = rect_inset(stage, pad);
    HeadsLayout l = {.title = rect(box.x, box.y, box.w, 32)};
    float sort = 252;
    if (box.w > sort + 200) {
        l.sort = rect(box.x + box.w - sort, box.y + 2, sort, 28);
        l.title.w = box.w - sort - 80;
        if (l.title.w > 420) {
            l.score = rect(l.sort.x - 82 - SCORE_W, box.y + 2, SCORE_W, 28);
            l.title.w = l.score.x - 24 - box.x;
        }
    }
    float y = box.y + 32 + gap / 2;
    if (box.h >= 240) {
        int lines = heads_filter_lines(s, box.w);
        float h = (float)(lines * (FILTER_H + FILTER_GAP) - FILTER_GAP);
        l.filters = rect(box.x, y, box.w, h);
        y += h + gap / 2 + 4;
    }
    float best = box.h >= 780 ? 160 : box.h >= 500 ? 116 : 0;
    if (best > 0) {
        l.best = rect(box.x, box.y + box.h - best, box.w, best);
    }
    l.grid = rect(box.x, y, box.w, box.y + box.h - y - (best > 0 ? best + gap : 0));
    return l;
}

/* ---- the pictures ---- */

typedef struct Cell {
    int32_t layer, head;
    float key; /* what it is sorted by */
    int label;
} Cell;

typedef struct Field {
    Rect area;
    bool table;      /* layers and heads along the sides; else in the order of the sort */
    HeadTable shape; /* of the table */
    int32_t across, rows;
    float tile, px, py, label_h;
    Cell *cells;
    int32_t n;
} Field;

enum { LABEL_H = 18, AXIS_H = 24, AXIS_W = 48, TILE_MOST = 160 };

static int by_key(const void *a, const void *b)
{
    const Cell *x = a;
    const Cell *y = b;
    if (x->key != y->key) {
        return (x->key > y->key) - (x->key < y->key);
    }
    return x->layer != y->layer ? (x->layer > y->layer) - (x->layer < y->layer)
                                : (x->head > y->head) - (x->head < y->head);
}

/* Patterns one after the other, the clearest first; entropy and distance ascending. */
static float sort_key(HeadsSort sort, const SurveyHead *h)
{
    if (!h) {
        return INFINITY;
    }
    switch (sort) {
    case HEADS_BY_PATTERN: {
        int label = heads_label(h);
        float score = label == HEADS_MIXED ? 0 : h->scores.score[label - 1];
        return (float)label + 1 - score;
    }
    case HEADS_BY_ENTROPY:
        return h->entropy;
    case HEADS_BY_DISTANCE:
        return h->distance;
    default:
        return 0;
    }
}

static void list_cells(const HeadsScene *s, Field *f)
{
    const TraceInfo *info = trace_info(s->c->session->trace);
    size_t n = (size_t)info->n_layers * (size_t)info->n_heads;
    f->cells = ARENA_ARRAY(&s->c->ui->list->arena, Cell, n, NULL);
    for (int32_t layer = 0; f->cells && layer < info->n_layers; layer++) {
        for (int32_t head = 0; head < info->n_heads; head++) {
            const SurveyHead *h = heads_scored(s, layer, head);
            int label = h ? heads_label(h) : HEADS_MIXED;
            if (f->table || heads_match(s, h)) {
                f->cells[f->n++] =
                    (Cell){layer, head, sort_key((HeadsSort)s->options->sort, h), label};
            }
        }
    }
    if (!f->table && f->cells) {
        qsort(f->cells, (size_t)f->n, sizeof *f->cells, by_key);
    }
}

static float gap_of(float pitch)
{
    return pitch >= 30 ? 4 : pitch >= 10 ? 2 : pitch >= 5 ? 1 : 0;
}

static float side_for(Rect area, int32_t across, int32_t rows, float label_h)
{
    float x = area.w / (float)across;
    float y = area.h / (float)rows - label_h;
    float pitch = fminf(x, y);
    return pitch - gap_of(pitch);
}

/* Labels below the pictures while these stay of a size to be seen. */
static float fit_field(Field *f, Rect area, int32_t across, int32_t rows)
{
    float with = side_for(area, across, rows, LABEL_H);
    f->label_h = with >= 26 ? LABEL_H : 0;
    return f->label_h > 0 ? with : side_for(area, across, rows, 0);
}

static void shape_field(const HeadsScene *s, Field *f, Rect card)
{
    const TraceInfo *info = trace_info(s->c->session->trace);
    float scale = s->c->ui->scale;
    f->area = rect_inset(card, 14);
    float tile;
    if (f->table) {
        f->area =
            rect(f->area.x + AXIS_W, f->area.y + AXIS_H, f->area.w - AXIS_W, f->area.h - AXIS_H);
        f->shape = head_table_fit(info->n_layers, info->n_heads, f->area.w, f->area.h, LABEL_H);
        if (f->shape.lines > 1) { /* no axis above */
            f->area.y -= AXIS_H - 4;
            f->area.h += AXIS_H - 4;
        }
        f->across = f->shape.across;
        f->rows = f->shape.groups * f->shape.lines;
        tile = fit_field(f, f->area, f->across, f->rows);
    } else {
        float best = 0;
        f->across = 1;
        for (int32_t k = 1; k <= AS_MAX(f->n, 1); k++) {
            float side = fit_field(f, f->area, k, (AS_MAX(f->n, 1) + k - 1) / k);
            if (side > best) {
                best = side;
                f->across = k;
            }
        }
        f->rows = (AS_MAX(f->n, 1) + f->across - 1) / f->across;
        tile = fit_field(f, f->area, f->across, f->rows);
    }
    int32_t dev = (int32_t)floorf(AS_CLAMP(tile, 1, TILE_MOST) * scale);
    dev = head_grid_side(AS_MAX(info->n_queries, info->n_keys), AS_MAX(dev, 1));
    f->tile = (float)dev / scale;
    float free_x = f->area.w / (float)f->across - f->tile;
    float free_y = f->area.h / (float)f->rows - f->tile - f->label_h;
    float most_x = fmaxf(72, f->tile * 0.8f); /* few small ones still fill the card */
    f->px = f->tile + fmaxf(floorf(fminf(free_x, most_x) * scale) / scale, 0);
    f->py = f->tile + f->label_h + fmaxf(floorf(fminf(free_y, 24) * scale) / scale, 0);
}

static Rect cell_box(const HeadsScene *s, const Field *f, int32_t i)
{
    const Cell *cell = &f->cells[i];
    int32_t a = i % f->across;
    int32_t b = i / f->across;
    if (f->table) {
        head_table_place(&f->shape, cell->layer, cell->head, &a, &b);
    }
    return rect(ui_snap(s->c->ui, f->area.x + f->px * (float)a),
                ui_snap(s->c->ui, f->area.y + f->py * (float)b), f->tile, f->tile);
}

static const char *cell_text(const HeadsScene *s, const Field *f, const Cell *cell)
{
    DrawList *list = s->c->ui->list;
    const SurveyHead *h = heads_scored(s, cell->layer, cell->head);
    if (!h) {
        return "…";
    }
    if (f->table) {
        const char *name =
            cell->label == HEADS_MIXED ? "mixed" : pattern_short((Pattern)(cell->label - 1));
        int32_t at = f->shape.down ? cell->head : cell->layer;
        return f->shape.lines > 1 ? draw_format(list, "%d %s", at, name) : name;
    }
    switch (s->options->sort) {
    case HEADS_BY_ENTROPY:
        return draw_format(list, "%.2f", (double)h->entropy);
    case HEADS_BY_DISTANCE:
        return draw_format(list, "%.1f", (double)h->distance);
    default:
        return draw_format(list, "L%dH%d", cell->layer, cell->head);
    }
}

static void draw_cell(const HeadsScene *s, const Field *f, int32_t i)
{
    Ui *ui = s->c->ui;
    const Cell *cell = &f->cells[i];
    const Selection *sel = &s->c->session->selection;
    Rect box = cell_box(s, f, i);
    const SurveyHead *scored = heads_scored(s, cell->layer, cell->head);
    bool match = heads_match(s, scored);
    head_grid_draw(&s->view->grid, s->c, box, cell->layer, cell->head, s->scale, match ? 1 : 0.22f);
    Color color = color_as_text(ui, heads_label_color(ui, cell->label));
    if (f->tile >= 20 && match) {
        draw_rect(ui->list, &(DrawRect){.box = rect_inset(box, -1),
                                        .radius = 3,
                                        .border = 1,
                                        .border_color = color_mix(
                                            ui->theme.card, color,
                                            scored && cell->label != HEADS_MIXED ? 0.55f : 0.2f)});
    }
    if (head_set_find(&sel->set, cell->layer, cell->head) >= 0) {
        draw_circle(ui->list, &(DrawCircle){.center = {box.x + box.w - 1, box.y + 1},
                                            .radius = 5,
                                            .fill = ui->theme.accent,
                                            .border = 1.5f,
                                            .border_color = ui->theme.card});
    }
    if (sel->layer == cell->layer && sel->head == cell->head) {
        draw_rect(ui->list, &(DrawRect){.box = rect_inset(box, -3),
                                        .radius = 5,
                                        .border = 2,
                                        .border_color = ui->theme.cross});
    }
    if (f->label_h > 0) {
        float more = f->px - f->tile;
        ui_label(ui, rect(box.x - more / 2 + 1, box.y + f->tile + 1, f->px - 2, 16),
                 &(UiLabel){.face = f->table ? FONT_SANS : FONT_MONO,
                            .size = 11,
                            .align = DRAW_CENTER,
                            .color = match ? color : ui->theme.off},
                 cell_text(s, f, cell));
    }
}

static void draw_axes(const HeadsScene *s, const Field *f)
{
    Ui *ui = s->c->ui;
    const Selection *sel = &s->c->session->selection;
    bool lines = f->shape.lines > 1;
    UiLabel small = {.face = FONT_SANS, .size = 11, .color = ui->theme.text3};
    if (!lines) {
        ui_label(ui, rect(f->area.x - AXIS_W, f->area.y - AXIS_H, AXIS_W - 14, 18), &small,
                 f->shape.down ? "Head" : "Layer");
    }
    for (int axis = lines; axis < 2; axis++) {
        bool is_x = axis == 0;
        bool layers = is_x ? !f->shape.down : f->shape.down;
        float pitch = is_x ? f->px : f->py * (float)f->shape.lines;
        int32_t n = is_x ? f->across : f->shape.groups;
        int32_t step = (int32_t)fmaxf(1, ceilf((is_x ? 22.0f : 14.0f) / pitch));
        for (int32_t i = 0; i < n; i += step) {
            bool chosen = (layers ? sel->layer : sel->head) == i;
            float at = pitch * (float)i + f->tile / 2;
            Rect box = is_x ? rect(f->area.x + at - 20, f->area.y - AXIS_H, 40, 18)
                            : rect(f->area.x - 36, f->area.y + at - 9, 26, 18);
            if (!is_x && at + 8 > f->area.h) {
                break;
            }
            if (!is_x && !layers && f->tile >= 14) {
                draw_circle(ui->list,
                            &(DrawCircle){.center = {f->area.x - AXIS_W + 6, f->area.y + at},
                                          .radius = 3.5f,
                                          .fill = color_head(i)});
            }
            ui_label(ui, box,
                     &(UiLabel){.face = chosen ? FONT_MONO_SEMIBOLD : FONT_MONO,
                                .size = 11,
                                .align = is_x ? DRAW_CENTER : DRAW_RIGHT,
                                .color = chosen ? ui->theme.text : ui->theme.text3},
                     draw_format(ui->list,
                                 is_x || (layers && !lines) ? "%d"
                                 : layers                   ? "L%d"
                                                            : "H%d",
                                 i));
        }
    }
}

/* The picture under the pointer, or -1. */
static int32_t point_at(HeadsScene *s, const Field *f)
{
    Ui *ui = s->c->ui;
    Rect all = {f->area.x, f->area.y, f->px * (float)f->across, f->py * (float)f->rows};
    bool hot;
    bool clicked = ui_click(ui, UI_ID("heads-grid"), all, false, &hot, NULL);
    for (int32_t i = 0; hot && i < f->n; i++) {
        Rect box = cell_box(s, f, i);
        box.h += f->label_h;
        if (rect_contains(box, ui->mouse)) {
            if (clicked && (ui->mods & KEY_MOD_SHIFT)) {
                session_post(s->c->session, "set toggle %d.%d", f->cells[i].layer,
                             f->cells[i].head);
            } else if (clicked && (ui->mods & KEY_MOD_CTRL)) {
                session_post(s->c->session, "card %d.%d", f->cells[i].layer, f->cells[i].head);
            } else if (clicked) {
                open_head(s->c->session, f->cells[i].layer, f->cells[i].head);
            }
            return i;
        }
    }
    return -1;
}

/* "7 of 40 heads, induction score ≥ 0.30" */
static const char *match_text(const HeadsScene *s, int32_t n)
{
    DrawList *list = s->c->ui->list;
    const HeadsOptions *o = s->options;
    const Survey *v = s->survey;
    int32_t n_heads = trace_info(s->c->session->trace)->n_heads;
    int32_t matching = 0;
    for (int32_t i = 0; i < v->layers_scored * n_heads; i++) {
        matching += heads_match(s, &v->heads[i]);
    }
    const char *which = o->filter == HEADS_ALL ? "" : heads_filter_name(o->filter);
    if (o->least <= 0) {
        return draw_format(list, "%d of %d heads: %s", matching, n, which);
    }
    return draw_format(list, "%d of %d heads: %s%sscore ≥ %g", matching, n, which,
                       *which ? " " : "", (double)o->least);
}

static void draw_score_field(HeadsScene *s)
{
    Ui *ui = s->c->ui;
    float least = s->options->least;
    UiId id = UI_ID("heads-score");
    if (rect_is_empty(s->layout.score)) {
        return;
    }
    TextFieldResult result = ui_text_field(
        ui, id, s->layout.score,
        &(TextField){.text = least > 0 ? draw_format(ui->list, "%g", (double)least) : "",
                     .caption = "Score ≥",
                     .placeholder = "any"});
    if (result == TEXT_FIELD_SUBMIT) {
        const char *text = text_field_text(ui);
        session_post(s->c->session, "score %s", *text ? text : "none");
    }
    ui_tooltip(ui, s->layout.score,
               "Show heads whose score is at least this: of the pattern that is filtered for, "
               "whatever their label; else of their label.");
}

static void draw_title(HeadsScene *s)
{
    Ui *ui = s->c->ui;
    Rect row = s->layout.title;
    const TraceInfo *info = trace_info(s->c->session->trace);
    float x =
        row.x +
        ui_label(ui, row,
                 &(UiLabel){.face = FONT_DISPLAY_SEMIBOLD, .size = 20, .color = ui->theme.text},
                 "Heads");
    const Survey *v = s->survey;
    int32_t n = info->n_layers * info->n_heads;
    bool busy = v && v->layers_scored < v->n_layers && !v->failure.code;
    const HeadsOptions *o = s->options;
    bool all = o->filter == HEADS_ALL && o->least <= 0;
    const char *text =
        !busy && !all && v ? match_text(s, n)
        : busy
            ? draw_format(ui->list, "layer %d of %d is being scored", v->layers_scored, v->n_layers)
        : v && v->failure.code ? "not all of them were scored"
                               : draw_format(ui->list,
                                             "all %d, labelled by what they do on this "
                                             "text",
                                             n);
    ui_label(ui, rect(x + 16, row.y, row.x + row.w - x - 16, row.h),
             &(UiLabel){.face = FONT_SANS, .size = 14}, text);
    draw_score_field(s);
    if (s->layout.sort.w > 0) {
        Rect sort = s->layout.sort;
        if (s->layout.score.w > 0) {
            ui_label(ui, rect(sort.x - 68, sort.y, 56, sort.h),
                     &(UiLabel){.face = FONT_SANS, .size = 12, .align = DRAW_RIGHT}, "Sort by");
        }
        int chosen = ui_segmented(ui, UI_ID("heads-sort"), sort, sort_names, HEADS_SORT_COUNT,
                                  (int)s->options->sort);
        if (chosen != (int)s->options->sort) {
            session_post(s->c->session, "sort %s", heads_sort_name((HeadsSort)chosen));
        }
    }
}

/* What a pixel is and what its colour means, beside the filters. */
static void draw_scale(const HeadsScene *s, const Field *f, float left)
{
    Ui *ui = s->c->ui;
    Rect row = s->layout.filters;
    row.y += row.h - FILTER_H; /* beside the last line */
    row.h = FILTER_H;
    s->view->tile_px = roundf(f->tile * ui->scale);
    const char *says = head_grid_says(&s->view->grid, s->c, s->view->tile_px, "max");
    float w = ui_text_width(ui, FONT_SANS, 11, says) + 1;
    float right = row.x + row.w;
    if (right - 130 >= left + 24) {
        right -= 130;
        ui_legend(ui, rect(right, row.y - 1, 130, 32), weight_map(ui), s->scale);
        right -= 16;
        const char *root = head_grid_scale_says(s->scale);
        float root_w = ui_text_width(ui, FONT_SANS, 11, root) + 1;
        if (right - root_w - w - 20 >= left + 24) {
            ui_label(ui, rect(right - root_w, row.y, root_w, row.h),
                     &(UiLabel){.face = FONT_SANS, .size = 11}, root);
            right -= root_w + 20;
        }
    }
    if (right - w >= left + 24) {
        ui_label(ui, rect(right - w, row.y, w, row.h), &(UiLabel){.face = FONT_SANS, .size = 11},
                 says);
    }
}

/* Whose card is pinned and where it stands; empty: none is. */
static Rect pinned_card(const HeadsScene *s, const Field *f, Rect stage, HeadsCard *card)
{
    const HeadsOptions *o = s->options;
    const TraceInfo *info = trace_info(s->c->session->trace);
    if (!o->pinned || o->card_layer >= info->n_layers || o->card_head >= info->n_heads) {
        return (Rect){0};
    }
    *card = (HeadsCard){.layer = o->card_layer, .head = o->card_head, .pinned = true};
    card->tile = rect(stage.x + stage.w / 2, stage.y + stage.h / 2, 0, 0); /* it is filtered out */
    for (int32_t i = 0; i < f->n; i++) {
        if (f->cells[i].layer == card->layer && f->cells[i].head == card->head) {
            card->tile = cell_box(s, f, i);
        }
    }
    return heads_place_card(card, stage);
}

/* The card of the head under the pointer, where it has room beside the pinned one. */
static void draw_hovered(HeadsScene *s, const Field *f, int32_t hovered, Rect pinned, Rect stage)
{
    const HeadsOptions *o = s->options;
    const Cell *cell = &f->cells[hovered];
    Rect tile = cell_box(s, f, hovered);
    draw_rect(s->c->ui->list, &(DrawRect){.box = rect_inset(tile, -3),
                                          .radius = 5,
                                          .border = 2,
                                          .border_color = s->c->ui->theme.cross});
    HeadsCard card = {cell->layer, cell->head, .tile = tile, .avoid = pinned};
    Rect box = heads_place_card(&card, stage);
    bool same = o->pinned && cell->layer == o->card_layer && cell->head == o->card_head;
    if (!same && !rect_is_empty(box)) {
        heads_draw_card(s, &card, box);
    }
}

void heads_draw(ViewContext *c, Rect stage)
{
    Ui *ui = c->ui;
    HeadsScene s = {
        .c = c,
        .view = &c->views->heads,
        .options = &c->session->options.heads,
        .survey = session_survey(c->session),
        .scale = head_grid_scale(c->session),
    };
    s.layout = layout_heads(&s, stage);
    s.view->grid.space = 1;
    draw_title(&s);
    float filters_end = s.layout.filters.w > 0 ? heads_draw_filters(&s) : 0;
    Rect card = s.layout.grid;
    ui_card(ui, card);
    Field f = {.table = s.options->sort == HEADS_BY_LAYER};
    list_cells(&s, &f);
    shape_field(&s, &f, card);
    HeadsCard held = {0};
    Rect pinned = pinned_card(&s, &f, stage, &held);
    Rect shield = ui->shield;
    if (rect_is_empty(shield)) {
        ui->shield = pinned;
    }
    int32_t dev = (int32_t)lroundf(f.tile * ui->scale);
    if (!head_grid_update(&s.view->grid, c, dev)) {
        c->views->settled &= ui->still;
    }
    if (s.layout.filters.w > 0) {
        draw_scale(&s, &f, filters_end);
    }
    draw_push_clip(ui->list, card);
    if (f.table) {
        draw_axes(&s, &f);
    }
    for (int32_t i = 0; i < f.n; i++) {
        draw_cell(&s, &f, i);
    }
    if (!f.n) {
        ui_label(ui, card, &(UiLabel){.face = FONT_SANS, .size = 14, .align = DRAW_CENTER},
                 s.options->least > 0 ? "No head of this text has such a score."
                                      : "No head of this text has this pattern.");
    }
    draw_pop_clip(ui->list);
    int32_t hovered = point_at(&s, &f);
    if (!heads_draw_compare(&s)) {
        heads_draw_best(&s);
    }
    if (hovered >= 0) {
        draw_hovered(&s, &f, hovered, pinned, stage);
    }
    ui->shield = shield;
    if (!rect_is_empty(pinned)) {
        heads_draw_card(&s, &held, pinned);
    }
    const Survey *v = s.survey;
    if (v && !v->finished && !v->failure.code) {
        c->views->settled = false;
    }
}
