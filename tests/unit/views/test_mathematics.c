/* Every number that Mathematics shows is the trace's: the pair, its terms, its row, its values. */
#include "views_case.h"

#include <math.h>
#include <stdio.h>

static const char *const MODELS[] = {"random:L=2,H=4,d=64,seed=5", "hash:L=2,H=2,d=32,seed=2",
                                     "tiny"};
static const char TEXT[] = "one two three four five six seven one two three four";

enum { LAYER = 1, HEAD = 1, QUERY = 7, KEY = 3, DIM_MAX = 256, KEYS_MAX = 64 };

static void open_mathematics(ViewsCase *c, const char *model, int step)
{
    char line[32];
    views_case_open(c, model, TEXT);
    views_case_do(c, "view mathematics");
    views_case_do(c, "layer 1");
    views_case_do(c, "head 1");
    views_case_do(c, "pin 7 3");
    views_case_frame(c, 1920, 1080, 1); /* the view says what its time looks like */
    snprintf(line, sizeof line, "step %d", step);
    views_case_do(c, line);
    views_case_do(c, "time 9");
    views_case_frame(c, 1920, 1080, 1);
}

static const char *shown(double v, char out[32])
{
    double a = fabs(v);
    snprintf(out, 32, a < 9.995 ? "%.2f" : a < 99.95 ? "%.1f" : a < 99999 ? "%.0f" : "%.1e", a);
    if (v < 0 && a >= 0.005) {
        char minus[32];
        snprintf(minus, sizeof minus, "\xE2\x88\x92%s", out);
        snprintf(out, 32, "%s", minus);
    }
    return out;
}

static void assert_shown(const ViewsCase *c, const char *text)
{
    if (!find_text(c, text)) {
        print_error("\"%s\" is not shown\n", text);
        fail();
    }
}

static void test_mathematics__terms_are_products(void **state)
{
    (void)state;
    for (size_t m = 0; m < AS_COUNT(MODELS); m++) {
        ViewsCase c;
        open_mathematics(&c, MODELS[m], 0);
        const Trace *trace = c.session->trace;
        int32_t dim = trace_info(trace)->head_dim;
        float q[DIM_MAX];
        float k[DIM_MAX];
        char text[32];
        assert_true(trace_q(trace, LAYER, HEAD, QUERY, QUERY + 1, q, NULL));
        assert_true(trace_k(trace, LAYER, HEAD, KEY, KEY + 1, k, NULL));
        double sum = 0;
        for (int32_t i = 0; i < dim; i++) {
            double term = (double)q[i] * (double)k[i];
            assert_shown(&c, shown((double)q[i], text));
            assert_shown(&c, shown((double)k[i], text));
            assert_shown(&c, shown(term, text));
            sum += term;
        }
        TraceCell cell;
        assert_true(trace_cell(trace, LAYER, HEAD, QUERY, KEY, &cell, NULL));
        assert_true(fabs(sum - (double)cell.qk) < 1e-4 * (1 + fabs(sum)));
        assert_shown(&c, shown(sum, text)); /* over the bar of the running total */
        snprintf(text, sizeof text, "%.3f", (double)cell.weight);
        assert_shown(&c, text); /* the softmax's result */
        views_case_close(&c);
    }
}

static void test_mathematics__row_of_exponentials(void **state)
{
    (void)state;
    for (size_t m = 0; m < AS_COUNT(MODELS); m++) {
        ViewsCase c;
        open_mathematics(&c, MODELS[m], 2);
        const Trace *trace = c.session->trace;
        int32_t n = trace_info(trace)->n_keys;
        float scores[KEYS_MAX];
        float weights[KEYS_MAX];
        assert_true(n <= KEYS_MAX);
        TraceRegion row = {LAYER, HEAD, QUERY, QUERY + 1, 0, n};
        assert_true(trace_tile(trace, &row, TRACE_SCORES, scores, 0, NULL));
        assert_true(trace_tile(trace, &row, TRACE_WEIGHTS, weights, 0, NULL));
        double most = -INFINITY;
        double sum = 0;
        double shares = 0;
        for (int32_t j = 0; j < n; j++) {
            most = fmax(most, (double)scores[j]);
        }
        for (int32_t j = 0; j < n; j++) {
            char text[32];
            if (isfinite(scores[j])) {
                sum += exp((double)scores[j] - most);
                shares += (double)weights[j];
                assert_shown(&c, shown((double)scores[j], text));
                if (weights[j] >= 0.0001f) {
                    snprintf(text, sizeof text, "%.4f", (double)weights[j]);
                    assert_shown(&c, text);
                }
            }
        }
        assert_true(fabs(shares - 1) < 1e-5);
        char text[32];
        snprintf(text, sizeof text, "%.4f", sum);
        bool said = false;
        for (size_t i = 0; i < c.list.cmds.n; i++) {
            const DrawCmd *cmd = &c.list.cmds.items[i];
            said |= cmd->kind == DRAW_TEXT && strstr(cmd->u.text.text, text) &&
                    strstr(cmd->u.text.text, "exponentials");
        }
        assert_true(said);
        views_case_close(&c);
    }
}

static void test_mathematics__values_add_up(void **state)
{
    (void)state;
    for (size_t m = 0; m < AS_COUNT(MODELS); m++) {
        ViewsCase c;
        open_mathematics(&c, MODELS[m], 3);
        float output[DIM_MAX];
        char text[32];
        assert_true(trace_output(c.session->trace, LAYER, HEAD, QUERY, QUERY + 1, output, NULL));
        for (int32_t i = 0; i < AS_MIN(trace_info(c.session->trace)->head_dim, 16); i++) {
            assert_shown(&c, shown((double)output[i], text));
        }
        views_case_close(&c);
    }
}

/* During a step the later ones only have their formula; at rest all have their numbers. */
static void test_mathematics__one_step_after_another(void **state)
{
    (void)state;
    ViewsCase c;
    char weight[32];
    open_mathematics(&c, MODELS[0], 0);
    TraceCell cell;
    assert_true(trace_cell(c.session->trace, LAYER, HEAD, QUERY, KEY, &cell, NULL));
    snprintf(weight, sizeof weight, "%.3f", (double)cell.weight);
    assert_shown(&c, weight);
    /* In the inspector it stands with more digits, so this is the card's. */
    size_t before = c.list.cmds.n;
    views_case_do(&c, "time 0.5");
    views_case_frame(&c, 1920, 1080, 1);
    assert_true(c.list.cmds.n < before);
    views_case_do(&c, "terms largest");
    views_case_do(&c, "time 9");
    views_case_frame(&c, 1920, 1080, 1);
    assert_true(c.session->options.terms_largest);
    views_case_close(&c);
}

static void turn_wheel(ViewsCase *c, Vec2 at, float wheel)
{
    const UiEvent events[] = {{.kind = UI_EVENT_MOVE, .at = at},
                              {.kind = UI_EVENT_WHEEL, .at = at, .wheel = wheel}};
    for (size_t i = 0; i < AS_COUNT(events); i++) {
        assert_true(ui_feed(&c->ui, &events[i]));
        views_case_frame(c, 1280, 720, 1);
    }
    session_settle(c->session);
}

/* However far on the terms were asked to begin, the wheel goes back from those that are shown. */
static void test_mathematics__wheel_walks_from_what_is_shown(void **state)
{
    (void)state;
    enum { DIM = 256 };
    ViewsCase c;
    open_mathematics(&c, "random:L=2,H=2,d=512", 0);
    assert_int_equal(trace_info(c.session->trace)->head_dim, DIM);
    views_case_frame(&c, 1280, 720, 1);
    const DrawCmd *title = find_text(&c, "The dot product, term by term");
    assert_non_null(title);
    Vec2 at = vec2(title->u.text.at.x + 40, title->u.text.at.y + 60);
    const int32_t *from = &c.session->options.terms_from;
    views_case_do(&c, "terms-from 255");
    turn_wheel(&c, at, -1);
    int32_t last = *from;
    assert_true(last > 0 && last < DIM - 4);
    turn_wheel(&c, at, 1);
    assert_int_equal(*from, last - 4);
    views_case_do(&c, "terms-from 255");
    turn_wheel(&c, at, 1);
    assert_int_equal(*from, last - 4);
    views_case_do(&c, "terms-from 1");
    turn_wheel(&c, at, 1);
    assert_int_equal(*from, 0);
    views_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mathematics__terms_are_products),
        cmocka_unit_test(test_mathematics__row_of_exponentials),
        cmocka_unit_test(test_mathematics__values_add_up),
        cmocka_unit_test(test_mathematics__one_step_after_another),
        cmocka_unit_test(test_mathematics__wheel_walks_from_what_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
