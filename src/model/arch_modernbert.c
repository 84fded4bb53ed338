/*
 * ModernBERT (Warner et al. 2024, arXiv:2412.13663): pre-norm encoder with rotary positions and
 * gated MLP; two layers of three see a window to both sides and turn by a theta of their own.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

#include <string.h>

static const ArchField FIELDS[] = {
    ARCH_USUAL_SIZES,
    ARCH_INT(max_positions, "max_position_embeddings", "context_length", false, 1, 1e9, 8192),
    ARCH_INT(window, "local_attention", NULL, false, 1, 1e9, 128),
    ARCH_REAL(norm_eps, "norm_eps", "attention.layer_norm_epsilon", false, 0, 1, 1e-5),
    ARCH_REAL(rotary.theta, "rope_parameters.full_attention.rope_theta|global_rope_theta",
              "rope.freq_base", false, 1, 1e12, 160000),
    ARCH_REAL(rotary_local_theta, "rope_parameters.sliding_attention.rope_theta|local_rope_theta",
              "rope.freq_base_swa", false, 1, 1e12, 10000),
    ARCH_ACTIVATION("hidden_activation"),
    ARCH_HEAD_ACTIVATION("classifier_activation"),
    ARCH_BOOL(tied, "tie_word_embeddings", true),
    ARCH_FIELDS_END,
};

static const ArchTensor TENSORS[] = {
    {ROLE_TOKENS, 0, "embeddings.tok_embeddings", "token_embd"},
    {ROLE_EMBEDDING_NORM, 0, "embeddings.norm", "token_embd_norm"},
    {ROLE_ATTENTION_NORM, ARCH_NOT_IN_FIRST, "layers.%d.attn_norm", "blk.%d.attn_norm"},
    {ROLE_Q, ARCH_QKV_ROWS, "layers.%d.attn.Wqkv", "blk.%d.attn_qkv"},
    {ROLE_K, ARCH_QKV_ROWS, "layers.%d.attn.Wqkv", "blk.%d.attn_qkv"},
    {ROLE_V, ARCH_QKV_ROWS, "layers.%d.attn.Wqkv", "blk.%d.attn_qkv"},
    {ROLE_O, 0, "layers.%d.attn.Wo", "blk.%d.attn_output"},
    {ROLE_MLP_NORM, 0, "layers.%d.mlp_norm", "blk.%d.ffn_norm"},
    {ROLE_GATE, ARCH_PAIR_ROWS, "layers.%d.mlp.Wi", "blk.%d.ffn_up"},
    {ROLE_UP, ARCH_PAIR_ROWS, "layers.%d.mlp.Wi", "blk.%d.ffn_up"},
    {ROLE_DOWN, 0, "layers.%d.mlp.Wo", "blk.%d.ffn_down"},
    {ROLE_FINAL_NORM, 0, "final_norm", "output_norm"},
    {ROLE_HEAD_DENSE, ARCH_OPTIONAL | ARCH_NO_PREFIX, "head.dense", NULL},
    {ROLE_HEAD_NORM, ARCH_OPTIONAL | ARCH_NO_PREFIX, "head.norm", NULL},
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "decoder", NULL},
    {ROLE_HEAD_BIAS, ARCH_OPTIONAL | ARCH_NO_PREFIX | ARCH_NO_SUFFIX, "decoder.bias", NULL},
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"model.", "", NULL};

/* Without a window a GGUF has none; it names an activation other than GELU. */
static bool read_gguf(const ArchSource *source, ArchConfig *config, Error *err)
{
    const char *name;
    size_t n;
    char text[32] = "gelu";
    double window = 0;
    if (!source->gguf) {
        return true;
    }
    if (!arch_source_number(source, NULL, "attention.sliding_window", 0, 1e9, &window, err) ||
        !arch_source_string(source, NULL, "hidden_activation", &name, &n, err)) {
        return false;
    }
    config->window = (int64_t)window;
    if (name && n < sizeof text) {
        memcpy(text, name, n);
        text[n] = 0;
    }
    if (n >= sizeof text || !activation_parse(text, &config->activation)) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: activation \"%.*s\" is not known; known are: %s", source->name,
                         (int)AS_MIN(n, (size_t)40), name, activation_known());
    }
    return true;
}

static bool finish(const ArchSource *source, ArchConfig *config, Error *err)
{
    const char *local;
    size_t n;
    double every = 3;
    config->window_symmetric = true;
    if (!arch_source_number(source, "global_attn_every_n_layers",
                            "attention.sliding_window_pattern", 1, ARCH_MAX_SIZE, &every, err) ||
        !read_gguf(source, config, err) ||
        !arch_source_string(source, "rope_parameters.sliding_attention.rope_type", NULL, &local, &n,
                            err) ||
        !arch_finish_rotary(source, config, err)) {
        return false;
    }
    if (config->rotary.scaling != ROTARY_SCALING_NONE || (local && strcmp(local, "default") != 0)) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: ModernBERT with scaled rotary positions is not supported",
                         source->name);
    }
    config->layers_listed = true;
    for (int64_t layer = 0; layer < config->n_layers; layer += (int64_t)every) {
        config->global_layers[layer / 64] |= UINT64_C(1) << (layer % 64);
    }
    if (arch_source_json(source, "layer_types")) {
        memset(config->global_layers, 0, sizeof config->global_layers);
    }
    return arch_finish_layer_types(source, config, err);
}

const Arch ARCH_MODERNBERT = {
    .id = "modernbert",
    .family = "ModernBERT encoder",
    .model_types = "modernbert",
    .gguf_names = "modern-bert",
    .stack = MODEL_STACK_ENCODER,
    .positions = ARCH_POSITIONS_ROTARY,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_GELU,
    .head_needs_dense = true,
    .fields = FIELDS,
    .tensors = TENSORS,
    .prefixes = PREFIXES,
    .finish = finish,
};
