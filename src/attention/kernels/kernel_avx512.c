/* AVX-512, products in f32. */
#include "attention/kernels/vector_avx512.h"

#include "attention/kernels/body_attend.h"

const AttnKernel *attn_kernel_avx512(void)
{
    static const AttnKernel table = KERNEL_TABLE(ATTN_ISA_AVX512);
    return &table;
}
