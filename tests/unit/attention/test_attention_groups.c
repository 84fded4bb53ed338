/* What a row becomes does not depend on the rows that go through the keys with it, nor on whether
 * statistics are wanted: kernels take whole groups of rows another way than groups that lack some.
 * Bit for bit, so that it holds where an error against float64 would say nothing. */
#include "attention_case.h"

#include <string.h>

static const Case CASES[] = {
    {"no step", SIZES(30, 60, 2, 1, 64)},
    {"one step after another", SIZES(40, 700, 2, 1, 64)},
    {"causal", SIZES(200, 0, 2, 0, 64), .kind = ATTN_MASK_CAUSAL},
    {"window", SIZES(300, 0, 2, 1, 48), .kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW, .window = 90},
    {"steps with hidden keys and without", SIZES(36, 500, 2, 0, 32), .hide_some = true},
    {"soft cap", SIZES(36, 300, 2, 0, 32), .soft_cap = 3, .spread = 4},
    {"rows that see nothing", SIZES(120, 60, 2, 0, 64), .kind = ATTN_MASK_CAUSAL, .q_offset = -50},
    {"raised within the steps", SIZES(36, 900, 2, 0, 64), .spread = 12},
    {"scores of 1e4", SIZES(36, 900, 2, 0, 64), .spread = 3000},
    {"short blocks", SIZES(36, 900, 1, 0, 256), .spread = 4},
    {"raised by what comes after the products", SIZES(36, 600, 2, 0, 64), .bias = true},
    {"odd", SIZES(37, 401, 2, 0, 77), .v_dim = 19},
};

enum { SOME_ROWS = 7 }; /* fewer than a group; cases have too few keys for the way of few rows */

/* Higher from step to step, whatever the row. */
static void rising_bias(void *payload, int32_t head, int32_t row0, int32_t n_rows, int32_t col0,
                        int32_t n_cols, float *bias, ptrdiff_t ld)
{
    (void)payload, (void)head, (void)row0;
    for (int32_t r = 0; r < n_rows; r++) {
        for (int32_t c = 0; c < n_cols; c++) {
            bias[r * ld + c] = (float)((col0 + c) / 64) * 100;
        }
    }
}

static Run run_with(AttnCtx *ctx, const Case *c, const AttnArgs *args, bool lean)
{
    Run run = run_make(c, args);
    AttnOutputs out = run.out;
    if (lean) {
        out.rows = (AttnRowStats){0};
        out.summary_mean = out.summary_max = out.received = NULL;
    }
    assert_int_equal(attn_forward(ctx, args, &out, NULL), ATTN_OK);
    return run;
}

/* Rows of `part` are rows row0 .. of `whole`. */
static void expect_rows(const Case *c, const Run *whole, const Run *part, int32_t row0, bool full)
{
    size_t n = (size_t)part->args.n_queries, N = (size_t)whole->args.n_queries;
    size_t wide = whole->n_o / whole->n_rows;
    for (size_t h = 0; h < (size_t)c->n_heads; h++) {
        size_t a = h * N + (size_t)row0, b = h * n, bytes = n * sizeof(float);
        expect_same_bits(c->name, "o", whole->out.o + a * wide, part->out.o + b * wide,
                         wide * bytes);
        expect_same_bits(c->name, "m", whole->out.row_max + a, part->out.row_max + b, bytes);
        expect_same_bits(c->name, "l", whole->out.row_log_sum + a, part->out.row_log_sum + b,
                         bytes);
        const AttnRowStats *x = &whole->out.rows, *y = &part->out.rows;
        if (full) {
            expect_same_bits(c->name, "entropy", x->entropy + a, y->entropy + b, bytes);
            expect_same_bits(c->name, "distance", x->distance + a, y->distance + b, bytes);
            expect_same_bits(c->name, "max_weight", x->max_weight + a, y->max_weight + b, bytes);
            expect_same_bits(c->name, "max_key", x->max_key + a, y->max_key + b, bytes);
            expect_same_bits(c->name, "self", x->self_weight + a, y->self_weight + b, bytes);
        }
    }
}

static void check_case(AttnCtx *ctx, const Case *c, AttnPrecision precision)
{
    AttnArgs args = case_args(c);
    args.precision = precision;
    args.bias.fill = c->bias ? rising_bias : NULL;
    Run full = run_with(ctx, c, &args, false), lean = run_with(ctx, c, &args, true);
    expect_rows(c, &full, &lean, 0, false);
    run_free(&lean);
    for (int32_t row = 0; row < c->n_queries; row += SOME_ROWS) {
        int32_t left = c->n_queries - row;
        AttnArgs some = args;
        some.n_queries = left < SOME_ROWS ? left : SOME_ROWS;
        some.n_keys = c->n_keys ? c->n_keys : c->n_queries;
        some.q += (ptrdiff_t)row * c->head_dim;
        some.q_row_stride = c->head_dim;
        some.q_head_stride = (ptrdiff_t)c->n_queries * c->head_dim;
        some.mask.q_offset += row;
        bool with_statistics = row / SOME_ROWS % 2 == 0;
        Run part = run_with(ctx, c, &some, !with_statistics);
        expect_rows(c, &full, &part, row, with_statistics);
        run_free(&part);
    }
    run_free(&full);
    case_args_free(&args);
}

static void check_everywhere(const Case *c)
{
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    for (int i = 0; i < n; i++) {
        AttnCtx *ctx = case_ctx(list[i], 1);
        for (int p = 0; p < ATTN_PRECISION_COUNT; p++) {
            if (attn_ctx_has_precision(ctx, (AttnPrecision)p)) {
                check_case(ctx, c, (AttnPrecision)p);
            }
        }
        attn_ctx_destroy(&ctx);
    }
}

static void test_attn_forward__a_row_is_the_same_in_any_group(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT(CASES); i++) {
        check_everywhere(&CASES[i]);
    }
}

/* Of narrow heads some rows find room beside the products, and some do not. */
static void test_attn_forward__a_row_is_the_same_at_any_width(void **state)
{
    (void)state;
    for (int32_t d = 13; d < 93; d += d < 50 ? 1 : 6) {
        char name[32];
        snprintf(name, sizeof name, "width %d", d);
        check_everywhere(&(Case){name, SIZES(12, 200, 1, 0, d), .spread = 6, .summary_size = 50});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attn_forward__a_row_is_the_same_in_any_group),
        cmocka_unit_test(test_attn_forward__a_row_is_the_same_at_any_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
