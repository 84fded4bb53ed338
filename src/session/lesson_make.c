/* The numbers of a lesson, read from the record and computed from the model's weights. */
#include "session/lesson_internal.h"

#include <math.h>
#include <string.h>

/* ---- reading the record ---- */

typedef struct Maker {
    const LessonSource *s;
    Lesson *l;
    TapPlace place; /* of the layer, as the model counts stacks */
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
           project_head(k, model, MODEL_PROJECTION_K, group, l->n_kv_heads,
                        l->cross ? l->source : l->normed, l->m, &l->k_raw);
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

static bool read_states(Maker *k)
{
    Lesson *l = k->l;
    if (!l->cross) {
        return trace_hidden(k->s->trace, l->layer, l->rows.first, l->rows.first + l->n, l->x,
                            k->err);
    }
    l->source = floats(k, l->m, l->width);
    return l->source && lesson_cross_queries(k->s, l->layer, l->rows, l->x, k->err) &&
           lesson_cross_keys(k->s, l->keys, l->source, k->err);
}

static bool read_input(Maker *k, const Model *model)
{
    Lesson *l = k->l;
    l->x = floats(k, l->n, l->width);
    l->normed = floats(k, l->n, l->width);
    if (!l->x || !l->normed || !read_states(k)) {
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
        !lesson_dots(t, l->layer, l->head, l->query, row->dots, k->err) ||
        !trace_tile(t, &region, TRACE_SCORES, row->scores, 0, k->err) ||
        !trace_tile(t, &region, TRACE_WEIGHTS, row->weights, 0, k->err)) {
        return false;
    }
    trace_visible_keys(t, l->layer, l->query, &first, &end);
    row->n_visible = end - first;
    raw_weights(row, row->n_keys, l->temperature);
    return true;
}

static bool is_changed(const Trace *trace)
{
    const TraceParams *p = &trace_info(trace)->params;
    return (p->temperature > 0 && p->temperature != 1) || p->mask != TRACE_MASK_AUTO ||
           p->n_ablate || p->unscaled;
}

static bool baseline_fits(const Maker *k)
{
    if (!k->s->baseline) {
        return false;
    }
    const TraceInfo *a = trace_info(k->s->baseline);
    const TraceInfo *b = trace_info(k->s->trace);
    return a->n_layers == b->n_layers && a->n_heads == b->n_heads && a->head_dim == b->head_dim &&
           a->n_queries == b->n_queries && a->n_keys == b->n_keys && a->stack == b->stack &&
           trace_layers_done(k->s->baseline) > k->l->layer;
}

static bool before_of(Maker *k, const LessonPlain *plain, int32_t query, float *all)
{
    const Lesson *l = k->l;
    return baseline_fits(k)
               ? trace_row_profile(k->s->baseline, l->layer, l->head, query, all, k->err)
               : lesson_plain_row(plain, l->head, query, all, k->err);
}

/* Is there a "before", and can it be known? */
static bool has_before(Maker *k, LessonPlain *plain)
{
    Lesson *l = k->l;
    lesson_plain_of(k->s, k->s->trace, l->layer, plain);
    l->plain_scale = plain->known ? plain->args.scale : l->scale * l->temperature;
    return baseline_fits(k) || (is_changed(k->s->trace) && plain->known);
}

static bool read_before(Maker *k)
{
    Lesson *l = k->l;
    LessonPlain plain;
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
    LessonPlain plain;
    if (!has_before(k, &plain)) {
        return true;
    }
    l->row.before = row_floats(k);
    return l->row.before && before_of(k, &plain, l->query, l->row.before);
}

/* ---- all of it ---- */

static bool go_on(JobControl *control, Error *err)
{
    return !control || !atomic_load(&control->cancel) || error_set(err, ERR_CANCELLED, "cancelled");
}

bool lesson_make(const LessonSource *s, Lesson *l, JobControl *control, Error *err)
{
    const TraceInfo *info = trace_info(s->trace);
    const TraceLayer *layer = trace_layer(s->trace, l->layer);
    const Model *model = lesson_source_model(s);
    Maker k = {s, l, {model ? trace_model_stack(s->trace, model) : 0, l->layer}, err};
    ModelProjectionInfo q = {0};
    if (!layer) {
        return error_set(err, ERR_RANGE, "layer %d is not there yet", l->layer);
    }
    l->cross = info->stack == TRACE_STACK_CROSS || info->n_keys != info->n_queries;
    l->n = l->rows.count;
    l->m = l->keys.count;
    l->width = info->model_dim;
    l->head_dim = info->head_dim;
    l->n_heads = info->n_heads;
    l->n_kv_heads = info->n_kv_heads;
    l->has_values = info->has_values;
    l->has_input = l->cross ? lesson_has_cross_input(s) : info->has_hidden;
    l->has_model =
        model && l->has_input && model_projection_info(model, k.place, MODEL_PROJECTION_Q, &q);
    l->turned = l->has_model && (q.turns || q.has_norm);
    l->scale = layer->scale;
    l->temperature = info->params.temperature > 0 ? info->params.temperature : 1;
    l->ablated = trace_is_ablated(s->trace, l->layer, l->head);
    return read_vectors(&k) && read_weights(&k) && go_on(control, err) &&
           (!l->has_values || read_outputs(&k)) && go_on(control, err) &&
           (!l->has_input || read_input(&k, model)) && go_on(control, err) &&
           lesson_beside(s, l, err) && read_before(&k);
}

bool lesson_make_row(const LessonSource *s, Lesson *l, Error *err)
{
    Maker k = {.s = s, .l = l, .err = err};
    l->row = (LessonRow){0};
    return read_row(&k) && read_row_before(&k);
}

static double matrix_weights(const Model *model, TapPlace place, ModelProjection which)
{
    ModelProjectionInfo info;
    return model_projection_info(model, place, which, &info) ? (double)info.rows * info.columns : 0;
}

double lesson_cost(const LessonSource *s, const Lesson *l, bool row_only)
{
    enum { PER_WEIGHT = 12 }; /* to unpack and lay out a weight, beside using it */
    const TraceInfo *info = trace_info(s->trace);
    const Model *model = lesson_source_model(s);
    const double row = 4.0 * info->n_keys * info->head_dim;
    double sum = row;
    if (row_only) {
        return sum;
    }
    sum += 2.0 * l->rows.count * info->n_heads * row / 4 + l->rows.count * row;
    if (model && info->has_hidden) {
        const TapPlace place = {trace_model_stack(s->trace, model), l->layer};
        const bool cross = info->stack == TRACE_STACK_CROSS;
        for (int which = 0; which < MODEL_PROJECTION_COUNT; which++) {
            sum += which == MODEL_PROJECTION_V
                       ? 0
                       : PER_WEIGHT * matrix_weights(model, place, (ModelProjection)which);
        }
        sum += cross ? PER_WEIGHT * matrix_weights(model, place, MODEL_PROJECTION_O) : 0;
    }
    if (info->stack == TRACE_STACK_CROSS && s->decoder) {
        const TraceInfo *self = trace_info(s->decoder);
        sum += 4.0 * l->rows.count * self->n_heads * self->n_keys * self->head_dim;
    }
    return sum;
}
