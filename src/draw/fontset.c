#include "draw/fontset.h"

#include <fontconfig/fontconfig.h>
#include <math.h>
#include <string.h>
#include FT_TRUETYPE_TABLES_H

#include "base/str.h"

/* What each face asks fontconfig for, and what CSS calls it. */
typedef struct StyleRow {
    const char *name;
    const char *families[4]; /* first found wins; the last is a generic one */
    const char *css;
    int fc_weight, css_weight;
    bool italic;
} StyleRow;

#define SANS_FAMILIES                                                                              \
    {                                                                                              \
        "Inter", "Noto Sans", "DejaVu Sans", "sans-serif"                                          \
    }
#define SANS_CSS "Inter, 'Noto Sans', 'DejaVu Sans', sans-serif"
#define MONO_FAMILIES                                                                              \
    {                                                                                              \
        "JetBrains Mono", "Noto Sans Mono", "DejaVu Sans Mono", "monospace"                        \
    }
#define MONO_CSS "'JetBrains Mono', 'Noto Sans Mono', 'DejaVu Sans Mono', monospace"
#define MATH_FAMILIES                                                                              \
    {                                                                                              \
        "STIXGeneral", "STIX", "STIX Two Text", "serif"                                            \
    }
#define MATH_CSS "STIXGeneral, STIX, 'STIX Two Text', serif"

static const StyleRow styles[FONT_COUNT] = {
    [FONT_SANS] = {"sans", SANS_FAMILIES, SANS_CSS, FC_WEIGHT_REGULAR, 400, false},
    [FONT_SANS_MEDIUM] = {"sans-medium", SANS_FAMILIES, SANS_CSS, FC_WEIGHT_MEDIUM, 500, false},
    [FONT_SANS_SEMIBOLD] = {"sans-semibold", SANS_FAMILIES, SANS_CSS, FC_WEIGHT_DEMIBOLD, 600,
                            false},
    [FONT_SANS_ITALIC] = {"sans-italic", SANS_FAMILIES, SANS_CSS, FC_WEIGHT_REGULAR, 400, true},
    [FONT_SANS_MEDIUM_ITALIC] = {"sans-medium-italic", SANS_FAMILIES, SANS_CSS, FC_WEIGHT_MEDIUM,
                                 500, true},
    [FONT_DISPLAY_SEMIBOLD] = {"display-semibold",
                               {"Inter Display", "Inter", "DejaVu Sans", "sans-serif"},
                               "'Inter Display', Inter, 'DejaVu Sans', sans-serif",
                               FC_WEIGHT_DEMIBOLD,
                               600,
                               false},
    [FONT_MONO] = {"mono", MONO_FAMILIES, MONO_CSS, FC_WEIGHT_REGULAR, 400, false},
    [FONT_MONO_MEDIUM] = {"mono-medium", MONO_FAMILIES, MONO_CSS, FC_WEIGHT_MEDIUM, 500, false},
    [FONT_MONO_SEMIBOLD] = {"mono-semibold", MONO_FAMILIES, MONO_CSS, FC_WEIGHT_DEMIBOLD, 600,
                            false},
    [FONT_MATH] = {"math", MATH_FAMILIES, MATH_CSS, FC_WEIGHT_REGULAR, 400, false},
    [FONT_MATH_ITALIC] = {"math-italic", MATH_FAMILIES, MATH_CSS, FC_WEIGHT_REGULAR, 400, true},
    [FONT_MATH_BOLD] = {"math-bold", MATH_FAMILIES, MATH_CSS, FC_WEIGHT_BOLD, 700, false},
};

static FontFace checked_face(FontFace face)
{
    return (unsigned)face < FONT_COUNT ? face : FONT_SANS;
}

const char *font_name(FontFace face)
{
    return styles[checked_face(face)].name;
}

const char *font_css_families(FontFace face)
{
    return styles[checked_face(face)].css;
}

int font_css_weight(FontFace face)
{
    return styles[checked_face(face)].css_weight;
}

bool font_is_italic(FontFace face)
{
    return styles[checked_face(face)].italic;
}

const char *fontset_family(const FontSet *fonts, FontFace face)
{
    return fonts->faces.items[checked_face(face)].family;
}

static float cap_from_glyph(FT_Face ft, uint32_t code_point, float fallback_em)
{
    FT_UInt glyph = FT_Get_Char_Index(ft, code_point);
    if (!glyph || FT_Load_Glyph(ft, glyph, FT_LOAD_NO_SCALE | FT_LOAD_NO_BITMAP) != 0) {
        return fallback_em;
    }
    return (float)ft->glyph->metrics.horiBearingY / (float)ft->units_per_EM;
}

static void read_metrics(LoadedFace *face)
{
    FT_Face ft = face->ft;
    float upem = (float)ft->units_per_EM;
    face->ascent_em = (float)ft->ascender / upem;
    face->descent_em = -(float)ft->descender / upem;
    face->gap_em = AS_MAX(0.0f, (float)ft->height / upem - face->ascent_em - face->descent_em);
    const TT_OS2 *os2 = FT_Get_Sfnt_Table(ft, FT_SFNT_OS2);
    bool has_heights = os2 && os2->version != 0xFFFF && os2->version >= 2;
    face->cap_em = has_heights && os2->sCapHeight > 0 ? (float)os2->sCapHeight / upem
                                                      : cap_from_glyph(ft, 'H', 0.7f);
    face->x_em = has_heights && os2->sxHeight > 0 ? (float)os2->sxHeight / upem
                                                  : cap_from_glyph(ft, 'x', 0.5f);
}

/* Loads the file of a fontconfig pattern, or finds it among the loaded from `first` on. */
static uint16_t load_pattern(FontSet *fonts, FcPattern *pattern, size_t first)
{
    FcChar8 *path;
    FcChar8 *family;
    int index = 0;
    if (FcPatternGetString(pattern, FC_FILE, 0, &path) != FcResultMatch) {
        return FONT_NO_FACE;
    }
    FcPatternGetInteger(pattern, FC_INDEX, 0, &index);
    for (size_t i = first; i < fonts->faces.n; i++) {
        const LoadedFace *f = &fonts->faces.items[i];
        if (f->ft_index == index && strcmp(f->path, (const char *)path) == 0) {
            return (uint16_t)i;
        }
    }
    if (fonts->faces.n >= FONT_NO_FACE) {
        return FONT_NO_FACE;
    }
    LoadedFace face = {.ft_index = index};
    if (FT_New_Face(fonts->library, (const char *)path, index, &face.ft) != 0) {
        return FONT_NO_FACE;
    }
    if (FcPatternGetString(pattern, FC_FAMILY, 0, &family) != FcResultMatch) {
        family = (FcChar8 *)"?";
    }
    face.path = mem_strdup((const char *)path, NULL);
    face.family = mem_strdup((const char *)family, NULL);
    bool usable = FT_IS_SCALABLE(face.ft) && face.ft->units_per_EM > 0;
    if (!usable || !face.path || !face.family || !ARRAY_PUSH(&fonts->faces, face, NULL)) {
        FT_Done_Face(face.ft);
        mem_free(face.path);
        mem_free(face.family);
        return FONT_NO_FACE;
    }
    read_metrics(&fonts->faces.items[fonts->faces.n - 1]);
    return (uint16_t)(fonts->faces.n - 1);
}

static FcPattern *style_pattern(FontFace style)
{
    FcPattern *p = FcPatternCreate();
    if (!p) {
        return NULL;
    }
    const StyleRow *row = &styles[style];
    for (size_t i = 0; i < AS_COUNT(row->families) && row->families[i]; i++) {
        FcPatternAddString(p, FC_FAMILY, (const FcChar8 *)row->families[i]);
    }
    FcPatternAddInteger(p, FC_WEIGHT, row->fc_weight);
    FcPatternAddInteger(p, FC_SLANT, row->italic ? FC_SLANT_ITALIC : FC_SLANT_ROMAN);
    FcPatternAddBool(p, FC_SCALABLE, FcTrue);
    FcPatternAddBool(p, FC_VARIABLE, FcFalse);
    FcPatternAddBool(p, FC_COLOR, FcFalse);
    return p;
}

static FcPattern *match(FontSet *fonts, FcPattern *pattern)
{
    FcResult result;
    FcConfigSubstitute(fonts->config, pattern, FcMatchPattern);
    FcDefaultSubstitute(pattern);
    return FcFontMatch(fonts->config, pattern, &result);
}

static bool load_styles(FontSet *fonts, Error *err)
{
    for (int i = 0; i < FONT_COUNT; i++) {
        FcPattern *pattern = style_pattern((FontFace)i);
        FcPattern *found = pattern ? match(fonts, pattern) : NULL;
        /* From SIZE_MAX on: every named face has its own entry, even where two share a file. */
        uint16_t face = found ? load_pattern(fonts, found, SIZE_MAX) : FONT_NO_FACE;
        if (found) {
            FcPatternDestroy(found);
        }
        if (pattern) {
            FcPatternDestroy(pattern);
        }
        if (face != i) {
            return error_set(err, ERR_UNSUPPORTED,
                             "no font for %s was found: install a font, such as the packages "
                             "fonts-inter, fonts-jetbrains-mono and fonts-stix",
                             styles[i].css);
        }
    }
    return true;
}

FontSet *fontset_create(Error *err)
{
    FontSet *fonts = mem_alloc_zeroed(1, sizeof(*fonts), err);
    if (!fonts) {
        return NULL;
    }
    fonts->n_buckets = 1024;
    fonts->fallback_capacity = 256;
    fonts->buckets = mem_alloc_zeroed(fonts->n_buckets, sizeof(*fonts->buckets), err);
    fonts->fallbacks = mem_alloc_zeroed(fonts->fallback_capacity, sizeof(*fonts->fallbacks), err);
    if (!fonts->buckets || !fonts->fallbacks) {
        fontset_destroy(fonts);
        return NULL;
    }
    if (FT_Init_FreeType(&fonts->library) != 0) {
        error_set(err, ERR_INTERNAL, "FreeType could not be started");
        fontset_destroy(fonts);
        return NULL;
    }
    fonts->config = FcInitLoadConfigAndFonts();
    if (!fonts->config) {
        error_set(err, ERR_UNSUPPORTED,
                  "fontconfig found no fonts: install the package "
                  "fontconfig-config and a font");
        fontset_destroy(fonts);
        return NULL;
    }
    if (!load_styles(fonts, err)) {
        fontset_destroy(fonts);
        return NULL;
    }
    return fonts;
}

void fontset_destroy(FontSet *fonts)
{
    if (!fonts) {
        return;
    }
    for (size_t i = 0; fonts->buckets && i < fonts->n_buckets; i++) {
        ShapeEntry *next;
        for (ShapeEntry *e = fonts->buckets[i]; e; e = next) {
            next = e->next;
            mem_free(e);
        }
    }
    mem_free(fonts->buckets);
    mem_free(fonts->fallbacks);
    for (size_t i = 0; i < fonts->faces.n; i++) {
        hb_font_destroy(fonts->faces.items[i].hb);
        FT_Done_Face(fonts->faces.items[i].ft);
        mem_free(fonts->faces.items[i].path);
        mem_free(fonts->faces.items[i].family);
    }
    ARRAY_FREE(&fonts->faces);
    ARRAY_FREE(&fonts->code_points);
    ARRAY_FREE(&fonts->offsets);
    ARRAY_FREE(&fonts->raw);
    ARRAY_FREE(&fonts->bitmap);
    if (fonts->library) {
        FT_Done_FreeType(fonts->library);
    }
    if (fonts->config) {
        FcConfigDestroy(fonts->config);
    }
    mem_free(fonts);
}

static uint16_t ask_fontconfig(FontSet *fonts, FontFace style, uint32_t code_point)
{
    uint16_t face = FONT_NO_FACE;
    FcPattern *pattern = style_pattern(style);
    FcCharSet *wanted = FcCharSetCreate();
    if (pattern && wanted && FcCharSetAddChar(wanted, code_point)) {
        FcPatternAddCharSet(pattern, FC_CHARSET, wanted);
        FcPattern *found = match(fonts, pattern);
        FcCharSet *has = NULL;
        if (found && FcPatternGetCharSet(found, FC_CHARSET, 0, &has) == FcResultMatch &&
            FcCharSetHasChar(has, code_point)) {
            face = load_pattern(fonts, found, 0);
        }
        if (found) {
            FcPatternDestroy(found);
        }
    }
    if (wanted) {
        FcCharSetDestroy(wanted);
    }
    if (pattern) {
        FcPatternDestroy(pattern);
    }
    if (face != FONT_NO_FACE && !FT_Get_Char_Index(fonts->faces.items[face].ft, code_point)) {
        face = FONT_NO_FACE;
    }
    return face;
}

static FallbackRow *fallback_slot(FallbackRow *rows, size_t capacity, uint16_t style,
                                  uint32_t code_point)
{
    size_t i = ((size_t)code_point * 2654435761u + style) & (capacity - 1);
    while (rows[i].style && (rows[i].style != style || rows[i].code_point != code_point)) {
        i = (i + 1) & (capacity - 1);
    }
    return &rows[i];
}

static bool grow_fallbacks(FontSet *fonts)
{
    size_t capacity = fonts->fallback_capacity * 2;
    FallbackRow *rows = mem_alloc_zeroed(capacity, sizeof(*rows), NULL);
    if (!rows) {
        return false;
    }
    for (size_t i = 0; i < fonts->fallback_capacity; i++) {
        FallbackRow *row = &fonts->fallbacks[i];
        if (row->style) {
            *fallback_slot(rows, capacity, row->style, row->code_point) = *row;
        }
    }
    mem_free(fonts->fallbacks);
    fonts->fallbacks = rows;
    fonts->fallback_capacity = capacity;
    return true;
}

uint16_t fontset_face_for(FontSet *fonts, FontFace style, uint32_t code_point)
{
    style = checked_face(style);
    if (FT_Get_Char_Index(fonts->faces.items[style].ft, code_point)) {
        return (uint16_t)style;
    }
    uint16_t key = (uint16_t)(style + 1);
    FallbackRow *row = fallback_slot(fonts->fallbacks, fonts->fallback_capacity, key, code_point);
    if (row->style) {
        return row->face;
    }
    uint16_t face = ask_fontconfig(fonts, style, code_point);
    if ((fonts->n_fallbacks + 1) * 2 > fonts->fallback_capacity) {
        if (!grow_fallbacks(fonts)) {
            return face; /* only slower next time */
        }
        row = fallback_slot(fonts->fallbacks, fonts->fallback_capacity, key, code_point);
    }
    *row = (FallbackRow){code_point, key, face};
    fonts->n_fallbacks++;
    return face;
}

FontMetrics font_metrics(const FontSet *fonts, FontFace face, float size_px)
{
    const LoadedFace *f = &fonts->faces.items[checked_face(face)];
    return (FontMetrics){.ascent = f->ascent_em * size_px,
                         .descent = f->descent_em * size_px,
                         .line_gap = f->gap_em * size_px,
                         .cap_height = f->cap_em * size_px,
                         .x_height = f->x_em * size_px};
}

float text_center_baseline(const FontSet *fonts, FontFace face, float size_px, float middle)
{
    return roundf(middle + font_metrics(fonts, face, size_px).cap_height / 2);
}

bool fontset_file(const FontSet *fonts, uint16_t face, const char **path, int *index)
{
    if (face >= fonts->faces.n) {
        return false;
    }
    *path = fonts->faces.items[face].path;
    *index = fonts->faces.items[face].ft_index;
    return true;
}
