/*
 * The probe, an object of its own: compiled without instruction set flags and without link time
 * optimisation, so that nothing newer than the base set can be inlined into it.
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, vol. 1, 14.3 and 15.2.
 */
#include "attention/isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdint.h>

enum {
    XCR0_AVX = 0x06,    /* XMM and YMM state */
    XCR0_AVX512 = 0xe6, /* and masks, upper halves, upper registers */
};

/* State the operating system saves; 0 where it has not enabled xgetbv. */
static uint32_t enabled_state(void)
{
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) {
        return 0;
    }
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool has_fma(void)
{
    uint32_t a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_FMA) && (c & bit_AVX);
}

static uint32_t extended_features(void)
{
    uint32_t a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) ? b : 0;
}

bool attn_isa_probe_avx2(void)
{
    return (enabled_state() & XCR0_AVX) == XCR0_AVX && has_fma() &&
           (extended_features() & bit_AVX2) != 0;
}

bool attn_isa_probe_avx512(void)
{
    const uint32_t wanted = bit_AVX2 | bit_AVX512F | bit_AVX512DQ;
    return (enabled_state() & XCR0_AVX512) == XCR0_AVX512 && has_fma() &&
           (extended_features() & wanted) == wanted;
}

bool attn_isa_probe_avx512_bf16(void)
{
    const uint32_t wanted = bit_AVX512BW | bit_AVX512VL, bit_bf16 = 1u << 5; /* leaf 7, part 1 */
    uint32_t a, b, c, d;
    return attn_isa_probe_avx512() && (extended_features() & wanted) == wanted &&
           __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & bit_bf16);
}
#else
bool attn_isa_probe_avx512_bf16(void)
{
    return false;
}

bool attn_isa_probe_avx2(void)
{
    return false;
}

bool attn_isa_probe_avx512(void)
{
    return false;
}
#endif
