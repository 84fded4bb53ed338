#pragma once
/*
 * A GL context without a window, for pictures and tests: EGL on Mesa's surfaceless platform, else
 * on a device, else on the default display with a pbuffer. Main thread only.
 */
#include "gfx/gfx.h"

typedef struct Headless Headless;

/** A current GL 3.3 core context with an off-screen RGBA8 framebuffer of this size bound.
 *  ERR_GRAPHICS lists what was tried and what to install. */
AS_MUST_CHECK Headless *headless_create(int32_t width_px, int32_t height_px, Error *err);
/** NULL is fine. */
void headless_destroy(Headless *headless);
/** Makes it current again and binds its framebuffer. */
AS_MUST_CHECK bool headless_bind(Headless *headless, Error *err);
/** The loader for gfx_create. */
GfxProc headless_proc(const char *name);
/** "EGL surfaceless (Mesa)", … for messages. Borrowed. */
const char *headless_platform(const Headless *headless);
