#include "views/flow.h"

#include <math.h>
#include <string.h>

#include "views/internal.h"

/* Tokens as nodes that pull on what they read. */

typedef struct Graph {
    FlowScene *s;
    const GraphLayout *layout;
    Rect field;
    Vec2 *at;      /* [n] on the screen, at this time */
    float *radius; /* [n] */
    float *received, *given;
    int32_t n;
    int32_t focus; /* node under the pointer or pinned; -1 = none */
    bool *near;    /* [n] the focus and what it is linked to */
} Graph;

static Color community_color(int32_t c)
{
    return color_head(c);
}

/* Received and given mass of every node, from the map: sums over all weights, not only those drawn.
 * Given leaves out what a token gives to itself. */
static bool weigh(Graph *g)
{
    const FlowMap *map = g->s->map;
    Arena *a = &g->s->c->ui->list->arena;
    size_t n = (size_t)g->n;
    g->received = ARENA_ARRAY(a, float, n, NULL);
    g->given = ARENA_ARRAY(a, float, n, NULL);
    g->radius = ARENA_ARRAY(a, float, n, NULL);
    g->at = ARENA_ARRAY(a, Vec2, n, NULL);
    g->near = ARENA_ARRAY(a, bool, n, NULL);
    if (!g->near) {
        return false;
    }
    for (int32_t slot = 0; slot < map->n_heads; slot++) {
        for (int32_t r = 0; r < map->n_rows; r++) {
            size_t row = (size_t)slot * (size_t)map->n_rows + (size_t)r;
            const float *dense = map->dense + row * (size_t)(map->n_cols + 2) + 1;
            float own = r < map->n_cols ? dense[r] : 0;
            g->given[r] += (float)map->row_mass[row] - own;
            for (int32_t c = 0; c < map->n_cols; c++) {
                g->received[c] += dense[c];
            }
        }
    }
    return true;
}

static void place(Graph *g)
{
    const FlowScene *s = g->s;
    float most = 1e-9f;
    for (int32_t i = 0; i < g->n; i++) {
        float v = s->options->node == FLOW_RECEIVED ? g->received[i]
                  : s->options->node == FLOW_GIVEN  ? g->given[i]
                                                    : g->received[i] + g->given[i];
        g->radius[i] = v;
        most = fmaxf(most, v);
    }
    /* Areas, not radii, are what the eye compares. */
    float room = sqrtf(g->field.w * g->field.h / (float)AS_MAX(g->n, 1));
    float large = AS_CLAMP(room * 0.42f, 5.0f, 44.0f);
    float t = s->c->ui->still ? 1 : (float)ease_in_out_cubic(s->time_s / 1.6);
    if (s->c->session->playback.time_s < PLAYBACK_END) {
        t = (float)ease_in_out_cubic(s->time_s / 1.6);
    }
    for (int32_t i = 0; i < g->n; i++) {
        g->radius[i] = fmaxf(large * sqrtf(fmaxf(g->radius[i], 0) / most), 2);
        const float *from = g->layout->from[i];
        const float *to = g->layout->at[i];
        g->at[i] = vec2(g->field.x + g->field.w * (from[0] + (to[0] - from[0]) * t),
                        g->field.y + g->field.h * (from[1] + (to[1] - from[1]) * t));
    }
}

static int32_t node_under(const Graph *g, Vec2 p)
{
    int32_t best = -1;
    float nearest = INFINITY;
    for (int32_t i = 0; i < g->n; i++) {
        float d = hypotf(p.x - g->at[i].x, p.y - g->at[i].y);
        if (d < fmaxf(g->radius[i], 6) + 2 && d < nearest) {
            nearest = d;
            best = i;
        }
    }
    return best;
}

static void find_focus(Graph *g)
{
    FlowScene *s = g->s;
    Ui *ui = s->c->ui;
    FlowView *v = s->view;
    Session *session = s->c->session;
    int32_t hit = ui_hovers(ui, g->field) ? node_under(g, ui->mouse) : -1;
    g->focus = hit;
    if (hit < 0 && s->options->n_pins > 0) {
        g->focus = s->options->pins[0] / 2 / s->keys.block;
        g->focus = g->focus < g->n ? g->focus : -1;
    }
    if (hit >= 0) {
        ui->cursor = UI_CURSOR_HAND;
        ui_tooltip(ui, rect(g->at[hit].x - 10, g->at[hit].y - 10, 20, 20),
                   draw_format(ui->list, "%s %d: receives %.3f, gives %.3f to others",
                               flow_block_label(s, hit, true), hit * s->keys.block,
                               (double)g->received[hit], (double)g->given[hit]));
    }
    if (hit >= 0 && ui->pressed[0]) {
        v->dragged = hit;
        v->pan_from = ui->mouse;
    }
    bool moved = hypotf(ui->mouse.x - v->pan_from.x, ui->mouse.y - v->pan_from.y) > 4;
    if (v->dragged >= 0 && v->dragged < g->n) {
        float x = AS_CLAMP((ui->mouse.x - g->field.x) / g->field.w, 0.0f, 1.0f);
        float y = AS_CLAMP((ui->mouse.y - g->field.y) / g->field.h, 0.0f, 1.0f);
        if (ui->down[0] && moved) {
            g->at[v->dragged] = vec2(g->field.x + x * g->field.w, g->field.y + y * g->field.h);
            g->focus = v->dragged;
        } else if (!ui->down[0]) {
            int32_t token = v->dragged * s->keys.block;
            if (moved) {
                session_post(session, "flow-hold %d %.4f %.4f", token, (double)x, (double)y);
            } else {
                session_post(session, "flow-look %sk%d", ui->mods & KEY_MOD_SHIFT ? "+" : "",
                             token);
            }
            v->dragged = -1;
        }
    }
}

static bool is_focus(const Graph *g, int32_t node)
{
    const FlowOptions *o = g->s->options;
    if (node == g->focus) {
        return true;
    }
    for (int32_t i = 0; i < o->n_pins; i++) {
        if (o->pins[i] / 2 / g->s->keys.block == node) {
            return true;
        }
    }
    return false;
}

static void draw_links(const Graph *g)
{
    const FlowScene *s = g->s;
    Ui *ui = s->c->ui;
    const FlowEdges *e = s->edges;
    DrawCurve *curves = ARENA_ARRAY(&ui->list->arena, DrawCurve, (size_t)e->n, NULL);
    size_t n = 0;
    bool dark = ui->theme.dark;
    /* So many lie over each other that they would be one blot. */
    float thin = AS_CLAMP(sqrtf(4000 / (float)AS_MAX(e->n, 1)), 0.1f, 1.0f);
    for (int32_t i = e->n; curves && i-- > 0;) {
        const FlowEdge *edge = &e->edges[i];
        if (edge->row == edge->col || edge->row >= g->n || edge->col >= g->n) {
            continue;
        }
        bool lit = g->focus >= 0 && (is_focus(g, edge->row) || is_focus(g, edge->col));
        if (lit) {
            g->near[edge->row] = g->near[edge->col] = true;
        }
        Vec2 a = g->at[edge->row];
        Vec2 b = g->at[edge->col];
        /* Bent a little to one side: reading there and back are two links. */
        Vec2 side = vec2((a.y - b.y) * 0.12f, (b.x - a.x) * 0.12f);
        float w = AS_MIN(edge->weight, 1.0f);
        float alpha = (0.3f + 0.6f * w) * (g->focus < 0 ? (dark ? 0.5f : 0.55f) * thin
                                           : lit        ? 1
                                                        : 0.14f * thin);
        Color c = s->map->n_heads > 1 ? flow_head_color(s, edge->slot)
                                      : community_color(g->layout->community[edge->row]);
        float width = fmaxf(8 * w * (g->n > 120 ? 0.6f : 1), 0.8f);
        curves[n++] =
            (DrawCurve){.a = a,
                        .c1 = {a.x + (b.x - a.x) / 3 + side.x, a.y + (b.y - a.y) / 3 + side.y},
                        .c2 = {b.x - (b.x - a.x) / 3 + side.x, b.y - (b.y - a.y) / 3 + side.y},
                        .b = b,
                        .width = width * 0.45f,
                        .width_mid = width * 0.75f,
                        .width_end = width,
                        .glow = lit ? 6 : 0,
                        .glow_alpha = lit && dark ? 0.1f : 0,
                        .color = color_with_alpha(c, alpha * 0.55f),
                        .color_end = color_with_alpha(c, alpha),
                        .tag = 1 + (uint64_t)i};
    }
    draw_set_blend(ui->list, dark && thin > 0.5f ? DRAW_ADD : DRAW_OVER); /* else all were white */
    draw_curves(ui->list, &(DrawCurves){.curves = curves, .n = n, .glow_over = !dark});
    draw_set_blend(ui->list, DRAW_OVER);
}

static void draw_node(const Graph *g, int32_t i)
{
    const FlowScene *s = g->s;
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    bool chosen = is_focus(g, i);
    float alpha = g->focus < 0 || g->near[i] || chosen ? 1 : 0.25f;
    Color c = community_color(g->layout->community[i]);
    bool held = false;
    for (int32_t k = 0; k < s->options->n_held; k++) {
        held |= s->options->held[k].token / s->keys.block == i;
    }
    draw_push_alpha(ui->list, alpha);
    if (t->dark && g->n <= 400) {
        draw_set_blend(ui->list, DRAW_ADD);
        draw_circle(ui->list, &(DrawCircle){.center = g->at[i],
                                            .radius = 1,
                                            .soft = g->radius[i] * 2.1f,
                                            .fill = color_with_alpha(c, 0.16f)});
        draw_set_blend(ui->list, DRAW_OVER);
    }
    draw_circle(ui->list,
                &(DrawCircle){.center = g->at[i],
                              .radius = g->radius[i],
                              .fill = color_mix(t->page, c, t->dark ? 0.55f : 0.4f),
                              .border = chosen ? 2.5f : 1.2f,
                              .border_color = chosen ? t->text : color_mix(t->page, c, 0.95f)});
    if (held) {
        draw_circle(ui->list, &(DrawCircle){.center = g->at[i], .radius = 2, .fill = t->text});
    }
    draw_pop_alpha(ui->list);
}

/* Labels from the largest node down, where none lies yet. */
static void draw_names(const Graph *g)
{
    enum { MOST = 160 };
    const FlowScene *s = g->s;
    Ui *ui = s->c->ui;
    Rect *taken = ARENA_ARRAY(&ui->list->arena, Rect, MOST, NULL);
    bool *done = ARENA_ARRAY(&ui->list->arena, bool, (size_t)g->n, NULL);
    int n_taken = 0;
    for (int k = 0; taken && done && k < MOST && k < g->n; k++) {
        int32_t best = -1;
        for (int32_t i = 0; i < g->n; i++) {
            float score = g->radius[i] + (is_focus(g, i) ? 1e6f : g->near[i] ? 1e3f : 0);
            float top = best < 0 ? -1
                                 : g->radius[best] + (is_focus(g, best) ? 1e6f
                                                      : g->near[best]   ? 1e3f
                                                                        : 0);
            if (!done[i] && score > top) {
                best = i;
            }
        }
        done[best] = true;
        if (g->focus >= 0 && !g->near[best] && !is_focus(g, best)) {
            break;
        }
        const char *label = flow_block_label(s, best, true);
        float w = fminf(ui_text_width(ui, FONT_SANS_MEDIUM, 12, label) + 6, 110);
        bool inside = w + 4 < 2 * g->radius[best];
        Rect box = inside ? rect(g->at[best].x - w / 2, g->at[best].y - 9, w, 18)
                          : rect(g->at[best].x - w / 2, g->at[best].y + g->radius[best] + 1, w, 18);
        bool free = box.x >= g->field.x - 20 && box.x + w <= g->field.x + g->field.w + 20 &&
                    box.y + 18 <= g->s->area.y + g->s->area.h + 14;
        for (int i = 0; i < n_taken && free; i++) {
            free = rect_is_empty(rect_intersect(box, taken[i]));
        }
        if (!free) {
            continue;
        }
        taken[n_taken++] = box;
        if (g->n > 60 && !inside) {
            draw_rect(ui->list, &(DrawRect){.box = rect_inset(box, 1),
                                            .radius = 5,
                                            .fill = color_with_alpha(ui->theme.page, 0.7f)});
        }
        ui_label(ui, box,
                 &(UiLabel){.face = FONT_SANS_MEDIUM,
                            .size = 12,
                            .align = DRAW_CENTER,
                            .color = ui->theme.text},
                 label);
    }
}

/* The communities with their largest tokens. */
static void draw_communities(const Graph *g, Rect box)
{
    Ui *ui = g->s->c->ui;
    const Theme *t = &ui->theme;
    ui_caps(ui, rect(box.x, box.y, box.w, 16), "Communities");
    int32_t fit = (int32_t)((box.h - 24) / 44);
    int32_t n = AS_MIN(g->layout->n_communities, fit);
    for (int32_t c = 0; c < n; c++) {
        float y = box.y + 26 + 44 * (float)c;
        int32_t count = 0;
        int32_t top[3] = {-1, -1, -1};
        for (int32_t i = 0; i < g->n; i++) {
            if (g->layout->community[i] != c) {
                continue;
            }
            count++;
            int32_t at = i;
            for (int k = 0; k < 3 && at >= 0; k++) {
                if (top[k] < 0 || g->radius[at] > g->radius[top[k]]) {
                    int32_t swap = top[k];
                    top[k] = at;
                    at = swap;
                }
            }
        }
        draw_circle(
            ui->list,
            &(DrawCircle){.center = {box.x + 6, y + 8}, .radius = 5, .fill = community_color(c)});
        ui_label(ui, rect(box.x + 18, y, box.w - 18, 16),
                 &(UiLabel){.face = FONT_SANS, .size = 12, .color = t->text},
                 draw_format(ui->list, "%d %s%s", count, g->s->keys.block > 1 ? "block" : "token",
                             count == 1 ? "" : "s"));
        const char *names = "";
        for (int k = 0; k < 3 && top[k] >= 0; k++) {
            names = draw_format(ui->list, "%s%s%s", names, k ? " · " : "",
                                flow_block_label(g->s, top[k], true));
        }
        ui_label(ui, rect(box.x + 18, y + 18, box.w - 18, 16),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .color = t->text2}, names);
    }
    if (g->layout->n_communities > n) {
        ui_label(ui, rect(box.x, box.y + 26 + 44 * (float)n, box.w, 16),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .color = t->text3},
                 draw_format(ui->list, "and %d more", g->layout->n_communities - n));
    }
}

void flow_draw_graph(FlowScene *s)
{
    Ui *ui = s->c->ui;
    if (!s->map || !s->edges) {
        return;
    }
    Graph g = {.s = s, .layout = session_flow_graph(s->c->session, s->map, s->edges), .focus = -1};
    if (!g.layout) {
        s->c->views->settled = session_flow_error(s->c->session)->code;
        ui_label(ui, s->area, &(UiLabel){.face = FONT_SANS, .size = 14, .align = DRAW_CENTER},
                 "The graph is being laid out …");
        return;
    }
    float list_w = s->area.w > 700 ? 170 : 0;
    g.field = rect(s->area.x + 30, s->area.y - 6, s->area.w - list_w - 60, s->area.h - 14);
    g.n = g.layout->n_nodes;
    if (!weigh(&g)) {
        return;
    }
    place(&g);
    find_focus(&g);
    draw_links(&g);
    for (int32_t i = 0; i < g.n; i++) {
        draw_node(&g, i);
    }
    draw_names(&g);
    if (list_w > 0) {
        draw_communities(&g,
                         rect(s->area.x + s->area.w - list_w, s->area.y - 6, list_w, s->area.h));
    }
}
