/*
 * What a forward pass refuses, in the words a person needs.
 */
#include "model/forward.h"

#include <math.h>

static bool check_ids(const Model *model, const ModelInput *input, Error *err)
{
    const ModelInfo *info = &model->info;
    for (int32_t i = 0; i < input->n_tokens; i++) {
        if (input->ids[i] < 0 || input->ids[i] >= info->vocabulary) {
            return error_set(err, ERR_RANGE, "token %d has id %d; %s has ids 0 to %d", i,
                             input->ids[i], info->name, info->vocabulary - 1);
        }
        if (input->type_ids && info->n_token_types > 0 &&
            (input->type_ids[i] < 0 || input->type_ids[i] >= info->n_token_types)) {
            return error_set(err, ERR_RANGE, "token %d is of type %d; %s has types 0 to %d", i,
                             input->type_ids[i], info->name, info->n_token_types - 1);
        }
    }
    return true;
}

bool model_check_input(const Model *model, const ModelInput *input, const Log *log, Error *err)
{
    const ModelInfo *info = &model->info;
    if (!model_check_bound(model, err)) {
        return false;
    }
    if (input->n_tokens < 1) {
        return error_set(err, ERR_RANGE, "there are no tokens to run");
    }
    if (input->n_tokens > ATTN_MAX_LENGTH) {
        return error_set(err, ERR_RANGE,
                         "%d tokens, but at most %d can be run; take a part with --range A:B or "
                         "--max-tokens %d",
                         input->n_tokens, ATTN_MAX_LENGTH, ATTN_MAX_LENGTH);
    }
    if (info->max_positions > 0 && input->n_tokens > info->max_positions) {
        if (info->positions_limited) {
            return error_set(err, ERR_RANGE,
                             "%d tokens, but %s has learned positions for %d and no more; take a "
                             "part with --range A:B or --max-tokens %d",
                             input->n_tokens, info->name, info->max_positions, info->max_positions);
        }
        log_write(log, LOG_WARNING,
                  "%d tokens are more than the %d positions %s was made for; weights beyond are "
                  "what it computes, not what it learned",
                  input->n_tokens, info->max_positions, info->name);
    }
    return check_ids(model, input, err);
}

bool forward_check(const Model *model, const ModelInput *input, const ForwardOptions *options,
                   const TapTable *taps, Error *err)
{
    const ModelWhatIf *w = &options->what_if;
    const ModelStack *stack = &model->info.stacks[0];
    if (!model_check_input(model, input, options->log, err)) {
        return false;
    }
    if (!isfinite(w->temperature) || w->temperature < 0) {
        return error_set(err, ERR_RANGE, "temperature %g; it must be above 0",
                         (double)w->temperature);
    }
    for (int32_t i = 0; i < w->n_ablated; i++) {
        const ModelHead *h = &w->ablated[i];
        if (h->stack < 0 || h->stack >= model->info.n_stacks || h->layer < 0 ||
            h->layer >= stack->n_layers || h->head < 0 || h->head >= stack->n_heads) {
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
