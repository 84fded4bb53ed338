#pragma once
/* What every frame must hold to: no text is cut or lies on another, and each can be read. */
#include "views_case.h"

#include "views/internal.h"

#include <stdio.h>

/* Does the ink go on above or below an area that scrolls? There it may be cut. */
static inline bool scrolls_on(const ViewsCase *c, Rect ink)
{
    const UiScroll *s = &c->views->overview.scroll;
    bool on = c->session->view == VIEW_OVERVIEW && s->content_h > s->box.h;
    return on && (ink.y < s->box.y || ink.y + ink.h > s->box.y + s->box.h);
}

/* Ink of a text on the screen, as far as it is seen. */
static inline Rect ink_of(const ViewsCase *c, const DrawCmd *cmd)
{
    const DrawText *t = &cmd->u.text;
    Rect r = text_ink(c->fonts, t->face, t->size, t->text, TEXT_ALL);
    Rect turned = {t->at.x + r.x, t->at.y + r.y, r.w, r.h};
    if (t->turn == TEXT_UP) { /* the line runs upwards from `at` */
        turned = rect(t->at.x + r.y, t->at.y - r.x - r.w, r.h, r.w);
    }
    return turned;
}

static inline bool is_math(const DrawCmd *cmd)
{
    return cmd->u.text.face >= FONT_MATH && cmd->u.text.face <= FONT_MATH_BOLD;
}

static inline void describe(const char *what, const char *where, const DrawCmd *a, const DrawCmd *b)
{
    print_error("%s: %s: \"%s\" (%.1f, %.1f)", where, what, a->u.text.text, (double)a->u.text.at.x,
                (double)a->u.text.at.y);
    if (b) {
        print_error(" and \"%s\" (%.1f, %.1f)", b->u.text.text, (double)b->u.text.at.x,
                    (double)b->u.text.at.y);
    }
    print_error("\n");
}

enum { TEXTS = 4096 };

/* Does an opaque box drawn between the two hide what they share? */
static inline bool covered(const ViewsCase *c, size_t first, size_t last, Rect both)
{
    for (size_t i = first + 1; i < last; i++) {
        const DrawCmd *cmd = &c->list.cmds.items[i];
        if (cmd->kind == DRAW_RECT && cmd->u.rect.fill.a > 0.7f && both.x >= cmd->bounds.x &&
            both.y >= cmd->bounds.y && both.x + both.w <= cmd->bounds.x + cmd->bounds.w &&
            both.y + both.h <= cmd->bounds.y + cmd->bounds.h) {
            return true;
        }
    }
    return false;
}

/* How many faults there are; each is printed. */
static inline int check_frame(const ViewsCase *c, const char *where)
{
    static Rect inks[TEXTS];
    static size_t at[TEXTS];
    const DrawCmd *cmds = c->list.cmds.items;
    size_t n = 0;
    int n_bad = 0;
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        if (cmds[i].kind != DRAW_TEXT || !cmds[i].u.text.text[0]) {
            continue;
        }
        assert_true(n < TEXTS);
        Rect a = inks[n] = ink_of(c, &cmds[i]);
        at[n++] = i;
        Rect seen = rect_intersect(a, cmds[i].clip);
        if (scrolls_on(c, a)) {
            seen = rect_intersect(a, rect(cmds[i].clip.x, a.y, cmds[i].clip.w, a.h));
        }
        if (seen.w < a.w - 1 || seen.h < a.h - 1 || a.x < -0.5f || a.y < -0.5f ||
            a.x + a.w > c->list.width + 0.5f || a.y + a.h > c->list.height + 0.5f) {
            describe("cut", where, &cmds[i], NULL);
            n_bad++;
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            Rect both = rect_intersect(inks[i], inks[j]);
            /* Italic letters of a formula reach over their subscripts, as they should. */
            bool formula = is_math(&cmds[at[i]]) && is_math(&cmds[at[j]]);
            if (both.w > 0.6f && both.h > 0.6f && !formula && !covered(c, at[i], at[j], both)) {
                describe("overlap", where, &cmds[at[i]], &cmds[at[j]]);
                n_bad++;
            }
        }
    }
    return n_bad;
}

/* ---- contrast ---- */

static inline Color over(Color top, float alpha, Color below)
{
    float a = top.a * alpha;
    return (Color){below.r + (top.r - below.r) * a, below.g + (top.g - below.g) * a,
                   below.b + (top.b - below.b) * a, 1};
}

static inline bool holds(Rect box, Rect ink)
{
    return ink.x >= box.x - 1 && ink.y >= box.y - 1 && ink.x + ink.w <= box.x + box.w + 1 &&
           ink.y + ink.h <= box.y + box.h + 1;
}

/* The colour under a text, from everything plain that was drawn before it. False: a picture, cells
 * or a shape that is no box lies there. */
static inline bool ground_of(const ViewsCase *c, size_t text, Rect ink, Color *ground)
{
    *ground = c->list.background;
    for (size_t i = 0; i < text; i++) {
        const DrawCmd *cmd = &c->list.cmds.items[i];
        Rect seen = rect_intersect(cmd->bounds, cmd->clip);
        if (rect_is_empty(rect_intersect(seen, ink))) {
            continue;
        }
        switch (cmd->kind) {
        case DRAW_RECT:
            if (cmd->u.rect.fill.a * cmd->alpha > 0 && holds(seen, ink)) {
                Color fill = cmd->u.rect.gradient
                                 ? color_mix(cmd->u.rect.fill, cmd->u.rect.fill_bottom, 0.5f)
                                 : cmd->u.rect.fill;
                *ground = over(fill, cmd->alpha, *ground);
            } else if (cmd->u.rect.fill.a * cmd->alpha > 0.05f) {
                return false; /* half on it */
            }
            break;
        case DRAW_CIRCLE:
            if (cmd->u.circle.fill.a * cmd->alpha > 0.05f) {
                if (!holds(seen, ink) || cmd->u.circle.soft > 0) {
                    return false;
                }
                *ground = over(cmd->u.circle.fill, cmd->alpha, *ground);
            }
            break;
        case DRAW_SHADOW: /* lies outside of what it belongs to */
        case DRAW_TEXT:   /* would be an overlap, which is another test */
        case DRAW_LINE:
        case DRAW_POLYLINE:
        case DRAW_ICON:
        case DRAW_PATH:
            break;
        default:
            return false;
        }
    }
    return true;
}

/* Texts that are too faint to be read; each is printed. What is switched off, or steps back behind
 * what is talked about, may be faint. */
static inline int check_contrast(const ViewsCase *c, const char *where)
{
    int n_bad = 0;
    Theme theme = theme_make((ThemeId)c->session->options.theme);
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        const DrawCmd *cmd = &c->list.cmds.items[i];
        Color ground;
        if (cmd->kind != DRAW_TEXT || !cmd->u.text.text[0] || cmd->alpha < 0.99f ||
            cmd->u.text.color.a < 0.99f ||
            memcmp(&cmd->u.text.color, &theme.off, sizeof theme.off) == 0) {
            continue;
        }
        Rect ink = rect_intersect(ink_of(c, cmd), cmd->clip);
        if (rect_is_empty(ink) || !ground_of(c, i, ink, &ground)) {
            continue;
        }
        float contrast = color_contrast(cmd->u.text.color, ground);
        if (contrast < 4.45f) {
            print_error("%s: contrast %.2f: \"%s\" (%.0f, %.0f)\n", where, (double)contrast,
                        cmd->u.text.text, (double)cmd->u.text.at.x, (double)cmd->u.text.at.y);
            n_bad++;
        }
    }
    return n_bad;
}
