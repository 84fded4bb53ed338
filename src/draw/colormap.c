#include "draw/colormap.h"

#include "draw/colormap_tables.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* A few OKLCH stops of the maps that are our own; between them lightness, chroma and hue run
 * straight, so that equal steps look equal. */
typedef struct Stop {
    float at, lightness, chroma, hue_deg;
} Stop;

typedef struct MapRow {
    const char *name;
    const uint32_t *table; /* NULL: the stops */
    Stop stops[5];
    int n_stops;
} MapRow;

/* The colour that zero has in the dark theme's maps. */
static const uint32_t NIGHT_ZERO = 0x0C1122;
/* How much of magma_night is the fade from it. */
static const float NIGHT_FADE = 0.1f;

static const MapRow rows[COLORMAP_COUNT] = {
    [COLORMAP_VIRIDIS] = {.name = "viridis", .table = colormap_viridis},
    [COLORMAP_MAGMA] = {.name = "magma", .table = colormap_magma},
    [COLORMAP_CIVIDIS] = {.name = "cividis", .table = colormap_cividis},
    [COLORMAP_INFERNO] = {.name = "inferno", .table = colormap_inferno},
    [COLORMAP_BLUES] = {.name = "blues",
                        .stops = {{0, 0.985f, 0.005f, 250},
                                  {0.4f, 0.80f, 0.10f, 250},
                                  {0.75f, 0.56f, 0.17f, 257},
                                  {1, 0.33f, 0.12f, 262}},
                        .n_stops = 4},
    [COLORMAP_PURPLES] = {.name = "purples",
                          .stops = {{0, 0.985f, 0.005f, 300},
                                    {0.4f, 0.80f, 0.09f, 298},
                                    {0.75f, 0.56f, 0.19f, 294},
                                    {1, 0.34f, 0.17f, 290}},
                          .n_stops = 4},
    [COLORMAP_GREYS] = {.name = "greys",
                        .stops = {{0, 0.99f, 0, 260}, {1, 0.20f, 0.01f, 260}},
                        .n_stops = 2},
    [COLORMAP_DIVERGING] = {.name = "diverging",
                            .stops = {{0, 0.42f, 0.16f, 258},
                                      {0.25f, 0.68f, 0.13f, 252},
                                      {0.5f, 0.975f, 0, 252},
                                      {0.75f, 0.72f, 0.13f, 32},
                                      {1, 0.45f, 0.17f, 27}},
                            .n_stops = 5},
    [COLORMAP_MAGMA_NIGHT] = {.name = "magma-night", .table = colormap_magma},
    [COLORMAP_DIVERGING_NIGHT] = {.name = "diverging-night",
                                  .stops = {{0, 0.82f, 0.10f, 245},
                                            {0.25f, 0.56f, 0.14f, 255},
                                            {0.5f, 0.182f, 0.034f, 268},
                                            {0.75f, 0.57f, 0.18f, 25},
                                            {1, 0.84f, 0.11f, 50}},
                                  .n_stops = 5},
};

static const char *const scale_names[SCALE_COUNT] = {"linear", "sqrt", "log"};

const char *colormap_name(Colormap map)
{
    return (unsigned)map < COLORMAP_COUNT ? rows[map].name : "?";
}

bool colormap_find(const char *name, Colormap *out)
{
    for (int i = 0; i < COLORMAP_COUNT; i++) {
        if (strcmp(name, rows[i].name) == 0) {
            *out = (Colormap)i;
            return true;
        }
    }
    return false;
}

const char *scale_name(ScaleKind kind)
{
    return (unsigned)kind < SCALE_COUNT ? scale_names[kind] : "?";
}

bool scale_find(const char *name, ScaleKind *out)
{
    for (int i = 0; i < SCALE_COUNT; i++) {
        if (strcmp(name, scale_names[i]) == 0) {
            *out = (ScaleKind)i;
            return true;
        }
    }
    return false;
}

static Color stops_color(const MapRow *row, float t)
{
    int i = 1;
    while (i < row->n_stops - 1 && t > row->stops[i].at) {
        i++;
    }
    const Stop *a = &row->stops[i - 1];
    const Stop *b = &row->stops[i];
    float u = (t - a->at) / (b->at - a->at);
    /* A stop without chroma has no hue of its own. */
    float hue_a = a->chroma > 0 ? a->hue_deg : b->hue_deg;
    float hue_b = b->chroma > 0 ? b->hue_deg : a->hue_deg;
    return color_oklch(a->lightness + (b->lightness - a->lightness) * u,
                       a->chroma + (b->chroma - a->chroma) * u, hue_a + (hue_b - hue_a) * u);
}

static Color table_color(const uint32_t *table, float t)
{
    float x = t * (COLORMAP_ENTRIES - 1);
    int i = (int)x;
    i = AS_MIN(i, COLORMAP_ENTRIES - 2);
    return color_mix(color_hex(table[i]), color_hex(table[i + 1]), x - (float)i);
}

Color colormap_entry(Colormap map, int index)
{
    if ((unsigned)map >= COLORMAP_COUNT) {
        map = COLORMAP_VIRIDIS;
    }
    index = AS_CLAMP(index, 0, COLORMAP_ENTRIES - 1);
    const MapRow *row = &rows[map];
    float t = (float)index / (COLORMAP_ENTRIES - 1);
    Color c;
    if (map == COLORMAP_MAGMA_NIGHT && t < NIGHT_FADE) {
        c = color_mix(color_hex(NIGHT_ZERO), table_color(row->table, NIGHT_FADE), t / NIGHT_FADE);
    } else {
        c = row->table ? color_hex(row->table[index]) : stops_color(row, t);
    }
    /* Entries are whole bytes everywhere, as in the painter's texture. */
    return color_unpack(color_pack(c));
}

void colormap_table(Colormap map, Color out[COLORMAP_ENTRIES])
{
    for (int i = 0; i < COLORMAP_ENTRIES; i++) {
        out[i] = colormap_entry(map, i);
    }
}

Color colormap_table_eval(const Color table[COLORMAP_ENTRIES], float t)
{
    t = t >= 0 ? AS_MIN(t, 1.0f) : 0.0f;
    float x = t * (COLORMAP_ENTRIES - 1);
    int i = AS_MIN((int)x, COLORMAP_ENTRIES - 2);
    return color_mix(table[i], table[i + 1], x - (float)i);
}

Color colormap_eval(Colormap map, float t)
{
    t = t >= 0 ? AS_MIN(t, 1.0f) : 0.0f; /* NaN fails the comparison */
    float x = t * (COLORMAP_ENTRIES - 1);
    int i = AS_MIN((int)x, COLORMAP_ENTRIES - 2);
    return color_mix(colormap_entry(map, i), colormap_entry(map, i + 1), x - (float)i);
}

Scale scale_resolve(Scale scale)
{
    if ((unsigned)scale.kind >= SCALE_COUNT) {
        scale.kind = SCALE_LINEAR;
    }
    if (scale.lo == 0 && scale.hi == 0) {
        scale.hi = 1;
    }
    if (scale.kind == SCALE_LOG) {
        scale.lo = scale.lo > 0 ? scale.lo : 1e-4f;
        scale.hi = AS_MAX(scale.hi, FLT_MIN);
    }
    return scale;
}

float scale_apply(Scale scale, float value)
{
    Scale s = scale_resolve(scale);
    if (s.lo == s.hi) {
        return value >= s.hi ? 1.0f : 0.0f;
    }
    float t;
    if (s.kind == SCALE_LOG) {
        t = value > 0 ? logf(value / s.lo) / logf(s.hi / s.lo) : 0;
    } else {
        t = (value - s.lo) / (s.hi - s.lo);
    }
    t = t >= 0 ? AS_MIN(t, 1.0f) : 0.0f;
    return s.kind == SCALE_SQRT ? sqrtf(t) : t;
}

float scale_invert(Scale scale, float t)
{
    Scale s = scale_resolve(scale);
    t = AS_CLAMP(t, 0.0f, 1.0f);
    if (s.kind == SCALE_LOG) {
        return s.lo * powf(s.hi / s.lo, t);
    }
    return s.lo + (s.hi - s.lo) * (s.kind == SCALE_SQRT ? t * t : t);
}

Color colormap_value(Colormap map, Scale scale, float value)
{
    return colormap_eval(map, scale_apply(scale, value));
}

static int ticks_log(Scale s, int most, float out[])
{
    int first = (int)ceilf(log10f(s.lo) - 1e-4f);
    int last = (int)floorf(log10f(s.hi) + 1e-4f);
    if (last < first) {
        return 0;
    }
    int step = AS_MAX(1, (last - first + most - 2) / AS_MAX(most - 1, 1));
    int n = 0;
    for (int e = last; e >= first && n < most; e -= step) {
        out[n++] = (float)pow(10, e);
    }
    for (int i = 0; i < n / 2; i++) {
        float swap = out[i];
        out[i] = out[n - 1 - i];
        out[n - 1 - i] = swap;
    }
    return n;
}

static int ticks_linear(Scale s, int most, float out[])
{
    double span = (double)s.hi - (double)s.lo;
    double raw = span / AS_MAX(most - 1, 1);
    double power = pow(10, floor(log10(raw)));
    static const double steps[] = {1, 2, 2.5, 5, 10, 20};
    for (size_t k = 0; k < AS_COUNT(steps); k++) {
        double step = steps[k] * power;
        double first = ceil((double)s.lo / step - 1e-6);
        double last = floor((double)s.hi / step + 1e-6);
        if (last - first + 1 <= most) {
            int n = 0;
            for (double i = first; i <= last; i++) {
                out[n++] = (float)(i * step + 0.0); /* ceil gives -0, which prints as such */
            }
            return n;
        }
    }
    return 0;
}

int scale_ticks(Scale scale, int most, float out[])
{
    Scale s = scale_resolve(scale);
    most = AS_MIN(most, 16);
    if (most < 1 || !(s.hi > s.lo) || !isfinite(s.hi) || !isfinite(s.lo)) {
        return 0;
    }
    if (s.kind == SCALE_LOG) {
        return ticks_log(s, most, out);
    }
    if (s.kind == SCALE_SQRT && s.lo == 0 && most >= 5) {
        /* The root opens up the small values: ticks belong there. */
        static const float parts[] = {0, 0.1f, 0.25f, 0.5f, 1};
        for (size_t i = 0; i < AS_COUNT(parts); i++) {
            out[i] = parts[i] * s.hi;
        }
        return (int)AS_COUNT(parts);
    }
    return ticks_linear(s, most, out);
}
