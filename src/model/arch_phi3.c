/*
 * Phi-3 (Abdin et al. 2024, arXiv:2404.14219) and Phi-4: LLaMA-like, with q, k and v in one tensor
 * and gate and up in another.
 */
#include "model/arch_config.h"
#include "model/arch_list.h"

#include <math.h>

static const ArchField FIELDS[] = {
    ARCH_USUAL_SIZES,
    ARCH_INT(n_kv_heads, "num_key_value_heads", "attention.head_count_kv", false, 1, ARCH_MAX_SIZE,
             0),
    ARCH_INT(head_width, "head_dim", "attention.key_length", false, 1, ARCH_MAX_SIZE, 0),
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
    {ROLE_ROTARY_DIVISORS, ARCH_OPTIONAL, NULL, "rope_factors_short"},
    {ROLE_ROTARY_DIVISORS_LONG, ARCH_OPTIONAL, NULL, "rope_factors_long"},
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

static bool read_factors(const ArchSource *source, const char *key, int32_t n, float *out,
                         Error *err)
{
    const cJSON *list = arch_source_json(source, key);
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != n) {
        return error_set(err, ERR_FORMAT, "%s: %s is no list of %d numbers", source->name, key, n);
    }
    for (const cJSON *item = list->child; item; item = item->next) {
        if (!cJSON_IsNumber(item) || !(item->valuedouble > 0 && item->valuedouble < 1e9)) {
            return error_set(err, ERR_FORMAT, "%s: %s has an item that is no number above 0",
                             source->name, key);
        }
        *out++ = (float)item->valuedouble;
    }
    return true;
}

/* Longrope (Ding et al. 2024, arXiv:2402.13753): frequencies divided by other factors in short and
 * in long texts, and cosines and sines a little larger, by how far the context was stretched. */
static bool finish_longrope(const ArchSource *source, ArchConfig *config, Error *err)
{
    double first = (double)config->max_positions, factor = 0, magnitude = 0;
    if (!arch_source_number(source,
                            "original_max_position_embeddings|"
                            "rope_parameters.original_max_position_embeddings|"
                            "rope_scaling.original_max_position_embeddings",
                            "rope.scaling.original_context_length", 2, 1e9, &first, err) ||
        !arch_source_number(source, "rope_parameters.factor|rope_scaling.factor", NULL, 1e-3, 1e6,
                            &factor, err) ||
        !arch_source_number(source,
                            "rope_parameters.attention_factor|rope_scaling.attention_factor",
                            "rope.scaling.attn_factor", 0, 1e3, &magnitude, err)) {
        return false;
    }
    if (first < 2) {
        return error_set(err, ERR_FORMAT, "%s: longrope without the context it was trained on",
                         source->name);
    }
    if (factor <= 0) {
        factor = (double)config->max_positions / first;
    }
    if (magnitude <= 0) {
        magnitude = factor > 1 ? sqrt(1 + log(factor) / log(first)) : 1;
    }
    config->rotary.original_positions = first;
    config->rotary.magnitude = magnitude;
    if (source->gguf) {
        return true; /* the factors are tensors */
    }
    const int64_t head = config->head_width ? config->head_width : config->width / config->n_heads;
    const double fraction = config->rotary_fraction > 0 ? config->rotary_fraction : 1;
    const int32_t half = (int32_t)((double)head * fraction) / 2;
    config->rotary_listed = true;
    if (half < 1 || half > ATTN_MAX_DIM / 2) {
        return error_set(err, ERR_FORMAT, "%s: %d rotary frequencies", source->name, half);
    }
    return read_factors(source, "rope_parameters.short_factor|rope_scaling.short_factor", half,
                        config->rotary_short, err) &&
           read_factors(source, "rope_parameters.long_factor|rope_scaling.long_factor", half,
                        config->rotary_long, err);
}

static bool finish(const ArchSource *source, ArchConfig *config, Error *err)
{
    double turned = 0;
    const char *kind;
    size_t n;
    if (source->gguf) {
        if (!arch_source_number(source, NULL, "rope.dimension_count", 2, ATTN_MAX_DIM, &turned,
                                err)) {
            return false;
        }
        config->rotary.width = (int32_t)turned;
    }
    if (!arch_source_string(source,
                            "rope_parameters.rope_type|rope_parameters.type|"
                            "rope_scaling.rope_type|rope_scaling.type",
                            "rope.scaling.type", &kind, &n, err)) {
        return false;
    }
    const bool listed = source->gguf && tensor_file_find(source->gguf, "rope_factors_short.weight");
    if (listed || (kind && arch_name_in("longrope|su", kind, n))) {
        return finish_longrope(source, config, err);
    }
    return arch_finish_rotary(source, config, err);
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
