/* What the Overview says is what the trace says; its gestures do what they should. */
#include "views_case.h"

#include "session/survey.h"
#include "views/heads.h"
#include "views/overview.h"

#include <math.h>

static const char MODEL[] = "random:L=3,H=4,d=64,seed=5";

static void open_overview(ViewsCase *c, const char *model, const char *text)
{
    views_case_open(c, model, text);
    views_case_do(c, "view overview");
    views_case_frame(c, 1920, 1080, 1);
    assert_non_null(c->session->survey);
    assert_true(c->session->survey->finished);
}

static const DrawCmd *nth_cells(const ViewsCase *c, int32_t rows, int32_t cols, int n)
{
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        const DrawCmd *cmd = &c->list.cmds.items[i];
        if (cmd->kind == DRAW_CELLS && cmd->u.cells.source.rows == rows &&
            cmd->u.cells.source.cols == cols && n-- == 0) {
            return cmd;
        }
    }
    return NULL;
}

/* ---- the pictures ---- */

static void test_overview__pictures_are_weights(void **state)
{
    (void)state;
    enum { N = 20 };
    Arena arena = {0};
    ViewsCase c;
    open_overview(&c, MODEL, words_of(&arena, N));
    for (int k = 0; k < 3 * 4; k++) {
        const DrawCmd *cells = nth_cells(&c, N, N, k);
        assert_non_null(cells);
        for (int32_t i = 0; i < N; i++) {
            for (int32_t j = 0; j < N; j++) {
                TraceCell cell;
                assert_true(trace_cell(c.session->trace, k / 4, k % 4, i, j, &cell, NULL));
                float is = cells->u.cells.source.values[i * N + j];
                if (cell.visible) {
                    assert_close(&is, &cell.weight, 1, 1e-6, 1e-5);
                } else {
                    assert_true(isinf(is) && is < 0); /* not there, and no zero */
                }
            }
        }
    }
    views_case_close(&c);
    arena_destroy(&arena);
}

static void test_overview__mean_of_all_heads(void **state)
{
    (void)state;
    enum { N = 20 };
    Arena arena = {0};
    ViewsCase c;
    TraceHead heads[12];
    float mean[N * N];
    for (int k = 0; k < 12; k++) {
        heads[k] = (TraceHead){k / 4, k % 4};
    }
    open_overview(&c, MODEL, words_of(&arena, N));
    assert_true(trace_tile_heads(c.session->trace, &(TraceRegion){0}, heads, 12, TRACE_REDUCE_MEAN,
                                 mean, 0, NULL));
    const DrawCmd *cells = nth_cells(&c, N, N, 12); /* behind the twelve heads */
    assert_non_null(cells);
    for (int32_t i = 0; i < N; i++) {
        assert_close(cells->u.cells.source.values + (size_t)i * N, mean + (size_t)i * N,
                     (size_t)i + 1, 1e-6, 1e-5);
    }
    views_case_close(&c);
    arena_destroy(&arena);
}

/* A long text: a value is the largest of the weights under it. */
static void test_overview__long_text_says_so(void **state)
{
    (void)state;
    Arena arena = {0};
    ViewsCase c;
    open_overview(&c, "random:L=2,H=2,d=32,seed=5", words_of(&arena, 600));
    const TraceLayer *layer = trace_layer(c.session->trace, 0);
    assert_true(layer->row_texel > 1);
    char text[64];
    snprintf(text, sizeof text, "1 px = %d × %d, mean", layer->row_texel, layer->col_texel);
    assert_non_null(find_text(&c, text));
    views_case_close(&c);
    arena_destroy(&arena);
}

/* ---- the numbers ---- */

static void test_overview__sink_and_reads(void **state)
{
    (void)state;
    enum { N = 34 };
    Arena arena = {0};
    ViewsCase c;
    open_overview(&c, MODEL, words_of(&arena, N));
    views_case_do(&c, "pin 20 3");
    views_case_frame(&c, 1920, 1080, 1);
    const Survey *v = c.session->survey;
    double received[N] = {0};
    double row[N] = {0};
    for (int k = 0; k < 12; k++) {
        for (int32_t i = 0; i < N; i++) {
            float weights[N];
            assert_true(trace_row_profile(c.session->trace, k / 4, k % 4, i, weights, NULL));
            for (int32_t j = 0; j < N; j++) {
                received[j] += j == 0 && i == 0 ? 0 : (double)weights[j];
                row[j] += i == 20 ? (double)weights[j] / 12 : 0;
            }
        }
    }
    float most = 0;
    for (int32_t j = 0; j < N; j++) {
        most = fmaxf(most, (float)(received[j] / (12 * (j == 0 ? N - 1 : N))));
    }
    assert_close(&v->sink_share, &most, 1, 1e-6, 1e-5);
    char text[64];
    snprintf(text, sizeof text, "%.0f %% of the weight", 100 * (double)most);
    assert_non_null(find_text(&c, text));
    double best = 0;
    int32_t left_out = most >= 0.2f ? v->sink : -1;
    for (int32_t j = 0; j < N; j++) {
        best = j == left_out ? best : fmax(best, row[j]);
    }
    snprintf(text, sizeof text, "%.1f %%", 100 * best);
    assert_non_null(find_text(&c, text));
    views_case_close(&c);
    arena_destroy(&arena);
}

static void test_overview__cards_are_scores(void **state)
{
    (void)state;
    ViewsCase c;
    open_overview(&c, "tiny", "The cat sat on the mat. The cat sat on the mat. The cat sat");
    const Survey *v = c.session->survey;
    const Trace *trace = c.session->trace;
    assert_int_equal(v->n_cards, 3);
    for (int k = 0; k < v->n_cards; k++) {
        const SurveyCard *card = &v->cards[k];
        float score = card->weight;
        if (card->reason < PATTERN_COUNT) {
            PatternScores scores;
            assert_true(
                pattern_scores(trace, card->layer, card->head, PATTERNS_REPEAT, &scores, NULL));
            score = scores.score[card->reason];
        }
        assert_close(&card->score, &score, 1, 1e-6, 1e-6);
        char text[64];
        snprintf(text, sizeof text, "%.3f", (double)score);
        assert_non_null(find_text(&c, text));
        snprintf(text, sizeof text, "layer %d · head %d", card->layer, card->head);
        assert_non_null(find_text(&c, text));
        snprintf(text, sizeof text, "%.0f %% of mass drawn", 100 * (double)card->mass);
        assert_non_null(find_text(&c, text));
        /* Every link is the weight between the two tokens, and none is drawn twice. */
        double mass = 0;
        for (int i = 0; i < card->n_links; i++) {
            TraceCell cell;
            const SurveyLink *link = &card->links[i];
            assert_true(trace_cell(trace, card->layer, card->head, card->slots[link->query],
                                   card->slots[link->key], &cell, NULL));
            assert_close(&link->weight, &cell.weight, 1, 1e-6, 1e-5);
            mass += (double)link->weight;
            for (int m = 0; m < i; m++) {
                assert_false(card->links[m].query == link->query &&
                             card->links[m].key == link->key);
            }
        }
        assert_true(fabs(mass / card->n_queries - (double)card->mass) < 1e-5);
    }
    views_case_close(&c);
}

static void test_overview__prediction(void **state)
{
    (void)state;
    ViewsCase c;
    open_overview(&c, "tiny", "The cat sat on the");
    const Survey *v = c.session->survey;
    const TraceInfo *info = trace_info(c.session->trace);
    int32_t n = info->n_vocab;
    float *logits = mem_alloc((size_t)n * sizeof *logits, NULL);
    assert_non_null(logits);
    assert_true(trace_logits(c.session->trace, session_model(c.session), info->n_queries - 1,
                             info->n_queries, logits, NULL));
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += exp((double)logits[i]);
    }
    assert_int_equal(v->n_next, SURVEY_NEXT);
    for (int k = 0; k < v->n_next; k++) {
        float p = (float)(exp((double)logits[v->next[k].id]) / sum);
        int32_t above = 0;
        for (int32_t i = 0; i < n; i++) {
            above += logits[i] > logits[v->next[k].id];
        }
        assert_int_equal(above, k);
        assert_close(&v->next[k].probability, &p, 1, 1e-7, 1e-5);
        char text[32];
        snprintf(text, sizeof text, "%.1f %%", 100 * (double)p);
        assert_non_null(find_text(&c, text));
    }
    mem_free(logits);
    views_case_close(&c);
}

/* A model without a head says nothing of a next token. */
static void test_overview__no_prediction(void **state)
{
    (void)state;
    ViewsCase c;
    open_overview(&c, "random:L=1,H=2,d=32", "a b c d");
    if (!model_info(session_model(c.session))->has_logits) {
        assert_int_equal(c.session->survey->n_next, 0);
        assert_null(find_text(&c, "Next token"));
    }
    views_case_close(&c);
}

/* ---- gestures ---- */

static void point_at(ViewsCase *c, UiEventKind kind, float x, float y)
{
    assert_true(ui_feed(&c->ui, &(UiEvent){.kind = kind, .at = {x, y}}));
    views_case_pass(c, 1920, 1080, 1);
    session_settle(c->session);
}

static void test_overview__gestures(void **state)
{
    (void)state;
    enum { N = 20 };
    Arena arena = {0};
    ViewsCase c;
    open_overview(&c, MODEL, words_of(&arena, N));
    const DrawCmd *chip = find_text(&c, "7"); /* the number below the chip */
    assert_non_null(chip);
    float x = chip->u.text.at.x;
    float y = chip->u.text.at.y - 30;
    point_at(&c, UI_EVENT_MOVE, x, y);
    assert_int_equal(c.session->selection.query, 7);
    assert_false(c.session->selection.pinned);
    point_at(&c, UI_EVENT_DOWN, x, y);
    point_at(&c, UI_EVENT_UP, x, y);
    assert_true(c.session->selection.pinned);
    const DrawCmd *cells = nth_cells(&c, N, N, 2 * 4 + 1);
    assert_non_null(cells);
    Vec2 tile = rect_center(cells->u.cells.box);
    point_at(&c, UI_EVENT_MOVE, tile.x, tile.y);
    point_at(&c, UI_EVENT_DOWN, tile.x, tile.y);
    point_at(&c, UI_EVENT_UP, tile.x, tile.y);
    assert_int_equal(c.session->view, VIEW_MATRIX);
    assert_int_equal(c.session->selection.layer, 2);
    assert_int_equal(c.session->selection.head, 1);
    views_case_close(&c);
    arena_destroy(&arena);
}

static void test_survey__stop_and_go_on(void **state)
{
    (void)state;
    Arena arena = {0};
    ViewsCase c;
    views_case_open(&c, MODEL, words_of(&arena, 30));
    assert_non_null(session_survey(c.session));
    c.session->survey->failure.code = ERR_CANCELLED; /* as a cancel leaves it */
    session_settle(c.session);
    int32_t scored = c.session->survey->layers_scored;
    assert_false(c.session->survey->finished);
    views_case_do(&c, "survey");
    assert_non_null(session_survey(c.session));
    session_settle(c.session);
    assert_true(c.session->survey->finished);
    assert_int_equal(c.session->survey->layers_scored, 3);
    assert_true(scored <= 3);
    /* Another text: nothing of the old one stays. */
    views_case_do(&c, "text one two three");
    assert_null(c.session->survey);
    views_case_close(&c);
    arena_destroy(&arena);
}

/* In a small window at a large scale everything is there, below. */
static void test_overview_layout__drops_nothing(void **state)
{
    static const float sizes[][2] = {{1303, 788}, {1152, 580}, {820, 450}, {700, 400}, {440, 300}};
    (void)state;
    for (size_t k = 0; k < AS_COUNT(sizes); k++) {
        for (int has_next = 0; has_next < 2; has_next++) {
            Rect stage = {88, 56, sizes[k][0], sizes[k][1]};
            OverviewLayout l = overview_layout(stage, has_next);
            Rect boxes[] = {l.chips, l.left, l.grid, l.cards[0], l.cards[1], l.cards[2], l.next};
            for (size_t i = 0; i < AS_COUNT(boxes) - !has_next; i++) {
                assert_true(boxes[i].w >= 150 && boxes[i].h >= 60);
                assert_true(boxes[i].x >= stage.x && boxes[i].y >= stage.y);
                assert_true(boxes[i].x + boxes[i].w <= stage.x + stage.w);
                assert_true(boxes[i].y + boxes[i].h <= stage.y + l.height);
                for (size_t j = 0; j < i; j++) {
                    assert_true(rect_is_empty(rect_intersect(boxes[i], boxes[j])));
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overview_layout__drops_nothing),
        cmocka_unit_test(test_overview__pictures_are_weights),
        cmocka_unit_test(test_overview__mean_of_all_heads),
        cmocka_unit_test(test_overview__long_text_says_so),
        cmocka_unit_test(test_overview__sink_and_reads),
        cmocka_unit_test(test_overview__cards_are_scores),
        cmocka_unit_test(test_overview__prediction),
        cmocka_unit_test(test_overview__no_prediction),
        cmocka_unit_test(test_overview__gestures),
        cmocka_unit_test(test_survey__stop_and_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
