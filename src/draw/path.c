#include "draw/path.h"

#include <math.h>
#include <stdlib.h>

/* Handle length of a cubic that is a quarter of a unit circle. */
static const float KAPPA = 0.5522847498f;

static void add(PathBuilder *b, PathVerb verb, const Vec2 *points, size_t n)
{
    if (b->failed || !ARRAY_PUSH(&b->verbs, (uint8_t)verb, NULL)) {
        b->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!ARRAY_PUSH(&b->points, points[i], NULL)) {
            b->failed = true;
            return;
        }
    }
}

void path_move(PathBuilder *b, Vec2 p)
{
    add(b, PATH_MOVE, &p, 1);
}

void path_line(PathBuilder *b, Vec2 p)
{
    add(b, PATH_LINE, &p, 1);
}

void path_cubic(PathBuilder *b, Vec2 c1, Vec2 c2, Vec2 p)
{
    Vec2 points[3] = {c1, c2, p};
    add(b, PATH_CUBIC, points, 3);
}

void path_quad(PathBuilder *b, Vec2 c, Vec2 p)
{
    Vec2 a = b->points.n ? b->points.items[b->points.n - 1] : c;
    path_cubic(b, vec2(a.x + (c.x - a.x) * 2 / 3, a.y + (c.y - a.y) * 2 / 3),
               vec2(p.x + (c.x - p.x) * 2 / 3, p.y + (c.y - p.y) * 2 / 3), p);
}

void path_close(PathBuilder *b)
{
    add(b, PATH_CLOSE, NULL, 0);
}

void path_circle(PathBuilder *b, Vec2 c, float r)
{
    float k = r * KAPPA;
    path_move(b, vec2(c.x + r, c.y));
    path_cubic(b, vec2(c.x + r, c.y + k), vec2(c.x + k, c.y + r), vec2(c.x, c.y + r));
    path_cubic(b, vec2(c.x - k, c.y + r), vec2(c.x - r, c.y + k), vec2(c.x - r, c.y));
    path_cubic(b, vec2(c.x - r, c.y - k), vec2(c.x - k, c.y - r), vec2(c.x, c.y - r));
    path_cubic(b, vec2(c.x + k, c.y - r), vec2(c.x + r, c.y - k), vec2(c.x + r, c.y));
    path_close(b);
}

void path_round_rect(PathBuilder *b, Rect q, float r)
{
    r = AS_CLAMP(r, 0.0f, AS_MIN(q.w, q.h) / 2);
    float x1 = q.x + q.w;
    float y1 = q.y + q.h;
    float k = r * (1 - KAPPA);
    path_move(b, vec2(q.x + r, q.y));
    path_line(b, vec2(x1 - r, q.y));
    path_cubic(b, vec2(x1 - k, q.y), vec2(x1, q.y + k), vec2(x1, q.y + r));
    path_line(b, vec2(x1, y1 - r));
    path_cubic(b, vec2(x1, y1 - k), vec2(x1 - k, y1), vec2(x1 - r, y1));
    path_line(b, vec2(q.x + r, y1));
    path_cubic(b, vec2(q.x + k, y1), vec2(q.x, y1 - k), vec2(q.x, y1 - r));
    path_line(b, vec2(q.x, q.y + r));
    path_cubic(b, vec2(q.x, q.y + k), vec2(q.x + k, q.y), vec2(q.x + r, q.y));
    path_close(b);
}

static const char *skip_space(const char *s)
{
    while (*s == ' ' || *s == ',' || *s == '\n' || *s == '\t') {
        s++;
    }
    return s;
}

/* strtof would follow the locale's decimal comma. */
static bool read_number(const char **s, float *out)
{
    const char *p = skip_space(*s);
    double sign = 1;
    if (*p == '-' || *p == '+') {
        sign = *p++ == '-' ? -1 : 1;
    }
    const char *digits = p;
    double value = 0;
    double place = 1;
    bool any = false;
    for (; *p >= '0' && *p <= '9'; p++, any = true) {
        value = value * 10 + (*p - '0');
    }
    if (*p == '.') {
        for (p++; *p >= '0' && *p <= '9'; p++, any = true) {
            place /= 10;
            value += (*p - '0') * place;
        }
    }
    if (!any || p - digits > 24) {
        return false;
    }
    *out = (float)(sign * value);
    *s = p;
    return true;
}

static int n_numbers(char verb)
{
    switch (verb) {
    case 'M':
    case 'L':
        return 2;
    case 'H':
    case 'V':
        return 1;
    case 'C':
        return 6;
    case 'Q':
        return 4;
    case 'O':
        return 3;
    case 'R':
        return 5;
    case 'Z':
        return 0;
    default:
        return -1;
    }
}

static void run_verb(PathBuilder *b, char verb, const float v[6])
{
    Vec2 last = b->points.n ? b->points.items[b->points.n - 1] : vec2(0, 0);
    switch (verb) {
    case 'M':
        path_move(b, vec2(v[0], v[1]));
        break;
    case 'L':
        path_line(b, vec2(v[0], v[1]));
        break;
    case 'H':
        path_line(b, vec2(v[0], last.y));
        break;
    case 'V':
        path_line(b, vec2(last.x, v[0]));
        break;
    case 'C':
        path_cubic(b, vec2(v[0], v[1]), vec2(v[2], v[3]), vec2(v[4], v[5]));
        break;
    case 'Q':
        path_quad(b, vec2(v[0], v[1]), vec2(v[2], v[3]));
        break;
    case 'R':
        path_round_rect(b, rect(v[0], v[1], v[2], v[3]), v[4]);
        break;
    case 'O':
        path_circle(b, vec2(v[0], v[1]), v[2]);
        break;
    default:
        path_close(b);
    }
}

bool path_parse(PathBuilder *b, const char *text, Error *err)
{
    const char *s = skip_space(text);
    while (*s) {
        char verb = *s;
        int n = n_numbers(verb);
        if (n < 0) {
            return error_set(err, ERR_FORMAT, "path: unknown verb '%c' at character %zu", verb,
                             (size_t)(s - text));
        }
        s++;
        do {
            float v[6] = {0};
            for (int i = 0; i < n; i++) {
                if (!read_number(&s, &v[i])) {
                    return error_set(err, ERR_FORMAT, "path: a number is missing at character %zu",
                                     (size_t)(s - text));
                }
            }
            run_verb(b, verb, v);
            verb = verb == 'M' ? 'L' : verb; /* more pairs after a move are lines */
            s = skip_space(s);
        } while (n > 0 && (*s == '-' || *s == '.' || (*s >= '0' && *s <= '9')));
    }
    return path_builder_ok(b, err);
}

Path path_of(const PathBuilder *b)
{
    return (Path){b->verbs.items, b->points.items, (uint32_t)b->verbs.n, (uint32_t)b->points.n};
}

bool path_builder_ok(const PathBuilder *b, Error *err)
{
    return b->failed ? error_set(err, ERR_MEMORY, "not enough memory for a path") : true;
}

void path_builder_free(PathBuilder *b)
{
    if (b) {
        ARRAY_FREE(&b->verbs);
        ARRAY_FREE(&b->points);
    }
}

Rect path_bounds(Path path)
{
    if (!path.n_points) {
        return (Rect){0};
    }
    float x0 = path.points[0].x, y0 = path.points[0].y;
    float x1 = x0, y1 = y0;
    for (uint32_t i = 1; i < path.n_points; i++) {
        x0 = AS_MIN(x0, path.points[i].x);
        y0 = AS_MIN(y0, path.points[i].y);
        x1 = AS_MAX(x1, path.points[i].x);
        y1 = AS_MAX(y1, path.points[i].y);
    }
    return rect(x0, y0, x1 - x0, y1 - y0);
}
