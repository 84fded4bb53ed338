#include "app/config.h"

#include "base/file.h"
#include "session/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MOST = 1 << 20 };

static const char *find_folder(App *app)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    if (config && config[0] == '/') { /* a relative one is to be ignored, says the specification */
        return arena_printf(&app->arena, NULL, "%s/attnscope", config);
    }
    return home && home[0] == '/' ? arena_printf(&app->arena, NULL, "%s/.config/attnscope", home)
                                  : NULL;
}

static char *read_own(const Config *config, App *app, const char *name, const char **path,
                      size_t *n)
{
    Error err = {0};
    *path = config->folder ? path_join(&app->arena, config->folder, name, NULL) : NULL;
    if (!*path || !path_exists(*path)) {
        return NULL;
    }
    char *text = file_read_all(&app->arena, *path, FILE_MOST, n, &err);
    if (!text) {
        log_write(&app->log, LOG_WARNING, "%s", err.message);
    }
    return text;
}

void config_load(Config *config, Screen *screen)
{
    App *app = screen->app;
    Session *s = screen->session;
    config->folder = find_folder(app);
    const char *path;
    size_t n;
    Error err = {0};
    char *text = read_own(config, app, "settings", &path, &n);
    if (text && !settings_read(text, n, path, &s->options, &s->recent, &err)) {
        log_write(&app->log, LOG_WARNING, "%s", err.message);
    }
    config->loaded = config->written = s->options;
}

void config_load_keys(Config *config, Screen *screen)
{
    App *app = screen->app;
    const char *path;
    size_t n;
    Error err = {0};
    char *text = read_own(config, app, "input.conf", &path, &n);
    KeyMap keys = screen->keys;
    if (text && keys_parse(&keys, text, n, path, &app->arena, &err)) {
        screen->keys = keys;
    } else if (text) {
        log_write(&app->log, LOG_WARNING, "%s; the keys stay as they were made", err.message);
    }
}

void config_opened(Config *config, const Screen *screen)
{
    config->opened = screen->session->options;
}

/* What was chosen in the window; a flag of the command line is for that one time. */
static SessionOptions chosen(const Config *config, const Screen *screen)
{
    SessionOptions o = screen->session->options;
    o.theme = o.theme == config->opened.theme ? config->loaded.theme : o.theme;
    o.scale = o.scale == config->opened.scale ? config->loaded.scale : o.scale;
    return o;
}

static bool same(const SessionOptions *a, const SessionOptions *b)
{
    return a->theme == b->theme && a->scale == b->scale && a->level == b->level &&
           a->map_scale == b->map_scale && a->rows_normalised == b->rows_normalised;
}

static bool make_folder(const char *folder, Error *err)
{
    char path[4096];
    size_t n = strlen(folder);
    if (n >= sizeof path) {
        return error_set(err, ERR_IO, "the path of the settings is too long");
    }
    memcpy(path, folder, n + 1);
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) {
            *slash = 0;
        }
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            return error_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        }
        if (!slash) {
            return true;
        }
        *slash = '/';
    }
}

void config_save(Config *config, const Screen *screen)
{
    const Session *s = screen->session;
    if (!config->folder || !s) {
        return;
    }
    SessionOptions now = chosen(config, screen);
    if (same(&now, &config->written) && config->recent_written == s->trace_version) {
        return;
    }
    config->written = now;
    config->recent_written = s->trace_version;
    App *app = screen->app;
    StrBuf out = {0};
    Error err = {0};
    const char *path = path_join(&app->arena, config->folder, "settings", &err);
    bool ok = path && settings_write(&now, &s->recent, &out, &err) &&
              make_folder(config->folder, &err) && file_write_all(path, out.text, out.n, &err);
    strbuf_free(&out);
    if (!ok) {
        log_write(&app->log, LOG_WARNING, "the settings are not kept: %s", err.message);
        config->folder = NULL; /* once is enough */
    }
}
