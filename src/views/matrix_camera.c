#include "views/matrix.h"

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

void matrix_place(MatrixView *view, int32_t query, int32_t key)
{
    MatrixZoom fit = zoom_fit(view->n_queries, view->n_keys, view->area_w, view->area_h);
    int64_t w = zoom_extent(fit, view->n_keys);
    int64_t h = zoom_extent(fit, view->n_queries);
    double fill = fmax((double)w / view->area_w, (double)h / view->area_h);
    view->zoom = fit;
    view->fitted = true;
    if (fill < 0.8 && fit.px < MATRIX_MAX_PX) {
        /* The whole would leave much of the area empty: a part of it fills the area instead. */
        view->zoom = fit.factor > 1 ? (MatrixZoom){1, fit.factor - 1} : (MatrixZoom){fit.px + 1, 1};
        view->fitted = false;
    }
    /* The cell stands low and at the left: what it looks at lies above the diagonal's end. */
    view->row_px = zoom_pixel_of(view->zoom, query) - (int64_t)(0.67 * view->area_h);
    view->col_px = zoom_pixel_of(view->zoom, key) - (int64_t)(0.12 * view->area_w);
    view->placed = true;
    matrix_clamp(view);
}

void matrix_zoom_at(MatrixView *view, int direction, double x, double y)
{
    MatrixZoom coarsest = zoom_fit(view->n_queries, view->n_keys, view->area_w, view->area_h);
    MatrixZoom before = view->zoom;
    MatrixZoom after = zoom_step(before, direction, coarsest);
    double unit_before = (double)before.px / before.factor;
    double unit_after = (double)after.px / after.factor;
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
