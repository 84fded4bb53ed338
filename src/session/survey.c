#include "session/survey.h"

#include "session/journal.h"
#include "session/run.h"
#include "session/survey_cards.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Multiplications of all repeats together (induction, duplicate): some minutes at the most. */
static const double REPEATS_MOST = 4e12;
/* Multiplications that a call may do itself: some 10 ms on one slow core. */
static const double AT_ONCE = 30e6;

/* Steps: the prediction, then one per layer, then the cards, then the end. */
enum { STEP_NEXT = 0, STEP_FIRST_LAYER = 1 };

struct SurveyJob {
    Session *session; /* NULL once nobody waits for it */
    uint64_t trace_version;
    Trace *trace;        /* retained */
    SharedModel *shared; /* retained; may be NULL */
    int step;            /* -1: a row */
    int32_t query;       /* of a row */
    int32_t n_layers;
    bool repeats;
    SurveyHead *heads; /* [H] of a layer, or [L, H] for the cards; owned */
    double *received;  /* [M] owned */
    double first_self;
    float *row; /* [M] owned */
    SurveyCard cards[SURVEY_CARDS];
    int n_cards;
    SurveyNext next[SURVEY_NEXT];
    int n_next;
    int32_t next_at;
    bool next_is_mask;
    SurveyLens *lens; /* owned */
    int32_t n_lens;
};

static void free_job(SurveyJob *job)
{
    trace_close(job->trace);
    shared_model_release(job->shared);
    mem_free(job->heads);
    mem_free(job->received);
    mem_free(job->row);
    mem_free(job->lens);
    mem_free(job);
}

/* ---- one layer ---- */

static void score_rows(const Trace *trace, int32_t layer, int32_t head, SurveyHead *out)
{
    const TraceInfo *info = trace_info(trace);
    TraceRows rows;
    if (!trace_rows(trace, layer, head, &rows)) {
        return;
    }
    double entropy = 0;
    double distance = 0;
    for (int32_t i = 0; i < info->n_queries; i++) {
        entropy += (double)rows.entropy[i];
        distance += (double)rows.distance[i];
    }
    out->entropy = (float)(entropy / info->n_queries / log(2));
    out->distance = (float)(distance / info->n_queries);
    survey_find_content(trace, &rows, out);
}

static bool score_layer(SurveyJob *job, int32_t layer, JobControl *control, Error *err)
{
    const TraceInfo *info = trace_info(job->trace);
    job->heads = mem_alloc_zeroed((size_t)info->n_heads, sizeof *job->heads, err);
    job->received = mem_alloc_zeroed((size_t)info->n_keys, sizeof *job->received, err);
    if (!job->heads || !job->received) {
        return false;
    }
    for (int32_t head = 0; head < info->n_heads; head++) {
        SurveyHead *out = &job->heads[head];
        if (atomic_load(&control->cancel)) {
            return error_set(err, ERR_CANCELLED, "cancelled");
        }
        out->scores.best = -1;
        if (!pattern_scores(job->trace, layer, head, job->repeats ? PATTERNS_REPEAT : PATTERNS_BAND,
                            &out->scores, err)) {
            return false;
        }
        score_rows(job->trace, layer, head, out);
        const float *received = trace_received(job->trace, layer, head);
        for (int32_t j = 0; received && j < info->n_keys; j++) {
            job->received[j] += (double)received[j];
        }
        TraceRows rows;
        if (trace_rows(job->trace, layer, head, &rows)) {
            job->first_self += (double)rows.self[0];
        }
    }
    return true;
}

/* ---- the prediction ---- */

static int32_t place_of_prediction(const SurveyJob *job, bool *is_mask)
{
    const TraceInfo *info = trace_info(job->trace);
    const TraceToken *tokens = trace_tokens(job->trace);
    *is_mask = false;
    if (info->stack != TRACE_STACK_SELF) { /* of encoder-decoders the decoder alone predicts */
        return info->stack == TRACE_STACK_ENCODER ? -1 : info->n_queries - 1;
    }
    const ModelInfo *model = model_info(job->shared->model);
    if (model->stacks[0].kind == MODEL_STACK_DECODER) {
        return info->n_queries - 1;
    }
    if (model->image.side > 0) {
        return 0; /* a picture's class is read off its first token */
    }
    int32_t mask =
        job->shared->tokenizer ? tokenizer_special_id(job->shared->tokenizer, SPECIAL_MASK) : -1;
    for (int32_t i = 0; mask >= 0 && i < info->n_queries; i++) {
        if (tokens[i].id == mask) {
            *is_mask = true;
            return i;
        }
    }
    return -1;
}

static void name_next(const SurveyJob *job, SurveyNext *next)
{
    Arena arena = {0};
    size_t n = 0;
    Error none = {0};
    /* Only decoders of two stacks have another tokenizer for what they write. */
    const Tokenizer *tokenizer =
        job->shared->tokenizer ? tokenizer_for_target(job->shared->tokenizer) : NULL;
    char *text = tokenizer ? tokenizer_token_text(tokenizer, next->id, &arena, &n, &none) : NULL;
    const char *class_name = model_info(job->shared->model)->image.side > 0
                                 ? model_class_name(job->shared->model, next->id)
                                 : NULL;
    if (class_name) {
        snprintf(next->label, sizeof next->label, "%s", class_name);
        text_make_line(next->label);
    } else if (text && utf8_count_invalid(text, n)) {
        token_bytes_label(text, n, next->label);
    } else {
        TraceToken token = {.id = next->id, .text = text ? text : ""};
        token_label(&token, next->label);
    }
    next->special =
        job->shared->tokenizer && tokenizer_is_special(job->shared->tokenizer, next->id);
    arena_destroy(&arena);
}

/* The same place after each layer. Without memory for it there is none. */
static void find_lens(SurveyJob *job, int32_t at)
{
    int32_t n = trace_info(job->trace)->n_layers + 1;
    TraceLens *lens = mem_alloc((size_t)n * sizeof *lens, NULL);
    job->lens = mem_alloc_zeroed((size_t)n, sizeof *job->lens, NULL);
    if (lens && job->lens && trace_lens(job->trace, job->shared->model, at, lens, NULL)) {
        for (int32_t i = 0; i < n; i++) {
            job->lens[i] =
                (SurveyLens){.top = {.id = lens[i].id, .probability = lens[i].probability},
                             .of_final = lens[i].of_final,
                             .rank_of_final = lens[i].rank_of_final};
            name_next(job, &job->lens[i].top);
        }
        job->n_lens = n;
    }
    mem_free(lens);
}

/* Softmax in double over the whole vocabulary, then the largest. */
static bool find_next(SurveyJob *job, Error *err)
{
    if (!job->shared || !model_info(job->shared->model)->has_logits ||
        !trace_info(job->trace)->has_hidden) {
        return true;
    }
    int32_t at = place_of_prediction(job, &job->next_is_mask);
    if (at < 0) {
        return true;
    }
    int32_t n = trace_info(job->trace)->n_vocab;
    float *logits = mem_alloc((size_t)n * sizeof *logits, err);
    if (!logits || !trace_logits(job->trace, job->shared->model, at, at + 1, logits, err)) {
        mem_free(logits);
        return false;
    }
    double most = -INFINITY;
    double sum = 0;
    for (int32_t v = 0; v < n; v++) {
        most = fmax(most, (double)logits[v]);
    }
    for (int32_t v = 0; v < n; v++) {
        sum += exp((double)logits[v] - most);
    }
    for (int k = 0; k < SURVEY_NEXT && k < n; k++) {
        int32_t best = 0;
        for (int32_t v = 1; v < n; v++) {
            best = logits[v] > logits[best] ? v : best;
        }
        job->next[k] = (SurveyNext){.id = best,
                                    .probability = (float)(exp((double)logits[best] - most) / sum)};
        logits[best] = -INFINITY;
        job->n_next = k + 1;
    }
    mem_free(logits);
    job->next_at = at;
    for (int k = 0; k < job->n_next; k++) {
        name_next(job, &job->next[k]);
    }
    find_lens(job, at);
    return true;
}

/* ---- a row ---- */

static bool mean_row(const Trace *trace, int32_t n_layers, int32_t query, float *out,
                     JobControl *control, Error *err)
{
    const TraceInfo *info = trace_info(trace);
    size_t m = (size_t)info->n_keys;
    double *sum = mem_alloc_zeroed(m, sizeof *sum, err);
    bool ok = sum;
    for (int32_t layer = 0; ok && layer < n_layers; layer++) {
        if (control) {
            atomic_store(&control->total_units, (uint64_t)n_layers);
            atomic_store(&control->done_units, (uint64_t)layer);
            if (atomic_load(&control->cancel)) {
                ok = error_set(err, ERR_CANCELLED, "cancelled");
            }
        }
        for (int32_t head = 0; ok && head < info->n_heads; head++) {
            ok = trace_row_profile(trace, layer, head, query, out, err);
            for (size_t j = 0; ok && j < m; j++) {
                sum[j] += (double)out[j];
            }
        }
    }
    double n = (double)n_layers * info->n_heads;
    for (size_t j = 0; ok && j < m; j++) {
        out[j] = (float)(sum[j] / n);
    }
    mem_free(sum);
    return ok;
}

/* ---- jobs ---- */

static bool job_run(void *payload, JobControl *control, Error *err)
{
    SurveyJob *job = payload;
    if (job->step < 0) {
        return mean_row(job->trace, job->n_layers, job->query, job->row, control, err);
    }
    atomic_store(&control->total_units, (uint64_t)job->n_layers + 2);
    atomic_store(&control->done_units, (uint64_t)job->step);
    if (job->step == STEP_NEXT) {
        atomic_store(&control->stage, "the prediction");
        return find_next(job, err);
    }
    if (job->step < STEP_FIRST_LAYER + job->n_layers) {
        atomic_store(&control->stage, "what each head does");
        return score_layer(job, job->step - STEP_FIRST_LAYER, control, err);
    }
    atomic_store(&control->stage, "the most striking heads");
    return survey_choose_cards(job->trace, job->heads, job->n_layers, job->cards, &job->n_cards,
                               err);
}

static void find_sink(Survey *v, const Trace *trace)
{
    const TraceInfo *info = trace_info(trace);
    double heads = (double)v->layers_scored * info->n_heads;
    bool causal = true;
    for (int32_t layer = 0; causal && layer < v->layers_scored; layer++) {
        causal = trace_layer(trace, layer)->causal;
    }
    v->sink = -1;
    v->sink_share = 0;
    for (int32_t j = 0; j < info->n_keys; j++) {
        bool first = j == 0 && causal && info->n_queries > 1;
        double mass = v->received[j] - (first ? v->first_self : 0);
        float share = (float)(mass / heads / (info->n_queries - (first ? 1 : 0)));
        if (v->sink < 0 || share > v->sink_share) {
            v->sink = j;
            v->sink_share = share;
        }
    }
}

static void take(Survey *v, SurveyJob *job)
{
    const TraceInfo *info = trace_info(job->trace);
    if (job->step == STEP_NEXT) {
        memcpy(v->next, job->next, sizeof v->next);
        v->n_next = job->n_next;
        v->next_at = job->next_at;
        v->next_is_mask = job->next_is_mask;
        mem_free(v->lens);
        v->lens = job->lens;
        v->n_lens = job->n_lens;
        job->lens = NULL;
    } else if (job->step < STEP_FIRST_LAYER + v->n_layers) {
        size_t H = (size_t)info->n_heads;
        memcpy(v->heads + (size_t)v->layers_scored * H, job->heads, H * sizeof *v->heads);
        for (int32_t j = 0; j < info->n_keys; j++) {
            v->received[j] += job->received[j];
        }
        v->first_self += job->first_self;
        v->layers_scored++;
        if (v->layers_scored == v->n_layers) {
            find_sink(v, job->trace);
        }
    } else {
        memcpy(v->cards, job->cards, sizeof v->cards);
        v->n_cards = job->n_cards;
        v->finished = true;
    }
    v->step++;
}

/* While the person has chosen nothing yet, the token that the first card is about is looked at. */
static void look_at_card(Session *s)
{
    const Survey *v = s->survey;
    Selection *sel = &s->selection;
    TraceRows rows;
    if (v->finished && v->n_cards && v->cards[0].reason == SURVEY_LINK && !sel->pinned &&
        !s->journal->lines.n && s->view == VIEW_OVERVIEW &&
        trace_rows(s->trace, sel->layer, sel->head, &rows)) {
        sel->query = v->cards[0].query;
        sel->key = AS_MAX(rows.max_key[sel->query], 0);
    }
}

static void start_next(Session *s);

static void job_done(void *payload, bool ok, const Error *err)
{
    SurveyJob *job = payload;
    Session *s = job->session;
    if (s) {
        Survey *v = s->survey;
        bool is_row = job->step < 0;
        *(is_row ? &v->row_job : &v->job) = NULL;
        if (!ok) {
            *(is_row ? &v->row_failure : &v->failure) = *err;
        } else if (is_row) {
            mem_free(v->row);
            v->row = job->row;
            job->row = NULL;
            v->row_version = job->trace_version;
            v->row_query = job->query;
            v->row_layers = job->n_layers;
        } else {
            take(v, job);
            look_at_card(s);
        }
        s->version++;
        if (ok && !is_row) {
            start_next(s);
        }
    }
    free_job(job);
}

static SurveyJob *submit(Session *s, const SurveyJob *from, uint64_t *id, Error *err)
{
    SurveyJob *job = mem_alloc_zeroed(1, sizeof *job, err);
    if (!job) {
        return NULL;
    }
    *job = *from;
    job->session = s;
    job->trace_version = s->trace_version;
    job->trace = trace_retain(s->trace);
    job->shared = shared_model_retain(s->model);
    JobDesc desc = {.title = from->step < 0 ? "a row of all heads" : "looking through the heads",
                    .run = job_run,
                    .done = job_done,
                    .payload = job,
                    .lane = from->step < 0 ? JOB_SHORT : JOB_LONG};
    *id = jobs_submit(s->jobs, &desc, err);
    if (!*id) {
        free_job(job);
        return NULL;
    }
    return job;
}

static void start_next(Session *s)
{
    Survey *v = s->survey;
    if (v->finished || v->job || v->failure.code || s->run || !v->n_layers) {
        return;
    }
    const TraceInfo *info = trace_info(s->trace);
    SurveyJob job = {.step = v->step, .n_layers = v->n_layers, .repeats = v->repeats_known};
    if (v->step == STEP_FIRST_LAYER + v->n_layers) {
        size_t n = (size_t)v->n_layers * (size_t)info->n_heads * sizeof *v->heads;
        job.heads = mem_alloc(n, &v->failure);
        if (!job.heads) {
            return;
        }
        memcpy(job.heads, v->heads, n);
    }
    v->job = submit(s, &job, &v->job_id, &v->failure);
}

static bool begin(Session *s)
{
    survey_free(s);
    const TraceInfo *info = trace_info(s->trace);
    Survey *v = mem_alloc_zeroed(1, sizeof *v, NULL);
    size_t n = (size_t)info->n_layers * (size_t)info->n_heads;
    if (!v) {
        return false;
    }
    s->survey = v;
    v->heads = mem_alloc_zeroed(n, sizeof *v->heads, NULL);
    v->received = mem_alloc_zeroed((size_t)info->n_keys, sizeof *v->received, NULL);
    if (!v->heads || !v->received) {
        survey_free(s);
        return false;
    }
    v->trace_version = s->trace_version;
    v->sink = -1;
    v->repeats_known = !trace_is_cross(s->trace) &&
                       pattern_repeat_cells(s->trace) * info->head_dim * (double)n <= REPEATS_MOST;
    return true;
}

/* ---- for the views ---- */

const Survey *session_survey(Session *s)
{
    if (!s->trace || (!(s->survey && s->survey->trace_version == s->trace_version) && !begin(s))) {
        return NULL;
    }
    Survey *v = s->survey;
    if (!s->run && !v->n_layers) {
        v->n_layers = trace_layers_done(s->trace); /* all, or those of a cancelled run */
    }
    start_next(s);
    return v;
}

const float *session_mean_row(Session *s, int32_t query)
{
    Survey *v = s->survey;
    if (!s->trace || !v || v->trace_version != s->trace_version || s->layers_done < 1) {
        return NULL;
    }
    if (v->row && v->row_version == s->trace_version && v->row_query == query &&
        v->row_layers == s->layers_done) {
        return v->row;
    }
    if (v->row_failure.code && v->row_failure.code != ERR_CANCELLED) {
        return NULL;
    }
    const TraceInfo *info = trace_info(s->trace);
    if (v->row_job) {
        if (v->row_job->query == query && v->row_job->n_layers == s->layers_done) {
            return NULL;
        }
        v->row_job->session = NULL;
        jobs_cancel(s->jobs, v->row_job_id);
        v->row_job = NULL;
    }
    float *row = mem_alloc((size_t)info->n_keys * sizeof *row, &v->row_failure);
    if (!row) {
        return NULL;
    }
    double cost = (double)s->layers_done * info->n_heads * info->n_keys * info->head_dim;
    if (cost > AT_ONCE) {
        SurveyJob job = {.step = -1, .query = query, .n_layers = s->layers_done, .row = row};
        v->row_job = submit(s, &job, &v->row_job_id, &v->row_failure);
        return NULL;
    }
    if (!mean_row(s->trace, s->layers_done, query, row, NULL, &v->row_failure)) {
        mem_free(row);
        return NULL;
    }
    mem_free(v->row);
    v->row = row;
    v->row_version = s->trace_version;
    v->row_query = query;
    v->row_layers = s->layers_done;
    return row;
}

void survey_again(Session *s)
{
    if (s->survey) {
        s->survey->failure = (Error){0};
        s->survey->row_failure = (Error){0};
    }
}

void survey_stop(Session *s)
{
    Survey *v = s->survey;
    if (v && v->job) {
        v->job->session = NULL;
        jobs_cancel(s->jobs, v->job_id);
        v->job = NULL;
    }
    if (v && v->row_job) {
        v->row_job->session = NULL;
        jobs_cancel(s->jobs, v->row_job_id);
        v->row_job = NULL;
    }
}

void survey_free(Session *s)
{
    survey_stop(s);
    if (s->survey) {
        mem_free(s->survey->heads);
        mem_free(s->survey->received);
        mem_free(s->survey->row);
        mem_free(s->survey->lens);
        mem_free(s->survey);
        s->survey = NULL;
    }
}
