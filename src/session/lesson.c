#include "session/lesson_internal.h"

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

bool session_is_changed(const Session *s)
{
    TraceParams p = session_params(s);
    return (p.temperature > 0 && p.temperature != 1) || p.mask != TRACE_MASK_AUTO || p.n_ablate ||
           p.unscaled;
}

/* ---- one lesson ---- */

/* A call may do this many multiplications itself: some 8 ms on one slow core. */
static const double AT_ONCE = 32e6;

struct LessonJob {
    LessonCache *cache; /* NULL once nobody waits for it */
    uint64_t id;
    LessonSource source;
    Lesson lesson; /* what is made */
    bool row_only;
};

void lesson_source_open(const Session *s, LessonSource *source)
{
    *source = (LessonSource){.trace = trace_retain(s->trace),
                             .decoder = trace_retain(s->stacks.stacks[TRACE_STACK_DECODER]),
                             .encoder = trace_retain(s->stacks.stacks[TRACE_STACK_ENCODER]),
                             .cross = trace_retain(s->stacks.stacks[TRACE_STACK_CROSS]),
                             .baseline = trace_retain(s->baseline),
                             .shared = s->model ? shared_model_retain(s->model) : NULL};
}

void lesson_source_close(LessonSource *source)
{
    trace_close(source->trace);
    trace_close(source->decoder);
    trace_close(source->encoder);
    trace_close(source->cross);
    trace_close(source->baseline);
    shared_model_release(source->shared);
    *source = (LessonSource){0};
}

const Model *lesson_source_model(const LessonSource *source)
{
    return source->shared ? source->shared->model : NULL;
}

static LessonCache *cache_of(Session *s)
{
    if (!s->lessons) {
        s->lessons = mem_alloc_zeroed(1, sizeof *s->lessons, NULL);
    }
    return s->lessons;
}

static bool same_lesson(const Lesson *a, const Lesson *b)
{
    return a->trace_version == b->trace_version && a->layer == b->layer && a->head == b->head &&
           memcmp(&a->rows, &b->rows, sizeof a->rows) == 0 &&
           memcmp(&a->keys, &b->keys, sizeof a->keys) == 0;
}

static void release(Lesson *l)
{
    arena_destroy(&l->arena);
    arena_destroy(&l->row_arena);
    *l = (Lesson){0};
}

static bool make(const LessonSource *source, Lesson *l, bool row_only, JobControl *control)
{
    l->valid = (row_only || lesson_make(source, l, control, &l->error)) &&
               lesson_make_row(source, l, &l->error);
    return l->valid;
}

/* What was made becomes what is shown; *l is empty afterwards. */
static void show(LessonCache *cache, Lesson *l, bool row_only)
{
    Lesson *now = &cache->lesson;
    if (row_only && same_lesson(now, l)) {
        arena_destroy(&now->row_arena);
        now->row_arena = l->row_arena;
        now->row = l->row;
        now->query = l->query;
        now->valid = l->valid;
        now->error = l->error;
        *l = (Lesson){0};
        return;
    }
    if (row_only) {
        release(l); /* a row alone is of no use to another lesson */
        return;
    }
    release(now);
    *now = *l;
    *l = (Lesson){0};
}

static bool job_run(void *payload, JobControl *control, Error *err)
{
    LessonJob *job = payload;
    atomic_store(&control->stage, "projections and outputs of its heads");
    if (make(&job->source, &job->lesson, job->row_only, control)) {
        return true;
    }
    *err = job->lesson.error;
    return false;
}

static void job_done(void *payload, bool ok, const Error *err)
{
    LessonJob *job = payload;
    if (job->cache) {
        job->cache->job = NULL;
        if (!ok) { /* also where it never ran */
            job->lesson.valid = false;
            job->lesson.error = *err;
        }
        if (ok || err->code != ERR_CANCELLED) {
            show(job->cache, &job->lesson, job->row_only);
        }
    }
    release(&job->lesson);
    lesson_source_close(&job->source);
    mem_free(job);
}

static void stop_job(Session *s)
{
    LessonJob *job = s->lessons->job;
    if (job) {
        job->cache = NULL; /* its `done` frees it */
        jobs_cancel(s->jobs, job->id);
        s->lessons->job = NULL;
    }
}

/* False: it could not be started. */
static bool start_job(Session *s, const LessonSource *source, const Lesson *wanted, bool row_only)
{
    LessonJob *job = mem_alloc_zeroed(1, sizeof *job, NULL);
    if (!job) {
        return false;
    }
    *job = (LessonJob){
        .cache = s->lessons, .source = *source, .lesson = *wanted, .row_only = row_only};
    JobDesc desc = {.title = "opening a layer",
                    .run = job_run,
                    .done = job_done,
                    .payload = job,
                    .lane = JOB_SHORT};
    job->id = jobs_submit(s->jobs, &desc, NULL);
    if (!job->id) {
        mem_free(job);
        return false;
    }
    s->lessons->job = job;
    return true;
}

static const Lesson *what_there_is(const Session *s)
{
    static const Lesson none = {0};
    const Lesson *l = &s->lessons->lesson;
    return l->trace_version == s->trace_version ? l : &none;
}

const Lesson *session_lesson(Session *s, int32_t room)
{
    static const Lesson no_memory = {.error = {.code = ERR_MEMORY, .message = "out of memory"}};
    LessonCache *cache = cache_of(s);
    if (!cache) {
        return &no_memory;
    }
    const Selection *sel = &s->selection;
    const Lesson *now = &cache->lesson;
    Lesson wanted = {.trace_version = s->trace_version,
                     .layer = sel->layer,
                     .head = sel->head,
                     .query = sel->query,
                     .rows = session_window(s, room, false),
                     .keys = session_window(s, room, true)};
    const bool same = same_lesson(now, &wanted);
    if (same && (now->query == sel->query || !now->valid)) {
        stop_job(s);
        return now;
    }
    if (cache->job && same_lesson(&cache->job->lesson, &wanted) &&
        cache->job->lesson.query == sel->query) {
        return what_there_is(s);
    }
    stop_job(s);
    if (same) {
        wanted = *now;
        wanted.arena = (Arena){0};
        wanted.row_arena = (Arena){0};
        wanted.query = sel->query;
    }
    LessonSource source;
    lesson_source_open(s, &source);
    const double at_once = cache->at_once > 0 ? cache->at_once : AT_ONCE;
    if (lesson_cost(&source, &wanted, same) > at_once && start_job(s, &source, &wanted, same)) {
        return what_there_is(s);
    }
    (void)make(&source, &wanted, same, NULL);
    show(cache, &wanted, same);
    lesson_source_close(&source);
    return &cache->lesson;
}

bool session_lesson_pending(const Session *s)
{
    return s->lessons && s->lessons->job;
}

/* ---- weight matrices ---- */

struct MatrixJob {
    LessonCache *cache; /* NULL once nobody waits for it */
    uint64_t id, trace_version;
    SharedModel *shared;
    TapPlace place;
    ModelProjection which;
    LessonMatrix matrix;
};

static void matrix_free(LessonMatrix *m)
{
    mem_free(m->values);
    mem_free(m->bias);
    *m = (LessonMatrix){0};
}

static bool read_matrix(const Model *model, TapPlace place, ModelProjection which, LessonMatrix *m,
                        Error *err)
{
    size_t n;
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

static void show_matrix(LessonCache *cache, ModelProjection which, LessonMatrix *m)
{
    matrix_free(&cache->matrices[which]);
    m->version = ++cache->last_version | (uint64_t)1 << 62;
    cache->matrices[which] = *m;
    *m = (LessonMatrix){0};
}

static bool matrix_run(void *payload, JobControl *control, Error *err)
{
    MatrixJob *job = payload;
    atomic_store(&control->stage, "every weight as a number");
    return read_matrix(job->shared->model, job->place, job->which, &job->matrix, err);
}

static void matrix_done(void *payload, bool ok, const Error *err)
{
    MatrixJob *job = payload;
    if (job->cache) {
        job->cache->matrix_jobs[job->which] = NULL;
        if (ok) {
            show_matrix(job->cache, job->which, &job->matrix);
        } else if (err->code != ERR_CANCELLED) {
            job->cache->matrix_error = *err;
            job->cache->matrix_failed = job->trace_version;
        }
    }
    matrix_free(&job->matrix);
    shared_model_release(job->shared);
    mem_free(job);
}

static void stop_matrix(Session *s, ModelProjection which)
{
    MatrixJob *job = s->lessons->matrix_jobs[which];
    if (job) {
        job->cache = NULL;
        jobs_cancel(s->jobs, job->id);
        s->lessons->matrix_jobs[which] = NULL;
    }
}

static bool start_matrix(Session *s, TapPlace place, ModelProjection which, const LessonMatrix *m,
                         Error *err)
{
    MatrixJob *job = mem_alloc_zeroed(1, sizeof *job, err);
    if (!job) {
        return false;
    }
    *job = (MatrixJob){.cache = s->lessons,
                       .trace_version = s->trace_version,
                       .shared = shared_model_retain(s->model),
                       .place = place,
                       .which = which,
                       .matrix = *m};
    JobDesc desc = {.title = "reading a weight matrix",
                    .run = matrix_run,
                    .done = matrix_done,
                    .payload = job,
                    .lane = JOB_SHORT};
    job->id = jobs_submit(s->jobs, &desc, err);
    if (!job->id) {
        shared_model_release(job->shared);
        mem_free(job);
        return false;
    }
    s->lessons->matrix_jobs[which] = job;
    return true;
}

/* The one on its way, or the last layer's until it is there. */
static const LessonMatrix *matrix_meanwhile(const Session *s, ModelProjection which,
                                            const LessonMatrix *wanted)
{
    const LessonMatrix *m = &s->lessons->matrices[which];
    bool alike = m->values && m->trace_version == wanted->trace_version &&
                 m->info.rows == wanted->info.rows && m->info.columns == wanted->info.columns;
    return alike ? m : NULL;
}

const LessonMatrix *session_matrix(Session *s, ModelProjection which, Error *err)
{
    LessonCache *cache = cache_of(s);
    if (!cache) {
        error_set(err, ERR_MEMORY, "out of memory");
        return NULL;
    }
    const LessonMatrix *m = &cache->matrices[which];
    if (m->trace_version == s->trace_version && m->layer == s->selection.layer) {
        stop_matrix(s, which);
        return m;
    }
    const Model *model = session_model(s);
    const TapPlace place = {model ? trace_model_stack(s->trace, model) : 0, s->selection.layer};
    LessonMatrix wanted = {.trace_version = s->trace_version, .layer = s->selection.layer};
    if (!model || !model_projection_info(model, place, which, &wanted.info)) {
        error_set(err, ERR_UNSUPPORTED,
                  "the weights are not here: open the model itself, not a saved record");
        return NULL;
    }
    if (cache->matrix_failed == s->trace_version) {
        *err = cache->matrix_error;
        return NULL;
    }
    MatrixJob *job = cache->matrix_jobs[which];
    if (job && job->trace_version == s->trace_version && job->place.layer == place.layer) {
        return matrix_meanwhile(s, which, &wanted);
    }
    stop_matrix(s, which);
    const double at_once = cache->at_once > 0 ? cache->at_once : AT_ONCE;
    if (12.0 * wanted.info.rows * wanted.info.columns > at_once) {
        return start_matrix(s, place, which, &wanted, err) ? matrix_meanwhile(s, which, &wanted)
                                                           : NULL;
    }
    if (!read_matrix(model, place, which, &wanted, err)) {
        matrix_free(&wanted);
        return NULL;
    }
    show_matrix(cache, which, &wanted);
    return m;
}

void lesson_free(LessonCache **cache)
{
    if (!*cache) {
        return;
    }
    release(&(*cache)->lesson);
    for (int i = 0; i < MODEL_PROJECTION_COUNT; i++) {
        matrix_free(&(*cache)->matrices[i]);
    }
    mem_free(*cache);
    *cache = NULL;
}
