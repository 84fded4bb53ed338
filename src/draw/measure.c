#include "draw/fontset.h"

#include <math.h>
#include <string.h>

#include "base/str.h"

/* Width of the narrowest characters that make up a line, ems. */
static const float LEAST_EM = 0.2f;
static const char ELLIPSIS[] = "\xE2\x80\xA6";

static size_t length(const char *text, size_t n)
{
    return n == TEXT_ALL ? strlen(text) : n;
}

float text_width(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n)
{
    const ShapedText *shaped = fontset_shape(fonts, face, text, n);
    return shaped ? shaped->advance * size_px : 0;
}

float text_width_tracked(FontSet *fonts, FontFace face, float size_px, float tracking_px,
                         const char *text, size_t n)
{
    const ShapedText *shaped = fontset_shape(fonts, face, text, n);
    if (!shaped) {
        return 0;
    }
    size_t clusters = 0;
    for (size_t i = 0; i < shaped->n_glyphs; i++) {
        clusters += shaped->glyphs[i].flags & TEXT_CLUSTER_START;
    }
    return shaped->advance * size_px + (clusters ? (float)(clusters - 1) * tracking_px : 0);
}

Rect text_ink(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n)
{
    const ShapedText *shaped = fontset_shape(fonts, face, text, n);
    bool any = false;
    float x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    for (size_t i = 0; shaped && i < shaped->n_glyphs; i++) {
        const ShapedGlyph *g = &shaped->glyphs[i];
        float left, right, top, bottom;
        if (g->glyph == TEXT_TOFU) {
            left = g->x;
            right = g->x + g->advance;
            bottom = 0;
            top = font_metrics(fonts, face, 1).cap_height;
        } else {
            FT_Face ft = fonts->faces.items[g->face].ft;
            if (FT_Load_Glyph(ft, g->glyph, FT_LOAD_NO_SCALE | FT_LOAD_NO_BITMAP) != 0 ||
                ft->glyph->metrics.width == 0) {
                continue;
            }
            const FT_Glyph_Metrics *m = &ft->glyph->metrics;
            float em = 1.0f / (float)ft->units_per_EM;
            left = g->x + (float)m->horiBearingX * em;
            right = left + (float)m->width * em;
            top = g->y + (float)m->horiBearingY * em;
            bottom = top - (float)m->height * em;
        }
        x0 = any ? AS_MIN(x0, left) : left;
        x1 = any ? AS_MAX(x1, right) : right;
        y0 = any ? AS_MIN(y0, -top) : -top;
        y1 = any ? AS_MAX(y1, -bottom) : -bottom;
        any = true;
    }
    return rect(x0 * size_px, y0 * size_px, (x1 - x0) * size_px, (y1 - y0) * size_px);
}

/* Where the caret stands before and after the cluster that glyph i begins, in ems. */
static void cluster_span(const ShapedText *shaped, size_t i, float *before, float *after)
{
    const ShapedGlyph *g = shaped->glyphs;
    size_t first = i;
    size_t last = i;
    while (first > 0 && g[first - 1].cluster == g[i].cluster) {
        first--;
    }
    while (last + 1 < shaped->n_glyphs && g[last + 1].cluster == g[i].cluster) {
        last++;
    }
    float left = 0;
    for (size_t k = 0; k < first; k++) {
        left += g[k].advance;
    }
    float right = left;
    for (size_t k = first; k <= last; k++) {
        right += g[k].advance;
    }
    bool rtl = (g[i].flags & TEXT_RTL) != 0;
    *before = rtl ? right : left;
    *after = rtl ? left : right;
}

size_t text_cluster_end(const ShapedText *shaped, uint32_t cluster, size_t n)
{
    size_t next = n;
    for (size_t i = 0; i < shaped->n_glyphs; i++) {
        uint32_t c = shaped->glyphs[i].cluster;
        if (c > cluster && c < next) {
            next = c;
        }
    }
    return next;
}

size_t text_offset_at(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n,
                      float x)
{
    n = length(text, n);
    const ShapedText *shaped = fontset_shape(fonts, face, text, n);
    if (!shaped || shaped->n_glyphs == 0 || !(size_px > 0)) {
        return 0;
    }
    float em = x / size_px;
    size_t best = 0;
    float best_distance = INFINITY;
    for (size_t i = 0; i < shaped->n_glyphs; i++) {
        if (!(shaped->glyphs[i].flags & TEXT_CLUSTER_START)) {
            continue;
        }
        float before, after;
        cluster_span(shaped, i, &before, &after);
        uint32_t cluster = shaped->glyphs[i].cluster;
        if (fabsf(em - before) < best_distance) {
            best_distance = fabsf(em - before);
            best = cluster;
        }
        if (fabsf(em - after) < best_distance) {
            best_distance = fabsf(em - after);
            best = text_cluster_end(shaped, cluster, n);
        }
    }
    return best;
}

float text_x_of(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n,
                size_t offset)
{
    n = length(text, n);
    const ShapedText *shaped = fontset_shape(fonts, face, text, n);
    if (!shaped || shaped->n_glyphs == 0) {
        return 0;
    }
    /* The cluster that holds the offset: the one that begins last at or before it. */
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < shaped->n_glyphs; i++) {
        const ShapedGlyph *g = &shaped->glyphs[i];
        if (g->cluster <= offset &&
            (best == SIZE_MAX || g->cluster > shaped->glyphs[best].cluster)) {
            best = i;
        }
    }
    if (best == SIZE_MAX) {
        return 0;
    }
    float before, after;
    cluster_span(shaped, best, &before, &after);
    return (offset >= n ? after : before) * size_px;
}

size_t text_step_logical(FontSet *fonts, FontFace face, const char *text, size_t n, size_t offset,
                         int direction)
{
    n = length(text, n);
    const ShapedText *shaped = fontset_shape(fonts, face, text, n);
    size_t best = direction > 0 ? n : 0;
    for (size_t i = 0; shaped && i < shaped->n_glyphs; i++) {
        size_t c = shaped->glyphs[i].cluster;
        if (direction > 0 ? c > offset && c < best : c < offset && c > best) {
            best = c;
        }
    }
    return best;
}

/* Where directions meet two offsets may stand at one place: the nearer in the text is taken. */
size_t text_step(FontSet *fonts, FontFace face, const char *text, size_t n, size_t offset,
                 int direction)
{
    static const float SAME_EM = 1e-3f;
    n = length(text, n);
    const ShapedText *shaped = fontset_shape(fonts, face, text, n);
    if (!shaped || !shaped->has_rtl) {
        size_t to = text_step_logical(fonts, face, text, n, offset, direction);
        return offset == (direction > 0 ? n : 0) ? offset : to;
    }
    float from = text_x_of(fonts, face, 1, text, n, offset);
    size_t best = offset;
    float best_x = INFINITY;
    size_t best_way = 0;
    for (size_t i = 0; i <= shaped->n_glyphs; i++) {
        size_t at = i < shaped->n_glyphs ? shaped->glyphs[i].cluster : n;
        float x = (text_x_of(fonts, face, 1, text, n, at) - from) * (float)direction;
        size_t way = at > offset ? at - offset : offset - at;
        bool nearer = x < best_x - SAME_EM || (x < best_x + SAME_EM && way < best_way);
        if (x > SAME_EM && nearer) {
            best = at;
            best_x = x;
            best_way = way;
        }
    }
    return best;
}

/* Beginning of text up to `keep` bytes, without spaces at its end, and the ellipsis. */
static const char *with_ellipsis(const char *text, size_t keep, Arena *arena, Error *err)
{
    while (keep > 0 && text[keep - 1] == ' ') {
        keep--;
    }
    char *out = arena_alloc(arena, keep + sizeof(ELLIPSIS), err);
    if (out) {
        memcpy(out, text, keep);
        memcpy(out + keep, ELLIPSIS, sizeof(ELLIPSIS));
    }
    return out;
}

/* Width of the clusters that begin before byte `end`, in ems: the same in either direction. */
static float prefix_em(const ShapedText *shaped, size_t end)
{
    float sum = 0;
    for (size_t i = 0; i < shaped->n_glyphs; i++) {
        sum += shaped->glyphs[i].cluster < end ? shaped->glyphs[i].advance : 0;
    }
    return sum;
}

const char *text_elide(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n,
                       float max_width_px, Arena *arena, Error *err)
{
    n = length(text, n);
    const ShapedText *shaped = fontset_shape(fonts, face, text, n);
    if (!shaped) {
        error_set(err, ERR_MEMORY, "not enough memory to shape a text");
        return NULL;
    }
    if (shaped->advance * size_px <= max_width_px) {
        return arena_strndup(arena, text, n, err);
    }
    float room = max_width_px / size_px - text_width(fonts, face, 1, ELLIPSIS, TEXT_ALL);
    if (room < 0) {
        return arena_strdup(arena, "", err);
    }
    /* Clusters in logical order; bisection over byte offsets, then back to a boundary. */
    size_t lo = 0;
    size_t hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo + 1) / 2;
        if (prefix_em(shaped, mid) <= room) {
            lo = mid;
        } else {
            hi = mid - 1;
        }
    }
    size_t keep = 0;
    for (size_t i = 0; i < shaped->n_glyphs; i++) {
        uint32_t c = shaped->glyphs[i].cluster;
        keep = c <= lo && c > keep ? c : keep;
    }
    for (;;) {
        const char *cut = with_ellipsis(text, keep, arena, err);
        if (!cut || keep == 0 || text_width(fonts, face, size_px, cut, TEXT_ALL) <= max_width_px) {
            return cut;
        }
        /* Joining or kerning made it wider: one cluster less. */
        size_t less = 0;
        for (size_t i = 0; i < shaped->n_glyphs; i++) {
            uint32_t c = shaped->glyphs[i].cluster;
            less = c < keep && c > less ? c : less;
        }
        keep = less;
    }
}

/* The longest beginning of text[0..n) that fits, at a space if there is one, else at a cluster. */
static size_t line_end(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n,
                       float width_px)
{
    /* No line has more characters than this, so a long paragraph is not shaped whole again and
     * again. */
    float most = size_px > 0 ? fmaxf(width_px, 0) / (size_px * LEAST_EM) * 4 + 64 : 64;
    if ((float)n > most) {
        n = (size_t)most;
        while (n > 1 && ((unsigned char)text[n] & 0xC0) == 0x80) {
            n--;
        }
    }
    const ShapedText *shaped = fontset_shape(fonts, face, text, n);
    if (!shaped || shaped->advance * size_px <= width_px) {
        return n;
    }
    size_t fits = 0;
    size_t at_space = 0;
    for (size_t end = 1; end <= n; end++) {
        bool boundary = end == n || ((unsigned char)text[end] & 0xC0) != 0x80;
        if (!boundary) {
            continue;
        }
        if (prefix_em(shaped, end) * size_px > width_px) {
            /* A space may hang over the edge. */
            if (end < n && text[end - 1] == ' ') {
                at_space = end;
            }
            break;
        }
        fits = end;
        if (text[end - 1] == ' ' || (end < n && text[end] == ' ')) {
            at_space = end;
        }
    }
    if (at_space) {
        return at_space;
    }
    if (!fits) { /* not even one character: take it all the same, so that there is an end */
        uint32_t c;
        fits = utf8_decode(text, n, &c);
    }
    return fits;
}

size_t text_wrap(FontSet *fonts, FontFace face, float size_px, const char *text, size_t n,
                 float width_px, size_t starts[], size_t ends[], size_t most)
{
    n = length(text, n);
    size_t n_lines = 0;
    size_t at = 0;
    while (at < n || n_lines == 0) {
        const char *newline = memchr(text + at, '\n', n - at);
        size_t paragraph = newline ? (size_t)(newline - text) : n;
        size_t end = at + line_end(fonts, face, size_px, text + at, paragraph - at, width_px);
        size_t shown = end;
        while (shown > at && text[shown - 1] == ' ') {
            shown--;
        }
        if (n_lines < most) {
            starts[n_lines] = at;
            ends[n_lines] = shown;
        }
        n_lines++;
        if (end == paragraph) {
            if (!newline) {
                break;
            }
            at = paragraph + 1;
            continue;
        }
        at = end;
        while (at < paragraph && text[at] == ' ') {
            at++;
        }
        if (at == paragraph && newline) {
            at++; /* only hanging spaces were left before the break */
        }
    }
    return n_lines;
}
