/* The pass against the float64 reference: masks, shapes, strides. */
#include "attention_like.h"

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
    {"texels wider than a block", SIZES(200, 5000, 4, 0, 8), .summary_size = 4},
    {"short blocks, texels of 32", SIZES(60, 2048, 1, 0, 256), .summary_size = 64},
    {"short blocks, texels of 64", SIZES(60, 2048, 1, 0, 256), .summary_size = 32},
    {"short blocks, texels of 128", SIZES(60, 2048, 1, 0, 256), .summary_size = 16},
    {"window, scores far below 0", SIZES(150, 0, 2, 0, 16),
     .kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW, .window = 20, .bias = true, .bias_level = -200},
    {"large scores", SIZES(200, 700, 1, 0, 64), .spread = 12},
    {"rows that see nothing", SIZES(120, 60, 2, 0, 16), .kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW,
     .window = 20, .q_offset = -30},
};

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
    Case c = {"packing", SIZES(60, 70000, 3, 0, 64)};
    AttnArgs args = case_args(&c);
    AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 2);
    Run whole = run_make(&c, &args);
    AttnOutputs wanted = {
        .o = whole.out.o, .row_max = whole.out.row_max, .row_log_sum = whole.out.row_log_sum};
    assert_int_equal(attn_forward(ctx, &args, &wanted, NULL), ATTN_OK);
    size_t in_place = attn_scratch_bytes(ctx, &args, &wanted);

    /* Without v a head's panels fit, and the scores are the same. */
    Run scores = run_make(&c, &args);
    AttnOutputs no_v = {.row_max = scores.out.row_max, .row_log_sum = scores.out.row_log_sum};
    args.v = NULL;
    assert_true(in_place > 0 && attn_scratch_bytes(ctx, &args, &no_v) > 2 * in_place);
    assert_int_equal(attn_forward(ctx, &args, &no_v, NULL), ATTN_OK);
    expect_same_bits(c.name, "m", scores.out.row_max, whole.out.row_max, 180 * sizeof(float));
    expect_same_bits(c.name, "l", scores.out.row_log_sum, whole.out.row_log_sum,
                     180 * sizeof(float));
    args.v = whole.args.v;
    run_free(&whole);
    run_free(&scores);
    attn_ctx_destroy(&ctx);
    case_args_free(&args);
}

/* Column sums of the pass are those of a second look at the keys: whole query blocks kept, few rows
 * of many keys, windows, rows behind their references. */
static void test_attn_forward__received_is_that_of_attn_received(void **state)
{
    (void)state;
    static const Case SUMS[] = {
        {"causal, wide blocks", SIZES(2061, 0, 2, 1, 16), .kind = ATTN_MASK_CAUSAL},
        {"48 rows", SIZES(61, 33000, 1, 0, 16)},
        {"24 rows", SIZES(61, 60000, 1, 0, 16)},
        {"too many keys to keep any", SIZES(61, 150000, 1, 0, 4)},
        {"window of many keys", SIZES(3000, 0, 1, 0, 8),
         .kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW, .window = 300},
        {"symmetric", SIZES(700, 900, 2, 0, 20), .kind = ATTN_MASK_WINDOW_SYMMETRIC, .window = 131,
         .q_offset = 77},
        {"raised often", SIZES(400, 1500, 1, 0, 32), .spread = 12},
        {"keys hidden, bias, cap", SIZES(333, 0, 2, 0, 24), .kind = ATTN_MASK_CAUSAL,
         .hide_some = true, .bias = true, .soft_cap = 3},
    };
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    for (size_t k = 0; k < CASE_COUNT(SUMS); k++) {
        AttnArgs args = case_args(&SUMS[k]);
        for (int i = 0; i < n; i++) {
            AttnCtx *ctx = case_ctx(list[i], 2);
            Run run = run_make(&SUMS[k], &args);
            float *again = case_floats(run.n_received, 1, 5);
            assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
            assert_int_equal(
                attn_received(ctx, &args, run.out.row_max, run.out.row_log_sum, again, NULL),
                ATTN_OK);
            expect_close(SUMS[k].name, attn_isa_name(list[i]), "received", run.out.received, again,
                         run.n_received, 1e-9, 4e-6);
            free(again);
            run_free(&run);
            attn_ctx_destroy(&ctx);
        }
        case_args_free(&args);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attn_forward__received_is_that_of_attn_received),
        cmocka_unit_test(test_attn_forward__cases_match_reference),
        cmocka_unit_test(test_attn_forward__every_width),
        cmocka_unit_test(test_attn_forward__every_length),
        cmocka_unit_test(test_attn_forward__output_strides),
        cmocka_unit_test(test_attn_forward__packing_ahead_or_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
