/*
 * The forward pass of every family on tiny random checkpoints against float64 loops (reference.h).
 */
#include "recorder.h"
#include "reference.h"

enum { N = 23 };

#define UNSCALED                                                                                   \
    ", \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 1.0}, \"hidden_act\": \"silu\""

static const CpModel MODELS[] = {
    {.label = "bert, no prefix",
     .family = CP_BERT,
     .model_type = "bert",
     .prefix = "",
     .more = "",
     .L = 2,
     .H = 3,
     .G = 3,
     .D = 8,
     .C = 24,
     .F = 40,
     .V = 50,
     .P = 40},
    {.label = "bert, head, f16",
     .family = CP_BERT,
     .model_type = "bert",
     .prefix = "bert.",
     .more = "",
     .L = 2,
     .H = 2,
     .G = 2,
     .D = 16,
     .C = 32,
     .F = 48,
     .V = 37,
     .P = 23,
     .dtype = DTYPE_F16,
     .untied = true},
    {.label = "gpt2",
     .family = CP_GPT2,
     .model_type = "gpt2",
     .prefix = "transformer.",
     .more = "",
     .L = 2,
     .H = 4,
     .G = 4,
     .D = 8,
     .C = 32,
     .F = 128,
     .V = 61,
     .P = 64},
    {.label = "gpt2, f16",
     .family = CP_GPT2,
     .model_type = "gpt2",
     .prefix = "",
     .more = "",
     .L = 2,
     .H = 2,
     .G = 2,
     .D = 12,
     .C = 24,
     .F = 70,
     .V = 30,
     .P = 30,
     .dtype = DTYPE_F16},
    {.label = "llama, grouped, tied, bf16",
     .family = CP_LLAMA,
     .model_type = "llama",
     .prefix = "model.",
     .more = "",
     .L = 3,
     .H = 6,
     .G = 2,
     .D = 8,
     .C = 40,
     .F = 56,
     .V = 45,
     .P = 64,
     .dtype = DTYPE_BF16,
     .theta = 10000},
    {.label = "llama, one kv head, untied",
     .family = CP_LLAMA,
     .model_type = "llama",
     .prefix = "model.",
     .more = UNSCALED,
     .L = 2,
     .H = 5,
     .G = 1,
     .D = 10,
     .C = 36,
     .F = 44,
     .V = 45,
     .P = 64,
     .untied = true,
     .theta = 500000},
    {.label = "mistral, window",
     .family = CP_LLAMA,
     .model_type = "mistral",
     .prefix = "model.",
     .more = "",
     .L = 2,
     .H = 4,
     .G = 2,
     .D = 8,
     .C = 32,
     .F = 40,
     .V = 33,
     .P = 64,
     .window = 7,
     .theta = 10000},
    {.label = "qwen2, biases",
     .family = CP_LLAMA,
     .model_type = "qwen2",
     .prefix = "model.",
     .more = ", \"use_sliding_window\": false",
     .L = 2,
     .H = 4,
     .G = 2,
     .D = 8,
     .C = 32,
     .F = 40,
     .V = 33,
     .P = 64,
     .biases = true,
     .theta = 1000000},
    {.label = "qwen3, head norms",
     .family = CP_QWEN3,
     .model_type = "qwen3",
     .prefix = "model.",
     .more = "",
     .L = 2,
     .H = 4,
     .G = 2,
     .D = 16,
     .C = 24,
     .F = 40,
     .V = 33,
     .P = 64,
     .untied = true,
     .theta = 1000000},
    {.label = "gemma3, local and global",
     .family = CP_GEMMA3,
     .model_type = "gemma3_text",
     .prefix = "model.",
     .more = "",
     .L = 4,
     .H = 4,
     .G = 1,
     .D = 16,
     .C = 24,
     .F = 40,
     .V = 33,
     .P = 64,
     .window = 6,
     .pattern = 2,
     .theta = 1000000,
     .local_theta = 10000},
};

static void make_ids(int32_t *ids, int32_t *types, int n, int vocabulary)
{
    Random random = {5};
    for (int i = 0; i < n; i++) {
        ids[i] = (int32_t)(random_next(&random) % (uint64_t)vocabulary);
        types[i] = i > n / 2;
    }
}

static Model *open_checkpoint(Checkpoint *cp, const CpModel *m)
{
    Error err = {0};
    cp_make(cp, m);
    cp_write(cp);
    Model *model = model_open(&(ModelDesc){.spec = cp->folder}, &err);
    assert_ok(model, err);
    return model;
}

/* Worst difference relative to 1 + |want|; NaN is infinite. */
static double worst(const float *have, const double *want, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double e = fabs((double)have[i] - want[i]) / (1 + fabs(want[i]));
        most = e <= most ? most : isnan(e) ? INFINITY : e;
    }
    return most;
}

static void check(const char *label, const char *what, double error, double limit)
{
    if (!(error <= limit)) {
        print_error("%s: %s differ by %g, allowed %g\n", label, what, error, limit);
    }
    assert_true(error <= limit);
}

static void compare(const CpModel *m, const Recorder *rec, const Reference *ref)
{
    const size_t n = (size_t)ref->N, state = n * (size_t)m->C;
    check(m->label, "weights", worst(rec->weights, ref->weights, (size_t)(m->L * m->H) * n * n),
          5e-6);
    check(m->label, "hidden states", worst(rec->hidden, ref->hidden, (size_t)(m->L + 1) * state),
          5e-5);
    assert_true(rec->info->has_logits == (ref->logits != NULL));
    if (ref->logits) {
        check(m->label, "logits", worst(rec->logits, ref->logits, n * (size_t)m->V), 5e-5);
    }
}

static void test_model_forward__families(void **state)
{
    (void)state;
    for (size_t i = 0; i < AS_COUNT(MODELS); i++) {
        const CpModel *m = &MODELS[i];
        Checkpoint cp;
        Reference ref;
        Recorder rec, again;
        int32_t ids[N], types[N];
        make_ids(ids, types, N, m->V);
        Model *model = open_checkpoint(&cp, m);
        const ModelInput input = {
            .ids = ids, .type_ids = m->family == CP_BERT ? types : NULL, .n_tokens = N};
        ref_run(&cp, ids, types, N, NULL, &ref);
        rec_run(&rec, model, &input, NULL, 2);
        compare(m, &rec, &ref);
        rec_run(&again, model, &input, NULL, 3);
        const size_t bytes = (size_t)(m->L * m->H) * N * N * sizeof(float);
        assert_memory_equal(rec.weights, again.weights, bytes);
        assert_memory_equal(rec.final, again.final, (size_t)(N * m->C) * sizeof(float));
        rec_free(&rec);
        rec_free(&again);
        ref_free(&ref);
        model_close(&model);
        assert_null(model);
        cp_free(&cp);
    }
}

/* More rows than one block of the pass. */
static void test_model_forward__many_blocks(void **state)
{
    (void)state;
    enum { LONG = 1100 };
    const CpModel m = {.label = "long",
                       .family = CP_LLAMA,
                       .model_type = "llama",
                       .prefix = "",
                       .more = "",
                       .L = 2,
                       .H = 2,
                       .G = 1,
                       .D = 4,
                       .C = 8,
                       .F = 12,
                       .V = 20,
                       .P = 4096,
                       .theta = 10000};
    Checkpoint cp;
    Reference ref;
    Recorder rec;
    static int32_t ids[LONG], types[LONG];
    make_ids(ids, types, LONG, m.V);
    Model *model = open_checkpoint(&cp, &m);
    ref_run(&cp, ids, types, LONG, NULL, &ref);
    rec_run(&rec, model, &(ModelInput){.ids = ids, .n_tokens = LONG}, NULL, 2);
    check("long", "weights", worst(rec.weights, ref.weights, (size_t)4 * LONG * LONG), 2e-5);
    check("long", "logits", worst(rec.logits, ref.logits, (size_t)LONG * 20), 2e-4);
    assert_int_equal(rec.events[TAP_ATTENTION_OUTPUT], 2 * 2);
    assert_int_equal(rec.events[TAP_LAYER_OUTPUT], 2);
    rec_free(&rec);
    ref_free(&ref);
    model_close(&model);
    cp_free(&cp);
}

/* ---- what-if */

typedef struct WhatIfCase {
    ModelWhatIf what_if;
    RefChange change;
} WhatIfCase;

static const ModelHead HEAD_1_2 = {.layer = 1, .head = 2};
static const WhatIfCase WHAT_IFS[] = {
    {{.temperature = 2.5f}, {.temperature = 2.5}},
    {{.mask = MODEL_MASK_NONE}, {.mask = 2}},
    {{.mask = MODEL_MASK_CAUSAL, .temperature = 0.5f}, {.mask = 1, .temperature = 0.5}},
    {{.ablated = &HEAD_1_2, .n_ablated = 1},
     {.ablate = true, .ablated_layer = 1, .ablated_head = 2}},
};

static void check_propagated(Checkpoint *cp, const Model *model, const ModelInput *input,
                             const WhatIfCase *c)
{
    Reference ref;
    Recorder rec;
    ModelWhatIf w = c->what_if;
    w.propagate = true;
    ref_run(cp, input->ids, NULL, input->n_tokens, &c->change, &ref);
    rec_run(&rec, model, input, &w, 2);
    compare(&cp->m, &rec, &ref);
    rec_free(&rec);
    ref_free(&ref);
}

/* Each layer's weights are those of a run changed in that layer alone; the network runs unchanged.
 */
static void check_local(Checkpoint *cp, const Model *model, const ModelInput *input,
                        const WhatIfCase *c)
{
    Reference plain;
    Recorder rec;
    const CpModel *m = &cp->m;
    const size_t n = (size_t)input->n_tokens, size = (size_t)m->H * n * n;
    rec_run(&rec, model, input, &c->what_if, 2);
    for (int l = 0; l < m->L; l++) {
        Reference ref;
        RefChange change = c->change;
        change.one_layer = true;
        change.layer = l;
        ref_run(cp, input->ids, NULL, input->n_tokens, &change, &ref);
        check("local", "weights",
              worst(rec.weights + (size_t)l * size, ref.weights + (size_t)l * size, size), 5e-6);
        ref_free(&ref);
    }
    ref_run(cp, input->ids, NULL, input->n_tokens, NULL, &plain);
    check("local", "logits", worst(rec.logits, plain.logits, n * (size_t)m->V), 5e-5);
    ref_free(&plain);
    rec_free(&rec);
}

static void test_model_forward__what_if(void **state)
{
    (void)state;
    const int WITH[] = {4, 9}; /* llama, gemma3 */
    for (size_t i = 0; i < AS_COUNT(WITH); i++) {
        Checkpoint cp;
        int32_t ids[N], types[N];
        make_ids(ids, types, N, MODELS[WITH[i]].V);
        Model *model = open_checkpoint(&cp, &MODELS[WITH[i]]);
        const ModelInput input = {.ids = ids, .n_tokens = N};
        for (size_t c = 0; c < AS_COUNT(WHAT_IFS); c++) {
            check_propagated(&cp, model, &input, &WHAT_IFS[c]);
            check_local(&cp, model, &input, &WHAT_IFS[c]);
        }
        model_close(&model);
        cp_free(&cp);
    }
}

/* ---- taps */

typedef struct Placed {
    Recorder *rec;
    float *q, *k, *v;
    bool seen; /* the attention pass got what was placed */
} Placed;

static bool place(void *payload, TapPlace where, int32_t n_tokens, TapBuffers *buffers, Error *err)
{
    Placed *p = payload;
    (void)where;
    (void)n_tokens;
    (void)err;
    *buffers = (TapBuffers){p->q, p->k, p->v};
    return true;
}

static bool placed_attention(void *payload, TapPlace where, const AttnArgs *args, AttnOutputs *out,
                             Error *err)
{
    Placed *p = payload;
    p->seen = args->q == p->q && args->k == p->k && args->v == p->v && out->o && !out->row_max;
    return rec_attention(p->rec, where, args, out, err);
}

static bool placed_fire(void *payload, const TapEvent *event, Error *err)
{
    return rec_fire(((Placed *)payload)->rec, event, err);
}

static void test_model_forward__placed_heads(void **state)
{
    (void)state;
    Checkpoint cp;
    Recorder plain, rec;
    int32_t ids[N], types[N];
    Error err = {0};
    const CpModel *m = &MODELS[4];
    make_ids(ids, types, N, m->V);
    Model *model = open_checkpoint(&cp, m);
    const ModelInput input = {.ids = ids, .n_tokens = N};
    rec_run(&plain, model, &input, NULL, 0);
    rec_make(&rec, model, N);
    AttnCtx *ctx = NULL;
    assert_int_equal(attn_ctx_create(NULL, &ctx, NULL, 0), ATTN_OK);
    rec.ctx = ctx;
    Placed placed = {.rec = &rec,
                     .q = rec_alloc((size_t)(m->H * N * m->D)),
                     .k = rec_alloc((size_t)(m->G * N * m->D)),
                     .v = rec_alloc((size_t)(m->G * N * m->D))};
    const TapTable taps = {.sites = rec_taps(&rec).sites,
                           .place = place,
                           .attention = placed_attention,
                           .fire = placed_fire,
                           .payload = &placed};
    assert_ok(model_forward(model, &input, NULL, &taps, &err), err);
    assert_true(placed.seen);
    assert_memory_equal(plain.weights, rec.weights, (size_t)(m->L * m->H) * N * N * sizeof(float));
    const size_t last = (size_t)(m->L - 1) * (size_t)(m->H * N * m->D);
    assert_memory_equal(plain.q + last, placed.q, (size_t)(m->H * N * m->D) * sizeof(float));
    /* MODEL_LOGITS_LAST gives one row: the last of all, but for rounding. */
    assert_close(rec.logits + (size_t)(N - 1) * (size_t)m->V,
                 plain.logits + (size_t)(N - 1) * (size_t)m->V, (size_t)m->V, 1e-5, 1e-5);
    assert_int_equal(rec.events[TAP_LOGITS], 1);
    attn_ctx_destroy(&ctx);
    free(placed.q);
    free(placed.k);
    free(placed.v);
    rec_free(&plain);
    rec_free(&rec);
    model_close(&model);
    cp_free(&cp);
}

static bool failing_fire(void *payload, const TapEvent *event, Error *err)
{
    (void)event;
    return --*(int *)payload > 0 || error_set(err, ERR_IO, "the tap said stop");
}

static bool cancelling_fire(void *payload, const TapEvent *event, Error *err)
{
    JobControl *control = payload;
    (void)err;
    if (event->place.layer == 1) {
        atomic_store(&control->cancel, true);
    }
    return true;
}

static void test_model_forward__stops(void **state)
{
    (void)state;
    Checkpoint cp;
    int32_t ids[N], types[N];
    make_ids(ids, types, N, MODELS[4].V);
    Model *model = open_checkpoint(&cp, &MODELS[4]);
    const ModelInput input = {.ids = ids, .n_tokens = N};
    for (int site = 0; site < TAP_COUNT; site++) {
        Error err = {0};
        int left = 2;
        const TapTable taps = {.sites = TAP_BIT(site), .fire = failing_fire, .payload = &left};
        const ForwardOptions options = {.logits = MODEL_LOGITS_ALL};
        const bool once = site == TAP_EMBEDDING || site == TAP_FINAL_HIDDEN || site == TAP_LOGITS;
        left = once ? 1 : 2;
        assert_false(model_forward(model, &input, &options, &taps, &err));
        assert_int_equal(err.code, ERR_IO);
        assert_int_equal(left, 0);
    }
    Error err = {0};
    JobControl control = {0};
    const TapTable taps = {
        .sites = TAP_BIT(TAP_LAYER_INPUT), .fire = cancelling_fire, .payload = &control};
    assert_false(model_forward(model, &input, &(ForwardOptions){.control = &control}, &taps, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    JobControl whole = {0};
    assert_ok(model_forward(model, &input, &(ForwardOptions){.control = &whole}, NULL, &err), err);
    assert_int_equal(atomic_load(&whole.done_units), atomic_load(&whole.total_units));
    assert_true(atomic_load(&whole.total_units) > 0);
    model_close(&model);
    cp_free(&cp);
}

static void test_model_forward__some_layers(void **state)
{
    (void)state;
    Checkpoint cp;
    Recorder rec;
    Error err = {0};
    int32_t ids[N], types[N];
    make_ids(ids, types, N, MODELS[4].V);
    Model *model = open_checkpoint(&cp, &MODELS[4]);
    rec_make(&rec, model, N);
    TapTable taps = rec_taps(&rec);
    taps.sites &= ~TAP_BIT(TAP_HEAD_OUTPUT); /* no tiles */
    assert_ok(model_forward(model, &(ModelInput){.ids = ids, .n_tokens = N},
                            &(ForwardOptions){.n_layers = 2}, &taps, &err),
              err);
    assert_int_equal(rec.events[TAP_LAYER_OUTPUT], 2);
    assert_int_equal(rec.events[TAP_LOGITS], 0);
    assert_int_equal(rec.events[TAP_FINAL_HIDDEN], 0);
    rec_free(&rec);
    model_close(&model);
    cp_free(&cp);
}

/* The same heads, and nothing behind the last ones. */
static void test_model_forward__ends_at_heads(void **state)
{
    (void)state;
    Checkpoint cp;
    Recorder recs[2];
    Error err = {0};
    AttnCtx *ctx = NULL;
    int32_t ids[N], types[N];
    make_ids(ids, types, N, MODELS[4].V);
    Model *model = open_checkpoint(&cp, &MODELS[4]);
    assert_int_equal(attn_ctx_create(NULL, &ctx, NULL, 0), ATTN_OK);
    const ModelInfo *info = model_info(model);
    const int n_layers = info->stacks[0].n_layers, n_heads = info->stacks[0].n_heads;
    for (int i = 0; i < 2; i++) {
        rec_make(&recs[i], model, N);
        recs[i].ctx = ctx;
        TapTable taps = rec_taps(&recs[i]);
        const ForwardOptions options = {.attention = ctx, .ends_at_heads = i == 1};
        assert_ok(
            model_forward(model, &(ModelInput){.ids = ids, .n_tokens = N}, &options, &taps, &err),
            err);
        assert_int_equal(recs[i].events[TAP_HEAD_OUTPUT], n_layers);
        assert_int_equal(recs[i].events[TAP_LAYER_OUTPUT], n_layers - i);
        assert_int_equal(recs[i].events[TAP_FINAL_HIDDEN], 1 - i);
        assert_int_equal(recs[i].events[TAP_LOGITS], 1 - i);
    }
    assert_memory_equal(recs[0].weights, recs[1].weights,
                        (size_t)n_layers * (size_t)n_heads * N * N * sizeof(float));
    attn_ctx_destroy(&ctx);
    rec_free(&recs[0]);
    rec_free(&recs[1]);
    model_close(&model);
    cp_free(&cp);
}

static void test_model_logits__of_the_last_state(void **state)
{
    (void)state;
    const int WITH[] = {1, 2, 5, 9}; /* bert with head, gpt2, llama untied, gemma3 */
    for (size_t i = 0; i < AS_COUNT(WITH); i++) {
        const CpModel *m = &MODELS[WITH[i]];
        Checkpoint cp;
        Recorder rec;
        Error err = {0};
        int32_t ids[N], types[N];
        make_ids(ids, types, N, m->V);
        Model *model = open_checkpoint(&cp, m);
        rec_run(&rec, model, &(ModelInput){.ids = ids, .n_tokens = N}, NULL, 2);
        float *logits = rec_alloc((size_t)(N * m->V));
        const float *last = rec.hidden + (size_t)(m->L * N * m->C);
        assert_ok(model_logits(model, last, N, logits, 2, &err), err);
        assert_close(logits, rec.logits, (size_t)(N * m->V), 1e-6, 1e-6);
        free(logits);
        rec_free(&rec);
        model_close(&model);
        cp_free(&cp);
    }
}

/* ---- refusals */

typedef struct Warned {
    int n;
    char line[256];
} Warned;

static void warn(void *payload, LogLevel level, const char *line)
{
    Warned *w = payload;
    w->n += level == LOG_WARNING;
    snprintf(w->line, sizeof w->line, "%s", line);
}

static void refuse(const Model *model, const ModelInput *input, const ModelWhatIf *what_if,
                   uint32_t sites, ErrorCode code, const char *says)
{
    Error err = {0};
    ForwardOptions options = {0};
    if (what_if) {
        options.what_if = *what_if;
    }
    assert_false(model_forward(model, input, &options, &(TapTable){.sites = sites}, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.message, says)) {
        print_error("\"%s\" does not say \"%s\"\n", err.message, says);
    }
    assert_non_null(strstr(err.message, says));
}

static void test_model_forward__refusals(void **state)
{
    (void)state;
    Checkpoint cp;
    Error err = {0};
    int32_t ids[64] = {0}, types[64] = {0};
    const CpModel *m = &MODELS[0]; /* 40 learned positions, 50 ids, 2 types, no head */
    Model *model = open_checkpoint(&cp, m);
    const ModelHead no_head = {.layer = 1, .head = 3};
    refuse(model, &(ModelInput){.ids = ids}, NULL, 0, ERR_RANGE, "no tokens");
    refuse(model, &(ModelInput){.ids = ids, .n_tokens = 41}, NULL, 0, ERR_RANGE, "--max-tokens 40");
    refuse(model, &(ModelInput){.ids = ids, .n_tokens = 4}, NULL, TAP_BIT(TAP_LOGITS),
           ERR_UNSUPPORTED, "no prediction head");
    refuse(model, &(ModelInput){.ids = ids, .n_tokens = 4},
           &(ModelWhatIf){.ablated = &no_head, .n_ablated = 1}, 0, ERR_RANGE, "heads 0 to 2");
    refuse(model, &(ModelInput){.ids = ids, .n_tokens = 4}, &(ModelWhatIf){.temperature = -1}, 0,
           ERR_RANGE, "temperature");
    refuse(model, &(ModelInput){.ids = ids, .n_tokens = 4}, &(ModelWhatIf){.temperature = NAN}, 0,
           ERR_RANGE, "temperature");
    ids[2] = 50;
    refuse(model, &(ModelInput){.ids = ids, .n_tokens = 4}, NULL, 0, ERR_RANGE, "ids 0 to 49");
    ids[2] = -1;
    refuse(model, &(ModelInput){.ids = ids, .n_tokens = 4}, NULL, 0, ERR_RANGE, "id -1");
    ids[2] = 0;
    types[3] = 2;
    refuse(model, &(ModelInput){.ids = ids, .type_ids = types, .n_tokens = 4}, NULL, 0, ERR_RANGE,
           "types 0 to 1");
    assert_ok(model_forward(model, &(ModelInput){.ids = ids, .n_tokens = 40}, NULL, NULL, &err),
              err);
    model_close(&model);
    cp_free(&cp);
}

static void test_model_forward__far_rotary_positions_warn(void **state)
{
    (void)state;
    Checkpoint cp;
    Error err = {0};
    int32_t ids[80] = {0};
    Warned warned = {0};
    const Log log = {warn, &warned};
    Model *model = open_checkpoint(&cp, &MODELS[4]); /* 64 positions */
    const ForwardOptions options = {.log = &log};
    assert_ok(model_forward(model, &(ModelInput){.ids = ids, .n_tokens = 64}, &options, NULL, &err),
              err);
    assert_int_equal(warned.n, 0);
    assert_ok(model_forward(model, &(ModelInput){.ids = ids, .n_tokens = 65}, &options, NULL, &err),
              err);
    assert_int_equal(warned.n, 1);
    assert_non_null(strstr(warned.line, "64 positions"));
    model_close(&model);
    cp_free(&cp);
}

static void test_model_forward_bytes__grows_linearly(void **state)
{
    (void)state;
    Checkpoint cp;
    Model *model = open_checkpoint(&cp, &MODELS[4]);
    const uint64_t one = model_forward_bytes(model, &(ModelInput){.n_tokens = 100000}, NULL, true);
    const uint64_t two = model_forward_bytes(model, &(ModelInput){.n_tokens = 200000}, NULL, true);
    const uint64_t own = model_forward_bytes(model, &(ModelInput){.n_tokens = 100000}, NULL, false);
    assert_true(two < 2 * one + 1000 && two > one);
    assert_true(own - one == (uint64_t)100000 * (6 + 2 * 2) * 8 * 4);
    assert_true(one < (uint64_t)100000 * 1024);
    model_close(&model);
    cp_free(&cp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_forward__families),
        cmocka_unit_test(test_model_forward__many_blocks),
        cmocka_unit_test(test_model_forward__what_if),
        cmocka_unit_test(test_model_forward__placed_heads),
        cmocka_unit_test(test_model_forward__stops),
        cmocka_unit_test(test_model_forward__some_layers),
        cmocka_unit_test(test_model_forward__ends_at_heads),
        cmocka_unit_test(test_model_logits__of_the_last_state),
        cmocka_unit_test(test_model_forward__refusals),
        cmocka_unit_test(test_model_forward__far_rotary_positions_warn),
        cmocka_unit_test(test_model_forward_bytes__grows_linearly),
    };
    return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
