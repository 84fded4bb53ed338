/* Keys: chords, the lines of input.conf, and the file that comes with the program. */
#include "testing.h"

#include "base/embedded.h"
#include "registry/keys.h"

static void test_key_parse__chords(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t key, mods;
    } cases[] = {
        {"a", 'a', 0},
        {"A", 'a', 0},
        {"Ctrl+K", 'k', KEY_MOD_CTRL},
        {"shift+ctrl+Left", KEY_LEFT, KEY_MOD_CTRL | KEY_MOD_SHIFT},
        {"Alt+F5", KEY_F5, KEY_MOD_ALT},
        {"+", '+', 0},
        {"Ctrl++", '+', KEY_MOD_CTRL},
        {"Hash", '#', 0},
        {"space", ' ', 0},
        {"é", 0xe9, 0},
        {"?", '?', 0},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        KeyChord chord;
        assert_true(key_parse(cases[i].text, &chord));
        assert_int_equal(chord.key, cases[i].key);
        assert_int_equal(chord.mods, cases[i].mods);
    }
    static const char *const wrong[] = {"", "ab", "Ctrl+", "F13", "\xff", "Hyper+K"};
    for (size_t i = 0; i < AS_COUNT(wrong); i++) {
        KeyChord chord;
        assert_false(key_parse(wrong[i], &chord));
    }
}

static void test_keys_parse__later_lines_take_the_place_of_earlier_ones(void **state)
{
    (void)state;
    static const char first[] = "# a comment\n\nCtrl+K  palette   # find a command\nUp layer +1\n";
    static const char second[] = "ctrl+k other#thing # changed";
    Arena arena = {0};
    KeyMap map = {0};
    Error err = {0};
    assert_ok(keys_parse(&map, first, strlen(first), "a.conf", &arena, &err), err);
    assert_int_equal(map.n, 2);
    assert_string_equal(map.bindings[0].command, "palette");
    assert_string_equal(map.bindings[0].help, "find a command");
    assert_string_equal(map.bindings[1].command, "layer +1");
    assert_string_equal(map.bindings[1].help, "");
    assert_ok(keys_parse(&map, second, strlen(second), "b.conf", &arena, &err), err);
    assert_int_equal(map.n, 2);
    KeyChord chord;
    assert_true(key_parse("Ctrl+K", &chord));
    const KeyBinding *found = keys_find(&map, chord, "flow");
    assert_non_null(found);
    assert_string_equal(found->command, "other#thing");
    assert_string_equal(found->key, "ctrl+k");
    assert_ptr_equal(keys_find_command(&map, "layer +1", ""), &map.bindings[1]);
    assert_null(keys_find_command(&map, "layer -1", ""));
    arena_destroy(&arena);
}

static void test_keys_find__places(void **state)
{
    (void)state;
    static const char text[] = "E stack # a\nmatrix:E reading # b\n: colon\nmatrix:: two\n"
                               "MATRIX:E other\n";
    static const char good[] = "E stack # a\nmatrix:E reading # b\n: colon\nmatrix:: two\n"
                               "matrix:E own # in place of the one before\n"
                               "heads,steps:W both\n";
    Arena arena = {0};
    KeyMap map = {0};
    Error err = {0};
    assert_false(keys_parse(&map, text, strlen(text), "a.conf", &arena, &err));
    assert_non_null(strstr(err.message, "a.conf:5"));
    err = (Error){0};
    assert_ok(keys_parse(&map, good, strlen(good), "a.conf", &arena, &err), err);
    assert_int_equal(map.n, 5);
    static const struct {
        const char *key, *place, *command;
    } rows[] = {{"E", "", "stack"},     {"E", "flow", "stack"},  {"E", "matrix", "own"},
                {":", "matrix", "two"}, {":", "heads", "colon"}, {"W", "heads", "both"},
                {"W", "steps", "both"}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        KeyChord chord;
        assert_true(key_parse(rows[i].key, &chord));
        const KeyBinding *b = keys_find(&map, chord, rows[i].place);
        assert_non_null(b);
        assert_string_equal(b->command, rows[i].command);
        assert_string_equal(b->key, rows[i].key);
        assert_true(keys_acts(&map, b, rows[i].place));
    }
    assert_null(keys_find(&map, map.bindings[4].chord, "step"));
    assert_null(keys_find(&map, map.bindings[4].chord, ""));
    assert_false(keys_acts(&map, &map.bindings[0], "matrix"));
    assert_null(keys_find_command(&map, "stack", "matrix"));
    assert_null(keys_find_command(&map, "own", "heads"));
    assert_ptr_equal(keys_find_command(&map, "stack", "heads"), &map.bindings[0]);
    arena_destroy(&arena);
}

static void test_keys_parse__bad_lines_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"a fit\nBogus zoom", "x.conf:2: 'Bogus' is no key"},
        {"a", "x.conf:1: the key a has no command"},
        {"a   # only help", "x.conf:1: the key a has no command"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Arena arena = {0};
        KeyMap map = {0};
        Error err = {0};
        assert_false(
            keys_parse(&map, cases[i].text, strlen(cases[i].text), "x.conf", &arena, &err));
        assert_int_equal(err.code, ERR_FORMAT);
        assert_non_null(strstr(err.message, cases[i].error));
        assert_int_equal(map.n, 0);
        arena_destroy(&arena);
    }
}

static void test_keys_parse__the_default_keys_all_have_help(void **state)
{
    (void)state;
    Arena arena = {0};
    KeyMap map = {0};
    Error err = {0};
    EmbeddedFile file;
    assert_true(embedded_find("assets/input.conf", &file));
    assert_ok(
        keys_parse(&map, (const char *)file.data, file.n_bytes, "assets/input.conf", &arena, &err),
        err);
    assert_true(map.n >= 20);
    for (size_t i = 0; i < map.n; i++) {
        assert_string_not_equal(map.bindings[i].help, "");
    }
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_parse__chords),
        cmocka_unit_test(test_keys_parse__later_lines_take_the_place_of_earlier_ones),
        cmocka_unit_test(test_keys_find__places),
        cmocka_unit_test(test_keys_parse__bad_lines_are_named),
        cmocka_unit_test(test_keys_parse__the_default_keys_all_have_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
