#include "views/internal.h"

#include "session/shown.h"

#include <math.h>

/* The card beside the heatmap: the cells around the selected one, the row in reading order where
 * the heatmap itself shows the cells, or the text around. */

enum { PAD = 16, LABELS = 106 };

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
    if (ui_button(s->c->ui, UI_ID("matrix-reading"), box,
                  s->c->session->options.matrix_reading ? "Cells" : "Text", UI_BUTTON_PLAIN)) {
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

const float *matrix_by_row(const MatrixScene *s, const float *values, const float *row_max,
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
    const float *shown = matrix_by_row(s, tile->values, row_max, tile->rows, tile->cols);
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

void matrix_draw_lens(const MatrixScene *s)
{
    const MatrixLayout *l = &s->layout;
    if (!rect_is_empty(l->lens_card)) {
        Rect card = l->lens_card;
        if (s->c->session->options.matrix_reading) {
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
}
