#include "session/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Which queries read which keys: blocks of weights, summed exactly. */

/* Rows that are held at once where they are read one by one. */
enum { CHUNK_FLOATS = 4 << 20 };

static int32_t blocks(int32_t n, int32_t block)
{
    return (n + block - 1) / block;
}

static int32_t list_heads(const FlowKey *key, int32_t n_heads, int32_t *out)
{
    int32_t n = 0;
    for (int32_t h = 0; h < n_heads && h < 32 * FLOW_HEAD_WORDS; h++) {
        if (key->heads[h / 32] >> (h % 32) & 1) {
            out[n++] = h;
        }
    }
    return n;
}

static int32_t count_heads(const FlowKey *key)
{
    int32_t list[32 * FLOW_HEAD_WORDS];
    return list_heads(key, 32 * FLOW_HEAD_WORDS, list);
}

double flow_map_cost(const Trace *trace, const FlowKey *key)
{
    const TraceInfo *info = trace_info(trace);
    if (flow_map_by_summary(trace, key)) {
        return 0;
    }
    return (double)(key->row1 - key->row0) * info->n_keys * info->head_dim * count_heads(key);
}

bool flow_map_by_summary(const Trace *trace, const FlowKey *key)
{
    const TraceLayer *layer = trace_layer(trace, key->layer);
    return layer && !key->by_value && AS_MAX(key->row_block, key->col_block) > 1 &&
           layer->row_texel > 0 && layer->col_texel > 0 && key->row_block % layer->row_texel == 0 &&
           key->col_block % layer->col_texel == 0;
}

/* ---- one row ---- */

/* What rows are made in: fields of the map that are written here. */
typedef struct Maker {
    const Trace *trace;
    FlowMap *map;
    FlowTop *top;
    double *row_mass;
    int32_t *n_pairs;
    float *dense;
    int32_t *n_queries;
    FlowTop *scratch; /* [n_all_cols] */
    double *sums;     /* [n_all_cols] of the row being made */
} Maker;

static int by_mass(const void *a, const void *b)
{
    const FlowTop *x = a;
    const FlowTop *y = b;
    return x->mass != y->mass ? (x->mass < y->mass ? 1 : -1)
                              : (x->col > y->col) - (x->col < y->col);
}

/* Brings the k largest of v[0..n) to its front (quickselect, the middle as the pivot). */
static void select_top(FlowTop *v, int32_t n, int32_t k)
{
    int32_t lo = 0;
    int32_t hi = n - 1;
    while (lo < hi) {
        FlowTop pivot = v[lo + (hi - lo) / 2];
        int32_t i = lo;
        int32_t j = hi;
        while (i <= j) {
            while (by_mass(&v[i], &pivot) < 0) {
                i++;
            }
            while (by_mass(&pivot, &v[j]) < 0) {
                j--;
            }
            if (i <= j) {
                FlowTop t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        if (k - 1 <= j) {
            hi = j;
        } else if (k - 1 >= i) {
            lo = i;
        } else {
            return;
        }
    }
}

/* Keys that any query of the row sees. */
static void visible(const Maker *m, int32_t row, int32_t *first, int32_t *end, int32_t *n_queries)
{
    const FlowKey *key = &m->map->key;
    int32_t from = key->row0 + row * key->row_block;
    int32_t to = AS_MIN(from + key->row_block, key->row1);
    *first = INT32_MAX;
    *end = 0;
    *n_queries = 0;
    for (int32_t i = from; i < to; i++) {
        int32_t f;
        int32_t e;
        trace_visible_keys(m->trace, key->layer, i, &f, &e);
        if (f < e) {
            *first = AS_MIN(*first, f);
            *end = AS_MAX(*end, e);
            (*n_queries)++;
        }
    }
}

/* Files m->sums away as row `row` of the head in `slot`. */
static void finish_row(Maker *m, int32_t slot, int32_t row)
{
    FlowMap *map = m->map;
    int32_t block = map->key.col_block;
    size_t at = (size_t)slot * (size_t)map->n_rows + (size_t)row;
    int32_t first;
    int32_t end;
    visible(m, row, &first, &end, &m->n_queries[row]);
    int32_t c0 = first < end ? first / block : 0;
    int32_t c1 = first < end ? blocks(end, block) : 0;
    m->n_pairs[at] = c1 - c0;
    float *dense = m->dense + at * (size_t)(map->n_cols + 2);
    int32_t w0 = map->key.col0 / block;
    double outside[2] = {0, 0};
    double mass = 0;
    for (int32_t c = c0; c < c1; c++) {
        double v = m->sums[c];
        mass += v;
        m->scratch[c - c0] = (FlowTop){c, (float)v};
        if (c < w0 || c >= w0 + map->n_cols) {
            outside[c >= w0] += v;
        } else {
            dense[1 + c - w0] = (float)v;
        }
    }
    dense[0] = (float)outside[0];
    dense[map->n_cols + 1] = (float)outside[1];
    m->row_mass[at] = mass;
    int32_t k = AS_MIN(map->n_top, c1 - c0);
    if (k > 0) {
        select_top(m->scratch, c1 - c0, k);
        qsort(m->scratch, (size_t)k, sizeof *m->scratch, by_mass);
        memcpy(m->top + at * (size_t)map->n_top, m->scratch, (size_t)k * sizeof *m->scratch);
    }
}

/* ---- where the weights come from ---- */

/* |v| of every key for a head. */
static float *value_lengths(const Trace *trace, int32_t layer, int32_t head, Arena *arena,
                            Error *err)
{
    enum { ROWS = 1024 };
    const TraceInfo *info = trace_info(trace);
    float *out = ARENA_ARRAY(arena, float, (size_t)info->n_keys, err);
    float *v = out ? ARENA_ARRAY(arena, float, (size_t)ROWS *(size_t)info->head_dim, err) : NULL;
    for (int32_t j = 0; v && j < info->n_keys; j += ROWS) {
        int32_t end = AS_MIN(j + ROWS, info->n_keys);
        if (!trace_v(trace, layer, head, j, end, v, err)) {
            return NULL;
        }
        for (int32_t r = j; r < end; r++) {
            double sum = 0;
            for (int32_t d = 0; d < info->head_dim; d++) {
                double x = (double)v[(size_t)(r - j) * (size_t)info->head_dim + (size_t)d];
                sum += x * x;
            }
            out[r] = (float)sqrt(sum);
        }
    }
    return v ? out : NULL;
}

static bool cancelled(JobControl *control, Error *err)
{
    return control && atomic_load(&control->cancel) ? !error_set(err, ERR_CANCELLED, "cancelled")
                                                    : false;
}

/* Every weight of the rows, a few rows at a time, summed by blocks. */
static bool read_rows(Maker *m, int32_t slot, Arena *scratch, JobControl *control, Error *err)
{
    const FlowKey *key = &m->map->key;
    const TraceInfo *info = trace_info(m->trace);
    int32_t head = m->map->heads[slot];
    int32_t rows = AS_CLAMP(CHUNK_FLOATS / info->n_keys, 1, 4096);
    rows = AS_MIN(rows, key->row1 - key->row0);
    float *weights = ARENA_ARRAY(scratch, float, (size_t)rows *(size_t)info->n_keys, err);
    float *lengths =
        key->by_value && weights ? value_lengths(m->trace, key->layer, head, scratch, err) : NULL;
    if (!weights || (key->by_value && !lengths)) {
        return false;
    }
    memset(m->sums, 0, (size_t)m->map->n_all_cols * sizeof *m->sums);
    for (int32_t i = key->row0; i < key->row1; i += rows) {
        int32_t end = AS_MIN(i + rows, key->row1);
        TraceRegion region = {key->layer, head, i, end, 0, info->n_keys};
        if (cancelled(control, err) ||
            !trace_tile(m->trace, &region, TRACE_WEIGHTS, weights, 0, err)) {
            return false;
        }
        for (int32_t r = i; r < end; r++) {
            const float *w = weights + (size_t)(r - i) * (size_t)info->n_keys;
            int32_t first;
            int32_t last;
            trace_visible_keys(m->trace, key->layer, r, &first, &last);
            for (int32_t j = first; j < last; j++) {
                double x = (double)w[j] * (lengths ? (double)lengths[j] : 1);
                m->sums[j / key->col_block] += x;
            }
            if (r + 1 == key->row1 || (r + 1 - key->row0) % key->row_block == 0) {
                finish_row(m, slot, (r - key->row0) / key->row_block);
                memset(m->sums, 0, (size_t)m->map->n_all_cols * sizeof *m->sums);
            }
        }
        if (control) {
            atomic_fetch_add(&control->done_units, (uint64_t)(end - i));
        }
    }
    return true;
}

/* Large blocks: sums of the summary's texels. */
static bool read_summary(Maker *m, int32_t slot, Arena *scratch, Error *err)
{
    const FlowKey *key = &m->map->key;
    const TraceLayer *layer = trace_layer(m->trace, key->layer);
    const TraceInfo *info = trace_info(m->trace);
    size_t n = (size_t)layer->summary_rows * (size_t)layer->summary_cols;
    float *mean = ARENA_ARRAY(scratch, float, n, err);
    if (!mean ||
        !trace_summary(m->trace, key->layer, m->map->heads[slot], TRACE_REDUCE_MEAN, mean, err)) {
        return false;
    }
    int32_t per_row = key->row_block / layer->row_texel;
    int32_t per_col = key->col_block / layer->col_texel;
    for (int32_t row = 0; row < m->map->n_rows; row++) {
        memset(m->sums, 0, (size_t)m->map->n_all_cols * sizeof *m->sums);
        int32_t r0 = key->row0 / layer->row_texel + row * per_row;
        for (int32_t r = r0; r < AS_MIN(r0 + per_row, layer->summary_rows); r++) {
            int32_t height = AS_MIN(layer->row_texel, info->n_queries - r * layer->row_texel);
            for (int32_t c = 0; c < layer->summary_cols; c++) {
                int32_t width = AS_MIN(layer->col_texel, info->n_keys - c * layer->col_texel);
                m->sums[c / per_col] +=
                    (double)mean[(size_t)r * (size_t)layer->summary_cols + (size_t)c] * height *
                    width;
            }
        }
        finish_row(m, slot, row);
    }
    return true;
}

/* ---- the map ---- */

static bool check(const Trace *trace, const FlowKey *key, Error *err)
{
    const TraceInfo *info = trace_info(trace);
    bool ok = trace_layer(trace, key->layer) && key->row_block >= 1 && key->col_block >= 1 &&
              key->row0 >= 0 && key->row0 < key->row1 && key->row1 <= info->n_queries &&
              key->col0 >= 0 && key->col0 < key->col1 && key->col1 <= info->n_keys &&
              key->row0 % key->row_block == 0 && key->col0 % key->col_block == 0;
    return ok ? true
              : error_set(err, ERR_RANGE,
                          "queries %d to %d by %d of layer %d cannot be shown: there are %d",
                          key->row0, key->row1, key->row_block, key->layer, info->n_queries);
}

static bool reserve(Maker *m, Error *err)
{
    FlowMap *map = m->map;
    Arena *a = &map->arena;
    size_t rows = (size_t)map->n_heads * (size_t)map->n_rows;
    size_t tops;
    size_t dense;
    if (!checked_mul(rows, (size_t)map->n_top, &tops) ||
        !checked_mul(rows, (size_t)map->n_cols + 2, &dense)) {
        return error_set(err, ERR_RANGE, "%d heads of %d rows are too many", map->n_heads,
                         map->n_rows);
    }
    m->top = ARENA_ARRAY(a, FlowTop, tops, err);
    m->row_mass = m->top ? ARENA_ARRAY(a, double, rows, err) : NULL;
    m->n_pairs = m->row_mass ? ARENA_ARRAY(a, int32_t, rows, err) : NULL;
    m->dense = m->n_pairs ? ARENA_ARRAY(a, float, dense, err) : NULL;
    m->n_queries = m->dense ? ARENA_ARRAY(a, int32_t, (size_t)map->n_rows, err) : NULL;
    map->top = m->top;
    map->row_mass = m->row_mass;
    map->n_pairs = m->n_pairs;
    map->dense = m->dense;
    map->n_queries = m->n_queries;
    return m->n_queries;
}

static bool fill(Maker *m, JobControl *control, Error *err)
{
    FlowMap *map = m->map;
    Arena scratch = {0};
    bool ok = true;
    if (control) {
        atomic_store(&control->total_units,
                     (uint64_t)map->n_heads * (uint64_t)(map->key.row1 - map->key.row0));
    }
    for (int32_t slot = 0; ok && slot < map->n_heads; slot++) {
        arena_reset(&scratch);
        m->sums = ARENA_ARRAY(&scratch, double, (size_t)map->n_all_cols, err);
        m->scratch = m->sums ? ARENA_ARRAY(&scratch, FlowTop, (size_t)map->n_all_cols, err) : NULL;
        ok = m->scratch && (map->by_summary ? read_summary(m, slot, &scratch, err)
                                            : read_rows(m, slot, &scratch, control, err));
    }
    arena_destroy(&scratch);
    return ok;
}

FlowMap *flow_map_make(const Trace *trace, const FlowKey *key, JobControl *control, Error *err)
{
    FlowMap *map = check(trace, key, err) ? mem_alloc_zeroed(1, sizeof *map, err) : NULL;
    if (!map) {
        return NULL;
    }
    const TraceInfo *info = trace_info(trace);
    map->key = *key;
    int32_t *heads = ARENA_ARRAY(&map->arena, int32_t, 32 * FLOW_HEAD_WORDS, err);
    if (!heads) {
        flow_map_free(map);
        return NULL;
    }
    map->heads = heads;
    map->n_heads = list_heads(key, info->n_heads, heads);
    map->n_rows = blocks(key->row1 - key->row0, key->row_block);
    map->n_cols = blocks(key->col1 - key->col0, key->col_block);
    map->n_all_cols = blocks(info->n_keys, key->col_block);
    map->n_top = AS_MIN(map->n_all_cols, FLOW_ROW_MOST);
    map->by_summary = flow_map_by_summary(trace, key);
    Maker m = {.trace = trace, .map = map};
    if (map->n_heads < 1) {
        error_set(err, ERR_RANGE, "no head is shown");
        flow_map_free(map);
        return NULL;
    }
    if (!reserve(&m, err) || !fill(&m, control, err)) {
        flow_map_free(map);
        return NULL;
    }
    return map;
}

void flow_map_free(FlowMap *map)
{
    if (map) {
        arena_destroy(&map->arena);
        mem_free(map);
    }
}

/* ---- which of them are drawn ---- */

int32_t flow_take(const FlowTop *top, int32_t n_top, double mass, double n_queries,
                  const FlowOptions *options, bool by_value)
{
    double unit = by_value ? mass : n_queries;
    double sum = 0;
    int32_t n = 0;
    while (n < n_top && top[n].mass > 0) {
        double w = unit > 0 ? (double)top[n].mass / unit : 0;
        if (options->pick == FLOW_COVERAGE && sum >= (double)flow_coverage(options) * mass) {
            break;
        }
        if ((options->pick == FLOW_TOP_K && n >= flow_top_k(options)) ||
            (options->pick == FLOW_THRESHOLD && w < (double)flow_threshold(options))) {
            break;
        }
        sum += (double)top[n].mass;
        n++;
    }
    return n;
}

static int by_weight(const void *a, const void *b)
{
    const FlowEdge *x = a;
    const FlowEdge *y = b;
    if (x->weight != y->weight) {
        return x->weight < y->weight ? 1 : -1;
    }
    if (x->row != y->row) {
        return x->row < y->row ? -1 : 1;
    }
    return x->col != y->col ? (x->col < y->col ? -1 : 1) : x->slot - y->slot;
}

FlowEdges *flow_select(const FlowMap *map, const FlowOptions *options, Arena *arena, Error *err)
{
    FlowEdges *out = ARENA_NEW(arena, FlowEdges, err);
    size_t n_rows = (size_t)map->n_heads * (size_t)map->n_rows;
    int32_t *take = out ? ARENA_ARRAY(arena, int32_t, n_rows, err) : NULL;
    size_t n = 0;
    for (size_t at = 0; take && at < n_rows; at++) {
        const FlowTop *top = map->top + at * (size_t)map->n_top;
        take[at] = flow_take(top, map->n_top, map->row_mass[at],
                             map->n_queries[at % (size_t)map->n_rows], options, map->key.by_value);
        n += (size_t)take[at];
        out->n_pairs += map->n_pairs[at];
        out->mass += map->row_mass[at];
        out->cut |= take[at] == FLOW_ROW_MOST && map->n_pairs[at] > FLOW_ROW_MOST;
    }
    out = take ? out : NULL;
    if (!out || !(out->edges = ARENA_ARRAY(arena, FlowEdge, n, err))) {
        return NULL;
    }
    for (size_t at = 0; at < n_rows; at++) {
        int32_t row = (int32_t)(at % (size_t)map->n_rows);
        double unit = map->key.by_value ? map->row_mass[at] : map->n_queries[row];
        for (int32_t k = 0; k < take[at]; k++) {
            const FlowTop *top = &map->top[at * (size_t)map->n_top + (size_t)k];
            out->edges[out->n++] = (FlowEdge){.row = map->key.row0 / map->key.row_block + row,
                                              .col = top->col,
                                              .slot = (int32_t)(at / (size_t)map->n_rows),
                                              .weight = (float)((double)top->mass / unit),
                                              .mass = top->mass,
                                              .rank = k};
            out->shown += (double)top->mass;
        }
    }
    qsort(out->edges, (size_t)out->n, sizeof *out->edges, by_weight);
    return out;
}
