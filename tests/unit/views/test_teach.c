/* Mechanism and Steps: nothing runs into anything else at any size; thickness and opacity are the
 * weight's; never everything at once; rows add up to 100 % as they are written. */
#include "layout_case.h"

#include "session/commands.h"
#include "session/lesson.h"
#include "views/steps.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static const char TEXT[] = "the cat sat on the mat and the cat saw the dog";

static void open_on(ViewsCase *c, const char *model, const char *view)
{
    views_case_open(c, model, TEXT);
    views_case_do(c, "layer 1");
    views_case_do(c, "head 1");
    views_case_do(c, "query 5");
    views_case_do(c, view);
    views_case_do(c, "time 99"); /* a view opens at the beginning of its time */
}

static int check_all_sizes(ViewsCase *c, const char *what)
{
    static const struct {
        float width, height, scale;
    } sizes[] = {{1280, 720, 1}, {1440, 900, 1}, {1920, 1080, 1}, {1280, 720, 1.5f}};
    int n_bad = 0;
    for (size_t i = 0; i < AS_COUNT(sizes); i++) {
        char where[160];
        snprintf(where, sizeof where, "%s at %.0f x %.0f scale %.2g", what, (double)sizes[i].width,
                 (double)sizes[i].height, (double)sizes[i].scale);
        views_case_frame(c, sizes[i].width, sizes[i].height, sizes[i].scale);
        n_bad += check_frame(c, where);
    }
    return n_bad;
}

/* ---- layout ---- */

static void test_mechanism_draw__fits(void **state)
{
    (void)state;
    static const char *const models[] = {"random:L=2,H=2,d=32,seed=5", "random:L=2,H=1,d=16,seed=5",
                                         "random:L=2,H=32,d=128,seed=5",
                                         "random:L=30,H=9,G=3,d=72,seed=5"};
    static const char *const lines[] = {"theme paper", "theme contrast", "window 0 1",
                                        "window 2 8",  "curve-weights",  "time 3.5"};
    int n_bad = 0;
    for (size_t m = 0; m < AS_COUNT(models); m++) {
        ViewsCase c;
        open_on(&c, models[m], "view mechanism");
        for (size_t i = 0; i < AS_COUNT(lines); i++) {
            char what[128];
            views_case_do(&c, lines[i]);
            snprintf(what, sizeof what, "mechanism, %s, %s", models[m], lines[i]);
            n_bad += check_all_sizes(&c, what);
        }
        views_case_close(&c);
    }
    assert_int_equal(n_bad, 0);
}

static void test_steps_draw__fits(void **state)
{
    (void)state;
    static const char *const courses[] = {"nine", "six", "flow"};
    static const char *const levels[] = {"level simple", "level student", "level engineer"};
    static const char *const themes[] = {"theme night", "theme paper", "theme contrast"};
    int n_bad = 0;
    ViewsCase c;
    open_on(&c, "random:L=2,H=4,G=2,d=64,seed=5", "view steps");
    for (int k = 0; k < COURSE_COUNT; k++) {
        const StepKind *list;
        int n = steps_course((TeachCourse)k, &list);
        char line[64];
        snprintf(line, sizeof line, "course %s", courses[k]);
        views_case_do(&c, line);
        for (int step = 0; step < n; step++) {
            char what[64];
            snprintf(line, sizeof line, "step %d", step);
            snprintf(what, sizeof what, "%s %s", courses[k], step_label(list[step]));
            views_case_do(&c, line);
            views_case_do(&c, "time 99");
            views_case_do(&c, levels[step % 3]);
            views_case_do(&c, themes[(step + k) % 3]);
            views_case_frame(&c, 1280, 720, 1);
            assert_true(c.session->playback.timeline.length_s == step_seconds(list[step]));
            n_bad += check_all_sizes(&c, what);
            views_case_do(&c, "time 2.5"); /* and on the way */
            n_bad += check_all_sizes(&c, what);
        }
    }
    views_case_close(&c);
    assert_int_equal(n_bad, 0);
}

/* Two texts: queries of one, keys and values of the other, at any size. */
static void test_steps_draw__cross_attention_fits(void **state)
{
    (void)state;
    int n_bad = 0;
    ViewsCase c;
    open_on(&c, "translate", "view mechanism");
    views_case_do(&c, "stack cross");
    n_bad += check_all_sizes(&c, "mechanism, cross");
    views_case_do(&c, "theme paper");
    views_case_do(&c, "stack decoder");
    n_bad += check_all_sizes(&c, "mechanism, decoder");
    views_case_do(&c, "stack cross");
    views_case_do(&c, "view steps");
    for (int step = 0; step < 9; step++) {
        char line[64];
        snprintf(line, sizeof line, "step %d", step);
        views_case_do(&c, line);
        views_case_do(&c, "time 99");
        n_bad += check_all_sizes(&c, line);
        assert_true(session_lesson(c.session, 5)->has_input);
    }
    views_case_close(&c);
    assert_int_equal(n_bad, 0);
}

/* Pictures: their patches are the tokens, and no word speaks of a text. */
static void test_steps_draw__patches_of_a_picture(void **state)
{
    (void)state;
    Error err = {0};
    int n_bad = 0;
    ViewsCase c;
    open_on(&c, "random:L=2,H=2,d=32,seed=5", "view steps");
    const SessionRequest request = {.model = "tests/golden/data/arch_vit",
                                    .image_path = "tests/golden/data/arch_vit/picture.png"};
    assert_ok(session_request(c.session, &request, &err), err);
    session_settle(c.session);
    views_case_do(&c, "course nine");
    for (int step = 0; step < 9; step++) {
        char line[32];
        snprintf(line, sizeof line, "step %d", step);
        views_case_do(&c, line);
        views_case_do(&c, "time 99");
        n_bad += check_all_sizes(&c, line);
        size_t images = 0;
        for (size_t i = 0; i < c.list.cmds.n; i++) {
            const DrawCmd *cmd = &c.list.cmds.items[i];
            images += cmd->kind == DRAW_IMAGE;
            assert_false(cmd->kind == DRAW_TEXT && strstr(cmd->u.text.text, "The text, cut"));
        }
        const TraceImage *image = trace_image(c.session->trace);
        assert_true(step > 0 || images >= (size_t)(image->patch_rows * image->patch_columns));
    }
    views_case_do(&c, "view mechanism");
    views_case_do(&c, "time 99");
    n_bad += check_all_sizes(&c, "mechanism of a picture");
    views_case_close(&c);
    assert_int_equal(n_bad, 0);
}

/* A costly layer is opened by a job: the picture stays, or says what comes, and nothing is drawn of
 * tokens that are gone. */
static void test_teach_lesson__old_picture_until_it_is_there(void **state)
{
    (void)state;
    static const char *const views[] = {"view mechanism", "view steps"};
    ViewsCase c;
    open_on(&c, "random:L=3,H=2,d=32,seed=5", "view mechanism");
    for (size_t i = 0; i < AS_COUNT(views); i++) {
        views_case_do(&c, views[i]);
        views_case_do(&c, "layer 0");
        views_case_do(&c, "step 2");
        views_case_do(&c, "time 99");
        views_case_frame(&c, 1440, 900, 1);
        c.session->lessons->at_once = 1;
        Error err = {0};
        assert_ok(session_run_command(c.session, "layer 2", &err), err);
        views_case_pass(&c, 1440, 900, 1);
        assert_false(views_settled(c.views));
        assert_int_equal(c.session->lessons->lesson.layer, 0);
        assert_true(says_from(&c, "layer 0 · head 1"));
        views_case_frame(&c, 1440, 900, 1);
        assert_false(says_from(&c, "layer 0 · head 1"));
        assert_true(says_from(&c, "layer 2 · head 1"));
        views_case_do(&c, "length 3"); /* another run: what was shown is of other tokens */
        views_case_pass(&c, 1440, 900, 1);
        assert_non_null(find_text(&c, "Opening layer 2, head 1 …"));
        views_case_frame(&c, 1440, 900, 1);
        assert_null(find_text(&c, "Opening layer 2, head 1 …"));
        views_case_do(&c, "length all");
        c.session->lessons->at_once = 0;
    }
    views_case_close(&c);
}

/* ---- honesty ---- */

static int count_curves(const ViewsCase *c, float widths[64], float alphas[64])
{
    Color head = color_head(1);
    int n = 0;
    for (size_t i = 0; i < c->list.cmds.n && n < 64; i++) {
        const DrawCmd *cmd = &c->list.cmds.items[i];
        const DrawBezier *b = &cmd->u.bezier;
        if (cmd->kind == DRAW_BEZIER && b->t1 > 0 && fabsf(b->color.r - head.r) < 1e-4f &&
            fabsf(b->color.g - head.g) < 1e-4f && fabsf(b->color.b - head.b) < 1e-4f) {
            widths[n] = b->width;
            alphas[n++] = b->color.a;
        }
    }
    return n;
}

static void test_mechanism_draw__curves_are_weights(void **state)
{
    (void)state;
    float widths[64], alphas[64];
    ViewsCase c;
    open_on(&c, "random:L=2,H=4,d=64,seed=5", "view mechanism");
    views_case_do(&c, "window 0 6");
    views_case_do(&c, "unpin");
    views_case_frame(&c, 1920, 1080, 1);
    const Lesson *l = session_lesson(c.session, 6);
    assert_true(l->valid);
    int n = count_curves(&c, widths, alphas);
    int32_t visible = 0;
    for (int32_t k = 0; k < l->n * l->m; k++) {
        visible += !isinf(l->scores[k]);
    }
    assert_true(n > 0 && n < visible); /* not everything at once */
    bool alike = true;
    for (int k = 0; k < n; k++) {
        float weight = widths[k] / 8;
        bool found = false;
        for (int32_t j = 0; j < l->n * l->m; j++) {
            found |= fabsf(l->weights[j] - weight) < 1e-5f;
        }
        assert_true(found);
        assert_true(fabsf(alphas[k] - (0.3f + 0.6f * weight)) < 1e-4f);
        alike &= fabsf(widths[k] - widths[0]) < 1e-6f;
    }
    assert_false(alike);
    /* One after the other: the strongest begins first. */
    views_case_do(&c, "time 7.15");
    views_case_frame(&c, 1920, 1080, 1);
    int some = count_curves(&c, widths, alphas);
    assert_true(some > 0 && some < n);
    views_case_do(&c, "time 0");
    views_case_frame(&c, 1920, 1080, 1);
    assert_int_equal(count_curves(&c, widths, alphas), 0);
    views_case_close(&c);
}

static int count_to_the_left(const ViewsCase *c)
{
    int n = 0;
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        const DrawCmd *cmd = &c->list.cmds.items[i];
        n += cmd->kind == DRAW_BEZIER && cmd->u.bezier.b.x < cmd->u.bezier.a.x;
    }
    return n;
}

/* Every curve of either attention is as thick as a weight of its own trace; numbers of both texts
 * are those of the run. */
static void test_mechanism_draw__self_beside_cross(void **state)
{
    (void)state;
    static const char *const stacks[] = {"stack cross", "stack decoder"};
    float widths[64], alphas[64];
    ViewsCase c;
    open_on(&c, "translate", "view mechanism");
    for (size_t k = 0; k < AS_COUNT(stacks); k++) {
        views_case_do(&c, stacks[k]);
        views_case_frame(&c, 1920, 1080, 1);
        assert_non_null(find_text(&c, "Head 1: self beside cross"));
        const Lesson *l = &c.session->lessons->lesson;
        const LessonBeside *b = &l->beside;
        const int n = count_curves(&c, widths, alphas);
        assert_true(n >= 2 * l->n - 2 && count_to_the_left(&c) >= l->n - 1);
        for (int i = 0; i < n; i++) {
            bool found = false;
            for (int32_t j = 0; j < l->n * l->m; j++) {
                found |= fabsf(widths[i] - 8 * l->weights[j]) < 1e-4f;
            }
            for (int32_t j = 0; j < l->n * b->keys.count; j++) {
                found |= fabsf(widths[i] - 8 * b->weights[j]) < 1e-4f;
            }
            assert_true(found && fabsf(alphas[i] - (0.3f + 0.6f * widths[i] / 8)) < 1e-3f);
        }
        if (k == 0) {
            const float shown[] = {l->q[0], l->k[0], l->v[0]};
            for (size_t i = 0; i < AS_COUNT(shown); i++) {
                assert_non_null(find_text(&c, teach_number(&c.ui, shown[i])));
            }
        }
    }
    views_case_do(&c, "stack encoder");
    views_case_frame(&c, 1920, 1080, 1);
    assert_non_null(find_text(&c, "Head 1: who reads whom"));
    assert_int_equal(count_to_the_left(&c), 0);
    views_case_close(&c);
}

/* A record opened without its model says what it lacks and why, tells no numbers of that, and its
 * button runs the model. */
static void test_steps_draw__record_without_model(void **state)
{
    (void)state;
    static const struct {
        const char *model, *stack;
        TraceStore store;
        int step;
        const char *says;
    } rows[] = {
        {"translate", "stack cross", TRACE_STORE_ALL, 1, "What enters is not here"},
        {"translate", "stack cross", TRACE_STORE_ALL, 2, "What enters is not here"},
        {"translate", "stack cross", TRACE_STORE_ALL, 8, "What enters is not here"},
        {"tiny", "stack", TRACE_STORE_QK, 1, "The layer's input is not here"},
        {"tiny", "stack", TRACE_STORE_QK, 6, "Values are not here"},
        {"tiny", "stack", TRACE_STORE_QK, 7, "Values are not here"},
        {"tiny", "stack", TRACE_STORE_ALL, 8, "The weight matrices are not here"},
    };
    char path[] = "/tmp/attnscope-record-XXXXXX.safetensors";
    int file = mkstemps(path, 12);
    assert_true(file >= 0);
    close(file);
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        Error err = {0};
        ViewsCase c;
        views_case_open(&c, rows[i].model, TEXT);
        SessionRequest request = c.session->request;
        request.params.store = rows[i].store;
        assert_ok(session_request(c.session, &request, &err), err);
        session_settle(c.session);
        views_case_do(&c, rows[i].stack);
        views_case_do(&c, "layer 1");
        assert_ok(trace_save(c.session->trace, path, &err), err);
        views_case_close(&c);
        views_case_open(&c, "random:L=2,H=2,d=32", TEXT); /* another model is in use */
        session_post(c.session, "open %s", path);
        session_settle(c.session);
        assert_null(session_model(c.session));
        views_case_do(&c, "view steps");
        session_post(c.session, "step %d", rows[i].step);
        session_settle(c.session);
        views_case_do(&c, "time 99");
        int n_bad = check_all_sizes(&c, rows[i].says);
        assert_int_equal(n_bad, 0);
        assert_true(count_texts(&c, rows[i].says) > 0);
        assert_int_equal(count_texts(&c, "In this run"),
                         rows[i].step == 8 || rows[i].step == 1 ? 0 : 1);
        views_case_frame(&c, 1280, 720, 1);
        const DrawCmd *button =
            find_text(&c, draw_format(&c.list, "Run %s on this text", rows[i].model));
        assert_non_null(button);
        Vec2 at = {button->bounds.x + 4, button->bounds.y + 4};
        UiEvent events[] = {{.kind = UI_EVENT_MOVE, .at = at},
                            {.kind = UI_EVENT_DOWN, .at = at},
                            {.kind = UI_EVENT_UP, .at = at}};
        for (size_t k = 0; k < AS_COUNT(events); k++) {
            assert_true(ui_feed(&c.ui, &events[k]));
            views_case_frame(&c, 1280, 720, 1);
        }
        views_case_frame(&c, 1280, 720, 1);
        assert_non_null(session_model(c.session));
        assert_int_equal(count_texts(&c, rows[i].says), 0);
        views_case_close(&c);
    }
    unlink(path);
}

/* Every token of cross attention has its name in all three parts, in a low window too. */
static void test_mechanism_draw__names_in_a_low_window(void **state)
{
    (void)state;
    ViewsCase c;
    open_on(&c, "translate", "view mechanism");
    views_case_frame(&c, 1280, 720, 1);
    const Lesson *l = &c.session->lessons->lesson;
    assert_true(l->cross && l->n >= 4);
    for (int32_t i = 0; i < l->n; i++) {
        char label[TOKEN_LABEL_MAX];
        session_label(c.session, l->rows.first + i, label);
        assert_true(count_texts(&c, label) >= 3);
    }
    views_case_close(&c);
}

/* Every legend has its ticks: both ends, and what lies between where there is room. */
static void test_teach_legend__shows_its_ticks(void **state)
{
    (void)state;
    static const char *const shares[] = {"0", "0.1", "0.5", "1"};
    ViewsCase c;
    open_on(&c, "random:L=2,H=2,d=32,seed=5", "view steps");
    views_case_do(&c, "step 5");
    views_case_do(&c, "time 99");
    views_case_frame(&c, 1440, 900, 1);
    for (size_t i = 0; i < AS_COUNT(shares); i++) {
        assert_non_null(find_text(&c, shares[i]));
    }
    const Lesson *l = &c.session->lessons->lesson;
    float lo = INFINITY, hi = -INFINITY;
    for (int32_t i = 0; i < l->n * l->m; i++) {
        if (!isinf(l->scores[i])) {
            lo = fminf(lo, l->scores[i]);
            hi = fmaxf(hi, l->scores[i]);
        }
    }
    const DrawCmd *low = find_text(&c, teach_number(&c.ui, lo));
    const DrawCmd *high = find_text(&c, teach_number(&c.ui, hi));
    assert_true(low && high);
    views_case_do(&c, "step 2");
    views_case_do(&c, "time 99");
    views_case_frame(&c, 1440, 900, 1);
    const LessonMatrix *m = &c.session->lessons->matrices[MODEL_PROJECTION_Q];
    assert_true(m->values && m->most > 0);
    assert_non_null(find_text(&c, "0.00")); /* the middle of its legend */
    views_case_close(&c);
}

static void test_mechanism_draw__rows_add_up(void **state)
{
    (void)state;
    ViewsCase c;
    open_on(&c, "random:L=2,H=4,d=64,seed=5", "view mechanism");
    views_case_do(&c, "window 6 6");
    views_case_frame(&c, 1920, 1080, 1);
    const Lesson *l = session_lesson(c.session, 6);
    int sums = 0;
    bool elsewhere = false;
    for (size_t i = 0; i < c.list.cmds.n; i++) {
        const DrawCmd *cmd = &c.list.cmds.items[i];
        if (cmd->kind == DRAW_TEXT && strncmp(cmd->u.text.text, "Σ ", 3) == 0 &&
            strchr(cmd->u.text.text, '%')) {
            assert_string_equal(cmd->u.text.text, "Σ 100 %");
            sums++;
        }
        elsewhere |= cmd->kind == DRAW_TEXT && strncmp(cmd->u.text.text, "elsewhere", 9) == 0;
    }
    assert_true(sums >= l->n);
    assert_true(elsewhere); /* the first six tokens are told of */
    views_case_close(&c);
}

/* Numbers move in by time alone: the same time gives the same picture. */
static void test_steps_draw__is_a_function_of_time(void **state)
{
    (void)state;
    Error err = {0};
    ViewsCase c;
    open_on(&c, "random:L=2,H=4,d=64,seed=5", "view steps");
    static const char *const times[] = {"time 2", "time 4.5", "time 2"};
    char *dumps[3];
    for (int k = 0; k < 3; k++) {
        views_case_do(&c, "step 5");
        views_case_do(&c, times[k]);
        views_case_frame(&c, 1440, 900, 1);
        dumps[k] = draw_dump(&c.list, &c.arena, &err);
        assert_ok(dumps[k], err);
    }
    assert_string_equal(dumps[0], dumps[2]);
    assert_string_not_equal(dumps[0], dumps[1]);
    views_case_close(&c);
}

/* Softmax and the scale are named where scores become weights, at every level. */
static void test_steps_explain__all_there(void **state)
{
    (void)state;
    static const char *const courses[] = {"course nine", "course six", "course flow"};
    static const char *const levels[] = {"level simple", "level student", "level engineer"};
    ViewsCase c;
    open_on(&c, "random:L=2,H=4,d=64,seed=5", "view steps");
    for (int k = 0; k < COURSE_COUNT; k++) {
        const StepKind *list;
        int n = steps_course((TeachCourse)k, &list);
        views_case_do(&c, courses[k]);
        for (int step = 0; step < n; step++) {
            char line[32];
            snprintf(line, sizeof line, "step %d", step);
            views_case_do(&c, line);
            views_case_do(&c, "time 99");
            for (int level = 0; level < LEVEL_COUNT; level++) {
                views_case_do(&c, levels[level]);
                views_case_frame(&c, 1920, 1080, 1);
                for (size_t i = 0; i < c.list.cmds.n; i++) {
                    const DrawCmd *cmd = &c.list.cmds.items[i];
                    /* a {name} that nobody filled in */
                    assert_false(cmd->kind == DRAW_TEXT && strchr(cmd->u.text.text, '{'));
                }
                assert_non_null(find_text(&c, "Try:"));
            }
        }
    }
    views_case_close(&c);
}

/* Where the usual words would be wrong, others take their place. */
static void test_steps_explain__by_what_is_shown(void **state)
{
    (void)state;
    static const struct {
        const char *stack, *course;
        int step;
        const char *title;
    } rows[] = {{"stack cross", "course nine", 0, "Two texts become tokens"},
                {"stack cross", "course nine", 1, "Two texts meet"},
                {"stack cross", "course nine", 2, "Queries here, keys and values there"},
                {"stack cross", "course six", 0, "Two input matrices, X and S"},
                {"stack cross", "course six", 3, "Nothing is hidden"},
                {"stack encoder", "course six", 3, "Nothing is hidden"},
                {"stack decoder", "course six", 3, "No looking ahead"},
                {"stack decoder", "course nine", 1, "Tokens become vectors"}};
    ViewsCase c;
    open_on(&c, "translate", "view steps");
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        char line[32];
        snprintf(line, sizeof line, "step %d", rows[i].step);
        views_case_do(&c, rows[i].stack);
        views_case_do(&c, rows[i].course);
        views_case_do(&c, line);
        for (int level = 0; level < 3; level++) {
            views_case_do(&c, level == 0   ? "level simple"
                              : level == 1 ? "level student"
                                           : "level engineer");
            views_case_frame(&c, 1920, 1080, 1);
            assert_non_null(find_text(&c, rows[i].title));
            for (size_t k = 0; k < c.list.cmds.n; k++) {
                const DrawCmd *cmd = &c.list.cmds.items[k];
                assert_false(cmd->kind == DRAW_TEXT && strchr(cmd->u.text.text, '{'));
            }
        }
    }
    views_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mechanism_draw__curves_are_weights),
        cmocka_unit_test(test_mechanism_draw__self_beside_cross),
        cmocka_unit_test(test_steps_draw__record_without_model),
        cmocka_unit_test(test_mechanism_draw__names_in_a_low_window),
        cmocka_unit_test(test_teach_legend__shows_its_ticks),
        cmocka_unit_test(test_mechanism_draw__rows_add_up),
        cmocka_unit_test(test_steps_draw__is_a_function_of_time),
        cmocka_unit_test(test_steps_explain__all_there),
        cmocka_unit_test(test_steps_explain__by_what_is_shown),
        cmocka_unit_test(test_mechanism_draw__fits),
        cmocka_unit_test(test_steps_draw__fits),
        cmocka_unit_test(test_steps_draw__cross_attention_fits),
        cmocka_unit_test(test_steps_draw__patches_of_a_picture),
        cmocka_unit_test(test_teach_lesson__old_picture_until_it_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
