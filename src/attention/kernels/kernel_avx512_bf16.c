/* AVX-512, both products in bf16. */
#define K_PER_WORD 2
#define V_PER_WORD 2
#include "attention/kernels/vector_bf16.h"

const AttnKernel *attn_kernel_avx512_bf16(void)
{
    static const AttnKernel table = KERNEL_TABLE(ATTN_ISA_AVX512);
    return &table;
}
