#pragma once
/*
 * Fonts, shaping and measuring. Faces are found by family lists through fontconfig, text is shaped
 * by HarfBuzz (through Raqm where directions mix), characters a face does not have come from any
 * face of the machine that has them, else a box stands for each. Positions are kept in ems, so that
 * a text measures the same at every interface scale and in every export. Main thread only (one
 * FontSet, one thread).
 */
#include "base/arena.h"
#include "draw/geometry.h"

typedef enum FontFace {
    FONT_SANS, /* words: Inter */
    FONT_SANS_MEDIUM,
    FONT_SANS_SEMIBOLD,
    FONT_SANS_ITALIC,
    FONT_SANS_MEDIUM_ITALIC,
    FONT_DISPLAY_SEMIBOLD, /* titles of 20 and more: Inter Display */
    FONT_MONO,             /* numbers: JetBrains Mono */
    FONT_MONO_MEDIUM,
    FONT_MONO_SEMIBOLD,
    FONT_MATH, /* formulas: STIX upright */
    FONT_MATH_ITALIC,
    FONT_MATH_BOLD,
    FONT_COUNT
} FontFace;

typedef struct FontSet FontSet;

/** Finds the faces. A face whose families are missing falls back to what fontconfig gives for
 *  sans, mono or serif; ERR_UNSUPPORTED only when the machine has no scalable font at all. */
AS_MUST_CHECK FontSet *fontset_create(Error *err);
/** NULL is fine. */
void fontset_destroy(FontSet *fonts);
/** Family that was found for a face ("Inter"), for messages and PDF. Borrowed from fonts. */
const char *fontset_family(const FontSet *fonts, FontFace face);
/** Names for CSS `font-family`, `font-weight` and `font-style` of a face. Static. */
const char *font_css_families(FontFace face);
int font_css_weight(FontFace face);
bool font_is_italic(FontFace face);
/** "sans", "sans-semibold", … for dumps. */
const char *font_name(FontFace face);

/** Vertical measures in pixels at `size_px`, all positive. Centre a label by cap height: baseline =
 *  middle + cap_height / 2, rounded to a whole device pixel (text_center_baseline does it). */
typedef struct FontMetrics {
    float ascent, descent, line_gap, cap_height, x_height;
} FontMetrics;
FontMetrics font_metrics(const FontSet *fonts, FontFace face, float size_px);
/** Baseline of a line of text whose capitals are centred on y = middle (whole pixel). */
float text_center_baseline(const FontSet *fonts, FontFace face, float size_px, float middle);

/** Advance width in pixels of text[0..n); n = TEXT_ALL takes it up to its NUL. Invalid UTF-8 counts
 *  as U+FFFD, control characters have no width. On ERR_MEMORY the width is 0. */
#define TEXT_ALL SIZE_MAX
float text_width(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n);
/** Width with `tracking_px` added after every cluster but the last. */
float text_width_tracked(FontSet *fonts, FontFace face, float size_px, float tracking_px,
                         const char *text, size_t n);
/** The box of the ink relative to the origin on the baseline (y down). */
Rect text_ink(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n);
/** The byte offset of the cluster boundary nearest to x pixels from the start (a caret position),
 *  and the way back: x of the caret before byte `offset`. Right-to-left runs are respected. */
size_t text_offset_at(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n,
                      float x);
float text_x_of(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n,
                size_t offset);
/** The caret position one cluster to the right (direction +1) or left (-1) of the one at `offset`,
 * as it stands on the screen; `offset` itself at the end of the line. Marks stay with their letter.
 */
size_t text_step(FontSet *fonts, FontFace face, const char *text, size_t n, size_t offset,
                 int direction);
/** Byte offset after (direction +1) or before (-1) the cluster at `offset`, as it is written. */
size_t text_step_logical(FontSet *fonts, FontFace face, const char *text, size_t n, size_t offset,
                         int direction);
/** text, or as much of its beginning as fits max_width_px with an ellipsis after it ("" when not
 *  even that fits). Owned by the arena; NULL on ERR_MEMORY. */
AS_MUST_CHECK const char *text_elide(FontSet *fonts, FontFace face, float size_px, const char *text,
                                     size_t n, float max_width_px, Arena *arena, Error *err);
/** Breaks text into lines of at most width_px at spaces (in the word where it alone is too wide)
 *  and at line breaks. Fills starts/ends (byte offsets) up to `most` lines; returns how many there
 *  are in all. */
size_t text_wrap(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n,
                 float width_px, size_t starts[], size_t ends[], size_t most);
/** Forgets shaped texts that were not used since the call before the last. Once a frame, never
 *  while a list is being painted; draw_begin calls it. */
void fontset_trim(FontSet *fonts);

/* ---- below here: for painters (gfx, export) ---- */

/** One glyph of a shaped text, in ems of the text's size, y up from the baseline. */
typedef struct ShapedGlyph {
    uint32_t glyph;   /* index in the face; TEXT_TOFU: the box for a missing character */
    uint16_t face;    /* index for fontset_raster and fontset_file */
    uint16_t flags;   /* TEXT_CLUSTER_START, TEXT_RTL */
    uint32_t cluster; /* byte offset in the text */
    float x, y;       /* origin of the glyph from the start of the text, visual order */
    float advance;
} ShapedGlyph;
#define TEXT_TOFU          UINT32_MAX
#define TEXT_CLUSTER_START 1u
#define TEXT_RTL           2u

typedef struct ShapedText {
    const ShapedGlyph *glyphs; /* visual order, left to right */
    size_t n_glyphs;
    float advance; /* ems */
    bool has_rtl;
    bool starts_rtl; /* the paragraph runs from the right */
} ShapedText;

/** The byte after a cluster of a text of n bytes: where the next one begins, or n. Any thread. */
size_t text_cluster_end(const ShapedText *shaped, uint32_t cluster, size_t n);

/** Shapes or finds it in the cache. Borrowed until the next fontset_trim but one. NULL on
 *  ERR_MEMORY. */
const ShapedText *fontset_shape(FontSet *fonts, FontFace face, const char *text, size_t n);

/** Coverage of one glyph at the exact device size: rows of `width` bytes, 255 = covered. */
typedef struct GlyphBitmap {
    const unsigned char *pixels; /* borrowed until the next call; NULL when empty */
    int width, height;
    int left, top; /* of the bitmap from the pen's whole pixel, y down */
} GlyphBitmap;

/** How a line of text runs: to the right, upwards, downwards, or up and a little to the right (72
 *  degrees counter-clockwise, for labels of a crowded axis). */
typedef enum TextTurn { TEXT_UPRIGHT, TEXT_UP, TEXT_DOWN, TEXT_LEAN } TextTurn;
/** Of TEXT_LEAN: cosine and sine of its angle, and the angle. */
#define TEXT_LEAN_COS 0.30901699f
#define TEXT_LEAN_SIN 0.95105652f
#define TEXT_LEAN_DEG 72.0f
/* Sub-pixel positions along the line; of TEXT_LEAN along both axes, x + TEXT_PHASES * y. */
enum { TEXT_PHASES = 4 };

/** Rasterises; phase 0..TEXT_PHASES-1 moves the glyph by phase/TEXT_PHASES pixel along the line
 *  (TEXT_LEAN: to the right and down).
 *  False (and empty) when the face cannot give it. */
bool fontset_raster(FontSet *fonts, uint16_t face, uint32_t glyph, float device_px, TextTurn turn,
                    int phase, GlyphBitmap *out);
/* Of distance fields: the size they are made at, and how far from the outline they reach, px of
 * that size. */
enum { TEXT_FIELD_PX = 64, TEXT_FIELD_REACH = 8 };
/** A glyph as distances from its outline at TEXT_FIELD_PX: 128 on it, 255 TEXT_FIELD_REACH inside,
 * 0 as far outside. One picture for all sizes: left and top are at that size too. False (and empty)
 * when the face cannot give it. */
bool fontset_field(FontSet *fonts, uint16_t face, uint32_t glyph, GlyphBitmap *out);
/** The file of a face index and the index in it, for those who load it themselves (cairo). False
 *  for none. Borrowed from fonts. */
bool fontset_file(const FontSet *fonts, uint16_t face, const char **path, int *index);
