#pragma once
/*
 * Mechanism: how a few tokens read each other in one layer, from embeddings to the output of all
 * heads, on the numbers of the run. Three panels: A, input to q, k and v; B, scores, softmax, mix;
 * C, all heads, their output, and who reads whom.
 */
#include "views/teach.h"

/** When things begin, seconds of the layer's timeline. */
enum { MECHANISM_SECONDS = 9 };

typedef struct MechanismScene {
    ViewContext *c;
    const Lesson *l;
    double t; /* seconds */
    Rect a, b, c_panel;
    float gap;
} MechanismScene;

typedef struct MechanismLayout {
    Rect title, brackets, a, b, c, cards[3];
    float gap;
    bool has_cards;
    int32_t room; /* tokens that have room */
} MechanismLayout;

void mechanism_draw(ViewContext *c, Rect stage);
void mechanism_timeline(Views *views, const Session *session, Timeline *timeline);
MechanismLayout mechanism_layout(Rect stage, int32_t n_tokens);

void mechanism_panel_a(MechanismScene *s);
void mechanism_panel_b(MechanismScene *s);
void mechanism_panel_c(MechanismScene *s);
/** Who reads whom in the chosen head: panel C's card. Of a decoder that also reads a source, both
 * in one picture: its own words on the left, the source's on the right. */
void mechanism_graph(MechanismScene *s, Rect card);
void mechanism_cards(MechanismScene *s, const MechanismLayout *layout);

/** Panel's box, badge, title and note; returns what is inside. */
Rect mechanism_panel(MechanismScene *s, Rect box, Color tint, Role role, const char *letter,
                     const char *title, const char *note);
