/*
 * The table that every CPU can run: the body over vectors in plain C. Built with -ffp-contract=off
 * so that products and sums round separately in every inlined copy.
 */
#include "attention/kernels/vector_plain.h"

#include "attention/kernels/body_attend.h"

const AttnKernel *attn_kernel_scalar(void)
{
    static const AttnKernel table = KERNEL_TABLE(ATTN_ISA_SCALAR);
    return &table;
}
