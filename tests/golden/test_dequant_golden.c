/*
 * Weights and metadata of files against what the gguf and safetensors packages read
 * (make_dequant.py), bit for bit. A model that is not there fails: models/fetch.sh brings it.
 */
#include "testing.h"

#include "base/json.h"
#include "compute/dequant.h"
#include "formats/tensor_file_internal.h"

enum { EDGE_ROWS = 4 };

/* CRC-32 as zlib's: polynomial 0xEDB88320, reflected. */
static uint32_t crc32_add(uint32_t crc, const void *bytes, size_t n)
{
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= ((const unsigned char *)bytes)[i];
        for (int k = 0; k < 8; k++) {
            crc = crc & 1 ? 0xEDB88320u ^ crc >> 1 : crc >> 1;
        }
    }
    return ~crc;
}

/* What one test holds open; released in teardown, also when an assert jumps. */
typedef struct Case {
    const char *golden; /* path */
    Arena arena;
    TensorFile *file;
    cJSON *json;
} Case;

static int tear_down(void **state)
{
    Case *c = *state;
    tensor_file_close(&c->file);
    json_free(c->json);
    c->json = NULL;
    arena_destroy(&c->arena);
    return 0;
}

static void test_dequant_rows__every_type_as_gguf(void **state)
{
    Case *c = *state;
    Error err = {0};
    c->file = tensor_file_open(c->golden, &err);
    assert_ok(c->file != NULL, err);
    int n_types = 0;
    for (int type = 0; type < DTYPE_COUNT; type++) {
        const DTypeInfo *info = dtype_info((DType)type);
        char name[64];
        snprintf(name, sizeof name, "%s/blocks", info->name);
        const TensorView *blocks = tensor_file_find(c->file, name);
        snprintf(name, sizeof name, "%s/floats", info->name);
        const TensorView *floats = tensor_file_find(c->file, name);
        if (!blocks || !floats) {
            /* F32 and F64 need no expansion, the rest has no reference here. */
            assert_true(!dequant_supported((DType)type) || type == DTYPE_F32 || type == DTYPE_F64);
            continue;
        }
        assert_int_equal(blocks->shape[1], info->block_bytes);
        assert_int_equal(floats->shape[1], info->block_elements);
        float *dst = ARENA_ARRAY(&c->arena, float, floats->n_elements, &err);
        assert_ok(dst && dequant_rows((DType)type, blocks->data, floats->n_elements, dst, &err),
                  err);
        const float *expected = tensor_view_floats(floats);
        assert_non_null(expected);
        for (size_t i = 0; i < floats->n_elements; i++) {
            if (memcmp(&dst[i], &expected[i], sizeof *dst) != 0) {
                fail_msg("%s, element %zu: %.9g, expected %.9g", info->name, i, (double)dst[i],
                         (double)expected[i]);
            }
        }
        n_types++;
    }
    assert_int_equal(n_types, 14);
}

/* The first and the last rows as floats, as make_dequant.py sums them. */
static uint32_t edge_rows_crc(Case *c, const TensorView *view)
{
    Error err = {0};
    size_t n_columns = view->n_dims ? (size_t)view->shape[view->n_dims - 1] : 1;
    size_t n_rows = view->n_elements / n_columns;
    size_t n_edge = AS_MIN(n_rows, (size_t)EDGE_ROWS);
    float *rows = ARENA_ARRAY(&c->arena, float, n_edge *n_columns, &err);
    assert_ok(rows && dequant_row_range(view->dtype, view->data, n_columns, 0, n_edge, rows, &err),
              err);
    uint32_t crc = crc32_add(0, rows, n_edge * n_columns * sizeof *rows);
    assert_ok(
        dequant_row_range(view->dtype, view->data, n_columns, n_rows - n_edge, n_edge, rows, &err),
        err);
    return crc32_add(crc, rows, n_edge * n_columns * sizeof *rows);
}

static void check_tensor(Case *c, const cJSON *expected, size_t index)
{
    Error err = {0};
    const char *name = json_get_string(expected, "name", "");
    const cJSON *shape = json_get(expected, "shape");
    int64_t dims[TENSOR_MAX_DIMS];
    int32_t n_dims = 0;
    for (const cJSON *dim = shape->child; dim; dim = dim->next) {
        dims[n_dims++] = (int64_t)dim->valuedouble;
    }
    const TensorView *view = tensor_file_need(c->file, name, n_dims, dims, &err);
    assert_ok(view != NULL, err);
    assert_string_equal(dtype_name(view->dtype), json_get_string(expected, "dtype", ""));
    assert_true((double)view->n_bytes == json_get_number(expected, "n_bytes", -1));
    if (tensor_file_kind(c->file) == TENSOR_FILE_GGUF) {
        assert_ptr_equal(tensor_file_at(c->file, index), view);
    }
    const cJSON *crc = json_get(expected, "crc32");
    if (crc && edge_rows_crc(c, view) != (uint32_t)crc->valuedouble) {
        fail_msg("%s: the rows of %s differ from the reference", c->golden, name);
    }
}

static uint32_t strings_crc(const TextView *items, size_t n)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < n; i++) {
        crc = crc32_add(crc32_add(crc, "", i > 0), items[i].text, items[i].n);
    }
    return crc;
}

static void check_summary(Case *c, const cJSON *expected)
{
    Error err = {0};
    const char *key = expected->string;
    const char *kind = expected->child->string;
    size_t n = 0;
    uint32_t crc = 0;
    if (strcmp(kind, "text") == 0) {
        TextView text;
        assert_ok(tensor_file_get_string(c->file, key, &text, &err), err);
        n = text.n;
        crc = crc32_add(0, text.text, text.n);
    } else if (strcmp(kind, "strings") == 0) {
        const TextView *items;
        assert_ok(tensor_file_get_strings(c->file, key, &items, &n, &err), err);
        crc = strings_crc(items, n);
    } else if (strcmp(kind, "ints") == 0) {
        int64_t *items;
        assert_ok(tensor_file_get_ints(c->file, key, &c->arena, &items, &n, &err), err);
        crc = crc32_add(0, items, n * sizeof *items);
    } else {
        assert_string_equal(kind, "floats");
        float *items;
        assert_ok(tensor_file_get_floats(c->file, key, &c->arena, &items, &n, &err), err);
        crc = crc32_add(0, items, n * sizeof *items);
    }
    if ((double)n != expected->child->valuedouble ||
        (double)crc != json_get_number(expected, "crc32", -1)) {
        fail_msg("%s: metadata %s differs from the reference (%zu items)", c->golden, key, n);
    }
}

static void check_metadata(Case *c, const cJSON *expected)
{
    Error err = {0};
    const char *key = expected->string;
    assert_non_null(tensor_file_meta(c->file, key));
    if (cJSON_IsObject(expected)) {
        check_summary(c, expected);
    } else if (cJSON_IsString(expected)) {
        TextView text;
        assert_ok(tensor_file_get_string(c->file, key, &text, &err), err);
        assert_int_equal(text.n, strlen(expected->valuestring));
        assert_memory_equal(text.text, expected->valuestring, text.n);
    } else if (cJSON_IsBool(expected)) {
        bool value;
        assert_ok(tensor_file_get_bool(c->file, key, false, &value, &err), err);
        assert_int_equal(value, cJSON_IsTrue(expected));
    } else {
        double value;
        assert_ok(tensor_file_get_number(c->file, key, -1, &value, &err), err);
        assert_true(value == expected->valuedouble);
    }
}

static void test_tensor_file_open__real_model(void **state)
{
    Case *c = *state;
    Error err = {0};
    c->json = json_parse_file(c->golden, &err);
    assert_ok(c->json != NULL, err);
    c->file = tensor_file_open(json_get_string(c->json, "file", ""), &err);
    assert_ok(c->file != NULL, err);
    const cJSON *tensors = json_get(c->json, "tensors");
    const cJSON *metadata = json_get(c->json, "metadata");
    size_t n = 0;
    for (const cJSON *item = tensors->child; item; item = item->next) {
        check_tensor(c, item, n++);
    }
    assert_true(n > 0);
    assert_int_equal(n, tensor_file_count(c->file));
    n = 0;
    for (const cJSON *item = metadata->child; item; item = item->next) {
        check_metadata(c, item);
        n++;
    }
    assert_int_equal(n, tensor_file_meta_count(c->file));
}

/* With arguments: other descriptions that make_dequant.py wrote (gemma3). */
int main(int argc, char **argv)
{
    static Case cases[] = {{.golden = "tests/golden/data/dequant.safetensors"},
                           {.golden = "tests/golden/data/files_minilm.json"},
                           {.golden = "tests/golden/data/files_smollm2.json"},
                           {0}};
    cases[3].golden = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        {"test_dequant_rows__every_type_as_gguf", test_dequant_rows__every_type_as_gguf, NULL,
         tear_down, &cases[0]},
        {"test_tensor_file_open__minilm", test_tensor_file_open__real_model, NULL, tear_down,
         &cases[1]},
        {"test_tensor_file_open__smollm2", test_tensor_file_open__real_model, NULL, tear_down,
         &cases[2]},
    };
    const struct CMUnitTest extra[] = {{"test_tensor_file_open__argument",
                                        test_tensor_file_open__real_model, NULL, tear_down,
                                        &cases[3]}};
    int failed = cmocka_run_group_tests_name("dequant_golden", tests, NULL, NULL);
    if (cases[3].golden) {
        failed += cmocka_run_group_tests_name("dequant_golden_argument", extra, NULL, NULL);
    }
    return failed;
}
