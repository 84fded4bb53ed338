#pragma once
/*
 * What inspectors are made of: parts below each other, each with a header that folds it. A view
 * with an inspector of its own (`inspect` of its row in views.c) puts parts together.
 */
#include "views/views.h"

/** Heights that give way a little in a low window. */
typedef struct InspectorPitch {
    float header, row, formula;
} InspectorPitch;

/** One part. */
typedef struct InspectorPart {
    Fold fold;
    const char *name; /* of the command `fold` */
    const char *title;
    const char *note; /* at the header's right; NULL = none */
    float height;     /* of the body at this width */
    float (*draw)(ViewContext *c, Rect box, const void *payload); /* returns what it took */
} InspectorPart;

InspectorPitch inspector_pitch(const ViewContext *c);
/** Headers of all parts, at most FOLD_COUNT; bodies as far as there is room, the one that was
 *  opened last before the others. */
void inspector_parts(ViewContext *c, Rect box, const InspectorPart *parts, int n,
                     const void *payload);
/** A name, and a value at the right. */
void inspector_pair(Ui *ui, Rect box, const char *name, const char *value, Color color);
/** The three levels and a text at the one chosen; returns what it took. */
float inspector_words(ViewContext *c, Rect box, const char *words);
float inspector_words_height(ViewContext *c, float width, const char *words);
