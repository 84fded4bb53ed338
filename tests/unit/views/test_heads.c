/* The Heads view: labels, counts and order are those of the exact scores. */
#include "views_case.h"

#include "session/survey.h"
#include "views/heads.h"
#include "views/overview.h"

#include <math.h>
#include <stdlib.h>

enum { L = 5, H = 8 };
static const char TEXT[] = "The cat sat on the mat. The cat sat on the mat. The cat sat";

static void open_heads(ViewsCase *c)
{
    views_case_open(c, "tiny", TEXT);
    views_case_do(c, "view heads");
    views_case_frame(c, 1920, 1080, 1);
    const TraceInfo *info = trace_info(c->session->trace);
    assert_int_equal(info->n_layers, L);
    assert_int_equal(info->n_heads, H);
}

static int label_of_head(const ViewsCase *c, int32_t layer, int32_t head, float *score)
{
    PatternScores scores;
    assert_true(pattern_scores(c->session->trace, layer, head, PATTERNS_REPEAT, &scores, NULL));
    *score = scores.best >= 0 ? scores.score[scores.best] : 0;
    return scores.best;
}

/* The text right of a text: what stands behind a filter's name. */
static const DrawCmd *text_after(const ViewsCase *c, const char *text)
{
    const DrawCmd *cmd = find_text(c, text);
    assert_non_null(cmd);
    for (cmd++; cmd < c->list.cmds.items + c->list.cmds.n; cmd++) {
        if (cmd->kind == DRAW_TEXT) {
            return cmd;
        }
    }
    return NULL;
}

static void test_heads__counts(void **state)
{
    (void)state;
    ViewsCase c;
    int counts[PATTERN_COUNT + 1] = {0};
    open_heads(&c);
    for (int32_t k = 0; k < L * H; k++) {
        float score;
        int best = label_of_head(&c, k / H, k % H, &score);
        counts[best < 0 ? PATTERN_COUNT : best]++;
    }
    for (int p = 0; p <= PATTERN_COUNT; p++) {
        char text[16];
        snprintf(text, sizeof text, "%d", counts[p]);
        if (p < PATTERN_COUNT && !counts[p]) {
            continue; /* left out where there is no room */
        }
        const DrawCmd *count =
            text_after(&c, p < PATTERN_COUNT ? pattern_text((Pattern)p)->title : "Mixed");
        assert_string_equal(count->u.text.text, text);
    }
    assert_true(counts[PATTERN_INDUCTION] > 0 && counts[PATTERN_PREVIOUS] > 0);
    views_case_close(&c);
}

static void point_at(ViewsCase *c, UiEventKind kind, Vec2 at)
{
    assert_true(ui_feed(&c->ui, &(UiEvent){.kind = kind, .at = at}));
    views_case_pass(c, 1920, 1080, 1);
    session_settle(c->session);
}

/* The inspector counts the same heads, and a click on a count filters. */
static void test_heads_inspect__counts(void **state)
{
    (void)state;
    enum { INSPECTOR_FROM = 1920 - 320 };
    ViewsCase c;
    int n_induction = 0;
    open_heads(&c);
    for (int32_t k = 0; k < L * H; k++) {
        float score;
        n_induction += label_of_head(&c, k / H, k % H, &score) == PATTERN_INDUCTION;
    }
    const DrawCmd *name = NULL;
    for (size_t i = 0; !name && i < c.list.cmds.n; i++) {
        const DrawCmd *cmd = &c.list.cmds.items[i];
        bool here = cmd->kind == DRAW_TEXT && cmd->u.text.at.x > INSPECTOR_FROM;
        name = here && strcmp(cmd->u.text.text, "Induction") == 0 ? cmd : NULL;
    }
    assert_non_null(name);
    const DrawCmd *count = name + 1;
    while (count->kind != DRAW_TEXT) {
        count++;
    }
    assert_int_equal(atoi(count->u.text.text), n_induction);
    assert_non_null(find_text(&c, "This text, 40 heads"));
    assert_non_null(find_text(&c, "8 heads each"));
    Vec2 at = vec2(name->u.text.at.x + 4, name->u.text.at.y - 4);
    point_at(&c, UI_EVENT_MOVE, at);
    point_at(&c, UI_EVENT_DOWN, at);
    point_at(&c, UI_EVENT_UP, at);
    assert_int_equal(c.session->options.heads.filter, 1 + PATTERN_INDUCTION);
    views_case_do(&c, "fold counts");
    views_case_frame(&c, 1920, 1080, 1);
    assert_true(c.session->options.folds_closed[FOLD_COUNTS]);
    views_case_close(&c);
}

static void test_heads__filter_and_sort(void **state)
{
    (void)state;
    ViewsCase c;
    open_heads(&c);
    views_case_do(&c, "sort entropy");
    views_case_frame(&c, 1920, 1080, 1);
    const Survey *v = c.session->survey;
    /* Entropies in reading order ascend, and all are there. */
    double last = -1;
    int n = 0;
    for (size_t i = 0; i < c.list.cmds.n; i++) {
        const DrawCmd *cmd = &c.list.cmds.items[i];
        if (cmd->kind == DRAW_CELLS && i + 1 < c.list.cmds.n && cmd->u.cells.source.rows > 1) {
            for (size_t k = i + 1; k < AS_MIN(i + 5, c.list.cmds.n); k++) {
                const DrawCmd *label = &c.list.cmds.items[k];
                if (label->kind == DRAW_TEXT && strchr(label->u.text.text, '.')) {
                    double is = atof(label->u.text.text);
                    assert_true(is >= last);
                    last = is;
                    n++;
                    break;
                }
            }
        }
        if (n == L * H) {
            break;
        }
    }
    assert_int_equal(n, L * H);
    double most = 0;
    for (int32_t k = 0; k < L * H; k++) {
        most = fmax(most, (double)v->heads[k].entropy);
    }
    assert_true(fabs(most - last) < 0.006);
    /* Only the heads of a pattern, the clearest first. */
    views_case_do(&c, "sort pattern");
    views_case_do(&c, "filter induction");
    views_case_frame(&c, 1920, 1080, 1);
    for (int32_t k = 0; k < L * H; k++) {
        float score;
        char text[16];
        snprintf(text, sizeof text, "L%dH%d", k / H, k % H);
        bool induction = label_of_head(&c, k / H, k % H, &score) == PATTERN_INDUCTION;
        assert_true(induction == (find_text(&c, text) != NULL));
    }
    views_case_do(&c, "filter nonsense");
    assert_true(c.session->note[0] != 0);
    views_case_close(&c);
}

/* Every head has a place of its own that leads back to it, and pictures are no smaller than in a
 * plain table. */
static void test_head_table_fit__uses_the_room(void **state)
{
    static const struct {
        int32_t n_layers, n_heads;
        float w, h, least;
    } cases[] = {
        {2, 32, 900, 300, 45}, {48, 1, 900, 400, 70},    {6, 12, 900, 400, 60},
        {30, 9, 900, 400, 28}, {80, 64, 900, 400, 4.5f}, {5, 8, 900, 400, 75},
        {1, 1, 100, 50, 50},   {1, 64, 300, 700, 40},
    };
    (void)state;
    for (size_t k = 0; k < AS_COUNT(cases); k++) {
        int32_t L_ = cases[k].n_layers;
        int32_t H_ = cases[k].n_heads;
        HeadTable t = head_table_fit(L_, H_, cases[k].w, cases[k].h, 18);
        int32_t rows = t.groups * t.lines;
        bool taken[8192] = {0};
        for (int32_t layer = 0; layer < L_; layer++) {
            for (int32_t head = 0; head < H_; head++) {
                int32_t column;
                int32_t row;
                int32_t back[2];
                head_table_place(&t, layer, head, &column, &row);
                assert_true(column < t.across && row < rows);
                assert_false(taken[row * t.across + column]);
                taken[row * t.across + column] = true;
                assert_true(head_table_at(&t, L_, H_, column, row, &back[0], &back[1]));
                assert_true(back[0] == layer && back[1] == head);
            }
        }
        float below = t.lines > 1 ? 18 : 0;
        float side = fminf(cases[k].w / (float)t.across, cases[k].h / (float)rows - below);
        assert_true(side >= cases[k].least);
    }
}

/* The threshold lets through whose score is at least it, undo takes it back, and a pinned card
 * stays until Esc. */
static void test_heads__threshold_and_pin(void **state)
{
    (void)state;
    ViewsCase c;
    open_heads(&c);
    views_case_do(&c, "sort pattern");
    views_case_do(&c, "filter previous");
    views_case_do(&c, "score 0.05");
    views_case_frame(&c, 1920, 1080, 1);
    const Survey *v = c.session->survey;
    int matching = 0;
    for (int32_t k = 0; k < L * H; k++) {
        char text[16];
        snprintf(text, sizeof text, "L%dH%d", k / H, k % H);
        bool enough = v->heads[k].scores.score[PATTERN_PREVIOUS] >= 0.05f;
        matching += enough;
        assert_true(enough == (find_text(&c, text) != NULL));
    }
    char says[64];
    snprintf(says, sizeof says, "%d of %d heads: previous score ≥ 0.05", matching, L * H);
    assert_non_null(find_text(&c, says));
    assert_true(matching > 0 && matching < L * H);
    views_case_do(&c, "score 2");
    assert_true(c.session->note[0] != 0);
    views_case_do(&c, "undo");
    assert_true(c.session->options.heads.least == 0);
    assert_int_equal(c.session->options.heads.filter, 1 + PATTERN_PREVIOUS);
    views_case_do(&c, "redo");
    assert_true(c.session->options.heads.least == 0.05f);
    views_case_do(&c, "card 1.2");
    views_case_frame(&c, 1920, 1080, 1);
    assert_non_null(find_text(&c, "Layer 1 · Head 2"));
    assert_non_null(find_text(&c, "Compare"));
    views_case_do(&c, "unpin");
    views_case_frame(&c, 1920, 1080, 1);
    assert_null(find_text(&c, "Layer 1 · Head 2"));
    views_case_do(&c, "card 99.0");
    assert_true(c.session->note[0] != 0);
    views_case_close(&c);
}

static void test_heads__hover_and_open(void **state)
{
    (void)state;
    ViewsCase c;
    open_heads(&c);
    int32_t n = trace_info(c.session->trace)->n_queries;
    const DrawCmd *tile = NULL;
    int seen = 0;
    for (size_t i = 0; !tile && i < c.list.cmds.n; i++) {
        const DrawCmd *cmd = &c.list.cmds.items[i];
        bool picture = cmd->kind == DRAW_CELLS && cmd->u.cells.source.rows == n;
        tile = picture && seen++ == 3 * H + 2 ? cmd : NULL; /* layer 3, head 2 */
    }
    assert_non_null(tile);
    Vec2 at = rect_center(tile->u.cells.box);
    point_at(&c, UI_EVENT_MOVE, at);
    assert_non_null(find_text(&c, "Layer 3 · Head 2"));
    const SurveyHead *head = &c.session->survey->heads[3 * H + 2];
    TraceRows rows;
    assert_true(trace_rows(c.session->trace, 3, 2, &rows));
    double entropy = 0;
    double distance = 0;
    for (int32_t i = 0; i < n; i++) {
        entropy += (double)rows.entropy[i] / log(2) / n;
        distance += (double)rows.distance[i] / n;
    }
    char text[32];
    snprintf(text, sizeof text, "%.2f bits", entropy);
    assert_non_null(find_text(&c, text));
    snprintf(text, sizeof text, "%.1f tokens", distance);
    assert_non_null(find_text(&c, text));
    Pattern order[PATTERN_COUNT];
    pattern_order(&head->scores, order);
    for (int p = 0; p < 6; p++) {
        snprintf(text, sizeof text, "%.3f", (double)head->scores.score[order[p]]);
        assert_non_null(find_text(&c, text));
    }
    point_at(&c, UI_EVENT_DOWN, at);
    point_at(&c, UI_EVENT_UP, at);
    assert_int_equal(c.session->view, VIEW_MATRIX);
    assert_int_equal(c.session->selection.layer, 3);
    assert_int_equal(c.session->selection.head, 2);
    views_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads__counts),
        cmocka_unit_test(test_heads_inspect__counts),
        cmocka_unit_test(test_heads__filter_and_sort),
        cmocka_unit_test(test_heads__threshold_and_pin),
        cmocka_unit_test(test_head_table_fit__uses_the_room),
        cmocka_unit_test(test_heads__hover_and_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
