#include "app/screen.h"

#include "app/cli.h"
#include "app/config.h"
#include "app/gpu_tiles.h"
#include "base/clock.h"
#include "base/embedded.h"
#include "base/file.h"
#include "export/export.h"
#include "gfx/headless.h"
#include "registry/nearest.h"
#include "session/commands.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- options ---- */

static bool read_keys(Screen *screen, Error *err)
{
    EmbeddedFile file;
    if (!embedded_find("assets/input.conf", &file)) {
        return error_set(err, ERR_INTERNAL, "the built-in keys are missing");
    }
    return keys_parse(&screen->keys, (const char *)file.data, file.n_bytes, "assets/input.conf",
                      &screen->app->arena, err);
}

/* --layer and --head take "all" for other commands; a view shows one. */
static bool read_one(const App *app, OptionId id, int32_t *value, Error *err)
{
    const OptionValue *option = app_option(app, id);
    if (!option->given) {
        return true;
    }
    if (option->integer < 0) {
        return error_set(err, ERR_USAGE, "--%s all: this view shows one; give a number from 0",
                         option_table[id].name);
    }
    *value = (int32_t)AS_MIN(option->integer, INT32_MAX);
    return true;
}

static bool refuse_view(const char *word, Error *err)
{
    const char *names[VIEW_COUNT];
    for (int i = 0; i < VIEW_COUNT; i++) {
        names[i] = view_name((ViewId)i);
    }
    int near = nearest_word(word, names, VIEW_COUNT);
    return error_set(err, ERR_USAGE, "--view '%.40s': there is no such view%s%s%s", word,
                     near < 0 ? "; `attnscope help views` lists them" : "; did you mean ",
                     near < 0 ? "" : names[near], near < 0 ? "" : "?");
}

static bool apply_options(Screen *screen, Error *err)
{
    const App *app = screen->app;
    Session *s = screen->session;
    const OptionValue *view = app_option(app, OPTION_VIEW_ID);
    const OptionValue *query = app_option(app, OPTION_QUERY_ID);
    const OptionValue *key = app_option(app, OPTION_KEY_ID);
    const OptionValue *scale = app_option(app, OPTION_SCALE_ID);
    ThemeId theme;
    /* A head or a weight that is asked for is shown; else first of all the whole. */
    bool one = query->given || key->given || app_option(app, OPTION_LAYER_ID)->given ||
               app_option(app, OPTION_HEAD_ID)->given;
    s->view = one ? VIEW_MATRIX : VIEW_OVERVIEW;
    const OptionValue *named = app_option(app, OPTION_THEME_ID);
    if (named->given && !theme_find(named->text, &theme)) {
        return error_set(err, ERR_USAGE, "--theme: there is no such theme");
    }
    s->options.theme = named->given ? (int)theme : s->options.theme;
    s->options.scale = scale->given ? (float)scale->number : s->options.scale;
    if (view->has && !view_find(view->text, &s->view)) {
        return refuse_view(view->text, err);
    }
    if (!read_one(app, OPTION_LAYER_ID, &s->selection.layer, err) ||
        !read_one(app, OPTION_HEAD_ID, &s->selection.head, err)) {
        return false;
    }
    s->head_wanted =
        app_option(app, OPTION_LAYER_ID)->given || app_option(app, OPTION_HEAD_ID)->given;
    if (query->given) {
        s->selection.query = (int32_t)query->integer;
    }
    if (key->given) {
        s->selection.key = (int32_t)key->integer;
    }
    const OptionValue *step = app_option(app, OPTION_STEP_ID);
    const OptionValue *time = app_option(app, OPTION_TIME_ID);
    s->selection.step = step->given ? (int32_t)step->integer : 0;
    s->playback.time_s = time->given ? time->number : PLAYBACK_END;
    s->playback.still = app_option(app, OPTION_REDUCED_MOTION_ID)->given;
    s->query_wanted = query->given;
    s->key_wanted = key->given;
    return true;
}

bool screen_prepare(Screen *screen, App *app, void (*wake)(void *payload), void *wake_payload,
                    Error *err)
{
    *screen = (Screen){.app = app};
    screen->fonts = fontset_create(err);
    screen->session = screen->fonts ? session_create(&(SessionDesc){.log = &app->log,
                                                                    .wake = wake,
                                                                    .wake_payload = wake_payload,
                                                                    .stop = &app->control->cancel},
                                                     err)
                                    : NULL;
    screen->views =
        screen->session
            ? views_create(screen->session,
                           &(ViewsDesc){.model_cache = cli_model_cache(app), .keys = &screen->keys},
                           err)
            : NULL;
    if (!screen->views || !read_keys(screen, err)) {
        screen_close(screen);
        return false;
    }
    return true;
}

bool screen_open(Screen *screen, App *app, Config *config, void (*wake)(void *payload),
                 void *wake_payload, Error *err)
{
    RunRequest request;
    *screen = (Screen){.app = app};
    if (!app_read_request(app, &request, err) ||
        !screen_prepare(screen, app, wake, wake_payload, err)) {
        return false;
    }
    if (config) {
        config_load(config, screen);
        config_load_keys(config, screen);
    }
    if (!apply_options(screen, err)) {
        screen_close(screen);
        return false;
    }
    if (config) {
        config_opened(config, screen);
    }
    const OptionValue *file = app_option(app, OPTION_FILE_ID);
    bool named = file->given && strcmp(file->text, "-") != 0;
    SessionRequest wanted = {
        .model = request.model,
        .trace_path = request.trace_path,
        .text_name = named ? path_base_name(file->text) : NULL,
        .image_path = request.image_path,
        .text = request.text,
        .target = request.target,
        .stack_given = request.stack_given,
        .stack = request.stack,
        .params = request.params,
    };
    if (!session_request(screen->session, &wanted, err)) {
        screen_close(screen);
        return false;
    }
    return true;
}

void screen_close(Screen *screen)
{
    views_destroy(&screen->views);
    session_destroy(&screen->session);
    ui_free(&screen->ui);
    draw_list_free(&screen->list);
    fontset_destroy(screen->fonts);
    screen->fonts = NULL;
}

/* ---- frames ---- */

static KeyChord chord_of(const UiKeyPress *press)
{
    KeyChord chord = {press->key, press->mods};
    if (press->is_text) {
        bool upper = press->key >= 'A' && press->key <= 'Z';
        chord.key = upper ? press->key + ('a' - 'A') : press->key;
        chord.mods = upper ? KEY_MOD_SHIFT : 0;
    }
    return chord;
}

static void run_keys(Screen *screen)
{
    for (int i = 0; i < screen->ui.n_keys; i++) {
        const KeyBinding *binding = keys_find(&screen->keys, chord_of(&screen->ui.keys[i]),
                                              view_name(screen->session->view));
        if (binding) {
            session_post(screen->session, "%s", binding->command);
        }
    }
}

bool screen_pass(Screen *screen, const UiFrame *frame, Error *err)
{
    ui_begin(&screen->ui, frame);
    views_frame(screen->views, &screen->ui, screen->session);
    run_keys(screen);
    ui_end(&screen->ui);
    return draw_end(&screen->list, err);
}

static bool surface_pass(Screen *screen, const ScreenSurface *surface, float *scale, Error *err)
{
    const SessionOptions *o = &screen->session->options;
    *scale = fmaxf(surface->content_scale, 0.25f) * o->scale;
    return screen_pass(screen,
                       &(UiFrame){.list = &screen->list,
                                  .fonts = screen->fonts,
                                  .theme = (ThemeId)o->theme,
                                  .width = (float)surface->width_px / *scale,
                                  .height = (float)surface->height_px / *scale,
                                  .scale = *scale,
                                  .now_s = clock_now_s(),
                                  .still = surface->still},
                       err);
}

bool screen_build(Screen *screen, const ScreenSurface *surface, const UiEvent *events, int n_events,
                  float *scale, Error *err)
{
    enum { ROUNDS = 4 };
    for (int i = 0; i < n_events; i++) {
        if (ui_feed(&screen->ui, &events[i])) {
            continue;
        }
        if (!surface_pass(screen, surface, scale, err)) {
            return false;
        }
        session_update(screen->session, clock_now_s());
        if (!ui_feed(&screen->ui, &events[i])) {
            return error_set(err, ERR_INTERNAL, "an event was not taken");
        }
    }
    /* What a pass posts is seen in the frame that shows it; a few rounds settle it. */
    for (int round = 0; round < ROUNDS; round++) {
        if (!surface_pass(screen, surface, scale, err)) {
            return false;
        }
        if (!session_update(screen->session, clock_now_s())) {
            break;
        }
    }
    return true;
}

static bool check_selection(const Session *s, const Selection *wanted, Error *err)
{
    const TraceInfo *info = trace_info(s->trace);
    if (s->request.stack_given && s->request.stack != info->stack) {
        return error_set(err, ERR_USAGE, "--stack %s: there is %s attention alone here",
                         trace_stack_name(s->request.stack), trace_stack_name(info->stack));
    }
    return selection_is_there(info, wanted, "--", err);
}

/* Says on a terminal what takes long, until nothing is computed or Ctrl+C is pressed. */
static void say_progress(const Screen *screen)
{
    static const double LONG_S = 0.5;
    static const struct timespec between = {.tv_nsec = 50000000};
    const atomic_bool *stop = &screen->app->control->cancel;
    bool said = false;
    JobStatus now = jobs_status(screen->session->jobs);
    while (now.id && !atomic_load(stop)) {
        if (now.seconds > LONG_S) {
            said = true;
            fprintf(stderr, "\r\033[K%s%s%s", now.title, now.stage ? ": " : "",
                    now.stage ? now.stage : "");
            if (now.fraction >= 0) {
                fprintf(stderr, ", %.0f %%", 100 * now.fraction);
            }
        }
        nanosleep(&between, NULL);
        now = jobs_status(screen->session->jobs);
    }
    fprintf(stderr, "%s", said ? "\r\033[K" : "");
}

/* Waits for every job; ERR_CANCELLED after Ctrl+C. */
static bool settle(Screen *screen, Error *err)
{
    if (isatty(STDERR_FILENO)) {
        say_progress(screen);
    }
    session_settle(screen->session);
    return cli_go_on(screen->app, err);
}

/* Of a command that failed: what it takes, whose it is, or what it may have meant. Adds to *err,
 * which tells the rest. */
static bool explain_command(const Session *s, const char *line, Error *err)
{
    enum { MOST = 256 };
    if (err->code == ERR_RANGE) {
        return error_wrap(err, "--do '%.60s'", line);
    }
    const char *names[MOST];
    int n = 0;
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(line, " "), line);
    for (const ViewCommand *c = view_def(s->view)->commands; c && c->name; c++) {
        if (strcmp(c->name, word) == 0) {
            return error_wrap(err, "--do '%.60s'", line);
        }
    }
    for (int i = 0; i < VIEW_COUNT; i++) {
        for (const ViewCommand *c = view_def((ViewId)i)->commands; c && c->name; c++) {
            if (strcmp(c->name, word) == 0) {
                return error_set(err, ERR_USAGE,
                                 "--do '%.60s': %s is a command of %s; go there first, with view "
                                 "%s",
                                 line, word, view_title((ViewId)i), view_name((ViewId)i));
            }
            if (n < MOST) {
                names[n++] = c->name;
            }
        }
    }
    for (const SessionCommand *const *table = session_command_tables; *table; table++) {
        for (const SessionCommand *c = *table; c->name; c++) {
            if (strcmp(c->name, word) == 0) {
                return error_wrap(err, "--do '%.60s'", line);
            }
            if (n < MOST) {
                names[n++] = c->name;
            }
        }
    }
    int near = nearest_word(word, names, n);
    return error_set(err, ERR_USAGE, "--do '%.60s': there is no command %s%s%s%s", line, word,
                     near < 0 ? "; `attnscope help commands` lists them" : "; did you mean ",
                     near < 0 ? "" : names[near], near < 0 ? "" : "?");
}

/* The commands of --do, one after the other. */
static bool run_commands(Screen *screen, const UiFrame *frame, Error *err)
{
    const OptionValue *commands = app_option(screen->app, OPTION_DO_ID);
    const char *at = commands->given ? commands->text : "";
    while (*at) {
        at += strspn(at, " ");
        size_t n = strcspn(at, ";");
        const char *line = arena_strndup(&screen->app->arena, at, n, err);
        /* How many steps a view has, and where its parts lie, is known once it has been drawn. */
        if (!screen->session->playback.described && !screen_pass(screen, frame, err)) {
            return false;
        }
        if (!line || (*line && !session_run_command(screen->session, line, err))) {
            return line ? explain_command(screen->session, line, err) : false;
        }
        if (!settle(screen, err)) {
            return false;
        }
        if (screen->session->error.code) {
            log_write(&screen->app->log, LOG_WARNING, "--do '%.60s': %s; the picture shows that",
                      line, screen->session->error.message);
        }
        at += n + (at[n] != 0);
    }
    return true;
}

/* The view has said by now how many steps it has. */
static bool check_step(const Screen *screen, Error *err)
{
    const OptionValue *step = app_option(screen->app, OPTION_STEP_ID);
    const Timeline *line = &screen->session->playback.timeline;
    int32_t n = line->steps_layers ? 0 : line->n_steps;
    if (step->given && n == 0) {
        return error_set(err, ERR_USAGE, "--step %lld: %s has no steps", (long long)step->integer,
                         view_title(screen->session->view));
    }
    if (!step->given || step->integer < n) {
        return true;
    }
    return error_set(err, ERR_RANGE, "--step %lld is not there: %s has steps 0 to %d",
                     (long long)step->integer, view_title(screen->session->view), n - 1);
}

bool screen_still(Screen *screen, float width, float height, float scale, Error *err)
{
    Session *s = screen->session;
    Selection wanted = s->selection;
    if (!settle(screen, err)) {
        return false;
    }
    if (s->error.code) {
        *err = s->error;
        return false;
    }
    if (!s->trace || !check_selection(s, &wanted, err)) {
        return s->trace ? false : error_set(err, ERR_INTERNAL, "nothing was computed");
    }
    screen->ui.no_toasts = true;
    s->playback.still = true;
    UiFrame frame = {.list = &screen->list,
                     .fonts = screen->fonts,
                     .theme = (ThemeId)s->options.theme,
                     .width = width,
                     .height = height,
                     .scale = scale,
                     .still = true};
    if (app_option(screen->app, OPTION_DO_ID)->given && !run_commands(screen, &frame, err)) {
        return false;
    }
    const OptionValue *time = app_option(screen->app, OPTION_TIME_ID);
    if (time->given) {
        s->playback.time_s = time->number; /* commands that go to a step begin at its end */
    }
    frame.theme = (ThemeId)s->options.theme;
    /* A frame may ask for tiles; they are waited for and it is drawn again. A device gets on a bit
     * in each. */
    for (int pass = 0; pass < 8; pass += !s->tiles.device_pending) {
        if (!screen_pass(screen, &frame, err) || !check_step(screen, err)) {
            return false;
        }
        if ((views_settled(screen->views) && pass > 0) || !cli_go_on(screen->app, err)) {
            return err->code == ERR_NONE;
        }
        if (!settle(screen, err)) {
            return false;
        }
    }
    return true;
}

/* ---- pictures ---- */

/* A context without a window, and what draws and computes in it. Zero is closed. */
typedef struct Painter {
    Headless *headless;
    Gfx *gfx;
    GpuTiles tiles;
} Painter;

static void painter_close(Painter *p, Session *session)
{
    Error gone = {0};
    if (p->headless && !headless_bind(p->headless, &gone)) {
        gpu_tiles_detach(&p->tiles, session);
        return; /* a context that cannot be reached keeps what it has until the program ends */
    }
    gpu_tiles_close(&p->tiles, session);
    gfx_destroy(p->gfx);
    headless_destroy(p->headless);
    *p = (Painter){0};
}

static bool painter_open(Painter *p, Screen *screen, int32_t width, int32_t height, Error *err)
{
    *p = (Painter){0};
    p->headless = headless_create(width, height, err);
    p->gfx = p->headless ? gfx_create(headless_proc, err) : NULL;
    if (!p->gfx) {
        painter_close(p, screen->session);
        return false;
    }
    gpu_tiles_open(&p->tiles, screen->app, p->gfx, screen->session);
    return true;
}

static bool paint_png(const Painter *p, const DrawList *list, const char *path, int32_t width,
                      int32_t height, float scale, Error *err)
{
    size_t n;
    if (!checked_mul((size_t)width * 4, (size_t)height, &n)) {
        return error_set(err, ERR_RANGE, "a picture of %d x %d does not fit", width, height);
    }
    unsigned char *rgba = mem_alloc(n, err);
    bool ok = false;
    if (rgba) {
        gfx_begin_frame(p->gfx, width, height, scale);
        ok = gfx_paint(p->gfx, list, err) && gfx_read_pixels(p->gfx, rgba, n, err) &&
             export_png_pixels(path, rgba, width, height, err);
    }
    mem_free(rgba);
    return ok;
}

/* One command alone, by a context of its own: its box at the corner of a list that has the size. */
static bool rasterise(void *payload, const DrawList *list, const DrawCmd *cmd, float scale,
                      int32_t width, int32_t height, unsigned char *rgba, Error *err)
{
    (void)payload;
    Headless *headless = headless_create(width, height, err);
    Gfx *gfx = headless ? gfx_create(headless_proc, err) : NULL;
    DrawList one = {0};
    bool ok = gfx != NULL;
    if (ok) {
        draw_begin(&one, list->fonts, (float)width / scale, (float)height / scale);
        DrawScene scene = cmd->u.scene;
        scene.ground_middle.x -= scene.box.x;
        scene.ground_middle.y -= scene.box.y;
        scene.box.x = scene.box.y = 0;
        draw_scene(&one, &scene);
        gfx_begin_frame(gfx, width, height, scale);
        ok = draw_end(&one, err) && gfx_paint(gfx, &one, err) &&
             gfx_read_pixels(gfx, rgba, (size_t)width * (size_t)height * 4, err);
    }
    draw_list_free(&one);
    gfx_destroy(gfx);
    headless_destroy(headless);
    return ok;
}

/* The list into a file. painter: NULL where there is no OpenGL, and no_gl says why. */
static bool write_picture(Screen *screen, const Painter *painter, const Error *no_gl,
                          const char *path, int32_t width_px, int32_t height_px, Error *err)
{
    float scale = screen->session->options.scale;
    ExportDesc desc = {.scale = scale, .rasterise = rasterise};
    if (path_has_suffix(path, ".svg")) {
        return export_svg(path, &screen->list, &desc, err);
    }
    if (path_has_suffix(path, ".pdf")) {
        return export_pdf(path, &screen->list, &desc, err);
    }
    Error failed = *no_gl;
    if (painter && paint_png(painter, &screen->list, path, width_px, height_px, scale, &failed)) {
        return true;
    }
    if (failed.code != ERR_GRAPHICS) {
        *err = failed;
        return false;
    }
    log_write(&screen->app->log, LOG_WARNING, "%s; drawn without OpenGL instead", failed.message);
    return export_png(path, &screen->list, &desc, err);
}

/* Smaller pictures are drawn as they are asked for, and leave things out. */
static void say_room(const Screen *screen, float width, float height)
{
    enum { LEAST_W = 640, LEAST_H = 400 }; /* as small as the window can be made */
    if (width < LEAST_W || height < LEAST_H) {
        log_write(
            &screen->app->log, LOG_WARNING,
            "at scale %g the picture has room for %.0f x %.0f, and views need %d x %d: give a "
            "larger --size or a smaller --scale",
            (double)screen->session->options.scale, (double)width, (double)height, LEAST_W,
            LEAST_H);
    }
}

bool screen_shot(Screen *screen, const char *path, int32_t width_px, int32_t height_px, Error *err)
{
    float scale = screen->session->options.scale;
    say_room(screen, (float)width_px / scale, (float)height_px / scale);
    Painter painter = {0};
    Error no_gl = {0};
    /* Pictures of shapes need no context, unless tiles are asked of it. */
    bool wanted =
        path_has_suffix(path, ".png") || app_option(screen->app, OPTION_GPU_TILES_ID)->given;
    bool painted = wanted && painter_open(&painter, screen, width_px, height_px, &no_gl);
    bool ok =
        screen_still(screen, (float)width_px / scale, (float)height_px / scale, scale, err) &&
        cli_go_on(screen->app, err) &&
        write_picture(screen, painted ? &painter : NULL, &no_gl, path, width_px, height_px, err);
    painter_close(&painter, screen->session);
    return ok;
}
