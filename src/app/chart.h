#pragma once
/*
 * Charts for pictures: axes with ticks at round numbers, lines with markers, names beside them.
 * The numbers (axes, ticks, positions, labels) stand apart from the drawing, for tests.
 */
#include "draw/draw_list.h"
#include "ui/theme.h"

typedef enum AxisKind {
    AXIS_LINEAR, /* from zero where all is positive */
    AXIS_LOG10,  /* ticks at 1, 2, 5 or at decades */
    AXIS_LOG2,   /* ticks at powers of two */
} AxisKind;

typedef enum AxisUnit { UNIT_PLAIN, UNIT_COUNT, UNIT_BYTES, UNIT_MS } AxisUnit;

enum { AXIS_MAX_TICKS = 12 };

/** A range and what is written along it. */
typedef struct ChartAxis {
    AxisKind kind;
    AxisUnit unit;
    const char *title; /* borrowed */
    double lo, hi;     /* by chart_axis_fit */
    double ticks[AXIS_MAX_TICKS];
    int n_ticks;
} ChartAxis;

/** Range and ticks so that lo..hi lie inside with some air; logarithmic ones need lo > 0. At least
 *  two ticks, at most AXIS_MAX_TICKS. Any thread. */
void chart_axis_fit(ChartAxis *axis, double lo, double hi);
/** Where a value stands, 0 at lo to 1 at hi. */
double chart_axis_at(const ChartAxis *axis, double value);
/** A tick's label: "1,024", "16 MiB", "2 ms", "0.5". Returns out. */
char *chart_axis_label(const ChartAxis *axis, double value, char out[32]);

/** A card with one plot in it. */
typedef struct Chart {
    DrawList *list;     /* borrowed */
    const Theme *theme; /* borrowed */
    Rect card;
    const char *title, *subtitle;
    ChartAxis x, y;
    int legend_rows; /* lines kept for names; 0 = 1 */
    Rect plot;       /* by chart_begin */
    Rect taken[256]; /* points and labels that are there: no other label goes over them */
    size_t n_taken;
    float legend_x, legend_y; /* where the next name goes */
    int n_left_out;           /* names that found no room */
} Chart;

typedef enum ChartMarker { MARKER_NONE, MARKER_CIRCLE, MARKER_SQUARE, MARKER_RING } ChartMarker;

typedef struct ChartLine {
    const double *x, *y;
    size_t n;
    Color color;
    ChartMarker marker;
    bool dashed;
    float width; /* px; 0 = 2 */
} ChartLine;

/** Card, title, grid, ticks and axis titles; fills plot. The axes have been fitted. */
void chart_begin(Chart *chart);
/** Clipped to the plot. */
void chart_line(Chart *chart, const ChartLine *line);
/** A name with its mark in the lines under the title, as long as there is room. */
void chart_legend(Chart *chart, const ChartLine *look, const char *text);
/** Says how many names found no room. */
void chart_legend_end(Chart *chart);
/** Text at a point of the plot, dy px below (above where negative) and moved inside the plot; left
 *  out where it would cover another one. */
void chart_note(Chart *chart, double x, double y, float dy, DrawAlign align, Color color,
                const char *text);
/** What is said where there is nothing to plot, in the middle of the card. */
void chart_empty(Chart *chart, const char *text);
/** Background of a card with its title; returns the room under them. */
Rect chart_card(DrawList *list, const Theme *theme, Rect card, const char *title,
                const char *subtitle);
