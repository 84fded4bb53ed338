#include "compute/rows.h"

#include <math.h>

#include "compute/threads.h"

void rows_add(float *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride, int64_t rows,
              int32_t width, int n_threads)
{
#pragma omp parallel for num_threads(compute_threads(n_threads)) schedule(static)
    for (int64_t r = 0; r < rows; r++) {
        float *to = y + r * y_stride;
        const float *from = x + r * x_stride;
#pragma omp simd
        for (int32_t i = 0; i < width; i++) {
            to[i] += from[i];
        }
    }
}

void rows_soft_cap(float *x, ptrdiff_t stride, float cap, int64_t rows, int32_t width,
                   int n_threads)
{
#pragma omp parallel for num_threads(compute_threads(n_threads)) schedule(static)
    for (int64_t r = 0; r < rows; r++) {
        for (int32_t i = 0; i < width; i++) {
            x[r * stride + i] = cap * tanhf(x[r * stride + i] / cap);
        }
    }
}
