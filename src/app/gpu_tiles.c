#include "app/gpu_tiles.h"

#include "base/clock.h"

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

static EvalRow *make_rows(const Trace *trace, HeadRef at)
{
    int32_t n = trace_info(trace)->n_queries;
    EvalRow *rows = mem_alloc((size_t)n * sizeof *rows, NULL);
    TraceOperands op;
    bool ok = rows && trace_operands(trace, at.layer, at.head, &op);
    for (int32_t i = 0; ok && i < n; i++) {
        bool empty = op.row_max[i] == -INFINITY;
        rows[i].reference = empty ? 0 : op.row_max[i];
        rows[i].factor = empty ? 0 : (float)exp(-(double)op.row_log_sum[i]);
        trace_visible_keys(trace, at.layer, i, &rows[i].first, &rows[i].end);
    }
    if (!ok) {
        mem_free(rows);
    }
    return ok ? rows : NULL;
}

/* All but the rows, which take time to make. */
static bool describe_head(const TileTask *task, HeadRef at, EvalHead *head)
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
    return true;
}

static size_t bytes_of(const EvalHead *head)
{
    enum { PADDING = 64 };
    return head->q.n_bytes + head->k.n_bytes + head->rows.n_bytes + head->bias.n_bytes + PADDING;
}

static int32_t count_heads(const WeightSource *source)
{
    return source->combine == COMBINE_ONE ? 1 : source->set.n;
}

static HeadRef head_at(const TileTask *task, int32_t h)
{
    return task->source->combine == COMBINE_ONE
               ? (HeadRef){(int16_t)task->key->layer, (int16_t)task->key->head}
               : task->source->set.heads[h];
}

/* ---- what a tile needs besides ---- */

/* Multiplications of scales of rows in one go, and of all of a tile: beyond that all threads are
 * the better place. */
static const double SCALES_AT_ONCE = 4e6;
static const double MOST_SCALES = 2e9;

static double scales_cost(const TileTask *task)
{
    return (double)task->n_hidden * (task->key->row1 - task->key->row0) *
           count_heads(task->source) * trace_info(task->trace)->head_dim;
}

static void forget_extra(GpuTiles *g)
{
    for (int32_t h = 0; g->extra.rows && h < g->extra.n_heads; h++) {
        mem_free(g->extra.rows[h]);
    }
    mem_free(g->extra.rows);
    mem_free(g->extra.row_scales);
    mem_free(g->extra.hidden);
    memset(&g->extra, 0, sizeof g->extra);
}

static bool begin_extra(GpuTiles *g, const TileTask *task)
{
    const TileKey *key = task->key;
    const TraceToken *keys = trace_key_tokens(task->trace, NULL);
    size_t n_rows = (size_t)(key->row1 - key->row0);
    size_t n_cols = (size_t)(key->col1 - key->col0);
    forget_extra(g);
    g->extra.id = task->id;
    g->extra.n_heads = count_heads(task->source);
    size_t n_heads = (size_t)g->extra.n_heads;
    g->extra.rows = (EvalRow **)mem_alloc_zeroed(n_heads, sizeof *g->extra.rows, NULL);
    if (!g->extra.rows || !weight_source_filters(task->source)) {
        return g->extra.rows;
    }
    g->extra.row_scales = mem_alloc(n_heads * n_rows * sizeof *g->extra.row_scales, NULL);
    g->extra.hidden = mem_alloc_zeroed((n_cols + 31) / 32, sizeof *g->extra.hidden, NULL);
    bool ok = g->extra.row_scales && g->extra.hidden;
    for (size_t j = 0; ok && j < n_cols; j++) {
        bool hides = weight_source_hides(task->source, keys, key->col0 + (int32_t)j);
        g->extra.hidden[j / 32] |= (uint32_t)hides << j % 32;
    }
    return ok;
}

/* The next scales, of one head. */
static bool add_scales(GpuTiles *g, const TileTask *task)
{
    size_t n_rows = (size_t)(task->key->row1 - task->key->row0);
    double row_cost = (double)AS_MAX(task->n_hidden, 1) * trace_info(task->trace)->head_dim;
    HeadRef at = head_at(task, (int32_t)(g->extra.n_scales / n_rows));
    size_t done = g->extra.n_scales % n_rows;
    size_t n = AS_MIN((size_t)AS_MAX(SCALES_AT_ONCE / row_cost, 1), n_rows - done);
    int32_t row0 = task->key->row0 + (int32_t)done;
    float *scales = g->extra.row_scales + g->extra.n_scales;
    g->extra.n_scales += n;
    return weight_source_row_scales(task->trace, task->source, at.layer, at.head, row0,
                                    row0 + (int32_t)n, scales, NULL);
}

/* Until `deadline`, at least one step. TILE_DONE: all is there. */
static TileStep make_extra(GpuTiles *g, const TileTask *task, const EvalHead *heads,
                           double deadline)
{
    if (g->extra.id != task->id && !begin_extra(g, task)) {
        return TILE_PASS;
    }
    for (int32_t h = 0; h < g->extra.n_heads; h++) {
        EvalRow **rows = &g->extra.rows[h];
        if (evaluator_holds(g->evaluator, heads[h].rows.key)) {
            mem_free(*rows);
            *rows = NULL;
            continue;
        }
        if (*rows) {
            continue;
        }
        *rows = make_rows(task->trace, head_at(task, h));
        if (!*rows) {
            return TILE_PASS;
        }
        if (clock_now_s() >= deadline) {
            return TILE_MORE;
        }
    }
    size_t n_scales = g->extra.row_scales
                          ? (size_t)g->extra.n_heads * (size_t)(task->key->row1 - task->key->row0)
                          : 0;
    while (g->extra.n_scales < n_scales) {
        if (!add_scales(g, task)) {
            return TILE_PASS;
        }
        if (clock_now_s() >= deadline) {
            return TILE_MORE;
        }
    }
    g->extra.done = true;
    return TILE_DONE;
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

static TileStep evaluate(GpuTiles *g, const TileTask *task, const EvalHead *heads, double seconds)
{
    const TileKey *key = task->key;
    const WeightSource *source = task->source;
    Error err = {0};
    EvalTile tile = {.id = task->id,
                     .heads = heads,
                     .n_heads = g->extra.n_heads,
                     .dim = trace_info(task->trace)->head_dim,
                     .halves = trace_info(task->trace)->params.dtype != TRACE_F32,
                     .mean_heads = source->combine == COMBINE_MEAN,
                     .mean = source->mean,
                     .row0 = key->row0,
                     .row1 = key->row1,
                     .col0 = key->col0,
                     .col1 = key->col1,
                     .side = key->factor,
                     .row_scales = g->extra.row_scales,
                     .hidden = g->extra.hidden};
    EvalStatus status = evaluator_run(g->evaluator, &tile, seconds, task->values, &err);
    if (status == EVAL_FAILED) {
        give_up(g, &err);
        return TILE_PASS;
    }
    return status == EVAL_DONE ? TILE_DONE : TILE_MORE;
}

/* Of all heads; NULL where they are not the card's. Owned. */
static EvalHead *describe(const GpuTiles *g, const TileTask *task)
{
    int32_t n = count_heads(task->source);
    EvalHead *heads = g->evaluator ? mem_alloc_zeroed((size_t)n, sizeof *heads, NULL) : NULL;
    bool ok = heads;
    size_t n_bytes = 0;
    for (int32_t h = 0; ok && h < n; h++) {
        ok = describe_head(task, head_at(task, h), &heads[h]);
        n_bytes += bytes_of(&heads[h]);
    }
    if (!ok || !evaluator_fits(g->evaluator, n_bytes)) {
        mem_free(heads);
        return NULL;
    }
    return heads;
}

static bool takes(void *payload, const TileTask *task)
{
    const GpuTiles *g = payload;
    EvalHead *heads = scales_cost(task) <= MOST_SCALES ? describe(g, task) : NULL;
    mem_free(heads);
    return heads;
}

static TileStep compute(void *payload, const TileTask *task)
{
    GpuTiles *g = payload;
    double deadline = clock_now_s() + task->seconds;
    EvalHead *heads = describe(g, task);
    TileStep step = heads ? make_extra(g, task, heads, deadline) : TILE_PASS;
    for (int32_t h = 0; step == TILE_DONE && h < g->extra.n_heads; h++) {
        heads[h].rows.data = g->extra.rows[h];
    }
    if (step == TILE_DONE) {
        step = evaluate(g, task, heads, AS_MAX(deadline - clock_now_s(), 0));
    }
    if (step != TILE_MORE) {
        forget_extra(g);
    }
    mem_free(heads);
    return step;
}

static double fraction(void *payload)
{
    const GpuTiles *g = payload;
    return g->evaluator && g->extra.done ? evaluator_fraction(g->evaluator) : 0;
}

/* ---- opening ---- */

enum { GPU_AUTO, GPU_ON, GPU_OFF };

bool gpu_tiles_wanted(const App *app)
{
    return app_option(app, OPTION_GPU_TILES_ID)->integer != GPU_OFF;
}

Evaluator *gpu_tiles_choose(const App *app, Gfx *gfx, size_t budget_bytes,
                            char name[GPU_TILES_NAME], const Log *log)
{
    const OptionValue *wish = app_option(app, OPTION_GPU_TILES_ID);
    Error err = {0};
    if (wish->integer == GPU_OFF) {
        snprintf(name, GPU_TILES_NAME, "on the processor (--gpu-tiles off)");
        return NULL;
    }
    if (wish->integer == GPU_AUTO && gfx_is_software(gfx)) {
        snprintf(name, GPU_TILES_NAME, "on the processor (%.80s is a software renderer)",
                 gfx_renderer(gfx));
        return NULL;
    }
    Evaluator *evaluator = evaluator_create(&(EvaluatorDesc){.budget_bytes = budget_bytes}, &err);
    if (!evaluator) {
        snprintf(name, GPU_TILES_NAME, "on the processor (%.120s)", err.message);
        if (log) {
            log_write(log, wish->integer == GPU_ON ? LOG_WARNING : LOG_INFO, "tiles %s", name);
        }
        return NULL;
    }
    snprintf(name, GPU_TILES_NAME, "%s",
             gfx_is_software(gfx) ? "by compute shaders, run in software" : "on the GPU");
    return evaluator;
}

void gpu_tiles_open(GpuTiles *g, const App *app, Gfx *gfx, Session *session)
{
    const OptionValue *memory = app_option(app, OPTION_TILE_MEMORY_ID);
    size_t budget = memory->has ? (size_t)AS_MIN(memory->bytes, (uint64_t)SIZE_MAX) : 0;
    *g = (GpuTiles){.log = &app->log};
    session->tiles.budget_bytes = budget;
    g->evaluator = gpu_tiles_choose(app, gfx, budget, g->name, &app->log);
    if (!g->evaluator) {
        return;
    }
    g->device = (TileDevice){
        .compute = compute, .takes = takes, .fraction = fraction, .payload = g, .name = g->name};
    session->tiles.device = &g->device;
    session->tiles.passed.any = false;
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
    forget_extra(g);
}
