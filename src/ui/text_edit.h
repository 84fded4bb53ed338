#pragma once
/*
 * The text that is being edited: what the field of one line and the area of many share. For these
 * two widgets only. One code point per item, as stb_textedit, which does the editing, wants it.
 */
#include "ui/ui.h"

/** Code points [start, end) that stand in one line. */
typedef struct UiTextRow {
    int start, end;
} UiTextRow;

struct UiTextEdit {
    UiId id; /* of the widget; 0 = none */
    uint32_t *chars;
    int n;
    size_t capacity;
    uint64_t version; /* counts changes of the text */
    int first;        /* field: leftmost code point shown */
    float size;       /* px of the text */
    bool dragging;

    /* area: lines as they are broken for `rows_width`, of the text as of `rows_version` */
    ARRAY_OF(UiTextRow) rows;
    uint64_t rows_version;
    float rows_width;
    float scroll;      /* px above the first line shown */
    float wanted_x;    /* where the cursor would be in a longer line; below 0 = where it is */
    int cursor_before; /* when the area last looked: it scrolls when the cursor moves */

    char *utf8;  /* result of the last submit, owned */
    void *state; /* STB_TexteditState, owned; its type lives in text_edit.c alone */
};

typedef enum TextEditEvent { TEXT_EDIT_NOTHING, TEXT_EDIT_SUBMIT, TEXT_EDIT_CANCEL } TextEditEvent;

/** A key that goes by lines (up, down, home …). False: it is none. */
typedef bool (*TextEditLineKey)(Ui *ui, UiTextEdit *edit, UiKeyPress key);

/** Takes the keys of this pass: while a text is edited the keyboard is its own, but for Tab,
 *  function keys and Ctrl with what editing does not use. Without `line_key` there is one line:
 *  Enter submits, Shift+Enter breaks it; with it Enter breaks and Ctrl+Enter submits. */
TextEditEvent text_edit_keys(Ui *ui, UiTextEdit *edit, TextEditLineKey line_key);
/** Is there an edit for this widget, with the focus on it? */
bool text_edit_is_for(const Ui *ui, UiId id);
/** Keeps the text as UTF-8 in edit->utf8. False: no memory. */
bool text_edit_keep(UiTextEdit *edit);
/** Ends it; the focus goes. */
void text_edit_end(Ui *ui);

/** Code points [a, b) as UTF-8 in `arena`; with `signs`, as they are shown on one line. */
const char *text_edit_slice(Arena *arena, const UiTextEdit *edit, int a, int b, bool signs);
int text_edit_cursor(const UiTextEdit *edit);
void text_edit_selection(const UiTextEdit *edit, int *low, int *high);
/** Puts the cursor there; `extend` keeps the other end of the selection. */
void text_edit_move(UiTextEdit *edit, int at, bool extend);
/** A press (1, 2 = word, 3 = line or all) or a drag at code point `at`; all = [start, end). */
void text_edit_press(const Ui *ui, UiTextEdit *edit, int at, int start, int end);
/** Keeps cursor and selection inside the text. */
void text_edit_clamp(UiTextEdit *edit);

/** Where one cluster to the left (-1) or right (+1) of the cursor leads, as the text is seen;
 * `seen` false: as it is written. has_lines: it is an area. */
int text_edit_step(Ui *ui, const UiTextEdit *edit, bool has_lines, int direction, bool seen);
/** Left or Right without Ctrl: one cluster along the line; a selection is left on that side. */
void text_edit_arrow(Ui *ui, UiTextEdit *edit, UiKeyPress key, bool has_lines);

/** Draws code points [a, b) with selection and cursor on a line of height h; x is where a stands.
 */
void text_edit_draw(Ui *ui, const UiTextEdit *edit, int a, int b, Rect line, bool with_cursor);
/** The code point of [a, b) whose place is nearest to x px from the line's start. */
int text_edit_index_at(Ui *ui, const UiTextEdit *edit, int a, int b, float x);
/** Where code point `at` of [a, b) stands, px from the line's start. */
float text_edit_x_of(Ui *ui, const UiTextEdit *edit, int a, int b, int at);
