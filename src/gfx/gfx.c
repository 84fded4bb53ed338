#include <stdio.h>
#include <string.h>

#include <glad/gl.h>

#include "base/clock.h"
#include "base/embedded.h"
#include "gfx/internal.h"

/* Side of the glyph atlas and of the one for small cell arrays: a page of thumbnails at two device
 * pixels a logical one must fit, or every frame would send them all again. GL 3.3 promises 1024. */
enum { GLYPH_SIDE = 2048, CELL_SIDE = 2048 };

/* Texture units: a program's own samplers take the first ones. */
enum { QUAD_UNIT = 2 };
enum { QUAD_TEXELS = sizeof(PaintQuad) / 16 };

/* Which shaders make which program, and what its samplers are called. */
typedef struct ProgramRow {
    const char *vertex, *fragment;
    const char *samplers[2];
} ProgramRow;

static const ProgramRow program_rows[PAINT_COUNT] = {
    [PAINT_SOLID] = {"quad.vert", "solid.frag", {0}},
    [PAINT_SHAPE] = {"quad.vert", "shape.frag", {0}},
    [PAINT_SHADOW] = {"quad.vert", "shadow.frag", {0}},
    [PAINT_GLYPH] = {"quad.vert", "glyph.frag", {"atlas"}},
    [PAINT_FIELD] = {"quad.vert", "field.frag", {"atlas"}},
    [PAINT_IMAGE] = {"quad.vert", "image.frag", {"picture"}},
    [PAINT_CELLS] = {"quad.vert", "cells.frag", {"values", "maps"}},
    [PAINT_MESH] = {"mesh.vert", "mesh.frag", {0}},
    [PAINT_HATCH] = {"mesh.vert", "hatch.frag", {0}},
};

static bool compile(GLenum kind, const char *name, GLuint *out, Error *err)
{
    char path[64];
    snprintf(path, sizeof(path), "shaders/%s", name);
    EmbeddedFile file;
    if (!embedded_find(path, &file)) {
        return error_set(err, ERR_INTERNAL, "%s is not in the program", path);
    }
    GLuint shader = glCreateShader(kind);
    const GLchar *text = (const GLchar *)file.data;
    GLint n = (GLint)file.n_bytes;
    glShaderSource(shader, 1, &text, &n);
    glCompileShader(shader);
    GLint ok = 0;
    glGetShaderiv(shader, GL_COMPILE_STATUS, &ok);
    if (!ok) {
        char log[256] = "";
        glGetShaderInfoLog(shader, sizeof(log), NULL, log);
        glDeleteShader(shader);
        log[strcspn(log, "\r\n")] = 0;
        return error_set(err, ERR_GRAPHICS, "%s: %s", path, log);
    }
    *out = shader;
    return true;
}

/* Links what is attached; `name` stays with the caller, whatever comes of it. */
static bool link_program(GLuint name, const char *file, Error *err)
{
    GLint ok = 0;
    glLinkProgram(name);
    glGetProgramiv(name, GL_LINK_STATUS, &ok);
    if (!ok) {
        char log[256] = "";
        glGetProgramInfoLog(name, sizeof(log), NULL, log);
        log[strcspn(log, "\r\n")] = 0;
        return error_set(err, ERR_GRAPHICS, "%s: %s", file, log);
    }
    return true;
}

bool gfx_link_program(const char *vertex_name, const char *fragment_name, uint32_t *out, Error *err)
{
    GLuint vertex = 0;
    GLuint fragment = 0;
    if (!compile(GL_VERTEX_SHADER, vertex_name, &vertex, err)) {
        return false;
    }
    if (!compile(GL_FRAGMENT_SHADER, fragment_name, &fragment, err)) {
        glDeleteShader(vertex);
        return false;
    }
    *out = glCreateProgram();
    glAttachShader(*out, vertex);
    glAttachShader(*out, fragment);
    glDeleteShader(vertex);
    glDeleteShader(fragment);
    return link_program(*out, fragment_name, err);
}

bool gfx_link_compute(const char *file_name, uint32_t *out, Error *err)
{
    GLuint shader = 0;
    if (!compile(GL_COMPUTE_SHADER, file_name, &shader, err)) {
        return false;
    }
    *out = glCreateProgram();
    glAttachShader(*out, shader);
    glDeleteShader(shader);
    return link_program(*out, file_name, err);
}

static bool build(const ProgramRow *row, Program *out, Error *err)
{
    if (!gfx_link_program(row->vertex, row->fragment, &out->name, err)) {
        return false;
    }
    uint32_t name = out->name;
    out->viewport = glGetUniformLocation(name, "viewport");
    glUseProgram(name);
    glUniform1i(glGetUniformLocation(name, "quads"), QUAD_UNIT);
    for (int i = 0; i < 2 && row->samplers[i]; i++) {
        glUniform1i(glGetUniformLocation(name, row->samplers[i]), i);
    }
    return true;
}

static bool build_curves(Gfx *gfx, Error *err)
{
    static const ProgramRow rows[] = {{"curve.vert", "curve.frag", {0}},
                                      {"particle.vert", "particle.frag", {0}}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        Program program;
        CurveProgram *out = &gfx->curve_programs[i];
        if (!build(&rows[i], &program, err)) {
            return false;
        }
        *out = (CurveProgram){.name = program.name,
                              .viewport = program.viewport,
                              .frame = glGetUniformLocation(program.name, "frame"),
                              .quality = glGetUniformLocation(program.name, "quality"),
                              .core = glGetUniformLocation(program.name, "core"),
                              .blend = glGetUniformLocation(program.name, "blend")};
        glUniform1i(glGetUniformLocation(program.name, "curves"), QUAD_UNIT);
    }
    return true;
}

static void make_arrays(Gfx *gfx)
{
    glGenVertexArrays(1, &gfx->quad_array);
    glGenBuffers(1, &gfx->quad_buffer);
    glGenTextures(1, &gfx->quad_texture);
    glBindBuffer(GL_TEXTURE_BUFFER, gfx->quad_buffer);
    glBindTexture(GL_TEXTURE_BUFFER, gfx->quad_texture);
    glTexBuffer(GL_TEXTURE_BUFFER, GL_RGBA32UI, gfx->quad_buffer);
    glGenVertexArrays(1, &gfx->mesh_array);
    glGenBuffers(1, &gfx->vertex_buffer);
    glGenBuffers(1, &gfx->index_buffer);
    glBindVertexArray(gfx->mesh_array);
    glBindBuffer(GL_ARRAY_BUFFER, gfx->vertex_buffer);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, gfx->index_buffer);
    static const struct {
        GLint n;
        GLenum type;
        GLboolean normalized;
        size_t at;
    } fields[] = {{2, GL_FLOAT, GL_FALSE, offsetof(MeshVertex, at)},
                  {4, GL_FLOAT, GL_FALSE, offsetof(MeshVertex, across)},
                  {2, GL_FLOAT, GL_FALSE, offsetof(MeshVertex, edge)},
                  {4, GL_UNSIGNED_BYTE, GL_TRUE, offsetof(MeshVertex, color)},
                  {4, GL_FLOAT, GL_FALSE, offsetof(MeshVertex, clip)}};
    for (GLuint i = 0; i < AS_COUNT(fields); i++) {
        glEnableVertexAttribArray(i);
        glVertexAttribPointer(i, fields[i].n, fields[i].type, fields[i].normalized,
                              sizeof(MeshVertex), (const void *)fields[i].at);
    }
    glBindVertexArray(0);
}

static void make_maps(Gfx *gfx)
{
    uint32_t texels[COLORMAP_COUNT][COLORMAP_ENTRIES];
    for (int m = 0; m < COLORMAP_COUNT; m++) {
        for (int i = 0; i < COLORMAP_ENTRIES; i++) {
            texels[m][i] = color_pack(colormap_entry((Colormap)m, i));
        }
    }
    glGenTextures(1, &gfx->map_texture);
    glBindTexture(GL_TEXTURE_2D, gfx->map_texture);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 0);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, COLORMAP_ENTRIES, COLORMAP_COUNT, 0, GL_RGBA,
                 GL_UNSIGNED_BYTE, texels);
}

/* A lost context answers NULL. */
static void copy_string(char *out, size_t n, GLenum what)
{
    const char *text = (const char *)glGetString(what);
    snprintf(out, n, "%s", text ? text : "unknown");
}

Gfx *gfx_create(GfxLoader loader, Error *err)
{
    int version = gladLoadGL(loader);
    if (version < GLAD_MAKE_VERSION(3, 3)) {
        error_set(err, ERR_GRAPHICS,
                  "OpenGL 3.3 is needed and %d.%d is here: update the graphics driver, or set "
                  "LIBGL_ALWAYS_SOFTWARE=1 to draw with the processor (package libgl1-mesa-dri)",
                  GLAD_VERSION_MAJOR(version), GLAD_VERSION_MINOR(version));
        return NULL;
    }
    Gfx *gfx = mem_alloc_zeroed(1, sizeof(*gfx), err);
    if (!gfx) {
        return NULL;
    }
    gfx->scale = 1;
    copy_string(gfx->renderer, sizeof(gfx->renderer), GL_RENDERER);
    copy_string(gfx->version, sizeof(gfx->version), GL_VERSION);
    glGetIntegerv(GL_MAX_TEXTURE_SIZE, &gfx->most_texels);
    GLint buffer_texels = 0;
    glGetIntegerv(GL_MAX_TEXTURE_BUFFER_SIZE, &buffer_texels);
    gfx->most_quads = (size_t)AS_MAX(buffer_texels, 65536) / QUAD_TEXELS;
    for (int i = 0; i < PAINT_COUNT; i++) {
        if (!build(&program_rows[i], &gfx->programs[i], err)) {
            gfx_destroy(gfx);
            return NULL;
        }
    }
    gfx->glow_quality = 1;
    if (!build_curves(gfx, err)) {
        gfx_destroy(gfx);
        return NULL;
    }
    make_arrays(gfx);
    make_maps(gfx);
    if (!atlas_create(&gfx->glyphs, AS_MIN(GLYPH_SIDE, gfx->most_texels), false, err) ||
        !atlas_create(&gfx->small_cells, AS_MIN(CELL_SIDE, gfx->most_texels), true, err)) {
        gfx_destroy(gfx);
        return NULL;
    }
    return gfx;
}

void gfx_destroy(Gfx *gfx)
{
    if (!gfx) {
        return;
    }
    for (size_t i = 0; i < gfx->textures.n; i++) {
        glDeleteTextures(1, &gfx->textures.items[i].texture);
    }
    gfx->textures.n = 0;
    gfx_forget_textures(gfx);
    gfx_forget_curves(gfx, true);
    for (size_t i = 0; i < AS_COUNT(gfx->curve_programs); i++) {
        glDeleteProgram(gfx->curve_programs[i].name);
    }
    for (int i = 0; i < PAINT_COUNT; i++) {
        glDeleteProgram(gfx->programs[i].name);
    }
    scene_painter_destroy(&gfx->scenes);
    glDeleteTextures(1, &gfx->map_texture);
    glDeleteTextures(1, &gfx->quad_texture);
    glDeleteVertexArrays(1, &gfx->quad_array);
    glDeleteVertexArrays(1, &gfx->mesh_array);
    GLuint buffers[] = {gfx->quad_buffer, gfx->vertex_buffer, gfx->index_buffer};
    glDeleteBuffers(AS_COUNT(buffers), buffers);
    atlas_destroy(&gfx->glyphs);
    atlas_destroy(&gfx->small_cells);
    for (int i = 0; i < ICON_COUNT; i++) {
        path_builder_free(&gfx->icons[i].stroke);
        path_builder_free(&gfx->icons[i].fill);
    }
    ARRAY_FREE(&gfx->textures);
    ARRAY_FREE(&gfx->doomed);
    ARRAY_FREE(&gfx->values);
    ARRAY_FREE(&gfx->points);
    batcher_free(&gfx->batcher);
    mem_free(gfx);
}

const char *gfx_renderer(const Gfx *gfx)
{
    return gfx->renderer;
}

const char *gfx_version(const Gfx *gfx)
{
    return gfx->version;
}

bool gfx_is_software(const Gfx *gfx)
{
    static const char *const names[] = {"llvmpipe", "softpipe", "swrast",     "SWR",
                                        "Software", "software", "SwiftShader"};
    for (size_t i = 0; i < AS_COUNT(names); i++) {
        if (strstr(gfx->renderer, names[i])) {
            return true;
        }
    }
    return false;
}

void gfx_finish(Gfx *gfx)
{
    (void)gfx;
    glFinish();
}

GfxStats gfx_stats(const Gfx *gfx)
{
    return gfx->stats;
}

void gfx_begin_frame(Gfx *gfx, int32_t width_px, int32_t height_px, float scale)
{
    gfx->frame++;
    gfx->width = AS_MAX(width_px, 1);
    gfx->height = AS_MAX(height_px, 1);
    gfx->scale = scale > 0 ? scale : 1;
    gfx->cleared = false;
    gfx->stats = (GfxStats){0};
    gfx->glyphs.uploaded_bytes = gfx->small_cells.uploaded_bytes = 0;
    gfx_forget_textures(gfx);
    gfx_forget_curves(gfx, false);
    scene_painter_forget(gfx->scenes, gfx->frame);
}

void gfx_set_glow(Gfx *gfx, float quality)
{
    gfx->glow_quality = AS_CLAMP(quality, 0.0f, 1.0f);
}

static void set_state(const Gfx *gfx)
{
    glViewport(0, 0, gfx->width, gfx->height);
    glDisable(GL_DEPTH_TEST);
    glDisable(GL_CULL_FACE);
    glDisable(GL_SCISSOR_TEST);
    glDisable(GL_FRAMEBUFFER_SRGB);
    glColorMask(GL_TRUE, GL_TRUE, GL_TRUE, GL_TRUE);
    glEnable(GL_BLEND);
    glBlendEquation(GL_FUNC_ADD);
    glBlendFunc(GL_ONE, GL_ONE_MINUS_SRC_ALPHA);
}

static void draw_batch(Gfx *gfx, const PaintBatch *batch)
{
    const Program *program = &gfx->programs[batch->kind];
    glUseProgram(program->name);
    glUniform2f(program->viewport, (float)gfx->width, (float)gfx->height);
    if (batch->texture) {
        glActiveTexture(GL_TEXTURE0);
        glBindTexture(GL_TEXTURE_2D, batch->texture);
    }
    if (batch->kind == PAINT_CELLS) {
        glActiveTexture(GL_TEXTURE1);
        glBindTexture(GL_TEXTURE_2D, gfx->map_texture);
        glActiveTexture(GL_TEXTURE0);
    }
    if (batch->kind >= PAINT_MESH) {
        glBindVertexArray(gfx->mesh_array);
        glDrawElements(GL_TRIANGLES, (GLsizei)batch->n_quads, GL_UNSIGNED_INT,
                       (const void *)(batch->first * sizeof(uint32_t)));
    } else {
        glBindVertexArray(gfx->quad_array);
        glActiveTexture(GL_TEXTURE0 + QUAD_UNIT);
        glBindTexture(GL_TEXTURE_BUFFER, gfx->quad_texture);
        glActiveTexture(GL_TEXTURE0);
        glDrawArrays(GL_TRIANGLES, (GLint)(batch->first * 6), (GLsizei)(batch->n_quads * 6));
    }
    gfx->stats.n_draw_calls++;
}

bool gfx_flush(Gfx *gfx, Error *err)
{
    Batcher *b = &gfx->batcher;
    batcher_sort(b);
    if (b->failed) {
        return error_set(err, ERR_MEMORY, "not enough memory to paint the frame");
    }
    glBindVertexArray(gfx->mesh_array);
    glBindBuffer(GL_ARRAY_BUFFER, gfx->vertex_buffer);
    glBufferData(GL_ARRAY_BUFFER, (GLsizeiptr)(b->vertices.n * sizeof(MeshVertex)),
                 b->vertices.items, GL_STREAM_DRAW);
    glBufferData(GL_ELEMENT_ARRAY_BUFFER, (GLsizeiptr)(b->sorted_indices.n * sizeof(uint32_t)),
                 b->sorted_indices.items, GL_STREAM_DRAW);
    glBindBuffer(GL_ARRAY_BUFFER, gfx->quad_buffer);
    glBufferData(GL_ARRAY_BUFFER, (GLsizeiptr)(b->sorted_quads.n * sizeof(PaintQuad)),
                 b->sorted_quads.items, GL_STREAM_DRAW);
    for (size_t i = 0; i < b->batches.n; i++) {
        draw_batch(gfx, &b->batches.items[i]);
    }
    glBindVertexArray(0);
    gfx->stats.n_instances += (int32_t)b->sorted_quads.n;
    gfx->stats.n_vertices += (int32_t)b->vertices.n;
    batcher_begin(b, (float)gfx->width, (float)gfx->height);
    return true;
}

bool gfx_paint(Gfx *gfx, const DrawList *list, Error *err)
{
    double start = clock_now_s();
    set_state(gfx);
    if (!gfx->cleared) {
        Color c = list->background;
        glClearColor(c.r, c.g, c.b, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        gfx->cleared = true;
    }
    batcher_begin(&gfx->batcher, (float)gfx->width, (float)gfx->height);
    if (!paint_list(gfx, list, err) || !gfx_flush(gfx, err)) {
        return false;
    }
    gfx->stats.n_commands += (int32_t)list->cmds.n;
    gfx->stats.uploaded_bytes += gfx->glyphs.uploaded_bytes + gfx->small_cells.uploaded_bytes;
    gfx->glyphs.uploaded_bytes = gfx->small_cells.uploaded_bytes = 0;
    gfx->stats.cpu_s += clock_now_s() - start;
    GLenum code = glGetError();
    if (code != GL_NO_ERROR) {
        while (glGetError() != GL_NO_ERROR) {
        }
        return error_set(err, ERR_GRAPHICS, "%s reports GL error 0x%04X while painting",
                         gfx->renderer, code);
    }
    return true;
}

bool gfx_read_pixels(Gfx *gfx, unsigned char *rgba, size_t n_bytes, Error *err)
{
    size_t row = (size_t)gfx->width * 4;
    size_t want = row * (size_t)gfx->height;
    if (n_bytes < want) {
        return error_set(err, ERR_INTERNAL, "%zu bytes for a frame of %zu", n_bytes, want);
    }
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadPixels(0, 0, gfx->width, gfx->height, GL_RGBA, GL_UNSIGNED_BYTE, rgba);
    unsigned char *swap = mem_alloc(row, err);
    if (!swap) {
        return false;
    }
    for (int32_t y = 0; y < gfx->height / 2; y++) {
        unsigned char *a = rgba + (size_t)y * row;
        unsigned char *b = rgba + (size_t)(gfx->height - 1 - y) * row;
        memcpy(swap, a, row);
        memcpy(a, b, row);
        memcpy(b, swap, row);
    }
    mem_free(swap);
    for (size_t i = 3; i < want; i += 4) {
        rgba[i] = 255;
    }
    return glGetError() == GL_NO_ERROR
               ? true
               : error_set(err, ERR_GRAPHICS, "%s could not give the pixels back", gfx->renderer);
}
