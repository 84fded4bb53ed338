/* NEON of AArch64: 4 lanes, 32 registers: 6 x 4 accumulators, 4 operands, 1 broadcast. */
#include <arm_neon.h>

#include "attention/kernels/kernel.h"

typedef float32x4_t vf;
typedef uint32x4_t vm;
enum { W = 4, MR = 6, NV = 4 };
#define PV_MAX 4

#define vf_load(p)        vld1q_f32(p)
#define vf_store(p, x)    vst1q_f32(p, x)
#define vf_set1(x)        vdupq_n_f32(x)
#define vf_add(a, b)      vaddq_f32(a, b)
#define vf_sub(a, b)      vsubq_f32(a, b)
#define vf_mul(a, b)      vmulq_f32(a, b)
#define vf_div(a, b)      vdivq_f32(a, b)
#define vf_abs(a)         vabsq_f32(a)
#define vf_fma(a, b, c)   vfmaq_f32(c, a, b)
#define vf_fms(a, b, c)   vfmaq_f32(vnegq_f32(c), a, b)
#define vf_any_gt(a, b)   (vmaxvq_u32(vcgtq_f32(a, b)) != 0)
#define vf_all_gt(a, b)   (vminvq_u32(vcgtq_f32(a, b)) != 0)
#define vm_ge(a, b)       vcgeq_f32(a, b)
#define vm_lt(a, b)       vcltq_f32(a, b)
#define vm_gt(a, b)       vcgtq_f32(a, b)
#define vm_and(m, n)      vandq_u32(m, n)
#define vf_sel(m, a, b)   vbslq_f32(m, a, b)
#define vf_zip_low(a, b)  vzip1q_f32(a, b)
#define vf_zip_high(a, b) vzip2q_f32(a, b)
#define vf_even(a, b)     vuzp1q_f32(a, b)
#define vf_odd(a, b)      vuzp2q_f32(a, b)
#define sf_fma(a, b, c)   __builtin_fmaf(a, b, c)

/* vmaxq would keep a NaN of a; the body's contract is b, as on x86. */
static inline vf vf_max(vf a, vf b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

static inline vf vf_pow2(vf p, vf t)
{
    int32x4_t n = vshlq_n_s32(vreinterpretq_s32_f32(t), 23);
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(p), n));
}

static inline vf vf_keep_above(vf x, vf e, vf low)
{
    uint32x4_t drop = vcleq_f32(x, low);
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(e), drop));
}

static inline vf vf_load_part(const float *p, int n)
{
    float rest[W] = {0};
    __builtin_memcpy(rest, p, (size_t)n * sizeof(float));
    return vf_load(rest);
}

#include "attention/kernels/body_attend.h"

const AttnKernel *attn_kernel_neon(void)
{
    static const AttnKernel table = KERNEL_TABLE(ATTN_ISA_NEON);
    return &table;
}
