#include "session/tiles.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

/* Multiplications that a call may do itself: some 10 ms on one slow core. */
static const double AT_ONCE = 48e6;
static const size_t DEFAULT_BUDGET = 256u << 20;
/* What a device may take of a frame. */
static const double DEVICE_S = 8e-3;
static const WeightSource plain_source = {0};

struct TileJob {
    TileCache *cache;    /* NULL once nobody waits for it */
    TileContext context; /* trace retained; source is `source` */
    WeightSource source;
    float *row_max; /* of the tile's rows, owned; may be NULL */
    Tile tile;
};

static bool same_key(const TileKey *a, const TileKey *b)
{
    return a->trace_version == b->trace_version && a->source == b->source && a->layer == b->layer &&
           a->head == b->head && a->row0 == b->row0 && a->row1 == b->row1 && a->col0 == b->col0 &&
           a->col1 == b->col1 && a->factor == b->factor;
}

static int32_t blocks(int32_t n, int32_t factor)
{
    return (n + factor - 1) / factor;
}

/* A value is masked when no query under it sees any key under it. */
static void hide_masked(const Trace *trace, const TileKey *key, Tile *tile)
{
    for (int32_t r = 0; r < tile->rows; r++) {
        int32_t first = INT32_MAX;
        int32_t end = 0;
        int32_t row_end = AS_MIN(key->row0 + (r + 1) * key->factor, key->row1);
        for (int32_t i = key->row0 + r * key->factor; i < row_end; i++) {
            int32_t f;
            int32_t e;
            trace_visible_keys(trace, key->layer, i, &f, &e);
            if (f < e) {
                first = AS_MIN(first, f);
                end = AS_MAX(end, e);
            }
        }
        float *row = tile->values + (size_t)r * (size_t)tile->cols;
        for (int32_t c = 0; c < tile->cols; c++) {
            int32_t j = key->col0 + c * key->factor;
            if (j >= end || AS_MIN(j + key->factor, key->col1) <= first) {
                row[c] = -INFINITY;
            }
        }
    }
}

static void free_tile(Tile *tile)
{
    mem_free(tile->values);
    mem_free(tile->row_max);
    mem_free(tile->owner);
    *tile = (Tile){0};
}

static size_t tile_bytes(const Tile *tile)
{
    size_t n = (size_t)tile->rows * (size_t)tile->cols;
    return n * sizeof(float) + (tile->owner ? n * sizeof *tile->owner : 0) +
           (tile->row_max ? (size_t)tile->rows * sizeof(float) : 0);
}

/* The values under each, reduced from a strip of `factor` rows. */
static void reduce_strip(const float *strip, const int16_t *owner, int32_t rows, int32_t cols,
                         const TileKey *key, bool mean, float *out, int16_t *out_owner)
{
    for (int32_t c = 0; c * key->factor < cols; c++) {
        int32_t end = AS_MIN((c + 1) * key->factor, cols);
        float most = -INFINITY;
        double sum = 0;
        for (int32_t r = 0; r < rows; r++) {
            for (int32_t j = c * key->factor; j < end; j++) {
                size_t at = (size_t)r * (size_t)cols + (size_t)j;
                sum += isinf(strip[at]) ? 0 : (double)strip[at];
                if (strip[at] > most) {
                    most = strip[at];
                    if (out_owner) {
                        out_owner[c] = owner[at];
                    }
                }
            }
        }
        /* As in summaries: over the whole area, what is not there counts as 0. */
        double area = (double)rows * (end - c * key->factor);
        out[c] = mean && !isinf(most) ? (float)(sum / area) : most;
    }
}

/* Columns of the parts in which rows of weights are read. */
static int32_t strip_width(const TileKey *key)
{
    enum { PART = 1 << 18 };
    int32_t rows = AS_MIN(key->factor, key->row1 - key->row0);
    int32_t width = AS_MAX(PART / rows / key->factor, 1) * key->factor;
    return AS_MIN(width, key->col1 - key->col0);
}

/* One row of values: `factor` rows of weights, in parts that fit. */
static bool mix_row(const Trace *trace, const WeightSource *source, Tile *tile, int32_t r,
                    Error *err)
{
    const TileKey *key = &tile->key;
    int32_t row0 = key->row0 + r * key->factor;
    int32_t row1 = AS_MIN(row0 + key->factor, key->row1);
    int32_t width = strip_width(key);
    size_t n = (size_t)(row1 - row0) * (size_t)width;
    float *strip = mem_alloc(n * sizeof *strip, err);
    int16_t *owner = tile->owner ? mem_alloc_zeroed(n, sizeof *owner, err) : NULL;
    bool ok = strip && (owner || !tile->owner);
    for (int32_t col0 = key->col0; ok && col0 < key->col1; col0 += width) {
        int32_t col1 = AS_MIN(col0 + width, key->col1);
        TraceRegion region = {key->layer, key->head, row0, row1, col0, col1};
        ok = weight_source_read(trace, source, &region, strip, owner, err);
        size_t at = (size_t)r * (size_t)tile->cols + (size_t)((col0 - key->col0) / key->factor);
        if (ok) {
            reduce_strip(strip, owner, row1 - row0, col1 - col0, key, source->mean,
                         tile->values + at, tile->owner ? tile->owner + at : NULL);
        }
    }
    mem_free(strip);
    mem_free(owner);
    return ok;
}

/* Several heads, or some keys left out: every weight is read, row after row on all cores. */
static bool compute_mixed(const Trace *trace, const WeightSource *source, Tile *tile,
                          JobControl *control, Error *err)
{
    atomic_int failed = 0;
    Error first = {0};
#pragma omp parallel for schedule(dynamic, 4)
    for (int32_t r = 0; r < tile->rows; r++) {
        Error own = {0};
        if (atomic_load(&failed)) {
            continue;
        }
        if (control && atomic_load(&control->cancel)) {
            (void)error_set(&own, ERR_CANCELLED, "cancelled");
        }
        if ((own.code || !mix_row(trace, source, tile, r, &own)) && !atomic_fetch_add(&failed, 1)) {
            first = own;
        }
    }
    if (atomic_load(&failed) && err) {
        *err = first;
    }
    return !atomic_load(&failed);
}

/* The largest of every row (of the rows under each value), over all keys. `of_row` are the rows
 * from the tile's first on. */
static bool keep_row_max(const float *of_row, Tile *tile, Error *err)
{
    const TileKey *key = &tile->key;
    tile->row_max = mem_alloc((size_t)tile->rows * sizeof(float), err);
    for (int32_t r = 0; tile->row_max && r < tile->rows; r++) {
        float largest = 0;
        int32_t row_end = AS_MIN((r + 1) * key->factor, key->row1 - key->row0);
        for (int32_t i = r * key->factor; i < row_end; i++) {
            largest = fmaxf(largest, of_row[i]);
        }
        tile->row_max[r] = largest;
    }
    return tile->row_max;
}

/* What is not in the numbers: what nobody sees, and rows divided. row_max of the tile's rows may be
 * NULL. */
static bool finish(const Trace *trace, const WeightSource *source, const float *row_max, Tile *tile,
                   Error *err)
{
    if (weight_source_is_plain(source)) {
        TraceRows rows;
        hide_masked(trace, &tile->key, tile);
        if (!trace_rows(trace, tile->key.layer, tile->key.head, &rows)) {
            return error_set(err, ERR_RANGE, "layer %d is not computed yet", tile->key.layer);
        }
        row_max = rows.max_weight + tile->key.row0;
    }
    if (row_max && !keep_row_max(row_max, tile, err)) {
        return false;
    }
    for (int32_t r = 0; source->by_row && row_max && r < tile->rows; r++) {
        float *row = tile->values + (size_t)r * (size_t)tile->cols;
        for (int32_t c = 0; c < tile->cols; c++) {
            row[c] = tile->row_max[r] > 0 ? row[c] / tile->row_max[r] : row[c];
        }
    }
    return true;
}

static bool compute_plain(const Trace *trace, const WeightSource *source, Tile *tile,
                          JobControl *control, Error *err)
{
    const TileKey *key = &tile->key;
    TraceRegion region = {key->layer, key->head, key->row0, key->row1, key->col0, key->col1};
    return key->factor == 1 ? trace_tile(trace, &region, TRACE_WEIGHTS, tile->values, 0, err)
                            : trace_tile_reduce(trace, &region, key->factor, key->factor,
                                                source->mean ? tile->values : NULL,
                                                source->mean ? NULL : tile->values, control, err);
}

/* Sizes and values of a tile whose key is set. */
static bool make_room(const WeightSource *source, Tile *tile, Error *err)
{
    const TileKey *key = &tile->key;
    tile->rows = blocks(key->row1 - key->row0, key->factor);
    tile->cols = blocks(key->col1 - key->col0, key->factor);
    size_t n;
    if (tile->rows < 1 || tile->cols < 1 ||
        !checked_mul((size_t)tile->rows, (size_t)tile->cols, &n) || n > SIZE_MAX / sizeof(float)) {
        return error_set(err, ERR_RANGE, "a tile of %d x %d values cannot be made", tile->rows,
                         tile->cols);
    }
    tile->values = mem_alloc(n * sizeof(float), err);
    if (tile->values && source->combine == COMBINE_OWNER) {
        tile->owner = mem_alloc_zeroed(n, sizeof *tile->owner, err);
    }
    return tile->values && (tile->owner || source->combine != COMBINE_OWNER);
}

/* Fills a tile whose key is set; row_max of its rows may be NULL. Any thread. */
static bool compute(const Trace *trace, const WeightSource *source, const float *row_max,
                    Tile *tile, JobControl *control, Error *err)
{
    return make_room(source, tile, err) &&
           (weight_source_is_plain(source) ? compute_plain(trace, source, tile, control, err)
                                           : compute_mixed(trace, source, tile, control, err)) &&
           finish(trace, source, row_max, tile, err);
}

static void drop_oldest(TileCache *cache)
{
    size_t oldest = 0;
    for (size_t i = 1; i < cache->tiles.n; i++) {
        if (cache->tiles.items[i].used < cache->tiles.items[oldest].used) {
            oldest = i;
        }
    }
    Tile *tile = &cache->tiles.items[oldest];
    cache->held_bytes -= tile_bytes(tile);
    free_tile(tile);
    *tile = cache->tiles.items[--cache->tiles.n];
}

/* Takes the values over. */
static const Tile *keep(TileCache *cache, Tile *tile, Error *err)
{
    size_t budget = cache->budget_bytes ? cache->budget_bytes : DEFAULT_BUDGET;
    while (cache->tiles.n && cache->held_bytes + tile_bytes(tile) > budget) {
        drop_oldest(cache);
    }
    tile->version = ++cache->last_version;
    tile->used = ++cache->tick;
    if (!ARRAY_PUSH(&cache->tiles, *tile, err)) {
        free_tile(tile);
        return NULL;
    }
    cache->held_bytes += tile_bytes(tile);
    return &cache->tiles.items[cache->tiles.n - 1];
}

const Tile *tiles_find(TileCache *cache, const TileKey *key)
{
    for (size_t i = 0; i < cache->tiles.n; i++) {
        Tile *tile = &cache->tiles.items[i];
        if (same_key(&tile->key, key)) {
            tile->used = ++cache->tick;
            return tile;
        }
    }
    return NULL;
}

static const Tile *start_job(const TileContext *context, const TileKey *key, Error *err);

static bool is_failed(const TileCache *cache, const TileKey *key)
{
    return cache->failure.code && same_key(key, &cache->failed);
}

/* The first of what is wanted that is not there. */
static const TileKey *next_wanted(TileCache *cache)
{
    for (size_t i = 0; i < cache->wanted.n; i++) {
        const TileKey *key = &cache->wanted.items[i];
        if (!tiles_find(cache, key) && !is_failed(cache, key)) {
            return key;
        }
    }
    return NULL;
}

static const char *stage_of(const TileKey *key)
{
    return key->factor > 32 ? "the summary, refined to the screen"
                            : "exact weights of what is in view";
}

static bool job_run(void *payload, JobControl *control, Error *err)
{
    TileJob *job = payload;
    atomic_store(&control->stage, stage_of(&job->tile.key));
    return compute(job->context.trace, &job->source, job->row_max, &job->tile, control, err);
}

static void job_done(void *payload, bool ok, const Error *err)
{
    TileJob *job = payload;
    TileCache *cache = job->cache;
    if (cache) {
        if (!ok && err->code != ERR_CANCELLED) {
            cache->failed = job->tile.key;
            cache->failure = *err;
        }
        cache->job = NULL;
        cache->job_id = 0;
    }
    if (!ok || !cache || !keep(cache, &job->tile, NULL)) {
        free_tile(&job->tile);
    } else {
        /* Rows that others are divided by are the caller's: it asks again. */
        const TileKey *next = job->row_max ? NULL : next_wanted(cache);
        TileKey key = next ? *next : (TileKey){0};
        TileContext context = job->context;
        context.source = &cache->wanted_source;
        if (next) {
            (void)start_job(&context, &key, NULL);
        }
    }
    trace_close(job->context.trace);
    mem_free(job->row_max);
    mem_free(job);
}

static void stop_job(TileCache *cache, Jobs *jobs)
{
    if (cache->job) {
        cache->job->cache = NULL;
        jobs_cancel(jobs, cache->job_id);
        cache->job = NULL;
        cache->job_id = 0;
    }
}

static const Tile *start_job(const TileContext *context, const TileKey *key, Error *err)
{
    TileCache *cache = context->cache;
    if (cache->job && same_key(&cache->job->tile.key, key)) {
        return NULL;
    }
    stop_job(cache, context->jobs);
    TileJob *job = mem_alloc_zeroed(1, sizeof *job, err);
    if (!job) {
        return NULL;
    }
    if (context->row_max) {
        size_t n_bytes = (size_t)(key->row1 - key->row0) * sizeof(float);
        job->row_max = mem_alloc(n_bytes, err);
        if (!job->row_max) {
            mem_free(job);
            return NULL;
        }
        memcpy(job->row_max, context->row_max + key->row0, n_bytes);
    }
    job->cache = cache;
    job->context = *context;
    job->context.trace = trace_retain(context->trace);
    job->source = context->source ? *context->source : (WeightSource){0};
    job->context.source = NULL;
    job->context.row_max = NULL;
    job->tile.key = *key;
    JobDesc desc = {
        .title = "sharpening", .run = job_run, .done = job_done, .payload = job, .lane = JOB_SHORT};
    cache->job_id = jobs_submit(context->jobs, &desc, err);
    if (!cache->job_id) {
        trace_close(job->context.trace);
        mem_free(job->row_max);
        mem_free(job);
        return NULL;
    }
    cache->job = job;
    return NULL;
}

static int32_t count_hidden(const TileContext *context, const TileKey *key)
{
    TileCache *cache = context->cache;
    if (!context->source || !weight_source_filters(context->source)) {
        return 0;
    }
    if (cache->hidden.trace_version != key->trace_version || cache->hidden.source != key->source) {
        cache->hidden.trace_version = key->trace_version;
        cache->hidden.source = key->source;
        cache->hidden.n = weight_source_count_hidden(context->trace, context->source);
    }
    return cache->hidden.n;
}

/* The weights of hidden keys are read with every part of a row. */
static double cost_of(const TileContext *context, const TileKey *key)
{
    const WeightSource *s = context->source;
    double n_heads = s && s->combine != COMBINE_ONE ? s->set.n : 1;
    double cols = key->col1 - key->col0;
    double hidden = count_hidden(context, key) * ceil(cols / strip_width(key));
    return (double)(key->row1 - key->row0) * (cols + hidden) * n_heads *
           trace_info(context->trace)->head_dim;
}

static const float *rows_of(const TileContext *context, const TileKey *key)
{
    return context->row_max ? context->row_max + key->row0 : NULL;
}

static const Tile *compute_now(const TileContext *context, const TileKey *key, Error *err)
{
    Tile tile = {.key = *key};
    const float *row_max = rows_of(context, key);
    const WeightSource *source = context->source ? context->source : &plain_source;
    if (!compute(context->trace, source, row_max, &tile, NULL, err)) {
        free_tile(&tile);
        return NULL;
    }
    return keep(context->cache, &tile, err);
}

const Tile *tiles_get(const TileContext *context, const TileKey *key, Error *err)
{
    const Tile *found = tiles_find(context->cache, key);
    if (found) {
        return found;
    }
    if (is_failed(context->cache, key)) {
        if (err) {
            *err = context->cache->failure;
        }
        return NULL;
    }
    return cost_of(context, key) > AT_ONCE ? start_job(context, key, err)
                                           : compute_now(context, key, err);
}

/* ---- a device ---- */

void tiles_begin_frame(TileCache *cache)
{
    if (!cache->device_pending) {
        free_tile(&cache->device_tile);
    }
    cache->device_pending = false;
}

bool tiles_on_device(const TileCache *cache, const char **what, double *fraction)
{
    if (!cache->device || !cache->device_pending || !cache->device_tile.values) {
        return false;
    }
    *what = stage_of(&cache->device_tile.key);
    *fraction = cache->device->fraction(cache->device->payload);
    return true;
}

static TileTask task_of(const TileContext *context, const TileKey *key)
{
    return (TileTask){.trace = context->trace,
                      .source = context->source ? context->source : &plain_source,
                      .key = key,
                      .n_hidden = count_hidden(context, key)};
}

bool tiles_device_takes(const TileContext *context, const TileKey *key)
{
    const TileCache *cache = context->cache;
    const TileDevice *device = cache->device;
    bool passed = cache->passed.any && cache->passed.trace_version == key->trace_version &&
                  cache->passed.source == key->source;
    if (!device || passed || (context->source && context->source->combine == COMBINE_OWNER)) {
        return false;
    }
    TileTask task = task_of(context, key);
    return !device->takes || device->takes(device->payload, &task);
}

static bool finish_device_tile(const TileContext *context, const WeightSource *source, Error *err)
{
    TileCache *cache = context->cache;
    Tile tile = cache->device_tile;
    cache->device_tile = (Tile){0};
    size_t n = (size_t)tile.rows * (size_t)tile.cols;
    for (size_t i = 0; weight_source_is_plain(source) && i < n; i++) {
        tile.values[i] = isinf(tile.values[i]) ? 0 : tile.values[i];
    }
    if (!finish(context->trace, source, rows_of(context, &tile.key), &tile, err)) {
        free_tile(&tile);
        return false;
    }
    return keep(cache, &tile, err);
}

/* TILE_DONE: it is in the cache. An error passes it on to the threads, who tell of theirs. */
static TileStep step_on_device(const TileContext *context, const TileKey *key, double seconds)
{
    TileCache *cache = context->cache;
    Tile *tile = &cache->device_tile;
    TileTask task = task_of(context, key);
    TileStep step = TILE_PASS;
    if (!tile->values || !same_key(&tile->key, key)) {
        free_tile(tile);
        tile->key = *key;
        cache->device_id++;
    }
    if (tile->values || make_room(task.source, tile, NULL)) {
        task.id = cache->device_id;
        task.values = tile->values;
        task.seconds = seconds;
        step = cache->device->compute(cache->device->payload, &task);
    }
    if (step == TILE_DONE && !finish_device_tile(context, task.source, NULL)) {
        step = TILE_PASS;
    }
    if (step == TILE_PASS) {
        free_tile(tile);
        cache->passed.any = true;
        cache->passed.trace_version = key->trace_version;
        cache->passed.source = key->source;
    }
    return step;
}

/* Does the device do this one? *left_s: what the frame still gives it. */
static TileStep try_device(const TileContext *context, const TileKey *key, double *left_s)
{
    TileCache *cache = context->cache;
    if (!tiles_device_takes(context, key)) {
        return TILE_PASS;
    }
    if (*left_s <= 0) {
        cache->device_pending = true;
        return TILE_MORE;
    }
    double start = clock_now_s();
    TileStep step = step_on_device(context, key, *left_s);
    *left_s = step == TILE_MORE ? 0 : *left_s - (clock_now_s() - start);
    cache->device_pending |= step == TILE_MORE;
    return step;
}

/* What is on its way there goes on before anything new begins. */
static void go_on(const TileContext *context, const TileKey *keys, size_t n, double *left_s)
{
    TileCache *cache = context->cache;
    for (size_t i = 0; cache->device_tile.values && i < n; i++) {
        if (same_key(&keys[i], &cache->device_tile.key)) {
            (void)try_device(context, &keys[i], left_s);
            return;
        }
    }
    free_tile(&cache->device_tile);
}

/* ---- what is in view ---- */

bool tiles_want(const TileContext *context, const TileKey *keys, size_t n, Error *err)
{
    TileCache *cache = context->cache;
    double spent = 0;
    double left_s = DEVICE_S;
    bool running = false;
    bool all = true;
    cache->wanted.n = 0;
    cache->wanted_source = context->source ? *context->source : (WeightSource){0};
    cache->device_pending = false;
    go_on(context, keys, n, &left_s);
    for (size_t i = 0; i < n; i++) {
        double cost = cost_of(context, &keys[i]);
        if (tiles_find(cache, &keys[i])) {
            continue;
        }
        if (is_failed(cache, &keys[i])) {
            if (err) {
                *err = cache->failure;
            }
            return false;
        }
        TileStep step = try_device(context, &keys[i], &left_s);
        if (step != TILE_PASS) {
            all = all && step == TILE_DONE;
            continue;
        }
        running |= cache->job && same_key(&cache->job->tile.key, &keys[i]);
        if (spent + cost <= AT_ONCE) {
            spent += cost;
            if (!compute_now(context, &keys[i], err)) {
                return false;
            }
        } else {
            all = false;
            if (!ARRAY_PUSH(&cache->wanted, keys[i], err)) {
                return false;
            }
        }
    }
    /* A tile on its way that is still wanted is let finish: panning must not starve it. */
    const TileKey *next = running ? NULL : next_wanted(cache);
    if (next) {
        TileKey key = *next;
        (void)start_job(context, &key, err);
    }
    return all;
}

const Tile *tiles_held(const TileCache *cache, size_t i)
{
    return i < cache->tiles.n ? &cache->tiles.items[i] : NULL;
}

void tiles_clear(TileCache *cache, Jobs *jobs)
{
    stop_job(cache, jobs);
    free_tile(&cache->device_tile);
    cache->device_pending = false;
    cache->wanted.n = 0;
    while (cache->tiles.n) {
        drop_oldest(cache);
    }
}

void tiles_free(TileCache *cache)
{
    for (size_t i = 0; i < cache->tiles.n; i++) {
        free_tile(&cache->tiles.items[i]);
    }
    free_tile(&cache->device_tile);
    ARRAY_FREE(&cache->tiles);
    ARRAY_FREE(&cache->wanted);
    cache->held_bytes = 0;
}
