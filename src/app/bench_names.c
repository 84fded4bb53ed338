#include "app/bench_names.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

BenchCommon bench_common_of(const BenchReport *report)
{
    BenchCommon c = {true, true, true, true, true, true};
    const BenchResult *first = &report->results.items[0];
    for (size_t i = 0; i < report->results.n; i++) {
        const BenchResult *r = &report->results.items[i];
        c.isa = c.isa && !strcmp(r->isa, first->isa);
        c.threads = c.threads && r->threads == first->threads;
        c.shape = c.shape && r->heads == first->heads && r->dim == first->dim;
        c.mask = c.mask && r->causal == first->causal && r->window == first->window;
        c.precision = c.precision && !strcmp(r->precision, first->precision);
        c.queries = c.queries && r->queries == r->n;
    }
    return c;
}

const char *bench_mask_words(const BenchResult *r, char out[BENCH_NAME])
{
    if (r->model) {
        return "the model's own masks";
    }
    if (r->window) {
        snprintf(out, BENCH_NAME, r->causal ? "sliding window of %d" : "window of %d around",
                 r->window);
        return out;
    }
    return r->causal ? "causal" : "no mask";
}

/* Appends to a name, with a comma between. */
__attribute__((format(printf, 2, 3))) static void add(char *name, const char *format, ...)
{
    size_t used = strlen(name);
    if (used > 0 && used + 3 < BENCH_NAME) {
        memcpy(name + used, ", ", 3);
        used += 2;
    }
    va_list list;
    va_start(list, format);
    vsnprintf(name + used, BENCH_NAME - used, format, list);
    va_end(list);
}

void bench_series_name(const BenchCommon *common, const BenchResult *r, char out[BENCH_NAME])
{
    char words[BENCH_NAME];
    bool alone = common->isa && common->threads && common->shape && common->mask &&
                 common->precision && common->queries;
    out[0] = '\0';
    if (alone || !common->isa || !common->threads) {
        add(out, "%s × %d", r->isa, r->threads);
    }
    if (!common->precision) {
        add(out, "%s", r->precision);
    }
    if (alone || !common->shape) {
        add(out, "H %d, D %d", r->heads, r->dim);
    }
    if (!common->mask) {
        add(out, "%s", bench_mask_words(r, words));
    }
    if (!common->queries && r->queries == r->n) {
        add(out, "all queries");
    } else if (!common->queries) {
        add(out, r->queries == 1 ? "%d query" : "%d queries", r->queries);
    }
}
