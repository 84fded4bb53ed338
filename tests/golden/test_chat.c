/* Chat templates against transformers' apply_chat_template (make_chat.py). */
#include "testing.h"

#include "base/json.h"
#include "tokenizer/chat.h"

enum { MOST_MESSAGES = 8 };

static char *render(const cJSON *row, Arena *arena, size_t *n, Error *err)
{
    static const char *const names[] = {"bos_token", "eos_token"};
    static const char *const texts[] = {"<s>", "</s>"};
    ChatMessage messages[MOST_MESSAGES];
    size_t n_messages = 0;
    const char *source = json_get_string(row, "template", "");
    const cJSON *message;
    cJSON_ArrayForEach(message, json_get(row, "messages"))
    {
        const char *text = json_get_string(message, "content", "");
        assert_true(n_messages < MOST_MESSAGES);
        messages[n_messages++] =
            (ChatMessage){json_get_string(message, "role", ""), text, strlen(text)};
    }
    ChatDesc desc = {.source = source,
                     .n_source = strlen(source),
                     .messages = messages,
                     .n_messages = n_messages,
                     .closed = cJSON_IsTrue(json_get(row, "closed")),
                     .names = names,
                     .texts = texts,
                     .n_names = 2};
    return chat_render(&desc, arena, n, err);
}

static void test_chat_render__as_transformers(void **state)
{
    (void)state;
    Error err = {0};
    Arena arena = {0};
    int n_wrong = 0;
    int n_equal = 0;
    cJSON *rows = json_parse_file("tests/golden/data/chat.json", &err);
    assert_ok(rows, err);
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        Error refused = {0};
        size_t n = 0;
        const char *name = json_get_string(row, "name", "");
        const char *expected = json_get_string(row, "text", NULL);
        const char *found = render(row, &arena, &n, &refused);
        if (expected && found && n == strlen(expected) && memcmp(found, expected, n) == 0) {
            n_equal++;
        } else if (expected || found) {
            n_wrong++;
            print_error("%s: %s\n  found    \"%s\"\n  expected \"%s\"\n", name,
                        json_get_string(row, "template", ""), found ? found : refused.message,
                        expected ? expected : "(refused)");
        } else {
            assert_true(refused.code == ERR_FORMAT || refused.code == ERR_UNSUPPORTED);
            assert_non_null(strstr(refused.message, "chat template: line "));
        }
    }
    json_free(rows);
    arena_destroy(&arena);
    assert_true(n_equal > 100);
    assert_int_equal(n_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chat_render__as_transformers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
