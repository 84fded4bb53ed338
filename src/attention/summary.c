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

void attn_texel_row_carve(AttnTexelRow *texels, const AttnSummaryShape *shape, int32_t lanes,
                          AttnCarver *carver)
{
    int32_t n_steps = (shape->n_keys + ATTN_STEP - 1) / ATTN_STEP;
    int32_t n =
        shape->col_width < ATTN_STEP ? n_steps * (ATTN_STEP / shape->col_width) : shape->n_cols;
    texels->shape = *shape;
    texels->lanes = lanes;
    texels->ld = (n + ATTN_PAD - 1) / ATTN_PAD * ATTN_PAD;
    texels->sum = attn_carve(carver, (size_t)texels->ld, sizeof(float));
    texels->max = attn_carve(carver, (size_t)texels->ld, sizeof(float));
    texels->total = attn_carve(carver, (size_t)texels->ld, sizeof(double));
}

void attn_texel_row_clear(AttnTexelRow *texels)
{
    size_t n = (size_t)texels->ld;
    memset(texels->sum, 0, n * sizeof(float));
    memset(texels->max, 0, n * sizeof(float));
    texels->n_pending = 0;
    texels->flushed = false;
}

void attn_texel_row_start(const AttnTexelRow *texels, int32_t n_rows, int32_t begin, int32_t end,
                          float *sum, float *max)
{
    int32_t width = texels->shape.col_width, first = 0, stop = 0;
    if (ATTN_BLOCK_STEPS * ATTN_STEP / width % texels->lanes == 0 && begin < end) {
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
        for (int32_t c = stop; c < texels->ld; c++) {
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

void attn_texel_row_add(AttnTexelRow *texels, const AttnKernel *kernel, const float *sum,
                        const float *largest, int32_t n_keys, float inverse, float reference,
                        float factor)
{
    int32_t width = texels->shape.col_width;
    /* Narrow texels are in order only step by step. */
    int32_t whole = width < ATTN_STEP ? (n_keys + ATTN_STEP - 1) / ATTN_STEP * ATTN_STEP : n_keys;
    int32_t n = (whole + width - 1) / width;
    kernel->fold_texels(sum, largest, (n + ATTN_PAD - 1) / ATTN_PAD * ATTN_PAD, inverse, reference,
                        factor, texels->sum, texels->max);
    if (++texels->n_pending == FLUSH_ROWS) {
        flush(texels);
    }
}

/* n texels, whole steps of them; lanes and runs are constants, which makes this a few shuffles. */
static inline void copy_steps(const float *slots, int32_t n, const int32_t lanes,
                              const int32_t runs, float *restrict out)
{
    for (int32_t col = 0; col < n; col += runs * lanes) {
        for (int32_t lane = 0; lane < lanes; lane++) {
            for (int32_t run = 0; run < runs; run++) {
                out[col + lane * runs + run] = slots[col + run * lanes + lane];
            }
        }
    }
}

/* The first n texels of a row out of their slots. */
static void copy_in_order(const float *slots, int32_t lanes, int32_t col_width, int32_t n,
                          float *out)
{
    int32_t runs = ATTN_STEP / lanes / col_width;
    if (runs <= 1) {
        memcpy(out, slots, (size_t)n * sizeof(float));
        return;
    }
    int32_t whole = n - n % (runs * lanes);
    if (lanes == 16 && runs == 2) {
        copy_steps(slots, whole, 16, 2, out);
    } else if (lanes == 16) {
        copy_steps(slots, whole, 16, 4, out);
    } else if (lanes == 8 && runs == 2) {
        copy_steps(slots, whole, 8, 2, out);
    } else if (lanes == 8 && runs == 4) {
        copy_steps(slots, whole, 8, 4, out);
    } else {
        copy_steps(slots, whole, lanes, runs, out);
    }
    for (int32_t col = whole; col < n; col++) {
        out[col] = slots[attn_texel_slot(lanes, col_width, col)];
    }
}

void attn_texel_row_write(AttnTexelRow *texels, int32_t row, float *mean, float *max)
{
    const AttnSummaryShape *shape = &texels->shape;
    int32_t row_begin, row_end, last_begin, last_end;
    attn_summary_texel_rows(shape, row, &row_begin, &row_end);
    attn_summary_texel_cols(shape, shape->n_cols - 1, &last_begin, &last_end);
    double height = row_end - row_begin;
    int32_t n = shape->triangular ? row + 1 : shape->n_cols;
    int64_t at = attn_summary_index(shape, row, 0);
    if (max) {
        copy_in_order(texels->max, texels->lanes, shape->col_width, n, max + at);
    }
    if (mean) {
        int32_t last = attn_texel_slot(texels->lanes, shape->col_width, shape->n_cols - 1);
        double last_sum = (texels->flushed ? texels->total[last] : 0) + (double)texels->sum[last];
        double per_pair = 1 / (height * shape->col_width);
        if (!texels->flushed && (double)(float)per_pair == per_pair) {
            for (int32_t c = 0; c < texels->ld; c++) { /* one rounding, as below */
                texels->sum[c] *= (float)per_pair;
            }
        } else {
            if (!texels->flushed) {
                flush(texels);
            }
            for (int32_t c = 0; c < texels->ld; c++) {
                texels->sum[c] = (float)((texels->total[c] + (double)texels->sum[c]) * per_pair);
            }
        }
        texels->sum[last] = (float)(last_sum / (height * (last_end - last_begin)));
        copy_in_order(texels->sum, texels->lanes, shape->col_width, n, mean + at);
    }
    attn_texel_row_clear(texels);
}
