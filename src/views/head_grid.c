#include "views/head_grid.h"

#include "views/internal.h"

#include <math.h>

/* Texels that one frame reads: a few milliseconds. */
static const int64_t TEXELS_A_FRAME = 1000000;

void head_grid_free(HeadGrid *grid)
{
    mem_free(grid->values);
    mem_free(grid->sum);
    mem_free(grid->mean);
    mem_free(grid->scratch);
    *grid = (HeadGrid){0};
}

static bool begin(HeadGrid *g, const Session *s, int32_t factor)
{
    const TraceInfo *info = trace_info(s->trace);
    const TraceLayer *layer = trace_layer(s->trace, 0);
    /* The painter keeps textures by version: no two contents ever share one. */
    uint64_t space = g->space;
    uint64_t version = g->version
                           ? g->version + 2 * (uint64_t)g->n_layers * (uint64_t)g->n_heads + 2
                           : (space + 1) << 56;
    head_grid_free(g);
    g->space = space;
    g->version = version;
    g->trace_version = s->trace_version;
    g->n_layers = info->n_layers;
    g->n_heads = info->n_heads;
    g->sum_rows = layer->summary_rows;
    g->sum_cols = layer->summary_cols;
    g->row_texel = layer->row_texel;
    g->col_texel = layer->col_texel;
    g->factor = factor;
    g->rows = (g->sum_rows + factor - 1) / factor;
    g->cols = (g->sum_cols + factor - 1) / factor;
    size_t texels = (size_t)g->sum_rows * (size_t)g->sum_cols;
    size_t n = (size_t)g->rows * (size_t)g->cols;
    size_t heads;
    if (!checked_mul((size_t)g->n_layers, (size_t)g->n_heads, &heads) ||
        !checked_mul(n, heads, &n) || n > SIZE_MAX / sizeof(float)) {
        return false;
    }
    g->values = mem_alloc(n * sizeof *g->values, NULL);
    g->sum = mem_alloc_zeroed(texels, sizeof *g->sum, NULL);
    g->mean = mem_alloc_zeroed(texels, sizeof *g->mean, NULL);
    g->scratch = mem_alloc(texels * sizeof *g->scratch, NULL);
    if (!g->values || !g->sum || !g->mean || !g->scratch) {
        mem_free(g->values);
        g->values = NULL; /* tried again in the next frame */
        return false;
    }
    return true;
}

/* Keys that any query under a row of texels may see. */
static void visible_keys(const HeadGrid *g, const Trace *trace, int32_t layer, int32_t row,
                         int32_t *first, int32_t *end)
{
    int32_t n = trace_info(trace)->n_queries;
    int32_t last_first;
    int32_t last_end;
    trace_visible_keys(trace, layer, row * g->row_texel, first, end);
    trace_visible_keys(trace, layer, AS_MIN((row + 1) * g->row_texel, n) - 1, &last_first,
                       &last_end);
    *first = AS_MIN(*first, last_first);
    *end = AS_MAX(*end, last_end);
}

static float *values_of(const HeadGrid *g, int32_t layer, int32_t head)
{
    size_t at = (size_t)layer * (size_t)g->n_heads + (size_t)head;
    return g->values + at * (size_t)g->rows * (size_t)g->cols;
}

/* scratch holds the maxima. */
static void reduce(const HeadGrid *g, const Trace *trace, int32_t layer, float *out)
{
    for (int64_t k = 0; k < (int64_t)g->rows * g->cols; k++) {
        out[k] = -INFINITY;
    }
    for (int32_t r = 0; r < g->sum_rows; r++) {
        int32_t first;
        int32_t end;
        visible_keys(g, trace, layer, r, &first, &end);
        const float *row = g->scratch + (size_t)r * (size_t)g->sum_cols;
        float *to = out + (size_t)(r / g->factor) * (size_t)g->cols;
        int32_t c1 = AS_MIN((end + g->col_texel - 1) / g->col_texel, g->sum_cols);
        for (int32_t c = first / g->col_texel; c < c1; c++) {
            to[c / g->factor] = fmaxf(to[c / g->factor], row[c]);
        }
    }
}

bool head_picture_read(HeadPicture *p, const Session *s, int32_t layer, int32_t head,
                       uint64_t space)
{
    if (p->values && p->trace_version == s->trace_version && p->layer == layer && p->head == head) {
        return true;
    }
    const TraceLayer *l = trace_layer(s->trace, layer);
    if (!l) {
        return false;
    }
    uint64_t version = p->version ? p->version + 1 : (space + 1) << 56;
    mem_free(p->values);
    *p = (HeadPicture){.trace_version = s->trace_version,
                       .layer = layer,
                       .head = head,
                       .rows = l->summary_rows,
                       .cols = l->summary_cols,
                       .row_texel = l->row_texel,
                       .version = version};
    size_t n = (size_t)p->rows * (size_t)p->cols * sizeof(float);
    p->values = mem_alloc(n, NULL);
    float *scratch = mem_alloc(n, NULL);
    bool ok = p->values && scratch &&
              trace_summary(s->trace, layer, head, TRACE_REDUCE_MAX, scratch, NULL);
    if (ok) {
        /* A grid of this one head. */
        HeadGrid g = {.n_heads = 1,
                      .rows = p->rows,
                      .cols = p->cols,
                      .factor = 1,
                      .sum_rows = p->rows,
                      .sum_cols = p->cols,
                      .row_texel = l->row_texel,
                      .col_texel = l->col_texel,
                      .values = p->values,
                      .scratch = scratch};
        reduce(&g, s->trace, layer, p->values);
    } else {
        mem_free(p->values);
        p->values = NULL;
    }
    mem_free(scratch);
    return ok;
}

void head_picture_free(HeadPicture *p)
{
    mem_free(p->values);
    *p = (HeadPicture){0};
}

void head_picture_draw(const HeadPicture *p, ViewContext *c, Rect box, Scale scale)
{
    if (!p->values) {
        draw_rect(c->ui->list, &(DrawRect){.box = box, .fill = head_grid_masked(c->ui)});
        return;
    }
    draw_cells(c->ui->list, &(DrawCells){
                                .box = box,
                                .source = {.values = p->values,
                                           .rows = p->rows,
                                           .cols = p->cols,
                                           .version = p->version},
                                .map = weight_map(c->ui),
                                .scale = scale,
                                .masked = head_grid_masked(c->ui),
                            });
}

static bool read_head(HeadGrid *g, const Trace *trace, int32_t layer, int32_t head)
{
    size_t texels = (size_t)g->sum_rows * (size_t)g->sum_cols;
    const TraceLayer *l = trace_layer(trace, layer);
    if (!l || l->summary_rows != g->sum_rows || l->summary_cols != g->sum_cols ||
        !trace_summary(trace, layer, head, TRACE_REDUCE_MAX, g->scratch, NULL)) {
        return false;
    }
    reduce(g, trace, layer, values_of(g, layer, head));
    bool exact = g->row_texel == 1 && g->col_texel == 1; /* then maximum and mean are the weight */
    if (!exact && !trace_summary(trace, layer, head, TRACE_REDUCE_MEAN, g->scratch, NULL)) {
        return false;
    }
    for (size_t k = 0; k < texels; k++) {
        g->sum[k] += (double)g->scratch[k];
    }
    return true;
}

static void finish_mean(HeadGrid *g, const Trace *trace)
{
    if (g->mean_of == g->n_done || !g->n_done) {
        return;
    }
    g->mean_of = g->n_done;
    for (int32_t r = 0; r < g->sum_rows; r++) {
        int32_t first = INT32_MAX;
        int32_t end = 0;
        for (int32_t layer = 0; layer * (int64_t)g->n_heads < g->n_done; layer++) {
            int32_t f;
            int32_t e;
            visible_keys(g, trace, layer, r, &f, &e);
            first = AS_MIN(first, f);
            end = AS_MAX(end, e);
        }
        for (int32_t c = 0; c < g->sum_cols; c++) {
            size_t k = (size_t)r * (size_t)g->sum_cols + (size_t)c;
            bool hidden = c * g->col_texel >= end || (c + 1) * g->col_texel <= first;
            g->mean[k] = hidden ? -INFINITY : (float)(g->sum[k] / (double)g->n_done);
        }
    }
}

bool head_grid_update(HeadGrid *g, ViewContext *c, int32_t px)
{
    const Session *s = c->session;
    if (!s->trace || s->layers_done < 1) {
        return false;
    }
    const TraceLayer *layer = trace_layer(s->trace, 0);
    int32_t factor = AS_MAX(1, AS_MAX(layer->summary_rows, layer->summary_cols) / AS_MAX(px, 1));
    if ((g->trace_version != s->trace_version || g->factor != factor || !g->values) &&
        !begin(g, s, factor)) {
        return false;
    }
    int64_t all = (int64_t)AS_MIN(s->layers_done, g->n_layers) * g->n_heads;
    int64_t texels = (int64_t)g->sum_rows * g->sum_cols;
    int64_t most = c->ui->still ? all : AS_MAX(TEXELS_A_FRAME / texels, 1);
    for (; g->n_done < all && most > 0; most--) {
        if (!read_head(g, s->trace, (int32_t)(g->n_done / g->n_heads),
                       (int32_t)(g->n_done % g->n_heads))) {
            return false;
        }
        g->n_done++;
    }
    finish_mean(g, s->trace);
    if (g->n_done < all) {
        c->ui->moves = true;
    }
    return g->n_done == all;
}

bool head_grid_has(const HeadGrid *g, int32_t layer, int32_t head)
{
    return g->values && (int64_t)layer * g->n_heads + head < g->n_done;
}

int32_t head_grid_side(int32_t n, int32_t px)
{
    int32_t whole = px / AS_MAX(n, 1) * n;
    return whole * 5 >= px * 4 ? whole : px;
}

HeadTable head_table_fit(int32_t n_layers, int32_t n_heads, float w, float h, float label_h)
{
    /* Lines of a group have to be worth it, and names below need pictures that can be seen. */
    const float worth = 1.3f;
    const float least = 26;
    HeadTable best = {0};
    float most = 0;
    for (int way = 0; way < 2; way++) {
        bool down = way == 0;
        int32_t n = down ? n_heads : n_layers;
        int32_t groups = down ? n_layers : n_heads;
        for (int32_t lines = 1; lines <= n; lines++) {
            int32_t across = (n + lines - 1) / lines;
            if ((n + across - 1) / across != lines) {
                continue; /* fewer lines hold as many */
            }
            float x = w / (float)across;
            float y = h / ((float)groups * (float)lines) - (lines > 1 ? label_h : 0);
            float side = fminf(x, y);
            float value = lines == 1 ? side : side >= least ? side / worth : 0;
            if (value > most + (down ? 0 : 1)) {
                most = value;
                best = (HeadTable){down, across, lines, groups};
            }
        }
    }
    if (!best.across) {
        best = (HeadTable){true, n_heads, 1, n_layers};
    }
    return best;
}

void head_table_place(const HeadTable *t, int32_t layer, int32_t head, int32_t *column,
                      int32_t *row)
{
    int32_t at = t->down ? head : layer;
    *column = at % t->across;
    *row = (t->down ? layer : head) * t->lines + at / t->across;
}

bool head_table_at(const HeadTable *t, int32_t n_layers, int32_t n_heads, int32_t column,
                   int32_t row, int32_t *layer, int32_t *head)
{
    int32_t group = row / t->lines;
    int32_t at = row % t->lines * t->across + column;
    *layer = t->down ? group : at;
    *head = t->down ? at : group;
    return column >= 0 && column < t->across && row >= 0 && *layer < n_layers && *head < n_heads;
}

Color head_grid_masked(const Ui *ui)
{
    return ui->theme.id == THEME_CONTRAST ? ui->theme.masked
                                          : color_mix(ui->theme.card, ui->theme.edge, 0.42f);
}

void head_grid_draw(const HeadGrid *g, ViewContext *c, Rect box, int32_t layer, int32_t head,
                    Scale scale, float alpha)
{
    if (!head_grid_has(g, layer, head)) {
        draw_rect(c->ui->list, &(DrawRect){.box = box, .fill = head_grid_masked(c->ui)});
        return;
    }
    uint64_t at = (uint64_t)layer * (uint64_t)g->n_heads + (uint64_t)head;
    if (g->rows != g->cols) { /* of two texts: cells stay square, the rest shows the card */
        float most = (float)AS_MAX(g->rows, g->cols);
        draw_rect(c->ui->list, &(DrawRect){.box = box, .fill = head_grid_masked(c->ui)});
        box.w *= (float)g->cols / most;
        box.h *= (float)g->rows / most;
    }
    draw_cells(c->ui->list, &(DrawCells){.box = box,
                                         .source = {.values = values_of(g, layer, head),
                                                    .rows = g->rows,
                                                    .cols = g->cols,
                                                    .version = g->version + at},
                                         .map = weight_map(c->ui),
                                         .scale = scale,
                                         .masked = head_grid_masked(c->ui),
                                         .alpha = alpha});
}

void head_grid_draw_mean(const HeadGrid *g, ViewContext *c, Rect box, Scale scale)
{
    if (!g->mean_of) {
        draw_rect(c->ui->list, &(DrawRect){.box = box, .fill = head_grid_masked(c->ui)});
        return;
    }
    float cell = box.w / (float)g->sum_cols;
    uint64_t heads = (uint64_t)g->n_layers * (uint64_t)g->n_heads;
    draw_cells(c->ui->list,
               &(DrawCells){.box = box,
                            .source = {.values = g->mean,
                                       .rows = g->sum_rows,
                                       .cols = g->sum_cols,
                                       .version = g->version + heads + (uint64_t)g->mean_of},
                            .map = weight_map(c->ui),
                            .scale = scale,
                            .reduce = CELL_MEAN,
                            .masked = head_grid_masked(c->ui),
                            .inset = cell >= 6 ? 0.5f : 0,
                            .radius = cell >= 12 ? 1 : 0});
}

Scale head_grid_scale(const Session *session)
{
    enum { LONG_TEXT = 2048 };
    if (trace_info(session->trace)->n_keys < LONG_TEXT) {
        return (Scale){.kind = SCALE_SQRT, .lo = 0, .hi = 1};
    }
    return (Scale){.kind = SCALE_LOG, .lo = 1e-4f, .hi = 1};
}

const char *head_grid_scale_says(Scale scale)
{
    return scale.kind == SCALE_LOG ? "weight, log scale" : "weight, √ scale";
}

const char *head_grid_says(const HeadGrid *g, ViewContext *c, float px, const char *reduce)
{
    if (!g->trace_version) {
        return "";
    }
    const TraceInfo *info = trace_info(c->session->trace);
    double weights = (double)AS_MAX(info->n_queries, info->n_keys) / (double)px;
    if (weights <= 1 && g->row_texel == 1) {
        double cell = 1 / weights;
        const char *about = fabs(cell - round(cell)) < 0.01 ? "" : "about ";
        return draw_format(c->ui->list, "1 cell = %s%.3g × %.3g px, exact", about,
                           fabs(cell - round(cell)) < 0.01 ? round(cell) : round(cell * 10) / 10,
                           fabs(cell - round(cell)) < 0.01 ? round(cell) : round(cell * 10) / 10);
    }
    weights = AS_MAX(weights, (double)g->row_texel);
    double shown = weights < 10 ? round(weights * 10) / 10 : round(weights);
    return draw_format(c->ui->list, "1 px = %.6g × %.6g weights, %s", shown, shown, reduce);
}

Color color_as_text(const Ui *ui, Color color)
{
    for (int i = 0; i < 12 && color_contrast(color, ui->theme.card) < 4.6f; i++) {
        color = color_mix(color, ui->theme.text, 0.15f);
    }
    return color;
}

const char *pattern_short(Pattern pattern)
{
    return pattern_text(pattern)->short_name;
}
