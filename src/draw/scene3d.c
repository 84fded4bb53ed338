#include "draw/scene3d.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { MOST_PLANES = 4096, MOST_SEGMENTS = 48 };

/* Sheets nearer than this are one level. */
static const float LEVEL = 1e-4f;

typedef struct ScenePiece {
    SceneVertex corner[4];
    int32_t rank;
    float depth;
    uint32_t index;
    uint64_t tag;
} ScenePiece;

/* Sheets from the lowest, and where the eye stands among them. */
typedef struct Levels {
    uint32_t *sorted; /* [n] indices of planes, lowest first */
    const ScenePlane *planes;
    size_t n;
    size_t eye; /* level of the eye: 2 * (sheets below it) */
} Levels;

typedef struct Build {
    const DrawScene *scene;
    SceneGeometry *out;
    View3D view;
    Levels levels;
    float scale;
    uint32_t n_pieces;
    Error *err;
} Build;

static float height(const Levels *l, size_t i)
{
    return l->planes[l->sorted[i]].y;
}

/* Level of a height: 2k = the gap below sheet k, 2k + 1 = on it. */
static size_t level_of(const Levels *l, float y)
{
    size_t lo = 0;
    size_t hi = l->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (height(l, mid) < y - LEVEL) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    bool on = lo < l->n && height(l, lo) <= y + LEVEL;
    return 2 * lo + (on ? 1 : 0);
}

/* Painting order of levels: both sides of the eye from their far ends, its own level last. */
static int32_t rank_of(const Levels *l, size_t level)
{
    size_t top = 2 * l->n;
    size_t rank = level < l->eye ? level : level > l->eye ? l->eye + (top - level) : top + 1;
    return (int32_t)rank;
}

static bool sort_planes(Build *b, Arena *arena)
{
    const DrawScene *s = b->scene;
    Levels *l = &b->levels;
    if (s->n_planes > MOST_PLANES) {
        return error_set(b->err, ERR_RANGE, "%zu sheets are more than a scene holds (%d)",
                         s->n_planes, MOST_PLANES);
    }
    l->planes = s->planes;
    l->n = s->n_planes;
    l->sorted = ARENA_ARRAY(arena, uint32_t, l->n + 1, b->err);
    if (!l->sorted) {
        return false;
    }
    for (size_t i = 0; i < l->n; i++) {
        size_t at = i;
        for (; at > 0 && s->planes[l->sorted[at - 1]].y > s->planes[i].y; at--) {
            l->sorted[at] = l->sorted[at - 1];
        }
        l->sorted[at] = (uint32_t)i;
    }
    if (b->view.orthographic) {
        l->eye = b->view.forward.y > 0 ? 0 : 2 * l->n;
    } else {
        l->eye = level_of(l, b->view.eye.y) & ~(size_t)1;
    }
    return true;
}

/* ---- ribbons ---- */

Vec3 scene3d_curve_at(const SceneCurve *c, float t)
{
    if (c->straight) {
        return vec3_mix(c->p[0], c->p[3], t);
    }
    Vec3 ab = vec3_mix(c->p[0], c->p[1], t);
    Vec3 bc = vec3_mix(c->p[1], c->p[2], t);
    Vec3 cd = vec3_mix(c->p[2], c->p[3], t);
    return vec3_mix(vec3_mix(ab, bc, t), vec3_mix(bc, cd, t), t);
}

/* One joint of a ribbon on the screen. */
typedef struct Joint {
    Vec2 at;
    Vec2 side; /* unit normal, longer at bends so that the width stays */
    float along, t, depth, y;
    bool seen;
} Joint;

static void find_sides(Joint *j, int n)
{
    for (int i = 0; i < n; i++) {
        Vec2 a = j[AS_MAX(i - 1, 0)].at;
        Vec2 b = j[i].at;
        Vec2 c = j[AS_MIN(i + 1, n - 1)].at;
        float l1 = hypotf(b.x - a.x, b.y - a.y);
        float l2 = hypotf(c.x - b.x, c.y - b.y);
        Vec2 n1 = l1 > 1e-4f ? vec2((a.y - b.y) / l1, (b.x - a.x) / l1) : vec2(0, 0);
        Vec2 n2 = l2 > 1e-4f ? vec2((b.y - c.y) / l2, (c.x - b.x) / l2) : n1;
        n1 = l1 > 1e-4f ? n1 : n2;
        Vec2 sum = vec2(n1.x + n2.x, n1.y + n2.y);
        float length = hypotf(sum.x, sum.y);
        if (length < 1e-3f) {
            j[i].side = n2.x != 0 || n2.y != 0 ? n2 : vec2(0, 1);
            continue;
        }
        /* 1 / cos of half the bend, not without bound at sharp ones. */
        float cosine = (sum.x * n1.x + sum.y * n1.y) / length;
        float grow = 1 / AS_MAX(cosine, 0.5f) / length;
        j[i].side = vec2(sum.x * grow, sum.y * grow);
    }
}

static int segments_of(const Build *b, const SceneCurve *c)
{
    float px = 0;
    Vec2 last = {0};
    for (int i = 0; i <= 4; i++) {
        Vec2 at;
        if (view3d_project(&b->view, scene3d_curve_at(c, (float)i / 4), &at, NULL)) {
            px += i ? hypotf(at.x - last.x, at.y - last.y) : 0;
            last = at;
        }
    }
    /* The error of a chord falls with the square of their number. */
    float bold = c->width + c->glow > 6 ? 1.1f : 0.7f;
    int n = (int)ceilf(sqrtf(px * b->scale) * bold);
    return AS_CLAMP(n, 4, MOST_SEGMENTS);
}

static SceneVertex corner(const Build *b, const SceneCurve *c, const Joint *j, float side,
                          float reach, float beyond, Vec2 way, float length)
{
    float width = c->width + ((c->width_end > 0 ? c->width_end : c->width) - c->width) * j->t;
    Color color = c->color_end.a > 0 ? color_mix(c->color, c->color_end, j->t) : c->color;
    return (SceneVertex){.at = {j->at.x + j->side.x * side * reach + way.x * beyond,
                                j->at.y + j->side.y * side * reach + way.y * beyond},
                         .along = j->along + beyond,
                         .across = side * reach,
                         .length = length,
                         .half = width / 2 * b->scale,
                         .glow = c->glow * b->scale,
                         .glow_alpha = c->glow_alpha,
                         .core = c->core,
                         .added = c->added ? 1 : 0,
                         .color = color_pack(color)};
}

static bool push_piece(Build *b, const SceneCurve *c, const Joint *j, int i, int n, float length)
{
    const Joint *p = &j[i];
    const Joint *q = &j[i + 1];
    if (!p->seen || !q->seen) {
        return true;
    }
    float width = AS_MAX(c->width, c->width_end);
    float reach = (width / 2 + c->glow) * b->scale + 1;
    float l = AS_MAX(hypotf(q->at.x - p->at.x, q->at.y - p->at.y), 1e-4f);
    Vec2 way = vec2((q->at.x - p->at.x) / l, (q->at.y - p->at.y) / l);
    float before = i == 0 ? -reach : 0;
    float after = i == n - 1 ? reach : 0;
    ScenePiece piece = {
        .corner = {corner(b, c, p, -1, reach, before, way, length),
                   corner(b, c, p, 1, reach, before, way, length),
                   corner(b, c, q, -1, reach, after, way, length),
                   corner(b, c, q, 1, reach, after, way, length)},
        .rank = rank_of(&b->levels, level_of(&b->levels, (p->y + q->y) / 2)),
        .depth = (p->depth + q->depth) / 2,
        .index = b->n_pieces++,
        .tag = c->tag,
    };
    return ARRAY_PUSH(&b->out->pieces, piece, b->err);
}

/* Places t0..t1 of a straight curve where it goes through sheets. */
static int cuts_of(const Build *b, const SceneCurve *c, float t0, float t1, float *t, int most)
{
    const Levels *l = &b->levels;
    float y0 = scene3d_curve_at(c, t0).y;
    float y1 = scene3d_curve_at(c, t1).y;
    int n = 0;
    t[n++] = t0;
    for (size_t k = 0; k < l->n && n < most - 1; k++) {
        size_t i = y0 < y1 ? k : l->n - 1 - k;
        float at = (height(l, i) - c->p[0].y) / (c->p[3].y - c->p[0].y);
        if (at > t0 + 1e-5f && at < t1 - 1e-5f) {
            t[n++] = at;
        }
    }
    t[n++] = t1;
    return n;
}

static bool build_curve(Build *b, const SceneCurve *c, Joint *joints, float *t, int most)
{
    float t0 = AS_CLAMP(c->t0, 0.0f, 1.0f);
    float t1 = c->t0 == 0 && c->t1 == 0 ? 1 : AS_CLAMP(c->t1, 0.0f, 1.0f);
    if (!(c->width > 0) || t1 <= t0 || !(c->color.a > 0 || c->color_end.a > 0)) {
        return true;
    }
    int n = 0;
    if (c->straight) {
        n = cuts_of(b, c, t0, t1, t, most);
    } else {
        int segments = segments_of(b, c);
        for (; n <= segments; n++) {
            t[n] = t0 + (t1 - t0) * (float)n / (float)segments;
        }
    }
    float length = 0;
    for (int i = 0; i < n; i++) {
        Joint *j = &joints[i];
        Vec3 p = scene3d_curve_at(c, t[i]);
        *j = (Joint){.t = t[i], .y = p.y};
        j->seen = view3d_project(&b->view, p, &j->at, &j->depth);
        j->at = vec2(j->at.x * b->scale, j->at.y * b->scale);
        if (i && j->seen && j[-1].seen) {
            length += hypotf(j->at.x - j[-1].at.x, j->at.y - j[-1].at.y);
        }
        j->along = length;
    }
    find_sides(joints, n);
    for (int i = 0; i + 1 < n; i++) {
        if (!push_piece(b, c, joints, i, n - 1, length)) {
            return false;
        }
    }
    return true;
}

static bool build_dot(Build *b, const SceneDot *d)
{
    Joint j = {.side = {0, 1}, .y = d->at.y};
    if (!(d->radius > 0) || !view3d_project(&b->view, d->at, &j.at, &j.depth)) {
        return true;
    }
    j.at = vec2(j.at.x * b->scale, j.at.y * b->scale);
    SceneCurve c = {
        .width = 2 * d->radius, .color = d->color, .glow = d->glow, .glow_alpha = d->glow_alpha};
    float reach = (d->radius + d->glow) * b->scale + 1;
    Vec2 way = {1, 0};
    ScenePiece piece = {.corner = {corner(b, &c, &j, -1, reach, -reach, way, 0),
                                   corner(b, &c, &j, 1, reach, -reach, way, 0),
                                   corner(b, &c, &j, -1, reach, reach, way, 0),
                                   corner(b, &c, &j, 1, reach, reach, way, 0)},
                        .rank = rank_of(&b->levels, level_of(&b->levels, d->at.y)),
                        .depth = j.depth - 1e-3f, /* over the curve it sits on */
                        .index = b->n_pieces++,
                        .tag = d->tag};
    return ARRAY_PUSH(&b->out->pieces, piece, b->err);
}

/* ---- order ---- */

static int compare_pieces(const void *a, const void *b)
{
    const ScenePiece *p = a;
    const ScenePiece *q = b;
    if (p->rank != q->rank) {
        return p->rank < q->rank ? -1 : 1;
    }
    if (p->depth != q->depth) {
        return p->depth > q->depth ? -1 : 1;
    }
    return p->index < q->index ? -1 : 1;
}

/* Sheets and runs of pieces by rank; a sheet before what lies on it. */
static bool merge(Build *b)
{
    SceneGeometry *out = b->out;
    const Levels *l = &b->levels;
    size_t n_pieces = out->pieces.n;
    size_t piece = 0;
    /* Ranks of sheets ascend below the eye and descend above it: two runs. */
    size_t below = l->eye / 2;
    for (size_t i = 0; i <= l->n; i++) {
        size_t sheet = i < below ? i : l->n - 1 - (i - below);
        int32_t until = i < l->n ? rank_of(l, 2 * sheet + 1) : INT32_MAX;
        size_t first = piece;
        while (piece < n_pieces && out->pieces.items[piece].rank < until) {
            piece++;
        }
        SceneStep run = {.first = (uint32_t)first, .n = (uint32_t)(piece - first)};
        if (run.n && !ARRAY_PUSH(&out->steps, run, b->err)) {
            return false;
        }
        SceneStep step = {.is_plane = true, .plane = i < l->n ? l->sorted[sheet] : 0};
        if (i < l->n && !ARRAY_PUSH(&out->steps, step, b->err)) {
            return false;
        }
    }
    if (!ARRAY_RESERVE(&out->vertices, 4 * n_pieces, b->err)) {
        return false;
    }
    for (size_t i = 0; i < n_pieces; i++) {
        memcpy(out->vertices.items + 4 * i, out->pieces.items[i].corner,
               sizeof out->pieces.items[i].corner);
    }
    out->vertices.n = 4 * n_pieces;
    return true;
}

bool scene3d_build(const DrawScene *scene, float scale, SceneGeometry *out, Error *err)
{
    Build b = {.scene = scene,
               .out = out,
               .view = camera3d_view(&scene->camera, scene->box),
               .scale = scale,
               .err = err};
    out->steps.n = out->vertices.n = out->pieces.n = 0;
    Arena arena = {0};
    int most = (int)AS_MIN(scene->n_planes, (size_t)MOST_PLANES) + MOST_SEGMENTS + 2;
    bool ok = sort_planes(&b, &arena);
    Joint *joints = ok ? ARENA_ARRAY(&arena, Joint, (size_t)most, err) : NULL;
    float *t = joints ? ARENA_ARRAY(&arena, float, (size_t)most, err) : NULL;
    ok = t != NULL;
    for (size_t i = 0; ok && i < scene->n_curves; i++) {
        ok = build_curve(&b, &scene->curves[i], joints, t, most);
    }
    for (size_t i = 0; ok && i < scene->n_dots; i++) {
        ok = build_dot(&b, &scene->dots[i]);
    }
    if (ok && out->pieces.n) {
        qsort(out->pieces.items, out->pieces.n, sizeof *out->pieces.items, compare_pieces);
    }
    ok = ok && merge(&b);
    arena_destroy(&arena);
    return ok;
}

/* ---- sheets ---- */

/* The place on a sheet under a device pixel, in units of its sides. */
static bool place_under(const View3D *view, const ScenePlane *p, Vec2 px, float scale, Vec2 *uv)
{
    Vec3 at;
    if (!view3d_pick_level(view, vec2(px.x / scale, px.y / scale), p->y, &at)) {
        return false;
    }
    *uv = vec2((at.x - p->x0) / (p->x1 - p->x0), (at.z - p->z0) / (p->z1 - p->z0));
    return true;
}

/* What a pixel covers at a place of the sheet. */
static void reach_at(const View3D *view, const ScenePlane *p, float u, float v, float scale,
                     float out[2])
{
    Vec3 at = {p->x0 + (p->x1 - p->x0) * u, p->y, p->z0 + (p->z1 - p->z0) * v};
    Vec2 px = {0, 0};
    Vec2 right;
    Vec2 down;
    bool seen = view3d_project(view, at, &px, NULL);
    px = vec2(px.x * scale, px.y * scale);
    if (seen && place_under(view, p, vec2(px.x + 0.5f, px.y), scale, &right) &&
        place_under(view, p, vec2(px.x, px.y + 0.5f), scale, &down)) {
        out[0] = 2 * hypotf(right.x - u, down.x - u);
        out[1] = 2 * hypotf(right.y - v, down.y - v);
    } else {
        out[0] = out[1] = 1; /* on edge: nothing of it is seen */
    }
    out[0] = AS_CLAMP(out[0], 1e-7f, 4.0f);
    out[1] = AS_CLAMP(out[1], 1e-7f, 4.0f);
}

void scene3d_sheet(const View3D *view, const ScenePlane *plane, float scale, SceneSheet *out)
{
    for (int i = 0; i < 4; i++) {
        float u = (float)(i & 1);
        float v = (float)(i >> 1);
        Vec3 at = {i & 1 ? plane->x1 : plane->x0, plane->y, i & 2 ? plane->z1 : plane->z0};
        view3d_clip(view, at, out->corner[i]);
        out->corner[i][0] *= scale;
        out->corner[i][1] *= scale;
        reach_at(view, plane, u, v, scale, out->reach[i]);
    }
    reach_at(view, plane, 0.5f, 0.5f, scale, out->middle);
    for (int k = 0; k < 2; k++) {
        float most = 0;
        for (int i = 0; i < 4; i++) {
            most = AS_MAX(most, out->reach[i][k]);
        }
        out->grown[k] = AS_MIN(most, 0.5f);
    }
}

void scene3d_taps(const SceneSheet *sheet, const SceneCells *cells, float out[3])
{
    enum { MOST_TAPS = 4 };
    static const float SLACK = 1.2f; /* a cell may be this much smaller than a pixel */
    float x = sheet->middle[0] * (float)cells->cols;
    float y = sheet->middle[1] * (float)cells->rows;
    float less = AS_MAX(AS_MIN(x, y), 1e-6f);
    float more = AS_MAX(AS_MAX(x, y), 1e-6f);
    float level = AS_MAX(ceilf(log2f(less / SLACK)), 0.0f);
    level = AS_MAX(level, ceilf(log2f(more / (SLACK * MOST_TAPS))));
    out[0] = level;
    out[1] = AS_CLAMP(ceilf(more / exp2f(level) / SLACK), 1.0f, (float)MOST_TAPS);
    out[2] = y >= x ? 1 : 0;
}

float scene3d_gap_strength(const SceneSheet *sheet, const SceneCells *cells)
{
    float w = AS_MAX(sheet->middle[0] * (float)cells->cols, sheet->middle[1] * (float)cells->rows);
    float t = AS_CLAMP((1 / AS_MAX(w, 1e-6f) - 4) / 5, 0.0f, 1.0f);
    return t * t * (3 - 2 * t);
}

/* ---- picking ---- */

/* Does the piece's ribbon lie within reach of a device pixel? */
static bool piece_holds(const ScenePiece *p, Vec2 at, float reach)
{
    Vec2 a = {(p->corner[0].at[0] + p->corner[1].at[0]) / 2,
              (p->corner[0].at[1] + p->corner[1].at[1]) / 2};
    Vec2 b = {(p->corner[2].at[0] + p->corner[3].at[0]) / 2,
              (p->corner[2].at[1] + p->corner[3].at[1]) / 2};
    float dx = b.x - a.x;
    float dy = b.y - a.y;
    float l2 = dx * dx + dy * dy;
    float t = l2 > 0 ? ((at.x - a.x) * dx + (at.y - a.y) * dy) / l2 : 0;
    t = AS_CLAMP(t, 0.0f, 1.0f);
    float far = hypotf(at.x - a.x - t * dx, at.y - a.y - t * dy);
    return far <= p->corner[0].half + (p->corner[2].half - p->corner[0].half) * t + reach;
}

static bool plane_holds(const DrawScene *scene, const View3D *view, uint32_t index, Vec2 at,
                        SceneHit *hit)
{
    const ScenePlane *p = &scene->planes[index];
    Vec3 place;
    if (!p->tag || !view3d_pick_level(view, at, p->y, &place)) {
        return false;
    }
    float u = (place.x - p->x0) / (p->x1 - p->x0);
    float v = (place.z - p->z0) / (p->z1 - p->z0);
    Vec2 unused;
    if (u < 0 || u >= 1 || v < 0 || v >= 1) {
        return false;
    }
    *hit = (SceneHit){.tag = p->tag, .plane = (int32_t)index, .u = u, .v = v};
    return view3d_project(view, place, &unused, &hit->depth);
}

SceneHit scene3d_pick(const DrawScene *scene, Vec2 at, float reach_px)
{
    SceneGeometry g = {0};
    SceneHit hit = {.plane = -1};
    View3D view = camera3d_view(&scene->camera, scene->box);
    bool ok = scene3d_build(scene, 1, &g, NULL);
    for (size_t i = g.steps.n; ok && i-- > 0 && !hit.tag;) {
        const SceneStep *step = &g.steps.items[i];
        if (step->is_plane) {
            (void)plane_holds(scene, &view, step->plane, at, &hit);
            continue;
        }
        for (uint32_t k = step->n; k-- > 0 && !hit.tag;) {
            const ScenePiece *piece = &g.pieces.items[step->first + k];
            if (piece->tag && piece_holds(piece, at, reach_px)) {
                hit.tag = piece->tag;
                hit.depth = piece->depth;
            }
        }
    }
    scene3d_geometry_free(&g);
    return hit;
}

void scene3d_geometry_free(SceneGeometry *g)
{
    ARRAY_FREE(&g->steps);
    ARRAY_FREE(&g->vertices);
    ARRAY_FREE(&g->pieces);
}
