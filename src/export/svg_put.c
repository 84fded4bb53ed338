#include <math.h>
#include <stdio.h>
#include <string.h>

#include "export/png.h"
#include "export/svg.h"

void svg_put(Svg *s, const char *text)
{
    s->ok = s->ok && strbuf_puts(&s->out, text, s->err);
}

/* A number to 0.001 whatever the locale's decimal point is. */
void svg_number(Svg *s, float v)
{
    double scaled = round((double)v * 1000);
    if (!(fabs(scaled) < 1e15)) {
        scaled = 0;
    }
    long long n = (long long)scaled;
    long long whole = (n < 0 ? -n : n) / 1000;
    long long part = (n < 0 ? -n : n) % 1000;
    char text[32];
    int used = snprintf(text, sizeof(text), "%s%lld", n < 0 ? "-" : "", whole);
    if (part && used > 0) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, ".%03lld", part);
        while (text[used - 1] == '0') {
            text[--used] = 0;
        }
    }
    svg_put(s, text);
}

void svg_attr(Svg *s, const char *name, float v)
{
    svg_put(s, " ");
    svg_put(s, name);
    svg_put(s, "=\"");
    svg_number(s, v);
    svg_put(s, "\"");
}

void svg_box(Svg *s, Rect r)
{
    svg_attr(s, "x", r.x);
    svg_attr(s, "y", r.y);
    svg_attr(s, "width", r.w);
    svg_attr(s, "height", r.h);
}

/* name="#RRGGBB" and its opacity, the command's included. */
void svg_color(Svg *s, const char *name, Color c)
{
    uint32_t packed = color_pack(c);
    const unsigned char *p = (const unsigned char *)&packed;
    s->ok =
        s->ok && strbuf_printf(&s->out, s->err, " %s=\"#%02X%02X%02X\"", name, p[0], p[1], p[2]);
    float a = c.a * s->cmd->alpha;
    if (a < 1) {
        s->ok = s->ok && strbuf_printf(&s->out, s->err, " %s-opacity=\"", name);
        svg_number(s, a);
        svg_put(s, "\"");
    }
}

/* Characters of XML 1.0 only; what is none becomes U+FFFD. */
void svg_escaped(Svg *s, const char *text, size_t n)
{
    for (size_t i = 0; i < n && s->ok;) {
        uint32_t c;
        i += utf8_decode(text + i, n - i, &c);
        char bytes[4];
        bool legal = (c >= 0x20 && c != 0xFFFE && c != 0xFFFF) || c == '\t' || c == '\n';
        size_t used = utf8_encode(legal ? c : 0xFFFD, bytes);
        switch (c) {
        case '&':
            svg_put(s, "&amp;");
            break;
        case '<':
            svg_put(s, "&lt;");
            break;
        case '>':
            svg_put(s, "&gt;");
            break;
        case '"':
            svg_put(s, "&quot;");
            break;
        default:
            s->ok = strbuf_add(&s->out, bytes, used, s->err);
        }
    }
}

static bool inside(Rect inner, Rect outer)
{
    return inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.w <= outer.x + outer.w &&
           inner.y + inner.h <= outer.y + outer.h;
}

/* Defines the clip path if the command needs one; common() names it. */
void svg_define_clip(Svg *s)
{
    Rect clip = s->cmd->clip;
    bool same = s->clip_id && memcmp(&clip, &s->clip, sizeof(clip)) == 0;
    if (inside(s->cmd->bounds, clip) || same) {
        return;
    }
    s->clip = clip;
    s->clip_id = ++s->n_ids;
    s->ok = s->ok && strbuf_printf(&s->out, s->err, "<clipPath id=\"i%d\"><rect", s->clip_id);
    svg_box(s, clip);
    svg_put(s, "/></clipPath>\n");
}

/* The attributes that every drawn element may need. */
void svg_common(Svg *s)
{
    if (!inside(s->cmd->bounds, s->cmd->clip)) {
        s->ok = s->ok && strbuf_printf(&s->out, s->err, " clip-path=\"url(#i%d)\"", s->clip_id);
    }
    if (s->cmd->blend == DRAW_ADD) {
        svg_put(s, " style=\"mix-blend-mode:plus-lighter\"");
    }
}

int svg_define_blur(Svg *s, float deviation)
{
    int id = ++s->n_ids;
    /* Not in units of the figure's box: a straight line's has no height, and nothing would show. */
    s->ok = s->ok &&
            strbuf_printf(&s->out, s->err, "<filter id=\"i%d\" filterUnits=\"userSpaceOnUse\"", id);
    svg_box(s, rect_inset(s->cmd->bounds, -3 * deviation));
    svg_put(s, "><feGaussianBlur");
    svg_attr(s, "stdDeviation", deviation);
    svg_put(s, "/></filter>\n");
    return id;
}

static void put_stop(Svg *s, const char *offset, Color c)
{
    s->ok = s->ok && strbuf_printf(&s->out, s->err, "<stop offset=\"%s\"", offset);
    uint32_t packed = color_pack(c);
    const unsigned char *p = (const unsigned char *)&packed;
    s->ok =
        s->ok && strbuf_printf(&s->out, s->err, " stop-color=\"#%02X%02X%02X\"", p[0], p[1], p[2]);
    svg_attr(s, "stop-opacity", c.a * s->cmd->alpha);
    svg_put(s, "/>");
}

int svg_define_gradient(Svg *s, Vec2 a, Vec2 b, Color from, Color to)
{
    int id = ++s->n_ids;
    s->ok =
        s->ok && strbuf_printf(&s->out, s->err,
                               "<linearGradient id=\"i%d\" gradientUnits=\"userSpaceOnUse\"", id);
    svg_attr(s, "x1", a.x);
    svg_attr(s, "y1", a.y);
    svg_attr(s, "x2", b.x);
    svg_attr(s, "y2", b.y);
    svg_put(s, ">");
    put_stop(s, "0", from);
    put_stop(s, "1", to);
    svg_put(s, "</linearGradient>\n");
    return id;
}

void svg_url(Svg *s, const char *name, int id)
{
    s->ok = s->ok && strbuf_printf(&s->out, s->err, " %s=\"url(#i%d)\"", name, id);
}

void svg_points(Svg *s, const Vec2 *points, size_t n)
{
    svg_put(s, " points=\"");
    for (size_t i = 0; i < n; i++) {
        svg_put(s, i ? " " : "");
        svg_number(s, points[i].x);
        svg_put(s, ",");
        svg_number(s, points[i].y);
    }
    svg_put(s, "\"");
}

void svg_pair(Svg *s, const char *verb, Vec2 p)
{
    svg_put(s, verb);
    svg_number(s, p.x);
    svg_put(s, " ");
    svg_number(s, p.y);
}

static bool to_buffer(void *payload, const void *bytes, size_t n, Error *err)
{
    return strbuf_add(payload, bytes, n, err);
}

static void put_base64(Svg *s, const unsigned char *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n && s->ok; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (left > 2 ? p[i + 2] : 0);
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63], left > 1 ? digits[v >> 6 & 63] : '=',
                        left > 2 ? digits[v & 63] : '='};
        s->ok = strbuf_add(&s->out, four, 4, s->err);
    }
}

void svg_png(Svg *s, const unsigned char *rgba, int32_t width, int32_t height)
{
    StrBuf png = {0};
    s->ok = s->ok && png_encode(rgba, width, height, to_buffer, &png, s->err);
    svg_put(s, "data:image/png;base64,");
    put_base64(s, (const unsigned char *)png.text, png.n);
    strbuf_free(&png);
}
