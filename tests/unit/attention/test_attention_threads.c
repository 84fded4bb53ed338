/* Same bits for any number of threads; cancel and progress. */
#include "attention_case.h"

#include <omp.h>
#include <pthread.h>

static const Case CASES[] = {
    {"causal, summary", SIZES(900, 0, 3, 1, 24), .kind = ATTN_MASK_CAUSAL, .summary_size = 64},
    {"full, coarse summary", SIZES(700, 500, 2, 0, 16), .summary_size = 2},
    {"window, bias", SIZES(500, 0, 2, 0, 16), .kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW,
     .window = 90, .bias = true},
};

static void test_attn_forward__same_bits_for_any_thread_count(void **state)
{
    (void)state;
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    for (size_t k = 0; k < CASE_COUNT(CASES); k++) {
        const Case *c = &CASES[k];
        AttnArgs args = case_args(c);
        for (int i = 0; i < n; i++) {
            AttnCtx *one = case_ctx(list[i], 1);
            Run expected = run_make(c, &args);
            assert_int_equal(attn_forward(one, &args, &expected.out, NULL), ATTN_OK);
            size_t floats =
                expected.n_o + 9 * expected.n_rows + 2 * expected.n_texels + expected.n_received;
            static const int COUNTS[] = {2, 3, 7};
            for (size_t t = 0; t < CASE_COUNT(COUNTS); t++) {
                AttnCtx *many = case_ctx(list[i], COUNTS[t]);
                Run run = run_make(c, &args);
                assert_int_equal(attn_forward(many, &args, &run.out, NULL), ATTN_OK);
                expect_same_bits(c->name, "outputs", run.memory, expected.memory,
                                 floats * sizeof(float));
                run_free(&run);
                attn_ctx_destroy(&many);
            }
            run_free(&expected);
            attn_ctx_destroy(&one);
        }
        case_args_free(&args);
    }
}

static void test_attn_tile_reduce__same_bits_for_any_thread_count(void **state)
{
    (void)state;
    const Case *c = &CASES[0];
    AttnArgs args = case_args(c);
    AttnCtx *one = case_ctx(ATTN_ISA_AUTO, 1), *three = case_ctx(ATTN_ISA_AUTO, 3);
    Run run = run_make(c, &args);
    assert_int_equal(attn_forward(one, &args, &run.out, NULL), ATTN_OK);
    AttnTileDesc tile = {ATTN_TILE_WEIGHTS,  1, 10, 890, 5, 880, run.out.row_max,
                         run.out.row_log_sum};
    enum { TEXELS = 45 * 45 };
    float a[2][TEXELS], b[2][TEXELS];
    assert_int_equal(attn_tile_reduce(one, &args, &tile, 20, 20, a[0], a[1], 45, NULL), ATTN_OK);
    assert_int_equal(attn_tile_reduce(three, &args, &tile, 20, 20, b[0], b[1], 45, NULL), ATTN_OK);
    for (size_t i = 0; i < 2; i++) {
        for (size_t row = 0; row < 44; row++) {
            expect_same_bits(c->name, "reduced", a[i] + row * 45, b[i] + row * 45,
                             44 * sizeof(float));
        }
    }
    run_free(&run);
    attn_ctx_destroy(&one);
    attn_ctx_destroy(&three);
    case_args_free(&args);
}

typedef struct Watch {
    atomic_bool cancel;
    int64_t calls, last, total;
    bool cancel_at_first;
} Watch;

static void watch_report(void *payload, int64_t done, int64_t total)
{
    Watch *watch = payload;
    watch->calls++;
    watch->last = done > watch->last ? done : watch->last;
    watch->total = total;
    if (watch->cancel_at_first) {
        atomic_store(&watch->cancel, true);
    }
}

static void test_attn_forward__cancel_and_progress(void **state)
{
    (void)state;
    const Case *c = &CASES[0];
    AttnArgs args = case_args(c);
    AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 2);
    Run run = run_make(c, &args);
    AttnOutputs pass = run.out;
    pass.received = NULL;

    Watch watch = {0};
    AttnProgress progress = {.cancel = &watch.cancel, .report = watch_report, .payload = &watch};
    assert_int_equal(attn_forward(ctx, &args, &pass, &progress), ATTN_OK);
    assert_true(watch.calls > 0 && watch.total > 1);
    assert_true(watch.last > 0 && watch.last <= watch.total);

    Watch early = {0};
    atomic_store(&early.cancel, true);
    AttnProgress stopped = {.cancel = &early.cancel, .report = watch_report, .payload = &early};
    assert_int_equal(attn_forward(ctx, &args, &pass, &stopped), ATTN_CANCELLED);
    assert_int_equal(
        attn_received(ctx, &args, run.out.row_max, run.out.row_log_sum, run.out.received, &stopped),
        ATTN_CANCELLED);
    assert_int_equal(early.calls, 0);

    /* From within: the run ends before its last task. One thread, so that it is sure to. */
    AttnCtx *one = case_ctx(ATTN_ISA_AUTO, 1);
    Watch midway = {.cancel_at_first = true};
    AttnProgress stopping = {.cancel = &midway.cancel, .report = watch_report, .payload = &midway};
    assert_int_equal(attn_forward(one, &args, &run.out, &stopping), ATTN_CANCELLED);
    assert_true(midway.last < midway.total);
    run_free(&run);
    attn_ctx_destroy(&one);
    attn_ctx_destroy(&ctx);
    case_args_free(&args);
}

enum { CALLERS = 4, CALLS = 6 };

typedef struct Caller {
    const AttnCtx *ctx;
    const AttnArgs *args[CALLS];
    AttnOutputs out[CALLS];
    AttnStatus status;
} Caller;

static void *call_many(void *payload)
{
    Caller *caller = payload;
    for (int i = 0; i < CALLS && caller->status == ATTN_OK; i++) {
        caller->status = attn_forward(caller->ctx, caller->args[i], &caller->out[i], NULL);
    }
    return NULL;
}

/* Seconds of work are added: some of every call, no more than its threads have. */
static void test_attn_forward__tells_how_long_it_worked(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"all tokens", SIZES(900, 0, 3, 1, 24), .kind = ATTN_MASK_CAUSAL},
        {"new ones", SIZES(2, 3000, 3, 1, 24)},
    };
    for (size_t k = 0; k < CASE_COUNT(cases); k++) {
        AttnArgs args = case_args(&cases[k]);
        for (int n = 1; n <= 3; n++) {
            AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, n);
            Run run = run_make(&cases[k], &args);
            double busy_s = 0;
            AttnProgress progress = {.busy_s = &busy_s};
            for (int call = 0; call < 3; call++) {
                double before = busy_s, start = omp_get_wtime();
                assert_int_equal(attn_forward(ctx, &args, &run.out, &progress), ATTN_OK);
                double most = n * (omp_get_wtime() - start);
                assert_true(busy_s > before && busy_s - before <= most);
            }
            run_free(&run);
            attn_ctx_destroy(&ctx);
        }
        case_args_free(&args);
    }
}

/* Callers of one context at once, small and large in turn, so that working memory changes hands:
 * every run has the bits of a run alone. */
static void test_attn_forward__many_callers_of_one_context(void **state)
{
    (void)state;
    AttnCtx *ctx = case_ctx(ATTN_ISA_AUTO, 1), *alone = case_ctx(ATTN_ISA_AUTO, 1);
    AttnArgs args[CASE_COUNT(CASES)];
    Run expected[CASE_COUNT(CASES)], runs[CALLERS][CALLS];
    for (size_t k = 0; k < CASE_COUNT(CASES); k++) {
        args[k] = case_args(&CASES[k]);
        expected[k] = run_make(&CASES[k], &args[k]);
        assert_int_equal(attn_forward(alone, &args[k], &expected[k].out, NULL), ATTN_OK);
    }
    Caller callers[CALLERS] = {0};
    pthread_t threads[CALLERS];
    for (size_t t = 0; t < CALLERS; t++) {
        callers[t].ctx = ctx;
        for (size_t i = 0; i < CALLS; i++) {
            size_t k = (t + i) % CASE_COUNT(CASES);
            runs[t][i] = run_make(&CASES[k], &args[k]);
            callers[t].args[i] = &args[k];
            callers[t].out[i] = runs[t][i].out;
        }
        assert_int_equal(pthread_create(&threads[t], NULL, call_many, &callers[t]), 0);
    }
    for (size_t t = 0; t < CALLERS; t++) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
    }
    for (size_t t = 0; t < CALLERS; t++) {
        assert_int_equal(callers[t].status, ATTN_OK);
        for (size_t i = 0; i < CALLS; i++) {
            size_t k = (t + i) % CASE_COUNT(CASES);
            const Run *e = &expected[k];
            size_t n = e->n_o + 9 * e->n_rows + 2 * e->n_texels + e->n_received;
            expect_same_bits(CASES[k].name, "outputs", runs[t][i].memory, e->memory,
                             n * sizeof(float));
            run_free(&runs[t][i]);
        }
    }
    for (size_t k = 0; k < CASE_COUNT(CASES); k++) {
        run_free(&expected[k]);
        case_args_free(&args[k]);
    }
    attn_ctx_destroy(&ctx);
    attn_ctx_destroy(&alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attn_forward__same_bits_for_any_thread_count),
        cmocka_unit_test(test_attn_tile_reduce__same_bits_for_any_thread_count),
        cmocka_unit_test(test_attn_forward__cancel_and_progress),
        cmocka_unit_test(test_attn_forward__tells_how_long_it_worked),
        cmocka_unit_test(test_attn_forward__many_callers_of_one_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
