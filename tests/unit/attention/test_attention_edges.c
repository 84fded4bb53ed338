/* Rows without keys, values that are no numbers, masks, shapes, arguments, instruction sets. */
#include "attention_case.h"

static void for_every_isa(void (*check)(AttnCtx *ctx))
{
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    assert_true(n >= 1 && list[0] == ATTN_ISA_SCALAR);
    for (int i = 0; i < n; i++) {
        AttnCtx *ctx = case_ctx(list[i], 2);
        check(ctx);
        attn_ctx_destroy(&ctx);
        assert_null(ctx);
    }
}

static void check_empty_rows(AttnCtx *ctx)
{
    Case c = {"all hidden", SIZES(30, 90, 2, 0, 16)};
    AttnArgs args = case_args(&c);
    uint8_t *hidden = calloc(90, 1);
    args.mask.key_mask = hidden;
    Run run = run_make(&c, &args);
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
    for (size_t i = 0; i < run.n_rows; i++) {
        assert_true(run.out.row_max[i] == -INFINITY);
        assert_true(run.out.row_log_sum[i] == 0);
        assert_true(run.out.rows.entropy[i] == 0 && run.out.rows.distance[i] == 0);
        assert_true(run.out.rows.max_weight[i] == 0 && run.out.rows.first_weight[i] == 0);
        assert_int_equal(run.out.rows.max_key[i], -1);
    }
    for (size_t i = 0; i < run.n_o; i++) {
        assert_true(run.out.o[i] == 0);
    }
    for (size_t i = 0; i < run.n_texels; i++) {
        assert_true(run.out.summary_mean[i] == 0 && run.out.summary_max[i] == 0);
    }
    for (size_t i = 0; i < run.n_received; i++) {
        assert_true(run.out.received[i] == 0);
    }
    float w[90], s[90];
    assert_int_equal(
        attn_tile_row(ctx, &args, ATTN_TILE_WEIGHTS, 1, 7, run.out.row_max, run.out.row_log_sum, w),
        ATTN_OK);
    assert_int_equal(attn_tile_row(ctx, &args, ATTN_TILE_SCORES, 1, 7, NULL, NULL, s), ATTN_OK);
    for (int i = 0; i < 90; i++) {
        assert_true(w[i] == 0 && s[i] == -INFINITY);
    }
    run_free(&run);
    case_args_free(&args);
}

static void test_attn_forward__rows_without_keys(void **state)
{
    (void)state;
    for_every_isa(check_empty_rows);
}

/* A NaN or infinity spoils the rows that see it and no other. */
static void check_not_numbers(AttnCtx *ctx)
{
    enum { N = 150, D = 16, BAD_QUERY = 20, BAD_KEY = 100, BAD_VALUE = 120 };
    static const float BAD[] = {NAN, INFINITY};
    Case c = {"not numbers", SIZES(N, 0, 1, 0, D), .kind = ATTN_MASK_CAUSAL};
    for (size_t b = 0; b < CASE_COUNT(BAD); b++) {
        AttnArgs args = case_args(&c);
        Run good = run_make(&c, &args), run = run_make(&c, &args);
        assert_int_equal(attn_forward(ctx, &args, &good.out, NULL), ATTN_OK);
        float *q = (float *)(uintptr_t)args.q, *k = (float *)(uintptr_t)args.k;
        float *v = (float *)(uintptr_t)args.v;
        q[BAD_QUERY * D + 3] = BAD[b];
        k[BAD_KEY * D + 5] = BAD[b];
        v[BAD_VALUE * D + 7] = BAD[b];
        for (int i = BAD_KEY; i < N; i++) {
            q[i * D + 5] = 1; /* so that an infinite key is an infinite score */
        }
        assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
        for (int i = 0; i < BAD_KEY; i++) {
            if (i == BAD_QUERY) {
                assert_true(isnan(run.out.row_log_sum[i]));
                assert_true(isnan(run.out.o[i * D]));
                continue;
            }
            assert_true(run.out.row_log_sum[i] == good.out.row_log_sum[i]);
            expect_same_bits("not numbers", "o", run.out.o + i * D, good.out.o + i * D,
                             D * sizeof(float));
        }
        for (int i = BAD_KEY; i < N; i++) {
            assert_true(isnan(run.out.row_log_sum[i]) && isnan(run.out.o[i * D]));
        }
        run_free(&good);
        run_free(&run);
        case_args_free(&args);
    }
}

static void test_attn_forward__not_numbers_stay_in_their_rows(void **state)
{
    (void)state;
    for_every_isa(check_not_numbers);
}

static void check_values_not_numbers(AttnCtx *ctx)
{
    enum { N = 150, D = 16, BAD_VALUE = 90 };
    Case c = {"values", SIZES(N, 0, 1, 0, D), .kind = ATTN_MASK_CAUSAL};
    AttnArgs args = case_args(&c);
    Run good = run_make(&c, &args), run = run_make(&c, &args);
    assert_int_equal(attn_forward(ctx, &args, &good.out, NULL), ATTN_OK);
    float *v = (float *)(uintptr_t)args.v;
    v[BAD_VALUE * D + 7] = NAN;
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
    for (int i = 0; i < N; i++) {
        for (int e = 0; e < D; e++) {
            float o = run.out.o[i * D + e];
            if (i >= BAD_VALUE && e == 7) {
                assert_true(isnan(o));
            } else {
                assert_close(&o, good.out.o + i * D + e, 1, 1e-6, 1e-6);
            }
        }
    }
    run_free(&good);
    run_free(&run);
    case_args_free(&args);
}

static void test_attn_forward__value_not_a_number(void **state)
{
    (void)state;
    for_every_isa(check_values_not_numbers);
}

/* A NaN with bits in its payload must not slip through the exponential as a number. */
static void check_payload(AttnCtx *ctx)
{
    Case c = {"payload", SIZES(5, 70, 1, 0, 7)};
    AttnArgs args = case_args(&c);
    const uint32_t bits = 0x7fc001ffu;
    memcpy((float *)(uintptr_t)args.k + 33 * 7 + 2, &bits, sizeof bits);
    Run run = run_make(&c, &args);
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
    for (int i = 0; i < 5; i++) {
        assert_true(isnan(run.out.row_log_sum[i]) && isnan(run.out.o[i * 7]));
    }
    run_free(&run);
    case_args_free(&args);
}

static void test_attn_forward__nan_payload(void **state)
{
    (void)state;
    for_every_isa(check_payload);
}

/* Scores of +-1e4, all equal scores, and denormal operands. */
static void check_extremes(AttnCtx *ctx)
{
    Case c = {"scores to 1e4", SIZES(40, 300, 1, 0, 16), .scale = 1000};
    AttnArgs args = case_args(&c);
    Run run = run_make(&c, &args);
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
    float w[300];
    for (int32_t i = 0; i < 40; i++) {
        assert_int_equal(attn_tile_row(ctx, &args, ATTN_TILE_WEIGHTS, 0, i, run.out.row_max,
                                       run.out.row_log_sum, w),
                         ATTN_OK);
        double sum = 0;
        for (int j = 0; j < 300; j++) {
            sum += (double)w[j];
        }
        assert_true(fabs(sum - 1) < 1e-5);
    }
    float *k = (float *)(uintptr_t)args.k;
    for (int i = 0; i < 300 * 16; i++) {
        k[i] = 0;
    }
    args.scale = 1;
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
    for (int i = 0; i < 40; i++) {
        assert_true(fabs((double)run.out.row_log_sum[i] - log(300)) < 1e-6);
        assert_int_equal(run.out.rows.max_key[i], 0);
    }
    for (int i = 0; i < 300 * 16; i++) {
        k[i] = 1e-41f;
    }
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
    for (int i = 0; i < 40; i++) {
        assert_true(fabs((double)run.out.row_log_sum[i] - log(300)) < 1e-6);
    }
    run_free(&run);
    case_args_free(&args);
}

/* Scores of every size against float64: their f32 rounding is all that is lost. */
static void check_score_sizes(AttnCtx *ctx)
{
    const float scales[] = {1e-30f, 1e-3f, 1, 30, 1000, -1000};
    for (size_t i = 0; i < CASE_COUNT(scales); i++) {
        for (int32_t n_keys = 1; n_keys <= 150; n_keys += 149) {
            Case c = {"score sizes", SIZES(30, n_keys, 1, 0, 16), .scale = scales[i]};
            AttnArgs args = case_args(&c);
            Run got = run_make(&c, &args), want = run_make(&c, &args);
            assert_int_equal(attn_forward(ctx, &args, &got.out, NULL), ATTN_OK);
            assert_int_equal(attn_reference_forward(&args, &want.out), ATTN_OK);
            const char *isa = attn_ctx_isa_name(ctx);
            /* A score is a sum of 16 products of about 4: off by some 2^-22 of its size. */
            double off = 1e-5 + 4e-6 * fabs((double)scales[i]);
            expect_close(c.name, isa, "m", got.out.row_max, want.out.row_max, 30, off, 1e-6);
            expect_close(c.name, isa, "l", got.out.row_log_sum, want.out.row_log_sum, 30, off, 0);
            expect_close(c.name, isa, "o", got.out.o, want.out.o, got.n_o, off, 1e-5);
            expect_close(c.name, isa, "entropy", got.out.rows.entropy, want.out.rows.entropy, 30,
                         4 * off, 1e-5);
            run_free(&got);
            run_free(&want);
            case_args_free(&args);
        }
    }
}

static void test_attn_forward__scores_of_every_size(void **state)
{
    (void)state;
    for_every_isa(check_score_sizes);
}

/* Where log2(e) times a score overflows there is no finite answer, and the row says so. */
static void check_overflow(AttnCtx *ctx)
{
    Case c = {"scores of 3e38", SIZES(3, 70, 1, 0, 2)};
    AttnArgs args = case_args(&c);
    float *q = (float *)(uintptr_t)args.q, *k = (float *)(uintptr_t)args.k;
    args.scale = 1;
    for (int j = 0; j < 70; j++) {
        k[2 * j] = 1, k[2 * j + 1] = 0;
    }
    q[0] = 1, q[2] = 3e38f, q[4] = -2;
    Run run = run_make(&c, &args);
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
    for (int row = 0; row < 3; row++) {
        float l = run.out.row_log_sum[row];
        if (row != 1) {
            assert_true(fabs((double)l - log(70)) < 1e-5);
        } else { /* either right or NaN, never an empty row */
            assert_true(isnan(l) || fabs((double)l - log(70)) < 1e-5);
            assert_true(run.out.row_max[row] > 2e38f);
        }
    }
    run_free(&run);
    case_args_free(&args);
}

static void test_attn_forward__scores_near_the_largest_number(void **state)
{
    (void)state;
    for_every_isa(check_overflow);
}

static void test_attn_forward__extreme_scores(void **state)
{
    (void)state;
    for_every_isa(check_extremes);
}

static void test_attn_mask_row_range__kinds(void **state)
{
    (void)state;
    const struct {
        AttnMask mask;
        int32_t n_keys, row, begin, end;
    } rows[] = {
        {{0}, 10, 3, 0, 10},
        {{.n_valid_keys = 4}, 10, 3, 0, 4},
        {{.kind = ATTN_MASK_CAUSAL}, 10, 3, 0, 4},
        {{.kind = ATTN_MASK_CAUSAL, .q_offset = 5}, 10, 3, 0, 9},
        {{.kind = ATTN_MASK_CAUSAL, .q_offset = 100}, 10, 3, 0, 10},
        {{.kind = ATTN_MASK_CAUSAL, .q_offset = -4}, 10, 3, 0, 0},
        {{.kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW, .window = 2}, 10, 3, 2, 4},
        {{.kind = ATTN_MASK_WINDOW, .window = 2}, 10, 3, 2, 10},
        {{.kind = ATTN_MASK_WINDOW, .window = 2, .q_offset = 20}, 10, 3, 0, 0},
        {{.kind = ATTN_MASK_WINDOW_SYMMETRIC, .window = 4}, 10, 3, 1, 6},
        {{.kind = ATTN_MASK_WINDOW_SYMMETRIC, .window = 5}, 10, 3, 1, 6},
        {{.kind = ATTN_MASK_WINDOW_SYMMETRIC, .window = 1}, 10, 3, 3, 4},
        {{.kind = ATTN_MASK_WINDOW_SYMMETRIC, .window = 8}, 10, 9, 5, 10},
    };
    for (size_t i = 0; i < CASE_COUNT(rows); i++) {
        int32_t begin, end;
        attn_mask_row_range(&rows[i].mask, rows[i].n_keys, rows[i].row, &begin, &end);
        assert_int_equal(begin, rows[i].begin);
        assert_int_equal(end, rows[i].end);
    }
    AttnMask causal = {.kind = ATTN_MASK_CAUSAL};
    assert_int_equal(attn_mask_visible_pairs(&causal, 10, 10), 55);
}

static void test_attn_summary_shape__covers_every_pair_once(void **state)
{
    (void)state;
    static const int32_t LENGTHS[][3] = {
        {1, 1, 0},       {256, 256, 0},  {257, 257, 0},         {100, 1000, 0},
        {4096, 4096, 0}, {5000, 77, 31}, {131072, 131072, 1024}};
    for (size_t i = 0; i < CASE_COUNT(LENGTHS); i++) {
        int32_t n = LENGTHS[i][0], m = LENGTHS[i][1], size = LENGTHS[i][2];
        AttnArgs args = {.n_queries = n, .n_keys = m};
        AttnSummaryShape shape = attn_summary_shape(&args, size);
        int32_t limit = size ? size : ATTN_SUMMARY_DEFAULT, next = 0;
        assert_true(shape.n_rows <= limit && shape.n_cols <= limit && !shape.triangular);
        for (int32_t row = 0; row < shape.n_rows; row++) {
            int32_t begin, end;
            attn_summary_texel_rows(&shape, row, &begin, &end);
            assert_int_equal(begin, next);
            assert_true(end > begin);
            next = end;
        }
        assert_int_equal(next, n);
        assert_true(n > limit || shape.row_width == 1);
        args.mask.kind = ATTN_MASK_CAUSAL;
        shape = attn_summary_shape(&args, size);
        assert_int_equal(shape.triangular, n == m);
        if (n == m) {
            assert_int_equal(attn_summary_index(&shape, shape.n_rows - 1, shape.n_rows - 1),
                             shape.n_texels - 1);
            assert_int_equal(attn_summary_index(&shape, 0, 1), -1);
        }
    }
}

static void test_attn_args_check__names_the_field(void **state)
{
    (void)state;
    float x[4] = {0};
    AttnArgs good = {.q = x, .k = x, .v = x, .n_queries = 2, .n_heads = 1, .head_dim = 2};
    char message[256];
    assert_int_equal(attn_args_check(&good, message, sizeof message), ATTN_OK);
    struct {
        AttnArgs args;
        AttnStatus status;
        const char *says;
    } rows[] = {{good, ATTN_OPERAND, "k"},     {good, ATTN_DIM, "head_dim"},
                {good, ATTN_DIM, "v_dim"},     {good, ATTN_LENGTH, "n_queries"},
                {good, ATTN_LENGTH, "n_keys"}, {good, ATTN_HEADS, "n_heads"},
                {good, ATTN_SCALE, "scale"},   {good, ATTN_SCALE, "soft_cap"},
                {good, ATTN_MASK, "kind"},     {good, ATTN_MASK, "window"},
                {good, ATTN_MASK, "q_offset"}, {good, ATTN_MASK, "n_valid_keys"}};
    rows[0].args.k = NULL;
    rows[1].args.head_dim = 257;
    rows[2].args.v_dim = -1;
    rows[3].args.n_queries = 0;
    rows[4].args.n_keys = ATTN_MAX_LENGTH + 1;
    rows[5].args.n_kv_heads = 2;
    rows[6].args.scale = INFINITY;
    rows[7].args.soft_cap = -1;
    rows[8].args.mask.kind = 64;
    rows[9].args.mask.kind = ATTN_MASK_WINDOW;
    rows[10].args.mask.q_offset = INT32_MIN;
    rows[11].args.mask.n_valid_keys = 3;
    AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 1);
    for (size_t i = 0; i < CASE_COUNT(rows); i++) {
        assert_int_equal(attn_args_check(&rows[i].args, message, sizeof message), rows[i].status);
        assert_non_null(strstr(message, rows[i].says));
        float o[4], m[2], l[2];
        AttnOutputs out = {.o = o, .row_max = m, .row_log_sum = l};
        assert_int_equal(attn_forward(ctx, &rows[i].args, &out, NULL), rows[i].status);
    }
    float m[2], l[2];
    AttnOutputs big = {.row_max = m, .row_log_sum = l, .summary_size = 1025};
    assert_int_equal(attn_forward(ctx, &good, &big, NULL), ATTN_SUMMARY);
    AttnOutputs missing = {.row_max = m};
    assert_int_equal(attn_forward(ctx, &good, &missing, NULL), ATTN_OPERAND);
    attn_ctx_destroy(&ctx);
}

static void test_attn_ctx_create__chooses_and_refuses(void **state)
{
    (void)state;
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    char message[256];
    AttnCtx *ctx;
    unsetenv("ATTNSCOPE_ISA");
    assert_int_equal(attn_ctx_create(NULL, &ctx, NULL, 0), ATTN_OK);
    assert_int_equal(attn_ctx_isa(ctx), list[n - 1]);
    assert_true(attn_ctx_threads(ctx) >= 1);
    attn_ctx_destroy(&ctx);
    attn_ctx_destroy(&ctx);
    attn_ctx_destroy(NULL);

    setenv("ATTNSCOPE_ISA", "scalar", 1);
    assert_int_equal(attn_ctx_create(NULL, &ctx, NULL, 0), ATTN_OK);
    assert_string_equal(attn_ctx_isa_name(ctx), "scalar");
    attn_ctx_destroy(&ctx);
    assert_int_equal(
        attn_ctx_create(&(AttnCtxDesc){.isa = list[n - 1]}, &ctx, message, sizeof message),
        ATTN_OK);
    assert_int_equal(attn_ctx_isa(ctx), list[n - 1]);
    attn_ctx_destroy(&ctx);

    setenv("ATTNSCOPE_ISA", "mmx", 1);
    assert_int_equal(attn_ctx_create(NULL, &ctx, message, sizeof message), ATTN_ISA);
    assert_non_null(strstr(message, "ATTNSCOPE_ISA"));
    assert_non_null(strstr(message, "mmx"));
    assert_non_null(strstr(message, "scalar"));
    assert_null(ctx);
    unsetenv("ATTNSCOPE_ISA");

    bool have[ATTN_ISA_COUNT] = {[ATTN_ISA_AUTO] = true};
    for (int i = 0; i < n; i++) {
        have[list[i]] = true;
    }
    for (int isa = 0; isa < ATTN_ISA_COUNT; isa++) {
        AttnIsa parsed;
        assert_true(attn_isa_parse(attn_isa_name((AttnIsa)isa), &parsed));
        assert_int_equal(parsed, isa);
        AttnStatus status =
            attn_ctx_create(&(AttnCtxDesc){.isa = (AttnIsa)isa}, &ctx, message, sizeof message);
        assert_int_equal(status, have[isa] ? ATTN_OK : ATTN_ISA);
        attn_ctx_destroy(&ctx);
    }
    assert_int_equal(
        attn_ctx_create(&(AttnCtxDesc){.n_threads = -1}, &ctx, message, sizeof message),
        ATTN_THREADS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attn_forward__rows_without_keys),
        cmocka_unit_test(test_attn_forward__not_numbers_stay_in_their_rows),
        cmocka_unit_test(test_attn_forward__value_not_a_number),
        cmocka_unit_test(test_attn_forward__nan_payload),
        cmocka_unit_test(test_attn_forward__extreme_scores),
        cmocka_unit_test(test_attn_forward__scores_of_every_size),
        cmocka_unit_test(test_attn_forward__scores_near_the_largest_number),
        cmocka_unit_test(test_attn_mask_row_range__kinds),
        cmocka_unit_test(test_attn_summary_shape__covers_every_pair_once),
        cmocka_unit_test(test_attn_args_check__names_the_field),
        cmocka_unit_test(test_attn_ctx_create__chooses_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
