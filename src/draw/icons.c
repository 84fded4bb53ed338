#include "draw/icons.h"

/* The drawings, on the 24 grid with 2 to 3 free at every side. */
static const char *const strokes[ICON_COUNT] = {
    [ICON_LOGO] = "M6 6 C12 6 12 12 17 12 M6 12 H17 M6 18 C12 18 12 12 17 12",
    [ICON_OVERVIEW] = "R3 3 8 7.5 2 R13.5 3 7.5 4.5 1.8 R3 13.5 8 7.5 2 R13.5 10.5 7.5 10.5 2",
    [ICON_MECHANISM] = "R2.5 5 5 14 1.5 R9.5 5 5 14 1.5 R16.5 5 5 14 1.5",
    [ICON_STEPS] = "M3 20 V15.5 H8.5 V10.5 H14 V5.5 H21",
    [ICON_MATRIX] = "R3 3 18 18 2.5 M9 3 V21 M15 3 V21 M3 9 H21 M3 15 H21",
    [ICON_HEADS] = "R3 3 4.4 4.4 1.6 R9.8 3 4.4 4.4 1.6 R16.6 3 4.4 4.4 1.6 "
                   "R3 9.8 4.4 4.4 1.6 R9.8 9.8 4.4 4.4 1.6 R16.6 9.8 4.4 4.4 1.6 "
                   "R3 16.6 4.4 4.4 1.6 R9.8 16.6 4.4 4.4 1.6 R16.6 16.6 4.4 4.4 1.6",
    [ICON_FLOW] = "M3.5 5.5 H20.5 M3.5 5.5 C13 5.5 11 18.5 20.5 18.5 "
                  "M3.5 18.5 C11 18.5 12 12 20.5 12",
    [ICON_STACK] = "M12 3 L21 7.75 L12 12.5 L3 7.75 Z M3 12.25 L12 17 L21 12.25 "
                   "M3 16.75 L12 21.5 L21 16.75",
    [ICON_ANALYSIS] = "M3.5 3 V20.5 H21 M7 16.5 L11 11.5 L14 14 L20 6.5",
    [ICON_MATHEMATICS] = "M18 7 V4 H5.5 L13 12 L5.5 20 H18 V17",
    [ICON_ARCHITECTURE] = "R7.5 2.5 9 5 1.5 R7.5 9.5 9 5 1.5 R7.5 16.5 9 5 1.5 M12 7.5 V9.5 "
                          "M12 14.5 V16.5 M7.5 19 H4 V5 H7.5",
    [ICON_BENCH] = "M4 18 C1.5 11 5.5 4.5 12 4.5 C18.5 4.5 22.5 11 20 18 M12 14 L16 9",
    [ICON_HELP] = "O12 12 9 M9.4 9.4 C9.4 6.2 14.6 6.2 14.6 9.4 C14.6 11.6 12 11.5 12 13.8",
    [ICON_SETTINGS] = "O12 12 3 O12 12 6.6 M12 2.6 V5.4 M12 18.6 V21.4 M2.6 12 H5.4 M18.6 12 H21.4 "
                      "M5.35 5.35 L7.33 7.33 M16.67 16.67 L18.65 18.65 "
                      "M18.65 5.35 L16.67 7.33 M7.33 16.67 L5.35 18.65",
    [ICON_SEARCH] = "O10.5 10.5 6.5 M15.3 15.3 L20.5 20.5",
    [ICON_CHEVRON_LEFT] = "M14.5 6 L8.5 12 L14.5 18",
    [ICON_CHEVRON_RIGHT] = "M9.5 6 L15.5 12 L9.5 18",
    [ICON_CHEVRON_DOWN] = "M6 9.5 L12 15.5 L18 9.5",
    [ICON_CHEVRON_UP] = "M6 14.5 L12 8.5 L18 14.5",
    [ICON_PLAY] = "M8 5.5 L18.5 12 L8 18.5 Z",
    [ICON_PAUSE] = "",
    [ICON_SKIP_BACK] = "M18 6 L9 12 L18 18 Z M5.5 6 V18",
    [ICON_SKIP_FORWARD] = "M6 6 L15 12 L6 18 Z M18.5 6 V18",
    [ICON_LOOP] = "M19.5 12 C19.5 16.2 16.2 19.5 12 19.5 C7.8 19.5 4.5 16.2 4.5 12 "
                  "C4.5 7.8 7.8 4.5 12 4.5 C14.6 4.5 16.9 5.8 18.3 7.8 M18.8 3.8 V8.2 H14.4",
    [ICON_COMPARE] = "R3 4 18 16 2.5 M12 4 V20",
    [ICON_MOON] =
        "M20.5 14.2 C15.3 16.2 9.6 12.6 9.2 7.1 C9.1 5.8 9.3 4.6 9.8 3.5 "
        "C5.9 4.6 3.2 8 3.2 12 C3.2 16.9 7.2 20.8 12 20.8 C15.9 20.8 19.3 18.1 20.5 14.2 Z",
    [ICON_SUN] = "O12 12 4 M12 2.5 V5 M12 19 V21.5 M2.5 12 H5 M19 12 H21.5 "
                 "M5.28 5.28 L7.05 7.05 M16.95 16.95 L18.72 18.72 "
                 "M18.72 5.28 L16.95 7.05 M7.05 16.95 L5.28 18.72",
    [ICON_CONTRAST] = "O12 12 8.5",
    [ICON_EXPORT] = "M12 3.5 V15 M7 10.2 L12 15.2 L17 10.2 M4 16.5 V20.5 H20 V16.5",
    [ICON_CLOSE] = "M6 6 L18 18 M18 6 L6 18",
    [ICON_COMMAND] = "R3 4.5 18 15 2.5 M7 9.5 L10 12 L7 14.5 M12 15 H16",
    [ICON_INFO] = "O12 12 9 M12 11 V16.5",
    [ICON_WARNING] = "M12 3.5 L21.5 20 H2.5 Z M12 10 V14.5",
    [ICON_IMAGE] = "R3 4 18 16 2.5 M3.5 17 L9 11.5 L13.5 16 L16.5 13 L20.5 17 O15.5 8.5 1.5",
    [ICON_CHECK] = "M4.5 12.5 L10 18 L19.5 7",
    [ICON_PLUS] = "M12 5 V19 M5 12 H19",
    [ICON_MINUS] = "M5 12 H19",
    [ICON_FIT] = "M4 9 V4 H9 M15 4 H20 V9 M20 15 V20 H15 M9 20 H4 V15",
    [ICON_OPEN] = "M3 19 V5 H9.5 L12 8 H21 V19 Z",
    [ICON_LECTURE] = "R3 3.5 18 12.5 2 M12 16 V20 M8 20 H16",
    [ICON_EYE] = "M2 12 C6.5 4.5 17.5 4.5 22 12 C17.5 19.5 6.5 19.5 2 12 Z O12 12 3",
    [ICON_BULB] = "M9 17.5 V16 C6.8 14.8 5.5 12.5 5.5 10 C5.5 6.4 8.4 3.5 12 3.5 "
                  "C15.6 3.5 18.5 6.4 18.5 10 C18.5 12.5 17.2 14.8 15 16 V17.5 Z M9.5 20.8 H14.5",
    [ICON_INSPECTOR] = "R3 4 18 16 2.5 M15 4 V20",
    [ICON_ARROW_RIGHT] = "M4.5 12 H19 M13.5 6.5 L19 12 L13.5 17.5",
    [ICON_ARROW_DOWN] = "M12 4.5 V19 M6.5 13.5 L12 19 L17.5 13.5",
};

static const char *const fills[ICON_COUNT] = {
    [ICON_LOGO] = "O5.5 6 2 O5.5 12 2 O5.5 18 2 O18.5 12 2.8",
    [ICON_FLOW] = "O3.5 5.5 1.4 O20.5 5.5 1.4 O20.5 18.5 1.4 O3.5 18.5 1.4 O20.5 12 1.4",
    [ICON_BENCH] = "O12 14 1.6",
    [ICON_HELP] = "O12 16.8 1",
    [ICON_PLAY] = "M8 5.5 L18.5 12 L8 18.5 Z",
    [ICON_PAUSE] = "R6.5 5 3.8 14 1 R13.7 5 3.8 14 1",
    [ICON_SKIP_BACK] = "M18 6 L9 12 L18 18 Z",
    [ICON_SKIP_FORWARD] = "M6 6 L15 12 L6 18 Z",
    [ICON_CONTRAST] = "M12 3.5 C16.7 3.5 20.5 7.3 20.5 12 C20.5 16.7 16.7 20.5 12 20.5 Z",
    [ICON_INFO] = "O12 7.7 1",
    [ICON_WARNING] = "O12 17.2 1",
};

static const char *const names[ICON_COUNT] = {
#define ICON_NAME(name, text) text,
    DRAW_ICONS(ICON_NAME)
#undef ICON_NAME
};

const char *icon_name(Icon icon)
{
    return (unsigned)icon < ICON_COUNT ? names[icon] : "?";
}

const char *icon_stroke_path(Icon icon)
{
    return (unsigned)icon < ICON_COUNT && strokes[icon] ? strokes[icon] : "";
}

const char *icon_fill_path(Icon icon)
{
    return (unsigned)icon < ICON_COUNT && fills[icon] ? fills[icon] : "";
}
