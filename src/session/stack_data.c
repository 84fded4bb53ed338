/* What the Stack view shows, computed at once where it is little and by a job where it is much. */
#include "session/session.h"

#include <math.h>
#include <string.h>

/* Texels to read, and multiplications, that a frame may do itself: some 10 ms. */
static const double TEXELS_AT_ONCE = 6e6;
static const double MULTIPLY_AT_ONCE = 30e6;

typedef enum StackWork { WORK_PATTERNS, WORK_ROWS, WORK_TREE } StackWork;

struct StackJob {
    StackData *owner; /* NULL once nobody waits for it */
    Trace *trace;     /* retained */
    StackWork work;
    StackPatterns patterns;
    StackRows rows;
    StackTree tree;
};

static void free_patterns(StackPatterns *p)
{
    mem_free(p->values);
    mem_free(p->similarity);
    *p = (StackPatterns){0};
}

static void free_rows(StackRows *r)
{
    mem_free(r->weights);
    mem_free(r->entropy);
    mem_free(r->pair);
    *r = (StackRows){0};
}

static void free_tree(StackTree *t)
{
    mem_free(t->steps);
    *t = (StackTree){0};
}

static bool cancelled(JobControl *control, Error *err)
{
    return control && atomic_load(&control->cancel) && !error_set(err, ERR_CANCELLED, "cancelled");
}

static int32_t first_head(StackHeads heads, int32_t head)
{
    return heads == STACK_HEADS_ONE ? head : 0;
}

static int32_t end_head(StackHeads heads, int32_t head, int32_t n_heads)
{
    return heads == STACK_HEADS_ONE ? head + 1 : n_heads;
}

/* ---- patterns ---- */

/* Texels whose weights are all masked are not there. */
static void hide_masked(const Trace *trace, const StackPatterns *p, int32_t layer, float *out)
{
    int32_t n = trace_info(trace)->n_queries;
    for (int32_t r = 0; r < p->rows; r++) {
        int32_t first = INT32_MAX;
        int32_t end = 0;
        int32_t last = AS_MIN((r + 1) * p->row_texel, n);
        for (int32_t i = r * p->row_texel; i < last; i++) {
            int32_t f;
            int32_t e;
            trace_visible_keys(trace, layer, i, &f, &e);
            first = f < e ? AS_MIN(first, f) : first;
            end = AS_MAX(end, e);
        }
        float *row = out + (size_t)r * (size_t)p->cols;
        for (int32_t c = 0; c < p->cols; c++) {
            int64_t key = (int64_t)c * p->col_texel;
            if (key >= end || key + p->col_texel <= first) {
                row[c] = -INFINITY;
            }
        }
    }
}

static bool layer_pattern(const Trace *trace, const StackPatterns *p, int32_t layer, float *scratch,
                          float *out, Error *err)
{
    size_t n = (size_t)p->rows * (size_t)p->cols;
    int32_t head = first_head(p->heads, p->head);
    int32_t end = end_head(p->heads, p->head, trace_info(trace)->n_heads);
    int32_t count = end - head;
    if (!trace_summary(trace, layer, head, TRACE_REDUCE_MAX, out, err)) {
        return false;
    }
    while (++head < end) {
        if (!trace_summary(trace, layer, head, TRACE_REDUCE_MAX, scratch, err)) {
            return false;
        }
        if (p->heads == STACK_HEADS_MAX) {
            for (size_t i = 0; i < n; i++) {
                out[i] = AS_MAX(out[i], scratch[i]);
            }
        } else {
            for (size_t i = 0; i < n; i++) {
                out[i] += scratch[i];
            }
        }
    }
    if (p->heads == STACK_HEADS_MEAN) {
        for (size_t i = 0; i < n; i++) {
            out[i] /= (float)count;
        }
    }
    return true;
}

/* Fills patterns whose first fields say of what. Any thread. */
static bool compute_patterns(const Trace *trace, StackPatterns *p, JobControl *control, Error *err)
{
    size_t n;
    if (!checked_mul((size_t)p->rows, (size_t)p->cols, &n) ||
        !checked_mul(n, (size_t)p->n_layers, &n)) {
        return error_set(err, ERR_RANGE, "%d layers of %d x %d cells are too many", p->n_layers,
                         p->rows, p->cols);
    }
    size_t layer_n = (size_t)p->rows * (size_t)p->cols;
    p->values = mem_alloc_zeroed(n, sizeof *p->values, err);
    p->similarity = mem_alloc_zeroed((size_t)p->n_layers, sizeof *p->similarity, err);
    float *scratch = mem_alloc_zeroed(layer_n, sizeof *scratch, err);
    bool ok = p->values && p->similarity && scratch;
    for (int32_t l = 0; ok && l < p->n_layers; l++) {
        float *out = p->values + (size_t)l * layer_n;
        ok = !cancelled(control, err) && layer_pattern(trace, p, l, scratch, out, err);
        if (ok) {
            p->similarity[l] = l ? stack_similarity(out - layer_n, out, p->rows, p->cols) : -1;
            hide_masked(trace, p, l, out);
        }
        if (control) {
            atomic_store(&control->total_units, (uint64_t)p->n_layers);
            atomic_store(&control->done_units, (uint64_t)l + 1);
        }
    }
    mem_free(scratch);
    return ok;
}

/* ---- rows ---- */

static bool layer_row(const Trace *trace, const StackRows *r, int32_t layer, TraceHead *heads,
                      float *out, Error *err)
{
    if (r->heads == STACK_HEADS_ONE) {
        return trace_row_profile(trace, layer, r->head, r->query, out, err);
    }
    for (int32_t h = 0; h < r->n_heads; h++) {
        heads[h] = (TraceHead){layer, h};
    }
    TraceRegion region = {
        .layer = layer, .row0 = r->query, .row1 = r->query + 1, .col1 = r->n_keys};
    TraceReduce reduce = r->heads == STACK_HEADS_MAX ? TRACE_REDUCE_MAX : TRACE_REDUCE_MEAN;
    return trace_tile_heads(trace, &region, heads, (size_t)r->n_heads, reduce, out, 0, err);
}

static bool layer_pairs(const Trace *trace, const StackRows *r, int32_t layer, Error *err)
{
    TraceRegion cell = {
        .layer = layer, .row0 = r->query, .row1 = r->query + 1, .col0 = r->key, .col1 = r->key + 1};
    for (int32_t h = 0; h < r->n_heads; h++) {
        cell.head = h;
        if (!trace_tile(trace, &cell, TRACE_WEIGHTS,
                        &r->pair[(size_t)layer * (size_t)r->n_heads + (size_t)h], 0, err)) {
            return false;
        }
    }
    return true;
}

static bool compute_rows(const Trace *trace, StackRows *r, JobControl *control, Error *err)
{
    size_t n;
    if (!checked_mul((size_t)r->n_layers, (size_t)r->n_keys, &n)) {
        return error_set(err, ERR_RANGE, "%d rows of %d keys are too many", r->n_layers, r->n_keys);
    }
    r->weights = mem_alloc_zeroed(n, sizeof *r->weights, err);
    r->entropy = mem_alloc_zeroed((size_t)r->n_layers, sizeof *r->entropy, err);
    r->pair = mem_alloc_zeroed((size_t)r->n_layers * (size_t)r->n_heads, sizeof *r->pair, err);
    TraceHead *heads = mem_alloc_zeroed((size_t)r->n_heads, sizeof *heads, err);
    bool ok = r->weights && r->entropy && r->pair && heads;
    for (int32_t l = 0; ok && l < r->n_layers; l++) {
        float *row = r->weights + (size_t)l * (size_t)r->n_keys;
        ok = !cancelled(control, err) && layer_row(trace, r, l, heads, row, err) &&
             layer_pairs(trace, r, l, err);
        r->entropy[l] = ok ? stack_entropy(row, r->n_keys) : 0;
    }
    mem_free(heads);
    return ok;
}

/* ---- sources of sources ---- */

typedef struct Reader {
    int32_t token;
    double mass;
} Reader;

/* The strongest first; few enough for an insertion sort. */
static void add_reader(Reader *readers, int32_t *n, int32_t most, int32_t token, double mass)
{
    int32_t at = 0;
    while (at < *n && readers[at].token != token) {
        at++;
    }
    if (at == *n) {
        if (*n == most) {
            return;
        }
        readers[(*n)++] = (Reader){token, 0};
    }
    Reader r = {token, readers[at].mass + mass};
    for (; at > 0 && readers[at - 1].mass < r.mass; at--) {
        readers[at] = readers[at - 1];
    }
    readers[at] = r;
}

static bool follow_level(const Trace *trace, StackTree *t, int32_t level, StackRows *scratch,
                         TraceHead *heads, Reader *readers, int32_t *n_readers, Error *err)
{
    enum { MOST_NEXT = STACK_MOST_READERS * STACK_MOST_SOURCES };
    Reader next[MOST_NEXT];
    int32_t n_next = 0;
    int32_t follow = AS_MIN(*n_readers, STACK_MOST_READERS);
    for (int32_t i = 0; i < follow; i++) {
        StackSource sources[STACK_MOST_SOURCES];
        float mass;
        scratch->query = readers[i].token;
        if (!layer_row(trace, scratch, t->layers[level], heads, scratch->weights, err)) {
            return false;
        }
        double sum = 0;
        for (int32_t j = 0; j < scratch->n_keys; j++) {
            sum += (double)scratch->weights[j];
        }
        int32_t n = stack_sources(scratch->weights, scratch->n_keys, t->coverage, sources,
                                  STACK_MOST_SOURCES, &mass);
        for (int32_t k = 0; k < n; k++) {
            double part = readers[i].mass * (double)sources[k].weight / sum;
            t->steps[t->n_steps++] =
                (StackStep){level,          t->layers[level],  readers[i].token,
                            sources[k].key, sources[k].weight, (float)part};
            add_reader(next, &n_next, MOST_NEXT, sources[k].key, part);
        }
    }
    memcpy(readers, next, (size_t)n_next * sizeof *readers);
    *n_readers = n_next;
    double followed = 0;
    for (int32_t i = 0; i < n_next; i++) {
        followed += next[i].mass;
    }
    t->followed = (float)followed;
    return true;
}

static bool compute_tree(const Trace *trace, StackTree *t, JobControl *control, Error *err)
{
    enum { MOST = STACK_MOST_READERS * STACK_MOST_SOURCES };
    const TraceInfo *info = trace_info(trace);
    StackRows scratch = {
        .heads = t->heads, .head = t->head, .n_heads = info->n_heads, .n_keys = info->n_keys};
    Reader readers[MOST] = {{t->query, 1}};
    int32_t n = 1;
    scratch.weights = mem_alloc_zeroed((size_t)info->n_keys, sizeof *scratch.weights, err);
    TraceHead *heads = mem_alloc_zeroed((size_t)info->n_heads, sizeof *heads, err);
    t->steps = mem_alloc_zeroed((size_t)t->n_levels * MOST, sizeof *t->steps, err);
    bool ok = scratch.weights && heads && t->steps;
    for (int32_t l = 0; ok && l < t->n_levels; l++) {
        ok = !cancelled(control, err) &&
             follow_level(trace, t, l, &scratch, heads, readers, &n, err);
    }
    mem_free(scratch.weights);
    mem_free(heads);
    return ok;
}

/* ---- what is asked for ---- */

static StackPatterns wanted_patterns(const Session *s)
{
    const TraceLayer *layer = trace_layer(s->trace, 0);
    return (StackPatterns){.trace_version = s->trace_version,
                           .heads = s->stack3d.heads,
                           .head = s->stack3d.heads == STACK_HEADS_ONE ? s->selection.head : 0,
                           .n_layers = s->layers_done,
                           .rows = layer ? layer->summary_rows : 0,
                           .cols = layer ? layer->summary_cols : 0,
                           .row_texel = layer ? layer->row_texel : 1,
                           .col_texel = layer ? layer->col_texel : 1};
}

static bool same_patterns(const StackPatterns *a, const StackPatterns *b)
{
    return a->trace_version == b->trace_version && a->heads == b->heads && a->head == b->head &&
           a->n_layers == b->n_layers;
}

static StackRows wanted_rows(const Session *s)
{
    const TraceInfo *info = trace_info(s->trace);
    return (StackRows){.trace_version = s->trace_version,
                       .heads = s->stack3d.heads,
                       .head = s->stack3d.heads == STACK_HEADS_ONE ? s->selection.head : 0,
                       .query = s->selection.query,
                       .key = s->selection.key,
                       .n_layers = s->layers_done,
                       .n_heads = info->n_heads,
                       .n_keys = info->n_keys};
}

static bool same_rows(const StackRows *a, const StackRows *b)
{
    return a->trace_version == b->trace_version && a->heads == b->heads && a->head == b->head &&
           a->query == b->query && a->key == b->key && a->n_layers == b->n_layers;
}

static StackData *data_of(Session *s)
{
    if (!s->stack_data) {
        s->stack_data = mem_alloc_zeroed(1, sizeof *s->stack_data, NULL);
    }
    return s->stack_data;
}

static void keep_patterns(StackData *d, StackPatterns *fresh)
{
    free_patterns(&d->patterns);
    d->patterns = *fresh;
    d->patterns.version = d->last_version + 1;
    d->last_version += (uint64_t)fresh->n_layers;
    *fresh = (StackPatterns){0};
}

static void keep_rows(StackData *d, StackRows *fresh)
{
    free_rows(&d->rows);
    d->rows = *fresh;
    *fresh = (StackRows){0};
}

static void keep_tree(StackData *d, StackTree *fresh)
{
    free_tree(&d->tree);
    d->tree = *fresh;
    *fresh = (StackTree){0};
}

/* ---- jobs ---- */

static StackJob **slot_of(StackData *d, StackWork work)
{
    return work == WORK_ROWS ? &d->rows_job : work == WORK_TREE ? &d->tree_job : &d->patterns_job;
}

static bool job_run(void *payload, JobControl *control, Error *err)
{
    StackJob *job = payload;
    switch (job->work) {
    case WORK_ROWS:
        atomic_store(&control->stage, "one token through the layers");
        return compute_rows(job->trace, &job->rows, control, err);
    case WORK_TREE:
        atomic_store(&control->stage, "sources of sources");
        return compute_tree(job->trace, &job->tree, control, err);
    default:
        atomic_store(&control->stage, "every layer");
        return compute_patterns(job->trace, &job->patterns, control, err);
    }
}

static void job_done(void *payload, bool ok, const Error *err)
{
    StackJob *job = payload;
    StackData *d = job->owner;
    if (d) {
        *slot_of(d, job->work) = NULL;
        if (!ok && err->code != ERR_CANCELLED) {
            d->failure = *err;
        }
    }
    if (ok && d && job->work == WORK_ROWS) {
        keep_rows(d, &job->rows);
    } else if (ok && d && job->work == WORK_TREE) {
        keep_tree(d, &job->tree);
    } else if (ok && d) {
        keep_patterns(d, &job->patterns);
    }
    free_tree(&job->tree);
    free_patterns(&job->patterns);
    free_rows(&job->rows);
    trace_close(job->trace);
    mem_free(job);
}

static void stop_job(Session *s, StackJob **slot, uint64_t id)
{
    if (*slot) {
        (*slot)->owner = NULL;
        jobs_cancel(s->jobs, id);
        *slot = NULL;
    }
}

/* Takes over what `like` asks for. */
static void start_job(Session *s, const StackJob *like, StackJob **slot, uint64_t *id)
{
    stop_job(s, slot, *id);
    StackJob *job = mem_alloc_zeroed(1, sizeof *job, NULL);
    if (!job) {
        return;
    }
    *job = *like;
    job->owner = s->stack_data;
    job->trace = trace_retain(s->trace);
    JobDesc desc = {.title = job->work == WORK_PATTERNS ? "layers" : "following a token",
                    .run = job_run,
                    .done = job_done,
                    .payload = job};
    *id = jobs_submit(s->jobs, &desc, NULL);
    if (!*id) {
        trace_close(job->trace);
        mem_free(job);
        return;
    }
    *slot = job;
}

const StackPatterns *session_stack_patterns(Session *s)
{
    StackData *d = s->trace && s->layers_done > 0 ? data_of(s) : NULL;
    if (!d) {
        return NULL;
    }
    StackPatterns want = wanted_patterns(s);
    if (d->patterns.values && same_patterns(&d->patterns, &want)) {
        return &d->patterns;
    }
    double heads = want.heads == STACK_HEADS_ONE ? 1 : trace_info(s->trace)->n_heads;
    double texels = heads * want.n_layers * want.rows * want.cols;
    if (texels <= TEXELS_AT_ONCE) {
        stop_job(s, &d->patterns_job, d->patterns_job_id);
        if (compute_patterns(s->trace, &want, NULL, &d->failure)) {
            keep_patterns(d, &want);
        } else {
            free_patterns(&want);
        }
    } else if ((!d->patterns_job || !same_patterns(&d->patterns_job->patterns, &want)) &&
               !d->failure.code) {
        start_job(s, &(StackJob){.patterns = want}, &d->patterns_job, &d->patterns_job_id);
    }
    return d->patterns.values && d->patterns.trace_version == s->trace_version ? &d->patterns
                                                                               : NULL;
}

const StackRows *session_stack_rows(Session *s)
{
    StackData *d = s->trace && s->layers_done > 0 ? data_of(s) : NULL;
    if (!d) {
        return NULL;
    }
    StackRows want = wanted_rows(s);
    if (d->rows.weights && same_rows(&d->rows, &want)) {
        return &d->rows;
    }
    double heads = want.heads == STACK_HEADS_ONE ? 1 : want.n_heads;
    double work = heads * want.n_layers * want.n_keys * trace_info(s->trace)->head_dim;
    if (work <= MULTIPLY_AT_ONCE) {
        stop_job(s, &d->rows_job, d->rows_job_id);
        if (compute_rows(s->trace, &want, NULL, &d->failure)) {
            keep_rows(d, &want);
        } else {
            free_rows(&want);
        }
    } else if ((!d->rows_job || !same_rows(&d->rows_job->rows, &want)) && !d->failure.code) {
        start_job(s, &(StackJob){.work = WORK_ROWS, .rows = want}, &d->rows_job, &d->rows_job_id);
    }
    return d->rows.weights && d->rows.trace_version == s->trace_version ? &d->rows : NULL;
}

static bool same_tree(const StackTree *a, const StackTree *b)
{
    return a->trace_version == b->trace_version && a->heads == b->heads && a->head == b->head &&
           a->query == b->query && a->coverage == b->coverage && a->n_levels == b->n_levels &&
           memcmp(a->layers, b->layers, sizeof a->layers) == 0;
}

const StackTree *session_stack_tree(Session *s, const int32_t *layers, int32_t n)
{
    StackData *d = s->trace && s->layers_done > 0 ? data_of(s) : NULL;
    if (!d || n < 1) {
        return NULL;
    }
    StackTree want = {.trace_version = s->trace_version,
                      .heads = s->stack3d.heads,
                      .head = s->stack3d.heads == STACK_HEADS_ONE ? s->selection.head : 0,
                      .query = s->selection.query,
                      .coverage = s->stack3d.coverage,
                      .n_levels = trace_is_cross(s->trace) ? 1 : AS_MIN(n, STACK_MOST_DEPTH)};
    memcpy(want.layers, layers, (size_t)want.n_levels * sizeof *layers);
    if (d->tree.steps && same_tree(&d->tree, &want)) {
        return &d->tree;
    }
    const TraceInfo *info = trace_info(s->trace);
    double heads = want.heads == STACK_HEADS_ONE ? 1 : info->n_heads;
    double work = heads * want.n_levels * STACK_MOST_READERS * info->n_keys * info->head_dim;
    if (work <= MULTIPLY_AT_ONCE) {
        stop_job(s, &d->tree_job, d->tree_job_id);
        if (compute_tree(s->trace, &want, NULL, &d->failure)) {
            keep_tree(d, &want);
        } else {
            free_tree(&want);
        }
    } else if ((!d->tree_job || !same_tree(&d->tree_job->tree, &want)) && !d->failure.code) {
        start_job(s, &(StackJob){.work = WORK_TREE, .tree = want}, &d->tree_job, &d->tree_job_id);
    }
    return d->tree.steps && d->tree.trace_version == s->trace_version ? &d->tree : NULL;
}

bool session_stack_settled(const Session *s)
{
    const StackData *d = s->stack_data;
    return d && ((!d->patterns_job && !d->rows_job && !d->tree_job) || d->failure.code);
}

void stack_data_free(Session *s)
{
    StackData *d = s->stack_data;
    if (!d) {
        return;
    }
    stop_job(s, &d->patterns_job, d->patterns_job_id);
    stop_job(s, &d->rows_job, d->rows_job_id);
    stop_job(s, &d->tree_job, d->tree_job_id);
    free_tree(&d->tree);
    free_patterns(&d->patterns);
    free_rows(&d->rows);
    mem_free(d);
    s->stack_data = NULL;
}
