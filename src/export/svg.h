#pragma once
/* What the SVG writer writes with: numbers, colours, text, definitions. Not for other folders. */
#include "base/str.h"
#include "export/picture.h"

/*
 * A writer of our own: cairo's turns text into outlines, ours keeps <text>, so that numbers can be
 * read, searched and edited. The first failure sticks in `ok`.
 */
typedef struct Svg {
    StrBuf out;
    Error *err;
    bool ok;
    const DrawList *list;
    const DrawCmd *cmd;
    const ExportDesc *desc;
    Arena arena;
    int n_ids;
    Rect clip; /* of clip path `clip_id` */
    int clip_id;
} Svg;

void svg_put(Svg *s, const char *text);
/** A number to 0.001 whatever the locale's decimal point is. */
void svg_number(Svg *s, float v);
/** name="v" with a space before. */
void svg_attr(Svg *s, const char *name, float v);
/** x, y, width, height. */
void svg_box(Svg *s, Rect r);
/** name="#RRGGBB" and its opacity, the command's included. */
void svg_color(Svg *s, const char *name, Color c);
/** name="url(#id)". */
void svg_url(Svg *s, const char *name, int id);
/** A verb and a point of path data. */
void svg_pair(Svg *s, const char *verb, Vec2 p);
void svg_points(Svg *s, const Vec2 *points, size_t n);
/** Text with the characters of XML 1.0 only; what is none becomes U+FFFD. */
void svg_escaped(Svg *s, const char *text, size_t n);
/** Defines the clip path if the command needs one; svg_common names it. */
void svg_define_clip(Svg *s);
/** The attributes that every drawn element may need. */
void svg_common(Svg *s);
/** Definitions; their ids. */
int svg_define_blur(Svg *s, float deviation);
int svg_define_gradient(Svg *s, Vec2 a, Vec2 b, Color from, Color to);
/** A picture as a data address: base64 of its PNG. */
void svg_png(Svg *s, const unsigned char *rgba, int32_t width, int32_t height);

/* svg_curves.c */
void svg_curves(Svg *s);
void svg_particles(Svg *s);
