/* Saved traces: bit for bit, and what damaged ones say. */
#include "helpers.h"

#include "base/file.h"
#include "base/random.h"
#include "formats/safetensors_write.h"

#include <stdlib.h>
#include <unistd.h>

enum { N = 40 };

typedef struct Fixture {
    Model *model;
    TraceToken tokens[MAX_TOKENS];
    Trace *trace;
    char folder[64];
    char path[128];
    char *bytes; /* of the saved trace */
    size_t n_bytes;
    Arena arena;
} Fixture;

static int set_up(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    Error err = {0};
    f->model = open_model(SMALL_MODEL);
    TraceDesc desc = make_desc(f->model, N, f->tokens);
    f->tokens[3] = (TraceToken){.id = 5, .text = "", .start = -1, .end = -1, .segment = 1};
    f->tokens[4].text = "ö\"\\\n";
    f->trace = run(&desc);
    strcpy(f->folder, "/tmp/attnscope-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/t.safetensors", f->folder);
    assert_ok(trace_save(f->trace, f->path, &err), err);
    f->bytes = file_read_all(&f->arena, f->path, 1 << 28, &f->n_bytes, &err);
    assert_ok(f->bytes != NULL, err);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    unlink(f->path);
    rmdir(f->folder);
    trace_close(f->trace);
    model_close(&f->model);
    arena_destroy(&f->arena);
    free(f);
    return 0;
}

static void test_trace_open__gives_back_what_was_saved(void **state)
{
    Fixture *f = *state;
    static const TraceParams params[] = {
        {0},
        {.dtype = TRACE_F16},
        {.store = TRACE_STORE_QK, .summary_size = 16},
        {.store = TRACE_STORE_QKV, .temperature = 2.5f, .mask = TRACE_MASK_NONE},
    };
    for (size_t p = 0; p < AS_COUNT(params); p++) {
        Error err = {0};
        TraceDesc desc = make_desc(f->model, N, f->tokens);
        desc.params = params[p];
        static const TraceHead ablate[] = {{2, 1}};
        desc.params.ablate = ablate;
        desc.params.n_ablate = p == 0;
        Trace *trace = run(&desc);
        char path[160];
        snprintf(path, sizeof path, "%s/again.safetensors", f->folder);
        assert_ok(trace_save(trace, path, &err), err);
        Trace *opened = trace_open(path, &err);
        assert_ok(opened != NULL, err);
        assert_same_traces(trace, opened);
        const TraceInfo *a = trace_info(trace);
        const TraceInfo *b = trace_info(opened);
        assert_string_equal(b->model_name, "small");
        assert_string_equal(a->architecture, b->architecture);
        assert_int_equal(a->params.store, b->params.store);
        assert_int_equal(a->params.dtype, b->params.dtype);
        assert_int_equal(a->params.mask, b->params.mask);
        assert_true(a->params.temperature == b->params.temperature);
        assert_true(a->weight_shift == b->weight_shift);
        assert_int_equal(a->params.n_ablate, b->params.n_ablate);
        assert_int_equal(trace_layers_done(opened), SMALL_LAYERS);
        for (int32_t i = 0; i < N; i++) {
            const TraceToken *s = &trace_tokens(trace)[i];
            const TraceToken *t = &trace_tokens(opened)[i];
            assert_string_equal(s->text, t->text);
            assert_true(s->id == t->id && s->start == t->start && s->end == t->end &&
                        s->special == t->special && s->segment == t->segment);
        }
        float h[N * SMALL_WIDTH];
        float g[N * SMALL_WIDTH];
        assert_int_equal(b->has_hidden, params[p].store == TRACE_STORE_ALL);
        for (int32_t l = 0; l <= SMALL_LAYERS && b->has_hidden; l++) {
            assert_ok(trace_hidden(trace, l, 0, N, h, &err), err);
            assert_ok(trace_hidden(opened, l, 0, N, g, &err), err);
            assert_memory_equal(h, g, sizeof h);
        }
        if (b->has_values) {
            assert_ok(trace_output(trace, 2, 1, 0, N, h, &err), err);
            assert_ok(trace_output(opened, 2, 1, 0, N, g, &err), err);
            assert_memory_equal(h, g, N * SMALL_DIM * sizeof *h);
        } else {
            assert_false(trace_output(opened, 2, 1, 0, N, g, &err));
        }
        trace_close(opened);
        trace_close(trace);
        unlink(path);
    }
}

/* Reads whatever can be read of a trace that opened, so that a sanitizer sees every access. */
static void read_everything(Trace *trace)
{
    const TraceInfo *info = trace_info(trace);
    Error err = {0};
    size_t n = (size_t)info->n_queries;
    if (n > 4096) {
        return;
    }
    float *out = test_malloc((n * n + n * 4096) * sizeof *out);
    for (int32_t l = 0; l < info->n_layers; l++) {
        for (int32_t h = 0; h < info->n_heads; h++) {
            TraceRegion all = {.layer = l, .head = h};
            TraceCell cell;
            TraceRows rows;
            assert_true(trace_rows(trace, l, h, &rows));
            assert_ok(trace_tile(trace, &all, TRACE_WEIGHTS, out, 0, &err), err);
            assert_ok(trace_cell(trace, l, h, (int32_t)n - 1, 0, &cell, &err), err);
            for (size_t i = 0; i < n; i++) {
                assert_true(rows.max_key[i] >= -1 && rows.max_key[i] < info->n_keys);
            }
        }
    }
    size_t n_source;
    const char *source = trace_source(trace, &n_source);
    for (size_t i = 0; i < n; i++) {
        const TraceToken *t = &trace_tokens(trace)[i];
        assert_true(t->start == -1 || (t->start <= t->end && (size_t)t->end <= n_source));
        out[0] = t->start >= 0 && t->end > t->start ? (float)source[t->end - 1] : 0;
    }
    test_free(out);
}

/* Writes bytes as the trace and opens it. */
static Trace *open_bytes(const Fixture *f, const char *bytes, size_t n, Error *err)
{
    Error ignored = {0};
    assert_ok(file_write_all(f->path, bytes, n, &ignored), ignored);
    Trace *trace = trace_open(f->path, err);
    if (!trace) {
        assert_true(err->message[0] && !strchr(err->message, '\n'));
        assert_non_null(strstr(err->message, "t.safetensors"));
    }
    return trace;
}

static void test_trace_open__truncated(void **state)
{
    Fixture *f = *state;
    static const double shares[] = {0, 0.0001, 0.01, 0.3, 0.9, 0.99999};
    for (size_t i = 0; i < AS_COUNT(shares); i++) {
        Error err = {0};
        size_t n = (size_t)(shares[i] * (double)f->n_bytes);
        assert_null(open_bytes(f, f->bytes, n, &err));
        assert_int_equal(err.code, ERR_FORMAT);
    }
}

/* Same length, another meaning: `from` in the header becomes `to`. */
static void test_trace_open__lies(void **state)
{
    Fixture *f = *state;
    static const struct {
        const char *from, *to, *error;
    } cases[] = {
        {"\\\"layers\\\":3", "\\\"layers\\\":4", NULL},
        {"\\\"layers\\\":3", "\\\"layers\\\":2", NULL},
        {"\\\"heads\\\":4", "\\\"heads\\\":5", NULL},
        {"\\\"heads\\\":4", "\\\"heads\\\":0", "heads"},
        {"\\\"kv_heads\\\":2", "\\\"kv_heads\\\":1", NULL},
        {"\\\"queries\\\":40", "\\\"queries\\\":41", NULL},
        {"\\\"keys\\\":40", "\\\"keys\\\":39", NULL},
        {"\\\"keys\\\":40", "\\\"keyz\\\":40", "keys"},
        {"\\\"head_dim\\\":16", "\\\"head_dim\\\":61", NULL},
        {"\\\"model_dim\\\":64", "\\\"model_dim\\\":46", NULL},
        {"\\\"summary\\\":256", "\\\"summary\\\":999", NULL},
        {"\\\"dtype\\\":\\\"f32", "\\\"dtype\\\":\\\"f16", NULL},
        {"\\\"dtype\\\":\\\"f32", "\\\"dtype\\\":\\\"f99", "f99"},
        {"\\\"store\\\":\\\"all", "\\\"store\\\":\\\"al ", "al"},
        {"\\\"scale\\\":0.25", "\\\"scale\\\":null", "scale"},
        {"attnscope-trace", "attnscope-trick", "is not a trace"},
        {"\"version\":\"1\"", "\"version\":\"7\"", "version 7"},
        {"layers.2.row_max", "layers.9.row_max", "row_max"},
        {"tokens.text_end", "tokens.text_enc", "tokens.text_end"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        char *bytes = test_malloc(f->n_bytes);
        memcpy(bytes, f->bytes, f->n_bytes);
        char *at = memmem(bytes, f->n_bytes, cases[i].from, strlen(cases[i].from));
        if (!at) {
            print_error("%s is not in the file\n", cases[i].from);
            fail();
        }
        assert_int_equal(strlen(cases[i].from), strlen(cases[i].to));
        memcpy(at, cases[i].to, strlen(cases[i].to));
        Trace *trace = open_bytes(f, bytes, f->n_bytes, &err);
        test_free(bytes);
        /* A summary of another size that gives the same grid is no lie. */
        if (trace && strstr(cases[i].from, "summary")) {
            read_everything(trace);
            trace_close(trace);
            continue;
        }
        if (trace || (cases[i].error && !strstr(err.message, cases[i].error))) {
            print_error("%s: %s\n", cases[i].to, trace ? "was opened" : err.message);
            fail();
        }
    }
}

static void test_trace_open__any_byte_may_be_wrong(void **state)
{
    Fixture *f = *state;
    Random random = {1};
    size_t n_header = 8 + (size_t)(unsigned char)f->bytes[0] +
                      ((size_t)(unsigned char)f->bytes[1] << 8) +
                      ((size_t)(unsigned char)f->bytes[2] << 16);
    assert_true(n_header < f->n_bytes);
    char *bytes = test_malloc(f->n_bytes);
    int opened = 0;
    for (int i = 0; i < 400; i++) {
        Error err = {0};
        memcpy(bytes, f->bytes, f->n_bytes);
        size_t span = i % 2 ? n_header : f->n_bytes;
        for (int k = 0; k < 1 + i % 3; k++) {
            bytes[random_next(&random) % span] = (char)random_next(&random);
        }
        Trace *trace = open_bytes(f, bytes, f->n_bytes, &err);
        if (trace) {
            opened++;
            read_everything(trace);
            trace_close(trace);
        }
    }
    test_free(bytes);
    assert_true(opened > 0 && opened < 400);
}

/* Indices inside the data: the strongest keys and the byte ranges of tokens. */
static void test_trace_open__indices_out_of_range(void **state)
{
    Fixture *f = *state;
    TraceRows rows;
    assert_true(trace_rows(f->trace, 1, 0, &rows));
    char *bytes = test_malloc(f->n_bytes);
    memcpy(bytes, f->bytes, f->n_bytes);
    int32_t *keys = memmem(bytes, f->n_bytes, rows.max_key, N * sizeof *keys);
    assert_non_null(keys);
    int32_t wrong = N;
    memcpy(&keys[7], &wrong, sizeof wrong);
    Error err = {0};
    assert_null(open_bytes(f, bytes, f->n_bytes, &err));
    assert_non_null(strstr(err.message, "strongest key"));

    int64_t spans[2 * N];
    for (int64_t i = 0; i < N; i++) {
        spans[2 * i] = trace_tokens(f->trace)[i].start;
        spans[2 * i + 1] = trace_tokens(f->trace)[i].end;
    }
    memcpy(bytes, f->bytes, f->n_bytes);
    char *at = memmem(bytes, f->n_bytes, spans, sizeof spans);
    assert_non_null(at);
    int64_t far = INT64_MAX;
    memcpy(at + sizeof far, &far, sizeof far);
    assert_null(open_bytes(f, bytes, f->n_bytes, &err));
    assert_non_null(strstr(err.message, "byte range"));
    test_free(bytes);
}

/* Sizes that no tensor bears out: nothing is reserved for them or found by them. */
static void test_trace_open__sizes_without_tensors(void **state)
{
    static const char claims[] =
        "{\"layers\":65536,\"heads\":65536,\"kv_heads\":1,\"queries\":1,\"keys\":1,"
        "\"head_dim\":1,\"model_dim\":1,\"vocabulary\":1,\"summary\":256,\"store\":\"qk\","
        "\"dtype\":\"f32\",\"mask\":\"auto\",\"temperature\":1,\"weight_shift\":0,\"seconds\":0,"
        "\"attention_seconds\":0,\"attention_flops\":0,\"ablate\":[[65535,65535]]}";
    Fixture *f = *state;
    Error err = {0};
    SafetensorsWriter *writer = safetensors_writer_create(&err);
    assert_ok(writer && safetensors_writer_meta(writer, "format", "attnscope-trace", &err) &&
                  safetensors_writer_meta(writer, "version", "1", &err) &&
                  safetensors_writer_meta(writer, "run", claims, &err) &&
                  safetensors_writer_open(writer, f->path, &err) &&
                  safetensors_writer_commit(writer, &err),
              err);
    safetensors_writer_destroy(&writer);
    assert_null(trace_open(f->path, &err));
    assert_non_null(strstr(err.message, "tokens.id"));
}

static void test_trace_open__other_files(void **state)
{
    (void)state;
    Error err = {0};
    assert_null(trace_open("/nonexistent/t.safetensors", &err));
    assert_int_equal(err.code, ERR_IO);
    assert_null(trace_open("models/tiny/model.safetensors", &err));
    assert_non_null(strstr(err.message, "is not a trace"));
}

static void test_trace_save__leaves_nothing_when_it_fails(void **state)
{
    Fixture *f = *state;
    Error err = {0};
    assert_false(trace_save(f->trace, "/nonexistent/folder/t.safetensors", &err));
    assert_int_equal(err.code, ERR_IO);
    TraceDesc desc = make_desc(f->model, N, f->tokens);
    Trace *unfinished = trace_create(&desc, &err);
    char path[160];
    snprintf(path, sizeof path, "%s/unfinished.safetensors", f->folder);
    assert_false(trace_save(unfinished, path, &err));
    assert_non_null(strstr(err.message, "not finished"));
    assert_false(path_exists(path));
    trace_close(unfinished);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_open__gives_back_what_was_saved),
        cmocka_unit_test(test_trace_open__truncated),
        cmocka_unit_test(test_trace_open__lies),
        cmocka_unit_test(test_trace_open__any_byte_may_be_wrong),
        cmocka_unit_test(test_trace_open__indices_out_of_range),
        cmocka_unit_test(test_trace_open__sizes_without_tensors),
        cmocka_unit_test(test_trace_open__other_files),
        cmocka_unit_test(test_trace_save__leaves_nothing_when_it_fails),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
