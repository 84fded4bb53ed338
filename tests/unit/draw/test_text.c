#include "draw/fontset.h"
#include "draw/raster.h"
#include "draw/text.h"
#include "testing.h"

static int setup(void **state)
{
    Error err = {0};
    *state = fontset_create(&err);
    if (!*state) {
        print_error("%s\n", err.message);
    }
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    fontset_destroy(*state);
    return 0;
}

static void check(float got, float want, float tolerance)
{
    assert_close(&got, &want, 1, (double)tolerance, 0);
}

static void test_fontset_create__finds_the_families(void **state)
{
    FontSet *fonts = *state;
    assert_string_equal(fontset_family(fonts, FONT_SANS), "Inter");
    assert_string_equal(fontset_family(fonts, FONT_DISPLAY_SEMIBOLD), "Inter Display");
    assert_string_equal(fontset_family(fonts, FONT_MONO), "JetBrains Mono");
    assert_string_equal(fontset_family(fonts, FONT_MATH_ITALIC), "STIXGeneral");
}

/* Cap heights as the designers publish them: Inter .727, JetBrains Mono .73 em. */
static void test_font_metrics__cap_height(void **state)
{
    FontSet *fonts = *state;
    check(font_metrics(fonts, FONT_SANS, 100).cap_height, 72.7f, 0.2f);
    check(font_metrics(fonts, FONT_MONO, 100).cap_height, 73.0f, 0.2f);
    check(font_metrics(fonts, FONT_MATH, 100).cap_height, 65.6f, 1.0f);
    check(text_center_baseline(fonts, FONT_SANS, 12, 20), 24, 0);
}

static void test_text_width__scales_and_adds(void **state)
{
    FontSet *fonts = *state;
    /* JetBrains Mono: every character is 0.6 em wide. */
    check(text_width(fonts, FONT_MONO, 10, "0.374377", TEXT_ALL), 48, 1e-3f);
    check(text_width(fonts, FONT_MONO, 10, "a->b != c", TEXT_ALL), 54, 1e-3f);
    float one = text_width(fonts, FONT_SANS, 12, "Legal entity", TEXT_ALL);
    check(text_width(fonts, FONT_SANS, 24, "Legal entity", TEXT_ALL), 2 * one, 1e-3f);
    check(text_width(fonts, FONT_SANS, 12, "Legal entity and more", 12), one, 0);
    check(text_width(fonts, FONT_SANS, 12, "", TEXT_ALL), 0, 0);
    /* Kerning is there. */
    float pair = text_width(fonts, FONT_SANS, 100, "To", TEXT_ALL);
    float apart = text_width(fonts, FONT_SANS, 100, "T", TEXT_ALL) +
                  text_width(fonts, FONT_SANS, 100, "o", TEXT_ALL);
    assert_true(pair < apart - 1);
    check(text_width_tracked(fonts, FONT_SANS, 11, 0.7f, "ABCD", TEXT_ALL),
          text_width(fonts, FONT_SANS, 11, "ABCD", TEXT_ALL) + 2.1f, 1e-3f);
}

static void test_text_width__control_and_invalid_bytes(void **state)
{
    FontSet *fonts = *state;
    float ab = text_width(fonts, FONT_MONO, 10, "ab", TEXT_ALL);
    check(text_width(fonts, FONT_MONO, 10,
                     "a\n\t\x01"
                     "b",
                     TEXT_ALL),
          ab, 1e-4f);
    /* An invalid byte counts as U+FFFD, wherever that comes from. */
    check(text_width(fonts, FONT_SANS, 10, "\xFF", TEXT_ALL),
          text_width(fonts, FONT_SANS, 10, "\xEF\xBF\xBD", TEXT_ALL), 1e-4f);
    assert_true(text_width(fonts, FONT_SANS, 10, "\xFF", TEXT_ALL) > 0);
    /* NUL bytes inside a counted text do no harm. */
    check(text_width(fonts, FONT_MONO, 10, "a\0b", 3), ab, 1e-4f);
}

static void test_fontset_shape__missing_characters_are_boxes(void **state)
{
    FontSet *fonts = *state;
    /* A private-use character that no face of the distribution's text fonts has. */
    const ShapedText *shaped = fontset_shape(fonts, FONT_SANS, "a\xF4\x80\x80\x83z", TEXT_ALL);
    assert_non_null(shaped);
    assert_int_equal(shaped->n_glyphs, 3);
    assert_int_equal(shaped->glyphs[1].glyph, TEXT_TOFU);
    assert_true(shaped->glyphs[1].advance > 0.3f);
    GlyphBitmap bitmap;
    assert_true(fontset_raster(fonts, 0, TEXT_TOFU, 12, TEXT_UPRIGHT, 0, &bitmap));
    assert_true(bitmap.width >= 4 && bitmap.height >= 7);
    /* A frame: ink at the rim, none in the middle. */
    assert_int_equal(bitmap.pixels[bitmap.height / 2 * bitmap.width + bitmap.width / 2], 0);
}

static void test_fontset_shape__hebrew_runs_from_the_right(void **state)
{
    FontSet *fonts = *state;
    /* alef bet gimel: the first letter stands rightmost. */
    static const char text[] = "\xD7\x90\xD7\x91\xD7\x92";
    const ShapedText *shaped = fontset_shape(fonts, FONT_SANS, text, TEXT_ALL);
    assert_int_equal(shaped->n_glyphs, 3);
    assert_true(shaped->has_rtl);
    assert_int_equal(shaped->glyphs[0].cluster, 4);
    assert_int_equal(shaped->glyphs[2].cluster, 0);
    float width = text_width(fonts, FONT_SANS, 20, text, TEXT_ALL);
    check(text_x_of(fonts, FONT_SANS, 20, text, TEXT_ALL, 0), width, 1e-3f);
    check(text_x_of(fonts, FONT_SANS, 20, text, TEXT_ALL, 6), 0, 1e-3f);
    assert_int_equal(text_offset_at(fonts, FONT_SANS, 20, text, TEXT_ALL, width + 5), 0);
    assert_int_equal(text_offset_at(fonts, FONT_SANS, 20, text, TEXT_ALL, -5), 6);
}

static void test_text_x_of__latin_and_digits_among_hebrew(void **state)
{
    FontSet *fonts = *state;
    /* Shown as "abc 12 <gimel bet alef>": what runs from the left keeps its carets there. */
    static const char text[] = "\xD7\x90\xD7\x91\xD7\x92 12 abc";
    float letters = text_width(fonts, FONT_SANS, 20, "abc", TEXT_ALL);
    float two = text_width(fonts, FONT_SANS, 20, "ab", TEXT_ALL);
    check(text_x_of(fonts, FONT_SANS, 20, text, TEXT_ALL, 10), 0, 1e-3f);
    check(text_x_of(fonts, FONT_SANS, 20, text, TEXT_ALL, 12), two, 0.3f);
    const ShapedText *shaped = fontset_shape(fonts, FONT_SANS, text, TEXT_ALL);
    for (size_t i = 0; i < shaped->n_glyphs; i++) {
        char c = text[shaped->glyphs[i].cluster];
        bool from_left = (c >= 'a' && c <= 'c') || (c >= '0' && c <= '9');
        assert_int_equal((shaped->glyphs[i].flags & TEXT_RTL) != 0, !from_left);
    }
    check(text_width(fonts, FONT_SANS, 20, text, TEXT_ALL), shaped->advance * 20, 1e-3f);
    assert_true(letters < shaped->advance * 20);
}

static void test_fontset_shape__marks_join_their_base(void **state)
{
    FontSet *fonts = *state;
    /* e + combining acute: as wide as e. */
    check(text_width(fonts, FONT_SANS, 20, "e\xCC\x81", TEXT_ALL),
          text_width(fonts, FONT_SANS, 20, "e", TEXT_ALL), 0.01f);
}

static void test_text_offset_at__finds_carets(void **state)
{
    FontSet *fonts = *state;
    static const char text[] = "caf\xC3\xA9 now";
    for (size_t offset = 0; offset <= sizeof(text) - 1; offset++) {
        if (offset == 4) {
            continue; /* inside the é */
        }
        float x = text_x_of(fonts, FONT_SANS, 14, text, TEXT_ALL, offset);
        assert_int_equal(text_offset_at(fonts, FONT_SANS, 14, text, TEXT_ALL, x), offset);
    }
}

/* Right and left go over the line as it is seen, whatever way its parts run. */
static void test_text_step__as_seen(void **state)
{
    FontSet *fonts = *state;
    static const struct {
        const char *text;
        size_t right[10]; /* from its left end on, SIZE_MAX behind the last */
    } rows[] = {
        {"abc", {0, 1, 2, 3, SIZE_MAX}},
        {"e\xCC\x81x", {0, 3, 4, SIZE_MAX}},
        /* alef bet gimel: seen from gimel to alef */
        {"\xD7\x90\xD7\x91\xD7\x92", {6, 4, 2, 0, SIZE_MAX}},
        /* "ab" alef bet: the end of the text is where the two meet */
        {"ab\xD7\x90\xD7\x91", {0, 1, 6, 4, 2, SIZE_MAX}},
        /* a Hebrew word with its number: 12 stands left of it and runs from the left */
        {"\xD7\x90 12", {3, 4, 5, 2, 0, SIZE_MAX}},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        const char *text = rows[i].text;
        size_t at = rows[i].right[0];
        for (int k = 1; rows[i].right[k] != SIZE_MAX; k++) {
            float before = text_x_of(fonts, FONT_SANS, 14, text, TEXT_ALL, at);
            size_t to = text_step(fonts, FONT_SANS, text, TEXT_ALL, at, 1);
            if (to != rows[i].right[k]) {
                print_error("row %zu, step %d: %zu, expected %zu\n", i, k, to, rows[i].right[k]);
                fail();
            }
            assert_true(text_x_of(fonts, FONT_SANS, 14, text, TEXT_ALL, to) > before);
            size_t back = text_step(fonts, FONT_SANS, text, TEXT_ALL, to, -1);
            check(text_x_of(fonts, FONT_SANS, 14, text, TEXT_ALL, back), before, 0.02f);
            at = to;
        }
        assert_int_equal(text_step(fonts, FONT_SANS, text, TEXT_ALL, at, 1), at);
    }
}

static void test_text_elide__fits_and_says_so(void **state)
{
    FontSet *fonts = *state;
    Arena arena = {0};
    Error err = {0};
    static const char *const texts[] = {
        "apache-2.0.txt: other entities that control", "caf\xC3\xA9 caf\xC3\xA9 caf\xC3\xA9",
        "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D world \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D", "short"};
    for (size_t i = 0; i < AS_COUNT(texts); i++) {
        float whole = text_width(fonts, FONT_SANS, 12, texts[i], TEXT_ALL);
        for (float width = 0; width < whole + 20; width += 7.3f) {
            const char *cut =
                text_elide(fonts, FONT_SANS, 12, texts[i], TEXT_ALL, width, &arena, &err);
            assert_non_null(cut);
            assert_true(text_width(fonts, FONT_SANS, 12, cut, TEXT_ALL) <= width + 1e-3f);
            if (width >= whole) {
                assert_string_equal(cut, texts[i]);
            } else if (*cut) {
                size_t n = strlen(cut);
                assert_true(n >= 3 && strcmp(cut + n - 3, "\xE2\x80\xA6") == 0);
                assert_memory_equal(cut, texts[i], n - 3);
                assert_true(n == 3 || cut[n - 4] != ' ');
                /* Cut between characters. */
                assert_int_not_equal((unsigned char)texts[i][n - 3] & 0xC0, 0x80);
            }
        }
    }
    arena_destroy(&arena);
}

static void test_text_wrap__lines_fit_and_nothing_is_lost(void **state)
{
    FontSet *fonts = *state;
    static const char text[] = "Each curve joins a query to a key it reads.\n\nWidth and opacity "
                               "are Donaudampfschifffahrtsgesellschaft weights.";
    enum { MOST = 32 };
    size_t starts[MOST], ends[MOST];
    size_t n = text_wrap(fonts, FONT_SANS, 12, text, TEXT_ALL, 110, starts, ends, MOST);
    assert_in_range(n, 7, MOST);
    size_t letters = 0;
    size_t want = 0;
    for (size_t i = 0; i < n; i++) {
        float width = text_width(fonts, FONT_SANS, 12, text + starts[i], ends[i] - starts[i]);
        assert_true(width <= 110.01f);
        assert_true(i == 0 || starts[i] >= ends[i - 1]);
        letters += ends[i] - starts[i];
        assert_true(ends[i] == starts[i] || text[starts[i]] != ' ');
    }
    for (const char *p = text; *p; p++) {
        want += *p != ' ' && *p != '\n';
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = starts[i]; k < ends[i]; k++) {
            letters -= text[k] == ' ';
        }
    }
    assert_int_equal(letters, want);
    /* Says how many there are even when it cannot give them all, and ends on nonsense widths. */
    assert_int_equal(text_wrap(fonts, FONT_SANS, 12, text, TEXT_ALL, 110, starts, ends, 2), n);
    assert_int_equal(text_wrap(fonts, FONT_SANS, 12, "abc", TEXT_ALL, 0, starts, ends, MOST), 3);
    assert_int_equal(text_wrap(fonts, FONT_SANS, 12, "abc", TEXT_ALL, -900, starts, ends, MOST), 3);
    assert_int_equal(text_wrap(fonts, FONT_SANS, 12, "", TEXT_ALL, 50, starts, ends, MOST), 1);
    /* Spaces that hang over the edge before a line break make no empty line. */
    float fits = text_width(fonts, FONT_SANS, 12, "aaaa bbbb", TEXT_ALL);
    static const char hanging[] = "aaaa bbbb   \ncc";
    assert_int_equal(
        text_wrap(fonts, FONT_SANS, 12, hanging, TEXT_ALL, fits + 1, starts, ends, MOST), 2);
    assert_int_equal(starts[1], 13);
    static const char blank[] = "aaaa bbbb   \n\ncc";
    assert_int_equal(text_wrap(fonts, FONT_SANS, 12, blank, TEXT_ALL, fits + 1, starts, ends, MOST),
                     3);
}

static void test_text_ink__cap_height_box(void **state)
{
    FontSet *fonts = *state;
    Rect box = text_ink(fonts, FONT_SANS, 100, "H", TEXT_ALL);
    check(-box.y, 72.7f, 0.3f);
    check(box.h, 72.7f, 0.3f);
    assert_true(box.x > 0 && box.x + box.w < text_width(fonts, FONT_SANS, 100, "H", TEXT_ALL));
}

/* Ink of one glyph in units of whole pixels, whichever way it is turned and wherever it stands. */
static void test_fontset_raster__same_ink_at_every_phase_and_turn(void **state)
{
    FontSet *fonts = *state;
    const ShapedText *shaped = fontset_shape(fonts, FONT_SANS, "g", TEXT_ALL);
    const ShapedGlyph *g = &shaped->glyphs[0];
    float first = 0;
    for (int turn = TEXT_UPRIGHT; turn <= TEXT_DOWN; turn++) {
        for (int phase = 0; phase < TEXT_PHASES; phase++) {
            GlyphBitmap b;
            assert_true(fontset_raster(fonts, g->face, g->glyph, 40, (TextTurn)turn, phase, &b));
            float ink = 0;
            float moment = 0;
            for (int y = 0; y < b.height; y++) {
                for (int x = 0; x < b.width; x++) {
                    float c = (float)b.pixels[y * b.width + x] / 255;
                    ink += c;
                    moment += c * (float)(turn == TEXT_UPRIGHT ? x + b.left
                                          : turn == TEXT_UP    ? -(y + b.top) - 1
                                                               : y + b.top);
                }
            }
            float along = moment / ink - (float)phase / TEXT_PHASES;
            if (turn == 0 && phase == 0) {
                first = along;
                continue;
            }
            check(along, first, 0.05f);
        }
    }
}

static void test_path_raster__circle_area(void **state)
{
    FontSet *fonts = *state;
    PathBuilder b = {0};
    path_circle(&b, vec2(12, 12), 8);
    GlyphBitmap bitmap;
    static const struct {
        float stroke, area;
    } rows[] = {{0, 201.06f}, {2, 100.53f}}; /* pi r^2; 2 pi r w */
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        assert_true(path_raster(fonts, path_of(&b), 1, vec2(0.3f, 0.6f), rows[i].stroke, &bitmap));
        float ink = 0;
        for (int k = 0; k < bitmap.width * bitmap.height; k++) {
            ink += (float)bitmap.pixels[k] / 255;
        }
        /* FreeType flattens curves to within a tenth of a pixel, chords inside. */
        check(ink, rows[i].area, rows[i].area * 0.02f);
    }
    /* What is too large, empty or not a number is refused, not drawn. */
    assert_false(path_raster(fonts, path_of(&b), 1000, vec2(0, 0), 0, &bitmap));
    assert_false(path_raster(fonts, path_of(&b), NAN, vec2(0, 0), 0, &bitmap));
    assert_false(path_raster(fonts, (Path){0}, 1, vec2(0, 0), 0, &bitmap));
    path_builder_free(&b);
}

static void test_fontset_trim__keeps_what_is_used(void **state)
{
    FontSet *fonts = *state;
    char text[64];
    for (int frame = 0; frame < 6; frame++) {
        fontset_trim(fonts);
        for (int i = 0; i < 1500; i++) {
            snprintf(text, sizeof(text), "frame %d text %d", frame, i);
            assert_non_null(fontset_shape(fonts, FONT_MONO, text, TEXT_ALL));
        }
        const ShapedText *kept = fontset_shape(fonts, FONT_MONO, "kept", TEXT_ALL);
        assert_int_equal(kept->n_glyphs, 4);
    }
}

static void test_fontset_trim__long_texts_go_by_their_size(void **state)
{
    FontSet *fonts = *state;
    enum { LONG = 1 << 20 };
    char *text = mem_alloc(LONG, NULL);
    assert_non_null(text);
    memset(text, 'x', LONG);
    for (int i = 0; i < 8; i++) {
        fontset_trim(fonts);
        text[0] = (char)('a' + i);
        assert_non_null(fontset_shape(fonts, FONT_MONO, text, LONG));
    }
    fontset_trim(fonts);
    fontset_trim(fonts);
    fontset_trim(fonts);
    assert_true(fonts->cache_bytes < LONG);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fontset_create__finds_the_families),
        cmocka_unit_test(test_font_metrics__cap_height),
        cmocka_unit_test(test_text_width__scales_and_adds),
        cmocka_unit_test(test_text_width__control_and_invalid_bytes),
        cmocka_unit_test(test_fontset_shape__missing_characters_are_boxes),
        cmocka_unit_test(test_fontset_shape__hebrew_runs_from_the_right),
        cmocka_unit_test(test_text_x_of__latin_and_digits_among_hebrew),
        cmocka_unit_test(test_fontset_shape__marks_join_their_base),
        cmocka_unit_test(test_text_offset_at__finds_carets),
        cmocka_unit_test(test_text_step__as_seen),
        cmocka_unit_test(test_text_elide__fits_and_says_so),
        cmocka_unit_test(test_text_wrap__lines_fit_and_nothing_is_lost),
        cmocka_unit_test(test_text_ink__cap_height_box),
        cmocka_unit_test(test_fontset_raster__same_ink_at_every_phase_and_turn),
        cmocka_unit_test(test_path_raster__circle_area),
        cmocka_unit_test(test_fontset_trim__keeps_what_is_used),
        cmocka_unit_test(test_fontset_trim__long_texts_go_by_their_size),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
