/*
 * The logit lens: what the model would predict if it stopped after a layer (nostalgebraist 2020,
 * "interpreting GPT: the logit lens"): the residual stream there through the last norm and the
 * prediction head.
 */
#include "trace/internal.h"

#include <math.h>

#include "model/model.h"

enum { STATES_AT_ONCE = 8 };

bool trace_logits_at(const Trace *trace, const Model *model, int32_t state, int32_t row0,
                     int32_t row1, float *out, Error *err)
{
    const TraceInfo *info = &trace->info;
    if (state == info->n_layers) {
        return trace_logits(trace, model, row0, row1, out, err);
    }
    size_t width = (size_t)info->model_dim;
    if (model_info(model)->width != info->model_dim ||
        model_info(model)->vocabulary != info->n_vocab) {
        return error_set(err, ERR_RANGE, "%s is not the model of this trace (%s)",
                         model_info(model)->name, info->model_name);
    }
    if (!trace_check_span("row", row0, row1, info->n_queries, err)) {
        return false;
    }
    float *hidden = mem_alloc((size_t)(row1 - row0) * width * sizeof *hidden, err);
    bool ok = hidden && trace_hidden(trace, state, row0, row1, hidden, err) &&
              model_logits(model, hidden, row1 - row0, out, attn_ctx_threads(trace->ctx), err);
    mem_free(hidden);
    return ok;
}

/* Probabilities in double; the largest, and how `final` fares. */
static TraceLens read_lens(const float *logits, int32_t n, int32_t final)
{
    double sum = 0;
    int32_t best = 0;
    for (int32_t v = 1; v < n; v++) {
        best = logits[v] > logits[best] ? v : best;
    }
    TraceLens lens = {.id = best};
    for (int32_t v = 0; v < n; v++) {
        sum += exp((double)logits[v] - (double)logits[best]);
        lens.rank_of_final += final >= 0 && logits[v] > logits[final];
    }
    lens.probability = (float)(1 / sum);
    lens.of_final =
        final >= 0 ? (float)(exp((double)logits[final] - (double)logits[best]) / sum) : 0;
    return lens;
}

static bool read_states(const Trace *trace, const Model *model, int32_t row, int32_t final,
                        float *hidden, float *logits, TraceLens *out, Error *err)
{
    const TraceInfo *info = &trace->info;
    size_t width = (size_t)info->model_dim;
    for (int32_t s = 0; s < info->n_layers; s += STATES_AT_ONCE) {
        int32_t n = AS_MIN(STATES_AT_ONCE, info->n_layers - s);
        for (int32_t i = 0; i < n; i++) {
            if (!trace_hidden(trace, s + i, row, row + 1, hidden + (size_t)i * width, err)) {
                return false;
            }
        }
        if (!model_logits(model, hidden, n, logits, attn_ctx_threads(trace->ctx), err)) {
            return false;
        }
        for (int32_t i = 0; i < n; i++) {
            out[s + i] =
                read_lens(logits + (size_t)i * (size_t)info->n_vocab, info->n_vocab, final);
        }
    }
    return true;
}

bool trace_lens(const Trace *trace, const Model *model, int32_t row, TraceLens *out, Error *err)
{
    const TraceInfo *info = &trace->info;
    size_t width = (size_t)info->model_dim;
    float *hidden = mem_alloc(STATES_AT_ONCE * width * sizeof *hidden, err);
    float *logits =
        mem_alloc(STATES_AT_ONCE * (size_t)info->n_vocab * sizeof *logits, hidden ? err : NULL);
    bool ok = hidden && logits && trace_logits(trace, model, row, row + 1, logits, err);
    if (ok) {
        TraceLens last = read_lens(logits, info->n_vocab, -1);
        out[info->n_layers] = read_lens(logits, info->n_vocab, last.id);
        ok = read_states(trace, model, row, last.id, hidden, logits, out, err);
    }
    mem_free(hidden);
    mem_free(logits);
    return ok;
}
