#pragma once
/*
 * Colours: straight (not premultiplied) sRGB as stored in files and seen on screens. Mixing and
 * blending happen on these values, as in browsers and drawing programs. Any thread.
 */
#include "base/base.h"

/** Components 0..1, sRGB-encoded; a = opacity. Zero is fully transparent. */
typedef struct Color {
    float r, g, b, a;
} Color;

/** Opaque colour of 0xRRGGBB. */
Color color_hex(uint32_t rrggbb);
/** "#RRGGBB", "RRGGBB", "#RRGGBBAA" or "#RGB". False when it is none of these. */
AS_MUST_CHECK bool color_parse(const char *text, Color *out);
/** c with its opacity replaced. */
Color color_with_alpha(Color c, float a);
/** c with its opacity multiplied. */
Color color_fade(Color c, float factor);
/** a at t = 0, b at t = 1, component by component in sRGB; t is clamped. */
Color color_mix(Color a, Color b, float t);
/** What is seen when `top` lies on `bottom`. */
Color color_over(Color top, Color bottom);
/** Opaque colour of OKLCH lightness 0..1, chroma and hue in degrees; chroma is reduced until the
 *  colour lies in sRGB. Source: Ottosson 2020 (OKLab); CSS Color 4 (gamut by chroma). */
Color color_oklch(float lightness, float chroma, float hue_deg);
/** The way back; any of the outputs may be NULL. Opacity is ignored. */
void color_to_oklch(Color c, float *lightness, float *chroma, float *hue_deg);
/** Relative luminance 0..1 and contrast 1..21 of opaque colours (WCAG 2.1). */
float color_luminance(Color c);
float color_contrast(Color a, Color b);
/** Black or white text colour of the two given ones that reads better on `background`. */
Color color_readable(Color background, Color dark, Color light);
/** Bytes r, g, b, a in memory order, rounded. */
uint32_t color_pack(Color c);
Color color_unpack(uint32_t rgba);
bool color_equal(Color a, Color b);

/** The colour of token `index` (from 0) in every view: six named ones, then hues at equal lightness
 *  and chroma, golden angle apart. Negative indices count as 0. */
Color color_token(int64_t index);
/** The colour of head `index` (from 0): eight named ones, then OKLCH as above. */
Color color_head(int64_t index);
