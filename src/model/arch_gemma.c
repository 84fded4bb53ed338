/*
 * Gemma, text: LLaMA-like, with norms on both sides of attention and MLP, embeddings scaled by
 * sqrt(C), and layers with a window between those that see everything. Gemma 2 (Gemma Team 2024,
 * arXiv:2408.00118): every second layer has the window, scores and logits are capped. Gemma 3
 * (Gemma Team 2025, arXiv:2503.19786): five of six have it and turn by a theta of their own, q and
 * k have norms.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

#include <math.h>
#include <stdio.h>

#define COMMON_FIELDS                                                                              \
    ARCH_USUAL_SIZES,                                                                              \
        ARCH_INT(n_kv_heads, "num_key_value_heads", "attention.head_count_kv", false, 1,           \
                 ARCH_MAX_SIZE, 0),                                                                \
        ARCH_INT(head_width, "head_dim", "attention.key_length", false, 1, ARCH_MAX_SIZE, 256),    \
        ARCH_INT(window, "sliding_window", "attention.sliding_window", false, 0, 1e9, 4096),       \
        ARCH_REAL(norm_eps, "rms_norm_eps", "attention.layer_norm_rms_epsilon", false, 0, 1,       \
                  1e-6),                                                                           \
        ARCH_ACTIVATION("hidden_activation"), ARCH_BOOL(tied, "tie_word_embeddings", true)

static const ArchField GEMMA2_FIELDS[] = {
    COMMON_FIELDS,
    ARCH_INT(max_positions, "max_position_embeddings", "context_length", false, 1, 1e9, 8192),
    ARCH_REAL(rotary.theta, "rope_parameters.rope_theta|rope_theta", "rope.freq_base", false, 1,
              1e12, 10000),
    ARCH_REAL(score_cap, "attn_logit_softcapping", "attn_logit_softcapping", false, 0, 1e6, 50),
    ARCH_REAL(logit_cap, "final_logit_softcapping", "final_logit_softcapping", false, 0, 1e6, 30),
    ARCH_FIELDS_END,
};

static const ArchField GEMMA3_FIELDS[] = {
    COMMON_FIELDS,
    ARCH_INT(max_positions, "max_position_embeddings", "context_length", false, 1, 1e9, 131072),
    ARCH_INT(window_pattern, "sliding_window_pattern", NULL, false, 1, 1e9, 6),
    ARCH_REAL(rotary.theta, "rope_parameters.full_attention.rope_theta|rope_theta",
              "rope.freq_base", false, 1, 1e12, 1000000),
    ARCH_REAL(rotary_local_theta,
              "rope_parameters.sliding_attention.rope_theta|rope_local_base_freq",
              "rope.freq_base_swa", false, 1, 1e12, 10000),
    ARCH_REAL(score_cap, "attn_logit_softcapping", "attn_logit_softcapping", false, 0, 1e6, 0),
    ARCH_REAL(logit_cap, "final_logit_softcapping", "final_logit_softcapping", false, 0, 1e6, 0),
    ARCH_FIELDS_END,
};

#define COMMON_TENSORS                                                                             \
    {ROLE_TOKENS, 0, "embed_tokens", "token_embd"},                                                \
        {ROLE_ATTENTION_NORM, 0, "layers.%d.input_layernorm", "blk.%d.attn_norm"},                 \
        {ROLE_Q, 0, "layers.%d.self_attn.q_proj", "blk.%d.attn_q"},                                \
        {ROLE_K, 0, "layers.%d.self_attn.k_proj", "blk.%d.attn_k"},                                \
        {ROLE_V, 0, "layers.%d.self_attn.v_proj", "blk.%d.attn_v"},                                \
        {ROLE_O, 0, "layers.%d.self_attn.o_proj", "blk.%d.attn_output"},                           \
        {ROLE_ATTENTION_OUT_NORM, 0, "layers.%d.post_attention_layernorm",                         \
         "blk.%d.post_attention_norm"},                                                            \
        {ROLE_MLP_NORM, 0, "layers.%d.pre_feedforward_layernorm", "blk.%d.ffn_norm"},              \
        {ROLE_GATE, 0, "layers.%d.mlp.gate_proj", "blk.%d.ffn_gate"},                              \
        {ROLE_UP, 0, "layers.%d.mlp.up_proj", "blk.%d.ffn_up"},                                    \
        {ROLE_DOWN, 0, "layers.%d.mlp.down_proj", "blk.%d.ffn_down"},                              \
        {ROLE_MLP_OUT_NORM, 0, "layers.%d.post_feedforward_layernorm", "blk.%d.post_ffw_norm"},    \
        {ROLE_FINAL_NORM, 0, "norm", "output_norm"},                                               \
    {                                                                                              \
        ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "lm_head", "output"                             \
    }

static const ArchTensor GEMMA2_TENSORS[] = {COMMON_TENSORS, ARCH_TENSORS_END};

static const ArchTensor GEMMA3_TENSORS[] = {
    COMMON_TENSORS,
    {ROLE_Q_NORM, 0, "layers.%d.self_attn.q_norm", "blk.%d.attn_q_norm"},
    {ROLE_K_NORM, 0, "layers.%d.self_attn.k_norm", "blk.%d.attn_k_norm"},
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"model.", "", "language_model.model.",
                                       "model.language_model.", NULL};

/* The score scale is 1 / sqrt(query_pre_attn_scalar). GGUF does not carry that number: it is the
 * head width but for the 27B models of either generation, known by their number of layers. */
static bool finish_scales(const ArchSource *source, ArchConfig *config, int64_t layers_of_27b,
                          Error *err)
{
    double scalar = source->json ? 256 : 0;
    if (!arch_source_number(source, "query_pre_attn_scalar", NULL, 1e-6, 1e9, &scalar, err)) {
        return false;
    }
    if (source->gguf && config->n_layers == layers_of_27b) {
        scalar = (double)config->width / (double)config->n_heads;
    }
    config->score_scale = scalar > 0 ? 1.0 / sqrt(scalar) : 0;
    config->embedding_scale = sqrt((double)config->width);
    return true;
}

/* GGUF tells layer by layer which have the window, or every how many one has not. Older files do
 * not say; then it is as in the published models. */
static bool finish_gguf_pattern(const ArchSource *source, ArchConfig *config, Arena *scratch,
                                Error *err)
{
    char key[96];
    int64_t *items;
    size_t n;
    snprintf(key, sizeof key, "%.*s.attention.sliding_window_pattern",
             (int)AS_MIN(source->prefix_n, (size_t)40), source->prefix);
    if (!tensor_file_get_ints(source->gguf, key, scratch, &items, &n, err)) {
        return false;
    }
    if (n == 0) {
        return true;
    }
    const MetaValue *meta = tensor_file_meta(source->gguf, key);
    if (!meta->is_array) {
        config->window_pattern = AS_MAX(items[0], 0);
        return true;
    }
    if (n != (size_t)config->n_layers) {
        return error_set(err, ERR_FORMAT, "%s: %s has %zu layers, expected %lld", source->name, key,
                         n, (long long)config->n_layers);
    }
    config->layers_listed = true;
    for (size_t i = 0; i < n; i++) {
        config->global_layers[i / 64] |= items[i] ? 0 : UINT64_C(1) << (i % 64);
    }
    return true;
}

static bool finish_pattern(const ArchSource *source, ArchConfig *config, Error *err)
{
    Arena scratch = {0};
    const bool ok = source->gguf ? finish_gguf_pattern(source, config, &scratch, err)
                                 : arch_finish_layer_types(source, config, err);
    arena_destroy(&scratch);
    return ok;
}

static bool refuse_both_ways(const ArchSource *source, Error *err)
{
    bool both_ways = false;
    if (!arch_source_bool(source, "use_bidirectional_attention", &both_ways, err)) {
        return false;
    }
    if (both_ways) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: Gemma with use_bidirectional_attention is not supported",
                         source->name);
    }
    return true;
}

/* "key": null switches a cap off; without the key the fallback of the field stands. */
static void read_null_cap(const ArchSource *source, const char *key, double *cap)
{
    if (source->json && cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(source->json->text, key))) {
        *cap = 0;
    }
}

static bool finish_gemma2(const ArchSource *source, ArchConfig *config, Error *err)
{
    config->window_pattern = 2;
    read_null_cap(source, "attn_logit_softcapping", &config->score_cap);
    read_null_cap(source, "final_logit_softcapping", &config->logit_cap);
    if (!refuse_both_ways(source, err) || !finish_scales(source, config, 46, err) ||
        !arch_finish_rotary(source, config, err)) {
        return false;
    }
    return finish_pattern(source, config, err);
}

static bool finish_gemma3(const ArchSource *source, ArchConfig *config, Error *err)
{
    return refuse_both_ways(source, err) && finish_scales(source, config, 62, err) &&
           arch_finish_rotary(source, config, err) && finish_pattern(source, config, err);
}

#define GEMMA_LIKE                                                                                 \
    .stack = MODEL_STACK_DECODER, .positions = ARCH_POSITIONS_ROTARY, .norm = NORM_RMS,            \
    .activation = ACTIVATION_GELU_TANH, .prefixes = PREFIXES, .safetensors = {.norm_offset = 1}

const Arch ARCH_GEMMA2 = {
    GEMMA_LIKE,
    .id = "gemma2",
    .family = "Gemma 2 decoder",
    .model_types = "gemma2",
    .gguf_names = "gemma2",
    .fields = GEMMA2_FIELDS,
    .tensors = GEMMA2_TENSORS,
    .finish = finish_gemma2,
};

const Arch ARCH_GEMMA3 = {
    GEMMA_LIKE,
    .id = "gemma3",
    .family = "Gemma 3 decoder",
    .model_types = "gemma3_text|gemma3",
    .gguf_names = "gemma3",
    .fields = GEMMA3_FIELDS,
    .tensors = GEMMA3_TENSORS,
    .finish = finish_gemma3,
};
