/* A run's record: tiles, statistics, vectors and cells agree with each other and with the model. */
#include "helpers.h"

#include "attention/attention.h"

#include <stdlib.h>

enum { N = 150 };

typedef struct Fixture {
    Model *model;
    TraceToken tokens[MAX_TOKENS];
    Trace *trace;
    float tile[N * N], other[N * N];
} Fixture;

static int set_up(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    f->model = open_model(SMALL_MODEL);
    TraceDesc desc = make_desc(f->model, N, f->tokens);
    f->trace = run(&desc);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    trace_close(f->trace);
    model_close(&f->model);
    free(f);
    return 0;
}

static void whole_head(Fixture *f, int32_t layer, int32_t head, TraceWhat what, float *out)
{
    TraceRegion region = {.layer = layer, .head = head};
    Error err = {0};
    assert_ok(trace_tile(f->trace, &region, what, out, 0, &err), err);
}

static void test_trace_tile__rows_sum_to_one_and_nothing_sees_the_future(void **state)
{
    Fixture *f = *state;
    for (int32_t l = 0; l < SMALL_LAYERS; l++) {
        for (int32_t h = 0; h < SMALL_HEADS; h++) {
            whole_head(f, l, h, TRACE_WEIGHTS, f->tile);
            for (int i = 0; i < N; i++) {
                double sum = 0;
                for (int j = 0; j < N; j++) {
                    sum += (double)f->tile[i * N + j];
                    assert_true(j <= i || f->tile[i * N + j] == 0);
                }
                assert_true(fabs(sum - 1) < 1e-5);
            }
        }
    }
}

/* The tile against softmax(scale q k^T) in double, from the vectors that the trace gives out. */
static void test_trace_tile__is_softmax_of_the_operands(void **state)
{
    Fixture *f = *state;
    Error err = {0};
    float q[N * SMALL_DIM];
    float k[N * SMALL_DIM];
    float v[N * SMALL_DIM];
    float o[N * SMALL_DIM];
    float lse[N];
    for (int32_t h = 0; h < SMALL_HEADS; h++) {
        assert_ok(trace_q(f->trace, 1, h, 0, N, q, &err), err);
        assert_ok(trace_k(f->trace, 1, h, 0, N, k, &err), err);
        assert_ok(trace_v(f->trace, 1, h, 0, N, v, &err), err);
        assert_ok(trace_output(f->trace, 1, h, 0, N, o, &err), err);
        assert_ok(trace_lse(f->trace, 1, h, 0, N, lse, &err), err);
        whole_head(f, 1, h, TRACE_WEIGHTS, f->tile);
        whole_head(f, 1, h, TRACE_SCORES, f->other);
        for (int i = 0; i < N; i++) {
            double s[N];
            double sum = 0;
            for (int j = 0; j <= i; j++) {
                s[j] = 0;
                for (int d = 0; d < SMALL_DIM; d++) {
                    s[j] += (double)q[i * SMALL_DIM + d] * (double)k[j * SMALL_DIM + d];
                }
                s[j] /= 4; /* sqrt(16) */
                sum += exp(s[j]);
                assert_true(fabs(s[j] - (double)f->other[i * N + j]) < 1e-5);
            }
            assert_true(i + 1 == N || f->other[i * N + i + 1] == -INFINITY);
            assert_true(fabs(log(sum) - (double)lse[i]) < 1e-5);
            for (int d = 0; d < SMALL_DIM; d++) {
                double expected = 0;
                for (int j = 0; j <= i; j++) {
                    expected += exp(s[j]) / sum * (double)v[j * SMALL_DIM + d];
                }
                assert_true(fabs(expected - (double)o[i * SMALL_DIM + d]) < 1e-5);
            }
            for (int j = 0; j <= i; j++) {
                assert_true(fabs(exp(s[j]) / sum - (double)f->tile[i * N + j]) < 1e-5);
            }
        }
    }
}

static void test_trace_tile__a_part_has_the_bits_of_the_whole(void **state)
{
    Fixture *f = *state;
    static const TraceRegion parts[] = {
        {2, 3, 0, 1, 0, 1},     {2, 3, 149, 150, 0, 150}, {2, 3, 17, 90, 31, 32},
        {2, 3, 64, 80, 10, 77}, {2, 3, 0, 40, 100, 150},  {2, 3, 1, 150, 149, 150},
    };
    whole_head(f, 2, 3, TRACE_WEIGHTS, f->tile);
    for (size_t p = 0; p < AS_COUNT(parts); p++) {
        const TraceRegion *r = &parts[p];
        Error err = {0};
        size_t ld = 151;
        float *out = test_malloc(ld * N * sizeof *out);
        assert_ok(trace_tile(f->trace, r, TRACE_WEIGHTS, out, ld, &err), err);
        for (int32_t i = r->row0; i < r->row1; i++) {
            assert_memory_equal(out + (size_t)(i - r->row0) * ld, f->tile + i * N + r->col0,
                                (size_t)(r->col1 - r->col0) * sizeof(float));
        }
        test_free(out);
    }
}

static void test_trace_tile__profiles_are_rows_and_columns(void **state)
{
    Fixture *f = *state;
    Error err = {0};
    float row[N];
    float column[N];
    whole_head(f, 0, 1, TRACE_WEIGHTS, f->tile);
    assert_ok(trace_row_profile(f->trace, 0, 1, 70, row, &err), err);
    assert_ok(trace_column_profile(f->trace, 0, 1, 20, column, &err), err);
    assert_memory_equal(row, f->tile + 70 * N, sizeof row);
    for (int i = 0; i < N; i++) {
        assert_true(column[i] == f->tile[i * N + 20]);
    }
}

static void test_trace_rows__are_statistics_of_the_tile(void **state)
{
    Fixture *f = *state;
    TraceRows rows;
    whole_head(f, 2, 0, TRACE_WEIGHTS, f->tile);
    assert_true(trace_rows(f->trace, 2, 0, &rows));
    const float *received = trace_received(f->trace, 2, 0);
    for (int i = 0; i < N; i++) {
        double entropy = 0;
        double distance = 0;
        double column = 0;
        int best = 0;
        for (int j = 0; j < N; j++) {
            double w = (double)f->tile[i * N + j];
            entropy -= w > 0 ? w * log(w) : 0;
            distance += w * abs(i - j);
            best = f->tile[i * N + j] > f->tile[i * N + best] ? j : best;
            column += (double)f->tile[j * N + i];
        }
        assert_true(fabs(entropy - (double)rows.entropy[i]) < 1e-4);
        assert_true(fabs(distance - (double)rows.distance[i]) < 1e-3);
        assert_int_equal(rows.max_key[i], best);
        assert_true(fabsf(rows.first[i] - f->tile[i * N]) < 1e-6f);
        assert_true(fabsf(rows.self[i] - f->tile[i * N + i]) < 1e-6f);
        assert_true(fabsf(rows.previous[i] - (i ? f->tile[i * N + i - 1] : 0)) < 1e-6f);
        assert_true(fabs(column - (double)received[i]) < 1e-4);
    }
}

static void test_trace_cell__agrees_with_its_row(void **state)
{
    Fixture *f = *state;
    Error err = {0};
    TraceCell cell;
    whole_head(f, 1, 2, TRACE_WEIGHTS, f->tile);
    whole_head(f, 1, 2, TRACE_SCORES, f->other);
    for (int32_t j = 0; j < N; j += 7) {
        int32_t i = 100;
        assert_ok(trace_cell(f->trace, 1, 2, i, j, &cell, &err), err);
        assert_true(cell.visible == (j <= i));
        assert_true(cell.weight == f->tile[i * N + j]);
        assert_true(cell.score == f->other[i * N + j]);
        assert_int_equal(cell.visible_keys, 101);
        if (!cell.visible) {
            assert_int_equal(cell.rank, -1);
            assert_true(cell.bias == -INFINITY);
            continue;
        }
        int rank = 0;
        for (int32_t other = 0; other <= i; other++) {
            rank += f->tile[i * N + other] > f->tile[i * N + j];
        }
        assert_int_equal(cell.rank, rank);
        assert_true(fabsf(cell.qk * cell.scale - cell.score) < 1e-5f);
        assert_true(fabsf(expf(cell.score - cell.lse) - cell.weight) < 1e-5f);
    }
}

static void test_trace_top_keys__are_sorted_and_complete(void **state)
{
    Fixture *f = *state;
    static const size_t counts[] = {0, 1, 5, 60, 200};
    whole_head(f, 0, 0, TRACE_WEIGHTS, f->tile);
    const float *row = f->tile + 60 * N;
    for (size_t c = 0; c < AS_COUNT(counts); c++) {
        TraceTop top[200];
        size_t n;
        Error err = {0};
        assert_ok(trace_top_keys(f->trace, 0, 0, 60, counts[c], top, &n, &err), err);
        assert_int_equal(n, AS_MIN(counts[c], 61u));
        for (size_t i = 0; i < n; i++) {
            assert_true(top[i].weight == row[top[i].key]);
            assert_true(i == 0 || top[i].weight < top[i - 1].weight ||
                        (top[i].weight == top[i - 1].weight && top[i].key > top[i - 1].key));
            int stronger = 0;
            for (int j = 0; j <= 60; j++) {
                stronger += row[j] > top[i].weight;
            }
            assert_true(stronger <= (int)i);
        }
    }
}

static void test_trace_tile_reduce__is_mean_and_max_of_the_cells(void **state)
{
    Fixture *f = *state;
    TraceRegion region = {2, 1, 10, 149, 3, 120};
    Error err = {0};
    enum { RT = 16, CT = 10, ROWS = 9, COLS = 12 };
    float mean[ROWS * COLS];
    float max[ROWS * COLS];
    assert_ok(trace_tile_reduce(f->trace, &region, RT, CT, mean, max, NULL, &err), err);
    whole_head(f, 2, 1, TRACE_WEIGHTS, f->tile);
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLS; c++) {
            double sum = 0;
            float most = 0;
            int cells = 0;
            for (int i = 10 + r * RT; i < AS_MIN(149, 10 + (r + 1) * RT); i++) {
                for (int j = 3 + c * CT; j < AS_MIN(120, 3 + (c + 1) * CT); j++) {
                    sum += (double)f->tile[i * N + j];
                    most = AS_MAX(most, f->tile[i * N + j]);
                    cells++;
                }
            }
            assert_true(fabs((double)mean[r * COLS + c] - sum / cells) < 1e-6);
            assert_true(fabsf(max[r * COLS + c] - most) < 1e-6f);
        }
    }
}

static void test_trace_tile_heads__mean_and_max(void **state)
{
    Fixture *f = *state;
    static const TraceHead heads[] = {{0, 0}, {1, 3}, {2, 2}};
    TraceRegion region = {.row0 = 5, .row1 = 9, .col0 = 0, .col1 = 9};
    float mean[4 * 9];
    float max[4 * 9];
    float one[3][4 * 9];
    Error err = {0};
    assert_ok(trace_tile_heads(f->trace, &region, heads, 3, TRACE_REDUCE_MEAN, mean, 0, &err), err);
    assert_ok(trace_tile_heads(f->trace, &region, heads, 3, TRACE_REDUCE_MAX, max, 0, &err), err);
    for (int h = 0; h < 3; h++) {
        region.layer = heads[h].layer;
        region.head = heads[h].head;
        assert_ok(trace_tile(f->trace, &region, TRACE_WEIGHTS, one[h], 0, &err), err);
    }
    for (int i = 0; i < 4 * 9; i++) {
        assert_true(fabsf(mean[i] - (one[0][i] + one[1][i] + one[2][i]) / 3) < 1e-6f);
        assert_true(max[i] == fmaxf(one[0][i], fmaxf(one[1][i], one[2][i])));
    }
}

static void test_trace_summary__covers_the_head(void **state)
{
    Fixture *f = *state;
    Error err = {0};
    TraceDesc desc = make_desc(f->model, N, f->tokens);
    desc.params.summary_size = 16; /* 150 tokens in texels of 16 */
    Trace *trace = run(&desc);
    const TraceLayer *layer = trace_layer(trace, 1);
    assert_int_equal(layer->row_texel, 16);
    assert_int_equal(layer->summary_rows, 10);
    float mean[100];
    float exact_mean[100];
    float max[100];
    float exact_max[100];
    TraceRegion all = {.layer = 1, .head = 1};
    assert_ok(trace_summary(trace, 1, 1, TRACE_REDUCE_MEAN, mean, &err), err);
    assert_ok(trace_summary(trace, 1, 1, TRACE_REDUCE_MAX, max, &err), err);
    assert_ok(trace_tile_reduce(trace, &all, 16, 16, exact_mean, exact_max, NULL, &err), err);
    assert_close(mean, exact_mean, 100, 1e-6, 1e-5);
    assert_close(max, exact_max, 100, 1e-6, 1e-5);
    trace_close(trace);
}

static void test_trace_operands__make_the_same_weights(void **state)
{
    Fixture *f = *state;
    TraceOperands op;
    assert_true(trace_operands(f->trace, 2, 3, &op));
    assert_true(!op.halves && !op.bias && op.soft_cap == 0);
    const float *q = op.q;
    const float *k = op.k;
    whole_head(f, 2, 3, TRACE_WEIGHTS, f->tile);
    for (size_t i = 0; i < N; i += 13) {
        for (size_t j = 0; j <= i; j += 3) {
            double dot = 0;
            for (size_t d = 0; d < SMALL_DIM; d++) {
                dot += (double)q[i * SMALL_DIM + d] * (double)k[j * SMALL_DIM + d];
            }
            double w =
                exp((double)op.scale * dot - (double)op.row_max[i] - (double)op.row_log_sum[i]);
            assert_true(fabs(w - (double)f->tile[i * N + j]) < 1e-6);
        }
    }
}

static void test_trace__what_is_not_there_is_an_error(void **state)
{
    Fixture *f = *state;
    static const TraceRegion wrong[] = {
        {-1, 0, 0, 1, 0, 1},          {SMALL_LAYERS, 0, 0, 1, 0, 1}, {0, -1, 0, 1, 0, 1},
        {0, SMALL_HEADS, 0, 1, 0, 1}, {0, 0, 0, N + 1, 0, 1},        {0, 0, -1, 1, 0, 1},
        {0, 0, 5, 5, 0, 1},           {0, 0, 0, 1, N, N + 1},        {0, 0, 0, 1, 7, 3},
    };
    for (size_t i = 0; i < AS_COUNT(wrong); i++) {
        Error err = {0};
        assert_false(trace_tile(f->trace, &wrong[i], TRACE_WEIGHTS, f->tile, 0, &err));
        assert_int_equal(err.code, ERR_RANGE);
    }
    Error err = {0};
    TraceRows rows;
    TraceOperands operands;
    assert_null(trace_layer(f->trace, SMALL_LAYERS));
    assert_false(trace_rows(f->trace, 0, SMALL_HEADS, &rows));
    assert_false(trace_operands(f->trace, -1, 0, &operands));
    assert_null(trace_received(f->trace, 0, -1));
    assert_false(trace_hidden(f->trace, SMALL_LAYERS + 1, 0, 1, f->tile, &err));
    assert_false(trace_row_profile(f->trace, 0, 0, N, f->tile, &err));
    assert_false(trace_column_profile(f->trace, 0, 0, -1, f->tile, &err));
}

static void test_trace_hidden__ends_in_the_models_logits(void **state)
{
    Fixture *f = *state;
    Error err = {0};
    static float logits[N * 97];
    static float again[97];
    assert_ok(trace_logits(f->trace, f->model, 0, N, logits, &err), err);
    assert_ok(trace_logits(f->trace, f->model, N - 1, N, again, &err), err);
    assert_close(again, logits + (N - 1) * 97, 97, 1e-5, 1e-5);
    float embedding[SMALL_WIDTH];
    float same[SMALL_WIDTH];
    /* tokens 0 and 31 are the same word: the same embedding */
    assert_ok(trace_hidden(f->trace, 0, 0, 1, embedding, &err), err);
    assert_ok(trace_hidden(f->trace, 0, 31, 32, same, &err), err);
    assert_memory_equal(embedding, same, sizeof same);
}

/* ---- what-if --------------------------------------------------------------------------------- */

static void test_trace_run__temperature_flattens_locally(void **state)
{
    Fixture *f = *state;
    TraceDesc desc = make_desc(f->model, N, f->tokens);
    desc.params.temperature = 4;
    Trace *warm = run(&desc);
    Error err = {0};
    float a[N * SMALL_DIM];
    float b[N * SMALL_DIM];
    for (int32_t l = 0; l < SMALL_LAYERS; l++) {
        /* local: the network is the unchanged one, so its q are too */
        assert_ok(trace_q(f->trace, l, 1, 0, N, a, &err), err);
        assert_ok(trace_q(warm, l, 1, 0, N, b, &err), err);
        assert_memory_equal(a, b, sizeof a);
        assert_true(trace_layer(warm, l)->scale == trace_layer(f->trace, l)->scale / 4);
        TraceRows cold_rows;
        TraceRows warm_rows;
        assert_true(trace_rows(f->trace, l, 1, &cold_rows) && trace_rows(warm, l, 1, &warm_rows));
        assert_true(warm_rows.entropy[N - 1] > cold_rows.entropy[N - 1]);
    }
    desc.params.propagate = true;
    Trace *through = run(&desc);
    assert_ok(trace_q(through, 0, 1, 0, N, b, &err), err);
    assert_ok(trace_q(f->trace, 0, 1, 0, N, a, &err), err);
    assert_memory_equal(a, b, sizeof a);
    assert_ok(trace_q(through, 2, 1, 0, N, b, &err), err);
    assert_ok(trace_q(f->trace, 2, 1, 0, N, a, &err), err);
    assert_memory_not_equal(a, b, sizeof a);
    trace_close(warm);
    trace_close(through);
}

static void test_trace_run__without_a_mask_every_key_is_seen(void **state)
{
    Fixture *f = *state;
    TraceDesc desc = make_desc(f->model, N, f->tokens);
    desc.params.mask = TRACE_MASK_NONE;
    Trace *trace = run(&desc);
    int32_t first;
    int32_t end;
    float row[N];
    Error err = {0};
    trace_visible_keys(trace, 0, 3, &first, &end);
    assert_int_equal(end - first, N);
    assert_ok(trace_row_profile(trace, 0, 0, 3, row, &err), err);
    double sum = 0;
    for (int j = 0; j < N; j++) {
        assert_true(row[j] > 0);
        sum += (double)row[j];
    }
    assert_true(fabs(sum - 1) < 1e-5);
    trace_close(trace);
}

static void test_trace_run__ablated_heads_put_out_zero(void **state)
{
    Fixture *f = *state;
    static const TraceHead heads[] = {{1, 2}};
    TraceDesc desc = make_desc(f->model, N, f->tokens);
    desc.params.ablate = heads;
    desc.params.n_ablate = 1;
    desc.params.propagate = true;
    Trace *trace = run(&desc);
    Error err = {0};
    float o[N * SMALL_DIM];
    float other[N * SMALL_DIM];
    assert_ok(trace_output(trace, 1, 2, 0, N, o, &err), err);
    for (size_t i = 0; i < AS_COUNT(o); i++) {
        assert_true(o[i] == 0);
    }
    assert_ok(trace_output(trace, 1, 1, 0, N, o, &err), err);
    assert_ok(trace_output(f->trace, 1, 1, 0, N, other, &err), err);
    assert_memory_equal(o, other, sizeof o);
    assert_ok(trace_q(trace, 2, 0, 0, N, o, &err), err);
    assert_ok(trace_q(f->trace, 2, 0, 0, N, other, &err), err);
    assert_memory_not_equal(o, other, sizeof o);
    trace_close(trace);
    static const TraceHead wrong[] = {{1, SMALL_HEADS}};
    desc.params.ablate = wrong;
    assert_null(trace_run(&desc, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_non_null(strstr(err.message, "heads 0 to 3"));
}

/* ---- halves, windows, cancel ------------------------------------------------------------------
 */

static void test_trace_run__halves_stay_within_the_stated_bound(void **state)
{
    Fixture *f = *state;
    TraceDesc desc = make_desc(f->model, N, f->tokens);
    desc.params.dtype = TRACE_F16;
    Trace *half = run(&desc);
    double bound = (double)trace_info(half)->weight_shift;
    double most = 0;
    assert_true(bound > 0 && bound < 0.05);
    assert_true(trace_info(half)->held_bytes < trace_info(f->trace)->held_bytes);
    for (int32_t l = 0; l < SMALL_LAYERS; l++) {
        for (int32_t h = 0; h < SMALL_HEADS; h++) {
            TraceRegion all = {.layer = l, .head = h};
            Error err = {0};
            whole_head(f, l, h, TRACE_WEIGHTS, f->tile);
            assert_ok(trace_tile(half, &all, TRACE_WEIGHTS, f->other, 0, &err), err);
            for (int i = 0; i < N; i++) {
                double sum = 0;
                for (int j = 0; j < N; j++) {
                    sum += (double)f->other[i * N + j];
                    most =
                        fmax(most, fabs((double)f->other[i * N + j] - (double)f->tile[i * N + j]));
                }
                assert_true(fabs(sum - 1) < 1e-5);
            }
        }
    }
    assert_true(most > 0 && most <= bound);
    TraceOperands operands;
    assert_true(trace_operands(half, 0, 0, &operands) && operands.halves);
    float o[N * SMALL_DIM];
    float p[N * SMALL_DIM];
    Error err = {0};
    assert_ok(trace_output(half, 2, 3, 0, N, o, &err), err);
    assert_ok(trace_output(f->trace, 2, 3, 0, N, p, &err), err);
    assert_close(o, p, AS_COUNT(o), 0.02, 0.02);
    trace_close(half);
}

static void count_layers(void *payload, Trace *trace, int32_t layers_done)
{
    int *calls = payload;
    ++*calls;
    assert_int_equal(trace_layers_done(trace), layers_done);
    assert_non_null(trace_layer(trace, layers_done - 1));
    assert_null(trace_layer(trace, layers_done));
}

static void test_trace_run__tells_each_layer(void **state)
{
    Fixture *f = *state;
    int calls = 0;
    TraceDesc desc = make_desc(f->model, 20, f->tokens);
    desc.on_layer = count_layers;
    desc.payload = &calls;
    Trace *trace = run(&desc);
    assert_int_equal(calls, SMALL_LAYERS);
    assert_same_traces(trace, trace);
    trace_close(trace);
}

static void cancel_at_second(void *payload, Trace *trace, int32_t layers_done)
{
    (void)trace;
    JobControl *control = payload;
    if (layers_done == 2) {
        atomic_store(&control->cancel, true);
    }
}

static void test_trace_fill__cancelled_keeps_the_layers_done(void **state)
{
    Fixture *f = *state;
    JobControl control = {0};
    Error err = {0};
    float q[SMALL_DIM];
    TraceDesc desc = make_desc(f->model, N, f->tokens);
    desc.on_layer = cancel_at_second;
    desc.payload = &control;
    Trace *trace = trace_create(&desc, &err);
    assert_ok(trace != NULL, err);
    assert_false(trace_fill(trace, &desc, &control, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_int_equal(trace_layers_done(trace), 2);
    assert_ok(trace_q(trace, 1, 0, 0, 1, q, &err), err);
    assert_false(trace_q(trace, 2, 0, 0, 1, q, &err));
    assert_non_null(strstr(err.message, "not computed yet"));
    trace_close(trace);
}

static void test_trace_run__threads_do_not_change_a_bit(void **state)
{
    Fixture *f = *state;
    TraceDesc desc = make_desc(f->model, N, f->tokens);
    desc.params.threads = 1;
    Trace *one = run(&desc);
    desc.params.threads = 3;
    Trace *three = run(&desc);
    assert_same_traces(one, three);
    trace_close(one);
    trace_close(three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_tile__rows_sum_to_one_and_nothing_sees_the_future),
        cmocka_unit_test(test_trace_tile__is_softmax_of_the_operands),
        cmocka_unit_test(test_trace_tile__a_part_has_the_bits_of_the_whole),
        cmocka_unit_test(test_trace_tile__profiles_are_rows_and_columns),
        cmocka_unit_test(test_trace_rows__are_statistics_of_the_tile),
        cmocka_unit_test(test_trace_cell__agrees_with_its_row),
        cmocka_unit_test(test_trace_top_keys__are_sorted_and_complete),
        cmocka_unit_test(test_trace_tile_reduce__is_mean_and_max_of_the_cells),
        cmocka_unit_test(test_trace_tile_heads__mean_and_max),
        cmocka_unit_test(test_trace_summary__covers_the_head),
        cmocka_unit_test(test_trace_operands__make_the_same_weights),
        cmocka_unit_test(test_trace__what_is_not_there_is_an_error),
        cmocka_unit_test(test_trace_hidden__ends_in_the_models_logits),
        cmocka_unit_test(test_trace_run__temperature_flattens_locally),
        cmocka_unit_test(test_trace_run__without_a_mask_every_key_is_seen),
        cmocka_unit_test(test_trace_run__ablated_heads_put_out_zero),
        cmocka_unit_test(test_trace_run__halves_stay_within_the_stated_bound),
        cmocka_unit_test(test_trace_run__tells_each_layer),
        cmocka_unit_test(test_trace_fill__cancelled_keeps_the_layers_done),
        cmocka_unit_test(test_trace_run__threads_do_not_change_a_bit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
