/*
 * DistilBERT (Sanh et al. 2019, arXiv:1910.01108): BERT without token types, under other names.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

static const ArchField FIELDS[] = {
    ARCH_INT(n_layers, "n_layers|num_hidden_layers", NULL, true, 1, ARCH_MAX_LAYERS, 0),
    ARCH_INT(width, "dim|hidden_size", NULL, true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(n_heads, "n_heads|num_attention_heads", NULL, true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(mlp_width, "hidden_dim", NULL, true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(vocabulary, "vocab_size", NULL, false, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(max_positions, "max_position_embeddings", NULL, true, 1, ARCH_MAX_SIZE, 0),
    ARCH_ACTIVATION("activation"),
    ARCH_HEAD_ACTIVATION("activation"),
    ARCH_BOOL(tied, "tie_word_embeddings", true),
    ARCH_FIELDS_END,
};

static const ArchTensor TENSORS[] = {
    {ROLE_TOKENS, 0, "embeddings.word_embeddings", NULL},
    {ROLE_POSITIONS, 0, "embeddings.position_embeddings", NULL},
    {ROLE_EMBEDDING_NORM, 0, "embeddings.LayerNorm", NULL},
    {ROLE_Q, 0, "transformer.layer.%d.attention.q_lin", NULL},
    {ROLE_K, 0, "transformer.layer.%d.attention.k_lin", NULL},
    {ROLE_V, 0, "transformer.layer.%d.attention.v_lin", NULL},
    {ROLE_O, 0, "transformer.layer.%d.attention.out_lin", NULL},
    {ROLE_ATTENTION_ADD_NORM, 0, "transformer.layer.%d.sa_layer_norm", NULL},
    {ROLE_UP, 0, "transformer.layer.%d.ffn.lin1", NULL},
    {ROLE_DOWN, 0, "transformer.layer.%d.ffn.lin2", NULL},
    {ROLE_MLP_ADD_NORM, 0, "transformer.layer.%d.output_layer_norm", NULL},
    {ROLE_HEAD_DENSE, ARCH_OPTIONAL | ARCH_NO_PREFIX, "vocab_transform", NULL},
    {ROLE_HEAD_NORM, ARCH_OPTIONAL | ARCH_NO_PREFIX, "vocab_layer_norm", NULL},
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "vocab_projector", NULL},
    {ROLE_HEAD_BIAS, ARCH_OPTIONAL | ARCH_NO_PREFIX | ARCH_NO_SUFFIX, "vocab_projector.bias", NULL},
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"", "distilbert.", NULL};

static bool finish(const ArchSource *source, ArchConfig *config, Error *err)
{
    (void)source;
    (void)err;
    config->norm_eps = 1e-12;
    return true;
}

const Arch ARCH_DISTILBERT = {
    .id = "distilbert",
    .family = "DistilBERT encoder",
    .model_types = "distilbert",
    .gguf_names = "", /* such files call themselves bert */
    .stack = MODEL_STACK_ENCODER,
    .positions = ARCH_POSITIONS_LEARNED,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_GELU,
    .head_needs_dense = true,
    .fields = FIELDS,
    .tensors = TENSORS,
    .prefixes = PREFIXES,
    .finish = finish,
};
