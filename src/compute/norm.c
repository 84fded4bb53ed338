#include "compute/norm.h"

#include <math.h>

#include "compute/threads.h"

COMPUTE_CLONES static double sum_of(const float *x, int32_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; i++) {
        sum += (double)x[i];
    }
    return sum;
}

COMPUTE_CLONES static double sum_of_squares(const float *x, double mean, int32_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; i++) {
        const double d = (double)x[i] - mean;
        sum += d * d;
    }
    return sum;
}

/* One loop a kind: a test of what is absent inside it would keep it from becoming vectors. */
COMPUTE_CLONES static void scale_row(const NormArgs *a, const float *x, float *y, float mean,
                                     float factor)
{
    const float *weight = a->weight, *bias = a->bias;
    const int32_t n = a->width;
    if (weight && bias) {
#pragma omp simd
        for (int32_t i = 0; i < n; i++) {
            y[i] = (x[i] - mean) * factor * weight[i] + bias[i];
        }
    } else if (weight) {
#pragma omp simd
        for (int32_t i = 0; i < n; i++) {
            y[i] = (x[i] - mean) * factor * weight[i];
        }
    } else {
#pragma omp simd
        for (int32_t i = 0; i < n; i++) {
            const float value = (x[i] - mean) * factor;
            y[i] = bias ? value + bias[i] : value;
        }
    }
}

void norm_forward(const NormArgs *args, int n_threads)
{
    const NormArgs a = *args;
#pragma omp parallel for num_threads(compute_threads(n_threads)) schedule(static)
    for (int64_t r = 0; r < a.rows; r++) {
        const float *x = a.x + r * a.x_stride;
        const double mean = a.kind == NORM_LAYER ? sum_of(x, a.width) / a.width : 0.0;
        const double square = sum_of_squares(x, mean, a.width) / a.width;
        scale_row(&a, x, a.y + r * a.y_stride, (float)mean,
                  (float)(1.0 / sqrt(square + (double)a.eps)));
    }
}
