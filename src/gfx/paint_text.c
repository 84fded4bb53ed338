#include "gfx/internal.h"

#include <math.h>
#include <string.h>

#include "draw/raster.h"

/* Draws a picture of the atlas with its corner at whole device pixels x, y. */
static void put_slot(const PaintContext *c, const AtlasSlot *slot, float x, float y, Color color)
{
    PaintQuad quad = {.color = {paint_color(c, color)}};
    float x0 = x + (float)slot->left;
    float y0 = y + (float)slot->top;
    quad.box[0] = quad.quad[0] = x0;
    quad.box[1] = quad.quad[1] = y0;
    quad.box[2] = quad.quad[2] = x0 + (float)slot->w;
    quad.box[3] = quad.quad[3] = y0 + (float)slot->h;
    quad.p[3] = c->added;
    quad.q[0] = (float)slot->x;
    quad.q[1] = (float)slot->y;
    if (slot->w > 0 && paint_cut(c, &quad)) {
        batcher_quad(&c->gfx->batcher, PAINT_GLYPH, c->gfx->glyphs.texture, &quad);
    }
}

/* Puts a picture in; a full atlas is drawn from once more and then starts anew. */
static bool put_bitmap(Gfx *gfx, AtlasKey key, const GlyphBitmap *bitmap, const AtlasSlot **slot,
                       Error *err)
{
    if (!atlas_fits(&gfx->glyphs, bitmap->width, bitmap->height)) {
        return error_set(err, ERR_GRAPHICS, "a shape of %d x %d pixels is larger than the atlas",
                         bitmap->width, bitmap->height);
    }
    *slot = atlas_put(&gfx->glyphs, key, bitmap->width, bitmap->height, bitmap->pixels,
                      bitmap->left, bitmap->top);
    if (!*slot) {
        if (!gfx_flush(gfx, err)) {
            return false;
        }
        atlas_reset(&gfx->glyphs);
        *slot = atlas_put(&gfx->glyphs, key, bitmap->width, bitmap->height, bitmap->pixels,
                          bitmap->left, bitmap->top);
    }
    return *slot ? true : error_set(err, ERR_MEMORY, "not enough memory for the glyph table");
}

/* The picture of a glyph at a phase of the pen, made where there is none yet; NULL with *err. */
static const AtlasSlot *slot_of(const PaintContext *c, const ShapedGlyph *g, float px, int phase,
                                Error *err)
{
    TextTurn turn = c->cmd->u.text.turn;
    uint64_t style = (uint64_t)lroundf(px * 64) << 8 | (uint64_t)turn << 4 | (uint64_t)phase;
    AtlasKey key = {(uint64_t)g->face << 32 | g->glyph, style};
    const AtlasSlot *slot = atlas_find(&c->gfx->glyphs, key);
    if (!slot) {
        GlyphBitmap bitmap;
        fontset_raster(c->list->fonts, g->face, g->glyph, px, turn, phase, &bitmap);
        if (!put_bitmap(c->gfx, key, &bitmap, &slot, err)) {
            return NULL;
        }
    }
    return slot;
}

static bool put_glyph(const PaintContext *c, const ShapedGlyph *g, float px, float pen, float line,
                      Error *err)
{
    const DrawText *t = &c->cmd->u.text;
    /* The pen to a quarter pixel along the line, to a whole one across it. TEXT_UP runs to smaller
     * y, so there the phase counts from below. */
    float sign = t->turn == TEXT_UP ? -1.0f : 1.0f;
    float along = floorf(pen * sign * TEXT_PHASES + 0.5f);
    float whole = floorf(along / TEXT_PHASES);
    int phase = (int)(along - whole * TEXT_PHASES);
    const AtlasSlot *slot = slot_of(c, g, px, phase, err);
    if (!slot) {
        return false;
    }
    float x = t->turn == TEXT_UPRIGHT ? whole : line;
    float y = t->turn == TEXT_UPRIGHT ? line : whole * sign;
    put_slot(c, slot, x, y, t->color);
    return true;
}

/* Upright text from this size on is drawn from distance fields: one picture a glyph serves all
 * sizes, so that what grows and shrinks fills no atlas, and places need no rounding. Smaller text
 * is crisper from coverage of its own size. */
static const float FIELD_FROM_PX = 40;

/* False without an error: the face has no outline for it, or there is none to see. */
static bool put_field(const PaintContext *c, const ShapedGlyph *g, float px, float x, float y,
                      bool *done, Error *err)
{
    static const uint64_t FIELD_STYLE = 1u << 7; /* no turn or phase has it */
    Gfx *gfx = c->gfx;
    AtlasKey key = {(uint64_t)g->face << 32 | g->glyph, FIELD_STYLE};
    const AtlasSlot *slot = atlas_find(&gfx->glyphs, key);
    *done = g->glyph != TEXT_TOFU;
    if (*done && !slot) {
        GlyphBitmap field;
        *done = fontset_field(c->list->fonts, g->face, g->glyph, &field);
        if (*done && !put_bitmap(gfx, key, &field, &slot, err)) {
            return false;
        }
    }
    if (!*done || slot->w == 0) {
        return true;
    }
    float k = px / TEXT_FIELD_PX;
    PaintQuad quad = {.color = {paint_color(c, c->cmd->u.text.color)}};
    quad.box[0] = x + (float)slot->left * k;
    quad.box[1] = y + (float)slot->top * k;
    quad.box[2] = quad.box[0] + (float)slot->w * k;
    quad.box[3] = quad.box[1] + (float)slot->h * k;
    quad.quad[0] = floorf(quad.box[0]);
    quad.quad[1] = floorf(quad.box[1]);
    quad.quad[2] = ceilf(quad.box[2]);
    quad.quad[3] = ceilf(quad.box[3]);
    quad.p[0] = 255.0f / 127 * TEXT_FIELD_REACH * k;
    quad.p[3] = c->added;
    quad.q[0] = (float)slot->x;
    quad.q[1] = (float)slot->y;
    quad.q[2] = (float)slot->w;
    quad.q[3] = (float)slot->h;
    if (paint_cut(c, &quad)) {
        batcher_quad(&gfx->batcher, PAINT_FIELD, gfx->glyphs.texture, &quad);
    }
    return true;
}

/* The pen to a quarter pixel along both axes: neither is the line's. */
static bool put_leaning(const PaintContext *c, const ShapedGlyph *g, float px, float x, float y,
                        Error *err)
{
    const DrawText *t = &c->cmd->u.text;
    float qx = floorf(x * TEXT_PHASES + 0.5f);
    float qy = floorf(y * TEXT_PHASES + 0.5f);
    float wx = floorf(qx / TEXT_PHASES);
    float wy = floorf(qy / TEXT_PHASES);
    int phase = (int)(qx - wx * TEXT_PHASES) + TEXT_PHASES * (int)(qy - wy * TEXT_PHASES);
    const AtlasSlot *slot = slot_of(c, g, px, phase, err);
    if (!slot) {
        return false;
    }
    put_slot(c, slot, wx, wy, t->color);
    return true;
}

bool paint_text(const PaintContext *c, Error *err)
{
    const DrawText *t = &c->cmd->u.text;
    const ShapedText *shaped = fontset_shape(c->list->fonts, t->face, t->text, t->n);
    if (!shaped) {
        return error_set(err, ERR_MEMORY, "not enough memory to shape a text");
    }
    float px = t->size * c->scale;
    float x = t->at.x * c->scale;
    float y = t->at.y * c->scale;
    float tracked = 0;
    for (size_t i = 0; i < shaped->n_glyphs; i++) {
        const ShapedGlyph *g = &shaped->glyphs[i];
        if (i > 0 && g->flags & TEXT_CLUSTER_START) {
            tracked += t->tracking * c->scale;
        }
        float along = g->x * px + tracked;
        float up = g->y * px;
        bool ok;
        switch (t->turn) {
        case TEXT_UP:
            ok = put_glyph(c, g, px, y - along, roundf(x - up), err);
            break;
        case TEXT_DOWN:
            ok = put_glyph(c, g, px, y + along, roundf(x + up), err);
            break;
        case TEXT_LEAN:
            ok = put_leaning(c, g, px, x + along * TEXT_LEAN_COS - up * TEXT_LEAN_SIN,
                             y - along * TEXT_LEAN_SIN - up * TEXT_LEAN_COS, err);
            break;
        default: {
            bool done = false;
            ok = px < FIELD_FROM_PX || put_field(c, g, px, x + along, y - up, &done, err);
            ok = ok && (done || put_glyph(c, g, px, x + along, roundf(y - up), err));
        }
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ p[i]) * 1099511628211u; /* FNV-1a */
    }
    return h ^ (h >> 29);
}

/* A path's coverage at a place. The fraction of a pixel it stands at is part of what is kept. */
static bool put_path(const PaintContext *c, Path path, Vec2 origin, float scale, float stroke_px,
                     Color color, Error *err)
{
    float x = origin.x * c->scale;
    float y = origin.y * c->scale;
    /* To an eighth of a pixel, else every frame of a moving shape is a new picture. */
    float wx = floorf(x);
    float wy = floorf(y);
    Vec2 fraction = vec2(floorf((x - wx) * 8) / 8, floorf((y - wy) * 8) / 8);
    float numbers[4] = {scale, stroke_px, fraction.x, fraction.y};
    AtlasKey key = {1469598103934665603u, 0x84222325CBF29CE4u};
    for (int i = 0; i < 2; i++) {
        uint64_t *h = i ? &key.b : &key.a;
        *h = hash_bytes(*h, numbers, sizeof(numbers));
        *h = hash_bytes(*h, path.verbs, path.n_verbs);
        *h = hash_bytes(*h, path.points, path.n_points * sizeof(*path.points));
    }
    key.a |= (uint64_t)1 << 63; /* glyph keys have it clear */
    const AtlasSlot *slot = atlas_find(&c->gfx->glyphs, key);
    if (!slot) {
        GlyphBitmap bitmap;
        if (!path_raster(c->list->fonts, path, scale, fraction, stroke_px, &bitmap)) {
            Rect box = path_bounds(path);
            if (box.w * scale > RASTER_MOST_PX || box.h * scale > RASTER_MOST_PX) {
                return error_set(err, ERR_GRAPHICS,
                                 "a path of %.0f x %.0f pixels is too large to be drawn: use "
                                 "lines or polygons",
                                 (double)(box.w * scale), (double)(box.h * scale));
            }
        }
        if (!put_bitmap(c->gfx, key, &bitmap, &slot, err)) {
            return false;
        }
    }
    put_slot(c, slot, wx, wy, color);
    return true;
}

bool paint_path(const PaintContext *c, Error *err)
{
    const DrawPath *p = &c->cmd->u.path;
    float scale = p->scale * c->scale;
    if (p->fill.a > 0 && !put_path(c, p->path, p->origin, scale, 0, p->fill, err)) {
        return false;
    }
    return !(p->stroke > 0 && p->stroke_color.a > 0) ||
           put_path(c, p->path, p->origin, scale, p->stroke * c->scale, p->stroke_color, err);
}

static bool load_icon(IconPaths *paths, Icon icon, Error *err)
{
    if (!paths->loaded) {
        if (!path_parse(&paths->stroke, icon_stroke_path(icon), err) ||
            !path_parse(&paths->fill, icon_fill_path(icon), err)) {
            return error_wrap(err, "icon %s", icon_name(icon));
        }
        paths->loaded = true;
    }
    return true;
}

bool paint_icon(const PaintContext *c, Error *err)
{
    const DrawIcon *i = &c->cmd->u.icon;
    IconPaths *paths = &c->gfx->icons[i->icon];
    if (!load_icon(paths, i->icon, err)) {
        return false;
    }
    float scale = i->size / 24 * c->scale;
    Vec2 origin = vec2(i->center.x - i->size / 2, i->center.y - i->size / 2);
    Path stroke = path_of(&paths->stroke);
    Path fill = path_of(&paths->fill);
    if (stroke.n_points &&
        !put_path(c, stroke, origin, scale, i->stroke * c->scale, i->color, err)) {
        return false;
    }
    return !fill.n_points || put_path(c, fill, origin, scale, 0, i->color, err);
}
