/* What the Stack view is made of: numbers against their definitions, choices by command and undo.
 */
#include "session_case.h"

static const char TEXT[] = "the cat sat on the mat and the cat ran";

static void test_stack_sources__strongest_until_covered(void **state)
{
    (void)state;
    static const float w[] = {0.1f, 0.4f, 0, 0.1f, 0.3f, 0.1f};
    StackSource top[6];
    float mass;
    assert_int_equal(stack_sources(w, 6, 0.65f, top, 6, &mass), 2);
    assert_int_equal(top[0].key, 1);
    assert_int_equal(top[1].key, 4);
    assert_float_equal(mass, 0.7f, 1e-6);
    /* ties go to the lower key */
    assert_int_equal(stack_sources(w, 6, 0.79f, top, 6, &mass), 3);
    assert_int_equal(top[2].key, 0);
    /* no more than asked for, and the mass says so */
    assert_int_equal(stack_sources(w, 6, 1, top, 2, &mass), 2);
    assert_float_equal(mass, 0.7f, 1e-6);
    assert_int_equal(stack_sources(w, 6, 1, top, 6, &mass), 5);
    assert_float_equal(mass, 1, 1e-6);
    static const float nothing[3] = {0};
    assert_int_equal(stack_sources(nothing, 3, 0.8f, top, 6, &mass), 0);
    assert_float_equal(mass, 0, 0);
}

static void test_stack_entropy__bits(void **state)
{
    (void)state;
    static const float even[4] = {0.25f, 0.25f, 0.25f, 0.25f};
    static const float one[3] = {0, 1, 0};
    static const float twice[2] = {1, 1}; /* is scaled to sum 1 */
    assert_float_equal(stack_entropy(even, 4), 2, 1e-6);
    assert_float_equal(stack_entropy(one, 3), 0, 1e-6);
    assert_float_equal(stack_entropy(twice, 2), 1, 1e-6);
    assert_float_equal(stack_entropy(one, 1), 0, 0);
}

static void test_stack_similarity__overlap(void **state)
{
    (void)state;
    static const float a[4] = {1, 0, 0.5f, 0.5f};
    static const float b[4] = {0, 1, 0.5f, 0.5f};
    static const float c[4] = {0.5f, 0.5f, 0, 0};
    assert_float_equal(stack_similarity(a, a, 2, 2), 1, 1e-6);
    assert_float_equal(stack_similarity(a, b, 2, 2), 0.5f, 1e-6); /* rows 0 and 1 */
    /* the empty row does not count */
    assert_float_equal(stack_similarity(a, c, 2, 2), sqrtf(0.5f), 1e-6);
}

/* Every number of patterns and rows against exact tiles. */
static void test_session_stack__equals_tiles(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    const TraceInfo *info = trace_info(s->trace);
    static const char *const heads[] = {"mean", "max", "one"};
    does(s, "pin 7 3");
    does(s, "head 2");
    for (int k = 0; k < 3; k++) {
        char line[32];
        snprintf(line, sizeof line, "stack-heads %s", heads[k]);
        does(s, line);
        const StackPatterns *p = session_stack_patterns(s);
        const StackRows *r = session_stack_rows(s);
        assert_non_null(p);
        assert_non_null(r);
        assert_int_equal(p->row_texel, 1);
        for (int32_t l = 0; l < info->n_layers; l++) {
            for (int32_t i = 0; i < info->n_queries; i++) {
                for (int32_t j = 0; j < info->n_keys; j++) {
                    float want = 0;
                    for (int32_t h = 0; h < info->n_heads; h++) {
                        TraceRegion cell = {l, h, i, i + 1, j, j + 1};
                        float w;
                        assert_true(trace_tile(s->trace, &cell, TRACE_WEIGHTS, &w, 0, NULL));
                        want = k == 0   ? want + w / (float)info->n_heads
                               : k == 1 ? fmaxf(want, w)
                               : h == 2 ? w
                                        : want;
                    }
                    float got = p->values[(l * p->rows + i) * p->cols + j];
                    if (j > i) {
                        assert_true(got == -INFINITY);
                    } else {
                        assert_float_equal(got, want, 2e-6);
                    }
                    if (i == 7) {
                        assert_float_equal(r->weights[l * r->n_keys + j], want, 2e-6);
                    }
                }
            }
            TraceCell cell;
            assert_true(trace_cell(s->trace, l, 1, 7, 3, &cell, NULL));
            assert_float_equal(r->pair[l * info->n_heads + 1], cell.weight, 2e-6);
            if (k == 2) {
                TraceRows rows;
                assert_true(trace_rows(s->trace, l, 2, &rows));
                assert_float_equal(r->entropy[l], rows.entropy[7] / logf(2), 1e-4);
            }
            assert_true(l ? p->similarity[l] > 0 && p->similarity[l] <= 1 : p->similarity[l] < 0);
        }
        assert_true(session_stack_settled(s));
    }
    session_destroy(&s);
}

/* Two levels by hand; followed is the sum of the products. */
static void test_session_stack_tree__products_of_exact_weights(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    does(s, "pin 8 2");
    does(s, "stack-heads one");
    does(s, "stack-coverage 0.6");
    static const int32_t layers[] = {2, 1};
    const StackTree *t = session_stack_tree(s, layers, 2);
    assert_non_null(t);
    double last = 0;
    int first_level = 0;
    for (size_t i = 0; i < t->n_steps; i++) {
        const StackStep *step = &t->steps[i];
        TraceCell cell;
        assert_int_equal(step->layer, layers[step->level]);
        assert_true(trace_cell(s->trace, step->layer, s->selection.head, step->query, step->key,
                               &cell, NULL));
        assert_float_equal(step->weight, cell.weight, 2e-6);
        if (step->level == 0) {
            assert_int_equal(step->query, 8);
            assert_float_equal(step->mass, step->weight, 1e-5);
            first_level++;
            continue;
        }
        /* its reader is a source of the level above, with that mass */
        double above = 0;
        for (size_t k = 0; k < i; k++) {
            above += t->steps[k].level == 0 && t->steps[k].key == step->query
                         ? (double)t->steps[k].mass
                         : 0;
        }
        assert_float_equal(step->mass, (float)(above * (double)step->weight), 1e-5);
        last += (double)step->mass;
    }
    assert_true(first_level > 1);
    assert_float_equal(t->followed, (float)last, 1e-5);
    assert_true(t->followed > 0.36f && t->followed < 1);
    session_destroy(&s);
}

static void test_stack_commands__limits_and_undo(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    StackChoice before = s->stack3d;
    static const char *const lines[] = {
        "stack-camera top",     "stack-turn 10 -200",   "stack-pan 5 -5 0.1", "stack-zoom 100",
        "stack-lens",           "stack-explode 2",      "stack-opacity 0.3",  "stack-heads max",
        "stack-planes every 2", "stack-planes group 2", "stack-planes 1:3",   "stack-depth 3",
        "stack-coverage 0.5",
    };
    for (size_t i = 0; i < AS_COUNT(lines); i++) {
        does(s, lines[i]);
        assert_string_equal(s->note, "");
    }
    assert_float_equal(s->stack3d.camera.pitch_deg, -89, 0);
    assert_float_equal(s->stack3d.camera.zoom, STACK_MOST_ZOOM, 0);
    assert_float_equal(s->stack3d.camera.pan[0], STACK_MOST_PAN, 0);
    assert_true(s->stack3d.camera.orthographic);
    assert_int_equal(s->stack3d.first, 1);
    assert_int_equal(s->stack3d.last, 2);
    assert_int_equal(s->stack3d.depth, 3);
    static const char *const bad[] = {"stack-camera up",  "stack-turn 1",
                                      "stack-turn 1 x",   "stack-zoom nan",
                                      "stack-planes 3:2", "stack-planes every",
                                      "stack-opacity 2",  "stack-depth 99",
                                      "stack-heads two",  "stack-planes every 99999999999",
                                      "stack-pan 1 2"};
    StackChoice after = s->stack3d;
    for (size_t i = 0; i < AS_COUNT(bad); i++) {
        s->note[0] = 0;
        does(s, bad[i]);
        assert_string_not_equal(s->note, "");
        assert_true(stack_choice_equal(&after, &s->stack3d));
    }
    for (size_t i = 0; i < AS_COUNT(lines); i++) {
        does(s, "undo");
    }
    assert_true(stack_choice_equal(&before, &s->stack3d));
    does(s, "redo");
    assert_int_equal(s->stack3d.camera.preset, STACK_TOP);
    session_destroy(&s);
}

/* What keys send: a step, or the next way. */
static void test_stack_commands__steps(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    const StackChoice *c = &s->stack3d;
    for (int i = 0; i < 20; i++) {
        does(s, "stack-opacity -");
        does(s, "stack-coverage +");
    }
    assert_true(c->opacity == 0 && c->coverage == 1);
    does(s, "stack-opacity +");
    does(s, "stack-coverage -");
    assert_float_equal(c->opacity, 0.1, 1e-6);
    assert_float_equal(c->coverage, 0.9, 1e-6);
    static const StackPlanes ways[] = {STACK_PLANES_ALL, STACK_PLANES_EVERY, STACK_PLANES_GROUP,
                                       STACK_PLANES_AUTO};
    for (size_t i = 0; i < AS_COUNT(ways); i++) {
        does(s, "stack-planes");
        assert_int_equal(c->planes, ways[i]);
        assert_true(i == 0 || c->every >= 2);
    }
    session_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack_sources__strongest_until_covered),
        cmocka_unit_test(test_stack_entropy__bits),
        cmocka_unit_test(test_stack_similarity__overlap),
        cmocka_unit_test(test_session_stack__equals_tiles),
        cmocka_unit_test(test_session_stack_tree__products_of_exact_weights),
        cmocka_unit_test(test_stack_commands__limits_and_undo),
        cmocka_unit_test(test_stack_commands__steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
