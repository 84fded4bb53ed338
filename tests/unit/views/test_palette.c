/* The command palette: what is typed finds what is meant, and choosing it does it. */
#include "base/embedded.h"
#include "session/commands.h"
#include "session/journal.h"
#include "views/internal.h"
#include "views_case.h"

#include <stdio.h>

static void pass(ViewsCase *c)
{
    views_case_pass(c, 1280, 720, 1);
    session_settle(c->session);
}

static void type(ViewsCase *c, const char *text)
{
    for (; *text; text++) {
        UiEvent event = {.kind = UI_EVENT_TEXT, .key = (unsigned char)*text};
        assert_true(ui_feed(&c->ui, &event));
        pass(c);
    }
}

static void press(ViewsCase *c, uint32_t key)
{
    UiEvent event = {.kind = UI_EVENT_KEY, .key = key};
    assert_true(ui_feed(&c->ui, &event));
    pass(c);
}

static void test_palette__finds(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *line;
        bool asks;
    } rows[] = {
        {"matrix", "view matrix", false},
        {"MATR", "view matrix", false},
        {"17.3", "go L17 H3", false},
        {"l17 h3", "go L17 H3", false},
        {"L17H3", "go L17 H3", false},
        {"layer 4 head 5", "go L4 H5", false},
        {"t12", "go t12", false},
        {"token w13", "go t21", false},
        {"zoom in", "zoom in", false},
        {"level simple", "level simple", false},
        {"paper", "theme paper", false},
        {"undo", "undo", false},
        {"layer", "layer", true},
        {"layer 7", "layer 7", false},
        {"temperature 0.5", "temperature 0.5", false},
        {"tiny", "model tiny", false},
    };
    Arena arena = {0};
    ViewsCase c;
    views_case_open(&c, "random:L=20,H=6,d=96,seed=5", words_of(&arena, 40));
    views_case_do(&c, "palette");
    pass(&c);
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        views_case_pass(&c, 1280, 720, 1);
        ViewContext context = {&c.ui, c.session, c.views};
        PaletteResults r = palette_find(&context, rows[i].typed);
        if (r.n == 0 || strcmp(r.entries[0].line, rows[i].line) != 0 ||
            r.entries[0].asks != rows[i].asks) {
            print_error("\"%s\" found \"%s\", expected \"%s\"\n", rows[i].typed,
                        r.n ? r.entries[0].line : "nothing", rows[i].line);
            fail();
        }
    }
    ViewContext context = {&c.ui, c.session, c.views};
    assert_int_equal(palette_find(&context, "99.0").n, 0); /* there is no such layer */
    assert_string_equal(palette_find(&context, "99.0").missing,
                        "layer 99 is not there: they go from 0 to 19");
    assert_null(palette_find(&context, "17.3").missing);
    assert_int_equal(palette_find(&context, "qqqqqq").n, 0);
    views_case_close(&c);
    arena_destroy(&arena);
}

static void test_palette__keys(void **state)
{
    (void)state;
    Arena arena = {0};
    ViewsCase c;
    views_case_open(&c, "random:L=20,H=6,d=96,seed=5", words_of(&arena, 40));
    views_case_do(&c, "palette");
    pass(&c);
    type(&c, "17.3");
    press(&c, KEY_ENTER);
    pass(&c);
    assert_int_equal(c.session->panel, PANEL_NONE);
    assert_int_equal(c.session->selection.layer, 17);
    assert_int_equal(c.session->selection.head, 3);
    /* It is a command like any other: in the journal, and undone at once. */
    const Journal *journal = c.session->journal;
    assert_string_equal(journal->lines.items[journal->lines.n - 1], "go L17 H3");
    /* A command that needs more asks for it. */
    views_case_do(&c, "palette");
    pass(&c);
    type(&c, "layer");
    press(&c, KEY_ENTER);
    assert_int_equal(c.session->panel, PANEL_PALETTE);
    type(&c, "5");
    press(&c, KEY_ENTER);
    pass(&c);
    assert_int_equal(c.session->panel, PANEL_NONE);
    assert_int_equal(c.session->selection.layer, 5);
    /* What is not there is said in the status line. */
    views_case_do(&c, "palette");
    pass(&c);
    type(&c, "layer 99");
    press(&c, KEY_ENTER);
    pass(&c);
    assert_int_equal(c.session->selection.layer, 5);
    assert_non_null(find_text(&c, "layer 99 is not there: they go from 0 to 19"));
    views_case_do(&c, "palette theme");
    pass(&c);
    press(&c, KEY_DOWN);
    press(&c, KEY_ESC);
    pass(&c);
    assert_int_equal(c.session->panel, PANEL_NONE);
    assert_int_equal(c.session->options.theme, 0);
    views_case_do(&c, "undo"); /* the layer */
    assert_int_equal(c.session->selection.layer, 17);
    views_case_close(&c);
    arena_destroy(&arena);
}

static void test_palette__mouse(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=4,H=4,d=32,seed=5", "a few words");
    views_case_do(&c, "palette view heads");
    pass(&c);
    views_case_do(&c, "palette heads");
    pass(&c);
    const DrawCmd *row = find_text(&c, "Heads");
    for (size_t i = 0; i < c.list.cmds.n; i++) { /* the last one: the rail has the name too */
        const DrawCmd *cmd = &c.list.cmds.items[i];
        if (cmd->kind == DRAW_TEXT && strstr(cmd->u.text.text, "Every head of every layer")) {
            row = cmd;
        }
    }
    assert_non_null(row);
    Vec2 at = {row->u.text.at.x + 4, row->u.text.at.y - 3};
    UiEvent down = {.kind = UI_EVENT_DOWN, .at = at};
    UiEvent up = {.kind = UI_EVENT_UP, .at = at};
    assert_true(ui_feed(&c.ui, &down));
    pass(&c);
    assert_true(ui_feed(&c.ui, &up));
    pass(&c);
    assert_int_equal(c.session->view, VIEW_HEADS);
    assert_int_equal(c.session->panel, PANEL_NONE);
    /* A press beside it only closes it. */
    views_case_do(&c, "palette");
    pass(&c);
    at = vec2(40, 120); /* the rail */
    down.at = up.at = at;
    assert_true(ui_feed(&c.ui, &down));
    pass(&c);
    assert_true(ui_feed(&c.ui, &up));
    pass(&c);
    assert_int_equal(c.session->panel, PANEL_NONE);
    assert_int_equal(c.session->view, VIEW_HEADS);
    views_case_close(&c);
}

/* The keys that come with the program do something, and those of a view are of one that is there.
 */
static void test_keys__default_ones_run(void **state)
{
    (void)state;
    Arena arena = {0};
    KeyMap map = {0};
    Error err = {0};
    EmbeddedFile file;
    assert_true(embedded_find("assets/input.conf", &file));
    assert_ok(keys_parse(&map, (const char *)file.data, file.n_bytes, file.name, &arena, &err),
              err);
    for (size_t i = 0; i < map.n; i++) {
        const KeyBinding *b = &map.bindings[i];
        ViewId only = VIEW_COUNT;
        for (const char *at = b->place; *at; at += at[strcspn(at, ",")] == ',') {
            char view[32];
            snprintf(view, sizeof view, "%.*s", (int)strcspn(at, ","), at);
            assert_true(view_find(view, &only));
            at += strcspn(at, ",");
        }
        size_t n = strcspn(b->command, " ");
        bool known = false;
        for (const SessionCommand *const *table = session_command_tables; *table; table++) {
            for (const SessionCommand *command = *table; command->name; command++) {
                known |= strlen(command->name) == n && !strncmp(command->name, b->command, n);
            }
        }
        for (int v = 0; v < VIEW_COUNT && !known; v++) {
            const ViewCommand *own = view_def((ViewId)v)->commands;
            for (; own && own->name && (only == VIEW_COUNT || v == (int)only); own++) {
                known |= strlen(own->name) == n && !strncmp(own->name, b->command, n);
            }
        }
        if (!known) {
            print_error("%s: no command %s\n", b->key, b->command);
        }
        assert_true(known);
    }
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_palette__finds),
        cmocka_unit_test(test_palette__keys),
        cmocka_unit_test(test_palette__mouse),
        cmocka_unit_test(test_keys__default_ones_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
