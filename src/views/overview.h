#pragma once
/*
 * The Overview: what opens first. The text, the mean of all heads, the most striking ones with why,
 * what the model predicts, and every head as a small picture.
 */
#include "session/survey.h"
#include "ui/controls.h"
#include "views/head_grid.h"

typedef struct OverviewView {
    HeadGrid grid;
    int32_t chip_first; /* first token of the chips in view */
    int32_t seen_query;
    uint64_t seen_trace;
    UiScroll scroll; /* of the whole, in small windows */
    float wheel;     /* notches not used up yet */
} OverviewView;

void overview_draw(ViewContext *c, Rect stage);
void overview_free(OverviewView *view);

/** Where everything stands, logical px. */
typedef struct OverviewLayout {
    Rect chips, left, grid;
    Rect next; /* empty without has_next */
    Rect cards[SURVEY_CARDS];
    float height; /* of all of it; more than the stage's where it scrolls */
    float pad;    /* inside the cards */
} OverviewLayout;

/** has_next: the model predicts something. */
OverviewLayout overview_layout(Rect stage, bool has_next);

/** What the parts draw from. */
typedef struct OverviewScene {
    ViewContext *c;
    OverviewView *view;
    const Survey *survey; /* may be NULL */
    OverviewLayout layout;
    Scale scale; /* the small pictures' */
} OverviewScene;

/* ---- parts ---- */
void overview_draw_chips(OverviewScene *s);
void overview_draw_left(OverviewScene *s);
void overview_draw_card(const OverviewScene *s, int index);
void overview_draw_next(const OverviewScene *s);
void overview_draw_grid(OverviewScene *s);

/** Posts the commands that open a head in the Matrix view. */
void open_head(Session *session, int32_t layer, int32_t head);
/** Round badge with a number from 1. */
void overview_badge(Ui *ui, Vec2 center, float radius, int32_t head, int number);

/** The label of a predicted token; what cannot be seen is named (then *named). */
const char *overview_name_next(const SurveyNext *next, bool *named);
/** Chooses between the last prediction and all layers'; true = all layers'. */
bool overview_draw_lens_switch(const OverviewScene *scene, Rect card);
void overview_draw_lens(const OverviewScene *scene, Rect box);
