/*
 * The pass against the float64 reference, for every instruction set of this CPU. Tolerances for
 * scores of a few units: weights 1e-6; o 3e-6; m, l 4e-6; entropy 1e-5; distances, received 1e-5
 * relative. Where scores are large (spread) their own f32 rounding adds eps * |s| to each.
 */
#include "attention_case.h"

static const Case CASES[] = {
    {"square", SIZES(100, 0, 2, 0, 64)},
    {"one query, one key", SIZES(1, 1, 1, 0, 16)},
    {"one key", SIZES(50, 1, 2, 0, 16)},
    {"decode", SIZES(1, 333, 4, 2, 64), .kind = ATTN_MASK_CAUSAL, .q_offset = 332},
    {"odd sizes", SIZES(131, 197, 3, 0, 37), .v_dim = 41},
    {"narrow v", SIZES(61, 77, 2, 1, 64), .v_dim = 3},
    {"wide v", SIZES(61, 77, 2, 1, 24), .v_dim = 130},
    {"width 256", SIZES(70, 300, 1, 0, 256)},
    {"causal", SIZES(500, 0, 2, 0, 32), .kind = ATTN_MASK_CAUSAL},
    {"causal, long blocks", SIZES(1100, 0, 1, 0, 16), .kind = ATTN_MASK_CAUSAL},
    {"causal after a cache", SIZES(40, 240, 2, 0, 32), .kind = ATTN_MASK_CAUSAL, .q_offset = 200},
    {"causal, negative offset", SIZES(90, 90, 2, 0, 32), .kind = ATTN_MASK_CAUSAL, .q_offset = -17},
    {"grouped heads", SIZES(150, 0, 6, 2, 48), .kind = ATTN_MASK_CAUSAL, .interleaved = true},
    {"sliding window", SIZES(700, 0, 2, 1, 32), .kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW,
     .window = 100},
    {"window of one key", SIZES(70, 0, 1, 0, 8), .kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW,
     .window = 1},
    {"window, no causal mask", SIZES(200, 150, 1, 0, 8), .kind = ATTN_MASK_WINDOW, .window = 30},
    {"symmetric window", SIZES(600, 0, 2, 0, 32), .kind = ATTN_MASK_WINDOW_SYMMETRIC,
     .window = 129},
    {"cross attention", SIZES(33, 400, 2, 0, 64), .v_dim = 32},
    {"padding", SIZES(120, 0, 2, 0, 64), .n_valid_keys = 61},
    {"hidden keys", SIZES(170, 0, 2, 0, 32), .hide_some = true},
    {"hidden keys, causal", SIZES(170, 0, 2, 0, 32), .kind = ATTN_MASK_CAUSAL, .hide_some = true},
    {"bias", SIZES(150, 0, 3, 0, 32), .bias = true},
    {"bias, causal, padding", SIZES(150, 0, 3, 0, 32), .kind = ATTN_MASK_CAUSAL, .bias = true,
     .n_valid_keys = 140},
    {"soft cap", SIZES(150, 0, 2, 0, 32), .soft_cap = 2.5f, .spread = 3},
    {"soft cap, bias, window", SIZES(300, 0, 2, 0, 32), .soft_cap = 30, .spread = 4, .bias = true,
     .kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW, .window = 77},
    {"negative scale", SIZES(80, 0, 1, 0, 16), .scale = -0.3f},
    {"interleaved", SIZES(90, 130, 5, 0, 40), .v_dim = 24, .interleaved = true},
    {"summary 4", SIZES(300, 0, 2, 0, 16), .kind = ATTN_MASK_CAUSAL, .summary_size = 4},
    {"summary 100", SIZES(700, 300, 1, 0, 16), .summary_size = 100},
    {"summary 1", SIZES(777, 1300, 1, 0, 16), .summary_size = 1},
    {"summary 33", SIZES(1050, 0, 1, 0, 8), .summary_size = 33},
    {"summary 1024", SIZES(600, 0, 1, 0, 8), .kind = ATTN_MASK_CAUSAL, .summary_size = 1024},
    {"large scores", SIZES(200, 700, 1, 0, 64), .spread = 12},
    {"rows that see nothing", SIZES(120, 60, 2, 0, 16), .kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW,
     .window = 20, .q_offset = -30},
};

static void expect_keys(const Case *c, const char *isa, const Run *run, const Run *reference)
{
    size_t N = (size_t)run->args.n_queries;
    size_t M = run->n_received / (size_t)run->args.n_heads;
    double *weights = malloc(M * sizeof(double));
    for (size_t i = 0; i < run->n_rows; i++) {
        int32_t key = run->out.rows.max_key[i], expected = reference->out.rows.max_key[i];
        if (key == expected) {
            continue;
        }
        /* Another key is right only if f32 cannot tell the two apart. */
        AttnStatus status =
            attn_reference_row(&run->args, (int32_t)(i / N), (int32_t)(i % N), weights, NULL);
        if (status != ATTN_OK || key < 0 || expected < 0 ||
            fabs(weights[key] - weights[expected]) > 1e-6) {
            fail_msg("case '%s', %s: strongest key of row %zu is %d, expected %d", c->name, isa, i,
                     key, expected);
        }
    }
    free(weights);
}

static void expect_like(const Case *c, const char *isa, const Run *run, const Run *expected)
{
    const AttnOutputs *a = &run->out, *b = &expected->out;
    double more = c->spread > 4 ? 20 : 1; /* scores near 100 are known to 1e-5 only */
    expect_close(c->name, isa, "m", a->row_max, b->row_max, run->n_rows, 4e-6, 1e-6);
    expect_close(c->name, isa, "l", a->row_log_sum, b->row_log_sum, run->n_rows, 4e-6 * more, 1e-6);
    expect_close(c->name, isa, "o", a->o, b->o, run->n_o, 3e-6 * more, 0);
    const AttnRowStats *r = &a->rows, *s = &b->rows;
    expect_close(c->name, isa, "entropy", r->entropy, s->entropy, run->n_rows, 1e-5 * more, 0);
    expect_close(c->name, isa, "distance", r->distance, s->distance, run->n_rows, 1e-5,
                 1e-5 * more);
    expect_close(c->name, isa, "max weight", r->max_weight, s->max_weight, run->n_rows, 1e-6 * more,
                 0);
    expect_close(c->name, isa, "first", r->first_weight, s->first_weight, run->n_rows, 1e-6 * more,
                 0);
    expect_close(c->name, isa, "self", r->self_weight, s->self_weight, run->n_rows, 1e-6 * more, 0);
    expect_close(c->name, isa, "previous", r->prev_weight, s->prev_weight, run->n_rows, 1e-6 * more,
                 0);
    expect_keys(c, isa, run, expected);
    expect_close(c->name, isa, "summary mean", a->summary_mean, b->summary_mean, run->n_texels,
                 1e-6 * more, 0);
    expect_close(c->name, isa, "summary max", a->summary_max, b->summary_max, run->n_texels,
                 1e-6 * more, 0);
    expect_close(c->name, isa, "received", a->received, b->received, run->n_received, 1e-6 * more,
                 1e-5 * more);
}

static void check_case(const Case *c)
{
    AttnArgs args = case_args(c);
    Run expected = run_make(c, &args);
    assert_int_equal(attn_reference_forward(&args, &expected.out), ATTN_OK);
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    for (int i = 0; i < n; i++) {
        AttnCtx *ctx = case_ctx(list[i], 2);
        Run run = run_make(c, &args);
        assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
        expect_like(c, attn_ctx_isa_name(ctx), &run, &expected);

        /* The lean pass computes o, m and l with the same bits. */
        Run lean = run_make(c, &args);
        AttnOutputs wanted = {
            .o = lean.out.o, .row_max = lean.out.row_max, .row_log_sum = lean.out.row_log_sum};
        assert_int_equal(attn_forward(ctx, &args, &wanted, NULL), ATTN_OK);
        expect_same_bits(c->name, "o", lean.out.o, run.out.o, run.n_o * sizeof(float));
        expect_same_bits(c->name, "m", lean.out.row_max, run.out.row_max,
                         run.n_rows * sizeof(float));
        expect_same_bits(c->name, "l", lean.out.row_log_sum, run.out.row_log_sum,
                         run.n_rows * sizeof(float));
        run_free(&lean);
        run_free(&run);
        attn_ctx_destroy(&ctx);
    }
    run_free(&expected);
    case_args_free(&args);
}

static void test_attn_forward__cases_match_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT(CASES); i++) {
        check_case(&CASES[i]);
    }
}

static void test_attn_forward__every_width(void **state)
{
    (void)state;
    for (int32_t d = 1; d <= ATTN_MAX_DIM; d += d < 34 ? 1 : d < 130 ? 7 : 21) {
        char name[32];
        snprintf(name, sizeof name, "width %d", d);
        Case c = {name, SIZES(19, 70, 2, 1, d), .v_dim = ATTN_MAX_DIM + 1 - d,
                  .kind = ATTN_MASK_CAUSAL, .q_offset = 51};
        check_case(&c);
    }
}

static void test_attn_forward__every_length(void **state)
{
    (void)state;
    for (int32_t n = 1; n < 140; n += n < 30 ? 1 : 9) {
        char name[32];
        snprintf(name, sizeof name, "length %d", n);
        Case c = {name, SIZES(n, 0, 1, 0, 8), .kind = ATTN_MASK_CAUSAL, .summary_size = 40};
        check_case(&c);
    }
}

static void test_attn_forward__output_strides(void **state)
{
    (void)state;
    Case c = {"output strides", SIZES(50, 0, 3, 0, 20)};
    AttnArgs args = case_args(&c);
    AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 1);
    Run packed = run_make(&c, &args), woven = run_make(&c, &args);
    woven.out.o_row_stride = 3 * 20;
    woven.out.o_head_stride = 20;
    assert_int_equal(attn_forward(ctx, &args, &packed.out, NULL), ATTN_OK);
    assert_int_equal(attn_forward(ctx, &args, &woven.out, NULL), ATTN_OK);
    for (size_t h = 0; h < 3; h++) {
        for (size_t i = 0; i < 50; i++) {
            expect_same_bits(c.name, "o", packed.out.o + (h * 50 + i) * 20,
                             woven.out.o + i * 60 + h * 20, 20 * sizeof(float));
        }
    }
    run_free(&packed);
    run_free(&woven);
    attn_ctx_destroy(&ctx);
    case_args_free(&args);
}

/* Heads beyond the packing budget go in waves, single heads beyond it are packed block by block:
 * the same bits either way. */
static void test_attn_forward__packing_ahead_or_in_place(void **state)
{
    (void)state;
    Case c = {"packing", SIZES(20, 70000, 3, 0, 64)};
    AttnArgs args = case_args(&c);
    AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 2);
    Run whole = run_make(&c, &args);
    AttnOutputs wanted = {
        .o = whole.out.o, .row_max = whole.out.row_max, .row_log_sum = whole.out.row_log_sum};
    assert_int_equal(attn_forward(ctx, &args, &wanted, NULL), ATTN_OK);

    /* Without v a head's panels fit, and the scores are the same. */
    Run scores = run_make(&c, &args);
    AttnOutputs no_v = {.row_max = scores.out.row_max, .row_log_sum = scores.out.row_log_sum};
    args.v = NULL;
    assert_true(attn_scratch_bytes(ctx, &args, &no_v) >
                2 * attn_scratch_bytes(ctx, &args, &wanted));
    assert_int_equal(attn_forward(ctx, &args, &no_v, NULL), ATTN_OK);
    expect_same_bits(c.name, "m", scores.out.row_max, whole.out.row_max, 60 * sizeof(float));
    expect_same_bits(c.name, "l", scores.out.row_log_sum, whole.out.row_log_sum,
                     60 * sizeof(float));
    args.v = whole.args.v;
    run_free(&whole);
    run_free(&scores);
    attn_ctx_destroy(&ctx);
    case_args_free(&args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attn_forward__cases_match_reference),
        cmocka_unit_test(test_attn_forward__every_width),
        cmocka_unit_test(test_attn_forward__every_length),
        cmocka_unit_test(test_attn_forward__output_strides),
        cmocka_unit_test(test_attn_forward__packing_ahead_or_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
