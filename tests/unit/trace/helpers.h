#pragma once
/* A small made-up model and its runs, for the tests of src/trace. */
#include "testing.h"

#include "model/model.h"
#include "trace/trace.h"

/* 3 layers, 4 heads in 2 groups, 16 wide. */
#define SMALL_MODEL "random:L=3,H=4,G=2,d=64,V=97,seed=5"
enum { SMALL_LAYERS = 3, SMALL_HEADS = 4, SMALL_DIM = 16, SMALL_WIDTH = 64, MAX_TOKENS = 2048 };

static inline Model *open_model(const char *spec)
{
    Error err = {0};
    Model *model = model_open(&(ModelDesc){.spec = spec}, &err);
    assert_ok(model != NULL, err);
    return model;
}

/* n tokens with repeats, as induction heads like them. Static storage, refilled by each call. */
static inline TraceDesc make_desc(const Model *model, size_t n, TraceToken *tokens)
{
    static char texts[MAX_TOKENS][8];
    assert_true(n <= MAX_TOKENS);
    for (size_t i = 0; i < n; i++) {
        snprintf(texts[i], sizeof texts[i], "w%zu", i % 31);
        tokens[i] = (TraceToken){.id = (int32_t)(i * 7 % 31),
                                 .text = texts[i],
                                 .start = (int64_t)i,
                                 .end = (int64_t)i + 1,
                                 .special = i == 0};
    }
    static char source[MAX_TOKENS + 1];
    memset(source, 'x', n);
    source[n] = 0;
    return (TraceDesc){
        .model = model,
        .model_name = "small",
        .tokens = tokens,
        .n_tokens = n,
        .source = source,
        .n_source = n,
    };
}

static inline Trace *run(const TraceDesc *desc)
{
    Error err = {0};
    Trace *trace = trace_run(desc, NULL, &err);
    assert_ok(trace != NULL, err);
    return trace;
}

/* Every readable number of two traces is the same, bit for bit. */
static inline void assert_same_traces(const Trace *a, const Trace *b)
{
    const TraceInfo *info = trace_info(a);
    size_t n = (size_t)info->n_queries;
    Error err = {0};
    float *x = test_malloc(n * n * sizeof *x);
    float *y = test_malloc(n * n * sizeof *y);
    assert_int_equal(info->n_layers, trace_info(b)->n_layers);
    assert_int_equal(info->n_queries, trace_info(b)->n_queries);
    for (int32_t l = 0; l < info->n_layers; l++) {
        for (int32_t h = 0; h < info->n_heads; h++) {
            TraceRegion all = {.layer = l, .head = h};
            assert_ok(trace_tile(a, &all, TRACE_WEIGHTS, x, 0, &err), err);
            assert_ok(trace_tile(b, &all, TRACE_WEIGHTS, y, 0, &err), err);
            assert_memory_equal(x, y, n * n * sizeof *x);
            TraceRows r;
            TraceRows s;
            assert_true(trace_rows(a, l, h, &r) && trace_rows(b, l, h, &s));
            assert_memory_equal(r.entropy, s.entropy, n * sizeof(float));
            assert_memory_equal(r.max_key, s.max_key, n * sizeof(int32_t));
            assert_memory_equal(r.previous, s.previous, n * sizeof(float));
            assert_memory_equal(trace_received(a, l, h), trace_received(b, l, h),
                                n * sizeof(float));
            const TraceLayer *layer = trace_layer(a, l);
            size_t texels = (size_t)layer->summary_rows * (size_t)layer->summary_cols;
            assert_true(texels <= n * n);
            assert_ok(trace_summary(a, l, h, TRACE_REDUCE_MAX, x, &err), err);
            assert_ok(trace_summary(b, l, h, TRACE_REDUCE_MAX, y, &err), err);
            assert_memory_equal(x, y, texels * sizeof *x);
        }
    }
    test_free(x);
    test_free(y);
}
