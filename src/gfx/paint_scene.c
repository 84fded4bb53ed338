#include <math.h>
#include <string.h>

#include <glad/gl.h>

#include "gfx/internal.h"

/* Frames a texture of cells is kept without being used: playing goes back and forth. */
enum { KEEP_FRAMES = 240 };

typedef enum SceneProgram { SCENE_GROUND, SCENE_PLANE, SCENE_RIBBON, SCENE_PROGRAMS } SceneProgram;

/* A pyramid of scaled values. */
typedef struct SceneTexture {
    uint64_t version, scale;
    uint32_t texture;
    uint64_t used_frame;
} SceneTexture;

struct ScenePainter {
    uint32_t programs[SCENE_PROGRAMS];
    uint32_t array, vertex_buffer, index_buffer;
    size_t n_indexed; /* pieces the index buffer has */
    ARRAY_OF(SceneTexture) textures;
    SceneGeometry geometry;
    ARRAY_OF(unsigned char) texels; /* scratch: two bytes a cell, all levels */
};

void scene_painter_destroy(ScenePainter **painter)
{
    ScenePainter *p = *painter;
    if (!p) {
        return;
    }
    for (int i = 0; i < SCENE_PROGRAMS; i++) {
        glDeleteProgram(p->programs[i]);
    }
    for (size_t i = 0; i < p->textures.n; i++) {
        glDeleteTextures(1, &p->textures.items[i].texture);
    }
    glDeleteVertexArrays(1, &p->array);
    glDeleteBuffers(1, &p->vertex_buffer);
    glDeleteBuffers(1, &p->index_buffer);
    ARRAY_FREE(&p->textures);
    ARRAY_FREE(&p->texels);
    scene3d_geometry_free(&p->geometry);
    mem_free(p);
    *painter = NULL;
}

void scene_painter_forget(ScenePainter *p, uint64_t frame)
{
    for (size_t i = 0; p && i < p->textures.n;) {
        SceneTexture *t = &p->textures.items[i];
        if (t->version == 0 || t->used_frame + KEEP_FRAMES < frame) {
            glDeleteTextures(1, &t->texture);
            *t = p->textures.items[--p->textures.n];
        } else {
            i++;
        }
    }
}

static void make_array(ScenePainter *p)
{
    glGenVertexArrays(1, &p->array);
    glGenBuffers(1, &p->vertex_buffer);
    glGenBuffers(1, &p->index_buffer);
    glBindVertexArray(p->array);
    glBindBuffer(GL_ARRAY_BUFFER, p->vertex_buffer);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, p->index_buffer);
    static const struct {
        GLint n;
        GLenum type;
        size_t at;
    } fields[] = {{2, GL_FLOAT, offsetof(SceneVertex, at)},
                  {4, GL_FLOAT, offsetof(SceneVertex, along)},
                  {4, GL_FLOAT, offsetof(SceneVertex, glow)},
                  {4, GL_UNSIGNED_BYTE, offsetof(SceneVertex, color)}};
    for (GLuint i = 0; i < AS_COUNT(fields); i++) {
        glEnableVertexAttribArray(i);
        glVertexAttribPointer(i, fields[i].n, fields[i].type, GL_TRUE, sizeof(SceneVertex),
                              (const void *)fields[i].at);
    }
    glBindVertexArray(0);
}

static ScenePainter *painter_of(Gfx *gfx, Error *err)
{
    static const char *const files[SCENE_PROGRAMS][2] = {
        [SCENE_GROUND] = {"scene_ground.vert", "scene_ground.frag"},
        [SCENE_PLANE] = {"scene_plane.vert", "scene_plane.frag"},
        [SCENE_RIBBON] = {"scene_ribbon.vert", "scene_ribbon.frag"},
    };
    static const char *const samplers[] = {"values", "next_values", "maps"};
    if (gfx->scenes) {
        return gfx->scenes;
    }
    ScenePainter *p = mem_alloc_zeroed(1, sizeof *p, err);
    if (!p) {
        return NULL;
    }
    for (int i = 0; i < SCENE_PROGRAMS; i++) {
        if (!gfx_link_program(files[i][0], files[i][1], &p->programs[i], err)) {
            scene_painter_destroy(&p);
            return NULL;
        }
    }
    glUseProgram(p->programs[SCENE_PLANE]);
    for (GLint i = 0; i < (GLint)AS_COUNT(samplers); i++) {
        glUniform1i(glGetUniformLocation(p->programs[SCENE_PLANE], samplers[i]), i);
    }
    make_array(p);
    gfx->scenes = p;
    return p;
}

/* ---- cells ---- */

static unsigned char *fill_level(const SceneCells *cells, Scale scale, unsigned char *out)
{
    size_t n = (size_t)cells->rows * (size_t)cells->cols;
    for (size_t i = 0; i < n; i++) {
        float v = cells->values[i];
        bool there = v > -INFINITY;
        *out++ = (unsigned char)(there ? scale_apply(scale, v) * 255 + 0.5f : 0);
        *out++ = there ? 255 : 0;
    }
    return out;
}

/* The maximum of up to four texels, of odd sides too. */
static unsigned char *halve(const unsigned char *from, int32_t w, int32_t h, int32_t to_w,
                            int32_t to_h, unsigned char *out)
{
    for (int32_t y = 0; y < to_h; y++) {
        int32_t y0 = (int32_t)((int64_t)y * h / to_h);
        int32_t y1 = AS_MAX((int32_t)((int64_t)(y + 1) * h / to_h), y0 + 1);
        for (int32_t x = 0; x < to_w; x++) {
            int32_t x0 = (int32_t)((int64_t)x * w / to_w);
            int32_t x1 = AS_MAX((int32_t)((int64_t)(x + 1) * w / to_w), x0 + 1);
            unsigned char most = 0;
            int32_t there = 0;
            for (int32_t j = y0; j < y1; j++) {
                for (int32_t i = x0; i < x1; i++) {
                    const unsigned char *t = from + 2 * ((size_t)j * (size_t)w + (size_t)i);
                    most = AS_MAX(most, t[0]);
                    there += t[1];
                }
            }
            there /= (y1 - y0) * (x1 - x0);
            /* Red is the value times "is there", as the filter between texels wants it. */
            *out++ = (unsigned char)(most * there / 255);
            *out++ = (unsigned char)there;
        }
    }
    return out;
}

static bool upload(Gfx *gfx, ScenePainter *p, const SceneCells *cells, Scale scale,
                   uint32_t *texture, Error *err)
{
    int32_t w = cells->cols;
    int32_t h = cells->rows;
    if (w > gfx->most_texels || h > gfx->most_texels) {
        return error_set(err, ERR_GRAPHICS,
                         "a sheet of %d x %d cells is more than %s can hold (%d)", h, w,
                         gfx->renderer, gfx->most_texels);
    }
    size_t n = (size_t)w * (size_t)h;
    /* Every level is at most half of the one before it: 2 n in all, and a little for 1 x k. */
    if (!ARRAY_RESERVE(&p->texels, 4 * n + 256, err)) {
        return false;
    }
    glGenTextures(1, texture);
    glActiveTexture(GL_TEXTURE0);
    glBindTexture(GL_TEXTURE_2D, *texture);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR_MIPMAP_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_LINEAR);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    unsigned char *level = p->texels.items;
    unsigned char *end = fill_level(cells, scale, level);
    GLint k = 0;
    for (;; k++) {
        glTexImage2D(GL_TEXTURE_2D, k, GL_RG8, w, h, 0, GL_RG, GL_UNSIGNED_BYTE, level);
        gfx->stats.uploaded_bytes += (int64_t)w * h * 2;
        if (w == 1 && h == 1) {
            break;
        }
        int32_t to_w = AS_MAX(w / 2, 1);
        int32_t to_h = AS_MAX(h / 2, 1);
        unsigned char *next = end;
        end = halve(level, w, h, to_w, to_h, next);
        level = next;
        w = to_w;
        h = to_h;
    }
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, k);
    return true;
}

static bool cells_texture(Gfx *gfx, ScenePainter *p, const SceneCells *cells, Scale scale,
                          uint32_t *texture, Error *err)
{
    uint64_t key = 0;
    uint32_t lo;
    uint32_t hi;
    memcpy(&lo, &scale.lo, sizeof lo);
    memcpy(&hi, &scale.hi, sizeof hi);
    key = ((uint64_t)lo << 32 | hi) * 3 + (uint64_t)scale.kind;
    for (size_t i = 0; cells->version && i < p->textures.n; i++) {
        SceneTexture *t = &p->textures.items[i];
        if (t->version == cells->version && t->scale == key) {
            t->used_frame = gfx->frame;
            *texture = t->texture;
            return true;
        }
    }
    if (!upload(gfx, p, cells, scale, texture, err)) {
        return false;
    }
    SceneTexture t = {cells->version, key, *texture, gfx->frame};
    if (!ARRAY_PUSH(&p->textures, t, err)) {
        glDeleteTextures(1, texture);
        return false;
    }
    return true;
}

/* ---- painting ---- */

static GLint uniform(uint32_t program, const char *name)
{
    return glGetUniformLocation(program, name);
}

static void use(const PaintContext *c, uint32_t program)
{
    glUseProgram(program);
    glUniform2f(uniform(program, "viewport"), (float)c->gfx->width, (float)c->gfx->height);
}

static void paint_ground(const PaintContext *c, const ScenePainter *p)
{
    const DrawScene *s = &c->cmd->u.scene;
    uint32_t program = p->programs[SCENE_GROUND];
    float k = c->scale;
    use(c, program);
    glUniform4f(uniform(program, "box"), c->clip[0], c->clip[1], c->clip[2], c->clip[3]);
    glUniform4f(uniform(program, "middle"), s->ground_middle.x * k, s->ground_middle.y * k,
                AS_MAX(s->ground_radius * k, 1.0f), c->cmd->alpha * s->ground[0].a);
    float colors[9];
    for (int i = 0; i < 3; i++) {
        colors[3 * i] = s->ground[i].r;
        colors[3 * i + 1] = s->ground[i].g;
        colors[3 * i + 2] = s->ground[i].b;
    }
    glUniform3fv(uniform(program, "colors"), 3, colors);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    c->gfx->stats.n_draw_calls++;
}

static void bind(int unit, uint32_t texture)
{
    glActiveTexture(GL_TEXTURE0 + (GLenum)unit);
    glBindTexture(GL_TEXTURE_2D, texture);
}

static bool paint_plane(const PaintContext *c, ScenePainter *p, const View3D *view,
                        const ScenePlane *plane, Error *err)
{
    const DrawScene *s = &c->cmd->u.scene;
    uint32_t program = p->programs[SCENE_PLANE];
    uint32_t textures[2] = {0};
    bool mixing = plane->mix > 0 && plane->next.values;
    if ((plane->cells.values &&
         !cells_texture(c->gfx, p, &plane->cells, s->scale, &textures[0], err)) ||
        (mixing && !cells_texture(c->gfx, p, &plane->next, s->scale, &textures[1], err))) {
        return false;
    }
    use(c, program);
    SceneSheet sheet;
    scene3d_sheet(view, plane, c->scale, &sheet);
    glUniform3fv(uniform(program, "corner"), 4, sheet.corner[0]);
    glUniform2fv(uniform(program, "reach"), 4, sheet.reach[0]);
    glUniform2f(uniform(program, "grown"), sheet.grown[0], sheet.grown[1]);
    glUniform4f(uniform(program, "size"), textures[0] ? (float)plane->cells.cols : 0,
                (float)plane->cells.rows, (float)plane->next.cols, (float)plane->next.rows);
    glUniform4f(uniform(program, "sheet"), plane->sheet.r, plane->sheet.g, plane->sheet.b,
                plane->sheet.a);
    float alpha = plane->alpha > 0 ? plane->alpha : 1;
    glUniform4f(uniform(program, "law"), plane->cell_alpha, plane->cell_alpha_more, plane->skip,
                alpha * c->cmd->alpha);
    float gap = s->cell_gap * c->scale;
    glUniform4f(uniform(program, "mode"), mixing ? plane->mix : 0, (float)s->map, gap,
                AS_MIN(gap, 1.0f) * scene3d_gap_strength(&sheet, &plane->cells));
    float taps[2][3];
    scene3d_taps(&sheet, &plane->cells, taps[0]);
    scene3d_taps(&sheet, &plane->next, taps[1]);
    glUniform3fv(uniform(program, "taps"), 2, taps[0]);
    bind(2, c->gfx->map_texture);
    bind(1, textures[1]);
    bind(0, textures[0]);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    c->gfx->stats.n_draw_calls++;
    return true;
}

/* Two triangles for every four vertices, as many as are needed. */
static bool index_pieces(ScenePainter *p, size_t n, Error *err)
{
    if (n <= p->n_indexed) {
        return true;
    }
    size_t want = AS_MAX(n, 2 * p->n_indexed);
    uint32_t *indices = mem_alloc(want * 6 * sizeof *indices, err);
    if (!indices) {
        return false;
    }
    for (size_t i = 0; i < want; i++) {
        static const uint32_t corners[6] = {0, 1, 2, 2, 1, 3};
        for (int k = 0; k < 6; k++) {
            indices[6 * i + (size_t)k] = (uint32_t)(4 * i) + corners[k];
        }
    }
    glBufferData(GL_ELEMENT_ARRAY_BUFFER, (GLsizeiptr)(want * 6 * sizeof *indices), indices,
                 GL_STATIC_DRAW);
    p->n_indexed = want;
    mem_free(indices);
    return true;
}

static bool paint_steps(const PaintContext *c, ScenePainter *p, const View3D *view, Error *err)
{
    const SceneGeometry *g = &p->geometry;
    uint32_t ribbon = p->programs[SCENE_RIBBON];
    glBindVertexArray(p->array);
    glBindBuffer(GL_ARRAY_BUFFER, p->vertex_buffer);
    glBufferData(GL_ARRAY_BUFFER, (GLsizeiptr)(g->vertices.n * sizeof *g->vertices.items),
                 g->vertices.items, GL_STREAM_DRAW);
    if (!index_pieces(p, g->vertices.n / 4, err)) {
        return false;
    }
    for (size_t i = 0; i < g->steps.n; i++) {
        const SceneStep *step = &g->steps.items[i];
        if (step->is_plane) {
            if (!paint_plane(c, p, view, &c->cmd->u.scene.planes[step->plane], err)) {
                return false;
            }
            continue;
        }
        use(c, ribbon);
        glUniform1f(uniform(ribbon, "fade"), c->cmd->alpha);
        glDrawElements(GL_TRIANGLES, (GLsizei)(step->n * 6), GL_UNSIGNED_INT,
                       (const void *)((size_t)step->first * 6 * sizeof(uint32_t)));
        c->gfx->stats.n_draw_calls++;
    }
    c->gfx->stats.n_vertices += (int32_t)g->vertices.n;
    return true;
}

bool paint_scene(const PaintContext *c, Error *err)
{
    Gfx *gfx = c->gfx;
    const DrawScene *scene = &c->cmd->u.scene;
    if (!gfx_flush(gfx, err)) {
        return false;
    }
    ScenePainter *p = painter_of(gfx, err);
    if (!p || !scene3d_build(scene, c->scale, &p->geometry, err)) {
        return false;
    }
    View3D view = camera3d_view(&scene->camera, scene->box);
    glEnable(GL_SCISSOR_TEST);
    float k = c->scale; /* nothing of it leaves its box */
    float x0 = fmaxf(c->clip[0], roundf(scene->box.x * k));
    float y0 = fmaxf(c->clip[1], roundf(scene->box.y * k));
    float x1 = fminf(c->clip[2], roundf((scene->box.x + scene->box.w) * k));
    float y1 = fminf(c->clip[3], roundf((scene->box.y + scene->box.h) * k));
    glScissor((GLint)x0, gfx->height - (GLint)y1, (GLsizei)fmaxf(x1 - x0, 0),
              (GLsizei)fmaxf(y1 - y0, 0));
    glBindVertexArray(p->array);
    if (scene->ground[0].a > 0) {
        paint_ground(c, p);
    }
    bool ok = paint_steps(c, p, &view, err);
    glBindVertexArray(0);
    glActiveTexture(GL_TEXTURE0);
    glDisable(GL_SCISSOR_TEST);
    return ok;
}
