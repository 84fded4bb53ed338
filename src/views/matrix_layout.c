#include "views/matrix.h"

#include <math.h>

typedef struct Measures {
    float pad, gap;             /* of the stage */
    float top, left, right;     /* of the card around the area */
    float row_profile, row_gap; /* below the area */
    float key_labels, bottom;
    float col_profile, col_gap;
} Measures;

static Measures measures(Rect stage)
{
    if (stage.h < 430 || stage.w < 700) { /* a small window: no profiles */
        return (Measures){.pad = 12,
                          .gap = 12,
                          .top = 44,
                          .left = 92,
                          .right = 16,
                          .key_labels = 56,
                          .bottom = 8};
    }
    if (stage.h < 760 || stage.w < 1000) {
        return (Measures){.pad = 16,
                          .gap = 16,
                          .top = 52,
                          .left = 92,
                          .right = 18,
                          .row_profile = 44,
                          .row_gap = 8,
                          .key_labels = 60,
                          .bottom = 10,
                          .col_profile = 56,
                          .col_gap = 24};
    }
    return (Measures){.pad = 24,
                      .gap = 24,
                      .top = 60,
                      .left = 112,
                      .right = 26,
                      .row_profile = 64,
                      .row_gap = 10,
                      .key_labels = 66,
                      .bottom = 20,
                      .col_profile = 76,
                      .col_gap = 24};
}

/* STACKED_PX: what stands below the minimap where there is one card. */
enum { LEGEND_W = 196, SIDE_PAD = 16, LENS_LABELS = 106, STACKED_PX = 330 };

static void side_cards(MatrixLayout *l, Rect side, float gap)
{
    if (side.w < 210 || side.h < 260) {
        return;
    }
    float beside = side.w - 2 * SIDE_PAD - 24 - LEGEND_W;
    if (beside < 120) {
        /* Narrow: one card, the minimap above the controls. */
        l->stacked = true;
        l->minimap = fminf(side.w - 2 * SIDE_PAD, side.h - STACKED_PX);
        if (l->minimap < 90) {
            l->minimap = 0;
        }
        l->side_card = side;
        return;
    }
    l->minimap = fmaxf(60, fminf(256, fminf(beside, side.h - 70)));
    float low = fmaxf(l->minimap + 52, 308);
    float high = side.h - gap - low;
    for (int32_t n = 13; n >= 9 && l->lens_n == 0; n -= 2) {
        float cell = floorf(fminf(30, (side.w - 2 * SIDE_PAD - LENS_LABELS) / (float)n));
        if (cell >= 28 && 60 + cell * (float)n + 86 <= high + 0.5f) {
            l->lens_n = n;
            l->lens_cell = cell;
        }
    }
    /* Without room for the lens the row as a list may still have some. */
    if (l->lens_n > 0 || (high >= 200 && side.w >= 330)) {
        l->lens_card = rect(side.x, side.y, side.w, high);
        side.y += high + gap;
        side.h = low;
    }
    l->side_card = side;
}

MatrixLayout matrix_layout(const Ui *ui, Rect stage)
{
    Measures m = measures(stage);
    Rect inner = rect_inset(stage, m.pad);
    MatrixLayout l = {.gutter = m.left, .key_labels = m.key_labels};
    float around_w = m.left + m.right + m.col_profile + m.col_gap;
    float around_h = m.top + m.row_gap + m.row_profile + m.key_labels + m.bottom;
    float side_least = inner.w >= 1290 ? 528 : inner.w >= 640 ? 240 : 0;
    float most_w = inner.w - around_w - (side_least > 0 ? side_least + m.gap : 0);
    float side_of_area = fmaxf(40, fminf(most_w, inner.h - around_h));
    side_of_area = floorf(side_of_area);
    l.card = rect(inner.x, inner.y, side_of_area + around_w, inner.h);
    if (side_least == 0) {
        l.card.w = inner.w;
    }
    l.area = rect(ui_snap(ui, l.card.x + m.left), ui_snap(ui, l.card.y + m.top), side_of_area,
                  side_of_area);
    if (m.col_profile > 0) {
        l.col_profile = rect(m.col_gap, 0, m.col_profile, 0);
        l.row_profile = rect(0, m.row_gap, 0, m.row_profile);
    }
    if (side_least > 0) {
        float x = l.card.x + l.card.w + m.gap;
        side_cards(&l, rect(x, inner.y, inner.x + inner.w - x, inner.h), m.gap);
    }
    return l;
}

void matrix_layout_heat(const Ui *ui, MatrixLayout *l, const MatrixView *view)
{
    float w = (float)AS_MIN(zoom_extent(view->zoom, view->n_keys), view->area_w) / ui->scale;
    float h = (float)AS_MIN(zoom_extent(view->zoom, view->n_queries), view->area_h) / ui->scale;
    l->px = (float)view->zoom.px / (float)view->zoom.factor / ui->scale;
    l->heat = rect(l->area.x, l->area.y, w, h);
    /* What is much smaller than its place stands in the middle of it. */
    if (w < 0.8f * l->area.w) {
        l->heat.x = ui_snap(ui, l->area.x + (l->area.w - w) / 2);
    }
    if (h < 0.8f * l->area.h) {
        l->heat.y = ui_snap(ui, l->area.y + (l->area.h - h) / 3);
    }
    if (l->col_profile.w > 0) {
        l->col_profile = rect(l->heat.x + w + l->col_profile.x, l->heat.y, l->col_profile.w, h);
        l->row_profile = rect(l->heat.x, l->heat.y + h + l->row_profile.y, w, l->row_profile.h);
    }
}
