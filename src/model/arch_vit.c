/*
 * ViT (Dosovitskiy et al. 2020, arXiv:2010.11929): a pre-norm encoder whose tokens are the patches
 * of a picture behind a [CLS] token; a classifier reads the latter.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

static const ArchField FIELDS[] = {
    ARCH_INT(n_layers, "num_hidden_layers", NULL, true, 1, ARCH_MAX_LAYERS, 0),
    ARCH_INT(width, "hidden_size", NULL, true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(n_heads, "num_attention_heads", NULL, true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(mlp_width, "intermediate_size", NULL, true, 1, ARCH_MAX_SIZE, 0),
    ARCH_INT(image_side, "image_size", NULL, false, 1, 8192, 224),
    ARCH_INT(patch_side, "patch_size", NULL, false, 1, 1024, 16),
    ARCH_INT(n_channels, "num_channels", NULL, false, 1, 16, 3),
    ARCH_REAL(norm_eps, "layer_norm_eps", NULL, false, 0, 1, 1e-12),
    ARCH_ACTIVATION("hidden_act"),
    ARCH_FIELDS_END,
};

static const ArchTensor TENSORS[] = {
    {ROLE_PATCHES, 0, "embeddings.patch_embeddings.projection", NULL},
    {ROLE_CLASS, ARCH_NO_SUFFIX, "embeddings.cls_token", NULL},
    {ROLE_POSITIONS, ARCH_NO_SUFFIX, "embeddings.position_embeddings", NULL},
    /* as transformers 5 names them, then as most files have them */
    {ROLE_ATTENTION_NORM, 0, "encoder.layer.%d.layernorm_before", NULL},
    {ROLE_ATTENTION_NORM, 0, "layers.%d.layernorm_before", NULL},
    {ROLE_Q, 0, "encoder.layer.%d.attention.attention.query", NULL},
    {ROLE_Q, 0, "layers.%d.attention.q_proj", NULL},
    {ROLE_K, 0, "encoder.layer.%d.attention.attention.key", NULL},
    {ROLE_K, 0, "layers.%d.attention.k_proj", NULL},
    {ROLE_V, 0, "encoder.layer.%d.attention.attention.value", NULL},
    {ROLE_V, 0, "layers.%d.attention.v_proj", NULL},
    {ROLE_O, 0, "encoder.layer.%d.attention.output.dense", NULL},
    {ROLE_O, 0, "layers.%d.attention.o_proj", NULL},
    {ROLE_MLP_NORM, 0, "encoder.layer.%d.layernorm_after", NULL},
    {ROLE_MLP_NORM, 0, "layers.%d.layernorm_after", NULL},
    {ROLE_UP, 0, "encoder.layer.%d.intermediate.dense", NULL},
    {ROLE_UP, 0, "layers.%d.mlp.fc1", NULL},
    {ROLE_DOWN, 0, "encoder.layer.%d.output.dense", NULL},
    {ROLE_DOWN, 0, "layers.%d.mlp.fc2", NULL},
    {ROLE_FINAL_NORM, 0, "layernorm", NULL},
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "classifier", NULL},
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"vit.", "", NULL};

static bool finish(const ArchSource *source, ArchConfig *config, Error *err)
{
    if (config->n_channels != 3 || config->image_side % config->patch_side != 0) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: pictures of %lld channels and %lld pixels a side in patches of %lld; "
                         "3 channels and whole patches can be run",
                         source->name, (long long)config->n_channels, (long long)config->image_side,
                         (long long)config->patch_side);
    }
    const int64_t across = config->image_side / config->patch_side;
    config->max_positions = across * across + 1;
    return true;
}

const Arch ARCH_VIT = {
    .id = "vit",
    .family = "ViT image encoder",
    .model_types = "vit",
    .gguf_names = "",
    .stack = MODEL_STACK_ENCODER,
    .positions = ARCH_POSITIONS_LEARNED,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_GELU,
    .fields = FIELDS,
    .tensors = TENSORS,
    .prefixes = PREFIXES,
    .finish = finish,
};
