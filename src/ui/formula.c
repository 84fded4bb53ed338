#include "ui/formula.h"

#include "base/str.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* Measures in ems of the current size. */
static const float SCRIPT = 0.66f;
static const float SUB_DROP = 0.22f;
static const float SUP_RISE = 0.40f;
static const float FRACTION_GAP = 0.185f;
static const float AXIS = 0.26f;
static const float RULE = 0.055f;
static const float SPACE = 0.22f;
static const float NUMBER = 0.8f; /* the face of numbers is larger for its size */

typedef struct Box {
    float w, up, down; /* extents about the baseline */
} Box;

typedef struct Setter {
    Ui *ui;
    const Formula *style;
    bool draw;
} Setter;

typedef struct Place {
    Vec2 at;
    float size;
    Color color;
    bool upright, number;
} Place;

static Box set_list(const Setter *s, const char *p, const char *end, Place place);

static Box join(Box a, Box b)
{
    return (Box){a.w + b.w, fmaxf(a.up, b.up), fmaxf(a.down, b.down)};
}

static Box set_text(const Setter *s, const char *text, size_t n, Place place, FontFace face)
{
    Ui *ui = s->ui;
    float w = text_width(ui->fonts, face, place.size, text, n);
    if (s->draw) {
        draw_text(ui->list, &(DrawText){.face = face,
                                        .size = place.size,
                                        .color = place.color,
                                        .text = draw_format(ui->list, "%.*s", (int)n, text),
                                        .at = place.at});
    }
    Rect ink = text_ink(ui->fonts, face, place.size, text, n);
    return (Box){w, fmaxf(-ink.y, place.size * 0.44f), fmaxf(ink.y + ink.h, 0)};
}

/* The contents of {…} at p; *after = past the bracket. Without one, a single character. */
static const char *group(const char *p, const char *end, const char **stop, const char **after)
{
    if (p < end && *p == '{') {
        int depth = 1;
        const char *q = p + 1;
        for (; q < end && depth; q++) {
            depth += (*q == '{') - (*q == '}');
        }
        *stop = depth ? end : q - 1;
        *after = q;
        return p + 1;
    }
    uint32_t c;
    size_t n = utf8_decode(p, (size_t)(end - p), &c);
    *stop = *after = p + n;
    return p;
}

static void rule(const Setter *s, float x, float y, float w, float thickness, Color color)
{
    if (s->draw) {
        draw_rect(s->ui->list,
                  &(DrawRect){.box = {x, ui_snap(s->ui, y), w, fmaxf(thickness, 1 / s->ui->scale)},
                              .fill = color});
    }
}

static Box set_fraction(const Setter *s, const char *over, const char *over_end, const char *under,
                        const char *under_end, Place place)
{
    Setter measure = *s;
    measure.draw = false;
    Place part = place;
    part.size = place.size * 0.94f;
    Box a = set_list(&measure, over, over_end, part);
    Box b = set_list(&measure, under, under_end, part);
    float pad = place.size * 0.12f;
    float w = fmaxf(a.w, b.w) + 2 * pad;
    float axis = place.size * AXIS;
    float gap = place.size * FRACTION_GAP;
    Box out = {w + 2 * pad, axis + gap + a.down + a.up, gap + b.up + b.down - axis};
    if (s->draw) {
        part.at = vec2(place.at.x + pad + (w - a.w) / 2, place.at.y - axis - gap - a.down);
        set_list(s, over, over_end, part);
        part.at = vec2(place.at.x + pad + (w - b.w) / 2, place.at.y - axis + gap + b.up);
        set_list(s, under, under_end, part);
        rule(s, place.at.x + pad, place.at.y - axis, w, place.size * RULE, place.color);
    }
    return out;
}

static Box set_root(const Setter *s, const char *p, const char *end, Place place)
{
    Setter measure = *s;
    measure.draw = false;
    Box in = set_list(&measure, p, end, place);
    float em = place.size;
    float hook = em * 0.52f;
    float top = in.up + em * 0.12f;
    if (s->draw) {
        Vec2 o = place.at;
        Vec2 points[] = {{o.x + em * 0.04f, o.y - em * 0.26f},
                         {o.x + em * 0.15f, o.y - em * 0.33f},
                         {o.x + em * 0.30f, o.y + in.down * 0.8f},
                         {o.x + hook - em * 0.04f, o.y - top},
                         {o.x + hook + in.w + em * 0.06f, o.y - top}};
        draw_polyline(s->ui->list, &(DrawPolyline){.points = points,
                                                   .n_points = AS_COUNT(points),
                                                   .width = fmaxf(em * RULE, 1),
                                                   .color = place.color,
                                                   .cap = DRAW_ROUND});
        place.at.x += hook;
        set_list(s, p, end, place);
    }
    return (Box){hook + in.w + em * 0.1f, top + em * RULE, in.down};
}

/* What is being done now, in a box of its colour. */
static Box set_mark(const Setter *s, const char *p, const char *end, Place place)
{
    Setter measure = *s;
    measure.draw = false;
    Box in = set_list(&measure, p, end, place);
    float pad = place.size * 0.24f;
    float air = place.size * 0.08f; /* outside */
    if (s->draw) {
        Rect box = {place.at.x + air, place.at.y - in.up - pad, in.w + 2 * pad,
                    in.up + in.down + 2 * pad};
        draw_rect(s->ui->list, &(DrawRect){.box = box,
                                           .radius = fminf(7, box.h / 3),
                                           .fill = color_with_alpha(place.color, 0.14f),
                                           .border = 1.5f,
                                           .border_color = place.color});
        place.at.x += air + pad;
        set_list(s, p, end, place);
    }
    return (Box){in.w + 2 * (pad + air), in.up + pad, in.down + pad};
}

static void bracket(const Setter *s, float x, float y0, float y1, float bulge, Place place)
{
    float h = y1 - y0;
    draw_bezier(s->ui->list, &(DrawBezier){.a = {x, y0},
                                           .c1 = {x - bulge, y0 + h * 0.28f},
                                           .c2 = {x - bulge, y0 + h * 0.72f},
                                           .b = {x, y1},
                                           .width = fmaxf(place.size * 0.075f, 1),
                                           .color = place.color});
}

static Box set_paren(const Setter *s, const char *p, const char *end, Place place)
{
    Setter measure = *s;
    measure.draw = false;
    Box in = set_list(&measure, p, end, place);
    float em = place.size;
    float side = em * 0.34f;
    float over = em * 0.08f;
    if (s->draw) {
        float y0 = place.at.y - in.up - over;
        float y1 = place.at.y + in.down + over;
        bracket(s, place.at.x + side * 0.9f, y0, y1, em * 0.34f, place);
        bracket(s, place.at.x + side + in.w + side * 0.1f, y0, y1, -em * 0.34f, place);
        place.at.x += side;
        set_list(s, p, end, place);
    }
    return (Box){in.w + 2 * side, in.up + over, in.down + over};
}

static bool is_command(const char *p, const char *end, const char *name, const char **rest)
{
    size_t n = strlen(name);
    if ((size_t)(end - p) > n && p[0] == '\\' && memcmp(p + 1, name, n) == 0) {
        *rest = p + 1 + n;
        return true;
    }
    return false;
}

/* A large sign with what it runs over centred below. */
static Box set_sum(const Setter *s, const char *p, const char *end, Place place)
{
    static const char sign[] = "∑";
    Setter measure = *s;
    measure.draw = false;
    Place below = place;
    below.size = place.size * SCRIPT;
    Place big = place;
    big.size = place.size * 1.35f;
    Box over = set_text(&measure, sign, sizeof sign - 1, big, FONT_MATH);
    Box under = set_list(&measure, p, end, below);
    float w = fmaxf(over.w, under.w);
    float drop = place.size * 0.14f;
    float gap = place.size * 0.1f;
    Box out = {w + place.size * 0.12f, over.up - drop, over.down + drop + gap};
    if (s->draw) {
        big.at = vec2(place.at.x + (w - over.w) / 2, place.at.y + drop);
        set_text(s, sign, sizeof sign - 1, big, FONT_MATH);
        below.at = vec2(place.at.x + (w - under.w) / 2, place.at.y + out.down + under.up);
        set_list(s, p, end, below);
    }
    out.down += under.up + under.down;
    return out;
}

static Color style_color(const Setter *s, int index, Color fallback)
{
    return index >= 0 && index < s->style->n_colors ? s->style->colors[index] : fallback;
}

/* One item at p without its scripts; *after = what follows it. */
static Box set_item(const Setter *s, const char *p, const char *end, Place place,
                    const char **after)
{
    const char *rest;
    const char *stop;
    const char *in;
    if (is_command(p, end, "frac", &rest)) {
        in = group(rest, end, &stop, after);
        const char *under_stop;
        const char *under = group(*after, end, &under_stop, after);
        return set_fraction(s, in, stop, under, under_stop, place);
    }
    if (is_command(p, end, "sqrt", &rest)) {
        in = group(rest, end, &stop, after);
        return set_root(s, in, stop, place);
    }
    if (is_command(p, end, "mark", &rest)) {
        in = group(rest, end, &stop, after);
        return set_mark(s, in, stop, place);
    }
    if (is_command(p, end, "paren", &rest)) {
        in = group(rest, end, &stop, after);
        return set_paren(s, in, stop, place);
    }
    if (is_command(p, end, "sum", &rest)) {
        in = group(rest, end, &stop, after);
        return set_sum(s, in, stop, place);
    }
    if (is_command(p, end, "num", &rest)) {
        in = group(rest, end, &stop, after);
        place.upright = place.number = true;
        return set_list(s, in, stop, place);
    }
    if (is_command(p, end, "up", &rest)) {
        in = group(rest, end, &stop, after);
        place.upright = true;
        return set_list(s, in, stop, place);
    }
    if (end - p > 2 && p[0] == '\\' && p[1] == 'c' && isdigit((unsigned char)p[2])) {
        in = group(p + 3, end, &stop, after);
        place.color = style_color(s, p[2] - '1', place.color);
        return set_list(s, in, stop, place);
    }
    if (*p == '{') {
        in = group(p, end, &stop, after);
        return set_list(s, in, stop, place);
    }
    /* A run of letters alike, up to the next script, space or command. */
    bool italic = isalpha((unsigned char)*p) && !place.upright;
    const char *q = p;
    while (q < end && !strchr("_^{}\\ ", *q) &&
           (isalpha((unsigned char)*q) && !place.upright) == italic) {
        uint32_t c;
        q += utf8_decode(q, (size_t)(end - q), &c);
        if (q < end && (*q == '_' || *q == '^')) {
            break;
        }
    }
    if (q == p) {
        q++; /* a stray sign */
    }
    *after = q;
    if (place.number) {
        place.size *= NUMBER;
        return set_text(s, p, (size_t)(q - p), place, FONT_MONO);
    }
    return set_text(s, p, (size_t)(q - p), place, italic ? FONT_MATH_ITALIC : FONT_MATH);
}

static Box set_scripts(const Setter *s, Box base, const char **p, const char *end, Place place)
{
    float w = 0;
    Box out = base;
    while (*p < end && (**p == '_' || **p == '^')) {
        bool sub = **p == '_';
        const char *stop;
        const char *in = group(*p + 1, end, &stop, p);
        Place script = place;
        script.size = place.size * SCRIPT;
        float dy = sub ? place.size * SUB_DROP : -place.size * SUP_RISE;
        script.at = vec2(place.at.x + base.w + place.size * 0.03f, place.at.y + dy);
        Box b = set_list(s, in, stop, script);
        w = fmaxf(w, b.w + place.size * 0.05f);
        out.up = fmaxf(out.up, b.up - dy);
        out.down = fmaxf(out.down, b.down + dy);
    }
    out.w = base.w + w;
    return out;
}

static Box set_list(const Setter *s, const char *p, const char *end, Place place)
{
    Box all = {0};
    while (p < end) {
        Place here = place;
        here.at.x += all.w;
        if (*p == ' ') {
            all.w += place.size * SPACE;
            p++;
            continue;
        }
        Box item = set_item(s, p, end, here, &p);
        all = join(all, set_scripts(s, item, &p, end, here));
    }
    return all;
}

static Box set_all(Ui *ui, Vec2 at, const Formula *style, const char *text, bool draw)
{
    Setter s = {ui, style, draw};
    Place place = {.at = at,
                   .size = style->size > 0 ? style->size : 18,
                   .color = style->color.a > 0 ? style->color : ui->theme.text};
    return set_list(&s, text, text + strlen(text), place);
}

float ui_formula(Ui *ui, Vec2 at, const Formula *style, const char *text)
{
    return set_all(ui, at, style, text, true).w;
}

void ui_formula_measure(Ui *ui, const Formula *style, const char *text, float *width, float *height,
                        float *depth)
{
    Box box = set_all(ui, vec2(0, 0), style, text, false);
    *width = box.w;
    *height = box.up;
    *depth = box.down;
}

float ui_formula_fit(Ui *ui, const Formula *style, const char *text, float width, float least)
{
    float w;
    float up;
    float down;
    ui_formula_measure(ui, style, text, &w, &up, &down);
    float size = style->size > 0 ? style->size : 18;
    return w <= width ? size : fmaxf(size * width / w, least);
}

/* ---- LaTeX ---- */

static const struct {
    const char *ours, *theirs;
} latex_names[] = {{"\\up", "\\operatorname"},
                   {"\\num", "\\mathtt"},
                   {"·", "\\cdot "},
                   {"−", "-"},
                   {"×", "\\times "},
                   {"∞", "\\infty "},
                   {"…", "\\dots "},
                   {"⁻", "^{-}"},
                   {"%", "\\%"}};

/* Commands whose argument stands between two pieces. */
static const struct {
    const char *name, *before, *after;
} latex_wraps[] = {
    {"paren", "\\left(", "\\right)"}, {"sum", "\\sum_{", "}"}, {"mark", "\\boxed{", "}"}};

static bool latex_into(StrBuf *out, const char *p, const char *end, Error *err);

/* One item at p; *after = what follows. */
static bool latex_item(StrBuf *out, const char *p, const char *end, const char **after, Error *err)
{
    const char *rest;
    const char *stop;
    if (end - p > 2 && p[0] == '\\' && p[1] == 'c' && isdigit((unsigned char)p[2])) {
        const char *in = group(p + 3, end, &stop, after);
        return latex_into(out, in, stop, err);
    }
    for (size_t i = 0; i < AS_COUNT(latex_wraps); i++) {
        if (is_command(p, end, latex_wraps[i].name, &rest)) {
            const char *in = group(rest, end, &stop, after);
            return strbuf_puts(out, latex_wraps[i].before, err) && latex_into(out, in, stop, err) &&
                   strbuf_puts(out, latex_wraps[i].after, err);
        }
    }
    for (size_t i = 0; i < AS_COUNT(latex_names); i++) {
        size_t n = strlen(latex_names[i].ours);
        if ((size_t)(end - p) >= n && memcmp(p, latex_names[i].ours, n) == 0) {
            *after = p + n;
            return strbuf_puts(out, latex_names[i].theirs, err);
        }
    }
    *after = p + 1;
    return strbuf_add(out, p, 1, err);
}

static bool latex_into(StrBuf *out, const char *p, const char *end, Error *err)
{
    bool ok = true;
    while (ok && p < end) {
        ok = latex_item(out, p, end, &p, err);
    }
    return ok;
}

const char *formula_latex(const char *text, Arena *arena, Error *err)
{
    StrBuf out = {0};
    const char *copy = NULL;
    if (latex_into(&out, text, text + strlen(text), err)) {
        copy = arena_strdup(arena, strbuf_text(&out), err);
    }
    strbuf_free(&out);
    return copy;
}
