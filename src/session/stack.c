#include "session/stack.h"

#include <math.h>
#include <string.h>

StackCamera stack_camera_preset(StackPreset preset)
{
    static const StackCamera cameras[STACK_PRESET_COUNT] = {
        [STACK_ORBIT] = {.yaw_deg = -24, .pitch_deg = 25},
        [STACK_FRONT] = {.yaw_deg = 0, .pitch_deg = 6},
        [STACK_TOP] = {.yaw_deg = 0, .pitch_deg = 89},
        [STACK_SIDE] = {.yaw_deg = -90, .pitch_deg = 8},
        [STACK_FLY] = {.yaw_deg = -8, .pitch_deg = 62},
    };
    StackCamera camera = cameras[AS_CLAMP((int)preset, 0, STACK_PRESET_COUNT - 1)];
    camera.preset = preset;
    camera.zoom = 1;
    return camera;
}

const char *stack_preset_name(StackPreset preset)
{
    static const char *const names[STACK_PRESET_COUNT] = {"orbit", "front", "top", "side", "fly"};
    return (unsigned)preset < STACK_PRESET_COUNT ? names[preset] : "?";
}

StackChoice stack_choice_default(void)
{
    return (StackChoice){.camera = stack_camera_preset(STACK_ORBIT),
                         .explode = 1,
                         .opacity = 0.65f,
                         .every = 1,
                         .coverage = 0.8f,
                         .depth = 1};
}

bool stack_choice_equal(const StackChoice *a, const StackChoice *b)
{
    const StackCamera *c = &a->camera;
    const StackCamera *d = &b->camera;
    return c->preset == d->preset && c->yaw_deg == d->yaw_deg && c->pitch_deg == d->pitch_deg &&
           c->zoom == d->zoom && memcmp(c->pan, d->pan, sizeof c->pan) == 0 &&
           c->orthographic == d->orthographic && a->explode == b->explode &&
           a->opacity == b->opacity && a->heads == b->heads && a->planes == b->planes &&
           a->every == b->every && a->first == b->first && a->last == b->last &&
           a->coverage == b->coverage && a->depth == b->depth;
}

/* ---- numbers ---- */

/* Is a before b among the strongest? */
static bool stronger(StackSource a, StackSource b)
{
    return a.weight > b.weight || (a.weight == b.weight && a.key < b.key);
}

int32_t stack_sources(const float *weights, int32_t n, float coverage, StackSource *out,
                      int32_t most, float *mass)
{
    double sum = 0;
    int32_t kept = 0;
    for (int32_t j = 0; j < n; j++) {
        StackSource source = {j, weights[j]};
        if (!(source.weight > 0)) {
            continue;
        }
        sum += (double)source.weight;
        int32_t at = AS_MIN(kept, most);
        if (at == most && !stronger(source, out[most - 1])) {
            continue;
        }
        kept = AS_MIN(kept + 1, most);
        for (at = kept - 1; at > 0 && stronger(source, out[at - 1]); at--) {
            out[at] = out[at - 1];
        }
        out[at] = source;
    }
    double shown = 0;
    int32_t count = 0;
    while (count < kept && shown < (double)coverage * sum) {
        shown += (double)out[count++].weight;
    }
    *mass = sum > 0 ? (float)AS_MIN(shown / sum, 1.0) : 0;
    return count;
}

float stack_similarity(const float *a, const float *b, int32_t rows, int32_t cols)
{
    double total = 0;
    int32_t counted = 0;
    for (int32_t r = 0; r < rows; r++) {
        const float *x = a + (size_t)r * (size_t)cols;
        const float *y = b + (size_t)r * (size_t)cols;
        double sx = 0;
        double sy = 0;
        double both = 0;
        for (int32_t c = 0; c < cols; c++) {
            double p = (double)AS_MAX(x[c], 0.0f);
            double q = (double)AS_MAX(y[c], 0.0f);
            sx += p;
            sy += q;
            both += sqrt(p * q);
        }
        if (sx > 0 && sy > 0) {
            total += both / sqrt(sx * sy);
            counted++;
        }
    }
    return counted ? (float)(total / counted) : 0;
}

float stack_entropy(const float *values, int32_t n)
{
    double sum = 0;
    double plogp = 0;
    for (int32_t j = 0; j < n; j++) {
        double w = (double)values[j];
        if (w > 0) {
            sum += w;
            plogp += w * log2(w);
        }
    }
    return sum > 0 ? (float)AS_MAX(log2(sum) - plogp / sum, 0.0) : 0;
}
