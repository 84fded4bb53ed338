#include "session/choose.h"

#include "analysis/patterns.h"

/* Multiplications that opening a text may spend on this: some 20 ms. */
static const double MOST = 150e6;

void session_choose_cell(Session *session)
{
    Selection *s = &session->selection;
    TraceRows rows;
    if (!session->trace || !trace_rows(session->trace, s->layer, s->head, &rows)) {
        return;
    }
    const TraceInfo *info = trace_info(session->trace);
    const TraceToken *tokens = trace_tokens(session->trace);
    bool cross = trace_is_cross(session->trace);
    float best = -1;
    s->query = info->n_queries - 1;
    s->key = AS_MIN(s->query, info->n_keys - 1);
    for (int32_t i = 0; i < info->n_queries; i++) {
        int32_t j = rows.max_key[i];
        bool plain = j <= 0 || (!cross && (j == i || j == i - 1));
        bool follows = !cross && j > 0 && j < i && tokens[j - 1].id == tokens[i].id;
        /* Later tokens have more to choose from: a strong look there says more. */
        float late = 0.5f + 0.5f * (float)i / (float)info->n_queries;
        float w = rows.max_weight[i] *
                  (plain     ? 0.25f
                   : follows ? 1.5f
                             : 1.0f) *
                  (i > 0 ? late : 0.01f);
        if (j >= 0 && w > best) {
            best = w;
            s->query = i;
            s->key = j;
        }
    }
}

void session_choose_other_end(Session *session, bool of_query)
{
    Selection *s = &session->selection;
    TraceRows rows;
    if (!session->trace || !trace_rows(session->trace, s->layer, s->head, &rows)) {
        return;
    }
    if (of_query) {
        s->key = AS_MAX(rows.max_key[s->query], 0);
        return;
    }
    int32_t n = trace_info(session->trace)->n_queries;
    float *column = mem_alloc((size_t)n * sizeof *column, NULL);
    s->query = AS_MIN(s->key, n - 1);
    if (column && trace_column_profile(session->trace, s->layer, s->head, s->key, column, NULL)) {
        for (int32_t i = 0; i < n; i++) {
            s->query = column[i] > column[s->query] ? i : s->query;
        }
    }
    mem_free(column);
}

/* How much a head has to show: what it is best at, but resting on the first token is no sight. */
static float clarity(const PatternScores *scores)
{
    float most = 0;
    for (int p = 0; p < PATTERN_COUNT; p++) {
        if (!scores->known[p] || scores->n_queries[p] < PATTERN_MIN_QUERIES || p == PATTERN_SINK ||
            p == PATTERN_SELF || p >= PATTERN_GLOBAL) {
            continue;
        }
        float ratio = scores->score[p] / pattern_limit((Pattern)p);
        most = ratio > most ? ratio : most;
    }
    return most;
}

void session_choose_head(Session *session)
{
    const TraceInfo *info = trace_info(session->trace);
    double cost =
        (double)info->n_queries * info->n_keys * info->head_dim * info->n_layers * info->n_heads;
    float best = 1; /* nothing below a limit is worth leaving the first head for */
    if (cost > MOST || trace_is_cross(session->trace)) {
        return;
    }
    for (int32_t layer = 0; layer < trace_layers_done(session->trace); layer++) {
        for (int32_t head = 0; head < info->n_heads; head++) {
            PatternScores scores;
            if (pattern_scores(session->trace, layer, head, PATTERNS_REPEAT, &scores, NULL) &&
                clarity(&scores) > best) {
                best = clarity(&scores);
                session->selection.layer = layer;
                session->selection.head = head;
            }
        }
    }
}
