#pragma once
/*
 * A pass held against the float64 reference, for every instruction set of this
 * CPU. Tolerances for scores of a few units: weights 1e-6; o 3e-6; m, l 4e-6;
 * entropy 1e-5; distances, received 1e-5 relative. Where scores are large
 * (spread) their own f32 rounding adds eps * |s| to each.
 */
#include "attention_case.h"

static inline void expect_keys(const Case *c, const char *isa, const Run *run, const Run *reference)
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

static inline void expect_like(const Case *c, const char *isa, const Run *run, const Run *expected)
{
    const AttnOutputs *a = &run->out, *b = &expected->out;
    double more = c->spread > 4 || c->bias_level < -50 ? 20 : 1; /* scores near 100: to 1e-5 only */
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

static inline void check_case(const Case *c)
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
