/*
 * Traces of encoder-decoders and of vision models: their shapes, keys of another text, biases by
 * distance and pictures, in memory and in files. Checkpoints are the golden ones.
 */
#include "helpers.h"

#include "base/arena.h"

#include <unistd.h>

enum { SOURCE = 14, TARGET = 9, MAX_WEIGHTS = SOURCE * SOURCE };

typedef struct Case {
    Model *model;
    TraceToken source[SOURCE], target[TARGET];
    TraceDesc desc;
    TraceSet set;
} Case;

static void open_case(Case *c, const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "tests/golden/data/arch_%s", name);
    c->model = open_model(path);
    c->desc = make_desc(c->model, SOURCE, c->source);
    for (int32_t i = 0; i < TARGET; i++) {
        c->target[i] = (TraceToken){
            .id = i ? 3 + i * 5 % 24 : 1, .text = i ? "t" : "<s>", .start = -1, .end = -1};
    }
    c->desc.target =
        (TraceText){.tokens = c->target, .n = TARGET, .source = "a target", .n_source = 8};
}

static void run_case(Case *c)
{
    Error err = {0};
    assert_ok(trace_set_create(&c->desc, &c->set, &err), err);
    assert_ok(trace_set_fill(&c->set, &c->desc, NULL, &err), err);
}

static void close_case(Case *c)
{
    trace_set_close(&c->set);
    model_close(&c->model);
}

static size_t n_weights(const Trace *trace)
{
    return (size_t)trace_info(trace)->n_queries * (size_t)trace_info(trace)->n_keys;
}

static void read_weights(const Trace *trace, int32_t layer, int32_t head, float *out)
{
    Error err = {0};
    const TraceRegion all = {.layer = layer, .head = head};
    assert_true(n_weights(trace) <= MAX_WEIGHTS);
    assert_ok(trace_tile(trace, &all, TRACE_WEIGHTS, out, 0, &err), err);
}

static void assert_same_weights(const Trace *a, const Trace *b)
{
    float x[MAX_WEIGHTS], y[MAX_WEIGHTS];
    const TraceInfo *info = trace_info(a);
    assert_int_equal(info->n_layers, trace_info(b)->n_layers);
    assert_int_equal(info->n_heads, trace_info(b)->n_heads);
    assert_int_equal(n_weights(a), n_weights(b));
    for (int32_t l = 0; l < info->n_layers; l++) {
        for (int32_t h = 0; h < info->n_heads; h++) {
            read_weights(a, l, h, x);
            read_weights(b, l, h, y);
            assert_memory_equal(x, y, n_weights(a) * sizeof *x);
        }
    }
}

static void test_trace_set_fill__shapes(void **state)
{
    (void)state;
    Case c = {0};
    Error err = {0};
    open_case(&c, "marian");
    run_case(&c);
    const Trace *encoder = c.set.stacks[TRACE_STACK_ENCODER];
    const Trace *decoder = c.set.stacks[TRACE_STACK_DECODER];
    const Trace *cross = c.set.stacks[TRACE_STACK_CROSS];
    assert_null(c.set.stacks[TRACE_STACK_SELF]);
    assert_ptr_equal(trace_set_first(&c.set), cross);
    assert_int_equal(trace_info(encoder)->n_heads, 3);
    assert_int_equal(trace_info(encoder)->n_layers, 1);
    assert_int_equal(trace_info(cross)->n_layers, 2);
    assert_int_equal(trace_info(encoder)->n_queries, SOURCE);
    assert_int_equal(trace_info(decoder)->n_queries, TARGET);
    assert_int_equal(trace_info(decoder)->n_keys, TARGET);
    assert_int_equal(trace_info(cross)->n_queries, TARGET);
    assert_int_equal(trace_info(cross)->n_keys, SOURCE);
    assert_int_equal(trace_layers_done(cross), 2);
    /* keys of self-attention are its queries, those of cross attention the source */
    int32_t n = 0;
    assert_ptr_equal(trace_key_tokens(decoder, &n), trace_tokens(decoder));
    assert_int_equal(n, TARGET);
    assert_int_equal(trace_key_tokens(cross, &n)[3].id, c.source[3].id);
    assert_int_equal(n, SOURCE);
    assert_string_equal(trace_tokens(cross)[0].text, "<s>");
    assert_string_equal(trace_source(cross, NULL), "a target");
    assert_string_equal(trace_key_source(cross, NULL), "xxxxxxxxxxxxxx");
    assert_true(trace_is_cross(cross) && !trace_is_cross(decoder) && !trace_is_cross(encoder));
    assert_true(trace_layer(decoder, 0)->causal && !trace_layer(cross, 0)->causal);
    /* the states that both look from are the same */
    float x[TARGET * 21], y[TARGET * 21], logits[2 * 32];
    for (int32_t s = 0; s <= 2; s++) {
        assert_ok(trace_hidden(decoder, s, 0, TARGET, x, &err), err);
        assert_ok(trace_hidden(cross, s, 0, TARGET, y, &err), err);
        assert_memory_equal(x, y, sizeof x);
    }
    assert_ok(trace_logits(cross, c.model, 7, 9, logits, &err), err);
    assert_false(trace_logits(encoder, c.model, 0, 1, logits, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    close_case(&c);
}

static void test_trace_set_fill__one_stack_is_as_in_all(void **state)
{
    (void)state;
    Case all = {0};
    Error err = {0};
    open_case(&all, "t5");
    run_case(&all);
    for (TraceStack s = TRACE_STACK_ENCODER; s <= TRACE_STACK_CROSS; s++) {
        TraceDesc desc = all.desc;
        desc.stacks = 1u << s;
        Trace *one = run(&desc);
        assert_int_equal(trace_info(one)->stack, s);
        assert_same_weights(one, all.set.stacks[s]);
        float x[SOURCE * 20], y[SOURCE * 20];
        const int32_t n = trace_info(one)->n_queries;
        assert_ok(trace_hidden(one, 1, 0, n, x, &err), err);
        assert_ok(trace_hidden(all.set.stacks[s], 1, 0, n, y, &err), err);
        assert_memory_equal(x, y, (size_t)n * 20 * sizeof *x);
        trace_close(one);
    }
    close_case(&all);
}

static void test_trace_set_create__without_a_target(void **state)
{
    (void)state;
    Case c = {0};
    Error err = {0};
    open_case(&c, "bart");
    c.desc.target = (TraceText){0};
    run_case(&c);
    assert_non_null(c.set.stacks[TRACE_STACK_ENCODER]);
    assert_null(c.set.stacks[TRACE_STACK_DECODER]);
    assert_null(c.set.stacks[TRACE_STACK_CROSS]);
    TraceSet none;
    c.desc.stacks = 1u << TRACE_STACK_CROSS;
    assert_false(trace_set_create(&c.desc, &none, &err));
    assert_int_equal(err.code, ERR_RANGE);
    trace_set_close(&none);
    close_case(&c);
}

/* Of every stack, held either way: rows sum to 1, parts are what the whole has, and a cell's score
 * is what its parts make. */
static void check_cells(const Trace *trace)
{
    Error err = {0};
    float whole[MAX_WEIGHTS], part[MAX_WEIGHTS];
    const TraceInfo *info = trace_info(trace);
    const int32_t n = info->n_queries, m = info->n_keys;
    read_weights(trace, 0, 0, whole);
    for (int32_t i = 0; i < n; i++) {
        double sum = 0;
        for (int32_t j = 0; j < m; j++) {
            sum += (double)whole[i * m + j];
        }
        assert_true(fabs(sum - 1) < 1e-5);
    }
    const TraceRegion region = {0, 0, 3, n, 2, m - 1};
    assert_ok(trace_tile(trace, &region, TRACE_WEIGHTS, part, 0, &err), err);
    for (int32_t i = 3; i < n; i++) {
        assert_memory_equal(part + (i - 3) * (m - 3), whole + i * m + 2,
                            (size_t)(m - 3) * sizeof *part);
    }
    const bool biased = trace_layer(trace, 0)->has_bias;
    TraceOperands operands;
    assert_true(!trace_operands(trace, 0, 0, &operands) || (operands.bias != NULL) == biased);
    for (int32_t j = 0; j < m; j++) {
        TraceCell cell;
        assert_ok(trace_cell(trace, 0, 0, 5, j, &cell, &err), err);
        assert_true(cell.weight == whole[5 * m + j]);
        if (cell.visible) {
            assert_true(fabsf(cell.scale * cell.qk + cell.bias - cell.score) < 1e-4f);
            assert_true(biased || cell.bias == 0);
        }
    }
}

static void test_trace_tile__of_every_stack(void **state)
{
    (void)state;
    static const char *const names[] = {"t5", "t5_gated", "marian", "bart_plain"};
    for (size_t i = 0; i < 2 * AS_COUNT(names); i++) {
        Case c = {0};
        open_case(&c, names[i / 2]);
        c.desc.params.dtype = i % 2 ? TRACE_F16 : TRACE_F32;
        run_case(&c);
        const bool t5 = i < 4;
        for (TraceStack s = TRACE_STACK_ENCODER; s <= TRACE_STACK_CROSS; s++) {
            const Trace *trace = c.set.stacks[s];
            assert_int_equal(trace_layer(trace, 0)->has_bias, t5 && s != TRACE_STACK_CROSS);
            check_cells(trace);
        }
        close_case(&c);
    }
}

/* Temperature divides the whole score, its bias too. */
static void test_trace_set_fill__temperature_and_bias(void **state)
{
    (void)state;
    Case cold = {0}, warm = {0};
    Error err = {0};
    open_case(&cold, "t5");
    open_case(&warm, "t5");
    warm.desc.params.temperature = 2;
    run_case(&cold);
    run_case(&warm);
    float x[MAX_WEIGHTS], y[MAX_WEIGHTS];
    const TraceRegion all = {.layer = 1, .head = 2};
    assert_ok(trace_tile(cold.set.stacks[1], &all, TRACE_SCORES, x, 0, &err), err);
    assert_ok(trace_tile(warm.set.stacks[1], &all, TRACE_SCORES, y, 0, &err), err);
    for (size_t i = 0; i < MAX_WEIGHTS; i++) {
        assert_true(fabsf(x[i] / 2 - y[i]) < 1e-4f);
    }
    close_case(&cold);
    close_case(&warm);
}

static void test_trace_set_fill__ablates_where_it_is_said(void **state)
{
    (void)state;
    Case c = {0}, plain = {0};
    Error err = {0};
    const TraceHead head = {1, 0};
    open_case(&plain, "marian");
    open_case(&c, "marian");
    c.desc.params.ablate = &head;
    c.desc.params.n_ablate = 1;
    c.desc.params.ablate_stack = TRACE_STACK_CROSS;
    c.desc.params.propagate = true;
    run_case(&plain);
    run_case(&c);
    float out[TARGET * 21], x[32], y[32];
    assert_ok(trace_output(c.set.stacks[TRACE_STACK_CROSS], 1, 0, 0, TARGET, out, &err), err);
    for (size_t i = 0; i < AS_COUNT(out); i++) {
        assert_true(out[i] == 0);
    }
    assert_ok(trace_output(c.set.stacks[TRACE_STACK_DECODER], 1, 0, 0, TARGET, out, &err), err);
    assert_true(out[0] != 0);
    assert_same_weights(c.set.stacks[TRACE_STACK_ENCODER], plain.set.stacks[TRACE_STACK_ENCODER]);
    assert_ok(trace_logits(c.set.stacks[TRACE_STACK_CROSS], c.model, 8, 9, x, &err), err);
    assert_ok(trace_logits(plain.set.stacks[TRACE_STACK_CROSS], plain.model, 8, 9, y, &err), err);
    assert_memory_not_equal(x, y, sizeof x);
    close_case(&c);
    close_case(&plain);
}

static void test_trace_set_create__spills_and_counts_all(void **state)
{
    (void)state;
    Case c = {0}, plain = {0};
    Error err = {0};
    TraceEstimate all, one;
    open_case(&plain, "t5");
    run_case(&plain);
    open_case(&c, "t5");
    TraceDesc encoder = c.desc;
    encoder.stacks = 1u << TRACE_STACK_ENCODER;
    assert_ok(trace_estimate(&c.desc, &all, &err), err);
    assert_ok(trace_estimate(&encoder, &one, &err), err);
    assert_true(all.record_bytes > 2 * one.record_bytes);
    c.desc.params.memory_bytes = all.record_bytes + all.work_bytes - 1;
    run_case(&c);
    for (TraceStack s = TRACE_STACK_ENCODER; s <= TRACE_STACK_CROSS; s++) {
        assert_true(trace_info(c.set.stacks[s])->spilled);
        assert_same_weights(c.set.stacks[s], plain.set.stacks[s]);
    }
    close_case(&c);
    close_case(&plain);
}

/* ---- files */

static Trace *there_and_back(const Trace *trace)
{
    Error err = {0};
    char path[96];
    snprintf(path, sizeof path, "/tmp/attnscope-stacks-%d.safetensors", (int)getpid());
    assert_ok(trace_save(trace, path, &err), err);
    Trace *opened = trace_open(path, &err);
    assert_ok(opened, err);
    unlink(path);
    return opened;
}

static void test_trace_open__stacks_as_saved(void **state)
{
    (void)state;
    static const char *const names[] = {"t5", "marian"};
    for (size_t i = 0; i < AS_COUNT(names); i++) {
        Case c = {0};
        open_case(&c, names[i]);
        run_case(&c);
        for (TraceStack s = TRACE_STACK_ENCODER; s <= TRACE_STACK_CROSS; s++) {
            const Trace *trace = c.set.stacks[s];
            Trace *opened = there_and_back(trace);
            int32_t n, m;
            assert_int_equal(trace_info(opened)->stack, s);
            assert_same_weights(trace, opened);
            check_cells(opened);
            const TraceToken *a = trace_key_tokens(trace, &n), *b = trace_key_tokens(opened, &m);
            assert_int_equal(n, m);
            for (int32_t t = 0; t < n; t++) {
                assert_int_equal(a[t].id, b[t].id);
                assert_string_equal(a[t].text, b[t].text);
            }
            assert_string_equal(trace_key_source(trace, NULL), trace_key_source(opened, NULL));
            assert_string_equal(trace_source(trace, NULL), trace_source(opened, NULL));
            trace_close(opened);
        }
        close_case(&c);
    }
}

static void test_trace_open__a_picture(void **state)
{
    (void)state;
    enum { SIDE = 12, TOKENS = 17 };
    static float pixels[3 * SIDE * SIDE];
    static uint8_t rgb[SIDE * SIDE * 3];
    static TraceToken tokens[TOKENS];
    Error err = {0};
    Model *model = open_model("tests/golden/data/arch_vit");
    for (size_t i = 0; i < AS_COUNT(pixels); i++) {
        pixels[i] = (float)(i * 37 % 101) / 50 - 1;
        rgb[i] = (uint8_t)(i * 53 % 256);
    }
    TraceImage image = {SIDE, SIDE, rgb, 4, 4, 1};
    TraceDesc desc = {
        .model = model, .tokens = tokens, .n_tokens = TOKENS, .image = &image, .pixels = pixels};
    Trace *trace = run(&desc);
    Trace *opened = there_and_back(trace);
    int32_t x, y, w, h;
    assert_same_traces(trace, opened);
    assert_memory_equal(trace_image(opened)->rgb, rgb, sizeof rgb);
    assert_false(trace_image_patch(opened, 0, &x, &y, &w, &h)); /* [CLS] */
    assert_true(trace_image_patch(opened, 7, &x, &y, &w, &h));
    assert_true(x == 6 && y == 3 && w == 3 && h == 3);
    assert_false(trace_image_patch(opened, TOKENS, &x, &y, &w, &h));
    trace_close(opened);
    trace_close(trace);
    image.patch_rows = 5; /* more patches than tokens */
    assert_null(trace_create(&desc, &err));
    assert_int_equal(err.code, ERR_RANGE);
    desc.pixels = NULL;
    desc.image = NULL;
    assert_null(trace_run(&desc, NULL, &err));
    assert_non_null(strstr(err.message, "--image"));
    model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_set_fill__shapes),
        cmocka_unit_test(test_trace_set_fill__one_stack_is_as_in_all),
        cmocka_unit_test(test_trace_set_create__without_a_target),
        cmocka_unit_test(test_trace_tile__of_every_stack),
        cmocka_unit_test(test_trace_set_fill__temperature_and_bias),
        cmocka_unit_test(test_trace_set_fill__ablates_where_it_is_said),
        cmocka_unit_test(test_trace_set_create__spills_and_counts_all),
        cmocka_unit_test(test_trace_open__stacks_as_saved),
        cmocka_unit_test(test_trace_open__a_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
