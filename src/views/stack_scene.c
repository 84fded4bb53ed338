/* The Stack view's scene: sheets, edges, streams and curves. */
#include "views/stack.h"

#include <math.h>
#include <string.h>

#include "views/head_grid.h"
#include "views/internal.h"

/* More tokens than this have no stream each. */
enum { MOST_STREAMS = 64, MOST_BLOOM = 40 };

static const float BULGE = 0.2f * 4 / 3; /* a cubic's handles for a middle that is 0.2 out */

typedef struct Scene {
    StackModel *m;
    ARRAY_OF(ScenePlane) planes;
    ARRAY_OF(SceneCurve) curves;
    ARRAY_OF(SceneDot) dots;
    int32_t streams[MOST_STREAMS + STACK_CURVES_A_PLANE + 1];
    int32_t n_streams;
    bool failed;
} Scene;

static void add_curve(Scene *s, SceneCurve curve)
{
    s->failed |= !ARRAY_PUSH(&s->curves, curve, NULL);
}

static void add_dot(Scene *s, SceneDot dot)
{
    s->failed |= !ARRAY_PUSH(&s->dots, dot, NULL);
}

static void add_line(Scene *s, Vec3 a, Vec3 b, float width, Color color)
{
    add_curve(s, (SceneCurve){.p = {a, a, b, b}, .straight = true, .width = width, .color = color});
}

/* ---- sheets ---- */

uint64_t stack_plane_tag(const StackPlane *p)
{
    return (uint64_t)p->first + 1 + (p->last > p->first ? STACK_GROUP_TAG : 0);
}

/* How strongly a plane is there: the others step back while the camera is at one. */
static float presence(const StackModel *m, const StackPlane *p)
{
    if (p->focus) {
        return 1;
    }
    bool above = (float)p->first > m->focus;
    const Playback *play = &m->c->session->playback;
    float lit = play->playing && above ? 0.55f : 1;
    bool before = above == (m->eye.eye.y > p->y); /* between the eye and the focus */
    float back = AS_MAX((above ? 0.94f : 0.7f) * m->fly, (before ? 0.97f : 0.5f) * m->steep);
    return p->alpha * (1 - back) * lit;
}

static SceneCells cells_of(const StackModel *m, int32_t layer)
{
    const StackPatterns *p = m->patterns;
    if (!p || layer >= p->n_layers) {
        return (SceneCells){0};
    }
    size_t n = (size_t)p->rows * (size_t)p->cols;
    return (SceneCells){.values = p->values + (size_t)layer * n,
                        .rows = p->rows,
                        .cols = p->cols,
                        .version = p->version + (uint64_t)layer};
}

/* The layers of a group together, kept until patterns or groups change. */
static SceneCells group_cells(const StackModel *m, int32_t group)
{
    StackView *v = m->view;
    const StackPatterns *p = m->patterns;
    if (!p) {
        return (SceneCells){0};
    }
    size_t n = (size_t)p->rows * (size_t)p->cols;
    int32_t n_groups = (m->n_layers + m->every - 1) / m->every;
    if (v->groups_of != p->version || v->groups_every != m->every || !v->groups) {
        mem_free(v->groups);
        v->groups = mem_alloc_zeroed((size_t)n_groups * n, sizeof *v->groups, NULL);
        v->groups_of = p->version;
        v->groups_every = m->every;
        v->groups_version += (uint64_t)n_groups;
        bool largest = p->heads == STACK_HEADS_MAX;
        for (int32_t l = 0; v->groups && l < AS_MIN(m->n_layers, p->n_layers); l++) {
            int32_t g = l / m->every;
            int32_t count = AS_MIN((g + 1) * m->every, m->n_layers) - g * m->every;
            float *to = v->groups + (size_t)g * n;
            const float *from = p->values + (size_t)l * n;
            for (size_t i = 0; i < n; i++) {
                to[i] = !largest            ? to[i] + from[i] / (float)count
                        : l % m->every == 0 ? from[i]
                                            : AS_MAX(to[i], from[i]);
            }
        }
    }
    return (SceneCells){.values = v->groups ? v->groups + (size_t)group * n : NULL,
                        .rows = p->rows,
                        .cols = p->cols,
                        .version = ((uint64_t)1 << 62) + v->groups_version + (uint64_t)group};
}

static void add_sheet(Scene *s, const StackPlane *p)
{
    const StackModel *m = s->m;
    const Theme *t = &m->c->ui->theme;
    float opacity = AS_MIN(m->opacity / 0.65f, 1.55f);
    float focus_opacity = 0.35f + 0.65f * AS_MIN(opacity, 1.0f);
    float alpha = presence(m, p) * (p->focus ? focus_opacity : opacity);
    Color sheet = p->focus ? color_mix(t->card, t->accent_tint, 0.25f) : t->card;
    ScenePlane plane = {.y = p->y,
                        .x0 = -STACK_WIDTH / 2,
                        .z0 = -STACK_DEPTH / 2,
                        .x1 = STACK_WIDTH / 2,
                        .z1 = STACK_DEPTH / 2,
                        .sheet = color_with_alpha(sheet, p->focus ? 0.9f : 0.66f),
                        .cell_alpha = p->focus ? 0.55f : 0.36f,
                        .cell_alpha_more = p->focus ? 0.45f : 0.6f,
                        .skip = 0.03f,
                        .tag = stack_plane_tag(p)};
    if (alpha > 1) {
        plane.sheet.a = AS_MIN(plane.sheet.a * alpha, 1.0f);
        plane.cell_alpha = AS_MIN(plane.cell_alpha * alpha, 1.0f);
        plane.cell_alpha_more = AS_MIN(plane.cell_alpha_more * alpha, 1 - plane.cell_alpha);
        alpha = 1;
    }
    plane.alpha = alpha;
    bool group = p->last > p->first;
    plane.cells =
        group ? group_cells(m, p->first / m->every) : cells_of(m, p->focus ? p->from : p->first);
    if (p->focus && m->fine) {
        plane.cells = (SceneCells){.values = m->fine->values,
                                   .rows = m->fine->rows,
                                   .cols = m->fine->cols,
                                   .version = ((uint64_t)1 << 61) + m->fine->version};
    } else if (p->focus && p->mix > 0) {
        plane.next = cells_of(m, p->first);
        plane.mix = p->mix;
    }
    if (alpha > 0.01f) {
        s->failed |= !ARRAY_PUSH(&s->planes, plane, NULL);
    }
}

static void add_edges(Scene *s, const StackPlane *p)
{
    const StackModel *m = s->m;
    const Theme *t = &m->c->ui->theme;
    float there = presence(m, p);
    float x = STACK_WIDTH / 2;
    float z = STACK_DEPTH / 2;
    Vec3 corner[4] = {{-x, p->y, z}, {x, p->y, z}, {x, p->y, -z}, {-x, p->y, -z}};
    /* The two sides that face the eye are as thick as a sheet, the others hairlines. */
    bool facing[4] = {m->eye.eye.z > 0, m->eye.eye.x > 0, m->eye.eye.z <= 0, m->eye.eye.x <= 0};
    float thick = AS_CLAMP(0.022f * m->px, 1.5f, 7.0f);
    for (int i = 0; i < 4; i++) {
        Color color = p->focus ? t->accent : color_mix(t->edge, t->edge2, 0.7f);
        float alpha = facing[i] ? 0.95f : p->focus ? 0.8f : 0.5f;
        SceneCurve edge = {.p = {corner[i], corner[i], corner[(i + 1) % 4], corner[(i + 1) % 4]},
                           .straight = true,
                           .width = facing[i]  ? thick
                                    : p->focus ? 1.5f
                                               : 1,
                           .color = color_with_alpha(color, alpha * there)};
        if (p->focus && facing[i]) {
            edge.glow = 26 * m->size;
            edge.glow_alpha = t->dark ? 0.16f : 0.08f;
        }
        add_curve(s, edge);
    }
}

/* The query's row as a frame on the sheet. */
static void add_row(Scene *s, const StackPlane *p)
{
    const StackModel *m = s->m;
    const Session *session = m->c->session;
    int32_t query = session->selection.query;
    int32_t first;
    int32_t end;
    trace_visible_keys(session->trace, p->first, query, &first, &end);
    if (first >= end) {
        return;
    }
    float x0 = stack_key_x(m, (float)first - 0.5f);
    float x1 = stack_key_x(m, (float)end - 0.5f);
    float z0 = stack_query_z(m, (float)query - 0.5f);
    float z1 = stack_query_z(m, (float)query + 0.5f);
    Color color =
        color_with_alpha(token_color(m->c, query), (p->focus ? 1 : 0.4f) * presence(m, p));
    float width = p->focus ? 2 : 1;
    Vec3 corner[4] = {{x0, p->y, z0}, {x1, p->y, z0}, {x1, p->y, z1}, {x0, p->y, z1}};
    bool thin = (z1 - z0) * m->px < 3;
    for (int i = 0; i < 4; i++) {
        if (!thin || i == 0) {
            add_line(s, corner[i], corner[(i + 1) % 4], width, color);
        }
    }
}

/* Light around the strongest cells in focus. */
static void add_bloom(Scene *s, const StackPlane *p)
{
    const StackModel *m = s->m;
    const StackPatterns *k = m->patterns;
    if (!k || !m->c->ui->theme.dark || p->first >= k->n_layers || k->rows > 64 || k->cols > 64) {
        return;
    }
    Colormap map = weight_map(m->c->ui);
    const float *values = k->values + (size_t)p->first * (size_t)k->rows * (size_t)k->cols;
    int32_t n = 0;
    for (int32_t i = 0; i < k->rows * k->cols && n < MOST_BLOOM; i++) {
        float w = values[i];
        if (!(w > 0.2f)) {
            continue;
        }
        float x = stack_key_x(m, ((float)(i % k->cols) + 0.5f) * (float)k->col_texel - 0.5f);
        float z = stack_query_z(m, ((float)(i / k->cols) + 0.5f) * (float)k->row_texel - 0.5f);
        Color color = colormap_eval(map, sqrtf(w));
        add_dot(s, (SceneDot){.at = {x, p->y, z},
                              .radius = 0.5f,
                              .color = color_with_alpha(color, 0),
                              .glow = 46 * m->size,
                              .glow_alpha = 0.07f * w * (1 - 0.7f * m->fly)});
        n++;
    }
}

/* ---- streams and curves ---- */

static bool has_stream(const Scene *s, int32_t token)
{
    for (int32_t i = 0; i < s->n_streams; i++) {
        if (s->streams[i] == token) {
            return true;
        }
    }
    return false;
}

static void want_stream(Scene *s, int32_t token)
{
    if (s->n_streams < (int32_t)AS_COUNT(s->streams) && !has_stream(s, token)) {
        s->streams[s->n_streams++] = token;
    }
}

static void choose_streams(Scene *s)
{
    const StackModel *m = s->m;
    int32_t n = m->n_queries;
    want_stream(s, m->c->session->selection.query);
    int32_t count = n <= MOST_STREAMS ? n : 24;
    for (int32_t i = 0; i < count; i++) {
        want_stream(s, (int32_t)((int64_t)i * (n - 1) / AS_MAX(count - 1, 1)));
    }
}

static void add_streams(Scene *s)
{
    const StackModel *m = s->m;
    int32_t chosen = m->c->session->selection.query;
    float drop = stack_drop(m);
    float there = 1 - 0.8f * m->fly;
    for (int32_t i = 0; i < s->n_streams; i++) {
        int32_t token = s->streams[i];
        bool on = token == chosen;
        Color color = token_color(m->c, token);
        Vec3 low = stack_stream_at(m, token, m->y_low - drop);
        Vec3 high = stack_stream_at(m, token, m->y_high + 0.14f);
        Vec3 below = stack_stream_at(m, token, m->y_high + 0.02f);
        SceneCurve line = {.p = {low, low, below, below},
                           .straight = true,
                           .width = on ? 3 * m->size : 1.1f,
                           .color = color_with_alpha(color, (on ? 1 : 0.26f) * there),
                           .core = on ? 0.35f : 0,
                           .glow = on ? 12 * m->size : 0,
                           .glow_alpha = 0.28f * there};
        add_curve(s, line);
        /* It goes on to the model's output: the line fades out above the last sheet. */
        line.p[0] = line.p[1] = below;
        line.p[2] = line.p[3] = high;
        line.color_end = color_with_alpha(color, 0.004f);
        line.core = 0;
        line.glow = 0;
        add_curve(s, line);
        for (int32_t k = 0; k < m->n_planes; k++) {
            float near = presence(m, &m->planes[k]);
            add_dot(s, (SceneDot){.at = stack_stream_at(m, token, m->planes[k].y),
                                  .radius = (on ? 4 : 1.7f) * m->size,
                                  .color = color_with_alpha(color, (on ? 1 : 0.85f) * near),
                                  .glow = on && m->planes[k].focus ? 26 * m->size : 0,
                                  .glow_alpha = 0.6f});
        }
    }
}

/* How far the focus curves are drawn, and their strength while the layer comes. */
static float drawn_part(const StackModel *m)
{
    const Session *s = m->c->session;
    double t = playback_time(&s->playback);
    double rise = s->selection.layer > 0 ? STACK_RISE_S : 0;
    return (float)ease_out_cubic(ease_span(t, rise * 0.6, STACK_LAYER_S * 0.85));
}

static void add_particles(Scene *s, const SceneCurve *curve, float weight)
{
    const StackModel *m = s->m;
    double t = playback_time(&m->c->session->playback);
    int n = AS_CLAMP((int)(14 * weight), 1, 5);
    Color bright = m->c->ui->theme.dark ? (Color){1, 1, 1, 1} : m->c->ui->theme.text;
    for (int i = 0; i < n; i++) {
        /* Places of their own on every curve, from its weight: no clock, no memory. */
        double at = fmod((double)i / n + 0.37 * (double)weight + 0.4 * t, 1.0);
        if (at > (double)curve->t1) {
            continue;
        }
        float edge = (float)AS_MIN(AS_MIN(at, 1 - at) * 8, 1.0);
        add_dot(s, (SceneDot){.at = scene3d_curve_at(curve, (float)at),
                              .radius = 2.4f * m->size,
                              .color = color_mix(curve->color, bright, 0.85f * edge),
                              .glow = 13 * m->size,
                              .glow_alpha = 0.6f * edge});
    }
}

static void add_link(Scene *s, const StackLink *link, const StackPlane *p, float y_from,
                     float strength, bool strong)
{
    const StackModel *m = s->m;
    float w = link->weight;
    Vec3 a = m->cross ? vec3_of(stack_key_x(m, (float)link->key), y_from, STACK_DEPTH / 2)
                      : stack_stream_at(m, link->key, y_from);
    Vec3 b = stack_stream_at(m, link->query, p->y);
    float up = (b.y - a.y) / 3;
    SceneCurve curve = {
        .p = {a, {a.x, a.y + up, a.z + BULGE}, {b.x, b.y - up, b.z + (m->cross ? 0 : BULGE)}, b},
        .width = AS_MAX(16 * w * m->size, 1.0f),
        .color = key_token_color(m->c, link->key),
        .t1 = 1};
    if (m->cross) {
        curve.p[2].x -= BULGE;
    }
    float alpha = (0.3f + 0.6f * w) * strength;
    curve.color.a = alpha * (strong ? 1 : 0.72f);
    /* Many weak curves together shall not look like a strong one. */
    float bold = AS_MIN(10 * w, 1.0f);
    curve.core = (strong ? 0.75f : 0.25f) * bold;
    bool lit = strong || w >= 0.05f;
    curve.glow = lit ? (strong ? 2.4f : 0.9f) * curve.width + (strong ? 6 : 2.5f) * m->size : 0;
    curve.glow_alpha = (strong ? 0.34f : 0.14f) * (0.4f + 0.6f * w) * strength * bold;
    if (!m->c->ui->theme.dark) {
        curve.core *= 0.4f;
        curve.glow_alpha *= 0.35f;
    }
    if (strong) {
        curve.t1 = drawn_part(m);
    }
    if (curve.t1 > 0.001f && curve.color.a > 0.004f) {
        if (s->m->links && s->m->n_curves < STACK_MOST_LINKS) {
            curve.tag = STACK_LINK_TAG + (uint64_t)s->m->n_curves;
            s->m->links[s->m->n_curves++] = *link;
        }
        add_curve(s, curve);
        if (strong && strength > 0.9f && w >= 0.04f) {
            curve.color.a = 1;
            add_particles(s, &curve, w);
        }
    }
}

/* Weights of the query in the layers of a plane. */
static const float *plane_row(const StackModel *m, const StackPlane *p)
{
    const StackRows *r = m->rows;
    size_t n = (size_t)r->n_keys;
    const float *row = r->weights + (size_t)p->first * n;
    if (p->last == p->first) {
        return row;
    }
    float *sum = ARENA_ARRAY(&m->c->ui->list->arena, float, n, NULL);
    for (int32_t l = p->first; sum && l <= p->last && l < r->n_layers; l++) {
        for (size_t j = 0; j < n; j++) {
            float w = r->weights[(size_t)l * n + j];
            sum[j] = r->heads == STACK_HEADS_MAX ? AS_MAX(sum[j], w)
                                                 : sum[j] + w / (float)(p->last - p->first + 1);
        }
    }
    return sum ? sum : row;
}

static void add_links(Scene *s)
{
    StackModel *m = s->m;
    const StackRows *r = m->rows;
    const StackChoice *choice = &m->c->session->stack3d;
    if (!r) {
        return;
    }
    for (int32_t i = 0; i < m->n_planes; i++) {
        const StackPlane *p = &m->planes[i];
        StackSource sources[STACK_CURVES_A_PLANE];
        if (p->first >= r->n_layers) {
            continue;
        }
        float mass;
        int32_t most = p->focus ? STACK_CURVES_A_PLANE : AS_CLAMP(240 / m->n_planes, 8, 24);
        int32_t n =
            stack_sources(plane_row(m, p), r->n_keys, choice->coverage, sources, most, &mass);
        m->mass_least = i ? AS_MIN(m->mass_least, mass) : mass;
        m->mass_most = i ? AS_MAX(m->mass_most, mass) : mass;
        float from = i ? m->planes[i - 1].y : p->y - stack_drop(m);
        float strength = presence(m, p);
        if (p->focus) {
            m->mass = mass;
            m->n_sources = n;
            m->n_strongest = AS_MIN(n, (int32_t)AS_COUNT(m->strongest));
            memcpy(m->strongest, sources, (size_t)m->n_strongest * sizeof *sources);
            /* Between two layers the curves of neither are there in full. */
            strength *= fabsf(2 * (m->focus - floorf(m->focus)) - 1);
        }
        for (int32_t k = 0; k < n; k++) {
            StackLink link = {i, r->query, sources[k].key, sources[k].weight};
            add_link(s, &link, p, from, strength, p->focus);
            if (p->focus && !m->cross) {
                want_stream(s, sources[k].key);
            }
        }
    }
}

/* Below the plane in focus: what its sources read, and what those read. */
static void add_tree(Scene *s)
{
    StackModel *m = s->m;
    int32_t depth = m->c->session->stack3d.depth;
    int32_t at = 0;
    while (at < m->n_planes && !m->planes[at].focus) {
        at++;
    }
    int32_t layers[STACK_MOST_DEPTH];
    int32_t plane[STACK_MOST_DEPTH];
    int32_t n = 0;
    for (int32_t i = at; i >= 0 && n < AS_MIN(depth, STACK_MOST_DEPTH); i--) {
        if (i == at || m->planes[i].alpha > 0.5f) {
            plane[n] = i;
            /* Of a group the lowest layer, which the ones above it read. */
            layers[n++] = i == at ? m->focus_layer : m->planes[i].first;
        }
    }
    const StackTree *tree = depth > 1 ? session_stack_tree(m->c->session, layers, n) : NULL;
    if (!tree) {
        return;
    }
    m->followed = tree->followed;
    m->n_levels = tree->n_levels;
    for (size_t k = 0; k < tree->n_steps; k++) {
        const StackStep *step = &tree->steps[k];
        if (step->level == 0 || step->level >= n) {
            continue; /* the query's own curves are there */
        }
        int32_t i = plane[step->level];
        float from = i ? m->planes[i - 1].y : m->planes[i].y - stack_drop(m);
        StackLink link = {i, step->query, step->key, step->weight};
        float share = sqrtf(AS_MIN(step->mass / AS_MAX(step->weight, 1e-6f), 1.0f));
        add_link(s, &link, &m->planes[i], from, 0.15f + 0.85f * share, true);
        want_stream(s, step->query);
    }
}

/* ---- the whole ---- */

static void set_ground(const StackModel *m, DrawScene *scene)
{
    const Theme *t = &m->c->ui->theme;
    static const uint32_t night[3] = {0x18224A, 0x0F1734, 0x0A0E1C};
    static const uint32_t paper[3] = {0xFFFFFF, 0xFAFBFD, 0xF1F3F7};
    static const uint32_t contrast[3] = {0x0A0A14, 0x000000, 0x000000};
    const uint32_t *colors = t->id == THEME_PAPER      ? paper
                             : t->id == THEME_CONTRAST ? contrast
                                                       : night;
    for (int i = 0; i < 3; i++) {
        scene->ground[i] = color_hex(colors[i]);
    }
    Vec2 middle = rect_center(m->stage);
    scene->ground_middle = vec2(middle.x - 0.064f * m->stage.w, middle.y + 0.12f * m->stage.h);
    scene->ground_radius = 0.62f * m->stage.w;
}

void stack_scene_draw(StackModel *m)
{
    Scene s = {.m = m};
    m->links = ARENA_ARRAY(&m->c->ui->list->arena, StackLink, STACK_MOST_LINKS, NULL);
    choose_streams(&s);
    add_links(&s);
    add_tree(&s);
    add_streams(&s);
    for (int32_t i = 0; i < m->n_planes; i++) {
        const StackPlane *p = &m->planes[i];
        add_sheet(&s, p);
        if (presence(m, p) > 0.02f) {
            add_edges(&s, p);
            add_row(&s, p);
        }
        if (p->focus) {
            add_bloom(&s, p);
        }
    }
    DrawScene scene = {.box = m->stage,
                       .camera = m->camera,
                       .map = weight_map(m->c->ui),
                       .scale = head_grid_scale(m->c->session),
                       .cell_gap = 0.8f,
                       .planes = s.planes.items,
                       .n_planes = s.planes.n,
                       .curves = s.curves.items,
                       .n_curves = s.curves.n,
                       .dots = s.dots.items,
                       .n_dots = s.dots.n};
    set_ground(m, &scene);
    DrawList *list = m->c->ui->list;
    size_t before = list->cmds.n;
    draw_scene(list, &scene);
    if (list->cmds.n > before) {
        m->scene = list->cmds.items[before].u.scene;
    }
    ARRAY_FREE(&s.planes);
    ARRAY_FREE(&s.curves);
    ARRAY_FREE(&s.dots);
}
