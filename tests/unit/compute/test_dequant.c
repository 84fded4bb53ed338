/*
 * The whole table of types against the gguf package is in tests/golden/test_dequant_golden.c; here
 * are the pieces that can be reckoned by hand, ranges, and what is refused.
 */
#include "testing.h"

#include "compute/dequant.h"

static void test_dequant_rows__plain_types(void **state)
{
    (void)state;
    Error err = {0};
    float dst[3];
    /* One byte in front, so that nothing is aligned. */
    unsigned char bytes[1 + 3 * 8];
    const float f32[] = {1.5f, -INFINITY, -0.0f};
    memcpy(bytes + 1, f32, sizeof f32);
    assert_ok(dequant_rows(DTYPE_F32, bytes + 1, 3, dst, &err), err);
    assert_memory_equal(dst, f32, sizeof f32);
    const double f64[] = {0.1, 1e300, -2};
    memcpy(bytes + 1, f64, sizeof f64);
    assert_ok(dequant_rows(DTYPE_F64, bytes + 1, 3, dst, &err), err);
    assert_true(dst[0] == 0.1f && isinf(dst[1]) && dst[2] == -2);
    const uint16_t bf16[] = {0x3F80, 0xC020, 0x0001};
    memcpy(bytes + 1, bf16, sizeof bf16);
    assert_ok(dequant_rows(DTYPE_BF16, bytes + 1, 3, dst, &err), err);
    assert_true(dst[0] == 1 && dst[1] == -2.5f && dst[2] == 0x1p-133f);
    const uint16_t f16[] = {0x3C00, 0xC100, 0x0001};
    memcpy(bytes + 1, f16, sizeof f16);
    assert_ok(dequant_rows(DTYPE_F16, bytes + 1, 3, dst, &err), err);
    assert_true(dst[0] == 1 && dst[1] == -2.5f && dst[2] == 0x1p-24f);
}

static void test_dequant_rows__q4_1_by_hand(void **state)
{
    (void)state;
    /* d = 0.5, m = -1; low nibbles 0..15 are elements 0..15, high nibbles 15..0 the rest. */
    unsigned char block[20] = {0x00, 0x38, 0x00, 0xBC};
    float expected[32];
    for (int j = 0; j < 16; j++) {
        block[4 + j] = (unsigned char)(j | (15 - j) << 4);
        expected[j] = 0.5f * (float)j - 1;
        expected[16 + j] = 0.5f * (float)(15 - j) - 1;
    }
    Error err = {0};
    float dst[32];
    assert_ok(dequant_rows(DTYPE_Q4_1, block, 32, dst, &err), err);
    assert_close(dst, expected, 32, 0, 0);
}

static void test_dequant_row_range__is_a_part_of_all(void **state)
{
    (void)state;
    enum { ROWS = 5, COLUMNS = 64 };
    unsigned char blocks[ROWS * COLUMNS / 32 * 34];
    for (size_t i = 0; i < sizeof blocks; i++) {
        blocks[i] = (unsigned char)(i % 34 < 2 ? 0x2C : i * 37);
    }
    Error err = {0};
    float all[ROWS * COLUMNS];
    assert_ok(dequant_rows(DTYPE_Q8_0, blocks, ROWS * COLUMNS, all, &err), err);
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t n = 0; row + n <= ROWS; n++) {
            float part[ROWS * COLUMNS + 1];
            part[n * COLUMNS] = 77;
            assert_ok(dequant_row_range(DTYPE_Q8_0, blocks, COLUMNS, row, n, part, &err), err);
            assert_memory_equal(part, all + row * COLUMNS, n * COLUMNS * sizeof *part);
            assert_true(part[n * COLUMNS] == 77);
        }
    }
}

static void test_dequant_rows__refuses(void **state)
{
    (void)state;
    Error err = {0};
    float dst[512];
    unsigned char block[512] = {0};
    assert_false(dequant_rows(DTYPE_Q4_0, block, 33, dst, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(dequant_row_range(DTYPE_Q4_K, block, 128, 0, 2, dst, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(dequant_row_range(DTYPE_F32, block, SIZE_MAX / 8, 64, 1, dst, &err));
    assert_int_equal(err.code, ERR_RANGE);
    static const DType refused[] = {DTYPE_IQ2_XXS, DTYPE_I32, DTYPE_U8, DTYPE_F8_E4M3, DTYPE_COUNT};
    for (size_t i = 0; i < AS_COUNT(refused); i++) {
        assert_false(dequant_supported(refused[i]));
        assert_false(dequant_rows(refused[i], block, 256, dst, &err));
        assert_int_equal(err.code, ERR_UNSUPPORTED);
        assert_non_null(strstr(err.message, dtype_name(refused[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dequant_rows__plain_types),
        cmocka_unit_test(test_dequant_rows__q4_1_by_hand),
        cmocka_unit_test(test_dequant_row_range__is_a_part_of_all),
        cmocka_unit_test(test_dequant_rows__refuses),
    };
    return cmocka_run_group_tests_name("dequant", tests, NULL, NULL);
}
