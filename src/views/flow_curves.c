#include "views/flow.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "views/internal.h"

/* Curves, what runs along them, and the haze of all the others. */

/* ---- what runs ---- */

typedef struct Stream {
    DrawParticle *items;
    size_t n, most;
} Stream;

static double fraction(uint64_t seed)
{
    Random r = {seed};
    return random_uniform(&r);
}

/* How many run on a curve at once, in proportion to its weight. */
static float wished(const FlowEdge *e, int strength)
{
    static const float LEAST = 0.12f; /* none on weaker curves: the eye could not tell them */
    float w = AS_MIN(e->weight, 1.0f);
    return w < LEAST && strength < 2 ? 0 : fmaxf(roundf((strength > 0 ? 9.0f : 5.0f) * w), 1);
}

/* share: of those that are wished for; which curves have none then is a matter of chance, the same
 * in every frame. */
static void add_particles(const FlowScene *s, Stream *out, uint32_t curve, const FlowEdge *e,
                          const DrawCurve *c, int strength, float share)
{
    bool lit = strength > 0;
    float w = AS_MIN(e->weight, 1.0f);
    uint64_t seed = (uint64_t)(uint32_t)e->row << 32 | (uint64_t)(uint32_t)(e->col * 64 + e->slot);
    double start = fraction(seed);
    double dice = fraction(seed ^ 0x9E3779B97F4A7C15u);
    int32_t n = (int32_t)((double)(share * wished(e, strength)) + (share < 1 ? dice : 0));
    bool arrows = s->options->arrows;
    for (int32_t k = 0; k < n && out->n < out->most; k++) {
        float speed = 0.10f + 0.12f * w;
        out->items[out->n++] = (DrawParticle){
            .curve = curve,
            .phase = (float)fmod(start + (double)k / n, 1),
            .speed = arrows ? speed : -speed,
            .radius = arrows ? (lit ? 4.5f : 3.2f)
                      : lit  ? 1.3f + 1.6f * w
                             : 0.9f + 0.9f * w,
            .halo = lit ? 6 + 8 * w : 4 + 3 * w,
            .tail = arrows ? 0
                    : lit  ? 14 * w + 4
                           : 0,
            .enter_s = c->enter_s + FLOW_DRAW_S * 0.8f,
            .color = color_with_alpha(color_mix(c->color, (Color){1, 1, 1, 1}, lit ? 0.25f : 0.1f),
                                      lit ? 0.95f : 0.6f)};
    }
}

/* ---- fading from one set to the next ---- */

static bool keep_curves(DrawCurve **to, size_t *n, size_t *most, const DrawCurve *from,
                        size_t n_from)
{
    if (!array_reserve(to, most, n_from, sizeof **to, NULL)) {
        *n = 0;
        return false;
    }
    if (n_from > 0) {
        memcpy(*to, from, n_from * sizeof **to);
    }
    *n = n_from;
    return true;
}

static uint64_t picture_of(const FlowScene *s)
{
    uint64_t parts[] = {s->map->version, (uint64_t)s->options->mode};
    return random_hash(parts, sizeof parts);
}

/* How far the new curves have come, 0..1. */
static float crossfade(FlowScene *s)
{
    FlowView *v = s->view;
    Ui *ui = s->c->ui;
    uint64_t now = picture_of(s);
    if (v->last_map && v->last_map != now && !ui->still &&
        keep_curves(&v->old, &v->n_old, &v->most_old, v->last, v->n_last)) {
        v->faded_s = ui->now_s;
    }
    v->last_map = now;
    double t = v->n_old ? (ui->now_s - v->faded_s) / EASE_STATE_S : 1;
    if (t >= 1 || t < 0 || ui->still) {
        v->n_old = 0;
        return 1;
    }
    ui->moves = true;
    return (float)ease_out_cubic(t);
}

/* ---- all of it ---- */

typedef struct Sets {
    DrawCurve *dim, *lit;
    const FlowEdge **dim_edges, **lit_edges;
    size_t n_dim, n_lit;
} Sets;

static bool make_sets(const FlowScene *s, Sets *out)
{
    Arena *a = &s->c->ui->list->arena;
    size_t n = (size_t)s->edges->n;
    out->dim = ARENA_ARRAY(a, DrawCurve, n, NULL);
    out->lit = out->dim ? ARENA_ARRAY(a, DrawCurve, n, NULL) : NULL;
    out->dim_edges = out->lit ? ARENA_ARRAY(a, const FlowEdge *, n, NULL) : NULL;
    out->lit_edges = out->dim_edges ? ARENA_ARRAY(a, const FlowEdge *, n, NULL) : NULL;
    if (!out->lit_edges) {
        return false;
    }
    /* The weakest first: the strong lie on top. */
    for (int32_t pass = 1; pass <= 2; pass++) {
        for (size_t i = n; i-- > 0;) {
            const FlowEdge *e = &s->edges->edges[i];
            int strength = flow_strength(s, e);
            if (!flow_in_view(s, e) || (strength == 2) != (pass == 2)) {
                continue;
            }
            bool lit = strength > 0;
            size_t *at = lit ? &out->n_lit : &out->n_dim;
            (lit ? out->lit : out->dim)[*at] = flow_curve(s, e, strength);
            (lit ? out->lit_edges : out->dim_edges)[(*at)++] = e;
        }
    }
    return true;
}

/* Where hundreds of curves meet in one key their sum would be white, whatever they weigh: then they
 * lie over each other instead, and what they come to is the head's own colour. */
static bool is_crowded(const FlowScene *s, const DrawCurve *curves, size_t n)
{
    enum { BINS = 64 };
    static const float MOST = 2.5f; /* opacities that end within a 64th of the height */
    float sums[BINS] = {0};
    bool crowded = false;
    for (size_t i = 0; i < n; i++) {
        bool arcs = s->options->mode == FLOW_ARCS;
        float at = arcs ? (curves[i].b.x - s->area.x) / fmaxf(s->area.w, 1)
                        : (curves[i].b.y - s->area.y) / fmaxf(s->area.h, 1);
        int bin = (int)AS_CLAMP(at * BINS, 0.0f, (float)BINS - 1);
        sums[bin] += curves[i].color.a;
        crowded |= sums[bin] > MOST;
    }
    return crowded;
}

static void draw_set(const FlowScene *s, const DrawCurve *curves, size_t n, bool lit)
{
    Ui *ui = s->c->ui;
    bool dark = ui->theme.dark;
    bool add = dark && !lit && !is_crowded(s, curves, n);
    draw_set_blend(ui->list, add ? DRAW_ADD : DRAW_OVER);
    draw_curves(ui->list, &(DrawCurves){.curves = curves,
                                        .n = n,
                                        .time_s = s->time_s,
                                        .draw_s = FLOW_DRAW_S,
                                        .core = {1, 1, 1, dark ? 0.75f : 0.5f},
                                        .glow_over = !(add || (dark && lit))});
    draw_set_blend(ui->list, DRAW_OVER);
}

static void draw_running(const FlowScene *s, const DrawCurve *curves, const FlowEdge **edges,
                         size_t n, bool lit)
{
    /* Beyond so many in one picture they no longer show which way anything runs. */
    static const float MOST_DIM = 320, MOST_LIT = 480;
    Ui *ui = s->c->ui;
    Stream stream = {.most = n * 10 + 16};
    stream.items = ARENA_ARRAY(&ui->list->arena, DrawParticle, stream.most, NULL);
    float all = 0;
    for (size_t i = 0; i < n; i++) {
        all += wished(edges[i], lit ? flow_strength(s, edges[i]) : 0);
    }
    const float share = fminf(1, (lit ? MOST_LIT : MOST_DIM) / fmaxf(all, 1));
    for (size_t i = 0; stream.items && i < n; i++) {
        int strength = lit ? flow_strength(s, edges[i]) : 0;
        add_particles(s, &stream, (uint32_t)i, edges[i], &curves[i], strength, share);
    }
    if (!stream.n) {
        return;
    }
    bool dark = ui->theme.dark;
    draw_particles(ui->list,
                   &(DrawParticles){.curves = curves,
                                    .n_curves = n,
                                    .items = stream.items,
                                    .n = stream.n,
                                    .time_s = s->time_s,
                                    .shape = s->options->arrows ? PARTICLE_ARROW : PARTICLE_DOT,
                                    .core = dark ? (Color){1, 1, 1, 1} : ui->theme.card,
                                    .over = !dark});
}

/* The weight on the curve that is meant. */
static void draw_label(const FlowScene *s, const FlowEdge *e, const DrawCurve *c)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    bool single = s->queries.block == 1 && s->keys.block == 1;
    const char *text = draw_format(ui->list, single ? "%.3f" : "%.2f",
                                   single ? (double)e->weight : (double)e->mass);
    Vec2 at = curve_at(c, s->options->mode == FLOW_ARCS ? 0.5f : 0.42f);
    float w = ui_text_width(ui, FONT_MONO, 12, text) + 18;
    Rect box = {ui_snap(ui, at.x - w / 2), ui_snap(ui, at.y - 13), w, 26};
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 6,
                                    .fill = t->dark ? t->status : t->card,
                                    .border = 1,
                                    .border_color = color_mix(t->card, c->color, 0.7f)});
    ui_label(ui, box,
             &(UiLabel){.face = FONT_MONO, .size = 12, .align = DRAW_CENTER, .color = t->text},
             text);
}

/* What the pointer is on, for this frame and the next. */
static void point(FlowScene *s, const Sets *sets)
{
    Ui *ui = s->c->ui;
    FlowFocus *f = &s->view->hovered;
    bool was = f->edge_hovered;
    if (!ui_hovers(ui, s->area) || f->token_hovered || s->view->pans) {
        f->edge_hovered = false;
        return;
    }
    if (!ui->mouse_moved && !ui->pressed[0] && !was) {
        return;
    }
    const DrawCurve *sources[2] = {sets->lit, sets->dim};
    const FlowEdge **edges[2] = {sets->lit_edges, sets->dim_edges};
    const size_t n[2] = {sets->n_lit, sets->n_dim};
    const FlowEdge *hit = NULL;
    for (int i = 0; i < 2 && !hit; i++) {
        DrawCurves set = {
            .curves = sources[i], .n = n[i], .time_s = s->time_s, .draw_s = FLOW_DRAW_S};
        size_t k = curves_pick(&set, ui->mouse, 3);
        hit = k < n[i] ? edges[i][k] : NULL;
    }
    f->edge_hovered = hit;
    if (!hit) {
        return;
    }
    f->row = hit->row;
    f->col = hit->col;
    ui->cursor = UI_CURSOR_HAND;
    Session *session = s->c->session;
    bool single = s->queries.block == 1 && s->keys.block == 1;
    Rect spot = rect(ui->mouse.x - 8, ui->mouse.y - 8, 16, 16);
    if (hit->rank < 0) {
        ui_tooltip(ui, spot,
                   draw_format(ui->list, "%.2f %% is read from keys out of view, %s",
                               100 * (double)hit->weight,
                               hit->col * s->keys.block < s->keys.first ? "above" : "below"));
        return;
    }
    if (single && ui->mouse_moved && !session->selection.pinned &&
        (session->selection.query != hit->row || session->selection.key != hit->col)) {
        session_post(session, "hover %d %d", hit->row, hit->col);
    }
    const char *as = s->options->by_value && !single ? "mass times value" : "mass";
    ui_tooltip(ui, spot,
               single ? draw_format(ui->list, "%s %d reads %s %d: %.6f (head %d)",
                                    flow_block_label(s, hit->row, false), hit->row,
                                    flow_block_label(s, hit->col, true), hit->col,
                                    (double)hit->weight, s->map->heads[hit->slot])
                      : draw_format(ui->list,
                                    "queries %d–%d read keys %d–%d: %s %.3f, %.1f %% of theirs",
                                    hit->row * s->queries.block,
                                    AS_MIN((hit->row + 1) * s->queries.block, s->queries.n) - 1,
                                    hit->col * s->keys.block,
                                    AS_MIN((hit->col + 1) * s->keys.block, s->keys.n) - 1, as,
                                    (double)hit->mass, 100 * (double)hit->weight));
    if (ui_click(ui, UI_ID("flow-curve"), spot, false, NULL, NULL)) {
        const Selection *sel = &session->selection;
        if (!single) { /* a bundle opens */
            s->view->zoom_goal *= 4;
            s->view->middle_goal = ((double)hit->row + 0.5) * s->queries.block / s->queries.n;
        } else if (sel->pinned && sel->query == hit->row && sel->key == hit->col) {
            session_post(session, "unpin");
        } else {
            session_post(session, "pin %d %d", hit->row, hit->col);
        }
    }
}

void flow_draw_curves(FlowScene *s)
{
    Ui *ui = s->c->ui;
    FlowView *v = s->view;
    if (!s->edges) {
        return;
    }
    Sets sets = {0};
    if (!make_sets(s, &sets)) {
        return;
    }
    float fade = crossfade(s);
    if (fade < 1 && v->n_old) {
        draw_push_alpha(ui->list, 1 - fade);
        draw_set_blend(ui->list, ui->theme.dark ? DRAW_ADD : DRAW_OVER);
        draw_curves(ui->list, &(DrawCurves){.curves = v->old,
                                            .n = v->n_old,
                                            .core = {1, 1, 1, 0.75f},
                                            .glow_over = !ui->theme.dark});
        draw_set_blend(ui->list, DRAW_OVER);
        draw_pop_alpha(ui->list);
    }
    draw_push_alpha(ui->list, fade);
    draw_set(s, sets.dim, sets.n_dim, false);
    draw_running(s, sets.dim, sets.dim_edges, sets.n_dim, false);
    draw_set(s, sets.lit, sets.n_lit, true);
    draw_running(s, sets.lit, sets.lit_edges, sets.n_lit, true);
    draw_pop_alpha(ui->list);
    for (size_t i = 0; i < sets.n_lit; i++) {
        if (flow_strength(s, sets.lit_edges[i]) == 2 &&
            s->time_s > (double)(sets.lit[i].enter_s + FLOW_DRAW_S) - 0.2) {
            draw_label(s, sets.lit_edges[i], &sets.lit[i]);
            break;
        }
    }
    if (keep_curves(&v->last, &v->n_last, &v->most_last, sets.dim, sets.n_dim) &&
        array_reserve(&v->last, &v->most_last, sets.n_dim + sets.n_lit, sizeof *v->last, NULL)) {
        memcpy(v->last + sets.n_dim, sets.lit, sets.n_lit * sizeof *v->last);
        v->n_last = sets.n_dim + sets.n_lit;
    }
    point(s, &sets);
}

/* ---- the rest ---- */

static float smooth(float t)
{
    return t * t * (3 - 2 * t);
}

/* The mass of a pair along its curve: in every column of the picture it lies between the heights at
 * the column's two sides. */
static void splat(const FlowScene *s, float *grid, float y0, float y1, float mass)
{
    float scale = REST_H / s->area.h;
    float before = (y0 - s->area.y) * scale - 0.5f;
    for (int x = 0; x < REST_W; x++) {
        float y = y0 + (y1 - y0) * smooth((float)(x + 1) / REST_W);
        float after = (y - s->area.y) * scale - 0.5f;
        float lo = fminf(before, after) - 0.5f;
        float hi = fmaxf(before, after) + 0.5f;
        int first = (int)floorf(AS_MAX(lo, -1.0f));
        int last = (int)ceilf(AS_MIN(hi, (float)REST_H));
        for (int row = AS_MAX(first, 0); row < AS_MIN(last, REST_H); row++) {
            float part = fminf(hi, (float)row + 1) - fmaxf(lo, (float)row);
            grid[row * REST_W + x] += mass * fmaxf(part, 0) / (hi - lo);
        }
        before = after;
    }
}

/* What of a row is not drawn as a curve: left [n_cols + 2], as in dense. Returns what weights are
 * measured against. */
static double rest_of_row(const FlowScene *s, int32_t slot, int32_t r, float *left)
{
    const FlowMap *map = s->map;
    size_t at = (size_t)slot * (size_t)map->n_rows + (size_t)r;
    int32_t c0 = map->key.col0 / map->key.col_block;
    int32_t n = map->n_cols + 2;
    memcpy(left, map->dense + at * (size_t)n, (size_t)n * sizeof *left);
    int32_t taken = flow_take(map->top + at * (size_t)map->n_top, map->n_top, map->row_mass[at],
                              map->n_queries[r], s->options, map->key.by_value);
    for (int32_t k = 0; k < taken; k++) {
        const FlowTop *top = &map->top[at * (size_t)map->n_top + (size_t)k];
        int32_t c = AS_CLAMP(top->col - c0 + 1, 0, n - 1);
        left[c] = fmaxf(left[c] - top->mass, 0);
    }
    return map->key.by_value ? map->row_mass[at] : map->n_queries[r];
}

static void splat_row(const FlowScene *s, float *grid, int32_t slot, int32_t r, float *left)
{
    const FlowMap *map = s->map;
    int32_t row = map->key.row0 / map->key.row_block + r;
    int32_t c0 = map->key.col0 / map->key.col_block;
    int32_t n = map->n_cols + 2;
    double unit = rest_of_row(s, slot, r, left);
    float y0 = flow_block_at(&s->queries, row);
    if (y0 < s->area.y - 40 || y0 > s->area.y + s->area.h + 40 || !(unit > 0)) {
        return;
    }
    int32_t first;
    int32_t end;
    flow_axis_blocks(&s->keys, &first, &end);
    for (int32_t c = AS_MAX(first - c0 + 1, 0); c < AS_MIN(end - c0 + 1, n); c++) {
        float mass = (float)((double)left[c] / unit / map->n_heads);
        if (mass > 1e-5f) {
            float y1 = flow_block_at(&s->keys, c0 + c - 1);
            splat(s, grid, y0, flow_clamp(&s->keys, y1), mass);
        }
    }
}

static void color_rest(const FlowScene *s, const float *grid, unsigned char *rgba)
{
    Color c = s->map->n_heads > 1 ? s->c->ui->theme.text3 : flow_head_color(s, s->slot);
    for (int i = 0; i < REST_W * REST_H; i++) {
        /* Faint, but the faintest is still there. */
        float a = 1 - expf(-1.6f * sqrtf(fmaxf(grid[i], 0)));
        uint32_t packed = color_pack(color_with_alpha(c, 0.34f * a));
        memcpy(rgba + 4 * i, &packed, 4);
    }
}

/* Arcs share no field that a picture could cover: the rest are hairlines, as faint as they weigh.
 */
static void draw_faint_arcs(const FlowScene *s)
{
    static const float LEAST = 1e-4f;
    const FlowMap *map = s->map;
    Arena *a = &s->c->ui->list->arena;
    size_t most = (size_t)map->n_heads * (size_t)map->n_rows * (size_t)map->n_cols;
    DrawCurve *curves = ARENA_ARRAY(a, DrawCurve, most, NULL);
    float *left = curves ? ARENA_ARRAY(a, float, (size_t)map->n_cols + 2, NULL) : NULL;
    size_t n = 0;
    for (int32_t slot = 0; left && slot < map->n_heads; slot++) {
        Color color = flow_head_color(s, slot);
        for (int32_t r = 0; r < map->n_rows; r++) {
            double unit = rest_of_row(s, slot, r, left);
            for (int32_t c = 0; c < map->n_cols && unit > 0; c++) {
                FlowEdge e = {.row = map->key.row0 / map->key.row_block + r,
                              .col = map->key.col0 / map->key.col_block + c,
                              .slot = slot,
                              .weight = (float)((double)left[c + 1] / unit)};
                if (e.weight > LEAST && flow_in_view(s, &e)) {
                    float alpha = (0.03f + 0.5f * e.weight) / sqrtf((float)map->n_heads);
                    curves[n] = (DrawCurve){.width = 1, .color = color_with_alpha(color, alpha)};
                    flow_place_arc(s, &e, &curves[n++]);
                }
            }
        }
    }
    draw_curves(s->c->ui->list, &(DrawCurves){.curves = curves, .n = n});
}

void flow_draw_rest(FlowScene *s)
{
    FlowView *v = s->view;
    Ui *ui = s->c->ui;
    if (!s->edges) {
        return;
    }
    if (s->options->mode == FLOW_ARCS) {
        draw_push_alpha(ui->list, (float)ease_out_cubic(s->time_s / (double)FLOW_DRAW_S));
        draw_faint_arcs(s);
        draw_pop_alpha(ui->list);
        return;
    }
    float where[] = {s->area.x,
                     s->area.y,
                     s->area.w,
                     s->area.h,
                     (float)s->queries.first,
                     (float)s->queries.px,
                     (float)s->options->pick,
                     flow_coverage(s->options),
                     (float)flow_top_k(s->options),
                     flow_threshold(s->options),
                     (float)ui->theme.id};
    uint64_t parts[] = {s->map->version, random_hash(where, sizeof where)};
    uint64_t key = random_hash(parts, sizeof parts);
    if (key != v->rest_key) {
        Arena *a = &ui->list->arena;
        float *grid = ARENA_ARRAY(a, float, (size_t)REST_W *REST_H, NULL);
        float *left = grid ? ARENA_ARRAY(a, float, (size_t)s->map->n_cols + 2, NULL) : NULL;
        if (!v->rest) {
            v->rest = mem_alloc((size_t)REST_W * REST_H * 4, NULL);
        }
        if (!left || !v->rest) {
            return;
        }
        for (int32_t slot = 0; slot < s->map->n_heads; slot++) {
            for (int32_t r = 0; r < s->map->n_rows; r++) {
                splat_row(s, grid, slot, r, left);
            }
        }
        color_rest(s, grid, v->rest);
        v->rest_key = key;
        v->rest_version = key | 1;
    }
    draw_push_alpha(ui->list, (float)ease_out_cubic(s->time_s / (double)FLOW_DRAW_S));
    draw_image(ui->list, &(DrawImage){.box = {s->left, s->area.y, s->right - s->left, s->area.h},
                                      .pixels = v->rest,
                                      .width = REST_W,
                                      .height = REST_H,
                                      .version = v->rest_version,
                                      .smooth = true});
    draw_pop_alpha(ui->list);
}
