/*
 * What an encoder-decoder writes by itself: the likeliest token each time, the target so far run
 * anew for each. Its states of the source are computed once.
 */
#include "model/forward.h"

#include <string.h>

typedef struct Writer {
    const ArchConfig *config;
    bool first; /* the token after the start */
    int32_t next;
} Writer;

static bool take_likeliest(void *payload, const TapEvent *event, Error *err)
{
    Writer *w = payload;
    const float *last = event->data + (event->n_rows - 1) * event->row_stride;
    (void)err;
    w->next = -1;
    for (int32_t v = 0; v < event->width; v++) {
        if (v != w->config->barred_token && (w->next < 0 || last[v] > last[w->next])) {
            w->next = v;
        }
    }
    if (w->first && w->config->forced_first >= 0 && w->config->forced_first < event->width) {
        w->next = (int32_t)w->config->forced_first;
    }
    return true;
}

static bool write_target(const Model *model, const ModelInput *source,
                         const ForwardOptions *options, const AttnCtx *ctx, const float *states,
                         int32_t *target, int32_t n_most, int32_t *n, bool *ended, Error *err)
{
    Writer writer = {.config = &model->main.config};
    const TapTable taps = {
        .sites = TAP_BIT(TAP_LOGITS), .fire = take_likeliest, .payload = &writer};
    while (*n < n_most) {
        ModelInput input = *source;
        input.target_ids = target;
        input.n_target = *n;
        writer.first = *n == 1;
        if (!part_forward(model, &model->main, &input, options, &taps, ctx, states, NULL, err)) {
            return false;
        }
        if (writer.next < 0 || writer.next == writer.config->end_token) {
            *ended = true;
            return true;
        }
        target[(*n)++] = writer.next;
    }
    return true;
}

bool model_generate(const Model *model, const ModelInput *source, const AttnCtx *attention,
                    JobControl *control, int32_t *target, int32_t n_most, int32_t *n, bool *ended,
                    Error *err)
{
    const ForwardOptions options = {.control = control};
    const TapTable no_taps = {0};
    const size_t width = (size_t)model->main.config.width;
    const int32_t positions = (int32_t)model->main.config.max_positions;
    ModelInput input = *source;
    input.n_target = 0;
    *n = 0;
    *ended = false;
    if (!model->encoder.arch || !model->info.has_logits || n_most < 1) {
        return error_set(err, ERR_UNSUPPORTED, "%s writes no texts: give the target",
                         model->info.name);
    }
    if (model->main.config.start_token >= model->main.config.vocabulary) {
        return error_set(err, ERR_FORMAT, "%s: its first token %lld is not among its %lld",
                         model->info.name, (long long)model->main.config.start_token,
                         (long long)model->main.config.vocabulary);
    }
    if (!forward_check(model, &input, &options, &no_taps, err)) {
        return false;
    }
    AttnCtx *own = NULL;
    if (!attention && attn_ctx_create(NULL, &own, NULL, 0) != ATTN_OK) {
        return error_set(err, ERR_MEMORY, "no memory to compute with");
    }
    const AttnCtx *ctx = attention ? attention : own;
    float *states = mem_alloc((size_t)input.n_tokens * width * sizeof *states, err);
    target[(*n)++] = (int32_t)model->main.config.start_token;
    const bool ok =
        states &&
        part_forward(model, &model->encoder, &input, &options, &no_taps, ctx, NULL, states, err) &&
        write_target(model, &input, &options, ctx, states, target,
                     positions > 0 ? AS_MIN(n_most, positions) : n_most, n, ended, err);
    mem_free(states);
    attn_ctx_destroy(&own);
    return ok;
}
