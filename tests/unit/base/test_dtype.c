#include "testing.h"

#include "base/dtype.h"
#include "base/half.h"

static void test_dtype__names_lead_back(void **state)
{
    (void)state;
    for (int i = 0; i < DTYPE_COUNT; i++) {
        const DTypeInfo *info = dtype_info((DType)i);
        DType found;
        assert_true(info->ggml >= 0 || info->safetensors[0]);
        if (info->ggml >= 0) {
            assert_true(dtype_from_ggml((uint32_t)info->ggml, &found) && found == (DType)i);
        }
        if (info->safetensors[0]) {
            assert_true(dtype_from_safetensors(info->safetensors, &found) && found == (DType)i);
        }
        size_t n;
        assert_true(dtype_bytes((DType)i, (size_t)info->block_elements * 3, &n));
        assert_int_equal(n, info->block_bytes * 3);
    }
    DType found;
    assert_false(dtype_from_ggml(UINT32_MAX, &found));
    assert_false(dtype_from_ggml(5, &found));
    assert_false(dtype_from_safetensors("", &found));
    assert_string_equal(dtype_name(DTYPE_COUNT), "?");
}

static void test_dtype_bytes__refuses(void **state)
{
    (void)state;
    size_t n;
    assert_false(dtype_bytes(DTYPE_Q4_0, 31, &n));
    assert_false(dtype_bytes(DTYPE_F32, SIZE_MAX / 2, &n));
}

/* The definition, in double. */
static double half_value(uint16_t h)
{
    int exponent = h >> 10 & 31;
    int mantissa = h & 1023;
    double v = exponent == 31 ? (mantissa ? NAN : INFINITY)
               : exponent     ? ldexp(1024 + mantissa, exponent - 25)
                              : ldexp(mantissa, -24);
    return h & 0x8000 ? -v : v;
}

static void test_half_to_float__every_value(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float f = half_to_float((uint16_t)h);
        double expected = half_value((uint16_t)h);
        bool same =
            isnan(expected) ? isnan(f) : (double)f == expected && !signbit(f) == !(h & 0x8000);
        if (!same) {
            fail_msg("%04x gives %.9g, expected %.9g", h, (double)f, expected);
        }
        uint16_t back = float_to_half(f);
        if (isnan(expected) ? !isnan(half_to_float(back)) : back != h) {
            fail_msg("%04x comes back as %04x", h, back);
        }
    }
}

static void test_float_to_half__nearest_even(void **state)
{
    (void)state;
    /* Between each two neighbours: the tie goes to the even one, a little to either side does not.
     */
    for (uint16_t h = 0; h < 0x7C00; h++) {
        double low = half_value(h);
        double high = h + 1 == 0x7C00 ? 65536 : half_value((uint16_t)(h + 1));
        float tie = (float)((low + high) / 2);
        uint16_t even = (uint16_t)(h + (h & 1));
        assert_int_equal(float_to_half(tie), even);
        assert_int_equal(float_to_half(-tie), even | 0x8000);
        assert_int_equal(float_to_half(nextafterf(tie, 0)), h);
        assert_int_equal(float_to_half(nextafterf(tie, INFINITY)), h + 1);
    }
    assert_int_equal(float_to_half(1e30f), 0x7C00);
    assert_int_equal(float_to_half(-INFINITY), 0xFC00);
    assert_int_equal(float_to_half(1e-30f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dtype__names_lead_back),
        cmocka_unit_test(test_dtype_bytes__refuses),
        cmocka_unit_test(test_half_to_float__every_value),
        cmocka_unit_test(test_float_to_half__nearest_even),
    };
    return cmocka_run_group_tests_name("dtype", tests, NULL, NULL);
}
