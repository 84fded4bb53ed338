#include "analysis/patterns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_AT_ONCE = 64 };

/* Sums over the queries of one head. */
typedef struct Sums {
    double sum[PATTERN_COUNT];
    double chance[PATTERN_COUNT]; /* sums of rows that read everything alike */
    int32_t n[PATTERN_COUNT];
} Sums;

/* n_cells of the n_visible keys of a row have `weight` in all. */
static void add(Sums *sums, Pattern pattern, double weight, int32_t n_cells, int32_t n_visible)
{
    sums->sum[pattern] += weight;
    sums->chance[pattern] += (double)n_cells / n_visible;
    sums->n[pattern]++;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

bool pattern_is_separator(const TraceToken *token)
{
    const char *s = token->text ? token->text : "";
    bool mark = token->special;
    for (; *s && !token->special; s++) {
        if (is_letter((unsigned char)*s)) {
            return false;
        }
        mark |= *s != ' ' && *s != '\t';
    }
    return mark;
}

static bool is_word(const TraceToken *token)
{
    const char *s = token->text ? token->text : "";
    for (; *s && !token->special; s++) {
        if (is_letter((unsigned char)*s)) {
            return true;
        }
    }
    return false;
}

bool pattern_has_cell(const Trace *trace, Pattern pattern, int32_t i, int32_t j)
{
    const TraceToken *keys = trace_key_tokens(trace, NULL);
    if (pattern == PATTERN_SINK) {
        return j == 0 && (i > 0 || trace_is_cross(trace));
    }
    if (pattern == PATTERN_SEPARATOR) {
        return j > 0 && pattern_is_separator(&keys[j]);
    }
    if (trace_is_cross(trace)) {
        return false;
    }
    switch (pattern) {
    case PATTERN_PREVIOUS:
        return j == i - 1;
    case PATTERN_NEXT:
        return j == i + 1;
    case PATTERN_SELF:
        return j == i;
    case PATTERN_LOCAL:
        return abs(i - j) >= 2 && abs(i - j) <= PATTERN_LOCAL_END;
    case PATTERN_INDUCTION:
        return j > 0 && j <= i && keys[j - 1].id == keys[i].id;
    case PATTERN_DUPLICATE:
        return j < i && keys[j].id == keys[i].id;
    case PATTERN_LONG:
        return j > 0 && abs(i - j) >= PATTERN_LONG_FROM;
    default:
        return false;
    }
}

/* ---- from the statistics of rows and columns ------------------------------------------------- */

bool pattern_is_content(const Trace *trace, int32_t i, int32_t j)
{
    const TraceToken *tokens = trace_tokens(trace);
    return j > 0 && abs(i - j) > PATTERN_LOCAL_END && is_word(&tokens[j]) &&
           tokens[j].id != tokens[i].id && tokens[j - 1].id != tokens[i].id;
}

static void add_rows(const Trace *trace, int32_t layer, const TraceRows *rows, Sums *sums)
{
    bool aligned = !trace_is_cross(trace);
    for (int32_t i = 0; i < trace_info(trace)->n_queries; i++) {
        int32_t first;
        int32_t end;
        trace_visible_keys(trace, layer, i, &first, &end);
        if (first == 0 && end > 0 && (i > 0 || !aligned)) {
            add(sums, PATTERN_SINK, (double)rows->first[i], 1, end - first);
        }
        if (end - first >= 2) {
            add(sums, PATTERN_GLOBAL, (double)rows->entropy[i] / log(end - first), 0, 1);
        }
        if (!aligned) {
            continue;
        }
        if (first <= i && i < end) {
            add(sums, PATTERN_SELF, (double)rows->self[i], 1, end - first);
        }
        if (first <= i - 1 && i - 1 < end) {
            add(sums, PATTERN_PREVIOUS, (double)rows->previous[i], 1, end - first);
        }
        bool far = AS_MAX(first, 1) < i - PATTERN_LOCAL_END || end - 1 > i + PATTERN_LOCAL_END;
        if (far) {
            int32_t j = rows->max_key[i];
            double w = pattern_is_content(trace, i, j) ? (double)rows->max_weight[i] : 0;
            add(sums, PATTERN_CONTENT, w, 1, end - first);
        }
    }
}

/* Column sums of the separators, over the queries that see one. */
static bool add_separators(const Trace *trace, int32_t layer, int32_t head, Sums *sums, Error *err)
{
    int32_t m;
    const TraceToken *keys = trace_key_tokens(trace, &m);
    const float *received = trace_received(trace, layer, head);
    int32_t *before = mem_alloc(((size_t)m + 1) * sizeof *before, err);
    if (!before) {
        return false;
    }
    before[0] = 0;
    for (int32_t j = 0; j < m; j++) {
        bool is = j > 0 && pattern_is_separator(&keys[j]);
        before[j + 1] = before[j] + is;
        sums->sum[PATTERN_SEPARATOR] += is && received ? (double)received[j] : 0;
    }
    for (int32_t i = 0; i < trace_info(trace)->n_queries; i++) {
        int32_t first;
        int32_t end;
        trace_visible_keys(trace, layer, i, &first, &end);
        if (first < end && before[end] > before[first]) {
            add(sums, PATTERN_SEPARATOR, 0, before[end] - before[first], end - first);
        }
    }
    mem_free(before);
    return true;
}

/* ---- a band around the diagonal -------------------------------------------------------------- */

typedef struct Band {
    const Trace *trace;
    int32_t layer;
    const TraceRows *rows;
    TraceRegion region;
    const float *weights; /* of the region */
} Band;

static void add_band_row(const Band *band, int32_t i, Sums *sums)
{
    const TraceRegion *r = &band->region;
    const float *row = band->weights + (size_t)(i - r->row0) * (size_t)(r->col1 - r->col0);
    int32_t first;
    int32_t end;
    trace_visible_keys(band->trace, band->layer, i, &first, &end);
    double local = 0;
    double near = 0;
    int32_t n_local = 0;
    int32_t from = AS_MAX(first, i - PATTERN_LONG_FROM + 1);
    int32_t to = AS_MIN(end, i + PATTERN_LONG_FROM);
    for (int32_t j = from; j < to; j++) {
        double w = (double)row[j - r->col0];
        int32_t distance = abs(i - j);
        if (distance >= 2 && distance <= PATTERN_LOCAL_END) {
            local += w;
            n_local++;
        }
        if (j == i + 1) {
            add(sums, PATTERN_NEXT, w, 1, end - first);
        }
        near += w;
    }
    if (n_local) {
        add(sums, PATTERN_LOCAL, local, n_local, end - first);
    }
    if (AS_MAX(first, 1) <= i - PATTERN_LONG_FROM || end > i + PATTERN_LONG_FROM) {
        /* The row sums to 1, so what is neither near nor the first token is far. */
        double far = 1 - near;
        if (first == 0 && i >= PATTERN_LONG_FROM) {
            far -= (double)band->rows->first[i];
        }
        bool sees_first = first == 0 && i >= PATTERN_LONG_FROM;
        int32_t n_far = end - first - AS_MAX(to - from, 0) - sees_first;
        add(sums, PATTERN_LONG, fmax(far, 0), n_far, end - first);
    }
}

static bool add_band(const Trace *trace, int32_t layer, int32_t head, const TraceRows *rows,
                     Sums *sums, Error *err)
{
    int32_t n = trace_info(trace)->n_queries;
    size_t width = ROWS_AT_ONCE + 2 * PATTERN_LONG_FROM;
    float *weights = mem_alloc(width * ROWS_AT_ONCE * sizeof *weights, err);
    bool ok = weights;
    for (int32_t row0 = 0; ok && row0 < n; row0 += ROWS_AT_ONCE) {
        int32_t row1 = AS_MIN(row0 + ROWS_AT_ONCE, n);
        Band band = {.trace = trace,
                     .layer = layer,
                     .rows = rows,
                     .region = {layer, head, row0, row1, AS_MAX(row0 - PATTERN_LONG_FROM + 1, 0),
                                AS_MIN(row1 + PATTERN_LONG_FROM - 1, n)},
                     .weights = weights};
        ok = trace_tile(trace, &band.region, TRACE_WEIGHTS, weights, 0, err);
        for (int32_t i = row0; ok && i < row1; i++) {
            add_band_row(&band, i, sums);
        }
    }
    mem_free(weights);
    return ok;
}

/* ---- repeated tokens: only the cells that pairs of copies name ------------------------------- */

typedef struct Place {
    int32_t id, at;
} Place;

static int by_id(const void *a, const void *b)
{
    const Place *x = a;
    const Place *y = b;
    return x->id != y->id ? (x->id > y->id) - (x->id < y->id) : (x->at > y->at) - (x->at < y->at);
}

/* Places of tokens by id, each group in the order of the text. NULL on failure. */
static Place *sorted_places(const Trace *trace, Error *err)
{
    int32_t n = trace_info(trace)->n_queries;
    const TraceToken *tokens = trace_tokens(trace);
    Place *places = mem_alloc((size_t)n * sizeof *places, err);
    for (int32_t i = 0; places && i < n; i++) {
        places[i] = (Place){tokens[i].id, i};
    }
    if (places) {
        qsort(places, (size_t)n, sizeof *places, by_id);
    }
    return places;
}

/* Blocks of places, and where the group of the first of them begins: its copies are all between. */
static int32_t group_begin(const Place *places, int32_t at, int32_t last_begin)
{
    return at > 0 && places[at].id == places[at - 1].id ? last_begin : at;
}

double pattern_repeat_cells(const Trace *trace)
{
    int32_t n = trace_info(trace)->n_queries;
    Place *places = trace_is_cross(trace) ? NULL : sorted_places(trace, NULL);
    double cells = 0;
    int32_t begin = 0;
    for (int32_t at = 0; places && at < n; at++) {
        begin = group_begin(places, at, begin);
        if (at % ROWS_AT_ONCE == 0) {
            cells += 2.0 * ROWS_AT_ONCE * (at + ROWS_AT_ONCE - begin);
        }
    }
    mem_free(places);
    return cells;
}

/* weights [n_rows, 2 * n_cols]: of the places [begin, …) at themselves, then at what follows. */
static void add_copies(const Trace *trace, int32_t layer, const Place *places, int32_t row0,
                       int32_t row1, int32_t begin, const float *weights, Sums *sums)
{
    int32_t n = trace_info(trace)->n_queries;
    int32_t cols = row1 - begin;
    for (int32_t a = row0; a < row1; a++) {
        const float *row = weights + (size_t)(a - row0) * 2 * (size_t)cols;
        double same = 0;
        double after = 0;
        int32_t n_copies = 0;
        for (int32_t b = a - 1; b >= begin && places[b].id == places[a].id; b--) {
            same += (double)row[b - begin];
            after += places[b].at + 1 < n ? (double)row[cols + b - begin] : 0;
            n_copies++;
        }
        if (n_copies) {
            int32_t first;
            int32_t end;
            trace_visible_keys(trace, layer, places[a].at, &first, &end);
            add(sums, PATTERN_DUPLICATE, same, n_copies, AS_MAX(end - first, 1));
            add(sums, PATTERN_INDUCTION, after, n_copies, AS_MAX(end - first, 1));
        }
    }
}

typedef struct CopyBuffers {
    int32_t *queries, *keys; /* [ROWS_AT_ONCE], [2 * cols] */
    float *weights;
} CopyBuffers;

static bool add_block(const Trace *trace, int32_t layer, int32_t head, const Place *places,
                      int32_t row0, int32_t begin, CopyBuffers *buffers, Sums *sums, Error *err)
{
    int32_t n = trace_info(trace)->n_queries;
    int32_t row1 = AS_MIN(row0 + ROWS_AT_ONCE, n);
    int32_t cols = row1 - begin;
    size_t n_keys = 2 * (size_t)cols;
    buffers->keys = mem_alloc(n_keys * sizeof *buffers->keys, err);
    buffers->weights = mem_alloc(n_keys * ROWS_AT_ONCE * sizeof *buffers->weights, err);
    if (!buffers->keys || !buffers->weights) {
        return false;
    }
    for (int32_t a = row0; a < row1; a++) {
        buffers->queries[a - row0] = places[a].at;
    }
    for (int32_t b = 0; b < cols; b++) {
        buffers->keys[b] = places[begin + b].at;
        buffers->keys[cols + b] = AS_MIN(places[begin + b].at + 1, n - 1);
    }
    bool ok = trace_gather(trace, layer, head, buffers->queries, row1 - row0, buffers->keys,
                           (int32_t)n_keys, buffers->weights, err);
    if (ok) {
        add_copies(trace, layer, places, row0, row1, begin, buffers->weights, sums);
    }
    return ok;
}

static bool add_repeats(const Trace *trace, int32_t layer, int32_t head, Sums *sums, Error *err)
{
    int32_t n = trace_info(trace)->n_queries;
    int32_t queries[ROWS_AT_ONCE];
    Place *places = sorted_places(trace, err);
    bool ok = places;
    int32_t begin = 0;
    for (int32_t at = 0; ok && at < n; at++) {
        begin = group_begin(places, at, begin);
        if (at % ROWS_AT_ONCE == 0) {
            CopyBuffers buffers = {.queries = queries};
            ok = add_block(trace, layer, head, places, at, begin, &buffers, sums, err);
            mem_free(buffers.keys);
            mem_free(buffers.weights);
        }
    }
    mem_free(places);
    return ok;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void put_mean(PatternScores *scores, const Sums *sums, Pattern pattern)
{
    int32_t n = sums->n[pattern];
    scores->score[pattern] = n ? (float)(sums->sum[pattern] / n) : 0;
    scores->chance[pattern] = n ? (float)(sums->chance[pattern] / n) : 0;
    scores->n_queries[pattern] = n;
    scores->known[pattern] = true;
}

static float passes(const PatternScores *scores, Pattern p)
{
    /* One lucky query makes no pattern. */
    bool counts = scores->known[p] && scores->n_queries[p] >= PATTERN_MIN_QUERIES &&
                  scores->score[p] > PATTERN_ABOVE_CHANCE * scores->chance[p];
    return counts ? scores->score[p] / pattern_limit(p) : 0;
}

/* Where tokens repeat close together, cells near the diagonal are cells of repeats too: a head that
 * weighs its neighbours would be called induction. So a repeat names a head only when it wins by
 * the plain score as well; `local` contains such cells and has to be clearly above. -1: it does. */
static int near_instead(const PatternScores *scores, Pattern repeat)
{
    static const struct {
        Pattern pattern;
        float times;
    } near[] = {{PATTERN_PREVIOUS, 1},
                {PATTERN_NEXT, 1},
                {PATTERN_SELF, 1},
                {PATTERN_LOCAL, PATTERN_LOCAL_ABOVE}};
    int best = -1;
    float most = 1;
    for (size_t i = 0; i < AS_COUNT(near); i++) {
        Pattern p = near[i].pattern;
        float ratio = passes(scores, p);
        if (ratio > most && scores->score[p] >= near[i].times * scores->score[repeat]) {
            most = ratio;
            best = (int)p;
        }
    }
    return best;
}

int pattern_choose(const PatternScores *scores)
{
    static const Pattern wide[] = {PATTERN_GLOBAL, PATTERN_CONTENT, PATTERN_LONG};
    int best = -1;
    float most = 1;
    for (int p = 0; p < PATTERN_COUNT; p++) {
        bool is_wide = p == PATTERN_GLOBAL || p == PATTERN_CONTENT || p == PATTERN_LONG;
        float ratio = is_wide ? 0 : passes(scores, (Pattern)p);
        if (ratio > most) {
            most = ratio;
            best = p;
        }
    }
    if (best == PATTERN_INDUCTION || best == PATTERN_DUPLICATE) {
        int near = near_instead(scores, (Pattern)best);
        best = near >= 0 ? near : best;
    }
    for (size_t i = 0; best < 0 && i < AS_COUNT(wide); i++) {
        best = passes(scores, wide[i]) > 1 ? (int)wide[i] : -1;
    }
    return best;
}

static float place(const PatternScores *scores, Pattern p)
{
    return (int)p == scores->best ? INFINITY
           : scores->known[p]     ? scores->score[p] / pattern_limit(p)
                                  : -1;
}

void pattern_order(const PatternScores *scores, Pattern order[PATTERN_COUNT])
{
    for (int n = 0; n < PATTERN_COUNT; n++) {
        int at = n;
        for (; at > 0 && place(scores, order[at - 1]) < place(scores, (Pattern)n); at--) {
            order[at] = order[at - 1];
        }
        order[at] = (Pattern)n;
    }
}

bool pattern_scores(const Trace *trace, int32_t layer, int32_t head, PatternWork work,
                    PatternScores *scores, Error *err)
{
    static const Pattern from_rows[] = {PATTERN_PREVIOUS, PATTERN_SELF, PATTERN_CONTENT};
    static const Pattern from_band[] = {PATTERN_NEXT, PATTERN_LOCAL, PATTERN_LONG};
    static const Pattern from_repeats[] = {PATTERN_INDUCTION, PATTERN_DUPLICATE};
    *scores = (PatternScores){.best = -1};
    Sums sums = {0};
    TraceRows rows;
    bool aligned = !trace_is_cross(trace);
    if (!trace_rows(trace, layer, head, &rows)) {
        return error_set(err, ERR_RANGE, "layer %d, head %d is not computed yet", layer, head);
    }
    add_rows(trace, layer, &rows, &sums);
    if (!add_separators(trace, layer, head, &sums, err) ||
        (aligned && work >= PATTERNS_BAND && !add_band(trace, layer, head, &rows, &sums, err)) ||
        (aligned && work >= PATTERNS_REPEAT && !add_repeats(trace, layer, head, &sums, err))) {
        return false;
    }
    put_mean(scores, &sums, PATTERN_SINK);
    put_mean(scores, &sums, PATTERN_SEPARATOR);
    put_mean(scores, &sums, PATTERN_GLOBAL);
    for (size_t i = 0; aligned && i < AS_COUNT(from_rows); i++) {
        put_mean(scores, &sums, from_rows[i]);
    }
    for (size_t i = 0; aligned && work >= PATTERNS_BAND && i < AS_COUNT(from_band); i++) {
        put_mean(scores, &sums, from_band[i]);
    }
    for (size_t i = 0; aligned && work >= PATTERNS_REPEAT && i < AS_COUNT(from_repeats); i++) {
        put_mean(scores, &sums, from_repeats[i]);
    }
    scores->best = pattern_choose(scores);
    return true;
}
