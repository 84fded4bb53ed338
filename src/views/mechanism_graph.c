#include "views/mechanism.h"

#include <math.h>
#include <stdlib.h>

/* Who reads whom in the chosen head. Queries on one side and keys on the other; where a decoder
 * reads a source too, queries in the middle with its self attention to the left of them and its
 * cross attention to the right, whichever of the two is in front. */

/** Keys of one attention, beside the queries. */
typedef struct Side {
    const float *weights;   /* [n, m] */
    const float *elsewhere; /* [n] */
    const Trace *trace;     /* whose weights */
    LessonWindow keys;
    int32_t m, head;
    bool front;         /* the stack that is selected */
    bool left;          /* of the queries */
    float x, from, to;  /* of its chips; where curves leave queries and come to keys */
    float shares;       /* x of the shares of the chosen row */
    int32_t n, n_shown; /* links */
    double mass;        /* that is shown, of what goes to these keys */
} Side;

typedef struct Link {
    int16_t i, j;
    float weight;
    bool shown;
} Link;

enum { LINKS = LESSON_MOST * LESSON_MOST };
static const float SHARES_W = 58;

typedef struct Graph {
    MechanismScene *s;
    float queries, y, pitch, chip_w, chip_h;
    Side sides[2];
    int n_sides;
} Graph;

static int by_weight(const void *a, const void *b)
{
    const Link *x = a;
    const Link *y = b;
    return (x->weight < y->weight) - (x->weight > y->weight);
}

static bool is_visible(const Lesson *l, const Side *side, int32_t i, int32_t j)
{
    int32_t first, end;
    trace_visible_keys(side->trace, l->layer, l->rows.first + i, &first, &end);
    return side->keys.first + j >= first && side->keys.first + j < end;
}

/* Strongest first; per query they are shown until 80 % of what the row gives to the window. */
static void find_links(const Lesson *l, Side *side, Link links[LINKS])
{
    double covered[LESSON_MOST] = {0};
    double all = 0;
    double shown = 0;
    for (int32_t i = 0; i < l->n; i++) {
        all += 1 - (double)side->elsewhere[i];
        for (int32_t j = 0; j < side->m; j++) {
            if (is_visible(l, side, i, j)) {
                links[side->n++] =
                    (Link){(int16_t)i, (int16_t)j, side->weights[i * side->m + j], false};
            }
        }
    }
    qsort(links, (size_t)side->n, sizeof *links, by_weight);
    for (int32_t k = 0; k < side->n; k++) {
        int32_t i = links[k].i;
        links[k].shown = covered[i] < 0.8 * (1 - (double)side->elsewhere[i]) && links[k].weight > 0;
        covered[i] += links[k].shown ? (double)links[k].weight : 0;
        shown += links[k].shown ? (double)links[k].weight : 0;
        side->n_shown += links[k].shown;
    }
    side->mass = all > 0 ? shown / all : 0;
}

static float middle_of(const Graph *g, int32_t row)
{
    return g->y + g->pitch * (float)row + g->chip_h / 2;
}

static void draw_link(const Graph *g, const Side *side, const Link *link, int order)
{
    MechanismScene *s = g->s;
    const Lesson *l = s->l;
    float bend = (side->to - side->from) * 0.45f;
    double each = fmin(0.12, 1.2 / AS_MAX(side->n_shown, 1));
    float drawn = phase_of(s->t, 7.0, order, each, 0.6);
    bool faint = s->c->session->selection.pinned && l->rows.first + link->i != l->query;
    Color color = color_head(side->head);
    Vec2 a = {side->from, middle_of(g, link->i)};
    Vec2 b = {side->to, middle_of(g, link->j)};
    if (drawn <= 0) {
        return;
    }
    draw_bezier(s->c->ui->list,
                &(DrawBezier){
                    .a = a,
                    .c1 = {a.x + bend, a.y},
                    .c2 = {b.x - bend, b.y},
                    .b = b,
                    .width = 8 * link->weight,
                    .color = color_fade(color, (0.3f + 0.6f * link->weight) * (faint ? 0.35f : 1)),
                    .t0 = 0,
                    .t1 = fmaxf(drawn, 0.01f)});
}

static void draw_link_number(const Graph *g, const Side *side, const Link *link, int order)
{
    Ui *ui = g->s->c->ui;
    /* Each query writes at a place of its own, so that numbers do not meet. */
    float t = 0.24f + 0.5f * ((float)(order % 5) / 5);
    float u = t * t * (3 - 2 * t);
    Vec2 at = {side->from + (side->to - side->from) * t,
               middle_of(g, link->i) * (1 - u) + middle_of(g, link->j) * u};
    const char *text = draw_format(ui->list, "%.2f", (double)link->weight);
    float w = ui_text_width(ui, FONT_MONO_MEDIUM, 11, text) + 8;
    draw_rect(ui->list, &(DrawRect){.box = {at.x - w / 2, at.y - 8, w, 16},
                                    .radius = 4,
                                    .fill = color_with_alpha(ui->theme.card, 0.92f)});
    ui_label(ui, rect(at.x - w / 2, at.y - 8, w, 16),
             &(UiLabel){.face = FONT_MONO_MEDIUM,
                        .size = 11,
                        .align = DRAW_CENTER,
                        .color = role_head(ui, side->head).text},
             text);
}

/* ---- keys of the stack that is not in front ---- */

static const TraceToken *side_token(const Side *side, int32_t j)
{
    return &trace_key_tokens(side->trace, NULL)[side->keys.first + j];
}

static const char *side_label(const Graph *g, const Side *side, int32_t j)
{
    ViewContext *c = g->s->c;
    char label[TOKEN_LABEL_MAX];
    const int32_t key = side->keys.first + j;
    if (side->front) {
        return key_label_of(c, key);
    }
    return side->left ? label_of(c, key) /* the queries' own text */
                      : draw_format(c->ui->list, "%s", token_label(side_token(side, j), label));
}

/* Equal tokens of both texts are equal in colour, as they are when the other stack is in front. */
static Color side_color(const Graph *g, const Side *side, int32_t j)
{
    const ViewContext *c = g->s->c;
    const int32_t key = side->keys.first + j;
    if (side->front) {
        return key_token_color(c, key);
    }
    if (side->left) {
        return token_color(c, key);
    }
    int32_t m;
    const TraceToken *keys = trace_key_tokens(side->trace, &m);
    const TraceToken *queries = trace_tokens(side->trace);
    const int32_t n = trace_info(side->trace)->n_queries;
    for (int32_t i = 0; i < n + m; i++) {
        if ((i < n ? queries[i].id : keys[i - n].id) == keys[key].id) {
            return color_token(i);
        }
    }
    return color_token(n + key);
}

static void draw_keys(const Graph *g, const Side *side)
{
    ViewContext *c = g->s->c;
    const float size = g->chip_h >= 28 ? (g->chip_w >= 70 ? 14 : 12) : 12;
    for (int32_t j = 0; j < side->m; j++) {
        const Rect box = {side->x, g->y + g->pitch * (float)j, g->chip_w, g->chip_h};
        if (side->front) {
            const int32_t key = side->keys.first + j;
            teach_token(c, box, key, true, key == c->session->selection.key, size);
            continue;
        }
        const char *stack = trace_stack_name(trace_info(side->trace)->stack);
        bool hot;
        if (ui_click(c->ui, ui_id("graph-beside", j), box, true, &hot, NULL)) {
            session_post(c->session, "stack %s", stack);
        }
        ui_chip(c->ui, box,
                &(UiChip){
                    .text = side_label(g, side, j), .color = side_color(g, side, j), .size = size});
        if (hot) {
            ui_tooltip(c->ui, box,
                       draw_format(c->ui->list, "token %d; a click puts %s attention in front",
                                   side->keys.first + j, stack));
        }
    }
}

/* ---- around the curves ---- */

/* What a straight line between two chips would meet, near enough for pointing. */
static void hover_links(const Graph *g, const Side *side, const Link *links)
{
    MechanismScene *s = g->s;
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    float t = (ui->mouse.x - side->from) / (side->to - side->from);
    float u = t * t * (3 - 2 * t);
    Rect area = {fminf(side->from, side->to), g->y, fabsf(side->to - side->from),
                 g->pitch * (float)AS_MAX(l->n, side->m)};
    for (int32_t k = 0; ui_hovers(ui, area) && k < side->n; k++) {
        float y = middle_of(g, links[k].i) * (1 - u) + middle_of(g, links[k].j) * u;
        if (links[k].shown && fabsf(ui->mouse.y - y) < fmaxf(4, 4 * links[k].weight)) {
            ui_tooltip(ui, rect(ui->mouse.x - 2, ui->mouse.y - 2, 4, 4),
                       draw_format(ui->list, "“%s” reads “%s”: %.6f",
                                   label_of(s->c, l->rows.first + links[k].i),
                                   side_label(g, side, links[k].j), (double)links[k].weight));
            return;
        }
    }
}

static int32_t chosen_row(const Lesson *l)
{
    return AS_CLAMP(l->query - l->rows.first, 0, l->n - 1);
}

static void draw_shares(const Graph *g, const Side *side)
{
    const Lesson *l = g->s->l;
    Ui *ui = g->s->c->ui;
    int32_t row = chosen_row(l);
    int percents[LESSON_MOST];
    int rest;
    lesson_percents(side->weights + (ptrdiff_t)row * side->m, side->m, side->elsewhere[row],
                    percents, &rest);
    for (int32_t j = 0; j < side->m; j++) {
        bool hidden = !is_visible(l, side, row, j);
        ui_label(ui, rect(side->shares, middle_of(g, j) - 9, SHARES_W - 4, 18),
                 &(UiLabel){.face = FONT_MONO_MEDIUM,
                            .size = 12,
                            .align = side->left ? DRAW_LEFT : DRAW_RIGHT,
                            .color = hidden ? ui->theme.text2 : role_head(ui, side->head).text},
                 hidden ? "masked" : draw_format(ui->list, "%d %%", percents[j]));
    }
}

static void draw_legend(const Graph *g, Rect box)
{
    const Lesson *l = g->s->l;
    Ui *ui = g->s->c->ui;
    static const float samples[] = {0.25f, 0.5f, 1};
    Color color = color_head(l->head);
    double elsewhere = (double)l->elsewhere[chosen_row(l)];
    float x = box.x;
    ui_hairline_h(ui, box.x, box.y, box.w);
    float y = box.y + box.h / 2 + 1;
    draw_circle(ui->list, &(DrawCircle){.center = {x + 4, y}, .radius = 4, .fill = color});
    x += 14;
    x += ui_label(ui, rect(x, y - 9, 70, 18), &(UiLabel){.face = FONT_SANS, .size = 11},
                  draw_format(ui->list, "head %d", l->head)) +
         14;
    for (int i = box.w >= 400 ? 0 : 1; i < 3 && box.w >= 280; i++) {
        draw_rect(ui->list, &(DrawRect){.box = {x, y - 4 * samples[i], 22, 8 * samples[i]},
                                        .fill = color_fade(color, 0.3f + 0.6f * samples[i])});
        x += 27;
        x += ui_label(ui, rect(x, y - 9, 44, 18), &(UiLabel){.face = FONT_MONO, .size = 11},
                      draw_format(ui->list, "%.0f %%", 100 * (double)samples[i])) +
             12;
    }
    const char *note = elsewhere > 0.005
                           ? draw_format(ui->list, "elsewhere: %.0f %%", 100 * elsewhere)
                           : "thickness and opacity = weight";
    float room = box.x + box.w - x;
    if (ui_text_width(ui, FONT_SANS, 11, note) > room) {
        note = "width = weight";
    }
    if (room >= 90) {
        ui_label(ui, rect(x, y - 9, room, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT}, note);
    }
}

static const char *links_text(const Graph *g)
{
    DrawList *list = g->s->c->ui->list;
    const Side *a = &g->sides[0];
    const Side *b = &g->sides[1];
    return g->n_sides == 1
               ? draw_format(list, "%d of %d links · %.0f %% of the mass", a->n_shown, a->n,
                             100 * a->mass)
               : draw_format(list, "self %d of %d links · %.0f %%, cross %d of %d · %.0f %%",
                             a->n_shown, a->n, 100 * a->mass, b->n_shown, b->n, 100 * b->mass);
}

static void draw_head(const Graph *g, Rect box)
{
    MechanismScene *s = g->s;
    Ui *ui = s->c->ui;
    bool on = s->c->session->options.curve_weights;
    Rect button = {box.x + box.w - 46, box.y + 1, 46, 22};
    if (ui_button(ui, UI_ID("curve-weights"), button, "0.42", UI_BUTTON_PLAIN)) {
        session_post(s->c->session, "curve-weights");
    }
    ui_tooltip(ui, button,
               on ? "take the weights off the curves" : "write the weights on the curves");
    const char *note = links_text(g);
    float note_w = ui_text_width(ui, FONT_SANS, 11, note);
    const char *title = draw_format(ui->list, "Head %d: %s", s->l->head,
                                    g->n_sides > 1 ? "self beside cross" : "who reads whom");
    float room = box.w - 54;
    float title_w = ui_text_width(ui, FONT_SANS_SEMIBOLD, 13, title);
    bool both = title_w + note_w + 12 <= room;
    ui_label(ui, rect(box.x, box.y, both ? room - note_w - 8 : room, 24),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 13, .color = ui->theme.text}, title);
    if (both) {
        ui_label(ui, rect(box.x, box.y, room, 24),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT}, note);
    } else {
        ui_tooltip(ui, rect(box.x, box.y, room, 24), note);
    }
}

static void draw_columns(const Graph *g, float y)
{
    Ui *ui = g->s->c->ui;
    const Lesson *l = g->s->l;
    /* The words may be a little wider than the chips. */
    const float more = g->n_sides > 1 ? 14 : 0;
    UiLabel small = {.face = FONT_SANS, .size = 11, .align = DRAW_CENTER};
    ui_label(ui, rect(g->queries - more, y, g->chip_w + 2 * more, 18), &small, "query asks");
    for (int k = 0; k < g->n_sides; k++) {
        const Side *side = &g->sides[k];
        const char *words = g->n_sides == 1 ? "key is read"
                            : side->left    ? "self: its own"
                                            : "cross: source";
        ui_label(ui, rect(side->x - more, y, g->chip_w + 2 * more, 18), &small, words);
        if (side->shares >= 0 && g->n_sides == 1) {
            UiLabel end = small;
            end.align = DRAW_RIGHT;
            ui_label(ui, rect(side->shares, y, SHARES_W - 4, 18), &end,
                     draw_format(ui->list, "for “%s”", label_of(g->s->c, l->query)));
        }
    }
}

/* ---- all of it ---- */

static void add_sides(Graph *g)
{
    const Session *session = g->s->c->session;
    const Lesson *l = g->s->l;
    const LessonBeside *b = &l->beside;
    const Side front = {.weights = l->weights,
                        .elsewhere = l->elsewhere,
                        .trace = session->trace,
                        .keys = l->keys,
                        .m = l->m,
                        .head = l->head,
                        .front = true};
    g->sides[0] = front;
    g->n_sides = 1;
    if (b->weights) {
        const Side other = {.weights = b->weights,
                            .elsewhere = b->elsewhere,
                            .trace = session->stacks.stacks[b->stack],
                            .keys = b->keys,
                            .m = b->keys.count,
                            .head = b->head};
        const bool self_first = b->stack == TRACE_STACK_CROSS;
        g->sides[0] = self_first ? front : other;
        g->sides[1] = self_first ? other : front;
        g->sides[0].left = true;
        g->n_sides = 2;
    }
}

static void place(Graph *g, Rect in, float top, float bottom)
{
    int32_t rows = g->s->l->n;
    const bool two = g->n_sides > 1;
    const bool shares = !two || in.w >= 400;
    const float side_w = shares ? SHARES_W : 0;
    for (int k = 0; k < g->n_sides; k++) {
        rows = AS_MAX(rows, g->sides[k].m);
    }
    float room = bottom - top;
    g->chip_w = two ? AS_CLAMP(floorf((in.w - 2 * side_w) * 0.24f), 52, 88)
                    : AS_CLAMP(floorf(in.w * 0.2f), 56, 96);
    g->pitch = fminf(82, room / (float)rows);
    g->chip_h = fminf(40, g->pitch - (g->pitch > 30 ? 8 : 3));
    g->y = top + (room - g->pitch * (float)rows) / 2 + (g->pitch - g->chip_h) / 2;
    g->queries = two ? ui_snap(g->s->c->ui, in.x + (in.w - g->chip_w) / 2) : in.x;
    for (int k = 0; k < g->n_sides; k++) {
        Side *side = &g->sides[k];
        side->x = side->left ? in.x + side_w : in.x + in.w - side_w - g->chip_w;
        side->from = side->left ? g->queries - 3 : g->queries + g->chip_w + 3;
        side->to = side->left ? side->x + g->chip_w + 3 : side->x - 3;
        side->shares = !shares ? -1 : side->left ? in.x : side->x + g->chip_w + 4;
    }
}

void mechanism_graph(MechanismScene *s, Rect card)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    Graph g = {.s = s};
    Link *links[2] = {ARENA_ARRAY(&ui->list->arena, Link, LINKS, NULL),
                      ARENA_ARRAY(&ui->list->arena, Link, LINKS, NULL)};
    if (!links[0] || !links[1] || card.h < 90) {
        return;
    }
    const float legend = 26;
    Rect in = {card.x + 14, card.y + 8, card.w - 28, card.h - 14};
    add_sides(&g);
    for (int k = 0; k < g.n_sides; k++) {
        find_links(l, &g.sides[k], links[k]);
    }
    place(&g, in, in.y + 24 + 20, in.y + in.h - legend - 4);
    teach_well(ui, card, ui->theme.card, ui->theme.edge, 1);
    draw_head(&g, rect(in.x, in.y, in.w, 24));
    draw_columns(&g, in.y + 25);
    for (int side = 0; side < g.n_sides; side++) {
        const Side *at = &g.sides[side];
        for (int32_t k = at->n - 1, order = at->n_shown - 1; k >= 0; k--) {
            if (links[side][k].shown) { /* the strongest first in time and last in place */
                draw_link(&g, at, &links[side][k], order--);
            }
        }
        for (int32_t k = 0, order = 0; s->c->session->options.curve_weights && k < at->n; k++) {
            if (links[side][k].shown && phase_of(s->t, 7.4, order, 0.1, 0.3) > 0.5f) {
                draw_link_number(&g, at, &links[side][k], order);
            }
            order += links[side][k].shown;
        }
    }
    for (int32_t i = 0; i < l->n; i++) {
        int32_t token = l->rows.first + i;
        teach_token(s->c, rect(g.queries, g.y + g.pitch * (float)i, g.chip_w, g.chip_h), token,
                    false, token == l->query, g.chip_h >= 28 && g.chip_w >= 70 ? 14 : 12);
    }
    for (int side = 0; side < g.n_sides; side++) {
        draw_keys(&g, &g.sides[side]);
        draw_push_alpha(ui->list, phase(s->t, 7.6, 8.2));
        if (g.sides[side].shares >= 0) {
            draw_shares(&g, &g.sides[side]);
        }
        draw_pop_alpha(ui->list);
        hover_links(&g, &g.sides[side], links[side]);
    }
    draw_legend(&g, rect(in.x, in.y + in.h - legend, in.w, legend));
}
