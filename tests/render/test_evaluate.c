/* Tiles that the GPU computes are those of src/attention: every mask, cap, bias, width and
 * reduction. */
#include "attention/attention.h"
#include "base/half.h"
#include "base/random.h"
#include "gfx/evaluate.h"
#include "gfx/headless.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>

typedef struct Device {
    Headless *headless;
    Gfx *gfx;
    AttnCtx *ctx;
} Device;

static int setup(void **state)
{
    Error err = {0};
    Device *d = calloc(1, sizeof *d);
    d->headless = headless_create(16, 16, &err);
    d->gfx = d->headless ? gfx_create(headless_proc, &err) : NULL;
    *state = d;
    if (!d->gfx || attn_ctx_create(NULL, &d->ctx, NULL, 0) != ATTN_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    Device *d = *state;
    attn_ctx_destroy(&d->ctx);
    gfx_destroy(d->gfx);
    headless_destroy(d->headless);
    free(d);
    return 0;
}

/* What a case is made of, and the rows of it that are known. */
typedef struct Case {
    const char *name;
    int32_t n, m, dim;
    AttnMask mask;
    float cap, scale;
    bool halves, bias;
    float spread; /* of q and k */
} Case;

typedef struct Operands {
    AttnArgs args;
    float *q, *k, *bias, *row_max, *row_log_sum;
    uint16_t *half_q, *half_k;
    EvalRow *rows;
    int32_t known0, known1; /* rows whose max and sum are there */
    uint64_t owner;
} Operands;

static void fill_bias(void *payload, int32_t head, int32_t row0, int32_t n_rows, int32_t col0,
                      int32_t n_cols, float *bias, ptrdiff_t ld)
{
    const Operands *o = payload;
    (void)head;
    for (int32_t i = 0; i < n_rows; i++) {
        for (int32_t j = 0; j < n_cols; j++) {
            bias[i * ld + j] = o->bias[col0 + j - row0 - i + o->args.n_queries - 1];
        }
    }
}

static float *normal(int64_t n, float spread, Random *random)
{
    float *x = test_malloc((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) {
        x[i] = spread * (float)(random_uniform(random) + random_uniform(random) - 1);
    }
    return x;
}

static uint16_t *halves_of(float *x, int64_t n)
{
    uint16_t *h = test_malloc((size_t)(n + 1) * sizeof *h);
    for (int64_t i = 0; i < n; i++) {
        h[i] = float_to_half(x[i]);
        x[i] = half_to_float(h[i]);
    }
    return h;
}

/* Rows [known0, known1) get their maximum and log-sum; the rest are asked for by nobody. */
static void operands_make(const Device *d, const Case *c, int32_t known0, int32_t known1,
                          uint64_t owner, Operands *o)
{
    Random random = {owner * 77 + 5};
    *o = (Operands){.known0 = known0, .known1 = known1, .owner = owner};
    o->q = normal((int64_t)c->n * c->dim, c->spread, &random);
    o->k = normal((int64_t)c->m * c->dim, c->spread, &random);
    if (c->halves) {
        o->half_q = halves_of(o->q, (int64_t)c->n * c->dim);
        o->half_k = halves_of(o->k, (int64_t)c->m * c->dim);
    }
    o->bias = c->bias ? normal((int64_t)c->n + c->m, 3, &random) : NULL;
    o->row_max = test_calloc((size_t)c->n, sizeof(float));
    o->row_log_sum = test_calloc((size_t)c->n, sizeof(float));
    o->rows = test_calloc((size_t)c->n, sizeof *o->rows);
    o->args = (AttnArgs){.q = o->q,
                         .k = o->k,
                         .n_queries = c->n,
                         .n_keys = c->m,
                         .n_heads = 1,
                         .head_dim = c->dim,
                         .scale = c->scale > 0 ? c->scale : 1 / sqrtf((float)c->dim),
                         .soft_cap = c->cap,
                         .mask = c->mask};
    if (c->bias) {
        o->args.bias = (AttnBias){fill_bias, o};
    }
    AttnArgs part = o->args;
    part.q += (int64_t)known0 * c->dim;
    part.n_queries = known1 - known0;
    part.mask.q_offset += known0;
    /* A bias is by row: only whole cases have one. */
    assert_true(!c->bias || (known0 == 0 && known1 == c->n));
    AttnOutputs out = {.row_max = o->row_max + known0, .row_log_sum = o->row_log_sum + known0};
    assert_int_equal(attn_forward(d->ctx, &part, &out, NULL), ATTN_OK);
    for (int32_t i = 0; i < c->n; i++) {
        bool known = i >= known0 && i < known1;
        bool empty = o->row_max[i] == -INFINITY;
        o->rows[i].reference = empty ? 0 : o->row_max[i];
        o->rows[i].factor = known && !empty ? (float)exp(-(double)o->row_log_sum[i]) : 0;
        attn_mask_row_range(&c->mask, c->m, i, &o->rows[i].first, &o->rows[i].end);
    }
}

static void operands_free(Operands *o)
{
    test_free(o->q);
    test_free(o->k);
    test_free(o->bias);
    test_free(o->half_q);
    test_free(o->half_k);
    test_free(o->row_max);
    test_free(o->row_log_sum);
    test_free(o->rows);
}

static EvalHead head_of(const Operands *o)
{
    const AttnArgs *a = &o->args;
    size_t width = o->half_q ? sizeof(uint16_t) : sizeof(float);
    size_t n = (size_t)a->n_queries;
    size_t m = (size_t)a->n_keys;
    size_t dim = (size_t)a->head_dim;
    EvalHead head = {.q = {{o->owner, 1}, o->half_q ? (void *)o->half_q : o->q, n * dim * width},
                     .k = {{o->owner, 2}, o->half_k ? (void *)o->half_k : o->k, m * dim * width},
                     .rows = {{o->owner, 3}, o->rows, n * sizeof(EvalRow)},
                     .zero = a->n_queries - 1,
                     .scale = a->scale,
                     .cap = a->soft_cap};
    if (o->bias) {
        head.bias = (EvalArray){{o->owner, 4}, o->bias, (n + m - 1) * sizeof(float)};
    }
    return head;
}

/* Until it is done, in steps as short as they come. */
static int run(Evaluator *e, const EvalTile *tile, float *out)
{
    Error err = {0};
    EvalStatus status = EVAL_MORE;
    int n = 0;
    for (; status == EVAL_MORE; n++) {
        status = evaluator_run(e, tile, 1e-3, out, &err);
        assert_true(n < 100000);
    }
    assert_ok(status == EVAL_DONE, err);
    return n;
}

typedef struct Part {
    int32_t row0, row1, col0, col1, side;
} Part;

static size_t values_in(const Part *p, int32_t *rows, int32_t *cols)
{
    *rows = (p->row1 - p->row0 - 1) / p->side + 1;
    *cols = (p->col1 - p->col0 - 1) / p->side + 1;
    return (size_t)*rows * (size_t)*cols;
}

/* What the CPU says; nothing that is masked as a whole is compared but for being so. */
static void check_part(const Device *d, Evaluator *e, const Operands *o, const Part *p, bool mean,
                       uint64_t id, const char *name)
{
    int32_t rows;
    int32_t cols;
    size_t n = values_in(p, &rows, &cols);
    float *want = test_malloc(n * sizeof *want);
    float *is = test_malloc(n * sizeof *is);
    AttnTileDesc tile = {.row0 = p->row0,
                         .row1 = p->row1,
                         .col0 = p->col0,
                         .col1 = p->col1,
                         .row_max = o->row_max,
                         .row_log_sum = o->row_log_sum};
    assert_int_equal(attn_tile_reduce(d->ctx, &o->args, &tile, p->side, p->side, mean ? want : NULL,
                                      mean ? NULL : want, cols, NULL),
                     ATTN_OK);
    EvalHead head = head_of(o);
    run(e,
        &(EvalTile){.id = id,
                    .heads = &head,
                    .n_heads = 1,
                    .dim = o->args.head_dim,
                    .halves = o->half_q != NULL,
                    .mean = mean,
                    .row0 = p->row0,
                    .row1 = p->row1,
                    .col0 = p->col0,
                    .col1 = p->col1,
                    .side = p->side},
        is);
    for (size_t i = 0; i < n; i++) {
        int32_t r = p->row0 + (int32_t)i / cols * p->side;
        int32_t c = p->col0 + (int32_t)i % cols * p->side;
        bool seen = false;
        for (int32_t k = r; k < AS_MIN(r + p->side, p->row1); k++) {
            seen |= o->rows[k].first < AS_MIN(c + p->side, p->col1) && o->rows[k].end > c;
        }
        float value = isinf(is[i]) ? 0 : is[i];
        if (seen == (isinf(is[i]) != 0) || fabsf(value - want[i]) > 1e-5f) {
            print_error("%s: %d %d of %d x %d, side %d%s: %.8g, the CPU has %.8g\n", name, r, c,
                        rows, cols, p->side, mean ? " mean" : "", (double)is[i], (double)want[i]);
            fail();
        }
    }
    test_free(want);
    test_free(is);
}

static const Case cases[] = {
    {"full", 200, 200, 64, {0}, 0, 0, false, false, 1.5f},
    {"causal", 230, 230, 64, {.kind = ATTN_MASK_CAUSAL}, 0, 0, false, false, 1.5f},
    {"odd width", 150, 150, 20, {.kind = ATTN_MASK_CAUSAL}, 0, 0, false, false, 2},
    {"width 80", 131, 131, 80, {.kind = ATTN_MASK_CAUSAL}, 0, 0, false, false, 1},
    {"width 33", 90, 90, 33, {.kind = ATTN_MASK_CAUSAL}, 0, 0, true, false, 1},
    {"width 256", 70, 70, 256, {0}, 0, 0, false, false, 1},
    {"width 1", 70, 70, 1, {.kind = ATTN_MASK_CAUSAL}, 0, 0, true, false, 3},
    {"window",
     300,
     300,
     32,
     {.kind = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW, .window = 37},
     0,
     0,
     false,
     false,
     2},
    {"both sides",
     300,
     300,
     32,
     {.kind = ATTN_MASK_WINDOW_SYMMETRIC, .window = 64},
     0,
     0,
     true,
     false,
     2},
    {"soft cap", 160, 160, 64, {.kind = ATTN_MASK_CAUSAL}, 50, 0.0625f, false, false, 6},
    {"soft cap, small", 160, 160, 48, {.kind = ATTN_MASK_CAUSAL}, 5, 0, true, false, 3},
    {"more keys", 77, 260, 64, {0}, 0, 0, false, false, 1.5f},
    {"more queries", 260, 75, 64, {0}, 0, 0, true, false, 1.5f},
    {"bias", 120, 140, 16, {0}, 0, 1, false, true, 1},
    {"bias, causal", 140, 140, 64, {.kind = ATTN_MASK_CAUSAL}, 0, 1, true, true, 0.5f},
    {"sharp", 128, 128, 64, {.kind = ATTN_MASK_CAUSAL}, 0, 0, false, false, 6},
    {"empty rows",
     100,
     100,
     16,
     {.kind = ATTN_MASK_CAUSAL, .q_offset = -30},
     0,
     0,
     false,
     false,
     1},
};

static void test_evaluator_run__equals_attention(void **state)
{
    const Device *d = *state;
    Error err = {0};
    Evaluator *e = evaluator_create(NULL, &err);
    assert_ok(e, err);
    uint64_t id = 0;
    static const int32_t sides[] = {1, 2, 3, 7, 16, 31, 32, 33, 64, 65, 100};
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        const Case *c = &cases[i];
        Operands o;
        operands_make(d, c, 0, c->n, i + 1, &o);
        for (size_t s = 0; s < AS_COUNT(sides); s++) {
            Part whole = {0, c->n, 0, c->m, sides[s]};
            Part part = {c->n / 3, c->n - 1, c->m / 5, c->m - c->m / 7, sides[s]};
            check_part(d, e, &o, &whole, false, ++id, c->name);
            check_part(d, e, &o, &whole, true, ++id, c->name);
            check_part(d, e, &o, &part, s % 2, ++id, c->name);
        }
        operands_free(&o);
    }
    evaluator_destroy(e);
}

/* The mean and the largest over heads that share keys, pair by pair, with rows and keys left out.
 */
static void test_evaluator_run__heads(void **state)
{
    enum { HEADS = 3, N = 150, SIDE = 5, OUT = 30 };
    const Device *d = *state;
    Error err = {0};
    Evaluator *e = evaluator_create(NULL, &err);
    assert_ok(e, err);
    Operands o[HEADS];
    EvalHead heads[HEADS];
    float *w[HEADS];
    for (int h = 0; h < HEADS; h++) {
        operands_make(d, &cases[1], 0, cases[1].n, (uint64_t)h + 1, &o[h]);
        heads[h] = head_of(&o[h]);
        w[h] = test_malloc(N * N * sizeof(float));
    }
    heads[1].k = heads[0].k; /* a group */
    o[1].args.k = o[0].k;
    float scales[HEADS * N];
    uint32_t hidden[(N + 31) / 32] = {1u | 1u << 9, 1u << 3, 0, 0, 0};
    for (int h = 0; h < HEADS; h++) {
        AttnTileDesc all = {
            .row1 = N, .col1 = N, .row_max = o[h].row_max, .row_log_sum = o[h].row_log_sum};
        assert_int_equal(attn_tile(d->ctx, &o[h].args, &all, w[h], N), ATTN_OK);
        for (int i = 0; i < N; i++) {
            scales[h * N + i] = i % 11 == 4 ? 0 : 1 + 0.25f * (float)h + 0.001f * (float)i;
        }
    }
    for (int how = 0; how < 8; how++) {
        bool mean_heads = how & 1;
        bool mean = how & 2;
        bool filters = how & 4;
        float is[OUT * OUT];
        run(e,
            &(EvalTile){.id = (uint64_t)how + 1,
                        .heads = heads,
                        .n_heads = HEADS,
                        .dim = 64,
                        .mean_heads = mean_heads,
                        .mean = mean,
                        .row1 = N,
                        .col1 = N,
                        .side = SIDE,
                        .row_scales = filters ? scales : NULL,
                        .hidden = filters ? hidden : NULL},
            is);
        for (int v = 0; v < OUT * OUT; v++) {
            float most = -INFINITY;
            double sum = 0;
            for (int at = 0; at < SIDE * SIDE; at++) {
                int i = v / OUT * SIDE + at / SIDE;
                int j = v % OUT * SIDE + at % SIDE;
                float of_heads = 0;
                bool there = j <= i && !(filters && (i % 11 == 4 || j == 0 || j == 9 || j == 35));
                for (int h = 0; h < HEADS && there; h++) {
                    float x = w[h][i * N + j] * (filters ? scales[h * N + i] : 1);
                    of_heads = mean_heads ? of_heads + x / HEADS : fmaxf(of_heads, x);
                }
                most = there ? fmaxf(most, of_heads) : most;
                sum += (double)of_heads;
            }
            float want = mean && !isinf(most) ? (float)(sum / (SIDE * SIDE)) : most;
            assert_true(isinf(is[v]) == isinf(want));
            assert_true(isinf(want) || fabsf(is[v] - want) <= 1e-5f);
        }
    }
    for (int h = 0; h < HEADS; h++) {
        operands_free(&o[h]);
        test_free(w[h]);
    }
    evaluator_destroy(e);
}

/* A few tiles of a long text: whole weights, and blocks of 512 at the far end. */
static void test_evaluator_run__long(void **state)
{
    enum { N = 131072 };
    const Device *d = *state;
    Error err = {0};
    Evaluator *e = evaluator_create(NULL, &err);
    assert_ok(e, err);
    Case c = {"long", N, N, 64, {.kind = ATTN_MASK_CAUSAL}, 0, 0, false, false, 2};
    Operands o;
    operands_make(d, &c, N - 600, N, 1, &o);
    static const Part parts[] = {{N - 256, N, N - 300, N, 1},
                                 {N - 600, N - 500, 0, 256, 1},
                                 {N - 600, N, N - 2048, N, 100},
                                 {N - 512, N, 65000, 65000 + 2048, 512}};
    for (size_t i = 0; i < 2 * AS_COUNT(parts); i++) {
        check_part(d, e, &o, &parts[i / 2], i % 2, i + 1, "long");
    }
    assert_true(evaluator_held_bytes(e) <= (size_t)68 << 20);
    operands_free(&o);
    evaluator_destroy(e);
}

/* A tile that another one interrupts starts anew and is right. */
static void test_evaluator_run__interrupted(void **state)
{
    const Device *d = *state;
    Error err = {0};
    Evaluator *e = evaluator_create(NULL, &err);
    assert_ok(e, err);
    Operands a;
    Operands b;
    Case c = {"large", 4096, 4096, 64, {0}, 0, 0, false, false, 1};
    operands_make(d, &c, 0, 512, 1, &a);
    operands_make(d, &c, 0, 512, 2, &b);
    EvalHead head = head_of(&a);
    EvalTile tile = {
        .id = 99, .heads = &head, .n_heads = 1, .dim = 64, .row1 = 512, .col1 = 4096, .side = 1};
    float *out = test_malloc((size_t)512 * 4096 * sizeof *out);
    EvalStatus status = evaluator_run(e, &tile, 0, out, &err);
    assert_ok(status != EVAL_FAILED, err);
    Part part = {100, 228, 3000, 3128, 1};
    check_part(d, e, &b, &part, false, 100, "in between");
    check_part(d, e, &a, &(Part){0, 512, 0, 4096, 1}, false, 99, "again");
    test_free(out);
    operands_free(&a);
    operands_free(&b);
    evaluator_destroy(e);
}

/* Operands share the budget: the last ones are there, more than it are refused, none is wrong. */
static void test_evaluator_run__budget(void **state)
{
    const Device *d = *state;
    Error err = {0};
    Case c = {"small", 512, 512, 64, {.kind = ATTN_MASK_CAUSAL}, 0, 0, false, false, 1};
    size_t one = (size_t)512 * 64 * 8 + 512 * sizeof(EvalRow);
    Evaluator *e = evaluator_create(&(EvaluatorDesc){.budget_bytes = 2 * one + 100}, &err);
    assert_ok(e, err);
    Operands o[3];
    for (uint64_t i = 0; i < 3; i++) {
        operands_make(d, &c, 0, c.n, i + 1, &o[i]);
    }
    for (uint64_t i = 0; i < 6; i++) {
        check_part(d, e, &o[i % 3], &(Part){100, 200, 0, 300, 1}, false, i + 1, "turns");
        assert_true(evaluator_holds(e, (EvalKey){i % 3 + 1, 1}));
        assert_true(evaluator_held_bytes(e) <= 2 * one + 100);
    }
    assert_true(evaluator_fits(e, 2 * one));
    assert_false(evaluator_fits(e, 3 * one));
    EvalHead heads[3] = {head_of(&o[0]), head_of(&o[1]), head_of(&o[2])};
    EvalTile tile = {
        .id = 50, .heads = heads, .n_heads = 3, .dim = 64, .row1 = 8, .col1 = 8, .side = 1};
    float out[64];
    assert_int_equal(evaluator_run(e, &tile, 1, out, &err), EVAL_FAILED);
    assert_int_equal(err.code, ERR_RANGE);
    check_part(d, e, &o[1], &(Part){0, 100, 0, 100, 2}, true, 51, "after a refusal");
    for (int i = 0; i < 3; i++) {
        operands_free(&o[i]);
    }
    evaluator_destroy(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluator_run__equals_attention),
        cmocka_unit_test(test_evaluator_run__heads),
        cmocka_unit_test(test_evaluator_run__long),
        cmocka_unit_test(test_evaluator_run__interrupted),
        cmocka_unit_test(test_evaluator_run__budget),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
