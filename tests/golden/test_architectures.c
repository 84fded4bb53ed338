/*
 * Every architecture on tiny checkpoints with random weights against what transformers computed
 * (make_architectures.py): attention weights of all layers and heads, and logits. The worst errors
 * are recorded in data/errors.csv; ATTNSCOPE_RECORD=1 writes them anew.
 */
#include "testing.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "formats/tensor_file.h"
#include "model/model.h"
#include "model/picture.h"
#include "trace/trace.h"

/* DESIGN: weights within 1e-5; logits within 1e-4 of the largest. */
static const double WEIGHTS_ABS = 1e-5, LOGITS_REL = 1e-4;

typedef struct Case {
    const char *name;         /* of the folder, after arch_ */
    const char *architecture; /* row of the table that has to serve it */
    bool has_logits;
} Case;

static const Case CASES[] = {
    {"bert", "bert", true},
    {"bert_plain", "bert", false},
    {"bert_gguf", "bert", false},
    {"distilbert", "distilbert", true},
    {"distilbert_relu", "distilbert", true},
    {"distilbert_plain", "distilbert", false},
    {"roberta", "roberta", true},
    {"roberta_plain", "roberta", false},
    {"xlm_roberta", "roberta", true},
    {"camembert", "roberta", true},
    {"modernbert", "modernbert", true},
    {"modernbert_biases", "modernbert", true},
    {"modernbert_gguf", "modernbert", false},
    {"gpt2", "gpt2", true},
    {"gpt2_untied", "gpt2", true},
    {"gpt2_gguf", "gpt2", true},
    {"gptneox", "gptneox", true},
    {"gptneox_serial", "gptneox", true},
    {"gptneox_whole", "gptneox", true},
    {"gptneox_gguf", "gptneox", true},
    {"opt", "opt", true},
    {"opt_untied", "opt", true},
    {"opt_350m", "opt", true},
    {"llama", "llama", true},
    {"llama_biases", "llama", true},
    {"llama3", "llama", true},
    {"llama_gguf", "llama", true},
    {"mistral", "mistral", true},
    {"qwen2", "qwen2", true},
    {"qwen2_window", "qwen2", true},
    {"qwen2_gguf", "qwen2", true},
    {"qwen3", "qwen3", true},
    {"qwen3_biases", "qwen3", true},
    {"qwen3_gguf", "qwen3", true},
    {"phi3", "phi3", true},
    {"phi3_window", "phi3", true},
    {"phi3_gguf", "phi3", true},
    {"phi3_short", "phi3", true},
    {"phi3_long", "phi3", true},
    {"gemma2", "gemma2", true},
    {"gemma2_uncapped", "gemma2", true},
    {"gemma2_gguf", "gemma2", true},
    {"gemma3", "gemma3", true},
    {"gemma3_untied", "gemma3", true},
    {"gemma3_gguf", "gemma3", true},
    {"t5", "t5", true},
    {"t5_gated", "t5", true},
    {"t5_gguf", "t5", true},
    {"t5_encoder", "t5encoder", false},
    {"t5_encoder_gguf", "t5encoder", false},
    {"bart", "bart", true},
    {"bart_plain", "bart", true},
    {"marian", "marian", true},
    {"marian_apart", "marian", true},
    {"vit", "vit", true},
    {"vit_plain", "vit", false},
};

typedef struct Run {
    const Case *c;
    Arena arena;
    TensorFile *expected;
    Model *model;
    TraceSet traces;
    double weights_error, logits_error; /* logits: -1 without a head */
    const char *dtype;                  /* of the checkpoint's weights, static */
} Run;

/* A model that is not quite what its config says: said in a warning, and a failure here. */
static void hear_warning(void *payload, LogLevel level, const char *message)
{
    if (level == LOG_WARNING) {
        *(int *)payload += 1;
        print_error("%s\n", message);
    }
}

static const TensorView *expected_tensor(const Run *run, const char *name)
{
    const TensorView *view = tensor_file_find(run->expected, name);
    if (!view) {
        fail_msg("arch_%s has no tensor %s: run make_architectures.py", run->c->name, name);
    }
    return view;
}

static void open_model(Run *run)
{
    Error err = {0};
    int n_warnings = 0;
    const Log log = {.write = hear_warning, .payload = &n_warnings};
    const char *name = run->c->name;
    const bool gguf = strstr(name, "_gguf") != NULL;
    char *spec = arena_printf(&run->arena, &err, "tests/golden/data/arch_%s%s", name,
                              gguf ? "/model.gguf" : "");
    assert_ok(spec, err);
    run->model = model_open(&(ModelDesc){.spec = spec, .log = &log}, &err);
    assert_ok(run->model, err);
    assert_int_equal(n_warnings, 0);
    assert_string_equal(model_info(run->model)->architecture, run->c->architecture);
    assert_int_equal(model_info(run->model)->has_logits, run->c->has_logits);
}

/* Tokens of the ids in a tensor; none where there is no such tensor. */
static TraceText take_ids(Run *run, const char *name)
{
    Error err = {0};
    const TensorView *ids = tensor_file_find(run->expected, name);
    const TensorView *types = tensor_file_find(run->expected, "type_ids");
    const size_t n = ids ? ids->n_elements : 0;
    TraceToken *tokens = ARENA_ARRAY(&run->arena, TraceToken, n, &err);
    assert_ok(tokens, err);
    for (size_t i = 0; i < n; i++) {
        tokens[i] = (TraceToken){.id = ((const int32_t *)ids->data)[i],
                                 .text = "",
                                 .start = -1,
                                 .end = -1,
                                 .segment = types ? ((const int32_t *)types->data)[i] : 0};
    }
    return (TraceText){.tokens = tokens, .n = n};
}

static void run_model(Run *run)
{
    Error err = {0};
    const TensorView *pixels = tensor_file_find(run->expected, "pixels");
    TraceText text = take_ids(run, "ids");
    if (pixels) {
        text.n = (size_t)model_info(run->model)->image.n_tokens;
        text.tokens = ARENA_ARRAY(&run->arena, TraceToken, text.n, &err);
        assert_ok(text.tokens, err);
    }
    const TraceDesc desc = {.model = run->model,
                            .model_name = run->c->name,
                            .tokens = text.tokens,
                            .n_tokens = text.n,
                            .target = take_ids(run, "target_ids"),
                            .pixels = pixels ? pixels->data : NULL};
    assert_ok(trace_set_create(&desc, &run->traces, &err), err);
    assert_ok(trace_set_fill(&run->traces, &desc, NULL, &err), err);
}

/* Returns the worst error of one stack's attention. */
static double check_weights(Run *run, TraceStack stack, const char *name)
{
    Error err = {0};
    const Trace *trace = run->traces.stacks[stack];
    assert_non_null(trace);
    const TraceInfo *info = trace_info(trace);
    const TensorView *weights = expected_tensor(run, name); /* [L, H, N, M] */
    const size_t n = (size_t)info->n_queries * (size_t)info->n_keys;
    assert_int_equal(info->stack, stack);
    assert_int_equal(weights->shape[0], info->n_layers);
    assert_int_equal(weights->shape[1], info->n_heads);
    assert_int_equal(weights->shape[2], info->n_queries);
    assert_int_equal(weights->shape[3], info->n_keys);
    float *tile = ARENA_ARRAY(&run->arena, float, n, &err);
    assert_ok(tile, err);
    const float *expected = weights->data;
    double worst = 0;
    for (int32_t l = 0; l < info->n_layers; l++) {
        for (int32_t h = 0; h < info->n_heads; h++, expected += n) {
            const TraceRegion region = {.layer = l, .head = h};
            assert_ok(trace_tile(trace, &region, TRACE_WEIGHTS, tile, 0, &err), err);
            assert_close(tile, expected, n, WEIGHTS_ABS, 0);
            for (size_t i = 0; i < n; i++) {
                worst = fmax(worst, fabs((double)tile[i] - (double)expected[i]));
            }
        }
    }
    return worst;
}

static double check_stacks(Run *run)
{
    if (run->traces.stacks[TRACE_STACK_SELF]) {
        return check_weights(run, TRACE_STACK_SELF, "weights");
    }
    return fmax(check_weights(run, TRACE_STACK_ENCODER, "encoder"),
                fmax(check_weights(run, TRACE_STACK_DECODER, "decoder"),
                     check_weights(run, TRACE_STACK_CROSS, "cross")));
}

static double check_logits(Run *run)
{
    Error err = {0};
    const Trace *trace = trace_set_first(&run->traces);
    const TraceInfo *info = trace_info(trace);
    const TensorView *view = expected_tensor(run, "logits"); /* [N, V], [1, V] of classifiers */
    const size_t n = view->n_elements;
    const bool one = model_info(run->model)->image.n_tokens > 0;
    assert_int_equal(view->shape[0], one ? 1 : info->n_queries);
    assert_int_equal(view->shape[1], info->n_vocab);
    float *logits = ARENA_ARRAY(&run->arena, float, n, &err);
    assert_ok(logits, err);
    assert_ok(trace_logits(trace, run->model, 0, (int32_t)view->shape[0], logits, &err), err);
    const float *expected = view->data;
    double largest = 0, worst = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)expected[i]));
        worst = fmax(worst, fabs((double)logits[i] - (double)expected[i]));
    }
    assert_close(logits, expected, n, LOGITS_REL * largest, 0);
    return worst / largest;
}

/* What a model writes by itself, token for token: an encoder-decoder a target, at most 40 tokens
 * where positions allow them, else 18; a decoder alone 12 tokens after the first 8, or as many as
 * it has positions for. */
static void check_written(Run *run)
{
    Error err = {0};
    const TensorView *target = tensor_file_find(run->expected, "written");
    const TensorView *expected = target ? target : tensor_file_find(run->expected, "continued");
    if (!expected) {
        return;
    }
    const TensorView *ids = expected_tensor(run, "ids");
    const ModelInput source = {.ids = ids->data, .n_tokens = target ? (int32_t)ids->n_elements : 8};
    const int32_t most = !target ? 12 : strstr(run->c->name, "t5") ? 41 : 19;
    int32_t written[41], n;
    bool ended;
    assert_ok(model_generate(run->model, &source, NULL, NULL, written, most, &n, &ended, &err),
              err);
    assert_int_equal(n, expected->n_elements);
    assert_int_equal(ended, target && n < most);
    assert_memory_equal(written, expected->data, expected->n_elements * sizeof *written);
}

/* A picture as the model's image processor prepares it: within one of the 255 steps of a colour,
 * which is what rounding in another order may do. */
static void check_picture(Run *run)
{
    Error err = {0};
    Picture picture;
    const TensorView *expected = tensor_file_find(run->expected, "picture");
    if (!expected) {
        return;
    }
    const char *path =
        arena_printf(&run->arena, &err, "tests/golden/data/arch_%s/picture.png", run->c->name);
    assert_ok(path && model_read_picture(run->model, path, &run->arena, &picture, &err), err);
    const int32_t side = model_info(run->model)->image.side;
    assert_int_equal(expected->shape[1], side);
    const size_t n = 3 * (size_t)side * (size_t)side;
    assert_int_equal(expected->n_elements, n);
    size_t equal = 0;
    for (size_t i = 0; i < n; i++) {
        equal +=
            fabs((double)picture.pixels[i] - (double)((const float *)expected->data)[i]) < 1e-5;
    }
    assert_close(picture.pixels, expected->data, n, 1.01 / 255 / 0.26, 0);
    assert_true((double)equal > 0.98 * (double)n);
}

static void test_architecture__as_transformers(void **state)
{
    Run *run = *state;
    Error err = {0};
    char path[256];
    snprintf(path, sizeof path, "tests/golden/data/arch_%s/expected.safetensors", run->c->name);
    run->expected = tensor_file_open(path, &err);
    assert_ok(run->expected, err);
    open_model(run);
    run_model(run);
    run->weights_error = check_stacks(run);
    run->logits_error = run->c->has_logits ? check_logits(run) : -1;
    run->dtype = model_info(run->model)->dtype;
    check_written(run);
    check_picture(run);
    print_message("%s: weights within %.2g, logits within %.2g\n", run->c->name, run->weights_error,
                  run->logits_error);
}

/* ---- the record of errors */

static const char RECORD[] = "tests/golden/data/errors.csv";
static const char RECORD_HEAD[] = "case,architecture,file,dtype,weights,logits\n";

static const char *file_kind(const Run *run)
{
    return strstr(run->c->name, "_gguf") ? "gguf" : "safetensors";
}

static void write_record(const Run *runs, size_t n)
{
    FILE *file = fopen(RECORD, "w");
    assert_non_null(file);
    fputs(RECORD_HEAD, file);
    for (size_t i = 0; i < n; i++) {
        const Run *run = &runs[i];
        fprintf(file, "%s,%s,%s,%s,%.1e,", run->c->name, run->c->architecture, file_kind(run),
                run->dtype, run->weights_error);
        fprintf(file, run->logits_error < 0 ? "\n" : "%.1e\n", run->logits_error);
    }
    assert_int_equal(fclose(file), 0);
}

/* Every case is recorded, and is as near to the reference as the record says: processors round in
 * other orders, so up to four times as far, or two millionths, is the same. */
static void test_record__is_true(void **state)
{
    const Run *runs = *state;
    Arena arena = {0};
    Error err = {0};
    size_t n_bytes;
    if (getenv("ATTNSCOPE_RECORD")) {
        write_record(runs, AS_COUNT(CASES));
    }
    const char *line = file_read_all(&arena, RECORD, 1 << 20, &n_bytes, &err);
    assert_ok(line, err);
    assert_int_equal(strncmp(line, RECORD_HEAD, strlen(RECORD_HEAD)), 0);
    line += strlen(RECORD_HEAD);
    for (size_t i = 0; i < AS_COUNT(CASES); i++) {
        const Run *run = &runs[i];
        char start[128];
        double weights = 0, logits = -1;
        snprintf(start, sizeof start, "%s,%s,%s,%s,", run->c->name, run->c->architecture,
                 file_kind(run), run->dtype);
        if (strncmp(line, start, strlen(start)) != 0) {
            fail_msg("%s: no line \"%s…\" at its place: run this with ATTNSCOPE_RECORD=1", RECORD,
                     start);
        }
        assert_true(sscanf(line + strlen(start), "%lf,%lf", &weights, &logits) >= 1);
        assert_true(run->weights_error <= fmax(4 * weights, 2e-6));
        assert_true(run->logits_error <= fmax(4 * logits, 2e-6));
        line = strchr(line, '\n');
        assert_non_null(line);
        line++;
    }
    assert_int_equal(*line, 0);
    arena_destroy(&arena);
}

static int release(void **state)
{
    Run *run = *state;
    trace_set_close(&run->traces);
    model_close(&run->model);
    tensor_file_close(&run->expected);
    arena_destroy(&run->arena);
    return 0;
}

int main(void)
{
    enum { N_CASES = sizeof CASES / sizeof CASES[0] };
    static Run runs[N_CASES];
    static char names[N_CASES][96];
    static struct CMUnitTest tests[N_CASES + 1];
    for (size_t i = 0; i < N_CASES; i++) {
        runs[i].c = &CASES[i];
        snprintf(names[i], sizeof names[i], "test_%s__as_transformers", CASES[i].name);
        tests[i] = (struct CMUnitTest){.name = names[i],
                                       .test_func = test_architecture__as_transformers,
                                       .teardown_func = release,
                                       .initial_state = &runs[i]};
    }
    tests[N_CASES] = (struct CMUnitTest){
        .name = "test_record__is_true", .test_func = test_record__is_true, .initial_state = runs};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
