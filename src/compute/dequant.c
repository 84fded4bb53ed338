/*
 * Each routine expands one block. The products are of an f16 scale (11 bits) and small whole
 * numbers, at most 24 bits together, so they are exact in a float: a fused multiply-add or another
 * order of the factors would give the same bits.
 */
#include "compute/dequant.h"

#include "base/half.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "files are read little endian, as stored");

typedef unsigned char Byte;

static inline uint16_t load_u16(const Byte *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline float load_half(const Byte *p)
{
    return half_to_float(load_u16(p));
}

/* d, 16 bytes: element j is the low nibble of byte j, element j + 16 the high one. */
static void expand_q4_0(const Byte *b, float *dst)
{
    float d = load_half(b);
    for (int j = 0; j < 16; j++) {
        dst[j] = d * (float)((b[2 + j] & 15) - 8);
        dst[j + 16] = d * (float)((b[2 + j] >> 4) - 8);
    }
}

static void expand_q4_1(const Byte *b, float *dst)
{
    float d = load_half(b);
    float m = load_half(b + 2);
    for (int j = 0; j < 16; j++) {
        dst[j] = d * (float)(b[4 + j] & 15) + m;
        dst[j + 16] = d * (float)(b[4 + j] >> 4) + m;
    }
}

/* The fifth bit of element j is bit j of a u32. */
static void expand_q5_0(const Byte *b, float *dst)
{
    float d = load_half(b);
    uint32_t high = load_u16(b + 2) | (uint32_t)load_u16(b + 4) << 16;
    for (int j = 0; j < 16; j++) {
        int lo = (b[6 + j] & 15) | (int)(high >> j & 1) << 4;
        int hi = (b[6 + j] >> 4) | (int)(high >> (j + 16) & 1) << 4;
        dst[j] = d * (float)(lo - 16);
        dst[j + 16] = d * (float)(hi - 16);
    }
}

static void expand_q5_1(const Byte *b, float *dst)
{
    float d = load_half(b);
    float m = load_half(b + 2);
    uint32_t high = load_u16(b + 4) | (uint32_t)load_u16(b + 6) << 16;
    for (int j = 0; j < 16; j++) {
        int lo = (b[8 + j] & 15) | (int)(high >> j & 1) << 4;
        int hi = (b[8 + j] >> 4) | (int)(high >> (j + 16) & 1) << 4;
        dst[j] = d * (float)lo + m;
        dst[j + 16] = d * (float)hi + m;
    }
}

static void expand_q8_0(const Byte *b, float *dst)
{
    float d = load_half(b);
    for (int j = 0; j < 32; j++) {
        dst[j] = d * (float)(int8_t)b[2 + j];
    }
}

/* 16 bytes of (scale, min) nibbles, 64 bytes of 2-bit values, d, dmin. Each 32 bytes of values hold
 * 4 runs of 32 elements, one in each pair of bits. */
static void expand_q2_k(const Byte *b, float *dst)
{
    const Byte *values = b + 16;
    float d = load_half(b + 80);
    float dmin = load_half(b + 82);
    for (int i = 0; i < 256; i++) {
        int scale = b[i / 16];
        int q = values[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
        dst[i] = d * (float)(scale & 15) * (float)q - dmin * (float)(scale >> 4);
    }
}

/* 32 bytes of third bits, 64 bytes of 2-bit values, 16 six-bit scales in 12 bytes, d. */
static void expand_q3_k(const Byte *b, float *dst)
{
    const Byte *values = b + 32;
    const Byte *scales = b + 96;
    float d = load_half(b + 108);
    for (int s = 0; s < 16; s++) {
        int low = scales[s % 8] >> (s / 8 * 4) & 15;
        int high = scales[8 + s % 4] >> (s / 4 * 2) & 3;
        float scale = d * (float)((low | high << 4) - 32);
        for (int i = s * 16; i < s * 16 + 16; i++) {
            int q = values[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
            /* The third bit says that four is not taken away. */
            int bit = b[i % 32] >> (i / 32) & 1;
            dst[i] = scale * (float)(q - (bit ? 0 : 4));
        }
    }
}

/* Eight six-bit scales and mins in 12 bytes, as Q4_K and Q5_K have them. */
static void unpack_scales(const Byte *p, int s, int *scale, int *min)
{
    if (s < 4) {
        *scale = p[s] & 63;
        *min = p[s + 4] & 63;
    } else {
        *scale = (p[s + 4] & 15) | (p[s - 4] >> 6) << 4;
        *min = p[s + 4] >> 4 | (p[s] >> 6) << 4;
    }
}

/* d, dmin, scales, 128 bytes: each 32 bytes hold a run of 32 elements in the low nibbles and the
 * next one in the high ones. */
static void expand_q4_k(const Byte *b, float *dst)
{
    float d = load_half(b);
    float dmin = load_half(b + 2);
    for (int s = 0; s < 8; s++) {
        int scale;
        int min;
        unpack_scales(b + 4, s, &scale, &min);
        float ds = d * (float)scale;
        float m = dmin * (float)min;
        const Byte *values = b + 16 + s / 2 * 32;
        int shift = s % 2 * 4;
        for (int j = 0; j < 32; j++) {
            dst[s * 32 + j] = ds * (float)(values[j] >> shift & 15) - m;
        }
    }
}

/* As Q4_K, with the fifth bits of run s in bit s of 32 bytes. */
static void expand_q5_k(const Byte *b, float *dst)
{
    float d = load_half(b);
    float dmin = load_half(b + 2);
    const Byte *high = b + 16;
    for (int s = 0; s < 8; s++) {
        int scale;
        int min;
        unpack_scales(b + 4, s, &scale, &min);
        float ds = d * (float)scale;
        float m = dmin * (float)min;
        const Byte *values = b + 48 + s / 2 * 32;
        int shift = s % 2 * 4;
        for (int j = 0; j < 32; j++) {
            int q = (values[j] >> shift & 15) | (high[j] >> s & 1) << 4;
            dst[s * 32 + j] = ds * (float)q - m;
        }
    }
}

/* 128 bytes of low nibbles, 64 bytes of high pairs of bits, 16 signed scales, d. In each half of
 * 128 elements, runs 0 and 1 are low nibbles and runs 2 and 3 high ones of the same 64 bytes. */
static void expand_q6_k(const Byte *b, float *dst)
{
    float d = load_half(b + 208);
    for (int run = 0; run < 8; run++) {
        int half = run / 4;
        const Byte *low = b + half * 64 + run % 2 * 32;
        const Byte *high = b + 128 + half * 32;
        int low_shift = run % 4 / 2 * 4;
        int high_shift = run % 4 * 2;
        for (int j = 0; j < 32; j++) {
            float scale = d * (float)(int8_t)b[192 + run * 2 + j / 16];
            int q = (low[j] >> low_shift & 15) | (high[j] >> high_shift & 3) << 4;
            dst[run * 32 + j] = scale * (float)(q - 32);
        }
    }
}

/* The sixteen levels of the IQ4 types (ggml's kvalues_iq4nl). */
static const float iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                     1,    13,   25,  38,  53,  69,  89,  113};

static void expand_iq4_nl(const Byte *b, float *dst)
{
    float d = load_half(b);
    for (int j = 0; j < 16; j++) {
        dst[j] = d * iq4_levels[b[2 + j] & 15];
        dst[j + 16] = d * iq4_levels[b[2 + j] >> 4];
    }
}

/* d, high pairs of bits of 8 scales, their low nibbles, 128 bytes as in eight IQ4_NL blocks. */
static void expand_iq4_xs(const Byte *b, float *dst)
{
    float d = load_half(b);
    unsigned high = load_u16(b + 2);
    for (int s = 0; s < 8; s++) {
        int scale = (b[4 + s / 2] >> (s % 2 * 4) & 15) | (int)(high >> (s * 2) & 3) << 4;
        float ds = d * (float)(scale - 32);
        const Byte *values = b + 8 + s * 16;
        for (int j = 0; j < 16; j++) {
            dst[s * 32 + j] = ds * iq4_levels[values[j] & 15];
            dst[s * 32 + j + 16] = ds * iq4_levels[values[j] >> 4];
        }
    }
}

typedef void (*ExpandBlock)(const Byte *block, float *dst);

static const ExpandBlock expand_table[DTYPE_COUNT] = {
    [DTYPE_Q4_0] = expand_q4_0, [DTYPE_Q4_1] = expand_q4_1,     [DTYPE_Q5_0] = expand_q5_0,
    [DTYPE_Q5_1] = expand_q5_1, [DTYPE_Q8_0] = expand_q8_0,     [DTYPE_Q2_K] = expand_q2_k,
    [DTYPE_Q3_K] = expand_q3_k, [DTYPE_Q4_K] = expand_q4_k,     [DTYPE_Q5_K] = expand_q5_k,
    [DTYPE_Q6_K] = expand_q6_k, [DTYPE_IQ4_NL] = expand_iq4_nl, [DTYPE_IQ4_XS] = expand_iq4_xs,
};

static bool is_plain(DType type)
{
    return type == DTYPE_F32 || type == DTYPE_F16 || type == DTYPE_BF16 || type == DTYPE_F64;
}

bool dequant_supported(DType type)
{
    return (unsigned)type < DTYPE_COUNT && (is_plain(type) || expand_table[type]);
}

static void widen_plain(DType type, const Byte *src, size_t n, float *dst)
{
    if (type == DTYPE_F32) {
        memcpy(dst, src, n * sizeof *dst);
    } else if (type == DTYPE_F16) {
        for (size_t i = 0; i < n; i++) {
            dst[i] = load_half(src + 2 * i);
        }
    } else if (type == DTYPE_BF16) {
        for (size_t i = 0; i < n; i++) {
            dst[i] = bfloat_to_float(load_u16(src + 2 * i));
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            double v;
            memcpy(&v, src + 8 * i, sizeof v);
            dst[i] = (float)v;
        }
    }
}

bool dequant_rows(DType type, const void *src, size_t n_elements, float *dst, Error *err)
{
    if (!dequant_supported(type)) {
        return error_set(err, ERR_UNSUPPORTED,
                         "weights of type %s cannot be read: take the model in one of F32 F16 BF16 "
                         "Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS",
                         dtype_name(type));
    }
    if (n_elements == 0) {
        return true;
    }
    if (is_plain(type)) {
        widen_plain(type, src, n_elements, dst);
        return true;
    }
    const DTypeInfo *info = dtype_info(type);
    size_t block = (size_t)info->block_elements;
    if (n_elements % block != 0) {
        return error_set(err, ERR_RANGE, "%zu elements are no whole number of %s blocks of %zu",
                         n_elements, info->name, block);
    }
    ExpandBlock expand = expand_table[type];
    const Byte *bytes = src;
    for (size_t i = 0; i < n_elements / block; i++) {
        expand(bytes + i * (size_t)info->block_bytes, dst + i * block);
    }
    return true;
}

bool dequant_row_range(DType type, const void *src, size_t n_columns, size_t row, size_t n_rows,
                       float *dst, Error *err)
{
    size_t row_bytes;
    size_t offset;
    size_t n_elements;
    if (!dtype_bytes(type, n_columns, &row_bytes)) {
        return error_set(err, ERR_RANGE, "rows of %zu elements are no whole number of %s blocks",
                         n_columns, dtype_name(type));
    }
    if (!checked_mul(row, row_bytes, &offset) || !checked_mul(n_rows, n_columns, &n_elements)) {
        return error_set(err, ERR_RANGE, "rows %zu and on of %zu elements do not fit", row,
                         n_columns);
    }
    return dequant_rows(type, (const Byte *)src + offset, n_elements, dst, err);
}
