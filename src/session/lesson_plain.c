/* Attention as the architecture has it, from the record of a run that may have changed it. */
#include "session/lesson_internal.h"

#include "session/run.h"

#include <math.h>

void lesson_plain_of(const LessonSource *source, const Trace *trace, int32_t layer,
                     LessonPlain *plain)
{
    const Model *model = lesson_source_model(source);
    const TraceInfo *info = trace_info(trace);
    const TraceParams *p = &info->params;
    *plain = (LessonPlain){.trace = trace,
                           .layer = layer,
                           .unscaled = p->unscaled,
                           .has_bias = trace_layer(trace, layer)->has_bias,
                           .temperature = p->temperature > 0 ? p->temperature : 1};
    const TapPlace place = {model ? trace_model_stack(trace, model) : 0, layer};
    /* Terms by distance are read out of the scores, so the mask must not have hidden them. */
    plain->known =
        model && !info->weights_only &&
        !(plain->has_bias && p->mask == TRACE_MASK_CAUSAL && info->stack == TRACE_STACK_ENCODER) &&
        model_attention_args(model, place, info->n_queries, info->n_keys, NULL, &plain->args);
}

static double dot(const float *a, const float *b, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

bool lesson_dots(const Trace *trace, int32_t layer, int32_t head, int32_t query, float *dots,
                 Error *err)
{
    enum { BLOCK = 256 };
    const int32_t d = trace_info(trace)->head_dim;
    const int32_t n = trace_info(trace)->n_keys;
    float *space = mem_alloc(((size_t)BLOCK + 1) * (size_t)d * sizeof *space, err);
    bool ok = space && trace_q(trace, layer, head, query, query + 1, space, err);
    for (int32_t j0 = 0; ok && j0 < n; j0 += BLOCK) {
        int32_t j1 = AS_MIN(j0 + BLOCK, n);
        ok = trace_k(trace, layer, head, j0, j1, space + d, err);
        for (int32_t j = j0; ok && j < j1; j++) {
            dots[j] = (float)dot(space, space + d + (ptrdiff_t)(j - j0) * d, d);
        }
    }
    mem_free(space);
    return ok;
}

static double scored(double scale, double cap, double product)
{
    double s = scale * product;
    return cap > 0 ? cap * tanh(s / cap) : s;
}

/* weights [M] hold q.k before; traced scores give the terms by distance. */
static void plain_softmax(const LessonPlain *p, int32_t query, const float *traced, float *weights)
{
    const int32_t n = p->args.n_keys;
    const double scale = (double)p->args.scale, cap = (double)p->args.soft_cap;
    double most = -INFINITY;
    double sum = 0;
    for (int32_t j = 0; j < n; j++) {
        const double product = (double)weights[j];
        double score = scored(scale, cap, product);
        if (traced) {
            /* Of the run: (scored + bias) / temperature. */
            score += (double)traced[j] * (double)p->temperature -
                     scored(p->unscaled ? 1 : scale, cap, product);
        }
        const bool seen = attn_mask_visible(&p->args.mask, n, query, j);
        weights[j] = seen ? (float)score : -INFINITY;
        most = fmax(most, (double)weights[j]);
    }
    for (int32_t j = 0; j < n; j++) {
        double e = isinf(weights[j]) ? 0 : exp((double)weights[j] - most);
        weights[j] = (float)e;
        sum += e;
    }
    for (int32_t j = 0; j < n; j++) {
        weights[j] = sum > 0 ? (float)((double)weights[j] / sum) : 0;
    }
}

bool lesson_plain_row(const LessonPlain *p, int32_t head, int32_t query, float *weights, Error *err)
{
    const TraceRegion row = {p->layer, head, query, query + 1, 0, p->args.n_keys};
    float *traced = NULL;
    bool ok = lesson_dots(p->trace, p->layer, head, query, weights, err);
    if (ok && p->has_bias) {
        traced = mem_alloc((size_t)p->args.n_keys * sizeof *traced, err);
        ok = traced && trace_tile(p->trace, &row, TRACE_SCORES, traced, 0, err);
    }
    if (ok) {
        plain_softmax(p, query, traced, weights);
    }
    mem_free(traced);
    return ok;
}
