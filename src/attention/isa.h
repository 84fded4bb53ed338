#pragma once
/* What this CPU and its operating system can run. */
#include <stdbool.h>

/** AVX2 and FMA in the CPU, and the system saves 256-bit registers. False on other CPUs. */
bool attn_isa_probe_avx2(void);

/** AVX-512 F and DQ with FMA in the CPU, and the system saves 512-bit and mask registers. */
bool attn_isa_probe_avx512(void);

/** AVX512_BF16 with BW and VL, beside attn_isa_probe_avx512. */
bool attn_isa_probe_avx512_bf16(void);
