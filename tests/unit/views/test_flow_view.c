/* The view Flow from its display list: curves are what their definition says, masses add up, what
 * is picked is what is drawn, the same moment is the same picture. */
#include "views_case.h"

#include "session/flow.h"

#include <math.h>
#include <stdlib.h>

#define assert_near(a, b, tolerance)                                                               \
    assert_true(fabs((double)(a) - (double)(b)) <= (double)(tolerance))

static const char TEXT[] = "The cat sat on the mat. The cat sat on the mat. The cat sat";

static void open_flow(ViewsCase *c, const char *commands)
{
    views_case_open(c, "tiny", TEXT);
    views_case_do(c, "view flow");
    views_case_do(c, commands);
    views_case_do(c, "time 6"); /* all is drawn */
    views_case_frame(c, 1920, 1080, 1);
}

/* The sets of curves of a frame: those that step back, then those that are lit. */
static int curve_sets(const ViewsCase *c, const DrawCmd *out[8])
{
    int n = 0;
    for (size_t i = 0; i < c->list.cmds.n && n < 8; i++) {
        if (c->list.cmds.items[i].kind == DRAW_CURVES) {
            out[n++] = &c->list.cmds.items[i];
        }
    }
    return n;
}

static float *weights_of(const ViewsCase *c, int32_t layer, int32_t head)
{
    const TraceInfo *info = trace_info(c->session->trace);
    float *w = malloc((size_t)info->n_queries * (size_t)info->n_keys * sizeof *w);
    Error err = {0};
    assert_ok(trace_tile(c->session->trace, &(TraceRegion){.layer = layer, .head = head},
                         TRACE_WEIGHTS, w, 0, &err),
              err);
    return w;
}

static void test_columns__curves_are_their_weights(void **state)
{
    (void)state;
    ViewsCase c;
    open_flow(&c, "flow-strongest coverage 0.8");
    const Session *s = c.session;
    const TraceInfo *info = trace_info(s->trace);
    int32_t n = info->n_queries;
    float *w = weights_of(&c, s->selection.layer, s->selection.head);
    const DrawCmd *sets[8];
    assert_int_equal(curve_sets(&c, sets), 2);
    const DrawCurves *dim = &sets[0]->u.curves;
    const DrawCurves *lit = &sets[1]->u.curves;
    /* which weights belong: the strongest of each row until four fifths are covered */
    size_t wanted = 0;
    double mass = 0;
    double shown = 0;
    for (int32_t i = 0; i < n; i++) {
        bool used[256] = {false};
        double sum = 0;
        for (int32_t j = 0; j <= i; j++) {
            mass += (double)w[i * n + j];
        }
        while (sum < 0.8) {
            int32_t best = -1;
            for (int32_t j = 0; j <= i; j++) {
                if (!used[j] && (best < 0 || w[i * n + j] > w[i * n + best])) {
                    best = j;
                }
            }
            used[best] = true;
            sum += (double)w[i * n + best];
            wanted++;
        }
        shown += sum;
    }
    assert_int_equal(dim->n + lit->n, wanted);
    char text[64];
    snprintf(text, sizeof text, "%zu of %d connections", wanted, n * (n + 1) / 2);
    assert_non_null(find_text(&c, text));
    snprintf(text, sizeof text, "carry %.1f %% of the mass", 100 * shown / mass);
    assert_non_null(find_text(&c, text));
    /* ends lie on two verticals; rows are evenly spaced */
    float x0 = lit->curves[0].a.x;
    float x1 = lit->curves[0].b.x;
    float top = INFINITY;
    float low = -INFINITY;
    for (size_t k = 0; k < dim->n + lit->n; k++) {
        const DrawCurve *curve = k < dim->n ? &dim->curves[k] : &lit->curves[k - dim->n];
        assert_near(curve->a.x, x0, 1e-3);
        assert_near(curve->b.x, x1, 1e-3);
        assert_near(curve->c1.x - x0, 0.44 * (x1 - x0), 0.01);
        assert_near(curve->c1.y, curve->a.y, 1e-3);
        assert_near(curve->c2.y, curve->b.y, 1e-3);
        top = fminf(top, curve->a.y);
        low = fmaxf(low, curve->a.y);
    }
    float pitch = (low - top) / (float)(n - 1);
    /* width 8 w k and opacity 0.3 + 0.6 w, of the weight at (row, column) that the ends say */
    float scale = 0;
    for (size_t k = 0; k < lit->n; k++) {
        const DrawCurve *curve = &lit->curves[k];
        int32_t i = (int32_t)lroundf((curve->a.y - top) / pitch);
        int32_t j = (int32_t)lroundf((curve->b.y - top) / pitch);
        assert_int_equal(i, s->selection.query);
        float weight = w[i * n + j];
        assert_near(curve->color.a, 0.3 + 0.6 * (double)weight, 1e-4);
        float middle = curve_width(curve, 0.5f);
        if (middle > 1.001f) {
            scale = scale > 0 ? scale : middle / weight;
            assert_near(middle, scale * weight, 1e-3);
        }
    }
    assert_near(scale, 16, 0.01); /* 8 px times 2 at this size */
    for (size_t k = 0; k < dim->n; k++) {
        const DrawCurve *curve = &dim->curves[k];
        int32_t i = (int32_t)lroundf((curve->a.y - top) / pitch);
        int32_t j = (int32_t)lroundf((curve->b.y - top) / pitch);
        float weight = w[i * n + j];
        assert_near(curve_width(curve, 0.5f), fmaxf(scale * weight, 1), 1e-3);
        assert_near(curve->color.a, 0.27 * (0.3 + 0.6 * (double)weight), 1e-4);
    }
    /* the weight that is meant is written as traced */
    snprintf(text, sizeof text, "%.3f", (double)w[s->selection.query * n + s->selection.key]);
    assert_non_null(find_text(&c, text));
    free(w);
    views_case_close(&c);
}

/* Where a curve is drawn alone, it is the one that is picked. */
static void test_columns__picking(void **state)
{
    (void)state;
    ViewsCase c;
    open_flow(&c, "flow-strongest top 1");
    const DrawCmd *sets[8];
    int n_sets = curve_sets(&c, sets);
    int checked = 0;
    for (int k = 0; k < n_sets; k++) {
        const DrawCurves *set = &sets[k]->u.curves;
        for (size_t i = 0; i < set->n; i++) {
            Vec2 p = curve_at(&set->curves[i], 0.06f);
            size_t hit = curves_pick(set, p, 0);
            assert_true(hit < set->n);
            /* whatever is hit does cover the point, and nothing above it does */
            float t;
            float d = curve_distance(&set->curves[hit], 1, p, &t);
            assert_true(d <= curve_width(&set->curves[hit], t) / 2 + 1e-3f);
            assert_true(hit >= i);
            checked++;
        }
    }
    assert_true(checked > 10);
    views_case_close(&c);
}

static void test_flow__same_moment_same_picture(void **state)
{
    (void)state;
    static const char *const modes[] = {"flow columns", "flow arcs", "flow layers", "flow graph"};
    for (size_t m = 0; m < AS_COUNT(modes); m++) {
        ViewsCase c;
        open_flow(&c, modes[m]);
        char *first = NULL;
        char *other = NULL;
        Arena arena = {0};
        static const char *const times[] = {"time 0.7", "time 2.5", "time 0.7"};
        for (int i = 0; i < 3; i++) {
            views_case_do(&c, times[i]);
            views_case_frame(&c, 1280, 720, 1);
            Error err = {0};
            char *dump = draw_dump(&c.list, &arena, &err);
            assert_ok(dump, err);
            if (i == 0) {
                first = dump;
            } else if (i == 1) {
                other = dump;
            } else {
                assert_string_equal(dump, first);
                assert_string_not_equal(dump, other);
            }
        }
        arena_destroy(&arena);
        views_case_close(&c);
    }
}

/* However many curves there are, what runs stays countable: thinned alike, so heavier curves still
 * have more of it. */
static void test_columns__particles_are_thinned(void **state)
{
    (void)state;
    ViewsCase c;
    Arena arena = {0};
    views_case_open(&c, "tiny", words_of(&arena, 120));
    views_case_do(&c, "view flow");
    views_case_do(&c, "flow-heads all");
    views_case_do(&c, "time 6");
    views_case_frame(&c, 1920, 1080, 1);
    const DrawParticles *most = NULL;
    size_t n_light = 0, n_heavy = 0, light = 0, heavy = 0;
    for (size_t i = 0; i < c.list.cmds.n; i++) {
        const DrawCmd *cmd = &c.list.cmds.items[i];
        if (cmd->kind == DRAW_PARTICLES && (!most || cmd->u.particles.n > most->n)) {
            most = &cmd->u.particles;
        }
    }
    assert_non_null(most);
    assert_true(most->n_curves > 1000 && most->n > 200 && most->n < 450);
    float widest = 0;
    for (size_t k = 0; k < most->n_curves; k++) {
        widest = fmaxf(widest, most->curves[k].width);
    }
    for (size_t k = 0; k < most->n_curves; k++) {
        light += most->curves[k].width < widest * 0.4f && most->curves[k].width > widest * 0.15f;
        heavy += most->curves[k].width > widest * 0.8f;
    }
    for (size_t k = 0; k < most->n; k++) {
        float width = most->curves[most->items[k].curve].width;
        n_light += width < widest * 0.4f;
        n_heavy += width > widest * 0.8f;
    }
    if (heavy < 20 || light < 20) {
        print_error("heavy %zu light %zu of %zu, widest %g\n", heavy, light, most->n_curves,
                    (double)widest);
    }
    assert_true(heavy > 20 && light > 20);
    assert_true((double)n_heavy / (double)heavy > 1.5 * (double)n_light / (double)light);
    views_case_close(&c);
    arena_destroy(&arena);
}

/* Looking at a key lights those that read it; two queries show their sum. */
static void test_columns__both_directions_and_sums(void **state)
{
    (void)state;
    ViewsCase c;
    open_flow(&c, "flow-strongest coverage 1");
    const TraceInfo *info = trace_info(c.session->trace);
    int32_t n = info->n_queries;
    views_case_do(&c, "flow-look k2");
    views_case_frame(&c, 1920, 1080, 1);
    const DrawCmd *sets[8];
    assert_int_equal(curve_sets(&c, sets), 2);
    float *w = weights_of(&c, c.session->selection.layer, c.session->selection.head);
    size_t readers = 0;
    for (int32_t i = 2; i < n; i++) {
        readers += w[i * n + 2] > 0;
    }
    assert_true(sets[1]->u.curves.n <= readers && sets[1]->u.curves.n > 0);
    for (size_t k = 1; k < sets[1]->u.curves.n; k++) {
        assert_near(sets[1]->u.curves.curves[k].b.y, sets[1]->u.curves.curves[0].b.y, 1e-3);
    }
    views_case_do(&c, "flow-look q5");
    views_case_do(&c, "flow-look +q9");
    views_case_frame(&c, 1920, 1080, 1);
    assert_non_null(find_text(&c, "SUM OF SET"));
    int found = 0;
    for (int32_t j = 0; j < n; j++) {
        char text[16];
        snprintf(text, sizeof text, "%.2f", (double)(w[5 * n + j] + w[9 * n + j]));
        found += find_text(&c, text) != NULL;
    }
    assert_int_equal(found, n);
    views_case_do(&c, "unpin");
    assert_int_equal(c.session->options.flow.n_pins, 0);
    free(w);
    views_case_close(&c);
}

static void move_to(ViewsCase *c, Vec2 at)
{
    assert_true(ui_feed(&c->ui, &(UiEvent){.kind = UI_EVENT_MOVE, .at = at}));
    views_case_pass(c, 1920, 1080, 1);
    session_settle(c->session);
    views_case_pass(c, 1920, 1080, 1);
}

static void click(ViewsCase *c)
{
    assert_true(ui_feed(&c->ui, &(UiEvent){.kind = UI_EVENT_DOWN, .at = c->ui.mouse}));
    views_case_pass(c, 1920, 1080, 1);
    assert_true(ui_feed(&c->ui, &(UiEvent){.kind = UI_EVENT_UP, .at = c->ui.mouse}));
    views_case_pass(c, 1920, 1080, 1);
    session_settle(c->session);
    views_case_pass(c, 1920, 1080, 1);
}

/* The pointer on a curve chooses its weight in passing, a click keeps it, a second one lets go; a
 * chip lights what its token reads, or who reads it. */
static void test_columns__hover_and_pin(void **state)
{
    (void)state;
    ViewsCase c;
    open_flow(&c, "flow-strongest top 1");
    const Selection *sel = &c.session->selection;
    const DrawCmd *sets[8];
    assert_int_equal(curve_sets(&c, sets), 2);
    const DrawCurves *dim = &sets[0]->u.curves;
    /* the longest way apart from others: the top one of those that step back */
    const DrawCurve *curve = &dim->curves[dim->n - 1];
    Vec2 at = curve_at(curve, 0.12f);
    float y0 = curve->a.y;
    float x0 = curve->a.x; /* the curve itself goes with its frame */
    uint64_t tag = dim->curves[curves_pick(dim, at, 3)].tag;
    assert_int_equal(tag, curve->tag);
    move_to(&c, at);
    assert_false(sel->pinned);
    int32_t query = sel->query;
    int32_t key = sel->key;
    float *w = weights_of(&c, sel->layer, sel->head);
    int32_t n = trace_info(c.session->trace)->n_queries;
    for (int32_t j = 0; j < n; j++) {
        assert_true(w[query * n + key] >= w[query * n + j]); /* its strongest */
    }
    click(&c);
    assert_true(sel->pinned && sel->query == query && sel->key == key);
    move_to(&c, vec2(5, 5));
    assert_true(sel->query == query && sel->key == key);
    assert_int_equal(curve_sets(&c, sets), 2);
    assert_near(sets[1]->u.curves.curves[0].a.y, y0, 0.01); /* it is the lit one */
    move_to(&c, at);
    click(&c);
    assert_false(sel->pinned);
    /* a query's chip stands left of where its curves begin */
    move_to(&c, vec2(x0 - 40, y0));
    assert_true(curve_sets(&c, sets) >= 1);
    click(&c);
    assert_true(flow_is_pinned(&c.session->options.flow, query, false));
    free(w);
    views_case_close(&c);
}

/* From far away bundles, close up single curves: the picture says which, and nothing is lost. */
static void test_columns__long_text_opens(void **state)
{
    (void)state;
    ViewsCase c;
    Arena arena = {0};
    views_case_open(&c, "random:L=1,H=2,d=32,seed=2", words_of(&arena, 900));
    views_case_do(&c, "view flow");
    views_case_frame(&c, 1280, 720, 1);
    const DrawCmd *sets[8];
    assert_int_equal(curve_sets(&c, sets), 2);
    bool bundles = false;
    for (size_t i = 0; i < c.list.cmds.n; i++) {
        const DrawCmd *cmd = &c.list.cmds.items[i];
        bundles |= cmd->kind == DRAW_TEXT && strstr(cmd->u.text.text, "bundles");
    }
    assert_true(bundles);
    views_case_do(&c, "look 450");
    views_case_frame(&c, 1280, 720, 1);
    bool single = false;
    for (size_t i = 0; i < c.list.cmds.n; i++) {
        const DrawCmd *cmd = &c.list.cmds.items[i];
        single |= cmd->kind == DRAW_TEXT && strstr(cmd->u.text.text, "connections");
    }
    assert_true(single);
    /* every query in view is drawn whole: what it reads in view, and the rest in two bundles whose
     * widths are their mass */
    views_case_do(&c, "flow-strongest coverage 1");
    views_case_do(&c, "time 6");
    views_case_frame(&c, 1280, 720, 1);
    const DrawCmd *lit[8];
    int n_sets = curve_sets(&c, lit);
    assert_true(n_sets >= 1);
    double widest[2] = {0, 0};
    for (int k = 0; k < n_sets; k++) {
        const DrawCurves *set = &lit[k]->u.curves;
        for (size_t i = 0; i < set->n; i++) {
            bool outside = set->curves[i].b.y < 165;
            widest[outside] = fmax(widest[outside], (double)set->curves[i].width);
        }
    }
    /* random weights over hundreds of keys: nearly all of it lies out of view */
    assert_true(widest[1] > 8 && widest[0] < 8);
    bool all = false;
    for (size_t i = 0; i < c.list.cmds.n; i++) {
        const DrawCmd *cmd = &c.list.cmds.items[i];
        all |= cmd->kind == DRAW_TEXT && strcmp(cmd->u.text.text, "carry 100.0 % of the mass") == 0;
    }
    assert_true(all);
    arena_destroy(&arena);
    views_case_close(&c);
}

/* Every mode at every size: nothing is drawn outside of the window, nothing is no number. */
static void test_flow__sizes_and_modes(void **state)
{
    (void)state;
    static const char *const modes[] = {"flow columns", "flow arcs", "flow layers", "flow graph"};
    static const float sizes[][3] = {{1280, 720, 1}, {900, 600, 1}, {2880, 1800, 2}, {640, 480, 1}};
    static const char *const texts[] = {"a", TEXT};
    for (size_t t = 0; t < AS_COUNT(texts); t++) {
        ViewsCase c;
        views_case_open(&c, "tiny", texts[t]);
        views_case_do(&c, "view flow");
        views_case_do(&c, "flow-heads all");
        for (size_t m = 0; m < AS_COUNT(modes); m++) {
            views_case_do(&c, modes[m]);
            for (size_t k = 0; k < AS_COUNT(sizes); k++) {
                views_case_frame(&c, sizes[k][0] / sizes[k][2], sizes[k][1] / sizes[k][2],
                                 sizes[k][2]);
                assert_true(c.list.cmds.n > 20);
            }
        }
        views_case_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns__curves_are_their_weights),
        cmocka_unit_test(test_columns__picking),
        cmocka_unit_test(test_flow__same_moment_same_picture),
        cmocka_unit_test(test_columns__particles_are_thinned),
        cmocka_unit_test(test_columns__both_directions_and_sums),
        cmocka_unit_test(test_columns__hover_and_pin),
        cmocka_unit_test(test_columns__long_text_opens),
        cmocka_unit_test(test_flow__sizes_and_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
