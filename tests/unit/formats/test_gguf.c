#include "testing.h"

#include "formats/tensor_file_internal.h"

#include "bytes.h"
#include "hostile.h"

enum { T_U8, T_I8, T_U16, T_I16, T_U32, T_I32, T_F32, T_BOOL, T_STRING, T_ARRAY, T_U64, T_I64 };
enum { GGML_F32 = 0, GGML_Q4_0 = 2 };

static void put_header(StrBuf *buf, uint32_t version, uint64_t n_tensors, uint64_t n_values)
{
    put_text(buf, "GGUF");
    put_u32(buf, version);
    put_u64(buf, n_tensors);
    put_u64(buf, n_values);
}

static void put_key(StrBuf *buf, const char *key, uint32_t type)
{
    put_string(buf, key);
    put_u32(buf, type);
}

static void put_key_u32(StrBuf *buf, const char *key, uint32_t value)
{
    put_key(buf, key, T_U32);
    put_u32(buf, value);
}

static void put_array(StrBuf *buf, const char *key, uint32_t type, uint64_t count)
{
    put_key(buf, key, T_ARRAY);
    put_u32(buf, type);
    put_u64(buf, count);
}

/* ne fastest first, ended by 0xFFFF… */
static void put_tensor(StrBuf *buf, const char *name, uint32_t n_dims, const uint64_t *ne,
                       uint32_t type, uint64_t offset)
{
    put_string(buf, name);
    put_u32(buf, n_dims);
    for (uint32_t i = 0; i < n_dims; i++) {
        put_u64(buf, ne[i]);
    }
    put_u32(buf, type);
    put_u64(buf, offset);
}

static void put_data(StrBuf *buf, size_t alignment, size_t n_bytes)
{
    put_zeros(buf, (alignment - buf->n % alignment) % alignment + n_bytes);
}

#define NE(...)                                                                                    \
    (const uint64_t[])                                                                             \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* A right file with every kind of value and two tensors. */
static void build_good(StrBuf *buf)
{
    put_header(buf, 3, 2, 11);
    put_key(buf, "general.architecture", T_STRING);
    put_string(buf, "llama");
    put_key_u32(buf, "general.alignment", 64);
    put_key(buf, "u8", T_U8);
    put_bytes(buf, "\xFF", 1);
    put_key(buf, "i8", T_I8);
    put_bytes(buf, "\xFF", 1);
    put_key(buf, "u64", T_U64);
    put_u64(buf, UINT64_MAX);
    put_key(buf, "i64", T_I64);
    put_u64(buf, (uint64_t)-5);
    put_key(buf, "yes", T_BOOL);
    put_bytes(buf, "\1", 1);
    put_key(buf, "eps", T_F32);
    put_bytes(buf, &(float){0.5f}, 4);
    put_array(buf, "tokens", T_STRING, 3);
    put_string(buf, "a");
    put_string(buf, "");
    put_u64(buf, 3);
    put_bytes(buf, "\xFF\0b", 3);
    put_array(buf, "scores", T_F32, 2);
    put_bytes(buf, (float[]){1, -2}, 8);
    put_array(buf, "types", T_I16, 2);
    put_bytes(buf, (int16_t[]){7, -7}, 4);
    put_tensor(buf, "w", 2, NE(32, 3), GGML_Q4_0, 0);
    put_tensor(buf, "norm", 1, NE(4), GGML_F32, 64);
    put_data(buf, 64, 80);
}

static void test_tensor_file_open__good_file(void **state)
{
    (void)state;
    StrBuf buf = {0};
    build_good(&buf);
    unsigned char *copy = exact_copy(buf.text, buf.n);
    Error err = {0};
    TensorFile *file = tensor_file_open_memory("x.gguf", copy, buf.n, &err);
    assert_ok(file != NULL, err);
    assert_int_equal(tensor_file_kind(file), TENSOR_FILE_GGUF);
    const int64_t shape[] = {3, 32};
    const TensorView *w = tensor_file_need(file, "w", 2, shape, &err);
    assert_ok(w != NULL, err);
    assert_int_equal(w->n_bytes, 54);
    assert_int_equal((const unsigned char *)w->data - copy, buf.n - 80);
    const TensorView *norm = tensor_file_find(file, "norm");
    assert_int_equal((const unsigned char *)norm->data - copy, buf.n - 16);
    assert_int_equal(tensor_file_meta_count(file), 11);
    TextView text;
    assert_ok(tensor_file_get_string(file, "general.architecture", &text, &err), err);
    assert_true(text.n == 5 && memcmp(text.text, "llama", 5) == 0);
    int64_t v;
    assert_ok(tensor_file_get_int(file, "u8", 0, 255, 0, &v, &err), err);
    assert_int_equal(v, 255);
    assert_ok(tensor_file_get_int(file, "i8", -1, 0, 0, &v, &err), err);
    assert_int_equal(v, -1);
    assert_ok(tensor_file_get_int(file, "i64", INT64_MIN, INT64_MAX, 0, &v, &err), err);
    assert_int_equal(v, -5);
    assert_ok(tensor_file_get_int(file, "none", 0, 1, 77, &v, &err), err);
    assert_int_equal(v, 77);
    assert_false(tensor_file_get_int(file, "u64", INT64_MIN, INT64_MAX, 0, &v, &err));
    assert_false(tensor_file_get_int(file, "u8", 0, 254, 0, &v, &err));
    assert_non_null(strstr(err.message, "x.gguf: metadata \"u8\" is 255, expected a whole number "
                                        "from 0 to 254"));
    assert_false(tensor_file_get_int(file, "eps", 0, 9, 0, &v, &err));
    double d;
    assert_ok(tensor_file_get_number(file, "eps", 0, &d, &err), err);
    assert_true(d == 0.5);
    assert_ok(tensor_file_get_number(file, "u64", 0, &d, &err), err);
    assert_true(d == 0x1p64);
    assert_false(tensor_file_get_number(file, "scores", 0, &d, &err));
    bool yes = false;
    assert_ok(tensor_file_get_bool(file, "yes", false, &yes, &err), err);
    assert_true(yes);
    assert_false(tensor_file_get_bool(file, "u8", false, &yes, &err));
    tensor_file_close(&file);
    free(copy);
    strbuf_free(&buf);
}

static void test_tensor_file_get_arrays__good_file(void **state)
{
    (void)state;
    StrBuf buf = {0};
    build_good(&buf);
    Error err = {0};
    Arena arena = {0};
    TensorFile *file = tensor_file_open_memory("x.gguf", buf.text, buf.n, &err);
    assert_ok(file != NULL, err);
    const TextView *tokens;
    size_t n;
    assert_ok(tensor_file_get_strings(file, "tokens", &tokens, &n, &err), err);
    assert_int_equal(n, 3);
    assert_int_equal(tokens[1].n, 0);
    assert_memory_equal(tokens[2].text, "\xFF\0b", 3);
    float *scores;
    assert_ok(tensor_file_get_floats(file, "scores", &arena, &scores, &n, &err), err);
    assert_true(n == 2 && scores[0] == 1.0f && scores[1] == -2.0f);
    int64_t *ints;
    assert_ok(tensor_file_get_ints(file, "types", &arena, &ints, &n, &err), err);
    assert_true(n == 2 && ints[0] == 7 && ints[1] == -7);
    assert_ok(tensor_file_get_ints(file, "u8", &arena, &ints, &n, &err), err);
    assert_true(n == 1 && ints[0] == 255);
    assert_ok(tensor_file_get_ints(file, "none", &arena, &ints, &n, &err), err);
    assert_true(n == 0 && ints == NULL);
    assert_false(tensor_file_get_ints(file, "scores", &arena, &ints, &n, &err));
    assert_false(tensor_file_get_ints(file, "u64", &arena, &ints, &n, &err));
    assert_false(tensor_file_get_strings(file, "scores", &tokens, &n, &err));
    assert_non_null(strstr(err.message, "is an array of type number, expected an array of "
                                        "strings"));
    assert_false(tensor_file_get_floats(file, "tokens", &arena, &scores, &n, &err));
    tensor_file_close(&file);
    arena_destroy(&arena);
    strbuf_free(&buf);
}

static void bad_version_1(StrBuf *b)
{
    put_header(b, 1, 0, 0);
}

static void bad_big_endian(StrBuf *b)
{
    put_header(b, 3u << 24, 0, 0);
}

static void bad_tensor_count(StrBuf *b)
{
    put_header(b, 3, UINT64_MAX, 0);
    put_zeros(b, 100);
}

static void bad_key_count(StrBuf *b)
{
    put_header(b, 3, 0, 1ull << 40);
    put_zeros(b, 100);
}

static void bad_key_length(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_u64(b, UINT64_MAX - 4);
    put_zeros(b, 100);
}

static void bad_key_text(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_key_u32(b, "k\xC3(", 1);
}

static void bad_key_nul(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_u64(b, 3);
    put_bytes(b, "a\0b", 3);
    put_u32(b, T_U32);
    put_u32(b, 1);
}

static void bad_value_type(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_key(b, "k", 13);
    put_zeros(b, 40);
}

static void bad_nested_array(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_array(b, "k", T_ARRAY, 1);
    put_u32(b, T_U8);
    put_zeros(b, 40);
}

static void bad_array_count(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_array(b, "k", T_F32, (UINT64_MAX >> 2) + 1);
    put_zeros(b, 40);
}

static void bad_string_count(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_array(b, "k", T_STRING, 1ull << 50);
    put_zeros(b, 40);
}

static void bad_string_length(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_array(b, "k", T_STRING, 2);
    put_u64(b, 1ull << 63);
    put_zeros(b, 40);
}

static void bad_bool(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_key(b, "k", T_BOOL);
    put_bytes(b, "\2", 1);
}

static void bad_alignment_zero(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_key_u32(b, "general.alignment", 0);
}

static void bad_alignment_odd(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_key_u32(b, "general.alignment", 24);
}

static void bad_alignment_type(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_key(b, "general.alignment", T_U64);
    put_u64(b, 32);
}

static void bad_twice_key(StrBuf *b)
{
    put_header(b, 3, 0, 2);
    put_key_u32(b, "k", 1);
    put_key_u32(b, "k", 2);
}

static void bad_split(StrBuf *b)
{
    put_header(b, 3, 0, 1);
    put_key(b, "split.count", T_U16);
    put_bytes(b, "\3\0", 2);
}

static void bad_n_dims(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "w", 9, NE(1, 1, 1, 1, 1, 1, 1, 1, 1), GGML_F32, 0);
    put_data(b, 32, 4);
}

static void bad_dim(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "w", 1, NE(1ull << 63), GGML_F32, 0);
    put_data(b, 32, 4);
}

static void bad_product(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "w", 2, NE(1ull << 32, 1ull << 32), GGML_F32, 0);
    put_data(b, 32, 4);
}

static void bad_bytes(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "w", 2, NE(1ull << 31, 1ull << 31), GGML_F32, 0);
    put_data(b, 32, 4);
}

static void bad_block(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "w", 2, NE(16, 2), GGML_Q4_0, 0);
    put_data(b, 32, 18);
}

static void bad_tensor_type(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "w", 1, NE(4), 4, 0);
    put_data(b, 32, 16);
}

static void bad_offset_alignment(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "w", 1, NE(4), GGML_F32, 8);
    put_data(b, 32, 64);
}

static void bad_offset_end(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "w", 1, NE(4), GGML_F32, 32);
    put_data(b, 32, 40);
}

static void bad_offset_huge(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "w", 1, NE(4), GGML_F32, UINT64_MAX - 31);
    put_data(b, 32, 40);
}

static void bad_no_data(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "w", 1, NE(4), GGML_F32, 0);
}

static void bad_overlap(StrBuf *b)
{
    put_header(b, 3, 2, 0);
    put_tensor(b, "v", 1, NE(9), GGML_F32, 0);
    put_tensor(b, "w", 1, NE(4), GGML_F32, 32);
    put_data(b, 32, 48);
}

static void bad_twice_tensor(StrBuf *b)
{
    put_header(b, 3, 2, 0);
    put_tensor(b, "w", 1, NE(4), GGML_F32, 0);
    put_tensor(b, "w", 1, NE(4), GGML_F32, 32);
    put_data(b, 32, 48);
}

static void bad_tensor_name(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "\x80", 1, NE(4), GGML_F32, 0);
    put_data(b, 32, 16);
}

static void bad_empty_name(StrBuf *b)
{
    put_header(b, 3, 1, 0);
    put_tensor(b, "", 1, NE(4), GGML_F32, 0);
    put_data(b, 32, 17);
}

static const struct {
    void (*build)(StrBuf *);
    ErrorCode code;
    const char *says;
} bad_files[] = {
    {bad_version_1, ERR_UNSUPPORTED, "version 1, expected 2 or 3"},
    {bad_big_endian, ERR_UNSUPPORTED, "big-endian"},
    {bad_tensor_count, ERR_FORMAT, "claims 18446744073709551615 tensors"},
    {bad_key_count, ERR_FORMAT, "1099511627776 metadata keys"},
    {bad_key_length, ERR_FORMAT, "cut short"},
    {bad_key_text, ERR_FORMAT, "expected a name in UTF-8"},
    {bad_key_nul, ERR_FORMAT, "expected a name in UTF-8"},
    {bad_value_type, ERR_FORMAT, "has type 13"},
    {bad_nested_array, ERR_UNSUPPORTED, "array of arrays"},
    {bad_array_count, ERR_FORMAT, "claims 4611686018427387904 items"},
    {bad_string_count, ERR_FORMAT, "claims 1125899906842624 items"},
    {bad_string_length, ERR_FORMAT, "should have 9223372036854775808 bytes"},
    {bad_bool, ERR_FORMAT, "truth value 2"},
    {bad_alignment_zero, ERR_FORMAT, "power of two"},
    {bad_alignment_odd, ERR_FORMAT, "power of two"},
    {bad_alignment_type, ERR_FORMAT, "must be an u32"},
    {bad_twice_key, ERR_FORMAT, "\"k\" comes twice"},
    {bad_split, ERR_UNSUPPORTED, "one of 3 parts"},
    {bad_n_dims, ERR_FORMAT, "9 dimensions"},
    {bad_dim, ERR_FORMAT, "past 2^63"},
    {bad_product, ERR_FORMAT, "more than 2^63 elements"},
    {bad_bytes, ERR_FORMAT, "more than 2^63 elements or bytes"},
    {bad_block, ERR_FORMAT, "blocks of 32"},
    {bad_tensor_type, ERR_UNSUPPORTED, "type 4 of ggml"},
    {bad_offset_alignment, ERR_FORMAT, "not at a multiple of 32"},
    {bad_offset_end, ERR_FORMAT, "cut short"},
    {bad_offset_huge, ERR_FORMAT, "cut short"},
    {bad_no_data, ERR_FORMAT, "cut short"},
    {bad_overlap, ERR_FORMAT, "inside \"v\""},
    {bad_twice_tensor, ERR_FORMAT, "\"w\" comes twice"},
    {bad_tensor_name, ERR_FORMAT, "expected a name in UTF-8"},
    {bad_empty_name, ERR_FORMAT, "expected a name in UTF-8"},
};

static void test_tensor_file_open__bad_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < AS_COUNT(bad_files); i++) {
        StrBuf buf = {0};
        bad_files[i].build(&buf);
        unsigned char *copy = exact_copy(buf.text, buf.n);
        Error err = {0};
        TensorFile *file = tensor_file_open_memory("x.gguf", copy, buf.n, &err);
        bool as_expected = !file && err.code == bad_files[i].code &&
                           strstr(err.message, bad_files[i].says) && strstr(err.message, "x.gguf");
        tensor_file_close(&file);
        free(copy);
        strbuf_free(&buf);
        if (!as_expected) {
            fail_msg("case %zu: %s \"%s\", expected \"%s\"", i, error_code_name(err.code),
                     err.message, bad_files[i].says);
        }
    }
}

static void test_tensor_file_open__cut_or_changed(void **state)
{
    (void)state;
    StrBuf buf = {0};
    build_good(&buf);
    static const unsigned char changes[] = {0x00, 0x01, 0x09, 0x7F, 0xFF};
    check_cut_or_changed("x.gguf", &buf, changes, sizeof changes);
    strbuf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensor_file_open__good_file),
        cmocka_unit_test(test_tensor_file_get_arrays__good_file),
        cmocka_unit_test(test_tensor_file_open__bad_files),
        cmocka_unit_test(test_tensor_file_open__cut_or_changed),
    };
    return cmocka_run_group_tests_name("gguf", tests, NULL, NULL);
}
