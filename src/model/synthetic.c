#include "model/synthetic.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

enum { GROUPS = 5, HEAD_WORD_OF = 3 };

/* Scores that a match has over none: e^10 outweighs thousands of others. */
static const float SHARP = 12.0f;
static const float SOFT = 5.0f;

static const struct {
    const char *name, *does;
} patterns[SYNTHETIC_COUNT] = {
#define SYNTHETIC_ROW(id, name, does) [SYNTHETIC_##id] = {name, does},
    SYNTHETIC_PATTERNS(SYNTHETIC_ROW)
#undef SYNTHETIC_ROW
};

const char *synthetic_name(SyntheticPattern pattern)
{
    return patterns[pattern].name;
}

const char *synthetic_does(SyntheticPattern pattern)
{
    return patterns[pattern].does;
}

bool synthetic_find(const char *name, size_t n, SyntheticPattern *pattern)
{
    for (int i = 0; i < SYNTHETIC_COUNT; i++) {
        if (strlen(patterns[i].name) == n && memcmp(patterns[i].name, name, n) == 0) {
            *pattern = (SyntheticPattern)i;
            return true;
        }
    }
    return false;
}

const char *synthetic_names(void)
{
#define SYNTHETIC_LISTED(id, name, does) "|" name
    return &(SYNTHETIC_PATTERNS(SYNTHETIC_LISTED))[1];
#undef SYNTHETIC_LISTED
}

/* ---- which head does what ---- */

SyntheticHead synthetic_head(SyntheticPattern pattern, uint64_t seed, int32_t layer,
                             int32_t n_layers, int32_t head)
{
    /* Near, middle and far thirds of the layers; heads of a layer take turns. */
    static const SyntheticPattern courses[3][4] = {
        {SYNTHETIC_POSITIONAL, SYNTHETIC_LOCAL, SYNTHETIC_LOCAL, SYNTHETIC_POSITIONAL},
        {SYNTHETIC_SYNTACTIC, SYNTHETIC_INDUCTION, SYNTHETIC_LOCAL, SYNTHETIC_SEMANTIC},
        {SYNTHETIC_SEMANTIC, SYNTHETIC_GLOBAL, SYNTHETIC_INDUCTION, SYNTHETIC_SINK},
    };
    float depth = n_layers > 1 ? (float)layer / (float)(n_layers - 1) : 0;
    SyntheticHead made = {.pattern = pattern, .seed = seed};
    if (pattern == SYNTHETIC_EVOLVING) {
        int third = AS_MIN((int)(depth * 3), 2);
        made.pattern = courses[third][head % 4];
    }
    if (made.pattern == SYNTHETIC_LOCAL) {
        made.reach = 2 + (float)(head % 3) + 10 * depth;
    } else if (made.pattern == SYNTHETIC_POSITIONAL) {
        made.reach = 1 + (float)(head / 3);
    }
    return made;
}

static uint64_t mixed(uint64_t seed, int32_t id, uint64_t use)
{
    uint64_t key[3] = {seed, (uint64_t)(uint32_t)id, use};
    return random_hash(key, sizeof key);
}

bool synthetic_is_head_word(uint64_t seed, int32_t id)
{
    return mixed(seed, id, 1) % HEAD_WORD_OF == 0;
}

int32_t synthetic_group(uint64_t seed, int32_t id)
{
    return (int32_t)(mixed(seed, id, 2) % GROUPS);
}

/* ---- features ---- */

/* Quantile of the half normal distribution at p (Winitzki's inverse of erf, 2008: 2e-3). */
static double half_normal(double p)
{
    const double a = 0.147;
    const double l = log(1 - p * p);
    const double b = 2 / (3.14159265358979323846 * a) + l / 2;
    return sqrt(2) * sqrt(sqrt(b * b - l / a) - b);
}

/* `strength` exp(-((i - j - shift) / sigma)^2 / 2), about, in columns [at, at + 2 n): cosines and
 * sines of n frequencies. */
static void put_kernel(float *q, float *k, int32_t rows, int32_t width, int32_t at, int32_t n,
                       double shift, double sigma, double strength)
{
    for (int32_t f = 0; f < n; f++) {
        double w = half_normal(((double)f + 0.5) / n) / sigma;
        for (int32_t i = 0; i < rows; i++) {
            float *qi = q + (ptrdiff_t)i * width + at + 2 * f;
            float *ki = k + (ptrdiff_t)i * width + at + 2 * f;
            qi[0] = (float)(strength / n * cos(w * (i - shift)));
            qi[1] = (float)(strength / n * sin(w * (i - shift)));
            ki[0] = (float)cos(w * i);
            ki[1] = (float)sin(w * i);
        }
    }
}

/* A direction for a word: signs by hash, of length 1. */
static void put_word(float *row, uint64_t seed, int32_t id, int32_t n, float strength)
{
    float one = strength / sqrtf((float)n);
    for (int32_t c = 0; c < n; c += 64) {
        uint64_t bits = mixed(seed, id, 16 + (uint64_t)c);
        for (int32_t b = 0; b < 64 && c + b < n; b++) {
            row[c + b] = bits >> b & 1 ? one : -one;
        }
    }
}

static void put_induction(const SyntheticHead *head, const int32_t *ids, int32_t n, int32_t width,
                          float *q, float *k)
{
    /* The last dimension rests on the first token where nothing matches. */
    for (int32_t i = 0; i < n; i++) {
        float *qi = q + (ptrdiff_t)i * width;
        float *ki = k + (ptrdiff_t)i * width;
        put_word(qi, head->seed, ids[i], width - 1, SHARP * 1.5f);
        if (i > 0) {
            put_word(ki, head->seed, ids[i - 1], width - 1, 1);
        }
        qi[width - 1] = 1;
        ki[width - 1] = i == 0 ? SHARP * 0.8f : 0;
    }
}

static void put_by_word(const SyntheticHead *head, const int32_t *ids, int32_t n, int32_t width,
                        float *q, float *k)
{
    bool groups = head->pattern == SYNTHETIC_SEMANTIC;
    for (int32_t i = 0; i < n; i++) {
        float *qi = q + (ptrdiff_t)i * width;
        float *ki = k + (ptrdiff_t)i * width;
        if (groups) {
            int32_t group = synthetic_group(head->seed, ids[i]);
            qi[group] = SOFT;
            ki[group] = 1;
        } else {
            qi[0] = SOFT * 1.4f;
            ki[0] = synthetic_is_head_word(head->seed, ids[i]) ? 1 : 0;
        }
    }
}

void synthetic_operands(const SyntheticHead *head, const int32_t *ids, int32_t n, int32_t width,
                        float *q, float *k)
{
    const size_t bytes = (size_t)n * (size_t)width * sizeof *q;
    memset(q, 0, bytes);
    memset(k, 0, bytes);
    int32_t pairs = width / 2;
    switch (head->pattern) {
    case SYNTHETIC_LOCAL:
        put_kernel(q, k, n, width, 0, pairs, (double)head->reach * 0.5, (double)head->reach * 0.6,
                   (double)SHARP);
        break;
    case SYNTHETIC_POSITIONAL:
        put_kernel(q, k, n, width, 0, pairs, (double)head->reach, 0.5, (double)SHARP);
        break;
    case SYNTHETIC_SYNTACTIC:
        put_by_word(head, ids, n, width, q, k);
        put_kernel(q, k, n, width, 1, (width - 1) / 2, 2, 5, (double)SOFT);
        break;
    case SYNTHETIC_SEMANTIC:
        put_by_word(head, ids, n, width, q, k);
        break;
    case SYNTHETIC_INDUCTION:
        put_induction(head, ids, n, width, q, k);
        break;
    case SYNTHETIC_SINK:
        for (int32_t i = 0; i < n; i++) {
            q[(ptrdiff_t)i * width] = SHARP * 0.75f;
            k[(ptrdiff_t)i * width] = i == 0 ? 1 : 0;
        }
        break;
    default: /* GLOBAL: all scores are 0 */
        break;
    }
    /* The pass divides by the root of the width. */
    const float root = sqrtf((float)width);
    for (size_t i = 0; i < (size_t)n * (size_t)width; i++) {
        q[i] *= root;
    }
}
