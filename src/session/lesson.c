#include "session/lesson.h"

#include "session/run.h"

#include <math.h>
#include <string.h>

/* ---- small things ---- */

void lesson_percents(const float *parts, int32_t n, float rest_part, int *percents, int *rest)
{
    enum { MOST = LESSON_MOST + 1 };
    double exact[MOST];
    int whole[MOST];
    double sum = 0;
    AS_ASSERT(n >= 0 && n < MOST);
    for (int32_t i = 0; i <= n; i++) {
        exact[i] = AS_MAX(i < n ? (double)parts[i] : (double)rest_part, 0.0);
        sum += exact[i];
    }
    int left = sum > 0 ? 100 : 0;
    for (int32_t i = 0; i <= n; i++) {
        exact[i] = sum > 0 ? exact[i] * 100 / sum : 0;
        whole[i] = (int)exact[i];
        left -= whole[i];
    }
    for (; left > 0; left--) {
        int32_t most = 0;
        for (int32_t i = 1; i <= n; i++) {
            most = exact[i] - whole[i] > exact[most] - whole[most] ? i : most;
        }
        whole[most]++;
    }
    memcpy(percents, whole, (size_t)n * sizeof *whole);
    if (rest) {
        *rest = whole[n];
    }
}

double lesson_entropy_bits(const float *weights, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        double w = (double)weights[i];
        sum -= w > 0 ? w * log2(w) : 0;
    }
    return AS_MAX(sum, 0.0);
}

double lesson_gradient(const float *weights, int32_t n)
{
    double squares = 0;
    for (int32_t i = 0; i < n; i++) {
        squares += (double)weights[i] * (double)weights[i];
    }
    return AS_CLAMP(1 - squares, 0.0, 1.0);
}

static bool is_cross(const Session *s)
{
    const TraceInfo *info = trace_info(s->trace);
    return info->stack == TRACE_STACK_CROSS || info->n_keys != info->n_queries;
}

bool session_is_changed(const Session *s)
{
    TraceParams p = session_params(s);
    return (p.temperature > 0 && p.temperature != 1) || p.mask != TRACE_MASK_AUTO || p.n_ablate ||
           p.unscaled;
}

/* ---- reading the record ---- */

typedef struct Maker {
    Session *s;
    Lesson *l;
    TapPlace place;
    Error *err;
} Maker;

static float *floats_in(Arena *arena, Maker *k, int64_t rows, int64_t columns)
{
    return ARENA_ARRAY(arena, float, (size_t)(rows * columns), k->err);
}

static float *floats(Maker *k, int64_t rows, int64_t columns)
{
    return floats_in(&k->l->arena, k, rows, columns);
}

static float *row_floats(Maker *k)
{
    return floats_in(&k->l->row_arena, k, k->l->row.n_keys, 1);
}

static bool read_vectors(Maker *k)
{
    Lesson *l = k->l;
    const Trace *t = k->s->trace;
    int32_t r0 = l->rows.first, r1 = r0 + l->n;
    int32_t c0 = l->keys.first, c1 = c0 + l->m;
    l->q = floats(k, l->n, l->head_dim);
    l->k = floats(k, l->m, l->head_dim);
    l->v = floats(k, l->m, l->head_dim);
    if (!l->q || !l->k || !l->v || !trace_q(t, l->layer, l->head, r0, r1, l->q, k->err) ||
        !trace_k(t, l->layer, l->head, c0, c1, l->k, k->err)) {
        return false;
    }
    return !l->has_values || trace_v(t, l->layer, l->head, c0, c1, l->v, k->err);
}

static double dot(const float *a, const float *b, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

static bool read_weights(Maker *k)
{
    Lesson *l = k->l;
    const Trace *t = k->s->trace;
    TraceRegion region = {l->layer,      l->head,
                          l->rows.first, l->rows.first + l->n,
                          l->keys.first, l->keys.first + l->m};
    l->dots = floats(k, l->n, l->m);
    l->scores = floats(k, l->n, l->m);
    l->weights = floats(k, l->n, l->m);
    l->elsewhere = floats(k, l->n, 1);
    l->row_sum = floats(k, l->n, 1);
    if (!l->dots || !l->scores || !l->weights || !l->elsewhere || !l->row_sum ||
        !trace_tile(t, &region, TRACE_SCORES, l->scores, 0, k->err) ||
        !trace_tile(t, &region, TRACE_WEIGHTS, l->weights, 0, k->err) ||
        !trace_lse(t, l->layer, l->head, l->rows.first, l->rows.first + l->n, l->row_sum, k->err)) {
        return false;
    }
    for (int32_t i = 0; i < l->n; i++) {
        double sum = 0;
        int32_t first, end;
        for (int32_t j = 0; j < l->m; j++) {
            int32_t at = i * l->m + j;
            l->dots[at] = (float)dot(l->q + (ptrdiff_t)i * l->head_dim,
                                     l->k + (ptrdiff_t)j * l->head_dim, l->head_dim);
            sum += (double)l->weights[at];
        }
        trace_visible_keys(t, l->layer, l->rows.first + i, &first, &end);
        bool all = first >= l->keys.first && end <= l->keys.first + l->m;
        l->elsewhere[i] = all ? 0 : (float)AS_CLAMP(1 - sum, 0.0, 1.0);
    }
    return true;
}

static bool read_outputs(Maker *k)
{
    Lesson *l = k->l;
    const int32_t d = l->head_dim;
    l->outputs = floats(k, (int64_t)l->n_heads * l->n, d);
    l->rest = floats(k, l->n, d);
    if (!l->outputs || !l->rest) {
        return false;
    }
    for (int32_t h = 0; h < l->n_heads; h++) {
        if (!trace_output(k->s->trace, l->layer, h, l->rows.first, l->rows.first + l->n,
                          l->outputs + (ptrdiff_t)h * l->n * d, k->err)) {
            return false;
        }
    }
    const float *own = l->outputs + (ptrdiff_t)l->head * l->n * d;
    for (int32_t i = 0; i < l->n; i++) {
        for (int32_t c = 0; c < d; c++) {
            double inside = 0;
            for (int32_t j = 0; j < l->m; j++) {
                inside += (double)l->weights[i * l->m + j] * (double)l->v[(ptrdiff_t)j * d + c];
            }
            ptrdiff_t at = (ptrdiff_t)i * d + c;
            l->rest[at] =
                l->ablated || l->elsewhere[i] <= 0 ? 0 : (float)((double)own[at] - inside);
        }
    }
    return true;
}

/* ---- through the model's weights ---- */

/* The columns of one head out of [rows, all]. */
static void take_head(const float *all, int64_t stride, int32_t head, int32_t rows, int32_t d,
                      float *out)
{
    for (int32_t i = 0; i < rows; i++) {
        memcpy(out + (ptrdiff_t)i * d, all + i * stride + (ptrdiff_t)head * d,
               (size_t)d * sizeof *out);
    }
}

static bool project_head(Maker *k, const Model *model, ModelProjection which, int32_t head,
                         int32_t n_heads, const float *x, int32_t rows, float **out)
{
    const int32_t d = k->l->head_dim;
    float *all = mem_alloc((size_t)rows * (size_t)n_heads * (size_t)d * sizeof *all, k->err);
    *out = floats(k, rows, d);
    bool ok = all && *out && model_project(model, k->place, which, x, rows, all, k->err);
    if (ok) {
        take_head(all, (int64_t)n_heads * d, head, rows, d, *out);
    }
    mem_free(all);
    return ok;
}

static bool read_projections(Maker *k, const Model *model)
{
    Lesson *l = k->l;
    const int32_t group = l->head / (l->n_heads / l->n_kv_heads);
    return project_head(k, model, MODEL_PROJECTION_Q, l->head, l->n_heads, l->normed, l->n,
                        &l->q_raw) &&
           project_head(k, model, MODEL_PROJECTION_K, group, l->n_kv_heads, l->normed, l->m,
                        &l->k_raw);
}

static bool project_output(Maker *k, const Model *model)
{
    Lesson *l = k->l;
    const int32_t d = l->head_dim;
    const int64_t wide = (int64_t)l->n_heads * d;
    float *joined = mem_alloc((size_t)(l->n * wide) * sizeof *joined, k->err);
    l->attended = floats(k, l->n, l->width);
    l->after = floats(k, l->n, l->width);
    bool ok = joined && l->attended && l->after;
    for (int32_t h = 0; ok && h < l->n_heads; h++) {
        for (int32_t i = 0; i < l->n; i++) {
            memcpy(joined + i * wide + (ptrdiff_t)h * d, l->outputs + ((ptrdiff_t)h * l->n + i) * d,
                   (size_t)d * sizeof *joined);
        }
    }
    ok = ok &&
         model_project(model, k->place, MODEL_PROJECTION_O, joined, l->n, l->attended, k->err) &&
         model_attention_residual(model, k->place, l->x, l->attended, l->n, l->after, k->err);
    mem_free(joined);
    return ok;
}

static bool read_input(Maker *k, const Model *model)
{
    Lesson *l = k->l;
    l->x = floats(k, l->n, l->width);
    l->normed = floats(k, l->n, l->width);
    if (!l->x || !l->normed ||
        !trace_hidden(k->s->trace, l->layer, l->rows.first, l->rows.first + l->n, l->x, k->err)) {
        return false;
    }
    if (!l->has_model) {
        memcpy(l->normed, l->x, (size_t)l->n * (size_t)l->width * sizeof *l->x);
        return true;
    }
    l->has_norm = model_attention_input(model, k->place, l->x, l->n, l->normed);
    return read_projections(k, model) && (!l->has_values || project_output(k, model));
}

/* ---- the whole row, and what it was before a what-if ---- */

typedef struct Plain {
    bool known;
    AttnArgs args;
} Plain;

/* The layer of the stack in front, as the model counts stacks. */
static TapPlace place_of(const Session *s, int32_t layer)
{
    const Model *model = session_model(s);
    return (TapPlace){model ? trace_model_stack(s->trace, model) : 0, layer};
}

/* Attention by the architecture's word alone. */
static Plain plain_of(const Session *s, int32_t layer)
{
    Plain p = {0};
    const Model *model = session_model(s);
    const TraceInfo *info = trace_info(s->trace);
    p.known = model && info->stack == TRACE_STACK_SELF &&
              model_attention_args(model, (TapPlace){0, layer}, info->n_queries, info->n_keys, NULL,
                                   &p.args) &&
              !p.args.bias.fill;
    return p;
}

/* weights [M] of the unchanged layer for query `row` from its dots. */
static void plain_weights(const Plain *p, const float *dots, int32_t row, int32_t n, float *weights)
{
    double most = -INFINITY;
    double sum = 0;
    for (int32_t j = 0; j < n; j++) {
        bool seen = attn_mask_visible(&p->args.mask, n, row, j);
        double score = (double)p->args.scale * (double)dots[j];
        double cap = (double)p->args.soft_cap;
        score = cap > 0 ? cap * tanh(score / cap) : score;
        weights[j] = seen ? (float)score : -INFINITY;
        most = AS_MAX(most, (double)weights[j]);
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

/* dots [M] of one query. */
static bool row_dots(const Lesson *l, const Trace *t, int32_t query, float *dots, Error *err)
{
    enum { BLOCK = 256 };
    const int32_t d = l->head_dim;
    const int32_t n = trace_info(t)->n_keys;
    float *space = mem_alloc(((size_t)BLOCK + 1) * (size_t)d * sizeof *space, err);
    bool ok = space && trace_q(t, l->layer, l->head, query, query + 1, space, err);
    for (int32_t j0 = 0; ok && j0 < n; j0 += BLOCK) {
        int32_t j1 = AS_MIN(j0 + BLOCK, n);
        ok = trace_k(t, l->layer, l->head, j0, j1, space + d, err);
        for (int32_t j = j0; ok && j < j1; j++) {
            dots[j] = (float)dot(space, space + d + (ptrdiff_t)(j - j0) * d, d);
        }
    }
    mem_free(space);
    return ok;
}

/* The row with raw scores: what softmax would do without the division by sqrt(d_k). */
static void raw_weights(const LessonRow *row, int32_t n, float temperature)
{
    double most = -INFINITY;
    double sum = 0;
    for (int32_t j = 0; j < n; j++) {
        if (!isinf(row->scores[j])) {
            most = AS_MAX(most, (double)row->dots[j] / (double)temperature);
        }
    }
    for (int32_t j = 0; j < n; j++) {
        bool seen = !isinf(row->scores[j]);
        row->raw[j] = seen ? (float)exp((double)row->dots[j] / (double)temperature - most) : 0;
        sum += (double)row->raw[j];
    }
    for (int32_t j = 0; j < n; j++) {
        row->raw[j] = sum > 0 ? (float)((double)row->raw[j] / sum) : 0;
    }
}

static bool read_row(Maker *k)
{
    Lesson *l = k->l;
    LessonRow *row = &l->row;
    const Trace *t = k->s->trace;
    int32_t first, end;
    row->n_keys = trace_info(t)->n_keys;
    row->dots = row_floats(k);
    row->scores = row_floats(k);
    row->weights = row_floats(k);
    row->raw = row_floats(k);
    TraceRegion region = {l->layer, l->head, l->query, l->query + 1, 0, row->n_keys};
    if (!row->dots || !row->scores || !row->weights || !row->raw ||
        !row_dots(l, t, l->query, row->dots, k->err) ||
        !trace_tile(t, &region, TRACE_SCORES, row->scores, 0, k->err) ||
        !trace_tile(t, &region, TRACE_WEIGHTS, row->weights, 0, k->err)) {
        return false;
    }
    trace_visible_keys(t, l->layer, l->query, &first, &end);
    row->n_visible = end - first;
    raw_weights(row, row->n_keys, l->temperature);
    return true;
}

static bool baseline_fits(const Session *s)
{
    if (!s->baseline) {
        return false;
    }
    const TraceInfo *a = trace_info(s->baseline);
    const TraceInfo *b = trace_info(s->trace);
    return a->n_layers == b->n_layers && a->n_heads == b->n_heads && a->head_dim == b->head_dim &&
           a->n_queries == b->n_queries && a->n_keys == b->n_keys && a->stack == b->stack &&
           trace_layers_done(s->baseline) > s->selection.layer;
}

static bool before_of(Maker *k, const Plain *plain, int32_t query, float *all)
{
    Lesson *l = k->l;
    if (baseline_fits(k->s)) {
        return trace_row_profile(k->s->baseline, l->layer, l->head, query, all, k->err);
    }
    const int32_t n_keys = trace_info(k->s->trace)->n_keys;
    float *dots = mem_alloc((size_t)n_keys * sizeof *dots, k->err);
    bool ok = dots && row_dots(l, k->s->trace, query, dots, k->err);
    if (ok) {
        plain_weights(plain, dots, query, n_keys, all);
    }
    mem_free(dots);
    return ok;
}

/* Is there a "before", and can it be known? */
static bool has_before(Maker *k, Plain *plain)
{
    Lesson *l = k->l;
    *plain = plain_of(k->s, l->layer);
    l->plain_scale = plain->known ? plain->args.scale : l->scale * l->temperature;
    return baseline_fits(k->s) || (session_is_changed(k->s) && plain->known);
}

static bool read_before(Maker *k)
{
    Lesson *l = k->l;
    Plain plain;
    l->changed = has_before(k, &plain);
    if (!l->changed) {
        return true;
    }
    const int32_t n_keys = trace_info(k->s->trace)->n_keys;
    l->weights_before = floats(k, l->n, l->m);
    l->elsewhere_before = floats(k, l->n, 1);
    float *all = floats(k, n_keys, 1);
    if (!l->weights_before || !l->elsewhere_before || !all) {
        return false;
    }
    for (int32_t i = 0; i < l->n; i++) {
        double sum = 0;
        if (!before_of(k, &plain, l->rows.first + i, all)) {
            return false;
        }
        for (int32_t j = 0; j < l->m; j++) {
            l->weights_before[i * l->m + j] = all[l->keys.first + j];
            sum += (double)all[l->keys.first + j];
        }
        double rest = AS_CLAMP(1 - sum, 0.0, 1.0);
        l->elsewhere_before[i] = rest < 1e-6 ? 0 : (float)rest;
    }
    return true;
}

static bool read_row_before(Maker *k)
{
    Lesson *l = k->l;
    Plain plain;
    if (!has_before(k, &plain)) {
        return true;
    }
    l->row.before = row_floats(k);
    return l->row.before && before_of(k, &plain, l->query, l->row.before);
}

/* ---- all of it ---- */

static bool make(Session *s, Lesson *l, Error *err)
{
    const TraceInfo *info = trace_info(s->trace);
    const TraceLayer *layer = trace_layer(s->trace, l->layer);
    const Model *model = session_model(s);
    Maker k = {s, l, place_of(s, l->layer), err};
    ModelProjectionInfo q = {0};
    if (!layer) {
        return error_set(err, ERR_RANGE, "layer %d is not there yet", l->layer);
    }
    l->cross = is_cross(s);
    l->n = l->rows.count;
    l->m = l->keys.count;
    l->width = info->model_dim;
    l->head_dim = info->head_dim;
    l->n_heads = info->n_heads;
    l->n_kv_heads = info->n_kv_heads;
    l->has_values = info->has_values;
    l->has_input = info->has_hidden && info->stack != TRACE_STACK_CROSS;
    l->has_model =
        model && l->has_input && model_projection_info(model, k.place, MODEL_PROJECTION_Q, &q);
    l->turned = l->has_model && (q.turns || q.has_norm);
    l->scale = layer->scale;
    l->temperature = info->params.temperature > 0 ? info->params.temperature : 1;
    l->ablated = trace_is_ablated(s->trace, l->layer, l->head);
    return read_vectors(&k) && read_weights(&k) && (!l->has_values || read_outputs(&k)) &&
           (!l->has_input || read_input(&k, model)) && read_before(&k);
}

static LessonCache *cache_of(Session *s)
{
    if (!s->lessons) {
        s->lessons = mem_alloc_zeroed(1, sizeof *s->lessons, NULL);
    }
    return s->lessons;
}

static bool is_current(const Session *s, const Lesson *l, LessonWindow rows, LessonWindow keys)
{
    return l->trace_version == s->trace_version && l->layer == s->selection.layer &&
           l->head == s->selection.head && memcmp(&l->rows, &rows, sizeof rows) == 0 &&
           memcmp(&l->keys, &keys, sizeof keys) == 0;
}

const Lesson *session_lesson(Session *s, int32_t room)
{
    static const Lesson none = {.error = {.code = ERR_MEMORY, .message = "out of memory"}};
    LessonCache *cache = cache_of(s);
    if (!cache) {
        return &none;
    }
    Lesson *l = &cache->lesson;
    const Selection *sel = &s->selection;
    LessonWindow rows = session_window(s, room, false);
    LessonWindow keys = session_window(s, room, true);
    bool current = is_current(s, l, rows, keys);
    if (current && (l->query == sel->query || !l->valid)) {
        return l;
    }
    arena_destroy(&l->row_arena);
    if (!current) {
        arena_destroy(&l->arena);
        *l = (Lesson){.trace_version = s->trace_version,
                      .layer = sel->layer,
                      .head = sel->head,
                      .rows = rows,
                      .keys = keys};
        l->valid = make(s, l, &l->error);
    }
    l->query = sel->query;
    Maker k = {s, l, place_of(s, l->layer), &l->error};
    l->row = (LessonRow){0};
    l->valid = l->valid && read_row(&k) && read_row_before(&k);
    return l;
}

/* ---- weight matrices ---- */

static void matrix_free(LessonMatrix *m)
{
    mem_free(m->values);
    mem_free(m->bias);
    *m = (LessonMatrix){0};
}

static bool read_matrix(Session *s, LessonMatrix *m, ModelProjection which, Error *err)
{
    const Model *model = session_model(s);
    TapPlace place = place_of(s, s->selection.layer);
    size_t n;
    if (!model || !model_projection_info(model, place, which, &m->info)) {
        return error_set(err, ERR_UNSUPPORTED,
                         "the weights are not here: open the model itself, not a saved record");
    }
    if (!checked_mul((size_t)m->info.rows, (size_t)m->info.columns * sizeof(float), &n)) {
        return error_set(err, ERR_MEMORY, "the matrix does not fit in memory");
    }
    m->values = mem_alloc(n, err);
    m->bias = mem_alloc((size_t)m->info.rows * sizeof(float), err);
    if (!m->values || !m->bias ||
        !model_projection_read(model, place, which, m->values, m->bias, err)) {
        return false;
    }
    double squares = 0;
    for (size_t i = 0; i < n / sizeof(float); i++) {
        m->most = AS_MAX(m->most, fabsf(m->values[i]));
        squares += (double)m->values[i] * (double)m->values[i];
    }
    m->deviation = (float)sqrt(squares / (double)(n / sizeof(float)));
    return true;
}

const LessonMatrix *session_matrix(Session *s, ModelProjection which, Error *err)
{
    LessonCache *cache = cache_of(s);
    if (!cache) {
        error_set(err, ERR_MEMORY, "out of memory");
        return NULL;
    }
    LessonMatrix *m = &cache->matrices[which];
    if (m->trace_version == s->trace_version && m->layer == s->selection.layer) {
        return m;
    }
    matrix_free(m);
    if (!read_matrix(s, m, which, err)) {
        matrix_free(m);
        return NULL;
    }
    m->trace_version = s->trace_version;
    m->layer = s->selection.layer;
    m->version = ++cache->last_version | (uint64_t)1 << 62;
    return m;
}

void lesson_free(LessonCache **cache)
{
    if (!*cache) {
        return;
    }
    arena_destroy(&(*cache)->lesson.arena);
    arena_destroy(&(*cache)->lesson.row_arena);
    for (int i = 0; i < MODEL_PROJECTION_COUNT; i++) {
        matrix_free(&(*cache)->matrices[i]);
    }
    mem_free(*cache);
    *cache = NULL;
}
