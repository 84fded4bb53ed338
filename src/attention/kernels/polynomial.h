#pragma once
/*
 * Constants of the exponential and the hyperbolic tangent, shared by every kernel.
 *
 *   exp(x) = 2^n * 2^f,  n = round(x log2 e), f = x log2 e - n in [-1/2, 1/2]
 *   2^f    = 1 + f (C1 + f (C2 + f (C3 + f (C4 + f C5)))),  relative error below 9.2e-8
 *   tanh y = y + y^3 (T0 + T1 y^2 + ... + T4 y^8) for |y| <= TANH_SMALL, relative error below 5e-9
 *   tanh y = sign(y) (1 - 2 / (exp(2 |y|) + 1))   beyond
 *
 * Both sets are minimax fits in the relative error (Lawson's iteration in 40 digits, then rounded
 * to f32); the constant term of 2^f is held at 1 so that exp(0) = 1 exactly. Rounding by adding
 * 1.5 * 2^23 leaves n in the low bits of the sum, from where a shift puts it into the exponent:
 * this needs honest f32 additions, hence never -ffast-math.
 */
#define EXP_LOG2E 0x1.715476p+0f
#define EXP_MAGIC 0x1.8p+23f
#define EXP_C1    0x1.62e42ap-1f
#define EXP_C2    0x1.ebf9bcp-3f
#define EXP_C3    0x1.c6b752p-5f
#define EXP_C4    0x1.3cea86p-7f
#define EXP_C5    0x1.5bba3ep-10f
/* Below it n would leave the range of normal exponents; the result is 0 from here on down. */
#define EXP_LOWEST (-86.6f)
/* 2^0 with this exponent added has no bits left: exactly 0. From 2^-126 down to it are denormals.
 * Below the other one even denormals are 0. */
#define POW2_NO_BITS (-127.0f)
#define POW2_NOTHING (-160.0f)

#define TANH_SMALL 0.625f
#define TANH_LARGE 9.5f /* tanh is 1 in f32 from here on */
#define TANH_T0    (-0x1.555532p-2f)
#define TANH_T1    0x1.110728p-3f
#define TANH_T2    (-0x1.b83c64p-5f)
#define TANH_T3    0x1.5226d2p-6f
#define TANH_T4    (-0x1.75e29ep-8f)
