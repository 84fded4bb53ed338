#include "base/dtype.h"

#include <string.h>

static const DTypeInfo infos[DTYPE_COUNT] = {
#define DTYPE_ROW(name, elements, bytes, ggml, safetensors)                                        \
    [DTYPE_##name] = {#name, elements, bytes, ggml, safetensors},
    DTYPES(DTYPE_ROW)
#undef DTYPE_ROW
};

const DTypeInfo *dtype_info(DType type)
{
    AS_ASSERT((unsigned)type < DTYPE_COUNT);
    return &infos[type];
}

const char *dtype_name(DType type)
{
    return (unsigned)type < DTYPE_COUNT ? infos[type].name : "?";
}

bool dtype_from_ggml(uint32_t number, DType *type)
{
    for (int i = 0; i < DTYPE_COUNT; i++) {
        if (infos[i].ggml >= 0 && (uint32_t)infos[i].ggml == number) {
            *type = (DType)i;
            return true;
        }
    }
    return false;
}

bool dtype_from_safetensors(const char *name, DType *type)
{
    for (int i = 0; i < DTYPE_COUNT; i++) {
        if (infos[i].safetensors[0] && strcmp(infos[i].safetensors, name) == 0) {
            *type = (DType)i;
            return true;
        }
    }
    return false;
}

bool dtype_bytes(DType type, size_t n_elements, size_t *n_bytes)
{
    const DTypeInfo *info = dtype_info(type);
    size_t block = (size_t)info->block_elements;
    return n_elements % block == 0 &&
           checked_mul(n_elements / block, (size_t)info->block_bytes, n_bytes);
}
