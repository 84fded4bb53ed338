#include "session/head_set.h"

#include <math.h>
#include <string.h>

int32_t head_set_find(const HeadSet *set, int32_t layer, int32_t head)
{
    for (int32_t i = 0; i < set->n; i++) {
        if (set->heads[i].layer == layer && set->heads[i].head == head) {
            return i;
        }
    }
    return -1;
}

bool head_set_add(HeadSet *set, int32_t layer, int32_t head, Error *err)
{
    if (head_set_find(set, layer, head) >= 0) {
        return true;
    }
    if (set->n == HEAD_SET_MAX) {
        return error_set(err, ERR_RANGE, "a set holds at most %d heads; take one out first",
                         HEAD_SET_MAX);
    }
    set->heads[set->n++] = (HeadRef){(int16_t)layer, (int16_t)head};
    return true;
}

void head_set_remove(HeadSet *set, int32_t layer, int32_t head)
{
    int32_t at = head_set_find(set, layer, head);
    if (at >= 0) {
        set->n--;
        memmove(&set->heads[at], &set->heads[at + 1], (size_t)(set->n - at) * sizeof set->heads[0]);
    }
}

bool head_set_equal(const HeadSet *a, const HeadSet *b)
{
    return a->n == b->n && memcmp(a->heads, b->heads, (size_t)a->n * sizeof a->heads[0]) == 0;
}

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t mix(uint64_t hash, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        hash = (hash ^ (value >> (8 * i) & 0xFF)) * 0x100000001B3u;
    }
    return hash;
}

uint64_t weight_source_id(const WeightSource *s)
{
    if (s->combine == COMBINE_ONE && !weight_source_filters(s) && !s->mean && !s->by_row) {
        return 0;
    }
    uint64_t flags = (uint64_t)s->hide_first | (uint64_t)s->hide_special << 1 |
                     (uint64_t)s->pair_only << 2 | (uint64_t)s->mean << 3 |
                     (uint64_t)s->by_row << 4;
    uint64_t hash = mix(mix(0xCBF29CE484222325u, (uint64_t)s->combine), flags);
    for (int32_t i = 0; s->combine != COMBINE_ONE && i < s->set.n; i++) {
        hash = mix(hash, (uint64_t)s->set.heads[i].layer << 16 | (uint64_t)s->set.heads[i].head);
    }
    return hash ? hash : 1;
}

bool weight_source_filters(const WeightSource *s)
{
    return s->hide_first || s->hide_special || s->pair_only;
}

bool weight_source_is_plain(const WeightSource *s)
{
    return s->combine == COMBINE_ONE && !weight_source_filters(s);
}

float weight_source_least_rest(void)
{
    return 1e-4f;
}

static bool is_hidden(const WeightSource *s, const TraceToken *keys, int32_t j)
{
    return (s->hide_first && j == 0) || (s->hide_special && keys[j].special);
}

int32_t weight_source_count_hidden(const Trace *trace, const WeightSource *s)
{
    int32_t m;
    const TraceToken *keys = trace_key_tokens(trace, &m);
    int32_t n = 0;
    for (int32_t j = 0; j < (s->hide_special ? m : AS_MIN(m, 1)); j++) {
        n += is_hidden(s, keys, j);
    }
    return n;
}

/* rest [rows]: 1 - the weight of what is hidden, of each row of the region. */
static bool read_rest(const Trace *trace, const WeightSource *s, const TraceRegion *r, double *rest,
                      Error *err)
{
    int32_t m;
    const TraceToken *keys = trace_key_tokens(trace, &m);
    int32_t rows = r->row1 - r->row0;
    int32_t n = weight_source_count_hidden(trace, s);
    for (int32_t i = 0; i < rows; i++) {
        rest[i] = 1;
    }
    if (!n) {
        return true;
    }
    size_t n_list = (size_t)n + (size_t)rows;
    int32_t *list = mem_alloc(n_list * sizeof *list, err);
    float *weights = mem_alloc((size_t)n * (size_t)rows * sizeof *weights, err);
    bool ok = list && weights;
    for (int32_t j = 0, at = 0; ok && j < m; j++) {
        if (is_hidden(s, keys, j)) {
            list[at++] = j;
        }
    }
    for (int32_t i = 0; ok && i < rows; i++) {
        list[n + i] = r->row0 + i;
    }
    ok = ok && trace_gather(trace, r->layer, r->head, list + n, rows, list, n, weights, err);
    for (int32_t i = 0; ok && i < rows; i++) {
        for (int32_t j = 0; j < n; j++) {
            rest[i] -= (double)weights[(size_t)i * (size_t)n + (size_t)j];
        }
    }
    mem_free(list);
    mem_free(weights);
    return ok;
}

bool weight_source_row_scales(const Trace *trace, const WeightSource *s, int32_t layer,
                              int32_t head, int32_t row0, int32_t row1, float *scales, Error *err)
{
    const TraceToken *queries = trace_tokens(trace);
    size_t n = (size_t)(row1 - row0);
    double *rest = mem_alloc(n * sizeof *rest, err);
    TraceRegion r = {.layer = layer, .head = head, .row0 = row0, .row1 = row1};
    bool ok = rest && read_rest(trace, s, &r, rest, err);
    for (size_t i = 0; ok && i < n; i++) {
        bool none = rest[i] < (double)weight_source_least_rest() ||
                    (s->pair_only && queries[row0 + (int32_t)i].segment != 0);
        scales[i] = !weight_source_filters(s) ? 1 : none ? 0 : (float)(1 / rest[i]);
    }
    mem_free(rest);
    return ok;
}

bool weight_source_hides(const WeightSource *s, const TraceToken *keys, int32_t j)
{
    return is_hidden(s, keys, j) || (s->pair_only && keys[j].segment != 1);
}

/* Turns weights into what is shown of one head: masked and hidden cells go, rows are divided. */
static void filter(const Trace *trace, const WeightSource *s, const TraceRegion *r,
                   const float *scales, float *values)
{
    const TraceToken *keys = trace_key_tokens(trace, NULL);
    size_t cols = (size_t)(r->col1 - r->col0);
    for (int32_t i = r->row0; i < r->row1; i++) {
        int32_t first;
        int32_t end;
        trace_visible_keys(trace, r->layer, i, &first, &end);
        float *row = values + (size_t)(i - r->row0) * cols;
        float scale = scales[i - r->row0];
        for (int32_t j = r->col0; j < r->col1; j++) {
            bool hidden = scale == 0 || j < first || j >= end || weight_source_hides(s, keys, j);
            row[j - r->col0] = hidden ? -INFINITY : row[j - r->col0] * scale;
        }
    }
}

static void add_head(const WeightSource *s, int32_t place, const float *one, size_t n, float *out,
                     int16_t *owner)
{
    for (size_t i = 0; i < n; i++) {
        bool first = place == 0;
        if (s->combine == COMBINE_MEAN) {
            /* Hidden in one of the heads: the others' sum stands, over the whole set. */
            float sum = isinf(out[i]) || first ? 0 : out[i];
            bool none = isinf(one[i]) && (first || isinf(out[i]));
            out[i] = none ? -INFINITY : isinf(one[i]) ? sum : sum + one[i];
        } else if (first || one[i] > out[i]) {
            out[i] = one[i];
            if (owner) {
                owner[i] = (int16_t)place;
            }
        }
    }
}

bool weight_source_read(const Trace *trace, const WeightSource *s, const TraceRegion *region,
                        float *out, int16_t *owner, Error *err)
{
    TraceRegion r = *region;
    size_t rows = (size_t)(r.row1 - r.row0);
    size_t n = rows * (size_t)(r.col1 - r.col0);
    int32_t n_heads = s->combine == COMBINE_ONE ? 1 : s->set.n;
    float *one = mem_alloc(n * sizeof *one, err);
    float *scales = mem_alloc(rows * sizeof *scales, err);
    bool ok = one && scales;
    for (int32_t h = 0; ok && h < n_heads; h++) {
        if (s->combine != COMBINE_ONE) {
            r.layer = s->set.heads[h].layer;
            r.head = s->set.heads[h].head;
        }
        ok = trace_tile(trace, &r, TRACE_WEIGHTS, one, 0, err) &&
             weight_source_row_scales(trace, s, r.layer, r.head, r.row0, r.row1, scales, err);
        if (ok) {
            filter(trace, s, &r, scales, one);
            add_head(s, h, one, n, out, owner);
        }
    }
    float share = 1.0f / (float)AS_MAX(n_heads, 1);
    for (size_t i = 0; ok && s->combine == COMBINE_MEAN && i < n; i++) {
        out[i] *= share;
    }
    mem_free(one);
    mem_free(scales);
    return ok;
}
