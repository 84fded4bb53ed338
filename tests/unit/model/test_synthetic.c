/* Heads that were made to do something do it: weights of the softmax over their operands. */
#include "testing.h"

#include "model/synthetic.h"

#include <math.h>

enum { N = 200, D = 32 };

/* Weights of a causal softmax over the operands, in float64. */
static void weights_of(const SyntheticHead *head, const int32_t *ids, double *w)
{
    static float q[N * D];
    static float k[N * D];
    synthetic_operands(head, ids, N, D, q, k);
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int j = 0; j <= i; j++) {
            double s = 0;
            for (int d = 0; d < D; d++) {
                s += (double)q[i * D + d] * (double)k[j * D + d];
            }
            w[i * N + j] = exp(s / sqrt(D));
            sum += w[i * N + j];
        }
        for (int j = 0; j < N; j++) {
            w[i * N + j] = j <= i ? w[i * N + j] / sum : 0;
        }
    }
}

static double weights[N * N];
static int32_t words[N];

static int make_words(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        words[i] = i % 70; /* every word comes again after 70 */
    }
    return 0;
}

static void test_synthetic_operands__positions(void **state)
{
    (void)state;
    for (int head = 0; head < 9; head += 3) {
        SyntheticHead made = synthetic_head(SYNTHETIC_POSITIONAL, 1, 0, 6, head);
        int far = (int)made.reach;
        weights_of(&made, words, weights);
        for (int i = 20; i < N; i++) {
            if (!(weights[i * N + i - far] > 0.6)) {
                print_error("distance %d, token %d: %.3f\n", far, i, weights[i * N + i - far]);
                fail();
            }
        }
    }
    SyntheticHead local = synthetic_head(SYNTHETIC_LOCAL, 1, 0, 6, 0);
    weights_of(&local, words, weights);
    for (int i = 20; i < N; i++) {
        double near = 0;
        for (int j = i - 6; j <= i; j++) {
            near += weights[i * N + j];
        }
        assert_true(near > 0.85);
    }
}

static void test_synthetic_operands__words(void **state)
{
    (void)state;
    SyntheticHead induction = {SYNTHETIC_INDUCTION, 0, 3};
    weights_of(&induction, words, weights);
    for (int i = 70; i < N; i++) {
        double mass = 0; /* what followed the same word before, once or twice */
        for (int j = i - 69; j > 0; j -= 70) {
            mass += weights[i * N + j];
        }
        assert_true(mass > 0.5);
    }
    assert_true(weights[30 * N + 0] > 0.5); /* nothing to match yet: it rests */
    SyntheticHead semantic = {SYNTHETIC_SEMANTIC, 0, 3};
    weights_of(&semantic, words, weights);
    for (int i = 60; i < N; i++) {
        double own = 0;
        for (int j = 0; j <= i; j++) {
            bool same = synthetic_group(3, words[i]) == synthetic_group(3, words[j]);
            own += same ? weights[i * N + j] : 0;
        }
        assert_true(own > 0.85);
    }
    SyntheticHead syntactic = {SYNTHETIC_SYNTACTIC, 0, 3};
    weights_of(&syntactic, words, weights);
    double heads = 0;
    for (int i = 60; i < N; i++) {
        for (int j = 0; j <= i; j++) {
            heads += synthetic_is_head_word(3, words[j]) ? weights[i * N + j] : 0;
        }
    }
    assert_true(heads / (N - 60) > 0.85);
}

static void test_synthetic_operands__sink_and_global(void **state)
{
    (void)state;
    SyntheticHead sink = {SYNTHETIC_SINK, 0, 1};
    weights_of(&sink, words, weights);
    assert_true(weights[150 * N] > 0.9);
    SyntheticHead global = {SYNTHETIC_GLOBAL, 0, 1};
    weights_of(&global, words, weights);
    for (int j = 0; j <= 150; j++) {
        assert_true(fabs(weights[150 * N + j] - 1.0 / 151) < 1e-9);
    }
}

static void test_synthetic_head__evolves(void **state)
{
    (void)state;
    int near = 0;
    int far = 0;
    for (int h = 0; h < 4; h++) {
        SyntheticPattern first = synthetic_head(SYNTHETIC_EVOLVING, 1, 0, 6, h).pattern;
        SyntheticPattern last = synthetic_head(SYNTHETIC_EVOLVING, 1, 5, 6, h).pattern;
        near += first == SYNTHETIC_LOCAL || first == SYNTHETIC_POSITIONAL;
        far += last != SYNTHETIC_LOCAL && last != SYNTHETIC_POSITIONAL;
        assert_true(first != SYNTHETIC_EVOLVING && last != SYNTHETIC_EVOLVING);
    }
    assert_int_equal(near, 4);
    assert_int_equal(far, 4);
    SyntheticPattern found;
    assert_true(synthetic_find("semantic", 8, &found) && found == SYNTHETIC_SEMANTIC);
    assert_false(synthetic_find("nonsense", 8, &found));
    assert_true(strstr(synthetic_names(), "evolving|local") == synthetic_names());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_synthetic_operands__positions),
        cmocka_unit_test(test_synthetic_operands__words),
        cmocka_unit_test(test_synthetic_operands__sink_and_global),
        cmocka_unit_test(test_synthetic_head__evolves),
    };
    return cmocka_run_group_tests(tests, make_words, NULL);
}
