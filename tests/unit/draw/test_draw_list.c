#include "draw/draw_list.h"
#include <stdio.h>

#include "testing.h"

static int setup(void **state)
{
    Error err = {0};
    *state = fontset_create(&err);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    fontset_destroy(*state);
    return 0;
}

static void test_draw_dump__every_command(void **state)
{
    DrawList list = {0};
    Error err = {0};
    Arena arena = {0};
    static const float values[6] = {0, 0.5f, 1, -INFINITY, 0.25f, 0};
    static const unsigned char pixel[4] = {255, 0, 0, 255};
    Vec2 triangle[3] = {{0, 0}, {10, 0}, {10, 10}};
    PathBuilder path = {0};
    path_circle(&path, vec2(0, 0), 5);
    draw_begin(&list, *state, 320, 200);
    draw_set_background(&list, color_hex(0x0B1020));
    draw_set_tag(&list, 7);
    draw_rect(&list, &(DrawRect){.box = {10, 20, 100, 50},
                                 .radius = 12,
                                 .fill = color_hex(0x131A2E),
                                 .border = 1,
                                 .border_color = color_hex(0x24304D)});
    draw_set_tag(&list, 0);
    draw_shadow(
        &list, &(DrawShadow){.box = {10, 20, 100, 50}, .blur = 16, .dy = 6, .color = {0, 0, 0, 1}});
    draw_push_clip(&list, rect(0, 0, 100, 100));
    draw_push_alpha(&list, 0.5f);
    draw_line(&list,
              &(DrawLine){.a = {0, 10.5f}, .b = {50, 10.5f}, .width = 1, .color = {1, 1, 1, 1}});
    draw_polyline(
        &list,
        &(DrawPolyline){
            .points = triangle, .n_points = 3, .width = 2, .color = {1, 0, 0, 1}, .closed = true});
    draw_pop_alpha(&list);
    draw_bezier(&list, &(DrawBezier){.a = {0, 0},
                                     .c1 = {10, 0},
                                     .c2 = {10, 20},
                                     .b = {20, 20},
                                     .width = 3,
                                     .color = {0, 0, 1, 1}});
    draw_pop_clip(&list);
    draw_circle(&list, &(DrawCircle){.center = {50, 50}, .radius = 5, .fill = {1, 1, 1, 1}});
    draw_polygon(&list, &(DrawPolygon){.points = triangle, .n_points = 3, .fill = {0, 1, 0, 1}});
    draw_path(&list, &(DrawPath){.path = path_of(&path), .origin = {40, 40}, .fill = {1, 1, 1, 1}});
    draw_icon(&list, &(DrawIcon){.icon = ICON_MATRIX, .center = {30, 30}, .color = {1, 1, 1, 1}});
    draw_set_blend(&list, DRAW_ADD);
    draw_text(&list, &(DrawText){.face = FONT_MONO,
                                 .size = 10,
                                 .color = {1, 1, 1, 1},
                                 .text = "0.25 \"x\"",
                                 .at = {100, 50},
                                 .align = DRAW_RIGHT});
    draw_set_blend(&list, DRAW_OVER);
    draw_image(&list, &(DrawImage){.box = {0, 0, 4, 4}, .pixels = pixel, .width = 1, .height = 1});
    draw_hatch(&list, &(DrawHatch){.points = triangle, .n_points = 3, .color = {1, 1, 1, 1}});
    draw_cells(&list, &(DrawCells){.box = {0, 0, 30, 20},
                                   .source = {.values = values, .rows = 2, .cols = 3},
                                   .map = COLORMAP_MAGMA,
                                   .scale = {.kind = SCALE_LOG}});
    assert_ok(draw_end(&list, &err), err);
    char *dump = draw_dump(&list, &arena, &err);
    assert_non_null(dump);
    static const char want[] =
        "frame 320x200 background=#0B1020FF\n"
        "rect #7 box=10,20,100,50 fill=#131A2EFF radius=12 border=1 edge=#24304DFF\n"
        "shadow box=-6,10,132,82 blur=16 dy=6 color=#000000FF\n"
        "clip to=0,0,100,100\n"
        "line opacity=0.5 box=-0.5,10,51,1 a=0,10.5 b=50,10.5 width=1 color=#FFFFFFFF\n"
        "polyline opacity=0.5 box=-2,-2,14,14 points=(0,0 10,0 10,10) width=2 color=#FF0000FF "
        "closed\n"
        "bezier box=-1.5,-1.5,23,23 a=0,0 c1=10,0 c2=10,20 b=20,20 width=3 width_end=3 "
        "color=#0000FFFF end=#0000FFFF\n"
        "clip to=0,0,320,200\n"
        "circle box=45,45,10,10 fill=#FFFFFFFF border=0 edge=#00000000\n"
        "polygon box=0,0,10,10 points=(0,0 10,0 10,10) fill=#00FF00FF\n"
        "path box=35,35,10,10 fill=#FFFFFFFF stroke=0 color=#00000000\n"
        "icon box=18,18,24,24 matrix color=#FFFFFFFF\n"
        "text add box=52,39.8,48,13.2 \"0.25 \\\"x\\\"\" mono size=10 at=52,50 color=#FFFFFFFF\n"
        "image box=0,0,4,4 1x1\n"
        "hatch box=0,0,10,10 points=(0,0 10,0 10,10) fill=#00000000 color=#FFFFFFFF\n"
        "cells box=0,0,30,20 2x3 map=magma scale=log,0.0001,1 reduce=max masked=#00000000\n";
    assert_string_equal(dump, want);
    path_builder_free(&path);
    arena_destroy(&arena);
    draw_list_free(&list);
}

/* Parts from the right are told in the order they are seen in, by the Unicode bidirectional rules.
 */
static void test_draw_dump__order_seen(void **state)
{
    static const struct {
        const char *text, *seen; /* NULL: as it is written */
    } rows[] = {
        {"abc 12", NULL},
        {"אבג", "גבא"},
        {"a אב 12 b", "a 12 בא b"},
        {"אב 12", "12 בא"},
        {"אב abc", "abc בא"},
        {"ל##", "##ל"},
        {"(אב)", ")בא("},
        /* characters: their shapes are mirrored */ {"a ب12ت b", "a ت12ب b"},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        DrawList list = {0};
        Arena arena = {0};
        Error err = {0};
        char want[64];
        draw_begin(&list, *state, 320, 200);
        draw_text(
            &list,
            &(DrawText){.size = 12, .color = {1, 1, 1, 1}, .text = rows[i].text, .at = {100, 50}});
        assert_ok(draw_end(&list, &err), err);
        const char *dump = draw_dump(&list, &arena, &err);
        assert_non_null(dump);
        snprintf(want, sizeof want, " seen=\"%s\"", rows[i].seen ? rows[i].seen : "");
        bool right = rows[i].seen ? strstr(dump, want) != NULL : strstr(dump, "seen=") == NULL;
        if (!right) {
            print_error("row %zu: %s", i, dump);
        }
        assert_true(right);
        arena_destroy(&arena);
        draw_list_free(&list);
    }
}

static void test_draw__drops_what_cannot_be_seen(void **state)
{
    DrawList list = {0};
    Error err = {0};
    draw_begin(&list, *state, 100, 100);
    Color white = {1, 1, 1, 1};
    draw_rect(&list, &(DrawRect){.box = {200, 0, 10, 10}, .fill = white});
    draw_rect(&list, &(DrawRect){.box = {0, 0, 10, 10}});
    draw_rect(&list, &(DrawRect){.box = {0, 0, NAN, 10}, .fill = white});
    draw_rect(&list, &(DrawRect){.box = {0, 0, INFINITY, 10}, .fill = white});
    draw_line(&list, &(DrawLine){.a = {0, NAN}, .b = {9, 9}, .width = 1, .color = white});
    draw_push_alpha(&list, 0);
    draw_rect(&list, &(DrawRect){.box = {0, 0, 10, 10}, .fill = white});
    draw_pop_alpha(&list);
    draw_push_clip(&list, rect(50, 50, 10, 10));
    draw_push_clip(&list, rect(0, 0, 40, 40)); /* does not meet the one around it */
    draw_rect(&list, &(DrawRect){.box = {0, 0, 100, 100}, .fill = white});
    draw_pop_clip(&list);
    draw_pop_clip(&list);
    draw_text(&list, &(DrawText){.size = 12, .color = white, .text = "", .at = {5, 5}});
    draw_cells(&list, &(DrawCells){.box = {0, 0, 10, 10}});
    draw_polygon(&list, &(DrawPolygon){.n_points = 2, .fill = white});
    assert_int_equal(list.cmds.n, 0);
    assert_ok(draw_end(&list, &err), err);
    draw_push_clip(&list, rect(0, 0, 1, 1));
    assert_false(draw_end(&list, &err));
    draw_list_free(&list);
}

static void test_draw_text__aligns_and_elides(void **state)
{
    DrawList list = {0};
    draw_begin(&list, *state, 400, 100);
    static const struct {
        DrawAlign align;
        TextTurn turn;
        Vec2 want;
    } rows[] = {{DRAW_LEFT, TEXT_UPRIGHT, {100, 50}}, {DRAW_CENTER, TEXT_UPRIGHT, {88, 50}},
                {DRAW_RIGHT, TEXT_UPRIGHT, {76, 50}}, {DRAW_RIGHT, TEXT_UP, {100, 74}},
                {DRAW_CENTER, TEXT_DOWN, {100, 38}},  {DRAW_LEFT, TEXT_UP, {100, 50}}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        float width = draw_text(&list, &(DrawText){.face = FONT_MONO,
                                                   .size = 10,
                                                   .color = {1, 1, 1, 1},
                                                   .text = "0123",
                                                   .at = {100, 50},
                                                   .align = rows[i].align,
                                                   .turn = rows[i].turn});
        assert_true(fabsf(width - 24) < 1e-3f);
        const DrawCmd *cmd = &list.cmds.items[i];
        float got[2] = {cmd->u.text.at.x, cmd->u.text.at.y};
        float want[2] = {rows[i].want.x, rows[i].want.y};
        assert_close(got, want, 2, 1e-3, 0);
    }
    float width = draw_text(&list, &(DrawText){.face = FONT_MONO,
                                               .size = 10,
                                               .color = {1, 1, 1, 1},
                                               .text = "0123456789",
                                               .at = {10, 20},
                                               .max_width = 31});
    const DrawCmd *cmd = &list.cmds.items[list.cmds.n - 1];
    assert_string_equal(cmd->u.text.text, "0123\xE2\x80\xA6");
    assert_string_equal(cmd->full_text, "0123456789");
    assert_true(width <= 31);
    draw_list_free(&list);
}

static void test_draw_pick__uppermost_tag_inside_its_clip(void **state)
{
    DrawList list = {0};
    draw_begin(&list, *state, 100, 100);
    Color white = {1, 1, 1, 1};
    draw_set_tag(&list, 1);
    draw_rect(&list, &(DrawRect){.box = {0, 0, 50, 50}, .fill = white});
    draw_push_clip(&list, rect(20, 20, 10, 10));
    draw_set_tag(&list, 2);
    draw_rect(&list, &(DrawRect){.box = {10, 10, 50, 50}, .fill = white});
    draw_pop_clip(&list);
    draw_set_tag(&list, 0);
    draw_rect(&list, &(DrawRect){.box = {0, 0, 100, 100}, .fill = white});
    assert_int_equal(draw_pick(&list, vec2(25, 25)), 2);
    assert_int_equal(draw_pick(&list, vec2(15, 15)), 1);
    assert_int_equal(draw_pick(&list, vec2(90, 90)), 0);
    draw_list_free(&list);
}

static void test_draw_format__any_length(void **state)
{
    DrawList list = {0};
    draw_begin(&list, *state, 10, 10);
    assert_string_equal(draw_format(&list, "%d x %d", 3, 4), "3 x 4");
    char text[1500];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    assert_string_equal(draw_format(&list, "%s", text), text);
    draw_list_free(&list);
}

static void test_cells_reduce__max_mean_and_masks(void **state)
{
    (void)state;
    static const float values[16] = {1, 2, 9, 9, 3, 4, 9, 9, 5, 6, -INFINITY, NAN, 7, 8, NAN, 3};
    DrawCells c = {.source = {.values = values, .rows = 4, .cols = 4, .stride = 4}};
    float out[4];
    cells_reduce(&c, 2, 2, out);
    float want_max[4] = {4, 9, 8, 3};
    assert_close(out, want_max, 4, 0, 0);
    c.reduce = CELL_MEAN;
    cells_reduce(&c, 2, 2, out);
    float want_mean[4] = {2.5f, 9, 6.5f, 3};
    assert_close(out, want_mean, 4, 1e-6, 0);
    c.hide_future = true;
    cells_reduce(&c, 2, 2, out);
    float want_causal[4] = {8.0f / 3, -INFINITY, 6.5f, 3};
    assert_close(out, want_causal, 4, 1e-6, 0);
    /* A part of a matrix: its row 0 is query 2. */
    c.future_offset = 2;
    cells_reduce(&c, 2, 2, out);
    assert_true(out[1] == 9);
}

/* Sizes that do not divide: every cell counts in exactly one output. */
static void test_cells_reduce__no_cell_is_lost(void **state)
{
    (void)state;
    enum { N = 37, OUT = 11 };
    float values[N * N];
    float out[OUT * OUT];
    for (int hot = 0; hot < N * N; hot += 5) {
        memset(values, 0, sizeof(values));
        values[hot] = 1;
        DrawCells c = {.source = {.values = values, .rows = N, .cols = N, .stride = N}};
        cells_reduce(&c, OUT, OUT, out);
        float sum = 0;
        for (int i = 0; i < OUT * OUT; i++) {
            sum += out[i];
        }
        assert_true(sum == 1);
    }
}

static void test_icons__all_have_a_drawing_on_the_grid(void **state)
{
    (void)state;
    for (int i = 0; i < ICON_COUNT; i++) {
        PathBuilder b = {0};
        Error err = {0};
        assert_ok(path_parse(&b, icon_stroke_path((Icon)i), &err), err);
        assert_ok(path_parse(&b, icon_fill_path((Icon)i), &err), err);
        assert_true(b.points.n > 0);
        Rect box = path_bounds(path_of(&b));
        assert_true(box.x >= 1 && box.y >= 1 && box.x + box.w <= 23 && box.y + box.h <= 23);
        path_builder_free(&b);
    }
}

static void test_path_parse__refuses_nonsense(void **state)
{
    (void)state;
    static const char *const bad[] = {"M",
                                      "M 1",
                                      "X 1 2",
                                      "M 1 2 L 3",
                                      "M 1 2 C 1 2 3 4 5",
                                      "M 1e3 2",
                                      "M1 2 L--3 4",
                                      "M 1111111111111111111111111111111 2"};
    for (size_t i = 0; i < AS_COUNT(bad); i++) {
        PathBuilder b = {0};
        Error err = {0};
        assert_false(path_parse(&b, bad[i], &err));
        assert_int_equal(err.code, ERR_FORMAT);
        path_builder_free(&b);
    }
    PathBuilder b = {0};
    Error err = {0};
    assert_ok(path_parse(&b, "M1 2-3.5.5H7V8ZM0,0Q1,1 2,0", &err), err);
    assert_int_equal(b.verbs.n, 7);
    assert_true(b.points.items[1].x == -3.5f && b.points.items[1].y == 0.5f);
    path_builder_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draw_dump__every_command),
        cmocka_unit_test(test_draw_dump__order_seen),
        cmocka_unit_test(test_draw__drops_what_cannot_be_seen),
        cmocka_unit_test(test_draw_text__aligns_and_elides),
        cmocka_unit_test(test_draw_pick__uppermost_tag_inside_its_clip),
        cmocka_unit_test(test_draw_format__any_length),
        cmocka_unit_test(test_cells_reduce__max_mean_and_masks),
        cmocka_unit_test(test_cells_reduce__no_cell_is_lost),
        cmocka_unit_test(test_icons__all_have_a_drawing_on_the_grid),
        cmocka_unit_test(test_path_parse__refuses_nonsense),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
