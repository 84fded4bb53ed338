#pragma once
/*
 * What Mechanism and Steps share: cells with numbers, chips of tokens, small text with bold words,
 * arrows, hatching, and time cut into phases. Everything that moves is a function of the playback's
 * time; nothing here keeps anything.
 */
#include "session/lesson.h"
#include "views/internal.h"

/** A colour as a fill and as text on this theme's cards. */
typedef struct Role {
    Color fill, text;
} Role;

Role role_q(const Ui *ui);
Role role_k(const Ui *ui);
Role role_v(const Ui *ui);
Role role_score(const Ui *ui);
Role role_softmax(const Ui *ui);
Role role_output(const Ui *ui);
Role role_plain(const Ui *ui);
Role role_head(const Ui *ui, int32_t head);

/* ---- numbers ---- */

/** As shown in a cell: two places, fewer from 10 and from 100 on; never "-0.00". */
const char *teach_number(Ui *ui, float value);
/** The same with as many places as a width has room for; "" when not even the whole number fits. */
const char *teach_fit(Ui *ui, float value, float width);
/** With a fixed number of places. */
const char *teach_fixed(Ui *ui, double value, int places);
/** "576 × 64" */
const char *teach_shape(Ui *ui, int32_t rows, int32_t columns);
/** Largest |value| of an array; at least 1e-9. -INFINITY does not count. */
float teach_most(const float *values, size_t n);

/* ---- time ---- */

/** 0..1 of `now` between a and b seconds, eased out. */
float phase(double now, double a, double b);
/** The same for the i-th of a row of things that start `each` seconds apart and take `length`. */
float phase_of(double now, double start, int i, double each, double length);

/* ---- boxes ---- */

typedef struct ValueCell {
    Rect box;
    float value;
    float amount; /* 0..1: strength of the colour */
    Role role;
    float size;       /* of the number; 0 = 11 */
    bool empty;       /* no number: too small, or not there yet */
    const char *text; /* in place of the number */
    const char *tip;  /* shown while the pointer rests on it; NULL = the value to 6 places */
    bool strong;      /* ring */
} ValueCell;

/** A cell with its number. True while the pointer is over it. */
bool teach_cell(Ui *ui, const ValueCell *cell);
/** A masked cell: hatched, "not there". */
void teach_masked_cell(Ui *ui, Rect box, const char *tip);
/** Fill of a role at a strength 0..1; text that reads on it. */
Color role_fade(const Ui *ui, Role role, float amount);
Color role_on(const Ui *ui, Role role, float amount);

/** What the depth of a colour means. */
typedef struct TeachLegend {
    Role role;
    float lo, hi;
    bool root;      /* 0..1 through a square root, as weights are coloured */
    bool diverging; /* -hi..hi in the diverging map; role is not used */
} TeachLegend;

enum { TEACH_LEGEND_H = 25 };

/** A bar with its ticks below it, TEACH_LEGEND_H high. */
void teach_legend(Ui *ui, Rect box, const TeachLegend *legend);

/** Numbered or lettered badge. */
void teach_badge(Ui *ui, Rect box, Color color, const char *text);
/** A token's chip; click pins, hovering looks. is_key: a key's label. */
void teach_token(ViewContext *c, Rect box, int32_t token, bool is_key, bool chosen, float size);
/** Arrow from a to b along a curve, drawn to `part` of its length. */
void teach_arrow(Ui *ui, Vec2 a, Vec2 b, Color color, float width, float part);
/** Round disc with an arrow in it, between panels. */
void teach_disc(Ui *ui, Vec2 center, Icon icon, float alpha);
/** Inner box: radius 10, hairline. */
void teach_well(Ui *ui, Rect box, Color fill, Color edge, float border);

/* ---- text ---- */

typedef struct RichText {
    float size, line;    /* px */
    Color color, strong; /* zero = text2, text */
    float from;          /* reveal: not used below 0 */
} RichText;

/** Words with *bold* parts, wrapped to the box; draws when box.h > 0. Returns the height. What does
 *  not fit is cut at the last whole line with an ellipsis and shown whole in a tooltip. */
float teach_rich(Ui *ui, Rect box, const RichText *style, const char *text);

/** Says so where a stage is too small for the view; true when it is. */
bool teach_too_small(ViewContext *c, Rect stage);

/** Formula centred in a box, made smaller where it is too wide. */
void teach_formula(Ui *ui, Rect box, const Formula *style, const char *text);
/** Colours of \c1 q, \c2 k, \c3 v, \c4 score, \c5 softmax, \c6 output for a Formula. */
const Color *teach_colors(Ui *ui, int *n);

/** Dimensions from `first` that fit into `width` with cells of `pitch`, when there are `all`;
 *  *more = how many are not shown. Room for "+N" is kept when some are left. */
int32_t teach_dims(float width, float pitch, int32_t first, int32_t all, int32_t *more);
/** Wheel and click over vectors walk through their dimensions. */
void teach_scroll_dims(ViewContext *c, Rect box, int32_t shown, int32_t all);
/** "+59" behind a vector. */
void teach_more(Ui *ui, Rect box, int32_t more, int32_t first);

/** What the view is about, for as many tokens as it has room for. What was shown before stays while
 *  a job opens another layer. NULL: there is nothing to show yet, or a failure, and that was said
 * on the stage. */
const Lesson *teach_lesson(ViewContext *c, Rect stage, int32_t room);

/** Moves a passing selection (not pinned, no window chosen) of a long text to where the head reads
 *  within `room` tokens, when the tokens in front read almost only elsewhere. */
void teach_open_well(ViewContext *c, const Lesson *l, int32_t room);
