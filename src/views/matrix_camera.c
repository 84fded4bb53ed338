#include "views/matrix.h"

#include "draw/easing.h"

#include <math.h>

/* Steps that look even; between them the fit of any text may stand. */
static const int32_t STEPS[] = {1,  2,  3,  4,  5,  6,  8,  10, 12, 14,  16,  20,
                                24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160};

int64_t zoom_extent(MatrixZoom zoom, int32_t n)
{
    return zoom.factor > 1 ? ((int64_t)n + zoom.factor - 1) / zoom.factor : (int64_t)n * zoom.px;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

int64_t zoom_weight_at(MatrixZoom zoom, int64_t px)
{
    return zoom.factor > 1 ? px * zoom.factor : floor_div(px, zoom.px);
}

int64_t zoom_pixel_of(MatrixZoom zoom, int64_t weight)
{
    return zoom.factor > 1 ? floor_div(weight, zoom.factor) : weight * zoom.px;
}

bool zoom_finer(MatrixZoom a, MatrixZoom b)
{
    return a.factor != b.factor ? a.factor < b.factor : a.px > b.px;
}

MatrixZoom zoom_fit(int32_t n_queries, int32_t n_keys, int32_t area_w, int32_t area_h)
{
    int32_t w = AS_MAX(area_w, 1);
    int32_t h = AS_MAX(area_h, 1);
    int32_t px = AS_MIN(w / n_keys, h / n_queries);
    if (px >= 1) {
        return (MatrixZoom){AS_MIN(px, (int32_t)MATRIX_MAX_PX), 1};
    }
    int32_t fx = (n_keys + w - 1) / w;
    int32_t fy = (n_queries + h - 1) / h;
    return (MatrixZoom){1, AS_MAX(fx, fy)};
}

MatrixZoom zoom_step(MatrixZoom zoom, int direction, MatrixZoom coarsest)
{
    MatrixZoom next = zoom;
    if (direction > 0) {
        if (zoom.factor > 1) {
            next.factor = zoom.factor / 2 > 1 ? zoom.factor / 2 : 1;
        } else {
            for (size_t i = 0; i < AS_COUNT(STEPS); i++) {
                if (STEPS[i] > zoom.px) {
                    next.px = STEPS[i];
                    break;
                }
            }
        }
        return next;
    }
    if (zoom.factor > 1 || zoom.px == 1) {
        next.factor = zoom.factor * 2;
    } else {
        for (size_t i = AS_COUNT(STEPS); i-- > 0;) {
            if (STEPS[i] < zoom.px) {
                next.px = STEPS[i];
                break;
            }
        }
    }
    return zoom_finer(coarsest, next) ? coarsest : next;
}

static int64_t clamp_axis(int64_t at, int64_t extent, int64_t area)
{
    /* A world smaller than its area stands at the area's beginning. */
    return extent <= area ? 0 : AS_CLAMP(at, 0, extent - area);
}

void matrix_clamp(MatrixView *view)
{
    view->row_px = clamp_axis(view->row_px, zoom_extent(view->zoom, view->n_queries), view->area_h);
    view->col_px = clamp_axis(view->col_px, zoom_extent(view->zoom, view->n_keys), view->area_w);
}

void matrix_place(MatrixView *view, int32_t query, int32_t key, bool causal)
{
    MatrixZoom fit = zoom_fit(view->n_queries, view->n_keys, view->area_w, view->area_h);
    int64_t w = zoom_extent(fit, view->n_keys);
    int64_t h = zoom_extent(fit, view->n_queries);
    double fill = fmax((double)w / view->area_w, (double)h / view->area_h);
    view->zoom = fit;
    view->fitted = true;
    if (causal && fill < 0.8 && fit.px < MATRIX_MAX_PX) {
        /* The whole would leave much of the area empty, and half of it is masked: a part of it
         * fills the area instead. Without a mask the whole matters more than large cells. */
        view->zoom = fit.factor > 1 ? (MatrixZoom){1, fit.factor - 1} : (MatrixZoom){fit.px + 1, 1};
        view->fitted = false;
    }
    /* The cell stands low and at the left: what it looks at lies above the diagonal's end. */
    view->row_px = zoom_pixel_of(view->zoom, query) - (int64_t)(0.67 * view->area_h);
    view->col_px = zoom_pixel_of(view->zoom, key) - (int64_t)(0.12 * view->area_w);
    view->placed = true;
    view->placed_anew = true;
    matrix_clamp(view);
}

void matrix_look_at(MatrixView *view, int32_t q0, int32_t q1, int32_t k0, int32_t k1)
{
    int32_t n_q = AS_CLAMP(q1 - q0, 1, view->n_queries);
    int32_t n_k = AS_CLAMP(k1 - k0, 1, view->n_keys);
    MatrixZoom fit = zoom_fit(n_q, n_k, view->area_w, view->area_h);
    MatrixZoom coarsest = zoom_fit(view->n_queries, view->n_keys, view->area_w, view->area_h);
    view->zoom = zoom_finer(coarsest, fit) ? coarsest : fit;
    view->row_px = zoom_pixel_of(view->zoom, ((int64_t)q0 + q1) / 2) - view->area_h / 2;
    view->col_px = zoom_pixel_of(view->zoom, ((int64_t)k0 + k1) / 2) - view->area_w / 2;
    view->fitted = !zoom_finer(view->zoom, coarsest);
    matrix_clamp(view);
}

static double unit_of(MatrixZoom zoom)
{
    return (double)zoom.px / zoom.factor;
}

bool matrix_ease(MatrixView *v, double now_s, double seconds)
{
    double unit = unit_of(v->zoom);
    double row = (double)v->row_px / unit;
    double col = (double)v->col_px / unit;
    bool zoomed = v->seen_zoom.px != v->zoom.px || v->seen_zoom.factor != v->zoom.factor;
    bool panned = v->seen_row_px != v->row_px || v->seen_col_px != v->col_px;
    v->seen_zoom = v->zoom;
    v->seen_row_px = v->row_px;
    v->seen_col_px = v->col_px;
    if (seconds <= 0 || v->placed_anew || v->shown_unit <= 0 || v->dragging || v->gliding) {
        v->placed_anew = false;
        v->moving = false;
    } else if (zoomed || panned) {
        v->moving = true;
        v->start_s = now_s;
        v->start_unit = v->shown_unit;
        v->start_row = v->shown_row;
        v->start_col = v->shown_col;
    }
    double t = v->moving ? ease_out_cubic((now_s - v->start_s) / seconds) : 1;
    if (t >= 1) {
        v->moving = false;
        v->shown_unit = unit;
        v->shown_row = row;
        v->shown_col = col;
        return false;
    }
    v->shown_unit = v->start_unit * pow(unit / v->start_unit, t);
    /* The point that stays in place is where both cameras agree: the corner is linear in 1/unit. */
    double span = 1 / unit - 1 / v->start_unit;
    double k = fabs(span) > 1e-12 ? (1 / v->shown_unit - 1 / v->start_unit) / span : t;
    v->shown_row = v->start_row + (row - v->start_row) * k;
    v->shown_col = v->start_col + (col - v->start_col) * k;
    return true;
}

void matrix_zoom_at(MatrixView *view, int direction, double x, double y)
{
    MatrixZoom coarsest = zoom_fit(view->n_queries, view->n_keys, view->area_w, view->area_h);
    MatrixZoom before = view->zoom;
    MatrixZoom after = zoom_step(before, direction, coarsest);
    double unit_before = unit_of(before);
    double unit_after = unit_of(after);
    double row = ((double)view->row_px + y) / unit_before;
    double col = ((double)view->col_px + x) / unit_before;
    view->zoom = after;
    view->row_px = llround(row * unit_after - y);
    view->col_px = llround(col * unit_after - x);
    view->fitted = !zoom_finer(after, coarsest);
    matrix_clamp(view);
}

static int64_t reveal_axis(int64_t at, int64_t first, int64_t size, int64_t area)
{
    int64_t margin = AS_MIN(area / 8, 4 * size);
    if (first - margin < at) {
        return first - margin;
    }
    if (first + size + margin > at + area) {
        return first + size + margin - area;
    }
    return at;
}

void matrix_reveal(MatrixView *view, int32_t query, int32_t key)
{
    view->row_px =
        reveal_axis(view->row_px, zoom_pixel_of(view->zoom, query), view->zoom.px, view->area_h);
    view->col_px =
        reveal_axis(view->col_px, zoom_pixel_of(view->zoom, key), view->zoom.px, view->area_w);
    matrix_clamp(view);
}

static void window_axis(MatrixZoom zoom, int64_t at, int32_t area, int32_t n, int32_t *first,
                        int32_t *end)
{
    int64_t last = zoom_weight_at(zoom, at + area - 1);
    *first = (int32_t)AS_CLAMP(zoom_weight_at(zoom, at), 0, n - 1);
    *end = (int32_t)AS_CLAMP(last + zoom.factor, *first + 1, n);
}

void matrix_window(const MatrixView *view, int32_t *row0, int32_t *row1, int32_t *col0,
                   int32_t *col1)
{
    window_axis(view->zoom, view->row_px, view->area_h, view->n_queries, row0, row1);
    window_axis(view->zoom, view->col_px, view->area_w, view->n_keys, col0, col1);
}
