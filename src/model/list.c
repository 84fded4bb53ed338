/*
 * Which models are on this machine.
 */
#include <string.h>

#include "base/embedded.h"
#include "base/file.h"
#include "model/locate.h"
#include "model/model.h"
#include "model/runners.h"

typedef ARRAY_OF(ModelListing) Listings;

static bool add(Listings *all, const char *spec, const char *where, const char *path, Error *err)
{
    const ModelListing one = {spec, where, path};
    return spec && path && ARRAY_PUSH(all, one, err);
}

/* Does opening `path` lead to a model's files, as far as names tell? */
static bool looks_like_model(const char *path, Arena *arena)
{
    Location location;
    Error ignored = {0};
    return locate_model(path, true, arena, &location, &ignored);
}

static bool list_folder(Listings *all, const char *folder, Arena *arena, Error *err)
{
    char **names;
    size_t n;
    if (!folder || !path_is_folder(folder)) {
        return true;
    }
    if (!folder_list(arena, folder, &names, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const char *path = path_join(arena, folder, names[i], err);
        if (!path) {
            return false;
        }
        const bool file = path_has_suffix(path, ".gguf");
        if ((file || path_is_folder(path)) && looks_like_model(path, arena) &&
            !add(all, path, folder, path, err)) {
            return false;
        }
    }
    return true;
}

/* "models--org--name" -> "org/name" */
static char *cache_spec(const char *entry, Arena *arena, Error *err)
{
    char *spec = arena_strdup(arena, entry + strlen("models--"), err);
    char *dashes = spec ? strstr(spec, "--") : NULL;
    if (dashes) {
        *dashes = '/';
        memmove(dashes + 1, dashes + 2, strlen(dashes + 2) + 1);
    }
    return spec;
}

static bool list_cache(Listings *all, Arena *arena, Error *err)
{
    char **names;
    size_t n;
    const char *cache = locate_hub_cache(arena, err);
    if (!cache || !path_is_folder(cache)) {
        return true;
    }
    if (!folder_list(arena, cache, &names, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        Error ignored = {0};
        const char *folder = path_join(arena, cache, names[i], err);
        if (!folder) {
            return false;
        }
        if (strncmp(names[i], "models--", strlen("models--")) != 0) {
            continue;
        }
        const char *snapshot = locate_snapshot(folder, arena, &ignored);
        if (snapshot && looks_like_model(snapshot, arena) &&
            !add(all, cache_spec(names[i], arena, err), "Hugging Face cache", snapshot, err)) {
            return false;
        }
    }
    return true;
}

static bool list_embedded(Listings *all, Arena *arena, Error *err)
{
    static const char END[] = "/config.json";
    EmbeddedFile file;
    for (size_t i = 0; embedded_next("models/", i, &file); i++) {
        const char *name = file.name + strlen("models/");
        const size_t n = strcspn(name, "/");
        if (strcmp(name + n, END) == 0 &&
            !add(all, arena_strndup(arena, name, n, err), "embedded", "", err)) {
            return false;
        }
    }
    return true;
}

static bool list_runners(Listings *all, Arena *arena, Error *err)
{
    RunnerModel *models;
    size_t n;
    if (!runners_list(arena, &models, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!add(all, models[i].name, models[i].where, models[i].path, err)) {
            return false;
        }
    }
    return true;
}

bool model_list_local(Arena *arena, const char *cache_folder, ModelListing **listings,
                      size_t *n_listings, Error *err)
{
    Listings all = {0};
    const bool ok = list_embedded(&all, arena, err) &&
                    list_folder(&all, cache_folder, arena, err) && list_cache(&all, arena, err) &&
                    list_runners(&all, arena, err);
    *n_listings = ok ? all.n : 0;
    *listings = ok ? ARENA_ARRAY(arena, ModelListing, all.n, err) : NULL;
    if (*listings) {
        memcpy(*listings, all.items, all.n * sizeof *all.items);
    }
    ARRAY_FREE(&all);
    return *listings != NULL;
}
