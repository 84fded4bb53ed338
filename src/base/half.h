#pragma once
/*
 * 16-bit floats: IEEE 754 binary16 and bfloat16. No result depends on whether the processor flushes
 * denormals. Any thread.
 */
#include <stdint.h>
#include <string.h>

static inline float float_from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint32_t float_to_bits(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/** Exact. NaN stays NaN with its payload. */
static inline float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t rest = (uint32_t)(h & 0x7FFFu) << 13;
    uint32_t exponent = rest & 0x0F800000u;
    uint32_t normal = rest + ((127u - 15u) << 23);
    uint32_t infinite = rest + ((255u - 31u) << 23);
    /* A denormal is put behind a leading one, which the subtraction takes away again, exactly. */
    uint32_t tiny = float_to_bits(float_from_bits(rest + (113u << 23)) - 0x1p-14f);
    uint32_t bits = exponent == 0 ? tiny : exponent == 0x0F800000u ? infinite : normal;
    return float_from_bits(sign | bits);
}

/** Nearest, ties to even; past 65504 by half a step or more gives infinity; NaN stays a NaN. */
static inline uint16_t float_to_half(float f)
{
    uint32_t bits = float_to_bits(f);
    uint32_t sign = bits >> 16 & 0x8000u;
    uint32_t rest = bits & 0x7FFFFFFFu;
    uint32_t half;
    if (rest > 0x7F800000u) {
        half = 0x7E00u | (rest >> 13 & 0x1FFu);
    } else if (rest >= 0x47800000u) {
        half = 0x7C00u;
    } else if (rest >= 0x38800000u) {
        uint32_t rounded = rest + 0x0FFFu + (rest >> 13 & 1u);
        half = (rounded - ((127u - 15u) << 23)) >> 13;
    } else {
        /* Below 2^-14 the addition of 2^-1 rounds to the denormals' step of 2^-24. */
        half = float_to_bits(float_from_bits(rest) + 0x1p-1f) - float_to_bits(0x1p-1f);
    }
    return (uint16_t)(sign | half);
}

/** Exact. */
static inline float bfloat_to_float(uint16_t b)
{
    return float_from_bits((uint32_t)b << 16);
}
