#include "ui/text_field.h"

#include "base/str.h"
#include "ui/text_edit.h"
#include "ui/widgets.h"

#include <math.h>
#include <string.h>

/* More code points than any field has room for: shaping a whole book would take its time. */
enum { LINE_MOST = 2000 };

bool text_field_is_edited(const Ui *ui, UiId id)
{
    return text_edit_is_for(ui, id);
}

const char *text_field_text(const Ui *ui)
{
    return ui->edit && ui->edit->utf8 ? ui->edit->utf8 : "";
}

const char *text_field_live(const Ui *ui, UiId id)
{
    return text_edit_is_for(ui, id)
               ? text_edit_slice(&ui->list->arena, ui->edit, 0, ui->edit->n, false)
               : NULL;
}

static float width_between(Ui *ui, const UiTextEdit *edit, int a, int b)
{
    return text_width(ui->fonts, FONT_SANS, 12, text_edit_slice(&ui->list->arena, edit, a, b, true),
                      TEXT_ALL);
}

/* How many code points from `first` fit. Steps by blocks: a line may be long. */
static int fit_from(Ui *ui, const UiTextEdit *edit, int first, float width)
{
    int end = first;
    while (end < edit->n && end - first < LINE_MOST &&
           width_between(ui, edit, first, end) <= width) {
        end = AS_MIN(end + 16, edit->n);
    }
    while (end > first && width_between(ui, edit, first, end) > width) {
        end--;
    }
    return end;
}

static void keep_cursor_visible(Ui *ui, UiTextEdit *edit, float width)
{
    int cursor = text_edit_cursor(edit);
    if (cursor < edit->first) {
        edit->first = AS_MAX(0, cursor - 8);
    }
    edit->first = AS_MIN(AS_MAX(edit->first, cursor - LINE_MOST), edit->n);
    while (edit->first < cursor && width_between(ui, edit, edit->first, cursor) > width) {
        edit->first += AS_MAX(1, (cursor - edit->first) / 16);
    }
    /* After deletions: no room is left free at the end while text is hidden at the start. */
    while (edit->first > 0 && edit->n - edit->first < LINE_MOST &&
           width_between(ui, edit, edit->first - 1, edit->n) <= width) {
        edit->first--;
    }
}

static void edit_mouse(Ui *ui, UiTextEdit *edit, Rect area, int end, bool held)
{
    if (!held) {
        edit->dragging = false;
        return;
    }
    int at = text_edit_index_at(ui, edit, edit->first, end, ui->mouse.x - area.x);
    /* A drag past an end goes on into what is hidden there. */
    if (edit->dragging && !ui->pressed[0] && ui->mouse.x > area.x + area.w && end < edit->n) {
        at = end + 1;
        ui_wake_in(ui, 0.03);
    } else if (edit->dragging && !ui->pressed[0] && ui->mouse.x < area.x && edit->first > 0) {
        at = edit->first - 1;
        ui_wake_in(ui, 0.03);
    }
    text_edit_press(ui, edit, at, 0, edit->n);
}

static void draw_edit(Ui *ui, UiTextEdit *edit, Rect area, int end)
{
    draw_push_clip(ui->list, rect(area.x - 2, area.y, area.w + 4, area.h));
    text_edit_draw(ui, edit, edit->first, end, rect(area.x, area.y + 6, area.w, area.h - 12), true);
    draw_pop_clip(ui->list);
}

static void draw_resting(Ui *ui, Rect area, const TextField *field)
{
    const Theme *t = &ui->theme;
    if (field->note) {
        float w = ui_text_width(ui, FONT_MONO, 11, field->note);
        ui_label(ui, rect(area.x + area.w - w, area.y, w + 1, area.h),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text3}, field->note);
        area.w -= w + 12;
    }
    /* Only the beginning can be seen: shaping a whole book for it would take its time. */
    enum { MOST = 600 };
    size_t n = 0;
    StrBuf line = {0};
    bool ok = true;
    size_t left = strlen(field->text);
    while (ok && left && n < MOST) {
        uint32_t c;
        char bytes[4];
        size_t used = utf8_decode(field->text + n, left, &c);
        size_t m = utf8_encode(c == '\n' ? 0x23CE : c < ' ' ? ' ' : c, bytes);
        /* Indentation says nothing in a preview. */
        bool blank = m == 1 && bytes[0] == ' ' && (!line.n || line.text[line.n - 1] == ' ');
        ok = blank || strbuf_add(&line, bytes, m, NULL);
        n += used;
        left -= used;
    }
    ui_label(ui, area, &(UiLabel){.face = FONT_SANS, .size = 12, .color = t->text},
             draw_format(ui->list, "%s", strbuf_text(&line)));
    strbuf_free(&line);
}

/* Icon and caption; what is left is for the text. */
static Rect draw_front(Ui *ui, Rect box, const TextField *field)
{
    Rect area = {box.x + 12, box.y, box.w - 24 - field->right_px, box.h};
    if (field->has_icon) {
        draw_icon(ui->list, &(DrawIcon){.icon = field->icon,
                                        .size = 16,
                                        .center = {area.x + 8, box.y + box.h / 2},
                                        .color = ui->theme.text3});
        area.x += 26;
        area.w -= 26;
    }
    if (field->caption) {
        float w = ui_label(ui, area, &(UiLabel){.face = FONT_SANS}, field->caption) + 10;
        area.x += w;
        area.w -= w;
    }
    return area;
}

TextFieldResult ui_text_field(Ui *ui, UiId id, Rect box, const TextField *field)
{
    const Theme *t = &ui->theme;
    bool hot;
    bool held;
    bool was_edited = text_field_is_edited(ui, id);
    if (was_edited) {
        ui->edit->size = field->size > 0 ? field->size : 12;
    }
    /* Keys first: a focused widget's Enter would count as a click otherwise. */
    TextFieldResult result = TEXT_FIELD_IDLE;
    if (was_edited) {
        TextEditEvent event = text_edit_keys(ui, ui->edit, NULL);
        result = event == TEXT_EDIT_SUBMIT   ? TEXT_FIELD_SUBMIT
                 : event == TEXT_EDIT_CANCEL ? TEXT_FIELD_CANCEL
                                             : TEXT_FIELD_EDITING;
    }
    bool clicked = ui_click(ui, id, box, true, &hot, &held);
    if (hot) {
        ui->cursor = UI_CURSOR_TEXT;
    }
    bool edited = was_edited;
    if (!was_edited && ((ui->focus == id && clicked) || (held && ui->pressed[0]))) {
        text_field_begin(ui, id, field->text);
        edited = ui->edit != NULL;
        held = false;
        result = TEXT_FIELD_EDITING;
    }
    if (!field->bare) {
        ui_field_box(ui, box, edited ? 1 : ui_ease(ui, id, hot, EASE_HOVER_S));
    }
    if (edited && !field->bare) {
        draw_rect(ui->list,
                  &(DrawRect){.box = box, .radius = 8, .border = 1.5f, .border_color = t->accent});
    }
    Rect area = draw_front(ui, box, field);
    if (!edited) {
        draw_resting(ui, area, field);
        return TEXT_FIELD_IDLE;
    }
    if (field->hint) {
        float w = ui_text_width(ui, FONT_SANS, 11, field->hint);
        if (w < area.w * 0.4f) {
            ui_label(ui, rect(area.x + area.w - w, area.y, w + 1, area.h),
                     &(UiLabel){.face = FONT_SANS, .size = 11, .color = t->text3}, field->hint);
            area.w -= w + 12;
        }
    }
    text_edit_clamp(ui->edit);
    keep_cursor_visible(ui, ui->edit, area.w);
    if (!ui->edit->n && field->placeholder) {
        ui_label(ui, area, &(UiLabel){.size = ui->edit->size, .color = t->text2},
                 field->placeholder);
    }
    int end = fit_from(ui, ui->edit, ui->edit->first, area.w);
    edit_mouse(ui, ui->edit, area, end, held);
    draw_edit(ui, ui->edit, area, end);
    if (result == TEXT_FIELD_SUBMIT && !text_edit_keep(ui->edit)) {
        result = TEXT_FIELD_EDITING;
    }
    if (result == TEXT_FIELD_SUBMIT || result == TEXT_FIELD_CANCEL) {
        text_edit_end(ui);
    }
    return result;
}
