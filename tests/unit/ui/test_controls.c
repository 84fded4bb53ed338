/* Toggles, tabs, scroll areas, split panes, dialogs, toasts, and Tab through all of them. */
#include "ui/controls.h"
#include "ui_case.h"

#include <stdio.h>

static const char *const names[] = {"First", "Second", "Third"};

static void click(UiCase *c, bool up, Vec2 at)
{
    feed(c, (UiEvent){.kind = up ? UI_EVENT_UP : UI_EVENT_DOWN, .at = at});
}

static void test_ui_toggle__click_and_keys(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    bool on = false;
    for (int pass = 0; pass < 4; pass++) {
        if (pass < 2) {
            click(&c, pass == 1, vec2(110, 110));
        } else {
            feed_key(&c, pass == 2 ? (uint32_t)KEY_TAB : ' ', 0);
        }
        ui_case_begin(&c);
        on = ui_toggle(&c.ui, 7, rect(100, 100, 200, 24), "Causal mask", on);
        ui_case_end(&c);
        assert_int_equal(on, pass == 1 || pass == 2);
    }
    ui_case_close(&c);
}

static void test_ui_tabs__arrows(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    static const struct {
        uint32_t key;
        int tabs, segments;
    } rows[] = {{KEY_RIGHT, 0, 0}, /* no focus yet */
                {KEY_TAB, 0, 0},   {KEY_RIGHT, 1, 0}, {KEY_RIGHT, 2, 0}, {KEY_RIGHT, 2, 0},
                {KEY_LEFT, 1, 0},  {KEY_TAB, 1, 0},   {KEY_RIGHT, 1, 1}};
    int tab = 0;
    int segment = 0;
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        feed_key(&c, rows[i].key, 0);
        ui_case_begin(&c);
        tab = ui_tabs(&c.ui, 100, rect(10, 10, 300, 32), names, 3, tab);
        segment = ui_segmented(&c.ui, 200, rect(10, 60, 300, 32), names, 3, segment);
        ui_case_end(&c);
        assert_int_equal(tab, rows[i].tabs);
        assert_int_equal(segment, rows[i].segments);
    }
    ui_case_close(&c);
}

static Rect scroll_pass(UiCase *c, UiScroll *scroll, int *clicked)
{
    ui_case_begin(c);
    Rect inner = ui_scroll_begin(&c->ui, 50, rect(10, 10, 200, 100), 400, scroll);
    for (int i = 0; i < 10; i++) {
        if (ui_button(&c->ui, (UiId)(60 + i), rect(inner.x, inner.y + 40 * (float)i, 100, 30),
                      "row", UI_BUTTON_PLAIN)) {
            *clicked = i;
        }
    }
    ui_scroll_end(&c->ui, scroll);
    ui_case_end(c);
    return inner;
}

static void test_ui_scroll__wheel_focus_keys(void **state)
{
    (void)state;
    UiCase c;
    UiScroll scroll = {0};
    int clicked = -1;
    ui_case_open(&c);
    assert_true(scroll_pass(&c, &scroll, &clicked).y == 10);
    feed(&c, (UiEvent){.kind = UI_EVENT_MOVE, .at = {50, 50}});
    feed(&c, (UiEvent){.kind = UI_EVENT_WHEEL, .at = {50, 50}, .wheel = -2});
    scroll_pass(&c, &scroll, &clicked);
    assert_true(scroll_pass(&c, &scroll, &clicked).y == 10 - 120);
    feed(&c, (UiEvent){.kind = UI_EVENT_WHEEL, .at = {50, 50}, .wheel = -200});
    scroll_pass(&c, &scroll, &clicked);
    assert_true(scroll_pass(&c, &scroll, &clicked).y == 10 - 300); /* not past its end */
    /* A row outside the box is not clicked through it. */
    click(&c, false, vec2(50, 130));
    scroll_pass(&c, &scroll, &clicked);
    click(&c, true, vec2(50, 130));
    scroll_pass(&c, &scroll, &clicked);
    assert_int_equal(clicked, -1);
    /* Tab: the area itself, then its rows, the first of which comes back into view. */
    for (int i = 0; i < 2; i++) {
        feed_key(&c, KEY_TAB, 0);
        scroll_pass(&c, &scroll, &clicked);
    }
    scroll_pass(&c, &scroll, &clicked);
    assert_int_equal(c.ui.focus, 60);
    float y = scroll_pass(&c, &scroll, &clicked).y;
    assert_true(y >= 10 && y <= 16);
    feed_key(&c, KEY_TAB, KEY_MOD_SHIFT);
    scroll_pass(&c, &scroll, &clicked);
    feed_key(&c, KEY_END, 0);
    scroll_pass(&c, &scroll, &clicked);
    assert_true(scroll_pass(&c, &scroll, &clicked).y == 10 - 300);
    ui_case_close(&c);
}

static void test_ui_split__drag(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    UiSplit split = {.fraction = 0.5f, .least_px = 100};
    static const struct {
        UiEventKind kind;
        float x, first;
    } rows[] = {{UI_EVENT_DOWN, 400, 396}, {UI_EVENT_MOVE, 300, 296}, {UI_EVENT_MOVE, 20, 100},
                {UI_EVENT_MOVE, 790, 692}, {UI_EVENT_UP, 200, 692},   {UI_EVENT_MOVE, 300, 692}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        feed(&c, (UiEvent){.kind = rows[i].kind, .at = {rows[i].x, 100}});
        ui_case_begin(&c);
        UiSplitResult r = ui_split(&c.ui, 7, rect(0, 0, 800, 300), &split);
        ui_case_end(&c);
        split.fraction = r.fraction;
        assert_true(fabsf(r.first.w - rows[i].first) <= 1);
        assert_true(fabsf(r.first.w + 8 + r.second.w - 800) < 0.01f);
        assert_true(r.second.x == r.first.w + 8);
    }
    ui_case_close(&c);
}

static void test_ui_dialog__keeps_focus_inside(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    bool closed = false;
    for (int pass = 0; pass < 5; pass++) {
        feed_key(&c, KEY_TAB, 0);
        ui_case_begin(&c);
        c.ui.shield = rect(0, 0, 800, 600);
        assert_false(ui_button(&c.ui, 7, rect(10, 10, 80, 30), "below", UI_BUTTON_PLAIN));
        c.ui.shield = (Rect){0};
        Rect in = ui_dialog(&c.ui, 20, rect(0, 0, 800, 600), 400, 200, "Title", &closed);
        ui_button(&c.ui, 8, rect(in.x, in.y, 80, 30), "inside", UI_BUTTON_PLAIN);
        ui_case_end(&c);
        assert_false(closed);
        assert_int_equal(c.ui.focus, pass % 2 ? 8 : 20); /* the cross, then the button */
    }
    feed(&c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {20, 20}});
    ui_case_begin(&c);
    ui_dialog(&c.ui, 20, rect(0, 0, 800, 600), 400, 200, "Title", &closed);
    assert_true(closed);
    ui_case_end(&c);
    ui_case_close(&c);
}

static size_t n_texts(const UiCase *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        n += c->list.cmds.items[i].kind == DRAW_TEXT;
    }
    return n;
}

static void test_ui_toast__comes_and_goes(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    ui_case_begin(&c);
    ui_toast(&c.ui, UI_TOAST_OK, "saved");
    ui_toast(&c.ui, UI_TOAST_OK, "saved"); /* once is enough */
    ui_toast(&c.ui, UI_TOAST_WARNING, "a second one");
    ui_case_end(&c);
    assert_int_equal(n_texts(&c), 2);
    assert_true(c.ui.wake_s > c.now_s);
    c.now_s += 10;
    ui_case_begin(&c);
    ui_case_end(&c);
    assert_int_equal(n_texts(&c), 0);
    for (int i = 0; i < 2 * UI_TOASTS; i++) { /* more than there is room for: the oldest go */
        char text[32];
        snprintf(text, sizeof text, "toast %d", i);
        ui_case_begin(&c);
        ui_toast(&c.ui, UI_TOAST_INFO, text);
        ui_case_end(&c);
    }
    assert_int_equal(n_texts(&c), UI_TOASTS);
    ui_case_close(&c);
}

static int searched(UiCase *c, const char *const *items, int n, int current)
{
    ui_case_begin(c);
    int chosen =
        ui_dropdown(&c->ui, 7, rect(100, 100, 120, 30), NULL, items[current], items, n, current);
    ui_case_end(c);
    return chosen;
}

static void test_ui_dropdown__search(void **state)
{
    (void)state;
    enum { N = 200 };
    static char texts[N][16];
    static const char *items[N];
    for (int i = 0; i < N; i++) {
        snprintf(texts[i], sizeof texts[i], i == 123 ? "smollm2" : "model-%d", i);
        items[i] = texts[i];
    }
    UiCase c;
    ui_case_open(&c);
    feed_key(&c, KEY_TAB, 0);
    searched(&c, items, N, 0);
    feed_key(&c, KEY_ENTER, 0);
    searched(&c, items, N, 0);
    assert_int_equal(c.ui.popup.id, 7);
    searched(&c, items, N, 0);
    Rect box = c.ui.popup.box;
    assert_true(box.y >= 8 && box.y + box.h <= 592); /* a long list scrolls */
    feed_text(&c, "smol");
    searched(&c, items, N, 0);
    assert_int_equal(c.ui.popup.n_shown, 1);
    feed_key(&c, KEY_ENTER, 0);
    searched(&c, items, N, 0);
    assert_int_equal(searched(&c, items, N, 0), 123);
    assert_int_equal(c.ui.popup.id, 0);
    ui_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ui_toggle__click_and_keys),
        cmocka_unit_test(test_ui_tabs__arrows),
        cmocka_unit_test(test_ui_scroll__wheel_focus_keys),
        cmocka_unit_test(test_ui_split__drag),
        cmocka_unit_test(test_ui_dialog__keeps_focus_inside),
        cmocka_unit_test(test_ui_toast__comes_and_goes),
        cmocka_unit_test(test_ui_dropdown__search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
