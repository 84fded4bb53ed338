#include "model/describe.h"

#include <string.h>

#include "model/model_internal.h"

/* The role each block stands for. Norms that only some layers lack are looked for in the second. */
static const ArchRole roles[MODEL_BLOCK_COUNT] = {
#define MODEL_BLOCK_ROLE(id) [MODEL_BLOCK_##id] = ROLE_##id,
    MODEL_BLOCKS(MODEL_BLOCK_ROLE)
#undef MODEL_BLOCK_ROLE
};

static const RoleWeights *first_with(const ModelPart *part, ArchRole role)
{
    if (role < ROLE_FIRST_OF_LAYER) {
        return weights_role(&part->weights, 0, role);
    }
    for (int32_t layer = 0; layer < (int32_t)part->config.n_layers; layer++) {
        const RoleWeights *w = weights_role(&part->weights, layer, role);
        if (w->matrix.view || w->vector) {
            return w;
        }
    }
    return weights_role(&part->weights, 0, role);
}

static uint64_t params_of(const RoleWeights *w, int64_t columns)
{
    uint64_t n = 0;
    if (w->matrix.view) {
        n = (uint64_t)w->matrix.rows * (uint64_t)w->matrix.columns;
        n += w->bias ? (uint64_t)w->matrix.rows : 0;
    } else if (w->vector) {
        n = (uint64_t)columns * (w->bias ? 2 : 1);
    }
    return n;
}

static ModelBlock block_of(const ModelPart *part, ModelBlockKind kind)
{
    const ArchRole role = roles[kind];
    const RoleWeights *w = first_with(part, role);
    int64_t rows;
    int64_t columns;
    arch_role_shape(&part->config, role, &rows, &columns);
    ModelBlock block = {.present = w->matrix.view || w->vector,
                        .rows = w->matrix.view ? w->matrix.rows : rows,
                        .columns = w->matrix.view ? w->matrix.columns : columns,
                        .has_bias = w->bias != NULL};
    block.n_params = params_of(w, block.columns);
    return block;
}

/* All numbers of a layer, also of roles that are no block of the diagram. */
static uint64_t params_of_layer(const ModelPart *part, int32_t layer)
{
    uint64_t n = 0;
    for (int role = ROLE_FIRST_OF_LAYER; role < ROLE_COUNT; role++) {
        int64_t rows;
        int64_t columns;
        arch_role_shape(&part->config, (ArchRole)role, &rows, &columns);
        n += params_of(weights_role(&part->weights, layer, (ArchRole)role), columns);
    }
    return n;
}

static const char *activation_title(Activation activation)
{
    static const char *const names[ACTIVATION_COUNT] = {
        [ACTIVATION_GELU] = "GELU", [ACTIVATION_GELU_TANH] = "GELU", [ACTIVATION_SILU] = "SiLU",
        [ACTIVATION_RELU] = "ReLU", [ACTIVATION_TANH] = "tanh",      [ACTIVATION_NONE] = "no",
    };
    return names[activation];
}

static ModelPlaces places_of(const ModelPart *part)
{
    switch (part->arch->positions) {
    case ARCH_POSITIONS_LEARNED:
        return MODEL_PLACES_LEARNED;
    case ARCH_POSITIONS_SINUSOID:
        return MODEL_PLACES_SINES;
    case ARCH_POSITIONS_ROTARY:
        return MODEL_PLACES_ROTARY;
    case ARCH_POSITIONS_DISTANCE:
        return MODEL_PLACES_DISTANCE;
    default:
        return MODEL_PLACES_NONE;
    }
}

static bool has(const ModelPart *part, ArchRole role)
{
    const RoleWeights *w = first_with(part, role);
    return w->matrix.view || w->vector;
}

/* A tied head is the table of tokens, once more. */
static void describe_head(const ModelPart *part, bool predicts, ModelHalf *half)
{
    ModelBlock *head = &half->blocks[MODEL_BLOCK_HEAD];
    if (!head->present && predicts && part->config.tied) {
        *head = half->blocks[MODEL_BLOCK_TOKENS];
        head->shared = true;
    }
}

static void describe_half(const Model *model, const ModelPart *part, bool encoder, ModelHalf *half)
{
    const ArchConfig *c = &part->config;
    *half = (ModelHalf){
        .encoder = part->arch->stack == MODEL_STACK_ENCODER || encoder,
        .crosses = has(part, ROLE_CROSS_Q),
        .n_layers = (int32_t)c->n_layers,
        .n_heads = (int32_t)c->n_heads,
        .n_kv_heads = (int32_t)c->n_kv_heads,
        .head_width = (int32_t)c->head_width,
        .width = (int32_t)c->width,
        .mlp_width = (int32_t)c->mlp_width,
        .vocabulary = (int32_t)c->vocabulary,
        .places = places_of(part),
        .rms_norm = part->arch->norm == NORM_RMS,
        .norms_before = has(part, ROLE_ATTENTION_NORM),
        .norms_around = has(part, ROLE_ATTENTION_OUT_NORM),
        .parallel = c->parallel,
        .head_norms = has(part, ROLE_Q_NORM),
        .gated = has(part, ROLE_GATE),
        .activation = activation_title(c->activation),
        .window = (int32_t)c->window,
        .score_cap = (float)c->score_cap,
    };
    for (int i = 0; i < MODEL_BLOCK_COUNT; i++) {
        half->blocks[i] = block_of(part, (ModelBlockKind)i);
    }
    describe_head(part, !encoder && model->info.has_logits, half);
    for (int role = 0; role < ROLE_FIRST_OF_LAYER; role++) {
        int64_t rows;
        int64_t columns;
        arch_role_shape(c, (ArchRole)role, &rows, &columns);
        half->n_params += params_of(weights_role(&part->weights, 0, (ArchRole)role), columns);
    }
    for (int32_t layer = 0; layer < half->n_layers; layer++) {
        half->n_params += params_of_layer(part, layer);
    }
    half->layer_params = half->n_layers ? params_of_layer(part, 0) : 0;
}

bool model_describe(const Model *model, ModelHalf halves[2], int *n)
{
    *n = 0;
    if (!model->bound || !model->main.arch) {
        return false;
    }
    if (model->encoder.arch) {
        describe_half(model, &model->encoder, true, &halves[(*n)++]);
    }
    describe_half(model, &model->main, false, &halves[(*n)++]);
    if (*n == 2) { /* one table serves both */
        ModelBlock *tokens = &halves[1].blocks[MODEL_BLOCK_TOKENS];
        const RoleWeights *a = weights_role(&model->encoder.weights, 0, ROLE_TOKENS);
        const RoleWeights *b = weights_role(&model->main.weights, 0, ROLE_TOKENS);
        if (tokens->present && a->matrix.view == b->matrix.view) {
            tokens->shared = true;
            halves[1].n_params -= tokens->n_params;
        }
    }
    return true;
}

bool model_layer_sees_all(const Model *model, bool encoder, int32_t layer)
{
    const ModelPart *part = encoder && model->encoder.arch ? &model->encoder : &model->main;
    return !part->arch || layer < 0 || layer >= part->config.n_layers ||
           arch_layer_is_global(&part->config, layer);
}
