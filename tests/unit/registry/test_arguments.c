/* The command line: what it means, and what it says when it is wrong. */
#include "testing.h"

#include "base/str.h"
#include "registry/arguments.h"
#include "registry/help.h"
#include "registry/nearest.h"

enum { MAX_WORDS = 12 };

typedef struct Line {
    const char *words[MAX_WORDS]; /* behind the program's name */
    const char *error;            /* part of the message; NULL = fine */
} Line;

static bool is_model(const char *word)
{
    return strchr(word, '/') || !strcmp(word, "tiny");
}

static bool parse(const char *const *words, Arena *arena, Arguments *arguments, Error *err)
{
    const char *argv[MAX_WORDS + 1] = {"attnscope"};
    int argc = 1;
    for (; argc <= MAX_WORDS && words[argc - 1]; argc++) {
        argv[argc] = words[argc - 1];
    }
    return arguments_parse(argc, argv, is_model, arena, arguments, err);
}

static void test_arguments_parse__wrong_lines_say_what_is_meant(void **state)
{
    (void)state;
    static const Line lines[] = {
        {{"dmup"}, "did you mean dump?"},
        {{"xyzzy"}, "neither a command nor a model"},
        {{"dump", "--waht", "q"}, "did you mean --what?"},
        {{"dump", "--qqqqqqq"}, "help dump"},
        {{"dump", "--what"}, "--what needs a value"},
        {{"dump", "--what", "--layer", "3"}, "--what needs a value"},
        {{"dump", "--what", "wieghts"}, "did you mean weights?"},
        {{"dump", "--what", "nonsense"}, "weights, scores, q, k, v"},
        {{"info", "--layer", "3"}, "info does not take --layer; it belongs to"},
        {{"dump", "--layer", "-1"}, "a whole number from 0 to 2147483647, or all"},
        {{"dump", "--layer", "3x"}, "a whole number from 0 to 2147483647, or all"},
        {{"dump", "--head", ""}, "a whole number from 0 to 2147483647, or all"},
        {{"dump", "--rows", "3"}, "A:B"},
        {{"dump", "--rows", "5:5"}, "empty"},
        {{"dump", "--rows", "5:2"}, "empty"},
        {{"dump", "--rows", "a:b"}, "A:B"},
        {{"dump", "--ids", "1,,2"}, "an empty place between commas in '1,,2'"},
        {{"dump", "--ids", ""}, "nothing in ''"},
        {{"dump", "--ids", "1, 2"}, "without spaces"},
        {{"dump", "--ids", "1,2,99999999999"}, "'99999999999'"},
        {{"dump", "--ablate", "3"}, "LAYER.HEAD"},
        {{"dump", "--ablate", "3.1,x"}, "'x'"},
        {{"dump", "--temperature", "0"}, "0.001"},
        {{"dump", "--temperature", "nan"}, "not a number"},
        {{"dump", "--temperature", "1e999"}, "not a number"},
        {{"dump", "--memory", "lots"}, "8G"},
        {{"dump", "--memory", "0"}, "8G"},
        {{"dump", "--max-tokens", "0"}, "from 1"},
        {{"dump", "--threads", "5000"}, "from 0 to 1024"},
        {{"dump", "--threads", "1,2"}, "dump takes one number"},
        {{"bench", "--threads", "1,2000"}, "from 0 to 1024"},
        {{"bench", "--isa", "avx2,avx3"}, "did you mean avx2?"},
        {{"bench", "--isa", "avx2,"}, "is not one of"},
        {{"shot", "--size", "0x0"}, "WIDTHxHEIGHT"},
        {{"shot", "--size", "1920"}, "WIDTHxHEIGHT"},
        {{"shot", "--size", "1920x99999"}, "WIDTHxHEIGHT"},
        {{"shot", "--theme", "nigth"}, "did you mean night?"},
        {{"dump", "-o", ""}, "file name is empty"},
        {{"dump", "--propagate=yes"}, "takes no value"},
        {{"dump", "-x"}, "unknown option '-x'"},
        {{"dump", "tiny", "a", "b"}, "not expected here; a text of several words needs quotes"},
        {{"bench", "tiny"}, "not expected here; name the model with --model"},
        {{"models", "tiny"}, "models: 'tiny' is not expected here"},
        {{"dump", "--foo"}, "help dump"},
        {{"dump", "--layer", "99999999999999999999"}, "to 2147483647"},
        {{"tiny", "a text", "more"}, "not expected here"},
        {{"help", "a", "b"}, "not expected here"},
    };
    for (size_t i = 0; i < AS_COUNT(lines); i++) {
        Arena arena = {0};
        Arguments arguments;
        Error err = {0};
        bool ok = parse(lines[i].words, &arena, &arguments, &err);
        if (ok || err.code != ERR_USAGE || !strstr(err.message, lines[i].error)) {
            print_error("%s %s: \"%s\", expected \"%s\"\n", lines[i].words[0],
                        lines[i].words[1] ? lines[i].words[1] : "", ok ? "" : err.message,
                        lines[i].error);
            fail();
        }
        assert_null(strchr(err.message, '\n'));
        arena_destroy(&arena);
    }
}

static void test_arguments_parse__values(void **state)
{
    (void)state;
    static const char *const words[] = {"dump",   "--what=scores", "-l",        "17",
                                        "--head", "all",           "-oout.npy", "--rows",
                                        "2:",     "--ids",         "1,2,3",     NULL};
    Arena arena = {0};
    Arguments a;
    Error err = {0};
    assert_ok(parse(words, &arena, &a, &err), err);
    assert_int_equal(a.command, COMMAND_DUMP);
    assert_true(a.command_given);
    assert_int_equal(a.values[OPTION_WHAT_ID].integer, 1);
    assert_int_equal(a.values[OPTION_LAYER_ID].integer, 17);
    assert_int_equal(a.values[OPTION_HEAD_ID].integer, -1);
    assert_string_equal(a.values[OPTION_OUTPUT_ID].text, "out.npy");
    assert_int_equal(a.values[OPTION_ROWS_ID].first, 2);
    assert_int_equal(a.values[OPTION_ROWS_ID].end, -1);
    assert_int_equal(a.values[OPTION_IDS_ID].n_list, 3);
    assert_int_equal(a.values[OPTION_IDS_ID].list[2], 3);
    assert_false(a.values[OPTION_MODEL_ID].given);
    assert_string_equal(a.values[OPTION_MODEL_ID].text, "tiny");
    assert_false(a.values[OPTION_COLS_ID].has);
    arena_destroy(&arena);
}

static void test_arguments_parse__heads_sizes_bytes(void **state)
{
    (void)state;
    static const char *const words[] = {"shot",      "--ablate", "3.2,4.11", "--size",
                                        "1920x1080", "--memory", "1.5G",     "--text",
                                        "-dash",     "--scale",  "2",        NULL};
    Arena arena = {0};
    Arguments a;
    Error err = {0};
    assert_ok(parse(words, &arena, &a, &err), err);
    assert_int_equal(a.values[OPTION_ABLATE_ID].n_list, 2);
    assert_int_equal(a.values[OPTION_ABLATE_ID].list[0], 3);
    assert_int_equal(a.values[OPTION_ABLATE_ID].list[1], 2);
    assert_int_equal(a.values[OPTION_ABLATE_ID].list[3], 11);
    assert_int_equal(a.values[OPTION_SIZE_ID].first, 1920);
    assert_int_equal(a.values[OPTION_SIZE_ID].end, 1080);
    assert_true(a.values[OPTION_MEMORY_ID].bytes == 3ull << 29);
    assert_string_equal(a.values[OPTION_TEXT_ID].text, "-dash");
    assert_true(a.values[OPTION_SCALE_ID].number == 2.0);
    arena_destroy(&arena);
}

static void test_arguments_parse__the_window_is_the_default(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        int n_operands;
    } lines[] = {
        {{NULL}, 0},
        {{"tiny"}, 1},
        {{"./models/x", "a text"}, 2},
        {{"--model", "tiny"}, 0},
        {{"view", "tiny", "--", "--text"}, 2},
    };
    for (size_t i = 0; i < AS_COUNT(lines); i++) {
        const char *words[MAX_WORDS] = {0};
        memcpy(words, lines[i].words, sizeof lines[i].words);
        Arena arena = {0};
        Arguments a;
        Error err = {0};
        assert_ok(parse(words, &arena, &a, &err), err);
        assert_int_equal(a.command, COMMAND_VIEW);
        assert_int_equal(a.n_operands, lines[i].n_operands);
        arena_destroy(&arena);
    }
}

static void test_nearest_distance__counts_swaps_once(void **state)
{
    (void)state;
    assert_int_equal(nearest_distance("dump", "dump"), 0);
    assert_int_equal(nearest_distance("dmup", "dump"), 1);
    assert_int_equal(nearest_distance("", "dump"), 4);
    assert_int_equal(nearest_distance("weihgts", "weights"), 1);
    assert_int_equal(nearest_distance("kitten", "sitting"), 3);
}

static void test_option_table__rows_are_whole(void **state)
{
    (void)state;
    for (int i = 0; i < OPTION_COUNT; i++) {
        const OptionDef *option = &option_table[i];
        assert_non_null(option->name);
        assert_true(option->commands != 0);
        assert_true((option->value == NULL) == (option->type == OPTION_FLAG));
        assert_true((option->choices != NULL) ==
                    (option->type == OPTION_CHOICE || option->type == OPTION_CHOICES));
        for (int j = 0; j < i; j++) {
            const OptionDef *other = &option_table[j];
            assert_string_not_equal(option->name, other->name);
            assert_false(option->letter && option->letter == other->letter &&
                         (option->commands & other->commands));
        }
    }
}

static void test_help_command__names_every_option_within_80_columns(void **state)
{
    (void)state;
    for (int c = 0; c < COMMAND_COUNT; c++) {
        StrBuf out = {0};
        Error err = {0};
        assert_ok(help_command((CommandId)c, &out, &err), err);
        for (int i = 0; i < OPTION_COUNT; i++) {
            const OptionDef *option = &option_table[i];
            char shown[40];
            snprintf(shown, sizeof shown, "--%s", option->name);
            if (option->help && (option->commands & (1u << c))) {
                assert_non_null(strstr(strbuf_text(&out), shown));
            }
        }
        size_t column = 0;
        for (const char *p = strbuf_text(&out); *p; p++) {
            column = *p == '\n' ? 0 : column + (((unsigned char)*p & 0xc0) != 0x80);
            assert_true(column <= 80);
        }
        strbuf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments_parse__wrong_lines_say_what_is_meant),
        cmocka_unit_test(test_arguments_parse__values),
        cmocka_unit_test(test_arguments_parse__heads_sizes_bytes),
        cmocka_unit_test(test_arguments_parse__the_window_is_the_default),
        cmocka_unit_test(test_nearest_distance__counts_swaps_once),
        cmocka_unit_test(test_option_table__rows_are_whole),
        cmocka_unit_test(test_help_command__names_every_option_within_80_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
