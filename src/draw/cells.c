#include "draw/draw_list.h"

#include <math.h>

static bool is_masked(const DrawCells *c, int32_t row, int32_t col, float value)
{
    return !(value > -INFINITY) ||
           (c->hide_future && (int64_t)col > (int64_t)row + c->future_offset);
}

/* First input index of output i when n inputs become n_out outputs: outputs partition the inputs.
 */
static int32_t part_start(int32_t i, int32_t n, int32_t n_out)
{
    return (int32_t)((int64_t)i * n / n_out);
}

static float reduce_block(const DrawCells *c, int32_t r0, int32_t r1, int32_t c0, int32_t c1)
{
    double sum = 0;
    float most = -INFINITY;
    int64_t n = 0;
    for (int32_t r = r0; r < r1; r++) {
        const float *row = c->source.values + (ptrdiff_t)r * c->source.stride;
        for (int32_t k = c0; k < c1; k++) {
            if (!is_masked(c, r, k, row[k])) {
                sum += (double)row[k];
                most = AS_MAX(most, row[k]);
                n++;
            }
        }
    }
    if (n == 0) {
        return -INFINITY;
    }
    return c->reduce == CELL_MEAN ? (float)(sum / (double)n) : most;
}

void cells_reduce(const DrawCells *cells, int32_t out_rows, int32_t out_cols, float *out)
{
    int32_t rows = cells->source.rows;
    int32_t cols = cells->source.cols;
    for (int32_t i = 0; i < out_rows; i++) {
        int32_t r0 = part_start(i, rows, out_rows);
        int32_t r1 = AS_MAX(part_start(i + 1, rows, out_rows), r0 + 1);
        for (int32_t k = 0; k < out_cols; k++) {
            int32_t c0 = part_start(k, cols, out_cols);
            int32_t c1 = AS_MAX(part_start(k + 1, cols, out_cols), c0 + 1);
            out[(size_t)i * (size_t)out_cols + (size_t)k] = reduce_block(cells, r0, r1, c0, c1);
        }
    }
}
