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

void attn_texel_row_carve(AttnTexelRow *texels, const AttnSummaryShape *shape, AttnCarver *carver)
{
    texels->shape = *shape;
    texels->ld = (shape->n_cols + ATTN_PAD - 1) / ATTN_PAD * ATTN_PAD;
    size_t n = (size_t)texels->ld;
    texels->sum = attn_carve(carver, n, sizeof(float));
    texels->max = attn_carve(carver, n, sizeof(float));
    texels->total = attn_carve(carver, n, sizeof(double));
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
                        const float *largest, int32_t n_cols, float inverse, float reference,
                        float factor)
{
    int32_t padded = (n_cols + ATTN_PAD - 1) / ATTN_PAD * ATTN_PAD;
    kernel->fold_texels(sum, largest, padded, inverse, reference, factor, texels->sum, texels->max);
    if (++texels->n_pending == FLUSH_ROWS) {
        flush(texels);
    }
}

void attn_texel_row_write(AttnTexelRow *texels, int32_t row, float *mean, float *max)
{
    const AttnSummaryShape *shape = &texels->shape;
    flush(texels);
    int32_t row_begin, row_end;
    attn_summary_texel_rows(shape, row, &row_begin, &row_end);
    int32_t stored = shape->triangular ? row + 1 : shape->n_cols;
    int64_t at = attn_summary_index(shape, row, 0);
    for (int32_t col = 0; col < stored; col++) {
        int32_t begin, end;
        attn_summary_texel_cols(shape, col, &begin, &end);
        if (mean) {
            double pairs = (double)(row_end - row_begin) * (double)(end - begin);
            mean[at + col] = (float)(texels->total[col] / pairs);
        }
        if (max) {
            max[at + col] = texels->max[col];
        }
    }
    attn_texel_row_clear(texels);
}
