/* Charts: cards, grids, lines, names. */
#include "app/chart.h"

#include <math.h>

static const float PAD = 20, TICK_ROOM = 68, AXIS_ROOM = 46, LEGEND_ROW = 20, LEGEND_MARK = 24,
                   RIGHT_ROOM = 14;

static float label(Chart *c, float x, float y, DrawAlign align, FontFace face, float size,
                   Color color, const char *text, float max_width)
{
    return draw_text(c->list, &(DrawText){.face = face,
                                          .size = size,
                                          .color = color,
                                          .text = text,
                                          .at = vec2(x, y),
                                          .align = align,
                                          .max_width = max_width});
}

Rect chart_card(DrawList *list, const Theme *theme, Rect card, const char *title,
                const char *subtitle)
{
    draw_shadow(list, &(DrawShadow){.box = card,
                                    .radius = 12,
                                    .blur = 24,
                                    .dy = 6,
                                    .color = color_with_alpha(theme->shadow, theme->shadow_alpha)});
    draw_rect(list, &(DrawRect){.box = card,
                                .radius = 12,
                                .fill = theme->card,
                                .border = 1,
                                .border_color = theme->edge});
    float width = card.w - 2 * PAD;
    draw_text(list, &(DrawText){.face = FONT_SANS_SEMIBOLD,
                                .size = 16,
                                .color = theme->text,
                                .text = title,
                                .at = vec2(card.x + PAD, card.y + 34),
                                .max_width = width});
    draw_text(list, &(DrawText){.face = FONT_SANS,
                                .size = 12,
                                .color = theme->text2,
                                .text = subtitle,
                                .at = vec2(card.x + PAD, card.y + 56),
                                .max_width = width});
    return rect(card.x + PAD, card.y + 72, width, card.h - 72 - PAD);
}

static float plot_x(const Chart *c, double value)
{
    return c->plot.x + (float)chart_axis_at(&c->x, value) * c->plot.w;
}

static float plot_y(const Chart *c, double value)
{
    return c->plot.y + (1 - (float)chart_axis_at(&c->y, value)) * c->plot.h;
}

/* Ticks along x from the right: a label that would touch the one before is left out. */
static void draw_x_ticks(Chart *c)
{
    float bottom = c->plot.y + c->plot.h, free_until = c->card.x + c->card.w - 4;
    for (int i = c->x.n_ticks - 1; i >= 0; i--) {
        char text[32];
        float x = roundf(plot_x(c, c->x.ticks[i]));
        draw_line(c->list, &(DrawLine){.a = vec2(x, c->plot.y),
                                       .b = vec2(x, bottom),
                                       .width = 1,
                                       .color = c->theme->edge});
        chart_axis_label(&c->x, c->x.ticks[i], text);
        float half = text_width(c->list->fonts, FONT_MONO, 11, text, TEXT_ALL) / 2;
        if (x + half < free_until) {
            label(c, x, bottom + 18, DRAW_CENTER, FONT_MONO, 11, c->theme->text3, text, 0);
            free_until = x - half - 8;
        }
    }
}

static void draw_y_ticks(Chart *c)
{
    float free_from = c->plot.y + c->plot.h + 20;
    for (int i = 0; i < c->y.n_ticks; i++) {
        char text[32];
        float y = roundf(plot_y(c, c->y.ticks[i]));
        draw_line(c->list, &(DrawLine){.a = vec2(c->plot.x, y),
                                       .b = vec2(c->plot.x + c->plot.w, y),
                                       .width = 1,
                                       .color = c->theme->edge});
        if (y + 8 < free_from) {
            chart_axis_label(&c->y, c->y.ticks[i], text);
            label(c, c->plot.x - 8, text_center_baseline(c->list->fonts, FONT_MONO, 11, y),
                  DRAW_RIGHT, FONT_MONO, 11, c->theme->text3, text, TICK_ROOM - 12);
            free_from = y - 8;
        }
    }
}

void chart_begin(Chart *c)
{
    Rect room = chart_card(c->list, c->theme, c->card, c->title, c->subtitle);
    c->legend_x = room.x;
    c->legend_y = room.y + 8;
    c->n_taken = 0;
    c->n_left_out = 0;
    c->legend_rows = AS_MAX(c->legend_rows, 1);
    float above = (float)c->legend_rows * LEGEND_ROW + 26;
    c->plot = rect(room.x + TICK_ROOM - 12, room.y + above, room.w - TICK_ROOM + 12 - RIGHT_ROOM,
                   room.h - above - AXIS_ROOM + 8);
    draw_x_ticks(c);
    draw_y_ticks(c);
    float bottom = c->plot.y + c->plot.h;
    label(c, c->plot.x + c->plot.w / 2, bottom + 38, DRAW_CENTER, FONT_SANS, 12, c->theme->text2,
          c->x.title, c->plot.w);
    label(c, room.x, c->plot.y - 12, DRAW_LEFT, FONT_SANS, 12, c->theme->text2, c->y.title, room.w);
}

static void draw_marker(DrawList *list, ChartMarker marker, Vec2 at, Color color, Color back)
{
    if (marker == MARKER_SQUARE) {
        draw_rect(list, &(DrawRect){.box = rect(at.x - 4, at.y - 4, 8, 8),
                                    .radius = 1.5f,
                                    .fill = color,
                                    .border = 1,
                                    .border_color = back});
    } else if (marker != MARKER_NONE) {
        bool ring = marker == MARKER_RING;
        draw_circle(list, &(DrawCircle){.center = at,
                                        .radius = 5,
                                        .fill = ring ? back : color,
                                        .border = ring ? 2 : 1,
                                        .border_color = ring ? color : back});
    }
}

void chart_line(Chart *c, const ChartLine *line)
{
    draw_push_clip(c->list, rect_inset(c->plot, -6));
    float width = line->width > 0 ? line->width : 2;
    for (size_t i = 0; i + 1 < line->n; i++) {
        draw_line(c->list,
                  &(DrawLine){.a = vec2(plot_x(c, line->x[i]), plot_y(c, line->y[i])),
                              .b = vec2(plot_x(c, line->x[i + 1]), plot_y(c, line->y[i + 1])),
                              .width = width,
                              .color = line->color,
                              .cap = DRAW_ROUND,
                              .dash_on = line->dashed ? 6 : 0,
                              .dash_off = line->dashed ? 5 : 0});
    }
    for (size_t i = 0; i < line->n; i++) {
        Vec2 at = vec2(plot_x(c, line->x[i]), plot_y(c, line->y[i]));
        draw_marker(c->list, line->marker, at, line->color, c->theme->card);
        if (line->marker != MARKER_NONE && c->n_taken < AS_COUNT(c->taken)) {
            c->taken[c->n_taken++] = rect(at.x - 5, at.y - 5, 10, 10);
        }
    }
    draw_pop_clip(c->list);
}

void chart_legend(Chart *c, const ChartLine *look, const char *text)
{
    float right = c->card.x + c->card.w - PAD, left = c->card.x + PAD;
    float most = right - left - LEGEND_MARK;
    float width = text_width(c->list->fonts, FONT_SANS, 12, text, TEXT_ALL);
    width = AS_MIN(width, most);
    if (c->legend_x > left && c->legend_x + LEGEND_MARK + width > right) {
        c->legend_x = left;
        c->legend_y += LEGEND_ROW;
    }
    if (c->n_left_out ||
        c->legend_y > c->card.y + 72 + 8 + (float)(c->legend_rows - 1) * LEGEND_ROW + 1) {
        c->n_left_out++;
        return;
    }
    draw_line(c->list, &(DrawLine){.a = vec2(c->legend_x, c->legend_y),
                                   .b = vec2(c->legend_x + LEGEND_MARK - 8, c->legend_y),
                                   .width = 2,
                                   .color = look->color,
                                   .dash_on = look->dashed ? 4 : 0,
                                   .dash_off = look->dashed ? 3 : 0});
    draw_marker(c->list, look->marker, vec2(c->legend_x + (LEGEND_MARK - 8) / 2, c->legend_y),
                look->color, c->theme->card);
    label(c, c->legend_x + LEGEND_MARK,
          text_center_baseline(c->list->fonts, FONT_SANS, 12, c->legend_y), DRAW_LEFT, FONT_SANS,
          12, c->theme->text2, text, most);
    c->legend_x += LEGEND_MARK + width + 16;
}

void chart_legend_end(Chart *c)
{
    if (c->n_left_out) {
        label(c, c->card.x + c->card.w - PAD, c->plot.y - 12, DRAW_RIGHT, FONT_SANS, 12,
              c->theme->text2, draw_format(c->list, "and %d more", c->n_left_out), 0);
    }
}

void chart_note(Chart *c, double x, double y, float dy, DrawAlign align, Color color,
                const char *text)
{
    float width = text_width(c->list->fonts, FONT_SANS_MEDIUM, 11, text, TEXT_ALL);
    float left = plot_x(c, x) - (align == DRAW_CENTER  ? width / 2
                                 : align == DRAW_RIGHT ? width
                                                       : 0);
    float top = plot_y(c, y) + (dy > 0 ? dy : dy - 11);
    left = AS_CLAMP(left, c->plot.x + 4, c->plot.x + c->plot.w - width - 4);
    top = AS_CLAMP(top, c->plot.y + 2, c->plot.y + c->plot.h - 13);
    Rect box = rect(left - 2, top - 1, width + 4, 14);
    for (size_t i = 0; i < c->n_taken; i++) {
        if (!rect_is_empty(rect_intersect(box, c->taken[i]))) {
            return;
        }
    }
    if (c->n_taken == AS_COUNT(c->taken)) {
        return;
    }
    c->taken[c->n_taken++] = box;
    draw_rect(
        c->list,
        &(DrawRect){.box = box, .radius = 3, .fill = color_with_alpha(c->theme->card, 0.85f)});
    label(c, left, top + 10, DRAW_LEFT, FONT_SANS_MEDIUM, 11, color, text, 0);
}

void chart_empty(Chart *c, const char *text)
{
    Rect room = chart_card(c->list, c->theme, c->card, c->title, c->subtitle);
    label(c, room.x + room.w / 2, room.y + room.h / 2, DRAW_CENTER, FONT_SANS, 14, c->theme->text2,
          text, room.w);
}
