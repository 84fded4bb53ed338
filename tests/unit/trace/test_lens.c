/* The logit lens against the definition in float64: of a made-up LLaMA the norm's weights are 1 and
 * the head is the table of tokens, whose rows are the first hidden states of its text. */
#include "helpers.h"

#include <math.h>

enum { N = 6, C = 64, L = 3 };

static void test_trace_lens__is_norm_times_table(void **state)
{
    (void)state;
    Error err = {0};
    Model *model = model_open(&(ModelDesc){.spec = "random:L=3,H=4,d=64,V=200"}, &err);
    assert_ok(model, err);
    TraceToken tokens[N];
    for (int i = 0; i < N; i++) {
        tokens[i] = (TraceToken){.id = 7 * i + 1, .text = "x", .start = -1, .end = -1};
    }
    Trace *trace = run(&(TraceDesc){.model = model, .tokens = tokens, .n_tokens = N});
    float table[N * C];
    float hidden[C];
    float logits[200];
    TraceLens lens[L + 1];
    assert_true(trace_hidden(trace, 0, 0, N, table, NULL));
    assert_true(trace_lens(trace, model, 4, lens, NULL));
    for (int s = 0; s < L; s++) {
        assert_true(trace_hidden(trace, s, 4, 5, hidden, NULL));
        assert_true(trace_logits_at(trace, model, s, 4, 5, logits, NULL));
        double square = 0;
        for (int c = 0; c < C; c++) {
            square += (double)hidden[c] * (double)hidden[c];
        }
        double root = sqrt(square / C + 1e-5);
        for (int i = 0; i < N; i++) {
            double want = 0;
            for (int c = 0; c < C; c++) {
                want += (double)hidden[c] / root * (double)table[i * C + c];
            }
            double is = (double)logits[tokens[i].id];
            assert_true(fabs(is - want) < 1e-4 * (1 + fabs(want)));
        }
        /* The same numbers as probabilities. */
        double sum = 0;
        int best = 0;
        for (int v = 0; v < 200; v++) {
            best = logits[v] > logits[best] ? v : best;
        }
        for (int v = 0; v < 200; v++) {
            sum += exp((double)logits[v] - (double)logits[best]);
        }
        assert_int_equal(lens[s].id, best);
        assert_true(fabs((double)lens[s].probability - 1 / sum) < 1e-5);
        assert_int_equal(lens[s].rank_of_final == 0, lens[s].id == lens[L].id);
    }
    assert_int_equal(lens[L].rank_of_final, 0);
    assert_true(lens[L].of_final == lens[L].probability);
    assert_false(trace_logits_at(trace, model, L + 1, 0, 1, logits, &err));
    assert_false(trace_logits_at(trace, model, 0, 0, N + 1, logits, &err));
    trace_close(trace);
    model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_lens__is_norm_times_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
