/* Tiles: right against the reference, the pass's bits, rows that sum to 1, reductions. */
#include "attention_case.h"

static const Case CASES[] = {
    {"square", SIZES(150, 0, 2, 0, 64)},
    {"causal", SIZES(210, 0, 2, 0, 32), .kind = ATTN_MASK_CAUSAL},
    {"odd, grouped, interleaved", SIZES(131, 197, 4, 2, 37), .interleaved = true},
    {"window", SIZES(300, 0, 2, 0, 24), .kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW, .window = 50},
    {"symmetric window", SIZES(300, 0, 1, 0, 24), .kind = ATTN_MASK_WINDOW_SYMMETRIC, .window = 64},
    {"bias, cap, hidden keys", SIZES(170, 0, 2, 0, 32), .bias = true, .soft_cap = 5,
     .hide_some = true},
    {"subset of queries", SIZES(30, 220, 2, 0, 16), .kind = ATTN_MASK_CAUSAL, .q_offset = 170},
    {"rows that see nothing", SIZES(90, 60, 1, 0, 16), .kind = ATTN_MASK_CAUSAL, .q_offset = -20},
    {"width 1", SIZES(90, 100, 1, 0, 1)},
    {"width 256", SIZES(40, 100, 1, 0, 256), .v_dim = 16},
    {"weights down to nothing", SIZES(300, 0, 1, 0, 64), .spread = 25, .summary_size = 40},
    {"weights that are equal", SIZES(200, 0, 2, 0, 32), .alike = 8, .summary_size = 50},
    {"causal, wide texels", SIZES(310, 0, 1, 0, 32), .kind = ATTN_MASK_CAUSAL, .summary_size = 9},
};

static float *tile_make(const AttnCtx *ctx, const Run *run, AttnTileKind kind, int32_t head,
                        int32_t row0, int32_t row1, int32_t col0, int32_t col1)
{
    AttnTileDesc tile = {
        kind, head, row0, row1, col0, col1, run->out.row_max, run->out.row_log_sum};
    size_t cols = (size_t)(col1 - col0);
    float *out = malloc((size_t)(row1 - row0) * cols * sizeof(float));
    assert_non_null(out);
    assert_int_equal(attn_tile(ctx, &run->args, &tile, out, (ptrdiff_t)cols), ATTN_OK);
    return out;
}

static int32_t keys_of(const AttnArgs *a)
{
    return a->n_keys ? a->n_keys : a->n_queries;
}

static void expect_whole_head(const Case *c, const char *isa, const Run *run, int32_t head,
                              const float *weights, const float *scores)
{
    size_t M = (size_t)keys_of(&run->args);
    double *w = malloc(M * sizeof(double)), *s = malloc(M * sizeof(double));
    float *row = malloc(M * sizeof(float));
    double far = c->spread > 1 ? (double)c->spread : 1; /* rounding is that of the scores' size */
    for (int32_t i = 0; i < c->n_queries; i++) {
        assert_int_equal(attn_reference_row(&run->args, head, i, w, s), ATTN_OK);
        for (size_t j = 0; j < M; j++) {
            row[j] = (float)w[j];
            assert_true(s[j] != -INFINITY || weights[(size_t)i * M + j] == 0);
        }
        expect_close(c->name, isa, "weights", weights + (size_t)i * M, row, M, 1e-6 * far, 0);
        for (size_t j = 0; j < M; j++) {
            row[j] = (float)s[j];
        }
        expect_close(c->name, isa, "scores", scores + (size_t)i * M, row, M, 4e-6 * far, 1e-6);
    }
    free(w);
    free(s);
    free(row);
}

/* What the pass left behind is found again in the tile, bit for bit. */
static void expect_pass_bits(const Case *c, const Run *run, int32_t head, const float *weights,
                             const float *scores)
{
    int32_t M = keys_of(&run->args), N = c->n_queries;
    const AttnRowStats *stats = &run->out.rows;
    for (int32_t i = 0; i < N; i++) {
        size_t at = (size_t)head * (size_t)N + (size_t)i;
        const float *w = weights + (size_t)i * (size_t)M, *s = scores + (size_t)i * (size_t)M;
        float max = -INFINITY, largest = 0;
        int32_t key = -1, position = i + c->q_offset;
        for (int32_t j = 0; j < M; j++) {
            if (s[j] > max) {
                max = s[j];
                key = j;
            }
            largest = w[j] > largest ? w[j] : largest;
        }
        assert_true(max == run->out.row_max[at]);
        assert_int_equal(key, stats->max_key[at]);
        assert_true(largest == stats->max_weight[at]);
        assert_true(w[0] == stats->first_weight[at]);
        bool self = position >= 0 && position < M, previous = position >= 1 && position <= M;
        assert_true((self ? w[position] : 0) == stats->self_weight[at]);
        assert_true((previous ? w[position - 1] : 0) == stats->prev_weight[at]);
    }
}

/* The summary is the tile reduced, maxima to the bit. */
static void expect_summary(const Case *c, const char *isa, const Run *run, int32_t head,
                           const float *weights)
{
    const AttnSummaryShape *shape = &run->shape;
    int32_t M = keys_of(&run->args);
    for (int32_t row = 0; row < shape->n_rows; row++) {
        for (int32_t col = 0; col < shape->n_cols; col++) {
            int32_t r0, r1, c0, c1;
            attn_summary_texel_rows(shape, row, &r0, &r1);
            attn_summary_texel_cols(shape, col, &c0, &c1);
            double sum = 0;
            float largest = 0;
            for (int32_t i = r0; i < r1; i++) {
                for (int32_t j = c0; j < c1; j++) {
                    float w = weights[(size_t)i * (size_t)M + (size_t)j];
                    sum += (double)w;
                    largest = w > largest ? w : largest;
                }
            }
            int64_t at = attn_summary_index(shape, row, col);
            if (at < 0) {
                assert_true(largest == 0);
                continue;
            }
            at += head * shape->n_texels;
            float mean = (float)(sum / ((double)(r1 - r0) * (c1 - c0)));
            expect_close(c->name, isa, "texel mean", run->out.summary_mean + at, &mean, 1, 1e-7,
                         1e-6);
            assert_true(run->out.summary_max[at] == largest);
        }
    }
}

/* Any other cut gives the same bits: odd corners, single rows, single columns. */
static void expect_cuts(const Case *c, const AttnCtx *ctx, const Run *run, int32_t head,
                        AttnTileKind kind, const float *whole)
{
    int32_t N = c->n_queries, M = keys_of(&run->args);
    int32_t cuts[][4] = {{0, 1, 0, M},
                         {N - 1, N, 0, M},
                         {0, N, M / 2, M / 2 + 1},
                         {0, N, M - 1, M},
                         {N / 3, N, M / 3, M},
                         {0, N, 0, M < 9 ? M : 9},
                         {N / 2, N / 2 + 1, M / 3, M / 3 + 1}};
    for (size_t i = 0; i < CASE_COUNT(cuts); i++) {
        int32_t r0 = cuts[i][0], r1 = cuts[i][1], c0 = cuts[i][2], c1 = cuts[i][3];
        float *tile = tile_make(ctx, run, kind, head, r0, r1, c0, c1);
        for (int32_t r = r0; r < r1; r++) {
            expect_same_bits(c->name, "cut", tile + (ptrdiff_t)(r - r0) * (c1 - c0),
                             whole + (ptrdiff_t)r * M + c0, (size_t)(c1 - c0) * sizeof(float));
        }
        free(tile);
    }
}

static void check_case(const Case *c, AttnIsa isa)
{
    AttnArgs args = case_args(c);
    AttnCtx *ctx = case_ctx(isa, 2);
    Case small = *c;
    small.summary_size = 60;
    Run run = run_make(&small, &args);
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
    for (int32_t head = 0; head < c->n_heads; head++) {
        int32_t M = keys_of(&args);
        float *w = tile_make(ctx, &run, ATTN_TILE_WEIGHTS, head, 0, c->n_queries, 0, M);
        float *s = tile_make(ctx, &run, ATTN_TILE_SCORES, head, 0, c->n_queries, 0, M);
        expect_whole_head(c, attn_ctx_isa_name(ctx), &run, head, w, s);
        expect_pass_bits(c, &run, head, w, s);
        expect_summary(c, attn_ctx_isa_name(ctx), &run, head, w);
        expect_cuts(c, ctx, &run, head, ATTN_TILE_WEIGHTS, w);
        expect_cuts(c, ctx, &run, head, ATTN_TILE_SCORES, s);
        free(w);
        free(s);
    }
    run_free(&run);
    attn_ctx_destroy(&ctx);
    case_args_free(&args);
}

static void test_attn_tile__exact_and_the_bits_of_the_pass(void **state)
{
    (void)state;
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    for (int i = 0; i < n; i++) {
        for (size_t k = 0; k < CASE_COUNT(CASES); k++) {
            check_case(&CASES[k], list[i]);
        }
    }
}

/* Rows of long heads: normal, large and equal scores. */
static void test_attn_tile__rows_sum_to_one(void **state)
{
    (void)state;
    static const Case LONG[] = {
        {"normal", SIZES(24, 16384, 1, 0, 64)},
        {"scores to 100", SIZES(24, 16384, 1, 0, 64), .spread = 25},
        {"nearly equal", SIZES(24, 16384, 1, 0, 64), .spread = 0.01f},
        {"16384 square, causal, scores to 100", SIZES(16384, 0, 1, 0, 16), .spread = 30,
         .kind = ATTN_MASK_CAUSAL},
        {"131072 keys", SIZES(12, 131072, 1, 0, 32), .v_dim = 16},
        {"131072 keys, nearly equal", SIZES(12, 131072, 1, 0, 32), .v_dim = 16, .spread = 0.3f},
        {"131072 keys, scores to 100", SIZES(12, 131072, 1, 0, 32), .v_dim = 16, .spread = 25},
    };
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    for (size_t k = 0; k < CASE_COUNT(LONG); k++) {
        AttnArgs args = case_args(&LONG[k]);
        Run run = run_make(&LONG[k], &args);
        int32_t n_keys = keys_of(&args);
        float *row = malloc((size_t)n_keys * sizeof(float));
        for (int i = 0; i < n; i++) {
            AttnCtx *ctx = case_ctx(list[i], 2);
            AttnOutputs wanted = {.row_max = run.out.row_max, .row_log_sum = run.out.row_log_sum};
            assert_int_equal(attn_forward(ctx, &args, &wanted, NULL), ATTN_OK);
            for (int32_t r = args.n_queries - 1; r >= 0; r -= args.n_queries / 25 + 1) {
                assert_int_equal(attn_tile_row(ctx, &args, ATTN_TILE_WEIGHTS, 0, r, run.out.row_max,
                                               run.out.row_log_sum, row),
                                 ATTN_OK);
                double sum = 0;
                for (int32_t j = 0; j < n_keys; j++) {
                    sum += (double)row[j];
                }
                if (!(fabs(sum - 1) < 1e-5)) {
                    fail_msg("case '%s', %s: row %d sums to %.9f", LONG[k].name,
                             attn_ctx_isa_name(ctx), r, sum);
                }
            }
            attn_ctx_destroy(&ctx);
        }
        free(row);
        run_free(&run);
        case_args_free(&args);
    }
}

static void test_attn_tile__fused_scores_agree_across_instruction_sets(void **state)
{
    (void)state;
    Case c = {"scores", SIZES(70, 130, 1, 0, 50)};
    AttnArgs args = case_args(&c);
    Run run = run_make(&c, &args);
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    float *first = NULL;
    for (int i = 0; i < n; i++) {
        if (list[i] == ATTN_ISA_SCALAR) {
            continue;
        }
        AttnCtx *ctx = case_ctx(list[i], 1);
        float *s = tile_make(ctx, &run, ATTN_TILE_SCORES, 0, 0, 70, 0, 130);
        if (first) {
            expect_same_bits(c.name, "scores", s, first, 70 * 130 * sizeof(float));
            free(s);
        } else {
            first = s;
        }
        attn_ctx_destroy(&ctx);
    }
    free(first);
    run_free(&run);
    case_args_free(&args);
}

/* Any widths, any corner, against the tile itself. */
static void check_reduce(const Case *c, int32_t row0, int32_t col0, int32_t row_width,
                         int32_t col_width)
{
    AttnArgs args = case_args(c);
    AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 2);
    Run run = run_make(c, &args);
    assert_int_equal(attn_forward(ctx, &args, &run.out, NULL), ATTN_OK);
    int32_t N = c->n_queries, M = keys_of(&args), rows = N - row0, cols = M - col0;
    float *w = tile_make(ctx, &run, ATTN_TILE_WEIGHTS, 0, row0, N, col0, M);
    int32_t n_rows = (rows - 1) / row_width + 1, n_cols = (cols - 1) / col_width + 1;
    float *mean = malloc((size_t)(n_rows * n_cols) * sizeof(float));
    float *max = malloc((size_t)(n_rows * n_cols) * sizeof(float));
    AttnTileDesc region = {ATTN_TILE_WEIGHTS,  0, row0, N, col0, M, run.out.row_max,
                           run.out.row_log_sum};
    assert_int_equal(
        attn_tile_reduce(ctx, &args, &region, row_width, col_width, mean, max, n_cols, NULL),
        ATTN_OK);
    for (int32_t t = 0; t < n_rows * n_cols; t++) {
        double sum = 0, pairs = 0;
        float largest = 0;
        for (int32_t i = t / n_cols * row_width; i < rows && i < (t / n_cols + 1) * row_width;
             i++) {
            for (int32_t j = t % n_cols * col_width; j < cols && j < (t % n_cols + 1) * col_width;
                 j++) {
                float x = w[(ptrdiff_t)i * cols + j];
                sum += (double)x;
                largest = x > largest ? x : largest;
                pairs++;
            }
        }
        float expected = (float)(sum / pairs);
        expect_close(c->name, "auto", "reduced mean", mean + t, &expected, 1, 1e-9, 1e-6);
        assert_true(max[t] == largest);
    }
    free(w);
    free(mean);
    free(max);
    run_free(&run);
    attn_ctx_destroy(&ctx);
    case_args_free(&args);
}

static void test_attn_tile_reduce__equals_the_tile_reduced(void **state)
{
    (void)state;
    static const int32_t WIDTHS[][4] = {
        {0, 0, 1, 1}, {0, 0, 16, 16}, {3, 7, 5, 13}, {0, 50, 100, 3}, {20, 0, 1000, 1000}};
    for (size_t i = 0; i < CASE_COUNT(WIDTHS); i++) {
        Case full = {"full", SIZES(140, 170, 1, 0, 24)};
        Case causal = {"causal", SIZES(260, 0, 1, 0, 24), .kind = ATTN_MASK_CAUSAL};
        check_reduce(&full, WIDTHS[i][0], WIDTHS[i][1], WIDTHS[i][2], WIDTHS[i][3]);
        check_reduce(&causal, WIDTHS[i][0], WIDTHS[i][1], WIDTHS[i][2], WIDTHS[i][3]);
    }
}

static void test_attn_tile__refuses_what_is_outside(void **state)
{
    (void)state;
    Case c = {"refuse", SIZES(20, 30, 2, 0, 8)};
    AttnArgs args = case_args(&c);
    AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 1);
    float m[40] = {0}, l[40] = {0}, out[600];
    const struct {
        AttnTileDesc tile;
        ptrdiff_t ld;
        AttnStatus status;
    } rows[] = {
        {{ATTN_TILE_WEIGHTS, 0, 0, 20, 0, 30, m, l}, 30, ATTN_OK},
        {{ATTN_TILE_SCORES, 0, 0, 20, 0, 30, NULL, NULL}, 30, ATTN_OK},
        {{ATTN_TILE_WEIGHTS, 0, 0, 20, 0, 30, NULL, l}, 30, ATTN_OPERAND},
        {{ATTN_TILE_WEIGHTS, 2, 0, 20, 0, 30, m, l}, 30, ATTN_RANGE},
        {{ATTN_TILE_WEIGHTS, -1, 0, 20, 0, 30, m, l}, 30, ATTN_RANGE},
        {{ATTN_TILE_WEIGHTS, 0, 0, 21, 0, 30, m, l}, 30, ATTN_RANGE},
        {{ATTN_TILE_WEIGHTS, 0, -1, 20, 0, 30, m, l}, 30, ATTN_RANGE},
        {{ATTN_TILE_WEIGHTS, 0, 5, 5, 0, 30, m, l}, 30, ATTN_RANGE},
        {{ATTN_TILE_WEIGHTS, 0, 0, 20, 0, 31, m, l}, 31, ATTN_RANGE},
        {{ATTN_TILE_WEIGHTS, 0, 0, 20, 9, 8, m, l}, 30, ATTN_RANGE},
        {{ATTN_TILE_WEIGHTS, 0, 0, 20, 0, 30, m, l}, 29, ATTN_RANGE},
    };
    for (size_t i = 0; i < CASE_COUNT(rows); i++) {
        assert_int_equal(attn_tile(ctx, &args, &rows[i].tile, out, rows[i].ld), rows[i].status);
    }
    attn_ctx_destroy(&ctx);
    case_args_free(&args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attn_tile__exact_and_the_bits_of_the_pass),
        cmocka_unit_test(test_attn_tile__rows_sum_to_one),
        cmocka_unit_test(test_attn_tile__fused_scores_agree_across_instruction_sets),
        cmocka_unit_test(test_attn_tile_reduce__equals_the_tile_reduced),
        cmocka_unit_test(test_attn_tile__refuses_what_is_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
