/* Batches of tiles: each with the bits of the tile alone, on any number of
 * threads. */
#include "attention_case.h"

static const Case CASES[] = {
    {"causal, grouped", SIZES(700, 0, 4, 2, 64), .kind = ATTN_MASK_CAUSAL},
    {"long row and column", SIZES(20000, 0, 1, 0, 8), .kind = ATTN_MASK_CAUSAL},
    {"bias, cap, hidden keys", SIZES(400, 0, 2, 0, 20), .bias = true, .soft_cap = 5,
     .hide_some = true},
    {"window", SIZES(900, 0, 2, 0, 24), .kind = ATTN_MASK_WINDOW_SYMMETRIC, .window = 101},
};

enum { N_TILES = 9 };

/* Rows and columns from end to end, corners, single weights. */
static void fill_tasks(const Case *c, const Run *run, AttnTileTask tasks[N_TILES], float *memory[])
{
    int32_t n = c->n_queries, most = n < 1300 ? n : 1300, last = c->n_heads - 1;
    const int32_t cuts[N_TILES][5] = {
        {0, 0, most, 0, most},
        {last, 0, 256, 0, 256},
        {last, n - 1, n, 0, n},
        {0, 0, n, 1, 2},
        {0, n - 200, n, 3, n},
        {last, 7, n - 5, 90, 101},
        {0, n / 2, n / 2 + 1, n / 3, n / 3 + 1},
        {last, 5, 16, 0, n},
        {0, 100, 365, 40, 170},
    };
    for (size_t t = 0; t < N_TILES; t++) {
        const int32_t *x = cuts[t];
        tasks[t] =
            (AttnTileTask){.tile = {t % 3 == 2 ? ATTN_TILE_SCORES : ATTN_TILE_WEIGHTS, x[0], x[1],
                                    x[2], x[3], x[4], run->out.row_max, run->out.row_log_sum},
                           .ld = x[4] - x[3] + (ptrdiff_t)(t % 2)};
        memory[t] = calloc((size_t)(x[2] - x[1]) * (size_t)tasks[t].ld, sizeof(float));
        assert_non_null(memory[t]);
        tasks[t].out = memory[t];
    }
}

static void check_batch(const Case *c, AttnIsa isa)
{
    AttnArgs args = case_args(c);
    AttnCtx *one = case_ctx(isa, 1);
    Run run = run_make(c, &args);
    AttnOutputs wanted = {.row_max = run.out.row_max, .row_log_sum = run.out.row_log_sum};
    assert_int_equal(attn_forward(one, &args, &wanted, NULL), ATTN_OK);
    AttnTileTask tasks[N_TILES];
    float *alone[N_TILES], *batch[N_TILES];
    fill_tasks(c, &run, tasks, alone);
    for (int t = 0; t < N_TILES; t++) {
        assert_int_equal(attn_tile(one, &args, &tasks[t].tile, alone[t], tasks[t].ld), ATTN_OK);
    }
    static const int THREADS[] = {1, 2, 5};
    for (size_t i = 0; i < CASE_COUNT(THREADS); i++) {
        AttnCtx *ctx = case_ctx(isa, THREADS[i]);
        fill_tasks(c, &run, tasks, batch);
        assert_int_equal(attn_tiles(ctx, &args, tasks, N_TILES, NULL), ATTN_OK);
        for (int t = 0; t < N_TILES; t++) {
            size_t rows = (size_t)(tasks[t].tile.row1 - tasks[t].tile.row0);
            expect_same_bits(c->name, "tile of a batch", batch[t], alone[t],
                             rows * (size_t)tasks[t].ld * sizeof(float));
            free(batch[t]);
        }
        attn_ctx_destroy(&ctx);
    }
    for (int t = 0; t < N_TILES; t++) {
        free(alone[t]);
    }
    run_free(&run);
    attn_ctx_destroy(&one);
    case_args_free(&args);
}

static void test_attn_tiles__bits_of_the_tile_alone(void **state)
{
    (void)state;
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    for (int i = 0; i < n; i++) {
        for (size_t k = 0; k < CASE_COUNT(CASES); k++) {
            check_batch(&CASES[k], list[i]);
        }
    }
}

/* One task out of range: none is computed. */
static void test_attn_tiles__refuses_before_writing(void **state)
{
    (void)state;
    Case c = {"refuse", SIZES(20, 30, 2, 0, 8)};
    AttnArgs args = case_args(&c);
    AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 2);
    float m[40] = {0}, l[40] = {0}, out[2] = {-7, -7};
    AttnTileTask tasks[] = {
        {.tile = {ATTN_TILE_WEIGHTS, 0, 0, 1, 0, 1, m, l}, .out = out, .ld = 1},
        {.tile = {ATTN_TILE_WEIGHTS, 0, 0, 1, 30, 31, m, l}, .out = out + 1, .ld = 1},
    };
    assert_int_equal(attn_tiles(ctx, &args, tasks, 2, NULL), ATTN_RANGE);
    tasks[1].tile.col0 = 29, tasks[1].tile.col1 = 30, tasks[1].out = NULL;
    assert_int_equal(attn_tiles(ctx, &args, tasks, 2, NULL), ATTN_OPERAND);
    tasks[1].out = out + 1, tasks[1].ld = 0;
    assert_int_equal(attn_tiles(ctx, &args, tasks, 2, NULL), ATTN_RANGE);
    assert_int_equal(attn_tiles(ctx, &args, NULL, 2, NULL), ATTN_OPERAND);
    assert_true(out[0] == -7 && out[1] == -7);
    assert_int_equal(attn_tiles(ctx, &args, NULL, 0, NULL), ATTN_OK);
    tasks[1].ld = 1;
    atomic_bool cancel = true;
    AttnProgress progress = {.cancel = &cancel};
    assert_int_equal(attn_tiles(ctx, &args, tasks, 2, &progress), ATTN_CANCELLED);
    assert_int_equal(attn_tiles(ctx, &args, tasks, 2, NULL), ATTN_OK);
    assert_true(out[0] >= 0 && out[1] >= 0);
    attn_ctx_destroy(&ctx);
    case_args_free(&args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attn_tiles__bits_of_the_tile_alone),
        cmocka_unit_test(test_attn_tiles__refuses_before_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
