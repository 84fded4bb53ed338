/* Products in bf16: what stays exact, how far the rest is from float64, and what is refused. */
#include "attention_case.h"

#include <math.h>
#include <string.h>

typedef struct PrecisionCase {
    Case c;
    double lse_error, o_error; /* largest allowed against float64, BF16 */
    double pv_o_error;         /* BF16_PV */
} PrecisionCase;

/* Rounding to 8 bits moves a factor by 2^-9 of itself at most: scores by 2^-8 |q| |k| scale, o by
 * that through the weights and by 2^-8 of the values. Operands are near normal. */
static const PrecisionCase CASES[] = {
    {{"full", SIZES(200, 0, 2, 0, 64)}, 0.01, 0.02, 0.006},
    {{"causal", SIZES(333, 0, 3, 0, 64), .kind = ATTN_MASK_CAUSAL}, 0.03, 0.05, 0.015},
    {{"odd widths", SIZES(77, 130, 2, 1, 33), .v_dim = 47}, 0.01, 0.03, 0.008},
    {{"width 1", SIZES(50, 70, 1, 0, 1)}, 0.01, 0.02, 0.006},
    {{"width 256", SIZES(40, 700, 1, 0, 256)}, 0.01, 0.02, 0.004},
    {{"window, hidden keys, cap", SIZES(150, 0, 2, 0, 20),
      .kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW, .window = 70, .hide_some = true, .soft_cap = 5},
     0.03,
     0.05,
     0.015},
    {{"bias, interleaved", SIZES(100, 0, 2, 0, 64), .bias = true, .interleaved = true},
     0.01,
     0.03,
     0.01},
    {{"one query", SIZES(1, 500, 4, 2, 64)}, 0.01, 0.02, 0.004},
};

static AttnCtx *bf16_ctx(int n_threads)
{
    AttnIsa list[ATTN_ISA_COUNT];
    AttnCtx *ctx = case_ctx(list[attn_isa_available(list) - 1], n_threads);
    if (!attn_ctx_has_precision(ctx, ATTN_PRECISION_BF16)) {
        attn_ctx_destroy(&ctx);
    }
    return ctx;
}

static double largest_error(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double error = a[i] == b[i] ? 0 : fabs((double)a[i] - (double)b[i]);
        worst = error > worst || isnan(error) ? error : worst;
    }
    return worst;
}

static Run run_with(AttnCtx *ctx, const Case *c, AttnArgs args, AttnPrecision precision)
{
    args.precision = precision;
    Run run = run_make(c, &args);
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
    return run;
}

static void test_attn_forward__bf16_error_is_bounded(void **state)
{
    (void)state;
    AttnCtx *ctx = bf16_ctx(1);
    if (!ctx) {
        skip();
    }
    for (size_t i = 0; i < CASE_COUNT(CASES); i++) {
        const PrecisionCase *p = &CASES[i];
        AttnArgs args = case_args(&p->c);
        Run want = run_make(&p->c, &args);
        assert_int_equal(attn_reference_forward(&args, &want.out), ATTN_OK);
        Run both = run_with(ctx, &p->c, args, ATTN_PRECISION_BF16);
        Run pv = run_with(ctx, &p->c, args, ATTN_PRECISION_BF16_PV);
        double lse = 0;
        for (size_t r = 0; r < want.n_rows; r++) {
            double a = (double)both.out.row_max[r] + (double)both.out.row_log_sum[r];
            double b = (double)want.out.row_max[r] + (double)want.out.row_log_sum[r];
            lse = a == b ? lse : fmax(lse, fabs(a - b));
        }
        double o = largest_error(both.out.o, want.out.o, want.n_o);
        double pv_o = largest_error(pv.out.o, want.out.o, want.n_o);
        print_message("%s: bf16 lse %.2g o %.2g, bf16 P V o %.2g\n", p->c.name, lse, o, pv_o);
        assert_true(lse <= p->lse_error);
        assert_true(o <= p->o_error);
        assert_true(pv_o <= p->pv_o_error);
        assert_true(o > 1e-6 && pv_o > 1e-6); /* it is another product */
        run_free(&want);
        run_free(&both);
        run_free(&pv);
        case_args_free(&args);
    }
    attn_ctx_destroy(&ctx);
}

/* With f32 scores all but o has the very bits of the exact pass. */
static void test_attn_forward__bf16_pv_keeps_weights_exact(void **state)
{
    (void)state;
    AttnCtx *ctx = bf16_ctx(1);
    if (!ctx) {
        skip();
    }
    for (size_t i = 0; i < CASE_COUNT(CASES); i++) {
        const Case *c = &CASES[i].c;
        AttnArgs args = case_args(c);
        Run exact = run_with(ctx, c, args, ATTN_PRECISION_EXACT);
        Run pv = run_with(ctx, c, args, ATTN_PRECISION_BF16_PV);
        size_t behind_o = 9 * exact.n_rows + 2 * exact.n_texels + exact.n_received;
        expect_same_bits(c->name, "what is not o", exact.out.o + exact.n_o, pv.out.o + pv.n_o,
                         behind_o * sizeof(float));
        run_free(&exact);
        run_free(&pv);
        case_args_free(&args);
    }
    attn_ctx_destroy(&ctx);
}

static void test_attn_forward__bf16_same_bits_for_any_thread_count(void **state)
{
    (void)state;
    AttnCtx *one = bf16_ctx(1), *three = bf16_ctx(3);
    if (!one) {
        skip();
    }
    Case c = {"threads", SIZES(700, 0, 3, 0, 64), .kind = ATTN_MASK_CAUSAL};
    AttnArgs args = case_args(&c);
    for (AttnPrecision p = ATTN_PRECISION_BF16; p <= ATTN_PRECISION_BF16_PV; p++) {
        Run a = run_with(one, &c, args, p), b = run_with(three, &c, args, p);
        size_t n = a.n_o + 9 * a.n_rows + 2 * a.n_texels + a.n_received;
        expect_same_bits(c.name, "a result", a.memory, b.memory, n * sizeof(float));
        run_free(&a);
        run_free(&b);
    }
    case_args_free(&args);
    attn_ctx_destroy(&one);
    attn_ctx_destroy(&three);
}

/* A value that is no number reaches the rows that see it and no others, also one that only rounding
 * makes infinite; a query that is none makes its own row NaN. */
static void test_attn_forward__bf16_not_numbers_stay_in_their_rows(void **state)
{
    (void)state;
    AttnCtx *ctx = bf16_ctx(1);
    if (!ctx) {
        skip();
    }
    const float odd[] = {NAN, INFINITY, 3.4e38f};
    for (size_t i = 0; i < CASE_COUNT(odd); i++) {
        Case c = {"not numbers", SIZES(100, 0, 1, 0, 32), .kind = ATTN_MASK_CAUSAL};
        AttnArgs args = case_args(&c);
        ((float *)(uintptr_t)args.v)[60 * 32 + 3] = odd[i];
        ((float *)(uintptr_t)args.q)[20 * 32] = NAN;
        for (AttnPrecision p = ATTN_PRECISION_BF16; p <= ATTN_PRECISION_BF16_PV; p++) {
            Run run = run_with(ctx, &c, args, p);
            for (int row = 0; row < 100; row++) {
                bool broken = row == 20;
                assert_int_equal(isnan(run.out.row_log_sum[row]) != 0, broken);
                for (int e = 0; e < 32; e++) {
                    bool here = broken || (row >= 60 && e == 3);
                    assert_int_equal(isfinite(run.out.o[row * 32 + e]) == 0, here);
                }
            }
            run_free(&run);
        }
        case_args_free(&args);
    }
    attn_ctx_destroy(&ctx);
}

static void test_attn_forward__precision_is_refused_where_it_is_not(void **state)
{
    (void)state;
    Case c = {"refused", SIZES(10, 0, 1, 0, 8)};
    AttnArgs args = case_args(&c);
    Run run = run_make(&c, &args);
    AttnCtx *ctx = case_ctx(ATTN_ISA_SCALAR, 1);
    assert_true(attn_ctx_has_precision(ctx, ATTN_PRECISION_EXACT));
    assert_false(attn_ctx_has_precision(ctx, ATTN_PRECISION_BF16));
    args.precision = ATTN_PRECISION_BF16;
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_PRECISION);
    args.precision = ATTN_PRECISION_COUNT;
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_PRECISION);
    attn_ctx_destroy(&ctx);
    run_free(&run);
    case_args_free(&args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attn_forward__bf16_error_is_bounded),
        cmocka_unit_test(test_attn_forward__bf16_pv_keeps_weights_exact),
        cmocka_unit_test(test_attn_forward__bf16_same_bits_for_any_thread_count),
        cmocka_unit_test(test_attn_forward__bf16_not_numbers_stay_in_their_rows),
        cmocka_unit_test(test_attn_forward__precision_is_refused_where_it_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
