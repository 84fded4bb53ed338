#include "testing.h"

#include "base/file.h"
#include "formats/safetensors_write.h"
#include "formats/tensor_file_internal.h"

#include <unistd.h>

static const char *temporary_path(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/attnscope-write-%ld.safetensors", (long)getpid());
    return path;
}

typedef struct State {
    SafetensorsWriter *writer;
    TensorFile *file;
} State;

static int set_up(void **state)
{
    static State s;
    *state = &s;
    Error err = {0};
    s.writer = safetensors_writer_create(&err);
    return s.writer ? 0 : 1;
}

static int tear_down(void **state)
{
    State *s = *state;
    safetensors_writer_destroy(&s->writer);
    safetensors_writer_destroy(&s->writer);
    tensor_file_close(&s->file);
    remove(temporary_path());
    return 0;
}

static void test_safetensors_writer__round_trip(void **state)
{
    State *s = *state;
    SafetensorsWriter *w = s->writer;
    const char *path = temporary_path();
    Error err = {0};
    const uint8_t flags[3] = {1, 0, 1};
    const float q[6] = {1, 2, 3, 4, 5, 6};
    const int64_t id = -3;
    const int64_t flags_shape[] = {3};
    const int64_t q_shape[] = {2, 3};
    const int64_t none_shape[] = {0, 4};
    size_t t_flags;
    size_t t_q;
    size_t t_id;
    size_t t_none;
    assert_ok(safetensors_writer_meta(w, "format", "a \"quoted\"\ttext, caf\xC3\xA9", &err), err);
    assert_ok(safetensors_writer_meta(w, "empty", "", &err), err);
    assert_ok(safetensors_writer_declare(w, "flags", DTYPE_U8, 1, flags_shape, &t_flags, &err),
              err);
    assert_ok(safetensors_writer_declare(w, "layer.0.q", DTYPE_F32, 2, q_shape, &t_q, &err), err);
    assert_ok(safetensors_writer_declare(w, "id", DTYPE_I64, 0, NULL, &t_id, &err), err);
    assert_ok(safetensors_writer_declare(w, "none", DTYPE_F16, 2, none_shape, &t_none, &err), err);
    size_t expected;
    assert_ok(safetensors_writer_size(w, &expected, &err), err);
    assert_ok(safetensors_writer_open(w, path, &err), err);
    assert_ok(safetensors_writer_put(w, t_q, 8, q + 2, 16, &err), err);
    assert_ok(safetensors_writer_put(w, t_flags, 0, flags, 3, &err), err);
    assert_ok(safetensors_writer_put(w, t_q, 0, q, 8, &err), err);
    assert_ok(safetensors_writer_put(w, t_id, 0, &id, 8, &err), err);
    assert_false(path_exists(path));
    assert_ok(safetensors_writer_commit(w, &err), err);

    s->file = tensor_file_open(path, &err);
    assert_ok(s->file != NULL, err);
    assert_int_equal(tensor_file_count(s->file), 4);
    const TensorView *view = tensor_file_need(s->file, "layer.0.q", 2, q_shape, &err);
    assert_ok(view != NULL, err);
    assert_memory_equal(tensor_view_floats(view), q, sizeof q);
    view = tensor_file_find(s->file, "flags");
    assert_memory_equal(view->data, flags, sizeof flags);
    view = tensor_file_find(s->file, "id");
    assert_memory_equal(view->data, &id, sizeof id);
    assert_int_equal(tensor_file_find(s->file, "none")->n_elements, 0);
    TextView text;
    assert_ok(tensor_file_get_string(s->file, "format", &text, &err), err);
    assert_string_equal(text.text, "a \"quoted\"\ttext, caf\xC3\xA9");
    assert_int_equal(tensor_file_meta_count(s->file), 2);
    FileMap map;
    assert_ok(file_map_open(&map, path, &err), err);
    assert_int_equal(map.n_bytes, expected);
    assert_int_equal((map.data[0] + 8) % 64, 0);
    file_map_close(&map);
}

static void test_safetensors_writer_declare__refuses(void **state)
{
    State *s = *state;
    SafetensorsWriter *w = s->writer;
    Error err = {0};
    size_t t;
    const int64_t negative[] = {-1};
    const int64_t huge[] = {1ll << 40, 1ll << 40};
    const int64_t one[] = {1};
    assert_false(safetensors_writer_declare(w, "a", DTYPE_F32, 1, negative, &t, &err));
    assert_false(safetensors_writer_declare(w, "a", DTYPE_F32, 2, huge, &t, &err));
    assert_false(safetensors_writer_declare(w, "a", DTYPE_Q8_0, 1, one, &t, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_false(safetensors_writer_declare(w, "a\xFF", DTYPE_F32, 1, one, &t, &err));
    assert_false(safetensors_writer_meta(w, "k", "\xFF", &err));
    assert_ok(safetensors_writer_meta(w, "k", "v", &err), err);
    assert_false(safetensors_writer_meta(w, "k", "w", &err));
    assert_ok(safetensors_writer_declare(w, "a", DTYPE_F32, 1, one, &t, &err), err);
    assert_ok(safetensors_writer_declare(w, "a", DTYPE_F32, 1, one, &t, &err), err);
    assert_false(safetensors_writer_open(w, temporary_path(), &err));
    assert_non_null(strstr(err.message, "\"a\" is taken"));
    assert_false(path_exists(temporary_path()));
}

static void test_safetensors_writer_commit__needs_all_data(void **state)
{
    State *s = *state;
    Error err = {0};
    size_t t;
    const int64_t shape[] = {4};
    const float data[4] = {0};
    assert_ok(safetensors_writer_declare(s->writer, "a", DTYPE_F32, 1, shape, &t, &err), err);
    assert_ok(safetensors_writer_open(s->writer, temporary_path(), &err), err);
    assert_false(safetensors_writer_put(s->writer, t, 8, data, 12, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(safetensors_writer_put(s->writer, t, 17, data, 0, &err));
    assert_ok(safetensors_writer_put(s->writer, t, 0, data, 12, &err), err);
    assert_false(safetensors_writer_commit(s->writer, &err));
    assert_non_null(strstr(err.message, "\"a\" got 12 bytes of 16"));
    safetensors_writer_destroy(&s->writer);
    assert_false(path_exists(temporary_path()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_safetensors_writer__round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_safetensors_writer_declare__refuses, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_safetensors_writer_commit__needs_all_data, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("safetensors_write", tests, NULL, NULL);
}
