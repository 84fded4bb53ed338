#include "testing.h"

#include "base/file.h"
#include "formats/tensor_file.h"

#include "bytes.h"
#include "hostile.h"

typedef struct BadCase {
    const char *header; /* JSON */
    size_t n_data;
    ErrorCode code;
    const char *says; /* part of the message */
} BadCase;

/* One tensor "a" of four floats, with `fields` in place of its description. */
#define ONE(fields) "{\"a\":{" fields "}}"
#define F32_2x2     "\"dtype\":\"F32\",\"shape\":[2,2]"

static const BadCase bad_headers[] = {
    {"{\"a\":", 0, ERR_FORMAT, "not valid JSON"},
    {"{\"a\":1}", 0, ERR_FORMAT, "not described by an object"},
    {"{} x", 0, ERR_FORMAT, "more after its JSON"},
    {ONE(""), 16, ERR_UNSUPPORTED, "element type \"\""},
    {ONE("\"dtype\":\"Q4_0\",\"shape\":[32],\"data_offsets\":[0,18]"), 18, ERR_UNSUPPORTED,
     "element type \"Q4_0\""},
    {ONE("\"dtype\":7,\"shape\":[2,2],\"data_offsets\":[0,16]"), 16, ERR_UNSUPPORTED, "type"},
    {ONE("\"dtype\":\"F32\",\"data_offsets\":[0,16]"), 16, ERR_FORMAT, "no list \"shape\""},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,-2],\"data_offsets\":[0,16]"), 16, ERR_FORMAT, "shape of"},
    {ONE("\"dtype\":\"F32\",\"shape\":[2,1.5],\"data_offsets\":[0,12]"), 12, ERR_FORMAT,
     "shape of"},
    {ONE("\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,16]"), 16, ERR_FORMAT,
     "shape of"},
    {ONE("\"dtype\":\"F32\",\"shape\":[\"4\"],\"data_offsets\":[0,16]"), 16, ERR_FORMAT,
     "shape of"},
    {ONE("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,16]"), 16,
     ERR_FORMAT, "more than 2^63"},
    {ONE("\"dtype\":\"F64\",\"shape\":[4503599627370496,1024],\"data_offsets\":[0,16]"), 16,
     ERR_FORMAT, "more than 2^63 elements or bytes"},
    {ONE("\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,4],\"data_offsets\":[0,16]"), 16,
     ERR_UNSUPPORTED, "more than 8 dimensions"},
    {ONE(F32_2x2), 16, ERR_FORMAT, "no data_offsets"},
    {ONE(F32_2x2 ",\"data_offsets\":[0]"), 16, ERR_FORMAT, "no data_offsets"},
    {ONE(F32_2x2 ",\"data_offsets\":[0,16,32]"), 16, ERR_FORMAT, "no data_offsets"},
    {ONE(F32_2x2 ",\"data_offsets\":[16,0]"), 16, ERR_FORMAT, "start <= end"},
    {ONE(F32_2x2 ",\"data_offsets\":[-16,0]"), 16, ERR_FORMAT, "no data_offsets"},
    {ONE(F32_2x2 ",\"data_offsets\":[0,18446744073709551615]"), 16, ERR_FORMAT, "no data_offsets"},
    {ONE(F32_2x2 ",\"data_offsets\":[0,16]"), 12, ERR_FORMAT, "cut short"},
    {ONE(F32_2x2 ",\"data_offsets\":[0,12]"), 12, ERR_FORMAT, "[2, 2] of F32 takes 16"},
    {ONE(F32_2x2 ",\"data_offsets\":[0,16]"), 20, ERR_FORMAT, "end at byte 16"},
    {ONE(F32_2x2 ",\"data_offsets\":[4,20]"), 20, ERR_FORMAT, "no tensor owns bytes 0 to 4"},
    {"{\"a\":{" F32_2x2 ",\"data_offsets\":[0,16]},\"b\":{" F32_2x2 ",\"data_offsets\":[8,24]}}",
     24, ERR_FORMAT, "inside \"a\""},
    {"{\"a\":{" F32_2x2 ",\"data_offsets\":[0,16]},\"a\":{" F32_2x2 ",\"data_offsets\":[16,32]}}",
     32, ERR_FORMAT, "comes twice"},
    {"{\"a\xFF\":{" F32_2x2 ",\"data_offsets\":[0,16]}}", 16, ERR_FORMAT, "not valid UTF-8"},
    {"{\"__metadata__\":[]}", 0, ERR_FORMAT, "__metadata__"},
    {"{\"__metadata__\":{\"n\":1}}", 0, ERR_FORMAT, "\"n\" is not"},
    {"{\"__metadata__\":{\"n\":\"1\",\"n\":\"2\"}}", 0, ERR_FORMAT, "comes twice"},
};

static StrBuf file_of(const char *header, size_t n_data)
{
    StrBuf buf = {0};
    put_u64(&buf, strlen(header));
    put_text(&buf, header);
    put_zeros(&buf, n_data);
    return buf;
}

static TensorFile *open_bytes(const void *bytes, size_t n, unsigned char **copy, Error *err)
{
    *copy = exact_copy(bytes, n);
    return tensor_file_open_memory("x.safetensors", *copy, n, err);
}

static void test_tensor_file_open__bad_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < AS_COUNT(bad_headers); i++) {
        const BadCase *c = &bad_headers[i];
        StrBuf buf = file_of(c->header, c->n_data);
        unsigned char *copy;
        Error err = {0};
        TensorFile *file = open_bytes(buf.text, buf.n, &copy, &err);
        strbuf_free(&buf);
        bool as_expected = !file && err.code == c->code && strstr(err.message, c->says) &&
                           strstr(err.message, "x.safetensors") && !strchr(err.message, '\n');
        tensor_file_close(&file);
        free(copy);
        if (!as_expected) {
            fail_msg("header %s: %s \"%s\", expected %s with \"%s\"", c->header,
                     error_code_name(err.code), err.message, error_code_name(c->code), c->says);
        }
    }
}

static void test_tensor_file_open__other_contents(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        ErrorCode code;
        const char *says;
    } cases[] = {
        {"", 0, ERR_FORMAT, "is empty"},
        {"\x01\0\0", 3, ERR_FORMAT, "too few"},
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10, ERR_FORMAT, "past the format's limit"},
        {"\x10\0\0\0\0\0\0\0{}", 10, ERR_FORMAT, "cut short"},
        {"\x02\0\0\0\0\0\0\0[]", 10, ERR_FORMAT, "starts with '{'"},
        {"\0\0\0\0\0\0\0\0", 8, ERR_FORMAT, "starts with '{'"},
        {"PK\003\004\0\0\0\0\0\0\0\0", 12, ERR_UNSUPPORTED, "can run code"},
        {"\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8", 12, ERR_UNSUPPORTED, "can run code"},
        {"version https://git-lfs.github.com/spec/v1\n", 43, ERR_FORMAT, "git lfs pull"},
        {"{\"weight_map\":{}}", 17, ERR_FORMAT, "is JSON"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        unsigned char *copy;
        Error err = {0};
        TensorFile *file = open_bytes(cases[i].bytes, cases[i].n, &copy, &err);
        bool as_expected = !file && err.code == cases[i].code && strstr(err.message, cases[i].says);
        tensor_file_close(&file);
        free(copy);
        if (!as_expected) {
            fail_msg("case %zu: %s, expected \"%s\"", i, err.message, cases[i].says);
        }
    }
}

static const char good_header[] =
    "{\"__metadata__\":{\"format\":\"pt\",\"note\":\"caf\\u00e9\"},"
    "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
    "\"none\":{\"dtype\":\"F16\",\"shape\":[0,5],\"data_offsets\":[24,24]},"
    "\"number\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[24,32]},"
    "\"bytes\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[32,35]}}    ";

static void test_tensor_file_open__good_file(void **state)
{
    (void)state;
    StrBuf buf = file_of(good_header, 35);
    float w[6] = {1, 2, 3, 4, 5, 6};
    memcpy(buf.text + 8 + strlen(good_header), w, sizeof w);
    unsigned char *copy;
    Error err = {0};
    TensorFile *file = open_bytes(buf.text, buf.n, &copy, &err);
    strbuf_free(&buf);
    assert_ok(file != NULL, err);
    assert_int_equal(tensor_file_kind(file), TENSOR_FILE_SAFETENSORS);
    assert_int_equal(tensor_file_count(file), 4);
    assert_string_equal(tensor_file_path(file), "x.safetensors");
    assert_string_equal(tensor_file_at(file, 3)->name, "bytes");
    const int64_t shape[] = {2, 3};
    const TensorView *view = tensor_file_need(file, "w", 2, shape, &err);
    assert_ok(view != NULL, err);
    assert_int_equal(view->n_bytes, 24);
    assert_int_equal(view->n_elements, 6);
    assert_int_equal(view->shape[2], 1);
    assert_memory_equal(view->data, w, sizeof w);
    view = tensor_file_find(file, "none");
    assert_true(view && view->n_elements == 0 && view->n_bytes == 0);
    view = tensor_file_find(file, "number");
    assert_true(view && view->n_dims == 0 && view->n_elements == 1);
    assert_null(tensor_file_find(file, "W"));
    TextView text;
    assert_ok(tensor_file_get_string(file, "note", &text, &err), err);
    assert_int_equal(text.n, 5);
    assert_memory_equal(text.text, "caf\xC3\xA9", 5);
    assert_ok(tensor_file_get_string(file, "absent", &text, &err), err);
    assert_null(text.text);
    int64_t v;
    assert_false(tensor_file_get_int(file, "note", 0, 9, 1, &v, &err));
    assert_non_null(strstr(err.message, "is a string, expected a whole number"));
    tensor_file_close(&file);
    tensor_file_close(&file);
    free(copy);
}

static void test_tensor_file_need__says_both_shapes(void **state)
{
    (void)state;
    StrBuf buf = file_of(good_header, 35);
    Error err = {0};
    TensorFile *file = tensor_file_open_memory("x.safetensors", buf.text, buf.n, &err);
    assert_ok(file != NULL, err);
    const int64_t shape[] = {3, 2};
    assert_null(tensor_file_need(file, "w", 2, shape, &err));
    assert_non_null(strstr(err.message, "x.safetensors: tensor \"w\" has shape [2, 3], expected "
                                        "[3, 2]"));
    assert_null(tensor_file_need(file, "v", -1, NULL, &err));
    assert_non_null(strstr(err.message, "no tensor \"v\" among its 4"));
    assert_non_null(tensor_file_need(file, "w", -1, NULL, &err));
    tensor_file_close(&file);
    strbuf_free(&buf);
}

static void test_tensor_file_open__cut_or_changed(void **state)
{
    (void)state;
    StrBuf buf = file_of(good_header, 35);
    static const unsigned char changes[] = {0x00, 0xFF, '"', '9', '}', '-'};
    check_cut_or_changed("x.safetensors", &buf, changes, sizeof changes);
    strbuf_free(&buf);
}

/* A folder in the build's temporary place, removed again. */
typedef struct Folder {
    char path[64];
    Arena arena;
} Folder;

static int make_folder(void **state)
{
    static Folder folder;
    snprintf(folder.path, sizeof folder.path, "/tmp/attnscope-test-XXXXXX");
    *state = &folder;
    return mkdtemp(folder.path) ? 0 : 1;
}

static int remove_folder(void **state)
{
    Folder *folder = *state;
    char **names;
    size_t n;
    if (folder_list(&folder->arena, folder->path, &names, &n, NULL)) {
        for (size_t i = 0; i < n; i++) {
            remove(path_join(&folder->arena, folder->path, names[i], NULL));
        }
    }
    arena_destroy(&folder->arena);
    return remove(folder->path);
}

static void add_file(Folder *folder, const char *name, const void *bytes, size_t n)
{
    Error err = {0};
    assert_ok(file_write_all(path_join(&folder->arena, folder->path, name, &err), bytes, n, &err),
              err);
}

static void add_shard(Folder *folder, const char *name, const char *tensor)
{
    char header[128];
    snprintf(header, sizeof header,
             "{\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", tensor);
    StrBuf buf = file_of(header, 4);
    add_file(folder, name, buf.text, buf.n);
    strbuf_free(&buf);
}

static void test_tensor_file_open__folder_with_shards(void **state)
{
    Folder *folder = *state;
    Error err = {0};
    assert_null(tensor_file_open(folder->path, &err));
    assert_non_null(strstr(err.message, "holds no weights"));
    add_file(folder, "pytorch_model.bin", "PK\003\004", 4);
    assert_null(tensor_file_open(folder->path, &err));
    assert_non_null(strstr(err.message, "can run code"));
    assert_int_equal(err.code, ERR_UNSUPPORTED);

    static const char *const indexes[][2] = {
        {"{}", "no object \"weight_map\""},
        {"{\"weight_map\":{\"a\":\"../m-1.safetensors\"}}", "must name files beside it"},
        {"{\"weight_map\":{\"a\":3}}", "must name files beside it"},
        {"{\"weight_map\":{\"a\":\"m-3.safetensors\"}}", "cannot open"},
        {"{\"weight_map\":{\"a\":\"pytorch_model.bin\"}}", "can run code"},
        {"{\"weight_map\":{\"a\":\"m.gguf\"}}", "m.gguf is no safetensors"},
        {"{\"weight_map\":{\"a\":\"m-1.safetensors\",\"c\":\"m-2.safetensors\"}}",
         "tensor \"c\" is not in m-2.safetensors"},
        {"{\"weight_map\":{\"a\":\"m-1.safetensors\",\"x\":\"m-3.safetensors\"}}", "cannot open"},
    };
    add_shard(folder, "m-1.safetensors", "a");
    add_shard(folder, "m-2.safetensors", "b");
    add_file(folder, "m.gguf", "GGUF\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
    for (size_t i = 0; i < AS_COUNT(indexes); i++) {
        add_file(folder, "model.safetensors.index.json", indexes[i][0], strlen(indexes[i][0]));
        assert_null(tensor_file_open(folder->path, &err));
        if (!strstr(err.message, indexes[i][1])) {
            fail_msg("%s: %s, expected \"%s\"", indexes[i][0], err.message, indexes[i][1]);
        }
    }
    assert_int_equal(
        remove(path_join(&folder->arena, folder->path, "model.safetensors.index.json", &err)), 0);
    assert_null(tensor_file_open(folder->path, &err));
    assert_non_null(strstr(err.message, "holds 2 .safetensors files, m-1.safetensors the first"));
    static const char good[] =
        "{\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\"}}";
    add_file(folder, "model.safetensors.index.json", good, sizeof good - 1);
    TensorFile *file = tensor_file_open(folder->path, &err);
    assert_ok(file != NULL, err);
    assert_int_equal(tensor_file_count(file), 2);
    assert_non_null(tensor_file_find(file, "a"));
    assert_non_null(tensor_file_find(file, "b"));
    tensor_file_close(&file);

    add_shard(folder, "m-2.safetensors", "a");
    assert_null(tensor_file_open(folder->path, &err));
    assert_non_null(strstr(err.message, "comes twice"));
    add_shard(folder, "model.safetensors", "a");
    file = tensor_file_open(folder->path, &err);
    assert_ok(file != NULL, err);
    assert_int_equal(tensor_file_count(file), 1);
    tensor_file_close(&file);
}

static void test_tensor_file_open__missing(void **state)
{
    (void)state;
    Error err = {0};
    assert_null(tensor_file_open("/nowhere/model.safetensors", &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "/nowhere/model.safetensors"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensor_file_open__bad_headers),
        cmocka_unit_test(test_tensor_file_open__other_contents),
        cmocka_unit_test(test_tensor_file_open__good_file),
        cmocka_unit_test(test_tensor_file_need__says_both_shapes),
        cmocka_unit_test(test_tensor_file_open__cut_or_changed),
        cmocka_unit_test_setup_teardown(test_tensor_file_open__folder_with_shards, make_folder,
                                        remove_folder),
        cmocka_unit_test(test_tensor_file_open__missing),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
