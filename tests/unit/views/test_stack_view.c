/* The Stack view: what it shows are the numbers of the trace, at every camera and any depth. */
#include "views_case.h"

static const char TEXT[] = "the cat sat on the mat and the cat ran to the mat";

static const DrawScene *scene_of(const ViewsCase *c)
{
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        if (c->list.cmds.items[i].kind == DRAW_SCENE) {
            return &c->list.cmds.items[i].u.scene;
        }
    }
    fail_msg("there is no scene");
    return NULL;
}

static void open_stack(ViewsCase *c, const char *model, const char *text)
{
    views_case_open(c, model, text);
    c->session->playback.still = true; /* a layer is shown as it is at its end */
    views_case_do(c, "view stack");
    views_case_do(c, "pin 8 4");
}

/* Curves to the chosen token in a layer: as many, as wide and as opaque as its weights say. */
static void test_stack__curves_are_the_weights(void **state)
{
    (void)state;
    ViewsCase c;
    open_stack(&c, "random:L=4,H=3,d=48,seed=5", TEXT);
    views_case_do(&c, "stack-heads one");
    views_case_do(&c, "layer 2");
    views_case_frame(&c, 1600, 1000, 1);
    const DrawScene *scene = scene_of(&c);
    float row[64];
    assert_true(trace_row_profile(c.session->trace, 2, c.session->selection.head, 8, row, NULL));
    StackSource top[48];
    float mass;
    int32_t n = stack_sources(row, trace_info(c.session->trace)->n_keys, 0.8f, top, 48, &mass);
    const ScenePlane *focus = NULL;
    for (size_t i = 0; i < scene->n_planes; i++) {
        focus = scene->planes[i].tag == 3 ? &scene->planes[i] : focus;
    }
    assert_non_null(focus);
    int32_t found = 0;
    float unit = 0;
    for (size_t i = 0; i < scene->n_curves; i++) {
        const SceneCurve *k = &scene->curves[i];
        if (k->straight || fabsf(k->p[3].y - focus->y) > 1e-5f) {
            continue;
        }
        const StackSource *s = &top[found];
        float x = 3.44f * (((float)s->key + 0.5f) / 13 - 0.5f);
        assert_float_equal(k->p[0].x, x, 1e-4);
        assert_float_equal(k->p[0].z, 1, 1e-4);
        assert_float_equal(k->color.a, 0.3f + 0.6f * s->weight, 1e-4);
        unit = found ? unit : k->width / s->weight;
        assert_float_equal(k->width, fmaxf(unit * s->weight, 1), 1e-3);
        found++;
    }
    assert_int_equal(found, n);
    char text[64];
    double listed = 0; /* by the inspector: four at most */
    for (int32_t i = 0; i < n && i < 4; i++) {
        listed += (double)top[i].weight;
    }
    snprintf(text, sizeof text, "%.1f %% shown", listed * 100);
    assert_non_null(find_text(&c, text));
    snprintf(text, sizeof text, "%.3f", (double)top[0].weight);
    assert_non_null(find_text(&c, text));
    views_case_close(&c);
}

/* Sheets hold the patterns themselves. */
static void test_stack__sheets_hold_the_weights(void **state)
{
    (void)state;
    ViewsCase c;
    open_stack(&c, "random:L=4,H=3,d=48,seed=5", TEXT);
    views_case_do(&c, "layer 1");
    views_case_do(&c, "stack-heads one");
    views_case_frame(&c, 1440, 900, 1);
    const DrawScene *scene = scene_of(&c);
    assert_int_equal(scene->n_planes, 4);
    for (size_t i = 0; i < 4; i++) {
        const ScenePlane *p = &scene->planes[i];
        int32_t layer = (int32_t)p->tag - 1;
        for (int32_t q = 0; q < 13; q++) {
            float row[64];
            assert_true(trace_row_profile(c.session->trace, layer, c.session->selection.head, q,
                                          row, NULL));
            assert_close(p->cells.values + q * p->cells.cols, row, (size_t)q + 1, 2e-6, 0);
        }
    }
    views_case_close(&c);
}

/* The plane in focus of a long text: every weight, whatever the planes show; the others are small.
 */
static void test_stack__focus_is_fine(void **state)
{
    (void)state;
    enum { WORDS = 600, HEADS = 3 };
    Arena arena = {0};
    ViewsCase c;
    open_stack(&c, "random:L=3,H=3,d=48,seed=5", words_of(&arena, WORDS));
    arena_destroy(&arena);
    int32_t n = trace_info(c.session->trace)->n_queries;
    views_case_do(&c, "layer 1");
    static const char *const shown[] = {"stack-heads one", "stack-heads mean", "stack-heads max"};
    for (size_t k = 0; k < AS_COUNT(shown); k++) {
        views_case_do(&c, shown[k]);
        for (int i = 0; i < 3; i++) {
            session_settle(c.session);
            views_case_frame(&c, 1440, 900, 1);
        }
        assert_true(views_settled(c.views));
        assert_true(says(&c, "focus 1²"));
        const DrawScene *scene = scene_of(&c);
        for (size_t i = 0; i < scene->n_planes; i++) {
            const SceneCells *cells = &scene->planes[i].cells;
            assert_true(scene->planes[i].tag == 2 ? cells->rows == n && cells->cols == n
                                                  : cells->rows <= 256);
            for (int32_t q = 0; q < n && scene->planes[i].tag == 2; q += 37) {
                float want[700] = {0};
                for (int32_t h = 0; h < HEADS; h++) {
                    float row[700];
                    bool one = k == 0;
                    int32_t head = one ? c.session->selection.head : h;
                    assert_true(trace_row_profile(c.session->trace, 1, head, q, row, NULL));
                    for (int32_t j = 0; j <= q; j++) {
                        want[j] = one      ? row[j]
                                  : k == 1 ? want[j] + row[j] / HEADS
                                           : fmaxf(want[j], row[j]);
                    }
                }
                assert_close(cells->values + q * n, want, (size_t)q + 1, 2e-6, 0);
                assert_true(q + 1 == n || isinf(cells->values[q * n + q + 1]));
            }
        }
    }
    views_case_close(&c);
}

/* Any number of layers: what has a plane is what is said. */
static void test_stack__thinned_grouped_selected(void **state)
{
    (void)state;
    static const struct {
        const char *command, *says;
        size_t planes;
    } cases[] = {
        {"stack-planes all", "all 30 layers, mean of 2 heads", 30},
        {"stack-planes every 5", "every fifth layer", 6},
        {"stack-planes group 10", "10 layers a plane", 4}, /* and the layer in focus */
        {"stack-planes 3:8", "layers 3–7 of 30", 6},
    };
    ViewsCase c;
    open_stack(&c, "random:L=30,H=2,d=32,seed=2", TEXT);
    views_case_do(&c, "layer 10");
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        views_case_do(&c, cases[i].command);
        views_case_frame(&c, 1920, 1080, 1);
        assert_true(says(&c, cases[i].says));
        assert_int_equal(scene_of(&c)->n_planes, cases[i].planes);
        assert_non_null(find_text(&c, "Layer 10"));
    }
    views_case_close(&c);
}

/* No preset and no push of the camera loses the stack. */
static void test_stack__is_never_lost(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "stack-camera front", "stack-camera top", "stack-camera side", "stack-camera fly",
        "stack-camera orbit", "stack-pan 9 9 9",  "stack-zoom 0.01",   "stack-turn 170 80",
        "stack-lens",         "stack-explode 3"};
    static const float sizes[][2] = {{1920, 1080}, {1280, 720}, {900, 560}};
    ViewsCase c;
    open_stack(&c, "random:L=6,H=2,d=32,seed=2", TEXT);
    for (size_t i = 0; i < AS_COUNT(lines); i++) {
        views_case_do(&c, lines[i]);
        for (size_t k = 0; k < AS_COUNT(sizes); k++) {
            views_case_frame(&c, sizes[k][0], sizes[k][1], 1);
            const DrawScene *scene = scene_of(&c);
            View3D view = camera3d_view(&scene->camera, scene->box);
            const ScenePlane *p = &scene->planes[scene->n_planes / 2];
            int inside = 0;
            for (int j = 0; j <= 100; j++) {
                Vec2 at;
                Vec3 q = {p->x0 + (p->x1 - p->x0) * (float)(j % 10) / 10, p->y,
                          p->z0 + (p->z1 - p->z0) * (float)(j / 10) / 10};
                inside += view3d_project(&view, q, &at, NULL) && rect_contains(scene->box, at);
            }
            assert_true(inside > 4);
        }
    }
    views_case_close(&c);
}

/* Time is a value: the same moment is the same picture, another one is not. */
static void test_stack__replay_is_exact(void **state)
{
    (void)state;
    ViewsCase c;
    char *pictures[4];
    static const double times[] = {0.2, 0.9, 0.2, 0.9};
    open_stack(&c, "random:L=6,H=2,d=32,seed=2", TEXT);
    views_case_do(&c, "layer 3");
    for (int i = 0; i < 4; i++) {
        c.session->playback.time_s = times[i];
        views_case_frame(&c, 1280, 800, 1);
        pictures[i] = draw_dump(&c.list, &c.arena, NULL);
        assert_non_null(pictures[i]);
    }
    assert_string_equal(pictures[0], pictures[2]);
    assert_string_equal(pictures[1], pictures[3]);
    assert_string_not_equal(pictures[0], pictures[1]);
    /* On the way the sheet in focus is two patterns at once. */
    c.session->playback.time_s = 0.2;
    views_case_frame(&c, 1280, 800, 1);
    const DrawScene *scene = scene_of(&c);
    int mixed = 0;
    for (size_t i = 0; i < scene->n_planes; i++) {
        mixed += scene->planes[i].mix > 0.01f && scene->planes[i].mix < 0.99f;
    }
    assert_int_equal(mixed, 1);
    views_case_close(&c);
}

static void feed(ViewsCase *c, UiEventKind kind, Vec2 at)
{
    UiEvent event = {.kind = kind, .at = at};
    assert_true(ui_feed(&c->ui, &event));
    views_case_pass(c, 1440, 900, 1);
    session_settle(c->session);
}

/* A click on a sheet chooses its layer and the cell that is there; a drag turns. */
static void test_stack__pointer(void **state)
{
    (void)state;
    ViewsCase c;
    open_stack(&c, "random:L=4,H=2,d=32,seed=2", TEXT);
    views_case_do(&c, "layer 1");
    views_case_frame(&c, 1440, 900, 1);
    const DrawScene *scene = scene_of(&c);
    View3D view = camera3d_view(&scene->camera, scene->box);
    const ScenePlane *top = &scene->planes[0];
    for (size_t i = 0; i < scene->n_planes; i++) {
        top = scene->planes[i].y > top->y ? &scene->planes[i] : top;
    }
    int32_t layer = (int32_t)top->tag - 1;
    Vec3 cell = {top->x0 + (top->x1 - top->x0) * 2.5f / 13, top->y,
                 top->z0 + (top->z1 - top->z0) * 6.5f / 13};
    Vec2 at;
    assert_true(view3d_project(&view, cell, &at, NULL));
    feed(&c, UI_EVENT_MOVE, at);
    feed(&c, UI_EVENT_DOWN, at);
    feed(&c, UI_EVENT_UP, at);
    assert_int_equal(c.session->selection.layer, layer);
    assert_int_equal(c.session->selection.query, 6);
    assert_int_equal(c.session->selection.key, 2);
    float yaw = c.session->stack3d.camera.yaw_deg;
    feed(&c, UI_EVENT_DOWN, at);
    feed(&c, UI_EVENT_MOVE, vec2(at.x + 60, at.y));
    feed(&c, UI_EVENT_MOVE, vec2(at.x + 100, at.y));
    assert_float_equal(c.session->stack3d.camera.yaw_deg, yaw, 0); /* not yet chosen */
    feed(&c, UI_EVENT_UP, vec2(at.x + 100, at.y));
    assert_float_equal(c.session->stack3d.camera.yaw_deg, yaw - 35, 0.1f);
    views_case_do(&c, "undo");
    assert_float_equal(c.session->stack3d.camera.yaw_deg, yaw, 0);
    views_case_close(&c);
}

/* Labels keep clear of each other and of the cards. */
static void test_stack__words_do_not_collide(void **state)
{
    (void)state;
    static const char *const models[] = {"random:L=6,H=2,d=32,seed=2",
                                         "random:L=80,H=2,d=32,seed=2"};
    static const float sizes[][2] = {{1920, 1080}, {1280, 720}};
    for (size_t m = 0; m < AS_COUNT(models); m++) {
        for (size_t k = 0; k < AS_COUNT(sizes); k++) {
            ViewsCase c;
            open_stack(&c, models[m], TEXT);
            views_case_frame(&c, sizes[k][0], sizes[k][1], 1);
            const DrawCmd *names[64];
            int n = 0;
            for (size_t i = 0; i < c.list.cmds.n; i++) {
                const DrawCmd *cmd = &c.list.cmds.items[i];
                if (cmd->kind == DRAW_TEXT && strncmp(cmd->u.text.text, "Layer ", 6) == 0 &&
                    n < 64) {
                    names[n++] = cmd;
                }
            }
            assert_true(n > 3);
            for (int i = 0; i < n; i++) {
                for (int j = i + 1; j < n; j++) {
                    assert_true(rect_is_empty(rect_intersect(rect_inset(names[i]->bounds, 2),
                                                             rect_inset(names[j]->bounds, 2))));
                }
            }
            views_case_close(&c);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack__curves_are_the_weights),
        cmocka_unit_test(test_stack__sheets_hold_the_weights),
        cmocka_unit_test(test_stack__focus_is_fine),
        cmocka_unit_test(test_stack__thinned_grouped_selected),
        cmocka_unit_test(test_stack__is_never_lost),
        cmocka_unit_test(test_stack__replay_is_exact),
        cmocka_unit_test(test_stack__pointer),
        cmocka_unit_test(test_stack__words_do_not_collide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
