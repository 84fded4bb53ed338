#include "draw/raster.h"

#include <math.h>
#include <string.h>

#include "draw/fontset.h"

#include FT_MODULE_H
#include FT_OUTLINE_H
#include FT_STROKER_H

/* Renders an outline whose box was checked into the FontSet's scratch. y points up in it. */
static bool render(FontSet *fonts, FT_Outline *outline, GlyphBitmap *out)
{
    *out = (GlyphBitmap){0};
    FT_BBox box;
    FT_Outline_Get_CBox(outline, &box);
    long x0 = box.xMin >> 6;
    long y0 = box.yMin >> 6;
    long x1 = (box.xMax + 63) >> 6;
    long y1 = (box.yMax + 63) >> 6;
    long w = x1 - x0;
    long h = y1 - y0;
    if (w <= 0 || h <= 0 || w > RASTER_MOST_PX || h > RASTER_MOST_PX) {
        return false;
    }
    size_t n = (size_t)w * (size_t)h;
    if (!ARRAY_RESERVE(&fonts->bitmap, n, NULL)) {
        return false;
    }
    memset(fonts->bitmap.items, 0, n);
    FT_Outline_Translate(outline, -x0 * 64, -y0 * 64);
    FT_Bitmap bitmap = {.rows = (unsigned)h,
                        .width = (unsigned)w,
                        .pitch = (int)w,
                        .buffer = fonts->bitmap.items,
                        .num_grays = 256,
                        .pixel_mode = FT_PIXEL_MODE_GRAY};
    if (FT_Outline_Get_Bitmap(fonts->library, outline, &bitmap) != 0) {
        return false;
    }
    *out = (GlyphBitmap){.pixels = fonts->bitmap.items,
                         .width = (int)w,
                         .height = (int)h,
                         .left = (int)x0,
                         .top = (int)-y1};
    return true;
}

/* The box for a character that no face has: a frame of one stroke, cap height tall. */
static bool raster_tofu(FontSet *fonts, float device_px, TextTurn turn, int phase, GlyphBitmap *out)
{
    float stroke = AS_MAX(1.0f, device_px / 14);
    float shift = turn == TEXT_LEAN ? 0 : (float)phase / TEXT_PHASES;
    Rect box = rect(0.08f * device_px + stroke / 2 + shift, -0.72f * device_px + stroke / 2,
                    0.46f * device_px - stroke, 0.72f * device_px - stroke);
    Vec2 corner[4] = {{box.x, box.y},
                      {box.x + box.w, box.y},
                      {box.x + box.w, box.y + box.h},
                      {box.x, box.y + box.h}};
    PathBuilder b = {0};
    for (int i = 0; i < 4; i++) {
        Vec2 p = corner[i];
        if (turn == TEXT_UP) {
            p = vec2(p.y, -p.x);
        } else if (turn == TEXT_DOWN) {
            p = vec2(-p.y, p.x);
        } else if (turn == TEXT_LEAN) {
            p = vec2(p.x * TEXT_LEAN_COS + p.y * TEXT_LEAN_SIN,
                     p.y * TEXT_LEAN_COS - p.x * TEXT_LEAN_SIN);
        }
        if (i == 0) {
            path_move(&b, p);
        } else {
            path_line(&b, p);
        }
    }
    path_close(&b);
    bool ok =
        path_builder_ok(&b, NULL) && path_raster(fonts, path_of(&b), 1, vec2(0, 0), stroke, out);
    path_builder_free(&b);
    return ok;
}

bool fontset_raster(FontSet *fonts, uint16_t face, uint32_t glyph, float device_px, TextTurn turn,
                    int phase, GlyphBitmap *out)
{
    *out = (GlyphBitmap){0};
    if (face >= fonts->faces.n || !(device_px >= 1) || device_px > RASTER_MOST_PX / 2) {
        return false;
    }
    phase = AS_CLAMP(phase, 0, TEXT_PHASES * (turn == TEXT_LEAN ? TEXT_PHASES : 1) - 1);
    if (glyph == TEXT_TOFU) {
        return raster_tofu(fonts, device_px, turn, phase, out);
    }
    FT_Face ft = fonts->faces.items[face].ft;
    FT_F26Dot6 size = (FT_F26Dot6)lroundf(device_px * 64);
    if (FT_Set_Char_Size(ft, size, size, 72, 72) != 0 ||
        FT_Load_Glyph(ft, glyph, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP) != 0 ||
        ft->glyph->format != FT_GLYPH_FORMAT_OUTLINE) {
        return false;
    }
    FT_Outline *outline = &ft->glyph->outline;
    if (turn == TEXT_LEAN) {
        FT_Fixed c = lroundf(TEXT_LEAN_COS * 0x10000);
        FT_Fixed s = lroundf(TEXT_LEAN_SIN * 0x10000);
        FT_Matrix lean = {.xx = c, .xy = -s, .yx = s, .yy = c};
        FT_Outline_Transform(outline, &lean);
        FT_Outline_Translate(outline, phase % TEXT_PHASES * 64 / TEXT_PHASES,
                             -(phase / TEXT_PHASES) * 64 / TEXT_PHASES);
        return render(fonts, outline, out);
    }
    FT_Outline_Translate(outline, phase * 64 / TEXT_PHASES, 0);
    if (turn != TEXT_UPRIGHT) {
        FT_Fixed s = turn == TEXT_UP ? 0x10000 : -0x10000;
        FT_Matrix quarter = {.xx = 0, .xy = -s, .yx = s, .yy = 0};
        FT_Outline_Transform(outline, &quarter);
    }
    return render(fonts, outline, out);
}

bool fontset_field(FontSet *fonts, uint16_t face, uint32_t glyph, GlyphBitmap *out)
{
    *out = (GlyphBitmap){0};
    if (face >= fonts->faces.n || glyph == TEXT_TOFU) {
        return false;
    }
    FT_Face ft = fonts->faces.items[face].ft;
    FT_F26Dot6 size = (FT_F26Dot6)TEXT_FIELD_PX * 64;
    FT_UInt reach = TEXT_FIELD_REACH;
    if (FT_Property_Set(fonts->library, "bsdf", "spread", &reach) != 0 ||
        FT_Set_Char_Size(ft, size, size, 72, 72) != 0 ||
        FT_Load_Glyph(ft, glyph, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP) != 0 ||
        ft->glyph->format != FT_GLYPH_FORMAT_OUTLINE) {
        return false;
    }
    FT_BBox box;
    FT_Outline_Get_CBox(&ft->glyph->outline, &box);
    bool fits =
        box.xMax - box.xMin < RASTER_MOST_PX * 64 && box.yMax - box.yMin < RASTER_MOST_PX * 64;
    /* By way of its coverage: the outlines of some fonts overlap, which distances to them would
     * show. */
    if (!fits || FT_Render_Glyph(ft->glyph, FT_RENDER_MODE_NORMAL) != 0 ||
        !ft->glyph->bitmap.width || FT_Render_Glyph(ft->glyph, FT_RENDER_MODE_SDF) != 0) {
        return false;
    }
    const FT_Bitmap *b = &ft->glyph->bitmap;
    size_t n = (size_t)b->width * b->rows;
    if (b->pixel_mode != FT_PIXEL_MODE_GRAY || b->pitch < 0 || !n ||
        !ARRAY_RESERVE(&fonts->bitmap, n, NULL)) {
        return false;
    }
    for (unsigned y = 0; y < b->rows; y++) {
        memcpy(fonts->bitmap.items + (size_t)y * b->width, b->buffer + (size_t)y * (size_t)b->pitch,
               b->width);
    }
    *out = (GlyphBitmap){.pixels = fonts->bitmap.items,
                         .width = (int)b->width,
                         .height = (int)b->rows,
                         .left = ft->glyph->bitmap_left,
                         .top = -ft->glyph->bitmap_top};
    return true;
}

/* FreeType's outlines count points in shorts and have y up. */
typedef struct OutlineBuilder {
    ARRAY_OF(FT_Vector) points;
    ARRAY_OF(char) tags;
    ARRAY_OF(short) contours;
    bool failed;
} OutlineBuilder;

static void outline_point(OutlineBuilder *o, Vec2 p, float scale, Vec2 offset, char tag)
{
    float x = (p.x * scale + offset.x) * 64;
    float y = -(p.y * scale + offset.y) * 64;
    bool fits = fabsf(x) < 4e6f && fabsf(y) < 4e6f && o->points.n < INT16_MAX - 4;
    FT_Vector v = {fits ? lroundf(x) : 0, fits ? lroundf(y) : 0};
    if (!fits || !ARRAY_PUSH(&o->points, v, NULL) || !ARRAY_PUSH(&o->tags, tag, NULL)) {
        o->failed = true;
    }
}

static void outline_end(OutlineBuilder *o)
{
    short last = (short)((long)o->points.n - 1);
    short before = o->contours.n ? o->contours.items[o->contours.n - 1] : (short)-1;
    if (!o->failed && last > before && !ARRAY_PUSH(&o->contours, last, NULL)) {
        o->failed = true;
    }
}

static FT_Outline outline_of(OutlineBuilder *o)
{
    return (FT_Outline){.n_points = (short)o->points.n,
                        .n_contours = (short)o->contours.n,
                        .points = o->points.items,
                        .tags = o->tags.items,
                        .contours = o->contours.items};
}

static bool raster_fill(FontSet *fonts, Path path, float scale, Vec2 offset, GlyphBitmap *out)
{
    OutlineBuilder o = {0};
    const Vec2 *p = path.points;
    for (uint32_t i = 0; i < path.n_verbs; i++) {
        switch (path.verbs[i]) {
        case PATH_MOVE:
            outline_end(&o);
            outline_point(&o, *p++, scale, offset, FT_CURVE_TAG_ON);
            break;
        case PATH_LINE:
            outline_point(&o, *p++, scale, offset, FT_CURVE_TAG_ON);
            break;
        case PATH_CUBIC:
            outline_point(&o, *p++, scale, offset, FT_CURVE_TAG_CUBIC);
            outline_point(&o, *p++, scale, offset, FT_CURVE_TAG_CUBIC);
            outline_point(&o, *p++, scale, offset, FT_CURVE_TAG_ON);
            break;
        default:
            outline_end(&o);
        }
    }
    outline_end(&o);
    bool ok = !o.failed && o.contours.n > 0;
    if (ok) {
        FT_Outline outline = outline_of(&o);
        ok = render(fonts, &outline, out);
    }
    ARRAY_FREE(&o.points);
    ARRAY_FREE(&o.tags);
    ARRAY_FREE(&o.contours);
    return ok;
}

static FT_Vector ft_vector(Vec2 p, float scale, Vec2 offset)
{
    return (FT_Vector){lroundf((p.x * scale + offset.x) * 64),
                       lroundf(-(p.y * scale + offset.y) * 64)};
}

/* Feeds the path to the stroker, sub-path by sub-path. */
static bool stroke_path(FT_Stroker stroker, Path path, float scale, Vec2 offset)
{
    const Vec2 *p = path.points;
    const Vec2 *start = p;
    bool open = false;
    for (uint32_t i = 0; i < path.n_verbs; i++) {
        FT_Vector v[3];
        FT_Error failed = 0;
        switch (path.verbs[i]) {
        case PATH_MOVE: {
            if (open) {
                failed = FT_Stroker_EndSubPath(stroker);
            }
            /* The stroker wants to know whether a sub-path is closed before it starts. */
            uint32_t k = i + 1;
            while (k < path.n_verbs && path.verbs[k] != PATH_MOVE && path.verbs[k] != PATH_CLOSE) {
                k++;
            }
            bool closed = k < path.n_verbs && path.verbs[k] == PATH_CLOSE;
            start = p;
            v[0] = ft_vector(*p++, scale, offset);
            failed = failed ? failed : FT_Stroker_BeginSubPath(stroker, &v[0], !closed);
            open = true;
            break;
        }
        case PATH_LINE:
            v[0] = ft_vector(*p++, scale, offset);
            failed = FT_Stroker_LineTo(stroker, &v[0]);
            break;
        case PATH_CUBIC:
            for (int k = 0; k < 3; k++) {
                v[k] = ft_vector(*p++, scale, offset);
            }
            failed = FT_Stroker_CubicTo(stroker, &v[0], &v[1], &v[2]);
            break;
        default:
            if (open) {
                v[0] = ft_vector(*start, scale, offset);
                failed = FT_Stroker_LineTo(stroker, &v[0]);
                failed = failed ? failed : FT_Stroker_EndSubPath(stroker);
                open = false;
            }
        }
        if (failed) {
            return false;
        }
    }
    return !open || FT_Stroker_EndSubPath(stroker) == 0;
}

static bool raster_stroke(FontSet *fonts, Path path, float scale, Vec2 offset, float stroke_px,
                          GlyphBitmap *out)
{
    FT_Stroker stroker;
    if (FT_Stroker_New(fonts->library, &stroker) != 0) {
        return false;
    }
    FT_Stroker_Set(stroker, lroundf(stroke_px * 32), FT_STROKER_LINECAP_ROUND,
                   FT_STROKER_LINEJOIN_ROUND, 0);
    FT_UInt n_points;
    FT_UInt n_contours;
    bool ok = stroke_path(stroker, path, scale, offset) &&
              FT_Stroker_GetCounts(stroker, &n_points, &n_contours) == 0 && n_points > 0 &&
              n_points < INT16_MAX && n_contours < INT16_MAX;
    FT_Outline outline;
    if (ok && FT_Outline_New(fonts->library, n_points, (FT_Int)n_contours, &outline) == 0) {
        outline.n_points = 0;
        outline.n_contours = 0;
        FT_Stroker_Export(stroker, &outline);
        ok = render(fonts, &outline, out);
        FT_Outline_Done(fonts->library, &outline);
    } else {
        ok = false;
    }
    FT_Stroker_Done(stroker);
    return ok;
}

bool path_raster(FontSet *fonts, Path path, float scale, Vec2 offset, float stroke_px,
                 GlyphBitmap *out)
{
    *out = (GlyphBitmap){0};
    Rect box = path_bounds(path);
    float most = (float)RASTER_MOST_PX;
    if (!path.n_points || !(scale > 0) || !(box.w * scale <= most) || !(box.h * scale <= most) ||
        !(fabsf(box.x * scale + offset.x) < 16384) || !(fabsf(box.y * scale + offset.y) < 16384)) {
        return false;
    }
    return stroke_px > 0 ? raster_stroke(fonts, path, scale, offset, stroke_px, out)
                         : raster_fill(fonts, path, scale, offset, out);
}
