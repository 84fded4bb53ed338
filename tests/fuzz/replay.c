/*
 * In place of libFuzzer: gives every file of the folders named to the fuzz target, each in a block
 * of exactly its size, so that the address sanitizer sees a read past the end.
 */
#include "fuzz.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t replay_folder(Arena *arena, const char *folder, Error *err)
{
    char **names;
    size_t n_names;
    if (!folder_list(arena, folder, &names, &n_names, err)) {
        return 0;
    }
    for (size_t i = 0; i < n_names; i++) {
        const char *path = path_join(arena, folder, names[i], err);
        FileMap map;
        if (!path || !file_map_open(&map, path, err)) {
            return 0;
        }
        unsigned char *copy = malloc(map.n_bytes ? map.n_bytes : 1);
        if (copy) {
            memcpy(copy, map.n_bytes ? map.data : copy, map.n_bytes);
            (void)LLVMFuzzerTestOneInput(copy, map.n_bytes);
        }
        free(copy);
        file_map_close(&map);
    }
    if (n_names == 0) {
        error_set(err, ERR_IO, "%s is empty", folder);
    }
    return n_names;
}

int main(int argc, char **argv)
{
    Arena arena = {0};
    Error err = {0};
    size_t n = 0;
    for (int i = 1; i < argc && err.code == ERR_NONE; i++) {
        n += replay_folder(&arena, argv[i], &err);
    }
    arena_destroy(&arena);
    if (err.code != ERR_NONE || n == 0) {
        fprintf(stderr, "%s\n", n || err.code ? err.message : "usage: FUZZ_TARGET FOLDER…");
        return 1;
    }
    printf("%zu inputs replayed\n", n);
    return 0;
}
