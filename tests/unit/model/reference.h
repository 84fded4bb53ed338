#pragma once
/*
 * A checkpoint's forward pass in float64, whole matrices, one thread.
 */
#include "checkpoint.h"

/** What a run gives; freed with ref_free. */
typedef struct Reference {
    int N;
    double *x;       /* [N, C] residual stream */
    double *weights; /* [L, H, N, N] */
    double *hidden;  /* [L + 1, N, C] */
    double *logits;  /* [N, V] or NULL */
} Reference;

/** What to change; zero is the plain run. */
typedef struct RefChange {
    double temperature; /* 0 = 1 */
    int mask;           /* 0 auto, 1 causal, 2 none */
    int ablated_layer, ablated_head;
    bool ablate;
    bool one_layer; /* change layer `layer` only */
    int layer;
} RefChange;

static inline double *ref_alloc(size_t n)
{
    double *x = calloc(n ? n : 1, sizeof *x);
    assert_non_null(x);
    return x;
}

static inline const float *ref_get(Checkpoint *cp, const char *prefix, const char *format, int l,
                                   const char *suffix)
{
    char name[128], base[96];
    const char *mark = strchr(format, '#');
    if (mark) {
        snprintf(base, sizeof base, "%.*s%d%s", (int)(mark - format), format, l, mark + 1);
    } else {
        snprintf(base, sizeof base, "%s", format);
    }
    snprintf(name, sizeof name, "%s%s%s", prefix, base, suffix);
    CpTensor *t = cp_find(cp, name);
    return t ? t->data : NULL;
}

/* y [n, out] = x [n, in] W^T + b; rows [first, first + out) of a fused, transposed W of `total`. */
static inline void ref_matmul(const double *x, int n, int in, const float *w, const float *b,
                              int out, int total, int first, bool transposed, double *y)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < out; j++) {
            double sum = b ? (double)b[first + j] : 0;
            for (int k = 0; k < in; k++) {
                sum += x[i * in + k] *
                       (double)(transposed ? w[k * total + first + j] : w[(first + j) * in + k]);
            }
            y[i * out + j] = sum;
        }
    }
}

static inline double *ref_linear(Checkpoint *cp, const double *x, int n, int in, int out,
                                 const char *format, int l)
{
    const char *p = cp->m.prefix;
    double *y = ref_alloc((size_t)n * (size_t)out);
    ref_matmul(x, n, in, ref_get(cp, p, format, l, ".weight"), ref_get(cp, p, format, l, ".bias"),
               out, out, 0, cp->m.family == CP_GPT2, y);
    return y;
}

/* Norm of rows in place; RMS without mean for the LLaMA families. */
static inline void ref_norm_raw(double *x, int n, int width, const float *w, const float *b,
                                bool rms, double offset, double eps)
{
    for (int i = 0; i < n; i++) {
        double *row = x + (ptrdiff_t)i * width, mean = 0, square = 0;
        for (int j = 0; j < width && !rms; j++) {
            mean += row[j] / width;
        }
        for (int j = 0; j < width; j++) {
            square += (row[j] - mean) * (row[j] - mean) / width;
        }
        for (int j = 0; j < width; j++) {
            row[j] = (row[j] - mean) / sqrt(square + eps) * ((double)w[j] + offset) +
                     (b ? (double)b[j] : 0);
        }
    }
}

static inline void ref_norm(Checkpoint *cp, double *x, int n, int width, const char *format, int l)
{
    const char *p = cp->m.prefix;
    const bool rms = cp->m.family >= CP_LLAMA;
    ref_norm_raw(x, n, width, ref_get(cp, p, format, l, ".weight"),
                 ref_get(cp, p, format, l, ".bias"), rms, cp->m.family == CP_GEMMA3 ? 1 : 0,
                 rms                       ? 1e-6
                 : cp->m.family == CP_GPT2 ? 1e-5
                                           : 1e-12);
}

static inline void ref_rotate(double *x, int n, int heads, int d, double theta)
{
    for (int p = 0; p < n; p++) {
        for (int h = 0; h < heads; h++) {
            double *v = x + ((ptrdiff_t)p * heads + h) * d;
            for (int i = 0; i < d / 2; i++) {
                const double angle = p * pow(theta, -2.0 * i / d);
                const double a = v[i], b = v[i + d / 2];
                v[i] = a * cos(angle) - b * sin(angle);
                v[i + d / 2] = b * cos(angle) + a * sin(angle);
            }
        }
    }
}

static inline bool ref_global(const CpModel *m, int l)
{
    return !m->window || (m->pattern > 0 && (l + 1) % m->pattern == 0);
}

/* o [n, H * d]; weights [H, n, n]. q [n, H, d], k and v [n, G, d]. */
static inline void ref_attention(const CpModel *m, int n, int l, const double *q, const double *k,
                                 const double *v, const RefChange *change, double *weights,
                                 double *o)
{
    const double t = change->temperature > 0 ? change->temperature : 1;
    const double scale = (m->family == CP_GEMMA3 ? 1 / sqrt(9.0) : 1 / sqrt((double)m->D)) / t;
    const bool causal = change->mask == 1 || (change->mask == 0 && m->family != CP_BERT);
    const bool windowed = change->mask != 2 && !ref_global(m, l);
    for (int h = 0; h < m->H; h++) {
        const int g = h / (m->H / m->G);
        for (int i = 0; i < n; i++) {
            double *w = weights + ((ptrdiff_t)h * n + i) * n, sum = 0, max = -INFINITY;
            for (int j = 0; j < n; j++) {
                w[j] = -INFINITY;
                if ((causal && j > i) || (windowed && j <= i - m->window)) {
                    continue;
                }
                w[j] = 0;
                for (int d = 0; d < m->D; d++) {
                    w[j] += scale * q[((ptrdiff_t)i * m->H + h) * m->D + d] *
                            k[((ptrdiff_t)j * m->G + g) * m->D + d];
                }
                max = w[j] > max ? w[j] : max;
            }
            for (int j = 0; j < n; j++) {
                w[j] = exp(w[j] - max);
                sum += w[j];
            }
            for (int j = 0; j < n; j++) {
                w[j] /= sum;
                for (int d = 0; d < m->D; d++) {
                    o[((ptrdiff_t)i * m->H + h) * m->D + d] +=
                        w[j] * v[((ptrdiff_t)j * m->G + g) * m->D + d];
                }
            }
        }
    }
    for (int i = 0; change->ablate && change->ablated_layer == l && i < n; i++) {
        memset(o + ((ptrdiff_t)i * m->H + change->ablated_head) * m->D, 0,
               (size_t)m->D * sizeof *o);
    }
}

static inline double ref_activate(CpFamily family, double x)
{
    if (family == CP_BERT) {
        return 0.5 * x * (1 + erf(x / sqrt(2.0)));
    }
    if (family == CP_GPT2 || family == CP_GEMMA3) {
        return 0.5 * x * (1 + tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
    }
    return x / (1 + exp(-x));
}

/* Names of a family's parts; NULL = it has none. */
typedef struct RefNames {
    const char *q, *k, *v, *o, *in_norm, *out_norm, *mlp_norm, *mlp_out_norm, *gate, *up, *down;
    bool post; /* out_norm and mlp_out_norm come after the residual */
} RefNames;

static inline RefNames ref_names(CpFamily family)
{
    if (family == CP_BERT) {
        return (RefNames){.q = "encoder.layer.#.attention.self.query",
                          .k = "encoder.layer.#.attention.self.key",
                          .v = "encoder.layer.#.attention.self.value",
                          .o = "encoder.layer.#.attention.output.dense",
                          .out_norm = "encoder.layer.#.attention.output.LayerNorm",
                          .mlp_out_norm = "encoder.layer.#.output.LayerNorm",
                          .up = "encoder.layer.#.intermediate.dense",
                          .down = "encoder.layer.#.output.dense",
                          .post = true};
    }
    if (family == CP_GPT2) {
        return (RefNames){.o = "h.#.attn.c_proj",
                          .in_norm = "h.#.ln_1",
                          .mlp_norm = "h.#.ln_2",
                          .up = "h.#.mlp.c_fc",
                          .down = "h.#.mlp.c_proj"};
    }
    RefNames names = {.q = "layers.#.self_attn.q_proj",
                      .k = "layers.#.self_attn.k_proj",
                      .v = "layers.#.self_attn.v_proj",
                      .o = "layers.#.self_attn.o_proj",
                      .in_norm = "layers.#.input_layernorm",
                      .mlp_norm = "layers.#.post_attention_layernorm",
                      .gate = "layers.#.mlp.gate_proj",
                      .up = "layers.#.mlp.up_proj",
                      .down = "layers.#.mlp.down_proj"};
    if (family == CP_GEMMA3) {
        names.out_norm = "layers.#.post_attention_layernorm";
        names.mlp_norm = "layers.#.pre_feedforward_layernorm";
        names.mlp_out_norm = "layers.#.post_feedforward_layernorm";
    }
    return names;
}

static inline double *ref_copy(const double *x, size_t n)
{
    double *y = ref_alloc(n);
    memcpy(y, x, n * sizeof *x);
    return y;
}

/* x += y, with a norm before or after; frees y. */
static inline void ref_residual(Checkpoint *cp, double *x, double *y, int n, const char *norm,
                                bool post, int l)
{
    const int width = cp->m.C;
    if (norm && !post) {
        ref_norm(cp, y, n, width, norm, l);
    }
    for (int i = 0; i < n * width; i++) {
        x[i] += y[i];
    }
    if (norm && post) {
        ref_norm(cp, x, n, width, norm, l);
    }
    free(y);
}

static inline void ref_qkv(Checkpoint *cp, const double *h, int n, int l, double *qkv[3])
{
    const CpModel *m = &cp->m;
    const RefNames names = ref_names(m->family);
    if (m->family == CP_GPT2) {
        for (int i = 0; i < 3; i++) {
            qkv[i] = ref_alloc((size_t)(n * m->C));
            ref_matmul(h, n, m->C, ref_get(cp, m->prefix, "h.#.attn.c_attn", l, ".weight"),
                       ref_get(cp, m->prefix, "h.#.attn.c_attn", l, ".bias"), m->C, 3 * m->C,
                       i * m->C, true, qkv[i]);
        }
        return;
    }
    qkv[0] = ref_linear(cp, h, n, m->C, m->H * m->D, names.q, l);
    qkv[1] = ref_linear(cp, h, n, m->C, m->G * m->D, names.k, l);
    qkv[2] = ref_linear(cp, h, n, m->C, m->G * m->D, names.v, l);
    if (m->family >= CP_QWEN3) {
        ref_norm(cp, qkv[0], n * m->H, m->D, "layers.#.self_attn.q_norm", l);
        ref_norm(cp, qkv[1], n * m->G, m->D, "layers.#.self_attn.k_norm", l);
    }
    if (m->family >= CP_LLAMA) {
        const bool local = m->local_theta > 0 && !ref_global(m, l);
        ref_rotate(qkv[0], n, m->H, m->D, local ? m->local_theta : m->theta);
        ref_rotate(qkv[1], n, m->G, m->D, local ? m->local_theta : m->theta);
    }
}

static inline void ref_layer(Checkpoint *cp, Reference *r, int l, const RefChange *change)
{
    const CpModel *m = &cp->m;
    const RefNames names = ref_names(m->family);
    const int n = r->N;
    double *qkv[3], *o = ref_alloc((size_t)(n * m->H * m->D));
    double *h = ref_copy(r->x, (size_t)(n * m->C));
    if (names.in_norm) {
        ref_norm(cp, h, n, m->C, names.in_norm, l);
    }
    ref_qkv(cp, h, n, l, qkv);
    ref_attention(m, n, l, qkv[0], qkv[1], qkv[2], change, r->weights + (ptrdiff_t)l * m->H * n * n,
                  o);
    ref_residual(cp, r->x, ref_linear(cp, o, n, m->H * m->D, m->C, names.o, l), n, names.out_norm,
                 names.post, l);
    memcpy(h, r->x, (size_t)(n * m->C) * sizeof *h);
    if (names.mlp_norm) {
        ref_norm(cp, h, n, m->C, names.mlp_norm, l);
    }
    double *up = ref_linear(cp, h, n, m->C, m->F, names.up, l);
    double *gate = names.gate ? ref_linear(cp, h, n, m->C, m->F, names.gate, l) : NULL;
    for (int i = 0; i < n * m->F; i++) {
        up[i] = gate ? ref_activate(m->family, gate[i]) * up[i] : ref_activate(m->family, up[i]);
    }
    ref_residual(cp, r->x, ref_linear(cp, up, n, m->F, m->C, names.down, l), n, names.mlp_out_norm,
                 names.post, l);
    for (int i = 0; i < 3; i++) {
        free(qkv[i]);
    }
    free(o);
    free(h);
    free(up);
    free(gate);
}

static inline void ref_embed(Checkpoint *cp, Reference *r, const int32_t *ids, const int32_t *types)
{
    const CpModel *m = &cp->m;
    static const char *const TOKENS[] = {"embeddings.word_embeddings", "wte", "embed_tokens"};
    static const char *const PLACES[] = {"embeddings.position_embeddings", "wpe"};
    const float *token =
        ref_get(cp, m->prefix, TOKENS[m->family > CP_LLAMA ? 2 : m->family], 0, ".weight");
    const float *place =
        m->family < CP_LLAMA ? ref_get(cp, m->prefix, PLACES[m->family], 0, ".weight") : NULL;
    const float *type = ref_get(cp, m->prefix, "embeddings.token_type_embeddings", 0, ".weight");
    for (int i = 0; i < r->N; i++) {
        for (int c = 0; c < m->C; c++) {
            double x = (double)token[ids[i] * m->C + c];
            x *= m->family == CP_GEMMA3 ? sqrt((double)m->C) : 1;
            x += place ? (double)place[i * m->C + c] : 0;
            x += type ? (double)type[(types ? types[i] : 0) * m->C + c] : 0;
            r->x[i * m->C + c] = x;
        }
    }
    if (m->family == CP_BERT) {
        ref_norm(cp, r->x, r->N, m->C, "embeddings.LayerNorm", 0);
    }
}

static inline void ref_head(Checkpoint *cp, Reference *r)
{
    const CpModel *m = &cp->m;
    const char *tokens = m->family == CP_BERT   ? "embeddings.word_embeddings"
                         : m->family == CP_GPT2 ? "wte"
                                                : "embed_tokens";
    const float *w = ref_get(cp, m->prefix, tokens, 0, ".weight");
    double *h = ref_copy(r->x, (size_t)(r->N * m->C));
    if (m->family == CP_BERT) {
        static const char DENSE[] = "cls.predictions.transform.dense";
        static const char NORM[] = "cls.predictions.transform.LayerNorm";
        ref_matmul(r->x, r->N, m->C, ref_get(cp, "", DENSE, 0, ".weight"),
                   ref_get(cp, "", DENSE, 0, ".bias"), m->C, m->C, 0, false, h);
        for (int i = 0; i < r->N * m->C; i++) {
            h[i] = ref_activate(m->family, h[i]);
        }
        ref_norm_raw(h, r->N, m->C, ref_get(cp, "", NORM, 0, ".weight"),
                     ref_get(cp, "", NORM, 0, ".bias"), false, 0, 1e-12);
    } else {
        ref_norm(cp, h, r->N, m->C, m->family == CP_GPT2 ? "ln_f" : "norm", 0);
        w = m->untied ? ref_get(cp, "", "lm_head", 0, ".weight") : w;
    }
    r->logits = ref_alloc((size_t)(r->N * m->V));
    ref_matmul(h, r->N, m->C, w, ref_get(cp, "", "cls.predictions.bias", 0, ""), m->V, m->V, 0,
               false, r->logits);
    free(h);
}

static inline void ref_run(Checkpoint *cp, const int32_t *ids, const int32_t *types, int n,
                           const RefChange *change, Reference *r)
{
    const CpModel *m = &cp->m;
    const RefChange none = {0};
    const size_t state = (size_t)(n * m->C);
    *r = (Reference){.N = n};
    r->x = ref_alloc(state);
    r->weights = ref_alloc((size_t)m->L * (size_t)m->H * (size_t)(n * n));
    r->hidden = ref_alloc((size_t)(m->L + 1) * state);
    ref_embed(cp, r, ids, types);
    memcpy(r->hidden, r->x, state * sizeof *r->x);
    for (int l = 0; l < m->L; l++) {
        const bool here = change && (!change->one_layer || change->layer == l);
        ref_layer(cp, r, l, here ? change : &none);
        memcpy(r->hidden + (size_t)(l + 1) * state, r->x, state * sizeof *r->x);
    }
    if (m->family != CP_BERT || m->untied) {
        ref_head(cp, r);
    }
}

static inline void ref_free(Reference *r)
{
    free(r->x);
    free(r->weights);
    free(r->hidden);
    free(r->logits);
}
