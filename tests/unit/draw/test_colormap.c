#include "draw/colormap.h"
#include "testing.h"

static uint32_t rgb(Color c)
{
    uint32_t packed = color_pack(c);
    const unsigned char *p = (const unsigned char *)&packed;
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* Published values of the maps at the first, middle (128) and last entry. */
static void test_colormap_entry__published_values(void **state)
{
    (void)state;
    static const struct {
        Colormap map;
        uint32_t first, middle, last;
    } rows[] = {{COLORMAP_VIRIDIS, 0x440154, 0x21918C, 0xFDE725},
                {COLORMAP_MAGMA, 0x000004, 0xB73779, 0xFCFDBF},
                {COLORMAP_INFERNO, 0x000004, 0xBC3754, 0xFCFFA4},
                {COLORMAP_CIVIDIS, 0x00224E, 0x7D7C78, 0xFEE838}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        assert_int_equal(rgb(colormap_entry(rows[i].map, 0)), rows[i].first);
        assert_int_equal(rgb(colormap_entry(rows[i].map, 128)), rows[i].middle);
        assert_int_equal(rgb(colormap_entry(rows[i].map, 255)), rows[i].last);
        assert_int_equal(rgb(colormap_eval(rows[i].map, 0)), rows[i].first);
        assert_int_equal(rgb(colormap_eval(rows[i].map, 1)), rows[i].last);
    }
}

static void test_colormap_entry__night_zero(void **state)
{
    (void)state;
    assert_int_equal(rgb(colormap_eval(COLORMAP_MAGMA_NIGHT, 0)), 0x0C1122);
    for (int i = 26; i < 256; i++) {
        assert_int_equal(rgb(colormap_entry(COLORMAP_MAGMA_NIGHT, i)),
                         rgb(colormap_entry(COLORMAP_MAGMA, i)));
    }
    /* The fade joins magma without a step. */
    Color a = colormap_entry(COLORMAP_MAGMA_NIGHT, 25);
    Color b = colormap_entry(COLORMAP_MAGMA, 26);
    assert_true(fabsf(a.r - b.r) < 0.03f && fabsf(a.g - b.g) < 0.03f && fabsf(a.b - b.b) < 0.03f);
}

/* Sequential maps get steadily lighter (or darker), so that order is seen without hue. */
static void test_colormap_entry__lightness_is_monotone(void **state)
{
    (void)state;
    static const struct {
        Colormap map;
        float sign;
    } rows[] = {{COLORMAP_VIRIDIS, 1}, {COLORMAP_MAGMA, 1},      {COLORMAP_CIVIDIS, 1},
                {COLORMAP_INFERNO, 1}, {COLORMAP_BLUES, -1},     {COLORMAP_PURPLES, -1},
                {COLORMAP_GREYS, -1},  {COLORMAP_MAGMA_NIGHT, 1}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        float before = -1;
        for (int k = 0; k < COLORMAP_ENTRIES; k += 5) {
            float l;
            color_to_oklch(colormap_entry(rows[i].map, k), &l, NULL, NULL);
            l = rows[i].sign > 0 ? l : 1 - l;
            assert_true(l > before - 0.004f);
            before = l;
        }
    }
}

static void test_colormap_eval__between_entries_and_outside(void **state)
{
    (void)state;
    Color a = colormap_entry(COLORMAP_MAGMA, 100);
    Color b = colormap_entry(COLORMAP_MAGMA, 101);
    Color m = colormap_eval(COLORMAP_MAGMA, 100.5f / 255);
    assert_true(fabsf(m.r - (a.r + b.r) / 2) < 1e-3f);
    assert_int_equal(rgb(colormap_eval(COLORMAP_MAGMA, NAN)), 0x000004);
    assert_int_equal(rgb(colormap_eval(COLORMAP_MAGMA, -INFINITY)), 0x000004);
    assert_int_equal(rgb(colormap_eval(COLORMAP_MAGMA, INFINITY)), 0xFCFDBF);
    Color table[COLORMAP_ENTRIES];
    colormap_table(COLORMAP_VIRIDIS, table);
    for (int i = 0; i <= 1000; i++) {
        float t = (float)i / 1000;
        assert_true(color_equal(colormap_table_eval(table, t), colormap_eval(COLORMAP_VIRIDIS, t)));
    }
}

static void test_colormap_find__every_name(void **state)
{
    (void)state;
    for (int i = 0; i < COLORMAP_COUNT; i++) {
        Colormap map = COLORMAP_COUNT;
        assert_true(colormap_find(colormap_name((Colormap)i), &map));
        assert_int_equal(map, i);
    }
    Colormap map;
    assert_false(colormap_find("jet", &map));
    for (int i = 0; i < SCALE_COUNT; i++) {
        ScaleKind kind = SCALE_COUNT;
        assert_true(scale_find(scale_name((ScaleKind)i), &kind));
        assert_int_equal(kind, i);
    }
}

static void test_scale_apply__kinds(void **state)
{
    (void)state;
    static const struct {
        Scale scale;
        float value, want;
    } rows[] = {{{SCALE_LINEAR, 0, 0}, 0.25f, 0.25f}, {{SCALE_LINEAR, 0, 0}, -1, 0},
                {{SCALE_LINEAR, 0, 0}, 2, 1},         {{SCALE_LINEAR, -5, 5}, 0, 0.5f},
                {{SCALE_LINEAR, 3, 3}, 2, 0},         {{SCALE_LINEAR, 3, 3}, 3, 1},
                {{SCALE_SQRT, 0, 0}, 0.25f, 0.5f},    {{SCALE_SQRT, 0, 4}, 1, 0.5f},
                {{SCALE_LOG, 0, 0}, 0.01f, 0.5f},     {{SCALE_LOG, 0, 0}, 0, 0},
                {{SCALE_LOG, 0, 0}, 1e-9f, 0},        {{SCALE_LOG, 1e-7f, 1e-1f}, 1e-4f, 0.5f},
                {{SCALE_LINEAR, 0, 0}, NAN, 0},       {{SCALE_LOG, 0, 0}, NAN, 0},
                {{SCALE_SQRT, 0, 0}, -INFINITY, 0}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        float got = scale_apply(rows[i].scale, rows[i].value);
        assert_close(&got, &rows[i].want, 1, 1e-5, 0);
    }
}

static void test_scale_invert__is_the_inverse(void **state)
{
    (void)state;
    static const Scale scales[] = {
        {SCALE_LINEAR, 0, 0}, {SCALE_LINEAR, -3, 9}, {SCALE_SQRT, 0, 0.5f}, {SCALE_LOG, 0, 0}};
    for (size_t i = 0; i < AS_COUNT(scales); i++) {
        for (int k = 0; k <= 20; k++) {
            float t = (float)k / 20;
            float back = scale_apply(scales[i], scale_invert(scales[i], t));
            assert_close(&back, &t, 1, 1e-5, 0);
        }
    }
}

static void test_scale_ticks__round_values(void **state)
{
    (void)state;
    static const struct {
        Scale scale;
        int most, n;
        float want[5];
    } rows[] = {{{SCALE_LOG, 0, 0}, 5, 5, {1e-4f, 1e-3f, 1e-2f, 1e-1f, 1}},
                {{SCALE_LOG, 1e-7f, 1e-1f}, 4, 4, {1e-7f, 1e-5f, 1e-3f, 1e-1f}},
                {{SCALE_SQRT, 0, 0}, 5, 5, {0, 0.1f, 0.25f, 0.5f, 1}},
                {{SCALE_LINEAR, 0, 0}, 5, 5, {0, 0.25f, 0.5f, 0.75f, 1}},
                {{SCALE_LINEAR, 0, 7.5f}, 4, 4, {0, 2, 4, 6}},
                {{SCALE_LINEAR, 1, 1}, 5, 0, {0}},
                {{SCALE_LINEAR, 0, INFINITY}, 5, 0, {0}}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        float out[16];
        assert_int_equal(scale_ticks(rows[i].scale, rows[i].most, out), rows[i].n);
        assert_close(out, rows[i].want, (size_t)rows[i].n, 1e-9, 1e-5);
        assert_false(rows[i].n && out[0] == 0 && signbit(out[0])); /* a legend would say -0 */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colormap_entry__published_values),
        cmocka_unit_test(test_colormap_entry__night_zero),
        cmocka_unit_test(test_colormap_entry__lightness_is_monotone),
        cmocka_unit_test(test_colormap_eval__between_entries_and_outside),
        cmocka_unit_test(test_colormap_find__every_name),
        cmocka_unit_test(test_scale_apply__kinds),
        cmocka_unit_test(test_scale_invert__is_the_inverse),
        cmocka_unit_test(test_scale_ticks__round_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
