#include "model/locate.h"
#include "model/runners.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/embedded.h"
#include "base/file.h"

/* ---------------------------------------------------------------- folders */

/* What a folder holds that matters here. */
typedef struct Holdings {
    bool config, safetensors, pickle;
    int n_gguf;
    const char *gguf;   /* first .gguf */
    const char *second; /* second .gguf */
} Holdings;

static bool is_pickle_name(const char *name)
{
    static const char *const SUFFIXES[] = {".bin", ".pt", ".pth", ".ckpt", ".pkl"};
    for (size_t i = 0; i < AS_COUNT(SUFFIXES); i++) {
        if (path_has_suffix(name, SUFFIXES[i])) {
            return true;
        }
    }
    return false;
}

static bool look_into(const char *folder, Arena *arena, Holdings *found, Error *err)
{
    char **names;
    size_t n;
    *found = (Holdings){0};
    if (!folder_list(arena, folder, &names, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        found->config = found->config || strcmp(names[i], "config.json") == 0;
        found->safetensors = found->safetensors || path_has_suffix(names[i], ".safetensors") ||
                             path_has_suffix(names[i], ".safetensors.index.json");
        found->pickle = found->pickle || is_pickle_name(names[i]);
        if (path_has_suffix(names[i], ".gguf")) {
            const char **slot = found->n_gguf++ == 0 ? &found->gguf : &found->second;
            *slot = *slot ? *slot : names[i];
        }
    }
    return true;
}

static bool refuse_pickle(const char *path, const char *folder, Error *err)
{
    return error_set(err, ERR_UNSUPPORTED,
                     "%s: only PyTorch pickles, which can run code when opened, are there; convert "
                     "with Python where you trust them: from transformers import AutoModel; "
                     "AutoModel.from_pretrained(\"%s\").save_pretrained(\"%s\")",
                     path, folder, folder);
}

/* "…/org/name/" -> "name" */
static const char *last_part(const char *path, Arena *arena, Error *err)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    char *bare = arena_strndup(arena, path, n, err);
    return bare ? path_base_name(bare) : NULL;
}

static bool take_folder(const char *path, bool need_config, Arena *arena, Location *location,
                        Error *err)
{
    Holdings found;
    if (!look_into(path, arena, &found, err)) {
        return false;
    }
    location->kind = LOCATION_FOLDER;
    location->path = arena_strdup(arena, path, err);
    location->name = last_part(path, arena, err);
    if (!location->path || !location->name) {
        return false;
    }
    if (found.n_gguf > 0 && !found.safetensors) {
        if (found.n_gguf > 1) {
            return error_set(err, ERR_IO, "%s: holds %d .gguf files (%s, %s%s); name one", path,
                             found.n_gguf, found.gguf, found.second, found.n_gguf > 2 ? ", …" : "");
        }
        location->kind = LOCATION_GGUF;
        location->path = path_join(arena, path, found.gguf, err);
        return location->path != NULL;
    }
    if (found.pickle && !found.safetensors && need_config) {
        return refuse_pickle(path, path, err);
    }
    if (!found.config && need_config) {
        return error_set(err, ERR_IO,
                         "%s: no config.json in this folder: a model is config.json with "
                         "model.safetensors (and tokenizer.json), or one .gguf file",
                         path);
    }
    return true;
}

static bool take_file(const char *path, bool need_config, Arena *arena, Location *location,
                      Error *err)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? arena_strndup(arena, path, (size_t)(slash - path) + 1, err) : ".";
    if (!folder) {
        return false;
    }
    if (is_pickle_name(path)) {
        return refuse_pickle(path, folder, err);
    }
    if (path_has_suffix(path, ".safetensors") || path_has_suffix(path, ".json")) {
        const char *config = path_join(arena, folder, "config.json", err);
        if (!config || (need_config && !path_exists(config))) {
            return config &&
                   error_set(err, ERR_IO,
                             "%s: no config.json beside it, which a model needs; a trace, "
                             "or attention of another program, is opened with --trace",
                             path);
        }
        return take_folder(folder, need_config, arena, location, err);
    }
    location->kind = LOCATION_GGUF;
    location->path = arena_strdup(arena, path, err);
    location->name = last_part(path, arena, err);
    return location->path && location->name;
}

/* ---------------------------------------------------------------- the Hugging Face cache */

const char *locate_hub_cache(Arena *arena, Error *err)
{
    static const struct {
        const char *variable, *below;
    } PLACES[] = {
        {"HF_HUB_CACHE", ""},
        {"HUGGINGFACE_HUB_CACHE", ""},
        {"HF_HOME", "/hub"},
        {"XDG_CACHE_HOME", "/huggingface/hub"},
        {"HOME", "/.cache/huggingface/hub"},
    };
    for (size_t i = 0; i < AS_COUNT(PLACES); i++) {
        const char *value = getenv(PLACES[i].variable);
        if (value && *value) {
            return arena_printf(arena, err, "%s%s", value, PLACES[i].below);
        }
    }
    return NULL;
}

const char *locate_snapshot(const char *folder, Arena *arena, Error *err)
{
    char **names;
    size_t n;
    const char *snapshots = path_join(arena, folder, "snapshots", err);
    if (!snapshots || !path_is_folder(snapshots) ||
        !folder_list(arena, snapshots, &names, &n, err)) {
        return NULL;
    }
    const char *newest = NULL;
    struct timespec newest_time = {0};
    for (size_t i = 0; i < n; i++) {
        struct stat status;
        const char *path = path_join(arena, snapshots, names[i], err);
        if (!path) {
            return NULL;
        }
        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
            (!newest || status.st_mtim.tv_sec > newest_time.tv_sec ||
             (status.st_mtim.tv_sec == newest_time.tv_sec &&
              status.st_mtim.tv_nsec > newest_time.tv_nsec))) {
            newest = path;
            newest_time = status.st_mtim;
        }
    }
    return newest;
}

/* Is the cache folder "models--ORG--NAME" what "ORG/NAME" or "NAME" asks for? */
static bool cache_name_fits(const char *entry, const char *spec)
{
    static const char HEAD[] = "models--";
    if (strncmp(entry, HEAD, sizeof HEAD - 1) != 0) {
        return false;
    }
    entry += sizeof HEAD - 1;
    const char *slash = strchr(spec, '/');
    if (slash) {
        const size_t org = (size_t)(slash - spec);
        return strncmp(entry, spec, org) == 0 && strncmp(entry + org, "--", 2) == 0 &&
               strcmp(entry + org + 2, slash + 1) == 0;
    }
    const char *name = strstr(entry, "--");
    return strcmp(entry, spec) == 0 || (name && strcmp(name + 2, spec) == 0);
}

/* *path stays NULL when the cache holds no such name. */
static bool find_in_cache(const char *spec, Arena *arena, const char **path, Error *err)
{
    char **names;
    size_t n;
    Error ignored = {0};
    *path = NULL;
    const char *cache = locate_hub_cache(arena, &ignored);
    if (!cache || !path_is_folder(cache)) {
        return true;
    }
    if (!folder_list(arena, cache, &names, &n, err)) {
        return false;
    }
    const char *entry = NULL;
    for (size_t i = 0; i < n; i++) {
        if (cache_name_fits(names[i], spec)) {
            if (entry) {
                return error_set(err, ERR_IO,
                                 "%s: both %s and %s are in the Hugging Face cache; name one as "
                                 "ORG/NAME",
                                 spec, entry, names[i]);
            }
            entry = names[i];
        }
    }
    const char *folder = entry ? path_join(arena, cache, entry, err) : NULL;
    if (!entry) {
        return true;
    }
    *path = folder ? locate_snapshot(folder, arena, err) : NULL;
    return folder != NULL;
}

/* ---------------------------------------------------------------- all together */

static bool take_embedded(const char *name, Arena *arena, Location *location, Error *err)
{
    location->kind = LOCATION_EMBEDDED;
    location->path = arena_printf(arena, err, "models/%s/", name);
    location->name = arena_strdup(arena, name, err);
    return location->path && location->name;
}

/* "tiny", "translate": what the build has a config of. */
static bool is_embedded(const char *spec)
{
    char name[96];
    EmbeddedFile file;
    const int n = snprintf(name, sizeof name, "models/%s/config.json", spec);
    return !strchr(spec, '/') && n > 0 && n < (int)sizeof name && embedded_find(name, &file);
}

static bool is_made(const char *spec)
{
    static const char *const kinds[] = {"random", "hash", "synthetic"};
    for (size_t i = 0; i < AS_COUNT(kinds); i++) {
        const size_t n = strlen(kinds[i]);
        if (strncmp(spec, kinds[i], n) == 0 && (!spec[n] || spec[n] == ':')) {
            return true;
        }
    }
    return false;
}

bool locate_model(const char *spec, bool need_config, Arena *arena, Location *location, Error *err)
{
    const char *cached;
    spec = spec && *spec ? spec : "tiny";
    *location = (Location){0};
    if (is_embedded(spec)) {
        return take_embedded(spec, arena, location, err);
    }
    if (is_made(spec)) {
        location->kind = LOCATION_MADE;
        location->path = location->name = arena_strdup(arena, spec, err);
        return location->path != NULL;
    }
    if (path_exists(spec)) {
        return path_is_folder(spec) ? take_folder(spec, need_config, arena, location, err)
                                    : take_file(spec, need_config, arena, location, err);
    }
    if (!find_in_cache(spec, arena, &cached, err)) {
        return false;
    }
    if (cached) {
        if (!take_folder(cached, need_config, arena, location, err)) {
            return false;
        }
        location->name = arena_strdup(arena, spec, err);
        return location->name != NULL;
    }
    RunnerModel runner;
    if (!runners_find(spec, arena, &runner, err)) {
        return false;
    }
    if (runner.path) {
        *location = (Location){LOCATION_GGUF, runner.path, runner.name};
        return true;
    }
    return error_set(err, ERR_IO,
                     "%s: no such folder or file, and no model of that name in the Hugging Face "
                     "cache or of a local runner; `attnscope models` lists what is here (tiny "
                     "always) and what can be fetched",
                     spec);
}
