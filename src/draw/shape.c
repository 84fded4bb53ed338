#include "draw/fontset.h"

#include <hb.h>
#include <raqm.h>
#include <string.h>

#include "base/str.h"

/* More shaped texts than this and the unused ones go. */
enum { CACHE_MOST = 4096 };
/* Advance of the box that stands for a missing character, ems. */
static const float TOFU_EM = 0.62f;

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

/* Characters that belong to the one before them and are drawn with its face if it has them. */
static bool joins_previous(uint32_t c)
{
    hb_unicode_general_category_t category =
        hb_unicode_general_category(hb_unicode_funcs_get_default(), c);
    return category == HB_UNICODE_GENERAL_CATEGORY_NON_SPACING_MARK ||
           category == HB_UNICODE_GENERAL_CATEGORY_ENCLOSING_MARK ||
           category == HB_UNICODE_GENERAL_CATEGORY_SPACING_MARK ||
           category == HB_UNICODE_GENERAL_CATEGORY_FORMAT;
}

static bool is_rtl(uint32_t c)
{
    hb_script_t script = hb_unicode_script(hb_unicode_funcs_get_default(), c);
    return hb_script_get_horizontal_direction(script) == HB_DIRECTION_RTL;
}

/* Unicode bidi rules P2, P3 by script: the first character with a direction decides. */
static bool starts_rtl(const uint32_t *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hb_script_t script = hb_unicode_script(hb_unicode_funcs_get_default(), c[i]);
        if (script != HB_SCRIPT_COMMON && script != HB_SCRIPT_INHERITED &&
            script != HB_SCRIPT_UNKNOWN) {
            return hb_script_get_horizontal_direction(script) == HB_DIRECTION_RTL;
        }
    }
    return false;
}

/* UTF-8 -> code points and their byte offsets in the FontSet's scratch. */
static bool decode(FontSet *fonts, const char *text, size_t n)
{
    fonts->code_points.n = fonts->offsets.n = 0;
    if (n > UINT32_MAX / 4 || !ARRAY_RESERVE(&fonts->code_points, n, NULL) ||
        !ARRAY_RESERVE(&fonts->offsets, n, NULL)) {
        return false;
    }
    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t used = utf8_decode(text + i, n - i, &c);
        fonts->code_points.items[fonts->code_points.n++] = c;
        fonts->offsets.items[fonts->offsets.n++] = (uint32_t)i;
        i += used;
    }
    return true;
}

/* Gives every stretch of characters the face that has them. */
static bool set_faces(FontSet *fonts, raqm_t *rq, FontFace style)
{
    const uint32_t *c = fonts->code_points.items;
    size_t n = fonts->code_points.n;
    uint16_t current = (uint16_t)style;
    size_t start = 0;
    for (size_t i = 0; i <= n; i++) {
        uint16_t face = current;
        if (i < n && !is_control(c[i]) && !(i > 0 && joins_previous(c[i]))) {
            face = fontset_face_for(fonts, style, c[i]);
            if (face == FONT_NO_FACE) {
                face = (uint16_t)style;
            }
        }
        if (i == n || face != current) {
            FT_Face ft = fonts->faces.items[current].ft;
            if (i > start && ft->size->metrics.x_ppem != ft->units_per_EM) {
                FT_Set_Pixel_Sizes(ft, ft->units_per_EM, ft->units_per_EM);
            }
            if (i > start && !raqm_set_freetype_face_range(rq, ft, start, i - start)) {
                return false;
            }
            start = i;
            current = face;
        }
    }
    return true;
}

static uint16_t face_index(const FontSet *fonts, FT_Face ft, uint16_t guess)
{
    if (guess < fonts->faces.n && fonts->faces.items[guess].ft == ft) {
        return guess;
    }
    for (size_t i = 0; i < fonts->faces.n; i++) {
        if (fonts->faces.items[i].ft == ft) {
            return (uint16_t)i;
        }
    }
    return guess;
}

/* Raqm's glyphs (26.6 pixels at one pixel a font unit) to ems, in visual order. */
static void copy_glyphs(const FontSet *fonts, const raqm_glyph_t *in, size_t n_in, FontFace style,
                        ShapedGlyph *out, ShapedText *shaped)
{
    float x = 0;
    size_t n = 0;
    uint16_t face = (uint16_t)style;
    for (size_t i = 0; i < n_in; i++) {
        uint32_t index = in[i].cluster;
        uint32_t c = fonts->code_points.items[index];
        if (is_control(c)) {
            continue;
        }
        face = face_index(fonts, in[i].ftface, face);
        float em = 1.0f / (64.0f * (float)fonts->faces.items[face].ft->units_per_EM);
        ShapedGlyph g = {.glyph = in[i].index,
                         .face = face,
                         .cluster = fonts->offsets.items[index],
                         .x = x + (float)in[i].x_offset * em,
                         .y = (float)in[i].y_offset * em,
                         .advance = (float)in[i].x_advance * em};
        if (g.glyph == 0 && !joins_previous(c)) {
            g.glyph = TEXT_TOFU;
            g.x = x;
            g.advance = TOFU_EM;
        }
        bool rtl = is_rtl(c) || (i > 0 && in[i - 1].cluster > index) ||
                   (i + 1 < n_in && in[i + 1].cluster < index);
        g.flags = (uint16_t)((n == 0 || out[n - 1].cluster != g.cluster ? TEXT_CLUSTER_START : 0u) |
                             (rtl ? TEXT_RTL : 0u));
        shaped->has_rtl = shaped->has_rtl || rtl;
        x += g.advance;
        out[n++] = g;
    }
    shaped->glyphs = out;
    shaped->n_glyphs = n;
    shaped->advance = x;
}

static bool layout(FontSet *fonts, raqm_t *rq, FontFace style)
{
    if (!raqm_set_text(rq, fonts->code_points.items, fonts->code_points.n) ||
        !raqm_set_par_direction(rq, RAQM_DIRECTION_DEFAULT) || !set_faces(fonts, rq, style) ||
        !raqm_set_freetype_load_flags(rq, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP)) {
        return false;
    }
    /* Ligatures such as an arrow for "->" would show a token as what it is not. */
    if (!raqm_add_font_feature(rq, "calt=0", -1) ||
        (style >= FONT_MONO && style <= FONT_MONO_SEMIBOLD &&
         !raqm_add_font_feature(rq, "liga=0", -1))) {
        return false;
    }
    return raqm_layout(rq);
}

ShapeEntry *shape_new(FontSet *fonts, FontFace style, const char *text, size_t n)
{
    if (!decode(fonts, text, n)) {
        return NULL;
    }
    raqm_t *rq = NULL;
    const raqm_glyph_t *glyphs = NULL;
    size_t n_glyphs = 0;
    if (n > 0) {
        rq = raqm_create();
        if (!rq) {
            return NULL;
        }
        if (layout(fonts, rq, style)) {
            glyphs = raqm_get_glyphs(rq, &n_glyphs);
        }
        n_glyphs = glyphs ? n_glyphs : 0;
    }
    /* The glyphs stand behind the text, aligned. */
    size_t head = (sizeof(ShapeEntry) + n + 15) / 16 * 16;
    size_t tail;
    size_t total;
    ShapeEntry *entry = NULL;
    if (checked_mul(n_glyphs, sizeof(ShapedGlyph), &tail) && checked_add(head, tail, &total)) {
        entry = mem_alloc(total, NULL);
    }
    if (entry) {
        *entry = (ShapeEntry){.n_bytes = n, .style = style};
        if (n) {
            memcpy(entry->text, text, n);
        }
        copy_glyphs(fonts, glyphs, n_glyphs, style, (ShapedGlyph *)((char *)entry + head),
                    &entry->shaped);
        entry->shaped.starts_rtl = starts_rtl(fonts->code_points.items, fonts->code_points.n);
    }
    if (rq) {
        raqm_destroy(rq);
    }
    return entry;
}

static uint64_t hash_text(FontFace style, const char *text, size_t n)
{
    uint64_t h = 1469598103934665603u ^ (uint64_t)style; /* FNV-1a */
    for (size_t i = 0; i < n; i++) {
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    }
    return h ^ (h >> 32);
}

const ShapedText *fontset_shape(FontSet *fonts, FontFace style, const char *text, size_t n)
{
    if ((unsigned)style >= FONT_COUNT) {
        style = FONT_SANS;
    }
    if (n == TEXT_ALL) {
        n = strlen(text);
    }
    uint64_t hash = hash_text(style, text, n);
    ShapeEntry **bucket = &fonts->buckets[hash & (fonts->n_buckets - 1)];
    for (ShapeEntry *e = *bucket; e; e = e->next) {
        if (e->hash == hash && e->style == style && e->n_bytes == n &&
            memcmp(e->text, text, n) == 0) {
            e->used_frame = fonts->frame;
            return &e->shaped;
        }
    }
    ShapeEntry *entry = shape_new(fonts, style, text, n);
    if (!entry) {
        return NULL;
    }
    entry->hash = hash;
    entry->used_frame = fonts->frame;
    entry->next = *bucket;
    *bucket = entry;
    fonts->n_entries++;
    return &entry->shaped;
}

void fontset_trim(FontSet *fonts)
{
    fonts->frame++;
    if (fonts->n_entries <= CACHE_MOST) {
        return;
    }
    for (size_t i = 0; i < fonts->n_buckets; i++) {
        ShapeEntry **link = &fonts->buckets[i];
        while (*link) {
            ShapeEntry *e = *link;
            if (e->used_frame + 1 < fonts->frame) {
                *link = e->next;
                mem_free(e);
                fonts->n_entries--;
            } else {
                link = &e->next;
            }
        }
    }
}
