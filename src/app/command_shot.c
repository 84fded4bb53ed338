/* shot: one view as a picture, without a window. */
#include "app/screen.h"
#include "base/file.h"

bool command_shot(App *app, Error *err)
{
    const OptionValue *output = app_option(app, OPTION_OUTPUT_ID);
    const OptionValue *size = app_option(app, OPTION_SIZE_ID);
    if (!output->given) {
        return error_set(err, ERR_USAGE, "shot: say where to draw with -o FILE.png, .svg or .pdf");
    }
    if (!path_has_suffix(output->text, ".png") && !path_has_suffix(output->text, ".svg") &&
        !path_has_suffix(output->text, ".pdf")) {
        return error_set(err, ERR_USAGE, "shot: '%.200s' does not end with .png, .svg or .pdf",
                         output->text);
    }
    Screen screen;
    if (!screen_open(&screen, app, NULL, NULL, NULL, err)) {
        return false;
    }
    const ViewDef *view = view_def(screen.session->view);
    if (view->comes_with) {
        log_write(&app->log, LOG_WARNING,
                  "the view %s is not built yet: the picture says what it will show",
                  view_name(screen.session->view));
    }
    int32_t width = size->has ? (int32_t)size->first : 1920;
    int32_t height = size->has ? (int32_t)size->end : 1080;
    bool ok = screen_shot(&screen, output->text, width, height, err);
    screen_close(&screen);
    return ok;
}
