#pragma once
/*
 * Controls that hold other things or stand for a choice: toggles, tabs, scroll areas, split panes,
 * dialogs, toasts. As in widgets.h each draws itself in the box it is given and answers whether it
 * was used; every one can be reached by Tab and used by keys.
 */
#include "ui/widgets.h"

/** A switch with its label at the right; returns the new state. Enter and Space switch it. */
bool ui_toggle(Ui *ui, UiId id, Rect box, const char *label, bool on);
/** A small chip that is chosen or not; true when it was clicked. */
bool ui_chip_button(Ui *ui, UiId id, Rect box, const UiChip *chip);
/** Names with a line under the chosen one; the new index. One Tab stop, arrows go along. */
int ui_tabs(Ui *ui, UiId id, Rect box, const char *const *items, int n, int current);

/* ---- scroll area ---- */

/** Kept by the caller for as long as the area is there; zero is its top. */
typedef struct UiScroll {
    float offset;    /* px of content above the box; on its way to goal */
    float goal;      /* px */
    UiId focus_seen; /* the widget in it that had the focus last */
    float drag_from; /* offset when the bar was taken */
    /* of the pass */
    UiId id;
    Rect box;
    float content_h;
    bool focus_before;
} UiScroll;

/**
 * Clips to box and returns where content of content_h px is to be drawn (its y lies above the box
 * when scrolled). Scrolls by wheel, bar, arrows and Page keys, and to a widget that gets the focus.
 * Every begin has its end.
 */
Rect ui_scroll_begin(Ui *ui, UiId id, Rect box, float content_h, UiScroll *scroll);
void ui_scroll_end(Ui *ui, UiScroll *scroll);

/* ---- split pane ---- */

typedef struct UiSplit {
    bool stacked;   /* one above the other; else side by side */
    float fraction; /* of the first, 0..1 */
    float least_px; /* that each keeps; 0 = 80 */
} UiSplit;
typedef struct UiSplitResult {
    Rect first, second;
    float fraction; /* as dragged, or moved by arrow keys */
    bool changed, released;
} UiSplitResult;
/** Two boxes with a handle of 8 px between them. */
UiSplitResult ui_split(Ui *ui, UiId id, Rect box, const UiSplit *split);

/* ---- above everything ---- */

/**
 * A modal card of w x h in the middle of `area`, which is dimmed; returns what is inside below the
 * title. Draw it after everything else: Tab stays inside. *closed: Esc, the cross or a press beside
 * it. While it is open the caller sets ui->shield for what lies below.
 */
Rect ui_dialog(Ui *ui, UiId id, Rect area, float w, float h, const char *title, bool *closed);

typedef enum UiToastKind { UI_TOAST_INFO, UI_TOAST_OK, UI_TOAST_WARNING } UiToastKind;
/** A line that shows at the lower right for some seconds; a click puts it away. The same text again
 *  only lengthens it. */
void ui_toast(Ui *ui, UiToastKind kind, const char *text);
/** Called by ui_end. */
void ui_toasts_draw(Ui *ui);
