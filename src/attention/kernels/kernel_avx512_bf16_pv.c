/* AVX-512, scores in f32, weights times values in bf16. */
#define K_PER_WORD 1
#define V_PER_WORD 2
#include "attention/kernels/vector_bf16.h"

const AttnKernel *attn_kernel_avx512_bf16_pv(void)
{
    static const AttnKernel table = KERNEL_TABLE(ATTN_ISA_AVX512);
    return &table;
}
