/* What Flow draws, against sums over all weights, products of whole matrices and other definitions.
 */
#include "session/flow.h"

#include "base/clock.h"
#include "base/random.h"
#include "session/commands.h"
#include "testing.h"
#include "words.h"

#include <math.h>
#include <stdlib.h>

#define assert_near(a, b, tolerance)                                                               \
    assert_true(fabs((double)(a) - (double)(b)) <= (double)(tolerance))

enum { MOST = 700 };

static Session *open_text(const char *model, int n_words, int32_t summary)
{
    Error err = {0};
    Arena arena = {0};
    const char *text = words_of(&arena, n_words);
    Session *s = session_create(&(SessionDesc){0}, &err);
    assert_ok(s, err);
    SessionRequest request = {.model = model,
                              .text = {.text = text, .n_text = strlen(text)},
                              .params = {.summary_size = summary}};
    assert_ok(session_request(s, &request, &err), err);
    session_settle(s);
    arena_destroy(&arena);
    assert_non_null(s->trace);
    return s;
}

static FlowKey key_of(const Session *s, int32_t block, uint32_t heads)
{
    const TraceInfo *info = trace_info(s->trace);
    return (FlowKey){.trace_version = s->trace_version,
                     .heads = {heads},
                     .layer = 1,
                     .row1 = info->n_queries,
                     .col1 = info->n_keys,
                     .row_block = block,
                     .col_block = block};
}

/* [N][M] of a head. */
static float *all_weights(const Session *s, int32_t layer, int32_t head)
{
    const TraceInfo *info = trace_info(s->trace);
    float *w = malloc((size_t)info->n_queries * (size_t)info->n_keys * sizeof *w);
    Error err = {0};
    TraceRegion all = {.layer = layer, .head = head};
    assert_ok(trace_tile(s->trace, &all, TRACE_WEIGHTS, w, 0, &err), err);
    return w;
}

static double block_mass(const float *w, const float *lengths, int32_t n, int32_t block, int32_t r,
                         int32_t c)
{
    double sum = 0;
    for (int32_t i = r * block; i < AS_MIN((r + 1) * block, n); i++) {
        for (int32_t j = c * block; j < AS_MIN((c + 1) * block, n); j++) {
            sum +=
                (double)w[(size_t)i * (size_t)n + (size_t)j] * (lengths ? (double)lengths[j] : 1);
        }
    }
    return sum;
}

static void lengths_of(const Session *s, int32_t head, float *out)
{
    const TraceInfo *info = trace_info(s->trace);
    size_t d = (size_t)info->head_dim;
    float *v = malloc((size_t)info->n_keys * d * sizeof *v);
    Error err = {0};
    assert_ok(trace_v(s->trace, 1, head, 0, info->n_keys, v, &err), err);
    for (int32_t j = 0; j < info->n_keys; j++) {
        double sum = 0;
        for (size_t k = 0; k < d; k++) {
            sum += (double)v[(size_t)j * d + k] * (double)v[(size_t)j * d + k];
        }
        out[j] = (float)sqrt(sum);
    }
    free(v);
}

/* Every kept mass, every dense one and the totals are sums over all weights of the head. */
static void check_map(const Session *s, const FlowMap *map, const float *w, const float *lengths,
                      int32_t slot)
{
    int32_t n = trace_info(s->trace)->n_queries;
    int32_t block = map->key.row_block;
    for (int32_t r = 0; r < map->n_rows; r++) {
        size_t at = (size_t)slot * (size_t)map->n_rows + (size_t)r;
        double total = 0;
        float last = INFINITY;
        for (int32_t c = 0; c < map->n_cols; c++) {
            double want = block_mass(w, lengths, n, block, r, c);
            assert_near(map->dense[at * (size_t)(map->n_cols + 2) + 1 + (size_t)c], want,
                        1e-4 * (1 + want));
            total += want;
        }
        assert_near(map->row_mass[at], total, 1e-4 * (1 + total));
        for (int32_t k = 0; k < map->n_top; k++) {
            const FlowTop *top = &map->top[at * (size_t)map->n_top + (size_t)k];
            if (top->mass > 0) {
                double want = block_mass(w, lengths, n, block, r, top->col);
                assert_near(top->mass, want, 1e-4 * (1 + want));
                assert_true(top->mass <= last);
                last = top->mass;
            }
        }
    }
}

static void test_flow_map__is_the_sum_of_the_weights(void **state)
{
    (void)state;
    static const struct {
        int32_t block;
        bool by_value;
    } rows[] = {{1, false}, {2, false}, {8, false},  {64, false},
                {1, true},  {8, true},  {256, false}};
    Session *s = open_text("random:L=2,H=4,d=32,seed=3", 150, 16);
    float lengths[MOST];
    for (size_t k = 0; k < AS_COUNT(rows); k++) {
        FlowKey key = key_of(s, rows[k].block, 1u << 1 | 1u << 3);
        key.by_value = rows[k].by_value;
        Error err = {0};
        FlowMap *map = flow_map_make(s->trace, &key, NULL, &err);
        assert_ok(map, err);
        assert_int_equal(map->n_heads, 2);
        for (int32_t slot = 0; slot < 2; slot++) {
            int32_t head = slot ? 3 : 1;
            assert_int_equal(map->heads[slot], head);
            float *w = all_weights(s, 1, head);
            lengths_of(s, head, lengths);
            check_map(s, map, w, rows[k].by_value ? lengths : NULL, slot);
            free(w);
        }
        flow_map_free(map);
    }
    session_destroy(&s);
}

/* Blocks as large as texels are read off the summary and are the same sums. */
static void test_flow_map__by_summary(void **state)
{
    (void)state;
    Session *s = open_text("random:L=2,H=2,d=32,seed=3", 500, 16);
    const TraceLayer *layer = trace_layer(s->trace, 1);
    assert_true(layer->row_texel >= 32);
    int32_t block = 1;
    while (block < layer->row_texel || block % layer->row_texel) {
        block *= 2;
        assert_true(block < 4096);
    }
    FlowKey key = key_of(s, block, 1);
    assert_true(flow_map_by_summary(s->trace, &key));
    assert_near(flow_map_cost(s->trace, &key), 0, 0);
    Error err = {0};
    FlowMap *map = flow_map_make(s->trace, &key, NULL, &err);
    assert_ok(map, err);
    assert_true(map->by_summary);
    float *w = all_weights(s, 1, 0);
    check_map(s, map, w, NULL, 0);
    free(w);
    flow_map_free(map);
    session_destroy(&s);
}

/* A part of the keys in the window: what lies outside is counted before and after it. */
static void test_flow_map__window(void **state)
{
    (void)state;
    Session *s = open_text("random:L=2,H=1,d=32,seed=5", 120, 0);
    FlowKey key = key_of(s, 4, 1);
    key.row0 = 80;
    key.row1 = 100;
    key.col0 = 40;
    key.col1 = 60;
    Error err = {0};
    FlowMap *map = flow_map_make(s->trace, &key, NULL, &err);
    assert_ok(map, err);
    float *w = all_weights(s, 1, 0);
    int32_t n = trace_info(s->trace)->n_queries;
    for (int32_t r = 0; r < map->n_rows; r++) {
        double outside[2] = {0, 0};
        for (int32_t c = 0; c < map->n_all_cols; c++) {
            double mass = block_mass(w, NULL, n, 4, 20 + r, c);
            outside[0] += c < 10 ? mass : 0;
            outside[1] += c >= 15 ? mass : 0;
        }
        const float *dense = map->dense + (size_t)r * (size_t)(map->n_cols + 2);
        assert_near(dense[0], outside[0], 1e-4);
        assert_near(dense[map->n_cols + 1], outside[1], 1e-4);
    }
    free(w);
    flow_map_free(map);
    session_destroy(&s);
}

static void test_flow_map__refuses(void **state)
{
    (void)state;
    Session *s = open_text("random:L=2,H=1,d=32,seed=5", 20, 0);
    FlowKey bad[] = {key_of(s, 1, 0), key_of(s, 0, 1), key_of(s, 2, 1), key_of(s, 1, 1),
                     key_of(s, 1, 1)};
    bad[2].row0 = 1;
    bad[3].row1 = 4096;
    bad[4].layer = 2;
    for (size_t i = 0; i < AS_COUNT(bad); i++) {
        Error err = {0};
        assert_null(flow_map_make(s->trace, &bad[i], NULL, &err));
        assert_int_equal(err.code, ERR_RANGE);
    }
    session_destroy(&s);
}

/* ---- which are drawn ---- */

static void test_flow_select__says_what_it_shows(void **state)
{
    (void)state;
    static const struct {
        FlowPick pick;
        float coverage, threshold;
        int32_t top_k;
    } rows[] = {{FLOW_COVERAGE, 0, 0, 0},    {FLOW_COVERAGE, 0.5f, 0, 0}, {FLOW_COVERAGE, 1, 0, 0},
                {FLOW_TOP_K, 0, 0, 0},       {FLOW_TOP_K, 0, 0, 1},       {FLOW_THRESHOLD, 0, 0, 0},
                {FLOW_THRESHOLD, 0, 0.3f, 0}};
    Session *s = open_text("tiny", 40, 0);
    int32_t n = trace_info(s->trace)->n_queries;
    float *w = all_weights(s, 1, 0);
    FlowKey key = key_of(s, 1, 1);
    Error err = {0};
    FlowMap *map = flow_map_make(s->trace, &key, NULL, &err);
    assert_ok(map, err);
    for (size_t k = 0; k < AS_COUNT(rows); k++) {
        Arena arena = {0};
        FlowOptions o = {.pick = rows[k].pick,
                         .coverage = rows[k].coverage,
                         .threshold = rows[k].threshold,
                         .top_k = rows[k].top_k};
        FlowEdges *e = flow_select(map, &o, &arena, &err);
        assert_ok(e, err);
        double sum[MOST] = {0};
        int32_t count[MOST] = {0};
        float least[MOST];
        double shown = 0;
        for (int32_t i = 0; i < e->n; i++) {
            const FlowEdge *edge = &e->edges[i];
            assert_near(edge->weight, w[(size_t)edge->row * (size_t)n + (size_t)edge->col], 1e-6);
            assert_true(i == 0 || edge->weight <= e->edges[i - 1].weight);
            sum[edge->row] += (double)edge->weight;
            least[edge->row] = edge->weight; /* descending: the last is the least */
            count[edge->row]++;
            shown += (double)edge->mass;
        }
        assert_near(e->shown, shown, 1e-6);
        assert_near(e->mass, n, 1e-3);                          /* every query's weights sum to 1 */
        assert_int_equal(e->n_pairs, (int64_t)n * (n + 1) / 2); /* causal */
        for (int32_t i = 0; i < n; i++) {
            if (o.pick == FLOW_COVERAGE) { /* covered, and not without the least of them */
                assert_true(sum[i] >= (double)flow_coverage(&o) - 1e-5);
                assert_true(sum[i] - (double)least[i] < (double)flow_coverage(&o) + 1e-6);
            } else if (o.pick == FLOW_TOP_K) {
                assert_int_equal(count[i], AS_MIN(flow_top_k(&o), i + 1));
            } else {
                int32_t above = 0;
                for (int32_t j = 0; j <= i; j++) {
                    above += w[(size_t)i * (size_t)n + (size_t)j] >= flow_threshold(&o);
                }
                assert_int_equal(count[i], above);
            }
        }
        arena_destroy(&arena);
    }
    free(w);
    flow_map_free(map);
    session_destroy(&s);
}

/* ---- rollout ---- */

/* Rows of the mean over heads, half of it, with the other half on the diagonal. */
static void layer_matrix(const Session *s, int32_t layer, bool without_first, double *out)
{
    const TraceInfo *info = trace_info(s->trace);
    int32_t n = info->n_queries;
    memset(out, 0, (size_t)n * (size_t)n * sizeof *out);
    for (int32_t h = 0; h < info->n_heads; h++) {
        float *w = all_weights(s, layer, h);
        for (int32_t i = 0; i < n * n; i++) {
            out[i] += (double)w[i] / info->n_heads;
        }
        free(w);
    }
    for (int32_t i = 0; i < n; i++) {
        double *row = out + (size_t)i * (size_t)n;
        double sum = 1;
        if (without_first && i > 0) {
            sum = 1 - row[0];
            row[0] = 0;
        }
        for (int32_t j = 0; j < n; j++) {
            row[j] = row[j] / sum / 2 + (i == j ? 0.5 : 0);
        }
    }
}

static void check_paths(bool without_first)
{
    Session *s = open_text("random:L=4,H=3,d=24,seed=8", 14, 0);
    int32_t n = trace_info(s->trace)->n_queries;
    int32_t target = n - 3;
    Error err = {0};
    FlowPaths *p = flow_paths_make(
        s->trace, &(PathsDesc){.n_layers = 4, .target = target, .without_first = without_first},
        NULL, &err);
    assert_ok(p, err);
    double r[MOST] = {0};
    double best[MOST] = {0};
    r[target] = best[target] = 1;
    double *m = malloc((size_t)n * (size_t)n * sizeof *m);
    for (int32_t l = 3; l >= 0; l--) {
        double below[MOST] = {0};
        double best_below[MOST] = {0};
        layer_matrix(s, l, without_first, m);
        double sum = 0;
        for (int32_t j = 0; j < n; j++) {
            for (int32_t i = 0; i < n; i++) {
                below[j] += r[i] * m[i * n + j];
                /* staying and reading oneself are two ways */
                double half = i == j ? 0.5 : 0;
                double ways = fmax(half, m[i * n + j] - half);
                best_below[j] = fmax(best_below[j], best[i] * ways);
            }
            sum += below[j];
            assert_near(p->mass[l * n + j], below[j], 1e-5);
        }
        assert_near(sum, 1, 1e-6);
        assert_near(p->followed[l], 1, 1e-6);
        assert_true(p->shown[l] > 0.998 && p->shown[l] < 1.001);
        memcpy(r, below, sizeof r);
        memcpy(best, best_below, sizeof best);
    }
    for (int32_t j = 0; j < n; j++) {
        assert_near(p->best[j], best[j], 1e-6);
        int32_t at = j;
        for (int32_t l = 0; l < 4 && best[j] > 0; l++) {
            at = p->next[l * n + at];
            assert_in_range(at, 0, n - 1);
        }
        assert_true(!(best[j] > 0) || at == target);
        assert_true(j == target || r[p->source] >= r[j] - 1e-9);
    }
    free(m);
    flow_paths_free(p);
    session_destroy(&s);
}

static void test_flow_paths__is_the_product_of_the_layers(void **state)
{
    (void)state;
    check_paths(false);
    check_paths(true);
}

/* ---- the graph ---- */

static void check_places(const GraphLayout *g)
{
    for (int32_t i = 0; i < g->n_nodes; i++) {
        for (int d = 0; d < 2; d++) {
            assert_true(g->at[i][d] >= 0 && g->at[i][d] <= 1);
        }
        assert_in_range(g->community[i], 0, g->n_communities - 1);
    }
}

static GraphLink *random_links(int32_t n, size_t n_links, uint64_t seed)
{
    GraphLink *links = malloc(n_links * sizeof *links);
    Random r = {seed};
    for (size_t e = 0; e < n_links; e++) {
        links[e] = (GraphLink){(int32_t)(random_uniform(&r) * n), (int32_t)(random_uniform(&r) * n),
                               (float)random_uniform(&r)};
    }
    return links;
}

static void test_graph_layout__thousand_nodes_settle(void **state)
{
    (void)state;
    GraphLink *links = random_links(1000, 4000, 1);
    GraphDesc desc = {.n_nodes = 1000, .links = links, .n_links = 4000, .seed = 4};
    Error err = {0};
    double start = clock_now_s();
    GraphLayout *a = graph_layout_make(&desc, NULL, &err);
    double seconds = clock_now_s() - start;
    assert_ok(a, err);
    print_message("1000 nodes, 4000 links: %.2f s\n", seconds);
    assert_true(seconds < 20); /* 2 s on a machine that does nothing else */
    check_places(a);
    /* they fill the square and lie apart */
    double mean[2] = {0, 0};
    double spread[2] = {0, 0};
    int close = 0;
    for (int32_t i = 0; i < 1000; i++) {
        for (int d = 0; d < 2; d++) {
            mean[d] += (double)a->at[i][d] / 1000;
            spread[d] += (double)a->at[i][d] * (double)a->at[i][d] / 1000;
        }
        for (int32_t j = 0; j < i; j++) {
            close += hypotf(a->at[i][0] - a->at[j][0], a->at[i][1] - a->at[j][1]) < 1e-4f;
        }
    }
    assert_true(spread[0] - mean[0] * mean[0] > 0.01 && spread[1] - mean[1] * mean[1] > 0.01);
    assert_true(close < 5);
    /* the same again, and another one with another seed */
    GraphLayout *b = graph_layout_make(&desc, NULL, &err);
    desc.seed = 5;
    GraphLayout *c = graph_layout_make(&desc, NULL, &err);
    assert_memory_equal(a->at, b->at, 1000 * sizeof *a->at);
    assert_memory_equal(a->community, b->community, 1000 * sizeof *a->community);
    assert_true(memcmp(a->at, c->at, 1000 * sizeof *a->at) != 0);
    graph_layout_free(a);
    graph_layout_free(b);
    graph_layout_free(c);
    free(links);
}

static void test_graph_layout__never_explodes(void **state)
{
    (void)state;
    enum { N = 200 };
    GraphLink star[N];
    GraphLink self[N];
    GraphLink heavy[N];
    for (int32_t i = 0; i < N; i++) {
        star[i] = (GraphLink){0, i, 1};
        self[i] = (GraphLink){i, i, 1};
        heavy[i] = (GraphLink){i, (i * 7) % N, i % 2 ? 1e30f : 1e-30f};
    }
    const GraphDesc rows[] = {{.n_nodes = 0},
                              {.n_nodes = 1},
                              {.n_nodes = 2, .links = self, .n_links = 2},
                              {.n_nodes = N},
                              {.n_nodes = N, .links = star, .n_links = N},
                              {.n_nodes = N, .links = self, .n_links = N},
                              {.n_nodes = N, .links = heavy, .n_links = N, .seed = 9}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        Error err = {0};
        GraphLayout *g = graph_layout_make(&rows[i], NULL, &err);
        assert_ok(g, err);
        check_places(g);
        graph_layout_free(g);
    }
}

static void test_graph_layout__communities_and_held_nodes(void **state)
{
    (void)state;
    enum { A = 12, B = 7, N = A + B };
    GraphLink links[N * N];
    size_t n = 0;
    for (int32_t i = 0; i < N; i++) {
        for (int32_t j = 0; j < i; j++) {
            if ((i < A) == (j < A)) {
                links[n++] = (GraphLink){i, j, 1};
            }
        }
    }
    links[n++] = (GraphLink){0, A, 0.2f};
    const FlowHeld held = {.token = 3, .x = 0.9f, .y = 0.1f};
    GraphDesc desc = {.n_nodes = N, .links = links, .n_links = n};
    Error err = {0};
    GraphLayout *free_one = graph_layout_make(&desc, NULL, &err);
    desc.held = &held;
    desc.n_held = 1;
    GraphLayout *g = graph_layout_make(&desc, NULL, &err);
    assert_ok(g && free_one, err);
    assert_int_equal(g->n_communities, 2);
    for (int32_t i = 0; i < N; i++) {
        assert_int_equal(g->community[i], i >= A); /* the larger is the first */
    }
    assert_near(g->at[3][0], 0.9, 1e-6);
    assert_near(g->at[3][1], 0.1, 1e-6);
    /* nodes far from it stay about where they were */
    float moved =
        hypotf(g->at[A + 3][0] - free_one->at[A + 3][0], g->at[A + 3][1] - free_one->at[A + 3][1]);
    assert_true(moved < 0.25f);
    graph_layout_free(g);
    graph_layout_free(free_one);
}

/* ---- commands ---- */

static void test_commands__look_and_undo(void **state)
{
    (void)state;
    Session *s = open_text("tiny", 12, 0);
    FlowOptions *o = &s->options.flow;
    static const struct {
        const char *line;
        int32_t n_pins;
    } rows[] = {{"flow-look q3", 1},  {"flow-look +q5", 2}, {"flow-look +k2", 3},
                {"flow-look +q5", 2}, {"flow-look q7", 1},  {"flow-look q7", 0}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        Error err = {0};
        assert_ok(session_run_command(s, rows[i].line, &err), err);
        assert_int_equal(o->n_pins, rows[i].n_pins);
        assert_int_equal(s->selection.pinned, rows[i].n_pins > 0);
    }
    Error err = {0};
    assert_ok(session_run_command(s, "undo", &err), err);
    assert_int_equal(o->n_pins, 1);
    assert_true(flow_is_pinned(o, 7, false));
    static const char *const bad[] = {
        "flow-look 3",         "flow-look q",     "flow-look q-1", "flow-strongest coverage 2",
        "flow-strongest most", "flow-hold 3 2 2", "flow-hold x",   "flow sideways"};
    for (size_t i = 0; i < AS_COUNT(bad); i++) {
        err = (Error){0};
        assert_false(session_run_command(s, bad[i], &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
    err = (Error){0};
    assert_ok(session_run_command(s, "flow-heads 3", &err), err);
    assert_true(flow_shows_head(o, 3, s->selection.head));
    assert_ok(session_run_command(s, "flow-strongest top 5", &err), err);
    assert_int_equal(flow_top_k(o), 5);
    session_destroy(&s);
}

/* What keys send: more or fewer curves, the next way to pick them, the selected token. */
static void test_commands__steps(void **state)
{
    (void)state;
    Session *s = open_text("tiny", 12, 0);
    FlowOptions *o = &s->options.flow;
    Error err = {0};
    assert_ok(session_run_command(s, "flow-strongest +", &err), err);
    assert_near(flow_coverage(o), 0.85, 1e-6);
    for (int i = 0; i < 20; i++) {
        assert_ok(session_run_command(s, "flow-strongest +", &err), err);
    }
    assert_near(flow_coverage(o), 1, 0);
    assert_ok(session_run_command(s, "flow-strongest", &err), err);
    assert_int_equal(o->pick, FLOW_TOP_K);
    for (int i = 0; i < 5; i++) {
        assert_ok(session_run_command(s, "flow-strongest -", &err), err);
    }
    assert_int_equal(flow_top_k(o), 1);
    assert_ok(session_run_command(s, "flow-strongest", &err), err);
    assert_ok(session_run_command(s, "flow-strongest -", &err), err); /* fewer: a higher limit */
    assert_near(flow_threshold(o), 0.0625, 1e-6);
    assert_ok(session_run_command(s, "query 6", &err), err);
    assert_ok(session_run_command(s, "flow-look", &err), err);
    assert_true(o->n_pins == 1 && flow_is_pinned(o, 6, false));
    assert_ok(session_run_command(s, "query 8", &err), err);
    assert_ok(session_run_command(s, "flow-look +", &err), err);
    assert_true(o->n_pins == 2 && flow_is_pinned(o, 8, false));
    session_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flow_map__is_the_sum_of_the_weights),
        cmocka_unit_test(test_flow_map__by_summary),
        cmocka_unit_test(test_flow_map__window),
        cmocka_unit_test(test_flow_map__refuses),
        cmocka_unit_test(test_flow_select__says_what_it_shows),
        cmocka_unit_test(test_flow_paths__is_the_product_of_the_layers),
        cmocka_unit_test(test_graph_layout__thousand_nodes_settle),
        cmocka_unit_test(test_graph_layout__never_explodes),
        cmocka_unit_test(test_graph_layout__communities_and_held_nodes),
        cmocka_unit_test(test_commands__look_and_undo),
        cmocka_unit_test(test_commands__steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
