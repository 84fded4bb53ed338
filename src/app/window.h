#pragma once
/*
 * The window: GLFW, one GL 3.3 core context, redrawn only when something changed. Main thread only.
 */
#include "app/screen.h"

/**
 * Opens the window and runs until it is closed. False with ERR_GRAPHICS when there is no display
 * (*no_display is set) or no OpenGL 3.3.
 */
AS_MUST_CHECK bool window_run(App *app, bool *no_display, Error *err);
