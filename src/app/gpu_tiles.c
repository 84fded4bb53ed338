#include "app/gpu_tiles.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- operands ---- */

enum { PART_Q, PART_K, PART_ROWS, PART_BIAS, PART_COUNT };

static EvalKey key_of(const TileKey *tile, int32_t layer, int32_t head, int part)
{
    return (EvalKey){tile->trace_version,
                     ((uint64_t)(uint32_t)layer << 32 | (uint64_t)(uint32_t)head) * PART_COUNT +
                         (uint64_t)part};
}

static bool make_rows(const Trace *trace, int32_t layer, const TraceOperands *op, EvalHead *head)
{
    int32_t n = trace_info(trace)->n_queries;
    EvalRow *rows = mem_alloc((size_t)n * sizeof *rows, NULL);
    for (int32_t i = 0; rows && i < n; i++) {
        bool empty = op->row_max[i] == -INFINITY;
        rows[i].reference = empty ? 0 : op->row_max[i];
        rows[i].factor = empty ? 0 : (float)exp(-(double)op->row_log_sum[i]);
        trace_visible_keys(trace, layer, i, &rows[i].first, &rows[i].end);
    }
    head->rows.data = rows;
    return rows;
}

static bool make_head(const GpuTiles *g, const TileTask *task, HeadRef at, EvalHead *head)
{
    const TraceInfo *info = trace_info(task->trace);
    TraceOperands op;
    if (!trace_operands(task->trace, at.layer, at.head, &op)) {
        return false;
    }
    size_t width = op.halves ? sizeof(uint16_t) : sizeof(float);
    size_t n = (size_t)info->n_queries;
    size_t dim = (size_t)info->head_dim;
    *head = (EvalHead){
        .q = {key_of(task->key, at.layer, at.head, PART_Q), op.q, n * dim * width},
        .k = {key_of(task->key, at.layer, op.kv_head, PART_K), op.k,
              (size_t)info->n_keys * dim * width},
        .rows = {key_of(task->key, at.layer, at.head, PART_ROWS), NULL, n * sizeof(EvalRow)},
        .zero = op.bias_zero,
        .scale = op.scale,
        .cap = op.soft_cap,
    };
    if (op.bias) {
        /* One table serves all layers. */
        head->bias = (EvalArray){key_of(task->key, 0, at.head, PART_BIAS), op.bias,
                                 op.n_bias * sizeof(float)};
    }
    return evaluator_holds(g->evaluator, head->rows.key) ||
           make_rows(task->trace, at.layer, &op, head);
}

static size_t bytes_of(const EvalHead *head)
{
    enum { PADDING = 64 };
    return head->q.n_bytes + head->k.n_bytes + head->rows.n_bytes + head->bias.n_bytes + PADDING;
}

/* ---- what is left out ---- */

static void forget_filters(GpuTiles *g)
{
    mem_free(g->row_scales);
    mem_free(g->hidden);
    g->row_scales = NULL;
    g->hidden = NULL;
    g->filters_id = 0;
}

/* Of the tile of the task, once. */
static bool make_filters(GpuTiles *g, const TileTask *task, const HeadRef *heads, int32_t n_heads)
{
    const TileKey *key = task->key;
    const TraceToken *keys = trace_key_tokens(task->trace, NULL);
    size_t n_rows = (size_t)(key->row1 - key->row0);
    size_t n_cols = (size_t)(key->col1 - key->col0);
    if (g->filters_id == task->id) {
        return true;
    }
    forget_filters(g);
    g->row_scales = mem_alloc((size_t)n_heads * n_rows * sizeof *g->row_scales, NULL);
    g->hidden = mem_alloc_zeroed((n_cols + 31) / 32, sizeof *g->hidden, NULL);
    bool ok = g->row_scales && g->hidden;
    for (int32_t h = 0; ok && h < n_heads; h++) {
        ok = weight_source_row_scales(task->trace, task->source, heads[h].layer, heads[h].head,
                                      key->row0, key->row1, g->row_scales + (size_t)h * n_rows,
                                      NULL);
    }
    for (size_t j = 0; ok && j < n_cols; j++) {
        bool hides = weight_source_hides(task->source, keys, key->col0 + (int32_t)j);
        g->hidden[j / 32] |= (uint32_t)hides << j % 32;
    }
    g->filters_id = ok ? task->id : 0;
    return ok;
}

/* ---- tiles ---- */

/* Says so once and leaves everything to the processor. */
static void give_up(GpuTiles *g, const Error *err)
{
    log_write(g->log, LOG_WARNING, "%s; tiles are computed by the processor from here on",
              err->message);
    evaluator_destroy(g->evaluator);
    g->evaluator = NULL;
    snprintf(g->name, sizeof g->name, "on the processor (the GPU failed)");
}

static TileStep evaluate(GpuTiles *g, const TileTask *task, const EvalHead *heads, int32_t n_heads)
{
    const TileKey *key = task->key;
    const WeightSource *source = task->source;
    bool filters = weight_source_filters(source);
    Error err = {0};
    EvalTile tile = {.id = task->id,
                     .heads = heads,
                     .n_heads = n_heads,
                     .dim = trace_info(task->trace)->head_dim,
                     .halves = trace_info(task->trace)->params.dtype != TRACE_F32,
                     .mean_heads = source->combine == COMBINE_MEAN,
                     .mean = source->mean,
                     .row0 = key->row0,
                     .row1 = key->row1,
                     .col0 = key->col0,
                     .col1 = key->col1,
                     .side = key->factor,
                     .row_scales = filters ? g->row_scales : NULL,
                     .hidden = filters ? g->hidden : NULL};
    EvalStatus status = evaluator_run(g->evaluator, &tile, task->seconds, task->values, &err);
    if (status == EVAL_FAILED) {
        give_up(g, &err);
        return TILE_PASS;
    }
    return status == EVAL_DONE ? TILE_DONE : TILE_MORE;
}

static TileStep compute(void *payload, const TileTask *task)
{
    GpuTiles *g = payload;
    const WeightSource *source = task->source;
    HeadRef one = {(int16_t)task->key->layer, (int16_t)task->key->head};
    bool set = source->combine != COMBINE_ONE;
    const HeadRef *at = set ? source->set.heads : &one;
    int32_t n = set ? source->set.n : 1;
    EvalHead *heads = g->evaluator ? mem_alloc_zeroed((size_t)n, sizeof *heads, NULL) : NULL;
    bool ok = heads;
    size_t n_bytes = 0;
    for (int32_t h = 0; ok && h < n; h++) {
        ok = make_head(g, task, at[h], &heads[h]);
        n_bytes += bytes_of(&heads[h]);
    }
    ok = ok && evaluator_fits(g->evaluator, n_bytes) &&
         (!weight_source_filters(source) || make_filters(g, task, at, n));
    TileStep step = ok ? evaluate(g, task, heads, n) : TILE_PASS;
    for (int32_t h = 0; heads && h < n; h++) {
        mem_free((void *)heads[h].rows.data);
    }
    mem_free(heads);
    return step;
}

static double fraction(void *payload)
{
    const GpuTiles *g = payload;
    return g->evaluator ? evaluator_fraction(g->evaluator) : 0;
}

/* ---- opening ---- */

enum { GPU_AUTO, GPU_ON, GPU_OFF };

void gpu_tiles_open(GpuTiles *g, const App *app, Gfx *gfx, Session *session)
{
    const OptionValue *wish = app_option(app, OPTION_GPU_TILES_ID);
    const OptionValue *memory = app_option(app, OPTION_TILE_MEMORY_ID);
    size_t budget = memory->has ? (size_t)AS_MIN(memory->bytes, (uint64_t)SIZE_MAX) : 0;
    Error err = {0};
    *g = (GpuTiles){.log = &app->log};
    session->tiles.budget_bytes = budget;
    if (wish->integer == GPU_OFF) {
        snprintf(g->name, sizeof g->name, "on the processor (--gpu-tiles off)");
        return;
    }
    if (wish->integer == GPU_AUTO && gfx_is_software(gfx)) {
        snprintf(g->name, sizeof g->name, "on the processor (%.80s is a software renderer)",
                 gfx_renderer(gfx));
        return;
    }
    g->evaluator = evaluator_create(&(EvaluatorDesc){.budget_bytes = budget}, &err);
    if (!g->evaluator) {
        snprintf(g->name, sizeof g->name, "on the processor (%.120s)", err.message);
        log_write(&app->log, wish->integer == GPU_ON ? LOG_WARNING : LOG_INFO, "tiles %s", g->name);
        return;
    }
    snprintf(g->name, sizeof g->name,
             gfx_is_software(gfx) ? "by compute shaders, run in software" : "on the GPU");
    g->device =
        (TileDevice){.compute = compute, .fraction = fraction, .payload = g, .name = g->name};
    session->tiles.device = &g->device;
}

void gpu_tiles_detach(const GpuTiles *g, Session *session)
{
    if (session && session->tiles.device == &g->device) {
        session->tiles.device = NULL;
    }
}

void gpu_tiles_close(GpuTiles *g, Session *session)
{
    gpu_tiles_detach(g, session);
    evaluator_destroy(g->evaluator);
    g->evaluator = NULL;
    forget_filters(g);
}
