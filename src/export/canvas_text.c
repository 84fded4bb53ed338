#include <cairo-ft.h>
#include <fontconfig/fontconfig.h>
#include <string.h>

#include "export/canvas.h"

/*
 * Cairo loads the file itself: its caches outlive us, so it must not hold our faces.
 */
static cairo_font_face_t *find_face(Canvas *c, uint16_t index)
{
    for (size_t i = 0; i < c->faces.n; i++) {
        if (c->faces.items[i].index == index) {
            return c->faces.items[i].face;
        }
    }
    const char *path;
    int file_index;
    FcPattern *pattern = NULL;
    if (fontset_file(c->list->fonts, index, &path, &file_index)) {
        pattern = FcPatternCreate();
    }
    if (!pattern) {
        return NULL;
    }
    FcPatternAddString(pattern, FC_FILE, (const FcChar8 *)path);
    FcPatternAddInteger(pattern, FC_INDEX, file_index);
    FcPatternAddDouble(pattern, FC_PIXEL_SIZE, 12);
    CanvasFace row = {.face = cairo_ft_font_face_create_for_pattern(pattern), .index = index};
    FcPatternDestroy(pattern);
    if (!ARRAY_PUSH(&c->faces, row, NULL)) {
        cairo_font_face_destroy(row.face);
        return NULL;
    }
    return row.face;
}

/* One stretch of glyphs of one face and direction; show_text_glyphs keeps its characters. */
typedef struct Run {
    size_t first, n; /* glyphs */
    size_t from, to; /* bytes */
    bool backward;
} Run;

static bool is_rtl(const ShapedGlyph *g)
{
    return (g->flags & TEXT_RTL) != 0;
}

static Run next_run(const ShapedText *shaped, size_t first, size_t n_bytes)
{
    const ShapedGlyph *g = shaped->glyphs;
    Run run = {.first = first, .n = 1, .backward = is_rtl(&g[first])};
    uint32_t lo = g[first].cluster;
    uint32_t hi = lo;
    while (first + run.n < shaped->n_glyphs) {
        const ShapedGlyph *next = &g[first + run.n];
        uint32_t last = g[first + run.n - 1].cluster;
        bool monotone = run.backward ? next->cluster <= last : next->cluster >= last;
        if (next->face != g[first].face || is_rtl(next) != run.backward || !monotone ||
            next->glyph == TEXT_TOFU || g[first].glyph == TEXT_TOFU) {
            break;
        }
        lo = AS_MIN(lo, next->cluster);
        hi = AS_MAX(hi, next->cluster);
        run.n++;
    }
    run.from = lo;
    run.to = text_cluster_end(shaped, hi, n_bytes);
    return run;
}

static bool fill_run(Canvas *c, const ShapedText *shaped, const Run *run, float tracked,
                     size_t n_bytes)
{
    const DrawText *t = &c->cmd->u.text;
    c->glyphs.n = c->clusters.n = 0;
    for (size_t i = run->first; i < run->first + run->n; i++) {
        const ShapedGlyph *g = &shaped->glyphs[i];
        if (i > run->first && g->flags & TEXT_CLUSTER_START) {
            tracked += t->tracking;
        }
        cairo_glyph_t glyph = {.index = g->glyph,
                               .x = (double)(g->x * t->size + tracked),
                               .y = (double)(-g->y * t->size)};
        if (!ARRAY_PUSH(&c->glyphs, glyph, NULL)) {
            return false;
        }
    }
    /* Clusters go in text order: the glyphs' order, or its reverse. */
    for (size_t k = 0; k < run->n; k++) {
        size_t i = run->backward ? run->first + run->n - 1 - k : run->first + k;
        uint32_t cluster = shaped->glyphs[i].cluster;
        bool same = k > 0 && shaped->glyphs[run->backward ? i + 1 : i - 1].cluster == cluster;
        if (same) {
            c->clusters.items[c->clusters.n - 1].num_glyphs++;
            continue;
        }
        size_t end = text_cluster_end(shaped, cluster, n_bytes);
        cairo_text_cluster_t row = {.num_bytes = (int)(end - cluster), .num_glyphs = 1};
        if (!ARRAY_PUSH(&c->clusters, row, NULL)) {
            return false;
        }
    }
    return true;
}

/* A frame for a character that no face has, as the screen shows it. */
static void tofu(Canvas *c, const ShapedGlyph *g, float tracked)
{
    double size = (double)c->cmd->u.text.size;
    double stroke = AS_MAX(1.0, size / 14);
    double x = (double)(g->x * c->cmd->u.text.size + tracked);
    cairo_rectangle(c->cr, x + 0.08 * size + stroke / 2, -0.72 * size + stroke / 2,
                    0.46 * size - stroke, 0.72 * size - stroke);
    cairo_set_line_width(c->cr, stroke);
    cairo_stroke(c->cr);
}

bool canvas_text(Canvas *c, Error *err)
{
    const DrawText *t = &c->cmd->u.text;
    const ShapedText *shaped = fontset_shape(c->list->fonts, t->face, t->text, t->n);
    if (!shaped) {
        return error_set(err, ERR_MEMORY, "not enough memory to shape a text");
    }
    cairo_save(c->cr);
    cairo_translate(c->cr, (double)t->at.x, (double)t->at.y);
    if (t->turn != TEXT_UPRIGHT) {
        static const double turns[] = {0, -1.5707963267948966, 1.5707963267948966,
                                       -1.2566370614359172};
        cairo_rotate(c->cr, turns[t->turn]);
    }
    canvas_color(c, t->color);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(c->cr, options);
    cairo_font_options_destroy(options);
    float tracked = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < shaped->n_glyphs;) {
        Run run = next_run(shaped, i, t->n);
        tracked += i > 0 ? t->tracking : 0;
        if (shaped->glyphs[i].glyph == TEXT_TOFU) {
            tofu(c, &shaped->glyphs[i], tracked);
            i++;
            continue;
        }
        cairo_font_face_t *face = find_face(c, shaped->glyphs[i].face);
        ok = face && fill_run(c, shaped, &run, tracked, t->n);
        if (ok) {
            cairo_set_font_face(c->cr, face);
            cairo_set_font_size(c->cr, (double)t->size);
            /* Clusters must add up to the bytes, or cairo refuses the whole. */
            size_t bytes = 0;
            for (size_t k = 0; k < c->clusters.n; k++) {
                bytes += (size_t)c->clusters.items[k].num_bytes;
            }
            if (bytes == run.to - run.from) {
                cairo_show_text_glyphs(c->cr, t->text + run.from, (int)bytes, c->glyphs.items,
                                       (int)c->glyphs.n, c->clusters.items, (int)c->clusters.n,
                                       run.backward ? CAIRO_TEXT_CLUSTER_FLAG_BACKWARD : 0);
            } else {
                cairo_show_glyphs(c->cr, c->glyphs.items, (int)c->glyphs.n);
            }
        }
        for (size_t k = 1; k < run.n; k++) {
            tracked += shaped->glyphs[i + k].flags & TEXT_CLUSTER_START ? t->tracking : 0;
        }
        i += run.n;
    }
    cairo_restore(c->cr);
    return ok ? true : error_set(err, ERR_MEMORY, "not enough memory to write a text");
}
