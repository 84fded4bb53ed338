#include "gfx/mesh.h"

#include <math.h>

/* A turn whose mitre would be longer than this many half widths is not mitred. */
static const float MITRE_MOST = 2.0f;
/* Stands for "far inside" where a figure has no opposite edge. */
static const float FAR_INSIDE = 1000.0f;

static Vec2 sub(Vec2 a, Vec2 b)
{
    return vec2(a.x - b.x, a.y - b.y);
}

static float length(Vec2 v)
{
    return sqrtf(v.x * v.x + v.y * v.y);
}

static Vec2 unit(Vec2 v)
{
    float n = length(v);
    return n > 1e-6f ? vec2(v.x / n, v.y / n) : vec2(1, 0);
}

static Vec2 normal(Vec2 v)
{
    return vec2(-v.y, v.x);
}

static MeshVertex vertex(Vec2 at, float along, float across, float total, float half, Color color,
                         const MeshStyle *style)
{
    float ends = (style->round_ends ? 1.0f : 0.0f) + (style->added ? 2.0f : 0.0f);
    const Rect *clip = &style->clip;
    return (MeshVertex){.at = {at.x, at.y},
                        .across = {along, across, total, half},
                        .edge = {style->soft, ends},
                        .color = color_pack(color),
                        .clip = {clip->x, clip->y, clip->x + clip->w, clip->y + clip->h}};
}

static uint32_t push_vertex(Batcher *b, MeshVertex v)
{
    if (b->vertices.n >= UINT32_MAX || !ARRAY_PUSH(&b->vertices, v, NULL)) {
        b->failed = true;
        return 0;
    }
    return (uint32_t)(b->vertices.n - 1);
}

static void push_triangle(Batcher *b, uint32_t i, uint32_t j, uint32_t k)
{
    if (b->failed || !ARRAY_PUSH(&b->indices, i, NULL) || !ARRAY_PUSH(&b->indices, j, NULL) ||
        !ARRAY_PUSH(&b->indices, k, NULL)) {
        b->failed = true;
    }
}

/* One stretch without sharp turns. from..to: distance along the whole line at its ends. */
typedef struct Stretch {
    const Vec2 *points;
    size_t n;
    float from, total;
    float width, width_end;
    Color color, color_end;
    bool closed;
} Stretch;

/* Pushes the two sides of the ribbon at one place. */
static void push_pair(Batcher *b, Vec2 at, Vec2 side, float mitre, float along, float stretch_total,
                      float t, const Stretch *s, const MeshStyle *style, bool first)
{
    float half = (s->width + (s->width_end - s->width) * t) / 2;
    float reach = half + style->soft + 1;
    Color color = color_mix(s->color, s->color_end, t);
    float d = reach * mitre;
    uint32_t i = push_vertex(b, vertex(vec2(at.x + side.x * d, at.y + side.y * d), along, reach,
                                       stretch_total, half, color, style));
    uint32_t k = push_vertex(b, vertex(vec2(at.x - side.x * d, at.y - side.y * d), along, -reach,
                                       stretch_total, half, color, style));
    if (!first && !b->failed) {
        push_triangle(b, i - 2, k - 2, i);
        push_triangle(b, i, k - 2, k);
    }
}

static Vec2 joint(const Stretch *s, size_t i, float *mitre)
{
    size_t n = s->n;
    bool has_before = i > 0 || s->closed;
    bool has_after = i + 1 < n || s->closed;
    /* A closed stretch repeats its first point as its last. */
    Vec2 before = i > 0 ? s->points[i - 1] : s->points[n - 2 < n ? n - 2 : 0];
    Vec2 after = i + 1 < n ? s->points[i + 1] : s->points[1];
    Vec2 in = has_before ? unit(sub(s->points[i], before)) : unit(sub(after, s->points[i]));
    Vec2 out = has_after ? unit(sub(after, s->points[i])) : in;
    Vec2 middle = unit(vec2(in.x + out.x, in.y + out.y));
    float cosine = middle.x * in.x + middle.y * in.y;
    *mitre = cosine > 0.1f ? AS_MIN(1 / cosine, MITRE_MOST) : 1;
    return normal(middle);
}

static void push_stretch(Batcher *b, const Stretch *s, const MeshStyle *style)
{
    float own = 0;
    for (size_t i = 1; i < s->n; i++) {
        own += length(sub(s->points[i], s->points[i - 1]));
    }
    /* Room for the ends: half a pixel of anti-aliasing, or the round cap. */
    float widest = AS_MAX(s->width, s->width_end) / 2;
    float extra = s->closed ? 0 : style->round_ends ? widest + style->soft + 1 : 1;
    float shift = s->closed ? FAR_INSIDE : 0; /* a closed line has no ends to fade */
    float length_seen = own + 2 * shift;
    float along = 0;
    for (size_t i = 0; i < s->n; i++) {
        float mitre;
        Vec2 side = joint(s, i, &mitre);
        float t = s->total > 0 ? (s->from + along) / s->total : 0;
        Vec2 at = s->points[i];
        float u = along + shift;
        if (i == 0 && extra > 0) {
            Vec2 dir = unit(sub(s->points[1], at));
            push_pair(b, vec2(at.x - dir.x * extra, at.y - dir.y * extra), normal(dir), 1, -extra,
                      length_seen, t, s, style, true);
        }
        push_pair(b, at, side, mitre, u, length_seen, t, s, style, i == 0 && extra <= 0);
        if (i + 1 < s->n) {
            along += length(sub(s->points[i + 1], at));
        } else if (extra > 0) {
            Vec2 dir = unit(sub(at, s->points[i - 1]));
            push_pair(b, vec2(at.x + dir.x * extra, at.y + dir.y * extra), normal(dir), 1,
                      own + extra, length_seen, t, s, style, false);
        }
    }
}

static bool is_sharp(Vec2 before, Vec2 at, Vec2 after)
{
    Vec2 in = unit(sub(at, before));
    Vec2 out = unit(sub(after, at));
    /* Mitre length 1 / cos(turn / 2) with cos(turn) = in . out. */
    float half_cosine = sqrtf(AS_MAX(0.0f, (1 + in.x * out.x + in.y * out.y) / 2));
    return half_cosine * MITRE_MOST < 1;
}

void mesh_ribbon(Batcher *b, const Vec2 *points, size_t n, bool closed, float width,
                 float width_end, Color color, Color color_end, const MeshStyle *style)
{
    float total = 0;
    for (size_t i = 1; i < n; i++) {
        total += length(sub(points[i], points[i - 1]));
    }
    Stretch s = {.points = points,
                 .total = total,
                 .width = width,
                 .width_end = width_end,
                 .color = color,
                 .color_end = color_end,
                 .closed = closed};
    float along = 0;
    size_t first = 0;
    for (size_t i = 1; i < n; i++) {
        along += length(sub(points[i], points[i - 1]));
        bool last = i + 1 == n;
        if (!last && !is_sharp(points[i - 1], points[i], points[i + 1])) {
            continue;
        }
        MeshStyle part_style = *style;
        bool whole = last && first == 0;
        if (!whole) {
            s.closed = false;
            part_style.round_ends = true;
        }
        s.points = points + first;
        s.n = i - first + 1;
        push_stretch(b, &s, &part_style);
        s.from = along;
        first = i;
    }
}

static Vec2 cubic_at(const Vec2 p[4], float t)
{
    float u = 1 - t;
    float a = u * u * u;
    float c = 3 * u * u * t;
    float d = 3 * u * t * t;
    float e = t * t * t;
    return vec2(a * p[0].x + c * p[1].x + d * p[2].x + e * p[3].x,
                a * p[0].y + c * p[1].y + d * p[2].y + e * p[3].y);
}

void mesh_bezier(Batcher *b, const Vec2 p[4], float t0, float t1, float width, float width_end,
                 Color color, Color color_end, const MeshStyle *style)
{
    enum { MOST = 96 };
    Vec2 points[MOST + 1];
    /* The error of n chords is at most |second difference| * 6 / (8 n^2): a fifth of a pixel. */
    Vec2 d1 = vec2(p[0].x - 2 * p[1].x + p[2].x, p[0].y - 2 * p[1].y + p[2].y);
    Vec2 d2 = vec2(p[1].x - 2 * p[2].x + p[3].x, p[1].y - 2 * p[2].y + p[3].y);
    float bend = AS_MAX(length(d1), length(d2));
    float want = ceilf(sqrtf(bend * 3.75f) * (t1 - t0));
    size_t n = (size_t)AS_CLAMP(want, 2.0f, (float)MOST);
    for (size_t i = 0; i <= n; i++) {
        points[i] = cubic_at(p, t0 + (t1 - t0) * (float)i / (float)n);
    }
    mesh_ribbon(b, points, n + 1, false, width, width_end, color, color_end, style);
}

/* Twice the signed area: which way round the points go. */
static float turning(const Vec2 *p, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        const Vec2 *q = &p[(i + 1) % n];
        sum += p[i].x * q->y - q->x * p[i].y;
    }
    return sum;
}

/* A fan for the inside and a rim one pixel wide whose coverage falls from 1 to 0. */
static void push_polygon(Batcher *b, const Vec2 *p, size_t n, const MeshVertex *model)
{
    float sign = turning(p, n) >= 0 ? 1.0f : -1.0f;
    uint32_t base = (uint32_t)b->vertices.n;
    for (size_t i = 0; i < n; i++) {
        Vec2 in = unit(sub(p[i], p[(i + n - 1) % n]));
        Vec2 out = unit(sub(p[(i + 1) % n], p[i]));
        Vec2 middle = unit(vec2(in.x + out.x, in.y + out.y));
        float cosine = AS_MAX(middle.x * in.x + middle.y * in.y, 0.25f);
        /* In y-down coordinates a positive turning sense has its outside at (dy, -dx). */
        Vec2 outside = vec2(sign * middle.y / cosine, -sign * middle.x / cosine);
        for (int rim = 0; rim < 2; rim++) {
            MeshVertex v = *model;
            float d = rim ? 0.5f : -0.5f;
            v.at[0] = p[i].x + outside.x * d;
            v.at[1] = p[i].y + outside.y * d;
            v.across[1] = FAR_INSIDE + d;
            push_vertex(b, v);
        }
    }
    for (uint32_t i = 0; i < (uint32_t)n && !b->failed; i++) {
        uint32_t k = (i + 1) % (uint32_t)n;
        push_triangle(b, base + 2 * i, base + 2 * k, base + 2 * i + 1);
        push_triangle(b, base + 2 * i + 1, base + 2 * k, base + 2 * k + 1);
        if (i > 0 && k > 0) {
            push_triangle(b, base, base + 2 * i, base + 2 * k);
        }
    }
}

void mesh_polygon(Batcher *b, const Vec2 *points, size_t n, Color color, const MeshStyle *style)
{
    MeshVertex model = vertex(vec2(0, 0), FAR_INSIDE, 0, 2 * FAR_INSIDE, FAR_INSIDE, color, style);
    push_polygon(b, points, n, &model);
}

void mesh_hatch(Batcher *b, const Vec2 *points, size_t n, float spacing, float width, float start,
                Color color, const MeshStyle *style)
{
    MeshVertex model = vertex(vec2(0, 0), width, 0, spacing, FAR_INSIDE, color, style);
    model.edge[0] = start;
    push_polygon(b, points, n, &model);
}
