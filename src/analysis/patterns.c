#include "analysis/patterns.h"

#include <math.h>

enum { ROWS_AT_ONCE = 64 };

static const struct {
    const char *name;
    float limit;
} table[PATTERN_COUNT] = {
#define PATTERN_ROW(id, name, limit) [PATTERN_##id] = {name, limit},
    PATTERNS(PATTERN_ROW)
#undef PATTERN_ROW
};

const char *pattern_name(Pattern pattern)
{
    return (size_t)pattern < PATTERN_COUNT ? table[pattern].name : "?";
}

float pattern_limit(Pattern pattern)
{
    return (size_t)pattern < PATTERN_COUNT ? table[pattern].limit : 1;
}

static void put_mean(PatternScores *scores, Pattern pattern, double sum, int32_t n)
{
    scores->score[pattern] = n ? (float)(sum / n) : 0;
    scores->n_queries[pattern] = n;
    scores->known[pattern] = true;
}

/* weights: rows [row0, row1) of the head. */
static void add_repeats(const TraceToken *tokens, const float *weights, int32_t row0, int32_t row1,
                        int32_t n, double sums[2], int32_t counts[2])
{
    for (int32_t i = row0; i < row1; i++) {
        const float *row = weights + (size_t)(i - row0) * (size_t)n;
        bool followed = false;
        bool repeated = false;
        for (int32_t j = 0; j < i; j++) {
            if (tokens[j].id != tokens[i].id) {
                continue;
            }
            repeated = true;
            sums[1] += (double)row[j];
            followed = true;
            sums[0] += (double)row[j + 1];
        }
        counts[0] += followed;
        counts[1] += repeated;
    }
}

static bool score_repeats(const Trace *trace, int32_t layer, int32_t head, PatternScores *scores,
                          Error *err)
{
    int32_t n = trace_info(trace)->n_queries;
    float *weights = mem_alloc_zeroed((size_t)n * ROWS_AT_ONCE, sizeof *weights, err);
    double sums[2] = {0};
    int32_t counts[2] = {0};
    bool ok = weights;
    for (int32_t row0 = 0; ok && row0 < n; row0 += ROWS_AT_ONCE) {
        TraceRegion region = {layer, head, row0, AS_MIN(row0 + ROWS_AT_ONCE, n), 0, n};
        ok = trace_tile(trace, &region, TRACE_WEIGHTS, weights, 0, err);
        if (ok) {
            add_repeats(trace_tokens(trace), weights, region.row0, region.row1, n, sums, counts);
        }
    }
    mem_free(weights);
    put_mean(scores, PATTERN_INDUCTION, sums[0], counts[0]);
    put_mean(scores, PATTERN_DUPLICATE, sums[1], counts[1]);
    return ok;
}

bool pattern_scores(const Trace *trace, int32_t layer, int32_t head, bool repeats,
                    PatternScores *scores, Error *err)
{
    *scores = (PatternScores){.best = -1};
    const TraceInfo *info = trace_info(trace);
    int32_t n = info->n_queries;
    TraceRows rows;
    if (trace_is_cross(trace)) {
        return error_set(err, ERR_UNSUPPORTED,
                         "patterns are defined for self-attention; this is cross attention of %d "
                         "queries at %d keys of another text",
                         n, info->n_keys);
    }
    if (!trace_rows(trace, layer, head, &rows)) {
        return error_set(err, ERR_RANGE, "layer %d, head %d is not computed yet", layer, head);
    }
    double sink = 0;
    double previous = 0;
    double self = 0;
    for (int32_t i = 0; i < n; i++) {
        self += (double)rows.self[i];
        if (i > 0) {
            sink += (double)rows.first[i];
            previous += (double)rows.previous[i];
        }
    }
    put_mean(scores, PATTERN_SINK, sink, n - 1);
    put_mean(scores, PATTERN_PREVIOUS, previous, n - 1);
    put_mean(scores, PATTERN_SELF, self, n);
    if (repeats && !score_repeats(trace, layer, head, scores, err)) {
        return false;
    }
    float most = 1;
    for (int p = 0; p < PATTERN_COUNT; p++) {
        float ratio = scores->score[p] / table[p].limit;
        /* One lucky query makes no pattern. */
        if (scores->known[p] && scores->n_queries[p] >= PATTERN_MIN_QUERIES && ratio > most) {
            most = ratio;
            scores->best = p;
        }
    }
    return true;
}
