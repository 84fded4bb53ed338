#include "session/lesson.h"

/* Which tokens of a long text teaching views open on. */

static bool two_texts(const Session *s)
{
    const TraceInfo *info = trace_info(s->trace);
    return info->stack == TRACE_STACK_CROSS || info->n_keys != info->n_queries;
}

static bool holds(LessonWindow w, int32_t token)
{
    return token >= w.first && token < w.first + w.count;
}

/* What queries of the window give to its keys, at least: of the other keys nothing is added, nor of
 * the first, which is read where there is nothing to read. */
static double mass_within(const TraceRows *rows, LessonWindow w)
{
    double sum = 0;
    for (int32_t i = w.first; i < w.first + w.count; i++) {
        int32_t best = rows->max_key[i];
        double seen = i > 0 ? (double)rows->self[i] : 0;
        seen += i > w.first && i > 1 ? (double)rows->previous[i] : 0;
        bool counted = best == i || best == i - 1 || best == 0;
        seen += !counted && holds(w, best) ? (double)rows->max_weight[i] : 0;
        sum += seen;
    }
    return sum;
}

LessonWindow session_window(const Session *s, int32_t room, bool keys)
{
    const TraceInfo *info = trace_info(s->trace);
    const Selection *sel = &s->selection;
    bool cross = two_texts(s);
    bool other = keys && cross;
    int32_t n = other ? info->n_keys : info->n_queries;
    int32_t count = AS_MIN(AS_CLAMP(room, 1, LESSON_MOST), n);
    if (sel->window_count > 0 && !other) {
        count = AS_MIN(AS_MIN(sel->window_count, LESSON_MOST), n);
        return (LessonWindow){AS_CLAMP(sel->window_first, 0, n - count), count};
    }
    int32_t at = AS_CLAMP(other ? sel->key : sel->query, 0, n - 1);
    int32_t with = cross ? at : AS_CLAMP(sel->key, 0, n - 1);
    int32_t lo = AS_MIN(at, with);
    int32_t hi = AS_MAX(at, with);
    bool both = hi - lo < count;
    const Lesson *now = s->lessons ? &s->lessons->lesson : NULL;
    if (now && now->trace_version == s->trace_version) {
        LessonWindow w = other ? now->keys : now->rows;
        if (w.count == count && w.first + count <= n && holds(w, at) && (!both || holds(w, with))) {
            return w;
        }
    }
    /* By blocks, so that it rests while the pointer moves over its tokens. */
    LessonWindow block = {AS_MIN(at / count * count, n - count), count};
    if (both && !holds(block, with)) {
        block.first = AS_CLAMP(lo - (count - (hi - lo + 1)) / 2, 0, n - count);
    }
    TraceRows rows;
    if (!both && sel->pinned && trace_rows(s->trace, sel->layer, sel->head, &rows)) {
        LessonWindow best = block;
        for (int32_t f = AS_MAX(at - count + 1, 0); f <= AS_MIN(at, n - count); f++) {
            LessonWindow w = {f, count};
            best = mass_within(&rows, w) > mass_within(&rows, best) ? w : best;
        }
        return best;
    }
    return block;
}

bool session_best_pair(const Session *s, int32_t room, int32_t *query, int32_t *key)
{
    int32_t n = trace_info(s->trace)->n_queries;
    int32_t count = AS_MIN(AS_CLAMP(room, 1, LESSON_MOST), n);
    TraceRows rows;
    if (two_texts(s) || count >= n ||
        !trace_rows(s->trace, s->selection.layer, s->selection.head, &rows)) {
        return false;
    }
    LessonWindow best = {0, count};
    double most = -1;
    for (int32_t f = 0; f < n; f += count) {
        LessonWindow w = {AS_MIN(f, n - count), count};
        double mass = mass_within(&rows, w);
        best = mass > most ? w : best;
        most = AS_MAX(mass, most);
    }
    /* A token that reads another one, as strongly as there is; else the last, which sees most. */
    *query = best.first + count - 1;
    *key = holds(best, rows.max_key[*query]) ? rows.max_key[*query] : *query;
    float strongest = 0.2f;
    for (int32_t i = best.first; i < best.first + count; i++) {
        int32_t k = rows.max_key[i];
        if (k > 0 && k != i && holds(best, k) && rows.max_weight[i] > strongest) {
            strongest = rows.max_weight[i];
            *query = i;
            *key = k;
        }
    }
    return true;
}
