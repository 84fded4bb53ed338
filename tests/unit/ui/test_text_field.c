/* Editing a line of text by keys, mouse and clipboard. */
#include "base/str.h"
#include "ui_case.h"

#include <stdio.h>

typedef struct Board {
    char text[256];
} Board;

static const char *board_get(void *payload)
{
    return ((Board *)payload)->text;
}

static void board_set(void *payload, const char *text)
{
    snprintf(((Board *)payload)->text, sizeof((Board *)payload)->text, "%s", text);
}

static TextFieldResult pass(UiCase *c)
{
    ui_case_begin(c);
    TextFieldResult r =
        ui_text_field(&c->ui, 7, rect(50, 50, 300, 32), &(TextField){.text = "the old text"});
    ui_case_end(c);
    return r;
}

static const char *submitted(UiCase *c)
{
    feed_key(c, KEY_ENTER, 0);
    assert_int_equal(pass(c), TEXT_FIELD_SUBMIT);
    assert_int_equal(pass(c), TEXT_FIELD_IDLE);
    return text_field_text(&c->ui);
}

static void start(UiCase *c)
{
    ui_case_begin(c);
    text_field_begin(&c->ui, 7, "the old text");
    ui_text_field(&c->ui, 7, rect(50, 50, 300, 32), &(TextField){.text = "the old text"});
    ui_case_end(c);
}

static void test_ui_text_field__keys(void **state)
{
    (void)state;
    static const struct {
        uint32_t keys[8]; /* plain characters are typed; mods in the high byte */
        const char *want;
    } rows[] = {
        {{0}, "the old text"},
        {{'n', 'e', 'w'}, "new"}, /* everything was selected */
        {{KEY_END, '!'}, "the old text!"},
        {{KEY_HOME, KEY_DELETE, 'T'}, "The old text"},
        {{KEY_END, KEY_BACKSPACE, KEY_BACKSPACE, 'x'}, "the old tex"},
        {{KEY_END, KEY_LEFT, KEY_LEFT, '-'}, "the old te-xt"},
        {{KEY_HOME, KEY_RIGHT | 1u << 28, KEY_DELETE, 'O'}, "the Old text"},
        {{KEY_END, KEY_BACKSPACE | 1u << 28}, "the old "},
        /* undo: the letter, then the selection it replaced; redo */
        {{'x', 'z' | 1u << 28, 'z' | 1u << 28}, "the old text"},
        {{'x', 'z' | 1u << 28, 'y' | 1u << 28}, "x"},
        {{'a' | 1u << 28, KEY_BACKSPACE}, ""},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        UiCase c;
        ui_case_open(&c);
        start(&c);
        for (size_t k = 0; k < 8 && rows[i].keys[k]; k++) {
            uint32_t key = rows[i].keys[k] & ~(1u << 28);
            bool ctrl = rows[i].keys[k] >> 28;
            if (ctrl || key >= KEY_NAMED_FIRST) {
                feed_key(&c, key, ctrl ? KEY_MOD_CTRL : 0);
            } else {
                feed_text(&c, (char[]){(char)key, 0});
            }
            pass(&c);
        }
        const char *is = submitted(&c);
        if (strcmp(is, rows[i].want) != 0) {
            print_error("row %zu: \"%s\", expected \"%s\"\n", i, is, rows[i].want);
            fail();
        }
        ui_case_close(&c);
    }
}

/* The cursor goes where the arrow points, over whole letters, in text of either direction. */
static void test_ui_text_field__directions_and_marks(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        uint32_t keys[8];
        const char *want;
    } rows[] = {
        /* e with two marks is one step, and Delete takes all of it; Backspace the last mark. */
        {"ae\xCC\x81\xCC\xA3z", {KEY_LEFT, KEY_LEFT, '-'}, "a-e\xCC\x81\xCC\xA3z"},
        {"ae\xCC\x81\xCC\xA3z", {KEY_HOME, KEY_RIGHT, KEY_DELETE}, "az"},
        {"ae\xCC\x81", {KEY_BACKSPACE}, "ae"},
        /* alef bet: the end is at the left, so Right goes back in the text. */
        {"\xD7\x90\xD7\x91", {KEY_RIGHT, '-'}, "\xD7\x90-\xD7\x91"},
        {"\xD7\x90\xD7\x91", {KEY_HOME, KEY_LEFT, KEY_LEFT, '-'}, "\xD7\x90\xD7\x91-"},
        /* From Latin into Hebrew: the next place to the right is the end of the text. */
        {"ab\xD7\x90\xD7\x91", {KEY_HOME, KEY_RIGHT, KEY_RIGHT, '-'}, "ab\xD7\x90\xD7\x91-"},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        UiCase c;
        ui_case_open(&c);
        start(&c);
        const char *at = rows[i].typed;
        size_t left = strlen(at);
        while (left) {
            uint32_t code_point;
            size_t used = utf8_decode(at, left, &code_point);
            feed(&c, (UiEvent){.kind = UI_EVENT_TEXT, .key = code_point});
            at += used;
            left -= used;
        }
        pass(&c);
        for (size_t k = 0; k < 8 && rows[i].keys[k]; k++) {
            if (rows[i].keys[k] >= KEY_NAMED_FIRST) {
                feed_key(&c, rows[i].keys[k], 0);
            } else {
                feed_text(&c, (char[]){(char)rows[i].keys[k], 0});
            }
            pass(&c);
        }
        const char *is = submitted(&c);
        if (strcmp(is, rows[i].want) != 0) {
            print_error("row %zu: \"%s\", expected \"%s\"\n", i, is, rows[i].want);
            fail();
        }
        ui_case_close(&c);
    }
}

static void test_ui_text_field__clipboard(void **state)
{
    (void)state;
    UiCase c;
    Board board = {"pasted\r\nline \xC3\xA4"};
    ui_case_open(&c);
    c.ui.clipboard = (UiClipboard){board_get, board_set, &board};
    start(&c);
    feed_key(&c, KEY_END, 0);
    feed_key(&c, 'v', KEY_MOD_CTRL);
    pass(&c);
    feed_key(&c, 'a', KEY_MOD_CTRL);
    feed_key(&c, 'x', KEY_MOD_CTRL);
    pass(&c);
    assert_string_equal(board.text, "the old textpasted\nline \xC3\xA4");
    assert_string_equal(submitted(&c), "");
    ui_case_close(&c);
}

static void test_ui_text_field__cancel_and_keys_kept(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    start(&c);
    feed_text(&c, "4t"); /* would be commands of the window otherwise */
    ui_case_begin(&c);
    ui_text_field(&c.ui, 7, rect(50, 50, 300, 32), &(TextField){.text = "the old text"});
    assert_int_equal(c.ui.n_keys, 0);
    ui_case_end(&c);
    feed_key(&c, KEY_ESC, 0);
    assert_int_equal(pass(&c), TEXT_FIELD_CANCEL);
    assert_false(text_field_is_edited(&c.ui, 7));
    ui_case_close(&c);
}

static void test_ui_text_field__mouse(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    feed(&c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {80, 66}});
    pass(&c);
    feed(&c, (UiEvent){.kind = UI_EVENT_UP, .at = {80, 66}});
    pass(&c);
    assert_true(text_field_is_edited(&c.ui, 7));
    c.now_s += 2;
    /* A click far to the right puts the cursor to the end. */
    feed(&c, (UiEvent){.kind = UI_EVENT_DOWN, .at = {340, 66}});
    pass(&c);
    feed(&c, (UiEvent){.kind = UI_EVENT_UP, .at = {340, 66}});
    pass(&c);
    feed_text(&c, "!");
    pass(&c);
    assert_string_equal(submitted(&c), "the old text!");
    ui_case_close(&c);
}

/* A long text is shown in part; the cursor's place is always there. */
static void test_ui_text_field__long(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    char text[3001];
    for (size_t i = 0; i < 3000; i++) {
        text[i] = i % 6 == 5 ? ' ' : (char)('a' + i % 23);
    }
    text[3000] = 0;
    ui_case_begin(&c);
    text_field_begin(&c.ui, 7, text);
    ui_case_end(&c);
    static const uint32_t keys[] = {KEY_END, KEY_LEFT, KEY_HOME, KEY_RIGHT, KEY_END};
    for (size_t i = 0; i < AS_COUNT(keys); i++) {
        c.ui.focus = 7;
        feed_key(&c, keys[i], 0);
        pass(&c);
        for (size_t k = 0; k < c.list.cmds.n; k++) {
            const DrawCmd *cmd = &c.list.cmds.items[k];
            if (cmd->kind == DRAW_TEXT) {
                assert_true(cmd->bounds.x >= 49 && cmd->bounds.x + cmd->bounds.w <= 351);
            }
        }
    }
    ui_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ui_text_field__keys),
        cmocka_unit_test(test_ui_text_field__directions_and_marks),
        cmocka_unit_test(test_ui_text_field__clipboard),
        cmocka_unit_test(test_ui_text_field__cancel_and_keys_kept),
        cmocka_unit_test(test_ui_text_field__mouse),
        cmocka_unit_test(test_ui_text_field__long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
