/*
 * LLaMA (Touvron et al. 2023, arXiv:2302.13971) and the families that share its tensors: pre-norm
 * decoders with RMSNorm, rotary positions, gated MLP and grouped heads.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

#define COMMON_FIELDS                                                                              \
    ARCH_USUAL_SIZES,                                                                              \
        ARCH_INT(n_kv_heads, "num_key_value_heads", "attention.head_count_kv", false, 1,           \
                 ARCH_MAX_SIZE, 0),                                                                \
        ARCH_INT(head_width, "head_dim", "attention.key_length", false, 1, ARCH_MAX_SIZE, 0),      \
        ARCH_INT(max_positions, "max_position_embeddings", "context_length", false, 1, 1e9, 0),    \
        ARCH_REAL(norm_eps, "rms_norm_eps", "attention.layer_norm_rms_epsilon", false, 0, 1,       \
                  1e-6),                                                                           \
        ARCH_REAL(rotary.theta, "rope_parameters.rope_theta|rope_theta", "rope.freq_base", false,  \
                  1, 1e12, 10000),                                                                 \
        ARCH_ACTIVATION("hidden_act"), ARCH_BOOL(tied, "tie_word_embeddings", false)

static const ArchField FIELDS[] = {COMMON_FIELDS, ARCH_FIELDS_END};

/* Mistral (Jiang et al. 2023, arXiv:2310.06825): every layer sees a window, where there is one. */
static const ArchField WINDOW_FIELDS[] = {
    COMMON_FIELDS,
    ARCH_INT(window, "sliding_window", "attention.sliding_window", false, 0, 1e9, 0),
    ARCH_FIELDS_END,
};

#define COMMON_TENSORS                                                                             \
    {ROLE_TOKENS, 0, "embed_tokens", "token_embd"},                                                \
        {ROLE_ATTENTION_NORM, 0, "layers.%d.input_layernorm", "blk.%d.attn_norm"},                 \
        {ROLE_Q, 0, "layers.%d.self_attn.q_proj", "blk.%d.attn_q"},                                \
        {ROLE_K, 0, "layers.%d.self_attn.k_proj", "blk.%d.attn_k"},                                \
        {ROLE_V, 0, "layers.%d.self_attn.v_proj", "blk.%d.attn_v"},                                \
        {ROLE_O, 0, "layers.%d.self_attn.o_proj", "blk.%d.attn_output"},                           \
        {ROLE_MLP_NORM, 0, "layers.%d.post_attention_layernorm", "blk.%d.ffn_norm"},               \
        {ROLE_GATE, 0, "layers.%d.mlp.gate_proj", "blk.%d.ffn_gate"},                              \
        {ROLE_UP, 0, "layers.%d.mlp.up_proj", "blk.%d.ffn_up"},                                    \
        {ROLE_DOWN, 0, "layers.%d.mlp.down_proj", "blk.%d.ffn_down"},                              \
        {ROLE_FINAL_NORM, 0, "norm", "output_norm"},                                               \
        {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "lm_head", "output"},                          \
    {                                                                                              \
        ROLE_ROTARY_DIVISORS, ARCH_OPTIONAL, NULL, "rope_freqs"                                    \
    }

static const ArchTensor TENSORS[] = {COMMON_TENSORS, ARCH_TENSORS_END};

static const ArchTensor QWEN3_TENSORS[] = {
    COMMON_TENSORS,
    {ROLE_Q_NORM, 0, "layers.%d.self_attn.q_norm", "blk.%d.attn_q_norm"},
    {ROLE_K_NORM, 0, "layers.%d.self_attn.k_norm", "blk.%d.attn_k_norm"},
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"model.", "", "language_model.model.",
                                       "model.language_model.", NULL};

static bool finish_window(const ArchSource *source, ArchConfig *config, Error *err)
{
    return arch_finish_rotary(source, config, err) && arch_finish_layer_types(source, config, err);
}

/* Qwen writes sliding_window but uses it only where use_sliding_window says so, and then in the
 * layers from max_window_layers on. */
static bool finish_qwen(const ArchSource *source, ArchConfig *config, Error *err)
{
    bool used = source->gguf != NULL;
    double first = 28; /* where nothing says, as in transformers */
    if (!arch_source_bool(source, "use_sliding_window", &used, err) ||
        !arch_source_number(source, "max_window_layers", NULL, 0, ARCH_MAX_SIZE, &first, err)) {
        return false;
    }
    if (!used) {
        config->window = 0;
    }
    if (config->window > 0 && source->json) {
        config->layers_listed = true;
        for (int64_t layer = 0; layer < config->n_layers && (double)layer < first; layer++) {
            config->global_layers[layer / 64] |= UINT64_C(1) << (layer % 64);
        }
        if (arch_source_json(source, "layer_types")) {
            for (size_t i = 0; i < AS_COUNT(config->global_layers); i++) {
                config->global_layers[i] = 0;
            }
        }
    }
    return finish_window(source, config, err);
}

#define LLAMA_LIKE                                                                                 \
    .stack = MODEL_STACK_DECODER, .positions = ARCH_POSITIONS_ROTARY, .norm = NORM_RMS,            \
    .activation = ACTIVATION_SILU, .prefixes = PREFIXES

const Arch ARCH_LLAMA = {
    LLAMA_LIKE,
    .id = "llama",
    .family = "LLaMA family decoder",
    .model_types = "llama",
    .gguf_names = "llama",
    .fields = FIELDS,
    .tensors = TENSORS,
    .gguf = {.heads_interleaved = true},
    .finish = arch_finish_rotary,
};

const Arch ARCH_MISTRAL = {
    LLAMA_LIKE,
    .id = "mistral",
    .family = "Mistral decoder (LLaMA family, sliding window)",
    .model_types = "mistral",
    .gguf_names = "",
    .fields = WINDOW_FIELDS,
    .tensors = TENSORS,
    .finish = finish_window,
};

const Arch ARCH_QWEN2 = {
    LLAMA_LIKE,
    .id = "qwen2",
    .family = "Qwen 2 decoder (LLaMA family)",
    .model_types = "qwen2",
    .gguf_names = "qwen2",
    .fields = WINDOW_FIELDS,
    .tensors = TENSORS,
    .finish = finish_qwen,
};

const Arch ARCH_QWEN3 = {
    LLAMA_LIKE,
    .id = "qwen3",
    .family = "Qwen 3 decoder (LLaMA family, q and k norms)",
    .model_types = "qwen3",
    .gguf_names = "qwen3",
    .fields = WINDOW_FIELDS,
    .tensors = QWEN3_TENSORS,
    .finish = finish_qwen,
};
