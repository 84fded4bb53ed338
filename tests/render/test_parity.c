/*
 * One display list with every command, each in a box of its own, painted by GL, by cairo, and as
 * SVG and PDF by other programs (rsvg-convert, pdftoppm). All must give the same picture: each
 * command has the most its pixels may differ from GL's, as root mean square over its box and as the
 * difference of the mean (which edges cannot hide: too wide, too dark, at the wrong place).
 */
#include <math.h>
#include <stdio.h>

#include "by_cairo.h"

enum { BOX_W = 120, BOX_H = 64, COLS = 4, PAGE = 0x0B1020, CELLS = 6, MANY = 96 };

/* What is drawn needs to live until it is painted. */
typedef struct Kept {
    float few[CELLS * CELLS], many[MANY * MANY];
    unsigned char image[8 * 8 * 4];
    DrawCurve curves[2][3];
    DrawParticle particles[3];
    ScenePlane planes[2];
    SceneCurve scene_curve;
    float sheet[16];
} Kept;

static void fill_kept(Kept *k)
{
    for (int i = 0; i < CELLS * CELLS; i++) {
        bool future = i % CELLS > i / CELLS;
        k->few[i] = future ? -INFINITY : 1.0f / (float)(1 + (i * 7) % 13);
    }
    for (int i = 0; i < MANY * MANY; i++) {
        k->many[i] = (float)((i * 37) % 101) / 100;
    }
    for (int i = 0; i < 64; i++) {
        unsigned char *p = k->image + (ptrdiff_t)4 * i;
        p[0] = (unsigned char)(i * 4);
        p[1] = (unsigned char)(255 - i * 4);
        p[2] = (i + i / 8) % 2 ? 255 : 0;
        p[3] = i < 32 ? 255 : 160;
    }
    for (int i = 0; i < 16; i++) {
        k->sheet[i] = (float)(i % 5) / 4;
    }
}

typedef void DrawOne(DrawList *l, Kept *k, Rect r);

static Vec2 in(Rect r, float x, float y)
{
    return vec2(r.x + x * r.w, r.y + y * r.h);
}

static void one_rect(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    draw_rect(l, &(DrawRect){.box = rect_inset(r, 10.5f), .fill = color_hex(0x3B82F6)});
}

static void one_rounded(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    draw_rect(l, &(DrawRect){.box = rect_inset(r, 8),
                             .radius = 12,
                             .fill = color_hex(0x131A2E),
                             .border = 2,
                             .border_color = color_hex(0x8B9CFF)});
}

static void one_gradient(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    draw_rect(l, &(DrawRect){.box = rect_inset(r, 8),
                             .radius = 8,
                             .fill = color_hex(0xEC4899),
                             .fill_bottom = color_hex(0x06B6D4),
                             .gradient = true});
}

static void one_shadow(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    draw_rect(l, &(DrawRect){.box = r, .fill = color_hex(0xE6EAF5)});
    draw_shadow(
        l,
        &(DrawShadow){
            .box = rect_inset(r, 22), .radius = 8, .blur = 16, .dy = 4, .color = {0, 0, 0, 0.6f}});
}

static void one_line(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    static const float widths[] = {1, 1.5f, 3, 7};
    for (int i = 0; i < 4; i++) {
        draw_line(l, &(DrawLine){.a = in(r, 0.1f + 0.2f * (float)i, 0.15f),
                                 .b = in(r, 0.25f + 0.2f * (float)i, 0.85f),
                                 .width = widths[i],
                                 .cap = i % 2 ? DRAW_ROUND : DRAW_BUTT,
                                 .color = color_hex(0xE6EAF5)});
    }
}

static void one_dashes(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    draw_line(l, &(DrawLine){.a = in(r, 0.1f, 0.5f),
                             .b = in(r, 0.9f, 0.5f),
                             .width = 2,
                             .dash_on = 6,
                             .dash_off = 4,
                             .color = color_hex(0xF59E0B)});
}

static void one_polyline(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    Vec2 p[5] = {in(r, 0.1f, 0.8f), in(r, 0.3f, 0.2f), in(r, 0.5f, 0.7f), in(r, 0.7f, 0.3f),
                 in(r, 0.9f, 0.8f)};
    draw_push_alpha(l, 0.5f);
    draw_polyline(l, &(DrawPolyline){.points = p,
                                     .n_points = 5,
                                     .width = 5,
                                     .cap = DRAW_ROUND,
                                     .color = color_hex(0x4ECDC4)});
    draw_pop_alpha(l);
}

static DrawBezier bezier(Rect r)
{
    return (DrawBezier){.a = in(r, 0.1f, 0.8f),
                        .c1 = in(r, 0.4f, -0.3f),
                        .c2 = in(r, 0.6f, 1.2f),
                        .b = in(r, 0.9f, 0.2f),
                        .width = 10,
                        .color = color_hex(0xFF6B6B)};
}

static void one_bezier(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    DrawBezier b = bezier(r);
    b.width_end = 2;
    draw_bezier(l, &b);
}

static void one_bezier_gradient(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    DrawBezier b = bezier(r);
    b.gradient = true;
    b.color_end = color_with_alpha(color_hex(0x45B7D1), 0.3f);
    b.cap = DRAW_ROUND;
    b.t1 = 0.8f;
    draw_bezier(l, &b);
}

static void one_bezier_soft(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    DrawBezier b = bezier(r);
    b.soft = 6;
    b.width = 6;
    b.color.a = 0.6f;
    draw_set_blend(l, DRAW_ADD);
    draw_bezier(l, &b);
    draw_set_blend(l, DRAW_OVER);
}

static void one_circle(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    draw_circle(l, &(DrawCircle){.center = in(r, 0.5f, 0.5f),
                                 .radius = 24.3f,
                                 .fill = color_hex(0x10B981),
                                 .border = 3,
                                 .border_color = color_hex(0xFFFFFF)});
}

static void one_halo(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    draw_circle(l, &(DrawCircle){.center = in(r, 0.5f, 0.5f),
                                 .radius = 20,
                                 .soft = 12,
                                 .fill = color_with_alpha(color_hex(0x8B5CF6), 0.8f)});
}

static void one_polygon(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    Vec2 p[4] = {in(r, 0.2f, 0.5f), in(r, 0.5f, 0.1f), in(r, 0.85f, 0.6f), in(r, 0.45f, 0.9f)};
    draw_polygon(l, &(DrawPolygon){.points = p, .n_points = 4, .fill = color_hex(0xF7DC6F)});
}

static void one_icon(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    for (int i = 0; i < 3; i++) {
        draw_icon(l, &(DrawIcon){.icon = (Icon)(i * 3 + 1),
                                 .center = in(r, 0.2f + 0.3f * (float)i, 0.5f),
                                 .size = 28,
                                 .color = color_hex(0xE6EAF5)});
    }
}

static void write_words(DrawList *l, FontFace face, float size, Vec2 at, TextTurn turn,
                        const char *text)
{
    draw_text(l, &(DrawText){.face = face,
                             .size = size,
                             .color = color_hex(0xE6EAF5),
                             .text = text,
                             .at = at,
                             .turn = turn});
}

static void one_text(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    write_words(l, FONT_SANS, 12, in(r, 0.05f, 0.35f), TEXT_UPRIGHT, "What “it” reads");
    write_words(l, FONT_MONO, 11, in(r, 0.05f, 0.6f), TEXT_UPRIGHT, "0.374377 · 17/29");
    write_words(l, FONT_SANS_SEMIBOLD, 14, in(r, 0.05f, 0.88f), TEXT_UPRIGHT, "Layer by layer");
}

static void one_large_text(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    write_words(l, FONT_DISPLAY_SEMIBOLD, 48, in(r, 0.05f, 0.8f), TEXT_UPRIGHT, "Steps");
}

static void one_turned(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    write_words(l, FONT_SANS, 12, in(r, 0.2f, 0.9f), TEXT_UP, "upwards");
    write_words(l, FONT_SANS, 12, in(r, 0.4f, 0.1f), TEXT_DOWN, "downwards");
    write_words(l, FONT_SANS, 12, in(r, 0.6f, 0.9f), TEXT_LEAN, "leaning");
}

static void one_scripts(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    write_words(l, FONT_SANS, 14, in(r, 0.04f, 0.35f), TEXT_UPRIGHT, "a שלום 12 b");
    write_words(l, FONT_SANS, 14, in(r, 0.04f, 0.75f), TEXT_UPRIGHT, "Ελλάδα e\u0301 n\u0303");
}

static void one_tracked(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    draw_text(l, &(DrawText){.face = FONT_SANS_SEMIBOLD,
                             .size = 11,
                             .color = color_hex(0x8490B2),
                             .text = "HOW IT IS MADE",
                             .at = in(r, 0.04f, 0.6f),
                             .tracking = 0.7f});
}

static void put_image(DrawList *l, const Kept *k, Rect r, bool smooth)
{
    Vec2 at = in(r, 0.5f, 0.5f);
    draw_image(l, &(DrawImage){.box = {at.x - 24, at.y - 24, 48, 48},
                               .pixels = k->image,
                               .width = 8,
                               .height = 8,
                               .smooth = smooth});
}

static void one_image(DrawList *l, Kept *k, Rect r)
{
    put_image(l, k, r, false);
}

static void one_smooth_image(DrawList *l, Kept *k, Rect r)
{
    put_image(l, k, r, true);
}

static void one_hatch(DrawList *l, Kept *k, Rect r)
{
    (void)k;
    Vec2 p[3] = {in(r, 0.1f, 0.1f), in(r, 0.9f, 0.1f), in(r, 0.9f, 0.9f)};
    draw_hatch(l, &(DrawHatch){.points = p,
                               .n_points = 3,
                               .fill = color_hex(0x10172B),
                               .color = color_with_alpha(color_hex(0x8490B2), 0.7f)});
}

static void cells(DrawList *l, const float *values, int n, Rect box, float inset)
{
    draw_cells(l, &(DrawCells){.box = box,
                               .source = {.values = values, .rows = n, .cols = n},
                               .map = COLORMAP_MAGMA_NIGHT,
                               .scale = {.kind = SCALE_SQRT, .lo = 0, .hi = 1},
                               .inset = inset,
                               .radius = inset > 0 ? 3.0f : 0});
}

static void one_cells(DrawList *l, Kept *k, Rect r)
{
    cells(l, k->few, CELLS, rect(r.x + 30, r.y + 5, 54, 54), 0);
}

static void one_inset_cells(DrawList *l, Kept *k, Rect r)
{
    cells(l, k->few, CELLS, rect(r.x + 30, r.y + 5, 54, 54), 0.5f);
}

/* More than are kept as shapes, and smaller than pixels. */
static void one_many_cells(DrawList *l, Kept *k, Rect r)
{
    cells(l, k->many, MANY, rect(r.x + 36, r.y + 8, 48, 48), 0);
}

static void put_curves(DrawList *l, DrawCurve *curves, Rect r)
{
    for (int i = 0; i < 3; i++) {
        curves[i] = (DrawCurve){.a = in(r, 0.1f, 0.2f + 0.25f * (float)i),
                                .c1 = in(r, 0.5f, 0.2f + 0.25f * (float)i),
                                .c2 = in(r, 0.5f, 0.8f - 0.2f * (float)i),
                                .b = in(r, 0.9f, 0.8f - 0.2f * (float)i),
                                .width = 2 + 2 * (float)i,
                                .core = i == 2 ? 0.28f : 0,
                                .glow = i == 2 ? 5.0f : 0,
                                .glow_alpha = 0.2f,
                                .color = color_with_alpha(color_head(i), 0.8f)};
    }
    draw_curves(l, &(DrawCurves){.curves = curves, .n = 3, .core = {1, 1, 1, 0.75f}});
}

static void one_curves(DrawList *l, Kept *k, Rect r)
{
    put_curves(l, k->curves[0], r);
}

static void one_particles(DrawList *l, Kept *k, Rect r)
{
    put_curves(l, k->curves[1], r);
    for (int i = 0; i < 3; i++) {
        k->particles[i] = (DrawParticle){.curve = (uint32_t)i,
                                         .phase = 0.3f + 0.2f * (float)i,
                                         .radius = 2.6f,
                                         .halo = 8,
                                         .tail = 12,
                                         .color = color_with_alpha(color_head(i), 0.75f)};
    }
    draw_particles(l, &(DrawParticles){.curves = k->curves[1],
                                       .n_curves = 3,
                                       .items = k->particles,
                                       .n = 3,
                                       .time_s = 5,
                                       .core = {1, 1, 1, 1}});
}

static void one_scene(DrawList *l, Kept *k, Rect r)
{
    for (int i = 0; i < 2; i++) {
        k->planes[i] = (ScenePlane){.y = 0.8f * (float)i,
                                    .x0 = -1.4f,
                                    .z0 = -1,
                                    .x1 = 1.4f,
                                    .z1 = 1,
                                    .cells = {.values = k->sheet, .rows = 4, .cols = 4},
                                    .cell_alpha = 0.4f,
                                    .cell_alpha_more = 0.6f,
                                    .sheet = color_with_alpha(color_hex(0x111833), 0.7f)};
    }
    k->scene_curve =
        (SceneCurve){.p = {{-1, 0, 0}, {-0.3f, 0.3f, 0.4f}, {0.3f, 0.5f, 0.4f}, {1, 0.8f, 0}},
                     .width = 3,
                     .color = color_hex(0xFF6B6B)};
    Color ground = color_hex(0x0F1734);
    draw_scene(l, &(DrawScene){.box = rect_inset(r, 4),
                               .camera = {.target = {0, 0.4f, 0},
                                          .yaw_rad = -0.42f,
                                          .pitch_rad = 0.44f,
                                          .distance = 9,
                                          .fov_rad = 0.35f},
                               .ground = {ground, ground, ground},
                               .ground_radius = 100,
                               .map = COLORMAP_MAGMA_NIGHT,
                               .scale = {.kind = SCALE_SQRT, .lo = 0, .hi = 1},
                               .planes = k->planes,
                               .n_planes = 2,
                               .curves = &k->scene_curve,
                               .n_curves = 1});
}

static void one_clip(DrawList *l, Kept *k, Rect r)
{
    draw_push_clip(l, rect(r.x + 30, r.y + 20, 60, 32));
    one_circle(l, k, r);
    one_bezier(l, k, r);
    write_words(l, FONT_SANS_SEMIBOLD, 20, in(r, 0.05f, 0.6f), TEXT_UPRIGHT, "clipped words");
    draw_pop_clip(l);
}

typedef enum Painter { BY_CAIRO, BY_SVG, BY_PDF, N_PAINTERS } Painter;
static const char *const painter_names[] = {"cairo", "SVG", "PDF"};

/* The most each may differ from GL. Other programs place glyphs on whole pixels and smooth them in
 * their own way, so the edges of text differ there and its mean does not. pdftoppm does not smooth
 * the edges of clips and pictures. */
typedef struct ParityRow {
    const char *what;
    DrawOne *draw;
    struct {
        double rms, mean;
    } most[N_PAINTERS];
} ParityRow;

static const ParityRow rows[] = {
    {"rect", one_rect, {{0.003, 0.001}, {0.003, 0.001}, {0.074, 0.001}}},
    {"rounded rect", one_rounded, {{0.008, 0.002}, {0.008, 0.002}, {0.027, 0.006}}},
    {"gradient", one_gradient, {{0.004, 0.002}, {0.004, 0.002}, {0.015, 0.009}}},
    {"shadow", one_shadow, {{0.005, 0.002}, {0.024, 0.015}, {0.033, 0.007}}},
    {"lines", one_line, {{0.008, 0.002}, {0.008, 0.002}, {0.026, 0.005}}},
    {"dashes", one_dashes, {{0.005, 0.001}, {0.005, 0.001}, {0.03, 0.005}}},
    {"polyline", one_polyline, {{0.013, 0.003}, {0.013, 0.002}, {0.015, 0.002}}},
    {"bezier", one_bezier, {{0.035, 0.003}, {0.035, 0.003}, {0.037, 0.006}}},
    {"bezier with a gradient",
     one_bezier_gradient,
     {{0.011, 0.004}, {0.011, 0.004}, {0.018, 0.005}}},
    {"soft bezier, added", one_bezier_soft, {{0.023, 0.006}, {0.045, 0.021}, {0.026, 0.01}}},
    {"circle", one_circle, {{0.009, 0.002}, {0.009, 0.002}, {0.024, 0.005}}},
    {"halo", one_halo, {{0.004, 0.002}, {0.029, 0.005}, {0.017, 0.003}}},
    {"polygon", one_polygon, {{0.009, 0.002}, {0.009, 0.002}, {0.016, 0.004}}},
    {"icons", one_icon, {{0.016, 0.002}, {0.017, 0.002}, {0.04, 0.004}}},
    {"text", one_text, {{0.101, 0.001}, {0.099, 0.002}, {0.186, 0.002}}},
    {"large text", one_large_text, {{0.08, 0.002}, {0.067, 0.003}, {0.134, 0.002}}},
    {"turned text", one_turned, {{0.092, 0.002}, {0.025, 0.002}, {0.14, 0.002}}},
    {"scripts", one_scripts, {{0.085, 0.001}, {0.09, 0.002}, {0.1, 0.002}}},
    {"tracked text", one_tracked, {{0.033, 0.001}, {0.039, 0.002}, {0.066, 0.002}}},
    {"image", one_image, {{0.002, 0.001}, {0.002, 0.001}, {0.009, 0.002}}},
    {"smooth image", one_smooth_image, {{0.01, 0.003}, {0.01, 0.003}, {0.098, 0.024}}},
    {"hatch", one_hatch, {{0.01, 0.003}, {0.012, 0.003}, {0.023, 0.008}}},
    {"cells", one_cells, {{0.002, 0.001}, {0.002, 0.001}, {0.03, 0.005}}},
    {"cells with gaps", one_inset_cells, {{0.01, 0.003}, {0.01, 0.003}, {0.028, 0.005}}},
    {"many cells", one_many_cells, {{0.003, 0.001}, {0.003, 0.001}, {0.244, 0.002}}},
    {"curves", one_curves, {{0.023, 0.008}, {0.024, 0.008}, {0.026, 0.007}}},
    {"particles", one_particles, {{0.025, 0.005}, {0.036, 0.01}, {0.032, 0.009}}},
    {"scene", one_scene, {{0.045, 0.005}, {0.045, 0.005}, {0.076, 0.007}}},
    {"clip", one_clip, {{0.041, 0.002}, {0.04, 0.004}, {0.082, 0.004}}},
};

enum { N_ROWS = (int)AS_COUNT(rows), LIST_W = COLS * BOX_W };
#define LIST_H (((N_ROWS + COLS - 1) / COLS) * BOX_H)

static Rect box_of(int i)
{
    return rect((float)(i % COLS * BOX_W), (float)(i / COLS * BOX_H), BOX_W, BOX_H);
}

static void draw_all(DrawList *l, Kept *k)
{
    draw_set_background(l, color_hex(PAGE));
    for (int i = 0; i < N_ROWS; i++) {
        draw_push_clip(l, rect_inset(box_of(i), 2));
        rows[i].draw(l, k, box_of(i));
        draw_pop_clip(l);
    }
}

/* Root mean square, and difference of the means, over a box in device px. */
static void compare(const unsigned char *a, const unsigned char *b, int stride, Rect r, float scale,
                    double *rms, double *mean)
{
    double sum = 0;
    double difference[3] = {0};
    int n = 0;
    for (int y = (int)(r.y * scale); y < (int)((r.y + r.h) * scale); y++) {
        for (int x = (int)(r.x * scale); x < (int)((r.x + r.w) * scale); x++, n++) {
            size_t at = 4 * ((size_t)y * (size_t)stride + (size_t)x);
            for (int i = 0; i < 3; i++) {
                double d = ((double)a[at + (size_t)i] - (double)b[at + (size_t)i]) / 255;
                sum += d * d;
                difference[i] += d;
            }
        }
    }
    *rms = sqrt(sum / (3 * n));
    *mean = fmax(fabs(difference[0]), fmax(fabs(difference[1]), fabs(difference[2]))) / n;
}

static bool has_program(const char *name)
{
    char command[128];
    snprintf(command, sizeof command, "command -v %s > /dev/null", name);
    return system(command) == 0;
}

static int check(Painter painter, const Stage *s, const char *path)
{
    unsigned char *other = read_png(path, s->w, s->h);
    int bad = 0;
    for (int i = 0; i < N_ROWS; i++) {
        double rms;
        double mean;
        double most = rows[i].most[painter].rms;
        double most_mean = rows[i].most[painter].mean;
        compare(s->pixels, other, s->w, rect_inset(box_of(i), 1), s->scale, &rms, &mean);
        if (rms > most || mean > most_mean) {
            print_error("%s at scale %g: %s differs by %.4f (%.4f allowed), mean %.4f (%.4f)\n",
                        painter_names[painter], (double)s->scale, rows[i].what, rms, most, mean,
                        most_mean);
            bad++;
        }
    }
    free(other);
    return bad;
}

static int run(const char *format, ...) AS_PRINTF(1, 2);
static int run(const char *format, ...)
{
    char command[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(command, sizeof command, format, ap);
    va_end(ap);
    return system(command);
}

static void test_every_command__painters_agree(void **state)
{
    Stage *s = *state;
    static Kept kept;
    char folder[] = "/tmp/attnscope-parity-XXXXXX";
    const char *keep = getenv("PARITY_KEEP"); /* a folder for the pictures, to look at them */
    bool rsvg = has_program("rsvg-convert");
    bool poppler = has_program("pdftoppm");
    int bad = 0;
    fill_kept(&kept);
    assert_non_null(mkdtemp(folder));
    if (!rsvg || !poppler) {
        print_message("without %s%s\n", rsvg ? "" : "rsvg-convert ", poppler ? "" : "pdftoppm");
    }
    for (int scale = 1; scale <= 2; scale++) {
        Error err = {0};
        char path[256];
        char png[256];
        draw_all(stage_begin(s, LIST_W * scale, LIST_H * scale, (float)scale), &kept);
        stage_paint(s);
        ExportDesc desc = {.scale = (float)scale};
        snprintf(png, sizeof png, "%s/cairo%d.png", folder, scale);
        assert_ok(export_png(png, &s->list, &desc, &err), err);
        bad += check(BY_CAIRO, s, png);
        snprintf(path, sizeof path, "%s/gl%d.png", folder, scale);
        assert_ok(export_png_pixels(path, s->pixels, s->w, s->h, &err), err);
        if (rsvg) {
            snprintf(path, sizeof path, "%s/list%d.svg", folder, scale);
            snprintf(png, sizeof png, "%s/svg%d.png", folder, scale);
            assert_ok(export_svg(path, &s->list, &desc, &err), err);
            assert_int_equal(run("rsvg-convert -w %d -h %d -o %s %s", s->w, s->h, png, path), 0);
            bad += check(BY_SVG, s, png);
        }
        if (poppler) {
            snprintf(path, sizeof path, "%s/list%d.pdf", folder, scale);
            snprintf(png, sizeof png, "%s/pdf%d", folder, scale);
            assert_ok(export_pdf(path, &s->list, &desc, &err), err);
            assert_int_equal(run("pdftoppm -png -singlefile -scale-to-x %d -scale-to-y %d %s %s",
                                 s->w, s->h, path, png),
                             0);
            snprintf(png, sizeof png, "%s/pdf%d.png", folder, scale);
            bad += check(BY_PDF, s, png);
        }
    }
    if (keep) {
        assert_int_equal(run("cp %s/* %s/", folder, keep), 0);
    }
    assert_int_equal(run("rm -r %s", folder), 0);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_command__painters_agree),
    };
    return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
