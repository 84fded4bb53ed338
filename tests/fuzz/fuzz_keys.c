/* Key files: what is read can be found again. */
#include "fuzz.h"

#include "registry/keys.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    Arena arena = {0};
    KeyMap map = {0};
    Error err = {0};
    if (keys_parse(&map, (const char *)data, n_bytes, "fuzz", &arena, &err)) {
        for (size_t i = 0; i < map.n; i++) {
            const KeyBinding *b = &map.bindings[i];
            const KeyBinding *found = keys_find(&map, b->chord, b->place);
            if (!*b->place && found != b) {
                abort();
            }
        }
    }
    arena_destroy(&arena);
    return 0;
}
