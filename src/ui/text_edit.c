#include "ui/text_edit.h"

#include "base/str.h"
#include "ui/text_field.h"

#include <string.h>

enum { EDIT_MAX = 1 << 22 }; /* code points */

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
    edit->version++;
    return 1;
}

static void edit_delete(UiTextEdit *edit, int at, int n)
{
    memmove(edit->chars + at, edit->chars + at + n,
            sizeof *edit->chars * (size_t)(edit->n - at - n));
    edit->n -= n;
    edit->version++;
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
#define STB_TEXTEDIT_UNDOCHARCOUNT  (1 << 16)
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

static STB_TexteditState *state_of(const UiTextEdit *edit)
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
const char *text_edit_slice(Arena *arena, const UiTextEdit *edit, int a, int b, bool signs)
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
    ARRAY_FREE(&(*edit)->rows);
    mem_free((*edit)->utf8);
    mem_free((*edit)->state);
    mem_free(*edit);
    *edit = NULL;
}

static UiTextEdit *make_edit(Ui *ui)
{
    if (!ui->edit) {
        ui->edit = mem_alloc_zeroed(1, sizeof *ui->edit, NULL);
    }
    if (ui->edit && !ui->edit->state) {
        ui->edit->state = mem_alloc_zeroed(1, sizeof(STB_TexteditState), NULL);
        if (!ui->edit->state) {
            text_edit_free(&ui->edit);
        }
    }
    return ui->edit;
}

void text_field_begin(Ui *ui, UiId id, const char *text)
{
    UiTextEdit *edit = make_edit(ui);
    if (!edit) {
        return;
    }
    edit->n = 0;
    edit->first = 0;
    edit->scroll = 0;
    edit->wanted_x = -1;
    edit->size = 12;
    edit->version++;
    size_t left = strlen(text);
    while (left && edit->n < EDIT_MAX) {
        uint32_t c;
        size_t used = utf8_decode(text, left, &c);
        if (c != '\r' && !edit_insert(edit, edit->n, &c, 1)) {
            break;
        }
        text += used;
        left -= used;
    }
    edit->id = id;
    stb_textedit_initialize_state(state_of(edit), 0);
    state_of(edit)->select_start = 0;
    state_of(edit)->select_end = edit->n;
    state_of(edit)->cursor = edit->n;
    edit->cursor_before = edit->n;
    ui->focus = id;
    ui->focus_shown = false;
    ui->focus_used = true;
}

void text_field_continue(Ui *ui, UiId id, const char *text)
{
    text_field_begin(ui, id, text);
    if (ui->edit) {
        text_edit_move(ui->edit, ui->edit->n, false);
    }
}

bool text_edit_is_for(const Ui *ui, UiId id)
{
    return ui->edit && ui->edit->id == id && ui->focus == id;
}

bool text_edit_keep(UiTextEdit *edit)
{
    Arena arena = {0};
    const char *text = text_edit_slice(&arena, edit, 0, edit->n, false);
    char *copy_of = mem_strdup(text, NULL);
    if (copy_of) {
        mem_free(edit->utf8);
        edit->utf8 = copy_of;
    }
    arena_destroy(&arena);
    return copy_of;
}

void text_edit_end(Ui *ui)
{
    ui->edit->id = 0;
    ui->focus = 0;
    ui->moves = true;
}

int text_edit_cursor(const UiTextEdit *edit)
{
    return state_of(edit)->cursor;
}

void text_edit_selection(const UiTextEdit *edit, int *low, int *high)
{
    *low = selection_low(state_of(edit));
    *high = selection_high(state_of(edit));
}

void text_edit_move(UiTextEdit *edit, int at, bool extend)
{
    STB_TexteditState *s = state_of(edit);
    if (!extend) {
        s->select_start = at;
    } else if (s->select_start == s->select_end) {
        s->select_start = s->cursor;
    }
    s->select_end = s->cursor = at;
}

void text_edit_press(const Ui *ui, UiTextEdit *edit, int at, int start, int end)
{
    STB_TexteditState *s = state_of(edit);
    if (!ui->pressed[0]) {
        if (edit->dragging) {
            s->select_end = s->cursor = at;
        }
        return;
    }
    edit->dragging = ui->clicks == 1;
    if (ui->clicks >= 3) {
        s->select_start = start;
        s->select_end = s->cursor = end;
    } else if (ui->clicks == 2) {
        s->select_start = at < edit->n ? word_left(edit, at + 1) : word_left(edit, at);
        s->select_end = s->cursor = word_right(edit, s->select_start);
    } else {
        text_edit_move(edit, at, ui->mods & KEY_MOD_SHIFT);
    }
}

void text_edit_clamp(UiTextEdit *edit)
{
    stb_textedit_clamp(edit, state_of(edit));
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
    ui->clipboard.set(
        ui->clipboard.payload,
        text_edit_slice(&ui->list->arena, edit, selection_low(s), selection_high(s), false));
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

static bool control_key(Ui *ui, UiTextEdit *edit, uint32_t key, uint32_t mods)
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
        return false;
    }
    return true;
}

/* With a selection Ctrl+Backspace takes that alone. */
static void delete_key(UiTextEdit *edit, UiKeyPress k, int stb)
{
    STB_TexteditState *s = state_of(edit);
    if (k.mods & KEY_MOD_CTRL && s->select_start == s->select_end) {
        int word = k.key == KEY_BACKSPACE ? STB_TEXTEDIT_K_WORDLEFT : STB_TEXTEDIT_K_WORDRIGHT;
        stb_textedit_key(edit, s, word | STB_TEXTEDIT_K_SHIFT);
    }
    stb_textedit_key(edit, s, stb);
}

typedef enum KeyUse { KEY_USED, KEY_LEFT_ALONE, KEY_SUBMITS, KEY_CANCELS } KeyUse;

static KeyUse use_key(Ui *ui, UiTextEdit *edit, UiKeyPress k, TextEditLineKey line_key)
{
    STB_TexteditState *s = state_of(edit);
    if (!k.is_text && line_key && line_key(ui, edit, k)) {
        return KEY_USED;
    }
    edit->wanted_x = -1;
    if (k.is_text) {
        if (k.key >= ' ' && k.key != 127) {
            stb_textedit_key(edit, s, (int)k.key);
        }
        return KEY_USED;
    }
    if (k.key == KEY_ESC) {
        return KEY_CANCELS;
    }
    if (k.key == KEY_ENTER) {
        bool breaks = line_key ? !(k.mods & KEY_MOD_CTRL) : (k.mods & KEY_MOD_SHIFT) != 0;
        if (!breaks) {
            return KEY_SUBMITS;
        }
        stb_textedit_key(edit, s, '\n');
        return KEY_USED;
    }
    int stb = edit_key(k.key, k.mods);
    if (k.key == KEY_BACKSPACE || k.key == KEY_DELETE) {
        if (k.key == KEY_DELETE && s->select_start == s->select_end && !(k.mods & KEY_MOD_CTRL)) {
            /* A letter goes with its marks. */
            text_edit_move(edit, text_edit_step(ui, edit, line_key != NULL, 1, false), true);
        }
        delete_key(edit, k, stb);
        return KEY_USED;
    }
    if ((k.key == KEY_LEFT || k.key == KEY_RIGHT) && !(k.mods & KEY_MOD_CTRL)) {
        text_edit_arrow(ui, edit, k, line_key != NULL);
        return KEY_USED;
    }
    if (stb) {
        stb_textedit_key(edit, s, stb | (k.mods & KEY_MOD_SHIFT ? STB_TEXTEDIT_K_SHIFT : 0));
        return KEY_USED;
    }
    if (k.mods & KEY_MOD_CTRL && k.key < KEY_NAMED_FIRST) {
        /* What is no key of editing may be one of the window: Ctrl+K, Ctrl+Plus. */
        return control_key(ui, edit, k.key, k.mods) ? KEY_USED : KEY_LEFT_ALONE;
    }
    bool passes = k.key == KEY_TAB || (k.key >= KEY_F1 && k.key <= KEY_F12);
    return passes ? KEY_LEFT_ALONE : KEY_USED;
}

TextEditEvent text_edit_keys(Ui *ui, UiTextEdit *edit, TextEditLineKey line_key)
{
    TextEditEvent event = TEXT_EDIT_NOTHING;
    int kept = 0;
    for (int i = 0; i < ui->n_keys; i++) {
        KeyUse use = use_key(ui, edit, ui->keys[i], line_key);
        if (use == KEY_LEFT_ALONE) {
            ui->keys[kept++] = ui->keys[i];
        } else if (use == KEY_SUBMITS) {
            event = TEXT_EDIT_SUBMIT;
        } else if (use == KEY_CANCELS) {
            event = TEXT_EDIT_CANCEL;
        }
    }
    ui->n_keys = kept;
    return event;
}
