#pragma once
/*
 * Tiny checkpoints with random weights, written by the tests, and the same model in float64 by
 * plain loops over whole matrices: nothing is shared with src/model but the names that transformers
 * gives to tensors, written down here once more.
 */
#include "testing.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "formats/safetensors_write.h"

enum { CP_MAX_TENSORS = 128, CP_L = 4 };

typedef enum CpFamily { CP_BERT, CP_GPT2, CP_LLAMA, CP_QWEN3, CP_GEMMA3 } CpFamily;

/** A model to write and to reckon. */
typedef struct CpModel {
    const char *label;
    CpFamily family;
    const char *model_type; /* of config.json */
    const char *prefix;     /* of base tensors */
    const char *more;       /* JSON members added to config.json, "" or ", \"a\": 1" */
    int L, H, G, D, C, F, V, P;
    DType dtype;         /* F32, F16 or BF16 */
    bool biases;         /* of q, k, v (LLaMA-like) */
    bool untied;         /* lm_head of its own */
    int window, pattern; /* 0 = none; every pattern-th layer is global, 0 = none is */
    double theta, local_theta;
} CpModel;

typedef struct CpTensor {
    char name[96];
    int64_t rows, columns; /* rows 0 = a vector */
    float *data;
} CpTensor;

typedef struct Checkpoint {
    CpModel m;
    CpTensor tensors[CP_MAX_TENSORS];
    int n_tensors;
    Random random;
    char folder[128];
} Checkpoint;

/* ---- making */

/* Bits of a float and back, by halves of a union: little endian. */
typedef union CpBits {
    float value;
    uint32_t word;
    uint16_t halves[2];
} CpBits;

/* Cut to what the type can hold: F16 has 10 bits after the point and no small numbers here. */
static inline float cp_round(float x, DType dtype)
{
    CpBits bits = {x};
    if (dtype == DTYPE_F16) {
        bits.word = fabsf(x) < 0x1p-14f ? 0 : bits.word & 0xFFFFE000u;
    } else if (dtype == DTYPE_BF16) {
        bits.halves[0] = 0;
    }
    return bits.value;
}

/* The bits of an F16 for a value that cp_round gave. */
static inline uint16_t cp_half(float x)
{
    const CpBits bits = {x};
    const uint32_t exponent = (bits.word >> 23 & 0xFF) - 127 + 15;
    return x == 0 ? 0
                  : (uint16_t)((bits.word >> 16 & 0x8000) | exponent << 10 |
                               (bits.word >> 13 & 0x3FF));
}

static inline void cp_add(Checkpoint *cp, int64_t rows, int64_t columns, double scale, double mean,
                          const char *prefix, const char *format, int layer, const char *suffix)
{
    CpTensor *t = &cp->tensors[cp->n_tensors++];
    assert_true(cp->n_tensors <= CP_MAX_TENSORS);
    char name[64];
    const char *mark = strchr(format, '#');
    if (mark) {
        snprintf(name, sizeof name, "%.*s%d%s", (int)(mark - format), format, layer, mark + 1);
    } else {
        snprintf(name, sizeof name, "%s", format);
    }
    snprintf(t->name, sizeof t->name, "%s%s%s", prefix, name, suffix);
    t->rows = rows;
    t->columns = columns;
    const size_t n = (size_t)(rows ? rows : 1) * (size_t)columns;
    t->data = malloc(n * sizeof *t->data);
    assert_non_null(t->data);
    for (size_t i = 0; i < n; i++) {
        t->data[i] = cp_round((float)(mean + scale * random_normal(&cp->random)), cp->m.dtype);
    }
}

/* Linear layer [out, in], GPT-2's transposed. */
static inline void cp_linear(Checkpoint *cp, int out, int in, bool bias, const char *format, int l)
{
    const bool transposed = cp->m.family == CP_GPT2;
    cp_add(cp, transposed ? in : out, transposed ? out : in, 1.5 / sqrt(in), 0, cp->m.prefix,
           format, l, ".weight");
    if (bias) {
        cp_add(cp, 0, out, 0.1, 0, cp->m.prefix, format, l, ".bias");
    }
}

static inline void cp_norm(Checkpoint *cp, int n, bool bias, const char *format, int l)
{
    const double mean = cp->m.family == CP_GEMMA3 ? 0 : 1;
    cp_add(cp, 0, n, 0.2, mean, cp->m.prefix, format, l, ".weight");
    if (bias) {
        cp_add(cp, 0, n, 0.1, 0, cp->m.prefix, format, l, ".bias");
    }
}

static inline void cp_table(Checkpoint *cp, int rows, const char *name)
{
    cp_add(cp, rows, cp->m.C, 1, 0, cp->m.prefix, name, 0, ".weight");
}

static inline void cp_make_bert(Checkpoint *cp)
{
    const CpModel *m = &cp->m;
    cp_table(cp, m->V, "embeddings.word_embeddings");
    cp_table(cp, m->P, "embeddings.position_embeddings");
    cp_table(cp, 2, "embeddings.token_type_embeddings");
    cp_norm(cp, m->C, true, "embeddings.LayerNorm", 0);
    for (int l = 0; l < m->L; l++) {
        cp_linear(cp, m->C, m->C, true, "encoder.layer.#.attention.self.query", l);
        cp_linear(cp, m->C, m->C, true, "encoder.layer.#.attention.self.key", l);
        cp_linear(cp, m->C, m->C, true, "encoder.layer.#.attention.self.value", l);
        cp_linear(cp, m->C, m->C, true, "encoder.layer.#.attention.output.dense", l);
        cp_norm(cp, m->C, true, "encoder.layer.#.attention.output.LayerNorm", l);
        cp_linear(cp, m->F, m->C, true, "encoder.layer.#.intermediate.dense", l);
        cp_linear(cp, m->C, m->F, true, "encoder.layer.#.output.dense", l);
        cp_norm(cp, m->C, true, "encoder.layer.#.output.LayerNorm", l);
    }
    if (m->untied) { /* stands for: with a masked-language head */
        cp_add(cp, m->C, m->C, 0.3, 0, "", "cls.predictions.transform.dense", 0, ".weight");
        cp_add(cp, 0, m->C, 0.1, 0, "", "cls.predictions.transform.dense", 0, ".bias");
        cp_add(cp, 0, m->C, 0.1, 1, "", "cls.predictions.transform.LayerNorm", 0, ".weight");
        cp_add(cp, 0, m->C, 0.1, 0, "", "cls.predictions.transform.LayerNorm", 0, ".bias");
        cp_add(cp, 0, m->V, 0.1, 0, "", "cls.predictions.bias", 0, "");
    }
}

static inline void cp_make_gpt2(Checkpoint *cp)
{
    const CpModel *m = &cp->m;
    cp_table(cp, m->V, "wte");
    cp_table(cp, m->P, "wpe");
    for (int l = 0; l < m->L; l++) {
        cp_norm(cp, m->C, true, "h.#.ln_1", l);
        cp_linear(cp, 3 * m->C, m->C, true, "h.#.attn.c_attn", l);
        cp_linear(cp, m->C, m->C, true, "h.#.attn.c_proj", l);
        cp_norm(cp, m->C, true, "h.#.ln_2", l);
        cp_linear(cp, m->F, m->C, true, "h.#.mlp.c_fc", l);
        cp_linear(cp, m->C, m->F, true, "h.#.mlp.c_proj", l);
    }
    cp_norm(cp, m->C, true, "ln_f", 0);
}

static inline void cp_make_llama(Checkpoint *cp)
{
    const CpModel *m = &cp->m;
    const bool gemma = m->family == CP_GEMMA3;
    cp_table(cp, m->V, "embed_tokens");
    for (int l = 0; l < m->L; l++) {
        cp_norm(cp, m->C, false, "layers.#.input_layernorm", l);
        cp_linear(cp, m->H * m->D, m->C, m->biases, "layers.#.self_attn.q_proj", l);
        cp_linear(cp, m->G * m->D, m->C, m->biases, "layers.#.self_attn.k_proj", l);
        cp_linear(cp, m->G * m->D, m->C, m->biases, "layers.#.self_attn.v_proj", l);
        cp_linear(cp, m->C, m->H * m->D, false, "layers.#.self_attn.o_proj", l);
        if (gemma || m->family == CP_QWEN3) {
            cp_norm(cp, m->D, false, "layers.#.self_attn.q_norm", l);
            cp_norm(cp, m->D, false, "layers.#.self_attn.k_norm", l);
        }
        cp_norm(cp, m->C, false, "layers.#.post_attention_layernorm", l);
        if (gemma) {
            cp_norm(cp, m->C, false, "layers.#.pre_feedforward_layernorm", l);
            cp_norm(cp, m->C, false, "layers.#.post_feedforward_layernorm", l);
        }
        cp_linear(cp, m->F, m->C, false, "layers.#.mlp.gate_proj", l);
        cp_linear(cp, m->F, m->C, false, "layers.#.mlp.up_proj", l);
        cp_linear(cp, m->C, m->F, false, "layers.#.mlp.down_proj", l);
    }
    cp_norm(cp, m->C, false, "norm", 0);
    if (m->untied) {
        cp_add(cp, m->V, m->C, 0.2, 0, "", "lm_head", 0, ".weight");
    }
}

static inline void cp_make(Checkpoint *cp, const CpModel *m)
{
    *cp = (Checkpoint){.m = *m, .random = {17}};
    switch (m->family) {
    case CP_BERT:
        cp_make_bert(cp);
        break;
    case CP_GPT2:
        cp_make_gpt2(cp);
        break;
    case CP_LLAMA:
    case CP_QWEN3:
    case CP_GEMMA3:
        cp_make_llama(cp);
        break;
    }
}

static inline void cp_free(Checkpoint *cp)
{
    char path[256];
    for (int i = 0; i < cp->n_tensors; i++) {
        free(cp->tensors[i].data);
    }
    if (cp->folder[0]) {
        snprintf(path, sizeof path, "%s/config.json", cp->folder);
        (void)unlink(path);
        snprintf(path, sizeof path, "%s/model.safetensors", cp->folder);
        (void)unlink(path);
        (void)rmdir(cp->folder);
    }
}

static inline CpTensor *cp_find(Checkpoint *cp, const char *name)
{
    for (int i = 0; i < cp->n_tensors; i++) {
        if (strcmp(cp->tensors[i].name, name) == 0) {
            return &cp->tensors[i];
        }
    }
    return NULL;
}

/* ---- writing */

static inline void cp_config(const CpModel *m, StrBuf *json)
{
    Error err = {0};
    static const char *const FORMS[] = {
        [CP_BERT] = "{\"model_type\": \"%s\", \"num_hidden_layers\": %d, "
                    "\"num_attention_heads\": %d, \"hidden_size\": %d, \"intermediate_size\": %d, "
                    "\"vocab_size\": %d, \"max_position_embeddings\": %d, \"type_vocab_size\": 2, "
                    "\"layer_norm_eps\": 1e-12, \"hidden_act\": \"gelu\"",
        [CP_GPT2] = "{\"model_type\": \"%s\", \"n_layer\": %d, \"n_head\": %d, \"n_embd\": %d, "
                    "\"n_inner\": %d, \"vocab_size\": %d, \"n_positions\": %d, "
                    "\"activation_function\": \"gelu_new\"",
        [CP_LLAMA] = "{\"model_type\": \"%s\", \"num_hidden_layers\": %d, "
                     "\"num_attention_heads\": %d, \"hidden_size\": %d, \"intermediate_size\": %d, "
                     "\"vocab_size\": %d, \"max_position_embeddings\": %d, \"rms_norm_eps\": 1e-6",
    };
    const char *form = FORMS[m->family > CP_LLAMA ? CP_LLAMA : m->family];
    assert_ok(strbuf_printf(json, &err, form, m->model_type, m->L, m->H, m->C, m->F, m->V, m->P),
              err);
    if (m->family >= CP_LLAMA) {
        assert_ok(strbuf_printf(json, &err,
                                ", \"num_key_value_heads\": %d, \"head_dim\": %d, "
                                "\"tie_word_embeddings\": %s, \"rope_theta\": %g",
                                m->G, m->D, m->untied ? "false" : "true", m->theta),
                  err);
    }
    if (m->window) {
        assert_ok(strbuf_printf(json, &err, ", \"sliding_window\": %d", m->window), err);
    }
    if (m->family == CP_GEMMA3) {
        assert_ok(strbuf_printf(json, &err,
                                ", \"sliding_window_pattern\": %d, \"rope_local_base_freq\": %g, "
                                "\"query_pre_attn_scalar\": 9, "
                                "\"hidden_activation\": \"gelu_pytorch_tanh\"",
                                m->pattern, m->local_theta),
                  err);
    }
    assert_ok(strbuf_printf(json, &err, "%s}", m->more), err);
}

static inline void *cp_bytes(const CpTensor *t, DType dtype, size_t *n_bytes)
{
    const size_t n = (size_t)(t->rows ? t->rows : 1) * (size_t)t->columns;
    *n_bytes = n * (dtype == DTYPE_F32 ? 4 : 2);
    unsigned char *bytes = malloc(*n_bytes);
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++) {
        const CpBits bits = {t->data[i]};
        const uint16_t half = dtype == DTYPE_F16 ? cp_half(bits.value) : bits.halves[1];
        if (dtype == DTYPE_F32) {
            memcpy(bytes + 4 * i, &bits.value, 4);
        } else {
            memcpy(bytes + 2 * i, &half, 2);
        }
    }
    return bytes;
}

/** Writes cp->folder/config.json and model.safetensors. */
static inline void cp_write(Checkpoint *cp)
{
    Error err = {0};
    StrBuf json = {0};
    char path[256];
    size_t numbers[CP_MAX_TENSORS];
    if (!cp->folder[0]) {
        strcpy(cp->folder, "/tmp/attnscope-test-XXXXXX");
        assert_non_null(mkdtemp(cp->folder));
    }
    cp_config(&cp->m, &json);
    snprintf(path, sizeof path, "%s/config.json", cp->folder);
    assert_ok(file_write_all(path, json.text, json.n, &err), err);
    strbuf_free(&json);
    SafetensorsWriter *w = safetensors_writer_create(&err);
    assert_ok(w, err);
    for (int i = 0; i < cp->n_tensors; i++) {
        const CpTensor *t = &cp->tensors[i];
        const int64_t shape[2] = {t->rows ? t->rows : t->columns, t->columns};
        assert_ok(safetensors_writer_declare(w, t->name, cp->m.dtype, t->rows ? 2 : 1, shape,
                                             &numbers[i], &err),
                  err);
    }
    snprintf(path, sizeof path, "%s/model.safetensors", cp->folder);
    assert_ok(safetensors_writer_open(w, path, &err), err);
    for (int i = 0; i < cp->n_tensors; i++) {
        size_t n;
        void *bytes = cp_bytes(&cp->tensors[i], cp->m.dtype, &n);
        assert_ok(safetensors_writer_put(w, numbers[i], 0, bytes, n, &err), err);
        free(bytes);
    }
    assert_ok(safetensors_writer_commit(w, &err), err);
    safetensors_writer_destroy(&w);
}
