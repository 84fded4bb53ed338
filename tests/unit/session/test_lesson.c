/* The numbers that teaching views show follow from each other and from the model's weights. */
#include "session_case.h"

#include "session/lesson.h"

#include <math.h>
#include <stdlib.h>

static const char LLAMA[] = "random:L=3,H=4,G=2,d=32,seed=4";
static const char GPT2[] = "random:L=2,H=4,d=32,seed=4,arch=gpt2";
static const char TEXT[] = "a b c d e f g h i j k l";

static const Lesson *lesson_of(Session *s)
{
    const Lesson *l = session_lesson(s, 6);
    assert_ok(l->valid, l->error);
    return l;
}

static void test_lesson_percents__add_up_to_100(void **state)
{
    (void)state;
    static const float rows[][4] = {
        {1.0f / 3, 1.0f / 3, 1.0f / 3, 0}, {0.005f, 0.005f, 0.005f, 0.985f}, {1, 0, 0, 0},
        {0.125f, 0.125f, 0.125f, 0.625f},  {0.499f, 0.499f, 0.001f, 0.001f},
    };
    for (size_t r = 0; r < AS_COUNT(rows); r++) {
        int percents[3];
        int rest;
        lesson_percents(rows[r], 3, rows[r][3], percents, &rest);
        assert_int_equal(percents[0] + percents[1] + percents[2] + rest, 100);
        for (int i = 0; i < 3; i++) {
            assert_true(fabs(percents[i] - 100 * (double)rows[r][i]) < 1);
        }
    }
    int none[2];
    int rest;
    lesson_percents((float[2]){0, 0}, 2, 0, none, &rest);
    assert_int_equal(none[0] + none[1] + rest, 0);
}

static void check_numbers(const Lesson *l)
{
    for (int32_t i = 0; i < l->n; i++) {
        double sum = (double)l->elsewhere[i];
        for (int32_t j = 0; j < l->m; j++) {
            int32_t at = i * l->m + j;
            sum += (double)l->weights[at];
            if (isinf(l->scores[at])) {
                assert_true(l->weights[at] == 0);
                continue;
            }
            float score = l->scale * l->dots[at];
            float weight = expf(l->scores[at] - l->row_sum[i]);
            assert_close(&score, &l->scores[at], 1, 1e-5, 1e-5);
            assert_close(&weight, &l->weights[at], 1, 1e-6, 1e-4);
        }
        assert_true(fabs(sum - 1) < 1e-5);
    }
}

/* out = W x + b by plain loops over the matrix that is shown. */
static void check_matrix(Session *s, const Lesson *l, ModelProjection which, const float *x,
                         const float *out, int32_t first_row, int32_t n_out, int32_t n_in)
{
    Error err = {0};
    const LessonMatrix *m = session_matrix(s, which, &err);
    assert_ok(m, err);
    assert_int_equal(m->info.columns, n_in);
    for (int32_t i = 0; i < l->n; i++) {
        for (int32_t r = 0; r < n_out; r++) {
            double sum = (double)m->bias[first_row + r];
            for (int32_t c = 0; c < n_in; c++) {
                sum += (double)m->values[(first_row + r) * n_in + c] * (double)x[i * n_in + c];
            }
            float expected = (float)sum;
            assert_close(&out[i * n_out + r], &expected, 1, 1e-4, 1e-4);
        }
    }
}

static void check_model(const char *model, bool turned)
{
    Session *s = session_on(model, TEXT);
    does(s, "layer 1");
    does(s, "head 3");
    does(s, "window 4 6");
    const Lesson *l = lesson_of(s);
    assert_int_equal(l->rows.first, 4);
    assert_int_equal(l->n, 6);
    assert_true(l->has_model && l->has_values && l->has_input);
    assert_true(l->turned == turned);
    check_numbers(l);
    int32_t d = l->head_dim, group = l->head / (l->n_heads / l->n_kv_heads);
    check_matrix(s, l, MODEL_PROJECTION_Q, l->normed, l->q_raw, l->head * d, d, l->width);
    check_matrix(s, l, MODEL_PROJECTION_K, l->normed, l->k_raw, group * d, d, l->width);
    check_matrix(s, l, MODEL_PROJECTION_V, l->normed, l->v, group * d, d, l->width);
    if (!turned) { /* without rotary positions nothing happens between */
        assert_close(l->q, l->q_raw, (size_t)(l->n * d), 1e-5, 1e-5);
        assert_close(l->k, l->k_raw, (size_t)(l->m * d), 1e-5, 1e-5);
    }
    /* The output is the mix of the window and what is elsewhere; W_O takes all heads. */
    float joined[6 * 32];
    for (int32_t i = 0; i < l->n; i++) {
        for (int32_t h = 0; h < l->n_heads; h++) {
            memcpy(joined + i * 32 + h * d, l->outputs + (h * l->n + i) * d,
                   (size_t)d * sizeof *joined);
        }
        for (int32_t k = 0; k < d; k++) {
            double sum = (double)l->rest[i * d + k];
            for (int32_t j = 0; j < l->m; j++) {
                sum += (double)l->weights[i * l->m + j] * (double)l->v[j * d + k];
            }
            float mixed = (float)sum;
            assert_close(&mixed, &joined[i * 32 + l->head * d + k], 1, 1e-5, 1e-5);
        }
    }
    check_matrix(s, l, MODEL_PROJECTION_O, joined, l->attended, 0, 32, 32);
    for (int32_t i = 0; i < l->n * 32; i++) { /* pre-norm: the stream is added to */
        float after = l->x[i] + l->attended[i];
        assert_close(&l->after[i], &after, 1, 1e-5, 1e-5);
    }
    session_destroy(&s);
}

static void test_lesson__llama_with_groups_and_rotary(void **state)
{
    (void)state;
    check_model(LLAMA, true);
}

static void test_lesson__gpt2_with_learned_positions(void **state)
{
    (void)state;
    check_model(GPT2, false);
}

/* ---- cross attention ---- */

static Session *translation(void)
{
    Session *s = session_on("translate", "The agreement on the European Economic Area was signed.");
    does(s, "stack cross");
    does(s, "layer 1");
    does(s, "head 2");
    does(s, "window 2 5");
    return s;
}

/* What is said to enter cross attention gives the queries, keys and values that were recorded. */
static void check_cross(Session *s)
{
    const Lesson *l = lesson_of(s);
    const int32_t d = l->head_dim;
    assert_true(l->cross && l->has_input && l->has_model && !l->turned);
    check_numbers(l);
    check_matrix(s, l, MODEL_PROJECTION_Q, l->normed, l->q, l->head * d, d, l->width);
    Lesson keys = *l; /* rows of the other text */
    keys.n = l->m;
    check_matrix(s, &keys, MODEL_PROJECTION_K, l->source, l->k, l->head * d, d, l->width);
    check_matrix(s, &keys, MODEL_PROJECTION_V, l->source, l->v, l->head * d, d, l->width);
    assert_close(l->q_raw, l->q, (size_t)(l->n * d), 2e-4, 1e-4);
    assert_close(l->k_raw, l->k, (size_t)(l->m * d), 2e-4, 1e-4);
    float *joined = calloc((size_t)(l->n * l->width), sizeof *joined);
    for (int32_t h = 0; h < l->n_heads; h++) {
        for (int32_t i = 0; i < l->n; i++) {
            memcpy(joined + i * l->width + h * d, l->outputs + (h * l->n + i) * d,
                   (size_t)d * sizeof *joined);
        }
    }
    check_matrix(s, l, MODEL_PROJECTION_O, joined, l->attended, 0, l->width, l->width);
    free(joined);
}

static void test_lesson__cross_attention_of_the_translator(void **state)
{
    (void)state;
    Session *s = translation();
    check_cross(s);
    does(s, "layer 0");
    does(s, "window 0 8");
    check_cross(s);
    session_destroy(&s);
}

/* Under a change that stays in its layer the network went on without it, else with it. */
static void test_lesson__cross_attention_under_changes(void **state)
{
    (void)state;
    static const char *const changes[][2] = {
        {"temperature 3", NULL},        {"mask none", NULL},
        {"divide off", NULL},           {"ablate 1.0", NULL},
        {"propagate on", "ablate 0.1"},
    };
    for (size_t i = 0; i < AS_COUNT(changes); i++) {
        Session *s = translation();
        does(s, "stack decoder");
        does(s, changes[i][0]);
        if (changes[i][1]) {
            does(s, changes[i][1]);
        }
        does(s, "stack cross");
        assert_int_equal(trace_info(s->trace)->stack, TRACE_STACK_CROSS);
        check_cross(s);
        session_destroy(&s);
    }
}

static Session *small_model(const char *name)
{
    static const int32_t ids[] = {5, 6, 7, 8, 9, 10, 11, 12};
    static const int32_t target[] = {3, 4, 9, 11, 12, 7};
    char path[96];
    Error err = {0};
    snprintf(path, sizeof path, "tests/golden/data/arch_%s", name);
    Session *s = session_create(&(SessionDesc){0}, &err);
    assert_ok(s, err);
    const SessionRequest request = {.model = path,
                                    .text = {.ids = ids, .n_ids = AS_COUNT(ids)},
                                    .target = {.ids = target, .n_ids = AS_COUNT(target)}};
    assert_ok(session_request(s, &request, &err), err);
    session_settle(s);
    assert_ok(!s->error.code, s->error);
    does(s, "stack cross");
    does(s, "layer 1");
    does(s, "head 1");
    return s;
}

/* Norms before and after, terms by distance, no division; as the network goes on under a change. */
static void test_lesson__cross_attention_of_other_families(void **state)
{
    (void)state;
    static const char *const names[] = {"t5", "t5_gated", "bart", "marian"};
    static const char *const changes[][3] = {{"stack cross"},
                                             {"stack decoder", "temperature 3", "stack cross"},
                                             {"stack decoder", "divide off", "stack cross"},
                                             {"stack decoder", "mask none", "stack cross"},
                                             {"stack decoder", "ablate 1.0", "stack cross"}};
    for (size_t m = 0; m < AS_COUNT(names); m++) {
        for (size_t i = 0; i < AS_COUNT(changes); i++) {
            Session *s = small_model(names[m]);
            for (size_t k = 0; k < AS_COUNT(changes[i]) && changes[i][k]; k++) {
                does(s, changes[i][k]);
            }
            const Lesson *l = lesson_of(s);
            assert_true(l->cross && l->has_input && l->has_model);
            assert_int_equal(l->has_norm, strncmp(names[m], "t5", 2) == 0);
            assert_close(l->q_raw, l->q, (size_t)(l->n * l->head_dim), 1e-4, 1e-4);
            assert_close(l->k_raw, l->k, (size_t)(l->m * l->head_dim), 1e-4, 1e-4);
            session_destroy(&s);
        }
    }
}

static void check_beside(const Lesson *l, const Trace *other, TraceStack stack)
{
    const LessonBeside *b = &l->beside;
    assert_non_null(b->weights);
    assert_int_equal(b->stack, stack);
    for (int32_t i = 0; i < l->n; i++) {
        double sum = (double)b->elsewhere[i];
        for (int32_t j = 0; j < b->keys.count; j++) {
            const int32_t row = l->rows.first + i, key = b->keys.first + j;
            const TraceRegion cell = {l->layer, b->head, row, row + 1, key, key + 1};
            float w;
            assert_true(trace_tile(other, &cell, TRACE_WEIGHTS, &w, 0, NULL));
            assert_close(&b->weights[i * b->keys.count + j], &w, 1, 1e-6, 1e-5);
            sum += (double)w;
        }
        assert_true(fabs(sum - 1) < 1e-5);
    }
}

static void test_lesson__self_and_cross_attention_beside_each_other(void **state)
{
    (void)state;
    Session *s = translation();
    const TraceSet *stacks = &s->stacks;
    const Lesson *l = lesson_of(s);
    check_beside(l, stacks->stacks[TRACE_STACK_DECODER], TRACE_STACK_DECODER);
    assert_memory_equal(&l->beside.keys, &l->rows, sizeof l->rows);
    does(s, "stack decoder");
    l = lesson_of(s);
    check_beside(l, stacks->stacks[TRACE_STACK_CROSS], TRACE_STACK_CROSS);
    does(s, "stack encoder"); /* it has no other attention */
    assert_null(lesson_of(s)->beside.weights);
    session_destroy(&s);
}

/* ---- jobs ---- */

/* The same numbers, with what was shown before in the meantime. */
static void test_session_lesson__job_gives_the_same(void **state)
{
    (void)state;
    Session *s = session_on(LLAMA, TEXT);
    does(s, "layer 1");
    does(s, "pin 7 5");
    const Lesson *l = lesson_of(s);
    const size_t n = (size_t)(l->n * l->width);
    float *after = calloc(n, sizeof *after);
    float row[12];
    memcpy(after, l->after, n * sizeof *after);
    memcpy(row, l->row.weights, sizeof row);
    does(s, "layer 2");
    assert_int_equal(lesson_of(s)->layer, 2);
    assert_false(session_lesson_pending(s));

    s->lessons->at_once = 1; /* from now on nothing is done at once */
    does(s, "layer 1");
    l = session_lesson(s, 6);
    assert_true(session_lesson_pending(s));
    assert_true(l->valid && l->layer == 2); /* the old picture */
    l = session_lesson(s, 6);               /* asking again starts nothing new */
    session_settle(s);
    l = session_lesson(s, 6);
    assert_false(session_lesson_pending(s));
    assert_true(l->valid && l->layer == 1 && l->query == 7);
    assert_close(l->after, after, n, 0, 0);
    assert_close(l->row.weights, row, 12, 0, 0);

    does(s, "pin 8 5"); /* its row alone */
    l = session_lesson(s, 6);
    assert_true(session_lesson_pending(s) && l->query == 7);
    session_settle(s);
    l = session_lesson(s, 6);
    assert_true(l->valid && l->query == 8 && l->after[0] == after[0]);

    does(s, "pin 9 5"); /* asked for, but not waited for */
    (void)session_lesson(s, 6);
    Error err = {0};
    assert_true(session_run_command(s, "pin 8 5", &err));
    assert_int_equal(session_lesson(s, 6)->query, 8);
    assert_false(session_lesson_pending(s));

    does(s, "length 10"); /* another run: the old numbers are of other tokens */
    assert_false(session_lesson(s, 6)->valid);
    assert_int_equal(session_lesson(s, 6)->error.code, ERR_NONE);
    session_settle(s);
    assert_true(session_lesson(s, 6)->valid);
    (void)session_lesson(s, 5);
    free(after);
    session_destroy(&s); /* while one is on its way */
}

static void test_session_matrix__job_gives_the_same(void **state)
{
    (void)state;
    Session *s = session_on(LLAMA, TEXT);
    Error err = {0};
    does(s, "layer 0");
    const LessonMatrix *m = session_matrix(s, MODEL_PROJECTION_K, &err);
    assert_ok(m, err);
    const size_t n = (size_t)(m->info.rows * m->info.columns);
    float *values = calloc(n, sizeof *values);
    memcpy(values, m->values, n * sizeof *values);
    does(s, "layer 1");
    assert_true(session_matrix(s, MODEL_PROJECTION_K, &err)->layer == 1);
    s->lessons->at_once = 1;
    does(s, "layer 0");
    m = session_matrix(s, MODEL_PROJECTION_K, &err);
    assert_true(m && m->layer == 1);
    assert_null(session_matrix(s, MODEL_PROJECTION_Q, &err)); /* there was none before */
    assert_int_equal(err.code, ERR_NONE);
    session_settle(s);
    m = session_matrix(s, MODEL_PROJECTION_K, &err);
    assert_true(m && m->layer == 0);
    assert_close(m->values, values, n, 0, 0);
    assert_non_null(session_matrix(s, MODEL_PROJECTION_Q, &err));
    free(values);
    session_destroy(&s);
}

/* ---- what-if ---- */

/* What the changed run says of before is what the unchanged run was. */
static void check_before(const char *change)
{
    enum { N = 12 };
    float before[N * N];
    Session *s = session_on(LLAMA, TEXT);
    does(s, "layer 2");
    does(s, "window 0 6");
    assert_false(lesson_of(s)->changed);
    TraceRegion all = {2, s->selection.head, 0, N, 0, N};
    assert_true(trace_tile(s->trace, &all, TRACE_WEIGHTS, before, 0, NULL));
    does(s, change);
    const Lesson *l = lesson_of(s);
    assert_true(l->changed);
    bool moved = false;
    for (int32_t i = 0; i < l->n; i++) {
        for (int32_t j = 0; j < l->m; j++) {
            assert_close(&l->weights_before[i * l->m + j], &before[i * N + j], 1, 1e-5, 1e-4);
            moved |= fabsf(l->weights[i * l->m + j] - before[i * N + j]) > 1e-3f;
        }
    }
    assert_true(moved);
    assert_close(l->row.before, before + (ptrdiff_t)l->query * N, N, 1e-5, 1e-4);
    does(s, "reset");
    assert_false(lesson_of(s)->changed);
    session_destroy(&s);
}

static void test_lesson__before_of_local_changes(void **state)
{
    (void)state;
    static const char *const changes[] = {"temperature 3", "mask none", "divide off"};
    for (size_t i = 0; i < AS_COUNT(changes); i++) {
        check_before(changes[i]);
    }
}

static void test_lesson__before_of_propagated_changes(void **state)
{
    (void)state;
    Session *s = session_on(LLAMA, TEXT);
    does(s, "layer 2");
    does(s, "window 0 6");
    float before[6 * 6];
    memcpy(before, lesson_of(s)->weights, sizeof before);
    does(s, "propagate on");
    does(s, "ablate 0.1");
    const Lesson *l = lesson_of(s);
    assert_true(l->changed);
    assert_non_null(s->baseline);
    assert_close(l->weights_before, before, 36, 1e-6, 1e-6);
    double moved = 0;
    for (int i = 0; i < 36; i++) {
        moved += fabs((double)l->weights[i] - (double)before[i]);
    }
    assert_true(moved > 1e-4); /* layer 2 feels what happened in layer 0 */
    does(s, "ablate 0.1");     /* on again */
    assert_int_equal(session_params(s).n_ablate, 0);
    session_destroy(&s);
}

static void test_divide__off_leaves_scores_undivided(void **state)
{
    (void)state;
    Session *s = session_on(LLAMA, TEXT);
    does(s, "divide off");
    assert_true(fabsf(trace_layer(s->trace, 0)->scale - 1) < 1e-6f);
    does(s, "divide on");
    assert_true(fabsf(trace_layer(s->trace, 0)->scale - 1 / sqrtf(8)) < 1e-6f);
    session_destroy(&s);
}

/* ---- commands ---- */

static void test_commands__window_and_undo(void **state)
{
    (void)state;
    Session *s = session_on(LLAMA, TEXT);
    does(s, "window 5 4");
    LessonWindow w = session_window(s, 8, false);
    assert_true(w.first == 5 && w.count == 4);
    assert_true(s->selection.query >= 5 && s->selection.query < 9);
    does(s, "window +100");
    assert_int_equal(session_window(s, 8, false).first, 8);
    does(s, "undo");
    assert_int_equal(session_window(s, 8, false).first, 5);
    does(s, "window auto");
    does(s, "query 11");
    w = session_window(s, 5, false);
    assert_true(w.count == 5 && w.first == 7);
    does(s, "window 3 9"); /* more than there can be */
    assert_int_equal(s->selection.window_count, 0);
    session_destroy(&s);
}

static void test_session_window__holds_the_pair(void **state)
{
    (void)state;
    Session *s = session_on(LLAMA, TEXT);
    assert_true(trace_info(s->trace)->n_queries >= 12);
    static const struct {
        int query, key;
    } pairs[] = {{9, 6}, {6, 9}, {11, 7}, {0, 4}, {5, 4}, {4, 4}};
    for (size_t i = 0; i < AS_COUNT(pairs); i++) {
        char line[64];
        snprintf(line, sizeof line, "pin %d %d", pairs[i].query, pairs[i].key);
        does(s, line);
        LessonWindow w = session_lesson(s, 5)->rows;
        assert_int_equal(w.count, 5);
        assert_true(pairs[i].query >= w.first && pairs[i].query < w.first + w.count);
        assert_true(pairs[i].key >= w.first && pairs[i].key < w.first + w.count);
    }
    /* It rests while the selection moves inside it. */
    does(s, "pin 9 6");
    int32_t first = session_lesson(s, 5)->rows.first;
    for (int32_t at = first; at < first + 5; at++) {
        char line[64];
        snprintf(line, sizeof line, "pin %d %d", at, first);
        does(s, line);
        assert_int_equal(session_lesson(s, 5)->rows.first, first);
    }
    /* Too far from each other: the query's window. */
    does(s, "pin 11 0");
    LessonWindow w = session_lesson(s, 4)->rows;
    assert_true(w.first <= 11 && w.first + w.count > 11);
    /* Causal rows of the first tokens read nothing else, so the best pair is never out of reach. */
    int32_t query = -1;
    int32_t key = -1;
    assert_true(session_best_pair(s, 4, &query, &key));
    assert_true(query / 4 == key / 4 && key >= 0 && key <= query);
    assert_false(session_best_pair(s, 8 + LESSON_MOST, &query, &key) &&
                 trace_info(s->trace)->n_queries <= LESSON_MOST);
    session_destroy(&s);
}

static void test_commands__length_and_edit(void **state)
{
    (void)state;
    Session *s = session_on(LLAMA, TEXT);
    does(s, "length 5");
    assert_int_equal(trace_info(s->trace)->n_queries, 5);
    does(s, "length all");
    assert_int_equal(trace_info(s->trace)->n_queries, 12);
    size_t n;
    does(s, "edit 2 zebra");
    assert_string_equal(trace_source(s->trace, &n), "a b zebra d e f g h i j k l");
    assert_non_null(s->baseline); /* the text as it was, to be compared with */
    assert_true(lesson_of(s)->changed);
    session_destroy(&s);
}

static void test_commands__shape_of_made_models(void **state)
{
    (void)state;
    Session *s = session_on(LLAMA, TEXT);
    does(s, "made-width 64");
    assert_int_equal(trace_info(s->trace)->model_dim, 64);
    assert_int_equal(trace_info(s->trace)->n_heads, 4);
    does(s, "made-heads 8");
    assert_int_equal(trace_info(s->trace)->n_heads, 8);
    session_destroy(&s);
    s = session_on("tiny", TEXT);
    does(s, "made-heads 2"); /* a real model keeps its shape */
    assert_true(strstr(s->note, "made-up"));
    does(s, "weights random");
    assert_non_null(strstr(trace_info(s->trace)->model_name, "random"));
    does(s, "weights real");
    assert_string_equal(trace_info(s->trace)->model_name, "tiny");
    session_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lesson_percents__add_up_to_100),
        cmocka_unit_test(test_lesson__llama_with_groups_and_rotary),
        cmocka_unit_test(test_lesson__gpt2_with_learned_positions),
        cmocka_unit_test(test_lesson__cross_attention_of_the_translator),
        cmocka_unit_test(test_lesson__cross_attention_under_changes),
        cmocka_unit_test(test_lesson__cross_attention_of_other_families),
        cmocka_unit_test(test_lesson__self_and_cross_attention_beside_each_other),
        cmocka_unit_test(test_session_lesson__job_gives_the_same),
        cmocka_unit_test(test_session_matrix__job_gives_the_same),
        cmocka_unit_test(test_lesson__before_of_local_changes),
        cmocka_unit_test(test_lesson__before_of_propagated_changes),
        cmocka_unit_test(test_divide__off_leaves_scores_undivided),
        cmocka_unit_test(test_commands__window_and_undo),
        cmocka_unit_test(test_session_window__holds_the_pair),
        cmocka_unit_test(test_commands__length_and_edit),
        cmocka_unit_test(test_commands__shape_of_made_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
