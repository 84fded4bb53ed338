/* Bars and cards around the view: what is chosen is done, what is said is so. */
#include "views_case.h"

#include "views/internal.h"

#include <math.h>
#include <stdio.h>

static void pass(ViewsCase *c)
{
    views_case_pass(c, 1920, 1080, 1);
    session_settle(c->session);
}

static void feed_event(ViewsCase *c, UiEvent event)
{
    assert_true(ui_feed(&c->ui, &event));
    pass(c);
}

static void press_key(ViewsCase *c, uint32_t key)
{
    feed_event(c, (UiEvent){.kind = UI_EVENT_KEY, .key = key});
}

static void click(ViewsCase *c, float x, float y)
{
    feed_event(c, (UiEvent){.kind = UI_EVENT_MOVE, .at = {x, y}});
    feed_event(c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {x, y}});
    feed_event(c, (UiEvent){.kind = UI_EVENT_UP, .at = {x, y}});
}

/* ---- the menu of models ---- */

static void open_menu(ViewsCase *c)
{
    const DrawCmd *caption = find_text(c, "Model");
    assert_non_null(caption);
    click(c, caption->u.text.at.x + 4, caption->u.text.at.y - 4);
    pass(c);
}

static void test_model_menu__click_opens(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=1,H=2,d=32", "a b c d");
    pass(&c);
    open_menu(&c);
    const DrawCmd *item = find_text(&c, "tiny");
    assert_non_null(item);
    click(&c, item->u.text.at.x + 4, item->u.text.at.y - 4);
    pass(&c);
    pass(&c);
    assert_string_equal(trace_info(c.session->trace)->model_name, "tiny");
    views_case_close(&c);
}

static void test_model_menu__keys_open(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "tiny", "a b c d");
    c.views->desc.model_cache = "models";
    pass(&c);
    open_menu(&c);
    press_key(&c, KEY_DOWN);
    press_key(&c, KEY_ENTER);
    pass(&c);
    assert_string_equal(trace_info(c.session->trace)->model_name, "translate");
    views_case_close(&c);
}

/* The keys start at the model in use. */
static void test_model_menu__keys_start_at_current(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "models/tiny", "a b c d");
    c.views->desc.model_cache = "models";
    pass(&c);
    open_menu(&c);
    press_key(&c, KEY_ENTER);
    pass(&c);
    assert_string_equal(trace_info(c.session->trace)->model_name, "models/tiny");
    open_menu(&c);
    press_key(&c, KEY_UP);
    press_key(&c, KEY_ENTER);
    pass(&c);
    assert_string_equal(trace_info(c.session->trace)->model_name, "translate");
    views_case_close(&c);
}

/* Each once, by its short name, however its folder was written. */
static void test_model_menu__names(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "./models/../models/tiny", "a b c d");
    c.views->desc.model_cache = "models";
    pass(&c);
    open_menu(&c);
    assert_int_equal(count_texts(&c, "tiny · embedded"), 1);
    assert_int_equal(count_texts(&c, "tiny · models"), 1);
    assert_int_equal(count_texts(&c, "tiny"), 1); /* the field itself */
    assert_false(says(&c, "models/"));
    views_case_close(&c);
}

/* What was opened before and is found nowhere by itself is offered too. */
static void test_model_menu__recent(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=1,H=2,d=32", "a b c d");
    recent_add(&c.session->recent, "model /no/such/place/model.gguf");
    recent_add(&c.session->recent, "model random:L=2,H=4,d=32");
    pass(&c);
    open_menu(&c);
    assert_null(find_text(&c, "model.gguf · recent"));
    const DrawCmd *item = find_text(&c, "random:L=2,H=4,d=32 · recent");
    assert_non_null(item);
    click(&c, item->u.text.at.x + 4, item->u.text.at.y - 4);
    pass(&c);
    pass(&c);
    assert_int_equal(trace_info(c.session->trace)->n_layers, 2);
    views_case_close(&c);
}

static void test_text_field__texts_shown_before(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=1,H=2,d=32", "first words here");
    views_case_do(&c, "text now the second text");
    pass(&c);
    const DrawCmd *note = find_text(&c, "4 tokens");
    assert_non_null(note);
    click(&c, note->bounds.x + note->bounds.w + 24, note->u.text.at.y - 4);
    pass(&c);
    press_key(&c, KEY_DOWN); /* the second in the list: the one before */
    press_key(&c, KEY_ENTER);
    pass(&c);
    size_t n;
    assert_string_equal(session_source(c.session, &n), "first words here");
    views_case_close(&c);
}

/* ---- the list of stories ---- */

static void test_stories__keys(void **state)
{
    (void)state;
    static const struct {
        uint32_t keys[3]; /* digits are typed, the others pressed */
        const char *story;
    } rows[] = {{{'3'}, "3-content"},
                {{KEY_ENTER}, "1-self-attention"},
                {{KEY_DOWN, KEY_ENTER}, "2-positions"},
                {{KEY_DOWN, KEY_UP, KEY_ENTER}, "1-self-attention"}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        ViewsCase c;
        views_case_open(&c, "tiny", "a b c d");
        views_case_do(&c, "stories");
        pass(&c);
        pass(&c);
        for (int k = 0; k < 3 && rows[i].keys[k]; k++) {
            bool digit = rows[i].keys[k] < KEY_NAMED_FIRST;
            feed_event(&c, (UiEvent){.kind = digit ? UI_EVENT_TEXT : UI_EVENT_KEY,
                                     .key = rows[i].keys[k]});
        }
        pass(&c);
        assert_non_null(session_story(c.session));
        assert_string_equal(session_story(c.session)->name, rows[i].story);
        assert_int_equal(c.session->panel, PANEL_NONE);
        views_case_close(&c);
    }
}

/* ---- the transport ---- */

static void test_transport__endless(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=3,H=2,d=32", "a b c d");
    views_case_do(&c, "view flow");
    views_case_do(&c, "flow layers");
    views_case_do(&c, "layer 1");
    pass(&c);
    pass(&c);
    assert_non_null(find_text(&c, "1 / 2"));
    assert_null(find_text(&c, "1 / 1"));
    assert_null(find_text(&c, "Step"));
    views_case_close(&c);
}

static void test_transport__keys(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=5,H=2,d=32", "a b c d");
    views_case_do(&c, "view matrix");
    views_case_do(&c, "layer 1");
    pass(&c);
    for (int i = 0; i < 100 && c.ui.focus != UI_ID("scrubber"); i++) {
        press_key(&c, KEY_TAB);
    }
    assert_true(c.ui.focus == UI_ID("scrubber"));
    static const struct {
        uint32_t key;
        int32_t layer;
    } rows[] = {{KEY_RIGHT, 2}, {KEY_LEFT, 1}, {KEY_END, 4}, {KEY_RIGHT, 4}, {KEY_HOME, 0}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        press_key(&c, rows[i].key);
        assert_int_equal(c.session->selection.layer, rows[i].layer);
    }
    views_case_close(&c);
}

/* ---- runs on their way, and cancelled ones ---- */

static void test_text_field__new_text_at_once(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=2,H=2,d=32", "a b c d");
    pass(&c);
    assert_non_null(find_text(&c, "a b c d"));
    session_post(c.session, "text e f g");
    /* The queue runs after what jobs have ended: nothing of the new run is published yet. */
    session_update(c.session, 0);
    views_case_pass(&c, 1920, 1080, 1);
    assert_non_null(find_text(&c, "e f g"));
    assert_null(find_text(&c, "a b c d"));
    assert_non_null(find_text(&c, "on its way"));
    session_settle(c.session);
    pass(&c);
    assert_non_null(find_text(&c, "e f g"));
    assert_non_null(find_text(&c, "3 tokens"));
    views_case_close(&c);
}

enum { MANY_LAYERS = 96 };

static void test_cancelled__says_what_is_there(void **state)
{
    (void)state;
    ViewsCase c;
    Arena arena = {0};
    views_case_open(&c, "random:L=96,H=4,d=64", "a");
    views_case_do(&c, "layer 0");
    session_post(c.session, "text %s", words_of(&arena, 200));
    do {
        session_update(c.session, 0);
    } while (c.session->run &&
             (trace_info(c.session->trace)->n_queries != 200 || c.session->layers_done < 1));
    session_post(c.session, "cancel");
    session_update(c.session, 0);
    session_settle(c.session);
    int32_t done = c.session->layers_done;
    assert_in_range(done, 1, MANY_LAYERS - 1);
    views_case_do(&c, "layer 95");
    pass(&c);
    char there[64];
    snprintf(there, sizeof there, "cancelled; %d of 96 layers are there", done);
    assert_non_null(find_text(&c, there));
    assert_false(says(&c, "on its way"));
    snprintf(there, sizeof there, "× %d of 96 layers × 4 heads", done);
    assert_true(says(&c, there));
    const DrawCmd *again = find_text(&c, "Compute again");
    assert_non_null(again);
    click(&c, again->u.text.at.x + 4, again->u.text.at.y - 4);
    pass(&c);
    assert_int_equal(c.session->layers_done, MANY_LAYERS);
    assert_int_equal(trace_info(c.session->trace)->n_queries, 200);
    assert_true(says(&c, "× 96 layers × 4 heads"));
    views_case_close(&c);
    arena_destroy(&arena);
}

/* ---- small things ---- */

/* Tab goes from the top bar into the view, then to the transport and to the rail. */
static void test_focus__order(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=2,H=2,d=32", "a b c d");
    views_case_do(&c, "view matrix");
    pass(&c);
    const UiId parts[] = {UI_ID("model"), UI_ID("text"), UI_ID("temperature"), UI_ID("map-scale"),
                          UI_ID("scrubber")};
    size_t at = 0;
    for (int i = 0; i < 80 && at < AS_COUNT(parts); i++) {
        press_key(&c, KEY_TAB);
        at += c.ui.focus == parts[at];
    }
    if (at < AS_COUNT(parts)) {
        print_error("part %zu is not reached in its turn\n", at);
    }
    assert_int_equal(at, AS_COUNT(parts));
    views_case_close(&c);
}

static void double_click(ViewsCase *c, float x, float y)
{
    feed_event(c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {x, y}, .time_s = 20});
    feed_event(c, (UiEvent){.kind = UI_EVENT_UP, .at = {x, y}, .time_s = 20.05});
    feed_event(c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {x, y}, .time_s = 20.1});
    feed_event(c, (UiEvent){.kind = UI_EVENT_UP, .at = {x, y}, .time_s = 20.15});
}

static void test_temperature__double_click(void **state)
{
    (void)state;
    static const float beside[] = {4, 110}; /* the word, the track */
    for (size_t i = 0; i < AS_COUNT(beside); i++) {
        ViewsCase c;
        views_case_open(&c, "random:L=1,H=2,d=32", "a b c d");
        views_case_do(&c, "temperature 2.5");
        pass(&c);
        const DrawCmd *word = find_text(&c, "Temperature");
        assert_non_null(word);
        double_click(&c, word->u.text.at.x + beside[i], word->u.text.at.y - 4);
        assert_true(fabsf(c.session->request.params.temperature - 1) < 1e-6f);
        views_case_close(&c);
    }
}

static void test_scale_bar__two_tokens(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=1,H=2,d=32", "a b");
    views_case_do(&c, "view matrix");
    views_case_frame(&c, 1920, 1080, 1);
    assert_null(find_text(&c, "1…"));
    assert_non_null(find_text(&c, "1 weight = 160 × 160 px"));
    views_case_close(&c);
}

/* ---- tiles on a device ---- */

static TileStep never_done(void *payload, const TileTask *task)
{
    (void)payload;
    (void)task;
    return TILE_MORE;
}

static double half_done(void *payload)
{
    (void)payload;
    return 0.5;
}

/* A tile on its way is told, and what a command says beside it; with its view it goes. */
static void test_status__device(void **state)
{
    (void)state;
    static const TileDevice device = {
        .compute = never_done, .fraction = half_done, .name = "made up"};
    ViewsCase c;
    views_case_open(&c, "random:L=1,H=2,d=32", "a b c d");
    c.session->tiles.device = &device;
    views_case_do(&c, "view matrix");
    pass(&c);
    assert_true(says(&c, "sharpening: exact weights of what is in view 50 %"));
    assert_false(says(&c, "idle"));
    views_case_do(&c, "layer nonsense");
    assert_true(c.session->note[0]);
    pass(&c);
    assert_true(says(&c, "sharpening"));
    assert_non_null(find_text(&c, c.session->note));
    views_case_do(&c, "view overview");
    pass(&c);
    assert_false(says(&c, "sharpening"));
    assert_false(c.session->tiles.device_pending);
    pass(&c);
    assert_null(c.session->tiles.device_tile.values);
    views_case_close(&c);
}

/* ---- sentences ---- */

/* Repeated tokens are told as they stand in the text, spaces and pieces of characters too. */
static void test_words__phrases(void **state)
{
    (void)state;
    static const struct {
        const char *text, *phrase;
    } rows[] = {{"b  7 c b  7 c b  7 c b  7 c", "“  7”"},
                {"\u041F\u0440 c \u041F\u0440 c \u041F\u0440", "“\u041F\u0440”"},
                {"\u041F\u0440 c \u041F\u0440 c \u041F\u0440", "“D0”"}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        ViewsCase c;
        views_case_open(&c, "tiny", rows[i].text);
        pass(&c);
        const TraceInfo *info = trace_info(c.session->trace);
        ViewContext context = {&c.ui, c.session, c.views};
        bool found = false;
        for (int32_t at = 0; at < info->n_layers * info->n_heads; at++) {
            for (int32_t key = 1; key < info->n_queries - 1; key++) {
                for (int32_t query = key + 1; query < info->n_queries; query++) {
                    c.session->selection = (Selection){.layer = at / info->n_heads,
                                                       .head = at % info->n_heads,
                                                       .query = query,
                                                       .key = key};
                    const char *words = words_about(&context, session_reading(c.session));
                    assert_null(strstr(words, "\uFFFD"));
                    assert_null(strstr(words, "“space7"));
                    /* A character is two tokens, "3–4": one of them alone is not called by it. */
                    const char *whole = strstr(words, "“\u041F” also stands at ");
                    assert_true(!whole || strstr(whole, "–"));
                    found |= strstr(words, rows[i].phrase) && strstr(words, "also stands");
                }
            }
        }
        assert_true(found);
        views_case_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_menu__click_opens),
        cmocka_unit_test(test_model_menu__keys_open),
        cmocka_unit_test(test_model_menu__keys_start_at_current),
        cmocka_unit_test(test_model_menu__names),
        cmocka_unit_test(test_model_menu__recent),
        cmocka_unit_test(test_text_field__texts_shown_before),
        cmocka_unit_test(test_stories__keys),
        cmocka_unit_test(test_transport__endless),
        cmocka_unit_test(test_transport__keys),
        cmocka_unit_test(test_text_field__new_text_at_once),
        cmocka_unit_test(test_cancelled__says_what_is_there),
        cmocka_unit_test(test_focus__order),
        cmocka_unit_test(test_temperature__double_click),
        cmocka_unit_test(test_scale_bar__two_tokens),
        cmocka_unit_test(test_status__device),
        cmocka_unit_test(test_words__phrases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
