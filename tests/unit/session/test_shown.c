/* Rows and columns of sets of heads and of what is left out are those of the cells, at once and by
 * jobs; each row divided by its largest has 1 as its largest. */
#include "session_case.h"

#include "session/shown.h"

#include <math.h>
#include <string.h>

static const char TEXT[] = "the cat sat on the mat, and the cat saw the dog on the mat";

/* What is kept is worked out again from the whole matrix of values. */
static void check_rows(Session *s, const WeightSource *w, const ShownRows *rows)
{
    int32_t n = rows->n_queries;
    int32_t m = rows->n_keys;
    float *values = test_calloc((size_t)n * (size_t)m, sizeof *values);
    double *received = test_calloc((size_t)m, sizeof *received);
    TraceRegion all = {s->selection.layer, s->selection.head, 0, n, 0, m};
    assert_true(weight_source_read(s->trace, w, &all, values, NULL, NULL));
    for (int32_t i = 0; i < n; i++) {
        double sum = 0;
        double others = 0;
        double entropy = 0;
        float most = 0;
        int32_t visible = 0;
        for (int32_t j = 0; j < m; j++) {
            float v = values[(size_t)i * (size_t)m + (size_t)j];
            if (isinf(v)) {
                continue;
            }
            visible++;
            sum += (double)v;
            others += j > 0 && j != i ? (double)v : 0;
            most = fmaxf(most, v);
            received[j] += (double)v;
        }
        for (int32_t j = 0; j < m; j++) {
            double p = (double)values[(size_t)i * (size_t)m + (size_t)j] / sum;
            entropy -= p > 0 ? p * log(p) : 0;
        }
        float want[] = {most, (float)sum, (float)others, (float)entropy};
        float have[] = {rows->row_max[i], rows->total[i], rows->others[i], rows->entropy[i]};
        assert_close(have, want, 4, 2e-5, 1e-5);
        assert_int_equal(rows->visible[i], visible);
    }
    for (int32_t j = 0; j < m; j++) {
        float have = (float)rows->received[j];
        float want = (float)received[j];
        assert_close(&have, &want, 1, 1e-4, 1e-4);
    }
    test_free(values);
    test_free(received);
}

static void check_profile(Session *s, const WeightSource *w)
{
    const ShownProfile *p = session_shown_profile(s, w);
    const TraceInfo *info = trace_info(s->trace);
    const Selection *sel = &s->selection;
    assert_non_null(p);
    TraceRegion row = {sel->layer, sel->head, sel->query, sel->query + 1, 0, info->n_keys};
    TraceRegion column = {sel->layer, sel->head, 0, info->n_queries, sel->key, sel->key + 1};
    float *values = test_calloc((size_t)(info->n_keys + info->n_queries), sizeof *values);
    assert_true(weight_source_read(s->trace, w, &row, values, NULL, NULL));
    assert_true(weight_source_read(s->trace, w, &column, values + info->n_keys, NULL, NULL));
    for (int32_t j = 0; j < info->n_keys + info->n_queries; j++) {
        float have = j < info->n_keys ? p->row[j] : p->column[j - info->n_keys];
        assert_true(isinf(have) == isinf(values[j]));
        if (!isinf(have)) {
            assert_close(&have, &values[j], 1, 1e-6, 1e-5);
        }
    }
    test_free(values);
}

static void make_source(WeightSource *w, int combine, bool hide)
{
    *w = (WeightSource){.combine = (Combine)combine, .hide_first = hide, .hide_special = hide};
    for (int h = 0; combine != COMBINE_ONE && h < 3; h++) {
        static const HeadRef heads[] = {{1, 2}, {0, 1}, {1, 0}};
        assert_true(head_set_add(&w->set, heads[h].layer, heads[h].head, NULL));
    }
}

static void test_session_shown_rows__are_those_of_the_cells(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    for (int combine = COMBINE_ONE; combine < COMBINE_COUNT; combine++) {
        for (int hide = 0; hide < 2; hide++) {
            WeightSource w;
            make_source(&w, combine, hide);
            const ShownRows *rows = session_shown_rows(s, &w, 0, 5, true);
            for (int i = 0; rows && rows->parts_done < rows->n_parts && i < 100; i++) {
                session_settle(s);
                rows = session_shown_rows(s, &w, 0, 5, true);
            }
            assert_non_null(rows);
            assert_true(shown_rows_has(rows, 0, rows->n_queries));
            assert_true(shown_rows_has_received(rows));
            check_rows(s, &w, rows);
            check_profile(s, &w);
        }
    }
    session_destroy(&s);
}

/* Too much for a call: jobs, what is in view first; the mean's columns are known before. */
static void test_session_shown_rows__by_jobs(void **state)
{
    (void)state;
    Session *s = session_on_words("random:L=2,H=3,d=96", 700);
    WeightSource w;
    make_source(&w, COMBINE_MEAN, false);
    int32_t n = trace_info(s->trace)->n_queries;
    const ShownRows *rows = session_shown_rows(s, &w, n - 40, n - 20, false);
    assert_non_null(rows);
    assert_true(shown_rows_has_received(rows));
    for (int i = 0; !shown_rows_has(rows, n - 40, n - 20) && i < 100; i++) {
        session_settle(s);
        rows = session_shown_rows(s, &w, n - 40, n - 20, false);
    }
    assert_false(shown_rows_has(rows, 0, 16));
    rows = session_shown_rows(s, &w, n - 40, n - 20, true);
    session_settle(s);
    for (int i = 0; rows->parts_done < rows->n_parts && i < 1000; i++) {
        session_settle(s);
        rows = session_shown_rows(s, &w, n - 40, n - 20, true);
    }
    check_rows(s, &w, rows);
    make_source(&w, COMBINE_ONE, true);
    for (int i = 0; !session_shown_profile(s, &w) && i < 100; i++) {
        session_settle(s);
    }
    check_profile(s, &w);
    session_destroy(&s);
}

static void test_session_tile_of__rows_divided(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    const TraceInfo *info = trace_info(s->trace);
    for (int combine = COMBINE_ONE; combine < COMBINE_COUNT; combine++) {
        for (int32_t factor = 1; factor < 4; factor += 2) {
            WeightSource w;
            make_source(&w, combine, combine % 2 == 0);
            w.by_row = true;
            TileKey key = {.trace_version = s->trace_version,
                           .source = weight_source_id(&w),
                           .layer = s->selection.layer,
                           .head = s->selection.head,
                           .row1 = info->n_queries,
                           .col1 = info->n_keys,
                           .factor = factor};
            Error err = {0};
            const Tile *tile = session_tile_of(s, &w, &key, &err);
            assert_ok(tile, err);
            for (int32_t r = 0; r < tile->rows; r++) {
                float most = -INFINITY;
                for (int32_t c = 0; c < tile->cols; c++) {
                    most = fmaxf(most, tile->values[r * tile->cols + c]);
                }
                assert_true(isinf(most) || fabsf(most - 1) < 1e-5f);
            }
        }
    }
    session_destroy(&s);
}

static void test_shown_clear__while_on_its_way(void **state)
{
    (void)state;
    Session *s = session_on_words("random:L=1,H=2,d=64", 1500);
    WeightSource w = {.hide_first = true};
    assert_non_null(session_shown_rows(s, &w, 0, 1500, true));
    shown_clear(s);
    session_settle(s);
    const ShownRows *rows = session_shown_rows(s, &w, 0, 1500, true);
    assert_non_null(rows);
    assert_int_equal(shown_failure(s, &w)->code, ERR_NONE);
    /* Stopped by the person: nothing more is computed until it is asked for. */
    shown_clear(s);
    assert_non_null(session_shown_rows(s, &w, 0, 1500, true));
    JobStatus status = jobs_status(s->jobs);
    jobs_cancel(s->jobs, status.id);
    session_settle(s);
    if (shown_failure(s, &w)->code) { /* unless that piece was done already */
        assert_int_equal(shown_failure(s, &w)->code, ERR_CANCELLED);
        int32_t done = session_shown_rows(s, &w, 0, 1500, true)->parts_done;
        session_settle(s);
        assert_int_equal(session_shown_rows(s, &w, 0, 1500, true)->parts_done, done);
    }
    does(s, "sums");
    for (int i = 0; i < 1000; i++) {
        rows = session_shown_rows(s, &w, 0, 1500, true);
        if (rows->parts_done == rows->n_parts) {
            break;
        }
        session_settle(s);
    }
    assert_int_equal(rows->parts_done, rows->n_parts);
    session_destroy(&s);
}

/* A failure is of what failed: other heads and sets are computed and have none. */
static void test_shown_failure__of_its_source(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    WeightSource bad = {.combine = COMBINE_MEAN, .hide_first = true};
    WeightSource mean;
    WeightSource one;
    make_source(&mean, COMBINE_MEAN, true);
    make_source(&one, COMBINE_ONE, true);
    assert_true(head_set_add(&bad.set, 0, 99, NULL)); /* the model has 4 */
    does(s, "layer 1");
    assert_null(session_shown_rows(s, &bad, 0, 5, true));
    assert_int_equal(shown_failure(s, &bad)->code, ERR_RANGE);
    const WeightSource *others[] = {&mean, &one};
    for (size_t i = 0; i < AS_COUNT(others); i++) {
        assert_int_equal(shown_failure(s, others[i])->code, ERR_NONE);
        const ShownRows *rows = session_shown_rows(s, others[i], 0, 5, true);
        assert_non_null(rows);
        assert_int_equal(rows->parts_done, rows->n_parts);
    }
    assert_int_equal(shown_failure(s, &bad)->code, ERR_RANGE);
    bad.by_row = true; /* its rows are the same */
    assert_int_equal(shown_failure(s, &bad)->code, ERR_RANGE);
    shown_again(s);
    assert_int_equal(shown_failure(s, &bad)->code, ERR_NONE);
    session_destroy(&s);
}

/* A view may hold rows while a later call lets them go: then nothing of them is there. */
static void test_shown_rows_has__of_rows_let_go(void **state)
{
    (void)state;
    Session *s = session_on(SMALL_MODEL, TEXT);
    for (int combine = COMBINE_ONE; combine < COMBINE_COUNT; combine++) {
        WeightSource w;
        make_source(&w, combine, combine == COMBINE_ONE);
        const ShownRows *rows = session_shown_rows(s, &w, 0, 5, true);
        assert_non_null(rows);
        assert_true(shown_rows_has(rows, 0, 1) && shown_rows_has_max(rows, 0, 1));
        assert_true(shown_rows_has_received(rows));
        shown_clear(s);
        assert_null(rows->block);
        assert_false(shown_rows_has(rows, 0, 1));
        assert_false(shown_rows_has_max(rows, 0, 1));
        assert_false(shown_rows_has_received(rows));
    }
    session_destroy(&s);
}

/* Of one head the failure is that head's. */
static void test_shown_failure__of_its_head(void **state)
{
    (void)state;
    Session *s = session_on_words("random:L=1,H=2,d=64", 1500);
    WeightSource w = {.hide_first = true};
    for (int i = 0; !shown_failure(s, &w)->code && i < 50; i++) { /* it may be done before */
        shown_clear(s);
        assert_non_null(session_shown_rows(s, &w, 0, 1500, true));
        jobs_cancel(s->jobs, jobs_status(s->jobs).id);
        session_settle(s);
    }
    assert_int_equal(shown_failure(s, &w)->code, ERR_CANCELLED);
    does(s, "head 1");
    assert_int_equal(shown_failure(s, &w)->code, ERR_NONE);
    const ShownRows *rows = session_shown_rows(s, &w, 0, 1500, true);
    for (int i = 0; rows->parts_done < rows->n_parts && i < 1000; i++) {
        session_settle(s);
        rows = session_shown_rows(s, &w, 0, 1500, true);
    }
    assert_int_equal(rows->parts_done, rows->n_parts);
    does(s, "head 0");
    assert_int_equal(shown_failure(s, &w)->code, ERR_CANCELLED);
    session_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_shown_rows__are_those_of_the_cells),
        cmocka_unit_test(test_session_shown_rows__by_jobs),
        cmocka_unit_test(test_session_tile_of__rows_divided),
        cmocka_unit_test(test_shown_clear__while_on_its_way),
        cmocka_unit_test(test_shown_failure__of_its_source),
        cmocka_unit_test(test_shown_failure__of_its_head),
        cmocka_unit_test(test_shown_rows_has__of_rows_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
