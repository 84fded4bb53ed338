#pragma once
/*
 * Colour maps and value scales: weight -> 0..1 -> colour. The same tables and the same formulas are
 * used by the GL painter, the exporters and the legends, so a pixel's colour is colormap(weight).
 * Any thread.
 */
#include "draw/color.h"

typedef enum Colormap {
    COLORMAP_VIRIDIS,
    COLORMAP_MAGMA,
    COLORMAP_CIVIDIS,
    COLORMAP_INFERNO,
    COLORMAP_BLUES,           /* light to dark, for paper */
    COLORMAP_PURPLES,         /* light to dark, for paper */
    COLORMAP_GREYS,           /* light to dark, for paper */
    COLORMAP_DIVERGING,       /* blue, near-white in the middle, red */
    COLORMAP_MAGMA_NIGHT,     /* magma whose lowest tenth fades from #0C1122 */
    COLORMAP_DIVERGING_NIGHT, /* blue, #0C1122 in the middle, red */
    COLORMAP_COUNT
} Colormap;

enum { COLORMAP_ENTRIES = 256 };

typedef enum ScaleKind { SCALE_LINEAR, SCALE_SQRT, SCALE_LOG, SCALE_COUNT } ScaleKind;

/** How a value becomes 0..1. Zero is linear 0..1. */
typedef struct Scale {
    ScaleKind kind;
    float lo; /* value shown as 0; SCALE_LOG: 0 or less means 1e-4 */
    float hi; /* value shown as 1; lo = hi = 0 means 0..1 */
} Scale;

/** "viridis", … as on the command line; "?" for bad values. */
const char *colormap_name(Colormap map);
AS_MUST_CHECK bool colormap_find(const char *name, Colormap *out);
const char *scale_name(ScaleKind kind);
AS_MUST_CHECK bool scale_find(const char *name, ScaleKind *out);
/** Entry i of the map's table (0..255), clamped. */
Color colormap_entry(Colormap map, int index);
/** All entries, for painters. */
void colormap_table(Colormap map, Color out[COLORMAP_ENTRIES]);
/** colormap_eval from such a table. */
Color colormap_table_eval(const Color table[COLORMAP_ENTRIES], float t);
/** Colour at t, clamped to 0..1, linear between table entries; NaN counts as 0. */
Color colormap_eval(Colormap map, float t);
/** The scale with its defaults filled in (what lo and hi mean). */
Scale scale_resolve(Scale scale);
/** Value -> 0..1, clamped; NaN gives 0. */
float scale_apply(Scale scale, float value);
/** 0..1 -> value. */
float scale_invert(Scale scale, float t);
/** colormap_eval(map, scale_apply(scale, value)). */
Color colormap_value(Colormap map, Scale scale, float value);
/** Round values for a legend's ticks, at most `most` (<= 16) of them, ascending; returns how many.
 *  Linear and sqrt: 0 .1 .25 .5 1 style steps; log: powers of ten. */
int scale_ticks(Scale scale, int most, float out[]);
