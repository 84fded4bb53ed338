#pragma once
/*
 * The inside of a FontSet, shared by fontset.c (faces), shape.c (shaping and its cache), measure.c
 * (widths, elision, wrapping) and raster.c (coverage). Not for other folders.
 */
#include "draw/text.h"

#include <ft2build.h>
#include <hb.h>
#include FT_FREETYPE_H

/** A face that is loaded: the FONT_COUNT named ones first, then fall-backs. */
typedef struct LoadedFace {
    FT_Face ft;
    hb_font_t *hb; /* in font units, made when first shaped with */
    char *path;    /* owned */
    int ft_index;
    char *family; /* owned */
    float cap_em, x_em, ascent_em, descent_em, gap_em;
} LoadedFace;

/** A glyph as the shaper gives it: cluster = index of a code point, the rest in ems. */
typedef struct RawGlyph {
    uint32_t glyph, cluster;
    float advance, dx, dy;
    uint16_t face;
} RawGlyph;

/** Which face has a character: cache of fontconfig's answers. */
typedef struct FallbackRow {
    uint32_t code_point;
    uint16_t style; /* FontFace + 1; 0 = free slot */
    uint16_t face;  /* FONT_NO_FACE = none has it */
} FallbackRow;

enum { FONT_NO_FACE = UINT16_MAX };

typedef struct ShapeEntry ShapeEntry;
struct ShapeEntry {
    ShapeEntry *next; /* in its bucket */
    uint64_t hash;
    uint64_t used_frame;
    ShapedText shaped;
    size_t n_bytes;     /* of the text */
    size_t total_bytes; /* of this entry */
    FontFace style;
    char text[]; /* n_bytes */
};

struct FontSet {
    FT_Library library;
    void *config; /* FcConfig *, owned */
    ARRAY_OF(LoadedFace) faces;
    FallbackRow *fallbacks; /* open addressing, owned */
    size_t fallback_capacity, n_fallbacks;
    ShapeEntry **buckets; /* owned */
    size_t n_buckets, n_entries, cache_bytes;
    uint64_t frame;
    ARRAY_OF(uint32_t) code_points; /* scratch of shaping */
    ARRAY_OF(uint32_t) offsets;
    ARRAY_OF(RawGlyph) raw;
    ARRAY_OF(unsigned char) bitmap; /* scratch of rastering */
};

/** The face that draws a character in a style: its own, a fall-back, or FONT_NO_FACE. */
uint16_t fontset_face_for(FontSet *fonts, FontFace style, uint32_t code_point);
/** Shapes without the cache; freed with mem_free. NULL on ERR_MEMORY. */
ShapeEntry *shape_new(FontSet *fonts, FontFace style, const char *text, size_t n);
