#pragma once
/*
 * Small vector paths as coverage, for painters that keep them in a glyph atlas (icons, brackets,
 * logos). By FreeType's own rasteriser and stroker. Main thread only.
 */
#include "draw/path.h"
#include "draw/text.h"

/** Larger pictures than this (either side) are refused. */
enum { RASTER_MOST_PX = 2048 };

/**
 * Coverage of a path after x' = x * scale + offset: filled by the non-zero rule (stroke_px = 0) or
 * stroked with round ends and joins (stroke_px in output pixels). out->left, top are whole pixels
 * from the offset's origin; pixels are borrowed from fonts until its next raster call. False when
 * it is empty, too large or out of memory.
 */
bool path_raster(FontSet *fonts, Path path, float scale, Vec2 offset, float stroke_px,
                 GlyphBitmap *out);
