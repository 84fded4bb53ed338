#pragma once
/*
 * Heads: every head of every layer as a small picture with what it does on this text, to sort and
 * to filter; the one under the pointer enlarged; the best example of each pattern.
 */
#include "session/survey.h"
#include "views/head_grid.h"

enum { HEADS_CHOSEN_MOST = 12 };

typedef struct HeadsView {
    HeadGrid grid;
    float tile_px;                   /* side of a small picture in the last frame, device px */
    HeadPicture hovered, pinned;     /* the enlarged ones */
    HeadPicture best[PATTERN_COUNT]; /* the best example of each */
    HeadPicture chosen[HEADS_CHOSEN_MOST];
} HeadsView;

void heads_draw(ViewContext *c, Rect stage);
void heads_inspect(ViewContext *c, Rect box);
void heads_free(HeadsView *view);

/** Where everything stands, logical px; what has no room is empty. */
typedef struct HeadsLayout {
    Rect title, score, sort, filters, grid, best;
} HeadsLayout;

typedef struct HeadsScene {
    ViewContext *c;
    HeadsView *view;
    const HeadsOptions *options;
    const Survey *survey; /* may be NULL */
    HeadsLayout layout;
    Scale scale;
} HeadsScene;

/* ---- parts (heads_parts.c, heads_card.c, heads_compare.c) ---- */
enum { FILTER_H = 28, FILTER_GAP = 6 };

/** Lines that the filters take in `width`. */
int heads_filter_lines(const HeadsScene *s, float width);
/** Returns where the last line ends. */
float heads_draw_filters(HeadsScene *s);
void heads_draw_best(HeadsScene *s);
/** The chosen heads side by side in the place of the examples; false: none is chosen. */
bool heads_draw_compare(HeadsScene *s);
/** A head in a small picture at the left of a card. */
typedef struct HeadsSmall {
    int32_t layer, head;
    uint64_t slot; /* of the texture; another one for each place */
    Color color;   /* of the frame */
} HeadsSmall;

/** Room for words beside it. */
typedef struct HeadsText {
    float x, y, w;
} HeadsText;

/** p NULL: an empty picture. */
HeadsText heads_draw_small(HeadsScene *s, Rect card, HeadPicture *p, const HeadsSmall *small);

/** What a card shows. */
typedef struct HeadsCard {
    int32_t layer, head;
    Rect tile;   /* its small picture; the card stands beside it */
    Rect avoid;  /* another card; empty = none */
    bool pinned; /* it stays: with buttons */
} HeadsCard;

/** Where a card stands beside its small picture; empty where it has no place. */
Rect heads_place_card(const HeadsCard *card, Rect stage);
void heads_draw_card(HeadsScene *s, const HeadsCard *card, Rect box);
/** Does a head that was scored pass filter and threshold? */
bool heads_match(const HeadsScene *s, const SurveyHead *head);
/** The score that the threshold is compared with: of the pattern that is filtered for, of the
 * label, or the largest of a head without one. */
float heads_score(int filter, const SurveyHead *head);
/** What is known of a head; NULL while it is not scored. */
const SurveyHead *heads_scored(const HeadsScene *s, int32_t layer, int32_t head);
/** 1 + Pattern of its label, or HEADS_MIXED. */
int heads_label(const SurveyHead *head);
const char *heads_label_name(int label);
Color heads_label_color(const Ui *ui, int label);
