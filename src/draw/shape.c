#include "draw/fontset.h"

#include <hb-ft.h>
#include <hb.h>
#include <raqm.h>
#include <string.h>

#include "base/str.h"

/* More shaped texts, or bytes of them, than this and the unused ones go. */
enum { CACHE_MOST = 4096, CACHE_MOST_BYTES = 16 << 20 };
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

static hb_script_t script_of(uint32_t c)
{
    return hb_unicode_script(hb_unicode_funcs_get_default(), c);
}

/* Is it one of the scripts that letters have, rather than shared signs and marks? */
static bool is_own(hb_script_t script)
{
    return script != HB_SCRIPT_COMMON && script != HB_SCRIPT_INHERITED &&
           script != HB_SCRIPT_UNKNOWN;
}

static bool is_rtl(uint32_t c)
{
    return hb_script_get_horizontal_direction(script_of(c)) == HB_DIRECTION_RTL;
}

/* Letters from the left, and digits, which run from the left among letters of either kind. */
static bool is_ltr(uint32_t c)
{
    return !is_rtl(c) && (is_own(script_of(c)) ||
                          hb_unicode_general_category(hb_unicode_funcs_get_default(), c) ==
                              HB_UNICODE_GENERAL_CATEGORY_DECIMAL_NUMBER);
}

/* Unicode bidi rules P2, P3 by script: the first character with a direction decides. */
static bool starts_rtl(const uint32_t *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_own(script_of(c[i]))) {
            return is_rtl(c[i]);
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

/* The face for character i: its own one, but marks and joiners stay with what they belong to. */
static uint16_t face_at(FontSet *fonts, FontFace style, size_t i, uint16_t current)
{
    uint32_t c = fonts->code_points.items[i];
    if (is_control(c) || (i > 0 && joins_previous(c))) {
        return current;
    }
    uint16_t face = fontset_face_for(fonts, style, c);
    return face == FONT_NO_FACE ? (uint16_t)style : face;
}

static hb_font_t *hb_font_of(LoadedFace *face)
{
    if (!face->hb) {
        hb_face_t *hb_face = hb_ft_face_create_referenced(face->ft);
        face->hb = hb_font_create(hb_face);
        hb_face_destroy(hb_face);
    }
    return face->hb;
}

/* One stretch of one face and script, left to right. */
static bool shape_run(FontSet *fonts, hb_buffer_t *buffer, size_t start, size_t end, uint16_t face,
                      hb_script_t script)
{
    /* Ligatures such as an arrow for "->" would show a token as what it is not. */
    static const hb_feature_t latin_features[] = {
        {HB_TAG('c', 'a', 'l', 't'), 0, HB_FEATURE_GLOBAL_START, HB_FEATURE_GLOBAL_END},
        {HB_TAG('l', 'i', 'g', 'a'), 0, HB_FEATURE_GLOBAL_START, HB_FEATURE_GLOBAL_END}};
    bool plain = script == HB_SCRIPT_COMMON || script == HB_SCRIPT_LATIN;
    LoadedFace *loaded = &fonts->faces.items[face];
    hb_buffer_clear_contents(buffer);
    hb_buffer_set_content_type(buffer, HB_BUFFER_CONTENT_TYPE_UNICODE);
    hb_buffer_add_utf32(buffer, fonts->code_points.items, (int)fonts->code_points.n,
                        (unsigned)start, (int)(end - start));
    hb_buffer_set_direction(buffer, HB_DIRECTION_LTR);
    hb_buffer_set_script(buffer, script);
    hb_buffer_set_language(buffer, HB_LANGUAGE_INVALID);
    hb_shape(hb_font_of(loaded), buffer, latin_features, plain ? AS_COUNT(latin_features) : 0);
    unsigned n;
    const hb_glyph_info_t *info = hb_buffer_get_glyph_infos(buffer, &n);
    const hb_glyph_position_t *at = hb_buffer_get_glyph_positions(buffer, &n);
    float em = 1.0f / (float)loaded->ft->units_per_EM;
    for (unsigned i = 0; i < n; i++) {
        RawGlyph g = {.glyph = info[i].codepoint,
                      .cluster = info[i].cluster,
                      .advance = (float)at[i].x_advance * em,
                      .dx = (float)at[i].x_offset * em,
                      .dy = (float)at[i].y_offset * em,
                      .face = face};
        if (!ARRAY_PUSH(&fonts->raw, g, NULL)) {
            return false;
        }
    }
    return true;
}

static hb_script_t script_at(const FontSet *fonts, size_t i, hb_script_t current)
{
    hb_script_t script = script_of(fonts->code_points.items[i]);
    return is_own(script) ? script : current;
}

/* Text of one direction: HarfBuzz itself, run by run. */
static bool layout_ltr(FontSet *fonts, FontFace style)
{
    hb_buffer_t *buffer = hb_buffer_create();
    size_t n = fonts->code_points.n;
    uint16_t face = (uint16_t)style;
    hb_script_t script = HB_SCRIPT_COMMON;
    size_t start = 0;
    bool ok = hb_buffer_allocation_successful(buffer);
    for (size_t i = 0; ok && i < n; i++) {
        uint16_t next_face = face_at(fonts, style, i, face);
        hb_script_t next_script = script_at(fonts, i, script);
        /* Leading characters of no script take the first one that comes. */
        bool same_script = next_script == script || script == HB_SCRIPT_COMMON;
        if (i > start && (next_face != face || !same_script)) {
            ok = shape_run(fonts, buffer, start, i, face, script);
            start = i;
        }
        face = next_face;
        script = next_script;
    }
    ok = ok && (start == n || shape_run(fonts, buffer, start, n, face, script));
    hb_buffer_destroy(buffer);
    return ok;
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

/* Gives every stretch of characters the face that has them. */
static bool set_faces(FontSet *fonts, raqm_t *rq, FontFace style)
{
    size_t n = fonts->code_points.n;
    uint16_t current = (uint16_t)style;
    size_t start = 0;
    for (size_t i = 0; i <= n; i++) {
        uint16_t face = i < n ? face_at(fonts, style, i, current) : current;
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

/* Text with runs from the right: Raqm, in 26.6 pixels at one pixel a font unit. No features are
 * given: Raqm 0.7 never frees them. */
static bool layout_mixed(FontSet *fonts, FontFace style)
{
    raqm_t *rq = raqm_create();
    bool ok = rq && raqm_set_text(rq, fonts->code_points.items, fonts->code_points.n) &&
              raqm_set_par_direction(rq, RAQM_DIRECTION_DEFAULT) && set_faces(fonts, rq, style) &&
              raqm_set_freetype_load_flags(rq, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP) &&
              raqm_layout(rq);
    size_t n = 0;
    const raqm_glyph_t *in = ok ? raqm_get_glyphs(rq, &n) : NULL;
    uint16_t face = (uint16_t)style;
    for (size_t i = 0; ok && i < n; i++) {
        face = face_index(fonts, in[i].ftface, face);
        float em = 1.0f / (64.0f * (float)fonts->faces.items[face].ft->units_per_EM);
        RawGlyph g = {.glyph = in[i].index,
                      .cluster = in[i].cluster,
                      .advance = (float)in[i].x_advance * em,
                      .dx = (float)in[i].x_offset * em,
                      .dy = (float)in[i].y_offset * em,
                      .face = face};
        ok = ARRAY_PUSH(&fonts->raw, g, NULL);
    }
    if (rq) {
        raqm_destroy(rq);
    }
    return ok;
}

/* Letters from the right, and the marks that change direction. */
static bool needs_bidi(const FontSet *fonts)
{
    for (size_t i = 0; i < fonts->code_points.n; i++) {
        uint32_t c = fonts->code_points.items[i];
        if (c >= 0x590 && (is_rtl(c) || c == 0x200F || c == 0x061C ||
                           (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069))) {
            return true;
        }
    }
    return false;
}

/* Raw glyphs in visual order to shaped ones: positions, boxes for what is missing, flags. */
static void place_glyphs(const FontSet *fonts, ShapedGlyph *out, ShapedText *shaped)
{
    float x = 0;
    size_t n = 0;
    const RawGlyph *in = fonts->raw.items;
    for (size_t i = 0; i < fonts->raw.n; i++) {
        uint32_t index = in[i].cluster;
        uint32_t c = fonts->code_points.items[index];
        if (is_control(c)) {
            continue;
        }
        ShapedGlyph g = {.glyph = in[i].glyph,
                         .face = in[i].face,
                         .cluster = fonts->offsets.items[index],
                         .x = x + in[i].dx,
                         .y = in[i].dy,
                         .advance = in[i].advance};
        if (g.glyph == 0 && !joins_previous(c)) {
            g.glyph = TEXT_TOFU;
            g.x = x;
            g.advance = TOFU_EM;
        }
        /* Signs of no direction show theirs by the order they stand in. */
        bool falls = (i > 0 && in[i - 1].cluster > index) ||
                     (i + 1 < fonts->raw.n && in[i + 1].cluster < index);
        bool rtl = is_rtl(c) || (falls && !is_ltr(c));
        bool starts = n == 0 || out[n - 1].cluster != g.cluster;
        g.flags = (uint16_t)((starts ? TEXT_CLUSTER_START : 0u) | (rtl ? TEXT_RTL : 0u));
        shaped->has_rtl = shaped->has_rtl || rtl;
        x += g.advance;
        out[n++] = g;
    }
    shaped->glyphs = out;
    shaped->n_glyphs = n;
    shaped->advance = x;
}

ShapeEntry *shape_new(FontSet *fonts, FontFace style, const char *text, size_t n)
{
    if (!decode(fonts, text, n)) {
        return NULL;
    }
    fonts->raw.n = 0;
    if (n > 0 && !(needs_bidi(fonts) ? layout_mixed(fonts, style) : layout_ltr(fonts, style))) {
        return NULL;
    }
    /* The glyphs stand behind the text, aligned. */
    size_t head = (sizeof(ShapeEntry) + n + 15) / 16 * 16;
    size_t tail;
    size_t total;
    ShapeEntry *entry = NULL;
    if (checked_mul(fonts->raw.n, sizeof(ShapedGlyph), &tail) && checked_add(head, tail, &total)) {
        entry = mem_alloc(total, NULL);
    }
    if (entry) {
        *entry = (ShapeEntry){.n_bytes = n, .style = style, .total_bytes = total};
        if (n) {
            memcpy(entry->text, text, n);
        }
        place_glyphs(fonts, (ShapedGlyph *)((char *)entry + head), &entry->shaped);
        entry->shaped.starts_rtl = starts_rtl(fonts->code_points.items, fonts->code_points.n);
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
    fonts->cache_bytes += entry->total_bytes;
    return &entry->shaped;
}

void fontset_trim(FontSet *fonts)
{
    fonts->frame++;
    if (fonts->n_entries <= CACHE_MOST && fonts->cache_bytes <= CACHE_MOST_BYTES) {
        return;
    }
    for (size_t i = 0; i < fonts->n_buckets; i++) {
        ShapeEntry **link = &fonts->buckets[i];
        while (*link) {
            ShapeEntry *e = *link;
            if (e->used_frame + 1 < fonts->frame) {
                *link = e->next;
                fonts->cache_bytes -= e->total_bytes;
                mem_free(e);
                fonts->n_entries--;
            } else {
                link = &e->next;
            }
        }
    }
}
