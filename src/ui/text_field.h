#pragma once
/*
 * A line of text that can be edited: cursor, selection by mouse and keys, words, clipboard, undo.
 * Line breaks are allowed in it and shown as a sign.
 */
#include "ui/ui.h"

typedef enum TextFieldResult {
    TEXT_FIELD_IDLE,
    TEXT_FIELD_EDITING,
    TEXT_FIELD_SUBMIT, /* Enter: text_field_text has it until the next pass */
    TEXT_FIELD_CANCEL, /* Esc: the old text stands */
} TextFieldResult;

typedef struct TextField {
    const char *text;        /* shown while not edited, taken as the start of an edit; UTF-8 */
    const char *caption;     /* quiet, in front; NULL = none */
    const char *note;        /* mono, at the right end while not edited; NULL = none */
    const char *hint;        /* while editing: what Enter does */
    const char *placeholder; /* while it is empty; NULL = none */
    Icon icon;               /* in front of the text */
    bool has_icon;
    bool bare;      /* no box of its own: it stands in one */
    float right_px; /* kept free at its right end, for a button of the caller's */
    float size;     /* px of the text; 0 = 12 */
} TextField;

TextFieldResult ui_text_field(Ui *ui, UiId id, Rect box, const TextField *field);
/** The edited text after SUBMIT, UTF-8. Borrowed until the next edit. */
const char *text_field_text(const Ui *ui);
/** The text as it is right now while this field (or area) is edited, in the frame's arena; NULL
 *  while it is not. */
const char *text_field_live(const Ui *ui, UiId id);
/** Is this field being edited? */
bool text_field_is_edited(const Ui *ui, UiId id);
/** Starts editing from outside (a key that goes to the field), all selected. */
void text_field_begin(Ui *ui, UiId id, const char *text);
/** The same with nothing selected and the cursor at the end: to go on writing. */
void text_field_continue(Ui *ui, UiId id, const char *text);

typedef struct TextArea {
    const char *text; /* shown while not edited, taken as the start of an edit; UTF-8 */
    const char *hint; /* shown while it is empty; NULL = none */
} TextArea;

/** Text of many lines in a box, broken at words, scrolled by wheel and cursor. Enter breaks the
 *  line, Ctrl+Enter submits, Esc cancels. */
TextFieldResult ui_text_area(Ui *ui, UiId id, Rect box, const TextArea *area);

void text_edit_free(UiTextEdit **edit);
