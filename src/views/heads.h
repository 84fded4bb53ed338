#pragma once
/*
 * Heads: every head of every layer as a small picture with what it does on this text, to sort and
 * to filter; the one under the pointer enlarged; the best example of each pattern.
 */
#include "session/survey.h"
#include "views/head_grid.h"

typedef enum HeadsSort {
    HEADS_BY_LAYER,
    HEADS_BY_PATTERN,
    HEADS_BY_ENTROPY,
    HEADS_BY_DISTANCE,
    HEADS_SORT_COUNT
} HeadsSort;

enum { HEADS_CHOSEN_MOST = 12 };
enum { HEADS_ALL = 0, HEADS_MIXED = PATTERN_COUNT + 1, HEADS_FILTER_COUNT = PATTERN_COUNT + 2 };

typedef struct HeadsView {
    HeadGrid grid;
    HeadsSort sort;
    int filter;                      /* HEADS_ALL, 1 + Pattern, HEADS_MIXED */
    HeadPicture hovered;             /* the enlarged one */
    HeadPicture best[PATTERN_COUNT]; /* the best example of each */
    HeadPicture chosen[HEADS_CHOSEN_MOST];
} HeadsView;

void heads_draw(ViewContext *c, Rect stage);
/** "sort layer|pattern|entropy|distance", "filter all|PATTERN|mixed". */
extern const ViewCommand heads_commands[];
bool heads_command(Views *views, Session *session, const char *name, const char *arguments);
void heads_free(HeadsView *view);

/** Where everything stands, logical px; what has no room is empty. */
typedef struct HeadsLayout {
    Rect title, sort, filters, grid, best;
} HeadsLayout;

typedef struct HeadsScene {
    ViewContext *c;
    HeadsView *view;
    const Survey *survey; /* may be NULL */
    HeadsLayout layout;
    Scale scale;
} HeadsScene;

/* ---- parts (heads_parts.c) ---- */
/** Returns where they end. */
float heads_draw_filters(HeadsScene *s);
void heads_draw_best(HeadsScene *s);
/** The chosen heads side by side in the place of the examples; false: none is chosen. */
bool heads_draw_compare(HeadsScene *s);
/** The enlarged head beside its small picture. */
void heads_draw_card(HeadsScene *s, Rect tile, Rect stage, int32_t layer, int32_t head);
/** What is known of a head; NULL while it is not scored. */
const SurveyHead *heads_scored(const HeadsScene *s, int32_t layer, int32_t head);
/** 1 + Pattern of its label, or HEADS_MIXED. */
int heads_label(const SurveyHead *head);
const char *heads_label_name(int label);
Color heads_label_color(const Ui *ui, int label);
