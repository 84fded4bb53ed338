#include "testing.h"

#include "formats/npy.h"

#include "bytes.h"

#include <unistd.h>

/* A file of version `version` with this header text and n_data zero bytes. */
static StrBuf file_of(int version, const char *header, size_t n_data)
{
    StrBuf buf = {0};
    put_bytes(&buf, "\x93NUMPY", 6);
    put_bytes(&buf, (unsigned char[]){(unsigned char)version, 0}, 2);
    uint32_t n = (uint32_t)strlen(header);
    put_bytes(&buf, &n, version == 1 ? 2 : 4);
    put_text(&buf, header);
    put_zeros(&buf, n_data);
    return buf;
}

static void test_npy_open__bad_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t n_data;
        ErrorCode code;
        const char *says;
    } cases[] = {
        {"", 0, ERR_FORMAT, "expected a dict"},
        {"{", 0, ERR_FORMAT, "expected a key"},
        {"{}", 0, ERR_FORMAT, "expected descr"},
        {"{'descr': '<f4', 'shape': (1,)}", 4, ERR_FORMAT, "expected descr"},
        {"{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", 4, ERR_FORMAT, "each of"},
        {"{'descr': '<f4', 'other': 1, 'shape': (1,)}", 4, ERR_FORMAT, "each of"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", 4, ERR_UNSUPPORTED,
         "big-endian"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 4, ERR_UNSUPPORTED,
         "can run code"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", 8, ERR_UNSUPPORTED,
         "element type"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, ERR_UNSUPPORTED,
         "records"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", 16, ERR_UNSUPPORTED,
         "Fortran order"},
        {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}", 4, ERR_FORMAT,
         "expected True or False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 4}", 16, ERR_FORMAT,
         "expected a shape"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}", 16, ERR_FORMAT,
         "expected a size"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4", 16, ERR_FORMAT,
         "expected a comma"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}", 12, ERR_FORMAT, "12 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}", 20, ERR_FORMAT, "20 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999,)}", 16, ERR_FORMAT,
         "cut short"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999,)}", 16,
         ERR_FORMAT, "expected a comma"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 16,
         ERR_FORMAT, "cut short"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1)}", 4,
         ERR_UNSUPPORTED, "more than 8"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        StrBuf buf = file_of(1, cases[i].header, cases[i].n_data);
        unsigned char *copy = exact_copy(buf.text, buf.n);
        NpyArray array;
        Error err = {0};
        bool opened = npy_open_memory(&array, "x.npy", copy, buf.n, &err);
        strbuf_free(&buf);
        free(copy);
        if (opened || err.code != cases[i].code || !strstr(err.message, cases[i].says)) {
            fail_msg("%s: %s \"%s\", expected \"%s\"", cases[i].header, error_code_name(err.code),
                     err.message, cases[i].says);
        }
    }
}

static void test_npy_open__cut_short(void **state)
{
    (void)state;
    for (int version = 1; version <= 3; version++) {
        StrBuf buf =
            file_of(version, "{\"shape\": (2, 1), 'fortran_order': False, 'descr': '<i2', }\n", 4);
        for (size_t n = 0; n <= buf.n; n++) {
            unsigned char *copy = exact_copy(buf.text, n);
            NpyArray array;
            Error err = {0};
            assert_int_equal(npy_open_memory(&array, "x.npy", copy, n, &err), n == buf.n);
            free(copy);
        }
        strbuf_free(&buf);
    }
    StrBuf buf = file_of(4, "{}", 0);
    NpyArray array;
    Error err = {0};
    assert_false(npy_open_memory(&array, "x.npy", buf.text, buf.n, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    strbuf_free(&buf);
}

static void test_npy_to_floats__every_type(void **state)
{
    (void)state;
    static const struct {
        DType dtype;
        const char *code;
        union {
            float f32[2];
            double f64[2];
            uint16_t u16[2];
            uint8_t u8[2];
            int8_t i8[2];
            int16_t i16[2];
            int32_t i32[2];
            int64_t i64[2];
            uint32_t u32[2];
            uint64_t u64[2];
        } v;
        float expected[2];
    } cases[] = {
        {DTYPE_F32, "<f4", {.f32 = {1.5f, -2}}, {1.5f, -2}},
        {DTYPE_F64, "<f8", {.f64 = {0.1, -3}}, {0.1f, -3}},
        {DTYPE_F16, "<f2", {.u16 = {0x3C00, 0xC100}}, {1, -2.5f}},
        {DTYPE_BOOL, "|b1", {.u8 = {0, 1}}, {0, 1}},
        {DTYPE_I8, "|i1", {.i8 = {-128, 127}}, {-128, 127}},
        {DTYPE_I16, "<i2", {.i16 = {-32768, 5}}, {-32768, 5}},
        {DTYPE_I32, "<i4", {.i32 = {-7, 1 << 20}}, {-7, 1 << 20}},
        {DTYPE_I64, "<i8", {.i64 = {-9, 1ll << 40}}, {-9, 0x1p40f}},
        {DTYPE_U8, "|u1", {.u8 = {200, 1}}, {200, 1}},
        {DTYPE_U16, "<u2", {.u16 = {65535, 1}}, {65535, 1}},
        {DTYPE_U32, "<u4", {.u32 = {4294967295u, 1}}, {4294967296.0f, 1}},
        {DTYPE_U64, "<u8", {.u64 = {1ull << 62, 1}}, {0x1p62f, 1}},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        char header[128];
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (2,)}",
                 cases[i].code);
        StrBuf buf = file_of(1, header, 0);
        put_bytes(&buf, &cases[i].v, 2 * (size_t)dtype_info(cases[i].dtype)->block_bytes);
        NpyArray array;
        Error err = {0};
        assert_ok(npy_open_memory(&array, "x.npy", buf.text, buf.n, &err), err);
        assert_int_equal(array.dtype, cases[i].dtype);
        float floats[2];
        npy_to_floats(&array, floats);
        assert_close(floats, cases[i].expected, 2, 0, 0);
        npy_close(&array);
        strbuf_free(&buf);
    }
}

static char *temporary_path(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/attnscope-npy-%ld.npy", (long)getpid());
    return path;
}

static int remove_temporary(void **state)
{
    (void)state;
    remove(temporary_path());
    return 0;
}

static void test_npy_write__header_is_numpys(void **state)
{
    (void)state;
    static const struct {
        DType dtype;
        int32_t n_dims;
        int64_t shape[3];
        const char *header;
    } cases[] = {
        {DTYPE_F32, 2, {2, 3}, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"},
        {DTYPE_F64, 1, {5}, "{'descr': '<f8', 'fortran_order': False, 'shape': (5,), }"},
        {DTYPE_I64, 0, {0}, "{'descr': '<i8', 'fortran_order': False, 'shape': (), }"},
        {DTYPE_U8, 3, {0, 1, 9}, "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 1, 9), }"},
    };
    static const double zeros[16];
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        assert_ok(npy_write(temporary_path(), cases[i].dtype, cases[i].n_dims, cases[i].shape,
                            zeros, &err),
                  err);
        FileMap map;
        assert_ok(file_map_open(&map, temporary_path(), &err), err);
        size_t n = strlen(cases[i].header);
        assert_memory_equal(map.data, "\x93NUMPY\1\0", 8);
        assert_memory_equal(map.data + 10, cases[i].header, n);
        size_t n_header = map.data[8] | (size_t)map.data[9] << 8;
        assert_int_equal((10 + n_header) % 64, 0);
        assert_int_equal(map.data[10 + n_header - 1], '\n');
        file_map_close(&map);
        NpyArray array;
        assert_ok(npy_open(&array, temporary_path(), &err), err);
        assert_int_equal(array.dtype, cases[i].dtype);
        assert_int_equal(array.n_dims, cases[i].n_dims);
        npy_close(&array);
    }
}

static void test_npy_writer__whole_or_not_at_all(void **state)
{
    (void)state;
    const char *path = temporary_path();
    const int64_t shape[] = {3, 2};
    const int32_t rows[] = {1, -2, 3, 4, 5, 6, 7};
    Error err = {0};
    NpyWriter writer;
    assert_ok(npy_writer_open(&writer, path, DTYPE_I32, 2, shape, &err), err);
    assert_ok(npy_writer_append(&writer, rows, 5, &err), err);
    assert_false(path_exists(path));
    assert_false(npy_writer_append(&writer, rows, 2, &err));
    assert_false(npy_writer_commit(&writer, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_false(path_exists(path));
    npy_writer_abort(&writer);

    assert_ok(npy_writer_open(&writer, path, DTYPE_I32, 2, shape, &err), err);
    assert_ok(npy_writer_append(&writer, rows, 1, &err), err);
    assert_ok(npy_writer_append(&writer, rows + 1, 5, &err), err);
    assert_ok(npy_writer_commit(&writer, &err), err);
    npy_writer_abort(&writer);
    NpyArray array;
    assert_ok(npy_open(&array, path, &err), err);
    assert_int_equal(array.shape[0], 3);
    assert_int_equal(array.shape[1], 2);
    float floats[6];
    npy_to_floats(&array, floats);
    for (int i = 0; i < 6; i++) {
        assert_true(floats[i] == (float)rows[i]);
    }
    npy_close(&array);
    npy_close(&array);
}

static void test_npy_writer_open__refuses(void **state)
{
    (void)state;
    Error err = {0};
    NpyWriter writer;
    const int64_t negative[] = {-1};
    const int64_t huge[] = {1ll << 40, 1ll << 40};
    const int64_t one[] = {1};
    assert_false(npy_writer_open(&writer, temporary_path(), DTYPE_F32, 1, negative, &err));
    assert_false(npy_writer_open(&writer, temporary_path(), DTYPE_F32, 2, huge, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(npy_writer_open(&writer, temporary_path(), DTYPE_Q4_0, 1, one, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_false(npy_writer_open(&writer, "/nowhere/x.npy", DTYPE_F32, 1, one, &err));
    assert_int_equal(err.code, ERR_IO);
    npy_writer_abort(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy_open__bad_headers),
        cmocka_unit_test(test_npy_open__cut_short),
        cmocka_unit_test(test_npy_to_floats__every_type),
        cmocka_unit_test_teardown(test_npy_write__header_is_numpys, remove_temporary),
        cmocka_unit_test_teardown(test_npy_writer__whole_or_not_at_all, remove_temporary),
        cmocka_unit_test(test_npy_writer_open__refuses),
    };
    return cmocka_run_group_tests_name("npy", tests, NULL, NULL);
}
