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
        /* Products of pairs are never slower than single ones, and AVX-512 alone has them here. */
        if (machine.bf16_gflops > 0) {
            assert_int_equal(list[i], ATTN_ISA_AVX512);
            assert_true(machine.bf16_gflops > machine.peak_gflops);
            double mixed = bench_peak_of(&machine, ATTN_PRECISION_BF16_PV);
            assert_true(mixed > machine.peak_gflops && mixed < machine.bf16_gflops);
        }
        assert_true(bench_peak_of(&machine, ATTN_PRECISION_EXACT) == machine.peak_gflops);
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
        assert_true(r.idle_percent >= 0 && r.idle_percent < 100);
        assert_true(fabs(r.percent_of_peak - 100 * r.gflops / machine.peak_gflops) < 1e-9);
        assert_true(r.error_weights < 1e-6 && r.error_o < 1e-5);
        assert_true((r.tile_us > 0) == (r.n >= 256));
        assert_true(r.row_us > 0 && r.col_us > 0 && r.queries == r.n && r.error_lse < 1e-5);
        assert_string_equal(r.precision, "f32");
        assert_true(fabs(r.gbs * r.ms * 1e6 / r.traffic_bytes - 1) < 1e-9);
        assert_true(r.bytes > 4.0 * 3 * r.kv_heads * r.n * r.dim);
    }
}

/* New tokens after a cache: pairs and bytes of those alone. */
static void test_bench_attention__few_queries(void **state)
{
    (void)state;
    BenchMachine machine = {.peak_gflops = 100};
    BenchAttentionDesc desc = {.n = 3000,
                               .queries = 2,
                               .heads = 4,
                               .kv_heads = 2,
                               .dim = 32,
                               .causal = true,
                               .n_threads = 2,
                               .seconds = 0.01,
                               .naive = true};
    BenchResult r;
    Error err = {0};
    assert_ok(bench_attention(&machine, &desc, &r, &err), err);
    assert_true(r.queries == 2 && r.n == 3000 && r.tile_us == 0);
    assert_true(fabs(r.gflops * r.ms * 1e6 / (4.0 * 4 * (2999 + 3000) * 32) - 1) < 1e-9);
    assert_true(r.traffic_bytes == 4.0 * (2 * 2 * 3000 * 32 + 2 * 4 * 2 * 33));
    assert_true(r.error_o < 1e-6 && r.error_lse < 1e-5 && r.naive_difference < 2e-6);
}

/* Where there is bf16, its error is what bf16 costs: neither that of f32 nor that of a mistake. */
static void test_bench_attention__precisions(void **state)
{
    (void)state;
    static const AttnPrecision all[] = {ATTN_PRECISION_BF16, ATTN_PRECISION_BF16_PV};
    AttnCtx *ctx = NULL;
    assert_int_equal(attn_ctx_create(NULL, &ctx, NULL, 0), ATTN_OK);
    BenchMachine machine = {.peak_gflops = 100, .bf16_gflops = 300};
    for (size_t i = 0; i < AS_COUNT(all); i++) {
        BenchAttentionDesc desc = {
            .n = 300, .heads = 2, .dim = 64, .precision = all[i], .n_threads = 1, .seconds = 0.01};
        BenchResult r;
        Error err = {0};
        bool ok = bench_attention(&machine, &desc, &r, &err);
        assert_int_equal(ok, attn_ctx_has_precision(ctx, all[i]));
        if (!ok) {
            assert_int_equal(err.code, ERR_UNSUPPORTED);
            continue;
        }
        assert_string_equal(r.precision, i == 0 ? "bf16" : "bf16-pv");
        assert_true(r.error_o > 1e-5 && r.error_o < 0.01);
        assert_true(i == 0 ? r.error_lse > 1e-5 && r.error_lse < 0.01 : r.error_lse < 1e-5);
        assert_true(fabs(r.peak_gflops - (i == 0 ? 300 : 150)) < 1e-9);
        assert_true(fabs(r.percent_of_peak - 100 * r.gflops / r.peak_gflops) < 1e-9);
    }
    attn_ctx_destroy(&ctx);
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
        {{.n = 10, .queries = 11, .heads = 1, .dim = 8}, ERR_RANGE},
        {{.n = 10, .queries = -1, .heads = 1, .dim = 8}, ERR_RANGE},
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
        cmocka_unit_test(test_bench_attention__few_queries),
        cmocka_unit_test(test_bench_attention__precisions),
        cmocka_unit_test(test_bench_attention__refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
