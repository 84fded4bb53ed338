#include "session/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What reaches one token, layer by layer backwards. */

enum { STEPS_MOST = 4096, CHUNK_FLOATS = 1 << 20 };
/* A row that has less than this to give to other keys passes everything on. */
static const double LEAST_ROW = 1e-3;
/* Steps of a layer are listed until they carry this share of what flows through it. */
static const double STEPS_SHARE = 0.999;

typedef struct Follower {
    const Trace *trace;
    FlowPaths *paths;
    TraceHead *heads; /* [n_heads] of the layer being read */
    size_t n_heads;
    float *row; /* [chunk_most][M] rows chunk_first .. chunk_end */
    int32_t chunk_first, chunk_end, chunk_most;
    float *r; /* [L + 1][N] */
    float *followed;
    const FlowStep **steps;
    int32_t *n_steps;
    double *shown;
    int32_t *next;
    float *best; /* [2][N] of the state above and below, then of the embeddings */
    int32_t *order;
    FlowStep *found; /* [n_found] of the layer */
    size_t n_found, most_found;
} Follower;

static int by_mass(const void *a, const void *b)
{
    const FlowStep *x = a;
    const FlowStep *y = b;
    if (x->mass != y->mass) {
        return x->mass < y->mass ? 1 : -1;
    }
    return x->to != y->to ? (x->to < y->to ? -1 : 1) : (x->from > y->from) - (x->from < y->from);
}

/* The rows through which the most flows, at most FLOW_FOLLOW_MOST, ascending by token. */
static int32_t choose_rows(Follower *f, const float *r)
{
    int32_t n = f->paths->n_tokens;
    float cut = 0;
    int32_t count = 0;
    for (int32_t i = 0; i < n; i++) {
        count += r[i] > 0;
    }
    /* Halving the interval of the least mass: exact enough, as all above it are read. */
    if (count > FLOW_FOLLOW_MOST) {
        float lo = 0;
        float hi = 1;
        for (int k = 0; k < 48; k++) {
            float mid = (lo + hi) / 2;
            int32_t above = 0;
            for (int32_t i = 0; i < n; i++) {
                above += r[i] > mid;
            }
            *(above > FLOW_FOLLOW_MOST ? &lo : &hi) = mid;
        }
        cut = hi;
    }
    count = 0;
    for (int32_t i = 0; i < n; i++) {
        if (r[i] > cut) {
            f->order[count++] = i;
        }
    }
    return count;
}

static void add_step(Follower *f, FlowStep step)
{
    if (f->n_found < f->most_found) {
        f->found[f->n_found++] = step;
    }
}

/* One way on the way down: mass r * share from token j to token i of the state above. */
static void flow_down(Follower *f, int32_t layer, int32_t i, int32_t j, float share, bool residual)
{
    int32_t n = f->paths->n_tokens;
    const float *above = f->r + (size_t)(layer + 1) * (size_t)n;
    float *below = f->r + (size_t)layer * (size_t)n;
    float mass = above[i] * share;
    below[j] += mass;
    const float *best_above = f->best + (size_t)((layer + 1) % 2) * (size_t)n;
    float *best_below = f->best + (size_t)(layer % 2) * (size_t)n;
    float product = best_above[i] * share;
    if (product > best_below[j]) {
        best_below[j] = product;
        f->next[(size_t)layer * (size_t)n + (size_t)j] = i;
    }
    if (mass > 1e-6f) {
        add_step(f, (FlowStep){.from = j, .to = i, .mass = mass, .residual = residual});
    }
}

/* Mean weights of a row into halves that attention carries; what stays. */
static float halve(const Follower *f, int32_t i, float *row)
{
    int32_t m = f->paths->n_tokens;
    double sum = 0;
    if (f->paths->without_first && i > 0) {
        row[0] = 0;
    }
    for (int32_t j = 0; j < m; j++) {
        sum += (double)row[j];
    }
    /* A row that sees nothing (else) passes everything on as it is. */
    if (sum < LEAST_ROW) {
        return 1;
    }
    float scale = (float)(0.5 / (f->paths->without_first ? sum : 1));
    for (int32_t j = 0; j < m; j++) {
        row[j] *= scale;
    }
    return 0.5f;
}

static void one_row(Follower *f, int32_t layer, int32_t i, float *row)
{
    float stays = halve(f, i, row);
    flow_down(f, layer, i, i, stays, true);
    for (int32_t j = 0; j < f->paths->n_tokens && stays < 1; j++) {
        if (row[j] > 0) {
            flow_down(f, layer, i, j, row[j], false);
        }
    }
}

static bool keep_steps(Follower *f, int32_t layer, Error *err)
{
    qsort(f->found, f->n_found, sizeof *f->found, by_mass);
    double sum = 0;
    size_t n = 0;
    while (n < f->n_found && n < STEPS_MOST && sum < STEPS_SHARE) {
        sum += (double)f->found[n++].mass;
    }
    FlowStep *steps = ARENA_ARRAY(&f->paths->arena, FlowStep, n, err);
    if (!steps) {
        return false;
    }
    memcpy(steps, f->found, n * sizeof *steps);
    f->steps[layer] = steps;
    f->n_steps[layer] = (int32_t)n;
    f->shown[layer] = sum;
    return true;
}

/* The mean weights of the rows from `first` on that are near each other. */
static bool read_chunk(Follower *f, int32_t layer, int32_t first, int32_t k, int32_t n_rows,
                       Error *err)
{
    int32_t m = f->paths->n_tokens;
    int32_t end = first + 1;
    /* Rows between two that are wanted are read for nothing: few, or a new chunk begins. */
    for (int32_t next = k + 1; next < n_rows; next++) {
        int32_t row = f->order[next];
        if (row - first >= f->chunk_most || row - end > 3) {
            break;
        }
        end = row + 1;
    }
    for (size_t h = 0; h < f->n_heads; h++) {
        f->heads[h].layer = layer;
    }
    f->chunk_first = first;
    f->chunk_end = end;
    TraceRegion region = {.row0 = first, .row1 = end, .col0 = 0, .col1 = m};
    return trace_tile_heads(f->trace, &region, f->heads, f->n_heads, TRACE_REDUCE_MEAN, f->row, 0,
                            err);
}

static bool one_layer(Follower *f, int32_t layer, JobControl *control, Error *err)
{
    int32_t n = f->paths->n_tokens;
    const float *above = f->r + (size_t)(layer + 1) * (size_t)n;
    float *below = f->r + (size_t)layer * (size_t)n;
    float *best_below = f->best + (size_t)(layer % 2) * (size_t)n;
    memset(best_below, 0, (size_t)n * sizeof *best_below);
    int32_t *next = f->next + (size_t)layer * (size_t)n;
    for (int32_t j = 0; j < n; j++) {
        next[j] = -1;
    }
    int32_t n_rows = choose_rows(f, above);
    f->n_found = 0;
    double followed = 0;
    double all = 0;
    for (int32_t i = 0; i < n; i++) {
        all += (double)above[i];
    }
    for (int32_t k = 0; k < n_rows; k++) {
        int32_t i = f->order[k];
        if (k == 0 || i >= f->chunk_end) {
            if (control && atomic_load(&control->cancel)) {
                return error_set(err, ERR_CANCELLED, "cancelled");
            }
            if (!read_chunk(f, layer, i, k, n_rows, err)) {
                return false;
            }
        }
        followed += (double)above[i];
        one_row(f, layer, i, f->row + (size_t)(i - f->chunk_first) * (size_t)n);
        if (f->n_found + (size_t)n + 1 > f->most_found) { /* keep the strong, make room */
            qsort(f->found, f->n_found, sizeof *f->found, by_mass);
            f->n_found = AS_MIN(f->n_found, (size_t)STEPS_MOST);
        }
    }
    /* What was not followed stays with its token, and is told. */
    for (int32_t i = 0, k = 0; i < n; i++) {
        if (k < n_rows && f->order[k] == i) {
            k++;
        } else if (above[i] > 0) {
            below[i] += above[i];
        }
    }
    f->followed[layer] = all > 0 ? (float)(followed / all) : 0;
    return keep_steps(f, layer, err);
}

static bool reserve(Follower *f, Error *err)
{
    FlowPaths *p = f->paths;
    Arena *a = &p->arena;
    size_t n = (size_t)p->n_tokens;
    size_t layers = (size_t)p->n_layers;
    size_t cells;
    if (!checked_mul(layers + 1, n, &cells)) {
        return error_set(err, ERR_RANGE, "%d layers of %d tokens are too many", p->n_layers,
                         p->n_tokens);
    }
    f->r = ARENA_ARRAY(a, float, cells, err);
    f->next = f->r ? ARENA_ARRAY(a, int32_t, cells, err) : NULL;
    f->best = f->next ? ARENA_ARRAY(a, float, 2 * n, err) : NULL;
    f->followed = f->best ? ARENA_ARRAY(a, float, layers, err) : NULL;
    f->steps = f->followed ? ARENA_ARRAY(a, const FlowStep *, layers, err) : NULL;
    f->n_steps = f->steps ? ARENA_ARRAY(a, int32_t, layers, err) : NULL;
    f->shown = f->n_steps ? ARENA_ARRAY(a, double, layers, err) : NULL;
    return f->shown;
}

static bool work(Follower *f, Arena *scratch, JobControl *control, Error *err)
{
    FlowPaths *p = f->paths;
    size_t n = (size_t)p->n_tokens;
    const TraceInfo *info = trace_info(f->trace);
    f->chunk_most = (int32_t)AS_CLAMP((size_t)CHUNK_FLOATS / n, (size_t)1, (size_t)256);
    f->row = ARENA_ARRAY(scratch, float, n *(size_t)f->chunk_most, err);
    f->order = f->row ? ARENA_ARRAY(scratch, int32_t, n, err) : NULL;
    f->most_found = 4 * (size_t)STEPS_MOST + 4 * n;
    f->found = f->order ? ARENA_ARRAY(scratch, FlowStep, f->most_found, err) : NULL;
    f->heads = f->found ? ARENA_ARRAY(scratch, TraceHead, (size_t)info->n_heads, err) : NULL;
    if (!f->heads) {
        return false;
    }
    bool any = false;
    for (int32_t k = 0; k < FLOW_HEAD_WORDS; k++) {
        any |= p->heads[k] != 0;
    }
    for (int32_t h = 0; h < info->n_heads; h++) {
        if (!any || (h < 32 * FLOW_HEAD_WORDS && p->heads[h / 32] >> (h % 32) & 1)) {
            f->heads[f->n_heads++].head = h;
        }
    }
    f->r[(size_t)p->n_layers * n + (size_t)p->target] = 1;
    f->best[(size_t)(p->n_layers % 2) * n + (size_t)p->target] = 1;
    for (int32_t layer = p->n_layers; layer-- > 0;) {
        if (!one_layer(f, layer, control, err)) {
            return false;
        }
        if (control) {
            atomic_fetch_add(&control->done_units, 1);
        }
    }
    return true;
}

FlowPaths *flow_paths_make(const Trace *trace, const PathsDesc *desc, JobControl *control,
                           Error *err)
{
    const TraceInfo *info = trace_info(trace);
    int32_t target = desc->target;
    int32_t n_layers = desc->n_layers;
    if (info->n_queries != info->n_keys) {
        error_set(err, ERR_UNSUPPORTED,
                  "paths through the layers need queries and keys of one text");
        return NULL;
    }
    if (target < 0 || target >= info->n_queries || n_layers < 1 ||
        n_layers > trace_layers_done(trace)) {
        error_set(err, ERR_RANGE, "token %d of %d, %d of %d layers", target, info->n_queries,
                  n_layers, trace_layers_done(trace));
        return NULL;
    }
    FlowPaths *paths = mem_alloc_zeroed(1, sizeof *paths, err);
    if (!paths) {
        return NULL;
    }
    paths->target = target;
    paths->n_layers = n_layers;
    paths->n_tokens = info->n_queries;
    paths->without_first = desc->without_first;
    if (desc->heads) {
        memcpy(paths->heads, desc->heads, sizeof paths->heads);
    }
    Follower f = {.trace = trace, .paths = paths};
    Arena scratch = {0};
    if (control) {
        atomic_store(&control->total_units, (uint64_t)n_layers);
    }
    bool ok = reserve(&f, err) && work(&f, &scratch, control, err);
    arena_destroy(&scratch);
    if (!ok) {
        flow_paths_free(paths);
        return NULL;
    }
    paths->mass = f.r;
    paths->followed = f.followed;
    paths->steps = f.steps;
    paths->n_steps = f.n_steps;
    paths->shown = f.shown;
    paths->next = f.next;
    paths->best = f.best; /* of state 0: the even half */
    paths->source = -1;
    for (int32_t j = 0; j < paths->n_tokens; j++) {
        if (j != target && f.r[j] > 0 && (paths->source < 0 || f.r[j] > f.r[paths->source])) {
            paths->source = j;
        }
    }
    return paths;
}

void flow_paths_free(FlowPaths *paths)
{
    if (paths) {
        arena_destroy(&paths->arena);
        mem_free(paths);
    }
}
