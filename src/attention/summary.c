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
    memset(texels->total, 0, n * sizeof(double));
    texels->n_pending = 0;
}

static void flush(AttnTexelRow *texels)
{
    for (int32_t c = 0; c < texels->ld; c++) {
        texels->total[c] += (double)texels->sum[c];
        texels->sum[c] = 0;
    }
    texels->n_pending = 0;
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

void attn_texel_row_write(AttnTexelRow *texels, int32_t row, float *mean, float *max)
{
    const AttnSummaryShape *shape = &texels->shape;
    int32_t row_begin, row_end, last_begin, last_end;
    attn_summary_texel_rows(shape, row, &row_begin, &row_end);
    attn_summary_texel_cols(shape, shape->n_cols - 1, &last_begin, &last_end);
    int32_t stored = shape->triangular ? row + 1 : shape->n_cols;
    int64_t at = attn_summary_index(shape, row, 0);
    double per_pair = 1.0 / ((double)(row_end - row_begin) * shape->col_width);
    double per_last_pair = 1.0 / ((double)(row_end - row_begin) * (last_end - last_begin));
    for (int32_t col = 0; col < stored; col++) {
        int32_t slot = attn_texel_slot(texels->lanes, shape->col_width, col);
        double total = texels->total[slot] + (double)texels->sum[slot];
        if (mean) {
            mean[at + col] = (float)(total * (col == shape->n_cols - 1 ? per_last_pair : per_pair));
        }
        if (max) {
            max[at + col] = texels->max[slot];
        }
    }
    attn_texel_row_clear(texels);
}
