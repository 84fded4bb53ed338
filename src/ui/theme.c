#include "ui/theme.h"

#include <string.h>

static const char *const names[THEME_COUNT] = {"night", "paper", "contrast"};

const char *theme_name(ThemeId id)
{
    return (size_t)id < THEME_COUNT ? names[id] : "?";
}

bool theme_find(const char *name, ThemeId *id)
{
    for (size_t i = 0; i < THEME_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *id = (ThemeId)i;
            return true;
        }
    }
    return false;
}

Theme theme_make(ThemeId id)
{
    Theme t = {
        .id = id,
        .name = theme_name(id),
        .dark = id != THEME_PAPER,
        .shadow_alpha = id == THEME_NIGHT   ? 0.38f
                        : id == THEME_PAPER ? 0.07f
                                            : 0.0f,
        .chip_fill = 0.2f,
        .chip_edge = id == THEME_PAPER   ? 0.8f
                     : id == THEME_NIGHT ? 0.6f
                                         : 1.0f,
    };
#define THEME_PICK(field, night, paper, contrast)                                                  \
    t.field = color_hex(id == THEME_NIGHT ? (night) : id == THEME_PAPER ? (paper) : (contrast));
    THEME_COLORS(THEME_PICK)
#undef THEME_PICK
    return t;
}
