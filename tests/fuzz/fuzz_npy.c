#include "fuzz.h"

#include "base/arena.h"
#include "formats/npz.h"

/* The same bytes as an archive: what opens has entries that can be read or are refused. */
static void read_archive(const uint8_t *data, size_t n_bytes)
{
    NpzFile file;
    NpyArray array;
    Error err = {0};
    if (npz_open_memory(&file, "fuzzed", data, n_bytes, &err)) {
        for (size_t i = 0; i < file.n; i++) {
            (void)!npz_read(&file, &file.entries[i], &array, &err);
        }
        npz_close(&file);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    NpyArray array;
    Arena arena = {0};
    Error err = {0};
    if (npy_open_memory(&array, "fuzzed", data, n_bytes, &err)) {
        float *floats = ARENA_ARRAY(&arena, float, array.n_elements, &err);
        if (floats) {
            npy_to_floats(&array, floats);
        }
        npy_close(&array);
    }
    arena_destroy(&arena);
    read_archive(data, n_bytes);
    return 0;
}
