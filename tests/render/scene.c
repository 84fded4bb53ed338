#include "scene.h"

#include <math.h>

#include "base/random.h"

/* The dark theme's colours. */
enum {
    PAGE = 0x0B1020,
    CARD = 0x131A2E,
    CARD_TOP = 0x151C30,
    RAISED = 0x1B2440,
    WELL = 0x0D1325,
    EDGE = 0x24304D,
    EDGE2 = 0x36456E,
    TEXT = 0xE6EAF5,
    TEXT2 = 0xA3AECB,
    SMALL = 0x8490B2,
    ACCENT = 0x8B9CFF
};

void scene_init(Scene *scene)
{
    Random random = {17};
    int n = SCENE_CELLS;
    for (int i = 0; i < n; i++) {
        double sum = 0;
        float *row = scene->weights + (ptrdiff_t)i * n;
        for (int k = 0; k < n; k++) {
            double w = pow(random_uniform(&random), 12) * 0.02;
            w += k == 0 ? 0.4 : 0;
            w += k == i - 1 ? 0.3 : 0;
            w += i > 80 && (k == i - 64) ? 0.5 : 0;
            row[k] = k <= i ? (float)w : -INFINITY;
            sum += k <= i ? w : 0;
        }
        for (int k = 0; k <= i; k++) {
            row[k] = (float)((double)row[k] / sum);
        }
    }
    for (int i = 0; i < 64; i++) {
        unsigned char *p = scene->image + (ptrdiff_t)i * 4;
        p[0] = (unsigned char)(i * 4);
        p[1] = (unsigned char)(255 - i * 4);
        p[2] = (i + i / 8) % 2 ? 255 : 0;
        p[3] = 255;
    }
}

static void words(DrawList *l, FontFace face, float size, uint32_t color, float x, float y,
                  const char *text)
{
    draw_text(
        l, &(DrawText){
               .face = face, .size = size, .color = color_hex(color), .text = text, .at = {x, y}});
}

static void card(DrawList *l, Rect box)
{
    draw_shadow(
        l, &(DrawShadow){.box = box, .radius = 12, .blur = 16, .dy = 6, .color = {0, 0, 0, 0.38f}});
    draw_rect(l, &(DrawRect){.box = box,
                             .radius = 12,
                             .fill = color_hex(CARD_TOP),
                             .fill_bottom = color_hex(CARD),
                             .gradient = true,
                             .border = 1,
                             .border_color = color_hex(EDGE)});
}

static void chip(DrawList *l, Rect box, const char *text, int token, bool chosen)
{
    Color c = color_token(token);
    Color page = color_hex(CARD);
    draw_set_tag(l, (uint64_t)(100 + token));
    draw_rect(l, &(DrawRect){.box = box,
                             .radius = 0.3f * box.h,
                             .fill = color_mix(page, c, chosen ? 0.30f : 0.14f),
                             .border = chosen ? 1.5f : 1,
                             .border_color = color_with_alpha(c, chosen ? 1 : 0.55f)});
    FontFace face = chosen ? FONT_SANS_SEMIBOLD : FONT_SANS_MEDIUM;
    float middle = box.y + box.h / 2;
    draw_text(
        l, &(DrawText){.face = face,
                       .size = 12,
                       .color = color_mix(c, color_hex(0xFFFFFF), 0.65f),
                       .text = text,
                       .at = {box.x + box.w / 2, text_center_baseline(l->fonts, face, 12, middle)},
                       .align = DRAW_CENTER,
                       .max_width = box.w - 12});
    draw_set_tag(l, 0);
}

static void slider(DrawList *l, float x, float y, float w, float t)
{
    draw_rect(l, &(DrawRect){.box = {x, y - 2, w, 4}, .radius = 2, .fill = color_hex(EDGE2)});
    draw_rect(l, &(DrawRect){.box = {x, y - 2, w * t, 4}, .radius = 2, .fill = color_hex(ACCENT)});
    draw_circle(l,
                &(DrawCircle){.center = {x + w * t, y}, .radius = 7, .fill = color_hex(0xFFFFFF)});
    draw_circle(l, &(DrawCircle){.center = {x + w * t, y}, .radius = 3, .fill = color_hex(ACCENT)});
}

static void legend(DrawList *l, Rect box)
{
    Scale scale = {.kind = SCALE_LOG, .lo = 1e-4f, .hi = 1};
    int n = (int)box.w;
    for (int i = 0; i < n; i++) {
        draw_rect(l, &(DrawRect){.box = {box.x + (float)i, box.y, 1, box.h},
                                 .fill = colormap_eval(COLORMAP_MAGMA_NIGHT,
                                                       ((float)i + 0.5f) / (float)n)});
    }
    static const char *const labels[] = {"0.0001", "0.001", "0.01", "0.1", "1"};
    float ticks[16];
    int n_ticks = scale_ticks(scale, 5, ticks);
    for (int i = 0; i < n_ticks; i++) {
        float x = box.x + scale_apply(scale, ticks[i]) * box.w;
        draw_line(l, &(DrawLine){.a = {x, box.y + box.h + 1},
                                 .b = {x, box.y + box.h + 5},
                                 .width = 1,
                                 .color = color_hex(SMALL)});
        draw_text(l, &(DrawText){.face = FONT_MONO,
                                 .size = 11,
                                 .color = color_hex(SMALL),
                                 .text = labels[i],
                                 .at = {x, box.y + box.h + 17},
                                 .align = DRAW_CENTER});
    }
}

static void matrix(const Scene *s, DrawList *l)
{
    Rect box = {120, 120, 512, 512};
    card(l, rect(24, 24, 640, 672));
    words(l, FONT_DISPLAY_SEMIBOLD, 16, TEXT, 44, 56, "Layer 17 · Head 3");
    words(l, FONT_MONO, 12, SMALL, 430, 56, "queries 0–255, keys 0–255");
    words(l, FONT_SANS, 12, TEXT2, 44, 82,
          "What each query reads. Width and opacity are the weight; 512 × 512 tokens.");
    draw_rect(l, &(DrawRect){.box = box, .fill = color_hex(0x0C1122)});
    draw_push_clip(l, box);
    Vec2 future[3] = {{box.x + 2, box.y}, {box.x + 512, box.y}, {box.x + 512, box.y + 510}};
    draw_hatch(l, &(DrawHatch){.points = future,
                               .n_points = 3,
                               .fill = color_hex(0x10172B),
                               .color = color_with_alpha(color_hex(EDGE), 0.55f)});
    draw_cells(l, &(DrawCells){.box = box,
                               .source = {.values = s->weights,
                                          .rows = SCENE_CELLS,
                                          .cols = SCENE_CELLS,
                                          .version = 1},
                               .map = COLORMAP_MAGMA_NIGHT,
                               .scale = {.kind = SCALE_LOG, .lo = 1e-4f, .hi = 1}});
    words(l, FONT_SANS, 12, SMALL, 500, 170, "future keys, masked");
    Color cross = {1, 1, 1, 0.62f};
    draw_line(l,
              &(DrawLine){.a = {box.x, 401}, .b = {box.x + 512, 401}, .width = 1, .color = cross});
    draw_line(l,
              &(DrawLine){.a = {241, box.y}, .b = {241, box.y + 512}, .width = 1, .color = cross});
    draw_circle(l, &(DrawCircle){.center = {241, 401},
                                 .radius = 6.5f,
                                 .border = 1.5f,
                                 .border_color = color_hex(0xFFFFFF)});
    draw_pop_clip(l);
    static const char *const names[] = {",", "shall", "available", "or", "which", "including"};
    for (int i = 0; i < 6; i++) {
        float y = 140 + 80 * (float)i;
        draw_text(l, &(DrawText){.face = FONT_SANS,
                                 .size = 11,
                                 .color = color_hex(TEXT2),
                                 .text = names[i],
                                 .at = {88, y},
                                 .align = DRAW_RIGHT});
        draw_text(l, &(DrawText){.face = FONT_MONO,
                                 .size = 11,
                                 .color = color_hex(SMALL),
                                 .text = draw_format(l, "%d", 176 + 16 * i),
                                 .at = {113, y},
                                 .align = DRAW_RIGHT});
        draw_text(l, &(DrawText){.face = FONT_SANS,
                                 .size = 11,
                                 .color = color_hex(TEXT2),
                                 .text = names[i],
                                 .at = {145 + 80 * (float)i, 642},
                                 .align = DRAW_RIGHT,
                                 .turn = TEXT_UP});
    }
}

static void curves(DrawList *l)
{
    Rect box = {688, 400, 248, 140};
    card(l, box);
    words(l, FONT_SANS_SEMIBOLD, 14, TEXT, 704, 424, "Flow");
    draw_push_clip(l, rect_inset(box, 1));
    for (int i = 0; i < 5; i++) {
        float w = 1 - 0.19f * (float)i;
        Color c = color_head(i);
        draw_bezier(l, &(DrawBezier){.a = {712, 440 + 20 * (float)i},
                                     .c1 = {800, 440 + 20 * (float)i},
                                     .c2 = {820, 520 - 18 * (float)i},
                                     .b = {908, 520 - 18 * (float)i},
                                     .width = 8 * w,
                                     .color = color_with_alpha(c, 0.3f + 0.6f * w)});
    }
    draw_set_blend(l, DRAW_ADD);
    draw_bezier(l, &(DrawBezier){.a = {712, 480},
                                 .c1 = {800, 480},
                                 .c2 = {820, 450},
                                 .b = {908, 450},
                                 .width = 2,
                                 .color = {1, 1, 1, 0.5f},
                                 .color_end = color_with_alpha(color_hex(ACCENT), 0.5f),
                                 .gradient = true,
                                 .soft = 6,
                                 .cap = DRAW_ROUND});
    draw_set_blend(l, DRAW_OVER);
    draw_pop_clip(l);
}

static void icons(DrawList *l)
{
    Rect box = {688, 556, 248, 140};
    card(l, box);
    for (int i = 0; i < ICON_COUNT; i++) {
        Vec2 center = {704 + 24 * (float)(i % 9) + 11, 572 + 24 * (float)(i / 9) + 11};
        draw_icon(l, &(DrawIcon){.icon = (Icon)i,
                                 .center = center,
                                 .size = 20,
                                 .color = color_hex(i == 4 ? TEXT : TEXT2)});
    }
}

static void side(const Scene *s, DrawList *l)
{
    card(l, rect(688, 24, 248, 360));
    words(l, FONT_SANS_SEMIBOLD, 16, TEXT, 704, 52, "Inspector");
    chip(l, rect(704, 66, 80, 26), "or", 1, true);
    chip(l, rect(792, 66, 80, 26), "Legal", 2, false);
    words(l, FONT_MONO, 28, TEXT, 704, 126, "0.374377");
    draw_text(l, &(DrawText){.face = FONT_SANS_SEMIBOLD,
                             .size = 11,
                             .color = color_hex(SMALL),
                             .text = "HOW THIS WEIGHT IS MADE",
                             .at = {704, 152},
                             .tracking = 0.7f});
    draw_line(l, &(DrawLine){
                     .a = {704, 160.5f}, .b = {920, 160.5f}, .width = 1, .color = color_hex(EDGE)});
    words(l, FONT_MATH_ITALIC, 20, TEXT, 704, 190, "w");
    words(l, FONT_MATH_ITALIC, 13, TEXT, 718, 195, "ij");
    words(l, FONT_MATH, 20, TEXT, 730, 190, "= exp(qᵢ·kⱼ / √dₖ − LSE)");
    words(l, FONT_SANS, 13, TEXT2, 704, 216, "“an individual or” also stands at 101–103");
    words(l, FONT_SANS, 12, TEXT2, 704, 236, "שלום world · مرحبا · 注意 · Ελληνικά");
    slider(l, 704, 256, 160, 0.4f);
    words(l, FONT_MONO, 12, TEXT, 880, 260, "1.00");
    legend(l, rect(704, 276, 216, 12));
    draw_cells(l, &(DrawCells){.box = {704, 310, 150, 60},
                               .source = {.values = s->weights + 6 * SCENE_CELLS,
                                          .rows = 2,
                                          .cols = 5,
                                          .stride = SCENE_CELLS,
                                          .version = 2},
                               .map = COLORMAP_MAGMA_NIGHT,
                               .scale = {.kind = SCALE_SQRT},
                               .inset = 0.5f,
                               .radius = 4});
    draw_image(
        l,
        &(DrawImage){
            .box = {872, 310, 48, 48}, .pixels = s->image, .width = 8, .height = 8, .version = 3});
}

void scene_draw(const Scene *s, DrawList *l)
{
    draw_set_background(l, color_hex(PAGE));
    matrix(s, l);
    side(s, l);
    curves(l);
    icons(l);
    draw_push_alpha(l, 0.5f);
    Vec2 zigzag[5] = {{700, 706}, {760, 712}, {800, 702}, {860, 714}, {930, 704}};
    draw_polyline(l, &(DrawPolyline){.points = zigzag,
                                     .n_points = 5,
                                     .width = 2,
                                     .color = color_hex(ACCENT),
                                     .cap = DRAW_ROUND});
    draw_pop_alpha(l);
    draw_line(l, &(DrawLine){.a = {40, 708},
                             .b = {640, 708},
                             .width = 2,
                             .color = color_hex(RAISED),
                             .dash_on = 6,
                             .dash_off = 4});
    Vec2 arrow[3] = {{640, 702}, {652, 708}, {640, 714}};
    draw_polygon(l, &(DrawPolygon){.points = arrow, .n_points = 3, .fill = color_hex(WELL)});
}
