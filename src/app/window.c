#include "app/window.h"

#include "app/config.h"
#include "app/gpu_tiles.h"
#include "app/window_input.h"
#include "base/clock.h"
#include "gfx/gfx.h"

#include <GLFW/glfw3.h>

#include <math.h>
#include <stdio.h>

static const double FRAME_S = 1.0 / 60;
/* Frames that take longer are drawn with less glow. */
static const double SLOW_S = 0.035;

typedef struct Window {
    Screen screen;
    Config config;
    GLFWwindow *handle;
    Gfx *gfx;
    GpuTiles tiles;
    WindowInput input;
    GLFWcursor *cursors[4]; /* by UiCursor; NULL = the system has none */
    UiCursor cursor;
    int width_px, height_px;
    float content_scale; /* the screen's */
    float scale;         /* device px per logical px: the screen's and the person's multiplied */
    bool still;          /* reduced motion */
    float glow;          /* share of the curves' glow that there is time for, 0..1 */
} Window;

static void wake(void *payload)
{
    (void)payload;
    glfwPostEmptyEvent();
}

static const char *clipboard_get(void *payload)
{
    return glfwGetClipboardString(payload);
}

static void clipboard_set(void *payload, const char *text)
{
    glfwSetClipboardString(payload, text);
}

/* GLFW finds functions for the context that is current. */
static GfxProc load(const char *name)
{
    return (GfxProc)glfwGetProcAddress(name);
}

/* ---- opening and closing ---- */

static bool make_window(Window *w, App *app, bool *no_display, Error *err)
{
    const char *why = NULL;
    if (!glfwInit()) {
        glfwGetError(&why);
        *no_display = true;
        return error_set(err, ERR_GRAPHICS, "there is no display to open a window on (%s)",
                         why ? why : "GLFW does not say why");
    }
    glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
    glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
    glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
    glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
    glfwWindowHint(GLFW_DEPTH_BITS, 0);
    glfwWindowHint(GLFW_STENCIL_BITS, 0);
    glfwWindowHintString(GLFW_X11_CLASS_NAME, "attnscope");
    glfwWindowHintString(GLFW_X11_INSTANCE_NAME, "attnscope");
    const OptionValue *size = app_option(app, OPTION_SIZE_ID);
    int width = 1440;
    int height = 900;
    GLFWmonitor *monitor = glfwGetPrimaryMonitor();
    if (size->has) {
        width = (int)size->first;
        height = (int)size->end;
    } else if (monitor) {
        int x;
        int y;
        int area_w;
        int area_h;
        glfwGetMonitorWorkarea(monitor, &x, &y, &area_w, &area_h);
        width = area_w > 640 ? AS_MIN(1920, area_w * 9 / 10) : width;
        height = area_h > 480 ? AS_MIN(1080, area_h * 9 / 10) : height;
    }
    w->handle = glfwCreateWindow(width, height, "attnscope", NULL, NULL);
    if (!w->handle) {
        glfwGetError(&why);
        return error_set(err, ERR_GRAPHICS,
                         "no window with OpenGL 3.3 could be opened (%s). The software renderer "
                         "needs no GPU: install libgl1-mesa-dri and start with "
                         "LIBGL_ALWAYS_SOFTWARE=1; `attnscope shot` draws without OpenGL too",
                         why ? why : "GLFW does not say why");
    }
    glfwSetWindowSizeLimits(w->handle, 640, 400, GLFW_DONT_CARE, GLFW_DONT_CARE);
    glfwMakeContextCurrent(w->handle);
    glfwSwapInterval(1);
    w->gfx = gfx_create(load, err);
    return w->gfx;
}

static void make_cursors(Window *w)
{
    static const int shapes[] = {GLFW_ARROW_CURSOR, GLFW_HAND_CURSOR, GLFW_IBEAM_CURSOR,
                                 GLFW_CROSSHAIR_CURSOR};
    for (size_t i = 0; i < AS_COUNT(shapes); i++) {
        w->cursors[i] = glfwCreateStandardCursor(shapes[i]);
    }
}

static void close_window(Window *w)
{
    if (w->screen.session) {
        config_save(&w->config, &w->screen);
    }
    screen_close(&w->screen); /* ends the jobs, which post events */
    gpu_tiles_close(&w->tiles, NULL);
    for (int i = 0; i < w->input.n_dropped; i++) {
        mem_free(w->input.dropped[i]);
    }
    gfx_destroy(w->gfx);
    if (w->handle) {
        glfwDestroyWindow(w->handle);
    }
    glfwTerminate();
}

/* ---- frames ---- */

static void measure(Window *w)
{
    int window_w;
    int window_h;
    float content_x = 1;
    float content_y = 1;
    glfwGetWindowSize(w->handle, &window_w, &window_h);
    glfwGetFramebufferSize(w->handle, &w->width_px, &w->height_px);
    glfwGetWindowContentScale(w->handle, &content_x, &content_y);
    w->content_scale = content_x;
    w->scale = fmaxf(content_x, 0.25f) * w->screen.session->options.scale;
    if (window_w > 0 && window_h > 0) {
        w->input.to_logical_x = (float)w->width_px / (float)window_w / w->scale;
        w->input.to_logical_y = (float)w->height_px / (float)window_h / w->scale;
    }
}

static bool build_frame(Window *w, Error *err)
{
    window_input_open_dropped(&w->input, w->screen.session);
    int n = w->input.n_events;
    w->input.n_events = 0;
    return screen_build(&w->screen,
                        &(ScreenSurface){.width_px = w->width_px,
                                         .height_px = w->height_px,
                                         .content_scale = w->content_scale,
                                         .still = w->still},
                        w->input.events, n, &w->scale, err);
}

static bool paint(Window *w, Error *err)
{
    if (w->width_px < 1 || w->height_px < 1) {
        return true; /* minimised */
    }
    double start = clock_now_s();
    gfx_set_glow(w->gfx, w->glow);
    gfx_begin_frame(w->gfx, w->width_px, w->height_px, w->scale);
    if (!gfx_paint(w->gfx, &w->screen.list, err)) {
        return false;
    }
    glfwSwapBuffers(w->handle);
    /* A slow painter gives up light first; what rests is painted with all of it. */
    double took = clock_now_s() - start;
    bool rests = !w->screen.ui.moves && !w->screen.session->playback.playing;
    w->glow = rests               ? 1
              : took > SLOW_S     ? fmaxf(w->glow - 0.2f, 0)
              : took < SLOW_S / 2 ? fminf(w->glow + 0.05f, 1)
                                  : w->glow;
    if (w->screen.ui.cursor != w->cursor) {
        w->cursor = w->screen.ui.cursor;
        glfwSetCursor(w->handle, w->cursors[w->cursor]);
    }
    return true;
}

static void set_title(Window *w)
{
    const Session *s = w->screen.session;
    if (s->trace) {
        char title[160];
        snprintf(title, sizeof title, "attnscope: %.100s", trace_info(s->trace)->model_name);
        glfwSetWindowTitle(w->handle, title);
    }
}

/* Sleeps until there is something to do: an event, a job's message, an animation, playback. */
static void wait_for_work(const Window *w, double last_frame_s)
{
    const Ui *ui = &w->screen.ui;
    double now = clock_now_s();
    double next = session_next_s(w->screen.session, now);
    if (ui->moves) {
        next = AS_MAX(last_frame_s + FRAME_S - now, 0);
    } else if (ui->wake_s > 0) {
        double in = AS_MAX(ui->wake_s - now, 0);
        next = next < 0 ? in : AS_MIN(next, in);
    }
    /* GLFW goes on waiting after a signal: Ctrl+C in the terminal is looked for once a second. */
    if (next < 0 || next > 1) {
        glfwWaitEventsTimeout(1);
    } else if (next > 0) {
        glfwWaitEventsTimeout(next);
    } else {
        glfwPollEvents();
    }
}

static bool run(Window *w, Error *err)
{
    uint64_t titled = 0;
    double last_s = 0;
    bool first = true;
    while (!glfwWindowShouldClose(w->handle)) {
        if (!first) {
            wait_for_work(w, last_s);
        }
        if (atomic_load(&w->screen.app->control->cancel)) {
            break;
        }
        double now = clock_now_s();
        bool changed = session_update(w->screen.session, now);
        const Ui *ui = &w->screen.ui;
        bool due = ui->moves || (ui->wake_s > 0 && now >= ui->wake_s);
        if (!first && !changed && !due && !w->input.n_events && !w->input.n_dropped &&
            !w->input.damaged) {
            continue;
        }
        first = false;
        w->input.damaged = false;
        last_s = now;
        measure(w);
        if (!build_frame(w, err) || !paint(w, err)) {
            return false;
        }
        config_save(&w->config, &w->screen);
        if (titled != w->screen.session->trace_version) {
            titled = w->screen.session->trace_version;
            set_title(w);
        }
        if (w->screen.session->wants_quit) {
            break;
        }
    }
    return true;
}

bool window_run(App *app, bool *no_display, Error *err)
{
    Window *w = mem_alloc_zeroed(1, sizeof *w, err);
    if (!w) {
        return false;
    }
    *no_display = false;
    /* The model is being opened while the window comes up. */
    bool ok = make_window(w, app, no_display, err) &&
              screen_open(&w->screen, app, &w->config, wake, NULL, err);
    if (ok) {
        gpu_tiles_open(&w->tiles, app, w->gfx, w->screen.session);
        window_input_attach(w->handle, &w->input);
        make_cursors(w);
        w->still = app_option(app, OPTION_REDUCED_MOTION_ID)->given;
        w->glow = 1;
        w->screen.ui.clipboard =
            (UiClipboard){.get = clipboard_get, .set = clipboard_set, .payload = w->handle};
        ok = run(w, err);
    }
    close_window(w);
    mem_free(w);
    return ok;
}
