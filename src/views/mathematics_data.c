#include "views/internal.h"
#include "views/mathematics.h"

#include <math.h>
#include <stdlib.h>

/* Keys sorted by weight need no more than are ever listed. */
enum { MOST_LISTED = 512 };

static int32_t *by_size(Arena *arena, const float *values, int32_t n)
{
    int32_t *order = ARENA_ARRAY(arena, int32_t, (size_t)n, NULL);
    for (int32_t i = 0; order && i < n; i++) {
        int32_t at = i;
        while (at > 0 && fabsf(values[order[at - 1]]) < fabsf(values[i])) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
    return order;
}

static bool read_pair(MathData *d, const Trace *trace)
{
    size_t n = (size_t)d->dim;
    float *q = ARENA_ARRAY(&d->arena, float, n, NULL);
    float *k = ARENA_ARRAY(&d->arena, float, n, NULL);
    float *terms = ARENA_ARRAY(&d->arena, float, n, NULL);
    if (!q || !k || !terms || !trace_q(trace, d->layer, d->head, d->query, d->query + 1, q, NULL) ||
        !trace_k(trace, d->layer, d->head, d->key, d->key + 1, k, NULL)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        terms[i] = q[i] * k[i];
    }
    d->q = q;
    d->k = k;
    d->terms = terms;
    d->largest = by_size(&d->arena, terms, d->dim);
    return d->largest != NULL;
}

static bool read_row(MathData *d, const Trace *trace)
{
    const TraceInfo *info = trace_info(trace);
    size_t m = (size_t)info->n_keys;
    float *scores = ARENA_ARRAY(&d->arena, float, m, NULL);
    float *weights = ARENA_ARRAY(&d->arena, float, m, NULL);
    TraceTop *top = ARENA_ARRAY(&d->arena, TraceTop, MOST_LISTED, NULL);
    int32_t *keys = ARENA_ARRAY(&d->arena, int32_t, MOST_LISTED, NULL);
    TraceRegion row = {.layer = d->layer,
                       .head = d->head,
                       .row0 = d->query,
                       .row1 = d->query + 1,
                       .col1 = info->n_keys};
    size_t n;
    if (!scores || !weights || !top || !keys ||
        !trace_tile(trace, &row, TRACE_SCORES, scores, 0, NULL) ||
        !trace_tile(trace, &row, TRACE_WEIGHTS, weights, 0, NULL) ||
        !trace_top_keys(trace, d->layer, d->head, d->query, MOST_LISTED, top, &n, NULL)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        keys[i] = top[i].key;
    }
    d->scores = scores;
    d->weights = weights;
    d->keys = keys;
    d->row_max = -INFINITY;
    d->row_sum = 0;
    d->n_visible = 0;
    for (size_t j = 0; j < m; j++) {
        d->row_max = fmax(d->row_max, (double)scores[j]);
    }
    for (size_t j = 0; j < m; j++) {
        d->n_visible += scores[j] > -INFINITY;
        d->row_sum += scores[j] > -INFINITY ? exp((double)scores[j] - d->row_max) : 0;
    }
    return true;
}

/* Every number of the part of the matrices that is drawn. */
static bool read_window(MathData *d, const Trace *trace)
{
    const TraceInfo *info = trace_info(trace);
    d->n_rows = AS_MIN(info->n_queries, MATH_WINDOW);
    d->n_cols = AS_MIN(info->n_keys, MATH_WINDOW);
    d->row0 = AS_CLAMP(d->query - MATH_WINDOW / 2, 0, info->n_queries - d->n_rows);
    d->col0 = AS_CLAMP(d->key - MATH_WINDOW / 2, 0, info->n_keys - d->n_cols);
    size_t rows = (size_t)d->n_rows;
    size_t cols = (size_t)d->n_cols;
    size_t dim = (size_t)d->dim;
    float *q = ARENA_ARRAY(&d->arena, float, rows *dim, NULL);
    float *k = ARENA_ARRAY(&d->arena, float, cols *dim, NULL);
    float *s = ARENA_ARRAY(&d->arena, float, rows *cols, NULL);
    float *a = ARENA_ARRAY(&d->arena, float, rows *cols, NULL);
    TraceRegion region = {d->layer,           d->head, d->row0, d->row0 + d->n_rows, d->col0,
                          d->col0 + d->n_cols};
    if (!q || !k || !s || !a || !trace_q(trace, d->layer, d->head, d->row0, region.row1, q, NULL) ||
        !trace_k(trace, d->layer, d->head, d->col0, region.col1, k, NULL) ||
        !trace_tile(trace, &region, TRACE_SCORES, s, 0, NULL) ||
        !trace_tile(trace, &region, TRACE_WEIGHTS, a, 0, NULL)) {
        return false;
    }
    /* The picture shows Q Kᵀ itself, before the scale; what the mask hides stays "not there". */
    for (size_t i = 0; i < rows * cols; i++) {
        float sum = 0;
        for (size_t x = 0; x < dim; x++) {
            sum += q[i / cols * dim + x] * k[i % cols * dim + x];
        }
        s[i] = isfinite(s[i]) ? sum : s[i];
    }
    d->wq = q;
    d->wk = k;
    d->ws = s;
    d->wa = a;
    d->wv = d->wo = d->output = NULL;
    if (!info->has_values) {
        return true;
    }
    float *v = ARENA_ARRAY(&d->arena, float, cols *dim, NULL);
    float *o = ARENA_ARRAY(&d->arena, float, rows *dim, NULL);
    if (!v || !o || !trace_v(trace, d->layer, d->head, d->col0, region.col1, v, NULL) ||
        !trace_output(trace, d->layer, d->head, d->row0, region.row1, o, NULL)) {
        return false;
    }
    d->wv = v;
    d->wo = o;
    d->output = o + (size_t)(d->query - d->row0) * dim;
    return true;
}

bool math_data_update(MathState *state, Session *session, const Reading *reading)
{
    MathData *d = &state->data;
    if (d->trace_version == session->trace_version && d->layer == reading->layer &&
        d->head == reading->head && d->query == reading->query && d->key == reading->key) {
        return d->valid;
    }
    arena_reset(&d->arena);
    state->pictured = false;
    d->trace_version = session->trace_version;
    d->layer = reading->layer;
    d->head = reading->head;
    d->query = reading->query;
    d->key = reading->key;
    d->dim = trace_info(session->trace)->head_dim;
    d->valid = read_pair(d, session->trace) && read_row(d, session->trace) &&
               read_window(d, session->trace);
    return d->valid;
}

bool math_contribution(const MathData *d, const Trace *trace, int32_t key, float *out)
{
    if (!d->output || !trace_v(trace, d->layer, d->head, key, key + 1, out, NULL)) {
        return false;
    }
    for (int32_t i = 0; i < d->dim; i++) {
        out[i] *= d->weights[key];
    }
    return true;
}

void mathematics_free(void *state)
{
    MathState *s = state;
    arena_destroy(&s->data.arena);
    arena_destroy(&s->pictures);
}
