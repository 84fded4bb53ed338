/* The heatmap: every cell that is drawn is the traced weight, from one cell to a pixel of many, in
 * blocks that come one after the other; the view never waits for them. */
#include "views_case.h"

#include "session/survey.h"
#include "views/internal.h"

#include <math.h>

static void open_matrix(ViewsCase *c, const char *model, int n_words)
{
    Arena arena = {0};
    views_case_open(c, model, words_of(&arena, n_words));
    views_case_do(c, "view matrix");
    arena_destroy(&arena);
}

/* Does a text begin with one and end with the other? */
static bool says_from_to(const ViewsCase *c, const char *begin, const char *end)
{
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        const DrawCmd *cmd = &c->list.cmds.items[i];
        const char *at = cmd->kind == DRAW_TEXT ? cmd->u.text.text : "";
        size_t n = strlen(at);
        if (strncmp(at, begin, strlen(begin)) == 0 && n >= strlen(end) &&
            strcmp(at + n - strlen(end), end) == 0) {
            return true;
        }
    }
    return false;
}

/* Checks every block in the heatmap against the trace; returns how many cells it saw. */
static int64_t check_blocks(ViewsCase *c, int32_t step)
{
    const MatrixView *v = &c->views->matrix;
    const TileCache *cache = &c->session->tiles;
    int32_t f = v->zoom.factor;
    int64_t n = 0;
    const Tile *tile;
    for (size_t t = 0; (tile = tiles_held(cache, t)); t++) {
        const TileKey *k = &tile->key;
        if (k->factor != f || k->source || k->layer != c->session->selection.layer ||
            k->head != c->session->selection.head) {
            continue;
        }
        for (int32_t r = 0; r < tile->rows; r += step) {
            for (int32_t col = 0; col < tile->cols; col += step) {
                TraceRegion region = {k->layer,          k->head,
                                      k->row0 + r * f,   AS_MIN(k->row0 + (r + 1) * f, k->row1),
                                      k->col0 + col * f, AS_MIN(k->col0 + (col + 1) * f, k->col1)};
                float values[4096];
                assert_true(f * f <= 4096);
                assert_true(trace_tile(c->session->trace, &region, TRACE_WEIGHTS, values, 0, NULL));
                float want = 0;
                int32_t cells = (region.row1 - region.row0) * (region.col1 - region.col0);
                for (int32_t i = 0; i < cells; i++) {
                    want = fmaxf(want, values[i]);
                }
                float is = tile->values[(size_t)r * (size_t)tile->cols + (size_t)col];
                is = isinf(is) ? 0 : is;
                assert_close(&is, &want, 1, 1e-6, 1e-5);
                n++;
            }
        }
    }
    return n;
}

static void test_matrix__blocks_are_exact(void **state)
{
    (void)state;
    ViewsCase c;
    open_matrix(&c, "random:L=1,H=2,d=64", 1500);
    for (int zoom = 0; zoom < 6; zoom++) {
        views_case_frame(&c, 1280, 720, 1);
        assert_true(check_blocks(&c, 7) > 1000);
        views_case_do(&c, "zoom in");
        views_case_do(&c, zoom % 2 ? "look 700 300" : "look 1400 1300");
    }
    views_case_close(&c);
}

/* One pass draws cells at once: of the summary until the exact ones are there. */
static void test_matrix__never_waits(void **state)
{
    (void)state;
    ViewsCase c;
    open_matrix(&c, "random:L=1,H=1,d=64", 6000);
    c.session->tiles.budget_bytes = 1 << 20;
    views_case_pass(&c, 1280, 720, 1);
    assert_false(views_settled(c.views));
    assert_non_null(c.session->tiles.job);
    int n = 0;
    for (size_t i = 0; i < c.list.cmds.n; i++) {
        n += c.list.cmds.items[i].kind == DRAW_CELLS;
    }
    assert_true(n > 0);
    /* Panning asks for others and forgets these; the budget holds. */
    for (int i = 0; i < 12; i++) {
        session_post(c.session, "look %d %d", 5900 - 400 * i, 300 * i);
        session_post(c.session, i % 3 ? "zoom in" : "zoom out");
        session_update(c.session, 0);
        views_case_pass(&c, 1280, 720, 1);
        assert_true(c.session->tiles.held_bytes <= 1 << 20);
    }
    views_case_frame(&c, 1280, 720, 1);
    views_case_close(&c);
}

/* Far out the summary is called one until the job has refined it, in its words, to the screen. */
static void test_matrix__far_out_is_labelled(void **state)
{
    (void)state;
    ViewsCase c;
    char text[64];
    open_matrix(&c, "random:L=1,H=1,d=64", 13000);
    views_case_do(&c, "fit");
    views_case_pass(&c, 1280, 720, 1);
    session_update(c.session, 0);
    views_case_pass(&c, 1280, 720, 1);
    const MatrixView *v = &c.views->matrix;
    assert_in_range(v->zoom.factor, 33, 1000);
    assert_false(views_settled(c.views));
    assert_non_null(c.session->tiles.job);
    snprintf(text, sizeof text, "summary, 1 texel = %d × %d, max", v->row_texel, v->col_texel);
    assert_non_null(find_text(&c, text));
    const char *stage = NULL;
    while (c.session->tiles.job && !stage) {
        JobStatus status = jobs_status(c.session->jobs);
        stage = status.stage;
        session_update(c.session, 0);
    }
    assert_true(!stage || strcmp(stage, "the summary, refined to the screen") == 0);
    views_case_frame(&c, 1280, 720, 1);
    snprintf(text, sizeof text, "1 px = %d × %d weights, max", v->zoom.factor, v->zoom.factor);
    assert_non_null(find_text(&c, text));
    views_case_close(&c);
}

static void test_matrix__says_what_it_shows(void **state)
{
    (void)state;
    ViewsCase c;
    open_matrix(&c, "random:L=2,H=3,d=96", 40);
    views_case_do(&c, "layer 0");
    views_case_do(&c, "set layer");
    views_case_do(&c, "layer 1");
    views_case_do(&c, "combine mean");
    views_case_frame(&c, 1920, 1080, 1);
    assert_non_null(find_text(&c, "Mean of layer 0, 3 heads"));
    views_case_do(&c, "set 0.1,1.2");
    views_case_do(&c, "combine owner");
    views_case_frame(&c, 1920, 1080, 1);
    assert_non_null(find_text(&c, "Owners of 2 heads"));
    assert_non_null(find_text(&c, "L1 H2"));
    views_case_do(&c, "set none");
    views_case_do(&c, "hide first");
    views_case_frame(&c, 1920, 1080, 1);
    assert_non_null(find_text(&c, "first token left out, rows scaled to 1"));
    views_case_do(&c, "diagonal");
    views_case_do(&c, "menu");
    views_case_frame(&c, 1920, 1080, 1);
    assert_non_null(find_text(&c, "diagonal: each token with itself"));
    assert_non_null(find_text(&c, "Special tokens"));
    views_case_do(&c, "reading");
    views_case_frame(&c, 1920, 1080, 1);
    assert_non_null(find_text(&c, "Text around it"));
    views_case_do(&c, "undo");
    views_case_frame(&c, 1920, 1080, 1);
    assert_null(find_text(&c, "Text around it"));
    assert_non_null(find_text(&c, "Special tokens"));
    views_case_do(&c, "undo");
    views_case_frame(&c, 1920, 1080, 1);
    assert_null(find_text(&c, "Special tokens"));
    views_case_do(&c, "undo");
    views_case_frame(&c, 1920, 1080, 1);
    assert_null(find_text(&c, "diagonal: each token with itself"));
    views_case_close(&c);
}

/* The rows of a pattern are told at any length and zoom: from afar by parts of the picture, near by
 * lines of cells, in numbers that a count of the trace gives too. */
static void test_matrix__outlines_of_long_texts(void **state)
{
    (void)state;
    ViewsCase c;
    open_matrix(&c, "synthetic:induction", 5000);
    session_survey(c.session);
    for (int i = 0; i < 50 && !c.session->survey->finished; i++) {
        session_settle(c.session);
        session_survey(c.session);
    }
    const TraceInfo *info = trace_info(c.session->trace);
    int32_t best = -1;
    for (int32_t k = 0; k < info->n_layers * info->n_heads && best < 0; k++) {
        best = c.session->survey->heads[k].scores.best == PATTERN_INDUCTION ? k : -1;
    }
    assert_true(best >= 0 && info->n_queries > 4096);
    session_post(c.session, "layer %d", best / info->n_heads);
    session_post(c.session, "head %d", best % info->n_heads);
    views_case_pass(&c, 1280, 720, 1);
    views_case_do(&c, "fit");
    TraceRows rows;
    assert_true(trace_rows(c.session->trace, best / info->n_heads, best % info->n_heads, &rows));
    int32_t want = 0;
    for (int32_t i = 0; i < info->n_queries; i++) {
        want += rows.max_key[i] >= 0 && rows.max_weight[i] >= 0.1f &&
                pattern_has_cell(c.session->trace, PATTERN_INDUCTION, i, rows.max_key[i]);
    }
    views_case_frame(&c, 1280, 720, 1);
    const MatrixFound *f = &c.views->matrix.found;
    int32_t have = 0;
    for (size_t i = 0; i < f->runs.n; i++) {
        have += f->runs.items[i].n;
    }
    assert_true(want > 100);
    assert_int_equal(have, want);
    char of[48];
    snprintf(of, sizeof of, "of %d rows in these parts", want);
    bool said = false;
    for (size_t i = 0; i < c.list.cmds.n; i++) {
        const DrawCmd *cmd = &c.list.cmds.items[i];
        said |= cmd->kind == DRAW_TEXT && strstr(cmd->u.text.text, of);
    }
    assert_true(said);
    views_case_do(&c, "box 4800 4840 4600 4840");
    views_case_frame(&c, 1280, 720, 1);
    assert_int_equal(c.views->matrix.zoom.factor, 1);
    said = false;
    for (size_t i = 0; i < c.list.cmds.n; i++) {
        const DrawCmd *cmd = &c.list.cmds.items[i];
        said |= cmd->kind == DRAW_TEXT && strncmp(cmd->u.text.text, "induction", 9) == 0;
    }
    assert_true(said);
    views_case_close(&c);
}

/* In a low window the side card keeps what says how large a pixel is, also beside the hues of a set
 * and the two lines below the overview. */
static void test_matrix__low_window(void **state)
{
    (void)state;
    static const float heights[] = {560, 600, 640, 680, 720, 900};
    ViewsCase c;
    open_matrix(&c, "random:L=1,H=16,d=128,seed=5", 700);
    for (int owners = 0; owners < 2; owners++) {
        for (size_t i = 0; i < AS_COUNT(heights); i++) {
            views_case_frame(&c, 1280, heights[i], 1);
            views_case_do(&c, "fit");
            views_case_frame(&c, 1280, heights[i], 1);
            assert_true(says_from_to(&c, "1 px = ", " weights, max"));
            assert_true(!owners || says_from_to(&c, "Hue = whose", "") ||
                        says_from_to(&c, "HUE = WHOSE", ""));
        }
        views_case_do(&c, "set layer");
        views_case_do(&c, "combine owner");
    }
    views_case_close(&c);
}

/* A pointer that leaves the overview while it is held goes to the end of the text, no farther. */
static void test_matrix__drags_past_the_overview(void **state)
{
    (void)state;
    ViewsCase c;
    open_matrix(&c, "random:L=1,H=2,d=32,seed=5", 2000);
    views_case_frame(&c, 1280, 720, 1);
    views_case_do(&c, "box 0 100 0 100");
    views_case_frame(&c, 1280, 720, 1);
    const DrawCmd *legend = find_text(&c, "WEIGHT, LOG SCALE"); /* below the overview */
    assert_non_null(legend);
    const Vec2 start = {legend->bounds.x + 40, 130};
    static const Vec2 far[] = {{4000, 4000}, {-4000, -4000}};
    for (size_t i = 0; i < AS_COUNT(far); i++) {
        UiEvent events[] = {
            {.kind = UI_EVENT_MOVE, .at = start},
            {.kind = UI_EVENT_DOWN, .at = start},
            {.kind = UI_EVENT_MOVE, .at = far[i]},
            {.kind = UI_EVENT_UP, .at = far[i]},
        };
        for (size_t k = 0; k < AS_COUNT(events); k++) {
            assert_true(ui_feed(&c.ui, &events[k]));
            views_case_frame(&c, 1280, 720, 1);
        }
        assert_string_equal(c.session->note, "");
        const MatrixView *v = &c.views->matrix;
        int64_t most = zoom_extent(v->zoom, v->n_queries) - v->area_h;
        assert_int_equal(v->row_px, i == 0 ? most : 0);
    }
    views_case_close(&c);
}

/* Cells of less than 6 px in lines shorter than that: told by parts when there is nothing longer,
 * and counted when there is. */
static void test_matrix__outlines_of_short_runs(void **state)
{
    (void)state;
    for (int phrase = 0; phrase < 2; phrase++) {
        ViewsCase c;
        StrBuf text = {0};
        uint32_t any = 1;
        for (int i = 0; i < 260; i++) {
            any = any * 1664525U + 1013904223U;
            int word = phrase && i >= 200 ? 100 + i % 30 : (int)(any >> 16) % 61;
            assert_true(strbuf_printf(&text, NULL, "w%d ", word));
        }
        views_case_open(&c, "synthetic:induction", strbuf_text(&text));
        views_case_do(&c, "view matrix");
        views_case_frame(&c, 1280, 720, 1);
        views_case_do(&c, "fit");
        views_case_frame(&c, 1280, 720, 1);
        const MatrixView *v = &c.views->matrix;
        const MatrixFound *f = &v->found;
        assert_true(v->zoom.factor == 1 && v->zoom.px < 6);
        int32_t visible = (6 + v->zoom.px - 1) / v->zoom.px;
        int32_t cells = 0;
        int32_t seen = 0;
        for (size_t i = 0; i < f->runs.n; i++) {
            cells += f->runs.items[i].n;
            seen += f->runs.items[i].n >= visible;
        }
        assert_true((seen > 0) == (phrase == 1) && cells > seen);
        char end[48];
        if (phrase) {
            assert_int_equal(seen, 1);
            snprintf(end, sizeof end, ", the longest of %zu", f->runs.n);
        } else {
            snprintf(end, sizeof end, " of %d rows in these parts", cells);
        }
        assert_true(says_from_to(&c, "induction", end));
        strbuf_free(&text);
        views_case_close(&c);
    }
}

/* A box is fitted into the area; the strongest of a pixel of many weights is found. */
static void test_matrix__box(void **state)
{
    (void)state;
    ViewsCase c;
    open_matrix(&c, "random:L=1,H=1,d=64", 400);
    views_case_frame(&c, 1280, 720, 1);
    views_case_do(&c, "box 100 120 40 55");
    const MatrixView *v = &c.views->matrix;
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(v, &r0, &r1, &c0, &c1);
    assert_true(r0 <= 100 && r1 >= 120 && c0 <= 40 && c1 >= 55);
    assert_true(r1 - r0 < 30 && v->zoom.px > 8);
    static const struct {
        const char *line, *says;
    } refused[] = {
        {"box 5", "expected box Q0 Q1 K0 K1"},
        {"look 3 4 5", "expected look QUERY KEY"},
        {"look 400 0", "query 400 is not there: they go from 0 to 399"},
        {"look 0 9223372036854775807", "key 2147483647 is not there: they go from 0 to 399"},
        {"box 0 401 0 9", "query 400 is not there: they go from 0 to 399"},
    };
    int64_t row = v->row_px;
    for (size_t i = 0; i < AS_COUNT(refused); i++) {
        views_case_do(&c, refused[i].line);
        assert_string_equal(c.session->note, refused[i].says);
        assert_true(v->row_px == row);
    }
    views_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix__blocks_are_exact),
        cmocka_unit_test(test_matrix__never_waits),
        cmocka_unit_test(test_matrix__far_out_is_labelled),
        cmocka_unit_test(test_matrix__says_what_it_shows),
        cmocka_unit_test(test_matrix__box),
        cmocka_unit_test(test_matrix__low_window),
        cmocka_unit_test(test_matrix__drags_past_the_overview),
        cmocka_unit_test(test_matrix__outlines_of_long_texts),
        cmocka_unit_test(test_matrix__outlines_of_short_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
