/* Every widget that acts is reached by Tab, shows a ring while it has the focus, and is used by
 * keys. */
#include "ui_case.h"

#include "ui/controls.h"

#include <math.h>

/* What the widget under test holds between passes. */
typedef struct Held {
    int chosen;
    float value;
    bool on, clicked, submitted;
    UiScroll scroll;
} Held;

typedef void DrawWidget(Ui *ui, UiId id, Rect box, Held *held);

static void button(Ui *ui, UiId id, Rect box, Held *h)
{
    h->clicked |= ui_button(ui, id, box, "Run", UI_BUTTON_ACCENT);
}

static void icon_button(Ui *ui, UiId id, Rect box, Held *h)
{
    h->clicked |= ui_icon_button(ui, id, rect(box.x, box.y, 32, 32), ICON_CLOSE, "close");
}

static void play_button(Ui *ui, UiId id, Rect box, Held *h)
{
    h->clicked |= ui_play_button(ui, id, vec2(box.x + 18, box.y + 18), false, "play");
}

static void rail_item(Ui *ui, UiId id, Rect box, Held *h)
{
    h->clicked |=
        ui_rail_item(ui, id, rect(box.x, box.y, 76, 62), ICON_MATRIX, "Matrix", "4", false);
}

static void chip(Ui *ui, UiId id, Rect box, Held *h)
{
    h->clicked |=
        ui_chip_button(ui, id, box, &(UiChip){.text = "induction", .color = color_hex(0xFF8E86)});
}

static void fold(Ui *ui, UiId id, Rect box, Held *h)
{
    h->clicked |= ui_fold_header(ui, id, box, "In words", "student", true);
}

static void toggle(Ui *ui, UiId id, Rect box, Held *h)
{
    h->on = ui_toggle(ui, id, box, "hide the first", h->on);
}

static void segmented(Ui *ui, UiId id, Rect box, Held *h)
{
    static const char *const items[] = {"Linear", "√", "Log"};
    h->chosen = ui_segmented(ui, id, box, items, 3, h->chosen);
}

static void tabs(Ui *ui, UiId id, Rect box, Held *h)
{
    static const char *const items[] = {"Explain", "Try it"};
    h->chosen = ui_tabs(ui, id, box, items, 2, h->chosen);
}

static void stepper(Ui *ui, UiId id, Rect box, Held *h)
{
    h->chosen += ui_stepper(ui, id, box, "Layer", h->chosen, 29, (Color){0}, "before", "next");
}

static void slider(Ui *ui, UiId id, Rect box, Held *h)
{
    h->value = ui_slider(ui, id, box, &(UiSlider){.value = h->value, .mark = -1}).value;
}

static void dropdown(Ui *ui, UiId id, Rect box, Held *h)
{
    static const char *const items[] = {"tiny", "minilm", "smollm2"};
    h->chosen = ui_dropdown(ui, id, box, "Model", items[h->chosen], items, 3, h->chosen);
}

static void split(Ui *ui, UiId id, Rect box, Held *h)
{
    h->value = ui_split(ui, id, rect(box.x, box.y, 400, 100),
                        &(UiSplit){.fraction = h->value > 0 ? h->value : 0.5f})
                   .fraction;
}

static void scroll(Ui *ui, UiId id, Rect box, Held *h)
{
    (void)ui_scroll_begin(ui, id, rect(box.x, box.y, 200, 100), 1000, &h->scroll);
    ui_scroll_end(ui, &h->scroll);
    h->value = h->scroll.goal;
}

static void field(Ui *ui, UiId id, Rect box, Held *h)
{
    h->submitted |= ui_text_field(ui, id, box, &(TextField){.text = "words"}) == TEXT_FIELD_SUBMIT;
}

static void area(Ui *ui, UiId id, Rect box, Held *h)
{
    h->submitted |= ui_text_area(ui, id, rect(box.x, box.y, 200, 80),
                                 &(TextArea){.text = "words"}) == TEXT_FIELD_SUBMIT;
}

static void dialog(Ui *ui, UiId id, Rect box, Held *h)
{
    (void)box;
    bool closed;
    (void)ui_dialog(ui, id, rect(0, 0, 800, 600), 300, 200, "Open", &closed);
    h->clicked |= closed;
}

#define CTRL (1u << 28)

typedef struct FocusRow {
    const char *what;
    DrawWidget *draw;
    uint32_t keys[3]; /* after Tab */
    Held want;        /* value: whether it has changed */
} FocusRow;

static const FocusRow rows[] = {
    {"button", button, {KEY_ENTER}, {.clicked = true}},
    {"button, Space", button, {' '}, {.clicked = true}},
    {"icon button", icon_button, {KEY_ENTER}, {.clicked = true}},
    {"play button", play_button, {KEY_ENTER}, {.clicked = true}},
    {"rail", rail_item, {KEY_ENTER}, {.clicked = true}},
    {"chip", chip, {KEY_ENTER}, {.clicked = true}},
    {"fold", fold, {KEY_ENTER}, {.clicked = true}},
    {"toggle", toggle, {' '}, {.on = true}},
    {"segments", segmented, {KEY_RIGHT, KEY_RIGHT}, {.chosen = 2}},
    {"tabs", tabs, {KEY_RIGHT}, {.chosen = 1}},
    {"stepper", stepper, {KEY_TAB, KEY_ENTER}, {.chosen = 1}},
    {"slider", slider, {KEY_RIGHT}, {.value = 1}},
    {"drop-down", dropdown, {KEY_ENTER, KEY_DOWN, KEY_ENTER}, {.chosen = 1}},
    {"drop-down, typed", dropdown, {KEY_ENTER, 's', KEY_ENTER}, {.chosen = 2}},
    {"split", split, {KEY_RIGHT}, {.value = 1}},
    {"scroll", scroll, {KEY_PAGE_DOWN}, {.value = 1}},
    {"text field", field, {KEY_ENTER, 'x', KEY_ENTER}, {.submitted = true}},
    {"text area", area, {KEY_ENTER, 'x', KEY_ENTER | CTRL}, {.submitted = true}},
    {"dialog", dialog, {KEY_ENTER}, {.clicked = true}},
};

static void pass(UiCase *c, const FocusRow *row, Held *held)
{
    ui_case_begin(c);
    row->draw(&c->ui, 100, rect(40, 40, 260, 32), held);
    ui_case_end(c);
}

/* The ring: a border of 2 px in the accent colour, nothing in it. */
static bool has_ring(const UiCase *c)
{
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        const DrawCmd *cmd = &c->list.cmds.items[i];
        if (cmd->kind == DRAW_RECT && cmd->u.rect.border == 2 && cmd->u.rect.fill.a == 0 &&
            color_equal(cmd->u.rect.border_color, c->ui.theme.accent)) {
            return true;
        }
    }
    return false;
}

static void press(UiCase *c, uint32_t key)
{
    uint32_t plain = key & ~CTRL;
    if (plain < KEY_NAMED_FIRST) {
        feed(c, (UiEvent){.kind = UI_EVENT_TEXT, .key = plain});
    } else {
        feed_key(c, plain, key & CTRL ? KEY_MOD_CTRL : 0);
    }
}

static void test_ui_focus__every_widget(void **state)
{
    (void)state;
    int bad = 0;
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        const FocusRow *row = &rows[i];
        UiCase c;
        Held held = {0};
        ui_case_open(&c);
        pass(&c, row, &held);
        bool ring = has_ring(&c);
        press(&c, KEY_TAB);
        pass(&c, row, &held);
        pass(&c, row, &held);
        float before = held.value;
        bool ok = !ring && has_ring(&c) && c.ui.focus != 0;
        for (int k = 0; k < 3 && row->keys[k]; k++) {
            press(&c, row->keys[k]);
            pass(&c, row, &held);
            pass(&c, row, &held);
        }
        ok = ok && held.chosen == row->want.chosen && held.on == row->want.on &&
             held.clicked == row->want.clicked && held.submitted == row->want.submitted &&
             (fabsf(held.value - before) > 1e-4f) == (row->want.value > 0);
        if (!ok) {
            print_error("%s: ring %d, chosen %d, on %d, clicked %d, submitted %d, value %g\n",
                        row->what, has_ring(&c), held.chosen, held.on, held.clicked, held.submitted,
                        (double)held.value);
            bad++;
        }
        ui_case_close(&c);
    }
    assert_int_equal(bad, 0);
}

/* A click shows no ring; keys are the view's again after a click on nothing. */
static void test_ui_focus__no_ring_by_mouse(void **state)
{
    (void)state;
    UiCase c;
    Held held = {0};
    ui_case_open(&c);
    feed(&c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {60, 56}});
    pass(&c, &rows[0], &held);
    feed(&c, (UiEvent){.kind = UI_EVENT_UP, .at = {60, 56}});
    pass(&c, &rows[0], &held);
    assert_true(held.clicked);
    assert_true(c.ui.focus == 100);
    assert_false(has_ring(&c));
    feed(&c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {600, 500}});
    pass(&c, &rows[0], &held);
    assert_true(c.ui.focus == 0);
    ui_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ui_focus__every_widget),
        cmocka_unit_test(test_ui_focus__no_ring_by_mouse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
