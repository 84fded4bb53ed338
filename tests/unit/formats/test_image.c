/* Pictures: reading and changing their size. */
#include "testing.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "formats/image.h"

static const char PICTURE[] = "tests/golden/data/arch_vit/picture.png";

static void test_image_read__png(void **state)
{
    (void)state;
    Arena arena = {0};
    Error err = {0};
    Image image;
    assert_ok(image_read(PICTURE, &arena, &image, &err), err);
    assert_int_equal(image.width, 31);
    assert_int_equal(image.height, 22);
    assert_false(image_read("tests/golden/data/none.png", &arena, &image, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_false(image_read("README.md", &arena, &image, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    arena_destroy(&arena);
}

/* No byte of a file can do worse than a refusal or another picture. */
static void test_image_read__damaged(void **state)
{
    (void)state;
    Arena files = {0};
    Error err = {0};
    size_t n;
    char *bytes = file_read_all(&files, PICTURE, 1 << 20, &n, &err);
    assert_ok(bytes, err);
    for (size_t i = 0; i < n; i++) {
        Arena arena = {0};
        Image image;
        const char was = bytes[i];
        bytes[i] = (char)(was ^ (char)(1 << i % 8));
        if (image_read_memory("damaged", bytes, n, &arena, &image, &err)) {
            assert_true(image.width > 0 && image.width <= IMAGE_MAX_SIDE && image.rgb);
        }
        bytes[i] = was;
        if (image_read_memory("short", bytes, i, &arena, &image, &err)) {
            assert_true(image.width > 0 && image.width <= IMAGE_MAX_SIDE && image.rgb);
        }
        arena_destroy(&arena);
    }
    arena_destroy(&files);
}

static void test_image_resize__keeps_what_is_flat(void **state)
{
    (void)state;
    static const int32_t sizes[][2] = {{1, 1}, {7, 5}, {31, 22}, {64, 3}, {90, 200}};
    Arena arena = {0};
    Error err = {0};
    Image flat = {31, 22, ARENA_ARRAY(&arena, uint8_t, 31 * 22 * 3, &err)};
    assert_ok(flat.rgb, err);
    for (size_t i = 0; i < 31 * 22 * 3; i++) {
        flat.rgb[i] = (uint8_t)(40 + 80 * (i % 3));
    }
    for (int filter = IMAGE_NEAREST; filter <= IMAGE_BICUBIC; filter++) {
        for (size_t s = 0; s < AS_COUNT(sizes); s++) {
            Image out;
            const int32_t w = sizes[s][0], h = sizes[s][1];
            assert_ok(image_resize(&flat, w, h, (ImageFilter)filter, &arena, &out, &err), err);
            assert_true(out.width == w && out.height == h);
            for (int32_t i = 0; i < 3 * w * h; i++) {
                assert_int_equal(out.rgb[i], 40 + 80 * (i % 3));
            }
        }
    }
    Image out;
    assert_false(image_resize(&flat, 0, 5, IMAGE_BILINEAR, &arena, &out, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(image_resize(&flat, 5, IMAGE_MAX_SIDE + 1, IMAGE_BILINEAR, &arena, &out, &err));
    arena_destroy(&arena);
}

/* Two pixels, 0 and 200, at four: halves and quarters by hand. */
static void test_image_resize__by_hand(void **state)
{
    (void)state;
    uint8_t two[6] = {0, 0, 0, 200, 200, 200};
    const Image image = {2, 1, two};
    Arena arena = {0};
    Error err = {0};
    Image out;
    assert_ok(image_resize(&image, 4, 1, IMAGE_BILINEAR, &arena, &out, &err), err);
    static const uint8_t expected[] = {0, 50, 150, 200};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(out.rgb[3 * i], expected[i]);
    }
    assert_ok(image_resize(&image, 4, 1, IMAGE_NEAREST, &arena, &out, &err), err);
    assert_true(out.rgb[3] == 0 && out.rgb[6] == 200);
    assert_ok(image_resize(&image, 1, 1, IMAGE_BILINEAR, &arena, &out, &err), err);
    assert_int_equal(out.rgb[0], 100); /* shrunk, every pixel counts */
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_read__png),
        cmocka_unit_test(test_image_read__damaged),
        cmocka_unit_test(test_image_resize__keeps_what_is_flat),
        cmocka_unit_test(test_image_resize__by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
