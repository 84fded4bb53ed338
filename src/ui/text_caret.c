#include "ui/text_edit.h"

#include "base/str.h"

#include <math.h>
#include <string.h>

/* Where the places of an edited text stand on the screen, and how the cursor goes along it. */

/* Byte offset in `shown`, the code points [a, …), of code point `at`. */
static size_t offset_of(const char *shown, int a, int at)
{
    size_t n = strlen(shown);
    size_t offset = 0;
    for (int i = a; i < at && offset < n; i++) {
        uint32_t c;
        offset += utf8_decode(shown + offset, n - offset, &c);
    }
    return offset;
}

/* The stretch around the cursor that is shaped together: its line in an area, else what is near it
 * in its paragraph. */
static void line_around(const UiTextEdit *edit, bool has_lines, int *start, int *end)
{
    enum { NEAR = 256 };
    int at = AS_CLAMP(text_edit_cursor(edit), 0, edit->n);
    *start = has_lines ? AS_MAX(at - NEAR, 0) : AS_CLAMP(edit->first, AS_MAX(at - NEAR, 0), at);
    *end = AS_MIN(at + NEAR, edit->n);
    for (size_t r = 0; has_lines && r < edit->rows.n; r++) {
        UiTextRow row = edit->rows.items[r];
        if (row.start <= at &&
            (at < row.end || r + 1 == edit->rows.n || edit->rows.items[r + 1].start > at)) {
            *start = AS_CLAMP(row.start, 0, edit->n);
            *end = AS_CLAMP(row.end, 0, edit->n);
            return;
        }
    }
    for (int i = at - 1; i >= *start; i--) {
        *start = edit->chars[i] == '\n' ? i + 1 : *start;
    }
    for (int i = at; i < *end; i++) {
        *end = edit->chars[i] == '\n' ? i : *end;
    }
}

/* Letters below this are one cluster each and run from the left. */
static bool is_simple(const UiTextEdit *edit, int start, int end)
{
    for (int i = start; i < end; i++) {
        if (edit->chars[i] >= 0x300) {
            return false;
        }
    }
    return true;
}

int text_edit_step(Ui *ui, const UiTextEdit *edit, bool has_lines, int direction, bool seen)
{
    int start;
    int end;
    int at = text_edit_cursor(edit);
    line_around(edit, has_lines, &start, &end);
    int plain = AS_CLAMP(at + direction, 0, edit->n);
    if (at < start || at > end || is_simple(edit, start, end)) {
        return plain;
    }
    const char *line = text_edit_slice(&ui->list->arena, edit, start, end, true);
    size_t n = strlen(line);
    size_t offset = offset_of(line, start, at);
    size_t to = seen ? text_step(ui->fonts, FONT_SANS, line, n, offset, direction)
                     : text_step_logical(ui->fonts, FONT_SANS, line, n, offset, direction);
    if (to == offset) { /* past the end of the line that is seen there */
        const ShapedText *shaped = fontset_shape(ui->fonts, FONT_SANS, line, n);
        bool forward = (direction > 0) != (shaped && shaped->starts_rtl);
        return forward ? AS_MIN(end + 1, edit->n) : AS_MAX(start - 1, 0);
    }
    int index = start;
    for (size_t i = 0; i < to && index < end; index++) {
        uint32_t c;
        i += utf8_decode(line + i, n - i, &c);
    }
    return index;
}

void text_edit_arrow(Ui *ui, UiTextEdit *edit, UiKeyPress k, bool has_lines)
{
    int low;
    int high;
    int direction = k.key == KEY_RIGHT ? 1 : -1;
    bool extend = k.mods & KEY_MOD_SHIFT;
    text_edit_selection(edit, &low, &high);
    if (low != high && !extend) {
        int start;
        int end;
        line_around(edit, has_lines, &start, &end);
        bool swapped =
            low >= start && high <= end && !is_simple(edit, start, end) &&
            text_edit_x_of(ui, edit, start, end, low) > text_edit_x_of(ui, edit, start, end, high);
        text_edit_move(edit, (direction > 0) != swapped ? high : low, false);
        return;
    }
    text_edit_move(edit, text_edit_step(ui, edit, has_lines, direction, true), extend);
}

float text_edit_x_of(Ui *ui, const UiTextEdit *edit, int a, int b, int at)
{
    const char *shown = text_edit_slice(&ui->list->arena, edit, a, b, true);
    return text_x_of(ui->fonts, FONT_SANS, edit->size, shown, strlen(shown),
                     offset_of(shown, a, at));
}

int text_edit_index_at(Ui *ui, const UiTextEdit *edit, int a, int b, float x)
{
    const char *shown = text_edit_slice(&ui->list->arena, edit, a, b, true);
    size_t n = strlen(shown);
    size_t offset = text_offset_at(ui->fonts, FONT_SANS, edit->size, shown, n, x);
    int index = a;
    for (size_t at = 0; at < offset && index < b; index++) {
        uint32_t c;
        at += utf8_decode(shown + at, n - at, &c);
    }
    return index;
}

/* In mixed directions a selection may stand in several places of the line: each code point marks
 * its own, and those that touch become one box. */
static void draw_selection(Ui *ui, const UiTextEdit *edit, const char *shown, int a, int low,
                           int high, Rect line)
{
    Color color = color_with_alpha(ui->theme.accent, 0.35f);
    size_t n = strlen(shown);
    size_t offset = offset_of(shown, a, low);
    float left = 0;
    float right = 0;
    bool any = false;
    float from = text_x_of(ui->fonts, FONT_SANS, edit->size, shown, n, offset);
    for (int i = low; i <= high; i++) {
        float x0 = from;
        float x1 = from;
        if (i < high && offset < n) {
            uint32_t c;
            offset += utf8_decode(shown + offset, n - offset, &c);
            from = text_x_of(ui->fonts, FONT_SANS, edit->size, shown, n, offset);
            x0 = fminf(x0, from);
            x1 = fmaxf(x1, from);
        }
        bool touches = any && i < high && x0 <= right + 0.5f && x1 >= left - 0.5f;
        if (any && !touches) {
            draw_rect(ui->list, &(DrawRect){.box = {line.x + left, line.y, right - left, line.h},
                                            .radius = 3,
                                            .fill = color});
        }
        left = touches ? fminf(left, x0) : x0;
        right = touches ? fmaxf(right, x1) : x1;
        any = true;
    }
}

void text_edit_draw(Ui *ui, const UiTextEdit *edit, int a, int b, Rect line, bool with_cursor)
{
    const Theme *t = &ui->theme;
    int from;
    int to;
    text_edit_selection(edit, &from, &to);
    const char *shown = text_edit_slice(&ui->list->arena, edit, a, b, true);
    int low = AS_CLAMP(from, a, b);
    int high = AS_CLAMP(to, a, b);
    if (low < high) {
        draw_selection(ui, edit, shown, a, low, high, rect_inset(line, 0));
    }
    draw_text(ui->list,
              &(DrawText){.face = FONT_SANS,
                          .size = edit->size,
                          .color = t->text,
                          .text = shown,
                          .at = {line.x, text_center_baseline(ui->fonts, FONT_SANS, edit->size,
                                                              line.y + line.h / 2)}});
    if (with_cursor) {
        float x = line.x + text_x_of(ui->fonts, FONT_SANS, edit->size, shown, strlen(shown),
                                     offset_of(shown, a, AS_CLAMP(text_edit_cursor(edit), a, b)));
        draw_rect(ui->list,
                  &(DrawRect){.box = {ui_snap(ui, x), line.y, 1.5f, line.h}, .fill = t->accent});
    }
}
