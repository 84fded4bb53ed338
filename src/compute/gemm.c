#include "compute/gemm.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#if !ATTNSCOPE_PLAIN_GEMM
#include <oneapi/dnnl/dnnl.h>
#endif

#include "compute/gemm_kernel.h"
#include "compute/threads.h"

/* Measured with the shapes of small models: near the peak of one core, and enough tiles to share.
 */
enum { TILE_ROWS = 128, MOST_COLUMNS = 576, COLUMN_STEP = 48 };
/* Of our own kernel: w is packed once a tile, so rows are as many as leave each thread some. */
enum { MOST_ROWS = 1024, LEAST_ROWS = 128, TILES_A_THREAD = 4, WORTH_PACKING = 16 };

/* Asked for here: code that finds out what a processor has is compiled for every processor. */
bool gemm_avx512_here(void)
{
#if defined(__x86_64__) && !ATTNSCOPE_PLAIN_GEMM
    const char *isa = getenv("ATTNSCOPE_ISA");
    const bool wanted = !isa || !*isa || strcmp(isa, "auto") == 0 || strcmp(isa, "avx512") == 0;
    return wanted && __builtin_cpu_supports("avx512f");
#else
    return false;
#endif
}

#if ATTNSCOPE_PLAIN_GEMM
static bool multiply(const GemmArgs *a, const GemmTile *tile)
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
static bool multiply(const GemmArgs *a, const GemmTile *tile)
{
    const float *w = a->w + (a->w_in_out ? tile->column : (ptrdiff_t)tile->column * a->w_stride);
    const float *x = a->x + (ptrdiff_t)tile->row * a->x_stride;
    float *y = a->y + (ptrdiff_t)tile->row * a->y_stride + tile->column;
    bool ok = true;
    for (int32_t k = 0; k < a->in && ok; k += GEMM_DEPTH) {
        ok = dnnl_sgemm('N', a->w_in_out ? 'N' : 'T', tile->n_rows, tile->n_columns,
                        AS_MIN(GEMM_DEPTH, a->in - k), 1.0f, x + k, a->x_stride,
                        w + (a->w_in_out ? k * a->w_stride : k), a->w_stride,
                        a->accumulate || k > 0 ? 1.0f : 0.0f, y, a->y_stride) == dnnl_success;
    }
    return ok;
}
#endif

static void add_bias(const GemmArgs *a, const GemmTile *tile)
{
    for (int32_t i = tile->row; i < tile->row + tile->n_rows; i++) {
        float *y = a->y + (ptrdiff_t)i * a->y_stride;
#pragma omp simd
        for (int32_t j = tile->column; j < tile->column + tile->n_columns; j++) {
            y[j] += a->bias[j];
        }
    }
}

/* Columns of a tile of oneDNN's: even shares, so that no narrow rest is left over. */
static int32_t tile_columns(int32_t out)
{
    const int32_t n = (out - 1) / MOST_COLUMNS + 1;
    const int32_t share = (out - 1) / n + 1;
    return ((share - 1) / COLUMN_STEP + 1) * COLUMN_STEP;
}

typedef struct Tiling {
    bool own; /* kernel */
    int32_t rows, columns;
    int64_t n_down, n_across;
} Tiling;

static int64_t tiles_of(int32_t n, int32_t size)
{
    return ((int64_t)n + size - 1) / size;
}

/* An element of y is the same whatever its tile, so threads may have a say. */
static Tiling tiling_of(const GemmArgs *a, int n_threads)
{
    Tiling t = {.own = a->rows >= WORTH_PACKING && gemm_avx512_here()};
    t.columns = t.own ? GEMM_AVX512_COLUMNS : tile_columns(a->out);
    t.n_across = tiles_of(a->out, t.columns);
    for (t.rows = t.own ? MOST_ROWS : TILE_ROWS;
         t.rows > LEAST_ROWS && tiles_of(a->rows, t.rows) * t.n_across < TILES_A_THREAD * n_threads;
         t.rows /= 2) {
    }
    t.n_down = tiles_of(a->rows, t.rows);
    return t;
}

static bool run_tile(const GemmArgs *a, const Tiling *tiling, int64_t index)
{
    /* Down first: neighbours share a part of w, the larger operand. */
    GemmTile tile = {.row = (int32_t)(index % tiling->n_down) * tiling->rows,
                     .column = (int32_t)(index / tiling->n_down) * tiling->columns};
    tile.n_rows = AS_MIN(tiling->rows, a->rows - tile.row);
    tile.n_columns = AS_MIN(tiling->columns, a->out - tile.column);
    bool ok = true;
    if (tiling->own) {
        gemm_avx512_multiply(a, &tile);
    } else {
        ok = multiply(a, &tile);
    }
    if (a->bias) {
        add_bias(a, &tile);
    }
    return ok;
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
    const Tiling tiling = tiling_of(&a, compute_threads(n_threads));
    bool failed = false;
#pragma omp parallel num_threads(compute_threads(n_threads)) reduction(|| : failed)
    {
        /* oneDNN looks at OpenMP to choose its own threads; in a team of one it would take all. The
         * setting is this implicit task's own and ends with it. */
        omp_set_num_threads(1);
#pragma omp for schedule(dynamic, 1)
        for (int64_t t = 0; t < tiling.n_down * tiling.n_across; t++) {
            failed = failed || !run_tile(&a, &tiling, t);
        }
    }
    if (failed) {
        return error_set(err, ERR_INTERNAL, "oneDNN refused a matrix product [%d, %d] x [%d, %d]",
                         a.rows, a.in, a.in, a.out);
    }
    return true;
}
