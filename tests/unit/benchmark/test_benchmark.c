/* Figures hang together: positive, consistent, right against float64; bad sizes are refused. */
#include "benchmark/benchmark.h"
#include "testing.h"

static void test_bench_machine__every_instruction_set(void **state)
{
    (void)state;
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    for (int i = 0; i < n; i++) {
        BenchMachine machine;
        Error err = {0};
        assert_ok(bench_machine(&machine, list[i], 2, &err), err);
        assert_string_equal(machine.isa, attn_isa_name(list[i]));
        assert_int_equal(machine.threads, 2);
        /* One flop a nanosecond is less than any processor; a million is more. */
        assert_true(machine.peak_gflops_one > 1 && machine.peak_gflops_one < 1e6);
        assert_true(machine.peak_gflops > 1);
        assert_true(strlen(machine.cpu) > 0 && strlen(machine.compiler) > 0);
    }
    BenchMachine machine;
    Error err = {0};
    assert_false(bench_machine(&machine, ATTN_ISA_AUTO, -1, &err));
    assert_true(err.code != ERR_NONE);
}

static void test_bench_attention__figures_hang_together(void **state)
{
    (void)state;
    BenchMachine machine;
    Error err = {0};
    assert_ok(bench_machine(&machine, ATTN_ISA_AUTO, 1, &err), err);
    const BenchAttentionDesc cases[] = {
        {.n = 300, .heads = 2, .dim = 32, .n_threads = 1, .seconds = 0.01},
        {.n = 300,
         .heads = 4,
         .kv_heads = 2,
         .dim = 20,
         .causal = true,
         .n_threads = 1,
         .seconds = 0.01},
        {.n = 100,
         .heads = 1,
         .dim = 8,
         .causal = true,
         .window = 10,
         .n_threads = 1,
         .seconds = 0.01},
        {.n = 100, .heads = 1, .dim = 8, .window = 10, .n_threads = 1, .seconds = 0.01},
    };
    const double pairs[] = {2 * 300.0 * 300, 4 * 300.0 * 301 / 2, 10 * 100.0 - 45, 11 * 100.0 - 30};
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        BenchResult r;
        assert_ok(bench_attention(&machine, &cases[i], &r, &err), err);
        assert_int_equal(r.n, cases[i].n);
        assert_true(r.repeats >= 3 && r.ms >= r.ms_min && r.ms_min > 0);
        assert_true(r.full_ms >= r.full_ms_min && r.full_ms_min > 0);
        double flops = 4 * pairs[i] * cases[i].dim;
        assert_true(fabs(r.gflops * r.ms * 1e6 / flops - 1) < 1e-9);
        assert_true(r.gflops_best >= r.gflops);
        assert_true(fabs(r.percent_of_peak - 100 * r.gflops / machine.peak_gflops) < 1e-9);
        assert_true(r.error_weights < 1e-6 && r.error_o < 1e-5);
        assert_true((r.tile_us > 0) == (r.n >= 256));
        assert_true(r.bytes > 4.0 * 3 * r.kv_heads * r.n * r.dim);
    }
}

static void test_bench_attention__refuses(void **state)
{
    (void)state;
    BenchMachine machine = {.peak_gflops = 1};
    atomic_bool cancel = true;
    const struct {
        BenchAttentionDesc desc;
        ErrorCode code;
    } rows[] = {
        {{.n = 0, .heads = 1, .dim = 8}, ERR_RANGE},
        {{.n = 10, .heads = 0, .dim = 8}, ERR_RANGE},
        {{.n = 10, .heads = 1, .dim = 257}, ERR_RANGE},
        {{.n = 10, .heads = 3, .kv_heads = 2, .dim = 8}, ERR_RANGE},
        {{.n = 10, .heads = 1, .dim = 8, .window = -1}, ERR_RANGE},
        {{.n = 10, .heads = 1, .dim = 8, .cancel = &cancel}, ERR_CANCELLED},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        BenchResult result;
        Error err = {0};
        assert_false(bench_attention(&machine, &rows[i].desc, &result, &err));
        assert_int_equal(err.code, rows[i].code);
        assert_true(strlen(err.message) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bench_machine__every_instruction_set),
        cmocka_unit_test(test_bench_attention__figures_hang_together),
        cmocka_unit_test(test_bench_attention__refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
