/* Editing a text of many lines. */
#include "ui_case.h"

static const char *const old_text = "first line\nsecond\n\nlast one";

static TextFieldResult pass(UiCase *c)
{
    ui_case_begin(c);
    TextFieldResult r =
        ui_text_area(&c->ui, 7, rect(50, 50, 300, 100), &(TextArea){.text = old_text});
    ui_case_end(c);
    return r;
}

static void test_ui_text_area__keys(void **state)
{
    (void)state;
    static const uint32_t ctrl = 1u << 28;
    static const uint32_t shift = 1u << 29;
    static const struct {
        uint32_t keys[10];
        const char *want;
    } rows[] = {
        {{0}, "first line\nsecond\n\nlast one"},
        {{KEY_END | 1u << 28, KEY_ENTER, 'x'}, "first line\nsecond\n\nlast one\nx"},
        {{KEY_HOME | 1u << 28, KEY_DOWN, '>'}, "first line\n>second\n\nlast one"},
        {{KEY_HOME | 1u << 28, KEY_END, '!'}, "first line!\nsecond\n\nlast one"},
        /* a long line's place is remembered over shorter ones */
        {{KEY_HOME | 1u << 28, KEY_END, KEY_DOWN, KEY_DOWN, KEY_UP, KEY_UP, '!'},
         "first line!\nsecond\n\nlast one"},
        {{KEY_END | 1u << 28, KEY_HOME, KEY_UP, '-'}, "first line\nsecond\n-\nlast one"},
        {{KEY_HOME | 1u << 28, KEY_DOWN | 1u << 29, KEY_DELETE}, "second\n\nlast one"},
        {{KEY_PAGE_DOWN, '.'}, "first line\nsecond\n\nlast one."},
        {{'a' | 1u << 28, 'n', KEY_ENTER, 'm', 'z' | 1u << 28}, "n\n"},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        UiCase c;
        ui_case_open(&c);
        ui_case_begin(&c);
        text_field_begin(&c.ui, 7, old_text);
        ui_case_end(&c);
        c.ui.focus = 7;
        pass(&c);
        for (size_t k = 0; k < 10 && rows[i].keys[k]; k++) {
            uint32_t key = rows[i].keys[k] & ~(ctrl | shift);
            uint32_t mods = (rows[i].keys[k] & ctrl ? (uint32_t)KEY_MOD_CTRL : 0) |
                            (rows[i].keys[k] & shift ? (uint32_t)KEY_MOD_SHIFT : 0);
            if (mods || key >= KEY_NAMED_FIRST) {
                feed_key(&c, key, mods);
            } else {
                feed_text(&c, (char[]){(char)key, 0});
            }
            assert_int_equal(pass(&c), TEXT_FIELD_EDITING);
        }
        feed_key(&c, KEY_ENTER, KEY_MOD_CTRL);
        assert_int_equal(pass(&c), TEXT_FIELD_SUBMIT);
        if (strcmp(text_field_text(&c.ui), rows[i].want) != 0) {
            print_error("row %zu: \"%s\", expected \"%s\"\n", i, text_field_text(&c.ui),
                        rows[i].want);
            fail();
        }
        ui_case_close(&c);
    }
}

static void test_ui_text_area__stays_in_its_box(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    char text[6001];
    for (size_t i = 0; i < 6000; i++) {
        text[i] = i % 311 == 310 ? '\n' : i % 7 == 6 ? ' ' : (char)('a' + i % 23);
    }
    text[6000] = 0;
    ui_case_begin(&c);
    text_field_begin(&c.ui, 7, text);
    ui_case_end(&c);
    static const uint32_t keys[] = {KEY_PAGE_DOWN, KEY_UP,   KEY_PAGE_UP,
                                    KEY_END,       KEY_DOWN, KEY_HOME};
    for (size_t i = 0; i < 60; i++) {
        c.ui.focus = 7;
        feed_key(&c, keys[i % AS_COUNT(keys)], 0);
        pass(&c);
        for (size_t k = 0; k < c.list.cmds.n; k++) {
            const DrawCmd *cmd = &c.list.cmds.items[k];
            Rect seen = rect_intersect(cmd->bounds, cmd->clip);
            assert_true(rect_is_empty(seen) || (seen.x >= 46 && seen.x + seen.w <= 354 &&
                                                seen.y >= 46 && seen.y + seen.h <= 154));
        }
    }
    ui_case_close(&c);
}

static void test_ui_text_area__mouse(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    static const UiEventKind kinds[] = {UI_EVENT_DOWN, UI_EVENT_UP};
    for (int turn = 0; turn < 4; turn++) { /* the first click starts, the second one places */
        c.now_s += turn == 2 ? 2 : 0;
        feed(&c, (UiEvent){.kind = kinds[turn % 2], .at = {340, 50 + 8 + 27}});
        pass(&c);
    }
    feed_text(&c, "#"); /* at the end of the second line */
    pass(&c);
    feed_key(&c, KEY_ENTER, KEY_MOD_CTRL);
    assert_int_equal(pass(&c), TEXT_FIELD_SUBMIT);
    assert_string_equal(text_field_text(&c.ui), "first line\nsecond#\n\nlast one");
    ui_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ui_text_area__keys),
        cmocka_unit_test(test_ui_text_area__stays_in_its_box),
        cmocka_unit_test(test_ui_text_area__mouse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
