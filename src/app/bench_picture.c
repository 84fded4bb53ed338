/* bench: what was measured as a page of charts. */
#include "app/bench_report.h"

#include "app/bench_names.h"
#include "app/chart.h"
#include "base/file.h"
#include "export/export.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const float PAGE_W = 1680, PAGE_H = 1120, MARGIN = 32, GAP = 24, HEAD = 96;
enum { COLUMNS = 3, MAX_POINTS = 64, MAX_SERIES = 32, FIT_POINTS = 3 };

/* Results that differ in their length only. */
typedef struct Series {
    const BenchResult *points[MAX_POINTS]; /* by length */
    size_t n;
    Color color;
    char name[BENCH_NAME];
} Series;

typedef struct Page {
    const BenchReport *report;
    BenchCommon common;
    DrawList list;
    Theme theme;
    Series series[MAX_SERIES];
    size_t n_series;
    size_t n_unseen; /* results that found no place in a series */
} Page;

/* One number of a result; 0 = not measured. */
typedef double Measure(const BenchResult *r);

static double length_of(const BenchResult *r)
{
    return r->n;
}

static double ms_of(const BenchResult *r)
{
    return r->ms;
}

static double naive_ms_of(const BenchResult *r)
{
    return r->naive_ms;
}

static double gflops_of(const BenchResult *r)
{
    return r->gflops;
}

static double full_gflops_of(const BenchResult *r)
{
    return r->gflops * r->ms / r->full_ms;
}

static double naive_gflops_of(const BenchResult *r)
{
    return r->naive_gflops;
}

static double bytes_of(const BenchResult *r)
{
    return r->bytes;
}

/* What the naive method would take counts here also where it did not fit. */
static double naive_bytes_of(const BenchResult *r)
{
    return r->naive_bytes;
}

static double intensity_of(const BenchResult *r)
{
    return r->gflops * r->ms * 1e6 / r->traffic_bytes;
}

static double naive_intensity_of(const BenchResult *r)
{
    return r->naive_ms > 0 ? r->naive_gflops * r->naive_ms * 1e6 / r->naive_traffic_bytes : 0;
}

/* ---- series ---------------------------------------------------------------------------------- */

static bool same_series(const BenchResult *a, const BenchResult *b)
{
    return a->threads == b->threads && a->heads == b->heads && a->kv_heads == b->kv_heads &&
           a->dim == b->dim && a->causal == b->causal && a->window == b->window &&
           (a->queries == a->n ? b->queries == b->n : a->queries == b->queries) &&
           a->model == b->model && !strcmp(a->isa, b->isa) && !strcmp(a->precision, b->precision);
}

static void collect_series(Page *page)
{
    for (size_t i = 0; i < page->report->results.n; i++) {
        const BenchResult *r = &page->report->results.items[i];
        size_t s = 0;
        while (s < page->n_series && !same_series(page->series[s].points[0], r)) {
            s++;
        }
        if (s == MAX_SERIES || page->series[s].n == MAX_POINTS) {
            page->n_unseen++;
            continue;
        }
        Series *series = &page->series[s];
        if (s == page->n_series) {
            series->color = color_head((int64_t)s);
            page->n_series++;
        }
        size_t at = series->n++;
        for (; at > 0 && series->points[at - 1]->n > r->n; at--) {
            series->points[at] = series->points[at - 1];
        }
        series->points[at] = r;
    }
    for (size_t s = 0; s < page->n_series; s++) {
        Series *series = &page->series[s];
        bench_series_name(&page->common, series->points[0], series->name);
    }
}

/* Points of one measure, those that were taken. */
typedef struct Points {
    double x[MAX_POINTS], y[MAX_POINTS];
    size_t n;
} Points;

static Points points_of(const Series *s, Measure *x, Measure *y)
{
    Points p = {.n = 0};
    for (size_t i = 0; i < s->n; i++) {
        double a = x(s->points[i]), b = y(s->points[i]);
        if (a > 0 && b > 0 && isfinite(a) && isfinite(b)) {
            p.x[p.n] = a;
            p.y[p.n++] = b;
        }
    }
    return p;
}

/* Where growth has settled: the exponent over the last points. */
static bool growth_of(const Points *p, double *slope)
{
    size_t skip = p->n > FIT_POINTS ? p->n - FIT_POINTS : 0;
    return bench_growth(p->x + skip, p->y + skip, p->n - skip, slope);
}

/* A single length beside longer sweeps was measured for the chart of threads. */
static bool is_sweep(const Page *page, const Series *s)
{
    bool any = false;
    for (size_t i = 0; i < page->n_series; i++) {
        any = any || page->series[i].n > 1;
    }
    return s->n > 1 || !any;
}

typedef struct Extent {
    double lo, hi;
} Extent;

static void extend(Extent *e, double value)
{
    if (value > 0 && isfinite(value)) {
        e->lo = e->hi > 0 ? fmin(e->lo, value) : value;
        e->hi = fmax(e->hi, value);
    }
}

static void extend_points(Extent *x, Extent *y, const Points *p)
{
    for (size_t i = 0; i < p->n; i++) {
        extend(x, p->x[i]);
        extend(y, p->y[i]);
    }
}

/* ---- charts ---------------------------------------------------------------------------------- */

static Chart chart_at(Page *page, int column, int row, const char *title, const char *subtitle)
{
    float w = (PAGE_W - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS;
    float h = (PAGE_H - HEAD - MARGIN - GAP) / 2;
    return (Chart){
        .list = &page->list,
        .theme = &page->theme,
        .card = rect(MARGIN + (float)column * (w + GAP), HEAD + (float)row * (h + GAP), w, h),
        .title = title,
        .subtitle = subtitle};
}

/* A measure of every sweep as a line each, and one name for all: colours are in the list. With
 * the exponents of growth, where lines have one. */
static void draw_measure(Page *page, Chart *c, const char *what, Measure *y, ChartMarker marker,
                         bool dashed, bool growth)
{
    size_t n_lines = 0;
    Extent slopes = {0};
    ChartLine look = {.marker = marker, .dashed = dashed};
    for (size_t s = 0; s < page->n_series; s++) {
        const Series *series = &page->series[s];
        Points p = points_of(series, length_of, y);
        double slope;
        if (!p.n || !is_sweep(page, series)) {
            continue;
        }
        look.color = n_lines++ ? page->theme.text2 : series->color;
        ChartLine line = look;
        line.x = p.x;
        line.y = p.y;
        line.n = p.n;
        line.color = series->color;
        chart_line(c, &line);
        if (growth && growth_of(&p, &slope)) {
            extend(&slopes, slope);
        }
    }
    const char *name = what;
    if (slopes.hi > 0 && slopes.hi - slopes.lo < 0.01) {
        name = draw_format(&page->list, "%s: N^%.2f", what, slopes.hi);
    } else if (slopes.hi > 0) {
        name = draw_format(&page->list, "%s: N^%.2f to %.2f", what, slopes.lo, slopes.hi);
    }
    if (n_lines) {
        chart_legend(c, &look, name);
    }
}

static void fit_lengths(const Page *page, Chart *c, Measure *const *measures, size_t n_measures,
                        Extent *y)
{
    Extent x = {0};
    for (size_t s = 0; s < page->n_series; s++) {
        for (size_t m = 0; m < n_measures && is_sweep(page, &page->series[s]); m++) {
            Points p = points_of(&page->series[s], length_of, measures[m]);
            extend_points(&x, y, &p);
        }
    }
    c->x = (ChartAxis){.kind = AXIS_LOG2, .unit = UNIT_COUNT, .title = "tokens N"};
    chart_axis_fit(&c->x, x.lo, x.hi);
}

/* Lines of all series, and lower roofs of their own; true if a naive method is among them. */
static bool roofline_series(const Page *page, Chart *c, double left)
{
    const BenchMachine *m = &page->report->fastest;
    bool naive_seen = false;
    for (size_t s = 0; s < page->n_series; s++) {
        const Series *series = &page->series[s];
        double peak = series->points[0]->peak_gflops;
        if (fabs(peak / m->peak_gflops - 1) > 0.1) {
            double flat_x[] = {fmax(left, m->read_gbs > 0 ? peak / m->read_gbs : left), c->x.hi};
            double flat_y[] = {peak, peak};
            chart_line(c, &(ChartLine){.x = flat_x,
                                       .y = flat_y,
                                       .n = 2,
                                       .color = color_fade(series->color, 0.7f),
                                       .width = 1,
                                       .dashed = true});
        }
        Points p = points_of(series, intensity_of, gflops_of);
        Points naive = points_of(series, naive_intensity_of, naive_gflops_of);
        naive_seen = naive_seen || naive.n;
        chart_line(c, &(ChartLine){.x = naive.x,
                                   .y = naive.y,
                                   .n = naive.n,
                                   .color = series->color,
                                   .marker = MARKER_SQUARE,
                                   .dashed = true});
        chart_line(
            c, &(ChartLine){
                   .x = p.x, .y = p.y, .n = p.n, .color = series->color, .marker = MARKER_CIRCLE});
    }
    return naive_seen;
}

/* left and ridge as in draw_roofline. */
static void roofline_words(Page *page, Chart *c, double left, double ridge)
{
    const BenchMachine *m = &page->report->fastest;
    chart_note(c, c->x.hi, m->peak_gflops, -6, DRAW_RIGHT, page->theme.text2,
               draw_format(&page->list, "peak %.0f GF/s", m->peak_gflops));
    if (ridge > left) {
        /* Above the roof nothing can stand: the words go over the part of it that they span. */
        double over = fmin(ridge, left * pow(c->x.hi / c->x.lo, 100 / (double)c->plot.w));
        chart_note(c, left, over * m->read_gbs, -5, DRAW_LEFT, page->theme.text2,
                   draw_format(&page->list, "memory %.0f GB/s", m->read_gbs));
    }
    for (size_t s = 0; s < page->n_series; s++) {
        const Series *series = &page->series[s];
        double peak = series->points[0]->peak_gflops;
        if (fabs(peak / m->peak_gflops - 1) > 0.1) {
            chart_note(c, c->x.hi, peak, -5, DRAW_RIGHT, page->theme.text2,
                       draw_format(&page->list, "%s %s × %d: %.0f GF/s", series->points[0]->isa,
                                   series->points[0]->precision, series->points[0]->threads, peak));
        }
    }
    for (size_t s = 0; s < page->n_series; s++) {
        const Series *series = &page->series[s];
        for (size_t i = series->n; i-- > 0;) {
            const BenchResult *r = series->points[i];
            char n[32];
            chart_axis_label(&(ChartAxis){.unit = UNIT_COUNT}, r->n, n);
            chart_note(c, intensity_of(r), r->gflops, 10, DRAW_CENTER, page->theme.text2, n);
        }
    }
}

static void draw_roofline(Page *page)
{
    const BenchMachine *m = &page->report->fastest;
    Chart c =
        chart_at(page, 0, 0, "Roofline", "speed against flops per byte that has to move; log-log");
    Extent x = {0}, y = {0};
    for (size_t s = 0; s < page->n_series; s++) {
        Points p = points_of(&page->series[s], intensity_of, gflops_of);
        Points naive = points_of(&page->series[s], naive_intensity_of, naive_gflops_of);
        extend_points(&x, &y, &p);
        extend_points(&x, &y, &naive);
        extend(&y, page->series[s].points[0]->peak_gflops * 1.3);
    }
    double ridge = m->read_gbs > 0 ? m->peak_gflops / m->read_gbs : 0;
    extend(&x, ridge / 4);
    c.x = (ChartAxis){.kind = AXIS_LOG10, .title = "flops per byte"};
    c.y = (ChartAxis){.kind = AXIS_LOG10, .title = "GF/s"};
    chart_axis_fit(&c.x, x.lo / 1.2, x.hi * 1.2);
    chart_axis_fit(&c.y, y.lo / 1.5, y.hi);
    chart_begin(&c);
    double left = fmax(c.x.lo, c.y.lo / fmax(m->read_gbs, 1e-9));
    double roof_x[] = {left, ridge, c.x.hi};
    double roof_y[] = {left * m->read_gbs, m->peak_gflops, m->peak_gflops};
    size_t skip = ridge > left ? 0 : 1;
    roof_x[skip] = left;
    chart_line(
        &c, &(ChartLine){
                .x = roof_x + skip, .y = roof_y + skip, .n = 3 - skip, .color = page->theme.text2});
    bool naive_seen = roofline_series(page, &c, left);
    /* Words come last, so that no line runs over them. */
    roofline_words(page, &c, left, ridge);
    chart_legend(&c, &(ChartLine){.color = page->theme.text2, .marker = MARKER_CIRCLE},
                 "streaming, least traffic; the number is N");
    if (naive_seen) {
        chart_legend(
            &c, &(ChartLine){.color = page->theme.text2, .marker = MARKER_SQUARE, .dashed = true},
            "naive, every pass over its scores");
    }
    chart_legend_end(&c);
}

static void draw_speed(Page *page)
{
    Chart c = chart_at(page, 1, 0, "Speed by length",
                       "4 · visible pairs · D flops, at the median of repeated runs");
    static Measure *const measures[] = {gflops_of, full_gflops_of, naive_gflops_of};
    Extent y = {0};
    fit_lengths(page, &c, measures, AS_COUNT(measures), &y);
    extend(&y, page->report->fastest.peak_gflops * 1.05);
    c.y = (ChartAxis){.kind = AXIS_LINEAR, .title = "GF/s"};
    chart_axis_fit(&c.y, 0, y.hi);
    chart_begin(&c);
    double peak_x[] = {c.x.lo, c.x.hi};
    double peak_y[] = {page->report->fastest.peak_gflops, page->report->fastest.peak_gflops};
    chart_line(&c, &(ChartLine){.x = peak_x, .y = peak_y, .n = 2, .color = page->theme.text2});
    draw_measure(page, &c, "streaming", gflops_of, MARKER_CIRCLE, false, false);
    draw_measure(page, &c, "with summary and statistics", full_gflops_of, MARKER_RING, true, false);
    draw_measure(page, &c, "naive", naive_gflops_of, MARKER_SQUARE, true, false);
    chart_note(&c, c.x.hi, peak_y[0], -5, DRAW_RIGHT, page->theme.text2,
               draw_format(&page->list, "peak %.0f GF/s", peak_y[0]));
    chart_legend_end(&c);
}

/* Same case, another number of threads. */
static bool same_but_threads(const BenchResult *a, const BenchResult *b)
{
    BenchResult c = *b;
    c.threads = a->threads;
    return a->n == b->n && same_series(a, &c);
}

/* Speed-up of a case over its fewest threads times those; empty unless there are several. */
static Points speedup_of(const BenchReport *report, const BenchResult *first)
{
    Points p = {.n = 0};
    for (size_t i = 0; i < report->results.n && p.n < MAX_POINTS; i++) {
        const BenchResult *r = &report->results.items[i];
        if (!same_but_threads(first, r)) {
            continue;
        }
        size_t at = p.n++;
        for (; at > 0 && p.x[at - 1] > r->threads; at--) {
            p.x[at] = p.x[at - 1];
            p.y[at] = p.y[at - 1];
        }
        p.x[at] = r->threads;
        p.y[at] = 1 / r->ms_min;
    }
    double unit = p.n ? p.y[0] / p.x[0] : 1;
    for (size_t i = 0; i < p.n; i++) {
        p.y[i] /= unit;
    }
    p.n = p.n > 1 ? p.n : 0;
    return p;
}

static void draw_threads(Page *page)
{
    Chart c = chart_at(page, 2, 0, "Scaling with threads",
                       "speed over that on the fewest threads, least times; dashed: ideal");
    const BenchReport *report = page->report;
    Extent x = {0}, y = {0};
    for (size_t i = 0; i < report->results.n; i++) {
        Points p = speedup_of(report, &report->results.items[i]);
        extend_points(&x, &y, &p);
    }
    if (!(x.hi > x.lo)) {
        chart_empty(&c, "measured with one number of threads; --threads 1,2,4 shows more");
        return;
    }
    c.x = (ChartAxis){.kind = AXIS_LOG2, .unit = UNIT_COUNT, .title = "threads"};
    c.y = (ChartAxis){.kind = AXIS_LOG2, .title = "times as fast"};
    chart_axis_fit(&c.x, x.lo, x.hi);
    double most = fmax(x.hi, y.hi) * 1.05;
    chart_axis_fit(&c.y, fmin(1, y.lo), most);
    c.y.lo = fmin(1, y.lo) / 1.05;
    c.y.hi = most;
    int n_ticks = 0; /* those of whole octaves that are left */
    for (int i = 0; i < c.y.n_ticks; i++) {
        c.y.ticks[n_ticks] = c.y.ticks[i];
        n_ticks += c.y.ticks[i] >= c.y.lo && c.y.ticks[i] <= c.y.hi;
    }
    c.y.n_ticks = n_ticks;
    c.legend_rows = 3;
    chart_begin(&c);
    double ideal[] = {c.x.lo, c.x.hi};
    chart_line(&c, &(ChartLine){
                       .x = ideal, .y = ideal, .n = 2, .color = page->theme.text2, .dashed = true});
    for (size_t i = 0; i < report->results.n; i++) {
        const BenchResult *r = &report->results.items[i];
        /* Once a shape, at its longest length. */
        bool seen = false;
        for (size_t j = 0; j < report->results.n; j++) {
            const BenchResult *other = &report->results.items[j];
            BenchResult same = *other;
            same.threads = r->threads;
            seen = seen || (same_series(&same, r) && speedup_of(report, other).n &&
                            (other->n > r->n || (other->n == r->n && j < i)));
        }
        Points p = speedup_of(report, r);
        if (seen || !p.n) {
            continue;
        }
        Color color = page->theme.text2;
        for (size_t s = 0; s < page->n_series; s++) {
            color = same_series(page->series[s].points[0], r) ? page->series[s].color : color;
        }
        ChartLine line = {.x = p.x, .y = p.y, .n = p.n, .color = color, .marker = MARKER_CIRCLE};
        chart_line(&c, &line);
        char name[BENCH_NAME];
        BenchCommon common = page->common;
        common.threads = true; /* they are the axis */
        common.shape = false;
        bench_series_name(&common, r, name);
        chart_legend(&c, &line,
                     draw_format(&page->list, "%s, N %d: %.2f×", name, r->n, p.y[p.n - 1]));
    }
    chart_legend_end(&c);
}

static void draw_growth(Page *page, int column, const char *title, const char *subtitle,
                        ChartAxis axis, Measure *own, Measure *naive)
{
    Chart c = chart_at(page, column, 1, title, subtitle);
    Measure *const measures[] = {own, naive};
    Extent y = {0};
    fit_lengths(page, &c, measures, AS_COUNT(measures), &y);
    c.y = axis;
    chart_axis_fit(&c.y, y.lo / 1.2, y.hi * 1.2);
    chart_begin(&c);
    draw_measure(page, &c, "streaming", own, MARKER_CIRCLE, false, true);
    draw_measure(page, &c, "naive", naive, MARKER_SQUARE, true, true);
    chart_legend_end(&c);
}

/* ---- list ------------------------------------------------------------------------------------ */

/* Rows of text under headings; the last row says how many follow when there are too many. */
static void draw_list_card(Page *page)
{
    Chart c = chart_at(page, 2, 1, "What was measured",
                       "the longest of each; naive is the same attention with all scores held");
    Rect room = chart_card(&page->list, &page->theme, c.card, c.title, c.subtitle);
    static const struct {
        const char *title;
        float right; /* of the column, from the right edge of the card's room */
    } columns[] = {{"N", 258}, {"ms", 190}, {"of peak", 128}, {"naive", 66}, {"error", 0}};
    float y = room.y + 16;
    float right = room.x + room.w;
    for (size_t i = 0; i < AS_COUNT(columns); i++) {
        draw_text(&page->list, &(DrawText){.face = FONT_SANS,
                                           .size = 12,
                                           .color = page->theme.text2,
                                           .text = columns[i].title,
                                           .at = vec2(right - columns[i].right, y),
                                           .align = DRAW_RIGHT});
    }
    size_t most = (size_t)((room.h - 40) / 26);
    for (size_t s = 0; s < page->n_series; s++) {
        y += 26;
        if (s + 1 == most && page->n_series > most) {
            draw_text(&page->list, &(DrawText){.face = FONT_SANS,
                                               .size = 12,
                                               .color = page->theme.text2,
                                               .text = draw_format(&page->list, "and %zu more",
                                                                   page->n_series - s),
                                               .at = vec2(room.x, y)});
            break;
        }
        const Series *series = &page->series[s];
        const BenchResult *r = series->points[series->n - 1];
        char n[32];
        const char *cells[] = {
            chart_axis_label(&(ChartAxis){.unit = UNIT_COUNT}, r->n, n),
            draw_format(&page->list, r->ms < 100 ? "%.2f" : "%.0f", r->ms),
            draw_format(&page->list, "%.0f%%", r->percent_of_peak),
            r->naive_ms > 0 ? draw_format(&page->list, "%.1f×", r->naive_ms / r->ms) : "–",
            draw_format(&page->list, "%.0e", r->error_o),
        };
        draw_circle(
            &page->list,
            &(DrawCircle){.center = vec2(room.x + 5, y - 4), .radius = 5, .fill = series->color});
        draw_text(&page->list, &(DrawText){.face = FONT_SANS,
                                           .size = 12,
                                           .color = page->theme.text,
                                           .text = series->name,
                                           .at = vec2(room.x + 16, y),
                                           .max_width = room.w - 16 - 258 - 50});
        for (size_t i = 0; i < AS_COUNT(columns); i++) {
            draw_text(&page->list, &(DrawText){.face = FONT_MONO,
                                               .size = 12,
                                               .color = page->theme.text,
                                               .text = cells[i],
                                               .at = vec2(right - columns[i].right, y),
                                               .align = DRAW_RIGHT});
        }
    }
}

static void draw_heading(Page *page)
{
    const BenchMachine *m = &page->report->fastest;
    const char *model = page->report->results.items[0].model;
    const char *title = model ? draw_format(&page->list, "Attention of %s on %s", model, m->cpu)
                              : draw_format(&page->list, "Attention on %s", m->cpu);
    draw_text(&page->list, &(DrawText){.face = FONT_DISPLAY_SEMIBOLD,
                                       .size = 28,
                                       .color = page->theme.text,
                                       .text = title,
                                       .at = vec2(MARGIN, 46),
                                       .max_width = PAGE_W - 2 * MARGIN});
    const char *memory = m->read_gbs > 0
                             ? draw_format(&page->list, " · memory %.1f GB/s reading, %.1f triad",
                                           m->read_gbs, m->triad_gbs)
                             : "";
    double unrest = bench_report_unrest(page->report);
    const char *busy =
        unrest > BENCH_RESTLESS
            ? draw_format(&page->list, " · a busy machine: medians up to %.1f times the least",
                          unrest)
            : "";
    char words[BENCH_NAME];
    const BenchResult *first = &page->report->results.items[0];
    const char *masks = page->common.mask ? bench_mask_words(first, words) : "several masks";
    const char *shape = page->common.shape
                            ? draw_format(&page->list, "H %d, D %d · ", first->heads, first->dim)
                            : "";
    const char *unseen =
        page->n_unseen ? draw_format(&page->list, " · %zu results are not drawn", page->n_unseen)
                       : "";
    draw_text(
        &page->list,
        &(DrawText){.face = FONT_SANS,
                    .size = 14,
                    .color = page->theme.text2,
                    .text = draw_format(&page->list,
                                        "%s · %d thread%s · %s%s · %s · peak %.1f GF/s of "
                                        "fused multiply-adds on registers%s%s%s",
                                        m->isa, m->threads, m->threads == 1 ? "" : "s", shape,
                                        masks, m->compiler, m->peak_gflops, memory, busy, unseen),
                    .at = vec2(MARGIN, 74),
                    .max_width = PAGE_W - 2 * MARGIN});
}

static bool draw_page(Page *page, FontSet *fonts, Error *err)
{
    draw_begin(&page->list, fonts, PAGE_W, PAGE_H);
    draw_set_background(&page->list, page->theme.page);
    draw_heading(page);
    draw_roofline(page);
    draw_speed(page);
    draw_threads(page);
    draw_growth(page, 0, "Time by length", "log-log; the exponent is of the last lengths",
                (ChartAxis){.kind = AXIS_LOG10, .unit = UNIT_MS, .title = "time"}, ms_of,
                naive_ms_of);
    draw_growth(page, 1, "Memory by length",
                "log-log; the naive method's also where it did not fit",
                (ChartAxis){.kind = AXIS_LOG2, .unit = UNIT_BYTES, .title = "memory"}, bytes_of,
                naive_bytes_of);
    draw_list_card(page);
    return draw_end(&page->list, err);
}

bool bench_picture_write(const BenchReport *report, const BenchPictureDesc *desc, Error *err)
{
    ThemeId theme;
    if (!report->results.n) {
        return error_set(err, ERR_RANGE, "bench: there is nothing to draw");
    }
    if (!theme_find(desc->theme, &theme)) {
        return error_set(err, ERR_USAGE, "--theme: '%.60s' is not known", desc->theme);
    }
    FontSet *fonts = fontset_create(err);
    if (!fonts) {
        return false;
    }
    Page page = {.report = report, .common = bench_common_of(report), .theme = theme_make(theme)};
    collect_series(&page);
    ExportDesc how = {.scale = desc->scale, .title = "attnscope bench"};
    bool ok = draw_page(&page, fonts, err);
    if (ok && path_has_suffix(desc->path, ".svg")) {
        ok = export_svg(desc->path, &page.list, &how, err);
    } else if (ok && path_has_suffix(desc->path, ".pdf")) {
        ok = export_pdf(desc->path, &page.list, &how, err);
    } else if (ok) {
        ok = export_png(desc->path, &page.list, &how, err);
    }
    draw_list_free(&page.list);
    fontset_destroy(fonts);
    return ok;
}
