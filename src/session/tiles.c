#include "session/tiles.h"

#include <math.h>
#include <string.h>

/* Multiplications that a call may do itself: some 10 ms on one slow core. */
static const double AT_ONCE = 48e6;
static const size_t DEFAULT_BUDGET = 256u << 20;

struct TileJob {
    TileCache *cache; /* NULL once nobody waits for it */
    Trace *trace;     /* retained */
    Tile tile;
};

static bool same_key(const TileKey *a, const TileKey *b)
{
    return a->trace_version == b->trace_version && a->layer == b->layer && a->head == b->head &&
           a->row0 == b->row0 && a->row1 == b->row1 && a->col0 == b->col0 && a->col1 == b->col1 &&
           a->factor == b->factor;
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
    *tile = (Tile){0};
}

static size_t tile_bytes(const Tile *tile)
{
    return ((size_t)tile->rows * (size_t)tile->cols + (size_t)tile->rows) * sizeof(float);
}

/* Fills a tile whose key is set. Any thread. */
static bool compute(const Trace *trace, Tile *tile, JobControl *control, Error *err)
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
    tile->row_max = mem_alloc((size_t)tile->rows * sizeof(float), err);
    if (!tile->values || !tile->row_max) {
        return false;
    }
    TraceRegion region = {key->layer, key->head, key->row0, key->row1, key->col0, key->col1};
    bool ok = key->factor == 1 ? trace_tile(trace, &region, TRACE_WEIGHTS, tile->values, 0, err)
                               : trace_tile_reduce(trace, &region, key->factor, key->factor, NULL,
                                                   tile->values, control, err);
    TraceRows rows;
    if (!ok || !trace_rows(trace, key->layer, key->head, &rows)) {
        return ok ? error_set(err, ERR_RANGE, "layer %d is not computed yet", key->layer) : false;
    }
    for (int32_t r = 0; r < tile->rows; r++) {
        float largest = 0;
        int32_t row_end = AS_MIN(key->row0 + (r + 1) * key->factor, key->row1);
        for (int32_t i = key->row0 + r * key->factor; i < row_end; i++) {
            largest = fmaxf(largest, rows.max_weight[i]);
        }
        tile->row_max[r] = largest;
    }
    hide_masked(trace, key, tile);
    return true;
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

static bool job_run(void *payload, JobControl *control, Error *err)
{
    TileJob *job = payload;
    atomic_store(&control->stage, "exact weights of what is in view");
    return compute(job->trace, &job->tile, control, err);
}

static void job_done(void *payload, bool ok, const Error *err)
{
    TileJob *job = payload;
    if (job->cache) {
        if (!ok && err->code != ERR_CANCELLED) {
            job->cache->failed = job->tile.key;
            job->cache->failure = *err;
        }
        job->cache->job = NULL;
        job->cache->job_id = 0;
    }
    if (!ok || !job->cache || !keep(job->cache, &job->tile, NULL)) {
        free_tile(&job->tile);
    }
    trace_close(job->trace);
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
    job->cache = cache;
    job->trace = trace_retain(context->trace);
    job->tile.key = *key;
    cache->job_id = jobs_submit(context->jobs,
                                &(JobDesc){.title = "sharpening",
                                           .run = job_run,
                                           .done = job_done,
                                           .payload = job,
                                           .wake = context->wake,
                                           .wake_payload = context->wake_payload},
                                err);
    if (!cache->job_id) {
        trace_close(job->trace);
        mem_free(job);
        return NULL;
    }
    cache->job = job;
    return NULL;
}

const Tile *tiles_get(const TileContext *context, const TileKey *key, Error *err)
{
    const Tile *found = tiles_find(context->cache, key);
    if (found) {
        return found;
    }
    if (context->cache->failure.code && same_key(key, &context->cache->failed)) {
        if (err) {
            *err = context->cache->failure;
        }
        return NULL;
    }
    double cost = (double)(key->row1 - key->row0) * (key->col1 - key->col0) *
                  trace_info(context->trace)->head_dim;
    if (cost > AT_ONCE) {
        return start_job(context, key, err);
    }
    Tile tile = {.key = *key};
    if (!compute(context->trace, &tile, NULL, err)) {
        free_tile(&tile);
        return NULL;
    }
    return keep(context->cache, &tile, err);
}

void tiles_clear(TileCache *cache, Jobs *jobs)
{
    stop_job(cache, jobs);
    while (cache->tiles.n) {
        drop_oldest(cache);
    }
}

void tiles_free(TileCache *cache)
{
    for (size_t i = 0; i < cache->tiles.n; i++) {
        free_tile(&cache->tiles.items[i]);
    }
    ARRAY_FREE(&cache->tiles);
    cache->held_bytes = 0;
}
