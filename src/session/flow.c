#include "session/flow.h"

#include "base/random.h"

#include <string.h>

/* Multiplications that a call may do itself: some 10 ms on one slow core. */
static const double AT_ONCE = 48e6;
enum { KEPT_MAPS = 8, GRAPH_AT_ONCE = 160 };

typedef enum JobKind { JOB_MAP, JOB_PATHS, JOB_GRAPH, JOB_KINDS } JobKind;

typedef struct FlowJob {
    Session *session; /* NULL once nobody waits for it */
    JobKind kind;
    Trace *trace; /* retained */
    FlowKey key;
    uint64_t trace_version;
    int32_t target, n_layers;
    bool without_first;
    GraphDesc desc;
    uint64_t graph_key;
    Arena arena; /* of desc */
    FlowMap *map;
    FlowPaths *paths;
    GraphLayout *layout;
} FlowJob;

struct FlowState {
    FlowMap *maps[KEPT_MAPS]; /* the last used first */
    uint64_t last_version;
    FlowPaths *paths;
    GraphLayout *layout;
    uint64_t layout_key, layout_trace;
    FlowJob *jobs[JOB_KINDS]; /* on their way */
    uint64_t job_ids[JOB_KINDS];
    FlowKey failed;
    uint64_t failed_paths; /* trace version whose paths could not be made */
    Error failure;
};

/* ---- options ---- */

float flow_coverage(const FlowOptions *options)
{
    return options->coverage > 0 ? options->coverage : 0.8f;
}

int32_t flow_top_k(const FlowOptions *options)
{
    return options->top_k > 0 ? options->top_k : 3;
}

float flow_threshold(const FlowOptions *options)
{
    return options->threshold > 0 ? options->threshold : 0.05f;
}

bool flow_shows_head(const FlowOptions *options, int32_t head, int32_t selected)
{
    return head == selected || (head >= 0 && head < 32 * FLOW_HEAD_WORDS &&
                                (options->heads[head / 32] >> (head % 32) & 1));
}

bool flow_is_pinned(const FlowOptions *options, int32_t token, bool as_key)
{
    for (int32_t i = 0; i < options->n_pins; i++) {
        if (options->pins[i] == 2 * token + as_key) {
            return true;
        }
    }
    return false;
}

/* ---- jobs ---- */

static void free_job(FlowJob *job)
{
    trace_close(job->trace);
    flow_map_free(job->map);
    flow_paths_free(job->paths);
    graph_layout_free(job->layout);
    arena_destroy(&job->arena);
    mem_free(job);
}

static bool run_job(void *payload, JobControl *control, Error *err)
{
    FlowJob *job = payload;
    switch (job->kind) {
    case JOB_MAP:
        job->map = flow_map_make(job->trace, &job->key, control, err);
        return job->map;
    case JOB_PATHS:
        job->paths = flow_paths_make(job->trace,
                                     &(PathsDesc){.n_layers = job->n_layers,
                                                  .target = job->target,
                                                  .heads = job->key.heads,
                                                  .without_first = job->without_first},
                                     control, err);
        return job->paths;
    default:
        job->layout = graph_layout_make(&job->desc, control, err);
        return job->layout;
    }
}

static void keep_map(FlowState *f, FlowMap *map)
{
    map->version = ++f->last_version;
    flow_map_free(f->maps[KEPT_MAPS - 1]);
    memmove(f->maps + 1, f->maps, (KEPT_MAPS - 1) * sizeof *f->maps);
    f->maps[0] = map;
}

static void keep_paths(FlowState *f, FlowPaths *paths, uint64_t trace_version)
{
    flow_paths_free(f->paths);
    f->paths = paths;
    paths->trace_version = trace_version;
}

static void keep_layout(FlowState *f, GraphLayout *layout, uint64_t key, uint64_t trace_version)
{
    graph_layout_free(f->layout);
    f->layout = layout;
    f->layout_key = key;
    f->layout_trace = trace_version;
}

static void publish(void *payload, bool ok, const Error *err)
{
    FlowJob *job = payload;
    Session *s = job->session;
    FlowState *f = s ? s->flow : NULL;
    if (f) {
        f->jobs[job->kind] = NULL;
        if (ok && job->map) {
            keep_map(f, job->map);
            job->map = NULL;
        } else if (ok && job->paths) {
            keep_paths(f, job->paths, job->trace_version);
            job->paths = NULL;
        } else if (ok && job->layout) {
            keep_layout(f, job->layout, job->graph_key, job->trace_version);
            job->layout = NULL;
        } else if (err->code != ERR_CANCELLED) {
            f->failure = *err;
            f->failed = job->key;
            f->failed_paths = job->kind == JOB_PATHS ? job->trace_version : f->failed_paths;
        }
        s->version++;
    }
    free_job(job);
}

static void cancel(Session *s, JobKind kind)
{
    FlowState *f = s->flow;
    if (f->jobs[kind]) {
        f->jobs[kind]->session = NULL;
        jobs_cancel(s->jobs, f->job_ids[kind]);
        f->jobs[kind] = NULL;
    }
}

/* Takes over what `job` holds, whatever becomes of it. */
static void submit(Session *s, FlowJob *wanted)
{
    static const char *const titles[JOB_KINDS] = {"strongest connections",
                                                  "paths through the layers", "graph"};
    FlowState *f = s->flow;
    cancel(s, wanted->kind);
    FlowJob *job = mem_alloc_zeroed(1, sizeof *job, &f->failure);
    if (!job) {
        arena_destroy(&wanted->arena);
        return;
    }
    *job = *wanted;
    job->session = s;
    job->trace = trace_retain(s->trace);
    job->trace_version = s->trace_version;
    JobDesc desc = {.title = titles[job->kind], .run = run_job, .done = publish, .payload = job};
    f->job_ids[job->kind] = jobs_submit(s->jobs, &desc, &f->failure);
    if (!f->job_ids[job->kind]) {
        free_job(job);
        return;
    }
    f->jobs[job->kind] = job;
}

static FlowState *state_of(Session *s)
{
    if (!s->flow) {
        s->flow = mem_alloc_zeroed(1, sizeof *s->flow, NULL);
    }
    return s->flow;
}

/* ---- for the view ---- */

static bool same_key(const FlowKey *a, const FlowKey *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static FlowMap *find_map(FlowState *f, const FlowKey *key)
{
    for (int i = 0; i < KEPT_MAPS; i++) {
        FlowMap *map = f->maps[i];
        if (map && same_key(&map->key, key)) {
            memmove(f->maps + 1, f->maps, (size_t)i * sizeof *f->maps);
            f->maps[0] = map;
            return map;
        }
    }
    return NULL;
}

/* The last one of this trace and layer: it stays until the new one is there. */
static const FlowMap *stand_in(const FlowState *f, const FlowKey *key)
{
    for (int i = 0; i < KEPT_MAPS; i++) {
        const FlowMap *map = f->maps[i];
        if (map && map->key.trace_version == key->trace_version && map->key.layer == key->layer &&
            map->key.by_value == key->by_value &&
            memcmp(map->key.heads, key->heads, sizeof key->heads) == 0) {
            return map;
        }
    }
    return NULL;
}

const FlowMap *session_flow(Session *s, const FlowKey *key, bool *exact)
{
    FlowState *f = s->trace ? state_of(s) : NULL;
    *exact = false;
    if (!f) {
        return NULL;
    }
    FlowMap *map = find_map(f, key);
    if (!map && f->failure.code && same_key(&f->failed, key)) {
        return stand_in(f, key);
    }
    if (!map && flow_map_cost(s->trace, key) <= AT_ONCE) {
        map = flow_map_make(s->trace, key, NULL, &f->failure);
        if (map) {
            keep_map(f, map);
        } else {
            f->failed = *key;
        }
    }
    if (map) {
        cancel(s, JOB_MAP);
        *exact = true;
        return map;
    }
    bool waiting = f->jobs[JOB_MAP] && same_key(&f->jobs[JOB_MAP]->key, key);
    if (!waiting && !f->failure.code) {
        FlowJob job = {.kind = JOB_MAP, .key = *key};
        submit(s, &job);
    }
    return stand_in(f, key);
}

const Error *session_flow_error(const Session *s)
{
    static const Error none;
    return s->flow ? &s->flow->failure : &none;
}

const FlowPaths *session_flow_paths(Session *s, int32_t target, const uint32_t *heads,
                                    bool without_first)
{
    FlowState *f = s->trace ? state_of(s) : NULL;
    if (!f || s->layers_done < 1) {
        return NULL;
    }
    FlowPaths *p = f->paths;
    bool known = p && p->trace_version == s->trace_version;
    if (known && p->target == target && p->n_layers == s->layers_done &&
        p->without_first == without_first && memcmp(p->heads, heads, sizeof p->heads) == 0) {
        return p;
    }
    const FlowJob *on = f->jobs[JOB_PATHS];
    bool waiting = on && on->target == target && on->n_layers == s->layers_done &&
                   on->trace_version == s->trace_version && on->without_first == without_first &&
                   memcmp(on->key.heads, heads, sizeof p->heads) == 0;
    if (!waiting && f->failed_paths != s->trace_version) {
        FlowJob job = {.kind = JOB_PATHS,
                       .target = target,
                       .n_layers = s->layers_done,
                       .without_first = without_first};
        memcpy(job.key.heads, heads, sizeof job.key.heads);
        submit(s, &job);
    }
    return known ? p : NULL;
}

/* The links of all shown heads; two ways between two tokens are one link. */
static bool describe(Session *s, const FlowMap *map, const FlowEdges *edges, FlowJob *job,
                     Error *err)
{
    const FlowOptions *o = &s->options.flow;
    GraphLink *links = ARENA_ARRAY(&job->arena, GraphLink, (size_t)edges->n, err);
    FlowHeld *held = links ? ARENA_ARRAY(&job->arena, FlowHeld, FLOW_HELD, err) : NULL;
    if (!held) {
        return false;
    }
    size_t n = 0;
    int32_t n_nodes = AS_MAX(map->n_rows, map->n_all_cols);
    for (int32_t i = 0; i < edges->n; i++) {
        const FlowEdge *e = &edges->edges[i];
        if (e->row < n_nodes && e->col < n_nodes) {
            links[n++] = (GraphLink){e->row, e->col, e->weight};
        }
    }
    for (int32_t i = 0; i < o->n_held; i++) {
        held[i] = o->held[i];
        held[i].token /= map->key.col_block;
    }
    job->desc = (GraphDesc){.n_nodes = n_nodes,
                            .links = links,
                            .n_links = n,
                            .seed = (uint64_t)o->seed,
                            .held = held,
                            .n_held = o->n_held};
    return true;
}

static uint64_t graph_key_of(const Session *s, const FlowMap *map, const FlowEdges *edges)
{
    const FlowOptions *o = &s->options.flow;
    uint64_t parts[] = {map->version, (uint64_t)edges->n, (uint64_t)o->seed,
                        random_hash(edges->edges, (size_t)edges->n * sizeof *edges->edges),
                        random_hash(o->held, (size_t)o->n_held * sizeof *o->held)};
    return random_hash(parts, sizeof parts);
}

const GraphLayout *session_flow_graph(Session *s, const FlowMap *map, const FlowEdges *edges)
{
    FlowState *f = s->trace ? state_of(s) : NULL;
    if (!f) {
        return NULL;
    }
    uint64_t key = graph_key_of(s, map, edges);
    bool known = f->layout && f->layout_trace == s->trace_version &&
                 f->layout->n_nodes == AS_MAX(map->n_rows, map->n_all_cols);
    if (known && f->layout_key == key) {
        return f->layout;
    }
    const FlowJob *on = f->jobs[JOB_GRAPH];
    if (on && on->graph_key == key) {
        return known ? f->layout : NULL;
    }
    FlowJob job = {.kind = JOB_GRAPH, .graph_key = key};
    if (!describe(s, map, edges, &job, &f->failure)) {
        arena_destroy(&job.arena);
        return NULL;
    }
    if (job.desc.n_nodes > GRAPH_AT_ONCE) {
        submit(s, &job);
        return known ? f->layout : NULL;
    }
    GraphLayout *layout = graph_layout_make(&job.desc, NULL, &f->failure);
    arena_destroy(&job.arena);
    if (layout) {
        keep_layout(f, layout, key, s->trace_version);
    }
    return layout;
}

void flow_stop(Session *s)
{
    for (int k = 0; s->flow && k < JOB_KINDS; k++) {
        cancel(s, (JobKind)k);
    }
}

void flow_free(Session *s)
{
    FlowState *f = s->flow;
    if (f) {
        flow_stop(s);
        for (int i = 0; i < KEPT_MAPS; i++) {
            flow_map_free(f->maps[i]);
        }
        flow_paths_free(f->paths);
        graph_layout_free(f->layout);
        mem_free(f);
        s->flow = NULL;
    }
}
