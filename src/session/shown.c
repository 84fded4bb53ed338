#include "session/shown.h"

#include <math.h>
#include <string.h>

/* Multiplications that a call may do itself: some 10 ms on one slow core. */
static const double AT_ONCE = 40e6;
/* And one job: pieces, so that tiles and other views do not wait long behind it. */
static const double A_JOB = 2e9;
/* Sources whose rows are kept; rows of a column that are read at a time. */
enum { KEPT = 4, COLUMN_ROWS = 1024 };

/* Whose rows, row and column these are. */
typedef struct ShownId {
    uint64_t trace_version, source;
    int32_t layer, head;
} ShownId;

typedef struct ShownJob {
    Session *session; /* NULL once nobody waits for it */
    Trace *trace;     /* retained */
    WeightSource source;
    int32_t row0, row1;
    ShownRows rows; /* of these rows; arrays as long as the whole */
    ShownProfile profile;
    bool is_profile;
    int32_t parts_before;
} ShownJob;

struct ShownState {
    ShownRows rows[KEPT];
    ShownProfile profile;
    ShownJob *rows_job, *profile_job;
    uint64_t rows_job_id, profile_job_id;
    uint64_t tick;
    Error failure;
    ShownId failed; /* … of that */
    struct {        /* what is wished for now */
        int32_t row0, row1;
        bool all;
    } want;
    WeightSource source;
};

static ShownId id_of_rows(const ShownRows *r)
{
    return (ShownId){r->trace_version, r->source, r->layer, r->head};
}

static ShownId id_of_profile(const ShownProfile *p)
{
    return (ShownId){p->trace_version, p->source, p->layer, p->head};
}

static bool same_id(ShownId a, ShownId b)
{
    return a.trace_version == b.trace_version && a.source == b.source && a.layer == b.layer &&
           a.head == b.head;
}

/* ---- memory ---- */

static void free_rows(ShownRows *rows)
{
    mem_free(rows->block);
    *rows = (ShownRows){0};
}

static bool reserve_rows(ShownRows *rows, int32_t n_queries, int32_t n_keys, Error *err)
{
    size_t n = (size_t)n_queries;
    size_t m = (size_t)n_keys;
    size_t parts = (n + SHOWN_PART - 1) / SHOWN_PART;
    rows->n_queries = n_queries;
    rows->n_keys = n_keys;
    rows->n_parts = (int32_t)parts;
    rows->block = mem_alloc_zeroed(m * sizeof(double) + 5 * n * sizeof(float) + parts, 1, err);
    if (!rows->block) {
        return false;
    }
    rows->received = rows->block;
    rows->row_max = (float *)(rows->received + m);
    rows->total = rows->row_max + n;
    rows->others = rows->total + n;
    rows->entropy = rows->others + n;
    rows->visible = (int32_t *)(rows->entropy + n);
    rows->done = (unsigned char *)(rows->visible + n);
    return true;
}

static bool reserve_profile(ShownProfile *p, const TraceInfo *info, Error *err)
{
    p->row = mem_alloc(((size_t)info->n_keys + (size_t)info->n_queries) * sizeof(float), err);
    p->column = p->row + info->n_keys;
    return p->row;
}

static void free_job(ShownJob *job)
{
    trace_close(job->trace);
    free_rows(&job->rows);
    mem_free(job->profile.row);
    mem_free(job);
}

static int32_t heads_of(const WeightSource *source)
{
    return source->combine == COMBINE_ONE ? 1 : source->set.n;
}

/* ---- profiles ---- */

/* In strips: the weights of hidden keys of all rows at once would not fit. */
static bool read_column(const Trace *trace, const WeightSource *source, ShownProfile *p,
                        JobControl *control, Error *err)
{
    int32_t n = trace_info(trace)->n_queries;
    for (int32_t row0 = 0; row0 < n; row0 += COLUMN_ROWS) {
        TraceRegion region = {p->layer, p->head,   row0, AS_MIN(row0 + COLUMN_ROWS, n),
                              p->key,   p->key + 1};
        if (control && atomic_load(&control->cancel)) {
            return error_set(err, ERR_CANCELLED, "cancelled");
        }
        if (!weight_source_read(trace, source, &region, p->column + row0, NULL, err)) {
            return false;
        }
        for (int32_t i = row0; i < region.row1; i++) {
            p->received += isinf(p->column[i]) ? 0 : (double)p->column[i];
        }
    }
    return true;
}

static bool read_profile(const Trace *trace, const WeightSource *source, ShownProfile *p,
                         JobControl *control, Error *err)
{
    int32_t m = trace_info(trace)->n_keys;
    TraceRegion region = {p->layer, p->head, p->query, p->query + 1, 0, m};
    double p_log_p = 0;
    p->row_first = m;
    if (!weight_source_read(trace, source, &region, p->row, NULL, err)) {
        return false;
    }
    for (int32_t j = 0; j < m; j++) {
        if (isinf(p->row[j])) {
            continue;
        }
        double w = (double)p->row[j];
        p->row_first = AS_MIN(p->row_first, j);
        p->row_end = j + 1;
        p->row_sum += w;
        p_log_p += w > 0 ? w * log(w) : 0;
    }
    p->row_first = AS_MIN(p->row_first, p->row_end);
    p->entropy = p->row_sum > 0 ? (float)fmax(log(p->row_sum) - p_log_p / p->row_sum, 0) : 0;
    return read_column(trace, source, p, control, err);
}

/* ---- jobs ---- */

static void wish_rows(Session *s, ShownRows *rows);

static ShownRows *find_rows(struct ShownState *v, const ShownId *id)
{
    for (int i = 0; i < KEPT; i++) {
        ShownRows *r = &v->rows[i];
        if (r->block && same_id(id_of_rows(r), *id)) {
            return r;
        }
    }
    return NULL;
}

static bool job_run(void *payload, JobControl *control, Error *err)
{
    ShownJob *job = payload;
    if (job->is_profile) {
        atomic_store(&control->stage, "row and column of what is shown");
        return read_profile(job->trace, &job->source, &job->profile, control, err);
    }
    atomic_store(&control->stage, "rows of what is shown");
    atomic_store(&control->total_units, (uint64_t)job->rows.n_parts);
    atomic_store(&control->done_units, (uint64_t)job->parts_before);
    return shown_rows_compute(job->trace, &job->source, job->rows.layer, job->rows.head, job->row0,
                              job->row1, &job->rows, control, err);
}

static void take_rows(ShownRows *to, const ShownRows *from, int32_t row0, int32_t row1)
{
    size_t at = (size_t)row0;
    size_t n = (size_t)(row1 - row0) * sizeof(float);
    memcpy(to->row_max + at, from->row_max + at, n);
    memcpy(to->total + at, from->total + at, n);
    memcpy(to->others + at, from->others + at, n);
    memcpy(to->entropy + at, from->entropy + at, n);
    memcpy(to->visible + at, from->visible + at, n);
    for (int32_t j = 0; !to->received_known && j < to->n_keys; j++) {
        to->received[j] += from->received[j];
    }
    for (int32_t p = row0 / SHOWN_PART; p * SHOWN_PART < row1; p++) {
        to->done[p] = 1;
        to->parts_done++;
    }
}

static void fail(Session *s, ShownId id, const Error *err)
{
    s->shown->failure = *err;
    s->shown->failed = id;
}

static bool has_failed(const struct ShownState *v, ShownId id)
{
    return v->failure.code && same_id(v->failed, id);
}

static void job_done(void *payload, bool ok, const Error *err)
{
    ShownJob *job = payload;
    Session *s = job->session;
    if (s && job->is_profile) {
        s->shown->profile_job = NULL;
        if (ok) {
            mem_free(s->shown->profile.row);
            s->shown->profile = job->profile;
            job->profile.row = NULL;
        }
    } else if (s) {
        s->shown->rows_job = NULL;
        ShownId id = id_of_rows(&job->rows);
        ShownRows *rows = find_rows(s->shown, &id);
        if (ok && rows) {
            take_rows(rows, &job->rows, job->row0, job->row1);
            wish_rows(s, rows);
        }
    }
    if (s && !ok) {
        fail(s, job->is_profile ? id_of_profile(&job->profile) : id_of_rows(&job->rows), err);
    }
    if (s) {
        s->version++;
    }
    free_job(job);
}

static ShownJob *submit(Session *s, const ShownJob *from, const char *title, uint64_t *id,
                        Error *err)
{
    ShownJob *job = mem_alloc(sizeof *job, err);
    if (!job) {
        return NULL;
    }
    *job = *from;
    job->session = s;
    job->trace = trace_retain(s->trace);
    JobDesc desc = {
        .title = title, .run = job_run, .done = job_done, .payload = job, .lane = JOB_SHORT};
    *id = jobs_submit(s->jobs, &desc, err);
    if (!*id) {
        trace_close(job->trace);
        mem_free(job);
        return NULL;
    }
    return job;
}

static void drop_job(Session *s, ShownJob **job, uint64_t id)
{
    if (*job) {
        (*job)->session = NULL;
        jobs_cancel(s->jobs, id);
        *job = NULL;
    }
}

/* ---- rows ---- */

/* Parts [*p0, *p1) that are missing and wished for, at most `most`. */
static bool next_parts(const ShownRows *rows, int32_t row0, int32_t row1, bool all, int32_t most,
                       int32_t *p0, int32_t *p1)
{
    int32_t ends[2][2] = {{row0 / SHOWN_PART, (row1 + SHOWN_PART - 1) / SHOWN_PART},
                          {0, all ? rows->n_parts : 0}};
    for (int i = 0; i < 2; i++) {
        int32_t end = AS_MIN(ends[i][1], rows->n_parts);
        for (int32_t p = ends[i][0]; p < end; p++) {
            if (!rows->done[p]) {
                *p0 = p;
                for (*p1 = p; *p1 < end && *p1 - p < most && !rows->done[*p1];) {
                    ++*p1;
                }
                return true;
            }
        }
    }
    return false;
}

static void wish_rows(Session *s, ShownRows *rows)
{
    struct ShownState *v = s->shown;
    double cost = shown_part_cost(s->trace, &v->source);
    int32_t p0;
    int32_t p1;
    if (v->rows_job || rows->trace_version != s->trace_version ||
        rows->source != weight_source_id(&v->source) || has_failed(v, id_of_rows(rows)) ||
        !next_parts(rows, v->want.row0, v->want.row1, v->want.all,
                    AS_MAX((int32_t)(A_JOB / cost), 1), &p0, &p1)) {
        return;
    }
    int32_t row1 = AS_MIN(p1 * SHOWN_PART, rows->n_queries);
    Error err = {0};
    if (cost * (p1 - p0) <= AT_ONCE) {
        ShownRows *own = rows; /* sums of columns go straight to where they belong */
        double *received = rows->received;
        double *unused = NULL;
        if (rows->received_known) {
            unused = mem_alloc_zeroed((size_t)rows->n_keys, sizeof *unused, &err);
            own->received = unused;
        }
        bool ok = own->received && shown_rows_compute(s->trace, &v->source, rows->layer, rows->head,
                                                      p0 * SHOWN_PART, row1, own, NULL, &err);
        rows->received = received;
        mem_free(unused);
        if (ok) {
            memset(rows->done + p0, 1, (size_t)(p1 - p0));
            rows->parts_done += p1 - p0;
        } else {
            fail(s, id_of_rows(rows), &err);
            free_rows(rows); /* columns may have parts of what was not finished */
        }
        return;
    }
    ShownJob job = {.source = v->source,
                    .row0 = p0 * SHOWN_PART,
                    .row1 = row1,
                    .parts_before = rows->parts_done};
    if (!reserve_rows(&job.rows, rows->n_queries, rows->n_keys, &err)) {
        fail(s, id_of_rows(rows), &err);
        return;
    }
    job.rows.trace_version = rows->trace_version;
    job.rows.source = rows->source;
    job.rows.layer = rows->layer;
    job.rows.head = rows->head;
    v->rows_job = submit(s, &job, "profiles", &v->rows_job_id, &err);
    if (!v->rows_job) {
        free_rows(&job.rows);
        fail(s, id_of_rows(rows), &err);
    }
}

/* Sums are linear: a mean's columns are the mean of the heads'. A maximum's largest is the heads'
 * largest. */
static void from_heads(const Trace *trace, const WeightSource *source, ShownRows *rows)
{
    if (source->combine == COMBINE_ONE || weight_source_filters(source)) {
        return;
    }
    bool mean = source->combine == COMBINE_MEAN;
    for (int32_t h = 0; h < source->set.n; h++) {
        HeadRef at = source->set.heads[h];
        const float *received = trace_received(trace, at.layer, at.head);
        TraceRows of;
        if ((mean && !received) || (!mean && !trace_rows(trace, at.layer, at.head, &of))) {
            return;
        }
        for (int32_t j = 0; mean && j < rows->n_keys; j++) {
            rows->received[j] += (double)received[j] / source->set.n;
        }
        for (int32_t i = 0; !mean && i < rows->n_queries; i++) {
            rows->row_max[i] = fmaxf(rows->row_max[i], of.max_weight[i]);
        }
    }
    rows->received_known = mean;
    rows->row_max_known = !mean;
}

static bool is_ready(const Session *s, const WeightSource *source)
{
    if (!s->trace) {
        return false;
    }
    bool ready = source->combine != COMBINE_ONE || session_layer_ready(s);
    for (int32_t h = 0; source->combine != COMBINE_ONE && h < source->set.n; h++) {
        ready &= source->set.heads[h].layer < s->layers_done;
    }
    return ready;
}

static struct ShownState *state_of(Session *s)
{
    if (!s->shown) {
        s->shown = mem_alloc_zeroed(1, sizeof *s->shown, NULL);
    }
    return s->shown;
}

static ShownRows *begin(Session *s, const WeightSource *source, const ShownId *id)
{
    struct ShownState *v = s->shown;
    const TraceInfo *info = trace_info(s->trace);
    ShownRows *oldest = &v->rows[0];
    for (int i = 1; i < KEPT; i++) {
        oldest = v->rows[i].used < oldest->used ? &v->rows[i] : oldest;
    }
    free_rows(oldest);
    if (!reserve_rows(oldest, info->n_queries, info->n_keys, NULL)) {
        return NULL;
    }
    oldest->trace_version = id->trace_version;
    oldest->source = id->source;
    oldest->layer = id->layer;
    oldest->head = id->head;
    from_heads(s->trace, source, oldest);
    return oldest;
}

/* What a pixel shows, and by what it is divided, changes nothing in the rows. */
static WeightSource exact_source(const WeightSource *source)
{
    WeightSource exact = *source;
    exact.mean = exact.by_row = false;
    return exact;
}

static ShownId id_of(const Session *s, const WeightSource *exact)
{
    bool one = exact->combine == COMBINE_ONE;
    return (ShownId){.trace_version = s->trace_version,
                     .source = weight_source_id(exact),
                     .layer = one ? s->selection.layer : exact->set.heads[0].layer,
                     .head = one ? s->selection.head : 0};
}

const ShownRows *session_shown_rows(Session *s, const WeightSource *source, int32_t row0,
                                    int32_t row1, bool all)
{
    WeightSource exact = exact_source(source);
    if (!is_ready(s, &exact) || !state_of(s)) {
        return NULL;
    }
    struct ShownState *v = s->shown;
    ShownId id = id_of(s, &exact);
    ShownRows *rows = find_rows(v, &id);
    if (!rows) {
        rows = begin(s, &exact, &id);
    }
    if (!rows) {
        return NULL;
    }
    rows->used = ++v->tick;
    if (v->rows_job && !same_id(id_of_rows(&v->rows_job->rows), id)) {
        drop_job(s, &v->rows_job, v->rows_job_id);
    }
    v->source = exact;
    v->want.row0 = AS_CLAMP(row0, 0, rows->n_queries);
    v->want.row1 = AS_CLAMP(row1, v->want.row0, rows->n_queries);
    v->want.all = all;
    wish_rows(s, rows);
    return rows->block ? rows : NULL;
}

bool shown_rows_has(const ShownRows *rows, int32_t row0, int32_t row1)
{
    if (!rows->block) {
        return false;
    }
    for (int32_t p = row0 / SHOWN_PART; p * SHOWN_PART < row1; p++) {
        if (!rows->done[p]) {
            return false;
        }
    }
    return true;
}

bool shown_rows_has_max(const ShownRows *rows, int32_t row0, int32_t row1)
{
    return (rows->block && rows->row_max_known) || shown_rows_has(rows, row0, row1);
}

bool shown_rows_has_received(const ShownRows *rows)
{
    return rows->block && (rows->received_known || rows->parts_done == rows->n_parts);
}

/* ---- the selection's row and column ---- */

static bool same_profile(const ShownProfile *a, const ShownProfile *b)
{
    return same_id(id_of_profile(a), id_of_profile(b)) && a->query == b->query && a->key == b->key;
}

const ShownProfile *session_shown_profile(Session *s, const WeightSource *source)
{
    ShownJob job = {.source = exact_source(source), .is_profile = true};
    const Selection *sel = &s->selection;
    if (!is_ready(s, &job.source) || !state_of(s)) {
        return NULL;
    }
    struct ShownState *v = s->shown;
    ShownId id = id_of(s, &job.source);
    job.profile = (ShownProfile){.trace_version = id.trace_version,
                                 .source = id.source,
                                 .layer = id.layer,
                                 .head = id.head,
                                 .query = sel->query,
                                 .key = sel->key};
    if (v->profile.row && same_profile(&v->profile, &job.profile)) {
        return &v->profile;
    }
    if (v->profile_job && same_profile(&v->profile_job->profile, &job.profile)) {
        return NULL;
    }
    drop_job(s, &v->profile_job, v->profile_job_id);
    Error err = {0};
    if (has_failed(v, id) || !reserve_profile(&job.profile, trace_info(s->trace), &err)) {
        return NULL;
    }
    const TraceInfo *info = trace_info(s->trace);
    double hidden = weight_source_count_hidden(s->trace, &job.source);
    double cost = heads_of(&job.source) * info->head_dim *
                  (info->n_keys + hidden + info->n_queries * (1 + hidden));
    if (cost <= AT_ONCE) {
        if (read_profile(s->trace, &job.source, &job.profile, NULL, &err)) {
            mem_free(v->profile.row);
            v->profile = job.profile;
            return &v->profile;
        }
        fail(s, id, &err);
    } else {
        v->profile_job = submit(s, &job, "profiles", &v->profile_job_id, &err);
        if (v->profile_job) {
            return NULL;
        }
    }
    mem_free(job.profile.row);
    return NULL;
}

const Error *shown_failure(const Session *s, const WeightSource *source)
{
    static const Error none = {0};
    WeightSource exact = exact_source(source);
    return s->shown && has_failed(s->shown, id_of(s, &exact)) ? &s->shown->failure : &none;
}

void shown_again(Session *s)
{
    if (s->shown) {
        s->shown->failure = (Error){0};
    }
}

void shown_clear(Session *s)
{
    struct ShownState *v = s->shown;
    if (!v) {
        return;
    }
    drop_job(s, &v->rows_job, v->rows_job_id);
    drop_job(s, &v->profile_job, v->profile_job_id);
    for (int i = 0; i < KEPT; i++) {
        free_rows(&v->rows[i]);
    }
    mem_free(v->profile.row);
    *v = (struct ShownState){.tick = v->tick};
}

void shown_free(Session *s)
{
    shown_clear(s);
    mem_free(s->shown);
    s->shown = NULL;
}
