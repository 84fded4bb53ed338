#pragma once
/*
 * Our own stroke icons on a 24 x 24 grid, round ends and joins, a 1.5 px line by
 * default. Each is a row of text in icons.c in the syntax of path_parse. Any thread.
 */
#include "draw/path.h"

#define DRAW_ICONS(X)                                                                              \
    X(LOGO, "logo")                                                                                \
    X(OVERVIEW, "overview")                                                                        \
    X(MECHANISM, "mechanism")                                                                      \
    X(STEPS, "steps")                                                                              \
    X(MATRIX, "matrix")                                                                            \
    X(HEADS, "heads")                                                                              \
    X(FLOW, "flow")                                                                                \
    X(STACK, "stack")                                                                              \
    X(ANALYSIS, "analysis")                                                                        \
    X(MATHEMATICS, "mathematics")                                                                  \
    X(ARCHITECTURE, "architecture")                                                                \
    X(BENCH, "bench")                                                                              \
    X(HELP, "help")                                                                                \
    X(SETTINGS, "settings")                                                                        \
    X(SEARCH, "search")                                                                            \
    X(CHEVRON_LEFT, "chevron-left")                                                                \
    X(CHEVRON_RIGHT, "chevron-right")                                                              \
    X(CHEVRON_DOWN, "chevron-down")                                                                \
    X(CHEVRON_UP, "chevron-up")                                                                    \
    X(PLAY, "play")                                                                                \
    X(PAUSE, "pause")                                                                              \
    X(SKIP_BACK, "skip-back")                                                                      \
    X(SKIP_FORWARD, "skip-forward")                                                                \
    X(LOOP, "loop")                                                                                \
    X(COMPARE, "compare")                                                                          \
    X(MOON, "moon")                                                                                \
    X(SUN, "sun")                                                                                  \
    X(CONTRAST, "contrast")                                                                        \
    X(EXPORT, "export")                                                                            \
    X(CLOSE, "close")                                                                              \
    X(COMMAND, "command")                                                                          \
    X(INFO, "info")                                                                                \
    X(WARNING, "warning")                                                                          \
    X(IMAGE, "image")                                                                              \
    X(CHECK, "check")                                                                              \
    X(PLUS, "plus")                                                                                \
    X(MINUS, "minus")                                                                              \
    X(FIT, "fit")                                                                                  \
    X(OPEN, "open")                                                                                \
    X(LECTURE, "lecture")                                                                          \
    X(EYE, "eye")                                                                                  \
    X(BULB, "bulb")                                                                                \
    X(INSPECTOR, "inspector")                                                                      \
    X(ARROW_RIGHT, "arrow-right")                                                                  \
    X(ARROW_DOWN, "arrow-down")

typedef enum Icon {
#define DRAW_ICON_ENUM(name, text) ICON_##name,
    DRAW_ICONS(DRAW_ICON_ENUM)
#undef DRAW_ICON_ENUM
        ICON_COUNT
} Icon;

/** "overview", …; "?" for bad values. */
const char *icon_name(Icon icon);
/** The strokes on the 24 grid, and the parts that are filled (play, dots); either may be empty.
 *  Static text in the syntax of path_parse. */
const char *icon_stroke_path(Icon icon);
const char *icon_fill_path(Icon icon);
