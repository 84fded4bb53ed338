#pragma once
/*
 * The inside of a Gfx, shared by gfx.c (programs, frames, drawing), paint.c (commands to
 * primitives), paint_text.c (glyphs, icons, paths), paint_cells.c (cells, images) and
 * paint_curves.c (curves, particles), paint_scene.c (scenes in space).
 */
#include "gfx/atlas.h"
#include "gfx/batch.h"
#include "gfx/gfx.h"
#include "gfx/mesh.h"

/** A texture of values or pixels that is kept while its version is in use. */
typedef struct CachedTexture {
    AtlasKey key;
    uint32_t texture;
    int64_t n_bytes;
    uint64_t used_frame;
} CachedTexture;

typedef struct Program {
    uint32_t name;
    int32_t viewport; /* uniform location */
} Program;

/** Program of curves or particles with its uniforms' locations. */
typedef struct CurveProgram {
    uint32_t name;
    int32_t viewport, frame, quality, core, blend;
} CurveProgram;

/** Curves or particles on the GPU, kept while their version is in use. */
typedef struct CurveBuffers {
    DrawKind kind;
    uint64_t version, used_frame;
    uint32_t array, instances;
    uint32_t curves, texture; /* of particles: their curves */
    size_t n_instances;
} CurveBuffers;

/** The two paths of an icon, read once. */
typedef struct IconPaths {
    PathBuilder stroke, fill;
    bool loaded;
} IconPaths;

typedef struct ScenePainter ScenePainter;

struct Gfx {
    Program programs[PAINT_COUNT];
    uint32_t quad_array, quad_buffer, quad_texture;
    uint32_t mesh_array, vertex_buffer, index_buffer;
    uint32_t map_texture; /* colour maps, one a row */
    Atlas glyphs;
    Atlas small_cells;              /* arrays of at most SMALL_CELLS a side */
    CurveProgram curve_programs[2]; /* curves, particles */
    ARRAY_OF(CurveBuffers) curve_buffers;
    float glow_quality; /* gfx_set_glow */
    ARRAY_OF(CachedTexture) textures;
    ARRAY_OF(uint32_t) doomed; /* textures of this frame only */
    ARRAY_OF(float) values;    /* scratch: cells on their way to a texture */
    ARRAY_OF(Vec2) points;     /* scratch: polylines in device pixels */
    Batcher batcher;
    ScenePainter *scenes; /* paint_scene.c; NULL until the first scene */
    IconPaths icons[ICON_COUNT];
    char renderer[128], version[128];
    int32_t width, height; /* device px */
    float scale;
    uint64_t frame;
    int32_t most_texels; /* GL_MAX_TEXTURE_SIZE */
    size_t most_quads;   /* what the buffer texture can hold */
    bool cleared;
    GfxStats stats;
};

enum { SMALL_CELLS = 128 };

/** A command with its clip in whole device pixels. */
typedef struct PaintContext {
    Gfx *gfx;
    const DrawList *list;
    const DrawCmd *cmd;
    float clip[4]; /* x0 y0 x1 y1 */
    float scale;
    float added; /* 1 or 0 */
} PaintContext;

/** Draws everything that is waiting; textures may be changed afterwards. */
AS_MUST_CHECK bool gfx_flush(Gfx *gfx, Error *err);
/** Cuts quad to the clip; false when nothing is left. */
bool paint_cut(const PaintContext *c, PaintQuad *quad);
/** color with the command's opacity, packed. */
uint32_t paint_color(const PaintContext *c, Color color);
/** The four commands that need textures. */
AS_MUST_CHECK bool paint_text(const PaintContext *c, Error *err);
AS_MUST_CHECK bool paint_icon(const PaintContext *c, Error *err);
AS_MUST_CHECK bool paint_path(const PaintContext *c, Error *err);
AS_MUST_CHECK bool paint_image(const PaintContext *c, Error *err);
AS_MUST_CHECK bool paint_cells(const PaintContext *c, Error *err);
/** Drawn at once, after all that waits. */
AS_MUST_CHECK bool paint_curves(const PaintContext *c, Error *err);
AS_MUST_CHECK bool paint_particles(const PaintContext *c, Error *err);
/** Drops buffers that no frame of late has used, or all. */
void gfx_forget_curves(Gfx *gfx, bool all);
/** A scene in space, at once: what waits is drawn before it. */
AS_MUST_CHECK bool paint_scene(const PaintContext *c, Error *err);
/** Frees *painter; NULL is fine. */
void scene_painter_destroy(ScenePainter **painter);
/** Deletes textures that no frame of late has used. NULL is fine. */
void scene_painter_forget(ScenePainter *painter, uint64_t frame);
/** A program of two files of shaders/. */
AS_MUST_CHECK bool gfx_link_program(const char *vertex_name, const char *fragment_name,
                                    uint32_t *out, Error *err);
/** A program of one compute shader; the context is OpenGL 4.3 or later. */
AS_MUST_CHECK bool gfx_link_compute(const char *file_name, uint32_t *out, Error *err);
/** All commands of a list into the batcher. */
AS_MUST_CHECK bool paint_list(Gfx *gfx, const DrawList *list, Error *err);
/** Deletes textures that no frame of late has used. */
void gfx_forget_textures(Gfx *gfx);
