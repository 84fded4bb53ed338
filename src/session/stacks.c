/* Which of the traces of a run is shown, and what follows from its tokens alone. */
#include "session/stacks.h"

#include "session/choose.h"
#include "session/commands.h"
#include "session/shown.h"
#include "session/survey.h"

#include <stdlib.h>
#include <string.h>

typedef struct TokenPlace {
    int32_t id, at;
} TokenPlace;

static int by_id_then_place(const void *a, const void *b)
{
    const TokenPlace *x = a;
    const TokenPlace *y = b;
    return x->id != y->id ? (x->id > y->id) - (x->id < y->id) : (x->at > y->at) - (x->at < y->at);
}

/* Places of queries, then of keys where they are another text. */
static size_t list_places(const Trace *trace, TokenPlace *places)
{
    size_t n = (size_t)trace_info(trace)->n_queries;
    int32_t m;
    const TraceToken *queries = trace_tokens(trace);
    const TraceToken *keys = trace_key_tokens(trace, &m);
    for (size_t i = 0; i < n; i++) {
        places[i] = (TokenPlace){queries[i].id, (int32_t)i};
    }
    if (!trace_is_cross(trace)) {
        return n;
    }
    for (size_t j = 0; j < (size_t)m; j++) {
        places[n + j] = (TokenPlace){keys[j].id, (int32_t)(n + j)};
    }
    return n + (size_t)m;
}

static void find_first_same(Session *s)
{
    const TraceInfo *info = trace_info(s->trace);
    size_t n = (size_t)info->n_queries;
    size_t m = (size_t)info->n_keys;
    TokenPlace *places = mem_alloc((n + m) * sizeof *places, NULL);
    int32_t *first_of = mem_alloc((n + m) * sizeof *first_of, NULL);
    mem_free(s->first_same);
    mem_free(s->first_same_key);
    s->first_same = mem_alloc(n * sizeof *s->first_same, NULL);
    s->first_same_key = mem_alloc(m * sizeof *s->first_same_key, NULL);
    if (places && first_of && s->first_same && s->first_same_key) {
        size_t all = list_places(s->trace, places);
        qsort(places, all, sizeof *places, by_id_then_place);
        int32_t first = 0;
        for (size_t i = 0; i < all; i++) {
            first = i > 0 && places[i].id == places[i - 1].id ? first : places[i].at;
            first_of[places[i].at] = first;
        }
        memcpy(s->first_same, first_of, n * sizeof *first_of);
        memcpy(s->first_same_key, all > n ? first_of + n : first_of, m * sizeof *first_of);
    } else {
        mem_free(s->first_same);
        mem_free(s->first_same_key);
        s->first_same = s->first_same_key = NULL;
    }
    mem_free(first_of);
    mem_free(places);
}

int session_stacks(const Session *s, TraceStack list[TRACE_STACK_COUNT])
{
    int n = 0;
    for (int i = 0; i < TRACE_STACK_COUNT; i++) {
        if (s->stacks.stacks[i]) {
            list[n++] = (TraceStack)i;
        }
    }
    return n;
}

const char *session_source(const Session *s, size_t *n_bytes)
{
    const Trace *cross = s->stacks.stacks[TRACE_STACK_CROSS];
    const Trace *encoder = s->stacks.stacks[TRACE_STACK_ENCODER];
    if (cross) {
        return trace_key_source(cross, n_bytes);
    }
    return trace_source(encoder ? encoder : s->trace, n_bytes);
}

void stacks_show(Session *s, Trace *trace)
{
    s->trace = trace;
    s->trace_version++;
    s->layers_done = trace_layers_done(trace);
    tiles_clear(&s->tiles, s->jobs);
    shown_clear(s);
    survey_free(s);
    stack_data_free(s);
    find_first_same(s);
    session_clamp_selection(s);
    s->version++;
}

bool session_select_stack(Session *s, TraceStack stack)
{
    Trace *trace = (size_t)stack < TRACE_STACK_COUNT ? s->stacks.stacks[stack] : NULL;
    if (!trace) {
        return false;
    }
    if (trace != s->trace) {
        stacks_show(s, trace);
        s->selection.pinned = false;
        session_choose_cell(s);
    }
    return true;
}
