#include "ui/text_field.h"

#include "base/str.h"
#include "ui/widgets.h"

#include <math.h>
#include <string.h>

enum { EDIT_MAX = 1 << 16 }; /* code points in one line */

/* One code point per item: what stb_textedit calls a character. */
struct UiTextEdit {
    UiId id; /* of the field; 0 = none */
    uint32_t *chars;
    int n;
    size_t capacity;
    int first; /* leftmost code point shown */
    bool dragging;
    char *utf8;  /* result of the last submit, owned */
    void *state; /* STB_TexteditState, owned; its type lives in this file alone */
};

/* Space, letters and digits, the rest: a word is a run of one of these. */
static int char_class(uint32_t c)
{
    if (c == ' ' || c == '\n' || c == '\t' || c == 0x00A0) {
        return 0;
    }
    bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                c == '_' || c >= 0x80;
    return word ? 1 : 2;
}

static int edit_insert(UiTextEdit *edit, int at, const uint32_t *chars, int n)
{
    if (edit->n + n > EDIT_MAX ||
        !array_reserve((void **)&edit->chars, &edit->capacity, (size_t)(edit->n + n),
                       sizeof *edit->chars, NULL)) {
        return 0;
    }
    memmove(edit->chars + at + n, edit->chars + at, sizeof *chars * (size_t)(edit->n - at));
    memcpy(edit->chars + at, chars, sizeof *chars * (size_t)n);
    edit->n += n;
    return 1;
}

static void edit_delete(UiTextEdit *edit, int at, int n)
{
    memmove(edit->chars + at, edit->chars + at + n,
            sizeof *edit->chars * (size_t)(edit->n - at - n));
    edit->n -= n;
}

static int word_left(UiTextEdit *edit, int at)
{
    while (at > 0 && char_class(edit->chars[at - 1]) == 0) {
        at--;
    }
    int class = at > 0 ? char_class(edit->chars[at - 1]) : 0;
    while (at > 0 && char_class(edit->chars[at - 1]) == class) {
        at--;
    }
    return at;
}

static int word_right(UiTextEdit *edit, int at)
{
    int class = at < edit->n ? char_class(edit->chars[at]) : 0;
    while (at < edit->n && char_class(edit->chars[at]) == class) {
        at++;
    }
    while (at < edit->n && char_class(edit->chars[at]) == 0) {
        at++;
    }
    return at;
}

#define STB_TEXTEDIT_CHARTYPE       uint32_t
#define STB_TEXTEDIT_POSITIONTYPE   int
#define STB_TEXTEDIT_UNDOSTATECOUNT 99
#define STB_TEXTEDIT_UNDOCHARCOUNT  4096
#include <stb_textedit.h>

#define STB_TEXTEDIT_STRING       UiTextEdit
#define STB_TEXTEDIT_STRINGLEN(s) ((s)->n)
#define STB_TEXTEDIT_LAYOUTROW(row, s, start)                                                      \
    (*(row) = (StbTexteditRow){.num_chars = (s)->n - (start), .ymax = 1, .baseline_y_delta = 1})
#define STB_TEXTEDIT_GETWIDTH(s, start, i) 1.0f /* places are found by text_offset_at instead */
#define STB_TEXTEDIT_KEYTOTEXT(key)        ((key) >= 0x200000 ? -1 : (key))
#define STB_TEXTEDIT_GETCHAR(s, i)         ((s)->chars[i])
#define STB_TEXTEDIT_NEWLINE               '\n'
#define STB_TEXTEDIT_DELETECHARS           edit_delete
#define STB_TEXTEDIT_INSERTCHARS           edit_insert
#define STB_TEXTEDIT_MOVEWORDLEFT          word_left
#define STB_TEXTEDIT_MOVEWORDRIGHT         word_right
#define STB_TEXTEDIT_K_SHIFT               0x400000
#define STB_TEXTEDIT_K_LEFT                0x200001
#define STB_TEXTEDIT_K_RIGHT               0x200002
#define STB_TEXTEDIT_K_UP                  0x200003
#define STB_TEXTEDIT_K_DOWN                0x200004
#define STB_TEXTEDIT_K_PGUP                0x200005
#define STB_TEXTEDIT_K_PGDOWN              0x200006
#define STB_TEXTEDIT_K_LINESTART           0x200007
#define STB_TEXTEDIT_K_LINEEND             0x200008
#define STB_TEXTEDIT_K_TEXTSTART           0x200009
#define STB_TEXTEDIT_K_TEXTEND             0x20000A
#define STB_TEXTEDIT_K_DELETE              0x20000B
#define STB_TEXTEDIT_K_BACKSPACE           0x20000C
#define STB_TEXTEDIT_K_UNDO                0x20000D
#define STB_TEXTEDIT_K_REDO                0x20000E
#define STB_TEXTEDIT_K_WORDLEFT            0x20000F
#define STB_TEXTEDIT_K_WORDRIGHT           0x200010
#define STB_TEXTEDIT_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_textedit.h>
#pragma GCC diagnostic pop

static STB_TexteditState *state_of(UiTextEdit *edit)
{
    return edit->state;
}

static int selection_low(const STB_TexteditState *s)
{
    return AS_MIN(s->select_start, s->select_end);
}

static int selection_high(const STB_TexteditState *s)
{
    return AS_MAX(s->select_start, s->select_end);
}

/* Code points [a, b) as UTF-8 in `arena`; with `signs`, as they are shown on one line. */
static const char *slice(Arena *arena, const UiTextEdit *edit, int a, int b, bool signs)
{
    char *out = arena_alloc(arena, (size_t)(b - a) * 4 + 1, NULL);
    if (!out) {
        return "";
    }
    size_t n = 0;
    for (int i = a; i < b; i++) {
        uint32_t c = edit->chars[i];
        if (signs) {
            c = c == '\n' ? 0x23CE : c == '\t' ? ' ' : c < ' ' ? 0xFFFD : c;
        }
        n += utf8_encode(c, out + n);
    }
    out[n] = 0;
    return out;
}

void text_edit_free(UiTextEdit **edit)
{
    if (!*edit) {
        return;
    }
    mem_free((*edit)->chars);
    mem_free((*edit)->utf8);
    mem_free((*edit)->state);
    mem_free(*edit);
    *edit = NULL;
}

void text_field_begin(Ui *ui, UiId id, const char *text)
{
    if (!ui->edit) {
        ui->edit = mem_alloc_zeroed(1, sizeof *ui->edit, NULL);
        if (!ui->edit) {
            return;
        }
        ui->edit->state = mem_alloc_zeroed(1, sizeof(STB_TexteditState), NULL);
        if (!ui->edit->state) {
            text_edit_free(&ui->edit);
            return;
        }
    }
    UiTextEdit *edit = ui->edit;
    edit->n = 0;
    edit->first = 0;
    size_t left = strlen(text);
    while (left && edit->n < EDIT_MAX) {
        uint32_t c;
        size_t used = utf8_decode(text, left, &c);
        if (!edit_insert(edit, edit->n, &c, 1)) {
            break;
        }
        text += used;
        left -= used;
    }
    edit->id = id;
    stb_textedit_initialize_state(state_of(edit), 1);
    state_of(edit)->select_start = 0;
    state_of(edit)->select_end = edit->n;
    state_of(edit)->cursor = edit->n;
    ui->focus = id;
    ui->focus_shown = false;
    ui->focus_used = true;
}

bool text_field_is_edited(const Ui *ui, UiId id)
{
    return ui->edit && ui->edit->id == id && ui->focus == id;
}

const char *text_field_text(const Ui *ui)
{
    return ui->edit && ui->edit->utf8 ? ui->edit->utf8 : "";
}

static void paste(Ui *ui, UiTextEdit *edit)
{
    const char *text = ui->clipboard.get ? ui->clipboard.get(ui->clipboard.payload) : NULL;
    if (!text) {
        return;
    }
    size_t left = strlen(text);
    uint32_t *chars = ARENA_ARRAY(&ui->list->arena, uint32_t, left ? left : 1, NULL);
    int n = 0;
    while (chars && left) {
        size_t used = utf8_decode(text, left, &chars[n]);
        text += used;
        left -= used;
        if (chars[n] != '\r') {
            n++;
        }
    }
    if (n) {
        stb_textedit_paste(edit, state_of(edit), chars, n);
    }
}

static void copy(Ui *ui, UiTextEdit *edit, bool cut)
{
    STB_TexteditState *s = state_of(edit);
    if (s->select_start == s->select_end || !ui->clipboard.set) {
        return;
    }
    ui->clipboard.set(ui->clipboard.payload,
                      slice(&ui->list->arena, edit, selection_low(s), selection_high(s), false));
    if (cut) {
        stb_textedit_cut(edit, s);
    }
}

static int edit_key(uint32_t key, uint32_t mods)
{
    bool word = mods & KEY_MOD_CTRL;
    switch (key) {
    case KEY_LEFT:
        return word ? STB_TEXTEDIT_K_WORDLEFT : STB_TEXTEDIT_K_LEFT;
    case KEY_RIGHT:
        return word ? STB_TEXTEDIT_K_WORDRIGHT : STB_TEXTEDIT_K_RIGHT;
    case KEY_HOME:
        return STB_TEXTEDIT_K_TEXTSTART;
    case KEY_END:
        return STB_TEXTEDIT_K_TEXTEND;
    case KEY_DELETE:
        return STB_TEXTEDIT_K_DELETE;
    case KEY_BACKSPACE:
        return STB_TEXTEDIT_K_BACKSPACE;
    default:
        return 0;
    }
}

static void control_key(Ui *ui, UiTextEdit *edit, uint32_t key, uint32_t mods)
{
    STB_TexteditState *s = state_of(edit);
    switch (key) {
    case 'a':
        s->select_start = 0;
        s->select_end = s->cursor = edit->n;
        break;
    case 'c':
        copy(ui, edit, false);
        break;
    case 'x':
        copy(ui, edit, true);
        break;
    case 'v':
        paste(ui, edit);
        break;
    case 'z':
        stb_textedit_key(edit, s, mods & KEY_MOD_SHIFT ? STB_TEXTEDIT_K_REDO : STB_TEXTEDIT_K_UNDO);
        break;
    case 'y':
        stb_textedit_key(edit, s, STB_TEXTEDIT_K_REDO);
        break;
    default:
        break;
    }
}

/* While a text is edited the keyboard is its own, but for Tab. */
static TextFieldResult edit_keys(Ui *ui, UiTextEdit *edit)
{
    TextFieldResult result = TEXT_FIELD_EDITING;
    int kept = 0;
    for (int i = 0; i < ui->n_keys; i++) {
        UiKeyPress k = ui->keys[i];
        int stb = edit_key(k.key, k.mods);
        if (k.is_text) {
            if (k.key >= ' ' && k.key != 127) {
                stb_textedit_key(edit, state_of(edit), (int)k.key);
            }
        } else if (k.key == KEY_ESC) {
            result = TEXT_FIELD_CANCEL;
        } else if (k.key == KEY_ENTER && k.mods & KEY_MOD_SHIFT) {
            stb_textedit_key(edit, state_of(edit), '\n');
        } else if (k.key == KEY_ENTER) {
            result = TEXT_FIELD_SUBMIT;
        } else if (stb) {
            if ((k.key == KEY_BACKSPACE || k.key == KEY_DELETE) && k.mods & KEY_MOD_CTRL &&
                state_of(edit)->select_start == state_of(edit)->select_end) {
                int word =
                    k.key == KEY_BACKSPACE ? STB_TEXTEDIT_K_WORDLEFT : STB_TEXTEDIT_K_WORDRIGHT;
                stb_textedit_key(edit, state_of(edit), word | STB_TEXTEDIT_K_SHIFT);
            }
            stb_textedit_key(edit, state_of(edit),
                             stb | (k.mods & KEY_MOD_SHIFT ? STB_TEXTEDIT_K_SHIFT : 0));
        } else if (k.mods & KEY_MOD_CTRL) {
            control_key(ui, edit, k.key, k.mods);
        } else if (k.key == KEY_TAB || (k.key >= KEY_F1 && k.key <= KEY_F12)) {
            ui->keys[kept++] = k;
        }
    }
    ui->n_keys = kept;
    return result;
}

static float width_between(Ui *ui, const UiTextEdit *edit, int a, int b)
{
    return text_width(ui->fonts, FONT_SANS, 12, slice(&ui->list->arena, edit, a, b, true),
                      TEXT_ALL);
}

/* How many code points from `first` fit. Steps by blocks: a line may be long. */
static int fit_from(Ui *ui, const UiTextEdit *edit, int first, float width)
{
    int end = first;
    while (end < edit->n && width_between(ui, edit, first, end) <= width) {
        end = AS_MIN(end + 16, edit->n);
    }
    while (end > first && width_between(ui, edit, first, end) > width) {
        end--;
    }
    return end;
}

static void keep_cursor_visible(Ui *ui, UiTextEdit *edit, float width)
{
    int cursor = state_of(edit)->cursor;
    if (cursor < edit->first) {
        edit->first = AS_MAX(0, cursor - 8);
    }
    edit->first = AS_MIN(edit->first, edit->n);
    while (edit->first < cursor && width_between(ui, edit, edit->first, cursor) > width) {
        edit->first += AS_MAX(1, (cursor - edit->first) / 16);
    }
    /* After deletions: no room is left free at the end while text is hidden at the start. */
    while (edit->first > 0 && width_between(ui, edit, edit->first - 1, edit->n) <= width) {
        edit->first--;
    }
}

static int index_at(Ui *ui, const UiTextEdit *edit, int end, float x)
{
    const char *shown = slice(&ui->list->arena, edit, edit->first, end, true);
    size_t n = strlen(shown);
    size_t offset = text_offset_at(ui->fonts, FONT_SANS, 12, shown, n, x);
    int index = edit->first;
    for (size_t at = 0; at < offset && index < end; index++) {
        uint32_t c;
        at += utf8_decode(shown + at, n - at, &c);
    }
    return index;
}

static void edit_mouse(Ui *ui, UiTextEdit *edit, Rect area, int end, bool held)
{
    STB_TexteditState *s = state_of(edit);
    if (!held) {
        edit->dragging = false;
        return;
    }
    int at = index_at(ui, edit, end, ui->mouse.x - area.x);
    if (ui->pressed[0]) {
        s->cursor = at;
        s->select_start = s->select_end = at;
        edit->dragging = true;
        if (ui->clicks == 2) {
            s->select_start = at < edit->n ? word_left(edit, at + 1) : word_left(edit, at);
            s->select_end = s->cursor = word_right(edit, s->select_start);
            edit->dragging = false;
        } else if (ui->clicks >= 3) {
            s->select_start = 0;
            s->select_end = s->cursor = edit->n;
            edit->dragging = false;
        }
    } else if (edit->dragging) {
        s->select_end = s->cursor = at;
    }
}

static void draw_edit(Ui *ui, UiTextEdit *edit, Rect area, int end)
{
    const Theme *t = &ui->theme;
    const STB_TexteditState *s = state_of(edit);
    draw_push_clip(ui->list, rect(area.x - 2, area.y, area.w + 4, area.h));
    int low = AS_CLAMP(selection_low(s), edit->first, end);
    int high = AS_CLAMP(selection_high(s), edit->first, end);
    if (low < high) {
        float x0 = area.x + width_between(ui, edit, edit->first, low);
        float x1 = area.x + width_between(ui, edit, edit->first, high);
        draw_rect(ui->list, &(DrawRect){.box = {x0, area.y + 6, x1 - x0, area.h - 12},
                                        .radius = 3,
                                        .fill = color_with_alpha(t->accent, 0.35f)});
    }
    const char *shown = slice(&ui->list->arena, edit, edit->first, end, true);
    draw_text(ui->list, &(DrawText){.face = FONT_SANS,
                                    .size = 12,
                                    .color = t->text,
                                    .text = shown,
                                    .at = {area.x, text_center_baseline(ui->fonts, FONT_SANS, 12,
                                                                        area.y + area.h / 2)}});
    float x = area.x + width_between(ui, edit, edit->first, AS_CLAMP(s->cursor, edit->first, end));
    draw_rect(ui->list, &(DrawRect){.box = {ui_snap(ui, x), area.y + 7, 1.5f, area.h - 14},
                                    .fill = t->accent});
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

static bool submit(UiTextEdit *edit)
{
    Arena arena = {0};
    const char *text = slice(&arena, edit, 0, edit->n, false);
    size_t n = strlen(text) + 1;
    char *copy_of = mem_alloc(n, NULL);
    if (copy_of) {
        memcpy(copy_of, text, n);
        mem_free(edit->utf8);
        edit->utf8 = copy_of;
    }
    arena_destroy(&arena);
    return copy_of;
}

/* Icon and caption; what is left is for the text. */
static Rect draw_front(Ui *ui, Rect box, const TextField *field)
{
    Rect area = {box.x + 12, box.y, box.w - 24, box.h};
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
    /* Keys first: a focused widget's Enter would count as a click otherwise. */
    TextFieldResult result = was_edited ? edit_keys(ui, ui->edit) : TEXT_FIELD_IDLE;
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
    ui_field_box(ui, box, edited ? 1 : ui_ease(ui, id, hot, EASE_HOVER_S));
    if (edited) {
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
    stb_textedit_clamp(ui->edit, state_of(ui->edit));
    keep_cursor_visible(ui, ui->edit, area.w);
    int end = fit_from(ui, ui->edit, ui->edit->first, area.w);
    edit_mouse(ui, ui->edit, area, end, held);
    draw_edit(ui, ui->edit, area, end);
    if (result == TEXT_FIELD_SUBMIT && !submit(ui->edit)) {
        result = TEXT_FIELD_EDITING;
    }
    if (result == TEXT_FIELD_SUBMIT || result == TEXT_FIELD_CANCEL) {
        ui->edit->id = 0;
        ui->focus = 0;
        ui->moves = true;
    }
    return result;
}
