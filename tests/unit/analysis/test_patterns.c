/* Pattern scores against the same sums worked out cell by cell. */
#include "testing.h"

#include "analysis/patterns.h"
#include "model/model.h"

#include <math.h>
#include <stdlib.h>

enum { N = 90 };

static Trace *make_trace(const int32_t *ids, size_t n, bool causal, Model **model)
{
    static const char *const texts[] = {" the", " cat", ".", " sat", "\n", "x", ",", "7"};
    Error err = {0};
    TraceToken tokens[N];
    for (size_t i = 0; i < n; i++) {
        tokens[i] = (TraceToken){
            .id = ids[i], .text = texts[ids[i] % 8], .start = -1, .end = -1, .special = i == 40};
    }
    *model = model_open(&(ModelDesc){.spec = "random:L=2,H=2,d=64,V=64,seed=9"}, &err);
    assert_ok(*model, err);
    Trace *trace =
        trace_run(&(TraceDesc){.model = *model,
                               .model_name = "m",
                               .tokens = tokens,
                               .n_tokens = n,
                               .params = {.mask = causal ? TRACE_MASK_CAUSAL : TRACE_MASK_NONE}},
                  NULL, &err);
    assert_ok(trace, err);
    return trace;
}

static double weight(const Trace *trace, int32_t i, int32_t j)
{
    TraceCell cell;
    assert_true(trace_cell(trace, 1, 1, i, j, &cell, NULL));
    return (double)cell.weight;
}

typedef struct ByHand {
    double sum[PATTERN_COUNT], chance[PATTERN_COUNT];
    int n[PATTERN_COUNT];
} ByHand;

static bool separates(const int32_t *ids, int32_t j)
{
    int32_t k = ids[j] % 8;
    return j == 40 || k == 2 || k == 4 || k == 6;
}

/* One row, from the definitions in the header. */
static void add_row(const Trace *trace, const int32_t *ids, int32_t i, bool causal, ByHand *h)
{
    bool has[PATTERN_COUNT] = {0};
    double entropy = 0;
    double most = -1;
    int32_t at = -1;
    int32_t end = causal ? i + 1 : N;
    for (int32_t j = 0; j < end; j++) {
        double w = weight(trace, i, j);
        int32_t d = i > j ? i - j : j - i;
        bool in[PATTERN_COUNT] = {
            [PATTERN_PREVIOUS] = j == i - 1,
            [PATTERN_NEXT] = j == i + 1,
            [PATTERN_SELF] = j == i,
            [PATTERN_SINK] = j == 0 && i > 0,
            [PATTERN_SEPARATOR] = j > 0 && separates(ids, j),
            [PATTERN_LOCAL] = d >= 2 && d <= 8,
            [PATTERN_INDUCTION] = j > 0 && j <= i && ids[j - 1] == ids[i],
            [PATTERN_DUPLICATE] = j < i && ids[j] == ids[i],
            [PATTERN_LONG] = d >= 32 && j > 0,
        };
        for (int p = 0; p < PATTERN_COUNT; p++) {
            h->sum[p] += in[p] ? w : 0;
            h->chance[p] += in[p] ? 1.0 / end : 0;
            has[p] |= in[p];
        }
        has[PATTERN_CONTENT] |= j > 0 && d > 8;
        entropy -= w > 0 ? w * log(w) : 0;
        if (w > most) {
            most = w;
            at = j;
        }
    }
    if (end >= 2) {
        h->sum[PATTERN_GLOBAL] += entropy / log(end);
        has[PATTERN_GLOBAL] = true;
    }
    bool far = at > 0 && (at < i - 8 || at > i + 8);
    if (far && !separates(ids, at) && ids[at] != ids[i] && ids[at - 1] != ids[i]) {
        h->sum[PATTERN_CONTENT] += most;
    }
    for (int p = 0; p < PATTERN_COUNT; p++) {
        h->n[p] += has[p];
    }
}

static void check_by_hand(bool causal)
{
    int32_t ids[N];
    for (int32_t i = 0; i < N; i++) {
        ids[i] = (i * i + i / 7) % 23;
    }
    Model *model;
    Trace *trace = make_trace(ids, N, causal, &model);
    ByHand hand = {0};
    for (int32_t i = 0; i < N; i++) {
        add_row(trace, ids, i, causal, &hand);
    }
    PatternScores scores;
    Error err = {0};
    assert_ok(pattern_scores(trace, 1, 1, PATTERNS_REPEAT, &scores, &err), err);
    for (int p = 0; p < PATTERN_COUNT; p++) {
        float want = hand.n[p] ? (float)(hand.sum[p] / hand.n[p]) : 0;
        assert_true(scores.known[p]);
        assert_int_equal(scores.n_queries[p], hand.n[p]);
        assert_close(&scores.score[p], &want, 1, 1e-5, 1e-5);
        float chance = hand.n[p] ? (float)(hand.chance[p] / hand.n[p]) : 0;
        if (p != PATTERN_CONTENT && p != PATTERN_GLOBAL) {
            assert_close(&scores.chance[p], &chance, 1, 1e-6, 1e-5);
        }
        assert_true(hand.n[p] > 0 || (causal && p == PATTERN_NEXT));
    }
    assert_ok(pattern_scores(trace, 1, 1, PATTERNS_FREE, &scores, &err), err);
    assert_false(scores.known[PATTERN_INDUCTION]);
    assert_false(scores.known[PATTERN_LOCAL]);
    assert_true(scores.known[PATTERN_SINK]);
    assert_false(pattern_scores(trace, 2, 0, PATTERNS_REPEAT, &scores, &err));
    assert_int_equal(err.code, ERR_RANGE);
    trace_close(trace);
    model_close(&model);
}

static void test_pattern_scores__by_hand_causal(void **state)
{
    (void)state;
    check_by_hand(true);
}

static void test_pattern_scores__by_hand_both_ways(void **state)
{
    (void)state;
    check_by_hand(false);
}

static void test_pattern_order__called_by_first(void **state)
{
    (void)state;
    PatternScores scores = {.best = PATTERN_SINK};
    scores.known[PATTERN_SINK] = scores.known[PATTERN_GLOBAL] = scores.known[PATTERN_SELF] = true;
    scores.score[PATTERN_SINK] = 0.5f;
    scores.score[PATTERN_GLOBAL] = 0.99f;
    Pattern order[PATTERN_COUNT];
    pattern_order(&scores, order);
    assert_int_equal(order[0], PATTERN_SINK);
    assert_int_equal(order[1], PATTERN_GLOBAL);
    assert_int_equal(order[2], PATTERN_SELF);
}

/* Where repeats stand side by side a head of neighbours is not called induction; one whose repeats
 * weigh more is, whatever it parks on the first token. */
static void test_pattern_choose__neighbours_and_repeats(void **state)
{
    static const struct {
        float previous, self, local, sink, induction, duplicate;
        int best;
    } cases[] = {
        {0.59f, 0.10f, 0.28f, 0.01f, 0.27f, 0.21f, PATTERN_PREVIOUS},
        {0.05f, 0.45f, 0.18f, 0.05f, 0.19f, 0.19f, PATTERN_SELF},
        {0.28f, 0.14f, 0.53f, 0.01f, 0.23f, 0.11f, PATTERN_LOCAL},
        {0.04f, 0.04f, 0.28f, 0.60f, 0.20f, 0.05f, PATTERN_INDUCTION},
        {0.06f, 0.07f, 0.25f, 0.22f, 0.63f, 0.09f, PATTERN_INDUCTION},
        {0.02f, 0.05f, 0.19f, 0.74f, 0.30f, 0.03f, PATTERN_INDUCTION},
        {0.06f, 0.05f, 0.33f, 0.20f, 0.07f, 0.50f, PATTERN_DUPLICATE},
        {0.02f, 0.02f, 0.02f, 0.90f, 0.08f, 0.03f, PATTERN_SINK},
        {0.02f, 0.02f, 0.02f, 0.30f, 0.08f, 0.03f, -1},
    };
    (void)state;
    for (size_t k = 0; k < AS_COUNT(cases); k++) {
        PatternScores scores = {0};
        scores.score[PATTERN_PREVIOUS] = cases[k].previous;
        scores.score[PATTERN_SELF] = cases[k].self;
        scores.score[PATTERN_LOCAL] = cases[k].local;
        scores.score[PATTERN_SINK] = cases[k].sink;
        scores.score[PATTERN_INDUCTION] = cases[k].induction;
        scores.score[PATTERN_DUPLICATE] = cases[k].duplicate;
        for (int p = 0; p < PATTERN_COUNT; p++) {
            scores.known[p] = true;
            scores.n_queries[p] = 50;
        }
        assert_int_equal(pattern_choose(&scores), cases[k].best);
    }
}

/* A token that comes twice gives one query an induction cell: a score, but not yet a pattern. */
static void test_pattern_scores__one_query_names_no_head(void **state)
{
    (void)state;
    static const int32_t ids[] = {1, 2, 3, 4, 2};
    Model *model;
    Trace *trace = make_trace(ids, 5, true, &model);
    int n_above = 0;
    for (int32_t at = 0; at < 4; at++) {
        PatternScores scores;
        Error err = {0};
        assert_ok(pattern_scores(trace, at / 2, at % 2, PATTERNS_REPEAT, &scores, &err), err);
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
        cmocka_unit_test(test_pattern_scores__by_hand_causal),
        cmocka_unit_test(test_pattern_scores__by_hand_both_ways),
        cmocka_unit_test(test_pattern_order__called_by_first),
        cmocka_unit_test(test_pattern_choose__neighbours_and_repeats),
        cmocka_unit_test(test_pattern_scores__one_query_names_no_head)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
