#pragma once
/*
 * Paints display lists with OpenGL 3.3 core: the only folder that calls GL. Needs a current
 * context, keeps every GL object in the Gfx, leaves no state behind that others may rely on. Main
 * thread only, with the context current.
 */
#include "draw/draw_list.h"

typedef struct Gfx Gfx;

typedef void (*GfxProc)(void);
/** Finds GL functions by name, such as glfwGetProcAddress or headless_proc. */
typedef GfxProc (*GfxLoader)(const char *name);

/** Loads GL and builds the programs. ERR_GRAPHICS says what is missing (below GL 3.3: and how to
 *  get the software renderer). */
AS_MUST_CHECK Gfx *gfx_create(GfxLoader loader, Error *err);
/** NULL is fine. The context must still be current. */
void gfx_destroy(Gfx *gfx);

/** "llvmpipe (LLVM 15.0.6, 256 bits)" and "4.5 (Core Profile) Mesa 22.3.6". Borrowed from gfx. */
const char *gfx_renderer(const Gfx *gfx);
const char *gfx_version(const Gfx *gfx);
/** Does the processor draw (llvmpipe, softpipe, swrast, SwiftShader, …)? */
bool gfx_is_software(const Gfx *gfx);

/** Sets the drawing area: width x height device pixels of the bound framebuffer, `scale` device
 *  pixels per logical one. */
void gfx_begin_frame(Gfx *gfx, int32_t width_px, int32_t height_px, float scale);
/** How much of the glow of curves is drawn, 0..1: the dearest thing on a processor, so a window
 * lets it follow the time its frames take. 1 at first. */
void gfx_set_glow(Gfx *gfx, float quality);
/** Clears to the list's background and paints it. May be called for several lists in a frame:
 *  only the first clears. */
AS_MUST_CHECK bool gfx_paint(Gfx *gfx, const DrawList *list, Error *err);
/** Waits until everything that was painted is there. For measuring. */
void gfx_finish(Gfx *gfx);
/** The frame as rows of RGBA bytes from the top, [height][width][4], alpha 255. */
AS_MUST_CHECK bool gfx_read_pixels(Gfx *gfx, unsigned char *rgba, size_t n_bytes, Error *err);

/** What the last frame cost. */
typedef struct GfxStats {
    int32_t n_commands, n_instances, n_vertices, n_draw_calls;
    int64_t uploaded_bytes; /* textures */
    double cpu_s;           /* building and submitting */
} GfxStats;
GfxStats gfx_stats(const Gfx *gfx);
