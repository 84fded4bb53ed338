#pragma once
/*
 * GLFW's input as events of the interface, in the order it came.
 */
#include "session/session.h"
#include "ui/ui.h"

typedef struct GLFWwindow GLFWwindow;

enum { WINDOW_EVENTS = 512, WINDOW_DROPS = 8 };

typedef struct WindowInput {
    UiEvent events[WINDOW_EVENTS];
    int n_events;
    char *dropped[WINDOW_DROPS]; /* owned paths, to be taken and freed */
    int n_dropped;
    float to_logical_x, to_logical_y; /* screen coordinates to logical px */
    Vec2 at;                          /* pointer, logical px */
    uint32_t mods;
    bool damaged; /* exposed, resized, moved to another screen: draw again */
} WindowInput;

/** Files that were dropped on the window: their paths are copied, WINDOW_DROPS at most. */
void window_input_drop(WindowInput *input, int n, const char *const *paths);
/** Opens what was dropped, by commands, and forgets it. */
void window_input_open_dropped(WindowInput *input, Session *session);
/** Registers the callbacks; `input` is the window's user pointer from then on. */
void window_input_attach(GLFWwindow *window, WindowInput *input);
