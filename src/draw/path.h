#pragma once
/*
 * Vector paths: lines and cubic curves. Written as text in a small part of the SVG syntax
 * (absolute M L H V C Q Z, O cx cy r for a circle, R x y w h r for a rounded box), or built point
 * by point. Main thread.
 */
#include "base/arena.h"
#include "draw/geometry.h"

typedef enum PathVerb { PATH_MOVE, PATH_LINE, PATH_CUBIC, PATH_CLOSE } PathVerb;

/** MOVE and LINE take one point, CUBIC three, CLOSE none. Zero is empty. */
typedef struct Path {
    const uint8_t *verbs; /* PathVerb */
    const Vec2 *points;
    uint32_t n_verbs, n_points;
} Path;

/** Builds a path; zero is empty; freed with path_builder_free. Memory failures are remembered and
 *  told by path_builder_ok. */
typedef struct PathBuilder {
    ARRAY_OF(uint8_t) verbs;
    ARRAY_OF(Vec2) points;
    bool failed;
} PathBuilder;

void path_move(PathBuilder *b, Vec2 p);
void path_line(PathBuilder *b, Vec2 p);
void path_cubic(PathBuilder *b, Vec2 c1, Vec2 c2, Vec2 p);
void path_quad(PathBuilder *b, Vec2 c, Vec2 p);
void path_close(PathBuilder *b);
/** A whole circle (four cubics). */
void path_circle(PathBuilder *b, Vec2 center, float radius);
/** A rounded rectangle. */
void path_round_rect(PathBuilder *b, Rect r, float radius);
/** Reads text of the syntax above. ERR_FORMAT names the place. */
AS_MUST_CHECK bool path_parse(PathBuilder *b, const char *text, Error *err);
/** Borrowed from b until it changes. */
Path path_of(const PathBuilder *b);
AS_MUST_CHECK bool path_builder_ok(const PathBuilder *b, Error *err);
void path_builder_free(PathBuilder *b);
/** Box of all points (control points included). */
Rect path_bounds(Path path);
