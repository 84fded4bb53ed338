#pragma once
/*
 * Activations of the MLP, element by element. Any thread.
 */
#include "base/base.h"

/* name, what configs call it, with "|" between */
#define ACTIVATIONS(X)                                                                             \
    X(GELU, "gelu")                                                                                \
    X(GELU_TANH, "gelu_pytorch_tanh|gelu_new|gelu_fast|gelu_accurate")                             \
    X(SILU, "silu|swish")                                                                          \
    X(RELU, "relu")                                                                                \
    X(TANH, "tanh")                                                                                \
    X(NONE, "linear|identity")

typedef enum Activation {
#define ACTIVATION_ENUM(name, text) ACTIVATION_##name,
    ACTIVATIONS(ACTIVATION_ENUM)
#undef ACTIVATION_ENUM
        ACTIVATION_COUNT
} Activation;

/** By the name a config uses ("gelu_new"); false when it is not known. */
AS_MUST_CHECK bool activation_parse(const char *name, Activation *activation);
/** All names that activation_parse knows, with spaces and "|" between, static. For messages. */
const char *activation_known(void);

/**
 * x[i] = f(x[i]), or f(x[i]) * up[i] where up is given (gated MLP). Rows [rows, width].
 *
 * GELU is x/2 (1 + erf(x / sqrt 2)), GELU_TANH its tanh form (Hendrycks & Gimpel 2016,
 * arXiv:1606.08415), SILU x / (1 + exp(-x)) (Elfwing et al. 2017, arXiv:1702.03118); the gate is
 * Shazeer's (2020, arXiv:2002.05202).
 *
 * up       NULL or [rows, width] with its own stride; must not overlap x
 * Threads  n_threads, 0 = all of OpenMP's
 * Test     tests/unit/compute/test_rows.c
 */
void activation_forward(Activation activation, float *x, ptrdiff_t x_stride, const float *up,
                        ptrdiff_t up_stride, int64_t rows, int32_t width, int n_threads);
