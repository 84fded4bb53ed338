#include "views/flow.h"

#include <math.h>
#include "views/internal.h"

/* Where the curve of an edge lies, and how strong it is drawn. */

/* Curves are drawn in one after another over this long, each over FLOW_DRAW_S. */
static const float STAGGER_S = 0.9f;
/* OKLCH lightness of a curve on a dark page, at most. */
static const float LIGHT = 0.83f;

Color flow_head_color(const FlowScene *s, int32_t slot)
{
    Color c = color_head(s->map->heads[slot]);
    if (!s->c->ui->theme.dark) {
        return color_mix(c, (Color){0, 0, 0, 1}, 0.12f);
    }
    /* Light on dark: the head's hue, as bright as it can be and still be told from others. */
    float lightness;
    float chroma;
    float hue;
    color_to_oklch(c, &lightness, &chroma, &hue);
    for (float l = LIGHT; l > lightness; l -= 0.02f) {
        Color bright = color_oklch(l, chroma, hue);
        float kept;
        color_to_oklch(bright, NULL, &kept, NULL);
        if (kept > 0.85f * chroma) {
            return bright;
        }
    }
    return c;
}

/* ---- which are lit ---- */

static bool pins_hold(const FlowScene *s, const FlowEdge *e)
{
    const FlowOptions *o = s->options;
    for (int32_t i = 0; i < o->n_pins; i++) {
        int32_t token = o->pins[i] / 2;
        bool as_key = o->pins[i] % 2;
        if ((as_key ? token / s->keys.block : token / s->queries.block) ==
            (as_key ? e->col : e->row)) {
            return true;
        }
    }
    return false;
}

int flow_strength(const FlowScene *s, const FlowEdge *e)
{
    const FlowFocus *f = &s->view->hovered;
    const Selection *sel = &s->c->session->selection;
    if (f->edge_hovered) {
        return e->row == f->row ? (e->col == f->col ? 2 : 1) : 0;
    }
    if (f->token_hovered) {
        return (f->as_key ? e->col : e->row) == f->block ? 1 + (e->rank == 0 && !f->as_key) : 0;
    }
    if (s->options->n_pins > 0) {
        return pins_hold(s, e) ? 1 : 0;
    }
    if (e->row != sel->query / s->queries.block) {
        return 0;
    }
    bool meant = e->rank >= 0 && e->col == sel->key / s->keys.block &&
                 (e->slot == s->slot || s->options->bundled);
    return meant ? 2 : 1;
}

/* ---- their shape ---- */

/* Where curves to keys out of view end: just outside. */
float flow_clamp(const FlowAxis *a, float at)
{
    return AS_CLAMP(at, a->start - 14, a->start + a->length + 14);
}

/* Several heads leave a token from places of their own. */
static float port(const FlowScene *s, int32_t slot)
{
    int32_t n = s->map->n_heads;
    if (n < 2 || s->options->bundled) {
        return 0;
    }
    float room = fminf(flow_axis_pitch(&s->queries), 28) * 0.7f;
    return ((float)slot - (float)(n - 1) / 2) * fminf(5, room / (float)n);
}

static void place_columns(const FlowScene *s, const FlowEdge *e, DrawCurve *c)
{
    float span = (s->right - s->left) * 0.44f;
    float dy = port(s, e->slot);
    c->a = vec2(s->left, flow_clamp(&s->queries, flow_block_at(&s->queries, e->row) + dy));
    c->b = vec2(s->right, flow_clamp(&s->keys, flow_block_at(&s->keys, e->col) + dy));
    c->c1 = vec2(c->a.x + span, c->a.y);
    c->c2 = vec2(c->b.x - span, c->b.y);
}

/* Reading back rises above the line, reading on hangs below it. */
void flow_place_arc(const FlowScene *s, const FlowEdge *e, DrawCurve *c)
{
    float dx = port(s, e->slot);
    float x0 = flow_block_at(&s->queries, e->row) + dx;
    float x1 = flow_block_at(&s->keys, e->col) + dx;
    bool on = e->col > e->row;
    float y = on ? s->right : s->left;
    float room = on ? s->area.y + s->area.h - s->right : s->left - s->area.y;
    float far = fabsf(x1 - x0);
    /* A cubic's middle lies at three quarters of its handles. */
    float steep = AS_CLAMP(room / 0.76f / s->queries.length, 0.3f, 0.9f);
    float h = fminf(12 + far * steep, room / 0.76f - 8);
    float dir = on ? 1 : -1;
    if (e->row == e->col) { /* reading itself: a stub */
        c->a = vec2(x0, y);
        c->c1 = vec2(x0, y - 8);
        c->c2 = vec2(x0, y - 16);
        c->b = vec2(x0, y - 24);
        return;
    }
    c->a = vec2(x0, y);
    c->b = vec2(x1, y);
    float lean = (x1 - x0) * 0.06f;
    c->c1 = vec2(x0 + lean, y + dir * h);
    c->c2 = vec2(x1 - lean, y + dir * h);
}

DrawCurve flow_curve(const FlowScene *s, const FlowEdge *e, int strength)
{
    const Theme *t = &s->c->ui->theme;
    float w = AS_CLAMP(e->weight, 0.0f, 1.0f);
    Color color = flow_head_color(s, e->slot);
    float alpha = 0.3f + 0.6f * w;
    float light = (0.4f + 0.6f * w) * 0.16f;
    if (strength == 0) {
        if (t->dark) {
            color =
                color_mix(color, (Color){0.35f, 0.75f, 0.65f, 1}, s->map->n_heads > 1 ? 0 : 0.22f);
        }
        /* What is added by several heads is no more than what one adds. */
        alpha *=
            (t->dark ? 0.27f : 0.34f) / sqrtf((float)(s->options->bundled ? 1 : s->map->n_heads));
        light *= 0.22f;
    } else {
        light *= 1.7f;
    }
    float width = fmaxf(s->k * w, 1);
    DrawCurve c = {.width = width,
                   .glow = t->dark ? 2.1f * width + 3 : 1.2f * width + 2,
                   .glow_alpha = t->dark ? light : light * 0.5f,
                   .core = strength == 2 ? 0.28f : 0,
                   .color = color_with_alpha(color, alpha),
                   .tag = 1 + (uint64_t)(e - s->edges->edges)};
    if (s->options->mode == FLOW_ARCS) {
        flow_place_arc(s, e, &c);
    } else {
        place_columns(s, e, &c);
    }
    if (s->edges->n > 0) {
        c.enter_s = STAGGER_S * (float)(e - s->edges->edges) / (float)s->edges->n;
    }
    return c;
}

bool flow_in_view(const FlowScene *s, const FlowEdge *e)
{
    int32_t first;
    int32_t end;
    flow_axis_blocks(&s->queries, &first, &end);
    bool row = e->row >= first && e->row < end;
    if (s->options->mode == FLOW_COLUMNS) { /* whose chip is there */
        float y = flow_block_at(&s->queries, e->row);
        return row && y > s->area.y && y < s->area.y + s->area.h;
    }
    flow_axis_blocks(&s->keys, &first, &end);
    return row || (e->col >= first && e->col < end);
}
