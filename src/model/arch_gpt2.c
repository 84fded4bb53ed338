/*
 * GPT-2 (Radford et al. 2019): pre-norm decoder, learned positions, q, k and v in one tensor.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

static const ArchField FIELDS[] = {
    ARCH_INT(n_layers, "n_layer|num_hidden_layers", "block_count", true, 1, ARCH_MAX_LAYERS, 0),
    ARCH_INT(width, "n_embd|hidden_size", "embedding_length", true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(n_heads, "n_head|num_attention_heads", "attention.head_count", true, 1, ARCH_MAX_SIZE,
             0),
    ARCH_INT(mlp_width, "n_inner", "feed_forward_length", false, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(vocabulary, "vocab_size", "vocab_size", false, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(max_positions, "n_positions|n_ctx|max_position_embeddings", "context_length", true, 1,
             ARCH_MAX_SIZE, 0),
    ARCH_REAL(norm_eps, "layer_norm_epsilon", "attention.layer_norm_epsilon", false, 0, 1, 1e-5),
    ARCH_ACTIVATION("activation_function"),
    ARCH_BOOL(tied, "tie_word_embeddings", true),
    ARCH_FIELDS_END,
};

static const ArchTensor TENSORS[] = {
    {ROLE_TOKENS, 0, "wte", "token_embd"},
    {ROLE_POSITIONS, 0, "wpe", "position_embd"},
    {ROLE_ATTENTION_NORM, 0, "h.%d.ln_1", "blk.%d.attn_norm"},
    {ROLE_Q, ARCH_QKV_ROWS | ARCH_IN_OUT_HF, "h.%d.attn.c_attn", "blk.%d.attn_qkv"},
    {ROLE_K, ARCH_QKV_ROWS | ARCH_IN_OUT_HF, "h.%d.attn.c_attn", "blk.%d.attn_qkv"},
    {ROLE_V, ARCH_QKV_ROWS | ARCH_IN_OUT_HF, "h.%d.attn.c_attn", "blk.%d.attn_qkv"},
    {ROLE_O, ARCH_IN_OUT_HF, "h.%d.attn.c_proj", "blk.%d.attn_output"},
    {ROLE_MLP_NORM, 0, "h.%d.ln_2", "blk.%d.ffn_norm"},
    {ROLE_UP, ARCH_IN_OUT_HF, "h.%d.mlp.c_fc", "blk.%d.ffn_up"},
    {ROLE_DOWN, ARCH_IN_OUT_HF, "h.%d.mlp.c_proj", "blk.%d.ffn_down"},
    {ROLE_FINAL_NORM, 0, "ln_f", "output_norm"},
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "lm_head", "output"},
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"", "transformer.", NULL};

static bool finish(const ArchSource *source, ArchConfig *config, Error *err)
{
    bool scaled = true, by_layer = false;
    (void)config;
    if (!arch_source_bool(source, "scale_attn_weights", &scaled, err) ||
        !arch_source_bool(source, "scale_attn_by_inverse_layer_idx", &by_layer, err)) {
        return false;
    }
    if (!scaled || by_layer) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: scale_attn_weights false or scale_attn_by_inverse_layer_idx true is "
                         "not supported",
                         source->name);
    }
    return true;
}

const Arch ARCH_GPT2 = {
    .id = "gpt2",
    .family = "GPT-2 decoder",
    .model_types = "gpt2",
    .gguf_names = "gpt2",
    .stack = MODEL_STACK_DECODER,
    .positions = ARCH_POSITIONS_LEARNED,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_GELU_TANH,
    .fields = FIELDS,
    .tensors = TENSORS,
    .prefixes = PREFIXES,
    .finish = finish,
};
