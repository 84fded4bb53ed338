#pragma once
/*
 * Immediate-mode interface on a display list. Each pass draws every widget and answers at once
 * whether the person used it; nothing is kept but what the pointer and the keyboard are doing.
 *
 *   ui_feed(&ui, &event) …             what happened since the last pass
 *   ui_begin(&ui, &frame);
 *   if (ui_button(&ui, UI_ID("open"), box, …)) …
 *   ui_end(&ui);                        pop-ups and the tooltip, above everything
 *
 * All lengths are logical pixels; the painter scales. Main thread only.
 */
#include "draw/draw_list.h"
#include "draw/easing.h"
#include "registry/keys.h"
#include "ui/theme.h"

/* ---- input ---- */

typedef enum UiEventKind {
    UI_EVENT_MOVE,  /* at */
    UI_EVENT_LEAVE, /* the pointer left the window */
    UI_EVENT_DOWN,  /* button, at, mods */
    UI_EVENT_UP,    /* button, at */
    UI_EVENT_WHEEL, /* wheel, at, mods */
    UI_EVENT_KEY,   /* key, mods; pressed or repeated: named keys, and letters with Ctrl or Alt */
    UI_EVENT_TEXT,  /* key: the code point typed */
} UiEventKind;

typedef struct UiEvent {
    UiEventKind kind;
    Vec2 at;
    int button;           /* 0 left, 1 right, 2 middle */
    float wheel, wheel_x; /* notches, up and right positive */
    uint32_t key;         /* NamedKey or code point (registry/keys.h) */
    uint32_t mods;        /* KEY_MOD_… bits */
    double time_s;
} UiEvent;

enum { UI_MAX_KEYS = 32, UI_BUTTONS = 3, UI_TWEENS = 64, UI_FOCUS_MAX = 512, UI_TOASTS = 4 };

typedef struct UiKeyPress {
    uint32_t key;
    uint32_t mods;
    bool is_text; /* typed: goes into a text field as it is */
} UiKeyPress;

/* ---- context ---- */

/** A widget's name: unique on the screen at one time. 0 = none. */
typedef uint64_t UiId;
#define UI_ID(text) ui_id((text), 0)
UiId ui_id(const char *text, int64_t index);

typedef struct UiClipboard {
    const char *(*get)(void *payload); /* NULL when empty; borrowed until the next call */
    void (*set)(void *payload, const char *text);
    void *payload;
} UiClipboard;

/** What a pass draws on. */
typedef struct UiFrame {
    DrawList *list;
    FontSet *fonts;
    ThemeId theme;
    float width, height; /* logical px */
    float scale;         /* device px per logical px */
    double now_s;
    bool still; /* no motion: every animation is at its end (pictures, reduced motion) */
} UiFrame;

typedef struct UiTween {
    UiId id;
    Tween tween;
    uint64_t pass; /* last used */
} UiTween;

typedef enum UiCursor { UI_CURSOR_ARROW, UI_CURSOR_HAND, UI_CURSOR_TEXT, UI_CURSOR_CROSS } UiCursor;

typedef struct UiPopup {
    UiId id;    /* of the drop-down it belongs to; 0 = none is open */
    Rect box;   /* where it was drawn, shields what is below */
    int hot;    /* place among those shown, under pointer or keys */
    int chosen; /* item picked in the last pass, -1 = none; taken by its drop-down */
    UiId chosen_for;
    int n_items;        /* this pass */
    const char **items; /* [n_items] in the frame's arena */
    int *shown;         /* [n_shown] items that match the search */
    int n_shown;
    int current;
    Rect anchor;
    float scroll;     /* px above the first row seen */
    char search[64];  /* typed while the list is open */
    bool hot_by_keys; /* it is scrolled into view */
    bool enter;       /* pressed in this pass */
} UiPopup;

/** A line that shows for some seconds (ui/controls.h). */
typedef struct UiToast {
    char text[200];
    int kind;
    double since_s, until_s; /* since_s 0 = free */
} UiToast;

typedef struct UiTextEdit UiTextEdit; /* ui/text_field.h */

/** Zero is ready. */
typedef struct Ui {
    /* this pass */
    DrawList *list;
    FontSet *fonts;
    Theme theme;
    float width, height, scale;
    double now_s;
    bool still;
    uint64_t pass;

    /* pointer */
    Vec2 mouse, press_at;
    bool mouse_inside;
    bool mouse_moved; /* since the last pass: a pointer that rests chooses nothing anew */
    bool down[UI_BUTTONS], pressed[UI_BUTTONS], released[UI_BUTTONS];
    int clicks; /* 1 single, 2 double, of the last press */
    double press_s;
    float wheel, wheel_x;
    uint32_t mods;

    /* keyboard; presses not taken by a widget are left for the window's key table */
    UiKeyPress keys[UI_MAX_KEYS];
    int n_keys;

    UiId active;      /* holds the pointer from press to release */
    UiId focus;       /* gets the keys */
    bool focus_shown; /* reached by keys: the ring is drawn */
    bool focus_used;  /* the widget with the focus was drawn in this pass */
    UiId focus_order[UI_FOCUS_MAX];
    int n_focus;
    Rect focus_box, focus_clip; /* where the ring is drawn */

    UiCursor cursor;
    bool moves;    /* something is in motion: draw again soon */
    double wake_s; /* draw again at this time; 0 = not needed */
    UiTween tweens[UI_TWEENS];

    UiId tip_id, tip_seen;
    double tip_since_s;
    Rect tip_box;
    char tip[256];

    Rect shield; /* widgets drawn now do not see the pointer in here; empty = none */
    UiPopup popup;
    UiToast toasts[UI_TOASTS];
    bool no_toasts; /* pictures: what comes and goes is left out */
    UiClipboard clipboard;
    UiTextEdit *edit; /* the text being edited, owned; ui_free */
} Ui;

/** Takes one event. False: it must wait for a pass (two presses cannot be seen in one); feed it
 *  again after ui_end. */
AS_MUST_CHECK bool ui_feed(Ui *ui, const UiEvent *event);
void ui_begin(Ui *ui, const UiFrame *frame);
/** Draws pop-up and tooltip, forgets the pass's input. */
void ui_end(Ui *ui);
void ui_free(Ui *ui);

/* ---- for widgets ---- */

/** Is the pointer over the box, inside the clip, and not over a pop-up? */
bool ui_hovers(const Ui *ui, Rect box);
/** The whole life of a click: press inside, release inside. Sets the focus where `focusable`.
 *  *hot and *held may be NULL. Enter and Space click what has the focus. */
bool ui_click(Ui *ui, UiId id, Rect box, bool focusable, bool *hot, bool *held);
/** Puts a widget into the Tab order; true when it has the focus. */
bool ui_focusable(Ui *ui, UiId id, Rect box);
/** Was this key pressed with exactly these modifiers? Takes it away. */
bool ui_take_key(Ui *ui, uint32_t key, uint32_t mods);
/** 0..1 on its way to `on`, eased. */
float ui_ease(Ui *ui, UiId id, bool on, double seconds);
/** A value on its way to `goal`. */
double ui_tween(Ui *ui, UiId id, double goal, double seconds);
/** Shows `text` when the pointer rests on the box. */
void ui_tooltip(Ui *ui, Rect box, const char *text);
/** Asks for another pass at now + seconds. */
void ui_wake_in(Ui *ui, double seconds);
/** To a whole device pixel. */
float ui_snap(const Ui *ui, float x);
