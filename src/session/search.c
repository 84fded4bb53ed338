#include "session/search.h"

#include <string.h>
#include <strings.h>

/* Is the text that begins in this token one with the needle first? Tokens of no source text are
 * compared by what they print. */
bool search_matches(const Trace *trace, bool keys, const char *needle, int32_t token)
{
    const TraceToken *t = &(keys ? trace_key_tokens(trace, NULL) : trace_tokens(trace))[token];
    size_t n = strlen(needle);
    size_t n_source;
    const char *source = trace_source(trace, &n_source);
    bool own = !trace_is_cross(trace) || !keys;
    if (!n) {
        return false;
    }
    if (own && t->start >= 0 && t->end > t->start && (size_t)t->end <= n_source) {
        for (size_t at = (size_t)t->start; at < (size_t)t->end && at + n <= n_source; at++) {
            if (strncasecmp(source + at, needle, n) == 0) {
                return true;
            }
        }
        return false;
    }
    const char *text = t->text ? t->text : "";
    for (; *text; text++) {
        if (strncasecmp(text, needle, n) == 0) {
            return true;
        }
    }
    return false;
}

static int32_t length(const Trace *trace, bool keys)
{
    return keys ? trace_info(trace)->n_keys : trace_info(trace)->n_queries;
}

int32_t search_text(const Trace *trace, bool keys, const char *needle, int32_t from, int direction)
{
    int32_t n = length(trace, keys);
    for (int32_t k = 1; k <= n; k++) {
        int64_t at = ((int64_t)from + (int64_t)direction * k) % n;
        at = at < 0 ? at + n : at;
        if (search_matches(trace, keys, needle, (int32_t)at)) {
            return (int32_t)at;
        }
    }
    return -1;
}

int32_t search_count(const Trace *trace, bool keys, const char *needle)
{
    int32_t count = 0;
    for (int32_t i = 0; i < length(trace, keys); i++) {
        count += search_matches(trace, keys, needle, i);
    }
    return count;
}

int32_t search_strong(const Trace *trace, int32_t layer, int32_t head, float least, int32_t from,
                      int direction, int32_t *key)
{
    TraceRows rows;
    int32_t n = trace_info(trace)->n_queries;
    bool cross = trace_is_cross(trace);
    if (!trace_rows(trace, layer, head, &rows)) {
        return -1;
    }
    for (int32_t k = 1; k <= n; k++) {
        int64_t at = ((int64_t)from + (int64_t)direction * k) % n;
        int32_t i = (int32_t)(at < 0 ? at + n : at);
        int32_t j = rows.max_key[i];
        if (rows.max_weight[i] >= least && (cross ? j >= 0 : j > 0 && j != i)) {
            *key = j;
            return i;
        }
    }
    return -1;
}
