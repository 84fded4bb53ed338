#include "views/internal.h"

#include "session/shown.h"

#include <math.h>

enum { PAD = 16, LABELS = 106, LEGEND = 100 };

static void tag(Ui *ui, Rect box, const char *text)
{
    draw_rect(ui->list, &(DrawRect){.box = box, .radius = 5, .fill = ui->theme.accent});
    ui_label(ui, box,
             &(UiLabel){.face = FONT_SANS_SEMIBOLD,
                        .size = 11,
                        .color = ui->theme.on_accent,
                        .align = DRAW_CENTER},
             text);
}

/* Between the cells (or the row) and the text. Returns the width it takes. */
static float reading_switch(const MatrixScene *s, Rect card)
{
    Rect box = {card.x + card.w - PAD - 52, card.y + 17, 52, 24};
    if (ui_button(s->c->ui, UI_ID("matrix-reading"), box, s->view->reading_open ? "Cells" : "Text",
                  UI_BUTTON_PLAIN)) {
        session_post(s->c->session, "reading");
    }
    return 64;
}

static void card_title(Ui *ui, Rect card, float left, const char *title, const char *note)
{
    float w = ui_text_width(ui, FONT_MONO, 11, note);
    float x = card.x + PAD + left;
    float right = card.x + card.w - PAD;
    ui_label(ui, rect(x, card.y + 16, right - w - 16 - x, 24),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 16, .color = ui->theme.text}, title);
    ui_label(ui, rect(right - w, card.y + 17, w + 1, 24),
             &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text3}, note);
}

/* ---- a few cells around the selection ---- */

/* n of total, centred on `at` where possible. */
static int32_t lens_first(int32_t at, int32_t n, int32_t total)
{
    return AS_CLAMP(at - n / 2, 0, AS_MAX(total - n, 0));
}

static void lens_labels(const MatrixScene *s, const TileKey *key, Rect grid, float cell)
{
    Ui *ui = s->c->ui;
    const Selection *sel = &s->c->session->selection;
    float number_w =
        ui_text_width(ui, FONT_MONO, 11, draw_format(ui->list, "%d", s->view->n_queries - 1));
    for (int32_t i = key->row0; i < key->row1; i++) {
        float y = grid.y + cell * ((float)(i - key->row0) + 0.5f);
        bool on = i == sel->query;
        Color color = on ? ui->theme.text : ui->theme.text2;
        ui_label(ui, rect(grid.x - 8 - number_w, y - 8, number_w + 1, 16),
                 &(UiLabel){.face = on ? FONT_MONO_SEMIBOLD : FONT_MONO,
                            .size = 11,
                            .color = on ? ui->theme.text : ui->theme.text3,
                            .align = DRAW_RIGHT},
                 draw_format(ui->list, "%d", i));
        float left = grid.x - LABELS;
        ui_label(ui, rect(left, y - 9, grid.x - 15 - number_w - left, 18),
                 &(UiLabel){.face = on ? FONT_SANS_SEMIBOLD : FONT_SANS,
                            .color = color,
                            .align = DRAW_RIGHT},
                 label_of(s->c, i));
    }
    for (int32_t j = key->col0; j < key->col1; j++) {
        float x = grid.x + cell * ((float)(j - key->col0) + 0.5f);
        bool on = j == sel->key;
        FontFace face = on ? FONT_SANS_SEMIBOLD : FONT_SANS;
        FontMetrics m = font_metrics(ui->fonts, face, 12);
        draw_text(ui->list,
                  &(DrawText){.face = face,
                              .size = 12,
                              .color = on ? ui->theme.text : ui->theme.text2,
                              .text = key_label_of(s->c, j),
                              .turn = TEXT_UP,
                              .align = DRAW_RIGHT,
                              .at = {ui_snap(ui, x + m.cap_height / 2), grid.y + grid.h + 8},
                              .max_width = 70});
    }
}

/* Values with every row divided by its largest, where the person wants colours so; in the frame's
 * arena. */
static const float *by_row(const MatrixScene *s, const float *values, const float *row_max,
                           int32_t rows, int32_t cols)
{
    if (!s->c->session->options.rows_normalised || !row_max) {
        return values;
    }
    float *out = ARENA_ARRAY(&s->c->ui->list->arena, float, (size_t)rows *(size_t)cols, NULL);
    for (int32_t r = 0; out && r < rows; r++) {
        for (int32_t c = 0; c < cols; c++) {
            out[r * cols + c] =
                row_max[r] > 0 ? values[r * cols + c] / row_max[r] : values[r * cols + c];
        }
    }
    return out ? out : values;
}

static void lens_cells(const MatrixScene *s, const Tile *tile, const float *row_max, Rect grid,
                       float cell)
{
    Ui *ui = s->c->ui;
    const Selection *sel = &s->c->session->selection;
    const float *shown = by_row(s, tile->values, row_max, tile->rows, tile->cols);
    for (int32_t r = 0; r < tile->rows; r++) {
        for (int32_t c = 0; c < tile->cols; c++) {
            if (isinf(tile->values[r * tile->cols + c])) {
                matrix_draw_masked(ui, rect_inset(rect(grid.x + cell * (float)c,
                                                       grid.y + cell * (float)r, cell, cell),
                                                  0.5f));
            }
        }
    }
    draw_cells(ui->list,
               &(DrawCells){.box = grid,
                            .source = {.values = shown, .rows = tile->rows, .cols = tile->cols},
                            .map = s->map,
                            .scale = s->scale,
                            .inset = 0.5f,
                            .radius = 4});
    for (int32_t r = 0; r < tile->rows; r++) {
        for (int32_t c = 0; c < tile->cols; c++) {
            float value = tile->values[r * tile->cols + c];
            Rect box = {grid.x + cell * (float)c, grid.y + cell * (float)r, cell, cell};
            bool on = tile->key.row0 + r == sel->query && tile->key.col0 + c == sel->key;
            if (!isinf(value)) {
                matrix_draw_number(s, box, value, shown[r * tile->cols + c], on);
            }
            if (on) {
                draw_rect(ui->list, &(DrawRect){.box = rect_inset(box, -1),
                                                .radius = 5,
                                                .border = 2,
                                                .border_color = ui->theme.cross});
            }
        }
    }
}

/* The frame in the heatmap that says what the lens shows. */
static void lens_frame(const MatrixScene *s, const TileKey *key)
{
    Ui *ui = s->c->ui;
    float half = s->layout.px / 2;
    Rect box = {matrix_key_x(s, key->col0) - half, matrix_query_y(s, key->row0) - half, 0, 0};
    box.w = matrix_key_x(s, key->col1 - 1) + half - box.x;
    box.h = matrix_query_y(s, key->row1 - 1) + half - box.y;
    box = rect_inset(box, -2);
    Rect heat = s->layout.heat;
    draw_push_clip(ui->list, rect_inset(heat, -2));
    draw_rect(
        ui->list,
        &(DrawRect){.box = box, .radius = 3, .border = 1.5f, .border_color = ui->theme.accent});
    draw_pop_clip(ui->list);
    Rect label = {box.x + box.w + 6, box.y, 22, 18};
    if (label.x + label.w > heat.x + heat.w) {
        label.x = box.x - 28;
    }
    Rect seen = rect_intersect(label, heat);
    if (seen.w >= label.w - 0.1f && seen.h >= label.h - 0.1f) {
        tag(ui, label, "A");
    }
}

static void draw_lens(const MatrixScene *s)
{
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    const MatrixLayout *l = &s->layout;
    const Selection *sel = &session->selection;
    int32_t rows = AS_MIN(l->lens_n, s->view->n_queries);
    int32_t cols = AS_MIN(l->lens_n, s->view->n_keys);
    TileKey key = {.trace_version = session->trace_version,
                   .layer = sel->layer,
                   .head = sel->head,
                   .factor = 1};
    key.row0 = lens_first(sel->query, rows, s->view->n_queries);
    key.col0 = lens_first(sel->key, cols, s->view->n_keys);
    key.row1 = key.row0 + rows;
    key.col1 = key.col0 + cols;
    ui_card(ui, l->lens_card);
    tag(ui, rect(l->lens_card.x + PAD, l->lens_card.y + 19, 24, 18), "A");
    int px = (int)lroundf(l->lens_cell * ui->scale);
    Rect head = l->lens_card;
    head.w -= reading_switch(s, head);
    card_title(ui, head, 32, "Zoomed to cells",
               draw_format(ui->list, "1 weight = %d × %d px", px, px));
    Rect grid = {l->lens_card.x + l->lens_card.w - PAD - l->lens_cell * (float)l->lens_n,
                 l->lens_card.y + 60, l->lens_cell * (float)cols, l->lens_cell * (float)rows};
    grid.x = ui_snap(ui, grid.x);
    WeightSource source = s->source;
    source.by_row = source.mean = false;
    key.source = weight_source_id(&source);
    if (source.combine != COMBINE_ONE) {
        key.layer = source.set.heads[0].layer;
        key.head = 0;
    }
    const Tile *tile = session_tile_of(session, &source, &key, NULL);
    const float *row_max = tile && s->plain ? tile->row_max : NULL;
    if (!s->plain && s->rows && shown_rows_has_max(s->rows, key.row0, key.row1)) {
        row_max = s->rows->row_max + key.row0;
    }
    if (tile && (row_max || !s->source.by_row)) {
        lens_cells(s, tile, row_max, grid, l->lens_cell);
    }
    lens_labels(s, &key, grid, l->lens_cell);
    ui_label(ui, rect(l->lens_card.x + PAD, l->lens_card.y + 42, 90, 16),
             &(UiLabel){.face = FONT_SANS, .size = 11, .color = ui->theme.text3}, "queries");
    ui_label(ui, rect(l->lens_card.x + PAD, grid.y + grid.h + 14, 60, 16),
             &(UiLabel){.face = FONT_SANS, .size = 11, .color = ui->theme.text3}, "keys");
    lens_frame(s, &key);
}

/* ---- the row in reading order, where the heatmap itself shows the cells ---- */

static void draw_row_card(const MatrixScene *s)
{
    Ui *ui = s->c->ui;
    Rect card = s->layout.lens_card;
    const MatrixProfile *r = &s->profile;
    ui_card(ui, card);
    if (!r->row) {
        return;
    }
    double bits = r->entropy / log(2.0);
    Rect title = card;
    title.w -= reading_switch(s, title);
    card_title(ui, title, 0, draw_format(ui->list, "What “%s” reads", label_of(s->c, r->query)),
               draw_format(ui->list, "entropy %.2f bits", bits));
    int32_t visible = r->row_end - r->row_first;
    float top = card.y + 56;
    float room = card.y + card.h - PAD - top;
    const float least = 22;
    int32_t shown = AS_MIN(visible, (int32_t)(room / least));
    if (shown < visible) {
        room -= 24; /* for the line that says which part it is */
        shown = (int32_t)(room / least);
    }
    /* A part of a longer row: the window of keys around the selected one. */
    int32_t first =
        r->row_first + AS_CLAMP(r->key - r->row_first - shown / 2, 0, AS_MAX(visible - shown, 0));
    float pitch = fminf(34, floorf(room / (float)AS_MAX(shown, 1)));
    float x = card.x + PAD;
    float chip = fminf(24, pitch - 3);
    for (int32_t i = 0; i < shown; i++) {
        int32_t key = first + i;
        float y = top + pitch * ((float)i + 0.5f);
        bool on = key == r->key;
        ui_label(ui, rect(x, y - 8, 30, 16),
                 &(UiLabel){
                     .face = FONT_MONO, .size = 11, .color = ui->theme.text3, .align = DRAW_RIGHT},
                 draw_format(ui->list, "%d", key));
        ui_chip(ui, rect(x + 40, ui_snap(ui, y - chip / 2), 112, chip),
                &(UiChip){.text = key_label_of(s->c, key),
                          .color = key_token_color(s->c, key),
                          .chosen = on});
        Rect bar = {x + 164, y - 5, card.x + card.w - PAD - 76 - (x + 164), 10};
        bool there = r->row[key] > -INFINITY;
        ui_bar(ui, bar, there ? r->row[key] : 0, on ? ui->theme.accent : r->color);
        ui_label(ui, rect(card.x + card.w - PAD - 66, y - 8, 66, 16),
                 &(UiLabel){.face = on ? FONT_MONO_SEMIBOLD : FONT_MONO,
                            .size = 12,
                            .color = on ? ui->theme.text : ui->theme.text2,
                            .align = DRAW_RIGHT},
                 !there ? "left out"
                 : r->row[key] < 5e-5f
                     ? "<0.01 %"
                     : draw_format(ui->list, "%.2f %%", 100 * (double)r->row[key]));
    }
    if (shown < visible) {
        double mass = 0;
        for (int32_t i = 0; i < shown; i++) {
            mass += fmax((double)r->row[first + i], 0);
        }
        ui_label(ui, rect(x, card.y + card.h - PAD - 18, card.w - 2 * PAD, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .color = ui->theme.text3},
                 draw_format(ui->list, "keys %d–%d of %d, %.1f %% of the mass", first,
                             first + shown - 1, visible, 100 * mass));
    }
}

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
        ui_label(ui, rect(map.x + map.w - w - 10, map.y + 9, w + 1, 17), &big, size);
        ui_label(ui, rect(map.x + map.w - w - 10, map.y + 26, w + 1, 15), &small, texel);
        return 0;
    }
    small.align = big.align = DRAW_LEFT;
    float room = s->layout.minimap + 20;
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
        most_of ? by_row(s, v->summary, most_of, v->summary_rows, v->summary_cols) : v->summary;
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
        session_post(s->c->session, "look %d %d",
                     (int)((ui->mouse.y - map.y) / map.h * (float)v->n_queries),
                     (int)((ui->mouse.x - map.x) / map.w * (float)v->n_keys));
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
        what = draw_format(ui->list, "summary, 1 texel = %d × %d, max", s->view->row_texel,
                           s->view->col_texel);
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

/* Which hue is whose; as many as there is room for, then how many more. Returns where it ends. */
static float draw_owners(const MatrixScene *s, Rect box, float y)
{
    Ui *ui = s->c->ui;
    const HeadSet *set = &s->source.set;
    const char *title = "Hue = whose weight";
    bool one_layer = true;
    for (int32_t i = 1; i < set->n; i++) {
        one_layer &= set->heads[i].layer == set->heads[0].layer;
    }
    if (one_layer) {
        title = draw_format(ui->list, "Hue = whose, layer %d", set->heads[0].layer);
    }
    ui_caps(ui, rect(box.x, y, box.w, 14), title);
    float x = box.x;
    y += 22;
    for (int32_t i = 0; i < set->n; i++) {
        const char *name =
            one_layer
                ? draw_format(ui->list, "H%d", set->heads[i].head)
                : draw_format(ui->list, "L%d H%d", set->heads[i].layer, set->heads[i].head);
        float w = ui_text_width(ui, FONT_MONO, 11, name) + 24;
        bool last_line = y + 36 > box.y + box.h;
        float more_w = last_line && i + 1 < set->n ? 40 : 0;
        if (x + w + more_w > box.x + box.w && x > box.x) {
            if (last_line) {
                ui_label(ui, rect(x, y, box.x + box.w - x, 16),
                         &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text3},
                         draw_format(ui->list, "+%d", set->n - i));
                break; /* the note at a cell names its head */
            }
            x = box.x;
            y += 18;
        }
        draw_circle(
            ui->list,
            &(DrawCircle){.center = {x + 5, y + 8}, .radius = 4, .fill = matrix_owner_color(s, i)});
        ui_label(ui, rect(x + 13, y, w - 14, 16),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text2}, name);
        x += w;
    }
    return y + 30;
}

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
    float y = box.y;
    ui_caps(ui, rect(box.x, y, box.w, 14),
            o->rows_normalised ? row_titles[o->map_scale] : titles[o->map_scale]);
    draw_range_legend(s, rect(box.x, y + 22, box.w, 32));
    y += 72;
    ui_caps(ui, rect(box.x, y, box.w, 14), "Scale");
    int scale = ui_segmented(ui, UI_ID("map-scale"), rect(box.x, y + 20, box.w, 28), scales, 3,
                             (int)o->map_scale);
    if (scale != (int)o->map_scale) {
        session_post(session, "map-scale %s", scale_words[scale]);
    }
    y += 66;
    ui_caps(ui, rect(box.x, y, box.w, 14), "Rows");
    int row = ui_segmented(ui, UI_ID("rows"), rect(box.x, y + 20, box.w, 28), rows, 2,
                           o->rows_normalised);
    if (row != (int)o->rows_normalised) {
        session_post(session, "rows %s", row_words[row]);
    }
    y += 66;
    if (s->source.combine == COMBINE_OWNER && y + 60 <= box.y + box.h) {
        y = draw_owners(s, box, y);
    }
    if (y + 44 <= box.y + box.h) {
        draw_scale_bar(s, box.x, y + 14, box.w);
    }
}

void matrix_draw_side(MatrixScene *s)
{
    MatrixLayout *l = &s->layout;
    if (!rect_is_empty(l->lens_card)) {
        Rect card = l->lens_card;
        if (s->view->reading_open) {
            ui_card(s->c->ui, card);
            card.w -= reading_switch(s, card);
            card_title(s->c->ui, card, 0, "Text around it", "shade = what the query gives");
            matrix_draw_reading(s, l->lens_card);
        } else if (l->px >= 20 || l->lens_n == 0) {
            draw_row_card(s);
        } else {
            draw_lens(s);
        }
    }
    if (rect_is_empty(l->side_card)) {
        return;
    }
    ui_card(s->c->ui, l->side_card);
    Rect in = rect_inset(l->side_card, PAD);
    if (l->stacked) {
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
