/*
 * BART (Lewis et al. 2019, arXiv:1910.13461): post-norm encoder and decoder with learned positions
 * that begin at row 2. Marian (Junczys-Dowmunt et al. 2018, arXiv:1804.00344) in the form of its
 * translation models: the same layers, positions as sines, no norm of the embeddings.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

#include <math.h>

#define ENCODER_SIZES                                                                              \
    ARCH_INT(n_layers, "encoder_layers|num_hidden_layers", NULL, true, 1, ARCH_MAX_LAYERS, 0),     \
        ARCH_INT(n_heads, "encoder_attention_heads", NULL, true, 1, ARCH_MAX_SIZE, 0),             \
        ARCH_INT(mlp_width, "encoder_ffn_dim", NULL, true, 1, ARCH_MAX_SIZE, 0),                   \
        ARCH_INT(vocabulary, "vocab_size", NULL, true, 1, ARCH_MAX_SIZE, 0)

#define DECODER_SIZES                                                                              \
    ARCH_INT(n_layers, "decoder_layers|num_hidden_layers", NULL, true, 1, ARCH_MAX_LAYERS, 0),     \
        ARCH_INT(n_heads, "decoder_attention_heads", NULL, true, 1, ARCH_MAX_SIZE, 0),             \
        ARCH_INT(mlp_width, "decoder_ffn_dim", NULL, true, 1, ARCH_MAX_SIZE, 0),                   \
        ARCH_INT(vocabulary, "decoder_vocab_size|vocab_size", NULL, true, 1, ARCH_MAX_SIZE, 0),    \
        ARCH_INT(start_token, "decoder_start_token_id|bos_token_id|pad_token_id", NULL, true, 0,   \
                 ARCH_MAX_SIZE, 0)

#define COMMON_FIELDS                                                                              \
    ARCH_INT(width, "d_model|hidden_size", NULL, true, 1, ARCH_MAX_SIZE, 0),                       \
        ARCH_INT(max_positions, "max_position_embeddings", NULL, false, 1, ARCH_MAX_SIZE, 1024),   \
        ARCH_ACTIVATION("activation_function"), ARCH_BOOL(tied, "tie_word_embeddings", true)

static const ArchField ENCODER_FIELDS[] = {ENCODER_SIZES, COMMON_FIELDS, ARCH_FIELDS_END};
static const ArchField DECODER_FIELDS[] = {DECODER_SIZES, COMMON_FIELDS, ARCH_FIELDS_END};

#define LAYER_TENSORS(side)                                                                        \
    {ROLE_Q, 0, side ".layers.%d.self_attn.q_proj", NULL},                                         \
        {ROLE_K, 0, side ".layers.%d.self_attn.k_proj", NULL},                                     \
        {ROLE_V, 0, side ".layers.%d.self_attn.v_proj", NULL},                                     \
        {ROLE_O, 0, side ".layers.%d.self_attn.out_proj", NULL},                                   \
        {ROLE_ATTENTION_ADD_NORM, 0, side ".layers.%d.self_attn_layer_norm", NULL},                \
        {ROLE_UP, 0, side ".layers.%d.fc1", NULL}, {ROLE_DOWN, 0, side ".layers.%d.fc2", NULL},    \
    {                                                                                              \
        ROLE_MLP_ADD_NORM, 0, side ".layers.%d.final_layer_norm", NULL                             \
    }

#define CROSS_TENSORS                                                                              \
    {ROLE_CROSS_Q, 0, "decoder.layers.%d.encoder_attn.q_proj", NULL},                              \
        {ROLE_CROSS_K, 0, "decoder.layers.%d.encoder_attn.k_proj", NULL},                          \
        {ROLE_CROSS_V, 0, "decoder.layers.%d.encoder_attn.v_proj", NULL},                          \
        {ROLE_CROSS_O, 0, "decoder.layers.%d.encoder_attn.out_proj", NULL},                        \
    {                                                                                              \
        ROLE_CROSS_ADD_NORM, 0, "decoder.layers.%d.encoder_attn_layer_norm", NULL                  \
    }

#define HEAD_TENSORS                                                                               \
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "lm_head", NULL},                                  \
    {                                                                                              \
        ROLE_HEAD_BIAS, ARCH_OPTIONAL | ARCH_NO_PREFIX | ARCH_NO_SUFFIX, "final_logits_bias", NULL \
    }

/* Where encoder and decoder have vocabularies of their own, each has its table. */
#define TOKEN_TENSORS(side)                                                                        \
    {ROLE_TOKENS, 0, "shared", NULL},                                                              \
    {                                                                                              \
        ROLE_TOKENS, 0, side ".embed_tokens", NULL                                                 \
    }

static const ArchTensor BART_ENCODER_TENSORS[] = {
    TOKEN_TENSORS("encoder"),
    {ROLE_POSITIONS, 0, "encoder.embed_positions", NULL},
    {ROLE_EMBEDDING_NORM, 0, "encoder.layernorm_embedding", NULL},
    LAYER_TENSORS("encoder"),
    ARCH_TENSORS_END,
};

static const ArchTensor BART_DECODER_TENSORS[] = {
    TOKEN_TENSORS("decoder"),
    {ROLE_POSITIONS, 0, "decoder.embed_positions", NULL},
    {ROLE_EMBEDDING_NORM, 0, "decoder.layernorm_embedding", NULL},
    LAYER_TENSORS("decoder"),
    CROSS_TENSORS,
    HEAD_TENSORS,
    ARCH_TENSORS_END,
};

static const ArchTensor MARIAN_ENCODER_TENSORS[] = {
    TOKEN_TENSORS("encoder"),
    LAYER_TENSORS("encoder"),
    ARCH_TENSORS_END,
};

static const ArchTensor MARIAN_DECODER_TENSORS[] = {
    TOKEN_TENSORS("decoder"), LAYER_TENSORS("decoder"), CROSS_TENSORS, HEAD_TENSORS,
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"model.", "", NULL};

static bool finish_common(const ArchSource *source, ArchConfig *config, Error *err)
{
    bool scaled = false;
    double end = -1;
    config->norm_eps = 1e-5;
    if (!arch_source_bool(source, "scale_embedding", &scaled, err) ||
        !arch_source_number(source, "eos_token_id", NULL, 0, ARCH_MAX_SIZE, &end, err)) {
        return false;
    }
    config->embedding_scale = scaled ? sqrt((double)config->width) : 0;
    config->end_token = (int64_t)end;
    config->forced_first = config->barred_token = -1;
    return true;
}

static bool finish_bart(const ArchSource *source, ArchConfig *config, Error *err)
{
    double forced = -1;
    if (!finish_common(source, config, err) ||
        !arch_source_number(source, "forced_bos_token_id", NULL, 0, ARCH_MAX_SIZE, &forced, err)) {
        return false;
    }
    config->position_offset = 2;
    config->forced_first = (int64_t)forced;
    return true;
}

/* Marian's padding token begins the target and is never predicted. */
static bool finish_marian(const ArchSource *source, ArchConfig *config, Error *err)
{
    double barred = -1;
    if (!finish_common(source, config, err) ||
        !arch_source_number(source, "pad_token_id", NULL, 0, ARCH_MAX_SIZE, &barred, err)) {
        return false;
    }
    config->barred_token = (int64_t)barred;
    return true;
}

static const Arch BART_ENCODER = {
    .id = "bart",
    .family = "BART encoder",
    .gguf_names = "",
    .stack = MODEL_STACK_ENCODER,
    .positions = ARCH_POSITIONS_LEARNED,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_GELU,
    .fields = ENCODER_FIELDS,
    .tensors = BART_ENCODER_TENSORS,
    .prefixes = PREFIXES,
    .finish = finish_bart,
};

const Arch ARCH_BART = {
    .id = "bart",
    .family = "BART encoder-decoder",
    .model_types = "bart",
    .gguf_names = "",
    .stack = MODEL_STACK_DECODER,
    .positions = ARCH_POSITIONS_LEARNED,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_GELU,
    .fields = DECODER_FIELDS,
    .tensors = BART_DECODER_TENSORS,
    .prefixes = PREFIXES,
    .encoder = &BART_ENCODER,
    .finish = finish_bart,
};

static const Arch MARIAN_ENCODER = {
    .id = "marian",
    .family = "Marian encoder",
    .gguf_names = "",
    .stack = MODEL_STACK_ENCODER,
    .positions = ARCH_POSITIONS_SINUSOID,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_GELU,
    .fields = ENCODER_FIELDS,
    .tensors = MARIAN_ENCODER_TENSORS,
    .prefixes = PREFIXES,
    .finish = finish_marian,
};

const Arch ARCH_MARIAN = {
    .id = "marian",
    .family = "Marian encoder-decoder (translation)",
    .model_types = "marian",
    .gguf_names = "",
    .stack = MODEL_STACK_DECODER,
    .positions = ARCH_POSITIONS_SINUSOID,
    .norm = NORM_LAYER,
    .activation = ACTIVATION_GELU,
    .fields = DECODER_FIELDS,
    .tensors = MARIAN_DECODER_TENSORS,
    .prefixes = PREFIXES,
    .encoder = &MARIAN_ENCODER,
    .finish = finish_marian,
};
