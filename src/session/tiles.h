#pragma once
/*
 * Tiles of exact weights, computed when they come into view: small ones at once, large ones by a
 * job, kept by what they show until the budget is used up. Main thread only.
 */
#include "base/jobs.h"
#include "session/head_set.h"
#include "trace/trace.h"

/** What a tile shows. Two equal keys have equal values. */
typedef struct TileKey {
    uint64_t trace_version;
    uint64_t source; /* weight_source_id; 0 = the head as it is */
    int32_t layer, head;
    int32_t row0, row1, col0, col1;
    int32_t factor; /* weights a side under one value, their maximum; 1 = every weight */
} TileKey;

/** values [rows, cols], -INFINITY where the mask hides every key under it. */
typedef struct Tile {
    TileKey key;
    int32_t rows, cols;
    float *values;
    float *row_max;   /* [rows] largest visible value of the whole row (block of rows) of the head;
                         NULL where it is not known */
    int16_t *owner;   /* [rows, cols] of COMBINE_OWNER: whose weight it is, place in the set */
    uint64_t version; /* unique among all tiles ever made, never 0 */
    uint64_t used;    /* tick of the last use */
} Tile;

typedef struct TileJob TileJob;

typedef enum TileStep {
    TILE_PASS = 0, /* not here: the processor's threads are asked */
    TILE_MORE,     /* time is up: call again in the next frame */
    TILE_DONE,
} TileStep;

/** A tile that is asked of a device. */
typedef struct TileTask {
    const Trace *trace;
    const WeightSource *source; /* never COMBINE_OWNER */
    const TileKey *key;
    uint64_t id;   /* of the tile: the same until it is done or another one is asked for */
    float *values; /* [rows, cols]; -INFINITY where nothing is seen. by_row is left to the caller */
    double seconds;   /* about how long the call may take */
    int32_t n_hidden; /* weight_source_count_hidden */
} TileTask;

/** Something besides the processor's threads that computes tiles on the main thread, a bit in each
 *  frame: a graphics card. */
typedef struct TileDevice {
    TileStep (*compute)(void *payload, const TileTask *task);
    /* Would it do this one (id, values and seconds are 0)? Cheap: asked in every frame. NULL = all
     */
    bool (*takes)(void *payload, const TileTask *task);
    double (*fraction)(void *payload); /* how far the last one is, 0..1 */
    void *payload;
    const char *name; /* where tiles are computed, for people: "on the GPU" */
} TileDevice;

typedef struct TileCache {
    ARRAY_OF(Tile) tiles;
    size_t held_bytes;
    size_t budget_bytes;      /* 0 = 256 MiB */
    ARRAY_OF(TileKey) wanted; /* of tiles_want, most important first */
    WeightSource wanted_source;
    uint64_t tick, last_version;
    TileJob *job; /* the one on its way */
    uint64_t job_id;
    TileKey failed; /* the last one that a job could not make … */
    Error failure;  /* … and why; not tried again while it is asked for */

    const TileDevice *device; /* borrowed; NULL = none */
    Tile device_tile;         /* the one on its way there */
    uint64_t device_id;
    struct {
        bool any;
        uint64_t trace_version, source;
    } passed; /* what it failed at though it takes it: not asked again */
    struct {
        uint64_t trace_version, source;
        int32_t n;
    } hidden;            /* weight_source_count_hidden of those */
    bool device_pending; /* tiles_want waits for it: the next frame goes on */
} TileCache;

/** What the cache needs of its owner. */
typedef struct TileContext {
    TileCache *cache;
    Jobs *jobs;
    Trace *trace;
    const WeightSource *source; /* whose id the keys have; NULL = the head as it is */
    const float *row_max; /* [N] for source.by_row of what is not one head as it is: the largest
                             value of each row that a key covers; else NULL */
} TileContext;

/**
 * The tile of a key, or NULL while a job computes it (the newest request wins; what was asked
 * before and is not needed any more is cancelled). Borrowed until the next call, its values until
 * the budget needs their place, the oldest first. Tiles that cost less than some ten milliseconds
 * are computed in the call. Failures give NULL and *err.
 */
const Tile *tiles_get(const TileContext *context, const TileKey *key, Error *err);
/**
 * What is in view, most important first: what is not there yet is computed, some in the call, the
 * rest by one job after the other; what was wanted before and is not any more is cancelled. Ask
 * for each with tiles_find. False while tiles are on their way; failures too, with *err. A device
 * goes first: it gets some milliseconds of each call, so ask in every frame while device_pending.
 */
AS_MUST_CHECK bool tiles_want(const TileContext *context, const TileKey *keys, size_t n,
                              Error *err);
/** Before the views of a frame: what no view asked for in the last one is not waited for on the
 *  device any more. */
void tiles_begin_frame(TileCache *cache);
/** Does the device compute tiles like this one? Ask before wishing for what only it can do. */
bool tiles_device_takes(const TileContext *context, const TileKey *key);
/** Is a tile on its way on the device? What it is, and how far (0..1). */
bool tiles_on_device(const TileCache *cache, const char **what, double *fraction);
/** The best there is right now for a key without computing: NULL or an exact one. */
const Tile *tiles_find(TileCache *cache, const TileKey *key);
/** The i-th tile that is held, NULL past the last: what may stand in for one on its way. */
const Tile *tiles_held(const TileCache *cache, size_t i);
/** Forgets tiles of other traces; stops the job. */
void tiles_clear(TileCache *cache, Jobs *jobs);
void tiles_free(TileCache *cache);
