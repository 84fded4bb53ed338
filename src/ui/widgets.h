#pragma once
/*
 * The widgets of the mocks. Each draws itself in the box it is given and answers whether it was
 * used. Texts are measured and elided with the whole in a tooltip; nothing leaves its box.
 */
#include "ui/ui.h"

/* ---- text ---- */

typedef struct UiLabel {
    FontFace face;
    float size;  /* 0 = 12 */
    Color color; /* zero = text2 */
    DrawAlign align;
    float tracking;
} UiLabel;

/** One line centred vertically in box, elided to its width with a tooltip. Returns its width. */
float ui_label(Ui *ui, Rect box, const UiLabel *style, const char *text);
/** Lines of `line` px from the top of box, at most as many as fit (the last elided); the height. */
float ui_paragraph(Ui *ui, Rect box, const UiLabel *style, float line, const char *text);
/** Height ui_paragraph needs for the whole text at this width. */
float ui_paragraph_height(Ui *ui, float width, const UiLabel *style, float line, const char *text);
/** Small capitals of a section ("HOW THIS WEIGHT IS MADE"): upper-cased here. */
float ui_caps(Ui *ui, Rect box, const char *text);
float ui_text_width(Ui *ui, FontFace face, float size, const char *text);

/* ---- boxes ---- */

/** Card: 12 px radius, 1 px edge, one soft shadow. */
void ui_card(Ui *ui, Rect box);
/** A key of the keyboard, such as "Ctrl+K", in the middle of its cap. */
void ui_key_cap(Ui *ui, Rect box, const char *key);
/** What lies over the rest: raised, with a deep shadow. */
void ui_raised(Ui *ui, Rect box, float radius);
void ui_hairline_h(Ui *ui, float x, float y, float w);
void ui_hairline_v(Ui *ui, float x, float y, float h);
/** Raised field of the bars (32 px high, radius 8); hot 0..1. */
void ui_field_box(Ui *ui, Rect box, float hot);

/* ---- controls ---- */

/** 3 px bar and tinted box when active; icon, name and the key's digit. */
bool ui_rail_item(Ui *ui, UiId id, Rect box, Icon icon, const char *name, const char *key,
                  bool active);
bool ui_icon_button(Ui *ui, UiId id, Rect box, Icon icon, const char *tip);
typedef enum UiButtonKind { UI_BUTTON_PLAIN, UI_BUTTON_ACCENT } UiButtonKind;
bool ui_button(Ui *ui, UiId id, Rect box, const char *text, UiButtonKind kind);
/** Round play button. */
bool ui_play_button(Ui *ui, UiId id, Vec2 center, bool playing, const char *tip);
/** One Tab stop for a row of n choices: the arrow keys go along it. The new index, or current. */
int ui_arrow_choice(Ui *ui, UiId id, Rect box, int n, int current);
/** Returns the chosen index (current when unchanged). widths of segments follow their texts. */
int ui_segmented(Ui *ui, UiId id, Rect box, const char *const *items, int n, int current);
/** "Layer ‹ 17 / 29 ›": -1, 0 or +1. dot may be transparent. */
int ui_stepper(Ui *ui, UiId id, Rect box, const char *caption, int32_t value, int32_t last,
               Color dot, const char *tip_less, const char *tip_more);
float ui_stepper_width(Ui *ui, const char *caption, int32_t last, bool dot);

typedef struct UiSlider {
    float value; /* 0..1 along the track */
    float mark;  /* a tick at this place; below 0 = none */
    float step;  /* for the arrow keys; 0 = 0.02 */
    float snap;  /* values this near to the mark become it */
} UiSlider;
typedef struct UiSliderResult {
    float value;
    bool changed;  /* differs from what was given */
    bool released; /* the person let go or used a key: act on it */
    bool held;
} UiSliderResult;
UiSliderResult ui_slider(Ui *ui, UiId id, Rect box, const UiSlider *slider);

/** Caption and value in a field with a chevron; the new index, or current. What is typed while the
 *  list is open searches it. */
int ui_dropdown(Ui *ui, UiId id, Rect box, const char *caption, const char *value,
                const char *const *items, int n, int current);

/** Horizontal bar, 0..1 of the box. */
void ui_bar(Ui *ui, Rect box, float fraction, Color color);
/** fraction below 0: unknown, a part runs to and fro. */
void ui_progress(Ui *ui, Rect box, float fraction);

typedef struct UiChip {
    const char *text;
    Color color;
    bool chosen;   /* stronger fill, full edge, semibold */
    bool vertical; /* reads upwards */
    float size;    /* of the text; 0 = 12 */
} UiChip;
void ui_chip(Ui *ui, Rect box, const UiChip *chip);
/** Click folds or unfolds: title in small capitals, note at the right, chevron. True when clicked.
 */
bool ui_fold_header(Ui *ui, UiId id, Rect box, const char *title, const char *note, bool open);
/** Colour bar with ticks and their numbers below (height 12 + 20). */
void ui_legend(Ui *ui, Rect box, Colormap map, Scale scale);
/** "0.001", "10⁻⁴", "1": short text of a legend's tick. */
const char *ui_tick_text(Ui *ui, float value);
