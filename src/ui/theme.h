#pragma once
/*
 * Themes: one table of named colours, three columns. A view asks for a meaning ("edge", "text2"),
 * never for a number. Paper is the light textbook look, night the default, contrast for low vision
 * and bright rooms.
 */
#include "base/base.h"
#include "draw/color.h"

typedef enum ThemeId { THEME_NIGHT, THEME_PAPER, THEME_CONTRAST, THEME_COUNT } ThemeId;

/* name, night, paper, contrast: 0xRRGGBB */
#define THEME_COLORS(X)                                                                            \
    /* surfaces, from the back to the front */                                                     \
    X(page, 0x0B1020, 0xF7F8FA, 0x000000)                                                          \
    X(bar, 0x0E1427, 0xFFFFFF, 0x000000)    /* rail, top bar, transport, inspector */              \
    X(status, 0x090D1A, 0xFFFFFF, 0x000000) /* status line */                                      \
    X(card, 0x131A2E, 0xFFFFFF, 0x0A0A0A)                                                          \
    X(card_top, 0x151D33, 0xFFFFFF, 0x0A0A0A)   /* upper end of a card's gradient */               \
    X(raised, 0x1B2440, 0xF1F5F9, 0x161616)     /* fields and buttons in bars */                   \
    X(raised_hot, 0x222D4E, 0xE8EDF4, 0x2A2A2A) /* the same under the pointer */                   \
    X(well, 0x0D1325, 0xF1F5F9, 0x000000)       /* sunken: segments, tracks behind bars */         \
    X(segment, 0x2A3660, 0xFFFFFF, 0x3A3A00)    /* chosen segment */                               \
    X(track, 0x1D2642, 0xE8ECF3, 0x3A3A3A)      /* slider and bar tracks */                        \
    X(edge, 0x24304D, 0xE5E7EB, 0x9A9A9A)                                                          \
    X(edge2, 0x36456E, 0xCBD5E1, 0xDADADA)                                                         \
    X(shadow, 0x000000, 0x0F172A, 0x000000)                                                        \
    /* text: 1 strong, 2 normal, 3 small but still readable; off is for switched-off things only   \
     */                                                                                            \
    X(text, 0xE6EAF5, 0x0F172A, 0xFFFFFF)                                                          \
    X(text2, 0xA3AECB, 0x475569, 0xF2F2F2)                                                         \
    X(text3, 0x8490B2, 0x475569, 0xE0E0E0)                                                         \
    X(off, 0x64708F, 0x94A3B8, 0x8A8A8A)                                                           \
    /* the interface's own voice */                                                                \
    X(accent, 0x8B9CFF, 0x4F46E5, 0xFFD60A)                                                        \
    X(accent_tint, 0x222C52, 0xEEF2FF, 0x2E2A00) /* chosen things in the rail, play button */      \
    X(accent_edge, 0x3A4A80, 0xC7D2FE, 0xFFD60A)                                                   \
    X(on_accent, 0x0B1020, 0xFFFFFF, 0x000000)                                                     \
    X(ok, 0x10B981, 0x10B981, 0x3DFFA2)                                                            \
    X(warn, 0xF2AF48, 0xB45309, 0xFFD60A)                                                          \
    X(error, 0xFF8E86, 0xB91C1C, 0xFF8A80)                                                         \
    /* roles: fill colour, and the same role as text on this theme's cards */                      \
    X(q, 0x3B82F6, 0x3B82F6, 0x6EA8FF)                                                             \
    X(k, 0x10B981, 0x10B981, 0x3DFFA2)                                                             \
    X(v, 0xF59E0B, 0xF59E0B, 0xFFC44D)                                                             \
    X(score, 0x8B5CF6, 0x8B5CF6, 0xC3A6FF)                                                         \
    X(output, 0xEC4899, 0xEC4899, 0xFF8CC8)                                                        \
    X(q_text, 0x82B1FF, 0x1D4ED8, 0x9CC4FF)                                                        \
    X(k_text, 0x4ADEAB, 0x047857, 0x7DFFC4)                                                        \
    X(v_text, 0xFBBF5A, 0xB45309, 0xFFD480)                                                        \
    X(score_text, 0xB9A1FB, 0x6D28D9, 0xD6C4FF)                                                    \
    X(output_text, 0xF582BD, 0xBE185D, 0xFFB0DA)                                                   \
    /* heatmaps */                                                                                 \
    X(masked, 0x10172B, 0xEEF0F4, 0x1C1C1C) /* keys a query may not see: not there, not zero */    \
    X(hatch, 0x1A2440, 0xE0E4EB, 0x333333)                                                         \
    X(map_zero, 0x0C1122, 0xFFFFFF, 0x000000) /* what the lowest weights melt into */              \
    X(cross, 0xFFFFFF, 0x0F172A, 0xFFFFFF)    /* crosshair and frames over a heatmap */            \
    X(tint_a, 0x101B36, 0xEFF6FF, 0x0A0A14)                                                        \
    X(tint_b, 0x181636, 0xF5F3FF, 0x100A14)                                                        \
    X(tint_c, 0x1F1530, 0xFDF2F8, 0x140A10)

typedef struct Theme {
    ThemeId id;
    const char *name; /* "night": as on the command line */
    bool dark;
    float shadow_alpha; /* strength of the one soft shadow */
    float chip_fill;    /* share of the token colour in a chip's fill */
    float chip_edge;    /* share of the token colour in a chip's edge */
#define THEME_FIELD(name, night, paper, contrast) Color name;
    THEME_COLORS(THEME_FIELD)
#undef THEME_FIELD
} Theme;

/** The theme's column of the table. Any thread. */
Theme theme_make(ThemeId id);
/** "night", "paper", "contrast"; static. */
const char *theme_name(ThemeId id);
/** By name; false when there is none. */
AS_MUST_CHECK bool theme_find(const char *name, ThemeId *id);
