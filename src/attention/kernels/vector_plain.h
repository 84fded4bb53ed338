#pragma once
/*
 * Vectors of four floats as gcc and clang offer them in plain C; the compiler maps them to what
 * the base instruction set has. Products and sums round separately. See body.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vm __attribute__((vector_size(16)));
enum { W = 4, MR = 4, NV = 2 };
#define PV_MAX 2
#define UNFUSED

static inline vf vf_load(const float *p)
{
    vf x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
}

static inline void vf_store(float *p, vf x)
{
    __builtin_memcpy(p, &x, sizeof x);
}

#define vf_set1(x)        ((vf){(x), (x), (x), (x)})
#define vf_add(a, b)      ((a) + (b))
#define vf_sub(a, b)      ((a) - (b))
#define vf_mul(a, b)      ((a) * (b))
#define vf_div(a, b)      ((a) / (b))
#define vf_fma(a, b, c)   ((a) * (b) + (c))
#define vf_fms(a, b, c)   ((a) * (b) - (c))
#define vm_ge(a, b)       ((a) >= (b))
#define vm_lt(a, b)       ((a) < (b))
#define vm_gt(a, b)       ((a) > (b))
#define vm_and(m, n)      ((m) & (n))
#define vf_zip_low(a, b)  __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define vf_zip_high(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define vf_even(a, b)     __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define vf_odd(a, b)      __builtin_shufflevector(a, b, 1, 3, 5, 7)
#define sf_fma(a, b, c)   ((a) * (b) + (c))

static inline vf vf_sel(vm m, vf a, vf b)
{
    return (vf)((m & (vm)a) | (~m & (vm)b));
}

static inline vf vf_abs(vf a)
{
    return (vf)((vm)a & INT32_MAX);
}

static inline vf vf_max(vf a, vf b)
{
    return vf_sel(a > b, a, b);
}

static inline bool vf_any_gt(vf a, vf b)
{
    vm m = a > b;
    return (m[0] | m[1] | m[2] | m[3]) != 0;
}

static inline bool vf_all_gt(vf a, vf b)
{
    vm m = a > b;
    return (m[0] & m[1] & m[2] & m[3]) != 0;
}

static inline vf vf_pow2(vf p, vf t)
{
    typedef uint32_t Bits __attribute__((vector_size(16)));
    return (vf)((Bits)p + ((Bits)t << 23));
}

static inline vf vf_keep_above(vf x, vf e, vf low)
{
    return (vf)((vm)e & ~(vm)(x <= low));
}

static inline vf vf_load_part(const float *p, int n)
{
    float rest[W] = {0};
    __builtin_memcpy(rest, p, (size_t)n * sizeof(float));
    return vf_load(rest);
}
