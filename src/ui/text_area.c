#include "ui/text_field.h"

#include "base/str.h"
#include "ui/text_edit.h"
#include "ui/widgets.h"

#include <math.h>
#include <string.h>

static const float LINE_PX = 18;
static const float PAD_PX = 10;

/* Lines of one paragraph, the code points [start, end). */
static void break_paragraph(Ui *ui, UiTextEdit *edit, int start, int end, float width)
{
    if (start == end) {
        (void)ARRAY_PUSH(&edit->rows, ((UiTextRow){start, end}), NULL);
        return;
    }
    const char *text = text_edit_slice(&ui->list->arena, edit, start, end, true);
    size_t n = strlen(text);
    size_t most = (size_t)(end - start) + 1;
    size_t *starts = ARENA_ARRAY(&ui->list->arena, size_t, most, NULL);
    size_t *ends = ARENA_ARRAY(&ui->list->arena, size_t, most, NULL);
    if (!starts || !ends) {
        return;
    }
    size_t n_rows =
        AS_MIN(text_wrap(ui->fonts, FONT_SANS, 12, text, n, width, starts, ends, most), most);
    size_t offset = 0;
    int at = start;
    for (size_t r = 0; r < n_rows; r++) {
        int from = at;
        /* The space at which a line is broken stays at its end. */
        size_t stop = r + 1 < n_rows ? starts[r + 1] : n;
        while (offset < stop && at < end) {
            uint32_t c;
            offset += utf8_decode(text + offset, n - offset, &c);
            at++;
        }
        (void)ARRAY_PUSH(&edit->rows, ((UiTextRow){from, at}), NULL);
    }
}

static void break_lines(Ui *ui, UiTextEdit *edit, float width)
{
    if (edit->rows.n && edit->rows_version == edit->version && edit->rows_width == width) {
        return;
    }
    edit->rows.n = 0;
    edit->rows_version = edit->version;
    edit->rows_width = width;
    for (int start = 0; start <= edit->n;) {
        int end = start;
        while (end < edit->n && edit->chars[end] != '\n') {
            end++;
        }
        break_paragraph(ui, edit, start, end, width);
        start = end + 1;
    }
}

/* The line a cursor stands in: of two that share the place, the lower one. */
static size_t row_of(const UiTextEdit *edit, int at)
{
    size_t lo = 0;
    size_t hi = edit->rows.n;
    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;
        if (edit->rows.items[mid].start <= at) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static int last_of(const UiTextEdit *edit, size_t row)
{
    UiTextRow r = edit->rows.items[row];
    bool broken = row + 1 < edit->rows.n && edit->rows.items[row + 1].start == r.end;
    return broken && r.end > r.start ? r.end - 1 : r.end;
}

static bool line_key(Ui *ui, UiTextEdit *edit, UiKeyPress key)
{
    enum { PAGE = 8 };
    break_lines(ui, edit, edit->rows_width); /* what was typed before in this pass counts */
    if (!edit->rows.n) {
        return false;
    }
    bool extend = key.mods & KEY_MOD_SHIFT;
    int cursor = AS_CLAMP(text_edit_cursor(edit), 0, edit->n);
    size_t row = row_of(edit, cursor);
    UiTextRow r = edit->rows.items[row];
    int step = key.key == KEY_UP          ? -1
               : key.key == KEY_DOWN      ? 1
               : key.key == KEY_PAGE_UP   ? -PAGE
               : key.key == KEY_PAGE_DOWN ? PAGE
                                          : 0;
    if (step) {
        if (edit->wanted_x < 0) {
            edit->wanted_x = text_edit_x_of(ui, edit, r.start, r.end, cursor);
        }
        int64_t to = AS_CLAMP((int64_t)row + step, 0, (int64_t)edit->rows.n - 1);
        UiTextRow t = edit->rows.items[to];
        int at = text_edit_index_at(ui, edit, t.start, t.end, edit->wanted_x);
        text_edit_move(edit, AS_MIN(at, last_of(edit, (size_t)to)), extend);
        return true;
    }
    if ((key.key == KEY_HOME || key.key == KEY_END) && !(key.mods & KEY_MOD_CTRL)) {
        text_edit_move(edit, key.key == KEY_HOME ? r.start : last_of(edit, row), extend);
        edit->wanted_x = -1;
        return true;
    }
    return false;
}

static int index_at(Ui *ui, const UiTextEdit *edit, Rect inner)
{
    float line = floorf((ui->mouse.y - inner.y + edit->scroll) / LINE_PX);
    size_t row = (size_t)AS_CLAMP(line, 0.0f, (float)(edit->rows.n - 1));
    UiTextRow r = edit->rows.items[row];
    int at = text_edit_index_at(ui, edit, r.start, r.end, ui->mouse.x - inner.x);
    return AS_MIN(at, last_of(edit, row));
}

static void scroll(Ui *ui, UiTextEdit *edit, Rect inner)
{
    float most = fmaxf(0, (float)edit->rows.n * LINE_PX - inner.h);
    if (ui->wheel != 0 && ui_hovers(ui, inner)) {
        edit->scroll -= ui->wheel * 3 * LINE_PX;
        ui->wheel = 0;
    }
    int cursor = text_edit_cursor(edit);
    if (cursor != edit->cursor_before) {
        float y = (float)row_of(edit, cursor) * LINE_PX;
        edit->scroll = AS_CLAMP(edit->scroll, y + LINE_PX - inner.h, y);
        edit->cursor_before = cursor;
    }
    edit->scroll = AS_CLAMP(edit->scroll, 0, most);
}

static void draw_rows(Ui *ui, const UiTextEdit *edit, Rect inner)
{
    size_t cursor_row = row_of(edit, text_edit_cursor(edit));
    draw_push_clip(ui->list, rect_inset(inner, -3));
    size_t first = (size_t)(edit->scroll / LINE_PX);
    for (size_t r = first; r < edit->rows.n; r++) {
        Rect line = {inner.x, ui_snap(ui, inner.y + (float)r * LINE_PX - edit->scroll), inner.w,
                     LINE_PX};
        if (line.y >= inner.y + inner.h) {
            break;
        }
        text_edit_draw(ui, edit, edit->rows.items[r].start, edit->rows.items[r].end, line,
                       r == cursor_row);
    }
    draw_pop_clip(ui->list);
    float whole = (float)edit->rows.n * LINE_PX;
    if (whole > inner.h) {
        float h = fmaxf(24, inner.h * inner.h / whole);
        float y = inner.y + (inner.h - h) * edit->scroll / (whole - inner.h);
        draw_rect(ui->list, &(DrawRect){.box = {inner.x + inner.w + 3, y, 4, h},
                                        .radius = 2,
                                        .fill = ui->theme.edge2});
    }
}

static void draw_resting(Ui *ui, Rect inner, const TextArea *area)
{
    bool empty = !*area->text;
    if (empty && !area->hint) {
        return;
    }
    UiLabel style = {.size = 12, .color = empty ? ui->theme.text3 : ui->theme.text};
    ui_paragraph(ui, inner, &style, LINE_PX, empty ? area->hint : area->text);
}

static TextFieldResult edit_area(Ui *ui, Rect inner, bool held)
{
    UiTextEdit *edit = ui->edit;
    break_lines(ui, edit, inner.w);
    TextEditEvent event = text_edit_keys(ui, edit, line_key);
    text_edit_clamp(edit);
    break_lines(ui, edit, inner.w);
    if (!edit->rows.n) {
        return TEXT_FIELD_EDITING; /* no memory for lines */
    }
    if (held) {
        int at = index_at(ui, edit, inner);
        UiTextRow row = edit->rows.items[row_of(edit, at)];
        text_edit_press(ui, edit, at, row.start, row.end);
    } else {
        edit->dragging = false;
    }
    scroll(ui, edit, inner);
    draw_rows(ui, edit, inner);
    return event == TEXT_EDIT_SUBMIT   ? TEXT_FIELD_SUBMIT
           : event == TEXT_EDIT_CANCEL ? TEXT_FIELD_CANCEL
                                       : TEXT_FIELD_EDITING;
}

TextFieldResult ui_text_area(Ui *ui, UiId id, Rect box, const TextArea *area)
{
    const Theme *t = &ui->theme;
    bool hot;
    bool held;
    bool edited = text_edit_is_for(ui, id);
    /* While it is edited Enter and Space are text, not a click: the focus is only told. */
    bool clicked = ui_click(ui, id, box, !edited, &hot, &held);
    if (edited) {
        ui->focus = id;
        (void)ui_focusable(ui, id, box);
    }
    if (hot) {
        ui->cursor = UI_CURSOR_TEXT;
    }
    Rect inner =
        rect(box.x + PAD_PX, box.y + PAD_PX - 2, box.w - 2 * PAD_PX - 4, box.h - 2 * PAD_PX + 4);
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 8,
                                    .fill = t->well,
                                    .border = edited ? 1.5f : 1,
                                    .border_color = edited ? t->accent
                                                    : hot  ? t->edge2
                                                           : t->edge});
    if (!edited && ((ui->focus == id && clicked) || (held && ui->pressed[0]))) {
        text_field_begin(ui, id, area->text);
        edited = text_edit_is_for(ui, id);
        held = false;
    }
    if (!edited) {
        draw_resting(ui, inner, area);
        return TEXT_FIELD_IDLE;
    }
    TextFieldResult result = edit_area(ui, inner, held);
    if (ui->edit->n == 0 && area->hint) {
        ui_paragraph(ui, inner, &(UiLabel){.size = 12, .color = t->text3}, LINE_PX, area->hint);
    }
    if (result == TEXT_FIELD_SUBMIT && !text_edit_keep(ui->edit)) {
        return TEXT_FIELD_EDITING;
    }
    if (result == TEXT_FIELD_SUBMIT || result == TEXT_FIELD_CANCEL) {
        text_edit_end(ui);
    }
    return result;
}
