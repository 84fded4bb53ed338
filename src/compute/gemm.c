#include "compute/gemm.h"

#include <omp.h>
#if !ATTNSCOPE_PLAIN_GEMM
#include <oneapi/dnnl/dnnl.h>
#endif

#include "compute/threads.h"

/* Measured with the shapes of small models: near the peak of one core, and enough tiles to share.
 */
enum { TILE_ROWS = 128, MOST_COLUMNS = 576, COLUMN_STEP = 48 };
/* Products are summed over this many at a time and the sums added up: half the rounding error of
 * one long sum (Higham 2002, Accuracy and Stability of Numerical Algorithms, 4.2), at no cost that
 * could be measured. Weights within 1e-5 of a reference depend on it. */
enum { BLOCK_DEPTH = 128 };

typedef struct Tile {
    int32_t row, n_rows, column, n_columns;
} Tile;

#if ATTNSCOPE_PLAIN_GEMM
static bool multiply(const GemmArgs *a, const Tile *tile)
{
    for (int32_t i = tile->row; i < tile->row + tile->n_rows; i++) {
        const float *x = a->x + (ptrdiff_t)i * a->x_stride;
        float *y = a->y + (ptrdiff_t)i * a->y_stride;
        for (int32_t j = tile->column; j < tile->column + tile->n_columns; j++) {
            const float *w = a->w + (a->w_in_out ? j : (ptrdiff_t)j * a->w_stride);
            const ptrdiff_t step = a->w_in_out ? a->w_stride : 1;
            float sum = 0;
            for (int32_t k = 0; k < a->in; k++) {
                sum += x[k] * w[k * step];
            }
            y[j] = a->accumulate ? y[j] + sum : sum;
        }
    }
    return true;
}
#else
static bool multiply(const GemmArgs *a, const Tile *tile)
{
    const float *w = a->w + (a->w_in_out ? tile->column : (ptrdiff_t)tile->column * a->w_stride);
    const float *x = a->x + (ptrdiff_t)tile->row * a->x_stride;
    float *y = a->y + (ptrdiff_t)tile->row * a->y_stride + tile->column;
    bool ok = true;
    for (int32_t k = 0; k < a->in && ok; k += BLOCK_DEPTH) {
        ok = dnnl_sgemm('N', a->w_in_out ? 'N' : 'T', tile->n_rows, tile->n_columns,
                        AS_MIN(BLOCK_DEPTH, a->in - k), 1.0f, x + k, a->x_stride,
                        w + (a->w_in_out ? k * a->w_stride : k), a->w_stride,
                        a->accumulate || k > 0 ? 1.0f : 0.0f, y, a->y_stride) == dnnl_success;
    }
    return ok;
}
#endif

static void add_bias(const GemmArgs *a, const Tile *tile)
{
    for (int32_t i = tile->row; i < tile->row + tile->n_rows; i++) {
        float *y = a->y + (ptrdiff_t)i * a->y_stride;
#pragma omp simd
        for (int32_t j = tile->column; j < tile->column + tile->n_columns; j++) {
            y[j] += a->bias[j];
        }
    }
}

/* Columns of a tile: even shares, so that no narrow rest is left over. */
static int32_t tile_columns(int32_t out)
{
    const int32_t n = (out - 1) / MOST_COLUMNS + 1;
    const int32_t share = (out - 1) / n + 1;
    return ((share - 1) / COLUMN_STEP + 1) * COLUMN_STEP;
}

bool gemm_forward(const GemmArgs *args, int n_threads, Error *err)
{
    GemmArgs a = *args;
    a.x_stride = a.x_stride ? a.x_stride : a.in;
    a.w_stride = a.w_stride ? a.w_stride : a.w_in_out ? a.out : a.in;
    a.y_stride = a.y_stride ? a.y_stride : a.out;
    if (a.rows < 0 || a.in < 1 || a.out < 1 || a.x_stride < a.in || a.y_stride < a.out ||
        a.w_stride < (a.w_in_out ? a.out : a.in)) {
        return error_set(err, ERR_RANGE,
                         "matrix product [%d, %d] x [%d, %d] with row strides %td, %td, %td",
                         a.rows, a.in, a.in, a.out, a.x_stride, a.w_stride, a.y_stride);
    }
    const int64_t n_down = ((int64_t)a.rows + TILE_ROWS - 1) / TILE_ROWS;
    const int32_t columns = tile_columns(a.out);
    const int64_t n_across = ((int64_t)a.out + columns - 1) / columns;
    bool failed = false;
#pragma omp parallel num_threads(compute_threads(n_threads)) reduction(|| : failed)
    {
        /* oneDNN looks at OpenMP to choose its own threads; in a team of one it would take all. The
         * setting is this implicit task's own and ends with it. */
        omp_set_num_threads(1);
#pragma omp for schedule(dynamic, 1)
        for (int64_t t = 0; t < n_down * n_across; t++) {
            /* Down first: neighbours share a part of w, the larger operand. */
            Tile tile = {.row = (int32_t)(t % n_down) * TILE_ROWS,
                         .column = (int32_t)(t / n_down) * columns};
            tile.n_rows = AS_MIN(TILE_ROWS, a.rows - tile.row);
            tile.n_columns = AS_MIN(columns, a.out - tile.column);
            failed = failed || !multiply(&a, &tile);
            if (a.bias) {
                add_bias(&a, &tile);
            }
        }
    }
    if (failed) {
        return error_set(err, ERR_INTERNAL, "oneDNN refused a matrix product [%d, %d] x [%d, %d]",
                         a.rows, a.in, a.in, a.out);
    }
    return true;
}
