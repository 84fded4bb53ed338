/* A file dropped on the window is opened: a text, a model, a record; an array says why not. */
#include "app/window_input.h"
#include "base/file.h"
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void drop(Session *s, const char *path)
{
    WindowInput input = {0};
    window_input_drop(&input, 1, &path);
    assert_int_equal(input.n_dropped, 1);
    window_input_open_dropped(&input, s);
    assert_int_equal(input.n_dropped, 0);
    session_settle(s);
}

static void test_window_input_drop__kinds(void **state)
{
    (void)state;
    Error err = {0};
    char folder[] = "/tmp/attnscope-drop-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char text[128];
    char record[128];
    snprintf(text, sizeof text, "%s/a text.txt", folder);
    snprintf(record, sizeof record, "%s/run.safetensors", folder);
    assert_ok(file_write_all(text, "dropped words", 13, &err), err);
    Session *s = session_create(&(SessionDesc){0}, &err);
    assert_ok(s, err);
    assert_ok(session_request(
                  s, &(SessionRequest){.model = "tiny", .text = {.text = "a", .n_text = 1}}, &err),
              err);
    session_settle(s);
    drop(s, text);
    assert_int_equal(s->error.code, ERR_NONE);
    assert_string_equal(s->text_name, "a text.txt");
    size_t n;
    assert_memory_equal(trace_source(s->trace, &n), "dropped words", 13);
    assert_ok(trace_save(s->trace, record, &err), err);
    drop(s, "models/tiny"); /* a model's folder */
    assert_int_equal(s->error.code, ERR_NONE);
    assert_non_null(strstr(trace_info(s->trace)->model_name, "models/tiny"));
    uint64_t version = s->trace_version;
    drop(s, record);
    assert_int_equal(s->error.code, ERR_NONE);
    assert_true(s->trace_version > version);
    version = s->trace_version;
    drop(s, "no such folder/array.npy");
    assert_int_equal(s->error.code, ERR_IO); /* there is no such file */
    assert_non_null(strstr(s->error.message, "array.npy"));
    assert_int_equal(s->trace_version, version);
    session_destroy(&s);
    unlink(text);
    unlink(record);
    rmdir(folder);
}

static void test_window_input_drop__many(void **state)
{
    (void)state;
    const char *paths[WINDOW_DROPS + 3];
    for (size_t i = 0; i < AS_COUNT(paths); i++) {
        paths[i] = "x";
    }
    WindowInput input = {0};
    window_input_drop(&input, AS_COUNT(paths), paths);
    assert_int_equal(input.n_dropped, WINDOW_DROPS);
    for (int i = 0; i < input.n_dropped; i++) {
        mem_free(input.dropped[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_input_drop__kinds),
        cmocka_unit_test(test_window_input_drop__many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
