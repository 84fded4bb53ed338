#include "session/commands_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The Stack view: where its camera stands and which planes it shows. */

/* n numbers separated by spaces, each within its span. */
static bool read_numbers(const char *a, double *out, int n, double most, Error *err)
{
    const char *at = a;
    for (int i = 0; i < n; i++) {
        char *end;
        out[i] = strtod(at, &end);
        if (end == at || !(fabs(out[i]) <= most)) {
            return error_set(err, ERR_USAGE, "\"%s\": expected %d numbers from %g to %g", a, n,
                             -most, most);
        }
        at = end;
    }
    while (*at == ' ') {
        at++;
    }
    return *at ? command_bad(a, n == 1 ? "one number" : "no more numbers", err) : true;
}

static bool do_camera(Session *s, const char *a, Error *err)
{
    const char *names[STACK_PRESET_COUNT];
    for (int i = 0; i < STACK_PRESET_COUNT; i++) {
        names[i] = stack_preset_name((StackPreset)i);
    }
    int preset = ((int)s->stack3d.camera.preset + 1) % STACK_PRESET_COUNT;
    if (*a && !command_read_choice(a, names, STACK_PRESET_COUNT, &preset, err)) {
        return false;
    }
    bool orthographic = s->stack3d.camera.orthographic;
    s->stack3d.camera = stack_camera_preset((StackPreset)preset);
    s->stack3d.camera.orthographic = orthographic;
    return true;
}

static bool do_turn(Session *s, const char *a, Error *err)
{
    double v[2];
    if (!read_numbers(a, v, 2, 3600, err)) {
        return false;
    }
    StackCamera *c = &s->stack3d.camera;
    double yaw = fmod((double)c->yaw_deg + v[0], 360);
    c->yaw_deg = (float)(yaw > 180 ? yaw - 360 : yaw <= -180 ? yaw + 360 : yaw);
    c->pitch_deg = (float)AS_CLAMP((double)c->pitch_deg + v[1], -89.0, 89.0);
    return true;
}

static bool do_pan(Session *s, const char *a, Error *err)
{
    double v[3];
    if (!read_numbers(a, v, 3, 100, err)) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        /* The target stays within reach of the stack: it is never lost. */
        float to = s->stack3d.camera.pan[i] + (float)v[i];
        s->stack3d.camera.pan[i] = AS_CLAMP(to, -STACK_MOST_PAN, STACK_MOST_PAN);
    }
    return true;
}

static bool do_zoom(Session *s, const char *a, Error *err)
{
    double v = 1;
    if (!command_read_number(a, 0.01, 100, &v, err)) {
        return false;
    }
    float zoom = s->stack3d.camera.zoom * (float)v;
    s->stack3d.camera.zoom = AS_CLAMP(zoom, STACK_LEAST_ZOOM, STACK_MOST_ZOOM);
    return true;
}

static bool do_lens(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"perspective", "orthographic"};
    int lens = !s->stack3d.camera.orthographic;
    if (*a && !command_read_choice(a, names, AS_COUNT(names), &lens, err)) {
        return false;
    }
    s->stack3d.camera.orthographic = lens;
    return true;
}

static bool do_explode(Session *s, const char *a, Error *err)
{
    double v = 1;
    if (strcmp(a, "+") == 0 || strcmp(a, "-") == 0) {
        float to = s->stack3d.explode + (*a == '+' ? 0.25f : -0.25f);
        s->stack3d.explode = AS_CLAMP(to, STACK_LEAST_EXPLODE, STACK_MOST_EXPLODE);
        return true;
    }
    if (!command_read_number(a, (double)STACK_LEAST_EXPLODE, (double)STACK_MOST_EXPLODE, &v, err)) {
        return false;
    }
    s->stack3d.explode = (float)v;
    return true;
}

/* "+" and "-" in steps of a tenth. */
static bool step_share(const char *a, float least, float *share)
{
    if (strcmp(a, "+") != 0 && strcmp(a, "-") != 0) {
        return false;
    }
    *share = AS_CLAMP(*share + (*a == '+' ? 0.1f : -0.1f), least, 1.0f);
    return true;
}

static bool do_opacity(Session *s, const char *a, Error *err)
{
    double v = 1;
    if (step_share(a, 0, &s->stack3d.opacity)) {
        return true;
    }
    if (!command_read_number(a, 0, 1, &v, err)) {
        return false;
    }
    s->stack3d.opacity = (float)v;
    return true;
}

static bool do_heads(Session *s, const char *a, Error *err)
{
    static const char *const names[STACK_HEADS_COUNT] = {"mean", "max", "one"};
    int heads = ((int)s->stack3d.heads + 1) % STACK_HEADS_COUNT;
    if (*a && !command_read_choice(a, names, STACK_HEADS_COUNT, &heads, err)) {
        return false;
    }
    s->stack3d.heads = (StackHeads)heads;
    return true;
}

/* A whole number of layers at `*at`, which moves on. */
static bool take_count(const char **at, int32_t *value)
{
    char *end;
    long n = strtol(*at, &end, 10);
    if (end == *at || **at < '0' || **at > '9' || n < 0 || n > 100000) {
        return false;
    }
    *at = end;
    *value = (int32_t)n;
    return true;
}

static bool do_planes(Session *s, const char *a, Error *err)
{
    StackChoice *c = &s->stack3d;
    int32_t first = 0;
    int32_t last = 0;
    if (!*a) { /* the next way; a pair of layers where nothing else was said */
        c->planes = (StackPlanes)((c->planes + 1) % STACK_PLANES_RANGE);
        c->every = AS_MAX(c->every, 2);
        return true;
    }
    if (strcmp(a, "auto") == 0 || strcmp(a, "all") == 0) {
        c->planes = a[1] == 'u' ? STACK_PLANES_AUTO : STACK_PLANES_ALL;
        return true;
    }
    bool every = strncmp(a, "every ", 6) == 0;
    const char *at = every || strncmp(a, "group ", 6) == 0 ? a + 6 : a;
    if (at != a && take_count(&at, &first) && !*at && first >= 1) {
        c->planes = every ? STACK_PLANES_EVERY : STACK_PLANES_GROUP;
        c->every = first;
        return true;
    }
    at = a;
    if (take_count(&at, &first) && *at++ == ':' && take_count(&at, &last) && !*at && last > first) {
        int32_t n = s->trace ? trace_info(s->trace)->n_layers : INT32_MAX;
        if (last > n) {
            return error_set(err, ERR_RANGE, "\"%s\": there are %d layers, 0:%d", a, n, n);
        }
        c->planes = STACK_PLANES_RANGE;
        c->first = first;
        c->last = last - 1;
        return true;
    }
    return command_bad(a, "auto, all, every N, group N or layers A:B", err);
}

static bool do_depth(Session *s, const char *a, Error *err)
{
    return command_read_count(a, 1, STACK_MOST_DEPTH, &s->stack3d.depth, err);
}

static bool do_coverage(Session *s, const char *a, Error *err)
{
    double v = 0.8;
    if (step_share(a, 0.05f, &s->stack3d.coverage)) {
        return true;
    }
    if (!command_read_number(a, 0.05, 1, &v, err)) {
        return false;
    }
    s->stack3d.coverage = (float)v;
    return true;
}

const SessionCommand session_stack_commands[] = {
    {"stack-camera", "[orbit|front|top|side|fly]", "Stack: where the camera stands", false,
     do_camera},
    {"stack-turn", "DEGREES DEGREES", "Stack: turn around it, and up", false, do_turn},
    {"stack-pan", "X Y Z", "Stack: move what is looked at, in widths of a plane", false, do_pan},
    {"stack-zoom", "FACTOR", "Stack: nearer or farther", false, do_zoom},
    {"stack-lens", "[perspective|orthographic]", "Stack: how depth is drawn; else the other one",
     false, do_lens},
    {"stack-explode", "X|+|-", "Stack: distance between the planes, 1 as designed", false,
     do_explode},
    {"stack-opacity", "0..1|+|-", "Stack: opacity of the planes", false, do_opacity},
    {"stack-heads", "[mean|max|one]", "Stack: heads of a layer together, or the selected one",
     false, do_heads},
    {"stack-planes", "[auto|all|every N|group N|A:B]", "Stack: which layers have a plane", false,
     do_planes},
    {"stack-depth", "N|+1|-1", "Stack: how many layers down sources are followed", false, do_depth},
    {"stack-coverage", "0..1|+|-", "Stack: curves until this much of a query's weight", false,
     do_coverage},
    {0},
};
