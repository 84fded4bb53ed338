/* Axes of charts: ranges, round ticks, labels. */
#include "app/chart.h"

#include "base/str.h"

#include <math.h>
#include <stdio.h>

enum { WANTED_TICKS = 6 };
/* Rounding of logarithms and steps must not lose a tick at the end of the range. */
static const double SLACK = 1e-9;

static void add_tick(ChartAxis *axis, double value)
{
    double slack = axis->kind == AXIS_LINEAR ? SLACK * (axis->hi - axis->lo) : SLACK * value;
    if (axis->n_ticks < AXIS_MAX_TICKS && value >= axis->lo - slack && value <= axis->hi + slack) {
        axis->ticks[axis->n_ticks++] = value;
    }
}

static void fit_linear(ChartAxis *axis, double lo, double hi)
{
    lo = lo > 0 ? 0 : lo;
    hi = hi > lo ? hi : lo + 1;
    double raw = (hi - lo) / WANTED_TICKS, decade = pow(10, floor(log10(raw)));
    double step = raw <= decade       ? decade
                  : raw <= 2 * decade ? 2 * decade
                  : raw <= 5 * decade ? 5 * decade
                                      : 10 * decade;
    axis->lo = floor(lo / step + SLACK) * step;
    axis->hi = ceil(hi / step - SLACK) * step;
    long first = lround(axis->lo / step), last = lround(axis->hi / step);
    for (long i = first; i <= last; i++) {
        add_tick(axis, (double)i * step);
    }
}

/* The largest of 1, 2, 5 times a power of ten that is not above (the least not below) a value. */
static double round_125(double value, bool up)
{
    static const double steps[] = {1, 2, 5, 10};
    double decade = pow(10, floor(log10(value) + SLACK)), best = up ? 10 * decade : decade;
    for (int i = 0; i < 4; i++) {
        double step = steps[up ? 3 - i : i] * decade;
        if (up ? step >= value * (1 - SLACK) : step <= value * (1 + SLACK)) {
            best = step;
        }
    }
    return best;
}

static void fit_log10(ChartAxis *axis, double lo, double hi)
{
    axis->lo = round_125(lo, false);
    axis->hi = round_125(hi, true);
    if (axis->hi <= axis->lo * (1 + SLACK)) {
        axis->lo = round_125(lo / 2, false);
        axis->hi = round_125(hi * 2, true);
    }
    int first = (int)floor(log10(axis->lo) + SLACK), last = (int)ceil(log10(axis->hi) - SLACK);
    int every = (last - first - 1) / (WANTED_TICKS + 1) + 1;
    bool fine = last - first <= 2;
    for (int e = first; e <= last; e += every) {
        add_tick(axis, pow(10, e));
        if (fine) {
            add_tick(axis, 2 * pow(10, e));
            add_tick(axis, 5 * pow(10, e));
        }
    }
}

static void fit_log2(ChartAxis *axis, double lo, double hi)
{
    int first = (int)floor(log2(lo) + SLACK), last = (int)ceil(log2(hi) - SLACK);
    last = last > first ? last : first + 1;
    axis->lo = ldexp(1, first);
    axis->hi = ldexp(1, last);
    int every = (last - first) / (WANTED_TICKS + 2) + 1;
    for (int e = first; e <= last; e += every) {
        add_tick(axis, ldexp(1, e));
    }
}

void chart_axis_fit(ChartAxis *axis, double lo, double hi)
{
    axis->n_ticks = 0;
    if (axis->kind == AXIS_LINEAR) {
        fit_linear(axis, lo, hi);
    } else if (axis->kind == AXIS_LOG10) {
        fit_log10(axis, lo, hi);
    } else {
        fit_log2(axis, lo, hi);
    }
}

double chart_axis_at(const ChartAxis *axis, double value)
{
    if (axis->kind == AXIS_LINEAR) {
        return (value - axis->lo) / (axis->hi - axis->lo);
    }
    return log(value / axis->lo) / log(axis->hi / axis->lo);
}

char *chart_axis_label(const ChartAxis *axis, double value, char out[32])
{
    switch (axis->unit) {
    case UNIT_COUNT:
        return format_count((uint64_t)llround(value), out);
    case UNIT_BYTES:
        return format_bytes((uint64_t)llround(value), out);
    case UNIT_MS:
        if (value >= 999.5) {
            snprintf(out, 32, "%.3g s", value / 1e3);
        } else if (value >= 0.9995) {
            snprintf(out, 32, "%.3g ms", value);
        } else {
            snprintf(out, 32, "%.3g µs", value * 1e3);
        }
        return out;
    case UNIT_PLAIN:
        break;
    }
    if (value >= 1000) {
        return format_count((uint64_t)llround(value), out);
    }
    snprintf(out, 32, "%.3g", value);
    return out;
}
