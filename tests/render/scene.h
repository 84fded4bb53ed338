#pragma once
/*
 * A picture with everything a display list can hold: a card in the dark theme with a title, chips,
 * a slider, a legend, cells, hatching, curves and text in several scripts. For render and export
 * tests, and to look at (render_scene).
 */
#include "draw/draw_list.h"

enum { SCENE_W = 960, SCENE_H = 720, SCENE_CELLS = 256 };

typedef struct Scene {
    float weights[SCENE_CELLS * SCENE_CELLS]; /* causal, rows sum to 1 */
    unsigned char image[8 * 8 * 4];
} Scene;

void scene_init(Scene *scene);
/** Fills the list (between draw_begin and draw_end). */
void scene_draw(const Scene *scene, DrawList *list);
