#include "gfx/batch.h"

#include <math.h>
#include <string.h>

/* How many batches back a primitive may look for one to join. */
enum { LOOK_BACK = 48 };

typedef struct GridBox {
    int x0, y0, x1, y1; /* cells, inclusive */
    uint64_t mask[GRID_WORDS];
} GridBox;

void batcher_begin(Batcher *b, float width, float height)
{
    b->batches.n = b->quads.n = b->quad_batch.n = 0;
    b->vertices.n = b->indices.n = b->parts.n = 0;
    b->cell_px = AS_MAX(AS_MAX(width, height) / GRID_SIDE, 1.0f);
    b->failed = false;
}

void batcher_free(Batcher *b)
{
    ARRAY_FREE(&b->batches);
    ARRAY_FREE(&b->quads);
    ARRAY_FREE(&b->quad_batch);
    ARRAY_FREE(&b->vertices);
    ARRAY_FREE(&b->indices);
    ARRAY_FREE(&b->parts);
    ARRAY_FREE(&b->sorted_quads);
    ARRAY_FREE(&b->sorted_indices);
}

static int grid_index(float v, float cell)
{
    float i = floorf(v / cell);
    return i <= 0 ? 0 : i >= GRID_SIDE - 1 ? GRID_SIDE - 1 : (int)i;
}

static GridBox grid_box(const Batcher *b, float x0, float y0, float x1, float y1)
{
    /* Right and bottom edges do not belong to a box: whole-pixel neighbours do not overlap. */
    GridBox g = {.x0 = grid_index(x0, b->cell_px),
                 .y0 = grid_index(y0, b->cell_px),
                 .x1 = grid_index(x1 - 0.01f, b->cell_px),
                 .y1 = grid_index(y1 - 0.01f, b->cell_px)};
    for (int word = 0; word < GRID_WORDS; word++) {
        int lo = AS_MAX(g.x0 - word * 64, 0);
        int hi = AS_MIN(g.x1 - word * 64, 63);
        if (lo <= hi) {
            uint64_t upto = hi == 63 ? ~(uint64_t)0 : ((uint64_t)1 << (hi + 1)) - 1;
            g.mask[word] = upto & ~(((uint64_t)1 << lo) - 1);
        }
    }
    return g;
}

static bool touches(const PaintBatch *batch, const GridBox *g)
{
    for (int y = g->y0; y <= g->y1; y++) {
        if ((batch->grid[y][0] & g->mask[0]) | (batch->grid[y][1] & g->mask[1])) {
            return true;
        }
    }
    return false;
}

static void mark(PaintBatch *batch, const GridBox *g)
{
    for (int y = g->y0; y <= g->y1; y++) {
        batch->grid[y][0] |= g->mask[0];
        batch->grid[y][1] |= g->mask[1];
    }
}

/* The batch for a primitive, new if need be; UINT32_MAX when memory is out. */
static uint32_t find_batch(Batcher *b, PaintKind kind, uint32_t texture, const GridBox *g)
{
    size_t best = SIZE_MAX;
    size_t n = b->batches.n;
    for (size_t i = n; i-- > 0 && n - i <= LOOK_BACK;) {
        PaintBatch *batch = &b->batches.items[i];
        if (batch->kind == kind && batch->texture == texture) {
            best = i;
        }
        /* May not go before this one; joining it is fine, for within a batch order is kept. */
        if (touches(batch, g)) {
            break;
        }
    }
    if (best == SIZE_MAX) {
        PaintBatch fresh = {.kind = kind, .texture = texture};
        if (!ARRAY_PUSH(&b->batches, fresh, NULL)) {
            b->failed = true;
            return UINT32_MAX;
        }
        best = b->batches.n - 1;
    }
    mark(&b->batches.items[best], g);
    return (uint32_t)best;
}

void batcher_quad(Batcher *b, PaintKind kind, uint32_t texture, const PaintQuad *quad)
{
    const float *q = quad->quad;
    if (b->failed || !(q[2] > q[0]) || !(q[3] > q[1])) {
        return;
    }
    GridBox g = grid_box(b, q[0], q[1], q[2], q[3]);
    uint32_t batch = find_batch(b, kind, texture, &g);
    if (batch == UINT32_MAX || !ARRAY_PUSH(&b->quads, *quad, NULL) ||
        !ARRAY_PUSH(&b->quad_batch, batch, NULL)) {
        b->failed = true;
        return;
    }
    b->batches.items[batch].n_quads++;
}

void batcher_mesh(Batcher *b, PaintKind kind, size_t first_index, Rect bounds)
{
    size_t n = b->indices.n - first_index;
    if (b->failed || n == 0) {
        return;
    }
    GridBox g = grid_box(b, bounds.x, bounds.y, bounds.x + bounds.w, bounds.y + bounds.h);
    uint32_t batch = find_batch(b, kind, 0, &g);
    MeshPart part = {.batch = batch, .first_index = first_index, .n_indices = n};
    if (batch == UINT32_MAX || !ARRAY_PUSH(&b->parts, part, NULL)) {
        b->failed = true;
        return;
    }
    b->batches.items[batch].n_quads += n;
}

/* Counting sort: stable, so order within a batch stays. */
void batcher_sort(Batcher *b)
{
    if (b->failed || !ARRAY_RESERVE(&b->sorted_quads, b->quads.n, NULL) ||
        !ARRAY_RESERVE(&b->sorted_indices, b->indices.n, NULL)) {
        b->failed = true;
        return;
    }
    size_t quads = 0;
    size_t indices = 0;
    for (size_t i = 0; i < b->batches.n; i++) {
        PaintBatch *batch = &b->batches.items[i];
        size_t *next = batch->kind >= PAINT_MESH ? &indices : &quads;
        batch->first = *next;
        *next += batch->n_quads;
        batch->n_quads = 0;
    }
    for (size_t i = 0; i < b->quads.n; i++) {
        PaintBatch *batch = &b->batches.items[b->quad_batch.items[i]];
        b->sorted_quads.items[batch->first + batch->n_quads++] = b->quads.items[i];
    }
    for (size_t i = 0; i < b->parts.n; i++) {
        const MeshPart *part = &b->parts.items[i];
        PaintBatch *batch = &b->batches.items[part->batch];
        memcpy(b->sorted_indices.items + batch->first + batch->n_quads,
               b->indices.items + part->first_index, part->n_indices * sizeof(uint32_t));
        batch->n_quads += part->n_indices;
    }
    b->sorted_quads.n = quads;
    b->sorted_indices.n = indices;
}
