#include "draw/color.h"
#include "testing.h"

static void test_color_hex__bytes_survive_packing(void **state)
{
    (void)state;
    static const uint32_t values[] = {0x000000, 0xFFFFFF, 0xFF6B6B, 0x0B1020, 0x010203, 0x8B9CFF};
    for (size_t i = 0; i < AS_COUNT(values); i++) {
        uint32_t packed = color_pack(color_hex(values[i]));
        const unsigned char *p = (const unsigned char *)&packed;
        assert_int_equal(p[0] << 16 | p[1] << 8 | p[2], values[i]);
        assert_int_equal(p[3], 255);
        assert_int_equal(color_pack(color_unpack(packed)), packed);
    }
}

static void test_color_parse__forms_and_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        uint32_t rgb;
        int alpha;
    } rows[] = {{"#FF6B6B", true, 0xFF6B6B, 255},
                {"4ecdc4", true, 0x4ECDC4, 255},
                {"#fff", true, 0xFFFFFF, 255},
                {"#12345680", true, 0x123456, 128},
                {"", false, 0, 0},
                {"#12345", false, 0, 0},
                {"#12345g", false, 0, 0},
                {"##123456", false, 0, 0},
                {"#1234567890", false, 0, 0}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        Color c;
        assert_int_equal(color_parse(rows[i].text, &c), rows[i].ok);
        if (rows[i].ok) {
            Color want = color_with_alpha(color_hex(rows[i].rgb), (float)rows[i].alpha / 255.0f);
            assert_int_equal(color_pack(c), color_pack(want));
        }
    }
}

/* Reference: OKLCH of sRGB red, green, blue by Ottosson's published matrices. */
static void test_color_oklch__reference_colours(void **state)
{
    (void)state;
    static const struct {
        uint32_t rgb;
        float l, c, h;
    } rows[] = {{0xFF0000, 0.62796f, 0.25768f, 29.234f},
                {0x00FF00, 0.86644f, 0.29483f, 142.495f},
                {0x0000FF, 0.45201f, 0.31321f, 264.052f}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        float l, c, h;
        color_to_oklch(color_hex(rows[i].rgb), &l, &c, &h);
        float got[3] = {l, c, h / 360};
        float want[3] = {rows[i].l, rows[i].c, rows[i].h / 360};
        assert_close(got, want, 3, 2e-4, 0);
        assert_int_equal(color_pack(color_oklch(l, c, h)), color_pack(color_hex(rows[i].rgb)));
    }
}

static void test_color_oklch__stays_in_srgb(void **state)
{
    (void)state;
    for (int hue = 0; hue < 360; hue += 7) {
        Color c = color_oklch(0.78f, 0.4f, (float)hue);
        assert_true(c.r >= 0 && c.r <= 1 && c.g >= 0 && c.g <= 1 && c.b >= 0 && c.b <= 1);
        float l, h;
        color_to_oklch(c, &l, NULL, &h);
        assert_true(fabsf(l - 0.78f) < 0.005f); /* chroma gave way, not lightness */
        float turn = fabsf(h - (float)hue);
        assert_true(fminf(turn, 360 - turn) < 1.0f);
    }
}

static void test_color_contrast__black_on_white(void **state)
{
    (void)state;
    float got[2] = {color_contrast(color_hex(0), color_hex(0xFFFFFF)),
                    color_contrast(color_hex(0x777777), color_hex(0xFFFFFF))};
    float want[2] = {21, 4.478f};
    assert_close(got, want, 2, 1e-3, 0);
    assert_true(color_equal(color_readable(color_hex(0xFDE725), color_hex(0), color_hex(0xFFFFFF)),
                            color_hex(0)));
}

static void test_color_token__named_then_distinct(void **state)
{
    (void)state;
    assert_true(color_equal(color_token(0), color_hex(0xFF6B6B)));
    assert_true(color_equal(color_token(5), color_hex(0xF7DC6F)));
    assert_true(color_equal(color_head(0), color_hex(0x3B82F6)));
    assert_true(color_equal(color_head(7), color_hex(0x6366F1)));
    assert_true(color_equal(color_token(-3), color_token(0)));
    for (int64_t i = 0; i < 24; i++) {
        for (int64_t k = 0; k < i; k++) {
            assert_false(color_equal(color_token(i), color_token(k)));
            assert_false(color_equal(color_head(i), color_head(k)));
        }
    }
    for (int64_t i = 6; i < 40; i++) {
        float l;
        color_to_oklch(color_token(i), &l, NULL, NULL);
        assert_true(fabsf(l - 0.78f) < 0.01f);
    }
    Color far = color_token(INT64_MAX);
    assert_true(far.a == 1);
}

static void test_color_over__alpha(void **state)
{
    (void)state;
    Color c = color_over((Color){1, 1, 1, 0.25f}, color_hex(0x000000));
    float got[4] = {c.r, c.g, c.b, c.a};
    float want[4] = {0.25f, 0.25f, 0.25f, 1};
    assert_close(got, want, 4, 1e-6, 0);
    assert_true(color_over((Color){0}, (Color){0}).a == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_color_hex__bytes_survive_packing),
        cmocka_unit_test(test_color_parse__forms_and_refusals),
        cmocka_unit_test(test_color_oklch__reference_colours),
        cmocka_unit_test(test_color_oklch__stays_in_srgb),
        cmocka_unit_test(test_color_contrast__black_on_white),
        cmocka_unit_test(test_color_token__named_then_distinct),
        cmocka_unit_test(test_color_over__alpha),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
