#pragma once
/*
 * The view Architecture: the loaded model as a diagram with its real shapes. From left to right the
 * whole network, one layer, and attention from the inside; every block leads to where it is shown.
 * Its steps are those of the nine-step course, and light up the way of the data.
 */
#include "model/describe.h"
#include "ui/widgets.h"
#include "views/views.h"

enum { ARCHITECTURE_STEPS = 9 };

/** One frame. */
typedef struct ArchitectureScene {
    ViewContext *c;
    const Model *model;
    const ModelHalf *halves;
    int n;      /* of halves */
    int chosen; /* the half whose layers are looked at */
    int step;
    double time; /* 0..1 of the step */
    bool resting;
} ArchitectureScene;

/** A block of the diagram. Zero means none of it. */
typedef struct ArchitectureBlock {
    const char *id; /* of the widget; unique on the screen */
    const char *title, *detail;
    const char *formula; /* in place of the title, as ui/formula.h sets it */
    uint64_t n_params;
    Color color;
    int step;            /* of the course it belongs to, from 1; 0 = none */
    const char *command; /* posted on a click; NULL = not clickable */
    const char *tip;
    bool small; /* one line */
} ArchitectureBlock;

void architecture_draw(ViewContext *c, Rect stage);
void architecture_timeline(Views *views, const Session *session, Timeline *timeline);
const char *architecture_step_name(ViewContext *c, int32_t step);

/* Parts, each in its card. */
void architecture_network(const ArchitectureScene *s, Rect box);
void architecture_layer(const ArchitectureScene *s, Rect box);
void architecture_attention(const ArchitectureScene *s, Rect box);

/* Shared. */
void architecture_block(const ArchitectureScene *s, Rect box, const ArchitectureBlock *block);
/** A line with an arrow's head at its end; lit where the course stands, with a dot on its way. */
void architecture_arrow(const ArchitectureScene *s, Vec2 from, Vec2 to, int step);
/** A circle with a plus: two streams are added. */
void architecture_plus(const ArchitectureScene *s, Vec2 at);
/** "576 × 1536 + bias". */
const char *architecture_shape(Ui *ui, const ModelBlock *b);
/** "7.9 M", "134 k", "512". */
const char *architecture_count(Ui *ui, uint64_t n);
