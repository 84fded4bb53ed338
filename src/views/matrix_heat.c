#include "views/internal.h"

#include "draw/easing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The cells of the heatmap: blocks of exact values as they come, coarser ones until then. */

static const double FADE_S = 0.2;

/* Values a side of a block: large ones for textures, small ones where cells are drawn one by one.
 */
enum { BLOCK_FAR = 256, BLOCK_NEAR = 64, BLOCKS_MAX = 1024, APART_PX = 10 };

/* ---- the summary ---- */

/* Maxima under each texel: of the head, or over the set the largest (of a mean the mean of the
 * heads' maxima). into has the layer's size, more is of the same. */
static bool read_maxima(const MatrixScene *s, float *into, float *more, size_t n)
{
    const Session *session = s->c->session;
    const HeadSet *set = &s->source.set;
    bool mean = s->source.combine == COMBINE_MEAN;
    if (s->source.combine == COMBINE_ONE) {
        return trace_summary(session->trace, session->selection.layer, session->selection.head,
                             TRACE_REDUCE_MAX, into, NULL);
    }
    memset(into, 0, n * sizeof *into);
    for (int32_t h = 0; h < set->n; h++) {
        if (set->heads[h].layer >= session->layers_done ||
            !trace_summary(session->trace, set->heads[h].layer, set->heads[h].head,
                           TRACE_REDUCE_MAX, more, NULL)) {
            return false;
        }
        for (size_t i = 0; i < n; i++) {
            into[i] = mean ? into[i] + more[i] / (float)set->n : fmaxf(into[i], more[i]);
        }
    }
    return true;
}

static void hide_masked_texels(MatrixView *v, const Session *session, int32_t layer)
{
    for (int32_t r = 0; r < v->summary_rows; r++) {
        int32_t last = AS_MIN((r + 1) * v->row_texel, v->n_queries) - 1;
        int32_t first;
        int32_t end;
        trace_visible_keys(session->trace, layer, last, &first, &end);
        int32_t top_first;
        int32_t top_end;
        trace_visible_keys(session->trace, layer, r * v->row_texel, &top_first, &top_end);
        first = AS_MIN(first, top_first);
        end = AS_MAX(end, top_end);
        for (int32_t c = 0; c < v->summary_cols; c++) {
            if (c * v->col_texel >= end || (c + 1) * v->col_texel <= first) {
                v->summary[(size_t)r * (size_t)v->summary_cols + (size_t)c] = -INFINITY;
            }
        }
    }
}

bool matrix_read_summary(const MatrixScene *s)
{
    MatrixView *v = s->view;
    const Session *session = s->c->session;
    bool one = s->source.combine == COMBINE_ONE;
    const Selection *sel = &session->selection;
    int32_t of = one ? sel->layer : s->source.set.heads[0].layer;
    int32_t head = one ? sel->head : 0;
    WeightSource source = {.combine = s->source.combine, .set = s->source.set};
    uint64_t id = weight_source_id(&source);
    if (v->summary_trace == session->trace_version && v->summary_layer == of &&
        v->summary_head == head && v->summary_source == id && v->summary) {
        return true;
    }
    const TraceLayer *layer = trace_layer(session->trace, of);
    if (!layer || of >= session->layers_done) {
        return false;
    }
    size_t n = (size_t)layer->summary_rows * (size_t)layer->summary_cols;
    if (v->summary_n < n) {
        float *p = mem_alloc(n * sizeof *p, NULL);
        if (!p) {
            return false;
        }
        mem_free(v->summary);
        v->summary = p;
        v->summary_n = n;
    }
    v->summary_trace = 0;
    float *more = one ? NULL : mem_alloc(n * sizeof *more, NULL);
    bool ok = (one || more) && read_maxima(s, v->summary, more, n);
    mem_free(more);
    if (!ok) {
        return false;
    }
    v->summary_rows = layer->summary_rows;
    v->summary_cols = layer->summary_cols;
    v->row_texel = layer->row_texel;
    v->col_texel = layer->col_texel;
    hide_masked_texels(v, session, of);
    v->summary_trace = session->trace_version;
    v->summary_layer = of;
    v->summary_head = head;
    v->summary_source = id;
    v->summary_version++;
    return true;
}

/* Where n_rows x n_cols weights from (row, col) on stand, logical px. */
static Rect box_of(const MatrixScene *s, int32_t row, int32_t col, double n_rows, double n_cols)
{
    const MatrixView *v = s->view;
    double dev = 1 / (double)s->c->ui->scale;
    double unit = v->shown_unit * dev;
    double x = ((double)col - v->shown_col) * unit;
    double y = ((double)row - v->shown_row) * unit;
    if (!v->moving) { /* to the whole device pixel, without rounding */
        x = (double)(zoom_pixel_of(v->zoom, col) - v->col_px) * dev;
        y = (double)(zoom_pixel_of(v->zoom, row) - v->row_px) * dev;
    }
    return rect(s->layout.heat.x + (float)x, s->layout.heat.y + (float)y, (float)(n_cols * unit),
                (float)(n_rows * unit));
}

bool matrix_has_summary(const MatrixScene *s)
{
    bool maxima = s->source.combine == COMBINE_ONE || s->source.combine == COMBINE_MAX;
    return maxima && !weight_source_filters(&s->source) && !s->source.by_row && !s->source.mean;
}

static void draw_summary(const MatrixScene *s)
{
    MatrixView *v = s->view;
    if (!matrix_read_summary(s)) {
        return;
    }
    Rect box = box_of(s, 0, 0, (double)v->summary_rows * v->row_texel,
                      (double)v->summary_cols * v->col_texel);
    draw_cells(s->c->ui->list, &(DrawCells){.box = box,
                                            .source = {.values = v->summary,
                                                       .rows = v->summary_rows,
                                                       .cols = v->summary_cols},
                                            .map = s->map,
                                            .scale = s->scale});
}

/* ---- owners: the hue says whose weight it is ---- */

void matrix_free_owner_images(MatrixView *view)
{
    for (size_t i = 0; i < AS_COUNT(view->owner_images); i++) {
        mem_free(view->owner_images[i].pixels);
        view->owner_images[i] = (OwnerImage){0};
    }
}

static Color owner_color(const MatrixScene *s, int16_t place)
{
    const HeadSet *set = &s->source.set;
    int32_t n = trace_info(s->c->session->trace)->n_heads;
    bool layers = set->n > 1 && set->heads[0].layer != set->heads[set->n - 1].layer;
    HeadRef h = set->heads[place];
    return color_head(layers ? place : h.head % AS_MAX(n, 1));
}

Color matrix_owner_color(const MatrixScene *s, int32_t place)
{
    return owner_color(s, (int16_t)place);
}

/* The picture of a tile, made once: 0xFF where there is a weight. NULL when memory is short. */
static const OwnerImage *owner_image(const MatrixScene *s, const Tile *tile)
{
    MatrixView *v = s->view;
    size_t n = (size_t)tile->rows * (size_t)tile->cols;
    uint64_t look = (uint64_t)s->scale.kind + 3 * (uint64_t)s->c->ui->theme.id +
                    1000 * (uint64_t)lroundf(s->scale.lo * 1e5f) +
                    1000000 * (uint64_t)lroundf(s->scale.hi * 1e5f);
    OwnerImage *oldest = &v->owner_images[0];
    for (size_t i = 0; i < AS_COUNT(v->owner_images); i++) {
        OwnerImage *image = &v->owner_images[i];
        if (image->pixels && image->tile == tile->version && image->look == look) {
            image->used = ++v->owner_tick;
            return image;
        }
        oldest = image->used < oldest->used ? image : oldest;
    }
    mem_free(oldest->pixels);
    *oldest = (OwnerImage){.tile = tile->version, .look = look, .used = ++v->owner_tick};
    oldest->pixels = mem_alloc(4 * n, NULL);
    for (size_t i = 0; oldest->pixels && i < n; i++) {
        unsigned char *p = oldest->pixels + 4 * i;
        bool there = !isinf(tile->values[i]);
        Color ground = colormap_value(s->map, s->scale, 0);
        float f = there ? scale_apply(s->scale, tile->values[i]) : 0;
        Color c = color_mix(ground, owner_color(s, tile->owner[i]), f);
        c.a = there ? 1 : 0;
        uint32_t packed = color_pack(c);
        memcpy(p, &packed, sizeof packed);
    }
    oldest->version = (1ull << 62) + ++v->owner_versions;
    return oldest->pixels ? oldest : NULL;
}

/* ---- blocks ---- */

/* What is asked for in this frame. */
typedef struct Blocks {
    TileKey keys[BLOCKS_MAX];
    size_t n;
    bool apart;
} Blocks;

static int64_t away(const TileKey *key, int32_t row, int32_t col)
{
    int64_t r = ((int64_t)key->row0 + key->row1) / 2 - row;
    int64_t c = ((int64_t)key->col0 + key->col1) / 2 - col;
    return r * r + c * c;
}

/* Blocks that are masked as a whole need no values. */
static bool is_masked(const Trace *trace, const TileKey *key)
{
    int32_t first;
    int32_t end;
    for (int32_t i = key->row1 - 1; i >= key->row0; i -= AS_MAX((key->row1 - key->row0) / 2, 1)) {
        trace_visible_keys(trace, key->layer, i, &first, &end);
        if (first < key->col1 && end > key->col0 && first < end) {
            return false;
        }
    }
    trace_visible_keys(trace, key->layer, key->row0, &first, &end);
    return !(first < key->col1 && end > key->col0 && first < end);
}

/* Blocks in view by their distance from the middle, so that what is looked at comes first. */
static void list_blocks(const MatrixScene *s, Blocks *b)
{
    const MatrixView *v = s->view;
    const Session *session = s->c->session;
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(v, &r0, &r1, &c0, &c1);
    b->apart = s->layout.px >= APART_PX;
    int32_t size = (b->apart ? BLOCK_NEAR : BLOCK_FAR) * v->zoom.factor;
    b->n = 0;
    for (int32_t row = r0 / size * size; row < r1; row += size) {
        for (int32_t col = c0 / size * size; col < c1 && b->n < BLOCKS_MAX; col += size) {
            TileKey key = {.trace_version = session->trace_version,
                           .source = weight_source_id(&s->source),
                           .layer = session->selection.layer,
                           .head = session->selection.head,
                           .row0 = row,
                           .row1 = (int32_t)AS_MIN((int64_t)row + size, v->n_queries),
                           .col0 = col,
                           .col1 = (int32_t)AS_MIN((int64_t)col + size, v->n_keys),
                           .factor = v->zoom.factor};
            if (s->source.combine != COMBINE_ONE) {
                key.layer = s->source.set.heads[0].layer;
                key.head = 0;
            }
            if (!is_masked(session->trace, &key)) {
                b->keys[b->n++] = key;
            }
        }
    }
    for (size_t i = 1; i < b->n; i++) {
        TileKey key = b->keys[i];
        size_t at = i;
        int64_t far = away(&key, (r0 + r1) / 2, (c0 + c1) / 2);
        for (; at > 0 && away(&b->keys[at - 1], (r0 + r1) / 2, (c0 + c1) / 2) > far; at--) {
            b->keys[at] = b->keys[at - 1];
        }
        b->keys[at] = key;
    }
}

static Rect tile_box(const MatrixScene *s, const TileKey *key)
{
    int32_t f = key->factor;
    double rows = (double)((key->row1 - key->row0 + f - 1) / f) * f;
    double cols = (double)((key->col1 - key->col0 + f - 1) / f) * f;
    return box_of(s, key->row0, key->col0, rows, cols);
}

static void draw_tile(const MatrixScene *s, const Tile *tile, bool apart, float alpha)
{
    if (tile->owner) {
        const OwnerImage *image = owner_image(s, tile);
        if (image) {
            draw_image(s->c->ui->list, &(DrawImage){.box = tile_box(s, &tile->key),
                                                    .pixels = image->pixels,
                                                    .width = tile->cols,
                                                    .height = tile->rows,
                                                    .version = image->version});
        }
        return;
    }
    draw_cells(s->c->ui->list, &(DrawCells){.box = tile_box(s, &tile->key),
                                            .source = {.values = tile->values,
                                                       .rows = tile->rows,
                                                       .cols = tile->cols,
                                                       .version = tile->version},
                                            .map = s->map,
                                            .scale = s->scale,
                                            .inset = apart ? 0.5f : 0,
                                            .radius = apart ? fminf(4, s->layout.px * 0.13f) : 0,
                                            .alpha = alpha});
}

static int by_factor(const void *a, const void *b)
{
    const Tile *const *x = a;
    const Tile *const *y = b;
    return ((*x)->key.factor < (*y)->key.factor) - ((*x)->key.factor > (*y)->key.factor);
}

/* What is known of a part before its exact values are there: the summary, then coarser tiles. */
static void draw_stand_in(const MatrixScene *s, const TileKey *part)
{
    enum { MOST = 64 };
    const TileCache *cache = &s->c->session->tiles;
    const Tile *list[MOST];
    int n = 0;
    const Tile *tile;
    if (matrix_has_summary(s)) {
        draw_summary(s);
    }
    for (size_t i = 0; (tile = tiles_held(cache, i)) && n < MOST; i++) {
        const TileKey *k = &tile->key;
        if (k->trace_version == part->trace_version && k->source == part->source &&
            k->layer == part->layer && k->head == part->head && k->factor > part->factor &&
            k->row0 < part->row1 && k->row1 > part->row0 && k->col0 < part->col1 &&
            k->col1 > part->col0) {
            list[n++] = tile;
        }
    }
    qsort(list, (size_t)n, sizeof list[0], by_factor);
    for (int i = 0; i < n; i++) {
        draw_tile(s, list[i], false, 1);
    }
}

/* ---- numbers ---- */

static void draw_numbers(const MatrixScene *s, const Tile *tile)
{
    const Selection *sel = &s->c->session->selection;
    float px = s->layout.px;
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(s->view, &r0, &r1, &c0, &c1);
    for (int32_t i = AS_MAX(r0, tile->key.row0); i < AS_MIN(r1, tile->key.row1); i++) {
        for (int32_t j = AS_MAX(c0, tile->key.col0); j < AS_MIN(c1, tile->key.col1); j++) {
            int32_t r = i - tile->key.row0;
            float shown =
                tile->values[(size_t)r * (size_t)tile->cols + (size_t)(j - tile->key.col0)];
            if (isinf(shown)) {
                continue;
            }
            float weight = s->source.by_row ? shown * tile->row_max[r] : shown;
            Rect cell = {matrix_key_x(s, j) - px / 2, matrix_query_y(s, i) - px / 2, px, px};
            Rect seen = rect_intersect(cell, s->layout.heat);
            if (seen.w < px * 0.9f || seen.h < px * 0.7f) {
                continue; /* a number that would be cut */
            }
            matrix_draw_number(s, cell, weight, shown, i == sel->query && j == sel->key);
        }
    }
}

/* The masked part of the rows in view; one box when cells touch, row by row when they do not. */
static void draw_masked_part(const MatrixScene *s, bool rows_apart, int32_t row0, int32_t row1)
{
    Rect heat = s->layout.heat;
    if (!rows_apart) {
        matrix_draw_masked(s->c->ui, heat);
        return;
    }
    float px = s->layout.px;
    draw_rect(s->c->ui->list, &(DrawRect){.box = heat, .fill = s->c->ui->theme.well});
    for (int32_t i = row0; i < row1; i++) {
        int32_t first;
        int32_t end;
        trace_visible_keys(s->c->session->trace, s->c->session->selection.layer, i, &first, &end);
        float y = matrix_query_y(s, i) - px / 2;
        float x0 = first < end ? matrix_key_x(s, first) - px / 2 : heat.x + heat.w;
        float x1 = first < end ? matrix_key_x(s, end - 1) + px / 2 : heat.x + heat.w;
        if (x0 > heat.x) {
            matrix_draw_masked(s->c->ui, rect(heat.x, y, x0 - heat.x, px));
        }
        if (x1 < heat.x + heat.w) {
            matrix_draw_masked(s->c->ui, rect(x1, y, heat.x + heat.w - x1, px));
        }
    }
}

/* ---- the whole ---- */

/* Under a new head its predecessor stays for a moment. Returns how far the new one has come. */
static float fading(const MatrixScene *s, const TileKey *key)
{
    Ui *ui = s->c->ui;
    MatrixView *v = s->view;
    bool other = v->shown_key.layer != key->layer || v->shown_key.head != key->head ||
                 v->shown_key.source != key->source;
    if (other && v->shown_key.trace_version == key->trace_version) {
        v->fade_key = v->shown_key;
        v->fade_s = ui->now_s;
    }
    v->shown_key = *key;
    double t = v->fade_s > 0 && !ui->still ? (ui->now_s - v->fade_s) / FADE_S : 1;
    if (t >= 1) {
        v->fade_s = 0;
        return 1;
    }
    ui->moves = true;
    return fmaxf((float)ease_out_cubic(t), 0.01f);
}

static void draw_block(const MatrixScene *s, const Blocks *b, const TileKey *key, float alpha)
{
    const Tile *tile = tiles_find(&s->c->session->tiles, key);
    const MatrixView *v = s->view;
    if (!tile) {
        draw_push_clip(s->c->ui->list, tile_box(s, key));
        draw_stand_in(s, key);
        draw_pop_clip(s->c->ui->list);
        return;
    }
    if (alpha < 1) {
        TileKey last = *key;
        last.layer = v->fade_key.layer;
        last.head = v->fade_key.head;
        last.source = v->fade_key.source;
        const Tile *before = tiles_find(&s->c->session->tiles, &last);
        bool fits = before && !before->owner; /* its hues would be those of the new set */
        if (fits) {
            draw_tile(s, before, b->apart, 1);
        } else {
            alpha = 1;
        }
    }
    draw_tile(s, tile, b->apart, alpha);
    if (s->layout.px >= 28 && !v->moving) {
        draw_numbers(s, tile);
    }
}

static void draw_masked_words(const MatrixScene *s);

void matrix_draw_heat(MatrixScene *s)
{
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    MatrixView *v = s->view;
    Blocks *b = arena_alloc(&ui->list->arena, sizeof *b, NULL);
    Error err = {0};
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    if (!b) {
        return;
    }
    list_blocks(s, b);
    matrix_window(v, &r0, &r1, &c0, &c1);
    bool all = session_want_tiles(session, &s->source, b->keys, b->n, &err);
    s->exact = all;
    if (!all && err.code == ERR_NONE) {
        s->c->views->settled = false;
        ui->moves |= session->tiles.device_pending;
    }
    draw_push_clip(ui->list, s->layout.heat);
    draw_masked_part(s, b->apart, r0, r1);
    if (b->n) {
        float alpha = fading(s, &b->keys[0]);
        if (v->moving) {
            TileKey whole = b->keys[0];
            whole.row0 = whole.col0 = 0;
            whole.row1 = v->n_queries;
            whole.col1 = v->n_keys;
            draw_stand_in(s, &whole);
        }
        for (size_t i = 0; i < b->n; i++) {
            draw_block(s, b, &b->keys[i], alpha);
        }
    }
    draw_pop_clip(ui->list);
    draw_rect(ui->list, &(DrawRect){.box = rect_inset(s->layout.heat, -1),
                                    .border = 1,
                                    .border_color = color_with_alpha(ui->theme.edge2, 0.8f)});
    draw_masked_words(s);
}

/* The words stand in the masked corner when it is large enough for them. */
static void draw_masked_words(const MatrixScene *s)
{
    Ui *ui = s->c->ui;
    const Session *session = s->c->session;
    const TraceLayer *layer = trace_layer(session->trace, session->selection.layer);
    const char *text = "future keys, masked";
    float w = ui_text_width(ui, FONT_SANS_MEDIUM, 12, text);
    Rect heat = s->layout.heat;
    Rect box = {heat.x + heat.w - w - 21, heat.y + 20, w + 1, 20};
    if (!layer->causal || heat.w < w + 60) {
        return;
    }
    const MatrixView *v = s->view;
    int64_t i =
        zoom_weight_at(v->zoom, v->row_px + (int64_t)((box.y + box.h + 8 - heat.y) * ui->scale));
    int64_t j = zoom_weight_at(v->zoom, v->col_px + (int64_t)((box.x - 8 - heat.x) * ui->scale));
    if (j <= i) {
        return;
    }
    ui_label(ui, box, &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 12, .color = ui->theme.text3},
             text);
}
