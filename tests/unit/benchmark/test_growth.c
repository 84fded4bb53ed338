/* The exponent of growth, and the naive method against the streaming one. */
#include "benchmark/benchmark.h"
#include "testing.h"

static void test_bench_growth__finds_the_exponent(void **state)
{
    (void)state;
    static const double x[] = {256, 512, 1024, 4096};
    static const double exponents[] = {-1, 0, 0.5, 1, 2, 3.25};
    for (size_t e = 0; e < AS_COUNT(exponents); e++) {
        double y[AS_COUNT(x)], slope = NAN;
        for (size_t i = 0; i < AS_COUNT(x); i++) {
            y[i] = 7e-3 * pow(x[i], exponents[e]);
        }
        assert_true(bench_growth(x, y, AS_COUNT(x), &slope));
        assert_true(fabs(slope - exponents[e]) < 1e-12);
    }
}

static void test_bench_growth__needs_two_lengths(void **state)
{
    (void)state;
    static const double same[] = {512, 512, 512}, y[] = {1, 2, 3}, zero[] = {1, 0, 2};
    static const double x[] = {1, 2, 3};
    double slope;
    assert_false(bench_growth(x, y, 0, &slope));
    assert_false(bench_growth(x, y, 1, &slope));
    assert_false(bench_growth(same, y, 3, &slope));
    assert_false(bench_growth(x, zero, 3, &slope));
    assert_false(bench_growth(zero, y, 3, &slope));
}

static void test_bench_attention__naive_gives_the_same(void **state)
{
    (void)state;
    static const BenchAttentionDesc cases[] = {
        {.n = 129, .heads = 4, .kv_heads = 2, .dim = 24},
        {.n = 129, .heads = 2, .dim = 64, .causal = true},
        {.n = 77, .heads = 1, .dim = 8, .causal = true, .window = 10},
        {.n = 77, .heads = 1, .dim = 8, .window = 10},
        {.n = 1, .heads = 1, .dim = 1},
    };
    BenchMachine machine = {.peak_gflops = 100};
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        BenchAttentionDesc desc = cases[i];
        BenchResult r;
        Error err = {0};
        desc.naive = true;
        desc.seconds = 0.001;
        desc.n_threads = 2;
        assert_ok(bench_attention(&machine, &desc, &r, &err), err);
        assert_true(r.naive_ms >= r.naive_ms_min && r.naive_ms_min > 0);
        assert_true(r.naive_difference < 2e-6);
        assert_true(fabs(r.naive_gflops * r.naive_ms / (r.gflops * r.ms) - 1) < 1e-9);
        double scores = 4.0 * r.heads * r.n * r.n;
        assert_true(r.naive_bytes > scores && r.naive_traffic_bytes > 6 * scores);
        desc.naive = false;
        assert_ok(bench_attention(&machine, &desc, &r, &err), err);
        assert_true(r.naive_ms == 0 && r.naive_bytes > scores);
    }
    /* What cannot fit is told by its size and not tried. */
    BenchAttentionDesc huge = {
        .n = 1 << 18, .heads = 4, .dim = 1, .window = 2, .naive = true, .seconds = 0.001};
    BenchResult r;
    Error err = {0};
    assert_ok(bench_attention(&machine, &huge, &r, &err), err);
    assert_true(r.naive_ms == 0 && r.naive_bytes > 1e12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bench_growth__finds_the_exponent),
        cmocka_unit_test(test_bench_growth__needs_two_lengths),
        cmocka_unit_test(test_bench_attention__naive_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
