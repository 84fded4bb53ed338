#include "session/baseline.h"

/* What may be kept beside the run in front. */
static const uint64_t MOST_BYTES = (uint64_t)1 << 30;

static bool params_change(const TraceParams *p)
{
    return (p->temperature > 0 && p->temperature != 1) || p->unscaled ||
           p->mask != TRACE_MASK_AUTO || p->n_ablate;
}

static bool same_shape(const TraceInfo *a, const TraceInfo *b)
{
    return a->stack == b->stack && a->n_layers == b->n_layers && a->n_heads == b->n_heads &&
           a->head_dim == b->head_dim && a->n_queries == b->n_queries && a->n_keys == b->n_keys;
}

static bool same_text(const Trace *a, const Trace *b)
{
    int32_t n = trace_info(a)->n_queries;
    const TraceToken *t = trace_tokens(a);
    const TraceToken *u = trace_tokens(b);
    if (n != trace_info(b)->n_queries) {
        return false;
    }
    for (int32_t i = 0; i < n; i++) {
        if (t[i].id != u[i].id) {
            return false;
        }
    }
    return true;
}

static bool fits(const Trace *before, const Trace *now, bool text_too)
{
    return before && same_shape(trace_info(before), trace_info(now)) &&
           trace_info(before)->held_bytes <= MOST_BYTES && (!text_too || same_text(before, now));
}

void baseline_keep(Session *s, const SessionRun *run, Trace *next)
{
    Trace *kept = NULL;
    bool same_model = s->model && run->shared == s->model;
    const TraceParams *now = &run->request.params;
    if (run->request.edited) {
        kept = same_model && fits(s->trace, next, false) ? s->trace : NULL;
    } else if (same_model && params_change(now) && now->propagate) {
        bool plain = s->trace && !params_change(&trace_info(s->trace)->params);
        kept = plain && fits(s->trace, next, true) ? s->trace
               : fits(s->baseline, next, true)     ? s->baseline
                                                   : NULL;
    }
    kept = kept ? trace_retain(kept) : NULL;
    trace_close(s->baseline);
    s->baseline = kept;
}
