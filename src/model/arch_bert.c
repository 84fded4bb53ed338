/*
 * BERT (Devlin et al. 2018, arXiv:1810.04805): post-norm encoder, learned positions, token types.
 * MiniLM and most sentence encoders are of this kind. RoBERTa (Liu et al. 2019, arXiv:1907.11692)
 * and XLM-RoBERTa (Conneau et al. 2019, arXiv:1911.02116) count positions from after the padding
 * token's id and name the head differently.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

#include <string.h>

#define COMMON_FIELDS                                                                              \
    ARCH_USUAL_SIZES,                                                                              \
        ARCH_INT(max_positions, "max_position_embeddings", "context_length", true, 1,              \
                 ARCH_MAX_SIZE, 0),                                                                \
        ARCH_INT(n_types, "type_vocab_size", "token_type_count", false, 0, ARCH_MAX_SIZE, 2),      \
        ARCH_REAL(norm_eps, "layer_norm_eps", "attention.layer_norm_epsilon", false, 0, 1, 1e-12), \
        ARCH_ACTIVATION("hidden_act"), ARCH_BOOL(tied, "tie_word_embeddings", true)

static const ArchField FIELDS[] = {
    COMMON_FIELDS,
    ARCH_HEAD_ACTIVATION("hidden_act"),
    ARCH_FIELDS_END,
};

static const ArchField ROBERTA_FIELDS[] = {
    COMMON_FIELDS,
    ARCH_INT(position_offset, "pad_token_id", NULL, false, 0, ARCH_MAX_SIZE, 1),
    ARCH_FIELDS_END,
};

#define COMMON_TENSORS                                                                             \
    {ROLE_TOKENS, 0, "embeddings.word_embeddings", "token_embd"},                                  \
        {ROLE_POSITIONS, 0, "embeddings.position_embeddings", "position_embd"},                    \
        {ROLE_TYPES, ARCH_OPTIONAL, "embeddings.token_type_embeddings", "token_types"},            \
        {ROLE_EMBEDDING_NORM, 0, "embeddings.LayerNorm", "token_embd_norm"},                       \
        {ROLE_Q, 0, "encoder.layer.%d.attention.self.query", "blk.%d.attn_q"},                     \
        {ROLE_K, 0, "encoder.layer.%d.attention.self.key", "blk.%d.attn_k"},                       \
        {ROLE_V, 0, "encoder.layer.%d.attention.self.value", "blk.%d.attn_v"},                     \
        {ROLE_O, 0, "encoder.layer.%d.attention.output.dense", "blk.%d.attn_output"},              \
        {ROLE_ATTENTION_ADD_NORM, 0, "encoder.layer.%d.attention.output.LayerNorm",                \
         "blk.%d.attn_output_norm"},                                                               \
        {ROLE_UP, 0, "encoder.layer.%d.intermediate.dense", "blk.%d.ffn_up"},                      \
        {ROLE_DOWN, 0, "encoder.layer.%d.output.dense", "blk.%d.ffn_down"},                        \
    {                                                                                              \
        ROLE_MLP_ADD_NORM, 0, "encoder.layer.%d.output.LayerNorm", "blk.%d.layer_output_norm"      \
    }

static const ArchTensor TENSORS[] = {
    COMMON_TENSORS,
    {ROLE_HEAD_DENSE, ARCH_OPTIONAL | ARCH_NO_PREFIX, "cls.predictions.transform.dense", NULL},
    {ROLE_HEAD_NORM, ARCH_OPTIONAL | ARCH_NO_PREFIX, "cls.predictions.transform.LayerNorm", NULL},
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "cls.predictions.decoder", NULL},
    {ROLE_HEAD_BIAS, ARCH_OPTIONAL | ARCH_NO_PREFIX | ARCH_NO_SUFFIX, "cls.predictions.bias", NULL},
    ARCH_TENSORS_END,
};

static const ArchTensor ROBERTA_TENSORS[] = {
    COMMON_TENSORS,
    {ROLE_HEAD_DENSE, ARCH_OPTIONAL | ARCH_NO_PREFIX, "lm_head.dense", NULL},
    {ROLE_HEAD_NORM, ARCH_OPTIONAL | ARCH_NO_PREFIX, "lm_head.layer_norm", NULL},
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "lm_head.decoder", NULL},
    {ROLE_HEAD_BIAS, ARCH_OPTIONAL | ARCH_NO_PREFIX | ARCH_NO_SUFFIX, "lm_head.bias", NULL},
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"", "bert.", NULL};
static const char *const ROBERTA_PREFIXES[] = {"", "roberta.", NULL};

static bool finish(const ArchSource *source, ArchConfig *config, Error *err)
{
    const char *positions;
    size_t n;
    bool decoder = false;
    (void)config;
    if (!arch_source_string(source, "position_embedding_type", NULL, &positions, &n, err) ||
        !arch_source_bool(source, "is_decoder", &decoder, err)) {
        return false;
    }
    if (positions && strcmp(positions, "absolute") != 0) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: position_embedding_type \"%.40s\" of BERT is not supported, only "
                         "\"absolute\"",
                         source->name, positions);
    }
    if (decoder) {
        return error_set(err, ERR_UNSUPPORTED, "%s: BERT as a decoder is not supported",
                         source->name);
    }
    return true;
}

/* Position 0 lies behind the padding token's row. The head's activation is always GELU. GGUF files
 * call themselves bert and have the rows before position 0 cut off. */
static bool finish_roberta(const ArchSource *source, ArchConfig *config, Error *err)
{
    config->position_offset += 1;
    config->pads_unplaced = true;
    if (config->max_positions <= config->position_offset) {
        return error_set(
            err, ERR_FORMAT, "%s: max_position_embeddings is %lld, but positions begin at %lld",
            source->name, (long long)config->max_positions, (long long)config->position_offset);
    }
    config->max_positions -= config->position_offset;
    return finish(source, config, err);
}

#define BERT_LIKE                                                                                  \
    .stack = MODEL_STACK_ENCODER, .positions = ARCH_POSITIONS_LEARNED, .norm = NORM_LAYER,         \
    .activation = ACTIVATION_GELU, .head_needs_dense = true

const Arch ARCH_BERT = {
    BERT_LIKE,
    .id = "bert",
    .family = "BERT encoder",
    .model_types = "bert",
    .gguf_names = "bert",
    .fields = FIELDS,
    .tensors = TENSORS,
    .prefixes = PREFIXES,
    .finish = finish,
};

const Arch ARCH_ROBERTA = {
    BERT_LIKE,
    .id = "roberta",
    .family = "RoBERTa encoder",
    .model_types = "roberta|xlm-roberta|camembert",
    .gguf_names = "",
    .fields = ROBERTA_FIELDS,
    .tensors = ROBERTA_TENSORS,
    .prefixes = ROBERTA_PREFIXES,
    .finish = finish_roberta,
};
