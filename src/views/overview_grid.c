#include "views/internal.h"
#include "views/overview.h"

#include <math.h>
#include <string.h>

/* Every head of every layer: layers across and heads down, or the other way round where that makes
 * the pictures larger. */

typedef struct Grid {
    Rect area; /* what the pictures may fill */
    HeadTable table;
    int32_t rows; /* all lines of all groups */
    float tile;   /* side of a picture, logical px */
    float px, py; /* pitch */
    bool labels;  /* beside each picture what its head does … */
    bool below;   /* … or below it */
} Grid;

enum { HEAD_ROW = 22, LABEL_COL = 46, LABEL_W = 44, BELOW_H = 19, TILE_MOST = 132 };

/* Between the pictures; many small ones stand close. */
static float gap_of(float pitch)
{
    return pitch >= 12 ? 2 : pitch >= 5 ? 1 : 0;
}

static float tile_for(Rect area, int32_t across, int32_t rows)
{
    float pitch = fminf((area.w + 2) / (float)across, (area.h + 2) / (float)rows);
    return pitch - gap_of(pitch);
}

static Grid layout_grid(const OverviewScene *s, Rect area)
{
    const TraceInfo *info = trace_info(s->c->session->trace);
    Grid g = {.table = head_table_fit(info->n_layers, info->n_heads, area.w, area.h, BELOW_H)};
    bool lines = g.table.lines > 1;
    g.rows = g.table.groups * g.table.lines;
    if (lines) { /* each is named below, no axis above */
        area.y -= HEAD_ROW - 4;
        area.h += HEAD_ROW - 4;
        if (g.table.groups == 1) {
            area.x -= LABEL_COL;
            area.w += LABEL_COL;
        }
    }
    g.area = area;
    Rect tiles = area;
    tiles.h -= lines ? BELOW_H * (float)g.rows : 0;
    float scale = s->c->ui->scale;
    float tile = AS_CLAMP(tile_for(tiles, g.table.across, g.rows), 1, TILE_MOST);
    int32_t dev = (int32_t)floorf(tile * scale);
    dev = head_grid_side(AS_MAX(info->n_queries, info->n_keys), AS_MAX(dev, 1));
    g.tile = (float)dev / scale;
    /* Room that is left goes between the pictures, and says what each head does. */
    float free_x = (area.w + 2) / (float)g.table.across - g.tile;
    float free_y = (area.h + 2) / (float)g.rows - g.tile;
    g.labels = !lines && free_x >= LABEL_W && g.tile >= 30;
    g.below = !g.labels && free_y >= BELOW_H && g.tile >= (lines ? 20 : 28);
    float more_x = fminf(free_x, g.labels ? 110 : fmaxf(6, g.tile * 0.5f));
    float more_y = fminf(free_y, g.labels || g.below ? 24 : 12);
    g.px = g.tile + fmaxf(floorf(more_x * scale + 0.01f) / scale, 0);
    g.py = g.tile + fmaxf(floorf(more_y * scale + 0.01f) / scale, 0);
    return g;
}

static Rect tile_box(const OverviewScene *s, const Grid *g, int32_t layer, int32_t head)
{
    int32_t a;
    int32_t b;
    head_table_place(&g->table, layer, head, &a, &b);
    float x = g->area.x + g->px * (float)a;
    float y = g->area.y + g->py * (float)b;
    return rect(ui_snap(s->c->ui, x), ui_snap(s->c->ui, y), g->tile, g->tile);
}

static const SurveyHead *scored(const OverviewScene *s, int32_t layer, int32_t head)
{
    const Survey *v = s->survey;
    return v && layer < v->layers_scored
               ? &v->heads[layer * trace_info(s->c->session->trace)->n_heads + head]
               : NULL;
}

static void draw_tile_label(const OverviewScene *s, Rect box, float room, const SurveyHead *head)
{
    Ui *ui = s->c->ui;
    int best = head->scores.best;
    Color color = ui->theme.text3;
    const char *name = "mixed";
    if (best >= 0) {
        color = color_as_text(ui, pattern_color((Pattern)best));
        name = pattern_short((Pattern)best);
    }
    ui_label(ui, rect(box.x + box.w + 5, box.y + box.h / 2 - 16, room - 6, 16),
             &(UiLabel){.face = FONT_SANS, .size = 11, .color = color}, name);
    if (best >= 0) {
        ui_label(ui, rect(box.x + box.w + 5, box.y + box.h / 2, room - 6, 16),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text2},
                 draw_format(ui->list, "%.2f", (double)head->scores.score[best]));
    }
}

static void draw_name_below(const OverviewScene *s, const Grid *g, Rect box, const SurveyHead *head,
                            int32_t number)
{
    Ui *ui = s->c->ui;
    int best = head->scores.best;
    float more = (g->px - box.w) / 2;
    ui_label(ui, rect(box.x - more + 1, box.y + box.h + 1, g->px - 2, 16),
             &(UiLabel){.face = FONT_SANS,
                        .size = 11,
                        .align = DRAW_CENTER,
                        .color = best >= 0 ? color_as_text(ui, pattern_color((Pattern)best))
                                           : ui->theme.text3},
             g->table.lines > 1 ? draw_format(ui->list, "%d %s", number,
                                              best >= 0 ? pattern_short((Pattern)best) : "mixed")
             : best >= 0        ? pattern_short((Pattern)best)
                                : "mixed");
}

static const char *tile_tip(const OverviewScene *s, int32_t layer, int32_t head)
{
    Ui *ui = s->c->ui;
    const SurveyHead *h = scored(s, layer, head);
    if (!h) {
        return draw_format(ui->list, "L%d H%d. A click opens it in Matrix.", layer, head);
    }
    int best = h->scores.best;
    const char *what = best >= 0 ? draw_format(ui->list, "%s %.3f", pattern_name((Pattern)best),
                                               (double)h->scores.score[best])
                                 : "no pattern above its limit";
    return draw_format(ui->list,
                       "L%d H%d: %s, entropy %.2f bits, mean distance %.1f tokens. A click opens "
                       "it in Matrix.",
                       layer, head, what, (double)h->entropy, (double)h->distance);
}

static bool is_marked(const OverviewScene *s, bool layer_axis, int32_t index)
{
    const Selection *sel = &s->c->session->selection;
    bool marked = (layer_axis ? sel->layer : sel->head) == index;
    for (int i = 0; s->survey && i < s->survey->n_cards; i++) {
        const SurveyCard *card = &s->survey->cards[i];
        marked |= (layer_axis ? card->layer : card->head) == index;
    }
    return marked;
}

/* Numbers along an axis, thinned until they do not touch. */
static void draw_axis(const OverviewScene *s, const Grid *g, bool is_x)
{
    Ui *ui = s->c->ui;
    int32_t n = is_x ? g->table.across : g->table.groups;
    bool layers = is_x ? !g->table.down : g->table.down;
    float pitch = is_x ? g->px : g->py * (float)g->table.lines;
    float need = is_x ? 22 : 14;
    int32_t step = (int32_t)fmaxf(1, ceilf(need / pitch));
    for (int32_t i = 0; i < n; i++) {
        bool marked = is_marked(s, layers, i);
        if (i % step != 0 || (!is_x && pitch * (float)i + g->tile > g->area.h + 2)) {
            continue;
        }
        float at = pitch * (float)i;
        Rect box = is_x ? rect(g->area.x + at + g->tile / 2 - 20, g->area.y - HEAD_ROW, 40, 18)
                        : rect(g->area.x - 30, g->area.y + at + g->tile / 2 - 9, 20, 18);
        ui_label(ui, box,
                 &(UiLabel){.face = marked ? FONT_MONO_SEMIBOLD : FONT_MONO,
                            .size = 11,
                            .color = marked ? ui->theme.text : ui->theme.text3,
                            .align = is_x ? DRAW_CENTER : DRAW_RIGHT},
                 draw_format(ui->list, "%d", i));
    }
}

static void draw_axis_names(const OverviewScene *s, const Grid *g)
{
    Ui *ui = s->c->ui;
    bool down = g->table.down;
    if (g->table.lines == 1) {
        ui_label(ui, rect(g->area.x - LABEL_COL, g->area.y - HEAD_ROW, LABEL_COL - 12, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .color = ui->theme.text3},
                 down ? "head" : "layer");
    }
    FontMetrics m = font_metrics(ui->fonts, FONT_SANS, 11);
    float mid = g->area.y + (g->py * (float)(g->rows - 1) + g->tile) / 2;
    draw_text(ui->list, &(DrawText){.face = FONT_SANS,
                                    .size = 11,
                                    .color = ui->theme.text3,
                                    .text = down ? "layer" : "head",
                                    .turn = TEXT_UP,
                                    .align = DRAW_CENTER,
                                    .at = {g->area.x - LABEL_COL + 4 + m.cap_height, mid}});
}

static void draw_tiles(OverviewScene *s, const Grid *g)
{
    ViewContext *c = s->c;
    Ui *ui = c->ui;
    const TraceInfo *info = trace_info(c->session->trace);
    for (int32_t layer = 0; layer < info->n_layers; layer++) {
        for (int32_t head = 0; head < info->n_heads; head++) {
            Rect box = tile_box(s, g, layer, head);
            head_grid_draw(&s->view->grid, c, box, layer, head, s->scale, 1);
            const SurveyHead *h = scored(s, layer, head);
            if (g->below && h) {
                draw_name_below(s, g, box, h, g->table.down ? head : layer);
            }
            if (g->labels && h) {
                draw_tile_label(s, box, g->px - g->tile, h);
            }
        }
    }
    /* One hit box for all: the picture under the pointer. */
    Rect all = {g->area.x, g->area.y, g->px * (float)g->table.across, g->py * (float)g->rows};
    bool hot;
    bool clicked = ui_click(ui, UI_ID("overview-grid"), all, false, &hot, NULL);
    int32_t a = (int32_t)floorf((ui->mouse.x - all.x) / g->px);
    int32_t b = (int32_t)floorf((ui->mouse.y - all.y) / g->py);
    int32_t layer;
    int32_t head;
    if (hot && head_table_at(&g->table, info->n_layers, info->n_heads, a, b, &layer, &head)) {
        Rect box = tile_box(s, g, layer, head);
        draw_rect(ui->list, &(DrawRect){.box = rect_inset(box, -2),
                                        .radius = 3,
                                        .border = 2,
                                        .border_color = ui->theme.cross});
        ui_tooltip(ui, box, tile_tip(s, layer, head));
        if (clicked) {
            open_head(c->session, layer, head);
        }
    }
}

static void draw_marks(OverviewScene *s, const Grid *g)
{
    Ui *ui = s->c->ui;
    const Survey *v = s->survey;
    for (int i = 0; v && i < v->n_cards; i++) {
        const SurveyCard *card = &v->cards[i];
        Rect box = rect_inset(tile_box(s, g, card->layer, card->head), -2);
        draw_rect(ui->list, &(DrawRect){.box = box,
                                        .radius = 3,
                                        .border = 2.5f,
                                        .border_color = color_head(card->head)});
        if (g->tile >= 16) {
            overview_badge(ui, vec2(box.x + box.w - 1, box.y + 1), g->tile >= 26 ? 8 : 7,
                           card->head, i + 1);
        }
    }
}

void overview_draw_grid(OverviewScene *s)
{
    Ui *ui = s->c->ui;
    Rect card = s->layout.grid;
    float pad = s->layout.pad;
    if (card.w < 120 || card.h < 100) {
        return;
    }
    ui_card(ui, card);
    bool low = card.h < 300;
    float top = card.y + (low ? 8 : 14);
    Rect area = {card.x + pad + LABEL_COL, top + (low ? 34 : 36) + HEAD_ROW, 0, 0};
    area.w = card.x + card.w - pad - area.x;
    area.h = card.y + card.h - (low ? 10 : pad) - area.y;
    Grid g = layout_grid(s, area);
    int32_t dev = (int32_t)lroundf(g.tile * ui->scale);
    if (!head_grid_update(&s->view->grid, s->c, dev) && !ui->still) {
        s->c->views->settled = false;
    }
    float x = card.x + pad;
    x += ui_label(ui, rect(x, top, card.w - 2 * pad, 24),
                  &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = ui->theme.text},
                  "Every head of every layer") +
         12;
    float right = card.x + card.w - pad;
    bool legend = card.w >= 640;
    if (legend) {
        const char *caption = head_grid_scale_says(s->scale);
        float w = ui_text_width(ui, FONT_SANS, 11, caption);
        ui_label(ui, rect(right - w, top, w + 1, 24), &(UiLabel){.face = FONT_SANS, .size = 11},
                 caption);
        right -= w + 22 + 130;
        ui_legend(ui, rect(right, top + (low ? 3 : 6), 130, 32), weight_map(ui), s->scale);
        right -= 16;
    }
    const char *says = head_grid_says(&s->view->grid, s->c, (float)dev, "max");
    if (x + 60 < right) {
        ui_label(ui, rect(x, top, right - x, 24), &(UiLabel){.face = FONT_SANS, .size = 11}, says);
    }
    if (g.table.groups > 1 || g.table.lines == 1) {
        draw_axis_names(s, &g);
        draw_axis(s, &g, false);
    }
    if (g.table.lines == 1) {
        draw_axis(s, &g, true);
    }
    /* Where not even a pixel each fits, the last ones are cut off: the window is too small. */
    draw_push_clip(ui->list, rect(card.x, g.area.y - 12, card.w, card.y + card.h - g.area.y + 10));
    draw_tiles(s, &g);
    draw_marks(s, &g);
    draw_pop_clip(ui->list);
}
