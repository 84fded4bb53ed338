#include "app/bench_render.h"

#include "app/cli.h"
#include "app/gpu_tiles.h"
#include "base/clock.h"
#include "base/file.h"
#include "benchmark/benchmark.h"
#include "gfx/headless.h"
#include "session/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const int32_t default_n[] = {512, 8192, 131072};
enum { RUN_TOKENS = 2048, RUN_FRAMES_MOST = 1200, VOCABULARY = 256 };
static const char *const journey_model = "random:L=2,H=2,d=64,seed=1";
/* By the processor's threads and, where they are to be used, by compute shaders. Up to 32 x 32
 * weights a pixel they are to be there at once; beyond, a labelled job refines the summary. */
enum { NEAR_FACTOR = 32 };
static const char *const tiles_name = "tiles: time to exact";
static const char *const far_name = "tiles: refined, far out";
static const char *const gpu_tiles_name = "tiles: exact, by the GPU";
static const char *const gpu_far_name = "tiles: far out, by the GPU";
static const char *const soft_tiles_name = "tiles: soft shaders";
static const char *const soft_far_name = "tiles: soft shaders, far";
static const char *const run_name = "while a model runs";
static const char *const first_name = "first picture";
static const char *const idle_name = "idle window";
static const char *const run_model = "random:L=12,H=8,d=512,seed=1";

typedef struct Stage {
    App *app;
    Screen screen;
    Headless *headless;
    Gfx *gfx;
    GpuTiles tiles;
    ScreenSurface surface;
    StrBuf json; /* of the list that is being written */
    bool as_json;
} Stage;

/* One frame, milliseconds. */
typedef struct FrameTime {
    double ms;    /* from its events to its last pixel */
    double build; /* of that: until the list was there */
    double cpu;   /* processor time of all threads: what it takes when others use the machine */
} FrameTime;

typedef struct Times {
    ARRAY_OF(double) ms, build, cpu;
} Times;

/* ---- frames ---- */

static double cpu_s(void)
{
    struct timespec t;
    return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0
               ? (double)t.tv_sec + 1e-9 * (double)t.tv_nsec
               : 0;
}

static bool frame(Stage *s, const UiEvent *events, int n, FrameTime *time, Error *err)
{
    double start = clock_now_s();
    double cpu = cpu_s();
    float scale;
    session_update(s->screen.session, start);
    if (!screen_build(&s->screen, &s->surface, events, n, &scale, err)) {
        return false;
    }
    time->build = (clock_now_s() - start) * 1e3;
    gfx_begin_frame(s->gfx, s->surface.width_px, s->surface.height_px, scale);
    if (!gfx_paint(s->gfx, &s->screen.list, err)) {
        return false;
    }
    gfx_finish(s->gfx);
    time->ms = (clock_now_s() - start) * 1e3;
    time->cpu = (cpu_s() - cpu) * 1e3;
    return true;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (*x > *y) - (*x < *y);
}

/* Of sorted values: the smallest that at least this share is not above. */
static double quantile(const double *sorted, size_t n, double share)
{
    size_t at = (size_t)(share * (double)n);
    return n ? sorted[AS_MIN(at, n - 1)] : 0;
}

static bool keep(Times *times, const FrameTime *time, Error *err)
{
    return ARRAY_PUSH(&times->ms, time->ms, err) && ARRAY_PUSH(&times->build, time->build, err) &&
           ARRAY_PUSH(&times->cpu, time->cpu, err);
}

static void forget(Times *times)
{
    ARRAY_FREE(&times->ms);
    ARRAY_FREE(&times->build);
    ARRAY_FREE(&times->cpu);
}

static bool add_json(Stage *s, Error *err, const char *text)
{
    return (!s->json.n || strbuf_puts(&s->json, ",", err)) && strbuf_puts(&s->json, text, err);
}

/* Sorts them, prints a row and adds it to the JSON. */
static bool tell(Stage *s, const char *name, int32_t tokens, Times *times, Error *err)
{
    size_t n = times->ms.n;
    qsort(times->ms.items, n, sizeof(double), by_size);
    qsort(times->build.items, n, sizeof(double), by_size);
    qsort(times->cpu.items, n, sizeof(double), by_size);
    GfxStats stats = gfx_stats(s->gfx);
    const double *ms = times->ms.items;
    double p99 = quantile(ms, n, 0.99);
    double build = quantile(times->build.items, n, 0.5);
    double cpu = quantile(times->cpu.items, n, 0.5);
    if (!s->as_json) {
        printf("%-24s %7d %6zu %8.1f %7.1f %7.1f %7.1f %7.1f %7.1f %6d %9d\n", name, tokens, n,
               quantile(ms, n, 0.5), quantile(ms, n, 0.95), p99, quantile(ms, n, 1), build, cpu,
               stats.n_draw_calls, stats.n_instances);
        fflush(stdout);
        return true;
    }
    char row[512];
    snprintf(row, sizeof row,
             "{\"journey\":\"%s\",\"tokens\":%d,\"frames\":%zu,\"median_ms\":%.3f,\"p95_ms\":%.3f,"
             "\"p99_ms\":%.3f,\"max_ms\":%.3f,\"build_ms\":%.3f,\"cpu_ms\":%.3f,"
             "\"draw_calls\":%d,\"instances\":%d}",
             name, tokens, n, quantile(ms, n, 0.5), quantile(ms, n, 0.95), p99, quantile(ms, n, 1),
             build, cpu, stats.n_draw_calls, stats.n_instances);
    return add_json(s, err, row);
}

static bool do_commands(Stage *s, const char *commands, Error *err)
{
    while (*commands) {
        commands += strspn(commands, " ");
        size_t n = strcspn(commands, ";");
        char line[128];
        snprintf(line, sizeof line, "%.*s", (int)n, commands);
        /* A view takes its commands from the first frame on. */
        FrameTime time;
        if (*line && (!frame(s, NULL, 0, &time, err) ||
                      !session_run_command(s->screen.session, line, err))) {
            return error_wrap(err, "journey");
        }
        commands += n + (commands[n] != 0);
    }
    return true;
}

static bool run_journey(Stage *s, const Journey *journey, int32_t tokens, Error *err)
{
    enum { WARM = 3 };
    Times times = {0};
    FrameTime time = {0};
    if (!do_commands(s, journey->setup, err)) {
        return false;
    }
    bool ok = true;
    for (int i = 0; i < WARM && ok; i++) {
        ok = frame(s, NULL, 0, &time, err);
    }
    for (int i = 0; i < journey->n_frames && ok; i++) {
        UiEvent events[JOURNEY_EVENTS];
        float scale = s->screen.session->options.scale * s->surface.content_scale;
        JourneyFrame f = {.screen = &s->screen,
                          .frame = i,
                          .n_frames = journey->n_frames,
                          .width = (float)s->surface.width_px / scale,
                          .height = (float)s->surface.height_px / scale,
                          .events = events};
        journey->step(&f);
        ok = cli_go_on(s->app, err) && frame(s, events, f.n_events, &time, err) &&
             keep(&times, &time, err);
    }
    ok = ok && tell(s, journey->name, tokens, &times, err);
    forget(&times);
    /* As it was, for the next one. */
    session_post(s->screen.session, "unpin");
    if (s->screen.session->playback.playing) {
        session_post(s->screen.session, "play");
    }
    return ok && frame(s, NULL, 0, &time, err);
}

/* ---- runs ---- */

static bool request(Stage *s, const char *model, int32_t n, Error *err)
{
    int32_t *ids = mem_alloc((size_t)n * sizeof *ids, err);
    if (!ids) {
        return false;
    }
    uint64_t state = 88172645463325252u; /* xorshift64, Marsaglia 2003 */
    for (int32_t i = 0; i < n; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ids[i] = 1 + (int32_t)(state % (VOCABULARY - 1));
    }
    SessionRequest wanted = {.model = model,
                             .text = {.ids = ids, .n_ids = (size_t)n, .leave_special_out = true}};
    bool ok = session_request(s->screen.session, &wanted, err);
    mem_free(ids);
    return ok;
}

static bool settle(Stage *s, Error *err)
{
    session_settle(s->screen.session);
    if (!cli_go_on(s->app, err)) {
        return false;
    }
    if (s->screen.session->error.code) {
        *err = s->screen.session->error;
        return false;
    }
    return true;
}

/* Weights a side of a pixel, of what was shown last. */
static int32_t shown_factor(const Session *session)
{
    const Tile *last = NULL;
    const Tile *tile;
    for (size_t i = 0; (tile = tiles_held(&session->tiles, i)); i++) {
        last = !last || tile->used > last->used ? tile : last;
    }
    return last ? last->key.factor : 1;
}

/* How long until what is in view is exact, at every step of zooming in. */
static bool measure_tiles(Stage *s, int32_t tokens, const char *near_name, const char *distant_name,
                          Error *err)
{
    enum { STEPS = 24, PATIENCE_S = 20 };
    Times near = {0};
    Times far = {0};
    tiles_clear(&s->screen.session->tiles, s->screen.session->jobs);
    bool ok = do_commands(s, "view matrix; fit", err);
    for (int i = 0; i < STEPS && ok; i++) {
        session_post(s->screen.session, "zoom in");
        double start = clock_now_s();
        double cpu = cpu_s();
        FrameTime time = {0};
        do {
            ok = cli_go_on(s->app, err) && frame(s, NULL, 0, &time, err);
        } while (ok && !views_settled(s->screen.views) && clock_now_s() - start < PATIENCE_S);
        time.ms = (clock_now_s() - start) * 1e3;
        time.cpu = (cpu_s() - cpu) * 1e3;
        bool is_far = shown_factor(s->screen.session) > NEAR_FACTOR;
        ok = ok && keep(is_far ? &far : &near, &time, err);
    }
    ok = ok && tell(s, near_name, tokens, &near, err) &&
         (!far.ms.n || tell(s, distant_name, tokens, &far, err));
    forget(&near);
    forget(&far);
    return ok;
}

/* The same by both ways there are: by shaders where --gpu-tiles would use them. */
static bool measure_both(Stage *s, int32_t tokens, Error *err)
{
    TileCache *cache = &s->screen.session->tiles;
    const TileDevice *device = cache->device;
    bool soft = gfx_is_software(s->gfx);
    cache->device = NULL;
    bool ok = measure_tiles(s, tokens, tiles_name, far_name, err);
    cache->device = device;
    return ok && (!device || measure_tiles(s, tokens, soft ? soft_tiles_name : gpu_tiles_name,
                                           soft ? soft_far_name : gpu_far_name, err));
}

static void sleep_s(double seconds)
{
    if (seconds > 0) {
        struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
        nanosleep(&t, NULL);
    }
}

/* Frames at 60 a second over a matrix while a run keeps every core busy. */
static bool measure_run(Stage *s, const char *model, Error *err)
{
    Times times = {0};
    Session *session = s->screen.session;
    if (!request(s, "tiny", 64, err) || !settle(s, err) ||
        !do_commands(s, "view matrix; fit", err) || !request(s, model, RUN_TOKENS, err)) {
        return false;
    }
    bool ok = true;
    for (int i = 0; i < RUN_FRAMES_MOST && session->run && ok; i++) {
        UiEvent events[JOURNEY_EVENTS];
        double start = clock_now_s();
        FrameTime time;
        JourneyFrame f = {.screen = &s->screen,
                          .frame = i,
                          .n_frames = 120,
                          .width = (float)s->surface.width_px,
                          .height = (float)s->surface.height_px,
                          .events = events};
        f.frame = i % f.n_frames;
        bench_journeys[3].step(&f);
        ok = cli_go_on(s->app, err) && frame(s, events, f.n_events, &time, err) &&
             keep(&times, &time, err);
        sleep_s(start + 1.0 / 60 - clock_now_s());
    }
    ok = ok && settle(s, err) && tell(s, run_name, RUN_TOKENS, &times, err);
    forget(&times);
    return ok;
}

/* ---- the program from outside ---- */

/* Runs this program with these arguments. -1 on failure. */
static pid_t start_self(char *const arguments[])
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    pid_t pid;
    posix_spawn_file_actions_t quiet;
    if (n <= 0 || posix_spawn_file_actions_init(&quiet) != 0) {
        return -1;
    }
    self[n] = 0;
    (void)posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    (void)posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawn(&pid, self, &quiet, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&quiet);
    return failed ? -1 : pid;
}

/* From the start of a process to the whole first picture of a model, written. */
static bool measure_first(Stage *s, const char *model, Error *err)
{
    enum { REPEATS = 5 };
    char path[64] = "/tmp/attnscope-first-XXXXXX";
    int file = mkstemp(path);
    if (file < 0) {
        return error_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    }
    close(file);
    char picture[80];
    snprintf(picture, sizeof picture, "%s.png", path);
    char size[32];
    snprintf(size, sizeof size, "%dx%d", s->surface.width_px, s->surface.height_px);
    char *arguments[] = {"attnscope", "shot", "--model", (char *)model, "--size",
                         size,        "-o",   picture,   NULL};
    Times times = {0};
    bool ok = true;
    for (int i = 0; i < REPEATS && ok; i++) {
        double start = clock_now_s();
        int status = 0;
        pid_t pid = start_self(arguments);
        ok = pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
        if (!ok) {
            error_set(err, ERR_INTERNAL, "attnscope shot --model %s did not draw", model);
            break;
        }
        FrameTime time = {.ms = (clock_now_s() - start) * 1e3};
        ok = keep(&times, &time, err);
    }
    unlink(path);
    unlink(picture);
    char name[64];
    snprintf(name, sizeof name, "%s: %.40s", first_name, path_base_name(model));
    ok = ok && tell(s, name, 0, &times, err);
    forget(&times);
    return ok;
}

/* Processor time of a process so far, in seconds; negative = it is gone. */
static double cpu_of(pid_t pid)
{
    char path[64];
    char line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file) {
        return -1;
    }
    bool ok = fgets(line, sizeof line, file);
    fclose(file);
    char *at = ok ? strrchr(line, ')') : NULL; /* the name may hold anything */
    unsigned long user;
    unsigned long system;
    if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                      &system) != 2) {
        return -1;
    }
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* What an open window that nobody touches takes of one core. */
static bool measure_idle(Stage *s, Error *err)
{
    enum { SETTLE_S = 6, WATCH_S = 10 };
    if (!getenv("DISPLAY") && !getenv("WAYLAND_DISPLAY")) {
        log_write(&s->app->log, LOG_INFO,
                  "no display: idling is not measured (xvfb-run -a attnscope bench --render)");
        return true;
    }
    char size[32];
    snprintf(size, sizeof size, "%dx%d", s->surface.width_px, s->surface.height_px);
    char *arguments[] = {"attnscope", "view", "tiny", "--size", size, NULL};
    pid_t pid = start_self(arguments);
    if (pid <= 0) {
        return error_set(err, ERR_INTERNAL, "the window could not be started");
    }
    sleep_s(SETTLE_S);
    double before = cpu_of(pid);
    sleep_s(WATCH_S);
    double after = cpu_of(pid);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    if (before < 0 || after < 0) {
        return error_set(err, ERR_GRAPHICS, "the window closed by itself");
    }
    double percent = (after - before) / WATCH_S * 100;
    if (!s->as_json) {
        printf("%-24s %33.2f %% of a core\n", idle_name, percent);
        return true;
    }
    char row[128];
    snprintf(row, sizeof row, "{\"journey\":\"%s\",\"percent_of_core\":%.3f}", idle_name, percent);
    return add_json(s, err, row);
}

/* ---- all of it ---- */

static void no_wake(void *payload)
{
    (void)payload;
}

static bool open_stage(Stage *s, Error *err)
{
    const OptionValue *size = app_option(s->app, OPTION_SIZE_ID);
    const OptionValue *scale = app_option(s->app, OPTION_SCALE_ID);
    s->surface = (ScreenSurface){.width_px = size->has ? (int32_t)size->first : 1280,
                                 .height_px = size->has ? (int32_t)size->end : 720,
                                 .content_scale = scale->has ? (float)scale->number : 1};
    s->headless = headless_create(s->surface.width_px, s->surface.height_px, err);
    s->gfx = s->headless ? gfx_create(headless_proc, err) : NULL;
    /* Workers step back as they do for a window. */
    if (!s->gfx || !screen_prepare(&s->screen, s->app, no_wake, NULL, err)) {
        return false;
    }
    gpu_tiles_open(&s->tiles, s->app, s->gfx, s->screen.session);
    return true;
}

static void close_stage(Stage *s)
{
    screen_close(&s->screen);
    gpu_tiles_close(&s->tiles, NULL);
    gfx_destroy(s->gfx);
    headless_destroy(s->headless);
    strbuf_free(&s->json);
}

static void print_heading(const Stage *s, const char *cpu)
{
    if (!s->as_json) {
        printf("%s\n%s, OpenGL %s, %d x %d\ntiles %s\n\n", cpu, gfx_renderer(s->gfx),
               gfx_version(s->gfx), s->surface.width_px, s->surface.height_px, s->tiles.name);
        printf("%-24s %7s %6s %8s %7s %7s %7s %7s %7s %6s %9s\n", "journey", "tokens", "frames",
               "median", "p95", "p99", "max", "build", "cpu", "calls", "instances");
    }
}

static bool wants(const char *only, const char *name)
{
    return !only || strstr(name, only);
}

/* Is anything asked for that needs a trace of its own length? */
static bool wants_lengths(const char *only)
{
    bool any = wants(only, tiles_name);
    for (const Journey *j = bench_journeys; j->name; j++) {
        any |= wants(only, j->name);
    }
    return any;
}

/* Is there something of that name at all? */
static bool names_something(const char *only)
{
    return wants_lengths(only) || wants(only, run_name) || wants(only, first_name) ||
           wants(only, idle_name);
}

/* What is measured once, whatever the length. */
static bool measure_rest(Stage *s, const char *only, Error *err)
{
    const OptionValue *model = app_option(s->app, OPTION_MODEL_ID);
    const char *real = cli_resolve_model("smollm2", &s->app->arena);
    const char *spec = model->given ? cli_resolve_model(model->text, &s->app->arena) : run_model;
    return (!wants(only, run_name) || measure_run(s, spec, err)) &&
           (!wants(only, first_name) || (measure_first(s, "tiny", err) &&
                                         (!path_is_folder(real) || measure_first(s, real, err)))) &&
           (!wants(only, idle_name) || measure_idle(s, err));
}

static bool measure_length(Stage *s, const char *model, int32_t n, const char *only, Error *err)
{
    if (!request(s, model, n, err) || !settle(s, err)) {
        return false;
    }
    for (const Journey *j = bench_journeys; j->name; j++) {
        bool wanted = wants(only, j->name) && (!j->most_tokens || n <= j->most_tokens);
        if (wanted && !run_journey(s, j, n, err)) {
            return false;
        }
    }
    return !wants(only, tiles_name) || measure_both(s, n, err);
}

static bool write_json(Stage *s, const char *cpu, Error *err)
{
    StrBuf out = {0};
    bool ok = strbuf_puts(&out, "{\"machine\":{\"cpu\":", err) &&
              strbuf_json_string(&out, cpu, strlen(cpu), err) &&
              strbuf_puts(&out, ",\"renderer\":", err) &&
              strbuf_json_string(&out, gfx_renderer(s->gfx), strlen(gfx_renderer(s->gfx)), err) &&
              strbuf_puts(&out, ",\"gl\":", err) &&
              strbuf_json_string(&out, gfx_version(s->gfx), strlen(gfx_version(s->gfx)), err) &&
              strbuf_puts(&out, ",\"tiles\":", err) &&
              strbuf_json_string(&out, s->tiles.name, strlen(s->tiles.name), err) &&
              strbuf_printf(&out, err, ",\"width\":%d,\"height\":%d},\"results\":[%s]}\n",
                            s->surface.width_px, s->surface.height_px, strbuf_text(&s->json));
    if (ok) {
        cli_print(&out);
    }
    strbuf_free(&out);
    return ok;
}

bool bench_render(App *app, Error *err)
{
    const OptionValue *n = app_option(app, OPTION_N_ID);
    const OptionValue *model = app_option(app, OPTION_MODEL_ID);
    const OptionValue *only = app_option(app, OPTION_JOURNEY_ID);
    const int32_t *lengths = n->given ? n->list : default_n;
    size_t n_lengths = n->given ? n->n_list : AS_COUNT(default_n);
    const char *spec = model->given ? cli_resolve_model(model->text, &app->arena) : journey_model;
    char cpu[128];
    Stage s = {.app = app, .as_json = app_option(app, OPTION_JSON_ID)->given};
    if (!names_something(only->text)) {
        return error_set(err, ERR_USAGE,
                         "--journey: nothing that is measured has '%s' in its name (help bench)",
                         only->text);
    }
    bench_cpu_name(cpu, sizeof cpu);
    bool ok = open_stage(&s, err);
    if (ok) {
        print_heading(&s, cpu);
    }
    for (size_t i = 0; i < n_lengths && ok && wants_lengths(only->text); i++) {
        ok = measure_length(&s, spec, lengths[i], only->text, err);
    }
    ok = ok && measure_rest(&s, only->text, err);
    ok = ok && (!s.as_json || write_json(&s, cpu, err));
    close_stage(&s);
    return ok;
}
