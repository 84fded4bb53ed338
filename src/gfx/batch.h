#pragma once
/*
 * What is to be drawn, sorted into batches: a batch is one draw call of one program and texture. A
 * primitive goes into the earliest batch it may join without passing a batch that paints where it
 * paints, so that the picture is the one painting in order would give. No GL in here.
 */
#include "base/arena.h"
#include "draw/geometry.h"

typedef enum PaintKind {
    PAINT_SOLID,
    PAINT_SHAPE,
    PAINT_SHADOW,
    PAINT_GLYPH,
    PAINT_FIELD,
    PAINT_IMAGE,
    PAINT_CELLS,
    PAINT_MESH, /* from here on: triangles */
    PAINT_HATCH,
    PAINT_COUNT
} PaintKind;

/** One box, six texels of shaders/quad.vert. The fragment shaders say what p, q, r mean. */
typedef struct PaintQuad {
    float quad[4]; /* x0 y0 x1 y1 that is touched, device px, whole numbers where it is cut */
    float box[4];  /* the whole figure */
    float p[4], q[4], r[4];
    uint32_t color[3]; /* packed RGBA, straight */
    uint32_t pad;
} PaintQuad;

/** One corner of a triangle; the attributes of shaders/mesh.vert. */
typedef struct MeshVertex {
    float at[2];
    float across[4]; /* along, across, length, half width */
    float edge[2];   /* soft edge px; 1 = round ends, 2 = added, 3 = both */
    uint32_t color;  /* packed RGBA */
    float clip[4];   /* x0 y0 x1 y1 */
} MeshVertex;

enum { GRID_SIDE = 128, GRID_WORDS = 2 }; /* bits of a batch's occupancy grid */

typedef struct PaintBatch {
    PaintKind kind;
    uint32_t texture; /* GL name; 0 = none */
    size_t n_quads;   /* or indices */
    size_t first;     /* in the sorted buffer */
    uint64_t grid[GRID_SIDE][GRID_WORDS];
} PaintBatch;

/** A run of mesh triangles that belongs to one batch. */
typedef struct MeshPart {
    uint32_t batch;
    size_t first_index, n_indices;
} MeshPart;

/** Zero is empty; freed with batcher_free. */
typedef struct Batcher {
    ARRAY_OF(PaintBatch) batches;
    ARRAY_OF(PaintQuad) quads;
    ARRAY_OF(uint32_t) quad_batch; /* batch of each quad */
    ARRAY_OF(MeshVertex) vertices;
    ARRAY_OF(uint32_t) indices;
    ARRAY_OF(MeshPart) parts;
    ARRAY_OF(PaintQuad) sorted_quads;
    ARRAY_OF(uint32_t) sorted_indices;
    float cell_px; /* of the grid */
    bool failed;   /* out of memory */
} Batcher;

/** Forgets everything; the grid will cover width x height device px. */
void batcher_begin(Batcher *b, float width, float height);
void batcher_free(Batcher *b);
/** Adds a box. Empty ones are ignored. */
void batcher_quad(Batcher *b, PaintKind kind, uint32_t texture, const PaintQuad *quad);
/** Says that the indices added since `first_index` paint within `bounds` (device px). */
void batcher_mesh(Batcher *b, PaintKind kind, size_t first_index, Rect bounds);
/** Sorts quads and indices by batch and sets every batch's `first`. */
void batcher_sort(Batcher *b);
