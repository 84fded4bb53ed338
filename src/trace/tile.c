/* Exact cells: rectangles, reductions and profiles, from what is held. */
#include "trace/internal.h"

#include "base/half.h"

#include <math.h>
#include <string.h>

/* ---- operands -------------------------------------------------------------------------------- */

static void widen(const void *halves, size_t first, size_t n, float *out)
{
    const uint16_t *from = (const uint16_t *)halves + first;
    for (size_t i = 0; i < n; i++) {
        out[i] = half_to_float(from[i]);
    }
}

/* AttnBias.fill of DistanceBias. */
static void fill_bias(void *payload, int32_t head, int32_t row0, int32_t n_rows, int32_t col0,
                      int32_t n_cols, float *bias, ptrdiff_t ld)
{
    const DistanceBias *b = payload;
    const float *values = b->values + (size_t)head * b->n;
    for (int32_t r = 0; r < n_rows; r++) {
        memcpy(bias + r * ld, values + (col0 - (row0 + r) + b->zero),
               (size_t)n_cols * sizeof *bias);
    }
}

/* AttnBias.fill of weights that were imported: their logarithm is the whole score. */
static void fill_given(void *payload, int32_t head, int32_t row0, int32_t n_rows, int32_t col0,
                       int32_t n_cols, float *bias, ptrdiff_t ld)
{
    const TraceOperandPart *part = payload;
    (void)head; /* a part is of one */
    for (int32_t r = 0; r < n_rows; r++) {
        const float *row = part->given + (size_t)(row0 + r) * part->given_ld + col0;
        for (int32_t c = 0; c < n_cols; c++) {
            bias[r * ld + c] = logf(row[c]);
        }
    }
}

bool trace_part_open(const Trace *trace, int32_t layer, int32_t head, int32_t row0, int32_t row1,
                     int32_t col0, int32_t col1, bool with_v, TraceOperandPart *part, Error *err)
{
    const TraceInfo *info = &trace->info;
    const LayerData *data = &trace->layers[layer];
    size_t dim = (size_t)info->head_dim;
    size_t group = (size_t)(head / (info->n_heads / info->n_kv_heads));
    size_t q_at = ((size_t)head * (size_t)info->n_queries + (size_t)row0) * dim;
    size_t k_at = (group * (size_t)info->n_keys + (size_t)col0) * dim;
    size_t n_q = (size_t)(row1 - row0) * dim;
    size_t n_k = (size_t)(col1 - col0) * dim;
    size_t row_at = (size_t)head * (size_t)info->n_queries + (size_t)row0;
    *part = (TraceOperandPart){
        .row_max = data->row_max + row_at,
        .row_log_sum = data->row_log_sum + row_at,
        .args = {.n_queries = row1 - row0,
                 .n_keys = col1 - col0,
                 .n_heads = 1,
                 .n_kv_heads = 1,
                 .head_dim = info->head_dim,
                 .scale = data->facts.scale,
                 .soft_cap = data->facts.soft_cap,
                 .mask = data->mask},
    };
    /* Keys count from col0 here, so a query stands col0 earlier. */
    part->args.mask.q_offset += row0 - col0;
    if (data->given) {
        size_t m = (size_t)info->n_keys;
        part->given = data->given + row_at * m + (size_t)col0;
        part->given_ld = m;
        part->args.bias = (AttnBias){fill_given, part};
    }
    if (data->facts.has_bias) {
        part->bias = trace->bias;
        part->bias.values += (size_t)head * trace->bias.n;
        part->bias.zero += col0 - row0;
        part->args.bias = (AttnBias){fill_bias, &part->bias};
    }
    if (info->params.dtype == TRACE_F32) {
        part->args.q = (const float *)data->q + q_at;
        part->args.k = (const float *)data->k + k_at;
        part->args.v = with_v ? (const float *)data->v + k_at : NULL;
        return true;
    }
    part->owned = mem_alloc((n_q + (with_v ? 2 : 1) * n_k) * sizeof(float), err);
    if (!part->owned) {
        return false;
    }
    widen(data->q, q_at, n_q, part->owned);
    widen(data->k, k_at, n_k, part->owned + n_q);
    part->args.q = part->owned;
    part->args.k = part->owned + n_q;
    if (with_v) {
        widen(data->v, k_at, n_k, part->owned + n_q + n_k);
        part->args.v = part->owned + n_q + n_k;
    }
    return true;
}

void trace_part_close(TraceOperandPart *part)
{
    mem_free(part->owned);
    part->owned = NULL;
}

bool trace_operands(const Trace *trace, int32_t layer, int32_t head, TraceOperands *operands)
{
    const TraceInfo *info = &trace->info;
    *operands = (TraceOperands){0};
    if (!trace_check_head(trace, layer, head, NULL) || trace->layers[layer].given ||
        !trace->layers[layer].q || !trace->layers[layer].k) {
        return false;
    }
    const LayerData *data = &trace->layers[layer];
    bool halves = info->params.dtype != TRACE_F32;
    size_t width = halves ? sizeof(uint16_t) : sizeof(float);
    size_t n = (size_t)info->n_queries;
    int32_t kv_head = head / (info->n_heads / info->n_kv_heads);
    *operands = (TraceOperands){
        .q = (const char *)data->q + (size_t)head * n * (size_t)info->head_dim * width,
        .k = (const char *)data->k +
             (size_t)kv_head * (size_t)info->n_keys * (size_t)info->head_dim * width,
        .halves = halves,
        .kv_head = kv_head,
        .scale = data->facts.scale,
        .soft_cap = data->facts.soft_cap,
        .row_max = data->row_max + (size_t)head * n,
        .row_log_sum = data->row_log_sum + (size_t)head * n,
    };
    if (data->facts.has_bias) {
        operands->bias = trace->bias.values + (size_t)head * trace->bias.n;
        operands->n_bias = trace->bias.n;
        operands->bias_zero = trace->bias.zero;
    }
    return true;
}

/* ---- tiles ----------------------------------------------------------------------------------- */

/* Cells from which on a tile is shared among threads; smaller ones are many at once already, each
 * in a job of its own. */
enum { SHARED_FROM = 1024 * 1024 };

/* The region with "all" filled in, checked. */
static bool resolve(const Trace *trace, const TraceRegion *region, TraceRegion *r, Error *err)
{
    *r = *region;
    if (r->row0 == 0 && r->row1 == 0) {
        r->row1 = trace->info.n_queries;
    }
    if (r->col0 == 0 && r->col1 == 0) {
        r->col1 = trace->info.n_keys;
    }
    return trace_check_head(trace, r->layer, r->head, err) &&
           trace_check_span("row", r->row0, r->row1, trace->info.n_queries, err) &&
           trace_check_span("column", r->col0, r->col1, trace->info.n_keys, err);
}

bool trace_tile(const Trace *trace, const TraceRegion *region, TraceWhat what, float *out,
                size_t ld, Error *err)
{
    TraceRegion r;
    TraceOperandPart part;
    if (!resolve(trace, region, &r, err)) {
        return false;
    }
    size_t width = (size_t)(r.col1 - r.col0);
    ld = ld ? ld : width;
    if (ld < width) {
        return error_set(err, ERR_RANGE, "a row stride of %zu for %zu columns", ld, width);
    }
    if (!trace_part_open(trace, r.layer, r.head, r.row0, r.row1, r.col0, r.col1, false, &part,
                         err)) {
        return false;
    }
    AttnTileDesc tile = {
        .kind = what == TRACE_SCORES ? ATTN_TILE_SCORES : ATTN_TILE_WEIGHTS,
        .row1 = r.row1 - r.row0,
        .col1 = r.col1 - r.col0,
        .row_max = part.row_max,
        .row_log_sum = part.row_log_sum,
    };
    const AttnTileTask whole = {tile, out, (ptrdiff_t)ld};
    const bool shared = (int64_t)tile.row1 * tile.col1 >= SHARED_FROM;
    bool ok = trace_attn_ok(shared ? attn_tiles(trace->ctx, &part.args, &whole, 1, NULL)
                                   : attn_tile(trace->ctx, &part.args, &tile, out, (ptrdiff_t)ld),
                            "tile", err);
    trace_part_close(&part);
    return ok;
}

bool trace_tile_heads(const Trace *trace, const TraceRegion *region, const TraceHead *heads,
                      size_t n_heads, TraceReduce reduce, float *out, size_t ld, Error *err)
{
    TraceRegion r = *region;
    if (n_heads < 1) {
        return error_set(err, ERR_RANGE, "no heads were chosen");
    }
    r.layer = heads[0].layer;
    r.head = heads[0].head;
    if (!resolve(trace, &r, &r, err)) {
        return false;
    }
    size_t rows = (size_t)(r.row1 - r.row0);
    size_t cols = (size_t)(r.col1 - r.col0);
    size_t size;
    ld = ld ? ld : cols;
    if (!trace_tile(trace, &r, TRACE_WEIGHTS, out, ld, err)) {
        return false;
    }
    if (!checked_mul(rows, cols, &size) || !checked_mul(size, sizeof(float), &size)) {
        return error_set(err, ERR_MEMORY, "a tile of %zu x %zu does not fit", rows, cols);
    }
    float *one = n_heads > 1 ? mem_alloc(size, err) : NULL;
    bool ok = n_heads == 1 || one;
    for (size_t h = 1; h < n_heads && ok; h++) {
        r.layer = heads[h].layer;
        r.head = heads[h].head;
        ok = trace_tile(trace, &r, TRACE_WEIGHTS, one, cols, err);
        for (size_t i = 0; i < rows && ok; i++) {
            for (size_t j = 0; j < cols; j++) {
                float *sum = &out[i * ld + j];
                float w = one[i * cols + j];
                *sum = reduce == TRACE_REDUCE_MAX ? AS_MAX(*sum, w) : *sum + w;
            }
        }
    }
    float share = 1.0f / (float)n_heads;
    for (size_t i = 0; i < rows && ok && reduce == TRACE_REDUCE_MEAN; i++) {
        for (size_t j = 0; j < cols; j++) {
            out[i * ld + j] *= share;
        }
    }
    mem_free(one);
    return ok;
}

static void report_rows(void *payload, int64_t done, int64_t total)
{
    JobControl *control = payload;
    atomic_store(&control->done_units, (uint64_t)done);
    atomic_store(&control->total_units, (uint64_t)total);
}

bool trace_tile_reduce(const Trace *trace, const TraceRegion *region, int32_t row_texel,
                       int32_t col_texel, float *mean, float *max, JobControl *control, Error *err)
{
    TraceRegion r;
    TraceOperandPart part;
    if (!resolve(trace, region, &r, err)) {
        return false;
    }
    if (row_texel < 1 || col_texel < 1) {
        return error_set(err, ERR_RANGE, "texels of %d x %d cells", row_texel, col_texel);
    }
    if (!trace_part_open(trace, r.layer, r.head, r.row0, r.row1, r.col0, r.col1, false, &part,
                         err)) {
        return false;
    }
    int32_t cols = r.col1 - r.col0;
    AttnTileDesc tile = {
        .row1 = r.row1 - r.row0,
        .col1 = cols,
        .row_max = part.row_max,
        .row_log_sum = part.row_log_sum,
    };
    AttnProgress progress = {0};
    if (control) {
        progress =
            (AttnProgress){.cancel = &control->cancel, .report = report_rows, .payload = control};
    }
    ptrdiff_t ld = (cols - 1) / col_texel + 1;
    bool ok = trace_attn_ok(attn_tile_reduce(trace->ctx, &part.args, &tile, row_texel, col_texel,
                                             mean, max, ld, &progress),
                            "region", err);
    trace_part_close(&part);
    return ok;
}

bool trace_row_profile(const Trace *trace, int32_t layer, int32_t head, int32_t query, float *out,
                       Error *err)
{
    TraceRegion region = {layer, head, query, query + 1, 0, 0};
    return trace_check_span("row", query, query + 1, trace->info.n_queries, err) &&
           trace_tile(trace, &region, TRACE_WEIGHTS, out, 0, err);
}

bool trace_column_profile(const Trace *trace, int32_t layer, int32_t head, int32_t key, float *out,
                          Error *err)
{
    TraceRegion region = {layer, head, 0, 0, key, key + 1};
    return trace_check_span("key", key, key + 1, trace->info.n_keys, err) &&
           trace_tile(trace, &region, TRACE_WEIGHTS, out, 0, err);
}
