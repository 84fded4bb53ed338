/*
 * gemm_forward against float64 loops, in every layout, and the same bits for any thread count.
 */
#include "testing.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/random.h"
#include "compute/gemm.h"

typedef struct Case {
    int32_t rows, in, out;
    bool w_in_out, bias, accumulate;
    int32_t slack; /* extra elements in every row */
} Case;

static const Case CASES[] = {
    {1, 1, 1, false, false, false, 0},      {1, 64, 48, false, true, false, 0},
    {3, 5, 7, true, true, false, 2},        {17, 33, 65, false, false, true, 3},
    {128, 64, 512, false, true, false, 0},  {129, 31, 513, false, true, true, 0},
    {200, 96, 1030, true, false, false, 5}, {300, 40, 600, true, true, true, 1},
    {15, 260, 50, false, true, false, 0},   {1100, 150, 17, false, true, true, 0},
    {531, 129, 97, true, true, true, 7},
};

static float *random_floats(Arena *arena, size_t n, uint64_t seed)
{
    Random random = {seed};
    Error err = {0};
    float *x = ARENA_ARRAY(arena, float, n, &err);
    assert_ok(x, err);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)random_normal(&random);
    }
    return x;
}

static double expected(const GemmArgs *a, const float *before, int32_t i, int32_t j)
{
    double sum = a->bias ? (double)a->bias[j] : 0.0;
    for (int32_t k = 0; k < a->in; k++) {
        const ptrdiff_t at = a->w_in_out ? k * a->w_stride + j : j * a->w_stride + k;
        sum += (double)a->x[i * a->x_stride + k] * (double)a->w[at];
    }
    return sum + (a->accumulate ? (double)before[i * a->y_stride + j] : 0.0);
}

static void run_case(const Case *c)
{
    Arena arena = {0};
    Error err = {0};
    GemmArgs a = {.rows = c->rows,
                  .in = c->in,
                  .out = c->out,
                  .w_in_out = c->w_in_out,
                  .accumulate = c->accumulate,
                  .x_stride = c->in + c->slack,
                  .w_stride = (c->w_in_out ? c->out : c->in) + c->slack,
                  .y_stride = c->out + c->slack};
    const size_t n_w = (size_t)(c->w_in_out ? c->in : c->out) * (size_t)a.w_stride;
    const size_t n_y = (size_t)c->rows * (size_t)a.y_stride;
    a.x = random_floats(&arena, (size_t)c->rows * (size_t)a.x_stride, 1);
    a.w = random_floats(&arena, n_w, 2);
    a.bias = c->bias ? random_floats(&arena, (size_t)c->out, 3) : NULL;
    const float *before = random_floats(&arena, n_y, 4);
    float *want = random_floats(&arena, n_y, 4); /* slack keeps what it was */
    for (int32_t i = 0; i < c->rows; i++) {
        for (int32_t j = 0; j < c->out; j++) {
            want[i * a.y_stride + j] = (float)expected(&a, before, i, j);
        }
    }
    float *first = NULL;
    for (int threads = 1; threads <= 3; threads++) {
        a.y = random_floats(&arena, n_y, 4);
        assert_ok(gemm_forward(&a, threads, &err), err);
        assert_close(a.y, want, n_y, 2e-5, 2e-5);
        first = first ? first : a.y;
        assert_memory_equal(first, a.y, n_y * sizeof(float));
    }
    arena_destroy(&arena);
}

/* With the kernel of this CPU, and without one of ours. */
static void test_gemm_forward__cases(void **state)
{
    (void)state;
    const char *set = getenv("ATTNSCOPE_ISA");
    char before[16] = "";
    snprintf(before, sizeof before, "%s", set ? set : "");
    for (size_t i = 0; i < AS_COUNT(CASES); i++) {
        setenv("ATTNSCOPE_ISA", "auto", 1);
        run_case(&CASES[i]);
        setenv("ATTNSCOPE_ISA", "scalar", 1);
        run_case(&CASES[i]);
    }
    setenv("ATTNSCOPE_ISA", before, 1);
}

static void test_gemm_forward__zero_strides_are_packed(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6}, w[] = {1, 0, 0, 0, 1, 0}, want[] = {1, 2, 4, 5};
    float y[4];
    Error err = {0};
    assert_ok(
        gemm_forward(&(GemmArgs){.x = x, .w = w, .y = y, .rows = 2, .in = 3, .out = 2}, 0, &err),
        err);
    assert_close(y, want, 4, 0, 0);
}

static void test_gemm_forward__no_rows_is_fine(void **state)
{
    (void)state;
    float w = 1, y = 7;
    Error err = {0};
    assert_ok(gemm_forward(&(GemmArgs){.x = &w, .w = &w, .y = &y, .in = 1, .out = 1}, 0, &err),
              err);
    assert_true(y == 7);
}

static void test_gemm_forward__bad_sizes(void **state)
{
    (void)state;
    float x[4] = {0};
    const GemmArgs bad[] = {
        {.x = x, .w = x, .y = x, .rows = 1, .in = 0, .out = 1},
        {.x = x, .w = x, .y = x, .rows = 1, .in = 1, .out = 0},
        {.x = x, .w = x, .y = x, .rows = -1, .in = 1, .out = 1},
        {.x = x, .w = x, .y = x, .rows = 1, .in = 2, .out = 1, .x_stride = 1},
        {.x = x, .w = x, .y = x, .rows = 1, .in = 2, .out = 1, .w_stride = 1},
        {.x = x, .w = x, .y = x, .rows = 1, .in = 1, .out = 2, .w_stride = 1, .w_in_out = true},
        {.x = x, .w = x, .y = x, .rows = 1, .in = 1, .out = 2, .y_stride = 1},
    };
    for (size_t i = 0; i < AS_COUNT(bad); i++) {
        Error err = {0};
        assert_false(gemm_forward(&bad[i], 1, &err));
        assert_int_equal(err.code, ERR_RANGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gemm_forward__cases),
        cmocka_unit_test(test_gemm_forward__zero_strides_are_packed),
        cmocka_unit_test(test_gemm_forward__no_rows_is_fine),
        cmocka_unit_test(test_gemm_forward__bad_sizes),
    };
    return cmocka_run_group_tests_name("gemm", tests, NULL, NULL);
}
