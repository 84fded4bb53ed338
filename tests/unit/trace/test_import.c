/* Attention from elsewhere: a trace's own weights and operands, written as arrays and opened again,
 * give the same numbers; files that lie are refused. */
#include "helpers.h"

#include "formats/npy.h"
#include "formats/safetensors_write.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { N = 40 };

static char folder[64];

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/attnscope-import-%d", (int)getpid());
    return mkdtemp(strcat(folder, "-XXXXXX")) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"w.npy", "w.json", "bad.npy", "t.safetensors"};
    (void)state;
    for (size_t i = 0; i < AS_COUNT(names); i++) {
        unlink(path_of(names[i]));
    }
    return rmdir(folder);
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_trace_open__weights(void **state)
{
    (void)state;
    Error err = {0};
    Model *model = open_model(SMALL_MODEL);
    TraceToken tokens[MAX_TOKENS];
    TraceDesc desc = make_desc(model, N, tokens);
    Trace *own = run(&desc);
    static float w[SMALL_LAYERS][SMALL_HEADS][N][N];
    for (int32_t l = 0; l < SMALL_LAYERS; l++) {
        for (int32_t h = 0; h < SMALL_HEADS; h++) {
            assert_true(trace_tile(own, &(TraceRegion){l, h, 0, N, 0, N}, TRACE_WEIGHTS,
                                   &w[l][h][0][0], 0, NULL));
        }
    }
    int64_t shape[] = {SMALL_LAYERS, SMALL_HEADS, N, N};
    assert_ok(npy_write(path_of("w.npy"), DTYPE_F32, 4, shape, w, &err), err);
    Trace *other = trace_open(path_of("w.npy"), &err);
    assert_ok(other != NULL, err);
    const TraceInfo *info = trace_info(other);
    assert_int_equal(info->n_layers, SMALL_LAYERS);
    assert_int_equal(info->n_heads, SMALL_HEADS);
    assert_true(info->weights_only && info->given_shift < 1e-5f);
    assert_true(trace_layer(other, 0)->causal); /* found from the empty upper half */
    float tile[N * N];
    float q[SMALL_DIM];
    for (int32_t l = 0; l < SMALL_LAYERS; l++) {
        for (int32_t h = 0; h < SMALL_HEADS; h++) {
            TraceRows a;
            TraceRows b;
            assert_true(
                trace_tile(other, &(TraceRegion){l, h, 0, N, 0, N}, TRACE_WEIGHTS, tile, 0, NULL));
            assert_close(tile, &w[l][h][0][0], N * N, 1e-6, 1e-5);
            /* A part, which starts inside. */
            assert_true(trace_tile(other, &(TraceRegion){l, h, 7, 19, 3, 12}, TRACE_WEIGHTS, tile,
                                   0, NULL));
            assert_close(&tile[9], &w[l][h][8][3], 9, 1e-6, 1e-5);
            assert_true(trace_rows(own, l, h, &a) && trace_rows(other, l, h, &b));
            assert_close(b.entropy, a.entropy, N, 1e-5, 1e-4);
            assert_close(trace_received(other, l, h), trace_received(own, l, h), N, 1e-5, 1e-4);
        }
    }
    static const int32_t queries[] = {39, 3, 20};
    static const int32_t keys[] = {0, 19, 3, 39, 19};
    float some[3 * 5];
    assert_ok(trace_gather(other, 1, 2, queries, 3, keys, 5, some, &err), err);
    for (int i = 0; i < 3 * 5; i++) {
        assert_close(&some[i], &w[1][2][queries[i / 5]][keys[i % 5]], 1, 1e-6, 1e-5);
    }
    TraceCell cell;
    assert_true(trace_cell(other, 1, 2, 9, 4, &cell, NULL));
    assert_close(&cell.weight, &w[1][2][9][4], 1, 1e-6, 1e-5);
    assert_false(trace_q(other, 0, 0, 0, 1, q, &err));
    assert_false(trace_save(other, path_of("t.safetensors"), &err));
    trace_close(other);

    /* With a list of tokens beside it; of the wrong length it is refused. */
    write_text("w.json", "{\"tokens\": [\"a\", \"b\"]}");
    assert_null(trace_open(path_of("w.npy"), &err));
    assert_true(strstr(err.message, "2 entries for 40 tokens") != NULL);
    write_text("w.json", "[1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10,"
                         "1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10]");
    assert_null(trace_open(path_of("w.npy"), &err));
    assert_true(strstr(err.message, "entry 0 of \"tokens\" is no text") != NULL);
    unlink(path_of("w.json"));
    trace_close(own);
    model_close(&model);
}

/* q, k and v of a trace, one array a layer, as scripts/dump_attention.py writes them. */
static void test_trace_open__operands(void **state)
{
    (void)state;
    Error err = {0};
    Model *model = open_model(SMALL_MODEL);
    TraceToken tokens[MAX_TOKENS];
    TraceDesc desc = make_desc(model, N, tokens);
    Trace *own = run(&desc);
    enum { H = SMALL_HEADS, G = 2, D = SMALL_DIM };
    static float data[SMALL_LAYERS][3][H * N * D];
    SafetensorsWriter *writer = NULL;
    size_t at[SMALL_LAYERS][3];
    assert_ok((writer = safetensors_writer_create(&err)) != NULL, err);
    char said[96];
    snprintf(said, sizeof said, "{\"causal\":true,\"scale\":%.9g,\"model\":\"other\"}",
             (double)trace_layer(own, 0)->scale);
    assert_ok(safetensors_writer_meta(writer, "attnscope", said, &err), err);
    for (int32_t l = 0; l < SMALL_LAYERS; l++) {
        for (int x = 0; x < 3; x++) {
            char name[16];
            int32_t heads = x == 0 ? H : G;
            int64_t shape[] = {heads, N, D};
            for (int32_t h = 0; h < heads; h++) {
                float *to = &data[l][x][h * N * D];
                int32_t head = x == 0 ? h : h * (H / G);
                assert_true(x == 0   ? trace_q(own, l, head, 0, N, to, NULL)
                            : x == 1 ? trace_k(own, l, head, 0, N, to, NULL)
                                     : trace_v(own, l, head, 0, N, to, NULL));
            }
            snprintf(name, sizeof name, "%c.%d", "qkv"[x], l);
            assert_ok(
                safetensors_writer_declare(writer, name, DTYPE_F32, 3, shape, &at[l][x], &err),
                err);
        }
    }
    assert_ok(safetensors_writer_open(writer, path_of("t.safetensors"), &err), err);
    for (int32_t l = 0; l < SMALL_LAYERS; l++) {
        for (int x = 0; x < 3; x++) {
            size_t n = (size_t)(x == 0 ? H : G) * N * D;
            assert_ok(safetensors_writer_put(writer, at[l][x], 0, data[l][x], n * 4, &err), err);
        }
    }
    assert_ok(safetensors_writer_commit(writer, &err), err);
    safetensors_writer_destroy(&writer);
    Trace *other = trace_open(path_of("t.safetensors"), &err);
    assert_ok(other != NULL, err);
    assert_string_equal(trace_info(other)->model_name, "other");
    assert_false(trace_info(other)->weights_only);
    for (int32_t l = 0; l < SMALL_LAYERS; l++) {
        for (int32_t h = 0; h < H; h++) {
            float a[N * N];
            float b[N * N];
            TraceRegion all = {l, h, 0, N, 0, N};
            assert_true(trace_tile(own, &all, TRACE_WEIGHTS, a, 0, NULL));
            assert_true(trace_tile(other, &all, TRACE_WEIGHTS, b, 0, NULL));
            assert_memory_equal(a, b, sizeof a); /* the same operands, the same bits */
            assert_true(trace_output(own, l, h, 0, N, a, NULL));
            assert_true(trace_output(other, l, h, 0, N, b, NULL));
            assert_close(b, a, N * D, 1e-6, 1e-5);
        }
    }
    trace_close(other);
    trace_close(own);
    model_close(&model);
}

/* A batch axis of 1 before the layers or behind them. */
static void test_trace_open__batch(void **state)
{
    (void)state;
    static const int64_t shapes[][5] = {{1, 2, 1, 2, 2}, {2, 1, 1, 2, 2}};
    static const float w[2][2][2] = {{{1, 0}, {0.5f, 0.5f}}, {{1, 0}, {0.25f, 0.75f}}};
    for (size_t i = 0; i < AS_COUNT(shapes); i++) {
        Error err = {0};
        float tile[4];
        assert_ok(npy_write(path_of("bad.npy"), DTYPE_F32, 5, shapes[i], w, &err), err);
        Trace *trace = trace_open(path_of("bad.npy"), &err);
        assert_ok(trace != NULL, err);
        assert_int_equal(trace_info(trace)->n_layers, 2);
        assert_int_equal(trace_info(trace)->n_heads, 1);
        assert_true(
            trace_tile(trace, &(TraceRegion){1, 0, 0, 2, 0, 2}, TRACE_WEIGHTS, tile, 0, NULL));
        assert_close(tile, &w[1][0][0], 4, 1e-6, 1e-5);
        trace_close(trace);
    }
}

static void test_trace_open__bad_arrays(void **state)
{
    (void)state;
    static const float minus[9] = {1, 0, 0, 0.5f, 0.5f, 0, -1, 1, 1};
    static const float nan_[4] = {1, 0, NAN, 1};
    static const int32_t ints[4] = {1, 2, 3, 4};
    static const float many[4097] = {0};
    static const struct {
        DType dtype;
        int n_dims;
        int64_t shape[5];
        const void *data;
        const char *says;
    } rows[] = {{DTYPE_F32, 2, {3, 3}, minus, "a weight of -1"},
                {DTYPE_F32, 2, {2, 2}, nan_, "a weight of nan"},
                {DTYPE_I32, 2, {2, 2}, ints, "expected F32"},
                {DTYPE_F32, 1, {4}, nan_, "has shape [4]; expected [layers, heads, queries, keys]"},
                {DTYPE_F32, 0, {0}, nan_, "has shape []; expected"},
                {DTYPE_F32, 2, {0, 3}, nan_, "has shape [0, 3]; expected"},
                {DTYPE_F32, 5, {2, 2, 1, 1, 2}, minus, "has shape [2, 2, 1, 1, 2]; expected"},
                {DTYPE_F32, 4, {4097, 1, 1, 1}, many, "more than 4096 layers"}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        Error err = {0};
        assert_ok(npy_write(path_of("bad.npy"), rows[i].dtype, rows[i].n_dims, rows[i].shape,
                            rows[i].data, &err),
                  err);
        assert_null(trace_open(path_of("bad.npy"), &err));
        if (!strstr(err.message, rows[i].says)) {
            print_error("row %zu: %s\n", i, err.message);
            fail();
        }
    }
}

/* Weights that have to be widened need memory that is not there: said before any is taken. */
static void test_trace_open__weights_too_large(void **state)
{
    (void)state;
    enum { SIDE = 300000 };
    static const uint16_t one[1] = {0x3C00};
    static const int64_t shape[] = {1, 1};
    Error err = {0};
    const char *path = path_of("large.npy");
    assert_ok(npy_write(path, DTYPE_F16, 2, shape, one, &err), err);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, 10, SEEK_SET);
    fprintf(file, "{'descr': '<f2', 'fortran_order': False, 'shape': (%d, %d), }", SIDE, SIDE);
    fclose(file);
    if (truncate(path, 128 + 2 * (off_t)SIDE * SIDE) != 0) {
        assert_int_equal(unlink(path), 0);
        skip(); /* a disk that cannot hold files with holes */
    }
    Trace *trace = trace_open(path, &err);
    assert_int_equal(unlink(path), 0);
    assert_null(trace);
    assert_int_equal(err.code, ERR_MEMORY);
    assert_non_null(strstr(err.message, "as float32 take 335.3 GiB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_open__weights),
        cmocka_unit_test(test_trace_open__operands),
        cmocka_unit_test(test_trace_open__batch),
        cmocka_unit_test(test_trace_open__bad_arrays),
        cmocka_unit_test(test_trace_open__weights_too_large),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
