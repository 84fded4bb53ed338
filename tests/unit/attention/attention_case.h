#pragma once
/* Operands, masks and results of one attention, made from a row of a table of cases. */
#include <stdlib.h>

#include "attention/attention.h"
#include "testing.h"

typedef struct Case {
    const char *name;
    int32_t n_queries, n_keys, n_heads, n_kv_heads, head_dim, v_dim; /* 0 as in AttnArgs */
    uint32_t kind;
    int32_t window, q_offset, n_valid_keys;
    bool hide_some; /* a key_mask that hides every third key and a run of 70 */
    bool bias;
    float bias_level; /* added to the bias of every pair */
    float soft_cap, scale;
    bool interleaved; /* [N, H, D] instead of [H, N, D] */
    float spread;     /* of q; 0 = 1 */
    int32_t summary_size;
    int32_t alike; /* so many queries in a row are one and the same */
} Case;

#define SIZES(N, M, H, G, D)                                                                       \
    .n_queries = (N), .n_keys = (M), .n_heads = (H), .n_kv_heads = (G), .head_dim = (D)

/* Everything a pass can write, and the arguments it came from. */
typedef struct Run {
    AttnArgs args;
    AttnOutputs out;
    AttnSummaryShape shape;
    size_t n_rows, n_o, n_texels, n_received; /* floats */
    float *memory;
} Run;

static inline float case_random(uint64_t *state)
{
    float sum = 0;
    for (int i = 0; i < 4; i++) { /* four uniform numbers: near normal, deviation 1 */
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        sum += (float)(*state >> 40) * 0x1p-24f;
    }
    return (sum - 2.0f) * 1.7320508f;
}

static inline float *case_floats(size_t n, float spread, uint64_t seed)
{
    float *x = malloc((n > 0 ? n : 1) * sizeof(float));
    assert_non_null(x);
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < n; i++) {
        x[i] = spread * case_random(&state);
    }
    return x;
}

/* Relative positions with another slope for each head, as ALiBi; one diagonal hidden. The payload
 * is a level for all, or NULL. */
static inline void case_bias(void *payload, int32_t head, int32_t row0, int32_t n_rows,
                             int32_t col0, int32_t n_cols, float *bias, ptrdiff_t ld)
{
    float level = payload ? *(const float *)payload : 0;
    for (int32_t r = 0; r < n_rows; r++) {
        for (int32_t c = 0; c < n_cols; c++) {
            int32_t away = row0 + r - (col0 + c);
            bias[r * ld + c] =
                away == 5 ? -INFINITY : level - 0.05f * (float)(head + 1) * fabsf((float)away);
        }
    }
}

static inline AttnArgs case_args(const Case *c)
{
    AttnArgs a = {.n_queries = c->n_queries,
                  .n_keys = c->n_keys,
                  .n_heads = c->n_heads,
                  .n_kv_heads = c->n_kv_heads,
                  .head_dim = c->head_dim,
                  .v_dim = c->v_dim,
                  .scale = c->scale,
                  .soft_cap = c->soft_cap,
                  .mask = {.kind = c->kind,
                           .window = c->window,
                           .q_offset = c->q_offset,
                           .n_valid_keys = c->n_valid_keys}};
    size_t M = (size_t)(c->n_keys ? c->n_keys : c->n_queries), N = (size_t)c->n_queries;
    size_t G = (size_t)(c->n_kv_heads ? c->n_kv_heads : c->n_heads), H = (size_t)c->n_heads;
    size_t D = (size_t)c->head_dim, E = (size_t)(c->v_dim ? c->v_dim : c->head_dim);
    a.q = case_floats(H * N * D, c->spread > 0 ? c->spread : 1, 1);
    for (size_t i = 0; c->alike > 0 && i < H * N; i++) {
        memcpy((float *)(uintptr_t)a.q + i * D, a.q + i / (size_t)c->alike * (size_t)c->alike * D,
               D * sizeof(float));
    }
    a.k = case_floats(G * M * D, 1, 2);
    a.v = case_floats(G * M * E, 1, 3);
    if (c->interleaved) {
        a.q_row_stride = (ptrdiff_t)(H * D), a.q_head_stride = (ptrdiff_t)D;
        a.k_row_stride = (ptrdiff_t)(G * D), a.k_head_stride = (ptrdiff_t)D;
        a.v_row_stride = (ptrdiff_t)(G * E), a.v_head_stride = (ptrdiff_t)E;
    }
    if (c->hide_some) {
        uint8_t *mask = malloc(M);
        assert_non_null(mask);
        for (size_t j = 0; j < M; j++) {
            mask[j] = j % 3 != 1 && !(j >= 64 && j < 134);
        }
        a.mask.key_mask = mask;
    }
    if (c->bias) {
        a.bias.fill = case_bias;
        a.bias.payload = (float *)(uintptr_t)&c->bias_level;
    }
    return a;
}

static inline void case_args_free(AttnArgs *a)
{
    free((void *)(uintptr_t)a->q);
    free((void *)(uintptr_t)a->k);
    free((void *)(uintptr_t)a->v);
    free((void *)(uintptr_t)a->mask.key_mask);
}

/* Room for every output, filled with a value that no result has. */
static inline Run run_make(const Case *c, const AttnArgs *args)
{
    Run run = {.args = *args, .shape = attn_summary_shape(args, c->summary_size)};
    size_t H = (size_t)args->n_heads;
    size_t M = (size_t)(args->n_keys ? args->n_keys : args->n_queries);
    size_t E = (size_t)(args->v_dim ? args->v_dim : args->head_dim);
    run.n_rows = H * (size_t)args->n_queries;
    run.n_o = run.n_rows * E;
    run.n_texels = H * (size_t)run.shape.n_texels;
    run.n_received = H * M;
    size_t total = run.n_o + 9 * run.n_rows + 2 * run.n_texels + run.n_received;
    run.memory = malloc(total * sizeof(float));
    assert_non_null(run.memory);
    for (size_t i = 0; i < total; i++) {
        run.memory[i] = -12345.0f;
    }
    float *next = run.memory;
    run.out.o = next, next += run.n_o;
    float **rows[] = {&run.out.row_max,          &run.out.row_log_sum,
                      &run.out.rows.entropy,     &run.out.rows.distance,
                      &run.out.rows.max_weight,  &run.out.rows.first_weight,
                      &run.out.rows.self_weight, &run.out.rows.prev_weight};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        *rows[i] = next, next += run.n_rows;
    }
    run.out.rows.max_key = (int32_t *)next, next += run.n_rows;
    run.out.summary_mean = next, next += run.n_texels;
    run.out.summary_max = next, next += run.n_texels;
    run.out.received = next;
    run.out.summary_size = c->summary_size;
    return run;
}

static inline void run_free(Run *run)
{
    free(run->memory);
}

static inline AttnCtx *case_ctx(AttnIsa isa, int n_threads)
{
    AttnCtx *ctx = NULL;
    char message[256] = "";
    AttnStatus status = attn_ctx_create(&(AttnCtxDesc){.n_threads = n_threads, .isa = isa}, &ctx,
                                        message, sizeof message);
    if (status != ATTN_OK) {
        fail_msg("%s", message);
    }
    return ctx;
}

/* assert_close that says which case, instruction set and array it is about. */
static inline void expect_close(const char *name, const char *isa, const char *what, const float *a,
                                const float *b, size_t n, double abs_tol, double rel_tol)
{
    for (size_t i = 0; i < n; i++) {
        double error = fabs((double)a[i] - (double)b[i]);
        if (a[i] != b[i] && !(error <= abs_tol + rel_tol * fabs((double)b[i]))) {
            print_error("case '%s', %s, %s:\n", name, isa, what);
            assert_close(a, b, n, abs_tol, rel_tol);
        }
    }
}

static inline void expect_same_bits(const char *name, const char *what, const void *a,
                                    const void *b, size_t bytes)
{
    if (memcmp(a, b, bytes) != 0) {
        fail_msg("case '%s': %s differs in its bits", name, what);
    }
}

#define CASE_COUNT(table) (sizeof(table) / sizeof((table)[0]))
