/*
 * What a forward pass refuses, in the words a person needs.
 */
#include "model/forward.h"

#include <math.h>

static bool check_ids(const Model *model, const ModelPart *part, const ModelInput *input,
                      Error *err)
{
    const ModelInfo *info = &model->info;
    const int32_t vocabulary = (int32_t)part->config.vocabulary;
    for (int32_t i = 0; i < input->n_tokens; i++) {
        if (input->ids[i] < 0 || input->ids[i] >= vocabulary) {
            return error_set(err, ERR_RANGE, "token %d has id %d; %s has ids 0 to %d", i,
                             input->ids[i], info->name, vocabulary - 1);
        }
        if (input->type_ids && info->n_token_types > 0 &&
            (input->type_ids[i] < 0 || input->type_ids[i] >= info->n_token_types)) {
            return error_set(err, ERR_RANGE, "token %d is of type %d; %s has types 0 to %d", i,
                             input->type_ids[i], info->name, info->n_token_types - 1);
        }
    }
    return true;
}

/* A picture has one length and no ids. */
static bool check_picture(const Model *model, const ModelInput *input, Error *err)
{
    const ModelImage *image = &model->info.image;
    if (!input->pixels) {
        return error_set(err, ERR_RANGE, "%s reads pictures, not texts: give one with --image",
                         model->info.name);
    }
    return input->n_tokens == image->n_tokens ||
           error_set(err, ERR_RANGE, "%d tokens; %s makes %d of a picture", input->n_tokens,
                     model->info.name, image->n_tokens);
}

/* What one part reads. */
static bool check_part(const Model *model, const ModelPart *part, const ModelInput *input,
                       const Log *log, Error *err)
{
    const ModelInfo *info = &model->info;
    const int32_t positions = (int32_t)part->config.max_positions;
    if (input->n_tokens < 1) {
        return error_set(err, ERR_RANGE, "there are no tokens to run");
    }
    if (input->n_tokens > ATTN_MAX_LENGTH) {
        return error_set(err, ERR_RANGE,
                         "%d tokens, but at most %d can be run; take a part with --range A:B or "
                         "--max-tokens %d",
                         input->n_tokens, ATTN_MAX_LENGTH, ATTN_MAX_LENGTH);
    }
    if (positions > 0 && input->n_tokens > positions) {
        if (part->arch->positions == ARCH_POSITIONS_LEARNED) {
            return error_set(err, ERR_RANGE,
                             "%d tokens, but %s has learned positions for %d and no more; take a "
                             "part with --range A:B or --max-tokens %d",
                             input->n_tokens, info->name, positions, positions);
        }
        log_write(log, LOG_WARNING,
                  "%d tokens are more than the %d positions %s was made for; weights beyond are "
                  "what it computes, not what it learned",
                  input->n_tokens, positions, info->name);
    }
    return check_ids(model, part, input, err);
}

bool model_check_input(const Model *model, const ModelInput *input, const Log *log, Error *err)
{
    if (!model_check_bound(model, err)) {
        return false;
    }
    if (model->info.image.n_tokens > 0) {
        return check_picture(model, input, err);
    }
    if (!input->ids || input->pixels) {
        return error_set(err, ERR_RANGE, "%s reads texts: there are no tokens to run",
                         model->info.name);
    }
    if (!model->encoder.arch) {
        return check_part(model, &model->main, input, log, err);
    }
    const ModelInput target = part_input(model, &model->main, input);
    return check_part(model, &model->encoder, input, log, err) &&
           (target.n_tokens < 1 || check_part(model, &model->main, &target, log, err));
}

bool forward_check(const Model *model, const ModelInput *input, const ForwardOptions *options,
                   const TapTable *taps, Error *err)
{
    const ModelWhatIf *w = &options->what_if;
    if (!model_check_input(model, input, options->log, err)) {
        return false;
    }
    if (!isfinite(w->temperature) || w->temperature < 0) {
        return error_set(err, ERR_RANGE, "temperature %g; it must be above 0",
                         (double)w->temperature);
    }
    if (options->n_layers > 0 && model->encoder.arch) {
        return error_set(err, ERR_RANGE, "%s has an encoder and a decoder: all layers run",
                         model->info.name);
    }
    for (int32_t i = 0; i < w->n_ablated; i++) {
        const ModelHead *h = &w->ablated[i];
        const bool known = h->stack >= 0 && h->stack < model->info.n_stacks;
        const ModelStack *stack = &model->info.stacks[known ? h->stack : 0];
        if (!known || h->layer < 0 || h->layer >= stack->n_layers || h->head < 0 ||
            h->head >= stack->n_heads) {
            return error_set(
                err, ERR_RANGE,
                "ablation of layer %d head %d; %s has layers 0 to %d and heads 0 to %d", h->layer,
                h->head, model->info.name, stack->n_layers - 1, stack->n_heads - 1);
        }
    }
    if ((taps->sites & TAP_BIT(TAP_LOGITS)) && !model->info.has_logits) {
        return error_set(err, ERR_UNSUPPORTED, "%s has no prediction head, so no logits",
                         model->info.name);
    }
    return true;
}
