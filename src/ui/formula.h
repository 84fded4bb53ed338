#pragma once
/*
 * Formulas set as formulas: fractions, roots, sub- and superscripts, brackets that grow.
 *
 *   w_{ij} = \up{exp} \paren{ \frac{\c1{q_i} · \c2{k_j}}{\sqrt{d_k}} − \up{LSE}_i }
 *
 * Letters are italic, digits and signs upright; \up{…} sets words upright; \num{…} sets numbers
 * that were put in, in the face of numbers; \sum{…} is a sum over what stands below it; \c1{…} to
 * \c9{…} take a colour given by the caller; \mark{…} draws a box around what is meant. Spaces count
 * as a small space. Source of the measures: Knuth, The TeXbook, appendix G, simplified.
 */
#include "ui/ui.h"

typedef struct Formula {
    float size;          /* px; 0 = 18 */
    Color color;         /* zero = text */
    const Color *colors; /* [n_colors], of \c1 … */
    int n_colors;
} Formula;

/** Draws it with the baseline's left end at `at`; returns the width. */
float ui_formula(Ui *ui, Vec2 at, const Formula *style, const char *text);
/** Size of it without drawing: width, height above and depth below the baseline. */
void ui_formula_measure(Ui *ui, const Formula *style, const char *text, float *width, float *height,
                        float *depth);
/** The size at which it is at most `width` wide: style's own, or less, down to `least`. */
float ui_formula_fit(Ui *ui, const Formula *style, const char *text, float width, float least);
/** The same formula as LaTeX, without colours. In the arena; NULL on ERR_MEMORY. */
AS_MUST_CHECK const char *formula_latex(const char *text, Arena *arena, Error *err);
