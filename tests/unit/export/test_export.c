#include "export/export.h"

#include <png.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "testing.h"

typedef struct Bench {
    FontSet *fonts;
    DrawList list;
    Arena arena;
    char folder[64];
} Bench;

static int setup(void **state)
{
    Bench *b = calloc(1, sizeof(*b));
    Error err = {0};
    b->fonts = fontset_create(&err);
    strcpy(b->folder, "/tmp/attnscope-export-XXXXXX");
    *state = b;
    return b->fonts && mkdtemp(b->folder) ? 0 : -1;
}

static int teardown(void **state)
{
    Bench *b = *state;
    Error err = {0};
    char **names;
    size_t n;
    if (folder_list(&b->arena, b->folder, &names, &n, &err)) {
        for (size_t i = 0; i < n; i++) {
            char *path = path_join(&b->arena, b->folder, names[i], &err);
            if (path) {
                unlink(path);
            }
        }
    }
    rmdir(b->folder);
    draw_list_free(&b->list);
    arena_destroy(&b->arena);
    fontset_destroy(b->fonts);
    free(b);
    return 0;
}

static char *path_in(Bench *b, const char *name)
{
    Error err = {0};
    char *path = path_join(&b->arena, b->folder, name, &err);
    assert_non_null(path);
    return path;
}

static char *read_file(Bench *b, const char *path, size_t *n)
{
    Error err = {0};
    char *text = file_read_all(&b->arena, path, 64 << 20, n, &err);
    assert_ok(text, err);
    return text;
}

/* Every tag that opens closes, in order; no stray < or & in text or attributes. */
static void assert_well_formed(const char *xml)
{
    char stack[64][32];
    int depth = 0;
    for (const char *p = xml; *p;) {
        if (*p == '&') {
            assert_true(strncmp(p, "&amp;", 5) == 0 || strncmp(p, "&lt;", 4) == 0 ||
                        strncmp(p, "&gt;", 4) == 0 || strncmp(p, "&quot;", 6) == 0);
        }
        assert_true((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t');
        if (*p != '<') {
            p++;
            continue;
        }
        const char *end = strchr(p, '>');
        assert_non_null(end);
        int quotes = 0;
        for (const char *q = p; q < end; q++) {
            quotes += *q == '"';
            assert_true(q == p || *q != '<');
        }
        assert_int_equal(quotes % 2, 0);
        size_t name = strcspn(p + 1, " />\n");
        if (p[1] == '/') {
            name = strcspn(p + 2, ">");
            assert_true(depth > 0);
            depth--;
            assert_int_equal(strlen(stack[depth]), name);
            assert_memory_equal(stack[depth], p + 2, name);
        } else if (p[1] != '?' && end[-1] != '/') {
            assert_true(depth < 64 && name < 32);
            memcpy(stack[depth], p + 1, name);
            stack[depth++][name] = 0;
        }
        p = end + 1;
    }
    assert_int_equal(depth, 0);
}

static DrawList *begin(Bench *b)
{
    draw_begin(&b->list, b->fonts, 200, 100);
    draw_set_background(&b->list, color_hex(0x0B1020));
    return &b->list;
}

static void test_export_svg__keeps_text_as_text(void **state)
{
    Bench *b = *state;
    Error err = {0};
    DrawList *l = begin(b);
    Color white = {1, 1, 1, 1};
    draw_text(
        l, &(DrawText){
               .face = FONT_MONO, .size = 12, .color = white, .text = "0.374377", .at = {10, 20}});
    draw_text(l, &(DrawText){.face = FONT_SANS_SEMIBOLD,
                             .size = 12,
                             .color = white,
                             .text = "a <b> & \"c\" \x01\xFF",
                             .at = {10, 40}});
    draw_text(l, &(DrawText){.face = FONT_SANS,
                             .size = 12,
                             .color = white,
                             .max_width = 60,
                             .text = "a long sentence that is cut",
                             .at = {10, 60}});
    draw_text(l, &(DrawText){.face = FONT_MATH_ITALIC,
                             .size = 12,
                             .color = white,
                             .text = "w",
                             .at = {100, 60},
                             .turn = TEXT_UP});
    draw_text(l, &(DrawText){.face = FONT_SANS,
                             .size = 12,
                             .color = white,
                             .text = "\xD7\xA9\xD7\x9C",
                             .at = {100, 80}});
    assert_ok(draw_end(l, &err), err);
    char *path = path_in(b, "text.svg");
    ExportDesc desc = {.title = "Layer 17 & head 3"};
    assert_ok(export_svg(path, l, &desc, &err), err);
    size_t n;
    char *svg = read_file(b, path, &n);
    assert_well_formed(svg);
    static const char *const wanted[] = {
        "<title>Layer 17 &amp; head 3</title>",
        ">0.374377</text>",
        "font-family=\"'JetBrains Mono'",
        "font-weight=\"600\"",
        ">a &lt;b&gt; &amp; &quot;c&quot; \xEF\xBF\xBD\xEF\xBF\xBD</text>",
        "<title>a long sentence that is cut</title>",
        "rotate(-90 100 60)",
        "font-style=\"italic\"",
        "direction=\"rtl\"",
        "width=\"200\" height=\"100\"",
        "fill=\"#0B1020\""};
    for (size_t i = 0; i < AS_COUNT(wanted); i++) {
        if (!strstr(svg, wanted[i])) {
            print_error("missing: %s in\n%s\n", wanted[i], svg);
            fail();
        }
    }
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = strstr(text, what); p; p = strstr(p + 1, what)) {
        n++;
    }
    return n;
}

static void test_export_svg__cells_are_shapes_until_there_are_many(void **state)
{
    Bench *b = *state;
    Error err = {0};
    float values[100 * 100] = {0};
    values[3] = -INFINITY;
    static const struct {
        int n;
        bool image;
    } rows[] = {{8, false}, {64, false}, {65, true}, {100, true}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        DrawList *l = begin(b);
        draw_cells(l, &(DrawCells){.box = {0, 0, 100, 100},
                                   .source = {values, rows[i].n, rows[i].n, 100, 0}});
        assert_ok(draw_end(l, &err), err);
        char *path = path_in(b, "cells.svg");
        assert_ok(export_svg(path, l, NULL, &err), err);
        size_t n;
        char *svg = read_file(b, path, &n);
        assert_well_formed(svg);
        size_t n_rects = count(svg, "<rect") - 1;             /* the background is one */
        size_t n_cells = (size_t)(rows[i].n * rows[i].n) - 1; /* the masked one is not there */
        assert_int_equal(n_rects, rows[i].image ? 0 : n_cells);
        assert_int_equal(count(svg, "data:image/png;base64,"), rows[i].image ? 1 : 0);
        assert_int_equal(count(svg, "fill=\"#440154\""), rows[i].image ? 0 : n_cells);
    }
}

static void test_export_svg__every_command_is_well_formed(void **state)
{
    Bench *b = *state;
    Error err = {0};
    DrawList *l = begin(b);
    Color c = {0.5f, 0.25f, 1, 0.5f};
    Vec2 p[3] = {{-10, 10}, {90, 10}, {50, 90}};
    static const unsigned char pixels[8] = {1, 2, 3, 255, 4, 5, 6, 128};
    PathBuilder path = {0};
    path_round_rect(&path, rect(0, 0, 10, 5), 2);
    draw_push_clip(l, rect(5, 5, 80, 80));
    draw_push_alpha(l, 0.5f);
    draw_rect(l, &(DrawRect){.box = {0, 0, 50, 50},
                             .radius = 9,
                             .fill = c,
                             .fill_bottom = c,
                             .gradient = true,
                             .border = 1,
                             .border_color = c});
    draw_shadow(l, &(DrawShadow){.box = {20, 20, 30, 30}, .blur = 8, .color = c});
    draw_line(l, &(DrawLine){p[0], p[1], 2, c, DRAW_ROUND, 3, 2});
    draw_polyline(l, &(DrawPolyline){p, 3, 2, c, DRAW_ROUND, true});
    draw_bezier(l, &(DrawBezier){.a = p[0],
                                 .c1 = p[1],
                                 .c2 = p[2],
                                 .b = p[1],
                                 .width = 2,
                                 .width_end = 5,
                                 .color = c,
                                 .color_end = c,
                                 .gradient = true,
                                 .soft = 4,
                                 .t0 = 0.2f,
                                 .t1 = 0.9f});
    draw_set_blend(l, DRAW_ADD);
    draw_circle(l, &(DrawCircle){{50, 50}, 9, c, 1, c, 3});
    draw_set_blend(l, DRAW_OVER);
    draw_polygon(l, &(DrawPolygon){p, 3, c});
    draw_path(l, &(DrawPath){path_of(&path), {30, 30}, 2, c, 1, c});
    draw_image(l, &(DrawImage){.box = {0, 0, 50, 50}, .pixels = pixels, .width = 2, .height = 1});
    draw_hatch(l, &(DrawHatch){.points = p, .n_points = 3, .fill = c, .color = c});
    for (int i = 0; i < ICON_COUNT; i++) {
        draw_icon(l, &(DrawIcon){.icon = (Icon)i, .center = {40, 40}, .color = c});
    }
    draw_pop_alpha(l);
    draw_pop_clip(l);
    assert_ok(draw_end(l, &err), err);
    char *file = path_in(b, "all.svg");
    assert_ok(export_svg(file, l, NULL, &err), err);
    size_t n;
    assert_well_formed(read_file(b, file, &n));
    assert_ok(export_pdf(path_in(b, "all.pdf"), l, NULL, &err), err);
    assert_ok(export_png(path_in(b, "all.png"), l, &(ExportDesc){.scale = 1.5f}, &err), err);
    path_builder_free(&path);
}

/* PDF read back by a program that is not ours. */
static void test_export_pdf__text_can_be_read_back(void **state)
{
    Bench *b = *state;
    Error err = {0};
    DrawList *l = begin(b);
    Color white = {1, 1, 1, 1};
    draw_text(
        l, &(DrawText){
               .face = FONT_MONO, .size = 12, .color = white, .text = "0.374377", .at = {10, 20}});
    draw_text(l, &(DrawText){.face = FONT_SANS,
                             .size = 12,
                             .color = white,
                             .text = "queries \xE2\x80\x9Cor\xE2\x80\x9D \n caf\xC3\xA9",
                             .at = {10, 50}});
    draw_text(l, &(DrawText){.face = FONT_SANS_SEMIBOLD,
                             .size = 11,
                             .color = white,
                             .text = "HEADS",
                             .at = {10, 80},
                             .tracking = 0.7f});
    draw_text(l, &(DrawText){.face = FONT_SANS,
                             .size = 12,
                             .color = white,
                             .text = "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
                             .at = {100, 80}});
    assert_ok(draw_end(l, &err), err);
    char *path = path_in(b, "text.pdf");
    assert_ok(export_pdf(path, l, NULL, &err), err);
    size_t n;
    char *pdf = read_file(b, path, &n);
    assert_memory_equal(pdf, "%PDF-", 5);
    char command[256];
    snprintf(command, sizeof(command), "pdftotext -layout '%s' -", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    char text[4096];
    size_t got = fread(text, 1, sizeof(text) - 1, pipe);
    text[got] = 0;
    assert_int_equal(pclose(pipe), 0);
    static const char *const wanted[] = {"0.374377", "queries \xE2\x80\x9Cor\xE2\x80\x9D",
                                         "caf\xC3\xA9", "HEADS",
                                         "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"};
    for (size_t i = 0; i < AS_COUNT(wanted); i++) {
        if (!strstr(text, wanted[i])) {
            print_error("missing: %s in\n%s\n", wanted[i], text);
            fail();
        }
    }
}

/* Tokens of byte-level vocabularies are often parts of a character, and titles are file names. */
static void test_export__bytes_that_are_no_text(void **state)
{
    Bench *b = *state;
    Error err = {0};
    DrawList *l = begin(b);
    Color white = {1, 1, 1, 1};
    static const char *const texts[] = {"a\xE4\xBD", "\xFF", "x\x01\x7F y", "\xC2\x85<&>"};
    for (size_t i = 0; i < AS_COUNT(texts); i++) {
        draw_text(l, &(DrawText){.face = FONT_MONO,
                                 .size = 12,
                                 .color = white,
                                 .text = texts[i],
                                 .at = {10, 20 + 20 * (float)i}});
    }
    assert_ok(draw_end(l, &err), err);
    ExportDesc desc = {.title = "of \xFF & <x>"};
    assert_ok(export_pdf(path_in(b, "bytes.pdf"), l, &desc, &err), err);
    assert_ok(export_png(path_in(b, "bytes.png"), l, &desc, &err), err);
    char *path = path_in(b, "bytes.svg");
    assert_ok(export_svg(path, l, &desc, &err), err);
    size_t n;
    const char *svg = read_file(b, path, &n);
    assert_well_formed(svg);
    assert_int_equal(utf8_count_invalid(svg, n), 0);
}

/* A filter in units of the figure's box draws nothing where that box has no height. */
static void test_export_svg__straight_glow_has_a_region(void **state)
{
    Bench *b = *state;
    Error err = {0};
    DrawList *l = begin(b);
    draw_bezier(l, &(DrawBezier){.a = {20, 50},
                                 .c1 = {40, 50},
                                 .c2 = {60, 50},
                                 .b = {80, 50},
                                 .width = 2,
                                 .soft = 6,
                                 .color = {1, 1, 1, 1}});
    assert_ok(draw_end(l, &err), err);
    char *path = path_in(b, "glow.svg");
    assert_ok(export_svg(path, l, NULL, &err), err);
    size_t n;
    const char *svg = read_file(b, path, &n);
    assert_non_null(strstr(svg, "<filter id=\"i1\" filterUnits=\"userSpaceOnUse\" x=\"7\" "
                                "y=\"37\" width=\"86\" height=\"26\">"));
}

static void test_export_png_pixels__round_trip(void **state)
{
    Bench *b = *state;
    Error err = {0};
    enum { W = 37, H = 21 };
    unsigned char pixels[W * H * 4];
    for (int alpha = 0; alpha < 2; alpha++) {
        for (int i = 0; i < W * H * 4; i++) {
            pixels[i] = (unsigned char)(i * 7 + i / 64);
            if (i % 4 == 3 && !alpha) {
                pixels[i] = 255;
            }
        }
        char *path = path_in(b, "pixels.png");
        assert_ok(export_png_pixels(path, pixels, W, H, &err), err);
        png_image image = {.version = PNG_IMAGE_VERSION};
        assert_true(png_image_begin_read_from_file(&image, path));
        assert_int_equal(image.width, W);
        assert_int_equal(image.height, H);
        assert_int_equal((image.format & PNG_FORMAT_FLAG_ALPHA) != 0, alpha);
        image.format = PNG_FORMAT_RGBA;
        unsigned char back[W * H * 4];
        assert_true(png_image_finish_read(&image, NULL, back, 0, NULL));
        assert_memory_equal(back, pixels, sizeof(pixels));
    }
}

static void test_export__failures_leave_nothing(void **state)
{
    Bench *b = *state;
    DrawList *l = begin(b);
    Error err = {0};
    assert_ok(draw_end(l, &err), err);
    char *path = path_in(b, "no-such-folder/x");
    unsigned char pixel[4] = {0};
    assert_false(export_svg(path, l, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    err = (Error){0};
    assert_false(export_pdf(path, l, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    err = (Error){0};
    assert_false(export_png_pixels(path, pixel, 1, 1, &err));
    assert_int_equal(err.code, ERR_IO);
    err = (Error){0};
    assert_false(export_png_pixels(path_in(b, "empty.png"), pixel, 0, 1, &err));
    assert_int_equal(err.code, ERR_RANGE);
    err = (Error){0};
    assert_false(export_png(path_in(b, "huge.png"), l, &(ExportDesc){.scale = 1e6f}, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_false(path_exists(path_in(b, "empty.png")));
    assert_false(path_exists(path_in(b, "huge.png")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_export_svg__keeps_text_as_text),
        cmocka_unit_test(test_export_svg__cells_are_shapes_until_there_are_many),
        cmocka_unit_test(test_export_svg__every_command_is_well_formed),
        cmocka_unit_test(test_export_pdf__text_can_be_read_back),
        cmocka_unit_test(test_export__bytes_that_are_no_text),
        cmocka_unit_test(test_export_svg__straight_glow_has_a_region),
        cmocka_unit_test(test_export_png_pixels__round_trip),
        cmocka_unit_test(test_export__failures_leave_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
