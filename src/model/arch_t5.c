/*
 * T5 (Raffel et al. 2019, arXiv:1910.10683), its version 1.1 and Flan-T5: pre-norm encoder and
 * decoder with RMS norms, scores without a scale but with a learned term by distance, MLPs with or
 * without a gate.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

#include <math.h>
#include <string.h>

#define COMMON_FIELDS                                                                              \
    ARCH_INT(width, "d_model", "embedding_length", true, 1, ARCH_MAX_SIZE, 0),                     \
        ARCH_INT(n_heads, "num_heads", "attention.head_count", true, 1, ARCH_MAX_SIZE, 0),         \
        ARCH_INT(head_width, "d_kv", "attention.key_length", false, 1, ARCH_MAX_SIZE, 64),         \
        ARCH_INT(mlp_width, "d_ff", "feed_forward_length", true, 1, ARCH_MAX_SIZE, 0),             \
        ARCH_INT(vocabulary, "vocab_size", "vocab_size", false, 1, ARCH_MAX_SIZE, 0),              \
        ARCH_INT(distance_buckets, "relative_attention_num_buckets",                               \
                 "attention.relative_buckets_count", false, 4, 65536, 32),                         \
        ARCH_INT(furthest_distance, "relative_attention_max_distance", NULL, false, 2, 1e9, 128),  \
        ARCH_INT(start_token, "decoder_start_token_id|pad_token_id", "decoder_start_token_id",     \
                 false, 0, ARCH_MAX_SIZE, 0),                                                      \
        ARCH_REAL(norm_eps, "layer_norm_epsilon", "attention.layer_norm_rms_epsilon", false, 0, 1, \
                  1e-6),                                                                           \
        ARCH_BOOL(tied, "tie_word_embeddings", true)

static const ArchField ENCODER_FIELDS[] = {
    ARCH_INT(n_layers, "num_layers", "block_count", true, 1, ARCH_MAX_LAYERS, 0),
    COMMON_FIELDS,
    ARCH_FIELDS_END,
};

static const ArchField DECODER_FIELDS[] = {
    ARCH_INT(n_layers, "num_decoder_layers|num_layers", "block_count", true, 1, ARCH_MAX_LAYERS, 0),
    COMMON_FIELDS,
    ARCH_FIELDS_END,
};

/* mlp: number of the sublayer. A gated MLP has wi_0 and wi_1, the other one wi. */
#define LAYER_TENSORS(side, gguf, mlp)                                                             \
    {ROLE_TOKENS, ARCH_NO_PREFIX, "shared", "token_embd"},                                         \
        {ROLE_TOKENS, ARCH_NO_PREFIX, side ".embed_tokens", NULL},                                 \
        {ROLE_DISTANCE_BIAS, ARCH_NO_PREFIX,                                                       \
         side ".block.0.layer.0.SelfAttention.relative_attention_bias", gguf ".blk.0.attn_rel_b"}, \
        {ROLE_ATTENTION_NORM, ARCH_NO_PREFIX, side ".block.%d.layer.0.layer_norm",                 \
         gguf ".blk.%d.attn_norm"},                                                                \
        {ROLE_Q, ARCH_NO_PREFIX, side ".block.%d.layer.0.SelfAttention.q", gguf ".blk.%d.attn_q"}, \
        {ROLE_K, ARCH_NO_PREFIX, side ".block.%d.layer.0.SelfAttention.k", gguf ".blk.%d.attn_k"}, \
        {ROLE_V, ARCH_NO_PREFIX, side ".block.%d.layer.0.SelfAttention.v", gguf ".blk.%d.attn_v"}, \
        {ROLE_O, ARCH_NO_PREFIX, side ".block.%d.layer.0.SelfAttention.o", gguf ".blk.%d.attn_o"}, \
        {ROLE_MLP_NORM, ARCH_NO_PREFIX, side ".block.%d.layer." mlp ".layer_norm",                 \
         gguf ".blk.%d.ffn_norm"},                                                                 \
        {ROLE_GATE, ARCH_NO_PREFIX | ARCH_OPTIONAL,                                                \
         side ".block.%d.layer." mlp ".DenseReluDense.wi_0", gguf ".blk.%d.ffn_gate"},             \
        {ROLE_UP, ARCH_NO_PREFIX, side ".block.%d.layer." mlp ".DenseReluDense.wi_1",              \
         gguf ".blk.%d.ffn_up"},                                                                   \
        {ROLE_UP, ARCH_NO_PREFIX, side ".block.%d.layer." mlp ".DenseReluDense.wi", NULL},         \
        {ROLE_DOWN, ARCH_NO_PREFIX, side ".block.%d.layer." mlp ".DenseReluDense.wo",              \
         gguf ".blk.%d.ffn_down"},                                                                 \
    {                                                                                              \
        ROLE_FINAL_NORM, ARCH_NO_PREFIX, side ".final_layer_norm", gguf ".output_norm"             \
    }

static const ArchTensor ENCODER_TENSORS[] = {
    LAYER_TENSORS("encoder", "enc", "1"),
    ARCH_TENSORS_END,
};

#define CROSS(name) "decoder.block.%d.layer.1." name
static const ArchTensor DECODER_TENSORS[] = {
    LAYER_TENSORS("decoder", "dec", "2"),
    {ROLE_CROSS_NORM, ARCH_NO_PREFIX, CROSS("layer_norm"), "dec.blk.%d.cross_attn_norm"},
    {ROLE_CROSS_Q, ARCH_NO_PREFIX, CROSS("EncDecAttention.q"), "dec.blk.%d.cross_attn_q"},
    {ROLE_CROSS_K, ARCH_NO_PREFIX, CROSS("EncDecAttention.k"), "dec.blk.%d.cross_attn_k"},
    {ROLE_CROSS_V, ARCH_NO_PREFIX, CROSS("EncDecAttention.v"), "dec.blk.%d.cross_attn_v"},
    {ROLE_CROSS_O, ARCH_NO_PREFIX, CROSS("EncDecAttention.o"), "dec.blk.%d.cross_attn_o"},
    {ROLE_HEAD, ARCH_OPTIONAL | ARCH_NO_PREFIX, "lm_head", "output"},
    ARCH_TENSORS_END,
};

static const char *const PREFIXES[] = {"", NULL};

/* "gated-gelu" is the tanh form of GELU with a gate; "relu", "gated-silu" say what they are.
 * Whether there is a gate is told by the tensors, and in GGUF the activation too. */
static bool read_activation(const ArchSource *source, ArchConfig *config, Error *err)
{
    char name[32];
    const char *text;
    size_t n;
    if (source->gguf) {
        const bool gated = tensor_file_find(source->gguf, "enc.blk.0.ffn_gate.weight");
        config->activation = gated ? ACTIVATION_GELU_TANH : ACTIVATION_RELU;
        return true;
    }
    if (!arch_source_string(source, "feed_forward_proj", NULL, &text, &n, err)) {
        return false;
    }
    if (!text) {
        return true;
    }
    const size_t skip = n > 6 && strncmp(text, "gated-", 6) == 0 ? 6 : 0;
    if (strcmp(text, "gated-gelu") == 0) {
        config->activation = ACTIVATION_GELU_TANH;
        return true;
    }
    if (n - skip >= sizeof name) {
        return error_set(err, ERR_UNSUPPORTED, "%s: feed_forward_proj \"%.40s\" is not known",
                         source->name, text);
    }
    memcpy(name, text + skip, n - skip + 1);
    return activation_parse(name, &config->activation) ||
           error_set(err, ERR_UNSUPPORTED, "%s: activation \"%s\" is not known; known are: %s",
                     source->name, name, activation_known());
}

static bool finish(const ArchSource *source, ArchConfig *config, Error *err)
{
    double end = 1;
    bool scaled = config->tied;
    if (config->furthest_distance <= config->distance_buckets / 2) {
        return error_set(
            err, ERR_FORMAT,
            "%s: relative_attention_max_distance is %lld with %lld buckets; it is more "
            "than half of them",
            source->name, (long long)config->furthest_distance,
            (long long)config->distance_buckets);
    }
    if (source->gguf) { /* a head of its own comes with version 1.1, which does not scale */
        scaled = !tensor_file_find(source->gguf, "output.weight");
    }
    if (!read_activation(source, config, err) ||
        !arch_source_bool(source, "scale_decoder_outputs", &scaled, err) ||
        !arch_source_number(source, "eos_token_id", NULL, 0, ARCH_MAX_SIZE, &end, err)) {
        return false;
    }
    config->score_scale = 1;
    config->head_scale = scaled ? 1.0 / sqrt((double)config->width) : 0;
    config->end_token = (int64_t)end;
    config->forced_first = config->barred_token = -1;
    return true;
}

/* GGUF's later files may have fewer layers in the decoder. */
static bool finish_decoder(const ArchSource *source, ArchConfig *config, Error *err)
{
    double layers = (double)config->n_layers;
    if (!arch_source_number(source, NULL, "decoder_block_count", 1, ARCH_MAX_LAYERS, &layers,
                            err)) {
        return false;
    }
    config->n_layers = (int64_t)layers;
    return finish(source, config, err);
}

const Arch ARCH_T5_ENCODER = {
    .id = "t5encoder",
    .family = "T5 encoder",
    .alone = "EncoderModel",
    .gguf_names = "t5encoder",
    .stack = MODEL_STACK_ENCODER,
    .positions = ARCH_POSITIONS_DISTANCE,
    .norm = NORM_RMS,
    .head_needs_dense = true, /* which it never has */
    .activation = ACTIVATION_RELU,
    .fields = ENCODER_FIELDS,
    .tensors = ENCODER_TENSORS,
    .prefixes = PREFIXES,
    .finish = finish,
};

const Arch ARCH_T5 = {
    .id = "t5",
    .family = "T5 encoder-decoder",
    .model_types = "t5|mt5",
    .gguf_names = "t5",
    .stack = MODEL_STACK_DECODER,
    .positions = ARCH_POSITIONS_DISTANCE,
    .norm = NORM_RMS,
    .activation = ACTIVATION_RELU,
    .fields = DECODER_FIELDS,
    .tensors = DECODER_TENSORS,
    .prefixes = PREFIXES,
    .encoder = &ARCH_T5_ENCODER,
    .finish = finish_decoder,
};
