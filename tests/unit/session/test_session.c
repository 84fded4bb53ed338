/* Commands, undo, runs, failures: what a session is after what was done to it. */
#include "session_case.h"

static const char TEXT[] = "one two three four five six seven one two three";

#define AT(l, h, q, k, p)                                                                          \
    {                                                                                              \
        .layer = (l), .head = (h), .query = (q), .key = (k), .pinned = (p)                         \
    }

static void test_session_run_command__selection(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        Selection want;
    } rows[] = {
        {"layer 2", AT(2, 0, 5, 3, true)},   {"layer +1", AT(2, 0, 5, 3, true)}, /* clamped */
        {"layer -2", AT(0, 0, 5, 3, true)},  {"head 3", AT(0, 3, 5, 3, true)},
        {"head -1", AT(0, 2, 5, 3, true)},   {"query +1", AT(0, 2, 6, 3, true)},
        {"key 0", AT(0, 2, 6, 0, true)},     {"hover 1 1", AT(0, 2, 6, 0, true)}, /* pinned */
        {"unpin", AT(0, 2, 6, 0, false)},    {"hover 1 1", AT(0, 2, 1, 1, false)},
        {"pin", AT(0, 2, 1, 1, true)},       {"pin +99 -3", AT(0, 2, 9, 0, true)},
        {"pin 3 10", AT(0, 2, 9, 0, true)}, /* key 10 is not there: query stays, too */
        {"undo", AT(0, 2, 1, 1, true)},      {"undo", AT(0, 2, 1, 1, false)},
        {"redo", AT(0, 2, 1, 1, true)},      {"query 4x", AT(0, 2, 1, 1, true)}, /* refused */
        {"nonsense 3", AT(0, 2, 1, 1, true)}};
    Session *s = session_on(SMALL_MODEL, TEXT);
    does(s, "head 0");
    does(s, "layer 0");
    does(s, "pin 5 3");
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        does(s, rows[i].line);
        const Selection *is = &s->selection;
        const Selection *want = &rows[i].want;
        if (is->layer != want->layer || is->head != want->head || is->query != want->query ||
            is->key != want->key || is->pinned != want->pinned) {
            print_error("after \"%s\": layer %d head %d query %d key %d pinned %d\n", rows[i].line,
                        is->layer, is->head, is->query, is->key, is->pinned);
            fail();
        }
    }
    session_destroy(&s);
    assert_null(s);
}

/* What is not there is said with what there is, and nothing changes. */
static void test_session_run_command__not_there(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"layer 3", "layer 3 is not there: they go from 0 to 2"},
        {"head 4", "head 4 is not there: they go from 0 to 3"},
        {"query 10", "query 10 is not there: they go from 0 to 9"},
        {"key 10", "key 10 is not there: they go from 0 to 9"},
        {"pin 10 0", "query 10 "},
        {"pin 0 10", "key 10 "},
        {"go L3", "layer 3 "},
        {"go L1 H4", "head 4 "},
        {"go t10", "token 10 "},
        {"set 0.4", "heads 0–3"},
        {"set toggle 3.0", "layers are 0–2"},
        {"card 3.0", "layers are 0–2"},
        {"ablate 3.0", "layer 3 "},
        {"ablate 0.4", "head 4 "},
        {"edit 10 x", "token 10 "},
        {"window 10 2", "token 10 "},
        {"dim 64", "dimension 64 is not there: they go from 0 to 63"},
        {"terms-from 16", "dimension 16 "},
        {"brush queries 4:11", "10 tokens, 0:10"},
        {"brush keys 10:12", "10 tokens, 0:10"},
        {"flow-look q10", "query 10 "},
        {"flow-look +k10", "key 10 "},
        {"flow-heads 4", "head 4 "},
        {"flow-hold 10 0 0", "token 10 "},
        {"flow-seed 65536", "from 0 to 65535"},
        {"stack-planes 1:4", "3 layers, 0:3"},
        {"stack-depth 9", "from 1 to 8"},
        {"stack-depth 0", "from 1 to 8"},
        {"length 0", "from 1 to"},
        {"made-heads 0", "from 1 to"},
        {"step 3", "step 3 is not there: they go from 0 to 2"},
        {"story 3-content 99", "scene 99 "},
    };
    Session *s = session_on(SMALL_MODEL, TEXT);
    playback_describe(s, &(Timeline){.length_s = 2, .n_steps = 3});
    Snapshot before = snapshot_of(s);
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        s->note[0] = 0;
        does(s, rows[i].line);
        Snapshot after = snapshot_of(s);
        if (!strstr(s->note, rows[i].says) || !snapshot_equal(&before, &after)) {
            print_error("after \"%s\": %s\n", rows[i].line, s->note);
            fail();
        }
        Error err = {0};
        assert_false(session_run_command(s, rows[i].line, &err));
        assert_int_equal(err.code, ERR_RANGE);
    }
    /* The pointer may still be where a longer text was. */
    s->note[0] = 0;
    does(s, "hover 10 0");
    assert_string_equal(s->note, "");
    Error err = {0};
    assert_false(session_run_command(s, "hover 10 0", &err));
    assert_int_equal(err.code, ERR_RANGE);
    session_destroy(&s);
    s = session_on("random:L=1,H=1,d=16", TEXT);
    does(s, "layer 1");
    assert_string_equal(s->note, "layer 1 is not there: there is only 0");
    session_destroy(&s);
}

static void test_session_run_command__options(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    does(s, "theme paper");
    assert_int_equal(s->options.theme, 1);
    does(s, "theme");
    assert_int_equal(s->options.theme, 2);
    does(s, "scale 1.5");
    does(s, "scale +");
    assert_true(s->options.scale == 1.75f);
    does(s, "scale 99");
    assert_true(s->options.scale == 1.75f);
    assert_true(strstr(s->note, "99") != NULL);
    does(s, "level engineer");
    assert_int_equal(s->options.level, LEVEL_ENGINEER);
    does(s, "map-scale sqrt");
    assert_int_equal(s->options.map_scale, MAP_SQRT);
    does(s, "rows max");
    assert_true(s->options.rows_normalised);
    does(s, "fold words");
    assert_true(s->options.folds_closed[FOLD_WORDS]);
    does(s, "view heads");
    assert_int_equal(s->view, VIEW_HEADS);
    does(s, "undo");
    assert_int_equal(s->view, VIEW_MATRIX);
    for (int i = 0; i < 20; i++) {
        does(s, "undo");
    }
    assert_int_equal(s->options.theme, 0);
    assert_true(s->options.scale == 1);
    session_destroy(&s);
}

static void test_session__journal(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    does(s, "layer 1");
    does(s, "hover 2 1");
    does(s, "no such thing");
    does(s, "head 2");
    assert_int_equal(s->journal->lines.n, 2); /* neither what is fleeting nor what failed */
    assert_string_equal(s->journal->lines.items[0], "layer 1");
    assert_string_equal(s->journal->lines.items[1], "head 2");
    /* Replayed on a fresh session it leads to the same place. */
    Session *again = session_on(SMALL_MODEL, TEXT);
    for (size_t i = 0; i < s->journal->lines.n; i++) {
        does(again, s->journal->lines.items[i]);
    }
    assert_int_equal(again->selection.layer, s->selection.layer);
    assert_int_equal(again->selection.head, s->selection.head);
    session_destroy(&s);
    session_destroy(&again);
}

static void test_session_request__text(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    uint64_t version = s->trace_version;
    assert_int_equal(trace_info(s->trace)->n_queries, 10);
    does(s, "pin 9 9");
    does(s, "text alpha\\nbeta \\\\ gamma");
    assert_true(s->trace_version > version);
    assert_int_equal(trace_info(s->trace)->n_queries, 4);
    assert_string_equal(trace_source(s->trace, NULL), "alpha\nbeta \\ gamma");
    assert_in_range(s->selection.query, 0, 3);
    assert_in_range(s->selection.key, 0, 3);
    assert_false(s->selection.pinned);
    session_destroy(&s);
}

/* Temperature and mask run again on the same tokens: what is looked at stays. */
static void test_session_request__parameters(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    does(s, "layer 1");
    does(s, "pin 6 2");
    TraceCell cold;
    TraceCell hot;
    assert_true(trace_cell(s->trace, 1, 0, 6, 2, &cold, NULL));
    does(s, "temperature 2");
    assert_true(trace_cell(s->trace, 1, 0, 6, 2, &hot, NULL));
    assert_true(session_params(s).temperature == 2);
    assert_close(&hot.score, &(float){cold.score / 2}, 1, 1e-6, 1e-5);
    assert_int_equal(s->selection.query, 6);
    assert_true(s->selection.pinned);
    does(s, "mask none");
    assert_true(trace_cell(s->trace, 1, 0, 2, 6, &hot, NULL));
    assert_true(hot.visible);
    assert_true(session_params(s).temperature == 2);
    does(s, "temperature -1");
    assert_true(session_params(s).temperature == 2);
    session_destroy(&s);
}

static void test_session_request__failure(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    const Trace *trace = s->trace;
    does(s, "open /no/such/file.gguf");
    assert_int_equal(s->error.code, ERR_IO);
    assert_ptr_equal(s->trace, trace); /* what was there is still there */
    assert_string_equal(s->request.model, SMALL_MODEL);
    does(s, "unpin"); /* Esc puts the error away */
    assert_int_equal(s->error.code, ERR_NONE);
    does(s, "text ");
    assert_int_equal(s->error.code, ERR_RANGE);
    does(s, "dismiss");
    does(s, "temperature 0.5");
    assert_int_equal(s->error.code, ERR_NONE);
    assert_true(session_params(s).temperature == 0.5f);
    session_destroy(&s);
}

static void test_session_request__newest_wins(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    for (int i = 2; i <= 6; i++) {
        session_post(s, "temperature %d", i);
    }
    session_post(s, "text a b c");
    session_update(s, 0);
    session_post(s, "mask none");
    session_settle(s);
    assert_int_equal(s->error.code, ERR_NONE);
    assert_int_equal(trace_info(s->trace)->n_queries, 3);
    assert_true(session_params(s).temperature == 6);
    assert_int_equal(session_params(s).mask, TRACE_MASK_NONE);
    assert_null(s->run);
    session_destroy(&s);
}

static void test_session_request__cancel(void **state)
{
    (void)state;
    Error err = {0};
    Session *s = session_on(SMALL_MODEL, TEXT);
    session_post(s, "text x y z");
    session_update(s, 0);
    session_post(s, "cancel");
    session_settle(s);
    /* Either it was quick enough to be done, or the old text stands. */
    int32_t n = trace_info(s->trace)->n_queries;
    assert_true(n == 3 || n == 10);
    assert_int_equal(s->error.code, ERR_NONE);
    if (n == 10) {
        assert_string_equal(s->note, "cancelled");
    }
    /* Destroying a session whose run is under way ends the run. */
    assert_ok(session_request(s, &(SessionRequest){.model = "random:L=8,H=8,d=512"}, &err), err);
    session_destroy(&s);
}

static void test_session__playback(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    does(s, "layer 0");
    does(s, "speed 2");
    session_post(s, "play");
    session_update(s, 10.0);
    session_update(s, 10.0);
    assert_int_equal(s->selection.layer, 0);
    assert_true(session_next_s(s, 10.0) > 0.4);
    session_update(s, 10.6);
    assert_int_equal(s->selection.layer, 1);
    session_update(s, 11.2);
    assert_int_equal(s->selection.layer, 2);
    session_update(s, 11.8); /* the end, no loop */
    assert_false(s->playback.playing);
    assert_int_equal(s->selection.layer, 2);
    session_post(s, "loop");
    session_post(s, "play"); /* from the end it starts over */
    session_update(s, 20.0);
    assert_int_equal(s->selection.layer, 0);
    session_destroy(&s);
}

/* A view with steps of 2 s each: time runs through them, rests, scrubs, runs back. */
static void test_playback_move__steps(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    Playback *p = &s->playback;
    playback_describe(s, &(Timeline){.length_s = 2, .n_steps = 3});
    assert_true(playback_time(p) == 2); /* at rest a step is seen at its end */
    does(s, "step 1");
    assert_true(playback_time(p) == 0);
    double now = 100;
    session_update(s, now);
    for (int i = 0; i < 5; i++) {
        session_update(s, now += 0.2);
    }
    assert_float_equal(playback_time(p), 1, 1e-9);
    for (int i = 0; i < 20; i++) {
        session_update(s, now += 0.2);
    }
    assert_int_equal(playback_step(s), 1); /* plays once, then rests */
    assert_true(playback_time(p) == 2);
    assert_true(session_next_s(s, now) < 0);
    session_post(s, "play"); /* from the end of a step on to the next */
    session_update(s, now);
    session_update(s, now += 0.2);
    assert_int_equal(playback_step(s), 2);
    assert_true(session_next_s(s, now) == 0);
    session_update(s, now += 60); /* a late frame jumps by a quarter of a second at most */
    assert_true(playback_time(p) < 0.5);
    session_post(s, "reverse");
    for (int i = 0; i < 6; i++) {
        session_update(s, now += 0.1);
        playback_describe(s, &(Timeline){.length_s = 2, .n_steps = 3});
    }
    assert_int_equal(playback_step(s), 1);
    for (int i = 0; i < 60; i++) {
        session_update(s, now += 0.1);
    }
    assert_int_equal(playback_step(s), 0);
    assert_false(p->playing);
    assert_true(playback_time(p) == 0);
    does(s, "time 1.25");
    assert_true(playback_time(p) == 1.25);
    does(s, "step +9");
    assert_int_equal(playback_step(s), 2);
    p->still = true;
    does(s, "step 0");
    assert_true(playback_time(p) == 2);
    session_destroy(&s);
}

/* A step may be asked for before the view in front has said how many it has. */
static void test_playback_describe__step_not_there(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    does(s, "step 7");
    assert_string_equal(s->note, "");
    playback_describe(s, &(Timeline){.length_s = 2, .n_steps = 3});
    assert_string_equal(s->note, "step 7 is not there: they go from 0 to 2");
    assert_int_equal(s->selection.step, 2);
    does(s, "view steps"); /* unknown again */
    does(s, "step 2");
    s->note[0] = 0;
    playback_describe(s, &(Timeline){.length_s = 2, .n_steps = 3});
    assert_string_equal(s->note, "");
    assert_int_equal(s->selection.step, 2);
    playback_describe(s, &(Timeline){0});
    does(s, "step 0");
    assert_string_equal(s->note, "Steps has no steps");
    does(s, "course nine");
    does(s, "course six");
    playback_describe(s, &(Timeline){.length_s = 2, .n_steps = 3});
    does(s, "undo"); /* another course: unknown again */
    s->note[0] = 0;
    does(s, "step 8");
    assert_string_equal(s->note, "");
    assert_int_equal(s->selection.step, 8);
    session_destroy(&s);
}

/* Of what was asked for when the program was started: what is there is shown, the rest is said. */
static void test_session_create__asked_for(void **state)
{
    (void)state;
    for (int row = 0; row < 8; row++) {
        int which = row & 3;
        Session *s = session_create(&(SessionDesc){0}, NULL);
        s->query_wanted = which & 1;
        s->key_wanted = which & 2;
        s->selection.query = s->query_wanted ? 4 : 0;
        s->selection.key = s->key_wanted ? 2 : 0;
        s->selection.layer = which == 3 ? 9 : 0;
        s->head_wanted = row < 4; /* else it is chosen, and the cell stays the wanted one */
        SessionRequest request = {.model = SMALL_MODEL, .text = {.text = TEXT, .n_text = 40}};
        assert_true(session_request(s, &request, NULL));
        session_settle(s);
        const Selection *sel = &s->selection;
        TraceRows rows;
        assert_true(trace_rows(s->trace, sel->layer, sel->head, &rows));
        assert_int_equal(sel->pinned, which > 0);
        assert_true(!(which & 1) || sel->query == 4);
        assert_true(!(which & 2) || sel->key == 2);
        if (which == 1) {
            assert_int_equal(sel->key, rows.max_key[4]);
        }
        if (which == 2) {
            TraceCell cell;
            TraceCell other;
            assert_true(trace_cell(s->trace, sel->layer, sel->head, sel->query, 2, &cell, NULL));
            for (int32_t i = 2; i < trace_info(s->trace)->n_queries; i++) {
                assert_true(trace_cell(s->trace, sel->layer, sel->head, i, 2, &other, NULL));
                assert_true(other.weight <= cell.weight);
            }
        }
        assert_string_equal(s->note, which == 3 ? "layer 9 is not there: they go from 0 to 2" : "");
        does(s, "text a b c d e f g"); /* wanted once only */
        assert_false(s->selection.pinned);
        session_destroy(&s);
    }
}

static void test_session_create__first_head(void **state)
{
    (void)state;
    Session *s = session_create(&(SessionDesc){0}, NULL);
    s->selection.layer = 1;
    s->selection.head = 2;
    s->head_wanted = true;
    assert_true(session_request(
        s, &(SessionRequest){.model = SMALL_MODEL, .text = {.text = TEXT, .n_text = 40}}, NULL));
    session_settle(s);
    assert_int_equal(s->selection.layer, 1);
    assert_int_equal(s->selection.head, 2);
    session_destroy(&s);
}

/* A picture of a scene that plays is one of the moment it begins, however often it waits. */
static void test_session_settle__time_stands_still(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, "a b c");
    s->playback.still = true;
    does(s, "layer 0");
    playback_describe(s, &(Timeline){.length_s = 2, .n_steps = 3, .steps_layers = true});
    does(s, "play");
    int32_t layer = s->selection.layer;
    double time = s->playback.time_s;
    assert_true(s->playback.playing);
    session_settle(s);
    session_settle(s);
    assert_int_equal(s->selection.layer, layer);
    assert_true(s->playback.time_s == time);
    session_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_run_command__selection),
        cmocka_unit_test(test_session_run_command__not_there),
        cmocka_unit_test(test_session_run_command__options),
        cmocka_unit_test(test_session__journal),
        cmocka_unit_test(test_session_request__text),
        cmocka_unit_test(test_session_request__parameters),
        cmocka_unit_test(test_session_request__failure),
        cmocka_unit_test(test_session_request__newest_wins),
        cmocka_unit_test(test_session_request__cancel),
        cmocka_unit_test(test_session__playback),
        cmocka_unit_test(test_session_settle__time_stands_still),
        cmocka_unit_test(test_playback_move__steps),
        cmocka_unit_test(test_playback_describe__step_not_there),
        cmocka_unit_test(test_session_create__asked_for),
        cmocka_unit_test(test_session_create__first_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
