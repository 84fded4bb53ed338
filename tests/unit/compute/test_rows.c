/*
 * Norms, activations and row operations against float64 formulas.
 */
#include "testing.h"

#include <stdlib.h>

#include "base/random.h"
#include "compute/activation.h"
#include "compute/norm.h"
#include "compute/rows.h"

enum { ROWS = 7, WIDTH = 83, STRIDE = 90 };

static void fill(float *x, size_t n, uint64_t seed, double scale)
{
    Random random = {seed};
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)(scale * random_normal(&random));
    }
}

/* ---- norms */

static double norm_value(const NormArgs *a, const float *row, int32_t i)
{
    double mean = 0, square = 0;
    for (int32_t j = 0; a->kind == NORM_LAYER && j < a->width; j++) {
        mean += (double)row[j] / a->width;
    }
    for (int32_t j = 0; j < a->width; j++) {
        square += ((double)row[j] - mean) * ((double)row[j] - mean) / a->width;
    }
    const double w = a->weight ? (double)a->weight[i] : 1.0;
    return ((double)row[i] - mean) / sqrt(square + (double)a->eps) * w +
           (a->bias ? (double)a->bias[i] : 0.0);
}

static void test_norm_forward__kinds_and_places(void **state)
{
    (void)state;
    static float x[ROWS * STRIDE], y[ROWS * STRIDE], weight[WIDTH], bias[WIDTH];
    fill(weight, WIDTH, 1, 1);
    fill(bias, WIDTH, 2, 1);
    for (int variant = 0; variant < 16; variant++) {
        const bool in_place = variant & 8;
        NormArgs a = {.kind = variant & 1 ? NORM_RMS : NORM_LAYER,
                      .x = x,
                      .y = in_place ? x : y,
                      .x_stride = STRIDE,
                      .y_stride = STRIDE,
                      .weight = variant & 2 ? weight : NULL,
                      .bias = variant & 4 ? bias : NULL,
                      .eps = 1e-5f,
                      .rows = ROWS,
                      .width = WIDTH};
        static float want[ROWS * STRIDE];
        fill(x, ROWS * STRIDE, 3, 4);
        memcpy(y, x, sizeof y);
        memcpy(want, x, sizeof want);
        for (int32_t r = 0; r < ROWS; r++) {
            for (int32_t i = 0; i < WIDTH; i++) {
                want[r * STRIDE + i] = (float)norm_value(&a, x + r * STRIDE, i);
            }
        }
        norm_forward(&a, 1 + variant % 3);
        assert_close(a.y, want, ROWS * STRIDE, 1e-6, 1e-6);
    }
}

static void test_norm_forward__large_mean_keeps_its_digits(void **state)
{
    (void)state;
    float x[64], y[64];
    for (int i = 0; i < 64; i++) {
        x[i] = 10000.0f + (float)(i % 2);
    }
    norm_forward(
        &(NormArgs){.x = x, .y = y, .x_stride = 64, .y_stride = 64, .rows = 1, .width = 64}, 1);
    for (int i = 0; i < 64; i++) {
        assert_true(fabs((double)y[i] - (i % 2 ? 1.0 : -1.0)) < 1e-5);
    }
}

/* ---- activations */

static double activation_value(Activation activation, double x)
{
    switch (activation) {
    case ACTIVATION_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2.0)));
    case ACTIVATION_GELU_TANH:
        return 0.5 * x *
               (1 + tanh(sqrt(2.0 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case ACTIVATION_SILU:
        return x / (1 + exp(-x));
    case ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case ACTIVATION_TANH:
        return tanh(x);
    case ACTIVATION_NONE:
    case ACTIVATION_COUNT:
        break;
    }
    return x;
}

static void test_activation_forward__every_kind(void **state)
{
    (void)state;
    enum { N = 4096 };
    static float x[N], up[N], plain[N], gated[N], want[N], want_gated[N];
    for (int a = 0; a < ACTIVATION_COUNT; a++) {
        fill(up, N, 5, 1);
        for (int i = 0; i < N; i++) {
            x[i] = -100.0f + 200.0f * (float)i / (N - 1);
            x[i] = i % 3 ? x[i] / 20 : x[i]; /* dense where it bends */
            want[i] = (float)activation_value((Activation)a, (double)x[i]);
            want_gated[i] = (float)(activation_value((Activation)a, (double)x[i]) * (double)up[i]);
        }
        memcpy(plain, x, sizeof x);
        memcpy(gated, x, sizeof x);
        activation_forward((Activation)a, plain, N / 4, NULL, 0, 4, N / 4, 2);
        activation_forward((Activation)a, gated, N / 4, up, N / 4, 4, N / 4, 2);
        assert_close(plain, want, N, 3e-7, 1e-6);
        assert_close(gated, want_gated, N, 1e-6, 1e-6);
    }
}

static void test_activation_parse__names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        Activation activation;
    } GOOD[] = {
        {"gelu", ACTIVATION_GELU},   {"gelu_new", ACTIVATION_GELU_TANH},
        {"silu", ACTIVATION_SILU},   {"gelu_pytorch_tanh", ACTIVATION_GELU_TANH},
        {"swish", ACTIVATION_SILU},  {"relu", ACTIVATION_RELU},
        {"linear", ACTIVATION_NONE}, {"tanh", ACTIVATION_TANH},
    };
    static const char *const BAD[] = {"", "GELU", "gel", "gelu|gelu_new", "silu ", "quick_gelu"};
    Activation activation;
    for (size_t i = 0; i < AS_COUNT(GOOD); i++) {
        assert_true(activation_parse(GOOD[i].name, &activation));
        assert_int_equal(activation, GOOD[i].activation);
        assert_non_null(strstr(activation_known(), GOOD[i].name));
    }
    for (size_t i = 0; i < AS_COUNT(BAD); i++) {
        assert_false(activation_parse(BAD[i], &activation));
    }
}

/* ---- rows */

static void test_rows_add__strides(void **state)
{
    (void)state;
    float y[] = {1, 2, 9, 3, 4, 9}, x[] = {10, 20, 30, 40};
    const float want[] = {11, 22, 9, 33, 44, 9};
    rows_add(y, 3, x, 2, 2, 2, 2);
    assert_close(y, want, 6, 0, 0);
}

static void test_rows_soft_cap__bounds(void **state)
{
    (void)state;
    float x[] = {0, 1, -1, 30, 1000, -1000, -INFINITY};
    const float want[] = {0,
                          (float)(30 * tanh(1.0 / 30)),
                          (float)(-30 * tanh(1.0 / 30)),
                          (float)(30 * tanh(1.0)),
                          30,
                          -30,
                          -30};
    rows_soft_cap(x, 7, 30, 1, 7, 1);
    assert_close(x, want, 7, 1e-6, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norm_forward__kinds_and_places),
        cmocka_unit_test(test_norm_forward__large_mean_keeps_its_digits),
        cmocka_unit_test(test_activation_forward__every_kind),
        cmocka_unit_test(test_activation_parse__names),
        cmocka_unit_test(test_rows_add__strides),
        cmocka_unit_test(test_rows_soft_cap__bounds),
    };
    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
