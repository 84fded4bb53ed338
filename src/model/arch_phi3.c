/*
 * Phi-3 (Abdin et al. 2024, arXiv:2404.14219) and Phi-4: LLaMA-like, with q, k and v in one tensor
 * and gate and up in another.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

static const ArchField FIELDS[] = {
    ARCH_INT(n_layers, "num_hidden_layers", "block_count", true, 1, ARCH_MAX_LAYERS, 0),
    ARCH_INT(width, "hidden_size", "embedding_length", true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(n_heads, "num_attention_heads", "attention.head_count", true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(n_kv_heads, "num_key_value_heads", "attention.head_count_kv", false, 1, ARCH_MAX_SIZE,
             0),
    ARCH_INT(head_width, "head_dim", "attention.key_length", false, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(mlp_width, "intermediate_size", "feed_forward_length", true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(vocabulary, "vocab_size", "vocab_size", false, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(max_positions, "max_position_embeddings", "context_length", false, 1, 1e9, 0),
    ARCH_INT(window, "sliding_window", "attention.sliding_window", false, 0, 1e9, 0),
    ARCH_REAL(norm_eps, "rms_norm_eps", "attention.layer_norm_rms_epsilon", false, 0, 1, 1e-5),
    ARCH_REAL(rotary.theta, "rope_parameters.rope_theta|rope_theta", "rope.freq_base", false, 1,
              1e12, 10000),
    ARCH_REAL(rotary_fraction, "rope_parameters.partial_rotary_factor|partial_rotary_factor", NULL,
              false, 1e-3, 1, 1),
    ARCH_ACTIVATION("hidden_act"),
    ARCH_BOOL(tied, "tie_word_embeddings", false),
    ARCH_FIELDS_END,
};

static const ArchTensor TENSORS[] = {
    {ROLE_TOKENS, 0, "embed_tokens", "token_embd"},
    {ROLE_ATTENTION_NORM, 0, "layers.%d.input_layernorm", "blk.%d.attn_norm"},
    {ROLE_Q, ARCH_QKV_ROWS, "layers.%d.self_attn.qkv_proj", "blk.%d.attn_qkv"},
    {ROLE_K, ARCH_QKV_ROWS, "layers.%d.self_attn.qkv_proj", "blk.%d.attn_qkv"},
    {ROLE_V, ARCH_QKV_ROWS, "layers.%d.self_attn.qkv_proj", "blk.%d.attn_qkv"},
    {ROLE_O, 0, "layers.%d.self_attn.o_proj", "blk.%d.attn_output"},
    {ROLE_MLP_NORM, 0, "layers.%d.post_attention_layernorm", "blk.%d.ffn_norm"},
    {ROLE_GATE, ARCH_PAIR_ROWS, "layers.%d.mlp.gate_up_proj", "blk.%d.ffn_up"},
    {ROLE_UP, ARCH_PAIR_ROWS, "layers.%d.mlp.gate_up_proj", "blk.%d.ffn_up"},
    {ROLE_DOWN, 0, "layers.%d.mlp.down_proj", "blk.%d.ffn_down"},
    {ROLE_FINAL_NORM, 0, "norm", "output_norm"},
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "lm_head", "output"},
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"model.", "", NULL};

/* Longrope turns by other factors for short and for long texts and scales them. GGUF files keep
 * the factors as tensors. */
static bool finish(const ArchSource *source, ArchConfig *config, Error *err)
{
    double turned = 0;
    if (source->gguf) {
        if (!arch_source_number(source, NULL, "rope.dimension_count", 2, ATTN_MAX_DIM, &turned,
                                err)) {
            return false;
        }
        config->rotary.width = (int32_t)turned;
    }
    if (!arch_finish_rotary(source, config, err)) {
        return false;
    }
    if (config->rotary.scaling != ROTARY_SCALING_NONE ||
        (source->gguf && tensor_file_find(source->gguf, "rope_factors_short.weight"))) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: Phi-3 with scaled rotary positions (longrope, the 128k variants) is "
                         "not supported; the 4k variants are",
                         source->name);
    }
    return true;
}

const Arch ARCH_PHI3 = {
    .id = "phi3",
    .family = "Phi-3 decoder (LLaMA family, fused tensors)",
    .model_types = "phi3",
    .gguf_names = "phi3",
    .stack = MODEL_STACK_DECODER,
    .positions = ARCH_POSITIONS_ROTARY,
    .norm = NORM_RMS,
    .activation = ACTIVATION_SILU,
    .fields = FIELDS,
    .tensors = TENSORS,
    .prefixes = PREFIXES,
    .finish = finish,
};
