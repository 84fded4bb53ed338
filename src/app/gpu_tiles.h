#pragma once
/*
 * Tiles computed by the graphics card: brings together what a session asks for and what
 * gfx/evaluate.h can do. Main thread, with the context current.
 */
#include "app/app.h"
#include "gfx/evaluate.h"
#include "session/session.h"

enum { GPU_TILES_NAME = 192 };

typedef struct GpuTiles {
    TileDevice device;
    Evaluator *evaluator; /* NULL: tiles are computed by the processor */
    const Log *log;
    char name[GPU_TILES_NAME]; /* which path is taken, and why: one line */
    /* What the tile `id` needs besides the trace's arrays, made a bit in each call. */
    struct {
        uint64_t id;
        bool done;
        int32_t n_heads;
        EvalRow **rows;    /* [n_heads] NULL = not made yet, or held by the card */
        float *row_scales; /* [n_heads, rows of the tile]; NULL where nothing is left out */
        uint32_t *hidden;  /* a bit a column */
        size_t n_scales;   /* that are known */
    } extra;
} GpuTiles;

/** Is --gpu-tiles anything but off? */
bool gpu_tiles_wanted(const App *app);
/** What --gpu-tiles and the current context come to: what computes, or NULL for the processor;
 *  `name` says which and why. gfx may be NULL where gpu_tiles_wanted is false. With on, why it is
 *  the processor goes to `log` (NULL = nowhere). Owned: evaluator_destroy. */
Evaluator *gpu_tiles_choose(const App *app, Gfx *gfx, size_t budget_bytes,
                            char name[GPU_TILES_NAME], const Log *log);

/**
 * Gives the session the card if --gpu-tiles and the context allow it: auto takes hardware with
 * OpenGL 4.3, on every context with it. Otherwise nothing changes but `name`; with on, why goes to
 * the log. --tile-memory holds for both paths. Where it fails later, it says so once and the
 * processor goes on.
 */
void gpu_tiles_open(GpuTiles *tiles, const App *app, Gfx *gfx, Session *session);
/** The session computes on the processor from now on; what the card holds stays. No context is
 *  needed. */
void gpu_tiles_detach(const GpuTiles *tiles, Session *session);
/** Idempotent; zero is closed. The session may be gone; if not, it computes on the processor from
 *  now on. */
void gpu_tiles_close(GpuTiles *tiles, Session *session);
