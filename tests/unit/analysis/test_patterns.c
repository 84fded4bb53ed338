/* Pattern scores against the same sums worked out cell by cell. */
#include "testing.h"

#include "analysis/patterns.h"
#include "model/model.h"

#include <stdlib.h>

static const int32_t IDS[] = {5, 9, 2, 5, 9, 7, 2, 5, 9, 9};
enum { N = 10 };

static Trace *make_trace(const int32_t *ids, size_t n, Model **model)
{
    Error err = {0};
    TraceToken tokens[N];
    for (size_t i = 0; i < n; i++) {
        tokens[i] = (TraceToken){.id = ids[i], .text = "x", .start = -1, .end = -1};
    }
    *model = model_open(&(ModelDesc){.spec = "random:L=2,H=2,d=64,V=64,seed=9"}, &err);
    assert_ok(*model, err);
    Trace *trace =
        trace_run(&(TraceDesc){.model = *model, .model_name = "m", .tokens = tokens, .n_tokens = n},
                  NULL, &err);
    assert_ok(trace, err);
    return trace;
}

static float weight(const Trace *trace, int32_t i, int32_t j)
{
    TraceCell cell;
    assert_true(trace_cell(trace, 1, 1, i, j, &cell, NULL));
    return cell.weight;
}

static void test_pattern_scores__by_hand(void **state)
{
    (void)state;
    Model *model;
    Trace *trace = make_trace(IDS, N, &model);
    double sums[PATTERN_COUNT] = {0};
    int n[PATTERN_COUNT] = {0};
    for (int32_t i = 0; i < N; i++) {
        sums[PATTERN_SELF] += (double)weight(trace, i, i);
        n[PATTERN_SELF]++;
        if (i > 0) {
            sums[PATTERN_SINK] += (double)weight(trace, i, 0);
            sums[PATTERN_PREVIOUS] += (double)weight(trace, i, i - 1);
            n[PATTERN_SINK]++;
            n[PATTERN_PREVIOUS]++;
        }
        int follow = 0;
        int same = 0;
        for (int32_t j = 0; j <= i; j++) {
            if (j > 0 && IDS[j - 1] == IDS[i] && j - 1 < i) {
                sums[PATTERN_INDUCTION] += (double)weight(trace, i, j);
                follow = 1;
            }
            if (j < i && IDS[j] == IDS[i]) {
                sums[PATTERN_DUPLICATE] += (double)weight(trace, i, j);
                same = 1;
            }
        }
        n[PATTERN_INDUCTION] += follow;
        n[PATTERN_DUPLICATE] += same;
    }
    PatternScores scores;
    Error err = {0};
    assert_ok(pattern_scores(trace, 1, 1, true, &scores, &err), err);
    for (int p = 0; p < PATTERN_COUNT; p++) {
        float want = (float)(sums[p] / n[p]);
        assert_int_equal(scores.n_queries[p], n[p]);
        assert_true(scores.known[p]);
        assert_close(&scores.score[p], &want, 1, 1e-6, 1e-5);
    }
    assert_ok(pattern_scores(trace, 1, 1, false, &scores, &err), err);
    assert_false(scores.known[PATTERN_INDUCTION]);
    assert_true(scores.known[PATTERN_SINK]);
    assert_false(pattern_scores(trace, 2, 0, true, &scores, &err));
    assert_int_equal(err.code, ERR_RANGE);
    trace_close(trace);
    model_close(&model);
}

/* A token that comes twice gives one query an induction cell: a score, but not yet a pattern. */
static void test_pattern_scores__one_query_names_no_head(void **state)
{
    (void)state;
    static const int32_t ids[] = {1, 2, 3, 4, 2};
    Model *model;
    Trace *trace = make_trace(ids, 5, &model);
    int n_above = 0;
    for (int32_t at = 0; at < 4; at++) {
        PatternScores scores;
        Error err = {0};
        assert_ok(pattern_scores(trace, at / 2, at % 2, true, &scores, &err), err);
        assert_int_equal(scores.n_queries[PATTERN_INDUCTION], 1);
        n_above += scores.score[PATTERN_INDUCTION] > pattern_limit(PATTERN_INDUCTION);
        assert_int_not_equal(scores.best, PATTERN_INDUCTION);
        assert_int_not_equal(scores.best, PATTERN_DUPLICATE);
    }
    assert_true(n_above > 0); /* or nothing was held back */
    trace_close(trace);
    model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pattern_scores__by_hand),
        cmocka_unit_test(test_pattern_scores__one_query_names_no_head)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
