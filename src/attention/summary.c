#include "attention/summary.h"

#include <string.h>

/* Rows that f32 sums may gather before they go to double. */
enum { FLUSH_ROWS = 64 };

static int32_t power_of_two_width(int32_t n, int32_t size)
{
    int32_t width = 1;
    while ((n + width - 1) / width > size) {
        width *= 2;
    }
    return width;
}

AttnSummaryShape attn_summary_shape(const AttnArgs *args, int32_t size)
{
    int32_t n_keys = args->n_keys == 0 ? args->n_queries : args->n_keys;
    size = size == 0 ? ATTN_SUMMARY_DEFAULT : size;
    AttnSummaryShape shape = {.n_queries = args->n_queries, .n_keys = n_keys};
    shape.row_width = power_of_two_width(shape.n_queries, size > 0 ? size : 1);
    shape.col_width = power_of_two_width(shape.n_keys, size > 0 ? size : 1);
    shape.n_rows = (shape.n_queries + shape.row_width - 1) / shape.row_width;
    shape.n_cols = (shape.n_keys + shape.col_width - 1) / shape.col_width;
    shape.triangular = (args->mask.kind & ATTN_MASK_CAUSAL) != 0 && args->mask.q_offset == 0 &&
                       shape.n_queries == shape.n_keys;
    shape.n_texels = shape.triangular ? (int64_t)shape.n_rows * (shape.n_rows + 1) / 2
                                      : (int64_t)shape.n_rows * shape.n_cols;
    return shape;
}

void attn_texel_row_carve(AttnTexelRow *texels, const AttnSummaryShape *shape, const AttnPlan *plan,
                          AttnCarver *carver)
{
    int32_t n_steps = (shape->n_keys + ATTN_STEP - 1) / ATTN_STEP;
    int32_t n =
        shape->col_width < ATTN_STEP ? n_steps * (ATTN_STEP / shape->col_width) : shape->n_cols;
    texels->shape = *shape;
    texels->lanes = plan->kernel->lanes;
    texels->block_steps = plan->block_steps;
    texels->ld = (n + ATTN_PAD - 1) / ATTN_PAD * ATTN_PAD;
    texels->sum = attn_carve(carver, (size_t)texels->ld, sizeof(float));
    texels->max = attn_carve(carver, (size_t)texels->ld, sizeof(float));
    texels->total = attn_carve(carver, (size_t)texels->ld, sizeof(double));
}

void attn_texel_row_clear(AttnTexelRow *texels)
{
    texels->n_rows = texels->n_pending = 0;
    texels->flushed = false;
}

/* Slots of the texels of n_keys: whole vectors, and narrow texels are in order only step by step.
 */
static int32_t slots_of(const AttnTexelRow *texels, int32_t n_keys)
{
    int32_t width = texels->shape.col_width;
    int32_t whole = width < ATTN_STEP ? (n_keys + ATTN_STEP - 1) / ATTN_STEP * ATTN_STEP : n_keys;
    int32_t n_slots = (whole + width - 1) / width;
    return (n_slots + ATTN_PAD - 1) / ATTN_PAD * ATTN_PAD;
}

void attn_texel_row_start(const AttnTexelRow *texels, int32_t n_rows, int32_t begin, int32_t end,
                          int32_t last_end, float *sum, float *max)
{
    int32_t width = texels->shape.col_width, first = 0, stop = 0;
    int32_t n_slots = slots_of(texels, last_end);
    int32_t stored =
        texels->block_steps * ATTN_STEP / width; /* 0 where a texel is several blocks' */
    if (stored > 0 && stored % texels->lanes == 0 && begin < end) {
        int32_t key = begin / ATTN_STEP * ATTN_STEP;
        first = (key + width - 1) / width;
        stop = (end + ATTN_STEP - 1) / ATTN_STEP * ATTN_STEP / width;
        stop = stop > first ? stop : first;
    }
    for (int32_t r = 0; r < n_rows; r++, sum += texels->ld, max += texels->ld) {
        for (int32_t c = 0; c < first; c++) {
            sum[c] = 0;
            max[c] = -INFINITY;
        }
        for (int32_t c = stop; c < n_slots; c++) {
            sum[c] = 0;
            max[c] = -INFINITY;
        }
    }
}

static void flush(AttnTexelRow *texels)
{
    for (int32_t c = 0; c < texels->ld; c++) {
        texels->total[c] = (texels->flushed ? texels->total[c] : 0) + (double)texels->sum[c];
        texels->sum[c] = 0;
    }
    texels->n_pending = 0;
    texels->flushed = true;
}

/* Sums into means, which are written in order; only a texel of the last column may be narrower. */
static void write_means(AttnTexelRow *texels, const AttnKernel *kernel, double height, int32_t n,
                        float *mean)
{
    const AttnSummaryShape *shape = &texels->shape;
    int32_t runs = attn_texel_runs(texels->lanes, shape->col_width), last_begin, last_end;
    attn_summary_texel_cols(shape, shape->n_cols - 1, &last_begin, &last_end);
    int32_t last = attn_texel_slot(texels->lanes, shape->col_width, shape->n_cols - 1);
    double last_sum = (texels->flushed ? texels->total[last] : 0) + (double)texels->sum[last];
    double per_pair = 1 / (height * shape->col_width);
    if (!texels->flushed && (double)(float)per_pair == per_pair) { /* one rounding, as below */
        kernel->order_texels(texels->sum, n, runs, (float)per_pair, mean);
    } else {
        if (!texels->flushed) {
            flush(texels);
        }
        for (int32_t c = 0; c < texels->ld; c++) {
            texels->sum[c] = (float)((texels->total[c] + (double)texels->sum[c]) * per_pair);
        }
        kernel->order_texels(texels->sum, n, runs, 1.0f, mean);
    }
    if (n == shape->n_cols) {
        mean[n - 1] = (float)(last_sum / (height * (last_end - last_begin)));
    }
}

static void add_some(AttnTexelRow *texels, const AttnKernel *kernel, const AttnTexelRows *rows)
{
    bool fresh = texels->n_rows == 0;
    if (fresh) {
        size_t behind = (size_t)(texels->ld - rows->n_slots) * sizeof(float);
        memset(texels->sum + rows->n_slots, 0, behind);
        memset(texels->max + rows->n_slots, 0, behind);
    }
    kernel->fold_texels(rows, fresh, texels->sum, texels->max);
    texels->n_rows += rows->n_rows;
    texels->n_pending += rows->n_rows;
    if (texels->n_pending == FLUSH_ROWS) {
        flush(texels);
    }
}

void attn_texel_row_add(AttnTexelRow *texels, const AttnKernel *kernel, const AttnTexelRows *rows,
                        int32_t n_keys, int32_t row, float *mean, float *max)
{
    const AttnSummaryShape *shape = &texels->shape;
    int32_t width = shape->col_width, n_slots = slots_of(texels, n_keys), begin, end;
    attn_summary_texel_rows(shape, row, &begin, &end);
    for (int32_t r = 0, n; r < rows->n_rows; r += n) {
        int32_t room = FLUSH_ROWS - texels->n_pending;
        n = rows->n_rows - r < room ? rows->n_rows - r : room;
        AttnTexelRows some = {.sum = rows->sum + r * rows->ld,
                              .largest = rows->largest + r * rows->ld,
                              .ld = rows->ld,
                              .n_rows = n,
                              .n_slots = n_slots,
                              .inverse = rows->inverse + r,
                              .reference = rows->reference + r,
                              .factor = rows->factor + r,
                              .log_sum = rows->log_sum + r};
        add_some(texels, kernel, &some);
    }
    if (texels->n_rows < end - begin) {
        return;
    }
    int32_t n = shape->triangular ? row + 1 : shape->n_cols;
    int64_t at = attn_summary_index(shape, row, 0);
    if (max) {
        kernel->order_texels(texels->max, n, attn_texel_runs(texels->lanes, width), 1.0f, max + at);
    }
    if (mean) {
        write_means(texels, kernel, end - begin, n, mean + at);
    }
    attn_texel_row_clear(texels);
}
