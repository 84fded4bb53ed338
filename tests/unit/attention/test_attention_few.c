/* Few queries and many keys: the way of attn_forward that shares a head's keys
 * among threads. */
#if defined(__linux__)
#include <malloc.h>
#endif

#include "attention_like.h"

#define CAUSAL  ATTN_MASK_CAUSAL
#define SLIDING (ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW)

static const Case CASES[] = {
    {"one query", SIZES(1, 1024, 2, 0, 64), .kind = CAUSAL, .q_offset = 1023},
    {"one query, odd length", SIZES(1, 4999, 1, 0, 64), .kind = CAUSAL, .q_offset = 4998},
    {"one query, 2 heads a group", SIZES(1, 1500, 4, 2, 32), .kind = CAUSAL, .q_offset = 1499},
    {"one query, 3 heads a group", SIZES(1, 1300, 6, 2, 48), .interleaved = true},
    {"one query, 8 heads a group", SIZES(1, 2300, 8, 1, 128)},
    {"one query, 12 heads a group", SIZES(1, 1100, 12, 1, 40)},
    {"one query, 25 heads a group", SIZES(1, 1100, 25, 1, 16), .v_dim = 80},
    {"five queries", SIZES(5, 1700, 2, 0, 64), .kind = CAUSAL, .q_offset = 1695},
    {"seven queries, grouped", SIZES(7, 1200, 10, 2, 24), .kind = CAUSAL, .q_offset = 1193},
    {"48 rows", SIZES(16, 1088, 3, 1, 32), .kind = CAUSAL, .q_offset = 1072},
    {"odd width", SIZES(2, 1111, 3, 0, 37), .v_dim = 21},
    {"width 1", SIZES(1, 1100, 1, 0, 1)},
    {"width 256", SIZES(3, 1100, 1, 0, 256), .v_dim = 208},
    {"sliding window", SIZES(2, 9000, 2, 1, 32), .kind = SLIDING, .window = 2100, .q_offset = 8998},
    {"symmetric window", SIZES(40, 9000, 1, 0, 16), .kind = ATTN_MASK_WINDOW_SYMMETRIC,
     .window = 2500, .q_offset = 4000},
    {"padding", SIZES(3, 2000, 2, 1, 32), .n_valid_keys = 1333},
    {"hidden keys", SIZES(2, 1700, 4, 2, 32), .hide_some = true, .kind = CAUSAL, .q_offset = 1500},
    {"bias", SIZES(3, 1400, 4, 2, 32), .bias = true, .kind = CAUSAL, .q_offset = 1397},
    {"soft cap", SIZES(1, 1400, 2, 1, 32), .soft_cap = 2.5f, .spread = 3},
    {"large scores", SIZES(4, 1500, 1, 0, 64), .spread = 12},
    {"summary 7", SIZES(9, 5000, 2, 1, 16), .summary_size = 7},
    {"rows that see nothing", SIZES(20, 1100, 2, 0, 16), .kind = CAUSAL, .q_offset = 1085 - 1100},
    {"some rows see nothing", SIZES(30, 1100, 1, 0, 16), .kind = ATTN_MASK_WINDOW, .window = 40,
     .q_offset = 1110},
    {"first part hidden", SIZES(20, 3000, 1, 0, 16), .kind = ATTN_MASK_WINDOW, .window = 1500,
     .q_offset = 1800},
};

static void test_attn_forward__few_queries_match_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT(CASES); i++) {
        check_case(&CASES[i]);
    }
}

static void test_attn_forward__few_queries_every_group(void **state)
{
    (void)state;
    for (int32_t rows = 1; rows <= 49; rows += rows < 14 ? 1 : 7) {
        char name[32];
        snprintf(name, sizeof name, "%d heads of one group", rows);
        Case c = {name, SIZES(1, 1030, rows, 1, 20), .v_dim = 32};
        check_case(&c);
    }
}

static void test_attn_forward__few_queries_same_bits_for_any_thread_count(void **state)
{
    (void)state;
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    for (size_t k = 0; k < CASE_COUNT(CASES); k++) {
        AttnArgs args = case_args(&CASES[k]);
        for (int i = 0; i < n; i++) {
            AttnCtx *one = case_ctx(list[i], 1), *many = case_ctx(list[i], 3);
            Run a = run_make(&CASES[k], &args), b = run_make(&CASES[k], &args);
            assert_int_equal(attn_forward(one, &args, &a.out, NULL), ATTN_OK);
            assert_int_equal(attn_forward(many, &args, &b.out, NULL), ATTN_OK);
            size_t floats = a.n_o + 9 * a.n_rows + 2 * a.n_texels + a.n_received;
            expect_same_bits(CASES[k].name, "outputs", a.memory, b.memory, floats * sizeof(float));
            run_free(&a);
            run_free(&b);
            attn_ctx_destroy(&one);
            attn_ctx_destroy(&many);
        }
        case_args_free(&args);
    }
}

/* m of the row, its largest score, is found in the tile with the same bits. */
static void test_attn_forward__few_queries_have_the_scores_of_tiles(void **state)
{
    (void)state;
    enum { M = 1500 };
    static const int32_t WIDTHS[] = {64, 20, 130};
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    for (size_t w = 0; w < CASE_COUNT(WIDTHS); w++) {
        Case c = {"scores", SIZES(2, M, 4, 2, WIDTHS[w])};
        AttnArgs args = case_args(&c);
        for (int i = 0; i < n; i++) {
            AttnCtx *ctx = case_ctx(list[i], 2);
            Run run = run_make(&c, &args);
            assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
            for (int32_t r = 0; r < 8; r++) {
                float s[M], most = -INFINITY;
                assert_int_equal(
                    attn_tile_row(ctx, &args, ATTN_TILE_SCORES, r / 2, r % 2, NULL, NULL, s),
                    ATTN_OK);
                for (int32_t j = 0; j < M; j++) {
                    most = s[j] > most ? s[j] : most;
                }
                assert_true(most == run.out.row_max[r]);
                assert_true(s[run.out.rows.max_key[r]] == most);
            }
            run_free(&run);
            attn_ctx_destroy(&ctx);
        }
        case_args_free(&args);
    }
}

/* Values that are no numbers spoil the rows that see them and no other. */
static void test_attn_forward__few_queries_not_numbers(void **state)
{
    (void)state;
    enum { N = 3, M = 1200, D = 32, BAD_VALUE = 1198, BAD_KEY = 1199, HIDDEN = 70 };
    static const float BAD[] = {NAN, INFINITY};
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    for (int i = 0; i < n; i++) {
        AttnCtx *ctx = case_ctx(list[i], 2);
        for (size_t b = 0; b < CASE_COUNT(BAD); b++) {
            Case c = {"not numbers", SIZES(N, M, 1, 0, D), .kind = CAUSAL, .q_offset = M - N};
            AttnArgs args = case_args(&c);
            uint8_t mask[M];
            memset(mask, 1, sizeof mask);
            mask[HIDDEN] = 0;
            args.mask.key_mask = mask;
            Run good = run_make(&c, &args), run = run_make(&c, &args);
            assert_int_equal(attn_forward(ctx, &args, &good.out, NULL), ATTN_OK);
            float *q = (float *)(uintptr_t)args.q, *k = (float *)(uintptr_t)args.k;
            float *v = (float *)(uintptr_t)args.v;
            q[(N - 1) * D + 5] = 1;
            k[BAD_KEY * D + 5] = BAD[b];
            v[BAD_VALUE * D + 7] = BAD[b];
            v[HIDDEN * D + 9] = BAD[b]; /* behind a weight of 0 */
            k[HIDDEN * D] = BAD[b];
            assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
            expect_close(c.name, attn_ctx_isa_name(ctx), "o", run.out.o, good.out.o, D, 1e-6, 0);
            for (int e = 0; e < D; e++) {
                float at = run.out.o[D + e];
                assert_true(e == 7 ? !isfinite(at) : fabsf(at - good.out.o[D + e]) < 1e-6f);
                assert_true(isnan(run.out.o[2 * D + e]));
            }
            expect_same_bits(c.name, "l", run.out.row_log_sum, good.out.row_log_sum,
                             2 * sizeof(float));
            assert_true(isnan(run.out.row_log_sum[2]));
            args.mask.key_mask = NULL;
            run_free(&run);
            run_free(&good);
            case_args_free(&args);
        }
        attn_ctx_destroy(&ctx);
    }
}

static void test_attn_forward__few_queries_cancelled(void **state)
{
    (void)state;
    AttnArgs args = case_args(&CASES[0]);
    AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 2);
    Run run = run_make(&CASES[0], &args);
    atomic_bool cancel = true;
    AttnProgress progress = {.cancel = &cancel};
    assert_int_equal(attn_forward(ctx, &args, &run.out, &progress), ATTN_CANCELLED);
    run_free(&run);
    attn_ctx_destroy(&ctx);
    case_args_free(&args);
}

static size_t heap_bytes(void)
{
#if defined(__GLIBC__)
    struct mallinfo2 heap = mallinfo2();
    return heap.uordblks + heap.hblkhd;
#else
    return 0;
#endif
}

/* What parts leave is bounded: scratch does not grow with the keys. */
static void test_attn_scratch_bytes__few_queries_bounded(void **state)
{
    (void)state;
    AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 2);
    float there = 0;
    AttnArgs args = {.q = &there,
                     .k = &there,
                     .v = &there,
                     .n_queries = 1,
                     .n_heads = 8,
                     .n_kv_heads = 2,
                     .head_dim = 128};
    AttnOutputs out = {.o = &there, .row_max = &there, .row_log_sum = &there};
    size_t bytes[2];
    for (int i = 0; i < 2; i++) {
        args.n_keys = i == 0 ? 1 << 17 : 1 << 23;
        bytes[i] = attn_scratch_bytes(ctx, &args, &out);
    }
    assert_true(bytes[0] > 0 && bytes[0] == bytes[1] && bytes[0] < (size_t)4 << 20);
    attn_ctx_destroy(&ctx);
}

/* The context keeps what a call took, so the heap tells how much that was. */
static void test_attn_scratch_bytes__what_a_call_takes(void **state)
{
    (void)state;
    Case c = {"new tokens", SIZES(1, 1500, 1, 0, 256)};
    for (int part = 0; part < 4; part++) { /* summary, received, both, many queries */
        c.n_queries = part == 3 ? 600 : 1;
        AttnArgs args = case_args(&c);
        Run run = run_make(&c, &args);
        AttnOutputs out = {.row_max = run.out.row_max, .row_log_sum = run.out.row_log_sum};
        out.summary_mean = part != 1 ? run.out.summary_mean : NULL;
        out.received = part != 0 ? run.out.received : NULL;
        AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 2);
        size_t before = heap_bytes();
        assert_int_equal(attn_forward(ctx, &args, &out, NULL), ATTN_OK);
        size_t taken = heap_bytes() - before, told = attn_scratch_bytes(ctx, &args, &out);
        attn_ctx_destroy(&ctx);
        run_free(&run);
        case_args_free(&args);
        if (before == 0) { /* an allocator that does not tell */
            skip();
        }
        const size_t LARGE_PAGE = (size_t)2 << 20; /* that much more keeps large blocks aligned */
        size_t besides = 4096 + (told >= LARGE_PAGE ? LARGE_PAGE : 0);
        assert_true(taken > 100000 && taken <= told + besides);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attn_forward__few_queries_match_reference),
        cmocka_unit_test(test_attn_forward__few_queries_every_group),
        cmocka_unit_test(test_attn_forward__few_queries_same_bits_for_any_thread_count),
        cmocka_unit_test(test_attn_forward__few_queries_have_the_scores_of_tiles),
        cmocka_unit_test(test_attn_forward__few_queries_not_numbers),
        cmocka_unit_test(test_attn_forward__few_queries_cancelled),
        cmocka_unit_test(test_attn_scratch_bytes__few_queries_bounded),
        cmocka_unit_test(test_attn_scratch_bytes__what_a_call_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
