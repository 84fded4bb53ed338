#include "views/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "views/internal.h"

/* All layers side by side: what reaches one token, as streams that keep their mass. */

typedef struct Stage {
    FlowScene *s;
    const FlowPaths *paths;
    Rect field;
    float dx;      /* between two states */
    int32_t *rows; /* [n_rows] tokens that are shown, ascending */
    int32_t n_rows;
    int32_t *row_of; /* [n_tokens] or n_rows: the others, together below */
    float pitch;
    bool others;
    int32_t n_others; /* tokens through which something runs that have no row */
    float scale;      /* px of width a mass of 1 has */
} Stage;

typedef struct Weighty {
    int32_t token;
    float mass;
} Weighty;

static int by_mass(const void *a, const void *b)
{
    const Weighty *x = a;
    const Weighty *y = b;
    return x->mass != y->mass ? (x->mass < y->mass ? 1 : -1) : x->token - y->token;
}

static int by_token(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

/* The tokens through which most runs, as many as fit. */
static bool choose_rows(Stage *g)
{
    const FlowPaths *p = g->paths;
    Arena *a = &g->s->c->ui->list->arena;
    size_t n = (size_t)p->n_tokens;
    Weighty *all = ARENA_ARRAY(a, Weighty, n, NULL);
    g->rows = ARENA_ARRAY(a, int32_t, n, NULL);
    g->row_of = ARENA_ARRAY(a, int32_t, n, NULL);
    if (!all || !g->rows || !g->row_of) {
        return false;
    }
    for (int32_t t = 0; t < p->n_tokens; t++) {
        all[t].token = t;
        for (int32_t l = 0; l <= p->n_layers; l++) {
            all[t].mass += p->mass[(size_t)l * n + (size_t)t];
        }
    }
    qsort(all, n, sizeof *all, by_mass);
    int32_t n_used = 0;
    while (n_used < p->n_tokens && all[n_used].mass > 0) {
        n_used++;
    }
    int32_t fit = AS_MAX((int32_t)(g->field.h / 20), 3);
    g->others = n_used > fit;
    g->n_rows = AS_MIN(n_used, g->others ? fit - 1 : fit);
    g->n_others = n_used - g->n_rows;
    for (int32_t i = 0; i < g->n_rows; i++) {
        g->rows[i] = all[i].token;
    }
    qsort(g->rows, (size_t)g->n_rows, sizeof *g->rows, by_token);
    for (size_t t = 0; t < n; t++) {
        g->row_of[t] = g->n_rows;
    }
    for (int32_t i = 0; i < g->n_rows; i++) {
        g->row_of[g->rows[i]] = i;
    }
    int32_t slots = g->n_rows + g->others;
    g->pitch = fminf(g->field.h / (float)slots, 84); /* a few are no strip at the top */
    return true;
}

static float row_y(const Stage *g, int32_t token)
{
    return g->field.y + g->pitch * ((float)g->row_of[token] + 0.5f);
}

static float state_x(const Stage *g, int32_t state)
{
    return g->field.x + g->dx * (float)state;
}

/* ---- streams ---- */

static DrawCurve stream(const Stage *g, int32_t layer, const FlowStep *step, Color color,
                        float alpha)
{
    float x0 = state_x(g, layer);
    float x1 = state_x(g, layer + 1);
    float y0 = row_y(g, step->from);
    float y1 = row_y(g, step->to);
    float span = (x1 - x0) * 0.46f;
    return (DrawCurve){.a = {x0, y0},
                       .c1 = {x0 + span, y0},
                       .c2 = {x1 - span, y1},
                       .b = {x1, y1},
                       .width = fmaxf(g->scale * step->mass, 0.6f),
                       .glow = 3,
                       .glow_alpha = 0,
                       .color = color_with_alpha(color, alpha),
                       .enter_s = (float)layer * 0.12f};
}

static void draw_streams(const Stage *g)
{
    const FlowPaths *p = g->paths;
    Ui *ui = g->s->c->ui;
    size_t most = 0;
    for (int32_t l = 0; l < p->n_layers; l++) {
        most += (size_t)p->n_steps[l];
    }
    DrawCurve *curves = ARENA_ARRAY(&ui->list->arena, DrawCurve, most, NULL);
    size_t n = 0;
    bool dark = ui->theme.dark;
    for (int32_t l = 0; curves && l < p->n_layers; l++) {
        for (int32_t k = p->n_steps[l]; k-- > 0;) {
            const FlowStep *step = &p->steps[l][k];
            float w = g->scale * step->mass;
            if (w < 0.05f) {
                continue; /* under a twentieth of a pixel */
            }
            Color c = step->residual ? ui->theme.text3 : token_color(g->s->c, step->from);
            float alpha = step->residual ? (dark ? 0.16f : 0.2f) : dark ? 0.34f : 0.42f;
            curves[n++] = stream(g, l, step, c, alpha * fminf(w / 0.6f, 1));
        }
    }
    draw_set_blend(ui->list, dark ? DRAW_ADD : DRAW_OVER);
    draw_curves(ui->list,
                &(DrawCurves){.curves = curves, .n = n, .time_s = g->s->time_s, .draw_s = 0.5f});
    draw_set_blend(ui->list, DRAW_OVER);
}

/* The best path from the source, with what runs along it. */
static void draw_path_of(const Stage *g, int32_t source)
{
    const FlowPaths *p = g->paths;
    Ui *ui = g->s->c->ui;
    size_t n_tokens = (size_t)p->n_tokens;
    DrawCurve *curves = ARENA_ARRAY(&ui->list->arena, DrawCurve, (size_t)p->n_layers, NULL);
    DrawCurve *light = ARENA_ARRAY(&ui->list->arena, DrawCurve, (size_t)p->n_layers, NULL);
    DrawParticle *items = ARENA_ARRAY(&ui->list->arena, DrawParticle, (size_t)p->n_layers, NULL);
    int32_t at = source;
    size_t n = 0;
    Color c = ui->theme.dark ? color_hex(0xB4D934) : ui->theme.accent;
    for (int32_t l = 0; curves && light && items && l < p->n_layers && at >= 0; l++) {
        int32_t to = p->next[(size_t)l * n_tokens + (size_t)at];
        if (to < 0) {
            break;
        }
        FlowStep step = {.from = at, .to = to, .mass = 0};
        curves[n] = stream(g, l, &step, c, 0.95f);
        curves[n].width = 3.5f;
        curves[n].core = 0.35f;
        light[n] = curves[n];
        light[n].width = 13;
        light[n].core = 0;
        light[n].color.a = ui->theme.dark ? 0.16f : 0.1f;
        items[n] = (DrawParticle){.curve = (uint32_t)n,
                                  .phase = fmodf(1000 - 0.5f * (float)l, 1),
                                  .speed = 0.5f,
                                  .radius = 2,
                                  .halo = 9,
                                  .tail = 8,
                                  .enter_s = (float)p->n_layers * 0.12f + 0.6f,
                                  .color = color_with_alpha(c, 0.9f)};
        n++;
        at = to;
    }
    draw_set_blend(ui->list, ui->theme.dark ? DRAW_ADD : DRAW_OVER);
    draw_curves(ui->list,
                &(DrawCurves){.curves = light, .n = n, .time_s = g->s->time_s, .draw_s = 0.5f});
    draw_set_blend(ui->list, DRAW_OVER);
    draw_curves(ui->list, &(DrawCurves){.curves = curves,
                                        .n = n,
                                        .time_s = g->s->time_s,
                                        .draw_s = 0.5f,
                                        .core = {1, 1, 1, 0.8f},
                                        .glow_over = !ui->theme.dark});
    draw_particles(ui->list, &(DrawParticles){.curves = curves,
                                              .n_curves = n,
                                              .items = items,
                                              .n = n,
                                              .time_s = g->s->time_s,
                                              .core = {1, 1, 1, 1},
                                              .over = !ui->theme.dark});
}

/* ---- nodes and labels ---- */

static void draw_nodes(const Stage *g)
{
    const FlowPaths *p = g->paths;
    Ui *ui = g->s->c->ui;
    size_t n = (size_t)p->n_tokens;
    float *others = ARENA_ARRAY(&ui->list->arena, float, (size_t)p->n_layers + 1, NULL);
    for (int32_t l = 0; others && l <= p->n_layers; l++) {
        for (int32_t t = 0; t < p->n_tokens; t++) {
            float mass = p->mass[(size_t)l * n + (size_t)t];
            if (g->row_of[t] == g->n_rows) {
                others[l] += mass;
                continue;
            }
            float h = fminf(g->scale * mass, g->pitch - 2);
            if (h < 0.3f) {
                continue;
            }
            draw_rect(ui->list, &(DrawRect){.box = {state_x(g, l) - 2, row_y(g, t) - h / 2, 4, h},
                                            .radius = fminf(2, h / 2),
                                            .fill = token_color(g->s->c, t)});
        }
        float h = fminf(g->scale * others[l], g->pitch - 2);
        if (g->others && h > 0.3f) {
            float y = g->field.y + g->pitch * ((float)g->n_rows + 0.5f);
            draw_rect(ui->list, &(DrawRect){.box = {state_x(g, l) - 2, y - h / 2, 4, h},
                                            .radius = fminf(2, h / 2),
                                            .fill = ui->theme.text3});
        }
    }
}

static void draw_token(const Stage *g, int32_t token, bool right, int32_t source)
{
    Ui *ui = g->s->c->ui;
    const FlowPaths *p = g->paths;
    float y = row_y(g, token);
    float h = fminf(24, g->pitch - 3);
    float mass = p->mass[(right ? (size_t)p->n_layers * (size_t)p->n_tokens : 0) + (size_t)token];
    Rect box = {right ? g->field.x + g->field.w + 14 : g->s->area.x + 52, ui_snap(ui, y - h / 2),
                96, h};
    bool chosen = right ? token == p->target : token == source;
    ui_chip(ui, box,
            &(UiChip){.text = label_of(g->s->c, token),
                      .color = token_color(g->s->c, token),
                      .chosen = chosen,
                      .size = h >= 22 ? 13 : 11});
    if (!right) {
        ui_label(ui, rect(g->s->area.x, y - 9, 44, 18),
                 &(UiLabel){.face = chosen ? FONT_MONO_SEMIBOLD : FONT_MONO,
                            .size = 11,
                            .align = DRAW_RIGHT,
                            .color = chosen ? ui->theme.text : ui->theme.text2},
                 draw_format(ui->list, mass < 0.0005f ? "<.001" : "%.3f", (double)mass));
    }
    bool hot;
    if (ui_click(ui, ui_id(right ? "path-to" : "path-from", token), box, false, &hot, NULL)) {
        const Selection *sel = &g->s->c->session->selection;
        session_post(g->s->c->session, "pin %d %d", right ? token : sel->query,
                     right ? sel->key : token);
    }
    ui_tooltip(ui, box,
               right ? draw_format(ui->list, "Click: what reaches token %d", token)
                     : draw_format(ui->list, "Token %d gives %.6f; its best path carries %.3g",
                                   token, (double)mass, (double)p->best[token]));
}

static void draw_labels(const Stage *g, int32_t source)
{
    Ui *ui = g->s->c->ui;
    const FlowPaths *p = g->paths;
    const Theme *t = &ui->theme;
    for (int32_t i = 0; i < g->n_rows; i++) {
        draw_token(g, g->rows[i], false, source);
        draw_token(g, g->rows[i], true, source);
    }
    if (g->others) {
        float y = g->field.y + g->pitch * ((float)g->n_rows + 0.5f);
        ui_label(ui, rect(g->s->area.x, y - 9, g->field.x - g->s->area.x - 10, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT, .color = t->text3},
                 draw_format(ui->list, "%d others", g->n_others));
    }
    int32_t step = (int32_t)ceilf(26 / g->dx);
    float y = g->field.y - 24;
    for (int32_t l = 0; l <= p->n_layers; l += step) {
        ui_label(ui, rect(state_x(g, l) - 18, y, 36, 16),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_CENTER, .color = t->text3},
                 l == 0 ? "in" : draw_format(ui->list, "%d", l - 1));
    }
    ui_label(ui, rect(g->s->area.x, y, 46, 16),
             &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT, .color = t->text3},
             "gives");
}

static const char *summary(const Stage *g, int32_t source)
{
    DrawList *list = g->s->c->ui->list;
    const FlowPaths *p = g->paths;
    float least = 1;
    double shown = 1;
    for (int32_t l = 0; l < p->n_layers; l++) {
        least = fminf(least, p->followed[l]);
        shown = fmin(shown, p->shown[l]);
    }
    const char *note =
        least < 0.99995f
            ? draw_format(list, " In each layer rows with at least %.1f %% of it are followed.",
                          100 * (double)least)
            : "";
    if (p->without_first) {
        note =
            draw_format(list, " The first token is left out, rows are scaled to sum to 1.%s", note);
    }
    if (source < 0) {
        return draw_format(list, "Nothing but itself reaches “%s”.%s", label_of(g->s->c, p->target),
                           note);
    }
    return draw_format(list,
                       "“%s” gives %.4f of what “%s” is made of; the lit path carries most of it "
                       "(%.2g). Each layer is half attention, half residual.%s",
                       label_of(g->s->c, source), (double)p->mass[source],
                       label_of(g->s->c, p->target), (double)p->best[source], note);
}

void flow_draw_layers(FlowScene *s)
{
    Session *session = s->c->session;
    Ui *ui = s->c->ui;
    static const uint32_t all[FLOW_HEAD_WORDS];
    uint32_t shown[FLOW_HEAD_WORDS] = {0};
    const TraceInfo *info = trace_info(session->trace);
    for (int32_t h = 0; h < info->n_heads && h < 32 * FLOW_HEAD_WORDS; h++) {
        if (flow_shows_head(s->options, h, session->selection.head)) {
            shown[h / 32] |= 1u << (h % 32);
        }
    }
    const TraceLayer *first_layer = trace_layer(session->trace, 0);
    bool without_first = first_layer && first_layer->causal && !s->options->with_first;
    const FlowPaths *paths = session_flow_paths(session, session->selection.query,
                                                s->options->all_heads ? shown : all, without_first);
    if (!paths) {
        s->c->views->settled = session_flow_error(session)->code;
        ui_label(ui, s->area, &(UiLabel){.face = FONT_SANS, .size = 14, .align = DRAW_CENTER},
                 session_flow_error(session)->code
                     ? session_flow_error(session)->message
                     : "The paths through the layers are being found …");
        return;
    }
    s->c->views->settled &=
        paths->target == session->selection.query && paths->without_first == without_first;
    Stage g = {.s = s, .paths = paths};
    g.field = rect(s->area.x + 166, s->area.y + 4, s->area.w - 166 - 114, s->area.h - 8);
    g.dx = g.field.w / (float)paths->n_layers;
    if (!choose_rows(&g)) {
        return;
    }
    g.scale = fminf(g.pitch, 48) * 0.92f;
    int32_t source = session->selection.key;
    if (source == paths->target || source >= paths->n_tokens || !(paths->best[source] > 0) ||
        g.row_of[source] == g.n_rows) {
        source = paths->source;
    }
    draw_streams(&g);
    draw_nodes(&g);
    if (source >= 0) {
        draw_path_of(&g, source);
    }
    draw_labels(&g, source);
    s->note = summary(&g, source);
}
