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
                         NULL where it is not one head as it is */
    int16_t *owner;   /* [rows, cols] of COMBINE_OWNER: whose weight it is, place in the set */
    uint64_t version; /* unique among all tiles ever made, never 0 */
    uint64_t used;    /* tick of the last use */
} Tile;

typedef struct TileJob TileJob;

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
} TileCache;

/** What the cache needs of its owner. */
typedef struct TileContext {
    TileCache *cache;
    Jobs *jobs;
    Trace *trace;
    const WeightSource *source; /* whose id the keys have; NULL = the head as it is */
    void (*wake)(void *payload);
    void *wake_payload;
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
 * for each with tiles_find. False while tiles are on their way; failures too, with *err.
 */
AS_MUST_CHECK bool tiles_want(const TileContext *context, const TileKey *keys, size_t n,
                              Error *err);
/** The best there is right now for a key without computing: NULL or an exact one. */
const Tile *tiles_find(TileCache *cache, const TileKey *key);
/** The i-th tile that is held, NULL past the last: what may stand in for one on its way. */
const Tile *tiles_held(const TileCache *cache, size_t i);
/** Forgets tiles of other traces; stops the job. */
void tiles_clear(TileCache *cache, Jobs *jobs);
void tiles_free(TileCache *cache);
