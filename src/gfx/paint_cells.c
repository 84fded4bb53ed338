#include <math.h>
#include <string.h>

#include <glad/gl.h>

#include "gfx/internal.h"

/* A masked value in a texture; the shader compares with -3e38. */
static const float MASKED = -3.4e38f;
/* Arrays with more texels than this are sent only where they are seen. */
static const int64_t WINDOW_FROM = 4 << 20;

/* The part of an array that goes to a texture, and at what size. */
typedef struct CellWindow {
    int32_t row0, col0, rows, cols;
    int32_t out_rows, out_cols;
} CellWindow;

static void set_nearest(bool smooth)
{
    GLint filter = smooth ? GL_LINEAR : GL_NEAREST;
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, filter);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, filter);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 0);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
}

static uint32_t find_texture(Gfx *gfx, AtlasKey key)
{
    for (size_t i = 0; i < gfx->textures.n; i++) {
        CachedTexture *t = &gfx->textures.items[i];
        if (t->key.a == key.a && t->key.b == key.b) {
            t->used_frame = gfx->frame;
            return t->texture;
        }
    }
    return 0;
}

/* Makes a texture and remembers it: for its version, or for this frame only. */
static bool new_texture(Gfx *gfx, AtlasKey key, bool keep, bool is_float, int32_t w, int32_t h,
                        const void *pixels, bool smooth, uint32_t *out, Error *err)
{
    GLuint name;
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    set_nearest(smooth);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    glTexImage2D(GL_TEXTURE_2D, 0, is_float ? GL_R32F : GL_RGBA8, w, h, 0,
                 is_float ? GL_RED : GL_RGBA, is_float ? GL_FLOAT : GL_UNSIGNED_BYTE, pixels);
    int64_t n_bytes = (int64_t)w * h * 4;
    gfx->stats.uploaded_bytes += n_bytes;
    CachedTexture row = {.key = key, .texture = name, .n_bytes = n_bytes, .used_frame = gfx->frame};
    bool ok = keep ? ARRAY_PUSH(&gfx->textures, row, err) : ARRAY_PUSH(&gfx->doomed, name, err);
    if (!ok) {
        glDeleteTextures(1, &name);
        return false;
    }
    *out = name;
    return true;
}

void gfx_forget_textures(Gfx *gfx)
{
    enum { KEEP_FRAMES = 240 };
    const int64_t most_bytes = (int64_t)256 << 20;
    int64_t total = 0;
    for (size_t i = 0; i < gfx->textures.n; i++) {
        total += gfx->textures.items[i].n_bytes;
    }
    for (size_t i = gfx->textures.n; i-- > 0;) {
        CachedTexture *t = &gfx->textures.items[i];
        uint64_t age = gfx->frame - t->used_frame;
        if (age > KEEP_FRAMES || (total > most_bytes && age > 0)) {
            total -= t->n_bytes;
            glDeleteTextures(1, &t->texture);
            *t = gfx->textures.items[--gfx->textures.n];
        }
    }
    if (gfx->doomed.n) {
        glDeleteTextures((GLsizei)gfx->doomed.n, gfx->doomed.items);
        gfx->doomed.n = 0;
    }
}

/* Which cells are seen, and how many device pixels they get. */
static CellWindow choose_window(const PaintContext *c, const float box[4])
{
    const DrawCells *cells = &c->cmd->u.cells;
    CellWindow w = {.rows = cells->source.rows, .cols = cells->source.cols};
    float px_w = box[2] - box[0];
    float px_h = box[3] - box[1];
    w.out_cols = (float)w.cols > px_w ? AS_MAX((int32_t)lroundf(px_w), 1) : w.cols;
    w.out_rows = (float)w.rows > px_h ? AS_MAX((int32_t)lroundf(px_h), 1) : w.rows;
    int32_t most = c->gfx->most_texels;
    bool reduced = w.out_cols < w.cols || w.out_rows < w.rows;
    if (!reduced && ((int64_t)w.rows * w.cols > WINDOW_FROM || w.rows > most || w.cols > most)) {
        float pitch_x = px_w / (float)w.cols;
        float pitch_y = px_h / (float)w.rows;
        float col0 = floorf((c->clip[0] - box[0]) / pitch_x);
        float col1 = ceilf((c->clip[2] - box[0]) / pitch_x);
        float row0 = floorf((c->clip[1] - box[1]) / pitch_y);
        float row1 = ceilf((c->clip[3] - box[1]) / pitch_y);
        w.col0 = (int32_t)AS_CLAMP(col0, 0.0f, (float)w.cols - 1);
        w.row0 = (int32_t)AS_CLAMP(row0, 0.0f, (float)w.rows - 1);
        w.cols = w.out_cols = (int32_t)AS_CLAMP(col1, (float)w.col0 + 1, (float)w.cols) - w.col0;
        w.rows = w.out_rows = (int32_t)AS_CLAMP(row1, (float)w.row0 + 1, (float)w.rows) - w.row0;
    }
    return w;
}

/* The window's values into gfx->values, masked ones marked for the shader. */
static bool gather(Gfx *gfx, const DrawCells *cells, const CellWindow *w, Error *err)
{
    size_t n = (size_t)w->out_rows * (size_t)w->out_cols;
    if (!ARRAY_RESERVE(&gfx->values, n, err)) {
        return false;
    }
    DrawCells part = *cells;
    part.source.values += (ptrdiff_t)w->row0 * cells->source.stride + w->col0;
    part.source.rows = w->rows;
    part.source.cols = w->cols;
    /* Row 0 and column 0 of the part are others than those of the whole. */
    part.future_offset = cells->future_offset + w->row0 - w->col0;
    float *out = gfx->values.items;
    if (w->out_rows < w->rows || w->out_cols < w->cols) {
        cells_reduce(&part, w->out_rows, w->out_cols, out);
    } else {
        for (int32_t r = 0; r < w->rows; r++) {
            float *row = out + (size_t)r * (size_t)w->cols;
            memcpy(row, part.source.values + (ptrdiff_t)r * part.source.stride,
                   (size_t)w->cols * sizeof(float));
            int64_t future = (int64_t)r + part.future_offset + 1;
            for (int64_t k = AS_MAX(future, 0); part.hide_future && k < w->cols; k++) {
                row[k] = -INFINITY;
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = out[i] > MASKED ? out[i] : MASKED; /* also NaN */
    }
    return true;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0xD6E8FEB86659FD93u;
    return h ^ (h >> 32);
}

static AtlasKey window_key(const DrawCells *cells, const CellWindow *w)
{
    AtlasKey key = {cells->source.version, 0};
    uint64_t parts[] = {(uint64_t)w->row0,
                        (uint64_t)w->col0,
                        (uint64_t)w->rows,
                        (uint64_t)w->cols,
                        (uint64_t)w->out_rows,
                        (uint64_t)w->out_cols,
                        (uint64_t)cells->reduce,
                        (uint64_t)cells->hide_future,
                        (uint64_t)(uint32_t)cells->future_offset,
                        (uint64_t)cells->source.stride};
    for (size_t i = 0; i < AS_COUNT(parts); i++) {
        key.b = mix(key.b, parts[i] + 1);
    }
    return key;
}

/* Small arrays share a texture, so that a page of thumbnails is one draw call. */
static bool small_texture(const PaintContext *c, const CellWindow *w, AtlasKey key, float corner[2],
                          uint32_t *texture, Error *err)
{
    Gfx *gfx = c->gfx;
    bool keep = c->cmd->u.cells.source.version != 0;
    const AtlasSlot *slot = keep ? atlas_find(&gfx->small_cells, key) : NULL;
    if (!slot) {
        if (!gather(gfx, &c->cmd->u.cells, w, err)) {
            return false;
        }
        slot = atlas_put(&gfx->small_cells, key, w->out_cols, w->out_rows, gfx->values.items, 0, 0);
        if (!slot) {
            if (!gfx_flush(gfx, err)) {
                return false;
            }
            atlas_reset(&gfx->small_cells);
            slot = atlas_put(&gfx->small_cells, key, w->out_cols, w->out_rows, gfx->values.items, 0,
                             0);
        }
    }
    if (!slot) {
        return error_set(err, ERR_MEMORY, "not enough memory for a table of cells");
    }
    corner[0] = (float)slot->x;
    corner[1] = (float)slot->y;
    *texture = gfx->small_cells.texture;
    return true;
}

static bool window_texture(const PaintContext *c, const CellWindow *w, float corner[2],
                           uint32_t *texture, Error *err)
{
    Gfx *gfx = c->gfx;
    const DrawCells *cells = &c->cmd->u.cells;
    bool keep = cells->source.version != 0;
    AtlasKey key = window_key(cells, w);
    if (keep && w->out_rows <= SMALL_CELLS && w->out_cols <= SMALL_CELLS) {
        return small_texture(c, w, key, corner, texture, err);
    }
    corner[0] = corner[1] = 0;
    *texture = keep ? find_texture(gfx, key) : 0;
    if (*texture) {
        return true;
    }
    if (w->out_rows > gfx->most_texels || w->out_cols > gfx->most_texels) {
        return error_set(err, ERR_GRAPHICS, "%d x %d cells in view are more than %s can hold (%d)",
                         w->out_rows, w->out_cols, gfx->renderer, gfx->most_texels);
    }
    return gather(gfx, cells, w, err) && new_texture(gfx, key, keep, true, w->out_cols, w->out_rows,
                                                     gfx->values.items, false, texture, err);
}

bool paint_cells(const PaintContext *c, Error *err)
{
    const DrawCells *cells = &c->cmd->u.cells;
    float s = c->scale;
    float box[4] = {cells->box.x * s, cells->box.y * s, (cells->box.x + cells->box.w) * s,
                    (cells->box.y + cells->box.h) * s};
    CellWindow w = choose_window(c, box);
    if (w.out_cols < cells->source.cols || w.out_rows < cells->source.rows) {
        bool windowed = w.out_cols == w.cols && w.out_rows == w.rows;
        float pitch_x = (box[2] - box[0]) / (float)cells->source.cols;
        float pitch_y = (box[3] - box[1]) / (float)cells->source.rows;
        float x0 = box[0];
        float y0 = box[1];
        if (windowed) {
            box[0] = x0 + (float)w.col0 * pitch_x;
            box[1] = y0 + (float)w.row0 * pitch_y;
            box[2] = box[0] + (float)w.cols * pitch_x;
            box[3] = box[1] + (float)w.rows * pitch_y;
        } else {
            /* One texel a pixel: on whole pixels along the reduced axes. */
            if (w.out_cols < w.cols) {
                box[0] = roundf(x0);
                box[2] = box[0] + (float)w.out_cols;
            }
            if (w.out_rows < w.rows) {
                box[1] = roundf(y0);
                box[3] = box[1] + (float)w.out_rows;
            }
        }
    }
    PaintQuad quad = {.color = {color_pack((Color){1, 1, 1, cells->alpha * c->cmd->alpha}),
                                color_pack(cells->masked)}};
    memcpy(quad.box, box, sizeof(box));
    /* Touching cells: the pixels whose centres lie inside. Drawn ones fade at their own edges. */
    bool drawn = cells->inset > 0 || cells->radius > 0;
    for (int i = 0; i < 4; i++) {
        float out = i < 2 ? floorf(box[i]) : ceilf(box[i]);
        quad.quad[i] = drawn ? out : ceilf(box[i] - 0.5f);
    }
    if (!paint_cut(c, &quad)) {
        return true;
    }
    uint32_t texture;
    if (!window_texture(c, &w, quad.q, &texture, err)) {
        return false;
    }
    quad.q[2] = (float)w.out_cols;
    quad.q[3] = (float)w.out_rows;
    quad.p[0] = cells->inset * s;
    quad.p[1] = cells->radius * s;
    quad.p[3] = c->added;
    quad.r[0] = cells->scale.lo;
    quad.r[1] = cells->scale.hi;
    quad.r[2] = (float)cells->scale.kind;
    quad.r[3] = (float)cells->map;
    batcher_quad(&c->gfx->batcher, PAINT_CELLS, texture, &quad);
    return true;
}

bool paint_image(const PaintContext *c, Error *err)
{
    Gfx *gfx = c->gfx;
    const DrawImage *image = &c->cmd->u.image;
    AtlasKey key = {
        image->version,
        mix(mix(mix(7, (uint64_t)image->width), (uint64_t)image->height), image->smooth)};
    uint32_t texture = image->version ? find_texture(gfx, key) : 0;
    if (!texture) {
        if (image->width > gfx->most_texels || image->height > gfx->most_texels) {
            return error_set(err, ERR_GRAPHICS,
                             "a picture of %d x %d is more than %s can hold (%d)", image->width,
                             image->height, gfx->renderer, gfx->most_texels);
        }
        if (!new_texture(gfx, key, image->version != 0, false, image->width, image->height,
                         image->pixels, image->smooth, &texture, err)) {
            return false;
        }
    }
    float s = c->scale;
    PaintQuad quad = {.color = {color_pack((Color){1, 1, 1, c->cmd->alpha})}};
    quad.box[0] = image->box.x * s;
    quad.box[1] = image->box.y * s;
    quad.box[2] = (image->box.x + image->box.w) * s;
    quad.box[3] = (image->box.y + image->box.h) * s;
    for (int i = 0; i < 4; i++) {
        quad.quad[i] = ceilf(quad.box[i] - 0.5f);
    }
    quad.p[3] = c->added;
    if (paint_cut(c, &quad)) {
        batcher_quad(&gfx->batcher, PAINT_IMAGE, texture, &quad);
    }
    return true;
}
