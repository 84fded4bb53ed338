/* view: the window. Without a display, its first screen as a picture. */
#include "app/window.h"
#include "base/file.h"

#include <limits.h>
#include <stdlib.h>

static bool draw_first_screen(App *app, const Error *why, Error *err)
{
    static const char path[] = "attnscope.png";
    const OptionValue *size = app_option(app, OPTION_SIZE_ID);
    Screen screen;
    if (!screen_open(&screen, app, NULL, NULL, NULL, err)) {
        return false;
    }
    bool ok = screen_shot(&screen, path, size->has ? (int32_t)size->first : 1920,
                          size->has ? (int32_t)size->end : 1080, err);
    screen_close(&screen);
    if (ok) {
        char whole[PATH_MAX];
        log_write(&app->log, LOG_INFO, "%s; its first screen is in %s", why->message,
                  realpath(path, whole) ? whole : path);
    }
    return ok;
}

bool command_view(App *app, Error *err)
{
    bool no_display;
    Error why = {0};
    if (window_run(app, &no_display, &why)) {
        return true;
    }
    if (no_display) {
        return draw_first_screen(app, &why, err);
    }
    *err = why;
    return false;
}
