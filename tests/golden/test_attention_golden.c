/*
 * Attention, hidden states and logits of real models against what transformers computed
 * (make_attention.py). A model that is not there fails the test: models/fetch.sh brings it.
 */
#include "testing.h"

#include "base/arena.h"
#include "formats/tensor_file.h"
#include "model/model.h"
#include "trace/trace.h"

typedef struct Case {
    const char *golden;
    double weights_abs; /* DESIGN: 1e-5 for full precision, 1e-4 for quantised GGUF */
    double hidden_rel;  /* of the largest entry of a state */
    double logits_rel;  /* of the largest logit */
} Case;

static const Case cases[] = {
    {"minilm_fox", 1e-5, 1e-5, 0},       {"minilm_mixed", 1e-5, 1e-5, 0},
    {"minilm_letter", 1e-5, 1e-5, 0},    {"smollm2_fox", 1e-4, 1e-4, 1e-4},
    {"smollm2_mixed", 1e-4, 1e-4, 1e-4}, {"smollm2_letter", 1e-4, 1e-4, 1e-4},
    {"tiny_fox", 1e-5, 1e-5, 1e-4},      {"tiny_mixed", 1e-5, 1e-5, 1e-4},
    {"tiny_letter", 1e-5, 1e-5, 1e-4},
};

/* What one case holds open: made by its first test, kept for the others, released at the end. */
typedef struct Run {
    const Case *c;
    Arena arena;
    TensorFile *golden;
    Model *model;
    Trace *trace;
} Run;

static const TensorView *golden_tensor(const Run *run, const char *name)
{
    const TensorView *view = tensor_file_find(run->golden, name);
    if (!view) {
        fail_msg("%s has no tensor %s: run make_attention.py", run->c->golden, name);
    }
    return view;
}

static const int32_t *golden_ints(const Run *run, const char *name)
{
    return golden_tensor(run, name)->data;
}

static int set_up(void **state)
{
    Run *run = *state;
    if (run->trace) {
        return 0;
    }
    Error err = {0};
    char path[256];
    snprintf(path, sizeof path, "tests/golden/data/attention_%s.safetensors", run->c->golden);
    run->golden = tensor_file_open(path, &err);
    assert_ok(run->golden != NULL, err);
    TextView folder = {0};
    assert_ok(tensor_file_get_string(run->golden, "model", &folder, &err), err);
    char *spec = arena_strndup(&run->arena, folder.text, folder.n, &err);
    assert_ok(spec != NULL, err);
    run->model = model_open(&(ModelDesc){.spec = spec}, &err);
    assert_ok(run->model != NULL, err);
    const TensorView *ids = golden_tensor(run, "ids");
    size_t n = ids->n_elements;
    TraceToken *tokens = ARENA_ARRAY(&run->arena, TraceToken, n, &err);
    assert_non_null(tokens);
    for (size_t i = 0; i < n; i++) {
        tokens[i] =
            (TraceToken){.id = ((const int32_t *)ids->data)[i], .text = "", .start = -1, .end = -1};
    }
    run->trace = trace_run(
        &(TraceDesc){.model = run->model, .model_name = spec, .tokens = tokens, .n_tokens = n},
        NULL, &err);
    assert_ok(run->trace != NULL, err);
    return 0;
}

static void release(Run *run)
{
    trace_close(run->trace);
    model_close(&run->model);
    tensor_file_close(&run->golden);
    arena_destroy(&run->arena);
}

static void test_trace_tile__weights_as_transformers(void **state)
{
    Run *run = *state;
    Error err = {0};
    const TraceInfo *info = trace_info(run->trace);
    const TensorView *weights = golden_tensor(run, "weights"); /* [L, H, R, N] */
    assert_int_equal(weights->shape[0], info->n_layers);
    assert_int_equal(weights->shape[1], info->n_heads);
    assert_int_equal(weights->shape[3], info->n_queries);
    size_t n = (size_t)info->n_queries;
    const int32_t *rows = golden_ints(run, "rows");
    const float *expected = weights->data;
    float *row = ARENA_ARRAY(&run->arena, float, n, &err);
    for (int32_t l = 0; l < info->n_layers; l++) {
        for (int32_t h = 0; h < info->n_heads; h++) {
            for (int64_t r = 0; r < weights->shape[2]; r++, expected += n) {
                assert_ok(trace_row_profile(run->trace, l, h, rows[r], row, &err), err);
                assert_close(row, expected, n, run->c->weights_abs, 0);
            }
        }
    }
}

static void test_trace_tile__whole_heads(void **state)
{
    Run *run = *state;
    Error err = {0};
    const TensorView *full = golden_tensor(run, "full"); /* [S, N, N] */
    const int32_t *heads = golden_ints(run, "full_heads");
    size_t n = (size_t)full->shape[1];
    float *tile = ARENA_ARRAY(&run->arena, float, n *n, &err);
    for (int64_t s = 0; s < full->shape[0]; s++) {
        TraceRegion region = {.layer = heads[2 * s], .head = heads[2 * s + 1]};
        assert_ok(trace_tile(run->trace, &region, TRACE_WEIGHTS, tile, 0, &err), err);
        assert_close(tile, (const float *)full->data + (size_t)s * n * n, n * n,
                     run->c->weights_abs, 0);
        for (size_t i = 0; i < n; i++) {
            double sum = 0;
            for (size_t j = 0; j < n; j++) {
                sum += (double)tile[i * n + j];
            }
            assert_true(fabs(sum - 1) < 1e-5);
        }
    }
}

static void test_trace_hidden__last_row(void **state)
{
    Run *run = *state;
    Error err = {0};
    const TensorView *hidden = golden_tensor(run, "hidden"); /* [L + 1, C] */
    size_t width = (size_t)hidden->shape[1];
    int32_t last = trace_info(run->trace)->n_queries - 1;
    float *row = ARENA_ARRAY(&run->arena, float, width, &err);
    for (int32_t s = 0; s < hidden->shape[0]; s++) {
        const float *expected = (const float *)hidden->data + (size_t)s * width;
        double largest = 0;
        for (size_t i = 0; i < width; i++) {
            largest = fmax(largest, fabs((double)expected[i]));
        }
        assert_ok(trace_hidden(run->trace, s, last, last + 1, row, &err), err);
        assert_close(row, expected, width, largest * run->c->hidden_rel, 0);
    }
}

static void test_trace_logits__largest(void **state)
{
    Run *run = *state;
    Error err = {0};
    if (run->c->logits_rel == 0) {
        assert_false(model_info(run->model)->has_logits); /* an encoder without a head */
        return;
    }
    const TensorView *top = golden_tensor(run, "logits");
    const int32_t *ids = golden_ints(run, "logits_ids");
    const float *expected = top->data;
    const TraceInfo *info = trace_info(run->trace);
    float *logits = ARENA_ARRAY(&run->arena, float, (size_t)info->n_vocab, &err);
    assert_ok(
        trace_logits(run->trace, run->model, info->n_queries - 1, info->n_queries, logits, &err),
        err);
    int32_t best = 0;
    for (int32_t i = 1; i < info->n_vocab; i++) {
        best = logits[i] > logits[best] ? i : best;
    }
    assert_int_equal(best, ids[0]);
    for (size_t i = 0; i < top->n_elements; i++) {
        assert_close(&logits[ids[i]], &expected[i], 1,
                     run->c->logits_rel * fabs((double)expected[0]), 0);
    }
}

int main(void)
{
    enum { N_CASES = sizeof cases / sizeof cases[0], N_TESTS = 4 };
    static Run runs[N_CASES];
    static const struct {
        const char *name;
        CMUnitTestFunction run;
    } checks[N_TESTS] = {
        {"weights_as_transformers", test_trace_tile__weights_as_transformers},
        {"whole_heads", test_trace_tile__whole_heads},
        {"hidden_last_row", test_trace_hidden__last_row},
        {"logits_largest", test_trace_logits__largest},
    };
    static char names[N_CASES * N_TESTS][96];
    static struct CMUnitTest tests[N_CASES * N_TESTS];
    size_t at = 0;
    for (size_t c = 0; c < N_CASES; c++) {
        runs[c].c = &cases[c];
        for (size_t k = 0; k < N_TESTS; k++, at++) {
            snprintf(names[at], sizeof names[at], "test_%s__%s", cases[c].golden, checks[k].name);
            tests[at] = (struct CMUnitTest){.name = names[at],
                                            .test_func = checks[k].run,
                                            .setup_func = set_up,
                                            .initial_state = &runs[c]};
        }
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t c = 0; c < N_CASES; c++) {
        release(&runs[c]);
    }
    return failed;
}
