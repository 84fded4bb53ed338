/*
 * OPT (Zhang et al. 2022, arXiv:2205.01068): pre-norm decoder with ReLU; its position table begins
 * with two rows that no position uses. The one of 350 million weights is post-norm, and its
 * embeddings are narrower than its layers.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

static const ArchField FIELDS[] = {
    ARCH_INT(n_layers, "num_hidden_layers", NULL, true, 1, ARCH_MAX_LAYERS, 0),
    ARCH_INT(width, "hidden_size", NULL, true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(embedding_width, "word_embed_proj_dim", NULL, false, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(n_heads, "num_attention_heads", NULL, true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(mlp_width, "ffn_dim", NULL, true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(vocabulary, "vocab_size", NULL, false, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(max_positions, "max_position_embeddings", NULL, true, 1, ARCH_MAX_SIZE, 0),
    ARCH_ACTIVATION("activation_function"),
    ARCH_BOOL(tied, "tie_word_embeddings", true),
    ARCH_FIELDS_END,
};

static const ArchTensor TENSORS[] = {
    {ROLE_TOKENS, 0, "embed_tokens", NULL},
    {ROLE_POSITIONS, 0, "embed_positions", NULL},
    {ROLE_PROJECT_IN, ARCH_OPTIONAL, "project_in", NULL},
    {ROLE_PROJECT_OUT, ARCH_OPTIONAL, "project_out", NULL},
    {ROLE_ATTENTION_NORM, ARCH_NORM_BEFORE, "layers.%d.self_attn_layer_norm", NULL},
    {ROLE_ATTENTION_ADD_NORM, ARCH_NORM_AFTER, "layers.%d.self_attn_layer_norm", NULL},
    {ROLE_Q, 0, "layers.%d.self_attn.q_proj", NULL},
    {ROLE_K, 0, "layers.%d.self_attn.k_proj", NULL},
    {ROLE_V, 0, "layers.%d.self_attn.v_proj", NULL},
    {ROLE_O, 0, "layers.%d.self_attn.out_proj", NULL},
    {ROLE_MLP_NORM, ARCH_NORM_BEFORE, "layers.%d.final_layer_norm", NULL},
    {ROLE_MLP_ADD_NORM, ARCH_NORM_AFTER, "layers.%d.final_layer_norm", NULL},
    {ROLE_UP, 0, "layers.%d.fc1", NULL},
    {ROLE_DOWN, 0, "layers.%d.fc2", NULL},
    {ROLE_FINAL_NORM, ARCH_NORM_BEFORE, "final_layer_norm", NULL},
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "lm_head", NULL},
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"model.decoder.", "decoder.", "", NULL};

static bool finish(const ArchSource *source, ArchConfig *config, Error *err)
{
    bool before = true, no_final = false, affine = true;
    config->position_offset = 2;
    config->norm_eps = 1e-5;
    if (!arch_source_bool(source, "do_layer_norm_before", &before, err) ||
        !arch_source_bool(source, "_remove_final_layer_norm", &no_final, err) ||
        !arch_source_bool(source, "layer_norm_elementwise_affine", &affine, err)) {
        return false;
    }
    if ((before && no_final) || !affine) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: OPT with _remove_final_layer_norm true or "
                         "layer_norm_elementwise_affine false is not supported",
                         source->name);
    }
    config->norm_after = !before;
    return true;
}

const Arch ARCH_OPT = {
    .id = "opt",
    .family = "OPT decoder",
    .model_types = "opt",
    .gguf_names = "",
    .stack = MODEL_STACK_DECODER,
    .positions = ARCH_POSITIONS_LEARNED,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_RELU,
    .fields = FIELDS,
    .tensors = TENSORS,
    .prefixes = PREFIXES,
    .finish = finish,
};
