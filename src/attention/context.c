#include "attention/context.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attention/isa.h"
#include "attention/scratch.h"

/* One row per instruction set, slowest first; a missing kernel means not built here. */
typedef struct IsaRow {
    AttnIsa isa;
    const char *name;
    const AttnKernel *(*kernel)(void);
    bool (*probe)(void);
} IsaRow;

static bool always(void)
{
    return true;
}

static const IsaRow ISA_ROWS[] = {
    {ATTN_ISA_SCALAR, "scalar", attn_kernel_scalar, always},
#if defined(__aarch64__)
    {ATTN_ISA_NEON, "neon", attn_kernel_neon, always},
#else
    {ATTN_ISA_NEON, "neon", NULL, NULL},
#endif
#if defined(__x86_64__)
    {ATTN_ISA_AVX2, "avx2", attn_kernel_avx2, attn_isa_probe_avx2},
    {ATTN_ISA_AVX512, "avx512", attn_kernel_avx512, attn_isa_probe_avx512},
#else
    {ATTN_ISA_AVX2, "avx2", NULL, NULL},
    {ATTN_ISA_AVX512, "avx512", NULL, NULL},
#endif
};
enum { N_ISA_ROWS = sizeof ISA_ROWS / sizeof ISA_ROWS[0], MAX_THREADS = 1024 };

const char *attn_isa_name(AttnIsa isa)
{
    for (int i = 0; i < N_ISA_ROWS; i++) {
        if (ISA_ROWS[i].isa == isa) {
            return ISA_ROWS[i].name;
        }
    }
    return "auto";
}

bool attn_isa_parse(const char *name, AttnIsa *isa)
{
    if (strcmp(name, "auto") == 0) {
        *isa = ATTN_ISA_AUTO;
        return true;
    }
    for (int i = 0; i < N_ISA_ROWS; i++) {
        if (strcmp(name, ISA_ROWS[i].name) == 0) {
            *isa = ISA_ROWS[i].isa;
            return true;
        }
    }
    return false;
}

int attn_isa_available(AttnIsa list[ATTN_ISA_COUNT])
{
    int n = 0;
    for (int i = 0; i < N_ISA_ROWS; i++) {
        if (ISA_ROWS[i].kernel && ISA_ROWS[i].probe()) {
            list[n++] = ISA_ROWS[i].isa;
        }
    }
    return n;
}

/* "what 'name' … here: scalar avx2" into message; returns the status to return. */
static AttnStatus refuse_isa(char *message, size_t size, const char *origin, const char *name,
                             const char *why)
{
    if (message && size > 0) {
        AttnIsa list[ATTN_ISA_COUNT];
        char names[64] = "";
        int n = attn_isa_available(list);
        for (int i = 0; i < n; i++) {
            size_t used = strlen(names);
            snprintf(names + used, sizeof names - used, " %s", attn_isa_name(list[i]));
        }
        snprintf(message, size, "%s: instruction set '%s' %s; here there are:%s auto", origin, name,
                 why, names);
    }
    return ATTN_ISA;
}

static const AttnKernel *find_kernel(AttnIsa isa)
{
    for (int i = 0; i < N_ISA_ROWS; i++) {
        if (ISA_ROWS[i].isa == isa && ISA_ROWS[i].kernel && ISA_ROWS[i].probe()) {
            return ISA_ROWS[i].kernel();
        }
    }
    return NULL;
}

static AttnStatus choose_kernel(AttnIsa asked, const AttnKernel **kernel, char *message,
                                size_t size)
{
    const char *origin = "isa";
    const char *name = NULL;
    if (asked == ATTN_ISA_AUTO) {
        name = getenv("ATTNSCOPE_ISA");
        origin = "ATTNSCOPE_ISA";
        if (name && *name && !attn_isa_parse(name, &asked)) {
            return refuse_isa(message, size, origin, name, "is not known");
        }
    }
    if (asked == ATTN_ISA_AUTO) {
        AttnIsa list[ATTN_ISA_COUNT];
        asked = list[attn_isa_available(list) - 1];
    }
    *kernel = find_kernel(asked);
    if (!*kernel) {
        return refuse_isa(message, size, origin, attn_isa_name(asked), "is not available");
    }
    return ATTN_OK;
}

AttnStatus attn_ctx_create(const AttnCtxDesc *desc, AttnCtx **out, char *message,
                           size_t message_size)
{
    static const AttnCtxDesc defaults = {0};
    desc = desc ? desc : &defaults;
    *out = NULL;
    if (desc->n_threads < 0 || desc->n_threads > MAX_THREADS) {
        if (message && message_size > 0) {
            snprintf(message, message_size, "threads: %d given, expected 0 (all) to %d",
                     desc->n_threads, MAX_THREADS);
        }
        return ATTN_THREADS;
    }
    const AttnKernel *kernel = NULL;
    AttnStatus status = choose_kernel(desc->isa, &kernel, message, message_size);
    if (status != ATTN_OK) {
        return status;
    }
    AttnCtx *ctx = calloc(1, sizeof *ctx);
    AttnScratchPool *pool = attn_scratch_pool_create();
    if (!ctx || !pool) {
        free(ctx);
        attn_scratch_pool_destroy(pool);
        return ATTN_MEMORY;
    }
    ctx->pool = pool;
    ctx->kernel = kernel;
    ctx->kernels[ATTN_PRECISION_EXACT] = kernel;
#if defined(__x86_64__)
    if (kernel->isa == ATTN_ISA_AVX512 && attn_isa_probe_avx512_bf16()) {
        ctx->kernels[ATTN_PRECISION_BF16] = attn_kernel_avx512_bf16();
        ctx->kernels[ATTN_PRECISION_BF16_PV] = attn_kernel_avx512_bf16_pv();
    }
#endif
    ctx->n_threads = desc->n_threads > 0 ? desc->n_threads : omp_get_max_threads();
    *out = ctx;
    return ATTN_OK;
}

void attn_ctx_destroy(AttnCtx **ctx)
{
    if (ctx && *ctx) {
        attn_scratch_pool_destroy((*ctx)->pool);
        free(*ctx);
        *ctx = NULL;
    }
}

AttnIsa attn_ctx_isa(const AttnCtx *ctx)
{
    return ctx->kernel->isa;
}

const char *attn_ctx_isa_name(const AttnCtx *ctx)
{
    return attn_isa_name(ctx->kernel->isa);
}

int attn_ctx_threads(const AttnCtx *ctx)
{
    return ctx->n_threads;
}

bool attn_ctx_has_precision(const AttnCtx *ctx, AttnPrecision precision)
{
    return precision < ATTN_PRECISION_COUNT && ctx->kernels[precision];
}
