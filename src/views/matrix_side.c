#include "views/internal.h"

#include <math.h>

/* Minimap, legend and controls. */

enum { PAD = 16, LEGEND = 100 };

/* ---- minimap ---- */

static void minimap_frame(const MatrixScene *s, Rect map)
{
    Ui *ui = s->c->ui;
    const MatrixView *v = s->view;
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(v, &r0, &r1, &c0, &c1);
    Rect seen = {map.x + map.w * (float)c0 / (float)v->n_keys,
                 map.y + map.h * (float)r0 / (float)v->n_queries,
                 map.w * (float)(c1 - c0) / (float)v->n_keys,
                 map.h * (float)(r1 - r0) / (float)v->n_queries};
    Color dim = color_with_alpha(ui->theme.page, 0.42f);
    float right = seen.x + seen.w;
    float low = seen.y + seen.h;
    Rect outside[] = {{map.x, map.y, map.w, seen.y - map.y},
                      {map.x, low, map.w, map.y + map.h - low},
                      {map.x, seen.y, seen.x - map.x, seen.h},
                      {right, seen.y, map.x + map.w - right, seen.h}};
    for (size_t i = 0; i < AS_COUNT(outside); i++) {
        if (!rect_is_empty(outside[i])) {
            draw_rect(ui->list, &(DrawRect){.box = outside[i], .fill = dim});
        }
    }
    draw_rect(ui->list, &(DrawRect){.box = rect_inset(seen, -0.75f),
                                    .radius = 2,
                                    .border = 1.5f,
                                    .border_color = ui->theme.cross});
    const Selection *sel = &s->c->session->selection;
    draw_circle(
        ui->list,
        &(DrawCircle){.center = {map.x + map.w * ((float)sel->key + 0.5f) / (float)v->n_keys,
                                 map.y + map.h * ((float)sel->query + 0.5f) / (float)v->n_queries},
                      .radius = 3,
                      .fill = ui->theme.cross});
}

/* Returns the height of the words below the map. */
static float minimap_words(const MatrixScene *s, Rect map, const char *texel)
{
    Ui *ui = s->c->ui;
    const MatrixView *v = s->view;
    const TraceLayer *layer = trace_layer(s->c->session->trace, s->c->session->selection.layer);
    const char *size = draw_format(ui->list, "%d × %d", v->n_queries, v->n_keys);
    float w =
        fmaxf(ui_text_width(ui, FONT_MONO, 12, size), ui_text_width(ui, FONT_MONO, 11, texel));
    UiLabel big = {.face = FONT_MONO, .size = 12, .align = DRAW_RIGHT};
    UiLabel small = {.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT, .color = ui->theme.text3};
    /* In the masked corner when the two lines lie above the diagonal, else below the map. */
    float left = (map.w - w - 18) / map.w * (float)v->n_keys;
    float low = 46 / map.h * (float)v->n_queries;
    if (layer->causal && floorf(left) > ceilf(low)) {
        /* The frame of what is in view passes behind the words. */
        draw_rect(ui->list, &(DrawRect){.box = {map.x + map.w - w - 14, map.y + 8, w + 9, 35},
                                        .radius = 4,
                                        .fill = color_with_alpha(ui->theme.card, 0.92f)});
        ui_label(ui, rect(map.x + map.w - w - 10, map.y + 9, w + 1, 17), &big, size);
        ui_label(ui, rect(map.x + map.w - w - 10, map.y + 26, w + 1, 15), &small, texel);
        return 0;
    }
    small.align = big.align = DRAW_LEFT;
    const MatrixLayout *l = &s->layout;
    float room = l->stacked ? l->side_card.x + l->side_card.w - PAD - map.x : l->minimap + 20;
    const char *both = draw_format(ui->list, "%s, %s", size, texel);
    if (ui_text_width(ui, FONT_MONO, 11, both) <= room) {
        ui_label(ui, rect(map.x, map.y + map.h + 6, room, 16), &small, both);
        return 22;
    }
    ui_label(ui, rect(map.x, map.y + map.h + 6, room, 16), &small, size);
    ui_label(ui, rect(map.x, map.y + map.h + 22, room, 16), &small, texel);
    return 38;
}

/* Returns the height it takes, words included. */
static float draw_minimap(MatrixScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    MatrixView *v = s->view;
    if (!matrix_read_summary(s)) {
        return 0;
    }
    /* Whole device pixels per texel, so that no row is wider than another. */
    int32_t most = AS_MAX(v->summary_rows, v->summary_cols);
    float px = floorf(box.w * ui->scale / (float)most);
    float unit = px >= 1 ? px / ui->scale : box.w / (float)most;
    Rect map = {ui_snap(ui, box.x), ui_snap(ui, box.y), unit * (float)v->summary_cols,
                unit * (float)v->summary_rows};
    matrix_draw_masked(ui, map);
    float *most_of = ARENA_ARRAY(&ui->list->arena, float, (size_t)v->summary_rows, NULL);
    for (int32_t r = 0; most_of && r < v->summary_rows; r++) {
        for (int32_t c = 0; c < v->summary_cols; c++) {
            most_of[r] = fmaxf(most_of[r], v->summary[r * v->summary_cols + c]);
        }
    }
    const float *shown =
        most_of ? matrix_by_row(s, v->summary, most_of, v->summary_rows, v->summary_cols)
                : v->summary;
    draw_cells(
        ui->list,
        &(DrawCells){.box = map,
                     .source = {.values = shown, .rows = v->summary_rows, .cols = v->summary_cols},
                     .map = s->map,
                     .scale = s->scale});
    /* The last texel may cover less than it is wide: the frame goes by weights. */
    map.w *= (float)v->n_keys / ((float)v->summary_cols * (float)v->col_texel);
    map.h *= (float)v->n_queries / ((float)v->summary_rows * (float)v->row_texel);
    draw_rect(
        ui->list,
        &(DrawRect){.box = rect_inset(map, -1), .border = 1, .border_color = ui->theme.edge2});
    const char *how = s->source.combine == COMBINE_MEAN ? "mean of max" : "max";
    const char *texel =
        v->row_texel > 1 ? draw_format(ui->list, "1 %s = %d × %d, %s", px <= 1 ? "px" : "cell",
                                       v->row_texel, v->col_texel, how)
        : px > 1 ? draw_format(ui->list, "1 weight = %.0f × %.0f px", (double)px, (double)px)
                 : "1 px = 1 weight";
    minimap_frame(s, map);
    float words = minimap_words(s, map, texel);
    bool held;
    ui_click(ui, UI_ID("minimap"), map, false, NULL, &held);
    if (held) {
        /* The pointer may have left the map while it is held. */
        float y = (ui->mouse.y - map.y) / map.h * (float)v->n_queries;
        float x = (ui->mouse.x - map.x) / map.w * (float)v->n_keys;
        session_post(s->c->session, "look %d %d", (int)AS_CLAMP(y, 0.0f, (float)(v->n_queries - 1)),
                     (int)AS_CLAMP(x, 0.0f, (float)(v->n_keys - 1)));
    }
    return map.h + words;
}

/* ---- legend and controls ---- */

static void draw_scale_bar(const MatrixScene *s, float x, float y, float width)
{
    Ui *ui = s->c->ui;
    static const int32_t steps[] = {1, 2, 5};
    int32_t n = 1;
    for (int32_t decade = 1; decade <= 100000000; decade *= 10) {
        for (size_t i = 0; i < AS_COUNT(steps); i++) {
            if ((float)(decade * steps[i]) * s->layout.px <= width * 0.52f) {
                n = decade * steps[i];
            }
        }
    }
    float w = (float)n * s->layout.px;
    Color color = ui->theme.text;
    const char *tokens = draw_format(ui->list, n == 1 ? "%d token" : "%d tokens", n);
    float room = width - w - 12;
    /* Not beside a single cell that is large: the line below says its size. */
    if (ui_text_width(ui, FONT_MONO, 12, tokens) <= room) {
        draw_rect(ui->list, &(DrawRect){.box = {x, y - 0.75f, w, 1.5f}, .fill = color});
        draw_rect(ui->list, &(DrawRect){.box = {x, y - 5, 1.5f, 10}, .fill = color});
        draw_rect(ui->list, &(DrawRect){.box = {x + w - 1.5f, y - 5, 1.5f, 10}, .fill = color});
        ui_label(ui, rect(x + w + 12, y - 9, room, 18),
                 &(UiLabel){.face = FONT_MONO, .size = 12, .color = ui->theme.text}, tokens);
    } else {
        y -= 12;
    }
    MatrixZoom z = s->view->zoom;
    const char *what = z.factor > 1 ? draw_format(ui->list, "1 px = %d × %d weights, %s", z.factor,
                                                  z.factor, s->source.mean ? "mean" : "max")
                                    : draw_format(ui->list, "1 weight = %d × %d px", z.px, z.px);
    if (!s->exact) {
        what = matrix_has_summary(s) ? draw_format(ui->list, "summary, 1 texel = %d × %d, max",
                                                   s->view->row_texel, s->view->col_texel)
                                     : draw_format(ui->list, "%s, on its way", what);
    }
    ui_label(ui, rect(x, y + 12, width, 18),
             &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text3}, what);
}

/* A part of the legend can be brushed: the colours then spread over these weights alone. */
static void draw_range_legend(MatrixScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    MatrixView *v = s->view;
    bool hot;
    bool held;
    bool clicked =
        ui_click(ui, UI_ID("matrix-legend"), rect(box.x, box.y, box.w, 14), false, &hot, &held);
    float at = AS_CLAMP((ui->mouse.x - box.x) / box.w, 0, 1);
    bool cut = s->c->session->options.map_hi > 0;
    ui_legend(ui, box, s->map, s->scale);
    if (hot && !held) {
        ui_tooltip(
            ui, rect(box.x, box.y, box.w, 14),
            cut ? "Drag to spread the colours over a part. A click brings the whole range back."
                : "Drag to spread the colours over a part of the weights.");
    }
    if (held && ui->pressed[0]) {
        v->brushing = LEGEND;
        v->legend_from = at;
    }
    if (v->brushing != LEGEND) {
        return;
    }
    float a = fminf(at, v->legend_from);
    float b = fmaxf(at, v->legend_from);
    if (held) {
        draw_rect(ui->list, &(DrawRect){.box = {box.x + a * box.w, box.y - 2, (b - a) * box.w, 16},
                                        .radius = 3,
                                        .border = 2,
                                        .border_color = ui->theme.cross});
        return;
    }
    v->brushing = 0;
    if (b - a > 0.03f) {
        session_post(s->c->session, "map-range %.6g %.6g", (double)scale_invert(s->scale, a),
                     (double)scale_invert(s->scale, b));
    } else if (clicked && cut) {
        session_post(s->c->session, "map-range all");
    }
}

enum { LEGEND_PX = 54, CHOICE_PX = 48, OWNERS_PX = 34, OWNER_LINE = 18, BAR_PX = 44 };
static const float LEAST_GAP = 8;

static bool of_one_layer(const HeadSet *set)
{
    for (int32_t i = 1; i < set->n; i++) {
        if (set->heads[i].layer != set->heads[0].layer) {
            return false;
        }
    }
    return true;
}

static const char *owner_name(const MatrixScene *s, int32_t i)
{
    const HeadSet *set = &s->source.set;
    DrawList *list = s->c->ui->list;
    return of_one_layer(set)
               ? draw_format(list, "H%d", set->heads[i].head)
               : draw_format(list, "L%d H%d", set->heads[i].layer, set->heads[i].head);
}

static float owner_w(const MatrixScene *s, int32_t i)
{
    return ui_text_width(s->c->ui, FONT_MONO, 11, owner_name(s, i)) + 24;
}

/* Height of draw_owners when all are shown. */
static float owners_h(const MatrixScene *s, float width)
{
    float x = 0;
    int lines = 1;
    for (int32_t i = 0; i < s->source.set.n; i++) {
        float w = owner_w(s, i);
        lines += x + w > width && x > 0;
        x = x + w > width && x > 0 ? w : x + w;
    }
    return OWNERS_PX + OWNER_LINE * (float)lines;
}

/* Which hue is whose; as many lines as there is room for, then how many more. Returns where it
 * ends. */
static float draw_owners(const MatrixScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const HeadSet *set = &s->source.set;
    ui_caps(ui, rect(box.x, box.y, box.w, 14),
            of_one_layer(set) ? draw_format(ui->list, "Hue = whose, layer %d", set->heads[0].layer)
                              : "Hue = whose weight");
    float x = box.x;
    float y = box.y + 22;
    for (int32_t i = 0; i < set->n; i++) {
        float w = owner_w(s, i);
        bool last_line = y + 2 * OWNER_LINE + 12 > box.y + box.h;
        float more_w = last_line && i + 1 < set->n ? 40 : 0;
        if (x + w + more_w > box.x + box.w && x > box.x) {
            if (last_line) {
                ui_label(ui, rect(x, y, box.x + box.w - x, 16),
                         &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text3},
                         draw_format(ui->list, "+%d", set->n - i));
                break; /* the note at a cell names its head */
            }
            x = box.x;
            y += OWNER_LINE;
        }
        draw_circle(
            ui->list,
            &(DrawCircle){.center = {x + 5, y + 8}, .radius = 4, .fill = matrix_owner_color(s, i)});
        ui_label(ui, rect(x + 13, y, w - 14, 16),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text2},
                 owner_name(s, i));
        x += w;
    }
    return y + OWNER_LINE + 12;
}

/* In a low card the three parts move together, so that the scale bar below them stays. */
static void draw_controls(MatrixScene *s, Rect box)
{
    static const char *const scales[] = {"Linear", "√", "Log"};
    static const char *const scale_words[] = {"linear", "sqrt", "log"};
    static const char *const titles[] = {"Weight, linear scale", "Weight, √ scale",
                                         "Weight, log scale"};
    static const char *const row_titles[] = {"Weight ÷ row max, linear", "Weight ÷ row max, √",
                                             "Weight ÷ row max, log"};
    static const char *const rows[] = {"As computed", "Row max = 1"};
    static const char *const row_words[] = {"computed", "max"};
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    const SessionOptions *o = &session->options;
    float owners = s->source.combine == COMBINE_OWNER ? owners_h(s, box.w) : 0;
    float taken = LEGEND_PX + 2 * CHOICE_PX + owners + BAR_PX;
    float gap = AS_CLAMP(floorf((box.h - taken) / 3), LEAST_GAP, 18.0f);
    float y = box.y;
    ui_caps(ui, rect(box.x, y, box.w, 14),
            o->rows_normalised ? row_titles[o->map_scale] : titles[o->map_scale]);
    draw_range_legend(s, rect(box.x, y + 22, box.w, 32));
    y += LEGEND_PX + gap;
    ui_caps(ui, rect(box.x, y, box.w, 14), "Scale");
    int scale = ui_segmented(ui, UI_ID("map-scale"), rect(box.x, y + 20, box.w, 28), scales, 3,
                             (int)o->map_scale);
    if (scale != (int)o->map_scale) {
        session_post(session, "map-scale %s", scale_words[scale]);
    }
    y += CHOICE_PX + gap;
    ui_caps(ui, rect(box.x, y, box.w, 14), "Rows");
    int row = ui_segmented(ui, UI_ID("rows"), rect(box.x, y + 20, box.w, 28), rows, 2,
                           o->rows_normalised);
    if (row != (int)o->rows_normalised) {
        session_post(session, "rows %s", row_words[row]);
    }
    y += CHOICE_PX + gap;
    float bottom = box.y + box.h;
    float room = bottom - y;
    if (owners > 0 && room >= OWNERS_PX + OWNER_LINE) {
        bool both = room >= OWNERS_PX + OWNER_LINE + BAR_PX;
        y = draw_owners(s, rect(box.x, y, box.w, room - (both ? BAR_PX : 0)));
    }
    if (y + BAR_PX <= bottom) {
        draw_scale_bar(s, box.x, y + 14, box.w);
    }
}

void matrix_draw_side(MatrixScene *s)
{
    MatrixLayout *l = &s->layout;
    matrix_draw_lens(s);
    if (rect_is_empty(l->side_card)) {
        return;
    }
    ui_card(s->c->ui, l->side_card);
    Rect in = rect_inset(l->side_card, PAD);
    if (l->stacked) {
        if (s->source.combine == COMBINE_OWNER && l->minimap > 0) { /* the map gives way a bit */
            float taken = LEGEND_PX + 2 * CHOICE_PX + 3 * LEAST_GAP + owners_h(s, in.w) + BAR_PX;
            l->minimap = fminf(l->minimap, fmaxf(90, in.h - 62 - taken));
        }
        if (l->minimap > 0) {
            float taken = draw_minimap(s, rect(in.x, in.y, l->minimap, l->minimap)) + 24;
            in.y += taken;
            in.h -= taken;
        }
        draw_controls(s, in);
        return;
    }
    draw_minimap(s, rect(in.x, in.y + 10, l->minimap, l->minimap));
    float x = in.x + l->minimap + 24;
    draw_controls(s, rect(x, in.y + 10, in.x + in.w - x, in.h - 10));
}
