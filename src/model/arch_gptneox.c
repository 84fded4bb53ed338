/*
 * GPT-NeoX (Black et al. 2022, arXiv:2204.06745), Pythia among them: attention and MLP read the
 * same input, a part of each head turns, q, k and v of a head lie behind one another.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

static const ArchField FIELDS[] = {
    ARCH_USUAL_SIZES,
    ARCH_INT(max_positions, "max_position_embeddings", "context_length", false, 1, 1e9, 0),
    ARCH_REAL(norm_eps, "layer_norm_eps", "attention.layer_norm_epsilon", false, 0, 1, 1e-5),
    ARCH_REAL(rotary.theta, "rope_parameters.rope_theta|rotary_emb_base|rope_theta",
              "rope.freq_base", false, 1, 1e12, 10000),
    ARCH_REAL(rotary_fraction, "rope_parameters.partial_rotary_factor|rotary_pct", NULL, false,
              1e-3, 1, 0.25),
    ARCH_ACTIVATION("hidden_act"),
    ARCH_BOOL(parallel, "use_parallel_residual", true),
    ARCH_BOOL(tied, "tie_word_embeddings", false),
    ARCH_FIELDS_END,
};

#define QKV "layers.%d.attention.query_key_value"

static const ArchTensor TENSORS[] = {
    {ROLE_TOKENS, 0, "embed_in", "token_embd"},
    {ROLE_ATTENTION_NORM, 0, "layers.%d.input_layernorm", "blk.%d.attn_norm"},
    {ROLE_Q, ARCH_QKV_PER_HEAD, QKV, NULL},
    {ROLE_K, ARCH_QKV_PER_HEAD, QKV, NULL},
    {ROLE_V, ARCH_QKV_PER_HEAD, QKV, NULL},
    /* GGUF has all heads' q, then k, then v. */
    {ROLE_Q, ARCH_QKV_ROWS, NULL, "blk.%d.attn_qkv"},
    {ROLE_K, ARCH_QKV_ROWS, NULL, "blk.%d.attn_qkv"},
    {ROLE_V, ARCH_QKV_ROWS, NULL, "blk.%d.attn_qkv"},
    {ROLE_O, 0, "layers.%d.attention.dense", "blk.%d.attn_output"},
    {ROLE_MLP_NORM, 0, "layers.%d.post_attention_layernorm", "blk.%d.ffn_norm"},
    {ROLE_UP, 0, "layers.%d.mlp.dense_h_to_4h", "blk.%d.ffn_up"},
    {ROLE_DOWN, 0, "layers.%d.mlp.dense_4h_to_h", "blk.%d.ffn_down"},
    {ROLE_FINAL_NORM, 0, "final_layer_norm", "output_norm"},
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "embed_out", "output"},
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "lm_head", NULL},
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"gpt_neox.", "", NULL};

static bool finish(const ArchSource *source, ArchConfig *config, Error *err)
{
    double turned = 0;
    if (source->gguf) {
        config->rotary_fraction = 0;
        if (!arch_source_number(source, NULL, "rope.dimension_count", 2, ATTN_MAX_DIM, &turned,
                                err) ||
            !tensor_file_get_bool(source->gguf, "gptneox.use_parallel_residual", true,
                                  &config->parallel, err)) {
            return false;
        }
        config->rotary.width = (int32_t)turned;
    }
    return arch_finish_rotary(source, config, err);
}

const Arch ARCH_GPTNEOX = {
    .id = "gptneox",
    .family = "GPT-NeoX decoder",
    .model_types = "gpt_neox",
    .gguf_names = "gptneox",
    .stack = MODEL_STACK_DECODER,
    .positions = ARCH_POSITIONS_ROTARY,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_GELU,
    .fields = FIELDS,
    .tensors = TENSORS,
    .prefixes = PREFIXES,
    .finish = finish,
};
