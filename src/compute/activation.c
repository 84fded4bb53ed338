#include "compute/activation.h"

#include <math.h>
#include <string.h>

#include "compute/threads.h"

static const char *const ACTIVATION_NAMES[] = {
#define ACTIVATION_TEXT(name, text) [ACTIVATION_##name] = text,
    ACTIVATIONS(ACTIVATION_TEXT)
#undef ACTIVATION_TEXT
};

bool activation_parse(const char *name, Activation *activation)
{
    const size_t n = strlen(name);
    for (int a = 0; n > 0 && a < ACTIVATION_COUNT; a++) {
        for (const char *at = ACTIVATION_NAMES[a]; at;) {
            const size_t length = strcspn(at, "|");
            if (length == n && memcmp(at, name, n) == 0) {
                *activation = (Activation)a;
                return true;
            }
            at = at[length] ? at + length + 1 : NULL;
        }
    }
    return false;
}

const char *activation_known(void)
{
    static const char KNOWN[] =
#define ACTIVATION_KNOWN(name, text) " " text
        ACTIVATIONS(ACTIVATION_KNOWN);
#undef ACTIVATION_KNOWN
    return KNOWN + 1;
}

/*
 * exp(x) for a loop that the compiler turns into vectors: x = n log 2 + r with |r| <= log 2 / 2,
 * exp(r) by its Taylor polynomial of degree 7 (relative error below 2^-24), times 2^n. Clamped to
 * where 2^n is a normal number. Source: Cody & Waite 1980, Software Manual for the Elementary
 * Functions, chapter 6 (range reduction in two parts).
 */
static inline __attribute__((always_inline)) float exp_clamped(float x)
{
    x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    const float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f; /* rounded: 1.5 * 2^23 */
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.0f / 5040.0f;
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    union {
        int32_t bits;
        float value;
    } power = {.bits = ((int32_t)n + 127) << 23};
    return p * power.value;
}

COMPUTE_CLONES static void silu_row(float *x, int32_t n)
{
#pragma omp simd
    for (int32_t i = 0; i < n; i++) {
        x[i] = x[i] / (1.0f + exp_clamped(-x[i]));
    }
}

/* (1 + tanh u) / 2 = 1 / (1 + exp(-2u)) */
COMPUTE_CLONES static void gelu_tanh_row(float *x, int32_t n)
{
#pragma omp simd
    for (int32_t i = 0; i < n; i++) {
        const float u = 0.797884561f * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
        x[i] = x[i] / (1.0f + exp_clamped(-2.0f * u));
    }
}

COMPUTE_CLONES static void multiply_row(float *x, const float *up, int32_t n)
{
#pragma omp simd
    for (int32_t i = 0; i < n; i++) {
        x[i] *= up[i];
    }
}

static void activate_row(Activation activation, float *x, int32_t n)
{
    switch (activation) {
    case ACTIVATION_SILU:
        silu_row(x, n);
        break;
    case ACTIVATION_GELU_TANH:
        gelu_tanh_row(x, n);
        break;
    case ACTIVATION_GELU:
        for (int32_t i = 0; i < n; i++) {
            x[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.707106781f));
        }
        break;
    case ACTIVATION_RELU:
        for (int32_t i = 0; i < n; i++) {
            x[i] = x[i] < 0 ? 0 : x[i];
        }
        break;
    case ACTIVATION_TANH:
        for (int32_t i = 0; i < n; i++) {
            x[i] = tanhf(x[i]);
        }
        break;
    case ACTIVATION_NONE:
    case ACTIVATION_COUNT:
        break;
    }
}

void activation_forward(Activation activation, float *x, ptrdiff_t x_stride, const float *up,
                        ptrdiff_t up_stride, int64_t rows, int32_t width, int n_threads)
{
#pragma omp parallel for num_threads(compute_threads(n_threads)) schedule(static)
    for (int64_t r = 0; r < rows; r++) {
        activate_row(activation, x + r * x_stride, width);
        if (up) {
            multiply_row(x + r * x_stride, up + r * up_stride, width);
        }
    }
}
