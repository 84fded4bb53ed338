#include "fuzz.h"

#include "base/arena.h"
#include "formats/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    NpyArray array;
    Arena arena = {0};
    Error err = {0};
    if (npy_open_memory(&array, "fuzzed", data, n_bytes, &err)) {
        float *floats = ARENA_ARRAY(&arena, float, array.n_elements, &err);
        int64_t *ints = ARENA_ARRAY(&arena, int64_t, array.n_elements, &err);
        if (floats && ints) {
            npy_to_floats(&array, floats);
            (void)!npy_to_ints(&array, ints, &err);
        }
        npy_close(&array);
    }
    arena_destroy(&arena);
    return 0;
}
