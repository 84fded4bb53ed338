/* What widgets answer to pointer and keys. */
#include "ui_case.h"

#define BOX ((Rect){100, 100, 80, 30})

static void test_ui_feed__two_presses(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    feed(&c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {110, 110}});
    UiEvent up = {.kind = UI_EVENT_UP, .at = {110, 110}};
    assert_false(ui_feed(&c.ui, &up)); /* a press and its release need a pass between them */
    ui_case_begin(&c);
    assert_false(ui_button(&c.ui, 7, BOX, "press", UI_BUTTON_PLAIN));
    ui_case_end(&c);
    assert_true(ui_feed(&c.ui, &up));
    ui_case_begin(&c);
    assert_true(ui_button(&c.ui, 7, BOX, "press", UI_BUTTON_PLAIN));
    ui_case_end(&c);
    ui_case_begin(&c);
    assert_false(ui_button(&c.ui, 7, BOX, "press", UI_BUTTON_PLAIN));
    ui_case_end(&c);
    ui_case_close(&c);
}

static bool press_release(UiCase *c, Vec2 down, Vec2 up)
{
    feed(c, (UiEvent){.kind = UI_EVENT_DOWN, .at = down});
    ui_case_begin(c);
    bool any = ui_button(&c->ui, 7, BOX, "press", UI_BUTTON_PLAIN);
    ui_case_end(c);
    feed(c, (UiEvent){.kind = UI_EVENT_UP, .at = up});
    ui_case_begin(c);
    any |= ui_button(&c->ui, 7, BOX, "press", UI_BUTTON_PLAIN);
    ui_case_end(c);
    return any;
}

static void test_ui_button__click(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    assert_true(press_release(&c, vec2(101, 101), vec2(170, 129)));
    assert_false(press_release(&c, vec2(101, 101), vec2(300, 129))); /* let go outside */
    assert_false(press_release(&c, vec2(99, 101), vec2(120, 110)));  /* pressed outside */
    ui_case_close(&c);
}

static void test_ui_button__keys(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    for (int pass = 0; pass < 4; pass++) {
        if (pass < 2) {
            feed_key(&c, KEY_TAB, 0);
        } else if (pass == 2) {
            feed_key(&c, KEY_ENTER, 0);
        }
        ui_case_begin(&c);
        bool first = ui_button(&c.ui, 7, BOX, "first", UI_BUTTON_PLAIN);
        bool second = ui_button(&c.ui, 8, rect(100, 150, 80, 30), "second", UI_BUTTON_PLAIN);
        ui_case_end(&c);
        assert_false(first);
        assert_int_equal(second, pass == 2);
    }
    assert_int_equal(c.ui.focus, 8);
    assert_true(c.ui.focus_shown);
    ui_case_close(&c);
}

static void test_ui_slider__drag(void **state)
{
    (void)state;
    static const struct {
        float x, want;
    } rows[] = {{108, 0}, {172, 1}, {140, 0.5f}, {20, 0}, {790, 1}, {141, 0.5f}};
    UiCase c;
    ui_case_open(&c);
    feed(&c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {150, 110}});
    float value = 0.9f;
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        ui_case_begin(&c);
        ui_slider(&c.ui, 7, BOX, &(UiSlider){.value = value, .mark = 0.5f, .snap = 0.03f});
        ui_case_end(&c);
        feed(&c, (UiEvent){.kind = UI_EVENT_MOVE, .at = {rows[i].x, 300}});
        ui_case_begin(&c);
        UiSliderResult r =
            ui_slider(&c.ui, 7, BOX, &(UiSlider){.value = value, .mark = 0.5f, .snap = 0.03f});
        ui_case_end(&c);
        assert_true(r.held);
        assert_true(fabsf(r.value - rows[i].want) < 1e-5f);
        value = r.value;
    }
    feed(&c, (UiEvent){.kind = UI_EVENT_UP, .at = {124, 110}});
    ui_case_begin(&c);
    UiSliderResult r = ui_slider(&c.ui, 7, BOX, &(UiSlider){.value = value, .mark = -1});
    ui_case_end(&c);
    assert_true(r.released);
    assert_true(fabsf(r.value - 0.25f) < 1e-5f);
    ui_case_close(&c);
}

static int dropdown_pass(UiCase *c, int current)
{
    static const char *const items[] = {"zero", "one", "two"};
    ui_case_begin(c);
    int chosen = ui_dropdown(&c->ui, 7, BOX, NULL, items[current], items, 3, current);
    bool below = ui_button(&c->ui, 9, rect(100, 130, 80, 100), "below", UI_BUTTON_PLAIN);
    ui_case_end(c);
    assert_false(below); /* the list shields what it covers */
    return chosen;
}

static void test_ui_dropdown__pick(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    feed(&c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {110, 110}});
    dropdown_pass(&c, 0);
    feed(&c, (UiEvent){.kind = UI_EVENT_UP, .at = {110, 110}});
    dropdown_pass(&c, 0);
    dropdown_pass(&c, 0);
    assert_int_equal(c.ui.popup.id, 7);
    Rect list = c.ui.popup.box;
    feed(&c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {list.x + 20, list.y + 6 + 75}});
    dropdown_pass(&c, 0);
    feed(&c, (UiEvent){.kind = UI_EVENT_UP, .at = {list.x + 20, list.y + 6 + 75}});
    assert_int_equal(dropdown_pass(&c, 0), 2);
    assert_int_equal(c.ui.popup.id, 0);
    assert_int_equal(dropdown_pass(&c, 2), 2);
    ui_case_close(&c);
}

static void test_ui_segmented__pick(void **state)
{
    (void)state;
    static const char *const items[] = {"Linear", "√", "Log"};
    UiCase c;
    ui_case_open(&c);
    Rect box = {100, 100, 240, 28};
    int now = 0;
    for (int turn = 0; turn < 2; turn++) {
        feed(&c, (UiEvent){.kind = turn ? UI_EVENT_UP : UI_EVENT_DOWN, .at = {330, 114}});
        ui_case_begin(&c);
        now = ui_segmented(&c.ui, 7, box, items, 3, now);
        ui_case_end(&c);
    }
    assert_int_equal(now, 2);
    ui_case_close(&c);
}

/* Captions are capitals; a token quoted in one is shown as it is. */
static void test_ui_caps__leaves_tokens_alone(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } rows[] = {{"head patterns", "HEAD PATTERNS"},
                {"row of “août”, 12", "ROW OF “août”, 12"},
                {"“a” reads “b” most", "“a” READS “b” MOST"}};
    UiCase c;
    ui_case_open(&c);
    ui_case_begin(&c);
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        ui_caps(&c.ui, rect(10, 30 * (float)i, 400, 20), rows[i].text);
    }
    size_t found = 0;
    for (size_t k = 0; k < c.list.cmds.n; k++) {
        const DrawCmd *cmd = &c.list.cmds.items[k];
        for (size_t i = 0; cmd->kind == DRAW_TEXT && i < AS_COUNT(rows); i++) {
            found += strcmp(cmd->u.text.text, rows[i].shown) == 0;
        }
    }
    assert_int_equal(found, AS_COUNT(rows));
    ui_case_end(&c);
    ui_case_close(&c);
}

static void test_ui_label__elides(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    for (float w = 1; w < 200; w += 7) {
        ui_case_begin(&c);
        ui_label(&c.ui, rect(10, 10, w, 20), &(UiLabel){.face = FONT_SANS, .size = 12},
                 "a text that is longer than its box");
        ui_case_end(&c);
        for (size_t i = 0; i < c.list.cmds.n; i++) {
            const DrawCmd *cmd = &c.list.cmds.items[i];
            assert_true(cmd->bounds.x + cmd->bounds.w <= 10 + w + 1.01f);
        }
    }
    ui_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ui_feed__two_presses),
        cmocka_unit_test(test_ui_button__click),
        cmocka_unit_test(test_ui_button__keys),
        cmocka_unit_test(test_ui_slider__drag),
        cmocka_unit_test(test_ui_dropdown__pick),
        cmocka_unit_test(test_ui_segmented__pick),
        cmocka_unit_test(test_ui_caps__leaves_tokens_alone),
        cmocka_unit_test(test_ui_label__elides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
